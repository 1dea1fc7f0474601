//! `frontdeskd`: the desk. SIP, sound, storage and the socket the screen talks to.
//!
//! This file reads the command line, opens everything, and puts the tasks together. What they do is in
//! their own files:
//!
//! | | |
//! |---|---|
//! | calls | `engine` the one writer, `board` the switchboard and its recording, `effects` what it wants done, `bridge` its words and those of SIP and sound, `turns` how long a turn takes, `replay` a recording played again |
//! | SIP | `net` the sockets, `connections` their way to the agent, `names` the targets of a name, `moves` another address, `trust` whose certificates count, `referral` a call handed on, `trace` the messages |
//! | sound | `speech` the sound of a call, `stun` its ports outside, `tether` a telephone in place of the devices, `audio` what the screen shows of them, `sound_check` levels and the test, `aloud` what is read aloud |
//! | presence | `lamps` monitored phones, `people` SIP's presence, `xmpp` that of XMPP, `mailboxes` voice messages, `intercept` calls intercepted and taken over |
//! | disk | `records` the one thread with it, `paper` what clients ask of it, `editing` contacts by hand, `imports` files of contacts, `keeping` when calls leave the log, `finished` ended calls, `sounds` and `marks` how they sounded |
//! | clients | `socket` screens and command lines, `sign_in` who sits there, `watching` who sees the screen, `contacts` the catalogue, `connectors` the plugin host, `reminders` what is due |
//! | house | `config` where things are, `settings` who we are, `administer` settings that change, `admin_page` the page, `timetable` the opening hours, `time_zone` the clock, `dhcp` the provisioning server's address, `updating` the box's updates, `alive` the service manager, `vital` what it cannot do without, `program_log` the log |

mod admin_page;
mod administer;
mod alive;
mod aloud;
mod audio;
mod board;
mod bridge;
mod config;
mod connections;
mod connectors;
mod contacts;
mod dhcp;
mod editing;
mod effects;
mod engine;
mod finished;
mod imports;
mod intercept;
mod keeping;
mod lamps;
mod mailboxes;
mod marks;
mod moves;
mod names;
mod net;
mod paper;
mod people;
mod program_log;
mod records;
mod referral;
mod reminders;
mod replay;
mod settings;
mod sign_in;
mod socket;
mod sound_check;
mod sounds;
mod speech;
mod stun;
mod tether;
mod time_zone;
mod timetable;
mod trace;
mod trust;
mod turns;
mod updating;
mod vital;
mod watching;
mod xmpp;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use directory::Catalogue;
use ipc::{SoundView, View};
use media::Media;
use sip::{HostPort, UserAgent};
use store::{Prepared, Store};
use tokio::{
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
    sync::{Semaphore, mpsc, oneshot, watch},
};
use tracing::{info, warn};

use crate::{
    administer::Follower,
    board::Board,
    config::Config,
    connectors::{Asking, Connectors},
    contacts::Contacts,
    editing::AtDesk,
    engine::{Engine, Event, Gauges, Parts},
    names::{Abilities, Names},
    net::{Net, Sockets, Way},
    program_log::ProgramLog,
    records::Records,
    settings::Numbering,
    sign_in::SignIn,
    time_zone::TimeZone,
    watching::Watching,
};

/// Events that may wait for the engine.
const INBOX: usize = 4096;
/// SIP sessions at once. The call core says how many calls there may be and has rules for one too many (OVF-2): the user agent
/// must not refuse it first. Calls that end just now count here, too, and so does the telephone to speak over.
const MAX_SESSIONS: usize = store::MAX_CALLS as usize + 100;
/// The program's status when it wants to be started anew, which a restored backup and another time zone need: `EX_TEMPFAIL` of
/// sysexits.
const RESTART: u8 = 75;

#[derive(Parser)]
#[command(version, about = "The desk: SIP, sound, storage and the socket the screen talks to")]
struct Cli {
    /// Where things are: paths, ports, devices, log level.
    #[arg(long, global = true, default_value = "/etc/frontdesk/frontdesk.toml")]
    config: PathBuf,
    #[command(subcommand)]
    request: Option<Request>,
}

#[derive(Subcommand)]
enum Request {
    /// Exchange accounts, lines, operators and rules as one file.
    #[command(subcommand)]
    Settings(SettingsRequest),
    /// Play a recording (`log.record`) into a fresh desk and print the view that it ends with, as JSON.
    Replay {
        /// The recording.
        file: PathBuf,
        /// Print everything the desk asked for on the way, a line each, before the view.
        #[arg(long)]
        effects: bool,
    },
    /// Ask the DHCP servers of leases for the address of a provisioning server (options 66 and 43), which
    /// systemd-networkd does not keep. Needs CAP_NET_RAW to hear the answers.
    DhcpOptions {
        /// The folder with the leases of systemd-networkd.
        #[arg(long, default_value = "/run/systemd/netif/leases")]
        leases: PathBuf,
        /// The folder into which the answers are written.
        #[arg(long, default_value = "/run/frontdesk-dhcp")]
        into: PathBuf,
    },
    /// Print a recording with other names and numbers in place of the real ones, for a bug report.
    Mask {
        /// The recording.
        file: PathBuf,
    },
}

#[derive(Subcommand)]
enum SettingsRequest {
    /// Check a settings file and put it into the store; a running desk takes it over at its next start.
    Import {
        /// The file, TOML.
        file: PathBuf,
    },
    /// Print the settings of the store.
    Export {
        /// Print the passwords too.
        #[arg(long)]
        with_passwords: bool,
    },
}

/// How the program ends when nothing went wrong.
enum End {
    /// Everything is done.
    Done,
    /// It wants to be started anew.
    Restart,
}

fn main() -> ExitCode {
    let Cli { config, request } = Cli::parse();
    let with_config = |then: &dyn Fn(&Config, ProgramLog) -> Result<End>| {
        let config = Config::load(&config)?;
        let (_written_at_the_end, program_log) = program_log::start(&config.log.level);
        then(&config, program_log)
    };
    let done = |()| End::Done;
    let end = match &request {
        None => run(&config),
        Some(Request::Settings(SettingsRequest::Import { file })) => {
            with_config(&|config, _| settings::import(&config.store, file).map(done))
        }
        Some(Request::Settings(SettingsRequest::Export { with_passwords })) => {
            with_config(&|config, _| settings::export(&config.store, *with_passwords).map(done))
        }
        // A recording is replayed where it was sent to, without a desk of its own there.
        Some(Request::Replay { file, effects }) => replay::replay(file, *effects).map(done),
        Some(Request::DhcpOptions { leases, into }) => dhcp::ask_all(leases, into).map(done),
        Some(Request::Mask { file }) => replay::mask(file).map(done),
    };
    match end {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Restart) => ExitCode::from(RESTART),
        Err(error) => {
            #[allow(
                clippy::print_stderr,
                reason = "an error before or beside the log belongs on standard error"
            )]
            {
                eprintln!("frontdeskd: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Runs the desk, in its time zone before there is anything else.
fn run(config: &Path) -> Result<End> {
    let config = &Config::load(config)?;
    let zone = TimeZone::take(&config.store);
    let (_written_at_the_end, program_log) = program_log::start(&config.log.level);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let end = runtime.block_on(desk(config, zone, program_log));
    // Client tasks may still wait for somebody who does not read.
    runtime.shutdown_timeout(Duration::from_millis(200));
    end
}

async fn desk(config: &Config, zone: TimeZone, program_log: ProgramLog) -> Result<End> {
    // First of all: a second desk is turned away before it touches what the first one keeps.
    let (listener, place) = socket::bind(&config.socket)?;
    let signals = catch_signals();
    prepare_store(&config.store)?;
    if let Some(page) = &config.admin {
        admin::apply_waiting(&config.store, &page.state).context("a backup that waits")?;
    }
    let mut store = Store::open(&config.store).context("store")?;
    if let Err(error) = store.tidy_up(editing::unix_ms()) {
        // Nobody sees it. Calls go on, and the page with which room is made on a full disk is the desk's.
        warn!(%error, "what an import left, or was removed long ago, stays on the disk until the next start");
    }
    let settings = store.load_settings().context("settings")?;
    settings::ended_certificates(&settings, editing::unix_ms()).iter().for_each(|ended| warn!("{ended}"));
    let sockets = Sockets::open(&config.sip)?;
    let socket_address = sockets.local;
    let bound = [Some(sockets.local), sockets.other];
    let local = reachable_address(socket_address, &settings).unwrap_or_else(|error| {
        // The desk is there all the same, and looks for the network while it runs (moves.rs).
        warn!(%error, "there is no network yet");
        let loopback: IpAddr =
            if socket_address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        SocketAddr::new(loopback, socket_address.port())
    });
    let local_other = sockets.other.and_then(|other| reachable_address(other, &settings).ok());
    let tls = tokio::task::block_in_place(|| net::tls::client(&settings.tls))?;
    info!(%local, other = local_other.map(tracing::field::display), version = env!("CARGO_PKG_VERSION"), "desk starts");
    zone.tell();

    let (inbox, events) = mpsc::channel(INBOX);
    vital::watch_sound(inbox.clone());
    let way = Way::new(inbox.clone());
    let (views, newest_view) = watch::channel(Arc::new(View::default()));
    let (sound, newest_sound) = watch::channel(SoundView::default());
    let gauges = Arc::new(Gauges::default());
    let sign_in = SignIn::load(&store)?;
    let board = settings::board(&store, &settings, sign_in.operator_id())?;
    let (contacts, contacts_thread) = start_contacts(&store, &settings, inbox.clone())?;
    let folders = config.contacts.folders.clone();
    let (operator, plan) = (settings.operator.name.clone(), settings.numbers.plan());
    let at_desk = AtDesk {
        operator,
        signed_in: sign_in.name(),
        operator_id: sign_in.operator_id(),
        folders: folders.clone(),
        plan,
        log_days: settings.rules.log_days,
        clock: config.log.clock.clone(),
    };
    let (records, records_thread) = Records::start(store, contacts.clone(), inbox.clone(), at_desk)?;
    let started = Instant::now();
    let mut agent = user_agent(local, local_other);
    let mut numbering = Numbering::default();
    let accounts = numbering.accounts(&settings)?;
    for account in &accounts {
        let register = account.register && !sign_in.is_deserted();
        agent.add_account(started, sip::Account { register, ..account.clone() });
    }
    let (customers, asked) = Connectors::new();
    let watching = Watching::default();
    let watched = vital::spawn("watching", &inbox, watching.clone().tell(inbox.clone()));
    let (saved, saved_settings) = watch::channel(Arc::new(settings.clone()));
    let (timetable, followed) = watch::channel(settings.timetable.clone());
    let (stun_troubles, troubles) = watch::channel(stun::Troubles::new());
    let gate = sign_in.gate();
    let engine = Engine::new(Parts {
        agent,
        board: Board::new(board, started, config.log.record.as_deref())?,
        media: start_media(config, &settings, socket_address, inbox.clone())?,
        contacts: contacts.clone(),
        records: records.clone(),
        sign_in,
        customers: customers.clone(),
        net: Net::new(sockets.datagrams.clone(), way.clone(), tls),
        names: Names::new(config.sip.dns, abilities(socket_address, sockets.other)),
        inbox: inbox.clone(),
        views,
        sound,
        gauges: Arc::clone(&gauges),
        trace: trace::Trace::new(local, config.log.trace_kib << 10),
        lines: settings::lines(&settings, &accounts),
        music: settings::music(&settings),
        watched: settings::watched(&settings),
        intercept: settings.numbers.intercept.clone(),
        announcement: settings::announcement(&config.media, &settings),
        mailboxes: settings::mailboxes(&settings, &accounts),
        phone: settings::phone(&settings, &accounts),
        accounts,
        xmpp: xmpp::start(settings.xmpp.as_ref(), inbox.clone()),
        stun_troubles,
        time_zone: zone.name.clone(),
        started,
    });

    let receivers = sockets.receive(&inbox, &gauges, &way);
    let copying = connectors::follow(config.plugins.socket.clone(), records.clone());
    let connectors = vital::spawn("connectors", &inbox, copying);
    let asking = Asking {
        records: records.clone(),
        inbox: inbox.clone(),
        settings: saved_settings.clone(),
        connectors: customers.clone(),
    };
    let plugins = config.plugins.socket.clone();
    let asking =
        vital::spawn("customer databases", &inbox, async move { asking.follow(&plugins, asked).await });
    let clock = vital::spawn("timetable", &inbox, timetable::follow(followed, inbox.clone()));
    let zone = vital::spawn("time zone", &inbox, zone.follow(saved_settings.clone(), inbox.clone()));
    let reminders = vital::spawn("reminders", &inbox, reminders::follow(records.clone(), inbox.clone()));
    let follower = Follower {
        settings: saved_settings,
        media: config.media.clone(),
        numbering,
        contacts: contacts.clone(),
        records: records.clone(),
        timetable,
        inbox: inbox.clone(),
    };
    let follower = vital::spawn("settings", &inbox, follower.follow());
    let mut desk = socket::Desk {
        inbox: inbox.clone(),
        views: newest_view,
        gate,
        pins: Arc::new(Semaphore::new(1)),
        sound: sound_check::Sound::new(inbox.clone(), newest_sound),
        aloud: aloud::Aloud::start(&config.speech, inbox.clone()),
        contacts,
        records,
        customers,
        folders: folders.into(),
        gauges,
        watching,
        update: None,
        started,
        sip_address: local,
    };
    desk.update = updating::start(config.update.as_ref(), &desk);
    let page = admin_page::start(config, &desk, (saved, troubles), program_log).await;
    let server = vital::spawn("socket", &inbox, socket::serve(listener, desk));
    let mover = vital::spawn("moves", &inbox, moves::look(bound, inbox.clone()));
    let alive = tokio::spawn(alive::tell(alive::Manager::of_this_program(), inbox.clone()));
    let stopper = tokio::spawn(stop_on_signal(signals, inbox));
    let end = run_engine(engine, events).await;
    let tasks =
        [alive, asking, clock, connectors, follower, mover, reminders, server, stopper, watched, zone];
    for task in receivers.into_iter().chain(tasks).chain(page) {
        task.abort();
    }
    // The engine is gone; each thread ends when the last client task lets go of it, with everything written.
    tokio::task::spawn_blocking(move || [records_thread, contacts_thread].map(JoinHandle::join))
        .await
        .context("the last records")?
        .into_iter()
        .for_each(|ended| {
            if ended.is_err() {
                warn!("a thread failed");
            }
        });
    drop(place);
    end
}

/// Before tables change a copy is kept, and after a rollback the desk takes its own.
fn prepare_store(path: &Path) -> Result<()> {
    match store::prepare(path).context("store")? {
        Prepared::AsItIs => {}
        Prepared::Kept { schema } => info!(schema, "a copy of the database is kept before its tables change"),
        Prepared::Returned { found, known } => warn!(
            found,
            known,
            "the database was changed by a newer version: it is put aside, and the desk goes on with the copy of before the update"
        ),
    }
    Ok(())
}

/// Runs the engine on a thread of its own: whatever the clients ask of the runtime's workers, which write
/// whole views as JSON, no turn waits behind it.
async fn run_engine(engine: Engine, events: mpsc::Receiver<Event>) -> Result<End> {
    let runtime = Handle::current();
    let (ended, end) = oneshot::channel();
    let work = move || {
        let is_restart = runtime.block_on(engine.run(events));
        let _ = ended.send(if is_restart { End::Restart } else { End::Done });
    };
    thread::Builder::new().name("engine".into()).spawn(work).context("engine thread")?;
    end.await.context("the engine failed")
}

/// Signals that end the desk, caught from now on: one that comes before the first turn is heard in it.
fn catch_signals() -> Option<[Signal; 2]> {
    let caught = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let [Ok(terminate), Ok(interrupt)] = caught else {
        warn!("signals cannot be caught: the desk will end without a farewell");
        return None;
    };
    Some([terminate, interrupt])
}

async fn stop_on_signal(caught: Option<[Signal; 2]>, inbox: mpsc::Sender<Event>) {
    let Some([mut terminate, mut interrupt]) = caught else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let _ = inbox.send(Event::Stop).await;
}

fn start_contacts(
    store: &Store,
    settings: &store::Settings,
    inbox: mpsc::Sender<Event>,
) -> Result<(Contacts, JoinHandle<()>)> {
    let (directories, entries) = store.load_catalogue().context("contacts")?;
    let mut catalogue = Catalogue::new(settings.numbers.plan());
    for directory in directories {
        catalogue.set_directory(directory);
    }
    catalogue.upsert_all(entries).context("contacts")?;
    Contacts::start(catalogue, settings.rules.monitor, inbox)
}

/// What targets the desk can reach from sockets bound there.
fn abilities(bound: SocketAddr, other: Option<SocketAddr>) -> Abilities {
    let has = |family: fn(&SocketAddr) -> bool| family(&bound) || other.as_ref().is_some_and(family);
    Abilities { ipv4: has(SocketAddr::is_ipv4), ipv6: has(SocketAddr::is_ipv6), streams: true }
}

fn user_agent(local: SocketAddr, local_other: Option<SocketAddr>) -> UserAgent {
    let mut config = sip::Config::new(local);
    config.local_other = local_other;
    config.streams = true;
    config.codecs = bridge::codecs();
    config.takes_refer = true;
    config.probe = true;
    config.max_sessions = MAX_SESSIONS;
    // The same at every start, so that a registrar puts a new binding in the place of the one before a power cut.
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    config.instance = Some(machine.trim()).filter(|id| !id.is_empty()).map(sip::agent::instance);
    // Branches, tags and nonces must differ from those of the last start; the hasher's keys come from
    // the system's random source.
    let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), local);
    UserAgent::new(config, seed)
}

fn start_media(
    config: &Config,
    settings: &store::Settings,
    bound: SocketAddr,
    inbox: mpsc::Sender<Event>,
) -> Result<Media> {
    let [speaker, microphone, ringer, notifier] =
        settings::sound(&config.media, settings).map(|(_, devices)| devices);
    let config = media::Config {
        speaker: speaker.unwrap_or_default(),
        microphone: microphone.unwrap_or_default(),
        ringer: ringer.unwrap_or_default(),
        notifier,
        // On every address where SIP is: then calls survive when the machine gets another.
        rtp_ip: bound.ip(),
        rtp_ports: config.rtp_ports(),
        realtime: config.media.realtime,
        hold: settings::hold(&config.media, settings),
        voice: settings::voice(settings),
    };
    // The media thread never waits: news that finds no room is lost, and said so.
    let tell = move |event| {
        if inbox.try_send(Event::Media(event)).is_err() {
            warn!("news of the sound was lost: the engine is behind");
        }
    };
    Media::start(config, tell).context("sound")
}

/// What peers are told to send to. A socket on every address is reached at the one that leads to the first registrar,
/// as far as that can be told without asking anybody: after a power cut this box is up before the name server is. What
/// there is to correct follows while the desk runs (`moves`).
fn reachable_address(bound: SocketAddr, settings: &store::Settings) -> Result<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return Ok(bound);
    }
    let registrar = settings.accounts.first().and_then(|account| {
        let host: HostPort = account.registrar().parse().ok()?;
        host.literal().filter(|to| to.is_ipv4() == bound.is_ipv4())
    });
    // A documentation address stands for "outside": nothing is sent there.
    let outside = if bound.is_ipv4() { "192.0.2.1".parse()? } else { "2001:db8::1".parse()? };
    let towards = registrar.unwrap_or(SocketAddr::new(outside, 9));
    let ip =
        config::address_towards(towards).context("cannot tell this machine's address; set sip.listen")?;
    Ok(SocketAddr::new(ip, bound.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ovf_2_of_one_call_too_many_the_call_core_hears() {
        let mut agent = user_agent(SocketAddr::from(([192, 0, 2, 1], 5060)), None);
        let caller = SocketAddr::from(([192, 0, 2, 9], 5060));
        let started = Instant::now();
        let most = store::MAX_CALLS;
        for call in 0..=most {
            // Not faster than a stranger may call.
            let now = started + Duration::from_millis(100) * call;
            let invite = format!(
                "INVITE sip:1000@192.0.2.1 SIP/2.0\r\n\
                 Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK-{call}\r\n\
                 Max-Forwards: 70\r\n\
                 From: <sip:{call}@192.0.2.9>;tag=t{call}\r\n\
                 To: <sip:1000@192.0.2.1>\r\n\
                 Call-ID: {call}@192.0.2.9\r\n\
                 CSeq: 1 INVITE\r\n\
                 Contact: <sip:{call}@192.0.2.9:5060>\r\n\
                 Content-Length: 0\r\n\r\n"
            );
            agent.handle_datagram(now, caller, invite.as_bytes());
        }
        assert_eq!(agent.live_sessions(), most as usize + 1);
    }

    #[test]
    fn app_4_the_desk_asks_no_name_server_before_it_is_there() {
        let found = |domain: &str| {
            let account = store::Account { domain: domain.into(), ..store::Account::default() };
            let settings = store::Settings { accounts: vec![account], ..store::Settings::default() };
            reachable_address(SocketAddr::from(([0, 0, 0, 0], 5060)), &settings).ok()
        };
        let here = Some(SocketAddr::from(([127, 0, 0, 1], 5060)));
        assert_eq!(found("127.0.0.1:5070"), here);
        // Its address would be the same, had anybody been asked for it.
        assert_ne!(found("localhost"), here);
    }
}
