//! The operator's telephone in place of the sound device (ACC-3): what becomes of calls when it fails.

use ipc::{AudioState, CallRef, CallState, NoticeKind, Party, PhoneFault};
use switchboard::{Effect, Input};

use crate::bench::Bench;
use crate::script::{play, ready};

fn phone(bench: &mut Bench, why: Option<PhoneFault>) -> Vec<Effect> {
    let phone = "2190".to_owned();
    bench.input(Input::Audio(match why {
        Some(why) => AudioState::PhoneFailed { phone, why },
        None => AudioState::Connected { device: phone },
    }))
}

fn states(bench: &Bench) -> Vec<CallState> {
    bench.cards().map(|card| card.state).collect()
}

#[test]
fn acc_3_who_talks_over_a_telephone_that_fails_is_put_on_hold_and_the_operator_is_told() {
    let mut bench = ready();
    phone(&mut bench, None);
    play(&mut bench, "in 1 5550100\nanswer 1\nack 1");
    let effects = phone(&mut bench, Some(PhoneFault::Lost));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Hold { .. })), "{effects:?}");
    assert_eq!((states(&bench), bench.view.talk), (vec![CallState::Held], None));
    let told = NoticeKind::PhoneFailed { phone: "2190".into(), why: PhoneFault::Lost };
    assert_eq!(bench.view.notices[0].kind, told);
    // It is back when the operator takes the call back.
    play(&mut bench, "retrieve 1");
    phone(&mut bench, None);
    assert_eq!((states(&bench), bench.view.notices.len()), (vec![CallState::Talking], 0));
}

/// It would be called again, and fail again, for as long as the caller is there.
#[test]
fn acc_3_whom_a_telephone_that_failed_leaves_on_hold_is_not_spoken_with_when_the_hold_is_refused() {
    let mut bench = ready();
    play(&mut bench, "in 1 5550100\nanswer 1\nack 1");
    phone(&mut bench, Some(PhoneFault::Busy));
    play(&mut bench, "refuse-hold 1");
    assert_eq!((states(&bench), bench.view.talk), (vec![CallState::Held], None));
    // The operator may try it.
    play(&mut bench, "retrieve 1");
    assert_eq!(states(&bench), [CallState::Talking]);
}

#[test]
fn acc_3_a_ringer_that_fails_beside_a_telephone_is_told_until_it_is_back() {
    let mut bench = ready();
    phone(&mut bench, None);
    let (device, reason) = ("hw:9".to_owned(), "no such device".to_owned());
    bench.input(Input::RingerLost { device: device.clone(), reason: reason.clone() });
    let told: Vec<&NoticeKind> = bench.view.notices.iter().map(|notice| &notice.kind).collect();
    assert_eq!(told, [&NoticeKind::AudioLost { device, reason }]);
    let shown = &bench.view.operator.audio;
    assert_eq!(shown, &AudioState::Connected { device: "2190".into() }, "the telephone works");
    bench.input(Input::RingerWorks);
    assert_eq!(bench.view.notices, []);
}

#[test]
fn acc_3_a_caller_who_does_not_come_back_from_the_telephone_is_named() {
    let mut bench = ready();
    play(&mut bench, "in 1 5550100\nanswer 1\nack 1");
    let call = CallRef(1);
    bench.input(Input::SoundLost { call, code: 488 });
    let party = Party { number: Some("1".into()), ..Party::default() };
    assert_eq!(bench.view.notices[0].kind, NoticeKind::SoundLost { party, code: 488 });
    assert_eq!(states(&bench), [CallState::Talking]);
    play(&mut bench, "hangup 1");
    bench.input(Input::SoundLost { call, code: 500 });
    assert_eq!(bench.view.notices.len(), 1, "nobody is there to be heard");
}

#[test]
fn acc_3_a_telephone_that_never_answers_holds_a_call_as_soon_as_it_talks_and_leaves_ringing_ones_alone() {
    let mut bench = ready();
    play(&mut bench, "in 1 5550100\nin 2 5550100\nanswer 1");
    phone(&mut bench, Some(PhoneFault::NoAnswer));
    // The answer is not acknowledged yet, and so there is nothing to hold.
    play(&mut bench, "ack 1");
    phone(&mut bench, Some(PhoneFault::NoAnswer));
    assert_eq!(states(&bench), [CallState::Held, CallState::Ringing]);
    assert_eq!(bench.view.notices.len(), 1, "said once");
}
