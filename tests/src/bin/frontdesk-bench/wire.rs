//! Reading and writing one SIP message.

use std::hint::black_box;

use sip::Message;

use crate::stopwatch;
use frontdesk_tests::report::{Row, Unit};

/// Bytes of the INVITE measured.
const LENGTH: usize = 1274;
const RUNS: usize = 2_000;
const ROUNDS: u32 = 200;

/// Parse and write of an INVITE of 1274 bytes.
pub(crate) fn measure() -> Vec<Row> {
    let bytes = invite();
    assert_eq!(bytes.len(), LENGTH);
    let message = Message::parse(&bytes).expect("our own INVITE is well-formed");
    assert_eq!(message.write().len(), LENGTH, "what was read is written back whole");
    let parse = stopwatch::mean_of(RUNS, ROUNDS, || Message::parse(black_box(&bytes)));
    let write = stopwatch::mean_of(RUNS, ROUNDS, || black_box(&message).write());
    // So short that what else runs on the machine (its caches, its clock) shows in the median.
    let note = format!("the mean of {ROUNDS} messages, {RUNS} times; the fastest is the least disturbed");
    vec![
        Row::times(format!("parse an INVITE of {LENGTH} bytes"), Unit::Microseconds, &parse, "fastest", 2.0)
            .note(note.as_str()),
        Row::times(format!("write an INVITE of {LENGTH} bytes"), Unit::Microseconds, &write, "fastest", 1.0)
            .note(note),
    ]
}

/// An INVITE through two proxies of an exchange, filled up to its length.
fn invite() -> Vec<u8> {
    let body = "v=0\r\no=pbx 20826 20826 IN IP4 198.51.100.7\r\ns=call\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
        m=audio 16384 RTP/AVP 8 0 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
        a=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n\
        a=sendrecv\r\n";
    let with = |fill: usize| {
        let head = [
            "INVITE sip:5550100@198.51.100.20:5060 SIP/2.0",
            "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK77ef4c2312983.1;rport",
            "Via: SIP/2.0/UDP 198.51.100.8:5060;branch=z9hG4bK2d4790.1;received=198.51.100.8;rport=5060",
            "Via: SIP/2.0/UDP 203.0.113.50:5062;branch=z9hG4bKnashds8;received=203.0.113.50;rport=5062",
            "Record-Route: <sip:198.51.100.7;lr>",
            "Record-Route: <sip:198.51.100.8;lr>",
            "Max-Forwards: 68",
            "From: \"Helena Brandt\" <sip:+493055570142@exchange.example>;tag=88sja8x",
            "To: <sip:5550100@exchange.example>",
            "Contact: <sip:+493055570142@203.0.113.50:5062;transport=udp>",
            "Call-ID: 987asjd97y7atg-20826@203.0.113.50",
            "CSeq: 986759 INVITE",
            "P-Asserted-Identity: \"Helena Brandt\" <sip:+493055570142@exchange.example>",
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, UPDATE, PRACK",
            "Supported: replaces, timer, 100rel",
            "Content-Type: application/sdp",
        ];
        let rest = format!("User-Agent: {}\r\nContent-Length: {}", "x".repeat(fill), body.len());
        format!("{}\r\n{rest}\r\n\r\n{body}", head.join("\r\n"))
    };
    with(LENGTH.saturating_sub(with(0).len())).into_bytes()
}
