//! A desk for the tests: a bare user agent on a loopback socket, with a leg of sound per call.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use sip::dialog_info::Dialog;
use sip::{
    Account, AccountId, Config, Event, Invite, Message, Package, RegistrationState, SessionId,
    SubscriptionId, TransferResult, UserAgent,
};

use crate::leg::{Leg, TICK};
use crate::report::{CallReport, Command, FinishedReport, NewBehaviour, NewCall, Reply, Report};
use crate::{Options, Pbx, demo, script};

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LINE: AccountId = AccountId(1);
/// What the desk speaks with: no extension and no caller has it.
pub(super) const DESK_HZ: u32 = 3100;

/// An exchange with nothing going on.
pub(super) fn quiet_exchange() -> Pbx {
    exchange(script::QUIET)
}

/// An exchange on free ports.
pub(super) fn exchange(script: script::Script) -> Pbx {
    Pbx::start(Options {
        listen: SocketAddr::new(HERE, 0),
        control: Some(SocketAddr::new(HERE, 0)),
        allow_remote: false,
        user: demo::DEMO_USER.into(),
        password: demo::DEMO_PASSWORD.into(),
        script,
        seed: 1,
        transfer_patience: Duration::from_secs(1),
    })
    .unwrap()
}

/// The exchange's report.
pub(super) fn report(pbx: &Pbx) -> Report {
    match pbx.command(Command::Report(true)).unwrap() {
        Reply::Report { report } => *report,
        other => panic!("no report: {other:?}"),
    }
}

/// A behaviour for one extension.
pub(super) fn set(pbx: &Pbx, ext: &str, behaviour: &str) {
    let set = NewBehaviour { ext: ext.into(), behaviour: behaviour.into() };
    assert_eq!(pbx.command(Command::Set(set)).unwrap(), Reply::Done { ok: true });
}

/// A call to the desk.
pub(super) fn call(pbx: &Pbx, from: Option<&str>, line: &str) -> u64 {
    call_with(pbx, NewCall { from: from.map(Into::into), line: Some(line.into()), ..NewCall::default() })
}

/// A call to the desk with everything said.
pub(super) fn call_with(pbx: &Pbx, new: NewCall) -> u64 {
    match pbx.command(Command::Call(new)).unwrap() {
        Reply::Call { call } => call,
        other => panic!("no call: {other:?}"),
    }
}

/// A call under way.
pub(super) fn under_way(pbx: &Pbx, id: u64) -> Option<CallReport> {
    report(pbx).calls.into_iter().find(|call| call.id == id)
}

/// A call that is over.
pub(super) fn finished(pbx: &Pbx, id: u64) -> Option<FinishedReport> {
    report(pbx).finished.into_iter().find(|call| call.id == id)
}

/// An incoming call as the desk sees it.
pub(super) struct Ringing {
    pub(super) session: SessionId,
    pub(super) number: Option<String>,
    pub(super) name: Option<String>,
    pub(super) called: Option<String>,
    pub(super) diverted: Option<String>,
    pub(super) request: Box<Message>,
}

/// The desk.
pub(super) struct Desk {
    pub(super) agent: UserAgent,
    socket: UdpSocket,
    legs: HashMap<SessionId, Leg>,
    events: VecDeque<Event>,
    next_tick: Instant,
}

impl Desk {
    /// A desk that is not registered.
    pub(super) fn new() -> Desk {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        let config = Config::new(socket.local_addr().unwrap());
        let agent = UserAgent::new(config, 42);
        Desk { agent, socket, legs: HashMap::new(), events: VecDeque::new(), next_tick: Instant::now() }
    }

    /// A desk registered at `pbx`.
    pub(super) fn at(pbx: &Pbx) -> Desk {
        let mut desk = Desk::new();
        desk.register(pbx, demo::DEMO_PASSWORD);
        desk.wait("registration", |event| {
            matches!(event, Event::Registration { state: RegistrationState::Registered { .. }, .. })
                .then_some(())
        });
        desk
    }

    pub(super) fn register(&mut self, pbx: &Pbx, password: &str) {
        let account = Account {
            display_name: "Front desk".into(),
            password: password.into(),
            expires: Duration::from_secs(60),
            ..Account::new(LINE, demo::DEMO_USER, &pbx.address().ip().to_string(), pbx.address().into())
        };
        self.agent.add_account(Instant::now(), account);
    }

    /// Calls `number`.
    pub(super) fn dial(&mut self, number: &str) -> SessionId {
        let leg = Leg::bind(HERE, DESK_HZ, 7).unwrap();
        let invite = Invite::new(LINE, number, leg.local().unwrap());
        let session = self.agent.invite(Instant::now(), invite).unwrap();
        self.legs.insert(session, leg);
        session
    }

    /// Waits for a call.
    pub(super) fn ringing(&mut self) -> Ringing {
        let ringing = self.wait("an incoming call", |event| match event {
            Event::Incoming { session, caller, called, diversion, request, .. } => Some(Ringing {
                session: *session,
                number: caller.number.clone(),
                name: caller.display.clone(),
                called: called.number.clone(),
                diverted: diversion.as_ref().and_then(|party| party.number.clone()),
                request: request.clone(),
            }),
            _ => None,
        });
        self.agent.ring(Instant::now(), ringing.session);
        ringing
    }

    /// Answers a call and waits until that is confirmed.
    pub(super) fn answer(&mut self, session: SessionId) {
        let leg = Leg::bind(HERE, DESK_HZ, 7).unwrap();
        let local = leg.local().unwrap();
        self.legs.insert(session, leg);
        self.agent.accept(Instant::now(), session, local);
        self.wait("the ACK", |event| {
            matches!(event, Event::Confirmed { session: it, .. } if *it == session).then_some(())
        });
    }

    /// Takes a call of the main line.
    pub(super) fn talking_with(&mut self, pbx: &Pbx, from: &str) -> (u64, SessionId) {
        let id = call(pbx, Some(from), "5550000");
        let session = self.ringing().session;
        self.answer(session);
        (id, session)
    }

    /// Calls `number` and waits for its answer.
    pub(super) fn consult(&mut self, number: &str) -> SessionId {
        let session = self.dial(number);
        self.wait("an answer", |event| {
            matches!(event, Event::Answered { session: it, .. } if *it == session).then_some(())
        });
        session
    }

    /// Waits for the fate of a transfer.
    pub(super) fn transferred(&mut self, session: SessionId) -> TransferResult {
        self.wait("the end of the transfer", |event| match event {
            Event::TransferEnded { session: it, result } if *it == session => Some(result.clone()),
            _ => None,
        })
    }

    /// Waits until the desk hears somebody.
    pub(super) fn leg_hears(&mut self, what: &str, session: SessionId, hz: u32) {
        self.until(what, |desk| desk.hears(session) == Some(hz));
    }

    /// Waits until a call is over, and tells by which code.
    pub(super) fn ended(&mut self, session: SessionId) -> u16 {
        self.wait("the end of a call", |event| match event {
            Event::Ended { session: it, cause } if *it == session => Some(cause.code),
            _ => None,
        })
    }

    /// Watches the desk's mailbox.
    pub(super) fn watch_mailbox(&mut self) {
        self.agent.subscribe(Instant::now(), LINE, demo::DEMO_USER, Package::MessageSummary);
    }

    /// Waits until so many unheard and heard messages are told of.
    pub(super) fn messages(&mut self, wanted: (u32, u32)) {
        self.wait("the messages", |event| match event {
            Event::MessageSummary { waiting, new, old, .. }
                if (*new, *old) == (Some(wanted.0), Some(wanted.1)) =>
            {
                assert_eq!(*waiting, wanted.0 > 0);
                Some(())
            }
            _ => None,
        });
    }

    /// Watches an extension or park slot.
    pub(super) fn watch(&mut self, extension: &str) -> SubscriptionId {
        self.agent.subscribe(Instant::now(), LINE, extension, Package::Dialog)
    }

    /// Waits until an extension's dialogs satisfy `wanted`.
    pub(super) fn lamp(
        &mut self,
        what: &str,
        subscription: SubscriptionId,
        mut wanted: impl FnMut(&[Dialog]) -> bool,
    ) -> Vec<Dialog> {
        self.wait(what, |event| match event {
            Event::Dialogs { subscription: it, dialogs } if *it == subscription && wanted(dialogs) => {
                Some(dialogs.clone())
            }
            _ => None,
        })
    }

    /// What the desk hears in a call.
    pub(super) fn hears(&self, session: SessionId) -> Option<u32> {
        self.legs.get(&session).and_then(Leg::hears)
    }

    /// RTP packets received in a call.
    pub(super) fn received(&self, session: SessionId) -> u64 {
        self.legs.get(&session).map_or(0, |leg| leg.packets().1)
    }

    /// Goes on until an event gives what is waited for. Other events are dropped.
    pub(super) fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Some(event) = self.events.pop_front() {
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
            assert!(Instant::now() < end, "waited in vain for {what}");
            self.step();
        }
    }

    /// Goes on until `holds`, keeping all events.
    pub(super) fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Desk) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < end, "waited in vain for {what}");
            self.step();
        }
    }

    /// Waits for the next datagram, timer or packet to speak, whichever comes first.
    fn step(&mut self) {
        self.send();
        let until = self.agent.poll_timeout().map_or(self.next_tick, |at| at.min(self.next_tick));
        let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(left)).unwrap();
        let mut buffer = [0; 65_535];
        if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            self.agent.handle_datagram(Instant::now(), from, &buffer[..length]);
        }
        let now = Instant::now();
        self.agent.handle_timeout(now);
        if now >= self.next_tick {
            self.next_tick += TICK;
            self.legs.values_mut().for_each(Leg::tick);
        }
        self.send();
        while let Some(event) = self.agent.poll_event() {
            if let Event::Answered { session, media, .. }
            | Event::Confirmed { session, media }
            | Event::MediaChanged { session, media } = &event
                && let Some(leg) = self.legs.get_mut(session)
            {
                leg.agree(media.clone());
            }
            self.events.push_back(event);
        }
    }

    fn send(&mut self) {
        while let Some(transmit) = self.agent.poll_transmit() {
            self.socket.send_to(&transmit.bytes, transmit.to.address).unwrap();
        }
    }
}
