//! The translation between `sip`, `media` and `switchboard`: plain functions, both ways side by side.
//!
//! Nothing is decided here and nothing is kept; whoever wants to know what a word of one crate is
//! called in the other reads this file.

use ipc::{AudioState, Direction, LampCall, LampState, OnlineState, Party, Registration, RingTone, TalkId};
use sip::{
    Cause, DiversionReason, EndedBy, Identity, RegistrationState, Replaces, TransferResult,
    dialog_info::{CallDirection, Dialog, DialogState, Participant},
    pidf::{Activity, Presence},
};
use switchboard::{Diverted, Ear, EndCause, Tone};

use crate::intercept::{Pickup, Takes};

/// Calls of one phone told one by one: more than one person can have. How many there are is told besides.
const MAX_TALKS: usize = 8;

/// What a phone does, as the desk shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lamp {
    /// By its colour.
    pub(crate) state: LampState,
    /// Number of calls on it.
    pub(crate) calls: u16,
    /// The other end of its first call: name, else number.
    pub(crate) peer: Option<String>,
    /// Its calls one by one, what rings first (PRE-4), at most [`MAX_TALKS`].
    pub(crate) talks: Vec<LampCall>,
}

/// What a phone does, from all its dialogs (RFC 4235). Park slots and conference rooms are phones like others.
/// `talks` has, at the place of each dialog, by what it can be taken over.
pub(crate) fn lamp(dialogs: &[Dialog], talks: &[Option<TalkId>]) -> Lamp {
    let named = dialogs.iter().zip(talks.iter().copied().chain(std::iter::repeat(None)));
    let live = || named.clone().filter(|(dialog, _)| dialog.state != DialogState::Terminated);
    let calls = u16::try_from(live().count()).unwrap_or(u16::MAX);
    let state = match calls {
        0 => LampState::Available,
        _ if live().all(|(dialog, _)| rings(dialog)) => LampState::Ringing,
        _ => LampState::Busy,
    };
    let peer = live().find_map(|(dialog, _)| dialog.remote.as_ref()).map(|remote| {
        let number = || sip::Uri::parse(&remote.identity).ok().and_then(|uri| uri.number());
        remote.display.clone().or_else(number).unwrap_or_else(|| remote.identity.clone())
    });
    let ringing = live().filter(|(dialog, _)| rings(dialog));
    let talking = live().filter(|(dialog, _)| !rings(dialog));
    let talks = ringing.chain(talking).take(MAX_TALKS).map(|(dialog, id)| talk(dialog, id)).collect();
    Lamp { state, calls, peer, talks }
}

/// The phone is called and has not answered.
fn rings(dialog: &Dialog) -> bool {
    dialog.state != DialogState::Confirmed && dialog.direction == Some(CallDirection::Recipient)
}

fn talk(dialog: &Dialog, talk: Option<TalkId>) -> LampCall {
    let direction = dialog.direction.map(|direction| match direction {
        CallDirection::Initiator => Direction::Outgoing,
        CallDirection::Recipient => Direction::Incoming,
    });
    LampCall { ringing: rings(dialog), direction, party: remote_party(dialog), talk }
}

/// The first call that rings on a phone, of those that can be taken by Replaces if there is one.
///
/// The INVITE goes to the end that called, and says the tags as that end sees them: RFC 3891 section 3 lets only
/// the one that began an early dialog give it away, and an exchange between the two is that end for its phones.
pub(crate) fn pickup<'a>(dialogs: impl Iterator<Item = &'a Dialog>) -> Option<Pickup> {
    let ringing = dialogs.filter(|dialog| {
        let over = matches!(dialog.state, DialogState::Confirmed | DialogState::Terminated);
        !over && dialog.direction == Some(CallDirection::Recipient)
    });
    let mut found: Vec<Pickup> =
        ringing.map(|dialog| Pickup { caller: remote_party(dialog), takes: takes(dialog) }).collect();
    let best = found.iter().position(|pickup| pickup.takes.is_some()).unwrap_or(0);
    (!found.is_empty()).then(|| found.swap_remove(best))
}

/// By what a conversation can be taken over: an INVITE to the phone's other end that takes the phone's place there.
/// Which of them began it makes no difference once it is confirmed, nor whether one has the other on hold (RFC 3891
/// section 3). `None` where it is none, or the exchange does not tell enough; no feature code does this.
pub(crate) fn takeover(dialog: &Dialog) -> Option<Takes> {
    if dialog.state == DialogState::Confirmed { takes(dialog) } else { None }
}

/// The other end of a call of a phone.
pub(crate) fn remote_party(dialog: &Dialog) -> Party {
    let remote = dialog.remote.as_ref();
    let name = remote.and_then(|remote| remote.display.clone());
    Party { number: remote.and_then(number), name, ..Party::default() }
}

/// The number of one end of a dialog.
pub(crate) fn number(end: &Participant) -> Option<String> {
    sip::Uri::parse(&end.identity).ok().and_then(|uri| uri.number())
}

fn takes(dialog: &Dialog) -> Option<Takes> {
    // Without a tag of its own the caller cannot be asked for this dialog.
    dialog.remote_tag.as_ref()?;
    let replaces = Replaces::of_lamp(dialog)?.reversed();
    let remote = dialog.remote.as_ref()?;
    let is_sip = |uri: &&String| sip::Uri::parse(uri).is_ok_and(|uri| uri.scheme == sip::Scheme::Sip);
    let identity = Some(&remote.identity).filter(is_sip);
    let target = remote.target.as_ref().filter(is_sip).or(identity)?;
    let to = Identity { display: remote.display.clone(), uri: identity.unwrap_or(target).clone() };
    Some(Takes { target: target.clone(), to, replaces })
}

/// How it rings.
pub(crate) fn ring(ring: RingTone) -> media::Ring {
    match ring {
        RingTone::Bell => media::Ring::Bell,
        RingTone::Chime => media::Ring::Chime,
        RingTone::Warble => media::Ring::Warble,
        RingTone::Gong => media::Ring::Gong,
    }
}

/// The end of a call, as the wire tells it.
pub(crate) fn end_cause(cause: Cause) -> EndCause {
    EndCause {
        by_remote: cause.by == EndedBy::Remote,
        code: cause.code,
        reason: cause.reason,
        elsewhere: cause.elsewhere,
    }
}

/// The fate of a transfer, as the wire tells it.
pub(crate) fn transfer_result(result: TransferResult) -> switchboard::TransferResult {
    match result {
        TransferResult::Ok(_) => switchboard::TransferResult::Answered,
        TransferResult::Refused(code, _) => switchboard::TransferResult::Refused { code },
        TransferResult::NoNotify | TransferResult::Timeout => switchboard::TransferResult::Silent,
    }
}

/// An account's standing.
pub(crate) fn registration(state: RegistrationState) -> Registration {
    match state {
        RegistrationState::Registering => Registration::Registering,
        RegistrationState::Registered { .. } => Registration::Registered,
        RegistrationState::Unregistered => Registration::Off,
        RegistrationState::Failed { code: Some(code), reason } => {
            Registration::Failed { reason: format!("{code} {reason}") }
        }
        RegistrationState::Failed { code: None, reason } => Registration::Failed { reason },
    }
}

/// Whether a person is there (RFC 3863), and does not want to be disturbed. Who is not to be disturbed is away: that
/// they are there is nothing to call them for.
pub(crate) fn person(presence: &Presence) -> (OnlineState, bool) {
    let state = match (presence.open, presence.activity) {
        (Some(false), _) => OnlineState::Offline,
        (_, Activity::Busy | Activity::Away | Activity::DoNotDisturb) => OnlineState::Away,
        (Some(true), Activity::Free) => OnlineState::Online,
        (None, Activity::Free) => OnlineState::Unknown,
    };
    (state, presence.activity == Activity::DoNotDisturb)
}

/// Somebody named by the wire, before any directory is asked.
pub(crate) fn party(party: sip::Party) -> Party {
    Party { number: party.number, name: party.display, ..Party::default() }
}

/// What was agreed by offer and answer, for the media engine.
pub(crate) fn remote(media: &sip::sdp::Media) -> media::Remote {
    media::Remote {
        rtp: media.remote_rtp,
        rtcp: media.remote_rtcp,
        rtcp_mux: media.rtcp_mux,
        srtp: media.srtp.as_ref().map(srtp),
        codec: codec(media.codec),
        payload_type: media.payload_type,
        remote_payload_type: media.remote_payload_type,
        also: media.also.iter().map(alternative).collect(),
        dtmf_payload_type: media.dtmf_payload_type,
        dtmf_clock_hz: media.dtmf_clock_hz,
        ptime_ms: media.ptime_ms,
        direction: match media.direction {
            sip::sdp::Direction::SendRecv => media::Direction::SendRecv,
            sip::sdp::Direction::SendOnly => media::Direction::SendOnly,
            sip::sdp::Direction::RecvOnly => media::Direction::RecvOnly,
            sip::sdp::Direction::Inactive => media::Direction::Inactive,
        },
    }
}

fn alternative(also: &sip::sdp::Alternative) -> media::Alternative {
    media::Alternative { codec: codec(also.codec), payload_type: also.payload_type }
}

fn codec(codec: sip::sdp::Codec) -> media::Codec {
    match codec {
        sip::sdp::Codec::Pcmu => media::Codec::Pcmu,
        sip::sdp::Codec::Pcma => media::Codec::Pcma,
        sip::sdp::Codec::Opus => media::Codec::Opus,
        sip::sdp::Codec::G722 => media::Codec::G722,
    }
}

/// The keys of a call.
fn srtp(keys: &sip::sdp::SrtpKeys) -> media::SrtpKeys {
    media::SrtpKeys {
        suite: match keys.suite {
            sip::sdp::SrtpSuite::AesCm128Sha1_80 => media::SrtpSuite::Aes128Sha1_80,
            sip::sdp::SrtpSuite::AesCm128Sha1_32 => media::SrtpSuite::Aes128Sha1_32,
            sip::sdp::SrtpSuite::AesCm256Sha1_80 => media::SrtpSuite::Aes256Sha1_80,
            sip::sdp::SrtpSuite::AesCm256Sha1_32 => media::SrtpSuite::Aes256Sha1_32,
        },
        local: keys.local.as_bytes().to_vec(),
        remote: keys.remote.as_bytes().to_vec(),
    }
}

/// The codecs offered and accepted, best first: those that the media engine speaks.
pub(crate) fn codecs() -> Vec<sip::sdp::Codec> {
    vec![sip::sdp::Codec::Opus, sip::sdp::Codec::G722, sip::sdp::Codec::Pcma, sip::sdp::Codec::Pcmu]
}

/// A call-progress tone.
pub(crate) fn tone(tone: Tone) -> media::Tone {
    match tone {
        Tone::Ringback => media::Tone::Ringback,
        Tone::Busy => media::Tone::Busy,
        Tone::Congestion => media::Tone::Congestion,
        Tone::CallWaiting => media::Tone::CallWaiting,
    }
}

/// Who has the operator's ear.
pub(crate) fn ear(ear: Ear) -> media::Ear {
    match ear {
        Ear::Nobody => media::Ear::Nobody,
        Ear::Call(call) => media::Ear::Stream(media::StreamId(call.0)),
        Ear::Conference => media::Ear::Conference,
    }
}

/// Why a call is sent on, for its new target.
pub(crate) fn diverted(why: Diverted) -> DiversionReason {
    match why {
        Diverted::Unconditional => DiversionReason::Unconditional,
        Diverted::Busy => DiversionReason::UserBusy,
        Diverted::NoAnswer => DiversionReason::NoAnswer,
        Diverted::TimeOfDay => DiversionReason::TimeOfDay,
        Diverted::DoNotDisturb => DiversionReason::DoNotDisturb,
        Diverted::Away => DiversionReason::Away,
    }
}

/// Why a call could not be sent on, as a SIP status: it would go round (RFC 3261 section 21.4.20), or nobody knows the
/// target.
pub(crate) fn not_sent_on(error: &sip::Error) -> u16 {
    match error {
        sip::Error::DiversionLoop(_) | sip::Error::TooManyDiversions(_) => 482,
        _ => 404,
    }
}

/// The state of one sound device.
pub(crate) fn audio(name: String, state: media::DeviceState) -> AudioState {
    match state {
        media::DeviceState::Open => AudioState::Connected { device: name },
        media::DeviceState::Lost { reason } => AudioState::Failed { reason: format!("{name}: {reason}") },
        media::DeviceState::Closed => AudioState::Disconnected,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn lamp(dialogs: &[Dialog]) -> Lamp {
        super::lamp(dialogs, &[])
    }

    fn dialog(state: DialogState, direction: CallDirection) -> Dialog {
        Dialog {
            id: "1".into(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: Some(direction),
            state,
            local: None,
            remote: Some(Participant {
                identity: "sip:2112@pbx.example".into(),
                display: None,
                target: None,
            }),
        }
    }

    #[test]
    fn call_8_a_call_that_would_go_round_is_said_to() {
        let codes = [
            sip::Error::DiversionLoop("2110".into()),
            sip::Error::TooManyDiversions(10),
            sip::Error::BadTarget("2110".into()),
        ]
        .map(|error| not_sent_on(&error));
        assert_eq!(codes, [482, 482, 404]);
    }

    #[test]
    fn bar_3_digits_beside_opus_have_the_clock_that_was_agreed_for_them() {
        let offer = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 5000 RTP/AVP 111 97\r\n\
                     a=rtpmap:111 opus/48000/2\r\na=rtpmap:97 telephone-event/8000\r\n";
        let local = sip::LocalMedia::plain(([192, 0, 2, 1], 4000).into(), codecs());
        let agreed = sip::OfferAnswer::new(local, 1).receive_offer(offer.as_bytes()).unwrap();
        let remote = remote(&agreed);
        assert_eq!((remote.codec, remote.dtmf_payload_type), (media::Codec::Opus, Some(97)));
        assert_eq!(remote.dtmf_clock_hz, 8_000);
    }

    #[test]
    fn every_codec_that_an_answer_names_is_expected() {
        let local = sip::LocalMedia::plain(([192, 0, 2, 1], 4000).into(), codecs());
        let mut offer = sip::OfferAnswer::new(local, 1);
        offer.create_offer(sip::Direction::SendRecv).unwrap();
        let answer = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 5000 RTP/AVP 9 8\r\n";
        let remote = remote(&offer.receive_answer(answer.as_bytes()).unwrap());
        assert_eq!((remote.codec, remote.payload_type), (media::Codec::G722, 9));
        assert_eq!(remote.also, [media::Alternative { codec: media::Codec::Pcma, payload_type: 8 }]);
    }

    #[test]
    fn pre_1_a_phone_without_dialogs_is_available() {
        assert_eq!(lamp(&[]), Lamp { state: LampState::Available, ..Lamp::default() });
    }

    #[test]
    fn pre_1_an_ended_dialog_does_not_make_a_phone_busy() {
        assert_eq!(
            lamp(&[dialog(DialogState::Terminated, CallDirection::Recipient)]),
            Lamp { state: LampState::Available, ..Lamp::default() }
        );
    }

    #[test]
    fn pre_1_a_phone_that_is_called_rings_and_one_that_calls_is_busy() {
        let called = dialog(DialogState::Early, CallDirection::Recipient);
        let is = lamp(&[called]);
        assert_eq!((is.state, is.calls, is.peer.as_deref()), (LampState::Ringing, 1, Some("2112")));
        assert_eq!(lamp(&[dialog(DialogState::Early, CallDirection::Initiator)]).state, LampState::Busy);
    }

    #[test]
    fn pre_3_what_rings_is_taken_from_the_caller_who_sees_the_tags_the_other_way_round() {
        let remote = Participant {
            identity: "sip:2112@pbx.example".into(),
            display: Some("Ann".into()),
            target: Some("sip:x7@192.0.2.9:5062".into()),
        };
        let hidden = dialog(DialogState::Early, CallDirection::Recipient);
        let told = Dialog {
            call_id: Some("c1".into()),
            local_tag: Some("phone".into()),
            remote_tag: Some("caller".into()),
            remote: Some(remote),
            ..hidden.clone()
        };
        let found = pickup([&hidden, &told].into_iter());
        let caller = Party { number: Some("2112".into()), name: Some("Ann".into()), ..Party::default() };
        let to = Identity { display: Some("Ann".into()), uri: "sip:2112@pbx.example".into() };
        let (to_tag, from_tag) = ("caller".into(), "phone".into());
        let replaces = Replaces { call_id: "c1".into(), to_tag, from_tag, early_only: true };
        let takes = Some(Takes { target: "sip:x7@192.0.2.9:5062".into(), to, replaces });
        assert_eq!(found, Some(Pickup { caller, takes }));
        let found = pickup([&hidden].into_iter());
        assert!(found.is_some_and(|found| found.takes.is_none()), "it rings, and no more is known");
        for (state, direction) in [
            (DialogState::Confirmed, CallDirection::Recipient),
            (DialogState::Terminated, CallDirection::Recipient),
            (DialogState::Early, CallDirection::Initiator),
        ] {
            assert_eq!(
                pickup([&Dialog { state, direction: Some(direction), ..told.clone() }].into_iter()),
                None
            );
        }
        let no_tag = Dialog { remote_tag: None, ..told };
        assert!(pickup([&no_tag].into_iter()).is_some_and(|found| found.takes.is_none()));
    }

    #[test]
    fn pre_3_a_conversation_is_taken_over_at_its_other_end_whichever_of_them_called() {
        let remote = Participant {
            identity: "sip:2112@pbx.example".into(),
            display: None,
            target: Some("sip:x7@192.0.2.9:5062".into()),
        };
        let talking = Dialog {
            call_id: Some("c1".into()),
            local_tag: Some("phone".into()),
            remote_tag: Some("other".into()),
            remote: Some(remote),
            ..dialog(DialogState::Confirmed, CallDirection::Recipient)
        };
        let takes = takeover(&talking).unwrap();
        let (to_tag, from_tag) = ("other".into(), "phone".into());
        // Without early-only: what has been answered is meant.
        assert_eq!(takes.replaces, Replaces { call_id: "c1".into(), to_tag, from_tag, early_only: false });
        assert_eq!(takes.target, "sip:x7@192.0.2.9:5062");
        let called = Dialog { direction: Some(CallDirection::Initiator), ..talking.clone() };
        assert_eq!(takeover(&called), Some(takes.clone()));
        assert_eq!(takeover(&Dialog { direction: None, ..talking.clone() }), Some(takes));

        for hidden in [
            Dialog { call_id: None, ..talking.clone() },
            Dialog { local_tag: None, ..talking.clone() },
            Dialog { remote_tag: None, ..talking.clone() },
            Dialog { remote: None, ..talking.clone() },
            Dialog { state: DialogState::Early, ..talking.clone() },
            Dialog { state: DialogState::Terminated, ..talking.clone() },
        ] {
            assert_eq!(takeover(&hidden), None, "{hidden:?}");
        }
    }

    #[test]
    fn pre_3_each_conversation_keeps_what_it_is_taken_over_by_wherever_it_stands_in_the_list() {
        let talking = dialog(DialogState::Confirmed, CallDirection::Recipient);
        let over = dialog(DialogState::Terminated, CallDirection::Recipient);
        let knocking = dialog(DialogState::Early, CallDirection::Recipient);
        let dialogs = [over, talking.clone(), talking, knocking];
        let ids = [None, Some(TalkId(7)), Some(TalkId(8)), None];
        let is = super::lamp(&dialogs, &ids);
        let talks: Vec<Option<TalkId>> = is.talks.iter().map(|talk| talk.talk).collect();
        assert_eq!(talks, [None, Some(TalkId(7)), Some(TalkId(8))], "what rings comes first");
    }

    #[test]
    fn pre_4_a_second_call_ringing_on_a_busy_phone_leaves_it_busy_with_two_calls() {
        let talking = dialog(DialogState::Confirmed, CallDirection::Recipient);
        let knocking = dialog(DialogState::Early, CallDirection::Recipient);
        let is = lamp(&[talking, knocking]);
        assert_eq!((is.state, is.calls), (LampState::Busy, 2));
        let ringing: Vec<bool> = is.talks.iter().map(|talk| talk.ringing).collect();
        assert_eq!(ringing, [true, false], "what rings can be picked up and comes first");
    }

    #[test]
    fn pre_4_each_call_says_who_and_which_way_as_far_as_the_exchange_does() {
        let ann = Participant {
            identity: "sip:+49301234@pbx.example;user=phone".into(),
            display: Some("Ann".into()),
            target: None,
        };
        let out = Dialog { remote: Some(ann), ..dialog(DialogState::Confirmed, CallDirection::Initiator) };
        let dumb = Dialog { remote: None, direction: None, ..out.clone() };
        let odd = Dialog {
            remote: Some(Participant { identity: "not a uri".into(), ..Participant::default() }),
            ..dialog(DialogState::Early, CallDirection::Recipient)
        };
        let over = dialog(DialogState::Terminated, CallDirection::Recipient);
        let party = |number: Option<&str>, name: Option<&str>| Party {
            number: number.map(str::to_owned),
            name: name.map(str::to_owned),
            ..Party::default()
        };
        let call = |ringing, direction, party| LampCall { ringing, direction, party, talk: None };
        assert_eq!(
            lamp(&[out, dumb, odd, over]).talks,
            [
                call(true, Some(Direction::Incoming), party(None, None)),
                call(false, Some(Direction::Outgoing), party(Some("+49301234"), Some("Ann"))),
                call(false, None, party(None, None)),
            ]
        );
    }

    #[test]
    fn pre_4_a_conference_room_tells_how_many_are_in_it_and_eight_of_them() {
        let many = vec![dialog(DialogState::Confirmed, CallDirection::Recipient); 30];
        let is = lamp(&many);
        assert_eq!((is.state, is.calls, is.talks.len()), (LampState::Busy, 30, MAX_TALKS));
    }

    #[test]
    fn pre_5_who_is_there_and_free_is_online_and_who_is_there_and_busy_is_away() {
        let is = |open, activity| person(&Presence { open, activity, ..Presence::default() });
        assert_eq!(is(Some(true), Activity::Free), (OnlineState::Online, false));
        assert_eq!(is(Some(true), Activity::Busy), (OnlineState::Away, false));
        assert_eq!(is(None, Activity::Away), (OnlineState::Away, false));
        assert_eq!(is(None, Activity::DoNotDisturb), (OnlineState::Away, true));
        assert_eq!(is(Some(false), Activity::Away), (OnlineState::Offline, false));
        assert_eq!(is(None, Activity::Free), (OnlineState::Unknown, false), "a document that says nothing");
    }
}
