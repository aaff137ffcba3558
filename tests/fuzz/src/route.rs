//! A path pattern, and a path: what is before and after a zero byte.

use lakou_host::fuzzing;

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (pattern, path) = text.split_once('\0').unwrap_or((text, text));
    match fuzzing::route(pattern, path) {
        Ok(Some(params)) => {
            for (name, _) in &params {
                let named = |part: &str| part == format!("{{{name}}}") || part == format!("{{*{name}}}");
                assert!(pattern.split('/').any(named), "{pattern:?} has no parameter {name:?}");
            }
            let wanted = pattern.split('/').filter(|part| part.starts_with('{')).count();
            assert_eq!(params.len(), wanted, "each parameter has a value");
        }
        Ok(None) => {}
        Err(error) => super::one_line(&error),
    }
    // What a literal pattern is made of leads to it, if it can be a path at all.
    let plain = !pattern.contains(['{', '%']) && pattern.bytes().all(|byte| byte.is_ascii_graphic());
    let encoded = pattern.contains(['"', '<', '>', '[', '\\', ']', '^', '`', '|']);
    if plain && !encoded && fuzzing::route(pattern, pattern) == Ok(None) {
        panic!("{pattern:?} does not lead to itself");
    }
}
