//! Input from outside can be anything at all: a right answer on the wire where there is one, no crash,
//! no growth, no call disturbed (law 8).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::sound::{A_TONE, DESK_TONE, Recording};
use frontdesk_tests::wait;
use ipc::{CallState, Command, FromDesk, MAX_FRAME_FROM_DESK, MAX_FRAME_TO_DESK, PROTOCOL, ToDesk};

const SOON: Duration = Duration::from_secs(10);
const PACKET: Duration = Duration::from_millis(20);

/// A small generator of rubbish, the same in every run (xorshift64).
struct Rubbish(u64);

impl Rubbish {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// A house with a call in progress, which must not notice anything.
struct InCall {
    house: House,
    phone: Baresip,
    played_from: f64,
    heard_from: f64,
    memory: u64,
}

impl InCall {
    fn build() -> Self {
        let mut house = House::build(Digest::Md5);
        let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
        phone.dial("5550100");
        let call = house.client.wait_call("a ringing call", SOON, |call| call.state == CallState::Ringing);
        house.client.command(Command::Answer { call: call.call }).unwrap();
        phone.expect("CALL_ESTABLISHED", SOON);
        house.desk.hears(A_TONE);
        phone.hears(DESK_TONE);
        let played_from = Recording::read(&house.desk.played()).unwrap().seconds();
        let heard_from = Recording::read(&phone.newest_recording().unwrap()).unwrap().seconds();
        let memory = house.desk.program.resident_kib();
        Self { house, phone, played_from, heard_from, memory }
    }

    /// Checks that the call goes on, that neither side heard a gap, and that memory stayed level.
    #[track_caller]
    fn is_undisturbed(&mut self) {
        self.house.desk.hears(A_TONE);
        self.phone.hears(DESK_TONE);
        let mut fresh = self.house.desk.client();
        // What a mutation left whole may ring beside it.
        fresh.wait("the call", SOON, |view| {
            let talking = view.incoming.iter().find(|call| call.state == CallState::Talking);
            talking.is_some_and(|call| call.party.number.as_deref() == Some("2101"))
        });
        let heard = self.phone.newest_recording().unwrap();
        for (who, path, from, tone) in [
            ("the operator", self.house.desk.played(), self.played_from, A_TONE),
            ("the caller", heard, self.heard_from, DESK_TONE),
        ] {
            let rest = Recording::read(&path).unwrap();
            let rest = rest.part(Duration::from_secs_f64(from), Duration::from_secs(3600));
            let gaps = rest.gaps(tone, PACKET);
            assert!(gaps.is_empty(), "{who} heard gaps {gaps:?} in {:.1} s", rest.seconds());
        }
        let grown = self.house.desk.program.resident_kib().saturating_sub(self.memory);
        assert!(grown <= 8 * 1024, "memory grew by {grown} KiB");
    }
}

/// A stranger at the SIP port.
struct Stranger {
    socket: UdpSocket,
    desk: u16,
    count: u32,
}

impl Stranger {
    fn at(desk: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self { socket, desk, count: 0 }
    }

    /// Sends a request with `fields` added or, where a field has the same name, replaced; gives back
    /// the final answer.
    #[track_caller]
    fn asks(&mut self, method: &str, uri: &str, fields: &[(&str, &str)], body: &str) -> String {
        self.count += 1;
        let (count, here) = (self.count, self.socket.local_addr().unwrap());
        let mut all = vec![
            ("Via", format!("SIP/2.0/UDP {here};branch=z9hG4bK-stranger-{count};rport")),
            ("Max-Forwards", "70".into()),
            ("From", format!("<sip:stranger@{here}>;tag=stranger{count}")),
            ("To", "<sip:5550100@127.0.0.1>".into()),
            ("Call-ID", format!("stranger-{count}@{here}")),
            ("CSeq", format!("1 {method}")),
            ("Contact", format!("<sip:stranger@{here}>")),
            ("Content-Length", body.len().to_string()),
        ];
        for (name, value) in fields {
            all.retain(|(other, _)| other != name);
            all.push((name, (*value).into()));
        }
        let head: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("{method} {uri} SIP/2.0\r\n{head}\r\n{body}");
        self.socket.send_to(text.as_bytes(), ("127.0.0.1", self.desk)).unwrap();
        self.answer(&format!("stranger-{count}@"), &text)
    }

    #[track_caller]
    fn answer(&self, call: &str, asked: &str) -> String {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            let mut bytes = [0; 8192];
            let Ok(length) = self.socket.recv(&mut bytes) else { break };
            let answer = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if answer.contains(call) && !answer.starts_with("SIP/2.0 1") {
                return answer;
            }
        }
        panic!("no answer to\n{asked}")
    }
}

#[test]
fn each_wrong_request_gets_its_right_answer() {
    let house = House::build(Digest::Md5);
    let mut stranger = Stranger::at(house.desk.sip);
    let uri = format!("sip:5550100@127.0.0.1:{}", house.desk.sip);
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
    let video = format!("{sdp}m=video 40000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n");
    let strange_codec = format!("{sdp}m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n");
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str, &'a str);
    let cases: &[Case] = &[
        ("OPTIONS", &uri, &[], "", "200", "Allow:"),
        ("FROBNICATE", &uri, &[], "", "405", "Allow:"),
        ("INVITE", &uri, &[("Require", "precondition")], "", "420", "Unsupported: precondition"),
        ("INVITE", &uri, &[("Content-Type", "application/sdp")], "this is no SDP", "4", ""),
        ("INVITE", &uri, &[("Content-Type", "application/sdp")], &video, "488", ""),
        ("INVITE", &uri, &[("Content-Type", "application/sdp")], &strange_codec, "488", ""),
        ("INVITE", &uri, &[("Content-Type", "text/plain")], "hello", "415", "Accept:"),
        ("INVITE", "http://127.0.0.1/", &[], "", "416", ""),
        ("INVITE", &uri, &[("CSeq", "one INVITE")], "", "400", ""),
        ("BYE", &uri, &[("To", "<sip:5550100@127.0.0.1>;tag=nobody")], "", "481", ""),
        ("CANCEL", &uri, &[], "", "481", ""),
        ("INVITE", &uri, &[("To", "<sip:5550100@127.0.0.1>;tag=nobody")], "", "481", ""),
        ("SUBSCRIBE", &uri, &[("Event", "weather")], "", "489", ""),
    ];
    for (method, uri, fields, body, code, part) in cases {
        let answer = stranger.asks(method, uri, fields, body);
        let right = answer.starts_with(&format!("SIP/2.0 {code}")) && answer.contains(part);
        assert!(right, "{method} {uri} {fields:?}: {code} with {part:?} was due, but\n{answer}");
    }
}

#[test]
fn rubbish_on_the_sip_port_disturbs_no_call() {
    let mut scene = InCall::build();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut rubbish = Rubbish(0x5eed);
    let seeds = [
        "INVITE sip:5550100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 999999999999\r\n\r\n",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKnothing\r\nCSeq: 1 REGISTER\r\n\r\n",
        "NOTIFY sip:desk@127.0.0.1 SIP/2.0\r\nEvent: dialog\r\n\r\n<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]>",
    ];
    for round in 0..4_000_usize {
        let bytes = if round % 2 == 0 {
            rubbish.bytes(1_400)
        } else {
            let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
            for _ in 0..1 + round % 8 {
                let place = rubbish.next() as usize % bytes.len();
                bytes[place] = rubbish.next() as u8;
            }
            bytes
        };
        stranger.send_to(&bytes, ("127.0.0.1", scene.house.desk.sip)).unwrap();
        if round % 40 == 0 {
            // About four thousand a second: a flood, but not one that only fills the kernel's buffer.
            thread::sleep(Duration::from_millis(10));
        }
    }
    stranger.send_to(&vec![b'A'; 60_000], ("127.0.0.1", scene.house.desk.sip)).unwrap();
    scene.is_undisturbed();
}

/// INVITEs of strangers from four addresses, ten thousand a second, until it is told to stop.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<(u64, Duration)>,
}

impl Flood {
    fn start(desk: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let sockets: Vec<UdpSocket> =
            (2..6).map(|n| UdpSocket::bind(format!("127.0.0.{n}:0")).unwrap()).collect();
        let thread = thread::spawn(move || {
            let (began, mut sent) = (Instant::now(), 0_u64);
            // Never longer than a minute, whatever happens to the test.
            while !is_over.load(Ordering::Relaxed) && sent < 600_000 {
                for socket in &sockets {
                    let here = socket.local_addr().unwrap();
                    let invite = format!(
                        "INVITE sip:5550100@127.0.0.1:{desk} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-flood-{sent}\r\n\
                         From: <sip:flood@{here}>;tag={sent}\r\nTo: <sip:5550100@127.0.0.1>\r\nCall-ID: flood-{sent}@{here}\r\n\
                         CSeq: 1 INVITE\r\nContact: <sip:flood@{here}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                    );
                    // A full buffer loses it, as networks do.
                    let _ = socket.send_to(invite.as_bytes(), ("127.0.0.1", desk));
                    sent += 1;
                }
                let due = began + Duration::from_micros(sent * 100);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            (sent, began.elapsed())
        });
        Self { stop, thread }
    }

    /// What was sent, and in what time.
    fn finish(self) -> (u64, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The phone calls and is refused once it rings; how long it took to ring. Others may ring beside it.
#[track_caller]
fn ring(house: &mut House, phone: &mut Baresip) -> Duration {
    let began = Instant::now();
    phone.dial("5550100");
    let is_ours = |call: &ipc::CallView| call.party.number.as_deref() == Some("2101");
    let rings = |call: &ipc::CallView| call.state == CallState::Ringing && is_ours(call);
    let call = house.client.wait_call("the legitimate caller ringing", SOON, rings).call;
    let took = began.elapsed();
    house.client.command(Command::Reject { call }).unwrap();
    house.client.wait("the call gone", SOON, |view| !view.incoming.iter().any(is_ours));
    phone.expect("CALL_CLOSED", SOON);
    took
}

#[test]
fn ten_thousand_calls_a_second_from_strangers_leave_a_legitimate_caller_its_ring() {
    let mut house = House::build(Digest::Md5);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    let mut rings = |house: &mut House| {
        let mut took: Vec<Duration> = (0..9).map(|_| ring(house, &mut phone)).collect();
        took.sort_unstable();
        (took[took.len() / 2], took[took.len() - 1])
    };
    let calm = rings(&mut house);
    let memory = house.desk.program.resident_kib();
    let flood = Flood::start(house.desk.sip);
    let flooded = rings(&mut house);
    let (sent, lasted) = flood.finish();
    let rate = sent as f64 / lasted.as_secs_f64();
    println!(
        "{sent} INVITEs of strangers, {rate:.0} a second; nine legitimate calls, median and longest ring time:"
    );
    println!("before {calm:?}, in the flood {flooded:?}");
    let grown = house.desk.program.resident_kib().saturating_sub(memory);
    println!("memory grew by {grown} KiB");
    assert!(grown <= 16 * 1024, "memory grew by {grown} KiB");
    assert!(sent > 1_000, "only {sent} INVITEs");
}

#[test]
fn rtp_from_strangers_is_not_heard() {
    let mut scene = InCall::build();
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    let (first, last) = scene.house.desk.rtp;
    let mut rubbish = Rubbish(0xfeed);
    for number in 0..150_u16 {
        // A well-formed packet of loud noise in A-law, as if the call were the stranger's …
        let mut packet = vec![0x80, 8];
        packet.extend(number.to_be_bytes());
        packet.extend((u32::from(number) * 160).to_be_bytes());
        packet.extend(0x0bad_cafe_u32.to_be_bytes());
        packet.extend((0..160).map(|_| rubbish.next() as u8));
        for port in first..=last {
            stranger.send_to(&packet, ("127.0.0.1", port)).unwrap();
            // … and one that is not even RTP.
            stranger.send_to(&rubbish.bytes(200), ("127.0.0.1", port)).unwrap();
        }
        thread::sleep(PACKET);
    }
    scene.is_undisturbed();
}

#[test]
fn rubbish_on_the_socket_is_refused_and_a_client_that_does_not_read_holds_up_nobody() {
    let mut scene = InCall::build();
    let path = scene.house.desk.socket.clone();
    let mut rubbish = Rubbish(0xd00d);
    for _ in 0..200 {
        let mut stream = UnixStream::connect(&path).unwrap();
        // The desk may close before all of it is written: that is its right.
        let _ = stream.write_all(&rubbish.bytes(4_000));
    }
    // The places of those clients become free one after the other.
    let endless = wait::until("the refusal of an endless frame", SOON, || {
        Some(refused(&path, &u32::MAX.to_be_bytes())).filter(|reason| !reason.contains("connected already"))
    });
    assert!(endless.contains(&u32::MAX.to_string()), "the refusal names the length: {endless}");

    let old = ToDesk::Hello { protocol: PROTOCOL + 1, program: "old".into(), follow: true };
    let old = refused(&path, &ipc::encode(&old, MAX_FRAME_TO_DESK).unwrap());
    assert!(old.contains(&(PROTOCOL + 1).to_string()), "the refusal names the version: {old}");

    let mut sleepers = Vec::new();
    for _ in 0..10 {
        let mut stream = UnixStream::connect(&path).unwrap();
        let hello = ToDesk::Hello { protocol: PROTOCOL, program: "sleeper".into(), follow: true };
        stream.write_all(&ipc::encode(&hello, MAX_FRAME_TO_DESK).unwrap()).unwrap();
        sleepers.push(stream);
    }
    // Each change is a new view for everybody; those who sleep must not delay who reads.
    for round in 0..300 {
        scene.house.client.command(Command::Mute { on: round % 2 == 0 }).unwrap();
    }
    scene.house.client.wait("the last change", Duration::from_secs(2), |view| !view.operator.muted);
    // Muting was part of the test: from here on the caller hears again.
    scene.phone.hears(DESK_TONE);
    scene.heard_from = Recording::read(&scene.phone.newest_recording().unwrap()).unwrap().seconds();
    scene.is_undisturbed();
}

/// What the desk says to first bytes that it refuses.
#[track_caller]
fn refused(path: &std::path::Path, first: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // A desk without a free place says so and closes, read or unread: then there is a broken pipe or a
    // reset, but its words have come before.
    let _ = stream.write_all(first);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let mut decoder = ipc::Decoder::new(MAX_FRAME_FROM_DESK);
    decoder.push(&bytes);
    match decoder.next_message() {
        Ok(Some(FromDesk::Refused { reason })) => reason,
        other => panic!("not refused but {other:?}"),
    }
}

#[test]
fn dir_3_broken_rows_are_listed_with_line_and_reason_while_the_good_ones_load() {
    let house = House::build(Digest::Md5);
    let csv = "firstname,lastname,phone,presence,picture,shoesize\n\
               Ada,Byron,2201,true,,42\n\
               Broken,Presence,2202,perhaps,,\n\
               Broken,Picture,2203,no,!!!!,\n\
               Grace,Hopper,2204,0,,37\n\
               Too,Many,2205,no,,1,2,3,4\n";
    let report = house.desk.import(csv);
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("\"loaded\":2") && text.contains("shoesize"), "{text}");
    for line in ["\"line\":3", "\"line\":4", "\"line\":6"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let found = serde_json::to_string(&house.desk.ctl(&["contacts", "hopper"])).unwrap();
    assert!(found.contains("2204"), "{found}");
    let none = serde_json::to_string(&house.desk.ctl(&["contacts", "broken"])).unwrap();
    assert!(!none.contains("220"), "{none}");
}
