//! The certificate: one of the box's own from the first second, or one that was uploaded.
//!
//! Chain and key are one PEM file, so that a power cut cannot leave the one without the other. An uploaded
//! certificate is looked at before it is taken; the old one stays when it is wrong.

use std::{
    fs,
    io::{self, Write},
    net::IpAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use chrono::{DateTime, Datelike, Days, Utc};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use tracing::{info, warn};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::random;

/// Largest PEM text taken, in bytes.
pub(crate) const MAX_PEM: usize = 64 * 1024;

/// Longest chain.
const MAX_CHAIN: usize = 8;

/// How long an own certificate counts, in days: the most that browsers take (825).
const OWN_DAYS: u64 = 820;

/// An own certificate that ends within so many days is made anew at the start.
const RENEW_DAYS: i64 = 30;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateProblem {
    /// No certificate is in the text.
    #[error("there is no certificate in it; a PEM file with BEGIN CERTIFICATE is needed")]
    NoCertificate,
    /// No key is in the text.
    #[error(
        "there is no private key in it; a PEM file with BEGIN PRIVATE KEY, without a passphrase, is needed"
    )]
    NoKey,
    /// What is there cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Key and certificate are not a pair.
    #[error("the key does not belong to the certificate")]
    Mismatch,
    /// It counts no more.
    #[error("the certificate has expired on {0}")]
    Expired(String),
    /// It does not count yet.
    #[error("the certificate counts only from {0}; is the clock of the box right?")]
    NotYet(String),
    /// It is too large.
    #[error("it is too large")]
    TooLarge,
    /// The disk does not take it.
    #[error("it could not be written: {0}")]
    Disk(#[from] io::Error),
}

/// What can be told of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) names: Vec<String>,
    /// Unix milliseconds.
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
    /// SHA-256, as browsers show it.
    pub(crate) fingerprint: String,
    /// Made by the box.
    pub(crate) own: bool,
}

/// The certificate in use.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
    names: Vec<String>,
    /// Where the box is reached now.
    addresses: RwLock<Vec<IpAddr>>,
    current: RwLock<Current>,
}

#[derive(Clone, Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    facts: Facts,
}

/// Makes the folder for the state, for its owner only.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

impl Certificates {
    /// Takes the uploaded certificate, else the own one, else makes one.
    pub(crate) fn open(
        folder: &Path,
        names: Vec<String>,
        addresses: Vec<IpAddr>,
    ) -> Result<Self, CertificateProblem> {
        let now = Utc::now();
        let uploaded = load(&folder.join(UPLOADED), false, now);
        let current = match uploaded {
            Some(Ok(current)) => current,
            other => {
                if let Some(Err(problem)) = other {
                    warn!(%problem, "the uploaded certificate is left aside");
                }
                // One that was made before the network came, or before the box got another address, stays: somebody may
                // have trusted it.
                own(folder, &names, &addresses, now, |_| true)?
            }
        };
        let (addresses, current) = (RwLock::new(addresses), RwLock::new(current));
        Ok(Self { folder: folder.to_owned(), names, addresses, current })
    }

    /// Where the box is reached from now on.
    pub(crate) fn reached_at(&self, addresses: Vec<IpAddr>) {
        *self.addresses.write().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// The addresses of the box for which its own certificate, while that is in use, does not count.
    pub(crate) fn missing(&self) -> Vec<IpAddr> {
        let facts = self.facts();
        if facts.own { lacking(&facts, &self.addresses()) } else { Vec::new() }
    }

    /// What is in use.
    pub(crate) fn facts(&self) -> Facts {
        self.current.read().unwrap_or_else(PoisonError::into_inner).facts.clone()
    }

    /// Takes an uploaded certificate for all further connections. Blocks on the disk.
    pub(crate) fn replace(&self, chain: &str, key: &str) -> Result<Facts, CertificateProblem> {
        let pem = format!("{}\n{}\n", chain.trim(), key.trim());
        let current = read(&pem, false, Utc::now())?;
        write(&self.folder.join(UPLOADED), &pem)?;
        info!(fingerprint = current.facts.fingerprint, "a certificate was uploaded");
        Ok(self.take(current))
    }

    /// Goes back to one of the box's own, which counts for where it is reached now. Blocks on the disk.
    pub(crate) fn use_own(&self) -> Result<Facts, CertificateProblem> {
        let current = self.own()?;
        match fs::remove_file(self.folder.join(UPLOADED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            // A power cut does not bring it back.
            _ => fs::File::open(&self.folder)?.sync_all()?,
        }
        Ok(self.take(current))
    }

    /// Makes the box's own anew, if that does not count for where it is reached now. Blocks on the disk.
    pub(crate) fn renew_own(&self) -> Result<Facts, CertificateProblem> {
        let current = self.own()?;
        Ok(self.take(current))
    }

    fn own(&self) -> Result<Current, CertificateProblem> {
        let addresses = self.addresses();
        own(&self.folder, &self.names, &addresses, Utc::now(), |facts| lacking(facts, &addresses).is_empty())
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self, current: Current) -> Facts {
        let facts = current.facts.clone();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        facts
    }
}

/// TLS 1.2 and 1.3 with the certificate that is in use when a browser comes.
pub(crate) fn server_config(certificates: Arc<Certificates>) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = builder.with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).key))
    }
}

/// The uploaded certificate with its key, for a backup; empty when there is none.
pub(crate) fn uploaded(folder: &Path) -> io::Result<Vec<u8>> {
    match fs::read(folder.join(UPLOADED)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Whether a text from a backup is a certificate with its key. One that has expired since is.
pub(crate) fn check(pem: &str) -> Result<(), CertificateProblem> {
    match read(pem, false, Utc::now()) {
        Err(CertificateProblem::Expired(_) | CertificateProblem::NotYet(_)) => Ok(()),
        read => read.map(drop),
    }
}

/// Puts the certificate of a backup in the place of the uploaded one, for the next start.
pub(crate) fn restore(folder: &Path, pem: &str) -> io::Result<()> {
    write(&folder.join(UPLOADED), pem)
}

const OWN: &str = "own.pem";
const UPLOADED: &str = "uploaded.pem";

/// `None` when there is no such file.
fn load(path: &Path, own: bool, now: DateTime<Utc>) -> Option<Result<Current, CertificateProblem>> {
    match fs::read_to_string(path) {
        Ok(pem) => Some(read(&pem, own, now)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// The addresses for which a certificate does not count.
fn lacking(facts: &Facts, addresses: &[IpAddr]) -> Vec<IpAddr> {
    addresses.iter().filter(|ip| !facts.names.contains(&ip.to_string())).copied().collect()
}

/// The own certificate, made when there is none that counts for long enough and is as wanted.
fn own(
    folder: &Path,
    names: &[String],
    addresses: &[IpAddr],
    now: DateTime<Utc>,
    is_wanted: impl Fn(&Facts) -> bool,
) -> Result<Current, CertificateProblem> {
    let path = folder.join(OWN);
    if let Some(Ok(current)) = load(&path, true, now) {
        let days = (current.facts.until_ms - now.timestamp_millis()) / (24 * 3600 * 1000);
        if days > RENEW_DAYS && is_wanted(&current.facts) {
            return Ok(current);
        }
    }
    let pem =
        make(names, addresses, now).map_err(|error| CertificateProblem::Unreadable(error.to_string()))?;
    write(&path, &pem)?;
    info!("a certificate of the box's own was made");
    read(&pem, true, now)
}

fn make(names: &[String], addresses: &[IpAddr], now: DateTime<Utc>) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    let name = names.first().map_or("frontdesk", String::as_str);
    subject.push(DnType::CommonName, name);
    subject.push(DnType::OrganizationName, "Frontdesk");
    params.distinguished_name = subject;
    // A name that is none is left out: a certificate for less is better than none.
    let dns = names.iter().filter_map(|name| Some(SanType::DnsName(name.clone().try_into().ok()?)));
    params.subject_alt_names = dns.chain(addresses.iter().copied().map(SanType::IpAddress)).collect();
    let date = |date: DateTime<Utc>| {
        let (month, day) = (u8::try_from(date.month()), u8::try_from(date.day()));
        rcgen::date_time_ymd(date.year(), month.unwrap_or(1), day.unwrap_or(1))
    };
    // A clock that is behind by a day is common; one that has lost its battery is met at the next start.
    params.not_before = date(now - Days::new(1));
    params.not_after = date(now + Days::new(OWN_DAYS));
    let certificate = params.self_signed(&key)?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}

/// Chain and key of a PEM text, checked.
fn read(pem: &str, own: bool, now: DateTime<Utc>) -> Result<Current, CertificateProblem> {
    let unreadable = |error: &dyn std::fmt::Display| CertificateProblem::Unreadable(error.to_string());
    if pem.len() > 2 * MAX_PEM {
        return Err(CertificateProblem::TooLarge);
    }
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).take(MAX_CHAIN + 1).collect();
    let chain = chain.map_err(|error| unreadable(&error))?;
    if chain.len() > MAX_CHAIN {
        return Err(CertificateProblem::TooLarge);
    }
    let first = chain.first().ok_or(CertificateProblem::NoCertificate)?;
    let facts = facts(first, own).map_err(CertificateProblem::Unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| CertificateProblem::NoKey)?;
    let provider: CryptoProvider = ring::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateProblem::Mismatch,
        error => unreadable(&error),
    })?;
    let day =
        |ms| DateTime::from_timestamp_millis(ms).map_or_else(String::new, |at| at.date_naive().to_string());
    let now = now.timestamp_millis();
    if facts.until_ms <= now {
        return Err(CertificateProblem::Expired(day(facts.until_ms)));
    }
    // The box's own clock may have been ahead when it made its own.
    if facts.from_ms > now && !own {
        return Err(CertificateProblem::NotYet(day(facts.from_ms)));
    }
    Ok(Current { key: Arc::new(key), facts })
}

fn facts(der: &CertificateDer<'_>, own: bool) -> Result<Facts, String> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| {
        let told = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match **bytes {
                [a, b, c, d] => Some(IpAddr::from([a, b, c, d]).to_string()),
                _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            },
            _ => None,
        });
        told.collect()
    });
    Ok(Facts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names: names.unwrap_or_default(),
        from_ms: certificate.validity().not_before.timestamp() * 1000,
        until_ms: certificate.validity().not_after.timestamp() * 1000,
        fingerprint: random::colons(&Sha256::digest(der)),
        own,
    })
}

/// Writes a file whole or not at all, for its owner only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pair(not_after: DateTime<Utc>) -> (String, String) {
        let pem = make(&["box.example".into()], &[], not_after - Days::new(OWN_DAYS)).unwrap();
        let split = pem.find("-----BEGIN PRIVATE").unwrap();
        (pem[..split].into(), pem[split..].into())
    }

    fn open(folder: &Path) -> Certificates {
        Certificates::open(folder, vec!["desk".into(), "bad name".into()], vec![[192, 0, 2, 7].into()])
            .unwrap()
    }

    #[test]
    fn app_2_the_own_certificate_is_private_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path()).facts();
        assert!(
            first.own && first.names.contains(&"desk".into()) && first.names.contains(&"192.0.2.7".into())
        );
        let mode = fs::metadata(folder.path().join(OWN)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(open(folder.path()).facts(), first, "the next start has the same");
        fs::write(folder.path().join(OWN), "rubbish").unwrap();
        assert_ne!(open(folder.path()).facts().fingerprint, first.fingerprint);
    }

    #[test]
    fn app_2_the_own_certificate_is_made_for_another_address_when_somebody_wants_that() {
        let folder = tempfile::tempdir().unwrap();
        // The first start, before the network.
        let certificates = Certificates::open(folder.path(), vec!["desk".into()], Vec::new()).unwrap();
        let before = certificates.facts();
        assert!(certificates.missing().is_empty());
        certificates.reached_at(vec![[192, 0, 2, 7].into()]);
        assert_eq!(certificates.missing(), [IpAddr::from([192, 0, 2, 7])]);
        assert_eq!(certificates.facts(), before, "not by itself");
        let made = certificates.renew_own().unwrap();
        assert!(made.names.contains(&"192.0.2.7".into()) && certificates.missing().is_empty());
        assert_eq!(certificates.renew_own().unwrap(), made, "once");
        // The next start is at another address: somebody may have trusted this one.
        let moved = || Certificates::open(folder.path(), vec!["desk".into()], vec![[192, 0, 2, 8].into()]);
        let certificates = moved().unwrap();
        assert_eq!((certificates.facts(), certificates.missing().len()), (made, 1));
        let other = certificates.use_own().unwrap();
        assert!(other.names.contains(&"192.0.2.8".into()) && certificates.missing().is_empty());
        assert_eq!(moved().unwrap().facts(), other);
    }

    #[test]
    fn app_2_a_wrong_certificate_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = open(folder.path());
        let before = certificates.facts();
        let good = pair(Utc::now() + Days::new(100));
        let other = pair(Utc::now() + Days::new(100));
        let old = pair(Utc::now() - Days::new(1));
        let early = pair(Utc::now() + Days::new(2000));
        let refused = |chain: &str, key: &str| certificates.replace(chain, key).unwrap_err();
        assert!(matches!(refused(&good.0, &other.1), CertificateProblem::Mismatch));
        assert!(matches!(refused(&old.0, &old.1), CertificateProblem::Expired(_)));
        assert!(matches!(refused(&early.0, &early.1), CertificateProblem::NotYet(_)));
        assert!(matches!(refused("", &good.1), CertificateProblem::NoCertificate));
        assert!(matches!(refused(&good.0, ""), CertificateProblem::NoKey));
        assert!(matches!(refused(&good.0.repeat(9), &good.1), CertificateProblem::TooLarge));
        let cut = &good.0[..good.0.len() / 2];
        assert!(certificates.replace(cut, &good.1).is_err());
        assert_eq!(certificates.facts(), before);
        let new = certificates.replace(&good.0, &good.1).unwrap();
        assert!(!new.own && new.names == ["box.example"]);
        assert_eq!(open(folder.path()).facts(), new, "it stays after a restart");
        assert_eq!(certificates.use_own().unwrap(), before);
        assert_eq!(open(folder.path()).facts(), before);
    }

    proptest::proptest! {
        #[test]
        fn rubbish_is_an_error_and_no_panic(text in "(-----(BEGIN|END) (CERTIFICATE|PRIVATE KEY)-----\n|[A-Za-z0-9+/=\n]{0,40}){0,8}") {
            let _ = read(&text, false, Utc::now());
        }
    }
}
