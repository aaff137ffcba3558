//! A stock `wasi:http/proxy` component whose answers are odd: the path's last segment says how. It takes no error lightly, as
//! the runtimes of some languages do not.

#![cfg(target_family = "wasm")]

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Answers;

wasip2::http::proxy::export!(Answers);

impl wasip2::exports::http::incoming_handler::Guest for Answers {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let (how, argument) = path.rsplit('/').next().and_then(|last| last.split_once('-')).unwrap_or_default();
        let number = argument.parse().unwrap_or(200);
        match how {
            // A piece each few milliseconds, for as long as there is a client.
            "stream" => answer(response_out, 200, &[], |out| {
                loop {
                    out.write_all(b"piece").expect("the client is there");
                    out.blocking_flush().expect("the client is there");
                    monotonic_clock::subscribe_duration(5_000_000).block();
                }
            }),
            // What it would have been long, and nothing of it.
            "length" => answer(response_out, number, &[("content-length", "5")], |_out| {}),
            "status" => answer(response_out, number, &[], |out| out.write_all(b"content").expect("taken in")),
            // All that was promised has gone out, and the end of it not.
            "promised" => {
                let body = begin(response_out, 200, &[("content-length", "5")]);
                let out = body.write().expect("taken once");
                out.blocking_write_and_flush(b"12345").expect("taken in");
                monotonic_clock::subscribe_duration(50_000_000).block();
                end("trap", number);
            }
            "exit" | "trap" => {
                answer(response_out, 200, &[], |out| out.write_all(b"all of it").expect("taken in"));
                end(how, number);
            }
            // The body is not finished.
            "half" => {
                let body = begin(response_out, 200, &[]);
                let out = body.write().expect("taken once");
                out.blocking_write_and_flush(b"half of it").expect("taken in");
                end("exit", number);
            }
            // How many requests this instance has had.
            "count" => {
                static REQUESTS: AtomicU32 = AtomicU32::new(0);
                let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
                answer(response_out, 200, &[], |out| write!(out, "{count}").expect("taken in"));
            }
            // So many fields are never dropped.
            "leak" => {
                (0..number).for_each(|_| std::mem::forget(Fields::new()));
                answer(response_out, 200, &[], |_out| {});
            }
            // No answer at all.
            "none" => end("exit", number),
            _ => answer(response_out, 404, &[], |_out| {}),
        }
    }
}

fn begin(response_out: ResponseOutparam, status: u16, fields: &[(&str, &str)]) -> OutgoingBody {
    let head = Fields::new();
    for (name, value) in fields {
        head.append(name, value.as_bytes()).expect("a field");
    }
    let response = OutgoingResponse::new(head);
    response.set_status_code(status).expect("a status");
    let body = response.body().expect("taken once");
    ResponseOutparam::set(response_out, Ok(response));
    body
}

fn answer(
    response_out: ResponseOutparam,
    status: u16,
    fields: &[(&str, &str)],
    write: impl FnOnce(&mut wasip2::io::streams::OutputStream),
) {
    let body = begin(response_out, status, fields);
    let mut out = body.write().expect("taken once");
    write(&mut out);
    drop(out);
    OutgoingBody::finish(body, None).expect("finished");
}

fn end(how: &str, number: u16) -> ! {
    if how == "trap" {
        panic!("on purpose");
    }
    std::process::exit(i32::from(number))
}
