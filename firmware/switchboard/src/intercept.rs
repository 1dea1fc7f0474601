//! Intercept (PRE-3): taking a call that rings on somebody else's phone, and taking over one that somebody is in.
//!
//! What rings where, and whether the exchange gives a way to pick it up, is said by [`crate::Input::Rings`];
//! which way that is (INVITE with Replaces, or a feature code) is the wiring's business. The card is that of
//! a call placed here. It names the caller from the beginning, where the exchange says who it is, and whose
//! phone it was.
//!
//! Which conversations can be taken over is said by [`crate::Input::Lamp`], each by a [`TalkId`] that never means
//! another one: somebody is cut off, so nothing is taken in the place of what the operator saw.

use std::sync::Arc;

use ipc::{CallRef, CommandError, Direction, LampView, Party, Registration, TalkId};

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
        let nothing = || CommandError::NothingRings { number: short(wanted) };
        let lamp = self.phone_of(wanted).ok_or_else(nothing)?;
        let caller = lamp.rings.clone().ok_or_else(nothing)?;
        let number = lamp.number.clone();
        let (call, line) = self.take(now, &number, caller, None)?;
        self.emit(Effect::Intercept { call, number, line });
        Ok(())
    }

    pub(crate) fn do_take_over(&mut self, now: Ms, wanted: &str, talk: TalkId) -> Result<(), CommandError> {
        if !self.settings.take_over {
            return Err(CommandError::TakeOverNotAllowed);
        }
        let nobody = || CommandError::NobodyTalks { number: short(wanted) };
        let lamp = self.phone_of(wanted).ok_or_else(nobody)?;
        let meant = lamp.talks.iter().find(|told| told.talk == Some(talk)).ok_or_else(nobody)?;
        let (number, party) = (lamp.number.clone(), meant.party.clone());
        let (call, line) = self.take(now, &number, party, Some(talk))?;
        self.emit(Effect::TakeOver { call, number, talk, line });
        Ok(())
    }

    /// Puts a call on the desk that shall take one from the phone `number`.
    fn take(
        &mut self,
        now: Ms,
        number: &str,
        party: Party,
        taking: Option<TalkId>,
    ) -> Result<(CallRef, String), CommandError> {
        if self.is_being_taken(number, taking) {
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
        let phone = Party { number: Some(number.to_owned()), ..Party::default() };
        let known = party.number.is_some() || party.name.is_some();
        let party = if known { party } else { phone.clone() };
        let mut call = Call::new(self.draw_call(), Direction::Outgoing, party, now);
        call.intercepted = Some(phone);
        call.taking = taking;
        Ok(self.place(now, call, line))
    }

    /// A call from here is on its way to take what rings there, or that conversation.
    fn is_being_taken(&self, number: &str, taking: Option<TalkId>) -> bool {
        self.calls.values().any(|call| {
            let phone = call.intercepted.as_ref().and_then(|phone| phone.number.as_deref());
            let tried = matches!(call.state(), State::Dialing | State::Alerting);
            tried && phone == Some(number) && call.taking == taking
        })
    }

    fn phone_of(&self, wanted: &str) -> Option<&LampView> {
        let lamps = &self.desk.lamps;
        let lamp = lamps.get(wanted).or_else(|| lamps.values().find(|l| number::same(&l.number, wanted)));
        lamp.map(|lamp| &**lamp)
    }
}

/// As much of what was given as an answer repeats.
fn short(wanted: &str) -> String {
    wanted.chars().take(64).collect()
}
