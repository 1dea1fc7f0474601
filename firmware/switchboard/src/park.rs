//! Park slots (CALL-14): a call is parked by a transfer to the slot's number and fetched by dialling
//! it.
//!
//! What the exchange does with a slot is known by its lamp, where it has one, and by our own calls.
//! A parked call stays in sight until it is certain that it was fetched: its lamp went out after it
//! was lit, we fetched it, or the exchange says that nobody is there. After
//! [`ipc::Timers::park_ms`] the slot rings at the desk like a recall.
//!
//! The exchange keeps who is parked when the desk stops, and so does the desk: it asks for them to be written down
//! ([`Effect::SaveParked`]) and finds them again in [`Settings::parked`].

use std::collections::{BTreeMap, BTreeSet};

use ipc::{
    Action, CallRef, CommandError, LampState, ParkSlotView, ParkedView, Party, Registration, TransferEnd,
    TransferId, TransferKind, TransferState,
};

use crate::call::{Call, Ms, State};
use crate::number;
use crate::switchboard::Switchboard;
use crate::{Effect, EndCause, ParkedCall, Settings};

/// Nobody waits in a slot for so long: the exchange has let them go, and where it has no lamp for the slot nothing said so.
/// Whoever is thought to be parked keeps an operator from signing out. In milliseconds: a day.
const LONGEST: Ms = 24 * 60 * 60 * 1_000;

/// The reference of calls that were parked before the desk was started: that of none there is.
const BEFORE: CallRef = CallRef(0);

#[derive(Debug, Default)]
pub(crate) struct Park {
    /// Who waits, by the slot's number as the settings have it.
    parked: BTreeMap<String, Parked>,
    /// Transfers into a slot, for as long as the ledger has them.
    asked: BTreeMap<TransferId, Asked>,
    /// Calls that are on their way to a slot.
    fetching: BTreeMap<CallRef, Fetching>,
    /// Slots that the administrator has removed, in use for as long as somebody waits there or is on the way.
    leaving: BTreeSet<String>,
    /// Who waits is not as it was last written down.
    unsaved: bool,
}

#[derive(Debug)]
struct Parked {
    /// The call that was parked; it has left the desk or is about to.
    call: CallRef,
    who: Party,
    /// Who parked it.
    by: String,
    /// The line it came in on or was placed with.
    line: String,
    /// On the desk's clock; negative: before it was started.
    since: i64,
    overdue: bool,
    /// The exchange has shown the slot as taken since.
    lit: bool,
}

#[derive(Debug)]
struct Asked {
    call: CallRef,
    slot: String,
    line: String,
    /// Its good end was taken notice of.
    done: bool,
}

#[derive(Debug)]
struct Fetching {
    slot: String,
    /// Who was parked there by us.
    who: Option<Party>,
}

impl Park {
    /// With who was parked when the desk was stopped. A slot that the settings do not have any more is in use until its
    /// caller has been fetched.
    pub(crate) fn new(settings: &mut Settings) -> Self {
        let mut park = Self::default();
        for ParkedCall { slot, who, by, line, since_ms, lit } in std::mem::take(&mut settings.parked) {
            if !settings.park.iter().any(|known| known.number == slot) {
                park.leaving.insert(slot.clone());
                settings.park.push(ipc::ParkSlot { number: slot.clone(), name: String::new() });
            }
            let since = since_ms.min(0);
            let parked = Parked { call: BEFORE, who, by, line, since, overdue: false, lit };
            park.parked.insert(slot, parked);
        }
        park
    }

    /// Whether this call is on its way to a slot.
    pub(crate) fn is_fetched_by(&self, call: CallRef) -> bool {
        self.fetching.contains_key(&call)
    }

    fn to_keep(&self) -> Vec<ParkedCall> {
        let row = |(slot, parked): (&String, &Parked)| ParkedCall {
            slot: slot.clone(),
            who: parked.who.clone(),
            by: parked.by.clone(),
            line: parked.line.clone(),
            since_ms: parked.since,
            lit: parked.lit,
        };
        self.parked.iter().map(row).collect()
    }
}

impl Parked {
    /// When they have waited for as long as that.
    fn due(&self, limit: Ms) -> Ms {
        on_clock(self.since.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX)))
    }
}

/// A moment on the desk's clock; what was before it was started is its beginning.
fn on_clock(at: i64) -> Ms {
    Ms::try_from(at).unwrap_or(0)
}

impl Switchboard {
    pub(crate) fn do_park(&mut self, now: Ms, call: CallRef, slot: Option<&str>) -> Result<(), CommandError> {
        self.guard(call, Action::Park)?;
        let slots = self.settings.park.iter();
        let stays = |s: &&ipc::ParkSlot| !self.park.leaving.contains(&s.number);
        let mut wanted =
            slots.filter(stays).filter(|s| slot.is_none_or(|wanted| number::same(wanted, &s.number)));
        let slot = wanted.find(|s| self.is_free(&s.number)).ok_or(CommandError::NoSlot)?.clone();
        let to = number::clean(&slot.number)?;
        let line = self.calls.get(&call).map(|c| c.line_number.clone()).unwrap_or_default();
        let name = (!slot.name.is_empty()).then_some(slot.name);
        let party = Party { number: Some(to), name, ..Party::default() };
        self.begin_transfer(now, call, TransferKind::Park, party);
        if let Some(id) = self.calls.get(&call).and_then(Call::open_transfer) {
            self.park.asked.insert(id, Asked { call, slot: slot.number, line, done: false });
        }
        Ok(())
    }

    /// Dials a slot, whoever parked there; the card gets the name of who was parked from here.
    pub(crate) fn do_unpark(&mut self, now: Ms, slot: &str) -> Result<(), CommandError> {
        let known = self.settings.park.iter().find(|s| number::same(&s.number, slot));
        let slot = known.ok_or(CommandError::NoSlot)?.clone();
        let number = number::clean(&slot.number)?;
        if self.is_being_fetched(&slot.number) {
            return Err(CommandError::NotPossible);
        }
        let line = self.line_to_fetch_by(&slot.number)?;
        self.dial(now, number, line)?;
        let who = self.park.parked.get(&slot.number).map(|p| p.who.clone());
        // A call just placed has the ear.
        if let Some(call) = self.talk {
            if let Some(entry) = self.calls.get_mut(&call).filter(|_| !slot.name.is_empty()) {
                entry.party.name = Some(slot.name);
            }
            self.park.fetching.insert(call, Fetching { slot: slot.number, who });
        }
        Ok(())
    }

    /// A transfer of `call` has ended, or its end was revised.
    pub(crate) fn note_parking(&mut self, now: Ms, call: CallRef) {
        let mut parked = Vec::new();
        for (id, asked) in self.park.asked.iter_mut().filter(|(_, a)| a.call == call && !a.done) {
            let Some(entry) = self.ledger.view(*id) else { continue };
            let TransferState::Ended { end, .. } = entry.state else { continue };
            if matches!(end, TransferEnd::Answered | TransferEnd::HandedOver) {
                asked.done = true;
                parked.push((asked.slot.clone(), asked.line.clone(), entry.who));
            }
        }
        for (slot, line, who) in parked {
            let lit = self.slot_state(&slot) == LampState::Busy;
            let by = self.operator_name().to_owned();
            let since = i64::try_from(now).unwrap_or(i64::MAX);
            self.park.parked.insert(slot, Parked { call, who, by, line, since, overdue: false, lit });
            self.park.unsaved = true;
            self.touch();
        }
    }

    /// The slot had refused the call after all, which the exchange had kept.
    pub(crate) fn parking_refused(&mut self, call: CallRef) {
        self.forget_parked(|_, parked| parked.call == call);
    }

    /// The lamp of a phone changes, which may be a slot: one that was lit and goes out is empty.
    pub(crate) fn slot_lamp(&mut self, now: Ms, number: &str, state: LampState) {
        let mut rang = false;
        for (_, parked) in self.park.parked.iter_mut().filter(|(slot, _)| number::same(slot, number)) {
            if state == LampState::Busy && !parked.lit {
                parked.lit = true;
                self.park.unsaved = true;
            }
            rang |= parked.overdue && parked.lit;
        }
        if state == LampState::Available {
            if rang {
                self.stopped_ringing = Some(now);
            }
            self.forget_parked(|slot, parked| parked.lit && number::same(slot, number));
        }
    }

    /// A call to a slot was answered: its party is who was parked there.
    pub(crate) fn fetched(&mut self, call: CallRef) {
        let Some(Fetching { slot, who }) = self.park.fetching.remove(&call) else { return };
        if let Some((entry, who)) = self.calls.get_mut(&call).zip(who) {
            entry.party = who;
        }
        self.forget_parked(|s, _| *s == slot);
    }

    /// A call to a slot did not come about. Only an exchange that says that nobody is there clears
    /// the slot: any other failure may be that of the way to it.
    pub(crate) fn fetch_failed(&mut self, call: CallRef, cause: &EndCause) {
        let Some(Fetching { slot, .. }) = self.park.fetching.remove(&call) else { return };
        if cause.by_remote && matches!(cause.code, 404 | 410 | 480 | 481 | 484 | 604) {
            self.forget_parked(|s, _| *s == slot);
        }
    }

    pub(crate) fn park_deadline(&self) -> Option<Ms> {
        let limit = self.settings.timers.park_ms;
        let waiting = self.park.parked.values();
        waiting.map(|p| p.due(if limit > 0 && !p.overdue { limit.min(LONGEST) } else { LONGEST })).min()
    }

    /// Slots in which somebody waits too long begin to ring; who cannot be there any more is forgotten.
    pub(crate) fn expire_parked(&mut self, now: Ms) {
        for (slot, _) in self.park.parked.iter().filter(|(_, p)| p.due(LONGEST) <= now) {
            tracing::info!(slot, "nobody has heard for a day of who was parked; forgotten");
        }
        self.forget_parked(|_, parked| parked.due(LONGEST) <= now);
        let limit = self.settings.timers.park_ms;
        let due = |p: &&mut Parked| limit > 0 && !p.overdue && p.due(limit) <= now;
        let mut began = false;
        for parked in self.park.parked.values_mut().filter(due) {
            parked.overdue = true;
            began = true;
        }
        if began {
            self.ring_began(now);
            self.touch();
        }
    }

    /// Forgets transfers that the ledger has forgotten, and calls that no longer go to a slot; has who waits written down.
    pub(crate) fn settle_park(&mut self) {
        self.park.asked.retain(|id, _| self.ledger.view(*id).is_some());
        let on_its_way = |id: &CallRef| {
            self.calls.get(id).is_some_and(|c| matches!(c.state(), State::Dialing | State::Alerting))
        };
        self.park.fetching.retain(|call, _| on_its_way(call));
        self.drop_removed_slots();
        if std::mem::take(&mut self.park.unsaved) {
            self.emit(Effect::SaveParked(self.park.to_keep()));
        }
    }

    /// The administrator's slots from now on. Whoever waits in one that is none of them stays in sight until they
    /// are fetched, and who was called back too early for the new time waits on.
    pub(crate) fn set_slots(&mut self, slots: Vec<ipc::ParkSlot>) {
        let before = std::mem::replace(&mut self.settings.park, slots);
        self.park.leaving.clear();
        // Whatever it is called now, a slot is known by its number.
        for slot in before {
            if !self.settings.park.iter().any(|now| now.number == slot.number) {
                self.park.leaving.insert(slot.number.clone());
                self.settings.park.push(slot);
            }
        }
        let (limit, now) = (self.settings.timers.park_ms, self.latest());
        for parked in self.park.parked.values_mut() {
            parked.overdue &= limit > 0 && parked.due(limit) <= now;
        }
        self.drop_removed_slots();
    }

    fn drop_removed_slots(&mut self) {
        if self.park.leaving.is_empty() {
            return;
        }
        let Park { parked, asked, fetching, leaving, .. } = &mut self.park;
        let is_used = |slot: &String| {
            parked.contains_key(slot)
                || asked.values().any(|asked| asked.slot == *slot)
                || fetching.values().any(|fetching| fetching.slot == *slot)
        };
        let gone: BTreeSet<String> = leaving.iter().filter(|slot| !is_used(slot)).cloned().collect();
        if !gone.is_empty() {
            leaving.retain(|slot| !gone.contains(slot));
            self.settings.park.retain(|slot| !gone.contains(&slot.number));
            self.touch();
        }
    }

    /// A slot rings while somebody waits there too long and nobody fetches them.
    pub(crate) fn a_slot_rings(&self) -> bool {
        self.park.parked.iter().any(|(slot, parked)| parked.overdue && !self.is_being_fetched(slot))
    }

    /// The overdue slot whose party has waited longest, of those that can be dialled now.
    pub(crate) fn longest_overdue_slot(&self) -> Option<(Ms, String)> {
        let rings = |(slot, p): &(&String, &Parked)| {
            p.overdue
                && !self.is_being_fetched(slot)
                && !self.is_full()
                && self.line_to_fetch_by(slot).is_ok()
        };
        let slots = self.park.parked.iter().filter(rings);
        let (since, slot) = slots.map(|(slot, p)| (p.since, slot.clone())).min()?;
        Some((on_clock(since), slot))
    }

    /// Callers who wait in park slots and were parked from here.
    #[must_use]
    pub fn parked_count(&self) -> u32 {
        u32::try_from(self.park.parked.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn slots(&self) -> Vec<ParkSlotView> {
        let card = |p: &Parked| ParkedView {
            who: p.who.clone(),
            by: p.by.clone(),
            since_ms: on_clock(p.since),
            overdue: p.overdue,
        };
        let slot = |s: &ipc::ParkSlot| ParkSlotView {
            number: s.number.clone(),
            name: s.name.clone(),
            state: self.slot_state(&s.number),
            parked: self.park.parked.get(&s.number).map(card),
        };
        self.settings.park.iter().map(slot).collect()
    }

    pub(crate) fn check_park(&self) {
        for (slot, parked) in &self.park.parked {
            let known = self.settings.park.iter().any(|s| s.number == *slot);
            assert!(known, "parked in {slot}, which does not exist");
            let due = parked.due(self.settings.timers.park_ms);
            assert!(!parked.overdue || due <= self.latest(), "{slot} is overdue before its time");
        }
        for call in self.park.fetching.keys() {
            let state = self.calls.get(call).map(Call::state);
            let on_its_way = matches!(state, Some(State::Dialing | State::Alerting));
            assert!(on_its_way, "{call:?} is on its way to a slot: {state:?}");
        }
    }

    fn forget_parked(&mut self, gone: impl Fn(&String, &Parked) -> bool) {
        let before = self.park.parked.len();
        self.park.parked.retain(|slot, parked| !gone(slot, parked));
        if self.park.parked.len() != before {
            self.park.unsaved = true;
            self.touch();
        }
    }

    /// Nobody is there or on the way there, as far as the exchange and our own books know.
    fn is_free(&self, slot: &str) -> bool {
        let lamp = matches!(self.slot_state(slot), LampState::Available | LampState::Unknown);
        let open = |id: TransferId| self.ledger.open().any(|(open, _)| open == id);
        let asked = self.park.asked.iter().any(|(id, a)| a.slot == slot && open(*id));
        lamp && !asked && !self.park.parked.contains_key(slot) && number::clean(slot).is_ok()
    }

    fn is_being_fetched(&self, slot: &str) -> bool {
        self.park.fetching.values().any(|f| f.slot == *slot)
    }

    fn slot_state(&self, slot: &str) -> LampState {
        let lamps = &self.desk.lamps;
        let lamp = lamps.get(slot).or_else(|| lamps.values().find(|l| number::same(&l.number, slot)));
        lamp.map_or(LampState::Unknown, |l| l.state)
    }

    /// The line of who is parked there if it works, else the first one.
    fn line_to_fetch_by(&self, slot: &str) -> Result<usize, CommandError> {
        let lines = &self.desk.lines;
        let works = |at: &usize| lines[*at].registration == Registration::Registered;
        let theirs = self.park.parked.get(slot).map(|p| p.line.as_str());
        let theirs = theirs.and_then(|line| lines.iter().position(|l| l.number == line));
        match theirs.filter(works) {
            Some(line) => Ok(line),
            None if lines.is_empty() => Err(CommandError::NoLine),
            None => (0..lines.len()).find(works).ok_or(CommandError::NotRegistered),
        }
    }
}
