//! The operator's telephone in place of the sound card: three media instances over loopback.

mod desk;

use desk::{Desk, connect, rms, share};
use media::{Codec, Ear, Seat, StreamId, Tone};

const PHONE: StreamId = StreamId(1);
const CALL: StreamId = StreamId(2);
const OTHER: StreamId = StreamId(3);

#[test]
fn acc_3_who_talks_with_the_desk_talks_with_the_telephone() {
    let (desk, phone, caller) = (Desk::new(Some(330.0)), Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    // The telephone speaks another codec than the caller.
    connect(&desk, &phone, PHONE, Codec::Opus);
    connect(&desk, &caller, CALL, Codec::Pcma);
    phone.media.listen(Ear::Stream(PHONE)).expect("taken");
    caller.media.listen(Ear::Stream(CALL)).expect("taken");
    desk.media.telephone(Some(PHONE)).expect("taken");
    desk.media.listen(Ear::Stream(CALL)).expect("taken");
    phone.until_heard("the caller", 1.0, |heard| share(heard, 660.0) > 0.9);
    caller.until_heard("the telephone, and not the desk's own microphone", 1.0, |heard| {
        share(heard, 440.0) > 0.9 && share(heard, 330.0) < 0.01
    });
    desk.until_heard("nothing at the desk itself", 0.5, |heard| rms(heard) < 1.0);
    desk.media.mute_microphone(true).expect("taken");
    caller.until_heard("a muted telephone", 0.5, |heard| rms(heard) < 20.0);
    desk.media.mute_microphone(false).expect("taken");
    // Nobody has the ear: the telephone hears tones alone, and the caller what is heard on hold.
    desk.media.listen(Ear::Nobody).expect("taken");
    desk.media.tone(Some(Tone::Busy)).expect("taken");
    phone.until_heard("the busy tone", 1.0, |heard| share(heard, 425.0) > 0.8 && rms(heard) > 500.0);
    caller
        .until_heard("the telephone no more", 1.0, |heard| share(heard, 440.0) < 0.5 || rms(heard) < 1500.0);
    desk.media.tone(None).expect("taken");
    // Without the telephone the desk's own devices speak again.
    desk.media.listen(Ear::Stream(CALL)).expect("taken");
    desk.media.close(PHONE).expect("taken");
    desk.until_heard("the caller at the desk", 1.0, |heard| share(heard, 660.0) > 0.9);
    caller.until_heard("the desk's microphone", 1.0, |heard| share(heard, 330.0) > 0.9);
}

#[test]
fn acc_3_a_conference_is_held_over_the_telephone() {
    let (desk, phone) = (Desk::new(None), Desk::new(Some(440.0)));
    let (one, two) = (Desk::new(Some(660.0)), Desk::new(Some(880.0)));
    connect(&desk, &phone, PHONE, Codec::Pcma);
    connect(&desk, &one, CALL, Codec::Pcma);
    connect(&desk, &two, OTHER, Codec::Pcma);
    for (peer, stream) in [(&phone, PHONE), (&one, CALL), (&two, OTHER)] {
        peer.media.listen(Ear::Stream(stream)).expect("taken");
    }
    desk.media.telephone(Some(PHONE)).expect("taken");
    let seat = |stream| Seat { stream, muted: false };
    desk.media.conference(&[seat(CALL), seat(OTHER)]).expect("taken");
    desk.media.listen(Ear::Conference).expect("taken");
    let both = |heard: &[i16], a: f64, b: f64| share(heard, a) > 0.3 && share(heard, b) > 0.3;
    phone.until_heard("both members", 1.0, |heard| both(heard, 660.0, 880.0));
    one.until_heard("the telephone and the other", 1.0, |heard| both(heard, 440.0, 880.0));
    two.until_heard("the telephone and the one", 1.0, |heard| both(heard, 440.0, 660.0));
}
