//! Two whole media instances speak with each other over loopback; what one hums is heard at the other.

mod desk;

use desk::{Desk, connect, connect_encrypted, level_at, rms, share};
use media::{Codec, DeviceState, Direction, Ear, Event, Role, SrtpSuite, StreamId, Tone};

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
    speak(&a, &b, codec);
}

/// Both desks, connected, hear each other, and nothing is refused.
fn speak(a: &Desk, b: &Desk, codec: Codec) {
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    flowing(a, CALL);
    flowing(b, CALL);
    for (desk, hz, other) in [(a, 660.0, 440.0), (b, 440.0, 660.0)] {
        // 7071 was hummed.
        desk.until_heard(&format!("{hz} Hz by {codec:?}"), 2.0, |heard| {
            share(heard, hz) > 0.9 && share(heard, other) < 0.01 && (6000.0..8000.0).contains(&rms(heard))
        });
    }
    a.media.close(CALL).expect("taken");
    let stats = a.wait("closed", |event| match event {
        Event::Closed { stream, stats, .. } if stream == CALL => Some(stats),
        _ => None,
    });
    assert!(stats.packets_sent > 140 && stats.packets_received > 140, "{stats:?}");
    assert_eq!((stats.lost, stats.strangers, stats.ignored), (0, 0, 0), "{stats:?}");
    assert_eq!((stats.forged, stats.replayed), (0, 0), "{stats:?}");
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
fn g722_both_ways() {
    call(Codec::G722);
}

#[test]
fn g722_encrypted_both_ways() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    connect_encrypted(&a, &b, CALL, Codec::G722, SrtpSuite::Aes128Sha1_80, 30);
    speak(&a, &b, Codec::G722);
}

#[test]
fn opus_encrypted_with_long_keys_and_short_tags_both_ways() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    connect_encrypted(&a, &b, CALL, Codec::Opus, SrtpSuite::Aes256Sha1_32, 46);
    speak(&a, &b, Codec::Opus);
}

#[test]
fn opus_both_ways() {
    call(Codec::Opus);
}

#[test]
fn digits_are_told_at_the_other_end() {
    let (a, b) = (Desk::new(None), Desk::new(None));
    connect(&a, &b, CALL, Codec::Pcma);
    a.media.listen(Ear::Stream(CALL)).expect("taken");
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
    first.media.listen(Ear::Stream(one)).expect("taken");
    second.media.listen(Ear::Stream(two)).expect("taken");
    for (id, hz, other) in [(one, 660.0, 880.0), (two, 880.0, 660.0)] {
        desk.media.listen(Ear::Stream(id)).expect("taken");
        desk.until_heard(&format!("{hz} Hz alone"), 1.0, |heard| {
            share(heard, hz) > 0.9 && share(heard, other) < 0.01
        });
    }
    // The first is on hold by now: it hears pips at 440 Hz and mostly nothing, never the hum going on.
    let held = first.hear(6.0);
    let loud = held.chunks_exact(480).filter(|frame| rms(frame) > 500.0).count();
    assert!((10..=80).contains(&loud), "{loud} loud frames of {}", held.len() / 480);
    second.until_heard("the hum of the desk", 0.5, |heard| rms(heard) > 6000.0);
    desk.media.listen(Ear::Nobody).expect("taken");
    desk.until_heard("silence", 0.5, |heard| rms(heard) < 1.0);
}

#[test]
fn tones_and_ringing_go_to_their_own_devices() {
    let desk = Desk::new(None);
    desk.media.tone(Some(Tone::Busy)).expect("taken");
    desk.media.ring(Some(media::Ring::Bell)).expect("taken");
    desk.until_heard("the busy tone", 1.0, |ear| share(ear, 425.0) > 0.8 && rms(ear) > 1000.0);
    let bell = desk.hear_ringer(3.0);
    assert!(rms(&bell) > 500.0 && share(&bell, 425.0) < 0.05);
    desk.media.tone(None).expect("taken");
    desk.media.ring(None).expect("taken");
    desk.until_heard("silence", 0.3, |heard| rms(heard) < 1.0);
    assert!(rms(&desk.hear_ringer(0.3)) < 1.0);
}

#[test]
fn ringing_on_the_device_of_speech_is_mixed_into_it() {
    let desk = Desk::with(None, |config, _| config.ringer = config.speaker.clone());
    desk.media.tone(Some(Tone::CallWaiting)).expect("taken");
    desk.media.ring(Some(media::Ring::Bell)).expect("taken");
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
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    flowing(&a, CALL);
    a.media.volume(0.5, 1.0).expect("taken");
    a.until_heard("half the level", 0.5, |heard| (3000.0..4000.0).contains(&rms(heard)));
    a.media.mute_microphone(true).expect("taken");
    b.until_heard("silence", 0.5, |heard| rms(heard) < 50.0);
    assert!(a.media.volume(2.5, 1.0).is_err() && a.media.volume(1.0, f32::NAN).is_err());
}

#[test]
fn the_speaker_is_muted_apart_from_its_level_and_from_the_ringing() {
    let desk = Desk::with(None, |config, _| config.ringer = config.speaker.clone());
    desk.media.tone(Some(Tone::Busy)).expect("taken");
    desk.until_heard("the tone", 1.0, |heard| share(heard, 425.0) > 0.8);
    desk.media.mute_speaker(true).expect("taken");
    desk.until_heard("silence", 1.0, |heard| rms(heard) < 1.0);
    desk.media.volume(2.0, 1.0).expect("taken");
    assert!(rms(&desk.hear(1.0)) < 1.0, "a level does not unmute");
    desk.media.ring(Some(media::Ring::Bell)).expect("taken");
    desk.until_heard("the ring alone", 4.0, |heard| rms(heard) > 300.0 && share(heard, 425.0) < 0.05);
    desk.media.ring(None).expect("taken");
    desk.media.mute_speaker(false).expect("taken");
    // Twice 4000, the half of the time, as a sine.
    desk.until_heard("the tone at twice its level", 1.0, |heard| (3800.0..4200.0).contains(&rms(heard)));
}

#[test]
fn the_meter_tells_both_levels_ten_times_a_second_while_asked() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    connect(&a, &b, CALL, Codec::Pcmu);
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    a.until_heard("the other side", 0.5, |heard| share(heard, 660.0) > 0.9);
    let told = |desk: &Desk| desk.events.try_iter().filter(|e| matches!(e, Event::Levels { .. })).count();
    assert_eq!(told(&a), 0, "nobody asked");
    a.media.meter(true).expect("taken");
    let until = |what: &str, input: std::ops::Range<f32>, output: std::ops::Range<f32>| {
        a.wait(what, |event| match event {
            Event::Levels { input_dbfs, output_dbfs } => {
                (input.contains(&input_dbfs) && output.contains(&output_dbfs)).then_some(())
            }
            _ => None,
        });
    };
    // 10,000 of 32,768 is -10.3 dBFS; G.711 and its filters may overshoot a little.
    until("both hums", -10.5..-10.1, -11.0..-9.5);
    a.media.volume(0.5, 0.5).expect("taken");
    until("half of both", -16.5..-16.1, -17.0..-15.5);
    a.media.mute_microphone(true).expect("taken");
    a.media.mute_speaker(true).expect("taken");
    until("nothing", -96.0..-95.9, -96.0..-95.9);
    told(&a);
    // The file's length is right every half second only: 150 to 200 frames have been played since, on a machine
    // that is not busy. One reading in ten of them, and not one in each.
    a.hear(2.0);
    let count = told(&a);
    assert!((10..=50).contains(&count), "{count} readings in two seconds");
    a.media.meter(false).expect("taken");
    a.hear(0.3);
    told(&a);
    a.hear(0.5);
    assert_eq!(told(&a), 0, "nobody asks any more");
}

#[test]
fn call_waiting_pips_leave_speech_as_loud_as_it_was() {
    let (a, b) = (Desk::new(None), Desk::new(Some(900.0)));
    connect(&a, &b, CALL, Codec::Opus);
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    a.until_heard("speech", 0.5, |heard| share(heard, 900.0) > 0.9);
    a.media.tone(Some(Tone::CallWaiting)).expect("taken");
    // Longer than the 4 s from pips to pips.
    a.until_heard("pips over speech of one level", 4.5, |heard| {
        let pieces: Vec<&[i16]> = heard.chunks_exact(2400).collect();
        let pips = pieces.iter().filter(|piece| level_at(piece, 425.0) > 1500.0).count();
        let loud = pieces.iter().filter(|piece| (9500.0..10_500.0).contains(&level_at(piece, 900.0))).count();
        // Two pips of 150 ms; a piece or two may be spoilt where the jitter buffer gained time.
        (4..=12).contains(&pips) && loud + 2 >= pieces.len()
    });
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
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    flowing(&a, CALL);
    a.until_heard("the other side", 0.5, |heard| share(heard, 660.0) > 0.9);
    assert!(rms(&b.hear(0.5)) < 1.0);
    a.media.connect(CALL, desk::remote(b_rtp, Codec::Opus)).expect("taken");
    b.media.connect(CALL, desk::remote(a_rtp, Codec::Opus)).expect("taken");
    flowing(&b, CALL);
    a.until_heard("the other side by Opus", 1.0, |heard| share(heard, 660.0) > 0.9);
    b.until_heard("the other side by Opus", 1.0, |heard| share(heard, 440.0) > 0.9);
}
