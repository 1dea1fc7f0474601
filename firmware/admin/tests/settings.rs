//! What the desk is set up with: the pages of lines, accounts, handling, numbers, operators and sound, what they say
//! to what cannot be, and what the desk hears of it (APP-2, ACC-1, OVF-1 to OVF-4, TEN-1).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Browser, House, PASSWORD, browser::Answer, clean::is_clean};
use ipc::{Outcome, RingTone, ServiceMode, Trigger};
use store::Settings;

const ACCOUNT: [(&str, &str); 6] = [
    ("user", "2100"),
    ("domain", "pbx.example"),
    ("password", "s3cret-s3cret"),
    ("expires_s", "600"),
    ("session_timer_s", "1800"),
    ("trust_identity", "on"),
];
const LINE: [(&str, &str); 4] =
    [("number", "5550100"), ("name", "Sales"), ("ring", "gong"), ("note", "Good day\r\nSales")];
const RULE: [(&str, &str); 7] = [
    ("name", "Night service"),
    ("when", "unanswered"),
    ("seconds", "20"),
    ("calls", "5"),
    ("then", "forward"),
    ("to", "2199"),
    ("who", "anybody"),
];

/// The fields with other values for some, and more.
fn with<'a>(fields: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more).copied().collect()
}

async fn send(ada: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    ada.submit("/operators", path, fields).await
}

/// Sends it and sees that it was taken.
async fn saved(house: &House, ada: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Settings {
    let answer = send(ada, path, fields).await;
    assert_eq!(answer.status, 303, "{path}: {}", answer.body);
    let page = ada.get(answer.to.as_deref().unwrap()).await;
    assert!(page.has("the desk works with it") || page.has("The desk works with it"), "{}", page.body);
    house.saved.borrow().as_ref().clone()
}

/// Sends it and sees that it was not, with these words at this field.
async fn refused(ada: &mut Browser, path: &str, fields: &[(&str, &str)], field: &str, words: &str) {
    let answer = send(ada, path, fields).await;
    assert_eq!(answer.status, 200, "{path} {fields:?}");
    is_clean(path, &answer.body);
    let at = answer.between(&format!("<p class=\"wrong\" id=\"{field}-wrong\">"), "</p>");
    assert!(at.as_deref().is_some_and(|at| at.contains(words)), "{path} {field}: {at:?} in {}", answer.body);
    assert!(answer.has("aria-invalid=\"true\"") && answer.has("Nothing was saved."));
}

#[tokio::test]
async fn app_2_the_account_that_calls_the_telephone_to_speak_over_is_renamed_and_removed() {
    let (house, mut ada) = House::with_ada().await;
    saved(&house, &mut ada, "/lines/account", &ACCOUNT).await;
    // The page has no field for it; the settings file and programs do.
    let file = b"[operator]\nphone = \"2110\"\nphone_account = \"2100\"\n";
    ada.upload("/provisioning", "/provisioning/import", &[("file", file)]).await;
    assert_eq!(house.saved.borrow().operator.phone_account.as_deref(), Some("2100"));
    let other = with(&ACCOUNT, &[("was", "2100"), ("user", "2101"), ("password", "")]);
    let settings = saved(&house, &mut ada, "/lines/account", &other).await;
    assert_eq!(settings.operator.phone_account.as_deref(), Some("2101"));
    let settings = saved(&house, &mut ada, "/lines/account/remove", &[("was", "2101")]).await;
    assert_eq!((settings.accounts.len(), settings.operator.phone_account), (0, None));
}

#[tokio::test]
async fn app_2_ten_1_an_account_and_a_line_are_added_changed_and_removed() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/lines").await;
    assert!(page.has("No account yet.") && page.has("Add an account first"), "{}", page.body);
    saved(&house, &mut ada, "/lines/account", &ACCOUNT).await;
    let settings = saved(&house, &mut ada, "/lines/line", &LINE).await;
    assert_eq!(
        (settings.accounts[0].id(), settings.accounts[0].password.reveal()),
        ("2100", "s3cret-s3cret")
    );
    let line = &settings.lines[0];
    assert_eq!(
        (line.number.as_str(), line.ring, line.note.as_str()),
        ("5550100", RingTone::Gong, "Good day\nSales")
    );

    // How it stands now, and what to do.
    let page = ada.get("/lines").await;
    assert!(page.has("2100@pbx.example") && page.has("compare both with what it has"), "{}", page.body);
    let page = ada.get("/lines/account?id=2100").await;
    assert!(page.has("One is set, and never shown") && !page.has("s3cret"), "{}", page.body);

    // Nothing typed keeps the password; the line follows the account's new name, and rules the line's new number.
    let named = with(&LINE, &[("was", "5550100"), ("account", "2100"), ("colour", "3")]);
    saved(&house, &mut ada, "/lines/line", &named).await;
    saved(&house, &mut ada, "/handling/rule", &with(&RULE, &[("line", "5550100")])).await;
    let other = with(&ACCOUNT, &[("was", "2100"), ("user", "2101"), ("password", "")]);
    let settings = saved(&house, &mut ada, "/lines/account", &other).await;
    assert_eq!((settings.accounts.len(), settings.accounts[0].password.reveal()), (1, "s3cret-s3cret"));
    assert_eq!(settings.lines[0].account.as_deref(), Some("2101"));
    // It does not go to a machine for which nobody typed it.
    for elsewhere in
        [("domain", "evil.example"), ("registrar", "evil.example"), ("outbound_proxy", "evil.example:5060")]
    {
        let other = with(&ACCOUNT, &[("was", "2101"), ("user", "2101"), ("password", ""), elsewhere]);
        refused(&mut ada, "/lines/account", &other, "password", "Type the password.").await;
        assert_eq!(*house.saved.borrow().as_ref(), settings, "{elsewhere:?}");
    }
    let other = with(&named, &[("number", "5550200"), ("account", "2101")]);
    let settings = saved(&house, &mut ada, "/lines/line", &other).await;
    assert_eq!(settings.handling[0].line.as_deref(), Some("5550200"));
    assert_eq!(settings.lines[0].colour, Some(3));

    // A STUN server that does not help is told of, at the account that names it.
    let stun =
        with(&ACCOUNT, &[("was", "2101"), ("user", "2101"), ("nat", "stun"), ("stun", "stun.example")]);
    saved(&house, &mut ada, "/lines/account", &stun).await;
    assert!(!ada.get("/lines").await.has("STUN server"));
    house
        .troubles
        .send_modify(|troubles| drop(troubles.insert("stun.example".into(), "no answer within 2 s".into())));
    let page = ada.get("/lines").await;
    let words = "The STUN server stun.example is of no help now. Calls are heard at the desk’s own address \
                 meanwhile. <span class=\"detail\">Detail: “<span lang=\"en\">no answer within 2 s</span>”</span>";
    assert!(page.has(words), "{}", page.body);
    ada.language = "fr";
    let page = ada.get("/lines").await;
    assert!(
        page.has("en attendant. <span class=\"detail\">Détail : « <span lang=\"en\">no answer"),
        "{}",
        page.body
    );
    ada.language = "en";

    // What is in use stays, and the page says why.
    send(&mut ada, "/lines/account/remove", &[("was", "2101")]).await;
    assert!(ada.get("/lines").await.has("Lines use this account"));
    send(&mut ada, "/lines/line/remove", &[("was", "5550200")]).await;
    assert!(ada.get("/lines").await.has("A rule of the call handling is for this line"));
    saved(&house, &mut ada, "/handling/rule/remove", &[("at", "0"), ("was", "Night service")]).await;
    saved(&house, &mut ada, "/lines/line/remove", &[("was", "5550200")]).await;
    let settings = saved(&house, &mut ada, "/lines/account/remove", &[("was", "2101")]).await;
    assert!(settings.accounts.is_empty() && settings.lines.is_empty());
    send(&mut ada, "/lines/account/remove", &[("was", "2101")]).await;
    assert!(ada.get("/lines").await.has("It is not there any more"));
    let log = ada.get("/audit").await;
    assert!(log.has("SIP account 2100") && log.has("line 5550100") && !log.has("s3cret"), "{}", log.body);
}

#[tokio::test]
async fn app_2_what_cannot_be_is_said_at_its_field_and_nothing_is_saved() {
    let (house, mut ada) = House::with_ada().await;
    let before = saved(&house, &mut ada, "/lines/account", &ACCOUNT).await;
    let account = |more: &[(&'static str, &'static str)]| with(&ACCOUNT, more);
    let path = "/lines/account";
    refused(&mut ada, path, &account(&[("domain", "a b")]), "domain", "Give a host").await;
    refused(&mut ada, path, &account(&[("user", "")]), "user", "1 to 128 bytes").await;
    refused(&mut ada, path, &account(&[("user", "a@b")]), "user", "none of @").await;
    refused(&mut ada, path, &ACCOUNT, "user", "in use already").await;
    refused(&mut ada, path, &account(&[("expires_s", "5")]), "expires_s", "60 to 86400").await;
    refused(&mut ada, path, &account(&[("expires_s", "soon")]), "expires_s", "whole number").await;
    refused(&mut ada, path, &account(&[("registrar", "x:0")]), "registrar", "host:port").await;
    refused(&mut ada, path, &account(&[("session_timer_s", "89")]), "session_timer_s", "0, or 90 to 86400")
        .await;
    refused(&mut ada, path, &account(&[("nat", "stun")]), "stun", "Give a host").await;
    let page = send(&mut ada, path, &account(&[("domain", "a <b>")])).await;
    assert!(
        page.has("value=\"a &lt;b&gt;\"") && !page.has("s3cret"),
        "what was typed stays, but for the password"
    );
    let path = "/lines/line";
    refused(&mut ada, path, &with(&LINE, &[("crm", "ftp://x")]), "crm", "http://").await;
    refused(&mut ada, path, &with(&LINE, &[("account", "none")]), "account", "Choose another account").await;
    let path = "/handling/rule";
    refused(&mut ada, path, &with(&RULE, &[("to", "")]), "to", "Give the number").await;
    refused(&mut ada, path, &with(&RULE, &[("to", "a b")]), "to", "No spaces").await;
    refused(&mut ada, path, &with(&RULE, &[("seconds", "0")]), "seconds", "1 to 600").await;
    refused(&mut ada, path, &with(&RULE, &[("when", "too_many"), ("calls", "501")]), "calls", "1 to 500")
        .await;
    let recall = [("when", "recall_unanswered"), ("then", "reject")];
    refused(&mut ada, path, &with(&RULE, &recall), "then", "answered already").await;
    let timers =
        [("undo", "2"), ("hold", "180"), ("queue", "300"), ("park-time", "120"), ("queue-delay", "61")];
    refused(&mut ada, "/handling/timers", &timers, "queue-delay", "0 to 60").await;
    refused(&mut ada, "/handling/park", &[("slots", "701\n701 Hall")], "slots", "Park slot 2").await;
    refused(&mut ada, "/handling/hours", &[("holidays", "25.12.")], "holidays", "One day a line").await;
    let page =
        send(&mut ada, "/handling/hours", &[("from-0", "08:30"), ("until-0", "08:00"), ("mo-0", "on")]).await;
    assert!(page.has("the earlier one first") && page.has("value=\"08:30\""), "{}", page.body);
    refused(&mut ada, "/numbers/crm", &[("url", "crm"), ("open", "menu")], "url", "http://").await;
    refused(&mut ada, "/operators/desk", &[("desk-name", "")], "desk-name", "1 to 128").await;
    assert_eq!(*house.saved.borrow().as_ref(), before);
    ada.language = "fr";
    let page = send(&mut ada, "/lines/account", &account(&[("domain", "a b")])).await;
    assert!(page.has("Indiquez un hôte") && page.has("Rien n’a été enregistré."));
}

#[tokio::test]
async fn ovf_1_app_2_rules_are_ordered_and_timers_hours_and_slots_are_set() {
    let (house, mut ada) = House::with_ada().await;
    saved(&house, &mut ada, "/handling/rule", &RULE).await;
    let second = [("name", "Closed"), ("when", "arrives"), ("then", "reject"), ("mode-night", "on")];
    saved(&house, &mut ada, "/handling/rule", &with(&RULE, &second)).await;
    let page = ada.get("/handling").await;
    assert!(
        page.has("not answered for 20 s") && page.has("send to 2199") && page.has("night"),
        "{}",
        page.body
    );
    let way = [("at", "1"), ("was", "Closed"), ("way", "up")];
    let settings = saved(&house, &mut ada, "/handling/rule/move", &way).await;
    assert_eq!(settings.handling[0].name, "Closed");
    assert_eq!((settings.handling[0].when, &settings.handling[0].then), (Trigger::Arrives, &Outcome::Reject));
    assert_eq!(settings.handling[0].modes, [ServiceMode::Night]);
    // Somebody else has moved it meanwhile.
    send(&mut ada, "/handling/rule/move", &way).await;
    assert!(ada.get("/handling").await.has("somebody else has changed it meanwhile"));
    let changed =
        with(&RULE, &[("at", "1"), ("was", "Night service"), ("then", "voicemail"), ("seconds", "9")]);
    let settings = saved(&house, &mut ada, "/handling/rule", &changed).await;
    assert_eq!(settings.handling[1].when, Trigger::Unanswered { seconds: 9 });
    assert_eq!(settings.handling[1].then, Outcome::Voicemail { to: "2199".into() });
    let timers =
        [("undo", "0"), ("hold", "60"), ("queue", "300"), ("park-time", "120"), ("queue-delay", "3")];
    let settings = saved(&house, &mut ada, "/handling/timers", &timers).await;
    assert_eq!((settings.timers.undo_ms, settings.timers.hold_ms), (0, 60_000));
    let hours = [
        ("from-0", "08:30"),
        ("until-0", "00:00"),
        ("mo-0", "on"),
        ("fr-0", "on"),
        ("from-1", ""),
        ("until-1", ""),
        ("holidays", "12-25\r\n2027-01-01"),
    ];
    let settings = saved(&house, &mut ada, "/handling/hours", &hours).await;
    assert_eq!(
        (settings.timetable.open[0].until.as_str(), settings.timetable.open[0].days.len()),
        ("24:00", 2)
    );
    assert_eq!(settings.timetable.holidays, ["12-25", "2027-01-01"]);
    let settings = saved(&house, &mut ada, "/handling/park", &[("slots", "701 Great hall\r\n\r\n702")]).await;
    let slots: Vec<(&str, &str)> =
        settings.park.iter().map(|s| (s.number.as_str(), s.name.as_str())).collect();
    assert_eq!(slots, [("701", "Great hall"), ("702", "")]);
    assert!(ada.get("/handling").await.has("701 Great hall"));
}

#[tokio::test]
async fn app_2_acc_4_the_time_zone_is_one_of_those_there_are_and_the_page_says_when_it_counts() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/clock").await;
    assert!(page.has("<option value=\"Asia/Tokyo\">") && page.has("<option value=\"UTC\">"), "{}", page.body);
    assert!(page.has("<dd>the time zone of its machine</dd>") && !page.has("starts anew"), "{}", page.body);
    assert!(ada.get("/").await.has("<dt>Clock</dt>"), "the overview shows the clock");
    let words = "knows no time zone of that name";
    for name in ["Europe/Atlantis", "../../etc/passwd", "paris"] {
        refused(&mut ada, "/clock", &[("time_zone", name)], "time_zone", words).await;
    }
    ada.language = "fr";
    let page = send(&mut ada, "/clock", &[("time_zone", "Europe/Atlantide")]).await;
    assert!(page.has("ne connaît aucun fuseau horaire de ce nom") && page.has("value=\"Europe/Atlantide\""));
    ada.language = "en";
    assert_eq!(house.saved.borrow().clock.time_zone, "");

    let answer = send(&mut ada, "/clock", &[("time_zone", " Asia/Tokyo ")]).await;
    assert_eq!((answer.status, answer.to.as_deref()), (303, Some("/clock")), "{}", answer.body);
    assert_eq!(house.saved.borrow().clock.time_zone, "Asia/Tokyo");
    let page = ada.get("/clock").await;
    is_clean("/clock", &page.body);
    assert!(
        page.has("Saved. The desk starts anew in this time zone as soon as no call is up"),
        "{}",
        page.body
    );
    assert!(page.has("Asia/Tokyo is set: the desk starts anew in it") && !page.has("<dd>Asia/Tokyo</dd>"));
    assert!(!ada.get("/").await.has("Choose the time zone"), "one is chosen");
    assert!(ada.get("/audit").await.has("time zone Asia/Tokyo"));

    // The desk has started anew.
    house.views.send_modify(|view| std::sync::Arc::make_mut(view).time_zone = "Asia/Tokyo".into());
    let page = ada.get("/clock").await;
    assert!(page.has("<dd>Asia/Tokyo</dd>") && !page.has("starts anew"), "{}", page.body);
    let settings = saved(&house, &mut ada, "/clock", &[("time_zone", "Asia/Tokyo")]).await;
    assert_eq!(settings.clock.time_zone, "Asia/Tokyo");
    // Back to that of the machine.
    send(&mut ada, "/clock", &[("time_zone", "")]).await;
    assert!(ada.get("/clock").await.has("the time zone of its machine is set: the desk starts anew"));
}

#[tokio::test]
async fn call_5_crm_1_app_2_numbers_and_the_crm_are_set() {
    let (house, mut ada) = House::with_ada().await;
    let numbers = [
        ("country", "33"),
        ("trunk_prefix", "0"),
        ("international_prefix", "00"),
        ("area", ""),
        ("outside_prefix", "9"),
        ("extension_min", "3"),
        ("extension_max", "4"),
        ("intercept", "**$"),
    ];
    let settings = saved(&house, &mut ada, "/numbers", &numbers).await;
    assert_eq!((settings.numbers.country.as_str(), settings.numbers.extension_max), ("33", 4));
    refused(&mut ada, "/numbers", &with(&numbers, &[("extension_max", "2")]), "extension_max", "3 to 10")
        .await;
    refused(&mut ada, "/numbers", &with(&numbers, &[("country", "+33")]), "country", "1 to 3 digits").await;
    refused(&mut ada, "/numbers", &with(&numbers, &[("intercept", "$")]), "intercept", "one $").await;
    let crm = [("url", "https://crm.example/?q=$"), ("open", "answer")];
    let settings = saved(&house, &mut ada, "/numbers/crm", &crm).await;
    assert_eq!(settings.crm.open, ipc::PageWhen::Answer);
    let rules = [
        ("transfer_timeout_s", "30"),
        ("hold_alarm_s", "90"),
        ("ended_transfer_s", "8"),
        ("max_calls", "50"),
        ("log_days", "90"),
    ];
    let settings = saved(&house, &mut ada, "/numbers/rules", &rules).await;
    assert_eq!((settings.rules.hold_alarm_s, settings.rules.monitor), (90, false));
    assert_eq!(settings.rules.log_days, 90);
    refused(&mut ada, "/numbers/rules", &with(&rules, &[("log_days", "40000")]), "log_days", "36500").await;
    assert!(!settings.rules.take_over, "nobody allowed it");
    let settings = saved(&house, &mut ada, "/numbers/rules", &with(&rules, &[("take_over", "on")])).await;
    assert!(settings.rules.take_over && !settings.rules.monitor);
}

#[tokio::test]
async fn pre_5_app_2_the_chat_account_is_set_kept_and_taken_away_on_a_page_of_its_own() {
    let (house, mut ada) = House::with_ada().await;
    assert!(ada.get("/directories").await.has("No chat server is set."));
    let path = "/directories/online";
    let account =
        [("address", "desk@example.com"), ("password", "s3cret-s3cret"), ("server", ""), ("ca", "")];
    refused(&mut ada, path, &with(&account, &[("address", "example.com")]), "address", "").await;
    refused(&mut ada, path, &with(&account, &[("ca", "company.pem")]), "ca", "").await;
    let xmpp = saved(&house, &mut ada, path, &account).await.xmpp.unwrap();
    assert_eq!((xmpp.address.as_str(), xmpp.password.reveal()), ("desk@example.com", "s3cret-s3cret"));
    assert_eq!((xmpp.server, xmpp.ca), (None, None));
    let page = ada.get(path).await;
    assert!(page.has("One is set.") && !page.has("s3cret"), "{}", page.body);
    let again = with(&account, &[("password", "")]);
    let xmpp = saved(&house, &mut ada, path, &again).await.xmpp.unwrap();
    assert_eq!(xmpp.password.reveal(), "s3cret-s3cret", "of the same account");
    for other in [("address", "other@example.com"), ("server", "chat.example.com"), ("ca", "/etc/own.pem")] {
        refused(&mut ada, path, &with(&again, &[other]), "password", "Type the password.").await;
    }
    let elsewhere = with(&account, &[("server", "chat.example.com:5223")]);
    let xmpp = saved(&house, &mut ada, path, &elsewhere).await.xmpp.unwrap();
    assert_eq!(
        (xmpp.password.reveal(), xmpp.server.as_deref()),
        ("s3cret-s3cret", Some("chat.example.com:5223"))
    );
    assert!(!ada.get("/directories").await.has("Nobody is shown as online"));
    house.troubles.send_modify(|troubles| {
        troubles.insert("desk@example.com".into(), "login refused: not-authorized <b>".into());
        troubles.insert("other@example.com".into(), "the server does not answer".into());
    });
    let page = ada.get("/directories").await;
    let words = "Nobody is shown as online now. Reason: “login refused: not-authorized &lt;b&gt;”.";
    assert!(page.has(words) && !page.has("does not answer"), "{}", page.body);
    is_clean("/directories", &page.body);
    ada.language = "fr";
    assert!(ada.get("/directories").await.has("Personne n’est montré en ligne en ce moment."));
    ada.language = "en";
    assert_eq!(saved(&house, &mut ada, "/directories/online/remove", &[]).await.xmpp, None);
}

#[tokio::test]
async fn acc_2_app_2_what_is_done_to_the_voice_is_ticked_on_the_page_of_the_sound() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/sound").await;
    assert!(
        page.has("id=\"echo\" name=\"echo\" checked")
            && !page.has("id=\"hands_free\" name=\"hands_free\" checked")
    );
    let settings = saved(&house, &mut ada, "/sound/voice", &[("hands_free", "on"), ("echo", "on")]).await;
    assert_eq!(settings.voice, store::Voice { hands_free: true, echo: true, noise: false, gain: false });
    let page = ada.get("/sound").await;
    assert!(page.has("name=\"hands_free\" checked") && !page.has("name=\"noise\" checked"));
    is_clean("/sound", &page.body);
}

#[tokio::test]
async fn acc_1_operators_have_pins_that_are_not_trivial_and_never_shown() {
    let (house, mut ada) = House::with_ada().await;
    let new = [("name", "Grace"), ("language", "fr"), ("pin", "8306")];
    for (pin, words) in [("1234", "Everybody tries"), ("12", "4 to 10 digits"), ("", "4 to 10 digits")] {
        refused(&mut ada, "/operators", &with(&new, &[("pin", pin)]), "pin", words).await;
    }
    assert_eq!(send(&mut ada, "/operators", &new).await.status, 303);
    let page = ada.get("/operators").await;
    assert!(
        page.has("The operator Grace was added.") && page.has("in order") && !page.has("8306"),
        "{}",
        page.body
    );
    refused(&mut ada, "/operators", &with(&new, &[("name", "GRACE")]), "name", "GRACE").await;
    let change = [("name", "Grace H."), ("language", "en"), ("pin", "0000")];
    refused(&mut ada, "/operators/1", &change, "pin", "Everybody tries").await;
    assert_eq!(send(&mut ada, "/operators/1", &with(&change, &[("pin", "")])).await.status, 303);
    assert!(ada.get("/operators").await.has("Grace H."));
    send(&mut ada, "/operators/1/lock", &[]).await;
    assert!(ada.get("/operators/1").await.has("Unlock"));
    send(&mut ada, "/operators/1/unlock", &[]).await;
    assert!(ada.get("/operators").await.has("in order"));
    assert_eq!(send(&mut ada, "/operators/1/other", &[]).await.status, 404);
    send(&mut ada, "/operators/1/remove", &[]).await;
    assert!(ada.get("/operators").await.has("No operator yet."));
    assert_eq!(ada.get("/operators/1").await.status, 404);
    let log = ada.get("/audit").await;
    for words in ["added an operator", "changed an operator", "removed an operator", "Grace, lock"] {
        assert!(
            log.has(words) || words == "Grace, lock" && log.has("Grace H., lock"),
            "{words}: {}",
            log.body
        );
    }
    let settings = saved(&house, &mut ada, "/operators/desk", &[("desk-name", "Accueil")]).await;
    assert_eq!(settings.operator.name, "Accueil");
}

#[tokio::test]
async fn acc_3_the_operators_telephone_is_set_and_given_up_beside_the_name_of_the_desk() {
    let (house, mut ada) = House::with_ada().await;
    let desk = [("desk-name", "Accueil"), ("desk-phone", " 2190 ")];
    let settings = saved(&house, &mut ada, "/operators/desk", &desk).await;
    assert_eq!(settings.operator.phone.as_deref(), Some("2190"));
    assert!(ada.get("/operators").await.has("2190"));
    let odd = with(&desk, &[("desk-phone", "21 90")]);
    refused(&mut ada, "/operators/desk", &odd, "desk-phone", "").await;
    let none = with(&desk, &[("desk-phone", "")]);
    assert_eq!(saved(&house, &mut ada, "/operators/desk", &none).await.operator.phone, None);
}

#[tokio::test]
async fn acc_1_app_2_a_supervisor_sees_all_of_it_and_changes_nothing() {
    let (house, mut ada) = House::with_ada().await;
    saved(&house, &mut ada, "/lines/account", &ACCOUNT).await;
    let before = saved(&house, &mut ada, "/lines/line", &LINE).await;
    let fields =
        [("name", "Sue"), ("role", "supervisor"), ("password", "another horse"), ("your-password", PASSWORD)];
    ada.submit("/accounts", "/accounts", &fields).await;
    let mut sue = house.browser();
    sue.sign_in("Sue", "another horse").await;
    for path in [
        "/lines",
        "/lines/account?id=2100",
        "/lines/line?number=5550100",
        "/lines/tls",
        "/handling",
        "/clock",
        "/numbers",
        "/operators",
    ] {
        let page = sue.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        is_clean(path, &page.body);
        for word in ["save-", "remove-", "add-", ">Up<"] {
            assert!(
                !page.body.contains(&format!("<button id=\"{word}")) && !page.has(">Up<"),
                "{path}: {word}"
            );
        }
    }
    let writes = [
        "/lines/account",
        "/lines/account/remove",
        "/lines/tls",
        "/lines/line",
        "/lines/line/move",
        "/lines/line/remove",
        "/clock",
        "/handling/timers",
        "/handling/hours",
        "/handling/park",
        "/handling/rule",
        "/handling/rule/move",
        "/handling/rule/remove",
        "/numbers",
        "/numbers/crm",
        "/numbers/rules",
        "/operators",
        "/operators/desk",
        "/operators/1",
        "/operators/1/lock",
    ];
    for path in writes {
        let answer = sue.submit("/account", path, &[("was", "2100")]).await;
        assert_eq!(answer.status, 403, "{path}");
        // Nor does an administrator's browser send what another site made up.
        let token = ada.token("/account").await;
        ada.site = Some("cross-site");
        assert_eq!(ada.post(path, &[("form", &token), ("was", "2100")]).await.status, 403, "{path}");
        ada.site = Some("same-origin");
    }
    assert_eq!(*house.saved.borrow().as_ref(), before);
}

#[tokio::test]
async fn hw_3_app_2_sound_devices_are_chosen_with_what_comes_after_them_and_the_desk_hears_of_it() {
    let (house, mut ada) = House::with_ada().await;
    let page = ada.get("/sound").await;
    assert!(page.has("As in frontdesk.toml: default") && page.has("Where it rings"), "{}", page.body);
    let (headset, bell) = ("plughw:CARD=Headset,DEV=0", "plughw:CARD=Bell,DEV=0");
    let chosen =
        [("speaker_1", headset), ("speaker_3", "default"), ("microphone_1", headset), ("ringer_1", bell)];
    let now = saved(&house, &mut ada, "/sound", &chosen).await.sound;
    assert_eq!(now.speaker, [headset, "default"], "the second one was left out");
    assert_eq!((now.microphone, now.ringer), (vec![headset.to_owned()], vec![bell.to_owned()]));
    assert_eq!(now.notifier, Vec::<String>::new());
    // What is chosen and not plugged in stays to be chosen.
    let page = ada.get("/sound").await;
    is_clean("/sound", &page.body);
    assert!(page.has("Headset,DEV=0 (not plugged in)"), "{}", page.body);
    // Names of ALSA that write files or run programs are none of the page's.
    for name in ["wav:/etc/passwd", "file:'|reboot',raw", "hw:0"] {
        refused(&mut ada, "/sound", &[("ringer_1", name)], "ringer_1", "by the id of its card").await;
    }
    assert_eq!(house.saved.borrow().sound.ringer, [bell]);
    let empty = saved(&house, &mut ada, "/sound", &[]).await.sound;
    assert_eq!(empty, store::SoundDevices::default());
}
