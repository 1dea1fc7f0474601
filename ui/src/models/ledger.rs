//! The strip above the dial bar: transfers on their way or just ended, notices, refused commands.

use ipc::{
    CommandError, Language, Notice, NoticeKind, PhoneFault, ReminderProblem, Removed, TransferState,
    TransferView, UpdateNews, UpdateNotice, UpdateRefusal, UpdateTrouble, View,
};

use crate::models::cards::{transfer_kind, transfer_step};
use crate::models::form::fault;
use crate::models::words::{grouped, party_name};
use crate::screen::{
    EditFault, LedgerEntry, LedgerKind, RefusedCommand, TransferKind, TransferStep, UpdateStep, UpdateWhy,
};

/// A notice of the screen itself: a command that was not begun.
#[derive(Clone, Debug)]
pub(crate) struct LocalNotice {
    /// For the cross.
    pub(crate) id: u64,
    /// On the desk's clock.
    pub(crate) since_ms: u64,
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

/// All entries, newest first: a transfer that has ended is as new as its end. Only transfers on their way go before what
/// is older than the newest, so that they and the newest are seen without scrolling (CALL-13), and an import that has ended,
/// which wants nothing and answers no finger, stands behind what can be undone.
pub(crate) fn entries(view: &View, local: &[LocalNotice]) -> Vec<LedgerEntry> {
    let french = view.preferences.language == Language::French;
    let transfers = view.transfers.iter().filter(|transfer| !on_its_card(view, transfer));
    // Of what happened at the same time the screen's own is first: it answers a key or a finger.
    let mut entries: Vec<(u64, LedgerEntry)> = local
        .iter()
        .map(|notice| (notice.since_ms, notice.entry.clone()))
        .chain(transfers.map(|transfer| (newest_of(transfer), of_transfer(transfer))))
        .chain(view.notices.iter().map(|notice| (notice.since_ms, of_notice(notice, french))))
        .collect();
    entries.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
    if entries.iter().any(|(_, entry)| entry.can_undo) {
        entries.sort_by_key(|(_, entry)| entry.kind == LedgerKind::Imported);
    }
    if let Some((_, older)) = entries.split_first_mut() {
        older.sort_by_key(|(_, entry)| !is_on_its_way(entry));
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// How many of the first entries are to be seen without scrolling: the newest, and transfers on their way.
pub(crate) fn in_sight(entries: &[LedgerEntry]) -> usize {
    entries.iter().enumerate().filter(|(at, entry)| *at == 0 || is_on_its_way(entry)).count()
}

fn is_on_its_way(entry: &LedgerEntry) -> bool {
    let on_its_way = matches!(
        entry.step,
        TransferStep::Grace
            | TransferStep::Waiting
            | TransferStep::Requested
            | TransferStep::Trying
            | TransferStep::Ringing
    );
    entry.kind == LedgerKind::Transfer && on_its_way
}

/// When something happened to a transfer that the operator has to read.
fn newest_of(transfer: &TransferView) -> u64 {
    match transfer.state {
        TransferState::Ended { at_ms, .. } => at_ms,
        _ => transfer.since_ms,
    }
}

/// The entry for a command that was not begun; `None` stands for a desk that is away.
pub(crate) fn refused(id: u64, error: Option<&CommandError>) -> LedgerEntry {
    let (refused, what, code) = match error {
        None => (RefusedCommand::Unreachable, "", 0),
        Some(CommandError::NoSuchCall) => (RefusedCommand::NoSuchCall, "", 0),
        Some(CommandError::NotPossible) => (RefusedCommand::NotPossible, "", 0),
        Some(CommandError::NothingToDo) => (RefusedCommand::NothingToDo, "", 0),
        Some(CommandError::BadNumber { number }) => (RefusedCommand::BadNumber, number.as_str(), 0),
        Some(CommandError::AmbiguousName { name, .. }) => (RefusedCommand::AmbiguousName, name.as_str(), 0),
        Some(CommandError::NoLine) => (RefusedCommand::NoLine, "", 0),
        Some(CommandError::NotRegistered) => (RefusedCommand::NotRegistered, "", 0),
        Some(CommandError::OwnNumber { number }) => (RefusedCommand::OwnNumber, number.as_str(), 0),
        Some(CommandError::ConferenceFull) => (RefusedCommand::ConferenceFull, "", 0),
        Some(CommandError::NoSlot) => (RefusedCommand::NoSlot, "", 0),
        Some(CommandError::NothingRings { number }) => (RefusedCommand::NothingRings, number.as_str(), 0),
        Some(CommandError::NobodyTalks { number }) => (RefusedCommand::NobodyTalks, number.as_str(), 0),
        Some(CommandError::TakeOverNotAllowed) => (RefusedCommand::TakeOverNotAllowed, "", 0),
        Some(CommandError::TooManyCalls) => (RefusedCommand::TooManyCalls, "", 0),
        Some(CommandError::CallsAreUp) => (RefusedCommand::CallsAreUp, "", 0),
        Some(CommandError::SignedOut | CommandError::Locked) => (RefusedCommand::Closed, "", 0),
        Some(CommandError::NoFigures) => (RefusedCommand::NoFigures, "", 0),
        Some(CommandError::Edit(_) | CommandError::ImportRuns | CommandError::Item(_)) => {
            (RefusedCommand::Failed, "", 0)
        }
        Some(CommandError::Reminder(ReminderProblem::Full)) => (RefusedCommand::RemindersFull, "", 0),
        Some(CommandError::Reminder(ReminderProblem::Gone)) => (RefusedCommand::ReminderGone, "", 0),
        Some(CommandError::Reminder(_)) => (RefusedCommand::Failed, "", 0),
        // Said beside its buttons.
        Some(CommandError::SoundTest(_) | CommandError::Pin(_)) => (RefusedCommand::NotPossible, "", 0),
        Some(CommandError::Failed { reason }) => {
            (RefusedCommand::Failed, "", if is_full(reason) { 1 } else { 2 })
        }
    };
    LedgerEntry {
        id: slint::format!("l{id}"),
        kind: LedgerKind::CommandFailed,
        refused,
        who: what.into(),
        code,
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
pub(crate) fn exported(id: u64, path: &std::path::Path, contacts: u32, french: bool) -> LedgerEntry {
    LedgerEntry {
        id: slint::format!("l{id}"),
        kind: LedgerKind::Exported,
        count: number(contacts),
        amount: grouped(contacts as usize, french).into(),
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

fn of_notice(notice: &Notice, french: bool) -> LedgerEntry {
    let id = slint::format!("n{}", notice.id.0);
    match &notice.kind {
        NoticeKind::Removed { what, .. } => {
            let entry = LedgerEntry { id, kind: LedgerKind::Removed, can_undo: true, ..blank() };
            match what {
                Removed::Contact { name } => LedgerEntry { who: name.as_str().into(), ..entry },
                Removed::Contacts { count, directory } => LedgerEntry {
                    to: directory.as_str().into(),
                    count: number(*count),
                    amount: grouped(*count as usize, french).into(),
                    ..entry
                },
                Removed::Directory { count, directory } => LedgerEntry {
                    reason: directory.as_str().into(),
                    count: number(*count),
                    amount: grouped(*count as usize, french).into(),
                    ..entry
                },
            }
        }
        NoticeKind::Imported { directory, loaded, left_out } => LedgerEntry {
            id,
            kind: LedgerKind::Imported,
            to: directory.as_str().into(),
            count: number(*loaded),
            amount: grouped(*loaded as usize, french).into(),
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
        NoticeKind::SoundLost { party, code } => LedgerEntry {
            id,
            kind: LedgerKind::SoundLost,
            who: party_name(party),
            code: i32::from(*code),
            ..blank()
        },
        NoticeKind::TransferLost { who, to, code } => LedgerEntry {
            id,
            kind: LedgerKind::TransferLost,
            who: party_name(who),
            to: party_name(to),
            code: i32::from(*code),
            ..blank()
        },
        NoticeKind::RuleIgnored { rule } => {
            LedgerEntry { id, kind: LedgerKind::RuleIgnored, who: rule.as_str().into(), ..blank() }
        }
        NoticeKind::StorageFailed { reason } => {
            let full = i32::from(is_full(reason));
            LedgerEntry { id, kind: LedgerKind::StorageFailed, code: full, ..blank() }
        }
        NoticeKind::Update(notice) => LedgerEntry { id, ..of_update(notice) },
        NoticeKind::PhoneFailed { phone, why } => LedgerEntry {
            id,
            kind: LedgerKind::PhoneFailed,
            who: phone.as_str().into(),
            code: phone_fault(*why),
            ..blank()
        },
        // What the driver said is English and for the log.
        NoticeKind::AudioLost { device, .. } => {
            LedgerEntry { id, kind: LedgerKind::AudioLost, who: device.as_str().into(), ..blank() }
        }
    }
}

fn of_update(notice: &UpdateNotice) -> LedgerEntry {
    let (update, (update_why, to)) = match &notice.news {
        UpdateNews::Taken => (UpdateStep::Taken, nothing()),
        UpdateNews::Writing => (UpdateStep::Writing, nothing()),
        UpdateNews::Ready => (UpdateStep::Ready, nothing()),
        UpdateNews::Done => (UpdateStep::Done, nothing()),
        UpdateNews::Kept { why } => (UpdateStep::Kept, not_well(why)),
        UpdateNews::TakenBack { why } => (UpdateStep::TakenBack, not_well(why)),
        UpdateNews::Refused { why } => (UpdateStep::Refused, not_taken(why)),
        // What the installer said is English, and stands on the administrator's page.
        UpdateNews::Failed { .. } => (UpdateStep::Failed, (UpdateWhy::Unknown, "")),
    };
    LedgerEntry {
        kind: LedgerKind::Update,
        who: notice.version.as_str().into(),
        update,
        update_why,
        to: to.into(),
        ..blank()
    }
}

/// Why, and what it is about.
type Reason<'a> = (UpdateWhy, &'a str);

fn nothing() -> Reason<'static> {
    (UpdateWhy::None, "")
}

fn not_well(why: &UpdateTrouble) -> Reason<'_> {
    match why {
        UpdateTrouble::Start => (UpdateWhy::Start, ""),
        UpdateTrouble::Desk => (UpdateWhy::Desk, ""),
        UpdateTrouble::Screen => (UpdateWhy::Screen, ""),
        UpdateTrouble::Line { number } => (UpdateWhy::Line, number),
        UpdateTrouble::Unknown => (UpdateWhy::Unknown, ""),
    }
}

fn not_taken(why: &UpdateRefusal) -> Reason<'_> {
    let why = match why {
        UpdateRefusal::Older { than } => return (UpdateWhy::Older, than),
        UpdateRefusal::Failed { .. } => UpdateWhy::Unknown,
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
    (why, "")
}

/// Whether a failure to write says that the disk is full, in the words of SQLite or of the kernel.
pub(crate) fn is_full(reason: &str) -> bool {
    ["disk is full", "No space left"].iter().any(|words| reason.contains(words))
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
        amount: Default::default(),
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
    fn the_desks_own_words_for_a_failure_are_not_shown() {
        for (reason, code) in
            [("the disk is full", 1), ("No space left on device", 1), ("database is locked", 2)]
        {
            let entry = refused(1, Some(&CommandError::Failed { reason: reason.into() }));
            assert_eq!(
                (entry.code, entry.reason.as_str(), entry.refused),
                (code, "", RefusedCommand::Failed)
            );
        }
        assert_eq!(refused(1, Some(&CommandError::NotPossible)).code, 0);
    }

    #[test]
    fn every_entry_can_be_found_again_by_its_cross() {
        let view = scenes::fates();
        let local = [LocalNotice { id: 3, since_ms: 0, until_ms: 1, entry: refused(3, None) }];
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

    #[test]
    fn call_13_the_newest_is_first_then_transfers_on_their_way_and_an_end_is_as_new_as_it_is() {
        let mut view = scenes::fates();
        // The calls have left: what is on its way stands here.
        view.incoming.clear();
        view.outgoing.clear();
        let ids = |view: &View, local: &[LocalNotice]| -> Vec<String> {
            entries(view, local).iter().map(|entry| entry.id.to_string()).collect()
        };
        assert_eq!(ids(&view, &[]), ["t5", "t4", "t6", "n1"], "both ends are newer than the notice");
        let since_ms = view.notices[0].since_ms + 60_000;
        let local = [LocalNotice { id: 3, since_ms, until_ms: since_ms + 1, entry: refused(3, None) }];
        assert_eq!(ids(&view, &local), ["l3", "t4", "t5", "t6", "n1"]);
        assert_eq!(in_sight(&entries(&view, &local)), 2);
        view.transfers.clear();
        assert_eq!(in_sight(&entries(&view, &[])), 1);
        // What can be undone comes before an import that ended later; without it the import is as new as it is.
        let mut view = scenes::removed();
        assert_eq!(ids(&view, &[]), ["n3", "n2", "n1", "n4"]);
        view.notices.retain(|notice| !matches!(notice.kind, NoticeKind::Removed { .. }));
        assert_eq!(ids(&view, &[]), ["n4"]);
        assert_eq!(in_sight(&[]), 0);
    }
}
