//! The way to a server, the same for web servers and directories: the name is resolved once, its addresses are
//! vetted by the grant, the connection goes to a vetted one, and its certificate is checked. What is said there
//! is `http` and `ldap`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::grants::{Grant, Target};
use crate::resolve::Resolver;

const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WayError {
    /// The name leads to an address that was not granted.
    Denied(String),
    /// No address, or nobody there.
    Unreachable(String),
    /// The certificate, or a server that speaks no TLS.
    Tls(String),
}

/// A connection to an address of the target that its grant allows.
pub(crate) async fn connect(
    resolver: &Resolver,
    target: &Target,
    grant: &Grant,
) -> Result<TcpStream, WayError> {
    let unreachable = |error: &dyn std::fmt::Display| WayError::Unreachable(error.to_string());
    let found = timeout(CONNECT, resolver.resolve(&target.host, target.port)).await;
    let found = found.map_err(|error| unreachable(&error))?.map_err(|error| unreachable(&error))?;
    let vetted = grant.vet(target, &found).map_err(|refusal| WayError::Denied(refusal.to_string()))?;
    let port = resolver.stage_port().unwrap_or(target.port);
    let addresses: Vec<SocketAddr> =
        vetted.into_iter().map(|address| SocketAddr::new(address, port)).collect();
    let tcp = timeout(CONNECT, TcpStream::connect(&addresses[..])).await;
    tcp.map_err(|error| unreachable(&error))?.map_err(|error| unreachable(&error))
}

/// TLS over a connection, for the name that was asked for.
pub(crate) async fn secure(
    tls: &Arc<ClientConfig>,
    target: &Target,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, WayError> {
    let broken = |error: &dyn std::fmt::Display| WayError::Tls(error.to_string());
    let name = ServerName::try_from(target.host.clone()).map_err(|error| broken(&error))?;
    TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await.map_err(|error| broken(&error))
}

/// TLS as the system trusts, and whoever else is handed in (a customer's own authority).
///
/// # Errors
/// If a certificate cannot be read.
pub(crate) fn tls(more: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in more {
        roots.add(certificate.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
