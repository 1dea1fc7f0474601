//! The screen shows times by the clock of the desk: it runs in the desk's time zone, by executing itself again where it does not
//! yet ([`ipc::in_time_zone`]).
//!
//! The zone of last time is kept in the folder of the screen's state, so that a screen that starts is not started twice.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the zone of last time is, in the folder of the screen's state.
const FILE: &str = "time-zone";

/// Which zone this program runs in, and which it is to run in.
#[derive(Debug)]
pub struct TimeZone {
    file: Option<PathBuf>,
    /// The name that could not be taken, so that it is said once.
    refused: RefCell<Option<String>>,
    again: RefCell<Option<Command>>,
}

impl TimeZone {
    /// Keeps the zone in this folder, where there is one.
    #[must_use]
    pub fn new(state: Option<&Path>) -> Self {
        let file = state.map(|folder| folder.join(FILE));
        Self { file, refused: RefCell::default(), again: RefCell::default() }
    }

    /// This program in the zone of last time; `None` when it runs in it already, or there is none.
    #[must_use]
    pub fn of_last_time(&self) -> Option<Command> {
        let mut name = String::new();
        let file = fs::File::open(self.file.as_ref()?).ok()?;
        file.take(ipc::MAX_TIME_ZONE as u64 + 1).read_to_string(&mut name).ok()?;
        // The desk says which one is right; an old one is no reason to stay away.
        ipc::in_time_zone(name.trim()).ok()?
    }

    /// The desk lives in this zone, or in that of its machine where the name is empty. Whether this program has to end for
    /// it, to go on as [`Self::again`].
    pub fn is_another(&self, name: &str) -> bool {
        let again = match ipc::in_time_zone(name) {
            Ok(again) => again,
            Err(error) => {
                if self.refused.replace(Some(name.to_owned())).as_deref() != Some(name) {
                    tracing::warn!("times are shown in the time zone of this machine: {error}");
                }
                return false;
            }
        };
        if let Err(error) = self.keep(name) {
            tracing::debug!("the time zone cannot be kept: {error}");
        }
        let is_another = again.is_some();
        self.again.replace(again);
        is_another
    }

    /// This program in the zone of the desk, where it is another one.
    pub fn again(&self) -> Option<Command> {
        self.again.take()
    }

    fn keep(&self, name: &str) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if fs::read_to_string(file).is_ok_and(|kept| kept == name) {
            return Ok(());
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_2_a_zone_is_kept_for_the_next_start_and_one_that_is_unknown_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let zone = TimeZone::new(Some(&state));
        assert!(zone.of_last_time().is_none());
        assert!(!zone.is_another("Europe/Atlantis") && zone.again().is_none());
        assert!(!state.join(FILE).exists());
        // Whatever the zone of this test is, it is not both.
        let all = ["Asia/Tokyo", "America/New_York"];
        let other =
            all.into_iter().find(|name| std::env::var_os("TZ").is_none_or(|own| own != *name)).unwrap();
        assert!(zone.is_another(other));
        let again = zone.again().unwrap();
        let said = again.get_envs().find(|(name, _)| *name == "TZ").and_then(|(_, value)| value);
        assert!(said.unwrap().to_string_lossy().ends_with(other), "{said:?}");
        assert_eq!(again.get_program(), std::env::current_exe().unwrap());
        assert_eq!(fs::read_to_string(state.join(FILE)).unwrap(), other);
        assert!(TimeZone::new(Some(&state)).of_last_time().is_some());
        // Back to that of the machine, which this program has never left.
        assert!(!zone.is_another("") && zone.again().is_none());
        assert!(TimeZone::new(Some(&state)).of_last_time().is_none());
        for rubbish in ["../../etc/passwd", "\0", &"x".repeat(10_000)] {
            fs::write(state.join(FILE), rubbish).unwrap();
            assert!(zone.of_last_time().is_none(), "{rubbish:?}");
        }
        assert!(TimeZone::new(None).of_last_time().is_none());
    }
}
