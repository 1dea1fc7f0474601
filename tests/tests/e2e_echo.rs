//! Callers do not hear themselves when the operator speaks hands-free, and hear the operator when both speak.

use frontdesk_tests::echo_report::{self, Scene};
use media::Voice;

const HANDS_FREE: Voice = Voice { hands_free: true, echo: true, noise: true, gain: true };

#[test]
fn acc_2_of_an_echo_after_100_ms_thirty_five_decibels_are_gone_within_two_seconds() {
    let scene = Scene::spoken();
    for voice in [HANDS_FREE, Voice { noise: false, gain: false, ..HANDS_FREE }] {
        for loss_db in [6.0, 10.0] {
            let talk = echo_report::talk(&scene, voice, loss_db);
            assert!(talk.after >= 35.0 && talk.worst >= 30.0, "{voice:?}, {loss_db} dB: {talk:?}");
            // No burst of it comes through later.
            assert!(talk.loudest_dbfs < -55.0, "{voice:?}, {loss_db} dB: {talk:?}");
        }
    }
}

#[test]
fn acc_2_an_operator_who_speaks_while_the_caller_does_is_heard() {
    let both = echo_report::double_talk(&Scene::spoken(), HANDS_FREE, 0.0);
    assert!(both.quieter.abs() <= 4.0 && both.alike >= 0.75 && both.lost < 0.25, "{both:?}");
}

#[test]
fn acc_2_app_2_a_caller_who_hears_themself_no_longer_does_once_hands_free_is_ticked() {
    let returned = echo_report::returned(&Scene::spoken());
    // Speech of -26 dBFS comes back some 6 dB quieter.
    assert!((-45.0..-25.0).contains(&returned.as_it_is), "{returned:?}");
    assert!(returned.as_it_is - returned.cancelled >= 35.0, "{returned:?}");
}

#[test]
fn acc_2_with_a_handset_the_echo_is_not_touched() {
    let talk = echo_report::talk(&Scene::spoken(), Voice { hands_free: false, ..HANDS_FREE }, 6.0);
    assert!(talk.after.abs() < 0.01, "{talk:?}");
}
