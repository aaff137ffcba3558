//! Components that try what they must not be able to do, each scenario named after what that is. For each: the limit that
//! stops it, by its count and its line in the log, and that a round trip of another controller takes as long as usual.
//!
//! `calls` do not come back, `hoards` and `floods` never have enough, `handshakes` answer what no client should see, `files`
//! are no good from the start, and `backoff` has controllers that fail again and again; `faults` are the failures of an honest guest,
//! `memory` is what a guest produces without end, and `kept_sockets` outlive their connections. What a toolchain makes is one guest
//! (`tests/guests/hostile`), mounted under the name of the scenario; what none makes is in `harness/components`.

use crate::harness::bystander::Bystander;
use crate::harness::host::TestHost;
use crate::harness::ws::WsClient;
use crate::harness::{guests, logs, wasm};
use lakou_host::Config;
use std::time::Duration;

mod backoff;
mod calls;
mod faults;
mod files;
mod floods;
mod handshakes;
mod hoards;
mod kept_sockets;
mod memory;

/// The name that the hostile guest comes with.
const PLACEHOLDER: &str = "hostile-under-the-name-of-its-scenario";

/// The hostile guest under the name of a scenario.
fn guest(name: &str) -> Vec<u8> {
    guests::under_the_name(&guests::wasm("hostile"), PLACEHOLDER, name)
}

/// A component that came without a name, under the name of a scenario.
fn named(name: &str, component: &[u8]) -> Vec<u8> {
    wasm::with_defaults(component, &format!(r#"{{"version":1,"name":"{name}","path":"/hostile/{{deed}}"}}"#))
}

/// A host with a hostile controller, an echo, and somebody who talks to the echo.
struct Scene {
    name: String,
    host: TestHost,
    bystander: Bystander,
}

impl Scene {
    /// With the hostile guest, mounted as `name`.
    async fn new(name: &str) -> Self {
        Scene::with(name, |_| ()).await
    }

    /// As `new`, with other settings.
    async fn with(name: &str, change: impl FnOnce(&mut Config)) -> Self {
        Scene::of(name, guest(name), change).await
    }

    /// With a component that no toolchain makes.
    async fn made(name: &str, component: &[u8]) -> Self {
        Scene::of(name, named(name, component), |_| ()).await
    }

    /// With any file.
    async fn of(name: &str, file: Vec<u8>, change: impl FnOnce(&mut Config)) -> Self {
        logs::collect();
        let host = TestHost::serving(&["echo"]).file("hostile.wasm", file).config(change).start().await;
        let bystander = Bystander::of(&host).await;
        Scene { name: name.to_owned(), host, bystander }
    }

    async fn connect(&self, deed: &str) -> WsClient {
        self.host.connect(&format!("/hostile/{deed}")).await
    }

    /// A client says `go`; the connection must end with `code` for it.
    async fn ends(&mut self, deed: &str, code: u16) {
        let mut client = self.connect(deed).await;
        let ended = async {
            client.say("go").await;
            client.expect_close(code).await;
        };
        self.bystander.meanwhile(deed, ended).await;
    }

    /// A client says `go`; the connection lives, and the guest says how it went.
    async fn says(&mut self, deed: &str) -> String {
        let mut client = self.connect(deed).await;
        let going = async {
            client.say("go").await;
            let said = client.hear_text().await;
            client.exchange("it goes on", "it goes on").await;
            said
        };
        self.bystander.meanwhile(deed, going).await
    }

    /// A handshake must be answered with `status`, which is not 101.
    async fn refused(&mut self, deed: &str, status: u16) {
        let knock = self.host.knock(&format!("/hostile/{deed}"));
        self.bystander.meanwhile(deed, knock.refused(status)).await;
    }

    /// A plain request must be answered with `status`.
    async fn answers(&mut self, deed: &str, status: u16) {
        let asking = self.host.ask("GET", &format!("/hostile/{deed}"));
        let answer = self.bystander.meanwhile(deed, asking.get()).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }

    /// How often the controller has hit the limit of this name.
    fn hits(&self, limit: &str) -> u64 {
        self.host.counted().limits.get(&self.name).and_then(|hits| hits.get(limit)).copied().unwrap_or_default()
    }

    /// It has hit the limit: there is a count of it, and one line in the log.
    async fn stopped_by(&self, limit: &str) {
        let what = format!("{} hits {limit}; it has hit {:?}", self.name, self.host.counted().limits);
        self.host.counts(&what, |_| self.hits(limit) > 0).await;
        let line = [format!("controller {}: limit `{limit}`: ", self.name)];
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        logs::expect(&words).await;
        assert_eq!(logs::with(&words).len(), 1, "one line, however often: {:?}", logs::with(&words));
    }

    /// The host says so, of this controller.
    async fn logs(&self, words: &str) {
        logs::expect(&[&self.name, words]).await;
    }

    /// The host has nothing of it any more, and takes new ones.
    async fn leaves_nothing(self) {
        self.host.counts("nothing is left of it", |counted| counted.connections == 1).await;
        self.connect("nothing").await.exchange("as if nothing had been", "as if nothing had been").await;
    }
}

/// A time that ends soon, for a test that waits for it.
const SOON: Duration = Duration::from_millis(300);
