//! Whom controllers may address in the fake host: everybody whom a test does not deny. Their own they always may.

use std::cell::RefCell;

use crate::fault::{Fault, Result};

/// Whom controllers may not address, where an operator would list who may be.
#[derive(Debug, Default)]
pub(super) struct Grants(RefCell<Vec<String>>);

impl Grants {
    pub(super) fn deny(&self, addressee: &str) {
        self.0.borrow_mut().push(addressee.to_owned());
    }

    /// Whether the controller `class` may address this: `all`, `controller:NAME`, `topic:NAME` or `identity:NAME`.
    pub(super) fn check(&self, class: &str, addressee: &str) -> Result {
        let is_meant = |entry: &String| match entry.strip_suffix('*') {
            Some(beginning) => addressee.starts_with(beginning),
            None => addressee == entry,
        };
        if !is_own(class, addressee) && self.0.borrow().iter().any(is_meant) {
            return Err(Fault::Denied(format!("not granted: messaging = [{addressee:?}]")));
        }
        Ok(())
    }
}

/// Its connections are a controller's own, and the topics and identities `chat`, `chat:ann` and `chat/lobby` those of `chat`.
fn is_own(class: &str, addressee: &str) -> bool {
    let Some((kind, name)) = addressee.split_once(':') else { return false };
    let Some(rest) = name.strip_prefix(class) else { return false };
    rest.is_empty() || kind != "controller" && rest.starts_with([':', '/'])
}
