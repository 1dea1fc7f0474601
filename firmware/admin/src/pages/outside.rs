//! Before anybody is signed in: the first set-up, signing in, the choice of language.

use std::time::{Duration, Instant};

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use store::{Secret, WebAccount};
use tracing::warn;

use crate::{
    app::now_ms,
    audit::Act,
    fault::{Fault, of_store},
    guard::{self, FORM, FORM_FIELD, PostedOutside, SESSION, Visit},
    language, layout,
    pages::{Page, provisioning},
    password::{self, Weak},
    random,
    session::Origin,
    text::{self, Text},
};

/// What wrong codes are counted under; no account has a control character in its name.
const SETUP: &str = "\0set-up";

/// `GET /setup`
pub(crate) async fn setup(visit: Visit) -> Response {
    if !visit.app.setup.is_open() {
        return Redirect::to("/sign-in").into_response();
    }
    setup_form(&visit, StatusCode::OK, "", None)
}

/// `POST /setup`
pub(crate) async fn set_up(PostedOutside { visit, fields }: PostedOutside) -> Response {
    let app = &visit.app;
    let (name, chosen) = (fields.get("name"), fields.get("password"));
    let again = |status, words: String| setup_form(&visit, status, name, Some(words));
    let say = |words: Text| words.is(visit.language).to_owned();
    if !app.setup.is_open() {
        return Fault::new(StatusCode::CONFLICT, visit.language, text::ALREADY_SET_UP).into_response();
    }
    // Also from many addresses at once, 10⁸ codes take longer than a box waits for its set-up.
    if let Err(wait) = app.throttle.attempt(visit.from, SETUP, Instant::now()) {
        return slowed(&visit, wait, |words| again(StatusCode::TOO_MANY_REQUESTS, words));
    }
    match app.setup.try_code(fields.get("code")) {
        Ok(true) => app.throttle.right(visit.from, SETUP),
        Ok(false) => return again(StatusCode::FORBIDDEN, say(text::SETUP_CODE_WRONG)),
        Err(_) => return again(StatusCode::SERVICE_UNAVAILABLE, say(text::SYSTEM_FAILED)),
    }
    if chosen != fields.get("password-again") {
        return again(StatusCode::UNPROCESSABLE_ENTITY, say(text::PASSWORD_DIFFERENT));
    }
    if let Err(weak) = password::allowed(chosen, name) {
        return again(StatusCode::UNPROCESSABLE_ENTITY, say(weak_words(weak)));
    }
    // Before anything is made: who types it wrong here would miss it only when nothing comes of it.
    let code = match provisioning::code_of(&fields, "provisioning-code", visit.language) {
        Ok(code) => code,
        Err(wrong) => {
            let field = text::SETUP_PROVISIONING.is(visit.language);
            return again(StatusCode::UNPROCESSABLE_ENTITY, format!("{field}: {}", wrong.words));
        }
    };
    let Ok(hash) = app.passwords.hash(chosen.to_owned()).await else {
        return again(StatusCode::SERVICE_UNAVAILABLE, say(text::SYSTEM_FAILED));
    };
    let wanted = name.to_owned();
    let added = app.keeper.ask(move |store| {
        let account = store.add_first_administrator(&wanted, &hash, now_ms())?;
        // The account is there, whether the disk takes this as well or not.
        drop(store.signed_in(account.id, now_ms()));
        Ok(account)
    });
    match added.await {
        Ok(account) => {
            app.setup.close();
            keep_provisioning_code(&visit, code).await;
            app.audit(&visit.stranger(&account.name), Act::SetUp, account.name.clone()).await;
            enter(&visit, &account, "/")
        }
        Err(problem) => {
            let (status, words) = of_store(&problem, visit.language);
            again(status, words)
        }
    }
}

/// `GET /sign-in`
pub(crate) async fn sign_in(visit: Visit) -> Response {
    if visit.app.setup.is_open() {
        return Redirect::to("/setup").into_response();
    }
    sign_in_form(&visit, StatusCode::OK, "", guard::local(visit.asked().get("to")), None)
}

/// `POST /sign-in`
pub(crate) async fn signs_in(PostedOutside { visit, fields }: PostedOutside) -> Response {
    let app = &visit.app;
    if app.setup.is_open() {
        return Redirect::to("/setup").into_response();
    }
    let (name, to) = (fields.get("name"), guard::local(fields.get("to")));
    let again = |status, words: String| sign_in_form(&visit, status, name, to, Some(words));
    if let Err(wait) = app.throttle.attempt(visit.from, name, Instant::now()) {
        return slowed(&visit, wait, |words| again(StatusCode::TOO_MANY_REQUESTS, words));
    }
    let wanted = name.to_owned();
    let known = match app.keeper.ask(move |store| store.credentials(&wanted)).await {
        Ok(known) => known,
        Err(problem) => {
            let (status, words) = of_store(&problem, visit.language);
            return again(status, words);
        }
    };
    let hash = known.as_ref().map(|known| known.password.clone());
    let fits = app.passwords.check(fields.get("password").to_owned(), hash).await;
    // What was typed as a name that nobody has may be a password: it is not written down.
    let who = known.as_ref().map_or("?", |known| known.account.name.as_str()).to_owned();
    let Some(known) = known.filter(|_| fits) else {
        app.audit(&visit.stranger(&who), Act::SignInRefused, "").await;
        return again(StatusCode::UNAUTHORIZED, text::SIGN_IN_WRONG.is(visit.language).into());
    };
    app.throttle.right(visit.from, name);
    let id = known.account.id;
    if let Err(problem) = app.keeper.ask(move |store| store.signed_in(id, now_ms())).await {
        let (status, words) = of_store(&problem, visit.language);
        return again(status, words);
    }
    app.audit(&visit.stranger(&known.account.name), Act::SignedIn, "").await;
    enter(&visit, &known.account, to)
}

/// `GET /language/{code}`
pub(crate) async fn choose_language(visit: Visit, Path(code): Path<String>) -> Page {
    let Some(language) = language::of_code(&code) else {
        return Err(Fault::not_found(visit.language).into_response());
    };
    let asked = visit.asked();
    let to = guard::local(asked.get("to"));
    let cookie = format!("{}; Max-Age=31536000", guard::cookie(language::COOKIE, language::code(language)));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response())
}

/// Why a password is not allowed.
pub(crate) fn weak_words(weak: Weak) -> Text {
    match weak {
        Weak::Short => text::PASSWORD_SHORT,
        Weak::Long => text::PASSWORD_LONG,
        Weak::Common => text::PASSWORD_COMMON,
    }
}

/// Says how long to wait.
fn slowed(visit: &Visit, wait: Duration, page: impl FnOnce(String) -> Response) -> Response {
    let seconds = wait.as_secs() + 1;
    let mut response = page(text::SLOWED.with(visit.language, &[("seconds", &seconds)]));
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Begins a session under a new token; the one that the browser had is over.
fn enter(visit: &Visit, account: &WebAccount, to: &str) -> Response {
    if let Some(old) = &visit.token {
        visit.app.sessions.end(old);
    }
    let origin =
        Origin { now: Instant::now(), now_ms: now_ms(), from: visit.from, agent: visit.agent.clone() };
    let Ok(token) = visit.app.sessions.begin(account, origin) else {
        let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, visit.language, text::SYSTEM_FAILED);
        return fault.into_response();
    };
    let cookies = [(header::SET_COOKIE, guard::cookie(SESSION, &token))];
    let mut response = (cookies, Redirect::to(to)).into_response();
    if let Ok(gone) = HeaderValue::from_str(&guard::no_cookie(FORM)) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

/// A code for the provisioning server, which whoever sets the box up may have been given.
fn provisioning_code(visit: &Visit) -> Markup {
    let t = |text: Text| text.is(visit.language);
    html! {
        div.field {
            label for="provisioning-code" { (t(text::SETUP_PROVISIONING)) " " span.note { (t(text::OPTIONAL)) } }
            input #provisioning-code name="provisioning-code" type="text" autocomplete="off" maxlength="128"
                spellcheck="false" aria-describedby="provisioning-code-hint";
            p.hint #provisioning-code-hint { (t(text::SETUP_PROVISIONING_HINT)) }
        }
    }
}

/// Keeps the code until it was used. The box is set up whatever becomes of it: it can be typed again.
async fn keep_provisioning_code(visit: &Visit, code: Option<Secret>) {
    let Some(code) = code else { return };
    let kept = visit.app.keeper.ask(move |store| {
        let url = store.load_provisioned()?.url;
        store.order_provisioning(url, Some(code))
    });
    match kept.await {
        Ok(()) => visit.app.provisioning.ask_now(),
        Err(problem) => warn!(%problem, "the provisioning code could not be kept"),
    }
}

fn setup_form(visit: &Visit, status: StatusCode, name: &str, problem: Option<String>) -> Response {
    let t = |text: Text| text.is(visit.language);
    with_token(visit, status, t(text::SETUP_TITLE), |token| {
        html! {
            p { (t(text::SETUP_INTRO)) }
            (alert(problem))
            form method="post" action="/setup" {
                (token)
                (layout::field("code", "text", t(text::SETUP_CODE), "", "one-time-code", Some(t(text::SETUP_CODE_HINT))))
                (layout::field("name", "text", t(text::SIGN_IN_NAME), name, "username", None))
                (layout::field("password", "password", t(text::PASSWORD), "", "new-password", Some(t(text::PASSWORD_HINT))))
                (layout::field("password-again", "password", t(text::PASSWORD_AGAIN), "", "new-password", None))
                @if visit.app.config.provisioning.is_some() { (provisioning_code(visit)) }
                button #set-up type="submit" { (t(text::SETUP_GO)) }
            }
        }
    })
}

fn sign_in_form(
    visit: &Visit,
    status: StatusCode,
    name: &str,
    to: &str,
    problem: Option<String>,
) -> Response {
    let t = |text: Text| text.is(visit.language);
    with_token(visit, status, t(text::SIGN_IN), |token| {
        html! {
            (alert(problem))
            form method="post" action="/sign-in" {
                (token)
                input type="hidden" name="to" value=(to);
                (layout::field("name", "text", t(text::SIGN_IN_NAME), name, "username", None))
                (layout::field("password", "password", t(text::PASSWORD), "", "current-password", None))
                button #sign-in type="submit" { (t(text::SIGN_IN)) }
            }
        }
    })
}

fn alert(problem: Option<String>) -> Markup {
    html! { @if let Some(words) = problem { p.alert.bad #problem role="alert" { (words) } } }
}

/// A page with a form for strangers: its token is in the form and in a cookie that no other site can set.
fn with_token(
    visit: &Visit,
    status: StatusCode,
    title: &str,
    body: impl FnOnce(Markup) -> Markup,
) -> Response {
    let token = visit.form_cookie.clone().filter(|token| token.len() == 43);
    let Ok(token) = token.map_or_else(random::token, Ok) else {
        let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, visit.language, text::SYSTEM_FAILED);
        return fault.into_response();
    };
    let hidden = html! { input type="hidden" name=(FORM_FIELD) value=(token); };
    let page = layout::bare(visit.language, title, body(hidden));
    (status, [(header::SET_COOKIE, guard::cookie(FORM, &token))], page).into_response()
}
