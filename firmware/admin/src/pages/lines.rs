//! `/lines`: the SIP accounts and the lines, and how each stands now.

use axum::response::{IntoResponse, Response};
use ipc::{Language, Registration, RingTone, View};
use maud::{Markup, html};
use store::{Account, Line, Nat, Settings, Srtp, Transport};

use crate::{
    fault::{Fault, of_store},
    form::about,
    guard::Signed,
    layout::{self, Place},
    pages::{Page, line, overview, said::Said, sip_accounts, sip_tls},
    text::{self, Text},
};

/// The settings for a page.
///
/// # Errors
/// The page in its place.
pub(crate) async fn settings(signed: &Signed) -> Result<Settings, Response> {
    signed.app.settings().await.map_err(|problem| {
        let (status, words) = of_store(&problem, signed.language);
        Fault::saying(status, signed.language, words).into_response()
    })
}

/// `GET /lines`
pub(crate) async fn show(signed: Signed) -> Page {
    let t = |text: Text| text.is(signed.language);
    let (settings, view) = (settings(&signed).await?, signed.app.view());
    let add = |to: &str, id: &str, words: Text| {
        html! { @if signed.may_write() { p { a.button id=(id) href=(to) { (t(words)) } } } }
    };
    let body = html! {
        section aria-labelledby="accounts-title" {
            h2 #accounts-title { (t(text::SIP_ACCOUNTS)) }
            p.lead { (t(text::SIP_ACCOUNTS_INTRO)) }
            (accounts_table(&signed, &settings, &view))
            (add(sip_accounts::PATH, "add-sip-account", text::SIP_ACCOUNT_ADD))
        }
        section aria-labelledby="lines-title" {
            h2 #lines-title { (t(text::LINES)) }
            p.lead { (t(text::LINES_INTRO)) }
            (lines_table(&signed, &settings, &view))
            @if !settings.accounts.is_empty() { (add(line::PATH, "add-line", text::LINE_ADD)) }
        }
        (sip_tls::section(&signed, &settings.tls))
    };
    Ok(layout::page(&signed, Place::Lines, t(text::LINES_TITLE), body))
}

/// The account that a line belongs to: the one it names, else the first.
fn account_of<'a>(settings: &'a Settings, line: &Line) -> Option<&'a Account> {
    match &line.account {
        Some(id) => settings.accounts.iter().find(|account| account.id() == id),
        None => settings.accounts.first(),
    }
}

fn accounts_table(signed: &Signed, settings: &Settings, view: &View) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    if settings.accounts.is_empty() {
        return html! { p.empty { (t(text::NO_SIP_ACCOUNTS)) } };
    }
    let row = |account: &Account| {
        let lines = settings.lines.iter();
        let mut lines =
            lines.filter(|line| account_of(settings, line).is_some_and(|of| of.id() == account.id()));
        let state = lines.find_map(|line| view.lines.iter().find(|shown| shown.number == line.number));
        vec![
            html! { a href=(about(sip_accounts::PATH, "id", account.id())) { (account.id()) } },
            html! { (account.user) "@" (account.domain) },
            reached(account, language),
            html! {
                @match state {
                    Some(line) => (standing(&line.registration, signed)),
                    None => span.badge.off { (t(text::SIP_ACCOUNT_UNUSED)) },
                }
                @if let Some(said) = stun_trouble(signed, account) { p.hint { (said.markup(language)) } }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = settings.accounts.iter().map(row).collect();
    let heads = [t(text::SIP_ACCOUNT), t(text::SIP_ADDRESS), t(text::REGISTRATION_AT), t(text::REGISTRATION)];
    layout::table("sip-accounts", t(text::SIP_ACCOUNTS), &heads, &rows)
}

/// Where an account is registered and by what, and what is odd about that.
fn reached(account: &Account, language: Language) -> Markup {
    let readable = matches!(account.transport, Transport::Udp | Transport::Tcp);
    html! {
        (account.registrar())
        @if account.transport != Transport::Auto { " · " (account.transport.word().to_uppercase()) }
        @if readable && account.srtp != Srtp::Off { p.hint { (text::SRTP_READABLE.is(language)) } }
    }
}

/// That the account's STUN server does not help, and why.
fn stun_trouble(signed: &Signed, account: &Account) -> Option<Said> {
    let Nat::Stun(server) = &account.nat else { return None };
    let reason = signed.app.troubles.borrow().get(server).cloned()?;
    Some(Said::with_detail(text::STUN_TROUBLE.with(signed.language, &[("server", server)]), reason))
}

/// How an account stands, and what to do where it does not work.
fn standing(state: &Registration, signed: &Signed) -> Markup {
    let help = match state {
        Registration::Failed { reason } => match reason.get(..3) {
            Some("401" | "403" | "407") => Some(text::REGISTRATION_HELP_PASSWORD),
            Some("404" | "604") => Some(text::REGISTRATION_HELP_UNKNOWN),
            Some("408" | "no " | "the") => Some(text::REGISTRATION_HELP_SILENT),
            _ => None,
        },
        _ => None,
    };
    html! {
        (overview::registration(state, signed.language))
        @if let Some(help) = help { p.hint { (help.is(signed.language)) } }
    }
}

fn lines_table(signed: &Signed, settings: &Settings, view: &View) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    if settings.lines.is_empty() {
        let words = if settings.accounts.is_empty() { text::LINE_NEEDS_ACCOUNT } else { text::NO_LINES_YET };
        return html! { p.empty { (t(words)) } };
    }
    let last = settings.lines.len() - 1;
    let row = |(at, line): (usize, &Line)| {
        let shown = view.lines.iter().find(|shown| shown.number == line.number);
        let state = shown.map_or(Registration::Off, |shown| shown.registration.clone());
        vec![
            html! { a href=(about(line::PATH, "number", &line.number)) { (line.number) } },
            html! { (line.name) },
            html! { (account_of(settings, line).map_or("–", Account::id)) },
            html! { (t(ring(line.ring))) @if let Some(colour) = line.colour {
                " · " (text::LINE_COLOUR_N.with(language, &[("n", &colour)]))
            } },
            overview::registration(&state, language),
            moves(signed, &format!("{}/move", line::PATH), ("number", &line.number), &line.name, (at, last)),
        ]
    };
    let rows: Vec<Vec<Markup>> = settings.lines.iter().enumerate().map(row).collect();
    let heads = [
        t(text::NUMBER),
        t(text::LINE_NAME),
        t(text::SIP_ACCOUNT),
        t(text::LINE_RING),
        t(text::REGISTRATION),
        t(text::ACTIONS),
    ];
    layout::table("lines", t(text::LINES), &heads, &rows)
}

/// Buttons that move an entry of a list up and down; it is the `at`th, and the last one is there.
pub(crate) fn moves(
    signed: &Signed,
    to: &str,
    (key, value): (&str, &str),
    name: &str,
    (at, last): (usize, usize),
) -> Markup {
    let language = signed.language;
    let button = |up: bool| {
        let (way, words, named) = match up {
            true => ("up", text::MOVE_UP, text::MOVE_UP_NAMED),
            false => ("down", text::MOVE_DOWN, text::MOVE_DOWN_NAMED),
        };
        html! {
            form.inline method="post" action=(to) {
                (layout::token(signed))
                input type="hidden" name=(key) value=(value);
                input type="hidden" name="was" value=(name);
                input type="hidden" name="way" value=(way);
                button.quiet.small type="submit" aria-label=(named.with(language, &[("name", &name)])) {
                    (words.is(language))
                }
            }
        }
    };
    html! {
        @if signed.may_write() && last > 0 {
            div.moves {
                @if at > 0 { (button(true)) }
                @if at < last { (button(false)) }
            }
        }
    }
}

/// What a ring tone is called.
pub(crate) fn ring(ring: RingTone) -> Text {
    match ring {
        RingTone::Bell => text::RING_BELL,
        RingTone::Chime => text::RING_CHIME,
        RingTone::Warble => text::RING_WARBLE,
        RingTone::Gong => text::RING_GONG,
    }
}
