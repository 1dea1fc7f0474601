//! Packages, uploaded by programs.

use axum::{extract::Request, http::StatusCode, response::IntoResponse};
use ipc::MAX_PACKAGE;
use serde::Deserialize;

use crate::{
    api::{Caller, Named, Sent, Told, Writer, plugins::Grants, problem::Problem, shapes},
    audit::Act,
    pages::{
        plugins::{receive, refusal},
        upload::granted_words,
    },
    parts::announced,
    text,
    uploads::{UploadProblem, Waiting},
};

/// `POST /api/v1/uploads`
pub(crate) async fn upload(caller: Writer, request: Request) -> Told {
    let told = |problem: &UploadProblem| {
        let (status, words) = refusal(problem, caller.language);
        Problem::new(status, words)
    };
    if announced(request.headers()).is_some_and(|bytes| bytes > MAX_PACKAGE) {
        return Err(told(&UploadProblem::TooLarge));
    }
    let received = receive(&caller.app, request.into_body().into_data_stream()).await;
    let waiting = received.map_err(|problem| told(&problem))?;
    let found = &waiting.inspection;
    caller.app.audit(&caller.actor(), Act::PluginUploaded, format!("{} {}", found.id, found.version)).await;
    Ok(shapes::json(StatusCode::CREATED, &shapes::inspection(&waiting.key, found, caller.language)))
}

/// `GET /api/v1/uploads/{key}`
pub(crate) async fn one(caller: Caller, Named(key): Named) -> Told {
    let waiting = find(&caller, &key)?;
    Ok(shapes::json(StatusCode::OK, &shapes::inspection(&key, &waiting.inspection, caller.language)))
}

/// `DELETE /api/v1/uploads/{key}`
pub(crate) async fn forget(caller: Writer, Named(key): Named) -> Told {
    find(&caller, &key)?;
    caller.app.uploads.forget(&key);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What `POST /api/v1/uploads/{key}/install` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Install {
    grants: Grants,
    #[serde(default)]
    key_confirmed: bool,
}

/// `POST /api/v1/uploads/{key}/install`
pub(crate) async fn install(Named(key): Named, Sent { caller, body }: Sent<Install>) -> Told {
    let waiting = find(&caller, &key)?;
    let found = &waiting.inspection;
    let granted = body.grants.checked(&found.rights, &caller)?;
    let detail = format!("{} {}, {}", found.id, found.version, granted_words(&granted));
    let installed = caller.app.uploads.install(&waiting, granted, body.key_confirmed).await;
    let plugin = installed.map_err(|problem| Problem::of_host(&problem, caller.language))?;
    caller.app.host.learn(&plugin);
    caller.app.audit(&caller.actor(), Act::PluginInstalled, detail).await;
    Ok(shapes::json(StatusCode::CREATED, &shapes::plugin(&plugin, caller.language)))
}

fn find(caller: &Caller, key: &str) -> Result<Waiting, Problem> {
    let gone = || caller.problem(StatusCode::NOT_FOUND, text::UPLOAD_GONE);
    caller.app.uploads.find(key).ok_or_else(gone)
}
