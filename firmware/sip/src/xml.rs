//! Reading the XML that exchanges send, whatever is in it: no DTD, and so no entities to expand; bounded in size,
//! nodes, attributes and texts. Namespaces are not checked, as exchanges get them wrong.

use roxmltree::{Document, Node, ParsingOptions};

/// The largest document read, in bytes.
pub(crate) const MAX_SIZE: usize = 64 * 1024;

/// The most XML nodes in one document.
const MAX_NODES: u32 = 8_192;

/// The most attributes of one tag; equals signs in the text behind it count too.
const MAX_ATTRIBUTES: usize = 128;

/// The longest text kept from one element or attribute, in characters.
pub(crate) const MAX_TEXT: usize = 512;

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Larger than [`MAX_SIZE`].
    TooLarge,
    /// Not well-formed, not UTF-8, with a DTD, or with too much in it.
    Xml,
}

/// Reads a body.
pub(crate) fn document(body: &[u8]) -> Result<Document<'_>, Unreadable> {
    if body.len() > MAX_SIZE {
        return Err(Unreadable::TooLarge);
    }
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::Xml)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if too_many_attributes(text) {
        return Err(Unreadable::Xml);
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|_| Unreadable::Xml)
}

/// The elements called `name` right below `node`, whatever their namespace.
pub(crate) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// An attribute with something in it.
pub(crate) fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).and_then(bounded)
}

/// A text with something in it, as far as it is kept.
pub(crate) fn bounded(text: &str) -> Option<String> {
    let mut text: String = text.trim().chars().take(MAX_TEXT).collect();
    // The cut may be in front of a space: what is written is read alike.
    text.truncate(text.trim_end().len());
    (!text.is_empty()).then_some(text)
}

/// Whether one tag has more than [`MAX_ATTRIBUTES`]; the reader beneath us compares them all with each other.
fn too_many_attributes(text: &str) -> bool {
    text.split('<').any(|tag| tag.bytes().filter(|&b| b == b'=').count() > MAX_ATTRIBUTES)
}
