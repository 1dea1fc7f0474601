//! How the box does, its directories, the audit log and the certificate.

use std::sync::Arc;

use axum::{extract::RawQuery, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    CertificateProblem,
    api::{Caller, Sent, Told, Writer, problem::Problem, shapes},
    audit::Act,
    fields::Fields,
    health::Health,
    pages::{self, directories::source, words},
    plugins::HostNow,
    text,
    tls::{Facts, MAX_PEM},
};

/// `GET /api/v1/overview`
pub(crate) async fn overview(caller: Caller) -> Told {
    let app = &caller.app;
    let (view, health, host) = (app.view(), Health::now(&app.config.state), app.host.now());
    let host = match &*host {
        HostNow::Away(reason) => json!({ "here": false, "version": null, "reason": reason, "plugins": 0 }),
        HostNow::Here { version, plugins } => {
            json!({ "here": true, "version": version, "reason": null, "plugins": plugins.len() })
        }
    };
    let lines = view.lines.iter().map(|line| {
        json!({
            "number": line.number,
            "name": line.name,
            "registration": shapes::registration(&line.registration),
        })
    });
    let calls = view.incoming.iter().chain(&view.outgoing).map(|call| shapes::call(call, view.now_ms));
    let told = json!({
        "version": app.config.version,
        "up_s": app.config.started.elapsed().as_secs(),
        "operator": view.operator.name,
        "registration": shapes::registration(&view.operator.registration),
        "lines": lines.collect::<Value>(),
        "calls": calls.collect::<Value>(),
        "plugin_host": host,
        "memory": { "resident": health.resident, "free": health.memory_free, "all": health.memory },
        "storage": { "free": health.disk_free, "all": health.disk },
    });
    Ok(shapes::json(StatusCode::OK, &told))
}

/// `GET /api/v1/directories`
pub(crate) async fn directories(caller: Caller) -> Told {
    let (view, host) = (caller.app.view(), caller.app.host.now());
    let plugins = match &*host {
        HostNow::Here { plugins, .. } => plugins.as_slice(),
        HostNow::Away(_) => &[],
    };
    Ok(shapes::list(&view.directories, |directory| {
        let plugin = source(directory, plugins);
        json!({
            "id": directory.id.0,
            "name": directory.name,
            "local": directory.local,
            "contacts": directory.contacts,
            "line": directory.line,
            "plugin": directory.source,
            "state": plugin.map(|plugin| shapes::state(&plugin.state, caller.language)),
            "synced_ms": plugin.and_then(|plugin| Some(plugin.directory.as_ref()?.synced_ms)),
        })
    }))
}

/// `GET /api/v1/audit`
pub(crate) async fn audit(caller: Caller, RawQuery(query): RawQuery) -> Told {
    let asked = Fields::of_bytes(query.unwrap_or_default().as_bytes());
    let number = |name: &str| asked.find(name).map(|typed| typed.parse::<i64>()).transpose();
    let limit = number("limit").map(|limit| u32::try_from(limit.unwrap_or(50)).unwrap_or(0));
    let (Ok(before), Ok(limit @ 1..=store::MAX_AUDIT_PAGE)) = (number("before"), limit) else {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_WHOLE));
    };
    let entries = caller.app.keeper.ask(move |store| store.audit(before, limit)).await;
    let entries = entries.map_err(|problem| Problem::of_store(&problem, caller.language))?;
    Ok(shapes::list(&entries, shapes::audit_entry))
}

/// `GET /api/v1/certificate`
pub(crate) async fn certificate(caller: Caller) -> Told {
    Ok(shapes::json(StatusCode::OK, &shapes::certificate(&caller.app.certificates.facts())))
}

/// What `PUT /api/v1/certificate` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCertificate {
    chain: String,
    key: String,
}

/// `PUT /api/v1/certificate`
pub(crate) async fn replace(Sent { caller, body }: Sent<NewCertificate>) -> Told {
    if body.chain.len() > MAX_PEM || body.key.len() > MAX_PEM {
        return Err(caller.problem(StatusCode::UNPROCESSABLE_ENTITY, text::API_TOO_LARGE));
    }
    let done = pages::certificate::take(&caller.app, body.chain, body.key).await;
    replaced(&caller, done).await
}

/// `DELETE /api/v1/certificate`
pub(crate) async fn use_own(caller: Writer) -> Told {
    let certificates = Arc::clone(&caller.app.certificates);
    let done = spawn_blocking(move || certificates.use_own()).await;
    let done = done.unwrap_or_else(|error| Err(CertificateProblem::Disk(std::io::Error::other(error))));
    replaced(&caller, done).await
}

async fn replaced(caller: &Writer, done: Result<Facts, CertificateProblem>) -> Told {
    let facts = done.map_err(|problem| {
        let words = words::certificate(&problem, caller.language).line(caller.language);
        let status = match problem {
            CertificateProblem::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Problem::new(status, words)
    })?;
    let told = shapes::json(StatusCode::OK, &shapes::certificate(&facts));
    caller.app.audit(&caller.actor(), Act::CertificateReplaced, facts.fingerprint).await;
    Ok(told)
}
