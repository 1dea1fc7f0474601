//! The sound tried from the administrator's page: what is asked of the desk, what is said of it, and who may.
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{House, PASSWORD, clean::is_clean};

#[tokio::test]
async fn app_2_a_sound_is_played_at_the_desk_and_its_levels_are_said_in_words() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/sound").await;
    is_clean("/sound", &page.body);
    assert!(page.has("Play test sound at the desk") && page.has("Measure for two seconds"));
    for (word, heard) in
        [("speaker", "test Speaker"), ("ringer", "test Ringer"), ("notifier", "test Notifier")]
    {
        let answer = ada.submit("/sound", &format!("/sound/test/{word}"), &[]).await;
        assert_eq!((answer.status, answer.to.as_deref()), (303, Some("/sound")));
        assert!(ada.get("/sound").await.has("It sounds at the desk now."), "{word}");
        assert_eq!(house.desk.lock().unwrap().heard.pop().as_deref(), Some(heard));
    }
    ada.submit("/sound", "/sound/measure", &[]).await;
    let page = ada.get("/sound").await;
    assert!(page.has("microphone -21 dBFS (good), loudspeaker -96 dBFS (silent)"), "{}", page.body);
    // No speech is recorded for a page, whatever it asks for.
    for word in ["hear-back", "HearBack", "%20"] {
        ada.submit("/sound", &format!("/sound/test/{word}"), &[]).await;
    }
    assert_eq!(house.desk.lock().unwrap().heard, Vec::<String>::new());
    house.desk.lock().unwrap().has_call = true;
    ada.submit("/sound", "/sound/test/speaker", &[]).await;
    assert!(ada.get("/sound").await.has("There is a call at the desk."));
    let audit = ada.get("/audit").await;
    assert!(audit.has("tested the sound at the desk"));
}

#[tokio::test]
async fn app_2_who_only_reads_tries_no_sound() {
    let (house, mut ada) = House::with_ada().await;
    let fields =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    assert_eq!(ada.submit("/accounts", "/accounts", &fields).await.status, 303);
    let mut sue = house.browser();
    assert_eq!(sue.sign_in("Sue", "another horse").await.status, 303);
    assert!(!sue.get("/sound").await.has("Play test sound at the desk"));
    assert_eq!(sue.submit("/account", "/sound/test/speaker", &[]).await.status, 403);
    assert_eq!(house.desk.lock().unwrap().heard, Vec::<String>::new());
}
