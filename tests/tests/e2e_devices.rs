//! Sound devices in mid-call, with the real desk and a telephone of another maker: a headset is pulled out and put
//! back, and another device chosen on the administrator's page.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::office::{NAME, SECRET};
use frontdesk_tests::pulled::{self, Card};
use frontdesk_tests::sound::A_TONE;
use frontdesk_tests::wait;
use ipc::{AudioState, CallState, Registration, View};

const SOON: Duration = Duration::from_secs(20);
const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// Waits until the device plays the caller's tone.
fn plays(card: &Card) {
    wait::until("the device to play the caller", SOON, || {
        let heard = card.recording(pulled::now() - 0.6).tail(HALF_A_SECOND);
        (heard.seconds() > 0.4 && heard.is_tone(A_TONE)).then_some(())
    });
}

fn shows(device: &str) -> impl Fn(&View) -> bool {
    let shown = AudioState::Connected { device: device.into() };
    move |view| view.operator.audio == shown
}

#[test]
fn hw_3_ops_3_a_headset_pulled_in_mid_call_is_followed_by_the_handset_and_the_screen_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (alsa, cards) = pulled::cards(folder.path(), &[("headset", 440.0), ("handset", 550.0)]);
    let mut house = House::build(Digest::Md5);
    house.desk.use_devices(&["headset", "handset"], &alsa);
    house.client = house.desk.client();
    house.client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    let call = house.answer_next(&mut phone);
    phone.hears(440.0);
    plays(&cards[0]);
    for _ in 0..2 {
        cards[0].set("there", false);
        house.client.wait("the handset", SOON, shows("handset"));
        phone.hears(550.0);
        plays(&cards[1]);
        cards[0].set("there", true);
        house.client.wait("the headset", SOON, shows("headset"));
        phone.hears(440.0);
        plays(&cards[0]);
    }
    house.wait_state(call, CallState::Talking);
}

#[test]
fn app_2_hw_3_a_device_chosen_on_the_page_is_used_at_once_in_the_call_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (alsa, cards) = pulled::cards(folder.path(), &[("headset", 440.0), ("default", 550.0)]);
    let mut house = House::build(Digest::Md5);
    house.desk.use_devices(&["headset"], &alsa);
    let registered = |view: &View| view.operator.registration == Registration::Registered;
    house.client = house.desk.client();
    house.client.wait("Registered", SOON, registered);
    let (mut browser, address) = house.administered(NAME, SECRET);
    house.client.wait("Registered", SOON, registered);
    let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
    phone.dial("5550100");
    house.answer_next(&mut phone);
    phone.hears(440.0);
    plays(&cards[0]);
    browser.open(&format!("{address}/sound"));
    browser.sees("As in frontdesk.toml: headset");
    for field in ["speaker_1", "microphone_1"] {
        browser.evaluate(&format!("document.querySelector('#{field}').value = 'default'; null"));
    }
    browser.evaluate("document.querySelector('#save-sound-devices').click(); null");
    browser.wait_text("the choice saved", SOON, |text| {
        text.contains("Saved. The desk works with it from now on")
    });
    house.client.wait("the device chosen", SOON, shows("default"));
    phone.hears(550.0);
    plays(&cards[1]);
    phone.hang_up();
    assert!(house.desk.program.terminate(SOON).success());
    house.desk.start_again();
    house.client = house.desk.client();
    house.client.wait("the device chosen", SOON, shows("default"));
}
