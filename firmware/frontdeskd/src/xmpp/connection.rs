//! One connection to the XMPP server: reached, encrypted, the certificate checked, logged in, bound.
//!
//! STARTTLS is required and the certificate must name the domain of the address (RFC 6120 sections 5 and
//! 13.7): nothing is said to a server that cannot show one, least of all the password. What happens on the
//! connection then is in `session`.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use sasl::common::{ChannelBinding, Credentials};
use tokio::{io::BufStream, net::TcpStream, task::spawn_blocking, time::timeout};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig,
        pki_types::{CertificateDer, ServerName},
    },
};
use tokio_xmpp::{
    jid::BareJid,
    parsers::{bind::BindQuery, iq::Iq, ns, starttls},
    xmlstream::{
        ReadError, StreamHeader, Timeouts, XmlStream, XmppStream, XmppStreamElement, initiate_stream,
    },
};
use xso::AsXml;

use super::{bounded::Bounded, login::log_in, stanza::Incoming};
use crate::trust;

/// How long everything may take until the server has bound us.
const CONNECT: Duration = Duration::from_secs(20);
/// How long a stanza of ours may take to leave.
const SEND: Duration = Duration::from_secs(10);
/// A server is asked whether it is still there after so long a silence…
const SILENCE: Duration = Duration::from_secs(30);
/// …and may take so long to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes that the server may send before TLS, and again until we are logged in.
const LOGIN_BYTES: usize = 64 * 1024;
/// Bytes of the whole roster; of anything else.
const ROSTER_BYTES: usize = 2 * 1024 * 1024;
const STANZA_BYTES: usize = 64 * 1024;
/// Largest file of anchors, in bytes: every authority of the web fits in it.
const ANCHORS_BYTES: u64 = 1024 * 1024;
const BIND: &str = "bind";

/// Where to connect, and as whom.
pub(super) struct Access {
    pub(super) address: BareJid,
    pub(super) password: store::Secret,
    /// `host:port`.
    pub(super) server: String,
    /// Certificates that are trusted besides those of the box, PEM.
    pub(super) ca: Option<PathBuf>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody there, or gone again.
    Unreachable(io::Error),
    /// The server does not offer STARTTLS.
    NoTls,
    /// Its certificate is not to be trusted, or not its own.
    Certificate(String),
    /// It does not let us in.
    Refused(String),
    /// It says what it should not.
    Protocol(String),
    /// It takes too long.
    Silent,
    /// The file of `xmpp.ca` is of no use.
    Anchors(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "the server cannot be reached: {error}"),
            Self::NoTls => f.write_str("the server does not encrypt (no STARTTLS)"),
            Self::Certificate(why) => write!(f, "certificate refused: {why}"),
            Self::Refused(why) => write!(f, "login refused: {why}"),
            Self::Protocol(why) => write!(f, "the server does not keep to the protocol: {why}"),
            Self::Silent => f.write_str("the server does not answer"),
            Self::Anchors(why) => write!(f, "xmpp.ca is of no use: {why}"),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Protocol(error.to_string()),
            _ => Self::Unreachable(error),
        }
    }
}

impl From<tokio_xmpp::Error> for Trouble {
    fn from(error: tokio_xmpp::Error) -> Self {
        match error {
            tokio_xmpp::Error::Io(error) => error.into(),
            error => Self::Protocol(error.to_string()),
        }
    }
}

type Plain = BufStream<Bounded<TcpStream>>;
type Secure = BufStream<Bounded<TlsStream<TcpStream>>>;

/// A connection that stands.
pub(super) struct Connection {
    stream: XmlStream<Secure, Incoming>,
    /// Bytes granted for each stanza.
    each: usize,
}

/// Opens a connection, within twenty seconds.
///
/// # Errors
/// Why there is none.
pub(super) async fn open(access: &Access) -> Result<Connection, Trouble> {
    timeout(CONNECT, opened(access)).await.unwrap_or(Err(Trouble::Silent))
}

async fn opened(access: &Access) -> Result<Connection, Trouble> {
    let ca = access.ca.clone();
    // Files are read.
    let trust = spawn_blocking(move || trust(ca.as_deref())).await.map_err(|_| Trouble::Silent)??;
    let tcp = TcpStream::connect(&access.server).await?;
    tcp.set_nodelay(true)?;
    let tls = encrypted(starttls(tcp, access).await?, access, trust).await?;
    let secure = BufStream::new(Bounded::new(tls, LOGIN_BYTES));
    let stream = initiate_stream(secure, ns::JABBER_CLIENT, header(access), timeouts()).await?;
    let (features, stream) = stream.recv_features().await.map_err(tokio_xmpp::Error::from)?;
    let user = access.address.node().map(ToString::to_string).unwrap_or_default();
    let credentials = Credentials::default()
        .with_username(user)
        .with_password(access.password.reveal())
        .with_channel_binding(ChannelBinding::None);
    let stream = log_in(stream, &features.sasl_mechanisms, credentials).await?;
    let stream = stream.send_header(header(access)).await?;
    let (_, stream) = stream.recv_features().await.map_err(tokio_xmpp::Error::from)?;
    let mut connection = Connection { stream, each: LOGIN_BYTES };
    connection.bind().await?;
    connection.expect_roster();
    Ok(connection)
}

fn header(access: &Access) -> StreamHeader<'_> {
    StreamHeader { to: Some(Cow::Borrowed(access.address.domain().as_str())), ..StreamHeader::default() }
}

fn timeouts() -> Timeouts {
    Timeouts { read_timeout: SILENCE, response_timeout: ANSWER }
}

/// Asks for TLS; what comes back is ready for its handshake. Whatever the server, or somebody between, has
/// sent behind its consent is thrown away.
async fn starttls(tcp: TcpStream, access: &Access) -> Result<TcpStream, Trouble> {
    let plain = BufStream::new(Bounded::new(tcp, LOGIN_BYTES));
    let stream = initiate_stream(plain, ns::JABBER_CLIENT, header(access), timeouts()).await?;
    let (features, mut stream): (_, XmppStream<Plain>) =
        stream.recv_features().await.map_err(tokio_xmpp::Error::from)?;
    if !features.can_starttls() {
        return Err(Trouble::NoTls);
    }
    let request = XmppStreamElement::Starttls(starttls::Nonza::Request(starttls::Request));
    stream.send(&request).await?;
    loop {
        let said = stream.next().await.map(|read| read.and_then(|element| element.into_read_error()));
        match said {
            Some(Ok(XmppStreamElement::Starttls(starttls::Nonza::Proceed(_)))) => break,
            Some(Ok(XmppStreamElement::Starttls(_))) => return Err(Trouble::NoTls),
            Some(Ok(_) | Err(ReadError::SoftTimeout)) => {}
            Some(Err(error)) => return Err(read_trouble(error)),
            None => return Err(gone()),
        }
    }
    Ok(stream.into_inner().into_inner().into_inner())
}

async fn encrypted(
    tcp: TcpStream,
    access: &Access,
    trust: ClientConfig,
) -> Result<TlsStream<TcpStream>, Trouble> {
    let domain = access.address.domain().as_str().to_owned();
    let name = ServerName::try_from(domain).map_err(|error| Trouble::Certificate(error.to_string()))?;
    TlsConnector::from(Arc::new(trust)).connect(name, tcp).await.map_err(|error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(rustls::Error::InvalidCertificate(why)) => Trouble::Certificate(why.to_string()),
            Some(cause) => Trouble::Protocol(format!("TLS: {cause}")),
            None => Trouble::Unreachable(error),
        }
    })
}

/// What is trusted: the anchors of the box, and those of a company's own.
fn trust(ca: Option<&Path>) -> Result<ClientConfig, Trouble> {
    let own = ca.map(certificates).transpose().map_err(Trouble::Anchors)?;
    let anchors = trust::anchors(own.into_iter().flatten());
    let anchors = anchors.map_err(|error| Trouble::Anchors(error.to_string()))?;
    let config = trust::client().map_err(|error| Trouble::Anchors(error.to_string()))?;
    Ok(config.with_root_certificates(anchors).with_no_client_auth())
}

/// The certificates of a PEM file, at least one.
///
/// # Errors
/// The file and what is wrong with it.
pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = contents(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    trust::certificates(&pem).map_err(|why| format!("{} has {why}", file.display()))
}

/// What is in a file that the administrator's page names: whatever it is, it is no reason to wait or to run out of memory.
fn contents(file: &Path) -> io::Result<Vec<u8>> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(file)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut pem = Vec::new();
    file.take(ANCHORS_BYTES + 1).read_to_end(&mut pem)?;
    if u64::try_from(pem.len()).is_ok_and(|bytes| bytes <= ANCHORS_BYTES) {
        Ok(pem)
    } else {
        Err(io::Error::other("it is larger than 1 MiB"))
    }
}

impl Connection {
    /// The next stanza; `None` for a silence in which the server should be asked whether it is still there.
    ///
    /// # Errors
    /// Why the connection is at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Incoming>, Trouble> {
        let read = self.stream.next().await;
        self.grant();
        match read {
            Some(Ok(incoming)) => Ok(Some(incoming)),
            Some(Err(ReadError::SoftTimeout)) => Ok(None),
            Some(Err(error)) => Err(read_trouble(error)),
            None => Err(gone()),
        }
    }

    /// Sends a stanza.
    ///
    /// # Errors
    /// Why it could not be sent; the connection is at its end then.
    pub(super) async fn send(&mut self, stanza: &impl AsXml) -> Result<(), Trouble> {
        timeout(SEND, self.stream.send(stanza)).await.map_err(|_| Trouble::Silent)??;
        Ok(())
    }

    /// The roster comes: it may be long.
    fn expect_roster(&mut self) {
        self.each = ROSTER_BYTES;
        self.grant();
    }

    /// The roster has come: nothing long is expected any more.
    pub(super) fn roster_came(&mut self) {
        self.each = STANZA_BYTES;
        self.grant();
    }

    fn grant(&self) {
        self.stream.get_stream().get_ref().grant(self.each);
    }

    /// Asks for a resource of the server's choice (RFC 6120 section 7.6).
    async fn bind(&mut self) -> Result<(), Trouble> {
        let payload = BindQuery::new(None).into();
        self.send(&Iq::Set { from: None, to: None, id: BIND.into(), payload }).await?;
        loop {
            match self.next().await? {
                Some(Incoming::Iq(iq)) if iq.id == BIND && iq.kind == "result" => return Ok(()),
                Some(Incoming::Iq(iq)) if iq.id == BIND => {
                    return Err(Trouble::Refused("the server binds no resource".into()));
                }
                Some(Incoming::StreamError(why)) => return Err(ended(&why)),
                _ => {}
            }
        }
    }
}

/// The server has ended the stream.
pub(super) fn ended(condition: &str) -> Trouble {
    // The server's word goes into a log line.
    let word: String = condition.chars().filter(char::is_ascii_graphic).take(40).collect();
    Trouble::Unreachable(io::Error::new(io::ErrorKind::ConnectionAborted, format!("ended by it: {word}")))
}

pub(super) fn gone() -> Trouble {
    Trouble::Unreachable(io::ErrorKind::UnexpectedEof.into())
}

pub(super) fn read_trouble(error: ReadError) -> Trouble {
    match error {
        ReadError::HardError(error) if error.kind() == io::ErrorKind::TimedOut => Trouble::Silent,
        ReadError::HardError(error) => error.into(),
        ReadError::ParseError(error) => Trouble::Protocol(error.to_string()),
        ReadError::SoftTimeout => Trouble::Silent,
        ReadError::StreamFooterReceived => ended("closed"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_anchors_must_have_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(certificates(&file).unwrap_err().starts_with("cannot read "));
        std::fs::write(&file, "hello").unwrap();
        assert!(certificates(&file).unwrap_err().contains("no certificate"));
        std::fs::write(&file, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
        assert!(certificates(&file).is_err());
    }

    #[test]
    fn a_path_to_no_file_or_to_a_huge_one_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), Path::new("/dev/zero")] {
            assert!(certificates(path).unwrap_err().contains("it is no file"));
        }
        // Nobody writes into it: whoever reads it waits.
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(certificates(&pipe).unwrap_err().contains("it is no file"));
        let huge = folder.path().join("huge.pem");
        File::create(&huge).unwrap().set_len(ANCHORS_BYTES + 1).unwrap();
        assert!(certificates(&huge).unwrap_err().contains("larger than 1 MiB"));
    }

    #[test]
    fn what_a_server_says_last_is_no_line_of_its_own() {
        let said = ended("conflict\n2026 INFO all is well, never mind").to_string();
        assert!(said.ends_with("ended by it: conflict2026INFOalliswell,nevermind"), "{said}");
        assert!(ended(&"x".repeat(1000)).to_string().len() < 120);
    }
}
