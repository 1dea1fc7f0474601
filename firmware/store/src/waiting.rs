//! What callers hear who wait: music on hold, and the announcement before it.

use serde::{Deserialize, Serialize};

use crate::settings::{At, Invalid};

/// Table `[waiting]` of the settings: WAV or Opus files of the box, each by its whole path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Waiting {
    /// What callers on hold hear whose line has nothing of its own; without it, what the box's own configuration file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub music: Option<String>,
    /// What callers whom a rule answered hear first, once; without it, what the box's own configuration file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        let at = At { table: "waiting", index: None };
        at.path("music", self.music.as_deref())?;
        at.path("announcement", self.announcement.as_deref())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::Connection;

    use crate::{Settings, Store};

    const FILE: &str = "[waiting]\nmusic = \"/a/music.wav\"\nannouncement = \"/a/please-wait.opus\"\n";

    #[test]
    fn app_5_what_callers_hear_who_wait_is_read_and_written_and_a_file_without_it_changes_nothing_of_it() {
        let settings = Settings::from_toml(FILE, "x").unwrap();
        assert_eq!(settings.waiting.music.as_deref(), Some("/a/music.wav"));
        assert_eq!(Settings::from_toml(&settings.to_toml(true), "x").unwrap(), settings);
        assert!(!Settings::default().to_toml(true).contains("[waiting]"));
        let laid = settings.overlaid("[operator]\nname = \"Accueil\"\n", "x").unwrap();
        assert_eq!(laid.waiting, settings.waiting);
        assert_eq!(settings.overlaid("[waiting]\n", "x").unwrap().waiting, super::Waiting::default());
        for path in ["", "music.wav", "../music.wav"] {
            let file = format!("[waiting]\nannouncement = \"{path}\"\n");
            let error = Settings::from_toml(&file, "x").unwrap_err().to_string();
            assert!(error.starts_with("x:2: waiting announcement: "), "{path:?}: {error}");
        }
    }

    #[test]
    fn app_3_an_older_program_finds_no_table_in_the_settings_that_it_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let settings = Settings::from_toml(FILE, "x").unwrap();
        Store::open(&path).unwrap().save_settings(&settings).unwrap();
        assert_eq!(Store::open(&path).unwrap().load_settings().unwrap().waiting, settings.waiting);
        let sql = "SELECT body FROM document WHERE name = 'settings'";
        let db = Connection::open(&path).unwrap();
        let body: String = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert!(body.contains("operator") && !body.contains("\"waiting\""), "{body}");
        Store::open(&path).unwrap().save_settings(&Settings::default()).unwrap();
        let waiting = Store::open(&path).unwrap().load_settings().unwrap().waiting;
        assert!(waiting.is_empty());
    }
}
