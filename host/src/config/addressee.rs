//! The addressees of a controller, as an operator lists them: all connections, controllers, topics and identities, by name or by
//! the beginning of a name.

use std::fmt;
use std::str::FromStr;

/// One entry of the list: `all` (multicast), `controller:chat`, `topic:news/*`, `identity:user:*`, or `*` for everything. A
/// star at the end stands for whatever follows; a controller's own needs no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addressee {
    /// Whatever there is.
    Everything,
    /// Every connection of every controller.
    All,
    /// The connections of controllers.
    Controller(Names),
    /// The subscribers of topics.
    Topic(Names),
    /// Identities: to register as them, and to notify them.
    Identity(Names),
}

/// One name, or all that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    text: String,
    /// Whether more may follow.
    open: bool,
}

impl Names {
    pub(crate) fn include(&self, name: &str) -> bool {
        if self.open { name.starts_with(&self.text) } else { name == self.text }
    }
}

impl From<&str> for Names {
    fn from(pattern: &str) -> Self {
        match pattern.strip_suffix('*') {
            Some(beginning) => Names { text: beginning.to_owned(), open: true },
            None => Names { text: pattern.to_owned(), open: false },
        }
    }
}

impl FromStr for Addressee {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "*" => return Ok(Addressee::Everything),
            None if text == "all" => return Ok(Addressee::All),
            Some((kind, names)) if !names.is_empty() => match kind {
                "controller" => return Ok(Addressee::Controller(names.into())),
                "topic" => return Ok(Addressee::Topic(names.into())),
                "identity" => return Ok(Addressee::Identity(names.into())),
                _ => {}
            },
            _ => {}
        }
        Err(format!(
            "{text:?} is nobody; wanted is all, controller:NAME, topic:NAME or identity:NAME, with * for any end of a name"
        ))
    }
}

impl fmt::Display for Addressee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Addressee::Everything => formatter.write_str("*"),
            Addressee::All => formatter.write_str("all"),
            Addressee::Controller(names) => write!(formatter, "controller:{names}"),
            Addressee::Topic(names) => write!(formatter, "topic:{names}"),
            Addressee::Identity(names) => write!(formatter, "identity:{names}"),
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.text, if self.open { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_shown_as_it_is_written() {
        for text in ["*", "all", "controller:chat", "controller:*", "topic:news/*", "identity:user:*", "identity:a*b"] {
            assert_eq!(text.parse::<Addressee>().map(|addressee| addressee.to_string()), Ok(text.to_owned()));
        }
        for wrong in ["", "chat", "topic:", "topics:x", "connection:x", "a*", "All"] {
            assert!(wrong.parse::<Addressee>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_star_stands_at_the_end() {
        let names = |pattern: &str, name: &str| Names::from(pattern).include(name);
        assert!(names("news/*", "news/tech") && names("news/*", "news/") && names("*", "") && names("a*b*", "a*bc"));
        assert!(!names("news/*", "news") && !names("news", "news/tech") && !names("*x", "yx") && !names("", "x"));
    }
}
