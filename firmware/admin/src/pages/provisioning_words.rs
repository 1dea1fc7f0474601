//! Why nothing was provisioned, and what is wrong with a settings file, in the words of both languages. What another
//! program said, the network or the reader of TOML, is the detail beside it.

use ipc::Language;
use store::SettingsError;

use crate::{
    pages::{refusals, said::Said},
    provisioning::trouble::{Objection, Trouble, Unreached, Untrusted, Unusable},
    text::{self, Text},
};

/// What is wrong, and what to do.
pub(crate) fn trouble(trouble: &Trouble, language: Language) -> Said {
    let address = |text: Text, address: &str| Said::plain(text.with(language, &[("address", &address)]));
    let because = |text: Text, (name, about): (&str, &str), why: &str, detail: Option<&str>| {
        let words = text.with(language, &[(name, &about), ("why", &why)]);
        Said::with_detail(words, detail.unwrap_or_default())
    };
    match trouble {
        Trouble::NotHttps(said) => address(text::TROUBLE_NOT_HTTPS, said),
        Trouble::NoAddress(said) => address(text::TROUBLE_NO_ADDRESS, said),
        Trouble::NotFollowed(said) => address(text::TROUBLE_NOT_FOLLOWED, said),
        Trouble::Files { file, why } => {
            because(text::TROUBLE_FILES, ("file", file), unusable(why).is(language), why.detail())
        }
        Trouble::Unreachable { host, why } => {
            because(text::TROUBLE_UNREACHABLE, ("host", host), &unreached(why, language), why.detail())
        }
        Trouble::Untrusted { host, why } => {
            because(text::TROUBLE_UNTRUSTED, ("host", host), untrusted(why).is(language), why.detail())
        }
        Trouble::WantsCertificate { host } => {
            Said::plain(text::TROUBLE_WANTS_CERTIFICATE.with(language, &[("host", host)]))
        }
        Trouble::RefusesCertificate { host, why } => {
            let words = objection(why).is(language);
            because(text::TROUBLE_REFUSES_CERTIFICATE, ("host", host), words, why.detail())
        }
        Trouble::Refused { host, status, device } => {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("host", host), ("status", status), ("device", device)];
            Said::plain(text::TROUBLE_REFUSED.with(language, &values))
        }
        Trouble::NotFound { url } => address(text::TROUBLE_NOT_FOUND, url),
        Trouble::Status { host, status } => {
            Said::plain(text::TROUBLE_STATUS.with(language, &[("host", host), ("status", status)]))
        }
        Trouble::Redirect { host, to } => {
            Said::plain(text::TROUBLE_REDIRECT.with(language, &[("host", host), ("address", to)]))
        }
        Trouble::TooLarge { .. } => Said::plain(text::TROUBLE_TOO_LARGE.is(language)),
        Trouble::NotText => Said::plain(text::TROUBLE_NOT_TEXT.is(language)),
        Trouble::Invalid(error) => settings(error, language).within(text::TROUBLE_INVALID, language),
        Trouble::InvalidAndSpent(error) => {
            settings(error, language).within(text::TROUBLE_INVALID_SPENT, language)
        }
        Trouble::Records(_) => Said::plain(text::STORAGE_FAILED.is(language)),
    }
}

/// What is wrong with a settings file: the line and the key as they stand there, and why.
pub(crate) fn settings(error: &SettingsError, language: Language) -> Said {
    let said = match error.refusal.as_deref() {
        Some(refusal) => {
            let index = refusal.index.map_or_else(String::new, |index| format!(" ({}.)", index + 1));
            let field = if refusal.field.is_empty() { String::new() } else { format!(" {}", refusal.field) };
            let why = refusals::why(refusal, language);
            Said::plain(format!("{}{index}{field}: {why}", refusal.table))
        }
        None => Said::with_detail(unreadable(&error.message, language), &error.message),
    };
    // A sentence goes on after it.
    let words = said.words.trim_end_matches('.').to_owned();
    let words = match error.line {
        Some(line) => text::LINE_OF_FILE.with(language, &[("line", &line), ("words", &words)]),
        None => words,
    };
    Said { words, ..said }
}

/// What serde and the reader of TOML say of a text. They say it in English only, so their words are looked for.
fn unreadable(message: &str, language: Language) -> String {
    let named = |before: &str| message.strip_prefix(before)?.split_once('`').map(|(name, _)| name.to_owned());
    for (before, text) in [
        ("unknown field `", text::FILE_UNKNOWN_FIELD),
        ("missing field `", text::FILE_MISSING_FIELD),
        ("duplicate field `", text::FILE_TWICE),
        ("unknown variant `", text::FILE_UNKNOWN_WORD),
    ] {
        if let Some(name) = named(before) {
            return text.with(language, &[("field", &name)]);
        }
    }
    let kinds = ["invalid type: ", "invalid value: ", "invalid length "];
    let is_of_kind = kinds.iter().any(|before| message.starts_with(before));
    if is_of_kind { text::FILE_WRONG_KIND } else { text::FILE_NO_TOML }.is(language).into()
}

fn unusable(why: &Unusable) -> Text {
    match why {
        Unusable::NoCertificate => text::CAUSE_NO_CERTIFICATE_IN,
        Unusable::NoKey => text::CAUSE_NO_KEY_IN,
        Unusable::OtherKey => text::CAUSE_OTHER_KEY,
        Unusable::Bad(_) => text::CAUSE_BAD_CERTIFICATE,
        Unusable::NotAllowed(_) => text::CAUSE_NOT_ALLOWED,
        Unusable::Other(_) => text::CAUSE_OTHER,
    }
}

fn unreached(why: &Unreached, language: Language) -> String {
    let words = match why {
        Unreached::NoAnswer(seconds) => {
            return text::CAUSE_NO_ANSWER.with(language, &[("seconds", seconds)]);
        }
        Unreached::NoName(_) => text::CAUSE_NO_NAME,
        Unreached::Nobody(_) => text::CAUSE_NOBODY,
        Unreached::NoWay(_) => text::CAUSE_NO_WAY,
        Unreached::Ended(_) => text::CAUSE_ENDED,
        Unreached::NoTls => text::CAUSE_NO_TLS,
        Unreached::Tls(_) => text::CAUSE_TLS,
        Unreached::NoHttp(_) => text::CAUSE_NO_HTTP,
        Unreached::Other(_) => text::CAUSE_OTHER,
    };
    words.is(language).into()
}

fn untrusted(why: &Untrusted) -> Text {
    match why {
        Untrusted::UnknownAuthority => text::CAUSE_UNKNOWN_AUTHORITY,
        Untrusted::Expired => text::CAUSE_EXPIRED,
        Untrusted::NotYet => text::CAUSE_NOT_YET,
        Untrusted::OtherName => text::CAUSE_OTHER_NAME,
        Untrusted::Other(_) => text::CAUSE_OTHER,
    }
}

fn objection(why: &Objection) -> Text {
    match why {
        Objection::UnknownAuthority => text::CAUSE_UNKNOWN_THERE,
        Objection::Expired => text::CAUSE_EXPIRED,
        Objection::Revoked => text::CAUSE_REVOKED,
        Objection::HungUp(_) => text::CAUSE_HUNG_UP,
        Objection::Other(_) => text::CAUSE_OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every trouble whose cause another program words, with these words.
    fn troubles(said: &str) -> Vec<Trouble> {
        let (host, file, said) =
            (|| "pbx.example".to_owned(), || "/data/ca.pem".to_owned(), || said.to_owned());
        let unusable = [Unusable::Bad(said()), Unusable::NotAllowed(said()), Unusable::Other(said())];
        let unreached = [
            Unreached::NoName(said()),
            Unreached::Nobody(said()),
            Unreached::NoWay(said()),
            Unreached::Ended(said()),
            Unreached::Tls(said()),
            Unreached::NoHttp(said()),
            Unreached::Other(said()),
        ];
        let objections = [Objection::HungUp(said()), Objection::Other(said())];
        let mut all = vec![Trouble::Untrusted { host: host(), why: Untrusted::Other(said()) }];
        all.extend(unusable.map(|why| Trouble::Files { file: file(), why }));
        all.extend(unreached.map(|why| Trouble::Unreachable { host: host(), why }));
        all.extend(objections.map(|why| Trouble::RefusesCertificate { host: host(), why }));
        let error = SettingsError { file: String::new(), line: Some(7), message: said(), refusal: None };
        all.push(Trouble::Invalid(Box::new(error.clone())));
        all.push(Trouble::InvalidAndSpent(Box::new(error)));
        all
    }

    #[test]
    fn acc_4_app_5_foreign_words_are_a_detail_and_never_in_the_sentence() {
        const SAID: &str = "os error 111";
        for found in troubles(SAID) {
            assert!(found.to_string().contains(SAID), "the log has them: {found}");
            let [english, french] =
                [Language::English, Language::French].map(|language| trouble(&found, language));
            for said in [&english, &french] {
                assert!(!said.words.contains(SAID) && !said.words.contains('{'), "{}", said.words);
                assert_eq!(said.detail.as_deref(), Some(SAID), "{found:?}");
            }
            assert_ne!(english.words, french.words);
        }
    }

    #[test]
    fn acc_4_app_5_what_is_known_is_said_without_a_detail() {
        let host = || "pbx.example".to_owned();
        let unreachable = |why| Trouble::Unreachable { host: host(), why };
        let untrusted = |why| Trouble::Untrusted { host: host(), why };
        let refuses = |why| Trouble::RefusesCertificate { host: host(), why };
        let files = |why| Trouble::Files { file: "/data/ca.pem".into(), why };
        for (found, words) in [
            (unreachable(Unreached::NoAnswer(60)), "pbx.example est injoignable : pas de réponse en 60 s."),
            (unreachable(Unreached::NoTls), "pbx.example est injoignable : personne n’y parle TLS."),
            (
                untrusted(Untrusted::UnknownAuthority),
                "n’est pas reconnu : il vient d’une autorité inconnue ici.",
            ),
            (untrusted(Untrusted::Expired), "n’est pas reconnu : il a expiré."),
            (untrusted(Untrusted::NotYet), "il n’est pas encore valable ; l’horloge est-elle à l’heure ?"),
            (untrusted(Untrusted::OtherName), "il est établi pour un autre nom."),
            (
                refuses(Objection::UnknownAuthority),
                "le certificat d’appareil : il vient d’une autorité inconnue là-bas.",
            ),
            (refuses(Objection::Expired), "le certificat d’appareil : il a expiré."),
            (refuses(Objection::Revoked), "le certificat d’appareil : il a été révoqué."),
            (
                files(Unusable::NoCertificate),
                "/data/ca.pem est inutilisable : il ne contient aucun certificat (PEM).",
            ),
            (files(Unusable::NoKey), "est inutilisable : il ne contient aucune clé privée (PEM)."),
            (files(Unusable::OtherKey), "est inutilisable : la clé ne correspond pas au certificat."),
        ] {
            let said = trouble(&found, Language::French);
            assert!(said.words.contains(words), "{}", said.words);
            assert_eq!(said.detail, None, "{found:?}");
            assert_ne!(said.words, trouble(&found, Language::English).words);
        }
    }

    #[test]
    fn acc_4_app_5_what_the_reader_of_a_file_says_is_sorted() {
        for (text, english, french) in [
            (
                "[rules]\nhold = 1\n",
                "line 2: there is no field “hold” here",
                "ligne 2 : le champ « hold » n’existe pas",
            ),
            ("[[lines]]\nname = \"x\"\n", "the field “number” is missing", "le champ « number » manque"),
            (
                "[rules]\nhold_alarm_s = \"x\"\n",
                "line 2: a value is not of the right kind",
                "n’est pas de la bonne sorte",
            ),
            (
                "[[accounts]]\nuser = \"1\"\ndomain = \"x\"\ntransport = \"pigeon\"\n",
                "“pigeon” is none of",
                "« pigeon » n’est pas un",
            ),
            (
                "<html>",
                "line 1: it is not written as a settings file is",
                "ligne 1 : ce n’est pas écrit comme",
            ),
        ] {
            let error = store::Settings::from_toml(text, "").expect_err(text);
            let [en, fr] = [Language::English, Language::French].map(|language| settings(&error, language));
            assert!(en.words.contains(english), "{}, of {}", en.words, error.message);
            assert!(fr.words.contains(french), "{}, of {}", fr.words, error.message);
            assert_eq!(
                (en.detail.as_ref(), fr.detail.as_ref()),
                (Some(&error.message), Some(&error.message))
            );
        }
        let french = |message: &str| unreadable(message, Language::French);
        assert_eq!(french("duplicate field `user`"), "« user » y figure deux fois");
        assert_eq!(french("unknown field"), text::FILE_NO_TOML.is(Language::French), "cut off");
    }
}
