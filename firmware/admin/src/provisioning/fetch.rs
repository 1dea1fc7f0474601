//! One look at a provisioning server: HTTP/1.1 over TLS, one connection, no redirect is followed, everything has a bound.
//!
//! The desk shows who it is by a device certificate, or by a one-time code as the password of HTTP's basic scheme, whose
//! user is the name of the device: any web server can ask for either.

use std::{
    error::Error,
    fs, io,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{self, HeaderMap, HeaderValue},
};
use hyper_util::rt::TokioIo;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, RootCertStore, SignatureScheme,
    client::ResolvesClientCert,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::CertifiedKey,
};
use store::Secret;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::{
    address,
    trouble::{Objection, Trouble, Unreached, Untrusted, Unusable},
};
use crate::ProvisioningConfig;

/// Largest file, in bytes.
pub(crate) const MOST: usize = 512 * 1024;
/// How long a server may take to be there, and for the whole of it.
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(60);
/// Most lines of an answer's head, and most bytes of it.
const HEADERS: usize = 100;
const HEAD: usize = 64 * 1024;

/// What the server is asked.
pub(crate) struct Question<'a> {
    pub(crate) url: &'a Url,
    /// The name of this device.
    pub(crate) device: &'a str,
    /// Version of the program.
    pub(crate) version: &'a str,
    /// Empty where none was typed.
    pub(crate) code: &'a Secret,
    /// The version that is here already.
    pub(crate) etag: Option<&'a str>,
}

/// What the server answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The version that is here already.
    Same,
    /// A file.
    File { text: String, etag: Option<String>, from: IpAddr },
}

/// Whom the desk believes, and who it says it is.
pub(crate) struct Identity {
    tls: Arc<ClientConfig>,
    shown: Arc<Shown>,
}

impl Identity {
    /// Reads the files: the anchors of the box, the authorities of one's own, and certificate and key of the device. Of the
    /// latter none need be there. Blocks on the disk.
    ///
    /// # Errors
    /// What is there and of no use.
    pub(crate) fn read(config: &ProvisioningConfig) -> Result<Self, Trouble> {
        let mut roots = RootCertStore::empty();
        // A certificate of the box that is none is not our business.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some((path, pem)) = there(config.authorities.as_deref())? {
            for certificate in chain(path, &pem)? {
                roots.add(certificate).map_err(|error| unusable(path, Unusable::Bad(error.to_string())))?;
            }
        }
        let mut key = None;
        if let (Some((path, pem)), Some((key_path, key_pem))) =
            (there(config.certificate.as_deref())?, there(config.key.as_deref())?)
        {
            let chain = chain(path, &pem)?;
            let private = PrivateKeyDer::from_pem_slice(&key_pem);
            let private = private.map_err(|_| unusable(key_path, Unusable::NoKey))?;
            let pair = CertifiedKey::from_der(chain, private, &ring::default_provider());
            key = Some(Arc::new(pair.map_err(|error| unusable(key_path, of_pair(error)))?));
        }
        let shown = Arc::new(Shown { key, was_asked: AtomicBool::new(false) });
        let resolver: Arc<dyn ResolvesClientCert> = shown.clone();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(Path::new("TLS"), Unusable::Other(error.to_string())))?
            .with_root_certificates(roots)
            .with_client_cert_resolver(resolver);
        Ok(Self { tls: Arc::new(tls), shown })
    }
}

/// The device certificate, and whether the server wanted one: a server that gets none may just close the connection.
#[derive(Debug)]
struct Shown {
    key: Option<Arc<CertifiedKey>>,
    was_asked: AtomicBool,
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}

/// Asks the server.
///
/// # Errors
/// Why there is no answer that is of use.
pub(crate) async fn fetch(question: &Question<'_>, identity: &Identity) -> Result<Answer, Trouble> {
    let host = address::host_of(question.url).unwrap_or_default();
    let done = timeout(WHOLE, ask(question, identity, &host)).await;
    done.map_err(|_| Trouble::Unreachable { host: host.clone(), why: late(WHOLE) })?
}

async fn ask(question: &Question<'_>, identity: &Identity, host: &str) -> Result<Answer, Trouble> {
    let unreachable = |why| Trouble::Unreachable { host: host.into(), why };
    let port = question.url.port_or_known_default().unwrap_or(443);
    let tcp = timeout(CONNECT, connect(host, port)).await;
    let tcp = tcp.map_err(|_| unreachable(late(CONNECT)))?.map_err(unreachable)?;
    let from = tcp.peer_addr().as_ref().map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip);
    let stream: Box<dyn Stream> = if question.url.scheme() == "https" {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| unreachable(Unreached::Other(error.to_string())))?;
        let secured =
            timeout(CONNECT, TlsConnector::from(Arc::clone(&identity.tls)).connect(name, tcp)).await;
        let secured = secured.map_err(|_| unreachable(late(CONNECT)))?;
        Box::new(secured.map_err(|error| refused(&error, &identity.shown, host))?)
    } else {
        Box::new(tcp)
    };
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD).max_headers(HEADERS);
    let (mut sender, connection) = builder
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| refused(&error, &identity.shown, host))?;
    let _connection = EndOnDrop(tokio::spawn(async move {
        // How a connection ends is seen by the request that uses it.
        let _ = connection.await;
    }));
    let response = sender.send_request(request(question)?).await;
    let response = response.map_err(|error| refused(&error, &identity.shown, host))?;
    answer(question, response, host, from).await
}

/// A connection to the first of its addresses that takes one.
async fn connect(host: &str, port: u16) -> Result<TcpStream, Unreached> {
    let addresses = lookup_host((host, port)).await.map_err(|error| Unreached::NoName(error.to_string()))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    TcpStream::connect(addresses.as_slice()).await.map_err(|error| unreached(&error))
}

fn late(patience: Duration) -> Unreached {
    Unreached::NoAnswer(patience.as_secs())
}

fn request(question: &Question<'_>) -> Result<Request<Empty<Bytes>>, Trouble> {
    let Question { url, device, version, code, etag } = question;
    let wrong = || Trouble::NoAddress(address::shown(url.as_str()));
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::get(path).body(Empty::new()).map_err(|_| wrong())?;
    let head = request.headers_mut();
    head.insert(header::HOST, HeaderValue::try_from(host).map_err(|_| wrong())?);
    let agent = HeaderValue::try_from(format!("Frontdesk/{version} {device}")).map_err(|_| wrong())?;
    head.insert(header::USER_AGENT, agent);
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        head.insert(header::IF_NONE_MATCH, etag);
    }
    // Without TLS everybody on the way would read it.
    if !code.is_empty() && url.scheme() == "https" {
        let pair = STANDARD.encode(format!("{device}:{}", code.reveal()));
        let mut basic = HeaderValue::try_from(format!("Basic {pair}")).map_err(|_| wrong())?;
        basic.set_sensitive(true);
        head.insert(header::AUTHORIZATION, basic);
    }
    Ok(request)
}

async fn answer(
    question: &Question<'_>,
    response: Response<Incoming>,
    host: &str,
    from: IpAddr,
) -> Result<Answer, Trouble> {
    let (host, status) = (host.to_owned(), response.status());
    let text = |name| text(response.headers(), name);
    match status {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED => return Ok(Answer::Same),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let (status, device) = (status.as_u16(), question.device.to_owned());
            return Err(Trouble::Refused { host, status, device });
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err(Trouble::NotFound { url: address::shown(question.url.as_str()) });
        }
        _ => match text(header::LOCATION) {
            Some(to) if status.is_redirection() => {
                return Err(Trouble::Redirect { host, to: address::shown(&to) });
            }
            _ => return Err(Trouble::Status { host, status: status.as_u16() }),
        },
    }
    let etag = text(header::ETAG);
    let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Trouble::TooLarge { most: MOST }
        } else {
            Trouble::Unreachable { host, why: unreached(&*error) }
        }
    })?;
    let text = String::from_utf8(body.to_bytes().to_vec()).map_err(|_| Trouble::NotText)?;
    Ok(Answer::File { text, etag, from })
}

/// A line of an answer's head, where it is short and readable.
fn text(head: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = head.get(name)?.to_str().ok()?;
    (value.len() <= 256).then(|| value.to_owned())
}

/// Why a connection is none, or ended before there was an answer.
fn refused(error: &(dyn Error + 'static), shown: &Shown, host: &str) -> Trouble {
    let host = host.to_owned();
    let was_asked = shown.was_asked.load(Ordering::Relaxed);
    let (has_key, tls) = (shown.key.is_some(), of_tls(error));
    match tls {
        Some(rustls::Error::InvalidCertificate(why)) => Trouble::Untrusted { host, why: untrusted(why) },
        Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => {
            Trouble::WantsCertificate { host }
        }
        Some(rustls::Error::InvalidMessage(_)) => Trouble::Unreachable { host, why: Unreached::NoTls },
        // Whatever a server says after it asked for a certificate is about that; some say nothing.
        _ if was_asked && !has_key => Trouble::WantsCertificate { host },
        Some(why) if was_asked => Trouble::RefusesCertificate { host, why: objection(why) },
        Some(why) => Trouble::Unreachable { host, why: Unreached::Tls(why.to_string()) },
        None => match unreached(error) {
            Unreached::Ended(said) if was_asked => {
                Trouble::RefusesCertificate { host, why: Objection::HungUp(said) }
            }
            why if was_asked => Trouble::RefusesCertificate { host, why: Objection::Other(why.to_string()) },
            why => Trouble::Unreachable { host, why },
        },
    }
}

/// What an alert says of the certificate that was shown.
fn objection(why: &rustls::Error) -> Objection {
    match why {
        rustls::Error::AlertReceived(AlertDescription::UnknownCA) => Objection::UnknownAuthority,
        rustls::Error::AlertReceived(AlertDescription::CertificateExpired) => Objection::Expired,
        rustls::Error::AlertReceived(AlertDescription::CertificateRevoked) => Objection::Revoked,
        why => Objection::Other(why.to_string()),
    }
}

/// Why a connection is none, or has ended, where TLS says nothing of it.
fn unreached(error: &(dyn Error + 'static)) -> Unreached {
    let said = whole(error);
    let mut cause = Some(error);
    while let Some(now) = cause {
        if let Some(http) = now.downcast_ref::<hyper::Error>() {
            if http.is_parse() {
                return Unreached::NoHttp(said);
            }
            if http.is_incomplete_message() || http.is_closed() {
                return Unreached::Ended(said);
            }
        }
        match now.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => return Unreached::Nobody(said),
            Some(
                io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown
                | io::ErrorKind::AddrNotAvailable,
            ) => return Unreached::NoWay(said),
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof,
            ) => return Unreached::Ended(said),
            _ => {}
        }
        cause = now.source();
    }
    Unreached::Other(said)
}

/// What TLS said, somewhere below an error.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut cause = Some(error);
    while let Some(now) = cause {
        let inner = now.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(tls);
        }
        cause = now.source();
    }
    None
}

/// An error with its causes.
fn whole(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(now) = cause {
        let more = now.to_string();
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        cause = now.source();
    }
    words
}

fn untrusted(why: &CertificateError) -> Untrusted {
    match why {
        CertificateError::UnknownIssuer => Untrusted::UnknownAuthority,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Untrusted::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Untrusted::NotYet,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Untrusted::OtherName
        }
        why => Untrusted::Other(why.to_string()),
    }
}

/// Why certificate and key are no pair.
fn of_pair(error: rustls::Error) -> Unusable {
    match error {
        rustls::Error::InconsistentKeys(_) => Unusable::OtherKey,
        error => Unusable::Other(error.to_string()),
    }
}

/// A file with its contents; `None` where none is named or none is there.
fn there(path: Option<&Path>) -> Result<Option<(&Path, Vec<u8>)>, Trouble> {
    let Some(path) = path else { return Ok(None) };
    match fs::read(path) {
        Ok(pem) => Ok(Some((path, pem))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(unusable(path, Unusable::NotAllowed(error.to_string())))
        }
        Err(error) => Err(unusable(path, Unusable::Other(error.to_string()))),
    }
}

fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| unusable(path, Unusable::Bad(error.to_string())))?;
    if chain.is_empty() { Err(unusable(path, Unusable::NoCertificate)) } else { Ok(chain) }
}

fn unusable(path: &Path, why: Unusable) -> Trouble {
    Trouble::Files { file: path.display().to_string(), why }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

struct EndOnDrop(tokio::task::JoinHandle<()>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn head(url: &str, code: &str, etag: Option<&str>) -> (String, HeaderMap) {
        let (url, code) = (Url::parse(url).unwrap(), Secret::new(code));
        let question = Question { url: &url, device: "525400123456", version: "1.2", code: &code, etag };
        let request = request(&question).unwrap();
        (request.uri().to_string(), request.headers().clone())
    }

    #[test]
    fn app_5_a_code_goes_by_tls_only_and_a_version_that_is_here_is_told() {
        let (path, sent) = head("https://pbx.example:8443/a/b.toml?x=1#y", "12345", Some("\"7\""));
        assert_eq!(path, "/a/b.toml?x=1");
        let of = |name: &str| sent.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((of("host"), of("if-none-match")), (Some("pbx.example:8443"), Some("\"7\"")));
        assert_eq!(of("user-agent"), Some("Frontdesk/1.2 525400123456"));
        assert_eq!(of("authorization"), Some("Basic NTI1NDAwMTIzNDU2OjEyMzQ1"));
        assert!(!head("http://pbx.example/", "12345", None).1.contains_key("authorization"));
        assert!(!head("https://pbx.example/", "", None).1.contains_key("authorization"));
    }

    #[test]
    fn app_5_what_the_network_says_is_sorted_by_what_can_be_done_about_it() {
        let of = |kind: io::ErrorKind| unreached(&io::Error::new(kind, "said"));
        let said = || "said".to_owned();
        assert_eq!(of(io::ErrorKind::ConnectionRefused), Unreached::Nobody(said()));
        assert_eq!(of(io::ErrorKind::NetworkUnreachable), Unreached::NoWay(said()));
        assert_eq!(of(io::ErrorKind::HostUnreachable), Unreached::NoWay(said()));
        assert_eq!(of(io::ErrorKind::ConnectionReset), Unreached::Ended(said()));
        assert_eq!(of(io::ErrorKind::UnexpectedEof), Unreached::Ended(said()));
        assert_eq!(of(io::ErrorKind::InvalidData), Unreached::Other(said()));
    }

    #[test]
    fn app_5_what_tls_says_of_either_certificate_is_sorted_and_what_it_says_else_is_kept() {
        let shown = |was_asked: bool, has_key: bool| {
            let pair = rcgen::generate_simple_self_signed(["device".to_owned()]).unwrap();
            let chain = vec![pair.cert.der().clone()];
            let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
            let key = CertifiedKey::from_der(chain, key, &ring::default_provider()).unwrap();
            Shown { key: has_key.then(|| Arc::new(key)), was_asked: AtomicBool::new(was_asked) }
        };
        let host = || "pbx.example".to_owned();
        let of = |error: rustls::Error, shown: &Shown| {
            refused(&io::Error::new(io::ErrorKind::InvalidData, error), shown, "pbx.example")
        };
        let nobody = shown(false, false);
        for (why, sorted) in [
            (CertificateError::UnknownIssuer, Untrusted::UnknownAuthority),
            (CertificateError::Expired, Untrusted::Expired),
            (CertificateError::NotValidYet, Untrusted::NotYet),
            (CertificateError::NotValidForName, Untrusted::OtherName),
            (CertificateError::BadEncoding, Untrusted::Other(CertificateError::BadEncoding.to_string())),
        ] {
            let trouble = of(rustls::Error::InvalidCertificate(why), &nobody);
            assert_eq!(trouble, Trouble::Untrusted { host: host(), why: sorted });
        }
        let alert = |alert: AlertDescription| rustls::Error::AlertReceived(alert);
        let asked = shown(true, true);
        for (said, sorted) in [
            (AlertDescription::UnknownCA, Objection::UnknownAuthority),
            (AlertDescription::CertificateExpired, Objection::Expired),
            (AlertDescription::CertificateRevoked, Objection::Revoked),
            (
                AlertDescription::BadCertificate,
                Objection::Other(alert(AlertDescription::BadCertificate).to_string()),
            ),
        ] {
            assert_eq!(of(alert(said), &asked), Trouble::RefusesCertificate { host: host(), why: sorted });
        }
        let wants = Trouble::WantsCertificate { host: host() };
        assert_eq!(of(alert(AlertDescription::HandshakeFailure), &shown(true, false)), wants);
        assert_eq!(of(alert(AlertDescription::CertificateRequired), &nobody), wants);
        let broken = alert(AlertDescription::HandshakeFailure);
        let why = Unreached::Tls(broken.to_string());
        assert_eq!(of(broken, &nobody), Trouble::Unreachable { host: host(), why });
        let reset = io::Error::new(io::ErrorKind::ConnectionReset, "reset");
        let hung_up = Trouble::RefusesCertificate { host: host(), why: Objection::HungUp("reset".into()) };
        assert_eq!(refused(&reset, &asked, "pbx.example"), hung_up);
        let ended = Trouble::Unreachable { host: host(), why: Unreached::Ended("reset".into()) };
        assert_eq!(refused(&reset, &nobody, "pbx.example"), ended);
    }

    #[test]
    fn app_5_files_that_are_not_there_are_not_needed_and_those_that_are_must_be_good() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| Some(folder.path().join(name));
        let config = ProvisioningConfig {
            authorities: file("ca.pem"),
            certificate: file("device.pem"),
            key: file("device.key"),
            ..ProvisioningConfig::default()
        };
        assert!(Identity::read(&config).unwrap().shown.key.is_none());
        let trouble = |config: &ProvisioningConfig| Identity::read(config).err().unwrap().to_string();
        fs::write(folder.path().join("ca.pem"), "hello").unwrap();
        assert!(
            trouble(&config).contains("ca.pem cannot be used: no certificate in it"),
            "{}",
            trouble(&config)
        );
        let pair = rcgen::generate_simple_self_signed(["device".to_owned()]).unwrap();
        fs::write(folder.path().join("ca.pem"), pair.cert.pem()).unwrap();
        fs::write(folder.path().join("device.pem"), pair.cert.pem()).unwrap();
        assert!(Identity::read(&config).unwrap().shown.key.is_none(), "a half is not shown");
        fs::write(folder.path().join("device.key"), rcgen::KeyPair::generate().unwrap().serialize_pem())
            .unwrap();
        let words = "device.key cannot be used: the key does not belong to the certificate";
        assert!(trouble(&config).ends_with(words), "{}", trouble(&config));
        fs::write(folder.path().join("device.key"), pair.cert.pem()).unwrap();
        assert!(trouble(&config).ends_with("device.key cannot be used: no private key in it (PEM)"));
        let torn = format!("{}!\n-----END CERTIFICATE-----\n", pair.cert.pem().split_at(60).0);
        fs::write(folder.path().join("device.pem"), torn).unwrap();
        assert!(
            trouble(&config).contains("device.pem cannot be used: it is no certificate that can be used: ")
        );
        fs::remove_file(folder.path().join("device.pem")).unwrap();
        fs::create_dir(folder.path().join("device.pem")).unwrap();
        assert!(
            trouble(&config).contains("device.pem cannot be used: Is a directory"),
            "{}",
            trouble(&config)
        );
        fs::remove_dir(folder.path().join("device.pem")).unwrap();
        fs::write(folder.path().join("device.pem"), pair.cert.pem()).unwrap();
        fs::write(folder.path().join("device.key"), pair.signing_key.serialize_pem()).unwrap();
        assert!(Identity::read(&config).unwrap().shown.key.is_some());
    }
}
