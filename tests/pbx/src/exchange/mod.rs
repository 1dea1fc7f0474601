//! The exchange itself: one user agent, one registrar, forty extensions and the calls between them.
//!
//! Bytes, time and commands are handed in, datagrams and replies come out; only the sound of each call has sockets of
//! its own ([`crate::leg`]). `desk_calls` holds everything the desk takes part in, `departures` how calls leave it,
//! `chats` what extensions do among themselves, `voicemail` the mailboxes, `call` what one call is and shows. Not done
//! here: the socket and the clock ([`crate::run`]).

mod call;
mod chats;
mod departures;
mod desk_calls;
mod voicemail;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::dialog_info::{self, Dialog, DialogState, Participant};
use sip::{Event, Message, Method, NotifierId, NotifierState, RequestId, SessionId, Transmit, UserAgent};

use crate::demo::{self, Directory, EXTENSIONS, FIRST_EXTENSION};
use crate::lamps::{Document, Lamps};
use crate::plan::{self, Behaviour, PARK_SLOTS};
use crate::registrar::Registrar;
use crate::report::{CallReport, Command, ExtensionReport, Failure, FinishedReport, Heard, Reply, Report};
use crate::script::{Arrival, Chat, Script, Story};
use call::{Call, Party};
use departures::Redirection;
use voicemail::Mailbox;

/// Calls of all kinds at once.
const MOST_CALLS: usize = 64;
/// Finished calls remembered for reports.
const MOST_FINISHED: usize = 256;
/// Lifetime of a lamp subscription, longest and by default.
const WATCH: Duration = Duration::from_secs(600);

/// What an exchange is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is reached; the address also serves as SIP domain and realm.
    pub address: SocketAddr,
    /// User of the desk's account.
    pub user: String,
    /// Password of the desk's account.
    pub password: String,
    /// What happens by itself.
    pub script: Script,
    /// Decides who calls when.
    pub seed: u64,
    /// How long somebody who does not answer is rung in a transfer, until 408.
    pub transfer_patience: Duration,
    /// Makes tags, Call-IDs and challenges unpredictable.
    pub secret: u64,
}

/// One exchange.
pub struct Exchange {
    agent: UserAgent,
    settings: Settings,
    domain: String,
    registrar: Registrar,
    behaviours: BTreeMap<u16, Behaviour>,
    names: BTreeMap<u16, String>,
    lamps: Lamps,
    /// By extension, and the desk's own.
    mailboxes: BTreeMap<u16, Mailbox>,
    mailbox_watchers: Vec<NotifierId>,
    calls: BTreeMap<u64, Call>,
    finished: VecDeque<FinishedReport>,
    next_call: u64,
    story: Story,
    /// The story begins when the desk first registers.
    begun: bool,
    arrival: Option<(Instant, Arrival)>,
    chat: Option<(Instant, Chat)>,
    /// When phones become busy or free by themselves.
    turns: BTreeMap<u16, (Instant, Behaviour)>,
    drained: bool,
    /// What the datagram in hand says, if it is a 302 of the desk.
    redirection: Option<Redirection>,
    /// Something happened that lamps may show.
    stirred: bool,
}

impl Exchange {
    /// An exchange where nobody is registered yet.
    pub fn new(now: Instant, settings: Settings) -> Exchange {
        let mut config = sip::Config::new(settings.address);
        config.server = true;
        config.user_agent = concat!("frontdesk-pbx/", env!("CARGO_PKG_VERSION")).to_owned();
        config.max_sessions = MOST_CALLS;
        config.codecs = vec![sip::Codec::Pcma, sip::Codec::Pcmu];
        // Every request here is a stranger's: one desk, with a lamp subscription for each extension.
        config.stranger_rate = 400;
        config.stranger_burst = 2000;
        let domain = domain(settings.address);
        let key = format!("{:016x}", settings.secret);
        let story = Story::new(settings.script, settings.seed);
        let extensions = FIRST_EXTENSION..FIRST_EXTENSION + EXTENSIONS;
        let staff = demo::people(Directory::Staff);
        let mut exchange = Exchange {
            agent: UserAgent::new(config, settings.secret),
            registrar: Registrar::new(now, &domain, &settings.user, &settings.password, &key),
            behaviours: extensions.clone().map(|extension| (extension, story.behaviour(extension))).collect(),
            names: extensions.zip(staff.iter().map(demo::Person::name)).collect(),
            lamps: Lamps::default(),
            mailboxes: BTreeMap::from([(plan::MAILBOX, Mailbox::OF_THE_DESK)]),
            mailbox_watchers: Vec::new(),
            calls: BTreeMap::new(),
            finished: VecDeque::new(),
            next_call: 1,
            story,
            begun: false,
            arrival: None,
            chat: None,
            turns: BTreeMap::new(),
            drained: false,
            redirection: None,
            stirred: true,
            domain,
            settings,
        };
        exchange.show_lamps(now);
        exchange
    }

    /// One datagram from the SIP socket.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        match Redirection::take(bytes) {
            Some((redirection, response)) => {
                self.redirection = Some(redirection);
                self.agent.handle_datagram(now, from, &response);
            }
            None => self.agent.handle_datagram(now, from, bytes),
        }
        self.turn(now);
        // One that ended no call was a retransmission.
        self.redirection = None;
    }

    /// To be called when [`Exchange::deadline`] is reached.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        let due: Vec<u64> = self
            .calls
            .values()
            .filter(|call| call.due.is_some_and(|due| due <= now))
            .map(|call| call.id)
            .collect();
        for id in due {
            self.on_due(now, id);
        }
        self.tell_story(now);
        self.turn(now);
    }

    /// What somebody at the control line wants.
    pub fn command(&mut self, now: Instant, command: Command) -> Reply {
        self.stirred |= !matches!(command, Command::Report(_));
        let reply = match command {
            Command::Call(new) => self.command_call(now, new).map(|id| Reply::Call { call: id }),
            Command::Chat(chat) => {
                self.start_chat(now, &chat.from, &chat.to, chat.talk()).map(|id| Reply::Call { call: id })
            }
            Command::Hangup(id) => self.far_end_hangs_up(now, id).map(|()| Reply::Done { ok: true }),
            Command::Set(set) => self.set(now, &set.ext, &set.behaviour).map(|()| Reply::Done { ok: true }),
            Command::Report(_) => Ok(Reply::Report { report: Box::new(self.report(now)) }),
        };
        self.turn(now);
        reply.unwrap_or_else(|failure| Reply::Failed { error: failure.to_string() })
    }

    /// Speaks and listens on every leg; every 20 ms.
    pub fn tick(&mut self) {
        for desk in self.calls.values_mut().filter_map(|call| call.desk.as_mut()) {
            desk.leg.tick();
        }
    }

    /// Ends every call; [`Exchange::drained`] tells when the last answer has come.
    pub fn shut_down(&mut self, now: Instant) {
        self.arrival = None;
        self.chat = None;
        self.turns.clear();
        for id in self.calls.keys().copied().collect::<Vec<_>>() {
            self.finish(now, id, "exchange shut down");
        }
        self.agent.shut_down(now);
        self.turn(now);
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.agent.poll_transmit()
    }

    /// When [`Exchange::handle_timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        let calls = self.calls.values().filter_map(|call| call.due);
        let story = self.arrival.iter().map(|(at, _)| *at).chain(self.chat.iter().map(|(at, _)| *at));
        let story = story.chain(self.turns.values().map(|(at, _)| *at));
        calls.chain(story).chain(self.agent.poll_timeout()).min()
    }

    /// Everything is over after [`Exchange::shut_down`].
    pub fn drained(&self) -> bool {
        self.drained
    }

    /// Takes all events, then lets the lamps show what has become of it.
    fn turn(&mut self, now: Instant) {
        while let Some(event) = self.agent.poll_event() {
            self.on_event(now, event);
        }
        if std::mem::take(&mut self.stirred) {
            self.show_lamps(now);
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        // Only what may begin, move or end a call changes a lamp.
        self.stirred |= matches!(
            event,
            Event::Incoming { .. } | Event::Answered { .. } | Event::Refer { .. } | Event::Ended { .. }
        );
        match event {
            Event::Request { id, message, from } => self.on_request(now, id, &message, from.address),
            Event::SubscriptionRequest { id, message, .. } => self.on_subscribe(now, id, &message),
            Event::Notifier { notifier, state } => self.on_notifier(now, notifier, state),
            Event::Incoming { session, replaces, request, .. } => {
                self.on_desk_calls(now, session, replaces, &request);
            }
            Event::Answered { session, media, .. } => self.on_desk_answers(now, session, media),
            Event::Confirmed { session, media } | Event::MediaChanged { session, media } => {
                if let Some(desk) = self.desk_leg(session) {
                    desk.leg.agree(media);
                }
            }
            Event::RemoteHold { session, held } => {
                if let Some(call) = self.call_of(session)
                    && let Some(desk) = call.desk.as_mut()
                {
                    desk.held = held;
                    if call.stage == call::Stage::Talking && call.waits.is_some() {
                        call.due = Some(call.until(now));
                    }
                }
            }
            Event::Refer { session, target, replaces, .. } => {
                self.on_refer(now, session, &target, replaces.as_ref());
            }
            Event::Ended { session, cause } => {
                let redirection = self.redirection.take_if(|_| (300..400).contains(&cause.code));
                self.on_desk_gone(now, session, &cause, redirection);
            }
            Event::Drained => self.drained = true,
            // An exchange registers, subscribes, holds and transfers nothing itself; ringing at the desk tells it
            // nothing new.
            other => tracing::trace!(?other, "not for an exchange"),
        }
    }

    fn on_request(&mut self, now: Instant, id: RequestId, message: &Message, from: SocketAddr) {
        let response = match message.method() {
            Some(Method::Register) => self.registrar.register(now, message, from),
            _ => Message::response(message, 501),
        };
        self.agent.respond(now, id, response);
        if !self.begun && self.registrar.device(now).is_some() {
            self.begun = true;
            self.next_arrival(now);
            self.next_chat(now);
            for &extension in self.story.comers_and_goers() {
                self.next_turn(now, extension);
            }
        }
    }

    fn on_subscribe(&mut self, now: Instant, id: RequestId, message: &Message) {
        if let Err(challenges) = self.registrar.authenticate(now, message) {
            let mut response = Message::response(message, 401);
            for challenge in challenges {
                response.push("WWW-Authenticate", challenge);
            }
            return self.agent.respond(now, id, response);
        }
        let refuse = |agent: &mut UserAgent, code| agent.respond(now, id, Message::response(message, code));
        let user = message.to().and_then(|to| to.uri.user).unwrap_or_default();
        let event = message.header("Event").unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !self.lamps.has_room() {
            return refuse(&mut self.agent, 503);
        }
        let expires =
            message.expires().map_or(WATCH, |seconds| Duration::from_secs(seconds.into())).min(WATCH);
        let watchable = plan::extension(&user).or_else(|| plan::park_slot(&user));
        match (package.as_str(), watchable) {
            ("dialog", Some(extension)) if self.behaviours.get(&extension) == Some(&Behaviour::Offline) => {
                refuse(&mut self.agent, 480);
            }
            ("dialog", Some(extension)) => {
                let notifier = self.agent.accept_subscription(now, id, expires);
                let entity = format!("sip:{extension}@{}", self.domain);
                let document = notifier.and_then(|notifier| self.lamps.watch(notifier, extension, entity));
                self.send_document(now, document);
            }
            ("message-summary", _) if user == self.registrar.user() && self.mailbox_has_room() => {
                if let Some(notifier) = self.agent.accept_subscription(now, id, expires) {
                    self.mailbox_watchers.push(notifier);
                    self.send_mailbox(now, notifier);
                }
            }
            ("dialog" | "message-summary", _) => refuse(&mut self.agent, 404),
            _ => {
                let mut response = Message::response(message, 489);
                response.push("Allow-Events", "dialog, message-summary");
                self.agent.respond(now, id, response);
            }
        }
    }

    fn on_notifier(&mut self, now: Instant, notifier: NotifierId, state: NotifierState) {
        let mailbox = self.mailbox_watchers.contains(&notifier);
        match state {
            NotifierState::Refreshed if mailbox => self.send_mailbox(now, notifier),
            NotifierState::Refreshed => {
                let document = self.lamps.full(notifier);
                self.send_document(now, document);
            }
            NotifierState::Ended => {
                self.lamps.unwatch(notifier);
                self.mailbox_watchers.retain(|other| *other != notifier);
            }
        }
    }

    fn send_document(&mut self, now: Instant, document: Option<Document>) {
        if let Some(Document { to, info }) = document {
            self.agent.notify(now, to, dialog_info::CONTENT_TYPE, info.write(), false);
        }
    }

    fn show_lamps(&mut self, now: Instant) {
        for extension in (FIRST_EXTENSION..FIRST_EXTENSION + EXTENSIONS).chain(PARK_SLOTS) {
            let dialogs = self.dialogs_of(extension);
            if dialogs == self.lamps.shown(extension) {
                continue;
            }
            for document in self.lamps.show(extension, dialogs) {
                self.send_document(now, Some(document));
            }
        }
    }

    /// Everything the phone of `extension` is doing, or who waits in a park slot.
    fn dialogs_of(&self, extension: u16) -> Vec<Dialog> {
        let names = |party: &Party| self.name_of(party);
        let (desk, salt) = (self.registrar.user(), self.settings.secret);
        let calls = self.calls.values();
        let calls = calls.filter_map(|call| call.dialog(extension, names, desk, &self.domain, salt));
        self.standing_dialog(extension).into_iter().chain(calls).collect()
    }

    /// The lamp of a phone that is always busy, or does not want to be disturbed. RFC 4235 has no word for the latter;
    /// exchanges show a call nobody has made. Ours names it.
    fn standing_dialog(&self, extension: u16) -> Option<Dialog> {
        let (id, display) = match self.behaviours.get(&extension)? {
            Behaviour::Busy => ("busy", None),
            Behaviour::DoNotDisturb => ("dnd", Some("Do Not Disturb".to_owned())),
            _ => return None,
        };
        let identity = format!("sip:{extension}@{}", self.domain);
        let local = Participant { identity: identity.clone(), display: None, target: None };
        let remote = display.map(|display| Participant { identity, display: Some(display), target: None });
        Some(Dialog {
            id: id.to_owned(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: None,
            state: DialogState::Confirmed,
            local: Some(local),
            remote,
        })
    }

    fn name_of(&self, party: &Party) -> Option<String> {
        match party {
            Party::Desk => Some("Front desk".to_owned()),
            Party::Extension(extension) | Party::Voicemail(extension) => self.names.get(extension).cloned(),
            Party::Park(slot) => Some(format!("Park {slot}")),
            Party::Outside(caller) => caller.name.clone(),
        }
    }

    fn set(&mut self, now: Instant, extension: &str, behaviour: &str) -> Result<(), Failure> {
        let number = plan::extension(extension).ok_or_else(|| Failure::NoExtension(extension.to_owned()))?;
        let behaviour: Behaviour = behaviour.parse()?;
        self.turns.remove(&number);
        self.behaviours.insert(number, behaviour);
        if behaviour == Behaviour::Offline {
            for notifier in self.lamps.watchers_of(number) {
                self.agent.notify(now, notifier, dialog_info::CONTENT_TYPE, Vec::new(), true);
                self.lamps.unwatch(notifier);
            }
        }
        Ok(())
    }

    /// Whether the phone of `extension` can take one call more. Ben Whitaker has two lines.
    fn is_free(&self, extension: u16) -> bool {
        let capacity = if extension == FIRST_EXTENSION + 1 { 2 } else { 1 };
        self.calls.values().filter(|call| call.occupies(extension)).count() < capacity
    }

    fn add(&mut self, call: Call) -> u64 {
        let id = call.id;
        tracing::info!(call = id, from = call.from.label(), to = call.to.label(), "call");
        self.calls.insert(id, call);
        self.stirred = true;
        id
    }

    fn new_id(&mut self) -> Result<u64, Failure> {
        if self.calls.len() >= MOST_CALLS {
            return Err(Failure::Full);
        }
        let id = self.next_call;
        self.next_call += 1;
        Ok(id)
    }

    /// The call is over for everybody; the desk's leg is hung up if there still is one.
    fn finish(&mut self, now: Instant, id: u64, outcome: &str) {
        let Some(mut call) = self.calls.remove(&id) else { return };
        if let Some(session) = take_desk(&mut call) {
            self.agent.hang_up(now, session);
        }
        tracing::info!(call = id, outcome, "call over");
        self.stirred = true;
        if self.finished.len() == MOST_FINISHED {
            self.finished.pop_front();
        }
        self.finished.push_back(FinishedReport {
            id,
            from: call.from.label(),
            to: call.to.label(),
            outcome: outcome.to_owned(),
            heard: call.heard,
        });
    }

    fn call_of(&mut self, session: SessionId) -> Option<&mut Call> {
        self.calls.values_mut().find(|call| call.desk.as_ref().is_some_and(|desk| desk.session == session))
    }

    fn desk_leg(&mut self, session: SessionId) -> Option<&mut call::DeskLeg> {
        self.call_of(session)?.desk.as_mut()
    }

    fn on_due(&mut self, now: Instant, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.due = None;
        self.stirred = true;
        match call.stage {
            call::Stage::ChatRinging | call::Stage::ChatTalking => self.chat_due(now, id),
            _ => self.desk_call_due(now, id),
        }
    }

    fn tell_story(&mut self, now: Instant) {
        if let Some((_, arrival)) = self.arrival.take_if(|(at, _)| *at <= now) {
            self.next_arrival(now);
            self.arrive(now, arrival);
        }
        if let Some((_, chat)) = self.chat.take_if(|(at, _)| *at <= now) {
            self.next_chat(now);
            self.chat_begins(now, &chat);
        }
        let turned = self.turns.extract_if(.., |_, (at, _)| *at <= now).collect::<Vec<_>>();
        for (extension, (_, behaviour)) in turned {
            self.behaviours.insert(extension, behaviour);
            self.stirred = true;
            self.next_turn(now, extension);
        }
    }

    fn next_turn(&mut self, now: Instant, extension: u16) {
        if let Some(turn) = self.story.turn(extension) {
            self.turns.insert(extension, (now + turn.pause, turn.behaviour));
        }
    }

    fn next_arrival(&mut self, now: Instant) {
        self.arrival = self.story.arrival().map(|arrival| (now + arrival.pause, arrival));
    }

    fn next_chat(&mut self, now: Instant) {
        self.chat = self.story.chat().map(|chat| (now + chat.pause, chat));
    }

    fn report(&self, now: Instant) -> Report {
        let extensions = self.behaviours.iter().map(|(&extension, behaviour)| ExtensionReport {
            extension: extension.to_string(),
            behaviour: behaviour.to_string(),
            calls: self.calls.values().filter(|call| call.occupies(extension)).count(),
        });
        Report {
            registered: self.registrar.devices(now).map(|device| device.uri.clone()).collect(),
            watchers: self.lamps.watchers(),
            extensions: extensions.collect(),
            calls: self.calls.values().map(report_call).collect(),
            finished: self.finished.iter().cloned().collect(),
        }
    }
}

/// Takes the leg to the desk away and keeps what it heard.
fn take_desk(call: &mut Call) -> Option<SessionId> {
    let desk = call.desk.take()?;
    call.heard.extend(desk.leg.heard());
    Some(desk.session)
}

fn report_call(call: &Call) -> CallReport {
    let stage = match &call.stage {
        call::Stage::AtDesk => "ringing at the desk".to_owned(),
        call::Stage::Ringing { .. } | call::Stage::ChatRinging => "ringing".to_owned(),
        call::Stage::Talking | call::Stage::ChatTalking => "talking".to_owned(),
        call::Stage::Leaving { target, how, .. } => format!("{} {}", how.words().0, target.label()),
        call::Stage::Away { target: Party::Park(slot), .. } => format!("parked at {slot}"),
        call::Stage::Away { target, how, .. } => format!("{} {}", how.words().1, target.label()),
    };
    let sound = call.desk.as_ref().map(|desk| {
        let (sent, received) = desk.leg.packets();
        Heard {
            now: desk.leg.hears(),
            level_dbfs: desk.leg.level(),
            changes: desk.leg.heard(),
            sent,
            received,
            strangers: desk.leg.strangers(),
        }
    });
    CallReport {
        id: call.id,
        from: call.from.label(),
        to: call.to.label(),
        line: call.line.map(|line| line.number.to_owned()),
        stage,
        diversions: call.diversions.clone(),
        held: call.desk.as_ref().is_some_and(|desk| desk.held),
        sound,
    }
}

/// The address as a SIP domain.
fn domain(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
