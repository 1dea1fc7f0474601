//! Secrets struck out of words that a person or a log will read: a plugin that is careless with what it was told,
//! or a server that repeats what it was sent. A plugin that wants to smuggle one out of itself can; what it may
//! read at all is the administrator's decision.

use std::fmt;

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
}

impl Strike {
    /// The secrets of a plugin, as they are and as they are sent.
    pub(crate) fn of(manifest: &Manifest, filled: &Filled) -> Self {
        let mut secrets: Vec<String> = filled.secrets.values().flat_map(|secret| forms(secret)).collect();
        for auth in manifest.auth.iter().filter(|auth| auth.kind == AuthKind::Basic) {
            let user = auth.user_setting.as_ref().and_then(|key| filled.open.get(key)?.as_str());
            if let Some(secret) = filled.secrets.get(&auth.secret_setting) {
                secrets.push(STANDARD.encode(format!("{}:{secret}", user.unwrap_or_default())));
            }
        }
        Self::new(secrets)
    }

    pub(crate) fn new(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= SHORTEST);
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Self { secrets }
    }

    /// The words without secrets, nor with the beginning of one where they were cut.
    pub(crate) fn out(&self, words: &str) -> String {
        let mut words = words.to_owned();
        for secret in &self.secrets {
            if words.contains(secret.as_str()) {
                words = words.replace(secret.as_str(), STRUCK);
            }
            let begun = secret.char_indices().map(|(at, _)| at).rev().take_while(|at| *at >= SHORTEST);
            let cut = begun.filter_map(|at| secret.get(..at)).find(|part| words.ends_with(part));
            if let Some(part) = cut {
                words.truncate(words.len() - part.len());
                words.push_str(STRUCK);
            }
        }
        words
    }
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
