//! A component, or what pretends to be one.

use lakou_host::fuzzing;

pub(crate) fn check(bytes: &[u8]) {
    if let Err(error) = fuzzing::defaults(bytes) {
        super::one_line(&error);
    }
    // Most of what a fuzzer finds is no component, so the bytes are a section of one, too.
    if let Err(error) = fuzzing::defaults(&component(bytes)) {
        super::one_line(&error);
    }
}

/// An empty component with one custom section.
fn component(data: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"lakou:controller";
    let mut payload = vec![u8::try_from(NAME.len()).expect("short")];
    payload.extend_from_slice(NAME);
    payload.extend_from_slice(data);
    let mut wasm = b"\0asm\x0d\0\x01\0\0".to_vec();
    let mut length = payload.len();
    loop {
        let low = u8::try_from(length & 0x7f).expect("7 bits");
        length >>= 7;
        wasm.push(if length == 0 { low } else { low | 0x80 });
        if length == 0 {
            break;
        }
    }
    wasm.extend(payload);
    wasm
}
