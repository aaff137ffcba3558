//! `keyvalue`: the controller's bucket. Which store it is in is the server's matter.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};

use super::emitting::{self, Fault};
use crate::controller::bindings::lakou::controller::keyvalue::{self, Host, Page};
use crate::controller::class::Class;
use crate::controller::state::GuestState;
use crate::limit::Limit;
use crate::store::keyvalue::{Bucket, Key, KeyValue, LIST_LIMIT, Lifetime, Listing, VALUE_LIMIT};
use crate::store::{self, Answer, StoreError};

type Answered<T> = wasmtime::Result<Result<T, Fault>>;

/// The store, the controller's part of it, and whom its limits count for.
type Values = (Arc<dyn KeyValue>, Bucket, Arc<Class>);

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    keyvalue::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl GuestState {
    /// Where the values of the controller are, if it may ask for them once more.
    fn values(&self) -> Result<Values, Fault> {
        let class = Arc::clone(&self.class);
        class.may_ask().map_err(Fault::Unavailable)?;
        class.environment.metrics.keyvalue_calls.count();
        let bucket = Bucket { name: Arc::clone(&class.name), limit: class.limits.max_bucket as u64 };
        Ok((Arc::clone(&class.environment.values), bucket, class))
    }
}

impl Host for GuestState {
    async fn get(&mut self, key: String) -> Answered<Option<Vec<u8>>> {
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(async { answer(&class, values.get(&bucket, &checked(key)?)).await }.await)
    }

    async fn set(&mut self, key: String, value: Vec<u8>, lifetime: Option<u64>) -> Answered<()> {
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        let set = async {
            let (key, value) = (checked(key)?, sized(value)?);
            answer(&class, values.set(&bucket, &key, value, Lifetime::new(lifetime))).await
        };
        Ok(set.await)
    }

    async fn delete(&mut self, key: String) -> Answered<bool> {
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(async { answer(&class, values.delete(&bucket, &checked(key)?)).await }.await)
    }

    async fn exists(&mut self, key: String) -> Answered<bool> {
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(async { answer(&class, values.exists(&bucket, &checked(key)?)).await }.await)
    }

    async fn increment(&mut self, key: String, by: i64, lifetime: Option<u64>) -> Answered<i64> {
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        let increment = async {
            let key = checked(key)?;
            answer(&class, values.increment(&bucket, &key, by, Lifetime::new(lifetime))).await
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
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        let swap = async {
            let (key, value) = (checked(key)?, value.map(sized).transpose()?);
            // What is larger is not there.
            if expected.as_ref().is_some_and(|expected| expected.len() > VALUE_LIMIT) {
                return Ok(false);
            }
            answer(&class, values.swap(&bucket, &key, expected, value, Lifetime::new(lifetime))).await
        };
        Ok(swap.await)
    }

    async fn list(&mut self, prefix: String, after: Option<String>, most: u32) -> Answered<Page> {
        let (values, bucket, class) = match self.values() {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        // No key is longer, so none begins with such a prefix.
        if prefix.len() > Key::LIMIT {
            return Ok(Ok(Page { keys: Vec::new(), next: None }));
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(LIST_LIMIT);
        let listed = answer(&class, values.list(&bucket, &prefix, after.as_deref(), most)).await;
        Ok(listed.map(|Listing { keys, next }| Page { keys, next }))
    }
}

fn checked(key: String) -> Result<Key, Fault> {
    Key::new(key).map_err(Fault::Invalid)
}

fn sized(value: Vec<u8>) -> Result<Vec<u8>, Fault> {
    if value.len() > VALUE_LIMIT { Err(Fault::TooLarge) } else { Ok(value) }
}

async fn answer<T>(class: &Class, asked: Answer<'_, T>) -> Result<T, Fault> {
    store::in_time(class.limits.call_time, asked).await.map_err(|error| {
        if let StoreError::Full(limit) = error {
            class.hits.hit(Limit::Bucket, format_args!("over {limit} bytes of keys and values: the call was refused"));
        }
        emitting::store_fault(&error)
    })
}
