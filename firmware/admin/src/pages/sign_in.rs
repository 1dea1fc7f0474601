//! Somebody signs in for a plugin: a part of the plugin's page that says who has, and a page of its own with the code
//! that a person types in elsewhere, which asks again by itself until somebody has.

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::{Language, PluginAnswer, PluginCode, PluginRequest, PluginSignIn, PluginSignInState};
use maud::{Markup, html};

use crate::{
    audit::Act,
    fault::Fault,
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{
        Page, plugin,
        plugins::{self, segment},
        said::Said,
        words,
    },
    text::{self, Text},
};

/// The page is loaded again after so many seconds while a code waits. A header: it needs no script.
const AGAIN: HeaderValue = HeaderValue::from_static("5");

/// `GET /plugins/{id}/sign-in/{credential}`
pub(crate) async fn show(signed: Signed, Path((id, credential)): Path<(String, String)>) -> Page {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let view = signed.app.host.plugin(&id).map_err(|problem| plugin::refused(&signed, &problem))?;
    let form = plugin::form(&signed, &id).await.map_err(|problem| plugin::refused(&signed, &problem))?;
    let found = form.sign_ins.iter().find(|sign_in| sign_in.id == credential);
    let sign_in = found.ok_or_else(|| Fault::not_found(language).into_response())?;
    let here = plugins::path(&id);
    let body = html! {
        @match &sign_in.state {
            // Whoever types it in signs in: not for those who only read.
            PluginSignInState::Waiting(code) if signed.may_write() => (code_to_type_in(code, language)),
            state => { p #sign-in-state { (standing(state, language)) } },
        }
        div.actions { (buttons(&signed, sign_in, &here)) }
        p { a #back href=(here) { (t(text::SIGN_IN_BACK)) } }
    };
    let title = text::SIGN_IN_TITLE.with(language, &[("name", &view.name)]);
    let mut page = layout::page(&signed, Place::Plugins, &title, body);
    if let PluginSignInState::Waiting(_) = sign_in.state {
        page.headers_mut().insert(header::REFRESH, AGAIN);
    }
    Ok(page)
}

/// `POST /plugins/{id}/sign-in/{credential}`
pub(crate) async fn begin(
    Path((id, credential)): Path<(String, String)>,
    Posted { signed, .. }: Posted,
) -> Page {
    let here = plugins::path(&id);
    let there = path(&here, &credential);
    let detail = format!("{id}, {credential}");
    let request = PluginRequest::SignIn { plugin: id, credential };
    match signed.app.host.ask(request).await {
        Ok(PluginAnswer::SignIn(_)) => {
            signed.app.audit(&signed.actor(), Act::PluginSignIn, detail).await;
            Ok(axum::response::Redirect::to(&there).into_response())
        }
        Ok(_) => Ok(signed.failed(&here, text::SYSTEM_FAILED.is(signed.language))),
        Err(problem) => Ok(refused_there(&signed, &here, &problem)),
    }
}

/// `POST /plugins/{id}/sign-out/{credential}`
pub(crate) async fn end(
    Path((id, credential)): Path<(String, String)>,
    Posted { signed, .. }: Posted,
) -> Page {
    let here = plugins::path(&id);
    let detail = format!("{id}, {credential}");
    match signed.app.host.ask(PluginRequest::SignOut { plugin: id, credential }).await {
        Ok(_) => {
            signed.app.audit(&signed.actor(), Act::PluginSignOut, detail).await;
            Ok(signed.done(&here, text::SIGNED_OUT_DONE.is(signed.language)))
        }
        Err(problem) => Ok(refused_there(&signed, &here, &problem)),
    }
}

/// The part of a plugin's page; nothing where nobody signs in for it.
pub(crate) fn part(signed: &Signed, sign_ins: &[PluginSignIn], here: &str) -> Markup {
    let language = signed.language;
    html! {
        @if !sign_ins.is_empty() {
            section aria-labelledby="sign-in-title" {
                h2 #sign-in-title { (text::PLUGIN_SIGN_IN.is(language)) }
                p { (text::SIGN_IN_INTRO.is(language)) }
                @for sign_in in sign_ins {
                    div.sign-in id=(format!("sign-in-{}", sign_in.id)) {
                        p { (standing(&sign_in.state, language)) }
                        div.actions {
                            @if let PluginSignInState::Waiting(_) = sign_in.state {
                                a.button href=(path(here, &sign_in.id)) { (text::SIGN_IN_SHOW.is(language)) }
                            }
                            (buttons(signed, sign_in, here))
                        }
                    }
                }
            }
        }
    }
}

fn buttons(signed: &Signed, sign_in: &PluginSignIn, here: &str) -> Markup {
    let language = signed.language;
    let (begin, end) = (path(here, &sign_in.id), format!("{here}/sign-out/{}", segment(&sign_in.id)));
    let label = match sign_in.state {
        PluginSignInState::None { .. } => text::PLUGIN_SIGN_IN,
        PluginSignInState::Waiting(_) => text::SIGN_IN_NEW_CODE,
        PluginSignInState::SignedIn => text::SIGN_IN_ANOTHER,
    };
    let id = |what: &str| format!("{what}-{}", sign_in.id);
    html! {
        (layout::action(signed, &id("begin"), &begin, label.is(language), ""))
        @match sign_in.state {
            PluginSignInState::None { .. } => {},
            PluginSignInState::Waiting(_) => (layout::action(signed, &id("end"), &end, text::SIGN_IN_GIVE_UP.is(language), "quiet")),
            PluginSignInState::SignedIn => (layout::action(signed, &id("end"), &end, text::SIGN_OUT_PLUGIN.is(language), "quiet")),
        }
    }
}

fn standing(state: &PluginSignInState, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    html! {
        @match state {
            PluginSignInState::None { problem: None } => span.badge.off { (t(text::SIGN_IN_NONE)) },
            PluginSignInState::None { problem: Some(words) } => {
                span.badge.bad { (t(text::SIGN_IN_PROBLEM)) } (Said::with_detail("", words).quote(language))
            },
            PluginSignInState::Waiting(_) => span.badge.busy { (t(text::SIGN_IN_WAITS)) },
            PluginSignInState::SignedIn => span.badge.good { (t(text::SIGN_IN_DONE)) },
        }
    }
}

/// Address and code are a stranger's words: the address was measured by the host, which lets http and https through.
fn code_to_type_in(code: &PluginCode, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let left = layout::duration(code.expires_s, language);
    let facts = [
        (
            t(text::SIGN_IN_ADDRESS),
            html! { a #sign-in-address href=(code.address) target="_blank" rel="noopener noreferrer" { (code.address) } },
        ),
        (t(text::SIGN_IN_CODE), html! { code #sign-in-code { (code.code) } }),
    ];
    html! {
        p { (t(text::SIGN_IN_HOW)) }
        (layout::facts("code", &facts))
        @if let Some(address) = &code.address_with_code {
            p { a href=(address) target="_blank" rel="noopener noreferrer" { (t(text::SIGN_IN_WITH_CODE)) } }
        }
        p role="status" { (text::SIGN_IN_LEFT.with(language, &[("time", &left)])) }
    }
}

fn refused_there(signed: &Signed, here: &str, problem: &crate::plugins::HostProblem) -> Response {
    let (status, words) = words::refusal(problem, signed.language);
    if status == StatusCode::NOT_FOUND {
        plugin::refused(signed, problem)
    } else {
        signed.failed(here, words)
    }
}

fn path(here: &str, credential: &str) -> String {
    format!("{here}/sign-in/{}", segment(credential))
}
