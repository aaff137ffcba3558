//! What the fake host has beside connections: the bucket of keys and values, the configuration, the grants, and the answers to
//! what a controller asks of servers outside. One of each, whatever the controller.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::grants::Grants;
use super::rules;
use crate::fault::{Fault, Result};

/// What a test gives for a request of a controller: an answer, or the [`Fault`] that the controller meets instead of one.
pub trait Answer: sealed::Sealed {
    #[doc(hidden)]
    fn into_result(self) -> Result<http::Response<Vec<u8>>>;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for http::Response<Vec<u8>> {}

impl Answer for http::Response<Vec<u8>> {
    fn into_result(self) -> Result<http::Response<Vec<u8>>> {
        Ok(self)
    }
}

impl sealed::Sealed for Result<http::Response<Vec<u8>>> {}

impl Answer for Result<http::Response<Vec<u8>>> {
    fn into_result(self) -> Result<http::Response<Vec<u8>>> {
        self
    }
}

/// What answers requests of controllers.
pub(super) type Answering = dyn Fn(http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>>;

/// All of it.
#[derive(Default)]
pub(super) struct Services {
    pub(super) values: RefCell<Values>,
    pub(super) config: RefCell<BTreeMap<String, String>>,
    pub(super) answer: RefCell<Option<Rc<Answering>>>,
    pub(super) grants: Grants,
    /// Whether controllers have emitted as often as they may.
    pub(super) emitted_all: Cell<bool>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("values", &self.values).field("config", &self.config).finish_non_exhaustive()
    }
}

impl Services {
    /// Whether a controller may emit, notify and publish once more.
    pub(super) fn may_emit(&self) -> Result {
        match self.emitted_all.get() {
            false => Ok(()),
            true => Err(Fault::Unavailable("the controller has emitted its events of this second".to_owned())),
        }
    }

    /// What the server outside answers; without one nothing is granted.
    pub(super) fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>> {
        rules::outgoing::request(&request)?;
        // Nothing stays borrowed while it runs.
        let answer = self.answer.borrow().clone();
        let denied = || Fault::Denied("no answers: `testing::Host::answer_outgoing` gives some".to_owned());
        let answer = answer.ok_or_else(denied)?(request)?;
        rules::outgoing::answer(&answer)?;
        Ok(answer)
    }
}

/// The bucket. `now` is the clock that the test moves.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<String, Kept>);

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    lapses_at: Option<Duration>,
}

impl Values {
    pub(super) fn get(&self, key: &str, now: Duration) -> Option<&[u8]> {
        self.living(key, now).map(|kept| kept.value.as_slice())
    }

    pub(super) fn set(&mut self, key: &str, value: &[u8], lapses_at: Option<Duration>) {
        self.0.insert(key.to_owned(), Kept { value: value.to_vec(), lapses_at });
    }

    pub(super) fn delete(&mut self, key: &str, now: Duration) -> bool {
        let was_there = self.living(key, now).is_some();
        self.0.remove(key);
        was_there
    }

    pub(super) fn increment(&mut self, key: &str, by: i64, lapses_at: Option<Duration>, now: Duration) -> Result<i64> {
        let (number, lapses_at) = match self.living(key, now) {
            Some(kept) => (rules::number(&kept.value)?, kept.lapses_at),
            None => (0, lapses_at),
        };
        let sum = number.checked_add(by).ok_or_else(|| Fault::Invalid("the sum does not fit".to_owned()))?;
        self.set(key, sum.to_string().as_bytes(), lapses_at);
        Ok(sum)
    }

    pub(super) fn list(&self, prefix: &str, after: Option<&str>, most: usize, now: Duration) -> Vec<String> {
        let keys = self.0.keys().filter(|key| key.starts_with(prefix));
        let keys = keys.filter(|key| after.is_none_or(|after| key.as_str() > after));
        keys.filter(|key| self.living(key, now).is_some()).take(most).cloned().collect()
    }

    fn living(&self, key: &str, now: Duration) -> Option<&Kept> {
        self.0.get(key).filter(|kept| kept.lapses_at.is_none_or(|lapses_at| lapses_at > now))
    }
}
