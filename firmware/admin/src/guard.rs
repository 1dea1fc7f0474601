//! Who asks, and whether they may: what every page's handler takes first.
//!
//! A form is taken when it comes from a page of ours (the browser says so by `Sec-Fetch-Site` or `Origin`), carries
//! the session's own token, and its sender may write. A handler that takes [`Posted`] cannot forget any of it.

use std::{net::IpAddr, ops::Deref, sync::Arc, time::Instant};

use axum::{
    extract::{FromRequest, FromRequestParts, Multipart, Request, multipart::Field},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use ipc::Language;
use store::Role;

use crate::{
    app::App,
    audit::{Act, Actor},
    fault::Fault,
    fields::Fields,
    language, parts, random,
    server::Peer,
    session::{Flash, Session},
    text,
};

/// The session's token.
pub(crate) const SESSION: &str = "__Host-session";
/// The token of forms before there is a session.
pub(crate) const FORM: &str = "__Host-form";
/// Says that a script looks at a page again.
const LOOK: &str = "x-frontdesk-look";
/// A picture that a page fetches by itself.
const LIVE: &str = "/screen/picture";
/// The field of a form with its token.
pub(crate) const FORM_FIELD: &str = "form";

/// Somebody who asks for something.
pub(crate) struct Visit {
    pub(crate) app: Arc<App>,
    pub(crate) language: Language,
    pub(crate) from: IpAddr,
    /// Path and query.
    pub(crate) here: String,
    pub(crate) agent: String,
    /// A page that looks again by itself: nobody sits there.
    pub(crate) is_look: bool,
    /// The token of the session, if the browser has one.
    pub(crate) token: Option<String>,
    /// The token of forms before there is a session.
    pub(crate) form_cookie: Option<String>,
}

/// Somebody who is signed in.
pub(crate) struct Signed {
    pub(crate) visit: Visit,
    pub(crate) session: Session,
}

/// A form of an administrator.
pub(crate) struct Posted {
    pub(crate) signed: Signed,
    pub(crate) fields: Fields,
}

/// A form of an administrator with files in it, which come one after the other.
pub(crate) struct PostedParts {
    pub(crate) signed: Signed,
    /// How many bytes the whole of it has, as far as it says so.
    pub(crate) announced: Option<u64>,
    pub(crate) parts: FormParts,
}

/// What stands in such a form.
pub(crate) struct FormParts {
    form: Multipart,
    language: Language,
    /// The token that has yet to come, before anything else.
    token: Option<String>,
}

/// A form about one's own account.
pub(crate) struct PostedOwn {
    pub(crate) signed: Signed,
    pub(crate) fields: Fields,
}

/// A form of somebody who is not signed in.
pub(crate) struct PostedOutside {
    pub(crate) visit: Visit,
    pub(crate) fields: Fields,
}

impl Deref for Signed {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl Visit {
    fn of(parts: &Parts, app: &Arc<App>) -> Self {
        let headers = &parts.headers;
        let text =
            |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let cookie = |name| language::cookie(headers, name).map(str::to_owned);
        let here = parts.uri.path_and_query().map_or("/", |here| here.as_str());
        Self {
            app: Arc::clone(app),
            language: language::of(headers),
            // The server puts it there; without, nobody is slowed down in vain.
            from: parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0),
            here: here.to_owned(),
            agent: text(header::USER_AGENT),
            is_look: parts.method == Method::GET && (headers.contains_key(LOOK) || parts.uri.path() == LIVE),
            token: cookie(SESSION),
            form_cookie: cookie(FORM),
        }
    }

    /// What is in the address after the `?`.
    pub(crate) fn asked(&self) -> Fields {
        let query = self.here.split_once('?').map_or("", |(_, query)| query);
        Fields::of_bytes(query.as_bytes())
    }

    /// For the audit log, before anybody is known.
    pub(crate) fn stranger(&self, name: &str) -> Actor {
        Actor { who: name.chars().take(64).collect(), from: self.from }
    }

    /// What is said in a page's place.
    pub(crate) fn fault(&self, status: StatusCode, words: text::Text) -> Response {
        Fault::new(status, self.language, words).into_response()
    }
}

impl Signed {
    /// For the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor { who: self.session.name.clone(), from: self.from }
    }

    /// May change things.
    pub(crate) fn may_write(&self) -> bool {
        self.session.role == Role::Administrator
    }

    /// Goes to a page and says there that something was done.
    pub(crate) fn done(&self, to: &str, words: impl Into<String>) -> Response {
        self.go(to, true, words.into())
    }

    /// Notes in the audit log what of the settings was saved, goes to a page, and says there that the desk works with it.
    pub(crate) async fn saved(&self, to: &str, detail: impl Into<String>) -> Response {
        self.app.audit(&self.actor(), Act::SettingsChanged, detail).await;
        self.done(to, text::DESK_SAVED.is(self.language))
    }

    /// Goes to a page and says there what did not work.
    pub(crate) fn failed(&self, to: &str, words: impl Into<String>) -> Response {
        self.go(to, false, words.into())
    }

    fn go(&self, to: &str, good: bool, text: String) -> Response {
        self.app.sessions.say(self.session.number, Flash { good, text });
        Redirect::to(to).into_response()
    }
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts, app))
    }
}

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::of(parts, app);
        if app.setup.is_open() {
            return Err(Redirect::to("/setup").into_response());
        }
        let session = visit
            .token
            .as_deref()
            .and_then(|token| app.sessions.visit(token, Instant::now(), !visit.is_look));
        match session {
            Some(session) => Ok(Self { visit, session }),
            None if parts.method == Method::GET => {
                let to: String = url::form_urlencoded::byte_serialize(visit.here.as_bytes()).collect();
                Err(Redirect::to(&format!("/sign-in?to={to}")).into_response())
            }
            None => Err(Redirect::to("/sign-in").into_response()),
        }
    }
}

impl FromRequest<Arc<App>> for PostedOwn {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::of(&parts, app);
        ours(&parts.headers).map_err(|words| visit.fault(StatusCode::FORBIDDEN, words))?;
        let signed = Signed::from_request_parts(&mut parts, app).await?;
        let fields = read(&visit, &parts.headers, body).await?;
        if !random::same(fields.get(FORM_FIELD), &signed.session.form_token) {
            return Err(visit.fault(StatusCode::FORBIDDEN, text::FORM_OLD));
        }
        Ok(Self { signed, fields })
    }
}

impl FromRequest<Arc<App>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let PostedOwn { signed, fields } = PostedOwn::from_request(request, app).await?;
        if !signed.may_write() {
            return Err(signed.fault(StatusCode::FORBIDDEN, text::READS_ONLY));
        }
        Ok(Self { signed, fields })
    }
}

impl FromRequest<Arc<App>> for PostedParts {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, app).await?;
        ours(&parts.headers).map_err(|words| signed.fault(StatusCode::FORBIDDEN, words))?;
        if !signed.may_write() {
            return Err(signed.fault(StatusCode::FORBIDDEN, text::READS_ONLY));
        }
        let announced = parts::announced(&parts.headers);
        let form = Multipart::from_request(Request::from_parts(parts, body), app).await;
        let form = form.map_err(|_| signed.fault(StatusCode::BAD_REQUEST, text::FORM_UNREADABLE))?;
        let token = Some(signed.session.form_token.clone());
        let parts = FormParts { form, language: signed.language, token };
        Ok(Self { signed, announced, parts })
    }
}

impl FormParts {
    /// The next field; `None` at the end. Nothing is looked at before the token was right.
    ///
    /// # Errors
    /// What is answered where it is wrong, or the form cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Field<'_>>, Response> {
        let language = self.language;
        let fault = |status, words| Fault::new(status, language, words).into_response();
        let unreadable = || fault(StatusCode::BAD_REQUEST, text::FORM_UNREADABLE);
        if let Some(token) = &self.token {
            let sent = match self.form.next_field().await.map_err(|_| unreadable())? {
                Some(field) if field.name() == Some(FORM_FIELD) => {
                    parts::short(field).await.ok_or_else(unreadable)?
                }
                _ => String::new(),
            };
            if !random::same(&sent, token) {
                return Err(fault(StatusCode::FORBIDDEN, text::FORM_OLD));
            }
            self.token = None;
        }
        self.form.next_field().await.map_err(|_| unreadable())
    }
}

impl FromRequest<Arc<App>> for PostedOutside {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let visit = Visit::of(&parts, app);
        ours(&parts.headers).map_err(|words| visit.fault(StatusCode::FORBIDDEN, words))?;
        let fields = read(&visit, &parts.headers, body).await?;
        let cookie = visit.form_cookie.as_deref().unwrap_or_default();
        if cookie.is_empty() || !random::same(fields.get(FORM_FIELD), cookie) {
            return Err(visit.fault(StatusCode::FORBIDDEN, text::FORM_OLD));
        }
        Ok(Self { visit, fields })
    }
}

/// Whether the browser says that the request comes from a page of ours. `Sec-Fetch-Site` is the browser's own word
/// and counts where there is one; of those that do not have it each sends `Origin` with a form.
pub(crate) fn ours(headers: &HeaderMap) -> Result<(), text::Text> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return if site == "same-origin" { Ok(()) } else { Err(text::FOREIGN_FORM) };
    }
    let host = text("host").unwrap_or_default();
    match text("origin").and_then(|origin| origin.strip_prefix("https://")) {
        Some(origin) if !host.is_empty() && origin.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(text::FOREIGN_FORM),
    }
}

async fn read(visit: &Visit, headers: &HeaderMap, body: axum::body::Body) -> Result<Fields, Response> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(visit.fault(StatusCode::UNSUPPORTED_MEDIA_TYPE, text::FORM_UNREADABLE));
    }
    let fields = Fields::read(body).await;
    fields.map_err(|_| visit.fault(StatusCode::PAYLOAD_TOO_LARGE, text::FORM_UNREADABLE))
}

/// A cookie that only this host gets back, only over TLS, and no script sees.
pub(crate) fn cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Takes a cookie back.
pub(crate) fn no_cookie(name: &str) -> String {
    format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// A path of ours to go to, out of what a browser sent: nothing that leads elsewhere.
pub(crate) fn local(path: &str) -> &str {
    let is_ours = path.starts_with('/') && !path.starts_with("//") && path.len() < 512;
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>".contains(&byte));
    if is_ours && is_plain { path } else { "/" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sent(pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (axum::http::HeaderName::from_static(name), value.parse().unwrap()));
        ours(&headers.collect()).is_ok()
    }

    #[test]
    fn app_2_only_our_own_pages_send_forms() {
        assert!(sent(&[("sec-fetch-site", "same-origin")]));
        assert!(sent(&[("host", "192.0.2.7:8443"), ("origin", "https://192.0.2.7:8443")]));
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("host", "a"), ("origin", "https://a")],
            &[("host", "a"), ("origin", "https://b")],
            &[("host", "a"), ("origin", "http://a")],
            &[("host", "a"), ("origin", "null")],
            &[("host", ""), ("origin", "https://")],
            &[("host", "a")],
        ] {
            assert!(!sent(foreign), "{foreign:?}");
        }
    }

    #[test]
    fn a_way_back_stays_here() {
        assert_eq!(local("/plugins/a.b?x=1"), "/plugins/a.b?x=1");
        for elsewhere in ["//evil", "https://evil", "/\\evil", "", "evil", "/a\r\nb", "/\u{e9}"] {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
