//! Who the other end is, where an exchange changes that during a call.

use ipc::{CallRef, CallState, Command};

use crate::traps::scene::{RUN, SOON, Scene};

/// One of those to whom the caller is transferred; without a lamp, since the exchange of this trap knows of none.
const INGRID: &str =
    "lastname,firstname,title,department,phone,presence\nSolberg,Ingrid,CEO,Management,2102,false\n";

/// A caller whose exchange transfers it again and again, and says each time who is there now.
#[track_caller]
pub fn becomes_another() {
    let mut scene = Scene::build();
    scene.desk.import(INGRID);
    let sipp = scene.play("identity_changes");
    let caller = scene.client.wait_call("a call", SOON, |call| call.state == CallState::Ringing);
    assert_eq!(caller.party.name.as_deref(), Some("Nadia Okafor"));
    let call = scene.answered();
    // The directory knows her better than the exchange.
    is_now(&mut scene, call, "2102", "Ingrid Solberg");
    scene.command(Command::Hold { call });
    is_now(&mut scene, call, "2104", "David Moreau");
    assert_eq!(scene.wait_state(CallState::Held), call);
    scene.command(Command::Retrieve { call });
    is_now(&mut scene, call, "2117", "Lea Roth");
    assert_eq!(scene.wait_state(CallState::Talking), call);
    scene.command(Command::HangUp { call });
    sipp.finish(RUN);
    scene.client.wait_gone(call, SOON);
    assert_eq!(scene.only_row().party.name.as_deref(), Some("Lea Roth"));
}

/// Waits until the card of `call` says so.
#[track_caller]
fn is_now(scene: &mut Scene, call: CallRef, number: &str, name: &str) {
    scene.client.wait_call(&format!("{name} on the card"), SOON, |now| {
        now.call == call
            && now.party.number.as_deref() == Some(number)
            && now.party.name.as_deref() == Some(name)
    });
}
