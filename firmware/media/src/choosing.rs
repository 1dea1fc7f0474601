//! Which device serves which role: the best of its list that works.
//!
//! Pure: devices are opened and closed by [`crate::devices`], which says what came of it and when. Each role looks after
//! itself. A device that two roles want belongs to the one that stands first in [`Role::ALL`], and the other one's
//! sound is mixed into it; that is also so where the two meet on a device by falling back.

mod slot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use slot::{Candidate, Current, Slot};

use crate::api::{DeviceState, Role};
use crate::audio::Serial;
use crate::device_list::{DeviceList, same_device};

/// A device that takes longer to open is waited for no more: the next of the list is opened, and given up again should
/// the better one come after all.
const OPENS: Duration = Duration::from_millis(150);
/// A device that was given back is free again after so long at most, or it is blocked.
const HANDOVER: Duration = Duration::from_millis(150);
/// Time between two attempts to open a device while nothing says that cards have come or gone.
const RETRY: Duration = Duration::from_secs(2);
/// For so long after cards have come or gone, devices are tried more often: a driver and udev take their time.
const SETTLES: Duration = Duration::from_secs(1);
const RETRY_SETTLING: Duration = Duration::from_millis(100);
/// A device that failed without being pulled out is left alone for so long at first and at most; twice as long after each
/// failure that comes before it has run for [`RUNS`].
const REST: Duration = Duration::from_millis(250);
const REST_LONGEST: Duration = Duration::from_secs(64);
const RUNS: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Open a device, and say what came of it.
    Open { serial: Serial, role: Role, name: String },
    /// Give an open device to the audio thread, in the place of the role's last one.
    Install { serial: Serial, role: Role },
    /// Close an open device that is not wanted any more.
    Drop { serial: Serial },
    /// Take the role's device from the audio thread.
    Remove { role: Role },
    /// Have the role sound in the device of another one, or not any more.
    Join { role: Role, with: Option<Role> },
    /// Tell the world.
    Tell { role: Role, name: String, state: DeviceState },
}

/// A device that somebody has open, or opens.
struct Held {
    role: Role,
    name: String,
    phase: Phase,
}

enum Phase {
    Opening(Instant),
    InUse,
    /// Given back, not yet closed.
    Leaving(Instant),
}

/// All roles and their devices.
pub(super) struct Chooser {
    slots: [Slot; Role::COUNT],
    held: BTreeMap<Serial, Held>,
    last: Serial,
    settles_until: Option<Instant>,
    acts: Vec<Act>,
}

/// What a look at a candidate says.
enum Look {
    /// The next one may be tried.
    Next,
    /// It is the best there may be; nothing more before that time.
    Wait(Instant),
    /// It is in use now.
    Done,
}

impl Chooser {
    pub(super) fn new() -> Chooser {
        Chooser {
            slots: std::array::from_fn(|_| Slot::new()),
            held: BTreeMap::new(),
            last: 0,
            settles_until: None,
            acts: Vec::new(),
        }
    }

    /// What is to be done, in this order. To be asked for after anything else here.
    pub(super) fn acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// When to look again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.slots.iter().filter_map(|slot| slot.due).min()
    }

    /// A role is to have other devices. One that is in use and still wanted goes on.
    pub(super) fn want(&mut self, role: Role, list: &DeviceList, now: Instant) {
        let slot = &mut self.slots[role as usize];
        if slot.names().eq(list.names().iter().map(String::as_str)) {
            return;
        }
        let was = slot.current_name().or(slot.names().next()).map(str::to_owned);
        let kept = slot.current_name().and_then(|name| list.names().iter().position(|new| new == name));
        slot.replace(list, now);
        match kept {
            Some(index) => slot.current = slot.current.take().map(|current| current.at(index)),
            None => {
                self.give_back(role, now);
                if let Some(name) = was {
                    self.acts.push(Act::Tell { role, name, state: DeviceState::Closed });
                }
            }
        }
        self.look(now);
    }

    /// A device is open.
    pub(super) fn opened(&mut self, serial: Serial, now: Instant) {
        let Some(held) = self.held.get_mut(&serial) else { return };
        let role = held.role;
        let slot = &mut self.slots[role as usize];
        let better =
            slot.opened(serial).filter(|index| slot.current.as_ref().is_none_or(|c| c.index() > *index));
        let Some(index) = better else {
            held.phase = Phase::Leaving(now);
            self.acts.push(Act::Drop { serial });
            return self.look(now);
        };
        held.phase = Phase::InUse;
        let name = held.name.clone();
        match slot.current.replace(Current::Own { index, serial, since: now }) {
            // The audio thread hands it back for the new one.
            Some(Current::Own { serial: old, .. }) => self.leave(old, now),
            Some(Current::Joined { .. }) => self.acts.push(Act::Join { role, with: None }),
            None => {}
        }
        self.acts.push(Act::Install { serial, role });
        self.tell_open(role, name);
        self.free_joined(role, now);
        self.look(now);
    }

    /// A device could not be opened.
    pub(super) fn refused(&mut self, serial: Serial, reason: String, now: Instant) {
        let Some(held) = self.held.remove(&serial) else { return };
        let settling = self.settles_until.is_some_and(|until| now < until);
        let next = now + if settling { RETRY_SETTLING } else { RETRY };
        self.slots[held.role as usize].refused(serial, reason, next);
        self.look(now);
    }

    /// A device is closed.
    pub(super) fn ended(&mut self, serial: Serial, now: Instant) {
        let Some(held) = self.held.remove(&serial) else { return };
        for candidate in self.slots.iter_mut().flat_map(|slot| &mut slot.list) {
            if candidate.losses == 0 && same_device(&candidate.name, &held.name) {
                candidate.next = now;
            }
        }
        self.look(now);
    }

    /// A device in use has failed, or is `gone`; the audio thread has it no more.
    pub(super) fn lost(&mut self, role: Role, serial: Serial, gone: bool, reason: String, now: Instant) {
        let Some(name) = self.slots[role as usize].lost(serial, gone, &reason, now) else { return };
        self.leave(serial, now);
        self.free_joined(role, now);
        self.acts.push(Act::Tell { role, name, state: DeviceState::Lost { reason } });
        self.look(now);
    }

    /// Sound cards have come or gone.
    pub(super) fn cards_changed(&mut self, now: Instant) {
        self.settles_until = Some(now + SETTLES);
        for candidate in self.slots.iter_mut().flat_map(|slot| &mut slot.list) {
            candidate.next = now;
            candidate.losses = 0;
        }
        self.look(now);
    }

    /// Does what is due.
    pub(super) fn look(&mut self, now: Instant) {
        for role in Role::ALL {
            self.look_after(role, now);
        }
    }

    fn look_after(&mut self, role: Role, now: Instant) {
        self.slots[role as usize].due = None;
        for index in 0..self.slots[role as usize].limit() {
            match self.consider(role, index, now) {
                Look::Next => {}
                Look::Wait(until) => return self.slots[role as usize].look_again(until, now),
                // A better one may only be resting.
                Look::Done => return self.slots[role as usize].look_again_for_better(now),
            }
        }
        let slot = &mut self.slots[role as usize];
        slot.look_again_for_better(now);
        if let Some((name, reason)) = slot.nothing_works() {
            self.acts.push(Act::Tell { role, name, state: DeviceState::Lost { reason } });
        }
    }

    fn consider(&mut self, role: Role, index: usize, now: Instant) -> Look {
        let candidate = &mut self.slots[role as usize].list[index];
        if let Some(since) = candidate.opening.map(|(_, since)| since) {
            if now < since + OPENS {
                return Look::Wait(since + OPENS);
            }
            candidate.reason.get_or_insert_with(|| "it does not answer when it is opened".to_owned());
            return Look::Next;
        }
        if candidate.next > now {
            return Look::Next;
        }
        let name = candidate.name.clone();
        let capture = role == Role::Microphone;
        let holder = self
            .held
            .iter()
            .find(|(_, held)| (held.role == Role::Microphone) == capture && same_device(&held.name, &name));
        match holder.map(|(_, held)| (held.role, &held.phase)) {
            None => self.open(role, index, now),
            // Under another name in this very list, which does.
            Some((of, Phase::InUse | Phase::Opening(_))) if of == role => Look::Next,
            Some((of, Phase::InUse)) if (of as usize) < role as usize => self.join(role, index, of, now),
            Some((of, Phase::InUse)) => {
                self.give_back(of, now);
                Look::Wait(now + HANDOVER)
            }
            Some((_, Phase::Opening(since))) if now < *since + OPENS => Look::Wait(*since + OPENS),
            Some((_, Phase::Leaving(since))) if now < *since + HANDOVER => Look::Wait(*since + HANDOVER),
            Some(_) => {
                let candidate = &mut self.slots[role as usize].list[index];
                candidate.reason = Some("it is blocked".to_owned());
                candidate.next = now + RETRY;
                Look::Next
            }
        }
    }

    fn open(&mut self, role: Role, index: usize, now: Instant) -> Look {
        self.last += 1;
        let serial = self.last;
        let candidate: &mut Candidate = &mut self.slots[role as usize].list[index];
        candidate.opening = Some((serial, now));
        let name = candidate.name.clone();
        self.held.insert(serial, Held { role, name: name.clone(), phase: Phase::Opening(now) });
        self.acts.push(Act::Open { serial, role, name });
        Look::Wait(now + OPENS)
    }

    fn join(&mut self, role: Role, index: usize, with: Role, now: Instant) -> Look {
        let slot = &mut self.slots[role as usize];
        let name = slot.list[index].name.clone();
        let old = slot.current.replace(Current::Joined { index, with });
        self.acts.push(Act::Join { role, with: Some(with) });
        if let Some(Current::Own { serial, .. }) = old {
            self.acts.push(Act::Remove { role });
            self.leave(serial, now);
        }
        self.tell_open(role, name);
        self.free_joined(role, now);
        Look::Done
    }

    /// Takes what a role has from it, so that it looks for something else.
    fn give_back(&mut self, role: Role, now: Instant) {
        let slot = &mut self.slots[role as usize];
        match slot.current.take() {
            Some(Current::Own { serial, .. }) => {
                self.acts.push(Act::Remove { role });
                self.leave(serial, now);
            }
            Some(Current::Joined { .. }) => self.acts.push(Act::Join { role, with: None }),
            None => {}
        }
        self.slots[role as usize].try_all(now);
        self.free_joined(role, now);
    }

    /// Those who sounded in the device of `with` look for themselves.
    fn free_joined(&mut self, with: Role, now: Instant) {
        for role in Role::ALL {
            let slot = &mut self.slots[role as usize];
            if matches!(slot.current, Some(Current::Joined { with: of, .. }) if of == with) {
                slot.current = None;
                self.acts.push(Act::Join { role, with: None });
            }
            if role as usize > with as usize {
                self.slots[role as usize].try_all(now);
            }
        }
    }

    fn leave(&mut self, serial: Serial, now: Instant) {
        if let Some(held) = self.held.get_mut(&serial) {
            held.phase = Phase::Leaving(now);
        }
    }

    fn tell_open(&mut self, role: Role, name: String) {
        self.slots[role as usize].told = false;
        self.acts.push(Act::Tell { role, name, state: DeviceState::Open });
    }
}
