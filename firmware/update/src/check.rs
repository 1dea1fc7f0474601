//! The health check after a start: looks at the desk from outside, marks the slot, and restarts the box into the other one
//! where that is right. What is looked at, and why, stands at the crate.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ipc::{
    Decoder, FromDesk, MAX_FRAME_FROM_DESK, MAX_FRAME_TO_DESK, PROTOCOL, Query, Registration, Reply, ToDesk,
    View,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::{Instant, sleep, timeout},
};
use tracing::{info, warn};

use crate::{
    Before, Deed, Files, History, Outcome, Rauc, RaucProblem, Seen, System, Trouble, Verdict, Verdicts,
    decide, disk::boot_id, troubles,
};

/// How long a version has to become well.
pub const LIMIT: Duration = Duration::from_secs(5 * 60);
/// How long it must be well without a break, while it is on trial.
pub const HOLD: Duration = Duration::from_secs(10);

/// Between two looks.
const PACE: Duration = Duration::from_millis(500);
/// How long marking a slot is tried.
const MARKING: Duration = Duration::from_secs(60);
/// For one answer of the desk.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where things are, and how long it may take.
#[derive(Clone, Debug)]
pub struct Check {
    /// The desk's socket.
    pub socket: PathBuf,
    /// The program, by path or by its name in PATH.
    pub rauc: PathBuf,
    /// The folder of updates.
    pub folder: PathBuf,
    /// A file whose coming restarts the box.
    pub restart: PathBuf,
    /// See [`LIMIT`].
    pub limit: Duration,
    /// See [`HOLD`].
    pub hold: Duration,
}

/// What was found and done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was done.
    pub deed: Deed,
    /// The version was started for the first time.
    pub is_trial: bool,
    /// What is wrong.
    pub troubles: Vec<Trouble>,
}

/// Why nothing could be said or done.
#[derive(Debug, thiserror::Error)]
pub enum CheckProblem {
    /// RAUC's.
    #[error(transparent)]
    Rauc(#[from] RaucProblem),
    /// The disk's.
    #[error("what was found cannot be written down: {0}")]
    Disk(#[from] io::Error),
    /// No slot runs.
    #[error("rauc does not know which slot runs")]
    NoSlot,
}

/// Looks, and does what follows.
///
/// # Errors
/// See [`CheckProblem`]; the slot is as it was then.
pub async fn run(check: &Check) -> Result<Found, CheckProblem> {
    let end = Instant::now() + check.limit;
    let (rauc, files) = (Rauc::new(&check.rauc), Files::new(&check.folder));
    let system = slots(&rauc, end).await?;
    let slot = system.booted().ok_or(CheckProblem::NoSlot)?.bootname.clone();
    let (history, mut verdicts) = (files.history(), files.verdicts());
    let trial = trial(&history, &verdicts, &slot, &boot_id());
    let (attempt, before) = trial.map_or((0, None), |(attempt, before)| (attempt, Some(before)));
    info!(slot, attempt, "health check begins");
    let troubles = watch(check, before, end).await;
    let is_trial = before.is_some();
    let other = system.other().is_some_and(|other| other.good == Some(true));
    let deed = decide(is_trial, &troubles, other);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    // Why is on the disk before anything follows from it.
    let open = deed == Deed::Other;
    verdicts.insert(slot.clone(), Verdict { attempt, at_ms, troubles: troubles.clone(), open });
    files.save_verdicts(&verdicts)?;
    match deed {
        Deed::Good => {
            mark(&rauc, true).await?;
            info!(slot, "the slot is marked good");
        }
        Deed::Other => {
            warn!(
                slot,
                ?troubles,
                "the version is not well: its slot is marked bad, and the one before is started"
            );
            mark(&rauc, false).await?;
            // From here on the boot loader leaves it, however the restart comes about.
            verdicts.entry(slot).and_modify(|verdict| verdict.open = false);
            files.save_verdicts(&verdicts)?;
            check.restart.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&check.restart, "health\n")?;
        }
        Deed::Stay => warn!(slot, ?troubles, is_trial, other, "not well, and it stays up"),
    }
    Ok(Found { deed, is_trial, troubles })
}

/// RAUC's service, its bus and the ESP may be busy for a moment.
async fn mark(rauc: &Rauc, good: bool) -> Result<(), RaucProblem> {
    let end = Instant::now() + MARKING;
    loop {
        match rauc.mark(good).await {
            Err(problem) if Instant::now() < end => {
                warn!(%problem, good, "the slot could not be marked; it is tried again");
                sleep(PACE).await;
            }
            done => return done,
        }
    }
}

/// The attempt whose new version runs for the first time, and what it must do.
fn trial<'a>(
    history: &'a History,
    verdicts: &Verdicts,
    slot: &str,
    boot_id: &str,
) -> Option<(u64, &'a Before)> {
    let last = history.last()?;
    // RAUC may have come to its end where its caller was interrupted.
    let is_open = last.outcome.is_open() || last.outcome == Outcome::Interrupted;
    let is_new = last.to == slot && last.boot_id != boot_id;
    let is_judged = verdicts.get(slot).is_some_and(|verdict| verdict.attempt == last.id && !verdict.open);
    (is_open && is_new && !is_judged).then_some((last.id, &last.before))
}

/// RAUC's service may come up late.
async fn slots(rauc: &Rauc, end: Instant) -> Result<System, RaucProblem> {
    loop {
        match rauc.status().await {
            Err(problem) if Instant::now() >= end => return Err(problem),
            Err(RaucProblem::Missing) => return Err(RaucProblem::Missing),
            Err(problem) => {
                info!(%problem, "rauc does not answer yet");
                sleep(PACE).await;
            }
            Ok(system) => return Ok(system),
        }
    }
}

/// Until it is well, or its time is over: what is wrong then.
async fn watch(check: &Check, trial: Option<&Before>, end: Instant) -> Vec<Trouble> {
    let hold = if trial.is_some() { check.hold } else { Duration::ZERO };
    let mut well_since = None;
    loop {
        let found = troubles(&look(&check.socket).await, trial);
        let now = Instant::now();
        if found.is_empty() {
            if now - *well_since.get_or_insert(now) >= hold {
                return Vec::new();
            }
        } else {
            well_since = None;
            if now >= end {
                return found;
            }
        }
        sleep(PACE).await;
    }
}

async fn look(socket: &Path) -> Seen {
    let asked = timeout(PATIENCE, ask(socket)).await;
    match asked.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut))) {
        Err(error) => Seen::Nothing { reason: error.to_string() },
        Ok(view) => {
            let lines = view.lines.iter().map(|line| (line.number.clone(), hindrance(&line.registration)));
            Seen::Desk { screen: view.screen, lines: lines.collect() }
        }
    }
}

/// Why no calls come in there; `None` where they do.
fn hindrance(registration: &Registration) -> Option<String> {
    match registration {
        Registration::Registered => None,
        Registration::Failed { reason } => Some(reason.clone()),
        // Nobody signed in, or not asked yet.
        Registration::Off | Registration::Registering => Some(String::new()),
    }
}

async fn ask(socket: &Path) -> io::Result<Box<View>> {
    let mut stream = UnixStream::connect(socket).await?;
    let hello = ToDesk::Hello { protocol: PROTOCOL, program: "frontdesk-health".into(), follow: false };
    for message in [hello, ToDesk::Query { seq: 1, query: Query::View }] {
        stream.write_all(&ipc::encode(&message, MAX_FRAME_TO_DESK).map_err(io::Error::other)?).await?;
    }
    let (mut decoder, mut bytes) = (Decoder::new(MAX_FRAME_FROM_DESK), vec![0; 64 * 1024]);
    loop {
        match decoder.next_message().map_err(io::Error::other)? {
            Some(FromDesk::Reply { reply: Reply::View(view), .. }) => return Ok(view),
            Some(FromDesk::Refused { reason }) => return Err(io::Error::other(reason)),
            Some(_) => {}
            None => match stream.read(&mut bytes).await? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                read => decoder.push(&bytes[..read]),
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use ipc::LineView;
    use tokio::net::UnixListener;

    use super::*;
    use crate::Attempt;

    /// A rauc whose slot B runs, and who writes down what it is asked to mark.
    fn rauc(folder: &Path, other: &str) -> PathBuf {
        let json = format!(
            r#"{{"compatible":"box","booted":"B","boot_primary":"rootfs.1","slots":[
            {{"rootfs.0":{{"bootname":"A","state":"inactive","boot_status":"{other}"}}}},
            {{"rootfs.1":{{"bootname":"B","state":"booted","boot_status":"good"}}}}]}}"#
        );
        let path = folder.join("rauc");
        let script = format!(
            "#!/bin/sh\ncase $2 in --detailed) cat <<'END'\n{json}\nEND\n;;\n*) echo \"$2\" >>'{}' ;; esac\n",
            folder.join("marks").display()
        );
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn written(folder: &Path) {
        let mut history = History::default();
        history.begin(Attempt {
            to: "B".into(),
            from: "A".into(),
            boot_id: "before".into(),
            outcome: Outcome::Installed,
            before: Before { screen: true, lines: vec!["100".into()] },
            ..Attempt::default()
        });
        Files::new(folder).save(&history).unwrap();
    }

    fn check(folder: &Path, other: &str) -> Check {
        Check {
            socket: folder.join("desk.sock"),
            rauc: rauc(folder, other),
            folder: folder.to_owned(),
            restart: folder.join("run/restart"),
            limit: Duration::from_millis(700),
            hold: Duration::ZERO,
        }
    }

    fn marks(folder: &Path) -> String {
        fs::read_to_string(folder.join("marks")).unwrap_or_default()
    }

    /// A desk that answers everybody with this view.
    fn desk(folder: &Path, view: View) {
        let listener = UnixListener::bind(folder.join("desk.sock")).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let welcome = FromDesk::Welcome { version: "2".into() };
                let reply = FromDesk::Reply { seq: 1, reply: Reply::View(Box::new(view.clone())) };
                for message in [welcome, reply] {
                    stream.write_all(&ipc::encode(&message, MAX_FRAME_FROM_DESK).unwrap()).await.unwrap();
                }
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            }
        });
    }

    fn well(registration: Registration) -> View {
        let line = LineView {
            number: "100".into(),
            name: String::new(),
            registration,
            note: String::new(),
            colour: None,
        };
        View { screen: true, lines: vec![line], ..View::default() }
    }

    #[tokio::test]
    async fn app_3_a_version_that_is_well_is_marked_good() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        desk(folder.path(), well(Registration::Registered));
        let found = run(&check(folder.path(), "good")).await.unwrap();
        assert_eq!(found, Found { deed: Deed::Good, is_trial: true, troubles: Vec::new() });
        assert_eq!(marks(folder.path()), "mark-good\n");
        assert!(!folder.path().join("run/restart").exists());
    }

    #[tokio::test]
    async fn app_3_a_version_without_a_desk_is_marked_bad_and_the_box_restarts_once() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let check = check(folder.path(), "good");
        let found = run(&check).await.unwrap();
        assert!(
            found.deed == Deed::Other && matches!(found.troubles[..], [Trouble::Desk { .. }]),
            "{found:?}"
        );
        assert_eq!(marks(folder.path()), "mark-bad\n");
        assert!(check.restart.exists());
        assert_eq!(Files::new(folder.path()).verdicts()["B"].troubles, found.troubles);
        // Should the boot loader start it all the same, it is not restarted again.
        fs::remove_file(&check.restart).unwrap();
        assert_eq!(run(&check).await.unwrap().deed, Deed::Stay);
        assert!(!check.restart.exists());
    }

    #[tokio::test]
    async fn app_3_a_trial_that_was_cut_off_before_its_slot_was_marked_bad_is_one_still() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        let open = Verdict { attempt: 1, troubles: vec![Trouble::Screen], open: true, ..Verdict::default() };
        Files::new(folder.path()).save_verdicts(&Verdicts::from([("B".to_owned(), open)])).unwrap();
        // A start that is no trial would need nothing but a desk that answers.
        desk(folder.path(), View::default());
        let found = run(&check(folder.path(), "good")).await.unwrap();
        assert_eq!((found.deed, found.is_trial), (Deed::Other, true));
        assert_eq!(marks(folder.path()), "mark-bad\n");
        assert!(!Files::new(folder.path()).verdicts()["B"].open);
    }

    #[tokio::test]
    async fn app_3_a_line_that_was_registered_before_must_be_registered_again() {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        desk(folder.path(), well(Registration::Failed { reason: "403 Forbidden".into() }));
        let found = run(&check(folder.path(), "bad")).await.unwrap();
        let line = Trouble::Line { number: "100".into(), reason: "403 Forbidden".into() };
        assert_eq!(found.troubles, [line]);
        assert_eq!(found.deed, Deed::Stay, "the other slot is bad, too");
        assert!(marks(folder.path()).is_empty() && !folder.path().join("run/restart").exists());
    }

    #[tokio::test]
    async fn app_3_a_start_that_is_no_trial_needs_nothing_but_the_desk() {
        let folder = tempfile::tempdir().unwrap();
        desk(folder.path(), View::default());
        let found = run(&check(folder.path(), "good")).await.unwrap();
        assert_eq!((found.deed, found.is_trial), (Deed::Good, false));
        assert_eq!(marks(folder.path()), "mark-good\n");
    }
}
