//! A stock `wasi:http/proxy` component, without the SDK of this project: what other toolchains make drops in unchanged.
//!
//! Try it: `curl http://127.0.0.1:8000/plain_http` gets an answer in pieces; `curl -T - http://127.0.0.1:8000/plain_http`
//! sends back each line as you type it. A component that says nothing about its path is mounted on its file's name.

#![cfg(target_family = "wasm")]

use std::io::Write as _;

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use wasip2::io::streams::OutputStream;

struct PlainHttp;

wasip2::http::proxy::export!(PlainHttp);

/// As much as is taken in at once, in bytes.
const PIECE: u64 = 16 * 1024;

impl wasip2::exports::http::incoming_handler::Guest for PlainHttp {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let (status, allowed) = match request.method() {
            Method::Get | Method::Post | Method::Put => (200, None),
            _ => (405, Some(b"GET, POST, PUT".to_vec())),
        };
        let head = Fields::new();
        let _ = head.append("content-type", b"text/plain; charset=utf-8");
        if let Some(allowed) = allowed {
            let _ = head.append("allow", &allowed);
        }
        let response = OutgoingResponse::new(head);
        let _ = response.set_status_code(status);
        let body = response.body().expect("taken once");
        ResponseOutparam::set(response_out, Ok(response));

        // From here on an error says that the client has gone: expected, and nothing is left to do.
        if let Ok(mut out) = body.write() {
            let _ = match request.method() {
                Method::Get => count(&mut out),
                Method::Post | Method::Put => request.consume().and_then(|body| echo(&body, &mut out)),
                _ => Ok(()),
            };
        }
        let _ = OutgoingBody::finish(body, None);
    }
}

/// An answer in pieces, each on its way before the next is made.
fn count(out: &mut OutputStream) -> Result<(), ()> {
    for number in 1..=3 {
        send(out, format!("{number}\n").as_bytes())?;
        monotonic_clock::subscribe_duration(50_000_000).block();
    }
    Ok(())
}

/// Each piece goes back before the next is read, so the answer begins before the request has ended.
fn echo(body: &IncomingBody, out: &mut OutputStream) -> Result<(), ()> {
    let pieces = body.stream()?;
    // The end of the body is an error of the stream, too: it is closed.
    while let Ok(piece) = pieces.blocking_read(PIECE) {
        send(out, &piece)?;
    }
    Ok(())
}

fn send(out: &mut OutputStream, bytes: &[u8]) -> Result<(), ()> {
    out.write_all(bytes).map_err(drop)?;
    out.blocking_flush().map_err(drop)
}
