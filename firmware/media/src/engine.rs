//! The media thread: sockets, requests and the 10 ms tick, in one loop that waits only in the poller.
//!
//! Ticks come from the audio thread, which follows the sound device; should it stand still, the loop ticks by its
//! own timer, so that callers notice nothing of a device that hangs.
//! Not done here: what a stream does with its packets ([`crate::stream`]), and opening devices
//! ([`crate::devices`]).

mod clock;
mod marks;
mod outside;
mod own_hold;
mod recordings;
mod request;
mod threads;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Registry, Token};

use self::own_hold::OwnHolds;
use crate::api::{Ear, Event, Hold, Remote, Seat, Stats, StreamId};
use crate::frame::SILENCE;
use crate::hold::{HoldSound, Pips};
use crate::loader::Loader;
use crate::place::{Bus, Part, Place};
use crate::rtp::MAX_PACKET;
use crate::sound::Sound;
use crate::stream::{Stream, Wire};
use crate::stun::Probe;
use crate::timing::Timing;
use clock::{Clock, STANDSTILL};
pub(crate) use request::Request;
pub(crate) use threads::{Made, Threads, by_hand, start};

const WAKE: Token = Token(0);
/// Datagrams read from one socket, and from all, before the next tick: a flood waits in the kernel, or is lost.
const PER_SOCKET: u32 = 256;
const PER_TICK: u32 = 4096;
/// Where events go.
pub(crate) type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// What the media thread owns.
pub(crate) struct Engine {
    poll: Poll,
    inbox: Receiver<Request>,
    events: Sink,
    clock: Clock,
    sound: Sound,
    streams: BTreeMap<StreamId, Entry>,
    tokens: BTreeMap<Token, (StreamId, Wire)>,
    next_token: usize,
    ear: Ear,
    /// The stream over which the operator speaks, in place of the devices.
    telephone: Option<StreamId>,
    seats: Vec<Seat>,
    bus: Bus,
    /// What streams on hold are to hear, and what they hear meanwhile until its file has been read.
    wanted_hold: Hold,
    hold: HoldSound,
    own_holds: OwnHolds,
    loader: Loader,
    /// Sockets that had more to read than one tick allows.
    unread: Vec<Token>,
    read_this_tick: u32,
    /// Datagrams read since the start.
    datagrams: u64,
}

/// A stream and its sockets.
struct Entry {
    stream: Stream,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    tokens: [Token; 2],
    read_this_tick: u32,
    place: Place,
    /// Asks a server how it sees the ports.
    probe: Option<Probe>,
    /// The message being read for this stream.
    message: Option<PathBuf>,
    /// How punctual the audio thread was before it was opened.
    timing: Timing,
}

impl Engine {
    fn new(
        poll: Poll,
        inbox: Receiver<Request>,
        events: Sink,
        clock: Clock,
        sound: Sound,
        loader: Loader,
    ) -> Engine {
        Engine {
            poll,
            inbox,
            events,
            clock,
            sound,
            streams: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_token: WAKE.0 + 1,
            ear: Ear::Nobody,
            telephone: None,
            seats: Vec::new(),
            bus: Bus::new(),
            wanted_hold: Hold::Beep,
            hold: HoldSound::Beep(Pips::default()),
            own_holds: OwnHolds::default(),
            loader,
            unread: Vec::new(),
            read_this_tick: 0,
            datagrams: 0,
        }
    }

    fn run(mut self, hold: Hold) {
        let mut ready = Events::with_capacity(512);
        self.begin(hold);
        while self.turn(&mut ready, Some(STANDSTILL / 2)) {}
    }

    /// Asks for the devices, and has what streams on hold hear read.
    pub(crate) fn begin(&mut self, hold: Hold) {
        self.sound.use_devices();
        self.set_hold(hold);
    }

    /// Waits for something to do, at most so long, and does it; false when it was the last turn.
    pub(crate) fn turn(&mut self, ready: &mut Events, at_most: Option<Duration>) -> bool {
        match self.poll.poll(ready, at_most) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                tracing::error!("media poller failed, no speech any more: {e}");
                return false;
            }
            _ => {}
        }
        if !self.take_requests() {
            self.close_all();
            return false;
        }
        while let Some(loaded) = self.loader.loaded() {
            self.take_recording(loaded);
        }
        for event in &*ready {
            if event.token() != WAKE {
                self.read(event.token());
            }
        }
        for _ in 0..self.clock.due() {
            self.tick();
        }
        true
    }

    /// Makes it `now`: from here on the time is handed in.
    pub(crate) fn make_it(&mut self, now: Duration) {
        self.clock.set(now);
    }

    /// Datagrams read since the start.
    pub(crate) fn datagrams(&self) -> u64 {
        self.datagrams
    }

    /// Takes what the handle asks; false when it is gone.
    fn take_requests(&mut self) -> bool {
        loop {
            match self.inbox.try_recv() {
                Ok(request) => self.take(request),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Open { stream, rtp, rtcp } => {
                if let Err(e) = self.open(stream, rtp, rtcp) {
                    tracing::error!(stream = stream.0, "cannot watch RTP sockets: {e}");
                }
            }
            Request::Connect { stream, remote } => self.connect(stream, *remote),
            Request::Probe { stream, server } => self.probe(stream, server),
            Request::Rename { stream, to } => self.rename(stream, to),
            Request::Listen(ear) => {
                self.ear = ear;
                self.arrange();
            }
            Request::Conference(seats) => {
                self.seats = seats;
                self.arrange();
            }
            Request::Test(test) => {
                if let Some(news) = self.sound.set_test(test) {
                    (self.events)(news);
                }
            }
            Request::Telephone(stream) => {
                self.telephone = stream;
                self.arrange();
            }
            Request::Hold(hold) => self.set_hold(hold),
            Request::HoldOf { stream, music } => self.set_own_hold(stream, music),
            Request::Announce { stream, path } => self.announce(stream, path),
            Request::Close(stream) => self.close(stream),
            Request::Mark(stream) => self.mark(stream),
            Request::Digits { stream, digits } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.stream.queue_digits(&digits);
                }
            }
            other => self.sound.take(other),
        }
    }

    fn open(&mut self, id: StreamId, rtp: StdSocket, rtcp: StdSocket) -> io::Result<()> {
        self.close(id);
        let mut rtp = UdpSocket::from_std(rtp);
        let mut rtcp = UdpSocket::from_std(rtcp);
        let tokens = [Token(self.next_token), Token(self.next_token + 1)];
        self.next_token += 2;
        let registry = self.poll.registry();
        registry.register(&mut rtp, tokens[0], Interest::READABLE)?;
        registry.register(&mut rtcp, tokens[1], Interest::READABLE)?;
        self.tokens.insert(tokens[0], (id, Wire::Rtp));
        self.tokens.insert(tokens[1], (id, Wire::Rtcp));
        let stream = Stream::new(id, self.clock.now(), self.clock.epoch, random());
        let entry = Entry {
            stream,
            rtp,
            rtcp,
            tokens,
            read_this_tick: 0,
            place: Place::new(),
            probe: None,
            message: None,
            timing: self.clock.shared().timing.read(),
        };
        self.streams.insert(id, entry);
        self.arrange();
        Ok(())
    }

    fn connect(&mut self, id: StreamId, remote: Remote) {
        let Some(entry) = self.streams.get_mut(&id) else {
            return tracing::warn!(stream = id.0, "connect of a stream that is not open");
        };
        if !remote.direction.receives() {
            entry.fade_away(self.clock.now(), &mut self.bus);
        }
        if let Err(e) = entry.stream.connect(remote) {
            tracing::error!(stream = id.0, "not connected: {e}");
        }
    }

    /// Gives every stream its part. One that goes on hold is live for one tick more, in which it fades.
    fn arrange(&mut self) {
        let operator = self.ear == Ear::Conference;
        for (&id, entry) in &mut self.streams {
            let part = match self.seats.iter().find(|seat| seat.stream == id) {
                // Neither on hold nor spoken to: it is where the operator is.
                _ if self.telephone == Some(id) => Part::Held,
                _ if self.ear == Ear::Stream(id) => Part::Alone,
                Some(seat) => Part::Member { muted: seat.muted, operator },
                None => Part::Held,
            };
            entry.place.set(part);
            if part == Part::Held && self.telephone != Some(id) {
                continue;
            }
            // Who talks hears no message any more, be it playing or still being read.
            let playing = entry.stream.set_live(true);
            if playing || entry.message.take().is_some() {
                (self.events)(Event::Announced { stream: id, complete: false });
            }
        }
    }

    fn close(&mut self, id: StreamId) {
        let Some(mut entry) = self.streams.remove(&id) else { return };
        self.own_holds.forget(id);
        entry.fade_away(self.clock.now(), &mut self.bus);
        if let Some(on) = entry.place.silence() {
            (self.events)(Event::Speaking { stream: id, on });
        }
        let Entry { stream, rtp, rtcp, .. } = &mut entry;
        stream.close(self.clock.now(), &mut |wire, to, bytes| transmit(rtp, rtcp, wire, to, bytes));
        entry.deregister(self.poll.registry());
        for token in entry.tokens {
            self.tokens.remove(&token);
        }
        if self.telephone == Some(id) {
            self.telephone = None;
        }
        self.seats.retain(|seat| seat.stream != id);
        if self.ear == Ear::Stream(id) {
            self.ear = Ear::Nobody;
        }
        let timing = self.clock.shared().timing.read().since(&entry.timing);
        let stats = Stats { timing, ..entry.stream.stats() };
        let seconds = entry.stream.seconds(self.clock.now());
        // The ports are free before anybody hears of it.
        drop(entry);
        (self.events)(Event::Closed { stream: id, stats, seconds });
    }

    fn close_all(&mut self) {
        while let Some((&id, _)) = self.streams.first_key_value() {
            self.close(id);
        }
    }

    /// Reads a socket until it is empty or has had its share.
    fn read(&mut self, token: Token) {
        let Some(&(id, wire)) = self.tokens.get(&token) else { return };
        let now = self.clock.now();
        let Some(entry) = self.streams.get_mut(&id) else { return };
        let Entry { stream, rtp, rtcp, read_this_tick, probe, .. } = entry;
        let socket = if wire == Wire::Rtp { rtp } else { rtcp };
        // One byte more than is believed, to know what is too long.
        let mut buffer = [0; MAX_PACKET + 1];
        loop {
            if *read_this_tick >= PER_SOCKET || self.read_this_tick >= PER_TICK {
                // The poller tells of new data only, so what is left must be remembered.
                self.unread.push(token);
                return;
            }
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    *read_this_tick += 1;
                    self.read_this_tick += 1;
                    self.datagrams += 1;
                    if probe.as_mut().is_some_and(|probe| probe.receive(wire, from, &buffer[..length])) {
                        continue;
                    }
                    match wire {
                        Wire::Rtp => stream.receive(now, from, &buffer[..length], &mut |e| (self.events)(e)),
                        Wire::Rtcp => stream.receive_rtcp(now, from, &buffer[..length]),
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn tick(&mut self) {
        self.read_this_tick = 0;
        for entry in self.streams.values_mut() {
            entry.read_this_tick = 0;
        }
        for token in std::mem::take(&mut self.unread) {
            self.read(token);
        }
        // Whoever calls is heard at once, and hears nothing of a test.
        let talks = self.ear != Ear::Nobody || self.telephone.is_some();
        if let Some(end) = self.sound.check_test(talks) {
            (self.events)(end);
        }
        let now = self.clock.now();
        let telephone = self.telephone.filter(|id| self.streams.contains_key(id));
        let voice = match telephone.and_then(|id| self.streams.get_mut(&id)) {
            Some(entry) => self.sound.listen_to(entry.stream.play(now)),
            None => self.sound.listen(),
        };
        for (&id, entry) in self.streams.iter_mut().filter(|(id, _)| Some(**id) != telephone) {
            let heard = entry.stream.play(now);
            if let Some(on) = entry.place.hear(heard.as_ref(), &mut self.bus) {
                (self.events)(Event::Speaking { stream: id, on });
            }
        }
        for (&id, entry) in self.streams.iter_mut().filter(|(id, _)| Some(**id) != telephone) {
            let Entry { stream, rtp, rtcp, place, .. } = entry;
            let said = place.mix(&self.bus, &voice);
            let mut events = |event| (self.events)(event);
            let hold = self.own_holds.of(id, &mut self.hold);
            stream.tick(now, &said, hold, &mut events, &mut |wire, to, bytes| {
                transmit(rtp, rtcp, wire, to, bytes);
            });
            if place.part() == Part::Held {
                stream.set_live(false);
            }
        }
        self.ask_servers();
        let heard = self.sound.hear(&self.bus.finish());
        match telephone.and_then(|id| self.streams.get_mut(&id)) {
            Some(Entry { stream, rtp, rtcp, .. }) => {
                let mut events = |event| (self.events)(event);
                stream.tick(now, &heard, &mut self.hold, &mut events, &mut |wire, to, bytes| {
                    transmit(rtp, rtcp, wire, to, bytes);
                });
                self.sound.speak(&SILENCE);
            }
            None => self.sound.speak(&heard),
        }
        if let Some(levels) = self.sound.levels() {
            (self.events)(levels);
        }
        if let Some(news) = self.sound.test_news() {
            (self.events)(news);
        }
    }
}

impl Entry {
    /// Lets what is heard of the stream die away, because the next 10 ms of it will not come.
    fn fade_away(&mut self, now: Duration, bus: &mut Bus) {
        if let Some(last) = self.stream.play(now) {
            self.place.hear_last(&last, bus);
        }
    }

    fn deregister(&mut self, registry: &Registry) {
        // Closing the sockets would do it too; an error changes nothing.
        let _ = registry.deregister(&mut self.rtp);
        let _ = registry.deregister(&mut self.rtcp);
    }
}

fn transmit(rtp: &UdpSocket, rtcp: &UdpSocket, wire: Wire, to: SocketAddr, bytes: &[u8]) {
    let socket = match wire {
        Wire::Rtp => rtp,
        Wire::Rtcp => rtcp,
    };
    // A full queue or an unreachable peer is a lost packet, which RTP is made for; RTCP tells of it.
    let _ = socket.send_to(bytes, to);
}

/// Unpredictable on the wire: the standard library keys its hasher from the system's random source.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
