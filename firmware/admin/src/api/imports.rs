//! Files of contacts, uploaded by programs (DIR-3).

use axum::{extract::Request, http::StatusCode};
use serde_json::json;

use crate::{
    api::{Told, Writer, problem::Problem, shapes},
    fields::Fields,
    imports::{MAX_BYTES, take},
    pages::imports::{named, problem, row, why},
    parts::announced,
    sounds::plain_name,
    spool::SpoolError,
    text,
};

/// `POST /api/v1/contacts`, with `?directory=` and, where it is made, `&local=true`; `&name=` is what the file is called.
/// Answers when the desk has read all of it.
pub(crate) async fn upload(caller: Writer, request: Request) -> Told {
    let language = caller.language;
    let refused = |refused: &SpoolError| {
        let (status, words) = why(refused, language);
        Problem::new(status, words)
    };
    let bytes = announced(request.headers());
    if bytes.is_some_and(|bytes| bytes > MAX_BYTES) {
        return Err(refused(&SpoolError::TooLarge));
    }
    let asked = Fields::of_bytes(request.uri().query().unwrap_or_default().as_bytes());
    let target = named(asked.get("directory"), asked.get("local") == "true");
    let target = target.map_err(|words| caller.problem(StatusCode::UNPROCESSABLE_ENTITY, words))?;
    let file = plain_name(asked.find("name"));
    let body = request.into_body().into_data_stream();
    let taken = take(&caller.app, caller.actor(), target, file, bytes, body).await;
    let task = taken.map_err(|reason| refused(&reason))?;
    let unsaid = |_| caller.problem(StatusCode::SERVICE_UNAVAILABLE, text::LOAD_NO_ANSWER);
    let outcome = task.await.map_err(unsaid)?;
    let report = outcome.result.as_ref().map_err(|reason| {
        let (status, said) = problem(reason, language);
        Problem::new(status, said.line(language))
    })?;
    let rows = report.problems.iter().map(|problem| {
        let (column, words) = row(&problem.fault, language);
        json!({ "line": problem.line, "column": column, "words": words })
    });
    let rows: Vec<serde_json::Value> = rows.collect();
    let told = json!({
        "file": outcome.file,
        "directory": outcome.directory,
        "added": report.loaded,
        "refused": report.left_out,
        "unknown_columns": report.unknown_columns,
        "rows": rows,
    });
    Ok(shapes::json(StatusCode::OK, &told))
}
