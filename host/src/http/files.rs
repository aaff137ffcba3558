//! Static files: which file a request gets, and the head of the answer. `folder` finds and opens, `conditions` and `ranges`
//! are RFC 9110, `accept` is what the client takes, `media` the type, `body` sends.

use std::sync::Arc;

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    LAST_MODIFIED, LOCATION, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use self::body::Sent;
use self::conditions::{Validators, Verdict};
use self::folder::{Folder, Found, Opened, Target};
use self::ranges::Wanted;
use super::Body;
use super::reject::Reject;
use crate::config::Config;
use crate::rate::RateLimit;

mod accept;
mod body;
mod conditions;
mod folder;
mod media;
mod ranges;

/// How many files that break off while they are sent are logged in a second.
const FAILURES_LOGGED: u32 = 5;

/// For what is there today and may be another thing tomorrow: the pages that stand in for a file that is not there.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// The folder of static files, as it is served.
pub(crate) struct Files {
    folder: Arc<Folder>,
    cache_control: Option<HeaderValue>,
    /// The page for 404.
    not_found: Option<String>,
    /// The page of a single-page application, for all paths that it makes up.
    fallback: Option<String>,
    log: Arc<RateLimit>,
}

impl Files {
    /// What the settings say is served; the error is one line that names the setting.
    pub(crate) fn open(settings: &Config) -> Result<Option<Self>, String> {
        let pages = [("not-found", &settings.not_found), ("fallback", &settings.fallback)];
        let Some(public) = &settings.public else {
            return match pages.iter().find(|(_, page)| page.is_some()) {
                Some((name, _)) => Err(format!("{name} needs public: it is a page of that folder")),
                None => Ok(None),
            };
        };
        let folder = Folder::open(public).map_err(|cause| format!("public: {}: {cause}", public.display()))?;
        let page = |(name, page): (&str, &Option<String>)| {
            let Some(page) = page else { return Ok(None) };
            let page = page.trim_start_matches('/').to_owned();
            match folder.file(&page, &[]) {
                Ok(Some(_)) => Ok(Some(page)),
                Ok(None) => Err(format!("{name}: there is no file {page:?} in {}", public.display())),
                Err(cause) => Err(format!("{name}: {page:?}: {cause}")),
            }
        };
        let [not_found, fallback] = pages.map(page);
        let cache_control = match settings.cache_control.as_str() {
            "" => None,
            value => Some(HeaderValue::from_str(value).map_err(|_| format!("cache-control: {value:?} is no field"))?),
        };
        let (not_found, fallback) = (not_found?, fallback?);
        let log = Arc::new(RateLimit::new(FAILURES_LOGGED));
        Ok(Some(Files { folder: Arc::new(folder), cache_control, not_found, fallback, log }))
    }

    pub(super) async fn serve<B>(&self, request: &Request<B>) -> Result<Response<Body>, Reject> {
        let (uri, headers) = (request.uri(), request.headers());
        let readable = matches!(*request.method(), Method::GET | Method::HEAD);
        let Some(target) = Target::parse(uri.path()) else {
            return if readable { self.not_found(headers).await } else { Err(Reject::NotFound) };
        };
        let encodings = accept::encodings(headers);
        let wanted = target.clone();
        match self.ask(move |folder| folder.find(&wanted, &encodings)).await? {
            Found::Nothing if readable => self.nothing(request, &target).await,
            Found::Nothing => Err(Reject::NotFound),
            _ if !readable => Err(Reject::Method("GET, HEAD")),
            Found::Folder => redirect(&target, uri.query()),
            Found::File(file) => self.file(request, file, self.cache_control.clone(), &[]),
        }
    }

    /// The page that stands in for what is not there.
    async fn nothing<B>(&self, request: &Request<B>, target: &Target) -> Result<Response<Body>, Reject> {
        if let Some(page) = self.fallback.clone().filter(|_| accept::takes_page(request.headers(), target.is_named()))
            && let Some(file) = self.page(page, request.headers()).await?
        {
            return self.file(request, file, Some(NO_CACHE), &["accept"]);
        }
        self.not_found(request.headers()).await
    }

    /// The answer is 404 whatever a condition or a range says, so that these are not looked at.
    async fn not_found(&self, headers: &HeaderMap) -> Result<Response<Body>, Reject> {
        let Some(page) = self.not_found.clone() else { return Err(Reject::NotFound) };
        let Some(file) = self.page(page, headers).await? else { return Err(Reject::NotFound) };
        let vary = vary(&file, if self.fallback.is_some() { &["accept"] } else { &[] });
        let fields = [
            (CONTENT_TYPE, Some(file.media.clone())),
            (CONTENT_ENCODING, file.encoding.map(|encoding| HeaderValue::from_static(encoding.name()))),
            (CONTENT_LENGTH, Some(file.version.length.into())),
            (CACHE_CONTROL, Some(NO_CACHE)),
            (VARY, vary),
        ];
        Ok(response(StatusCode::NOT_FOUND, fields, self.send(file).whole()))
    }

    async fn page(&self, page: String, headers: &HeaderMap) -> Result<Option<Opened>, Reject> {
        let encodings = accept::encodings(headers);
        self.ask(move |folder| folder.file(&page, &encodings)).await
    }

    /// The file or as much of it as is asked for, in the order of RFC 9110, section 13.2.2.
    fn file<B>(
        &self,
        request: &Request<B>,
        file: Opened,
        cache_control: Option<HeaderValue>,
        varies: &[&str],
    ) -> Result<Response<Body>, Reject> {
        let headers = request.headers();
        let validators = Validators::of(&file.version, file.encoding);
        let common = [
            (ETAG, HeaderValue::from_str(validators.tag()).ok()),
            (CACHE_CONTROL, cache_control),
            (VARY, vary(&file, varies)),
            (LAST_MODIFIED, validators.last_modified()),
        ];
        match validators.judge(headers) {
            Verdict::Failed => return Err(Reject::Precondition),
            Verdict::NotModified => return Ok(response(StatusCode::NOT_MODIFIED, common, Sent::nothing())),
            Verdict::Send => {}
        }
        let length = file.version.length;
        let in_parts = *request.method() == Method::GET && validators.allow_ranges(headers);
        let wanted = match if in_parts { ranges::wanted(headers, length) } else { Wanted::Whole } {
            // What an encoding of several parts would mean, the head of such an answer can not say.
            Wanted::Parts(parts) if parts.len() > 1 && file.encoding.is_some() => Wanted::Whole,
            wanted => wanted,
        };
        let encoding = file.encoding.map(|encoding| HeaderValue::from_static(encoding.name()));
        let media = file.media.clone();
        let sent = self.send(file);
        let (status, media, length, content_range, body) = match wanted {
            Wanted::Unsatisfiable => return Err(Reject::Range(length)),
            Wanted::Whole => (StatusCode::OK, media, length, None, sent.whole()),
            Wanted::Parts(parts) => match <[_; 1]>::try_from(parts) {
                Ok([part]) => {
                    let told = HeaderValue::from_str(&ranges::content_range(&part, length)).ok();
                    (StatusCode::PARTIAL_CONTENT, media, part.end - part.start, told, sent.part(part))
                }
                Err(parts) => {
                    let (media, length, body) = sent.parts(&parts, &media);
                    (StatusCode::PARTIAL_CONTENT, media, length, None, body)
                }
            },
        };
        let own = [
            (CONTENT_TYPE, Some(media)),
            (CONTENT_ENCODING, encoding),
            (CONTENT_LENGTH, Some(length.into())),
            (CONTENT_RANGE, content_range),
            (ACCEPT_RANGES, Some(HeaderValue::from_static("bytes"))),
        ];
        Ok(response(status, common.into_iter().chain(own), body))
    }

    fn send(&self, file: Opened) -> Sent {
        Sent::new(file.file, file.version, Arc::clone(&self.log))
    }

    /// Asks the folder on a thread that may wait for a disk.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Folder) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Reject> {
        let folder = Arc::clone(&self.folder);
        let answer = tokio::task::spawn_blocking(move || question(&folder)).await;
        answer
            .map_err(|error| Reject::Failed(format!("a static file: {error}")))?
            .map_err(|error| Reject::Failed(format!("a static file: {error}")))
    }
}

fn response(
    status: StatusCode,
    fields: impl IntoIterator<Item = (HeaderName, Option<HeaderValue>)>,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let fields = fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    response.headers_mut().extend(fields);
    response
}

/// Which fields of a request the answer depends on.
fn vary(file: &Opened, others: &[&str]) -> Option<HeaderValue> {
    let encoding = file.has_encodings.then_some("accept-encoding");
    let names: Vec<_> = encoding.into_iter().chain(others.iter().copied()).collect();
    if names.is_empty() { None } else { HeaderValue::from_str(&names.join(", ")).ok() }
}

/// To the folder's own path, with a slash. It begins with one slash and a name, whatever was asked for, so that it is never
/// taken for another host.
fn redirect(target: &Target, query: Option<&str>) -> Result<Response<Body>, Reject> {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::try_from(format!("{}/{query}", target.encoded())).map_err(|_| Reject::NotFound)?;
    let fields = [(LOCATION, Some(location)), (CONTENT_LENGTH, Some(0.into()))];
    Ok(response(StatusCode::TEMPORARY_REDIRECT, fields, Sent::nothing()))
}
