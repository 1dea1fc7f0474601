//! What is done in each cell. Whatever does not come about panics with what was waited for.

use std::time::Duration;

use ipc::{CallRef, CallState, Command, LogRow, TransferEnd, TransferKind};

use crate::peers::Maker;
use crate::peers::scene::{Phone, Scene};
use crate::sound::{A_TONE, B_TONE, DESK_TONE, MUSIC_TONE};
use crate::telephone::Codec;
use crate::wait;

const SOON: Duration = Duration::from_secs(10);
/// Of every row of the keypad one, and both signs.
const DIGITS: &str = "1590*#";

#[track_caller]
pub(super) fn incoming(scene: &mut Scene, maker: Maker, codec: Codec) {
    let mut phone = scene.phone(maker, A_TONE, codec);
    let call = scene.call_from(&mut phone);
    both_hear(scene, &phone);
    phone.set.hang_up();
    scene.wait_gone(call);
}

#[track_caller]
pub(super) fn outgoing(scene: &mut Scene, maker: Maker) {
    let mut phone = scene.phone(maker, A_TONE, Codec::Pcma);
    let call = scene.call_to(&mut phone);
    both_hear(scene, &phone);
    scene.command(Command::HangUp { call });
    phone.set.is_over();
    scene.wait_gone(call);
}

#[track_caller]
pub(super) fn held_by_desk(scene: &mut Scene, maker: Maker) {
    let mut phone = scene.phone(maker, A_TONE, Codec::Pcma);
    let call = scene.call_from(&mut phone);
    both_hear(scene, &phone);
    scene.command(Command::Hold { call });
    scene.wait_state(call, CallState::Held);
    if !maker.is_deaf_after_hold() {
        phone.set.hears(MUSIC_TONE);
    }
    scene.hears_nothing();
    scene.command(Command::Retrieve { call });
    scene.wait_state(call, CallState::Talking);
    both_hear_again(scene, maker, &mut phone, call);
    scene.command(Command::HangUp { call });
    phone.set.is_over();
}

#[track_caller]
pub(super) fn held_by_peer(scene: &mut Scene, maker: Maker) {
    let mut phone = scene.phone(maker, A_TONE, Codec::Pcma);
    let call = scene.call_from(&mut phone);
    both_hear(scene, &phone);
    phone.set.hold();
    if maker.plays_on_hold() {
        scene.hears(A_TONE);
    } else {
        scene.hears_nothing();
    }
    phone.set.hears_no_more(DESK_TONE);
    phone.set.retrieve();
    both_hear_again(scene, maker, &mut phone, call);
    scene.wait_state(call, CallState::Talking);
    phone.set.hang_up();
    scene.wait_gone(call);
}

#[track_caller]
pub(super) fn blind(scene: &mut Scene, maker: Maker) {
    let mut caller = scene.phone(maker, A_TONE, Codec::Pcma);
    let mut target = scene.phone(maker, B_TONE, Codec::Pcma);
    let call = scene.call_from(&mut caller);
    both_hear(scene, &caller);
    scene.command(Command::BlindTransfer { call, to: target.number.clone() });
    target.set.rings();
    target.set.accept();
    target.set.talks();
    caller.set.hears(B_TONE);
    target.set.hears(A_TONE);
    scene.wait_gone(call);
    transferred(scene, &target, TransferKind::Blind);
}

#[track_caller]
pub(super) fn attended(scene: &mut Scene, maker: Maker) {
    let mut caller = scene.phone(maker, A_TONE, Codec::Pcma);
    let mut target = scene.phone(maker, B_TONE, Codec::Pcma);
    let call = scene.call_from(&mut caller);
    both_hear(scene, &caller);
    let asked = scene.call_to(&mut target);
    scene.wait_state(call, CallState::Held);
    caller.set.hears(MUSIC_TONE);
    scene.hears(B_TONE);
    target.set.hears(DESK_TONE);
    scene.command(Command::AttendedTransfer { call, to: asked });
    scene.wait_gone(call);
    scene.wait_gone(asked);
    caller.set.hears(B_TONE);
    target.set.hears(A_TONE);
    transferred(scene, &target, TransferKind::Attended);
}

#[track_caller]
pub(super) fn digits(scene: &mut Scene, maker: Maker) {
    let mut phone = scene.phone(maker, A_TONE, Codec::Pcma);
    let call = scene.call_to(&mut phone);
    both_hear(scene, &phone);
    scene.command(Command::Digits { call, digits: DIGITS.into() });
    phone.set.has_digits(DIGITS);
    both_hear(scene, &phone);
    scene.command(Command::HangUp { call });
    phone.set.is_over();
}

#[track_caller]
fn both_hear(scene: &Scene, phone: &Phone) {
    scene.hears(A_TONE);
    phone.set.hears(DESK_TONE);
}

/// Both hear each other after hold; of who no longer records then, the digits tell that it hears.
#[track_caller]
fn both_hear_again(scene: &mut Scene, maker: Maker, phone: &mut Phone, call: CallRef) {
    scene.hears(A_TONE);
    if maker.is_deaf_after_hold() {
        scene.command(Command::Digits { call, digits: "7".into() });
        phone.set.has_digits("7");
    } else {
        phone.set.hears(DESK_TONE);
    }
}

/// The log says that a transfer to `target` was answered.
#[track_caller]
fn transferred(scene: &mut Scene, target: &Phone, kind: TransferKind) {
    let went = |row: &LogRow| {
        row.transfers.iter().any(|transfer| {
            transfer.kind == kind
                && transfer.end == TransferEnd::Answered
                && transfer.to.number.as_ref() == Some(&target.number)
        })
    };
    let mut rows = Vec::new();
    let found = wait::within(SOON, || {
        rows = scene.client().log(3).rows;
        rows.iter().any(went).then_some(())
    });
    assert!(found.is_some(), "no row of a {kind:?} transfer that was answered, but {rows:?}");
}
