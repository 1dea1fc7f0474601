//! What the tests of whole media instances share: a desk with WAV devices, its events, and an ear for tones.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod alsa;

use std::f64::consts::TAU;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use media::{Codec, Config, Direction, Event, Media, Remote, SrtpKeys, SrtpSuite, StreamId};

/// Nothing in these tests may take longer, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Test binaries run one after another but their tests at once: each desk gets ports of its own.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A media instance, what it plays, and what it says.
pub(crate) struct Desk {
    pub(crate) media: Media,
    pub(crate) events: Receiver<Event>,
    pub(crate) played: PathBuf,
    pub(crate) rang: PathBuf,
    /// What the operator hums, when there is a hum.
    pub(crate) hum: PathBuf,
    _dir: tempfile::TempDir,
}

impl Desk {
    /// A desk whose operator hums at `hz`, or is silent.
    pub(crate) fn new(hz: Option<f64>) -> Desk {
        Desk::with(hz, |_, _| {})
    }

    /// As `new`; `change` may change the settings, given the folder of the desk.
    pub(crate) fn with(hz: Option<f64>, change: impl FnOnce(&mut Config, &std::path::Path)) -> Desk {
        let dir = tempfile::tempdir().expect("a directory");
        let (played, rang, hum) =
            (dir.path().join("played.wav"), dir.path().join("rang.wav"), dir.path().join("hum.wav"));
        if let Some(hz) = hz {
            write_tone(&hum, hz, 48_000);
        }
        // Spread over processes too, so that runs side by side rarely meet; the range is tried in full anyway.
        let block = NEXT_PORT.fetch_add(1, Ordering::Relaxed) % 40;
        // Below the ports Linux gives out by itself (32768 and up).
        let first = 20_000 + (std::process::id() % 150) as u16 * 80 + block * 2;
        let mut config = Config {
            speaker: format!("wav:{}", played.display()).into(),
            microphone: if hz.is_some() {
                format!("wav-loop:{}", hum.display()).into()
            } else {
                "none".into()
            },
            ringer: format!("wav:{}", rang.display()).into(),
            rtp_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            rtp_ports: first..=first + 400,
            realtime: false,
            ..Config::default()
        };
        change(&mut config, dir.path());
        let (sender, events) = channel();
        let media = Media::start(config, move |event| _ = sender.send(event)).expect("starts");
        Desk { media, events, played, rang, hum, _dir: dir }
    }

    /// Waits for an event and returns what `pick` made of it; others are let go.
    pub(crate) fn wait<T>(&self, what: &str, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(rest).unwrap_or_else(|_| panic!("never happened: {what}"));
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }

    /// Waits until `seconds` more have been played than now, and returns just these.
    pub(crate) fn hear(&self, seconds: f64) -> Vec<i16> {
        let from = read(&self.played).len();
        read_from(&self.played, from, seconds)
    }

    /// Waits until what is played is as it should be for `seconds`. A busy machine may spoil a second or two, and
    /// what was said before a change takes a moment to be over; what is wrong stays wrong and ends the test.
    pub(crate) fn until_heard(&self, what: &str, seconds: f64, right: impl Fn(&[i16]) -> bool) -> Vec<i16> {
        let end = Instant::now() + PATIENCE;
        loop {
            let heard = self.hear(seconds);
            if right(&heard) {
                return heard;
            }
            assert!(Instant::now() < end, "never heard: {what}; level {:.0} at the end", rms(&heard));
        }
    }

    /// All that has been played so far.
    pub(crate) fn everything(&self) -> Vec<i16> {
        read(&self.played)
    }

    pub(crate) fn hear_ringer(&self, seconds: f64) -> Vec<i16> {
        let from = read(&self.rang).len();
        read_from(&self.rang, from, seconds)
    }
}

/// The far end `rtp` with `codec` as everybody numbers it.
pub(crate) fn remote(rtp: SocketAddr, codec: Codec) -> Remote {
    let payload_type = match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
        Codec::G722 => 9,
        Codec::Opus => 111,
    };
    Remote {
        rtp,
        rtcp: None,
        codec,
        payload_type,
        remote_payload_type: payload_type,
        also: Vec::new(),
        dtmf_payload_type: Some(101),
        dtmf_clock_hz: codec.clock_rate(),
        ptime_ms: 20,
        direction: Direction::SendRecv,
        rtcp_mux: false,
        srtp: None,
    }
}

/// Opens stream `id` on both desks and connects them to each other.
pub(crate) fn connect(a: &Desk, b: &Desk, id: StreamId, codec: Codec) {
    let a_rtp = a.media.open(id).expect("ports");
    let b_rtp = b.media.open(id).expect("ports");
    a.media.connect(id, remote(b_rtp, codec)).expect("taken");
    b.media.connect(id, remote(a_rtp, codec)).expect("taken");
}

/// As [`connect`], but encrypted, with RTCP on RTP's port.
pub(crate) fn connect_encrypted(
    a: &Desk,
    b: &Desk,
    id: StreamId,
    codec: Codec,
    suite: SrtpSuite,
    length: usize,
) {
    let a_rtp = a.media.open(id).expect("ports");
    let b_rtp = b.media.open(id).expect("ports");
    let far = |rtp, local: u8, far: u8| {
        let srtp = SrtpKeys { suite, local: vec![local; length], remote: vec![far; length] };
        Remote { rtcp_mux: true, srtp: Some(srtp), ..remote(rtp, codec) }
    };
    a.media.connect(id, far(b_rtp, 1, 2)).expect("taken");
    b.media.connect(id, far(a_rtp, 2, 1)).expect("taken");
}

fn read(path: &PathBuf) -> Vec<i16> {
    // The header is rewritten while the file grows, so a read may meet a file just being made.
    let Ok(reader) = hound::WavReader::open(path) else { return Vec::new() };
    reader.into_samples().map_while(Result::ok).collect()
}

fn read_from(path: &PathBuf, from: usize, seconds: f64) -> Vec<i16> {
    let wanted = (seconds * 48_000.0) as usize;
    let end = Instant::now() + PATIENCE + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        let samples = read(path);
        if samples.len() >= from + wanted {
            return samples[from..from + wanted].to_vec();
        }
        // A file cannot be waited for.
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} did not grow by {seconds} s", path.display());
}

/// One second of a sine at `hz`; loops without a step for whole `hz`.
pub(crate) fn write_tone(path: &std::path::Path, hz: f64, rate: u32) {
    write_sine(path, hz, rate, 10_000.0, 1);
}

/// As [`write_tone`], of another length.
pub(crate) fn write_seconds(path: &std::path::Path, hz: f64, rate: u32, seconds: u32) {
    write_sine(path, hz, rate, 10_000.0, seconds);
}

/// As [`write_tone`] at 48 kHz, of another level.
pub(crate) fn write_hum(path: &std::path::Path, hz: f64, level: f64) {
    write_sine(path, hz, 48_000, level, 1);
}

fn write_sine(path: &std::path::Path, hz: f64, rate: u32, level: f64, seconds: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file");
    for n in 0..rate * seconds {
        let sample = level * (TAU * hz * f64::from(n) / f64::from(rate)).sin();
        writer.write_sample(sample as i16).expect("writes");
    }
    writer.finalize().expect("writes");
}

/// Level of all of it, 0..=32768.
pub(crate) fn rms(samples: &[i16]) -> f64 {
    (samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

/// Share of the power that is at `hz`, 0.0..=1.0: Goertzel over pieces of 50 ms, so that a skip of phase where
/// the jitter buffer gained time does not count as another tone.
pub(crate) fn share(samples: &[i16], hz: f64) -> f64 {
    let (mut at_hz, mut all) = (0.0, 1e-9);
    for piece in samples.chunks_exact(2400) {
        let coefficient = 2.0 * (TAU * hz / 48_000.0).cos();
        let (mut s1, mut s2) = (0.0, 0.0);
        for &sample in piece {
            let s0 = f64::from(sample) + coefficient * s1 - s2;
            s2 = s1;
            s1 = s0;
        }
        at_hz += (s1 * s1 + s2 * s2 - coefficient * s1 * s2) * 2.0 / piece.len() as f64;
        all += piece.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    }
    at_hz / all
}

/// The level of a sine at `hz` among others, in pieces of 50 ms and the median of them, so that neither a skip of
/// phase nor a moment's disturbance counts. Frequencies 100 Hz or more apart are told apart.
pub(crate) fn level_at(samples: &[i16], hz: f64) -> f64 {
    let mut levels: Vec<f64> = samples
        .chunks_exact(2400)
        .map(|piece| {
            let (mut re, mut im, mut weight) = (0.0, 0.0, 0.0);
            for (n, &sample) in piece.iter().enumerate() {
                // A Hann window, so that a loud neighbour does not spill over.
                let window = 0.5 - 0.5 * (TAU * n as f64 / piece.len() as f64).cos();
                let angle = TAU * hz * n as f64 / 48_000.0;
                re += window * f64::from(sample) * angle.cos();
                im += window * f64::from(sample) * angle.sin();
                weight += window;
            }
            2.0 * (re * re + im * im).sqrt() / weight
        })
        .collect();
    levels.sort_by(f64::total_cmp);
    levels.get(levels.len() / 2).copied().unwrap_or(0.0)
}
