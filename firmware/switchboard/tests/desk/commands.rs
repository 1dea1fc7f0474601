//! Commands that need a guard, and the desk beside the calls.

use std::time::Duration;

use expect_test::expect;
use ipc::{
    AudioState, CallRef, Callers, Command, CommandError, DirectoryId, DirectoryView, LampState, Language,
    NoticeKind, Outcome, Party, Registration, Rule, TransferId, TransferState, Trigger, UpdateNews,
    UpdateNotice, UpdateRefusal,
};
use switchboard::{Effect, Input, Line, Settings, TransferResult};

use crate::bench::Bench;
use crate::script::{check, incoming, ready, ready_with};

#[test]
fn hook_keys_mean_the_right_call() {
    check(
        "f9\nf10\noffhook\nonhook\nin 1 5550100\nin 2 5550100\noffhook\nack 1\nf9\nack 2\nf9\nf9\nhold 1\nf9\n\
         onhook\ngone 2\nf9\nf9\nf9",
        &expect![[r#"
            f9
                refused: no call to act on
              = empty
            f10
                refused: no call to act on
            offhook
                refused: no call to act on
            onhook
                refused: no call to act on
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            in 2 5550100
                180 2
              = 1 Ringing · 2 Ringing
            offhook
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering* · 2 Ringing
            ack 1
              = 1 Talking* · 2 Ringing
            f9
                hold 1
                answer 2
                ear 2
              = 1 Held · 2 Answering*
            ack 2
              = 1 Held · 2 Talking*
            f9
                hold 2
                retrieve 1
                ear 1
              = 1 Talking* · 2 Held
            f9
                hold 1
                retrieve 2
                ear 2
              = 1 Held · 2 Talking*
            hold 1
                refused: not possible in the call's present state
            f9
                hold 2
                retrieve 1
                ear 1
              = 1 Talking* · 2 Held
            onhook
                hang up 1
                ear free
              = 1 Ending · 2 Held
            gone 2
                log 2 Failed, answered 0, talk 0, hold 0
              = 1 Ending
            f9
                refused: no call to act on
            f9
                refused: no call to act on
            f9
                refused: no call to act on
        "#]],
    );
}

/// It is told of when it is let go: who rang when it was pressed may have given up by then.
#[test]
fn hw_1_a_button_pressed_for_who_has_just_given_up_does_not_hang_up_the_caller_in_the_ear() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nin 2 5550100\n--\nelsewhere 2\nbutton\n+1499\nbutton\n+1\nbutton",
        &expect![[r#"
            elsewhere 2
                log 2 Elsewhere, answered never, talk 0, hold 0
                Tone(None)
              = 1 Talking*
            button
                refused: no call to act on
            +1499
            button
                refused: no call to act on
            +1
            button
                hang up 1
                ear free
              = 1 Ending
        "#]],
    );
}

/// The other keys say what they mean.
#[test]
fn hw_1_the_handset_put_down_ends_the_call_whoever_has_just_given_up() {
    check(
        "in 1 5550100\nanswer 1\nack 1\nin 2 5550100\nelsewhere 2\n--\nonhook",
        &expect![[r#"
            onhook
                hang up 1
                ear free
              = 1 Ending
        "#]],
    );
}

#[test]
fn acc_6_digits_that_were_refused_are_told_while_the_call_lives() {
    check(
        "dial 99\nok 1\n--\ndigits 1 1\nrefuse-digits 1\nbye 1\nrefuse-digits 1",
        &expect![[r#"
            digits 1 1
                digits 1 1
              = 1 Talking*
            refuse-digits 1
              = 1 Talking* · !digits 99 failed 415
            bye 1
                log 99 Completed, answered 0, talk 0, hold 0
                ear free
              = !digits 99 failed 415
            refuse-digits 1
        "#]],
    );
}

#[test]
fn digits_go_out_in_a_talking_call_only() {
    check(
        "dial 99\ndigits 1 1\nok 1\ndigits 1 12#a\ndigits 1 x\nhold 1\ndigits 1 1",
        &expect![[r#"
        dial 99
            dial 1 99 from 5550100
            ear 1
          = 1 Dialing*
        digits 1 1
            refused: not possible in the call's present state
        ok 1
          = 1 Talking*
        digits 1 12#a
            digits 1 12#A
        digits 1 x
            refused: "x" is not a number that can be called
        hold 1
            hold 1
            ear free
          = 1 Held
        digits 1 1
            refused: not possible in the call's present state
    "#]],
    );
}

#[test]
fn dialling_needs_a_number_and_a_registered_line() {
    check(
        "dial Alice\ndial (21)10 5550200\ndial 2110 5550300",
        &expect![[r#"
        dial Alice
            refused: "Alice" is not a number that can be called
          = empty
        dial (21)10 5550200
            dial 1 2110 from 5550200
            ear 1
          = 1 Dialing*
        dial 2110 5550300
            refused: no such line
    "#]],
    );
    let mut bench = ready();
    let state = Registration::Failed { reason: "403 Forbidden".into() };
    bench.input(Input::Registration { line: "5550100".into(), state: state.clone() });
    assert_eq!(bench.view.operator.registration, state, "the worst of the lines");
    let dial = |line: Option<&str>| Command::Dial { number: "2110".into(), line: line.map(Into::into) };
    assert_eq!(bench.command(&dial(None)).0, Err(CommandError::NotRegistered));
    assert_eq!(bench.command(&dial(Some("5550200"))).0, Ok(()));
    let mut bare = Bench::new(Settings::default());
    assert_eq!(bare.command(&dial(None)).0, Err(CommandError::NoLine));
}

#[test]
fn a_full_desk_refuses_and_logs_as_missed() {
    let line = Line { number: "5550100".into(), name: "Sales".into(), ..Line::default() };
    let mut bench = Bench::new(Settings { lines: vec![line], max_calls: 2, ..Settings::default() });
    bench.input(Input::Registration { line: "5550100".into(), state: Registration::Registered });
    for n in 1..=2 {
        bench.input(incoming(CallRef(n), "5550100"));
    }
    let effects = bench.input(incoming(CallRef(3), "5550100"));
    assert_eq!(effects[0], Effect::Reject { call: CallRef(3), code: 486 });
    assert_eq!((bench.view.counters.missed, bench.logged.len()), (1, 1));
    let dial = Command::Dial { number: "2110".into(), line: None };
    assert_eq!(bench.command(&dial).0, Err(CommandError::TooManyCalls));
}

#[test]
fn a_reference_serves_one_call() {
    let mut bench = ready();
    let drawn = bench.desk.next_call();
    bench.input(incoming(CallRef(drawn.0 + 5), "5550100"));
    bench.input(incoming(drawn, "5550100"));
    assert_eq!(bench.view.incoming.len(), 2, "drawn, and running ahead");
    let used = bench.desk.view(bench.now());
    bench.desk.handle(bench.now(), incoming(drawn, "5550200"));
    assert_eq!(bench.desk.view(bench.now()).incoming, used.incoming, "the first call is left alone");
    bench.desk.verify_invariants();
    assert!(bench.desk.next_call() > CallRef(drawn.0 + 5), "never a reference that is used");
}

fn named(number: &str, name: &str) -> Party {
    Party { number: Some(number.into()), name: Some(name.into()), ..Party::default() }
}

#[test]
fn names_found_late_reach_card_ledger_and_log() {
    let mut bench = ready();
    let call = CallRef(1);
    bench.input(incoming(call, "5550200"));
    bench.input(Input::Identified { call, party: named("1", "Alice Fournier") });
    assert_eq!(bench.view.incoming[0].party.name.as_deref(), Some("Alice Fournier"));
    assert_eq!(bench.view.incoming[0].line_name, "Service");
    bench.command(&Command::Answer { call }).0.unwrap();
    bench.input(Input::Confirmed { call });
    bench.command(&Command::BlindTransfer { call, to: "2110".into() }).0.unwrap();
    let transfer = bench.view.transfers[0].id;
    bench.input(Input::TargetIdentified { transfer, party: named("2110", "Bob") });
    assert_eq!(bench.view.transfers[0].who.name.as_deref(), Some("Alice Fournier"));
    bench.pass(30_000);
    bench.input(Input::TransferEnded { call, result: TransferResult::Silent });
    let recall = bench.view.incoming[0].recall.clone().unwrap();
    assert_eq!(recall.from.name.as_deref(), Some("Bob"));
    bench.input(Input::TargetIdentified { transfer, party: named("2110", "Robert") });
    assert_eq!(bench.view.incoming[0].recall.clone().unwrap().from.name.as_deref(), Some("Robert"));
    bench.input(Input::Ended { call, cause: switchboard::EndCause::default() });
    bench.pass(10_000);
    assert_eq!(bench.logged[0].transfers[0].to.name.as_deref(), Some("Robert"));
    bench.assert_quiet();
}

#[test]
fn whoever_the_other_end_becomes_is_on_the_card_in_the_ledger_and_in_the_log() {
    let mut bench = ready();
    let call = CallRef(1);
    bench.input(incoming(call, "5550200"));
    bench.input(Input::Identified { call, party: named("1", "Alice Fournier") });
    bench.input(Input::History { call, history: ipc::CallerHistory { calls: 3, ..Default::default() } });
    bench.command(&Command::Answer { call }).0.unwrap();
    bench.input(Input::Confirmed { call });
    bench.input(Input::PartyChanged { call, party: named("2102", "Extension 2102") });
    let card = &bench.view.incoming[0];
    assert_eq!(card.party, named("2102", "Extension 2102"));
    assert_eq!((card.state, card.history.clone()), (ipc::CallState::Talking, None), "that was Alice's");
    bench.input(Input::Identified { call, party: named("2102", "Ingrid Solberg") });
    bench.command(&Command::BlindTransfer { call, to: "2110".into() }).0.unwrap();
    assert_eq!(bench.view.transfers[0].who.name.as_deref(), Some("Ingrid Solberg"));
    // Transferred once more while our own transfer is under way, to somebody who does not want to be known.
    bench.input(Input::PartyChanged { call, party: Party::default() });
    assert_eq!(bench.view.transfers[0].who, Party::default());
    bench.input(Input::Ended { call, cause: switchboard::EndCause::default() });
    bench.pass(10_000);
    assert_eq!(bench.logged[0].party, Party::default());
    bench.input(Input::PartyChanged { call, party: named("2102", "Nobody") });
    bench.assert_quiet();
}

/// The directories may answer late: an import keeps them busy.
#[test]
fn call_5_a_name_that_comes_too_late_is_not_that_of_who_it_is_by_now() {
    let mut bench = ready();
    let call = CallRef(1);
    bench.input(incoming(call, "5550200"));
    bench.command(&Command::Answer { call }).0.unwrap();
    bench.input(Input::Confirmed { call });
    bench.input(Input::PartyChanged { call, party: Party::default() });
    bench.input(Input::Identified { call, party: named("1", "Alice Fournier") });
    assert_eq!(bench.view.incoming[0].party, Party::default(), "who it is does not want to be known");
    bench.input(Input::PartyChanged { call, party: named("2102", "Extension 2102") });
    bench.input(Input::Identified { call, party: named("1", "Alice Fournier") });
    assert_eq!(bench.view.incoming[0].party, named("2102", "Extension 2102"));
}

#[test]
fn the_answering_end_is_shown_where_it_is_another() {
    let mut bench = ready();
    bench.command(&Command::Dial { number: "2110".into(), line: None }).0.unwrap();
    let call = bench.view.outgoing[0].call;
    let party = |number: &str, name: Option<&str>| Party {
        number: Some(number.into()),
        name: name.map(Into::into),
        ..Party::default()
    };
    bench.input(Input::Identified { call, party: party("2110", Some("Bob")) });
    bench.input(Input::Answered { call, by: Some(party("2110", None)) });
    assert_eq!(bench.view.outgoing[0].party.name.as_deref(), Some("Bob"), "the directory knows better");
    let mut bench = ready();
    bench.command(&Command::Dial { number: "2110".into(), line: None }).0.unwrap();
    bench.input(Input::Answered { call, by: Some(party("2115", None)) });
    assert_eq!(bench.view.outgoing[0].party.number.as_deref(), Some("2115"), "forwarded");
}

/// A directory linked to a line.
fn linked(id: u32, line: &str) -> DirectoryView {
    DirectoryView {
        id: DirectoryId(id),
        name: format!("directory {id}"),
        local: true,
        contacts: 0,
        generation: 0,
        line: Some(line.into()),
        note: String::new(),
        look: ipc::DirectoryLook::default(),
        source: None,
    }
}

#[test]
fn a_call_that_a_rule_has_answered_brings_its_directory_when_the_operator_takes_it() {
    let rule = Rule {
        name: "wait".into(),
        when: Trigger::Arrives,
        who: Callers::Anybody,
        line: Some("5550200".into()),
        modes: Vec::new(),
        then: Outcome::AnswerAndHold,
    };
    let mut bench = ready_with(Settings { rules: vec![rule], ..Settings::default() });
    bench.input(Input::Directories(vec![linked(1, "5550100"), linked(2, "5550200")]));
    bench.input(incoming(CallRef(1), "5550100"));
    bench.command(&Command::Answer { call: CallRef(1) }).0.unwrap();
    bench.input(Input::Confirmed { call: CallRef(1) });
    bench.input(incoming(CallRef(2), "5550200"));
    bench.input(Input::Confirmed { call: CallRef(2) });
    assert_eq!(bench.view.front_directory, Some(DirectoryId(1)), "nobody has turned to the second call");
    bench.command(&Command::Retrieve { call: CallRef(2) }).0.unwrap();
    assert_eq!(bench.view.front_directory, Some(DirectoryId(2)));
    bench.command(&Command::Retrieve { call: CallRef(1) }).0.unwrap();
    assert_eq!(bench.view.front_directory, Some(DirectoryId(2)), "it was picked up before");
}

#[test]
fn a_directory_comes_to_the_front_with_its_line() {
    let mut bench = ready();
    bench.input(Input::Directories(vec![linked(1, "5550100"), linked(2, "5550200")]));
    bench.input(incoming(CallRef(1), "5550200"));
    assert_eq!(bench.view.front_directory, None);
    bench.command(&Command::Answer { call: CallRef(1) }).0.unwrap();
    assert_eq!(bench.view.front_directory, Some(DirectoryId(2)));
    bench.command(&Command::ShowDirectory { directory: DirectoryId(1) }).0.unwrap();
    assert_eq!(bench.view.front_directory, Some(DirectoryId(1)));
    let none = Command::ShowDirectory { directory: DirectoryId(9) };
    assert!(matches!(bench.command(&none).0, Err(CommandError::Failed { .. })));
    bench.input(Input::Directories(vec![linked(2, "5550200")]));
    assert_eq!(bench.view.front_directory, None, "it is gone");
}

#[test]
fn a_lamp_is_unknown_when_nobody_vouches_for_it_and_keeps_its_time() {
    let mut bench = ready();
    let mut lamp = |ms, number: &str, state, calls| {
        bench.pass(ms);
        bench.input(Input::Lamp { number: number.into(), state, calls, peer: None, talks: Vec::new() });
        bench.view.lamps.iter().map(|l| (l.number.clone(), l.state, l.calls, l.since_ms)).collect::<Vec<_>>()
    };
    lamp(10, "2120", LampState::Unknown, 0);
    lamp(10, "2110", LampState::Busy, 1);
    lamp(10, "2110", LampState::Busy, 2);
    let lamps = lamp(10, "2120", LampState::Available, 0);
    let expected =
        [("2110".to_owned(), LampState::Busy, 2, 20), ("2120".to_owned(), LampState::Available, 0, 40)];
    assert_eq!(lamps, expected);
    assert_eq!(lamp(10, "2110", LampState::Unknown, 0)[0], ("2110".to_owned(), LampState::Unknown, 0, 50));
    bench.input(Input::LampGone { number: "2110".into() });
    assert_eq!(bench.view.lamps.len(), 1);
}

#[test]
fn notices_are_said_once_dismissed_withdrawn_and_bounded() {
    let mut bench = ready();
    let failed = |n: u32| Input::StorageFailed { reason: format!("disk {n}") };
    bench.input(failed(1));
    bench.input(failed(1));
    assert_eq!(bench.view.notices.len(), 1);
    bench.input(Input::Audio(AudioState::Connected { device: "hw:1".into() }));
    bench.input(Input::Audio(AudioState::Failed { reason: "gone".into() }));
    let lost = NoticeKind::AudioLost { device: "hw:1".into(), reason: "gone".into() };
    assert_eq!(bench.view.notices[1].kind, lost);
    let notice = bench.view.notices[0].id;
    bench.command(&Command::DismissNotice { notice }).0.unwrap();
    assert_eq!(bench.view.notices.len(), 1);
    bench.input(Input::Audio(AudioState::Connected { device: "hw:1".into() }));
    assert_eq!(bench.view.notices, []);
    for n in 0..1000 {
        bench.input(failed(n));
    }
    assert_eq!(bench.view.notices.len(), 32);
    bench.input(Input::StorageWorks);
    assert_eq!(bench.view.notices, []);
}

#[test]
fn app_3_news_of_an_update_take_the_place_of_older_ones_and_a_refusal_does_not_hide_one_under_way() {
    let mut bench = ready();
    let notice = |version: &str, news| UpdateNotice { version: version.into(), news };
    let told = |bench: &Bench| -> Vec<UpdateNotice> {
        let of = |notice: &ipc::Notice| match &notice.kind {
            NoticeKind::Update(notice) => Some(notice.clone()),
            _ => None,
        };
        bench.view.notices.iter().filter_map(of).collect()
    };
    let old = notice("0.1", UpdateNews::Refused { why: UpdateRefusal::Same });
    let older = notice("0.0.9", UpdateNews::Refused { why: UpdateRefusal::Signature });
    bench.input(Input::Update(Some(old.clone())));
    bench.input(Input::Update(Some(older.clone())));
    assert_eq!(told(&bench), [older], "one refusal takes the place of another");
    for news in [UpdateNews::Taken, UpdateNews::Writing, UpdateNews::Ready] {
        bench.input(Input::Update(Some(notice("0.2", news.clone()))));
        assert_eq!(told(&bench), [notice("0.2", news)]);
    }
    bench.input(Input::Update(Some(old.clone())));
    assert_eq!(told(&bench), [notice("0.2", UpdateNews::Ready), old]);
    bench.input(Input::Update(None));
    assert_eq!(told(&bench).len(), 2, "what is written comes, whatever is called off");
    bench.input(Input::Update(Some(notice("0.2", UpdateNews::Done))));
    assert_eq!(told(&bench), [notice("0.2", UpdateNews::Done)]);
    bench.input(Input::Update(Some(notice("0.3", UpdateNews::Taken))));
    bench.input(Input::Update(None));
    assert_eq!(told(&bench), [], "it was called off");
}

#[test]
fn preferences_and_counters_are_kept_when_changed_here() {
    let mut bench = ready();
    let french = Command::SetLanguage { language: Language::French };
    let (_, effects) = bench.command(&french);
    assert!(matches!(&effects[..], [Effect::SavePreferences(p)] if p.language == Language::French));
    assert_eq!(bench.command(&french).1, [], "nothing new");
    bench.input(Input::Missed { count: 3 });
    assert_eq!(bench.command(&Command::ClearMissed).1, [Effect::SaveMissed(0)]);
    assert_eq!(bench.command(&Command::Register { on: false }).1, [Effect::Register(false)]);
    assert_eq!(bench.command(&Command::Audio { on: true }).1, [Effect::Audio(true)]);
    let import = Command::ImportContacts { directory: "Staff".into(), local: true, path: "x.csv".into() };
    assert_eq!(bench.command(&import).0, Err(CommandError::NotPossible));
}

#[test]
fn set_1_the_settings_of_the_screen_are_kept_as_a_whole() {
    let mut bench = ready();
    let save = |shortcuts: ipc::Shortcuts| {
        let (language, theme) = (Language::French, ipc::Theme::Contrast);
        let (text_size, calm, pace) = (ipc::TextSize::Largest, true, ipc::SpeechPace::Fast);
        let wish =
            ipc::PreferencesWish { language, theme, shortcuts, text_size, calm, pace, ..Default::default() };
        Command::SavePreferences(wish)
    };
    bench.command(&Command::SetLockAfter { minutes: 5 }).0.unwrap();
    let night = |key: String| ipc::Shortcuts::from([("night".to_owned(), vec![key])]);
    let (_, effects) = bench.command(&save(night("F9".into())));
    let [Effect::SavePreferences(kept)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(kept, &bench.view.preferences);
    assert_eq!((kept.language, kept.theme), (Language::French, ipc::Theme::Contrast));
    assert_eq!(kept.shortcuts, night("F9".into()));
    assert_eq!(kept.hold_alarm_ms, ipc::Preferences::default().hold_alarm_ms, "the administrator's");
    assert_eq!((kept.text_size, kept.calm, kept.speech), (ipc::TextSize::Largest, true, false));
    assert_eq!(kept.pace, ipc::SpeechPace::Fast);
    assert_eq!(kept.lock_after_min, 5, "not wished for");
    // No screen sends these; they would be in each view.
    let many = (0..=ipc::MAX_SHORTCUTS.0).map(|at| (at.to_string(), Vec::new())).collect();
    for bad in [night(String::new()), night("x".repeat(ipc::MAX_SHORTCUT_NAME + 1)), many] {
        let (result, effects) = bench.command(&save(bad));
        assert!(matches!(result, Err(CommandError::Failed { .. })), "{result:?}");
        assert_eq!(effects, []);
    }
}

#[test]
fn acc_1_the_time_of_the_lock_is_kept_with_the_settings() {
    let mut bench = ready();
    let after = |minutes| {
        Command::SavePreferences(ipc::PreferencesWish { lock_after_min: Some(minutes), ..Default::default() })
    };
    bench.command(&after(15)).0.unwrap();
    assert_eq!(bench.view.preferences.lock_after_min, 15);
    bench.command(&after(u16::MAX)).0.unwrap();
    assert_eq!(bench.view.preferences.lock_after_min, ipc::MAX_LOCK_AFTER);
    bench.command(&after(0)).0.unwrap();
    assert_eq!(bench.view.preferences.lock_after_min, 0);
}

#[test]
fn an_open_transfer_cannot_be_dismissed() {
    let mut bench = ready();
    let call = CallRef(1);
    bench.input(incoming(call, "5550100"));
    bench.command(&Command::Answer { call }).0.unwrap();
    bench.input(Input::Confirmed { call });
    bench.command(&Command::BlindTransfer { call, to: "2110".into() }).0.unwrap();
    let transfer = bench.view.transfers[0].id;
    assert_eq!(bench.view.transfers[0].state, TransferState::Requested);
    let dismiss = Command::DismissTransfer { transfer };
    assert_eq!(bench.command(&dismiss).0, Err(CommandError::NotPossible));
    bench.pass(30_000);
    bench.input(Input::TransferEnded { call, result: TransferResult::Silent });
    bench.command(&dismiss).0.unwrap();
    assert_eq!(bench.view.transfers, []);
    let unknown = Command::DismissTransfer { transfer: TransferId(99) };
    assert_eq!(bench.command(&unknown).0, Ok(()), "forgotten already is as good");
}

#[test]
fn a_clock_that_runs_backwards_or_leaps_does_no_harm() {
    let mut bench = ready();
    bench.now_ms = 5_000;
    bench.input(incoming(CallRef(1), "5550100"));
    let early = bench.now().checked_sub(Duration::from_secs(3)).unwrap();
    bench.desk.handle(early, Input::Deadline);
    assert_eq!(bench.desk.view(early).now_ms, 5_000);
    bench.desk.command(early, &Command::Answer { call: CallRef(1) }).unwrap();
    bench.desk.handle(bench.now() + Duration::from_secs(1 << 40), Input::Confirmed { call: CallRef(1) });
    bench.desk.verify_invariants();
}

#[test]
fn a_broken_or_cut_recording_names_its_line() {
    let bench = ready();
    let replay = |text: &str| switchboard::replay(text, bench.start()).unwrap_err().to_string();
    assert_eq!(replay(""), "line 1: the recording is empty");
    assert_eq!(replay("{\"format\":9}\n"), "line 1: recordings of format 9 are not read, only 1");
    let whole = bench.recording.as_str();
    assert_eq!(replay(&whole[..whole.len() - 5]), "line 3: the recording is cut off here");
    assert!(replay(&format!("{whole}?\n")).starts_with("line 4: "));
    let late = "{\"at_ms\":9,\"event\":{\"NextCall\":1}}\n{\"at_ms\":8,\"event\":{\"NextCall\":2}}\n";
    assert_eq!(replay(&format!("{whole}{late}")), "line 5: time runs backwards");
    let other = "{\"at_ms\":9,\"event\":{\"NextCall\":7}}\n";
    assert_eq!(replay(&format!("{whole}{other}")), "line 4: call 7 was recorded, and is 1 here");
}

#[test]
fn a_recording_from_before_parked_callers_were_kept_is_read() {
    let bench = ready();
    let older = bench.recording.replace("\"parked\":[],", "");
    assert_ne!(older, bench.recording);
    assert!(switchboard::replay(&older, bench.start()).is_ok());
}

#[test]
fn a_call_has_the_page_of_its_lines_crm_and_one_without_number_has_none() {
    let own = Line { number: "5550200".into(), crm: Some("http://crm/$?n=$".into()), ..Line::default() };
    let lines = vec![Line { number: "5550100".into(), ..Line::default() }, own];
    let crm = Some("https://crm.example/?q=$".into());
    let mut bench = Bench::new(Settings { lines, crm, ..Settings::default() });
    let call = |call, number: Option<&str>, line: &str| {
        let caller = Party { number: number.map(Into::into), ..Party::default() };
        Input::Incoming { call, caller, called_number: line.into(), diverted_by: None, replaces: None }
    };
    bench.input(call(CallRef(1), Some("+33 1&55"), "5550100"));
    bench.input(call(CallRef(2), Some("sip:alice@example.org"), "5550200"));
    bench.input(call(CallRef(3), None, "5550100"));
    let pages: Vec<Option<&str>> = bench.view.incoming.iter().map(|call| call.crm.as_deref()).collect();
    assert_eq!(
        pages,
        [Some("https://crm.example/?q=%2B33%201%2655"), Some("http://crm/alice?n=alice"), None]
    );
}

#[test]
fn call_8_something_was_wrong_is_said_of_calls_that_were_answered() {
    check(
        "in 1 5550100\nmark 1\nanswer 1\nack 1\nmark 1\nhold 1\nmark 1\nmark 9\nhangup 1\nmark 1",
        &expect![[r#"
            in 1 5550100
                180 1
                Ringer(Some(Bell))
              = 1 Ringing
            mark 1
                refused: not possible in the call's present state
            answer 1
                answer 1
                ear 1
                Ringer(None)
              = 1 Answering*
            ack 1
              = 1 Talking*
            mark 1
                mark 1
            hold 1
                hold 1
                ear free
              = 1 Held
            mark 1
                mark 1
            mark 9
                refused: there is no such call
            hangup 1
                hang up 1
              = 1 Ending
            mark 1
                refused: not possible in the call's present state
        "#]],
    );
}

#[test]
fn call_8_a_card_says_that_something_was_wrong_with_its_call() {
    let mut bench = ready();
    let call = bench.next_call();
    bench.input(incoming(call, "5550100"));
    bench.command(&Command::Answer { call }).0.unwrap();
    bench.input(Input::Confirmed { call });
    assert!(!bench.view.incoming[0].marked);
    let (done, effects) = bench.command(&Command::MarkCall { call });
    assert_eq!((done, effects), (Ok(()), vec![Effect::Mark { call }]));
    assert!(bench.view.incoming[0].marked);
}
