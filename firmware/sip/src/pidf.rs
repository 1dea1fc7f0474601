//! Whether a person is there: the PIDF document (RFC 3863) with the activities and notes of RPID (RFC 4480).
//!
//! A person is there when any of their devices says `open`. What they do is the strongest of the activities they
//! tell. Do Not Disturb has no word in RPID; it is read from what is in use: an activity `dnd` (Cisco) or
//! `do-not-disturb`, a `digium_presence` of type `dnd` (Asterisk), or a note that says no more than `DND` or
//! `Do not disturb` (FreeSWITCH and others).

use roxmltree::Node;

use crate::xml::{self, Unreadable, attribute, bounded, children};

/// The media type of the document.
pub const CONTENT_TYPE: &str = "application/pidf+xml";

/// Devices read of one document; a person has a handful.
const MAX_TUPLES: usize = 32;

/// Words with which a note says Do Not Disturb and nothing else, in lower case letters only.
const DND_NOTES: [&str; 4] = ["dnd", "donotdisturb", "nepasderanger", "bittenichtstoren"];

/// Activities of somebody who is not at their place (RFC 4480 section 3.2).
const AWAY: [&str; 14] = [
    "away",
    "breakfast",
    "dinner",
    "holiday",
    "in-transit",
    "lunch",
    "meal",
    "permanent-absence",
    "shopping",
    "sleeping",
    "steering",
    "travel",
    "vacation",
    "worship",
];

/// Activities of somebody who is there and should not be called.
const BUSY: [&str; 5] = ["appointment", "busy", "meeting", "performance", "presentation"];

/// Activities that say Do Not Disturb.
const DND: [&str; 2] = ["dnd", "do-not-disturb"];

/// What a document says of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Whose; empty if not told.
    pub entity: String,
    /// Whether any device is open to communication; `None` where none says so.
    pub open: Option<bool>,
    /// What they do.
    pub activity: Activity,
    /// What they say about it, without line breaks; empty if nothing.
    pub text: String,
}

/// What a person does, the stronger the later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Nothing that keeps them from talking, as far as is told.
    #[default]
    Free,
    /// Busy otherwise.
    Busy,
    /// Not at their place.
    Away,
    /// Wants no calls.
    DoNotDisturb,
}

/// A document that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PidfError {
    /// Larger than 64 KiB.
    #[error("presence larger than 64 KiB")]
    TooLarge,
    /// Not well-formed XML in UTF-8, or with a DTD, or with too many elements.
    #[error("presence is not readable XML")]
    Xml,
    /// Another document.
    #[error("not a presence document")]
    OtherDocument,
}

impl From<Unreadable> for PidfError {
    fn from(why: Unreadable) -> PidfError {
        match why {
            Unreadable::TooLarge => PidfError::TooLarge,
            Unreadable::Xml => PidfError::Xml,
        }
    }
}

impl Presence {
    /// Reads the body of a NOTIFY. A device without a known status is left out.
    ///
    /// # Errors
    /// See [`PidfError`].
    pub fn parse(body: &[u8]) -> Result<Presence, PidfError> {
        let document = xml::document(body)?;
        let root = document.root_element();
        if root.tag_name().name() != "presence" {
            return Err(PidfError::OtherDocument);
        }
        let tuples = || children(root, "tuple").take(MAX_TUPLES);
        let people = || children(root, "person").take(MAX_TUPLES);
        let states = tuples().flat_map(|tuple| children(tuple, "status")).filter_map(basic);
        let open = states.reduce(|any, open| any || open);
        // Older documents have them in the status, of a device or of the person.
        let whole = || people().chain(tuples());
        let places = || whole().chain(whole().flat_map(|place| children(place, "status")));
        let activities = || places().flat_map(|place| children(place, "activities"));
        let mut activity = activities().map(strongest).max().unwrap_or_default();
        let notes = people().chain(activities()).chain([root]).chain(tuples());
        let text = notes.flat_map(|place| children(place, "note")).find_map(note).unwrap_or_default();
        activity = activity.max(places().filter_map(digium).max().unwrap_or_default());
        if says_dnd(&text) {
            activity = Activity::DoNotDisturb;
        }
        Ok(Presence { entity: attribute(root, "entity").unwrap_or_default(), open, activity, text })
    }
}

fn basic(status: Node<'_, '_>) -> Option<bool> {
    match children(status, "basic").next()?.text()?.trim().to_ascii_lowercase().as_str() {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    }
}

fn strongest(activities: Node<'_, '_>) -> Activity {
    let told = activities.children().filter(Node::is_element).map(|activity| {
        let name = activity.tag_name().name().to_ascii_lowercase();
        let is = |words: &[&str]| words.contains(&name.as_str());
        match () {
            () if is(&DND) => Activity::DoNotDisturb,
            () if is(&AWAY) => Activity::Away,
            () if is(&BUSY) => Activity::Busy,
            () => Activity::Free,
        }
    });
    told.max().unwrap_or_default()
}

/// What Asterisk tells the phones of its maker.
fn digium(place: Node<'_, '_>) -> Option<Activity> {
    match children(place, "digium_presence").next()?.attribute("type")? {
        "dnd" => Some(Activity::DoNotDisturb),
        "away" | "xa" => Some(Activity::Away),
        _ => None,
    }
}

/// A note in one line.
fn note(node: Node<'_, '_>) -> Option<String> {
    let one_line = node.text()?.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = one_line.filter(|word| !word.is_empty()).collect();
    bounded(&words.join(" "))
}

fn says_dnd(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    DND_NOTES.contains(&letters.replace(['é', 'è'], "e").replace('ö', "o").as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(inside: &str) -> Presence {
        let body = format!(
            "<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf' \
             xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' \
             entity='sip:ingrid@pbx.example'>{inside}</presence>"
        );
        Presence::parse(body.as_bytes()).unwrap()
    }

    fn tuple(basic: &str) -> String {
        format!("<tuple id='a'><status><basic>{basic}</basic></status></tuple>")
    }

    #[test]
    fn pre_5_a_person_is_there_when_any_device_is() {
        assert_eq!(read("").open, None);
        assert_eq!(read(&tuple("closed")).open, Some(false));
        assert_eq!(read(&tuple(" Open ")).open, Some(true));
        assert_eq!(read(&(tuple("closed") + &tuple("open") + &tuple("closed"))).open, Some(true));
        assert_eq!(read(&tuple("ajar")).open, None);
        assert_eq!(read("").entity, "sip:ingrid@pbx.example");
    }

    #[test]
    fn pre_5_the_strongest_activity_counts_wherever_it_stands() {
        let person = |what: &str| {
            let inside = format!("<dm:person id='p'><rpid:activities>{what}</rpid:activities></dm:person>");
            read(&(tuple("open") + &inside)).activity
        };
        assert_eq!(person("<rpid:on-the-phone/>"), Activity::Free);
        assert_eq!(person("<rpid:busy/>"), Activity::Busy);
        assert_eq!(person("<rpid:meeting/><rpid:away/>"), Activity::Away);
        assert_eq!(person("<ce:dnd xmlns:ce='urn:cisco:params:xml:ns:pidf:rpid'/>"), Activity::DoNotDisturb);
        assert_eq!(person("<rpid:other>gardening</rpid:other>"), Activity::Free);
        let old = "<tuple id='a'><status><basic>open</basic><e:activities xmlns:e='x'><e:away/></e:activities>\
                   </status></tuple>";
        assert_eq!(read(old).activity, Activity::Away);
    }

    #[test]
    fn pre_5_what_somebody_says_of_themselves_comes_before_what_their_device_says() {
        let device = "<tuple id='a'><status><basic>open</basic></status><note>Desk</note></tuple>";
        assert_eq!(read(device).text, "Desk");
        assert_eq!(read(&format!("{device}<note>  On the\n train </note>")).text, "On the train");
        let person = "<dm:person id='p'><dm:note>Back at 3</dm:note></dm:person>";
        assert_eq!(read(&format!("{device}<note>x</note>{person}")).text, "Back at 3");
        let activity = "<dm:person id='p'><rpid:activities><rpid:note>Lunch</rpid:note><rpid:meal/>\
                        </rpid:activities></dm:person>";
        assert_eq!((read(activity).text.as_str(), read(activity).activity), ("Lunch", Activity::Away));
    }

    #[test]
    fn pre_1_do_not_disturb_is_read_from_the_words_in_use() {
        for note in ["DND", "Do Not Disturb", "do-not-disturb!", "Ne pas déranger", "Bitte nicht stören"] {
            let inside = format!("{}<note>{note}</note>", tuple("open"));
            assert_eq!(read(&inside).activity, Activity::DoNotDisturb, "{note}");
        }
        assert_eq!(read("<note>Do not disturb the dog</note>").activity, Activity::Free);
        let asterisk = "<tuple id='d'><status><digium_presence type='dnd' subtype=''/></status></tuple>";
        assert_eq!(read(asterisk).activity, Activity::DoNotDisturb);
        let older = "<pp:person xmlns:pp='p'><status><ep:activities xmlns:ep='e'><ep:away/></ep:activities></status>\
                     </pp:person><note>Ready</note>";
        assert_eq!((read(older).activity, read(older).text.as_str()), (Activity::Away, "Ready"));
    }

    #[test]
    fn what_is_not_read() {
        assert_eq!(Presence::parse(b""), Err(PidfError::Xml));
        assert_eq!(Presence::parse(b"<presence>"), Err(PidfError::Xml));
        assert_eq!(Presence::parse(b"<dialog-info/>"), Err(PidfError::OtherDocument));
        assert_eq!(Presence::parse(&vec![b' '; xml::MAX_SIZE + 1]), Err(PidfError::TooLarge));
        let bomb = b"<!DOCTYPE p [<!ENTITY a 'aaaa'>]><presence>&a;</presence>";
        assert_eq!(Presence::parse(bomb), Err(PidfError::Xml));
        let wide = format!("<presence {}/>", (0..500).map(|n| format!("a{n}='' ")).collect::<String>());
        assert_eq!(Presence::parse(wide.as_bytes()), Err(PidfError::Xml));
        let deep = "<a>".repeat(9000) + &"</a>".repeat(9000);
        assert!(Presence::parse(format!("<presence>{deep}</presence>").as_bytes()).is_err());
    }

    #[test]
    fn texts_are_bounded() {
        let long = read(&format!("<note>{}</note>", "x".repeat(5000)));
        assert_eq!(long.text.len(), xml::MAX_TEXT);
    }
}
