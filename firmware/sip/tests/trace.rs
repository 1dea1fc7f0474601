//! The trace shows every message as it was, but for its secrets: the same length, the same headers, none of the secret.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use sip::Message;
use sip::trace::{Glance, mask};

/// A secret nobody would take for anything else; lower case, so that no word of SIP is part of it.
fn secret() -> impl Strategy<Value = String> {
    "zq[a-z0-9]{8,30}"
}

/// An INVITE with `secret` wherever one can stand.
fn secretive(secret: &str) -> String {
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nk=clear:{secret}\r\n\
         m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{secret}|2^20|1:4;inline:{secret}\r\n\
         a=crypto:2 F8_128_HMAC_SHA1_80 inline:{secret} KDR=1\r\na=ice-pwd:{secret}\r\na=key-mgmt:mikey {secret}\r\n"
    );
    format!(
        "INVITE sip:23:{secret}@pbx.example;user=phone SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
         From: \"Front desk\" <sips:100:{secret}@pbx.example>;tag=a\r\nTo: <sip:23@pbx.example>\r\nCall-ID: c@d\r\n\
         CSeq: 7 INVITE\r\nContact: <sip:100@192.0.2.1:5060>\r\n\
         Authorization: Digest username=\"100\", realm=\"pbx\", nonce=\"{secret}\",\r\n uri=\"sip:pbx\", \
         response=\"{secret}\", cnonce={secret}, nc=00000001, qop=auth, unheard-of=\"a, {secret}\"\r\n\
         Proxy-Authorization: Basic {secret}\r\nProxy-Authenticate: Digest realm=\"pbx\", nonce=\"{secret}\"\r\n\
         Authentication-Info: nextnonce=\"{secret}\"\r\nRefer-To: <sip:5@pbx?Authorization=Digest%20{secret}>\r\n\
         Call-Info: <https://me:{secret}@info.example/>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

proptest! {
    #[test]
    fn no_secret_is_left_and_the_message_is_the_same(secret in secret()) {
        let clear = secretive(&secret);
        let masked = mask(clear.as_bytes());
        prop_assert_eq!(masked.len(), clear.len());
        let text = String::from_utf8(masked.clone()).unwrap();
        prop_assert!(!text.contains("zq"), "{}", text);
        let (before, after) = (Message::parse(clear.as_bytes()).unwrap(), Message::parse(&masked).unwrap());
        let names = |message: &Message| message.all_headers().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(names(&before), names(&after));
        prop_assert_eq!(before.to(), after.to());
        prop_assert_eq!(before.via(), after.via());
        prop_assert!(text.contains("a=crypto:2 F8_128_HMAC_SHA1_80 inline:0"));
        prop_assert_eq!(mask(&masked), masked);
    }

    #[test]
    fn what_a_caller_keys_in_and_what_people_write_is_not_shown(
        digits in "[1-9]{4,19}", way in 0..4_usize, cut in any::<prop::sample::Index>(),
    ) {
        let each = |signal: &str| digits.chars().map(|digit| format!("{signal}{digit}\r\n")).collect::<String>();
        let (method, kind, body) = match way {
            0 => ("INFO", "application/dtmf-relay", each("Signal=") + "Duration=0\r\n"),
            1 => ("INFO", "application/dtmf", digits.clone()),
            2 => ("MESSAGE", "text/plain", format!("my card is {digits}, thanks")),
            _ => ("INFO", "multipart/mixed;boundary=x", format!(
                "--x\r\nContent-Type: application/dtmf-relay\r\n\r\n{}--x--\r\n", each("Signal = ")
            )),
        };
        let head = format!("{method} sip:a@b SIP/2.0\r\nCSeq: 0 {method}\r\nc: {kind}\r\n\r\n");
        let clear = format!("{head}{body}");
        let cut = head.len() + cut.index(body.len());
        for part in [clear.as_bytes(), &clear.as_bytes()[..cut]] {
            let masked = String::from_utf8(mask(part)).unwrap();
            prop_assert_eq!(masked.len(), part.len());
            let shown = &masked[head.len()..];
            prop_assert!(!shown.contains(|c: char| matches!(c, '1'..='9')), "{}", shown);
            prop_assert_eq!(mask(masked.as_bytes()), masked.as_bytes());
        }
    }

    #[test]
    fn rubbish_keeps_its_length_and_its_lines(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let masked = mask(&bytes);
        prop_assert_eq!(masked.len(), bytes.len());
        let ends = |bytes: &[u8]| bytes.iter().enumerate().filter(|(_, b)| b"\r\n".contains(b)).map(|(at, _)| at).collect::<Vec<_>>();
        prop_assert_eq!(ends(&masked), ends(&bytes));
        let _ = Glance::at(&bytes);
    }

    #[test]
    fn a_cut_message_shows_no_secret_either(secret in secret(), cut in any::<prop::sample::Index>()) {
        let clear = secretive(&secret);
        let cut = &clear.as_bytes()[..cut.index(clear.len())];
        let shown = String::from_utf8(mask(cut)).unwrap();
        // A password whose `@` was cut off cannot be told from a host.
        let told = shown.lines().last().is_some_and(|line| line.contains("zq"));
        let in_uri = shown.lines().last().is_some_and(|line| line.contains("sip") || line.contains("https"));
        prop_assert!(!shown.contains("zq") || told && in_uri, "{}", shown);
    }
}
