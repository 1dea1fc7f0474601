//! The schemas of the API's description: what is told and sent. A test holds what is told against the answers.

use serde_json::{Map, Value, json};

use crate::{
    api::{settings_schemas, update},
    audit::Act,
    logs::Level,
};

/// A schema by its name; one that ends in `[]` is a list.
pub(crate) fn reference(name: &str) -> Value {
    match name.strip_suffix("[]") {
        Some(name) => json!({ "type": "array", "items": reference(name) }),
        None => json!({ "$ref": format!("#/components/schemas/{name}") }),
    }
}

pub(crate) fn text() -> Value {
    json!({ "type": "string" })
}

pub(crate) fn whole() -> Value {
    json!({ "type": "integer" })
}

pub(crate) fn yes_no() -> Value {
    json!({ "type": "boolean" })
}

pub(crate) fn maybe(kind: &str) -> Value {
    json!({ "type": [kind, "null"] })
}

fn maybe_a(name: &str) -> Value {
    json!({ "oneOf": [reference(name), { "type": "null" }] })
}

pub(crate) fn texts() -> Value {
    json!({ "type": "array", "items": text() })
}

pub(crate) fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// An object that has all of these fields, and only these.
pub(crate) fn object(fields: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    with_optional(&required, fields)
}

/// An object of which only some fields must be there.
pub(crate) fn with_optional(required: &[&str], fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, kind)| ((*name).into(), kind.clone())).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

pub(crate) fn schemas() -> Value {
    let mut all = told();
    for more in [sent(), settings_schemas::schemas(), kept()] {
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
    }
    all
}

/// Statistics and what is for support.
fn kept() -> Value {
    let counts =
        ["incoming", "answered", "missed", "outgoing", "talk_ms", "hold_ms"].map(|name| (name, whole()));
    let with = |more: &[(&str, Value)]| object(&[more, &counts[..]].concat());
    let times = object(&[("calls", whole()), ("total_ms", whole()), ("longest_ms", whole())]);
    let levels: Vec<&str> = Level::ALL.iter().map(|level| level.word()).collect();
    json!({
        "Statistics": object(&[
            ("first_day", text()), ("last_day", text()), ("all", with(&[])),
            ("answers", object(&[
                ("answered", whole()), ("within_20_s", whole()), ("median_ms", maybe("integer")),
                ("p95_ms", maybe("integer")), ("longest_ms", maybe("integer")),
            ])),
            ("talk", times.clone()), ("hold", times),
            ("hours", reference("HourCount[]")), ("lines", reference("LineCount[]")),
            ("outcomes", reference("OutcomeCount[]")),
        ]),
        "HourCount": with(&[("from_ms", whole()), ("until_ms", whole())]),
        "LineCount": with(&[("number", text()), ("name", text())]),
        "OutcomeCount": object(&[
            ("direction", one_of(&["incoming", "outgoing"])), ("outcome", text()), ("calls", whole()),
        ]),
        "Diagnostics": object(&[
            ("version", text()), ("up_s", whole()),
            ("engine", json!({ "type": ["object", "null"], "description": "Figures of the call engine" })),
            ("database", json!({ "type": ["object", "null"], "description": "Figures of the database" })),
        ]),
        "ProgramLine": object(&[("level", one_of(&levels)), ("text", text())]),
    })
}

/// What programs send.
fn sent() -> Value {
    let password = json!({ "type": "string", "minLength": 10, "maxLength": 256, "writeOnly": true });
    let name = json!({ "type": "string", "minLength": 1, "maxLength": 64 });
    let role = one_of(&["administrator", "supervisor"]);
    let scope = one_of(&["read", "write"]);
    let pem = json!({ "type": "string", "description": "PEM", "maxLength": 65_536 });
    let grants = [("net", texts()), ("private", texts()), ("loopback", texts())];
    let actions = one_of(&["enable", "disable", "sync", "allow-to-shrink", "roll-back"]);
    let interval = json!({ "type": "integer", "minimum": 60, "maximum": 604_800 });
    json!({
        "Anything": { "type": "object" },
        "Package": { "type": "string", "format": "binary", "description": "A .wasm file of at most 32 MiB" },
        "UpdateFile": { "type": "string", "format": "binary", "description": "A signed RAUC bundle" },
        "SoundFile": { "type": "string", "format": "binary", "description": "WAV (16 bit PCM) or Opus, at most 64 MiB" },
        "ContactsFile": {
            "type": "string", "description": "CSV with a first line of columns, separated by commas, UTF-8 or Windows-1252, at most 256 MiB",
        },
        "ContactsReport": object(&[
            ("file", text()), ("directory", text()), ("added", whole()), ("refused", whole()), ("unknown_columns", texts()),
            ("rows", reference("RefusedRow[]")),
        ]),
        "RefusedRow": object(&[("line", whole()), ("column", maybe("string")), ("words", text())]),
        "Sound": object(&[
            ("key", text()), ("words", text()), ("path", maybe("string")), ("lost", yes_no()), ("name", maybe("string")),
            ("length_ms", maybe("integer")), ("peak_dbfs", maybe("integer")), ("mean_dbfs", maybe("integer")),
        ]),
        "UpdateOrder": with_optional(&["when"], &[
            ("when", one_of(&["now", "idle", "window"])),
            ("from", json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })),
            ("until", json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })),
            ("older", yes_no()),
        ]),
        "NewCertificate": object(&[("chain", pem.clone()), ("key", pem)]),
        "NewSettings": object(&[("values", json!({ "type": "object" })), ("interval_s", interval)]),
        "Grants": with_optional(&["net"], &grants),
        "Action": object(&[("action", actions)]),
        "Credential": object(&[("credential", text())]),
        "Install": with_optional(&["grants"], &[("grants", reference("Grants")), ("key_confirmed", yes_no())]),
        "NewAccount": object(&[("name", name.clone()), ("role", role.clone()), ("password", password.clone())]),
        "AccountChange": with_optional(&[], &[
            ("role", json!({ "oneOf": [role, { "type": "null" }] })),
            ("password", json!({ "oneOf": [password, { "type": "null" }] })),
        ]),
        "NewBackup": object(&[("passphrase", json!({ "type": "string", "minLength": 12, "maxLength": 256, "writeOnly": true }))]),
        "NewToken": object(&[("name", name), ("scope", scope)]),
    })
}

/// What the box tells.
fn told() -> Value {
    let acts: Vec<&str> = Act::ALL.iter().map(|act| act.word()).collect();
    let role = one_of(&["administrator", "supervisor"]);
    let scope = one_of(&["read", "write"]);
    let token = [
        ("id", whole()),
        ("name", text()),
        ("scope", scope),
        ("created_ms", whole()),
        ("by", text()),
        ("last_used_ms", maybe("integer")),
    ];
    let made = [&token[..], &[("token", text())]].concat();
    let states = ["disabled", "waiting", "ready", "running", "failing", "suspended", "held", "broken"];
    let kinds =
        ["text", "multiline", "url", "secret", "integer", "boolean", "choice", "ldap-dn", "ldap-filter"];
    let registrations = one_of(&["off", "registering", "registered", "failed"]);
    let lists = |name: &str| reference(&format!("{name}[]"));
    json!({
        "Problem": object(&[("type", text()), ("title", text()), ("status", whole()), ("detail", text())]),
        "Overview": object(&[
            ("version", text()), ("up_s", whole()), ("operator", text()), ("registration", reference("Registration")),
            ("lines", lists("Line")), ("calls", lists("Call")), ("plugin_host", reference("PluginHost")),
            ("memory", object(&[("resident", maybe("integer")), ("free", maybe("integer")), ("all", maybe("integer"))])),
            ("storage", object(&[("free", maybe("integer")), ("all", maybe("integer"))])),
        ]),
        "Registration": object(&[("state", registrations), ("reason", maybe("string"))]),
        "Line": object(&[("number", text()), ("name", text()), ("registration", reference("Registration"))]),
        "Call": object(&[
            ("direction", one_of(&["incoming", "outgoing"])), ("number", maybe("string")), ("name", maybe("string")),
            ("line", text()), ("state", text()), ("seconds", whole()),
        ]),
        "PluginHost": object(&[
            ("here", yes_no()), ("version", maybe("string")), ("reason", maybe("string")), ("plugins", whole()),
        ]),
        "Directory": object(&[
            ("id", whole()), ("name", text()), ("local", yes_no()), ("contacts", whole()), ("line", maybe("string")),
            ("plugin", maybe("string")), ("state", maybe_a("PluginState")), ("synced_ms", maybe("integer")),
        ]),
        "AuditEntry": object(&[
            ("id", whole()), ("at_ms", whole()), ("who", text()), ("origin", text()), ("action", one_of(&acts)),
            ("detail", text()),
        ]),
        "BackupFile": { "type": "string", "format": "binary" },
        "Certificate": object(&[
            ("subject", text()), ("issuer", text()), ("names", texts()), ("from_ms", whole()), ("until_ms", whole()),
            ("fingerprint", text()), ("own", yes_no()),
        ]),
        "PluginState": object(&[
            ("name", one_of(&states)), ("words", text()), ("next_run_s", maybe("integer")),
            ("people", maybe("integer")), ("total", maybe("integer")), ("deleted", maybe("integer")),
        ]),
        "PluginDirectory": object(&[("contacts", whole()), ("left_out", whole()), ("synced_ms", whole())]),
        "PluginCounters": object(&[
            ("calls", whole()), ("failures", whole()), ("requests", whole()), ("refused", whole()),
            ("lost_lines", whole()), ("longest_cpu_ms", whole()), ("most_memory", whole()),
        ]),
        "Plugin": object(&[
            ("id", text()), ("name", text()), ("version", text()), ("description", text()), ("previous", maybe("string")),
            ("enabled", yes_no()), ("interval_s", whole()), ("state", reference("PluginState")),
            ("directory", maybe_a("PluginDirectory")), ("grants", reference("Grants")),
            ("counters", reference("PluginCounters")),
        ]),
        "Right": object(&[
            ("id", text()), ("places", texts()), ("from_setting", maybe("string")), ("private", yes_no()),
            ("plain", yes_no()), ("reason", text()), ("secrets", texts()), ("new", yes_no()),
        ]),
        "Setting": object(&[
            ("key", text()), ("kind", one_of(&kinds)),
            ("label", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
            ("required", yes_no()), ("default", json!(true)), ("choices", texts()), ("min", maybe("integer")),
            ("max", maybe("integer")), ("expose", yes_no()),
        ]),
        "PluginSettings": object(&[
            ("rights", lists("Right")), ("settings", lists("Setting")), ("values", json!({ "type": "object" })),
            ("secrets", texts()), ("sign_ins", lists("SignIn")), ("interval_s", whole()),
        ]),
        "SignIn": object(&[
            ("credential", text()), ("state", one_of(&["none", "waiting", "signed-in"])),
            ("problem", maybe("string")), ("code", maybe_a("SignInCode")),
        ]),
        "SignInCode": object(&[
            ("address", text()), ("address_with_code", maybe("string")), ("code", text()), ("expires_s", whole()),
        ]),
        "LogLine": object(&[("at_ms", whole()), ("level", text()), ("host", yes_no()), ("words", text())]),
        "Words": object(&[("words", text())]),
        "Inspection": object(&[
            ("key", text()), ("id", text()), ("name", text()), ("version", text()), ("description", text()),
            ("license", maybe("string")), ("provides", texts()),
            ("signature", one_of(&["known", "new", "other-key", "broken", "none"])), ("public_key", maybe("string")),
            ("installed", maybe("string")), ("rights", lists("Right")), ("settings", lists("Setting")),
            ("refused", maybe("string")),
        ]),
        "Account": object(&[
            ("id", whole()), ("name", text()), ("role", role.clone()), ("created_ms", whole()),
            ("last_sign_in_ms", maybe("integer")),
        ]),
        "Token": object(&token),
        "MadeToken": object(&made),
        "UpdateStanding": object(&[
            ("version", text()), ("why_not", maybe("string")), ("slots", lists("UpdateSlot")),
            ("bundle", maybe_a("UpdateBundle")), ("stage", one_of(&["resting", "waiting", "installing", "written", "restarting"])),
            ("percent", maybe("integer")), ("busy", yes_no()), ("sticks", yes_no()), ("attempts", lists("UpdateAttempt")),
        ]),
        "UpdateSlot": object(&[
            ("name", text()), ("running", yes_no()), ("next", yes_no()), ("good", maybe("boolean")),
            ("version", maybe("string")), ("checked_ms", maybe("integer")), ("wrong", maybe("string")),
        ]),
        "UpdateBundle": object(&[
            ("version", text()), ("description", text()), ("compatible", text()), ("bytes", whole()), ("older", yes_no()),
        ]),
        "UpdateAttempt": object(&[
            ("id", whole()), ("version", text()), ("who", text()), ("begun_ms", whole()), ("ended_ms", maybe("integer")),
            ("from", text()), ("to", text()), ("outcome", one_of(&update::OUTCOMES)), ("words", text()),
        ]),
        "Session": object(&[
            ("id", whole()), ("name", text()), ("role", role), ("began_ms", whole()), ("from", text()),
            ("agent", text()),
        ]),
    })
}
