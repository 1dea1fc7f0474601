//! The one writer: owns the user agent and the switchboard, takes one event at a time.
//!
//! A turn hands one event to its core, then carries what comes out of either core to the other, to the
//! sound and to the records until nothing is left, and publishes a view if anything visible changed.
//! Nothing in a turn waits. What the words of one core are called in the other is in `bridge`.

mod event;
mod legs;
mod news;
mod wire;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ipc::{
    Census, CommandError, Registration, SetupView, SoundView, TransferState, TransferView, View, WatchView,
};
use media::Media;
use sip::{AccountId, Package, UserAgent};
use switchboard::Input;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant as TokioInstant, sleep_until},
};
use tracing::{info, warn};

pub(crate) use self::{
    event::Event,
    legs::{Leg, Legs},
};
use crate::{
    audio::Audio,
    board::Board,
    connectors::Connectors,
    contacts::Contacts,
    lamps::Lamps,
    mailboxes::{self, Mailbox},
    names::{Found, Names},
    net::Net,
    people::People,
    records::Records,
    referral::Referrals,
    reminders::Reminded,
    sign_in::SignIn,
    sound_check::SoundCheck,
    stun::{self, Stun},
    tether::{Phone, Tether},
    trace::Trace,
    turns::{self, Turns},
    xmpp::Xmpp,
};

/// The shortest time between two views.
const FRAME: Duration = Duration::from_millis(16);
/// A view of thousands of lamps takes its time to build. Between two of them the engine does other things for so
/// many times as long, and at least shows something new as often as [`SLOWEST_FRAME`].
const VIEW_SHARE: u32 = 8;
const SLOWEST_FRAME: Duration = Duration::from_millis(100);
/// How long the peers have to answer BYE and unregistration when the desk stops.
const FAREWELL: Duration = Duration::from_secs(4);

/// What can be read of the engine from outside without asking it.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    pub(crate) turns: Turns,
    pub(crate) views: AtomicU64,
    /// Datagrams for which the inbox had no room.
    pub(crate) dropped: AtomicU64,
}

/// The parts the engine is made of.
pub(crate) struct Parts {
    pub(crate) agent: UserAgent,
    pub(crate) board: Board,
    pub(crate) media: Media,
    pub(crate) contacts: Contacts,
    pub(crate) records: Records,
    /// Who sits at the desk.
    pub(crate) sign_in: SignIn,
    /// Customer databases and others that know callers.
    pub(crate) customers: Connectors,
    pub(crate) net: Net,
    /// The way to the name servers.
    pub(crate) names: Names,
    pub(crate) inbox: mpsc::Sender<Event>,
    pub(crate) views: watch::Sender<Arc<View>>,
    /// How loud it is, and the test of the sound.
    pub(crate) sound: watch::Sender<SoundView>,
    pub(crate) gauges: Arc<Gauges>,
    /// The newest SIP messages.
    pub(crate) trace: Trace,
    /// The accounts, as the agent has them.
    pub(crate) accounts: Vec<sip::Account>,
    /// Each line's number with its account.
    pub(crate) lines: Vec<(String, AccountId)>,
    /// What callers on hold hear, by the line's number, where it has something of its own.
    pub(crate) music: HashMap<String, PathBuf>,
    /// Phones watched whatever the directories say: the park slots.
    pub(crate) watched: Vec<String>,
    /// The exchange's feature code that picks up what rings on a phone, `$` for its number.
    pub(crate) intercept: Option<String>,
    /// The message for callers who were answered by a rule.
    pub(crate) announcement: Option<PathBuf>,
    /// The mailbox of each account.
    pub(crate) mailboxes: Vec<Mailbox>,
    /// The telephone over which the operator speaks, in place of the sound devices.
    pub(crate) phone: Option<Phone>,
    /// Who is online, where an XMPP server says it.
    pub(crate) xmpp: Option<Xmpp>,
    /// Hears what is wrong with servers: of STUN, and of XMPP.
    pub(crate) stun_troubles: watch::Sender<stun::Troubles>,
    /// The zone that the program runs in; empty: that of the machine.
    pub(crate) time_zone: String,
    /// When the switchboard's clock started.
    pub(crate) started: Instant,
}

/// What became of a command.
type Outcome = Result<(), CommandError>;

/// See the module.
pub(crate) struct Engine {
    pub(crate) parts: Parts,
    pub(crate) legs: Legs,
    pub(crate) lamps: Lamps,
    pub(crate) people: People,
    pub(crate) tether: Tether,
    pub(crate) referrals: Referrals,
    pub(crate) stun: Stun,
    pub(crate) audio: Audio,
    pub(crate) sound_check: SoundCheck,
    pub(crate) reminded: Reminded,
    /// How each account stands, as far as it has been said.
    pub(crate) registrations: HashMap<AccountId, Registration>,
    /// RTP streams opened and not reported closed.
    pub(crate) streams: u32,
    generation: u64,
    /// Shown until the box has an administrator.
    setup: Option<SetupView>,
    /// Who wants to see the screen, or sees it.
    watch: Option<WatchView>,
    /// A screen is connected.
    has_screen: bool,
    /// Something visible changed since the last view.
    pub(crate) stale: bool,
    published: Option<Instant>,
    /// To whom a command is answered when what follows from it has been carried to where it belongs.
    answer: Option<(oneshot::Sender<Outcome>, Outcome)>,
    /// The shortest time between the last view and the next.
    frame: Duration,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        // Who asks before the first turn sees the desk as it was left, not an empty one.
        let mut view = parts.board.view(parts.started);
        parts.sign_in.show(&mut view);
        parts.views.send_replace(Arc::new(view));
        Self {
            parts,
            legs: Legs::default(),
            lamps: Lamps::default(),
            people: People::default(),
            tether: Tether::default(),
            referrals: Referrals::default(),
            stun: Stun::default(),
            audio: Audio::default(),
            sound_check: SoundCheck::default(),
            reminded: Reminded::default(),
            registrations: HashMap::new(),
            streams: 0,
            generation: 0,
            setup: None,
            watch: None,
            has_screen: false,
            stale: true,
            published: None,
            answer: None,
            frame: FRAME,
        }
    }

    /// Runs until [`Event::Stop`] or [`Event::Restart`] has been taken and the farewells are said; whether the desk
    /// shall be started anew.
    pub(crate) async fn run(mut self, mut events: mpsc::Receiver<Event>) -> bool {
        let now = Instant::now();
        for mailbox in &self.parts.mailboxes {
            self.parts.agent.subscribe(now, mailbox.account, &mailbox.user, Package::MessageSummary);
        }
        self.begin_sign_in(now);
        self.parts.board.handle(now, mailboxes::told(&self.parts.mailboxes));
        let volumes = self.parts.board.view(now).volumes;
        self.set_volumes(volumes);
        self.follow_stun();
        self.tether_to(now, self.parts.phone.clone());
        self.carry(now);
        let (mut farewell, mut is_restart) = (None, false);
        loop {
            let wake = self.next_deadline(farewell);
            let event = tokio::select! {
                event = events.recv() => event,
                () = sleep_until(wake) => None,
            };
            let (now, cpu) = (Instant::now(), turns::cpu_time());
            if farewell.is_some_and(|end| end <= now) {
                warn!("some peers did not answer the farewell");
                self.close_books(now);
                return is_restart;
            }
            match event {
                Some(Event::Stop) if farewell.is_none() => {
                    info!("stopping: ending calls, unregistering");
                    self.parts.agent.shut_down(now);
                    farewell = Some(now + FAREWELL);
                }
                Some(Event::Restart { reply }) => {
                    let is_granted = farewell.is_none() && self.is_quiet(now);
                    // A second wish, within the farewell, takes nothing back of the first.
                    is_restart |= is_granted;
                    // Who asked may have gone; the desk does what it was asked for.
                    let _ = reply.send(is_granted);
                    if is_granted {
                        info!("stopping to start anew: unregistering");
                        self.parts.agent.shut_down(now);
                        farewell = Some(now + FAREWELL);
                    }
                }
                // A call that was placed now would be ended by nobody.
                Some(Event::Command { reply, .. }) if farewell.is_some() => {
                    let reason = "the desk is shutting down".to_owned();
                    // A client that has gone needs no answer.
                    let _ = reply.send(Err(CommandError::Failed { reason }));
                }
                Some(event) => self.take(now, event),
                None => self.deadlines(now),
            }
            self.monitor_some(now);
            self.recheck_lamps(now);
            let mut drained = self.carry(now);
            self.settle_sign_in(now);
            drained |= self.carry(now);
            if let Some((reply, result)) = self.answer.take() {
                // A client that has gone needs no answer.
                let _ = reply.send(result);
            }
            self.calls_before_tests();
            self.publish_if_due(now);
            self.parts.gauges.turns.record(now.elapsed(), turns::cpu_time().saturating_sub(cpu));
            if drained && farewell.is_some() {
                info!("stopped: every peer answered");
                self.close_books(now);
                return is_restart;
            }
        }
    }

    /// What would still be said of transfers is not heard any more: calls that wait for it go to the log as they are.
    fn close_books(&mut self, now: Instant) {
        self.parts.board.handle(now, Input::Closing);
        self.carry(now);
    }

    fn next_deadline(&self, farewell: Option<Instant>) -> TokioInstant {
        let frame = self.stale.then(|| self.published.map_or_else(Instant::now, |at| at + self.frame));
        let deadlines = [
            self.parts.agent.poll_timeout(),
            self.parts.board.deadline(),
            frame,
            farewell,
            self.lamps.next(),
            self.tether.next(),
        ];
        let next = deadlines.into_iter().flatten().min();
        // An hour, when there is nothing to wait for: the loop only turns once more.
        next.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600)).into()
    }

    fn deadlines(&mut self, now: Instant) {
        self.tether_deadline(now);
        if self.parts.agent.poll_timeout().is_some_and(|at| at <= now) {
            self.parts.agent.handle_timeout(now);
        }
        if self.parts.board.deadline().is_some_and(|at| at <= now) {
            self.parts.board.handle(now, Input::Deadline);
        }
    }

    fn take(&mut self, now: Instant, event: Event) {
        match event {
            // A flood from a stranger costs neither its reading nor room in the trace.
            Event::Datagram { from, bytes } if self.parts.agent.turns_away(now, from, &bytes) => {}
            Event::Datagram { from, bytes } => {
                let local = self.parts.net.local_of(from.into());
                self.parts.trace.came(local, from.into(), &bytes);
                self.parts.agent.handle_datagram(now, from, &bytes);
            }
            Event::Stream(news) => self.take_stream(now, news),
            Event::Command { command, reply } => {
                let result = self.obey(now, &command);
                if let Err(error) = &result {
                    info!(?command, %error, "command not possible");
                }
                self.answer = Some((reply, result));
            }
            // A client that has gone needs no answer.
            Event::Census { reply } => drop(reply.send(self.census(now))),
            Event::Trace { wanted, reply } => drop(reply.send(self.parts.trace.page(wanted))),
            Event::CallFigures { reply } => drop(reply.send(self.parts.trace.figures())),
            Event::Resolved { id, result } => {
                let (result, lifetime) = match result {
                    Ok(Found { targets, lifetime }) => (Ok(targets), lifetime),
                    Err(reason) => (Err(reason), Duration::ZERO),
                };
                self.parts.agent.resolved_for(now, id, result, lifetime);
            }
            Event::StunServer { name, found } => self.stun_found(&name, found),
            Event::XmppTrouble => self.tell_troubles(),
            Event::Media(event) => self.take_media(now, event),
            Event::Sound(wish) => self.check_sound(wish),
            Event::SignIn(news) => self.take_sign_in(now, news),
            Event::Contacts(news) => self.take_contacts(now, news),
            Event::Records(event) => self.take_records(now, event),
            Event::Timetable(mode) => self.parts.board.handle(now, Input::Timetable { mode }),
            Event::Settings(change) => self.administer(now, *change),
            // The connection may be gone whose news this is.
            Event::Person { .. } if self.parts.xmpp.is_none() => {}
            Event::Person { address, state, text } => {
                self.parts.board.handle(now, Input::Person { address, state, text });
            }
            Event::Connectors(input) => self.parts.board.handle(now, *input),
            Event::Update(notice) => self.parts.board.handle(now, Input::Update(notice)),
            Event::PersonGone { address } => self.parts.board.handle(now, Input::PersonGone { address }),
            Event::Setup(setup) => {
                self.setup = setup;
                self.stale = true;
            }
            Event::Watch(watch, has_screen) => {
                (self.watch, self.has_screen) = (watch, has_screen);
                self.stale = true;
            }
            Event::Say(said) => self.sound(self.parts.media.say(said)),
            Event::Reminders { view, chime } => self.take_reminders(*view, chime),
            Event::Look => self.look_for_address(now),
            // Taken in `run`.
            Event::Stop | Event::Restart { .. } => {}
        }
    }

    /// No call is up or parked, nor a transfer whose end is not known for good.
    fn is_quiet(&self, now: Instant) -> bool {
        let Census { calls, open_transfers, kept_rows, legs, sessions, .. } = self.census(now);
        let phone = u32::from(self.tether.session().is_some());
        // Who is parked comes back to this desk.
        let parked = self.parts.board.parked_count();
        [calls, open_transfers, kept_rows, parked, legs, sessions.saturating_sub(phone)] == [0; 6]
    }

    fn census(&self, now: Instant) -> Census {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let Parts { agent, board, .. } = &self.parts;
        let view = board.view(now);
        let is_ended = |transfer: &&TransferView| matches!(transfer.state, TransferState::Ended { .. });
        let ended = view.transfers.iter().filter(is_ended).count();
        Census {
            calls: count(view.incoming.len() + view.outgoing.len()),
            open_transfers: count(view.transfers.len() - ended),
            ended_transfers: count(ended),
            kept_rows: count(board.kept_rows()),
            legs: count(self.legs.by_call.len()),
            sessions: count(agent.live_sessions()),
            transactions: count(agent.transactions()),
            streams: self.streams,
        }
    }

    /// Carries everything that came out of one core to where it belongs; `true` once the agent is drained.
    fn carry(&mut self, now: Instant) -> bool {
        let mut drained = false;
        loop {
            while self.transmit(now) {}
            if let Some(event) = self.parts.agent.poll_event() {
                drained |= matches!(event, sip::Event::Drained);
                self.take_agent(now, event);
            } else if let Some(effect) = self.parts.board.poll_effect() {
                self.apply(now, effect);
            } else {
                break;
            }
        }
        self.stale |= self.parts.board.changed();
        drained
    }

    fn publish_if_due(&mut self, now: Instant) {
        if !self.stale || self.published.is_some_and(|at| now < at + self.frame) {
            return;
        }
        self.generation += 1;
        let before = turns::cpu_time();
        let mut view = self.parts.board.view(now);
        let took = turns::cpu_time().saturating_sub(before);
        self.frame = (took * VIEW_SHARE).clamp(FRAME, SLOWEST_FRAME);
        view.generation = self.generation;
        view.setup.clone_from(&self.setup);
        view.watch.clone_from(&self.watch);
        view.screen = self.has_screen;
        view.time_zone.clone_from(&self.parts.time_zone);
        self.show_encryption(&mut view);
        self.show_reminders(&mut view);
        // Last: it conceals what visitors must not read.
        self.parts.sign_in.show(&mut view);
        self.parts.views.send_replace(Arc::new(view));
        self.parts.gauges.views.fetch_add(1, Ordering::Relaxed);
        self.stale = false;
        self.published = Some(now);
    }
}
