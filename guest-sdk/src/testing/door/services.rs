//! The fake host's keys and values, configuration, log and outgoing requests, as the SDK calls them.

use super::{current, log};
use crate::fault::Result;
use crate::log::Level;

pub(crate) fn send_request(request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>> {
    current()?.services().send(request)
}

pub(crate) fn log_line(level: Level, context: &str, message: &str) {
    let between = if context.is_empty() { "" } else { ": " };
    log(&format!("{level:?} {context}{between}{message}").replace(['\r', '\n'], " "));
}

pub(crate) mod config {
    //! The configuration.

    use crate::testing::door::current;

    pub(crate) fn get(key: &str) -> Option<String> {
        current().ok()?.services().config.borrow().get(key).cloned()
    }

    pub(crate) fn all() -> Vec<(String, String)> {
        let all = |config: &std::collections::BTreeMap<String, String>| config.clone().into_iter().collect();
        current().map(|yard| all(&yard.services().config.borrow())).unwrap_or_default()
    }
}

pub(crate) mod keyvalue {
    //! The bucket.

    use std::rc::Rc;
    use std::time::Duration;

    use crate::fault::Result;
    use crate::testing::door::current;
    use crate::testing::rules;
    use crate::testing::yard::Yard;

    pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>> {
        let yard = reach(key)?;
        let values = yard.services().values.borrow();
        Ok(values.get(key, yard.now()).map(<[u8]>::to_vec))
    }

    pub(crate) fn set(key: &str, value: &[u8], lifetime: Option<u64>) -> Result {
        let yard = reach(key)?;
        rules::value(value)?;
        yard.services().values.borrow_mut().set(key, value, end(&yard, lifetime));
        Ok(())
    }

    pub(crate) fn delete(key: &str) -> Result<bool> {
        let yard = reach(key)?;
        Ok(yard.services().values.borrow_mut().delete(key, yard.now()))
    }

    pub(crate) fn exists(key: &str) -> Result<bool> {
        Ok(get(key)?.is_some())
    }

    pub(crate) fn increment(key: &str, by: i64, lifetime: Option<u64>) -> Result<i64> {
        let yard = reach(key)?;
        yard.services().values.borrow_mut().increment(key, by, end(&yard, lifetime), yard.now())
    }

    pub(crate) fn compare_and_swap(
        key: &str,
        expected: Option<&[u8]>,
        value: Option<&[u8]>,
        lifetime: Option<u64>,
    ) -> Result<bool> {
        let yard = reach(key)?;
        rules::value(value.unwrap_or_default())?;
        let mut values = yard.services().values.borrow_mut();
        if values.get(key, yard.now()) != expected {
            return Ok(false);
        }
        match value {
            Some(value) => values.set(key, value, end(&yard, lifetime)),
            None => drop(values.delete(key, yard.now())),
        }
        Ok(true)
    }

    pub(crate) fn list(prefix: &str, after: Option<&str>, most: u32) -> Result<(Vec<String>, Option<String>)> {
        let yard = current()?;
        yard.reach_store()?;
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(1000);
        let keys = yard.services().values.borrow().list(prefix, after, most, yard.now());
        let next = keys.last().filter(|_| keys.len() == most).cloned();
        Ok((keys, next))
    }

    /// The host, if the key is one and the store is there.
    fn reach(key: &str) -> Result<Rc<Yard>> {
        rules::key(key)?;
        let yard = current()?;
        yard.reach_store()?;
        Ok(yard)
    }

    fn end(yard: &Yard, lifetime: Option<u64>) -> Option<Duration> {
        lifetime.map(|lifetime| yard.now().saturating_add(Duration::from_millis(lifetime.max(1))))
    }
}
