//! The addressees of one controller. Its own is always granted: events among its own connections, topics and identities that
//! bear its name, and connections whose ids it has. All else, another's name above all, is for the operator to grant.

use crate::config::Addressee;
use crate::text::{cut, printable};

/// What one controller may address.
pub(in crate::controller) struct Messaging {
    name: String,
    granted: Vec<Addressee>,
}

/// What was asked for, and what would allow it, for a guest and for the log.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::controller) struct Denied(pub(in crate::controller) String);

impl Messaging {
    pub(super) fn new(name: &str, granted: &[Addressee]) -> Self {
        Messaging { name: name.to_owned(), granted: granted.to_vec() }
    }

    /// Every connection of every controller.
    pub(in crate::controller) fn all(&self) -> Result<(), Denied> {
        self.check(|addressee| matches!(addressee, Addressee::All), || "all".to_owned())
    }

    /// Every connection of one controller.
    pub(in crate::controller) fn controller(&self, name: &str) -> Result<(), Denied> {
        if name == self.name {
            return Ok(());
        }
        let granted = |addressee: &Addressee| matches!(addressee, Addressee::Controller(names) if names.include(name));
        self.check(granted, || format!("controller:{name}"))
    }

    /// A topic, to subscribe to it and to publish on it.
    pub(in crate::controller) fn topic(&self, topic: &str) -> Result<(), Denied> {
        if self.is_own(topic) {
            return Ok(());
        }
        let granted = |addressee: &Addressee| matches!(addressee, Addressee::Topic(names) if names.include(topic));
        self.check(granted, || format!("topic:{topic}"))
    }

    /// An identity, to register as it and to notify it.
    pub(in crate::controller) fn identity(&self, identity: &str) -> Result<(), Denied> {
        if self.is_own(identity) {
            return Ok(());
        }
        let granted =
            |addressee: &Addressee| matches!(addressee, Addressee::Identity(names) if names.include(identity));
        self.check(granted, || format!("identity:{identity}"))
    }

    /// `chat`, `chat:ann` and `chat/lobby` are the controller chat's; a name has neither `:` nor `/` in it.
    fn is_own(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    }

    fn check(&self, granted: impl Fn(&Addressee) -> bool, wanted: impl FnOnce() -> String) -> Result<(), Denied> {
        if self.granted.iter().any(|addressee| matches!(addressee, Addressee::Everything) || granted(addressee)) {
            return Ok(());
        }
        let wanted = wanted();
        Err(Denied(format!(
            "not granted: messaging = [\"{}\"] in [controller.{}] of lakou.toml",
            printable(cut(&wanted, 300)),
            self.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messaging(granted: &[&str]) -> Messaging {
        let granted: Vec<_> = granted.iter().map(|entry| entry.parse().expect("an addressee")).collect();
        Messaging::new("chat", &granted)
    }

    #[test]
    fn ones_own_needs_no_grant() {
        let own = messaging(&[]);
        assert_eq!(own.controller("chat"), Ok(()));
        for name in ["chat", "chat:ann", "chat/lobby", "chat:"] {
            assert_eq!((own.topic(name), own.identity(name)), (Ok(()), Ok(())), "{name}");
        }
        for name in ["news", "chat2", "chat-2/x", "cha", "Chat/x", "", "user:chat", "/chat/x"] {
            assert!(own.topic(name).is_err() && own.identity(name).is_err(), "{name}");
        }
        assert!(own.all().is_err() && own.controller("chat2").is_err() && own.controller("").is_err());
    }

    #[test]
    fn a_grant_is_for_its_kind() {
        let granted = messaging(&["topic:news/*", "identity:user:*", "controller:echo"]);
        assert_eq!(
            (granted.topic("news/x"), granted.identity("user:1"), granted.controller("echo")),
            (Ok(()), Ok(()), Ok(()))
        );
        assert!(granted.topic("user:1").is_err() && granted.identity("news/x").is_err() && granted.all().is_err());
        assert!(granted.controller("news/x").is_err() && granted.topic("echo").is_err());
        assert_eq!(messaging(&["all"]).all(), Ok(()));
        let everything = messaging(&["*"]);
        assert!(everything.all().is_ok() && everything.topic("x").is_ok() && everything.identity("x").is_ok());
        assert!(everything.controller("x").is_ok());
    }

    #[test]
    fn a_refusal_says_what_to_write() {
        let Denied(text) = messaging(&[]).topic("news\n").expect_err("not granted");
        assert_eq!(text, r#"not granted: messaging = ["topic:news\n"] in [controller.chat] of lakou.toml"#);
    }
}
