//! Steps that many tests begin with: a telephone and its exchange, and a call either way.

use std::net::SocketAddr;

use sip::{AccountId, Invite, Media, Message, SessionId};

use crate::net::{FAIR, Net, media, want};
use crate::script::{Caller, answer};

pub const US: &str = "192.0.2.1:5060";
pub const PBX: &str = "198.51.100.9:5060";

/// A telephone and the exchange it belongs to, played by the test.
pub fn desk() -> (Net, usize, SocketAddr) {
    let mut net = Net::new(3, FAIR);
    let pbx = net.peer(PBX);
    let us = net.phone(US, pbx);
    (net, us, pbx)
}

/// A call of ours, and the INVITE that the exchange got.
pub fn dial(net: &mut Net, us: usize, pbx: SocketAddr, number: &str) -> (SessionId, Message) {
    let call = Invite::new(AccountId(1), number, media(3000));
    let session = net.act(us, |agent, now| agent.invite(now, call)).unwrap();
    (session, net.receive(pbx, "INVITE", 1))
}

/// A call of ours that the exchange answered.
pub fn talking(net: &mut Net, us: usize, pbx: SocketAddr) -> (SessionId, Message) {
    let (session, invite) = dial(net, us, pbx, "2110");
    let at = net.stations[us].at;
    net.send(pbx, at, &answer(&invite, "t", pbx, "sendrecv"));
    net.wait(us, "Answered", 1, want::answered);
    net.receive(pbx, "ACK", 1);
    (session, invite)
}

/// A call of a peer's with these header lines, answered; with our 200.
pub fn taken(
    net: &mut Net,
    us: usize,
    peer: SocketAddr,
    lines: &[(&str, &str)],
) -> (SessionId, Caller, Message) {
    let at = net.stations[us].at;
    let mut caller = Caller::new(peer, at, "incoming");
    let mut invite = caller.invite();
    lines.iter().for_each(|(name, value)| invite.push(name, *value));
    net.send(peer, at, &invite);
    let session = net.wait(us, "Incoming", 1, want::incoming);
    net.act(us, |agent, now| agent.accept(now, session, media(3000)));
    let (ok, _) = acknowledged(net, us, &mut caller);
    (session, caller, ok)
}

/// Our 200 to a caller, which acknowledges it; and what was agreed.
pub fn acknowledged(net: &mut Net, us: usize, caller: &mut Caller) -> (Message, Media) {
    let ok = net.receive(caller.at, "200 INVITE", 1);
    let ack = caller.ack(&ok);
    net.send(caller.at, net.stations[us].at, &ack);
    let agreed = net.wait(us, "Confirmed", 1, want::confirmed);
    (ok, agreed)
}
