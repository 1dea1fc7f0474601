//! What rsip 0.4.0 gets wrong on the wire, line by line: each is a test that we do not.
#![allow(clippy::unwrap_used, reason = "tests")]

use sip::digest::{Algorithm, Challenge, Credentials, Request, answer};
use sip::{Message, Method, NameAddr, Scheme, Uri};

/// An INVITE whose header lines the test chooses; the mandatory ones it leaves out are added.
fn invite(lines: &[u8]) -> Vec<u8> {
    let mut bytes = b"INVITE sip:23@desk.example SIP/2.0\r\n".to_vec();
    bytes.extend_from_slice(lines);
    let mandatory: [(&[&[u8]], &[u8]); 5] = [
        (&[b"Via", b"v"], b"Via: SIP/2.0/UDP pbx.example;branch=z9hG4bK1\r\n"),
        (&[b"From", b"f"], b"From: <sip:11@pbx.example>;tag=a\r\n"),
        (&[b"To", b"t"], b"To: <sip:23@desk.example>\r\n"),
        (&[b"Call-ID", b"i"], b"Call-ID: c@pbx.example\r\n"),
        (&[b"CSeq"], b"CSeq: 7 INVITE\r\n"),
    ];
    for (names, line) in mandatory {
        let given = lines.split(|&b| b == b'\n').any(|l| {
            let name = l.split(|b| matches!(b, b':' | b' ' | b'\t')).next().unwrap();
            names.iter().any(|n| n.eq_ignore_ascii_case(name))
        });
        if !given {
            bytes.extend_from_slice(line);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn read(lines: &str) -> Message {
    Message::parse(&invite(lines.as_bytes())).unwrap()
}

#[test]
fn compact_names() {
    let message = read(
        "v: SIP/2.0/UDP a;branch=z9hG4bK2\r\nf: <sip:1@a>;tag=x\r\nt: <sip:2@b>\r\ni: id@a\r\nm: <sip:1@c>\r\nl: 0\r\nr: <sip:3@d>\r\nb: <sip:4@e>\r\nc: text/plain\r\nk: timer\r\no: dialog\r\nu: dialog\r\ns: hello\r\ne: gzip\r\nx: 90\r\n",
    );
    assert_eq!(message.via().unwrap().branch.as_deref(), Some("z9hG4bK2"));
    assert_eq!(message.from().unwrap().tag(), Some("x"));
    assert_eq!(message.call_id(), Some("id@a"));
    assert_eq!(message.contact().unwrap().uri.host, "c");
    let long = [
        ("To", "<sip:2@b>"),
        ("Refer-To", "<sip:3@d>"),
        ("Referred-By", "<sip:4@e>"),
        ("Content-Type", "text/plain"),
        ("Supported", "timer"),
        ("Event", "dialog"),
        ("Allow-Events", "dialog"),
        ("Subject", "hello"),
        ("Content-Encoding", "gzip"),
        ("Session-Expires", "90"),
    ];
    for (name, value) in long {
        assert_eq!(message.header(name), Some(value), "{name}");
    }
    assert_eq!(message.header("r"), Some("<sip:3@d>"));
}

#[test]
fn folded_headers() {
    let message = read("Subject: one\r\n two\r\n\t three\r\nf: \"A\r\n B\" <sip:1@a>\r\n ;tag=x\r\n");
    assert_eq!(message.header("Subject"), Some("one two three"));
    assert_eq!(message.from().unwrap().display.as_deref(), Some("A B"));
    assert_eq!(message.from().unwrap().tag(), Some("x"));
}

#[test]
fn white_space_before_the_colon() {
    assert_eq!(read("Subject : x\r\nFrom\t :<sip:1@a>;tag=y\r\n").header("subject"), Some("x"));
}

#[test]
fn unknown_methods() {
    let bytes =
        String::from_utf8(invite(b"CSeq: 7 FROBNICATE\r\n")).unwrap().replace("INVITE sip", "FROBNICATE sip");
    let message = Message::parse(bytes.as_bytes()).unwrap();
    assert_eq!(message.method(), Some(&Method::Other("FROBNICATE".to_owned())));
    assert_eq!(message.cseq().unwrap().method, Method::Other("FROBNICATE".to_owned()));
}

#[test]
fn latin_1_bytes() {
    let message =
        Message::parse(&invite(b"From: \"M\xfcller\" <sip:1@a>;tag=x\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\n"))
            .unwrap();
    assert_eq!(message.from().unwrap().display.as_deref(), Some("Müller"));
    assert_eq!(message.header("Subject"), Some("grüße"));
}

#[test]
fn line_feed_only() {
    let bytes = String::from_utf8(invite(b"l: 2\r\n")).unwrap().replace("\r\n", "\n") + "hi";
    let message = Message::parse(bytes.as_bytes()).unwrap();
    assert_eq!((message.call_id(), message.body()), (Some("c@pbx.example"), b"hi".as_slice()));
}

#[test]
fn a_missing_blank_line_is_refused() {
    let mut bytes = invite(b"");
    bytes.truncate(bytes.len() - 2);
    let error = Message::parse(&bytes).unwrap_err();
    assert_eq!(error.reply_400().unwrap().reason(), "No Blank Line After Header Fields");
    bytes.extend_from_slice(b"v=0");
    assert!(Message::parse(&bytes).is_err());
}

#[test]
fn content_length_frames_the_body() {
    let with = |lines: &str| Message::parse(&[invite(lines.as_bytes()), b"12345678\r\n".to_vec()].concat());
    assert_eq!(with("Content-Length: 4\r\n").unwrap().body(), b"1234");
    assert_eq!(with("Content-Length: 0\r\n").unwrap().body(), b"");
    assert_eq!(with("").unwrap().body(), b"12345678\r\n");
    assert!(with("Content-Length: 11\r\n").is_err());
    assert!(with("Content-Length: 99999999999999999999999\r\n").is_err());
}

#[test]
fn binary_bodies_survive() {
    let body: Vec<u8> = (0..=255).chain([0, 13, 10, 13, 10, 0xff]).collect();
    let mut message = Message::parse(&invite(b"")).unwrap();
    message.set_body("application/octet-stream", body.clone());
    let again = Message::parse(&message.write()).unwrap();
    assert_eq!(again.body(), body);
    assert_eq!(again, message);
}

#[test]
fn ipv6_tel_and_urn() {
    let v6 = Uri::parse("sip:11@[2001:db8::1]:5070;transport=tcp").unwrap();
    assert_eq!((v6.host.as_str(), v6.port), ("2001:db8::1", Some(5070)));
    assert_eq!(v6.to_string(), "sip:11@[2001:db8::1]:5070;transport=tcp");
    let tel = Uri::parse("tel:+49-30-1234;ext=5").unwrap();
    assert_eq!(
        (&tel.scheme, tel.number().as_deref(), tel.params.value("ext")),
        (&Scheme::Tel, Some("+49301234"), Some("5"))
    );
    assert_eq!(tel.to_string(), "tel:+49-30-1234;ext=5");
    let urn = NameAddr::parse("<urn:service:sos.fire>;tag=9").unwrap();
    assert_eq!((urn.uri.to_string().as_str(), urn.tag()), ("urn:service:sos.fire", Some("9")));
}

#[test]
fn uris_are_not_cut_short() {
    let context = Uri::parse("sip:+1;phone-context=x@gw").unwrap();
    assert_eq!((context.user.as_deref(), context.host.as_str()), (Some("+1;phone-context=x"), "gw"));
    assert_eq!(context.number().as_deref(), Some("+1"));
    let gruu = Uri::parse("sip:a@b;gr=urn:uuid:f81d4fae-7dec-11d0").unwrap();
    assert_eq!(gruu.params.value("gr"), Some("urn:uuid:f81d4fae-7dec-11d0"));
    let all =
        Uri::parse("sips:a:secret@b:5061;lr;transport=tls?Replaces=c%40d%3Bto-tag%3D1&Subject=hi").unwrap();
    assert_eq!(all.header("replaces").as_deref(), Some("c@d;to-tag=1"));
    assert_eq!(
        all.to_string(),
        "sips:a:secret@b:5061;lr;transport=tls?Replaces=c%40d%3Bto-tag%3D1&Subject=hi"
    );
}

#[test]
fn contacts_with_quoted_instances_spaces_and_company() {
    let message = read(
        "Contact: <sip:1@a>;+sip.instance=\"<urn:uuid:0-1,2>\" ; expires = 60, \"Two, too\" <sip:2@b;x=1,2>;q=0.5\r\nFrom: <sip:1@a> ; tag = x\r\n",
    );
    let contacts: Vec<_> = message.headers("Contact").map(|c| NameAddr::parse(c).unwrap()).collect();
    assert_eq!(contacts.len(), 2);
    assert_eq!(contacts[0].params.value("+sip.instance"), Some("<urn:uuid:0-1,2>"));
    assert_eq!(contacts[0].params.value("Expires"), Some("60"));
    assert_eq!(contacts[0].to_string(), "<sip:1@a>;+sip.instance=\"<urn:uuid:0-1,2>\";expires=60");
    assert_eq!(contacts[1].display.as_deref(), Some("Two, too"));
    assert_eq!(message.from().unwrap().tag(), Some("x"));
}

#[test]
fn comma_joined_via() {
    let message = read(
        "Via: SIP/2.0/UDP one;branch=z9hG4bKa, SIP/2.0/TCP two:5070;branch=z9hG4bKb;x=\"a,b\"\r\nv: SIP/2.0/TLS three\r\n",
    );
    let hosts: Vec<_> = message.headers("Via").map(|v| sip::Via::parse(v).unwrap().host).collect();
    assert_eq!(hosts, ["one", "two", "three"]);
    let response = Message::response(&message, 200);
    assert_eq!(response.headers("Via").count(), 3);
}

#[test]
fn sha_256_challenges_and_several_qops() {
    let challenge =
        Challenge::parse("Digest realm=\"pbx\", nonce=\"n\", algorithm=SHA-256, qop=\"auth,auth-int\"")
            .unwrap();
    assert_eq!(challenge.algorithm, Algorithm::Sha256);
    assert!(challenge.qop_auth && challenge.qop_auth_int);
}

const BOB: Credentials<'static> = Credentials { user: "bob", password: "zanzibar" };
const REGISTER: Request<'static> = Request { method: "REGISTER", uri: "sip:pbx", body: b"" };

#[test]
fn nonce_counts_are_eight_hexadecimal_digits() {
    let challenge = Challenge::parse("Digest realm=\"pbx\", nonce=\"n\", qop=auth").unwrap();
    assert!(answer(&challenge, BOB, REGISTER, "c", 10).contains("nc=0000000a"));
    assert!(answer(&challenge, BOB, REGISTER, "c", 300).contains("nc=0000012c"));
}

#[test]
fn md5_sess_is_not_md5() {
    let of = |algorithm: &str| {
        let text = format!("Digest realm=\"pbx\", nonce=\"n\", qop=auth, algorithm={algorithm}");
        let answer = answer(&Challenge::parse(&text).unwrap(), BOB, REGISTER, "c", 1);
        answer.split("response=\"").nth(1).unwrap()[..32].to_owned()
    };
    // reference values from Python's hashlib, RFC 2617 section 3.2.2
    assert_eq!(of("MD5"), "12b703b53e93517fc1fb52e3f5b4e384");
    assert_eq!(of("MD5-sess"), "7fb4fcb24afd21671eb42b5293dddc6d");
}

#[test]
fn headers_without_a_type_are_still_found() {
    let names = [
        "Refer-To",
        "Replaces",
        "Session-Expires",
        "RAck",
        "P-Asserted-Identity",
        "Diversion",
        "History-Info",
    ];
    let lines: String =
        names.iter().map(|name| format!("{}: <sip:{name}@a>;x=1\r\n", name.to_lowercase())).collect();
    let message = read(&lines);
    for name in names {
        assert_eq!(message.address(name).unwrap().uri.user.as_deref(), Some(name));
    }
}

/// An OPTIONS with hundreds of Call-IDs had an answer that nobody would have read (mutation test, seed 1000000030).
#[test]
fn an_answer_repeats_once_what_there_may_be_one_of() {
    let many = |line: &str| format!("{line}\r\n").repeat(60);
    let (ids, numbers) = (many("Call-ID: o"), many("CSeq: 1 OPTIONS"));
    let (from, to) = (many("From: <sip:p@x>;tag=1"), many("To: <sip:a@b>"));
    let request = format!(
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bKo\r\n{from}{to}{ids}{numbers}\r\n"
    );
    let answer = match Message::parse(request.as_bytes()) {
        Ok(request) => Message::response(&request, 200),
        Err(error) => error.reply_400().unwrap(),
    };
    for name in ["From", "To", "Call-ID", "CSeq"] {
        assert_eq!(answer.headers(name).count(), 1, "{name}");
    }
}
