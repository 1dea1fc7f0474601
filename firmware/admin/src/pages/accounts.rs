//! `/accounts`: who may open this page, which programs may use the API, and who is signed in.

use std::time::Instant;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use store::{ApiToken, Role, Scope, WebAccount};

use crate::{
    app::now_ms,
    audit::Act,
    fault::{Fault, of_store},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{
        Page,
        outside::weak_words,
        own,
        tokens::{and_tokens, with_revoked},
    },
    password,
    session::Session,
    text::{self, Text},
};

/// `GET /accounts`
pub(crate) async fn show(signed: Signed) -> Page {
    let t = |text: Text| text.is(signed.language);
    let read = signed.app.keeper.ask(|store| Ok((store.accounts()?, store.tokens()?))).await;
    let (accounts, tokens) = read.map_err(|problem| store_fault(&signed, &problem))?;
    let sessions = signed.app.sessions.list(Instant::now());
    let body = html! {
        section aria-labelledby="accounts-title" {
            h2 #accounts-title { (t(text::ACCOUNTS)) }
            (accounts_table(&signed, &accounts))
            @if signed.may_write() { (add_form(&signed)) }
        }
        section aria-labelledby="tokens-title" {
            h2 #tokens-title { (t(text::TOKENS)) }
            p { (t(text::TOKENS_INTRO)) " " a href="/api/v1/openapi.json" { "/api/v1/openapi.json" } "." }
            (tokens_table(&signed, &tokens))
            @if signed.may_write() { (token_form(&signed)) }
        }
        section aria-labelledby="sessions-title" {
            h2 #sessions-title { (t(text::SESSIONS)) }
            (sessions_table(&signed, &sessions))
        }
    };
    Ok(layout::page(&signed, Place::Accounts, t(text::ACCOUNTS), body))
}

/// `POST /accounts`
pub(crate) async fn add(Posted { signed, fields }: Posted) -> Response {
    let language = signed.language;
    let (name, chosen) = (fields.get("name").to_owned(), fields.get("password"));
    let Some(role) = Role::of_word(fields.get("role")) else {
        return signed.failed("/accounts", text::FORM_UNREADABLE.is(language));
    };
    if let Err(weak) = password::allowed(chosen, &name) {
        return signed.failed("/accounts", weak_words(weak).is(language));
    }
    if let Err(words) = own::confirm(&signed, fields.get("your-password")).await {
        return signed.failed("/accounts", words);
    }
    let Ok(hash) = signed.app.passwords.hash(chosen.to_owned()).await else {
        return signed.failed("/accounts", text::SYSTEM_FAILED.is(language));
    };
    match signed.app.keeper.ask(move |store| store.add_account(&name, role, &hash, now_ms())).await {
        Ok(account) => {
            let detail = format!("{}, {}", account.name, role.word());
            signed.app.audit(&signed.actor(), Act::AccountAdded, detail).await;
            signed.done("/accounts", text::ACCOUNT_ADDED.with(language, &[("name", &account.name)]))
        }
        Err(problem) => signed.failed("/accounts", of_store(&problem, language).1),
    }
}

/// `GET /accounts/{id}`
pub(crate) async fn edit(signed: Signed, Path(id): Path<i64>) -> Page {
    let t = |text: Text| text.is(signed.language);
    let account = find(&signed, id).await?;
    let tokens = signed.app.keeper.ask(move |store| store.tokens_of(id)).await;
    let tokens = tokens.map_err(|problem| store_fault(&signed, &problem))?;
    let body = html! {
        @if signed.may_write() {
            @if !tokens.is_empty() {
                p.note #account-tokens {
                    (text::ACCOUNT_TOKENS.with(signed.language, &[("tokens", &tokens.join(", "))]))
                }
            }
            form method="post" action=(format!("/accounts/{id}")) {
                (layout::token(&signed))
                (role_field(&signed, Some(account.role)))
                div.field {
                    label for="password" { (t(text::PASSWORD_NEW)) }
                    input #password name="password" type="password" autocomplete="new-password" maxlength="256"
                        aria-describedby="password-hint";
                    p.hint #password-hint { (t(text::ACCOUNT_PASSWORD_HINT)) }
                }
                (layout::field("your-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                button #save-account type="submit" { (t(text::SAVE)) }
            }
            form method="post" action=(format!("/accounts/{id}/remove")) {
                (layout::token(&signed))
                (layout::field("remove-your-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                button.danger #remove-account type="submit" {
                    (text::ACCOUNT_REMOVE_NAMED.with(signed.language, &[("name", &account.name)]))
                }
            }
        }
        p { a href="/accounts" { (t(text::BACK)) } }
    };
    let title = text::ACCOUNT_EDIT_TITLE.with(signed.language, &[("name", &account.name)]);
    Ok(layout::page(&signed, Place::Accounts, &title, body))
}

/// `POST /accounts/{id}`
pub(crate) async fn change(Path(id): Path<i64>, Posted { signed, fields }: Posted) -> Page {
    let (language, here) = (signed.language, format!("/accounts/{id}"));
    let account = find(&signed, id).await?;
    let Some(role) = Role::of_word(fields.get("role")) else {
        return Ok(signed.failed(&here, text::FORM_UNREADABLE.is(language)));
    };
    if let Err(words) = own::confirm(&signed, fields.get("your-password")).await {
        return Ok(signed.failed(&here, words));
    }
    let chosen = fields.get("password");
    let mut hash = None;
    if !chosen.is_empty() {
        if let Err(weak) = password::allowed(chosen, &account.name) {
            return Ok(signed.failed(&here, weak_words(weak).is(language)));
        }
        match signed.app.passwords.hash(chosen.to_owned()).await {
            Ok(made) => hash = Some(made),
            Err(_) => return Ok(signed.failed(&here, text::SYSTEM_FAILED.is(language))),
        }
    }
    let new_password = hash.is_some();
    let changed = signed.app.keeper.ask(move |store| store.change_account(id, Some(role), hash.as_deref()));
    let revoked = match changed.await {
        Ok(revoked) => revoked,
        Err(problem) => return Ok(signed.failed(&here, of_store(&problem, language).1)),
    };
    // Before it is written down: what its sessions may do was decided when they began.
    signed.app.sessions.end_all(id, None);
    let detail = format!("{}, {}{}", account.name, role.word(), if new_password { ", password" } else { "" });
    signed.app.audit(&signed.actor(), Act::AccountChanged, with_revoked(detail, &revoked)).await;
    let words = text::ACCOUNT_CHANGED.with(language, &[("name", &account.name)]);
    Ok(signed.done("/accounts", and_tokens(words, &revoked, language)))
}

/// `POST /accounts/{id}/remove`
pub(crate) async fn remove(Path(id): Path<i64>, Posted { signed, fields }: Posted) -> Page {
    let language = signed.language;
    let account = find(&signed, id).await?;
    if let Err(words) = own::confirm(&signed, fields.get("remove-your-password")).await {
        return Ok(signed.failed(&format!("/accounts/{id}"), words));
    }
    let revoked = match signed.app.keeper.ask(move |store| store.remove_account(id)).await {
        Ok(revoked) => revoked,
        Err(problem) => return Ok(signed.failed("/accounts", of_store(&problem, language).1)),
    };
    signed.app.sessions.end_all(id, None);
    let detail = with_revoked(account.name.clone(), &revoked);
    signed.app.audit(&signed.actor(), Act::AccountRemoved, detail).await;
    let words = text::ACCOUNT_REMOVED.with(language, &[("name", &account.name)]);
    Ok(signed.done("/accounts", and_tokens(words, &revoked, language)))
}

/// `POST /sessions/{number}/end`
pub(crate) async fn end_session(Path(number): Path<u64>, Posted { signed, .. }: Posted) -> Response {
    let Some(name) = signed.app.sessions.end_number(number) else {
        return signed.failed("/accounts", text::NO_SUCH_ACCOUNT.is(signed.language));
    };
    signed.app.audit(&signed.actor(), Act::SessionEnded, name.clone()).await;
    signed.done("/accounts", text::SESSION_ENDED.with(signed.language, &[("name", &name)]))
}

async fn find(signed: &Signed, id: i64) -> Result<WebAccount, Response> {
    let accounts = signed.app.keeper.ask(|store| store.accounts()).await;
    let accounts = accounts.map_err(|problem| store_fault(signed, &problem))?;
    let found = accounts.into_iter().find(|account| account.id == id);
    found.ok_or_else(|| Fault::not_found(signed.language).into_response())
}

fn store_fault(signed: &Signed, problem: &crate::keeper::KeeperError) -> Response {
    let (status, words) = of_store(problem, signed.language);
    Fault::saying(status, signed.language, words).into_response()
}

fn accounts_table(signed: &Signed, accounts: &[WebAccount]) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let row = |account: &WebAccount| {
        let name = account.name.as_str();
        let label = format!("{} {name}", t(text::ACCOUNT_EDIT));
        vec![
            html! { (name) },
            html! { (layout::role(account.role, signed.language)) },
            layout::moment(account.created_ms),
            html! {
                @if let Some(at) = account.last_sign_in_ms { (layout::moment(at)) } @else { (t(text::NEVER)) }
            },
            html! {
                @if signed.may_write() {
                    a href=(format!("/accounts/{}", account.id)) aria-label=(label) { (t(text::ACCOUNT_EDIT)) }
                }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = accounts.iter().map(row).collect();
    let heads = [t(text::NAME), t(text::ROLE), t(text::CREATED), t(text::LAST_SIGN_IN), t(text::ACTIONS)];
    layout::table("accounts", t(text::ACCOUNTS_CAPTION), &heads, &rows)
}

fn role_field(signed: &Signed, now: Option<Role>) -> Markup {
    html! {
        div.field {
            label for="role" { (text::ROLE.is(signed.language)) }
            select #role name="role" {
                @for role in [Role::Supervisor, Role::Administrator] {
                    option value=(role.word()) selected[now == Some(role)] { (layout::role(role, signed.language)) }
                }
            }
        }
    }
}

fn add_form(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        details {
            summary #add-account-open { (t(text::ACCOUNT_ADD)) }
            form method="post" action="/accounts" {
                (layout::token(signed))
                (layout::field("name", "text", t(text::NAME), "", "off", None))
                (role_field(signed, None))
                (layout::field("password", "password", t(text::PASSWORD), "", "new-password", Some(t(text::PASSWORD_HINT))))
                (layout::field("your-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                button #add-account type="submit" { (t(text::ACCOUNT_ADD)) }
            }
        }
    }
}

fn tokens_table(signed: &Signed, tokens: &[ApiToken]) -> Markup {
    let t = |text: Text| text.is(signed.language);
    if tokens.is_empty() {
        return html! { p.empty { (t(text::NO_TOKENS)) } };
    }
    let row = |token: &ApiToken| {
        let scope = match token.scope {
            Scope::Read => text::TOKEN_READ,
            Scope::Write => text::TOKEN_WRITE,
        };
        let revoke = text::TOKEN_REVOKE_NAMED.with(signed.language, &[("name", &token.name)]);
        vec![
            html! { (token.name) },
            html! { (t(scope)) },
            html! { (layout::moment(token.created_ms)) },
            html! { (token.by) },
            html! { @if let Some(at) = token.last_used_ms { (layout::moment(at)) } @else { (t(text::NEVER)) } },
            layout::action(
                signed,
                &format!("revoke-{}", token.id),
                &format!("/tokens/{}/revoke", token.id),
                &revoke,
                "quiet",
            ),
        ]
    };
    let rows: Vec<Vec<Markup>> = tokens.iter().map(row).collect();
    let heads = [
        t(text::TOKEN_FOR),
        t(text::TOKEN_SCOPE),
        t(text::CREATED),
        t(text::MADE_BY),
        t(text::LAST_USED),
        t(text::ACTIONS),
    ];
    layout::table("tokens", t(text::TOKENS), &heads, &rows)
}

fn token_form(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        details {
            summary #add-token-open { (t(text::TOKEN_ADD)) }
            form method="post" action="/tokens" {
                (layout::token(signed))
                (layout::field("token-name", "text", t(text::TOKEN_FOR), "", "off", None))
                div.field {
                    label for="scope" { (t(text::TOKEN_SCOPE)) }
                    select #scope name="scope" {
                        option value="read" { (t(text::TOKEN_READ)) }
                        option value="write" { (t(text::TOKEN_WRITE)) }
                    }
                }
                (layout::field("token-your-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                button #add-token type="submit" { (t(text::TOKEN_ADD)) }
            }
        }
    }
}

fn sessions_table(signed: &Signed, sessions: &[Session]) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let row = |session: &Session| {
        let is_this = session.number == signed.session.number;
        let from = session.from.to_string();
        let values: [(&str, &dyn std::fmt::Display); 2] = [("name", &session.name), ("from", &from)];
        let end = text::SESSION_END_NAMED.with(signed.language, &values);
        vec![
            html! { (session.name) @if is_this { " (" (t(text::SESSION_THIS)) ")" } },
            html! { (from) },
            html! { (session.agent) },
            layout::moment(session.began_ms),
            html! {
                @if !is_this {
                    (layout::action(signed, &format!("end-{}", session.number),
                        &format!("/sessions/{}/end", session.number), &end, "quiet"))
                }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = sessions.iter().map(row).collect();
    let heads = [t(text::NAME), t(text::FROM), t(text::BROWSER), t(text::SINCE), t(text::ACTIONS)];
    layout::table("sessions", t(text::SESSIONS_CAPTION), &heads, &rows)
}
