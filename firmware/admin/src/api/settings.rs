//! The settings of the desk as one document, and its operators, for programs. Passwords and PINs only come in.

use std::collections::BTreeSet;

use axum::{http::StatusCode, response::IntoResponse};
use ipc::Language;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::{DeskOperator, Settings};

use crate::{
    api::{Caller, Named, Sent, Told, Writer, problem::Problem, shapes},
    app::now_ms,
    audit::Act,
    keeper::KeeperError,
    language::{code, of_code},
    pages::{operators, refusals},
    settings::refused,
    text,
};

/// `GET /api/v1/settings`
pub(crate) async fn show(caller: Caller) -> Told {
    let settings = caller.app.settings().await.map_err(|problem| of_settings(&problem, caller.language))?;
    Ok(shapes::json(StatusCode::OK, &document(settings)))
}

/// What `PUT /api/v1/settings` takes, and the names of the tables that were sent.
#[derive(Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct Whole {
    settings: Settings,
    sent: BTreeSet<String>,
}

impl TryFrom<Map<String, Value>> for Whole {
    type Error = serde_json::Error;

    fn try_from(tables: Map<String, Value>) -> Result<Self, Self::Error> {
        let sent = tables.keys().cloned().collect();
        Ok(Self { settings: serde_json::from_value(Value::Object(tables))?, sent })
    }
}

impl Whole {
    /// Tables that were not sent and are not as on the first day. A program that sends one table means to change that one,
    /// and shall not take the accounts away with their passwords.
    fn left_out(&self, now: Settings) -> Vec<String> {
        let (now, usual) = (document(now), document(Settings::default()));
        let tables = now.as_object().into_iter().flatten();
        let lost = |(table, value): &(&String, &Value)| {
            !self.sent.contains(*table) && usual.get(*table) != Some(*value)
        };
        tables.filter(lost).map(|(table, _)| table.clone()).collect()
    }
}

/// `PUT /api/v1/settings`: the whole of it; what shall be emptied is sent empty. An account without password keeps the one it
/// has, also under another name, as long as it goes to the same machines, that of XMPP as long as nothing else of it changes,
/// else the password must come with it. A certificate without key keeps its own.
pub(crate) async fn replace(Sent { caller, body }: Sent<Whole>) -> Told {
    if !body.settings.directories.is_empty() {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_DIRECTORIES));
    }
    let now = caller.app.settings().await.map_err(|problem| of_settings(&problem, caller.language))?;
    let left_out = body.left_out(now).join(", ");
    if !left_out.is_empty() {
        let words = text::API_LEFT_OUT.with(caller.language, &[("tables", &left_out)]);
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, words));
    }
    let body = body.settings;
    let changed = caller.app.change_settings(move |settings| {
        let directories = std::mem::take(&mut settings.directories);
        let known = settings.xmpp.as_ref();
        let xmpp = body.xmpp.map(|wanted| wanted.in_place_of(known)).transpose()?;
        let names = body.accounts.iter().map(|account| account.id().to_owned()).collect();
        let accounts = body.accounts.into_iter().enumerate().map(|(index, wanted)| {
            let known = wanted.predecessor(&settings.accounts, &names);
            wanted.in_place_of(known, index)
        });
        let accounts = accounts.collect::<Result<Vec<_>, _>>()?;
        *settings = Settings { directories, xmpp, accounts, ..body };
        Ok(())
    });
    changed.await.map_err(|problem| of_settings(&problem, caller.language))?;
    caller.app.audit(&caller.actor(), Act::SettingsChanged, "all").await;
    let settings = caller.app.settings().await.map_err(|problem| of_settings(&problem, caller.language))?;
    Ok(shapes::json(StatusCode::OK, &document(settings)))
}

/// Without passwords, and without directories, which are the operators'.
fn document(mut settings: Settings) -> Value {
    settings.directories.clear();
    serde_json::to_value(settings.without_passwords()).unwrap_or_default()
}

fn of_settings(problem: &KeeperError, language: Language) -> Problem {
    let Some(refusal) = refused(problem) else { return Problem::of_store(problem, language) };
    let index = refusal.index.map_or_else(String::new, |index| format!("[{index}]"));
    let field = if refusal.field.is_empty() { String::new() } else { format!(".{}", refusal.field) };
    let words = refusals::why(refusal, language);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, format!("{}{index}{field}: {words}", refusal.table))
}

/// `GET /api/v1/operators`
pub(crate) async fn list_operators(caller: Caller) -> Told {
    Ok(shapes::list(&read(&caller).await?, operator))
}

/// What `POST /api/v1/operators` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOperator {
    name: String,
    language: String,
    pin: String,
}

/// `POST /api/v1/operators`
pub(crate) async fn add_operator(Sent { caller, body }: Sent<NewOperator>) -> Told {
    let NewOperator { name, language, pin } = body;
    let language = language_of(&caller, &language)?;
    let pin = hashed(&caller, &pin).await?;
    let added =
        caller.app.change_operators(move |store| store.add_operator(&name, language, &pin, now_ms())).await;
    let added = added.map_err(|problem| Problem::of_store(&problem, caller.language))?;
    caller.app.audit(&caller.actor(), Act::OperatorAdded, added.name.clone()).await;
    Ok(shapes::json(StatusCode::CREATED, &operator(&added)))
}

/// What `PATCH /api/v1/operators/{id}` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorChange {
    name: Option<String>,
    language: Option<String>,
    pin: Option<String>,
    locked: Option<bool>,
}

/// `PATCH /api/v1/operators/{id}`
pub(crate) async fn change_operator(named: Named, Sent { caller, body }: Sent<OperatorChange>) -> Told {
    let id = named.number(&caller)?;
    let now = read(&caller).await?.into_iter().find(|operator| operator.id == id);
    let now = now.ok_or_else(|| caller.not_found())?;
    let OperatorChange { name, language, pin, locked } = body;
    if name.is_none() && language.is_none() && pin.is_none() && locked.is_none() {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_NO_CHANGE));
    }
    let language = language.map(|word| language_of(&caller, &word)).transpose()?;
    let called = name.as_ref().unwrap_or(&now.name);
    let detail = format!("{called}{}", if pin.is_some() { ", PIN" } else { "" });
    let pin = match &pin {
        Some(pin) => Some(hashed(&caller, pin).await?),
        None => None,
    };
    let change = store::OperatorChange { name, language, pin, locked };
    let changed = caller.app.change_operators(move |store| store.change_operator(id, &change));
    changed.await.map_err(|problem| Problem::of_store(&problem, caller.language))?;
    caller.app.audit(&caller.actor(), Act::OperatorChanged, detail).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/operators/{id}`
pub(crate) async fn remove_operator(caller: Writer, named: Named) -> Told {
    let id = named.number(&caller)?;
    let now = read(&caller).await?.into_iter().find(|operator| operator.id == id);
    let now = now.ok_or_else(|| caller.not_found())?;
    let removed = caller.app.change_operators(move |store| store.remove_operator(id)).await;
    removed.map_err(|problem| Problem::of_store(&problem, caller.language))?;
    caller.app.audit(&caller.actor(), Act::OperatorRemoved, now.name).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read(caller: &Caller) -> Result<Vec<DeskOperator>, Problem> {
    let operators = caller.app.keeper.ask(|store| store.operators()).await;
    operators.map_err(|problem| Problem::of_store(&problem, caller.language))
}

async fn hashed(caller: &Caller, pin: &str) -> Result<String, Problem> {
    let hash = operators::hashed(&caller.app, pin, caller.language).await;
    hash.map_err(|wrong| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, wrong.words))
}

fn language_of(caller: &Caller, word: &str) -> Result<Language, Problem> {
    of_code(word).ok_or_else(|| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::FORM_UNREADABLE))
}

fn operator(operator: &DeskOperator) -> Value {
    json!({
        "id": operator.id,
        "name": operator.name,
        "language": code(operator.language),
        "locked": operator.locked,
        "failures": operator.failures,
        "created_ms": operator.created_ms,
    })
}
