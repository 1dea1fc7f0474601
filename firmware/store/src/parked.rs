//! Who is parked (CALL-14), as one document: the exchange keeps them when the desk stops.

use ipc::Party;
use serde::{Deserialize, Serialize};

use crate::documents::{load_document, save_document};
use crate::{Store, StoreError};

pub(crate) const PARKED: &str = "parked";

/// A caller who waits in a park slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The slot's number, as the settings have it.
    pub slot: String,
    /// Who waits.
    pub who: Party,
    /// Who parked them.
    pub by: String,
    /// The number of the line that the call came in on or was placed with.
    pub line: String,
    /// Since when, in Unix milliseconds.
    pub since_unix_ms: i64,
    /// The exchange has shown the slot as taken since.
    #[serde(default)]
    pub lit: bool,
}

impl Store {
    /// Who was parked when the desk was stopped.
    ///
    /// # Errors
    /// The database's.
    pub fn load_parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.read("read who is parked", |db| Ok(load_document(db, PARKED)?.unwrap_or_default()))
    }

    /// Keeps who is parked, all of them.
    ///
    /// # Errors
    /// The database's.
    pub fn save_parked(&mut self, parked: &[Parked]) -> Result<(), StoreError> {
        self.write("save who is parked", |db| save_document(db, PARKED, &parked))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn call_14_who_is_parked_is_there_after_a_restart_and_not_in_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("desk.db"), folder.path().join("copy"));
        let mut store = Store::open(&path).unwrap();
        assert_eq!(store.load_parked().unwrap(), []);
        let who = Party { number: Some("2110".into()), name: Some("Ada".into()), ..Party::default() };
        let (by, line) = ("Clara".into(), "5550100".into());
        let parked =
            Parked { slot: "701".into(), who, by, line, since_unix_ms: 1_800_000_000_000, lit: true };
        store.save_parked(std::slice::from_ref(&parked)).unwrap();
        drop(store);
        let mut store = Store::open(&path).unwrap();
        assert_eq!(store.load_parked().unwrap(), [parked]);
        crate::snapshot(&path, &copy).unwrap();
        assert_eq!(
            Store::open(&copy).unwrap().load_parked().unwrap(),
            [],
            "the exchange has other callers by then"
        );
        store.save_parked(&[]).unwrap();
        assert_eq!(store.load_parked().unwrap(), []);
    }
}
