//! Hand-made components of a few bytes, for files that no toolchain writes. The binary format:
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>.

/// A core module, empty and valid.
pub(crate) const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A component, empty and valid: it exports nothing.
pub(crate) const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component that imports an instance without members, named `import`, and exports nothing.
pub(crate) fn component_importing(import: &str) -> Vec<u8> {
    let mut bytes = EMPTY_COMPONENT.to_vec();
    // One type: an instance type with no declarations.
    bytes.extend(section(7, &[1, 0x42, 0]));
    // One import: a plain name, and "an instance of type 0".
    let mut imports = vec![1, 0];
    imports.extend(text(import));
    imports.extend([5, 0]);
    bytes.extend(section(10, &imports));
    bytes
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
