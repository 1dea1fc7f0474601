//! Zero-touch provisioning (APP-5): the address and the code that an administrator typed, and which file was taken last;
//! and settings files that are laid over what is set, wholly or not at all.
//!
//! Not done here: finding the address, fetching the file.

use serde::{Deserialize, Serialize};

use crate::documents::{load_document, put_settings, save_document, settings};
use crate::{Failure, Secret, Settings, Store, StoreError};

const PROVISIONED: &str = "provisioned";

/// What is known of provisioning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provisioned {
    /// The address that an administrator typed; without one it is that of the configuration, else DHCP's.
    pub url: Option<String>,
    /// The one-time code that was typed, until a file was taken with it.
    pub code: Secret,
    /// The file that was taken last.
    pub taken: Option<TakenFile>,
}

/// A settings file of a provisioning server that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TakenFile {
    /// Its address.
    pub url: String,
    /// The version that the server gave it.
    pub etag: Option<String>,
    /// Its SHA-256, in hexadecimal.
    pub digest: String,
    /// When it was taken, Unix milliseconds.
    pub at_ms: i64,
}

/// Who named the server of a provisioning file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// An administrator, or the configuration.
    Administrator,
    /// DHCP, which anybody in the network can answer; see [`Provisioned::follows_dhcp`].
    Dhcp,
}

impl Provisioned {
    /// Whether a desk with these settings follows DHCP to the file at this address, as `url::Url` writes it: nobody has
    /// typed an address, and the desk has no account yet or took its last file from that machine.
    #[must_use]
    pub fn follows_dhcp(&self, settings: &Settings, url: &str) -> bool {
        let was_there = self.taken.as_ref().is_some_and(|taken| machine(&taken.url) == machine(url));
        self.url.is_none() && (settings.accounts.is_empty() || was_there)
    }

    /// Once a file was got with this code.
    fn after(self, taken: TakenFile, sent: &Secret) -> Self {
        let code = if self.code == *sent { Secret::default() } else { self.code };
        Self { url: self.url, code, taken: Some(taken) }
    }
}

impl Store {
    /// What is known of provisioning.
    ///
    /// # Errors
    /// The database's.
    pub fn load_provisioned(&self) -> Result<Provisioned, StoreError> {
        self.read("read what was provisioned", provisioned)
    }

    /// Keeps the address that was typed (`None`: none), and a code where one was typed. A code that was typed for one
    /// machine is dropped when the address becomes that of another one, or of whatever DHCP names.
    ///
    /// # Errors
    /// The database's.
    pub fn order_provisioning(
        &mut self,
        url: Option<String>,
        code: Option<Secret>,
    ) -> Result<(), StoreError> {
        self.write("keep where the desk is provisioned from", |db| {
            let known = provisioned(db)?;
            let is_for_another = known
                .url
                .as_deref()
                .is_some_and(|before| url.as_deref().map(machine) != Some(machine(before)));
            let before = if is_for_another { Secret::default() } else { known.code };
            let code = code.unwrap_or(before);
            save_document(db, PROVISIONED, &Provisioned { url, code, ..known })
        })
    }

    /// Forgets the code that was typed; whether there was one. A look at the server that is under way has it still.
    ///
    /// # Errors
    /// The database's.
    pub fn forget_provisioning_code(&mut self) -> Result<bool, StoreError> {
        self.write("forget the provisioning code", |db| {
            let known = provisioned(db)?;
            let is_there = !known.code.is_empty();
            if is_there {
                save_document(db, PROVISIONED, &Provisioned { code: Secret::default(), ..known })?;
            }
            Ok(is_there)
        })
    }

    /// Notes that the server has the file that was taken before, by the version that it gives it now. The code that `sent`
    /// is has done its duty; one that was typed meanwhile waits for the next look.
    ///
    /// # Errors
    /// The database's.
    pub fn note_provisioned(&mut self, taken: TakenFile, sent: &Secret) -> Result<(), StoreError> {
        self.write("note what was provisioned", |db| {
            let known = provisioned(db)?.after(taken, sent);
            save_document(db, PROVISIONED, &known)
        })
    }

    /// Takes a file of a provisioning server and notes that, both or neither. The code that `sent` is has done its duty; one
    /// that was typed meanwhile waits for the next look. The settings as they are then. Whether DHCP is followed is looked at
    /// here too: fetching takes its time, and somebody may have set the desk up meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Settings`] says where in `file` what is not allowed; [`StoreError::NotFollowed`]; or the database's.
    pub fn provision(
        &mut self,
        text: &str,
        file: &str,
        taken: TakenFile,
        named: NamedBy,
        sent: &Secret,
    ) -> Result<Settings, StoreError> {
        self.write("take a provisioning file", |db| {
            let (now, known) = (settings(db)?, provisioned(db)?);
            if named == NamedBy::Dhcp && !known.follows_dhcp(&now, &taken.url) {
                return Err(StoreError::NotFollowed.into());
            }
            let wanted = now.overlaid(text, file).map_err(StoreError::from)?;
            put_settings(db, wanted)?;
            save_document(db, PROVISIONED, &known.after(taken, sent))?;
            settings(db)
        })
    }

    /// Lays a settings file over what is set: the tables that are in it take the place of those there are, the others
    /// stay. The settings as they are then.
    ///
    /// # Errors
    /// [`StoreError::Settings`] says where in `file` what is not allowed; or the database's.
    pub fn overlay_settings(&mut self, text: &str, file: &str) -> Result<Settings, StoreError> {
        self.write("take a settings file", |db| {
            let wanted = settings(db)?.overlaid(text, file).map_err(StoreError::from)?;
            put_settings(db, wanted)?;
            settings(db)
        })
    }
}

/// Scheme, machine and port of an address, as far as they are written; a bare name is asked by https.
fn machine(url: &str) -> (String, String) {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("https", url.trim()));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    (scheme.to_ascii_lowercase(), rest[..end].to_ascii_lowercase())
}

fn provisioned(db: &rusqlite::Connection) -> Result<Provisioned, Failure> {
    Ok(load_document(db, PROVISIONED)?.unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HOUSE: &str = "[[accounts]]\nuser = \"1000\"\ndomain = \"pbx.example\"\npassword = \"secret\"\n\
        [[lines]]\nnumber = \"5550100\"\nname = \"Sales\"\n[rules]\nhold_alarm_s = 77\n";

    fn open() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        store.overlay_settings(HOUSE, "house.toml").unwrap();
        (folder, store)
    }

    fn taken(digest: &str) -> TakenFile {
        TakenFile { url: "https://x/".into(), etag: Some("\"1\"".into()), digest: digest.into(), at_ms: 5 }
    }

    #[test]
    fn app_5_tables_that_a_file_does_not_have_stay_as_they_are() {
        let (_folder, mut store) = open();
        let staff = "[[lines]]\nnumber = \"5550101\"\nname = \"Support\"\naccount = \"1000\"\n\
                     [[directories]]\nname = \"Staff\"\nlocal = true\nline = \"5550101\"\n";
        let now = store
            .provision(staff, "box.toml", taken("a"), NamedBy::Administrator, &Secret::default())
            .unwrap();
        let names: Vec<&str> = now.lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["Support"]);
        assert_eq!((now.rules.hold_alarm_s, now.directories.len()), (77, 1));
        assert_eq!(now.accounts[0].password.reveal(), "secret");
        assert_eq!(now, store.load_settings().unwrap());
        // An account without password keeps the one it has.
        let account = "[[accounts]]\nuser = \"1000\"\ndomain = \"pbx.example\"\nexpires_s = 900\n";
        let now = store
            .provision(account, "box.toml", taken("b"), NamedBy::Administrator, &Secret::default())
            .unwrap();
        assert_eq!((now.accounts[0].password.reveal(), now.accounts[0].expires_s), ("secret", 900));
        assert_eq!((now.lines.len(), now.directories.len()), (1, 1));
    }

    #[test]
    fn app_5_a_file_with_anything_wrong_changes_nothing_and_says_where() {
        let (_folder, mut store) = open();
        store.order_provisioning(Some("https://x/".into()), Some(Secret::new("12345"))).unwrap();
        let (before, known) = (store.load_settings().unwrap(), store.load_provisioned().unwrap());
        for (text, words) in [
            (
                "[rules]\nhold_alarm_s = 60\n[[lines]]\nnumber = \"1\"\nname = \"\"\n",
                "box.toml:5: lines (1.) name",
            ),
            ("[rules]\nhold_alarm_s = 60\nhold_alarm = 3\n", "box.toml:3: unknown field `hold_alarm`"),
            (
                "[[lines]]\nnumber = \"1\"\nname = \"A\"\naccount = \"nobody\"\n",
                "box.toml:4: lines (1.) account",
            ),
            // What it takes away is needed by what stays.
            (
                "accounts = []\n[[lines]]\nnumber = \"1\"\nname = \"A\"\naccount = \"1000\"\n",
                "\"1000\" is no account",
            ),
            ("<html>", "box.toml:1"),
        ] {
            let taken =
                store.provision(text, "box.toml", taken("c"), NamedBy::Administrator, &Secret::default());
            let error = taken.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert_eq!(store.load_settings().unwrap(), before);
            assert_eq!(store.load_provisioned().unwrap(), known);
        }
    }

    #[test]
    fn app_5_a_code_does_not_go_to_another_machine_than_it_was_typed_for() {
        let (_folder, mut store) = open();
        let mut kept = |url: Option<&str>| {
            store.order_provisioning(Some("https://a.example/".into()), Some(Secret::new("12345"))).unwrap();
            store.order_provisioning(url.map(str::to_owned), None).unwrap();
            !store.load_provisioned().unwrap().code.is_empty()
        };
        assert!(kept(Some("https://a.example/desks/")) && kept(Some("A.example")));
        assert!(!kept(Some("https://b.example/")) && !kept(Some("http://a.example/")) && !kept(None));
        store.order_provisioning(Some("https://b.example/".into()), Some(Secret::new("6"))).unwrap();
        assert_eq!(
            store.load_provisioned().unwrap().code.reveal(),
            "6",
            "one that is typed with it is for it"
        );
    }

    #[test]
    fn app_5_a_code_is_forgotten_when_somebody_wants_that_and_nothing_else_is() {
        let (_folder, mut store) = open();
        store.note_provisioned(taken("a"), &Secret::default()).unwrap();
        store.order_provisioning(Some("https://x/".into()), Some(Secret::new("12345"))).unwrap();
        assert!(store.forget_provisioning_code().unwrap());
        let known = store.load_provisioned().unwrap();
        assert_eq!((known.url.as_deref(), known.code.reveal()), (Some("https://x/"), ""));
        assert_eq!(known.taken, Some(taken("a")));
        assert!(!store.forget_provisioning_code().unwrap(), "there is none any more");
    }

    #[test]
    fn app_5_what_dhcp_names_is_not_taken_by_a_desk_that_was_set_up_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("desk.db");
        let (mut page, mut task) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        // As when the task has looked, and waits for its server.
        let known = task.load_provisioned().unwrap();
        assert!(known.follows_dhcp(&task.load_settings().unwrap(), "https://x/"));
        page.overlay_settings(HOUSE, "house.toml").unwrap();
        let before = page.load_settings().unwrap();
        let rules = "[rules]\nhold_alarm_s = 60\n";
        let mut take = |named| task.provision(rules, "box.toml", taken("a"), named, &Secret::default());
        assert!(matches!(take(NamedBy::Dhcp), Err(StoreError::NotFollowed)));
        assert_eq!(page.load_settings().unwrap(), before);
        assert_eq!(page.load_provisioned().unwrap(), Provisioned::default());
        // From the machine that an administrator has named before, it is followed; not past a newer address of theirs.
        assert_eq!(take(NamedBy::Administrator).unwrap().rules.hold_alarm_s, 60);
        take(NamedBy::Dhcp).unwrap();
        page.order_provisioning(Some("https://y/".into()), None).unwrap();
        assert!(matches!(take(NamedBy::Dhcp), Err(StoreError::NotFollowed)));
    }

    #[test]
    fn app_5_a_code_is_kept_until_a_file_was_taken_with_it() {
        let (folder, mut store) = open();
        store.order_provisioning(None, Some(Secret::new("12345"))).unwrap();
        store.order_provisioning(Some("https://x/".into()), None).unwrap();
        drop(store);
        let mut store = Store::open(folder.path().join("desk.db")).unwrap();
        let known = store.load_provisioned().unwrap();
        assert_eq!((known.url.as_deref(), known.code.reveal()), (Some("https://x/"), "12345"));
        assert!(!format!("{known:?}").contains("12345"));
        let rules = "[rules]\nhold_alarm_s = 60\n";
        let by = NamedBy::Administrator;
        store.provision(rules, "box.toml", taken("d"), by, &Secret::new("12345")).unwrap();
        let known = store.load_provisioned().unwrap();
        assert!(known.code.is_empty() && known.taken == Some(taken("d")), "{known:?}");
        store.order_provisioning(None, Some(Secret::new("67890"))).unwrap();
        store.note_provisioned(taken("e"), &Secret::new("67890")).unwrap();
        let known = store.load_provisioned().unwrap();
        assert!(known.code.is_empty() && known.taken == Some(taken("e")), "{known:?}");
    }

    #[test]
    fn app_5_a_code_that_is_typed_while_the_server_is_asked_is_not_forgotten_unsent() {
        let (_folder, mut store) = open();
        let rules = "[rules]\nhold_alarm_s = 60\n";
        for sent in ["", "12345"].map(Secret::new) {
            store.order_provisioning(None, Some(Secret::new("67890"))).unwrap();
            store.provision(rules, "box.toml", taken("d"), NamedBy::Administrator, &sent).unwrap();
            assert_eq!(store.load_provisioned().unwrap().code.reveal(), "67890", "{sent:?}");
            store.note_provisioned(taken("e"), &sent).unwrap();
            let known = store.load_provisioned().unwrap();
            assert_eq!((known.code.reveal(), known.taken), ("67890", Some(taken("e"))), "{sent:?}");
        }
    }
}
