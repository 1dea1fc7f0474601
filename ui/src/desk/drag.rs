//! A call on its way to a contact or to another call (CALL-9).
//!
//! What it hovers over is remembered, not where: when a list changes under it, letting go does
//! nothing rather than something else.

use std::rc::Rc;

use ipc::{CallRef, ContactRow};
use slint::{ComponentHandle, DataTransfer};

use super::Desk;
use crate::models::drops::{self, Landing};
use crate::models::words::party_name;
use crate::models::{cards, contacts};
use crate::screen::DropVerdict;

/// What a dragged card carries.
struct DraggedCall(CallRef);

/// A call in mid-air.
pub(super) struct InTheAir {
    call: CallRef,
    over: Option<Over>,
}

/// What is below it.
enum Over {
    Contact(Box<ContactRow>),
    Call(CallRef),
}

/// The payload of a card.
pub(crate) fn payload(id: &str) -> DataTransfer {
    let mut data = DataTransfer::default();
    if let Some(call) = cards::call(id) {
        data.set_user_data(Rc::new(DraggedCall(call)));
    }
    data
}

fn dragged(data: &DataTransfer) -> Option<CallRef> {
    data.user_data()?.downcast::<DraggedCall>().ok().map(|dragged| dragged.0)
}

impl Desk {
    /// Over a contact: says what a drop would do.
    pub(crate) fn drag_over(&mut self, data: &DataTransfer, index: i32, x: f32, y: f32) {
        let Some(call) = dragged(data) else { return };
        let over = self.contact(index).map(|contact| Over::Contact(Box::new(contact)));
        self.drag_at(call, over, x, y);
        self.app.global::<crate::screen::Drag>().set_target_index(index);
    }

    /// Over another card.
    pub(crate) fn drag_over_call(&mut self, data: &DataTransfer, id: &str, x: f32, y: f32) {
        let Some(call) = dragged(data) else { return };
        self.drag_at(call, cards::call(id).map(Over::Call), x, y);
        // The card it comes from is no target and is not marked as one.
        let target = if cards::call(id) == Some(call) { "" } else { id };
        self.app.global::<crate::screen::Drag>().set_target_call(target.into());
    }

    /// Over nothing that takes a call.
    pub(crate) fn drag_away(&mut self, data: &DataTransfer, x: f32, y: f32) {
        let Some(call) = dragged(data) else { return };
        self.drag_at(call, None, x, y);
    }

    /// Let go over a contact.
    pub(crate) fn dropped(&mut self, data: &DataTransfer, index: i32) {
        let Some(call) = dragged(data) else { return };
        let below = self.contact(index).map(|contact| contact.id);
        let hovered = match self.over() {
            Some(Over::Contact(contact)) => Some(contact.id),
            _ => None,
        };
        if below.is_some() && below == hovered {
            self.land(call);
        }
    }

    /// Let go over another card.
    pub(crate) fn dropped_on_call(&mut self, data: &DataTransfer, id: &str) {
        let Some(call) = dragged(data) else { return };
        if matches!(self.over(), Some(Over::Call(over)) if cards::call(id) == Some(*over)) {
            self.land(call);
        }
    }

    /// Escape: the finger goes on, and what it does until it is lifted counts for nothing.
    pub(crate) fn call_off_drag(&mut self) {
        self.overlay.drag_is_off = true;
        self.drag_finished();
    }

    /// The finger is lifted, wherever that was.
    pub(crate) fn drag_let_go(&mut self) {
        self.overlay.drag_is_off = false;
        self.drag_finished();
    }

    /// The drag is over, whatever came of it.
    pub(crate) fn drag_finished(&mut self) {
        self.overlay.drag = None;
        let drag = self.app.global::<crate::screen::Drag>();
        drag.set_active(false);
        drag.set_target_index(-1);
        drag.set_target_call(Default::default());
        self.finger_up();
    }

    /// A new view or a new position: what would happen now.
    pub(crate) fn show_verdict(&self) {
        let Some(air) = &self.overlay.drag else { return };
        let drag = self.app.global::<crate::screen::Drag>();
        let landing = self.landing(air.call);
        drag.set_verdict(landing.verdict);
        drag.set_good(landing.command.is_some());
        drag.set_target(match &air.over {
            Some(Over::Contact(contact)) => contacts::name(contact).into(),
            Some(Over::Call(call)) => {
                self.call(*call).map(|view| party_name(&view.party)).unwrap_or_default()
            }
            None => Default::default(),
        });
    }

    fn land(&mut self, call: CallRef) {
        if let Some(command) = self.landing(call).command {
            self.send(command);
        }
    }

    fn landing(&self, call: CallRef) -> Landing {
        let Some(view) = self.call(call) else { return drops::refused(DropVerdict::Gone) };
        match self.over() {
            _ if !self.connected => drops::refused(DropVerdict::NotNow),
            Some(Over::Contact(contact)) => drops::on_contact(view, contact, &self.view),
            Some(Over::Call(to)) => match self.call(*to) {
                Some(to) => drops::on_call(view, to),
                None => drops::refused(DropVerdict::Gone),
            },
            None => drops::refused(DropVerdict::Away),
        }
    }

    fn over(&self) -> Option<&Over> {
        self.overlay.drag.as_ref()?.over.as_ref()
    }

    fn drag_at(&mut self, call: CallRef, over: Option<Over>, x: f32, y: f32) {
        if self.overlay.drag_is_off {
            return;
        }
        if self.overlay.dragging() != Some(call) {
            // A long-press that became a drag has opened a menu on its way, and taken the selection for it.
            if self.overlay.menu_call == Some(call) && self.calls.selected == Some(call) {
                self.calls.selected = self.overlay.menu_before.filter(|before| self.call(*before).is_some());
                // The end of the press may have shown it, with its buttons, and from now on the lists stay as they are.
                self.show_selection(true);
                self.show_transfer_bar();
                self.show_customer();
            }
            self.close_menu();
            self.leave_contact();
        }
        self.overlay.drag = Some(InTheAir { call, over });
        let drag = self.app.global::<crate::screen::Drag>();
        if let Some(view) = self.call(call) {
            drag.set_who(party_name(&view.party));
        }
        drag.set_target_index(-1);
        drag.set_target_call(Default::default());
        drag.set_x(x);
        drag.set_y(y);
        drag.set_active(true);
        self.show_verdict();
    }
}

impl super::overlay::Overlay {
    pub(crate) fn dragging(&self) -> Option<CallRef> {
        self.drag.as_ref().map(|air| air.call)
    }
}
