//! A desk whose media engine runs on simulated time, with callers, a sound card and wake-ups that come late, all by dice
//! that fall the same way again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use media::{
    ByHand, Codec, Config, Direction, Event, Hold, Media, MemoryMicrophone, MemorySpeaker, Parts, StreamId,
};

use super::audio::AudioThread;
use super::caller::{Caller, Network, Words};
use super::tally::Tally;
use super::watch::Faults;
use crate::dice::Dice;
use crate::ports::Ports;

/// Samples a second of the desk, and in 10 ms.
const RATE: f64 = 48_000.0;
const FRAME: usize = 480;
/// How long after the start of speech it must be heard.
const GRACE: Duration = Duration::from_secs(1);
/// Time in which somebody who talks is heard at least once: the speech has pauses of more than a second.
const WINDOW: Duration = Duration::from_secs(2);
/// How long before it is said a caller makes its packets: less than the network takes.
const AHEAD: Duration = Duration::from_millis(10);
/// How long after a packet the media thread wakes.
const WAKING: Duration = Duration::from_micros(300);

/// A packet on its way: when it arrives, its turn among equals, whose, what.
type OnItsWay = Reverse<(Duration, u64, StreamId, Vec<u8>)>;

/// The desk and everybody it speaks with.
pub(super) struct Desk {
    pub(super) media: Media,
    by_hand: ByHand,
    audio: AudioThread,
    card: Card,
    events: Receiver<Event>,
    now: Duration,
    /// When the audio thread wakes next, and how late that is.
    wakes: (Duration, Duration),
    /// When the media thread wakes next, and how many datagrams are there for it.
    turns: Option<Duration>,
    arrived: u64,
    callers: BTreeMap<StreamId, Caller>,
    under_way: BinaryHeap<OnItsWay>,
    packets: u64,
    next_stream: u64,
    dice: Dice,
    /// Since when the operator hears somebody.
    voice: Option<Duration>,
    pub(super) tally: Tally,
    /// Owned so that they stay ours.
    _ports: Ports,
}

/// The sound card: a clock of its own, what it has played and heard by it.
struct Card {
    speaker: MemorySpeaker,
    microphone: MemoryMicrophone,
    ppm: f64,
    /// When it was last looked at, and by its own clock the samples until then.
    seen: Duration,
    samples: f64,
    played: u64,
    heard: u64,
    voice: Vec<i16>,
    /// The energy of what was played in this window, and its samples.
    window: f64,
    window_samples: u32,
}

impl Desk {
    /// One whose operator says `voice` over and over (48 kHz, whole packets of 10 ms), and whose callers on hold hear `music`.
    ///
    /// # Errors
    /// The media engine or its audio thread does not start.
    pub(super) fn new(voice: Vec<i16>, music: &Path, seed: u64) -> io::Result<Self> {
        let ports = Ports::take();
        let config = Config {
            speaker: "by hand".into(),
            microphone: "by hand".into(),
            ringer: "by hand".into(),
            rtp_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            rtp_ports: ports.rtp().0..=ports.rtp().1,
            hold: Hold::Music { path: music.to_owned() },
            ..Config::default()
        };
        let (sender, events) = channel();
        let parts = Parts::new(config, move |event| _ = sender.send(event)).map_err(io::Error::other)?;
        let Parts { media, by_hand, audio, speaker, microphone } = parts;
        let card = Card {
            speaker,
            microphone,
            ppm: 0.0,
            seen: Duration::ZERO,
            samples: 0.0,
            played: 0,
            heard: 0,
            voice,
            window: 0.0,
            window_samples: 0,
        };
        let mut desk = Self {
            media,
            by_hand,
            audio: AudioThread::start(audio)?,
            card,
            events,
            now: Duration::ZERO,
            wakes: (Duration::ZERO, Duration::ZERO),
            turns: None,
            arrived: 0,
            callers: BTreeMap::new(),
            under_way: BinaryHeap::with_capacity(1024),
            packets: 0,
            next_stream: 1,
            dice: Dice::new(seed),
            voice: None,
            tally: Tally::default(),
            _ports: ports,
        };
        desk.wait_for_recording();
        Ok(desk)
    }

    /// Has the sound card run `ppm` millionths too fast from now on.
    pub(super) fn card_runs(&mut self, ppm: i32) {
        self.card.ppm = f64::from(ppm);
    }

    /// A call: its stream is open and connected.
    pub(super) fn call(&mut self, codec: Codec, network: Network, ppm: i32, words: Words) -> StreamId {
        let id = StreamId(self.next_stream);
        self.next_stream += 1;
        let address = self.media.open(id).expect("ports for the callers there are");
        let seed = 1 + self.dice.below(u64::MAX - 1);
        let caller = Caller::new(address, codec, network, words, (self.now, ppm), seed).expect("free ports");
        let remote = caller.remote(Direction::SendRecv).expect("an address");
        self.media.connect(id, remote).expect("taken");
        self.turn();
        self.callers.insert(id, caller);
        self.tally.calls += 1;
        id
    }

    /// What is agreed with a caller changes.
    pub(super) fn agree(&mut self, id: StreamId, direction: Direction, codec: Option<(Codec, Words)>) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        if let Some((codec, words)) = codec {
            caller.change(codec, words);
        }
        let remote = caller.remote(direction).expect("an address");
        self.media.connect(id, remote).expect("taken");
        self.turn();
    }

    /// The call ends, and what was counted of it is added up.
    pub(super) fn hang_up(&mut self, id: StreamId) {
        // What has come for it is read first: a closed port loses it.
        self.turn();
        self.media.close(id).expect("taken");
        self.turn();
        let Some(caller) = self.callers.remove(&id) else { return };
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::Closed { stream, stats, .. } if stream == id => {
                    self.tally.add(caller.network, caller.lost, &stats);
                }
                _ => {}
            }
        }
    }

    /// From here on the operator hears somebody, or (`false`) perhaps nobody.
    pub(super) fn expect_voice(&mut self, on: bool) {
        self.voice = on.then(|| self.now + GRACE);
    }

    /// Lets time pass; each of `talking` must hear the operator all the while.
    pub(super) fn pass(&mut self, seconds: u64, talking: &[StreamId]) {
        for id in talking {
            self.callers.get_mut(id).map(Caller::heard);
        }
        for _ in 0..seconds {
            let end = self.now + Duration::from_secs(1);
            while self.wakes.0 <= end {
                self.tick();
            }
            self.run_until(end);
            self.callers.values_mut().for_each(Caller::listen);
        }
        for id in talking {
            let heard = self.callers.get_mut(id).map_or(0, Caller::heard);
            // By the desk's clock, which follows its sound card: packets at the edges may count for either side.
            self.tally.unheard += (seconds * 50).saturating_sub(u64::from(heard) + 3);
        }
    }

    /// Ends everything; what the audio thread did that it must not.
    pub(super) fn end(self) -> (Tally, Faults) {
        let Desk { media, by_hand, audio, card, mut tally, .. } = self;
        tally.late_buffers = media.timing().late_buffers;
        tally.wakes = media.timing().wakes();
        (tally.starved, tally.left_out) = (card.speaker.starved(), card.speaker.left_out());
        drop((media, by_hand));
        (tally, audio.end())
    }

    /// The audio thread wakes, and then, some time later, the media thread.
    fn tick(&mut self) {
        let (at, late) = self.wakes;
        self.run_until(at);
        let silent = self.card.run(at);
        let expected = self.voice.is_some_and(|since| since + WINDOW <= at);
        self.tally.silent_windows += u64::from(silent == Some(true) && expected);
        self.tally.voiced_windows += u64::from(silent.is_some() && expected);
        let due = at.saturating_sub(late) + self.audio.tick(late);
        let late = late_by(&mut self.dice);
        self.wakes = ((due + late).max(at), late);
        let turn = at + late_by(&mut self.dice) + WAKING;
        self.turns = Some(self.turns.map_or(turn, |other| other.max(turn)));
        for (&id, caller) in &mut self.callers {
            while caller.speaks_at <= at + AHEAD {
                if let Some(packet) = caller.speak() {
                    self.packets += 1;
                    self.under_way.push(Reverse((packet.arrives, self.packets, id, packet.bytes)));
                }
            }
        }
    }

    /// Packets arrive and the media thread wakes, each at its time.
    fn run_until(&mut self, end: Duration) {
        loop {
            let arrival = self.under_way.peek().map(|Reverse((at, ..))| *at).filter(|at| *at <= end);
            let turn = self.turns.filter(|at| *at <= end);
            match (arrival, turn) {
                (Some(at), turn) if turn.is_none_or(|turn| at <= turn) => self.arrive(),
                (_, Some(at)) => {
                    self.now = self.now.max(at);
                    self.turn();
                }
                _ => break,
            }
        }
        self.now = self.now.max(end);
    }

    fn arrive(&mut self) {
        let Some(Reverse((at, _, id, bytes))) = self.under_way.pop() else { return };
        self.now = self.now.max(at);
        // Who has hung up meanwhile says nothing any more.
        if self.callers.get(&id).is_some_and(|caller| caller.deliver(&bytes)) {
            self.arrived += 1;
            self.turns.get_or_insert(self.now + WAKING);
        }
    }

    fn turn(&mut self) {
        self.turns = None;
        let arrived = std::mem::take(&mut self.arrived);
        self.tally.packets += arrived;
        if !self.by_hand.turn_with(self.now, arrived) {
            self.tally.vanished += 1;
        }
    }

    /// Music is read by a thread of its own, which does not know simulated time.
    fn wait_for_recording(&mut self) {
        for _ in 0..10_000 {
            self.by_hand.turn(self.now);
            if self.events.try_iter().any(|event| matches!(event, Event::SoundReady { .. })) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the music was never read");
    }
}

impl Card {
    /// Plays and hears until `now`. Of each window that is over: whether it was silent.
    fn run(&mut self, now: Duration) -> Option<bool> {
        self.samples += now.saturating_sub(self.seen).as_secs_f64() * RATE * (1.0 + self.ppm * 1e-6);
        self.seen = now;
        let due = self.samples as u64;
        let play = (due - self.played) as usize;
        let (mut energy, mut count) = (0.0, 0);
        self.speaker.play(play, |piece| {
            energy += piece.iter().map(|&sample| f64::from(sample).powi(2)).sum::<f64>();
            count += piece.len() as u32;
        });
        self.played = due;
        while self.heard + FRAME as u64 <= due {
            let at = (self.heard as usize) % self.voice.len();
            if let Some(frame) = self.voice.get(at..at + FRAME).and_then(|frame| frame.try_into().ok()) {
                self.microphone.hear(frame);
            }
            self.heard += FRAME as u64;
        }
        (self.window, self.window_samples) = (self.window + energy, self.window_samples + count);
        if f64::from(self.window_samples) < RATE * WINDOW.as_secs_f64() {
            return None;
        }
        let level = (self.window / f64::from(self.window_samples)).sqrt();
        (self.window, self.window_samples) = (0.0, 0);
        Some(level < super::SILENT)
    }
}

/// How late a thread wakes: mostly hardly, now and then by some milliseconds, rarely by more than a tick.
fn late_by(dice: &mut Dice) -> Duration {
    let most_us = match dice.below(2_000) {
        0 => 14_000,
        1..20 => 4_000,
        _ => 200,
    };
    Duration::from_micros(dice.below(most_us))
}
