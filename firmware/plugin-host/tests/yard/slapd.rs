//! slapd, an LDAP server that we did not write, with a directory of our own in a scratch folder: people with
//! names of all alphabets, some without a number, a referral to nowhere, an account that may read, and limits
//! that only a paged search gets past. Ended when dropped.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;

pub const BASE: &str = "dc=example,dc=test";
pub const PEOPLE: &str = "ou=people,dc=example,dc=test";
pub const READER: &str = "cn=reader,dc=example,dc=test";
pub const ADMIN: &str = "cn=admin,dc=example,dc=test";
/// Changed long ago, so that a delta need not read it again.
const CHANGED: &str = "20250101000000Z";
const NAMES: [&str; 6] = ["Zoë", "Ólafur", "Љубица", "美咲", "Nguyễn", "عمر"];

/// A certificate for `ldap.example`, and who vouches for it.
pub struct Papers {
    pub authority: CertificateDer<'static>,
    certificate: String,
    key: String,
}

impl Papers {
    pub fn new() -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::from_params(&parameters, &authority_key);
        let names = vec!["ldap.example".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        Self { authority: authority.der().clone(), certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A running server.
pub struct Slapd {
    child: Child,
    pub plain: u16,
    pub tls: u16,
}

impl Slapd {
    /// With `count` people; every hundredth has no number.
    pub fn start(scratch: &Path, papers: &Papers, count: usize, limits: &str) -> Self {
        let folder = |name: &str| scratch.join(name);
        fs::create_dir_all(folder("db")).unwrap();
        fs::write(folder("cert.pem"), &papers.certificate).unwrap();
        fs::write(folder("key.pem"), &papers.key).unwrap();
        let at = scratch.display();
        let config = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
             include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
             pidfile {at}/slapd.pid\nTLSCertificateFile {at}/cert.pem\nTLSCertificateKeyFile {at}/key.pem\n{limits}\n\
             database mdb\nsuffix \"{BASE}\"\nrootdn \"{ADMIN}\"\nrootpw master\ndirectory {at}/db\ndbnosync\n\
             maxsize 268435456\nindex objectClass eq\nindex modifyTimestamp eq\nindex entryUUID eq\n\
             access to attrs=userPassword by anonymous auth by * none\n\
             access to * by dn.exact=\"{READER}\" read by anonymous auth by * none\n"
        );
        fs::write(folder("slapd.conf"), config).unwrap();
        fs::write(folder("seed.ldif"), seed(count)).unwrap();
        let added = Command::new("/usr/sbin/slapadd")
            .args(["-q", "-f"])
            .arg(folder("slapd.conf"))
            .arg("-l")
            .arg(folder("seed.ldif"))
            .output()
            .expect("slapd is installed by `.ci/install test`");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        Self::serve(scratch)
    }

    fn serve(scratch: &Path) -> Self {
        // A free port may be taken by another between asking and using it: then another one.
        for _ in 0..10 {
            let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let (plain, tls) = (free(), free());
            let mut child = Command::new("/usr/sbin/slapd")
                .args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}"), "-f"])
                .arg(scratch.join("slapd.conf"))
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            for _ in 0..1000 {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                let answers = |port: u16| TcpStream::connect(("127.0.0.1", port)).is_ok();
                if answers(plain) && answers(tls) {
                    return Self { child, plain, tls };
                }
                thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("slapd does not start");
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The name of person `n`.
pub fn name(n: usize) -> String {
    format!("{} Person {n}", NAMES[n % NAMES.len()])
}

fn seed(count: usize) -> String {
    let mut ldif = format!(
        "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n\
         dn: {READER}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: correct\n\n\
         dn: {PEOPLE}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: ou=elsewhere,{PEOPLE}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\n\
         ref: ldap://127.0.0.1:1/ou=elsewhere,{PEOPLE}\n\n"
    );
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for n in 0..count {
        let (name, first) = (name(n), NAMES[n % NAMES.len()]);
        write!(
            ldif,
            "dn: uid=p{n},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: p{n}\ncn:: {}\nsn: Person {n}\n\
             givenName:: {}\no: Example AG\nou: Sales\nmodifyTimestamp: {CHANGED}\n",
            encoded(&name),
            encoded(first)
        )
        .unwrap();
        if n % 100 != 99 {
            writeln!(ldif, "telephoneNumber: +41 44 555 {n:04}").unwrap();
        }
        if n % 100 == 98 {
            ldif.push_str("physicalDeliveryOfficeName: B 2.14\n");
        }
        ldif.push('\n');
    }
    ldif
}
