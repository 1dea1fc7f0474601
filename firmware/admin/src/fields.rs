//! What a form brings: names and values, bounded, as the browser sent them.

use axum::body::{Body, to_bytes};

/// Largest form, in bytes; settings of plugins fit in.
pub(crate) const MAX_FORM: usize = 256 * 1024;
/// Most fields in a form.
const MAX_FIELDS: usize = 1000;

/// The fields of a form.
#[derive(Clone, Default)]
pub(crate) struct Fields {
    pairs: Vec<(String, String)>,
}

/// It is too large, or was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Fields {
    /// Reads a form's body.
    pub(crate) async fn read(body: Body) -> Result<Self, Unreadable> {
        let bytes = to_bytes(body, MAX_FORM).await.map_err(|_| Unreadable)?;
        Ok(Self::of_bytes(&bytes))
    }

    /// Reads `application/x-www-form-urlencoded`; every sequence of bytes is one.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(bytes).take(MAX_FIELDS);
        Self { pairs: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() }
    }

    /// A field's value; empty when it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// A field's value, the first of several.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box is ticked.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}
