//! How Redis is reached: which node holds a key, one shared connection to each node, and connections of one's own for
//! commands that wait. What is said over them is the matter of those who use it (`bus::redis`, `store::redis`).
//!
//! Nothing here tries again by itself. An error lets go of the connection, and of what is known about nodes, so that the
//! next attempt finds out anew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, Script, ScriptInvocation,
    Value,
};
use tokio::sync::watch;

mod address;
mod error;
mod map;

pub(crate) use self::address::Address;
use self::address::Topology;
use self::error::breaks_the_line;
pub(crate) use self::error::{LinkError, Said};
use self::map::Map;
pub(crate) use self::map::Node;

/// How long a connection may take to come to be, and a command to be answered. A Redis that needs longer is of no use to
/// messages; events wait in the backlog until it is quicker.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The lowest version: scripts whose effects are replicated, `XTRIM MINID`, and years of fixes to both.
const LEAST_VERSION: (u32, u32) = (7, 0);

/// The way to a Redis. Cloning it shares the connections.
#[derive(Clone)]
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    state: Mutex<State>,
    /// Counts the connections after which Redis may have less than before: to another process, or to one whose data came
    /// from another meanwhile. Whoever cares about what may be lost looks again at each.
    epoch: watch::Sender<u64>,
    /// Counts changes of the map: long-lived connections look whether they are still at the right node.
    moved: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    map: Option<Arc<Map>>,
    last_map: Option<Arc<Map>>,
    lines: HashMap<Node, MultiplexedConnection>,
    /// Which process each node was when it was connected to last.
    identities: HashMap<Node, String>,
}

impl Link {
    /// Does not connect yet.
    pub(crate) fn new(address: Address) -> Self {
        if address.uses_tls() {
            // Another part of the process may have installed one; any will do.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let (epoch, moved) = (watch::Sender::new(0), watch::Sender::new(0));
        Link { shared: Arc::new(Shared { address, state: Mutex::default(), epoch, moved }) }
    }

    /// The number of the database.
    pub(crate) fn database(&self) -> i64 {
        self.shared.address.database()
    }

    /// Whether keys are spread over several nodes, so that one command may only name keys of one slot.
    pub(crate) fn is_cluster(&self) -> bool {
        self.shared.address.is_cluster()
    }

    /// Changes whenever Redis may have lost something.
    pub(crate) fn epochs(&self) -> watch::Receiver<u64> {
        self.shared.epoch.subscribe()
    }

    pub(crate) fn epoch(&self) -> u64 {
        *self.shared.epoch.borrow()
    }

    /// Changes when keys may have moved to other nodes.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.shared.moved.subscribe()
    }

    /// Makes sure that the node of `key` is there and can be worked with.
    pub(crate) async fn prove(&self, key: &str) -> Result<(), LinkError> {
        self.line(key).await.map(drop)
    }

    /// Asks the node of `key`.
    pub(crate) async fn query<T: FromRedisValue>(&self, key: &str, command: &Cmd) -> Result<T, LinkError> {
        let (node, mut line) = self.line(key).await?;
        command.query_async(&mut line).await.map_err(|error| self.failed(&node, &error))
    }

    /// Sends a pipeline to the node of `key`; each command's own error is in its place.
    pub(crate) async fn pipeline(
        &self,
        key: &str,
        pipeline: &mut Pipeline,
    ) -> Result<Vec<RedisResult<Value>>, LinkError> {
        let (node, line) = self.line(key).await?;
        self.send(&node, line, pipeline).await
    }

    /// The same, but nothing is sent, and there is no answer, if the epoch is not this one any more.
    pub(crate) async fn pipeline_in(
        &self,
        epoch: u64,
        key: &str,
        pipeline: &mut Pipeline,
    ) -> Result<Option<Vec<RedisResult<Value>>>, LinkError> {
        let (node, line) = self.line(key).await?;
        // The epoch has begun before its connection can be had, so this connection is none of a later one.
        if self.epoch() != epoch {
            return Ok(None);
        }
        self.send(&node, line, pipeline).await.map(Some)
    }

    async fn send(
        &self,
        node: &Node,
        mut line: MultiplexedConnection,
        pipeline: &mut Pipeline,
    ) -> Result<Vec<RedisResult<Value>>, LinkError> {
        let answers: Result<Vec<RedisResult<Value>>, RedisError> =
            pipeline.ignore_errors().query_async(&mut line).await;
        let answers = answers.map_err(|error| self.failed(node, &error))?;
        // One that the whole node gives is a matter of the node, whatever the command.
        if let Some(Err(error)) = answers.iter().find(|answer| answer.as_ref().is_err_and(breaks_the_line)) {
            return Err(self.failed(node, error));
        }
        Ok(answers)
    }

    /// Runs a script whose keys all are in one slot.
    pub(crate) async fn invoke<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<T, LinkError> {
        let give = |invocation: &mut ScriptInvocation<'_>| {
            for argument in arguments {
                invocation.arg(*argument);
            }
        };
        self.call(script, keys, give).await
    }

    /// As [`invoke`](Self::invoke), with arguments of many types.
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        give_arguments: impl Fn(&mut ScriptInvocation<'_>),
    ) -> Result<T, LinkError> {
        let (node, mut line) = self.line(keys.first().copied().unwrap_or_default()).await?;
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(*key);
        }
        give_arguments(&mut invocation);
        invocation.invoke_async(&mut line).await.map_err(|error| self.failed(&node, &error))
    }

    /// A connection of the caller's own to the node of `key`, for commands that are answered within `patience`.
    pub(crate) async fn dial(&self, key: &str, patience: Duration) -> Result<OwnLine, LinkError> {
        let node = self.node(key).await?;
        let line = self.connect(&node, patience).await.map_err(|error| self.failed(&node, &error))?;
        Ok(OwnLine { link: self.clone(), node, line })
    }

    /// A connection of the caller's own to the node of `key`, for subscriptions.
    pub(crate) async fn subscriber(&self, key: &str) -> Result<PubSub, LinkError> {
        let node = self.node(key).await?;
        let client = Client::open(self.shared.address.of(&node)).map_err(|error| self.failed(&node, &error))?;
        match tokio::time::timeout(PATIENCE, client.get_async_pubsub()).await {
            Ok(Ok(pubsub)) => Ok(pubsub),
            Ok(Err(error)) => Err(self.failed(&node, &error)),
            Err(_elapsed) => {
                self.forget(&node);
                Err(LinkError::away(format!("{node} does not answer in time")))
            }
        }
    }

    /// Groups keys by the node that holds them now.
    pub(crate) async fn node(&self, key: &str) -> Result<Node, LinkError> {
        let map = self.map().await?;
        map.node(key).cloned().ok_or_else(|| {
            self.state().map = None;
            LinkError::away("the cluster has no node for a part of its slots")
        })
    }

    async fn line(&self, key: &str) -> Result<(Node, MultiplexedConnection), LinkError> {
        let node = self.node(key).await?;
        if let Some(line) = self.state().lines.get(&node) {
            return Ok((node, line.clone()));
        }
        let made = self.connect(&node, PATIENCE).await.map_err(|error| self.failed(&node, &error))?;
        let identity = match self.greet(&node, made.clone()).await {
            Ok(identity) => identity,
            Err(error) => {
                self.forget(&node);
                return Err(error);
            }
        };
        let mut state = self.state();
        if identity.is_none() || state.identities.get(&node) != identity.as_ref() {
            self.shared.epoch.send_modify(|count| *count += 1);
        }
        match identity {
            Some(identity) => state.identities.insert(node.clone(), identity),
            None => state.identities.remove(&node),
        };
        state.lines.insert(node.clone(), made.clone());
        drop(state);
        Ok((node, made))
    }

    async fn connect(&self, node: &Node, patience: Duration) -> RedisResult<MultiplexedConnection> {
        let settings =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(patience));
        let client = Client::open(self.shared.address.of(node))?;
        client.get_multiplexed_async_connection_with_config(&settings).await
    }

    /// Looks whom it has reached, and by what it is known from others. A user who may not ask for it has to know by himself.
    async fn greet(&self, node: &Node, mut line: MultiplexedConnection) -> Result<Option<String>, LinkError> {
        let info: String = match redis::cmd("INFO").query_async(&mut line).await {
            Ok(info) => info,
            Err(error) if Said::of(&error) == Said::NoPermission => return Ok(None),
            Err(error) => return Err(LinkError::of(node, &error)),
        };
        let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let version = field("redis_version").unwrap_or_default();
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0_u32));
        let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        let (major, minor) = LEAST_VERSION;
        if number < LEAST_VERSION {
            return Err(LinkError::refused(format!("{node} is Redis {version}; {major}.{minor} or newer is needed")));
        }
        if field("loading") == Some("1") {
            return Err(LinkError::away(format!("{node} is loading its data")));
        }
        if field("role") == Some("slave") {
            let replica = format!("{node} is a read-only replica; its master is needed");
            // Sentinels and clusters are in the middle of a change then.
            let settled = self.shared.address.topology == Topology::One;
            return Err(if settled { LinkError::refused(replica) } else { LinkError::away(replica) });
        }
        // The second one changes when a server has taken over another's data.
        Ok(field("run_id").zip(field("master_replid")).map(|(process, data)| format!("{process} {data}")))
    }

    async fn map(&self) -> Result<Arc<Map>, LinkError> {
        if let Some(map) = &self.state().map {
            return Ok(Arc::clone(map));
        }
        let map = Arc::new(self.look_up().await?);
        let mut state = self.state();
        state.map = Some(Arc::clone(&map));
        let same = state.last_map.replace(Arc::clone(&map)).is_none_or(|last| last == map);
        drop(state);
        if !same {
            self.shared.epoch.send_modify(|count| *count += 1);
            self.shared.moved.send_modify(|count| *count += 1);
        }
        Ok(map)
    }

    /// Asks who holds what; the first who knows it is believed.
    async fn look_up(&self) -> Result<Map, LinkError> {
        let Address { topology, seeds, .. } = &self.shared.address;
        let known = self.state().last_map.clone();
        let mut wrong = LinkError::away("nobody to ask");
        match topology {
            Topology::One => return seeds.first().cloned().map(Map::One).ok_or(wrong),
            Topology::Sentinel { master } => {
                for sentinel in seeds {
                    match self.ask_sentinel(sentinel, master).await {
                        Ok(node) => return Ok(Map::One(node)),
                        Err(error) => wrong = error,
                    }
                }
            }
            Topology::Cluster => {
                // The seeds may be gone; those that were there last know, too.
                let others = match known.as_deref() {
                    Some(Map::Slots(ranges)) => ranges.iter().map(|(_, _, node)| node.clone()).collect(),
                    _ => Vec::new(),
                };
                for node in seeds.iter().chain(&others) {
                    match self.ask_node(node).await {
                        Ok(map) => return Ok(map),
                        Err(error) => wrong = error,
                    }
                }
            }
        }
        Err(wrong)
    }

    async fn ask_sentinel(&self, sentinel: &Node, master: &str) -> Result<Node, LinkError> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(master);
        let mut answer = self.ask(self.shared.address.of_sentinel(sentinel, false), &question).await;
        if answer.as_ref().is_err_and(|error| LinkError::of(sentinel, error).is_refused()) {
            answer = self.ask(self.shared.address.of_sentinel(sentinel, true), &question).await;
        }
        let answer: Option<(String, u16)> = answer.map_err(|error| LinkError::of(sentinel, &error))?;
        let (host, port) = answer
            .ok_or_else(|| LinkError::refused(format!("the sentinel {sentinel} knows no master named {master:?}")))?;
        Ok(Node { host, port })
    }

    async fn ask_node(&self, node: &Node) -> Result<Map, LinkError> {
        let answer: Value = self
            .ask(self.shared.address.of(node), redis::cmd("CLUSTER").arg("SLOTS"))
            .await
            .map_err(|error| LinkError::of(node, &error))?;
        Map::from_slots(&answer, node).ok_or_else(|| LinkError::away(format!("{node} knows no slots of a cluster")))
    }

    async fn ask<T: FromRedisValue>(&self, info: redis::ConnectionInfo, question: &Cmd) -> RedisResult<T> {
        let settings =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let mut line = Client::open(info)?.get_multiplexed_async_connection_with_config(&settings).await?;
        question.query_async(&mut line).await
    }

    /// What an error means, and what it is the end of.
    fn failed(&self, node: &Node, error: &RedisError) -> LinkError {
        if breaks_the_line(error) {
            self.forget(node);
        }
        LinkError::of(node, error)
    }

    fn forget(&self, node: &Node) {
        let mut state = self.state();
        state.lines.remove(node);
        state.map = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection of somebody's own.
pub(crate) struct OwnLine {
    link: Link,
    node: Node,
    line: MultiplexedConnection,
}

impl OwnLine {
    /// Asks; the first error of a command is the error of all.
    pub(crate) async fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, LinkError> {
        pipeline.query_async(&mut self.line).await.map_err(|error| self.link.failed(&self.node, &error))
    }
}
