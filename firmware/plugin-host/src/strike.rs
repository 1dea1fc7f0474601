//! Secrets struck out of words that a person or a log will read: a plugin that is careless with what it was told,
//! or a server that repeats what it was sent. A plugin that wants to smuggle one out of itself can; what it may
//! read at all is the administrator's decision.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::manifest::{AuthKind, Filled, Manifest};

/// Shorter ones would be found in every other word, in bytes.
const SHORTEST: usize = 4;
const STRUCK: &str = "[secret]";

/// The words that are struck out.
#[derive(Default)]
pub(crate) struct Strike {
    /// The longest first: one may be part of another.
    secrets: Vec<String>,
    told: Told,
}

/// Secrets that come to be known later: tokens, the newest last. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<VecDeque<String>>>);

/// More tokens than one plugin has at a time, old ones included.
const TOLD: usize = 32;

impl Told {
    /// One more.
    pub(crate) fn add(&self, secret: &str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.len() < SHORTEST || told.iter().any(|there| there == secret) {
            return;
        }
        if told.len() == TOLD {
            told.pop_front();
        }
        told.push_back(secret.to_owned());
    }

    /// The words without them.
    pub(crate) fn strike(&self, words: &str) -> String {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().fold(words.to_owned(), |words, secret| strike_one(words, secret))
    }
}

impl Strike {
    /// The secrets of a plugin, as they are and as they are sent.
    pub(crate) fn of(manifest: &Manifest, filled: &Filled) -> Self {
        let mut secrets: Vec<String> = filled.secrets.values().flat_map(|secret| forms(secret)).collect();
        for auth in manifest.auth.iter().filter(|auth| auth.kind == AuthKind::Basic) {
            let user = auth.user_setting.as_ref().and_then(|key| filled.open.get(key)?.as_str());
            if let Some(secret) = auth.secret_setting.as_ref().and_then(|key| filled.secrets.get(key)) {
                secrets.push(STANDARD.encode(format!("{}:{secret}", user.unwrap_or_default())));
            }
        }
        Self::new(secrets)
    }

    pub(crate) fn new(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= SHORTEST);
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Self { secrets, told: Told::default() }
    }

    /// And those that come to be known later.
    pub(crate) fn hearing(self, told: Told) -> Self {
        Self { told, ..self }
    }

    /// The words without secrets, nor with the beginning of one where they were cut.
    pub(crate) fn out(&self, words: &str) -> String {
        let words = self.told.strike(words);
        self.secrets.iter().fold(words, |words, secret| strike_one(words, secret))
    }
}

fn strike_one(mut words: String, secret: &str) -> String {
    if words.contains(secret) {
        words = words.replace(secret, STRUCK);
    }
    let begun = secret.char_indices().map(|(at, _)| at).rev().take_while(|at| *at >= SHORTEST);
    let cut = begun.filter_map(|at| secret.get(..at)).find(|part| words.ends_with(part));
    if let Some(part) = cut {
        words.truncate(words.len() - part.len());
        words.push_str(STRUCK);
    }
    words
}

/// As it is, in base64, in a URL, and as programs print text for their authors.
fn forms(secret: &str) -> [String; 4] {
    let in_url = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [secret.to_owned(), STANDARD.encode(secret), in_url, secret.escape_debug().to_string()]
}

impl fmt::Debug for Strike {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Strike({})", self.secrets.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_is_struck_out_whole_and_where_the_words_were_cut() {
        let strike = Strike::new(vec!["hunter2".to_owned(), "hunter22".to_owned(), "abc".to_owned()]);
        assert_eq!(strike.out("it is hunter2, not hunter22, abc"), "it is [secret], not [secret], abc");
        assert_eq!(strike.out("it is hunte"), "it is [secret]");
        assert_eq!(strike.out("it is hun"), "it is hun");
        assert!(!format!("{strike:?}").contains("hunter"));
    }

    #[test]
    fn also_what_comes_to_be_known_later() {
        let told = Told::default();
        let strike = Strike::new(Vec::new()).hearing(told.clone());
        assert_eq!(strike.out("it is token-1"), "it is token-1");
        told.add("token-1");
        told.add("abc");
        assert_eq!(strike.out("it is token-1 and abc, cut: token-"), "it is [secret] and abc, cut: [secret]");
        for number in 0..100 {
            told.add(&format!("token-{number:03}"));
        }
        assert_eq!(strike.out("token-099"), STRUCK);
    }

    #[test]
    fn also_as_it_is_sent_and_printed() {
        let strike = Strike::new(forms("a \"b\" & c").to_vec());
        for words in ["it: a \"b\" & c", "it: a+%22b%22+%26+c", "it: a \\\"b\\\" & c", "it: YSAiYiIgJiBj"] {
            assert_eq!(strike.out(words), "it: [secret]");
        }
    }

    proptest! {
        #[test]
        fn nothing_of_it_is_left(before in "[a-y ]{0,40}", after in "[a-y ]{0,40}", secret in "z[0-9é]{5,20}") {
            let strike = Strike::new(vec![secret.clone()]);
            let words = strike.out(&format!("{before}{secret}{after}{secret}"));
            prop_assert_eq!(words, format!("{before}{STRUCK}{after}{STRUCK}"));
        }
    }
}
