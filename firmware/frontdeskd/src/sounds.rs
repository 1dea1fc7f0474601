//! How ended calls sounded, into their rows of the log: the sound of a call is counted to its end a moment after the row was
//! made, or long before, where the row waits for the end of a transfer.
//!
//! A row has the sound of the one stream between the desk and its other end. A call that was not answered has none, though
//! it was heard to ring.

use std::collections::VecDeque;

use ipc::{CallRef, CallSound, LogRow};
use media::Stats;
use store::StoreError;
use tracing::warn;

use crate::records::Keeper;

/// Calls of which one half waits for the other.
const WAITING: usize = 512;

/// What waits for its other half, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Sounds {
    /// Sounds of calls whose row has not come.
    sounds: VecDeque<(CallRef, CallSound)>,
    /// Rows on the disk of answered calls whose sound has not come.
    rows: VecDeque<(CallRef, i64)>,
}

impl Sounds {
    /// A row has come: with its sound, if that is here.
    pub(crate) fn joined(&mut self, mut row: LogRow) -> LogRow {
        if let Some(call) = row.call
            && let Some(at) = self.sounds.iter().position(|(of, _)| *of == call)
        {
            let sound = self.sounds.remove(at).map(|(_, sound)| sound);
            row.sound = sound.filter(|_| row.answered_after_ms.is_some());
        }
        row
    }

    /// A row is on the disk.
    pub(crate) fn written(&mut self, row: &LogRow, id: i64) {
        let waits = row.sound.is_none() && row.answered_after_ms.is_some();
        if let Some(call) = row.call.filter(|_| waits) {
            push(&mut self.rows, (call, id));
        }
    }

    /// A sound has come: the row on the disk that it belongs to; if there is none yet, it waits.
    fn row_of(&mut self, call: CallRef, sound: CallSound) -> Option<i64> {
        let row = self.rows.iter().position(|(of, _)| *of == call).and_then(|at| self.rows.remove(at));
        if row.is_none() {
            push(&mut self.sounds, (call, sound));
        }
        row.map(|(_, id)| id)
    }
}

impl Keeper {
    /// A call's sound has ended.
    pub(crate) fn sounded(&mut self, call: CallRef, sound: CallSound) {
        let kept_back =
            self.backlog.iter_mut().map(|ended| ended.row_mut()).find(|row| row.call == Some(call));
        if let Some(row) = kept_back {
            row.sound = Some(sound).filter(|_| row.answered_after_ms.is_some());
            return;
        }
        let Some(id) = self.sounds.row_of(call, sound) else { return };
        if let Err(error) = self.store.set_call_sound(id, &sound).or_else(gone) {
            warn!(call = call.0, %error, "how a call sounded is not in the log");
        }
    }
}

/// What was counted of a stream, as the log has it; `None` of one whose far end never was known.
pub(crate) fn counted(stats: &Stats) -> Option<CallSound> {
    stats.codec?;
    let micros = |ms: f32| (ms.max(0.0) * 1000.0) as u32;
    Some(CallSound {
        mos_hundredths: stats.mos().map(|mos| (mos * 100.0).round() as u16),
        received: stats.packets_received,
        lost: stats.lost,
        late: stats.late,
        jitter_us: micros(stats.jitter_ms),
        round_trip_us: stats.round_trip_ms.map(micros),
        lost_there_thousandths: stats
            .remote_loss
            .map(|share| (share.clamp(0.0, 1.0) * 1000.0).round() as u16),
    })
}

/// A row may have been deleted from the log meanwhile.
fn gone(error: StoreError) -> Result<(), StoreError> {
    if matches!(error, StoreError::NoSuchCall(_)) { Ok(()) } else { Err(error) }
}

fn push<T>(queue: &mut VecDeque<T>, new: T) {
    if queue.len() == WAITING {
        queue.pop_front();
    }
    queue.push_back(new);
}

#[cfg(test)]
mod tests {
    use ipc::{Direction, EndStatus, Party};
    use media::Codec;

    use super::*;

    fn row(call: u64, is_answered: bool) -> LogRow {
        LogRow {
            id: 0,
            direction: Direction::Incoming,
            party: Party::default(),
            line_number: String::new(),
            line_name: String::new(),
            began_unix_ms: 0,
            answered_after_ms: is_answered.then_some(1),
            talk_ms: 0,
            hold_ms: 0,
            end: EndStatus::Completed,
            transfers: Vec::new(),
            rules: Vec::new(),
            customer: None,
            call: Some(CallRef(call)),
            sound: None,
            mark: ipc::LogMark::None,
        }
    }

    fn sound(received: u64) -> CallSound {
        CallSound { received, ..CallSound::default() }
    }

    #[test]
    fn a_row_and_its_sound_meet_whichever_comes_first() {
        let mut sounds = Sounds::default();
        let first = sounds.joined(row(1, true));
        assert_eq!(first.sound, None);
        sounds.written(&first, 41);
        assert_eq!(sounds.row_of(CallRef(1), sound(5)), Some(41));
        assert_eq!(sounds.row_of(CallRef(1), sound(5)), None, "it was told");

        assert_eq!(sounds.row_of(CallRef(2), sound(6)), None);
        let second = sounds.joined(row(2, true));
        assert_eq!(second.sound, Some(sound(6)));
        sounds.written(&second, 42);
        assert_eq!(sounds.rows.len(), 0, "it has what it waited for");
    }

    #[test]
    fn what_was_not_answered_has_no_sound() {
        let mut sounds = Sounds::default();
        assert_eq!(sounds.row_of(CallRef(1), sound(100)), None);
        assert_eq!(sounds.joined(row(1, false)).sound, None);
        sounds.written(&row(2, false), 3);
        assert_eq!(sounds.row_of(CallRef(2), sound(100)), None);
    }

    #[test]
    fn halves_that_wait_in_vain_are_bounded() {
        let mut sounds = Sounds::default();
        for call in 0..3 * WAITING as u64 {
            sounds.row_of(CallRef(call), sound(1));
            sounds.written(&row(call + 1_000_000, true), 1);
        }
        assert_eq!((sounds.sounds.len(), sounds.rows.len()), (WAITING, WAITING));
    }

    #[test]
    fn the_log_has_what_was_counted() {
        assert_eq!(counted(&Stats { packets_received: 1000, ..Stats::default() }), None);
        let stats = Stats {
            codec: Some(Codec::Pcma),
            packets_received: 980,
            lost: 20,
            jitter_ms: 1.5,
            round_trip_ms: Some(12.0),
            remote_loss: Some(0.125),
            ..Stats::default()
        };
        let counted = counted(&stats).expect("it was connected");
        assert_eq!((counted.received, counted.lost, counted.jitter_us), (980, 20, 1500));
        assert_eq!((counted.round_trip_us, counted.lost_there_thousandths), (Some(12_000), Some(125)));
        assert!(counted.mos_hundredths.is_some_and(|mos| (420..=428).contains(&mos)), "{counted:?}");
    }
}
