//! The number plan: what a dialled number reaches, how that behaves, and at which frequency it speaks.
//!
//! Not done here: acting on it ([`crate::exchange`]).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::demo::{EXTENSIONS, FIRST_EXTENSION, LINES, Line};

/// The frequency of the greeting of every voice mailbox, in Hz.
pub const VOICEMAIL_HZ: u32 = 950;
/// The frequency of the music that parked callers hear, in Hz.
pub const MUSIC_HZ: u32 = 880;
/// The desk's own mailbox; the others are `*` and the extension.
pub const MAILBOX: u16 = 2199;
/// The park slots.
pub const PARK_SLOTS: RangeInclusive<u16> = 701..=705;

/// What a number reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// 2101 to 2140.
    Extension(u16),
    /// `*` or 7 before an extension: its mailbox; and the desk's own, [`MAILBOX`].
    Voicemail(u16),
    /// A park slot, 701 to 705.
    Park(u16),
    /// A company line, which ends at the desk again.
    Line(&'static Line),
    /// Seven digits and more: the public network.
    Outside(String),
    /// Nothing.
    Nobody,
}

impl Destination {
    /// Reads a dialled number; separators are ignored.
    pub(crate) fn of(dialled: &str) -> Destination {
        let dialable = |c: &char| c.is_ascii_digit() || matches!(c, '+' | '*');
        let number: String = dialled.chars().filter(dialable).take(32).collect();
        if let Some(extension) = extension(&number) {
            return Destination::Extension(extension);
        }
        if let Some(extension) = number.strip_prefix(['*', '7']).and_then(extension) {
            return Destination::Voicemail(extension);
        }
        if number == MAILBOX.to_string() {
            return Destination::Voicemail(MAILBOX);
        }
        if let Some(slot) = park_slot(&number) {
            return Destination::Park(slot);
        }
        if let Some(line) = LINES.iter().find(|line| line.number == number) {
            return Destination::Line(line);
        }
        match number.len() {
            7.. if !number.contains('*') => Destination::Outside(number),
            _ => Destination::Nobody,
        }
    }
}

/// A monitored extension of ours.
pub(crate) fn extension(number: &str) -> Option<u16> {
    let extension = number.parse().ok().filter(|_| number.len() == 4)?;
    (FIRST_EXTENSION..FIRST_EXTENSION + EXTENSIONS).contains(&extension).then_some(extension)
}

/// A park slot of ours.
pub(crate) fn park_slot(number: &str) -> Option<u16> {
    let slot = number.parse().ok().filter(|_| number.len() == 3)?;
    PARK_SLOTS.contains(&slot).then_some(slot)
}

/// The frequency an extension speaks at, in Hz: 410 for 2101, 10 more for each further one.
pub fn extension_hz(extension: u16) -> u32 {
    400 + 10 * (u32::from(extension.saturating_sub(FIRST_EXTENSION)) + 1)
}

/// The frequency a public number speaks at, in Hz: 1010 to 2000 by its last two digits.
pub fn outside_hz(number: &str) -> u32 {
    1010 + 10 * last_two(number)
}

fn last_two(number: &str) -> u32 {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    digits.iter().rev().take(2).rev().fold(0, |sum, digit| sum * 10 + digit)
}

/// How an extension takes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Rings, and is answered after this long.
    Answer(Duration),
    /// Rings and rings.
    Ring,
    /// In a call of its own all the time: 486.
    Busy,
    /// Rings shortly, then 603.
    Refuse,
    /// Answers after a second and hangs up after this long.
    HangUp(Duration),
    /// Do Not Disturb: 480, and a lamp that says so.
    DoNotDisturb,
    /// Rings a little, then its mailbox answers.
    Voicemail,
    /// Not registered: 480, and no lamp to subscribe to.
    Offline,
}

/// What becomes of a call to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// 180 is sent at once.
    pub(crate) rings: bool,
    /// Until `end`.
    pub(crate) after: Duration,
    pub(crate) end: FateEnd,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FateEnd {
    /// Answered, at this frequency instead of the party's own if given; hangs up after `talk` if given.
    Answered { hz: Option<u32>, talk: Option<Duration> },
    /// Failed with this code.
    Failed(u16),
}

/// The fate of a call that a machine takes without ringing.
pub(crate) const AT_ONCE: Fate =
    Fate { rings: false, after: Duration::ZERO, end: FateEnd::Answered { hz: None, talk: None } };

impl Behaviour {
    /// The fate of a call; ringing on ends after `patience` with 408.
    pub(crate) fn fate(self, patience: Duration) -> Fate {
        let answered = FateEnd::Answered { hz: None, talk: None };
        let failed_at_once = |code| Fate { rings: false, after: Duration::ZERO, end: FateEnd::Failed(code) };
        let ringing = |after, end| Fate { rings: true, after, end };
        match self {
            Behaviour::Answer(after) => ringing(after, answered),
            Behaviour::Ring => ringing(patience, FateEnd::Failed(408)),
            Behaviour::Busy => failed_at_once(486),
            Behaviour::Refuse => ringing(Duration::from_secs(2), FateEnd::Failed(603)),
            Behaviour::HangUp(talk) => {
                ringing(Duration::from_secs(1), FateEnd::Answered { hz: None, talk: Some(talk) })
            }
            Behaviour::DoNotDisturb | Behaviour::Offline => failed_at_once(480),
            Behaviour::Voicemail => {
                ringing(Duration::from_secs(4), FateEnd::Answered { hz: Some(VOICEMAIL_HZ), talk: None })
            }
        }
    }
}

/// The fate of a call to the public network: answered after three seconds, but numbers that end in 86 are busy, in 03
/// refuse, and in 80 ring on.
pub(crate) fn outside_fate(number: &str, patience: Duration) -> Fate {
    match last_two(number) {
        86 => Behaviour::Busy,
        3 => Behaviour::Refuse,
        80 => Behaviour::Ring,
        _ => Behaviour::Answer(Duration::from_secs(3)),
    }
    .fate(patience)
}

/// Not a behaviour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of answer[:SECONDS], ring, busy, refuse, hang-up[:SECONDS], dnd, voicemail, offline")]
pub struct BehaviourError(String);

impl FromStr for Behaviour {
    type Err = BehaviourError;

    fn from_str(text: &str) -> Result<Behaviour, BehaviourError> {
        let wrong = || BehaviourError(text.chars().take(64).collect());
        let (word, seconds) = match text.split_once(':') {
            Some((word, seconds)) => (word, Some(seconds.parse::<f64>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        // At most an hour; this also keeps infinities and negatives out.
        let seconds =
            seconds.map(|s| if (0.0..=3600.0).contains(&s) { Ok(s) } else { Err(wrong()) }).transpose()?;
        let after = |default| Duration::from_secs_f64(seconds.unwrap_or(default));
        match (word, seconds) {
            ("answer", _) => Ok(Behaviour::Answer(after(2.0))),
            ("hang-up", _) => Ok(Behaviour::HangUp(after(5.0))),
            ("ring", None) => Ok(Behaviour::Ring),
            ("busy", None) => Ok(Behaviour::Busy),
            ("refuse", None) => Ok(Behaviour::Refuse),
            ("dnd", None) => Ok(Behaviour::DoNotDisturb),
            ("voicemail", None) => Ok(Behaviour::Voicemail),
            ("offline", None) => Ok(Behaviour::Offline),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Behaviour::Answer(after) => write!(f, "answer:{}", after.as_secs_f64()),
            Behaviour::HangUp(after) => write!(f, "hang-up:{}", after.as_secs_f64()),
            Behaviour::Ring => f.write_str("ring"),
            Behaviour::Busy => f.write_str("busy"),
            Behaviour::Refuse => f.write_str("refuse"),
            Behaviour::DoNotDisturb => f.write_str("dnd"),
            Behaviour::Voicemail => f.write_str("voicemail"),
            Behaviour::Offline => f.write_str("offline"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn numbers_reach_what_they_should() {
        let cases = [
            ("2101", Destination::Extension(2101)),
            ("21-40", Destination::Extension(2140)),
            ("2141", Destination::Nobody),
            ("2100", Destination::Nobody),
            ("72110", Destination::Voicemail(2110)),
            ("*2110", Destination::Voicemail(2110)),
            ("2199", Destination::Voicemail(MAILBOX)),
            ("79999", Destination::Nobody),
            ("*2199", Destination::Nobody),
            ("21*10", Destination::Nobody),
            ("*4930555701", Destination::Nobody),
            ("701", Destination::Park(701)),
            ("705", Destination::Park(705)),
            ("706", Destination::Nobody),
            ("+701", Destination::Nobody),
            ("5550100", Destination::Line(&LINES[1])),
            ("+49 30 5557 0142", Destination::Outside("+493055570142".into())),
            ("", Destination::Nobody),
            ("+2101", Destination::Nobody),
        ];
        for (dialled, destination) in cases {
            assert_eq!(Destination::of(dialled), destination, "{dialled}");
        }
    }

    #[test]
    fn frequencies_tell_everybody_apart() {
        assert_eq!((extension_hz(2101), extension_hz(2140)), (410, 800));
        assert_eq!(outside_hz("+493055570142"), 1430);
        assert_eq!((outside_hz("5550100"), outside_hz("1")), (1010, 1020));
    }

    #[test]
    fn behaviours_are_read_as_they_are_written() {
        for text in
            ["answer:2.5", "ring", "busy", "refuse", "hang-up:4", "dnd", "voicemail", "offline", "answer:0"]
        {
            assert_eq!(text.parse::<Behaviour>().unwrap().to_string(), text);
        }
        for text in ["", "answer:x", "answer:-1", "answer:inf", "answer:NaN", "ring:3", "sleep"] {
            assert!(text.parse::<Behaviour>().is_err(), "{text}");
        }
    }

    #[test]
    fn public_numbers_have_their_ways() {
        let patience = Duration::from_secs(20);
        assert_eq!(outside_fate("+493012386", patience).end, FateEnd::Failed(486));
        assert_eq!(outside_fate("+493012303", patience).end, FateEnd::Failed(603));
        assert_eq!(outside_fate("+493012380", patience).after, patience);
        assert!(matches!(outside_fate("+493012342", patience).end, FateEnd::Answered { .. }));
    }
}
