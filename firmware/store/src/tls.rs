//! Whom encrypted connections to exchanges trust, and what the desk shows of itself (ACC-5): the words of the settings
//! file, and what is allowed in them.
//!
//! A certificate that has expired is allowed here: it may have done so since it was saved, and nothing else could be
//! changed any more. Whoever sets it is told, see [`Tls::certificates`].

use std::fmt;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Why;
use crate::settings::{At, Invalid, Secret};

/// Largest PEM text, in bytes.
pub const MAX_PEM: usize = 64 * 1024;

/// Most texts with authorities.
const MAX_AUTHORITIES: usize = 32;

/// Most certificates in one text.
const MAX_CHAIN: usize = 32;

/// TLS to exchanges.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Certificates of authorities that are trusted besides those of the box, as PEM texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca: Vec<String>,
    /// The desk's own certificate and its chain, as a PEM text, for exchanges that ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The key of it, as a PEM text without passphrase.
    #[serde(skip_serializing_if = "Secret::is_empty")]
    pub key: Secret,
    /// Whether the certificate of an exchange is checked. Off, anybody on the way can be the exchange.
    pub verify: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self { ca: Vec::new(), certificate: None, key: Secret::default(), verify: true }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("ca", &self.ca.len())
            .field("certificate", &self.certificate.is_some())
            .field("key", &self.key)
            .field("verify", &self.verify)
            .finish()
    }
}

/// What can be told of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is issued to.
    pub subject: String,
    /// From when it counts, in Unix milliseconds.
    pub from_ms: i64,
    /// Until when it counts, in Unix milliseconds.
    pub until_ms: i64,
}

/// Why a PEM text is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unusable {
    TooLong,
    NoCertificate,
    HasKey,
}

impl Tls {
    /// The authorities that are set, and the desk's own certificate with its chain, in their order. What cannot be read
    /// is left out; it is never saved.
    #[must_use]
    pub fn certificates(&self) -> (Vec<Certificate>, Vec<Certificate>) {
        let told = |text: &String| read(text).unwrap_or_default();
        let facts =
            |found: Vec<(CertificateDer<'static>, Certificate)>| found.into_iter().map(|(_, facts)| facts);
        (
            self.ca.iter().flat_map(|text| facts(told(text))).collect(),
            self.certificate.iter().flat_map(|text| facts(told(text))).collect(),
        )
    }

    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        let at = At { table: "tls", index: None };
        if self.ca.len() > MAX_AUTHORITIES {
            let why = Why::TooMany { most: MAX_AUTHORITIES };
            return Err(at.invalid("ca", why, format!("at most {MAX_AUTHORITIES} are allowed")));
        }
        for (index, text) in self.ca.iter().enumerate() {
            let trusted = read(text).and_then(|found| {
                let mut roots = RootCertStore::empty();
                let bad = found.into_iter().any(|(certificate, _)| roots.add(certificate).is_err());
                if bad { Err(Unusable::NoCertificate) } else { Ok(()) }
            });
            trusted.map_err(|unusable| unusable.at("ca", Some(index)))?;
        }
        let chain = self.certificate.as_deref().map(read).transpose();
        let chain = chain.map_err(|unusable| unusable.at("certificate", None))?;
        match (chain, self.key.is_empty()) {
            // Where a key is missing, it may be one that is known: `validate_key`.
            (_, true) => Ok(()),
            (None, false) => {
                let reason = "there is a key and no certificate; give both, or neither".to_owned();
                Err(at.invalid("certificate", Why::NoCertificate, reason))
            }
            (Some(chain), false) => self.validate_pair(chain.into_iter().map(|(der, _)| der).collect()),
        }
    }

    /// Whether the certificate has its key, once [`Tls::keep_key`] has brought back the one that is known.
    pub(crate) fn validate_key(&self) -> Result<(), Invalid> {
        if self.certificate.is_none() || !self.key.is_empty() {
            return Ok(());
        }
        let reason = "the certificate needs its key; give it, or leave the certificate out".to_owned();
        Err(At { table: "tls", index: None }.invalid("key", Why::NoKey, reason))
    }

    fn validate_pair(&self, chain: Vec<CertificateDer<'static>>) -> Result<(), Invalid> {
        let refused =
            |why, reason: &str| Err(At { table: "tls", index: None }.invalid("key", why, reason.to_owned()));
        let no_key =
            "this is not a private key; a PEM text with BEGIN PRIVATE KEY, without a passphrase, is one";
        if self.key.reveal().len() > MAX_PEM {
            return refused(Why::Length { min: 1, max: MAX_PEM }, "this is too long");
        }
        let Ok(key) = PrivateKeyDer::from_pem_slice(self.key.reveal().as_bytes()) else {
            return refused(Why::NoKey, no_key);
        };
        match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
            Ok(_) => Ok(()),
            Err(rustls::Error::InconsistentKeys(_)) => {
                refused(Why::OtherKey, "the key does not belong to the certificate")
            }
            Err(_) => refused(Why::NoKey, no_key),
        }
    }

    /// Without key it keeps the one it has in `known`, where that is for the same certificate.
    pub(crate) fn keep_key(&mut self, known: &Self) {
        if self.key.is_empty() && self.certificate.is_some() && self.certificate == known.certificate {
            self.key = known.key.clone();
        }
    }
}

impl Unusable {
    fn at(self, field: &'static str, index: Option<usize>) -> Invalid {
        let which = index.map_or_else(String::new, |index| format!("the {}. text: ", index + 1));
        let (why, reason) = match self {
            Self::TooLong => {
                (Why::Length { min: 1, max: MAX_PEM }, format!("must have 1 to {MAX_PEM} bytes"))
            }
            Self::NoCertificate => (
                Why::NoCertificate,
                "this is not a certificate; a PEM text with BEGIN CERTIFICATE is one".into(),
            ),
            Self::HasKey => (
                Why::KeyInCertificate,
                "a private key stands in it; it belongs into key, and nowhere else".into(),
            ),
        };
        At { table: "tls", index: None }.invalid(field, why, format!("{which}{reason}"))
    }
}

/// The certificates of a PEM text, at least one.
fn read(text: &str) -> Result<Vec<(CertificateDer<'static>, Certificate)>, Unusable> {
    if text.len() > MAX_PEM {
        return Err(Unusable::TooLong);
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(Unusable::HasKey);
    }
    let found = CertificateDer::pem_slice_iter(text.as_bytes()).take(MAX_CHAIN + 1).map(|certificate| {
        let der = certificate.map_err(|_| Unusable::NoCertificate)?;
        let told = facts(&der).ok_or(Unusable::NoCertificate)?;
        Ok((der, told))
    });
    let found = found.collect::<Result<Vec<_>, _>>()?;
    match found.len() {
        0 => Err(Unusable::NoCertificate),
        1..=MAX_CHAIN => Ok(found),
        _ => Err(Unusable::TooLong),
    }
}

fn facts(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    rest.is_empty().then(|| Certificate {
        subject: certificate.subject().to_string(),
        from_ms: validity.not_before.timestamp().saturating_mul(1000),
        until_ms: validity.not_after.timestamp().saturating_mul(1000),
    })
}
