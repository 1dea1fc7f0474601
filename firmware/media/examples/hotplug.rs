//! Sound cards of a real kernel pulled in mid-call: run as the only program of a machine that may lose them (`.ci/hotplug`
//! boots one in QEMU), it holds a call, pulls cards, and prints for how long nobody was heard.
//!
//! The machine has two loopback cards, `Headset` and `Handset`: what is played on their device 0 is heard on device 1,
//! and the other way round. A USB card `Usb` (loudspeaker only) is pulled by whoever runs the machine, who is asked for
//! it by a line `WANT usb out` or `WANT usb in`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for a test machine"
)]

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use alsa::pcm::{Access, Format, HwParams, PCM};
use alsa::{Direction, ValueOr};
use media::{Codec, Config, DeviceList, DeviceState, Ear, Event, Media, Remote, Role, StreamId};

const RATE: u32 = 48_000;
const FRAME: usize = 480;
/// Louder than this, the far end is heard.
const HEARD: f64 = 1_000.0;
const CALL: StreamId = StreamId(1);
const TIMES: usize = 10;
/// Within this time after a change all is over.
const CHANGE: Duration = Duration::from_millis(400);
const STANDSTILL: Duration = Duration::from_millis(80);
const PATIENCE: Duration = Duration::from_secs(60);

/// When the machine had kept a thread from running, and for how long.
static STOOD_STILL: Mutex<Vec<(Instant, Duration)>> = Mutex::new(Vec::new());

/// When, and how loud 10 ms were.
type Log = Arc<Mutex<Vec<(Instant, f64)>>>;

fn main() {
    thread::spawn(watch);
    tone(Path::new("/tmp/peer.wav"), 660.0);
    let [headset, handset] = [("Headset", 440.0), ("Handset", 550.0)].map(|(card, hz)| listen(card, hz));
    let (desk, events) = start(|config| {
        let cards = ["plughw:CARD=Headset,DEV=0", "plughw:CARD=Handset,DEV=0"];
        config.speaker = DeviceList::new(cards);
        config.microphone = DeviceList::new(cards);
    });
    let (peer, _peer_events) = start(|config| {
        config.speaker = "wav:/tmp/heard.wav".into();
        config.microphone = "wav-loop:/tmp/peer.wav".into();
    });
    let ours = desk.open(CALL).expect("ports");
    let theirs = peer.open(CALL).expect("ports");
    desk.connect(CALL, remote(theirs)).expect("taken");
    peer.connect(CALL, remote(ours)).expect("taken");
    desk.listen(Ear::Stream(CALL)).expect("taken");
    peer.listen(Ear::Stream(CALL)).expect("taken");
    until(&events, Role::Speaker, "Headset");
    thread::sleep(Duration::from_secs(3));
    println!("CALL level {:.0}", headset.lock().unwrap().last().map_or(0.0, |last| last.1));

    for _ in 0..TIMES {
        let from = Instant::now();
        bind("unbind");
        until(&events, Role::Speaker, "Handset");
        measure("loopback out", from, &[&handset]);
        let from = Instant::now();
        bind("bind");
        until(&events, Role::Speaker, "Headset");
        println!("FIGURE loopback back after {:.1}", from.elapsed().as_secs_f64() * 1e3);
        measure("loopback in", from, &[&headset, &handset]);
    }

    println!("WANT usb in");
    wait("a USB card", || Path::new("/proc/asound/Usb").exists());
    desk.device(
        Role::Speaker,
        vec!["plughw:CARD=Usb,DEV=0".to_owned(), "plughw:CARD=Headset,DEV=0".to_owned()],
    )
    .expect("taken");
    until(&events, Role::Speaker, "Usb");
    for _ in 0..TIMES {
        thread::sleep(Duration::from_secs(2));
        println!("WANT usb out");
        wait("the USB card to go", || !Path::new("/proc/asound/Usb").exists());
        let from = Instant::now();
        until(&events, Role::Speaker, "Headset");
        measure("usb out", from, &[&headset]);
        println!("WANT usb in");
        wait("the USB card", || Path::new("/proc/asound/Usb").exists());
        let from = Instant::now();
        until(&events, Role::Speaker, "Usb");
        println!("FIGURE usb back after {:.1}", from.elapsed().as_secs_f64() * 1e3);
    }
    desk.close(CALL).expect("taken");
    let stats = loop {
        if let Event::Closed { stats, .. } = events.recv_timeout(PATIENCE).expect("the call ends") {
            break stats;
        }
    };
    println!("CALL sent {} received {}", stats.packets_sent, stats.packets_received);
    println!("DONE");
}

fn watch() {
    let step = Duration::from_millis(5);
    loop {
        let before = Instant::now();
        thread::sleep(step);
        let late = before.elapsed().saturating_sub(step);
        if late > step {
            STOOD_STILL.lock().unwrap().push((Instant::now(), late));
        }
    }
}

fn start(change: impl FnOnce(&mut Config)) -> (Media, Receiver<Event>) {
    let mut config = Config { speaker: "none".into(), microphone: "none".into(), ..Config::default() };
    config.ringer = "none".into();
    config.rtp_ip = std::net::Ipv4Addr::LOCALHOST.into();
    change(&mut config);
    let (sender, events) = channel();
    let started = Instant::now();
    let tell = move |event: Event| {
        if let Event::Device { role, name, state } = &event {
            println!("{:8.3} {role:?} {name} {state:?}", started.elapsed().as_secs_f64());
        }
        let _ = sender.send(event);
    };
    (Media::start(config, tell).expect("starts"), events)
}

fn remote(rtp: std::net::SocketAddr) -> Remote {
    Remote {
        rtp,
        rtcp: None,
        rtcp_mux: false,
        srtp: None,
        codec: Codec::Pcma,
        payload_type: 8,
        remote_payload_type: 8,
        also: Vec::new(),
        dtmf_payload_type: None,
        dtmf_clock_hz: 8_000,
        ptime_ms: 20,
        direction: media::Direction::SendRecv,
    }
}

/// Waits until a role uses a device of that card.
fn until(events: &Receiver<Event>, role: Role, card: &str) {
    loop {
        let event = events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{role:?} never used {card}"));
        if let Event::Device { role: of, name, state: DeviceState::Open } = event
            && of == role
            && name.contains(card)
        {
            return;
        }
    }
}

fn wait(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "{what} never came");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Pulls the card `Headset`, or puts it back. The kernel lets go of it only when nobody has it open any more.
fn bind(what: &str) {
    let file = format!("/sys/bus/platform/drivers/snd_aloop/{what}");
    thread::spawn(move || fs::write(file, "snd_aloop.0").expect("the driver does it"));
}

/// Prints for how long nobody was heard since `from`, on these cards and at the far end.
fn measure(what: &str, from: Instant, logs: &[&Log]) {
    let looked = Duration::from_secs(3);
    thread::sleep((from + looked).saturating_duration_since(Instant::now()));
    let stood_still = STOOD_STILL.lock().unwrap();
    let since = stood_still.iter().filter(|(at, _)| *at > from);
    let longest = since.clone().map(|(_, late)| *late).max().unwrap_or_default();
    // Many short ones while the change is made are as bad as a long one at any time.
    let soon: Duration = since.filter(|(at, _)| *at < from + CHANGE).map(|(_, late)| *late).sum();
    let stood_still = longest.max(soon / 2);
    // An emulated machine on a busy one: what is measured then says nothing of the desk.
    if stood_still > STANDSTILL {
        println!("DISTURBED {what} {:.1}", stood_still.as_secs_f64() * 1e3);
        return;
    }
    let mut heard: Vec<Instant> = Vec::new();
    for log in logs {
        let log = log.lock().unwrap();
        heard.extend(log.iter().filter(|(at, level)| *at > from && *level > HEARD).map(|(at, _)| *at));
    }
    heard.sort_unstable();
    let (mut last, mut longest) = (from, Duration::ZERO);
    for at in heard {
        // What is read at that time was played in the 10 ms before it.
        longest = longest.max(at.saturating_duration_since(last).saturating_sub(Duration::from_millis(10)));
        last = at;
    }
    longest = longest
        .max((from + looked).saturating_duration_since(last).saturating_sub(Duration::from_millis(200)));
    println!("FIGURE {what} heard {:.1}", longest.as_secs_f64() * 1e3);
    let bytes = fs::read("/tmp/heard.wav").expect("the far end hears");
    let samples: Vec<i16> =
        bytes[44..].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    let tail = &samples[samples.len().saturating_sub(3 * RATE as usize)..];
    let levels: Vec<f64> = tail.chunks(FRAME / 2).map(level).collect();
    let (mut run, mut worst) = (0, 0);
    for level in levels {
        run = if level < HEARD { run + 1 } else { 0 };
        worst = worst.max(run);
    }
    println!("FIGURE {what} sent {:.1}", f64::from(worst) * 5.0);
}

fn level(samples: &[i16]) -> f64 {
    (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

fn tone(path: &Path, hz: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file");
    for n in 0..RATE {
        writer.write_sample(sine(hz, n)).expect("writes");
    }
    writer.finalize().expect("writes");
}

fn sine(hz: f64, n: u32) -> i16 {
    (10_000.0 * (TAU * hz * f64::from(n) / f64::from(RATE)).sin()) as i16
}

/// Is the ear and the mouth on the other side of a loopback card: speaks at `hz`, and logs how loud it is.
fn listen(card: &'static str, hz: f64) -> Log {
    let log = Log::default();
    let heard = Arc::clone(&log);
    thread::spawn(move || {
        // A card that is not there is no news.
        let _silent = alsa::Output::local_error_handler();
        loop {
            let _ = hear(card, &heard);
            thread::sleep(Duration::from_millis(10));
        }
    });
    thread::spawn(move || {
        let _silent = alsa::Output::local_error_handler();
        loop {
            let _ = say(card, hz);
            thread::sleep(Duration::from_millis(10));
        }
    });
    log
}

fn hear(card: &str, log: &Log) -> Result<(), alsa::Error> {
    let pcm = open(card, Direction::Capture)?;
    let io = pcm.io_i16()?;
    let mut frame = [0; FRAME];
    loop {
        let read = io.readi(&mut frame)?;
        log.lock().unwrap().push((Instant::now(), level(&frame[..read])));
    }
}

fn say(card: &str, hz: f64) -> Result<(), alsa::Error> {
    let pcm = open(card, Direction::Playback)?;
    let io = pcm.io_i16()?;
    let mut at = 0;
    loop {
        let frame: Vec<i16> = (at..at + FRAME as u32).map(|n| sine(hz, n)).collect();
        at = (at + FRAME as u32) % RATE;
        io.writei(&frame)?;
    }
}

fn open(card: &str, direction: Direction) -> Result<PCM, alsa::Error> {
    let pcm = PCM::new(&format!("plughw:CARD={card},DEV=1"), direction, false)?;
    {
        let hw = HwParams::any(&pcm)?;
        hw.set_access(Access::RWInterleaved)?;
        hw.set_format(Format::s16())?;
        hw.set_channels(1)?;
        hw.set_rate(RATE, ValueOr::Nearest)?;
        hw.set_period_size_near(FRAME as i64, ValueOr::Nearest)?;
        hw.set_buffer_size_near(10 * FRAME as i64)?;
        pcm.hw_params(&hw)?;
    }
    Ok(pcm)
}
