//! People of sources that are asked while somebody types, and never copied (DIR-7).

use serde::{Deserialize, Serialize};

/// Somebody who was found, the answer to [`crate::Query::People`]. All of it comes from outside and may say anything;
/// each text is one line without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPerson {
    /// Name of the connector that found them.
    pub source: String,
    /// Never empty.
    pub name: String,
    /// Company, department and title, as far as there are any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Kind, as in [`crate::PluginContact::phones`], and number as the source has it; the best first, at most 8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<(String, String)>,
}
