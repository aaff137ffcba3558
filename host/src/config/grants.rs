//! What an operator grants to a controller, as it stands in `[controller.NAME]`. A controller has nothing that is not
//! written there, messaging with what is its own aside. Opening folders and looking up values is left to `controller`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::addressee::Addressee;
use crate::destination::Destination;

/// What one controller may ask of the host.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Grants {
    /// Whether it has a bucket of keys and values.
    pub keyvalue: bool,
    /// Where it may send HTTP requests to.
    pub http: Vec<Destination>,
    /// Servers that it may open WebSockets to.
    pub websocket: Vec<Destination>,
    /// Variables of its environment.
    pub environment: Vec<Variable>,
    /// Folders that it may read.
    pub files: Vec<Folder>,
    /// Whom it may address beside what is its own, instead of [`Config::messaging`](super::Config::messaging).
    pub messaging: Option<Vec<Addressee>>,
    /// What `wasi:config/store` says to it.
    pub config: BTreeMap<String, Value>,
}

/// A variable of a controller's environment: `NAME` is handed in as the host has it, `NAME=VALUE` as it stands there.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    pub(crate) name: String,
    /// None: as the host has it.
    pub(crate) value: Option<String>,
}

/// A folder that a controller may read: `FOLDER` has the name of its last part in the guest, `NAME=FOLDER` another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where it is in the guest, with a slash before it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// A value of a controller's configuration, or where it is to be read: `env:NAME` and `file:PATH` are for secrets, which
/// then need not stand in `lakou.toml`.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// The text itself.
    Text(String),
    /// A variable of the host's environment.
    Variable(String),
    /// The content of a file, without a line end at its end.
    File(PathBuf),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        if let Some(name) = text.strip_prefix("env:") {
            return Value::Variable(name.to_owned());
        }
        match text.strip_prefix("file:") {
            Some(path) => Value::File(path.into()),
            None => Value::Text(text.to_owned()),
        }
    }
}

/// Never the text: it may be a secret.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(_) => formatter.write_str("Text(..)"),
            Value::Variable(name) => write!(formatter, "Variable({name:?})"),
            Value::File(path) => write!(formatter, "File({path:?})"),
        }
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if name.is_empty() || text.contains('\0') {
            return Err(format!("{text:?} is no variable; wanted is NAME, as the host has it, or NAME=VALUE"));
        }
        Ok(Variable { name: name.to_owned(), value })
    }
}

impl FromStr for Folder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no folder with a name; wanted is FOLDER, or NAME=FOLDER");
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name.to_owned(), PathBuf::from(path)),
            None => {
                let path = PathBuf::from(text);
                (path.file_name().and_then(|name| name.to_str()).ok_or_else(wrong)?.to_owned(), path)
            }
        };
        let name = name.trim_matches('/');
        let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
        if !name.split('/').all(plain) || path.as_os_str().is_empty() {
            return Err(wrong());
        }
        Ok(Folder { name: format!("/{name}"), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_have_a_name_inside() {
        let folder = |text: &str| text.parse::<Folder>();
        let named = |name: &str, path: &str| Ok(Folder { name: name.into(), path: path.into() });
        assert_eq!(folder("./data/words"), named("/words", "./data/words"));
        assert_eq!(folder("/srv/words/"), named("/words", "/srv/words/"));
        assert_eq!(folder("dict=/srv/words"), named("/dict", "/srv/words"));
        assert_eq!(folder("/a/b/=/srv/words"), named("/a/b", "/srv/words"));
        for wrong in ["", "/", "..", "=x", "x=", "../..", "a/../b=x", "//=x"] {
            assert!(folder(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn variables_have_a_value_or_the_hosts() {
        assert_eq!("TZ".parse(), Ok(Variable { name: "TZ".into(), value: None }));
        assert_eq!("A=b=c".parse(), Ok(Variable { name: "A".into(), value: Some("b=c".into()) }));
        assert!("=b".parse::<Variable>().is_err() && "".parse::<Variable>().is_err());
    }

    #[test]
    fn values_are_never_shown() {
        let grants = Grants {
            config: [("a", "secret"), ("b", "env:B"), ("c", "file:/c")]
                .map(|(key, text)| (key.into(), text.into()))
                .into(),
            environment: vec!["TOKEN=secret".parse().expect("a variable")],
            ..Grants::default()
        };
        let shown = format!("{grants:?}");
        assert!(!shown.contains("secret") && shown.contains("\"B\"") && shown.contains("/c"), "{shown}");
    }
}
