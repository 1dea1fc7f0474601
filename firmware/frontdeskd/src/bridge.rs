//! The translation between `sip`, `media` and `switchboard`: plain functions, both ways side by side.
//!
//! Nothing is decided here and nothing is kept; whoever wants to know what a word of one crate is
//! called in the other reads this file.

use ipc::{AudioState, LampState, Party, Registration, RingTone};
use sip::{
    Cause, DiversionReason, EndedBy, RegistrationState, TransferResult,
    dialog_info::{CallDirection, Dialog, DialogState},
};
use switchboard::{Diverted, Ear, EndCause, Tone};

/// What a phone does, from all its dialogs (RFC 4235): state, number of calls, the other end of the first.
pub(crate) fn lamp(dialogs: &[Dialog]) -> (LampState, u16, Option<String>) {
    let live = || dialogs.iter().filter(|dialog| dialog.state != DialogState::Terminated);
    let calls = u16::try_from(live().count()).unwrap_or(u16::MAX);
    let rings = |dialog: &Dialog| {
        dialog.state != DialogState::Confirmed && dialog.direction == Some(CallDirection::Recipient)
    };
    let state = match calls {
        0 => LampState::Available,
        _ if live().all(rings) => LampState::Ringing,
        _ => LampState::Busy,
    };
    let peer = live().find_map(|dialog| dialog.remote.as_ref()).map(|remote| {
        let number = || sip::Uri::parse(&remote.identity).ok().and_then(|uri| uri.number());
        remote.display.clone().or_else(number).unwrap_or_else(|| remote.identity.clone())
    });
    (state, calls, peer)
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

/// Somebody named by the wire, before any directory is asked.
pub(crate) fn party(party: sip::Party) -> Party {
    Party { number: party.number, name: party.display, ..Party::default() }
}

/// What was agreed by offer and answer, for the media engine. `None` for a codec that it does not speak,
/// which cannot be agreed because it is never offered.
pub(crate) fn remote(media: &sip::sdp::Media) -> Option<media::Remote> {
    Some(media::Remote {
        rtp: media.remote_rtp,
        rtcp: media.remote_rtcp,
        codec: match media.codec {
            sip::sdp::Codec::Pcmu => media::Codec::Pcmu,
            sip::sdp::Codec::Pcma => media::Codec::Pcma,
            sip::sdp::Codec::Opus => media::Codec::Opus,
            sip::sdp::Codec::G722 => return None,
        },
        payload_type: media.payload_type,
        remote_payload_type: media.remote_payload_type,
        dtmf_payload_type: media.dtmf_payload_type,
        ptime_ms: media.ptime_ms,
        direction: match media.direction {
            sip::sdp::Direction::SendRecv => media::Direction::SendRecv,
            sip::sdp::Direction::SendOnly => media::Direction::SendOnly,
            sip::sdp::Direction::RecvOnly => media::Direction::RecvOnly,
            sip::sdp::Direction::Inactive => media::Direction::Inactive,
        },
    })
}

/// The codecs offered and accepted, best first: those that the media engine speaks.
pub(crate) fn codecs() -> Vec<sip::sdp::Codec> {
    vec![sip::sdp::Codec::Opus, sip::sdp::Codec::Pcma, sip::sdp::Codec::Pcmu]
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

/// The state of one sound device.
pub(crate) fn audio(name: String, state: media::DeviceState) -> AudioState {
    match state {
        media::DeviceState::Open => AudioState::Connected { device: name },
        media::DeviceState::Lost { reason } => AudioState::Failed { reason: format!("{name}: {reason}") },
        media::DeviceState::Closed => AudioState::Disconnected,
    }
}

#[cfg(test)]
mod tests {
    use sip::dialog_info::Participant;

    use super::*;

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
    fn pre_1_a_phone_without_dialogs_is_available() {
        assert_eq!(lamp(&[]), (LampState::Available, 0, None));
    }

    #[test]
    fn pre_1_an_ended_dialog_does_not_make_a_phone_busy() {
        assert_eq!(
            lamp(&[dialog(DialogState::Terminated, CallDirection::Recipient)]).0,
            LampState::Available
        );
    }

    #[test]
    fn pre_1_a_phone_that_is_called_rings_and_one_that_calls_is_busy() {
        let called = dialog(DialogState::Early, CallDirection::Recipient);
        assert_eq!(lamp(&[called]), (LampState::Ringing, 1, Some("2112".into())));
        assert_eq!(lamp(&[dialog(DialogState::Early, CallDirection::Initiator)]).0, LampState::Busy);
    }

    #[test]
    fn pre_4_a_second_call_ringing_on_a_busy_phone_leaves_it_busy_with_two_calls() {
        let talking = dialog(DialogState::Confirmed, CallDirection::Recipient);
        let knocking = dialog(DialogState::Early, CallDirection::Recipient);
        let (state, calls, _) = lamp(&[talking, knocking]);
        assert_eq!((state, calls), (LampState::Busy, 2));
    }
}
