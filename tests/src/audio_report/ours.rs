//! Our own ear: the media engine as the desk has it, with a file for a loudspeaker.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use media::{Codec, Config, DeviceState, Direction, Ear, Event, Media, Remote, Role, Stats, StreamId};

use super::ear::{Heard, Moments};
use super::speech::RATE;
use crate::ports::Ports;
use crate::sound::Recording;

/// Bytes of the file before its samples.
const HEAD: u64 = 44;
/// Time between two looks at the length of the file.
const LOOK: Duration = Duration::from_micros(500);
const SOON: Duration = Duration::from_secs(10);

/// A running media engine.
pub(super) struct Ours {
    media: Media,
    events: Receiver<Event>,
    codec: Codec,
    payload_type: u8,
    calls: u64,
    /// Owned so that they stay ours.
    _ports: Ports,
    speaker: Speaker,
}

/// A file that a loudspeaker's samples are written to in real time, watched.
pub(super) struct Speaker {
    path: PathBuf,
    moments: Arc<Mutex<Moments>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ours {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub(super) fn start(folder: &Path, codec: Codec, payload_type: u8) -> Self {
        let ports = Ports::take();
        let path = folder.join("ours.wav");
        let config = Config {
            speaker: format!("wav:{}", path.display()).into(),
            microphone: "none".into(),
            ringer: "none".into(),
            rtp_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            rtp_ports: ports.rtp().0..=ports.rtp().1,
            ..Config::default()
        };
        let (sender, events) = channel();
        let media = Media::start(config, move |event| _ = sender.send(event)).expect("media starts");
        let ours = Self {
            media,
            events,
            codec,
            payload_type,
            calls: 0,
            _ports: ports,
            speaker: Speaker::watch(path),
        };
        ours.wait(|event| {
            let open = matches!(event, Event::Device { role: Role::Speaker, state: DeviceState::Open, .. });
            open.then_some(())
        });
        ours
    }

    /// Takes a call from `peer`; gives back where it listens.
    #[track_caller]
    pub(super) fn answer(&mut self, peer: SocketAddr) -> SocketAddr {
        self.calls += 1;
        let stream = StreamId(self.calls);
        let address = self.media.open(stream).expect("a free port");
        let remote = Remote {
            rtp: peer,
            rtcp: None,
            rtcp_mux: false,
            srtp: None,
            codec: self.codec,
            payload_type: self.payload_type,
            remote_payload_type: self.payload_type,
            also: Vec::new(),
            dtmf_payload_type: None,
            dtmf_clock_hz: 8_000,
            ptime_ms: 20,
            direction: Direction::SendRecv,
        };
        self.media.connect(stream, remote).expect("media runs");
        self.media.listen(Ear::Stream(stream)).expect("media runs");
        address
    }

    /// Ends the call; gives back what it counted.
    #[track_caller]
    pub(super) fn hang_up(&mut self) -> Stats {
        let stream = StreamId(self.calls);
        self.media.close(stream).expect("media runs");
        self.wait(|event| match event {
            Event::Closed { stream: closed, stats, .. } if closed == stream => Some(stats),
            _ => None,
        })
    }

    /// What was played from `begin` to `end`.
    pub(super) fn heard(&self, begin: Instant, end: Instant) -> Heard {
        self.speaker.heard(begin, end)
    }

    #[track_caller]
    fn wait<T>(&self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let end = Instant::now() + SOON;
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(rest).expect("media says what it did");
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }
}

impl Speaker {
    /// Watches how the file at `path` grows, whoever writes it.
    pub(super) fn watch(path: PathBuf) -> Self {
        let (moments, over) = (Arc::<Mutex<Moments>>::default(), Arc::<AtomicBool>::default());
        let thread = thread::spawn({
            let (path, moments, over) = (path.clone(), Arc::clone(&moments), Arc::clone(&over));
            move || watch(&path, &moments, &over)
        });
        Self { path, moments, over, thread: Some(thread) }
    }

    /// What was played from `begin` to `end`.
    ///
    /// # Panics
    /// When nothing was.
    #[track_caller]
    pub(super) fn heard(&self, begin: Instant, end: Instant) -> Heard {
        let origin = self.moments.lock().unwrap_or_else(PoisonError::into_inner).origin(RATE, begin, end);
        let origin = origin.expect("the loudspeaker's file grows");
        let skipped = begin.saturating_duration_since(origin);
        let length = end.saturating_duration_since(origin.max(begin));
        // No more of it: the whole of an hour is hundreds of megabytes, and reading them makes the engine in this very
        // process late, which no baresip is.
        let recording = Recording::read_headless_part(&self.path, RATE, skipped, length);
        // Whole samples only were skipped: less than a twentieth of a millisecond.
        Heard { from: origin + skipped, recording: recording.expect("the loudspeaker's file can be read") }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that is not known.
            let _ = thread.join();
        }
    }
}

fn watch(path: &Path, moments: &Mutex<Moments>, over: &AtomicBool) {
    let mut known = 0;
    while !over.load(Ordering::Relaxed) {
        let samples = fs::metadata(path).map_or(0, |file| file.len().saturating_sub(HEAD) / 2) as usize;
        if samples > known {
            moments.lock().unwrap_or_else(PoisonError::into_inner).note(Instant::now(), known);
            known = samples;
        }
        thread::sleep(LOOK);
    }
}
