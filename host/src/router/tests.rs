//! Precedence, decoding, and patterns that collide or are none.

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
    let router = router(&["/{*rest}", "/chat/{room}", "/chat/lobby", "/files/{*path}", "/files/{name}", "/{a}/{b}/c"]);
    let target = |path| router.route(path).map(|route| *route.target);
    assert_eq!(target("/chat/lobby"), Ok("/chat/lobby"));
    assert_eq!(target("/chat/tea"), Ok("/chat/{room}"));
    assert_eq!(target("/chat/"), Ok("/{*rest}"), "a parameter is not empty");
    assert_eq!(target("/chat/tea/c"), Ok("/{a}/{b}/c"), "a preferred branch is left again");
    assert_eq!(target("/chat/tea/x"), Ok("/{*rest}"));
    assert_eq!(target("/"), Ok("/{*rest}"));
    assert_eq!(target("/files"), Ok("/files/{*path}"));
    assert_eq!(target("/files/"), Ok("/files/{*path}"));
    assert_eq!(target("/files/a"), Ok("/files/{name}"));
    assert_eq!(target("/files/a/b"), Ok("/files/{*path}"));
    assert_eq!(target("*"), Err(NoRoute::NotFound));
}

#[test]
fn a_path_of_very_many_segments_is_just_a_path() {
    let router = router(&["/files/{*path}"]);
    let path = format!("/files{}", "/x".repeat(30_000));
    assert_eq!(router.route(&path).map(|route| route.params[0].1.len()), Ok(59_999));
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
fn literals_need_not_be_ascii() {
    let router = router(&["/caf\u{e9}/the bar"]);
    for path in ["/caf%C3%A9/the%20bar", "/caf%c3%a9/the%20bar"] {
        assert!(router.route(path).is_ok(), "{path}");
    }
}

#[test]
fn collisions_leave_the_first() {
    let mut router = router(&["/chat/{room}", "/files/{*path}"]);
    assert!(
        matches!(router.mount("/chat/{other}", "x"), Err(MountError::Taken { other, .. }) if other == "/chat/{room}")
    );
    assert!(matches!(router.mount("/files/{*other}", "x"), Err(MountError::Taken { .. })));
    assert_eq!(router.mount("/files", "/files"), Ok(()), "more literal than the rest");
    assert_eq!(router.route("/files").map(|route| *route.target), Ok("/files"));
}

#[test]
fn what_is_no_pattern_is_named() {
    let mut router = router(&[]);
    for path in ["chat", "", "/{*rest}/x", "/{a}/{a}", "/{}", "/x-{a}", "/{a", "/a?b", "/%20", &"/x".repeat(33)] {
        assert!(matches!(router.mount(path, "x"), Err(MountError::Pattern { .. })), "{path}");
    }
}
