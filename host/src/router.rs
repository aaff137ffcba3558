//! Which controller a path belongs to. Segment by segment, a literal is preferred to a parameter, and a parameter to a rest
//! pattern; a preferred branch that leads nowhere is left again.
//!
//! Paths are compared after their percent-encoded unreserved characters are decoded (RFC 3986, section 6.2.2.2), so that
//! `/ch%61t` is `/chat` but `/a%2Fb` is one segment. Parameters are decoded fully, after the match.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use self::pattern::{Pattern, Segment};
use crate::controller::Class;
use crate::text::printable;

mod pattern;

/// The mounted controllers by path pattern.
pub(crate) struct Router<T = Arc<Class>> {
    root: Node<T>,
}

/// Everything that may follow one beginning of a path.
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    parameter: Option<Box<Node<T>>>,
    end: Option<Mounted<T>>,
    rest: Option<Mounted<T>>,
}

struct Mounted<T> {
    target: T,
    pattern: Pattern,
}

/// Why a pattern can not be mounted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountError {
    #[error("its path {} collides with {}, which is mounted already: set another path in [controller.NAME]", printable(.path), printable(.other))]
    Taken { path: String, other: String },
    #[error("its path {} is no pattern: {cause}", printable(.path))]
    Pattern { path: String, cause: String },
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// No controller is mounted there.
    NotFound,
    /// The path is not valid percent-encoded UTF-8.
    Malformed,
}

/// A controller and the parameters of the path, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'r, T> {
    pub(crate) target: &'r T,
    pub(crate) params: Vec<(String, String)>,
}

impl<T> Router<T> {
    pub(crate) fn new() -> Self {
        Router { root: Node::new() }
    }

    /// Mounts `target` on a pattern: `/literal`, `/{parameter}`, and at the end `/{*rest}`, which matches nothing, too.
    pub(crate) fn mount(&mut self, path: &str, target: T) -> Result<(), MountError> {
        let pattern: Pattern = path.parse().map_err(|cause| MountError::Pattern { path: path.to_owned(), cause })?;
        let mut node = &mut self.root;
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(literal) => node.literals.entry(literal.clone()).or_insert_with(Node::new),
                Segment::Parameter(_) => node.parameter.get_or_insert_with(|| Box::new(Node::new())),
            };
        }
        let place = if pattern.rest.is_some() { &mut node.rest } else { &mut node.end };
        if let Some(other) = place {
            return Err(MountError::Taken { path: path.to_owned(), other: other.pattern.to_string() });
        }
        *place = Some(Mounted { target, pattern });
        Ok(())
    }

    /// Finds the controller of a path, which is as the client sent it.
    pub(crate) fn route(&self, path: &str) -> Result<Route<'_, T>, NoRoute> {
        let path = normal(path)?;
        let segments: Vec<&str> = path.strip_prefix('/').ok_or(NoRoute::NotFound)?.split('/').collect();
        let (mounted, taken) = self.root.find(&segments, 0).ok_or(NoRoute::NotFound)?;
        let mut params = Vec::new();
        for (segment, value) in mounted.pattern.segments.iter().zip(&segments) {
            if let Segment::Parameter(name) = segment {
                params.push((name.clone(), decoded(value)?));
            }
        }
        if let Some(name) = &mounted.pattern.rest {
            params.push((name.clone(), decoded(&segments[taken..].join("/"))?));
        }
        Ok(Route { target: &mounted.target, params })
    }
}

impl<T> Node<T> {
    fn new() -> Self {
        Node { literals: HashMap::new(), parameter: None, end: None, rest: None }
    }

    /// The best match for what follows the first `taken` segments, and how many segments it has taken. The recursion is as
    /// deep as the deepest pattern, whatever the path.
    fn find(&self, segments: &[&str], taken: usize) -> Option<(&Mounted<T>, usize)> {
        let Some(segment) = segments.get(taken) else {
            return self.end.as_ref().or(self.rest.as_ref()).map(|mounted| (mounted, taken));
        };
        let literal = self.literals.get(*segment).and_then(|node| node.find(segments, taken + 1));
        let parameter = || {
            let node = self.parameter.as_ref().filter(|_| !segment.is_empty())?;
            node.find(segments, taken + 1)
        };
        literal.or_else(parameter).or_else(|| self.rest.as_ref().map(|mounted| (mounted, taken)))
    }
}

fn decoded(text: &str) -> Result<String, NoRoute> {
    percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| NoRoute::Malformed)
}

/// Decodes what needs no encoding, and refuses what is no encoding.
fn normal(path: &str) -> Result<Cow<'_, str>, NoRoute> {
    if !path.contains('%') {
        return Ok(Cow::Borrowed(path));
    }
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let code = after.get(..2).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = code.ok_or(NoRoute::Malformed)?;
        let byte = u8::from_str_radix(code, 16).map_err(|_| NoRoute::Malformed)?;
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || "-._~".contains(character) {
            normal.push(character);
        } else {
            normal.push('%');
            // Both cases mean the same (section 6.2.2.1).
            normal.push_str(&code.to_ascii_uppercase());
        }
        rest = &after[2..];
    }
    normal.push_str(rest);
    Ok(Cow::Owned(normal))
}

#[cfg(test)]
mod tests;
