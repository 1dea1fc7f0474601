//! What an administrator changes. Each change is checked whole, then put on the disk in one flip, then taken up: the
//! actor is told to end and another one begins with what is new. A change that fails has changed nothing.

use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use ipc::{PluginGrants, PluginProblem};
use serde_json::{Map, Value};
use url::Url;

use super::actor::Actor;
use super::plugin::{About, How, Lane, Plugin};
use super::uploads::disk;
use super::{MOST_PLUGINS, Service, words};
use crate::host::{Approved, Authority};
use crate::kept::unix_ms;
use crate::manifest::{Kind, Manifest};
use crate::registry::{Installed, Record, Secrets};
use crate::target::Target;
use crate::trust::Trust;

/// Time between two runs, in seconds.
const INTERVAL_S: std::ops::RangeInclusive<u64> = 60..=604_800;

impl Service {
    /// Installs a file, or puts it in place of an earlier version.
    pub(super) fn install(
        self: &Arc<Self>,
        file: Vec<u8>,
        granted: PluginGrants,
        key_confirmed: bool,
    ) -> Result<Arc<Plugin>, PluginProblem> {
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = self.judge(&file)?;
        if let Some(problem) = judged.refused {
            return Err(problem);
        }
        if !judged.trust.allows(key_confirmed, self.developer) {
            return Err(PluginProblem::NotTrusted);
        }
        // Compiled already when it was inspected.
        self.probe(file.clone(), &judged)?;
        let manifest = judged.manifest;
        let granted = words::asked_for(&manifest, granted);
        let key = match judged.trust {
            Trust::Known | Trust::New { .. } => manifest.plugin.key.clone(),
            _ => None,
        };
        let existing = self.plugin(&manifest.plugin.id).ok();
        if let Some(plugin) = &existing {
            self.try_beside(plugin, &file, &granted)?;
        }
        if existing.is_none() && self.plugins().len() >= MOST_PLUGINS {
            return Err(PluginProblem::NotNow(format!("{MOST_PLUGINS} plugins are installed already")));
        }
        let mut lane = existing.as_ref().map(|plugin| plugin.lane()).transpose()?;
        let sha256 = self.registry.add_package(&manifest.plugin.id, &file).map_err(|error| disk(&error))?;
        let current = Installed {
            sha256,
            version: manifest.plugin.version.clone(),
            granted: PluginGrants::default(),
            settings: Map::new(),
        };
        let mut record = match lane.as_ref().and_then(|lane| lane.record.as_ref()) {
            Some(record) => upgraded(record, current),
            None => Record::new(manifest.plugin.id.clone(), current),
        };
        record.granted = granted;
        record.key = key;
        self.registry.keep(&mut record, None).map_err(|error| disk(&error))?;
        let words = format!("version {} is installed", record.current.version);
        tracing::info!(plugin = %record.id, version = %record.current.version, "installed");
        let plugin = match (&existing, lane.as_mut()) {
            (Some(plugin), Some(lane)) => {
                lane.record = Some(record);
                lane.manifest = Some(Arc::new(manifest));
                self.restart(plugin, lane);
                Arc::clone(plugin)
            }
            _ => {
                let plugin = Arc::new(Plugin::new(&self.registry, record, manifest));
                self.plugins().insert(plugin.id.clone(), Arc::clone(&plugin));
                self.changed();
                plugin
            }
        };
        plugin.say("info", &words);
        Ok(plugin)
    }

    /// What a plugin may do from now on.
    pub(super) fn grant(self: &Arc<Self>, id: &str, granted: PluginGrants) -> Result<(), PluginProblem> {
        let plugin = self.plugin(id)?;
        let mut lane = plugin.lane()?;
        let (mut record, manifest) = whole(&lane)?;
        record.granted = words::asked_for(&manifest, granted);
        self.take_up(&plugin, &mut lane, record, None, "what it may do has changed")
    }

    /// Settings from now on.
    pub(super) fn configure(
        self: &Arc<Self>,
        id: &str,
        values: Map<String, Value>,
        interval_s: u64,
    ) -> Result<(), PluginProblem> {
        if !INTERVAL_S.contains(&interval_s) {
            let problem = format!("is not {} to {} seconds", INTERVAL_S.start(), INTERVAL_S.end());
            return Err(PluginProblem::Setting { key: "interval_s".to_owned(), problem });
        }
        let plugin = self.plugin(id)?;
        let mut lane = plugin.lane()?;
        let (mut record, manifest) = whole(&lane)?;
        // Secrets that cannot be opened any more are entered again.
        let before = self.registry.secrets(&record).unwrap_or_default();
        let typed: Vec<String> = values.keys().cloned().collect();
        let (settings, secrets) = sorted(&manifest, values, &before)?;
        let filled = manifest.fill(&words::values(&manifest, &settings, &secrets));
        let filled = filled.map_err(|error| words::manifest_problem(&error))?;
        let grants = manifest.grants(&words::granted(&record.granted), &filled);
        grants.map_err(|error| words::manifest_problem(&error))?;
        if leads_elsewhere(&manifest, &record.settings, &settings)
            && let Some(key) = kept(&manifest, &secrets, &typed)
        {
            return Err(PluginProblem::SecretAgain { key });
        }
        record.settings = settings;
        record.interval_s = interval_s;
        self.take_up(&plugin, &mut lane, record, Some(&secrets), "its settings have changed")
    }

    /// Whether it runs.
    pub(super) fn enable(self: &Arc<Self>, id: &str, on: bool) -> Result<(), PluginProblem> {
        let plugin = self.plugin(id)?;
        let mut lane = plugin.lane()?;
        let (mut record, manifest) = whole(&lane)?;
        if record.enabled == on {
            return Ok(());
        }
        if on {
            let secrets = self.registry.secrets(&record).unwrap_or_default();
            let filled = manifest.fill(&words::values(&manifest, &record.settings, &secrets));
            filled.map_err(|error| words::manifest_problem(&error))?;
        }
        record.enabled = on;
        let words = if on { "it is enabled" } else { "it is disabled" };
        self.take_up(&plugin, &mut lane, record, None, words)
    }

    /// Goes back to the version before.
    pub(super) fn roll_back(self: &Arc<Self>, id: &str) -> Result<(), PluginProblem> {
        let plugin = self.plugin(id)?;
        let mut lane = plugin.lane()?;
        let record = lane.record.clone().ok_or(PluginProblem::NoSuchPlugin)?;
        let none = || PluginProblem::NotNow("there is no version to go back to".to_owned());
        let previous = record.previous.clone().ok_or_else(none)?;
        let file = self.registry.package(id, &previous).map_err(|error| disk(&error))?;
        let authority =
            Authority { known_key: record.key.clone(), new_key_confirmed: false, developer: self.developer };
        let approved = Approved::new(file, &authority).map_err(|error| words::problem(&error))?;
        let manifest = approved.manifest().clone();
        let granted = still_granted(&previous.granted, &record.granted, lane.manifest.as_deref());
        let words = format!("back at version {}", previous.version);
        let mut next = record;
        next.granted = words::asked_for(&manifest, granted);
        // What the later version does not know was lost when that was set up.
        for setting in &manifest.settings {
            if let (false, Some(value)) =
                (next.settings.contains_key(&setting.key), previous.settings.get(&setting.key))
            {
                next.settings.insert(setting.key.clone(), value.clone());
            }
        }
        next.current = Installed { granted: PluginGrants::default(), settings: Map::new(), ..previous };
        next.previous = None;
        next.upgraded_ms = 0;
        let before = lane.manifest.replace(Arc::new(manifest));
        let taken = self.take_up(&plugin, &mut lane, next, None, &words);
        if taken.is_err() {
            lane.manifest = before;
        }
        taken
    }

    /// Removes a plugin with all it has. Waits for its thread.
    pub(super) fn remove(self: &Arc<Self>, id: &str) -> Result<(), PluginProblem> {
        let plugin = self.plugin(id)?;
        let ending = {
            let mut lane = plugin.lane_as_it_is();
            if lane.leaving {
                return Err(PluginProblem::NotNow("it is being removed".to_owned()));
            }
            lane.leaving = true;
            lane.stop()
        };
        self.silence(&plugin);
        if let Some(thread) = ending {
            // How it ended is of no interest any more.
            let _ = thread.join();
        }
        let _gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.registry.remove(id) {
            let mut lane = plugin.lane_as_it_is();
            lane.leaving = false;
            self.restart(&plugin, &mut lane);
            return Err(disk(&error));
        }
        self.plugins().remove(id);
        tracing::info!(plugin = id, "removed, with its settings, secrets and directory");
        self.changed();
        Ok(())
    }

    /// The actor ends; another begins, if the plugin is enabled.
    pub(super) fn restart(self: &Arc<Self>, plugin: &Arc<Plugin>, lane: &mut Lane) {
        let before = lane.stop();
        self.silence(plugin);
        plugin.face().about = About::of(&plugin.id, lane);
        match &lane.record {
            Some(record) if record.enabled => match Actor::start(self, plugin, record.clone(), before) {
                Ok(actor) => lane.actor = Some(actor),
                Err(error) => plugin.face().how = How::Broken(error.to_string()),
            },
            Some(_) => {
                lane.last = before;
                plugin.face().how = How::Disabled;
            }
            None => {}
        }
        self.changed();
    }

    /// Nobody listens to the actor and the test that ran until now.
    fn silence(&self, plugin: &Plugin) {
        let mut face = plugin.face();
        face.shift += 1;
        face.asking = None;
        face.exports.clear();
        if let Some(test) = face.test.take() {
            test.cancel();
        }
    }

    fn take_up(
        self: &Arc<Self>,
        plugin: &Arc<Plugin>,
        lane: &mut Lane,
        mut record: Record,
        secrets: Option<&Secrets>,
        words: &str,
    ) -> Result<(), PluginProblem> {
        self.registry.keep(&mut record, secrets).map_err(|error| disk(&error))?;
        tracing::info!(plugin = %record.id, "{words}");
        lane.record = Some(record);
        self.restart(plugin, lane);
        plugin.say("info", words);
        Ok(())
    }
}

/// Record and manifest of a plugin whose package can be read.
pub(super) fn whole(lane: &Lane) -> Result<(Record, Arc<Manifest>), PluginProblem> {
    let broken = || PluginProblem::NotNow("its package cannot be read".to_owned());
    let manifest = lane.manifest.as_ref().ok_or_else(broken)?;
    Ok((lane.record.clone().ok_or_else(broken)?, Arc::clone(manifest)))
}

/// The record after an upgrade: settings stay, the version before can be gone back to. The same file once more
/// is no new version.
fn upgraded(record: &Record, current: Installed) -> Record {
    let mut next = record.clone();
    if record.current.sha256 != current.sha256 {
        next.upgraded_ms = unix_ms(SystemTime::now());
        next.previous = Some(Installed {
            granted: record.granted.clone(),
            settings: record.settings.clone(),
            ..record.current.clone()
        });
    }
    next.current = current;
    next
}

/// What was granted to the version before, less what was taken away since.
fn still_granted(before: &PluginGrants, now: &PluginGrants, manifest: Option<&Manifest>) -> PluginGrants {
    let keep = |before: &[String], now: &[String]| {
        let taken_away = |id: &String| {
            // What the later version did not ask for, nobody could take away.
            !now.contains(id) && manifest.is_none_or(|manifest| manifest.net.iter().any(|net| net.id == *id))
        };
        before.iter().filter(|id| !taken_away(id)).cloned().collect()
    };
    PluginGrants {
        net: keep(&before.net, &now.net),
        private: keep(&before.private, &now.private),
        loopback: keep(&before.loopback, &now.loopback),
    }
}

/// Values that were typed, secrets apart: one that is not named stays, `null` and the empty text forget it.
fn sorted(
    manifest: &Manifest,
    values: Map<String, Value>,
    before: &Secrets,
) -> Result<(Map<String, Value>, Secrets), PluginProblem> {
    let (mut settings, mut secrets) = (Map::new(), before.clone());
    for (key, value) in values {
        let problem =
            |problem: &str| PluginProblem::Setting { key: key.clone(), problem: problem.to_owned() };
        let Some(setting) = manifest.settings.iter().find(|setting| setting.key == key) else {
            return Err(problem("is not one of the plugin's"));
        };
        if setting.kind != Kind::Secret {
            if !value.is_null() {
                settings.insert(key, value);
            }
            continue;
        }
        match value {
            Value::Null => drop(secrets.remove(&key)),
            Value::String(secret) if secret.is_empty() => drop(secrets.remove(&key)),
            Value::String(secret) => drop(secrets.insert(key, secret)),
            _ => return Err(problem("is of the wrong kind")),
        }
    }
    Ok((settings, secrets))
}

/// A secret that nobody typed now.
fn kept(manifest: &Manifest, secrets: &Secrets, typed: &[String]) -> Option<String> {
    let is_kept = |key: &String| secrets.contains_key(key) && !typed.contains(key);
    manifest.settings.iter().map(|setting| &setting.key).find(|key| is_kept(key)).cloned()
}

/// Whether a setting names another server than before: whoever changes it does not thereby get what was typed for that one.
fn leads_elsewhere(manifest: &Manifest, before: &Map<String, Value>, now: &Map<String, Value>) -> bool {
    let nets = manifest.net.iter().filter_map(|net| net.from_setting.as_deref());
    let tokens = manifest.auth.iter().filter_map(|auth| auth.token_url_setting.as_deref());
    nets.chain(tokens).any(|key| place(manifest, before, key) != place(manifest, now, key))
}

/// The server that a setting names.
fn place(manifest: &Manifest, values: &Map<String, Value>, key: &str) -> Option<String> {
    let usual = manifest.setting(key).and_then(|setting| setting.default.as_ref());
    let text = values.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let text = text.or_else(|| usual.and_then(Value::as_str))?;
    let target = Url::parse(text).ok().and_then(|url| Target::of(&url).ok());
    Some(target.map_or_else(|| text.to_owned(), |target| target.place()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(ids: &[&str]) -> PluginGrants {
        PluginGrants { net: ids.iter().map(|id| (*id).to_owned()).collect(), ..PluginGrants::default() }
    }

    #[test]
    fn what_was_taken_away_since_does_not_come_back_and_what_nobody_could_take_away_does() {
        // The version in use asks for `kept` and `taken`; the one before asked for `renamed` as well.
        let text = "manifest = 1\n[plugin]\nid = \"org.example.people\"\nname = \"N\"\nversion = \"2.0.0\"\nabi = \"0.1\"\n\
            description = \"D\"\n[[net]]\nid = \"kept\"\nhosts = [\"https://a.example\"]\nreason = \"R\"\n\
            [[net]]\nid = \"taken\"\nhosts = [\"https://b.example\"]\nreason = \"R\"\n";
        let manifest = Manifest::parse(text);
        let before = net(&["kept", "taken", "renamed"]);
        let now = still_granted(&before, &net(&["kept"]), manifest.as_ref().ok());
        assert_eq!(now, net(&["kept", "renamed"]));
        assert_eq!(
            still_granted(&before, &net(&["kept"]), None),
            net(&["kept"]),
            "not known: nothing comes back"
        );
    }
}
