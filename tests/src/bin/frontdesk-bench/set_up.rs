//! How long a call takes to be set up through kamailio: by our desk, and by PJSUA2 in the same run, in turn, towards the
//! same telephone. Measured on the wire (`tap`), so that it is the same measure for both: from the caller's first INVITE
//! to its ACK at the far end. Between the two are kamailio's challenge, where it has one for the caller, and everything
//! that the caller does with it and with the 200.

use std::env;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use frontdesk_tests::house::scratch;
use frontdesk_tests::kamailio::{DOMAIN, Digest, Kamailio};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::program::Program;
use frontdesk_tests::report::{Row, Unit};
use frontdesk_tests::socket::Client;
use frontdesk_tests::{repository, wait};
use ipc::{CallState, Command as DeskCommand, Registration, View};

use crate::far_end::{FarEnd, NUMBER};
use crate::house::{self, Account};
use crate::tap::{Mark, Marks, Tap};

/// Calls of each.
const CALLS: usize = 200;
/// Not measured: programs and caches warm up.
const WARM: usize = 5;
const SOON: Duration = Duration::from_secs(20);
/// What a set-up by the desk may take of what one by PJSUA2 takes: as long, with room for what else runs on the machine.
/// The 99th of a hundred calls is as slow as the busiest moment, and on a busy machine it is waiting for a core.
const RATIO: f64 = 1.5;
const DESK: &str = "the desk";
const OTHER: &str = "PJSUA2";
/// The user that PJSUA2 calls as.
const CALLER: &str = "3001";

/// Set-up by the desk, by PJSUA2, and the ratio.
pub(crate) fn measure(rows: &mut Vec<Row>) {
    let scratch = scratch();
    let mut ports = Ports::take();
    let exchange = Kamailio::start(scratch.path(), ports.one(), Digest::Md5);
    let place = SocketAddr::from(([127, 0, 0, 1], exchange.port));
    let marks = Marks::default();
    let _far = FarEnd::start(ports.one(), place, &marks);
    let (desk_port, other_port) = (ports.one(), ports.one());
    let _taps = [Tap::start(DESK, desk_port, place, &marks), Tap::start(OTHER, other_port, place, &marks)];
    let account = Account { domain: DOMAIN, password: &Kamailio::password("desk"), port: desk_port };
    let _desk = house::start_desk(scratch.path(), ports.one(), &account);
    let mut client = Client::connect(&scratch.path().join("desk.sock"));
    let ready = |view: &View| view.operator.registration == Registration::Registered;
    client.wait("a desk that is registered", SOON, ready);
    let other = Other::start(scratch.path(), &mut ports, other_port);
    for call in 1..=WARM + CALLS {
        by_the_desk(&mut client, &marks, call);
        other.call(&marks, call);
    }
    let calls = [DESK, OTHER].map(|caller| marks.of(caller));
    assert!(calls.iter().all(|calls| calls.len() == WARM + CALLS), "each call has its own Call-ID");
    rows.extend(table(calls));
}

/// One call that is answered and ended again.
fn by_the_desk(client: &mut Client, marks: &Marks, count: usize) {
    let dial = DeskCommand::Dial { number: NUMBER.into(), line: None };
    client.command(dial).expect("a registered desk dials");
    wait_for(marks, DESK, count, |mark| mark.acknowledged.is_some());
    let call = client.wait_call("the call that talks", SOON, |call| call.state == CallState::Talking).call;
    client.command(DeskCommand::HangUp { call }).expect("a call can be ended");
    wait_for(marks, DESK, count, |mark| mark.ended);
    client.wait_gone(call, SOON);
}

/// PJSUA2 as a process that is told by datagrams.
struct Other {
    program: Program,
    control: UdpSocket,
    port: u16,
}

impl Other {
    fn start(scratch: &Path, ports: &mut Ports, exchange: u16) -> Self {
        let (sip, rtp, port) = (ports.one(), ports.rtp().0, ports.one());
        let settings = serde_json::json!({
            "user": CALLER, "domain": DOMAIN, "password": Kamailio::password(CALLER), "target": NUMBER,
            "exchange": format!("127.0.0.1:{exchange}"), "sip": sip, "rtp": rtp, "control": port,
        });
        let python = python();
        assert!(python.exists(), "{} is not there: `.ci/pjsua2` installs it", python.display());
        let mut command = Command::new(python);
        command.arg(repository::root().join("tests/pjsua2/caller.py")).arg(settings.to_string());
        let mut program = Program::start("pjsua2", command, scratch);
        program.wait_log("ready", SOON);
        let control = UdpSocket::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        Self { program, control, port }
    }

    /// As [`by_the_desk`].
    fn call(&self, marks: &Marks, count: usize) {
        self.tell("dial");
        wait_for(marks, OTHER, count, |mark| mark.acknowledged.is_some());
        self.tell("hangup");
        wait_for(marks, OTHER, count, |mark| mark.ended);
    }

    fn tell(&self, word: &str) {
        let sent = self.control.send_to(word.as_bytes(), ("127.0.0.1", self.port));
        sent.unwrap_or_else(|error| panic!("{error}: {}", self.program.log()));
    }
}

/// Where `.ci/pjsua2` puts it.
fn python() -> PathBuf {
    let home = env::var_os("HOME").unwrap_or_default();
    Path::new(&home).join(".cache/frontdesk/tools/pjsua2/bin/python")
}

#[track_caller]
fn wait_for(marks: &Marks, caller: &str, count: usize, done: impl Fn(&Mark) -> bool) {
    wait::until(format!("call {count} of {caller}"), SOON, || {
        (marks.of(caller).iter().filter(|mark| done(mark)).count() == count).then_some(())
    });
}

fn table([desk, other]: [Vec<Mark>; 2]) -> Vec<Row> {
    let confirmed = |calls: &[Mark]| set_ups(calls, |mark| mark.acknowledged);
    let answered = |calls: &[Mark]| set_ups(calls, |mark| mark.answered);
    let (ours, theirs) = (confirmed(&desk), confirmed(&other));
    let p = |times: &[Duration], share| quantile(times, share).as_secs_f64();
    let ratio = |share| p(&ours, share) / p(&theirs, share);
    let ratios = [("median", ratio(0.5)), ("p99", ratio(0.99))];
    let row = |who: &str, what: &str, times: &[Duration]| {
        Row::beside(format!("{who}: INVITE to {what}"), Unit::Milliseconds, times)
            .note(format!("{CALLS} calls through kamailio, seen on the wire"))
    };
    let challenged = |calls: &[Mark]| calls.iter().filter(|mark| mark.invites > 1).count() as f64;
    let challenges = [("desk", challenged(&desk)), (OTHER, challenged(&other))];
    vec![
        row(DESK, "200", &answered(&desk)),
        row(OTHER, "200", &answered(&other)),
        row(DESK, "ACK at the far end", &ours),
        row(OTHER, "ACK at the far end", &theirs),
        Row::told("calls that kamailio challenged", "calls", &challenges)
            .note(format!("of {} each; a challenge is a round trip and a digest more", WARM + CALLS)),
        Row::of("call set-up, the desk to PJSUA2", "times", &ratios, "p99", RATIO)
            .note("of INVITE to ACK at the far end, the calls in turn in one run"),
    ]
}

/// From the first INVITE to what `end` says; the first calls, by when they were made, are left out.
fn set_ups(calls: &[Mark], end: impl Fn(&Mark) -> Option<std::time::Instant>) -> Vec<Duration> {
    let mut times: Vec<_> = calls.iter().filter_map(|mark| Some((mark.invited?, end(mark)?))).collect();
    times.sort_unstable();
    times.into_iter().skip(WARM).map(|(from, to)| to - from).collect()
}

fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len()) - 1).copied().unwrap_or_default()
}
