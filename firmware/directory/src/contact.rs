//! A person or number in a directory (DIR-2), its limits, and how its parts are written.
//!
//! Identity is not here: a contact on its own is what a file or a form has; [`crate::Entry`] is a
//! contact in a directory.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ipc::{AlertSet, ContactId, ContactRow, DirectoryId, RowFault};

/// Longest text field, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// What stands before a number in a line of the note.
const MORE_NUMBERS: [&str; 7] = ["extension", "work", "mobile", "home", SIP, FAX, "other"];

/// Before an address, which need not have a digit.
const SIP: &str = "sip";

/// Before what nobody calls from.
const FAX: &str = "fax";

/// Most numbers of a note.
const MAX_MORE_NUMBERS: usize = 16;

/// Largest picture, in bytes.
pub(crate) const MAX_PICTURE_BYTES: usize = 2 * 1024 * 1024;

/// A person or number in a directory. Empty text means absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Contact {
    /// Last name.
    pub last_name: String,
    /// First name.
    pub first_name: String,
    /// Company.
    pub company: String,
    /// Office.
    pub office: String,
    /// Department.
    pub department: String,
    /// Title.
    pub title: String,
    /// Free text, may have several lines.
    pub note: String,
    /// Phone, as written.
    pub phone: String,
    /// Mobile, as written.
    pub mobile: String,
    /// Home, as written.
    pub home: String,
    /// Voicemail, as written.
    pub voicemail: String,
    /// E-mail address.
    pub email: String,
    /// XMPP address.
    pub xmpp: String,
    /// Calendar, usually an address.
    pub calendar: String,
    /// Web page.
    pub web: String,
    /// The phone is monitored (PRE-2).
    pub presence: bool,
    /// What to tell the operator about this contact (PRE-7).
    pub alert: Alerts,
    /// The picture. The store hands it out one at a time: contacts in a [`crate::Catalogue`] have none,
    /// so that ten thousand faces do not sit in memory.
    pub picture: Option<Picture>,
}

/// A text field of a contact, in the order of DIR-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is the field of that name in Contact")]
pub enum Field {
    LastName,
    FirstName,
    Company,
    Office,
    Department,
    Title,
    Note,
    Phone,
    Mobile,
    Home,
    Voicemail,
    Email,
    Xmpp,
    Calendar,
    Web,
}

impl Field {
    /// Every text field, in the order of DIR-2.
    pub const ALL: [Self; 15] = [
        Self::LastName,
        Self::FirstName,
        Self::Company,
        Self::Office,
        Self::Department,
        Self::Title,
        Self::Note,
        Self::Phone,
        Self::Mobile,
        Self::Home,
        Self::Voicemail,
        Self::Email,
        Self::Xmpp,
        Self::Calendar,
        Self::Web,
    ];

    /// The fields that hold a number that can be called.
    pub const NUMBERS: [Self; 4] = [Self::Phone, Self::Mobile, Self::Home, Self::Voicemail];

    /// The column of DIR-3.
    #[must_use]
    pub fn column(self) -> &'static str {
        match self {
            Self::LastName => "lastname",
            Self::FirstName => "firstname",
            Self::Company => "company",
            Self::Office => "office",
            Self::Department => "department",
            Self::Title => "title",
            Self::Note => "note",
            Self::Phone => "phone",
            Self::Mobile => "mobile",
            Self::Home => "home",
            Self::Voicemail => "voicemail",
            Self::Email => "email",
            Self::Xmpp => "xmpp",
            Self::Calendar => "calendar",
            Self::Web => "web",
        }
    }

    /// A part of the person's name.
    #[must_use]
    pub fn is_name(self) -> bool {
        matches!(self, Self::LastName | Self::FirstName)
    }

    /// Holds a number that can be called.
    #[must_use]
    pub fn is_number(self) -> bool {
        Self::NUMBERS.contains(&self)
    }
}

/// Why a contact cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    /// No field says anything.
    #[error("the row is empty")]
    Empty,
    /// A text is longer than [`MAX_TEXT_BYTES`].
    #[error("{column} has {bytes} bytes, at most {MAX_TEXT_BYTES} are allowed")]
    TooLong {
        /// Column of DIR-3.
        column: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A text has a character that no text has, such as NUL.
    #[error("{column} has the control character U+{code:04X}")]
    ControlCharacter {
        /// Column of DIR-3.
        column: &'static str,
        /// The character.
        code: u32,
    },
    /// A letter that is none of a r b d n f s.
    #[error("alert {letter:?} is none of a r b d n f s")]
    Alert {
        /// What was found.
        letter: char,
    },
    /// A picture type that is none of jpg, png, gif.
    #[error("picturetype {found:?} is none of jpg, png, gif")]
    PictureType {
        /// What was found.
        found: String,
    },
    /// The bytes begin like no picture of a known type.
    #[error("picture is no jpg, png or gif")]
    NoPicture,
    /// The bytes are a picture of another type than said.
    #[error("picture is {found}, picturetype says {said}")]
    OtherPicture {
        /// What the bytes are.
        found: PictureType,
        /// What was said.
        said: PictureType,
    },
    /// The picture is larger than 2 MiB.
    #[error("picture has more than {MAX_PICTURE_BYTES} bytes")]
    PictureTooLarge,
    /// The picture is not base64.
    #[error("picture is not base64")]
    PictureEncoding,
    /// The picture would need more memory than a face is worth.
    #[error("picture is too large to unpack: {width}×{height} pixels")]
    PictureDimensions {
        /// As the file says.
        width: u32,
        /// As the file says.
        height: u32,
    },
    /// The picture breaks off or is damaged.
    #[error("picture cannot be read: {reason}")]
    PictureBroken {
        /// What the reader of its type said.
        reason: String,
    },
}

impl From<ContactError> for RowFault {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Empty => Self::Empty,
            ContactError::TooLong { column, bytes } => {
                Self::TooLong { column: column.to_owned(), bytes: bytes as u64, most: MAX_TEXT_BYTES as u64 }
            }
            ContactError::ControlCharacter { column, code } => {
                Self::ControlCharacter { column: column.to_owned(), code }
            }
            ContactError::Alert { letter } => Self::Alert { letter },
            ContactError::PictureType { found } => Self::PictureType { found },
            ContactError::NoPicture => Self::NoPicture,
            ContactError::OtherPicture { found, said } => {
                Self::OtherPicture { found: found.to_string(), said: said.to_string() }
            }
            ContactError::PictureTooLarge => Self::PictureTooLarge { most: MAX_PICTURE_BYTES as u64 },
            ContactError::PictureEncoding => Self::PictureEncoding,
            ContactError::PictureDimensions { width, height } => Self::PictureDimensions { width, height },
            ContactError::PictureBroken { reason } => Self::PictureBroken { reason },
        }
    }
}

impl Contact {
    /// Takes white space off both ends of each text.
    pub fn trim(&mut self) {
        for field in Field::ALL {
            let text = self.text_mut(field);
            let trimmed = text.trim();
            if trimmed.len() != text.len() {
                *text = trimmed.to_owned();
            }
        }
    }

    /// The field to write to.
    pub fn text_mut(&mut self, field: Field) -> &mut String {
        match field {
            Field::LastName => &mut self.last_name,
            Field::FirstName => &mut self.first_name,
            Field::Company => &mut self.company,
            Field::Office => &mut self.office,
            Field::Department => &mut self.department,
            Field::Title => &mut self.title,
            Field::Note => &mut self.note,
            Field::Phone => &mut self.phone,
            Field::Mobile => &mut self.mobile,
            Field::Home => &mut self.home,
            Field::Voicemail => &mut self.voicemail,
            Field::Email => &mut self.email,
            Field::Xmpp => &mut self.xmpp,
            Field::Calendar => &mut self.calendar,
            Field::Web => &mut self.web,
        }
    }

    /// The field's text.
    #[must_use]
    pub fn text(&self, field: Field) -> &str {
        match field {
            Field::LastName => &self.last_name,
            Field::FirstName => &self.first_name,
            Field::Company => &self.company,
            Field::Office => &self.office,
            Field::Department => &self.department,
            Field::Title => &self.title,
            Field::Note => &self.note,
            Field::Phone => &self.phone,
            Field::Mobile => &self.mobile,
            Field::Home => &self.home,
            Field::Voicemail => &self.voicemail,
            Field::Email => &self.email,
            Field::Xmpp => &self.xmpp,
            Field::Calendar => &self.calendar,
            Field::Web => &self.web,
        }
    }

    /// Numbers that stand in the note because there was no field for them: a line each, kind and number, behind all that the
    /// note says else, as a connector's contact has them; the last one first. Such a line amid the text is somebody's own
    /// words. Faxes are not among them, and no more than [`MAX_MORE_NUMBERS`].
    pub(crate) fn more_numbers(&self) -> impl Iterator<Item = &str> {
        let lines = self.note.lines().rev().map_while(kind_and_number);
        let numbers = lines.filter(|(kind, _)| *kind != FAX).map(|(_, number)| number);
        numbers.take(MAX_MORE_NUMBERS)
    }

    /// The line of the note for a number for which there is no field; `kind` is `extension`, `work`, `mobile`, `home`, `sip`,
    /// `fax` or `other`. It is found and recognised all the same, unless it is a fax's.
    #[must_use]
    pub fn number_line(kind: &str, number: &str) -> String {
        format!("{kind}: {number}")
    }

    /// The bytes of all its texts.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        Field::ALL.iter().map(|&field| self.text(field).len()).sum()
    }

    /// Whether it can be kept.
    ///
    /// # Errors
    /// See [`ContactError`].
    pub fn check(&self) -> Result<(), ContactError> {
        if self.picture.is_none() && Field::ALL.iter().all(|&field| self.text(field).trim().is_empty()) {
            return Err(ContactError::Empty);
        }
        Field::ALL.iter().try_for_each(|&field| check_text(field, self.text(field)))
    }

    /// First and last name as far as they are there, else the company, else the phone.
    #[must_use]
    pub fn display_name(&self) -> String {
        match (self.first_name.as_str(), self.last_name.as_str()) {
            ("", "") if self.company.is_empty() => self.phone.clone(),
            ("", "") => self.company.clone(),
            (name, "") | ("", name) => name.to_owned(),
            (first, last) => format!("{first} {last}"),
        }
    }

    /// The contact as a tile or row shows it.
    #[must_use]
    pub fn row(&self, id: ContactId, directory: DirectoryId) -> ContactRow {
        ContactRow {
            id,
            directory,
            last_name: self.last_name.clone(),
            first_name: self.first_name.clone(),
            company: self.company.clone(),
            office: self.office.clone(),
            department: self.department.clone(),
            title: self.title.clone(),
            phone: self.phone.clone(),
            mobile: self.mobile.clone(),
            home: self.home.clone(),
            voicemail: self.voicemail.clone(),
            email: self.email.clone(),
            xmpp: self.xmpp.clone(),
            calendar: self.calendar.clone(),
            web: self.web.clone(),
            note: self.note.clone(),
            presence: self.presence,
            alerts: self.alert.into(),
        }
    }
}

fn check_text(field: Field, text: &str) -> Result<(), ContactError> {
    let column = field.column();
    if text.len() > MAX_TEXT_BYTES {
        return Err(ContactError::TooLong { column, bytes: text.len() });
    }
    match text.chars().find(|&c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(c) => Err(ContactError::ControlCharacter { column, code: u32::from(c) }),
        None => Ok(()),
    }
}

/// A set of alerts, written as the letters a r b d n f s (DIR-3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Alerts(u8);

impl Alerts {
    /// Phone free.
    pub const AVAILABLE: Self = Self(1);
    /// Phone ringing.
    pub const RINGING: Self = Self(1 << 1);
    /// Phone busy.
    pub const BUSY: Self = Self(1 << 2);
    /// Do Not Disturb.
    pub const DO_NOT_DISTURB: Self = Self(1 << 3);
    /// Person online.
    pub const ONLINE: Self = Self(1 << 4);
    /// Person offline.
    pub(crate) const OFFLINE: Self = Self(1 << 5);
    /// With a sound.
    pub const SOUND: Self = Self(1 << 6);
    /// Told once only. Has no letter in DIR-3: a file does not say it.
    pub const ONCE: Self = Self(1 << 7);

    const LETTERS: [(char, Self); 7] = [
        ('a', Self::AVAILABLE),
        ('r', Self::RINGING),
        ('b', Self::BUSY),
        ('d', Self::DO_NOT_DISTURB),
        ('n', Self::ONLINE),
        ('f', Self::OFFLINE),
        ('s', Self::SOUND),
    ];

    /// Both sets together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Every alert of `other` is in this set.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl From<AlertSet> for Alerts {
    fn from(set: AlertSet) -> Self {
        let all = [
            (Self::AVAILABLE, set.available),
            (Self::RINGING, set.ringing),
            (Self::BUSY, set.busy),
            (Self::DO_NOT_DISTURB, set.do_not_disturb),
            (Self::ONLINE, set.online),
            (Self::OFFLINE, set.offline),
            (Self::SOUND, set.sound),
            (Self::ONCE, set.once),
        ];
        let wanted = all.into_iter().filter(|(_, on)| *on);
        wanted.fold(Self::default(), |alerts, (alert, _)| alerts.with(alert))
    }
}

impl From<Alerts> for AlertSet {
    fn from(alerts: Alerts) -> Self {
        let has = |alert| alerts.contains(alert);
        Self {
            available: has(Alerts::AVAILABLE),
            ringing: has(Alerts::RINGING),
            busy: has(Alerts::BUSY),
            do_not_disturb: has(Alerts::DO_NOT_DISTURB),
            online: has(Alerts::ONLINE),
            offline: has(Alerts::OFFLINE),
            sound: has(Alerts::SOUND),
            once: has(Alerts::ONCE),
        }
    }
}

impl fmt::Display for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::LETTERS
            .iter()
            .filter(|(_, alert)| self.contains(*alert))
            .try_for_each(|(c, _)| write!(f, "{c}"))
    }
}

impl FromStr for Alerts {
    type Err = ContactError;

    /// Letters in any order and case; white space and commas between them are passed over.
    fn from_str(text: &str) -> Result<Self, ContactError> {
        let mut alerts = Self::default();
        for letter in text.chars().filter(|c| !c.is_whitespace() && *c != ',') {
            let known = Self::LETTERS.iter().find(|(c, _)| *c == letter.to_ascii_lowercase());
            let (_, alert) = known.ok_or(ContactError::Alert { letter })?;
            alerts = alerts.with(*alert);
        }
        Ok(alerts)
    }
}

/// A picture whose first bytes are those of its type. Its inside is not looked at here.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Picture {
    kind: PictureType,
    bytes: Arc<[u8]>,
}

impl Picture {
    /// Takes bytes that begin like a picture.
    ///
    /// # Errors
    /// [`ContactError::NoPicture`], [`ContactError::PictureTooLarge`].
    pub fn new(bytes: &[u8]) -> Result<Self, ContactError> {
        if bytes.len() > MAX_PICTURE_BYTES {
            return Err(ContactError::PictureTooLarge);
        }
        let kind = PictureType::of(bytes).ok_or(ContactError::NoPicture)?;
        Ok(Self { kind, bytes: bytes.into() })
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> PictureType {
        self.kind
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// Type of a picture (DIR-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureType {
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
}

impl PictureType {
    /// The type these bytes begin like.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
        } else {
            None
        }
    }
}

/// What [`Contact::number_line`] has written.
fn kind_and_number(line: &str) -> Option<(&str, &str)> {
    let is_number = |kind: &str, number: &str| {
        MORE_NUMBERS.contains(&kind) && (kind == SIP || number.bytes().any(|byte| byte.is_ascii_digit()))
    };
    line.split_once(": ").filter(|(kind, number)| is_number(kind, number))
}

impl fmt::Display for PictureType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
        })
    }
}

impl FromStr for PictureType {
    type Err = ContactError;

    fn from_str(text: &str) -> Result<Self, ContactError> {
        match text.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Ok(Self::Jpg),
            "png" => Ok(Self::Png),
            "gif" => Ok(Self::Gif),
            _ => Err(ContactError::PictureType { found: text.chars().take(40).collect() }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_read_in_any_order_and_written_in_the_order_of_the_table() {
        let alerts: Alerts = "S, b a".parse().unwrap();
        assert!(alerts.contains(Alerts::SOUND.with(Alerts::BUSY)));
        assert!(!alerts.contains(Alerts::RINGING));
        assert_eq!(alerts.to_string(), "abs");
        assert_eq!("ax".parse::<Alerts>(), Err(ContactError::Alert { letter: 'x' }));
    }

    #[test]
    fn dir_2_further_numbers_are_the_last_lines_of_a_note_and_nothing_amid_it() {
        let numbers = |note: &str| {
            let contact = Contact { note: note.into(), ..Contact::default() };
            contact.more_numbers().map(str::to_owned).collect::<Vec<_>>()
        };
        let note = "work: 0145672112 was hers\nComes on Mondays\nwork: +33 1 45 67 21 10\n\
                    fax: 0145672199\nsip: ann@x";
        assert_eq!(numbers(note), ["ann@x", "+33 1 45 67 21 10"]);
        assert_eq!(numbers("mobile: 0612345678"), ["0612345678"]);
        assert!(numbers("mobile: 0612345678\nonly in the evening").is_empty());
        assert!(numbers("mobile: 0612345678\nhome: on Mondays").is_empty(), "no number");
        assert_eq!(numbers(&"work: 0145672110\n".repeat(1000)).len(), MAX_MORE_NUMBERS);
    }

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        assert_eq!(Picture::new(b"GIF89a...").unwrap().kind(), PictureType::Gif);
        assert_eq!(Picture::new(b"\x89PNG\r\n\x1a\n...").unwrap().kind(), PictureType::Png);
        assert_eq!(Picture::new(b"\xff\xd8\xff\xe0").unwrap().kind(), PictureType::Jpg);
        assert_eq!(Picture::new(b"<svg>"), Err(ContactError::NoPicture));
        let large = [b"GIF89a".as_slice(), &vec![0; MAX_PICTURE_BYTES]].concat();
        assert_eq!(Picture::new(&large), Err(ContactError::PictureTooLarge));
    }

    #[test]
    fn limits_name_the_column() {
        let mut contact = Contact { note: "x".repeat(MAX_TEXT_BYTES + 1), ..Contact::default() };
        assert!(matches!(contact.check(), Err(ContactError::TooLong { column: "note", .. })));
        contact.note = "two\nlines".into();
        assert_eq!(contact.check(), Ok(()));
        contact.phone = "12\0".into();
        assert_eq!(contact.check(), Err(ContactError::ControlCharacter { column: "phone", code: 0 }));
        assert_eq!(Contact::default().check(), Err(ContactError::Empty));
    }

    #[test]
    fn a_name_falls_back_to_company_and_phone() {
        let mut contact = Contact { phone: "2110".into(), ..Contact::default() };
        assert_eq!(contact.display_name(), "2110");
        contact.company = "Acme".into();
        assert_eq!(contact.display_name(), "Acme");
        contact.last_name = "Fournier".into();
        assert_eq!(contact.display_name(), "Fournier");
        contact.first_name = "Alice".into();
        assert_eq!(contact.display_name(), "Alice Fournier");
    }
}
