//! The arguments of `#[controller]`: the defaults that the component carries.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Result, Token};

use crate::path;

/// A controller's own name and path pattern.
pub(crate) struct Defaults {
    pub(crate) name: String,
    /// None: it is a service and nothing else.
    pub(crate) path: Option<String>,
    /// Whether it has an object on each server without a client.
    pub(crate) service: bool,
    /// Whether its objects can be made anew from saved state; it is the block that says so.
    pub(crate) resume: bool,
}

const WANTED: &str = "wanted: `#[controller]`, `#[controller(path = \"/chat/{room}\")]`, \
                      `#[controller(name = \"chat\", path = \"/chat/{room}\")]` or `#[controller(service)]`";

/// Longer names are refused by the host.
const LONGEST_NAME: usize = 64;

impl Defaults {
    pub(crate) fn parse(args: TokenStream, class: &Ident) -> Result<Self> {
        let settings = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(args)?;
        let (mut name, mut path, mut service) = (None, None, false);
        for Setting { key, value } in settings {
            let twice = match value {
                None => std::mem::replace(&mut service, true),
                Some(value) if key == "name" => name.replace(value).is_some(),
                Some(value) => path.replace(value).is_some(),
            };
            if twice {
                return Err(Error::new(key.span(), format!("`{key}` is given twice; {WANTED}")));
            }
        }
        let name = match name {
            Some(name) => checked_name(&name)?,
            None => kebab_case(&class.to_string()),
        };
        let path = match path {
            Some(path) => {
                path::check(&path.value()).map_err(|reason| Error::new(path.span(), reason))?;
                Some(path.value())
            }
            None if service => None,
            None => Some(format!("/{name}")),
        };
        Ok(Self { name, path, service, resume: false })
    }

    /// The content of the custom section. No field can hold a character that JSON escapes.
    pub(crate) fn to_json(&self) -> String {
        let path = self.path.as_ref().map(|path| format!(r#","path":"{path}""#)).unwrap_or_default();
        let service = if self.service { r#","service":true"# } else { "" };
        let resume = if self.resume { r#","resume":true"# } else { "" };
        format!(r#"{{"version":1,"name":"{}"{path}{service}{resume}}}"#, self.name)
    }
}

/// `key = "value"`, or `service`.
struct Setting {
    key: Ident,
    value: Option<LitStr>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let Ok(key) = input.parse::<Ident>() else { return Err(input.error(WANTED)) };
        if key == "service" {
            return Ok(Self { key, value: None });
        }
        if key != "name" && key != "path" {
            return Err(Error::new(key.span(), format!("unknown argument `{key}`; {WANTED}")));
        }
        if input.parse::<Token![=]>().is_err() {
            return Err(Error::new(key.span(), format!("`{key}` needs a value; {WANTED}")));
        }
        if !input.peek(LitStr) {
            return Err(input.error(format!("`{key}` is a string literal; {WANTED}")));
        }
        Ok(Self { key, value: Some(input.parse()?) })
    }
}

fn checked_name(literal: &LitStr) -> Result<String> {
    let name = literal.value();
    let fits = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
        let reason = format!("a controller's name is 1 to {LONGEST_NAME} letters, digits, `-` and `_`, as `chat`");
        return Err(Error::new(literal.span(), reason));
    }
    Ok(name)
}

/// `PlainHttp` is `plain-http`, and so is `PlainHTTP`.
fn kebab_case(name: &str) -> String {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let characters: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (index, &character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| characters[index]);
        let after = characters.get(index + 1);
        let begins_word = character.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() && before != '_'
                    || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if begins_word {
            kebab.push('-');
        }
        if character == '_' {
            kebab.push('-');
        } else {
            kebab.extend(character.to_lowercase());
        }
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::{Defaults, kebab_case};

    #[test]
    fn the_section_says_that_objects_can_be_resumed_where_they_can() {
        let defaults =
            Defaults { name: "chat".to_owned(), path: Some("/chat/{room}".to_owned()), service: false, resume: false };
        assert_eq!(defaults.to_json(), r#"{"version":1,"name":"chat","path":"/chat/{room}"}"#);
        let defaults = Defaults { resume: true, ..defaults };
        assert_eq!(defaults.to_json(), r#"{"version":1,"name":"chat","path":"/chat/{room}","resume":true}"#);
        let defaults = Defaults { service: true, path: None, ..defaults };
        assert_eq!(defaults.to_json(), r#"{"version":1,"name":"chat","service":true,"resume":true}"#);
    }

    #[test]
    fn words_are_found_in_type_names() {
        for (name, kebab) in [
            ("Echo", "echo"),
            ("PlainHttp", "plain-http"),
            ("PlainHTTP", "plain-http"),
            ("HTTPEcho", "http-echo"),
            ("Room2", "room2"),
            ("Two_Words", "two-words"),
        ] {
            assert_eq!(kebab_case(name), kebab);
        }
    }
}
