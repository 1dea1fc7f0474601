//! The administrator's page inside the desk: its own connection to the store, its own tasks, and what the engine
//! hears of it: the code for the first set-up, and a wish to start anew.

use std::{
    fs::File,
    future,
    io::BufReader,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use admin::{
    Admin, Config as PageConfig, ContactsProblem, LogRing, Parts, Sound, SoundFacts, SoundProblem, Wish,
};
use anyhow::{Context, Result};
use directory::csv::{ImportError, Importer};
use ipc::{Command, ImportReport, SetupView, SoundLevels};
use media::SoundError;
use store::{Settings, Store};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use crate::{
    config::{self, AdminConfig, Config},
    engine::Event,
    program_log::ProgramLog,
    records::Records,
    sign_in,
    socket::{self, Desk},
    sound_check,
    stun::Troubles,
    trace,
};

/// Wishes of the page that may wait.
const WISHES: usize = 16;

/// How long the page has the desk measure.
const MEASURED: Duration = Duration::from_secs(2);

/// How the desk hears of settings that the page saves, and the page of servers that do not help.
type Saved = (watch::Sender<Arc<Settings>>, watch::Receiver<Troubles>);

/// The page, who tells the engine of it and who hears its wishes; all end when this is dropped.
struct Page {
    _admin: Admin,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Page {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Takes the page's address, where there shall be one, and opens the page beside the desk, until this task is aborted.
/// Callers wait for no page, and telephony does not fail with it: what is wrong is said in the log.
pub(crate) async fn start(
    config: &Config,
    desk: &Desk,
    saved: Saved,
    log: ProgramLog,
) -> Option<JoinHandle<()>> {
    let settings = page_config(config, config.admin.as_ref()?, desk);
    let listener = match Admin::listen(&settings).await {
        Ok(listener) => listener,
        Err(error) => {
            warn!("there is no admin page: {error:#}");
            return None;
        }
    };
    let (wishes, wished) = mpsc::channel(WISHES);
    let (db, desk) = (config.store.clone(), desk.clone());
    Some(tokio::spawn(async move {
        let (of_page, ring) = (desk.clone(), log.ring.clone());
        let open = move || {
            let parts = parts(&db, &settings, &of_page, saved, ring, wishes)?;
            Ok(Handle::current().block_on(Admin::start(settings, parts, listener))?)
        };
        match spawn_blocking(open).await.context("it failed").flatten() {
            Ok(admin) => {
                let teller = tokio::spawn(tell(admin.setup.clone(), desk.inbox.clone()));
                let hearer = tokio::spawn(hear(wished, desk, log));
                let _open = Page { _admin: admin, tasks: [teller, hearer] };
                future::pending::<()>().await;
            }
            Err(error) => warn!("there is no admin page: {error:#}"),
        }
    }))
}

fn page_config(config: &Config, page: &AdminConfig, desk: &Desk) -> PageConfig {
    PageConfig {
        listen: page.listen,
        state: page.state.clone(),
        plugins: config.plugins.socket.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        started: desk.started,
        host_name: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().into(),
        sound: Sound {
            speaker: config.media.speaker.list(),
            microphone: config.media.microphone.list(),
            ringer: config.media.ringer.list(),
            notifier: config.media.notifier.as_ref().map_or_else(Vec::new, config::Names::list),
            music: config.media.hold_music.is_some(),
            announcement: config.media.announcement.is_some(),
        },
        provisioning: config.provisioning.clone().map(provisioning),
    }
}

fn parts(
    db: &Path,
    page: &PageConfig,
    desk: &Desk,
    saved: Saved,
    log: LogRing,
    wishes: mpsc::Sender<Wish>,
) -> Result<Parts> {
    let store = Store::open(db).context("store")?;
    // A documentation address stands for "outside": nothing is sent there.
    let outside = SocketAddr::from(([192, 0, 2, 1], 9));
    // Where nobody comes in from outside, this machine's own address is right; else it says that there is no network yet.
    let own = desk.sip_address.ip();
    let own = (!own.is_loopback() || page.listen.ip().is_loopback()).then_some(own);
    let reachable = move || config::address_towards(outside).ok().or(own);
    let (views, live, update) = (desk.views.clone(), desk.watching.live(), desk.update.clone());
    let reachable = Box::new(reachable);
    let (saved, troubles) = saved;
    Ok(Parts { store, views, log, wishes, live, reachable, settings: saved, troubles, update })
}

fn provisioning(config: config::ProvisioningConfig) -> admin::ProvisioningConfig {
    let config::ProvisioningConfig { url, dhcp, leases, allow_http, ca: authorities, certificate, key } =
        config;
    let leases = if dhcp { leases } else { Vec::new() };
    admin::ProvisioningConfig { url, leases, allow_http, authorities, certificate, key }
}

/// Does what the page wishes, one after the other.
async fn hear(mut wished: mpsc::Receiver<Wish>, desk: Desk, log: ProgramLog) {
    // What it plays ends by itself, and after the page.
    let (mut listener, _) = desk.sound.client();
    while let Some(wish) = wished.recv().await {
        match wish {
            // Who asked may have gone.
            Wish::Trace(answer) => drop(answer.send(trace::file(&desk.inbox).await)),
            Wish::Diagnostics(answer) => drop(answer.send(socket::diagnostics(&desk).await)),
            Wish::Restart(reply) => drop(desk.inbox.send(Event::Restart { reply }).await),
            Wish::Watch { who, done } => drop(done.send(desk.watching.ask(who))),
            Wish::TestSound { test, done } => {
                drop(done.send(listener.obey(&Command::TestSound { test: Some(test) }).await));
            }
            Wish::MeasureSound(answer) => drop(tokio::spawn(measure(desk.sound.clone(), answer))),
            // The whole file is decoded: nothing that the next wish waits for.
            Wish::ExamineSound { path, done } => {
                drop(spawn_blocking(move || done.send(examine(&path)).is_ok()));
            }
            // It takes as long as the file is.
            Wish::ImportContacts { directory, local, path, done } => {
                let records = desk.records.clone();
                // Who asked may have gone.
                drop(tokio::spawn(async move {
                    drop(done.send(import(&records, directory, local, path).await));
                }));
            }
            Wish::Operators => sign_in::tell_operators(&desk).await,
            Wish::Level(level) => (log.set_level)(level),
        }
    }
}

/// Reads a sound file as it would be played to callers who wait.
fn examine(path: &Path) -> Result<SoundFacts, SoundProblem> {
    match media::examine(path) {
        Ok(media::Examined { length_ms, peak_dbfs, mean_dbfs }) => {
            Ok(SoundFacts { length_ms, peak_dbfs, mean_dbfs })
        }
        Err(error) => {
            info!(%error, "a sound file was refused");
            Err(match error {
                SoundError::NotWav { .. } | SoundError::NotOpus { .. } | SoundError::Codec { .. } => {
                    SoundProblem::Broken
                }
                SoundError::Format { bits, channels, rate, .. } => {
                    SoundProblem::Format { bits, channels, rate }
                }
                SoundError::TooLong { limit_s } => SoundProblem::TooLong { limit_s },
                SoundError::Empty => SoundProblem::Silent,
                SoundError::Unreadable { .. } | SoundError::Busy => SoundProblem::Unreadable,
            })
        }
    }
}

/// Loads a file of contacts as one at the desk is loaded. Its first line is read before, by the same reader, so that the
/// page can say in its own words what is wrong with it.
async fn import(
    records: &Records,
    directory: String,
    local: bool,
    path: PathBuf,
) -> Result<ImportReport, ContactsProblem> {
    let file = path.clone();
    let looked = spawn_blocking(move || look_at_header(&file)).await;
    looked.map_err(|_| ContactsProblem::Unreadable)??;
    records.import(directory, local, path).await.map_err(ContactsProblem::Desk)
}

fn look_at_header(path: &Path) -> Result<(), ContactsProblem> {
    let file = File::open(path).map_err(|_| ContactsProblem::Unreadable)?;
    Importer::new(BufReader::new(file), false).map(drop).map_err(|error| match error {
        ImportError::Empty | ImportError::EndlessHeader | ImportError::NoHeader { .. } => {
            ContactsProblem::NoHeader
        }
        ImportError::NotCommas { found: "tabs" } => ContactsProblem::Tabs,
        ImportError::NotCommas { .. } => ContactsProblem::Semicolons,
        ImportError::ColumnTwice { column } => ContactsProblem::ColumnTwice { column: column.to_owned() },
        ImportError::Utf16 => ContactsProblem::Utf16,
        ImportError::Read(_) => ContactsProblem::Unreadable,
    })
}

/// Looks at the meter for a moment, and tells the loudest of it.
async fn measure(sound: sound_check::Sound, answer: oneshot::Sender<SoundLevels>) {
    let (mut listener, mut follower) = sound.client();
    let until = Instant::now() + MEASURED;
    let mut loudest: Option<SoundLevels> = None;
    if listener.obey(&Command::Meter { on: true }).await.is_ok() {
        while let Ok(view) = timeout_at(until, follower.next()).await {
            let Some(now) = view.levels else { continue };
            let before = loudest.unwrap_or(now);
            loudest = Some(SoundLevels {
                input_dbfs: before.input_dbfs.max(now.input_dbfs),
                output_dbfs: before.output_dbfs.max(now.output_dbfs),
            });
        }
    }
    listener.leave().await;
    if let Some(loudest) = loudest {
        // Who asked may have gone.
        let _ = answer.send(loudest);
    }
}

/// Hands each change of the code or the address to the engine, which shows it.
async fn tell(mut setup: watch::Receiver<Option<SetupView>>, inbox: mpsc::Sender<Event>) {
    setup.mark_changed();
    while setup.changed().await.is_ok() {
        let now = setup.borrow_and_update().clone();
        if inbox.send(Event::Setup(now)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn dir_3_what_is_wrong_with_the_first_line_of_a_file_has_a_kind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contacts.csv");
        let twice = ContactsProblem::ColumnTwice { column: "phone".into() };
        let cases: [(&[u8], Result<(), ContactsProblem>); 6] = [
            (b"lastname,phone\nRivera,2101\n", Ok(())),
            (b"lastname;phone\nRivera;2101\n", Err(ContactsProblem::Semicolons)),
            (b"lastname\tphone\nRivera\t2101\n", Err(ContactsProblem::Tabs)),
            (b"phone,phone\n", Err(twice)),
            (b"\xff\xfel\0a\0s\0t\0n\0a\0m\0e\0", Err(ContactsProblem::Utf16)),
            (b"\x89PNG\r\n\x1a\n\0\0", Err(ContactsProblem::NoHeader)),
        ];
        for (bytes, result) in cases {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(look_at_header(&path), result, "{bytes:?}");
        }
        assert_eq!(look_at_header(&folder.path().join("missing")), Err(ContactsProblem::Unreadable));
    }
}
