//! The schemas of the desk's settings and operators.

use serde_json::{Value, json};

use crate::api::schemas::{maybe, object, one_of, reference, text, texts, whole, with_optional, yes_no};

/// By name.
pub(crate) fn schemas() -> Value {
    let lists = |name: &str| reference(&format!("{name}[]"));
    let range = |min: u64, max: u64| json!({ "type": "integer", "minimum": min, "maximum": max });
    let password = || json!({ "type": "string", "maxLength": 256, "writeOnly": true });
    let languages = || one_of(&["en", "fr"]);
    let pin = || json!({ "type": "string", "pattern": "^[0-9]{4,10}$", "writeOnly": true });
    let name = || json!({ "type": "string", "minLength": 1, "maxLength": 64 });
    // One of several words, or one with something to it.
    let within = |name: &str, field: &str, kind: Value| object(&[(name, object(&[(field, kind)]))]);
    let when = json!({ "anyOf": [
        one_of(&["arrives", "do_not_disturb", "nobody_there"]),
        within("unanswered", "seconds", range(1, 600)),
        within("too_many", "calls", range(1, 500)),
        within("recall_unanswered", "seconds", range(1, 600)),
    ] });
    let then = json!({ "anyOf": [
        one_of(&["answer_and_hold", "reject"]),
        within("forward", "to", text()),
        within("voicemail", "to", text()),
    ] });
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let nat = json!({ "type": "string", "pattern": "^(none|registrar|stun:.+)$" });
    let timer = json!({ "type": "integer", "anyOf": [{ "const": 0 }, range(90, 86_400)] });
    let key = json!({ "type": "string", "maxLength": 65_536, "writeOnly": true });
    json!({
        "Settings": with_optional(&["operator", "rules", "numbers", "crm", "timers", "timetable"], &[
            ("operator", with_optional(&["name"], &[
                ("name", json!({ "type": "string", "minLength": 1, "maxLength": 128 })),
                ("phone", maybe("string")), ("phone_account", maybe("string")),
            ])),
            ("clock", with_optional(&[], &[
                ("time_zone", json!({ "type": "string", "maxLength": ipc::MAX_TIME_ZONE })),
            ])),
            ("rules", with_optional(
                &["transfer_timeout_s", "hold_alarm_s", "ended_transfer_s", "max_calls", "monitor"],
                &[
                    ("transfer_timeout_s", range(5, 600)), ("hold_alarm_s", range(5, 3600)),
                    ("ended_transfer_s", range(1, 300)), ("max_calls", range(1, 500)),
                    ("log_days", range(0, 36_500)), ("monitor", yes_no()),
                    ("take_over", yes_no()),
                ],
            )),
            ("numbers", with_optional(
                &["country", "trunk_prefix", "international_prefix", "extension_min", "extension_max"],
                &[
                    ("country", text()), ("trunk_prefix", text()), ("area", maybe("string")),
                    ("international_prefix", text()), ("outside_prefix", maybe("string")),
                    ("extension_min", range(1, 10)), ("extension_max", range(1, 10)), ("intercept", maybe("string")),
                ],
            )),
            ("crm", with_optional(&["open"], &[
                ("url", maybe("string")), ("open", one_of(&["menu", "answer", "ring"])),
            ])),
            ("tls", with_optional(&["verify"], &[
                ("ca", texts()), ("certificate", maybe("string")), ("key", key), ("verify", yes_no()),
            ])),
            ("voice", with_optional(&[], &[
                ("hands_free", yes_no()), ("echo", yes_no()), ("noise", yes_no()), ("gain", yes_no()),
            ])),
            ("waiting", with_optional(&[], &[("music", maybe("string")), ("announcement", maybe("string"))])),
            ("sound", with_optional(&[], &[
                ("speaker", texts()), ("microphone", texts()), ("ringer", texts()), ("notifier", texts()),
            ])),
            ("xmpp", json!({ "oneOf": [reference("SettingsXmpp"), { "type": "null" }] })),
            ("timers", object(&[
                ("undo_ms", range(0, 60_000)), ("hold_ms", range(0, 86_400_000)), ("queue_ms", range(0, 86_400_000)),
                ("park_ms", range(0, 86_400_000)), ("queue_delay_ms", range(0, 60_000)),
            ])),
            ("timetable", with_optional(&[], &[
                ("open", lists("SettingsHours")), ("holidays", texts()),
            ])),
            ("accounts", lists("SettingsAccount")), ("lines", lists("SettingsLine")),
            ("handling", lists("SettingsRule")), ("park", lists("SettingsSlot")),
        ]),
        "SettingsXmpp": with_optional(&["address"], &[
            ("address", text()), ("password", password()), ("server", maybe("string")), ("ca", maybe("string")),
        ]),
        "SettingsHours": object(&[
            ("days", json!({ "type": "array", "items": one_of(&days) })), ("from", text()), ("until", text()),
        ]),
        "SettingsAccount": with_optional(&["user", "domain"], &[
            ("id", text()), ("user", text()), ("domain", text()), ("display_name", text()),
            ("auth_user", maybe("string")), ("password", password()), ("registrar", maybe("string")),
            ("outbound_proxy", maybe("string")), ("mailbox", maybe("string")), ("expires_s", range(60, 86_400)),
            ("transport", one_of(&["auto", "udp", "tcp", "tls"])), ("srtp", one_of(&["off", "optional", "mandatory"])),
            ("trust_identity", yes_no()), ("nat", nat), ("session_timer_s", timer),
        ]),
        "SettingsLine": with_optional(&["number", "name"], &[
            ("number", text()), ("name", text()), ("account", maybe("string")), ("note", text()),
            ("colour", json!({ "type": ["integer", "null"], "minimum": 0, "maximum": 7 })),
            ("ring", one_of(&["bell", "chime", "warble", "gong"])), ("crm", maybe("string")), ("music", maybe("string")),
        ]),
        "SettingsRule": with_optional(&["name", "when", "then"], &[
            ("name", text()), ("when", when), ("who", one_of(&["anybody", "anonymous", "external", "internal"])),
            ("line", maybe("string")),
            ("modes", json!({ "type": "array", "items": one_of(&["day", "night", "holiday"]) })), ("then", then),
        ]),
        "SettingsSlot": with_optional(&["number"], &[("number", text()), ("name", text())]),
        "Operator": object(&[
            ("id", whole()), ("name", text()), ("language", languages()), ("locked", yes_no()), ("failures", whole()),
            ("created_ms", whole()),
        ]),
        "NewOperator": object(&[("name", name()), ("language", languages()), ("pin", pin())]),
        "OperatorChange": with_optional(&[], &[
            ("name", name()), ("language", languages()), ("pin", pin()), ("locked", yes_no()),
        ]),
    })
}
