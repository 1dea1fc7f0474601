//! What is written about a contact (DIR-2): its texts in the order of the editor, what is wrong with each,
//! how two people's changes go together, and what a call tells of somebody who is not in a directory.
//!
//! What the desk refuses besides is the desk's business; here is what can be said while one types.

use ipc::{AlertSet, CommandError, ContactField, ContactForm, EditProblem, Party};

use crate::screen::{EditFault, EditField, FieldProblem, FileFault};

/// Most bytes of a form on the socket: a frame to the desk has 64 KiB, with the command around it.
const MAX_FORM_BYTES: usize = 60_000;

/// The texts in the order of the editor.
pub(crate) const FIELDS: [(ContactField, EditField); 15] = [
    (ContactField::FirstName, EditField::FirstName),
    (ContactField::LastName, EditField::LastName),
    (ContactField::Company, EditField::Company),
    (ContactField::Department, EditField::Department),
    (ContactField::Title, EditField::Title),
    (ContactField::Office, EditField::Office),
    (ContactField::Phone, EditField::Phone),
    (ContactField::Mobile, EditField::Mobile),
    (ContactField::Home, EditField::Home),
    (ContactField::Voicemail, EditField::Voicemail),
    (ContactField::Email, EditField::Email),
    (ContactField::Xmpp, EditField::Xmpp),
    (ContactField::Web, EditField::Web),
    (ContactField::Calendar, EditField::Calendar),
    (ContactField::Note, EditField::Note),
];

/// Numbers of mobile telephones, by the digits with which they begin. A number in a national form says
/// nothing here: this screen does not know the country it stands in.
const MOBILE: &[&str] = &[
    "+336", "+337", "+4915", "+4916", "+4917", "+447", "+4175", "+4176", "+4177", "+4178", "+4179", "+436",
    "+324", "+346", "+347", "+393", "+316", "+3519", "+3538", "+467", "+474", "+479", "+3584", "+3585",
];

/// One text of a form.
pub(crate) fn text(form: &ContactForm, field: ContactField) -> &str {
    match field {
        ContactField::LastName => &form.last_name,
        ContactField::FirstName => &form.first_name,
        ContactField::Company => &form.company,
        ContactField::Office => &form.office,
        ContactField::Department => &form.department,
        ContactField::Title => &form.title,
        ContactField::Note => &form.note,
        ContactField::Phone => &form.phone,
        ContactField::Mobile => &form.mobile,
        ContactField::Home => &form.home,
        ContactField::Voicemail => &form.voicemail,
        ContactField::Email => &form.email,
        ContactField::Xmpp => &form.xmpp,
        ContactField::Calendar => &form.calendar,
        ContactField::Web => &form.web,
    }
}

/// The same, to be written.
pub(crate) fn text_mut(form: &mut ContactForm, field: ContactField) -> &mut String {
    match field {
        ContactField::LastName => &mut form.last_name,
        ContactField::FirstName => &mut form.first_name,
        ContactField::Company => &mut form.company,
        ContactField::Office => &mut form.office,
        ContactField::Department => &mut form.department,
        ContactField::Title => &mut form.title,
        ContactField::Note => &mut form.note,
        ContactField::Phone => &mut form.phone,
        ContactField::Mobile => &mut form.mobile,
        ContactField::Home => &mut form.home,
        ContactField::Voicemail => &mut form.voicemail,
        ContactField::Email => &mut form.email,
        ContactField::Xmpp => &mut form.xmpp,
        ContactField::Calendar => &mut form.calendar,
        ContactField::Web => &mut form.web,
    }
}

/// What is wrong with each text, in the order of [`FIELDS`].
pub(crate) fn problems(form: &ContactForm) -> Vec<FieldProblem> {
    let mut problems: Vec<FieldProblem> =
        FIELDS.iter().map(|(field, _)| problem(*field, text(form, *field))).collect();
    let size = serde_json::to_vec(form).map_or(0, |bytes| bytes.len());
    if size > MAX_FORM_BYTES
        && let Some(longest) = (0..FIELDS.len()).max_by_key(|&at| text(form, FIELDS[at].0).len())
    {
        problems[longest] = FieldProblem::TooLong;
    }
    problems
}

fn problem(field: ContactField, text: &str) -> FieldProblem {
    let text = text.trim();
    let kept = |c: char| !c.is_control() || (field == ContactField::Note && matches!(c, '\n' | '\r' | '\t'));
    if !text.chars().all(kept) {
        return FieldProblem::ControlCharacter;
    }
    let is_number = matches!(
        field,
        ContactField::Phone | ContactField::Mobile | ContactField::Home | ContactField::Voicemail
    );
    if is_number && !text.is_empty() && !is_a_number(text) {
        return FieldProblem::NotANumber;
    }
    if matches!(field, ContactField::Email | ContactField::Xmpp) && !text.is_empty() && !is_an_address(text) {
        return FieldProblem::NotAnAddress;
    }
    FieldProblem::None
}

/// Digits with what is written between them, then an extension in letters and with digits, "ext. 12"; or an
/// address that a telephone calls.
fn is_a_number(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if ["sip:", "sips:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return lower.chars().all(|c| c.is_ascii_graphic()) && !lower.ends_with(':');
    }
    let number = lower.strip_prefix("tel:").unwrap_or(&lower);
    let letters = number.find(char::is_alphabetic).unwrap_or(number.len());
    let (number, extension) = number.split_at(letters);
    let between = |c: char| " \u{a0}\u{202f}\u{2011}-./()".contains(c);
    let dialled = |c: char| c.is_ascii_digit() || matches!(c, '+' | '*' | '#');
    number.chars().all(|c| dialled(c) || between(c))
        && number.chars().any(|c| c.is_ascii_digit() || matches!(c, '*' | '#'))
        && extension.chars().all(|c| c.is_alphanumeric() || dialled(c) || between(c) || c == ':')
        && (extension.is_empty() || extension.chars().any(|c| c.is_ascii_digit()))
}

/// name@place; RFC 5321 allows more, no directory has it.
fn is_an_address(text: &str) -> bool {
    let bare = ["sip:", "sips:", "xmpp:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let Some((name, place)) = bare.split_once('@') else { return false };
    !name.is_empty()
        && !place.is_empty()
        && !place.contains('@')
        && !place.starts_with('.')
        && !place.ends_with('.')
        && !bare.chars().any(|c| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ',' | ';'))
}

/// It has a name, a company or a number: without one nobody finds it.
pub(crate) fn can_be_found(form: &ContactForm) -> bool {
    let telling = [
        &form.last_name,
        &form.first_name,
        &form.company,
        &form.phone,
        &form.mobile,
        &form.home,
        &form.voicemail,
    ];
    telling.iter().any(|text| !text.trim().is_empty())
}

/// Without blanks around the texts.
pub(crate) fn trimmed(mut form: ContactForm) -> ContactForm {
    for (field, _) in FIELDS {
        let text = text_mut(&mut form, field);
        if text.trim().len() != text.len() {
            *text = text.trim().to_owned();
        }
    }
    form
}

/// Without what belongs to local directories only (PRE-2): nobody monitors a stranger's phone.
pub(crate) fn of_a_stranger(form: ContactForm) -> ContactForm {
    ContactForm { presence: false, alerts: about_a_stranger(form.alerts), ..form }
}

/// What one can be told about a stranger: the person, not the phone.
pub(crate) fn about_a_stranger(alerts: AlertSet) -> AlertSet {
    AlertSet { available: false, ringing: false, busy: false, do_not_disturb: false, ..alerts }
}

/// Somebody else has made `theirs` of `base`: what `mine` did not touch becomes theirs.
pub(crate) fn merge(mine: &mut ContactForm, base: &ContactForm, theirs: &ContactForm) {
    for (field, _) in FIELDS {
        if text(mine, field) == text(base, field) {
            text(theirs, field).clone_into(text_mut(mine, field));
        }
    }
    if mine.presence == base.presence {
        mine.presence = theirs.presence;
    }
    if mine.alerts == base.alerts {
        mine.alerts = theirs.alerts;
    }
}

/// What a call tells of the other end.
pub(crate) fn of_party(party: &Party) -> ContactForm {
    let number = party.number.as_deref().unwrap_or_default().trim();
    let (first_name, last_name) = names(party.name.as_deref().unwrap_or_default());
    let mut form = ContactForm {
        first_name,
        last_name,
        company: party.company.clone().unwrap_or_default(),
        title: party.title.clone().unwrap_or_default(),
        ..ContactForm::default()
    };
    if is_mobile(number) {
        form.mobile = number.to_owned();
    } else {
        form.phone = number.to_owned();
    }
    form
}

/// "Helena Brandt", "Brandt, Helena"; a number is no name.
fn names(name: &str) -> (String, String) {
    let name = name.trim();
    if name.chars().any(|c| c.is_ascii_digit()) && !name.chars().any(char::is_alphabetic) {
        return (String::new(), String::new());
    }
    if let Some((last, first)) = name.split_once(',') {
        return (first.trim().to_owned(), last.trim().to_owned());
    }
    match name.split_once(char::is_whitespace) {
        Some((first, last)) => (first.to_owned(), last.trim().to_owned()),
        None => (String::new(), name.to_owned()),
    }
}

fn is_mobile(number: &str) -> bool {
    let plain: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let plain = plain.strip_prefix("00").map(|rest| format!("+{rest}")).unwrap_or(plain);
    MOBILE.iter().any(|prefix| plain.starts_with(prefix))
}

/// The flags in the order of the words.
pub(crate) fn flags(alerts: AlertSet) -> [bool; 8] {
    let AlertSet { available, ringing, busy, do_not_disturb, online, offline, sound, once } = alerts;
    [available, ringing, busy, do_not_disturb, online, offline, sound, once]
}

/// Sets the flag of that place.
pub(crate) fn set_flag(alerts: &mut AlertSet, index: i32, on: bool) {
    let flag = match index {
        0 => &mut alerts.available,
        1 => &mut alerts.ringing,
        2 => &mut alerts.busy,
        3 => &mut alerts.do_not_disturb,
        4 => &mut alerts.online,
        5 => &mut alerts.offline,
        6 => &mut alerts.sound,
        7 => &mut alerts.once,
        _ => return,
    };
    *flag = on;
}

/// Why the desk refused, as the screen words it, and what cannot be translated.
pub(crate) fn fault(error: &CommandError) -> (EditFault, String) {
    let fault = match error {
        CommandError::Edit(problem) => match problem {
            EditProblem::EmptyContact => EditFault::EmptyContact,
            EditProblem::TooLong { .. } => EditFault::TooLong,
            EditProblem::ControlCharacter { .. } => EditFault::ControlCharacter,
            EditProblem::ExternalPresence => EditFault::ExternalPresence,
            EditProblem::NoSuchContact => EditFault::NoSuchContact,
            EditProblem::NoSuchDirectory => EditFault::NoSuchDirectory,
            EditProblem::AlreadyThere => EditFault::AlreadyThere,
            EditProblem::DirectoryFull => EditFault::DirectoryFull,
            EditProblem::EmptyName => EditFault::EmptyName,
            EditProblem::BadName => EditFault::BadName,
            EditProblem::NameTaken => EditFault::NameTaken,
            EditProblem::NothingToUndo => EditFault::NothingToUndo,
            EditProblem::KeptByConnector => EditFault::KeptByConnector,
        },
        CommandError::ImportRuns => EditFault::ImportRuns,
        CommandError::Failed { reason } => return (EditFault::Failed, reason.clone()),
        other => return (EditFault::Failed, other.to_string()),
    };
    (fault, String::new())
}

/// What is wrong with a file of contacts, where the desk's reason, which is English and for the log, tells something that
/// whoever made the file can mend.
pub(crate) fn file_fault(reason: &str) -> Option<FileFault> {
    let known = [
        ("the file is empty", FileFault::Empty),
        ("line 1 is longer", FileFault::NoHeader),
        ("line 1 names no known column", FileFault::NoHeader),
        ("separated by semicolons", FileFault::Semicolons),
        ("separated by tabs", FileFault::Tabs),
        ("line 1 names the column", FileFault::ColumnTwice),
        ("the file is UTF-16", FileFault::SixteenBit),
    ];
    known.into_iter().find(|(words, _)| reason.contains(*words)).map(|(_, fault)| fault)
}

/// The field that a refusal is about, and what is wrong with it.
pub(crate) fn refused_field(error: &CommandError) -> Option<(ContactField, FieldProblem)> {
    match error {
        CommandError::Edit(EditProblem::TooLong { field }) => Some((*field, FieldProblem::TooLong)),
        CommandError::Edit(EditProblem::ControlCharacter { field }) => {
            Some((*field, FieldProblem::ControlCharacter))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_directories_have_them() {
        for good in [
            "2107",
            "+49 30 5557-0142",
            "(01) 55/57.01.42",
            "*21#",
            "+33 (0)1 55 57 01 42 ext. 12",
            "5557 poste 3",
            "tel:+49-30-1",
            "sip:alice@example.org",
        ] {
            assert!(is_a_number(good), "{good}");
        }
        for bad in ["abc", "ext 12", "+", "12_3", "sip:", "12;34", "élan", "+49x", "2107 ext."] {
            assert!(!is_a_number(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_have_a_name_and_a_place() {
        for good in ["a@b", "marie.laurent@northwind.example", "sip:a@b.example", "xmpp:a@b.example"] {
            assert!(is_an_address(good), "{good}");
        }
        for bad in ["a", "@b", "a@", "a@b@c", "a b@c", "a@.b", "a@b.", "A <a@b>", "a@b,c@d"] {
            assert!(!is_an_address(bad), "{bad}");
        }
    }

    #[test]
    fn every_text_can_be_written_and_read() {
        let mut form = ContactForm::default();
        for (field, _) in FIELDS {
            *text_mut(&mut form, field) = format!(" {field:?} ");
        }
        let form = trimmed(form);
        for (field, _) in FIELDS {
            assert_eq!(text(&form, field), format!("{field:?}"));
        }
    }

    #[test]
    fn what_one_did_not_touch_becomes_the_others() {
        let form = |first: &str, phone: &str| ContactForm {
            first_name: first.into(),
            phone: phone.into(),
            ..ContactForm::default()
        };
        let (base, theirs) = (form("Ana", "1"), ContactForm { presence: true, ..form("Anna", "2") });
        let mut mine = form("Ana", "3");
        merge(&mut mine, &base, &theirs);
        assert_eq!(mine, ContactForm { presence: true, ..form("Anna", "3") });
    }

    #[test]
    fn a_call_fills_in_what_it_tells() {
        let party = |name: &str, number: &str| Party {
            name: Some(name.into()),
            number: Some(number.into()),
            ..Party::default()
        };
        let form = of_party(&party("Helena van der Brandt", "+49 30 5557 0142"));
        assert_eq!((form.first_name.as_str(), form.last_name.as_str()), ("Helena", "van der Brandt"));
        assert_eq!((form.phone.as_str(), form.mobile.as_str()), ("+49 30 5557 0142", ""));
        let form = of_party(&party("Brandt, Helena", "0049 151 5557"));
        assert_eq!((form.first_name.as_str(), form.last_name.as_str()), ("Helena", "Brandt"));
        assert_eq!((form.phone.as_str(), form.mobile.as_str()), ("", "0049 151 5557"));
        let form = of_party(&party("+33 1 55", "+33 1 55"));
        assert_eq!((form.last_name.as_str(), form.phone.as_str()), ("", "+33 1 55"));
        assert_eq!(of_party(&Party::default()), ContactForm::default());
    }

    #[test]
    fn a_form_too_long_for_the_socket_says_so_at_its_longest_text() {
        let form = ContactForm { note: "\"".repeat(MAX_FORM_BYTES / 2), ..ContactForm::default() };
        assert_eq!(problems(&form).last(), Some(&FieldProblem::TooLong));
        assert!(problems(&ContactForm::default()).iter().all(|p| *p == FieldProblem::None));
    }

    #[test]
    fn each_flag_has_its_place() {
        for index in 0..8 {
            let mut alerts = AlertSet::default();
            set_flag(&mut alerts, index, true);
            let on = flags(alerts).iter().position(|on| *on).unwrap();
            assert_eq!(i32::try_from(on), Ok(index));
            assert_eq!(flags(alerts).iter().filter(|on| **on).count(), 1);
        }
    }
}
