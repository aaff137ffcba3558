//! Answers to handshakes and plain requests: what the query asks for, right or wrong.

use lakou_sdk::{Acceptance, Refusal, Request, Result, http};
use serde_json::json;

/// `?refuse=STATUS` refuses, `?subprotocol=NAME` chooses, `?header=NAME:VALUE` adds a header field (bytes above 127 and
/// control characters are the test's to try), to either answer.
pub(crate) fn to(request: &Request) -> Result<Acceptance, Refusal> {
    let header = request.query_param("header");
    let header = header.as_deref().and_then(|field| field.split_once(':'));
    if let Some(status) = request.query_param("refuse") {
        let mut refusal = Refusal::new(status.parse().unwrap_or_default(), "refused on demand");
        if let Some((name, value)) = header {
            refusal = refusal.with_header(name, value);
        }
        return Err(refusal);
    }
    let mut acceptance = Acceptance::new();
    if let Some(subprotocol) = request.query_param("subprotocol") {
        acceptance = acceptance.with_subprotocol(subprotocol);
    }
    if let Some((name, value)) = header {
        acceptance = acceptance.with_header(name, value);
    }
    Ok(acceptance)
}

/// What the guest was shown of the request that opened a connection, as JSON.
pub(crate) fn report(request: &Request) -> String {
    let params: Vec<_> = request.params().iter().map(|(name, value)| json!([name, value])).collect();
    let headers: Vec<_> =
        request.headers().iter().map(|(name, value)| json!([name, String::from_utf8_lossy(value)])).collect();
    json!({
        "method": request.method(),
        "path": request.path(),
        "query": request.query(),
        "params": params,
        "headers": headers,
        "remote": request.remote(),
        "subprotocols": request.subprotocols(),
    })
    .to_string()
}

/// What the guest was shown of a plain request, as JSON.
pub(crate) fn describe(request: &http::Request<Vec<u8>>) -> String {
    json!({
        "method": request.method().as_str(),
        "uri": request.uri().to_string(),
        "path": request.uri().path(),
        "query": request.uri().query(),
        "body": String::from_utf8_lossy(request.body()),
    })
    .to_string()
}
