//! `client`: connections that a guest opens to servers elsewhere. What it asks for is checked here and put into a queue; the
//! server's answer is waited for, unless the connection is to be opened again and again.

use std::sync::Arc;

use ::http::header::{self, HeaderName, HeaderValue};
use tokio::sync::oneshot;
use wasmtime::component::{HasSelf, Linker, Resource};

use super::emitting::Fault;
use super::sockets::Socket;
use crate::controller::bindings::lakou::controller::client::{self, ConnectOptions, Host};
use crate::controller::dial::{Dial, NotConnected};
use crate::controller::state::GuestState;
use crate::destination::Target;
use crate::limit::Limit;
use crate::text::{cut, is_token};

/// The longest URL, and the most bytes that a guest's header fields have in all: what servers usually take.
const HEAD_BYTES: usize = 16 * 1024;

/// The most parameters that a guest hands on: each is kept, even an empty one.
const PARAMS: usize = 128;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    client::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

impl Host for GuestState {
    async fn connect(
        &mut self,
        owner: Resource<Socket>,
        url: String,
        options: ConnectOptions,
    ) -> wasmtime::Result<Result<String, Fault>> {
        let owner = Arc::clone(&self.table.get(&owner)?.0);
        let (dial, answered) = match dial(self, owner, &url, options) {
            Ok(dial) => dial,
            Err(fault) => return Ok(Err(fault)),
        };
        let id = dial.place.id.to_string();
        // Nobody takes it: the server ends.
        let ends = || Fault::Unavailable("the server is stopping".into());
        if self.class.environment.dials.send(dial).is_err() {
            return Ok(Err(ends()));
        }
        let Some(answered) = answered else { return Ok(Ok(id)) };
        Ok(match answered.await {
            Ok(Ok(())) => Ok(id),
            Ok(Err(NotConnected::Denied(text))) => Err(Fault::Denied(text)),
            Ok(Err(NotConnected::Unavailable(text))) => Err(Fault::Unavailable(text)),
            Err(_dropped) => Err(ends()),
        })
    }

    fn disconnect(&mut self, id: String) -> wasmtime::Result<()> {
        if let Ok(id) = id.parse() {
            self.class.outward.release(id);
        }
        Ok(())
    }
}

type Answered = Option<oneshot::Receiver<Result<(), NotConnected>>>;

fn dial(
    state: &GuestState,
    owner: Arc<crate::connection::Connection>,
    url: &str,
    options: ConnectOptions,
) -> Result<(Dial, Answered), Fault> {
    let class = &state.class;
    let ConnectOptions { subprotocols, headers, params, reconnect } = options;
    let handed_on: usize = params.iter().map(|(name, value)| name.len() + value.len()).sum();
    if handed_on > HEAD_BYTES || params.len() > PARAMS {
        return Err(Fault::Invalid(format!("there are at most {PARAMS} parameters, of {HEAD_BYTES} bytes in all")));
    }
    let (target, request) = request(url, &headers, &subprotocols).map_err(Fault::Invalid)?;
    let Some(outbound) = class.granted.websocket.clone().filter(|outbound| outbound.names(&target)) else {
        let text = format!("not granted: websocket = [\"{target}\"] in [controller.{}] of lakou.toml", class.name);
        class.denied(state.batch.connection(), &text);
        return Err(Fault::Denied(text));
    };
    if owner.is_closing() {
        return Err(Fault::Gone);
    }
    let limit = class.limits.max_outward;
    let place = class.outward_place().ok_or_else(|| {
        let hits = &class.hits;
        hits.hit(Limit::Outward, format_args!("{limit} connections to other servers are open: another one is refused"));
        Fault::Unavailable(format!("the controller has its {limit} connections to other servers already"))
    })?;
    let (answer, answered) = if reconnect { (None, None) } else { Some(oneshot::channel()).unzip() };
    Ok((Dial { place, outbound, owner, target, request, subprotocols, params, answer }, answered))
}

/// The handshake's request as far as it is the guest's; the rest of it is made anew for each attempt.
fn request(
    url: &str,
    headers: &[(String, Vec<u8>)],
    subprotocols: &[String],
) -> Result<(Target, ::http::Request<()>), String> {
    let shown = cut(url, 100);
    let wrong = || format!("{shown:?} is no URL to connect to: ws:// or wss://, a host and a path are wanted");
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if url.len() > HEAD_BYTES || size + subprotocols.iter().map(String::len).sum::<usize>() > HEAD_BYTES {
        return Err(format!("a URL, and the header fields in all, have at most {HEAD_BYTES} bytes"));
    }
    let uri: ::http::Uri = url.parse().ok().filter(|_| !url.contains('#')).ok_or_else(wrong)?;
    let target = Target::of(&uri).filter(|target| target.scheme.is_websocket()).ok_or_else(wrong)?;
    let mut request = ::http::Request::builder().uri(uri);
    for (name, value) in headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value).ok());
        let (name, value) = parsed.ok_or_else(|| format!("the header {:?} can not be sent", cut(name, 64)))?;
        if is_own(&name) {
            return Err(format!("the header {name} is the host's to set"));
        }
        request = request.header(name, value);
    }
    if !subprotocols.iter().all(|subprotocol| is_token(subprotocol)) {
        return Err("a subprotocol is a word of letters, digits and !#$%&'*+-.^_`|~".to_owned());
    }
    Ok((target, request.body(()).map_err(|error| error.to_string())?))
}

/// Whether a header field belongs to the handshake itself.
fn is_own(name: &HeaderName) -> bool {
    let own = [header::HOST, header::CONNECTION, header::UPGRADE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    own.contains(name) || name.as_str().starts_with("sec-websocket-")
}

#[cfg(test)]
mod tests {
    use super::request;

    #[test]
    fn only_urls_of_websockets_are_taken() {
        let (target, made) = request("wss://Feed.example.org/a?b=c", &[], &[]).expect("a URL");
        assert_eq!((target.to_string().as_str(), made.uri().path()), ("wss://feed.example.org", "/a"));
        assert_eq!(request("ws://[::1]:81", &[], &[]).expect("a URL").0.authority(), "[::1]:81");
        for wrong in
            ["", "feed", "/feed", "http://x/", "ws:///x", "ws://a@b/", "ws://x:/", "ws://x/#y", "ws://x:99999/"]
        {
            assert!(request(wrong, &[], &[]).is_err(), "{wrong}");
        }
        assert!(request(&format!("ws://x/{}", "y".repeat(17_000)), &[], &[]).is_err());
    }

    #[test]
    fn the_handshake_is_the_hosts() {
        let header = |name: &str, value: &[u8]| request("ws://x/", &[(name.to_owned(), value.to_vec())], &[]);
        assert!(header("authorization", b"Bearer x").is_ok());
        for own in ["host", "Upgrade", "connection", "sec-websocket-key", "content-length", "Transfer-Encoding"] {
            assert!(header(own, b"x").is_err_and(|wrong| wrong.contains("the host's")), "{own}");
        }
        assert!(header("a b", b"x").is_err() && header("a", b"x\r\ny: z").is_err());
        for (offered, fits) in [("v2.chat", true), ("a b", false), ("", false), ("a,b", false)] {
            assert_eq!(request("ws://x/", &[], &[offered.to_owned()]).is_ok(), fits, "{offered}");
        }
    }
}
