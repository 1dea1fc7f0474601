//! The directories of connectors (DIR-4): follows `frontdesk-plugind` and copies what is new there into the store.
//!
//! Questions about callers, finished calls, notes and tasks go over a connection of their own (`asking`), so that a
//! directory of many thousands is not in their way.
//!
//! A task of its own that waits for the plugin host, the records thread waits for neither: a part of a copy is one
//! request among others there. Without a plugin host, or when it dies, what was copied stays. Nothing of what it
//! says is believed beyond its words: pages have a limit, and what is no good contact is left out.

mod asking;
mod copying;
mod customers;
mod host;
mod journal;
mod line;
mod translate;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Result, bail};
use ipc::{MAX_PLUGIN_CONTACTS, PluginAnswer, PluginProblem, PluginRequest, PluginView};
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use self::host::Host;
pub(crate) use self::{
    asking::{Asking, Connectors},
    copying::Step,
    journal::finished,
};
use crate::records::Records;

/// The pause before the plugin host is looked for again, and before a copy that failed is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
const COPY_AGAIN: Duration = Duration::from_secs(30);

/// Follows the plugin host at `socket` for ever.
pub(crate) async fn follow(socket: PathBuf, records: Records) {
    // Said once, not every two seconds.
    let mut there = true;
    loop {
        match Host::connect(&socket).await {
            Ok(host) => {
                there = true;
                info!(version = host.version(), "the plugin host is there");
                let end = Copier::new(host, &records).run().await;
                if let Err(error) = end {
                    warn!("the plugin host is lost, its directories stay as they are: {error:#}");
                }
            }
            Err(error) => {
                if there {
                    info!(socket = %socket.display(), "no plugin host: {error:#}");
                }
                there = false;
            }
        }
        sleep(LOOK_AGAIN).await;
    }
}

struct Copier<'a> {
    host: Host,
    records: &'a Records,
    /// Which content of which connector is here.
    here: HashMap<String, Option<u64>>,
    /// Copies that failed, and when they are due again.
    again: HashMap<String, Instant>,
    /// The connectors that this host has had: one that it has no more, somebody has removed.
    seen: HashSet<String>,
}

impl<'a> Copier<'a> {
    fn new(host: Host, records: &'a Records) -> Self {
        Self { host, records, here: HashMap::new(), again: HashMap::new(), seen: HashSet::new() }
    }

    async fn run(mut self) -> Result<()> {
        let sources = self.records.sources().await.map_err(anyhow::Error::msg)?;
        self.here = sources.into_iter().map(|source| (source.id, source.generation)).collect();
        let mut plugins = self.host.plugins().await?;
        loop {
            self.forget_missing(&plugins).await;
            for plugin in &plugins {
                self.copy_if_new(plugin).await?;
            }
            plugins = match timeout(COPY_AGAIN, self.host.plugins()).await {
                Ok(newer) => newer?,
                Err(_) => plugins,
            };
        }
    }

    async fn copy_if_new(&mut self, plugin: &PluginView) -> Result<()> {
        let Some(directory) = &plugin.directory else { return Ok(()) };
        let is_here = self.here.get(&plugin.id) == Some(&Some(directory.generation));
        if is_here || self.again.get(&plugin.id).is_some_and(|due| *due > Instant::now()) {
            return Ok(());
        }
        match self.copy(plugin, directory.generation).await? {
            Copy::Whole => {
                self.again.remove(&plugin.id);
                self.here.insert(plugin.id.clone(), Some(directory.generation));
            }
            // The next list names the new one.
            Copy::Outdated => drop(self.step(Step::GiveUp).await),
            Copy::Failed(reason) => {
                let _ = self.step(Step::GiveUp).await;
                warn!(connector = plugin.id, reason, "a directory was not copied; it is tried again");
                self.again.insert(plugin.id.clone(), Instant::now() + COPY_AGAIN);
            }
        }
        Ok(())
    }

    async fn copy(&mut self, plugin: &PluginView, generation: u64) -> Result<Copy> {
        let begin = Step::Begin { source: plugin.id.clone(), name: plugin.name.clone(), generation };
        if let Err(reason) = self.step(begin).await {
            return Ok(Copy::Failed(reason));
        }
        let mut offset = 0;
        loop {
            let (plugin, limit) = (plugin.id.clone(), MAX_PLUGIN_CONTACTS);
            let request = PluginRequest::Contacts { plugin, generation, offset, limit };
            let page = match self.host.ask(request).await? {
                Ok(PluginAnswer::Contacts(page)) if page.generation == generation => page,
                Ok(_) => bail!("an answer to another question"),
                Err(PluginProblem::Outdated | PluginProblem::NoSuchPlugin) => return Ok(Copy::Outdated),
                Err(problem) => return Ok(Copy::Failed(problem.to_string())),
            };
            if page.contacts.len() > limit as usize {
                bail!("a page of {} contacts", page.contacts.len());
            }
            let came = page.contacts.len() as u32;
            let contacts = page.contacts.into_iter();
            let part = contacts.map(|contact| (contact.id.clone(), translate::contact(contact))).collect();
            if let Err(reason) = self.step(Step::Contacts(part)).await {
                return Ok(Copy::Failed(reason));
            }
            offset += came;
            if came == 0 && offset < page.total {
                return Ok(Copy::Failed(format!("the directory ends after {offset} of {}", page.total)));
            }
            if offset >= page.total {
                return Ok(self.end().await);
            }
        }
    }

    async fn end(&mut self) -> Copy {
        loop {
            match self.step(Step::Removals).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(reason) => return Copy::Failed(reason),
            }
        }
        self.step(Step::End).await.map_or_else(Copy::Failed, |_| Copy::Whole)
    }

    /// A connector that was removed takes its directory with it. One that this host never had, as on a new box after a
    /// restore, may come back.
    async fn forget_missing(&mut self, plugins: &[PluginView]) {
        let is_missing = |id: &&String| !plugins.iter().any(|plugin| plugin.id == **id);
        let missing: Vec<String> = self.here.keys().filter(is_missing).cloned().collect();
        for source in missing {
            let step = if self.seen.contains(&source) {
                Step::Remove { source: source.clone() }
            } else {
                Step::PutAside { source: source.clone() }
            };
            match self.step(step).await {
                Ok(_) => drop(self.here.remove(&source)),
                Err(reason) => {
                    warn!(connector = source, reason, "the directory of a connector was not removed");
                }
            }
        }
        self.seen.extend(plugins.iter().map(|plugin| plugin.id.clone()));
    }

    async fn step(&self, step: Step) -> Result<bool, String> {
        self.records.copy(step).await
    }
}

/// What a copy came to.
enum Copy {
    Whole,
    /// There is a newer one.
    Outdated,
    Failed(String),
}

#[cfg(test)]
mod tests;
