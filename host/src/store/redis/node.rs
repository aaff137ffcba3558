//! The way to one Redis server. Time-outs and coming back after a loss are those of the client library.

use redis::aio::MultiplexedConnection;
use redis::{Client, Script, ScriptInvocation, Value};

use crate::store::StoreError;

/// A connection that any number of callers share.
pub(crate) struct Node {
    connection: MultiplexedConnection,
}

impl Node {
    /// Connects to a Redis URL.
    ///
    /// # Errors
    ///
    /// Nobody answers there.
    pub(crate) async fn connect(url: &str) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|error| StoreError::unavailable(&error))?;
        let connection = client.get_multiplexed_async_connection().await;
        Ok(Node { connection: connection.map_err(|error| StoreError::unavailable(&error))? })
    }

    /// Runs a script.
    pub(super) async fn invoke(
        &self,
        script: &Script,
        keys: &[&str],
        args: impl Fn(&mut ScriptInvocation<'_>) + Send + Sync,
    ) -> Result<Value, StoreError> {
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(*key);
        }
        args(&mut call);
        call.invoke_async(&mut self.connection.clone()).await.map_err(|error| StoreError::unavailable(&error))
    }
}
