//! The keyboard on the screen: it comes when a finger has chosen a field, and types as a keyboard of keys would.
//!
//! Put away, it comes back when a finger touches the field again. While it is there the rest of the screen has less room:
//! forms scroll, and what is typed into stays in sight.
//!
//! Whoever has real keys is left alone: a field that was reached by a key brings none, and the first letter typed on a
//! real keyboard puts it away until it is asked for in the status bar. The keypad's digits are no such letters.

use std::time::{Duration, Instant};

use slint::platform::Key;
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::Desk;
use crate::models::board::{self, Capitals};
use crate::screen::{self, BoardKey, BoardKind, BoardRow};
use crate::text_size;

/// A field that gets the keyboard so soon after a key got it by that key.
const BY_KEY: Duration = Duration::from_millis(400);

/// State of the keyboard on the screen.
#[derive(Default)]
pub(crate) struct Board {
    /// Somebody types on a keyboard of their own.
    has_keys: bool,
    last_key: Option<Instant>,
    /// A field has the focus.
    in_field: bool,
    /// It is one for numbers.
    numbers: bool,
    capitals: Capitals,
    accents: bool,
    /// What the screen types comes back as a key.
    typing: bool,
}

impl Desk {
    /// A key came. `typing`: into a field.
    pub(crate) fn board_saw_key(&mut self, text: &str, control: bool, typing: bool) {
        if self.board.typing {
            return;
        }
        self.board.last_key = Some(Instant::now());
        let is_letter = text.chars().any(char::is_alphabetic) && text.chars().count() == 1;
        if typing && !control && is_letter {
            self.board.has_keys = true;
            self.open_board(false);
        }
    }

    /// A text field has the focus, or none has.
    pub(crate) fn board_field(&mut self, in_field: bool) {
        self.board.in_field = in_field;
        let by_key = self.board.last_key.is_some_and(|at| at.elapsed() < BY_KEY);
        if !in_field {
            self.board.numbers = false;
            self.open_board(false);
        } else if !by_key && !self.board.has_keys {
            self.open_board(true);
        }
    }

    /// A field for numbers has the focus, or has it no longer.
    pub(crate) fn board_numbers(&mut self, typing: bool) {
        self.board.numbers = typing;
        self.show_board();
    }

    /// A text field has the focus.
    pub(super) fn is_in_field(&self) -> bool {
        self.board.in_field
    }

    /// The cursor was put somewhere in the field that has the focus, or its frame was touched: by a finger, unless a key
    /// did it.
    pub(crate) fn board_meant(&mut self) {
        let by_key = self.board.last_key.is_some_and(|at| at.elapsed() < BY_KEY);
        if self.board.in_field && !by_key && !self.board.has_keys && !self.board.typing {
            self.open_board(true);
        }
    }

    /// The button in the status bar.
    pub(crate) fn toggle_board(&mut self) {
        let open = !self.app.global::<screen::Board>().get_open();
        // Asked for: it comes by itself again.
        self.board.has_keys = !open;
        self.open_board(open);
    }

    pub(crate) fn hide_board(&mut self) {
        self.open_board(false);
    }

    fn open_board(&mut self, open: bool) {
        let global = self.app.global::<screen::Board>();
        if global.get_open() == open {
            return;
        }
        (self.board.capitals, self.board.accents) = (Capitals::Off, false);
        self.show_board();
        self.app.global::<screen::Board>().set_open(open);
        // There is less room now: what is typed into comes into sight.
        text_size::lay_out(self.app.window());
    }

    /// A key of it was touched: what is to be typed.
    pub(crate) fn board_pressed(&mut self, key: &BoardKey) -> Option<SharedString> {
        let text = match key.kind {
            BoardKind::Text => {
                self.board.capitals = self.board.capitals.typed();
                key.text.clone()
            }
            BoardKind::Shift => {
                self.board.capitals = self.board.capitals.pressed();
                SharedString::default()
            }
            BoardKind::More => {
                self.board.accents = !self.board.accents;
                SharedString::default()
            }
            BoardKind::Hide => {
                self.hide_board();
                return None;
            }
            BoardKind::Backspace => Key::Backspace.into(),
            BoardKind::Enter => Key::Return.into(),
            BoardKind::Space => " ".into(),
            BoardKind::Left => Key::LeftArrow.into(),
            BoardKind::Right => Key::RightArrow.into(),
        };
        self.show_board();
        (!text.is_empty()).then_some(text)
    }

    /// What comes as a key until `false` is the screen's own.
    pub(crate) fn board_types(&mut self, typing: bool) {
        self.board.typing = typing;
    }

    /// Another language has other letters.
    pub(crate) fn show_board(&self) {
        let language = self.worn_language();
        let rows = board::rows(language, self.board.accents, self.board.capitals, self.board.numbers);
        let row = |keys| BoardRow { keys: ModelRc::new(VecModel::from(keys)) };
        let rows: Vec<BoardRow> = rows.into_iter().map(row).collect();
        self.app.global::<screen::Board>().set_rows(ModelRc::new(VecModel::from(rows)));
    }
}
