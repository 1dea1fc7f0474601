//! TLS to exchanges: whom we believe, what we show, and what went wrong in words for an administrator.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context, Result, anyhow};
use store::Tls;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, ServerConfig,
        SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    },
};
use tracing::{info, warn};

use crate::trust;

/// How connections to exchanges are encrypted. Reads the anchors of the box, and so may take a while.
///
/// # Errors
/// What of the settings is of no use.
pub(crate) fn client(settings: &Tls) -> Result<Arc<ClientConfig>> {
    let builder = trust::client().context("TLS")?;
    let builder = if settings.verify {
        let mut own = Vec::new();
        for text in &settings.ca {
            own.extend(certificates(text.as_bytes()).context("tls.ca")?);
        }
        builder.with_root_certificates(trust::anchors(own).context("tls.ca")?)
    } else {
        warn!(
            "certificates of exchanges are not checked (tls.verify): anybody on the way can be the exchange"
        );
        let anybody = Arc::new(Anybody(ring::default_provider()));
        builder.dangerous().with_custom_certificate_verifier(anybody)
    };
    let config = match &settings.certificate {
        Some(chain) => {
            let chain = certificates(chain.as_bytes()).context("tls.certificate")?;
            let key = key(settings.key.reveal().as_bytes()).context("tls.key")?;
            builder.with_client_auth_cert(chain, key).context("tls.certificate and tls.key")?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

/// How connections from peers are encrypted, by the PEM files of a certificate with its chain and of its key.
///
/// # Errors
/// The file and what is wrong with it.
pub(crate) fn server(certificate: &Path, key_file: &Path) -> Result<TlsAcceptor> {
    let read = |file: &Path| std::fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let chain = certificates(&read(certificate)?).with_context(|| certificate.display().to_string())?;
    let key = key(&read(key_file)?).with_context(|| key_file.display().to_string())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("{} and {}", certificate.display(), key_file.display()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What we show to peers that connect, from files that are read again when they have changed: a renewed certificate
/// counts from the next connection on.
pub(crate) struct Own {
    /// The certificate with its chain, and the key.
    files: [PathBuf; 2],
    changed: [Option<SystemTime>; 2],
    acceptor: TlsAcceptor,
}

impl Own {
    /// Reads the files.
    ///
    /// # Errors
    /// As [`server`].
    pub(crate) fn read(certificate: &Path, key: &Path) -> Result<Own> {
        let files = [certificate.to_owned(), key.to_owned()];
        let changed = changed(&files);
        Ok(Own { acceptor: server(certificate, key)?, files, changed })
    }

    /// As it is now. Files that cannot be used leave the one before in use: the second of two may be on its way.
    pub(super) fn acceptor(&mut self) -> TlsAcceptor {
        let changed = changed(&self.files);
        if changed != self.changed {
            self.changed = changed;
            let [certificate, key] = &self.files;
            match server(certificate, key) {
                Ok(acceptor) => {
                    info!(certificate = %certificate.display(), "certificate for connections of peers read again");
                    self.acceptor = acceptor;
                }
                Err(error) => {
                    warn!("the certificate for connections of peers stays the one before: {error:#}")
                }
            }
        }
        self.acceptor.clone()
    }
}

#[cfg(test)]
impl From<TlsAcceptor> for Own {
    fn from(acceptor: TlsAcceptor) -> Own {
        Own { files: Default::default(), changed: [None; 2], acceptor }
    }
}

/// When the files were written last.
fn changed(files: &[PathBuf; 2]) -> [Option<SystemTime>; 2] {
    files.each_ref().map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    trust::certificates(pem).map_err(|why| anyhow!(why))
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| anyhow!("no private key in it (PEM)"))
}

/// Why a handshake failed, or what came after it.
pub(super) fn why(error: &io::Error) -> String {
    match error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => refused(why),
        Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => {
            "TLS: the peer wants a certificate of the desk (tls.certificate)".to_owned()
        }
        Some(rustls::Error::AlertReceived(alert)) => format!("TLS: the peer refuses ({alert:?})"),
        Some(rustls::Error::InvalidMessage(_)) => "the peer does not speak TLS there".to_owned(),
        Some(cause) => format!("TLS: {cause}"),
        None => super::stream::why(error),
    }
}

/// Why a certificate was refused.
fn refused(why: &CertificateError) -> String {
    match why {
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let (presented, expected) = (presented.join(", "), expected.to_str());
            if presented.is_empty() {
                format!("certificate names nobody, and so not {expected}")
            } else {
                format!("certificate is for {presented}, not for {expected}")
            }
        }
        CertificateError::UnknownIssuer => {
            "certificate comes from an authority that is not trusted here (tls.ca)".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate does not count yet; is the clock right?".to_owned()
        }
        CertificateError::BadSignature => {
            "certificate is not signed by the authority that it names; is an old one in tls.ca?".to_owned()
        }
        CertificateError::Revoked => "certificate was revoked".to_owned(),
        why => format!("certificate refused: {why}"),
    }
}

/// `sbc.example` of `DnsName("sbc.example")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

/// Believes every certificate, and still wants its key to be there.
#[derive(Debug)]
struct Anybody(CryptoProvider);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn acc_5_a_certificate_for_another_says_for_whom() {
        let expected = ServerName::try_from("pbx.example").unwrap();
        let presented = vec!["DnsName(\"sbc.example\")".to_owned()];
        let said = refused(&CertificateError::NotValidForNameContext { expected, presented });
        assert_eq!(said, "certificate is for sbc.example, not for pbx.example");
        let expected = ServerName::try_from("192.0.2.1").unwrap();
        let said = refused(&CertificateError::NotValidForNameContext { expected, presented: vec![] });
        assert_eq!(said, "certificate names nobody, and so not 192.0.2.1");
    }

    #[test]
    fn settings_that_are_of_no_use_say_which() {
        let complaint = |settings| format!("{:#}", client(&settings).unwrap_err());
        let text = complaint(Tls { ca: vec!["hello".into()], ..Tls::default() });
        assert!(text.starts_with("tls.ca: "), "{text}");
        let text = complaint(Tls { certificate: Some("hello".into()), ..Tls::default() });
        assert!(text.starts_with("tls.certificate: "), "{text}");
        assert!(client(&Tls { verify: false, ..Tls::default() }).is_ok());
    }
}
