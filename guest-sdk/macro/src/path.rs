//! Path patterns, checked where they are written, so that the host does not have to refuse the component.

/// Says what is wrong with a pattern.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    let wrong = |reason: &str| Err(format!("{reason}; a path is written as `/chat/{{room}}` or `/files/{{*rest}}`"));
    let Some(segments) = pattern.strip_prefix('/') else { return wrong("a path starts with `/`") };
    if let Some(character) = pattern.chars().find(|character| is_forbidden(*character)) {
        return wrong(&format!("a path has no {character:?}"));
    }
    if segments.is_empty() {
        return Ok(());
    }
    let mut names = Vec::new();
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() {
            return wrong("a path has no empty segment and no `/` at its end");
        }
        if !segment.contains(['{', '}', '*']) {
            if segment == "." || segment == ".." {
                return wrong("no client asks for `.` or `..`");
            }
            continue;
        }
        let Some(name) = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) else {
            return wrong(&format!("`{segment}` is neither literal nor one parameter"));
        };
        let rest = name.strip_prefix('*');
        if rest.is_some() && segments.peek().is_some() {
            return wrong(&format!("nothing can follow `{segment}`"));
        }
        let name = rest.unwrap_or(name);
        let mut characters = name.chars();
        if !characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            || !characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        {
            return wrong(&format!("`{name}` is not a parameter's name"));
        }
        if names.contains(&name) {
            return wrong(&format!("two parameters are called `{name}`"));
        }
        names.push(name);
    }
    Ok(())
}

/// What would end the path, has a meaning in an address, or needs escaping in the component's JSON.
fn is_forbidden(character: char) -> bool {
    character.is_whitespace() || character.is_control() || matches!(character, '?' | '#' | '%' | '"' | '\\')
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn patterns_of_the_host_are_accepted() {
        for pattern in ["/", "/chat", "/chat/{room}", "/a/{b}/c/{d_1}", "/files/{*rest}", "/{*all}", "/größe"] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn others_are_refused() {
        let patterns = [
            "", "chat", "/chat/", "//", "/a?b", "/a#b", "/a b", "/a%20b", "/\"", "/\\", "/{}", "/{*}", "/{1}", "/a{b}",
            "/{b}c", "/{a}/{a}", "/{*a}/b", "/*", "/..", "/{a", "/a}",
        ];
        for pattern in patterns {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
