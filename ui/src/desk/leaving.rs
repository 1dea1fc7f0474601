//! "Leave without saving?": one question with the same answers, whatever is left: the settings, a contact, a reminder.

use crate::keys::ConsoleKey;

/// The answers, as they stand on the screen from the left; see `answer` in the globals of what is left.
pub(super) const SAVE: i32 = 0;
pub(super) const DISCARD: i32 = 1;
/// Meant at first: a key too many neither loses anything nor sends it.
pub(super) const KEEP_ON: i32 = 2;
const ANSWERS: i32 = 3;
/// What Shift+Tab types.
const BACKTAB: char = '\u{19}';

/// The answer that is meant after a key that moves among them, round and round: Left, Right, Tab and Shift+Tab. `None`:
/// another key, or not one of these texts.
pub(super) fn moved(answer: i32, text: &str, key: Option<ConsoleKey>) -> Option<i32> {
    let by = match (text.chars().next(), key) {
        (Some('\t'), _) | (_, Some(ConsoleKey::Right)) => 1,
        (Some(BACKTAB), _) | (_, Some(ConsoleKey::Left)) => -1,
        _ => return None,
    };
    Some((answer + by).rem_euclid(ANSWERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_go_round_as_they_stand_and_other_keys_move_nothing() {
        let right = |answer| moved(answer, "", Some(ConsoleKey::Right));
        let left = |answer| moved(answer, "", Some(ConsoleKey::Left));
        assert_eq!([right(SAVE), right(DISCARD), right(KEEP_ON)], [Some(DISCARD), Some(KEEP_ON), Some(SAVE)]);
        assert_eq!([left(SAVE), left(DISCARD), left(KEEP_ON)], [Some(KEEP_ON), Some(SAVE), Some(DISCARD)]);
        assert_eq!((moved(SAVE, "\t", None), moved(SAVE, "\u{19}", None)), (Some(DISCARD), Some(KEEP_ON)));
        assert_eq!((moved(SAVE, "x", None), moved(SAVE, "", Some(ConsoleKey::Enter))), (None, None));
    }
}
