//! Whose certificates are believed: those of the box, and those of a company's own authorities.

use std::sync::Arc;

use tokio_rustls::rustls::{
    self, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// TLS 1.2 and 1.3, by what was chosen as the cryptography of the box.
///
/// # Errors
/// Never in practice: the versions go with the cryptography.
pub(crate) fn client() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

/// The anchors of the box, and `own` besides. Files are read.
///
/// # Errors
/// One of `own` is of no use.
pub(crate) fn anchors(
    own: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<RootCertStore, rustls::Error> {
    let mut anchors = RootCertStore::empty();
    // A certificate of the box that is none, or none of its files, is not our business.
    anchors.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in own {
        anchors.add(certificate)?;
    }
    Ok(anchors)
}

/// The certificates in a PEM text, at least one.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err("no certificate in it (PEM)".to_owned()),
        Err(error) => Err(format!("no certificate in it (PEM: {error})")),
    }
}
