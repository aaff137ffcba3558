//! A stock `wasi:http/proxy` component that fails in the middle of an answer: the path's last segment says how, and the first
//! piece of the request's body says when.

#![cfg(target_family = "wasm")]

use std::io::Write as _;

use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct BreaksOff;

wasip2::http::proxy::export!(BreaksOff);

impl wasip2::exports::http::incoming_handler::Guest for BreaksOff {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("taken once");
        ResponseOutparam::set(response_out, Ok(response));
        let mut out = body.write().expect("taken once");
        // Whether the client is still there is of no interest here.
        let _ = out.write_all(b"half of it");
        let _ = out.blocking_flush();
        let asking = request.consume().and_then(|body| Ok((body.stream()?, body))).expect("taken once");
        let _ = asking.0.blocking_read(1);
        drop(asking);
        match path.rsplit('/').next() {
            Some("panic") => panic!("on purpose"),
            Some("loop") => spin(),
            Some("exit") => std::process::exit(7),
            _ => {}
        }
        drop(out);
        let _ = OutgoingBody::finish(body, None);
    }
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}
