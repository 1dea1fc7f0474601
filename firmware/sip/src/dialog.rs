//! Dialogs: RFC 3261 section 12. What both ends remember of each other between requests.
//!
//! Not done here: what a dialog is used for (sessions, subscriptions), which of several early
//! dialogs wins, and name resolution.

use crate::agent::HostPort;
use crate::flow::Transport;
use crate::header::NameAddr;
use crate::message::Message;
use crate::method::Method;
use crate::resolver::Place;
use crate::uri::{Scheme, Uri};

/// Longest route set believed. Real ones have one to four entries.
const MAX_ROUTES: usize = 32;

/// One dialog as one end sees it.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    call_id: String,
    local: NameAddr,
    remote: NameAddr,
    remote_tag: String,
    target: Uri,
    routes: Vec<String>,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    /// The highest of its NOTIFYs, which are in order among themselves.
    remote_notify: Option<u32>,
}

/// Where the CSeq of a request in a dialog stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Higher than all before; of a NOTIFY, than all NOTIFYs before.
    Next,
    /// Not higher: answer 500 (RFC 3261 12.2.2).
    Stale,
}

impl Dialog {
    /// The dialog a response with a To tag opens at the sender of `request` (RFC 3261 12.1.2).
    /// `None` if the response names no address we could ever send to.
    pub(crate) fn of_caller(request: &Message, response: &Message) -> Option<Dialog> {
        let remote = response.to()?;
        let target = match response.contact() {
            Some(contact) => contact.uri,
            None => Uri::parse(request.request_uri()?).ok()?,
        };
        let mut routes = record_route(response);
        routes.reverse();
        Some(Dialog {
            call_id: request.call_id()?.to_owned(),
            local: request.from()?,
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
            remote,
            target,
            routes,
            local_cseq: request.cseq()?.number,
            remote_cseq: None,
            remote_notify: None,
        })
    }

    /// The dialog a request opens at its receiver (RFC 3261 12.1.1).
    pub(crate) fn of_callee(request: &Message, local_tag: &str) -> Option<Dialog> {
        let remote = request.from()?;
        let target = match request.contact() {
            Some(contact) => contact.uri,
            None => remote.uri.clone(),
        };
        Some(Dialog {
            call_id: request.call_id()?.to_owned(),
            local: request.to()?.with_tag(local_tag),
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
            remote,
            target,
            routes: record_route(request),
            local_cseq: 0,
            remote_cseq: Some(request.cseq()?.number),
            remote_notify: None,
        })
    }

    /// The dialog a NOTIFY opens at a subscriber whose SUBSCRIBE is still unanswered (RFC 6665
    /// 4.1.2.4): addresses from our request, the peer's tag and route from its NOTIFY.
    pub(crate) fn of_subscriber(subscribe: &Message, notify: &Message) -> Option<Dialog> {
        let remote = notify.from()?;
        let target = match notify.contact() {
            Some(contact) => contact.uri,
            None => Uri::parse(subscribe.request_uri()?).ok()?,
        };
        Some(Dialog {
            call_id: subscribe.call_id()?.to_owned(),
            local: subscribe.from()?,
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
            remote,
            target,
            routes: record_route(notify),
            local_cseq: subscribe.cseq()?.number,
            remote_cseq: None,
            remote_notify: None,
        })
    }

    /// A new request with the next CSeq; Via and Contact are the caller's to add.
    pub(crate) fn request(&mut self, method: Method) -> Message {
        self.local_cseq += 1;
        let number = self.local_cseq;
        self.numbered(method, number)
    }

    /// The ACK of a 2xx to the INVITE of that CSeq number (RFC 3261 13.2.2.4).
    pub(crate) fn ack(&self, number: u32) -> Message {
        self.numbered(Method::Ack, number)
    }

    /// The CSeq number of one more request whose text is already there.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq += 1;
        self.local_cseq
    }

    /// Checks and notes the CSeq of a request from the peer, never of an ACK.
    ///
    /// A NOTIFY that another request of the call has overtaken is taken, where RFC 3261 12.2.2 would refuse it. It
    /// belongs to a usage of its own (RFC 5057 section 3.1), for whose order only NOTIFYs count, and nobody sends it
    /// again: over UDP, through a proxy with several workers, the telephone's next re-INVITE comes before the news
    /// that the target has answered, and the desk would wait for the end of a transfer that is over.
    pub(crate) fn receive(&mut self, request: &Message) -> Order {
        let number = request.cseq().map_or(0, |cseq| cseq.number);
        let notify = request.method() == Some(&Method::Notify);
        let last = if notify { self.remote_notify } else { self.remote_cseq };
        if last.is_some_and(|last| number <= last) {
            return Order::Stale;
        }
        if notify {
            self.remote_notify = Some(number);
        }
        self.remote_cseq = self.remote_cseq.max(Some(number));
        Order::Next
    }

    /// Takes the peer's new Contact from a request or 2xx that refreshes the target (12.2).
    pub(crate) fn refresh_target(&mut self, message: &Message) {
        if let Some(contact) = message.contact() {
            self.target = contact.uri;
        }
    }

    /// Takes the peer's new address from a request of its own, as the To of ours from now on (RFC 4916 section 4.4);
    /// whether it is another.
    pub(crate) fn rename_remote(&mut self, request: &Message) -> bool {
        let same = |from: &NameAddr| {
            from.uri.user == self.remote.uri.user && from.uri.host.eq_ignore_ascii_case(&self.remote.uri.host)
        };
        match request.from() {
            Some(from) if !same(&from) => {
                self.remote = from;
                true
            }
            _ => false,
        }
    }

    /// Takes the route set a 2xx brings where an earlier 1xx had opened the dialog (13.2.2.4).
    pub(crate) fn refresh_route(&mut self, response: &Message) {
        self.routes = record_route(response);
        self.routes.reverse();
    }

    /// Whether a message with these tags, seen from our side, belongs here.
    pub(crate) fn is_with(&self, remote_tag: &str) -> bool {
        self.remote_tag == remote_tag
    }

    /// The peer's tag.
    pub(crate) fn remote_tag(&self) -> &str {
        &self.remote_tag
    }

    /// Where the peer is: its last Contact.
    pub(crate) fn target(&self) -> &Uri {
        &self.target
    }

    /// Our own address in this dialog, tag included.
    pub(crate) fn local(&self) -> &NameAddr {
        &self.local
    }

    /// Where requests go: the first route, else the peer's Contact.
    pub(crate) fn hop(&self) -> Place {
        let route = self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        let uri = route.as_ref().map_or(&self.target, |route| &route.uri);
        hop_of(uri)
    }

    /// RFC 3261 12.2.1.1: loose routers leave the Request-URI alone, a strict one takes its place.
    fn numbered(&self, method: Method, number: u32) -> Message {
        let first = self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        let strict = first.filter(|route| route.uri.params.get("lr").is_none());
        let uri = strict.as_ref().map_or(&self.target, |route| &route.uri);
        let mut request = Message::request(method.clone(), &uri.to_string());
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            request.push("Route", route.as_str());
        }
        if strict.is_some() {
            request.push("Route", format!("<{}>", self.target));
        }
        request.push("From", self.local.to_string());
        request.push("To", self.remote.to_string());
        request.push("Call-ID", self.call_id.as_str());
        request.push("CSeq", format!("{number} {method}"));
        request
    }
}

/// Where a URI is reached, and by what if it says so. `maddr` is not followed: it would lead us anywhere.
pub(crate) fn hop_of(uri: &Uri) -> Place {
    let host =
        if matches!(uri.scheme, Scheme::Sip | Scheme::Sips) { uri.host.clone() } else { String::new() };
    let named = uri.params.value("transport").and_then(Transport::parse);
    let transport = if uri.scheme == Scheme::Sips { Some(Transport::Tls) } else { named };
    Place { at: HostPort { host, port: uri.port }, transport }
}

fn record_route(message: &Message) -> Vec<String> {
    message.headers("Record-Route").take(MAX_ROUTES).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn invite() -> Message {
        let text = "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
            Via: SIP/2.0/UDP alice.example;branch=z9hG4bK1\r\n\
            Record-Route: <sip:p2.example;lr>, <sip:p1.example:5070;lr>\r\n\
            From: Alice <sip:alice@atlanta.example>;tag=a\r\nTo: <sip:bob@biloxi.example>\r\n\
            Call-ID: one\r\nCSeq: 7 INVITE\r\nContact: <sip:alice@192.0.2.1:5062>\r\n\r\n";
        Message::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_callee_keeps_the_record_route_in_order() {
        let mut dialog = Dialog::of_callee(&invite(), "b").unwrap();
        assert_eq!(dialog.hop().at, "p2.example".parse().unwrap());
        let bye = dialog.request(Method::Bye);
        assert_eq!(bye.request_uri(), Some("sip:alice@192.0.2.1:5062"));
        let routes: Vec<_> = bye.headers("Route").collect();
        assert_eq!(routes, ["<sip:p2.example;lr>", "<sip:p1.example:5070;lr>"]);
        assert_eq!(bye.from().unwrap().tag(), Some("b"));
        assert_eq!(bye.to().unwrap().tag(), Some("a"));
    }

    #[test]
    fn the_caller_turns_the_record_route_round_and_counts_on() {
        let mut response = Message::response(&invite(), 200);
        response.set("To", "<sip:bob@biloxi.example>;tag=b");
        response.push("Contact", "<sip:bob@192.0.2.2>");
        let mut dialog = Dialog::of_caller(&invite(), &response).unwrap();
        let bye = dialog.request(Method::Bye);
        let routes: Vec<_> = bye.headers("Route").collect();
        assert_eq!(routes, ["<sip:p1.example:5070;lr>", "<sip:p2.example;lr>"]);
        assert_eq!(bye.request_uri(), Some("sip:bob@192.0.2.2"));
        assert_eq!(bye.cseq().unwrap().number, 8);
        assert_eq!(dialog.ack(7).header("CSeq"), Some("7 ACK"));
        assert_eq!(dialog.hop().at, "p1.example:5070".parse().unwrap());
    }

    #[test]
    fn a_strict_router_takes_the_request_uri() {
        let mut request = invite();
        request.set("Record-Route", "<sip:old.example>");
        let mut dialog = Dialog::of_callee(&request, "b").unwrap();
        let bye = dialog.request(Method::Bye);
        assert_eq!(bye.request_uri(), Some("sip:old.example"));
        let routes: Vec<_> = bye.headers("Route").collect();
        assert_eq!(routes, ["<sip:alice@192.0.2.1:5062>"]);
        assert_eq!(dialog.hop().at, "old.example".parse().unwrap());
    }

    #[test]
    fn a_cseq_that_does_not_rise_is_stale() {
        let mut dialog = Dialog::of_callee(&invite(), "b").unwrap();
        let mut bye = invite();
        assert_eq!(dialog.receive(&bye), Order::Stale);
        bye.set("CSeq", "9 BYE");
        assert_eq!(dialog.receive(&bye), Order::Next);
        assert_eq!(dialog.receive(&bye), Order::Stale);
    }

    #[test]
    fn a_notify_may_be_overtaken_by_what_is_none() {
        let mut dialog = Dialog::of_callee(&invite(), "b").unwrap();
        let text = String::from_utf8(invite().write()).unwrap().replace("INVITE", "NOTIFY");
        let notify = |number: u32| {
            let numbered = text.replace("CSeq: 7 ", &format!("CSeq: {number} "));
            Message::parse(numbered.as_bytes()).unwrap()
        };
        let mut again = invite();
        again.set("CSeq", "12 INVITE");
        assert_eq!(dialog.receive(&again), Order::Next);
        assert_eq!(dialog.receive(&notify(11)), Order::Next, "overtaken by the INVITE");
        assert_eq!(dialog.receive(&notify(11)), Order::Stale);
        assert_eq!(dialog.receive(&notify(10)), Order::Stale, "overtaken by a NOTIFY");
        assert_eq!(dialog.receive(&again), Order::Stale);
        assert_eq!(dialog.receive(&notify(13)), Order::Next);
        again.set("CSeq", "13 INVITE");
        assert_eq!(dialog.receive(&again), Order::Stale, "its number has been used");
    }
}
