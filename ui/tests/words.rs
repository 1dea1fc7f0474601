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

use frontdesk_ui::link::Event;
use frontdesk_ui::web::{self, Offscreen};
use frontdesk_ui::{clock, pseudo};
use i_slint_backend_testing::{ElementHandle, ElementQuery};
use ipc::{TextSize, Theme};
use serde_json::Value;
use slint::{ComponentHandle, PhysicalSize};

use stage::{Look, Stage, Tongue};
use table::{SCENES, Scene};

/// Words that are the same in every language: names of languages and of keys, and what scenes type.
const PROPER: &[&str] = &["English", "Français", "Frontdesk"];

/// Words of what the desk has said in a scene.
type Told = Rc<RefCell<BTreeSet<String>>>;

/// The runs of ASCII letters in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| !word.is_empty())
}

/// All words of all texts in what the desk says. Names of its fields are none, nor are the names of its variants, which
/// are in lower case: what looks like one is not accepted as a text of the desk.
fn listen(told: &mut BTreeSet<String>, value: &Value) {
    match value {
        Value::String(text) => {
            let variant = text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
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
    listen(&mut told.borrow_mut(), &serde_json::to_value((scene.view)()).unwrap());
    let heard = told.clone();
    let answer = move |request, faces| {
        let event = stage::answer(request, faces);
        if let Some(Event::Reply { reply, .. }) = &event {
            listen(&mut heard.borrow_mut(), &serde_json::to_value(reply).unwrap());
        }
        event
    };
    let look = Look { size: PhysicalSize::new(1280, 1080), theme: Theme::Dark, tongue, text: TextSize::Usual };
    let stage = Stage::put_up(screen, scene, look, Box::new(answer)).unwrap();
    let texts = texts(&stage);
    stage.console.app().hide().unwrap();
    let told = told.borrow();
    let known =
        |word: &str| told.contains(word) || PROPER.iter().any(|proper| words(proper).any(|w| w == word));
    let translated = texts.iter().filter(|text| text.chars().any(pseudo::stands_in)).count();
    let strange = texts.into_iter().filter(|text| words(text).any(|word| !known(word)));
    (translated, strange.collect())
}

#[test]
fn acc_4_no_text_of_any_scene_lacks_its_translation() {
    clock::stand_still();
    let screen = web::install(PhysicalSize::new(1280, 1080), 1.0).unwrap();
    let mut untranslated: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut silent = Vec::new();
    for scene in SCENES {
        let (translated, strange) = look_at(&screen, scene, Tongue::Pseudo);
        for text in strange {
            untranslated.entry(text).or_default().push(scene.name);
        }
        if translated < 5 {
            silent.push(scene.name);
        }
    }
    let list: Vec<String> =
        untranslated.iter().map(|(text, scenes)| format!("{text:?} in {}", scenes.join(", "))).collect();
    assert!(list.is_empty(), "neither translated nor said by the desk:\n{}", list.join("\n"));
    assert!(silent.is_empty(), "does the screen speak the pseudo-locale? {silent:?}");
    // Would it be seen? In English the same screens are full of such texts.
    let desk = SCENES.iter().find(|scene| scene.name == "desk").unwrap();
    let (_, strange) = look_at(&screen, desk, Tongue::English);
    for word in ["Directory", "Statistics", "Settings"] {
        assert!(strange.iter().any(|text| text.contains(word)), "{word} is not found in {strange:?}");
    }
}
