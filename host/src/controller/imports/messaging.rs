//! `messaging`: emitting and publishing from anywhere in a guest.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};

use super::emitting::{self, Fault, GuestEvent, GuestMessage};
use crate::bus::Target;
use crate::controller::bindings::lakou::controller::messaging::{self, Host};
use crate::controller::state::GuestState;
use crate::limit::Limit;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    messaging::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl Host for GuestState {
    fn multicast(&mut self, event: GuestEvent) -> wasmtime::Result<Result<(), Fault>> {
        Ok(emitting::emit(self, Ok(Target::All), event, None))
    }

    fn broadcast(&mut self, controller: String, event: GuestEvent) -> wasmtime::Result<Result<(), Fault>> {
        Ok(emitting::emit(self, Ok(Target::Controller(controller)), event, None))
    }

    fn broadcast_own(&mut self, event: GuestEvent) -> wasmtime::Result<Result<(), Fault>> {
        let target = Target::Controller(self.class.name.to_string());
        Ok(emitting::emit(self, Ok(target), event, None))
    }

    fn unicast(&mut self, target: String, event: GuestEvent) -> wasmtime::Result<Result<(), Fault>> {
        Ok(emitting::emit(self, emitting::target(&target), event, None))
    }

    async fn notify(&mut self, identity: String, event: GuestEvent) -> wasmtime::Result<Result<bool, Fault>> {
        let (environment, time) = (Arc::clone(&self.class.environment), self.class.limits.call_time);
        let checked =
            emitting::identity(self, &identity).and_then(|identity| Ok((identity, emitting::checked(self, event)?)));
        let (identity, event) = match checked {
            Ok(checked) => checked,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(over) = self.class.may_emit() {
            return Ok(Err(Fault::Unavailable(over)));
        }
        Ok(environment
            .identities
            .notify_in(time, &identity, &event)
            .await
            .map_err(|error| emitting::identity_fault(self, &error)))
    }

    async fn registered(&mut self, identity: String) -> wasmtime::Result<Result<bool, Fault>> {
        let (environment, time) = (Arc::clone(&self.class.environment), self.class.limits.call_time);
        let identity = match emitting::identity(self, &identity) {
            Ok(identity) => identity,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(over) = self.class.may_ask() {
            return Ok(Err(Fault::Unavailable(over)));
        }
        Ok(environment.identities.registered(&identity, time).await.map_err(|error| emitting::store_fault(&error)))
    }

    fn publish(&mut self, topic: String, message: GuestMessage) -> wasmtime::Result<Result<(), Fault>> {
        let environment = &self.class.environment;
        let message = emitting::message(message);
        let limit = environment.settings.max_message;
        if message.len() > limit {
            self.class.hits.hit(Limit::Message, format_args!("a publication of over {limit} bytes was refused"));
            return Ok(Err(Fault::TooLarge));
        }
        if let Err(over) = self.class.may_emit() {
            return Ok(Err(Fault::Unavailable(over)));
        }
        Ok(emitting::topic(self, &topic).and_then(|topic| {
            environment.bus.publish(&topic, &message).map_err(|error| Fault::Unavailable(error.to_string()))
        }))
    }
}
