//! The torture messages of RFC 4475: the published corpus where it is at hand, and our own messages for the same cases.
//!
//! The corpus is third-party data and not part of this repository. It is looked for in `$FRONTDESK_RFC4475`, then in
//! `../shared/data/rfc4475` beside the repository.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::disallowed_methods, reason = "tests")]

use std::path::{Path, PathBuf};

use sip::{Message, Method, Scheme, Uri};

/// What a user agent does with a message.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// Read; the number is the length of the body.
    Read(usize),
    /// Answered with this code.
    Refused(u16),
    /// Dropped: a response, or a request that cannot be answered.
    Dropped,
}

use Fate::{Dropped, Read, Refused};

fn fate(bytes: &[u8]) -> Fate {
    match Message::parse(bytes) {
        Ok(message) => Read(message.body().len()),
        Err(error) => error.reply_400().map_or(Dropped, |reply| Refused(reply.code().unwrap())),
    }
}

/// Every file of the corpus. Three files are cut off before the blank line or the CRLF that ends them.
const CORPUS: [(&str, Fate); 50] = [
    ("TC_BADASPEC_I", Read(0)),     // spaces within <>: read, as section 3.1.2.14 allows
    ("TC_BADBRANCH_V", Read(0)),    // a branch with nothing behind the cookie
    ("TC_BADDATE_V", Read(150)),    // a Date in EST
    ("TC_BADDN_I", Refused(400)),   // cut off before the blank line
    ("TC_BADINV01_I", Read(152)),   // empty parameters in Via and Contact: passed over
    ("TC_BADVERS_V", Refused(505)), // SIP/7.0
    ("TC_BCAST_V", Read(154)),      // a response with a strange second Via
    ("TC_BEXT01_V", Read(0)),       // unknown extensions required
    ("TC_BIGCODE_V", Dropped),      // status 4294967301
    ("TC_CLERR_I", Refused(400)),   // Content-Length beyond the datagram
    ("TC_CPARAM01_V", Read(0)),     // unknown Contact parameter
    ("TC_CPARAM02_V", Read(0)),     // unknown URI parameter
    ("TC_DBLREQ", Read(0)),         // a second request behind the first
    ("TC_ESC01_V", Read(150)),      // escapes in URIs
    ("TC_ESC02_V", Read(0)),        // percent signs in tokens
    ("TC_ESCNULL_V", Read(0)),      // %00
    ("TC_ESCRURI_V", Read(150)),    // header parameters in the request URI
    ("TC_INSUF_I", Dropped),        // no Call-ID, From, To: nothing to answer with
    ("TC_INTMETH", Read(0)),        // every token character
    ("TC_INV2543_I", Read(105)),    // RFC 2543: no branch, no Max-Forwards
    ("TC_INVUT_V", Read(40)),       // unknown body type
    ("TC_LONGREQ_V", Read(150)),    // long values
    ("TC_LTGTRURI_I", Refused(400)), // <> around the request URI
    ("TC_LWSDISP_V", Read(0)),      // no space before <
    ("TC_LWSRURI_I", Refused(400)), // space in the request URI
    ("TC_LWSSTART_V", Read(150)),   // several spaces in the request line: read
    ("TC_MCL01_I", Refused(400)),   // two different Content-Lengths
    ("TC_MISMATCH01_V", Refused(400)), // CSeq of another method
    ("TC_MISMATCH02_V", Refused(400)), // the same with an unknown method
    ("TC_MPART01", Read(553)),      // binary multipart body
    ("TC_MULTI01_I", Refused(400)), // two different CSeq, Call-ID, To, From
    ("TC_NCL_I", Refused(400)),     // negative Content-Length
    ("TC_NOREASON_V", Read(0)),     // no reason phrase
    ("TC_NOVELSC_V", Read(0)),      // soap.beep: as request URI
    ("TC_QUOTBAL_I", Refused(400)), // quote not closed
    ("TC_REGAUT01_V", Read(0)),     // unknown authentication scheme
    ("TC_REGBADCT_I", Read(0)),     // ? in a Contact without <>: read as section 3.1.2.12 allows
    ("TC_REGESCRT_V", Read(0)),     // escaped header in a Contact
    ("TC_SCALAR02_V", Refused(400)), // numbers beyond 32 bits
    ("TC_SCALARLG_V", Dropped),     // the same in a response
    ("TC_SDP01_V", Read(150)),      // no acceptable body type
    ("TC_SEMIURI_V", Read(0)),      // semicolon in the user part
    ("TC_TEST_I", Dropped),         // no version, no Via
    ("TC_TRANSPORTS_V", Read(0)),   // many transports in Via
    ("TC_TRWS_I", Refused(400)),    // space behind the request line
    ("TC_UNKSCM_V", Read(0)),       // unknown scheme
    ("TC_UNKSM2_V", Read(0)),       // known scheme, unexpected kind
    ("TC_UNREASON_V", Read(154)),   // a reason phrase in UTF-8
    ("TC_WSINV", Read(150)),        // white space wherever it is legal
    ("TC_ZEROMF_V", Read(0)),       // Max-Forwards 0
];

#[test]
fn the_published_corpus_meets_its_fate() {
    let Some(directory) = corpus() else {
        eprintln!("RFC 4475 corpus NOT TESTED: set FRONTDESK_RFC4475 to the folder with its .dat files");
        return;
    };
    for (name, expected) in CORPUS {
        let bytes = std::fs::read(directory.join(format!("{name}.dat"))).unwrap();
        assert_eq!(fate(&bytes), expected, "{name}");
        if let Ok(message) = Message::parse(&bytes) {
            assert_eq!(
                Message::parse(&message.write()).as_ref(),
                Ok(&message),
                "{name} written and read again"
            );
        }
    }
}

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("FRONTDESK_RFC4475").map(PathBuf::from);
    assert!(named.as_ref().is_none_or(|path| path.is_dir()), "FRONTDESK_RFC4475 is no folder: {named:?}");
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rfc4475");
    named.into_iter().chain([beside]).find(|path| path.is_dir())
}

/// A request of our own: the mandatory headers around `start` and `extra`.
fn request(start: &str, cseq: &str, extra: &str, body: &str) -> Vec<u8> {
    format!(
        "{start}\r\nVia: SIP/2.0/UDP desk.example:5060;branch=z9hG4bKab12\r\nFrom: <sip:reception@desk.example>;tag=77a\r\n\
         To: <sip:workshop@desk.example>\r\nCall-ID: c1@desk.example\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\n{extra}\r\n{body}"
    )
    .into_bytes()
}

fn read(start: &str, cseq: &str, extra: &str, body: &str) -> Message {
    let bytes = request(start, cseq, extra, body);
    Message::parse(&bytes).unwrap_or_else(|error| panic!("{error}:\n{}", String::from_utf8_lossy(&bytes)))
}

const OPTIONS: &str = "OPTIONS sip:workshop@desk.example SIP/2.0";

#[test]
fn white_space_wherever_it_is_legal_or_nearly() {
    let bytes = b"\r\n\r\nINVITE  sip:lift@desk.example;lr  SIP/2.0\r\nTO :\r\n  \"The \\\"Lift\\\"\"  <sip:lift@desk.example> ;  x = \"y\"\r\n\
        fRom\t:  Desk<sip:reception@desk.example>  ;\r\n   tag    = 98asjd8\r\nMax-forwards: 0068\r\nCall-id: ws.1@desk.example\r\n\
        cseq: 9\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\ns :\r\n\
        v:  SIP  / 2.0  / TCP     relay.example   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.1.1:5061 ; branch=z9hG4bKx\r\n\
        m:\"Q\" <sip:reception@[2001:db8::9]:5062>;newparam = newvalue , <tel:+4930123>\r\nl:0\r\n\r\n";
    let message = Message::parse(bytes).unwrap();
    assert_eq!(message.to().unwrap().display.as_deref(), Some("The \"Lift\""));
    assert_eq!(message.to().unwrap().params.value("x"), Some("y"));
    assert_eq!(message.from().unwrap().tag(), Some("98asjd8"));
    assert_eq!(message.max_forwards(), Some(68));
    assert_eq!(message.cseq().unwrap().number, 9);
    let hops: Vec<_> = message.headers("Via").map(|via| sip::Via::parse(via).unwrap()).collect();
    assert_eq!(
        hops.iter().map(|hop| hop.host.as_str()).collect::<Vec<_>>(),
        ["192.0.2.2", "relay.example", "192.168.1.1"]
    );
    assert_eq!(hops[1].transport, "TCP");
    assert_eq!((hops[2].port, hops[2].branch.as_deref()), (Some(5061), Some("z9hG4bKx")));
    let contacts: Vec<_> = message.headers("Contact").map(|c| sip::NameAddr::parse(c).unwrap()).collect();
    assert_eq!(contacts.len(), 2);
    assert_eq!((contacts[0].uri.host.as_str(), contacts[0].uri.port), ("2001:db8::9", Some(5062)));
    assert_eq!(contacts[1].uri.number().as_deref(), Some("+4930123"));
    assert_eq!(message.header("Subject"), Some(""));
}

#[test]
fn every_token_character_in_a_method() {
    let token = "!my-Method01_*+`.%desk'~";
    let message = read(&format!("{token} sip:1@desk.example SIP/2.0"), &format!("1 {token}"), "", "");
    assert_eq!(message.method(), Some(&Method::Other(token.to_owned())));
}

#[test]
fn escapes_stay_escaped_and_percent_is_legal_in_tokens() {
    let message = read(
        "RE%47IST sip:desk.example SIP/2.0",
        "1 RE%47IST",
        "Contact: <sip:caf%C3%A9%00@desk.example;a%20b=%3D>\r\n",
        "",
    );
    assert_eq!(message.method(), Some(&Method::Other("RE%47IST".to_owned())));
    let uri = message.contact().unwrap().uri;
    assert_eq!(uri.user.as_deref(), Some("caf%C3%A9%00"));
    assert_eq!(uri.number().as_deref(), Some("café"));
    assert_eq!(uri.to_string(), "sip:caf%C3%A9%00@desk.example;a%20b=%3D");
}

#[test]
fn a_second_request_in_the_datagram_is_not_part_of_the_first() {
    let first = request("REGISTER sip:desk.example SIP/2.0", "1 REGISTER", "l: 0\r\n", "");
    let both =
        [first.clone(), request("INVITE sip:x@desk.example SIP/2.0", "2 INVITE", "l: 0\r\n", "")].concat();
    assert_eq!(Message::parse(&both), Message::parse(&first));
}

#[test]
fn semicolons_in_the_user_part() {
    let message = read("OPTIONS sip:user;par=u%40example.net@desk.example SIP/2.0", "1 OPTIONS", "", "");
    let uri = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(uri.user.as_deref(), Some("user;par=u%40example.net"));
    assert_eq!(uri.user_unescaped().as_deref(), Some("user;par=u@example.net"));
}

#[test]
fn unknown_schemes_are_read_for_416() {
    for (uri, scheme) in [
        ("nobodyKnowsThis:any/thing", "nobodyknowsthis"),
        ("soap.beep://192.0.2.103:3002", "soap.beep"),
        ("http://a/b?c", "http"),
    ] {
        let message = read(&format!("OPTIONS {uri} SIP/2.0"), "1 OPTIONS", "", "");
        assert_eq!(message.request_uri(), Some(uri));
        assert_eq!(Uri::parse(uri).unwrap().scheme, Scheme::Other(scheme.to_owned()));
    }
}

#[test]
fn a_response_without_or_with_foreign_reason() {
    let headers = "Via: SIP/2.0/UDP a\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n";
    for (line, reason) in [
        ("SIP/2.0 100 ", ""),
        ("SIP/2.0 100", ""),
        ("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто", "= 2**3 * 5**2 но сто девяносто"),
    ] {
        let message = Message::parse(format!("{line}\r\n{headers}").as_bytes()).unwrap();
        assert_eq!(message.reason(), reason);
    }
    for line in [
        "SIP/2.0 4294967301 x",
        "SIP/2.0 20 x",
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 2oo OK",
        "SIP/3.0 200 OK",
        "SIP/2.0 -10 x",
    ] {
        assert_eq!(fate(format!("{line}\r\n{headers}").as_bytes()), Dropped, "{line}");
    }
}

#[test]
fn requests_without_max_forwards_and_branch_are_of_rfc_2543_and_read() {
    let old = b"INVITE sip:23@desk.example SIP/2.0\r\nVia: SIP/2.0/UDP gw.example\r\nTo: <sip:23@desk.example>\r\nFrom: sip:old@gw.example\r\n\
        Call-ID: old\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n";
    let message = Message::parse(old).unwrap();
    assert_eq!((message.via().unwrap().branch, message.max_forwards()), (None, None));
    assert_eq!(message.body(), b"v=0\r\n");
}

#[test]
fn broken_requests_are_answered_400_with_the_reason() {
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (request("OPTIONS <sip:a@b> SIP/2.0", "1 OPTIONS", "", ""), "Malformed Request-URI"),
        (request("OPTIONS sip:a@b; lr SIP/2.0", "1 OPTIONS", "", ""), "Malformed Request-URI"),
        (request("OPTIONS sip:a@b SIP/2.0  ", "1 OPTIONS", "", ""), "Malformed Request-URI"),
        (request(OPTIONS, "1 INVITE", "", ""), "CSeq Does Not Match Method"),
        (request("NEWMETHOD sip:a@b SIP/2.0", "1 INVITE", "", ""), "CSeq Does Not Match Method"),
        (request(OPTIONS, "36893488147419103232 OPTIONS", "", ""), "Malformed CSeq Header Field"),
        (request(OPTIONS, "OPTIONS", "", ""), "Malformed CSeq Header Field"),
        (request(OPTIONS, "1 OPTIONS", "l: 9999\r\n", "short"), "Body Shorter Than Content-Length"),
        (request(OPTIONS, "1 OPTIONS", "l: -1\r\n", ""), "Malformed Content-Length"),
        (request(OPTIONS, "1 OPTIONS", "l: 5\r\nContent-Length: 2\r\n", "hello"), "Malformed Content-Length"),
        (request(OPTIONS, "1 OPTIONS", "t: <sip:other@b>\r\n", ""), "More Than One To Header Field"),
        (request(OPTIONS, "1 OPTIONS", "i: other\r\n", ""), "More Than One Call-ID Header Field"),
        (request(OPTIONS, "1 OPTIONS", "Max-Forwards: soon\r\n", ""), "Malformed Max-Forwards Header Field"),
    ];
    for (bytes, reason) in cases {
        let error = Message::parse(&bytes).expect_err(reason);
        let reply = error.reply_400().expect(reason);
        assert_eq!((reply.code(), reply.reason()), (Some(400), reason));
        assert_eq!(reply.header("Via"), Some("SIP/2.0/UDP desk.example:5060;branch=z9hG4bKab12"));
        assert_eq!(reply.headers("To").count(), 1, "{reason}");
        let echoes_fault = reason.starts_with("Malformed CSeq");
        assert_eq!(Message::parse(&reply.write()).is_err(), echoes_fault, "{reason}");
    }
    let unbalanced = String::from_utf8(request(OPTIONS, "1 OPTIONS", "", "")).unwrap();
    for to in ["\"Mr. J. User <sip:j.user@b>", "<sip:j.user@b", "<sip:a@b> x", "", "just a name"] {
        let bytes = unbalanced.replace("To: <sip:workshop@desk.example>", &format!("To: {to}"));
        assert!(matches!(fate(bytes.as_bytes()), Refused(400) | Dropped), "{to}");
    }
}

#[test]
fn a_foreign_version_is_505_and_an_ack_is_never_answered() {
    assert_eq!(fate(&request("OPTIONS sip:a@b SIP/7.0", "1 OPTIONS", "", "")), Refused(505));
    assert_eq!(fate(&request("ACK sip:a@b SIP/2.0", "1 INVITE", "", "")), Dropped);
    assert_eq!(fate(b"\r\n\r\n"), Dropped);
    assert_eq!(fate(b""), Dropped);
    assert_eq!(fate(b"GET / HTTP/1.1\r\nHost: desk\r\n\r\n"), Dropped);
    for missing in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let whole = String::from_utf8(request(OPTIONS, "1 OPTIONS", "", "")).unwrap();
        let without: String =
            whole.split_inclusive("\r\n").filter(|line| !line.starts_with(&format!("{missing}:"))).collect();
        assert_eq!(fate(without.as_bytes()), Dropped, "{missing}");
    }
}
