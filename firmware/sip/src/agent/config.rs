//! What a [`UserAgent`](crate::UserAgent) is told from outside: its own settings, the accounts it
//! serves, the calls it is asked to make, and the identities it hands back.
//!
//! Nothing here acts. Names are not resolved here: see [`Event::Resolve`](crate::Event::Resolve).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use crate::diversion::MAX_DIVERSIONS;
use crate::flow::{Target, Transport};
use crate::replaces::Replaces;
use crate::sdp::{Codec, LocalMedia, Srtp};

/// Settings of one [`UserAgent`](crate::UserAgent).
#[derive(Clone, Debug)]
pub struct Config {
    /// The address written into Via and Contact: the one peers reach our UDP socket and our TCP listener at.
    pub local: SocketAddr,
    /// The same in the other address family, where there is one.
    pub local_other: Option<SocketAddr>,
    /// The program answers [`Event::Connect`](crate::Event::Connect): a request too large for a datagram goes by TCP
    /// (RFC 3261 section 18.1.1). Default: no.
    pub streams: bool,
    /// Ask the exchanges that accounts are registered at whether they are there (OPTIONS), and use their next target
    /// when they are not, within [`TARGET_KNOWN_FOR`](crate::TARGET_KNOWN_FOR). Default: no.
    pub probe: bool,
    /// `User-Agent` of requests, `Server` of responses.
    pub user_agent: String,
    /// What this box is known by at registrars that can do RFC 5626, a URN such as [`instance`] makes; `None` for none.
    /// With it an account also has the same Contact at every start, at one and the same address.
    pub instance: Option<String>,
    /// Round-trip estimate T1 (RFC 3261 17.1.1.1). Default 500 ms.
    pub t1: Duration,
    /// Longest retransmission interval T2 of anything but INVITE. Default 4 s.
    pub t2: Duration,
    /// How long a message may survive in the network, T4. Default 5 s.
    pub t4: Duration,
    /// Hand REGISTER, SUBSCRIBE, MESSAGE, PUBLISH and in-dialog REFER to the program instead of
    /// refusing them: an exchange wants this, a telephone does not. An exchange also has calls that are
    /// no sessions of this agent and knows its telephones by their passwords: an INVITE with Replaces
    /// that matches no session comes as an ordinary call, and who may replace what is for the program
    /// to decide before it accepts.
    pub server: bool,
    /// Hand REFER to the program instead of refusing it: it is asked to call somebody, in place of one of its calls
    /// (we are the transferee, RFC 5589) or out of nothing (a call placed from another device). Our own exchange alone
    /// may ask. Default false; [`Config::server`] takes REFER in dialogs from everybody.
    pub takes_refer: bool,
    /// Live sessions, ringing ones included; one more INVITE is answered 486. Default 200.
    pub max_sessions: usize,
    /// Live sessions of strangers, who called us past our exchanges, where there is one; one more of their INVITEs is
    /// answered 486, so that a flood of theirs leaves room for calls. Default 8.
    pub max_stranger_sessions: usize,
    /// Transactions of both sides; beyond it new requests are answered 503. A telephone drops those of strangers from
    /// three quarters on. Requests that are held take no more than 4 KiB each on average. Default 8192.
    pub max_transactions: usize,
    /// Requests a second that one stranger's address may open on average. Addresses of our
    /// registrars and requests inside a dialog are not counted. Default 20.
    pub stranger_rate: u32,
    /// Requests one stranger may open at once after a silence. Default 60.
    pub stranger_burst: u32,
    /// After an accepted REFER, how long without any NOTIFY until the transfer is given up as
    /// [`TransferResult::NoNotify`](crate::TransferResult::NoNotify). Default 60 s.
    pub transfer_silence: Duration,
    /// First pause before a failed registration or subscription is tried again; doubles up to
    /// [`Config::retry_longest`]. Default 2 s.
    pub retry_first: Duration,
    /// Longest such pause. Default 5 min.
    pub retry_longest: Duration,
    /// Codecs an incoming offer is measured against before the program names its own media in
    /// [`accept`](crate::UserAgent::accept). Default all four.
    pub codecs: Vec<Codec>,
}

impl Config {
    /// Default settings for an agent reached at `local`.
    pub fn new(local: SocketAddr) -> Config {
        Config {
            local,
            local_other: None,
            streams: false,
            probe: false,
            user_agent: concat!("Frontdesk/", env!("CARGO_PKG_VERSION")).to_owned(),
            instance: None,
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            server: false,
            takes_refer: false,
            max_sessions: 200,
            max_stranger_sessions: 8,
            max_transactions: 8192,
            stranger_rate: 20,
            stranger_burst: 60,
            transfer_silence: Duration::from_secs(60),
            retry_first: Duration::from_secs(2),
            retry_longest: Duration::from_secs(300),
            codecs: vec![Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu],
        }
    }
}

/// The `+sip.instance` (RFC 5626 section 4.1) of a box whose own secret identifier, such as the machine's, is `machine`:
/// the same at every start, and not to be guessed from one another.
pub fn instance(machine: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(format!("frontdesk sip instance {machine}"));
    let word = |at: usize| u16::from_be_bytes([hash[at], hash[at + 1]]);
    // A UUID of version 8: a hash of our own kind (RFC 9562 section 5.8).
    let (version, variant) = (word(6) & 0x0fff | 0x8000, word(8) & 0x3fff | 0x8000);
    let (a, b, c) = (word(0), word(2), word(4));
    let (d, e, f) = (word(10), word(12), word(14));
    format!("urn:uuid:{a:04x}{b:04x}-{c:04x}-{version:04x}-{variant:04x}-{d:04x}{e:04x}{f:04x}")
}

/// Sixteen hexadecimal digits that an account of a box has for good, and that nobody can guess who does not know its
/// instance.
pub(super) fn line_token(instance: &str, account: &Account) -> String {
    use sha2::{Digest, Sha256};
    let of =
        format!("frontdesk sip line\0{instance}\0{}\0{}\0{}", account.id.0, account.user, account.domain);
    let word = Sha256::digest(of).iter().take(8).fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
    format!("{word:016x}")
}

/// Identity of an [`Account`]; chosen by the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub u32);

/// Identity of one call leg, from INVITE to [`Event::Ended`](crate::Event::Ended). Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// Identity of a subscription of ours, across all its refreshes and new attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(pub u64);

/// Identity of a subscription somebody holds with us ([`Config::server`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotifierId(pub u64);

/// Identity of a request that waits for the program's answer ([`Config::server`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Identity of a name that waits for [`resolved`](crate::UserAgent::resolved).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResolveId(pub u64);

/// A host, as name or address, with a port where one was given.
///
/// Reads `pbx.example`, `pbx.example:5070`, `192.0.2.1:5060`, `[2001:db8::1]:5060`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    /// Name or address, an IPv6 address without brackets.
    pub host: String,
    /// `None` leaves the port to DNS (SRV) or to 5060.
    pub port: Option<u16>,
}

impl HostPort {
    /// The address, where the host is one and needs no look-up; port 5060 unless given.
    pub fn literal(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        Some(SocketAddr::new(ip, self.port.unwrap_or(5060)))
    }
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> HostPort {
        HostPort { host: address.ip().to_string(), port: Some(address.port()) }
    }
}

/// A [`HostPort`] could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a host, host:port or [IPv6]:port")]
pub struct HostPortError(String);

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<HostPort, HostPortError> {
        let wrong = || HostPortError(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                match after.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if after.is_empty() => (host, None),
                    None => return Err(wrong()),
                }
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(wrong());
        }
        let port = port.map(|port| port.parse().map_err(|_| wrong())).transpose()?;
        Ok(HostPort { host: host.to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (true, None) => write!(f, "[{}]", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (false, None) => f.write_str(&self.host),
        }
    }
}

/// One line of ours at one registrar.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Chosen by the program; adding a second account with the same one replaces the first.
    pub id: AccountId,
    /// User part of our address of record, usually the extension.
    pub user: String,
    /// Host part of our address of record.
    pub domain: String,
    /// Name shown to those we call; empty for none.
    pub display_name: String,
    /// Name for digest authentication where it is not `user`.
    pub auth_user: Option<String>,
    /// Secret for digest authentication. Never printed.
    pub password: String,
    /// Where REGISTER goes.
    pub registrar: HostPort,
    /// Where everything goes first, if anywhere.
    pub outbound_proxy: Option<HostPort>,
    /// Lifetime asked for; the registrar may shorten it.
    pub expires: Duration,
    /// Register at once when added. Calls can be made without.
    pub register: bool,
    /// By what everything goes to the exchange; `None` leaves it to DNS (RFC 3263 section 4.1), and to UDP, with TCP
    /// for what is too large for a datagram (RFC 3261 section 18.1.1).
    pub transport: Option<Transport>,
    /// Whether speech is encrypted (RFC 4568).
    pub srtp: Srtp,
    /// Believe the exchange when it says who calls (P-Asserted-Identity, Remote-Party-ID: RFC 3325).
    pub trusts_identity: bool,
    /// How our address is found out where the exchange sees us at another.
    pub nat: Nat,
    /// Session timer asked for (RFC 4028), 90 s at least; `None` asks for none, but one the peer asks for is kept.
    pub session_expires: Option<Duration>,
}

/// How an account finds the address under which it is reached from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nat {
    /// Ours is reached as it is.
    #[default]
    None,
    /// As the registrar sees it, from its answer (RFC 3581).
    Registrar,
    /// As a STUN server sees it (RFC 8489); asked by the program for the media, by the registrar for signalling.
    Stun(HostPort),
}

impl Account {
    /// An account with its defaults: registered for 5 minutes by whatever transport DNS says.
    pub fn new(id: AccountId, user: &str, domain: &str, registrar: HostPort) -> Account {
        Account {
            id,
            user: user.to_owned(),
            domain: domain.to_owned(),
            display_name: String::new(),
            auth_user: None,
            password: String::new(),
            registrar,
            outbound_proxy: None,
            expires: Duration::from_secs(300),
            register: true,
            transport: None,
            srtp: Srtp::Off,
            trusts_identity: true,
            nat: Nat::None,
            session_expires: Some(Duration::from_secs(1800)),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("domain", &self.domain)
            .field("registrar", &self.registrar)
            .field("outbound_proxy", &self.outbound_proxy)
            .field("register", &self.register)
            .finish_non_exhaustive()
    }
}

/// A call to make: [`UserAgent::invite`](crate::UserAgent::invite).
#[derive(Clone, Debug)]
pub struct Invite {
    /// The account the call goes through; `None` needs a `destination` or a `sip:` target.
    pub account: Option<AccountId>,
    /// A number or extension (completed with the account's domain) or a whole `sip:`/`tel:` URI.
    pub target: String,
    /// Where we receive media and what we speak.
    pub media: LocalMedia,
    /// Dialog to take over (RFC 3891), as for an intercept: see [`Replaces::of_lamp`]. The INVITE then
    /// requires the extension, because a peer that did not know it would ring somebody else's telephone.
    pub replaces: Option<Replaces>,
    /// Keep our name and number from those we call (RFC 3323); our own exchange still learns them.
    pub anonymous: bool,
    /// Ask the called telephone to answer by itself after so long, in whole seconds (Call-Info and Alert-Info as
    /// telephones know them; Answer-Mode of RFC 5373 where it is at once).
    pub answer_after: Option<Duration>,
    /// Header lines to add, such as `Diversion`.
    pub headers: Vec<(String, String)>,
    /// Send here, whatever the target's host says.
    pub destination: Option<Target>,
    /// From identity in place of the account's own.
    pub from: Option<Identity>,
    /// To identity in place of the target's own: the number that was called.
    pub to: Option<Identity>,
}

impl Invite {
    /// A plain call of `target` through `account`.
    pub fn new(account: AccountId, target: impl Into<String>, media: LocalMedia) -> Invite {
        Invite {
            account: Some(account),
            target: target.into(),
            media,
            replaces: None,
            answer_after: None,
            anonymous: false,
            headers: Vec::new(),
            destination: None,
            from: None,
            to: None,
        }
    }
}

/// Who a call says it is from or to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Name beside the address; `None` for none.
    pub display: Option<String>,
    /// A whole URI, such as `sip:0591234@pbx.example`.
    pub uri: String,
}

/// What a subscription asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Package {
    /// Calls of a phone (RFC 4235): the lamps.
    Dialog,
    /// Whether a person is there (RFC 3856).
    Presence,
    /// Waiting voice messages (RFC 3842).
    MessageSummary,
}

impl Package {
    /// The `Event` header value.
    pub fn name(self) -> &'static str {
        match self {
            Package::Dialog => "dialog",
            Package::Presence => "presence",
            Package::MessageSummary => "message-summary",
        }
    }

    /// The body type asked for in `Accept`.
    pub fn content_type(self) -> &'static str {
        match self {
            Package::Dialog => "application/dialog-info+xml",
            Package::Presence => "application/pidf+xml",
            Package::MessageSummary => "application/simple-message-summary",
        }
    }
}

/// One message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where to, and by what. Where no connection to it is open, one must be opened first.
    pub to: Target,
    /// For TLS: the name that the certificate there must be for (RFC 5922); `None` where only the address is known.
    pub server_name: Option<String>,
    /// The whole message.
    pub bytes: Vec<u8>,
}

/// A command could not be carried out at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No account of that identity.
    #[error("no account {0:?}")]
    UnknownAccount(AccountId),
    /// [`Config::max_sessions`] are open.
    #[error("no more than {0} calls at once")]
    TooManySessions(usize),
    /// The target is neither a number nor a URI we can call.
    #[error("{0:?} cannot be called")]
    BadTarget(String),
    /// The identifiers of the dialog to take over cannot be written as a Replaces header.
    #[error("that call cannot be named to others")]
    BadReplaces,
    /// No such call, or it has ended.
    #[error("no call {0:?}")]
    NoSuchCall(SessionId),
    /// The consultation of an attended transfer is not answered yet, so there is nothing to replace.
    #[error("call {0:?} is not answered yet")]
    NotAnswered(SessionId),
    /// A call cannot be transferred to itself.
    #[error("{0:?} is both the call and its consultation")]
    SameCall(SessionId),
    /// Only a ringing call can be redirected.
    #[error("call {0:?} does not ring")]
    NotRinging(SessionId),
    /// The call was sent on so often already that it must be going round.
    #[error("sent on {0} times already, the most is {MAX_DIVERSIONS}")]
    TooManyDiversions(u32),
    /// The target is one of those who sent the call on to us.
    #[error("{0:?} sent this call on itself")]
    DiversionLoop(String),
    /// Our own media description is unusable.
    #[error("no offer could be made: {0}")]
    Media(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn host_and_port_in_all_their_forms() {
        for (text, host, port) in [
            ("pbx.example", "pbx.example", None),
            ("pbx.example:5070", "pbx.example", Some(5070)),
            ("192.0.2.1:5060", "192.0.2.1", Some(5060)),
            ("[2001:db8::1]:5060", "2001:db8::1", Some(5060)),
            ("[2001:db8::1]", "2001:db8::1", None),
        ] {
            let read: HostPort = text.parse().unwrap();
            assert_eq!((read.host.as_str(), read.port), (host, port), "{text}");
            assert_eq!(read.to_string(), text);
        }
        for text in ["", ":5060", "pbx:", "pbx:99999", "[::1", "[::1]5060", "[pbx]:1", "a b"] {
            assert!(text.parse::<HostPort>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_box_keeps_its_instance_and_no_two_share_one() {
        let one = instance("1a2b");
        assert_eq!(one, instance("1a2b"));
        assert_ne!(one, instance("1a2c"));
        assert_eq!((one.len(), &one[..9], &one[23..24]), (45, "urn:uuid:", "8"), "{one}");
    }

    #[test]
    fn a_password_is_never_printed() {
        let registrar = HostPort { host: "pbx.example".into(), port: None };
        let mut account = Account::new(AccountId(1), "100", "pbx.example", registrar);
        account.password = "hunter2".into();
        assert!(!format!("{account:?}").contains("hunter2"));
    }
}
