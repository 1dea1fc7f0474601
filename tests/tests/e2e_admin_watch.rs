//! The picture of the touchscreen on the administrator's page: asked for in a browser, allowed and ended by touch.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use frontdesk_tests::chromium::Chromium;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::screen::{STATUS, Screen};
use frontdesk_tests::wait;
use ipc::View;

const SOON: Duration = Duration::from_secs(20);
/// Buttons of the bar that says who watches: on a tinted ground, where these eyes cannot read. Without the bar there is
/// nothing to touch at the first.
const ALLOW: (usize, usize) = (982, 116);
const STOP: (usize, usize) = (1126, 116);

/// The page looks by itself, once a second.
#[track_caller]
fn becomes(browser: &mut Chromium, words: &str) {
    browser.wait_text(words, SOON, |text| text.contains(words));
}

/// Touches the button until it is there.
fn allow(house: &mut House, screen: &mut Screen) {
    let is_allowed = |view: &View| view.watch.as_ref().is_some_and(|watch| watch.allowed == Some(true));
    wait::until("the operator's consent", SOON, || {
        screen.tap(ALLOW);
        is_allowed(&house.desk.client().wait("a view", SOON, |_| true)).then_some(())
    });
}

#[test]
fn app_2_an_administrator_sees_the_screen_once_the_operator_allows_it_and_no_longer() {
    let mut house = House::build(Digest::Md5);
    let port = house.free_port();
    let address = house.desk.open_admin_page(port);
    house.client = house.desk.client();
    let mut browser = Chromium::start(house.folder());
    let view = house.client.wait("the code on the screen", SOON, |view| view.setup.is_some());
    browser.open(&address);
    browser.fill("Code on the touchscreen", &view.setup.unwrap().code);
    browser.fill("Name", "Marguerite");
    browser.fill("Password", "four swans over the weir");
    browser.fill("Password once more", "four swans over the weir");
    browser.press("Make the first administrator");

    browser.open(&format!("{address}/screen"));
    browser.sees("No screen is connected to the desk.");
    let mut screen = house.screen();
    screen.says(STATUS, &["Available"]);
    becomes(&mut browser, "Nobody watches the screen.");
    browser.press("Ask to watch");
    browser.sees("The operator has been asked.");
    let asked = house.client.wait("the question at the desk", SOON, |view| view.watch.is_some());
    assert_eq!(asked.watch.unwrap().who, "Marguerite");
    assert!(browser.evaluate("document.getElementById('picture') === null").as_bool().unwrap());

    allow(&mut house, &mut screen);
    becomes(&mut browser, "You see the screen.");
    let size = "(() => { const shown = document.getElementById('picture'); \
                return shown ? `${shown.naturalWidth}x${shown.naturalHeight}` : ''; })()";
    let end = Instant::now() + SOON;
    while browser.evaluate(size).as_str() != Some("1280x800") {
        assert!(Instant::now() < end, "no picture of the screen arrives");
        std::thread::yield_now();
    }
    browser.picture(&house.folder().join("watched.png"));

    screen.tap(STOP);
    becomes(&mut browser, "The operator refused, or has ended it.");
    assert!(browser.evaluate("document.getElementById('picture') === null").as_bool().unwrap());
    // A page that is left is nobody who watches.
    browser.press("Ask to watch");
    allow(&mut house, &mut screen);
    becomes(&mut browser, "You see the screen.");
    browser.open(&format!("{address}/sound"));
    house.client.wait("the end of it", SOON, |view| view.watch.is_none());
}
