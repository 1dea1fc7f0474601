//! "Something was wrong with this call": said of a call that is up or of one in the log, and what the operator is told then.

use ipc::{CallRef, Command, CommandError, LogMark};

use super::Desk;
use super::menu::{Choice, Row, entry};
use crate::models::ledger;
use crate::screen::{MenuEntry, MenuWord};

/// How long it stays on the screen that it was noted.
const NOTED_MS: u64 = 10_000;

impl Desk {
    /// Of a call that is up.
    pub(super) fn mark_call(&mut self, call: CallRef) {
        let seq = self.send(Command::MarkCall { call });
        self.marking.extend(seq);
    }

    /// Of a call in the log.
    pub(super) fn mark_logged(&mut self, id: i64) {
        let seq = self.send(Command::MarkLoggedCall { id });
        self.marking.extend(seq);
    }

    /// The desk has answered. `false` when it was asked for something else.
    pub(super) fn mark_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        if !self.marking.remove(&seq) {
            return false;
        }
        match result {
            Ok(()) => self.notice_for(NOTED_MS, ledger::marked),
            Err(error) => self.notice(Some(error)),
        }
        // What it says of its rows is another now.
        self.ask_log();
        true
    }

    /// The row of a menu of a call in the log.
    pub(super) fn mark_row(&self, id: i64, mark: LogMark) -> Option<Row> {
        let row = entry(MenuWord::Mark, "", "", "");
        match mark {
            LogMark::None => None,
            LogMark::Possible => self.connected.then_some((row, Choice::MarkLogged(id))),
            LogMark::Marked => Some((MenuEntry { chosen: true, enabled: false, ..row }, Choice::Nothing)),
        }
    }
}
