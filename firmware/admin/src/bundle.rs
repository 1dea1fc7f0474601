//! Diagnostics for support, as one `.tar.gz`: figures, settings, the desk as it is, plugins and their logs, the log.
//!
//! Never a password. Names and numbers are struck out (`mask`) unless the administrator says otherwise.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use ipc::{Diagnostics, PluginLogLine, PluginView, View};
use serde_json::{Value, json};
use store::{MarkedCall, Settings, StoreHealth};

use crate::{health::Health, logs::Line, mask::Mask};

/// Everything that goes in.
pub(crate) struct Bundle {
    pub(crate) version: String,
    pub(crate) made_ms: i64,
    pub(crate) up_s: u64,
    pub(crate) diagnostics: Option<Diagnostics>,
    pub(crate) health: Health,
    pub(crate) store: Result<(StoreHealth, Settings), String>,
    pub(crate) view: View,
    /// `Err` says why the plugin host is away.
    pub(crate) plugins: Result<Vec<(PluginView, Vec<PluginLogLine>)>, String>,
    pub(crate) log: Vec<Line>,
    /// Calls that something was wrong with.
    pub(crate) marks: Vec<MarkedCall>,
    /// Updates, oldest first.
    pub(crate) updates: Vec<update::Attempt>,
    /// The newest SIP messages as a pcapng file; names and numbers are in them.
    pub(crate) trace: Option<Vec<u8>>,
    /// Names and numbers stay in.
    pub(crate) is_plain: bool,
}

const READ_ME: &str = "Diagnostics of a Frontdesk box.\n\
    about.json     version, time it runs, figures of the engine, memory, disk, database\n\
    settings.json  settings without passwords\n\
    desk.json      the desk as its screen shows it\n\
    plugins.json   plugins and what they have logged\n\
    marks.json     the last minute of calls that something was wrong with, second by second; no speech, no names\n\
    updates.json   updates of the box, and what came of them\n\
    log.txt        the newest lines of the log\n\
    sip.pcapng     the newest SIP messages without secrets, for Wireshark; only with names and numbers\n";

impl Bundle {
    /// Packs it. Blocks for as long as compressing a few megabytes takes.
    pub(crate) fn pack(self) -> io::Result<Vec<u8>> {
        let mut mask = Mask::default();
        let mut masked = |mut value: Value| {
            if !self.is_plain {
                mask.value(&mut value);
            }
            value
        };
        let (health, settings) = match &self.store {
            Ok((health, settings)) => (json!(health), settings.clone().without_passwords()),
            Err(reason) => (json!({ "unreadable": reason }), Settings::default()),
        };
        let about = json!({
            "version": self.version,
            "made_ms": self.made_ms,
            "up_s": self.up_s,
            "names_and_numbers": if self.is_plain { "as they are" } else { "struck out" },
            "diagnostics": self.diagnostics,
            "memory": { "resident": self.health.resident, "free": self.health.memory_free, "all": self.health.memory },
            "disk": { "free": self.health.disk_free, "all": self.health.disk },
            "database": health,
        });
        // First what has names, so that the log loses them too.
        let settings = masked(serde_json::to_value(&settings)?);
        let desk = masked(serde_json::to_value(&self.view)?);
        let mut said = |words: &str| if self.is_plain { words.to_owned() } else { mask.line(words) };
        let plugins = match &self.plugins {
            Err(reason) => json!({ "away": reason }),
            Ok(plugins) => plugins.iter().map(|(plugin, log)| plugin_value(plugin, log, &mut said)).collect(),
        };
        let updates: Value = self.updates.iter().map(update_value).collect();
        let marks: Value = self.marks.iter().map(mark_value).collect();
        let log: String = self.log.iter().map(|line| said(&line.text) + "\n").collect();
        let mut pack = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let made = u64::try_from(self.made_ms / 1000).unwrap_or(0);
        let mut add = |name: &str, text: &[u8]| {
            let mut head = tar::Header::new_ustar();
            head.set_size(text.len() as u64);
            head.set_mode(0o600);
            head.set_mtime(made);
            pack.append_data(&mut head, format!("frontdesk-diagnostics/{name}"), text)
        };
        add("README", READ_ME.as_bytes())?;
        for (name, value) in [
            ("about.json", about),
            ("settings.json", settings),
            ("desk.json", desk),
            ("plugins.json", plugins),
            ("marks.json", marks),
            ("updates.json", updates),
        ] {
            add(name, &serde_json::to_vec_pretty(&value)?)?;
        }
        add("log.txt", log.as_bytes())?;
        if let Some(trace) = self.trace.as_ref().filter(|_| self.is_plain) {
            add("sip.pcapng", trace)?;
        }
        let mut gzip = pack.into_inner()?;
        gzip.flush()?;
        gzip.finish()
    }
}

/// What a plugin is called is its author's word; what it says may be about people.
fn plugin_value(plugin: &PluginView, log: &[PluginLogLine], said: &mut impl FnMut(&str) -> String) -> Value {
    let PluginView { id, name, version, enabled, previous, counters, granted, interval_s, .. } = plugin;
    let line = |line: &PluginLogLine| json!({ "at_ms": line.at_ms, "level": line.level, "host": line.host, "words": said(&line.words) });
    let log: Vec<Value> = log.iter().map(line).collect();
    json!({
        "id": id, "name": name, "version": version, "previous": previous, "enabled": enabled,
        "interval_s": interval_s, "counters": counters, "granted": granted,
        "state": said(&format!("{:?}", plugin.state)), "directory": plugin.directory, "log": log,
    })
}

/// Neither who wanted it nor a line's number is in it.
fn update_value(attempt: &update::Attempt) -> Value {
    let update::Attempt { id, version, begun_ms, ended_ms, from, to, outcome, .. } = attempt;
    let outcome = match outcome {
        update::Outcome::RolledBack { troubles } => json!({ "rolled_back": troubles.len() }),
        update::Outcome::Kept { troubles } => json!({ "kept": troubles.len() }),
        other => json!(other),
    };
    json!({
        "id": id, "version": version, "begun_ms": begun_ms, "ended_ms": ended_ms, "from": from, "to": to,
        "outcome": outcome,
    })
}

/// Nothing of who called is in it.
fn mark_value(marked: &MarkedCall) -> Value {
    let MarkedCall { mark, call, .. } = marked;
    json!({
        "said_unix_ms": mark.at_unix_ms, "until_unix_ms": mark.until_unix_ms, "seconds": mark.seconds,
        "call": {
            "row": call.id, "began_unix_ms": call.began_unix_ms, "direction": call.direction, "end": call.end,
            "talk_ms": call.talk_ms, "hold_ms": call.hold_ms, "sound": call.sound,
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use store::{Account, Secret};

    use super::*;
    use crate::logs::{Level, LogRing};

    /// The files of a bundle, one after the other.
    pub(crate) fn unpacked(bytes: &[u8]) -> String {
        let mut archive = tar::Archive::new(GzDecoder::new(bytes));
        let mut all = String::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            all.push_str(&format!("== {}\n", entry.path().unwrap().display()));
            entry.read_to_string(&mut all).unwrap();
        }
        all
    }

    fn bundle(is_plain: bool) -> Bundle {
        let ring = LogRing::default();
        ring.push(
            b"2026-11-26T10:00:00.0Z  INFO frontdeskd: incoming call from=\"0791234567\" Marguerite Dupont\n",
        );
        let account = Account {
            user: "5550100".into(),
            domain: "pbx.example".into(),
            display_name: "Marguerite Dupont".into(),
            password: Secret::new("hunter2-hunter2"),
            ..Account::default()
        };
        let settings = Settings { accounts: vec![account], ..Settings::default() };
        Bundle {
            version: "1.2.3".into(),
            made_ms: 1,
            up_s: 2,
            diagnostics: None,
            health: Health::default(),
            store: Ok((StoreHealth::default(), settings)),
            view: View::default(),
            plugins: Err("away".into()),
            log: ring.newest(Level::Debug, 10),
            marks: Vec::new(),
            updates: vec![update::Attempt {
                who: "Marguerite Dupont".into(),
                version: "2".into(),
                ..update::Attempt::default()
            }],
            trace: Some(b"packets of 0791234567".to_vec()),
            is_plain,
        }
    }

    #[test]
    fn app_2_a_bundle_has_no_password_and_names_only_when_asked_for() {
        let masked = unpacked(&bundle(false).pack().unwrap());
        for name in [
            "README",
            "about.json",
            "settings.json",
            "desk.json",
            "plugins.json",
            "marks.json",
            "updates.json",
            "log.txt",
        ] {
            assert!(masked.contains(&format!("== frontdesk-diagnostics/{name}\n")), "{name}");
        }
        for gone in ["hunter2", "Marguerite", "5550100", "0791234567", "pbx.example"] {
            assert!(!masked.contains(gone), "{gone}:\n{masked}");
        }
        assert!(!masked.contains("== frontdesk-diagnostics/sip.pcapng"), "names and numbers are in it");
        assert!(masked.contains("incoming call from=") && masked.contains("1.2.3"));
        let plain = unpacked(&bundle(true).pack().unwrap());
        assert!(plain.contains("== frontdesk-diagnostics/sip.pcapng\npackets of 0791234567"));
        assert!(
            plain.contains("Marguerite Dupont") && plain.contains("0791234567") && !plain.contains("hunter2")
        );
    }
}
