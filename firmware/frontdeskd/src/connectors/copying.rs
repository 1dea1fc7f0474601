//! Copies of connectors' directories, on the records thread: calls are logged between their parts.

use directory::Contact;
use store::StoreError;
use tracing::info;

use crate::{editing::unix_ms, records::Keeper};

/// A part of a copy. One copy at a time; the answer says whether the same step is to be asked for again.
#[derive(Debug)]
pub(crate) enum Step {
    /// Begin; a copy that was begun and not ended is given up.
    Begin {
        /// The connector.
        source: String,
        /// What its directory is called, unless the operator chose otherwise.
        name: String,
        /// Which content.
        generation: u64,
    },
    /// The next contacts, each with the source's own identity.
    Contacts(Vec<(String, Contact)>),
    /// Remove what the source no longer has; again, until there is nothing left.
    Removals,
    /// Show it.
    End,
    /// It will not be ended.
    GiveUp,
    /// The connector was removed: its directory goes.
    Remove {
        /// The connector.
        source: String,
    },
    /// The connector is missing: its directory goes, and comes back with it.
    PutAside {
        /// The connector.
        source: String,
    },
}

impl Keeper {
    pub(crate) fn copy(&mut self, step: Step) -> Result<bool, String> {
        self.try_copy(step).map_err(|error| error.to_string())
    }

    fn try_copy(&mut self, step: Step) -> Result<bool, StoreError> {
        match step {
            Step::Begin { source, name, generation } => {
                self.copy = Some(self.store.begin_copy(&source, &name, generation)?);
                Ok(false)
            }
            Step::Contacts(contacts) => {
                if let Some(job) = &mut self.copy {
                    self.store.copy_some(job, contacts)?;
                }
                Ok(false)
            }
            Step::Removals => match &mut self.copy {
                Some(job) => self.store.copy_removals(job),
                None => Ok(false),
            },
            Step::End => {
                if let Some(job) = self.copy.take() {
                    let copied = self.store.finish_copy(job)?;
                    let (added, changed, removed) = (copied.added, copied.changed, copied.removed);
                    let (directory, left_out) = (&copied.directory.name, copied.left_out);
                    info!(directory, added, changed, removed, left_out, "a connector's directory is copied");
                    match copied.changes {
                        Some(changes) => {
                            self.contacts.change(Some(copied.directory), changes.entries, changes.removed);
                        }
                        None => self.hand_over(copied.directory.id)?,
                    }
                }
                Ok(false)
            }
            Step::GiveUp => {
                if let Some(job) = self.copy.take() {
                    // What was copied is on the disk, and good.
                    self.hand_over(job.directory())?;
                }
                Ok(false)
            }
            Step::Remove { source } => {
                if let Some(id) = self.store.remove_source(&source, unix_ms())? {
                    info!(connector = source, "the directory of a connector that is no more is removed");
                    self.hand_over(id)?;
                }
                Ok(false)
            }
            Step::PutAside { source } => {
                if let Some(id) = self.store.put_source_aside(&source, unix_ms())? {
                    info!(connector = source, "the directory of a connector that is missing is put aside");
                    self.hand_over(id)?;
                }
                Ok(false)
            }
        }
    }
}
