//! Hand-made components of a few bytes, for files that no toolchain writes. The binary format:
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>.

/// A core module, empty and valid.
pub(crate) const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A component, empty and valid: it exports nothing.
pub(crate) const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// `component` with every occurrence of `from` changed in place to `to`, which is as long, and how many there were.
pub(crate) fn patched(component: &[u8], from: &str, to: &str) -> (Vec<u8>, usize) {
    assert_eq!(from.len(), to.len(), "lengths are written in many places");
    let windows = component.windows(from.len()).enumerate();
    let places: Vec<usize> = windows.filter(|(_, window)| *window == from.as_bytes()).map(|(at, _)| at).collect();
    let mut bytes = component.to_vec();
    for at in &places {
        bytes[*at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    (bytes, places.len())
}

/// `component` with the embedded defaults `json` added to it.
pub(crate) fn with_defaults(component: &[u8], json: &str) -> Vec<u8> {
    with_custom_section(component, "lakou:controller", json.as_bytes())
}

/// `component` with a custom section added at its end.
pub(crate) fn with_custom_section(component: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut custom = text(name);
    custom.extend(content);
    let mut bytes = component.to_vec();
    bytes.extend(section(0, &custom));
    bytes
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![id];
    bytes.extend(leb128(content.len()));
    bytes.extend(content);
    bytes
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = leb128(value.len());
    bytes.extend(value.as_bytes());
    bytes
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
