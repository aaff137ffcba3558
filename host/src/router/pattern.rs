//! A path pattern, as a component or the operator writes it: `/chat/{room}`, `/files/{*rest}`.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// A pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) segments: Vec<Segment>,
    /// The name of the parameter that takes all further segments, or none of them.
    pub(super) rest: Option<String>,
}

/// One part of a pattern between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Literal(String),
    Parameter(String),
}

/// What a path can not have as it is (RFC 3986, section 3.3), of what a pattern can have.
const ENCODED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'[').add(b'\\').add(b']').add(b'^').add(b'`').add(b'|');

/// More segments than any sensible path has; looking a path up recurses as deep.
const SEGMENTS: usize = 32;

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.strip_prefix('/').ok_or("it does not begin with `/`")?;
        let mut pattern = Pattern { segments: Vec::new(), rest: None };
        let mut names: Vec<&str> = Vec::new();
        for part in path.split('/') {
            if pattern.rest.is_some() {
                return Err("a rest parameter must be the last segment".into());
            }
            let braced = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            let Some(name) = braced else {
                if part.contains(['{', '}', '?', '#', '%']) {
                    return Err(format!(
                        "segment {part:?}: a parameter is a whole segment, like {{room}}; `?`, `#` and `%` can not occur"
                    ));
                }
                // As it comes from a client.
                pattern.segments.push(Segment::Literal(utf8_percent_encode(part, ENCODED).to_string()));
                continue;
            };
            let (name, is_rest) = name.strip_prefix('*').map_or((name, false), |name| (name, true));
            if name.is_empty() || !name.chars().all(|character| character.is_alphanumeric() || "_-".contains(character))
            {
                return Err(format!("segment {part:?}: a parameter's name has letters, digits, `_` and `-`"));
            }
            if names.contains(&name) {
                return Err(format!("two parameters are named {name:?}"));
            }
            names.push(name);
            if is_rest {
                pattern.rest = Some(name.to_owned());
            } else {
                pattern.segments.push(Segment::Parameter(name.to_owned()));
            }
        }
        if pattern.segments.len() > SEGMENTS {
            return Err(format!("it has more than {SEGMENTS} segments"));
        }
        Ok(pattern)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => write!(formatter, "/{literal}")?,
                Segment::Parameter(name) => write!(formatter, "/{{{name}}}")?,
            }
        }
        match &self.rest {
            Some(name) => write!(formatter, "/{{*{name}}}"),
            None => Ok(()),
        }
    }
}
