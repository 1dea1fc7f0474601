//! The states of call control, one scene each.

use ipc::{
    Action, AudioState, CallRef, CallState, CallView, ConferenceMember, ConferenceView, Direction, LampState,
    NoticeKind, ParkSlotView, ParkedView, Party, PhoneFault, RecallReason, RecallWhy, ServiceMode,
    ServiceView, TransferEnd, TransferKind, TransferState, TransferView, View,
};

use super::notices;
use super::{NOW, count, empty, held, outside, picture, ringing, staff, talking, transfer};

const MAIN: (&str, &str) = ("5550000", "Main line");
const SALES: (&str, &str) = ("5550100", "Sales");
const SUPPORT: (&str, &str) = ("5550200", "Support");

/// The telephone that the operator speaks over is gone: said at the header, and what to do about each fault below.
#[must_use]
pub fn phone_failed() -> View {
    let phone = || "2190".to_owned();
    let faults =
        [PhoneFault::NoAnswer, PhoneFault::Lost, PhoneFault::Busy, PhoneFault::Refused { code: 404 }];
    let mut view = notices::told(faults.map(|why| NoticeKind::PhoneFailed { phone: phone(), why }).into());
    view.operator.audio = AudioState::PhoneFailed { phone: phone(), why: PhoneFault::NoAnswer };
    view
}

/// The same telephone being called.
#[must_use]
pub fn phone_connecting() -> View {
    let mut view = picture();
    view.operator.audio = AudioState::Connecting { device: "2190".into() };
    view
}

/// Three calls that came back: refused, on hold too long, waited too long.
#[must_use]
pub fn recall() -> View {
    let mut view = picture();
    let refused = RecallWhy::Transfer(TransferEnd::Refused { code: 486 });
    let waited_for = Some(staff("David Moreau", "2104"));
    let again = vec![Action::Answer, Action::WaitAgain, Action::Transfer, Action::Park, Action::HangUp];
    let calls = [
        back(6, outside("Pierre-Emmanuel Delacroix-Beaumont", "+33 1 55 57 01 42"), SUPPORT, 64, refused),
        CallView {
            waited_for,
            actions: again,
            ..back(7, outside("Camille Durand", "+33 4 72 00 11 22"), SALES, 342, RecallWhy::Waiting)
        },
        CallView {
            rule: Some("Answer and hold".into()),
            ..back(8, outside("Ewa Nowak", "+48 22 555 01 77"), MAIN, 201, RecallWhy::Hold)
        },
    ];
    view.incoming.retain(|call| call.call != CallRef(3));
    view.incoming.splice(0..0, calls);
    count(&mut view);
    view
}

/// Two calls that wait for one busy phone, and one whose phone has just become free.
#[must_use]
pub fn waiting() -> View {
    let mut view = empty();
    let busy = |position| TransferState::Waiting { lamp: LampState::Busy, position, due_ms: None };
    let soon = TransferState::Waiting { lamp: LampState::Available, position: 1, due_ms: Some(NOW + 2_400) };
    view.incoming = vec![
        waits(
            1,
            outside("Helena Brandt", "+49 30 5557 0142"),
            SALES,
            (96, 71),
            staff("David Moreau", "2104"),
            busy(1),
        ),
        waits(
            2,
            outside("Nadia Okafor", "+44 20 7946 0991"),
            SUPPORT,
            (58, 40),
            staff("David Moreau", "2104"),
            busy(2),
        ),
        waits(3, staff("Tomás Rivera", "2114"), MAIN, (214, 180), staff("Ingrid Solberg", "2110"), soon),
    ];
    view.transfers = view.incoming.iter().filter_map(|call| call.transfer.clone()).collect();
    view.outgoing = vec![talking(5, staff("Marie Laurent", "2107"), 134)];
    view.talk = Some(CallRef(5));
    count(&mut view);
    view
}

/// A transfer asked for a moment ago that can still be undone.
#[must_use]
pub fn undo() -> View {
    let mut view = picture();
    let grace = TransferState::Grace { until_ms: NOW + 1_300 };
    let asked = TransferView {
        since_ms: NOW - 700,
        to: staff("Ingrid Solberg", "2110"),
        ..transfer(9, 3, "Tomás Rivera", "Ingrid Solberg", grace)
    };
    if let Some(call) = view.incoming.iter_mut().find(|call| call.call == CallRef(3)) {
        call.state = CallState::Transferring;
        call.transfer = Some(asked.clone());
        call.actions = vec![Action::Undo, Action::TransferNow, Action::HangUp];
    }
    view.transfers.push(asked);
    count(&mut view);
    view
}

/// A caller on hold and a consultation that can take them.
#[must_use]
pub fn attended() -> View {
    let mut view = picture();
    for call in &mut view.incoming {
        if call.state == CallState::Held {
            call.actions.insert(2, Action::TransferToCall);
            call.actions.insert(3, Action::TakeTransfer);
        }
    }
    for call in &mut view.outgoing {
        call.actions.insert(2, Action::TransferToCall);
        call.actions.insert(3, Action::TakeTransfer);
        call.actions.insert(4, Action::Conference);
    }
    view
}

/// A call for a line with a greeting was answered a moment ago: its directory is in front, with its note.
#[must_use]
pub fn greeting() -> View {
    let mut view = picture();
    view.front_directory = Some(view.directories[1].id);
    view.directories[1].note = "Names are said first. Quotes are sent the same day.".into();
    view.outgoing.clear();
    view.talk = Some(CallRef(1));
    if let Some(call) = view.incoming.first_mut() {
        call.state = CallState::Talking;
        call.answered_ms = Some(NOW - 3_000);
        call.actions = vec![Action::Hold, Action::Transfer, Action::Park, Action::Digits, Action::HangUp];
    }
    count(&mut view);
    view
}

/// The same, and the speech of every call that was answered is encrypted but for one.
#[must_use]
pub fn encrypted() -> View {
    let mut view = greeting();
    let answered = view.incoming.iter_mut().filter(|call| call.answered_ms.is_some());
    for call in answered.filter(|call| call.call != CallRef(3)) {
        call.encrypted = true;
    }
    view
}

/// A colleague with a long title who was called from here, encrypted.
#[must_use]
pub fn encrypted_out() -> View {
    let mut view = picture();
    for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
        call.encrypted = call.answered_ms.is_some();
    }
    view
}

/// The conference below, encrypted but for one of them.
#[must_use]
pub fn encrypted_conference() -> View {
    let mut view = conference();
    for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
        call.encrypted = !matches!(call.call, CallRef(2));
    }
    view
}

/// The operator and five parties; one is muted, one speaks. Another call rings.
#[must_use]
pub fn conference() -> View {
    let mut view = empty();
    let people = [
        outside("Helena Brandt", "+49 30 5557 0142"),
        staff("Marie Laurent", "2107"),
        outside("Nadia Okafor", "+44 20 7946 0991"),
        staff("Tomás Rivera", "2114"),
        outside("", "+33 1 55 57 01 42"),
    ];
    let calls: Vec<CallView> = people
        .into_iter()
        .enumerate()
        .map(|(index, party)| {
            let placed = party.local;
            CallView {
                direction: if placed { Direction::Outgoing } else { Direction::Incoming },
                state: CallState::Conference,
                answered_ms: Some(NOW - 240_000),
                actions: vec![Action::Hold, Action::MuteMember, Action::Transfer, Action::HangUp],
                ..ringing(index as u64 + 1, party, if placed { MAIN } else { SALES }, 250)
            }
        })
        .collect();
    let member = |call: &CallView| ConferenceMember {
        call: call.call,
        muted: call.call == CallRef(3),
        speaking: call.call == CallRef(2),
    };
    let members = calls.iter().map(member).collect();
    view.conference = Some(ConferenceView { members, joined: true, since_ms: NOW - 134_000 });
    let (placed, came): (Vec<_>, Vec<_>) =
        calls.into_iter().partition(|call| call.direction == Direction::Outgoing);
    view.incoming = came;
    view.outgoing = placed;
    view.incoming.push(ringing(9, outside("Søren Holm", "+45 33 12 45 67"), MAIN, 4));
    view.talk = Some(CallRef(2));
    count(&mut view);
    view
}

/// A conference of three colleagues, two of whom were called.
#[must_use]
pub fn colleagues() -> View {
    let mut view = conference();
    let colleague = [("Chiara Romano", "2103"), ("Marie Laurent", "2107"), ("Tomás Rivera", "2114")];
    let calls = view.incoming.iter_mut().chain(&mut view.outgoing).filter(|call| call.call.0 < 4);
    for call in calls {
        let (name, number) = colleague[usize::try_from(call.call.0).unwrap_or(1) - 1];
        call.party = staff(name, number);
    }
    let (kept, left) = (|call: &CallView| !matches!(call.call.0, 4 | 5), view.conference.as_mut());
    view.incoming.retain(kept);
    view.outgoing.retain(kept);
    if let Some(conference) = left {
        conference.members.truncate(3);
    }
    count(&mut view);
    view
}

/// Night service by hand; a rule has answered one call and put it on hold.
#[must_use]
pub fn night() -> View {
    let mut view = empty();
    view.service = ServiceView { mode: ServiceMode::Night, by_hand: true };
    view.incoming = vec![
        CallView {
            rule: Some("Night announcement".into()),
            ..held(1, outside("Helena Brandt", "+49 30 5557 0142"), SALES, 41, 38)
        },
        CallView {
            state: CallState::Transferring,
            rule: Some("Anonymous at night".into()),
            transfer: Some(TransferView {
                kind: TransferKind::Rule,
                ..transfer(3, 2, "", "Night guard", TransferState::Trying)
            }),
            actions: Vec::new(),
            ..ringing(2, Party::default(), MAIN, 6)
        },
    ];
    count(&mut view);
    view
}

/// Four park slots: one call waits there, one too long, one slot is somebody else's.
#[must_use]
pub fn park() -> View {
    let mut view = picture();
    let slot = |number: &str, name: &str, state, parked| ParkSlotView {
        number: number.into(),
        name: name.into(),
        state,
        parked,
    };
    let parked = |who, seconds: u64, overdue| {
        Some(ParkedView { who, by: "Front desk".into(), since_ms: NOW - seconds * 1000, overdue })
    };
    view.park = vec![
        slot("701", "", LampState::Busy, parked(outside("Aiko Tanaka", "+81 3 5555 0199"), 48, false)),
        slot("702", "", LampState::Busy, parked(outside("Camille Durand", "+33 4 72 00 11 22"), 187, true)),
        slot("703", "Warehouse", LampState::Busy, None),
        slot("704", "", LampState::Available, None),
    ];
    for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
        if call.actions.contains(&Action::Transfer) {
            call.actions.insert(2, Action::Park);
        }
    }
    view.counters.parked = 2;
    count(&mut view);
    view
}

fn back(call: u64, party: Party, line: (&str, &str), seconds: u64, why: RecallWhy) -> CallView {
    let from = match why {
        RecallWhy::Hold => Party::default(),
        RecallWhy::Waiting => staff("David Moreau", "2104"),
        RecallWhy::Transfer(_) => staff("Ingrid Solberg", "2110"),
    };
    CallView {
        state: CallState::Recalling,
        recall: Some(RecallReason { from, why }),
        held_since_ms: None,
        actions: vec![Action::Answer, Action::Hold, Action::Transfer, Action::HangUp],
        ..held(call, party, line, seconds, 0)
    }
}

fn waits(
    call: u64,
    party: Party,
    line: (&str, &str),
    (seconds, held_seconds): (u64, u64),
    to: Party,
    state: TransferState,
) -> CallView {
    let who = party.name.clone().unwrap_or_default();
    CallView {
        state: CallState::Transferring,
        transfer: Some(TransferView { to: to.clone(), ..transfer(call, call, &who, "", state) }),
        waited_for: Some(to),
        actions: vec![Action::Retrieve, Action::TransferNow, Action::HangUp],
        ..held(call, party, line, seconds, held_seconds)
    }
}

/// A note of a busy morning, saved a while ago, with a line that is not saved yet.
#[must_use]
pub fn note() -> ipc::Note {
    let saved = "Deliveries **before 10** at the back door, ask for *Ms Okafor*.\n\n\
                 - Parking cards: __drawer 2__, sign the list\n\
                 - Lift 3 out of order until **Friday**\n\
                 - Visitors of Kestrel Legal: ***always*** by the side entrance";
    ipc::Note {
        saved: saved.to_owned(),
        saved_ms: Some(1_795_000_000_000),
        draft: Some(format!("{saved}\n\nCall back __Mr Brandt__ about the badge, 14:30")),
    }
}
