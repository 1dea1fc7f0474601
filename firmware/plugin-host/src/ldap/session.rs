//! One connection to a directory: encrypted, signed in, asked. ldap3 speaks, through the guard; what a server
//! may say of an entry is taken out of its answer here, and nothing of it is believed but its form.

use std::io;
use std::time::Duration;

use ldap3::asn1::{PL, StructureTag};
use ldap3::controls::{MakeCritical, PagedResults, RawControl};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchOptions, StdStream};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;

use super::ber::{self, Fault, Kind, Operation};
use super::guard::{self, Guard};
use crate::failure::shortened;
use crate::grants::{Grant, Scheme, Target};
use crate::guest::bindings::frontdesk::connector::ldap as wit;
use crate::resolve::Resolver;
use crate::way;

/// ExtendedRequest of StartTLS (RFC 4511 section 4.14.1), message 1.
const STARTTLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const PAGED: &str = "1.2.840.113556.1.4.319";
/// The largest cookie of a server that is kept, in bytes.
const COOKIE: usize = 64 << 10;
/// Bytes of the answer to a bind.
const BIND: usize = 64 << 10;

/// What is asked, once it was checked.
pub(crate) struct Question {
    pub(crate) base: String,
    pub(crate) scope: wit::Scope,
    pub(crate) filter: String,
    pub(crate) attributes: Vec<String>,
    /// Entries.
    pub(crate) limit: u32,
    /// Bytes.
    pub(crate) room: usize,
    /// Time the server is told it has.
    pub(crate) patience: Duration,
}

/// A page, with the server's own cookie.
pub(crate) struct Found {
    pub(crate) page: wit::Page,
    pub(crate) cookie: Vec<u8>,
}

/// A connection that can be asked.
pub(crate) struct Session {
    ldap: Ldap,
    guard: Guard,
    room: usize,
    _tasks: [EndOnDrop; 2],
}

impl Session {
    /// Connects to a vetted address, with TLS unless the grant and the plugin want none.
    pub(crate) async fn open(
        resolver: &Resolver,
        tls: &std::sync::Arc<rustls::ClientConfig>,
        target: &Target,
        grant: &Grant,
        plain: bool,
    ) -> Result<Self, wit::Error> {
        let is_plain = plain && target.scheme == Scheme::Ldap;
        if is_plain && !grant.is_plain() {
            return Err(wit::Error::Denied(format!("{} without encryption was not granted", target.place())));
        }
        let mut tcp = way::connect(resolver, target, grant).await?;
        if is_plain || resolver.is_stage() {
            return Self::over(tcp).await;
        }
        if target.scheme == Scheme::Ldap {
            start_tls(&mut tcp).await?;
        }
        Self::over(way::secure(tls, target, tcp).await?).await
    }

    async fn over(server: impl AsyncRead + AsyncWrite + Send + 'static) -> Result<Self, wit::Error> {
        let broken = |error: &dyn std::fmt::Display| wit::Error::Unreachable(error.to_string());
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(|error| broken(&error))?;
        ours.set_nonblocking(true).map_err(|error| broken(&error))?;
        let ours = UnixStream::from_std(ours).map_err(|error| broken(&error))?;
        let guard = Guard::default();
        let relay = tokio::spawn(guard.clone().relay(server, ours));
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(theirs));
        let opened = LdapConnAsync::with_settings(settings, "ldapi:///").await;
        let (connection, ldap) = opened.map_err(|error| broken(&error))?;
        let driver = tokio::spawn(async move {
            // How it ends is seen by the operation that uses it.
            let _ = connection.drive().await;
        });
        Ok(Self { ldap, guard, room: 0, _tasks: [EndOnDrop(relay), EndOnDrop(driver)] })
    }

    /// Signs in by name and password (RFC 4513 section 5.1.3).
    pub(crate) async fn bind(&mut self, name: &str, secret: &str) -> Result<(), wit::Error> {
        self.allow(BIND, 0);
        let result = self.ldap.simple_bind(name, secret).await.map_err(|error| self.trouble(&error))?;
        match result.rc {
            0 => Ok(()),
            // No such object, bad name, inappropriate authentication, bad credentials, unwilling.
            32 | 34 | 48 | 49 | 53 => Err(wit::Error::Auth(format!(
                "the server refuses the name or the password{}",
                in_words(&result)
            ))),
            _ => Err(refused(&result)),
        }
    }

    /// One page of a search.
    pub(crate) async fn search(&mut self, question: &Question, cookie: Vec<u8>) -> Result<Found, wit::Error> {
        self.allow(question.room, question.limit as usize);
        let size = i32::try_from(question.limit).unwrap_or(i32::MAX);
        let control: RawControl = PagedResults { size, cookie }.critical().into();
        let seconds = i32::try_from(question.patience.as_secs()).unwrap_or(i32::MAX).max(1);
        let scope = match question.scope {
            wit::Scope::Base => Scope::Base,
            wit::Scope::OneLevel => Scope::OneLevel,
            wit::Scope::Subtree => Scope::Subtree,
        };
        let (base, filter) = (question.base.as_str(), question.filter.as_str());
        let started = self
            .ldap
            .with_search_options(SearchOptions::new().timelimit(seconds))
            .with_controls(control)
            .streaming_search(base, scope, filter, question.attributes.clone())
            .await;
        let mut stream = started.map_err(|error| self.trouble(&error))?;
        let (mut entries, mut references) = (Vec::new(), 0);
        loop {
            match stream.next().await {
                Ok(Some(found)) if found.is_ref() => references += 1,
                Ok(Some(found)) => entries.push(
                    read_entry(found.0)
                        .ok_or_else(|| wit::Error::Protocol("an entry that cannot be read".to_owned()))?,
                ),
                Ok(None) => break,
                Err(error) => return Err(self.trouble(&error)),
            }
        }
        let result = stream.finish().await;
        let (total, cookie) = paged(&result);
        if cookie.len() > COOKIE {
            return Err(wit::Error::Protocol("a cookie of more than 64 KiB".to_owned()));
        }
        let cut = match result.rc {
            0 => None,
            // Limits of time, of size, and of the administrator: what has come is good, only not all.
            3 if !entries.is_empty() => Some(wit::Cut::Time),
            4 => Some(wit::Cut::Size),
            11 if !entries.is_empty() => Some(wit::Cut::Size),
            _ => return Err(refused(&result)),
        };
        let cookie = if cut.is_some() { Vec::new() } else { cookie };
        Ok(Found { page: wit::Page { entries, cookie: None, references, cut, total }, cookie })
    }

    fn allow(&mut self, bytes: usize, entries: usize) {
        self.room = bytes;
        self.guard.allow(bytes, entries);
    }

    /// What went wrong: the rule the guard saw broken, where there is one.
    fn trouble(&self, error: &LdapError) -> wit::Error {
        match self.guard.fault() {
            Some(Fault::TooMuch("bytes")) => wit::Error::TooLarge(self.room.min(guard::LARGEST) as u64),
            Some(Fault::Notice(words)) => wit::Error::Unreachable(shortened(&words)),
            Some(fault) => wit::Error::Protocol(fault.to_string()),
            None => match error {
                LdapError::FilterParsing => wit::Error::BadRequest("the filter cannot be sent".to_owned()),
                _ => wit::Error::Unreachable("the server hung up".to_owned()),
            },
        }
    }
}

impl From<way::WayError> for wit::Error {
    fn from(error: way::WayError) -> Self {
        match error {
            way::WayError::Denied(words) => Self::Denied(words),
            way::WayError::Unreachable(words) => Self::Unreachable(words),
            way::WayError::Tls(words) => Self::Tls(words),
        }
    }
}

struct EndOnDrop(JoinHandle<()>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks for StartTLS and reads the answer, not a byte more: what came behind it in plain text would otherwise
/// count as said in TLS.
async fn start_tls(tcp: &mut TcpStream) -> Result<(), wit::Error> {
    let broken = |error: io::Error| wit::Error::Unreachable(error.to_string());
    tcp.write_all(STARTTLS).await.map_err(broken)?;
    let message = guard::read_message(tcp, BIND).await.map_err(broken)?;
    let mut left = 64;
    let kind = message.and_then(|message| ber::check(&message, Operation::Extended, 1, &mut left));
    match kind {
        Ok(Kind::Result(0)) => Ok(()),
        Ok(Kind::Result(code)) => {
            Err(wit::Error::Tls(format!("the server refuses StartTLS with code {code}; try ldaps")))
        }
        Ok(_) => Err(wit::Error::Protocol("no answer to StartTLS".to_owned())),
        Err(fault) => Err(wit::Error::Protocol(fault.to_string())),
    }
}

/// The server's guess of the whole and its cookie, which is empty behind the last page.
fn paged(result: &LdapResult) -> (Option<u64>, Vec<u8>) {
    let control = result.ctrls.iter().find(|control| control.1.ctype == PAGED);
    let value = control.and_then(|control| ber::paged(control.1.val.as_deref()?));
    value
        .map_or((None, Vec::new()), |(size, cookie)| (Some(u64::from(size)).filter(|size| *size > 0), cookie))
}

fn refused(result: &LdapResult) -> wit::Error {
    wit::Error::Refused(wit::Refusal { code: result.rc, message: shortened(&result.text) })
}

fn in_words(result: &LdapResult) -> String {
    let words = shortened(&result.text);
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// An entry; the guard has seen to its form, but a panic is no way to say that it has not.
fn read_entry(tag: StructureTag) -> Option<wit::Entry> {
    let mut parts = inside(tag)?.into_iter();
    let dn = text(parts.next()?)?;
    let attributes = inside(parts.next()?)?.into_iter().map(|tag| {
        let mut parts = inside(tag)?.into_iter();
        let name = text(parts.next()?)?;
        let values = inside(parts.next()?)?.into_iter().map(bytes).collect::<Option<Vec<_>>>()?;
        Some(wit::Attribute { name, values })
    });
    Some(wit::Entry { dn, attributes: attributes.collect::<Option<Vec<_>>>()? })
}

fn inside(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn bytes(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(bytes(tag)?).ok()
}
