//! By which clock the desk lives: the time zone of the house. A box has no other place for it, because nobody logs in there
//! and its file system is read-only.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::settings::{At, Invalid};
use crate::{BUSY, StoreError, Why, documents};

/// Table `[clock]` of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// The time zone by its name in the IANA database, such as `Europe/Paris`; empty where it is that of the machine.
    pub time_zone: String,
}

impl Clock {
    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        let zone = &self.time_zone;
        if zone.is_empty() || ipc::is_time_zone(zone) {
            return Ok(());
        }
        let reason =
            format!("{zone:?} is no time zone that this machine knows; give a name such as \"Europe/Paris\"");
        Err(At { table: "clock", index: None }.invalid("time_zone", Why::TimeZone, reason))
    }
}

/// The time zone that is set in the database at `path`, for a program that must know it before it begins to work: nothing is
/// made, brought up to date or kept open. Empty where there is no database yet, or none is set.
///
/// # Errors
/// The database's.
pub fn time_zone(path: &Path) -> Result<String, StoreError> {
    const DOING: &str = "read the time zone";
    if !path.exists() {
        return Ok(String::new());
    }
    let sql = |source| StoreError::sql(path, DOING, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(sql)?;
    db.busy_timeout(BUSY).map_err(sql)?;
    documents::clock(&db).map(|clock| clock.time_zone).map_err(|failure| failure.named(path, DOING))
}
