//! Customers (CRM-3): the panel of the call in the ear, a card with all that is known, and notes and tasks.
//!
//! The panel keeps its place from the answer to the end of a call, whatever the customer databases say and when: an
//! answer that comes late changes words, and moves nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use ipc::{CallRef, CallView, Command, CommandError, CustomerItem, CustomerRef, Party};
use slint::{ComponentHandle, ModelRc, SharedString, VecModel};

use super::Desk;
use super::menu::{Choice, Row, entry};
use crate::keys::ConsoleKey;
use crate::models::{cards, customer};
use crate::screen::{Customer, CustomerCard, CustomerLine, FocusPlace, Item, ItemFault, ItemStep, MenuWord};

/// Notes that were begun and are not in a customer database yet; the oldest give way.
const DRAFTS: usize = 16;

/// State of the customers that is the screen's own.
#[derive(Default)]
pub(crate) struct Customers {
    /// The call whose card is open, whole.
    whole: Option<CallRef>,
    /// What is on the panel, so that it is drawn anew only when it changes.
    shown: Option<(CustomerCard, Vec<CustomerLine>)>,
    /// The note that is written.
    item: Option<Writing>,
    drafts: Vec<Writing>,
    count: u64,
}

/// Whom a note is about.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) party: Party,
    pub(super) subject: Option<CustomerRef>,
}

struct Writing {
    /// The same when it is sent again: it is made once.
    id: String,
    about: About,
    task: bool,
    text: String,
    seq: Option<u64>,
    /// Its page.
    url: Option<String>,
}

impl About {
    pub(super) fn of(call: &CallView) -> Self {
        let record = |card: &std::sync::Arc<ipc::CustomerView>| CustomerRef {
            plugin: card.plugin.clone(),
            id: card.id.clone(),
        };
        Self { party: call.party.clone(), subject: call.customer.as_ref().map(record) }
    }
}

// The panel and the card.
impl Desk {
    /// Shows who is in the ear. Not while a finger is on the calls or the panel.
    pub(crate) fn show_customer(&mut self) {
        let global = self.app.global::<Customer>();
        let crm = self.view.crm;
        // A colleague is no customer, unless a customer database says so.
        let is_told =
            |call: &&CallView| call.party.number.is_some() && (!call.party.local || call.customer.is_some());
        let talks = self.view.talk.and_then(|call| self.call(call)).filter(is_told);
        let shown = talks.filter(|_| crm.customers || crm.items);
        global.set_can_write(crm.items && self.connected);
        let wanted = shown.map(|call| (customer::card(call), customer::first_lines(call)));
        if wanted == self.customers.shown {
            return;
        }
        if let Some((card, lines)) = wanted.clone() {
            global.set_card(card);
            global.set_lines(ModelRc::new(VecModel::from(lines)));
        }
        global.set_shown(wanted.is_some());
        self.customers.shown = wanted;
    }

    /// A card with all that is known, over the directory.
    pub(crate) fn open_customer(&mut self, call: CallRef) {
        if self.call(call).is_some_and(|view| view.customer.is_some()) {
            self.customers.whole = Some(call);
            self.show_whole_customer();
        }
    }

    pub(crate) fn close_customer(&mut self) {
        self.customers.whole = None;
        self.app.global::<Customer>().set_open(false);
    }

    /// The open card follows the desk; with its call it goes.
    pub(crate) fn show_whole_customer(&mut self) {
        let Some(call) = self.customers.whole else { return };
        let found = self.call(call).and_then(|view| Some((customer::card(view), view.customer.clone()?)));
        let Some((card, known)) = found else { return self.close_customer() };
        let global = self.app.global::<Customer>();
        if !global.get_open() || global.get_whole() != card {
            global.set_whole(card);
            global.set_whole_lines(ModelRc::new(VecModel::from(customer::lines(&known))));
            global.set_open(true);
        }
    }

    /// A button of the panel or of the card: the page.
    pub(crate) fn open_customer_page(&mut self, id: &str) {
        if let Some(call) = cards::call(id) {
            self.close_customer();
            self.open_crm(call);
        }
    }

    /// A button of the panel or of the card: a note or a task.
    pub(crate) fn write_about_call(&mut self, id: &str, task: bool) {
        let about = cards::call(id).and_then(|call| self.call(call)).map(About::of);
        if let Some(about) = about {
            self.close_customer();
            self.write_item(about, task);
        }
    }

    /// Rows of a call's menu.
    pub(super) fn customer_rows(&self, call: &CallView) -> Vec<Row> {
        let mut rows = Vec::new();
        if call.customer.is_some() {
            rows.push((entry(MenuWord::Customer, "", "", ""), Choice::Customer(call.call)));
        }
        if call.crm.is_some() {
            rows.push((entry(MenuWord::Crm, "", "", ""), Choice::Crm(call.call)));
        }
        rows.extend(self.item_rows(&About::of(call)));
        rows
    }

    /// A note and a task about somebody, where they are taken.
    pub(super) fn item_rows(&self, about: &About) -> Vec<Row> {
        if !self.view.crm.items || !self.connected || about.party.number.is_none() {
            return Vec::new();
        }
        let row = |word, task| (entry(word, "", "", ""), Choice::Write(Box::new(about.clone()), task));
        vec![row(MenuWord::Note, false), row(MenuWord::Task, true)]
    }
}

// Notes and tasks.
impl Desk {
    /// Begins a note or a task, or goes on with what was begun about this number.
    pub(super) fn write_item(&mut self, about: About, task: bool) {
        self.set_aside_item();
        let same = |draft: &Writing| draft.about.party.number == about.party.number;
        let draft = self.customers.drafts.iter().position(same).map(|at| self.customers.drafts.remove(at));
        let item = match draft {
            Some(draft) => Writing { about, task, ..draft },
            None => Writing { id: self.item_id(), about, task, text: String::new(), seq: None, url: None },
        };
        let global = self.app.global::<Item>();
        global.set_who(customer::who(&item.about.party));
        global.set_task(item.task);
        global.set_text(item.text.as_str().into());
        global.set_has_page(false);
        // What was on its way when it was closed may be there: it is sent again under the same identity.
        self.customers.item = Some(Writing { seq: None, ..item });
        self.show_item(ItemStep::Writing, ItemFault::None, "");
        self.app.global::<Item>().set_open(true);
    }

    pub(crate) fn item_is_open(&self) -> bool {
        self.customers.item.is_some()
    }

    pub(crate) fn set_item_task(&mut self, task: bool) {
        if let Some(item) = self.customers.item.as_mut().filter(|item| item.seq.is_none()) {
            item.task = task;
            self.app.global::<Item>().set_task(task);
        }
    }

    /// A letter more or less: what was wrong may be right now.
    pub(crate) fn item_edited(&mut self) {
        self.show_item(ItemStep::Writing, ItemFault::None, "");
    }

    /// Sends it.
    pub(crate) fn accept_item(&mut self) {
        let text = self.app.global::<Item>().get_text().to_string();
        let Some(item) = self.customers.item.as_mut().filter(|item| item.seq.is_none()) else { return };
        if self.app.global::<Item>().get_step() == ItemStep::Done {
            return self.close_item();
        }
        if text.trim().is_empty() {
            return self.show_item(ItemStep::Failed, ItemFault::Empty, "");
        }
        let wish = CustomerItem {
            id: item.id.clone(),
            task: item.task,
            text,
            number: item.about.party.number.clone(),
            name: item.about.party.name.clone(),
            subject: item.about.subject.clone(),
        };
        let seq = self.outbox.command(Command::AddItem(Box::new(wish))).ok();
        item.seq = seq;
        match seq {
            Some(_) => self.show_item(ItemStep::Sending, ItemFault::None, ""),
            None => self.show_item(ItemStep::Failed, ItemFault::Away, ""),
        }
    }

    /// Its page, told before it is said to be done.
    pub(crate) fn item_added(&mut self, seq: u64, url: Option<String>) {
        if let Some(item) = self.customers.item.as_mut().filter(|item| item.seq == Some(seq)) {
            item.url = url;
        }
    }

    /// Whether the customer database took it. `false` when the answer was to something else.
    pub(crate) fn item_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        let ours = |item: &&mut Writing| item.seq == Some(seq);
        if let Some(item) = self.customers.item.as_mut().filter(ours) {
            item.seq = None;
            match result {
                Ok(()) => {
                    // What is written from here on is another one.
                    item.text.clear();
                    let has_page = item.url.is_some();
                    let global = self.app.global::<Item>();
                    global.set_text(SharedString::default());
                    global.set_has_page(has_page);
                    self.show_item(ItemStep::Done, ItemFault::None, "");
                    self.focus(FocusPlace::Nowhere);
                }
                Err(error) => {
                    let (fault, words) = customer::fault(error);
                    self.show_item(ItemStep::Failed, fault, &words);
                }
            }
            return true;
        }
        // Closed while it was on its way: what is there is no draft any more.
        let at = self.customers.drafts.iter().position(|draft| draft.seq == Some(seq));
        if let Some(at) = at {
            match result {
                Ok(()) => drop(self.customers.drafts.remove(at)),
                Err(_) => self.customers.drafts[at].seq = None,
            }
        }
        at.is_some()
    }

    pub(crate) fn open_item_page(&mut self) {
        let page = self
            .customers
            .item
            .as_ref()
            .and_then(|item| Some((customer::who(&item.about.party), item.url.clone()?)));
        self.close_item();
        if let Some((who, url)) = page {
            self.open_web(who, &url);
        }
    }

    pub(crate) fn close_item(&mut self) {
        if self.item_is_open() {
            self.set_aside_item();
            self.app.global::<Item>().set_open(false);
            self.focus(FocusPlace::Nowhere);
        }
    }

    /// What is not in a customer database is kept for its number.
    fn set_aside_item(&mut self) {
        let global = self.app.global::<Item>();
        let Some(mut item) = self.customers.item.take() else { return };
        item.text = global.get_text().into();
        if global.get_step() == ItemStep::Done || item.text.trim().is_empty() {
            return;
        }
        if self.customers.drafts.len() == DRAFTS {
            self.customers.drafts.remove(0);
        }
        self.customers.drafts.push(item);
    }

    /// A key while a card or a note is open; `None`: it is for the desk.
    pub(crate) fn customer_key(&mut self, key: ConsoleKey) -> Option<bool> {
        if self.item_is_open() {
            return match key {
                ConsoleKey::Escape => {
                    self.close_item();
                    Some(true)
                }
                ConsoleKey::Enter if self.app.global::<Item>().get_step() == ItemStep::Done => {
                    self.close_item();
                    Some(true)
                }
                // The text wants them.
                ConsoleKey::Enter
                | ConsoleKey::Up
                | ConsoleKey::Down
                | ConsoleKey::Left
                | ConsoleKey::Right
                | ConsoleKey::PageUp
                | ConsoleKey::PageDown
                | ConsoleKey::Home
                | ConsoleKey::End => Some(false),
                ConsoleKey::Search | ConsoleKey::Find | ConsoleKey::Switch | ConsoleKey::Number => {
                    self.close_item();
                    None
                }
                _ => None,
            };
        }
        let call = self.customers.whole?;
        match key {
            ConsoleKey::Escape => self.close_customer(),
            ConsoleKey::Enter => self.open_customer_page(&cards::id(call)),
            _ => return None,
        }
        Some(true)
    }

    fn show_item(&self, step: ItemStep, fault: ItemFault, reason: &str) {
        let global = self.app.global::<Item>();
        global.set_step(step);
        global.set_fault(fault);
        global.set_reason(reason.into());
    }

    /// Unlike any other of this or another screen.
    fn item_id(&mut self) -> String {
        self.customers.count += 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("item-{:x}-{:x}-{}", now.as_micros(), std::process::id(), self.customers.count)
    }
}
