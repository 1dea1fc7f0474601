//! The talking desk (ACC-7): a day at the desk for somebody who sees nothing of it, by keys and ears alone. Nobody looks at
//! the screen; what espeak-ng is given to speak decides what is pressed next, and stands in the output of the test.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::screen::Screen;
use frontdesk_tests::sound::{A_TONE, B_TONE, DESK_TONE, Recording};
use frontdesk_tests::wait;

const SOON: Duration = Duration::from_secs(15);

const PEOPLE: &str = "lastname,firstname,phone,presence\n\
    Solberg,Ingrid,2102,true\nRivera,Tomas,2101,true\nBecker,Jonas,2111,false\n";

/// What was spoken, line by line, and how far one has listened.
struct Ears {
    lines: PathBuf,
    heard: usize,
}

impl Ears {
    fn all(&self) -> Vec<String> {
        fs::read_to_string(&self.lines).unwrap().lines().map(str::to_owned).collect()
    }

    /// Listens until something is said with all of these words in it, and gives it back.
    #[track_caller]
    fn hear(&mut self, words: &[&str]) -> String {
        let says = |line: &String| words.iter().all(|word| line.contains(word));
        let found = wait::within(SOON, || {
            let lines = self.all();
            let at = lines.iter().skip(self.heard).position(says)?;
            Some((self.heard + at, lines))
        });
        let Some((at, lines)) = found else {
            panic!(
                "nobody says {words:?} after {:?}\nall: {:#?}",
                &self.all()[self.heard.saturating_sub(1)..],
                self.all()
            );
        };
        for line in &lines[self.heard..=at] {
            println!("    “{line}”");
        }
        self.heard = at + 1;
        lines[at].clone()
    }
}

/// A desk, and who works there without seeing it.
struct Day {
    house: House,
    screen: Screen,
    ears: Ears,
    sound: PathBuf,
    ingrid: Baresip,
    tomas: Baresip,
}

impl Day {
    fn begin() -> Self {
        let mut house = House::build_with(Digest::Md5, NO_TIMERS);
        let (sound, lines) = house.desk.speak_into_a_file();
        house.client = house.desk.client();
        house.desk.import(PEOPLE);
        let ingrid = house.phone("2102", B_TONE, Codec::Pcma);
        let tomas = house.phone("2101", A_TONE, Codec::Pcma);
        let screen = house.screen();
        Self { house, screen, ears: Ears { lines, heard: 0 }, sound, ingrid, tomas }
    }

    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            println!("[{key}]");
            match key.strip_prefix("Control+") {
                Some(key) => self.screen.control(key),
                None => self.screen.key(key),
            }
        }
    }

    #[track_caller]
    fn hear(&mut self, words: &[&str]) -> String {
        self.ears.hear(words)
    }

    /// Goes on with a key until it is said that the cursor is where it shall be.
    #[track_caller]
    fn press_until(&mut self, key: &str, words: &[&str]) {
        for _ in 0..12 {
            self.press(&[key]);
            let said = self.ears.hear(&[]);
            if words.iter().all(|word| said.contains(word)) {
                return;
            }
        }
        panic!("{key} does not lead to {words:?}");
    }
}

fn a_call_is_answered_held_and_asked_about(day: &mut Day) {
    day.tomas.dial("5550100");
    day.hear(&["Rivera", "Ringing", "to Sales"]);
    day.press(&["Insert"]);
    day.hear(&["Rivera", "Talking"]);
    day.house.desk.hears(A_TONE);
    day.tomas.hears(DESK_TONE);
    day.press(&["Insert"]);
    day.hear(&["Rivera", "On hold"]);
    day.press(&["Control+j"]);
    day.hear(&["Nobody rings", "1 call on hold", "Rivera", "On hold"]);
    day.press(&["Insert"]);
    day.hear(&["Rivera", "Talking"]);
}

fn who_is_wanted_is_found_by_typing_and_gets_the_call(day: &mut Day) {
    day.press(&["F3"]);
    day.hear(&["Search", "empty"]);
    for letter in ["s", "o", "l"] {
        day.press(&[letter]);
        day.hear(&[letter]);
    }
    day.hear(&["Solberg", "CEO"]);
    day.press(&["F8"]);
    day.hear(&["Transfer", "Rivera", "here"]);
    day.press(&["Enter"]);
    day.hear(&["Rivera", "Solberg"]);
    day.ingrid.expect("CALL_INCOMING", SOON);
    day.ingrid.accept();
    day.hear(&["Solberg", "answered"]);
    day.tomas.hears(B_TONE);
    day.ingrid.hears(A_TONE);
    day.ingrid.hang_up();
    day.tomas.expect("CALL_CLOSED", SOON);
    day.press(&["Escape"]);
}

fn a_number_is_dialled_with_each_digit_heard(day: &mut Day) {
    day.press(&["F4"]);
    day.hear(&["umber", "empty"]);
    for digit in ["2", "1", "0", "2"] {
        day.press(&[digit]);
        day.hear(&[digit]);
    }
    day.press(&["Enter"]);
    day.hear(&["Solberg", "Rings there"]);
    day.ingrid.expect("CALL_INCOMING", SOON);
    day.ingrid.accept();
    day.hear(&["Solberg", "Talking"]);
    day.house.desk.hears(B_TONE);
    day.press(&["F10"]);
    day.hear(&["Solberg", "the call is over"]);
    day.ingrid.expect("CALL_CLOSED", SOON);
}

fn who_gave_up_is_told_and_called_back_from_the_log(day: &mut Day) {
    day.tomas.dial("5550101");
    day.hear(&["Rivera", "Ringing", "to Support"]);
    day.tomas.hang_up();
    day.hear(&["Rivera", "rings no more"]);
    day.hear(&["1 missed call"]);
    day.press(&["Control+l"]);
    day.hear(&["Log"]);
    day.press_until("ArrowDown", &["Rivera", "incoming", "Missed"]);
    day.press(&["Enter"]);
    day.hear(&["Line", "Support"]);
    day.press(&["Escape", "Insert"]);
    day.tomas.expect("CALL_INCOMING", SOON);
    day.hear(&["Rivera", "Rings there"]);
    day.tomas.accept();
    day.hear(&["Rivera", "Talking"]);
    day.house.desk.hears(A_TONE);
    day.press(&["F10"]);
    day.hear(&["Rivera", "the call is over"]);
    day.press(&["Escape"]);
    day.hear(&["Directory Staff"]);
}

fn the_night_begins_and_settings_are_changed_by_ear(day: &mut Day) {
    day.press(&["F12"]);
    day.hear(&["Night service"]);
    day.press(&["F12"]);
    day.hear(&["Day service"]);
    day.press(&["Control+p"]);
    day.hear(&["Settings"]);
    day.press_until("ArrowDown", &["Français"]);
    day.press(&["Enter", "Control+s", "Escape"]);
    day.hear(&["Annuaire Staff"]);
    // In the other language, with the other voice.
    day.tomas.dial("5550100");
    day.hear(&["Rivera", "Sonne"]);
    // From where the settings were back to the calls.
    day.press(&["Escape", "Delete"]);
    day.hear(&["Rivera", "ne sonne plus"]);
    day.tomas.expect("CALL_CLOSED", SOON);
}

#[test]
fn acc_7_call_12_a_whole_day_is_worked_by_keys_and_ears_alone() {
    let mut day = Day::begin();
    wait::until("the screen at its desk", SOON, || {
        day.house.desk.program.log().contains("program=\"frontdesk-ui\"").then_some(())
    });
    day.press(&["Control+k"]);
    day.hear(&["reads aloud"]);
    a_call_is_answered_held_and_asked_about(&mut day);
    who_is_wanted_is_found_by_typing_and_gets_the_call(&mut day);
    a_number_is_dialled_with_each_digit_heard(&mut day);
    who_gave_up_is_told_and_called_back_from_the_log(&mut day);
    the_night_begins_and_settings_are_changed_by_ear(&mut day);
    day.press(&["Control+k"]);
    day.hear(&["ne lit"]);

    // It was really heard: speech, in the file that stands for the device, and silence between.
    let spoken = Recording::read(&day.sound).unwrap();
    let loud = (0..spoken.seconds() as u64)
        .filter(|second| spoken.part(Duration::from_secs(*second), Duration::from_secs(1)).level() > 0.02);
    let seconds = loud.count();
    println!("{} lines, {seconds} of {:.0} s with speech", day.ears.all().len(), spoken.seconds());
    assert!(seconds >= 20, "{seconds} s of speech");
    assert!(!day.house.desk.program.log().contains("cannot speak"));
}

#[test]
fn acc_7_a_desk_without_a_synthesiser_works_on_and_says_so_once() {
    let mut house = House::build(Digest::Md5);
    let (_, lines) = house.desk.speak_into_a_file();
    fs::remove_file(lines.with_file_name("speak")).unwrap();
    house.client = house.desk.client();
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.screen();
    screen.control("k");
    phone.dial("5550100");
    house.answer_next(&mut phone);
    house.desk.hears(A_TONE);
    screen.says(frontdesk_tests::screen::CALLS, &["did", "not", "work"]);
    let log = house.desk.program.log();
    assert_eq!(log.matches("the desk cannot speak").count(), 1, "{log}");
}
