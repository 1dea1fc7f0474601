//! The task that owns the machine: it looks at the desk and the clock, has RAUC write, writes the history down before it
//! acts, and tells everybody how it stands.

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use chrono::Timelike;
use ipc::{UpdateNews, UpdateNotice, UpdateRefusal, View};
use tokio::{
    fs::File,
    io::AsyncWriteExt,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use tracing::{info, warn};

use crate::{
    Attempt, BundleProblem, Facts, Files, Machine, Manifest, Now, Order, Outcome, Rauc, RaucProblem, STICK,
    Stage, Step, Sticks, System, Verdicts, When, before,
    disk::{boot_id, image_version, there},
    idle::is_occupied,
    stick::{self, Known},
};

/// Largest bundle taken, in bytes.
pub const MAX_BUNDLE: u64 = 2 * 1024 * 1024 * 1024;

/// Room on the disk that an upload leaves free, in bytes: calls are logged meanwhile, and the next version copies the
/// database before it changes its tables.
const SPARE: u64 = 64 * 1024 * 1024;
/// After so many bytes of an upload it is looked whether that room is left: how much comes is not always said.
const LOOKED_AFTER: u64 = 16 * 1024 * 1024;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(2);
/// How often RAUC is asked again by itself. Seldom: it has the ESP mounted for that.
const ASKED: Duration = Duration::from_secs(60 * 60);
/// The same while it refuses.
const ASKED_AGAIN: Duration = Duration::from_secs(60);
/// After a verdict the slot is marked: so long later that is done.
const MARKED: Duration = Duration::from_secs(30);
/// Requests that may wait.
const QUEUE: usize = 16;

/// Where things are.
#[derive(Clone, Debug)]
pub struct Config {
    /// The program, by path or by its name in PATH.
    pub rauc: PathBuf,
    /// A folder of its own on the data partition.
    pub folder: PathBuf,
    /// A file whose coming restarts the box: `frontdesk-restart.path` waits for it.
    pub restart: PathBuf,
    /// Version of the program, said where no image says its own.
    pub version: String,
    /// Sticks may update the box, as long as no administrator has turned that off.
    pub sticks: bool,
}

/// Why the box cannot update itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Away {
    /// RAUC is not installed: the program was installed in another way, and is updated in that way.
    NoRauc,
    /// RAUC refuses: what it said.
    Refused(String),
    /// The folder for updates cannot be used: what the system said.
    Folder(String),
}

/// A bundle that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its size.
    pub bytes: u64,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Version that runs.
    pub version: String,
    /// Why the box cannot update itself; `None` when it can.
    pub away: Option<Away>,
    /// The slots.
    pub system: System,
    /// A bundle that was looked at and can be installed.
    pub bundle: Option<Bundle>,
    /// How far it is.
    pub stage: Stage,
    /// What was ordered.
    pub order: Option<Order>,
    /// A restart would cut somebody off now.
    pub occupied: bool,
    /// The operator's "not now" counts until then, Unix milliseconds.
    pub postponed_until_ms: Option<i64>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// The newest verdict on each slot.
    pub verdicts: Verdicts,
    /// Whether sticks update the box.
    pub sticks: Sticks,
    /// What came of the newest attempt was found by this run of the program: the box has just restarted for it.
    pub is_fresh: bool,
}

/// Why something that was asked for is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// There is no bundle.
    #[error("there is no update to install")]
    NoBundle,
    /// One is being installed.
    #[error("an update is under way")]
    UnderWay,
    /// The box cannot update itself.
    #[error("this box cannot update itself")]
    Away,
    /// It could not be written down.
    #[error("the disk refuses")]
    Disk,
}

enum Request {
    Uploaded(Bundle, oneshot::Sender<bool>),
    Brought(Bundle, oneshot::Sender<Result<(), UpdateRefusal>>),
    Order(Order, oneshot::Sender<Result<(), NotNow>>),
    Cancel(oneshot::Sender<bool>),
    Discard(oneshot::Sender<bool>),
    Postpone(oneshot::Sender<bool>),
    /// Nothing: it is answered once the task has found what was.
    Begun(oneshot::Sender<()>),
    Sticks(bool, oneshot::Sender<bool>),
}

/// The way to the task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    rauc: Rauc,
    files: Files,
    standing: watch::Receiver<Arc<Standing>>,
    requests: mpsc::Sender<Request>,
    news: mpsc::Sender<Option<UpdateNotice>>,
    places: Arc<Semaphore>,
}

/// A bundle that comes in; what is there of it goes when this is dropped.
#[derive(Debug)]
pub struct Incoming {
    /// Until the whole of it is there.
    file: Option<File>,
    bytes: u64,
    part: PathBuf,
    files: Files,
    _place: OwnedSemaphorePermit,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // A bundle that was taken has another name by now.
        let _ = fs::remove_file(&self.part);
    }
}

impl Incoming {
    /// Takes bytes as they come.
    ///
    /// # Errors
    /// [`BundleProblem::TooLarge`], [`BundleProblem::NoRoom`], or the disk's.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), BundleProblem> {
        let before = self.bytes;
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_BUNDLE {
            return Err(BundleProblem::TooLarge);
        }
        if let Some(free) = too_little(before, self.bytes, || self.files.free()) {
            return Err(BundleProblem::NoRoom { wanted: SPARE, free });
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).await.map_err(|error| self.refused(error))
    }

    fn refused(&self, error: io::Error) -> BundleProblem {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                BundleProblem::NoRoom { wanted: self.bytes, free: self.files.free().unwrap_or(0) }
            }
            _ => BundleProblem::Disk(error),
        }
    }
}

impl Handle {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Arc<Standing> {
        Arc::clone(&self.standing.borrow())
    }

    /// The same, for who wants to hear of changes.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Arc<Standing>> {
        self.standing.clone()
    }

    /// Begins an upload. `announced` says how many bytes will come, where that is known.
    ///
    /// # Errors
    /// [`BundleProblem::Busy`], [`BundleProblem::TooLarge`], [`BundleProblem::NoRoom`], or the disk's.
    pub async fn begin(&self, announced: Option<u64>) -> Result<Incoming, BundleProblem> {
        if !matches!(self.standing().stage, Stage::Resting | Stage::Waiting) {
            return Err(BundleProblem::Busy);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| BundleProblem::Busy)?;
        let announced = announced.unwrap_or(0);
        if announced > MAX_BUNDLE {
            return Err(BundleProblem::TooLarge);
        }
        let wanted = announced.saturating_add(SPARE);
        if let Some(free) = self.files.free().filter(|free| *free < wanted) {
            return Err(BundleProblem::NoRoom { wanted, free });
        }
        let part = self.files.part();
        there(fs::remove_file(&part))?;
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        Ok(Incoming {
            file: Some(File::from_std(file)),
            bytes: 0,
            part,
            files: self.files.clone(),
            _place: place,
        })
    }

    /// The file is whole: RAUC looks at it, and then it waits to be installed.
    ///
    /// # Errors
    /// See [`BundleProblem`].
    pub async fn inspect(&self, mut incoming: Incoming) -> Result<Bundle, BundleProblem> {
        let manifest = self.look(&mut incoming).await?;
        self.keep(incoming, manifest).await
    }

    /// Begins to take a bundle of so many bytes from a stick.
    ///
    /// # Errors
    /// Why not; the operator has been told.
    pub async fn begin_stick(&self, bytes: u64) -> Result<Incoming, UpdateRefusal> {
        let (answer, told) = oneshot::channel();
        if self.ask(Request::Begun(answer), told).await.is_none() {
            return Err(UpdateRefusal::Failed { reason: "the desk is shutting down".into() });
        }
        let standing = self.standing();
        let away = match &standing.away {
            None => None,
            Some(Away::NoRauc) => Some(RaucProblem::Missing.to_string()),
            Some(Away::Refused(reason) | Away::Folder(reason)) => Some(reason.clone()),
        };
        let begun = match (standing.sticks, away) {
            (Sticks::Off | Sticks::Never, _) => Err(UpdateRefusal::Off),
            (Sticks::On, Some(reason)) => Err(UpdateRefusal::Failed { reason }),
            (Sticks::On, None) => self.begin(Some(bytes)).await.map_err(|problem| stick::refusal(&problem)),
        };
        begun.map_err(|why| self.refuse("", why))
    }

    /// Takes what [`Incoming::push`] says of a part from a stick.
    ///
    /// # Errors
    /// Why it is not taken; the operator has been told.
    pub fn pushed(&self, pushed: Result<(), BundleProblem>) -> Result<(), UpdateRefusal> {
        pushed.map_err(|problem| self.refuse("", stick::refusal(&problem)))
    }

    /// The bundle from a stick is whole: it is looked at, and, if it is newer, installed when no call is up.
    ///
    /// # Errors
    /// Why it is not taken; the operator has been told.
    pub async fn take_stick(&self, mut incoming: Incoming) -> Result<Bundle, UpdateRefusal> {
        let looked = self.look(&mut incoming).await;
        let manifest = looked.map_err(|problem| self.refuse("", stick::refusal(&problem)))?;
        let version = manifest.version.clone();
        let bundle = Bundle { manifest, bytes: incoming.bytes };
        let (answer, told) = oneshot::channel();
        let taken = self.ask(Request::Brought(bundle.clone(), answer), told).await;
        let Err(why) = taken.unwrap_or_else(|| Err(stick::not_now(NotNow::Away))) else { return Ok(bundle) };
        // A stick that stayed plugged in over the restart that it was there for: the operator knows.
        let standing = self.standing();
        let is_told = standing.is_fresh
            && matches!(why, UpdateRefusal::Same | UpdateRefusal::TakenBackBefore)
            && standing.attempts.last().is_some_and(|last| last.version == version);
        Err(if is_told { why } else { self.refuse(&version, why) })
    }

    fn refuse(&self, version: &str, why: UpdateRefusal) -> UpdateRefusal {
        warn!(version, %why, "an update from a stick is not taken");
        let news = UpdateNews::Refused { why: why.clone() };
        tell(&self.news, Some(UpdateNotice { version: version.to_owned(), news }));
        why
    }

    /// The file is whole and on the disk: what it says of itself.
    async fn look(&self, incoming: &mut Incoming) -> Result<Manifest, BundleProblem> {
        if incoming.bytes == 0 {
            return Err(BundleProblem::Empty);
        }
        if let Some(mut file) = incoming.file.take() {
            let synced = async {
                file.flush().await?;
                file.sync_all().await?;
                // Closed when this is done, and not some time after: RAUC refuses a file that anybody could still write.
                drop(file.into_std().await);
                Ok(())
            };
            if let Err(error) = synced.await {
                return Err(incoming.refused(error));
            }
        }
        look_at(&self.rauc, &incoming.part).await
    }

    /// It waits to be installed.
    async fn keep(&self, incoming: Incoming, manifest: Manifest) -> Result<Bundle, BundleProblem> {
        let bundle = Bundle { manifest, bytes: incoming.bytes };
        let (answer, told) = oneshot::channel();
        if self.ask(Request::Uploaded(bundle.clone(), answer), told).await.unwrap_or(false) {
            Ok(bundle)
        } else {
            Err(BundleProblem::Busy)
        }
    }

    /// Wants the bundle installed.
    ///
    /// # Errors
    /// See [`NotNow`].
    pub async fn order(&self, order: Order) -> Result<(), NotNow> {
        let (answer, told) = oneshot::channel();
        self.ask(Request::Order(order, answer), told).await.unwrap_or(Err(NotNow::Away))
    }

    /// Does not want it any more; `false` when it is too late.
    pub async fn cancel(&self) -> bool {
        let (answer, told) = oneshot::channel();
        self.ask(Request::Cancel(answer), told).await.unwrap_or(false)
    }

    /// Forgets the bundle; `false` when it is being installed.
    pub async fn discard(&self) -> bool {
        let (answer, told) = oneshot::channel();
        self.ask(Request::Discard(answer), told).await.unwrap_or(false)
    }

    /// Puts what waits off by an hour; `false` when nothing does.
    pub async fn postpone(&self) -> bool {
        let (answer, told) = oneshot::channel();
        self.ask(Request::Postpone(answer), told).await.unwrap_or(false)
    }

    /// Lets sticks update the box, or not; `false` when that cannot be kept.
    pub async fn allow_sticks(&self, allow: bool) -> bool {
        let (answer, told) = oneshot::channel();
        self.ask(Request::Sticks(allow, answer), told).await.unwrap_or(false)
    }

    async fn ask<T>(&self, request: Request, told: oneshot::Receiver<T>) -> Option<T> {
        self.requests.send(request).await.ok()?;
        told.await.ok()
    }
}

/// What is free on the disk, where it is looked at after these bytes and is less than what is left free.
fn too_little(before: u64, now: u64, free: impl FnOnce() -> Option<u64>) -> Option<u64> {
    let is_due = before / LOOKED_AFTER != now / LOOKED_AFTER;
    if is_due { free().filter(|free| *free < SPARE) } else { None }
}

/// Signed by whom this box trusts, and made for it.
async fn look_at(rauc: &Rauc, file: &Path) -> Result<Manifest, BundleProblem> {
    let manifest = rauc.info(file).await?;
    let system = rauc.status().await.map_err(|problem| BundleProblem::Rauc(problem.to_string()))?;
    if manifest.compatible == system.compatible {
        return Ok(manifest);
    }
    Err(BundleProblem::OtherBox { made_for: manifest.compatible, this: system.compatible })
}

/// What finds no room is lost: nothing waits for the operator to be told.
fn tell(news: &mpsc::Sender<Option<UpdateNotice>>, notice: Option<UpdateNotice>) {
    if news.try_send(notice).is_err() {
        warn!("news of an update was lost");
    }
}

/// Starts the task; it ends when the last handle is gone. `restart` asks the desk to end, if no call is up; the answer says
/// whether it does. `news` takes what the operator is told, and `None` when an update that was to come does not. Must be
/// called on a tokio runtime.
#[must_use]
pub fn start(
    config: Config,
    views: watch::Receiver<Arc<View>>,
    restart: mpsc::Sender<oneshot::Sender<bool>>,
    news: mpsc::Sender<Option<UpdateNotice>>,
) -> (Handle, JoinHandle<()>) {
    let (rauc, files) = (Rauc::new(&config.rauc), Files::new(&config.folder));
    let version = image_version().unwrap_or_else(|| config.version.clone());
    let (told, standing) = watch::channel(Arc::new(Standing { version, ..Standing::default() }));
    let (requests, asked) = mpsc::channel(QUEUE);
    let handle = Handle {
        rauc: rauc.clone(),
        files: files.clone(),
        standing,
        requests,
        news: news.clone(),
        places: Arc::new(Semaphore::new(1)),
    };
    let task = Task {
        config,
        rauc,
        files,
        told,
        views,
        restart,
        news,
        is_fresh: false,
        machine: Machine::default(),
        away: None,
        system: System::default(),
        verdicts: Verdicts::default(),
        bundle: None,
        is_unsaved: false,
        ask_at: Instant::now(),
    };
    (handle, tokio::spawn(task.run(asked)))
}

/// What RAUC's program tells while it works.
enum Told {
    Progress(u8, String),
    Done(Result<(), String>),
}

struct Task {
    config: Config,
    rauc: Rauc,
    files: Files,
    told: watch::Sender<Arc<Standing>>,
    views: watch::Receiver<Arc<View>>,
    restart: mpsc::Sender<oneshot::Sender<bool>>,
    news: mpsc::Sender<Option<UpdateNotice>>,
    is_fresh: bool,
    machine: Machine,
    away: Option<Away>,
    system: System,
    verdicts: Verdicts,
    bundle: Option<Bundle>,
    /// The disk has refused the history as it is now.
    is_unsaved: bool,
    /// When RAUC is to be asked for the slots.
    ask_at: Instant,
}

impl Task {
    async fn run(mut self, mut asked: mpsc::Receiver<Request>) {
        self.begin().await;
        let (tell, mut heard) = mpsc::channel(64);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut views_end = false;
        loop {
            tokio::select! {
                request = asked.recv() => match request {
                    Some(request) => self.take(request),
                    None => return,
                },
                Some(told) = heard.recv() => self.hear(told).await,
                changed = self.views.changed(), if !views_end => views_end = changed.is_err(),
                _ = ticks.tick() => self.look().await,
            }
            self.act(&tell).await;
            self.publish();
        }
    }

    /// Finds what was.
    async fn begin(&mut self) {
        let made =
            fs::create_dir_all(self.files.folder()).and_then(|()| there(fs::remove_file(self.files.part())));
        if let Err(error) = made {
            warn!(folder = %self.files.folder().display(), %error, "the folder for updates cannot be used");
            self.away = Some(Away::Folder(error.to_string()));
        }
        self.ask_rauc().await;
        self.verdicts = self.files.verdicts();
        let (machine, changed) = Machine::resume(self.files.history(), &self.facts(), &self.verdicts);
        self.machine = machine;
        if changed {
            self.save();
            self.tell_outcome();
        } else if *self.machine.stage() == Stage::Written {
            self.tell(UpdateNews::Ready);
        }
        self.find_bundle().await;
        self.publish();
    }

    /// A bundle that was uploaded before is looked at again: whom the box trusts may have changed.
    async fn find_bundle(&mut self) {
        let path = self.files.bundle();
        let Ok(found) = fs::metadata(&path) else { return };
        if self.away.is_some() || *self.machine.stage() == Stage::Written {
            return;
        }
        match look_at(&self.rauc, &path).await {
            Ok(manifest) => self.bundle = Some(Bundle { manifest, bytes: found.len() }),
            Err(problem) => {
                warn!(%problem, "an update that waited is not taken any more");
                self.machine.cancel();
                self.save();
                self.forget();
            }
        }
    }

    async fn ask_rauc(&mut self) {
        if matches!(self.away, Some(Away::Folder(_))) {
            return;
        }
        match self.rauc.status().await {
            Ok(system) => (self.system, self.away) = (system, None),
            Err(RaucProblem::Missing) => self.away = Some(Away::NoRauc),
            Err(problem) => self.away = Some(Away::Refused(problem.to_string())),
        }
        self.ask_at = Instant::now() + if self.away.is_some() { ASKED_AGAIN } else { ASKED };
    }

    /// Looks at what changes by itself.
    async fn look(&mut self) {
        if self.is_unsaved && self.files.save(self.machine.history()).is_ok() {
            self.is_unsaved = false;
        }
        let verdicts = self.files.verdicts();
        if verdicts != self.verdicts {
            self.verdicts = verdicts;
            self.ask_at = self.ask_at.min(Instant::now() + MARKED);
        }
        let is_due = Instant::now() >= self.ask_at;
        // Nobody installs it while the desk runs.
        if is_due
            && self.away != Some(Away::NoRauc)
            && !matches!(self.machine.stage(), Stage::Installing { .. })
        {
            let was_away = self.away.is_some();
            self.ask_rauc().await;
            if was_away && self.away.is_none() && self.bundle.is_none() {
                self.find_bundle().await;
            }
        }
        if self.machine.look(&self.facts(), &self.verdicts) {
            self.save();
            self.tell_outcome();
        }
    }

    fn take(&mut self, request: Request) {
        // Who asked may have gone.
        match request {
            Request::Uploaded(bundle, answer) => {
                // Only now is it known that nobody has begun to install the one before.
                let is_free =
                    matches!(self.machine.stage(), Stage::Resting | Stage::Waiting) && self.put_in_place();
                if is_free {
                    // What was ordered was ordered for another one.
                    self.call_off();
                    self.bundle = Some(bundle);
                }
                let _ = answer.send(is_free);
            }
            Request::Brought(bundle, answer) => drop(answer.send(self.brought(bundle))),
            Request::Order(order, answer) => drop(answer.send(self.ordered(order))),
            Request::Cancel(answer) => {
                let _ = answer.send(self.call_off());
            }
            Request::Discard(answer) => {
                let is_free = matches!(self.machine.stage(), Stage::Resting | Stage::Waiting);
                if is_free {
                    self.call_off();
                    self.forget();
                }
                let _ = answer.send(is_free);
            }
            Request::Postpone(answer) => {
                let now = self.now();
                let _ = answer.send(self.machine.postpone(now));
            }
            Request::Begun(answer) => {
                let _ = answer.send(());
            }
            Request::Sticks(allow, answer) => {
                self.machine.allow_sticks(allow);
                let _ = answer.send(self.save());
            }
        }
    }

    /// A stick's bundle is taken and ordered in one step, so that nothing comes between; what is refused changes nothing.
    fn brought(&mut self, bundle: Bundle) -> Result<(), UpdateRefusal> {
        if self.sticks() != Sticks::On {
            return Err(UpdateRefusal::Off);
        }
        let waiting = self.bundle.as_ref().map(|bundle| bundle.manifest.version.as_str());
        let attempts = &self.machine.history().attempts;
        let running = self.told.borrow().version.clone();
        stick::admit(&bundle.manifest.version, Known { running: &running, waiting, attempts })?;
        if self.away.is_some() {
            return Err(stick::not_now(NotNow::Away));
        }
        if !self.machine.is_free_for_a_stick() {
            return Err(UpdateRefusal::Busy);
        }
        if !self.put_in_place() {
            return Err(stick::not_now(NotNow::Disk));
        }
        self.call_off();
        self.bundle = Some(bundle);
        self.ordered(Order { when: When::Idle, who: STICK.to_owned() }).map_err(stick::not_now)
    }

    /// The bundle that was looked at takes the place of the one before.
    fn put_in_place(&self) -> bool {
        let done = fs::rename(self.files.part(), self.files.bundle()).and_then(|()| self.files.sync());
        if let Err(error) = &done {
            warn!(%error, "a bundle could not be put in its place");
        }
        done.is_ok()
    }

    /// Whether something had been ordered, and is not any more. A disk that refuses that takes it later.
    fn call_off(&mut self) -> bool {
        let was_ordered = self.machine.cancel();
        if was_ordered {
            tell(&self.news, None);
        }
        self.save();
        was_ordered
    }

    /// Tells the operator of the newest attempt.
    fn tell(&self, news: UpdateNews) {
        let version = self.machine.history().last().map_or_else(String::new, |last| last.version.clone());
        tell(&self.news, Some(UpdateNotice { version, news }));
    }

    /// What came of the newest attempt has just been found.
    fn tell_outcome(&mut self) {
        self.is_fresh = true;
        let news = match self.machine.history().last().map(|last| &last.outcome) {
            Some(Outcome::Good) => UpdateNews::Done,
            Some(Outcome::Kept { troubles }) => UpdateNews::Kept { why: stick::trouble(troubles) },
            Some(Outcome::RolledBack { troubles }) => UpdateNews::TakenBack { why: stick::trouble(troubles) },
            _ => return,
        };
        self.tell(news);
    }

    fn ordered(&mut self, order: Order) -> Result<(), NotNow> {
        if self.away.is_some() {
            return Err(NotNow::Away);
        }
        if self.bundle.is_none() && *self.machine.stage() != Stage::Written {
            return Err(NotNow::NoBundle);
        }
        let is_stick = order.who == STICK;
        let before = self.machine.clone();
        if !self.machine.order(order) {
            return Err(NotNow::UnderWay);
        }
        if !self.save() {
            // Who hears that it is refused does not have it done all the same.
            self.machine = before;
            return Err(NotNow::Disk);
        }
        if let Some(bundle) = self.bundle.as_ref().filter(|_| is_stick) {
            let version = bundle.manifest.version.clone();
            tell(&self.news, Some(UpdateNotice { version, news: UpdateNews::Taken }));
        }
        Ok(())
    }

    async fn hear(&mut self, told: Told) {
        match told {
            Told::Progress(percent, words) => self.machine.progress(percent, &words),
            Told::Done(done) => {
                match &done {
                    Ok(()) => info!("the update is written, and waits for a restart"),
                    Err(reason) => warn!(reason, "the update could not be written"),
                }
                let is_written = done.is_ok();
                self.tell(match &done {
                    Ok(()) => UpdateNews::Ready,
                    Err(reason) => UpdateNews::Failed { reason: reason.clone() },
                });
                self.machine.installed(self.now(), done);
                self.save();
                if is_written {
                    self.forget();
                }
                self.ask_rauc().await;
            }
        }
    }

    /// Does what is due.
    async fn act(&mut self, tell: &mpsc::Sender<Told>) {
        if self.away.is_some() {
            return;
        }
        let (now, attempt) = (self.now(), self.attempt());
        let before = before(&self.views.borrow());
        let Some(step) = self.machine.step(now, attempt.as_ref(), &before) else { return };
        // Before anything is done it is on the disk that it was begun.
        if !self.save() {
            match step {
                Step::Install => {
                    let reason = NotNow::Disk.to_string();
                    // Who was told that it is taken must not wait for it.
                    self.tell(UpdateNews::Failed { reason: reason.clone() });
                    self.machine.installed(now, Err(reason));
                }
                Step::Restart => self.machine.restarts(now, false),
            }
            return;
        }
        match step {
            Step::Install => {
                let (rauc, bundle, tell) = (self.rauc.clone(), self.files.bundle(), tell.clone());
                info!(file = %bundle.display(), "an update is being written");
                self.tell(UpdateNews::Writing);
                tokio::spawn(async move {
                    let progress = |percent, words: &str| {
                        // One that finds no room is followed by others.
                        let _ = tell.try_send(Told::Progress(percent, words.to_owned()));
                    };
                    let done = rauc.install(&bundle, progress).await;
                    let _ = tell.send(Told::Done(done)).await;
                });
            }
            Step::Restart => self.restart_box().await,
        }
    }

    /// The desk says whether a call is up, and ends if none is; so no call can come in between.
    async fn restart_box(&mut self) {
        let (answer, told) = oneshot::channel();
        let asked = self.restart.send(answer).await;
        let taken = asked.is_ok() && told.await.unwrap_or(false);
        self.machine.restarts(self.now(), taken);
        if !taken {
            return;
        }
        // First of all: the desk ends already. Should what follows not come to be, the next start finds what was written.
        info!("no call is up: the box restarts into its new version");
        let made = self.config.restart.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = made.and_then(|()| fs::write(&self.config.restart, "update\n")) {
            warn!(file = %self.config.restart.display(), %error, "the box cannot be asked to restart");
        }
        self.save();
    }

    /// The attempt that would begin now.
    fn attempt(&self) -> Option<Attempt> {
        let bundle = self.bundle.as_ref()?;
        let name = |slot: Option<&crate::Slot>| slot.map_or_else(String::new, |slot| slot.bootname.clone());
        Some(Attempt {
            version: bundle.manifest.version.clone(),
            from: name(self.system.booted()),
            to: name(self.system.other()),
            boot_id: boot_id(),
            ..Attempt::default()
        })
    }

    fn facts(&self) -> Facts {
        let booted = self.system.booted().map(|slot| slot.bootname.clone());
        Facts { boot_id: boot_id(), booted, now_ms: self.now().unix_ms }
    }

    fn now(&self) -> Now {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let clock = chrono::Local::now();
        Now {
            unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            minute: u16::try_from(clock.hour() * 60 + clock.minute()).unwrap_or(0),
            occupied: is_occupied(&self.views.borrow()),
        }
    }

    fn sticks(&self) -> Sticks {
        match (self.config.sticks, self.machine.history().no_sticks) {
            (false, _) => Sticks::Never,
            (true, true) => Sticks::Off,
            (true, false) => Sticks::On,
        }
    }

    fn save(&mut self) -> bool {
        let saved = self.files.save(self.machine.history());
        if let Err(error) = &saved {
            warn!(%error, "the history of updates could not be written");
        }
        self.is_unsaved = saved.is_err();
        saved.is_ok()
    }

    fn forget(&mut self) {
        self.bundle = None;
        if let Err(error) = self.files.clear() {
            warn!(%error, "a bundle could not be removed");
        }
    }

    fn publish(&self) {
        let now = self.now();
        let until = self.machine.not_before_ms();
        let history = self.machine.history();
        let standing = Standing {
            version: self.told.borrow().version.clone(),
            away: self.away.clone(),
            system: self.system.clone(),
            bundle: self.bundle.clone(),
            stage: self.machine.stage().clone(),
            order: history.order.clone(),
            occupied: now.occupied,
            postponed_until_ms: (until > now.unix_ms).then_some(until),
            attempts: history.attempts.clone(),
            verdicts: self.verdicts.clone(),
            sticks: self.sticks(),
            is_fresh: self.is_fresh,
        };
        self.told.send_if_modified(|told| {
            let differs = **told != standing;
            if differs {
                *told = Arc::new(standing);
            }
            differs
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_3_an_upload_of_which_nobody_said_how_much_comes_leaves_the_disk_its_room() {
        let full = || Some(SPARE - 1);
        assert_eq!(too_little(LOOKED_AFTER - 1, LOOKED_AFTER, full), full());
        assert_eq!(too_little(LOOKED_AFTER, LOOKED_AFTER + 1, full), None, "not at each byte");
        assert_eq!(too_little(1, 3 * LOOKED_AFTER, || Some(SPARE)), None);
        assert_eq!(too_little(1, 3 * LOOKED_AFTER, || None), None, "the system does not tell");
    }
}
