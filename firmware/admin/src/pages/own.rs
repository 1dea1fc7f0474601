//! One's own account: the password, and signing out.

use std::time::Instant;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

use crate::{
    audit::Act,
    fault::of_store,
    guard::{self, PostedOwn, SESSION, Signed},
    layout::{self, Place},
    pages::outside::weak_words,
    password, text,
    text::Text,
};

/// `GET /account`
pub(crate) async fn show(signed: Signed) -> Response {
    let t = |text: Text| text.is(signed.language);
    let body = html! {
        p { (signed.session.name) " · " (layout::role(signed.session.role, signed.language)) }
        section aria-labelledby="password-title" {
            h2 #password-title { (t(text::PASSWORD_CHANGE)) }
            form method="post" action="/account/password" {
                (layout::token(&signed))
                (layout::field("password-now", "password", t(text::PASSWORD_NOW), "", "current-password", None))
                (layout::field("password", "password", t(text::PASSWORD_NEW), "", "new-password", Some(t(text::PASSWORD_HINT))))
                (layout::field("password-again", "password", t(text::PASSWORD_AGAIN), "", "new-password", None))
                button #change-password type="submit" { (t(text::PASSWORD_CHANGE)) }
            }
        }
        section aria-labelledby="everywhere-title" {
            h2 #everywhere-title { (t(text::SIGN_OUT_EVERYWHERE)) }
            p { (t(text::SIGN_OUT_EVERYWHERE_HINT)) }
            form method="post" action="/account/sign-out-everywhere" {
                (layout::token(&signed))
                button #sign-out-everywhere type="submit" { (t(text::SIGN_OUT_EVERYWHERE)) }
            }
        }
    };
    layout::page(&signed, Place::Own, t(text::OWN_ACCOUNT), body)
}

/// `POST /account/password`
pub(crate) async fn change_password(PostedOwn { signed, fields }: PostedOwn) -> Response {
    let t = |text: Text| text.is(signed.language);
    let chosen = fields.get("password");
    if let Err(words) = confirm(&signed, fields.get("password-now")).await {
        return signed.failed("/account", words);
    }
    if chosen != fields.get("password-again") {
        return signed.failed("/account", t(text::PASSWORD_DIFFERENT));
    }
    if let Err(weak) = password::allowed(chosen, &signed.session.name) {
        return signed.failed("/account", t(weak_words(weak)));
    }
    let Ok(hash) = signed.app.passwords.hash(chosen.to_owned()).await else {
        return signed.failed("/account", t(text::SYSTEM_FAILED));
    };
    let id = signed.session.account;
    if let Err(problem) = signed.app.keeper.ask(move |store| store.set_account_password(id, &hash)).await {
        return signed.failed("/account", of_store(&problem, signed.language).1);
    }
    signed.app.sessions.end_all(id, Some(signed.session.number));
    signed.app.audit(&signed.actor(), Act::PasswordChanged, "").await;
    signed.done("/account", t(text::PASSWORD_CHANGED))
}

/// `POST /sign-out`
pub(crate) async fn sign_out(PostedOwn { signed, .. }: PostedOwn) -> Response {
    signed.app.sessions.end(signed.token.as_deref().unwrap_or_default());
    signed.app.audit(&signed.actor(), Act::SignedOut, "").await;
    leave()
}

/// `POST /account/sign-out-everywhere`
pub(crate) async fn sign_out_everywhere(PostedOwn { signed, .. }: PostedOwn) -> Response {
    signed.app.sessions.end_all(signed.session.account, None);
    signed.app.audit(&signed.actor(), Act::SignedOutEverywhere, "").await;
    leave()
}

/// Whether somebody who is signed in knows the password too, for what matters most.
///
/// # Errors
/// What to say.
pub(crate) async fn confirm(signed: &Signed, typed: &str) -> Result<(), String> {
    let (app, language) = (&signed.app, signed.language);
    let name = signed.session.name.clone();
    if let Err(wait) = app.throttle.attempt(signed.from, &name, Instant::now()) {
        return Err(text::SLOWED.with(language, &[("seconds", &(wait.as_secs() + 1))]));
    }
    let wanted = name.clone();
    let known = app.keeper.ask(move |store| store.credentials(&wanted)).await;
    let known = known.map_err(|problem| of_store(&problem, language).1)?;
    if !app.passwords.check(typed.to_owned(), known.map(|known| known.password)).await {
        return Err(text::PASSWORD_YOURS_WRONG.is(language).into());
    }
    app.throttle.right(signed.from, &name);
    Ok(())
}

fn leave() -> Response {
    let gone = [(header::SET_COOKIE, guard::no_cookie(SESSION))];
    (StatusCode::SEE_OTHER, gone, Redirect::to("/sign-in")).into_response()
}
