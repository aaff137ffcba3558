//! Which controller a path belongs to: literal segments before parameters before a rest pattern.
//!
//! Paths are compared after their percent-encoded unreserved characters are decoded (RFC 3986, section 6.2.2.2), so that
//! `/ch%61t` is `/chat` but `/a%2Fb` is one segment. Parameters are decoded fully, after the match.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::controller::Class;

/// The mounted controllers by path pattern.
pub(crate) struct Router<T = Arc<Class>> {
    routes: matchit::Router<Mounted<T>>,
}

#[derive(Clone)]
struct Mounted<T> {
    target: T,
    /// The rest parameter that matched nothing on this route.
    empty_rest: Option<String>,
}

/// Why a pattern can not be mounted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountError {
    #[error("its path {path} collides with {other}, which is mounted already: set another path in [controller.NAME]")]
    Taken { path: String, other: String },
    #[error("its path {path} is no pattern: {cause}")]
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

impl<T: Clone> Router<T> {
    pub(crate) fn new() -> Self {
        Router { routes: matchit::Router::new() }
    }

    /// Mounts `target` on a pattern: `/literal`, `/{parameter}`, and at the end `/{*rest}`, which matches nothing, too.
    pub(crate) fn mount(&mut self, path: &str, target: T) -> Result<(), MountError> {
        let fault = |error: matchit::InsertError| match error {
            matchit::InsertError::Conflict { with } => MountError::Taken { path: path.to_owned(), other: with },
            other => MountError::Pattern { path: path.to_owned(), cause: other.to_string() },
        };
        if !path.starts_with('/') {
            return Err(MountError::Pattern { path: path.to_owned(), cause: "it does not begin with `/`".into() });
        }
        // Into a copy first: a pattern that stands for several is mounted as a whole or not at all.
        let mut routes = self.routes.clone();
        routes.insert(path, Mounted { target: target.clone(), empty_rest: None }).map_err(fault)?;
        if let Some((before, rest)) = path.split_once("/{*") {
            let mounted = Mounted { target, empty_rest: Some(rest.trim_end_matches('}').to_owned()) };
            routes.insert(format!("{before}/"), mounted.clone()).map_err(fault)?;
            if !before.is_empty() {
                routes.insert(before, mounted).map_err(fault)?;
            }
        }
        self.routes = routes;
        Ok(())
    }

    /// Finds the controller of a path, which is as the client sent it.
    pub(crate) fn route(&self, path: &str) -> Result<Route<'_, T>, NoRoute> {
        let path = normal(path)?;
        let matched = self.routes.at(&path).map_err(|_| NoRoute::NotFound)?;
        let params = matched.params.iter().map(|(name, value)| Ok((name.to_owned(), decoded(value)?)));
        let empty_rest = matched.value.empty_rest.clone().map(|name| Ok((name, String::new())));
        Ok(Route { target: &matched.value.target, params: params.chain(empty_rest).collect::<Result<_, _>>()? })
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
            normal.push_str(code);
        }
        rest = &after[2..];
    }
    normal.push_str(rest);
    Ok(Cow::Owned(normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&'static str]) -> Router<&'static str> {
        let mut router = Router::new();
        for pattern in patterns {
            router.mount(pattern, *pattern).expect("a pattern");
        }
        router
    }

    #[test]
    fn literals_before_parameters_before_the_rest() {
        let router = router(&["/{*rest}", "/chat/{room}", "/chat/lobby", "/files/{*path}"]);
        let target = |path| router.route(path).map(|route| *route.target);
        assert_eq!(target("/chat/lobby"), Ok("/chat/lobby"));
        assert_eq!(target("/chat/tea"), Ok("/chat/{room}"));
        assert_eq!(target("/chat/tea/x"), Ok("/{*rest}"));
        assert_eq!(target("/"), Ok("/{*rest}"));
        assert_eq!(target("/files"), Ok("/files/{*path}"));
        assert_eq!(target("/files/"), Ok("/files/{*path}"));
        assert_eq!(target("/files/a/b"), Ok("/files/{*path}"));
    }

    #[test]
    fn parameters_are_decoded_once() {
        let router = router(&["/chat/{room}", "/files/{*path}"]);
        let param = |path| router.route(path).map(|route| route.params[0].1.clone());
        assert_eq!(param("/ch%61t/caf%C3%A9%20%2520"), Ok("café %20".into()));
        assert_eq!(param("/chat/a%2Fb"), Ok("a/b".into()));
        assert_eq!(param("/files"), Ok(String::new()));
        assert_eq!(param("/files/a/b%2fc"), Ok("a/b/c".into()));
        for path in ["/chat/%", "/chat/%4", "/chat/%zz", "/chat/%+f", "/chat/%ff", "/chat/%é"] {
            assert_eq!(param(path), Err(NoRoute::Malformed), "{path}");
        }
        assert_eq!(param("/nowhere"), Err(NoRoute::NotFound));
    }

    #[test]
    fn collisions_leave_the_first() {
        let mut router = router(&["/chat/{room}", "/files"]);
        assert!(matches!(router.mount("/chat/{other}", "x"), Err(MountError::Taken { .. })));
        assert!(matches!(router.mount("/files/{*path}", "x"), Err(MountError::Taken { .. })));
        assert_eq!(router.route("/files/a"), Err(NoRoute::NotFound), "nothing of it is mounted");
        assert!(matches!(router.mount("/{*rest}/x", "x"), Err(MountError::Pattern { .. })));
        assert!(matches!(router.mount("chat", "x"), Err(MountError::Pattern { .. })));
    }
}
