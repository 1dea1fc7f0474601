//! `/plugins/{id}`: one plugin, its settings, rights, log and counters, and what can be done with it.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ipc::{Language, PluginAnswer, PluginForm, PluginLogLine, PluginRequest, PluginState, PluginView};
use maud::{Markup, html};

use crate::{
    audit::Act,
    fault::Fault,
    fields::Fields,
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, directories, own, plugins, rights, sign_in, upload, words},
    plugin_settings,
    plugins::HostProblem,
    text::{self, Text},
};

/// `GET /plugins/{id}`
pub(crate) async fn show(signed: Signed, Path(id): Path<String>) -> Page {
    page(&signed, &id, None).await
}

/// `POST /plugins/{id}/settings`
pub(crate) async fn configure(Path(id): Path<String>, Posted { signed, fields }: Posted) -> Page {
    let language = signed.language;
    let form = form(&signed, &id).await.map_err(|problem| refused(&signed, &problem))?;
    let wrong = async |words: String| -> Page {
        let mut response = page(&signed, &id, Some((&fields, words))).await?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        Ok(response)
    };
    let (values, interval_s) = match plugin_settings::read(&form, &fields, language) {
        Ok(read) => read,
        Err(words) => return wrong(words).await,
    };
    let request = PluginRequest::Configure { plugin: id.clone(), values, interval_s };
    match signed.app.host.ask(request).await {
        Ok(_) => {
            signed.app.audit(&signed.actor(), Act::PluginConfigured, id.as_str()).await;
            Ok(signed.done(&plugins::path(&id), text::SETTINGS_SAVED.is(language)))
        }
        Err(problem) => wrong(words::refusal(&problem, language).1).await,
    }
}

/// `POST /plugins/{id}/grants`
pub(crate) async fn grant(Path(id): Path<String>, Posted { signed, fields }: Posted) -> Page {
    let form = form(&signed, &id).await.map_err(|problem| refused(&signed, &problem))?;
    let here = plugins::path(&id);
    if let Err(words) = own::confirm(&signed, fields.get("password")).await {
        return Ok(signed.failed(&here, words));
    }
    let granted = rights::ticked(&fields, &form.rights);
    let detail = format!("{id}, {}", upload::granted_words(&granted));
    let asked = signed.app.host.ask(PluginRequest::Grant { plugin: id, granted }).await;
    Ok(finish(&signed, asked, &here, Act::PluginGranted, detail, text::GRANTED).await)
}

/// `POST /plugins/{id}/{action}`
pub(crate) async fn act(Path((id, action)): Path<(String, String)>, Posted { signed, .. }: Posted) -> Page {
    let plugin = id.clone();
    let (request, act, said) = match action.as_str() {
        "test" => return Ok(test(&signed, id).await),
        "enable" => (PluginRequest::Enable { plugin, on: true }, Act::PluginEnabled, text::ENABLED_DONE),
        "disable" => (PluginRequest::Enable { plugin, on: false }, Act::PluginDisabled, text::DISABLED_DONE),
        "sync" => (PluginRequest::SyncNow { plugin }, Act::PluginSynced, text::SYNC_STARTED),
        "shrink" => (PluginRequest::AllowToShrink { plugin }, Act::PluginMayShrink, text::SHRINK_DONE),
        "roll-back" => (PluginRequest::RollBack { plugin }, Act::PluginRolledBack, text::ROLLED_BACK),
        _ => return Err(Fault::not_found(signed.language).into_response()),
    };
    let here = plugins::path(&id);
    let asked = signed.app.host.ask(request).await;
    Ok(finish(&signed, asked, &here, act, id, said).await)
}

/// `GET /plugins/{id}/remove`
pub(crate) async fn ask_removal(signed: Signed, Path(id): Path<String>) -> Page {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let plugin = signed.app.host.plugin(&id).map_err(|problem| refused(&signed, &problem))?;
    let contacts = plugin.directory.as_ref().map_or(0, |directory| directory.contacts);
    let title = text::REMOVE_TITLE.with(language, &[("name", &plugin.name)]);
    let body = html! {
        p { (text::REMOVE_WORDS.with(language, &[("contacts", &contacts)])) }
        @if signed.may_write() {
            form method="post" action=(format!("{}/remove", plugins::path(&id))) {
                (layout::token(&signed))
                (layout::field("password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                button.danger #remove-for-good type="submit" { (t(text::REMOVE_GO)) }
            }
        }
        p { a href=(plugins::path(&id)) { (t(text::CANCEL)) } }
    };
    Ok(layout::page(&signed, Place::Plugins, &title, body))
}

/// `POST /plugins/{id}/remove`
pub(crate) async fn remove(Path(id): Path<String>, Posted { signed, fields }: Posted) -> Page {
    let here = plugins::path(&id);
    let plugin = signed.app.host.plugin(&id).map_err(|problem| refused(&signed, &problem))?;
    if let Err(words) = own::confirm(&signed, fields.get("password")).await {
        return Ok(signed.failed(&format!("{here}/remove"), words));
    }
    match signed.app.host.ask(PluginRequest::Remove { plugin: id.clone() }).await {
        Ok(_) => {
            signed.app.audit(&signed.actor(), Act::PluginRemoved, id).await;
            let said = text::REMOVED.with(signed.language, &[("name", &plugin.name)]);
            Ok(signed.done("/plugins", said))
        }
        Err(problem) => Ok(signed.failed(&here, words::refusal(&problem, signed.language).1)),
    }
}

async fn test(signed: &Signed, id: String) -> Response {
    let (here, language) = (plugins::path(&id), signed.language);
    let asked = signed.app.host.ask(PluginRequest::Test { plugin: id.clone() }).await;
    signed.app.audit(&signed.actor(), Act::PluginTested, id).await;
    match asked {
        Ok(PluginAnswer::Tested { words }) => {
            signed.done(&here, text::TESTED.with(language, &[("words", &words)]))
        }
        Ok(_) => signed.failed(&here, text::SYSTEM_FAILED.is(language)),
        Err(HostProblem::Refused(problem)) => {
            let said = words::problem(&problem, language).within(text::TEST_FAILED, language);
            signed.failed(&here, said.line(language))
        }
        Err(problem) => signed.failed(&here, words::refusal(&problem, language).1),
    }
}

async fn finish(
    signed: &Signed,
    asked: Result<PluginAnswer, HostProblem>,
    here: &str,
    act: Act,
    detail: String,
    said: Text,
) -> Response {
    match asked {
        Ok(_) => {
            signed.app.audit(&signed.actor(), act, detail).await;
            signed.done(here, said.is(signed.language))
        }
        Err(problem) => {
            let (status, words) = words::refusal(&problem, signed.language);
            if status == StatusCode::NOT_FOUND {
                return refused(signed, &problem);
            }
            signed.failed(here, words)
        }
    }
}

pub(crate) fn refused(signed: &Signed, problem: &HostProblem) -> Response {
    let (status, words) = words::refusal(problem, signed.language);
    Fault::saying(status, signed.language, words).into_response()
}

pub(crate) async fn form(signed: &Signed, id: &str) -> Result<PluginForm, HostProblem> {
    match signed.app.host.ask(PluginRequest::Form { plugin: id.into() }).await? {
        PluginAnswer::Form(form) => Ok(*form),
        _ => Err(HostProblem::Away),
    }
}

/// The page; with what was typed and is wrong.
async fn page(signed: &Signed, id: &str, wrong: Option<(&Fields, String)>) -> Page {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let plugin = signed.app.host.plugin(id).map_err(|problem| refused(signed, &problem))?;
    let here = plugins::path(id);
    let form = form(signed, id).await;
    let log = match signed.app.host.ask(PluginRequest::Log { plugin: id.into() }).await {
        Ok(PluginAnswer::Log(lines)) => lines,
        _ => Vec::new(),
    };
    let body = html! {
        @if let Some((_, words)) = &wrong { p.alert.bad #problem role="alert" { (words) } }
        p { (plugin.description) }
        (standing(&plugin, language))
        (actions(signed, &plugin, &here))
        @match &form {
            Err(problem) => p.alert.bad { (words::refusal(problem, language).1) },
            Ok(form) => {
                section aria-labelledby="settings-title" {
                    h2 #settings-title { (t(text::SETTINGS)) }
                    form #settings-form method="post" action=(format!("{here}/settings")) autocomplete="off" {
                        (layout::token(signed))
                        (plugin_settings::inputs(form, plugin.interval_s, wrong.as_ref().map(|(typed, _)| *typed), signed.may_write(), language))
                        @if signed.may_write() { button #save-settings type="submit" { (t(text::SAVE)) } }
                    }
                }
                (sign_in::part(signed, &form.sign_ins, &here))
                section aria-labelledby="rights-title" {
                    h2 #rights-title { (t(text::RIGHTS)) }
                    form #rights-form method="post" action=(format!("{here}/grants")) {
                        (layout::token(signed))
                        (rights::boxes(&form.rights, &form.settings, &plugin.granted, signed.may_write(), language))
                        @if signed.may_write() && !form.rights.is_empty() {
                            (layout::field("password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                            button #save-rights type="submit" { (t(text::GRANT_SAVE)) }
                        }
                    }
                }
            },
        }
        section aria-labelledby="log-title" {
            h2 #log-title { (t(text::PLUGIN_LOG)) }
            (log_table(&log, language))
        }
        section aria-labelledby="counters-title" {
            h2 #counters-title { (t(text::COUNTERS)) }
            (counters(&plugin, language))
        }
    };
    Ok(layout::page(signed, Place::Plugins, &plugin.name, body))
}

fn standing(plugin: &PluginView, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let (class, state) = words::state(&plugin.state, language);
    let directory = plugin.directory.as_ref();
    let facts = [
        (
            t(text::STATE),
            html! { span.badge.(class) #plugin-state { (state.words) } (state.quote(language)) },
        ),
        (t(text::PROGRESS), directories::progress(&plugin.state, &plugin.name)),
        (t(text::ID), html! { (plugin.id) }),
        (t(text::VERSION), html! { (plugin.version) }),
        (t(text::PREVIOUS), html! { (plugin.previous.as_deref().unwrap_or("–")) }),
        (
            t(text::CONTACTS),
            html! { @if let Some(directory) = directory { (directory.contacts) } @else { "–" } },
        ),
        (
            t(text::LEFT_OUT),
            html! { @if let Some(directory) = directory { (directory.left_out) } @else { "–" } },
        ),
        (
            t(text::LAST_GOOD),
            html! {
                @if let Some(directory) = directory { (layout::moment(directory.synced_ms)) }
                @else { (t(text::NEVER)) }
            },
        ),
    ];
    html! {
        (layout::facts("standing", &facts))
        @if let PluginState::Held { .. } = plugin.state { p.alert { (t(text::STATE_HELD_HINT)) } }
    }
}

fn actions(signed: &Signed, plugin: &PluginView, here: &str) -> Markup {
    let language = signed.language;
    let button = |id: &str, words: &str, class: &str| {
        layout::action(signed, id, &format!("{here}/{id}"), words, class)
    };
    html! {
        div.actions #actions {
            (button("test", text::TEST.is(language), ""))
            @if plugin.enabled {
                (button("sync", text::SYNC_NOW.is(language), ""))
                (button("disable", text::DISABLE.is(language), "quiet"))
            } @else {
                (button("enable", text::ENABLE.is(language), ""))
            }
            @if let PluginState::Held { deleted } = plugin.state {
                (button("shrink", &text::SHRINK.with(language, &[("deleted", &deleted)]), ""))
            }
            @if let Some(previous) = &plugin.previous {
                (button("roll-back", &text::ROLL_BACK.with(language, &[("version", previous)]), "quiet"))
            }
            @if signed.may_write() {
                a.button.quiet #remove href=(format!("{here}/remove")) { (text::REMOVE.is(language)) }
            }
        }
    }
}

fn log_table(lines: &[PluginLogLine], language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    if lines.is_empty() {
        return html! { p.empty { (t(text::LOG_EMPTY)) } };
    }
    let row = |line: &PluginLogLine| {
        let by = if line.host { text::BY_HOST } else { text::BY_PLUGIN };
        vec![layout::moment(line.at_ms), html! { (line.level) }, html! { (t(by)) }, html! { (line.words) }]
    };
    let rows: Vec<Vec<Markup>> = lines.iter().rev().map(row).collect();
    let heads = [t(text::WHEN), t(text::LEVEL), t(text::SAID_BY), t(text::WHAT)];
    layout::table("log", t(text::LOG_CAPTION), &heads, &rows)
}

fn counters(plugin: &PluginView, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let counters = plugin.counters;
    layout::facts(
        "counters",
        &[
            (t(text::COUNT_CALLS), html! { (counters.calls) }),
            (t(text::COUNT_FAILURES), html! { (counters.failures) }),
            (t(text::COUNT_REQUESTS), html! { (counters.requests) }),
            (t(text::COUNT_REFUSED), html! { (counters.refused) }),
            (t(text::COUNT_LOST), html! { (counters.lost_lines) }),
            (t(text::COUNT_CPU), html! { (counters.longest_cpu_ms) " ms" }),
            (t(text::COUNT_MEMORY), html! { (layout::bytes(Some(counters.most_memory), language)) }),
        ],
    )
}
