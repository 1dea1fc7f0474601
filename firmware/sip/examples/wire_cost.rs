//! What reading and writing an INVITE of 1274 bytes costs: `cargo run --release -p sip --example wire_cost`.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring program")]

use std::hint::black_box;
use std::time::Instant;

use sip::Message;

/// Short runs and many of them, so that the best one is not disturbed on a busy machine.
const ROUNDS: u32 = 200;
const RUNS: u32 = 2_000;

fn main() {
    let bytes = invite();
    let message = Message::parse(&bytes).expect("our own INVITE is well-formed");
    println!("INVITE of {} bytes, best of {RUNS} × {ROUNDS} rounds", bytes.len());
    println!("parse          {:.3} µs", best(|| _ = black_box(Message::parse(black_box(&bytes)))));
    println!(
        "+ typed values {:.3} µs",
        best(|| typed(&Message::parse(black_box(&bytes)).expect("well-formed")))
    );
    println!("write          {:.3} µs", best(|| _ = black_box(black_box(&message).write())));
}

/// What a user agent reads of every INVITE.
fn typed(message: &Message) {
    black_box((message.via(), message.from(), message.to(), message.contact(), message.cseq()));
}

/// Microseconds of one call, in the fastest run.
fn best(mut call: impl FnMut()) -> f64 {
    let run = |_| {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
    };
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}

/// An INVITE as an exchange sends it, filled up to 1274 bytes.
fn invite() -> Vec<u8> {
    let body = "v=0\r\no=- 3747 3748 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 11424 RTP/AVP 9 8 0 101\r\n\
        a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
        a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:150\r\na=sendrecv\r\n";
    let head = |fill: usize| {
        format!(
            "INVITE sip:reception@192.0.2.20:5060;transport=udp SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK41e5c2a7;rport\r\n\
             Via: SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.1;branch=z9hG4bK0f34;rport=5060\r\nRecord-Route: <sip:192.0.2.10;lr;ftag=as58f4>\r\n\
             Max-Forwards: 69\r\nFrom: \"Workshop\" <sip:23@pbx.example>;tag=as58f4201b\r\nTo: <sip:reception@192.0.2.20:5060>\r\n\
             Contact: <sip:23@192.0.2.10:5060>\r\nCall-ID: 6f1b2c6a3d1e4f5a@pbx.example\r\nCSeq: 102 INVITE\r\nUser-Agent: Example PBX 18.9\r\n\
             Date: Sun, 22 Nov 2026 17:00:00 GMT\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH\r\n\
             Supported: replaces, timer\r\nP-Asserted-Identity: \"Workshop\" <sip:23@pbx.example>\r\nSubject: {}\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            "x".repeat(fill),
            body.len()
        )
    };
    let bare = head(0).len();
    head(1274_usize.saturating_sub(bare)).into_bytes()
}
