//! A plugin as the service knows it: the lane on which wishes about it are carried out one after the other, and
//! the face that everybody may look at at any time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ipc::{PluginDirectory, PluginGrants, PluginLogLine, PluginProblem, PluginState, PluginView};

use super::actor::Actor;
use super::asking::Asking;
use super::log::Lines;
use super::sign_in::Attempt;
use crate::connector::Cancel;
use crate::contact::Contact;
use crate::kept::{Book, Kept, KeptError, People};
use crate::manifest::Manifest;
use crate::oauth::sign_ins::SignIns;
use crate::package::Package;
use crate::registry::{Record, Registry};
use crate::tally::Tally;

/// A plugin that is installed.
pub(crate) struct Plugin {
    pub(crate) id: String,
    /// Who has signed in for it.
    pub(crate) sign_ins: Arc<SignIns>,
    lane: Mutex<Lane>,
    face: Mutex<Face>,
}

/// What is changed by one wish at a time.
#[derive(Default)]
pub(crate) struct Lane {
    /// `None`: it cannot be read, and can only be removed.
    pub(crate) record: Option<Record>,
    /// `None`: the package cannot be read.
    pub(crate) manifest: Option<Arc<Manifest>>,
    pub(crate) actor: Option<Actor>,
    /// The thread of the actor before, which may not have ended yet.
    pub(crate) last: Option<JoinHandle<()>>,
    /// It is being removed.
    pub(crate) leaving: bool,
}

/// What everybody sees.
#[derive(Default)]
pub(crate) struct Face {
    pub(crate) about: About,
    pub(crate) how: How,
    /// Which actor may say how it does: one that was stopped has nothing to say any more.
    pub(crate) shift: u64,
    /// Interfaces of the code that is loaded.
    pub(crate) exports: Vec<String>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) published: Option<Arc<Published>>,
    pub(crate) lines: Lines,
    /// What questions go to, while it is loaded.
    pub(crate) asking: Option<Arc<Asking>>,
    /// A test that is under way.
    pub(crate) test: Option<Cancel>,
    /// Sign-ins that are under way or came to nothing, by their credential.
    pub(crate) sign_ins: BTreeMap<String, Attempt>,
}

/// What stands in the record and the manifest.
#[derive(Clone, Default)]
pub(crate) struct About {
    name: String,
    version: String,
    description: String,
    previous: Option<String>,
    provides: Vec<String>,
    enabled: bool,
    interval_s: u64,
    granted: PluginGrants,
}

/// How it does; times count from the start of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum How {
    #[default]
    Disabled,
    Waiting(Duration),
    /// It has no directory, and can be asked.
    Ready,
    Running {
        people: u32,
        total: Option<u32>,
    },
    Failing {
        case: String,
        words: String,
        next: Option<Duration>,
    },
    Suspended {
        case: String,
        words: String,
        next: Duration,
    },
    Held(u32),
    Broken(String),
}

/// A directory that can be read page by page.
pub(crate) struct Published {
    pub(crate) directory: PluginDirectory,
    pub(crate) contacts: Vec<Arc<Contact>>,
}

impl Plugin {
    /// One that is on the disk.
    pub(crate) fn open(registry: &Registry, id: &str, record: Result<Record, String>) -> Self {
        let sign_ins = Arc::new(registry.sign_ins(id));
        let plugin = Self { id: id.to_owned(), sign_ins, lane: Mutex::default(), face: Mutex::default() };
        let mut lane = Lane::default();
        match record {
            Err(reason) => {
                tracing::error!(plugin = id, %reason, "it cannot be used");
                plugin.face().about.name = id.to_owned();
                plugin.face().how = How::Broken(reason);
            }
            Ok(record) => {
                match registry.package(id, &record.current) {
                    Ok(file) => lane.manifest = manifest_of(&file).map(Arc::new),
                    Err(error) => tracing::error!(plugin = id, %error, "its package cannot be read"),
                }
                match Kept::new(registry.directory(id), Some(registry.vault())).read() {
                    Ok((people, book)) => plugin.publish(&people, &book),
                    // Its actor, which needs it, deals with it.
                    Err(KeptError::Damaged(file, words)) => {
                        tracing::error!(plugin = id, file = %file.display(), %words, "its directory is damaged");
                    }
                    Err(error) => tracing::error!(plugin = id, %error, "its directory cannot be read"),
                }
                lane.record = Some(record);
            }
        }
        plugin.face().about = About::of(id, &lane);
        *plugin.lane_as_it_is() = lane;
        plugin
    }

    /// One that was just installed.
    pub(crate) fn new(registry: &Registry, record: Record, manifest: Manifest) -> Self {
        let id = record.id.clone();
        let sign_ins = Arc::new(registry.sign_ins(&id));
        let lane = Lane { record: Some(record), manifest: Some(Arc::new(manifest)), ..Lane::default() };
        let face = Face { about: About::of(&id, &lane), ..Face::default() };
        Self { id, sign_ins, lane: Mutex::new(lane), face: Mutex::new(face) }
    }

    /// The lane, for a wish that needs a plugin that is whole and stays.
    pub(crate) fn lane(&self) -> Result<MutexGuard<'_, Lane>, PluginProblem> {
        let lane = self.lane_as_it_is();
        if lane.leaving {
            return Err(PluginProblem::NotNow("it is being removed".to_owned()));
        }
        if lane.record.is_none() {
            return Err(PluginProblem::NotNow("it is damaged and can only be removed".to_owned()));
        }
        Ok(lane)
    }

    /// The lane, whatever there is.
    pub(crate) fn lane_as_it_is(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The face, for a few lines.
    pub(crate) fn face(&self) -> MutexGuard<'_, Face> {
        self.face.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a page shows.
    pub(crate) fn view(&self, now: Duration) -> PluginView {
        let face = self.face();
        let about = face.about.clone();
        PluginView {
            id: self.id.clone(),
            name: about.name,
            version: about.version,
            description: about.description,
            previous: about.previous,
            provides: if face.exports.is_empty() { about.provides } else { face.exports.clone() },
            enabled: about.enabled,
            state: face.how.state(now),
            directory: face.published.as_ref().map(|published| published.directory.clone()),
            interval_s: about.interval_s,
            granted: about.granted,
            counters: face.tally.counters(),
        }
    }

    /// Makes a directory the one that is read from now on.
    pub(crate) fn publish(&self, people: &People, book: &Book) {
        if book.synced_ms == 0 {
            return;
        }
        let directory = PluginDirectory {
            generation: book.generation,
            contacts: u32::try_from(people.len()).unwrap_or(u32::MAX),
            left_out: book.left_out,
            synced_ms: book.synced_ms,
        };
        if self.face().published.as_ref().is_some_and(|there| there.directory == directory) {
            return;
        }
        let contacts = people.values().map(Arc::clone).collect();
        self.face().published = Some(Arc::new(Published { directory, contacts }));
    }

    /// A line of the host for who looks after the plugin.
    pub(crate) fn say(&self, level: &str, words: &str) {
        self.face().lines.host(level, words);
    }

    /// Lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<PluginLogLine> {
        self.face().lines.all()
    }
}

impl Lane {
    /// Tells the actor to end, and gives the thread that will.
    pub(crate) fn stop(&mut self) -> Option<JoinHandle<()>> {
        if let Some(actor) = self.actor.take() {
            self.last = Some(actor.stop());
        }
        self.last.take()
    }
}

impl About {
    /// From the record and the manifest, as far as they can be read.
    pub(crate) fn of(id: &str, lane: &Lane) -> Self {
        let mut about = Self { name: id.to_owned(), ..Self::default() };
        if let Some(record) = &lane.record {
            about.version.clone_from(&record.current.version);
            about.previous = record.previous.as_ref().map(|previous| previous.version.clone());
            about.enabled = record.enabled;
            about.interval_s = record.interval_s;
            about.granted = record.granted.clone();
        }
        if let Some(manifest) = &lane.manifest {
            about.name.clone_from(&manifest.plugin.name);
            about.description.clone_from(&manifest.plugin.description);
            about.provides = manifest.plugin.provides.iter().cloned().collect();
        }
        about
    }
}

impl How {
    fn state(&self, now: Duration) -> PluginState {
        let left = |at: &Duration| at.saturating_sub(now).as_secs();
        match self {
            Self::Disabled => PluginState::Disabled,
            Self::Waiting(at) => PluginState::Waiting { next_run_s: left(at) },
            Self::Ready => PluginState::Ready,
            Self::Running { people, total } => PluginState::Running { people: *people, total: *total },
            Self::Failing { case, words, next } => PluginState::Failing {
                case: case.clone(),
                words: words.clone(),
                next_run_s: next.as_ref().map(left),
            },
            Self::Suspended { case, words, next } => {
                PluginState::Suspended { case: case.clone(), words: words.clone(), next_run_s: left(next) }
            }
            Self::Held(deleted) => PluginState::Held { deleted: *deleted },
            Self::Broken(reason) => PluginState::Broken { reason: reason.clone() },
        }
    }
}

fn manifest_of(file: &[u8]) -> Option<Manifest> {
    Manifest::parse(Package::read(file).ok()?.manifest).ok()
}
