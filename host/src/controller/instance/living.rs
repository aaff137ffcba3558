//! A living store and the calls into it, each as the contract has it. What a failure means for connections is the
//! instance's matter.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::lower::Lowered;
use crate::connection::Connection;
use crate::controller::bindings::GrantedWorld;
use crate::controller::bindings::lakou::controller::types::{ClosingParam, EventParam, MessageParam};
use crate::controller::call::{self, Ended};
use crate::controller::class::Class;
use crate::controller::imports::sockets::Socket;
use crate::controller::meter::Clock;
use crate::controller::state::{GuestState, new_store};
use crate::identity::{Identity, Notification};
use crate::ids::ConnectionId;
use crate::limit::Limit;
use crate::request::{Acceptance, Refusal, Request};

/// Why there is no store.
pub(super) enum NoStore {
    /// As many instances live as may live.
    NoRoom,
    /// The guest's start failed.
    Failed,
}

/// A store with an instance of the component in it.
pub(super) struct Living {
    store: Store<GuestState>,
    world: GrantedWorld,
    clock: Clock,
    call_time: Duration,
    // Given back after the store has given back its memory.
    _slots: [OwnedSemaphorePermit; 2],
}

/// Calls an export under the limits of a call.
macro_rules! call {
    ($living:ident, $items:expr, |$guest:ident, $store:ident| $call:expr) => {{
        let Living { store, world, clock, call_time, .. } = $living;
        store.data_mut().batch.begin($items);
        call::begin(store);
        let $guest = world.lakou_controller_controller();
        let $store = store;
        call::within(*call_time, clock, $call).await
    }};
}

impl Living {
    pub(super) async fn new(class: &Arc<Class>) -> Result<Self, NoStore> {
        let Some(component) = &class.sockets else { return Err(NoStore::Failed) };
        let own_slot = Arc::clone(&class.slots).try_acquire_owned().map_err(|_| {
            let limit = class.shares.instances;
            class.hits.hit(Limit::Instances, format_args!("{limit} are in use: there is no room for another one"));
            NoStore::NoRoom
        })?;
        let slot = Arc::clone(class.environment.slots()).try_acquire_owned().map_err(|_| {
            let limit = class.environment.settings.max_instances;
            class.hits.hit(Limit::AllInstances, format_args!("{limit} are in use: there is no room for another one"));
            NoStore::NoRoom
        })?;
        let clock = Clock::default();
        let mut store = new_store(class, clock.clone());
        call::begin(&mut store);
        let call_time = class.limits.call_time;
        match call::within(call_time, &clock, component.instantiate_async(&mut store)).await {
            Ok(world) => Ok(Living { store, world, clock, call_time, _slots: [own_slot, slot] }),
            Err(ended) => {
                class.failed(ended, store.data(), "start");
                Err(NoStore::Failed)
            }
        }
    }

    pub(super) fn state(&self) -> &GuestState {
        self.store.data()
    }

    pub(super) async fn connect(&mut self, request: &Request) -> Result<Result<Acceptance, Refusal>, Ended> {
        let lowered = Lowered::new(request);
        let decided = call!(self, [], |guest, store| guest.call_connect(store, lowered.request()))?;
        Ok(decided.map(Acceptance::from).map_err(Refusal::from))
    }

    pub(super) async fn open(&mut self, connection: &Arc<Connection>, request: &Request) -> Result<ResourceAny, Ended> {
        let lowered = Lowered::new(request);
        let socket = Socket(Arc::clone(connection));
        let state = self.store.data_mut();
        state.batch.begin([connection.id]);
        let socket = state.table.push(socket).map_err(|error| Ended::Error(error.into()))?;
        call!(self, [connection.id], |guest, store| async {
            guest.connection().call_constructor(store, socket, lowered.request()).await
        })
    }

    /// Makes an object anew; the inner error is the guest's word that it can not.
    pub(super) async fn resume(
        &mut self,
        connection: &Arc<Connection>,
        request: &Request,
        state: &[u8],
    ) -> Result<Result<ResourceAny, String>, Ended> {
        let lowered = Lowered::new(request);
        let socket = Socket(Arc::clone(connection));
        let guest_state = self.store.data_mut();
        guest_state.batch.begin([connection.id]);
        let socket = guest_state.table.push(socket).map_err(|error| Ended::Error(error.into()))?;
        call!(self, [connection.id], |guest, store| async {
            guest.connection().call_resume(store, socket, lowered.request(), state).await
        })
    }

    pub(super) async fn suspend(&mut self, object: ResourceAny, id: ConnectionId) -> Result<Option<Vec<u8>>, Ended> {
        call!(self, [id], |guest, store| guest.connection().call_suspend(store, object))
    }

    pub(super) async fn receive(
        &mut self,
        batch: &[(ResourceAny, MessageParam<'_>)],
        from: impl IntoIterator<Item = ConnectionId>,
    ) -> Result<(), Ended> {
        call!(self, from, |guest, store| guest.call_receive(store, batch))
    }

    pub(super) async fn deliver(
        &mut self,
        to: &[ResourceAny],
        ids: impl IntoIterator<Item = ConnectionId>,
        event: EventParam<'_>,
    ) -> Result<(), Ended> {
        call!(self, ids, |guest, store| guest.call_deliver(store, to, event))
    }

    pub(super) async fn undelivered(
        &mut self,
        object: ResourceAny,
        id: ConnectionId,
        target: ConnectionId,
        event: EventParam<'_>,
    ) -> Result<(), Ended> {
        let target = target.to_string();
        call!(self, [id], |guest, store| guest.connection().call_on_undelivered(store, object, &target, event))
    }

    pub(super) async fn notify(
        &mut self,
        object: ResourceAny,
        id: ConnectionId,
        identity: &Identity,
        notification: &Notification,
    ) -> Result<(), Ended> {
        let number = &notification.id.to_string();
        let identity = identity.as_str();
        let event = EventParam { name: &notification.event.name, args: &notification.event.args };
        call!(self, [id], |guest, store| guest
            .connection()
            .call_on_notification(store, object, identity, number, event))
    }

    pub(super) async fn replaced(
        &mut self,
        object: ResourceAny,
        id: ConnectionId,
        identity: &Identity,
    ) -> Result<(), Ended> {
        call!(self, [id], |guest, store| guest.connection().call_on_replaced(store, object, identity.as_str()))
    }

    pub(super) async fn shut_down(&mut self, object: ResourceAny, id: ConnectionId) -> Result<(), Ended> {
        call!(self, [id], |guest, store| guest.connection().call_on_shutdown(store, object))
    }

    /// Tells the object that its connection has ended, and drops it.
    pub(super) async fn close(
        &mut self,
        object: ResourceAny,
        id: ConnectionId,
        closing: ClosingParam<'_>,
    ) -> Result<(), Ended> {
        call!(self, [id], |guest, store| guest.connection().call_on_close(store, object, closing))?;
        call!(self, [id], |_guest, store| object.resource_drop_async(store))
    }
}
