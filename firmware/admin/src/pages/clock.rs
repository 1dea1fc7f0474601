//! `/clock`: the time zone of the desk. A process does not change its zone while it runs: the desk starts anew in another one.

use chrono::{DateTime, Datelike, Local, SecondsFormat, TimeZone};
use ipc::Language;
use maud::{Markup, html};
use tokio::task::spawn_blocking;

use crate::{
    audit::Act,
    form::{Form, Refused},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines},
    settings::wrong,
    text::{self, Text},
};

/// `GET /clock`
pub(crate) async fn show(signed: Signed) -> Page {
    page(&signed, None).await
}

/// `POST /clock`
pub(crate) async fn set(Posted { signed, fields }: Posted) -> Page {
    let typed = fields.get("time_zone").trim().to_owned();
    let zone = typed.clone();
    let changed = signed.app.change_settings(move |settings| {
        settings.clock.time_zone = typed;
        Ok(())
    });
    match changed.await {
        Ok(()) => {
            let is_there = zone == signed.app.view().time_zone;
            let words = if is_there { text::DESK_SAVED } else { text::TIME_ZONE_SAVED };
            let detail = format!("time zone {}", if zone.is_empty() { "of the machine" } else { &zone });
            signed.app.audit(&signed.actor(), Act::SettingsChanged, detail).await;
            Ok(signed.done("/clock", words.is(signed.language)))
        }
        Err(problem) => {
            let wrong = wrong(&problem, "clock", signed.language);
            page(&signed, Some(Refused { typed: &fields, wrong: &wrong })).await
        }
    }
}

async fn page(signed: &Signed, refused: Option<Refused<'_>>) -> Page {
    let t = |text: Text| text.is(signed.language);
    let set = lines::settings(signed).await?.clock.time_zone;
    let runs = signed.app.view().time_zone.clone();
    let looked_up = set.clone();
    let look = move || (looked_up.is_empty() || ipc::is_time_zone(&looked_up), ipc::time_zones());
    // What cannot be looked up is as good as not there.
    let (is_known, zones) = spawn_blocking(look).await.unwrap_or_default();
    let form = Form::new(signed, refused);
    let zone = if set.is_empty() { t(text::CLOCK_MACHINE) } else { set.as_str() };
    let state = match (set == runs, is_known) {
        (true, _) => None,
        (false, true) => Some(("alert", text::TIME_ZONE_WAITS)),
        (false, false) => Some(("alert bad", text::TIME_ZONE_UNKNOWN)),
    };
    let facts = [
        (t(text::CLOCK_NOW), html! { (now(signed.language)) }),
        (
            t(text::CLOCK_ZONE_NOW),
            html! { @if runs.is_empty() { (t(text::CLOCK_MACHINE)) } @else { (runs) } },
        ),
    ];
    let there = text::TIME_ZONE_THERE.is(signed.language);
    let fields = html! {
        (form.offered("time_zone", text::TIME_ZONE, &set, &zones, text::TIME_ZONE_HINT))
        // Filled in while somebody types, by the browser, which knows the zones itself.
        p.hint #there data-words=(there) data-of="time_zone" {}
    };
    let body = html! {
        (form.problem())
        @if let Some((class, words)) = state {
            p #zone-state class=(class) { (words.with(signed.language, &[("zone", &zone)])) }
        }
        p.lead { (t(text::CLOCK_INTRO)) }
        (layout::facts("clock-now", &facts))
        @if zones.is_empty() { p.alert.bad role="alert" { (t(text::TIME_ZONE_NO_LIST)) } }
        (form.around("clock", "/clock", fields))
    };
    Ok(layout::page(signed, Place::Clock, t(text::CLOCK_TITLE), body))
}

/// On the overview: that nobody has chosen a zone and the desk counts in universal time, which is hardly that of the house.
pub(crate) fn unset(signed: &Signed, set: &str) -> Markup {
    let is_wanted = set.is_empty() && is_universal();
    html! {
        @if is_wanted {
            p.alert #no-time-zone {
                (text::TIME_ZONE_NONE.with(signed.language, &[("time", &Local::now().format("%H:%M"))])) " "
                a href="/clock" { (text::TIME_ZONE_CHOOSE.is(signed.language)) }
            }
        }
    }
}

/// Whether this program counts in universal time in winter and in summer.
fn is_universal() -> bool {
    let year = Local::now().year();
    let offset = |month| Local.with_ymd_and_hms(year, month, 1, 12, 0, 0).earliest().map(|at| *at.offset());
    [1, 7].iter().all(|month| offset(*month).is_some_and(|offset| offset.local_minus_utc() == 0))
}

/// This moment by the clock on the wall, with its distance from universal time.
pub(crate) fn now(language: Language) -> Markup {
    let now: DateTime<Local> = Local::now();
    let day = text::WEEKDAYS[now.weekday().num_days_from_monday() as usize].is(language);
    let written = now.format("%Y-%m-%d %H:%M");
    html! {
        time datetime=(now.to_rfc3339_opts(SecondsFormat::Secs, true)) { (day) " " (written) }
        " (UTC" (now.format("%:z")) ")"
    }
}
