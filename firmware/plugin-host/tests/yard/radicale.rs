//! Radicale, a CardDAV server that we did not write, in a scratch folder: two address books of one user, and a client
//! that changes them as a telephone would. Ended when dropped.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine as _;

pub const USER: &str = "desk";
pub const PASSWORD: &str = "correct";

/// A running server.
pub struct Radicale {
    child: Child,
    pub port: u16,
    folder: PathBuf,
}

impl Radicale {
    /// With so many people in the book `sales`, every hundredth without a number, and three in `house`.
    pub fn start(scratch: &Path, sales: usize) -> Self {
        let folder = scratch.join("radicale");
        fs::create_dir_all(&folder).unwrap();
        for (book, name, count) in [("sales", "Sales & more", sales), ("house", "House", 3)] {
            let place = folder.join("books/collection-root").join(USER).join(book);
            fs::create_dir_all(&place).unwrap();
            let properties = format!(r#"{{"tag": "VADDRESSBOOK", "D:displayname": "{name}"}}"#);
            fs::write(place.join(".Radicale.props"), properties).unwrap();
            for n in 0..count {
                let number = (n % 100 != 99).then(|| format!("+41 44 555 {n:04}"));
                fs::write(place.join(format!("{book}-{n}.vcf")), card(book, n, number.as_deref())).unwrap();
            }
        }
        fs::write(folder.join("users"), format!("{USER}:{PASSWORD}\n")).unwrap();
        // A free port may be taken by another between asking and using it: then another one.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(child) = serve(&folder, port) {
                return Self { child, port, folder };
            }
        }
        panic!("radicale does not start");
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// On the same port, with what was there.
    pub fn start_again(&mut self) {
        self.kill();
        self.child = serve(&self.folder, self.port).expect("its port is still free");
    }

    /// Another client writes a card, or removes it.
    pub fn change(&self, book: &str, name: &str, card: Option<&str>) {
        let path = format!("/{USER}/{book}/{name}.vcf");
        let method = if card.is_some() { "PUT" } else { "DELETE" };
        let status = self.ask(method, &path, card.unwrap_or_default());
        assert!((200..300).contains(&status), "{method} {path}: {status}");
    }

    /// Another client makes a book.
    pub fn make_book(&self, book: &str) {
        let body = "<mkcol xmlns=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:carddav\"><set><prop><resourcetype>\
            <collection/><C:addressbook/></resourcetype></prop></set></mkcol>";
        assert_eq!(self.ask("MKCOL", &format!("/{USER}/{book}/"), body), 201);
    }

    /// What it has kept of earlier states is lost.
    pub fn forget(&self, book: &str) {
        let place = self.folder.join("books/collection-root").join(USER).join(book);
        fs::remove_dir_all(place.join(".Radicale.cache/sync-token")).unwrap();
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nauthorization: Basic {pair}\r\ncontent-type: text/vcard\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Radicale {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(folder: &Path, port: u16) -> Option<Child> {
    let at = folder.display();
    let config = format!(
        "[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {at}/users\n\
         htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {at}/books\n[logging]\nlevel = error\n"
    );
    fs::write(folder.join("config"), config).unwrap();
    let mut child = Command::new("/usr/bin/radicale")
        .arg("--config")
        .arg(folder.join("config"))
        .stderr(Stdio::null())
        .spawn()
        .expect("radicale is installed by `.ci/install test`");
    for _ in 0..1000 {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(child);
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// The card of person `n` of a book.
pub fn card(book: &str, n: usize, number: Option<&str>) -> String {
    let mut text = format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{book}-{n}\r\nFN:Zoë Person {n}\r\nN:Person {n};Zoë;;;\r\n\
         ORG:Example\\, AG;Sales\r\n"
    );
    if let Some(number) = number {
        let _ = write!(text, "TEL;TYPE=WORK,VOICE:{number}\r\n");
    }
    text + "END:VCARD\r\n"
}
