//! `/`: how the box and the desk do, at a glance.

use axum::response::Response;
use ipc::{AudioState, Availability, CallState, CallView, Direction, Language, NoticeKind, Registration};
use maud::{Markup, html};
use tokio::task::spawn_blocking;

use crate::{
    app::now_ms,
    backup,
    guard::Signed,
    health::Health,
    layout::{self, Place},
    pages::{clock, plugins, said::Said, words},
    plugins::HostNow,
    text::{self, Text},
};

/// Below so many bytes the disk is nearly full.
const DISK_LOW: u64 = 64 * 1024 * 1024;

/// A certificate that counts for less is told of, in milliseconds.
const SOON_MS: i64 = 30 * 24 * 3600 * 1000;

/// `GET /`
pub(crate) async fn show(signed: Signed) -> Response {
    let (app, language) = (&signed.app, signed.language);
    let t = |text: Text| text.is(language);
    let view = app.view();
    // Where they cannot be read there is worse to tell of than this.
    let settings = app.settings().await.ok();
    let health = Health::now(&app.config.state);
    let of_all = |free, all| {
        let (free, all) = (layout::bytes(free, language), layout::bytes(all, language));
        text::OF_ALL.with(language, &[("free", &free), ("all", &all)])
    };
    let up = layout::duration(app.config.started.elapsed().as_secs(), language);
    let desk = [
        (t(text::REGISTRATION), registration(&view.operator.registration, language)),
        (t(text::AVAILABILITY), availability(&view.operator.name, view.operator.availability, language)),
        (t(text::AUDIO), audio(&view.operator.audio, language)),
    ];
    let figures = [
        (t(text::VERSION), html! { (app.config.version) }),
        (t(text::CLOCK_TITLE), html! { a href="/clock" { (clock::now(language)) } }),
        (t(text::UPTIME), html! { (up) }),
        (t(text::DISK_FREE), html! { (of_all(health.disk_free, health.disk)) }),
        (t(text::MEMORY_FREE), html! { (of_all(health.memory_free, health.memory)) }),
        (t(text::MEMORY_OURS), html! { (layout::bytes(health.resident, language)) }),
    ];
    let db = app.db.clone();
    let is_waiting = spawn_blocking(move || backup::waiting(&db).is_some()).await.unwrap_or(false);
    let refused = view.notices.iter().find_map(|notice| match &notice.kind {
        NoticeKind::StorageFailed { reason } => Some(reason),
        _ => None,
    });
    let certificate = app.certificates.facts();
    // The box makes its own anew by itself.
    let ends_soon = !certificate.own && certificate.until_ms - now_ms() < SOON_MS;
    let body = html! {
        @if let Some(settings) = &settings { (clock::unset(&signed, &settings.clock.time_zone)) }
        @if ends_soon {
            p.alert.bad role="alert" {
                @let day = layout::day(certificate.until_ms);
                (text::CERTIFICATE_ENDS.with(language, &[("day", &day)])) " "
                a href="/certificate" { (t(text::CERTIFICATE)) }
            }
        }
        @if is_waiting {
            p.alert #backup-waits { (t(text::RESTORE_WAITS_OVERVIEW)) " " a href="/backup" { (t(text::BACKUP)) } }
        }
        @if health.disk_free.is_some_and(|free| free < DISK_LOW) {
            p.alert.bad role="alert" { (t(text::DISK_LOW)) }
        }
        @if let Some(reason) = refused {
            p.alert.bad role="alert" {
                (Said::with_detail(t(text::STORAGE_TROUBLE), reason).markup(language))
            }
        }
        section aria-labelledby="desk-title" {
            h2 #desk-title { (t(text::THE_DESK)) }
            (layout::facts("desk", &desk))
            (lines(&view, language))
        }
        section aria-labelledby="calls-title" {
            h2 #calls-title { (t(text::CALLS_NOW)) }
            (calls(&view, language))
        }
        section aria-labelledby="plugins-title" {
            h2 #plugins-title { (t(text::PLUGINS)) }
            (plugins_now(&app.host.now(), language))
        }
        section aria-labelledby="box-title" {
            h2 #box-title { (t(text::THE_BOX)) }
            (layout::facts("box", &figures))
        }
    };
    layout::page(&signed, Place::Overview, t(text::OVERVIEW), body)
}

/// A registration's state, as a badge, and what the exchange said of it.
pub(crate) fn registration(state: &Registration, language: Language) -> Markup {
    let plain = |text: Text| Said::plain(text.is(language));
    let (class, said) = match state {
        Registration::Off => ("off", plain(text::REGISTRATION_OFF)),
        Registration::Registering => ("busy", plain(text::REGISTERING)),
        Registration::Registered => ("good", plain(text::REGISTERED)),
        Registration::Failed { reason } => {
            ("bad", Said::with_detail(text::REGISTRATION_FAILED.is(language), reason))
        }
    };
    badge(class, &said, language)
}

fn badge(class: &str, said: &Said, language: Language) -> Markup {
    html! { span.badge.(class) { (said.words) } (said.quote(language)) }
}

fn availability(name: &str, state: Availability, language: Language) -> Markup {
    let (class, words) = match state {
        Availability::Available => ("good", text::AVAILABLE),
        Availability::DoNotDisturb => ("off", text::DO_NOT_DISTURB),
    };
    html! { (name) " " span.badge.(class) { (words.is(language)) } }
}

/// The sound device's state, as a badge, and what the system said of it.
pub(crate) fn audio(state: &AudioState, language: Language) -> Markup {
    let (class, said) = match state {
        AudioState::Disconnected => ("off", Said::plain(text::AUDIO_OFF.is(language))),
        AudioState::Connected { device } => ("good", Said::plain(device.clone())),
        AudioState::Failed { reason } => ("bad", Said::with_detail(text::AUDIO_FAILED.is(language), reason)),
        AudioState::Connecting { device } => {
            ("busy", Said::plain(text::PHONE_CONNECTING.with(language, &[("phone", device)])))
        }
        AudioState::PhoneFailed { phone, .. } => {
            ("bad", Said::plain(text::PHONE_FAILED.with(language, &[("phone", phone)])))
        }
    };
    badge(class, &said, language)
}

fn lines(view: &ipc::View, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    if view.lines.is_empty() {
        return html! { p.empty { (t(text::NO_LINES)) } };
    }
    let rows: Vec<Vec<Markup>> = view
        .lines
        .iter()
        .map(|line| {
            vec![html! { (line.number) }, html! { (line.name) }, registration(&line.registration, language)]
        })
        .collect();
    layout::table("lines", t(text::LINES), &[t(text::NUMBER), t(text::NAME), t(text::REGISTRATION)], &rows)
}

fn calls(view: &ipc::View, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let rows: Vec<Vec<Markup>> = view
        .incoming
        .iter()
        .chain(&view.outgoing)
        .map(|call| call_row(call, view.now_ms, language))
        .collect();
    if rows.is_empty() {
        return html! { p.empty { (t(text::NO_CALLS)) } };
    }
    let heads = [t(text::DIRECTION), t(text::CALL_WITH), t(text::LINE), t(text::STATE), t(text::SINCE)];
    layout::table("calls", t(text::CALLS_NOW), &heads, &rows)
}

fn call_row(call: &CallView, now_ms: u64, language: Language) -> Vec<Markup> {
    let t = |text: Text| text.is(language);
    let direction = match call.direction {
        Direction::Incoming => text::INCOMING,
        Direction::Outgoing => text::OUTGOING,
    };
    let number = call.party.number.as_deref().unwrap_or(t(text::WITHHELD));
    let line = if call.line_name.is_empty() { &call.line_number } else { &call.line_name };
    let since = layout::duration(now_ms.saturating_sub(call.began_ms) / 1000, language);
    vec![
        html! { (t(direction)) },
        html! { @if let Some(name) = &call.party.name { (name) " " } (number) },
        html! { (line) },
        html! { (t(call_state(call.state))) },
        html! { (since) },
    ]
}

/// What a call's state is called.
pub(crate) fn call_state(state: CallState) -> Text {
    match state {
        CallState::Ringing | CallState::Answering | CallState::Dialing | CallState::Alerting => {
            text::CALL_RINGING
        }
        CallState::Talking => text::CALL_TALKING,
        CallState::Held => text::CALL_HELD,
        CallState::Conference => text::CALL_CONFERENCE,
        CallState::Transferring => text::CALL_TRANSFERRING,
        CallState::Recalling => text::CALL_RECALLING,
        CallState::Ending => text::CALL_ENDING,
    }
}

fn plugins_now(now: &HostNow, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let installed = match now {
        HostNow::Away(_) => return plugins::away(language),
        HostNow::Here { plugins, .. } if plugins.is_empty() => {
            return html! { p.empty { (t(text::NO_PLUGINS)) } };
        }
        HostNow::Here { plugins, .. } => plugins,
    };
    let row = |plugin: &ipc::PluginView| {
        let (class, state) = words::state(&plugin.state, language);
        vec![
            html! { a href=(plugins::path(&plugin.id)) { (plugin.name) } },
            html! { span.badge.(class) { (state.words) } (state.quote(language)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = installed.iter().map(row).collect();
    layout::table("plugins", t(text::PLUGINS_CAPTION), &[t(text::PLUGIN), t(text::STATE)], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_4_what_an_exchange_or_a_driver_said_stands_beside_our_word() {
        let shown = "<span class=\"badge bad\">échec</span> <span class=\"detail\">Détail : « \
                     <span lang=\"en\">404 Not &lt;Found&gt;</span> »</span>";
        let reason = || "404 Not <Found>".to_owned();
        let failed = Registration::Failed { reason: reason() };
        assert_eq!(registration(&failed, Language::French).into_string(), shown);
        let failed = AudioState::Failed { reason: reason() };
        assert_eq!(audio(&failed, Language::French).into_string(), shown);
        let good = registration(&Registration::Registered, Language::French).into_string();
        assert_eq!(good.matches("<span").count(), 1, "{good}");
    }
}
