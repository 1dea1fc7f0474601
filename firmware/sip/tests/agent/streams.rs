//! Connections: what waits for them, what they carry, and what becomes of it when they break (ACC-5).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::{
    Account, AccountId, Config, Event, HostPort, Invite, Message, Method, Package, RegistrationState,
    SessionId, Target, Transmit, Transport, UserAgent,
};

use crate::net::{account, address, media};
use crate::script::{Caller, answer, reply};

const US: &str = "192.0.2.1:5060";
const PBX: &str = "198.51.100.9:5060";
/// Somebody who is reached by datagrams.
const SPARE: &str = "203.0.113.7:5060";
/// Our end of connections.
const HERE: &str = "192.0.2.1:40000";
const REFUSED: &str = "nobody takes connections there";

/// An agent whose connections the test opens and breaks.
struct Desk {
    agent: UserAgent,
    now: Instant,
    sent: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Desk {
    fn new(account: Account) -> Desk {
        Desk::with(account, Config { streams: true, ..Config::new(address(US)) })
    }

    fn with(account: Account, config: Config) -> Desk {
        #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
        let now = Instant::now();
        let agent = UserAgent::new(config, 9);
        let mut desk = Desk { agent, now, sent: VecDeque::new(), events: VecDeque::new() };
        desk.act(|agent, now| agent.add_account(now, account));
        desk
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut UserAgent, Instant) -> T) -> T {
        let result = act(&mut self.agent, self.now);
        self.sent.extend(std::iter::from_fn(|| self.agent.poll_transmit()));
        self.events.extend(std::iter::from_fn(|| self.agent.poll_event()));
        result
    }

    /// Lets time pass.
    fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(next) = self.agent.poll_timeout().filter(|&next| next <= until) {
            self.now = self.now.max(next);
            self.act(|agent, now| agent.handle_timeout(now));
        }
        self.now = until;
    }

    /// The connection that is asked for, with the name of its certificate.
    fn asked(&mut self) -> Option<(Target, Option<String>)> {
        let at = self.events.iter().position(|event| matches!(event, Event::Connect { .. }))?;
        match self.events.remove(at) {
            Some(Event::Connect { target, server_name }) => Some((target, server_name)),
            _ => None,
        }
    }

    fn connect(&mut self, target: Target) {
        self.act(|agent, now| agent.connected(now, target, address(HERE)));
    }

    fn break_off(&mut self, target: Target, reason: &str) {
        self.act(|agent, now| agent.disconnected(now, target, reason));
    }

    /// The next message sent, and where to.
    fn next(&mut self) -> (Target, Message) {
        let transmit = self.sent.pop_front().expect("something is sent");
        (transmit.to, Message::parse(&transmit.bytes).unwrap())
    }

    fn receive(&mut self, from: Target, message: &Message) {
        let bytes = message.write();
        self.act(|agent, now| agent.handle_datagram(now, from, &bytes));
    }

    fn registration(&mut self) -> RegistrationState {
        let mut states = self.events.iter().filter_map(|event| match event {
            Event::Registration { state, .. } if *state != RegistrationState::Registering => {
                Some(state.clone())
            }
            _ => None,
        });
        states.next_back().expect("a word on the registration")
    }
}

fn by(transport: Transport, at: &str) -> Target {
    Target::new(transport, address(at))
}

fn over(transport: Transport) -> Account {
    Account { transport: Some(transport), register: true, ..account(address(PBX)) }
}

/// A desk registered over TCP.
fn registered() -> (Desk, Target) {
    let mut desk = Desk::new(over(Transport::Tcp));
    let (pbx, _) = desk.asked().unwrap();
    desk.connect(pbx);
    grant(&mut desk, pbx);
    assert!(matches!(desk.registration(), RegistrationState::Registered { .. }));
    (desk, pbx)
}

/// The name server says what is behind the name that was asked for.
fn resolve(desk: &mut Desk, host: &str, targets: &[Target]) {
    let id = desk.events.iter().find_map(|event| match event {
        Event::Resolve { id, host: asked, .. } if asked == host => Some(*id),
        _ => None,
    });
    desk.act(|agent, now| agent.resolved(now, id.unwrap(), Ok(targets.to_vec())));
}

/// Answers the REGISTER that was sent last.
fn grant(desk: &mut Desk, pbx: Target) {
    let (to, register) = desk.next();
    assert_eq!((to, register.method()), (pbx, Some(&Method::Register)));
    let mut ok = Message::response(&register, 200);
    ok.push("Contact", format!("{};expires=3600", register.header("Contact").unwrap()));
    desk.receive(pbx, &ok);
}

/// A call of the desk's: its INVITE.
fn dial(desk: &mut Desk) -> (SessionId, Message) {
    let call = Invite::new(AccountId(1), "2110", media(3000));
    let session = desk.act(|agent, now| agent.invite(now, call)).unwrap();
    (session, desk.next().1)
}

/// The same, answered by somebody with this Contact.
fn talk(desk: &mut Desk, pbx: Target, contact: &str) {
    let (_, invite) = dial(desk);
    let mut ok = answer(&invite, "b", pbx.address, "sendrecv");
    ok.set("Contact", contact);
    desk.receive(pbx, &ok);
}

/// A desk over TCP that does not register, with a call that is up; the answer had these header lines.
fn talking(lines: &[(&str, &str)]) -> (Desk, Target, SessionId) {
    let mut desk = Desk::new(Account { register: false, ..over(Transport::Tcp) });
    let pbx = by(Transport::Tcp, PBX);
    desk.connect(pbx);
    let (session, invite) = dial(&mut desk);
    let mut ok = answer(&invite, "b", pbx.address, "sendrecv");
    ok.set("Contact", format!("<sip:peer@{PBX};transport=tcp>"));
    lines.iter().for_each(|(name, value)| ok.push(name, *value));
    desk.receive(pbx, &ok);
    desk.sent.clear();
    desk.events.clear();
    (desk, pbx, session)
}

/// Whether a connection was asked for, which nobody takes.
fn refused(desk: &mut Desk, pbx: Target) -> bool {
    let asked = desk.asked().is_some();
    if asked {
        desk.break_off(pbx, REFUSED);
    }
    asked
}

fn has_ended(desk: &Desk) -> bool {
    desk.events.iter().any(|event| matches!(event, Event::Ended { .. }))
}

/// A call whose INVITE is too large for a datagram.
fn large_call() -> Invite {
    let mut call = Invite::new(AccountId(1), "2110", media(3000));
    call.headers.push(("Subject".into(), "x".repeat(1300)));
    call
}

#[test]
fn acc_5_a_request_waits_for_its_connection_and_says_by_what_it_goes() {
    let mut desk = Desk::new(over(Transport::Tcp));
    assert_eq!(desk.asked(), Some((by(Transport::Tcp, PBX), None)));
    assert!(desk.sent.is_empty());
    desk.connect(by(Transport::Tcp, PBX));
    let (to, register) = desk.next();
    assert_eq!(to, by(Transport::Tcp, PBX));
    let via = register.via().unwrap();
    assert_eq!((via.transport.as_str(), via.host.as_str(), via.port), ("TCP", "192.0.2.1", Some(40000)));
    // A peer that cannot open a connection to us finds us by the one that there is.
    let contact = register.contact().unwrap();
    assert_eq!((contact.uri.host.as_str(), contact.uri.port), ("192.0.2.1", Some(40000)));
    assert_eq!(contact.uri.params.value("transport"), Some("tcp"));
    assert_eq!(desk.asked(), None);
}

#[test]
fn acc_5_nothing_is_repeated_on_a_stream() {
    let mut desk = Desk::new(over(Transport::Tcp));
    desk.connect(by(Transport::Tcp, PBX));
    assert_eq!(desk.sent.len(), 1);
    desk.pass(Duration::from_secs(31));
    assert_eq!(desk.sent.len(), 1);
    desk.pass(Duration::from_secs(2));
    assert!(matches!(desk.registration(), RegistrationState::Failed { code: None, .. }));
}

#[test]
fn acc_5_where_no_connection_comes_about_the_registration_says_why() {
    let mut desk = Desk::new(over(Transport::Tls));
    let (target, _) = desk.asked().unwrap();
    desk.break_off(target, "certificate is for sbc.example, not for pbx.example");
    let reason = "certificate is for sbc.example, not for pbx.example".to_owned();
    assert_eq!(desk.registration(), RegistrationState::Failed { code: None, reason });
    // It is tried again, and what was in the way is forgotten once there is a connection.
    desk.pass(Duration::from_secs(60));
    assert_eq!(desk.asked().unwrap().0, target);
    desk.connect(target);
    desk.pass(Duration::from_secs(33));
    let reason = "no answer".to_owned();
    assert_eq!(desk.registration(), RegistrationState::Failed { code: None, reason });
}

#[test]
fn acc_5_a_large_request_goes_by_tcp() {
    let mut desk = Desk::new(account(address(PBX)));
    desk.act(|agent, now| agent.invite(now, large_call())).unwrap();
    assert!(desk.sent.is_empty());
    assert_eq!(desk.asked(), Some((by(Transport::Tcp, PBX), None)));
    desk.connect(by(Transport::Tcp, PBX));
    let (to, invite) = desk.next();
    assert_eq!(to, by(Transport::Tcp, PBX));
    assert_eq!(invite.via().unwrap().transport, "TCP");
    // The call goes on by what its exchange is spoken to otherwise: it outlives that connection.
    let contact = invite.contact().unwrap();
    assert_eq!((contact.uri.port, contact.uri.params.value("transport")), (Some(5060), None));
}

#[test]
fn acc_5_a_large_request_goes_by_datagram_where_tcp_is_refused_and_for_ten_minutes_at_once() {
    let mut desk = Desk::new(account(address(PBX)));
    desk.act(|agent, now| agent.invite(now, large_call())).unwrap();
    let (target, _) = desk.asked().unwrap();
    desk.break_off(target, "nobody takes connections there");
    let (to, invite) = desk.next();
    assert_eq!((to, invite.via().unwrap().transport.as_str()), (by(Transport::Udp, PBX), "UDP"));
    desk.receive(to, &reply(&invite, 486, "b", address(PBX)));
    desk.sent.clear();

    desk.pass(Duration::from_secs(590));
    desk.act(|agent, now| agent.invite(now, large_call())).unwrap();
    assert_eq!((desk.asked(), desk.next().0), (None, by(Transport::Udp, PBX)));
    desk.sent.clear();
    desk.pass(Duration::from_secs(20));
    desk.act(|agent, now| agent.invite(now, large_call())).unwrap();
    assert_eq!(desk.asked().unwrap().0, target);
}

#[test]
fn acc_5_where_udp_was_asked_for_by_name_large_requests_go_by_it_too() {
    let mut desk = Desk::new(Account { register: false, ..over(Transport::Udp) });
    desk.act(|agent, now| agent.invite(now, large_call())).unwrap();
    assert_eq!((desk.asked(), desk.next().0), (None, by(Transport::Udp, PBX)));
}

#[test]
fn acc_5_what_a_broken_connection_cut_off_goes_once_more_by_a_new_one() {
    let (mut desk, pbx) = registered();
    let (_, first) = dial(&mut desk);
    desk.break_off(pbx, "the peer broke it off");
    assert_eq!(desk.asked().unwrap().0, pbx);
    assert!(desk.sent.is_empty());
    desk.connect(pbx);
    let again: Vec<Message> = std::iter::from_fn(|| (!desk.sent.is_empty()).then(|| desk.next().1)).collect();
    let invite = again.iter().find(|message| message.method() == Some(&Method::Invite)).unwrap();
    assert_eq!(invite.via().unwrap().branch, first.via().unwrap().branch);
    assert!(again.iter().any(|message| message.method() == Some(&Method::Register)));
    // Once, and no more.
    desk.break_off(pbx, "the peer broke it off");
    assert!(desk.events.iter().any(|event| matches!(event, Event::Ended { .. })));
}

#[test]
fn acc_5_a_broken_connection_is_registered_by_anew() {
    let (mut desk, pbx) = registered();
    desk.break_off(pbx, "closed by the peer");
    assert_eq!(desk.asked().unwrap().0, pbx);
    desk.act(|agent, now| agent.connected(now, pbx, address("192.0.2.1:40001")));
    let (_, register) = desk.next();
    assert_eq!(register.contact().unwrap().uri.port, Some(40001));
}

#[test]
fn acc_5_a_call_that_outlives_its_connection_tells_where_we_are_once_there_is_a_new_one() {
    let (mut desk, pbx) = registered();
    talk(&mut desk, pbx, &format!("<sip:peer@{PBX};transport=tcp>"));
    desk.sent.clear();
    desk.break_off(pbx, "closed by the peer");
    // Nobody takes connections for a while: the call stays.
    assert_eq!(desk.asked().unwrap().0, pbx);
    desk.break_off(pbx, "nobody takes connections there");
    desk.pass(Duration::from_secs(10));
    assert!(desk.sent.is_empty());
    assert!(!desk.events.iter().any(|event| matches!(event, Event::Ended { .. })));
    desk.act(|agent, now| agent.connected(now, pbx, address("192.0.2.1:40001")));
    grant(&mut desk, pbx);
    let (to, again) = desk.next();
    assert_eq!((to, again.method()), (pbx, Some(&Method::Invite)));
    assert_eq!(again.to().unwrap().tag(), Some("b"));
    assert_eq!(again.contact().unwrap().uri.port, Some(40001));
}

/// Two targets behind a name, and the better one's machine goes down in the middle of a call.
#[test]
fn acc_5_a_call_goes_by_the_next_target_where_nobody_takes_connections_any_more() {
    const SECOND: &str = "198.51.100.10:5060";
    let registrar = HostPort { host: "pbx.example".into(), port: None };
    let config = Config { streams: true, probe: true, ..Config::new(address(US)) };
    let mut desk = Desk::with(Account { registrar, ..over(Transport::Tcp) }, config);
    let [first, second] = [PBX, SECOND].map(|at| by(Transport::Tcp, at));
    resolve(&mut desk, "pbx.example", &[first, second]);
    assert_eq!(desk.asked().unwrap().0, first);
    desk.connect(first);
    grant(&mut desk, first);
    desk.act(|agent, now| agent.subscribe(now, AccountId(1), "2110", Package::Dialog));
    desk.sent.clear();
    let (session, invite) = dial(&mut desk);
    let mut ok = answer(&invite, "b", first.address, "sendrecv");
    ok.push("Record-Route", format!("<sip:{PBX};transport=tcp;lr>"));
    desk.receive(first, &ok);
    desk.sent.clear();
    desk.events.clear();

    desk.break_off(first, "closed by the peer");
    assert_eq!(desk.asked().unwrap().0, first, "it may only have cleared its connections");
    // Somebody wants the call on hold at this very moment.
    desk.act(|agent, now| agent.hold(now, session));
    desk.break_off(first, "nobody takes connections there");
    assert_eq!(desk.asked().unwrap().0, second);
    desk.connect(second);
    let sent: Vec<(Target, Message)> =
        std::iter::from_fn(|| (!desk.sent.is_empty()).then(|| desk.next())).collect();
    assert!(sent.iter().all(|(to, _)| *to == second), "{sent:?}");
    let hold = sent.iter().map(|(_, message)| message).find(|sent| sent.method() == Some(&Method::Invite));
    assert_eq!(hold.unwrap().header("Route"), Some(format!("<sip:{SECOND};transport=tcp;lr>").as_str()));
    assert!(!desk.events.iter().any(|event| matches!(event, Event::Ended { .. })));
    assert!(!desk.events.iter().any(|event| matches!(event, Event::HoldFailed { .. })));

    // Gone as well: the line says why.
    desk.break_off(second, "closed by the peer");
    desk.break_off(second, "certificate is for somebody else");
    let RegistrationState::Failed { reason, .. } = desk.registration() else { panic!("registered") };
    assert_eq!(reason, "certificate is for somebody else");

    // Both refuse at once from now on, and are not asked in turns without end.
    let mut tries = 0;
    for _ in 0..200 {
        match desk.asked() {
            Some((target, _)) => {
                tries += 1;
                desk.break_off(target, "nobody takes connections there");
            }
            None => desk.pass(Duration::from_millis(10)),
        }
    }
    assert!((1..20).contains(&tries), "{tries} connections in two seconds");
}

#[test]
fn acc_5_an_answer_goes_back_by_the_connection_of_its_request() {
    let mut desk = Desk::new(account(address(PBX)));
    let peer = by(Transport::Tcp, "198.51.100.9:33000");
    desk.act(|agent, now| agent.connected(now, peer, address(US)));
    let mut caller = Caller::new(peer.address, address(US), "call");
    let mut options = caller.request(Method::Options);
    // Without rport, and from behind another name.
    options.pop_front("Via");
    options.push_front("Via", "SIP/2.0/TCP pbx.internal:5060;branch=z9hG4bK1");
    desk.receive(peer, &options);
    let (to, ok) = desk.next();
    assert_eq!((to, ok.code()), (peer, Some(200)));
    assert_eq!(ok.via().unwrap().received.as_deref(), Some("198.51.100.9"));
}

#[test]
fn acc_5_a_call_that_came_by_a_connection_is_answered_by_it_with_our_end_as_contact() {
    let (mut desk, pbx) = registered();
    let mut caller = Caller::new(pbx.address, address(US), "call");
    let mut invite = caller.request(Method::Invite);
    invite.set_body("application/sdp", crate::script::sdp(4000, "sendrecv"));
    desk.receive(pbx, &invite);
    let session = desk.events.iter().find_map(crate::net::want::incoming).unwrap();
    desk.sent.clear();
    desk.act(|agent, now| agent.accept(now, session, media(3000)));
    let (to, ok) = desk.next();
    assert_eq!((to, ok.code()), (pbx, Some(200)));
    let contact = ok.contact().unwrap();
    assert_eq!((contact.uri.port, contact.uri.params.value("transport")), (Some(40000), Some("tcp")));
}

#[test]
fn acc_5_an_answered_call_is_acknowledged_by_the_connection() {
    let (mut desk, pbx) = registered();
    talk(&mut desk, pbx, &format!("<sip:peer@{PBX};transport=tcp>"));
    let (to, ack) = desk.next();
    assert_eq!((to, ack.method()), (pbx, Some(&Method::Ack)));
    assert_eq!(ack.via().unwrap().transport, "TCP");
}

#[test]
fn acc_5_the_name_for_the_certificate_is_the_one_the_account_was_set_to() {
    let registrar = HostPort { host: "pbx.example".into(), port: None };
    let mut desk = Desk::new(Account { registrar, ..over(Transport::Tls) });
    let pbx = by(Transport::Tls, "198.51.100.9:5061");
    resolve(&mut desk, "pbx.example", &[pbx]);
    assert_eq!(desk.asked(), Some((pbx, Some("pbx.example".into()))));
    desk.connect(pbx);
    let transmit = desk.sent.pop_front().unwrap();
    assert_eq!(transmit.server_name.as_deref(), Some("pbx.example"));

    // Somebody's Contact leads to the same address by another name: that is not believed there.
    talk(&mut desk, pbx, "<sip:peer@a.evil.example;transport=tls>");
    resolve(&mut desk, "a.evil.example", &[pbx]);
    desk.break_off(pbx, "closed by the peer");
    assert_eq!(desk.asked(), Some((pbx, Some("pbx.example".into()))));
}

/// The exchange starts again: its connections are gone, and for some seconds nobody takes new ones.
#[test]
fn acc_5_a_hold_that_meets_no_connection_is_asked_for_again_and_the_call_stays() {
    let (mut desk, pbx, session) = talking(&[]);
    desk.break_off(pbx, "closed by the peer");
    desk.act(|agent, now| agent.hold(now, session));
    for _ in 0..3 {
        assert!(refused(&mut desk, pbx));
        assert_eq!(desk.asked(), None, "not at once");
        desk.pass(Duration::from_secs(2));
    }
    assert_eq!(desk.asked().unwrap().0, pbx);
    assert!(desk.events.is_empty() && desk.sent.is_empty(), "{:?}", desk.events);
    desk.connect(pbx);
    let (to, hold) = desk.next();
    assert_eq!((to, hold.method()), (pbx, Some(&Method::Invite)));
    assert!(String::from_utf8_lossy(hold.body()).contains("a=sendonly"));
    desk.receive(pbx, &answer(&hold, "b", pbx.address, "recvonly"));
    assert!(desk.events.iter().any(|event| matches!(event, Event::Held { .. })));
}

#[test]
fn acc_5_a_hold_for_which_there_is_no_connection_for_long_fails_and_the_call_stays() {
    let (mut desk, pbx, session) = talking(&[]);
    desk.break_off(pbx, "closed by the peer");
    desk.act(|agent, now| agent.hold(now, session));
    let mut tries = 0;
    for _ in 0..60 {
        tries += usize::from(refused(&mut desk, pbx));
        desk.pass(Duration::from_secs(1));
    }
    let failed = |event: &Event| match event {
        Event::HoldFailed { hold, code, .. } => Some((*hold, *code)),
        _ => None,
    };
    let failed: Vec<_> = desk.events.iter().filter_map(failed).collect();
    assert_eq!((failed, tries, has_ended(&desk)), (vec![(true, 503)], 9, false));
}

#[test]
fn acc_5_a_session_without_a_connection_to_refresh_it_lives_until_its_time_is_over() {
    for (method, allow) in [(Method::Update, "INVITE, UPDATE"), (Method::Invite, "INVITE")] {
        let timer = ("Session-Expires", "90;refresher=uac");
        let (mut desk, pbx, session) = talking(&[timer, ("Allow", allow)]);
        desk.break_off(pbx, "closed by the peer");
        desk.pass(Duration::from_secs(45));
        assert!(refused(&mut desk, pbx), "half its time is over");
        desk.pass(Duration::from_millis(4_900));
        assert_eq!(desk.asked(), None, "not at once");
        desk.pass(Duration::from_millis(100));
        let (target, _) = desk.asked().unwrap();
        desk.connect(target);
        let (_, refresh) = desk.next();
        assert_eq!(refresh.method(), Some(&method));
        let mut ok = match refresh.body() {
            [] => reply(&refresh, 200, "b", pbx.address),
            _ => answer(&refresh, "b", pbx.address, "sendrecv"),
        };
        ok.push(timer.0, timer.1);
        desk.receive(pbx, &ok);
        assert!(!has_ended(&desk));

        // It does not come back; a hold that is asked for meanwhile does not wait for the refresh.
        desk.events.clear();
        desk.break_off(pbx, "closed by the peer");
        let start = desk.now;
        while !has_ended(&desk) && desk.now < start + Duration::from_secs(200) {
            while refused(&mut desk, pbx) {}
            if desk.now == start + Duration::from_secs(50) {
                desk.act(|agent, now| agent.hold(now, session));
            }
            desk.pass(Duration::from_secs(1));
        }
        let lived = (desk.now - start).as_secs();
        assert!((90..=100).contains(&lived), "{method}: {lived} s");
        assert!(desk.events.iter().any(|event| matches!(event, Event::HoldFailed { .. })), "{method}");
    }
}

#[test]
fn acc_5_a_sign_of_life_that_nobody_could_be_asked_for_ends_no_call() {
    let (mut desk, pbx, session) = talking(&[]);
    desk.break_off(pbx, "closed by the peer");
    for _ in 0..2 {
        desk.act(|agent, now| agent.probe(now, session));
        desk.act(|agent, now| agent.probe(now, session));
        assert!(refused(&mut desk, pbx));
    }
    assert!(!has_ended(&desk));
    desk.connect(pbx);
    desk.act(|agent, now| agent.probe(now, session));
    assert_eq!(desk.next().1.method(), Some(&Method::Options));
    desk.act(|agent, now| agent.probe(now, session));
    assert!(has_ended(&desk), "that one was sent, and has no answer");
}

#[test]
fn acc_5_a_bye_that_met_no_connection_is_said_once_there_is_one() {
    let (mut desk, pbx, session) = talking(&[]);
    desk.break_off(pbx, "closed by the peer");
    desk.act(|agent, now| agent.hang_up(now, session));
    assert!(has_ended(&desk));
    for seconds in [2, 4, 8] {
        assert!(refused(&mut desk, pbx));
        desk.pass(Duration::from_secs(seconds) - Duration::from_millis(1));
        assert_eq!(desk.asked(), None);
        desk.pass(Duration::from_millis(1));
    }
    let (target, _) = desk.asked().unwrap();
    desk.connect(target);
    let (to, bye) = desk.next();
    assert_eq!((to, bye.method()), (pbx, Some(&Method::Bye)));
    assert_eq!((bye.headers("Via").count(), bye.to().unwrap().tag()), (1, Some("b")));
    desk.receive(pbx, &reply(&bye, 200, "b", pbx.address));
    desk.pass(Duration::from_secs(600));
    assert!(desk.sent.is_empty() && desk.asked().is_none());
    assert_eq!((desk.agent.transactions(), desk.agent.poll_timeout()), (0, None), "nothing is left");
}

/// Two ends have answered one INVITE, and the second was told at once that nobody wants it.
#[test]
fn acc_5_a_bye_that_met_no_connection_is_still_to_be_said_when_another_end_has_answered_its_own() {
    let mut desk = Desk::new(Account { register: false, ..over(Transport::Tcp) });
    let pbx = by(Transport::Tcp, PBX);
    desk.connect(pbx);
    let (session, invite) = dial(&mut desk);
    let contacts = [("b", format!("<sip:peer@{PBX};transport=tcp>")), ("c", format!("<sip:spare@{SPARE}>"))];
    for (tag, contact) in contacts {
        let mut ok = answer(&invite, tag, pbx.address, "sendrecv");
        ok.set("Contact", contact);
        desk.receive(pbx, &ok);
    }
    let sent: Vec<_> = desk.sent.drain(..).map(|it| (it.to, Message::parse(&it.bytes).unwrap())).collect();
    let spare = sent.iter().find(|(_, message)| message.method() == Some(&Method::Bye));
    let (to, spare) = spare.expect("the second is ended");
    assert_eq!((*to, spare.to().unwrap().tag()), (by(Transport::Udp, SPARE), Some("c")));
    desk.events.clear();
    desk.break_off(pbx, "closed by the peer");
    desk.act(|agent, now| agent.hang_up(now, session));
    assert!(refused(&mut desk, pbx));
    desk.receive(*to, &reply(spare, 200, "c", to.address));
    desk.pass(Duration::from_secs(2));
    let (target, _) = desk.asked().expect("it is said again");
    desk.connect(target);
    let (to, bye) = desk.next();
    assert_eq!((to, bye.method(), bye.to().unwrap().tag()), (pbx, Some(&Method::Bye), Some("b")));
    desk.receive(pbx, &reply(&bye, 200, "b", pbx.address));
    desk.pass(Duration::from_secs(600));
    assert!(desk.sent.is_empty() && desk.asked().is_none());
}

#[test]
fn acc_5_a_bye_that_finds_no_connection_for_five_minutes_is_given_up_and_leaves_nothing() {
    let (mut desk, pbx, session) = talking(&[]);
    desk.break_off(pbx, "closed by the peer");
    desk.act(|agent, now| agent.hang_up(now, session));
    let mut tries = 0;
    for _ in 0..400 {
        tries += usize::from(refused(&mut desk, pbx));
        desk.pass(Duration::from_secs(1));
    }
    assert!((10..20).contains(&tries), "{tries}");
    assert_eq!((desk.agent.transactions(), desk.agent.poll_timeout()), (0, None));
}

#[test]
fn acc_5_a_bye_that_met_no_connection_does_not_hold_up_the_end() {
    let (mut desk, pbx, _) = talking(&[]);
    desk.break_off(pbx, "closed by the peer");
    desk.act(|agent, now| agent.shut_down(now));
    assert!(refused(&mut desk, pbx));
    assert!(desk.events.iter().any(|event| matches!(event, Event::Drained)));
}
