//! A day at the desk with nothing but the keypad, NumLock off: answer, hold, retrieve, consult, transfer, park,
//! fetch, confer, hang up, in both lists of calls and in the directory. Callers and colleagues are SIPp and
//! baresip; what each step did is heard.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::rtp::Party;
use frontdesk_tests::screen::{self, DIRECTORY, HELD, RINGING, SURFACE, Screen, TALKING};
use frontdesk_tests::sipp::{Run, Sipp};
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE, MUSIC_TONE};

const SOON: Duration = Duration::from_secs(10);

// The keypad without NumLock, by the names that browsers and the console's web page give its keys.
const INSERT: &str = "Insert"; // 0
const DELETE: &str = "Delete"; // .
const END: &str = "End"; // 1
const DOWN: &str = "ArrowDown"; // 2
const CLEAR: &str = "Clear"; // 5
const HOME: &str = "Home"; // 7
const UP: &str = "ArrowUp"; // 8
const ADD: &str = "+";
const ENTER: &str = "Enter";

/// In the order of the directory: Ingrid is the first of three, the park slot the last.
const PEOPLE: &str = "lastname,firstname,phone,presence\n\
    Solberg,Ingrid,2102,true\nRivera,Tomas,2101,true\nPark,Zone,2701,false\n";

/// A desk on which nobody touches the screen.
struct Day {
    house: House,
    screen: Screen,
    ingrid: Baresip,
    tomas: Baresip,
    slot: Baresip,
}

/// A caller from outside who can be put on hold and hears what comes after it.
struct Nadia {
    ear: Party,
    sipp: Sipp,
}

impl Day {
    fn begin() -> Self {
        let slots = "[[park]]\nnumber = \"2701\"\nname = \"Slot 1\"\n";
        let mut house = House::build_with(Digest::Md5, &format!("{NO_TIMERS}{slots}"));
        house.desk.import(PEOPLE);
        let ingrid = house.phone("2102", B_TONE, Codec::Pcma);
        let tomas = house.phone("2101", A_TONE, Codec::Pcma);
        let slot = house.phone("2701", C_TONE, Codec::Pcma);
        let mut screen = house.screen();
        screen.says(DIRECTORY, &["Ingrid", "Tomas", "Zone"]);
        Self { house, screen, ingrid, tomas, slot }
    }

    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.screen.key(key);
        }
    }

    /// The menu of transfers, whose first row is marked and says this.
    #[track_caller]
    fn offers_first(&mut self, words: &[&str]) {
        self.press(&[ADD]);
        self.screen.marks(words);
    }

    #[track_caller]
    fn nadia_calls(&mut self) -> Nadia {
        let (port, speech) = (self.house.free_port(), self.house.free_port());
        let ear = Party::start(speech, A_TONE);
        let run = Run { speech: Some(speech), ..Run::one(port, self.house.desk.sip) };
        let sipp = Sipp::start(self.house.folder(), "hold_retrieve", run);
        self.screen.shows_card(RINGING, &["Nadia"]);
        Nadia { ear, sipp }
    }

    #[track_caller]
    fn tomas_calls_and_is_answered(&mut self) {
        self.tomas.dial("5550100");
        self.screen.shows_card(RINGING, &["Tomas"]);
        self.press(&[INSERT]);
        self.tomas.expect("CALL_ESTABLISHED", SOON);
        self.tomas.hears(DESK_TONE);
        self.house.desk.hears(A_TONE);
    }

    /// From the calls to the directory, and Ingrid is called from there.
    #[track_caller]
    fn ingrid_is_consulted(&mut self) {
        self.press(&[CLEAR, HOME, INSERT]);
        self.ingrid.expect("CALL_INCOMING", SOON);
        self.screen.shows_card(SURFACE, &["Ingrid", "Rings"]);
        self.ingrid.accept();
        self.house.desk.hears(B_TONE);
        self.ingrid.hears(DESK_TONE);
    }

    /// Nobody is on the line any more, and the keyboard is with the calls.
    #[track_caller]
    fn nobody_is_left(&mut self) {
        self.screen.says(screen::WHO, &["Nobody"]);
        self.screen.says(screen::CALLS, &["No", "incoming", "outgoing"]);
    }
}

fn answers_holds_retrieves_and_hangs_up(day: &mut Day) {
    let nadia = day.nadia_calls();
    day.press(&[INSERT]);
    nadia.ear.hears(DESK_TONE);
    day.house.desk.hears(A_TONE);
    day.press(&[INSERT]);
    day.screen.shows_card(HELD, &["Nadia"]);
    nadia.ear.hears(MUSIC_TONE);
    day.press(&[INSERT]);
    day.screen.shows_card(TALKING, &["Nadia"]);
    nadia.ear.hears(DESK_TONE);
    day.house.desk.hears(A_TONE);
    day.press(&[DELETE]);
    nadia.sipp.finish(Duration::from_secs(60));
    day.nobody_is_left();
}

fn rejects_what_rings(day: &mut Day) {
    day.tomas.dial("5550100");
    day.screen.shows_card(RINGING, &["Tomas"]);
    day.press(&[DELETE]);
    day.tomas.expect("CALL_CLOSED", SOON);
    day.nobody_is_left();
}

fn transfers_to_a_contact(day: &mut Day) {
    day.tomas_calls_and_is_answered();
    day.press(&[CLEAR, HOME]);
    day.offers_first(&["Transfer", "Tomas", "here"]);
    day.press(&[ENTER]);
    day.ingrid.expect("CALL_INCOMING", SOON);
    day.ingrid.accept();
    day.tomas.hears(B_TONE);
    day.ingrid.hears(A_TONE);
    day.ingrid.hang_up();
    day.tomas.expect("CALL_CLOSED", SOON);
    // Back from the directory to the calls.
    day.press(&[CLEAR]);
    day.nobody_is_left();
}

fn consults_in_both_lists_and_connects(day: &mut Day) {
    day.tomas_calls_and_is_answered();
    day.ingrid_is_consulted();
    // To the incoming calls, and on to the outgoing ones, where Ingrid waits and is taken back.
    day.press(&[CLEAR, CLEAR, INSERT]);
    day.screen.shows_card(HELD, &["Ingrid"]);
    day.house.desk.hears_nothing();
    day.press(&[INSERT]);
    day.screen.shows_card(TALKING, &["Ingrid"]);
    day.house.desk.hears(B_TONE);
    // Up to Tomas, whose most logical transfer is the one to whom the operator talks.
    day.press(&[UP]);
    day.offers_first(&["Connect", "Ingrid"]);
    day.press(&[ENTER]);
    day.ingrid.expect("CALL_INCOMING", SOON);
    day.ingrid.accept();
    day.tomas.hears(B_TONE);
    day.nobody_is_left();
    day.tomas.hang_up();
    day.tomas.expect("CALL_CLOSED", SOON);
}

fn parks_and_fetches(day: &mut Day) {
    day.tomas_calls_and_is_answered();
    day.press(&[ADD]);
    day.screen.plate_says(&["Tomas", "Transfer", "voicemail", "Park"]);
    day.press(&[DOWN, DOWN]);
    day.screen.marks(&["Park"]);
    day.press(&[ENTER]);
    day.screen.marks(&["First", "free", "slot"]);
    day.press(&[ENTER]);
    day.slot.expect("CALL_INCOMING", SOON);
    day.slot.accept();
    day.tomas.hears(C_TONE);
    day.nobody_is_left();
    // The slot stands in the directory like everybody else.
    day.press(&[CLEAR, END, INSERT]);
    day.slot.expect("CALL_INCOMING", SOON);
    day.slot.accept();
    day.house.desk.hears(C_TONE);
    // In the directory, the call that talks is meant.
    day.press(&[DELETE]);
    day.slot.expect("CALL_CLOSED", SOON);
    day.press(&[CLEAR]);
    day.nobody_is_left();
    day.tomas.hang_up();
    day.tomas.expect("CALL_CLOSED", SOON);
}

fn confers_and_ends_it_one_by_one(day: &mut Day) {
    let nadia = day.nadia_calls();
    day.press(&[INSERT]);
    nadia.ear.hears(DESK_TONE);
    day.ingrid_is_consulted();
    nadia.ear.hears(MUSIC_TONE);
    day.press(&[CLEAR]);
    day.offers_first(&["Connect"]);
    day.press(&[DOWN]);
    day.screen.marks(&["conference"]);
    day.press(&[ENTER]);
    day.house.desk.hears_mix(&[A_TONE, B_TONE]);
    nadia.ear.hears_mix(&[DESK_TONE, B_TONE]);
    day.screen.says(screen::WHO, &["Nadia", "Ingrid"]);
    // To the outgoing calls: Ingrid goes, Nadia stays.
    day.press(&[CLEAR, DELETE]);
    nadia.ear.hears_mix(&[DESK_TONE]);
    day.house.desk.hears_mix(&[A_TONE]);
    day.press(&[UP, DELETE]);
    nadia.sipp.finish(Duration::from_secs(60));
    day.nobody_is_left();
}

#[test]
fn call_12_call_14_conf_1_a_day_with_the_keypad_alone_in_both_lists_and_the_directory() {
    let mut day = Day::begin();
    answers_holds_retrieves_and_hangs_up(&mut day);
    rejects_what_rings(&mut day);
    transfers_to_a_contact(&mut day);
    consults_in_both_lists_and_connects(&mut day);
    parks_and_fetches(&mut day);
    confers_and_ends_it_one_by_one(&mut day);
}
