//! `/diagnostics`: the newest lines of the log, figures, and all of it for support as one file (APP-2).

use std::{sync::Arc, time::Instant};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::{Diagnostics, Language, PluginAnswer, PluginLogLine, PluginRequest, PluginView};
use maud::{Markup, html};
use store::StoreHealth;
use tokio::task::spawn_blocking;

use crate::{
    app::{App, now_ms},
    audit::Act,
    bundle::Bundle,
    fault::Fault,
    guard::{Posted, Signed},
    health::Health,
    layout::{self, Place},
    logs::{Level, MAX_LINES},
    pages::{Page, marks},
    plugins::HostNow,
    text::{self, Text},
};

/// Marked calls that go into the file.
const MARKS: u32 = 200;
/// Lines shown on the page; the file has all.
const SHOWN: usize = 300;

/// `GET /diagnostics`
pub(crate) async fn show(signed: Signed) -> Page {
    let (app, language) = (&signed.app, signed.language);
    let t = |text: Text| text.is(language);
    let level = Level::of_word(signed.asked().get("level")).unwrap_or(Level::Info);
    let diagnostics = app.desk.diagnostics().await;
    let store = app.keeper.ask(|store| store.health()).await.ok();
    let lines = app.log.newest(level, SHOWN);
    let marks = marks::section(&signed).await;
    let body = html! {
        section aria-labelledby="engine-title" {
            h2 #engine-title { (t(text::DIAGNOSTICS_FIGURES)) }
            (layout::facts("engine", &figures(app, diagnostics.as_ref(), store.as_ref(), language)))
        }
        (marks)
        @if signed.may_write() { (bundle_form(&signed)) (level_form(&signed)) }
        section aria-labelledby="log-title" {
            h2 #log-title { (t(text::LOG)) }
            form.row method="get" action="/diagnostics" {
                div.field {
                    label for="level" { (t(text::LOG_LEVEL)) }
                    select #level name="level" {
                        @for one in Level::ALL {
                            option value=(one.word()) selected[one == level] { (t(level_text(one))) }
                        }
                    }
                }
                button #show-level type="submit" { (t(text::SHOW)) }
            }
            @if lines.is_empty() {
                p.empty { (t(text::LOG_NONE)) }
            } @else {
                // Long lines are scrolled aside, by the keyboard too.
                pre #log-lines tabindex="0" aria-label=(t(text::LOG)) {
                    @for line in lines.iter().rev() { span.(line.level.word()) { (line.text) } "\n" }
                }
            }
        }
    };
    Ok(layout::page(&signed, Place::Diagnostics, t(text::DIAGNOSTICS), body))
}

/// `POST /diagnostics/bundle`
pub(crate) async fn take(Posted { signed, fields }: Posted) -> Page {
    let language = signed.language;
    let is_plain = fields.has("plain");
    let packed = pack(&signed.app, is_plain).await.ok_or_else(|| {
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, language, text::SYSTEM_FAILED).into_response()
    })?;
    let detail = if is_plain { "with names and numbers" } else { "names and numbers struck out" };
    signed.app.audit(&signed.actor(), Act::DiagnosticsTaken, detail).await;
    let name = format!("frontdesk-diagnostics-{}.tar.gz", chrono::Local::now().format("%Y-%m-%d-%H%M"));
    let headers = [
        (header::CONTENT_TYPE, "application/gzip".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, packed).into_response())
}

/// `POST /diagnostics/level`
pub(crate) async fn set_level(Posted { signed, fields }: Posted) -> Response {
    let level = match fields.get("log-level") {
        "debug" => Some(Level::Debug),
        _ => None,
    };
    signed.app.desk.log_level(level, Instant::now()).await;
    let detail = level.map_or("as set", |level| level.word());
    signed.app.audit(&signed.actor(), Act::LogLevelChanged, detail).await;
    let said = if level.is_some() { text::LOG_LOUD } else { text::LOG_AS_SET };
    signed.done("/diagnostics", said.is(signed.language))
}

/// The file for support; `None` when it cannot be packed.
pub(crate) async fn pack(app: &Arc<App>, is_plain: bool) -> Option<Vec<u8>> {
    let store = app.keeper.ask(|store| Ok((store.health()?, store.load_settings()?))).await;
    let bundle = Bundle {
        version: app.config.version.clone(),
        made_ms: now_ms(),
        up_s: app.config.started.elapsed().as_secs(),
        diagnostics: app.desk.diagnostics().await,
        health: Health::now(&app.config.state),
        store: store.map_err(|problem| problem.to_string()),
        view: ipc::View::clone(&app.view()),
        plugins: plugins(app).await,
        log: app.log.newest(Level::Debug, MAX_LINES),
        marks: app.keeper.ask(|store| store.marked_calls(MARKS)).await.unwrap_or_default(),
        updates: app.update.as_ref().map_or_else(Vec::new, |update| update.standing().attempts.clone()),
        trace: if is_plain { app.desk.trace().await } else { None },
        is_plain,
    };
    match spawn_blocking(move || bundle.pack()).await {
        Ok(Ok(packed)) => Some(packed),
        Ok(Err(problem)) => {
            tracing::warn!(%problem, "diagnostics could not be packed");
            None
        }
        Err(_) => None,
    }
}

async fn plugins(app: &App) -> Result<Vec<(PluginView, Vec<PluginLogLine>)>, String> {
    let installed = match &*app.host.now() {
        HostNow::Away(reason) => return Err(reason.to_string()),
        HostNow::Here { plugins, .. } => plugins.clone(),
    };
    let mut told = Vec::with_capacity(installed.len());
    for plugin in installed {
        let log = match app.host.ask(PluginRequest::Log { plugin: plugin.id.clone() }).await {
            Ok(PluginAnswer::Log(lines)) => lines,
            _ => Vec::new(),
        };
        told.push((plugin, log));
    }
    Ok(told)
}

fn figures(
    app: &App,
    diagnostics: Option<&Diagnostics>,
    store: Option<&StoreHealth>,
    language: Language,
) -> Vec<(&'static str, Markup)> {
    let t = |text: Text| text.is(language);
    let up = layout::duration(app.config.started.elapsed().as_secs(), language);
    let mut told =
        vec![(t(text::VERSION), html! { (app.config.version) }), (t(text::UPTIME), html! { (up) })];
    match diagnostics {
        None => told
            .push((t(text::DIAGNOSTICS_ENGINE), html! { span.badge.bad { (t(text::DIAGNOSTICS_SILENT)) } })),
        Some(Diagnostics { turns, sip_address, census, .. }) => {
            let words = text::DIAGNOSTICS_TURNS.with(
                language,
                &[
                    ("turns", &turns.turns),
                    ("median", &turns.median_us),
                    ("p99", &turns.p99_us),
                    ("longest", &turns.longest_us),
                    ("over", &turns.over_2_ms),
                ],
            );
            told.push((t(text::DIAGNOSTICS_ENGINE), html! { (words) }));
            told.push((t(text::DIAGNOSTICS_ADDRESS), html! { (sip_address) }));
            if let Some(census) = census {
                let words = text::DIAGNOSTICS_CENSUS.with(
                    language,
                    &[
                        ("calls", &census.calls),
                        ("sessions", &census.sessions),
                        ("transactions", &census.transactions),
                        ("streams", &census.streams),
                    ],
                );
                told.push((t(text::DIAGNOSTICS_HELD), html! { (words) }));
            }
        }
    }
    if let Some(health) = store {
        let words = text::DIAGNOSTICS_STORE.with(
            language,
            &[
                ("size", &layout::bytes(Some(health.bytes), language)),
                ("contacts", &health.contacts),
                ("calls", &health.calls),
            ],
        );
        told.push((t(text::DIAGNOSTICS_DATABASE), html! { (words) }));
    }
    told
}

fn bundle_form(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        section aria-labelledby="bundle-title" {
            h2 #bundle-title { (t(text::BUNDLE)) }
            p { (t(text::BUNDLE_HAS)) }
            form #bundle-form method="post" action="/diagnostics/bundle" {
                (layout::token(signed))
                div.tick {
                    input #plain type="checkbox" name="plain";
                    label for="plain" { (t(text::BUNDLE_PLAIN)) }
                }
                button #take-bundle type="submit" { (t(text::BUNDLE_TAKE)) }
            }
        }
    }
}

fn level_form(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let loud = signed.app.desk.loud_for(Instant::now());
    html! {
        section aria-labelledby="loud-title" {
            h2 #loud-title { (t(text::LOG_MORE)) }
            @match loud {
                Some((_, left)) => {
                    @let minutes = left.as_secs().div_ceil(60);
                    p #loud { (text::LOG_MORE_LEFT.with(signed.language, &[("minutes", &minutes)])) }
                    (level_button(signed, "log-quiet", "set", t(text::LOG_MORE_STOP)))
                }
                None => {
                    p { (t(text::LOG_MORE_HINT)) }
                    (level_button(signed, "log-loud", "debug", t(text::LOG_MORE_GO)))
                }
            }
        }
    }
}

fn level_button(signed: &Signed, id: &str, value: &str, label: &str) -> Markup {
    html! {
        form.inline method="post" action="/diagnostics/level" {
            (layout::token(signed))
            button.quiet id=(id) type="submit" name="log-level" value=(value) { (label) }
        }
    }
}

/// What a level is called.
fn level_text(level: Level) -> Text {
    match level {
        Level::Error => text::LEVEL_ERROR,
        Level::Warn => text::LEVEL_WARN,
        Level::Info => text::LEVEL_INFO,
        Level::Debug => text::LEVEL_DEBUG,
    }
}
