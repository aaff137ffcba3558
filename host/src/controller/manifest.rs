//! The defaults that a component carries in its custom section `lakou:controller`, read before anything of it is compiled.

use serde::Deserialize;
use wasmparser::{Parser, Payload};

use crate::ids::is_controller_name;
use crate::text::printable;

/// The section that holds the defaults.
const SECTION: &str = "lakou:controller";

/// The version of the section that this host reads.
const VERSION: u32 = 1;

/// The section is read as text by people and programs; a longer one is a mistake.
const SIZE_LIMIT: usize = 64 * 1024;

/// What a component says about itself. All of it can be overridden by the operator.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) name: Option<String>,
    pub(super) path: Option<String>,
    /// Its objects can be made anew from saved state.
    pub(super) resume: bool,
    /// It runs without clients, too.
    pub(super) service: bool,
}

/// Why a file's defaults can not be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ManifestError {
    #[error("not a WebAssembly file: {}", one_line(.0))]
    NotWasm(String),
    #[error("a core module, not a component: build it for wasm32-wasip2, or wrap it with `wasm-tools component new`")]
    CoreModule,
    #[error("its section `lakou:controller` {}", one_line(.0))]
    Section(String),
}

#[derive(Deserialize)]
struct Section {
    version: u32,
    name: Option<String>,
    path: Option<String>,
    #[serde(default)]
    resume: bool,
    #[serde(default)]
    service: bool,
}

/// Reads the defaults of a component.
pub(super) fn read(wasm: &[u8]) -> Result<Manifest, ManifestError> {
    if Parser::is_core_wasm(wasm) {
        return Err(ManifestError::CoreModule);
    }
    if !Parser::is_component(wasm) {
        return Err(ManifestError::NotWasm("it does not begin like one".into()));
    }
    let mut found = None;
    // The section lies in the core module that the guest's linker wrote; the parser walks into nested modules.
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(|error| ManifestError::NotWasm(error.to_string()))?;
        if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
            && found.replace(parse(section.data())?).is_some()
        {
            return Err(ManifestError::Section("occurs twice: two controllers in one component".into()));
        }
    }
    Ok(found.unwrap_or_default())
}

/// Whether the defaults of a component can be read; why not.
pub(crate) fn check_defaults(wasm: &[u8]) -> Result<(), String> {
    read(wasm).map(drop).map_err(|error| error.to_string())
}

/// Libraries quote what they have found, and over several lines.
fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

fn parse(data: &[u8]) -> Result<Manifest, ManifestError> {
    if data.len() > SIZE_LIMIT {
        return Err(ManifestError::Section(format!("has {} bytes; at most {SIZE_LIMIT} are read", data.len())));
    }
    let section: Section = serde_json::from_slice(data)
        .map_err(|error| ManifestError::Section(format!("is not the JSON object that it should be: {error}")))?;
    if section.version != VERSION {
        return Err(ManifestError::Section(format!(
            "has version {}, this host reads version {VERSION}: a newer host is needed",
            section.version
        )));
    }
    if let Some(name) = &section.name {
        check_name(name).map_err(ManifestError::Section)?;
    }
    Ok(Manifest { name: section.name, path: section.path, resume: section.resume, service: section.service })
}

/// Whether a controller may have this name.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if is_controller_name(name) {
        return Ok(());
    }
    Err(format!("names it {name:?}: a name has 1 to 64 letters, digits, `-` and `_`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty component with one custom section.
    fn component(section: &str, data: &[u8]) -> Vec<u8> {
        let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
        let mut payload = vec![u8::try_from(section.len()).expect("short")];
        payload.extend(section.bytes());
        payload.extend(data);
        wasm.push(0);
        wasm.extend([u8::try_from(payload.len() & 0x7f).expect("7 bits") | 0x80]);
        wasm.extend([u8::try_from(payload.len() >> 7).expect("short")]);
        wasm.extend(payload);
        wasm
    }

    #[test]
    fn defaults_are_read() {
        let wasm =
            component(SECTION, br#"{"version":1,"name":"chat","path":"/chat/{room}","resume":true,"later":true}"#);
        let manifest = read(&wasm).expect("a manifest");
        assert_eq!(
            manifest,
            Manifest { name: Some("chat".into()), path: Some("/chat/{room}".into()), resume: true, service: false }
        );
        let service = read(&component(SECTION, br#"{"version":1,"service":true}"#)).expect("a manifest");
        assert!(service.service && service.path.is_none() && !manifest.service);
        assert_eq!(read(&component("other", b"x")), Ok(Manifest::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |wasm: &[u8]| read(wasm).expect_err("wrong").to_string();
        assert!(error(b"hello").contains("not a WebAssembly file"));
        assert!(error(b"\0asm\x01\0\0\0").contains("core module"));
        assert!(error(b"\0asm\x0d\0\x01\0\x00").contains("not a WebAssembly file"), "cut off");
        assert!(error(&component(SECTION, b"[]")).contains("JSON object"));
        assert!(error(&component(SECTION, br#"{"version":2}"#)).contains("newer host"));
        assert!(error(&component(SECTION, br#"{"version":1,"name":"a/b"}"#)).contains("\"a/b\""));
        let mut twice = component(SECTION, br#"{"version":1}"#);
        twice.extend_from_slice(&component(SECTION, br#"{"version":1}"#)[8..]);
        assert!(error(&twice).contains("twice"));
    }
}
