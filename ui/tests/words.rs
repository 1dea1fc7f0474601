//! Every text of every scene while the screen speaks the pseudo-locale, in which what was translated has no ASCII letter:
//! what has one comes from the desk, or was never translated.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../src/bin/screens/stage.rs"]
mod stage;
#[path = "../src/bin/screens/table.rs"]
mod table;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;

use frontdesk_ui::link::Event;
use frontdesk_ui::web::{self, Offscreen};
use frontdesk_ui::{clock, pseudo};
use i_slint_backend_testing::{ElementHandle, ElementQuery};
use ipc::{TextSize, Theme};
use serde_json::Value;
use slint::{ComponentHandle, PhysicalSize};

use stage::{Look, Stage, Tongue};
use table::{SCENES, Scene};

/// Words that are the same in every language: names, units (those that are not, as "ko", `models` and `desk` write in the
/// language of the settings), keys, and the letters on the keys of a telephone (ITU-T E.161).
const PROPER: &[&str] = &[
    // Initials of an operator whose name begins with an É.
    "EY",
    "English",
    "Français",
    "Frontdesk",
    "min",
    "ms",
    "kB",
    "MB",
    "ABC",
    "DEF",
    "GHI",
    "JKL",
    "MNO",
    "PQRS",
    "TUV",
    "WXYZ",
];

/// What scenes type, or say for the desk without asking it.
const TYPED: &[&str] = &[
    "Alicex",
    "an",
    "du",
    "Hi",
    "lindqv",
    "ma",
    "mar",
    "none",
    "Part",
    "Post",
    "riv",
    "xq",
    "xqz",
    "401 invalid_grant: the refresh token has expired",
    "fax, birthday",
    "Key of the *archive* is with __security__.",
    "Leave without saving the order?",
    "Wants a quote for 40 contactors.",
    "Call back before noon.",
];

/// Words of what the desk has said in a scene.
type Told = Rc<RefCell<BTreeSet<String>>>;

/// The runs of ASCII letters in a text. A letter alone is none: it is a key, an hour or somebody's initial.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| word.len() > 1)
}

/// Whether it is nothing but the initials of somebody whose name the desk has said.
fn are_initials(text: &str, told: &BTreeSet<String>) -> bool {
    let begins = |letter: char| told.iter().any(|word| word.starts_with(letter));
    text.chars().count() == 2 && text.chars().all(|letter| letter.is_ascii_uppercase() && begins(letter))
}

/// All words of all texts in what the desk says. Names of its fields are none, nor are the names of its variants, which
/// are in lower case: what looks like one is not accepted as a text of the desk.
fn listen(told: &mut BTreeSet<String>, value: &Value) {
    match value {
        Value::String(text) => {
            let variant =
                text.len() < 40 && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            if !variant {
                told.extend(words(text).map(str::to_owned));
            }
        }
        Value::Array(values) => values.iter().for_each(|value| listen(told, value)),
        Value::Object(fields) => fields.values().for_each(|value| listen(told, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What can be read on the screen, and what is read out.
fn texts(stage: &Stage) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    let root = ElementQuery::from_root(&stage.console.app());
    for element in root.find_all() {
        let said: [fn(&ElementHandle) -> Option<slint::SharedString>; 4] = [
            ElementHandle::accessible_label,
            ElementHandle::accessible_description,
            ElementHandle::accessible_value,
            ElementHandle::accessible_placeholder_text,
        ];
        texts.extend(said.iter().filter_map(|of| of(&element)).map(String::from));
    }
    texts
}

/// The texts of a scene, and those among them with a word that the desk has not said.
fn look_at(screen: &Rc<Offscreen>, scene: &Scene, tongue: Tongue) -> (usize, Vec<String>) {
    let told = Told::default();
    // Names of crates and licences, which "About" lists.
    for part in ipc::third_parties() {
        let text = [part.name, part.version, part.licence].join(" ");
        told.borrow_mut().extend(words(&text).map(str::to_owned));
    }
    listen(&mut told.borrow_mut(), &serde_json::to_value((scene.view)()).unwrap());
    let heard = told.clone();
    let answer = move |request, faces| {
        let event = stage::answer(request, faces);
        if let Some(Event::Reply { reply, .. }) = &event {
            listen(&mut heard.borrow_mut(), &serde_json::to_value(reply).unwrap());
        }
        event
    };
    let size = PhysicalSize::new(1280, 1080);
    let look = Look { size, theme: Theme::Dark, tongue, text: TextSize::Usual };
    let stage = Stage::put_up(screen, scene, look, Box::new(answer)).unwrap();
    let texts = texts(&stage);
    stage.console.app().hide().unwrap();
    let told = told.borrow();
    let listed = |word: &str| PROPER.iter().chain(TYPED).any(|list| words(list).any(|known| known == word));
    // The end of what had no room, which is the screen's to leave out.
    let begun = |text: &str, word: &str| {
        text.contains(&format!("{word}…")) && told.iter().any(|known| known.starts_with(word))
    };
    let known = |text: &str, word: &str| told.contains(word) || listed(word) || begun(text, word);
    let translated = texts.iter().filter(|text| text.chars().any(pseudo::stands_in)).count();
    let strange = texts.into_iter().filter(|text| {
        let is_address = text.starts_with("mailto:") || text.starts_with("https:");
        !is_address && !are_initials(text, &told) && words(text).any(|word| !known(text, word))
    });
    (translated, strange.collect())
}

/// The one thread that has a screen: a program can draw on one only.
static SCREEN: LazyLock<Mutex<Sender<Job>>> = LazyLock::new(|| {
    let (jobs, todo) = channel::<Job>();
    thread::spawn(move || {
        clock::stand_still();
        let screen = web::install(PhysicalSize::new(1280, 1080), 1.0).unwrap();
        todo.iter().for_each(|job| job(&screen));
    });
    Mutex::new(jobs)
});
type Job = Box<dyn FnOnce(&Rc<Offscreen>) + Send>;

/// Does it on the thread that has the screen.
fn on_screen<T: Send + 'static>(job: impl FnOnce(&Rc<Offscreen>) -> T + Send + 'static) -> T {
    let (done, result) = channel();
    let job: Job = Box::new(move |screen| done.send(job(screen)).unwrap());
    SCREEN.lock().unwrap().send(job).unwrap();
    result.recv().expect("what happened on the screen's thread stands above")
}

/// How many tests share the scenes.
const PARTS: usize = 4;

/// Every fourth scene in the pseudo-locale.
fn look_at_part(part: usize) {
    let found = on_screen(move |screen| {
        let scenes = SCENES.iter().skip(part).step_by(PARTS);
        scenes.map(|scene| (scene.name, look_at(screen, scene, Tongue::Pseudo))).collect::<Vec<_>>()
    });
    let silent: Vec<_> =
        found.iter().filter(|(_, (translated, _))| *translated == 0).map(|(name, _)| *name).collect();
    let mut untranslated: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, (_, strange)) in found {
        for text in strange {
            untranslated.entry(text).or_default().push(name);
        }
    }
    let list: Vec<String> =
        untranslated.iter().map(|(text, scenes)| format!("{text:?} in {}", scenes.join(", "))).collect();
    assert!(list.is_empty(), "neither translated nor said by the desk:\n{}", list.join("\n"));
    assert!(silent.is_empty(), "does the screen speak the pseudo-locale? {silent:?}");
}

#[test]
fn acc_4_no_text_of_a_scene_lacks_its_translation_first_part() {
    look_at_part(0);
}

#[test]
fn acc_4_no_text_of_a_scene_lacks_its_translation_second_part() {
    look_at_part(1);
}

#[test]
fn acc_4_no_text_of_a_scene_lacks_its_translation_third_part() {
    look_at_part(2);
}

#[test]
fn acc_4_no_text_of_a_scene_lacks_its_translation_fourth_part() {
    look_at_part(3);
}

#[test]
fn acc_4_a_text_without_translation_is_found() {
    // In English the same screens are full of such texts.
    let (_, strange) = on_screen(|screen| {
        let desk = SCENES.iter().find(|scene| scene.name == "desk").unwrap();
        look_at(screen, desk, Tongue::English)
    });
    for word in ["Directory", "Statistics", "Settings"] {
        assert!(strange.iter().any(|text| text.contains(word)), "{word} is not found in {strange:?}");
    }
}
