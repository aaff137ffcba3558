//! `keyvalue`: the controller's bucket. Which store it is in is the server's matter.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};

use super::emitting::{self, Fault};
use crate::controller::bindings::lakou::controller::keyvalue::{self, Host, Page};
use crate::controller::state::GuestState;
use crate::store::keyvalue::{Bucket, Key, KeyValue, LIST_LIMIT, Lifetime, VALUE_LIMIT};
use crate::store::{self, Answer};

type Answered<T> = wasmtime::Result<Result<T, Fault>>;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    keyvalue::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl GuestState {
    /// Where the values of the controller are, and how much time its call has.
    fn values(&self) -> (Arc<dyn KeyValue>, Bucket, Duration) {
        let class = &self.class;
        class.environment.metrics.keyvalue_calls.count();
        let bucket = Bucket { name: Arc::clone(&class.name), limit: class.limits.max_bucket as u64 };
        (Arc::clone(&class.environment.values), bucket, class.limits.call_time)
    }
}

impl Host for GuestState {
    async fn get(&mut self, key: String) -> Answered<Option<Vec<u8>>> {
        let (values, bucket, time) = self.values();
        Ok(async { answer(time, values.get(&bucket, &checked(key)?)).await }.await)
    }

    async fn set(&mut self, key: String, value: Vec<u8>, lifetime: Option<u64>) -> Answered<()> {
        let (values, bucket, time) = self.values();
        let set = async {
            let (key, value) = (checked(key)?, sized(value)?);
            answer(time, values.set(&bucket, &key, value, Lifetime::new(lifetime))).await
        };
        Ok(set.await)
    }

    async fn delete(&mut self, key: String) -> Answered<bool> {
        let (values, bucket, time) = self.values();
        Ok(async { answer(time, values.delete(&bucket, &checked(key)?)).await }.await)
    }

    async fn exists(&mut self, key: String) -> Answered<bool> {
        let (values, bucket, time) = self.values();
        Ok(async { answer(time, values.exists(&bucket, &checked(key)?)).await }.await)
    }

    async fn increment(&mut self, key: String, by: i64, lifetime: Option<u64>) -> Answered<i64> {
        let (values, bucket, time) = self.values();
        let increment = async {
            let key = checked(key)?;
            answer(time, values.increment(&bucket, &key, by, Lifetime::new(lifetime))).await
        };
        Ok(increment.await)
    }

    async fn compare_and_swap(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        lifetime: Option<u64>,
    ) -> Answered<bool> {
        let (values, bucket, time) = self.values();
        let swap = async {
            let (key, value) = (checked(key)?, value.map(sized).transpose()?);
            // What is larger is not there.
            if expected.as_ref().is_some_and(|expected| expected.len() > VALUE_LIMIT) {
                return Ok(false);
            }
            answer(time, values.swap(&bucket, &key, expected, value, Lifetime::new(lifetime))).await
        };
        Ok(swap.await)
    }

    async fn list(&mut self, prefix: String, after: Option<String>, most: u32) -> Answered<Page> {
        let (values, bucket, time) = self.values();
        // No key is longer, so none begins with such a prefix.
        if prefix.len() > Key::LIMIT {
            return Ok(Ok(Page { keys: Vec::new(), next: None }));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(LIST_LIMIT);
        let listed = answer(time, values.list(&bucket, &prefix, after.as_deref(), most)).await;
        Ok(listed.map(|keys| {
            // A page that is not full is the last one; behind a full one there may be nothing.
            let next = keys.last().filter(|_| keys.len() == most).cloned();
            Page { keys, next }
        }))
    }
}

fn checked(key: String) -> Result<Key, Fault> {
    Key::new(key).map_err(Fault::Invalid)
}

fn sized(value: Vec<u8>) -> Result<Vec<u8>, Fault> {
    if value.len() > VALUE_LIMIT { Err(Fault::TooLarge) } else { Ok(value) }
}

async fn answer<T>(time: Duration, asked: Answer<'_, T>) -> Result<T, Fault> {
    store::in_time(time, asked).await.map_err(|error| emitting::store_fault(&error))
}
