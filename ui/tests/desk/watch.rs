//! Who sees the screen from the administrator's page: the bar, the consent, and the pictures (APP-2).

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use frontdesk_ui::link::Event;
use frontdesk_ui::scenes;
use ipc::{Command, Language, TextSize, View};
use slint::platform::Key;

use super::hands::Stage;

const ASKS: &str = "Ada wants to view this screen";
const SEES: &str = "Ada is viewing this screen";

/// Waits for the thread that packs pictures.
fn pictures(stage: &Stage, count: usize) {
    let end = Instant::now() + Duration::from_secs(60);
    while stage.pictures.borrow().len() < count {
        assert!(Instant::now() < end, "no picture comes");
        std::thread::yield_now();
        stage.settle();
    }
}

#[test]
fn app_2_the_operator_is_asked_and_answers_by_touch_or_key() {
    let stage = Stage::with(scenes::picture());
    assert!(!stage.has(ASKS) && !stage.has("Allow"));
    let before = stage.spot("Helena Brandt");
    stage.show(scenes::watched(None));
    assert!(stage.has(ASKS) && !stage.has(SEES));
    assert_eq!(stage.spot("Helena Brandt"), before, "the calls stay where they are");
    for button in ["Allow", "Refuse"] {
        let element = stage.find(button);
        assert!(element.absolute_position().x > 484. && element.size().height >= 48.);
    }
    let answer = |allow| Command::AllowWatching { allow };
    stage.tap(stage.middle("Allow"));
    stage.tap(stage.middle("Refuse"));
    stage.control("y");
    stage.control("n");
    stage.key(Key::F3);
    stage.control("y");
    assert_eq!(stage.commands(), [true, false, true, false, true].map(answer));

    stage.show(scenes::watched(Some(true)));
    assert!(stage.has(SEES) && !stage.has(ASKS) && !stage.has("Allow"));
    stage.control("y");
    stage.tap(stage.middle("Stop"));
    stage.control("n");
    assert_eq!(stage.commands(), [false, false].map(answer));
    stage.show(scenes::watched(Some(false)));
    stage.control("n");
    assert!(!stage.has(SEES) && !stage.has(ASKS));
    assert_eq!(stage.commands(), []);
    let mut french = scenes::watched(None);
    french.preferences.language = Language::French;
    stage.show(french);
    for words in ["Ada souhaite voir cet écran", "Autoriser", "Refuser"] {
        assert!(stage.has(words), "{words}");
    }
}

#[test]
fn acc_4_who_watches_stands_beside_the_button_that_stops_it_in_the_largest_texts() {
    let mut view = scenes::watched(Some(true));
    view.preferences.text_size = TextSize::Largest;
    let stage = Stage::with(view);
    stage.settle();
    let (words, stop) = (stage.find(SEES), stage.find("Stop"));
    assert!(words.absolute_position().x + words.size().width <= stop.absolute_position().x);
    let (words, stop) = (stage.middle(SEES).y, stage.middle("Stop").y);
    assert!((words - stop).abs() < 1., "in one line: {words} and {stop}");
    stage.tap(stage.middle("Stop"));
    assert_eq!(stage.commands(), [Command::AllowWatching { allow: false }]);
}

#[test]
fn app_2_pictures_are_sent_while_it_is_allowed_only_and_never_two_at_once() {
    let stage = Stage::drawn(scenes::watched(None));
    stage.wait(5_000);
    stage.show(scenes::watched(Some(true)));
    stage.wait(500);
    assert!(stage.pictures.borrow().is_empty(), "nobody watched for a second yet");
    stage.wait(600);
    pictures(&stage, 1);
    let png = STANDARD.decode(&stage.pictures.borrow()[0]).unwrap();
    let picture = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    assert_eq!((picture.info().width, picture.info().height), (1280, 800));
    // The desk has not taken it yet.
    stage.wait(5_000);
    assert_eq!(stage.pictures.borrow().len(), 1);
    stage.outbox.picture_gone();
    stage.wait(1_100);
    pictures(&stage, 2);
    stage.outbox.picture_gone();
    // Ended by the desk, by the operator, and with the connection.
    let ends: [fn(&Stage); 3] = [
        |stage| stage.show(View { generation: 4, ..scenes::picture() }),
        |stage| stage.show(scenes::watched(Some(false))),
        |stage| stage.event(Event::Disconnected),
    ];
    for end in ends {
        stage.show(scenes::watched(Some(true)));
        end(&stage);
        stage.wait(3_000);
        assert!(stage.outbox.is_idle(), "no picture is being made");
        assert_eq!(stage.pictures.borrow().len(), 2);
    }
}
