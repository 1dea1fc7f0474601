//! What plugins do and what went wrong with them, in words for people who wrote none.

use axum::http::StatusCode;
use ipc::{Language, PluginProblem, PluginState};
use store::StoreError;

use crate::{
    CertificateProblem, RestoreProblem, SealProblem, layout::duration, pages::said::Said,
    plugins::HostProblem, text, text::Text,
};

/// How a plugin does: a class for its colour, words, and what others said.
pub(crate) fn state(state: &PluginState, language: Language) -> (&'static str, Said) {
    let time = |seconds: u64| duration(seconds, language);
    let good = |class, words: String| (class, Said::plain(words));
    let bad = |around: Text, reason: Said, again: &str| {
        let Said { words, detail } = reason.within(around, language);
        ("bad", Said { words: format!("{words}. {again}"), detail })
    };
    match state {
        PluginState::Disabled => good("off", text::STATE_DISABLED.is(language).into()),
        PluginState::Waiting { next_run_s } => {
            good("good", text::STATE_WAITING.with(language, &[("time", &time(*next_run_s))]))
        }
        PluginState::Ready => good("good", text::STATE_READY.is(language).into()),
        PluginState::Running { people, total: None } => {
            good("busy", text::STATE_RUNNING.with(language, &[("people", people)]))
        }
        PluginState::Running { people, total: Some(total) } => {
            good("busy", text::STATE_RUNNING_OF.with(language, &[("people", people), ("total", total)]))
        }
        PluginState::Failing { case, words, next_run_s } => {
            let again = next_run_s.map_or_else(
                || text::STATE_AGAIN_NEVER.is(language).to_owned(),
                |seconds| text::STATE_AGAIN_IN.with(language, &[("time", &time(seconds))]),
            );
            bad(text::STATE_FAILING, failure(case, words, language), &again)
        }
        PluginState::Suspended { case, words, next_run_s } => {
            let again = text::STATE_AGAIN_IN.with(language, &[("time", &time(*next_run_s))]);
            bad(text::STATE_SUSPENDED, failure(case, words, language), &again)
        }
        PluginState::Held { deleted } => {
            ("bad", Said::plain(text::STATE_HELD.with(language, &[("deleted", deleted)])))
        }
        PluginState::Broken { reason } => ("bad", Said::with_detail(text::STATE_BROKEN.is(language), reason)),
    }
}

/// A failure: what it is called here, and what the plugin said of it.
fn failure(case: &str, words: &str, language: Language) -> Said {
    let known: Option<Text> = match case {
        "misconfigured" => Some(text::CASE_MISCONFIGURED),
        "auth-failed" | "auth" => Some(text::CASE_AUTH),
        "forbidden" => Some(text::CASE_FORBIDDEN),
        "denied" => Some(text::CASE_DENIED),
        "unavailable" | "unreachable" | "timed-out" => Some(text::CASE_UNAVAILABLE),
        "retry-later" => Some(text::CASE_RETRY),
        "tls" => Some(text::CASE_TLS),
        "gone" => Some(text::CASE_GONE),
        "cpu" => Some(text::CASE_CPU),
        "wall" => Some(text::CASE_WALL),
        "memory" => Some(text::CASE_MEMORY),
        "stack" => Some(text::CASE_STACK),
        "host-bytes" => Some(text::CASE_BYTES),
        "not-offered" => Some(text::CASE_NOT_OFFERED),
        "trap" => Some(text::CASE_CRASHED),
        "cancelled" => Some(text::CASE_CANCELLED),
        "protocol" => Some(text::CASE_PROTOCOL),
        "unsupported" => Some(text::CASE_UNSUPPORTED),
        "timeout" => Some(text::CASE_TIMEOUT),
        "resync-required" => Some(text::CASE_RESYNC),
        "internal" => Some(text::CASE_INTERNAL),
        "contract" => Some(text::CASE_CONTRACT),
        // Of a newer host.
        _ => None,
    };
    match (known, words.trim()) {
        (Some(known), words) => Said::with_detail(known.is(language), words),
        (None, "") => Said::with_detail(text::CASE_OTHER.is(language), case),
        (None, words) => Said::with_detail(text::CASE_OTHER.is(language), format!("{case}: {words}")),
    }
}

/// Why the host did not do something, without a full stop, and what it said of it itself.
pub(crate) fn problem(problem: &PluginProblem, language: Language) -> Said {
    let plain = |text: Text| Said::plain(text.is(language).trim_end_matches('.'));
    let beside = |text: Text, reason: &String| Said::with_detail(text.is(language), reason);
    match problem {
        PluginProblem::NoSuchPlugin => plain(text::NO_SUCH_PLUGIN),
        PluginProblem::NoSuchUpload => plain(text::PROBLEM_WHOLE),
        PluginProblem::TooLarge => plain(text::UPLOAD_TOO_LARGE),
        PluginProblem::NotAPlugin(reason) => beside(text::PROBLEM_NOT_A_PLUGIN, reason),
        PluginProblem::NotTrusted => plain(text::PROBLEM_NOT_TRUSTED),
        PluginProblem::Downgrade { installed, new } => {
            Said::plain(text::PROBLEM_DOWNGRADE.with(language, &[("installed", installed), ("new", new)]))
        }
        PluginProblem::Setting { key, problem } => {
            Said::with_detail(text::SETTING_REFUSED.with(language, &[("setting", key)]), problem)
        }
        PluginProblem::SecretAgain { key } => {
            Said::plain(text::PROBLEM_SECRET_AGAIN.with(language, &[("setting", key)]))
        }
        PluginProblem::Failed { case, words } => failure(case, words, language),
        PluginProblem::NotNow(reason) => beside(text::PROBLEM_NOT_NOW, reason),
        PluginProblem::Outdated => plain(text::PROBLEM_OUTDATED),
        PluginProblem::Disk(reason) => beside(text::PROBLEM_DISK, reason),
    }
}

/// The same as a sentence, with the status that says whose fault it was.
pub(crate) fn refusal(problem: &HostProblem, language: Language) -> (StatusCode, String) {
    let refused = match problem {
        HostProblem::Away => return (StatusCode::SERVICE_UNAVAILABLE, text::HOST_AWAY.is(language).into()),
        HostProblem::TooLarge => {
            return (StatusCode::PAYLOAD_TOO_LARGE, text::API_TOO_LARGE.is(language).into());
        }
        HostProblem::Refused(refused) => refused,
    };
    let status = match refused {
        PluginProblem::NoSuchPlugin | PluginProblem::NoSuchUpload => StatusCode::NOT_FOUND,
        PluginProblem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        PluginProblem::NotAPlugin(_)
        | PluginProblem::NotTrusted
        | PluginProblem::Setting { .. }
        | PluginProblem::SecretAgain { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        PluginProblem::Downgrade { .. } | PluginProblem::NotNow(_) | PluginProblem::Outdated => {
            StatusCode::CONFLICT
        }
        // Not this box has failed, but what it asked.
        PluginProblem::Failed { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        PluginProblem::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
    };
    if matches!(refused, PluginProblem::NoSuchPlugin) {
        return (status, text::NO_SUCH_PLUGIN.is(language).into());
    }
    (status, self::problem(refused, language).within(text::PROBLEM, language).line(language))
}

/// Why a certificate was not taken, in a sentence, and what another program said of it.
pub(crate) fn certificate(problem: &CertificateProblem, language: Language) -> Said {
    let plain = |text: Text| Said::plain(text.is(language));
    let reason = match problem {
        CertificateProblem::NoCertificate => plain(text::CERT_NO_CERTIFICATE),
        CertificateProblem::NoKey => plain(text::CERT_NO_KEY),
        CertificateProblem::Mismatch => plain(text::CERT_MISMATCH),
        CertificateProblem::Expired(day) => Said::plain(text::CERT_EXPIRED.with(language, &[("day", day)])),
        CertificateProblem::NotYet(day) => Said::plain(text::CERT_NOT_YET.with(language, &[("day", day)])),
        CertificateProblem::TooLarge => plain(text::CERT_TOO_LARGE),
        CertificateProblem::Unreadable(reason) => {
            Said::with_detail(text::CERT_UNREADABLE.is(language), reason)
        }
        CertificateProblem::Disk(reason) => Said::with_detail(text::PROBLEM_DISK.is(language), reason),
    };
    reason.within(text::CERTIFICATE_REFUSED, language)
}

/// Why a backup is not used.
pub(crate) fn restore(problem: &RestoreProblem, language: Language) -> String {
    let words = match problem {
        RestoreProblem::Seal(SealProblem::NotOurs) => text::RESTORE_NOT_OURS,
        RestoreProblem::Seal(SealProblem::Newer)
        | RestoreProblem::Newer { .. }
        | RestoreProblem::Store(StoreError::Newer { .. }) => text::RESTORE_NEWER,
        RestoreProblem::Seal(SealProblem::WrongPassphrase) => text::RESTORE_WRONG_PASSPHRASE,
        RestoreProblem::Seal(SealProblem::Truncated) => text::RESTORE_TRUNCATED,
        RestoreProblem::Seal(SealProblem::Damaged) => text::RESTORE_DAMAGED,
        RestoreProblem::NoRoom => text::RESTORE_NO_ROOM,
        RestoreProblem::Contents(_)
        | RestoreProblem::Store(
            StoreError::NotADatabase { .. } | StoreError::Foreign { .. } | StoreError::Corrupt { .. },
        ) => text::RESTORE_CONTENTS,
        RestoreProblem::Seal(SealProblem::Read(_)) | RestoreProblem::Store(_) | RestoreProblem::Disk(_) => {
            text::RESTORE_DISK
        }
    };
    words.is(language).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_4_a_refusal_is_a_sentence_of_one_language_with_the_host_s_words_quoted_after_it() {
        let said = "it is being removed";
        for problem in [
            PluginProblem::NotNow(said.into()),
            PluginProblem::NotAPlugin(said.into()),
            PluginProblem::Disk(said.into()),
            PluginProblem::Setting { key: "url".into(), problem: said.into() },
        ] {
            let (_, words) = refusal(&HostProblem::Refused(problem.clone()), Language::French);
            let (sentence, quoted) = words.split_once(". Détail : « ").unwrap_or((&words, ""));
            assert!(sentence.starts_with("L’hôte des connecteurs a refusé"), "{words}");
            assert!(!sentence.contains(said) && quoted.starts_with(said), "{problem:?}: {words}");
        }
        let failed = PluginProblem::Failed { case: "protocol".into(), words: said.into() };
        let words = refusal(&HostProblem::Refused(failed), Language::French).1;
        assert!(words.ends_with(&format!("n’est pas comprise. Détail : « {said} »")), "{words}");
        let unreadable = CertificateProblem::Unreadable("bad base64".into());
        let words = certificate(&unreadable, Language::French);
        assert_eq!(words.detail.as_deref(), Some("bad base64"));
        assert!(words.words.ends_with("il ne peut pas être lu."), "{words:?}");
    }

    #[test]
    fn acc_4_dir_4_how_a_plugin_does_is_said_in_one_language_and_what_it_said_is_quoted() {
        // All that a host of this version says.
        let cases = [
            "misconfigured",
            "auth-failed",
            "forbidden",
            "unavailable",
            "retry-later",
            "gone",
            "cpu",
            "wall",
            "memory",
            "stack",
            "host-bytes",
            "not-offered",
            "trap",
            "cancelled",
            "protocol",
            "unsupported",
            "timeout",
            "resync-required",
            "internal",
            "contract",
        ];
        let failing = |case: &str, words: &str| PluginState::Failing {
            case: case.into(),
            words: words.into(),
            next_run_s: None,
        };
        let (_, other) = state(&failing("of-tomorrow", ""), Language::French);
        assert_eq!(other.detail.as_deref(), Some("of-tomorrow"));
        for case in cases {
            let [(_, english), (_, french)] =
                [Language::English, Language::French].map(|language| state(&failing(case, ""), language));
            assert!(french.words.starts_with("échec : ") && french.detail.is_none(), "{case}: {french:?}");
            assert!(french.words != english.words && french.words != other.words, "{case}: {french:?}");
            let (_, said) = state(&failing(case, "no <way>"), Language::French);
            assert_eq!((said.words, said.detail.as_deref()), (french.words, Some("no <way>")), "{case}");
        }
        let broken = PluginState::Broken { reason: "its record is damaged".into() };
        let (class, said) = state(&broken, Language::French);
        assert_eq!((class, said.words.as_str()), ("bad", "ne peut pas être chargé"));
        assert_eq!(said.detail.as_deref(), Some("its record is damaged"));
    }
}
