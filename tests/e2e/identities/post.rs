//! A client of the guest `postbox`: what scenarios of identities say and expect.

use crate::harness::host::{Furnished, TestHost};
use crate::harness::ws::WsClient;
use std::net::SocketAddr;
use std::time::Duration;

/// An open connection to a `postbox`.
pub(super) struct Post {
    pub(super) client: WsClient,
}

/// A host that will serve postboxes. Lifetimes may be as short as a second.
pub(super) fn office() -> Furnished {
    TestHost::serving(&["postbox"]).config(|config| config.shortest_lifetime = Duration::from_secs(1))
}

impl Post {
    pub(super) async fn at(host: &TestHost) -> Post {
        Post::with(host, "").await
    }

    /// With a query for the handshake.
    pub(super) async fn with(host: &TestHost, query: &str) -> Post {
        Post { client: host.connect(&format!("/postbox/x?{query}")).await }
    }

    /// Of the server at `address`.
    pub(super) async fn of(address: SocketAddr) -> Post {
        Post { client: crate::harness::binary::connect(address, "/postbox/x").await }
    }

    /// A connection that is registered as `name`, alone unless there is more in `name`: how many may be, and how many
    /// seconds the identity lives.
    pub(super) async fn registered(host: &TestHost, name: &str) -> Post {
        let mut post = Post::at(host).await;
        post.ok(&format!("register {name}")).await;
        post
    }

    /// Gives a command that is done.
    pub(super) async fn ok(&mut self, command: &str) {
        self.answered(command, "ok").await;
    }

    /// Notifies somebody who is known.
    pub(super) async fn notify(&mut self, name: &str, text: &str) {
        self.answered(&format!("notify {name} {text}"), "true").await;
    }

    pub(super) async fn answered(&mut self, command: &str, answer: &str) {
        self.client.say(command).await;
        assert_eq!(self.client.hear_text().await, answer, "to {command}");
    }

    /// Gives a command and expects an answer that begins so.
    pub(super) async fn answered_so(&mut self, command: &str, beginning: &str) {
        self.client.say(command).await;
        let answer = self.client.hear_text().await;
        assert!(answer.starts_with(beginning), "{answer} and not {beginning}... to {command}");
    }

    /// Expects a notification, and gives its id.
    pub(super) async fn told(&mut self, name: &str, text: &str) -> u64 {
        let heard = self.client.hear_text().await;
        let (id, told) = split(&heard, name).unwrap_or_else(|| panic!("{heard} is no notification of {name}"));
        assert_eq!(told, text, "a notification of {name}");
        id
    }

    /// Expects the notifications of `count NAME FROM..=TO`.
    pub(super) async fn counted(&mut self, name: &str, numbers: std::ops::RangeInclusive<u32>) {
        for number in numbers {
            self.told(name, &format!("number {number}")).await;
        }
    }

    /// Nothing else has come.
    pub(super) async fn quiet(&mut self) {
        self.answered("echo silence", "silence").await;
    }
}

/// The id and the text of what a postbox says of a notification for `name`.
pub(super) fn split<'h>(heard: &'h str, name: &str) -> Option<(u64, &'h str)> {
    let (id, text) = heard.strip_prefix(name)?.strip_prefix(' ')?.split_once(' ')?;
    Some((id.parse().ok()?, text))
}

/// Waits until the host has noted so many notifications as handled; until then they may come again.
pub(super) async fn noted(host: &TestHost, count: u64) {
    host.counts("handled notifications are noted", |counted| counted.notifications_handled == count).await;
}

/// Whether there is such an identity, asked by a plain request.
pub(super) async fn is_known(host: &TestHost, name: &str) -> bool {
    let answer = host.ask("GET", &format!("/postbox/registered?{name}")).get().await;
    match answer.text().as_str() {
        "true" => true,
        "false" => false,
        other => panic!("registered: {other}"),
    }
}

/// Notifies by a plain request.
pub(super) async fn post(host: &TestHost, name: &str, text: &str) -> String {
    host.ask("POST", &format!("/postbox/notify?{name}")).body(text).get().await.text()
}
