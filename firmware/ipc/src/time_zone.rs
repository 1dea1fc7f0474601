//! Time zones by their names in the IANA database, such as `Europe/Paris`: which this machine knows, and how a program comes
//! to run in one.
//!
//! A program's zone is the variable `TZ` of its environment, which cannot be changed while threads run. So it executes itself
//! again with another one, at its start or instead of ending: the process stays the same, and so does what its supervisor
//! knows of it. The only logic of this crate, because desk, screen and command line must do it in the same way.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest name of a zone, in bytes.
pub const MAX_TIME_ZONE: usize = 64;

/// Where the database is, where `TZDIR` does not say it.
const DATABASE: &str = "/usr/share/zoneinfo";
/// The first bytes of a zone's file (RFC 9636).
const MAGIC: &[u8; 4] = b"TZif";
/// What `TZ` was before a program took the desk's zone, empty where it was not set. It is needed again when the desk has none
/// of its own any more.
const OWN: &str = "FRONTDESK_OWN_TZ";

/// Whether this machine knows a zone of that name. Reads a file.
#[must_use]
pub fn is_time_zone(name: &str) -> bool {
    is_zone_in(&database(), name)
}

/// The zones that this machine knows, for somebody to choose from: those of a place, and `UTC`, by name. Reads a file for each;
/// empty where there is no database.
#[must_use]
pub fn time_zones() -> Vec<String> {
    zones_in(&database())
}

/// This program with the same arguments in that zone, or, where `name` is empty, in the one that it had of its own. `None` when
/// it runs in it already.
///
/// # Errors
/// When this machine does not know the zone, or cannot say which file this program is.
pub fn in_time_zone(name: &str) -> io::Result<Option<Command>> {
    let wanted = match name {
        "" => None,
        name if is_time_zone(name) => Some(variable(name)),
        name => {
            let words = format!("this machine does not know the time zone {name:?}");
            return Err(io::Error::new(io::ErrorKind::NotFound, words));
        }
    };
    let now = Environment { zone: env::var_os("TZ"), own: env::var_os(OWN) };
    let Some(next) = now.next(wanted) else { return Ok(None) };
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1));
    for (name, value) in [("TZ", next.zone), (OWN, next.own)] {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Ok(Some(command))
}

/// What of the environment is about zones.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Environment {
    zone: Option<OsString>,
    own: Option<OsString>,
}

impl Environment {
    /// The one to run in that zone, or in the own one; `None` when it is this one.
    fn next(&self, wanted: Option<OsString>) -> Option<Self> {
        match (wanted, &self.own) {
            (None, None) => None,
            (None, Some(own)) => {
                Some(Self { zone: Some(own.clone()).filter(|own| !own.is_empty()), own: None })
            }
            (wanted, _) if wanted == self.zone => None,
            (wanted, own) => {
                let own = own.clone().unwrap_or_else(|| self.zone.clone().unwrap_or_default());
                Some(Self { zone: wanted, own: Some(own) })
            }
        }
    }
}

/// What `TZ` says of a zone: its name, or its file where the database is elsewhere, which not every reader of `TZ` looks up.
fn variable(name: &str) -> OsString {
    let folder = database();
    if folder == Path::new(DATABASE) { name.into() } else { folder.join(name).into() }
}

fn database() -> PathBuf {
    let folder = env::var_os("TZDIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    folder.unwrap_or_else(|| DATABASE.into())
}

fn is_zone_in(folder: &Path, name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "_+-".contains(letter))
    };
    // No dot, so that no name leads out of the folder.
    if name.len() > MAX_TIME_ZONE || !name.split('/').all(is_part) {
        return false;
    }
    let mut first = [0; MAGIC.len()];
    let read = File::open(folder.join(name)).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == *MAGIC
}

fn zones_in(folder: &Path) -> Vec<String> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
    let mut names = compact(&read("tzdata.zi"));
    if names.is_empty() {
        names.extend(["zone1970.tab", "zone.tab"].iter().flat_map(|file| table(&read(file))));
        names.insert("UTC".into());
    }
    // Names without a place, such as `EST5EDT`, are there for programs of old.
    names.retain(|name| (name.contains('/') || name == "UTC") && is_zone_in(folder, name));
    names.into_iter().collect()
}

/// The names in the database as one file: `Z NAME …` is a zone, `L TARGET NAME` another name of one (zic(8)).
fn compact(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        match words.next()? {
            "Z" => words.next().map(str::to_owned),
            "L" => words.nth(1).map(str::to_owned),
            _ => None,
        }
    };
    text.lines().filter_map(name).collect()
}

/// The names in a table of places: the third column.
fn table(text: &str) -> Vec<String> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split('\t').nth(2)).map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A database of a test's own.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str, files: &[(&str, &str)]) -> Self {
            let folder = Self(env::temp_dir().join(format!("frontdesk-zones-{test}-{}", std::process::id())));
            for (name, text) in files {
                let path = folder.0.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            folder
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // It is in the folder for such things.
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const FILES: [(&str, &str); 5] = [
        ("Europe/Paris", "TZif2 and so on"),
        ("Asia/Tokyo", "TZif2"),
        ("UTC", "TZif"),
        ("EST5EDT", "TZif2"),
        ("Europe/Empty", "TZ"),
    ];

    #[test]
    fn app_2_zones_are_those_of_the_database_that_have_a_file() {
        let compact = "# version 2025b\nR E 1977 1980 - Ap Su>=1 1u 1 S\nZ Europe/Paris 0:9:21 - LMT 1891\n1 E CE%sT\n\
                       Z EST5EDT -5 u E%sT\nL Asia/Tokyo Japan\nL Etc/UTC UTC\nZ Asia/Tokyo 9 - JST\nZ Europe/Empty 1\n\
                       L Europe/Paris Europe/Gone\n";
        let folder = Folder::new("compact", &FILES);
        fs::write(folder.0.join("tzdata.zi"), compact).unwrap();
        assert_eq!(zones_in(&folder.0), ["Asia/Tokyo", "Europe/Paris", "UTC"]);
    }

    #[test]
    fn app_2_without_the_whole_database_the_tables_of_places_will_do() {
        let folder = Folder::new("tables", &FILES);
        assert!(zones_in(&folder.0.join("nothing")).is_empty());
        fs::write(folder.0.join("zone1970.tab"), "# TZ\nFR,MC\t+4852+00220\tEurope/Paris\n").unwrap();
        fs::write(
            folder.0.join("zone.tab"),
            "JP\t+353916+1394441\tAsia/Tokyo\tall of it\nFR\t+4852+00220\tEurope/Paris\n",
        )
        .unwrap();
        assert_eq!(zones_in(&folder.0), ["Asia/Tokyo", "Europe/Paris", "UTC"]);
    }

    #[test]
    fn app_2_a_name_is_a_zone_only_with_its_file_and_leads_nowhere_else() {
        let folder = Folder::new("names", &FILES);
        for name in ["Europe/Paris", "EST5EDT", "UTC"] {
            assert!(is_zone_in(&folder.0, name), "{name}");
        }
        let long = "A".repeat(5000);
        for name in [
            "",
            "Europe",
            "Europe/",
            "/Europe/Paris",
            "Europe//Paris",
            "Europe/Empty",
            "Europe/../UTC",
            "../etc/passwd",
            "Europe/Paris\n",
            "Europe Paris",
            "europe/paris",
            "UTC\0",
            long.as_str(),
        ] {
            assert!(!is_zone_in(&folder.0, name), "{name:?}");
        }
    }

    #[test]
    fn app_2_a_program_goes_to_a_zone_to_another_and_back_to_its_own_and_is_then_where_it_was() {
        let zone = |name: &str| Some(OsString::from(name));
        for own in [None, zone("Europe/Berlin")] {
            let first = Environment { zone: own.clone(), own: None };
            assert_eq!(first.next(None), None);
            let tokyo = first.next(zone("Asia/Tokyo")).unwrap();
            assert_eq!(
                tokyo,
                Environment { zone: zone("Asia/Tokyo"), own: Some(own.clone().unwrap_or_default()) }
            );
            assert_eq!(tokyo.next(zone("Asia/Tokyo")), None, "or it would never end");
            let paris = tokyo.next(zone("Europe/Paris")).unwrap();
            assert_eq!(paris, Environment { zone: zone("Europe/Paris"), ..tokyo });
            assert_eq!(paris.next(None), Some(first));
        }
        // Whoever started it has said the same.
        let same = Environment { zone: zone("Asia/Tokyo"), own: None };
        assert_eq!(same.next(zone("Asia/Tokyo")), None);
    }
}
