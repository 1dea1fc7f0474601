//! The Replaces header (RFC 3891): the dialog an INVITE takes over, on its own and inside a Refer-To.
//!
//! Read strictly, unlike most of what comes in: whoever names a dialog wants somebody's call, and a value that can be
//! read in two ways must not get it. Not done here: finding the dialog, and who may replace it.

use std::fmt;

use crate::dialog_info::{self, DialogState};
use crate::error::SyntaxError;
use crate::params::is_token;
use crate::uri::{Uri, unescape};

/// The longest value read, in bytes; a real one has about a hundred.
const MAX_LEN: usize = 1024;

/// The tag that stands for "none" (RFC 3891 section 6.1: peers of RFC 2543 have no tags).
const NO_TAG: &str = "0";

/// The dialog an INVITE is to take over (RFC 3891 section 6.1), as the receiver of that INVITE sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Call-ID of that dialog.
    pub call_id: String,
    /// Tag the receiver of the INVITE knows as its own.
    pub to_tag: String,
    /// Tag the receiver of the INVITE knows as its peer's; `0` where the peer has none.
    pub from_tag: String,
    /// Take it over only while it still rings.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value of a Replaces header.
    ///
    /// # Errors
    /// Longer than 1024 bytes, a Call-ID that is none, and a tag that is missing, doubled or no token.
    pub fn parse(text: &str) -> Result<Replaces, SyntaxError> {
        if text.len() > MAX_LEN {
            return Err(SyntaxError::Replaces("longer than 1024 bytes"));
        }
        let mut parts = text.split(';').map(str::trim_ascii);
        let call_id = parts.next().unwrap_or_default();
        if call_id.is_empty() || !call_id.bytes().all(is_call_id) {
            return Err(SyntaxError::Replaces("no Call-ID"));
        }
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim_ascii(), Some(value.trim_ascii())),
                None => (part, None),
            };
            if name.eq_ignore_ascii_case("to-tag") {
                set_once(&mut to_tag, value)?;
            } else if name.eq_ignore_ascii_case("from-tag") {
                set_once(&mut from_tag, value)?;
            } else if name.eq_ignore_ascii_case("early-only") {
                if early_only || value.is_some() {
                    return Err(SyntaxError::Replaces("early-only twice or with a value"));
                }
                early_only = true;
            }
            // Any other parameter is a generic one, which means nothing to us.
        }
        let missing = || SyntaxError::Replaces("a tag is missing");
        Ok(Replaces {
            call_id: call_id.to_owned(),
            to_tag: to_tag.ok_or_else(missing)?,
            from_tag: from_tag.ok_or_else(missing)?,
            early_only,
        })
    }

    /// The Replaces among the header fields behind the `?` of a Refer-To; `None` for a blind transfer.
    ///
    /// # Errors
    /// As [`Replaces::parse`]; besides, more than one, or an escape that is none.
    pub fn of_refer_to(uri: &Uri) -> Result<Option<Replaces>, SyntaxError> {
        let mut fields =
            uri.headers.iter().filter(|(name, _)| unescape(name).eq_ignore_ascii_case("Replaces"));
        let Some((_, value)) = fields.next() else { return Ok(None) };
        if fields.next().is_some() {
            return Err(SyntaxError::Replaces("more than one"));
        }
        // A Call-ID may have a percent sign, so a broken escape would pass for a part of it.
        if !escapes_are_whole(value) {
            return Err(SyntaxError::Replaces("illegal escape"));
        }
        Replaces::parse(&unescape(value)).map(Some)
    }

    /// The dialog of a lamp, to be picked up: as the watched phone sees it, for an INVITE to that phone or to an
    /// exchange that speaks for it. A call that is not talking yet is only taken while it still rings. `None` where
    /// the exchange hides the identifiers; then only its feature code is left.
    ///
    /// A telephone that keeps to RFC 3891 section 3 refuses this for a call that rings on it (481), because only the
    /// caller's end may give that away: for an INVITE to the caller see [`Replaces::reversed`].
    pub fn of_lamp(dialog: &dialog_info::Dialog) -> Option<Replaces> {
        let replaces = Replaces {
            call_id: dialog.call_id.clone()?,
            to_tag: dialog.local_tag.clone()?,
            from_tag: dialog.remote_tag.clone().unwrap_or_else(|| NO_TAG.to_owned()),
            early_only: dialog.state != DialogState::Confirmed,
        };
        replaces.is_sound().then_some(replaces)
    }

    /// The same dialog as its other end sees it.
    #[must_use]
    pub fn reversed(self) -> Replaces {
        Replaces { to_tag: self.from_tag, from_tag: self.to_tag, ..self }
    }

    /// Whether it can be written so that it is read as what it is.
    pub(crate) fn is_sound(&self) -> bool {
        Replaces::parse(&self.to_string()).as_ref() == Ok(self)
    }

    /// Whether `from_tag` means a peer's tag as it was on the wire; an empty one is none.
    pub(crate) fn is_from(&self, remote_tag: &str) -> bool {
        self.from_tag == remote_tag || self.from_tag == NO_TAG && remote_tag.is_empty()
    }

    /// What the peer of a dialog would call it: its own tag is the one we know as remote.
    pub(crate) fn as_seen_by_peer(call_id: &str, local_tag: &str, remote_tag: &str) -> Replaces {
        let remote_tag = if remote_tag.is_empty() { NO_TAG } else { remote_tag };
        Replaces {
            call_id: call_id.to_owned(),
            to_tag: remote_tag.to_owned(),
            from_tag: local_tag.to_owned(),
            early_only: false,
        }
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        if self.early_only { f.write_str(";early-only") } else { Ok(()) }
    }
}

fn set_once(tag: &mut Option<String>, value: Option<&str>) -> Result<(), SyntaxError> {
    let value = value.filter(|value| !value.is_empty() && value.bytes().all(is_token));
    let value = value.ok_or(SyntaxError::Replaces("a tag that is no token"))?;
    if tag.is_some() {
        return Err(SyntaxError::Replaces("a tag twice"));
    }
    *tag = Some(value.to_owned());
    Ok(())
}

fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|behind| {
        let mut digits = behind.bytes();
        let mut digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        digit() && digit()
    })
}

/// `word` of RFC 3261 section 25.1, and the `@` between two of them.
fn is_call_id(byte: u8) -> bool {
    is_token(byte)
        || matches!(byte, b'(' | b')' | b'<' | b'>' | b':' | b'\\' | b'"')
        || matches!(byte, b'/' | b'[' | b']' | b'?' | b'{' | b'}' | b'@')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn replaces(early_only: bool) -> Replaces {
        Replaces { call_id: "a%b@pbx".into(), to_tag: "7743".into(), from_tag: "6472".into(), early_only }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for early_only in [false, true] {
            assert_eq!(Replaces::parse(&replaces(early_only).to_string()), Ok(replaces(early_only)));
        }
        // RFC 3891 section 6.1, with more space than anybody needs and an extension.
        let text = " 98732@sip.example.com ; from-tag = r33th4x0r;X=\"1\" ;TO-TAG=ff87ff ";
        let read = Replaces::parse(text).unwrap();
        assert_eq!((read.call_id.as_str(), read.to_tag.as_str()), ("98732@sip.example.com", "ff87ff"));
        assert_eq!((read.from_tag.as_str(), read.early_only), ("r33th4x0r", false));
        assert_eq!(read.clone().reversed().to_tag, read.from_tag);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "",
            ";to-tag=1;from-tag=2",
            "a;to-tag=1",
            "a;from-tag=2",
            "a;to-tag=1;from-tag=2;to-tag=3",
            "a;to-tag=1;from-tag=2;From-Tag=2",
            "a;to-tag=;from-tag=2",
            "a;to-tag;from-tag=2",
            "a;to-tag=\"1\";from-tag=2",
            "a;to-tag=1 2;from-tag=2",
            "a b;to-tag=1;from-tag=2",
            "a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2",
            "a;to-tag=1;from-tag=2;early-only=no",
            "a;to-tag=1;from-tag=2;early-only;early-only",
            "\u{e4};to-tag=1;from-tag=2",
        ] {
            assert!(Replaces::parse(text).is_err(), "{text:?}");
        }
        assert!(Replaces::parse(&format!("{};to-tag=1;from-tag=2", "x".repeat(MAX_LEN))).is_err());
    }

    #[test]
    fn a_refer_to_carries_it_escaped() {
        let mut uri = Uri::parse("sip:2110@192.0.2.9").unwrap();
        assert_eq!(Replaces::of_refer_to(&uri), Ok(None));
        uri.headers.push(("Replaces".into(), crate::uri::escape_header(&replaces(false).to_string())));
        let text = uri.to_string();
        assert_eq!(text, "sip:2110@192.0.2.9?Replaces=a%25b%40pbx%3Bto-tag%3D7743%3Bfrom-tag%3D6472");
        let read = Uri::parse(&text).unwrap();
        assert_eq!(Replaces::of_refer_to(&read), Ok(Some(replaces(false))));
    }

    #[test]
    fn a_refer_to_with_rubbish_behind_it_is_refused() {
        let fine = "a%3Bto-tag%3D1%3Bfrom-tag%3D2";
        for fields in [
            format!("Replaces={fine}&Replaces={fine}"),
            format!("Replaces={fine}&r%45places={fine}"),
            "Replaces".to_owned(),
            "Replaces=%".to_owned(),
            "Replaces=%ZZ%3Bto-tag%3D1%3Bfrom-tag%3D2".to_owned(),
            "Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2%".to_owned(),
            "Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2%4".to_owned(),
            "Replaces=a%0D%0AVia:%20x%3Bto-tag%3D1%3Bfrom-tag%3D2".to_owned(),
            "Replaces=%FF%FE%3Bto-tag%3D1%3Bfrom-tag%3D2".to_owned(),
            "Replaces=a%00%3Bto-tag%3D1%3Bfrom-tag%3D2".to_owned(),
        ] {
            let uri = Uri::parse(&format!("sip:2110@192.0.2.9?{fields}")).unwrap();
            assert!(Replaces::of_refer_to(&uri).is_err(), "{fields}");
        }
        let escaped = Uri::parse(&format!("sip:2110@192.0.2.9?X=1&%52eplaces={fine}")).unwrap();
        assert!(Replaces::of_refer_to(&escaped).unwrap().is_some(), "a name may be escaped as well");
    }

    #[test]
    fn a_lamp_without_identifiers_or_with_forged_ones_cannot_be_picked_up() {
        let mut dialog = dialog_info::Dialog {
            id: "1".into(),
            call_id: Some("a".into()),
            local_tag: Some("own".into()),
            remote_tag: Some("peer".into()),
            direction: None,
            state: DialogState::Early,
            local: None,
            remote: None,
        };
        let read = Replaces::of_lamp(&dialog).unwrap();
        assert_eq!(read.to_string(), "a;to-tag=own;from-tag=peer;early-only");
        dialog.state = DialogState::Confirmed;
        assert!(!Replaces::of_lamp(&dialog).unwrap().early_only);
        dialog.call_id = Some("a;to-tag=x".into());
        assert_eq!(Replaces::of_lamp(&dialog), None);
        dialog.call_id = None;
        assert_eq!(Replaces::of_lamp(&dialog), None);
    }
}
