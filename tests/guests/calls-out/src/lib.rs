//! A guest that sends the HTTP requests that its client wants, and tells what came of them.

#![cfg(target_family = "wasm")]

use lakou_sdk::{Controller, Fault, Message, Request, Result, Socket, controller, http, outgoing};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

/// It obeys `METHOD URL BODY`, or `burst COUNT HOST`.
pub struct CallsOut {
    socket: Socket,
}

#[controller]
impl Controller for CallsOut {
    fn open(socket: Socket, _request: Request) -> Self {
        CallsOut { socket }
    }

    fn message(&mut self, message: Message) -> Result {
        let mut words = message.as_text().unwrap_or_default().splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (method, target, body) = (word(), word(), word());
        let said = if method == "burst" { burst(target, body) } else { ask(method, target, body) };
        self.socket.send(said.unwrap_or_else(|fault| fault.to_string()))
    }
}

/// The status, the field `location` if there is one, and the body.
fn ask(method: &str, uri: &str, body: &str) -> Result<String> {
    let request = http::Request::builder().method(method).uri(uri).header("x-from", "a guest");
    let answer = outgoing::send(request.body(body).map_err(|wrong| Fault::Invalid(wrong.to_string()))?)?;
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(format!("{} {location}{}", answer.status().as_u16(), String::from_utf8_lossy(answer.body())))
}

/// Begins so many requests at once, to a host that does not answer, and counts those beyond the first 16 that are refused.
fn burst(count: &str, host: &str) -> Result<String> {
    let count: usize = count.parse().unwrap_or_default();
    let begun: Vec<_> = (0..count)
        .filter_map(|_| {
            let request = OutgoingRequest::new(Fields::new());
            request.set_scheme(Some(&Scheme::Http)).ok()?;
            request.set_authority(Some(host)).ok()?;
            request.set_path_with_query(Some("/silence")).ok()?;
            handle(request, None).ok()
        })
        .collect();
    let refused = begun.iter().skip(16).filter(|request| {
        request.subscribe().block();
        matches!(request.get(), Some(Ok(Err(_))))
    });
    Ok(format!("{} refused", refused.count()))
}
