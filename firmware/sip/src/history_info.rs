//! History-Info (RFC 7044): by which addresses a call came, and what a redirection of ours adds to that.
//!
//! Not done here: Diversion, which tells the same in other words ([`crate::diversion`]).

use crate::diversion::{Diversion, DiversionPrivacy, DiversionReason};
use crate::header::NameAddr;
use crate::message::Message;
use crate::uri::{Uri, escape_header};

/// Entries read and handed on.
const MAX_ENTRIES: usize = 20;

/// Deepest index read.
const MAX_DEPTH: usize = 32;

/// One address the call was sent to.
#[derive(Debug)]
struct Entry {
    /// Without the header fields behind the URI.
    address: NameAddr,
    /// Nobody behind the exchange may see it.
    private: bool,
    index: Option<Vec<u32>>,
    /// It took the place of the entry with this index: somebody else is meant now (`mp`).
    instead_of: Option<Vec<u32>>,
    /// It says at all how it came about (`rc`, `mp`, `np`: RFC 7044; RFC 4244 knew no such words).
    explained: bool,
}

/// Who sent the call on last; `Some(None)` where that is known and may not be shown.
pub(crate) fn diverter(invite: &Message) -> Option<Option<NameAddr>> {
    let mut entries: Vec<Entry> = invite.headers("History-Info").take(MAX_ENTRIES).filter_map(read).collect();
    if entries.iter().all(|entry| entry.index.is_some()) {
        entries.sort_by(|a, b| a.index.cmp(&b.index));
    }
    let at = if entries.iter().any(|entry| entry.explained) {
        let mapped = entries.iter().rev().find_map(|entry| entry.instead_of.as_ref())?;
        entries.iter().position(|entry| entry.index.as_ref() == Some(mapped))?
    } else {
        // The last is where the call is now; one before it for the same person is only its way there.
        let last = entries.last()?.address.uri.number();
        entries.iter().rposition(|entry| entry.address.uri.number() != last)?
    };
    let entry = entries.swap_remove(at);
    Some(Some(entry.address).filter(|_| !entry.private))
}

/// The entries of a 302 that sends the call on from `party`: those it came with, the last being ours with the reason.
pub(crate) fn of_redirection(invite: &Message, party: &Uri, diversion: &Diversion) -> Vec<String> {
    let mut values: Vec<String> =
        invite.headers("History-Info").take(MAX_ENTRIES).map(str::to_owned).collect();
    let last = values.last().and_then(|value| NameAddr::parse(value).ok());
    let ours = last.as_ref().is_some_and(|last| last.uri.number() == party.number());
    let index = last.and_then(|last| last.params.value("index").map(str::to_owned));
    let index = match (ours, index) {
        (true, Some(index)) => {
            values.pop();
            index
        }
        (_, Some(index)) => format!("{index}.1"),
        (_, None) => "1".to_owned(),
    };
    let mut uri = party.clone();
    let reason = format!("SIP;cause={}", cause(diversion.reason));
    uri.headers = vec![("Reason".to_owned(), escape_header(&reason))];
    if matches!(diversion.privacy, Some(DiversionPrivacy::Full | DiversionPrivacy::Uri)) {
        uri.headers.push(("Privacy".to_owned(), "history".to_owned()));
    }
    let mut entry = NameAddr::new(uri);
    entry.params.set("index", Some(&index));
    values.push(entry.to_string());
    values
}

fn read(value: &str) -> Option<Entry> {
    let mut address = NameAddr::parse(value).ok()?;
    let privacy = address.uri.header("Privacy").unwrap_or_default().to_ascii_lowercase();
    let private = privacy.split(';').any(|word| !matches!(word.trim(), "" | "none"));
    address.uri.headers.clear();
    let params = &address.params;
    let explained = ["rc", "mp", "np"].iter().any(|name| params.has(name));
    Some(Entry {
        index: params.value("index").and_then(index_of),
        instead_of: params.value("mp").and_then(index_of),
        explained,
        private,
        address,
    })
}

/// `1.2.10`, compared number by number.
fn index_of(text: &str) -> Option<Vec<u32>> {
    text.split('.').take(MAX_DEPTH).map(|number| number.parse().ok()).collect()
}

/// The response code that stands for a reason (RFC 7544 section 7.1).
fn cause(reason: DiversionReason) -> u16 {
    match reason {
        DiversionReason::Unconditional => 302,
        DiversionReason::NoAnswer => 408,
        DiversionReason::UserBusy => 486,
        DiversionReason::Unknown
        | DiversionReason::TimeOfDay
        | DiversionReason::DoNotDisturb
        | DiversionReason::FollowMe
        | DiversionReason::Away => 404,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::method::Method;

    fn invite(entries: &[&str]) -> Message {
        let mut invite = Message::request(Method::Invite, "sip:100@192.0.2.1");
        entries.iter().for_each(|entry| invite.push("History-Info", *entry));
        invite
    }

    #[test]
    fn the_one_who_sent_the_call_on_last() {
        for (entries, number) in [
            (&["<sip:4000@pbx>;index=1, <sip:100@pbx>;index=1.1"][..], Some("4000")),
            (&["<sip:100@pbx>;index=1.10", "<sip:9@pbx>;index=1.9", "<sip:1@pbx>;index=1"][..], Some("9")),
            // Our own address and our telephone's: nobody sent anything on.
            (&["<sip:100@pbx>;index=1", "<sip:100@192.0.2.1;line=x>;index=1.1"][..], None),
            (&["<sip:100@pbx>;index=1", "<sip:x7f@192.0.2.1>;index=1.1;rc=1"][..], None),
            (
                &["<sip:4000@pbx>;index=1", "<sip:100@pbx>;index=1.1;mp=1", "<sip:x7f@a>;index=1.1.1;rc=1.1"]
                    [..],
                Some("4000"),
            ),
            (&["<sip:1@a>;index=1", "<sip:2@a>;index=1.1;mp=1", "<sip:3@a>;index=1.2;mp=1.1"][..], Some("2")),
            (&["<sip:1@a>;index=1;mp=7"][..], None),
            (
                &["<sip:4000@pbx?Reason=SIP%3Bcause%3D486>;index=1", "<sip:100@pbx>;index=1.1"][..],
                Some("4000"),
            ),
            (&["<sip:100@pbx>;index=1"][..], None),
            (&["rubbish <", ""][..], None),
            (&["<sip:4000@pbx>", "<sip:100@pbx>"][..], Some("4000")),
        ] {
            let found = diverter(&invite(entries)).map(|address| address.unwrap().uri.number().unwrap());
            assert_eq!(found.as_deref(), number, "{entries:?}");
        }
    }

    #[test]
    fn what_may_not_be_shown_is_not() {
        for (privacy, shown) in [("history", false), ("session%3Bhistory", false), ("none", true)] {
            let first = format!("<sip:4000@pbx?Privacy={privacy}>;index=1");
            let found = diverter(&invite(&[&first, "<sip:100@pbx>;index=1.1"])).unwrap();
            assert_eq!(found.map(|address| address.to_string()).is_some(), shown, "{privacy}");
        }
        let shown = diverter(&invite(&["<sip:4000@pbx?Reason=SIP>;index=1", "<sip:100@pbx>;index=1.1"]));
        assert_eq!(shown.unwrap().unwrap().uri.to_string(), "sip:4000@pbx");
    }

    #[test]
    fn a_redirection_adds_its_own_entry_or_its_reason() {
        let party = Uri::parse("sip:100@pbx").unwrap();
        let mut diversion =
            Diversion { party: String::new(), reason: DiversionReason::NoAnswer, privacy: None };
        let add =
            |entries: &[&str], diversion: &Diversion| of_redirection(&invite(entries), &party, diversion);
        assert_eq!(add(&[], &diversion), ["<sip:100@pbx?Reason=SIP%3Bcause%3D408>;index=1"]);
        assert_eq!(
            add(&["<sip:1@pbx>;index=1", "<sip:100@pbx>;index=1.1"], &diversion),
            ["<sip:1@pbx>;index=1", "<sip:100@pbx?Reason=SIP%3Bcause%3D408>;index=1.1"]
        );
        diversion.privacy = Some(DiversionPrivacy::Full);
        assert_eq!(
            add(&["<sip:1@pbx>;index=1"], &diversion),
            ["<sip:1@pbx>;index=1", "<sip:100@pbx?Reason=SIP%3Bcause%3D408&Privacy=history>;index=1.1"]
        );
    }
}
