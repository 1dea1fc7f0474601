//! The strip above the dial bar: transfers on their way or just ended, notices, refused commands.

use ipc::{
    CommandError, Notice, NoticeKind, PhoneFault, ReminderProblem, Removed, TransferState, TransferView,
    UpdateNews, UpdateNotice, UpdateRefusal, UpdateTrouble, View,
};

use crate::models::cards::{transfer_kind, transfer_step};
use crate::models::form::fault;
use crate::models::words::party_name;
use crate::screen::{
    EditFault, LedgerEntry, LedgerKind, RefusedCommand, TransferKind, TransferStep, UpdateStep, UpdateWhy,
};

/// A notice of the screen itself: a command that was not begun.
#[derive(Clone, Debug)]
pub(crate) struct LocalNotice {
    /// For the cross.
    pub(crate) id: u64,
    /// On the desk's clock; it leaves by itself.
    pub(crate) until_ms: u64,
    /// What it says.
    pub(crate) entry: LedgerEntry,
}

/// What a cross was pressed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryId {
    Transfer(u64),
    Notice(u64),
    Local(u64),
}

impl EntryId {
    /// Reads what [`entries`] wrote.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let number = id.get(1..)?.parse().ok()?;
        match id.as_bytes().first()? {
            b't' => Some(Self::Transfer(number)),
            b'n' => Some(Self::Notice(number)),
            b'l' => Some(Self::Local(number)),
            _ => None,
        }
    }
}

/// All entries, newest first.
pub(crate) fn entries(view: &View, local: &[LocalNotice]) -> Vec<LedgerEntry> {
    let mut entries: Vec<(u64, LedgerEntry)> = view
        .transfers
        .iter()
        .filter(|transfer| !on_its_card(view, transfer))
        .map(|transfer| (transfer.since_ms, of_transfer(transfer)))
        .chain(view.notices.iter().map(|notice| (notice.since_ms, of_notice(notice))))
        .chain(local.iter().map(|notice| (notice.until_ms, notice.entry.clone())))
        .collect();
    entries.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// The entry for a command that was not begun; `None` stands for a desk that is away.
pub(crate) fn refused(id: u64, error: Option<&CommandError>) -> LedgerEntry {
    let (refused, what, reason) = match error {
        None => (RefusedCommand::Unreachable, "", ""),
        Some(CommandError::NoSuchCall) => (RefusedCommand::NoSuchCall, "", ""),
        Some(CommandError::NotPossible) => (RefusedCommand::NotPossible, "", ""),
        Some(CommandError::NothingToDo) => (RefusedCommand::NothingToDo, "", ""),
        Some(CommandError::BadNumber { number }) => (RefusedCommand::BadNumber, number.as_str(), ""),
        Some(CommandError::AmbiguousName { name, .. }) => (RefusedCommand::AmbiguousName, name.as_str(), ""),
        Some(CommandError::NoLine) => (RefusedCommand::NoLine, "", ""),
        Some(CommandError::NotRegistered) => (RefusedCommand::NotRegistered, "", ""),
        Some(CommandError::OwnNumber { number }) => (RefusedCommand::OwnNumber, number.as_str(), ""),
        Some(CommandError::ConferenceFull) => (RefusedCommand::ConferenceFull, "", ""),
        Some(CommandError::NoSlot) => (RefusedCommand::NoSlot, "", ""),
        Some(CommandError::NothingRings { number }) => (RefusedCommand::NothingRings, number.as_str(), ""),
        Some(CommandError::NobodyTalks { number }) => (RefusedCommand::NobodyTalks, number.as_str(), ""),
        Some(CommandError::TakeOverNotAllowed) => (RefusedCommand::TakeOverNotAllowed, "", ""),
        Some(CommandError::TooManyCalls) => (RefusedCommand::TooManyCalls, "", ""),
        Some(CommandError::CallsAreUp) => (RefusedCommand::CallsAreUp, "", ""),
        Some(CommandError::SignedOut | CommandError::Locked) => (RefusedCommand::Closed, "", ""),
        Some(CommandError::NoFigures) => (RefusedCommand::NoFigures, "", ""),
        Some(CommandError::Edit(_) | CommandError::ImportRuns | CommandError::Item(_)) => {
            (RefusedCommand::Failed, "", "")
        }
        Some(CommandError::Reminder(ReminderProblem::Full)) => (RefusedCommand::RemindersFull, "", ""),
        Some(CommandError::Reminder(ReminderProblem::Gone)) => (RefusedCommand::ReminderGone, "", ""),
        Some(CommandError::Reminder(_)) => (RefusedCommand::Failed, "", ""),
        // Said beside its buttons.
        Some(CommandError::SoundTest(_) | CommandError::Pin(_)) => (RefusedCommand::NotPossible, "", ""),
        Some(CommandError::Failed { reason }) => (RefusedCommand::Failed, "", reason.as_str()),
    };
    LedgerEntry {
        id: slint::format!("l{id}"),
        kind: LedgerKind::CommandFailed,
        refused,
        who: what.into(),
        reason: reason.into(),
        fault: error.filter(|error| is_edit(error)).map(|error| fault(error).0).unwrap_or_default(),
        ..blank()
    }
}

fn is_edit(error: &CommandError) -> bool {
    matches!(error, CommandError::Edit(_) | CommandError::ImportRuns)
}

/// The entry for a call that something was wrong with.
pub(crate) fn marked(id: u64) -> LedgerEntry {
    LedgerEntry { id: slint::format!("l{id}"), kind: LedgerKind::Marked, ..blank() }
}

/// The entry for a directory that was written to a file.
pub(crate) fn exported(id: u64, path: &std::path::Path, contacts: u32) -> LedgerEntry {
    LedgerEntry {
        id: slint::format!("l{id}"),
        kind: LedgerKind::Exported,
        count: number(contacts),
        reason: path.display().to_string().into(),
        ..blank()
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A transfer on its way whose call is still on the desk stands on the card already.
fn on_its_card(view: &View, transfer: &TransferView) -> bool {
    let open = !matches!(transfer.state, TransferState::Ended { .. });
    let mut calls = view.incoming.iter().chain(&view.outgoing);
    open && calls.any(|call| call.transfer.as_ref().is_some_and(|shown| shown.id == transfer.id))
}

fn of_transfer(transfer: &TransferView) -> LedgerEntry {
    let (step, code) = transfer_step(transfer);
    LedgerEntry {
        id: slint::format!("t{}", transfer.id.0),
        kind: LedgerKind::Transfer,
        step,
        who: party_name(&transfer.who),
        transfer_kind: transfer_kind(transfer.kind),
        to: party_name(&transfer.to),
        code,
        ..blank()
    }
}

fn of_notice(notice: &Notice) -> LedgerEntry {
    let id = slint::format!("n{}", notice.id.0);
    match &notice.kind {
        NoticeKind::Removed { what, .. } => {
            let entry = LedgerEntry { id, kind: LedgerKind::Removed, can_undo: true, ..blank() };
            match what {
                Removed::Contact { name } => LedgerEntry { who: name.as_str().into(), ..entry },
                Removed::Contacts { count, directory } => {
                    LedgerEntry { to: directory.as_str().into(), count: number(*count), ..entry }
                }
                Removed::Directory { count, directory } => {
                    LedgerEntry { reason: directory.as_str().into(), count: number(*count), ..entry }
                }
            }
        }
        NoticeKind::Imported { directory, loaded, left_out } => LedgerEntry {
            id,
            kind: LedgerKind::Imported,
            to: directory.as_str().into(),
            count: number(*loaded),
            left_out: number(*left_out),
            ..blank()
        },
        NoticeKind::DialFailed { to, code, reason } => LedgerEntry {
            id,
            kind: LedgerKind::DialFailed,
            to: party_name(to),
            code: i32::from(*code),
            reason: reason.as_str().into(),
            ..blank()
        },
        NoticeKind::InterceptFailed { from, code, reason } => LedgerEntry {
            id,
            kind: LedgerKind::InterceptFailed,
            who: party_name(from),
            code: i32::from(*code),
            reason: reason.as_str().into(),
            ..blank()
        },
        NoticeKind::TakeOverFailed { from, code, reason } => LedgerEntry {
            id,
            kind: LedgerKind::TakeOverFailed,
            who: party_name(from),
            code: i32::from(*code),
            reason: reason.as_str().into(),
            ..blank()
        },
        NoticeKind::HoldFailed { party, code } => LedgerEntry {
            id,
            kind: LedgerKind::HoldFailed,
            who: party_name(party),
            code: i32::from(*code),
            ..blank()
        },
        NoticeKind::DigitsFailed { party, code } => LedgerEntry {
            id,
            kind: LedgerKind::DigitsFailed,
            who: party_name(party),
            code: i32::from(*code),
            ..blank()
        },
        NoticeKind::RuleIgnored { rule } => {
            LedgerEntry { id, kind: LedgerKind::RuleIgnored, who: rule.as_str().into(), ..blank() }
        }
        NoticeKind::StorageFailed { reason } => {
            LedgerEntry { id, kind: LedgerKind::StorageFailed, reason: reason.as_str().into(), ..blank() }
        }
        NoticeKind::Update(notice) => LedgerEntry { id, ..of_update(notice) },
        NoticeKind::PhoneFailed { phone, why } => LedgerEntry {
            id,
            kind: LedgerKind::PhoneFailed,
            who: phone.as_str().into(),
            code: phone_fault(*why),
            ..blank()
        },
        NoticeKind::AudioLost { device, reason } => LedgerEntry {
            id,
            kind: LedgerKind::AudioLost,
            who: device.as_str().into(),
            reason: reason.as_str().into(),
            ..blank()
        },
    }
}

fn of_update(notice: &UpdateNotice) -> LedgerEntry {
    let (update, (update_why, to, reason)) = match &notice.news {
        UpdateNews::Taken => (UpdateStep::Taken, nothing()),
        UpdateNews::Writing => (UpdateStep::Writing, nothing()),
        UpdateNews::Ready => (UpdateStep::Ready, nothing()),
        UpdateNews::Done => (UpdateStep::Done, nothing()),
        UpdateNews::Kept { why } => (UpdateStep::Kept, not_well(why)),
        UpdateNews::TakenBack { why } => (UpdateStep::TakenBack, not_well(why)),
        UpdateNews::Refused { why } => (UpdateStep::Refused, not_taken(why)),
        UpdateNews::Failed { reason } => (UpdateStep::Failed, (UpdateWhy::None, "", reason.as_str())),
    };
    LedgerEntry {
        kind: LedgerKind::Update,
        who: notice.version.as_str().into(),
        update,
        update_why,
        to: to.into(),
        reason: reason.into(),
        ..blank()
    }
}

/// Why, what it is about, and the words of others.
type Reason<'a> = (UpdateWhy, &'a str, &'a str);

fn nothing() -> Reason<'static> {
    (UpdateWhy::None, "", "")
}

fn not_well(why: &UpdateTrouble) -> Reason<'_> {
    match why {
        UpdateTrouble::Start => (UpdateWhy::Start, "", ""),
        UpdateTrouble::Desk => (UpdateWhy::Desk, "", ""),
        UpdateTrouble::Screen => (UpdateWhy::Screen, "", ""),
        UpdateTrouble::Line { number } => (UpdateWhy::Line, number, ""),
        UpdateTrouble::Unknown => (UpdateWhy::Unknown, "", ""),
    }
}

fn not_taken(why: &UpdateRefusal) -> Reason<'_> {
    let why = match why {
        UpdateRefusal::Older { than } => return (UpdateWhy::Older, than, ""),
        UpdateRefusal::Failed { reason } => return (UpdateWhy::None, "", reason),
        UpdateRefusal::Signature => UpdateWhy::Signature,
        UpdateRefusal::Damaged => UpdateWhy::Damaged,
        UpdateRefusal::NotAnUpdate => UpdateWhy::NotAnUpdate,
        UpdateRefusal::OtherBox => UpdateWhy::OtherBox,
        UpdateRefusal::Same => UpdateWhy::Same,
        UpdateRefusal::NoVersion => UpdateWhy::NoVersion,
        UpdateRefusal::TakenBackBefore => UpdateWhy::TakenBackBefore,
        UpdateRefusal::TooLarge => UpdateWhy::TooLarge,
        UpdateRefusal::NoRoom => UpdateWhy::NoRoom,
        UpdateRefusal::Busy => UpdateWhy::Busy,
        UpdateRefusal::Off => UpdateWhy::Off,
    };
    (why, "", "")
}

/// What is the matter with the operator's telephone, as a status of SIP; 0 for one that is gone, 1 for one that cannot
/// be called.
fn phone_fault(why: PhoneFault) -> i32 {
    match why {
        PhoneFault::Lost => 0,
        PhoneFault::NotCallable => 1,
        PhoneFault::NoAnswer => 408,
        PhoneFault::Busy => 486,
        PhoneFault::Refused { code } => i32::from(code),
    }
}

fn blank() -> LedgerEntry {
    LedgerEntry {
        id: Default::default(),
        kind: LedgerKind::Transfer,
        step: TransferStep::None,
        transfer_kind: TransferKind::Blind,
        refused: RefusedCommand::None,
        who: Default::default(),
        to: Default::default(),
        code: 0,
        reason: Default::default(),
        count: 0,
        left_out: 0,
        fault: EditFault::None,
        update: UpdateStep::None,
        update_why: UpdateWhy::None,
        can_undo: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn every_entry_can_be_found_again_by_its_cross() {
        let view = scenes::fates();
        let local = [LocalNotice { id: 3, until_ms: 1, entry: refused(3, None) }];
        let entries = entries(&view, &local);
        // One transfer is on its way and stands on its card.
        assert_eq!(entries.len(), view.transfers.len() - 1 + view.notices.len() + 1);
        for entry in &entries {
            assert!(EntryId::read(&entry.id).is_some(), "{}", entry.id);
        }
        assert_eq!(EntryId::read("l3"), Some(EntryId::Local(3)));
        assert_eq!(EntryId::read("x3"), None);
        assert_eq!(EntryId::read(""), None);
        assert_eq!(EntryId::read("é"), None);
    }
}
