//! How a call can fail, and what that means for the next one: the plugin's own error, a limit, or an answer
//! that the interface does not allow.

use wasmtime::Trap;

use crate::backoff::Reaction;
use crate::contact::clean;
use crate::guest::{Call, types};
use crate::limits::Limit;

/// The longest words of a plugin that are kept, in characters.
const WORDS: usize = 500;

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The plugin said so.
    Said {
        /// The case of its error.
        case: &'static str,
        /// Its words, for the administrator.
        words: String,
        /// What the case means.
        reaction: Reaction,
    },
    /// The host ended the call.
    Stopped {
        /// Why.
        limit: Limit,
        /// In words, for the author.
        words: String,
    },
    /// An answer that the interface does not allow.
    Contract(&'static str),
}

impl Failure {
    /// The case of the interface, or the limit, in one word of `a-z` and `-`.
    #[must_use]
    pub fn case(&self) -> &'static str {
        match self {
            Self::Said { case, .. } => case,
            Self::Stopped { limit, .. } => limit.case(),
            Self::Contract(_) => "contract",
        }
    }

    /// In words, for an administrator.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Said { words, .. } | Self::Stopped { words, .. } => words,
            Self::Contract(words) => words,
        }
    }

    pub(crate) fn with_words(self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Said { case, words, reaction } => Self::Said { case, words: change(&words), reaction },
            Self::Stopped { limit, words } => Self::Stopped { limit, words: change(&words) },
            Self::Contract(words) => Self::Contract(words),
        }
    }

    /// What it means for the next call.
    #[must_use]
    pub fn reaction(&self) -> Reaction {
        match self {
            Self::Said { reaction, .. } => *reaction,
            Self::Stopped { limit: Limit::Cancelled, .. } => Reaction::NextRun,
            Self::Stopped { .. } | Self::Contract(_) => Reaction::Crash,
        }
    }
}

/// The case of an error decides; its words are for people.
pub(crate) fn said(error: types::Error) -> Failure {
    let (case, words, reaction) = match error {
        types::Error::Misconfigured(problem) => {
            let field = problem.field.map(|field| format!("{field}: ")).unwrap_or_default();
            ("misconfigured", format!("{field}{}", problem.message), Reaction::Blocked)
        }
        types::Error::AuthFailed(words) => ("auth-failed", words, Reaction::Blocked),
        types::Error::Forbidden(words) => ("forbidden", words, Reaction::Blocked),
        types::Error::Unsupported(words) => ("unsupported", words, Reaction::Blocked),
        types::Error::Gone(words) => ("gone", words, Reaction::NextRun),
        types::Error::RetryLater(seconds) => ("retry-later", String::new(), Reaction::RetryLater(seconds)),
        types::Error::Unavailable(words) => ("unavailable", words, Reaction::BackOff),
        types::Error::Protocol(words) => ("protocol", words, Reaction::BackOff),
        types::Error::ResyncRequired => ("resync-required", String::new(), Reaction::Resync),
        types::Error::Internal(words) => ("internal", words, Reaction::Crash),
    };
    Failure::Said { case, words: shortened(&words), reaction }
}

pub(crate) fn stopped(call: &Call, error: &wasmtime::Error) -> Failure {
    // The cause first: a backtrace of a stranger's code fills the rest of the line.
    let words = format!("{}; {error:#}", error.root_cause());
    let limit = if let Some(limit) = call.stopped {
        limit
    } else if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        Limit::Stack
    } else if call.memory.refused() {
        Limit::Memory
    } else if words.contains("unknown import") {
        Limit::NotOffered
    } else if words.contains("fuel") {
        Limit::HostBytes
    } else {
        Limit::Trap
    };
    Failure::Stopped { limit, words: shortened(&words) }
}

/// Words of a stranger, for a screen or a log.
pub(crate) fn shortened(words: &str) -> String {
    clean(words).chars().take(WORDS).collect()
}
