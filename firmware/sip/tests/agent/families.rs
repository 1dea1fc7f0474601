//! IPv4 and IPv6: where a call's sound comes to, by what its offer says and by what its signalling came by.

use std::net::{IpAddr, SocketAddr};

use sip::sdp::LocalMedia;
use sip::{Account, AccountId, Config, Event, Invite, Message};

use crate::net::{FAIR, Net, account, address, media, want};
use crate::script::Caller;

const FOUR: &str = "192.0.2.1:5060";
const SIX: &str = "[2001:db8::1]:5060";
const PBX: &str = "198.51.100.9:5060";
const PBX_SIX: &str = "[2001:db8::9]:5060";

/// A desk at both, or only the first, of these addresses, with an account at `pbx`.
fn desk(local: &str, other: Option<&str>, pbx: &str) -> (Net, usize, SocketAddr) {
    let mut net = Net::new(5, FAIR);
    let pbx = net.peer(pbx);
    let mut config = Config::new(address(local));
    config.local_other = other.map(address);
    let us = net.agent_with(config);
    net.act(us, |agent, now| agent.add_account(now, Account { register: true, ..account(pbx) }));
    (net, us, pbx)
}

/// A call whose offer names `at`, and comes in from the exchange.
fn called(net: &mut Net, us: usize, pbx: SocketAddr, at: &str) {
    let to = net.stations[us].at;
    let mut invite = Caller::new(pbx, to, "c").invite();
    let body = format!("v=0\r\no=- 1 1 IN {at}\r\ns=-\r\nc=IN {at}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n");
    invite.set_body("application/sdp", body.into_bytes());
    net.send(pbx, to, &invite);
}

fn body(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

#[test]
fn acc_5_an_offer_of_the_other_family_is_answered_where_we_have_an_address_of_it() {
    for (local, other, at) in [(FOUR, SIX, "IP6 2001:db8::77"), (SIX, FOUR, "IP4 198.51.100.77")] {
        let pbx = if local == FOUR { PBX } else { PBX_SIX };
        let (mut net, us, pbx) = desk(local, Some(other), pbx);
        called(&mut net, us, pbx, at);
        let session = net.wait(us, "Incoming", 1, want::incoming);
        let ip = net.act(us, |agent, _| agent.media_ip_of(session)).unwrap();
        assert_eq!(ip, address(other).ip());
        let local = LocalMedia { rtp: SocketAddr::new(ip, 3000), ..media(3000) };
        net.act(us, |agent, now| agent.accept(now, session, local));
        let ok = body(&net.receive(pbx, "200 INVITE", 1));
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        assert!(ok.contains(&format!("c=IN {family} {ip}")) && ok.contains("m=audio 3000"), "{ok}");
    }
}

#[test]
fn acc_5_an_offer_of_a_family_that_we_have_not_is_refused_and_says_why() {
    for (local, pbx, at, agent) in
        [(FOUR, PBX, "IP6 2001:db8::77", "192.0.2.1"), (SIX, PBX_SIX, "IP4 198.51.100.77", "[2001:db8::1]")]
    {
        let (mut net, us, pbx) = desk(local, None, pbx);
        called(&mut net, us, pbx, at);
        let refusal = net.receive(pbx, "488 INVITE", 1);
        let warning = refusal.header("Warning").unwrap();
        assert_eq!(warning, format!("301 {agent} \"no address of this family (IPv4, IPv6) here\""));
        assert!(!net.stations[us].events.iter().any(|event| matches!(event, Event::Incoming { .. })));
    }
}

#[test]
fn acc_5_a_call_out_is_heard_at_an_address_of_the_family_of_its_exchange() {
    let cases = [(FOUR, Some(SIX), PBX_SIX, SIX), (FOUR, Some(SIX), PBX, FOUR), (SIX, None, PBX_SIX, SIX)];
    for (local, other, pbx, heard_at) in cases {
        let (mut net, us, _) = desk(local, other, pbx);
        let ip: IpAddr = net.act(us, |agent, _| agent.media_ip(AccountId(1)));
        assert_eq!(ip, address(heard_at).ip(), "{local} {other:?} {pbx}");
        let invite =
            Invite::new(AccountId(1), "2110", LocalMedia { rtp: SocketAddr::new(ip, 3000), ..media(3000) });
        net.act(us, |agent, now| agent.invite(now, invite)).unwrap();
        let invite = net.receive(address(pbx), "INVITE", 1);
        assert_eq!(invite.contact().unwrap().uri.host, ip.to_string());
    }
}

#[test]
fn acc_5_one_address_more_leaves_everything_as_it_is() {
    let (mut net, us, pbx) = desk(FOUR, None, PBX);
    let register = net.receive(pbx, "REGISTER", 1);
    let mut granted = Message::response(&register, 200);
    granted.push("Contact", format!("{};expires=600", register.headers("Contact").next().unwrap()));
    net.send(pbx, address(FOUR), &granted);
    net.pass(std::time::Duration::from_secs(1));
    net.act(us, |agent, now| agent.moved(now, address(FOUR), Some(address(SIX))));
    net.pass(std::time::Duration::from_secs(1));
    assert_eq!(net.count(pbx, "REGISTER"), 0);
    called(&mut net, us, pbx, "IP6 2001:db8::77");
    let session = net.wait(us, "Incoming", 1, want::incoming);
    let ip = net.act(us, |agent, _| agent.media_ip_of(session)).unwrap();
    assert_eq!(ip, address(SIX).ip());
}
