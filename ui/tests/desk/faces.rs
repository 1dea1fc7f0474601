//! Pictures of contacts on the desk: where they stand, and that nothing else moves for them.

use frontdesk_ui::scenes;
use frontdesk_ui::screen::{Calls, Desk, Directory};
use ipc::CallRef;
use slint::{ComponentHandle, Image, LogicalSize, Model};

use crate::hands::Stage;

/// Pixels across; 1 when there is no picture.
fn across(picture: &Image) -> u32 {
    picture.size().width
}

fn on_cards(stage: &Stage) -> (Vec<u32>, Vec<u32>) {
    let calls = stage.app.global::<Calls>();
    let of = |cards: slint::ModelRc<frontdesk_ui::screen::CallCard>| {
        cards.iter().map(|card| across(&card.picture)).collect()
    };
    (of(calls.get_incoming()), of(calls.get_outgoing()))
}

#[test]
fn ops_1_call_2_the_avatar_of_the_party_talked_to_is_the_picture() {
    let stage = Stage::with_faces(scenes::picture(), scenes::face);
    let picture = stage.app.global::<Desk>().get_in_call_picture();
    assert_eq!(across(&picture), 56, "as large as its place, so that nothing is scaled when drawn");
    let pixels = picture.to_rgba8_premultiplied().unwrap();
    // Marie Laurent's clothes, and outside of the disc nothing.
    let at = |x: usize, y: usize| pixels.as_slice()[y * 56 + x];
    assert_eq!((at(18, 51).r, at(18, 51).g, at(18, 51).b), (45, 90, 75));
    assert_eq!(at(0, 0).a, 0);
    let (incoming, outgoing) = on_cards(&stage);
    assert_eq!((incoming, outgoing), (vec![1; 4], vec![40]));
    let mut view = scenes::picture();
    view.outgoing.clear();
    view.talk = None;
    stage.show(view);
    assert!(!stage.app.global::<Desk>().get_in_call());
}

#[test]
fn ops_1_whom_no_directory_has_a_picture_of_has_initials_as_before() {
    let stage = Stage::with(scenes::picture());
    assert_eq!(across(&stage.app.global::<Desk>().get_in_call_picture()), 1);
    assert_eq!(stage.app.global::<Desk>().get_in_call_initials(), "ML");
    assert_eq!(on_cards(&stage).1, [1]);
}

#[test]
fn ops_1_each_of_a_conference_has_their_own_picture() {
    let stage = Stage::with_faces(scenes::conference(), scenes::face);
    let parties = stage.app.global::<Desk>().get_parties();
    // Only the second is in a directory.
    assert_eq!(parties.iter().map(|party| across(&party.picture)).collect::<Vec<_>>(), [1, 40, 1]);
}

#[test]
fn ops_1_how_many_more_there_are_in_a_conference_ends_before_the_pills() {
    // With letters as they are drawn. In the wide window there is room for the words, in the other for a number.
    let stage = Stage::drawn(scenes::conference());
    for width in [1920., 1280., 1180.] {
        stage.app.window().set_size(LogicalSize::new(width, 800.));
        stage.settle();
        let more = stage.find("and 2 more");
        let end = more.absolute_position().x + more.size().width;
        let pills = stage.find("Day").absolute_position().x;
        assert!(end <= pills, "{width}: {end} {pills}");
    }
}

#[test]
fn dir_2_tiles_show_pictures_and_ask_for_each_once() {
    let stage = Stage::with_faces(scenes::picture(), scenes::face);
    let rows = stage.app.global::<Directory>().get_rows();
    let first = rows.row_data(0).unwrap().tiles;
    assert_eq!(first.iter().map(|tile| across(&tile.picture)).collect::<Vec<_>>(), [46, 46]);
    let second = rows.row_data(1).unwrap().tiles;
    assert_eq!(
        second.iter().map(|tile| across(&tile.picture)).collect::<Vec<_>>(),
        [46, 1],
        "David has none"
    );
    let before = stage.pictures_asked();
    assert!(before > 0);
    stage.show(scenes::picture());
    assert_eq!(stage.pictures_asked(), before, "asked again");
    // The directory has changed: asked again, and nothing goes dark meanwhile.
    let mut view = scenes::picture();
    view.directories[0].generation += 1;
    stage.show(view);
    assert!(stage.pictures_asked() > before);
    assert_eq!(across(&stage.app.global::<Desk>().get_in_call_picture()), 56);
    assert_eq!(stage.app.global::<Calls>().get_selected(), slint::format!("{}", CallRef(5).0));
}
