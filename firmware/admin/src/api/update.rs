//! Updates of the box: how it stands, a bundle uploaded, and what becomes of it.

use axum::{extract::Request, http::StatusCode, response::IntoResponse};
use ipc::Language;
use serde::Deserialize;
use serde_json::{Value, json};
use update::{Attempt, Bundle, Handle, Outcome, Stage, Standing, is_older};

use crate::{
    api::{Caller, Sent, Told, Writer, problem::Problem, shapes},
    audit::Act,
    pages::update as page,
    parts::announced,
    text,
};

/// `GET /api/v1/update`
pub(crate) async fn show(caller: Caller) -> Told {
    let standing = caller.app.update.as_ref().map(Handle::standing);
    let told = match standing {
        None => {
            let version = caller.app.config.version.clone();
            let nothing = Standing { version, ..Standing::default() };
            standing_value(&nothing, Some(text::UPDATE_NO_BOX.is(caller.language).into()), caller.language)
        }
        Some(standing) => {
            let why = standing
                .away
                .as_ref()
                .map(|away| page::away_words(away, caller.language).line(caller.language));
            standing_value(&standing, why, caller.language)
        }
    };
    Ok(shapes::json(StatusCode::OK, &told))
}

/// `POST /api/v1/update/bundle`
pub(crate) async fn upload(caller: Writer, request: Request) -> Told {
    let update = usable(&caller)?;
    let announced = announced(request.headers());
    let received = page::receive(&update, announced, request.into_body().into_data_stream()).await;
    let bundle = received.map_err(|problem| {
        let (status, said) = page::refusal(&problem, caller.language);
        Problem::new(status, said.line(caller.language))
    })?;
    caller.app.audit(&caller.actor(), Act::UpdateUploaded, bundle.manifest.version.clone()).await;
    Ok(shapes::json(StatusCode::CREATED, &bundle_value(&bundle, &update.standing().version)))
}

/// `DELETE /api/v1/update/bundle`
pub(crate) async fn discard(caller: Writer) -> Told {
    if !usable(&caller)?.discard().await {
        return Err(caller.problem(StatusCode::CONFLICT, text::UPDATE_TOO_LATE));
    }
    caller.app.audit(&caller.actor(), Act::UpdateCancelled, "removed").await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What `PUT /api/v1/update/order` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    when: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    /// One that is older than what runs is wanted.
    #[serde(default)]
    older: bool,
}

/// `PUT /api/v1/update/order`
pub(crate) async fn order(Sent { caller, body }: Sent<NewOrder>) -> Told {
    let NewOrder { when, from, until, older } = body;
    let when = page::when(&when, &from, &until);
    let when =
        when.ok_or_else(|| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_TIMES_WRONG))?;
    let actor = caller.actor();
    let ordered = page::order(&caller.app, actor.who.clone(), when, older).await;
    let detail = ordered.map_err(|(status, words)| caller.problem(status, words))?;
    caller.app.audit(&actor, Act::UpdateOrdered, detail).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE /api/v1/update/order`
pub(crate) async fn cancel(caller: Writer) -> Told {
    if !usable(&caller)?.cancel().await {
        return Err(caller.problem(StatusCode::CONFLICT, text::UPDATE_TOO_LATE));
    }
    caller.app.audit(&caller.actor(), Act::UpdateCancelled, "").await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn usable(caller: &Caller) -> Result<Handle, Problem> {
    page::usable(&caller.app).map_err(|words| caller.problem(StatusCode::CONFLICT, words))
}

fn standing_value(standing: &Standing, why_not: Option<String>, language: Language) -> Value {
    let (stage, percent) = match &standing.stage {
        Stage::Resting => ("resting", None),
        Stage::Waiting => ("waiting", None),
        Stage::Installing { percent, .. } => ("installing", Some(percent)),
        Stage::Written => ("written", None),
        Stage::Restarting => ("restarting", None),
    };
    let slots = standing.system.slots.iter().map(|slot| {
        let verdict = standing.verdicts.get(&slot.bootname);
        json!({
            "name": slot.bootname,
            "running": slot.booted,
            "next": slot.primary,
            "good": slot.good,
            "version": if slot.booted { Some(&standing.version) } else { slot.version.as_ref() },
            "checked_ms": verdict.map(|verdict| verdict.at_ms),
            "wrong": verdict.map(|verdict| page::troubles(&verdict.troubles, language).line(language)),
        })
    });
    json!({
        "version": standing.version,
        "why_not": why_not,
        "slots": slots.collect::<Value>(),
        "bundle": standing.bundle.as_ref().map(|bundle| bundle_value(bundle, &standing.version)),
        "stage": stage,
        "percent": percent,
        "busy": standing.occupied,
        "sticks": standing.sticks == update::Sticks::On,
        "attempts": standing.attempts.iter().rev().map(|attempt| attempt_value(attempt, language)).collect::<Value>(),
    })
}

fn bundle_value(bundle: &Bundle, runs: &str) -> Value {
    let manifest = &bundle.manifest;
    json!({
        "version": manifest.version,
        "description": manifest.description,
        "compatible": manifest.compatible,
        "bytes": bundle.bytes,
        "older": is_older(&manifest.version, runs),
    })
}

/// The words of outcomes.
pub(crate) const OUTCOMES: [&str; 9] =
    ["installing", "installed", "trying", "good", "failed", "rolled-back", "kept", "interrupted", "unknown"];

fn attempt_value(attempt: &Attempt, language: Language) -> Value {
    let word = match attempt.outcome {
        Outcome::Installing => 0,
        Outcome::Installed => 1,
        Outcome::Trying => 2,
        Outcome::Good => 3,
        Outcome::Failed { .. } => 4,
        Outcome::RolledBack { .. } => 5,
        Outcome::Kept { .. } => 6,
        Outcome::Interrupted => 7,
        Outcome::Unknown => 8,
    };
    json!({
        "id": attempt.id,
        "version": attempt.version,
        "who": attempt.who,
        "begun_ms": attempt.begun_ms,
        "ended_ms": attempt.ended_ms,
        "from": attempt.from,
        "to": attempt.to,
        "outcome": OUTCOMES[word],
        "words": page::outcome(&attempt.outcome, language).1.line(language),
    })
}
