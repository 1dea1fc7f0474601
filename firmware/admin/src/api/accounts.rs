//! Accounts, tokens and sessions, for programs.

use std::time::Instant;

use axum::{http::StatusCode, response::IntoResponse};
use serde::Deserialize;
use serde_json::json;
use store::{Role, Scope, WebAccount};

use crate::{
    api::{Caller, Named, Sent, Told, Writer, problem::Problem, shapes},
    app::now_ms,
    audit::Act,
    keeper::KeeperError,
    pages::{outside::weak_words, tokens},
    password, text,
};

/// `GET /api/v1/accounts`
pub(crate) async fn list(caller: Caller) -> Told {
    Ok(shapes::list(&read(&caller).await?, shapes::account))
}

/// `GET /api/v1/accounts/{id}`
pub(crate) async fn one(caller: Caller, named: Named) -> Told {
    let account = find(&caller, named.number(&caller)?).await?;
    Ok(shapes::json(StatusCode::OK, &shapes::account(&account)))
}

/// What `POST /api/v1/accounts` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    name: String,
    role: String,
    password: String,
}

/// `POST /api/v1/accounts`
pub(crate) async fn add(Sent { caller, body }: Sent<NewAccount>) -> Told {
    let NewAccount { name, role, password } = body;
    let role = role_of(&caller, &role)?;
    let hash = hash(&caller, password, &name).await?;
    let added = caller.app.keeper.ask(move |store| store.add_account(&name, role, &hash, now_ms())).await;
    let account = added.map_err(|problem| of_store(&caller, &problem))?;
    caller.app.audit(&caller.actor(), Act::AccountAdded, format!("{}, {}", account.name, role.word())).await;
    Ok(shapes::json(StatusCode::CREATED, &shapes::account(&account)))
}

/// What `PATCH /api/v1/accounts/{id}` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    role: Option<String>,
    password: Option<String>,
}

/// `PATCH /api/v1/accounts/{id}`
pub(crate) async fn change(named: Named, Sent { caller, body }: Sent<Change>) -> Told {
    let id = named.number(&caller)?;
    let account = find(&caller, id).await?;
    let Change { role, password } = body;
    if role.is_none() && password.is_none() {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_NOTHING));
    }
    let role = role.map(|role| role_of(&caller, &role)).transpose()?;
    let hash = match password {
        Some(password) => Some(hash(&caller, password, &account.name).await?),
        None => None,
    };
    let detail = match (role, &hash) {
        (Some(role), None) => format!("{}, {}", account.name, role.word()),
        (Some(role), Some(_)) => format!("{}, {}, password", account.name, role.word()),
        (None, _) => format!("{}, password", account.name),
    };
    let changed = caller.app.keeper.ask(move |store| store.change_account(id, role, hash.as_deref()));
    let revoked = changed.await.map_err(|problem| of_store(&caller, &problem))?;
    // Before it is written down: what its sessions may do was decided when they began.
    caller.app.sessions.end_all(id, None);
    caller.app.audit(&caller.actor(), Act::AccountChanged, tokens::with_revoked(detail, &revoked)).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/accounts/{id}`
pub(crate) async fn remove(caller: Writer, named: Named) -> Told {
    let id = named.number(&caller)?;
    let account = find(&caller, id).await?;
    let removed = caller.app.keeper.ask(move |store| store.remove_account(id)).await;
    let revoked = removed.map_err(|problem| of_store(&caller, &problem))?;
    caller.app.sessions.end_all(id, None);
    let detail = tokens::with_revoked(account.name, &revoked);
    caller.app.audit(&caller.actor(), Act::AccountRemoved, detail).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/v1/tokens`
pub(crate) async fn tokens(caller: Caller) -> Told {
    let tokens = caller.app.keeper.ask(|store| store.tokens()).await;
    Ok(shapes::list(&tokens.map_err(|problem| of_store(&caller, &problem))?, shapes::token))
}

/// What `POST /api/v1/tokens` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    name: String,
    scope: String,
}

/// `POST /api/v1/tokens`
pub(crate) async fn add_token(Sent { caller, body }: Sent<NewToken>) -> Told {
    let unreadable = || caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::FORM_UNREADABLE);
    let scope = Scope::of_word(&body.scope).ok_or_else(unreadable)?;
    let by = caller.actor().who;
    let made = tokens::make(&caller.app, body.name, scope, by).await;
    let (secret, kept) = made.map_err(|problem| of_store(&caller, &problem))?;
    caller.app.audit(&caller.actor(), Act::TokenAdded, format!("{}, {}", kept.name, scope.word())).await;
    let mut told = shapes::token(&kept);
    told["token"] = json!(secret);
    Ok(shapes::json(StatusCode::CREATED, &told))
}

/// `DELETE /api/v1/tokens/{id}`
pub(crate) async fn revoke(caller: Writer, named: Named) -> Told {
    let id = named.number(&caller)?;
    let revoked = caller.app.keeper.ask(move |store| store.remove_token(id)).await;
    let (name, others) = revoked.map_err(|problem| of_store(&caller, &problem))?;
    caller.app.audit(&caller.actor(), Act::TokenRevoked, tokens::with_revoked(name, &others)).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/v1/sessions`
pub(crate) async fn sessions(caller: Caller) -> Told {
    Ok(shapes::list(&caller.app.sessions.list(Instant::now()), shapes::session))
}

/// `DELETE /api/v1/sessions/{id}`
pub(crate) async fn end_session(caller: Writer, named: Named) -> Told {
    let number = u64::try_from(named.number(&caller)?).map_err(|_| caller.not_found())?;
    let name = caller.app.sessions.end_number(number).ok_or_else(|| caller.not_found())?;
    caller.app.audit(&caller.actor(), Act::SessionEnded, name).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read(caller: &Caller) -> Result<Vec<WebAccount>, Problem> {
    let accounts = caller.app.keeper.ask(|store| store.accounts()).await;
    accounts.map_err(|problem| of_store(caller, &problem))
}

async fn find(caller: &Caller, id: i64) -> Result<WebAccount, Problem> {
    let found = read(caller).await?.into_iter().find(|account| account.id == id);
    found.ok_or_else(|| caller.not_found())
}

fn role_of(caller: &Caller, word: &str) -> Result<Role, Problem> {
    Role::of_word(word).ok_or_else(|| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::FORM_UNREADABLE))
}

async fn hash(caller: &Caller, chosen: String, name: &str) -> Result<String, Problem> {
    password::allowed(&chosen, name)
        .map_err(|weak| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, weak_words(weak)))?;
    let hash = caller.app.passwords.hash(chosen).await;
    hash.map_err(|_| caller.problem(StatusCode::SERVICE_UNAVAILABLE, text::SYSTEM_FAILED))
}

fn of_store(caller: &Caller, problem: &KeeperError) -> Problem {
    Problem::of_store(problem, caller.language)
}
