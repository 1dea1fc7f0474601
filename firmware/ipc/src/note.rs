//! The operator's note (NOTE-1).

use serde::{Deserialize, Serialize};

/// Longest note, in bytes of UTF-8.
pub const MAX_NOTE: usize = 64 * 1024;

/// The note, the answer to [`crate::Query::Note`] and to the commands that change it. Bold is written `**so**`, italic
/// `*so*` and underlined `__so__`; everything else means itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// As it was saved last; empty before.
    pub saved: String,
    /// When that was, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_ms: Option<i64>,
    /// What has been written since and is not saved; it survives a power cut all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
}
