//! Messages a scripted peer sends: answers to what it received, and calls of its own.

use std::net::SocketAddr;

use sip::{Message, Method};

/// A description of G.711 audio.
pub fn sdp(port: u16, direction: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=peer 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na={direction}\r\n"
    )
    .into_bytes()
}

/// An answer to `request`, with a To tag and a Contact.
pub fn reply(request: &Message, code: u16, tag: &str, contact: SocketAddr) -> Message {
    let mut response = Message::response(request, code);
    if code > 100 {
        let to = request.to().unwrap();
        if to.tag().is_none() {
            response.set("To", to.with_tag(tag).to_string());
        }
        response.push("Contact", format!("<sip:peer@{contact}>"));
    }
    response
}

/// A 200 with a description.
pub fn answer(request: &Message, tag: &str, contact: SocketAddr, direction: &str) -> Message {
    let mut response = reply(request, 200, tag, contact);
    response.set_body("application/sdp", sdp(4000, direction));
    response
}

/// A call of the peer's own.
pub struct Caller {
    pub at: SocketAddr,
    pub to: SocketAddr,
    pub call_id: String,
    pub tag: String,
    pub to_tag: Option<String>,
    pub number: u32,
    branch: u32,
}

impl Caller {
    pub fn new(at: SocketAddr, to: SocketAddr, call_id: &str) -> Caller {
        Caller {
            at,
            to,
            call_id: call_id.into(),
            tag: format!("from-{call_id}"),
            to_tag: None,
            number: 0,
            branch: 0,
        }
    }

    /// The next request, with a new branch and CSeq.
    pub fn request(&mut self, method: Method) -> Message {
        self.number += 1;
        self.numbered(method, self.number)
    }

    pub fn numbered(&mut self, method: Method, number: u32) -> Message {
        self.branch += 1;
        let mut request = Message::request(method.clone(), &format!("sip:100@{}", self.to));
        let branch = format!("z9hG4bK-{}-{}", self.call_id, self.branch);
        request.push("Via", format!("SIP/2.0/UDP {};rport;branch={branch}", self.at));
        request.push("Max-Forwards", "70");
        request.push("From", format!("\"Alice\" <sip:0591234@{}>;tag={}", self.at, self.tag));
        let tag = self.to_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        request.push("To", format!("<sip:100@pbx.example>{tag}"));
        request.push("Call-ID", self.call_id.as_str());
        request.push("CSeq", format!("{number} {method}"));
        request.push("Contact", format!("<sip:alice@{}>", self.at));
        request
    }

    pub fn invite(&mut self) -> Message {
        let mut invite = self.request(Method::Invite);
        invite.set_body("application/sdp", sdp(4000, "sendrecv"));
        invite
    }

    /// The ACK of a 2xx.
    pub fn ack(&mut self, response: &Message) -> Message {
        self.to_tag = response.to().unwrap().tag().map(str::to_owned);
        self.numbered(Method::Ack, response.cseq().unwrap().number)
    }

    /// The CANCEL of an INVITE.
    pub fn cancel(&self, invite: &Message) -> Message {
        let mut cancel = Message::request(Method::Cancel, invite.request_uri().unwrap());
        for name in ["Via", "From", "To", "Call-ID", "Max-Forwards"] {
            cancel.push(name, invite.header(name).unwrap());
        }
        cancel.push("CSeq", format!("{} CANCEL", invite.cseq().unwrap().number));
        cancel
    }
}

/// A request of the peer inside the dialog that `request` (ours) and the tag it answered with made.
pub fn within(request: &Message, tag: &str, at: SocketAddr, method: Method, number: u32) -> Message {
    let us = request.contact().unwrap().uri.to_string();
    let mut message = Message::request(method.clone(), &us);
    let branch = format!("z9hG4bK-{}-{tag}-{number}-{method}", request.call_id().unwrap());
    message.push("Via", format!("SIP/2.0/UDP {at};rport;branch={branch}"));
    message.push("Max-Forwards", "70");
    let mut from = request.to().unwrap();
    from.params.remove("tag");
    message.push("From", from.with_tag(tag).to_string());
    message.push("To", request.from().unwrap().to_string());
    message.push("Call-ID", request.call_id().unwrap());
    message.push("CSeq", format!("{number} {method}"));
    message.push("Contact", format!("<sip:peer@{at}>"));
    message
}
