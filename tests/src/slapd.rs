//! slapd as the LDAP server of a company: a plain process on a free port, with people in it and a certificate.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::authority::Identity;
use crate::program::Program;
use crate::wait;

/// Where people are.
pub const BASE: &str = "ou=people,dc=house,dc=test";
/// Who may read them.
pub const READER: &str = "cn=reader,dc=house,dc=test";
/// The reader's password.
pub const PASSWORD: &str = "ldap-pw-reader";

/// A running slapd.
#[derive(Debug)]
pub struct Slapd {
    /// The process.
    pub program: Program,
    /// Its LDAPS port on 127.0.0.1.
    pub port: u16,
    scratch: PathBuf,
}

/// The name of person `n`: as many people, as many names.
#[must_use]
pub fn name(n: usize) -> (String, String) {
    const FIRST: [&str; 20] = [
        "Ana", "Bruno", "Chloé", "Dörte", "Emil", "Fatima", "Günther", "Håkon", "Inès", "Jan", "Katja",
        "Luís", "Mara", "Noël", "Olga", "Pia", "Quirin", "Renée", "Søren", "Tereza",
    ];
    (FIRST[n % FIRST.len()].to_owned(), format!("Lindqvist-{n:05}"))
}

/// The number of person `n`, as the server writes it; the first sits in the house.
#[must_use]
pub fn number(n: usize) -> String {
    if n == 0 {
        return "2103".to_owned();
    }
    format!("+41 44 5{:02} {:02} {:02}", n / 10_000, n / 100 % 100, n % 100)
}

impl Slapd {
    /// Starts it with so many people, and one entry that refers to another server.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, port: u16, identity: &Identity, people: usize) -> Self {
        let folder = scratch.join("slapd");
        fs::create_dir_all(folder.join("db")).expect("the scratch folder is writable");
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).expect("the scratch folder is writable");
        };
        write("slapd.conf", &config(&folder, identity));
        write("people.ldif", &ldif(people));
        let mut load = Command::new("/usr/sbin/slapadd");
        load.arg("-q").arg("-f").arg(folder.join("slapd.conf")).arg("-l").arg(folder.join("people.ldif"));
        let output = load.output().expect("slapadd is installed (package slapd)");
        assert!(output.status.success(), "slapadd: {}", String::from_utf8_lossy(&output.stderr));
        let program = run(scratch, port);
        Self { program, port, scratch: scratch.to_owned() }
    }

    /// Starts it again after its end, with the same people.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.program = run(&self.scratch, self.port);
    }
}

#[track_caller]
fn run(scratch: &Path, port: u16) -> Program {
    let mut command = Command::new("/usr/sbin/slapd");
    command.args(["-d", "0", "-f"]).arg(scratch.join("slapd/slapd.conf"));
    command.arg("-h").arg(format!("ldaps://127.0.0.1:{port}"));
    let mut program = Program::start("slapd", command, scratch);
    wait::until("slapd to take connections", Duration::from_secs(20), || {
        assert!(program.exit_status().is_none(), "slapd ended:\n{}", program.log());
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    program
}

/// No answer has more than 500 entries, however often they are asked for in one: paging is not optional.
fn config(folder: &Path, identity: &Identity) -> String {
    let Identity { certificate, key } = identity;
    let (folder, certificate, key) = (folder.display(), certificate.display(), key.display());
    format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         pidfile {folder}/slapd.pid\nargsfile {folder}/slapd.args\n\
         modulepath /usr/lib/ldap\nmoduleload back_mdb\n\
         TLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n\
         sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited\n\
         database mdb\nmaxsize 268435456\nsuffix \"dc=house,dc=test\"\ndirectory {folder}/db\ndbnosync\n\
         index objectClass eq\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to * by dn.exact=\"{READER}\" read by * none\n"
    )
}

fn ldif(people: usize) -> String {
    let mut text = format!(
        "dn: dc=house,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: House\ndc: house\n\n\
         dn: {BASE}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n\
         userPassword: {PASSWORD}\n\n\
         dn: cn=elsewhere,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\n\
         ref: ldap://203.0.113.1/dc=elsewhere\n\n"
    );
    for n in 0..people {
        let (first, last) = name(n);
        // LDIF has text beyond ASCII in base64 (RFC 2849).
        use base64::Engine;
        let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let _ = write!(
            text,
            "dn: uid=p{n},{BASE}\nobjectClass: inetOrgPerson\nuid: p{n}\ncn:: {}\ngivenName:: {}\nsn: {last}\n\
             telephoneNumber: {}\nmail: p{n}@house.test\no: House\ntitle: Number {n}\n\n",
            base64(&format!("{first} {last}")),
            base64(&first),
            number(n)
        );
    }
    text
}
