//! Where a run stands, as text that the host keeps: the cursor between two pages, the token between two runs, and
//! the time stamps they are made of (RFC 4517 section 3.3.13).

use frontdesk_connector::ldap::Entry;

use crate::texts;

/// When an entry was changed last, as OpenLDAP and Active Directory call it.
pub(crate) const STAMPS: [&str; 2] = ["modifyTimestamp", "whenChanged"];

/// When an entry was changed. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    /// `YYYYMMDDhhmmss`, UTC.
    digits: String,
    /// Place in [`STAMPS`].
    attribute: usize,
    /// All changes of this very second are known too.
    is_past: bool,
}

impl Stamp {
    /// Of an entry, if its server says so.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        let of = |(attribute, name): (usize, &&str)| Self::read(attribute, texts(entry, name).next()?);
        STAMPS.iter().enumerate().find_map(of)
    }

    fn read(attribute: usize, text: &str) -> Option<Self> {
        let digits = text.get(..14).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        // Only UTC can be compared; every server that is known keeps to it.
        text.ends_with('Z').then(|| Self { digits: digits.to_owned(), attribute, is_past: false })
    }

    /// What has changed since, as the inside of an "and".
    pub(crate) fn filter(&self) -> String {
        let attribute = STAMPS.get(self.attribute).unwrap_or(&STAMPS[0]);
        // Active Directory wants the tenth of a second, OpenLDAP takes none.
        let fraction = if self.attribute == 1 { ".0" } else { "" };
        let second = format!("{}{fraction}Z", self.digits);
        // A filter has no "later than".
        let but = if self.is_past { format!("(!({attribute}={second}))") } else { String::new() };
        format!("({attribute}>={second}){but}")
    }

    /// The same, or this second of Unix time where that is earlier. A second that was over by then brings no
    /// more changes.
    pub(crate) fn not_after(mut self, seconds: u64) -> Self {
        let limit = digits(seconds);
        self.is_past = self.digits < limit;
        self.digits = self.digits.min(limit);
        self
    }

    fn write(&self) -> String {
        let letter = match (self.attribute, self.is_past) {
            (0, false) => 'm',
            (0, true) => 'M',
            (_, false) => 'w',
            (_, true) => 'W',
        };
        format!("{letter}{}", self.digits)
    }

    fn back(text: &str) -> Option<Self> {
        let digits = text.get(1..).filter(|digits| digits.len() == 14)?;
        let (attribute, is_past) = match text.as_bytes().first()? {
            b'm' => (0, false),
            b'M' => (0, true),
            b'w' => (1, false),
            b'W' => (1, true),
            _ => return None,
        };
        Some(Self { is_past, ..Self::read(attribute, &format!("{digits}Z"))? })
    }
}

/// What the host keeps between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// What has changed before is known.
    pub(crate) stamp: Stamp,
    /// When the last full run began, in Unix seconds.
    pub(crate) full: u64,
}

impl Token {
    pub(crate) fn write(&self) -> String {
        format!("1 {} {}", self.stamp.write(), self.full)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (version, stamp, full) = (words.next()?, words.next()?, words.next()?);
        if version != "1" || words.next().is_some() {
            return None;
        }
        Some(Self { stamp: Stamp::back(stamp)?, full: full.parse().ok()? })
    }
}

/// What a page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Everybody.
    Full,
    /// Whoever has changed and is wanted.
    Changed,
    /// Whoever has changed and is not wanted any more.
    Gone,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) phase: Phase,
    /// When this run began, in Unix seconds.
    pub(crate) started: u64,
    /// When the last full run began.
    pub(crate) full: u64,
    /// Entries so far.
    pub(crate) seen: u64,
    /// What has changed since, in a run of changes.
    pub(crate) since: Option<Stamp>,
    /// The newest change so far.
    pub(crate) newest: Option<Stamp>,
    /// The host's, of the page before.
    pub(crate) cookie: Option<Vec<u8>>,
}

impl Cursor {
    /// The beginning of a full run.
    pub(crate) fn full(now: u64) -> Self {
        let (since, newest, cookie) = (None, None, None);
        Self { phase: Phase::Full, started: now, full: now, seen: 0, since, newest, cookie }
    }

    /// The beginning of a run of changes.
    pub(crate) fn changed(token: Token, now: u64) -> Self {
        Self { phase: Phase::Changed, full: token.full, since: Some(token.stamp), ..Self::full(now) }
    }

    pub(crate) fn write(&self) -> String {
        let phase = match self.phase {
            Phase::Full => 'f',
            Phase::Changed => 'c',
            Phase::Gone => 'g',
        };
        let stamp = |stamp: &Option<Stamp>| stamp.as_ref().map_or("-".to_owned(), Stamp::write);
        let cookie = self.cookie.as_ref().map_or("-".to_owned(), |cookie| hex(cookie));
        let (since, newest) = (stamp(&self.since), stamp(&self.newest));
        format!("{phase} {} {} {} {since} {newest} {cookie}", self.started, self.full, self.seen)
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let &[phase, started, full, seen, since, newest, cookie] = words.as_slice() else { return None };
        let phase = match phase {
            "f" => Phase::Full,
            "c" => Phase::Changed,
            "g" => Phase::Gone,
            _ => return None,
        };
        let stamp = |text: &str| if text == "-" { Some(None) } else { Stamp::back(text).map(Some) };
        let since = stamp(since)?;
        if (phase == Phase::Full) != since.is_none() {
            return None;
        }
        Some(Self {
            phase,
            started: started.parse().ok()?,
            full: full.parse().ok()?,
            seen: seen.parse().ok()?,
            since,
            newest: stamp(newest)?,
            cookie: if cookie == "-" { None } else { Some(unhex(cookie)?) },
        })
    }
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}

/// Unix time as `YYYYMMDDhhmmss`, by the civil calendar.
fn digits(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut left) = (1970, days);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while left >= 365 + u64::from(is_leap(year)) {
        left -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{:02}{hour:02}{minute:02}{second:02}", left + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn stamp(text: &str) -> Stamp {
        Stamp::read(0, text).unwrap()
    }

    #[test]
    fn a_cursor_and_a_token_come_back_as_they_were() {
        let token = Token { stamp: stamp("20261126120000Z"), full: 1_795_000_000 };
        assert_eq!(Token::read(&token.write()), Some(token.clone()));
        let mut cursor = Cursor::changed(token, 1_795_000_900);
        cursor.cookie = Some(vec![0, 0xab, 0xff]);
        cursor.newest = Some(Stamp::read(1, "20261126120001.0Z").unwrap());
        assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        let full = Cursor::full(7);
        assert_eq!(Cursor::read(&full.write()), Some(full));
        for bad in
            ["", "f", "f 1 1 0 - - zz", "f 1 1 0 - - abc", "c 1 1 0 - - -", "f 1 1 0 m1 - -", "rubbish é"]
        {
            assert_eq!(Cursor::read(bad), None, "{bad}");
            assert_eq!(Token::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn time_stamps_are_compared_and_written_as_their_server_wants_them() {
        assert!(stamp("20261126120000Z") < stamp("20261126120001Z"));
        assert_eq!(Stamp::read(0, "20261126120000+0100"), None);
        assert_eq!(Stamp::read(0, "2026"), None);
        assert_eq!(stamp("20261126120000Z").filter(), "(modifyTimestamp>=20261126120000Z)");
        assert_eq!(Stamp::read(1, "20261126120000.0Z").unwrap().filter(), "(whenChanged>=20261126120000.0Z)");
    }

    #[test]
    fn unix_time_in_the_civil_calendar() {
        for (seconds, text) in [
            (0, "19700101000000"),
            (951_782_400, "20000229000000"),
            (1_709_251_199, "20240229235959"),
            (1_735_689_599, "20241231235959"),
            (1_795_703_696, "20261126143456"),
            (4_107_542_400, "21000301000000"),
        ] {
            assert_eq!(digits(seconds), text);
        }
        assert_eq!(stamp("20261126120000Z").not_after(0).write(), "m19700101000000");
        let past = stamp("19690101000000Z").not_after(0);
        assert_eq!(past.write(), "M19690101000000");
        assert_eq!(Stamp::back("M19690101000000"), Some(past.clone()));
        assert_eq!(past.filter(), "(modifyTimestamp>=19690101000000Z)(!(modifyTimestamp=19690101000000Z))");
    }
}
