//! The objects of one controller class in the fake host, behind calls that do not name their type.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::class::{Class, Object, report};
use crate::closing::Closing;
use crate::dispatch;
use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::message::Message;
use crate::notification::Notification;
use crate::request::Request;
use crate::saved::Saved;
use crate::socket::Socket;

/// The objects of a class, whatever their type.
pub(super) trait Seats: fmt::Debug {
    fn name(&self) -> &'static str;
    /// Whose objects there are, in the order of their opening.
    fn taken(&self) -> Vec<ConnectionId>;
    fn open(&self, id: &ConnectionId, socket: Socket, request: Request);
    fn message(&self, id: &ConnectionId, message: Message);
    fn deliver(&self, to: &[ConnectionId], event: &Event);
    fn undelivered(&self, id: &ConnectionId, target: ConnectionId, event: Event);
    fn notify(&self, id: &ConnectionId, notification: Notification, event: &Event);
    fn replaced(&self, id: &ConnectionId, identity: &str);
    fn shutdown(&self, id: &ConnectionId);
    fn close(&self, id: &ConnectionId, closing: Closing);
    /// Whether objects can be made anew.
    fn resumes(&self) -> bool;
    fn resume(&self, id: &ConnectionId, socket: Socket, request: Request, state: Saved) -> Result;
    fn suspend(&self, id: &ConnectionId) -> Option<Saved>;
    /// The object goes without being told.
    fn discard(&self, id: &ConnectionId);
}

/// The objects of the class `C`.
pub(super) struct SeatsOf<C>(RefCell<BTreeMap<ConnectionId, Rc<Object<C>>>>);

impl<C> Default for SeatsOf<C> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<C: Class> fmt::Debug for SeatsOf<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}", self.0.borrow().len(), C::NAME)
    }
}

impl<C> SeatsOf<C> {
    pub(super) fn take(&self, id: ConnectionId, object: C) {
        self.0.borrow_mut().insert(id, Rc::new(Object::new(object)));
    }

    pub(super) fn seat(&self, id: &ConnectionId) -> Option<Rc<Object<C>>> {
        self.0.borrow().get(id).map(Rc::clone)
    }
}

impl<C: Class> Seats for SeatsOf<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn taken(&self) -> Vec<ConnectionId> {
        self.0.borrow().keys().cloned().collect()
    }

    fn open(&self, id: &ConnectionId, socket: Socket, request: Request) {
        self.take(id.clone(), C::open(socket, request));
    }

    fn message(&self, id: &ConnectionId, message: Message) {
        if let Some(seat) = self.seat(id) {
            dispatch::receive([(&*seat, message)].into_iter());
        }
    }

    fn deliver(&self, to: &[ConnectionId], event: &Event) {
        let seats: Vec<_> = to.iter().filter_map(|id| self.seat(id)).collect();
        let objects: Vec<_> = seats.iter().map(|seat| &**seat).collect();
        dispatch::deliver(&objects, event);
    }

    fn undelivered(&self, id: &ConnectionId, target: ConnectionId, event: Event) {
        if let Some(seat) = self.seat(id) {
            report("undelivered", seat.borrow_mut().undelivered(target, event));
        }
    }

    fn notify(&self, id: &ConnectionId, notification: Notification, event: &Event) {
        if let Some(seat) = self.seat(id) {
            dispatch::notify(&seat, notification, event);
        }
    }

    fn replaced(&self, id: &ConnectionId, identity: &str) {
        if let Some(seat) = self.seat(id) {
            report("replaced", seat.borrow_mut().replaced(identity));
        }
    }

    fn shutdown(&self, id: &ConnectionId) {
        if let Some(seat) = self.seat(id) {
            report("shutdown", seat.borrow_mut().shutdown());
        }
    }

    fn close(&self, id: &ConnectionId, closing: Closing) {
        let seat = self.0.borrow_mut().remove(id);
        if let Some(seat) = seat {
            seat.borrow_mut().close(closing);
        }
    }
    fn resumes(&self) -> bool {
        C::RESUMES
    }

    fn resume(&self, id: &ConnectionId, socket: Socket, request: Request, state: Saved) -> Result {
        self.take(id.clone(), C::resume(socket, request, state)?);
        Ok(())
    }

    fn suspend(&self, id: &ConnectionId) -> Option<Saved> {
        self.seat(id)?.borrow_mut().suspend()
    }

    fn discard(&self, id: &ConnectionId) {
        // Nothing stays borrowed while it is dropped: its timers end with it.
        let seat = self.0.borrow_mut().remove(id);
        drop(seat);
    }
}
