//! What plugins do and what went wrong with them, in words for people who wrote none.

use axum::http::StatusCode;
use ipc::{Language, PluginProblem, PluginState};
use store::StoreError;

use crate::{
    CertificateProblem, RestoreProblem, SealProblem, layout::duration, plugins::HostProblem, text, text::Text,
};

/// How a plugin does: a class for its colour, and words.
pub(crate) fn state(state: &PluginState, language: Language) -> (&'static str, String) {
    let time = |seconds: u64| duration(seconds, language);
    match state {
        PluginState::Disabled => ("off", text::STATE_DISABLED.is(language).into()),
        PluginState::Waiting { next_run_s } => {
            ("good", text::STATE_WAITING.with(language, &[("time", &time(*next_run_s))]))
        }
        PluginState::Ready => ("good", text::STATE_READY.is(language).into()),
        PluginState::Running { people, total: None } => {
            ("busy", text::STATE_RUNNING.with(language, &[("people", people)]))
        }
        PluginState::Running { people, total: Some(total) } => {
            ("busy", text::STATE_RUNNING_OF.with(language, &[("people", people), ("total", total)]))
        }
        PluginState::Failing { case, words, next_run_s } => {
            let reason = failure(case, words, language);
            let again = next_run_s.map_or_else(
                || text::STATE_AGAIN_NEVER.is(language).to_owned(),
                |seconds| text::STATE_AGAIN_IN.with(language, &[("time", &time(seconds))]),
            );
            ("bad", format!("{}. {again}", text::STATE_FAILING.with(language, &[("reason", &reason)])))
        }
        PluginState::Suspended { case, words, next_run_s } => {
            let reason = failure(case, words, language);
            let again = text::STATE_AGAIN_IN.with(language, &[("time", &time(*next_run_s))]);
            ("bad", format!("{}. {again}", text::STATE_SUSPENDED.with(language, &[("reason", &reason)])))
        }
        PluginState::Held { deleted } => ("bad", text::STATE_HELD.with(language, &[("deleted", deleted)])),
        PluginState::Broken { reason } => ("bad", text::STATE_BROKEN.with(language, &[("reason", reason)])),
    }
}

/// A failure: what it is called here, and what the plugin said of it.
pub(crate) fn failure(case: &str, words: &str, language: Language) -> String {
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
        _ => None,
    };
    match (known, words.trim()) {
        (Some(known), "") => known.is(language).into(),
        (Some(known), words) => format!("{} ({words})", known.is(language)),
        (None, "") => case.into(),
        (None, words) => format!("{case}: {words}"),
    }
}

/// Why the host did not do something, without a full stop.
pub(crate) fn problem(problem: &PluginProblem, language: Language) -> String {
    let filled = |text: Text, reason: &String| text.with(language, &[("reason", reason)]);
    match problem {
        PluginProblem::NoSuchPlugin => text::NO_SUCH_PLUGIN.is(language).trim_end_matches('.').into(),
        PluginProblem::NoSuchUpload => text::PROBLEM_WHOLE.is(language).into(),
        PluginProblem::TooLarge => text::UPLOAD_TOO_LARGE.is(language).trim_end_matches('.').into(),
        PluginProblem::NotAPlugin(reason) => filled(text::PROBLEM_NOT_A_PLUGIN, reason),
        PluginProblem::NotTrusted => text::PROBLEM_NOT_TRUSTED.is(language).into(),
        PluginProblem::Downgrade { installed, new } => {
            text::PROBLEM_DOWNGRADE.with(language, &[("installed", installed), ("new", new)])
        }
        PluginProblem::Setting { key, problem } => {
            let said = text::SETTING_REFUSED.with(language, &[("setting", key), ("problem", problem)]);
            said.trim_end_matches('.').into()
        }
        PluginProblem::Failed { case, words } => failure(case, words, language),
        PluginProblem::NotNow(reason) => reason.clone(),
        PluginProblem::Outdated => text::PROBLEM_OUTDATED.is(language).into(),
        PluginProblem::Disk(reason) => filled(text::PROBLEM_DISK, reason),
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
        PluginProblem::NotAPlugin(_) | PluginProblem::NotTrusted | PluginProblem::Setting { .. } => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
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
    (status, text::PROBLEM.with(language, &[("reason", &self::problem(refused, language))]))
}

/// Why a certificate was not taken, without a full stop.
pub(crate) fn certificate(problem: &CertificateProblem, language: Language) -> String {
    match problem {
        CertificateProblem::NoCertificate => text::CERT_NO_CERTIFICATE.is(language).into(),
        CertificateProblem::NoKey => text::CERT_NO_KEY.is(language).into(),
        CertificateProblem::Mismatch => text::CERT_MISMATCH.is(language).into(),
        CertificateProblem::Expired(day) => text::CERT_EXPIRED.with(language, &[("day", day)]),
        CertificateProblem::NotYet(day) => text::CERT_NOT_YET.with(language, &[("day", day)]),
        CertificateProblem::TooLarge => text::CERT_TOO_LARGE.is(language).into(),
        CertificateProblem::Unreadable(reason) => text::CERT_UNREADABLE.with(language, &[("reason", reason)]),
        CertificateProblem::Disk(reason) => text::PROBLEM_DISK.with(language, &[("reason", reason)]),
    }
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
