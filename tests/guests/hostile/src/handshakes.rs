//! Answers and closes that no client should ever see.

use lakou_sdk::{Acceptance, Refusal, Result, Socket};

pub(crate) fn answer(deed: &str) -> Result<Acceptance, Refusal> {
    let refusal = Refusal::new(403, "no");
    match deed {
        "connect-refuse-enormously" => Err(Refusal::new(403, vec![b'x'; 40 << 20])),
        "connect-refuse-with-enormous-headers" => {
            Err((0..100).fold(refusal, |refusal, number| refusal.with_header(format!("x-{number}"), vec![b'x'; 4096])))
        }
        "connect-accept-with-enormous-headers" => {
            let acceptance = Acceptance::new();
            Ok((0..100).fold(acceptance, |yes, number| yes.with_header(format!("x-{number}"), vec![b'x'; 4096])))
        }
        "connect-refuse-with-bad-names" => Err(refusal.with_header("no name: at all\r\nset-cookie", "a=b")),
        "connect-refuse-with-bad-values" => Err(refusal.with_header("x-split", "a\r\nset-cookie: a=b")),
        "connect-accept-with-a-bad-subprotocol" => Ok(Acceptance::new().with_subprotocol("a\r\nset-cookie: a=b")),
        _ => Ok(Acceptance::new()),
    }
}

/// Tries every code that no close frame may have, and says which of them were taken.
pub(crate) fn close_codes(socket: &Socket) -> String {
    let forbidden = (0..1000).chain(1004..1007).chain(1015..3000).chain(5000..=u16::MAX);
    let taken: Vec<u16> = forbidden.filter(|code| socket.close(*code, "").is_ok()).collect();
    let long = socket.close(4000, &"x".repeat(124)).is_ok();
    format!("taken: {taken:?} {long}")
}
