//! The Diversion header (RFC 5806) of a redirection: who sends the call on, why, and how often it was sent on before.
//!
//! Not done here: the redirection itself, and showing who diverted a call to us.

use crate::header::NameAddr;
use crate::message::Message;
use crate::uri::Uri;

/// Diversions after which a call is not sent on again. Two forwarded telephones would otherwise hand it to each other
/// until Max-Forwards runs out, or for ever where the exchange starts a new call each time.
pub const MAX_DIVERSIONS: u32 = 10;

/// What a redirected call tells its new target about us: [`redirect`](crate::UserAgent::redirect).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// Who sends the call on: a number or extension (completed with the account's domain) or a whole URI.
    pub party: String,
    /// Why.
    pub reason: DiversionReason,
    /// What of `party` the new target may see; `None` leaves it to the exchange.
    pub privacy: Option<DiversionPrivacy>,
}

/// `diversion-reason` of RFC 5806.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiversionReason {
    /// Not known, or none of the others.
    Unknown,
    /// The telephone is in a call.
    UserBusy,
    /// It rang for too long.
    NoAnswer,
    /// Every call is sent on.
    Unconditional,
    /// At this time of day calls are sent on.
    TimeOfDay,
    /// The person does not want to be disturbed.
    DoNotDisturb,
    /// The person is at another telephone.
    FollowMe,
    /// The person is away.
    Away,
}

impl DiversionReason {
    /// The token on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            DiversionReason::Unknown => "unknown",
            DiversionReason::UserBusy => "user-busy",
            DiversionReason::NoAnswer => "no-answer",
            DiversionReason::Unconditional => "unconditional",
            DiversionReason::TimeOfDay => "time-of-day",
            DiversionReason::DoNotDisturb => "do-not-disturb",
            DiversionReason::FollowMe => "follow-me",
            DiversionReason::Away => "away",
        }
    }
}

/// `diversion-privacy` of RFC 5806.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiversionPrivacy {
    /// Neither name nor number may be shown.
    Full,
    /// The name may not be shown.
    Name,
    /// The number may not be shown.
    Uri,
    /// Both may be shown.
    Off,
}

impl DiversionPrivacy {
    /// The token on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            DiversionPrivacy::Full => "full",
            DiversionPrivacy::Name => "name",
            DiversionPrivacy::Uri => "uri",
            DiversionPrivacy::Off => "off",
        }
    }
}

/// How often an INVITE was sent on before it came here: the number of its entries, or the highest counter, whichever
/// is more. RFC 5806 has exchanges keep one entry for each diversion, but many keep only the last one and count in it.
pub(crate) fn diversions(invite: &Message) -> u32 {
    let (mut entries, mut counted) = (0_u32, 0_u32);
    for entry in entries_of(invite) {
        entries = entries.saturating_add(1);
        let digits = entry.params.value("counter").filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        // A number too large for us is a large number.
        counted = counted.max(digits.map_or(1, |digits| digits.parse().unwrap_or(u32::MAX)));
    }
    entries.max(counted)
}

/// Whether `target` is among those who sent the call on before.
pub(crate) fn was_at(invite: &Message, target: &Uri) -> bool {
    let same = |uri: &Uri| {
        uri.user.is_some() && uri.number() == target.number() && uri.host.eq_ignore_ascii_case(&target.host)
    };
    entries_of(invite).any(|entry| same(&entry.uri))
}

/// The header value, for a call that was sent on `before` times.
pub(crate) fn value(party: Uri, diversion: &Diversion, before: u32) -> String {
    let mut entry = NameAddr::new(party);
    entry.params.set("reason", Some(diversion.reason.as_str()));
    entry.params.set("counter", Some(&before.saturating_add(1).to_string()));
    if let Some(privacy) = diversion.privacy {
        entry.params.set("privacy", Some(privacy.as_str()));
    }
    entry.to_string()
}

fn entries_of(invite: &Message) -> impl Iterator<Item = NameAddr> {
    invite.headers("Diversion").filter_map(|entry| NameAddr::parse(entry).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::method::Method;

    fn invite(entries: &[&str]) -> Message {
        let mut invite = Message::request(Method::Invite, "sip:100@192.0.2.1");
        entries.iter().for_each(|entry| invite.push("Diversion", *entry));
        invite
    }

    #[test]
    fn diversions_are_counted_in_entries_or_in_one_entry() {
        for (entries, count) in [
            (&[][..], 0),
            (&["<sip:1@a>;reason=unknown"][..], 1),
            (&["<sip:1@a>, <sip:2@a>;counter=1", "<sip:3@a>"][..], 3),
            (&["<sip:1@a>;counter=4"][..], 4),
            (&["<sip:1@a>;counter=99999999999"][..], u32::MAX),
            (&["<sip:1@a>;counter=x", "rubbish <"][..], 1),
            (&["<sip:1@a>;counter=0"][..], 1),
        ] {
            assert_eq!(diversions(&invite(entries)), count, "{entries:?}");
        }
    }

    #[test]
    fn a_target_that_sent_the_call_here_is_known() {
        let invite =
            invite(&["\"Shop\" <sip:4000@pbx.example;user=phone>;reason=no-answer", "<sip:pbx.example>"]);
        assert!(was_at(&invite, &Uri::parse("sip:4000@PBX.example").unwrap()));
        assert!(!was_at(&invite, &Uri::parse("sip:4001@pbx.example").unwrap()));
        assert!(!was_at(&invite, &Uri::parse("sip:4000@other.example").unwrap()));
        assert!(!was_at(&invite, &Uri::parse("sip:pbx.example").unwrap()));
    }

    #[test]
    fn every_reason_and_privacy_is_written_as_its_token() {
        let party = Uri::parse("sip:4000@pbx.example").unwrap();
        let mut diversion =
            Diversion { party: String::new(), reason: DiversionReason::TimeOfDay, privacy: None };
        let text = value(party.clone(), &diversion, 0);
        assert_eq!(text, "<sip:4000@pbx.example>;reason=time-of-day;counter=1");
        diversion.privacy = Some(DiversionPrivacy::Full);
        let text = value(party, &diversion, 2);
        assert_eq!(text, "<sip:4000@pbx.example>;reason=time-of-day;counter=3;privacy=full");
    }
}
