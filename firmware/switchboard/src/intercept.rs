//! Intercept (PRE-3): taking a call that rings on somebody else's phone.
//!
//! What rings where, and whether the exchange gives a way to pick it up, is said by [`crate::Input::Rings`];
//! which way that is (INVITE with Replaces, or a feature code) is the wiring's business. The card is that of
//! a call placed here. It names the caller from the beginning, where the exchange says who it is, and whose
//! phone it was.

use std::sync::Arc;

use ipc::{CommandError, Direction, Party, Registration};

use crate::Effect;
use crate::call::{Call, Ms, State};
use crate::number;
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) fn rings(&mut self, number: &str, caller: Option<Party>) {
        let Some(lamp) = self.desk.lamps.get_mut(number) else { return };
        if lamp.rings != caller {
            Arc::make_mut(lamp).rings = caller;
            self.touch();
        }
    }

    pub(crate) fn do_intercept(&mut self, now: Ms, wanted: &str) -> Result<(), CommandError> {
        let lamps = &self.desk.lamps;
        let lamp = lamps.get(wanted).or_else(|| lamps.values().find(|l| number::same(&l.number, wanted)));
        let nothing = || CommandError::NothingRings { number: wanted.chars().take(64).collect() };
        let lamp = lamp.ok_or_else(nothing)?;
        let caller = lamp.rings.clone().ok_or_else(nothing)?;
        let number = lamp.number.clone();
        if self.is_being_intercepted(&number) {
            return Err(CommandError::NotPossible);
        }
        if self.desk.lines.is_empty() {
            return Err(CommandError::NoLine);
        }
        let works = |line: &ipc::LineView| line.registration == Registration::Registered;
        let line = self.desk.lines.iter().position(works).ok_or(CommandError::NotRegistered)?;
        if self.is_full() {
            return Err(CommandError::TooManyCalls);
        }
        let phone = Party { number: Some(number.clone()), ..Party::default() };
        let known = caller.number.is_some() || caller.name.is_some();
        let party = if known { caller } else { phone.clone() };
        let mut call = Call::new(self.draw_call(), Direction::Outgoing, party, now);
        call.intercepted = Some(phone);
        let (call, line) = self.place(now, call, line);
        self.emit(Effect::Intercept { call, number, line });
        Ok(())
    }

    /// A call from here is on its way to take what rings there.
    fn is_being_intercepted(&self, number: &str) -> bool {
        self.calls.values().any(|call| {
            let phone = call.intercepted.as_ref().and_then(|phone| phone.number.as_deref());
            matches!(call.state(), State::Dialing | State::Alerting) && phone == Some(number)
        })
    }
}
