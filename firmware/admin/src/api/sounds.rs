//! What callers hear who wait: told, uploaded and removed, for programs.

use axum::{extract::Request, http::StatusCode, response::IntoResponse};
use serde_json::{Value, json};
use store::Settings;

use crate::{
    api::{Caller, Named, Told, Writer, problem::Problem, shapes},
    audit::Act,
    fields::Fields,
    pages::waiting::{Heard, REMOVED, UPLOADED, take, take_away, why},
    parts::announced,
    sounds::{Found, MAX_BYTES, Refused, plain_name},
    spool::SpoolError,
};

/// `GET /api/v1/sounds`
pub(crate) async fn list(caller: Caller) -> Told {
    let settings = read(&caller).await?;
    Ok(shapes::list(&Heard::all(&settings), |heard| told(&caller, &settings, heard)))
}

/// `POST /api/v1/sounds/{key}`, with `?name=` of the file
pub(crate) async fn upload(caller: Writer, Named(key): Named, request: Request) -> Told {
    let heard = find(&caller, &key).await?;
    let refused = |refused: &Refused| {
        let (status, words) = why(refused, caller.language);
        Problem::new(status, words)
    };
    let bytes = announced(request.headers());
    if bytes.is_some_and(|bytes| bytes > MAX_BYTES) {
        return Err(refused(&Refused::Upload(SpoolError::TooLarge)));
    }
    let asked = Fields::of_bytes(request.uri().query().unwrap_or_default().as_bytes());
    let name = plain_name(asked.find("name"));
    let taken = take(&caller.app, &heard, bytes, name, request.into_body().into_data_stream()).await;
    taken.map_err(|problem| refused(&problem))?;
    let detail = format!("{}{UPLOADED}", heard.word());
    caller.app.audit(&caller.actor(), Act::SettingsChanged, detail).await;
    let settings = read(&caller).await?;
    Ok(shapes::json(StatusCode::CREATED, &told(&caller, &settings, &heard)))
}

/// `DELETE /api/v1/sounds/{key}`
pub(crate) async fn remove(caller: Writer, Named(key): Named) -> Told {
    let heard = find(&caller, &key).await?;
    take_away(&caller.app, &heard).await.map_err(|refused| {
        let (status, words) = why(&refused, caller.language);
        Problem::new(status, words)
    })?;
    let detail = format!("{}{REMOVED}", heard.word());
    caller.app.audit(&caller.actor(), Act::SettingsChanged, detail).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read(caller: &Caller) -> Result<Settings, Problem> {
    caller.app.settings().await.map_err(|problem| Problem::of_store(&problem, caller.language))
}

async fn find(caller: &Caller, key: &str) -> Result<Heard, Problem> {
    let settings = read(caller).await?;
    let heard = Heard::of(key).filter(|heard| heard.now(&settings).is_some());
    heard.ok_or_else(|| caller.not_found())
}

fn told(caller: &Caller, settings: &Settings, heard: &Heard) -> Value {
    let path = heard.now(settings).and_then(Option::as_deref);
    let found = path.map(|path| caller.app.sounds.look(path));
    let note = match &found {
        Some(Found::Kept(note)) => Some(note),
        _ => None,
    };
    json!({
        "key": heard.word(),
        "words": heard.words(settings, caller.language),
        "path": path,
        "lost": found == Some(Found::Lost),
        "name": note.map(|note| &note.name),
        "length_ms": note.map(|note| note.facts.length_ms),
        "peak_dbfs": note.map(|note| note.facts.peak_dbfs),
        "mean_dbfs": note.map(|note| note.facts.mean_dbfs),
    })
}
