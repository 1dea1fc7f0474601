//! What the desk has to say beside calls and transfers.

use ipc::{Notice, NoticeId, NoticeKind, Party, View};

use super::{NOW, outside, picture, staff};

/// A desk with calls, and this said, oldest first.
#[must_use]
pub fn told(kinds: Vec<NoticeKind>) -> View {
    let notice = |(kind, id)| Notice { id: NoticeId(id), since_ms: NOW - 9_000 + id, kind };
    View { notices: kinds.into_iter().zip(1..).map(notice).collect(), ..picture() }
}

/// What the other side refused in a call: digits, twice, a hold, and a call that was not picked up.
#[must_use]
pub fn refusals() -> View {
    let caller = || outside("Pierre-Emmanuel Delacroix-Beaumont", "+33 1 55 57 01 42");
    told(vec![
        NoticeKind::InterceptFailed {
            from: staff("Ingrid Solberg", "2110"),
            code: 486,
            reason: "Busy Here".into(),
        },
        NoticeKind::HoldFailed { party: caller(), code: 488 },
        NoticeKind::DigitsFailed { party: staff("Marie Laurent", "2107"), code: 500 },
        NoticeKind::DigitsFailed { party: caller(), code: 415 },
        NoticeKind::SoundLost { party: caller(), code: 488 },
        NoticeKind::TransferLost { who: caller(), to: staff("Marie Laurent", "2107"), code: 486 },
    ])
}

/// What went wrong with the desk itself, and a call that nobody answered.
#[must_use]
pub fn troubles() -> View {
    let to = Party { number: Some("+49 30 5557 0142".into()), ..Party::default() };
    told(vec![
        NoticeKind::DialFailed { to, code: 0, reason: String::new() },
        NoticeKind::RuleIgnored { rule: "Anonymous callers to the main line".into() },
        NoticeKind::StorageFailed { reason: "No space left on device (os error 28)".into() },
        NoticeKind::AudioLost {
            device: "Jabra Engage 75, headset".into(),
            reason: "No such device (os error 19)".into(),
        },
    ])
}
