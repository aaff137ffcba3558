//! The settings as one list, from the tables in `server` and `limits`: of it are made the keys of `lakou.toml`, the flags with their
//! help, the variables, and the reference (`page`).

use std::time::Duration;

use super::form::{Form, Switch, Text};
use super::value::{self, Given};
use super::{Config, ControllerConfig, limits, server};

/// Takes in a value, of `T`.
pub(super) type Set<T> = fn(&mut T, &Given) -> Result<(), String>;

/// One setting of a server.
pub(crate) struct Setting {
    /// As in `lakou.toml`; `--` before it makes the flag.
    pub(crate) name: &'static str,
    /// What it does: a line that says it all, and what else is to be known.
    pub(super) doc: &'static [&'static str],
    /// What happens at it; empty: it is no limit.
    pub(super) at: &'static str,
    pub(super) value_name: fn() -> &'static str,
    pub(super) allowed: fn() -> String,
    pub(super) default: fn(&Config) -> String,
    pub(super) set: Set<Config>,
    /// Where a controller may have its own.
    pub(super) own: Option<Set<ControllerConfig>>,
}

/// A setting that only single controllers have.
pub(super) struct OwnSetting {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) set: Set<ControllerConfig>,
}

/// Every setting of a server, in the order of the help.
pub(crate) fn all() -> impl Iterator<Item = &'static Setting> {
    server::SETTINGS.iter().chain(limits::SETTINGS)
}

/// How the table of one controller sets what is called so.
pub(super) fn own(name: &str) -> Option<Set<ControllerConfig>> {
    let shared = || all().find(|setting| setting.name == name).and_then(|setting| setting.own);
    OWN.iter().find(|setting| setting.name == name).map(|setting| setting.set).or_else(shared)
}

/// What may stand in the table of one controller.
pub(super) fn own_names() -> impl Iterator<Item = &'static str> {
    let shared = all().filter(|setting| setting.own.is_some()).map(|setting| setting.name);
    OWN.iter().map(|setting| setting.name).chain(shared)
}

impl Setting {
    /// The name of its environment variable.
    pub(crate) fn variable(&self) -> String {
        format!("LAKOU_{}", self.name.replace('-', "_").to_uppercase())
    }

    /// What stands for its value in the help.
    pub(crate) fn value_name(&self) -> &'static str {
        (self.value_name)()
    }

    /// The line of the help.
    pub(crate) fn help(&self) -> String {
        let what = self.doc[0].trim().trim_end_matches('.').replace('`', "");
        format!("{what} [default: {}] [env: {}]", (self.default)(&Config::default()), self.variable())
    }
}

pub(super) const INSTANT: Duration = Duration::ZERO;
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

macro_rules! own_settings {
    ($(#[doc = $doc:literal] $name:literal $type:ty = $form:expr, $($field:ident).+;)+) => {
        &[$(OwnSetting {
            name: $name,
            doc: $doc,
            set: |controller, given| {
                controller.$($field).+ = Form::<$type>::read(&$form, given)?.into();
                Ok(())
            },
        },)+]
    };
}

/// A list whose form is told by the documentation.
const fn list<T>(read: fn(&Given) -> Result<Vec<T>, String>) -> Text<Vec<T>> {
    Text { value_name: "LIST", allowed: "a list", read, show: |_| String::new() }
}

/// What nothing but the table of one controller has, in the order of the reference.
pub(super) const OWN: &[OwnSetting] = own_settings! {
    /// The path pattern that it is mounted on, instead of the one that it carries.
    "path" String = Text { value_name: "PATH", allowed: "a path", read: value::text, show: String::clone }, path;
    /// Whether it runs as a service, one object a server without a client; by itself what the component says.
    "service" bool = Switch, service;
    /// Whether it has a bucket of keys and values.
    "keyvalue" bool = Switch, grants.keyvalue;
    /// Servers that it may send requests to, as `https://api.example.org`.
    "http" Vec<_> = list(|given| value::destinations(given, false)), grants.http;
    /// Servers that it may open WebSockets to, as `wss://feed.example.org`.
    "websocket" Vec<_> = list(|given| value::destinations(given, true)), grants.websocket;
    /// Variables that it sees: `NAME`, as the host has it, or `NAME=VALUE`.
    "environment" Vec<_> = list(value::parsed), grants.environment;
    /// Folders that it may read and nothing else: `FOLDER`, or `NAME=FOLDER`.
    "files" Vec<_> = list(value::parsed), grants.files;
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_is_one_settings() {
        let names: Vec<_> = all().map(|setting| setting.name).chain(OWN.iter().map(|setting| setting.name)).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn a_default_is_within_its_bounds() {
        let (defaults, mut config) = (Config::default(), Config::default());
        // What is absent by default is shown as words.
        let words = |shown: &str| {
            shown.is_empty()
                || ["none", "half", "quarter", "four", "there", "user"].iter().any(|word| shown.contains(word))
        };
        for setting in all() {
            let shown = (setting.default)(&defaults);
            if !words(&shown) {
                assert_eq!((setting.set)(&mut config, &Given::Text(shown.clone())), Ok(()), "{} {shown}", setting.name);
                assert_eq!((setting.default)(&config), shown, "{}", setting.name);
            }
        }
    }
}
