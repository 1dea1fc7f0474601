//! Two whole media instances speak with each other over loopback; what one hums is heard at the other.

mod desk;

use desk::{Desk, connect, rms, share};
use media::{Codec, DeviceState, Direction, Event, Role, StreamId, Tone};

const CALL: StreamId = StreamId(1);

fn flowing(desk: &Desk, id: StreamId) {
    desk.wait("media flows", |event| match event {
        Event::Media { stream, flowing: true } if stream == id => Some(()),
        _ => None,
    });
}

fn call(codec: Codec) {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    connect(&a, &b, CALL, codec);
    a.media.talk(Some(CALL)).expect("taken");
    b.media.talk(Some(CALL)).expect("taken");
    flowing(&a, CALL);
    flowing(&b, CALL);
    for (desk, hz, other) in [(&a, 660.0, 440.0), (&b, 440.0, 660.0)] {
        // 7071 was hummed.
        desk.until_heard(&format!("{hz} Hz by {codec:?}"), 2.0, |heard| {
            share(heard, hz) > 0.9 && share(heard, other) < 0.01 && (6000.0..8000.0).contains(&rms(heard))
        });
    }
    a.media.close(CALL).expect("taken");
    let stats = a.wait("closed", |event| match event {
        Event::Closed { stream, stats } if stream == CALL => Some(stats),
        _ => None,
    });
    assert!(stats.packets_sent > 140 && stats.packets_received > 140, "{stats:?}");
    assert_eq!((stats.lost, stats.strangers, stats.ignored), (0, 0, 0), "{stats:?}");
}

#[test]
fn pcmu_both_ways() {
    call(Codec::Pcmu);
}

#[test]
fn pcma_both_ways() {
    call(Codec::Pcma);
}

#[test]
fn opus_both_ways() {
    call(Codec::Opus);
}

#[test]
fn digits_are_told_at_the_other_end() {
    let (a, b) = (Desk::new(None), Desk::new(None));
    connect(&a, &b, CALL, Codec::Pcma);
    a.media.talk(Some(CALL)).expect("taken");
    a.media.digits(CALL, "42#").expect("taken");
    let mut digits = String::new();
    b.wait("three digits", |event| {
        if let Event::Digit { digit, duration_ms, .. } = event {
            assert_eq!(duration_ms, 100);
            digits.push(digit);
        }
        (digits.len() == 3).then_some(())
    });
    assert_eq!(digits, "42#");
    assert!(a.media.digits(CALL, "4x").is_err());
}

#[test]
fn the_one_who_talks_is_heard_and_the_one_on_hold_hears_pips() {
    let (desk, first, second) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)), Desk::new(Some(880.0)));
    let (one, two) = (StreamId(1), StreamId(2));
    connect(&desk, &first, one, Codec::Pcmu);
    connect(&desk, &second, two, Codec::Pcmu);
    first.media.talk(Some(one)).expect("taken");
    second.media.talk(Some(two)).expect("taken");
    for (id, hz, other) in [(one, 660.0, 880.0), (two, 880.0, 660.0)] {
        desk.media.talk(Some(id)).expect("taken");
        desk.until_heard(&format!("{hz} Hz alone"), 1.0, |heard| {
            share(heard, hz) > 0.9 && share(heard, other) < 0.01
        });
    }
    // The first is on hold by now: it hears pips at 440 Hz and mostly nothing, never the hum going on.
    let held = first.hear(6.0);
    let loud = held.chunks_exact(480).filter(|frame| rms(frame) > 500.0).count();
    assert!((10..=80).contains(&loud), "{loud} loud frames of {}", held.len() / 480);
    second.until_heard("the hum of the desk", 0.5, |heard| rms(heard) > 6000.0);
    desk.media.talk(None).expect("taken");
    desk.until_heard("silence", 0.5, |heard| rms(heard) < 1.0);
}

#[test]
fn tones_and_ringing_go_to_their_own_devices() {
    let desk = Desk::new(None);
    desk.media.tone(Some(Tone::Busy)).expect("taken");
    desk.media.ring(true).expect("taken");
    desk.until_heard("the busy tone", 1.0, |ear| share(ear, 425.0) > 0.8 && rms(ear) > 1000.0);
    let bell = desk.hear_ringer(3.0);
    assert!(rms(&bell) > 500.0 && share(&bell, 425.0) < 0.05);
    desk.media.tone(None).expect("taken");
    desk.media.ring(false).expect("taken");
    desk.until_heard("silence", 0.3, |heard| rms(heard) < 1.0);
    assert!(rms(&desk.hear_ringer(0.3)) < 1.0);
}

#[test]
fn ringing_on_the_device_of_speech_is_mixed_into_it() {
    let desk = Desk::with(None, |config, _| config.ringer = config.speaker.clone());
    desk.media.tone(Some(Tone::CallWaiting)).expect("taken");
    desk.media.ring(true).expect("taken");
    desk.until_heard("the first two notes", 2.0, |heard| rms(heard) > 500.0);
    desk.media.ring_volume(0.0).expect("taken");
    desk.until_heard("the pips alone", 4.0, |heard| share(heard, 425.0) > 0.8 && rms(heard) > 200.0);
    // A headset that is given back must not silence the ringing: the device goes on as ringer.
    desk.media.ring_volume(1.0).expect("taken");
    desk.media.connect_audio(false).expect("taken");
    desk.wait("the device rings on", |event| match event {
        Event::Device { role: Role::Ringer, state: DeviceState::Open, .. } => Some(()),
        _ => None,
    });
    desk.until_heard("the ring and no pips", 4.0, |heard| rms(heard) > 300.0 && share(heard, 425.0) < 0.05);
}

#[test]
fn mutes_and_levels_work() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    connect(&a, &b, CALL, Codec::Pcmu);
    a.media.talk(Some(CALL)).expect("taken");
    b.media.talk(Some(CALL)).expect("taken");
    flowing(&a, CALL);
    a.media.volume(0.5, 1.0).expect("taken");
    a.until_heard("half the level", 0.5, |heard| (3000.0..4000.0).contains(&rms(heard)));
    a.media.mute_stream(CALL, true).expect("taken");
    a.until_heard("silence", 0.5, |heard| rms(heard) < 1.0);
    b.until_heard("the other side as before", 0.5, |heard| rms(heard) > 6000.0);
    a.media.mute_microphone(true).expect("taken");
    b.until_heard("silence", 0.5, |heard| rms(heard) < 50.0);
    assert!(a.media.volume(2.5, 1.0).is_err() && a.media.volume(1.0, f32::NAN).is_err());
}

#[test]
fn a_direction_is_kept_and_a_change_of_codec_in_mid_call_is_heard() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    let a_rtp = a.media.open(CALL).expect("ports");
    let b_rtp = b.media.open(CALL).expect("ports");
    let mut to_b = desk::remote(b_rtp, Codec::Pcmu);
    to_b.direction = Direction::RecvOnly;
    a.media.connect(CALL, to_b.clone()).expect("taken");
    b.media.connect(CALL, desk::remote(a_rtp, Codec::Pcmu)).expect("taken");
    a.media.talk(Some(CALL)).expect("taken");
    b.media.talk(Some(CALL)).expect("taken");
    flowing(&a, CALL);
    a.until_heard("the other side", 0.5, |heard| share(heard, 660.0) > 0.9);
    assert!(rms(&b.hear(0.5)) < 1.0);
    a.media.connect(CALL, desk::remote(b_rtp, Codec::Opus)).expect("taken");
    b.media.connect(CALL, desk::remote(a_rtp, Codec::Opus)).expect("taken");
    flowing(&b, CALL);
    a.until_heard("the other side by Opus", 1.0, |heard| share(heard, 660.0) > 0.9);
    b.until_heard("the other side by Opus", 1.0, |heard| share(heard, 440.0) > 0.9);
}
