//! A new version of a plugin proves itself twice: before it takes the place of the version that runs it is tried beside
//! it, with the same settings; and in its first hour it is taken back by itself if it crashes so often that it is
//! suspended. What it would change in the plugin's values while it is tried is not kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ipc::{PluginGrants, PluginProblem};

use super::changes::whole;
use super::plugin::Plugin;
use super::{Service, words};
use crate::backoff::Reaction;
use crate::connector::{Cancel, Connector};
use crate::host::{Approved, Authority, LoadError};
use crate::kept::unix_ms;
use crate::limits::Limits;
use crate::registry::Record;

/// A version that is suspended so soon after it came is taken back.
const ON_TRIAL: Duration = Duration::from_secs(3600);

impl Service {
    /// Tries a file in place of the version that runs, where one does: its test, with what is set and sealed now. A
    /// server that is down says nothing of the new version; a crash does.
    ///
    /// # Errors
    /// Why it must not take its place. Nothing has changed then.
    pub(super) fn try_beside(
        &self,
        plugin: &Arc<Plugin>,
        file: &[u8],
        granted: &PluginGrants,
    ) -> Result<(), PluginProblem> {
        let (record, _) = whole(&*plugin.lane()?)?;
        if !record.enabled {
            return Ok(());
        }
        let authority =
            Authority { known_key: record.key.clone(), new_key_confirmed: true, developer: self.developer };
        let approved = Approved::new(file.to_vec(), &authority).map_err(|error| words::problem(&error))?;
        let manifest = approved.manifest();
        let secrets = self.registry.secrets(&record).unwrap_or_default();
        let values = words::values(manifest, &record.settings, &secrets);
        let granted = words::granted(&words::asked_for(manifest, granted.clone()));
        let connector = Connector::load(&self.host, &approved, &values, &granted, Limits::default());
        let connector = match connector {
            // It asks for more settings than the one before: it comes, and waits for them.
            Err(LoadError::Manifest(error)) => {
                plugin.say(
                    "warn",
                    &format!("version {} needs other settings: {error}", manifest.plugin.version),
                );
                return Ok(());
            }
            other => other.map_err(|error| words::problem(&error))?,
        };
        connector.keep_sign_ins(Arc::clone(&plugin.sign_ins));
        if let Some(state) = self.kept_state(&record.id) {
            connector.restore_state(state);
        }
        let version = &manifest.plugin.version;
        let (level, line, refused) = match connector.check(&Cancel::default()) {
            Ok(found) => {
                ("info", format!("version {version}, tried beside the one that runs: {found}"), None)
            }
            Err(failure) => {
                let line = format!(
                    "version {version}, tried beside the one that runs: {}: {}",
                    failure.case(),
                    failure.words()
                );
                let refused = (failure.reaction() == Reaction::Crash).then(|| PluginProblem::Failed {
                    case: failure.case().to_owned(),
                    words: format!(
                        "version {version} fails with the present settings, the one before runs on; {}",
                        failure.words()
                    ),
                });
                ("warn", line, refused)
            }
        };
        plugin.say(level, &line);
        refused.map_or(Ok(()), Err)
    }

    /// A plugin is suspended: if its version is new, the one before comes back.
    pub(super) fn take_back(self: &Arc<Self>, id: &str) {
        let on_trial = |record: &Record| {
            let age = unix_ms(SystemTime::now()).saturating_sub(record.upgraded_ms);
            record.previous.is_some() && u128::try_from(age).is_ok_and(|age| age < ON_TRIAL.as_millis())
        };
        let Ok(plugin) = self.plugin(id) else { return };
        let version = match plugin.lane() {
            Ok(lane) => match &lane.record {
                Some(record) if on_trial(record) => record.current.version.clone(),
                _ => return,
            },
            Err(_) => return,
        };
        tracing::warn!(plugin = id, version, "suspended within an hour of its coming: taken back");
        match self.roll_back(id) {
            Ok(()) => plugin.say(
                "error",
                &format!("version {version} crashed too often in its first hour and was taken back"),
            ),
            Err(problem) => {
                plugin.say("error", &format!("version {version} could not be taken back: {problem}"))
            }
        }
    }
}
