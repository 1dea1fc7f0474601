//! The desk's settings: changed in one step, checked by the store, handed to the running desk.

use std::sync::Arc;

use ipc::Language;
use store::{Refusal, Settings, StoreError, Why};

use crate::{app::App, fault, form::Wrong, keeper::KeeperError, pages::refusals, text};

impl App {
    /// The settings now, with passwords.
    pub(crate) async fn settings(&self) -> Result<Settings, KeeperError> {
        self.keeper.ask(|store| store.load_settings()).await
    }

    /// Changes them; the running desk takes over what was saved. Directories are the operators': only those that
    /// `edit` touches are written.
    pub(crate) async fn change_settings(
        &self,
        edit: impl FnOnce(&mut Settings) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), KeeperError> {
        let saved = self.saved.clone();
        self.keeper
            .ask(move |store| {
                let mut wanted = store.load_settings()?;
                let before = wanted.directories.clone();
                edit(&mut wanted)?;
                wanted.directories.retain(|directory| !before.contains(directory));
                store.save_settings(&wanted)?;
                saved.send_replace(Arc::new(store.load_settings()?));
                Ok(())
            })
            .await
    }
}

/// What was refused, where it is a value that is not allowed.
pub(crate) fn refused(problem: &KeeperError) -> Option<&Refusal> {
    match problem {
        KeeperError::Store(StoreError::Settings(error)) => error.refusal.as_deref(),
        _ => None,
    }
}

/// Whether it was refused because something in `table` needs what was to be removed: an account, or a line.
pub(crate) fn is_needed_by(problem: &KeeperError, table: &str) -> bool {
    let needs =
        |refusal: &Refusal| refusal.table == table && matches!(refusal.why, Why::NoAccount | Why::NoLine);
    refused(problem).is_some_and(needs)
}

/// What a form says that was refused: at its field where that is one of `table`, else above it.
pub(crate) fn wrong(problem: &KeeperError, table: &str, language: Language) -> Wrong {
    match refused(problem) {
        Some(refusal) if refusal.table == table && !refusal.field.is_empty() => {
            Wrong { field: refusal.field.into(), words: refusals::why(refusal, language) }
        }
        Some(refusal) => Wrong::above(refusals::with_place(refusal, language)),
        None if matches!(problem, KeeperError::Store(StoreError::NoSuchAccount)) => {
            Wrong::above(text::GONE.is(language))
        }
        None => Wrong::above(fault::of_store(problem, language).1),
    }
}

/// The same where there is no form.
pub(crate) fn said(problem: &KeeperError, language: Language) -> String {
    wrong(problem, "", language).words
}

/// Moves an entry one place up or down, where there is one.
pub(crate) fn move_one<T>(entries: &mut [T], at: usize, up: bool) {
    let other = if up { at.checked_sub(1) } else { Some(at + 1) };
    if let Some(other) = other.filter(|other| at.max(*other) < entries.len()) {
        entries.swap(at, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_2_an_entry_moves_within_its_list_only() {
        let mut list = [1, 2, 3];
        move_one(&mut list, 0, true);
        move_one(&mut list, 2, false);
        move_one(&mut list, 7, true);
        assert_eq!(list, [1, 2, 3]);
        move_one(&mut list, 0, false);
        move_one(&mut list, 2, true);
        assert_eq!(list, [2, 3, 1]);
    }
}
