//! The exchange against a bare user agent over loopback: real datagrams, real clocks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod day;
mod departures;
mod desk;
mod parking;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use sip::dialog_info::{CallDirection, DialogState};
use sip::{Event, RegistrationState, SubscriptionState, TransferResult};

use crate::plan::{VOICEMAIL_HZ, extension_hz, outside_hz};
use crate::report::{Command, NewCall, NewChat, Reply};
use crate::{Options, Pbx, StartError, demo, script};
use desk::{DESK_HZ, Desk, call, call_with, exchange, finished, quiet_exchange, report, set, under_way};

const HELENA: &str = "+493055570142";

#[test]
fn only_the_right_password_registers() {
    let pbx = quiet_exchange();
    let mut desk = Desk::new();
    desk.register(&pbx, "guess");
    let code = desk.wait("a refusal", |event| match event {
        Event::Registration { state: RegistrationState::Failed { code, .. }, .. } => Some(*code),
        _ => None,
    });
    assert!(matches!(code, Some(401 | 403)), "{code:?}");
    assert!(report(&pbx).registered.is_empty());
    desk.register(&pbx, demo::DEMO_PASSWORD);
    desk.wait("registration", |event| {
        matches!(event, Event::Registration { state: RegistrationState::Registered { .. }, .. }).then_some(())
    });
    assert_eq!(report(&pbx).registered.len(), 1);
    desk.agent.shut_down(Instant::now());
    desk.wait("the last answer", |event| matches!(event, Event::Drained).then_some(()));
    assert!(report(&pbx).registered.is_empty());
}

#[test]
fn an_outside_caller_rings_speaks_and_is_spoken_to() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let id = call_with(
        &pbx,
        NewCall { from: Some(HELENA.into()), name: Some("Helena".into()), ..NewCall::default() },
    );
    let ringing = desk.ringing();
    assert_eq!((ringing.number.as_deref(), ringing.name.as_deref()), (Some(HELENA), Some("Helena")));
    assert_eq!(under_way(&pbx, id).unwrap().stage, "ringing at the desk");
    desk.answer(ringing.session);
    desk.until("tones both ways", |desk| {
        let heard = under_way(&pbx, id).and_then(|call| call.sound).and_then(|sound| sound.now);
        heard == Some(DESK_HZ) && desk.hears(ringing.session) == Some(outside_hz(HELENA))
    });
    desk.agent.hang_up(Instant::now(), ringing.session);
    desk.until("the end at the exchange", |_| finished(&pbx, id).is_some());
    let over = finished(&pbx, id).unwrap();
    assert_eq!(over.outcome, "hung up by the desk");
    assert_eq!(over.heard.last(), Some(&Some(DESK_HZ)));
}

#[test]
fn each_line_says_its_number_in_its_own_way() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    call(&pbx, Some(HELENA), "5550000");
    let main = desk.ringing();
    assert_eq!(main.called.as_deref(), Some("5550000"));
    assert!(main.request.header("P-Called-Party-ID").is_none() && main.diverted.is_none());
    call(&pbx, Some(HELENA), "5550100");
    let sales = desk.ringing();
    assert_eq!(sales.called.as_deref(), Some("5550100"));
    assert_eq!(sales.request.to().unwrap().uri.user.as_deref(), Some("desk"));
    call(&pbx, Some(HELENA), "5550200");
    let support = desk.ringing();
    assert_eq!((support.called.as_deref(), support.diverted.as_deref()), (Some("desk"), Some("5550200")));
    call(&pbx, None, "5550000");
    let hidden = desk.ringing();
    assert_eq!((hidden.number, hidden.name), (None, None));
    call(&pbx, Some("2114"), "5550000");
    let colleague = desk.ringing();
    assert_eq!(
        (colleague.number.as_deref(), colleague.name.as_deref()),
        (Some("2114"), Some("Tomás Rivera"))
    );
}

#[test]
fn a_caller_loses_patience_and_one_is_refused() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let impatient = NewCall { from: Some(HELENA.into()), patience_s: Some(0.3), ..NewCall::default() };
    let id = call_with(&pbx, impatient);
    let ringing = desk.ringing();
    assert_eq!(desk.ended(ringing.session), 487);
    assert_eq!(finished(&pbx, id).unwrap().outcome, "gave up");

    let id = call(&pbx, Some(HELENA), "5550000");
    let ringing = desk.ringing();
    desk.agent.reject(Instant::now(), ringing.session, 486);
    desk.until("the refusal", |_| finished(&pbx, id).is_some());
    assert_eq!(finished(&pbx, id).unwrap().outcome, "refused with 486");
}

#[test]
fn while_the_desk_holds_the_caller_is_silent_and_knows_it() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let id = call(&pbx, Some(HELENA), "5550000");
    let session = desk.ringing().session;
    desk.answer(session);
    desk.until("the caller's tone", |desk| desk.hears(session) == Some(outside_hz(HELENA)));
    desk.agent.hold(Instant::now(), session);
    desk.wait("the hold", |event| matches!(event, Event::Held { .. }).then_some(()));
    desk.until("silence", |desk| desk.hears(session).is_none());
    assert!(under_way(&pbx, id).unwrap().held);
    let (sent, received) = (under_way(&pbx, id).unwrap().sound.unwrap().sent, desk.received(session));
    desk.agent.retrieve(Instant::now(), session);
    desk.wait("the retrieval", |event| matches!(event, Event::Retrieved { .. }).then_some(()));
    assert!(desk.received(session) <= received + 2, "nothing came during the hold");
    desk.until("the caller's tone again", |desk| desk.hears(session) == Some(outside_hz(HELENA)));
    let call = under_way(&pbx, id).unwrap();
    assert!(!call.held && call.sound.unwrap().sent > sent);
}

#[test]
fn extensions_behave_as_they_are_told() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    for (behaviour, code) in [("busy", 486), ("dnd", 480), ("offline", 480), ("refuse", 603)] {
        set(&pbx, "2110", behaviour);
        let session = desk.dial("2110");
        assert_eq!(desk.ended(session), code, "{behaviour}");
    }
    let nobody = desk.dial("2198");
    assert_eq!(desk.ended(nobody), 404);

    set(&pbx, "2110", "hang-up:0.2");
    let short = desk.dial("2110");
    desk.wait("ringing", |event| matches!(event, Event::Progress { code: 180, .. }).then_some(()));
    desk.wait("an answer", |event| matches!(event, Event::Answered { .. }).then_some(()));
    assert_eq!(desk.ended(short), 200);

    set(&pbx, "2110", "answer:0.1");
    for (number, hz) in [
        ("2110", extension_hz(2110)),
        ("72110", VOICEMAIL_HZ),
        ("+442079460991", outside_hz("+442079460991")),
    ] {
        let session = desk.dial(number);
        desk.until("its tone", |desk| desk.hears(session) == Some(hz));
        desk.agent.hang_up(Instant::now(), session);
    }
    desk.until("the end of all calls", |_| report(&pbx).calls.is_empty());
}

#[test]
fn a_call_nobody_answers_can_be_cancelled() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2110", "ring");
    let session = desk.dial("2110");
    desk.wait("ringing", |event| matches!(event, Event::Progress { code: 180, .. }).then_some(()));
    desk.agent.hang_up(Instant::now(), session);
    desk.until("the end", |_| {
        report(&pbx).finished.iter().any(|over| over.outcome == "cancelled by the desk")
    });
}

#[test]
fn a_transfer_plays_out_and_the_lamps_show_it() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2110", "answer:0.3");
    let lamp = desk.watch("2110");
    desk.lamp("an idle lamp", lamp, <[_]>::is_empty);
    let id = call(&pbx, Some(HELENA), "5550100");
    let session = desk.ringing().session;
    desk.answer(session);
    desk.agent.hold(Instant::now(), session);
    desk.agent.refer(Instant::now(), session, "2110");
    let (mut codes, mut states, mut result) = (Vec::new(), Vec::new(), None);
    desk.wait("the end of our leg", |event| {
        match event {
            Event::TransferProgress { code, .. } => codes.push(*code),
            Event::TransferEnded { result: it, .. } => result = Some(it.clone()),
            Event::Dialogs { dialogs, .. } => states.extend(dialogs.iter().map(|dialog| dialog.state)),
            _ => {}
        }
        matches!(event, Event::Ended { .. }).then_some(())
    });
    assert_eq!(codes, [100, 180]);
    assert_eq!(result, Some(TransferResult::Ok(200)));
    assert!(states.contains(&DialogState::Early), "{states:?}");
    let stage = under_way(&pbx, id).unwrap().stage;
    assert_eq!(stage, "transferred to 2110");
    if !states.contains(&DialogState::Confirmed) {
        desk.lamp("a busy lamp", lamp, |dialogs| dialogs.iter().any(|d| d.state == DialogState::Confirmed));
    }
    assert_eq!(pbx.command(Command::Hangup(id)).unwrap(), Reply::Done { ok: true });
    desk.lamp("an idle lamp", lamp, <[_]>::is_empty);
}

#[test]
fn a_transfer_that_fails_leaves_the_caller_with_the_desk() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let id = call(&pbx, Some(HELENA), "5550100");
    let session = desk.ringing().session;
    desk.answer(session);
    desk.agent.hold(Instant::now(), session);
    for (behaviour, wanted) in [("busy", 486), ("dnd", 480), ("ring", 408), ("refuse", 603)] {
        set(&pbx, "2110", behaviour);
        desk.agent.refer(Instant::now(), session, "2110");
        let result = desk.wait("the end of the transfer", |event| match event {
            Event::TransferEnded { result, .. } => Some(result.clone()),
            _ => None,
        });
        assert!(
            matches!(result, TransferResult::Refused(code, _) if code == wanted),
            "{behaviour}: {result:?}"
        );
    }
    desk.agent.retrieve(Instant::now(), session);
    desk.until("the caller's tone again", |desk| desk.hears(session) == Some(outside_hz(HELENA)));
    assert_eq!(under_way(&pbx, id).unwrap().stage, "talking");
}

#[test]
fn lamps_change_with_calls_between_colleagues() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    set(&pbx, "2107", "answer:0.2");
    let (alice, marie) = (desk.watch("2101"), desk.watch("2107"));
    desk.until("both subscriptions", |_| report(&pbx).watchers == 2);
    let chat = NewChat { from: "2101".into(), to: "2107".into(), talk_s: Some(0.5) };
    let Reply::Call { .. } = pbx.command(Command::Chat(chat.clone())).unwrap() else { panic!("no chat") };
    assert!(matches!(pbx.command(Command::Chat(chat)).unwrap(), Reply::Failed { .. }), "both are busy");
    let early = desk.lamp("Marie's phone ringing", marie, |dialogs| {
        dialogs.iter().any(|dialog| dialog.state == DialogState::Early)
    });
    assert_eq!(early[0].direction, Some(CallDirection::Recipient));
    let remote = early[0].remote.clone().unwrap();
    assert_eq!(remote.display.as_deref(), Some("Alice Fournier"));
    assert!(remote.identity.starts_with("sip:2101@"));
    assert!(early[0].call_id.is_some() && early[0].local_tag.is_some() && early[0].remote_tag.is_some());
    desk.lamp("Alice's phone busy", alice, |dialogs| {
        dialogs.iter().any(|dialog| dialog.state == DialogState::Confirmed)
    });
    desk.lamp("Alice's phone idle again", alice, <[_]>::is_empty);
}

#[test]
fn standing_behaviours_show_on_the_lamp() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    let lamp = desk.watch("2110");
    desk.lamp("an idle lamp", lamp, <[_]>::is_empty);
    set(&pbx, "2110", "dnd");
    let dialogs = desk.lamp("a lamp that says so", lamp, |dialogs| !dialogs.is_empty());
    let display = dialogs[0].remote.as_ref().and_then(|remote| remote.display.clone());
    assert_eq!(display.as_deref(), Some("Do Not Disturb"));
    set(&pbx, "2110", "offline");
    desk.wait("an unknown lamp", |event| {
        matches!(event, Event::Subscription { state: SubscriptionState::Lost { .. }, .. }).then_some(())
    });
}

#[test]
fn monday_morning_calls_by_itself() {
    let pbx = exchange(script::MONDAY);
    let mut desk = Desk::at(&pbx);
    let first = desk.ringing();
    assert_eq!(first.number.as_deref(), Some(HELENA));
    assert_eq!(first.called.as_deref(), Some("5550100"));
}

#[test]
fn the_control_line_answers_and_survives_rubbish() {
    let pbx = quiet_exchange();
    let stream = TcpStream::connect(pbx.control().unwrap()).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut ask = |line: &str| {
        writeln!(&stream, "{line}").unwrap();
        lines.next().unwrap().unwrap()
    };
    assert!(ask("rubbish").starts_with(r#"{"error":"#));
    assert!(ask(r#"{"call":{"from":"12"}}"#).starts_with(r#"{"error":"#));
    assert_eq!(ask(r#"{"set":{"ext":"2110","behaviour":"busy"}}"#), r#"{"ok":true}"#);
    assert!(ask(r#"{"set":{"ext":"9","behaviour":"busy"}}"#).contains("no extension"));
    assert!(ask(r#"{"call":{}}"#).contains("not registered"));
    assert!(ask(r#"{"report":true}"#).contains(r#""extension":"2110","behaviour":"busy""#));

    let mut flood = TcpStream::connect(pbx.control().unwrap()).unwrap();
    // The exchange closes the connection in the middle; either side may see that first.
    let _ = flood.write_all(&vec![b'x'; 1 << 20]);
    let mut rest = String::new();
    let closed = BufReader::new(flood).read_line(&mut rest);
    assert!(closed.is_err() || rest.is_empty());
    assert!(ask(r#"{"report":true}"#).starts_with(r#"{"report":"#));
}

#[test]
fn only_loopback_is_served_unless_allowed() {
    let start = |listen: &str| {
        Pbx::start(Options {
            listen: listen.parse::<SocketAddr>().unwrap(),
            control: None,
            allow_remote: false,
            user: "desk".into(),
            password: "secret".into(),
            script: script::QUIET,
            seed: 1,
            transfer_patience: std::time::Duration::from_secs(1),
        })
    };
    assert!(matches!(start("192.0.2.1:0"), Err(StartError::Remote(_))));
    assert!(matches!(start("0.0.0.0:0"), Err(StartError::Unspecified(_))));
    let first = start("127.0.0.1:0").unwrap();
    assert!(matches!(start(&first.address().to_string()), Err(StartError::Bind(..))));
}

#[test]
fn the_end_of_the_exchange_ends_its_calls() {
    let pbx = quiet_exchange();
    let mut desk = Desk::at(&pbx);
    call(&pbx, Some(HELENA), "5550000");
    let session = desk.ringing().session;
    desk.answer(session);
    let stopping = std::thread::spawn(move || pbx.stop());
    assert_eq!(desk.ended(session), 200);
    desk.until("the thread to end", |_| stopping.is_finished());
}
