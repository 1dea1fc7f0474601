//! What the API tells, as JSON. The names are described in `openapi`.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::{
    CallView, Language, PluginCode, PluginForm, PluginGrants, PluginInspection, PluginLogLine, PluginRight,
    PluginSetting, PluginSettingKind, PluginSignIn, PluginSignInState, PluginSignature, PluginState,
    PluginView, Registration,
};
use serde_json::{Value, json};
use store::{ApiToken, AuditEntry, WebAccount};

use crate::{pages::words, session::Session, tls::Facts};

/// An answer with JSON.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// A list of things.
pub(crate) fn list<T>(items: &[T], shape: impl Fn(&T) -> Value) -> Response {
    json(StatusCode::OK, &items.iter().map(shape).collect())
}

pub(crate) fn registration(state: &Registration) -> Value {
    let (state, reason) = match state {
        Registration::Off => ("off", None),
        Registration::Registering => ("registering", None),
        Registration::Registered => ("registered", None),
        Registration::Failed { reason } => ("failed", Some(reason)),
    };
    json!({ "state": state, "reason": reason })
}

pub(crate) fn call(call: &CallView, now_ms: u64) -> Value {
    json!({
        "direction": match call.direction {
            ipc::Direction::Incoming => "incoming",
            ipc::Direction::Outgoing => "outgoing",
        },
        "number": call.party.number,
        "name": call.party.name,
        "line": call.line_number,
        "state": crate::pages::overview::call_state(call.state).is(Language::English),
        "seconds": now_ms.saturating_sub(call.began_ms) / 1000,
    })
}

pub(crate) fn plugin(plugin: &PluginView, language: Language) -> Value {
    let PluginView { id, name, version, description, previous, enabled, interval_s, counters, .. } = plugin;
    json!({
        "id": id,
        "name": name,
        "version": version,
        "description": description,
        "previous": previous,
        "enabled": enabled,
        "interval_s": interval_s,
        "state": state(&plugin.state, language),
        "directory": plugin.directory.as_ref().map(|directory| json!({
            "contacts": directory.contacts,
            "left_out": directory.left_out,
            "synced_ms": directory.synced_ms,
        })),
        "grants": grants(&plugin.granted),
        "counters": {
            "calls": counters.calls,
            "failures": counters.failures,
            "requests": counters.requests,
            "refused": counters.refused,
            "lost_lines": counters.lost_lines,
            "longest_cpu_ms": counters.longest_cpu_ms,
            "most_memory": counters.most_memory,
        },
    })
}

pub(crate) fn state(state: &PluginState, language: Language) -> Value {
    let (_, words) = words::state(state, language);
    let (name, next_run_s, people, total, deleted) = match state {
        PluginState::Disabled => ("disabled", None, None, None, None),
        PluginState::Waiting { next_run_s } => ("waiting", Some(*next_run_s), None, None, None),
        PluginState::Ready => ("ready", None, None, None, None),
        PluginState::Running { people, total } => ("running", None, Some(*people), *total, None),
        PluginState::Failing { next_run_s, .. } => ("failing", *next_run_s, None, None, None),
        PluginState::Suspended { next_run_s, .. } => ("suspended", Some(*next_run_s), None, None, None),
        PluginState::Held { deleted } => ("held", None, None, None, Some(*deleted)),
        PluginState::Broken { .. } => ("broken", None, None, None, None),
    };
    let words = words.line(language);
    json!({
        "name": name, "words": words, "next_run_s": next_run_s, "people": people, "total": total,
        "deleted": deleted,
    })
}

pub(crate) fn grants(granted: &PluginGrants) -> Value {
    json!({ "net": granted.net, "private": granted.private, "loopback": granted.loopback })
}

fn right(right: &PluginRight) -> Value {
    json!({
        "id": right.id,
        "places": right.places,
        "from_setting": right.from_setting,
        "private": right.private,
        "plain": right.plain,
        "reason": right.reason,
        "secrets": right.secrets,
        "new": right.new,
    })
}

fn setting(setting: &PluginSetting) -> Value {
    json!({
        "key": setting.key,
        "kind": match setting.kind {
            PluginSettingKind::Text => "text",
            PluginSettingKind::Multiline => "multiline",
            PluginSettingKind::Url => "url",
            PluginSettingKind::Secret => "secret",
            PluginSettingKind::Integer => "integer",
            PluginSettingKind::Boolean => "boolean",
            PluginSettingKind::Choice => "choice",
            PluginSettingKind::LdapDn => "ldap-dn",
            PluginSettingKind::LdapFilter => "ldap-filter",
        },
        "label": setting.label,
        "required": setting.required,
        "default": setting.default,
        "choices": setting.choices,
        "min": setting.min,
        "max": setting.max,
        "expose": setting.expose,
    })
}

/// Settings; a code that waits only for those who may write, because whoever types it in signs in.
pub(crate) fn form(form: &PluginForm, interval_s: u64, may_write: bool) -> Value {
    json!({
        "rights": form.rights.iter().map(right).collect::<Value>(),
        "settings": form.settings.iter().map(setting).collect::<Value>(),
        "values": form.values,
        "secrets": form.secrets,
        "sign_ins": form.sign_ins.iter().map(|form| sign_in(form, may_write)).collect::<Value>(),
        "interval_s": interval_s,
    })
}

fn sign_in(sign_in: &PluginSignIn, may_write: bool) -> Value {
    let (state, problem, waiting) = match &sign_in.state {
        PluginSignInState::None { problem } => ("none", problem.as_ref(), None),
        PluginSignInState::Waiting(waiting) => ("waiting", None, may_write.then(|| code(waiting))),
        PluginSignInState::SignedIn => ("signed-in", None, None),
    };
    json!({ "credential": sign_in.id, "state": state, "problem": problem, "code": waiting })
}

pub(crate) fn code(code: &PluginCode) -> Value {
    json!({
        "address": code.address,
        "address_with_code": code.address_with_code,
        "code": code.code,
        "expires_s": code.expires_s,
    })
}

pub(crate) fn inspection(key: &str, found: &PluginInspection, language: Language) -> Value {
    let (signature, public_key) = match &found.signature {
        PluginSignature::Known => ("known", None),
        PluginSignature::New { key } => ("new", Some(key)),
        PluginSignature::OtherKey => ("other-key", None),
        PluginSignature::Broken => ("broken", None),
        PluginSignature::None => ("none", None),
    };
    json!({
        "key": key,
        "id": found.id,
        "name": found.name,
        "version": found.version,
        "description": found.description,
        "license": found.license,
        "provides": found.provides,
        "signature": signature,
        "public_key": public_key,
        "installed": found.installed,
        "rights": found.rights.iter().map(right).collect::<Value>(),
        "settings": found.settings.iter().map(setting).collect::<Value>(),
        "refused": found.refused.as_ref().map(|problem| words::problem(problem, language).line(language)),
    })
}

pub(crate) fn log_line(line: &PluginLogLine) -> Value {
    json!({ "at_ms": line.at_ms, "level": line.level, "host": line.host, "words": line.words })
}

pub(crate) fn account(account: &WebAccount) -> Value {
    json!({
        "id": account.id,
        "name": account.name,
        "role": account.role.word(),
        "created_ms": account.created_ms,
        "last_sign_in_ms": account.last_sign_in_ms,
    })
}

pub(crate) fn token(token: &ApiToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "scope": token.scope.word(),
        "created_ms": token.created_ms,
        "by": token.by,
        "last_used_ms": token.last_used_ms,
    })
}

pub(crate) fn session(session: &Session) -> Value {
    json!({
        "id": session.number,
        "name": session.name,
        "role": session.role.word(),
        "began_ms": session.began_ms,
        "from": session.from.to_string(),
        "agent": session.agent,
    })
}

pub(crate) fn audit_entry(entry: &AuditEntry) -> Value {
    json!({
        "id": entry.id,
        "at_ms": entry.at_ms,
        "who": entry.who,
        "origin": entry.origin,
        "action": entry.action,
        "detail": entry.detail,
    })
}

pub(crate) fn certificate(facts: &Facts) -> Value {
    json!({
        "subject": facts.subject,
        "issuer": facts.issuer,
        "names": facts.names,
        "from_ms": facts.from_ms,
        "until_ms": facts.until_ms,
        "fingerprint": facts.fingerprint,
        "own": facts.own,
    })
}
