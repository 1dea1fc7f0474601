//! The operator's telephone in place of the sound card (ACC-3).
//!
//! The telephone is called when there is somebody to speak with, or when the operator taps the headset, and answers
//! by itself. At first it speaks with the desk, and the media engine has its stream in the place of speaker and
//! microphone: so it hears tones, calls on hold hear music, and a conference is one, all as without it. Once the
//! operator speaks with one call alone, the two are joined by the user agent, and speech flows between them directly;
//! what they cannot agree on stays as it was. Muted, in a conference or with digits to send the desk is between them
//! again.
//!
//! The telephone stays in the call between two callers, for a minute: a receptionist takes one after the other, and
//! each would otherwise wait for the telephone to answer. Then it is hung up, so that it is not in use all day; one
//! that the operator has connected with the headset stays.
//! Not done here: the join (`sip`), the mixing (`media`), and what becomes of a call whose operator has gone
//! (`switchboard`).

mod line;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipc::CallRef;
use media::StreamId;
use sip::{AccountId, SessionId};
use switchboard::Ear;

/// The stream of the telephone. Calls count from 1.
const STREAM: StreamId = StreamId(u64::MAX);
/// How long the telephone may ring. It is to answer by itself.
const ANSWER: Duration = Duration::from_secs(10);
/// How long an operator must have spoken with a call before the two are joined: exchanges have changes of their own
/// to make in a call that was just answered.
const SETTLE: Duration = Duration::from_millis(400);
/// How long after they were parted by somebody else they are joined again.
const AGAIN: Duration = Duration::from_secs(3);
/// Joins tried with one call before the desk stays between the two.
const MAX_JOINS: u8 = 3;
/// A join that lasted so long does not count among these.
const LASTING: Duration = Duration::from_secs(60);
/// How often the telephone is asked for a sign of life; without one until the next time it is lost.
const PROBE: Duration = Duration::from_secs(4);
/// How long it stays when nobody is spoken with.
const IDLE: Duration = Duration::from_secs(60);

/// The telephone wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phone {
    /// Its number or address.
    pub(crate) number: String,
    /// The account that calls it.
    pub(crate) account: AccountId,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tether {
    /// `None`: the desk's own devices.
    phone: Option<Phone>,
    line: Line,
    /// The operator has connected it, and will disconnect it.
    kept: bool,
    ear: Ear,
    muted: bool,
    /// When it was last needed.
    idle_since: Option<Instant>,
    join_at: Option<Instant>,
    /// Joins tried with the call that has the ear.
    joins: u8,
    /// Calls that did not come back and were told of: another refusal of theirs is no news.
    let_be: BTreeSet<CallRef>,
}

/// The call of the telephone.
#[derive(Debug, Default)]
enum Line {
    #[default]
    Down,
    Calling {
        session: SessionId,
        until: Instant,
        /// We ended it ourselves because it did not answer.
        given_up: bool,
    },
    Up {
        session: SessionId,
        joint: Option<Joint>,
        /// Somebody at the telephone has put it on hold.
        held: bool,
        probe_at: Instant,
    },
}

/// The call it is joined with, or is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Joint {
    call: CallRef,
    /// Since when speech flows past the desk; `None` while they are being joined.
    since: Option<Instant>,
}

impl Tether {
    pub(crate) fn is_on(&self) -> bool {
        self.phone.is_some()
    }

    /// Its session, which is no call of the desk.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.line {
            Line::Down => None,
            Line::Calling { session, .. } | Line::Up { session, .. } => Some(session),
        }
    }

    /// When [`Engine::tether_deadline`] is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        let line = match self.line {
            Line::Down => None,
            Line::Calling { until, given_up, .. } => (!given_up).then_some(until),
            Line::Up { probe_at, .. } => Some(probe_at),
        };
        [line, self.join_at, self.leaves_at()].into_iter().flatten().min()
    }

    fn leaves_at(&self) -> Option<Instant> {
        let idle = self.idle_since.filter(|_| !self.kept && matches!(self.line, Line::Up { .. }));
        idle.map(|since| since + IDLE)
    }

    /// A call does not come back from it. They are joined again however often they have been: that was heard. `false`: it
    /// has been told of, and is let be. A far end that refuses whatever it is asked refuses the next join too, and then to
    /// come back from that: the two would go round without end.
    fn call_stranded(&mut self, call: CallRef) -> bool {
        if !self.let_be.insert(call) {
            return false;
        }
        if self.ear == Ear::Call(call) {
            self.joins = 0;
        }
        true
    }

    /// Something new has happened to a call, or it is over: should it not come back after that, that is news.
    pub(crate) fn call_renewed(&mut self, call: CallRef) {
        self.let_be.remove(&call);
    }

    /// The same for all calls: this machine has another address.
    pub(crate) fn calls_renewed(&mut self) {
        self.let_be.clear();
    }

    /// The same for the call that has the ear: the operator has done something.
    fn spoken_call_renewed(&mut self) {
        if let Ear::Call(call) = self.ear {
            self.call_renewed(call);
        }
    }

    fn joint(&self) -> Option<Joint> {
        if let Line::Up { joint, .. } = self.line { joint } else { None }
    }

    /// The call it should be joined with.
    fn wish(&self) -> Option<CallRef> {
        match (self.ear, &self.line) {
            (Ear::Call(call), Line::Up { held: false, .. }) if !self.muted => Some(call),
            _ => None,
        }
    }
}

/// Whether two peers of ours may be sent to each other. Speech that is encrypted with us stays so. And addresses of a
/// house and those outside do not reach each other without help, which the desk has and a telephone may lack.
fn may_meet(a: &sip::sdp::Media, b: &sip::sdp::Media) -> bool {
    let in_the_clear = a.srtp.is_none() && b.srtp.is_none();
    in_the_clear && is_inside(a.remote_rtp.ip()) == is_inside(b.remote_rtp.ip())
}

fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use sip::sdp::LocalMedia;

    use super::*;

    fn media(ip: &str) -> sip::sdp::Media {
        let ip: IpAddr = ip.parse().unwrap();
        let local = LocalMedia::plain((ip, 4000).into(), vec![sip::sdp::Codec::Pcma]);
        let version = if ip.is_ipv4() { 4 } else { 6 };
        let offer = format!("v=0\r\nc=IN IP{version} {ip}\r\nm=audio 5000 RTP/AVP 8\r\n");
        sip::sdp::OfferAnswer::new(local, 1).receive_offer(offer.as_bytes()).unwrap()
    }

    fn up(now: Instant) -> Tether {
        let line = Line::Up {
            session: SessionId(7),
            joint: None,
            held: false,
            probe_at: now + Duration::from_secs(3600),
        };
        let phone = Phone { number: "2190".into(), account: AccountId(1) };
        Tether { phone: Some(phone), line, ear: Ear::Call(CallRef(1)), ..Tether::default() }
    }

    #[test]
    fn acc_3_the_telephone_is_joined_with_the_one_call_that_is_spoken_with_and_with_none_when_muted() {
        let now = Instant::now();
        assert_eq!(up(now).wish(), Some(CallRef(1)));
        assert_eq!(Tether { muted: true, ..up(now) }.wish(), None);
        assert_eq!(Tether { ear: Ear::Conference, ..up(now) }.wish(), None);
        assert_eq!(Tether { ear: Ear::Nobody, ..up(now) }.wish(), None);
        let mut held = up(now);
        if let Line::Up { held, .. } = &mut held.line {
            *held = true;
        }
        assert_eq!(held.wish(), None, "somebody has put it on hold");
        assert_eq!(Tether { line: Line::Down, ..up(now) }.wish(), None);
    }

    #[test]
    fn acc_3_a_call_that_does_not_come_back_from_the_telephone_may_be_joined_with_it_again() {
        let mut tether = Tether { joins: MAX_JOINS, ..up(Instant::now()) };
        assert!(tether.call_stranded(CallRef(2)));
        assert_eq!(tether.joins, MAX_JOINS, "somebody else is spoken with");
        assert!(tether.call_stranded(CallRef(1)));
        assert_eq!(tether.joins, 0);
    }

    #[test]
    fn acc_3_a_call_that_refuses_the_next_join_too_is_let_be_until_something_new_happens() {
        let mut tether = Tether { joins: MAX_JOINS, ..up(Instant::now()) };
        assert!(tether.call_stranded(CallRef(1)), "told of, and tried once more");
        // The join is refused, and so is the way back from it.
        for _ in 0..3 {
            tether.joins = MAX_JOINS;
            assert!(!tether.call_stranded(CallRef(1)));
            assert_eq!(tether.joins, MAX_JOINS, "no other join");
        }
        assert!(tether.call_stranded(CallRef(2)), "each call for itself");
        let renew: [fn(&mut Tether); 3] =
            [|it| it.call_renewed(CallRef(1)), Tether::spoken_call_renewed, Tether::calls_renewed];
        for renew in renew {
            renew(&mut tether);
            assert!(tether.call_stranded(CallRef(1)));
            assert_eq!(tether.joins, 0);
            tether.joins = MAX_JOINS;
            assert!(!tether.call_stranded(CallRef(1)));
        }
        tether.call_renewed(CallRef(2));
        assert!(!tether.call_stranded(CallRef(1)), "what happens to another call is nothing to it");
    }

    #[test]
    fn acc_3_an_idle_telephone_is_hung_up_after_a_minute_and_one_connected_by_hand_is_not() {
        let now = Instant::now();
        let idle = Tether { idle_since: Some(now), ..up(now) };
        assert_eq!((idle.leaves_at(), idle.next()), (Some(now + IDLE), Some(now + IDLE)));
        assert_eq!(Tether { kept: true, ..idle }.leaves_at(), None);
        assert_eq!(up(now).leaves_at(), None, "somebody is spoken with");
        let down = Tether { line: Line::Down, idle_since: Some(now), ..up(now) };
        assert_eq!(down.next(), None);
    }

    #[test]
    fn acc_3_a_telephone_of_the_house_and_a_caller_from_outside_are_not_sent_to_each_other() {
        let meet = |a: &str, b: &str| may_meet(&media(a), &media(b));
        assert!(meet("192.168.1.20", "10.0.0.5") && meet("127.0.0.1", "127.0.0.1"));
        assert!(meet("203.0.113.9", "198.51.100.1") && meet("fd00::1", "192.168.1.20"));
        assert!(!meet("192.168.1.20", "203.0.113.9") && !meet("2001:db8::1", "fd00::1"));
    }
}
