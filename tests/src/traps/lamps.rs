//! Notifiers that hide, repeat, give up or count backwards; SIPp is the exchange itself.

use std::time::Duration;

use ipc::{CallState, CallView, Command, LampState};

use crate::desk::NO_TIMERS;
use crate::traps::scene::{RUN, SOON, Scene};

/// How long the desk may take to ask anew: the turn of a SUBSCRIBE, and what it waits after a failure.
const ANEW: Duration = Duration::from_secs(20);
/// The exchange's feature code.
const CODE: &str = "[numbers]\nintercept = \"**$\"\n";

/// A notifier that says neither call-id nor tags.
#[track_caller]
pub fn hidden() {
    picked_up("lamp_hidden");
}

/// A notifier that tells them.
#[track_caller]
pub fn told() {
    picked_up("lamp_replaces");
}

#[track_caller]
fn picked_up(scenario: &str) {
    let mut scene = Scene::build_with(&format!("{NO_TIMERS}{CODE}"));
    let sipp = scene.play_lamps(scenario);
    scene.wait_lamp("what rings at 2102", ANEW, |lamp| lamp.rings.is_some());
    scene.command(Command::Intercept { number: "2102".into() });
    let taken = |call: &CallView| call.state == CallState::Talking && call.intercepted.is_some();
    let call = scene.client.wait_call("the call picked up", SOON, taken).call;
    let code = sipp.messages().contains("INVITE sip:**2102@");
    assert_eq!(code, scenario == "lamp_hidden", "by feature code: {code}");
    scene.command(Command::HangUp { call });
    scene.client.wait_gone(call, SOON);
    sipp.went_well();
}

/// A notifier that counts backwards.
#[track_caller]
pub fn backwards() {
    let mut scene = Scene::build();
    let sipp = scene.play_lamps("lamp_backwards");
    scene.wait_lamp("the lamp busy", ANEW, |lamp| lamp.state == LampState::Busy);
    scene.wait_wire(&sipp, "CSeq: 6 NOTIFY", 2, SOON);
    // Both came and were answered before the next one, which is 2.5 s away.
    let view = scene.wait_lamp("any lamp", SOON, |_| true);
    assert!(view.lamps.iter().any(|lamp| lamp.number == "2102" && lamp.state == LampState::Busy));
    scene.wait_lamp("the lamp free", SOON, |lamp| lamp.state == LampState::Available);
    sipp.went_well();
}

/// A notifier that ends the subscription.
#[track_caller]
pub fn given_up() {
    let mut scene = Scene::build();
    let sipp = scene.play_lamps("lamp_ended");
    scene.wait_lamp("the lamp", ANEW, |lamp| lamp.state == LampState::Available);
    scene.wait_wire(&sipp, "Subscription-State: terminated", 2, RUN);
    sipp.went_well();
}

/// A mailbox that refuses the subscription and tells all the same.
#[track_caller]
pub fn mailbox_refused() {
    let mut scene = Scene::build();
    let sipp = scene.play("mailbox_refused");
    scene.client.wait("three messages", ANEW, |view| view.counters.voicemail == 3);
    sipp.finish(RUN);
}
