//! The level meter and the tests of the sound devices, with the real desk: what is recorded is heard back, who calls comes
//! first, and nobody is listened to for somebody who has gone.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::pulled;
use frontdesk_tests::socket::Client;
use frontdesk_tests::sound::{A_TONE, DESK_TONE, Recording};
use frontdesk_tests::wait;
use ipc::{CallState, Command, CommandError, Loudness, SoundTest, SoundTestEnd, SoundTestState, SoundView};

const SOON: Duration = Duration::from_secs(20);
const METER: Command = Command::Meter { on: true };
const HEAR_BACK: Command = Command::TestSound { test: Some(SoundTest::HearBack) };
/// The last note of the test sound, in Hz.
const NOTE: f64 = 783.99;
const STOP: Command = Command::TestSound { test: None };

fn state(sound: &SoundView) -> Option<SoundTestState> {
    sound.test.map(|test| test.state)
}

fn records(sound: &SoundView) -> bool {
    matches!(state(sound), Some(SoundTestState::Recording { .. }))
}

fn is_over(end: SoundTestEnd) -> impl Fn(&SoundView) -> bool {
    move |sound| state(sound) == Some(SoundTestState::Over(end))
}

/// A client that looks at the meter of a desk whose operator hums.
fn looking(house: &House) -> Client {
    let mut client = house.desk.client();
    client.command(METER).unwrap();
    let hums = |sound: &SoundView| {
        sound.levels.is_some_and(|levels| Loudness::of(levels.input_dbfs) == Loudness::Good)
    };
    client.wait_sound("the operator's voice", SOON, hums);
    client
}

#[test]
fn acc_2_what_the_operator_says_is_heard_back_and_measured() {
    let house = House::build(Digest::Md5);
    let mut client = looking(&house);
    client.command(HEAR_BACK).unwrap();
    client.wait_sound("the recording", SOON, records);
    client.wait_sound("the playing back", SOON, |sound| {
        matches!(state(sound), Some(SoundTestState::PlayingBack { .. }))
    });
    wait::until("the operator's own voice in the loudspeaker", SOON, || {
        let heard = Recording::read(&house.desk.played())?.tail(Duration::from_secs(1));
        (heard.seconds() > 0.9 && heard.is_tone(DESK_TONE)).then_some(())
    });
    let heard = |sound: &SoundView| {
        sound.levels.is_some_and(|levels| Loudness::of(levels.output_dbfs) == Loudness::Good)
    };
    client.wait_sound("the loudspeaker at the meter", SOON, heard);
    let done = client.wait_sound("the end", SOON, |sound| {
        matches!(state(sound), Some(SoundTestState::Over(SoundTestEnd::Done { .. })))
    });
    let Some(SoundTestState::Over(SoundTestEnd::Done { loudest_dbfs: Some(loudest) })) = state(&done) else {
        panic!("{done:?}")
    };
    assert_eq!(Loudness::of(loudest), Loudness::Good, "{loudest} dBFS");
    wait::until("silence again", SOON, || {
        let heard = Recording::read(&house.desk.played())?.tail(Duration::from_millis(500));
        heard.is_silent().then_some(())
    });
    // Muted, there is nothing to hear, and it is said why.
    client.command(Command::Mute { on: true }).unwrap();
    let muted = client.command(HEAR_BACK);
    assert!(muted.is_ok() || muted == Err(CommandError::SoundTest(SoundTestEnd::MicrophoneMuted)));
    client.wait_sound("why not", SOON, is_over(SoundTestEnd::MicrophoneMuted));
}

#[test]
fn acc_2_whoever_calls_comes_before_a_test() {
    let mut house = House::build(Digest::Md5);
    let mut client = looking(&house);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    client.command(HEAR_BACK).unwrap();
    client.wait_sound("the recording", SOON, records);
    phone.dial("5550100");
    client.wait_sound("the end", SOON, is_over(SoundTestEnd::Call));
    let refused = Err(CommandError::SoundTest(SoundTestEnd::Call));
    assert_eq!(client.command(HEAR_BACK), refused, "it rings");
    let call = house.answer_next(&mut phone);
    house.wait_state(call, CallState::Talking);
    assert_eq!(client.command(Command::TestSound { test: Some(SoundTest::Speaker) }), refused, "they talk");
    phone.hears(DESK_TONE);
    house.client.command(Command::Hold { call }).unwrap();
    house.wait_state(call, CallState::Held);
    assert_eq!(client.command(HEAR_BACK), refused, "somebody waits");
    phone.hang_up();
    house.client.wait_gone(call, SOON);
    wait::until("a test is possible again", SOON, || client.command(HEAR_BACK).ok());
    client.wait_sound("the recording", SOON, records);
    client.command(STOP).unwrap();
    client.wait_sound("the end", SOON, is_over(SoundTestEnd::Stopped));
}

#[test]
fn acc_2_nobody_is_listened_to_for_a_screen_that_has_gone() {
    let house = House::build(Digest::Md5);
    let mut client = looking(&house);
    let mut other = house.desk.client();
    other.command(HEAR_BACK).unwrap();
    client.wait_sound("the recording", SOON, records);
    assert_eq!(other.sounds(), [], "who did not ask is told nothing");
    drop(other);
    client.wait_sound("the end of the test", SOON, is_over(SoundTestEnd::Stopped));
    // A test ends with the meter of who began it, too, and nothing is told of the sound any more.
    client.command(HEAR_BACK).unwrap();
    client.wait_sound("the recording", SOON, records);
    client.command(Command::Meter { on: false }).unwrap();
    client.sounds();
    let mut next = house.desk.client();
    assert_eq!(next.sounds(), []);
    assert_eq!(client.sounds(), []);
    next.command(METER).unwrap();
    let first = next.wait_sound("the first of it", SOON, |_| true);
    assert_eq!(first.test, None, "nothing of the one before is left: {first:?}");
}

#[test]
fn hw_3_a_device_pulled_during_a_test_ends_it_and_is_named_as_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (alsa, cards) = pulled::cards(folder.path(), &[("headset", 440.0)]);
    let mut house = House::build(Digest::Md5);
    house.desk.use_devices(&["headset"], &alsa);
    let mut client = looking(&house);
    client.command(HEAR_BACK).unwrap();
    client.wait_sound("the recording", SOON, records);
    cards[0].set("there", false);
    client.wait_sound("the end", SOON, is_over(SoundTestEnd::DeviceLost));
    let refused = Err(CommandError::SoundTest(SoundTestEnd::DeviceLost));
    assert_eq!(client.command(HEAR_BACK), refused, "it is not there");
    cards[0].set("there", true);
    wait::until("a test is possible again", SOON, || client.command(HEAR_BACK).ok());
    client.wait_sound("the recording", SOON, records);
}

#[test]
fn app_2_acc_2_an_administrator_elsewhere_plays_a_sound_at_the_desk_and_measures_it() {
    let mut house = House::build(Digest::Md5);
    let (mut browser, address) = house.administered(NAME, SECRET);
    browser.open(&format!("{address}/sound"));
    browser.press("Measure for two seconds");
    // The desk hums into its microphone.
    browser.wait_text("the levels", SOON, |text| {
        text.contains("The loudest of two seconds") && text.contains("(good), loudspeaker -96 dBFS (silent)")
    });
    browser.press("Play test sound at the desk");
    browser.sees("It sounds at the desk now.");
    wait::until("the last note in the loudspeaker", SOON, || {
        let played = Recording::read(&house.desk.played())?;
        let pieces = played.samples.chunks(4_800).map(<[i16]>::to_vec);
        let mut pieces = pieces.map(|samples| Recording { rate: played.rate, samples });
        pieces.any(|piece| piece.is_tone(NOTE)).then_some(())
    });
    browser.picture(&house.folder().join("sound-page.png"));
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    house.answer_next(&mut phone);
    browser.press("Ring once");
    browser.sees("There is a call at the desk.");
}
