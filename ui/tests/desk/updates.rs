//! What the operator is told of updates of the box (APP-3): in words, in the strip of notices, and never over a call.

use frontdesk_ui::scenes;
use ipc::{
    CallRef, Command, Language, Notice, NoticeId, NoticeKind, SpokenRank, UpdateNews, UpdateNotice,
    UpdateRefusal, UpdateTrouble, View,
};

use crate::hands::Stage;

fn told(view: &mut View, version: &str, news: UpdateNews) {
    view.generation += 1;
    let kind = NoticeKind::Update(UpdateNotice { version: version.into(), news });
    view.notices = vec![Notice { id: NoticeId(view.generation), since_ms: view.now_ms, kind }];
}

#[test]
fn app_3_the_operator_is_told_how_it_stands_with_an_update_in_both_languages() {
    let mut view = scenes::picture();
    let stage = Stage::with(view.clone());
    let refused = |why| UpdateNews::Refused { why };
    let line = || UpdateTrouble::Line { number: "5550100".into() };
    for (language, version, news, title, detail) in [
        (
            Language::English,
            "0.2",
            UpdateNews::Taken,
            "Update 0.2 is here",
            "it waits until there is no call; remove the USB stick",
        ),
        (
            Language::English,
            "0.2",
            UpdateNews::Writing,
            "Update 0.2 is being installed",
            "calls go on; do not switch the box off",
        ),
        (
            Language::English,
            "0.2",
            UpdateNews::Ready,
            "Update 0.2 is ready",
            "the desk restarts when there is no call",
        ),
        (Language::English, "0.2", UpdateNews::Done, "Updated to 0.2", "everything is running"),
        (
            Language::English,
            "0.2",
            UpdateNews::TakenBack { why: line() },
            "Update 0.2 was taken back",
            "line 5550100 did not register",
        ),
        (
            Language::English,
            "0.2",
            UpdateNews::Kept { why: UpdateTrouble::Screen },
            "Update 0.2 is not well",
            "the screen did not come",
        ),
        (
            Language::English,
            "0.2",
            UpdateNews::Failed { reason: "no room on B".into() },
            "Update 0.2 was not installed",
            "ask your administrator",
        ),
        (
            Language::English,
            "",
            refused(UpdateRefusal::Signature),
            "Update refused",
            "its signature is not trusted",
        ),
        (
            Language::English,
            "0.1",
            refused(UpdateRefusal::Older { than: "0.2".into() }),
            "Update 0.1 refused",
            "it is older than 0.2",
        ),
        (
            Language::English,
            "",
            refused(UpdateRefusal::Failed { reason: "rauc is away".into() }),
            "Update refused",
            "ask your administrator",
        ),
        (
            Language::French,
            "0.2",
            UpdateNews::Ready,
            "La mise à jour 0.2 est prête",
            "le poste redémarre quand aucun appel n’est en cours",
        ),
        (
            Language::French,
            "0.2",
            UpdateNews::TakenBack { why: UpdateTrouble::Start },
            "Mise à jour 0.2 annulée",
            "elle n’a pas démarré",
        ),
        (
            Language::French,
            "",
            refused(UpdateRefusal::Damaged),
            "Mise à jour refusée",
            "le fichier est endommagé\u{a0}; copiez-le à nouveau",
        ),
    ] {
        view.preferences.language = language;
        told(&mut view, version, news.clone());
        stage.show(view.clone());
        assert!(stage.has(title) && stage.has(detail), "{news:?}: {title}, {detail}");
    }
}

#[test]
fn app_3_every_refusal_and_every_trouble_has_words_of_its_own() {
    let mut view = scenes::picture();
    let stage = Stage::with(view.clone());
    for (why, detail) in [
        (UpdateRefusal::NotAnUpdate, "the file is no update of Frontdesk"),
        (UpdateRefusal::OtherBox, "it is made for another kind of box"),
        (UpdateRefusal::Same, "this version runs already"),
        (UpdateRefusal::NoVersion, "whether it is newer cannot be told"),
        (UpdateRefusal::TakenBackBefore, "it was taken back before; ask your administrator"),
        (UpdateRefusal::TooLarge, "the file is too large"),
        (UpdateRefusal::NoRoom, "no room on the disk; ask your administrator"),
        (UpdateRefusal::Busy, "another update is under way"),
        (UpdateRefusal::Off, "sticks are turned off; ask your administrator"),
    ] {
        told(&mut view, "0.2", UpdateNews::Refused { why: why.clone() });
        stage.show(view.clone());
        assert!(stage.has("Update 0.2 refused") && stage.has(detail), "{why:?}");
    }
    for (why, detail) in [
        (UpdateTrouble::Start, "it did not start"),
        (UpdateTrouble::Desk, "the desk did not answer"),
        (UpdateTrouble::Unknown, "ask your administrator"),
    ] {
        told(&mut view, "0.2", UpdateNews::TakenBack { why: why.clone() });
        stage.show(view.clone());
        assert!(stage.has("Update 0.2 was taken back") && stage.has(detail), "{why:?}");
    }
}

#[test]
fn app_3_news_of_an_update_leave_a_ringing_call_to_the_keyboard_and_go_with_their_cross() {
    let mut view = scenes::empty();
    let caller = scenes::outside("Helena Brandt", "+493055570142");
    view.incoming = vec![scenes::ringing(7, caller, ("5550100", "Sales"), 3)];
    view.preferences.speech = true;
    let stage = Stage::with(view.clone());
    stage.commands();
    told(&mut view, "0.2", UpdateNews::Ready);
    let notice = view.notices[0].id;
    stage.show(view.clone());
    stage.settle();
    let said = stage.commands().into_iter().any(|command| {
        matches!(command, Command::Say { text, rank: SpokenRank::News, .. } if text.contains("Update 0.2 is ready"))
    });
    assert!(said, "it is read aloud");
    assert!(stage.has("Answer"));
    stage.key(slint::platform::Key::F9);
    let next = stage.commands();
    assert!(next.contains(&Command::Hook { action: ipc::HookAction::Next }), "{next:?}");
    stage.tap(stage.middle("Answer"));
    assert!(stage.commands().contains(&Command::Answer { call: CallRef(7) }));
    stage.tap(stage.middle("Dismiss"));
    assert!(stage.commands().contains(&Command::DismissNotice { notice }));
}
