//! What the real host checks of a request for a connection, and of the answer to it. What does not hold of the answer becomes 500.

use http::header::{self, HeaderName, HeaderValue};

use super::is_token;
use crate::request::{Acceptance, Refusal, Request};

/// An answer has no more header fields than this.
const MOST_FIELDS: usize = 100;
/// The header fields of an answer are not larger together, in bytes.
const LARGEST_FIELDS: usize = 64 * 1024;

type Checked = Result<(), String>;

/// What is wrong with what a client offers: it gets 400, and the controller is not asked.
pub(in crate::testing) fn request(request: &Request) -> Checked {
    match request.subprotocols.iter().find(|subprotocol| !is_token(subprotocol)) {
        Some(wrong) => Err(format!("sec-websocket-protocol must be a list of tokens, and {wrong:?} is none")),
        None => Ok(()),
    }
}

pub(in crate::testing) fn acceptance(request: &Request, acceptance: &Acceptance) -> Checked {
    let failed = |wrong: String| format!("connect accepted with {wrong}");
    if let Some(subprotocol) = &acceptance.subprotocol {
        if !request.subprotocols.contains(subprotocol) {
            return Err(failed(format!("subprotocol {subprotocol:?}, which the client did not offer")));
        }
        HeaderValue::from_str(subprotocol).map_err(|_| failed(format!("sec-websocket-protocol {subprotocol:?}")))?;
    }
    fields(&acceptance.headers, is_of_the_handshake).map_err(failed)
}

pub(in crate::testing) fn refusal(refusal: &Refusal) -> Checked {
    let failed = |wrong: String| format!("connect refused with {wrong}");
    if !(300..600).contains(&refusal.status) {
        return Err(failed(format!("status {}; 300 to 599 are possible", refusal.status)));
    }
    let is_own = |name: &HeaderName| {
        [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(name)
            || (*name == header::UPGRADE && refusal.status != 426)
    };
    fields(&refusal.headers, is_own).map_err(failed)
}

fn fields(fields: &[(String, Vec<u8>)], is_own: impl Fn(&HeaderName) -> bool) -> Checked {
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    if fields.len() > MOST_FIELDS || bytes > LARGEST_FIELDS {
        let most = format!("{MOST_FIELDS} of {LARGEST_FIELDS} are possible");
        return Err(format!("{} header fields of {bytes} bytes; {most}", fields.len()));
    }
    for (name, value) in fields {
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|_| format!("a bad header: {name:?} is no header name"))?;
        HeaderValue::from_bytes(value)
            .map_err(|_| format!("a bad header: the value of {parsed} has bytes that no header may have"))?;
        if is_own(&parsed) {
            return Err(format!("the header {parsed}, which is the host's to set"));
        }
    }
    Ok(())
}

fn is_of_the_handshake(name: &HeaderName) -> bool {
    let own = [header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    own.contains(name) || name.as_str().starts_with("sec-websocket-")
}
