//! One plugin, loaded: what it exports is compared with what it says of itself, and each call gets a fresh
//! memory with limits, a deadline and a word to cancel it. A call that is stopped costs that call. When to
//! call again is `backoff`, a whole directory is `sync`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::abilities::Abilities;
use crate::compile;
use crate::contact::{Contact, clean};
use crate::failure::{Failure, said, shortened, stopped};
use crate::gate::Gate;
use crate::guest::bindings::Connector as World;
use crate::guest::{Call, LogBook, Shared, directory_sync, types};
pub use crate::guest::{Cancel, Ear, State};
use crate::host::{Approved, Gates, Host, LoadError};
use crate::http::Outbound;
use crate::ldap::Directories;
use crate::limits::{Limit, Limits};
use crate::manifest::Granted;
use crate::oauth::sign_ins::SignIns;
use crate::strike::Strike;
use crate::tally::Tally;
use crate::wasi;

/// The longest cursor or change token, in bytes.
const LONGEST_TOKEN: usize = 4096;

/// What a call has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Time on the clock.
    pub wall: Duration,
    /// Time on the processor.
    pub cpu: Duration,
    /// The most memory, in bytes.
    pub memory: usize,
}

/// A change of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New or changed.
    Upsert(Box<Contact>),
    /// Gone.
    Delete(String),
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A full run.
    Full,
    /// What changed since this token.
    Delta(String),
    /// The page at this cursor.
    Resume(String),
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The page at this cursor.
    More(String),
    /// Nothing; the next run starts at this token, or is a full one.
    Done(Option<String>),
}

/// A page of a directory, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Changes that can be used.
    pub changes: Vec<Change>,
    /// How many contacts could not be used.
    pub left_out: usize,
    /// What follows.
    pub next: Next,
    /// The plugin's guess of the whole.
    pub total: Option<u64>,
}

/// A plugin that can be called, from any thread.
pub struct Connector {
    engine: Engine,
    instance: InstancePre<Call>,
    pub(crate) abilities: Abilities,
    imports: Vec<String>,
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// The state is another since it was last asked for.
    unkept: AtomicBool,
    cost: Mutex<Cost>,
    gates: Arc<Gates>,
}

impl Connector {
    /// Compiles (or finds compiled), checks and links a plugin. Nothing of it runs yet.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(
        host: &Host,
        approved: &Approved,
        settings: &Map<String, Value>,
        granted: &Granted,
        limits: Limits,
    ) -> Result<Self, LoadError> {
        let manifest = &approved.manifest;
        let filled = manifest.fill(settings)?;
        let grants = manifest.grants(granted, &filled)?;
        let setup = &host.setup;
        let (instance, imports) = linked(host, approved)?;
        let abilities = Abilities::of(&instance, manifest)?;
        let exposed = manifest.settings.iter().filter(|setting| setting.expose).map(|setting| &setting.key);
        let secrets =
            exposed.filter_map(|key| Some((key.clone(), filled.secrets.get(key)?.clone()))).collect();
        let way = (Arc::clone(&host.resolver), Arc::clone(&host.tls), host.runtime.handle().clone());
        let outbound = Outbound::new(manifest, &filled, grants.clone(), &limits, way.clone());
        let strike = Strike::of(manifest, &filled).hearing(outbound.tokens.told());
        let shared = Shared {
            id: manifest.plugin.id.clone(),
            settings: Value::Object(filled.open.clone()).to_string(),
            secrets,
            locale: setup.locale.clone(),
            outbound,
            directories: Arc::new(Directories::new(manifest, &filled, grants, &limits, way)),
            log: Mutex::new(LogBook::new(limits.log_lines).striking(strike)),
            limits,
            started: Instant::now(),
        };
        Ok(Self {
            engine: host.engine.clone(),
            abilities,
            imports,
            instance,
            shared: Arc::new(shared),
            state: Mutex::new(State::new()),
            unkept: AtomicBool::new(false),
            cost: Mutex::new(Cost::default()),
            gates: Arc::clone(&host.gates),
        })
    }

    /// Whether a file can become a plugin at all, before anything is filled in or granted: compiled, its imports
    /// and exports compared with what it says. Says which interfaces it offers.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn probe(host: &Host, approved: &Approved) -> Result<Vec<String>, LoadError> {
        let (instance, _) = linked(host, approved)?;
        let abilities = Abilities::of(&instance, &approved.manifest)?;
        Ok(abilities.names().into_iter().map(str::to_owned).collect())
    }

    /// The button "Test": what the plugin found, in its own words.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn check(&self, cancel: &Cancel) -> Result<String, Failure> {
        let words = self.call_now(cancel, |store, instance| {
            self.abilities.lifecycle.load(&mut *store, instance)?.call_check(store)
        })?;
        Ok(self.shared.log().strike(&shortened(&words)))
    }

    /// One page of the directory, of at most `limit` changes.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn fetch(&self, start: &Start, limit: u32, cancel: &Cancel) -> Result<Page, Failure> {
        let none = Failure::Contract("asked for a directory, which it does not have");
        let sync = self.abilities.sync.as_ref().ok_or(none)?;
        let limits = &self.shared.limits;
        let start = match start {
            Start::Full => directory_sync::Start::Full,
            Start::Delta(token) => directory_sync::Start::Delta(token.clone()),
            Start::Resume(cursor) => directory_sync::Start::Resume(cursor.clone()),
        };
        let page =
            self.call(&self.gates.pages, cancel, limits.cpu_page, limits.wall_page, |store, instance| {
                sync.load(&mut *store, instance)?.call_fetch(store, &start, limit)
            })?;
        measured(page, limit)
    }

    /// Who has a number, for plugins that can be asked; `None` for the others.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn lookup(
        &self,
        numbers: &[String],
        limit: u32,
        cancel: &Cancel,
    ) -> Result<Option<Vec<Contact>>, Failure> {
        let Some(lookup) = &self.abilities.lookup else { return Ok(None) };
        let found = self.call_now(cancel, |store, instance| {
            lookup.load(&mut *store, instance)?.call_lookup(store, numbers, limit)
        })?;
        people(found, limit).map(Some)
    }

    /// Hands in who has signed in for it.
    pub(crate) fn keep_sign_ins(&self, sign_ins: Arc<SignIns>) {
        self.shared.outbound.tokens.keep_sign_ins(sign_ins);
    }

    /// Whom these words mean, for plugins that can be asked; `None` for the others.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn search(&self, text: &str, limit: u32, cancel: &Cancel) -> Result<Option<Vec<Contact>>, Failure> {
        let Some(search) = &self.abilities.search else { return Ok(None) };
        let found = self.call_now(cancel, |store, instance| {
            search.load(&mut *store, instance)?.call_search(store, text, limit)
        })?;
        people(found, limit).map(Some)
    }

    /// Puts back what an earlier process kept.
    pub(crate) fn restore_state(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The lasting values, to be kept.
    #[must_use]
    pub fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the lasting values have changed since this was last asked.
    pub(crate) fn has_changed_state(&self) -> bool {
        self.unkept.swap(false, Ordering::Relaxed)
    }

    /// Whether it has a directory to copy.
    #[must_use]
    pub(crate) fn has_directory(&self) -> bool {
        self.abilities.sync.is_some()
    }

    /// The interfaces that its code has besides `lifecycle`, in the words of the manifest's `provides`.
    #[must_use]
    pub fn exports(&self) -> Vec<&'static str> {
        self.abilities.names()
    }

    /// The offers of the host that its code names. Some languages name all of them.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The id of its manifest.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// What the last call used.
    #[must_use]
    pub fn last_cost(&self) -> Cost {
        *self.cost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has logged, and how many lines were lost.
    #[must_use]
    pub fn log(&self) -> (Vec<String>, u64) {
        let log = self.shared.log();
        (log.lines(), log.lost())
    }

    /// Hears each line it logs from now on; called while the plugin waits, so it must be quick.
    pub fn listen(&self, ear: Ear) {
        self.shared.log().listen(ear);
    }

    /// What it has done.
    #[must_use]
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.shared.outbound.tally)
    }

    /// A call that somebody waits for.
    pub(crate) fn call_now<T>(
        &self,
        cancel: &Cancel,
        run: impl FnOnce(&mut Store<Call>, &Instance) -> wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, Failure> {
        let limits = &self.shared.limits;
        self.call(&self.gates.calls, cancel, limits.cpu_call, limits.wall_call, run)
    }

    fn call<T>(
        &self,
        gate: &Gate,
        cancel: &Cancel,
        cpu: Duration,
        wall: Duration,
        run: impl FnOnce(&mut Store<Call>, &Instance) -> wasmtime::Result<Result<T, types::Error>>,
    ) -> Result<T, Failure> {
        let Some(_pass) = gate.pass(cancel) else {
            return Err(Failure::Stopped { limit: Limit::Cancelled, words: String::new() });
        };
        let started = Instant::now();
        let call = Call::new(Arc::clone(&self.shared), self.state(), cpu, wall, cancel.clone());
        let mut store = Store::new(&self.engine, call);
        store.limiter(|call| &mut call.memory);
        store.set_hostcall_fuel(self.shared.limits.host_bytes);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().tick()?;
            Ok(UpdateDeadline::Continue(1))
        });
        let answer = self.instance.instantiate(&mut store).and_then(|instance| run(&mut store, &instance));
        let call = store.into_data();
        let cost = Cost { wall: started.elapsed(), cpu: call.cpu(), memory: call.memory.used() };
        *self.cost.lock().unwrap_or_else(PoisonError::into_inner) = cost;
        self.shared.outbound.tally.call(&cost, !matches!(answer, Ok(Ok(_))));
        let failure = match answer {
            Ok(Ok(value)) => {
                self.take_state(call.changed);
                return Ok(value);
            }
            Ok(Err(error)) => said(error),
            Err(error) => stopped(&call, &error),
        };
        let failure = failure.with_words(|words| self.shared.log().strike(words));
        tracing::warn!(plugin = %self.shared.id, ?failure, ?cost, "a call failed");
        Err(failure)
    }

    /// What a call that ended well has changed; together it may be a little more than a call alone may keep.
    fn take_state(&self, changed: BTreeMap<String, Option<Vec<u8>>>) {
        if changed.is_empty() {
            return;
        }
        self.unkept.store(true, Ordering::Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in changed {
            match value {
                Some(value) => drop(state.insert(key, value)),
                None => drop(state.remove(&key)),
            }
        }
    }
}

/// Compiled, or found compiled, and linked with what the host offers.
fn linked(host: &Host, approved: &Approved) -> Result<(InstancePre<Call>, Vec<String>), LoadError> {
    let setup = &host.setup;
    let component = compile::component(&host.engine, &setup.compiler, &setup.cache, &approved.file)?;
    let imports = check_imports(&host.engine, &component)?;
    let mut linker = Linker::new(&host.engine);
    World::add_to_linker::<_, HasSelf<_>>(&mut linker, |call: &mut Call| call)
        .and_then(|()| wasi::offer(&mut linker, &host.engine, &component))
        .map_err(other_world)?;
    Ok((linker.instantiate_pre(&component).map_err(other_world)?, imports))
}

fn other_world(error: wasmtime::Error) -> LoadError {
    LoadError::World(format!("a component of another world: {error:#}"))
}

/// Imports can only be ours or of WASI, which is answered by `wasi`; anything else is another house's world.
/// Gives back the names of ours.
fn check_imports(engine: &Engine, component: &Component) -> Result<Vec<String>, LoadError> {
    let types = component.component_type();
    let mut ours = Vec::new();
    for (name, _) in types.imports(engine) {
        if !(name.starts_with("frontdesk:connector/") || name.starts_with("wasi:")) {
            return Err(LoadError::World(format!(
                "a component of another world: it imports {}",
                clean(name)
            )));
        }
        let name = name.strip_prefix("frontdesk:connector/").and_then(|name| name.split('@').next());
        ours.extend(name.map(str::to_owned));
    }
    Ok(ours)
}

fn people(found: Vec<types::Contact>, limit: u32) -> Result<Vec<Contact>, Failure> {
    if found.len() > limit as usize {
        return Err(Failure::Contract("more people than asked for"));
    }
    Ok(found.into_iter().filter_map(Contact::measured).collect())
}

fn measured(page: directory_sync::Page, limit: u32) -> Result<Page, Failure> {
    if page.changes.len() > limit as usize {
        return Err(Failure::Contract("a page with more changes than asked for"));
    }
    let next = match page.next {
        directory_sync::Next::More(cursor) if cursor.len() <= LONGEST_TOKEN => Next::More(cursor),
        directory_sync::Next::Done(token)
            if token.as_ref().is_none_or(|token| token.len() <= LONGEST_TOKEN) =>
        {
            Next::Done(token)
        }
        _ => return Err(Failure::Contract("a cursor or token of more than 4 KiB")),
    };
    let count = page.changes.len();
    let changes: Vec<Change> = page
        .changes
        .into_iter()
        .filter_map(|change| match change {
            directory_sync::Change::Upsert(contact) => {
                Contact::measured(contact).map(Box::new).map(Change::Upsert)
            }
            directory_sync::Change::Delete(id) => Some(Change::Delete(id)),
        })
        .collect();
    Ok(Page { left_out: count - changes.len(), changes, next, total: page.total })
}
