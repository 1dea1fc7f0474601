//! `/update`: which version runs, a new one uploaded and installed, and what came of those before (APP-2, APP-3).

use axum::{
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::Stream;
use ipc::Language;
use maud::{Markup, html};
use tracing::warn;
use update::{
    Attempt, Away, Bundle, BundleProblem, Handle, MAX_BUNDLE, NotNow, Order, Outcome, STICK, Slot, Stage,
    Standing, Sticks, Trouble, When, is_older,
};

use crate::{
    app::App,
    audit::Act,
    fault::Fault,
    fields::Fields,
    form::Form,
    guard::{Posted, PostedParts, Signed},
    layout::{self, Place},
    pages::{Page, own, said::Said},
    parts::piece,
    text::{self, Text},
};

const HERE: &str = "/update";

/// `GET /update`
pub(crate) async fn show(signed: Signed) -> Page {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let standing = signed.app.update.as_ref().map(Handle::standing);
    let body = match &standing {
        None => html! { p.alert #no-update { (t(text::UPDATE_NO_BOX)) } },
        Some(standing) => html! {
            p.lead { (t(text::UPDATE_INTRO)) }
            @if let Some(away) = &standing.away { p.alert.bad #no-update role="alert" { (away_words(away, language).markup(language)) } }
            @if let Some(at) = store::put_aside(&signed.app.db) { p.alert #put-aside { (aside(at, language)) } }
            (happening(&signed, standing))
            (slots(standing, language))
            @if let Some(bundle) = standing.bundle.as_ref().filter(|_| standing.away.is_none()) {
                (there(&signed, standing, bundle))
            }
            @if signed.may_write() && standing.away.is_none() && is_free(standing) { (upload_form(&signed)) }
            @if standing.away.is_none() { (by_stick(&signed, standing)) }
            (history(standing, language))
        },
    };
    Ok(layout::page(&signed, Place::Update, t(text::UPDATE), body))
}

/// Another bundle may come.
fn is_free(standing: &Standing) -> bool {
    matches!(standing.stage, Stage::Resting | Stage::Waiting)
}

fn aside(at: std::time::SystemTime, language: Language) -> String {
    let since = at.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    let day = layout::day(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    text::UPDATE_PUT_ASIDE.with(language, &[("day", &day)])
}

/// What happens now; looked at again by itself while the page is seen.
fn happening(signed: &Signed, standing: &Standing) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let window = standing.order.as_ref().and_then(|order| match order.when {
        When::Window { from, until } => Some((clock(from), clock(until))),
        When::Now | When::Idle => None,
    });
    let timed = |text: Text, window: &(String, String)| {
        text.with(language, &[("from", &window.0), ("until", &window.1)])
    };
    let words = match (&standing.stage, &window) {
        (Stage::Resting, _) => return html! { div #standing {} },
        (Stage::Waiting, Some(window)) => timed(text::UPDATE_WAITS_WINDOW, window),
        (Stage::Waiting, None) => t(text::UPDATE_WAITS_IDLE).into(),
        (Stage::Installing { percent, .. }, _) => {
            text::UPDATE_INSTALLING.with(language, &[("percent", percent)])
        }
        (Stage::Written, Some(window)) => timed(text::UPDATE_WRITTEN_WINDOW, window),
        (Stage::Written, None) if standing.order.is_some() => t(text::UPDATE_WRITTEN).into(),
        (Stage::Written, None) => t(text::UPDATE_WRITTEN_ONLY).into(),
        (Stage::Restarting, _) => t(text::UPDATE_RESTARTING).into(),
    };
    let waits = matches!(standing.stage, Stage::Waiting | Stage::Written);
    html! {
        div #standing {
            section aria-labelledby="now-title" {
                h2 #now-title { (t(text::UPDATE_NOW)) }
                p #now role="status" { (words) }
                @if let Stage::Installing { percent, .. } = standing.stage {
                    progress max="100" value=(percent) aria-label=(t(text::UPDATE)) {}
                }
                @if waits && standing.occupied { p.note #busy { (t(text::UPDATE_BUSY_NOW)) } }
                @if let Some(until) = standing.postponed_until_ms.filter(|_| waits) {
                    p.note { (text::UPDATE_POSTPONED.with(language, &[("until", &time_of_day(until))])) }
                }
                div.actions {
                    @if waits && standing.order.is_some() {
                        (layout::action(signed, "postpone", "/update/postpone", t(text::UPDATE_POSTPONE), "quiet"))
                    }
                    @if standing.stage == Stage::Waiting {
                        (layout::action(signed, "cancel", "/update/cancel", t(text::UPDATE_CANCEL), "quiet"))
                    }
                    @if standing.stage == Stage::Written && standing.order.is_none() {
                        (layout::action(signed, "restart", "/update/restart", t(text::UPDATE_RESTART), ""))
                    }
                }
            }
        }
    }
}

fn slots(standing: &Standing, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let row = |slot: &Slot| {
        let verdict = standing.verdicts.get(&slot.bootname);
        let version = match &slot.version {
            _ if slot.booted => standing.version.as_str(),
            Some(version) => version,
            None => t(text::UPDATE_AS_DELIVERED),
        };
        vec![
            html! { (slot.bootname) },
            html! { (version) },
            html! {
                @if slot.booted { span.badge.good { (t(text::UPDATE_SLOT_RUNS)) } " " }
                @if slot.primary && !slot.booted { span.badge.busy { (t(text::UPDATE_SLOT_NEXT)) } " " }
                @match slot.good {
                    Some(true) => span.badge.good { (t(text::UPDATE_SLOT_GOOD)) },
                    Some(false) => span.badge.bad { (t(text::UPDATE_SLOT_BAD)) },
                    None => span.badge { (t(text::UPDATE_SLOT_UNKNOWN)) },
                }
            },
            html! {
                @match verdict {
                    None => (t(text::UPDATE_NOT_CHECKED)),
                    Some(verdict) => {
                        (layout::moment(verdict.at_ms)) br;
                        @if verdict.troubles.is_empty() { (t(text::UPDATE_WELL)) }
                        @else { (troubles(&verdict.troubles, language).markup(language)) }
                    },
                }
            },
        ]
    };
    let rows: Vec<Vec<Markup>> = standing.system.slots.iter().map(row).collect();
    let heads = [t(text::UPDATE_SLOT), t(text::VERSION), t(text::STATE), t(text::UPDATE_HEALTH)];
    html! {
        section aria-labelledby="slots-title" {
            h2 #slots-title { (t(text::UPDATE_SLOTS)) }
            (layout::facts("runs", &[(t(text::UPDATE_RUNS), html! { (standing.version) })]))
            @if !rows.is_empty() { (layout::table("slots", t(text::UPDATE_SLOTS_CAPTION), &heads, &rows)) }
        }
    }
}

/// A bundle that was looked at, and what can be done with it.
fn there(signed: &Signed, standing: &Standing, bundle: &Bundle) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let manifest = &bundle.manifest;
    let older = is_older(&manifest.version, &standing.version);
    let mut facts = vec![
        (t(text::VERSION), html! { (version(bundle, language)) }),
        (t(text::UPDATE_MADE_FOR), html! { (manifest.compatible) }),
        (t(text::UPDATE_SIZE), html! { (layout::bytes(Some(bundle.bytes), language)) }),
        (t(text::UPDATE_SIGNED), html! { span.badge.good { (t(text::UPDATE_SIGNED_WELL)) } }),
    ];
    if !manifest.description.is_empty() {
        facts.insert(1, (t(text::DESCRIPTION), html! { (manifest.description) }));
    }
    html! {
        section aria-labelledby="there-title" {
            h2 #there-title { (t(text::UPDATE_THERE)) }
            (layout::facts("bundle", &facts))
            @if older {
                p.alert #older-note role="alert" { (text::UPDATE_OLDER.with(language, &[("runs", &standing.version)])) }
            }
            @if signed.may_write() && standing.stage == Stage::Resting {
                form #install-form method="post" action="/update/install" {
                    (layout::token(signed))
                    div.field {
                        label for="when" { (t(text::UPDATE_WHEN)) }
                        select #when name="when" {
                            option value="now" { (t(text::UPDATE_WHEN_NOW)) }
                            option value="idle" { (t(text::UPDATE_WHEN_IDLE)) }
                            option value="window" { (t(text::UPDATE_WHEN_WINDOW)) }
                        }
                    }
                    div.field {
                        label for="from" { (t(text::UPDATE_FROM)) }
                        input.short #from name="from" type="time" value="02:00" aria-describedby="times-hint";
                    }
                    div.field {
                        label for="until" { (t(text::UPDATE_UNTIL)) }
                        input.short #until name="until" type="time" value="04:00" aria-describedby="times-hint";
                        p.hint #times-hint { (t(text::UPDATE_TIMES_HINT)) }
                    }
                    @if older { (Form::new(signed, None).tick("older", t(text::UPDATE_OLDER_TICK), false)) }
                    (layout::field("password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                    button #install type="submit" { (t(text::UPDATE_INSTALL)) }
                }
            }
            @if is_free(standing) { (layout::action(signed, "discard", "/update/discard", t(text::UPDATE_DISCARD), "quiet")) }
        }
    }
}

fn upload_form(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        section aria-labelledby="upload-title" {
            h2 #upload-title { (t(text::UPDATE_UPLOAD)) }
            p { (t(text::UPDATE_UPLOAD_INTRO)) }
            form #upload-form method="post" action="/update/upload" enctype="multipart/form-data" data-progress {
                (layout::token(signed))
                div.field {
                    label for="file" { (t(text::UPDATE_FILE)) }
                    input #file name="file" type="file" accept=".raucb" required;
                }
                button #upload type="submit" { (t(text::UPLOAD_GO)) }
            }
        }
    }
}

/// Whether sticks update the box, and the way to change that.
fn by_stick(signed: &Signed, standing: &Standing) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let words = match standing.sticks {
        Sticks::On => text::UPDATE_STICKS_ON,
        Sticks::Off => text::UPDATE_STICKS_OFF,
        Sticks::Never => text::UPDATE_STICKS_NEVER,
    };
    let allow = standing.sticks == Sticks::Off;
    html! {
        section aria-labelledby="sticks-title" {
            h2 #sticks-title { (t(text::UPDATE_STICKS)) }
            p #sticks-words { (t(words)) }
            @if signed.may_write() && standing.sticks != Sticks::Never {
                form #sticks-form method="post" action="/update/sticks" {
                    (layout::token(signed))
                    input type="hidden" name="allow" value=(if allow { "on" } else { "off" });
                    @if allow {
                        (layout::field("sticks-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                    }
                    button.quiet #sticks type="submit" {
                        (t(if allow { text::UPDATE_STICKS_TURN_ON } else { text::UPDATE_STICKS_TURN_OFF }))
                    }
                }
            }
        }
    }
}

fn history(standing: &Standing, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let row = |attempt: &Attempt| {
        let (class, said) = outcome(&attempt.outcome, language);
        vec![
            layout::moment(attempt.begun_ms),
            html! { (attempt.version) },
            html! { (attempt.from) " → " (attempt.to) },
            html! { (who(attempt, language)) },
            html! { span.badge.(class) { (said.words) } (said.quote(language)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = standing.attempts.iter().rev().map(row).collect();
    let heads = [
        t(text::UPDATE_BEGAN),
        t(text::VERSION),
        t(text::UPDATE_SLOT),
        t(text::UPDATE_BY),
        t(text::UPDATE_OUTCOME),
    ];
    html! {
        section aria-labelledby="history-title" {
            h2 #history-title { (t(text::UPDATE_HISTORY)) }
            @if rows.is_empty() { p.empty { (t(text::UPDATE_NO_HISTORY)) } }
            @else { (layout::table("attempts", t(text::UPDATE_HISTORY), &heads, &rows)) }
        }
    }
}

/// `POST /update/upload`
pub(crate) async fn upload(PostedParts { signed, announced, mut parts }: PostedParts) -> Page {
    let (app, language) = (&signed.app, signed.language);
    let update = usable(app).map_err(|words| signed.fault(StatusCode::CONFLICT, words))?;
    let field = match parts.next().await? {
        Some(field) if field.name() == Some("file") => field,
        _ => return Err(signed.fault(StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_EMPTY)),
    };
    // Of the whole form: a file that is just not too large is no larger by that.
    match receive(&update, announced.map(|bytes| bytes.min(MAX_BUNDLE)), field).await {
        Ok(bundle) => {
            let version = version(&bundle, language);
            app.audit(&signed.actor(), Act::UpdateUploaded, version.clone()).await;
            Ok(signed.done(HERE, text::UPDATE_TAKEN.with(language, &[("version", &version)])))
        }
        Err(problem) => {
            let (status, said) = refusal(&problem, language);
            Err(Fault::saying(status, language, said.line(language)).into_response())
        }
    }
}

/// Takes a bundle as it comes, and has it looked at.
pub(crate) async fn receive<E>(
    update: &Handle,
    announced: Option<u64>,
    mut source: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Bundle, BundleProblem> {
    let mut incoming = update.begin(announced).await?;
    while let Some(bytes) = piece(&mut source).await.map_err(|_| BundleProblem::BrokenOff)? {
        incoming.push(&bytes).await?;
    }
    update.inspect(incoming).await
}

/// `POST /update/install`
pub(crate) async fn install(Posted { signed, fields }: Posted) -> Response {
    let language = signed.language;
    let Some(when) = chosen(&fields) else {
        return signed.failed(HERE, text::UPDATE_TIMES_WRONG.is(language));
    };
    if let Err(words) = own::confirm(&signed, fields.get("password")).await {
        return signed.failed(HERE, words);
    }
    ordered(&signed, when, fields.has("older")).await
}

/// `POST /update/restart`: of one that is written and waits for nobody's order any more.
pub(crate) async fn restart(Posted { signed, .. }: Posted) -> Response {
    let is_written =
        signed.app.update.as_ref().is_some_and(|update| update.standing().stage == Stage::Written);
    if !is_written {
        // What begins an installation asks for the password.
        return signed.failed(HERE, text::UPDATE_NOTHING.is(signed.language));
    }
    // It is written already.
    ordered(&signed, When::Idle, true).await
}

async fn ordered(signed: &Signed, when: When, takes_older: bool) -> Response {
    let language = signed.language;
    let actor = signed.actor();
    match order(&signed.app, actor.who.clone(), when, takes_older).await {
        Ok(detail) => {
            signed.app.audit(&actor, Act::UpdateOrdered, detail).await;
            signed.done(HERE, text::UPDATE_ORDERED.is(language))
        }
        Err((_, words)) => signed.failed(HERE, words.is(language)),
    }
}

/// Orders it; what the audit log says of that. An older version than the one that runs only where that is wanted.
pub(crate) async fn order(
    app: &App,
    who: String,
    when: When,
    takes_older: bool,
) -> Result<String, (StatusCode, Text)> {
    let refused = |problem| (StatusCode::CONFLICT, not_now(problem));
    let update = usable(app).map_err(|_| refused(NotNow::Away))?;
    let standing = update.standing();
    let version = standing.bundle.as_ref().map_or_else(String::new, |bundle| bundle.manifest.version.clone());
    if !takes_older && is_older(&version, &standing.version) {
        return Err((StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_OLDER_REFUSED));
    }
    update.order(Order { when, who }).await.map_err(refused)?;
    Ok(match when {
        When::Now => format!("{version}, now"),
        When::Idle => format!("{version}, when idle"),
        When::Window { from, until } => format!("{version}, {}-{}", clock(from), clock(until)),
    })
}

/// `POST /update/cancel`
pub(crate) async fn cancel(Posted { signed, .. }: Posted) -> Response {
    let language = signed.language;
    let done = match &signed.app.update {
        Some(update) => update.cancel().await,
        None => false,
    };
    if !done {
        return signed.failed(HERE, text::UPDATE_TOO_LATE.is(language));
    }
    signed.app.audit(&signed.actor(), Act::UpdateCancelled, "").await;
    signed.done(HERE, text::UPDATE_CANCELLED.is(language))
}

/// `POST /update/postpone`
pub(crate) async fn postpone(Posted { signed, .. }: Posted) -> Response {
    let language = signed.language;
    let done = match &signed.app.update {
        Some(update) => update.postpone().await,
        None => false,
    };
    if !done {
        return signed.failed(HERE, text::UPDATE_TOO_LATE.is(language));
    }
    signed.done(HERE, text::UPDATE_POSTPONED_DONE.is(language))
}

/// `POST /update/discard`
pub(crate) async fn discard(Posted { signed, .. }: Posted) -> Response {
    let language = signed.language;
    let done = match &signed.app.update {
        Some(update) => update.discard().await,
        None => false,
    };
    if !done {
        return signed.failed(HERE, text::UPDATE_TOO_LATE.is(language));
    }
    signed.app.audit(&signed.actor(), Act::UpdateCancelled, "removed").await;
    signed.done(HERE, text::UPDATE_DISCARDED.is(language))
}

/// `POST /update/sticks`: turns updates by stick off or on, whatever they were. From then on nobody is asked for a
/// password at the box, so the page asks for one.
pub(crate) async fn sticks(Posted { signed, fields }: Posted) -> Response {
    let language = signed.language;
    let sticks = signed.app.update.as_ref().map(|update| update.standing().sticks);
    if matches!(sticks, None | Some(Sticks::Never)) {
        return signed.failed(HERE, text::UPDATE_STICKS_NEVER.is(language));
    }
    let allow = fields.get("allow") == "on";
    if allow && let Err(words) = own::confirm(&signed, fields.get("sticks-password")).await {
        return signed.failed(HERE, words);
    }
    let kept = match &signed.app.update {
        Some(update) => update.allow_sticks(allow).await,
        None => false,
    };
    if !kept {
        return signed.failed(HERE, text::STORAGE_FAILED.is(language));
    }
    let detail = if allow { "updates by stick: on" } else { "updates by stick: off" };
    signed.app.audit(&signed.actor(), Act::SettingsChanged, detail).await;
    signed.done(HERE, if allow { text::UPDATE_STICKS_ON } else { text::UPDATE_STICKS_OFF }.is(language))
}

/// Who wanted it.
fn who(attempt: &Attempt, language: Language) -> &str {
    if attempt.who == STICK { text::UPDATE_BY_STICK.is(language) } else { &attempt.who }
}

/// The way to the task of updates, where anything can come of it.
pub(crate) fn usable(app: &App) -> Result<Handle, Text> {
    let update = app.update.clone().ok_or(text::UPDATE_NO_BOX)?;
    if update.standing().away.is_some() { Err(text::UPDATE_NOT_POSSIBLE) } else { Ok(update) }
}

fn chosen(fields: &Fields) -> Option<When> {
    when(fields.get("when"), fields.get("from"), fields.get("until"))
}

/// When, by its word, and the times of a window.
pub(crate) fn when(word: &str, from: &str, until: &str) -> Option<When> {
    match word {
        "now" => Some(When::Now),
        "idle" => Some(When::Idle),
        "window" => Some(When::Window { from: minute(from)?, until: minute(until)? }),
        _ => None,
    }
}

/// `HH:MM`, in minutes since midnight.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    // A browser may send seconds.
    let minute = minute.split(':').next()?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok())?;
    let (hour, minute) = (number(hour)?, number(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn time_of_day(unix_ms: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(unix_ms).unwrap_or_default();
    at.with_timezone(&chrono::Local).format("%H:%M").to_string()
}

fn version(bundle: &Bundle, language: Language) -> String {
    let version = &bundle.manifest.version;
    if version.is_empty() { text::UNKNOWN.is(language).into() } else { version.clone() }
}

/// Why the box cannot update itself.
pub(crate) fn away_words(away: &Away, language: Language) -> Said {
    match away {
        Away::NoRauc => Said::plain(text::UPDATE_NO_RAUC.is(language)),
        Away::Refused(reason) => Said::with_detail(text::UPDATE_REFUSED.is(language), reason),
        Away::Folder(reason) => Said::with_detail(text::UPDATE_FOLDER.is(language), reason),
    }
}

/// Why something that was asked for is not done.
fn not_now(problem: NotNow) -> Text {
    match problem {
        NotNow::NoBundle => text::UPDATE_NOTHING,
        NotNow::UnderWay => text::UPDATE_UNDER_WAY,
        NotNow::Away => text::UPDATE_NOT_POSSIBLE,
        NotNow::Disk => text::STORAGE_FAILED,
    }
}

/// Why a bundle is not taken, with the status that says whose fault it was.
pub(crate) fn refusal(problem: &BundleProblem, language: Language) -> (StatusCode, Said) {
    warn!(%problem, "an update was refused");
    let say = |status, words: Text| (status, Said::plain(words.is(language)));
    let because = |status, words: Text, reason: &dyn std::fmt::Display| {
        (status, Said::with_detail(words.is(language), reason))
    };
    match problem {
        BundleProblem::TooLarge => say(StatusCode::PAYLOAD_TOO_LARGE, text::UPDATE_TOO_LARGE),
        BundleProblem::Empty => say(StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_EMPTY),
        BundleProblem::Busy => say(StatusCode::CONFLICT, text::UPDATE_UNDER_WAY),
        BundleProblem::BrokenOff => say(StatusCode::BAD_REQUEST, text::UPDATE_BROKEN_OFF),
        BundleProblem::NoRoom { wanted, free } => {
            let amount = |bytes: u64| layout::bytes(Some(bytes), language);
            let words = text::UPDATE_NO_ROOM
                .with(language, &[("wanted", &amount(*wanted)), ("free", &amount(*free))]);
            (StatusCode::INSUFFICIENT_STORAGE, Said::plain(words))
        }
        BundleProblem::NotABundle => say(StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_NOT_A_BUNDLE),
        BundleProblem::Damaged(reason) => {
            because(StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_DAMAGED, reason)
        }
        BundleProblem::Signature(reason) => {
            because(StatusCode::UNPROCESSABLE_ENTITY, text::UPDATE_SIGNATURE, reason)
        }
        BundleProblem::OtherBox { made_for, this } => {
            let words = text::UPDATE_OTHER_BOX.with(language, &[("made_for", made_for), ("this", this)]);
            (StatusCode::UNPROCESSABLE_ENTITY, Said::plain(words))
        }
        BundleProblem::Disk(error) => because(StatusCode::INSUFFICIENT_STORAGE, text::UPDATE_DISK, error),
        BundleProblem::Rauc(reason) => because(StatusCode::SERVICE_UNAVAILABLE, text::UPDATE_RAUC, reason),
    }
}

/// What came of an attempt, with the badge's colour.
pub(crate) fn outcome(outcome: &Outcome, language: Language) -> (&'static str, Said) {
    let say = |class, words: Text| (class, Said::plain(words.is(language)));
    let because = |words: Text, found: &[Trouble]| {
        let Said { words: reason, detail } = troubles(found, language);
        Said { words: words.with(language, &[("reason", &reason)]), detail }
    };
    match outcome {
        Outcome::Installing => say("busy", text::UPDATE_IS_INSTALLING),
        Outcome::Installed => say("busy", text::UPDATE_IS_INSTALLED),
        Outcome::Trying => say("busy", text::UPDATE_IS_TRYING),
        Outcome::Good => say("good", text::UPDATE_IS_GOOD),
        Outcome::Failed { reason } => ("bad", Said::with_detail(text::UPDATE_IS_FAILED.is(language), reason)),
        Outcome::RolledBack { troubles } if troubles.is_empty() => say("bad", text::UPDATE_IS_BACK_SILENT),
        Outcome::RolledBack { troubles } => ("bad", because(text::UPDATE_IS_BACK, troubles)),
        Outcome::Kept { troubles } => ("bad", because(text::UPDATE_IS_KEPT, troubles)),
        Outcome::Interrupted => say("bad", text::UPDATE_IS_INTERRUPTED),
        Outcome::Unknown => say("busy", text::UPDATE_IS_UNKNOWN),
    }
}

/// What a health check found.
pub(crate) fn troubles(troubles: &[Trouble], language: Language) -> Said {
    let words = troubles.iter().map(|trouble| match trouble {
        Trouble::Desk { .. } => text::UPDATE_TROUBLE_DESK.is(language).into(),
        Trouble::Screen => text::UPDATE_TROUBLE_SCREEN.is(language).into(),
        Trouble::Line { number, .. } => text::UPDATE_TROUBLE_LINE.with(language, &[("number", number)]),
        Trouble::Unknown => text::UPDATE_IS_UNKNOWN.is(language).into(),
    });
    let reasons = troubles.iter().filter_map(|trouble| match trouble {
        Trouble::Desk { reason } => Some(reason.clone()),
        Trouble::Line { number, reason } if !reason.is_empty() => Some(format!("{number}: {reason}")),
        Trouble::Line { .. } | Trouble::Screen | Trouble::Unknown => None,
    });
    let reasons: Vec<String> = reasons.filter(|reason| !reason.is_empty()).collect();
    let between = match language {
        Language::English => "; ",
        Language::French => " ; ",
    };
    Said::with_detail(words.collect::<Vec<String>>().join(between), reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_the_times_of_a_window_are_those_of_a_clock() {
        assert_eq!(when("window", "23:30", "04:00:00"), Some(When::Window { from: 1410, until: 240 }));
        for wrong in ["", "24:00", "1:60", "+1:05", "a:b", "12", "99999:00"] {
            assert_eq!(when("window", wrong, "04:00"), None, "{wrong}");
        }
        assert_eq!(
            (when("now", "", ""), when("idle", "x", "y"), when("later", "", "")),
            (Some(When::Now), Some(When::Idle), None)
        );
        assert_eq!(clock(65), "01:05");
    }

    #[test]
    fn acc_4_app_2_what_rauc_and_the_exchange_say_stands_beside_our_words() {
        let french = Language::French;
        let found = [
            Trouble::Desk { reason: "connection refused".into() },
            Trouble::Screen,
            Trouble::Line { number: "100".into(), reason: "403 Forbidden".into() },
            Trouble::Line { number: "101".into(), reason: String::new() },
        ];
        let words = "le poste ne répondait pas ; l’écran n’est pas venu ; la ligne 100 ne s’est pas enregistrée ; \
                     la ligne 101 ne s’est pas enregistrée";
        let detail = || Some("connection refused; 100: 403 Forbidden".to_owned());
        assert_eq!(troubles(&found, french), Said { words: words.into(), detail: detail() });
        assert_eq!(troubles(&found[1..2], french).detail, None);
        for (came, begins) in [
            (Outcome::RolledBack { troubles: found.to_vec() }, "n’allait pas bien"),
            (Outcome::Kept { troubles: found.to_vec() }, "ne va pas bien et reste pourtant en service"),
        ] {
            let (class, said) = outcome(&came, french);
            assert!(
                class == "bad" && said.words.starts_with(begins) && said.words.ends_with(words),
                "{said:?}"
            );
            assert_eq!(said.detail, detail());
        }
        let failed = outcome(&Outcome::Failed { reason: "no room on B".into() }, french).1;
        let line =
            "n’a pas pu être écrite ; la version précédente reste en service. Détail : « no room on B »";
        assert_eq!(failed.line(french), line);
        const SAID: &str = "signature failure";
        for problem in [
            BundleProblem::Damaged(SAID.into()),
            BundleProblem::Signature(SAID.into()),
            BundleProblem::Rauc(SAID.into()),
            BundleProblem::Disk(std::io::Error::other(SAID)),
        ] {
            let [english, french] = [Language::English, french].map(|language| refusal(&problem, language).1);
            assert!(!english.words.contains(SAID) && !french.words.contains(SAID), "{french:?}");
            assert!(english.words != french.words && !french.words.contains('{'), "{french:?}");
            assert_eq!((english.detail.as_deref(), french.detail.as_deref()), (Some(SAID), Some(SAID)));
        }
        for away in [Away::Refused(SAID.into()), Away::Folder(SAID.into())] {
            let said = away_words(&away, french);
            assert!(!said.words.contains(SAID) && said.detail.as_deref() == Some(SAID), "{said:?}");
        }
    }
}
