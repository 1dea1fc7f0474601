//! What is read of a server's stanzas: presence, answers and the roster; everything else is passed over.
//!
//! Reads event by event and builds no tree, so that a stanza full of what nobody asked for costs nothing
//! but its bytes. RFC 6120 (streams), RFC 6121 (roster and presence).

use tokio_xmpp::parsers::ns;
use xso::{
    Context, FromEventsBuilder, FromXml,
    error::{Error, FromEventsError},
    exports::rxml::{AttrMap, Event, Namespace, QName},
};

/// Bytes kept of any one text.
const MAX_TEXT: usize = 4096;
/// Members of a roster that are looked at: twice the people a desk watches at most.
const MAX_MEMBERS: usize = 4096;

/// A stanza, or what ends a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Presence(Presence),
    Iq(Iq),
    /// The server ends the stream; its condition, as in `conflict` (RFC 6120 section 4.9.3).
    StreamError(String),
    /// A message, or what nobody knows.
    Other,
}

/// RFC 6121 section 4.7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Presence {
    pub(super) from: String,
    /// The `type`: empty for available.
    pub(super) kind: String,
    pub(super) show: String,
    /// The first of its languages.
    pub(super) status: String,
    pub(super) priority: i8,
}

/// RFC 6120 section 8.2.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Iq {
    pub(super) from: Option<String>,
    pub(super) id: String,
    /// `get`, `set`, `result` or `error`.
    pub(super) kind: String,
    /// Namespace of the first child, which says what it is about.
    pub(super) about: String,
    /// The roster's members, where it is about that.
    pub(super) members: Vec<Member>,
}

/// A line of the roster (RFC 6121 section 2.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) address: String,
    /// We are told their presence.
    pub(super) subscribed: bool,
    /// They were asked and have not answered yet.
    pub(super) asked: bool,
}

impl FromXml for Incoming {
    type Builder = Reader;

    fn from_events(
        (namespace, name): QName,
        attributes: AttrMap,
        _: &Context<'_>,
    ) -> Result<Reader, FromEventsError> {
        let attribute = |name| attribute(&attributes, name);
        let incoming = match (namespace.as_str(), name.as_str()) {
            (ns::JABBER_CLIENT, "presence") => Self::Presence(Presence {
                from: attribute("from").unwrap_or_default(),
                kind: attribute("type").unwrap_or_default(),
                ..Presence::default()
            }),
            (ns::JABBER_CLIENT, "iq") => Self::Iq(Iq {
                from: attribute("from"),
                id: attribute("id").unwrap_or_default(),
                kind: attribute("type").unwrap_or_default(),
                ..Iq::default()
            }),
            (ns::STREAM, "error") => Self::StreamError(String::new()),
            _ => Self::Other,
        };
        Ok(Reader { incoming, depth: 0, child: None, text: String::new() })
    }
}

fn attribute(attributes: &AttrMap, name: &str) -> Option<String> {
    attributes.get(&Namespace::NONE, name).cloned()
}

/// Puts an [`Incoming`] together.
pub(super) struct Reader {
    incoming: Incoming,
    /// Elements open below the stanza.
    depth: usize,
    /// The child of a presence whose text is being read.
    child: Option<Child>,
    text: String,
}

#[derive(Clone, Copy)]
enum Child {
    Show,
    Status,
    Priority,
}

impl FromEventsBuilder for Reader {
    type Output = Incoming;

    fn feed(&mut self, event: Event, _: &Context<'_>) -> Result<Option<Incoming>, Error> {
        match event {
            Event::XmlDeclaration(..) => {}
            Event::StartElement(_, (namespace, name), attributes) => {
                self.depth += 1;
                self.opened(namespace.as_str(), name.as_str(), &attributes);
            }
            Event::Text(_, text) => {
                if self.child.is_some() && self.depth == 1 && self.text.len() + text.len() <= MAX_TEXT {
                    self.text.push_str(&text);
                }
            }
            Event::EndElement(_) if self.depth == 0 => {
                return Ok(Some(std::mem::replace(&mut self.incoming, Incoming::Other)));
            }
            Event::EndElement(_) => {
                if self.depth == 1 {
                    self.closed();
                }
                self.depth -= 1;
            }
        }
        Ok(None)
    }
}

impl Reader {
    fn opened(&mut self, namespace: &str, name: &str, attributes: &AttrMap) {
        match (&mut self.incoming, self.depth) {
            (Incoming::Presence(_), 1) if namespace == ns::JABBER_CLIENT => {
                self.child = match name {
                    "show" => Some(Child::Show),
                    "status" => Some(Child::Status),
                    "priority" => Some(Child::Priority),
                    _ => None,
                };
            }
            (Incoming::Iq(iq), 1) if iq.about.is_empty() => namespace.clone_into(&mut iq.about),
            (Incoming::Iq(iq), 2)
                if namespace == ns::ROSTER && name == "item" && iq.members.len() < MAX_MEMBERS =>
            {
                let attribute = |name| attribute(attributes, name);
                iq.members.push(Member {
                    address: attribute("jid").unwrap_or_default(),
                    subscribed: matches!(attribute("subscription").as_deref(), Some("to" | "both")),
                    asked: attribute("ask").as_deref() == Some("subscribe"),
                });
            }
            (Incoming::StreamError(condition), 1) if condition.is_empty() => {
                name.clone_into(condition);
            }
            _ => {}
        }
    }

    fn closed(&mut self) {
        let text = std::mem::take(&mut self.text);
        let (Incoming::Presence(presence), Some(child)) = (&mut self.incoming, self.child.take()) else {
            return;
        };
        match child {
            Child::Show => text.trim().clone_into(&mut presence.show),
            Child::Status if presence.status.is_empty() => presence.status = text,
            Child::Status => {}
            // RFC 6121 section 4.7.2.3: -128 to 127; what is none counts as not given.
            Child::Priority => presence.priority = text.trim().parse().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Incoming {
        xso::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_presence_is_read_and_what_else_is_in_it_passed_over() {
        let read = read(
            "<presence xmlns='jabber:client' from='a@b.example/desk' to='c@b.example' id='1'>\
             <x xmlns='vcard-temp:x:update'><photo><show>chat</show></photo></x>\
             <show> away </show><status xml:lang='en'>At &lt;lunch&gt;</status>\
             <status xml:lang='fr'>À table</status><priority>-5</priority><status xmlns='other'>no</status>\
             </presence>",
        );
        let presence = Presence {
            from: "a@b.example/desk".into(),
            kind: String::new(),
            show: "away".into(),
            status: "At <lunch>".into(),
            priority: -5,
        };
        assert_eq!(read, Incoming::Presence(presence));
    }

    #[test]
    fn a_roster_is_read() {
        let read = read(
            "<iq xmlns='jabber:client' id='roster' type='result'><query xmlns='jabber:iq:roster'>\
             <item jid='a@b.example' subscription='both'><group>House</group></item>\
             <item jid='b@b.example' subscription='none' ask='subscribe'/><item/></query></iq>",
        );
        let Incoming::Iq(iq) = read else { panic!("{read:?}") };
        assert_eq!((iq.kind.as_str(), iq.id.as_str(), iq.about.as_str()), ("result", "roster", ns::ROSTER));
        let members: Vec<_> =
            iq.members.iter().map(|m| (m.address.as_str(), m.subscribed, m.asked)).collect();
        assert_eq!(members, [("a@b.example", true, false), ("b@b.example", false, true), ("", false, false)]);
    }

    #[test]
    fn the_end_of_a_stream_says_why_and_the_rest_is_nothing() {
        let error =
            "<error xmlns='http://etherx.jabber.org/streams'><conflict xmlns='x'/><text>hm</text></error>";
        assert_eq!(read(error), Incoming::StreamError("conflict".into()));
        assert_eq!(read("<message xmlns='jabber:client'><body>Hello</body></message>"), Incoming::Other);
        assert_eq!(read("<presence xmlns='other'/>"), Incoming::Other);
    }

    #[test]
    fn values_that_are_none_and_texts_without_end_do_no_harm() {
        let long = "ä".repeat(MAX_TEXT);
        let text = format!(
            "<presence xmlns='jabber:client'><priority>9999</priority><status>{long}</status></presence>"
        );
        let Incoming::Presence(presence) = read(&text) else { panic!() };
        assert_eq!(presence.priority, 0);
        assert!(presence.status.len() <= MAX_TEXT);
        let roster = format!(
            "<iq xmlns='jabber:client'><query xmlns='jabber:iq:roster'>{}</query></iq>",
            "<item/>".repeat(MAX_MEMBERS + 1)
        );
        let Incoming::Iq(iq) = read(&roster) else { panic!() };
        assert_eq!(iq.members.len(), MAX_MEMBERS);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(
            at in 0..400_usize,
            bytes in prop::collection::vec(any::<u8>(), 0..6),
            cut in 0..400_usize,
        ) {
            let mut text = br#"<presence xmlns='jabber:client' from='a@b.example/desk' type='x'><show>away</show>
                <status xml:lang='en'>At &lt;lunch&gt;</status><priority>-5</priority><x xmlns='y'><z/></x>
                </presence>"#.to_vec();
            let at = at.min(text.len());
            text.splice(at..at, bytes);
            text.truncate(text.len().saturating_sub(cut / 4));
            if let Ok(Incoming::Presence(presence)) = xso::from_bytes(&text) {
                prop_assert!(presence.status.len() <= MAX_TEXT && presence.show.len() <= MAX_TEXT);
            }
        }
    }
}
