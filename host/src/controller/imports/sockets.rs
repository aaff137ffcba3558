//! `sockets`: a controller object's grip on its own connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, Resource};

use super::emitting::{self, Fault, GuestEvent, GuestMessage};
use super::timers::{self, Timer, Times};
use crate::bus::{NotSubscribed, Target, Topic};
use crate::closing::Closing;
use crate::connection::{Connection, NotQueued};
use crate::controller::bindings::lakou::controller::sockets::{self, Host, HostSocket};
use crate::controller::bindings::lakou::controller::types::{ClosingResult, IdentityOptions};
use crate::controller::state::GuestState;
use crate::identities::{NotRegistered, Wish};
use crate::limit::Limit;

/// What a guest's `socket` handle stands for.
#[expect(unreachable_pub, reason = "the generated bindings re-export it under their own `pub`")]
pub struct Socket(pub(in crate::controller) Arc<Connection>);

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    sockets::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl GuestState {
    fn connection(&self, socket: &Resource<Socket>) -> wasmtime::Result<Arc<Connection>> {
        Ok(Arc::clone(&self.table.get(socket)?.0))
    }
}

fn not_registered(state: &GuestState, error: &NotRegistered) -> Fault {
    match error {
        NotRegistered::Gone => Fault::Gone,
        NotRegistered::TooMany(limit) => {
            let hits = &state.class.hits;
            hits.hit(Limit::Identities, format_args!("a connection has {limit} identities: another one is refused"));
            Fault::Unavailable(error.to_string())
        }
        NotRegistered::TooFast(limit) => {
            let hits = &state.class.hits;
            hits.hit(
                Limit::Identities,
                format_args!(
                    "a connection has left over {limit} identities that are still served: another one is refused"
                ),
            );
            Fault::Unavailable(error.to_string())
        }
        NotRegistered::Nobody => Fault::Invalid(error.to_string()),
        NotRegistered::Store(error) => emitting::identity_fault(state, error),
    }
}

fn nobody() -> Fault {
    Fault::Invalid("there is nobody to send to: it is the object of a service".into())
}

impl Host for GuestState {}

impl HostSocket for GuestState {
    fn id(&mut self, socket: Resource<Socket>) -> wasmtime::Result<String> {
        Ok(self.table.get(&socket)?.0.id.to_string())
    }

    fn send(&mut self, socket: Resource<Socket>, message: GuestMessage) -> wasmtime::Result<Result<(), Fault>> {
        let connection = &self.table.get(&socket)?.0;
        Ok(connection.send(emitting::message(message)).map_err(|error| match error {
            NotQueued::Gone => {
                self.batch.tell_gone(connection);
                Fault::Gone
            }
            NotQueued::TooLarge => {
                let limit = self.class.outbox_limit();
                self.class.hits.hit(Limit::Outbox, format_args!("a message of over {limit} bytes was refused"));
                Fault::TooLarge
            }
            NotQueued::Nobody => nobody(),
        }))
    }

    fn close(&mut self, socket: Resource<Socket>, closing: ClosingResult) -> wasmtime::Result<Result<(), Fault>> {
        let closing = Closing::by_object(closing.code, closing.reason);
        if let Err(wrong) = closing.check() {
            return Ok(Err(Fault::Invalid(wrong)));
        }
        let connection = &self.table.get(&socket)?.0;
        connection.let_go.store(true, Ordering::Release);
        connection.close(closing);
        Ok(Ok(()))
    }

    fn subscribe(&mut self, socket: Resource<Socket>, topic: String) -> wasmtime::Result<Result<(), Fault>> {
        let connection = self.connection(&socket)?;
        if connection.nobody {
            return Ok(Err(nobody()));
        }
        let topic = match emitting::topic(self, &topic) {
            Ok(topic) => topic,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(over) = self.class.may_ask() {
            return Ok(Err(Fault::Unavailable(over)));
        }
        let environment = &self.class.environment;
        let limit = self.class.topics_limit();
        Ok(environment.bus.subscribe(topic, &connection).map_err(|error| match error {
            NotSubscribed::Gone => Fault::Gone,
            NotSubscribed::Full => {
                let hits = &self.class.hits;
                hits.hit(Limit::Topics, format_args!("a connection has {limit} topics: another one is refused"));
                Fault::Unavailable(format!("the connection has its {limit} topics already"))
            }
        }))
    }

    fn unsubscribe(&mut self, socket: Resource<Socket>, topic: String) -> wasmtime::Result<()> {
        let connection = self.connection(&socket)?;
        if let Ok(topic) = Topic::new(&topic) {
            // It counts, and is done all the same: the guest could not be told, and a client would get what it must not.
            let _ = self.class.may_ask();
            self.class.environment.bus.unsubscribe(&topic, connection.id);
        }
        Ok(())
    }

    fn save(&mut self, socket: Resource<Socket>, state: Vec<u8>) -> wasmtime::Result<Result<(), Fault>> {
        let connection = &self.table.get(&socket)?.0;
        if !self.class.resumable {
            return Ok(Err(Fault::Invalid("the component does not say that it can be resumed".into())));
        }
        let (length, limit) = (state.len(), self.class.limits.max_state);
        if length > limit {
            self.class.hits.hit(Limit::State, format_args!("{length} bytes to save are over {limit}: refused"));
            return Ok(Err(Fault::TooLarge));
        }
        if connection.is_closing() {
            self.batch.tell_gone(connection);
            return Ok(Err(Fault::Gone));
        }
        connection.save(state.into());
        Ok(Ok(()))
    }

    fn after(
        &mut self,
        socket: Resource<Socket>,
        milliseconds: u64,
        event: GuestEvent,
    ) -> wasmtime::Result<Result<Resource<Timer>, Fault>> {
        let connection = self.connection(&socket)?;
        timers::set(self, connection, milliseconds, event, Times::Once)
    }

    fn every(
        &mut self,
        socket: Resource<Socket>,
        milliseconds: u64,
        event: GuestEvent,
    ) -> wasmtime::Result<Result<Resource<Timer>, Fault>> {
        let connection = self.connection(&socket)?;
        timers::set(self, connection, milliseconds, event, Times::Always)
    }

    async fn register_as(
        &mut self,
        socket: Resource<Socket>,
        identity: String,
        options: IdentityOptions,
    ) -> wasmtime::Result<Result<(), Fault>> {
        let connection = self.connection(&socket)?;
        let identities = Arc::clone(&self.class.environment.identities);
        let time = self.class.limits.call_time;
        let identity = match emitting::identity(self, &identity) {
            Ok(identity) => identity,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(over) = self.class.may_emit() {
            return Ok(Err(Fault::Unavailable(over)));
        }
        let wish = Wish {
            lifetime: options.lifetime_seconds.map(Duration::from_secs),
            max_connections: options.max_connections,
            owner: self.class.owner(),
        };
        let postman = Arc::clone(&self.class.postman);
        let registered = identities.register(&connection, identity, wish, postman, time).await;
        Ok(registered.map_err(|error| not_registered(self, &error)))
    }

    async fn unregister(&mut self, socket: Resource<Socket>, identity: String) -> wasmtime::Result<Result<(), Fault>> {
        let connection = self.connection(&socket)?;
        let identities = Arc::clone(&self.class.environment.identities);
        let time = self.class.limits.call_time;
        let identity = match emitting::identity(self, &identity) {
            Ok(identity) => identity,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Err(over) = self.class.may_ask() {
            return Ok(Err(Fault::Unavailable(over)));
        }
        Ok(identities.unregister(&connection, &identity, time).await.map_err(|error| not_registered(self, &error)))
    }

    fn broadcast(&mut self, socket: Resource<Socket>, event: GuestEvent) -> wasmtime::Result<Result<(), Fault>> {
        let from = self.connection(&socket)?.id;
        let target = Target::Controller(self.class.name.to_string());
        Ok(emitting::emit(self, Ok(target), event, Some(from)))
    }

    fn multicast(&mut self, socket: Resource<Socket>, event: GuestEvent) -> wasmtime::Result<Result<(), Fault>> {
        let from = self.connection(&socket)?.id;
        Ok(emitting::emit(self, Ok(Target::All), event, Some(from)))
    }

    fn unicast(
        &mut self,
        socket: Resource<Socket>,
        target: String,
        event: GuestEvent,
    ) -> wasmtime::Result<Result<(), Fault>> {
        let from = self.connection(&socket)?.id;
        Ok(emitting::emit(self, emitting::target(&target), event, Some(from)))
    }

    fn drop(&mut self, socket: Resource<Socket>) -> wasmtime::Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
