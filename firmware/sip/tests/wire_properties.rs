//! Whatever arrives, nothing panics; whatever is written, is read back as it was.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::collection::vec;
use proptest::prelude::*;
use sip::dialog_info::DialogInfo;
use sip::digest::Challenge;
use sip::pidf::Presence;
use sip::sdp::{KeySeed, Srtp};
use sip::sipfrag::SipFrag;
use sip::{Codec, Direction, LocalMedia, Message, Method, NameAddr, OfferAnswer, Uri, Via};

const INVITE: &[u8] = b"INVITE sip:+49301234;phone-context=x@[2001:db8::1]:5070;user=phone?Replaces=a%40b SIP/2.0\r\n\
    Via: SIP/2.0/UDP pbx.example;rport=5060;received=192.0.2.1;branch=z9hG4bK1, SIP / 2.0 / TCP [::1]:99\r\n\
    v: SIP/2.0/TLS b;x=\"q,\\\"\"\r\nFrom: \"M\xfcller, \\\"X\\\"\" <sip:11@pbx.example>;tag=a\r\nt:\r\n <sip:23@desk.example> ; tag = b\r\n\
    Call-ID: c@pbx.example\r\nCSeq: 7 INVITE\r\nContact: <sip:1@a>;+sip.instance=\"<urn:uuid:0>\", sip:2@b;q=1\r\n\
    WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\"\r\nMax-Forwards: 70\r\n\
    Content-Type: application/sdp\r\nContent-Length: 142\r\n\r\n\
    v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n";

const SDP: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nb=AS:80\r\nt=0 0\r\na=inactive\r\n\
    m=video 0 RTP/AVP 96\r\nm=audio 4000/2 RTP/AVP 107 9 0 101\r\nc=IN IP4 192.0.2.2/127\r\na=rtpmap:107 opus/48000/2\r\n\
    a=fmtp:107 useinbandfec=1;maxaveragebitrate=20000\r\na=rtpmap:101 telephone-event/48000\r\na=rtcp:4001 IN IP4 192.0.2.3\r\n\
    a=ptime:20\r\na=maxptime:40\r\na=rtcp-mux\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31\r\n\
    a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|1:4 WSH=64\r\na=sendrecv\r\n";

const PIDF: &[u8] =
    b"<?xml version='1.0'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:23@pbx'>\
    <tuple id='a'><status><basic>open</basic></status><note>Desk</note></tuple>\
    <person id='p'><activities><meal/></activities><note>Back\n at 3</note></person></presence>";

const XML: &[u8] = b"<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"3\" state=\"partial\" entity=\"sip:23@pbx\">\
    <dialog id=\"a\" call-id=\"c\" local-tag=\"l\" remote-tag=\"r\" direction=\"recipient\"><state>early</state>\
    <local><identity display=\"A &amp; B\">sip:23@pbx</identity><target uri=\"sip:23@192.0.2.9\"/></local></dialog></dialog-info>";

/// One change to a message: what a bad network, a bad peer or an attacker would do.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize, usize),
    Cut(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let token = prop_oneof![
        vec(any::<u8>(), 1..4),
        prop::sample::select(vec![
            "\r\n",
            "\n ",
            "\"",
            "<",
            ">",
            ",",
            ";",
            "=",
            "\\",
            "%",
            "%0",
            "@",
            ":",
            "[",
            "]",
            "?",
            "\0",
            "*",
            "-1",
            "99999999999",
            "SIP/2.0 ",
            "m=",
            "a=",
            "c=",
            "&lt;",
            "</",
            "<!--",
            "<![CDATA[",
            "\u{fc}"
        ])
        .prop_map(|s| s.as_bytes().to_vec()),
    ];
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<prop::sample::Index>(), token).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<prop::sample::Index>(), 1..40_usize).prop_map(|(at, n)| Change::Remove(at, n)),
        (any::<prop::sample::Index>(), 1..60_usize, 1..9_usize)
            .prop_map(|(at, n, times)| Change::Repeat(at, n, times)),
        any::<prop::sample::Index>().prop_map(Change::Cut),
    ]
}

fn mutated(seed: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Insert(at, new) => {
                _ = bytes.splice(at.index(length)..at.index(length), new.iter().copied())
            }
            Change::Remove(at, n) => _ = bytes.drain(at.index(length)..(at.index(length) + n).min(length)),
            Change::Repeat(at, n, times) => {
                let piece = bytes[at.index(length)..(at.index(length) + n).min(length)].repeat(*times);
                _ = bytes.splice(at.index(length)..at.index(length), piece);
            }
            Change::Cut(at) => bytes.truncate(at.index(length)),
        }
    }
    bytes
}

/// Everything a message offers, so that lazily read values are read too.
fn touch(message: &Message) {
    let _ = (
        message.via(),
        message.from(),
        message.to(),
        message.contact(),
        message.cseq(),
        message.max_forwards(),
        message.expires(),
    );
    for (name, value) in message.all_headers() {
        assert!(!value.contains(['\r', '\n', '\0']), "{name}: {value:?}");
        let _ = (
            NameAddr::parse(value).map(|a| a.to_string()),
            Via::parse(value).map(|v| v.to_string()),
            Challenge::parse(value),
        );
        let _ = message.headers(name).count();
    }
    if let Some(uri) = message.request_uri().and_then(|uri| Uri::parse(uri).ok()) {
        let _ = (uri.number(), uri.user_unescaped(), uri.equivalent(&uri), uri.to_string());
    }
    let _ = Message::response(message, 200).write();
    let _ = message.to_string();
}

fn local() -> LocalMedia {
    LocalMedia {
        srtp: Srtp::Optional,
        keys: Some(KeySeed::new([7; 32])),
        ..LocalMedia::plain(
            "192.0.2.7:6000".parse().unwrap(),
            vec![Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu],
        )
    }
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_messages_never_panic_and_what_is_read_is_written_alike(changes in vec(change(), 1..8)) {
        let bytes = mutated(INVITE, &changes);
        match Message::parse(&bytes) {
            Ok(message) => {
                touch(&message);
                prop_assert_eq!(Message::parse(&message.write()), Ok(message));
            }
            Err(error) => {
                let _ = error.to_string();
                if let Some(reply) = error.reply_400() { touch(&reply); }
            }
        }
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..600)) {
        if let Ok(message) = Message::parse(&bytes) { touch(&message); }
        let _ = (SipFrag::parse(&bytes), DialogInfo::parse(&bytes));
        let mut session = OfferAnswer::new(local(), 1);
        let _ = session.receive_offer(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Uri::parse(&text).map(|u| u.to_string()), NameAddr::parse(&text), Via::parse(&text), Challenge::parse(&text));
    }

    #[test]
    fn built_messages_are_read_as_built(
        method in "[A-Z!+.%'~-]{1,12}", user in "[a-z0-9*#]{1,8}",
        headers in vec(("X-[A-Za-z0-9-]{1,10}", "\\PC{0,40}"), 0..20),
        smuggle in vec(any::<u8>().prop_map(char::from), 0..30), body in vec(any::<u8>(), 0..300),
    ) {
        let mut message = Message::request(Method::from_token(&method), &format!("sip:{user}@desk.example"));
        for (name, value) in [("Via", "SIP/2.0/UDP a;branch=z9hG4bKx"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>"), ("Call-ID", "x@y")] {
            message.push(name, value);
        }
        message.push("CSeq", format!("1 {method}"));
        for (name, value) in &headers { message.push(name, value.as_str()); }
        message.push("Subject", smuggle.iter().collect::<String>());
        message.set_body("application/octet-stream", body);
        prop_assert_eq!(Message::parse(&message.write()), Ok(message));
    }

    #[test]
    fn any_uri_and_address_survives_the_round_trip(user in "\\PC{1,20}", display in "\\PC{0,20}", value in "\\PC{1,20}", port in any::<Option<u16>>()) {
        let mut uri = Uri::sip(Some(&user), "desk.example", port);
        uri.params.set("x", Some(&value));
        uri.headers.push(("Replaces".to_owned(), sip::uri::escape_header(&value)));
        let once = Uri::parse(&uri.to_string()).unwrap();
        prop_assert_eq!(once.header("Replaces"), Some(value.clone()));
        prop_assert!(once.equivalent(&Uri::parse(&once.to_string()).unwrap()));
        prop_assert_eq!(Uri::parse(&once.to_string()), Ok(once.clone()));
        let mut address = NameAddr { display: Some(display), uri: once, params: sip::Params::new() }.with_tag("t");
        address.params.set("text", Some(&value));
        let read = NameAddr::parse(&address.to_string()).unwrap();
        prop_assert_eq!(read.display.unwrap_or_default(), address.display.unwrap_or_default());
        prop_assert_eq!((read.uri, read.params.value("tag"), read.params.value("text")), (address.uri, Some("t"), Some(value.as_str())));
    }

    #[test]
    fn mutated_descriptions_never_panic_and_their_answers_can_be_read(changes in vec(change(), 0..8), wish in direction()) {
        let offer = mutated(SDP, &changes);
        let mut desk = OfferAnswer::new(local(), 7);
        if let Ok(media) = desk.receive_offer(&offer) {
            prop_assert!((10..=60).contains(&media.ptime_ms) && media.remote_payload_type < 128);
            let answer = desk.create_answer(wish).unwrap();
            let agreed = desk.media().unwrap().clone();
            prop_assert!(!agreed.direction.sends() || wish.sends());
            let text = String::from_utf8(answer).unwrap();
            prop_assert_eq!(text.matches("m=audio").count() >= 1, true);
            prop_assert!(desk.create_offer(Direction::SendRecv).is_ok());
        }
        let mut caller = OfferAnswer::new(local(), 8);
        caller.create_offer(Direction::SendRecv).unwrap();
        let _ = caller.receive_answer(&offer);
        prop_assert!(caller.create_offer(Direction::SendOnly).is_ok());
    }

    #[test]
    fn mutated_dialog_info_never_panics_and_is_written_alike(changes in vec(change(), 0..6)) {
        if let Ok(info) = DialogInfo::parse(&mutated(XML, &changes)) {
            prop_assert_eq!(DialogInfo::parse(&info.write()), Ok(info));
        }
    }

    #[test]
    fn mutated_presence_never_panics_and_its_text_is_one_short_line(changes in vec(change(), 0..6)) {
        if let Ok(presence) = Presence::parse(&mutated(PIDF, &changes)) {
            prop_assert!(presence.text.chars().count() <= 512);
            prop_assert!(!presence.text.chars().any(char::is_control), "{:?}", presence.text);
        }
    }
}

#[test]
fn nothing_grows_without_bound() {
    let mut many = b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n".to_vec();
    let head = many.clone();
    for _ in 0..300 {
        many.extend_from_slice(b"X: y\r\n");
    }
    many.extend_from_slice(b"\r\n");
    let error = Message::parse(&many).unwrap_err();
    assert_eq!(error.reply_400().unwrap().reason(), "More Than 256 Header Fields");

    let mut joined = [head, b"Route: ".to_vec()].concat();
    joined.extend_from_slice(&b"<sip:a>,".repeat(7_000));
    joined.extend_from_slice(b"\r\n\r\n");
    assert!(Message::parse(&joined).is_err());
    assert!(Message::parse(&vec![b'A'; 70_000]).is_err());

    let deep =
        ["<dialog-info>".to_owned(), "<a>".repeat(9_000), "</a>".repeat(9_000), "</dialog-info>".to_owned()]
            .concat();
    assert!(DialogInfo::parse(deep.as_bytes()).is_err());
    let attributes: String = (0..5_000).map(|n| format!(" a{n}=''")).collect();
    assert!(DialogInfo::parse(format!("<dialog-info{attributes}/>").as_bytes()).is_err());
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><dialog-info entity=\"&b;\"/>";
    assert!(DialogInfo::parse(bomb.as_bytes()).is_err());
    assert!(DialogInfo::parse(&vec![b'<'; 70_000]).is_err());

    let mut session = OfferAnswer::new(local(), 1);
    for piece in [
        "m=audio 4000 RTP/AVP 0\r\n".repeat(600),
        format!("m=audio 4000 RTP/AVP{}\r\n", " 0".repeat(8_000)),
        "a=x\r\n".repeat(3_900),
    ] {
        let body = format!("v=0\r\nc=IN IP4 192.0.2.1\r\n{piece}");
        let _ = session.receive_offer(&body.as_bytes()[..body.len().min(sip::sdp::MAX_SIZE)]);
        session.abandon_offer();
    }
    assert!(session.receive_offer(&vec![b'a'; sip::sdp::MAX_SIZE + 1]).is_err());
}
