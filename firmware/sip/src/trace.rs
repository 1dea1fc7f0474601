//! What a trace of messages needs: a message without its secrets, and whose it is at a glance.
//!
//! Both look at raw bytes, so that what no reader takes can be traced as well. A secret is overwritten with `0` in its
//! own length: lengths, Content-Length and syntax stay as they were, since `0` is a legal hexadecimal digit, base64
//! letter, token, password and digit of a telephone. Not done here: keeping a trace.

mod bodies;

use memchr::memchr_iter;

use crate::header::CSeq;
use crate::lexer::{Fields, one_line};
use crate::method::Method;

/// What stands in the place of every byte of a secret.
const MASK: u8 = b'0';

/// Parameters of credentials and challenges that are no secret; all others are masked, known or not.
const PLAIN: [&[u8]; 10] = [
    b"username",
    b"realm",
    b"uri",
    b"qop",
    b"algorithm",
    b"nc",
    b"stale",
    b"domain",
    b"userhash",
    b"charset",
];

/// Parts of the names of headers that carry secrets: Authorization, WWW-Authenticate, Authentication-Info, and what
/// exchanges call their own ones.
const SECRETIVE: [&[u8]; 5] = [b"authoriz", b"authentic", b"password", b"secret", b"token"];

/// The longest Call-ID kept, in characters.
pub const MAX_CALL_ID: usize = 255;

/// What can be told of a message without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Call-ID, at most [`MAX_CALL_ID`] characters; `None` where there is none.
    pub call_id: Option<String>,
    /// Whether CSeq says that it belongs to an INVITE.
    pub is_invite: bool,
}

impl Glance {
    /// Looks at the header lines of `message`, up to the first blank one. They are told apart as the reader of messages
    /// does it: what is a message is filed under the Call-ID that its call has.
    pub fn at(message: &[u8]) -> Glance {
        let mut glance = Glance::default();
        let start = message.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(message.len());
        let Some(end) = memchr::memchr(b'\n', &message[start..]) else { return glance };
        let mut has_cseq = false;
        for (name, value) in Fields::of(message, start + end + 1) {
            if glance.call_id.is_none() && (is(name, b"Call-ID") || is(name, b"i")) {
                glance.call_id = Some(one_line(value).chars().take(MAX_CALL_ID).collect());
            } else if is(name, b"CSeq") && !has_cseq {
                let cseq = CSeq::parse(&one_line(value));
                (has_cseq, glance.is_invite) = (true, cseq.is_ok_and(|cseq| cseq.method == Method::Invite));
            }
        }
        glance.call_id = glance.call_id.filter(|id| !id.is_empty());
        glance
    }
}

/// The message without its secrets, in the same length: what proves a password (RFC 3261 section 22, all but user,
/// realm and the like), passwords in URIs, keys of SRTP (RFC 4568), of `k=`, MIKEY and ICE, digits that a caller keys in
/// and the text of a MESSAGE.
pub fn mask(message: &[u8]) -> Vec<u8> {
    let mut out = message.to_vec();
    passwords(&mut out);
    embedded(&mut out);
    let lines: Vec<(usize, usize)> = Lines::of(message).collect();
    let mut rest = lines.as_slice();
    while let [(begin, end), after @ ..] = rest {
        rest = after;
        let Some(secret) = secretive(&message[*begin..*end]) else {
            description(&mut out[*begin..*end]);
            continue;
        };
        let mut last = *end;
        while let [(begin, end), after @ ..] = rest
            && matches!(message[*begin..*end].first(), Some(b' ' | b'\t'))
        {
            (last, rest) = (*end, after);
        }
        credentials(&mut out[begin + secret.value..last], secret.has_scheme);
    }
    bodies::mask(&mut out, message);
    out
}

/// Begin and end of each line, whatever ends it; what ends it belongs to none.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl Lines<'_> {
    fn of(text: &[u8]) -> Lines<'_> {
        Lines { text, at: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let begin = self.at;
        let rest = self.text.get(begin..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let both = rest[length..].starts_with(b"\r\n");
        self.at = begin + length + if both { 2 } else { 1 };
        Some((begin, begin + length))
    }
}

/// A header line that carries a secret.
struct Secretive {
    /// Where its value begins.
    value: usize,
    /// Whether the value begins with the name of a scheme, such as Digest.
    has_scheme: bool,
}

fn secretive(line: &[u8]) -> Option<Secretive> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = &line[..colon];
    let has = |part: &[u8]| name.windows(part.len()).any(|window| is(window, part));
    let name_says_so = SECRETIVE.iter().any(|part| has(part));
    name_says_so.then(|| Secretive { value: colon + 1, has_scheme: !has(b"-info") })
}

/// Masks the value of an Authorization, of a challenge or of what is like them.
fn credentials(value: &mut [u8], has_scheme: bool) {
    let mut at = 0;
    if has_scheme {
        at = value.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(value.len());
        let scheme =
            value[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let is_digest = is(&value[at..at + scheme], b"Digest");
        let is_scheme = value.get(at + scheme).is_some_and(u8::is_ascii_whitespace);
        at += if is_scheme { scheme } else { 0 };
        if !is_digest || !is_scheme {
            return blot(&mut value[at..]);
        }
    }
    let mut rest = &mut value[at..];
    loop {
        let (parameter, after) = rest.split_at_mut(comma(rest));
        let equals = parameter.iter().position(|&byte| byte == b'=').map_or(0, |equals| equals + 1);
        let name = parameter[..equals].trim_ascii().strip_suffix(b"=").unwrap_or_default().trim_ascii();
        if !PLAIN.iter().any(|plain| is(name, plain)) {
            blot(between_quotes(&mut parameter[equals..]));
        }
        match after {
            [_, after @ ..] => rest = after,
            [] => return,
        }
    }
}

/// Where the first comma outside quotes stands.
fn comma(value: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let is_end = |&byte: &u8| {
        let is_literal = std::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted && !is_literal => escaped = true,
            b'"' if !is_literal => quoted = !quoted,
            _ => {}
        }
        byte == b',' && !quoted
    };
    value.iter().position(is_end).unwrap_or(value.len())
}

/// Masks the lines of a description that carry keys.
fn description(line: &mut [u8]) {
    let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let line = &mut line[indent..];
    let [b'a' | b'A' | b'k' | b'K', b'=', ..] = line else { return };
    if begins(line, b"k=") {
        let method = line.iter().position(|&byte| byte == b':').map_or(line.len(), |colon| colon + 1);
        blot(&mut line[method..]);
    } else if begins(line, b"a=crypto") {
        // Tag and suite are no secret.
        let fields = line.iter().enumerate().filter(|(_, byte)| byte.is_ascii_whitespace());
        let second = fields.map(|(at, _)| at).nth(1).unwrap_or(line.len());
        keys(&mut line[second..]);
    } else if begins(line, b"a=key-mgmt") {
        let protocol = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        blot(&mut line[protocol..]);
    } else if begins(line, b"a=ice-pwd:") {
        blot(&mut line[b"a=ice-pwd:".len()..]);
    }
}

/// Masks what stands behind the first colon of each key parameter, up to its life time: `inline:KEY|2^20|1:4`.
fn keys(parameters: &mut [u8]) {
    for parameter in parameters.split_mut(|byte| byte.is_ascii_whitespace() || *byte == b';') {
        let end = parameter.iter().position(|&byte| byte == b'|').unwrap_or(parameter.len());
        let key = parameter[..end].iter().position(|&byte| byte == b':').map_or(end, |colon| colon + 1);
        blot(&mut parameter[key..end]);
    }
}

/// Masks passwords in URIs: `sip:user:password@host`.
fn passwords(message: &mut [u8]) {
    let ats: Vec<usize> = memchr_iter(b'@', message).collect();
    let mut last = 0;
    for at in ats {
        let outside = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'<' | b'>' | b'"' | b'\'');
        let begin = message[last..at].iter().rposition(outside).map_or(last, |before| last + before + 1);
        last = at + 1;
        let Some(user) = behind_scheme(&message[begin..at]) else { continue };
        if let Some(colon) = message[begin + user..at].iter().position(|&byte| byte == b':') {
            blot(&mut message[begin + user + colon + 1..at]);
        }
    }
}

/// Where the user begins in `…sip:user:password` or `…scheme://user:password`.
fn behind_scheme(span: &[u8]) -> Option<usize> {
    let colons = memchr_iter(b':', span);
    colons
        .filter(|&colon| {
            let sip = span[..colon].len() >= 3 && is(&span[colon - 3..colon], b"sip");
            let sips = span[..colon].len() >= 4 && is(&span[colon - 4..colon], b"sips");
            sip || sips || span[colon + 1..].starts_with(b"//")
        })
        .map(|colon| colon + if span[colon + 1..].starts_with(b"//") { 3 } else { 1 })
        .next()
}

/// Masks credentials that a URI carries as header fields, as in a Refer-To: `?Authorization=Digest%20…`.
fn embedded(message: &mut [u8]) {
    let marks: Vec<usize> = memchr::memchr2_iter(b'?', b'&', message).collect();
    for mark in marks {
        let field = &mut message[mark + 1..];
        let Some(equals) = field.iter().take(32).position(|&byte| byte == b'=') else { continue };
        if is(&field[..equals], b"Authorization") || is(&field[..equals], b"Proxy-Authorization") {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'&' | b'>' | b'"');
            let end = field.iter().position(is_end).unwrap_or(field.len());
            blot(&mut field[equals + 1..end]);
        }
    }
}

/// What stands between the outer quotes of a value, or all of it.
fn between_quotes(value: &mut [u8]) -> &mut [u8] {
    let begin = value.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(value.len());
    if value.get(begin) != Some(&b'"') {
        return value;
    }
    let inner = &mut value[begin + 1..];
    let end = inner.iter().rposition(|&byte| byte == b'"').unwrap_or(inner.len());
    &mut inner[..end]
}

/// Overwrites everything but white space and line ends.
fn blot(secret: &mut [u8]) {
    for byte in secret.iter_mut().filter(|byte| !byte.is_ascii_whitespace()) {
        *byte = MASK;
    }
}

fn is(text: &[u8], word: &[u8]) -> bool {
    text.eq_ignore_ascii_case(word)
}

fn begins(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| is(start, word))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::message::Message;

    fn masked(text: &str) -> String {
        String::from_utf8(mask(text.as_bytes())).unwrap()
    }

    #[test]
    fn what_proves_a_password_is_masked_and_what_names_it_stays() {
        let digest = "Authorization: Digest username=\"23\", realm=\"pbx\", nonce=\"ab,c\", uri=\"sip:pbx\",\r\n \
                      response=\"6629fae4\", algorithm=MD5, cnonce=\"0a4f\", opaque=\"\", nc=00000001, qop=auth\r\n";
        assert_eq!(
            masked(digest),
            "Authorization: Digest username=\"23\", realm=\"pbx\", nonce=\"0000\", uri=\"sip:pbx\",\r\n \
             response=\"00000000\", algorithm=MD5, cnonce=\"0000\", opaque=\"\", nc=00000001, qop=auth\r\n"
        );
        for (line, shown) in [
            ("Proxy-Authorization: Basic QWxhZGRpbg==", "Proxy-Authorization: Basic 000000000000"),
            ("authorization:Bearer a.b-c", "authorization:Bearer 00000"),
            ("Authorization: justakey", "Authorization: 00000000"),
            (
                "WWW-Authenticate: digest Nonce = abc , stale=true",
                "WWW-Authenticate: digest Nonce = 000 , stale=true",
            ),
            (
                "Authentication-Info: nextnonce=\"x\\\"y\", qop=auth",
                "Authentication-Info: nextnonce=\"0000\", qop=auth",
            ),
            ("X-Access-Token: abc", "X-Access-Token: 000"),
            (
                "Authorization: Digest response=\"unclosed, nonce=x",
                "Authorization: Digest response=\"000000000 0000000",
            ),
            ("Subject: Digest response=\"1\"", "Subject: Digest response=\"1\""),
        ] {
            assert_eq!(masked(line), shown);
        }
    }

    #[test]
    fn keys_in_a_description_are_masked() {
        for (line, shown) in [
            (
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19/zZz+|2^20|1:4 UNENCRYPTED_SRTCP",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:000000000000|2^20|1:4 UNENCRYPTED_SRTCP",
            ),
            (" A=CRYPTO:2 X INLINE:aa;inline:bb|1", " A=CRYPTO:2 X INLINE:00;inline:00|1"),
            ("k=base64:c2VjcmV0", "k=base64:00000000"),
            ("k=prompt", "k=prompt"),
            ("a=key-mgmt:mikey AQAFgM", "a=key-mgmt:mikey 000000"),
            ("a=ice-pwd:asd88fgpdd777uzjYhagZg", "a=ice-pwd:0000000000000000000000"),
            ("a=rtpmap:8 PCMA/8000", "a=rtpmap:8 PCMA/8000"),
        ] {
            assert_eq!(masked(line), shown);
        }
    }

    #[test]
    fn passwords_in_uris_are_masked_and_hosts_are_not() {
        for (text, shown) in [
            ("INVITE sip:23:hunter2@pbx:5060 SIP/2.0", "INVITE sip:23:0000000@pbx:5060 SIP/2.0"),
            (
                "To: \"a:b@c\" <SIPS:a:b@c>, <sip:d@e:5061;x=sip:f@g>",
                "To: \"a:b@c\" <SIPS:a:0@c>, <sip:d@e:5061;x=sip:f@g>",
            ),
            ("Call-Info: <https://me:pw@host:8/p>", "Call-Info: <https://me:00@host:8/p>"),
            ("Call-ID: a:b@c", "Call-ID: a:b@c"),
            (
                "Refer-To: <sip:a@b?Authorization=Digest%20response%3D1&Replaces=x%40y>",
                "Refer-To: <sip:a@b?Authorization=000000000000000000000&Replaces=x%40y>",
            ),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn a_glance_finds_the_call_of_anything_like_a_message() {
        let whose = |text: &str| Glance::at(text.as_bytes());
        let long = whose("\r\nINVITE sip:a@b SIP/2.0\r\nCALL-ID : x@y \r\nCSeq: 1 INVITE\r\n\r\nCall-ID: no");
        assert_eq!(long, Glance { call_id: Some("x@y".into()), is_invite: true });
        let short = whose("SIP/2.0 200 OK\ni:x\ncseq:2 \t BYE\n\ni:y");
        assert_eq!(short, Glance { call_id: Some("x".into()), is_invite: false });
        assert_eq!(whose(""), Glance::default());
        assert_eq!(whose("rubbish\r\nCall-ID:\r\n"), Glance::default());
        assert_eq!(whose(&format!("a\r\ni: {}", "x".repeat(999))).call_id.unwrap().len(), MAX_CALL_ID);
    }

    #[test]
    fn a_glance_tells_header_lines_apart_as_the_reader_does() {
        for (lines, call_id) in [
            ("Subject: a\r\n i: folded\r\nCall-ID: x", "x"),
            ("Subject: a\ri: behind a bare carriage return\r\nCall-ID: x", "x"),
            ("i i: no token\r\nCall-ID: x", "x"),
            ("Call-ID\r\n :\r\n x\r\n\t@y\r\nCall-ID: z", "x @y"),
            ("i: x\0y\r\nCall-ID: z", "x y"),
        ] {
            let message = format!(
                "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: <sip:d@e>;tag=1\r\n\
                 To: <sip:a@b>\r\nCSeq: 1 OPTIONS\r\nCSeq: 2 INVITE\r\n{lines}\r\n\r\n"
            );
            let seen = Glance::at(message.as_bytes());
            assert_eq!(seen, Glance { call_id: Some(call_id.into()), is_invite: false }, "{lines:?}");
            let read = Message::parse(message.as_bytes());
            assert!(read.is_err() || read.unwrap().call_id() == Some(call_id), "{lines:?}");
        }
    }
}
