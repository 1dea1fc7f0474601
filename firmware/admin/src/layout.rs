//! The frame around every page, and the pieces that pages are put together from.

use axum::response::{Html, IntoResponse, Redirect, Response};
use ipc::Language;
use maud::{DOCTYPE, Markup, html};

use crate::{guard::Signed, language, text, text::Text};

/// The entries of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Clock,
    Lines,
    Handling,
    Numbers,
    Operators,
    Sound,
    Screen,
    Directories,
    Plugins,
    Statistics,
    Accounts,
    Audit,
    Certificate,
    Backup,
    Provisioning,
    Update,
    Diagnostics,
    Own,
    About,
}

const MENU: [(Place, &str, Text); 20] = [
    (Place::Overview, "/", text::OVERVIEW),
    (Place::Clock, "/clock", text::CLOCK_TITLE),
    (Place::Lines, "/lines", text::LINES),
    (Place::Handling, "/handling", text::HANDLING_MENU),
    (Place::Numbers, "/numbers", text::NUMBERS_MENU),
    (Place::Operators, "/operators", text::OPERATORS_MENU),
    (Place::Sound, "/sound", text::SOUND_TITLE),
    (Place::Screen, "/screen", text::SCREEN),
    (Place::Directories, "/directories", text::DIRECTORIES),
    (Place::Plugins, "/plugins", text::PLUGINS),
    (Place::Statistics, "/statistics", text::STATISTICS),
    (Place::Accounts, "/accounts", text::ACCOUNTS),
    (Place::Audit, "/audit", text::AUDIT),
    (Place::Certificate, "/certificate", text::CERTIFICATE),
    (Place::Backup, "/backup", text::BACKUP),
    (Place::Provisioning, "/provisioning", text::PROVISIONING),
    (Place::Update, "/update", text::UPDATE),
    (Place::Diagnostics, "/diagnostics", text::DIAGNOSTICS),
    (Place::Own, "/account", text::OWN_ACCOUNT),
    (Place::About, "/about", text::ABOUT_MENU),
];

/// A page of somebody who is signed in.
pub(crate) fn page(signed: &Signed, place: Place, title: &str, body: Markup) -> Response {
    page_with(signed, place, title, &html! {}, body)
}

/// The same with something of its own in its head.
pub(crate) fn page_with(signed: &Signed, place: Place, title: &str, head: &Markup, body: Markup) -> Response {
    let language = signed.language;
    let flash = if signed.is_look { None } else { signed.app.sessions.heard(signed.session.number) };
    let frame = html! {
        a.skip href="#content" { (text::SKIP.is(language)) }
        header.top {
            p.brand { "Frontdesk" }
            div.who {
                span { (signed.session.name) " · " (role(signed.session.role, language)) }
                form method="post" action="/sign-out" {
                    (token(signed))
                    button.quiet #sign-out type="submit" { (text::SIGN_OUT.is(language)) }
                }
            }
            nav aria-label=(text::MENU.is(language)) {
                ul {
                    // Supervisors do not see the operator’s screen.
                    @for (at, path, name) in MENU.iter().filter(|(at, ..)| signed.may_write() || *at != Place::Screen) {
                        li { a href=(path) aria-current=[(*at == place).then_some("page")] { (name.is(language)) } }
                    }
                }
            }
        }
        main #content tabindex="-1" {
            h1 { (title) }
            @if let Some(flash) = flash {
                @if flash.good {
                    p.alert.good #done role="status" { (flash.text) }
                } @else {
                    p.alert.bad #problem role="alert" { (flash.text) }
                }
            }
            @if !signed.may_write() { p.note { (text::READS_ONLY_NOTE.is(language)) } }
            (body)
        }
    };
    whole(language, title, &signed.here, head, frame)
}

/// A page of somebody who is not signed in.
pub(crate) fn bare(language: Language, title: &str, body: Markup) -> Response {
    let frame = html! {
        main.narrow #content tabindex="-1" {
            p.brand { "Frontdesk" }
            h1 { (title) }
            (body)
        }
    };
    whole(language, title, "/", &html! {}, frame)
}

fn whole(language: Language, title: &str, here: &str, head: &Markup, frame: Markup) -> Response {
    let back: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
    let page = html! {
        (DOCTYPE)
        html lang=(language::code(language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Frontdesk" }
                link rel="stylesheet" href="/static/admin.css";
                link rel="icon" href="/static/icon.svg" type="image/svg+xml";
                script src="/static/progress.js" defer {}
                (head)
            }
            body {
                (frame)
                footer {
                    @for other in [Language::English, Language::French] {
                        @let name = match other { Language::English => "English", Language::French => "Français" };
                        a lang=(language::code(other)) hreflang=(language::code(other))
                            aria-current=[(other == language).then_some("true")]
                            href=(format!("/language/{}?to={back}", language::code(other))) { (name) }
                        " "
                    }
                }
            }
        }
    };
    Html(page.into_string()).into_response()
}

/// Sends the browser on to a page of ours.
pub(crate) fn go(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// The session's token, for a form.
pub(crate) fn token(signed: &Signed) -> Markup {
    html! { input type="hidden" name=(crate::guard::FORM_FIELD) value=(signed.session.form_token); }
}

/// A button that is a form of its own; nothing for those who only read.
pub(crate) fn action(signed: &Signed, id: &str, to: &str, label: &str, class: &str) -> Markup {
    html! {
        @if signed.may_write() {
            form.inline method="post" action=(to) {
                (token(signed))
                button id=(id) class=(class) type="submit" { (label) }
            }
        }
    }
}

/// A table that becomes a list of cards on a telephone. Each row has as many cells as there are heads.
pub(crate) fn table(id: &str, caption: &str, heads: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        table id=(id) role="table" {
            caption { (caption) }
            thead role="rowgroup" {
                tr role="row" { @for head in heads { th scope="col" role="columnheader" { (head) } } }
            }
            tbody role="rowgroup" {
                @for row in rows {
                    tr role="row" {
                        @for (cell, head) in row.iter().zip(heads) { td role="cell" data-label=(head) { (cell) } }
                    }
                }
            }
        }
    }
}

/// A list of names and values.
pub(crate) fn facts(id: &str, facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl id=(id) {
            @for (name, value) in facts { div { dt { (name) } dd { (value) } } }
        }
    }
}

/// A field with its label.
pub(crate) fn field(
    id: &str,
    kind: &str,
    label: &str,
    value: &str,
    autocomplete: &str,
    hint: Option<&str>,
) -> Markup {
    let hint_id = format!("{id}-hint");
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) name=(id) type=(kind) value=(value) autocomplete=(autocomplete) required maxlength="256"
                aria-describedby=[hint.map(|_| hint_id.as_str())];
            @if let Some(hint) = hint { p.hint id=(hint_id) { (hint) } }
        }
    }
}

/// A role's name.
pub(crate) fn role(role: store::Role, language: Language) -> &'static str {
    match role {
        store::Role::Administrator => text::ADMINISTRATOR.is(language),
        store::Role::Supervisor => text::SUPERVISOR.is(language),
    }
}

/// A moment, in the box's own time.
pub(crate) fn moment(unix_ms: i64) -> Markup {
    let at = chrono::DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    let local = at.with_timezone(&chrono::Local);
    html! { time datetime=(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)) { (local.format("%Y-%m-%d %H:%M:%S")) } }
}

/// A day, in the box's own time.
pub(crate) fn day(unix_ms: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    at.with_timezone(&chrono::Local).format("%Y-%m-%d").to_string()
}

/// A length of time, in its two largest units.
pub(crate) fn duration(seconds: u64, language: Language) -> String {
    let day = match language {
        Language::English => "d",
        Language::French => "j",
    };
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, ..) => format!("{d} {day} {h} h"),
    }
}

/// An amount of bytes, in binary units.
pub(crate) fn bytes(bytes: Option<u64>, language: Language) -> String {
    let Some(bytes) = bytes else { return text::UNKNOWN.is(language).into() };
    let units = match language {
        Language::English => ["B", "KiB", "MiB", "GiB", "TiB"],
        Language::French => ["o", "Kio", "Mio", "Gio", "Tio"],
    };
    let mut unit = 0;
    let mut tenths = bytes.saturating_mul(10);
    while tenths >= 10_240 && unit + 1 < units.len() {
        tenths /= 1024;
        unit += 1;
    }
    if unit == 0 || tenths >= 1000 {
        return format!("{} {}", tenths / 10, units[unit]);
    }
    let point = if language == Language::French { ',' } else { '.' };
    format!("{}{point}{} {}", tenths / 10, tenths % 10, units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_4_amounts_are_said_in_both_languages() {
        assert_eq!(bytes(Some(1536), Language::English), "1.5 KiB");
        assert_eq!(bytes(Some(5 << 30), Language::French), "5,0 Gio");
        assert_eq!(bytes(Some(512), Language::French), "512 o");
        assert_eq!(bytes(Some(u64::MAX), Language::English), "1677721 TiB");
        assert_eq!(duration(59, Language::English), "59 s");
        assert_eq!(duration(90_061, Language::French), "1 j 1 h");
        assert_eq!(duration(3725, Language::English), "1 h 2 min");
    }
}
