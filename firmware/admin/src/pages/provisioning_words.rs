//! Why nothing was provisioned, and what is wrong with a settings file, in the words of both languages.

use ipc::Language;
use store::SettingsError;

use crate::{pages::refusals, provisioning::trouble::Trouble, text};

/// What is wrong, and what to do.
pub(crate) fn trouble(trouble: &Trouble, language: Language) -> String {
    match trouble {
        Trouble::NotHttps(address) => text::TROUBLE_NOT_HTTPS.with(language, &[("address", address)]),
        Trouble::NoAddress(address) => text::TROUBLE_NO_ADDRESS.with(language, &[("address", address)]),
        Trouble::NotFollowed(address) => text::TROUBLE_NOT_FOLLOWED.with(language, &[("address", address)]),
        Trouble::Files { file, why } => text::TROUBLE_FILES.with(language, &[("file", file), ("why", why)]),
        Trouble::Unreachable { host, why } => {
            text::TROUBLE_UNREACHABLE.with(language, &[("host", host), ("why", why)])
        }
        Trouble::Untrusted { host, why } => {
            text::TROUBLE_UNTRUSTED.with(language, &[("host", host), ("why", why)])
        }
        Trouble::WantsCertificate { host } => {
            text::TROUBLE_WANTS_CERTIFICATE.with(language, &[("host", host)])
        }
        Trouble::RefusesCertificate { host, why } => {
            text::TROUBLE_REFUSES_CERTIFICATE.with(language, &[("host", host), ("why", why)])
        }
        Trouble::Refused { host, status, device } => {
            text::TROUBLE_REFUSED.with(language, &[("host", host), ("status", status), ("device", device)])
        }
        Trouble::NotFound { url } => text::TROUBLE_NOT_FOUND.with(language, &[("address", url)]),
        Trouble::Status { host, status } => {
            text::TROUBLE_STATUS.with(language, &[("host", host), ("status", status)])
        }
        Trouble::Redirect { host, to } => {
            text::TROUBLE_REDIRECT.with(language, &[("host", host), ("address", to)])
        }
        Trouble::TooLarge { .. } => text::TROUBLE_TOO_LARGE.is(language).into(),
        Trouble::NotText => text::TROUBLE_NOT_TEXT.is(language).into(),
        Trouble::Invalid(error) => {
            text::TROUBLE_INVALID.with(language, &[("reason", &settings(error, language))])
        }
        Trouble::InvalidAndSpent(error) => {
            text::TROUBLE_INVALID_SPENT.with(language, &[("reason", &settings(error, language))])
        }
        Trouble::Records(_) => text::STORAGE_FAILED.is(language).into(),
    }
}

/// What is wrong with a settings file: the line and the key as they stand there, and why.
pub(crate) fn settings(error: &SettingsError, language: Language) -> String {
    let words = match error.refusal.as_deref() {
        Some(refusal) => {
            let index = refusal.index.map_or_else(String::new, |index| format!(" ({}.)", index + 1));
            let field = if refusal.field.is_empty() { String::new() } else { format!(" {}", refusal.field) };
            format!("{}{index}{field}: {}", refusal.table, refusals::why(refusal, language))
        }
        None => error.message.clone(),
    };
    // A sentence goes on after it.
    let words = words.trim_end_matches('.').to_owned();
    match error.line {
        Some(line) => text::LINE_OF_FILE.with(language, &[("line", &line), ("words", &words)]),
        None => words,
    }
}
