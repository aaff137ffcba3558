//! A controller object's grip on its own connection.

use std::time::Duration;

use crate::connect::ConnectOptions;
use crate::event::Event;
use crate::fault::Result;
use crate::id::ConnectionId;
use crate::identity::IdentityOptions;
use crate::message::Outgoing;
use crate::platform;
use crate::saved::Saved;
use crate::timer::Timer;

/// One living WebSocket, handed to [`Controller::open`](crate::Controller::open) and kept as a field.
///
/// Dropping it neither closes nor keeps open the connection. No method waits for the network, but for
/// [`register_as`](Self::register_as) and [`unregister`](Self::unregister), which wait for the store of identities.
#[derive(Debug)]
pub struct Socket {
    platform: platform::Socket,
}

impl Socket {
    pub(crate) fn new(platform: platform::Socket) -> Self {
        Self { platform }
    }

    /// The connection's address; it stays the same for the whole of its life.
    pub fn id(&self) -> ConnectionId {
        self.platform.id()
    }

    /// Queues a message for the client, first in, first out. `Ok` says that it is queued, not that it has arrived.
    ///
    /// # Errors
    ///
    /// - [`Fault::TooLarge`](crate::Fault::TooLarge): the message alone is over the outbox limit.
    /// - [`Fault::Gone`](crate::Fault::Gone): the connection is closing or closed. A client too slow for its outbox is
    ///   closed with 3008 by the `send` that overflows it.
    /// - [`Fault::Invalid`](crate::Fault::Invalid): it is a service's, and there is nobody to send to.
    pub fn send<'a>(&self, message: impl Into<Outgoing<'a>>) -> Result {
        self.platform.send(&message.into())
    }

    /// Sends what is queued, then closes; [`Controller::close`](crate::Controller::close) follows. The first close wins,
    /// later ones and later sends do nothing.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid): the code is not one of 1000 to 1003, 1007 to 1014, 3000 to 4999, or
    /// the reason is over 123 bytes. Codes from 4000 are the application's own.
    pub fn close(&self, code: u16, reason: &str) -> Result {
        self.platform.close(code, reason)
    }

    /// Keeps `state` for [`Controller::resume`](crate::Controller::resume), in the place of what was kept before: outside of
    /// the sandbox, on this server, for as long as the connection lives. Save after each change that must not be lost.
    ///
    /// ```
    /// # use lakou_sdk::{Result, Saved, Socket};
    /// # fn save(socket: &Socket, game: &(u32, u32)) -> Result {
    /// socket.save(Saved::json(game)?)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Fault::TooLarge`](crate::Fault::TooLarge): over 64 KiB, by default; what was kept before still is.
    /// - [`Fault::Invalid`](crate::Fault::Invalid): the controller has no `resume`.
    /// - [`Fault::Gone`](crate::Fault::Gone): the connection is closing or closed.
    pub fn save(&self, state: impl Into<Saved>) -> Result {
        self.platform.save(&state.into())
    }

    /// Calls the method that has the event's name on this connection, in `time` or a little later. The timer ends when it is
    /// dropped, and with the connection or its object.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use lakou_sdk::{Controller, Request, Result, Socket, Timer, controller};
    ///
    /// struct Greeter {
    ///     socket: Socket,
    ///     greeting: Option<Timer>,
    /// }
    ///
    /// #[controller]
    /// impl Controller for Greeter {
    ///     fn open(socket: Socket, _request: Request) -> Self {
    ///         let greeting = socket.after(Duration::from_secs(5), GreeterEvents::greet("you"));
    ///         Self { socket, greeting: greeting.ok() }
    ///     }
    ///
    ///     #[event]
    ///     fn greet(&mut self, whom: &str) -> Result {
    ///         self.socket.send(format!("hello {whom}"))
    ///     }
    ///
    ///     #[client]
    ///     fn enough(&mut self) {
    ///         self.greeting = None;
    ///     }
    /// }
    ///
    /// # use lakou_sdk::{json, testing::Host};
    /// let host = Host::new();
    /// let [ann, ben] = [(), ()].map(|()| host.connect::<Greeter>("/greeter").expect("open to all"));
    /// ben.call("enough", json!({}));
    /// host.advance(Duration::from_secs(5));
    /// assert_eq!((ann.texts(), ben.texts()), (vec!["hello you".to_owned()], vec![]));
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Fault::Invalid`](crate::Fault::Invalid): `time` is over a year; or the event's name is empty or over 256 bytes.
    /// - [`Fault::TooLarge`](crate::Fault::TooLarge): the event is over its limit.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): the connection has as many timers as it may have, 64 by default.
    /// - [`Fault::Gone`](crate::Fault::Gone): the connection is closing or closed.
    pub fn after(&self, time: Duration, event: Event) -> Result<Timer> {
        self.platform.after(time, &event).map(Timer::new)
    }

    /// As [`after`](Self::after), again and again, `interval` from one time to the next. A time that comes while the event
    /// of the one before still waits is left out.
    ///
    /// # Errors
    ///
    /// As for [`after`](Self::after); an interval under 10 milliseconds is [`Fault::Invalid`](crate::Fault::Invalid), too.
    pub fn every(&self, interval: Duration, event: Event) -> Result<Timer> {
        self.platform.every(interval, &event).map(Timer::new)
    }

    /// From now on the client gets what is published on `topic`, straight from the host. A topic is 1 to 256 bytes
    /// without `*` (there are no patterns) and belongs to the whole application.
    ///
    /// # Errors
    ///
    /// - [`Fault::Invalid`](crate::Fault::Invalid): not a topic; or it is a service's, and there is no client.
    /// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["topic:NAME"]`); topics that
    ///   begin with the controller's name need no grant.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): the connection has as many topics as it may have; or the
    ///   controller has asked the store and subscribed as often in this second as it may (`store-rate`).
    pub fn subscribe(&self, topic: &str) -> Result {
        self.platform.subscribe(topic)
    }

    /// The end of a subscription; what is on its way may still arrive. Not subscribed: nothing happens. It counts against
    /// `store-rate`, and is done however often it is called.
    pub fn unsubscribe(&self, topic: &str) {
        self.platform.unsubscribe(topic);
    }

    /// From now on this connection is one of `identity`: what is [notified](crate::messaging::notify) to it calls a method
    /// here. What waits in its mailbox, handled by nobody, comes first, in order. An identity is 1 to 256 bytes and belongs
    /// to the whole application.
    ///
    /// The newest win: beyond [`max_connections`](IdentityOptions::max_connections) the oldest registrations end, and
    /// [`Controller::replaced`](crate::Controller::replaced) is called there. To register again makes this registration
    /// the newest, with new options. The end of the connection ends the registration, not the identity.
    ///
    /// ```
    /// # use lakou_sdk::{IdentityOptions, Result, Socket};
    /// # fn register(socket: &Socket) -> Result {
    /// socket.register_as("user:42", IdentityOptions::new().max_connections(2))
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Fault::Invalid`](crate::Fault::Invalid): not an identity, or no connection is allowed.
    /// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["identity:NAME"]`); identities
    ///   that begin with the controller's name need no grant.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): the connection has as many identities as it may have; or the
    ///   store is away, and whether the connection is registered is not known.
    /// - [`Fault::Gone`](crate::Fault::Gone): the connection is closing or closed.
    pub fn register_as(&self, identity: &str, options: IdentityOptions) -> Result {
        self.platform.register_as(identity, &options)
    }

    /// The end of a registration; a notification on its way may still come. The identity stays, with its mailbox, until its
    /// lifetime has passed. Not registered: nothing happens.
    ///
    /// # Errors
    ///
    /// - [`Fault::Invalid`](crate::Fault::Invalid): not an identity.
    /// - [`Fault::Denied`](crate::Fault::Denied): as for [`register_as`](Self::register_as).
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): the store is away; the registration may still hold. Or
    ///   the controller is over its `store-rate`, and it does.
    /// - [`Fault::Gone`](crate::Fault::Gone): the connection is closing or closed, and with it the registration.
    pub fn unregister(&self, identity: &str) -> Result {
        self.platform.unregister(identity)
    }

    /// Opens a WebSocket to a server elsewhere, `ws://` or `wss://`, and gives the id of it. The operator grants where to:
    /// `websocket = ["wss://feed.example.org"]` in the controller's table of `lakou.toml`.
    ///
    /// It is a connection of this controller like any other: [`Controller::open`](crate::Controller::open) makes its object,
    /// whose [`Request::peer`](crate::Request::peer) is [`Peer::Server`](crate::Peer), what the server sends are its messages,
    /// and it can be reached by its id. It ends with the connection that has opened it, at the latest.
    ///
    /// This waits until the server has agreed, which counts as time of the call, and the connections of this sandbox wait, too.
    /// With [`ConnectOptions::reconnect`](crate::ConnectOptions::reconnect) it does not wait: the host connects, again and
    /// again, each time with a new object under the same id, until the object itself closes.
    ///
    /// ```
    /// use lakou_sdk::{ConnectOptions, Controller, Message, Peer, Request, Result, Socket, controller, messaging};
    ///
    /// /// What a feed says goes to all who are subscribed.
    /// enum Prices {
    ///     Service,
    ///     Feed,
    /// }
    ///
    /// #[controller(service)]
    /// impl Controller for Prices {
    ///     fn open(socket: Socket, request: Request) -> Self {
    ///         if request.peer() == Peer::Server {
    ///             return Self::Feed;
    ///         }
    ///         socket.connect("wss://feed.example.org/prices", ConnectOptions::new().reconnect()).expect("it is granted");
    ///         Self::Service
    ///     }
    ///
    ///     fn message(&mut self, message: Message) -> Result {
    ///         messaging::publish("prices", &message)
    ///     }
    /// }
    ///
    /// # use lakou_sdk::testing::Host;
    /// let host = Host::new();
    /// let server = host.serve("wss://feed.example.org/prices");
    /// host.start::<Prices>();
    /// assert_eq!(server.connections().len(), 1);
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Fault::Denied`](crate::Fault::Denied): the server is not granted, or the address that it is at.
    /// - [`Fault::Invalid`](crate::Fault::Invalid): not such a URL; or header fields or subprotocols that can not be sent.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): out of reach, late, not trusted, or it does not agree; or the
    ///   controller has as many such connections as it may have, 64 by default.
    /// - [`Fault::Gone`](crate::Fault::Gone): this connection is closing or closed.
    pub fn connect(&self, url: &str, options: ConnectOptions) -> Result<ConnectionId> {
        self.platform.connect(url, &options)
    }

    /// The end of [`connect`](Self::connect), and of its reconnecting: an open connection is closed with 1000. Nothing happens
    /// if there is no such connection of this controller on this server.
    pub fn disconnect(&self, id: &ConnectionId) {
        self.platform.disconnect(id);
    }

    /// Sends an event to every *other* connection of this controller, on every server. `Ok` says that it is on its way:
    /// while the other servers are out of reach, a bounded backlog keeps it for them.
    ///
    /// # Errors
    ///
    /// - [`Fault::TooLarge`](crate::Fault::TooLarge), [`Fault::Invalid`](crate::Fault::Invalid): the event is over its
    ///   limit, or its name is empty or over 256 bytes.
    /// - [`Fault::Unavailable`](crate::Fault::Unavailable): queues are full, and some receivers may have it; or the other
    ///   servers are out of reach and the backlog is full, and the connections of this server have it; or the controller has
    ///   emitted as often in this second as it may, and nobody has it.
    pub fn broadcast(&self, event: Event) -> Result {
        self.platform.broadcast(&event)
    }

    /// Sends an event to every *other* connection of every controller, on every server. A class without such a method
    /// ignores it.
    ///
    /// # Errors
    ///
    /// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted it (`messaging = ["all"]`).
    /// - The others as for [`broadcast`](Self::broadcast).
    pub fn multicast(&self, event: Event) -> Result {
        self.platform.multicast(&event)
    }

    /// Sends an event to one connection, of whatever controller, on whatever server. If `target` or its server has ended,
    /// [`Controller::undelivered`](crate::Controller::undelivered) is called, later.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`](crate::Fault::Invalid) if `target` is not an id of a connection; the others as for
    /// [`broadcast`](Self::broadcast), and `target` does not get the event.
    pub fn unicast(&self, target: &ConnectionId, event: Event) -> Result {
        self.platform.unicast(target, &event)
    }
}
