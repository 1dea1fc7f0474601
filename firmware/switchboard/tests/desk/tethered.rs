//! The operator's telephone in place of the sound device (ACC-3): what becomes of calls when it fails.

use ipc::{AudioState, CallState, NoticeKind, PhoneFault};
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
