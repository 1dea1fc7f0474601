//! Changes of directories and contacts by hand, on the records thread: first on the disk, then in memory.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use directory::NumberPlan;
use ipc::{AlertSet, CallRef, CommandError, ContactId, DirectoryId, Edit, EditProblem, OperatorId};
use store::{Author, Edited, StoreError};
use switchboard::Input;
use tracing::{info, warn};

use crate::records::Keeper;

/// Who edits, and where files of contacts are.
pub(crate) struct AtDesk {
    /// The desk's name.
    pub(crate) operator: String,
    /// The name of who is signed in.
    pub(crate) signed_in: Option<String>,
    /// Who that is; 0 where nobody signs in.
    pub(crate) operator_id: i64,
    /// Folders with files of contacts; exports go to the first.
    pub(crate) folders: Vec<PathBuf>,
    /// How numbers are written here, as an administrator last said.
    pub(crate) plan: NumberPlan,
    /// For how many days calls stay in the log; 0: for ever.
    pub(crate) log_days: u32,
    /// A file that is there once the clock is synchronised.
    pub(crate) clock: PathBuf,
}

impl AtDesk {
    /// Who it is that edits and takes calls: whoever is signed in, else the desk.
    pub(crate) fn author(&self) -> &str {
        self.signed_in.as_deref().unwrap_or(&self.operator)
    }
}

impl Keeper {
    /// Does it, and says which contact or directory was added or changed.
    pub(crate) fn edit(
        &mut self,
        edit: &Edit,
    ) -> Result<(Option<ContactId>, Option<DirectoryId>), CommandError> {
        let author = Author { name: self.desk.author(), now: unix_ms() };
        let edited = self.store.edit(edit, author).map_err(problem)?;
        info!(kind = kind(edit), "contacts changed");
        let contact = edited.entries.first().map(|entry| entry.id);
        let directory = edited.directory.as_ref().map(|directory| directory.id);
        self.show(edited).map_err(problem)?;
        Ok((contact, directory))
    }

    /// The name that an operator's work is signed with, even if they have left meanwhile; the desk's for nobody.
    pub(crate) fn name_of(&self, operator: OperatorId) -> String {
        if operator.0 == self.desk.operator_id {
            return self.desk.author().to_owned();
        }
        let operators =
            self.store.operators().inspect_err(|error| warn!(%error, "whose name it is, is not known"));
        let known = operators.unwrap_or_default().into_iter().find(|known| known.id == operator.0);
        known.map_or_else(|| self.desk.operator.clone(), |known| known.name)
    }

    /// Forgets an alert that was wanted once.
    pub(crate) fn alert_spent(&mut self, contact: ContactId) {
        let edit = Edit::SetAlerts { contact, alerts: AlertSet::default() };
        if let Err(error) = self.edit(&edit) {
            warn!(%error, "an alert that was wanted once may be given again");
        }
    }

    /// What the records know of a caller.
    pub(crate) fn look_back(&self, call: CallRef, number: &str, contact: Option<ContactId>) {
        match self.store.caller_history(number, contact, unix_ms()) {
            Ok(history) => self.say(Input::History { call, history }),
            Err(error) => warn!(%error, "no history of a caller"),
        }
    }

    /// Shows the contacts thread and the switchboard what was changed.
    fn show(&mut self, edited: Edited) -> Result<(), StoreError> {
        let Edited { entries, removed, reload, directory, removal, restored } = edited;
        self.contacts.change(directory, entries, removed.into_iter().collect());
        for id in reload {
            self.hand_over(id)?;
        }
        if let Some(removal) = removal {
            self.say(Input::Removed { removal: removal.id, what: removal.what });
        }
        if let Some(removal) = restored {
            self.say(Input::Restored { removal });
        }
        Ok(())
    }

    /// Shows the contacts thread which directory is linked to which line; their contacts stay.
    pub(crate) fn relink(&self) {
        match self.store.directories() {
            Ok(directories) => {
                for directory in directories {
                    self.contacts.change(Some(directory), Vec::new(), Vec::new());
                }
            }
            Err(error) => warn!(%error, "directories are linked to lines as before until the next start"),
        }
    }

    /// Shows the contacts thread a directory as it now stands on the disk.
    pub(crate) fn hand_over(&mut self, id: DirectoryId) -> Result<(), StoreError> {
        self.contacts.replace(id, self.store.load_directory(id)?);
        Ok(())
    }
}

/// For the log: never what was typed.
fn kind(edit: &Edit) -> &'static str {
    match edit {
        Edit::AddContact { .. } => "contact added",
        Edit::ChangeContact { .. } => "contact changed",
        Edit::RemoveContact { .. } => "contact removed",
        Edit::SetPresence { .. } => "presence of a contact",
        Edit::SetAlerts { .. } => "alerts of a contact",
        Edit::AddDirectory { .. } => "directory added",
        Edit::ChangeDirectory { .. } => "directory changed",
        Edit::SetLook { .. } => "look of a directory",
        Edit::ClearDirectory { .. } => "directory cleared",
        Edit::RemoveDirectory { .. } => "directory removed",
        Edit::Undo { .. } => "removal undone",
    }
}

/// Why the store refused, as the screen is told.
pub(crate) fn problem(error: StoreError) -> CommandError {
    match error {
        StoreError::Edit(problem) => CommandError::Edit(problem),
        StoreError::NoSuchDirectory(_) => CommandError::Edit(EditProblem::NoSuchDirectory),
        StoreError::DirectoryName { problem, .. } => CommandError::Edit(problem),
        other => CommandError::Failed { reason: other.to_string() },
    }
}

pub(crate) fn unix_ms() -> i64 {
    // A clock before 1970 is a clock that was never set.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
