//! Sound devices that are pulled out, put back, block or stand still in mid-call: the call goes on with the next of the
//! list, and with the best one again when it is back.

mod desk;

use std::path::Path;
use std::time::{Duration, Instant};

use desk::alsa::{Card, PULLED, pulled, with_alsa};
use desk::{Desk, PATIENCE, connect, rms, share};
use media::{Codec, DeviceList, DeviceState, Ear, Event, Role, StreamId};

const CALL: StreamId = StreamId(1);

/// A desk with a headset (hears 440 Hz) and a handset (550 Hz) in a call with a peer who hums at 660 Hz.
struct Call {
    desk: Desk,
    peer: Desk,
    headset: Card,
    handset: Card,
    bell: Card,
}

impl Call {
    fn new(dir: &Path) -> Call {
        let [headset, handset, bell] = ["headset", "handset", "bell"].map(|name| Card::new(dir, name));
        let desk = Desk::with(None, |config, _| {
            config.speaker = DeviceList::new(["headset", "handset"]);
            config.microphone = DeviceList::new(["headset", "handset"]);
            config.ringer = DeviceList::new(["bell", "headset", "handset"]);
        });
        let peer = Desk::new(Some(660.0));
        connect(&desk, &peer, CALL, Codec::Pcma);
        desk.media.listen(Ear::Stream(CALL)).expect("taken");
        peer.media.listen(Ear::Stream(CALL)).expect("taken");
        Call { desk, peer, headset, handset, bell }
    }

    /// Until both ways go through the device: the peer hears its microphone, it plays the peer.
    fn goes_through(&self, card: &Card, hz: f64) {
        self.peer.until_heard(&format!("the microphone at {hz} Hz"), 1.0, |heard| share(heard, hz) > 0.8);
        until(card, "the peer", |heard| share(heard, 660.0) > 0.8 && rms(heard) > 5000.0);
    }

    /// Waits until these roles use that device; gives why others were lost before.
    fn moves_to(&self, device: &str, roles: &[Role]) -> Vec<String> {
        let (mut missing, mut lost) = (roles.to_vec(), Vec::new());
        self.desk.wait(&format!("{missing:?} move to {device}"), |event| {
            if let Event::Device { role, name, state } = event {
                match state {
                    DeviceState::Open if name == device => missing.retain(|of| *of != role),
                    DeviceState::Lost { reason } => lost.push(reason),
                    _ => {}
                }
            }
            missing.is_empty().then_some(())
        });
        lost
    }

    /// The call has gone on all the time.
    fn ends(self) {
        self.desk.media.close(CALL).expect("taken");
        let stats = self.desk.wait("the call ends", |event| match event {
            Event::Closed { stats, .. } => Some(stats),
            _ => None,
        });
        assert!(stats.packets_received > 100 && stats.packets_sent > 100, "{stats:?}");
    }
}

/// Waits until the last half second that a device played is right.
fn until(card: &Card, what: &str, right: impl Fn(&[i16]) -> bool) {
    let end = Instant::now() + PATIENCE;
    let mut from = card.played().len();
    loop {
        // A file cannot be waited for.
        std::thread::sleep(Duration::from_millis(100));
        let played = card.played();
        if let Some(heard) = played.get(from..).filter(|heard| heard.len() >= 24_000) {
            if right(heard) {
                return;
            }
            from = played.len();
        }
        assert!(Instant::now() < end, "never played: {what}");
    }
}

fn cards() -> String {
    [PULLED.to_owned(), pulled("headset", 440), pulled("handset", 550), pulled("bell", 100)].concat()
}

const SPEECH: [Role; 2] = [Role::Speaker, Role::Microphone];

#[test]
fn hw_3_a_headset_pulled_in_mid_call_is_followed_by_the_handset_and_returned_to() {
    let name = "hw_3_a_headset_pulled_in_mid_call_is_followed_by_the_handset_and_returned_to";
    with_alsa(name, &cards(), |dir| {
        let call = Call::new(dir);
        call.moves_to("headset", &SPEECH);
        call.goes_through(&call.headset, 440.0);
        for _ in 0..2 {
            call.headset.set("there", false);
            let lost = call.moves_to("handset", &SPEECH);
            assert!(lost.iter().any(|reason| reason.contains("No such device")), "{lost:?}");
            call.goes_through(&call.handset, 550.0);
            call.headset.set("there", true);
            call.moves_to("headset", &SPEECH);
            call.goes_through(&call.headset, 440.0);
        }
        // Nothing at all is left: the call waits, and goes on with what comes first.
        call.handset.set("there", false);
        call.headset.set("there", false);
        call.desk.wait("nothing is left", |event| match event {
            Event::Device { role: Role::Speaker, state: DeviceState::Lost { .. }, .. } => Some(()),
            _ => None,
        });
        call.handset.set("there", true);
        call.moves_to("handset", &SPEECH);
        call.goes_through(&call.handset, 550.0);
        call.ends();
    });
}

#[test]
fn hw_3_a_device_that_blocks_or_stands_still_holds_up_nothing_but_itself() {
    with_alsa("hw_3_a_device_that_blocks_or_stands_still_holds_up_nothing_but_itself", &cards(), |dir| {
        let call = Call::new(dir);
        call.moves_to("headset", &SPEECH);
        call.desk.media.ring(Some(media::Ring::Bell)).expect("taken");
        call.goes_through(&call.headset, 440.0);
        for wrong in ["blocks", "silent"] {
            call.headset.set(wrong, true);
            let lost = call.moves_to("handset", &SPEECH);
            assert!(lost.iter().any(|reason| reason.contains("timed out")), "{wrong}: {lost:?}");
            call.goes_through(&call.handset, 550.0);
            until(&call.bell, "the bell", |heard| rms(heard) > 300.0);
            call.headset.set(wrong, false);
            call.moves_to("headset", &SPEECH);
            call.goes_through(&call.headset, 440.0);
        }
        call.ends();
    });
}

#[test]
fn bar_2_ringing_has_a_device_of_its_own_and_falls_back_into_the_headset() {
    with_alsa("bar_2_ringing_has_a_device_of_its_own_and_falls_back_into_the_headset", &cards(), |dir| {
        let call = Call::new(dir);
        call.moves_to("bell", &[Role::Ringer, Role::Notifier]);
        // The mute takes the caller away, so that the headset has nothing but the ring.
        call.desk.media.mute_speaker(true).expect("taken");
        call.desk.media.ring(Some(media::Ring::Warble)).expect("taken");
        until(&call.bell, "the bell", |heard| rms(heard) > 300.0);
        until(&call.headset, "silence", |heard| rms(heard) < 1.0);
        call.bell.set("there", false);
        call.moves_to("headset", &[Role::Ringer, Role::Notifier]);
        until(&call.headset, "the ring in the headset", |heard| rms(heard) > 300.0);
        call.bell.set("there", true);
        call.moves_to("bell", &[Role::Ringer, Role::Notifier]);
        until(&call.headset, "silence again", |heard| rms(heard) < 1.0);
        // Chimes have a device of their own, too.
        call.desk.media.ring(None).expect("taken");
        call.desk.media.device(Role::Notifier, "handset").expect("taken");
        call.moves_to("handset", &[Role::Notifier]);
        call.desk.media.chime().expect("taken");
        until(&call.handset, "the chime", |heard| rms(heard) > 100.0);
        call.ends();
    });
}
