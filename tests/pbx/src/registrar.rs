//! The registrar: who may be the desk, and where the desk is (RFC 3261 section 10.3).
//!
//! One account. Challenges offer SHA-256 and MD5 at once (RFC 8760 section 2.4), so that either kind of telephone can
//! register. Not done here: GRUU, outbound, Path.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::digest::{Algorithm, Verdict, Verifier};
use sip::{Message, NameAddr};

/// Lifetime of a binding nobody asked one for, and the longest given, in seconds.
const EXPIRES: (u32, u32) = (300, 3600);
/// The shortest lifetime accepted, in seconds.
const MIN_EXPIRES: u32 = 5;
/// Devices that may share the account.
const MOST_BINDINGS: usize = 8;
/// A challenge is good for this long, in seconds; then it is stale.
const NONCE_LIFETIME: u64 = 120;

/// The one account and its devices.
pub(crate) struct Registrar {
    user: String,
    password: String,
    verifiers: [Verifier; 2],
    /// The latest last.
    bindings: Vec<Binding>,
    started: Instant,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// What to put in the request line.
    pub(crate) uri: String,
    /// Where the REGISTER came from, and so where requests go (RFC 3581's way round NAT).
    pub(crate) source: SocketAddr,
    until: Instant,
}

impl Registrar {
    /// `key` makes the challenges unpredictable.
    pub(crate) fn new(now: Instant, realm: &str, user: &str, password: &str, key: &str) -> Registrar {
        let verifier = |algorithm| Verifier::new(realm, algorithm, key, NONCE_LIFETIME);
        Registrar {
            user: user.to_owned(),
            password: password.to_owned(),
            verifiers: [verifier(Algorithm::Sha256), verifier(Algorithm::Md5)],
            bindings: Vec::new(),
            started: now,
        }
    }

    /// Answers a REGISTER.
    pub(crate) fn register(&mut self, now: Instant, register: &Message, from: SocketAddr) -> Message {
        self.bindings.retain(|binding| binding.until > now);
        if register.to().and_then(|to| to.uri.user).as_deref() != Some(&self.user) {
            return Message::response(register, 404);
        }
        if let Err(challenges) = self.authenticate(now, register) {
            let mut response = Message::response(register, 401);
            for challenge in challenges {
                response.push("WWW-Authenticate", challenge);
            }
            return response;
        }
        let asked = register.expires();
        if register.header("Contact").is_some_and(|contact| contact.trim() == "*") {
            if asked != Some(0) {
                return Message::response(register, 400);
            }
            self.bindings.clear();
            return self.bound(now, register);
        }
        for contact in register.headers("Contact").take(MOST_BINDINGS) {
            let Ok(contact) = NameAddr::parse(contact) else { return Message::response(register, 400) };
            let own = contact.params.value("expires").and_then(|seconds| seconds.trim().parse().ok());
            let seconds = own.or(asked).unwrap_or(EXPIRES.0).min(EXPIRES.1);
            if (1..MIN_EXPIRES).contains(&seconds) {
                let mut response = Message::response(register, 423);
                response.push("Min-Expires", MIN_EXPIRES.to_string());
                return response;
            }
            self.bind(now, contact.uri.to_string(), from, seconds);
        }
        self.bound(now, register)
    }

    /// Whether a request proves to be the account's; otherwise the challenges to send.
    pub(crate) fn authenticate(&self, now: Instant, request: &Message) -> Result<(), Vec<String>> {
        let now_s = now.duration_since(self.started).as_secs();
        let method = request.method().map_or("", |method| method.as_str());
        let mut stale = false;
        for answer in request.headers("Authorization") {
            if Verifier::user(answer).as_deref() != Some(&self.user) {
                continue;
            }
            for verifier in &self.verifiers {
                match verifier.verify(now_s, answer, &self.password, method, request.body()) {
                    Verdict::Accepted => return Ok(()),
                    Verdict::Stale => stale = true,
                    Verdict::Refused => {}
                }
            }
        }
        Err(self.verifiers.iter().map(|verifier| verifier.challenge(now_s, stale)).collect())
    }

    /// The name of the account.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// The device registered last.
    pub(crate) fn device(&self, now: Instant) -> Option<&Binding> {
        self.bindings.iter().rev().find(|binding| binding.until > now)
    }

    /// Every device.
    pub(crate) fn devices(&self, now: Instant) -> impl Iterator<Item = &Binding> {
        self.bindings.iter().filter(move |binding| binding.until > now)
    }

    fn bind(&mut self, now: Instant, uri: String, source: SocketAddr, seconds: u32) {
        self.bindings.retain(|binding| binding.uri != uri);
        if seconds == 0 {
            return;
        }
        if self.bindings.len() == MOST_BINDINGS {
            self.bindings.remove(0);
        }
        let until = now + Duration::from_secs(u64::from(seconds));
        self.bindings.push(Binding { uri, source, until });
    }

    fn bound(&self, now: Instant, register: &Message) -> Message {
        let mut response = Message::response(register, 200);
        for binding in self.devices(now) {
            let seconds = binding.until.duration_since(now).as_secs();
            response.push("Contact", format!("<{}>;expires={seconds}", binding.uri));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use sip::digest::{Challenge, Credentials, Request, answer};

    fn source() -> SocketAddr {
        "127.0.0.1:5062".parse().unwrap()
    }

    fn register(lines: &str) -> Message {
        let text = format!(
            "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK1\r\n\
             From: <sip:desk@127.0.0.1>;tag=1\r\nTo: <sip:desk@127.0.0.1>\r\nCall-ID: one\r\nCSeq: 1 REGISTER\r\n\
             {lines}\r\n"
        );
        Message::parse(text.as_bytes()).unwrap()
    }

    /// What a telephone sends after a challenge.
    fn authorised(response: &Message, password: &str, which: Algorithm, lines: &str) -> Message {
        let challenge = response
            .headers("WWW-Authenticate")
            .map(|text| Challenge::parse(text).unwrap())
            .find(|challenge| challenge.algorithm == which)
            .unwrap();
        let request = Request { method: "REGISTER", uri: "sip:127.0.0.1", body: b"" };
        let answer = answer(&challenge, Credentials { user: "desk", password }, request, "c0ffee", 1);
        register(&format!("Authorization: {answer}\r\n{lines}"))
    }

    fn registrar(now: Instant) -> Registrar {
        Registrar::new(now, "127.0.0.1", "desk", "secret", "key")
    }

    const CONTACT: &str = "Contact: <sip:desk@127.0.0.1:5062>;expires=60\r\n";

    #[test]
    fn both_algorithms_register_and_a_wrong_password_does_not() {
        let now = Instant::now();
        let mut registrar = registrar(now);
        let challenge = registrar.register(now, &register(CONTACT), source());
        assert_eq!(challenge.code(), Some(401));
        for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
            let wrong = authorised(&challenge, "guess", algorithm, CONTACT);
            assert_eq!(registrar.register(now, &wrong, source()).code(), Some(401));
            assert!(registrar.device(now).is_none());
            let right = authorised(&challenge, "secret", algorithm, CONTACT);
            let response = registrar.register(now, &right, source());
            assert_eq!(response.code(), Some(200));
            assert!(response.header("Contact").unwrap().ends_with("expires=60"));
            assert_eq!(registrar.device(now).unwrap().source, source());
            let off = authorised(&challenge, "secret", algorithm, "Contact: *\r\nExpires: 0\r\n");
            assert_eq!(registrar.register(now, &off, source()).code(), Some(200));
            assert!(registrar.device(now).is_none());
        }
    }

    #[test]
    fn a_binding_ends_by_itself_and_an_old_challenge_is_stale() {
        let now = Instant::now();
        let mut registrar = registrar(now);
        let challenge = registrar.register(now, &register(CONTACT), source());
        let right = authorised(&challenge, "secret", Algorithm::Sha256, CONTACT);
        registrar.register(now, &right, source());
        let later = now + Duration::from_secs(61);
        assert!(registrar.device(now + Duration::from_secs(59)).is_some());
        assert!(registrar.device(later).is_none());
        let much_later = now + Duration::from_secs(NONCE_LIFETIME + 1);
        let stale = registrar.register(much_later, &right, source());
        assert!(stale.header("WWW-Authenticate").unwrap().contains("stale=true"));
    }

    #[test]
    fn devices_are_bounded_and_odd_requests_refused() {
        let now = Instant::now();
        let mut registrar = registrar(now);
        let challenge = registrar.register(now, &register(CONTACT), source());
        let mut code = |lines: &str| {
            let request = authorised(&challenge, "secret", Algorithm::Md5, lines);
            registrar.register(now, &request, source()).code().unwrap()
        };
        assert_eq!(code("Contact: <sip:desk@127.0.0.1>;expires=2\r\n"), 423);
        assert_eq!(code("Contact: *\r\n"), 400);
        assert_eq!(code("Contact: <sip:x\r\n"), 400);
        for port in 0..50 {
            assert_eq!(code(&format!("Contact: <sip:desk@127.0.0.1:{}>\r\n", 6000 + port)), 200);
        }
        assert_eq!(registrar.devices(now).count(), MOST_BINDINGS);
        assert!(registrar.device(now).unwrap().uri.ends_with("6049"));
    }
}
