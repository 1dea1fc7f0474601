//! How the room is shared (CALL-6): list or table view, and the dividers, by hand and by key.
//!
//! The limits that leave every pane readable are the window's, see `App` in `app.slint`: here a wish is
//! handed to it, and what it made of the wish is what is kept.

use std::collections::HashMap;

use ipc::OperatorId;
use slint::ComponentHandle;

use super::Desk;
use crate::keys::ConsoleKey;
use crate::panes::{Arrangement, Keeper};
use crate::screen::FocusPlace;

/// How far an arrow key moves a divider, in pixels of the design.
const STEP: f32 = 24.;

/// What the operator has arranged, and where it is kept.
#[derive(Default)]
pub(crate) struct Panes {
    now: Arrangement,
    /// Whose it is; 0 where nobody is signed in.
    operator: i64,
    /// Of others, as they left it.
    left: HashMap<i64, Arrangement>,
    /// While the arrow keys move the dividers: how it was before.
    before: Option<Arrangement>,
    keeper: Option<Keeper>,
}

impl Desk {
    /// Shows what was arranged last, and keeps what is arranged from now on.
    pub(crate) fn keep_panes(&mut self, keeper: Keeper, arrangement: Arrangement) {
        self.panes.keeper = Some(keeper);
        self.panes.left.insert(0, arrangement);
        self.arrange(self.arrangement_of(self.panes.operator));
    }

    /// Shows the arrangement of who is signed in from now on (ACC-1). Somebody new finds that of the desk.
    pub(crate) fn arrange_for(&mut self, operator: Option<OperatorId>) {
        let operator = operator.unwrap_or_default().0;
        if operator != self.panes.operator {
            self.panes.left.insert(self.panes.operator, self.panes.before.take().unwrap_or(self.panes.now));
            self.show_arranging();
            self.panes.operator = operator;
            self.arrange(self.arrangement_of(operator));
        }
    }

    fn arrangement_of(&self, operator: i64) -> Arrangement {
        let left = &self.panes.left;
        let kept = || self.panes.keeper.as_ref().and_then(|keeper| keeper.read(operator));
        left.get(&operator).copied().or_else(kept).or_else(|| left.get(&0).copied()).unwrap_or_default()
    }

    /// List or table view.
    pub(crate) fn set_table(&mut self, on: bool) {
        self.arrange(Arrangement { table: on, ..self.panes.now });
        self.keep();
    }

    /// The divider between the calls and the directory is dragged.
    pub(crate) fn move_calls(&mut self, width: f32) {
        self.arrange(Arrangement { calls_width: Some(whole(width)), ..self.panes.now });
    }

    /// The divider between the two lists is dragged.
    pub(crate) fn move_incoming(&mut self, share: f32) {
        self.arrange(Arrangement { incoming_share: Some(whole(share * 1000.)), ..self.panes.now });
    }

    /// A divider was let go: it stands where the window had room for it.
    pub(crate) fn put_dividers(&mut self) {
        let (width, share) = (self.app.get_calls_width(), self.incoming_share());
        let stands = Arrangement {
            calls_width: self.panes.now.calls_width.map(|_| whole(width)),
            incoming_share: self.panes.now.incoming_share.map(|_| share),
            ..self.panes.now
        };
        self.arrange(stands);
        self.keep();
    }

    /// The calls are as wide as the view has them by itself.
    pub(crate) fn reset_calls(&mut self) {
        self.arrange(Arrangement { calls_width: None, ..self.panes.now });
        self.keep();
    }

    /// The incoming calls have what they need.
    pub(crate) fn reset_incoming(&mut self) {
        self.arrange(Arrangement { incoming_share: None, ..self.panes.now });
        self.keep();
    }

    /// From now on the arrow keys move the dividers.
    pub(crate) fn arrange_by_keys(&mut self) {
        self.focus(FocusPlace::Nowhere);
        self.panes.before = Some(self.panes.now);
        self.show_arranging();
    }

    /// A key while the dividers are being moved. Arrows move, Home puts them where they stand by
    /// themselves, Escape back where they were; any other key leaves them and, except for Enter,
    /// means what it always means: a caller does not wait for a divider.
    pub(crate) fn arrange_key(&mut self, key: ConsoleKey) -> bool {
        let Some(before) = self.panes.before else { return false };
        match key {
            ConsoleKey::Left => self.move_calls(self.app.get_calls_width() - STEP),
            ConsoleKey::Right => self.move_calls(self.app.get_calls_width() + STEP),
            ConsoleKey::Up => self.move_incoming_by(-STEP),
            ConsoleKey::Down => self.move_incoming_by(STEP),
            ConsoleKey::Home => {
                self.arrange(Arrangement { calls_width: None, incoming_share: None, ..before });
            }
            ConsoleKey::Escape => {
                self.arrange(before);
                self.leave_dividers();
            }
            ConsoleKey::Enter => self.leave_dividers(),
            _ => {
                self.leave_dividers();
                return false;
            }
        }
        true
    }

    fn move_incoming_by(&mut self, step: f32) {
        let room = self.app.get_lists_height();
        if room > 0. {
            self.move_incoming((self.app.get_incoming_height() + step) / room);
        }
    }

    fn leave_dividers(&mut self) {
        self.panes.before = None;
        self.show_arranging();
        self.put_dividers();
    }

    fn incoming_share(&self) -> u16 {
        whole(1000. * self.app.get_incoming_height() / self.app.get_lists_height().max(1.))
    }

    fn show_arranging(&self) {
        self.app.global::<crate::screen::Panes>().set_arranging(self.panes.before.is_some());
    }

    fn arrange(&mut self, arrangement: Arrangement) {
        self.panes.now = arrangement;
        let panes = self.app.global::<crate::screen::Panes>();
        panes.set_table(arrangement.table);
        panes.set_calls_width(arrangement.calls_width.map_or(0., f32::from));
        panes.set_incoming_share(arrangement.incoming_share.map_or(-1., |share| f32::from(share) / 1000.));
    }

    fn keep(&self) {
        if let Some(keeper) = &self.panes.keeper {
            keeper.keep(self.panes.operator, self.panes.now);
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        self.panes.now.table
    }
}

/// The next whole number, within what a `u16` holds: `as` saturates.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is what is wanted")]
fn whole(number: f32) -> u16 {
    number.round().max(1.) as u16
}
