//! Tokens of programs: made, shown once, revoked.

use axum::{extract::Path, response::Response};
use ipc::Language;
use maud::html;
use store::Scope;

use crate::{
    app::{App, now_ms},
    audit::Act,
    fault::of_store,
    guard::{Posted, Signed},
    keeper::KeeperError,
    layout::{self, Place},
    pages::own,
    random,
    text::{self, Text},
};

/// What tokens begin with, so that a leaked one is found.
const PREFIX: &str = "fdk_";

/// Makes a token; answers it and what is kept of it.
pub(crate) async fn make(
    app: &App,
    name: String,
    scope: Scope,
    by: String,
) -> Result<(String, store::ApiToken), KeeperError> {
    let random = random::token().map_err(|_| KeeperError::Stopped)?;
    let token = format!("{PREFIX}{random}");
    let hash = random::hash(&token);
    let kept = app.keeper.ask(move |store| store.add_token(&name, scope, &hash, &by, now_ms())).await?;
    Ok((token, kept))
}

/// What the audit log is told of an account or a token, with the tokens that were revoked with it.
pub(crate) fn with_revoked(detail: String, revoked: &[String]) -> String {
    if revoked.is_empty() { detail } else { format!("{detail}; tokens revoked: {}", revoked.join(", ")) }
}

/// What is said of an account or a token, and of the tokens that went with it.
pub(crate) fn and_tokens(words: String, revoked: &[String], language: Language) -> String {
    if revoked.is_empty() {
        return words;
    }
    format!("{words} {}", text::ACCOUNT_TOKENS_REVOKED.with(language, &[("tokens", &revoked.join(", "))]))
}

/// `POST /tokens`
pub(crate) async fn add(Posted { signed, fields }: Posted) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let Some(scope) = Scope::of_word(fields.get("scope")) else {
        return signed.failed("/accounts", t(text::FORM_UNREADABLE));
    };
    if let Err(words) = own::confirm(&signed, fields.get("token-your-password")).await {
        return signed.failed("/accounts", words);
    }
    let by = signed.session.name.clone();
    let (token, kept) = match make(&signed.app, fields.get("token-name").to_owned(), scope, by).await {
        Ok(made) => made,
        Err(problem) => return signed.failed("/accounts", of_store(&problem, language).1),
    };
    let detail = format!("{}, {}", kept.name, scope.word());
    signed.app.audit(&signed.actor(), Act::TokenAdded, detail).await;
    shown_once(&signed, &token)
}

/// `POST /tokens/{id}/revoke`
pub(crate) async fn revoke(Path(id): Path<i64>, Posted { signed, .. }: Posted) -> Response {
    match signed.app.keeper.ask(move |store| store.remove_token(id)).await {
        Ok((name, others)) => {
            let words = text::TOKEN_REVOKED.with(signed.language, &[("name", &name)]);
            signed.app.audit(&signed.actor(), Act::TokenRevoked, with_revoked(name, &others)).await;
            signed.done("/accounts", and_tokens(words, &others, signed.language))
        }
        Err(problem) => signed.failed("/accounts", of_store(&problem, signed.language).1),
    }
}

/// The one answer to a form that is a page: what it shows must be nowhere else.
fn shown_once(signed: &Signed, token: &str) -> Response {
    let t = |text: Text| text.is(signed.language);
    let body = html! {
        p.alert.good role="status" { (t(text::TOKEN_ONCE)) }
        p { (t(text::TOKEN)) ": " code #token { (token) } }
        p { a href="/accounts" { (t(text::BACK)) } }
    };
    layout::page(signed, Place::Accounts, t(text::TOKEN_NEW), body)
}
