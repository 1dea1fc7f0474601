//! `/audit`: who did what, newest first.

use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use store::AuditEntry;

use crate::{
    audit::Act,
    fault::{Fault, of_store},
    guard::Signed,
    layout::{self, Place},
    text::{self, Text},
};

/// Entries in a page.
const PAGE: u32 = 50;

/// `GET /audit`
pub(crate) async fn show(signed: Signed) -> Result<Response, Response> {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let before: Option<i64> = signed.asked().get("before").parse().ok();
    let entries = signed.app.keeper.ask(move |store| store.audit(before, PAGE)).await;
    let entries = entries.map_err(|problem| {
        let (status, words) = of_store(&problem, language);
        Fault::saying(status, language, words).into_response()
    })?;
    let row = |entry: &AuditEntry| {
        let act = Act::ALL.into_iter().find(|act| act.word() == entry.action);
        vec![
            layout::moment(entry.at_ms),
            html! { (entry.who) },
            html! { (entry.origin) },
            html! { @match act { Some(act) => (t(text::act(act))), None => (entry.action) } },
            html! { (entry.detail) },
        ]
    };
    let rows: Vec<Vec<Markup>> = entries.iter().map(row).collect();
    let heads = [t(text::WHEN), t(text::WHO), t(text::FROM), t(text::WHAT), t(text::ABOUT)];
    let is_full = entries.len() == PAGE as usize;
    let older = entries.last().filter(|_| is_full).map(|entry| format!("/audit?before={}", entry.id));
    let body = html! {
        @if rows.is_empty() {
            p.empty { (t(text::AUDIT_NONE)) }
        } @else {
            (layout::table("audit", t(text::AUDIT_CAPTION), &heads, &rows))
        }
        p {
            @if before.is_some() { a #newest href="/audit" { (t(text::NEWEST)) } " " }
            @if let Some(older) = older { a #older href=(older) { (t(text::OLDER)) } }
        }
    };
    Ok(layout::page(&signed, Place::Audit, t(text::AUDIT), body))
}
