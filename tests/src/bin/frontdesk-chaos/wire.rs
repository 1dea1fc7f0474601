//! What a caller saw, read from what its telephone wrote down of its own messages: SIPp's message log and
//! the trace that baresip prints. Nothing here knows the desk's log.

use std::collections::BTreeMap;

use sip::{Message, Method};

/// Whose word a response is: every product signs its responses (`Server`, RFC 3261 section 20.35), and the
/// exchange of this run does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Desk,
    Colleague,
    Exchange,
}

/// One call that somebody placed, as that caller saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The caller's number.
    pub(crate) number: String,
    /// It went through the exchange.
    pub(crate) by_exchange: bool,
    /// The desk has said something, if only that it rings.
    pub(crate) heard_desk: bool,
    /// The caller gave up (CANCEL).
    pub(crate) cancelled: bool,
    /// Who answered the call.
    pub(crate) answered: Option<Signer>,
    /// The final refusal and who said it.
    pub(crate) refused: Option<(u16, Signer)>,
    /// The answer came again after the last ACK, which so may never have reached the desk.
    pub(crate) unacknowledged: bool,
    /// The caller hung up (BYE).
    pub(crate) hung_up: bool,
    /// Somebody answered that BYE.
    pub(crate) bye_answered: bool,
    /// The desk hung up (BYE).
    pub(crate) was_hung_up: bool,
    /// The caller agreed to call somebody else (202 to REFER).
    pub(crate) referred: bool,
    /// What it said last of that call (the final NOTIFY).
    pub(crate) said: Option<u16>,
    /// The desk has that word: it has answered the NOTIFY.
    pub(crate) told: bool,
    /// Its telephone was killed meanwhile.
    pub(crate) died: bool,
    /// CSeq of the NOTIFY that said it.
    pub(crate) notify: u32,
    /// CSeq of the REFER that was agreed to last.
    pub(crate) refer: u32,
}

/// Calls by Call-ID.
pub(crate) type Calls = BTreeMap<String, Seen>;

/// Reads SIPp's message log.
pub(crate) fn sipp(log: &str, exchange: u16, calls: &mut Calls) {
    for entry in log.split("-----------------------------------------------").skip(1) {
        // The time, then `UDP message sent (… bytes):`, an empty line, and the message.
        let Some((head, message)) = entry.split_once("\n\n") else { continue };
        let sent = head.contains("message sent");
        note(calls, sent, message.trim_start(), exchange);
    }
}

/// Reads what the baresip at `port` printed.
pub(crate) fn baresip(log: &str, port: u16, exchange: u16, calls: &mut Calls) {
    for entry in log.split("\u{1b}[36;1m#").skip(1) {
        let entry = entry.split("\u{1b}[;m").next().unwrap_or_default().trim_start();
        let Some((head, message)) = entry.split_once('\n') else { continue };
        let sent = head.split_whitespace().nth(1).is_some_and(|from| from.ends_with(&format!(":{port}")));
        note(calls, sent, message, exchange);
    }
}

fn note(calls: &mut Calls, sent: bool, text: &str, exchange: u16) {
    // SIPp writes the message without its carriage returns where it was told to.
    let Ok(message) = Message::parse(text.as_bytes()) else { return };
    let Some(id) = message.call_id().map(str::to_owned) else { return };
    let begins =
        message.method() == Some(&Method::Invite) && message.to().is_some_and(|to| to.tag().is_none());
    if sent && begins && !calls.contains_key(&id) {
        let number = message.from().and_then(|from| from.uri.user).unwrap_or_default();
        let by_exchange = text.starts_with("INVITE sip:") && is_to(text, exchange);
        calls.insert(id.clone(), Seen { number, by_exchange, ..Seen::default() });
    }
    // Calls that others placed to this telephone are not this caller's.
    let Some(seen) = calls.get_mut(&id) else { return };
    match (sent, message.method(), message.code()) {
        (true, Some(method), _) => seen.sends(method, &message),
        (false, Some(method), _) => seen.is_asked(method, &message),
        (true, None, Some(code)) => seen.answers(&message, code),
        (false, None, Some(code)) => seen.hears(&message, code),
        (_, None, None) => {}
    }
}

/// Whether the request goes to the exchange: by address (SIPp) or by its domain (a registered telephone).
fn is_to(text: &str, exchange: u16) -> bool {
    let line = text.lines().next().unwrap_or_default();
    line.contains(&format!(":{exchange} ")) || line.contains(frontdesk_tests::kamailio::DOMAIN)
}

impl Seen {
    /// Whether nothing more can come of it for its caller.
    pub(crate) fn is_over(&self) -> bool {
        let refused = self.answered.is_none() && self.refused.is_some();
        refused || self.was_hung_up || (self.hung_up && self.bye_answered)
    }

    fn sends(&mut self, method: &Method, message: &Message) {
        match method {
            Method::Ack => self.unacknowledged = false,
            Method::Cancel => self.cancelled = true,
            Method::Bye => self.hung_up = true,
            Method::Notify => {
                let news = sip::sipfrag::SipFrag::parse(message.body()).ok().map(|news| news.code);
                if let Some(code) = news.filter(|code| *code >= 200) {
                    (self.said, self.told) = (Some(code), false);
                    self.notify = number(message);
                }
            }
            _ => {}
        }
    }

    fn is_asked(&mut self, method: &Method, message: &Message) {
        self.was_hung_up |= *method == Method::Bye;
        // A new request to transfer: what was said of the last one is no longer the last word.
        if *method == Method::Refer && self.refer != number(message) {
            self.refer = number(message);
            (self.said, self.told) = (None, false);
        }
    }

    fn answers(&mut self, message: &Message, code: u16) {
        let method = message.cseq().map(|cseq| cseq.method);
        self.referred |= method == Some(Method::Refer) && (200..300).contains(&code);
    }

    fn hears(&mut self, message: &Message, code: u16) {
        let signer = signer(message);
        self.heard_desk |= signer == Signer::Desk;
        match (message.cseq().map(|cseq| cseq.method), code) {
            (Some(Method::Invite), 200..300) => {
                self.answered.get_or_insert(signer);
                self.unacknowledged = true;
            }
            // Challenges are answered, and the call goes on.
            (Some(Method::Invite), 300..) if !matches!(code, 401 | 407) && self.answered.is_none() => {
                self.refused = Some((code, signer));
            }
            (Some(Method::Bye), 200..) => self.bye_answered = true,
            (Some(Method::Notify), 200..300) if self.notify == number(message) => {
                self.told = self.said.is_some()
            }
            _ => {}
        }
    }
}

fn number(message: &Message) -> u32 {
    message.cseq().map_or(0, |cseq| cseq.number)
}

fn signer(message: &Message) -> Signer {
    let signed = message.header("Server").or(message.header("User-Agent")).unwrap_or_default();
    match signed {
        signed if signed.starts_with("Frontdesk/") => Signer::Desk,
        signed if signed.starts_with("baresip") => Signer::Colleague,
        _ => Signer::Exchange,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const EXCHANGE: u16 = 5060;

    fn message(start: &str, cseq: &str, more: &str, body: &str) -> String {
        let tag = if start.starts_with("INVITE") { "" } else { ";tag=2" };
        format!(
            "{start}\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n\
             From: <sip:07201@127.0.0.1>;tag=1\r\nTo: <sip:5550100@127.0.0.1>{tag}\r\nCall-ID: one\r\n\
             CSeq: {cseq}\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn log(entries: &[(bool, String)]) -> String {
        let line = |(sent, text): &(bool, String)| {
            let way = if *sent { "sent (9 bytes)" } else { "received [9] bytes " };
            format!("----------------------------------------------- 2026\nUDP message {way}:\n\n{text}\n")
        };
        entries.iter().map(line).collect()
    }

    fn read(entries: &[(bool, String)]) -> Seen {
        let mut calls = Calls::new();
        sipp(&log(entries), EXCHANGE, &mut calls);
        assert_eq!(calls.len(), 1);
        calls.remove("one").unwrap()
    }

    const DESK: &str = "Server: Frontdesk/0.1\r\n";

    fn invite() -> (bool, String) {
        (true, message("INVITE sip:5550100@127.0.0.1:5060 SIP/2.0", "1 INVITE", "", ""))
    }

    #[test]
    fn a_refusal_is_known_by_who_signed_it() {
        let refused = (false, message("SIP/2.0 487 Gone", "1 INVITE", DESK, ""));
        let seen = read(&[invite(), refused]);
        assert_eq!((seen.number.as_str(), seen.refused), ("07201", Some((487, Signer::Desk))));
        assert!(seen.by_exchange && seen.heard_desk);
        let refused = (false, message("SIP/2.0 487 Gone", "1 INVITE", "", ""));
        let seen = read(&[invite(), refused]);
        assert_eq!((seen.refused, seen.heard_desk), (Some((487, Signer::Exchange)), false));
    }

    #[test]
    fn an_answer_that_comes_again_was_not_acknowledged() {
        let answer = (false, message("SIP/2.0 200 OK", "1 INVITE", DESK, ""));
        let ack = (true, message("ACK sip:d SIP/2.0", "1 ACK", "", ""));
        assert!(!read(&[invite(), answer.clone(), ack.clone()]).unacknowledged);
        assert!(read(&[invite(), answer.clone(), ack, answer]).unacknowledged);
    }

    #[test]
    fn the_last_word_of_a_transfer_is_told_once_the_desk_has_answered_it() {
        let news = |cseq, code| (true, message("NOTIFY sip:d SIP/2.0", cseq, "", &format!("SIP/2.0 {code}")));
        let heard = |cseq| (false, message("SIP/2.0 200 OK", cseq, DESK, ""));
        let refer = |cseq| (false, message("REFER sip:c SIP/2.0", cseq, "", ""));
        let agreed = |cseq| (true, message("SIP/2.0 202 Accepted", cseq, "", ""));
        let mut entries = vec![invite(), heard("1 INVITE"), refer("7 REFER"), agreed("7 REFER")];
        entries.push(news("2 NOTIFY", 100));
        entries.push(news("3 NOTIFY", 200));
        entries.push(heard("2 NOTIFY"));
        let seen = read(&entries);
        assert_eq!((seen.answered, seen.said, seen.told), (Some(Signer::Desk), Some(200), false));
        entries.push(heard("3 NOTIFY"));
        // The REFER comes again because the 202 was lost: nothing new.
        entries.push(refer("7 REFER"));
        assert!(read(&entries).told && read(&entries).referred);
        entries.push(refer("8 REFER"));
        assert_eq!(read(&entries).said, None);
    }

    #[test]
    fn the_trace_of_a_telephone_tells_the_way_by_the_port() {
        let entry = |from, to, text: String| {
            format!("\u{1b}[36;1m#\nUDP 127.0.0.1:{from} -> 127.0.0.1:{to}\n{text}\u{1b}[;m\n")
        };
        let invite = message("INVITE sip:5550100@desk.test SIP/2.0", "1 INVITE", "", "");
        let bye = message("BYE sip:c SIP/2.0", "4 BYE", "", "");
        let trace = entry(6000, 5060, invite.clone()) + &entry(5060, 6000, bye);
        let mut calls = Calls::new();
        baresip(&trace, 6000, EXCHANGE, &mut calls);
        assert!(calls["one"].was_hung_up && calls["one"].by_exchange && !calls["one"].hung_up);
        // The same trace read at the other end: a call that came in is not this caller's.
        let mut calls = Calls::new();
        baresip(&trace, 5060, EXCHANGE, &mut calls);
        assert!(calls.is_empty());
    }
}
