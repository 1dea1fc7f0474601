//! `/provisioning`: settings from a server, and as a file (APP-5).

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::Language;
use maud::{Markup, html};
use store::{Provisioned, Secret, StoreError};

use crate::{
    audit::Act,
    fault::{Fault, of_store},
    fields::Fields,
    form::{Form, Refused, Wrong, optional},
    guard::{Posted, PostedParts, Signed},
    keeper::KeeperError,
    layout::{self, Place},
    pages::{Page, own, provisioning_words, said::Said},
    parts::{Cut, whole},
    provisioning::{Outcome, Source, address, fetch::MOST, trouble::Trouble},
    settings::said,
    text::{self, Text},
};

/// Where it is.
const PATH: &str = "/provisioning";
/// Longest one-time code, in bytes.
const LONGEST_CODE: usize = 128;

/// `GET /provisioning`
pub(crate) async fn show(signed: Signed) -> Page {
    Ok(page(&signed, &known(&signed).await?, None))
}

/// `POST /provisioning`
pub(crate) async fn save(Posted { signed, fields }: Posted) -> Page {
    match order(&signed, &fields).await {
        Ok(()) => {
            signed.app.provisioning.ask_now();
            signed.app.audit(&signed.actor(), Act::SettingsChanged, "provisioning").await;
            Ok(signed.done(PATH, text::PROVISION_SAVED.is(signed.language)))
        }
        Err(wrong) => {
            let refused = Refused { typed: &fields, wrong: &wrong };
            Ok(page(&signed, &known(&signed).await?, Some(refused)))
        }
    }
}

/// `POST /provisioning/ask`
pub(crate) async fn ask(Posted { signed, .. }: Posted) -> Response {
    signed.app.provisioning.ask_now();
    signed.done(PATH, text::PROVISION_ASKED.is(signed.language))
}

/// `POST /provisioning/forget`: the one-time code that was typed.
pub(crate) async fn forget(Posted { signed, .. }: Posted) -> Response {
    let language = signed.language;
    match signed.app.keeper.ask(|store| store.forget_provisioning_code()).await {
        Ok(true) => {
            signed.app.audit(&signed.actor(), Act::ProvisioningCodeForgotten, "").await;
            signed.done(PATH, text::PROVISION_FORGOTTEN.is(language))
        }
        Ok(false) => signed.done(PATH, text::PROVISION_NO_CODE.is(language)),
        Err(problem) => signed.failed(PATH, of_store(&problem, language).1),
    }
}

/// `POST /provisioning/export`
pub(crate) async fn export(Posted { signed, fields }: Posted) -> Response {
    let with_passwords = fields.has("passwords");
    if with_passwords && let Err(words) = own::confirm(&signed, fields.get("export-password")).await {
        return signed.failed(PATH, words);
    }
    let settings = match signed.app.settings().await {
        Ok(settings) => settings,
        Err(problem) => return signed.failed(PATH, said(&problem, signed.language)),
    };
    let detail = if with_passwords { "with passwords" } else { "" };
    signed.app.audit(&signed.actor(), Act::SettingsExported, detail).await;
    let headers = [
        (header::CONTENT_TYPE, "application/toml; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"settings.toml\""),
    ];
    (headers, settings.to_toml(with_passwords)).into_response()
}

/// `POST /provisioning/import`
pub(crate) async fn import(PostedParts { signed, mut parts, .. }: PostedParts) -> Page {
    let mut file = Err(text::IMPORT_NO_FILE);
    while let Some(field) = parts.next().await? {
        if field.name() != Some("file") {
            return Err(signed.fault(StatusCode::BAD_REQUEST, text::FORM_UNREADABLE));
        }
        file = match whole(field, MOST).await {
            Ok(bytes) if bytes.is_empty() => Err(text::IMPORT_NO_FILE),
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| text::IMPORT_NO_TEXT),
            Err(Cut::TooLarge) => Err(text::IMPORT_TOO_LARGE),
            Err(Cut::BrokenOff) => Err(text::IMPORT_BROKEN_OFF),
        };
        if file.is_err() {
            break;
        }
    }
    let done = match file {
        Ok(text) => take(&signed, text).await,
        Err(words) => Err(Said::plain(words.is(signed.language))),
    };
    Ok(match done {
        Ok(words) => signed.done(PATH, words),
        Err(reason) => {
            let said = reason.within(text::IMPORT_REFUSED, signed.language);
            signed.failed(PATH, said.line(signed.language))
        }
    })
}

/// Lays a file over the settings; what was refused, in words.
async fn take(signed: &Signed, text: String) -> Result<String, Said> {
    let saved = signed.app.saved.clone();
    let taken = signed.app.keeper.ask(move |store| {
        let before = store.load_settings()?;
        let settings = store.overlay_settings(&text, "")?;
        let bare = settings.without_their_passwords(&before).join(", ");
        let told = (settings.accounts.len(), settings.lines.len(), bare);
        saved.send_replace(Arc::new(settings));
        Ok(told)
    });
    let (accounts, lines, bare) = taken.await.map_err(|problem| match &problem {
        KeeperError::Store(StoreError::Settings(error)) => {
            provisioning_words::settings(error, signed.language)
        }
        other => Said::plain(of_store(other, signed.language).1),
    })?;
    signed.app.audit(&signed.actor(), Act::SettingsImported, "").await;
    let mut words = text::IMPORT_DONE.with(signed.language, &[("accounts", &accounts), ("lines", &lines)]);
    if !bare.is_empty() {
        words.push(' ');
        words.push_str(&text::IMPORT_NO_PASSWORD.with(signed.language, &[("accounts", &bare)]));
    }
    Ok(words)
}

/// Keeps the address and the code that were typed.
async fn order(signed: &Signed, fields: &Fields) -> Result<(), Wrong> {
    let language = signed.language;
    let url = optional(fields, "url");
    if let Some(url) = &url {
        let device = &signed.app.provisioning.device;
        let allow_http = signed.app.config.provisioning.as_ref().is_some_and(|config| config.allow_http);
        let file = address::file_of(url, device, allow_http);
        file.map_err(|trouble| Wrong::at("url", provisioning_words::trouble(&trouble, language).words))?;
    }
    let code = code_of(fields, "code", language)?;
    if code.is_some() && url.as_deref().is_some_and(is_plain) {
        return Err(Wrong::at("code", text::PROVISION_CODE_PLAIN.is(language)));
    }
    let kept = signed.app.keeper.ask(move |store| store.order_provisioning(url, code)).await;
    kept.map_err(|problem| Wrong::above(of_store(&problem, language).1))
}

/// The one-time code that was typed into this field, here or at the first set-up.
///
/// # Errors
/// At the field, in words: it is too long, or has control characters.
pub(crate) fn code_of(fields: &Fields, name: &str, language: Language) -> Result<Option<Secret>, Wrong> {
    let code = optional(fields, name);
    if code.as_ref().is_some_and(|code| code.len() > LONGEST_CODE || code.chars().any(char::is_control)) {
        return Err(Wrong::at(name, text::WHY_LONG.with(language, &[("max", &LONGEST_CODE)])));
    }
    Ok(code.map(Secret::new))
}

/// Whoever is on the way reads what goes there.
fn is_plain(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"))
}

async fn known(signed: &Signed) -> Result<Provisioned, Response> {
    let known = signed.app.keeper.ask(|store| store.load_provisioned()).await;
    known.map_err(|problem| {
        let (status, words) = of_store(&problem, signed.language);
        Fault::saying(status, signed.language, words).into_response()
    })
}

fn page(signed: &Signed, known: &Provisioned, refused: Option<Refused<'_>>) -> Response {
    let t = |text: Text| text.is(signed.language);
    let form = Form::new(signed, refused);
    let url = known.url.as_deref().unwrap_or_default();
    // Whoever has the whole address may have the file, and with it the passwords of the SIP accounts.
    let url = if signed.may_write() { url.to_owned() } else { address::shown(url) };
    let code_hint =
        if known.code.is_empty() { text::PROVISION_CODE_HINT } else { text::PROVISION_CODE_WAITS };
    let body = html! {
        (form.problem())
        section aria-labelledby="now-title" {
            h2 #now-title { (t(text::PROVISION_NOW)) }
            p.lead { (t(text::PROVISION_INTRO)) }
            @if signed.app.config.provisioning.is_some() { (now(signed, known)) }
            @else { p.note #provisioning-off { (t(text::PROVISION_OFF)) } }
        }
        @if signed.app.config.provisioning.is_some() {
            section aria-labelledby="from-title" {
                h2 #from-title { (t(text::PROVISION_FROM)) }
                (form.around("provisioning", PATH, html! {
                    (form.text("url", text::PROVISION_URL, &url, Some(text::PROVISION_URL_HINT), false))
                    (form.secret("code", text::PROVISION_CODE, code_hint, false))
                }))
                @if !known.code.is_empty() {
                    (layout::action(signed, "forget-code", "/provisioning/forget", t(text::PROVISION_FORGET), "quiet"))
                }
            }
        }
        section aria-labelledby="file-title" {
            h2 #file-title { (t(text::SETTINGS_FILE)) }
            p { (t(text::SETTINGS_FILE_HAS)) }
            @if signed.may_write() { (files(signed)) }
        }
    };
    layout::page(signed, Place::Provisioning, t(text::PROVISIONING), body)
}

/// How it stands.
fn now(signed: &Signed, known: &Provisioned) -> Markup {
    let (app, language) = (&signed.app, signed.language);
    let t = |text: Text| text.is(language);
    let standing = app.provisioning.standing();
    let (class, words) = match &standing.outcome {
        Outcome::NoAddress => ("off", text::PROVISION_NO_ADDRESS),
        Outcome::Asking => ("busy", text::PROVISION_ASKING),
        Outcome::Taken => ("good", text::PROVISION_WAS_TAKEN),
        Outcome::Unchanged => ("good", text::PROVISION_UNCHANGED),
        Outcome::Spent => ("good", text::PROVISION_SPENT),
        Outcome::Failed(Trouble::NotFollowed(_)) => ("off", text::PROVISION_FAILED),
        Outcome::Failed(_) => ("bad", text::PROVISION_FAILED),
    };
    let mut facts = vec![
        (t(text::PROVISION_DEVICE), html! { code #device { (app.provisioning.device) } }),
        (t(text::STATE), html! { span.badge.(class) #provisioning-state { (t(words)) } }),
    ];
    if let Some((source, address)) = &standing.named {
        let source = match source {
            Source::Typed => t(text::PROVISION_TYPED).to_owned(),
            Source::Configured => t(text::PROVISION_CONFIGURED).to_owned(),
            Source::Dhcp(option) => text::PROVISION_DHCP.with(language, &[("option", option)]),
        };
        facts.push((t(text::PROVISION_ADDRESS), html! { (address::shown(address)) " (" (source) ")" }));
    }
    if let Some(asked_ms) = standing.asked_ms {
        facts.push((t(text::PROVISION_ASKED_AT), layout::moment(asked_ms)));
    }
    if let Some(taken) = &known.taken {
        facts.push((
            t(text::PROVISION_TAKEN_AT),
            html! { (layout::moment(taken.at_ms)) " " (address::shown(&taken.url)) },
        ));
    }
    html! {
        @if let Outcome::Failed(trouble @ Trouble::NotFollowed(_)) = &standing.outcome {
            p.note #trouble { (provisioning_words::trouble(trouble, language).words) }
        } @else if let Outcome::Failed(trouble) = &standing.outcome {
            @let said = provisioning_words::trouble(trouble, language);
            p.alert.bad #trouble role="alert" {
                (said.words)
                @if matches!(trouble, Trouble::Refused { .. }) && standing.named.as_ref().is_some_and(|(_, url)| is_plain(url)) {
                    " " (t(text::PROVISION_CODE_PLAIN))
                }
                (said.quote(language))
            }
        }
        (layout::facts("standing", &facts))
        (layout::action(signed, "ask", "/provisioning/ask", t(text::PROVISION_ASK), "quiet"))
    }
}

/// The settings as a file, and back.
fn files(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let form = Form::new(signed, None);
    html! {
        form #export-form method="post" action="/provisioning/export" {
            (layout::token(signed))
            (form.tick("passwords", t(text::EXPORT_PASSWORDS), false))
            div.field {
                label for="export-password" { (t(text::EXPORT_CONFIRM)) }
                input #export-password name="export-password" type="password" autocomplete="current-password" maxlength="256";
            }
            button #export type="submit" { (t(text::EXPORT)) }
        }
        p { (t(text::IMPORT_HOW)) }
        form #import-form method="post" action="/provisioning/import" enctype="multipart/form-data" {
            (layout::token(signed))
            div.field {
                label for="file" { (t(text::IMPORT_FILE)) }
                input #file name="file" type="file" accept=".toml,text/plain" required;
            }
            button #import type="submit" { (t(text::IMPORT)) }
        }
    }
}
