//! The fake host's side of saved state: keeping it, and objects that are made anew from it. The connections of a class are
//! one instance here.

use std::rc::Rc;

use super::{Line, Seats, Yard, door};
use crate::class::Class;
use crate::closing::Closing;
use crate::id::ConnectionId;
use crate::request::Peer;
use crate::saved::Saved;
use crate::socket::Socket;
use crate::testing::rules;

impl Yard {
    pub(in crate::testing) fn save(&self, id: &ConnectionId, state: Saved) {
        if let Some(line) = self.lines.borrow_mut().get_mut(id) {
            line.saved = Some(state);
        }
    }

    pub(in crate::testing) fn saved(&self, id: &ConnectionId) -> Option<Saved> {
        self.lines.borrow().get(id)?.saved.clone()
    }

    pub(in crate::testing) fn resumes(&self, id: &ConnectionId) -> bool {
        self.seats(id).resumes()
    }

    /// The objects of a class are gone without another call, and come back if something is saved.
    pub(in crate::testing) fn restart<C: Class>(self: &Rc<Self>) {
        let seats: Rc<dyn Seats> = self.seats_of::<C>();
        let ids = seats.taken();
        for id in &ids {
            self.enter(C::NAME, || seats.discard(id));
            self.timers.borrow_mut().leave(id);
        }
        for id in ids {
            self.resume(&*seats, &id);
        }
        self.settle();
    }

    /// The objects of a class are saved and come back; `false` if one of them can not be saved.
    pub(in crate::testing) fn hibernate<C: Class>(self: &Rc<Self>) -> bool {
        let seats: Rc<dyn Seats> = self.seats_of::<C>();
        if !seats.resumes() {
            return false;
        }
        let mut states = Vec::new();
        for id in seats.taken() {
            // A timer would end with the object.
            if self.timers(&id) > 0 {
                return false;
            }
            match self.enter(C::NAME, || seats.suspend(&id)) {
                Some(state) if rules::state(&state).is_ok() => states.push((id, state)),
                _ => return false,
            }
        }
        for (id, state) in states {
            self.save(&id, state);
        }
        self.restart::<C>();
        true
    }

    fn resume(self: &Rc<Self>, seats: &dyn Seats, id: &ConnectionId) {
        let known = self.lines.borrow().get(id).map(|line| (line.request.clone(), line.saved.clone()));
        let Some((request, Some(state))) = known else { return self.lose(id) };
        let is_service = request.peer() == Peer::Nobody;
        let socket = Socket::new(door::Socket::new(Rc::downgrade(self), id.clone()));
        if let Err(fault) = self.enter(seats.name(), || seats.resume(id, socket, request, state)) {
            self.warn(&format!("not resumed: {fault}"));
            if is_service {
                // The state is of no use.
                self.unsave(id);
            }
            self.lose(id);
        }
    }

    fn unsave(&self, id: &ConnectionId) {
        if let Some(line) = self.lines.borrow_mut().get_mut(id) {
            line.saved = None;
        }
    }

    /// Ends a connection that has lost its object: there is nobody to tell. A service is made anew.
    fn lose(self: &Rc<Self>, id: &ConnectionId) {
        let mut lines = self.lines.borrow_mut();
        if lines.get(id).is_some_and(|line| line.closing.is_none() && line.request.peer() == Peer::Nobody) {
            drop(lines);
            self.disown(id);
            return self.make_object(id);
        }
        if let Some(Line { closing: closing @ None, .. }) = lines.get_mut(id) {
            *closing = Some(Closing::new(1012, "the controller was restarted"));
        }
        drop(lines);
        self.forget(id);
    }
}
