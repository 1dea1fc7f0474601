//! Scripts as data: one step a line, and what the desk then asks for and shows.
//!
//! | step | means |
//! |---|---|
//! | `--` | what comes before is done and not told |
//! | `+500` | half a second passes, deadlines included |
//! | `in 1 5550100` | call 1 comes in from number 1 for line 5550100 |
//! | `ring/early/ok/ack/held/back CALL` | 180, 183 with sound, 2xx, ACK, hold and retrieve agreed |
//! | `refuse-hold/refuse-back/refuse-digits CALL` | 488 to a hold, to a retrieve; 415 to digits |
//! | `trying/ringing CALL` | NOTIFY of a transfer |
//! | `loop CALL` | it cannot be sent on to where it came from |
//! | `moved/refused/silent CALL [CODE]` | end of a transfer |
//! | `bye/cancel/elsewhere/lost CALL`, `final CALL CODE` | end of a call |
//! | `mail CALL NUMBER`, `join CALL CALL`, `undo/now/again CALL` | transfers and what can be done with them |
//! | `lamp NUMBER free/busy/rings/dnd/unknown/gone` | a monitored phone |
//! | `rings NUMBER CALLER`, `rings NUMBER` | who rings at a monitored phone; nobody who could be picked up |
//! | `pick NUMBER` | what rings there is picked up |
//! | `talks NUMBER OTHER:TALK…` | a phone talks with these, and by what each can be taken over; `OTHER` alone cannot be |
//! | `seize NUMBER TALK` | that is taken over |
//! | `replace CALL OLD` | an INVITE with Replaces from number CALL |
//! | `answer/reject/hold/retrieve/hangup CALL`, `dial NUMBER`, `to CALL NUMBER`, `digits CALL DIGITS` | commands |
//! | `f9`, `f10`, `offhook`, `onhook`, `dnd`, `available`, `mute` | commands |
//! | `forward CALL NUMBER`, `park CALL [SLOT]`, `unpark SLOT`, `confer CALL`, `quiet CALL` | commands |
//! | `longest`, `button`, `long-button`, `night-key` | keys |
//! | `speaks CALL`, `timetable MODE`, `nobody` | inputs |

use expect_test::Expect;
use ipc::{
    Action, Availability, CallRef, CallView, Command, HookAction, LampCall, LampState, LogRow, Party,
    Registration, RingTone, ServiceMode, TalkId, Timers, TransferKind, TransferState, View,
};
use switchboard::{Ear, Effect, EndCause, Input, Line, Settings, TransferResult};

use crate::bench::{Bench, SERVICE};

#[track_caller]
pub(crate) fn check(script: &str, expected: &Expect) {
    check_with(no_timers(), script, expected);
}

#[track_caller]
pub(crate) fn check_with(timers: Timers, script: &str, expected: &Expect) {
    check_on(ready_with(Settings { timers, ..Settings::default() }), script, expected);
}

#[track_caller]
pub(crate) fn check_on(mut bench: Bench, script: &str, expected: &Expect) {
    let mut told = String::new();
    let mut shown = String::new();
    let (before, script) = script.split_once("--\n").unwrap_or(("", script));
    for step in before.lines() {
        run(&mut bench, step);
    }
    for step in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
        told += &format!("{step}\n");
        let (refusal, effects) = run(&mut bench, step);
        // What is kept over a restart is not told: `park` looks at it.
        let told_of = effects.iter().filter(|effect| !matches!(effect, Effect::SaveParked(_)));
        for line in refusal.into_iter().chain(told_of.map(word)) {
            told += &format!("    {line}\n");
        }
        let now = picture(&bench.view);
        if now != shown {
            told += &format!("  = {now}\n");
            shown = now;
        }
    }
    expected.assert_eq(&told);
}

/// Nothing happens by itself, and nothing can be undone.
pub(crate) fn no_timers() -> Timers {
    Timers { undo_ms: 0, hold_ms: 0, queue_ms: 0, park_ms: 0, queue_delay_ms: 0 }
}

/// A desk with two registered lines, and without timers.
pub(crate) fn ready() -> Bench {
    ready_with(Settings { timers: no_timers(), ..Settings::default() })
}

/// A desk with two registered lines.
pub(crate) fn ready_with(settings: Settings) -> Bench {
    let line =
        |number: &str, name: &str| Line { number: number.into(), name: name.into(), ..Line::default() };
    let service = Line { ring: RingTone::Chime, ..line(SERVICE, "Service") };
    let lines = vec![line("5550100", "Sales"), service];
    let mut bench = Bench::new(Settings { lines, ..settings });
    for line in ["5550100", "5550200"] {
        bench.input(Input::Registration { line: line.into(), state: Registration::Registered });
    }
    bench
}

pub(crate) fn incoming(call: CallRef, line: &str) -> Input {
    let caller = Party { number: Some(call.0.to_string()), ..Party::default() };
    Input::Incoming { call, caller, called_number: line.into(), diverted_by: None, replaces: None }
}

fn run(bench: &mut Bench, step: &str) -> (Option<String>, Vec<Effect>) {
    if let Some(ms) = step.strip_prefix('+') {
        return (None, bench.pass(ms.parse().unwrap()));
    }
    let words: Vec<&str> = step.split_whitespace().collect();
    if let Some(input) = input(&words) {
        return (None, bench.input(input));
    }
    let (done, effects) = bench.command(&command(&words));
    (done.err().map(|e| format!("refused: {e}")), effects)
}

fn input(words: &[&str]) -> Option<Input> {
    let call = || CallRef(words[1].parse().unwrap());
    let code = || words[2].parse().unwrap();
    let ended = |by_remote, code, elsewhere| {
        let cause = EndCause { by_remote, code, reason: String::new(), elsewhere };
        Input::Ended { call: call(), cause }
    };
    let moved = |result| Input::TransferEnded { call: call(), result };
    Some(match words[0] {
        "in" => incoming(call(), words[2]),
        "ring" => Input::Progress { call: call(), code: 180, early_media: false },
        "early" => Input::Progress { call: call(), code: 183, early_media: true },
        "ok" => Input::Answered { call: call(), by: None },
        "ack" => Input::Confirmed { call: call() },
        "held" => Input::Held { call: call() },
        "back" => Input::Retrieved { call: call() },
        "refuse-hold" => refused_hold(call(), true),
        "refuse-back" => refused_hold(call(), false),
        "loop" => Input::RedirectFailed { call: call(), code: 482 },
        "refuse-digits" => Input::DigitsFailed { call: call(), code: 415 },
        "trying" => Input::TransferProgress { call: call(), code: 100 },
        "ringing" => Input::TransferProgress { call: call(), code: 180 },
        "moved" => moved(TransferResult::Answered),
        "refused" => moved(TransferResult::Refused { code: code() }),
        "silent" => moved(TransferResult::Silent),
        "bye" => ended(true, 200, false),
        "cancel" => ended(true, 487, false),
        "elsewhere" => ended(true, 487, true),
        "lost" => ended(false, 408, false),
        "gone" => ended(false, 0, false),
        "speaks" => Input::Speaking { call: call(), on: true },
        "timetable" => Input::Timetable { mode: mode(words[1]) },
        "nobody" => Input::SignedIn { there: false, name: None },
        "final" => ended(true, code(), false),
        "replace" => {
            let old = Some(CallRef(words[2].parse().unwrap()));
            let Input::Incoming { call, caller, called_number, diverted_by, .. } =
                incoming(call(), "5550200")
            else {
                unreachable!("incoming makes an incoming call")
            };
            Input::Incoming { call, caller, called_number, diverted_by, replaces: old }
        }
        "rings" => {
            let caller = words.get(2).map(|n| Party { number: Some((*n).into()), ..Party::default() });
            Input::Rings { number: words[1].into(), caller }
        }
        "lamp" => lamp(words[1], words[2]),
        "talks" => talks(words[1], &words[2..]),
        _ => return None,
    })
}

fn refused_hold(call: CallRef, hold: bool) -> Input {
    Input::HoldFailed { call, hold, code: 488, reason: String::new() }
}

fn lamp(number: &str, word: &str) -> Input {
    let number = number.to_owned();
    let state = match word {
        "free" => LampState::Available,
        "busy" => LampState::Busy,
        "rings" => LampState::Ringing,
        "dnd" => LampState::DoNotDisturb,
        "unknown" => LampState::Unknown,
        "gone" => return Input::LampGone { number },
        other => panic!("no such lamp: {other}"),
    };
    Input::Lamp { number, state, calls: 0, peer: None, talks: Vec::new() }
}

/// A phone that is busy with these.
fn talks(number: &str, with: &[&str]) -> Input {
    let call = |word: &&str| {
        let (other, talk) = word.split_once(':').map_or((*word, None), |(other, talk)| (other, Some(talk)));
        let party = Party { number: Some(other.into()), ..Party::default() };
        let talk = talk.map(|talk| TalkId(talk.parse().unwrap()));
        LampCall { ringing: false, direction: None, party, talk }
    };
    let calls = u16::try_from(with.len()).unwrap();
    let talks = with.iter().map(call).collect();
    Input::Lamp { number: number.into(), state: LampState::Busy, calls, peer: None, talks }
}

fn command(words: &[&str]) -> Command {
    let call = || CallRef(words[1].parse().unwrap());
    match words[0] {
        "answer" => Command::Answer { call: call() },
        "reject" => Command::Reject { call: call() },
        "hold" => Command::Hold { call: call() },
        "retrieve" => Command::Retrieve { call: call() },
        "hangup" => Command::HangUp { call: call() },
        "dial" => Command::Dial { number: words[1].into(), line: words.get(2).map(|l| (*l).into()) },
        "to" => Command::BlindTransfer { call: call(), to: words[2].into() },
        "mail" => Command::VoicemailTransfer { call: call(), to: words[2].into() },
        "join" => Command::AttendedTransfer { call: call(), to: CallRef(words[2].parse().unwrap()) },
        "undo" => Command::UndoTransfer { call: call() },
        "now" => Command::TransferNow { call: call() },
        "again" => Command::WaitAgain { call: call() },
        "digits" => Command::Digits { call: call(), digits: words[2].into() },
        "mark" => Command::MarkCall { call: call() },
        "f9" => Command::Hook { action: HookAction::Next },
        "f10" => Command::Hook { action: HookAction::HangUpActive },
        "offhook" => Command::Hook { action: HookAction::OffHook },
        "onhook" => Command::Hook { action: HookAction::OnHook },
        "dnd" => Command::SetAvailability { availability: Availability::DoNotDisturb },
        "available" => Command::SetAvailability { availability: Availability::Available },
        "mute" => Command::Mute { on: true },
        "forward" => Command::Forward { call: call(), to: words[2].into() },
        "park" => Command::Park { call: call(), slot: words.get(2).map(|s| (*s).into()) },
        "unpark" => Command::Unpark { slot: words[1].into() },
        "pick" => Command::Intercept { number: words[1].into() },
        "seize" => Command::TakeOver { number: words[1].into(), talk: TalkId(words[2].parse().unwrap()) },
        "confer" => Command::Conference { call: call() },
        "quiet" => Command::MuteMember { call: call(), on: true },
        "longest" => Command::Hook { action: HookAction::AnswerLongest },
        "button" => Command::Hook { action: HookAction::Button },
        "long-button" => Command::Hook { action: HookAction::ButtonHeld },
        "night-key" => Command::Hook { action: HookAction::Night },
        other => panic!("no such step: {other}"),
    }
}

fn mode(word: &str) -> ServiceMode {
    match word {
        "day" => ServiceMode::Day,
        "night" => ServiceMode::Night,
        _ => ServiceMode::Holiday,
    }
}

fn word(effect: &Effect) -> String {
    match effect {
        Effect::Ring180 { call } => format!("180 {}", call.0),
        Effect::Answer { call } => format!("answer {}", call.0),
        Effect::Reject { call, code } => format!("reject {} {code}", call.0),
        Effect::Hold { call } => format!("hold {}", call.0),
        Effect::Retrieve { call } => format!("retrieve {}", call.0),
        Effect::HangUp { call } => format!("hang up {}", call.0),
        Effect::Dial { call, number, line } => format!("dial {} {number} from {line}", call.0),
        Effect::Intercept { call, number, line } => format!("pick up {number} as {} from {line}", call.0),
        Effect::TakeOver { call, number, talk, line } => {
            format!("take talk {} of {number} over as {} from {line}", talk.0, call.0)
        }
        Effect::Refer { call, to, .. } => format!("refer {} to {to}", call.0),
        Effect::GiveUpTransfer { call } => format!("is {} there", call.0),
        Effect::ReferToCall { call, to, .. } => format!("refer {} to call {}", call.0, to.0),
        Effect::IdentifyTarget { number, .. } => format!("whose is {number}"),
        Effect::Digits { call, digits } => format!("digits {} {digits}", call.0),
        Effect::Mark { call } => format!("mark {}", call.0),
        Effect::Talk(Ear::Call(call)) => format!("ear {}", call.0),
        Effect::Talk(Ear::Nobody) => "ear free".into(),
        Effect::Talk(Ear::Conference) => "ear conference".into(),
        Effect::Redirect { call, to, why } => format!("redirect {} to {to} {why:?}", call.0),
        Effect::Announce { call } => format!("announce {}", call.0),
        Effect::Conference(members) => {
            let member =
                |(call, muted): &(CallRef, bool)| format!(" {}{}", call.0, if *muted { "m" } else { "" });
            format!("conference{}", members.iter().map(member).collect::<String>())
        }
        Effect::Log(row) => log_word(row),
        other => format!("{other:?}"),
    }
}

fn log_word(row: &LogRow) -> String {
    let transfers = row.transfers.iter();
    let transfers: String = transfers
        .map(|t| format!(", to {} {}{:?} in {}", number(&t.to), kind(t.kind), t.end, t.took_ms))
        .collect();
    let answered = row.answered_after_ms.map_or("never".into(), |ms| ms.to_string());
    let (talk, hold) = (row.talk_ms, row.hold_ms);
    format!(
        "log {} {:?}, answered {answered}, talk {talk}, hold {hold}{transfers}",
        number(&row.party),
        row.end
    ) + &row.rules.iter().map(|rule| format!(", by {rule}")).collect::<String>()
}

/// `1 Talking* · 2 Ringing (from 2110 Refused)`, then transfers and notices that matter.
fn picture(view: &View) -> String {
    let cards = view.incoming.iter().chain(&view.outgoing);
    let mut parts: Vec<String> = cards.map(|c| card(c, view)).collect();
    let ended = view.transfers.iter().filter_map(|t| match &t.state {
        TransferState::Ended { end, .. } => {
            Some(format!("[{} to {}: {}{end:?}]", t.call.0, number(&t.to), kind(t.kind)))
        }
        _ => None,
    });
    parts.extend(ended);
    parts.extend(view.notices.iter().map(|n| match &n.kind {
        ipc::NoticeKind::DialFailed { to, code, .. } => format!("!dial {} failed {code}", number(to)),
        ipc::NoticeKind::InterceptFailed { from, code, .. } => {
            format!("!pick up {} failed {code}", number(from))
        }
        ipc::NoticeKind::TakeOverFailed { from, code, .. } => {
            format!("!take over {} failed {code}", number(from))
        }
        ipc::NoticeKind::HoldFailed { party, code } => format!("!hold {} failed {code}", number(party)),
        ipc::NoticeKind::DigitsFailed { party, code } => format!("!digits {} failed {code}", number(party)),
        ipc::NoticeKind::TransferLost { who, to, code } => {
            format!("!{} lost on the way to {} {code}", number(who), number(to))
        }
        other => format!("!{other:?}"),
    }));
    parts.extend(view.park.iter().filter_map(|s| {
        let parked = s.parked.as_ref()?;
        let overdue = if parked.overdue { " overdue" } else { "" };
        Some(format!("({} in {}{overdue})", number(&parked.who), s.number))
    }));
    if view.counters.missed > 0 {
        parts.push(format!("missed {}", view.counters.missed));
    }
    if parts.is_empty() { "empty".into() } else { parts.join(" · ") }
}

fn card(card: &CallView, view: &View) -> String {
    let ear = if view.talk == Some(card.call) { "*" } else { "" };
    let transfer = card.transfer.as_ref();
    let transfer = transfer.map(|t| {
        if t.call != card.call {
            return format!(" taking {}", t.call.0);
        }
        let state = match &t.state {
            TransferState::Grace { until_ms } => format!("Grace until {until_ms}"),
            TransferState::Waiting { lamp, position, due_ms } => {
                let due = due_ms.map(|ms| format!(", due {ms}")).unwrap_or_default();
                format!("Waiting {position}. {lamp:?}{due}")
            }
            other => format!("{other:?}"),
        };
        format!(" to {} {}{state}", number(&t.to), kind(t.kind))
    });
    let transfer = transfer.unwrap_or_default();
    let again = if card.actions.contains(&Action::WaitAgain) {
        format!(" (again {}?)", card.waited_for.as_ref().map_or("?", number))
    } else {
        String::new()
    };
    let recall = card.recall.as_ref();
    let recall = recall.map(|r| format!(" (from {} {:?})", number(&r.from), r.why)).unwrap_or_default();
    let picked = card.intercepted.as_ref();
    let how = if card.taken_over { "taken over from" } else { "from" };
    let picked =
        picked.map(|p| format!(" ({} {how} {})", number(&card.party), number(p))).unwrap_or_default();
    format!("{} {:?}{ear}{picked}{transfer}{recall}{again}", card.call.0, card.state)
}

/// How, unless blind.
fn kind(kind: TransferKind) -> String {
    if kind == TransferKind::Blind { String::new() } else { format!("{kind:?} ") }
}

fn number(party: &Party) -> &str {
    party.number.as_deref().unwrap_or("?")
}

/// Runs a script for its outcome alone.
pub(crate) fn play(bench: &mut Bench, script: &str) {
    for step in script.lines() {
        run(bench, step);
    }
}
