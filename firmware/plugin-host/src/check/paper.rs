//! The file and what it says of itself: bundle, manifest, settings, rights in words. And settings made up where
//! an administrator would type some.

use serde_json::{Map, Value, json};

use super::{Report, SECRET};
use crate::host::{Approved, Authority};
use crate::manifest::{Kind, Manifest, Setting};
use crate::package::Package;

/// Reads the file; none, if it is nothing that could be run.
pub(super) fn read(file: Vec<u8>, report: &mut Report) -> Option<Approved> {
    let bytes = file.len();
    let signed = Package::read(&file).is_ok_and(|package| package.signature.is_some());
    // Who signed it is for the administrator to judge; here any author will do.
    let known_key =
        Package::read(&file).ok().and_then(|package| Manifest::parse(package.manifest).ok()?.plugin.key);
    let authority =
        Authority { known_key: known_key.filter(|_| signed), new_key_confirmed: true, developer: true };
    let approved = match Approved::new(file, &authority) {
        Ok(approved) => approved,
        Err(error) => {
            report.judge(false, format!("the file: {error}"));
            return None;
        }
    };
    let sealed = if signed { "signed" } else { "not signed: runs under the developer's switch only" };
    report.judge(true, format!("the file: {bytes} bytes, {sealed}"));
    let manifest = approved.manifest();
    let about = &manifest.plugin;
    report.judge(true, format!("the manifest: {} {} ({})", about.name, about.version, about.id));
    report.judge(about.license.is_some(), "the manifest names a licence");
    for wish in manifest.wishes() {
        report.tell(format!("an administrator reads: {wish}"));
    }
    if manifest.net.is_empty() {
        report.tell("it asks for no network");
    }
    for setting in &manifest.settings {
        let languages: Vec<&str> = setting.label.keys().map(String::as_str).collect();
        let needed = if setting.required { ", required" } else { "" };
        report.tell(format!(
            "setting {}: {:?}{needed}, in {}",
            setting.key,
            setting.kind,
            languages.join(" and ")
        ));
    }
    missing_settings(manifest, report);
    Some(approved)
}

/// Each setting that is required is asked for when it is missing: the host's work, but it shows that a form can
/// be filled in at all.
fn missing_settings(manifest: &Manifest, report: &mut Report) {
    let full = settings(manifest, &Map::new());
    let filled = manifest.fill(&full);
    report.judge(
        filled.is_ok(),
        match filled {
            Ok(_) => "the settings: a form can be filled in".to_owned(),
            Err(error) => format!("the settings: {error}"),
        },
    );
}

/// Settings as an administrator might type them; `given` ones are taken as they are.
pub(super) fn settings(manifest: &Manifest, given: &Map<String, Value>) -> Map<String, Value> {
    let names_server = |key: &str| manifest.net.iter().any(|net| net.from_setting.as_deref() == Some(key));
    let names_user = |key: &str| manifest.auth.iter().any(|auth| auth.user_setting.as_deref() == Some(key));
    let mut settings = Map::new();
    for setting in &manifest.settings {
        let needed = setting.required && setting.default.is_none()
            || setting.kind == Kind::Secret
            || names_server(&setting.key)
            || names_user(&setting.key);
        if needed {
            settings.insert(setting.key.clone(), sample(setting));
        }
    }
    settings.extend(given.clone());
    settings
}

fn sample(setting: &Setting) -> Value {
    match setting.kind {
        Kind::Text | Kind::Multiline => json!("sample"),
        Kind::Url => {
            let scheme = setting.schemes.first().map_or("https", String::as_str);
            json!(format!("{scheme}://directory.example/list"))
        }
        Kind::Secret => json!(SECRET),
        Kind::Integer => json!(setting.min.or(setting.max).unwrap_or(1)),
        Kind::Boolean => json!(false),
        Kind::Choice => json!(setting.choices.first()),
        Kind::LdapDn => json!("ou=people,dc=example,dc=com"),
        Kind::LdapFilter => json!("(objectClass=person)"),
    }
}
