//! A desk whose exchange is SIPp, on a port where the desk has registered before. The operator's part is done with
//! commands on the desk's socket.

use std::thread;
use std::time::{Duration, Instant};

use ipc::{CallRef, CallState, Command, LampView, LogRow, Registration, View};
use tempfile::TempDir;

use crate::desk::{Account, Desk, Machine, NO_TIMERS};
use crate::house::{self, STAFF};
use crate::ports::Ports;
use crate::registrar::Registrar;
use crate::sipp::{Run, Sipp};
use crate::socket::{Client, calls};
use crate::wait;

/// How long anything may take that is asked for.
pub const SOON: Duration = Duration::from_secs(10);
/// How long a scenario may take to end.
pub const RUN: Duration = Duration::from_secs(60);

/// The desk and who plays its exchange.
#[derive(Debug)]
pub struct Scene {
    /// The desk.
    pub desk: Desk,
    /// Follows it.
    pub client: Client,
    /// The port of its exchange.
    pub exchange: u16,
    /// Where everything lies.
    pub scratch: TempDir,
    /// More of them.
    pub ports: Ports,
}

impl Scene {
    /// Builds it.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build() -> Self {
        Self::build_with(NO_TIMERS)
    }

    /// Builds it with more in the desk's settings file.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_with(settings_more: &str) -> Self {
        Self::build_on(settings_more, "info,sip=debug")
    }

    /// Builds one that says little, for very many calls.
    ///
    /// # Panics
    /// When something does not come up.
    #[must_use]
    #[track_caller]
    pub fn build_quiet() -> Self {
        Self::build_on(NO_TIMERS, "warn")
    }

    #[track_caller]
    fn build_on(settings_more: &str, log: &'static str) -> Self {
        let scratch = house::scratch();
        let mut ports = Ports::take();
        let exchange = ports.one();
        let registrar = Registrar::listen(exchange);
        let account = Account::at_port(exchange);
        let machine = Machine { sip: ports.one(), rtp: ports.rtp(), log };
        let desk = Desk::start_on(scratch.path(), &account, settings_more, &machine);
        registrar.grant_once();
        let mut client = desk.client();
        client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
        Self { desk, client, exchange, scratch, ports }
    }

    /// Plays a scenario for one call.
    #[must_use]
    #[track_caller]
    pub fn play(&self, scenario: &str) -> Sipp {
        Sipp::start(self.scratch.path(), scenario, Run::one(self.exchange, self.desk.sip))
    }

    /// Plays a scenario as the exchange itself for everything that comes, until it is dropped; the desk then has the
    /// contact 2102 with a lamp.
    #[must_use]
    #[track_caller]
    pub fn play_lamps(&mut self, scenario: &str) -> Sipp {
        let run = Run { calls: 1000, limit: RUN, ..Run::one(self.exchange, self.desk.sip) };
        let sipp = Sipp::start(self.scratch.path(), scenario, run);
        self.desk.import(STAFF);
        sipp
    }

    /// Waits for a call in `state`.
    #[track_caller]
    pub fn wait_state(&mut self, state: CallState) -> CallRef {
        self.client.wait_call(&format!("a call {state:?}"), SOON, |call| call.state == state).call
    }

    /// Waits until the lamp of 2102 pleases `wanted`.
    #[track_caller]
    pub fn wait_lamp(&mut self, what: &str, limit: Duration, wanted: impl Fn(&LampView) -> bool) -> View {
        self.client
            .wait(what, limit, |view| view.lamps.iter().any(|lamp| lamp.number == "2102" && wanted(lamp)))
    }

    /// The desk does what is asked.
    #[track_caller]
    pub fn command(&mut self, command: Command) {
        let done = self.client.command(command.clone());
        done.unwrap_or_else(|refusal| panic!("{command:?} is refused: {refusal:?}"));
    }

    /// Answers the call that rings.
    #[track_caller]
    pub fn answer(&mut self) -> CallRef {
        let call = self.wait_state(CallState::Ringing);
        self.command(Command::Answer { call });
        call
    }

    /// Answers the call that rings, and waits until it talks.
    #[track_caller]
    pub fn answered(&mut self) -> CallRef {
        let call = self.answer();
        assert_eq!(self.wait_state(CallState::Talking), call);
        call
    }

    /// The only row of the log, once it is there.
    #[track_caller]
    pub fn only_row(&mut self) -> LogRow {
        let rows =
            wait::until("a log row", SOON, || Some(self.client.log(10).rows).filter(|rows| !rows.is_empty()));
        assert_eq!(rows.len(), 1, "one call, one row: {rows:#?}");
        rows[0].clone()
    }

    /// Waits until `text` was on the wire `times`.
    #[track_caller]
    pub fn wait_wire(&self, sipp: &Sipp, text: &str, times: usize, limit: Duration) {
        let seen = || sipp.messages().matches(text).count();
        let found = wait::within(limit, || (seen() >= times).then_some(()));
        assert!(found.is_some(), "{text:?} was on the wire {} times, not {times}", seen());
    }

    /// Answers every call that rings until `ended` calls are in the log and the desk is empty.
    #[track_caller]
    pub fn serve(&mut self, ended: u32, limit: Duration) {
        let end = Instant::now() + limit;
        loop {
            let view = self.client.wait("a ringing call or an empty desk", SOON, |view| {
                view.counters.ringing > 0 || calls(view).count() == 0
            });
            for call in view.incoming.iter().filter(|call| call.state == CallState::Ringing) {
                // The caller may have given up since; then there is nothing to answer.
                let _ = self.client.command(Command::Answer { call: call.call });
            }
            let idle = calls(&view).count() == 0;
            if idle && self.client.log(1).total >= ended {
                return;
            }
            assert!(Instant::now() < end, "only {} of {ended} calls ended", self.client.log(1).total);
            if idle {
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
