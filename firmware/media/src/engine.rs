//! The media thread: sockets, requests and the 10 ms tick, in one loop that waits only in the poller.
//!
//! Ticks come from the audio thread, which follows the sound device; should it stand still, the loop ticks by its
//! own timer, so that callers notice nothing of a device that hangs.
//! Not done here: what a stream does with its packets ([`crate::stream`]), and opening devices
//! ([`crate::devices`]).

mod outside;
mod own_hold;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use self::own_hold::OwnHolds;
use crate::api::{
    Config, Ear, Error, Event, Hold, Remote, Ring, Role, Seat, SoundError, StreamId, Tone, Voice,
};
use crate::audio::{self, Audio, Shared, TICK};
use crate::device_list::DeviceList;
use crate::devices::{self, Devices};
use crate::frame::{Frame, SILENCE};
use crate::hold::{HoldSound, Pips};
use crate::loader::{Loaded, Loader, Purpose};
use crate::place::{Bus, Part, Place};
use crate::rtp::MAX_PACKET;
use crate::sound::Sound;
use crate::speaking::Speaking;
use crate::stream::{Stream, Wire};
use crate::stun::Probe;

const WAKE: Token = Token(0);
/// Ticks made up for in one go after the thread was kept from running: one second.
const CATCH_UP: u64 = 100;
/// The audio thread is taken to stand still after so long without a tick.
const STANDSTILL: Duration = Duration::from_millis(60);
/// Datagrams read from one socket, and from all, before the next tick: a flood waits in the kernel, or is lost.
const PER_SOCKET: u32 = 256;
const PER_TICK: u32 = 4096;
/// Seconds from 1900, where NTP begins, to 1970.
const NTP_UNIX: Duration = Duration::from_secs(2_208_988_800);
/// Requests to the device thread that may wait.
const DEVICE_QUEUE: usize = 32;
/// `SCHED_FIFO` priorities: the device first, then the network.
const AUDIO_PRIORITY: i32 = 50;
const MEDIA_PRIORITY: i32 = 40;

/// What the handle asks of the media thread.
pub(crate) enum Request {
    Open {
        stream: StreamId,
        rtp: StdSocket,
        rtcp: StdSocket,
    },
    Connect {
        stream: StreamId,
        remote: Box<Remote>,
    },
    Probe {
        stream: StreamId,
        server: SocketAddr,
    },
    Rename {
        stream: StreamId,
        to: StreamId,
    },
    Listen(Ear),
    Conference(Vec<Seat>),
    Hold(Hold),
    HoldOf {
        stream: StreamId,
        music: Option<PathBuf>,
    },
    Announce {
        stream: StreamId,
        path: PathBuf,
    },
    Close(StreamId),
    Digits {
        stream: StreamId,
        digits: String,
    },
    Tone(Option<Tone>),
    Ring(Option<Ring>),
    Chime,
    MuteMicrophone(bool),
    MuteSpeaker(bool),
    Meter(bool),
    MuteStream {
        stream: StreamId,
        on: bool,
    },
    Volume {
        output: f32,
        input: f32,
    },
    RingVolume(f32),
    Voice(Voice),
    ConnectAudio(bool),
    Telephone(Option<StreamId>),
    /// Without devices: where it rings.
    Device {
        role: Role,
        devices: Option<DeviceList>,
    },
}

/// Where events go.
pub(crate) type Sink = Arc<dyn Fn(Event) + Send + Sync>;

/// The running threads.
pub(crate) struct Threads {
    waker: Arc<Waker>,
    shared: Arc<Shared>,
    media: JoinHandle<()>,
    audio: JoinHandle<()>,
}

impl Threads {
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Waits for the threads. The media thread ends when the handle's queue is gone. The device thread is not
    /// waited for: it may be inside a driver.
    pub(crate) fn stop(self) {
        let _ = self.waker.wake();
        let _ = self.media.join();
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.audio.join();
    }
}

/// Starts everything.
pub(crate) fn start(config: &Config, inbox: Receiver<Request>, events: Sink) -> Result<Threads, Error> {
    let failed = |what: &'static str| move |source| Error::Start { what, source };
    let poll = Poll::new().map_err(failed("the poller"))?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE).map_err(failed("the waker"))?);
    let (device_poll, device_waker) = devices::poller().map_err(failed("the poller of devices"))?;
    let shared = Arc::new(Shared::new(device_waker));
    let (audio, frames, installs) = audio::new(Arc::clone(&shared), Arc::clone(&waker));
    let (requests, device_inbox) = sync_channel(DEVICE_QUEUE);
    let requests = devices::Requests::new(requests, Arc::clone(&shared));
    let prepare = config.realtime.then_some(prepare_device as fn());
    let devices =
        Devices::new(device_poll, device_inbox, installs, Arc::clone(&shared), Arc::clone(&events), prepare);
    let loader = Loader::start(Arc::clone(&waker)).map_err(failed("the thread for recordings"))?;
    let sound = Sound::new(config, frames, requests);
    let engine = Engine::new(poll, inbox, events, Arc::clone(&shared), sound, loader);
    Builder::new()
        .name("fd-devices".into())
        .spawn(move || devices.run())
        .map_err(failed("the device thread"))?;
    let (realtime, hold) = (config.realtime, config.hold.clone());
    let audio = spawn_audio(audio, realtime).map_err(failed("the audio thread"))?;
    let media = Builder::new().name("fd-media".into()).spawn(move || {
        if realtime {
            ask_for_realtime("fd-media", MEDIA_PRIORITY);
        }
        engine.run(hold);
    });
    match media {
        Ok(media) => Ok(Threads { waker, shared, media, audio }),
        Err(source) => {
            shared.stop.store(true, Ordering::Release);
            Err(Error::Start { what: "the media thread", source })
        }
    }
}

fn spawn_audio(audio: Audio, realtime: bool) -> io::Result<JoinHandle<()>> {
    Builder::new().name("fd-audio".into()).spawn(move || {
        if realtime {
            // The only thing this thread may log, and before its loop.
            ask_for_realtime("fd-audio", AUDIO_PRIORITY);
        }
        audio.run();
    })
}

/// For the thread of a sound device.
fn prepare_device() {
    ask_for_realtime("a sound device", AUDIO_PRIORITY);
}

/// Without the right to it (`CAP_SYS_NICE` or an rtprio limit) speech works too, with less margin under load.
fn ask_for_realtime(thread: &str, priority: i32) {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: `parameters` lives during the call; 0 names the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    if result != 0 {
        let reason = io::Error::last_os_error();
        tracing::info!(thread, %reason, "no real-time scheduling");
    }
}

struct Engine {
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
    operator: Speaking,
    /// What streams on hold are to hear, and what they hear meanwhile until its file has been read.
    wanted_hold: Hold,
    hold: HoldSound,
    own_holds: OwnHolds,
    loader: Loader,
    /// Sockets that had more to read than one tick allows.
    unread: Vec<Token>,
    read_this_tick: u32,
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
}

/// Our time, and the ticks done.
struct Clock {
    started: Instant,
    epoch: Duration,
    shared: Arc<Shared>,
    done: u64,
    last_tick: Instant,
}

impl Engine {
    fn new(
        poll: Poll,
        inbox: Receiver<Request>,
        events: Sink,
        shared: Arc<Shared>,
        sound: Sound,
        loader: Loader,
    ) -> Engine {
        // A clock before 1970 only spoils the round-trip times.
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Instant::now();
        Engine {
            poll,
            inbox,
            events,
            clock: Clock { started: now, epoch: NTP_UNIX + unix, shared, done: 0, last_tick: now },
            sound,
            streams: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next_token: WAKE.0 + 1,
            ear: Ear::Nobody,
            telephone: None,
            seats: Vec::new(),
            bus: Bus::new(),
            operator: Speaking::default(),
            wanted_hold: Hold::Beep,
            hold: HoldSound::Beep(Pips::default()),
            own_holds: OwnHolds::default(),
            loader,
            unread: Vec::new(),
            read_this_tick: 0,
        }
    }

    fn run(mut self, hold: Hold) {
        let mut ready = Events::with_capacity(512);
        self.sound.use_devices();
        self.set_hold(hold);
        loop {
            match self.poll.poll(&mut ready, Some(STANDSTILL / 2)) {
                Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                    tracing::error!("media poller failed, no speech any more: {e}");
                    return;
                }
                _ => {}
            }
            if !self.take_requests() {
                return self.close_all();
            }
            while let Some(loaded) = self.loader.loaded() {
                self.take_recording(loaded);
            }
            for event in &ready {
                if event.token() != WAKE {
                    self.read(event.token());
                }
            }
            for _ in 0..self.clock.due() {
                self.tick();
            }
        }
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
            Request::Telephone(stream) => {
                self.telephone = stream;
                self.arrange();
            }
            Request::Hold(hold) => self.set_hold(hold),
            Request::HoldOf { stream, music } => self.set_own_hold(stream, music),
            Request::Announce { stream, path } => self.announce(stream, path),
            Request::Close(stream) => self.close(stream),
            Request::Digits { stream, digits } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.stream.queue_digits(&digits);
                }
            }
            Request::MuteStream { stream, on } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.place.set_unheard(on);
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

    fn set_hold(&mut self, hold: Hold) {
        self.wanted_hold = hold.clone();
        match hold {
            Hold::Nothing => self.hold = HoldSound::Nothing,
            Hold::Beep => self.hold = HoldSound::Beep(Pips::default()),
            // A file of the same name may be another one by now.
            Hold::Music { path } => self.load(Purpose::Hold, path),
        }
    }

    fn announce(&mut self, id: StreamId, path: PathBuf) {
        let Some(entry) = self.streams.get_mut(&id) else {
            return (self.events)(Event::Announced { stream: id, complete: false });
        };
        if entry.message.replace(path.clone()).is_some() {
            (self.events)(Event::Announced { stream: id, complete: false });
        }
        self.load(Purpose::Announce(id), path);
    }

    fn load(&mut self, purpose: Purpose, path: PathBuf) {
        if let Err(error) = self.loader.load(purpose, path.clone()) {
            self.take_recording(Loaded { purpose, path, result: Err(error) });
        }
    }

    /// Plays what has been read, if it is still wanted.
    fn take_recording(&mut self, loaded: Loaded) {
        let Loaded { purpose, path, result } = loaded;
        match &result {
            Ok(recording) => {
                let (path, length_ms) = (path.clone(), recording.length_ms());
                (self.events)(Event::SoundReady { path, length_ms });
            }
            Err(error) => self.refuse(path.clone(), error.clone()),
        }
        match purpose {
            Purpose::Hold => {
                if self.wanted_hold == (Hold::Music { path }) {
                    self.hold = result.map_or_else(|_| HoldSound::Beep(Pips::default()), HoldSound::Music);
                }
            }
            Purpose::HoldOf(stream) => self.take_own_hold(stream, Loaded { purpose, path, result }),
            Purpose::Announce(id) => {
                let Some(entry) = self.streams.get_mut(&id) else { return };
                if entry.message.as_ref() != Some(&path) {
                    return;
                }
                entry.message = None;
                let over = match result {
                    Ok(message) if entry.place.part() == Part::Held => entry.stream.announce(message),
                    _ => true,
                };
                if over {
                    (self.events)(Event::Announced { stream: id, complete: false });
                }
            }
        }
    }

    fn refuse(&mut self, path: PathBuf, error: SoundError) {
        tracing::warn!(path = %path.display(), %error, "recording refused");
        (self.events)(Event::SoundRefused { path, error });
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
        let stats = entry.stream.stats();
        // The ports are free before anybody hears of it.
        drop(entry);
        (self.events)(Event::Closed { stream: id, stats });
    }

    fn close_all(&mut self) {
        while let Some((&id, _)) = self.streams.first_key_value() {
            self.close(id);
        }
    }

    /// Reads a socket until it is empty or has had its share.
    fn read(&mut self, token: Token) {
        let Some(&(id, wire)) = self.tokens.get(&token) else { return };
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
                    let now = self.clock.started.elapsed();
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
        self.watch_operator(&voice);
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
    }

    fn watch_operator(&mut self, voice: &Frame) {
        let there = self.ear == Ear::Conference && !self.seats.is_empty();
        let change =
            if there { self.operator.hear(Some(voice)) } else { self.operator.stop().then_some(false) };
        if let Some(on) = change {
            (self.events)(Event::OperatorSpeaking { on });
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

impl Clock {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// How many ticks to do now.
    fn due(&mut self) -> u64 {
        let ticks = self.shared.ticks.load(Ordering::Acquire);
        let behind = ticks.saturating_sub(self.done);
        if behind > CATCH_UP {
            self.done = ticks - CATCH_UP;
        }
        let due = if behind > 0 {
            behind.min(CATCH_UP)
        } else if self.last_tick.elapsed() > STANDSTILL {
            // As many as have passed, so that time does not slow down.
            (self.last_tick.elapsed().as_millis() / TICK.as_millis()) as u64
        } else {
            0
        };
        if due > 0 {
            self.done += due;
            self.last_tick = Instant::now();
        }
        due
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

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(ticks: u64) -> Clock {
        let shared = Arc::new(Shared::default());
        shared.ticks.store(ticks, Ordering::Release);
        let now = Instant::now();
        Clock { started: now, epoch: Duration::ZERO, shared, done: 0, last_tick: now }
    }

    #[test]
    fn ticks_are_done_once_each_and_made_up_for() {
        let mut clock = clock(0);
        assert_eq!(clock.due(), 0);
        clock.shared.ticks.store(1, Ordering::Release);
        assert_eq!((clock.due(), clock.due()), (1, 0));
        clock.shared.ticks.store(8, Ordering::Release);
        assert_eq!((clock.due(), clock.due()), (7, 0));
        // Beyond a second the past is let go.
        clock.shared.ticks.store(100_000, Ordering::Release);
        assert_eq!((clock.due(), clock.due()), (CATCH_UP, 0));
    }

    #[test]
    fn a_device_that_hangs_does_not_stop_the_clock_nor_count_twice() {
        let mut clock = clock(5);
        assert_eq!(clock.due(), 5);
        clock.last_tick -= Duration::from_millis(100);
        let alone = clock.due();
        assert!((10..=12).contains(&alone), "{alone}");
        // The audio thread is back and has counted the same time.
        clock.shared.ticks.store(5 + alone, Ordering::Release);
        assert_eq!(clock.due(), 0);
        clock.shared.ticks.store(6 + alone, Ordering::Release);
        assert_eq!(clock.due(), 1);
    }
}
