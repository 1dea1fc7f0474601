//! Somebody of the staff at an XMPP client: logs in, lets the desk see their presence, is away, leaves.
//!
//! Written by hand on a plain stream, so that it shares no line with the client in the desk.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::prosody::{DOMAIN, Prosody};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that is logged in. Dropped, its connection is cut, as when a cable is pulled.
#[derive(Debug)]
pub struct Jabber {
    stream: TcpStream,
    /// What came and was not looked for yet.
    heard: String,
}

impl Jabber {
    /// Logs in as `user`, present to nobody yet.
    ///
    /// # Panics
    /// When the server does not let them in.
    #[must_use]
    #[track_caller]
    pub fn log_in(server: &Prosody, user: &str, resource: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("prosody listens");
        let mut client = Self { stream, heard: String::new() };
        client.open();
        let secret = STANDARD.encode(format!("\0{user}\0{}", Prosody::password(user)));
        client.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>"
        ));
        client.hear("<success");
        client.open();
        client.say(&format!(
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        ));
        client.hear("<jid>");
        client.say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
        client.hear("jabber:iq:roster");
        client
    }

    /// Is there, in the words of RFC 6121: `show` may be empty.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn is(&mut self, show: &str, priority: i8, status: &str) {
        let show = if show.is_empty() { String::new() } else { format!("<show>{show}</show>") };
        self.say(&format!(
            "<presence>{show}<status>{status}</status><priority>{priority}</priority></presence>"
        ));
    }

    /// Leaves with a word.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn leaves(&mut self, status: &str) {
        self.say(&format!("<presence type='unavailable'><status>{status}</status></presence>"));
    }

    /// Waits until the desk asks to see their presence, and lets it.
    ///
    /// # Panics
    /// When it does not ask within 10 s.
    #[track_caller]
    pub fn lets_the_desk_see(&mut self) {
        self.is_asked();
        self.say(&format!("<presence type='subscribed' to='desk@{DOMAIN}'/>"));
    }

    /// Waits until the desk asks to see their presence. The server says so to those who are there only.
    ///
    /// # Panics
    /// When it does not ask within 10 s.
    #[track_caller]
    pub fn is_asked(&mut self) {
        self.hear("type='subscribe'");
    }

    /// Takes back what was allowed.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn hides(&mut self) {
        self.say(&format!("<presence type='unsubscribed' to='desk@{DOMAIN}'/>"));
    }

    /// Sends whatever it is.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn say(&mut self, xml: &str) {
        self.stream.write_all(xml.as_bytes()).expect("the server reads");
    }

    #[track_caller]
    fn open(&mut self) {
        self.say(&format!(
            "<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        ));
        self.hear("</stream:features>");
    }

    /// Reads up to and with `text`.
    #[track_caller]
    fn hear(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let heard = self.heard.replace('"', "'");
            if let Some(at) = heard.find(text) {
                self.heard = heard[at + text.len()..].to_owned();
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the server never said {text:?} but {heard}");
            self.stream.set_read_timeout(Some(left)).expect("a timeout above zero can be set");
            let mut bytes = [0; 65_536];
            let length = self.stream.read(&mut bytes).unwrap_or_default();
            assert!(length > 0, "the server went before it said {text:?}: {heard}");
            self.heard.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
    }
}
