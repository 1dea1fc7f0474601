//! A certificate authority of a test's own, by `openssl`: what a company without public certificates has.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority, and the servers it vouches for.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    name: String,
}

/// A server's certificate and key, PEM files.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its key, PKCS #8.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one with files below the scratch folder.
    ///
    /// # Panics
    /// When openssl is not installed or refuses.
    #[must_use]
    #[track_caller]
    pub fn new(scratch: &Path, name: &str) -> Self {
        let authority = Self { folder: scratch.to_owned(), name: name.to_owned() };
        let constraint = ["-addext", "keyUsage=critical,keyCertSign"];
        authority.make(name, &constraint);
        authority
    }

    /// Its certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file(&self.name, "pem")
    }

    /// The words of a desk's settings file that have it trusted.
    ///
    /// # Panics
    /// When its certificate is gone.
    #[must_use]
    #[track_caller]
    pub fn trusted(&self) -> String {
        let certificate = std::fs::read_to_string(self.certificate()).expect("it was made");
        format!("[tls]\nca = ['''\n{certificate}''']\n")
    }

    /// Vouches for a server of this domain, or at this address.
    ///
    /// # Panics
    /// When openssl refuses.
    #[must_use]
    #[track_caller]
    pub fn identity(&self, domain: &str) -> Identity {
        let name = format!("{}-{domain}", self.name);
        let kind = if domain.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
        let names = format!("subjectAltName={kind}:{domain}");
        let (ca, ca_key) = (self.certificate(), self.file(&self.name, "key"));
        let (ca, ca_key) = (ca.display().to_string(), ca_key.display().to_string());
        let constraint = "basicConstraints=critical,CA:FALSE";
        self.make(&name, &["-CA", &ca, "-CAkey", &ca_key, "-addext", &names, "-addext", constraint]);
        Identity { certificate: self.file(&name, "pem"), key: self.file(&name, "key") }
    }

    #[track_caller]
    fn make(&self, name: &str, more: &[&str]) {
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        command.args(["-days", "30", "-subj"]).arg(format!("/CN={name}"));
        command.arg("-keyout").arg(self.file(name, "key")).arg("-out").arg(self.file(name, "pem"));
        let output = command.args(more).output().expect("openssl is installed (package openssl)");
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn file(&self, name: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{name}.{ending}"))
    }
}
