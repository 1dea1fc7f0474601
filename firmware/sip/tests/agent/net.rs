//! A fake wire with a fake clock: agents and scripted peers on one network that may lose, double,
//! delay and reorder datagrams, all from one seed.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{Account, AccountId, Codec, Config, Event, LocalMedia, Message, Method, SessionId, UserAgent};

/// How the wire treats datagrams.
#[derive(Clone, Copy)]
pub struct Weather {
    pub loss_percent: u64,
    pub double_percent: u64,
    pub delay_ms: u64,
    pub jitter_ms: u64,
}

pub const FAIR: Weather = Weather { loss_percent: 0, double_percent: 0, delay_ms: 2, jitter_ms: 0 };
pub const STORM: Weather = Weather { loss_percent: 25, double_percent: 15, delay_ms: 5, jitter_ms: 300 };

/// One agent on the wire and what it said that no test has looked at yet.
pub struct Station {
    pub at: SocketAddr,
    pub agent: UserAgent,
    pub events: VecDeque<Event>,
}

/// The network.
pub struct Net {
    pub now: Instant,
    pub start: Instant,
    pub weather: Weather,
    pub stations: Vec<Station>,
    /// What scripted peers received and no test has looked at yet.
    inboxes: BTreeMap<SocketAddr, VecDeque<Message>>,
    flight: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    next: u64,
    random: u64,
    /// Datagrams to scripted peers with nothing in them.
    pub keepalives: usize,
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn media(port: u16) -> LocalMedia {
    LocalMedia::plain(SocketAddr::from(([192, 0, 2, 1], port)), vec![Codec::Pcma, Codec::Pcmu])
}

pub fn account(registrar: SocketAddr) -> Account {
    Account {
        display_name: "Reception".into(),
        password: "secret".into(),
        register: false,
        ..Account::new(AccountId(1), "100", "pbx.example", registrar.into())
    }
}

impl Net {
    pub fn new(seed: u64, weather: Weather) -> Net {
        #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
        let now = Instant::now();
        Net {
            now,
            start: now,
            weather,
            stations: Vec::new(),
            inboxes: BTreeMap::new(),
            flight: BTreeMap::new(),
            next: 0,
            keepalives: 0,
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        }
    }

    /// An agent at `at`.
    pub fn agent(&mut self, at: &str) -> usize {
        self.agent_with(Config::new(address(at)))
    }

    pub fn agent_with(&mut self, config: Config) -> usize {
        let at = config.local;
        let seed = self.stations.len() as u64 + 77;
        self.stations.push(Station { at, agent: UserAgent::new(config, seed), events: VecDeque::new() });
        self.stations.len() - 1
    }

    /// An agent with one account whose registrar is the scripted peer `registrar`.
    pub fn phone(&mut self, at: &str, registrar: SocketAddr) -> usize {
        let station = self.agent(at);
        self.act(station, |agent, now| agent.add_account(now, account(registrar)));
        station
    }

    /// A place whose datagrams the test reads and writes itself.
    pub fn peer(&mut self, at: &str) -> SocketAddr {
        let at = address(at);
        self.inboxes.insert(at, VecDeque::new());
        at
    }

    pub fn seconds(&self) -> f64 {
        (self.now - self.start).as_secs_f64()
    }

    /// Has an agent do something now.
    pub fn act<T>(&mut self, station: usize, act: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let now = self.now;
        let result = act(&mut self.stations[station].agent, now);
        self.flush(station);
        result
    }

    /// Sends a message from a scripted peer.
    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, message: &Message) {
        self.send_bytes(from, to, message.write());
    }

    pub fn send_bytes(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.roll() < self.weather.loss_percent {
            return;
        }
        let copies = 1 + u64::from(self.roll() < self.weather.double_percent);
        for _ in 0..copies {
            let jitter = self.bits() % (self.weather.jitter_ms + 1);
            let at = self.now + Duration::from_millis(self.weather.delay_ms + jitter);
            self.next += 1;
            self.flight.insert((at, self.next), (from, to, bytes.clone()));
        }
    }

    /// Waits up to `limit` seconds for an event of a station; it is taken out of the queue.
    pub fn wait<T>(
        &mut self,
        station: usize,
        what: &str,
        limit: u64,
        mut pick: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        let until = self.now + Duration::from_secs(limit);
        loop {
            let events = &mut self.stations[station].events;
            if let Some((at, found)) = events.iter().enumerate().find_map(|(at, e)| pick(e).map(|f| (at, f)))
            {
                events.remove(at);
                return found;
            }
            if !self.step(until) {
                let events = &self.stations[station].events;
                panic!("station {station} never said {what} within {limit} s; it said {events:#?}");
            }
        }
    }

    /// Waits up to `limit` seconds for a message to a scripted peer; it is taken out of the inbox.
    pub fn receive(&mut self, peer: SocketAddr, what: &str, limit: u64) -> Message {
        let until = self.now + Duration::from_secs(limit);
        loop {
            let inbox = self.inboxes.get_mut(&peer).expect("a peer of this net");
            if let Some(at) = inbox.iter().position(|message| is(message, what)) {
                return inbox.remove(at).unwrap();
            }
            if !self.step(until) {
                let inbox: Vec<String> = self.inboxes[&peer].iter().map(ToString::to_string).collect();
                panic!("no {what} within {limit} s; inbox: {inbox:#?}");
            }
        }
    }

    /// Messages a peer has that no test looked at.
    pub fn count(&self, peer: SocketAddr, what: &str) -> usize {
        self.inboxes[&peer].iter().filter(|message| is(message, what)).count()
    }

    pub fn clear(&mut self, peer: SocketAddr) {
        self.inboxes.get_mut(&peer).unwrap().clear();
    }

    /// Lets `duration` pass.
    pub fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.step(until) {}
        self.now = until;
    }

    /// The events a station still has.
    pub fn said(&self, station: usize) -> Vec<String> {
        self.stations[station].events.iter().map(name).collect()
    }

    /// Does the next thing that happens before `until`; false if there is none.
    pub fn step(&mut self, until: Instant) -> bool {
        let datagram = self.flight.keys().next().map(|&(at, _)| at);
        let timer = self.stations.iter().filter_map(|station| station.agent.poll_timeout()).min();
        let Some(next) = [datagram, timer].into_iter().flatten().min().filter(|&at| at <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(next);
        if datagram == Some(next) {
            let ((_, _), (from, to, bytes)) = self.flight.pop_first().unwrap();
            self.deliver(from, to, &bytes);
        } else {
            for station in 0..self.stations.len() {
                if self.stations[station].agent.poll_timeout().is_some_and(|at| at <= self.now) {
                    self.time_out(station);
                }
            }
        }
        true
    }

    /// Turns until nothing is due any more; each must do something.
    fn time_out(&mut self, station: usize) {
        let now = self.now;
        for _ in 0..1_000 {
            self.stations[station].agent.handle_timeout(now);
            self.flush(station);
            if self.stations[station].agent.poll_timeout().is_none_or(|at| at > now) {
                return;
            }
        }
        panic!("a due timer did not go away");
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if let Some(station) = self.stations.iter().position(|station| station.at == to) {
            let now = self.now;
            self.stations[station].agent.handle_datagram(now, from, bytes);
            self.flush(station);
        } else if let Some(inbox) = self.inboxes.get_mut(&to) {
            if bytes.trim_ascii().is_empty() {
                self.keepalives += 1;
                return;
            }
            match Message::parse(bytes) {
                Ok(message) => inbox.push_back(message),
                // It has to repeat what it could not read.
                Err(error) => {
                    assert!(
                        bytes.starts_with(b"SIP/2.0 400 ") || bytes.starts_with(b"SIP/2.0 505 "),
                        "{error}: {}",
                        String::from_utf8_lossy(bytes)
                    )
                }
            }
        }
    }

    fn flush(&mut self, station: usize) {
        let from = self.stations[station].at;
        while let Some(transmit) = self.stations[station].agent.poll_transmit() {
            self.send_bytes(from, transmit.to.address, transmit.bytes);
        }
        while let Some(event) = self.stations[station].agent.poll_event() {
            self.stations[station].events.push_back(event);
        }
    }

    fn roll(&mut self) -> u64 {
        self.bits() % 100
    }

    pub fn random_ms(&mut self, below: u64) -> u64 {
        self.bits() % below
    }

    fn bits(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// Whether a message is the method or code named: `INVITE`, `200 INVITE`, `180`.
fn is(message: &Message, what: &str) -> bool {
    let mut words = what.split(' ');
    let first = words.next().unwrap_or_default();
    match message.code() {
        Some(code) => {
            code.to_string() == first
                && words.next().is_none_or(|method| message.cseq().unwrap().method.as_str() == method)
        }
        None => message.method().map(Method::as_str) == Some(first),
    }
}

/// The variant of an event.
pub fn name(event: &Event) -> String {
    format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// The session an event is about.
pub fn session_of(event: &Event) -> Option<SessionId> {
    match event {
        Event::Incoming { session, .. }
        | Event::Progress { session, .. }
        | Event::Answered { session, .. }
        | Event::Confirmed { session, .. }
        | Event::MediaChanged { session, .. }
        | Event::Held { session }
        | Event::Retrieved { session }
        | Event::HoldFailed { session, .. }
        | Event::DigitsFailed { session, .. }
        | Event::Digit { session, .. }
        | Event::RemoteHold { session, .. }
        | Event::PeerChanged { session, .. }
        | Event::TransferProgress { session, .. }
        | Event::TransferEnded { session, .. }
        | Event::Refer { session, .. }
        | Event::Ended { session, .. } => Some(*session),
        _ => None,
    }
}

/// Short names for the events tests wait for.
pub mod want {
    use sip::{Cause, Event, Media, SessionId, TransferResult};

    pub fn incoming(event: &Event) -> Option<SessionId> {
        if let Event::Incoming { session, .. } = event { Some(*session) } else { None }
    }
    pub fn answered(event: &Event) -> Option<Media> {
        if let Event::Answered { media, .. } = event { Some(media.clone()) } else { None }
    }
    pub fn confirmed(event: &Event) -> Option<Media> {
        if let Event::Confirmed { media, .. } = event { Some(media.clone()) } else { None }
    }
    pub fn ended(event: &Event) -> Option<Cause> {
        if let Event::Ended { cause, .. } = event { Some(cause.clone()) } else { None }
    }
    pub fn held(event: &Event) -> Option<()> {
        matches!(event, Event::Held { .. }).then_some(())
    }
    pub fn retrieved(event: &Event) -> Option<()> {
        matches!(event, Event::Retrieved { .. }).then_some(())
    }
    pub fn remote_hold(event: &Event) -> Option<bool> {
        if let Event::RemoteHold { held, .. } = event { Some(*held) } else { None }
    }
    pub fn progress(event: &Event) -> Option<u16> {
        if let Event::Progress { code, .. } = event { Some(*code) } else { None }
    }
    pub fn transferred(event: &Event) -> Option<TransferResult> {
        if let Event::TransferEnded { result, .. } = event { Some(result.clone()) } else { None }
    }
}
