//! The screen may die at any time: speech goes on, and a new screen shows the same desk.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::{Area, Picture};
use frontdesk_tests::screen::{self, RINGING, TALKING};
use frontdesk_tests::sound::{A_TONE, DESK_TONE, Recording};
use frontdesk_tests::wait;

const SOON: Duration = Duration::from_secs(10);
/// A packet of speech: nothing shorter can be missing.
const PACKET: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
/// How much speech is looked at before and after.
const STRETCH: Duration = Duration::from_secs(3);
/// How long the machine may take to become quiet enough.
const QUIET: Duration = Duration::from_secs(60);

/// What stands on a card, but for the timers, which go on, and the icons, in which the reader sees now one
/// sign and now another: words of three letters or digits.
fn words_without_timers(picture: &Picture, card: Area) -> Vec<String> {
    let words = picture.words(card).into_iter().map(|word| word.text);
    let is_word = |word: &String| word.chars().filter(|c| c.is_alphanumeric()).count() >= 3;
    words.filter(|word| is_word(word) && !word.contains(':')).collect()
}

#[test]
fn app_4_the_screen_is_killed_in_mid_call_and_neither_side_hears_a_gap() {
    let mut house = House::build(Digest::Md5);
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    a.dial("5550100");
    screen.wait("a ringing card", SOON, |picture| screen::card(picture, RINGING));
    screen.key("F9");
    a.expect("CALL_ESTABLISHED", SOON);
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    let before = screen.wait("a talking card", SOON, |picture| screen::card(picture, TALKING));
    let words = words_without_timers(&screen.picture(), before);
    assert!(words.iter().any(|word| word == "Talking"), "the card says {words:?}");

    let length = |path| Recording::read(path).unwrap().seconds();
    let (played, heard) = (house.desk.played(), a.newest_recording().unwrap());
    // A machine that is too busy to carry speech would make the screen's death look guilty.
    let whole = |path, tone| {
        let last = Recording::read(path).unwrap().tail(STRETCH);
        last.seconds() >= STRETCH.as_secs_f64() && last.gaps(tone, PACKET).is_empty()
    };
    wait::until("three seconds of speech without a gap", QUIET, || {
        (whole(&played, A_TONE) && whole(&heard, DESK_TONE)).then_some(())
    });
    let (played_from, heard_from) = (length(&played), length(&heard));
    let killed = Instant::now();
    screen.program.kill();
    let mut screen = house.screen();
    let look = |picture: &Picture| screen::card(picture, TALKING);
    let (after, seen) = screen.wait_seen("the same desk", SOON, look);
    let back = seen - killed;
    assert!(back <= SECOND, "the desk was back after {back:?}");
    let grown = || length(&played) >= played_from + 3.0 && length(&heard) >= heard_from + 3.0;
    wait::until("three more seconds of speech", SOON, || grown().then_some(()));
    let took = killed.elapsed().as_secs_f64();
    for (who, path, from, tone) in
        [("the operator", &played, played_from, A_TONE), ("the caller", &heard, heard_from, DESK_TONE)]
    {
        let rest = Recording::read(path).unwrap().part(Duration::from_secs_f64(from), STRETCH);
        let gaps = rest.gaps(tone, PACKET);
        assert!(gaps.is_empty(), "{who} heard gaps {gaps:?}");
        assert!(length(path) - from >= took - 0.5, "{who} heard {} s in {took} s", length(path) - from);
    }
    assert_eq!(before, after);
    assert_eq!(words_without_timers(&screen.picture(), after), words);
}
