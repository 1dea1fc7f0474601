//! An XMPP server that gets a client as far as logged in, and then does what a test wants of it: floods it,
//! leaves in the middle, sends what nobody should.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::authority::Identity;

const HEAD: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>";

/// What it does with each client that is logged in and has asked for its roster; the first is number 0.
pub type Deed = Arc<dyn Fn(usize, &mut Guest) + Send + Sync>;

/// A server on a port; it ends with the test.
#[derive(Debug)]
pub struct Liar {
    heard: Arc<Mutex<String>>,
}

/// A client that is logged in.
#[derive(Debug)]
pub struct Guest {
    stream: StreamOwned<ServerConnection, TcpStream>,
    heard: Arc<Mutex<String>>,
    at: usize,
}

impl Liar {
    /// Starts it; it shows this certificate.
    ///
    /// # Panics
    /// When the port is taken or the certificate of no use.
    #[must_use]
    #[track_caller]
    pub fn start(port: u16, identity: &Identity, deed: Deed) -> Self {
        let config = Arc::new(config(identity));
        Self::serve(port, move |number, stream, heard| {
            if let Some(mut guest) = welcome(stream, &config, heard) {
                deed(number, &mut guest);
            }
        })
    }

    /// Starts one that stays without TLS: it has these stream features, and says `then` to whatever comes.
    ///
    /// # Panics
    /// When the port is taken.
    #[must_use]
    #[track_caller]
    pub fn start_without_tls(port: u16, features: &'static str, then: String) -> Self {
        Self::serve(port, move |_, mut stream, heard| {
            let mut at = heard.lock().map_or(0, |heard| heard.len());
            if until(&mut stream, &heard, &mut at, "<stream:stream").is_some() {
                let _ = stream.write_all(opening(features).as_bytes());
                if until(&mut stream, &heard, &mut at, "<").is_some() {
                    let _ = stream.write_all(then.as_bytes());
                }
                // Whatever it says to that, until it goes.
                let _ = until(&mut stream, &heard, &mut at, "never said");
            }
        })
    }

    fn serve(port: u16, with: impl Fn(usize, TcpStream, Arc<Mutex<String>>) + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let heard = Arc::<Mutex<String>>::default();
        let all = Arc::clone(&heard);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                with(number, stream, Arc::clone(&all));
            }
        });
        Self { heard }
    }

    /// Everything that clients have said, without what is below TLS.
    ///
    /// # Panics
    /// When its thread has failed.
    #[must_use]
    pub fn heard(&self) -> String {
        self.heard.lock().expect("the server's thread is well").clone()
    }
}

impl Guest {
    /// Sends it something; `false` where it has gone.
    pub fn tell(&mut self, xml: &str) -> bool {
        self.stream.write_all(xml.as_bytes()).and_then(|()| self.stream.flush()).is_ok()
    }

    /// Waits until it says `text`; `false` where it goes before that.
    pub fn hear(&mut self, text: &str) -> bool {
        until(&mut self.stream, &self.heard, &mut self.at, text).is_some()
    }
}

/// As far as logged in, with the roster asked for.
fn welcome(mut tcp: TcpStream, config: &Arc<ServerConfig>, heard: Arc<Mutex<String>>) -> Option<Guest> {
    let mut at = heard.lock().ok()?.len();
    until(&mut tcp, &heard, &mut at, "<stream:stream")?;
    let offer = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
    tcp.write_all(opening(offer).as_bytes()).ok()?;
    until(&mut tcp, &heard, &mut at, "<starttls")?;
    tcp.write_all(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").ok()?;
    let stream = StreamOwned::new(ServerConnection::new(Arc::clone(config)).ok()?, tcp);
    let mut guest = Guest { stream, heard, at };
    let logins = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
        <mechanism>ANONYMOUS</mechanism><mechanism>PLAIN</mechanism></mechanisms>";
    let bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    let done = guest.hear("<stream:stream")
        && guest.tell(&opening(logins))
        && guest.hear("</auth>")
        && guest.tell("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        && guest.hear("<stream:stream")
        && guest.tell(&opening(bind))
        && guest.hear("</iq>")
        && guest.tell(
            "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <jid>desk@chat.test/1</jid></bind></iq>",
        )
        && guest.hear("jabber:iq:roster");
    done.then_some(guest)
}

fn opening(features: &str) -> String {
    format!("{HEAD}<stream:features>{features}</stream:features>")
}

/// Reads until the client has said `text` behind `at`, which moves behind it.
fn until(stream: &mut impl Read, heard: &Mutex<String>, at: &mut usize, text: &str) -> Option<()> {
    loop {
        if let Some(found) = heard.lock().ok()?.get(*at..)?.replace('"', "'").find(text) {
            *at += found + text.len();
            return Some(());
        }
        let mut bytes = [0; 16_384];
        match stream.read(&mut bytes) {
            Ok(0) => return None,
            Ok(length) => heard.lock().ok()?.push_str(&String::from_utf8_lossy(&bytes[..length])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

#[track_caller]
fn config(identity: &Identity) -> ServerConfig {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&identity.certificate).expect("a PEM file").collect();
    let key = PrivateKeyDer::from_pem_file(&identity.key).expect("a key");
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(certificates.expect("certificates"), key)
        .expect("a certificate with its key")
}
