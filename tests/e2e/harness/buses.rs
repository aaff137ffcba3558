//! What hosts may have between them: nothing, where a host is alone in its process, or a Redis of the test's own. A scenario
//! of one host must not notice which it is.

use super::host::Furnished;
use super::redis::RedisServer;
use std::sync::Arc;

/// One of them. Cloning it shares the server, which ends with the last clone.
#[derive(Clone)]
pub(crate) struct Bus {
    redis: Option<Arc<RedisServer>>,
}

impl Bus {
    /// All of them.
    pub(crate) async fn all() -> [Bus; 2] {
        [Bus { redis: None }, Bus { redis: Some(Arc::new(RedisServer::start().await)) }]
    }

    /// Gives it to a host.
    pub(crate) fn furnish(&self, host: Furnished) -> Furnished {
        match &self.redis {
            None => host,
            Some(redis) => host.redis(&redis.url()).keeping(Arc::clone(redis)),
        }
    }
}
