//! lighttpd, a web server that we did not write, serving a folder: with ETags, and with TLS and a password where a test
//! wants them. Ended when dropped.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// lighttpd serving a folder; ended when dropped.
pub struct Lighttpd {
    child: Child,
    pub port: u16,
    folder: PathBuf,
}

impl Lighttpd {
    pub fn start(scratch: &Path, more: &str) -> Self {
        let folder = scratch.join("pages");
        fs::create_dir_all(&folder).unwrap();
        // A free port may be taken by another between asking and using it: then another one.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let config = scratch.join("lighttpd.conf");
            let text = format!(
                "server.document-root = \"{}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
                 server.stat-cache-engine = \"disable\"\nmimetype.assign = ( \".csv\" => \"text/csv\", \".json\" => \
                 \"application/json\" )\n{more}",
                folder.display()
            );
            fs::write(&config, text).unwrap();
            let mut child = Command::new("/usr/sbin/lighttpd")
                .arg("-D")
                .arg("-f")
                .arg(&config)
                .stderr(Stdio::null())
                .spawn()
                .expect("lighttpd is installed by `.ci/install test`");
            for _ in 0..1000 {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { child, port, folder };
                }
                thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("lighttpd does not start");
    }

    /// A file to be served.
    pub fn put(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }
}

impl Drop for Lighttpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With a certificate and a password: `desk`, `correct`.
pub fn tls_server(scratch: &Path, key: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Lighttpd {
    let pem = scratch.join("server.pem");
    fs::write(&pem, key.signing_key.serialize_pem() + &key.cert.pem()).unwrap();
    let users = scratch.join("users");
    fs::write(&users, "desk:correct\n").unwrap();
    let more = format!(
        "server.modules += ( \"mod_openssl\", \"mod_auth\", \"mod_authn_file\" )\nssl.engine = \"enable\"\n\
         ssl.pemfile = \"{}\"\nauth.backend = \"plain\"\nauth.backend.plain.userfile = \"{}\"\n\
         auth.require = ( \"\" => ( \"method\" => \"basic\", \"realm\" => \"desk\", \"require\" => \"valid-user\" ) )\n",
        pem.display(),
        users.display()
    );
    Lighttpd::start(scratch, &more)
}
