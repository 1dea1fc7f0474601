//! Who is who in a message: caller, called, diverting and answering party, and why a call ended.
//!
//! An asserted identity (RFC 3325, and Remote-Party-ID, its forerunner) is believed only from our own registrars, and
//! where the account says so. Not done here:
//! directories, number forms.

use crate::agent::Party;
use crate::header::NameAddr;
use crate::history_info;
use crate::message::Message;
use crate::uri::Scheme;

/// The caller of an INVITE. `trusted`: it came from one of our registrars, which is believed.
pub(super) fn caller(invite: &Message, trusted: bool) -> Party {
    vouched_for(invite, trusted, "calling").unwrap_or_else(|| sender(invite))
}

/// The sender of a request by its own word.
pub(super) fn sender(request: &Message) -> Party {
    let party = request.from().map_or_else(nobody, |address| party(&address));
    if wants_privacy(request) { Party { number: None, display: None, ..party } } else { party }
}

/// The sender of a request by that of an exchange that is `trusted`, as far as it may be shown. `side`: its end of the
/// call, `calling` or `called`.
pub(super) fn vouched_for(request: &Message, trusted: bool, side: &str) -> Option<Party> {
    let (asserted, remote) = vouched(request, trusted, side);
    let remote = remote.or_else(|| vouched(request, trusted, "calling").1);
    let mut party = party(&asserted.or_else(|| remote.clone())?);
    let hides = |what| remote.as_ref().is_some_and(|remote| hides(remote, what));
    if wants_privacy(request) || hides("uri") {
        party.number = None;
    }
    if wants_privacy(request) || hides("name") {
        party.display = None;
    }
    Some(party)
}

/// What the caller of an INVITE wanted to reach.
pub(super) fn called(invite: &Message) -> Party {
    let address = invite.address("P-Called-Party-ID").or_else(|| invite.to());
    match address {
        Some(address) => party(&address),
        None => nobody(),
    }
}

/// Who sent the call on to us last (RFC 5806, RFC 7044), as far as it may be shown.
pub(super) fn diversion(invite: &Message) -> Option<Party> {
    let Some(address) = invite.address("Diversion") else {
        return history_info::diverter(invite).map(|address| address.as_ref().map_or_else(nobody, party));
    };
    let mut found = party(&address);
    if hides(&address, "uri") {
        found.number = None;
    }
    if hides(&address, "name") {
        found.display = None;
    }
    Some(found)
}

/// Who answered our INVITE. `trusted`: the exchange is believed.
pub(super) fn answerer(response: &Message, trusted: bool) -> Party {
    let (asserted, remote) = vouched(response, trusted, "called");
    match asserted.or(remote).or_else(|| response.to()) {
        Some(address) => party(&address),
        None => nobody(),
    }
}

fn nobody() -> Party {
    Party { number: None, display: None, uri: String::new() }
}

/// P-Asserted-Identity, and the Remote-Party-ID of that side of the call.
fn vouched(message: &Message, trusted: bool, side: &str) -> (Option<NameAddr>, Option<NameAddr>) {
    if !trusted {
        return (None, None);
    }
    let is_side = |address: &NameAddr| {
        address.params.value("party").is_none_or(|party| party.eq_ignore_ascii_case(side))
    };
    let mut remote = message.headers("Remote-Party-ID").filter_map(|value| NameAddr::parse(value).ok());
    (asserted(message), remote.find(is_side))
}

/// Whether the privacy parameter of a Remote-Party-ID or Diversion hides the `name` or the `uri`. Some write the name
/// of the screening beside it: `full-id`, `uri-network`.
fn hides(address: &NameAddr, what: &str) -> bool {
    address.params.value("privacy").is_some_and(|privacy| {
        let word = privacy.split('-').next().unwrap_or_default();
        word.eq_ignore_ascii_case("full") || word.eq_ignore_ascii_case(what)
    })
}

/// The text of the Reason headers (RFC 3326), and whether they say that somebody else took the
/// call: `SIP;cause=200`, or the words some exchanges use.
pub(super) fn reason_of(message: &Message) -> (String, bool) {
    let mut words = String::new();
    let mut elsewhere = false;
    for reason in
        message.all_headers().filter(|(name, _)| name.eq_ignore_ascii_case("Reason")).map(|(_, v)| v)
    {
        let lower = reason.to_ascii_lowercase();
        let compact: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
        let answered = compact.starts_with("sip;") && compact.split(';').any(|part| part == "cause=200");
        elsewhere |= answered || lower.contains("elsewhere");
        if let Some(text) = text_of(reason)
            && words.is_empty()
        {
            words = text;
        }
    }
    (words, elsewhere)
}

fn text_of(reason: &str) -> Option<String> {
    let at = reason.to_ascii_lowercase().find("text=")?;
    let value = reason.get(at + 5..)?.trim();
    let text = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => value.split([';', ',']).next().unwrap_or_default(),
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The asserted identity with a name, if there are several.
fn asserted(message: &Message) -> Option<NameAddr> {
    let all: Vec<NameAddr> =
        message.headers("P-Asserted-Identity").filter_map(|value| NameAddr::parse(value).ok()).collect();
    let sip = all.iter().find(|address| address.uri.scheme == Scheme::Sip);
    let mut chosen = sip.or(all.first())?.clone();
    if chosen.display.is_none() {
        chosen.display = all.iter().find_map(|address| address.display.clone());
    }
    Some(chosen)
}

fn wants_privacy(message: &Message) -> bool {
    message.header("Privacy").is_some_and(|privacy| {
        privacy
            .split(';')
            .any(|part| matches!(part.trim().to_ascii_lowercase().as_str(), "id" | "user" | "full"))
    })
}

fn party(address: &NameAddr) -> Party {
    let number = address.uri.number();
    let anonymous = address.uri.host.eq_ignore_ascii_case("anonymous.invalid")
        || number.as_deref().is_some_and(|number| number.eq_ignore_ascii_case("anonymous"));
    Party {
        number: number.filter(|_| !anonymous),
        display: address.display.clone().filter(|_| !anonymous),
        uri: address.uri.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn invite(lines: &str) -> Message {
        let text = format!(
            "INVITE sip:100@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n\
             To: <sip:100@pbx.example>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n{lines}\r\n"
        );
        Message::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_asserted_identity_counts_only_from_our_registrar() {
        let message = invite(
            "From: \"Mallory\" <sip:0900@evil.example>;tag=1\r\n\
             P-Asserted-Identity: \"Alice\" <sip:0591234@pbx.example>, <tel:+49591234>\r\n",
        );
        assert_eq!(caller(&message, true).number.as_deref(), Some("0591234"));
        assert_eq!(caller(&message, true).display.as_deref(), Some("Alice"));
        assert_eq!(caller(&message, false).number.as_deref(), Some("0900"));
    }

    #[test]
    fn an_anonymous_caller_has_no_number() {
        let hidden = invite("From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\n");
        assert_eq!((caller(&hidden, true).number, caller(&hidden, true).display), (None, None));
        let private = invite(
            "From: <sip:anonymous@anonymous.invalid>;tag=1\r\nPrivacy: id\r\n\
             P-Asserted-Identity: <sip:0591234@pbx.example>\r\n",
        );
        assert_eq!(caller(&private, true).number, None);
    }

    #[test]
    fn the_line_called_and_who_diverted() {
        let message = invite(
            "From: <sip:1@a.example>;tag=1\r\nP-Called-Party-ID: \"Acme\" <sip:4000@pbx.example>\r\n\
             Diversion: <sip:2001@pbx.example>;reason=no-answer\r\n",
        );
        assert_eq!(called(&message).display.as_deref(), Some("Acme"));
        assert_eq!(diversion(&message).unwrap().number.as_deref(), Some("2001"));
        let message = invite(
            "From: <sip:1@a.example>;tag=1\r\n\
             History-Info: <sip:4000@pbx.example>;index=1, <sip:100@pbx.example>;index=1.1\r\n",
        );
        assert_eq!(diversion(&message).unwrap().number.as_deref(), Some("4000"));
        assert_eq!(diversion(&invite("From: <sip:1@a.example>;tag=1\r\n")), None);
    }

    #[test]
    fn a_remote_party_id_stands_in_for_an_asserted_identity() {
        let of = |privacy: &str| {
            invite(&format!(
                "From: <sip:anonymous@pbx.example>;tag=1\r\n\
                 Remote-Party-ID: \"Bob\" <sip:23@pbx.example>;party=called, \
                 \"Alice\" <sip:0591234@pbx.example>;party=calling;screen=yes;privacy={privacy}\r\n"
            ))
        };
        for (privacy, number, display) in [
            ("off", Some("0591234"), Some("Alice")),
            ("full", None, None),
            ("full-network", None, None),
            ("name", Some("0591234"), None),
            ("uri", None, Some("Alice")),
        ] {
            let party = caller(&of(privacy), true);
            assert_eq!((party.number.as_deref(), party.display.as_deref()), (number, display), "{privacy}");
        }
        assert_eq!(caller(&of("off"), false).number, None, "a stranger's is not believed");
        assert_eq!(answerer(&of("off"), true).number.as_deref(), Some("23"));
        let both = invite(
            "From: <sip:1@a.example>;tag=1\r\nRemote-Party-ID: <sip:2@a.example>\r\n\
             P-Asserted-Identity: <sip:3@a.example>\r\n",
        );
        assert_eq!(caller(&both, true).number.as_deref(), Some("3"));
    }

    #[test]
    fn who_diverted_is_hidden_where_it_asks_for_it() {
        for (privacy, number, display) in
            [("off", Some("2001"), Some("Eva")), ("full", None, None), ("name", Some("2001"), None)]
        {
            let message = invite(&format!(
                "From: <sip:1@a.example>;tag=1\r\nDiversion: \"Eva\" <sip:2001@pbx.example>;privacy={privacy}\r\n"
            ));
            let party = diversion(&message).unwrap();
            assert_eq!((party.number.as_deref(), party.display.as_deref()), (number, display), "{privacy}");
        }
    }

    #[test]
    fn a_reason_tells_whether_somebody_else_answered() {
        for (line, text, elsewhere) in [
            (
                "Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n",
                "Call completed elsewhere",
                true,
            ),
            ("Reason: SIP;cause=200\r\n", "", true),
            ("Reason: Q.850;cause=26;text=\"Answered elsewhere\"\r\n", "Answered elsewhere", true),
            (
                "Reason: Q.850;cause=16\r\nReason: SIP;cause=487;text=ORIGINATOR_CANCEL\r\n",
                "ORIGINATOR_CANCEL",
                false,
            ),
            ("Reason: Q.850;cause=200\r\n", "", false),
            ("", "", false),
        ] {
            let message = invite(&format!("From: <sip:1@a.example>;tag=1\r\n{line}"));
            assert_eq!(reason_of(&message), (text.to_owned(), elsewhere), "{line}");
        }
    }
}
