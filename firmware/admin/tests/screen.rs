//! The touchscreen on the administrator's page: who may, what they see before the operator allows it and after, and
//! that nobody else gets a picture (APP-2).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use std::sync::Arc;

use house::{Browser, House, PASSWORD, clean::is_clean};

const PNG: &[u8] = b"\x89PNG as far as this page knows";

async fn state(browser: &mut Browser) -> String {
    let page = browser.get("/screen").await;
    assert_eq!(page.status, 200);
    is_clean("/screen", &page.body);
    page.between("data-state=\"", "\"").unwrap()
}

async fn another(ada: &mut Browser, house: &House, name: &str, role: &str) -> Browser {
    let fields = [("name", name), ("role", role), ("password", "another horse"), ("your-password", PASSWORD)];
    assert_eq!(ada.submit("/accounts", "/accounts", &fields).await.status, 303);
    let mut browser = house.browser();
    assert_eq!(browser.sign_in(name, "another horse").await.status, 303);
    browser
}

#[tokio::test]
async fn app_2_the_screen_is_seen_after_consent_only_and_by_who_asked_only() {
    let (house, mut ada) = House::with_ada().await;
    assert_eq!(state(&mut ada).await, "none");
    house.live.send_modify(|live| live.screens = 1);
    assert_eq!(state(&mut ada).await, "nobody");
    assert_eq!(ada.get("/screen/picture").await.status, 404);

    let asked = ada.submit("/screen", "/screen/watch", &[]).await;
    assert_eq!((asked.status, asked.to.as_deref()), (303, Some("/screen")));
    assert_eq!(state(&mut ada).await, "asked");
    // Whatever the desk has: without consent nothing is handed out.
    house.live.send_modify(|live| live.picture = Some(Arc::new(PNG.to_vec())));
    let none = ada.get("/screen/picture").await;
    assert_eq!((none.status, none.bytes.len()), (204, 0));

    house.live.send_modify(|live| live.watch.as_mut().unwrap().allowed = Some(true));
    assert_eq!(state(&mut ada).await, "watched");
    let picture = ada.get("/screen/picture").await;
    assert_eq!((picture.status, &picture.bytes[..]), (200, PNG));
    assert_eq!(
        (&picture.headers["content-type"], &picture.headers["cache-control"]),
        (&"image/png".parse().unwrap(), &"no-store".parse().unwrap())
    );
    let page = ada.get("/screen").await;
    assert!(page.has("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>"));

    let mut bob = another(&mut ada, &house, "Bob", "administrator").await;
    assert_eq!(state(&mut bob).await, "other");
    assert_eq!(bob.get("/screen/picture").await.status, 404);
    let mut stranger = house.browser();
    assert_eq!(stranger.get("/screen/picture").await.status, 303);

    house.live.send_modify(|live| live.watch.as_mut().unwrap().allowed = Some(false));
    assert_eq!(state(&mut ada).await, "refused");
    assert_eq!(ada.get("/screen/picture").await.status, 404);
    assert_eq!(ada.submit("/screen", "/screen/watch", &[]).await.status, 303);
    assert_eq!(ada.submit("/screen", "/screen/stop", &[]).await.status, 303);
    assert_eq!(state(&mut ada).await, "nobody");
    assert_eq!(
        house.desk.lock().unwrap().heard,
        ["watch Some(\"Ada\")", "watch Some(\"Ada\")", "watch None"]
    );
    let audit = ada.get("/audit").await;
    assert!(audit.has("asked to watch the screen") && audit.has("stopped watching the screen"));
    ada.language = "fr";
    assert!(ada.get("/screen").await.has("Demander à regarder"));
}

#[tokio::test]
async fn app_2_a_supervisor_neither_sees_the_screen_nor_may_ask() {
    let (house, mut ada) = House::with_ada().await;
    house.live.send_modify(|live| live.screens = 1);
    let mut sam = another(&mut ada, &house, "Sam", "supervisor").await;
    for path in ["/screen", "/screen/picture"] {
        assert_eq!(sam.get(path).await.status, 403, "{path}");
    }
    assert!(!sam.get("/sound").await.has("href=\"/screen\""));
    assert!(ada.get("/sound").await.has("href=\"/screen\""));
    for path in ["/screen/watch", "/screen/stop"] {
        assert_eq!(sam.submit("/account", path, &[]).await.status, 403, "{path}");
    }
    assert!(house.desk.lock().unwrap().heard.is_empty());
    // A form from elsewhere asks nobody either.
    ada.site = Some("cross-site");
    assert_eq!(ada.submit("/account", "/screen/watch", &[]).await.status, 403);
    assert!(house.desk.lock().unwrap().heard.is_empty());
}
