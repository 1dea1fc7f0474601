//! Radicale as the CardDAV server of a company: a plain process on a free port, with an address book in it, a
//! password and a certificate.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::Identity;
use crate::program::Program;
use crate::wait;

/// Who may read.
pub const USER: &str = "desk";
/// The reader's password.
pub const PASSWORD: &str = "dav-pw-desk";

/// A running Radicale.
#[derive(Debug)]
pub struct Radicale {
    /// The process.
    pub program: Program,
    /// Its HTTPS port on 127.0.0.1.
    pub port: u16,
    book: PathBuf,
}

impl Radicale {
    /// Starts it with these cards, a vCard each, in one address book.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, port: u16, identity: &Identity, cards: &[String]) -> Self {
        let folder = scratch.join("radicale");
        let book = folder.join("books/collection-root").join(USER).join("people");
        fs::create_dir_all(&book).expect("the scratch folder is writable");
        let write = |path: PathBuf, text: &str| {
            fs::write(path, text).expect("the scratch folder is writable");
        };
        write(book.join(".Radicale.props"), r#"{"tag": "VADDRESSBOOK", "D:displayname": "People"}"#);
        write(folder.join("users"), &format!("{USER}:{PASSWORD}\n"));
        write(folder.join("config"), &config(&folder, port, identity));
        let mut server = Self { program: run(scratch, port), port, book };
        for (n, card) in cards.iter().enumerate() {
            server.put(&format!("p{n}"), card);
        }
        server
    }

    /// Puts a card where the server keeps them, or another in its place.
    ///
    /// # Panics
    /// When it cannot be written.
    #[track_caller]
    pub fn put(&mut self, name: &str, card: &str) {
        // As a whole, or a server that looks just then sees half of it.
        let (part, whole) = (self.book.join(format!(".{name}.part")), self.book.join(format!("{name}.vcf")));
        fs::write(&part, card).expect("the scratch folder is writable");
        fs::rename(part, whole).expect("the scratch folder is writable");
    }

    /// Removes a card.
    ///
    /// # Panics
    /// When it is not there.
    #[track_caller]
    pub fn remove(&mut self, name: &str) {
        fs::remove_file(self.book.join(format!("{name}.vcf"))).expect("the card is there");
    }
}

#[track_caller]
fn run(scratch: &Path, port: u16) -> Program {
    let mut command = Command::new("/usr/bin/radicale");
    command.arg("--config").arg(scratch.join("radicale/config"));
    let mut program = Program::start("radicale", command, scratch);
    wait::until("radicale to take connections", Duration::from_secs(20), || {
        assert!(program.exit_status().is_none(), "radicale ended:\n{}", program.log());
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    program
}

fn config(folder: &Path, port: u16, identity: &Identity) -> String {
    let Identity { certificate, key } = identity;
    let (folder, certificate, key) = (folder.display(), certificate.display(), key.display());
    format!(
        "[server]\nhosts = 127.0.0.1:{port}\nssl = True\ncertificate = {certificate}\nkey = {key}\n\
         [auth]\ntype = htpasswd\nhtpasswd_filename = {folder}/users\nhtpasswd_encryption = plain\ndelay = 0\n\
         [storage]\nfilesystem_folder = {folder}/books\n[logging]\nlevel = warning\n"
    )
}
