//! What the operator wants to be told about contacts (PRE-7).
//!
//! An alert is given when a phone or a person *changes*: what is so already when the wish comes, or when a
//! state becomes known that was not known before, is no news. It is shown until the operator has seen it, acts on
//! it, or it is no longer so: an alert of a ringing phone leaves when that phone stops ringing, any other after a
//! minute.

use std::collections::VecDeque;

use ipc::{AlertId, AlertKind, AlertSet, AlertView, LampState, OnlineState};

use crate::call::Ms;
use crate::switchboard::Switchboard;
use crate::{AlertWish, Effect};

/// How long an alert is shown that does not end by itself.
const SHOWN_MS: Ms = 60_000;

/// Most alerts shown; the oldest give way.
const MAX_SHOWN: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Alerts {
    wishes: Vec<AlertWish>,
    pub(crate) shown: VecDeque<AlertView>,
    last: u64,
}

impl Alerts {
    pub(crate) fn deadline(&self) -> Option<Ms> {
        self.shown.iter().map(leaves_at).min()
    }
}

fn leaves_at(alert: &AlertView) -> Ms {
    // A phone that rings for ever does not cover the screen for ever.
    let factor = if alert.what == AlertKind::Ringing { 10 } else { 1 };
    alert.since_ms.saturating_add(factor * SHOWN_MS)
}

impl Switchboard {
    /// The wishes, whole.
    pub(crate) fn alert_wishes(&mut self, wishes: Vec<AlertWish>) {
        self.alerts.wishes = wishes;
    }

    /// A monitored phone is in another state, or may be.
    pub(crate) fn alert_lamp(&mut self, now: Ms, number: &str, was: Option<LampState>, is: LampState) {
        if was == Some(is) {
            return;
        }
        self.retract(|alert| alert.number == number && alert.what == AlertKind::Ringing);
        let known = was.is_some_and(|was| was != LampState::Unknown);
        if let Some(what) = lamp_alert(is).filter(|_| known) {
            self.give(now, what, |wish| !number.is_empty() && wish.number == number);
        }
    }

    /// A person is in another state, or may be.
    pub(crate) fn alert_person(&mut self, now: Ms, address: &str, was: Option<OnlineState>, is: OnlineState) {
        let online = |state: OnlineState| match state {
            OnlineState::Unknown => None,
            OnlineState::Online | OnlineState::Away => Some(true),
            OnlineState::Offline => Some(false),
        };
        let what = match (was.and_then(online), online(is)) {
            (Some(false), Some(true)) => AlertKind::Online,
            (Some(true), Some(false)) => AlertKind::Offline,
            _ => return,
        };
        self.give(now, what, |wish| !address.is_empty() && wish.address == address);
    }

    pub(crate) fn dismiss_alert(&mut self, id: AlertId) {
        self.retract(|alert| alert.id == id);
    }

    pub(crate) fn expire_alerts(&mut self, now: Ms) {
        self.retract(|alert| leaves_at(alert) <= now);
    }

    /// Shows an alert to each wish for it. Of one contact only the newest is shown.
    fn give(&mut self, now: Ms, what: AlertKind, about: impl Fn(&AlertWish) -> bool) {
        let of_this = |wish: &&AlertWish| about(wish) && wants(wish.alerts, what);
        let wishes: Vec<AlertWish> = self.alerts.wishes.iter().filter(of_this).cloned().collect();
        if wishes.iter().any(|wish| wish.alerts.sound) {
            self.emit(Effect::Chime);
        }
        for wish in wishes {
            if wish.alerts.once {
                self.alerts.wishes.retain(|other| other.contact != wish.contact);
                self.emit(Effect::AlertSpent(wish.contact));
            }
            self.retract(|alert| alert.contact == wish.contact);
            if self.alerts.shown.len() == MAX_SHOWN {
                self.alerts.shown.pop_front();
            }
            self.alerts.last += 1;
            let AlertWish { contact, name, number, .. } = wish;
            let id = AlertId(self.alerts.last);
            self.alerts.shown.push_back(AlertView { id, contact, name, number, what, since_ms: now });
            self.touch();
        }
    }

    fn retract(&mut self, over: impl Fn(&AlertView) -> bool) {
        let count = self.alerts.shown.len();
        self.alerts.shown.retain(|alert| !over(alert));
        if self.alerts.shown.len() != count {
            self.touch();
        }
    }
}

fn lamp_alert(state: LampState) -> Option<AlertKind> {
    match state {
        LampState::Unknown => None,
        LampState::Available => Some(AlertKind::Available),
        LampState::Ringing => Some(AlertKind::Ringing),
        LampState::Busy => Some(AlertKind::Busy),
        LampState::DoNotDisturb => Some(AlertKind::DoNotDisturb),
    }
}

fn wants(alerts: AlertSet, what: AlertKind) -> bool {
    match what {
        AlertKind::Available => alerts.available,
        AlertKind::Ringing => alerts.ringing,
        AlertKind::Busy => alerts.busy,
        AlertKind::DoNotDisturb => alerts.do_not_disturb,
        AlertKind::Online => alerts.online,
        AlertKind::Offline => alerts.offline,
    }
}
