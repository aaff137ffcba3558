//! The fake host as a test holds it: connecting, emitting from outside, and what was reported.

use std::rc::Rc;
use std::time::Duration;

use super::client::Client;
use super::server::Server;
use super::services::Answer;
use super::yard::{Action, Misfit, Target, Yard};
use super::{path, rules};
use crate::class::Class;
use crate::closing::Closing;
use crate::event::Event;
use crate::id::ConnectionId;
use crate::message::Message;
use crate::request::{Acceptance, Refusal, Request};

/// A host of one test, with its connections.
#[derive(Debug, Default)]
pub struct Host {
    yard: Rc<Yard>,
}

impl Host {
    /// A host without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Connects a client to the controller `C`. The request is a path with a query, or a [`Request`]; the parameters of
    /// the path pattern are filled in.
    ///
    /// # Errors
    ///
    /// The refusal of [`Controller::connect`](crate::Controller::connect), or 500 where the host can not give the answer that
    /// it was: the body, and the log, say what is wrong with it.
    ///
    /// # Panics
    ///
    /// If the path does not fit the controller's pattern: no client would get there.
    pub fn connect<C: Class>(&self, request: impl Into<Request>) -> Result<Client, Refusal> {
        let mut request = request.into();
        let pattern = C::PATH.unwrap_or_else(|| panic!("`{}` is a service and has no path", C::NAME));
        request.params = path::params(pattern, &request.path)
            .unwrap_or_else(|| panic!("`{}` is not on the path `{pattern}` of `{}`", request.path, C::NAME));
        if let Err(wrong) = rules::answers::request(&request) {
            return Err(Refusal::new(400, wrong));
        }
        let answer = self.yard.enter(C::NAME, || C::connect(&request));
        self.yard.settle();
        let checked = match &answer {
            Ok(acceptance) => rules::answers::acceptance(&request, acceptance),
            Err(refusal) => rules::answers::refusal(refusal),
        };
        if let Err(wrong) = checked {
            self.yard.warn(&format!("500: {wrong}"));
            return Err(Refusal::new(500, wrong));
        }
        let acceptance = answer?;
        let id = self.yard.open::<C>(request);
        Ok(Client::new(Rc::clone(&self.yard), id, acceptance))
    }

    /// Starts the service `C`, as a server does when it starts. What is given stands for its object; there is no client to send
    /// anything, or to receive it.
    ///
    /// # Panics
    ///
    /// If the controller is no service.
    pub fn start<C: Class>(&self) -> Client {
        assert!(C::SERVICE, "`{}` is no service: #[controller(service)]", C::NAME);
        let id = self.yard.open::<C>(Request::of_nobody());
        Client::new(Rc::clone(&self.yard), id, Acceptance::new())
    }

    /// From now on there is a server elsewhere, at this URL, which controllers may connect to; it agrees to everything, and
    /// chooses the first subprotocol that is offered. Connections to other URLs are [`Fault::Denied`](crate::Fault::Denied).
    pub fn serve(&self, url: &str) -> Server {
        self.yard.set_server(url, true);
        Server::new(Rc::clone(&self.yard), url)
    }

    /// What the controller `C` answers to a plain HTTP request; the host answers with 413 for it where the body is over 8 MiB.
    pub fn http<C: Class>(&self, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        if request.body().len() > rules::LARGEST_BODY {
            let mut response = http::Response::new(b"the body is too large\n".to_vec());
            *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
            return response;
        }
        let response = self.yard.enter(C::NAME, || C::http(request));
        self.yard.settle();
        response
    }

    /// Sends an event to every connection of every controller, as another server would.
    pub fn multicast(&self, event: Event) {
        self.yard.act(Action::Deliver { from: None, to: Target::All, event });
    }

    /// Sends an event to every connection of the controllers that have this name, as another server would.
    pub fn broadcast(&self, controller: &str, event: Event) {
        self.yard.act(Action::Deliver { from: None, to: Target::Class(controller.to_owned()), event });
    }

    /// Sends an event to one connection, as another server would.
    pub fn unicast(&self, target: &ConnectionId, event: Event) {
        self.yard.act(Action::Deliver { from: None, to: Target::One(target.clone()), event });
    }

    /// Sends a message to the subscribers of `topic`, as another server would.
    pub fn publish(&self, topic: &str, message: impl Into<Message>) {
        self.yard.publish(topic, &message.into());
    }

    /// Sends an event to an identity, as another server would; `false` if there is no such identity.
    pub fn notify(&self, identity: &str, event: Event) -> bool {
        let stored = self.yard.notify(identity, event);
        self.yard.settle();
        stored
    }

    /// The notification of `identity` that was handled last comes again, under the same id, to all connections that are
    /// registered now: as after the end of a server that did not live to note that it was handled.
    ///
    /// # Panics
    ///
    /// If no notification of `identity` was handled.
    pub fn repeat_notification(&self, identity: &str) {
        self.yard.repeat_notification(identity);
    }

    /// What waits in the mailbox of `identity`; empty if there is no such identity.
    pub fn mailbox(&self, identity: &str) -> Vec<Event> {
        self.yard.mailbox(identity)
    }

    /// Whether there is such an identity, with a connection or without.
    pub fn registered(&self, identity: &str) -> bool {
        self.yard.is_identity(identity)
    }

    /// The lifetime of `identity` passes, which it never does by itself: its registrations and its mailbox are gone.
    pub fn lapse(&self, identity: &str) {
        self.yard.lapse(identity);
    }

    /// From now on the store of identities is out of reach: what needs it is
    /// [`Fault::Unavailable`](crate::Fault::Unavailable), and no notification is handed out.
    pub fn lose_store(&self) {
        self.yard.set_store_away(true);
    }

    /// The store is back, and with it what other servers have notified meanwhile.
    pub fn regain_store(&self) {
        self.yard.set_store_away(false);
    }

    /// Moves the clock: timers that come due until then call their methods, in the order of their times. Then connections to
    /// servers are opened again that were lost a second ago or before. The clock stands still otherwise.
    pub fn advance(&self, time: Duration) {
        self.yard.advance(time);
    }

    /// The objects of the controller `C` are gone without another call, as after the failure of another connection, and are
    /// made anew by [`Controller::resume`](crate::Controller::resume). Connections without saved state are closed with 1012.
    pub fn restart_instance<C: Class>(&self) {
        self.yard.restart::<C>();
    }

    /// The objects of the controller `C` are saved by [`Controller::suspend`](crate::Controller::suspend), dropped, and made
    /// anew by [`Controller::resume`](crate::Controller::resume). `false`: nothing has happened, because one of them has a timer
    /// or nothing to save, or the controller has no `resume`.
    pub fn hibernate<C: Class>(&self) -> bool {
        self.yard.hibernate::<C>()
    }

    /// What the operator has written for the controllers: `value` under `key`.
    pub fn configure(&self, key: &str, value: &str) {
        self.yard.services().config.borrow_mut().insert(key.to_owned(), value.to_owned());
    }

    /// The value of a key in the bucket; `None`: there is none, or it has lapsed.
    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.yard.services().values.borrow().get(key, self.yard.now()).map(<[u8]>::to_vec)
    }

    /// Sets a value in the bucket, as another server would.
    pub fn set_value(&self, key: &str, value: impl AsRef<[u8]>) {
        self.yard.services().values.borrow_mut().set(key, value.as_ref(), None);
    }

    /// From now on this answers the requests that controllers send, with a response, or with the fault that there is instead
    /// of one. Without it they are [`Fault::Denied`](crate::Fault::Denied).
    ///
    /// ```
    /// use lakou_sdk::{Fault, http, testing::Host};
    ///
    /// let host = Host::new();
    /// host.answer_outgoing(|_| http::Response::new(b"sunny".to_vec()));
    /// host.answer_outgoing(|request| match request.uri().path() {
    ///     "/today" => Ok(http::Response::new(b"sunny".to_vec())),
    ///     _ => Err(Fault::Unavailable("no answer".to_owned())),
    /// });
    /// ```
    pub fn answer_outgoing<A: Answer>(&self, answer: impl Fn(http::Request<Vec<u8>>) -> A + 'static) {
        *self.yard.services().answer.borrow_mut() = Some(Rc::new(move |request| answer(request).into_result()));
    }

    /// From now on the operator does not grant this: `all`, `controller:NAME`, `topic:NAME` or `identity:NAME`, with `*` for
    /// any end of it. Who is addressed all the same is [`Fault::Denied`](crate::Fault::Denied). Without it everybody may be,
    /// and a controller's own always may: what bears its name, or begins with it and `:` or `/`.
    pub fn deny(&self, addressee: &str) {
        self.yard.services().grants.deny(addressee);
    }

    /// From now on controllers have emitted, notified and published as often in this second as they may: once more is
    /// [`Fault::Unavailable`](crate::Fault::Unavailable), and nobody has it.
    pub fn refuse_events(&self) {
        self.yard.services().emitted_all.set(true);
    }

    /// The second is over, and controllers may emit again.
    pub fn admit_events(&self) {
        self.yard.services().emitted_all.set(false);
    }

    /// Stops: every connection is told, then closed with 1001.
    pub fn shutdown(&self) {
        self.yard.act(Action::Shutdown);
        self.yard.give_up_servers();
        for id in self.yard.alive() {
            self.yard.close(&id, Closing::new(1001, "the server stops"));
        }
        self.yard.settle();
    }

    /// The calls that did not fit a method, so far.
    pub fn misfits(&self) -> Vec<Misfit> {
        self.yard.misfits()
    }

    /// The lines that have been written to the log so far: the errors of handlers, and what the host warns of. They are on
    /// standard error, too.
    pub fn log(&self) -> Vec<String> {
        self.yard.log_lines()
    }
}
