//! One role: its list of devices, what became of each, and which is in use.

use std::time::Instant;

use super::{REST, REST_LONGEST, RETRY, RUNS};
use crate::api::Role;
use crate::audio::Serial;
use crate::device_list::DeviceList;

/// What is wanted for one role, and what it has.
pub(super) struct Slot {
    pub(super) list: Vec<Candidate>,
    pub(super) current: Option<Current>,
    /// It has been told that nothing works.
    pub(super) told: bool,
    /// When to look again.
    pub(super) due: Option<Instant>,
}

/// One device of a list.
pub(super) struct Candidate {
    pub(super) name: String,
    /// It is not tried before.
    pub(super) next: Instant,
    /// How often it failed in a row soon after it had begun.
    pub(super) losses: u32,
    /// Why it does not work.
    pub(super) reason: Option<String>,
    /// It is being opened, since then.
    pub(super) opening: Option<(Serial, Instant)>,
}

/// What serves a role.
pub(super) enum Current {
    /// A device of its own, for so long.
    Own { index: usize, serial: Serial, since: Instant },
    /// That of another role.
    Joined { index: usize, with: Role },
}

impl Current {
    pub(super) fn index(&self) -> usize {
        match self {
            Current::Own { index, .. } | Current::Joined { index, .. } => *index,
        }
    }

    /// The same at another place of the list.
    pub(super) fn at(self, index: usize) -> Current {
        match self {
            Current::Own { serial, since, .. } => Current::Own { index, serial, since },
            Current::Joined { with, .. } => Current::Joined { index, with },
        }
    }
}

impl Slot {
    pub(super) fn new() -> Slot {
        Slot { list: Vec::new(), current: None, told: false, due: None }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|candidate| candidate.name.as_str())
    }

    pub(super) fn current_name(&self) -> Option<&str> {
        self.names().nth(self.current.as_ref()?.index())
    }

    /// How many of the list are better than what there is.
    pub(super) fn limit(&self) -> usize {
        self.current.as_ref().map_or(self.list.len(), Current::index)
    }

    /// Takes another list; what is known of devices that are on both is kept.
    pub(super) fn replace(&mut self, list: &DeviceList, now: Instant) {
        let mut old = std::mem::take(&mut self.list);
        self.told = false;
        self.list.extend(list.names().iter().map(|name| {
            let known = old.iter().position(|candidate| candidate.name == *name);
            known.map_or_else(
                || Candidate { name: name.clone(), next: now, losses: 0, reason: None, opening: None },
                |at| old.swap_remove(at),
            )
        }));
    }

    /// Which device has been opened, if it is still on the list.
    pub(super) fn opened(&mut self, serial: Serial) -> Option<usize> {
        let index = self.opening(serial)?;
        self.list[index].opening = None;
        self.list[index].reason = None;
        Some(index)
    }

    pub(super) fn refused(&mut self, serial: Serial, reason: String, next: Instant) {
        if let Some(index) = self.opening(serial) {
            let candidate = &mut self.list[index];
            (candidate.opening, candidate.reason, candidate.next) = (None, Some(reason), next);
        }
    }

    /// What is in use has failed, or is `gone`; gives its name, if it is this one.
    pub(super) fn lost(&mut self, serial: Serial, gone: bool, reason: &str, now: Instant) -> Option<String> {
        let Some(Current::Own { index, serial: of, since }) = self.current else { return None };
        if of != serial {
            return None;
        }
        self.current = None;
        // Told as lost in a moment.
        self.told = true;
        self.try_all(now);
        let candidate = &mut self.list[index];
        candidate.reason = Some(reason.to_owned());
        if gone {
            candidate.next = now + RETRY;
            return Some(candidate.name.clone());
        }
        let ran = now.saturating_duration_since(since) > RUNS;
        candidate.losses = if ran { 1 } else { candidate.losses + 1 };
        let doublings = (candidate.losses - 1).min(16);
        candidate.next = now + (REST * (1 << doublings)).min(REST_LONGEST);
        Some(candidate.name.clone())
    }

    /// Has every device tried at once that has not failed in use.
    pub(super) fn try_all(&mut self, now: Instant) {
        for candidate in self.list.iter_mut().filter(|candidate| candidate.losses == 0) {
            candidate.next = now;
        }
    }

    pub(super) fn look_again(&mut self, at: Instant, now: Instant) {
        self.look_again_for_better(now);
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Looks again when the next of the better devices is to be tried.
    pub(super) fn look_again_for_better(&mut self, now: Instant) {
        let limit = self.limit();
        let better = self.list.iter().take(limit).filter(|candidate| candidate.opening.is_none());
        let next = better.map(|candidate| candidate.next).filter(|next| *next > now).min();
        self.due = [self.due, next].into_iter().flatten().min();
    }

    /// Name and reason of the device wanted most, when nothing serves and that has not been told.
    pub(super) fn nothing_works(&mut self) -> Option<(String, String)> {
        if self.told || self.current.is_some() {
            return None;
        }
        let first = self.list.first()?;
        self.told = true;
        Some((first.name.clone(), first.reason.clone().unwrap_or_default()))
    }

    fn opening(&self, serial: Serial) -> Option<usize> {
        self.list.iter().position(|candidate| candidate.opening.is_some_and(|(of, _)| of == serial))
    }
}
