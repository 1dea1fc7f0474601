//! What the operator wanted to be told (PRE-7): the notifications, and the choice of what they are about.
//!
//! The desk decides what is an alert and plays its sound; here it is only shown. An alert never takes the
//! keyboard.

use std::rc::Rc;
use std::time::Instant;

use ipc::{AlertId, AlertKind, AlertSet, AlertView, Command, ContactId, ContactRow, Edit, LampView};
use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};

use super::Desk;
use crate::clock::duration;
use crate::keys::ConsoleKey;
use crate::models::words::digits;
use crate::models::{contacts, form, rows};
use crate::screen::{self, AlertCard, AlertWishes, App, FocusPlace};

/// Things one can be told, in the order of the words.
const WISHES: i32 = 8;
/// The first of them that are not about the phone.
const NOT_PHONE: i32 = 4;

/// State of the notifications that is the screen's own.
pub(crate) struct Alerts {
    cards: Rc<VecModel<AlertCard>>,
    times: Rc<VecModel<SharedString>>,
    flags: Rc<VecModel<bool>>,
    fit: usize,
    /// A finger is on a button of a card.
    pressed: bool,
    /// The card it went down on: what it does on its way up is done to this one.
    bound: Option<String>,
    /// The contact whose alerts are being chosen, and what is chosen.
    choosing: Option<(ContactId, AlertSet)>,
}

impl Alerts {
    pub(crate) fn new(app: &App) -> Self {
        let this = Self {
            cards: Rc::default(),
            times: Rc::default(),
            flags: Rc::default(),
            fit: 1,
            pressed: false,
            bound: None,
            choosing: None,
        };
        let alerts = app.global::<screen::Alerts>();
        alerts.set_cards(ModelRc::from(this.cards.clone()));
        alerts.set_times(ModelRc::from(this.times.clone()));
        app.global::<AlertWishes>().set_alerts(ModelRc::from(this.flags.clone()));
        this
    }
}

// The notifications.
impl Desk {
    /// Shows them as the view has them; not under a finger.
    pub(crate) fn show_alerts(&mut self) {
        if self.alerts.pressed {
            return;
        }
        let live = self.connected;
        let all = self.view.alerts.iter().rev().filter(|_| live);
        let cards: Vec<AlertCard> = all.take(self.alerts.fit).map(|alert| self.alert_card(alert)).collect();
        let count = if live { self.view.alerts.len() } else { 0 };
        let alerts = self.app.global::<screen::Alerts>();
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        alerts.set_more(number(count - cards.len()));
        alerts.set_count(number(count));
        rows::sync(&self.alerts.cards, &cards, |card| card.id.clone());
        self.run_alert_clocks(self.clock.at(Instant::now()));
    }

    /// Since when each is so.
    pub(crate) fn run_alert_clocks(&mut self, now_ms: u64) {
        let since = |card: AlertCard| {
            let id = alert_id(&card.id)?;
            let alert = self.view.alerts.iter().find(|alert| alert.id == id)?;
            Some(SharedString::from(duration(now_ms.saturating_sub(alert.since_ms))))
        };
        let times: Vec<_> = self.alerts.cards.iter().map(|card| since(card).unwrap_or_default()).collect();
        rows::replace(&self.alerts.times, &times);
    }

    /// How many the screen has room for.
    pub(crate) fn fit_alerts(&mut self, count: i32) {
        self.alerts.fit = usize::try_from(count).unwrap_or(1).max(1);
        self.show_alerts();
    }

    /// A finger goes down on a button of an alert, or comes up.
    pub(crate) fn press_alert(&mut self, id: &str, down: bool) {
        self.alerts.pressed = down;
        if down {
            self.alerts.bound = Some(id.to_owned());
        }
        self.show_alerts();
    }

    /// Nobody holds an alert any more: the desk went away or is back.
    pub(crate) fn release_alerts(&mut self) {
        self.alerts.pressed = false;
        self.show_alerts();
    }

    /// Intercept or call. Who calls has seen the alert.
    pub(crate) fn act_on_alert(&mut self, id: &str) {
        let Some(alert) = self.bound_alert(id).cloned() else { return };
        if let Some(lamp) = self.rings_at(&alert) {
            let number = lamp.number.clone();
            self.send(Command::Intercept { number });
        } else if !alert.number.is_empty() && self.call_out(&alert.number).is_some() {
            self.send(Command::DismissAlert { alert: alert.id });
        }
    }

    /// The cross.
    pub(crate) fn dismiss_alert(&mut self, id: &str) {
        if let Some(alert) = self.bound_alert(id).map(|alert| alert.id) {
            self.send(Command::DismissAlert { alert });
        }
    }

    /// The alert, unless a finger went down on another.
    fn bound_alert(&mut self, id: &str) -> Option<&AlertView> {
        let ours = self.alerts.bound.take().is_none_or(|bound| bound == id);
        let id = alert_id(id).filter(|_| ours)?;
        self.view.alerts.iter().find(|alert| alert.id == id)
    }

    fn alert_card(&self, alert: &AlertView) -> AlertCard {
        AlertCard {
            id: slint::format!("{}", alert.id.0),
            kind: kind(alert.what),
            name: if alert.name.is_empty() { alert.number.as_str() } else { &alert.name }.into(),
            can_intercept: self.rings_at(alert).is_some(),
            can_call: !alert.number.is_empty(),
        }
    }

    /// The phone that rings and can be picked up from here (PRE-3).
    fn rings_at(&self, alert: &AlertView) -> Option<&LampView> {
        let number = digits(&alert.number);
        let rings = alert.what == AlertKind::Ringing && !number.is_empty();
        let mut lamps = self.view.lamps.iter().map(|lamp| &**lamp).filter(|_| rings);
        lamps.find(|lamp| lamp.rings.is_some() && digits(&lamp.number) == number)
    }
}

// What to be told about a contact.
impl Desk {
    pub(crate) fn open_alert_wishes(&mut self, contact: &ContactRow) {
        let local = self.view.directories.iter().any(|d| d.id == contact.directory && d.local);
        let alerts = if local { contact.alerts } else { form::about_a_stranger(contact.alerts) };
        self.alerts.choosing = Some((contact.id, alerts));
        let wishes = self.app.global::<AlertWishes>();
        wishes.set_who(contacts::name(contact).into());
        wishes.set_local(local);
        wishes.set_presence(contact.presence);
        wishes.set_cursor(-1);
        wishes.set_open(true);
        self.show_alert_wishes();
    }

    pub(crate) fn set_alert_wish(&mut self, index: i32, on: bool) {
        if let Some((_, alerts)) = self.alerts.choosing.as_mut() {
            form::set_flag(alerts, index, on);
        }
        self.show_alert_wishes();
    }

    pub(crate) fn accept_alert_wishes(&mut self) {
        let chosen = self.alerts.choosing;
        self.close_alert_wishes();
        if let Some((contact, alerts)) = chosen {
            self.send(Command::Edit(Edit::SetAlerts { contact, alerts }));
        }
    }

    pub(crate) fn close_alert_wishes(&mut self) {
        self.alerts.choosing = None;
        self.app.global::<AlertWishes>().set_open(false);
    }

    pub(crate) fn alert_wishes_are_open(&self) -> bool {
        self.alerts.choosing.is_some()
    }

    /// A key while one chooses: arrows move, Insert marks, Enter saves. The keys of the calls go on to them.
    pub(crate) fn alert_wishes_key(&mut self, key: ConsoleKey) -> bool {
        if self.alerts.choosing.is_none() {
            return false;
        }
        match key {
            ConsoleKey::Up | ConsoleKey::Left => self.move_alert_wish(-1),
            ConsoleKey::Down | ConsoleKey::Right => self.move_alert_wish(1),
            ConsoleKey::Primary => {
                let at = self.app.global::<AlertWishes>().get_cursor();
                let on = usize::try_from(at).ok().and_then(|at| self.alerts.flags.row_data(at));
                if let Some(on) = on {
                    self.set_alert_wish(at, !on);
                }
            }
            ConsoleKey::Enter => self.accept_alert_wishes(),
            ConsoleKey::Escape => self.close_alert_wishes(),
            _ => return false,
        }
        true
    }

    fn move_alert_wish(&mut self, by: i32) {
        let wishes = self.app.global::<AlertWishes>();
        let first = if wishes.get_local() { 0 } else { NOT_PHONE };
        let at = wishes.get_cursor();
        let next = if at < 0 { first } else { first + (at - first + by).rem_euclid(WISHES - first) };
        wishes.set_cursor(next);
        self.focus(FocusPlace::Nowhere);
    }

    fn show_alert_wishes(&self) {
        let flags = self.alerts.choosing.map(|(_, alerts)| form::flags(alerts)).unwrap_or_default();
        rows::replace(&self.alerts.flags, &flags);
    }
}

fn alert_id(id: &str) -> Option<AlertId> {
    id.parse().ok().map(AlertId)
}

fn kind(kind: AlertKind) -> screen::AlertKind {
    match kind {
        AlertKind::Available => screen::AlertKind::Available,
        AlertKind::Ringing => screen::AlertKind::Ringing,
        AlertKind::Busy => screen::AlertKind::Busy,
        AlertKind::DoNotDisturb => screen::AlertKind::DoNotDisturb,
        AlertKind::Online => screen::AlertKind::Online,
        AlertKind::Offline => screen::AlertKind::Offline,
    }
}
