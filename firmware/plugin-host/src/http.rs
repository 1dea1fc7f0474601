//! Requests of plugins. The URL is compared with the grants, the name resolved once, its addresses vetted, and
//! the connection goes to a vetted one; each redirect starts again at the grants. Credentials are added here
//! and only towards the places their manifest names; a token that the server does not take (any more) is replaced
//! and the request repeated, once. What goes over the wire is `wire`, where tokens come from is `oauth`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::grants::{Grant, Target, permit};
use crate::guest::Cancel;
use crate::guest::bindings::frontdesk::connector::http as wit;
use crate::limits::Limits;
use crate::manifest::{AuthKind, Filled, Manifest};
use crate::oauth::Tokens;
use crate::oauth::endpoint::Endpoint;
use crate::rate::Rate;
use crate::resolve::Resolver;
use crate::tally::Tally;
use crate::wire::{Guarded, HEADERS, Line, Message};

/// Redirects that are followed.
const REDIRECTS: usize = 5;
/// The longest that a single request takes.
const REQUEST: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(200);
/// Headers that are the host's business.
const OURS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::ACCEPT_ENCODING,
];

/// A credential: the header it becomes, and where that may be sent.
struct Credential {
    name: HeaderName,
    value: Value,
    net: Vec<String>,
}

/// What stands in the header.
enum Value {
    /// The secret, if it is filled in.
    Known(Option<HeaderValue>),
    /// A token of this `[[auth]]` entry.
    Token,
}

/// The way out of one plugin.
pub(crate) struct Outbound {
    grants: Vec<Grant>,
    credentials: BTreeMap<String, Credential>,
    pub(crate) tokens: Arc<Tokens>,
    line: Line,
    runtime: Handle,
    body: usize,
    rate: Mutex<Rate>,
    pub(crate) tally: Arc<Tally>,
}

impl Outbound {
    pub(crate) fn new(
        manifest: &Manifest,
        filled: &Filled,
        grants: Vec<Grant>,
        limits: &Limits,
        way: (Arc<Resolver>, Arc<ClientConfig>, Handle),
    ) -> Self {
        let (resolver, tls, runtime) = way;
        let line = Line { resolver, tls };
        let credentials = credentials(manifest, filled);
        let endpoint = Endpoint::new(line.clone(), grants.clone());
        let tokens = Arc::new(Tokens::new(manifest, filled, endpoint, runtime.clone()));
        let rate = Mutex::new(Rate::new(limits.requests));
        let tally = Arc::default();
        Self { grants, credentials, tokens, line, runtime, body: limits.body, rate, tally }
    }

    /// Sends one request and waits for the whole answer, at most until the deadline or the cancellation.
    pub(crate) fn send(
        &self,
        request: wit::Request,
        deadline: Instant,
        cancel: &Cancel,
        now: Duration,
    ) -> Result<wit::Response, wit::Error> {
        // The guest keeps a moment to say that there was no answer.
        let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(MOMENT).min(REQUEST);
        let cancelled = async {
            while !cancel.is_cancelled() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let answer = self.runtime.block_on(async {
            tokio::select! {
                answer = timeout(left, self.follow(request, now)) => answer.unwrap_or(Err(wit::Error::TimedOut)),
                () = cancelled => Err(wit::Error::TimedOut),
            }
        });
        if let Err(wit::Error::Denied(_) | wit::Error::TooMany(_)) = &answer {
            self.tally.refused();
        }
        answer
    }

    async fn follow(&self, request: wit::Request, now: Duration) -> Result<wit::Response, wit::Error> {
        let mut method = read_method(&request.method)?;
        let mut url = Url::parse(&request.url).map_err(|error| wit::Error::BadRequest(error.to_string()))?;
        let mut headers = read_headers(&request.headers)?;
        let mut body = Bytes::from(request.body.unwrap_or_default());
        let origin = url.origin();
        // The token that the server did not take, where that was tried once.
        let mut refused: Option<HeaderValue> = None;
        for _ in 0..=REDIRECTS {
            self.rate
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(now)
                .map_err(|wait| wit::Error::TooMany(u32::try_from(wait.as_secs() + 1).unwrap_or(60)))?;
            let target = Target::of_web(&url).map_err(|refusal| wit::Error::Denied(refusal.to_string()))?;
            let grant =
                permit(&self.grants, &target).map_err(|refusal| wit::Error::Denied(refusal.to_string()))?;
            let mut head = headers.clone();
            let token = match &request.auth {
                Some(name) => {
                    self.sign(name, &target, url.origin() == origin, refused.as_ref(), &mut head).await?
                }
                None => None,
            };
            self.tally.request();
            let message = Message { method: method.clone(), head, body: body.clone() };
            let response = self.line.exchange(&url, &target, grant, message).await?;
            if response.status() == StatusCode::UNAUTHORIZED && token.is_some() && refused.is_none() {
                refused = token;
                continue;
            }
            let Some(next) = redirect(&url, response.status(), response.headers())? else {
                return self.whole(response, &url).await;
            };
            if url.scheme() == "https" && next.scheme() == "http" {
                return Err(wit::Error::Denied("a redirect away from encryption".to_owned()));
            }
            if next.origin() != url.origin() {
                headers.remove(header::AUTHORIZATION);
                headers.remove(header::COOKIE);
            }
            if !keeps_method(&method, response.status()) {
                method = Method::GET;
                body = Bytes::new();
                headers.remove(header::CONTENT_TYPE);
            }
            url = next;
        }
        Err(wit::Error::Denied(format!("more than {REDIRECTS} redirects")))
    }

    /// Adds the credential; after a redirect to another origin only silently where it may be sent. Gives back the
    /// token, if it was one.
    async fn sign(
        &self,
        name: &str,
        target: &Target,
        first: bool,
        refused: Option<&HeaderValue>,
        head: &mut HeaderMap,
    ) -> Result<Option<HeaderValue>, wit::Error> {
        let credential = self
            .credentials
            .get(name)
            .ok_or_else(|| wit::Error::Auth(format!("the manifest has no [[auth]] {name}")))?;
        // A place may be granted under several names.
        let is_for = |grant: &Grant| grant.covers(target) && credential.net.contains(&grant.id);
        if !self.grants.iter().any(is_for) {
            return if first {
                Err(wit::Error::Denied(format!("{name} is not for {}", target.place())))
            } else {
                Ok(None)
            };
        }
        let missing = || wit::Error::Auth(format!("the secret of {name} is not filled in"));
        let (value, token) = match &credential.value {
            Value::Known(value) => (value.clone().ok_or_else(missing)?, None),
            Value::Token => {
                let value = self.tokens.bearer(name, refused).await?;
                (value.clone(), Some(value))
            }
        };
        head.insert(credential.name.clone(), value);
        Ok(token)
    }

    async fn whole(&self, response: Response<Guarded>, url: &Url) -> Result<wit::Response, wit::Error> {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = response.into_body().whole(self.body).await?;
        Ok(wit::Response { status, headers, body: body.to_vec(), url: url.to_string() })
    }
}

fn read_method(method: &str) -> Result<Method, wit::Error> {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "PROPFIND" | "REPORT" => {
            Method::from_bytes(method.as_bytes()).map_err(|error| wit::Error::BadRequest(error.to_string()))
        }
        _ => Err(wit::Error::BadRequest("this method is not offered".to_owned())),
    }
}

/// Whether a redirect is followed with the same method (RFC 9110 section 15.4). Browsers ask with GET what was a
/// POST; questions of WebDAV only make sense as they are, and their servers answer the first one with 301.
fn keeps_method(method: &Method, status: StatusCode) -> bool {
    let is_question = matches!(method.as_str(), "HEAD" | "PROPFIND" | "REPORT");
    match status {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::SEE_OTHER => *method == Method::HEAD,
        _ => is_question,
    }
}

fn read_headers(headers: &[(String, String)]) -> Result<HeaderMap, wit::Error> {
    let bad =
        |name: &str| wit::Error::BadRequest(format!("the header {} cannot be sent", name.escape_debug()));
    if headers.len() > HEADERS {
        return Err(wit::Error::BadRequest(format!("more than {HEADERS} headers")));
    }
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let key = HeaderName::try_from(name.as_str()).map_err(|_| bad(name))?;
        if OURS.contains(&key) || key.as_str().starts_with("proxy-") {
            return Err(bad(name));
        }
        map.append(key, HeaderValue::try_from(value.as_str()).map_err(|_| bad(name))?);
    }
    if !map.contains_key(header::USER_AGENT) {
        map.insert(header::USER_AGENT, HeaderValue::from_static("frontdesk/0.1"));
    }
    map.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(map)
}

fn redirect(url: &Url, status: StatusCode, headers: &HeaderMap) -> Result<Option<Url>, wit::Error> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
    let location =
        location.to_str().map_err(|_| wit::Error::BadRequest("a redirect to nowhere".to_owned()))?;
    url.join(location).map(Some).map_err(|_| wit::Error::BadRequest("a redirect to nowhere".to_owned()))
}

fn credentials(manifest: &Manifest, filled: &Filled) -> BTreeMap<String, Credential> {
    let mut credentials = BTreeMap::new();
    for auth in &manifest.auth {
        let secret = auth.secret_setting.as_ref().and_then(|key| filled.secrets.get(key));
        let (name, text) = match auth.kind {
            AuthKind::Basic => {
                let user = auth.user_setting.as_ref().and_then(|key| filled.open.get(key)?.as_str());
                let pair = secret.map(|secret| format!("{}:{secret}", user.unwrap_or_default()));
                let encoded = pair.map(|pair| base64::engine::general_purpose::STANDARD.encode(pair));
                (Some(header::AUTHORIZATION), encoded.map(|encoded| format!("Basic {encoded}")))
            }
            AuthKind::Bearer => {
                (Some(header::AUTHORIZATION), secret.map(|secret| format!("Bearer {secret}")))
            }
            AuthKind::LdapSimple => continue,
            AuthKind::OauthClientCredentials | AuthKind::OauthDeviceCode => {
                let net = auth.net.clone();
                let token = Credential { name: header::AUTHORIZATION, value: Value::Token, net };
                credentials.insert(auth.id.clone(), token);
                continue;
            }
            AuthKind::Header => {
                let name = auth.header.as_ref().and_then(|name| HeaderName::try_from(name.as_str()).ok());
                (name.filter(|name| !OURS.contains(name)), secret.cloned())
            }
        };
        let value = text.and_then(|text| HeaderValue::try_from(text).ok()).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        if let Some(name) = name {
            let value = Value::Known(value);
            credentials.insert(auth.id.clone(), Credential { name, value, net: auth.net.clone() });
        }
    }
    credentials
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webdav_may_be_asked_and_nothing_else_that_changes_it() {
        for good in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"] {
            assert!(read_method(good).is_ok(), "{good}");
        }
        for bad in ["PROPPATCH", "MKCOL", "MOVE", "COPY", "LOCK", "CONNECT", "TRACE", "propfind", "", "GET /"]
        {
            assert!(matches!(read_method(bad), Err(wit::Error::BadRequest(_))), "{bad}");
        }
    }

    #[test]
    fn a_redirect_keeps_the_question_of_webdav() {
        let keeps = |method: &str, status: u16| {
            let (method, status) = (read_method(method).ok(), StatusCode::from_u16(status).ok());
            method.zip(status).map(|(method, status)| keeps_method(&method, status))
        };
        for status in [301, 302, 307, 308] {
            assert_eq!(keeps("PROPFIND", status), Some(true));
            assert_eq!(keeps("HEAD", status), Some(true));
            assert_eq!(keeps("POST", status), Some(status >= 307));
        }
        assert_eq!((keeps("REPORT", 303), keeps("HEAD", 303)), (Some(false), Some(true)));
    }
}
