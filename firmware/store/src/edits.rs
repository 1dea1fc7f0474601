//! Changes by hand: one [`Edit`] is done wholly or not at all, with its line in the contact's history.

use directory::{Contact, ContactError, Directory, Entry, Field};
use ipc::{
    ContactCard, ContactChangeKind, ContactForm, ContactId, DirectoryId, Edit, EditProblem, RemovalId,
};
use rusqlite::Connection;

use crate::contacts::{
    change, change_directory, contact, directory, insert, insert_directory, room, watched,
};
use crate::history::{difference, note, word};
use crate::removals::{self, Removal, clear_directory, remove_contact, remove_directory};
use crate::sources::is_by_hand;
use crate::{Failure, Store, StoreError};

/// Who changes something, and when.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The operator's name.
    pub name: &'a str,
    /// Unix milliseconds.
    pub now: i64,
}

/// What an [`Edit`] has done, for whoever holds the directories in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// Contacts added or changed, without their pictures.
    pub entries: Vec<Entry>,
    /// A contact that is gone.
    pub removed: Option<ContactId>,
    /// Directories to be read anew: [`Store::load_directory`] says `None` of one that is gone.
    pub reload: Vec<DirectoryId>,
    /// A directory that is not what it was, its contacts being the same.
    pub directory: Option<Directory>,
    /// What can be undone.
    pub removal: Option<Removal>,
    /// What was undone.
    pub restored: Option<RemovalId>,
}

impl Store {
    /// Changes directories or contacts.
    ///
    /// # Errors
    /// [`StoreError::Edit`] says why that cannot be; or the database's. Nothing has changed then.
    pub fn edit(&mut self, edit: &Edit, author: Author<'_>) -> Result<Edited, StoreError> {
        let done = self.write("change the directories", |db| apply(db, edit, author));
        done.map_err(worded)
    }

    /// A contact with everything that is kept of it.
    ///
    /// # Errors
    /// The database's.
    pub fn contact_card(&self, id: ContactId) -> Result<Option<ContactCard>, StoreError> {
        let Some(Entry { directory, contact, .. }) = self.contact(id)? else { return Ok(None) };
        let (picture, history) = (contact.picture.is_some(), self.contact_history(id)?);
        Ok(Some(ContactCard { contact: id, directory, form: form(contact), picture, history }))
    }
}

fn apply(db: &Connection, edit: &Edit, author: Author<'_>) -> Result<Edited, Failure> {
    let removed = |removal: Removal| Edited { removal: Some(removal), ..Edited::default() };
    Ok(match edit {
        Edit::AddContact { directory: id, form } => {
            is_by_hand(db, *id)?;
            let new = from_form(form)?;
            let wanted = Entry { id: ContactId(0), directory: *id, contact: new };
            let added = add(db, &wanted, author)?;
            Edited { entries: vec![added], ..Edited::default() }
        }
        Edit::ChangeContact { contact: id, directory, form, keep_picture } => {
            let before = known(db, *id)?;
            is_by_hand(db, before.directory)?;
            is_by_hand(db, *directory)?;
            let picture = before.contact.picture.clone().filter(|_| *keep_picture);
            let wanted = Contact { picture, ..from_form(form)? };
            set(db, &before, Entry { id: *id, directory: *directory, contact: wanted }, author)?
        }
        Edit::SetPresence { contact: id, on } => {
            let before = known(db, *id)?;
            if *on && !directory(db, before.directory)?.local {
                return Err(StoreError::from(EditProblem::ExternalPresence).into());
            }
            let wanted = Contact { presence: *on, ..before.contact.clone() };
            set(db, &before, Entry { contact: wanted, ..before }, author)?
        }
        Edit::SetAlerts { contact: id, alerts } => {
            let before = known(db, *id)?;
            let wanted = Contact { alert: (*alerts).into(), ..before.contact.clone() };
            set(db, &before, Entry { contact: wanted, ..before }, author)?
        }
        Edit::RemoveContact { contact } => {
            is_by_hand(db, known(db, *contact)?.directory)?;
            note(db, *contact, author.line(), &ContactChangeKind::Removed)?;
            Edited { removed: Some(*contact), ..removed(remove_contact(db, *contact, author.now)?) }
        }
        Edit::AddDirectory { name, local } => {
            let id = insert_directory(db, name, *local, None, "")?;
            Edited { directory: Some(directory(db, id)?), ..Edited::default() }
        }
        Edit::ChangeDirectory { directory: id, name, local, line, note } => {
            let was = directory(db, *id)?;
            let (name, line, note) = (name.clone(), line.clone(), note.clone());
            changed(db, Directory { name, local: *local, line, note, ..was })?
        }
        Edit::SetLook { directory: id, look } => {
            changed(db, Directory { look: look.clone(), ..directory(db, *id)? })?
        }
        Edit::ClearDirectory { directory } => {
            is_by_hand(db, *directory)?;
            Edited { reload: vec![*directory], ..removed(clear_directory(db, *directory, author.now)?) }
        }
        Edit::RemoveDirectory { directory } => {
            is_by_hand(db, *directory)?;
            Edited { reload: vec![*directory], ..removed(remove_directory(db, *directory, author.now)?) }
        }
        Edit::Undo { removal } => {
            let contacts = removals::contacts(db, *removal)?;
            let reload = removals::undo(db, *removal)?;
            for contact in contacts {
                note(db, contact, author.line(), &ContactChangeKind::Restored)?;
            }
            Edited { reload, restored: Some(*removal), ..Edited::default() }
        }
    })
}

impl<'a> Author<'a> {
    fn line(self) -> (&'a str, i64) {
        (self.name, self.now)
    }
}

fn known(db: &Connection, id: ContactId) -> Result<Entry, Failure> {
    contact(db, id)?.ok_or_else(|| StoreError::NoSuchContact(id).into())
}

fn add(db: &Connection, wanted: &Entry, author: Author<'_>) -> Result<Entry, Failure> {
    let home = directory(db, wanted.directory)?;
    let mut room = room(db, home.id)?;
    let added = insert(db, &home, wanted.contact.clone(), &mut room, None)?;
    // The same person is there already, to the letter: whoever adds them means that one.
    let added = added.ok_or(StoreError::from(EditProblem::AlreadyThere))?;
    note(db, added.id, author.line(), &ContactChangeKind::Added)?;
    Ok(added)
}

fn set(db: &Connection, before: &Entry, wanted: Entry, author: Author<'_>) -> Result<Edited, Failure> {
    let moved = before.directory != wanted.directory;
    if moved && room(db, wanted.directory)? == 0 {
        return Err(StoreError::TooManyContacts.into());
    }
    let after = change(db, &wanted)?;
    // What is compared has its picture: as it was, or as it is wanted.
    let kept =
        Entry { contact: Contact { picture: wanted.contact.picture, ..after.contact.clone() }, ..after };
    if let Some(what) = difference(before, &kept) {
        note(db, before.id, author.line(), &what)?;
    }
    Ok(Edited { entries: vec![after], ..Edited::default() })
}

fn changed(db: &Connection, wanted: Directory) -> Result<Edited, Failure> {
    let was = directory(db, wanted.id)?;
    change_directory(db, &wanted)?;
    let mut reload = Vec::new();
    if was.local && !wanted.local {
        // Phones of people outside are not monitored.
        for watched in watched(db, wanted.id)? {
            change(db, &watched)?;
        }
        reload.push(wanted.id);
    }
    Ok(Edited { directory: Some(directory(db, wanted.id)?), reload, ..Edited::default() })
}

/// A contact as it was written down.
fn from_form(form: &ContactForm) -> Result<Contact, Failure> {
    let mut contact = Contact { presence: form.presence, alert: form.alerts.into(), ..Contact::default() };
    for field in Field::ALL {
        text_of(form, field).trim().clone_into(contact.text_mut(field));
    }
    let says_who = |field: &Field| field.is_name() || field.is_number() || *field == Field::Company;
    if Field::ALL.iter().filter(|field| says_who(field)).all(|&field| contact.text(field).is_empty()) {
        return Err(StoreError::from(EditProblem::EmptyContact).into());
    }
    Ok(contact)
}

fn form(contact: Contact) -> ContactForm {
    ContactForm {
        last_name: contact.last_name,
        first_name: contact.first_name,
        company: contact.company,
        office: contact.office,
        department: contact.department,
        title: contact.title,
        note: contact.note,
        phone: contact.phone,
        mobile: contact.mobile,
        home: contact.home,
        voicemail: contact.voicemail,
        email: contact.email,
        xmpp: contact.xmpp,
        calendar: contact.calendar,
        web: contact.web,
        presence: contact.presence,
        alerts: contact.alert.into(),
    }
}

fn text_of(form: &ContactForm, field: Field) -> &str {
    match field {
        Field::LastName => &form.last_name,
        Field::FirstName => &form.first_name,
        Field::Company => &form.company,
        Field::Office => &form.office,
        Field::Department => &form.department,
        Field::Title => &form.title,
        Field::Note => &form.note,
        Field::Phone => &form.phone,
        Field::Mobile => &form.mobile,
        Field::Home => &form.home,
        Field::Voicemail => &form.voicemail,
        Field::Email => &form.email,
        Field::Xmpp => &form.xmpp,
        Field::Calendar => &form.calendar,
        Field::Web => &form.web,
    }
}

/// What the operator can do something about, as a problem that the screen can word.
fn worded(error: StoreError) -> StoreError {
    let field = |column: &str| Field::ALL.into_iter().find(|field| field.column() == column).map(word);
    let problem = match &error {
        StoreError::NoSuchContact(_) => Some(EditProblem::NoSuchContact),
        StoreError::NoSuchDirectory(_) => Some(EditProblem::NoSuchDirectory),
        StoreError::TooManyContacts => Some(EditProblem::DirectoryFull),
        StoreError::NothingToUndo => Some(EditProblem::NothingToUndo),
        StoreError::DirectoryName { problem, .. } => Some(problem.clone()),
        StoreError::Contact(ContactError::Empty) => Some(EditProblem::EmptyContact),
        StoreError::Contact(ContactError::TooLong { column, .. }) => {
            field(column).map(|field| EditProblem::TooLong { field })
        }
        StoreError::Contact(ContactError::ControlCharacter { column, .. }) => {
            field(column).map(|field| EditProblem::ControlCharacter { field })
        }
        _ => None,
    };
    problem.map_or(error, StoreError::Edit)
}
