//! What emitting from a socket and from anywhere else have in common: the guest's event checked against the limits, and the
//! bus's answer as a fault of the contract.

use std::sync::Arc;

use crate::bus::{EmitError, Envelope, Target};
use crate::controller::bindings::lakou::controller::types;
use crate::controller::state::GuestState;
use crate::identity::Identity;
use crate::ids::ConnectionId;
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
    let event = checked(event, environment.settings.max_event)?;
    state.class.may_emit().map_err(Fault::Unavailable)?;
    environment.bus.emit(Envelope { to: to?, event, from }).map_err(|error| match error {
        EmitError::Gone => Fault::Gone,
        EmitError::Full { .. } | EmitError::OutOfReach(_) => Fault::Unavailable(error.to_string()),
    })
}

/// A guest's identity, checked.
pub(super) fn identity(text: &str) -> Result<Identity, Fault> {
    Identity::new(text).map_err(Fault::Invalid)
}

/// What the store could not do, as a fault.
pub(super) fn store_fault(error: &StoreError) -> Fault {
    match error {
        StoreError::Invalid(_) => Fault::Invalid(error.to_string()),
        StoreError::Unavailable(_) | StoreError::Corrupt(_) => Fault::Unavailable(error.to_string()),
    }
}

pub(super) fn checked(event: GuestEvent, limit: usize) -> Result<SharedEvent, Fault> {
    let GuestEvent { name, args } = event;
    if name.is_empty() || name.len() > Event::NAME_LIMIT {
        return Err(Fault::Invalid(format!(
            "the name of an event has 1 to {} bytes, not {}",
            Event::NAME_LIMIT,
            name.len()
        )));
    }
    if args.len() > limit {
        return Err(Fault::TooLarge);
    }
    Ok(Arc::new(Event { name, args }))
}
