//! Two kamailios behind the SRV records of a real name server, the desk registered by the name, two calls, and a
//! caller who comes by the second one. The better one can be stopped and continued,
//! or killed and started anew.
//!
//! The way to them is UDP, TCP or TLS, as their records say. The calls' speech goes from telephone to desk, as
//! everywhere; only their signalling passes the exchange that fails.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use ipc::{CallRef, CallState, CallView, Command, Registration};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::baresip::{Baresip, Codec, Place};
use crate::desk::{self, Account, Desk, NO_TIMERS};
use crate::dnsmasq::{Dnsmasq, Machine, Service};
use crate::house;
use crate::kamailio::{DOMAIN, Kamailio};
use crate::ports::Ports;
use crate::socket::Client;
use crate::sound::{A_TONE, B_TONE, DESK_TONE};
use crate::wait;

const SOON: Duration = Duration::from_secs(15);
/// How long anything about the failure may take before the run is given up; the bars are tighter.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two tries of the caller.
const AGAIN: Duration = Duration::from_millis(200);
/// Time between two looks at what the desk says.
const LOOK: Duration = Duration::from_millis(20);
/// What the desk's log says of it.
const NOTICED: &str = "the exchange does not answer";
const RETURNED: &str = "the exchange is used by its better target again";
const GOES_ON: &str = "a call that nobody had goes by the next target";

/// What happens to the better exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It stands still (SIGSTOP), and its connections stay open without a word.
    Stopped,
    /// It is gone (SIGKILL), and its connections with it; later it is started anew and has forgotten everything.
    Killed,
}

/// What it took.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the fault of the better exchange until the desk knows.
    pub notice: Duration,
    /// From the fault until a caller rings at the desk over the other exchange.
    pub ring: Duration,
    /// From the better exchange's return until the desk is registered there again.
    pub home: Duration,
}

/// The scene, with both calls up: one on hold, one talking.
#[derive(Debug)]
pub struct Pair {
    desk: Desk,
    client: Client,
    first: Kamailio,
    second: Kamailio,
    held: (CallRef, Baresip),
    talking: (CallRef, Baresip),
    caller: UdpSocket,
    calls: u32,
    /// Kept: the block of ports is ours as long as the exchanges listen there.
    _ports: Ports,
    _names: Dnsmasq,
    scratch: TempDir,
}

impl Pair {
    /// Builds it; the exchanges' records say by what they want to be reached.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build(service: Service) -> Self {
        let scratch = house::scratch();
        let mut ports = Ports::take();
        let Exchanges { first, second, names, desk } =
            Exchanges::start(&scratch, &mut ports, service, DOMAIN);
        let mut client = desk.client();
        client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
        let mut phone = |number: &str, tone, second_half: u16| {
            let rtp = ports.rtp();
            // Each its own part of the ports, above the desk's.
            let rtp = (rtp.0 + 20 + second_half, rtp.0 + 29 + second_half);
            let place = Place { control: ports.one(), sip: ports.one(), rtp };
            let mut phone =
                Baresip::launch(scratch.path(), place, &first.address(), number, tone, Codec::Pcma);
            phone.program.wait_log("200 OK", SOON);
            phone
        };
        let mut a = phone("2101", A_TONE, 0);
        let mut b = phone("2102", B_TONE, 10);
        let held = answer(&mut client, &mut a);
        client.command(Command::Hold { call: held }).expect("a call can be put on hold");
        let is_held = |now: &CallView| now.call == held && now.state == CallState::Held;
        client.wait_call("the call held", SOON, is_held);
        let talking = answer(&mut client, &mut b);
        b.hears(DESK_TONE);
        let caller = UdpSocket::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        caller.set_read_timeout(Some(LOOK)).expect("a timeout can be set");
        Self {
            desk,
            client,
            first,
            second,
            held: (held, a),
            talking: (talking, b),
            caller,
            calls: 0,
            _ports: ports,
            _names: names,
            scratch,
        }
    }

    /// Has the fault come over the better exchange and a caller by the other one, uses both calls meanwhile, and mends
    /// the better one until the desk is back there.
    ///
    /// # Panics
    /// When anything of that does not come about.
    #[track_caller]
    pub fn fail_and_return(&mut self, fault: Fault) -> Times {
        match fault {
            Fault::Stopped => self.first.program.freeze_all(true),
            Fault::Killed => self.first.program.kill_all(),
        }
        let (notice, ring) = self.ring(Instant::now());
        let rings = |call: &CallView| call.state == CallState::Ringing;
        let call = self.client.wait_call("the call on the desk", SOON, rings).call;
        self.client.command(Command::Reject { call }).expect("a ringing call can be refused");
        self.client.wait_gone(call, SOON);
        self.use_the_calls();
        match fault {
            Fault::Stopped => self.first.program.freeze_all(false),
            Fault::Killed => self.first.start_again(),
        }
        let mended = Instant::now();
        wait::until("the way back", PATIENCE, || self.said(RETURNED).then_some(()));
        self.client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
        let home = mended.elapsed();
        self.use_the_calls();
        self.end_the_calls();
        Times { notice, ring, home }
    }

    /// The desk calls a colleague whose telephone hangs, so that the better exchange says that it tries and no more; then
    /// that one stops as well. Their other telephone, at the second exchange, rings, is answered and heard. How long it
    /// took from the stop until it rang.
    ///
    /// # Panics
    /// When anything of that does not come about.
    #[must_use]
    #[track_caller]
    pub fn a_tried_call_goes_on(&mut self) -> Duration {
        self.end_the_calls();
        let mut ports = Ports::take();
        let [hung, mut other] = [&self.first, &self.second].map(|exchange| {
            let place = Place { control: ports.one(), sip: ports.one(), rtp: ports.rtp() };
            let folder = self.scratch.path().join(format!("at-{}", exchange.ip));
            std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
            let address = exchange.address();
            let mut phone = Baresip::launch(&folder, place, &address, "2103", A_TONE, Codec::Pcma);
            phone.program.wait_log("200 OK", SOON);
            (place.sip, phone)
        });
        hung.1.program.freeze(true);
        self.client.command(Command::Dial { number: "2103".into(), line: None }).expect("a line is there");
        wait::until("the INVITE at the telephone that hangs", SOON, || is_left_lying(hung.0).then_some(()));
        self.first.program.freeze_all(true);
        let stopped = Instant::now();
        other.1.expect("CALL_INCOMING", PATIENCE);
        let rang = stopped.elapsed();
        self.desk.program.wait_log(GOES_ON, SOON);
        other.1.accept();
        other.1.expect("CALL_ESTABLISHED", SOON);
        let talks = |call: &CallView| call.state == CallState::Talking;
        let call = self.client.wait_call("the call answered", SOON, talks).call;
        self.desk.hears(A_TONE);
        other.1.hears(DESK_TONE);
        self.client.command(Command::HangUp { call }).expect("a call can be hung up");
        other.1.expect("CALL_CLOSED", SOON);
        self.client.wait_gone(call, SOON);
        self.first.program.freeze_all(false);
        rang
    }

    /// The caller tries by the second exchange until it rings; when the desk knew, and when it rang.
    #[track_caller]
    fn ring(&mut self, failed: Instant) -> (Duration, Duration) {
        let mut notice = None;
        let mut tried: Option<Instant> = None;
        while failed.elapsed() < PATIENCE {
            if tried.is_none_or(|at| at.elapsed() >= AGAIN) {
                self.invite();
                tried = Some(Instant::now());
            }
            if notice.is_none() && self.said(NOTICED) {
                notice = Some(failed.elapsed());
            }
            let mut answer = [0; 4096];
            let Ok(length) = self.caller.recv(&mut answer) else { continue };
            if answer[..length].starts_with(b"SIP/2.0 180") {
                let rang = failed.elapsed();
                return (notice.unwrap_or(rang), rang);
            }
            // On its way: one that waits is not tried again.
            if answer[..length].starts_with(b"SIP/2.0 100") {
                tried = Some(Instant::now() + SOON);
            }
        }
        panic!("nobody could reach the desk within {PATIENCE:?}; {}", self.desk.program.log());
    }

    /// Somebody from elsewhere calls the company's number.
    fn invite(&mut self) {
        self.calls += 1;
        let (n, here) = (self.calls, self.caller.local_addr().expect("a bound socket has an address"));
        let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                    m=audio 9 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
        let invite = format!(
            "INVITE sip:5550100@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {here};rport;branch=z9hG4bKcaller{n}\r\n\
             Max-Forwards: 20\r\nFrom: <sip:0591234@elsewhere.example>;tag=caller{n}\r\n\
             To: <sip:5550100@{DOMAIN}>\r\nCall-ID: caller{n}@elsewhere.example\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:0591234@{here}>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        // Lost is lost: the next try follows.
        let _ = self.caller.send_to(invite.as_bytes(), SocketAddr::from((self.second.ip, self.second.port)));
    }

    /// The call on hold is talked to while the other one is held, and back: each asks the far end.
    #[track_caller]
    fn use_the_calls(&mut self) {
        for (first, second, tone) in
            [(self.held.0, self.talking.0, A_TONE), (self.talking.0, self.held.0, B_TONE)]
        {
            self.client.command(Command::Retrieve { call: first }).expect("a held call can be taken back");
            self.wait_state(first, CallState::Talking);
            self.wait_state(second, CallState::Held);
            self.desk.hears(tone);
        }
    }

    #[track_caller]
    fn end_the_calls(&mut self) {
        for (call, phone) in [&mut self.talking, &mut self.held] {
            self.client.command(Command::HangUp { call: *call }).expect("a call can be hung up");
            phone.expect("CALL_CLOSED", SOON);
            self.client.wait_gone(*call, SOON);
        }
    }

    #[track_caller]
    fn wait_state(&mut self, call: CallRef, state: CallState) {
        let there = |now: &CallView| now.call == call && now.state == state;
        self.client.wait_call(&format!("{call:?} {state:?}"), PATIENCE, there);
    }

    fn said(&self, text: &str) -> bool {
        self.desk.program.log().contains(text)
    }
}

/// Two exchanges with records that lead to both, and a desk that knows their name alone.
#[derive(Debug)]
pub struct Exchanges {
    /// The better one.
    pub first: Kamailio,
    /// The other.
    pub second: Kamailio,
    /// The name server.
    pub names: Dnsmasq,
    /// The desk, registered or not.
    pub desk: Desk,
}

impl Exchanges {
    /// Starts them; over TLS they present a certificate for `certified`.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &TempDir, ports: &mut Ports, service: Service, certified: &str) -> Self {
        let authority = Authority::new(scratch.path(), "authority");
        let identity = authority.identity(certified);
        let exchange = |name: &str, last: u8, port: u16| {
            let folder = scratch.path().join(name);
            std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
            let ip = Ipv4Addr::new(127, 0, 0, last);
            match service {
                Service::Udp => Kamailio::start_on(&folder, ip, port),
                Service::Tcp | Service::Tls => Kamailio::start_with_streams_on(&folder, ip, port, &identity),
            }
        };
        let first = exchange("first", 2, ports.one());
        let second = exchange("second", 3, ports.one());
        let beside = u16::from(service == Service::Tls);
        let machine = |name, exchange: &Kamailio, priority| Machine {
            name,
            at: (exchange.ip, exchange.port + beside),
            priority,
        };
        // The better one is not the first in the list.
        let machines = [machine("second", &second, 20), machine("first", &first, 10)];
        let names = Dnsmasq::start(scratch.path(), ports.one(), DOMAIN, service, &machines);
        let account = Account { registrar: DOMAIN.into(), transport: "auto", ..Account::at(&first) };
        let machine = desk::Machine { sip: ports.one(), rtp: ports.rtp(), log: "info,sip=debug" };
        let settings = format!("{NO_TIMERS}{}", authority.trusted());
        let asking = Some(names.address);
        let desk = Desk::start_asking(scratch.path(), &account, &settings, &machine, asking);
        Self { first, second, names, desk }
    }
}

/// Whether something has come in at a UDP port of 127.0.0.1 that its owner has not read.
fn is_left_lying(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let ours = format!("0100007F:{port:04X}");
    table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let is_ours = fields.next() == Some(ours.as_str());
        let queues = fields.nth(2).unwrap_or_default();
        is_ours && !queues.ends_with(":00000000")
    })
}

/// Answers the call that `phone` places.
#[track_caller]
fn answer(client: &mut Client, phone: &mut Baresip) -> CallRef {
    phone.dial("5550100");
    let number = Some(phone.number.clone());
    let rings = |call: &CallView| call.state == CallState::Ringing && call.party.number == number;
    let call = client.wait_call("a ringing call", SOON, rings).call;
    client.command(Command::Answer { call }).expect("a ringing call can be answered");
    phone.expect("CALL_ESTABLISHED", SOON);
    let talks = |now: &CallView| now.call == call && now.state == CallState::Talking;
    client.wait_call("the call answered", SOON, talks);
    call
}
