//! The JSON API under `/api/v1`: what the pages show and do, for programs with a token.
//!
//! A cookie counts for nothing here, so a browser cannot be made to use it. What goes wrong is told as a problem of
//! RFC 9457; bad input is never an error of the box.

mod accounts;
mod imports;
mod keep;
mod openapi;
mod plugins;
mod problem;
mod schemas;
mod settings;
mod settings_schemas;
mod shapes;
mod sounds;
mod standing;
mod update;
mod uploads;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{StatusCode, header, request::Parts},
    response::Response,
    routing::{delete, get, patch, post, put},
};
use ipc::Language;
use serde::de::DeserializeOwned;
use store::{ApiToken, Scope};

use crate::{
    api::problem::Problem,
    app::{App, now_ms},
    audit::Actor,
    language, random,
    server::Peer,
    text,
};

/// Largest JSON body, in bytes.
const MAX_JSON: usize = 512 * 1024;

/// The use of a token is written down once in so many milliseconds.
const USED_EVERY_MS: i64 = 3600 * 1000;

/// What the API's handlers answer.
pub(crate) type Told = Result<Response, Problem>;

/// Everything but uploads.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/openapi.json", get(openapi::show))
        .route("/api/v1/overview", get(standing::overview))
        .route("/api/v1/directories", get(standing::directories))
        .route("/api/v1/audit", get(standing::audit))
        .route("/api/v1/statistics", get(keep::statistics))
        .route("/api/v1/diagnostics", get(keep::diagnostics))
        .route("/api/v1/log", get(keep::log))
        .route("/api/v1/backup", post(keep::backup))
        .route(
            "/api/v1/certificate",
            get(standing::certificate).put(standing::replace).delete(standing::use_own),
        )
        .route("/api/v1/plugins", get(plugins::list))
        .route("/api/v1/plugins/{id}", get(plugins::one).delete(plugins::remove))
        .route("/api/v1/plugins/{id}/settings", get(plugins::settings).put(plugins::configure))
        .route("/api/v1/plugins/{id}/grants", put(plugins::grant))
        .route("/api/v1/plugins/{id}/log", get(plugins::log))
        .route("/api/v1/plugins/{id}/test", post(plugins::test))
        .route("/api/v1/plugins/{id}/actions", post(plugins::act))
        .route("/api/v1/plugins/{id}/sign-in", post(plugins::sign_in))
        .route("/api/v1/plugins/{id}/sign-out", post(plugins::sign_out))
        .route("/api/v1/uploads/{key}", get(uploads::one).delete(uploads::forget))
        .route("/api/v1/uploads/{key}/install", post(uploads::install))
        .route("/api/v1/accounts", get(accounts::list).post(accounts::add))
        .route("/api/v1/accounts/{id}", get(accounts::one).patch(accounts::change).delete(accounts::remove))
        .route("/api/v1/tokens", get(accounts::tokens).post(accounts::add_token))
        .route("/api/v1/tokens/{id}", delete(accounts::revoke))
        .route("/api/v1/settings", get(settings::show).put(settings::replace))
        .route("/api/v1/operators", get(settings::list_operators).post(settings::add_operator))
        .route("/api/v1/operators/{id}", patch(settings::change_operator).delete(settings::remove_operator))
        .route("/api/v1/update", get(update::show))
        .route("/api/v1/update/order", put(update::order).delete(update::cancel))
        .route("/api/v1/sounds", get(sounds::list))
        .route("/api/v1/sessions", get(accounts::sessions))
        .route("/api/v1/sessions/{id}", delete(accounts::end_session))
}

/// Uploads, which bound what comes in themselves.
pub(crate) fn uploads() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/uploads", post(uploads::upload))
        .route("/api/v1/contacts", post(imports::upload))
        .route("/api/v1/update/bundle", post(update::upload).delete(update::discard))
        .route("/api/v1/sounds/{key}", post(sounds::upload).delete(sounds::remove))
}

pub(crate) fn not_found(language: Language) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, text::NOT_FOUND.is(language))
}

pub(crate) fn wrong_method(language: Language) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, text::WRONG_METHOD.is(language))
}

/// A program with a token.
pub(crate) struct Caller {
    app: Arc<App>,
    language: Language,
    from: IpAddr,
    token: ApiToken,
}

/// A program whose token may write.
pub(crate) struct Writer(Caller);

impl std::ops::Deref for Writer {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl Caller {
    /// For the audit log.
    fn actor(&self) -> Actor {
        Actor { who: format!("token {}", self.token.name), from: self.from }
    }

    fn problem(&self, status: StatusCode, words: text::Text) -> Problem {
        Problem::new(status, words.is(self.language))
    }

    fn not_found(&self) -> Problem {
        not_found(self.language)
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let language = language::of(&parts.headers);
        let stranger = || Problem::new(StatusCode::UNAUTHORIZED, text::API_NO_TOKEN.is(language));
        let sent = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = sent.and_then(|sent| sent.split_once(' ')).ok_or_else(stranger)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(stranger());
        }
        let hash = random::hash(token.trim());
        let found = app.keeper.ask(move |store| {
            let found = store.token(&hash)?;
            let now = now_ms();
            let is_due = |token: &ApiToken| token.last_used_ms.is_none_or(|at| now - at >= USED_EVERY_MS);
            if let Some(token) = found.as_ref().filter(|token| is_due(token)) {
                store.token_used(token.id, now)?;
            }
            Ok(found)
        });
        let token = found.await.map_err(|problem| Problem::of_store(&problem, language))?;
        let from = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0);
        Ok(Self { app: Arc::clone(app), language, from, token: token.ok_or_else(stranger)? })
    }
}

impl FromRequestParts<Arc<App>> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.token.scope != Scope::Write {
            return Err(caller.problem(StatusCode::FORBIDDEN, text::API_READS_ONLY));
        }
        Ok(Self(caller))
    }
}

/// The one name in a path.
pub(crate) struct Named(String);

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let named = Path::<String>::from_request_parts(parts, app).await;
        named.map(|Path(name)| Self(name)).map_err(|_| not_found(language::of(&parts.headers)))
    }
}

impl Named {
    /// As the number of a row.
    fn number(&self, caller: &Caller) -> Result<i64, Problem> {
        self.0.parse().map_err(|_| caller.not_found())
    }
}

/// A JSON body of a program that may write.
pub(crate) struct Sent<T> {
    caller: Writer,
    body: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Writer::from_request_parts(&mut parts, app).await?;
        let kind =
            parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(caller.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, text::API_NOT_JSON));
        }
        let bytes = to_bytes(body, MAX_JSON).await;
        let bytes = bytes.map_err(|_| caller.problem(StatusCode::PAYLOAD_TOO_LARGE, text::API_TOO_LARGE))?;
        let value: serde_json::Value = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        let body = serde_json::from_value(value)
            .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
        Ok(Self { caller, body })
    }
}
