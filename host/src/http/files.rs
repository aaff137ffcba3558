//! Static files: index pages, MIME types, validators (RFC 9110, section 13) and ranges are the library's; what may be seen
//! at all is decided here.

use std::io::ErrorKind;
use std::path::Path;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower_http::services::ServeDir;

use super::Body;
use super::reject::Reject;

/// A folder of files.
pub(super) struct Files(ServeDir);

impl Files {
    pub(super) fn new(folder: &Path) -> Self {
        Files(ServeDir::new(folder))
    }

    pub(super) async fn serve<B>(&self, request: &Request<B>) -> Result<Response<Body>, Reject> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Reject::Method("GET, HEAD"));
        }
        if is_hidden(request.uri().path()) {
            return Err(Reject::NotFound);
        }
        // The library looks at the head only, and wants a request of its own.
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.headers_mut() = request.headers().clone();
        let response = self.0.clone().try_call(head).await.map_err(|error| match error.kind() {
            // What may not be read is not told from what is not there.
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => Reject::NotFound,
            _ => Reject::Failed(format!("a static file: {error}")),
        })?;
        match response.status() {
            StatusCode::NOT_FOUND => Err(Reject::NotFound),
            _ => Ok(response.map(|body| body.map_err(Into::into).boxed_unsync())),
        }
    }
}

/// Names that begin with a dot are editors', shells' and version control's; `.well-known` (RFC 8615) is for all.
fn is_hidden(path: &str) -> bool {
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    path.split(['/', '\\']).any(|segment| segment.starts_with('.') && segment != ".well-known")
}

#[cfg(test)]
mod tests {
    use super::is_hidden;

    #[test]
    fn dots_are_hidden() {
        for path in ["/.git/config", "/a/../b", "/%2e%2e/x", "/..%2fx", "/.env"] {
            assert!(is_hidden(path), "{path}");
        }
        for path in ["/", "/a.b/c.js", "/.well-known/security.txt"] {
            assert!(!is_hidden(path), "{path}");
        }
    }
}
