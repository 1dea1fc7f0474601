//! The thread of one plugin that is enabled: loads it, runs its directory when it is due or wanted, says how it
//! does. It is told by messages and by a word to cancel; it tells by the plugin's face. A run that is cancelled ends
//! within some hundredths of a second, and whoever cancelled it does not wait for that.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipc::PluginProblem;

use super::Service;
use super::asking::Asking;
use super::plugin::{How, Plugin};
use super::words;
use crate::backoff::{Reaction, Standing};
use crate::connector::{Cancel, Connector};
use crate::host::{Approved, Authority};
use crate::keeper::{Keeper, KeeperError, Turn};
use crate::kept::Kept;
use crate::limits::Limits;
use crate::registry::Record;
use crate::sync::{SyncError, SyncLimits};

/// What an actor can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Run now.
    Sync,
    /// A run that was held may delete; it runs now.
    Shrink,
    /// A question has changed what the plugin keeps for itself.
    Keep,
}

/// A running actor.
pub(crate) struct Actor {
    orders: Sender<Order>,
    cancel: Cancel,
    thread: JoinHandle<()>,
}

struct Work {
    service: Arc<Service>,
    plugin: Arc<Plugin>,
    record: Record,
    cancel: Cancel,
    shift: u64,
}

impl Actor {
    /// Starts one for the plugin as it is recorded; it begins when the one before has ended.
    ///
    /// # Errors
    /// The machine has no thread for it.
    pub(crate) fn start(
        service: &Arc<Service>,
        plugin: &Arc<Plugin>,
        record: Record,
        before: Option<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel();
        let cancel = Cancel::default();
        let shift = {
            let mut face = plugin.face();
            face.shift += 1;
            face.how = How::Waiting(service.now());
            face.shift
        };
        let (service, plugin) = (Arc::clone(service), Arc::clone(plugin));
        let work = Work { service, plugin, record, cancel: cancel.clone(), shift };
        let run = move || {
            if let Some(before) = before {
                // How that one ended is in the log already.
                let _ = before.join();
            }
            if catch_unwind(AssertUnwindSafe(|| work.run(&receiver))).is_err() {
                work.broken("the plugin host made a mistake with it");
            }
        };
        let thread = thread::Builder::new().name("plugin".to_owned()).spawn(run)?;
        Ok(Self { orders, cancel, thread })
    }

    /// Hands an order over.
    pub(crate) fn order(&self, order: Order) -> Result<(), PluginProblem> {
        let gone = |_| PluginProblem::NotNow("it cannot be loaded".to_owned());
        self.orders.send(order).map_err(gone)
    }

    /// Tells it to end, whatever it does, and gives the thread that will.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.cancel.cancel();
        self.thread
    }
}

impl Service {
    /// Loads a plugin as it is recorded; its log goes to the plugin's lines.
    pub(super) fn load(&self, plugin: &Arc<Plugin>, record: &Record) -> Result<Connector, PluginProblem> {
        let file = self.registry.package(&record.id, &record.current);
        let file = file.map_err(|error| PluginProblem::Disk(error.to_string()))?;
        let authority =
            Authority { known_key: record.key.clone(), new_key_confirmed: false, developer: self.developer };
        let approved = Approved::new(file, &authority).map_err(|error| words::problem(&error))?;
        let secrets = self.registry.secrets(record);
        let secrets = secrets.map_err(|error| PluginProblem::Disk(format!("its secrets: {error}")))?;
        let values = words::values(approved.manifest(), &record.settings, &secrets);
        let granted = words::granted(&record.granted);
        let connector = Connector::load(&self.host, &approved, &values, &granted, Limits::default());
        let connector = connector.map_err(|error| words::problem(&error))?;
        connector.keep_sign_ins(Arc::clone(&plugin.sign_ins));
        let listener = Arc::clone(plugin);
        connector.listen(Box::new(move |level, words| listener.face().lines.plugin(level, words)));
        Ok(connector)
    }
}

impl Work {
    fn run(&self, orders: &Receiver<Order>) {
        if self.cancel.is_cancelled() {
            return;
        }
        let Some(mut keeper) = self.keeper() else { return };
        self.plugin.publish(&keeper.directory().contacts, keeper.book());
        let copies = keeper.connector().has_directory();
        self.can_be_asked(&keeper);
        while !self.cancel.is_cancelled() {
            if copies && keeper.is_due(self.service.now()) {
                self.turn(&mut keeper);
                continue;
            }
            match self.wait(&keeper, orders) {
                Ok(first) => {
                    let now = self.service.now();
                    // However often it is wanted, it runs once.
                    let all: Vec<Order> = std::iter::once(first).chain(orders.try_iter()).collect();
                    if all.contains(&Order::Keep) {
                        self.keep_state(&mut keeper);
                    }
                    if all.contains(&Order::Shrink) {
                        keeper.allow_to_shrink(now);
                    } else if all.contains(&Order::Sync) {
                        keeper.wanted(now);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.keep_state(&mut keeper);
    }

    /// What questions have changed in the plugin's own values, onto the disk.
    fn keep_state(&self, keeper: &mut Keeper) {
        if let Err(error) = keeper.keep_state() {
            tracing::warn!(plugin = %self.record.id, %error, "what it keeps cannot be written");
        }
    }

    fn keeper(&self) -> Option<Keeper> {
        let kept =
            Kept::new(self.service.registry.directory(&self.record.id), Some(self.service.registry.vault()));
        let load = || {
            let connector =
                self.service.load(&self.plugin, &self.record).map_err(|problem| problem.to_string())?;
            self.plugin.face().tally = connector.tally();
            let interval = Duration::from_secs(self.record.interval_s);
            let now = self.service.now();
            let keeper = Keeper::with(connector, kept.clone(), SyncLimits::default(), now, interval);
            Ok(keeper)
        };
        let loaded = load().and_then(|keeper| match keeper {
            Err(KeeperError::Damaged(_, words)) => {
                self.plugin
                    .say("error", &format!("the kept directory is damaged and is fetched again: {words}"));
                kept.forget().map_err(|error| error.to_string())?;
                load()
            }
            other => Ok(other),
        });
        match loaded.and_then(|keeper| keeper.map_err(|error| error.to_string())) {
            Ok(keeper) => Some(keeper),
            Err(reason) => {
                self.broken(&reason);
                None
            }
        }
    }

    /// Opens it for questions, which come on other threads.
    fn can_be_asked(&self, keeper: &Keeper) {
        let connector = Arc::clone(keeper.connector());
        let exports = connector.exports().into_iter().map(str::to_owned).collect();
        let copies = connector.has_directory();
        {
            let mut face = self.plugin.face();
            if face.shift != self.shift {
                return;
            }
            face.exports = exports;
            face.asking = Some(Arc::new(Asking::new(connector, self.cancel.clone(), self.service.now())));
            if !copies {
                face.how = How::Ready;
            }
        }
        self.service.changed();
    }

    fn wait(&self, keeper: &Keeper, orders: &Receiver<Order>) -> Result<Order, RecvTimeoutError> {
        if !keeper.connector().has_directory() {
            return orders.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        match keeper.standing() {
            Standing::Planned(at) | Standing::Waiting(at) | Standing::Suspended(at) => {
                orders.recv_timeout(at.saturating_sub(self.service.now()))
            }
            Standing::Blocked => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn turn(&self, keeper: &mut Keeper) {
        self.show(How::Running { people: 0, total: None });
        let mut progress = |people: usize, total: Option<u64>| {
            let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            self.show(How::Running { people: number(people as u64), total: total.map(number) });
        };
        let turn = keeper.turn_with(self.service.now(), &self.cancel, &mut progress);
        // Nobody wants to hear how a run failed that was stopped.
        if self.cancel.is_cancelled() && !matches!(turn, Ok(Turn::Synced { .. })) {
            return;
        }
        let (level, words, how) = self.outcome(keeper, turn);
        self.plugin.publish(&keeper.directory().contacts, keeper.book());
        self.plugin.say(level, &words);
        let suspended = matches!(how, How::Suspended { .. });
        self.show(how);
        if suspended {
            self.service.take_back(&self.record.id);
        }
    }

    fn outcome(&self, keeper: &Keeper, turn: Result<Turn, KeeperError>) -> (&'static str, String, How) {
        let next = match keeper.standing() {
            Standing::Planned(at) | Standing::Waiting(at) | Standing::Suspended(at) => Some(at),
            Standing::Blocked => None,
        };
        match turn {
            Ok(Turn::NotDue) => {
                ("debug", "nothing was due".to_owned(), How::Waiting(next.unwrap_or_default()))
            }
            Ok(Turn::Synced { people, left_out }) => {
                let left =
                    if left_out == 0 { String::new() } else { format!(", {left_out} could not be used") };
                let how = How::Waiting(next.unwrap_or_default());
                ("info", format!("the directory is new: {people} people{left}"), how)
            }
            Ok(Turn::Held { deleted }) => {
                let words = format!("the run would delete {deleted} people: held until somebody allows it");
                ("warn", words, How::Held(u32::try_from(deleted).unwrap_or(u32::MAX)))
            }
            Ok(Turn::Failed(error)) => self.failed(keeper, &error, next),
            Err(error) => {
                let words = error.to_string();
                let line = format!("the new directory could not be kept: {words}");
                ("error", line, How::Failing { case: "disk".to_owned(), words, next })
            }
        }
    }

    fn failed(
        &self,
        keeper: &Keeper,
        error: &SyncError,
        next: Option<Duration>,
    ) -> (&'static str, String, How) {
        let (case, words) = words::failure(error);
        if matches!(error, SyncError::Call(failure) if failure.reaction() == Reaction::Resync)
            && let Standing::Planned(at) = keeper.standing()
        {
            let line = "what has changed cannot be said any more: everything is read again";
            return ("info", line.to_owned(), How::Waiting(at));
        }
        let line = format!("the run failed: {case}: {words}");
        match keeper.standing() {
            Standing::Suspended(next) => ("error", line, How::Suspended { case, words, next }),
            _ => ("warn", line, How::Failing { case, words, next }),
        }
    }

    fn broken(&self, reason: &str) {
        tracing::error!(plugin = %self.record.id, reason, "it cannot be loaded");
        self.plugin.say("error", &format!("it cannot be loaded: {reason}"));
        self.show(How::Broken(reason.to_owned()));
    }

    fn show(&self, how: How) {
        {
            let mut face = self.plugin.face();
            if face.shift != self.shift {
                return;
            }
            face.how = how;
        }
        self.service.changed();
    }
}
