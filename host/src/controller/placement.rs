//! Which instance a new connection goes to. Instances are opened on demand and dropped with their last connection.
//!
//! The first instances of a class are filled evenly, so that a class uses all cores before it is crowded; beyond one a
//! core the fullest instance that has room is filled up, so that the others can run empty.

use std::sync::{Arc, Mutex, PoisonError};

use super::class::Class;
use super::instance;
use crate::ids::ConnectionId;
use crate::limit::Limit;
use crate::mailbox::{Mailbox, Work};

/// How many connections an instance takes before another core is used; fewer would spread a handful of connections
/// over memory that they do not need, and break up their batches.
const CROWD: usize = 32;

/// The instances of one class and how full they are.
pub(super) struct Placement {
    capacity: usize,
    cores: usize,
    places: Mutex<Vec<Place>>,
}

struct Place {
    mailbox: Arc<Mailbox>,
    taken: usize,
    side: Side,
}

/// Which instances a connection may share. What clients make fail is none of the service's, nor of the connections that the
/// controller has opened itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// With those that clients have asked for.
    Clients,
    /// With the service and the connections outwards.
    Own,
}

impl Placement {
    pub(super) fn new(capacity: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Placement { capacity, cores, places: Mutex::default() }
    }
}

impl Class {
    /// Finds a place for a client's connection; none: the class has as many of them as it may have.
    pub(crate) fn client_seat(self: &Arc<Self>) -> Option<Seat> {
        let mut places = self.placement.places.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = self.shares.connections;
        let taken: usize = places.iter().filter(|place| place.side == Side::Clients).map(|place| place.taken).sum();
        if taken >= limit {
            drop(places);
            self.hits.hit(Limit::Connections, format_args!("{limit} are open: another one gets 503"));
            return None;
        }
        Some(self.take(&mut places, Side::Clients))
    }

    /// Finds a place for the service, or for a connection that the controller has opened itself.
    pub(crate) fn own_seat(self: &Arc<Self>) -> Seat {
        let mut places = self.placement.places.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(&mut places, Side::Own)
    }

    /// In a new instance if need be.
    fn take(self: &Arc<Self>, places: &mut Vec<Place>, side: Side) -> Seat {
        let Placement { capacity, cores, .. } = &self.placement;
        let mut candidates: Vec<&mut Place> = places.iter_mut().filter(|place| place.side == side).collect();
        let taken: Vec<usize> = candidates.iter().map(|place| place.taken).collect();
        let mailbox = match choose(&taken, *capacity, *cores) {
            Some(index) => {
                let place = &mut candidates[index];
                place.taken += 1;
                Arc::clone(&place.mailbox)
            }
            None => {
                let mailbox = instance::open(self);
                places.push(Place { mailbox: Arc::clone(&mailbox), taken: 1, side });
                mailbox
            }
        };
        Seat { class: Arc::clone(self), mailbox }
    }
}

impl Class {
    /// Takes an instance out that is to end: without senders its mailbox ends, and with it its task. One that was given a
    /// connection in the meantime stays, unless its task has ended already.
    pub(super) fn vacate(&self, mailbox: &Arc<Mailbox>) {
        let mut places = self.placement.places.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |place: &Place| Arc::ptr_eq(&place.mailbox, mailbox);
        let Some(index) = places.iter().position(|place| is_it(place) && (place.taken == 0 || mailbox.is_closed()))
        else {
            return;
        };
        places.swap_remove(index);
        self.environment.local.remove_instance(&self.name, mailbox);
    }
}

/// The index of the instance to use, or none for a new one.
fn choose(taken: &[usize], capacity: usize, cores: usize) -> Option<usize> {
    let with_room = taken.iter().enumerate().filter(|(_, taken)| **taken < capacity);
    if taken.len() <= cores {
        let (index, least) = with_room.min_by_key(|(_, taken)| **taken)?;
        let spread = taken.len() < cores && *least >= CROWD;
        return (!spread).then_some(index);
    }
    with_room.max_by_key(|(_, taken)| **taken).map(|(index, _)| index)
}

/// A connection's place in an instance, given back on drop.
pub(crate) struct Seat {
    pub(crate) class: Arc<Class>,
    mailbox: Arc<Mailbox>,
}

impl Seat {
    /// Hands something to the instance.
    pub(crate) fn put(&self, work: Work) {
        self.mailbox.put(work);
    }

    /// Another grip on the same place, for a connection that takes over from one that has ended: what is still to be done for
    /// that one is done before.
    pub(crate) fn again(&self) -> Seat {
        let mut places = self.class.placement.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.iter_mut().find(|place| Arc::ptr_eq(&place.mailbox, &self.mailbox)) {
            place.taken += 1;
        }
        Seat { class: Arc::clone(&self.class), mailbox: Arc::clone(&self.mailbox) }
    }

    /// The instance has ended, and takes nothing any more.
    pub(crate) fn is_over(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// From now on the connection can be reached, though its object is still to be made: what comes meanwhile waits. For an
    /// object that is made at once.
    pub(crate) fn announce(&self, connection: ConnectionId) {
        self.class.environment.local.add_connection(connection, &self.mailbox);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.class.placement.places.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = places.iter_mut().find(|place| Arc::ptr_eq(&place.mailbox, &self.mailbox)) else { return };
        place.taken -= 1;
        let empty = place.taken == 0;
        drop(places);
        if empty {
            self.class.vacate(&self.mailbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CROWD, choose};

    #[test]
    fn cores_first_then_full_instances() {
        assert_eq!(choose(&[], 256, 2), None);
        assert_eq!(choose(&[1], 256, 2), Some(0));
        assert_eq!(choose(&[CROWD], 256, 2), None, "a second core");
        assert_eq!(choose(&[CROWD, 3], 256, 2), Some(1));
        assert_eq!(choose(&[200, 190], 256, 2), Some(1), "evenly");
        assert_eq!(choose(&[256, 256], 256, 2), None);
        assert_eq!(choose(&[256, 256, 7, 99], 256, 2), Some(3), "the fullest beyond");
    }

    #[test]
    fn one_connection_an_instance() {
        assert_eq!(choose(&[1, 1, 1], 1, 2), None);
        assert_eq!(choose(&[1], 1, 1), None);
    }
}
