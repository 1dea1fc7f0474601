//! Digest authentication: RFC 2617, RFC 7616, and the SHA-2 algorithms of RFC 8760.
//!
//! [`Challenge`] and [`answer`] are the client's side, [`Verifier`] the server's (for the simulated exchange). Not done
//! here: random numbers, which are handed in, and remembering which realm wants which password.

use std::fmt::{self, Write as _};

use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use crate::error::SyntaxError;
use crate::params::{find_outside_quotes, split_outside_quotes, unquote, write_quoted};

/// The longest challenge or answer read, in bytes.
const MAX_LEN: usize = 4096;

/// Realms answered in one response.
const MAX_REALMS: usize = 4;

/// A hash, with or without `-sess`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// `MD5`, also meant when none is named.
    Md5,
    /// `MD5-sess`
    Md5Sess,
    /// `SHA-256`
    Sha256,
    /// `SHA-256-sess`
    Sha256Sess,
    /// `SHA-512-256`
    Sha512_256,
    /// `SHA-512-256-sess`
    Sha512_256Sess,
}

/// What a server asks in WWW-Authenticate or Proxy-Authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The protection space.
    pub realm: String,
    /// The server's number, sent back as it is.
    pub nonce: String,
    /// Sent back as it is.
    pub opaque: Option<String>,
    /// The hash to use.
    pub algorithm: Algorithm,
    /// Whether `auth` may be used.
    pub qop_auth: bool,
    /// Whether `auth-int` may be used: the body is protected too.
    pub qop_auth_int: bool,
    /// The password was right and only the nonce is old: answer again without asking anybody.
    pub stale: bool,
}

/// A user name and its password. Debug output hides the password.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The user name for authentication.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

/// The request an answer is for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method name.
    pub method: &'a str,
    /// The request URI, exactly as it is sent.
    pub uri: &'a str,
    /// The body; hashed with `auth-int` only.
    pub body: &'a [u8],
}

impl Algorithm {
    /// Reads a name in any case.
    pub fn from_token(token: &str) -> Option<Algorithm> {
        const ALL: [Algorithm; 6] = [
            Algorithm::Md5,
            Algorithm::Md5Sess,
            Algorithm::Sha256,
            Algorithm::Sha256Sess,
            Algorithm::Sha512_256,
            Algorithm::Sha512_256Sess,
        ];
        ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(token))
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
            Algorithm::Sha512_256 => "SHA-512-256",
            Algorithm::Sha512_256Sess => "SHA-512-256-sess",
        }
    }

    fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess | Algorithm::Sha512_256Sess)
    }

    /// The hash of the pieces joined by colons, in hexadecimal.
    fn hash(self, pieces: &[&[u8]]) -> String {
        let joined = pieces.join(&b':');
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => hex(&Md5::digest(joined)),
            Algorithm::Sha256 | Algorithm::Sha256Sess => hex(&Sha256::digest(joined)),
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => hex(&Sha512_256::digest(joined)),
        }
    }
}

impl Challenge {
    /// Reads the value of one WWW-Authenticate or Proxy-Authenticate header.
    ///
    /// # Errors
    /// Another scheme than Digest, an unknown algorithm or qop (RFC 2617 section 3.2.1: such a challenge is passed
    /// over), no realm or no nonce.
    pub fn parse(text: &str) -> Result<Challenge, SyntaxError> {
        let fields = Fields::parse(text)?;
        let algorithm = match fields.get("algorithm") {
            None => Algorithm::Md5,
            Some(token) => Algorithm::from_token(token).ok_or(SyntaxError::Digest("unknown algorithm"))?,
        };
        let qop = fields.get("qop");
        let offers = |wanted: &str| {
            qop.is_some_and(|qop| qop.split(',').any(|token| token.trim_ascii().eq_ignore_ascii_case(wanted)))
        };
        let (qop_auth, qop_auth_int) = (offers("auth"), offers("auth-int"));
        if qop.is_some_and(|qop| !qop.trim_ascii().is_empty()) && !qop_auth && !qop_auth_int {
            return Err(SyntaxError::Digest("unknown qop"));
        }
        Ok(Challenge {
            realm: fields.get("realm").ok_or(SyntaxError::Digest("no realm"))?.to_owned(),
            nonce: fields.get("nonce").ok_or(SyntaxError::Digest("no nonce"))?.to_owned(),
            opaque: fields.get("opaque").map(str::to_owned),
            algorithm,
            qop_auth,
            qop_auth_int,
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The strongest of several challenges, for each realm (RFC 8760 section 2.4; several proxies on the way may each
    /// ask in a realm of their own, RFC 3261 section 22.3). What we cannot read is passed over; the server's order
    /// decides between equals. A header that holds several challenges, which SIP does not allow, is taken apart.
    pub fn strongest<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
        let mut best: Vec<Challenge> = Vec::new();
        let readable = values.into_iter().flat_map(take_apart).filter_map(|one| Challenge::parse(one).ok());
        for next in readable {
            match best.iter().position(|known| known.realm == next.realm) {
                Some(at) if next.algorithm.strength() > best[at].algorithm.strength() => best[at] = next,
                Some(_) => {}
                None if best.len() < MAX_REALMS => best.push(next),
                None => {}
            }
        }
        best
    }

    /// Whether an answer counts its uses of the nonce (`nc`), and may therefore use it again without a new challenge.
    pub fn counts(&self) -> bool {
        self.qop_auth || self.qop_auth_int
    }
}

/// The challenges of one header: each begins with its scheme, a token followed by a space.
fn take_apart(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut at = 0;
        while let Some(comma) = find_outside_quotes(&text[at..], b',') {
            at += comma + 1;
            let next = text[at..].trim_ascii_start();
            let scheme = next.split(|c: char| c == '=' || c.is_ascii_whitespace()).next().unwrap_or_default();
            if next[scheme.len()..].trim_ascii_start().starts_with(|c| c != '=') {
                rest = Some(next);
                return Some(&text[..at - 1]);
            }
        }
        rest = None;
        Some(text)
    })
}

impl Algorithm {
    fn strength(self) -> u8 {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => 0,
            Algorithm::Sha256 | Algorithm::Sha256Sess => 1,
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => 2,
        }
    }
}

/// The value of an Authorization or Proxy-Authorization header. `cnonce` is a fresh random number; `nc` counts the uses
/// of this nonce from 1. `auth` is preferred to `auth-int`, which proxies that touch bodies break.
pub fn answer(
    challenge: &Challenge,
    credentials: Credentials<'_>,
    request: Request<'_>,
    cnonce: &str,
    nc: u32,
) -> String {
    let qop = match (challenge.qop_auth, challenge.qop_auth_int) {
        (true, _) => Some("auth"),
        (false, true) => Some("auth-int"),
        (false, false) => None,
    };
    let count = format!("{nc:08x}");
    let proof = Proof {
        algorithm: challenge.algorithm,
        realm: &challenge.realm,
        nonce: &challenge.nonce,
        qop,
        cnonce,
        count: &count,
    };
    let response = proof.response(credentials, request);
    let mut out = String::with_capacity(320);
    let mut field = |name: &str, value: &str, quoted: bool| {
        out.push_str(if out.is_empty() { "Digest " } else { ", " });
        out.push_str(name);
        out.push('=');
        if quoted {
            write_quoted(&mut out, value).expect("writing to a String cannot fail");
        } else {
            out.push_str(value);
        }
    };
    field("username", credentials.user, true);
    field("realm", &challenge.realm, true);
    field("nonce", &challenge.nonce, true);
    field("uri", request.uri, true);
    field("response", &response, true);
    field("algorithm", challenge.algorithm.as_str(), false);
    if let Some(qop) = qop {
        field("qop", qop, false);
        field("nc", &count, false);
    }
    if qop.is_some() || challenge.algorithm.is_session() {
        field("cnonce", cnonce, true);
    }
    if let Some(opaque) = &challenge.opaque {
        field("opaque", opaque, true);
    }
    out
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password", &"…").finish()
    }
}

/// The server's side: issues challenges for one realm and checks answers. Nonces carry the second they were made in and
/// a keyed hash of it, so that nothing needs to be remembered; repeated counts are not detected.
#[derive(Clone)]
pub struct Verifier {
    realm: String,
    algorithm: Algorithm,
    key: String,
    nonce_lifetime_s: u64,
}

/// What came of checking an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right.
    Accepted,
    /// The password is right but the nonce is too old, or not ours: challenge again with `stale=true`.
    Stale,
    /// No answer, an unreadable one, or a wrong password: challenge again.
    Refused,
}

impl Verifier {
    /// `key` is a random secret of the server; a nonce is good for `nonce_lifetime_s` seconds.
    pub fn new(realm: &str, algorithm: Algorithm, key: &str, nonce_lifetime_s: u64) -> Verifier {
        Verifier { realm: realm.to_owned(), algorithm, key: key.to_owned(), nonce_lifetime_s }
    }

    /// The value of a WWW-Authenticate header; `now_s` counts seconds from any fixed point.
    pub fn challenge(&self, now_s: u64, stale: bool) -> String {
        let mut out = String::from("Digest realm=");
        write_quoted(&mut out, &self.realm).expect("writing to a String cannot fail");
        let nonce = self.nonce(now_s);
        let stale = if stale { ", stale=true" } else { "" };
        let _ =
            write!(out, ", nonce=\"{nonce}\", qop=\"auth\", algorithm={}{stale}", self.algorithm.as_str());
        out
    }

    /// The user an Authorization header speaks for, so that the caller can look up the password.
    pub fn user(authorization: &str) -> Option<String> {
        Fields::parse(authorization).ok()?.get("username").map(str::to_owned)
    }

    /// Checks the value of an Authorization header against the password of the user it names.
    pub fn verify(
        &self,
        now_s: u64,
        authorization: &str,
        password: &str,
        method: &str,
        body: &[u8],
    ) -> Verdict {
        let Ok(fields) = Fields::parse(authorization) else { return Verdict::Refused };
        let (Some(user), Some(nonce), Some(uri), Some(response)) =
            (fields.get("username"), fields.get("nonce"), fields.get("uri"), fields.get("response"))
        else {
            return Verdict::Refused;
        };
        let algorithm = fields.get("algorithm").map_or(Some(Algorithm::Md5), Algorithm::from_token);
        if fields.get("realm") != Some(&self.realm) || algorithm != Some(self.algorithm) {
            return Verdict::Refused;
        }
        let proof = Proof {
            algorithm: self.algorithm,
            realm: &self.realm,
            nonce,
            qop: fields.get("qop"),
            cnonce: fields.get("cnonce").unwrap_or_default(),
            count: fields.get("nc").unwrap_or_default(),
        };
        let expected = proof.response(Credentials { user, password }, Request { method, uri, body });
        if !equal_in_constant_time(expected.as_bytes(), response.to_ascii_lowercase().as_bytes()) {
            return Verdict::Refused;
        }
        if self.is_fresh(now_s, nonce) { Verdict::Accepted } else { Verdict::Stale }
    }

    fn nonce(&self, made_s: u64) -> String {
        let made = format!("{made_s:x}");
        let seal = Algorithm::Sha256.hash(&[made.as_bytes(), self.key.as_bytes()]);
        format!("{made}-{}", &seal[..32])
    }

    fn is_fresh(&self, now_s: u64, nonce: &str) -> bool {
        let made = nonce.split_once('-').and_then(|(made, _)| u64::from_str_radix(made, 16).ok());
        made.is_some_and(|made| {
            made <= now_s && now_s - made <= self.nonce_lifetime_s && self.nonce(made) == nonce
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("realm", &self.realm).field("algorithm", &self.algorithm).finish()
    }
}

/// What goes into the response besides secret and request (RFC 7616 section 3.4.1).
struct Proof<'a> {
    algorithm: Algorithm,
    realm: &'a str,
    nonce: &'a str,
    qop: Option<&'a str>,
    cnonce: &'a str,
    count: &'a str,
}

impl Proof<'_> {
    fn response(&self, credentials: Credentials<'_>, request: Request<'_>) -> String {
        let hash =
            |pieces: &[&str]| self.algorithm.hash(&pieces.iter().map(|p| p.as_bytes()).collect::<Vec<_>>());
        let mut a1 = hash(&[credentials.user, self.realm, credentials.password]);
        if self.algorithm.is_session() {
            a1 = hash(&[&a1, self.nonce, self.cnonce]);
        }
        let a2 = if self.qop.is_some_and(|qop| qop.eq_ignore_ascii_case("auth-int")) {
            let body = self.algorithm.hash(&[request.body]);
            hash(&[request.method, request.uri, &body])
        } else {
            hash(&[request.method, request.uri])
        };
        match self.qop {
            Some(qop) => hash(&[&a1, self.nonce, self.count, self.cnonce, qop, &a2]),
            None => hash(&[&a1, self.nonce, &a2]),
        }
    }
}

/// The `name=value` list behind the word Digest.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn parse(text: &str) -> Result<Fields, SyntaxError> {
        if text.len() > MAX_LEN {
            return Err(SyntaxError::Digest("longer than 4096 bytes"));
        }
        let (scheme, rest) =
            text.trim_ascii().split_once([' ', '\t']).ok_or(SyntaxError::Digest("no fields"))?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(SyntaxError::Digest("not the Digest scheme"));
        }
        let pairs = split_outside_quotes(rest, b',').filter_map(|item| item.split_once('='));
        let fields = pairs.map(|(name, value)| {
            let value = value.trim_ascii();
            let value = if value.starts_with('"') { unquote(value) } else { value.to_owned() };
            (name.trim_ascii().to_ascii_lowercase(), value)
        });
        Ok(Fields(fields.collect()))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}"); // writing to a String cannot fail
    }
    out
}

fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn field(answer: &str, name: &str) -> Option<String> {
        Fields::parse(answer).unwrap().get(name).map(str::to_owned)
    }

    /// RFC 2617 section 3.5.
    #[test]
    fn the_example_of_rfc_2617() {
        let challenge = Challenge::parse(
            "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        );
        let mufasa = Credentials { user: "Mufasa", password: "Circle Of Life" };
        let request = Request { method: "GET", uri: "/dir/index.html", body: b"" };
        let answer = answer(&challenge.unwrap(), mufasa, request, "0a4f113b", 1);
        assert_eq!(field(&answer, "response").as_deref(), Some("6629fae49393a05397450978507c4ef1"));
        assert_eq!(field(&answer, "opaque").as_deref(), Some("5ccc069c403ebaf9f0171e9517f40e41"));
        assert_eq!(field(&answer, "nc").as_deref(), Some("00000001"));
    }

    /// RFC 7616 section 3.9.1, both algorithms.
    #[test]
    fn the_examples_of_rfc_7616() {
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let cases = [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, response) in cases {
            let text = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"{nonce}\""
            );
            let request = Request { method: "GET", uri: "/dir/index.html", body: b"" };
            let mufasa = Credentials { user: "Mufasa", password: "Circle of Life" };
            let answer = answer(&Challenge::parse(&text).unwrap(), mufasa, request, cnonce, 1);
            assert_eq!(field(&answer, "response").as_deref(), Some(response), "{algorithm}");
        }
    }

    const BOB: Credentials<'static> = Credentials { user: "bob", password: "zanzibar" };

    #[test]
    fn every_algorithm_is_accepted_by_the_verifier() {
        use Algorithm::{Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256, Sha512_256Sess};
        for algorithm in [Md5, Md5Sess, Sha256, Sha256Sess, Sha512_256, Sha512_256Sess] {
            let server = Verifier::new("the \"pbx\"", algorithm, "secret", 60);
            let challenge = Challenge::parse(&server.challenge(1000, false)).unwrap();
            assert_eq!((challenge.realm.as_str(), challenge.algorithm), ("the \"pbx\"", algorithm));
            let request = Request { method: "REGISTER", uri: "sip:pbx", body: b"" };
            let answer = answer(&challenge, BOB, request, "cn", 1);
            let check = |now, password, method| server.verify(now, &answer, password, method, b"");
            assert_eq!(Verifier::user(&answer).as_deref(), Some("bob"));
            assert_eq!(check(1060, "zanzibar", "REGISTER"), Verdict::Accepted);
            assert_eq!(check(1061, "zanzibar", "REGISTER"), Verdict::Stale);
            assert_eq!(check(1000, "wrong", "REGISTER"), Verdict::Refused);
            assert_eq!(check(1000, "zanzibar", "INVITE"), Verdict::Refused);
            assert_eq!(
                check(999, "zanzibar", "REGISTER"),
                Verdict::Stale,
                "a nonce from the future is not ours"
            );
        }
    }

    #[test]
    fn a_foreign_nonce_is_stale_even_with_the_right_password() {
        let server = Verifier::new("pbx", Algorithm::Sha256, "secret", 60);
        let other = Verifier::new("pbx", Algorithm::Sha256, "other", 60);
        let challenge = Challenge::parse(&other.challenge(5, true)).unwrap();
        assert!(challenge.stale);
        let answer = answer(&challenge, BOB, Request { method: "BYE", uri: "sip:x", body: b"" }, "cn", 2);
        assert_eq!(server.verify(5, &answer, "zanzibar", "BYE", b""), Verdict::Stale);
    }

    #[test]
    fn auth_int_protects_the_body() {
        let challenge = Challenge::parse("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"").unwrap();
        let of = |body| answer(&challenge, BOB, Request { method: "INVITE", uri: "sip:a", body }, "cn", 1);
        assert_eq!(field(&of(b""), "qop").as_deref(), Some("auth-int"));
        assert_ne!(field(&of(b"v=0"), "response"), field(&of(b"v=1"), "response"));
    }

    #[test]
    fn without_qop_there_is_no_count() {
        let challenge = Challenge::parse("Digest realm=\"r\",nonce=\"n\",algorithm=md5").unwrap();
        assert!(!challenge.counts());
        let answer = answer(&challenge, BOB, Request { method: "INVITE", uri: "sip:a", body: b"" }, "cn", 1);
        assert_eq!(
            (field(&answer, "nc"), field(&answer, "cnonce"), field(&answer, "qop")),
            (None, None, None)
        );
    }

    #[test]
    fn the_strongest_readable_challenge_wins() {
        let values = [
            "Digest realm=\"r\", nonce=\"1\", algorithm=MD5",
            "Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256",
            "Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256-sess",
            "Digest realm=\"r\", nonce=\"4\", algorithm=SHA-3",
            "Digest realm=\"r\", nonce=\"5\", qop=\"token\"",
            "Basic realm=\"r\"",
        ];
        let nonces = |values: &[&str]| -> Vec<String> {
            Challenge::strongest(values.iter().copied())
                .into_iter()
                .map(|challenge| challenge.nonce)
                .collect()
        };
        assert_eq!(nonces(&values), ["2"]);
        assert!(nonces(&values[3..]).is_empty());
        assert_eq!(
            nonces(&["Digest realm=\"a\", nonce=\"1\"", "Digest realm=\"b\", nonce=\"2\""]),
            ["1", "2"]
        );
    }

    #[test]
    fn challenges_joined_by_commas_are_taken_apart() {
        let joined = "Digest realm=\"r, Digest x\", nonce=\"1\", qop=\"auth\" , Basic realm=\"r\",digest  realm=\"s\",\
                      nonce=\"2\", algorithm=SHA-256, Digest nonce=\"3\", realm=\"s\"";
        let found = Challenge::strongest([joined]);
        let found: Vec<_> = found.iter().map(|one| (one.realm.as_str(), one.nonce.as_str())).collect();
        assert_eq!(found, [("r, Digest x", "1"), ("s", "2")]);
        for broken in ["", ",", ",,", "Digest", "Digest ,", "Digest a=, b", "a b, c d, =", "Digest realm=\"x"]
        {
            assert!(Challenge::strongest([broken]).is_empty(), "{broken:?}");
        }
    }

    /// RFC 7616 section 3.9.2 with erratum 4897. There the user name goes hashed over the wire, ours plainly; the response
    /// is the same.
    #[test]
    fn the_example_of_rfc_7616_for_sha_512_256() {
        let text = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                    nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", \
                    opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true";
        let doe = Credentials { user: "J\u{e4}s\u{f8}n Doe", password: "Secret, or not?" };
        let request = Request { method: "GET", uri: "/doe.json", body: b"" };
        let answer = answer(
            &Challenge::parse(text).unwrap(),
            doe,
            request,
            "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
            1,
        );
        let response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";
        assert_eq!(field(&answer, "response").as_deref(), Some(response));
    }

    #[test]
    fn debug_output_hides_secrets() {
        assert!(!format!("{BOB:?}").contains("zanzibar"));
        assert!(!format!("{:?}", Verifier::new("r", Algorithm::Md5, "hunter2", 1)).contains("hunter2"));
    }
}
