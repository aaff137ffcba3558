//! The fake host's side of connections to servers elsewhere: which servers there are, who has opened what, and what is to be
//! opened again.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::{Action, Line, Yard};
use crate::closing::Closing;
use crate::connect::ConnectOptions;
use crate::fault::{Fault, Result};
use crate::id::ConnectionId;
use crate::request::{Peer, Request};
use crate::testing::rules;

/// How long a lost connection waits, at least.
const WAIT: Duration = Duration::from_secs(1);

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Outward {
    /// By URL, and whether they are there.
    servers: BTreeMap<String, bool>,
    dialled: BTreeMap<ConnectionId, Dialled>,
}

#[derive(Debug)]
struct Dialled {
    owner: ConnectionId,
    url: String,
    options: ConnectOptions,
    /// When it is to be opened again.
    due: Option<Duration>,
}

impl Yard {
    pub(in crate::testing) fn set_server(&self, url: &str, is_there: bool) {
        self.outward.borrow_mut().servers.insert(url.to_owned(), is_there);
    }

    pub(in crate::testing) fn connected_to(&self, url: &str) -> Vec<ConnectionId> {
        let outward = self.outward.borrow();
        let here = outward.dialled.iter().filter(|(_, dialled)| dialled.url == url && dialled.due.is_none());
        here.map(|(id, _)| id.clone()).filter(|id| self.is_alive(id)).collect()
    }

    /// Opens a connection. Its object is made when the call that wanted it has returned.
    pub(in crate::testing) fn connect(
        &self,
        owner: &ConnectionId,
        url: &str,
        options: &ConnectOptions,
    ) -> Result<ConnectionId> {
        let denied = || Fault::Denied("no such server: `testing::Host::serve` makes one".to_owned());
        let is_there = self.outward.borrow().servers.get(url).copied().ok_or_else(denied)?;
        if !self.is_alive(owner) {
            return Err(Fault::Gone);
        }
        rules::outgoing::outward(self.opened_by(self.class_name(owner)))?;
        if !is_there && !options.reconnect {
            return Err(Fault::Unavailable("the server is gone".to_owned()));
        }
        let id = self.next_id();
        let (url, options, owner) = (url.to_owned(), options.clone(), owner.clone());
        let due = (!is_there).then(|| self.now() + WAIT);
        self.outward.borrow_mut().dialled.insert(id.clone(), Dialled { owner, url, options, due });
        let mut line = self.line(&id)?;
        if !is_there {
            line.closing = Some(Closing::new(1006, "not connected"));
        }
        self.lines.borrow_mut().insert(id.clone(), line);
        if is_there {
            self.queue(Action::Open { id: id.clone() });
        }
        Ok(id)
    }

    /// How many connections the controller `class` has opened, those included that are to be opened again.
    fn opened_by(&self, class: &str) -> usize {
        let outward = self.outward.borrow();
        outward.dialled.values().filter(|dialled| self.class_name(&dialled.owner) == class).count()
    }

    /// A connection is not wanted any more.
    pub(in crate::testing) fn disconnect(&self, id: &ConnectionId) {
        if self.let_go(id) {
            self.close(id, Closing::new(1000, ""));
        }
    }

    /// A connection is not to be opened again; whether it was one to a server.
    pub(in crate::testing) fn let_go(&self, id: &ConnectionId) -> bool {
        self.outward.borrow_mut().dialled.remove(id).is_some()
    }

    /// No connection is opened again.
    pub(in crate::testing) fn give_up_servers(&self) {
        self.outward.borrow_mut().dialled.clear();
    }

    /// Opens again what was lost long enough ago, if its server is there.
    pub(in crate::testing) fn reconnect(self: &Rc<Self>) {
        let now = self.now();
        let mut back = Vec::new();
        {
            let mut outward = self.outward.borrow_mut();
            let Outward { servers, dialled } = &mut *outward;
            for (id, dialled) in dialled.iter_mut().filter(|(_, dialled)| dialled.due.is_some_and(|due| due <= now)) {
                if servers.get(&dialled.url) == Some(&true) {
                    dialled.due = None;
                    back.push(id.clone());
                } else {
                    dialled.due = Some(now + WAIT);
                }
            }
        }
        for id in back {
            if let Ok(line) = self.line(&id) {
                self.lines.borrow_mut().insert(id.clone(), line);
                self.act(Action::Open { id });
            }
        }
    }

    /// A connection has ended; if it is one to a server, it may be opened again.
    pub(super) fn lost(&self, id: &ConnectionId) {
        let now = self.now();
        let mut outward = self.outward.borrow_mut();
        if let Some(dialled) = outward.dialled.get_mut(id) {
            if dialled.options.reconnect {
                dialled.due = Some(now + WAIT);
            } else {
                outward.dialled.remove(id);
            }
        }
    }

    /// What `owner` has opened ends with it.
    pub(super) fn disown(&self, owner: &ConnectionId) {
        let outward = self.outward.borrow();
        let own = outward.dialled.iter().filter(|(_, dialled)| dialled.owner == *owner);
        let own: Vec<ConnectionId> = own.map(|(id, _)| id.clone()).collect();
        drop(outward);
        for id in own {
            self.let_go(&id);
            self.close(&id, Closing::new(1001, ""));
        }
    }

    fn line(&self, id: &ConnectionId) -> Result<Line> {
        let outward = self.outward.borrow();
        let Dialled { owner, url, options, .. } = outward.dialled.get(id).ok_or(Fault::Gone)?;
        let behind = url.split_once("://").and_then(|(_, rest)| rest.find(['/', '?']).map(|at| &rest[at..]));
        let request = Request {
            peer: Peer::Server,
            params: options.params.clone(),
            subprotocols: options.subprotocols.first().cloned().into_iter().collect(),
            ..Request::get(behind.unwrap_or("/"))
        };
        Ok(Line::new(self.seats(owner), request))
    }
}
