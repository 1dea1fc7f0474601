//! Calls that something was wrong with: joins the operator's word, the last minute of the sound, and the row of the log.
//!
//! They come in any order: the word while the call is up or after it, the minute with the word or when the sound ends, the
//! row when the call ends or, where it waits for the end of a transfer, long after that. People press when they have hung
//! up, so the minutes of the calls that ended last stay here a while, in memory only.

use std::collections::VecDeque;

use ipc::{CallMark, CallRef, CallSecond, CommandError, LogMark, LogPage, LogRow};
use media::Second;
use store::StoreError;
use tokio::sync::oneshot;
use tracing::{info, warn};

use crate::{
    editing::unix_ms,
    records::{Keeper, Records, Request},
};

/// Ended calls whose last minute is kept: the operator may have begun others before saying so of this one.
const ENDED: usize = 16;
/// Marks that wait for their call's row: more than one operator makes.
const WAITING: usize = 64;
/// Rows that are remembered for a word that was on its way when its call ended.
const ROWS: usize = 64;

/// What is asked about marks.
pub(crate) enum Ask {
    /// The operator has said so: the last minute of a call that is up, or was a moment ago.
    Mark { call: CallRef, seconds: Box<[Second]> },
    /// A call's sound has ended.
    Ended { call: CallRef, seconds: Box<[Second]> },
    /// The operator says so of a call that has ended.
    Late { which: Which, answer: oneshot::Sender<Result<(), CommandError>> },
    /// What is kept of a call in the log.
    Of { id: i64, answer: oneshot::Sender<Result<Vec<CallMark>, String>> },
}

/// An ended call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// By its number on the desk.
    Call(CallRef),
    /// By its row of the log.
    Row(i64),
}

/// What waits for its other half, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The last minutes of the calls that ended last.
    ended: VecDeque<(CallRef, CallMark)>,
    /// Of calls whose row has not come.
    waiting: VecDeque<(CallRef, CallMark)>,
    /// Calls whose row is on the disk.
    rows: VecDeque<(CallRef, i64)>,
}

impl Marks {
    /// What is to be written with a call's row.
    pub(crate) fn of(&self, call: Option<CallRef>) -> Vec<CallMark> {
        let mine = self.waiting.iter().filter(|(of, _)| Some(*of) == call);
        mine.map(|(_, mark)| mark.clone()).collect()
    }

    /// A row is on the disk, with its marks.
    pub(crate) fn written(&mut self, row: &LogRow, id: i64) {
        let Some(call) = row.call else { return };
        self.waiting.retain(|(of, _)| *of != call);
        push(&mut self.rows, ROWS, (call, id));
    }

    fn row_of(&self, call: CallRef) -> Option<i64> {
        self.rows.iter().find(|(of, _)| *of == call).map(|(_, id)| *id)
    }

    /// The last minute of an ended call, as it is marked now.
    fn last_minute(&self, call: CallRef, now: i64) -> Option<CallMark> {
        let ended = self.ended.iter().find(|(of, _)| *of == call);
        ended.map(|(_, minute)| CallMark { at_unix_ms: now, ..minute.clone() })
    }

    fn call_of(&self, which: Which) -> Option<CallRef> {
        match which {
            Which::Call(call) => Some(call),
            Which::Row(id) => self.rows.iter().find(|(_, of)| *of == id).map(|(call, _)| *call),
        }
    }
}

impl Keeper {
    pub(crate) fn take_mark(&mut self, ask: Ask) {
        let now = unix_ms();
        match ask {
            Ask::Mark { call, seconds } => {
                let minute = CallMark { at_unix_ms: now, until_unix_ms: now, seconds: told(&seconds) };
                // The sound may have ended while the word was on its way.
                let late = minute.seconds.is_empty().then(|| self.marks.last_minute(call, now)).flatten();
                self.mark(call, late.unwrap_or(minute));
            }
            // It never was connected.
            Ask::Ended { seconds, .. } if seconds.is_empty() => {}
            Ask::Ended { call, seconds } => {
                let minute = CallMark { at_unix_ms: now, until_unix_ms: now, seconds: told(&seconds) };
                push(&mut self.marks.ended, ENDED, (call, minute));
            }
            // Who asked may have gone.
            Ask::Late { which, answer } => drop(answer.send(self.mark_late(which, now))),
            Ask::Of { id, answer } => {
                drop(answer.send(self.store.marks_of(id).map_err(|error| error.to_string())));
            }
        }
    }

    /// Says of each row whether it is marked, or can be.
    pub(crate) fn with_marks(&self, mut page: LogPage) -> LogPage {
        for row in page.rows.iter_mut().filter(|row| row.mark.is_none()) {
            let call = self.marks.call_of(Which::Row(row.id));
            if call.is_some_and(|call| self.marks.ended.iter().any(|(of, _)| *of == call)) {
                row.mark = LogMark::Possible;
            }
        }
        page
    }

    /// A call that is up, or was a moment ago.
    fn mark(&mut self, call: CallRef, mark: CallMark) {
        info!(
            call = call.0,
            seconds = mark.seconds.len(),
            "something was wrong with a call, the operator says"
        );
        match self.marks.row_of(call) {
            None => push(&mut self.marks.waiting, WAITING, (call, mark)),
            Some(id) => {
                if let Err(error) = self.store.add_mark(id, &mark) {
                    warn!(call = call.0, %error, "what was wrong with a call is not kept");
                }
            }
        }
    }

    fn mark_late(&mut self, which: Which, now: i64) -> Result<(), CommandError> {
        let call = self.marks.call_of(which).ok_or(CommandError::NoFigures)?;
        let mark = self.marks.last_minute(call, now).ok_or(CommandError::NoFigures)?;
        let Some(id) = self.marks.row_of(call) else {
            // Its row is still to come, and takes the mark along.
            self.mark(call, mark);
            return Ok(());
        };
        info!(call = call.0, row = id, "something was wrong with an ended call, the operator says");
        self.store.add_mark(id, &mark).map_err(|error| match error {
            StoreError::NoSuchCall(_) => CommandError::NoSuchCall,
            error => CommandError::Failed { reason: error.to_string() },
        })
    }
}

impl Records {
    /// Keeps the last minute of a call. Does not wait.
    pub(crate) fn mark(&self, call: CallRef, seconds: Box<[Second]>) {
        self.tell_marks(call, Ask::Mark { call, seconds });
    }

    /// A call's sound has ended: its last minute may be asked for yet. Does not wait.
    pub(crate) fn sound_ended(&self, call: CallRef, seconds: Box<[Second]>) {
        self.tell_marks(call, Ask::Ended { call, seconds });
    }

    /// Marks a call that has ended.
    pub(crate) async fn mark_late(&self, which: Which) -> Result<(), CommandError> {
        let (answer, done) = oneshot::channel();
        self.command(Request::Mark(Ask::Late { which, answer }), done).await
    }

    /// What is kept of a call in the log.
    pub(crate) async fn marks_of(&self, id: i64) -> Result<Vec<CallMark>, String> {
        let (answer, marks) = oneshot::channel();
        self.ask(Request::Mark(Ask::Of { id, answer }), marks).await
    }
}

/// Figures of the sound in the words of the socket.
fn told(seconds: &[Second]) -> Vec<CallSecond> {
    let micros = |ms: f32| (ms.max(0.0) * 1000.0) as u32;
    let tenths = |level: f32| (level * 10.0).round() as i32;
    let second = |second: &Second| CallSecond {
        length_ms: second.length_ms,
        held: second.held,
        sent: second.packets_sent,
        received: second.packets_received,
        lost: second.lost,
        late: second.late,
        concealed_ms: second.concealed_ms,
        repaired_ms: second.repaired_ms,
        shortened_ms: second.shortened_ms,
        lengthened_ms: second.lengthened_ms,
        left_out_ms: second.left_out_ms,
        jitter_us: micros(second.jitter_ms),
        buffer_ms: second.buffer_ms,
        round_trip_us: second.round_trip_ms.map(micros),
        heard_decibel_tenths: tenths(second.heard_dbfs),
        said_decibel_tenths: tenths(second.said_dbfs),
    };
    seconds.iter().map(second).collect()
}

fn push<T>(queue: &mut VecDeque<T>, most: usize, new: T) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(new);
}

#[cfg(test)]
mod tests {
    use ipc::{Direction, EndStatus, Party};

    use super::*;

    fn row(call: u64) -> LogRow {
        LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party::default(),
            line_number: String::new(),
            line_name: String::new(),
            began_unix_ms: 0,
            answered_after_ms: Some(1),
            talk_ms: 0,
            hold_ms: 0,
            end: EndStatus::Completed,
            transfers: Vec::new(),
            rules: Vec::new(),
            customer: None,
            call: Some(CallRef(call)),
            sound: None,
            mark: LogMark::None,
        }
    }

    fn minute(received: u32) -> CallMark {
        let second = CallSecond { received, ..CallSecond::default() };
        CallMark { at_unix_ms: 5, until_unix_ms: 5, seconds: vec![second] }
    }

    #[test]
    fn what_is_said_during_a_call_goes_with_its_row() {
        let mut marks = Marks::default();
        for received in [1, 2] {
            push(&mut marks.waiting, WAITING, (CallRef(1), minute(received)));
        }
        push(&mut marks.waiting, WAITING, (CallRef(2), minute(3)));
        assert_eq!(marks.of(Some(CallRef(1))), [minute(1), minute(2)]);
        assert_eq!(marks.of(None), []);
        assert_eq!(marks.of(Some(CallRef(1))).len(), 2, "the disk may have refused it");
        marks.written(&row(1), 41);
        assert_eq!((marks.of(Some(CallRef(1))), marks.row_of(CallRef(1))), (Vec::new(), Some(41)));
        assert_eq!(marks.of(Some(CallRef(2))), [minute(3)]);
    }

    #[test]
    fn the_calls_that_ended_last_can_be_marked_by_number_or_row() {
        let mut marks = Marks::default();
        for call in 1..=ENDED as u64 + 2 {
            push(&mut marks.ended, ENDED, (CallRef(call), minute(7)));
            marks.written(&row(call), 100 + call as i64);
        }
        assert_eq!(marks.call_of(Which::Row(103)), Some(CallRef(3)));
        assert_eq!(marks.call_of(Which::Row(99)), None);
        let later = marks.last_minute(CallRef(3), 77);
        assert_eq!(later, Some(CallMark { at_unix_ms: 77, ..minute(7) }), "said later, counted then");
        assert_eq!(marks.last_minute(CallRef(2), 77), None, "too long ago");
    }

    #[test]
    fn figures_are_told_in_whole_numbers() {
        let second = Second {
            length_ms: 1000,
            held: false,
            packets_sent: 50,
            packets_received: 49,
            lost: 1,
            late: 2,
            concealed_ms: 20,
            repaired_ms: 10,
            shortened_ms: 5,
            lengthened_ms: 3,
            left_out_ms: 40,
            jitter_ms: 1.25,
            buffer_ms: 60,
            round_trip_ms: Some(31.5),
            heard_dbfs: -23.46,
            said_dbfs: -96.0,
        };
        let expected = CallSecond {
            length_ms: 1000,
            held: false,
            sent: 50,
            received: 49,
            lost: 1,
            late: 2,
            concealed_ms: 20,
            repaired_ms: 10,
            shortened_ms: 5,
            lengthened_ms: 3,
            left_out_ms: 40,
            jitter_us: 1_250,
            buffer_ms: 60,
            round_trip_us: Some(31_500),
            heard_decibel_tenths: -235,
            said_decibel_tenths: -960,
        };
        assert_eq!(told(&[second]), [expected]);
    }
}
