//! What every telephone of another maker can be asked to do here, and what it is to be: who, over which
//! transport, with which codec. The makers are in [`crate::baresip`], [`crate::linphone`] and [`crate::pjsua`].

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::authority::Identity;

/// Speech codec of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722, 16 kHz of speech.
    G722,
    /// Opus, 48 kHz.
    Opus,
}

impl Codec {
    /// Its name in SDP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// Samples of speech a second.
    #[must_use]
    pub fn rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu => 8_000,
            Self::G722 => 16_000,
            Self::Opus => 48_000,
        }
    }
}

/// How a telephone reaches its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP, speech in the clear.
    Udp,
    /// TCP, speech in the clear.
    Tcp,
    /// TLS, and speech by SRTP with keys in the SDP (RFC 4568): without a key there is no call.
    TlsSrtp,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::TlsSrtp];

    /// The word of a URI's `transport` (RFC 3261 section 19.1.1).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::TlsSrtp => "tls",
        }
    }
}

/// An exchange that runs here.
pub trait Registers {
    /// `IP:PORT` where its telephones register over UDP.
    fn address(&self) -> String;

    /// That, as a telephone is told of it.
    fn exchange(&self) -> Exchange {
        Exchange { address: self.address(), transport: Transport::Udp, authority: None, identity: None }
    }
}

/// Where telephones register.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `127.0.0.1:PORT`, the port being that of the transport.
    pub address: String,
    /// How to go there.
    pub transport: Transport,
    /// Who vouches for it, PEM; needed for TLS.
    pub authority: Option<PathBuf>,
    /// What a telephone shows to the exchange, where the exchange opens the connection; needed for TLS.
    pub identity: Option<Identity>,
}

impl Exchange {
    /// Where its telephones are: on its own machine, and by the same address unless that is one of many of loopback.
    ///
    /// # Panics
    /// When its address is none.
    #[must_use]
    #[track_caller]
    pub fn home(&self) -> IpAddr {
        let address: SocketAddr = self.address.parse().expect("an exchange of the tests has an IP address");
        match address.ip() {
            ip @ IpAddr::V4(_) if ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
            ip => ip,
        }
    }
}

/// What a telephone is to be.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The folder for its files.
    pub scratch: PathBuf,
    /// Where it registers.
    pub exchange: &'a Exchange,
    /// Its user, which is its number.
    pub number: &'a str,
    /// What it speaks, in Hz.
    pub tone: f64,
    /// The only codec it offers and accepts.
    pub codec: Codec,
}

/// A telephone that is registered. Whoever waits here waits 10 s at most, and panics then.
pub trait Telephone {
    /// Calls `number`.
    fn dial(&mut self, number: &str);
    /// Waits until a call rings here.
    fn rings(&mut self);
    /// Accepts the call that rings.
    fn accept(&mut self);
    /// Waits until a call has been answered, here or at the other end.
    fn talks(&mut self);
    /// Puts the call on hold.
    fn hold(&mut self);
    /// Takes the held call back.
    fn retrieve(&mut self);
    /// Ends the call.
    fn hang_up(&mut self);
    /// Waits until a call is over.
    fn is_over(&mut self);
    /// Waits until half a second of what is heard from now on is the tone of `hz`.
    fn hears(&self, hz: f64);
    /// Waits until the tone of `hz` is no longer heard.
    fn hears_no_more(&self, hz: f64);
    /// Waits until these digits have come one after the other, as telephone events (RFC 4733).
    fn has_digits(&mut self, digits: &str);
}
