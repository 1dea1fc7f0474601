//! Statistics, diagnostics, the log, and a backup.

use axum::{extract::RawQuery, http::StatusCode};
use chrono::Local;
use serde::Deserialize;
use serde_json::{Value, json};
use store::CallCounts;

use crate::{
    api::{Caller, Sent, Told, problem::Problem, shapes},
    audit::Act,
    backup::{LONGEST, SHORTEST},
    calendar::{Span, Stretch},
    fields::Fields,
    logs::{Level, MAX_LINES},
    pages, text,
};

/// `GET /api/v1/statistics`
pub(crate) async fn statistics(caller: Caller, RawQuery(query): RawQuery) -> Told {
    let asked = Fields::of_bytes(query.unwrap_or_default().as_bytes());
    let span = asked.find("span").unwrap_or(Span::Day.word());
    let today = Local::now().date_naive().to_string();
    let stretch = Stretch::of_words(span, asked.find("day").unwrap_or(&today));
    let stretch =
        stretch.ok_or_else(|| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::STATISTICS_WHICH))?;
    let told = pages::statistics::count(&caller.app, stretch).await;
    let told = told.map_err(|problem| Problem::of_store(&problem, caller.language))?;
    let times = |of: &store::TimeFigures| json!({ "calls": of.calls, "total_ms": of.total_ms, "longest_ms": of.longest_ms });
    let hours = told.slots.iter().map(|slot| {
        with(json!({ "from_ms": slot.from_unix_ms, "until_ms": slot.until_unix_ms }), &slot.counts)
    });
    let lines =
        told.lines.iter().map(|line| with(json!({ "number": line.number, "name": line.name }), &line.counts));
    let outcomes = told.outcomes.iter().map(|count| {
        json!({
            "direction": store::call_direction_word(count.direction),
            "outcome": store::outcome_word(count.end),
            "calls": count.calls,
        })
    });
    let answers = &told.answers;
    let told = json!({
        "first_day": stretch.first.to_string(),
        "last_day": stretch.last().to_string(),
        "all": with(json!({}), &told.all),
        "answers": {
            "answered": answers.answered, "within_20_s": answers.quick, "median_ms": answers.median_ms,
            "p95_ms": answers.p95_ms, "longest_ms": answers.longest_ms,
        },
        "talk": times(&told.talk),
        "hold": times(&told.hold),
        "hours": hours.collect::<Value>(),
        "lines": lines.collect::<Value>(),
        "outcomes": outcomes.collect::<Value>(),
    });
    Ok(shapes::json(StatusCode::OK, &told))
}

/// `GET /api/v1/diagnostics`
pub(crate) async fn diagnostics(caller: Caller) -> Told {
    let app = &caller.app;
    let database = app.keeper.ask(|store| store.health()).await;
    let database = database.map_err(|problem| Problem::of_store(&problem, caller.language))?;
    let told = json!({
        "version": app.config.version,
        "up_s": app.config.started.elapsed().as_secs(),
        "engine": app.desk.diagnostics().await,
        "database": database,
    });
    Ok(shapes::json(StatusCode::OK, &told))
}

/// `GET /api/v1/log`
pub(crate) async fn log(caller: Caller, RawQuery(query): RawQuery) -> Told {
    let asked = Fields::of_bytes(query.unwrap_or_default().as_bytes());
    let level = Level::of_word(asked.find("level").unwrap_or(Level::Info.word()))
        .ok_or_else(|| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_LEVEL))?;
    let lines = caller.app.log.newest(level, MAX_LINES);
    Ok(shapes::list(&lines, |line| json!({ "level": line.level.word(), "text": line.text })))
}

/// What `POST /api/v1/backup` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBackup {
    passphrase: String,
}

/// `POST /api/v1/backup`
pub(crate) async fn backup(Sent { caller, body: NewBackup { passphrase } }: Sent<NewBackup>) -> Told {
    let wrong = if passphrase.chars().count() < SHORTEST {
        Some(text::BACKUP_PASSPHRASE_SHORT)
    } else {
        (passphrase.len() > LONGEST).then_some(text::BACKUP_PASSPHRASE_LONG)
    };
    if let Some(words) = wrong {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, words));
    }
    let sent = pages::backup::stream(&caller.app, passphrase).await.map_err(|problem| {
        let (status, words) = pages::backup::no_backup(&problem, caller.language);
        Problem::new(status, words)
    })?;
    caller.app.audit(&caller.actor(), Act::BackupMade, "").await;
    Ok(sent)
}

fn with(mut told: Value, counts: &CallCounts) -> Value {
    let CallCounts { incoming, answered, missed, outgoing, talk_ms, hold_ms } = *counts;
    for (name, count) in [
        ("incoming", incoming),
        ("answered", answered),
        ("missed", missed),
        ("outgoing", outgoing),
        ("talk_ms", talk_ms),
        ("hold_ms", hold_ms),
    ] {
        told[name] = count.into();
    }
    told
}
