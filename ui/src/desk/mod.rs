//! The desk on the screen: what is selected, what is open, and how a view becomes rows.
//!
//! [`Console`] is the whole of it for `main` and the tests. Its parts, a file each:
//! `aloud` (the talking desk), `calls` (cards, selection, ledger), `directory` (tabs, search, tiles), `log` with `log_menu` and `log_details`, `statistics`, `calendar` (for both), `note`, `reminders` and `reminder_editor`, `board` (the keyboard on the screen), `menu`, `prompt` (the
//! transfer question), `contact_menu`, `editor` and `editor_view` (contacts), `finder` and `elsewhere` (the search over all directories), `alerts`, `files` (import and
//! export), `mail`, `customer`, `drag`, `take_over` (the question before a call is taken over), `page` (the browser tab), `panes` (table view, dividers), `overlay` (keypad, and what closes them all), `input` (keys), `leaving` (the question whether to leave unsaved), `status`
//! (header and status bar), `settings`, `sign_in` (who sits here, and the locked screen), `sound` (meters and tests in the settings), `watch` (who sees the screen), `wiring` (callbacks). None of them keeps a fact about a call: after every view all is shown anew, and
//! only the rows that differ are touched.

mod alerts;
mod aloud;
mod board;
mod calendar;
mod calls;
mod contact_menu;
mod customer;
mod directory;
mod directory_forms;
mod directory_menu;
mod drag;
mod editor;
mod editor_view;
mod elsewhere;
mod files;
mod finder;
mod input;
mod leaving;
mod links;
mod log;
mod log_details;
mod log_menu;
mod mail;
mod mark;
mod menu;
mod note;
mod overlay;
mod page;
mod panes;
mod phone_card;
mod privacy;
mod prompt;
mod reminder_editor;
mod reminders;
mod settings;
mod sign_in;
mod sound;
mod statistics;
mod status;
mod take_over;
mod watch;
mod wiring;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ipc::{CallRef, CallView, Command, CommandError, ContactId, View};
use slint::{ComponentHandle, Model, ModelRc, Timer, TimerMode, VecModel};

use crate::clock::DeskClock;
use crate::faces::Faces;
use crate::keys::KeyMap;
use crate::link::{Event, Link, News, Outbox};
use crate::models::contacts::ContactList;
use crate::models::ledger::{self, LocalNotice};
use crate::screen::{App, CallCard, CallClock, LedgerEntry};

/// How often running times are looked at; only texts that differ are set.
const TICK: Duration = Duration::from_millis(250);
/// How long a refused command stays to be read.
const NOTICE_MS: u64 = 8_000;
/// How long the place of a written file stays to be read.
const EXPORTED_MS: u64 = 120_000;
/// Local notices kept.
const NOTICES: usize = 4;

/// The screen with everything behind it. It lives on the thread of the event loop.
pub struct Console {
    desk: Rc<RefCell<Desk>>,
    /// Running times.
    _tick: Timer,
    link: RefCell<Option<Rc<Link>>>,
}

/// Told of the desk's time zone.
type ZoneHeard = Box<dyn Fn(&str)>;

pub(crate) struct Desk {
    app: App,
    outbox: Outbox,
    view: View,
    clock: DeskClock,
    /// Hears in which time zone the desk lives.
    zone_heard: Option<ZoneHeard>,
    connected: bool,
    faces: Rc<Faces>,
    calls: calls::Calls,
    directory: directory::Directory,
    finder: finder::Finder,
    log: log::Log,
    statistics: statistics::Statistics,
    calendar: calendar::Calendar,
    /// The question where a contact is that shall be shown.
    showing: Option<u64>,
    note: note::Note,
    settings: settings::Settings,
    board: board::Board,
    reminders: reminders::Reminders,
    /// The reminder being written.
    reminder_editor: Option<reminder_editor::Editing>,
    overlay: overlay::Overlay,
    status: status::Status,
    panes: panes::Panes,
    editor: editor::Editor,
    alerts: alerts::Alerts,
    files: files::Files,
    mail: mail::Mail,
    tab: page::Tab,
    customers: customer::Customers,
    watch: watch::Watch,
    sound: sound::Sound,
    sign_in: sign_in::SignIn,
    aloud: aloud::Aloud,
    area: Area,
    /// As they are used: the usual ones with the operator's changes.
    keys: KeyMap,
    usual_keys: KeyMap,
    /// The program that opens web and e-mail addresses.
    opener: Option<PathBuf>,
    local_notices: Vec<LocalNotice>,
    ledger: Rc<VecModel<LedgerEntry>>,
    /// What was typed into the dial bar, until the desk has taken it.
    dialled: HashMap<u64, String>,
    /// Marks of calls on their way to the desk.
    marking: HashSet<u64>,
    notice_count: u64,
}

/// Where the arrows move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    Calls,
    Directory,
}

impl Console {
    /// Makes the window and wires it. Requests go to `outbox`.
    ///
    /// # Errors
    /// When no window can be made.
    pub fn new(outbox: Outbox) -> Result<Self, slint::PlatformError> {
        let app = App::new()?;
        let desk = Rc::new(RefCell::new(Desk::new(&app, outbox)));
        wiring::wire(&app, &desk);
        let tick = Timer::default();
        let weak = Rc::downgrade(&desk);
        tick.start(TimerMode::Repeated, TICK, move || {
            if let Some(desk) = weak.upgrade() {
                let mut desk = desk.borrow_mut();
                desk.run_sign_in();
                desk.tick(Instant::now());
            }
        });
        desk.borrow_mut().fit_columns(app.get_fitting_columns());
        desk.borrow_mut().fit_alerts(app.get_fitting_alerts());
        desk.borrow_mut().fit_reminders(app.get_fitting_reminders());
        desk.borrow_mut().show_connection();
        desk.borrow().show_key_hints();
        desk.borrow_mut().tick(Instant::now());
        Ok(Self { desk, _tick: tick, link: RefCell::default() })
    }

    /// The window.
    #[must_use]
    pub fn app(&self) -> App {
        self.desk.borrow().app.clone_strong()
    }

    /// Takes news from `link` each time its doorbell rings; see [`doorbell`].
    pub fn follow(&self, link: Link) {
        let link = Rc::new(link);
        let weak = Rc::downgrade(&self.desk);
        let from = Rc::downgrade(&link);
        self.app().global::<crate::screen::Desk>().on_wake(move || {
            if let (Some(desk), Some(link)) = (weak.upgrade(), from.upgrade()) {
                desk.borrow_mut().take(link.take());
            }
        });
        // Whatever came before anybody listened.
        self.desk.borrow_mut().take(link.take());
        *self.link.borrow_mut() = Some(link);
    }

    /// Other usual keys than those of [`KeyMap::default`]; the operator's changes go before them.
    pub fn use_keys(&self, keys: KeyMap) {
        self.desk.borrow_mut().set_usual_keys(keys);
    }

    /// Opens web and e-mail addresses with this program, which gets the address as its only argument.
    pub fn open_with(&self, program: PathBuf) {
        self.desk.borrow_mut().open_with(Some(program));
    }

    /// Shows pages in a tab, by this browser with this folder for its profile (CRM-2).
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn browse_with(&self, program: PathBuf, profile: PathBuf) -> std::io::Result<()> {
        self.desk.borrow_mut().browse_with(program, profile)
    }

    /// Shows the arrangement of the panes that is kept in `folder`, and keeps it there from now on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn keep_panes(&self, folder: &std::path::Path) -> std::io::Result<()> {
        let (keeper, arrangement) = crate::panes::Keeper::open(folder)?;
        self.desk.borrow_mut().keep_panes(keeper, arrangement);
        Ok(())
    }

    /// Shows a contact in its directory, as from a hit of the search over all of them.
    pub fn go_to(&self, contact: &ipc::ContactRow) {
        self.desk.borrow_mut().go_to(contact);
    }

    /// Tells in which time zone the desk lives, with its first view and when it is another one; empty is that of its machine.
    pub fn hear_time_zone(&self, hear: impl Fn(&str) + 'static) {
        self.desk.borrow_mut().zone_heard = Some(Box::new(hear));
    }

    /// Takes events and a view as if they had come from the desk.
    pub fn take(&self, news: News) {
        self.desk.borrow_mut().take(news);
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

/// The doorbell for [`Link::start`]: wakes the event loop of this window.
pub fn doorbell(app: &App) -> impl Fn() + Send + Sync + 'static {
    let app = app.as_weak();
    move || {
        let rung = app.upgrade_in_event_loop(|app| app.global::<crate::screen::Desk>().invoke_wake());
        if let Err(error) = rung {
            tracing::debug!("nobody is at the screen: {error}");
        }
    }
}

impl Desk {
    fn new(app: &App, outbox: Outbox) -> Self {
        let ledger = Rc::new(VecModel::default());
        app.global::<crate::screen::Calls>().set_ledger(ModelRc::from(ledger.clone()));
        let faces = Faces::new(outbox.clone());
        faces.measure(app);
        let contacts = ContactList::new(outbox.clone(), faces.clone());
        let everybody = ContactList::new(outbox.clone(), faces.clone());
        Self {
            app: app.clone_strong(),
            view: View::default(),
            clock: DeskClock::new(0, Instant::now()),
            zone_heard: None,
            connected: false,
            faces,
            calls: calls::Calls::new(app),
            directory: directory::Directory::new(app, contacts),
            finder: finder::Finder::new(app, everybody),
            log: log::Log::new(app),
            statistics: statistics::Statistics::new(app),
            calendar: calendar::Calendar::new(app),
            showing: None,
            note: note::Note::default(),
            settings: settings::Settings::new(app),
            board: board::Board::default(),
            reminders: reminders::Reminders::new(app),
            reminder_editor: None,
            overlay: overlay::Overlay::default(),
            status: status::Status::new(app),
            panes: panes::Panes::default(),
            editor: editor::Editor::new(app),
            alerts: alerts::Alerts::new(app),
            files: files::Files::new(app),
            mail: mail::Mail::default(),
            tab: page::Tab::default(),
            customers: customer::Customers::default(),
            watch: watch::Watch::default(),
            sound: sound::Sound::new(app),
            sign_in: sign_in::SignIn::default(),
            aloud: aloud::Aloud::default(),
            area: Area::Calls,
            keys: KeyMap::default(),
            usual_keys: KeyMap::default(),
            opener: None,
            local_notices: Vec::new(),
            ledger,
            dialled: HashMap::new(),
            marking: HashSet::new(),
            notice_count: 0,
            outbox,
        }
    }

    fn take(&mut self, news: News) {
        for event in news.events {
            match event {
                Event::Connected => self.set_connected(true),
                Event::Disconnected => self.set_connected(false),
                Event::Done { seq, result } => self.done(seq, result),
                Event::Reply { seq, reply } => self.reply(seq, reply),
                Event::Sound(sound) => self.show_sound(sound),
                Event::Face { seq, face } => {
                    if let Some(contact) = self.faces.arrived(seq, face) {
                        self.face_arrived(contact);
                    }
                }
            }
        }
        if let Some(view) = news.view {
            self.apply(*view, Instant::now());
        }
    }

    /// Shows a view, whole.
    fn apply(&mut self, view: View, now: Instant) {
        let before = std::mem::replace(&mut self.view, view);
        self.clock = DeskClock::new(self.view.now_ms, now);
        if before.generation == 0 || self.view.time_zone != before.time_zone {
            self.zone_heard.iter().for_each(|hear| hear(&self.view.time_zone));
        }
        let opened = self.sign_in_changed(&before);
        if opened || (before.generation == 0 && self.connected && !self.is_closed()) {
            self.ask_everything();
        }
        self.look_at_faces(&before);
        self.preferences_changed(&before);
        self.show_status();
        self.calls_changed(&before);
        self.show_ledger();
        self.directories_changed();
        self.show_lamps();
        self.overlay_changed();
        self.log_changed(&before);
        self.mail_changed();
        self.show_alerts();
        self.reminders_changed(&before);
        self.show_import();
        self.editor_changed(&before);
        self.pages_of_calls(&before);
        self.show_watch();
        self.tick(now);
        self.say_changes(&before);
    }

    /// Faces may be others when a directory has changed, and larger on another monitor.
    fn look_at_faces(&mut self, before: &View) {
        let state =
            |view: &View| -> Vec<_> { view.directories.iter().map(|d| (d.id, d.generation)).collect() };
        self.faces.measure(&self.app);
        if state(&self.view) != state(before) {
            self.faces.again();
            self.directory.contacts.faces_changed();
            self.finder.contacts.faces_changed();
            self.mail_again();
        }
    }

    /// A face is here: whatever shows its contact shows it.
    fn face_arrived(&mut self, contact: ContactId) {
        self.directory.contacts.face_arrived(contact);
        self.finder.contacts.face_arrived(contact);
        let shown = |call: &CallView| call.party.contact == Some(contact);
        if self.view.incoming.iter().chain(&self.view.outgoing).any(shown) {
            self.show_calls();
            self.show_talk();
        }
    }

    /// What runs with the clock.
    fn tick(&mut self, now: Instant) {
        let now_ms = self.clock.at(now);
        self.run_call_clocks(now_ms);
        self.run_header_clock(now_ms);
        self.run_alert_clocks(now_ms);
        self.run_log(now);
        self.run_reminders();
        self.run_meters(now);
        self.say_alarms();
        self.bring_page();
        let count = self.local_notices.len();
        self.local_notices.retain(|notice| notice.until_ms > now_ms);
        if self.local_notices.len() != count {
            self.show_ledger();
        }
    }

    fn set_connected(&mut self, connected: bool) {
        self.connected = connected;
        self.dialled.clear();
        self.directory.call_first.stop();
        self.marking.clear();
        self.show_connection();
        self.show_calls();
        self.show_lamps();
        self.show_status();
        self.release_alerts();
        self.show_watch();
        self.listen_to_sound();
        self.sign_in_connection();
        if connected {
            // Before the first view it is not known whether the desk answers.
            if self.view.generation > 0 && !self.is_closed() {
                self.ask_everything();
            }
            self.show_note();
            self.show_settings();
            self.say_connected();
        } else {
            self.close_overlays();
            self.files_disconnected();
            self.editor_disconnected();
            self.note_disconnected();
            self.settings_disconnected();
            self.reminders_disconnected();
        }
    }

    /// Asks for what no view has: at the start, after the connection was gone, and when somebody has signed in.
    fn ask_everything(&mut self) {
        self.faces.again();
        self.directory.contacts.again();
        self.mail_again();
        self.ask_editor_again();
        self.ask_log();
        self.statistics_again();
        self.ask_note();
        self.ask_reminders();
    }

    fn show_connection(&mut self) {
        self.app.global::<crate::screen::Desk>().set_connected(self.connected);
    }

    /// Sends a wish; says so when the desk is away.
    fn send(&mut self, command: Command) -> Option<u64> {
        match self.outbox.command(command) {
            Ok(seq) => Some(seq),
            Err(_) => {
                self.notice(None);
                None
            }
        }
    }

    fn done(&mut self, seq: u64, result: Result<(), CommandError>) {
        if result.is_err() {
            self.forget_called(seq);
        }
        if self.say_done(seq, &result)
            || self.sign_in_done(seq, &result)
            || self.editor_done(seq, &result)
            || self.files_done(seq, &result)
            || self.item_done(seq, &result)
            || self.note_done(seq, &result)
            || self.settings_done(seq, &result)
            || self.reminder_done(seq, &result)
        {
            return;
        }
        if self.mark_done(seq, &result) {
            return;
        }
        self.prompt_done(seq, &result);
        let dialled = self.dialled.remove(&seq);
        if self.test_done(seq) {
            return;
        }
        if self.form_done(seq, &result) {
            return;
        }
        if let Err(error) = result {
            self.forget_look();
            if let Some(text) = dialled {
                self.give_back_number(&text);
            }
            self.notice(Some(&error));
        }
    }

    fn reply(&mut self, seq: u64, reply: ipc::Reply) {
        if self.files_arrived(seq, &reply)
            || self.note_arrived(seq, &reply)
            || self.statistics_arrived(seq, &reply)
            || self.reminders_arrived(seq, &reply)
        {
            return;
        }
        match reply {
            ipc::Reply::Contact(card) => {
                let card = card.as_deref();
                if !self.mail_arrived(seq, card) && !self.shown_contact_arrived(seq, card) {
                    self.editor_arrived(seq, card);
                }
            }
            ipc::Reply::Failed { reason } if self.editor_failed(seq, &reason) => {}
            ipc::Reply::Contacts(page) => {
                if self.suggestions_arrived(seq, &page) {
                } else if self.finder.contacts.has_asked(seq) {
                    self.hits_arrived(seq, page);
                } else {
                    self.contacts_arrived(seq, page);
                }
            }
            ipc::Reply::People(people) => self.people_arrived(seq, people),
            ipc::Reply::Failed { reason } if self.people_failed(seq, &reason) => {}
            ipc::Reply::Place(place) => self.place_arrived(seq, place),
            ipc::Reply::Edited { directory: Some(directory), .. } => self.directory_added(seq, directory),
            ipc::Reply::ItemAdded { url } => self.item_added(seq, url),
            ipc::Reply::Log(page) => self.log_arrived(seq, &page),
            ipc::Reply::CallDays(days) if self.days_arrived(seq, &days) => {}
            ipc::Reply::Failed { .. } if self.days_failed(seq) => {}
            ipc::Reply::Failed { reason } if self.faces.failed(seq) => {
                tracing::warn!("a picture could not be had: {reason}");
            }
            // It is asked again once somebody has typed their PIN.
            ipc::Reply::Failed { .. } if self.is_closed() => {}
            ipc::Reply::Failed { reason } => {
                tracing::warn!("the desk could not answer: {reason}");
                self.notice(Some(&CommandError::Failed { reason }));
            }
            // Not asked for by a screen.
            _ => {}
        }
    }

    /// Tells the operator that a wish was not begun.
    fn notice(&mut self, error: Option<&CommandError>) {
        self.add_notice(|id| ledger::refused(id, error));
    }

    fn add_notice(&mut self, entry: impl FnOnce(u64) -> LedgerEntry) {
        self.notice_for(NOTICE_MS, entry);
    }

    /// Tells the operator where a directory was written.
    fn notice_exported(&mut self, path: &std::path::Path, contacts: u32) {
        let french = self.view.preferences.language == ipc::Language::French;
        self.notice_for(EXPORTED_MS, |id| ledger::exported(id, path, contacts, french));
    }

    fn notice_for(&mut self, ms: u64, entry: impl FnOnce(u64) -> LedgerEntry) {
        self.notice_count += 1;
        let id = self.notice_count;
        let since_ms = self.clock.at(Instant::now());
        let until_ms = since_ms.saturating_add(ms);
        self.local_notices.push(LocalNotice { id, since_ms, until_ms, entry: entry(id) });
        if self.local_notices.len() > NOTICES {
            self.local_notices.remove(0);
        }
        self.show_ledger();
    }

    fn show_ledger(&mut self) {
        let entries = ledger::entries(&self.view, &self.local_notices);
        crate::models::rows::sync(&self.ledger, &entries, |entry| entry.id.clone());
        let in_sight = i32::try_from(ledger::in_sight(&entries)).unwrap_or(i32::MAX);
        self.app.global::<crate::screen::Calls>().set_ledger_in_sight(in_sight);
    }

    fn call(&self, call: CallRef) -> Option<&CallView> {
        self.view.incoming.iter().chain(&self.view.outgoing).find(|view| view.call == call)
    }

    /// All calls in the order of the screen.
    fn call_order(&self) -> Vec<CallRef> {
        self.view.incoming.iter().chain(&self.view.outgoing).map(|view| view.call).collect()
    }
}

/// Sets a running time only when its text has changed.
fn set_clocks(model: &VecModel<CallClock>, cards: &VecModel<CallCard>, clocks: &HashMap<CallRef, CallClock>) {
    let wanted: Vec<CallClock> = cards
        .iter()
        .map(|card| {
            crate::models::cards::call(&card.id).and_then(|id| clocks.get(&id).cloned()).unwrap_or_default()
        })
        .collect();
    crate::models::rows::replace(model, &wanted);
}
