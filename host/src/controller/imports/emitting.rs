//! What emitting from a socket and from anywhere else have in common: the guest's event checked against the limits, and the
//! bus's answer as a fault of the contract.

use std::sync::Arc;

use crate::bus::{EmitError, Envelope, Target, Topic};
use crate::controller::bindings::lakou::controller::types;
use crate::controller::grants::Denied;
use crate::controller::state::GuestState;
use crate::identity::Identity;
use crate::ids::ConnectionId;
use crate::limit::Limit;
use crate::message::{Event, Message, SharedEvent};
use crate::store::StoreError;

pub(super) use types::{EventResult as GuestEvent, Fault, MessageResult as GuestMessage};

pub(super) fn message(message: GuestMessage) -> Message {
    match message {
        GuestMessage::Text(text) => Message::Text(text.into()),
        GuestMessage::Binary(bytes) => Message::Binary(bytes.into()),
    }
}

pub(super) fn target(id: &str) -> Result<Target, Fault> {
    let id: ConnectionId = id.parse().map_err(|wrong| Fault::Invalid(format!("{wrong}: {id:.40}")))?;
    Ok(Target::Connection(id))
}

/// Checks and emits one event of a guest.
pub(super) fn emit(
    state: &GuestState,
    to: Result<Target, Fault>,
    event: GuestEvent,
    from: Option<ConnectionId>,
) -> Result<(), Fault> {
    let environment = &state.class.environment;
    let event = checked(state, event)?;
    let to = to?;
    let messaging = &state.class.granted.messaging;
    granted(
        state,
        match &to {
            Target::All => messaging.all(),
            Target::Controller(name) => messaging.controller(name),
            // Ids can not be guessed: who has one was given it.
            Target::Connection(_) => Ok(()),
        },
    )?;
    state.class.may_emit().map_err(Fault::Unavailable)?;
    environment.bus.emit(Envelope { to, event, from }).map_err(|error| match error {
        EmitError::Gone => Fault::Gone,
        EmitError::Full { .. } | EmitError::OutOfReach(_) => Fault::Unavailable(error.to_string()),
    })
}

/// A guest's identity, checked, that it may address.
pub(super) fn identity(state: &GuestState, text: &str) -> Result<Identity, Fault> {
    let identity = Identity::new(text).map_err(Fault::Invalid)?;
    granted(state, state.class.granted.messaging.identity(text))?;
    Ok(identity)
}

/// A guest's topic, checked, that it may address.
pub(super) fn topic(state: &GuestState, text: &str) -> Result<Topic, Fault> {
    let topic = Topic::new(text).map_err(Fault::Invalid)?;
    granted(state, state.class.granted.messaging.topic(text))?;
    Ok(topic)
}

fn granted(state: &GuestState, granted: Result<(), Denied>) -> Result<(), Fault> {
    granted.map_err(|Denied(text)| {
        state.class.denied(state.batch.connection(), &text);
        Fault::Denied(text)
    })
}

/// What the store could not do for an identity, as a fault; the limit of mailboxes counts for this controller, which
/// asked, whoever's identity it is.
pub(super) fn identity_fault(state: &GuestState, error: &StoreError) -> Fault {
    if let StoreError::MailboxesFull(limit) = error {
        let what = format_args!("identities and their mailboxes cost over {limit} bytes: one more was refused");
        state.class.hits.hit(Limit::Mailboxes, what);
    }
    store_fault(error)
}

/// What the store could not do, as a fault.
pub(super) fn store_fault(error: &StoreError) -> Fault {
    match error {
        StoreError::Invalid(_) => Fault::Invalid(error.to_string()),
        StoreError::Unavailable(_) | StoreError::Corrupt(_) | StoreError::Full(_) | StoreError::MailboxesFull(_) => {
            Fault::Unavailable(error.to_string())
        }
    }
}

/// A guest's event, checked.
pub(super) fn checked(state: &GuestState, event: GuestEvent) -> Result<SharedEvent, Fault> {
    let GuestEvent { name, args } = event;
    if name.is_empty() || name.len() > Event::NAME_LIMIT {
        return Err(Fault::Invalid(format!(
            "the name of an event has 1 to {} bytes, not {}",
            Event::NAME_LIMIT,
            name.len()
        )));
    }
    let limit = state.class.environment.settings.max_event;
    if args.len() > limit {
        state.class.hits.hit(Limit::Event, format_args!("an event with over {limit} bytes of arguments was refused"));
        return Err(Fault::TooLarge);
    }
    Ok(Arc::new(Event { name, args }))
}
