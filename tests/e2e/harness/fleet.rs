//! Several hosts that are one server to their clients: each with the controllers `probe` and `spare`, joined by a Redis.

use super::guests;
use super::host::{Furnished, TestHost};
use super::redis::RedisServer;
use super::wait::{BOUND, until};
use super::ws::WsClient;
use lakou_host::ConnectionId;

/// A host of a fleet.
pub(crate) fn member(url: &str) -> Furnished {
    TestHost::serving(&["probe"]).file("spare.wasm", guests::renamed("probe", "spare")).redis(url)
}

/// A Redis and so many hosts.
pub(crate) async fn fleet<const COUNT: usize>() -> (RedisServer, [TestHost; COUNT]) {
    let redis = RedisServer::start().await;
    let hosts = members(&redis.url()).await;
    (redis, hosts)
}

/// So many hosts at one Redis.
pub(crate) async fn members<const COUNT: usize>(url: &str) -> [TestHost; COUNT] {
    let mut hosts = Vec::new();
    for _ in 0..COUNT {
        hosts.push(member(url).start().await);
    }
    hosts.try_into().ok().expect("so many were pushed")
}

/// A client of the probe, and its id.
pub(crate) async fn known(host: &TestHost) -> (WsClient, String) {
    let mut client = host.connect("/probe/x").await;
    client.say("id").await;
    let id = client.hear_text().await;
    (client, id)
}

/// The stream of the server that holds a connection.
pub(crate) fn stream_of(id: &str) -> String {
    let id: ConnectionId = id.parse().expect("the id of a connection");
    format!("lakou:server:{{{}}}", id.server())
}

/// How many entries a stream has ever had.
pub(crate) async fn entries_added(redis: &RedisServer, stream: &str) -> u64 {
    let info = redis.cli(&["XINFO", "STREAM", stream]).await;
    let mut words = info.lines().skip_while(|line| *line != "entries-added");
    words.nth(1).unwrap_or_else(|| panic!("no entries-added in {info}")).parse().expect("a number")
}

/// Waits until so many servers listen to a topic.
pub(crate) async fn listened_to(redis: &RedisServer, topic: &str, servers: usize) {
    let channel = format!("lakou:topic:{topic}");
    until(BOUND, &format!("{servers} servers listen to {topic}"), async || {
        redis.cli(&["PUBSUB", "NUMSUB", &channel]).await == format!("{channel}\n{servers}")
    })
    .await;
}

/// All keys of the application, sorted.
pub(crate) async fn keys(redis: &RedisServer) -> Vec<String> {
    let told = redis.cli(&["KEYS", "lakou:*"]).await;
    let mut keys: Vec<String> = told.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    keys.sort();
    keys
}
