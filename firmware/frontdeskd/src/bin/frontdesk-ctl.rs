//! `frontdesk-ctl`: the desk's socket from the command line, for support, scripts and tests.
//!
//! Prints JSON, one document a line. Exit status 0 when the desk did what was asked, 1 when it
//! refused (the reason is on standard error), 2 for a wrong command line.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line speaks on its standard streams"
)]

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Local, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use clap::{Parser, Subcommand, ValueEnum};
use ipc::{
    Action, Availability, CallRef, CallView, Command, ContactId, ContactQuery, Decoder, EndStatus, FromDesk,
    HookAction, Language, LogQuery, MAX_FRAME_FROM_DESK, MAX_FRAME_TO_DESK, PROTOCOL, Pin, Query,
    ReminderForm, ReminderWish, Reply, ServiceMode, SortKey, StatisticsQuery, StickPart, TalkId, Theme,
    ToDesk, View, Volumes,
};

#[derive(Parser)]
#[command(version, about = "Show the desk as JSON and send it commands")]
struct Cli {
    /// The desk's socket.
    #[arg(long, env = "FRONTDESK_SOCKET", default_value = "/run/frontdesk/desk.sock")]
    socket: PathBuf,
    #[command(subcommand)]
    request: Request,
}

#[derive(Subcommand)]
enum Request {
    /// Print the desk as it is now.
    View,
    /// Print the desk now and after each change, until interrupted.
    Follow,
    /// Judge the version that has just started, mark its slot, and restart the box into the other slot where that is
    /// right. Run as root after each start of the appliance.
    Health(HealthArgs),
    /// Update the box.
    #[command(subcommand)]
    Update(UpdateRequest),
    /// Call a number.
    Dial {
        /// The number.
        number: String,
        /// The line to show.
        #[arg(long)]
        line: Option<String>,
    },
    /// Answer a call; without a number, the first that rings.
    Answer {
        /// The call's number in the view.
        call: Option<u64>,
    },
    /// Refuse a ringing call; without a number, the first that rings.
    Reject {
        /// The call's number in the view.
        call: Option<u64>,
    },
    /// Put a call on hold; without a number, the one that is talking.
    Hold {
        /// The call's number in the view.
        call: Option<u64>,
    },
    /// Take a call off hold; without a number, the first on hold.
    Retrieve {
        /// The call's number in the view.
        call: Option<u64>,
    },
    /// End a call; without a number, the one that is talking.
    HangUp {
        /// The call's number in the view.
        call: Option<u64>,
    },
    /// Blind-transfer a call.
    Transfer {
        /// The call's number in the view.
        call: u64,
        /// The target's number.
        to: String,
    },
    /// Transfer a call to a mailbox.
    Voicemail {
        /// The call's number in the view.
        call: u64,
        /// The mailbox's number.
        to: String,
    },
    /// Transfer a call to the other party of another call.
    Attended {
        /// The number in the view of the call to transfer.
        call: u64,
        /// The number in the view of the consultation call.
        to: u64,
    },
    /// Call a transfer off before it is asked for.
    Undo {
        /// The call's number in the view.
        call: u64,
    },
    /// Transfer at once what waits for a phone to become free.
    TransferNow {
        /// The call's number in the view.
        call: u64,
    },
    /// Let a call wait again for the phone from which it was taken back.
    WaitAgain {
        /// The call's number in the view.
        call: u64,
    },
    /// Send a ringing call on without answering it.
    Forward {
        /// The call's number in the view.
        call: u64,
        /// The target's number.
        to: String,
    },
    /// Park a call.
    Park {
        /// The call's number in the view.
        call: u64,
        /// The slot; the first free one when absent.
        slot: Option<String>,
    },
    /// Fetch the call from a park slot.
    Unpark {
        /// The slot.
        slot: String,
    },
    /// Pick up the call that rings on a monitored phone.
    Intercept {
        /// The phone's number.
        number: String,
    },
    /// Take over a call that a monitored phone is in; who speaks there is cut off.
    TakeOver {
        /// The phone's number.
        number: String,
        /// Which of its calls, as the view has it in `talk`; needed where several can be taken over.
        talk: Option<u64>,
    },
    /// Take a call into the conference, or join it again.
    Conference {
        /// The call's number in the view.
        call: u64,
    },
    /// Mute one member of the conference.
    MuteMember {
        /// The call's number in the view.
        call: u64,
        /// New state.
        state: Switch,
    },
    /// Choose the service mode, or give it back to the timetable.
    Service {
        /// New mode.
        mode: Service,
    },
    /// Set the loudness, in percent.
    Volume {
        /// What the operator hears.
        #[arg(long)]
        output: Option<u8>,
        /// What the operator says.
        #[arg(long)]
        input: Option<u8>,
        /// The ringer.
        #[arg(long)]
        ring: Option<u8>,
        /// Hear nothing, or hear again.
        #[arg(long)]
        output_muted: Option<Switch>,
    },
    /// Send digits in a call.
    Digits {
        /// The call's number in the view.
        call: u64,
        /// 0-9, *, #, A-D.
        digits: String,
    },
    /// Something was wrong with a call: its last minute is kept in figures, without speech.
    Mark {
        /// The call's number in the view; of one that has just ended as well. Without it the one that is talking.
        call: Option<u64>,
        /// In place of it: the `id` of its row in the log, a little while after the call.
        #[arg(long, conflicts_with = "call")]
        row: Option<i64>,
    },
    /// Print the marked minutes of a call in the log, second by second.
    Marks {
        /// The `id` of its row in the log.
        row: i64,
    },
    /// Do what a key or the hook does.
    Hook {
        /// Which one.
        action: Hook,
    },
    /// Switch Do Not Disturb.
    Dnd {
        /// New state.
        state: Switch,
    },
    /// Mute the microphone.
    Mute {
        /// New state.
        state: Switch,
    },
    /// Register or unregister the lines.
    Register {
        /// New state.
        state: Switch,
    },
    /// Print who sits at the desk, and who may sign in.
    Operators,
    /// Sign in at the desk.
    SignIn {
        /// The operator's name.
        name: String,
        /// Their PIN; read from standard input when absent, so that no list of processes shows it.
        #[arg(long)]
        pin: Option<String>,
    },
    /// Sign out; refused while there is a call.
    SignOut,
    /// Cover the screen until a PIN is typed.
    Lock,
    /// Uncover the screen.
    Unlock {
        /// The PIN of who is signed in; read from standard input when absent.
        #[arg(long)]
        pin: Option<String>,
    },
    /// Connect or disconnect the sound device.
    Audio {
        /// New state.
        state: Switch,
    },
    /// Switch the screen's language.
    Language {
        /// New language.
        language: Tongue,
    },
    /// Switch the screen's colours.
    Theme {
        /// New colours.
        theme: Colours,
    },
    /// Load contacts from a CSV file into a directory.
    Import {
        /// The file; frontdeskd must be able to read it.
        file: PathBuf,
        /// The directory's name; it is made if it does not exist.
        #[arg(long)]
        directory: String,
        /// Make it a directory of company staff.
        #[arg(long)]
        local: bool,
    },
    /// Give up the import that runs.
    CancelImport,
    /// Write a directory as CSV.
    Export {
        /// The directory's name.
        directory: String,
        /// The file, which must not exist; one in the desk's folder for contacts when absent.
        file: Option<PathBuf>,
    },
    /// Print a contact with all that is kept of it.
    Contact {
        /// Its number in a search's answer.
        contact: u64,
    },
    /// Search the directories.
    Contacts {
        /// What to search for; everything when absent.
        text: Vec<String>,
        /// Rows at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Print the statistics of a day, or of the week with it: today without a day.
    Statistics {
        /// Such as 2026-11-26.
        day: Option<String>,
        /// Its whole week, Monday to Sunday.
        #[arg(long)]
        week: bool,
    },
    /// Print the call log, newest first.
    Log {
        /// What to search for.
        text: Vec<String>,
        /// Only missed calls.
        #[arg(long)]
        missed: bool,
        /// Rows at most.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Print all reminders, by the time at which they are due.
    Reminders,
    /// Be reminded of something.
    Remind {
        /// When: `+10m`, `+2h` (also `s` and `d`), `14:30` today, or `"2026-11-28 09:00"`, by the desk's clock.
        when: String,
        /// Of what; may be left out where there is a number.
        text: Vec<String>,
        /// Whom to call then.
        #[arg(long, default_value = "")]
        number: String,
        /// Their name.
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Print how the desk itself does: memory, turn times.
    Diagnostics,
    /// Write the newest SIP messages, without secrets, to a file for Wireshark (pcapng).
    Trace {
        /// Only those of this call, by its number in the view; of all when absent.
        call: Option<u64>,
        /// The file, which must not exist.
        #[arg(long, required_unless_present = "summary")]
        out: Option<PathBuf>,
        /// Print what was counted of each call, registration and subscription instead, the newest first.
        #[arg(long, conflicts_with = "out")]
        summary: bool,
    },
    /// Send any command, given as JSON, for example '{"Hold":{"call":3}}'.
    Send {
        /// The command.
        json: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, ValueEnum)]
enum Hook {
    /// F9: answer, else retrieve, else hold.
    Next,
    /// F10.
    HangUpActive,
    /// Handset lifted.
    Off,
    /// Handset put down.
    On,
    /// Headset button pressed shortly.
    Button,
    /// Headset button held.
    ButtonHeld,
    /// Answer the most urgent call that has waited longest.
    AnswerLongest,
    /// Night service on, or back to the timetable.
    Night,
}

#[derive(Clone, Copy, ValueEnum)]
enum Service {
    Day,
    Night,
    Holiday,
    /// By the timetable.
    Timetable,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tongue {
    English,
    French,
}

#[derive(Clone, Copy, ValueEnum)]
enum Colours {
    Dark,
    Light,
    /// High contrast.
    Contrast,
}

#[derive(Subcommand)]
enum UpdateRequest {
    /// Hand the newest `*.raucb` in the root folder of a stick to the desk, which takes it if it is signed for this box
    /// and newer than what runs, and installs it when no call is up.
    Stick {
        /// Where the stick is mounted.
        folder: PathBuf,
        /// How long to wait for a desk that does not listen yet, in seconds.
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
}

fn update_box(socket: &PathBuf, request: UpdateRequest) -> Result<()> {
    let UpdateRequest::Stick { folder, wait } = request;
    let found =
        update::stick::choose(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let Some(path) = found else { return print(&serde_json::json!({ "file": null })) };
    let end = Instant::now() + Duration::from_secs(wait);
    let mut desk = loop {
        match Connection::open(socket, false) {
            Ok(desk) => break desk,
            Err(error) if Instant::now() >= end => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(500)),
        }
    };
    // The end is answered when the signature has been looked at.
    desk.stream.set_read_timeout(Some(Duration::from_secs(5 * 60)))?;
    let bytes = update::stick::hand_over(&path, |part| desk.bring(part))?;
    print(&serde_json::json!({ "file": path, "bytes": bytes }))
}

#[derive(clap::Args)]
struct HealthArgs {
    /// RAUC, by its path or by its name in PATH.
    #[arg(long, default_value = "rauc")]
    rauc: PathBuf,
    /// The folder of updates.
    #[arg(long, default_value = "/data/updates")]
    updates: PathBuf,
    /// The file whose coming restarts the box.
    #[arg(long, default_value = "/run/frontdesk-health/restart")]
    restart: PathBuf,
    /// How long a version has to become well, in seconds.
    #[arg(long, default_value_t = update::check::LIMIT.as_secs())]
    limit: u64,
    /// How long it must be well without a break while it is on trial, in seconds.
    #[arg(long, default_value_t = update::check::HOLD.as_secs())]
    hold: u64,
}

fn health(socket: PathBuf, arguments: HealthArgs) -> Result<()> {
    let HealthArgs { rauc, updates, restart, limit, hold } = arguments;
    let seconds = Duration::from_secs;
    let check = update::check::Check {
        socket,
        rauc,
        folder: updates,
        restart,
        limit: seconds(limit),
        hold: seconds(hold),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let update::check::Found { deed, is_trial, troubles } = runtime.block_on(update::check::run(&check))?;
    let deed = match deed {
        update::Deed::Good => "good",
        update::Deed::Other => "other",
        update::Deed::Stay => "stay",
    };
    print(&serde_json::json!({ "deed": deed, "trial": is_trial, "troubles": troubles }))
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("frontdesk-ctl: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let Cli { socket, request } = cli;
    if let Request::Health(arguments) = request {
        return health(socket, arguments);
    }
    if let Request::Update(request) = request {
        return update_box(&socket, request);
    }
    let follow = matches!(request, Request::Follow);
    let mut desk = Connection::open(&socket, follow)?;
    match request {
        Request::View => print(&desk.view()?),
        Request::Operators => print(&desk.view()?.sign_in),
        Request::Follow => loop {
            if let FromDesk::View(view) = desk.next()? {
                print(&view)?;
            }
        },
        Request::Contacts { text, limit } => {
            let query = ContactQuery {
                directory: None,
                text: text.join(" "),
                sort: SortKey::default(),
                offset: 0,
                limit,
            };
            desk.print_reply(Query::Contacts(query))
        }
        Request::Contact { contact } => desk.print_reply(Query::Contact(ContactId(contact))),
        Request::Diagnostics => desk.print_reply(Query::Diagnostics),
        Request::Reminders => desk.print_reply(Query::Reminders),
        Request::Trace { call, out: Some(out), .. } => desk.trace(call.map(CallRef), &out),
        Request::Trace { call, out: None, .. } => desk.print_figures(call.map(CallRef)),
        Request::Marks { row } => desk.print_reply(Query::Marks { id: row }),
        Request::Statistics { day, week } => {
            live_as(&desk.view()?)?;
            let edges_unix_ms = admin::hours_of(day.as_deref(), week)
                .context("that is no day of the calendar, such as 2026-11-26")?;
            desk.print_reply(Query::Statistics(StatisticsQuery { edges_unix_ms, before_unix_ms: None }))
        }
        Request::Log { text, missed, limit } => {
            let query = LogQuery {
                from_unix_ms: i64::MIN,
                until_unix_ms: i64::MAX,
                text: text.join(" "),
                ends: if missed { vec![EndStatus::Missed] } else { Vec::new() },
                limit,
                ..LogQuery::default()
            };
            desk.print_reply(Query::Log(query))
        }
        request => {
            let command = command(request, &mut desk)?;
            desk.command(command)
        }
    }
}

/// The command behind a request; a call left out is chosen by what it can do now.
fn command(request: Request, desk: &mut Connection) -> Result<Command> {
    let on = |state| matches!(state, Switch::On);
    let mut choose = |call: Option<u64>, action| match call {
        Some(call) => Ok(CallRef(call)),
        None => first_with(&desk.view()?, action),
    };
    Ok(match request {
        Request::Dial { number, line } => Command::Dial { number, line },
        Request::Answer { call } => Command::Answer { call: choose(call, Action::Answer)? },
        Request::Reject { call } => Command::Reject { call: choose(call, Action::Reject)? },
        Request::Hold { call } => Command::Hold { call: choose(call, Action::Hold)? },
        Request::Retrieve { call } => Command::Retrieve { call: choose(call, Action::Retrieve)? },
        Request::HangUp { call: Some(call) } => Command::HangUp { call: CallRef(call) },
        Request::HangUp { call: None } => Command::Hook { action: HookAction::HangUpActive },
        Request::Transfer { call, to } => Command::BlindTransfer { call: CallRef(call), to },
        Request::Mark { row: Some(id), .. } => Command::MarkLoggedCall { id },
        Request::Mark { call, row: None } => Command::MarkCall { call: choose(call, Action::Mark)? },
        Request::Digits { call, digits } => Command::Digits { call: CallRef(call), digits },
        Request::Voicemail { call, to } => Command::VoicemailTransfer { call: CallRef(call), to },
        Request::Attended { call, to } => Command::AttendedTransfer { call: CallRef(call), to: CallRef(to) },
        Request::Undo { call } => Command::UndoTransfer { call: CallRef(call) },
        Request::TransferNow { call } => Command::TransferNow { call: CallRef(call) },
        Request::WaitAgain { call } => Command::WaitAgain { call: CallRef(call) },
        Request::Forward { call, to } => Command::Forward { call: CallRef(call), to },
        Request::Park { call, slot } => Command::Park { call: CallRef(call), slot },
        Request::Intercept { number } => Command::Intercept { number },
        Request::TakeOver { number, talk: Some(talk) } => Command::TakeOver { number, talk: TalkId(talk) },
        Request::TakeOver { number, talk: None } => {
            let talk = only_talk(&desk.view()?, &number)?;
            Command::TakeOver { number, talk }
        }
        Request::Unpark { slot } => Command::Unpark { slot },
        Request::Conference { call } => Command::Conference { call: CallRef(call) },
        Request::MuteMember { call, state } => Command::MuteMember { call: CallRef(call), on: on(state) },
        Request::Service { mode } => Command::SetService {
            mode: match mode {
                Service::Day => Some(ServiceMode::Day),
                Service::Night => Some(ServiceMode::Night),
                Service::Holiday => Some(ServiceMode::Holiday),
                Service::Timetable => None,
            },
        },
        Request::Volume { output, input, ring, output_muted } => {
            let now = desk.view()?.volumes;
            let volumes = Volumes {
                output: output.unwrap_or(now.output),
                input: input.unwrap_or(now.input),
                ring: ring.unwrap_or(now.ring),
                output_muted: output_muted.map_or(now.output_muted, on),
            };
            Command::SetVolumes { volumes }
        }
        Request::Hook { action } => Command::Hook {
            action: match action {
                Hook::Next => HookAction::Next,
                Hook::HangUpActive => HookAction::HangUpActive,
                Hook::Off => HookAction::OffHook,
                Hook::On => HookAction::OnHook,
                Hook::Button => HookAction::Button,
                Hook::ButtonHeld => HookAction::ButtonHeld,
                Hook::AnswerLongest => HookAction::AnswerLongest,
                Hook::Night => HookAction::Night,
            },
        },
        Request::Dnd { state } => Command::SetAvailability {
            availability: if on(state) { Availability::DoNotDisturb } else { Availability::Available },
        },
        Request::Mute { state } => Command::Mute { on: on(state) },
        Request::Register { state } => Command::Register { on: on(state) },
        Request::SignIn { name, pin } => {
            let known = desk.view()?.sign_in.operators;
            let found = known.iter().find(|known| known.name.to_lowercase() == name.to_lowercase());
            let operator = found.with_context(|| format!("there is no operator {name:?}"))?.id;
            Command::SignIn { operator, pin: typed(pin)? }
        }
        Request::SignOut => Command::SignOut,
        Request::Lock => Command::Lock,
        Request::Unlock { pin } => Command::Unlock { pin: typed(pin)? },
        Request::Audio { state } => Command::Audio { on: on(state) },
        Request::Language { language: Tongue::English } => {
            Command::SetLanguage { language: Language::English }
        }
        Request::Language { language: Tongue::French } => Command::SetLanguage { language: Language::French },
        Request::Theme { theme: Colours::Dark } => Command::SetTheme { theme: Theme::Dark },
        Request::Theme { theme: Colours::Light } => Command::SetTheme { theme: Theme::Light },
        Request::Theme { theme: Colours::Contrast } => Command::SetTheme { theme: Theme::Contrast },
        Request::Import { file, directory, local } => {
            let path = file.canonicalize().with_context(|| format!("cannot find {}", file.display()))?;
            Command::ImportContacts { directory, local, path }
        }
        Request::CancelImport => Command::CancelImport,
        Request::Export { directory, file } => {
            let known = desk.view()?.directories;
            let found = known.iter().find(|known| known.name.eq_ignore_ascii_case(&directory));
            let found = found.with_context(|| format!("there is no directory {directory:?}"))?;
            let path = file.map(std::path::absolute).transpose()?;
            Command::ExportContacts { directory: found.id, path }
        }
        Request::Remind { when, text, number, name } => {
            live_as(&desk.view()?)?;
            let due = moment(&when, Local::now())?;
            let text = text.join(" ");
            let what = ReminderForm { text, due_unix_ms: due.timestamp_millis(), number, name };
            Command::Reminder(ReminderWish::Add(what))
        }
        Request::Send { json } => serde_json::from_str(&json).context("this is not a command")?,
        Request::View
        | Request::Operators
        | Request::Follow
        | Request::Health(_)
        | Request::Update(_)
        | Request::Contacts { .. }
        | Request::Contact { .. }
        | Request::Log { .. }
        | Request::Marks { .. }
        | Request::Statistics { .. }
        | Request::Trace { .. }
        | Request::Reminders
        | Request::Diagnostics => {
            bail!("this request is a query")
        }
    })
}

/// Goes on by the clock of the desk: by executing itself again, where it has another time zone. A machine that does not know
/// that zone goes by its own clock.
fn live_as(view: &View) -> Result<()> {
    match ipc::in_time_zone(&view.time_zone) {
        Ok(Some(mut again)) => Err(again.exec()).context("cannot go by the clock of the desk"),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// A moment as it is typed; see `Remind`.
fn moment(text: &str, now: DateTime<Local>) -> Result<DateTime<Local>> {
    let local = |at: NaiveDateTime| {
        Local.from_local_datetime(&at).earliest().with_context(|| format!("there is no {text:?} on that day"))
    };
    if let Some(span) = text.strip_prefix('+') {
        let unit = span.chars().last().unwrap_or_default();
        let count = span.strip_suffix(unit).and_then(|count| count.parse::<u32>().ok());
        let count = i64::from(count.with_context(|| format!("{text:?} is no time: say +10m or +2h"))?);
        let seconds = match unit {
            's' => count,
            'm' => count * 60,
            'h' => count * 3_600,
            'd' => count * 86_400,
            _ => bail!("{text:?} is no time: say +10m or +2h"),
        };
        return Ok(now + TimeDelta::seconds(seconds));
    }
    if let Ok(time) = NaiveTime::parse_from_str(text, "%H:%M") {
        return local(now.date_naive().and_time(time));
    }
    let day = text.replace('T', " ");
    let day = NaiveDateTime::parse_from_str(&day, "%Y-%m-%d %H:%M");
    local(day.with_context(|| format!("{text:?} is no time: say 14:30 or \"2026-11-28 09:00\""))?)
}

/// A PIN: as given, else a line of standard input.
fn typed(pin: Option<String>) -> Result<Pin> {
    let line = match pin {
        Some(pin) => pin,
        None => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).context("no PIN came on standard input")?;
            line
        }
    };
    Ok(Pin::new(line.trim()))
}

fn first_with(view: &View, action: Action) -> Result<CallRef> {
    let mut calls = view.incoming.iter().chain(&view.outgoing);
    let call: Option<&CallView> = calls.find(|call| call.actions.contains(&action));
    call.map(|call| call.call).with_context(|| format!("no call can do {action:?} now"))
}

/// Somebody is cut off: which call is not guessed.
fn only_talk(view: &View, number: &str) -> Result<TalkId> {
    let lamp = view.lamps.iter().find(|lamp| lamp.number == number);
    let lamp = lamp.with_context(|| format!("no phone {number:?} is watched"))?;
    let talks: Vec<TalkId> = lamp.talks.iter().filter_map(|call| call.talk).collect();
    match talks[..] {
        [talk] => Ok(talk),
        [] => bail!("no call at {number} can be taken over"),
        _ => bail!("several calls at {number} can be taken over: name one by its `talk` in the view"),
    }
}

fn print(value: &impl serde::Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush().map_err(Into::into)
}

struct Connection {
    stream: UnixStream,
    decoder: Decoder,
    seq: u64,
}

impl Connection {
    fn open(path: &PathBuf, follow: bool) -> Result<Self> {
        let stream = UnixStream::connect(path).with_context(|| {
            format!("cannot reach the desk at {}; is frontdeskd running?", path.display())
        })?;
        if !follow {
            stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        }
        let mut connection = Self { stream, decoder: Decoder::new(MAX_FRAME_FROM_DESK), seq: 0 };
        connection.send(&ToDesk::Hello { protocol: PROTOCOL, program: "frontdesk-ctl".into(), follow })?;
        match connection.next()? {
            FromDesk::Welcome { .. } => Ok(connection),
            FromDesk::Refused { reason } => bail!("the desk refused: {reason}"),
            other => bail!("the desk began with {other:?}"),
        }
    }

    fn send(&mut self, message: &ToDesk) -> Result<()> {
        let frame = ipc::encode(message, MAX_FRAME_TO_DESK)?;
        self.stream.write_all(&frame).context("the desk closed the connection")
    }

    fn next(&mut self) -> Result<FromDesk> {
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            let mut bytes = [0; 64 * 1024];
            match self.stream.read(&mut bytes).context("no answer from the desk")? {
                0 => bail!("the desk closed the connection"),
                n => self.decoder.push(&bytes[..n]),
            }
        }
    }

    fn ask(&mut self, query: Query) -> Result<Reply> {
        self.seq += 1;
        let seq = self.seq;
        self.send(&ToDesk::Query { seq, query })?;
        loop {
            match self.next()? {
                FromDesk::Reply { seq: of, reply: Reply::Failed { reason } } if of == seq => bail!(reason),
                FromDesk::Reply { seq: of, reply } if of == seq => return Ok(reply),
                FromDesk::Refused { reason } => bail!(reason),
                _ => {}
            }
        }
    }

    fn view(&mut self) -> Result<View> {
        match self.ask(Query::View)? {
            Reply::View(view) => Ok(*view),
            other => bail!("the desk answered {other:?}"),
        }
    }

    fn print_reply(&mut self, query: Query) -> Result<()> {
        match self.ask(query)? {
            Reply::Contacts(page) => print(&page),
            Reply::Log(page) => print(&page),
            Reply::Marks(marks) => print(&marks),
            Reply::Statistics(figures) => print(&figures.told),
            Reply::Diagnostics(figures) => print(&figures),
            other => print(&other),
        }
    }

    /// Writes the trace to a file; one that stands there already stays.
    fn trace(&mut self, call: Option<CallRef>, out: &Path) -> Result<()> {
        let mut file = File::create_new(out).with_context(|| format!("cannot make {}", out.display()))?;
        let (mut after, mut bytes) = (0, 0);
        loop {
            let page = match self.ask(Query::Trace { call, after })? {
                Reply::Trace(page) => page,
                other => bail!("the desk answered {other:?}"),
            };
            let piece = STANDARD.decode(page.pcapng).context("the desk sent what is no trace")?;
            file.write_all(&piece).with_context(|| format!("cannot write {}", out.display()))?;
            bytes += piece.len();
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        print(&serde_json::json!({ "file": out, "bytes": bytes }))
    }

    fn print_figures(&mut self, call: Option<CallRef>) -> Result<()> {
        let told = match self.ask(Query::CallFigures)? {
            Reply::CallFigures(told) => told,
            other => bail!("the desk answered {other:?}"),
        };
        told.iter().filter(|figures| call.is_none() || figures.call == call).try_for_each(print)
    }

    fn command(&mut self, command: Command) -> Result<()> {
        self.seq += 1;
        let seq = self.seq;
        if matches!(command, Command::ImportContacts { .. } | Command::ExportContacts { .. }) {
            // As long as the file is.
            self.stream.set_read_timeout(None)?;
        }
        self.send(&ToDesk::Command { seq, command })?;
        self.done(seq)
    }

    /// Brings the next part of an update.
    fn bring(&mut self, part: StickPart) -> Result<()> {
        self.seq += 1;
        let seq = self.seq;
        self.send(&ToDesk::Stick { seq, part })?;
        self.done(seq)
    }

    /// Waits until it is done, and prints what is told meanwhile.
    fn done(&mut self, seq: u64) -> Result<()> {
        loop {
            match self.next()? {
                FromDesk::Reply { seq: of, reply: Reply::Import(report) } if of == seq => print(&report)?,
                FromDesk::Reply { seq: of, reply } if of == seq => print(&reply)?,
                FromDesk::Done { seq: of, result } if of == seq => return result.map_err(Into::into),
                FromDesk::Refused { reason } => bail!(reason),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn rem_1_a_time_is_typed_as_a_span_a_time_of_day_or_a_date() {
        let now = Local.with_ymd_and_hms(2026, 11, 27, 9, 30, 15).unwrap();
        let said = |text: &str| moment(text, now).unwrap().format("%Y-%m-%d %H:%M:%S").to_string();
        assert_eq!(said("+10m"), "2026-11-27 09:40:15");
        assert_eq!(said("+3s"), "2026-11-27 09:30:18");
        assert_eq!(said("+2h"), "2026-11-27 11:30:15");
        assert_eq!(said("14:05"), "2026-11-27 14:05:00");
        assert_eq!(said("2026-12-01 08:00"), "2026-12-01 08:00:00");
        assert_eq!(said("2026-12-01T08:00"), "2026-12-01 08:00:00");
        for wrong in ["", "+", "+m", "+10", "+10x", "+é", "+-1m", "25:00", "soon", "2026-02-30 08:00"] {
            assert!(moment(wrong, now).is_err(), "{wrong}");
        }
    }
}
