//! Menus: of a call (CALL-8), of transfers (CALL-12), of park slots (CALL-14), of the
//! service mode, of the views (CALL-6). That of a contact is in `contact_menu`.
//!
//! A menu offers exactly what the view allows. Each row keeps the call that it was shown for: when
//! that one is gone, choosing the row does nothing.

use ipc::{
    Action, CallRef, CallState, CallView, Command, ContactId, ContactRow, DirectoryId, LampState,
    ParkSlotView, Party, ReminderId, ServiceMode,
};
use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};

use super::customer::About;
use super::directory_menu::DirectoryChoice;
use super::log_menu::LogChoice;
use super::reminders::Deed;
use super::{Area, Desk};
use crate::models::drops::rings;
use crate::models::past;
use crate::models::words::{digits, party_name};
use crate::models::{cards, contacts};
use crate::offers::{Offer, Place, Target, connect, offers};
use crate::screen::{CallerPast, Calls, ContactLink, Menu, MenuEntry, MenuWord, NumberMatch, PromptKind};

/// Where a menu stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    /// Under the finger.
    Finger(f32, f32),
    /// By the calls: it was opened by a key.
    Calls,
    /// At the card of the selected call: it was opened by a key.
    Card,
    /// By the directory: it was opened by a key.
    Pane,
    /// At the button of the directory's menu, as by a finger: it was opened by a key.
    DirectoryButton,
    /// At the button that sorts the log, likewise.
    LogButton,
    /// At the contact under the cursor: it was opened by a key.
    Contact,
    /// At the row of the log under the cursor, likewise.
    LogRow,
    /// Where the menu was that it comes from.
    There,
}

/// What a menu row does.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    Act(CallRef, Action),
    Call(String),
    Send(Command),
    Ask(CallRef, PromptKind),
    /// The customer's page.
    Crm(CallRef),
    /// All that is known of the customer.
    Customer(CallRef),
    /// A note about somebody, or a task.
    Write(Box<About>, bool),
    /// Of the directory's menu, which stands there.
    Directory(Option<DirectoryId>, DirectoryChoice, At),
    /// The e-mail or web page of a contact.
    Link(Box<ContactRow>, ContactLink),
    /// The card of a contact's phone.
    Phone(Box<ContactRow>),
    /// The question before a call on a contact's phone is taken over.
    TakeOver(Box<ContactRow>),
    Table(bool),
    /// Something was wrong with a call in the log.
    MarkLogged(i64),
    /// Of the menus of the log and the statistics.
    Log(LogChoice),
    /// A contact in its directory.
    ShowContact(ContactId),
    /// Of reminders.
    Reminder(Deed),
    /// Whom a reminder is about.
    CallReminder(ReminderId),
    Dividers,
    ResetDividers,
    Lock,
    SignOut,
    /// The menus behind a row: what can be changed of a contact, and into which directory.
    Contact(Box<ContactRow>),
    AddTo(Box<Party>),
    AddParty(Box<Party>, DirectoryId),
    EditContact(ContactId, DirectoryId),
    NewContact(DirectoryId),
    Alerts(Box<ContactRow>),
    Mail(SharedString, String),
    /// Shown, but it cannot be done.
    Nothing,
}

pub(super) type Row = (MenuEntry, Choice);

impl Desk {
    /// The menu of a call, under the finger.
    pub(crate) fn open_call_menu(&mut self, call: CallRef, x: f32, y: f32) {
        if self.is_bound_to(call) {
            self.call_menu(call, At::Finger(x, y));
        }
    }

    /// The menu of the selected call, by key.
    pub(crate) fn open_call_menu_by_key(&mut self) {
        if let Some(call) = self.calls.selected {
            self.call_menu(call, At::Card);
            self.move_menu(0);
        }
    }

    /// F8: the most logical transfer first (CALL-12); see [`crate::offers`].
    pub(crate) fn open_transfer_menu(&mut self) {
        let contact = self.meant_contact();
        let place = match (self.area, self.calls.selected) {
            (Area::Directory, selected) => Place::Contact(selected),
            (Area::Calls, Some(call)) => Place::Call(call),
            (Area::Calls, None) => Place::Nothing,
        };
        let offered = self.offers_here(place, contact.as_ref());
        let named = matches!(place, Place::Contact(_)) && contact.is_some();
        let rows: Vec<Row> =
            offered.iter().filter_map(|offer| self.offer_row(offer, contact.as_ref(), named)).collect();
        let title = match (place, contact.as_ref()) {
            (Place::Contact(_), Some(contact)) => contacts::name(contact).into(),
            (Place::Call(call), _) => self.who(call),
            _ => offered.first().map(subject).map(|call| self.who(call)).unwrap_or_default(),
        };
        let at = match place {
            Place::Contact(_) => At::Contact,
            Place::Call(_) => At::Card,
            Place::Nothing => At::Calls,
        };
        self.open_menu(title, rows, at);
        self.move_menu(0);
    }

    /// The slots in which a call can be parked (CALL-14).
    pub(crate) fn open_park_menu(&mut self, call: CallRef) {
        let park = |slot| Choice::Send(Command::Park { call, slot });
        let mut rows = Vec::new();
        if self.view.park.iter().any(|slot| !taken(slot)) {
            rows.push((entry(MenuWord::ParkAnywhere, "", "", ""), park(None)));
        }
        for slot in &self.view.park {
            let name = if slot.name.is_empty() { &slot.number } else { &slot.name };
            let detail = if slot.name.is_empty() { "" } else { slot.number.as_str() };
            rows.push(if taken(slot) {
                let row = MenuEntry { enabled: false, ..entry(MenuWord::ParkTaken, detail, "", name) };
                (row, Choice::Nothing)
            } else {
                (entry(MenuWord::ParkIn, detail, "", name), park(Some(slot.number.clone())))
            });
        }
        if rows.is_empty() {
            // No slot is set up here, but the desk allows it: let it say what is wrong.
            self.send(Command::Park { call, slot: None });
            return;
        }
        self.open_menu(self.who(call), rows, At::Calls);
        self.move_menu(0);
    }

    /// Day, night, holiday, by the timetable.
    pub(crate) fn open_service_menu(&mut self, x: f32, y: f32) {
        let service = self.view.service;
        let mode = |word, mode: ServiceMode| {
            let chosen = service.mode == mode;
            let row = MenuEntry { chosen, ..entry(word, "", "", "") };
            (row, Choice::Send(Command::SetService { mode: Some(mode) }))
        };
        let timetable =
            MenuEntry { chosen: !service.by_hand, ..entry(MenuWord::ServiceTimetable, "", "", "") };
        let rows = vec![
            mode(MenuWord::ServiceNight, ServiceMode::Night),
            mode(MenuWord::ServiceDay, ServiceMode::Day),
            mode(MenuWord::ServiceHoliday, ServiceMode::Holiday),
            (timetable, Choice::Send(Command::SetService { mode: None })),
        ];
        self.open_menu(SharedString::default(), rows, At::Finger(x, y));
    }

    /// List or table view, and the dividers (CALL-6), by key.
    pub(crate) fn open_view_menu(&mut self) {
        let table = self.is_table();
        let view = |word, on: bool| {
            (MenuEntry { chosen: table == on, ..entry(word, "", "", "") }, Choice::Table(on))
        };
        let rows = vec![
            view(MenuWord::ViewList, false),
            view(MenuWord::ViewTable, true),
            (entry(MenuWord::MoveDividers, "", "", ""), Choice::Dividers),
            (entry(MenuWord::ResetDividers, "", "", ""), Choice::ResetDividers),
        ];
        self.open_menu(SharedString::default(), rows, At::Calls);
        self.app.global::<Menu>().set_cursor(i32::from(!table));
    }

    /// Does what a row says.
    pub(crate) fn choose(&mut self, index: i32) {
        let choice = usize::try_from(index).ok().and_then(|index| self.overlay.menu.get(index)).cloned();
        if matches!(choice, Some(Choice::Nothing)) {
            return;
        }
        self.overlay.menu_cursor = self.app.global::<Menu>().get_cursor();
        self.close_menu();
        match choice {
            Some(Choice::Act(call, action)) => self.act(call, action),
            Some(Choice::Call(number)) => self.call_number(&number),
            Some(Choice::Send(command)) => {
                self.leave_contact();
                self.send_if_there(command);
            }
            Some(Choice::Ask(call, kind)) => self.open_prompt(call, kind),
            Some(Choice::MarkLogged(id)) => self.mark_logged(id),
            Some(Choice::Log(choice)) => self.choose_of_log(choice),
            Some(Choice::ShowContact(contact)) => self.show_contact(contact),
            Some(Choice::Crm(call)) => self.open_crm(call),
            Some(Choice::Customer(call)) => self.open_customer(call),
            Some(Choice::Write(about, task)) => self.write_item(*about, task),
            Some(Choice::Link(contact, link)) => self.open_link_of(&contact, link),
            Some(Choice::Phone(contact)) => self.open_phone_card(*contact),
            Some(Choice::TakeOver(contact)) => self.open_take_over(*contact),
            Some(Choice::Directory(directory, choice, at)) => self.choose_of_directory(directory, choice, at),
            Some(Choice::Table(on)) => self.set_table(on),
            Some(Choice::Reminder(deed)) => self.do_reminder(deed),
            Some(Choice::CallReminder(id)) => self.call_of_reminder(id),
            Some(Choice::Lock) => self.lock(),
            Some(Choice::SignOut) => self.sign_out(),
            Some(Choice::Dividers) => self.arrange_by_keys(),
            Some(Choice::ResetDividers) => {
                self.reset_calls();
                self.reset_incoming();
            }
            Some(Choice::Contact(contact)) => self.open_editing_menu(&contact),
            Some(Choice::AddTo(party)) => self.open_add_menu(&party),
            Some(Choice::AddParty(party, directory)) => self.open_editor_for_party(&party, directory),
            Some(Choice::EditContact(contact, directory)) => self.open_editor(contact, directory),
            Some(Choice::NewContact(directory)) => self.open_editor_for_new(directory),
            Some(Choice::Alerts(contact)) => self.open_alert_wishes(&contact),
            Some(Choice::Mail(who, address)) => self.open_mail(who, &address),
            Some(Choice::Nothing) | None => {}
        }
    }

    pub(crate) fn close_menu(&mut self) {
        self.overlay.menu.clear();
        self.overlay.menu_call = None;
        self.overlay.menu_page = None;
        let menu = self.app.global::<Menu>();
        menu.set_open(false);
        menu.set_cursor(-1);
    }

    pub(crate) fn menu_is_open(&self) -> bool {
        !self.overlay.menu.is_empty()
    }

    /// Moves the menu's cursor by key; past the last comes the first.
    pub(crate) fn move_menu(&mut self, by: i32) {
        let menu = self.app.global::<Menu>();
        let count = i32::try_from(self.overlay.menu.len()).unwrap_or(0);
        if count > 0 {
            let at = menu.get_cursor();
            // A menu that a finger opened has none yet.
            menu.set_cursor(if at < 0 { by.min(0) } else { at + by }.rem_euclid(count));
        }
    }

    /// Enter in the menu.
    pub(crate) fn choose_by_key(&mut self) {
        let index = self.app.global::<Menu>().get_cursor();
        if index >= 0 {
            self.choose(index);
        }
        // A menu that has come in its place is gone through by keys as well.
        let menu = self.app.global::<Menu>();
        if menu.get_open() && menu.get_cursor() < 0 {
            self.move_menu(0);
        }
    }

    /// Right in the menu: to the rows that a row leads to.
    pub(crate) fn choose_if_it_leads(&mut self) {
        let menu = self.app.global::<Menu>();
        let at = usize::try_from(menu.get_cursor()).ok();
        if at.and_then(|at| menu.get_entries().row_data(at)).is_some_and(|entry| entry.leads) {
            self.choose_by_key();
        }
    }

    fn call_menu(&mut self, call: CallRef, at: At) {
        if !self.connected {
            return;
        }
        let Some(view) = self.call(call) else { return };
        let mut rows: Vec<Row> =
            view.actions.iter().flat_map(|action| self.action_rows(view, *action)).collect();
        // What ends the call stays last, and beside it what is said of all of it.
        let is_last = |action: &&Action| matches!(action, Action::Mark | Action::HangUp);
        let last = view.actions.iter().filter(is_last).count();
        let customer = self.customer_rows(view);
        let before = rows.len().saturating_sub(last);
        let (reminder, directories) = (self.reminder_row(call), self.directory_rows(call));
        rows.splice(before..before, reminder.into_iter().chain(customer).chain(directories));
        let title = party_name(&view.party);
        let matched = view.party.matched.map(number_match).unwrap_or_default();
        let history = view.history.clone();
        let before = self.calls.selected.replace(call);
        self.open_menu(title, rows, at);
        let menu = self.app.global::<Menu>();
        menu.set_matched(matched);
        menu.set_past(past::whole(history.as_ref()));
        menu.set_past_calls(ModelRc::new(VecModel::from(past::calls(history.as_ref()))));
        self.overlay.menu_call = Some(call);
        self.overlay.menu_before = before;
    }

    /// The rows of one action: most have one, a transfer to a call has one for each such call.
    fn action_rows(&self, call: &CallView, action: Action) -> Vec<Row> {
        let id = call.call;
        let act = |word| vec![(entry(word, "", "", ""), Choice::Act(id, action))];
        match action {
            Action::Answer => act(MenuWord::Answer),
            Action::Reject => act(MenuWord::Reject),
            Action::Forward => act(MenuWord::Forward),
            Action::Hold => act(MenuWord::Hold),
            Action::Retrieve if call.state == CallState::Transferring => act(MenuWord::TakeBack),
            Action::Retrieve => act(MenuWord::Retrieve),
            Action::Transfer => {
                let mut rows = act(MenuWord::Transfer);
                rows.extend(self.voicemail_row(id));
                rows.push((entry(MenuWord::Voicemail, "", "", ""), Choice::Ask(id, PromptKind::Voicemail)));
                rows
            }
            Action::TransferToCall => {
                let others = self.view.incoming.iter().chain(&self.view.outgoing);
                let connected = others.filter_map(|other| connect(call, other));
                connected.filter_map(|offer| self.offer_row(&offer, None, false)).collect()
            }
            Action::TakeTransfer => Vec::new(),
            Action::Undo => act(MenuWord::Undo),
            Action::TransferNow => act(MenuWord::TransferNow),
            Action::WaitAgain => {
                let to = call.waited_for.as_ref().map(party_name).unwrap_or_default();
                vec![(entry(MenuWord::WaitAgain, "", "", &to), Choice::Act(id, action))]
            }
            Action::Park => act(MenuWord::Park),
            Action::Conference if call.state == CallState::Conference => act(MenuWord::Join),
            Action::Conference => act(MenuWord::Conference),
            Action::MuteMember => {
                let muted = cards::member(call, &self.view).is_some_and(|member| member.muted);
                act(if muted { MenuWord::UnmuteMember } else { MenuWord::MuteMember })
            }
            Action::Digits => act(MenuWord::Digits),
            Action::Mark => {
                let row = MenuEntry { chosen: call.marked, ..entry(MenuWord::Mark, "", "", "") };
                vec![(row, Choice::Act(id, action))]
            }
            Action::HangUp => act(MenuWord::HangUp),
        }
    }

    /// To the mailbox of the contact that is meant, which it names.
    fn voicemail_row(&self, call: CallRef) -> Option<Row> {
        let contact = self.meant_contact().filter(|contact| !contact.voicemail.is_empty())?;
        let row = entry(MenuWord::VoicemailTo, &contact.voicemail, "", &contacts::name(&contact));
        Some((row, Choice::Send(Command::VoicemailTransfer { call, to: contact.voicemail })))
    }

    pub(super) fn offers_here(&self, place: Place, contact: Option<&ContactRow>) -> Vec<Offer> {
        if !self.connected {
            return Vec::new();
        }
        let calls: Vec<&CallView> = self.view.incoming.iter().chain(&self.view.outgoing).collect();
        let target = contact.map(|contact| Target {
            phone: &contact.phone,
            mobile: &contact.mobile,
            voicemail: &contact.voicemail,
        });
        offers(place, &calls, self.view.talk, target)
    }

    /// An offer as a row; `named`: the title does not say who goes. The target's name is the
    /// contact's, whose numbers the offer has.
    pub(super) fn offer_row(&self, offer: &Offer, contact: Option<&ContactRow>, named: bool) -> Option<Row> {
        let call = subject(offer);
        let who = self.who(call);
        let to_contact = contact.map(contacts::name).unwrap_or_default();
        // The title says who goes, unless it is the contact's.
        let goes = if named { who.clone() } else { SharedString::default() };
        let pick = |with: MenuWord, without: MenuWord| if named { with } else { without };
        Some(match offer {
            Offer::Undo(_) => (entry(MenuWord::Undo, "", &who, ""), Choice::Act(call, Action::Undo)),
            Offer::TransferNow(_) => {
                (entry(MenuWord::TransferNow, "", &who, ""), Choice::Act(call, Action::TransferNow))
            }
            Offer::WaitAgain(_) => {
                let to = self.call(call)?.waited_for.as_ref().map(party_name).unwrap_or_default();
                (entry(MenuWord::WaitAgain, "", &who, &to), Choice::Act(call, Action::WaitAgain))
            }
            Offer::Connect { to, ringing, .. } => {
                // In the menu of the one that takes it the other one's name tells more.
                let (word, other) = match (*ringing, named) {
                    (true, _) => (MenuWord::SemiAttendedTo, *to),
                    (false, true) => (MenuWord::AttendedWhoTo, *to),
                    (false, false) if self.calls.selected == Some(*to) => (MenuWord::AttendedTo, call),
                    (false, false) => (MenuWord::AttendedTo, *to),
                };
                let command = Command::AttendedTransfer { call, to: *to };
                (entry(word, "", &who, &self.who(other)), Choice::Send(command))
            }
            Offer::Blind { to, .. } => {
                let word = if is_mobile(contact, to) {
                    pick(MenuWord::TransferWhoMobile, MenuWord::TransferMobile)
                } else {
                    pick(MenuWord::TransferWhoTo, MenuWord::TransferTo)
                };
                let command = Command::BlindTransfer { call, to: to.clone() };
                (entry(word, to, &who, &to_contact), Choice::Send(command))
            }
            Offer::Forward { to, .. } => {
                let word = if is_mobile(contact, to) {
                    pick(MenuWord::ForwardWhoMobile, MenuWord::ForwardMobile)
                } else {
                    pick(MenuWord::ForwardWhoTo, MenuWord::ForwardTo)
                };
                let command = Command::Forward { call, to: to.clone() };
                (entry(word, to, &who, &to_contact), Choice::Send(command))
            }
            Offer::Voicemail { to, .. } => {
                let word = pick(MenuWord::VoicemailWhoTo, MenuWord::VoicemailTo);
                let command = Command::VoicemailTransfer { call, to: to.clone() };
                (entry(word, to, &who, &to_contact), Choice::Send(command))
            }
            Offer::AskTransfer(_) => {
                (entry(MenuWord::Transfer, "", &goes, ""), Choice::Ask(call, PromptKind::Transfer))
            }
            Offer::AskForward(_) => {
                (entry(MenuWord::Forward, "", &goes, ""), Choice::Ask(call, PromptKind::Forward))
            }
            Offer::AskVoicemail(_) => {
                (entry(MenuWord::Voicemail, "", &who, ""), Choice::Ask(call, PromptKind::Voicemail))
            }
            Offer::Park(_) => (entry(MenuWord::Park, "", &goes, ""), Choice::Act(call, Action::Park)),
            Offer::Conference(_) => {
                (entry(MenuWord::Conference, "", &who, ""), Choice::Act(call, Action::Conference))
            }
        })
    }

    /// Picks up what rings on the contact's phone, while something does that the desk can take (PRE-3).
    pub(super) fn intercept_row(&self, contact: &ContactRow) -> Option<Row> {
        let phone = digits(&contact.phone);
        let here = contact.presence && self.connected && !phone.is_empty();
        let mut lamps = self.view.lamps.iter().filter(|_| here);
        let lamp = lamps.find(|lamp| digits(&lamp.number) == phone)?;
        let who = party_name(lamp.rings.as_ref()?);
        let command = Command::Intercept { number: lamp.number.clone() };
        Some((entry(MenuWord::Intercept, "", &who, ""), Choice::Send(command)))
    }

    fn who(&self, call: CallRef) -> SharedString {
        self.call(call).map(|view| party_name(&view.party)).unwrap_or_default()
    }

    pub(super) fn open_menu(&mut self, title: SharedString, rows: Vec<Row>, at: At) {
        if rows.is_empty() {
            return;
        }
        let (entries, choices): (Vec<MenuEntry>, Vec<Choice>) = rows.into_iter().unzip();
        self.overlay.menu = choices;
        self.overlay.menu_call = None;
        self.overlay.menu_page = None;
        let menu = self.app.global::<Menu>();
        menu.set_title(title);
        menu.set_sorts(false);
        menu.set_matched(NumberMatch::None);
        menu.set_past(CallerPast::default());
        menu.set_entries(ModelRc::new(VecModel::from(entries)));
        let place = match at {
            At::Finger(x, y) => Some((x, y)),
            At::Pane => Some(self.pane_corner()),
            At::Contact => Some((self.app.invoke_contact_menu_x(), self.app.invoke_contact_menu_y())),
            At::LogRow => Some((self.app.invoke_log_menu_x(), self.app.invoke_log_menu_y())),
            At::DirectoryButton => {
                Some((self.app.invoke_directory_button_x(), self.app.invoke_directory_button_y()))
            }
            At::LogButton => Some((self.app.invoke_log_button_x(), self.app.invoke_log_button_y())),
            At::Calls | At::Card | At::There => None,
        };
        if !matches!(at, At::There) {
            let keyed = matches!(at, At::Calls | At::Card);
            let over_calls = keyed || place.is_some_and(|(x, _)| x < self.app.get_calls_width());
            menu.set_keyed(keyed);
            // As it is when it opens: a menu does not move away under a finger.
            menu.set_beside(over_calls && self.view.incoming.iter().any(rings));
            let calls = self.app.global::<Calls>();
            calls.set_menu_y(0.);
            if matches!(at, At::Card) {
                calls.set_menu_turn(calls.get_menu_turn().wrapping_add(1));
            }
        }
        if let Some((x, y)) = place {
            menu.set_x(x);
            menu.set_y(y);
        }
        menu.set_cursor(-1);
        menu.set_open(true);
    }
}

/// The call that an offer is about.
fn subject(offer: &Offer) -> CallRef {
    match offer {
        Offer::Undo(call)
        | Offer::TransferNow(call)
        | Offer::WaitAgain(call)
        | Offer::AskTransfer(call)
        | Offer::AskForward(call)
        | Offer::AskVoicemail(call)
        | Offer::Park(call)
        | Offer::Conference(call)
        | Offer::Connect { call, .. }
        | Offer::Blind { call, .. }
        | Offer::Forward { call, .. }
        | Offer::Voicemail { call, .. } => *call,
    }
}

/// Why the caller's number counts as the contact's (CALL-5).
fn number_match(matched: ipc::NumberMatch) -> NumberMatch {
    match matched {
        ipc::NumberMatch::Extension => NumberMatch::Extension,
        ipc::NumberMatch::Identical => NumberMatch::Identical,
        ipc::NumberMatch::International => NumberMatch::International,
        ipc::NumberMatch::National => NumberMatch::National,
        ipc::NumberMatch::TrunkPrefix => NumberMatch::TrunkPrefix,
        ipc::NumberMatch::CountryCode => NumberMatch::CountryCode,
        ipc::NumberMatch::Area => NumberMatch::Area,
        ipc::NumberMatch::OutsidePrefix => NumberMatch::OutsidePrefix,
    }
}

/// A slot that nobody vouches for is offered: the exchange knows better and says so.
fn taken(slot: &ParkSlotView) -> bool {
    slot.parked.is_some() || matches!(slot.state, LampState::Busy | LampState::Ringing)
}

pub(super) fn entry(word: MenuWord, detail: &str, who: &str, to: &str) -> MenuEntry {
    let texts = MenuEntry { detail: detail.into(), who: who.into(), to: to.into(), ..MenuEntry::default() };
    MenuEntry { word, enabled: true, ..texts }
}

/// Whether a number is the contact's mobile and no other of theirs.
fn is_mobile(contact: Option<&ContactRow>, number: &str) -> bool {
    contact.is_some_and(|contact| contact.mobile == number && contact.phone != number)
}
