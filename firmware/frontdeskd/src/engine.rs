//! The one writer: owns the user agent and the switchboard, takes one event at a time.
//!
//! A turn hands one event to its core, then carries what comes out of either core to the other, to the
//! sound and to the records until nothing is left, and publishes a view if anything visible changed.
//! Nothing in a turn waits. What the words of one core are called in the other is in `bridge`.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ipc::{
    CallFigures, CallRef, Census, Command, CommandError, OnlineState, Party, Registration, ServiceMode,
    SetupView, TransferState, TransferView, View, WatchView,
};
use media::{Media, StreamId};
use sip::{AccountId, HostPort, Package, ResolveId, SessionId, UserAgent, sdp::LocalMedia};
use switchboard::Input;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant as TokioInstant, sleep_until},
};
use tracing::{error, info, warn};

use crate::{
    administer::Change,
    audio::Audio,
    board::Board,
    bridge,
    connectors::Connectors,
    contacts::{Contacts, News, Who},
    intercept::Intercepting,
    lamps::Lamps,
    mailboxes::{self, Mailbox},
    names::{Found, Names},
    net::{self, Net},
    people::People,
    records,
    records::Records,
    referral::Referrals,
    stun::{self, Stun},
    tether::{Phone, Tether},
    trace::{Entry, Trace, Wanted},
    turns::{self, Turns},
    xmpp::{self, Xmpp},
};

/// The shortest time between two views.
const FRAME: Duration = Duration::from_millis(16);
/// A view of thousands of lamps takes its time to build. Between two of them the engine does other things for so
/// many times as long, and at least shows something new as often as [`SLOWEST_FRAME`].
const VIEW_SHARE: u32 = 8;
const SLOWEST_FRAME: Duration = Duration::from_millis(100);
/// Ended calls of which late news is still understood: more than end within the two seconds in which the
/// switchboard waits for it.
const MAX_DEPARTED: usize = 256;
/// How long the peers have to answer BYE and unregistration when the desk stops.
const FAREWELL: Duration = Duration::from_secs(4);

/// Whatever reaches the engine, in one order.
pub(crate) enum Event {
    /// From the SIP socket.
    Datagram {
        /// Sender.
        from: SocketAddr,
        /// As it came.
        bytes: Box<[u8]>,
    },
    /// From a connection.
    Stream(net::News),
    /// From a client of the Unix socket.
    Command {
        /// The wish.
        command: Command,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// How much of everything is held; for diagnostics.
    Census {
        /// Where the answer goes.
        reply: oneshot::Sender<Census>,
    },
    /// The SIP messages that are kept.
    Trace {
        /// Which.
        wanted: Wanted,
        /// Where the answer goes: a page, and whether more follow.
        reply: oneshot::Sender<(Vec<Entry>, bool)>,
    },
    /// What was counted of the newest calls.
    CallFigures {
        /// Where the answer goes.
        reply: oneshot::Sender<Vec<CallFigures>>,
    },
    /// A name was looked up.
    Resolved {
        /// The question.
        id: ResolveId,
        /// The targets behind it, or why there are none.
        result: Result<Found, String>,
    },
    /// The name of a STUN server was looked up.
    StunServer {
        /// As the settings have it.
        name: HostPort,
        /// Where it is, or why that is not known.
        found: Result<SocketAddr, String>,
    },
    /// From the sound.
    Media(media::Event),
    /// From the contacts.
    Contacts(News),
    /// From the records.
    Records(records::Event),
    /// The timetable's mode changed.
    Timetable(ServiceMode),
    /// From the XMPP server: whether a person is online.
    Person {
        /// As the directory has it.
        address: String,
        /// What they are.
        state: OnlineState,
        /// What they say about it.
        text: String,
    },
    /// A person is no longer watched there.
    PersonGone {
        /// As the directory has it.
        address: String,
    },
    /// From the connectors, for the switchboard as it is: who calls, and what they offer.
    Connectors(Box<Input>),
    /// An administrator has changed the settings.
    Settings(Box<Change>),
    /// How to open the administrator's page for the first time; `None` when somebody has.
    Setup(Option<SetupView>),
    /// Who wants to see the screen, or sees it.
    Watch(Option<WatchView>),
    /// Look whether this machine's address is still the same.
    Look,
    /// End every call, unregister, stop.
    Stop,
    /// Stop to be started anew, unless a call is up.
    Restart {
        /// Whether it does.
        reply: oneshot::Sender<bool>,
    },
}

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
    /// Customer databases and others that know callers.
    pub(crate) customers: Connectors,
    pub(crate) net: Net,
    /// The way to the name servers.
    pub(crate) names: Names,
    pub(crate) inbox: mpsc::Sender<Event>,
    pub(crate) views: watch::Sender<Arc<View>>,
    pub(crate) gauges: Arc<Gauges>,
    /// The newest SIP messages.
    pub(crate) trace: Trace,
    /// The accounts, as the agent has them.
    pub(crate) accounts: Vec<sip::Account>,
    /// Each line's number with its account.
    pub(crate) lines: Vec<(String, AccountId)>,
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
    /// Hears what is wrong with STUN servers.
    pub(crate) stun_troubles: watch::Sender<stun::Troubles>,
    /// When the switchboard's clock started, and the same moment in Unix milliseconds.
    pub(crate) started: (Instant, i64),
}

/// See the module.
pub(crate) struct Engine {
    pub(crate) parts: Parts,
    pub(crate) legs: Legs,
    pub(crate) lamps: Lamps,
    pub(crate) people: People,
    pub(crate) tether: Tether,
    pub(crate) referrals: Referrals,
    pub(crate) stun: Stun,
    audio: Audio,
    /// How each account stands, as far as it has been said.
    pub(crate) registrations: HashMap<AccountId, Registration>,
    /// RTP streams opened and not reported closed.
    pub(crate) streams: u32,
    generation: u64,
    /// Shown until the box has an administrator.
    setup: Option<SetupView>,
    /// Who wants to see the screen, or sees it.
    watch: Option<WatchView>,
    /// Something visible changed since the last view.
    pub(crate) stale: bool,
    published: Option<Instant>,
    /// The shortest time between the last view and the next.
    frame: Duration,
}

/// Which call of the desk is which session on the wire.
#[derive(Default)]
pub(crate) struct Legs {
    pub(crate) by_call: HashMap<CallRef, Leg>,
    pub(crate) by_session: HashMap<SessionId, CallRef>,
    /// Those that have ended last: the fate of a transfer may come behind the BYE.
    departed: VecDeque<(SessionId, CallRef)>,
}

pub(crate) struct Leg {
    pub(crate) session: SessionId,
    /// The other end's number, as the wire or the operator said it.
    pub(crate) number: Option<String>,
    /// The line called or used; empty when it is none of ours.
    pub(crate) line: String,
    pub(crate) local: LocalMedia,
    /// What was agreed last about its sound, as far as it has been logged.
    pub(crate) agreed: Option<sip::sdp::Media>,
    /// It takes a call that rings on another phone.
    pub(crate) intercept: Option<Intercepting>,
    /// The other end called.
    pub(crate) came_in: bool,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Self {
        // Who asks before the first turn sees the desk as it was left, not an empty one.
        parts.views.send_replace(Arc::new(parts.board.view(parts.started.0)));
        Self {
            parts,
            legs: Legs::default(),
            lamps: Lamps::default(),
            people: People::default(),
            tether: Tether::default(),
            referrals: Referrals::default(),
            stun: Stun::default(),
            audio: Audio::default(),
            registrations: HashMap::new(),
            streams: 0,
            generation: 0,
            setup: None,
            watch: None,
            stale: true,
            published: None,
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
                return is_restart;
            }
            match event {
                Some(Event::Stop) if farewell.is_none() => {
                    info!("stopping: ending calls, unregistering");
                    self.parts.agent.shut_down(now);
                    farewell = Some(now + FAREWELL);
                }
                Some(Event::Restart { reply }) => {
                    is_restart = farewell.is_none() && self.is_quiet(now);
                    // Who asked may have gone; the desk does what it was asked for.
                    let _ = reply.send(is_restart);
                    if is_restart {
                        info!("stopping to start anew: unregistering");
                        self.parts.agent.shut_down(now);
                        farewell = Some(now + FAREWELL);
                    }
                }
                Some(event) => self.take(now, event),
                None => self.deadlines(now),
            }
            self.monitor_some(now);
            self.recheck_lamps(now);
            let drained = self.carry(now);
            self.publish_if_due(now);
            self.parts.gauges.turns.record(now.elapsed(), turns::cpu_time().saturating_sub(cpu));
            if drained && farewell.is_some() {
                info!("stopped: every peer answered");
                return is_restart;
            }
        }
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
            Event::Datagram { from, bytes } => {
                let local = self.parts.net.local_of(from.into());
                self.parts.trace.came(local, from.into(), &bytes);
                self.parts.agent.handle_datagram(now, from, &bytes);
            }
            Event::Stream(news) => self.take_stream(now, news),
            Event::Command { command, reply } => {
                let result = self.parts.board.command(now, &command);
                if let Err(error) = &result {
                    info!(?command, %error, "command not possible");
                }
                // A client that has gone needs no answer.
                let _ = reply.send(result);
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
            Event::Media(event) => self.take_media(now, event),
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
            Event::PersonGone { address } => self.parts.board.handle(now, Input::PersonGone { address }),
            Event::Setup(setup) => {
                self.setup = setup;
                self.stale = true;
            }
            Event::Watch(watch) => {
                self.watch = watch;
                self.stale = true;
            }
            Event::Look => self.look_for_address(now),
            // Taken in `run`.
            Event::Stop | Event::Restart { .. } => {}
        }
    }

    fn take_media(&mut self, now: Instant, event: media::Event) {
        match event {
            media::Event::Device { role, name, state } => {
                let audio = self.audio.news(role, name, state);
                // Devices that rest say nothing of the telephone in their place.
                if !self.tether.is_on() {
                    self.parts.board.handle(now, Input::Audio(audio));
                }
            }
            media::Event::Mapped { stream, mapping } => self.stun_answered(now, stream, mapping),
            media::Event::Closed { stream, .. } if Stun::is_spare(stream) => {}
            media::Event::Closed { stream, stats } => {
                self.stun.forget(stream);
                self.streams = self.streams.saturating_sub(1);
                self.parts.trace.over(CallRef(stream.0), &stats);
            }
            media::Event::Media { stream, flowing } => info!(call = stream.0, flowing, "sound of a call"),
            media::Event::Digit { stream, digit, duration_ms } => {
                info!(call = stream.0, duration_ms, "digit received");
                let _ = digit;
            }
            media::Event::Speaking { stream, on } => {
                self.parts.board.handle(now, Input::Speaking { call: CallRef(stream.0), on });
            }
            media::Event::SoundReady { path, length_ms } => {
                info!(path = %path.display(), length_ms, "recording")
            }
            media::Event::SoundRefused { path, error } => {
                warn!(path = %path.display(), %error, "a recording cannot be played");
            }
            media::Event::Announced { stream, complete } => {
                info!(call = stream.0, complete, "message played")
            }
            // The operator knows; and the meter is never asked for.
            media::Event::OperatorSpeaking { .. } | media::Event::Levels { .. } => {}
        }
    }

    /// No call is up, nor a transfer whose end is not known.
    fn is_quiet(&self, now: Instant) -> bool {
        let Census { calls, open_transfers, legs, sessions, .. } = self.census(now);
        let phone = u32::from(self.tether.session().is_some());
        [calls, open_transfers, legs, sessions.saturating_sub(phone)] == [0; 4]
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

    fn take_records(&mut self, now: Instant, event: records::Event) {
        let input = match event {
            records::Event::Failed { reason } => Input::StorageFailed { reason },
            records::Event::Works => Input::StorageWorks,
            records::Event::Tell(input) => *input,
        };
        self.parts.board.handle(now, input);
    }

    fn take_contacts(&mut self, now: Instant, news: News) {
        let input = match news {
            News::Identified { who: Who::Call(call), party } => {
                self.look_back(call, &party);
                Input::Identified { call, party }
            }
            News::Alerts(wishes) => Input::Alerts(wishes),
            News::Identified { who: Who::Target(transfer), party } => {
                Input::TargetIdentified { transfer, party }
            }
            News::Directories(directories) => Input::Directories(directories),
            News::Monitor(numbers) => return self.monitor(now, numbers),
            News::People(addresses) => return self.watch_everybody(now, addresses),
        };
        self.parts.board.handle(now, input);
    }

    /// Asks the records about a caller, once it is known who that is.
    fn look_back(&self, call: CallRef, party: &Party) {
        let came_in = self.legs.by_call.get(&call).is_some_and(|leg| leg.came_in);
        if let Some(number) = party.number.clone().filter(|_| came_in) {
            self.parts.records.look_back(call, number, party.contact);
        }
    }

    /// Watches exactly these people: those with SIP addresses by SIP, all others by XMPP.
    fn watch_everybody(&mut self, now: Instant, mut addresses: Vec<String>) {
        self.watch_people(now, addresses.clone());
        addresses.retain(|address| xmpp::is_ours(address));
        if let Some(xmpp) = &self.parts.xmpp {
            xmpp.watch(addresses);
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
        self.show_encryption(&mut view);
        self.parts.views.send_replace(Arc::new(view));
        self.parts.gauges.views.fetch_add(1, Ordering::Relaxed);
        self.stale = false;
        self.published = Some(now);
    }
}

/// From the wire to the desk.
impl Engine {
    fn take_agent(&mut self, now: Instant, event: sip::Event) {
        let Some(event) = self.of_a_referral(now, event) else { return };
        match event {
            sip::Event::Refer { session, target, replaces, referred_by } => {
                self.referred(now, session, &target, replaces, referred_by);
            }
            // Nobody else places calls at the operator's desk.
            sip::Event::Referral { id, .. } => self.parts.agent.refuse_referral(now, id, 603),
            sip::Event::Incoming { .. } => self.incoming(now, event),
            sip::Event::Registration { account, state } => self.registration(now, account, state),
            sip::Event::Dialogs { subscription, dialogs } => self.lamp_news(now, subscription, &dialogs),
            sip::Event::Presence { subscription, presence } => {
                self.person_news(now, subscription, &presence);
            }
            sip::Event::Subscription { subscription, state } => {
                self.lamp_standing(now, subscription, &state);
                self.person_standing(now, subscription, &state);
            }
            sip::Event::MessageSummary { account, waiting, new, mailbox, .. } => {
                let unread = new.unwrap_or(u32::from(waiting));
                let news = mailboxes::news(&mut self.parts.mailboxes, account, unread, mailbox);
                self.parts.board.handle(now, news);
            }
            sip::Event::Resolve { id, host, port, transport } => {
                self.parts.names.resolve(id, host, port, transport, self.parts.inbox.clone());
            }
            sip::Event::Connect { target, server_name } => self.open_connection(now, target, server_name),
            sip::Event::Ended { session, cause } => self.ended(now, session, cause),
            event => {
                if let Some(event) = self.take_phone(now, event) {
                    self.of_a_call(now, event);
                }
            }
        }
    }

    /// Events of a session whose call is on the desk.
    fn of_a_call(&mut self, now: Instant, event: sip::Event) {
        let call_of = |session| self.legs.by_session.get(&session).copied();
        let (call, media, input) = match event {
            sip::Event::Progress { session, code, early_media } => {
                let Some(call) = call_of(session) else { return };
                let input = Input::Progress { call, code, early_media: early_media.is_some() };
                (call, early_media, Some(input))
            }
            sip::Event::Answered { session, media, by } => {
                let Some(call) = call_of(session) else { return };
                let by = Some(bridge::party(by)).filter(|by| !self.is_only_the_way(call, by));
                if let Some(by) = &by {
                    self.identify_answerer(call, by);
                }
                (call, Some(media), Some(Input::Answered { call, by }))
            }
            sip::Event::Confirmed { session, media } => {
                let Some(call) = call_of(session) else { return };
                (call, Some(media), Some(Input::Confirmed { call }))
            }
            sip::Event::MediaChanged { session, media } => {
                let Some(call) = call_of(session) else { return };
                (call, Some(media), None)
            }
            sip::Event::Held { session } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::Held { call }))
            }
            sip::Event::Retrieved { session } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::Retrieved { call }))
            }
            sip::Event::HoldFailed { session, code, reason } => {
                let Some(call) = call_of(session) else { return };
                warn!(call = call.0, code, reason, "hold or retrieve refused");
                (call, None, Some(Input::HoldFailed { call, code, reason }))
            }
            sip::Event::RemoteHold { session, held } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::RemoteHold { call, held }))
            }
            sip::Event::PeerChanged { session, peer } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(self.party_changed(call, peer)))
            }
            sip::Event::TransferProgress { session, code, .. } => {
                let Some(call) = call_of(session) else { return };
                (call, None, Some(Input::TransferProgress { call, code }))
            }
            sip::Event::TransferEnded { session, result } => {
                let Some(call) = self.legs.call_or_departed(session) else { return };
                info!(call = call.0, ?result, "transfer ended");
                let result = bridge::transfer_result(result);
                (call, None, Some(Input::TransferEnded { call, result }))
            }
            // The exchange's side of the agent (`Config::server`) is off.
            _ => return,
        };
        if let Some(media) = media {
            self.connect(call, &media);
        }
        if let Some(input) = input {
            let joins =
                matches!(input, Input::Answered { .. } | Input::Confirmed { .. } | Input::Retrieved { .. });
            self.parts.board.handle(now, input);
            if joins {
                self.tether_news(now, call);
            }
        }
    }

    fn incoming(&mut self, now: Instant, event: sip::Event) {
        let sip::Event::Incoming { session, account, caller, called, diversion, replaces, request, .. } =
            event
        else {
            return;
        };
        let call = self.parts.board.next_call(now);
        let called_number = self.line_of(&called, diversion.as_ref());
        let caller = bridge::party(caller);
        let diverted_by = diversion.map(bridge::party);
        let replaces = replaces.and_then(|session| self.legs.by_session.get(&session).copied());
        // The Call-ID is what the exchange's own log knows this call by.
        let call_id = request.call_id();
        info!(call = call.0, from = caller.number, to = called_number, call_id, "incoming call");
        let Some(ip) = self.parts.agent.media_ip_of(session) else { return };
        let ports = match self.open_stream(StreamId(call.0), ip, account) {
            Ok(ports) => ports,
            Err(error) => {
                error!(call = call.0, %error, "call refused: no sound");
                return self.parts.agent.reject(now, session, 503);
            }
        };
        self.parts.trace.name(call, call_id);
        let local = self.local_media(account, ports);
        let line = called_number.clone();
        let number = caller.number.clone();
        self.legs
            .insert(call, Leg { session, number, line, local, agreed: None, intercept: None, came_in: true });
        self.parts.contacts.identify(Who::Call(call), caller.clone());
        self.parts.board.handle(now, Input::Incoming { call, caller, called_number, diverted_by, replaces });
    }

    /// The line meant: the number called where it is one of ours, else the one that sent the call on
    /// to us, else what was called.
    fn line_of(&self, called: &sip::Party, diversion: Option<&sip::Party>) -> String {
        let numbers =
            [Some(called), diversion].into_iter().flatten().filter_map(|party| party.number.as_deref());
        let ours = numbers.clone().find(|number| self.parts.lines.iter().any(|(line, _)| line == number));
        ours.or(called.number.as_deref()).unwrap_or_default().to_owned()
    }

    fn registration(&mut self, now: Instant, account: AccountId, state: sip::RegistrationState) {
        match &state {
            sip::RegistrationState::Failed { code, reason } => {
                warn!(account = account.0, code, reason, "registration failed");
            }
            state => info!(account = account.0, ?state, "registration"),
        }
        let state = bridge::registration(state);
        if self.parts.accounts.iter().any(|known| known.id == account) {
            self.registrations.insert(account, state.clone());
        }
        let lines: Vec<String> =
            self.parts.lines.iter().filter(|(_, of)| *of == account).map(|(line, _)| line.clone()).collect();
        for line in lines {
            self.parts.board.handle(now, Input::Registration { line, state: state.clone() });
        }
    }

    fn ended(&mut self, now: Instant, session: SessionId, cause: sip::Cause) {
        if self.phone_ended(now, session, &cause) || self.intercept_otherwise(now, session, &cause) {
            return;
        }
        let Some(call) = self.legs.remove(session) else { return };
        info!(call = call.0, by = ?cause.by, code = cause.code, reason = cause.reason, "call ended");
        self.parts.trace.ended(call);
        self.sound(self.parts.media.close(StreamId(call.0)));
        self.parts.board.handle(now, Input::Ended { call, cause: bridge::end_cause(cause) });
    }

    /// The exchange has transferred the other end, and says to whom; the directories are asked for the name.
    fn party_changed(&mut self, call: CallRef, peer: sip::Party) -> Input {
        let party = bridge::party(peer);
        if let Some(leg) = self.legs.by_call.get_mut(&call) {
            leg.number.clone_from(&party.number);
        }
        self.parts.contacts.identify(Who::Call(call), party.clone());
        Input::PartyChanged { call, party }
    }

    /// Asks who answered, when it is another number than the one dialled (a diversion, a group).
    fn identify_answerer(&self, call: CallRef, by: &Party) {
        let dialled = self.legs.by_call.get(&call).and_then(|leg| leg.number.as_ref());
        if by.number.is_some() && by.number.as_ref() != dialled {
            self.parts.contacts.identify(Who::Call(call), by.clone());
        }
    }
}

impl Legs {
    pub(crate) fn insert(&mut self, call: CallRef, leg: Leg) {
        self.by_session.insert(leg.session, call);
        self.by_call.insert(call, leg);
    }

    fn remove(&mut self, session: SessionId) -> Option<CallRef> {
        let call = self.by_session.remove(&session)?;
        self.by_call.remove(&call);
        if self.departed.len() == MAX_DEPARTED {
            self.departed.pop_front();
        }
        self.departed.push_back((session, call));
        Some(call)
    }

    /// The call of a session, though it may have ended a moment ago.
    fn call_or_departed(&self, session: SessionId) -> Option<CallRef> {
        let departed = || self.departed.iter().find(|(gone, _)| *gone == session).map(|(_, call)| *call);
        self.by_session.get(&session).copied().or_else(departed)
    }
}
