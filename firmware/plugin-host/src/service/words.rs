//! The words of this crate in the words of the socket, and back: plain functions, no state.

use std::collections::BTreeSet;

use ipc::{
    PluginContact, PluginGrants, PluginProblem, PluginRight, PluginSetting, PluginSettingKind,
    PluginSignature,
};
use serde_json::{Map, Value};

use crate::compile::CompileError;
use crate::contact::{Contact, clean};
use crate::host::LoadError;
use crate::manifest::{Granted, Kind, Manifest, ManifestError, Net, Setting};
use crate::registry::Secrets;
use crate::sync::SyncError;
use crate::trust::Trust;

/// What a plugin asks for; `installed` is the version that is in use.
pub(crate) fn rights(manifest: &Manifest, installed: Option<&Manifest>) -> Vec<PluginRight> {
    let known: Vec<PluginRight> = installed.map(|manifest| rights(manifest, None)).unwrap_or_default();
    let right = |net: &Net| {
        let mut right = PluginRight {
            id: net.id.clone(),
            places: net.hosts.clone(),
            from_setting: net.from_setting.clone(),
            private: net.allow_private,
            plain: net.plain,
            reason: net.reason.clone(),
            secrets: secrets_of(manifest, &net.id),
            token: !tokens_of(manifest, &net.id).is_empty(),
            new: installed.is_some(),
        };
        let tokens = installed.map(|manifest| tokens_of(manifest, &net.id)).unwrap_or_default();
        let is_known = known.iter().any(|known| covers(known, &right))
            && tokens_of(manifest, &net.id).is_subset(&tokens);
        right.new &= !is_known;
        right
    };
    manifest.net.iter().map(right).collect()
}

/// Whether who granted the one has granted the other.
fn covers(known: &PluginRight, right: &PluginRight) -> bool {
    known.id == right.id
        && known.from_setting == right.from_setting
        && right.places.iter().all(|place| known.places.contains(place))
        && right.secrets.iter().all(|secret| known.secrets.contains(secret))
        && (known.private || !right.private)
        && (known.plain || !right.plain)
}

/// Secrets that are sent there by the host, and those that the plugin can read and so send anywhere it may go.
fn secrets_of(manifest: &Manifest, net: &str) -> Vec<String> {
    let sent = manifest.auth.iter().filter(|auth| auth.secret_goes_to().iter().any(|id| id == net));
    let read = manifest.settings.iter().filter(|setting| setting.expose);
    let keys = sent.filter_map(|auth| auth.secret_setting.as_ref()).chain(read.map(|setting| &setting.key));
    keys.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// The `[[auth]]` entries whose tokens are sent there, of an application or of whoever has signed in.
fn tokens_of<'manifest>(manifest: &'manifest Manifest, net: &str) -> BTreeSet<&'manifest str> {
    let oauth = manifest.auth.iter().filter(|auth| auth.kind.is_oauth());
    oauth.filter(|auth| auth.net.iter().any(|id| id == net)).map(|auth| auth.id.as_str()).collect()
}

/// What can be set, in the author's order.
pub(crate) fn settings(manifest: &Manifest) -> Vec<PluginSetting> {
    let setting = |setting: &Setting| PluginSetting {
        key: setting.key.clone(),
        kind: match setting.kind {
            Kind::Text => PluginSettingKind::Text,
            Kind::Multiline => PluginSettingKind::Multiline,
            Kind::Url => PluginSettingKind::Url,
            Kind::Secret => PluginSettingKind::Secret,
            Kind::Integer => PluginSettingKind::Integer,
            Kind::Boolean => PluginSettingKind::Boolean,
            Kind::Choice => PluginSettingKind::Choice,
            Kind::LdapDn => PluginSettingKind::LdapDn,
            Kind::LdapFilter => PluginSettingKind::LdapFilter,
        },
        label: setting.label.clone(),
        required: setting.required,
        default: setting.default.clone(),
        choices: setting.choices.clone(),
        min: setting.min,
        max: setting.max,
        expose: setting.expose,
    };
    manifest.settings.iter().map(setting).collect()
}

/// Settings and secrets as [`Manifest::fill`] wants them: only what this version knows.
pub(crate) fn values(
    manifest: &Manifest,
    settings: &Map<String, Value>,
    secrets: &Secrets,
) -> Map<String, Value> {
    let mut values = Map::new();
    for setting in &manifest.settings {
        let value = match setting.kind {
            Kind::Secret => secrets.get(&setting.key).cloned().map(Value::String),
            _ => settings.get(&setting.key).cloned(),
        };
        if let Some(value) = value {
            values.insert(setting.key.clone(), value);
        }
    }
    values
}

/// What was granted, as far as the manifest asks for it at all.
pub(crate) fn asked_for(manifest: &Manifest, granted: PluginGrants) -> PluginGrants {
    let keep = |ids: Vec<String>, good: &dyn Fn(&Net) -> bool| {
        let ids: BTreeSet<String> = ids.into_iter().collect();
        let asked = |id: &String| manifest.net.iter().any(|net| net.id == *id && good(net));
        ids.into_iter().filter(asked).collect::<Vec<_>>()
    };
    let net = keep(granted.net, &|_| true);
    let private = keep(granted.private, &|right| right.allow_private && net.contains(&right.id));
    let loopback = keep(granted.loopback, &|right| net.contains(&right.id));
    PluginGrants { net, private, loopback }
}

/// For a connector.
pub(crate) fn granted(granted: &PluginGrants) -> Granted {
    let set = |ids: &Vec<String>| ids.iter().cloned().collect();
    Granted { net: set(&granted.net), private: set(&granted.private), loopback: set(&granted.loopback) }
}

/// A contact.
pub(crate) fn contact(contact: &Contact) -> PluginContact {
    PluginContact {
        id: contact.id.clone(),
        name: contact.name.clone(),
        organization: contact.organization.clone(),
        department: contact.department.clone(),
        title: contact.title.clone(),
        phones: contact.phones.iter().map(|phone| (phone.kind.clone(), phone.number.clone())).collect(),
        emails: contact.emails.clone(),
        note: contact.note.clone(),
        url: contact.url.clone(),
        extra: contact.extra.clone(),
    }
}

/// Who signed it.
pub(crate) fn signature(trust: &Trust) -> PluginSignature {
    match trust {
        Trust::Known => PluginSignature::Known,
        Trust::New { key } => PluginSignature::New { key: key.clone() },
        Trust::Changed { .. } => PluginSignature::OtherKey,
        Trust::Broken(_) => PluginSignature::Broken,
        Trust::Unsigned => PluginSignature::None,
    }
}

/// Why a file, its settings or its grants do not do.
pub(crate) fn problem(error: &LoadError) -> PluginProblem {
    match error {
        LoadError::Manifest(error) => manifest_problem(error),
        LoadError::Trust(_) => PluginProblem::NotTrusted,
        LoadError::Compile(CompileError::Io(error)) => PluginProblem::Disk(error.to_string()),
        other => PluginProblem::NotAPlugin(line(&other.to_string())),
    }
}

/// Why a manifest, settings or grants do not do.
pub(crate) fn manifest_problem(error: &ManifestError) -> PluginProblem {
    match error {
        ManifestError::Setting { key, problem } => {
            PluginProblem::Setting { key: key.clone(), problem: (*problem).to_owned() }
        }
        other => PluginProblem::NotAPlugin(line(&other.to_string())),
    }
}

/// Case and words of a run that failed.
pub(crate) fn failure(error: &SyncError) -> (String, String) {
    match error {
        SyncError::Call(failure) => (failure.case().to_owned(), failure.words().to_owned()),
        SyncError::Endless(words) => ("endless".to_owned(), (*words).to_owned()),
    }
}

/// One line for a screen, of words that a stranger may have had a hand in.
fn line(words: &str) -> String {
    clean(words).chars().take(500).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
manifest = 1
[plugin]
id = "org.example.people"
name = "People"
version = "1.0.0"
abi = "0.1"
description = "People"

[[net]]
id = "api"
hosts = ["https://api.example.com"]
reason = "People"

[[net]]
id = "usage"
hosts = ["https://stats.example.com"]
reason = "Usage counts"

[[auth]]
id = "person"
kind = "oauth-device-code"
user-setting = "client"
token-net = "api"
token-url = "https://api.example.com/token"
device-url = "https://api.example.com/device"
net = ["api"]

[[settings]]
key = "client"
type = "text"
label = { en = "Client" }
"#;

    #[test]
    fn app_1_a_version_that_sends_a_token_to_a_place_more_asks_for_something_new() {
        let installed = Manifest::parse(MANIFEST).unwrap();
        let new = |text: &str| {
            let rights = rights(&Manifest::parse(text).unwrap(), Some(&installed)).into_iter();
            rights.filter(|right| right.new).map(|right| right.id).collect::<Vec<_>>()
        };
        assert!(new(MANIFEST).is_empty());
        assert_eq!(new(&MANIFEST.replace("net = [\"api\"]", "net = [\"api\", \"usage\"]")), ["usage"]);
        assert!(new(&MANIFEST.replace("Usage counts", "Counts")).is_empty());
    }
}
