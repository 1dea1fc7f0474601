//! Puts a backup that waits in the place of what was, before anybody opens the database. Each step can be the last
//! before a power cut: at the next start this goes on from there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use store::{AuditEntry, Settings, Store};
use tracing::{error, info, warn};

use super::{
    CERTIFICATE, Contents, DATABASE, SOUND, Waiting,
    stage::{NOTE, Places, remove},
};
use crate::{app::now_ms, audit::Act, sounds::Sounds, tls};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Nothing waited.
    Nothing,
    /// The backup is in use.
    Restored,
    /// It could not be used, and what was is in use.
    Returned,
}

/// Puts the backup that waits beside the database `db` in its place. `state` is the folder of the page's state.
/// Nobody has the database open. Blocks.
///
/// # Errors
/// The disk's. The database may then be aside; it is put right when this is called again.
pub fn apply_waiting(db: &Path, state: &Path) -> io::Result<Applied> {
    let places = Places::beside(db);
    remove(&places.partial)?;
    remove(&places.gone)?;
    let new = places.ready.join(DATABASE);
    if new.exists() {
        info!("a backup is put in the place of the database");
        store::swap_in(db, &new)?;
    }
    if !places.ready.exists() && !store::is_swapped(db) {
        return Ok(Applied::Nothing);
    }
    match prove(db, &places.ready, state) {
        Ok(settings) => {
            places.discard()?;
            store::keep_new(db)?;
            // Not before: the old database may have come back.
            Sounds::new(db).sweep(&settings);
            info!("the backup is in use");
            Ok(Applied::Restored)
        }
        Err(problem) => {
            error!(problem, "the backup cannot be used: what was before comes back");
            places.discard()?;
            store::return_old(db)?;
            Ok(Applied::Returned)
        }
    }
}

/// Opens the new database, and takes over what else is in the backup. Its settings.
fn prove(db: &Path, ready: &Path, state: &Path) -> Result<Settings, String> {
    if !db.exists() {
        return Err("the power was cut while the old database came back".into());
    }
    let mut store = Store::open(db).map_err(|problem| problem.to_string())?;
    // What a desk cannot start with is of no use either.
    let mut settings = store.load_settings().map_err(|problem| problem.to_string())?;
    let note: Option<Waiting> =
        fs::read(ready.join(NOTE)).ok().and_then(|note| serde_json::from_slice(&note).ok());
    if ready.exists()
        && let Err(problem) = bring_sounds(db, ready, &mut store, &mut settings)
    {
        // Callers who wait hear no music, and the page says so; calls do not wait for it.
        warn!(problem, "the sound files of the backup could not be brought back");
    }
    let certificate: PathBuf = ready.join(CERTIFICATE);
    match fs::read_to_string(&certificate) {
        Ok(pem) => {
            if let Err(problem) = tls::make_folder(state).and_then(|()| tls::restore(state, &pem)) {
                // The page has a certificate in any case; calls do not wait for it.
                warn!(%problem, "the certificate of the backup could not be written");
            }
        }
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
        Err(problem) => warn!(%problem, "the certificate of the backup could not be read"),
    }
    if let Some(Waiting { contents, origin, .. }) = note {
        let entry = AuditEntry {
            id: 0,
            at_ms: now_ms(),
            who: origin.who,
            origin: origin.from,
            action: Act::Restored.word().into(),
            detail: made_words(&contents),
        };
        if let Err(problem) = store.add_audit(&entry) {
            warn!(%problem, "the audit log could not be written");
        }
    }
    Ok(settings)
}

/// Puts the sound files of the backup in their place, and saves where they are if that is elsewhere than they were.
fn bring_sounds(db: &Path, ready: &Path, store: &mut Store, settings: &mut Settings) -> Result<(), String> {
    let changed =
        Sounds::new(db).bring_back(ready, SOUND, settings).map_err(|problem| problem.to_string())?;
    if changed {
        store.save_settings(settings).map_err(|problem| problem.to_string())?;
    }
    Ok(())
}

/// When and where a backup was made, for the audit log.
pub(crate) fn made_words(contents: &Contents) -> String {
    let made = chrono::DateTime::from_timestamp_millis(contents.made_ms).unwrap_or_default();
    let made = made.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let host: String = contents.host.chars().filter(|c| !c.is_control()).take(64).collect();
    format!("{made}, {host}")
}
