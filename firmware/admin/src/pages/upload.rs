//! `/plugins/uploads/{key}`: what an uploaded file is and asks for, and the decision.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use ipc::{PluginGrants, PluginSignature};
use maud::{Markup, html};

use crate::{
    audit::Act,
    fault::Fault,
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, own, plugins, rights, words},
    text::{self, Text},
    uploads::Waiting,
};

/// `GET /plugins/uploads/{key}`
pub(crate) async fn show(signed: Signed, Path(key): Path<String>) -> Page {
    let waiting = find(&signed, &key).map_err(Fault::into_response)?;
    Ok(inspection(&signed, &waiting))
}

/// `POST /plugins/uploads/{key}`
pub(crate) async fn install(Path(key): Path<String>, Posted { signed, fields }: Posted) -> Page {
    let waiting = find(&signed, &key).map_err(Fault::into_response)?;
    let (found, language) = (&waiting.inspection, signed.language);
    let here = format!("/plugins/uploads/{key}");
    let confirmed = fields.has("key-confirmed");
    if matches!(found.signature, PluginSignature::New { .. }) && !confirmed {
        return Ok(signed.failed(&here, text::SIGNATURE_CONFIRM_FIRST.is(language)));
    }
    if let Err(words) = own::confirm(&signed, fields.get("password")).await {
        return Ok(signed.failed(&here, words));
    }
    let granted = rights::ticked(&fields, &found.rights);
    let detail = format!("{} {}, {}", found.id, found.version, granted_words(&granted));
    let plugin = match signed.app.uploads.install(&waiting, granted, confirmed).await {
        Ok(plugin) => plugin,
        Err(problem) => return Ok(signed.failed(&here, words::refusal(&problem, language).1)),
    };
    signed.app.host.learn(&plugin);
    signed.app.audit(&signed.actor(), Act::PluginInstalled, detail).await;
    let said = if found.installed.is_some() { text::UPDATED } else { text::INSTALLED };
    let said = said.with(language, &[("name", &plugin.name), ("version", &plugin.version)]);
    Ok(signed.done(&plugins::path(&plugin.id), said))
}

/// `POST /plugins/uploads/{key}/cancel`
pub(crate) async fn cancel(Path(key): Path<String>, Posted { signed, .. }: Posted) -> Response {
    signed.app.uploads.forget(&key);
    Redirect::to("/plugins").into_response()
}

/// Grants for the audit log.
pub(crate) fn granted_words(granted: &PluginGrants) -> String {
    let list = |ids: &[String]| if ids.is_empty() { "-".to_owned() } else { ids.join(" ") };
    let PluginGrants { net, private, loopback } = granted;
    format!("net: {}, private: {}, loopback: {}", list(net), list(private), list(loopback))
}

fn find(signed: &Signed, key: &str) -> Result<Waiting, Fault> {
    let gone = || Fault::new(StatusCode::NOT_FOUND, signed.language, text::UPLOAD_GONE);
    signed.app.uploads.find(key).ok_or_else(gone)
}

fn inspection(signed: &Signed, waiting: &Waiting) -> Response {
    let (found, language) = (&waiting.inspection, signed.language);
    let t = |text: Text| text.is(language);
    let here = format!("/plugins/uploads/{}", waiting.key);
    let title = text::INSPECT_TITLE.with(language, &[("name", &found.name)]);
    let facts = [
        (t(text::ID), html! { (found.id) }),
        (t(text::VERSION), html! { (found.version) }),
        (t(text::DESCRIPTION), html! { (found.description) }),
        (t(text::LICENSE), html! { (found.license.as_deref().unwrap_or(t(text::UNKNOWN))) }),
        (t(text::PROVIDES), html! { (found.provides.join(", ")) }),
        (t(text::INSTALLED_NOW), html! { (found.installed.as_deref().unwrap_or("–")) }),
        (t(text::SIGNED_BY), signature(&found.signature, language)),
    ];
    let cancel = html! {
        (layout::action(signed, "cancel", &format!("{here}/cancel"), t(text::CANCEL), "quiet"))
    };
    let is_update = found.installed.is_some() && found.rights.iter().any(|right| right.new);
    // What is new is not ticked: the administrator says so.
    let kept: Vec<String> = found
        .rights
        .iter()
        .filter(|right| found.installed.is_some() && !right.new)
        .map(|r| r.id.clone())
        .collect();
    let granted = match signed.app.host.plugin(&found.id) {
        Ok(installed) => installed.granted,
        Err(_) => PluginGrants { net: kept, ..PluginGrants::default() },
    };
    let body = html! {
        (layout::facts("inspection", &facts))
        @if let Some(refused) = &found.refused {
            p.alert.bad #refused role="alert" {
                (words::problem(refused, language).within(text::INSPECT_REFUSED, language).markup(language))
            }
            (cancel)
        } @else {
            form #install-form method="post" action=(here) {
                (layout::token(signed))
                section aria-labelledby="rights-title" {
                    h2 #rights-title { (t(text::RIGHTS)) }
                    @if is_update { p.alert { (t(text::RIGHTS_NEW)) } }
                    (rights::boxes(&found.rights, &found.settings, &granted, signed.may_write(), language))
                }
                @if signed.may_write() {
                    div.card {
                    @if matches!(found.signature, PluginSignature::New { .. }) {
                        div.tick {
                            input #key-confirmed type="checkbox" name="key-confirmed" required;
                            label for="key-confirmed" { (t(text::SIGNATURE_CONFIRM)) }
                        }
                    }
                    (layout::field("password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                    button #install type="submit" {
                        @match &found.installed {
                            Some(version) => (text::UPDATE_GO.with(language, &[("version", version)])),
                            None => (t(text::INSTALL_GO)),
                        }
                    }
                    }
                }
            }
            (cancel)
        }
    };
    layout::page(signed, Place::Plugins, &title, body)
}

fn signature(signature: &PluginSignature, language: ipc::Language) -> Markup {
    let t = |text: Text| text.is(language);
    html! {
        @match signature {
            PluginSignature::Known => span.badge.good { (t(text::SIGNATURE_KNOWN)) },
            PluginSignature::New { key } => {
                span.badge.busy { (t(text::SIGNATURE_NEW)) }
                br; code #signature-key { (key) }
            },
            PluginSignature::OtherKey => span.badge.bad { (t(text::SIGNATURE_OTHER)) },
            PluginSignature::Broken => span.badge.bad { (t(text::SIGNATURE_BROKEN)) },
            PluginSignature::None => span.badge.bad { (t(text::SIGNATURE_NONE)) },
        }
    }
}
