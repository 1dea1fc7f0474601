//! Who is on the telephone: the dialog-info document (RFC 4235) behind a busy lamp.
//!
//! One document is read or written; merging partial documents into a state, and checking their versions, is the
//! subscription's work.

use std::fmt::{self, Write as _};

use roxmltree::Node;

use crate::xml::{self, Unreadable, attribute, bounded, children};

/// The media type of the document.
pub const CONTENT_TYPE: &str = "application/dialog-info+xml";

/// The most dialogs read from one document; an extension has a handful.
pub const MAX_DIALOGS: usize = 64;

/// The dialogs of one entity, or what changed about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogInfo {
    /// The URI that is watched.
    pub entity: String,
    /// Grows by one with every document of a subscription; 0 if the exchange sends none.
    pub version: u32,
    /// All dialogs are listed; otherwise only those that changed.
    pub full: bool,
    /// At most [`MAX_DIALOGS`].
    pub dialogs: Vec<Dialog>,
}

/// One call of the entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// Unique within the document's entity; identifies the dialog across partial documents.
    pub id: String,
    /// Call-ID as the watched phone knows it. Missing on exchanges that hide it: no Replaces then.
    pub call_id: Option<String>,
    /// Tag of the watched phone.
    pub local_tag: Option<String>,
    /// Tag of the other end.
    pub remote_tag: Option<String>,
    /// Who called whom, if told.
    pub direction: Option<CallDirection>,
    /// How far the call has come.
    pub state: DialogState,
    /// The watched phone.
    pub local: Option<Participant>,
    /// The other end.
    pub remote: Option<Participant>,
}

/// Whether the watched phone called or was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDirection {
    /// It called.
    Initiator,
    /// It was called.
    Recipient,
}

/// The states of RFC 4235 section 3.7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogState {
    /// INVITE sent, nothing heard.
    Trying,
    /// Provisional response without a tag.
    Proceeding,
    /// Rings.
    Early,
    /// Talks.
    Confirmed,
    /// Over.
    Terminated,
}

/// One end of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Participant {
    /// URI from `identity`; empty if not told.
    pub identity: String,
    /// Name to show.
    pub display: Option<String>,
    /// Contact URI, where an INVITE with Replaces goes.
    pub target: Option<String>,
}

/// A document that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialogInfoError {
    /// Larger than 64 KiB.
    #[error("dialog-info larger than 64 KiB")]
    TooLarge,
    /// Not well-formed XML in UTF-8, or with a DTD, or with too many elements.
    #[error("dialog-info is not readable XML")]
    Xml,
    /// Another document.
    #[error("not a dialog-info document")]
    OtherDocument,
    /// `state` is neither `full` nor `partial`, or `version` is no number.
    #[error("dialog-info with illegal {0}")]
    Attribute(&'static str),
}

impl From<Unreadable> for DialogInfoError {
    fn from(why: Unreadable) -> DialogInfoError {
        match why {
            Unreadable::TooLarge => DialogInfoError::TooLarge,
            Unreadable::Xml => DialogInfoError::Xml,
        }
    }
}

impl DialogState {
    /// The word in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            DialogState::Trying => "trying",
            DialogState::Proceeding => "proceeding",
            DialogState::Early => "early",
            DialogState::Confirmed => "confirmed",
            DialogState::Terminated => "terminated",
        }
    }

    fn from_token(token: &str) -> Option<DialogState> {
        use DialogState::{Confirmed, Early, Proceeding, Terminated, Trying};
        [Trying, Proceeding, Early, Confirmed, Terminated]
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(token))
    }
}

impl DialogInfo {
    /// Reads the body of a NOTIFY. A dialog without a known state is left out; one without an id gets its position.
    ///
    /// # Errors
    /// See [`DialogInfoError`].
    pub fn parse(body: &[u8]) -> Result<DialogInfo, DialogInfoError> {
        let document = xml::document(body)?;
        let root = document.root_element();
        if root.tag_name().name() != "dialog-info" {
            return Err(DialogInfoError::OtherDocument);
        }
        let full = match root.attribute("state").map(str::trim) {
            None | Some("full") => true,
            Some("partial") => false,
            Some(_) => return Err(DialogInfoError::Attribute("state")),
        };
        let version = root.attribute("version").map_or(Ok(0), |version| version.trim().parse());
        let version = version.map_err(|_| DialogInfoError::Attribute("version"))?;
        let dialogs =
            children(root, "dialog").take(MAX_DIALOGS).enumerate().filter_map(|(at, node)| dialog(at, node));
        Ok(DialogInfo {
            entity: attribute(root, "entity").unwrap_or_default(),
            version,
            full,
            dialogs: dialogs.collect(),
        })
    }

    /// The document as a presence server would send it.
    pub fn write(&self) -> Vec<u8> {
        let mut out = String::with_capacity(256 + 512 * self.dialogs.len());
        self.write_to(&mut out).expect("writing to a String cannot fail");
        out.into_bytes()
    }

    fn write_to(&self, out: &mut String) -> fmt::Result {
        out.write_str("<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\"")?;
        let state = if self.full { "full" } else { "partial" };
        writeln!(
            out,
            " version=\"{}\" state=\"{state}\" entity=\"{}\">",
            self.version,
            Escaped(&self.entity)
        )?;
        for dialog in &self.dialogs {
            dialog.write_to(out)?;
        }
        out.write_str("</dialog-info>\n")
    }
}

impl Dialog {
    fn write_to(&self, out: &mut String) -> fmt::Result {
        write!(out, "  <dialog id=\"{}\"", Escaped(&self.id))?;
        let optional =
            [("call-id", &self.call_id), ("local-tag", &self.local_tag), ("remote-tag", &self.remote_tag)];
        for (name, value) in optional {
            if let Some(value) = value {
                write!(out, " {name}=\"{}\"", Escaped(value))?;
            }
        }
        match self.direction {
            Some(CallDirection::Initiator) => out.write_str(" direction=\"initiator\"")?,
            Some(CallDirection::Recipient) => out.write_str(" direction=\"recipient\"")?,
            None => {}
        }
        writeln!(out, ">\n    <state>{}</state>", self.state.as_str())?;
        for (name, participant) in [("local", &self.local), ("remote", &self.remote)] {
            if let Some(participant) = participant {
                write!(out, "    <{name}>")?;
                participant.write_to(out)?;
                writeln!(out, "</{name}>")?;
            }
        }
        out.write_str("  </dialog>\n")
    }
}

impl Participant {
    fn write_to(&self, out: &mut String) -> fmt::Result {
        if !self.identity.is_empty() || self.display.is_some() {
            out.write_str("<identity")?;
            if let Some(display) = &self.display {
                write!(out, " display=\"{}\"", Escaped(display))?;
            }
            write!(out, ">{}</identity>", Escaped(&self.identity))?;
        }
        match &self.target {
            Some(target) => write!(out, "<target uri=\"{}\"/>", Escaped(target)),
            None => Ok(()),
        }
    }
}

/// Text for XML; characters XML cannot carry become U+FFFD.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\r' => write!(f, "&#{};", u32::from(c))?,
                '\0'..' ' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn dialog(at: usize, node: Node<'_, '_>) -> Option<Dialog> {
    let state = DialogState::from_token(children(node, "state").next()?.text()?.trim())?;
    let direction = node.attribute("direction").and_then(|direction| match direction.trim() {
        "initiator" => Some(CallDirection::Initiator),
        "recipient" => Some(CallDirection::Recipient),
        _ => None,
    });
    Some(Dialog {
        id: attribute(node, "id").unwrap_or_else(|| format!("#{at}")),
        call_id: attribute(node, "call-id"),
        local_tag: attribute(node, "local-tag"),
        remote_tag: attribute(node, "remote-tag"),
        direction,
        state,
        local: children(node, "local").next().map(participant),
        remote: children(node, "remote").next().map(participant),
    })
}

fn participant(node: Node<'_, '_>) -> Participant {
    let identity = children(node, "identity").next();
    Participant {
        identity: identity.and_then(|i| i.text()).and_then(bounded).unwrap_or_default(),
        display: identity.and_then(|i| attribute(i, "display")),
        target: children(node, "target").next().and_then(|target| attribute(target, "uri")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::xml::{MAX_SIZE, MAX_TEXT};

    #[test]
    fn an_exchange_that_tells_everything() {
        let body = br#"<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="12" state="partial" entity="sip:23@pbx.example">
  <dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" remote-tag="456887766" direction="recipient">
    <state event="x"> early </state><duration>5</duration>
    <local><identity display="Workshop &amp; Store">sip:23@pbx.example</identity><target uri="sip:23@192.0.2.9:5062"><param pname="a" pval="b"/></target></local>
    <remote><identity>sip:+49301234@pbx.example</identity></remote>
  </dialog>
</dialog-info>"#;
        let info = DialogInfo::parse(body).unwrap();
        assert_eq!(
            (info.entity.as_str(), info.version, info.full, info.dialogs.len()),
            ("sip:23@pbx.example", 12, false, 1)
        );
        let dialog = &info.dialogs[0];
        assert_eq!((dialog.state, dialog.direction), (DialogState::Early, Some(CallDirection::Recipient)));
        assert_eq!(dialog.call_id.as_deref(), Some("a84b4c76e66710"));
        assert_eq!(
            (dialog.local_tag.as_deref(), dialog.remote_tag.as_deref()),
            (Some("1928301774"), Some("456887766"))
        );
        let local = dialog.local.as_ref().unwrap();
        assert_eq!(local.display.as_deref(), Some("Workshop & Store"));
        assert_eq!(local.target.as_deref(), Some("sip:23@192.0.2.9:5062"));
        assert_eq!(dialog.remote.as_ref().unwrap().identity, "sip:+49301234@pbx.example");
        assert_eq!(DialogInfo::parse(&info.write()), Ok(info));
    }

    #[test]
    fn an_exchange_that_tells_little_and_without_namespace() {
        let body = b"\xef\xbb\xbf<dialog-info state=\"full\" entity=\"sip:23@pbx\"><dialog><state>confirmed</state></dialog></dialog-info>";
        let info = DialogInfo::parse(body).unwrap();
        assert_eq!((info.version, info.full), (0, true));
        let dialog = &info.dialogs[0];
        assert_eq!((dialog.id.as_str(), dialog.state), ("#0", DialogState::Confirmed));
        assert_eq!((&dialog.call_id, &dialog.local_tag, &dialog.local), (&None, &None, &None));
    }

    #[test]
    fn an_idle_phone_and_dialogs_without_a_state() {
        let body = b"<d:dialog-info xmlns:d=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" state=\"full\" entity=\"sip:23@pbx\">\
            <d:dialog id=\"1\"/><d:dialog id=\"2\"><d:state>dreaming</d:state></d:dialog></d:dialog-info>";
        assert_eq!(DialogInfo::parse(body).unwrap().dialogs, []);
    }

    #[test]
    fn what_is_not_read() {
        assert_eq!(DialogInfo::parse(b""), Err(DialogInfoError::Xml));
        assert_eq!(DialogInfo::parse(b"<dialog-info>"), Err(DialogInfoError::Xml));
        assert_eq!(DialogInfo::parse(b"<presence/>"), Err(DialogInfoError::OtherDocument));
        assert_eq!(
            DialogInfo::parse(b"<dialog-info state=\"half\"/>"),
            Err(DialogInfoError::Attribute("state"))
        );
        assert_eq!(
            DialogInfo::parse(b"<dialog-info version=\"-1\"/>"),
            Err(DialogInfoError::Attribute("version"))
        );
        assert_eq!(DialogInfo::parse(&vec![b' '; MAX_SIZE + 1]), Err(DialogInfoError::TooLarge));
        assert_eq!(
            DialogInfo::parse(b"<!DOCTYPE x [<!ENTITY a \"b\">]><dialog-info/>"),
            Err(DialogInfoError::Xml)
        );
    }

    #[test]
    fn dialogs_and_texts_are_bounded() {
        let one = format!("<dialog id=\"{}\"><state>early</state></dialog>", "x".repeat(600));
        let info =
            DialogInfo::parse(format!("<dialog-info>{}</dialog-info>", one.repeat(90)).as_bytes()).unwrap();
        assert_eq!((info.dialogs.len(), info.dialogs[0].id.len()), (MAX_DIALOGS, MAX_TEXT));
        let spaced = one.replace(&"x".repeat(600), &format!("{}  y", "x".repeat(MAX_TEXT - 1)));
        let info = DialogInfo::parse(format!("<dialog-info>{spaced}</dialog-info>").as_bytes()).unwrap();
        assert_eq!(info.dialogs[0].id.len(), MAX_TEXT - 1);
        assert_eq!(DialogInfo::parse(&info.write()), Ok(info));
    }

    #[test]
    fn what_is_written_escapes_everything() {
        let participant = Participant {
            identity: "sip:a&b@<c>".to_owned(),
            display: Some("\"Q\" \u{1} ]]>".to_owned()),
            target: Some("sip:a@b?x=1&y='2'".to_owned()),
        };
        let dialog = Dialog {
            id: "a\"b".to_owned(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: Some(CallDirection::Initiator),
            state: DialogState::Trying,
            local: None,
            remote: Some(participant),
        };
        let info =
            DialogInfo { entity: "sip:<>".to_owned(), version: 7, full: true, dialogs: vec![dialog.clone()] };
        let read = DialogInfo::parse(&info.write()).unwrap();
        assert_eq!(read.dialogs[0].id, dialog.id);
        let remote = read.dialogs[0].remote.as_ref().unwrap();
        assert_eq!(remote.identity, "sip:a&b@<c>");
        assert_eq!(remote.display.as_deref(), Some("\"Q\" \u{fffd} ]]>"));
        assert_eq!(remote.target, dialog.remote.unwrap().target);
    }
}
