//! Real ALSA without a card: its own `null` and `file` devices, by name, from a configuration of the test's own.

mod desk;

use std::path::Path;
use std::time::Instant;

use desk::alsa::with_alsa;
use desk::{Desk, connect, rms, share, write_tone};
use media::{Codec, DeviceState, Ear, Event, Role, StreamId};

const FILES: &str = r#"
pcm.nothing { type null }
pcm.desk_out { type file file "DIR/out.wav" slave.pcm nothing format wav }
pcm.desk_in { type file file "/dev/null" infile "DIR/in.raw" slave.pcm nothing format raw }
"#;

fn open_devices(desk: &Desk, count: usize) -> Vec<Role> {
    let mut open = Vec::new();
    desk.wait("the devices open", |event| {
        if let Event::Device { role, name, state } = event {
            assert_eq!(state, DeviceState::Open, "{name}");
            open.push(role);
        }
        (open.len() == count).then_some(())
    });
    open
}

/// The samples after the header: ALSA's plugin completes the header only when it is closed.
fn raw_samples(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.get(44..).unwrap_or_default().chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

#[test]
fn alsa_file_devices_carry_a_call_in_real_time() {
    with_alsa("alsa_file_devices_carry_a_call_in_real_time", FILES, |dir| {
        write_tone(&dir.join("in.wav"), 440.0, 48_000);
        let wav = std::fs::read(dir.join("in.wav")).expect("reads");
        std::fs::write(dir.join("in.raw"), wav[44..].repeat(60)).expect("writes");
        let desk = Desk::with(None, |config, _| {
            config.speaker = "desk_out".into();
            config.microphone = "desk_in".into();
            config.ringer = "nothing".into();
        });
        let peer = Desk::new(Some(660.0));
        open_devices(&desk, 3);
        let call = StreamId(1);
        connect(&desk, &peer, call, Codec::Pcma);
        desk.media.listen(Ear::Stream(call)).expect("taken");
        peer.media.listen(Ear::Stream(call)).expect("taken");
        peer.until_heard("the microphone's file", 1.0, |heard| share(heard, 440.0) > 0.8);
        // The device takes whatever it is given: ten seconds an instant, if it were not for our own clock.
        let (from, before) = (raw_samples(&dir.join("out.wav")).len(), Instant::now());
        peer.hear(2.0);
        let seconds = before.elapsed().as_secs_f64();
        let out = raw_samples(&dir.join("out.wav"));
        let played = (out.len() - from) as f64 / 48_000.0;
        assert!((played - seconds).abs() < 0.5, "{played} s played in {seconds} s");
        let tail = &out[out.len() - 48_000..];
        assert!(share(tail, 660.0) > 0.8 && rms(tail) > 5000.0, "{} {}", share(tail, 660.0), rms(tail));
    });
}

#[test]
fn alsa_null_and_missing_devices_leave_the_call_alive() {
    with_alsa("alsa_null_and_missing_devices_leave_the_call_alive", FILES, |_| {
        let desk = Desk::with(None, |config, _| {
            config.speaker = "nothing".into();
            config.microphone = "nothing".into();
            config.ringer = "no_such\0device".into();
        });
        let reason = desk.wait("the ringer is lost", |event| match event {
            Event::Device { role: Role::Ringer, state: DeviceState::Lost { reason }, .. } => Some(reason),
            _ => None,
        });
        assert!(!reason.is_empty());
        desk.media.device(Role::Ringer, "no_such_device").expect("taken");
        let reason = desk.wait("the ringer is lost again", |event| match event {
            Event::Device { role: Role::Ringer, state: DeviceState::Lost { reason }, .. } => Some(reason),
            _ => None,
        });
        assert!(reason.contains("no_such_device"), "{reason}");
        let peer = Desk::new(Some(660.0));
        let call = StreamId(1);
        connect(&desk, &peer, call, Codec::Opus);
        desk.media.listen(Ear::Stream(call)).expect("taken");
        peer.media.listen(Ear::Stream(call)).expect("taken");
        peer.hear(2.0);
        desk.media.device(Role::Ringer, "desk_out").expect("taken");
        desk.wait("the ringer opens", |event| match event {
            Event::Device { role: Role::Ringer, state: DeviceState::Open, .. } => Some(()),
            _ => None,
        });
        desk.media.close(call).expect("taken");
        let stats = desk.wait("closed", |event| match event {
            Event::Closed { stats, .. } => Some(stats),
            _ => None,
        });
        // 50 packets a second both ways: the null device neither hurries nor stops the clock.
        assert!((90..250).contains(&stats.packets_sent), "{stats:?}");
        assert!(stats.packets_received >= 90, "{stats:?}");
    });
}
