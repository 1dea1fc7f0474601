//! The traps that exchanges set for telephones, each played by SIPp (`tests/sipp/*.xml`) against the real desk: what an
//! exchange or a phone does that a user agent must survive.
//!
//! Not here: the traps whose other side needs more than one program (failover: `make failover`), and the proofs of
//! each rule by itself (`firmware/sip/tests/agent/traps.rs`).

mod calls;
mod identities;
mod lamps;
mod scene;
mod transfers;

pub use calls::{
    cancel_crosses_200, cancelled, completed_elsewhere, crossing_200, early_update_and_bye, forked, hold_491,
    hold_thrice, hold_twice, repeated_invite,
};
pub use identities::becomes_another;
pub use lamps::{backwards, given_up, hidden, mailbox_refused, told};
pub use scene::{RUN, SOON, Scene};
pub use transfers::{
    attended_refused, busy_target, let_go, one_leg_ended, overtaken, pbx_reinvites, refused_refer, taken_over,
};

/// A trap.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// What happens.
    pub what: &'static str,
    /// The scenario in `tests/sipp`.
    pub scenario: &'static str,
    /// Plays it; panics when the desk falls into it.
    pub play: fn(),
}

const fn trap(what: &'static str, scenario: &'static str, play: fn()) -> Trap {
    Trap { what, scenario, play }
}

/// All of them.
pub const TRAPS: [Trap; 24] = [
    trap("the PBX re-INVITEs after a pickup; hold gets 491; REFER only then", "pbx_reinvites", pbx_reinvites),
    trap("a hold answered 491 is tried again", "hold_491", hold_491),
    trap("attended transfer: both calls end, the caller has replaced", "attended_caller", taken_over),
    trap("attended transfer: the PBX ends only one of our two legs", "consulted_replaced", one_leg_ended),
    trap("dialog-info always full, without call-id: by feature code", "lamp_hidden", hidden),
    trap("dialog-info with call-id and tags: INVITE with Replaces", "lamp_replaces", told),
    trap("CANCEL \"completed elsewhere\" is no missed call", "completed_elsewhere", completed_elsewhere),
    trap("a plain CANCEL is a missed call", "cancel", cancelled),
    trap("unsolicited MWI though SUBSCRIBE was refused", "mailbox_refused", mailbox_refused),
    trap("a lamp whose subscription was given up is asked for anew", "lamp_ended", given_up),
    trap("CSeq and dialog version going backwards", "lamp_backwards", backwards),
    trap("2xx after CANCEL: ACK and BYE", "200_crosses_cancel", crossing_200),
    trap("CANCEL after our 200: the call stands", "cancel_crosses_200", cancel_crosses_200),
    trap("forked 2xx: ACK and BYE the spare", "forked_2xx", forked),
    trap("UPDATE and BYE in early dialogs", "early_update_bye", early_update_and_bye),
    trap("an INVITE that comes five times is one call", "retransmitted_invite", repeated_invite),
    trap("a refused REFER leaves the call alive", "refer_refused", refused_refer),
    trap("a REFER target that is busy leaves the call alive", "refer_busy", busy_target),
    trap("an exchange that has let the caller go is found out", "refer_let_go", let_go),
    trap("the NOTIFY of a transfer comes after a later re-INVITE", "notify_overtaken", overtaken),
    trap("a refused attended transfer leaves both calls alive", "attended_refused", attended_refused),
    trap("the exchange transfers the other end and says who it is now", "identity_changes", becomes_another),
    trap("hold, retrieve, hold before the first answer; the last is refused", "hold_thrice", hold_thrice),
    trap("hold twice is still hold, in every style", "hold_twice", hold_twice),
];
