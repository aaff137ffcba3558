//! HTTP requests that a controller sends. The operator grants where to: `http = ["https://api.example.org"]` in the
//! controller's table of `lakou.toml`.

use http::{Request, Response};

use crate::fault::Result;
use crate::platform;

/// Sends a request and waits for the whole answer, whatever its status; a redirect is an answer like any other. The request's
/// URI is absolute. The connections of this sandbox wait meanwhile, and it counts as time of the call (`call-time`, 5 s): a
/// server that is slow is better asked by a controller of its own.
///
/// ```
/// use lakou_sdk::{Fault, Result, http, outgoing};
///
/// fn temperature(city: &str) -> Result<String> {
///     let request = http::Request::get(format!("https://weather.example.org/{city}"));
///     let request = request.body("").map_err(|wrong| Fault::Invalid(wrong.to_string()))?;
///     let answer = outgoing::send(request)?;
///     Ok(String::from_utf8_lossy(answer.body()).into_owned())
/// }
/// ```
///
/// # Errors
///
/// - [`Fault::Denied`](crate::Fault::Denied): the operator has not granted this destination, or the address that it is at.
/// - [`Fault::Invalid`](crate::Fault::Invalid): not a request that can be sent.
/// - [`Fault::TooLarge`](crate::Fault::TooLarge): the answer has over 8 MiB.
/// - [`Fault::Unavailable`](crate::Fault::Unavailable): no answer, or half of one. The request may have been obeyed.
pub fn send(request: Request<impl Into<Vec<u8>>>) -> Result<Response<Vec<u8>>> {
    platform::send_request(request.map(Into::into))
}
