//! A console under the testing backend, a desk that records what it is asked, and hands.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use frontdesk_ui::link::{Event, News, Outbox};
use frontdesk_ui::screen::App;
use frontdesk_ui::{Console, scenes};
use i_slint_backend_testing::{ElementHandle, TestingBackend, TestingBackendOptions, mock_elapsed_time};
use i_slint_core::input::TouchPhase;
use ipc::{
    Command, CommandError, ContactCard, ContactFile, ContactId, ContactPicture, ContactPlace, LogPage,
    LogQuery, Note, Query, Reminder, ReminderId, Reply, SortKey, Statistics, StatisticsQuery, ToDesk, View,
};
use slint::platform::{InternalEvent, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, LogicalSize, SharedString};

pub(crate) struct Stage {
    pub(crate) console: Console,
    pub(crate) app: App,
    requests: Receiver<ToDesk>,
    commands: RefCell<Vec<Command>>,
    /// Pictures of the screen that were sent, PNG in base64.
    pub(crate) pictures: RefCell<Vec<String>>,
    pub(crate) outbox: Outbox,
    faces: fn(ContactId) -> ContactPicture,
    places: fn(ContactId, SortKey) -> Option<ContactPlace>,
    /// The desk answers no question about contacts.
    silent: bool,
    pictures_asked: Cell<usize>,
    /// Of the last command.
    seq: Cell<u64>,
    cards: RefCell<HashMap<ContactId, Option<ContactCard>>>,
    files: RefCell<Vec<ContactFile>>,
    note: RefCell<Note>,
    reminders: RefCell<Result<Vec<Reminder>, String>>,
    people_asked: RefCell<Vec<(u64, String)>>,
    log_asked: RefCell<Vec<LogQuery>>,
    figures_asked: RefCell<Vec<StatisticsQuery>>,
    figures: Cell<Figures>,
    logged: Cell<Logged>,
}

/// What the desk answers to a question for statistics.
type Figures = fn(&StatisticsQuery) -> Result<Statistics, String>;
/// And to one for the log.
type Logged = fn(&LogQuery) -> LogPage;

impl Stage {
    /// A desk at 1280×800 that shows `view`.
    pub(crate) fn with(view: View) -> Self {
        Self::with_faces(view, |contact| ContactPicture { contact, picture: None })
    }

    /// The same with a directory that has pictures.
    pub(crate) fn with_faces(view: View, faces: fn(ContactId) -> ContactPicture) -> Self {
        Self::made(view, faces, scenes::place, false)
    }

    /// The same with a desk that has its own idea of where contacts stand.
    pub(crate) fn with_places(view: View, places: fn(ContactId, SortKey) -> Option<ContactPlace>) -> Self {
        Self::made(view, |contact| ContactPicture { contact, picture: None }, places, false)
    }

    /// The same with a desk that lets the screen wait for its contacts.
    pub(crate) fn silent(view: View) -> Self {
        Self::made(view, |contact| ContactPicture { contact, picture: None }, scenes::place, true)
    }

    /// The same with a window that can be drawn.
    pub(crate) fn drawn(view: View) -> Self {
        let options = TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        };
        slint::platform::set_platform(Box::new(TestingBackend::new(options))).unwrap();
        Self::put_up(view, |contact| ContactPicture { contact, picture: None }, scenes::place, false)
    }

    fn made(
        view: View,
        faces: fn(ContactId) -> ContactPicture,
        places: fn(ContactId, SortKey) -> Option<ContactPlace>,
        silent: bool,
    ) -> Self {
        i_slint_backend_testing::init_no_event_loop();
        Self::put_up(view, faces, places, silent)
    }

    fn put_up(
        view: View,
        faces: fn(ContactId) -> ContactPicture,
        places: fn(ContactId, SortKey) -> Option<ContactPlace>,
        silent: bool,
    ) -> Self {
        let (outbox, requests) = Outbox::recorded();
        let console = Console::new(outbox.clone()).unwrap();
        let app = console.app();
        app.window().set_size(LogicalSize::new(1280., 800.));
        app.show().unwrap();
        app.window().dispatch_event(WindowEvent::WindowActiveChanged(true));
        let stage = Self {
            console,
            app,
            requests,
            commands: RefCell::default(),
            pictures: RefCell::default(),
            outbox,
            faces,
            places,
            silent,
            pictures_asked: Cell::new(0),
            seq: Cell::new(0),
            cards: RefCell::default(),
            files: RefCell::new(scenes::files()),
            note: RefCell::default(),
            reminders: RefCell::new(Ok(Vec::new())),
            people_asked: RefCell::default(),
            log_asked: RefCell::default(),
            figures_asked: RefCell::default(),
            figures: Cell::new(|query| Ok(scenes::statistics(query))),
            logged: Cell::new(scenes::log_page),
        };
        stage.console.take(News { events: vec![Event::Connected], view: None });
        stage.show(view);
        stage
    }

    pub(crate) fn show(&self, view: View) {
        self.console.take(News { events: Vec::new(), view: Some(Box::new(view)) });
        self.settle();
    }

    pub(crate) fn event(&self, event: Event) {
        self.console.take(News { events: vec![event], view: None });
        self.settle();
    }

    /// Lets layouts and change handlers run, answers questions, remembers commands.
    pub(crate) fn settle(&self) {
        for _ in 0..4 {
            mock_elapsed_time(Duration::from_millis(5));
            // Lists make their rows when somebody looks.
            let _ = ElementHandle::find_by_element_type_name(&self.app, "TileView").count();
            for request in self.requests.try_iter() {
                match request {
                    ToDesk::Command { command, seq } => {
                        self.seq.set(seq);
                        self.commands.borrow_mut().push(command);
                    }
                    ToDesk::Query { seq, query: Query::Contact(contact) } => {
                        let known = self.cards.borrow().get(&contact).cloned();
                        let card = known.unwrap_or_else(|| scenes::card(contact));
                        let reply = Reply::Contact(card.map(Box::new));
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::ContactFiles } => {
                        let reply = Reply::ContactFiles(self.files.borrow().clone());
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { query: Query::Contacts(_), .. } if self.silent => {}
                    ToDesk::Query { seq, query: Query::Contacts(query) } => {
                        let reply = Reply::Contacts(scenes::contacts(&query));
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::Place { contact, sort } } => {
                        let reply = Reply::Place((self.places)(contact, sort));
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::Note } => {
                        let reply = Reply::Note(Box::new(self.note.borrow().clone()));
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::Reminders } => {
                        let reply = match self.reminders.borrow().clone() {
                            Ok(list) => Reply::Reminders(list),
                            Err(reason) => Reply::Failed { reason },
                        };
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::Log(query) } => {
                        let reply = Reply::Log((self.logged.get())(&query));
                        self.log_asked.borrow_mut().push(query);
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::Statistics(query) } => {
                        let told = (self.figures.get())(&query);
                        self.figures_asked.borrow_mut().push(query);
                        let reply = match told {
                            Ok(told) => Reply::Statistics(Box::new(told)),
                            Err(reason) => Reply::Failed { reason },
                        };
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::CallDays { edges_unix_ms } } => {
                        let reply = Reply::CallDays(scenes::call_days(&edges_unix_ms));
                        self.console.take(News { events: vec![Event::Reply { seq, reply }], view: None });
                    }
                    ToDesk::Query { seq, query: Query::Picture(contact) } => {
                        self.pictures_asked.set(self.pictures_asked.get() + 1);
                        let reply = Reply::Picture((self.faces)(contact));
                        self.console.take(News { events: vec![Event::replied(seq, reply)], view: None });
                    }
                    ToDesk::Picture { png } => self.pictures.borrow_mut().push(png),
                    ToDesk::Query { seq, query: Query::People { text } } => {
                        self.people_asked.borrow_mut().push((seq, text));
                    }
                    _ => {}
                }
            }
        }
    }

    /// How often a picture was asked for.
    pub(crate) fn pictures_asked(&self) -> usize {
        self.pictures_asked.get()
    }

    /// The searches of other sources since the last time, which nobody has answered.
    pub(crate) fn people_asked(&self) -> Vec<(u64, String)> {
        self.settle();
        self.people_asked.take()
    }

    /// What was asked of the log since the last time.
    pub(crate) fn log_asked(&self) -> Vec<LogQuery> {
        self.settle();
        self.log_asked.take()
    }

    /// What was asked of the statistics since the last time.
    pub(crate) fn figures_asked(&self) -> Vec<StatisticsQuery> {
        self.settle();
        self.figures_asked.take()
    }

    /// From now on the desk counts like this.
    pub(crate) fn count_by(&self, figures: Figures) {
        self.figures.set(figures);
    }

    /// From now on the desk has this log.
    pub(crate) fn log_by(&self, logged: Logged) {
        self.logged.set(logged);
    }

    /// From now on the desk knows this of a contact.
    pub(crate) fn know(&self, contact: ContactId, card: Option<ContactCard>) {
        self.cards.borrow_mut().insert(contact, card);
    }

    /// From now on the desk has this note.
    pub(crate) fn have_note(&self, note: Note) {
        *self.note.borrow_mut() = note;
    }

    /// From now on the desk has these reminders.
    pub(crate) fn have_reminders(&self, list: Vec<Reminder>) {
        *self.reminders.borrow_mut() = Ok(list);
    }

    /// From now on the desk cannot read its reminders.
    pub(crate) fn refuse_reminders(&self, reason: &str) {
        *self.reminders.borrow_mut() = Err(reason.to_owned());
    }

    /// What the desk has of a reminder.
    pub(crate) fn reminder(&self, id: ReminderId) -> Reminder {
        let list = self.reminders.borrow().clone().unwrap();
        list.into_iter().find(|reminder| reminder.id == id).unwrap()
    }

    /// From now on these files are there.
    pub(crate) fn have_files(&self, files: Vec<ContactFile>) {
        *self.files.borrow_mut() = files;
    }

    /// The number of the last command.
    pub(crate) fn last_command(&self) -> u64 {
        self.settle();
        self.seq.get()
    }

    /// What became of the last command.
    pub(crate) fn answer(&self, result: Result<(), CommandError>) {
        let seq = self.last_command();
        self.event(Event::Done { seq, result });
    }

    /// The commands since the last time.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.settle();
        self.commands.take()
    }

    /// Somebody has a keyboard of their own: none comes on the screen.
    pub(crate) fn has_keys(&self) {
        let board = self.app.global::<frontdesk_ui::screen::Board>();
        board.invoke_toggle();
        board.invoke_toggle();
        self.settle();
        assert!(!board.get_open());
    }

    pub(crate) fn wait(&self, ms: u64) {
        for _ in 0..ms.div_ceil(50) {
            mock_elapsed_time(Duration::from_millis(50));
        }
        self.settle();
    }

    pub(crate) fn find(&self, label: &str) -> ElementHandle {
        let found = ElementHandle::find_by_accessible_label(&self.app, label).next();
        found.unwrap_or_else(|| panic!("nothing on the screen is labelled {label:?}"))
    }

    pub(crate) fn has(&self, label: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.app, label).next().is_some()
    }

    /// A place on the element where no button is.
    pub(crate) fn spot(&self, label: &str) -> LogicalPosition {
        let at = self.find(label).absolute_position();
        LogicalPosition::new(at.x + 130., at.y + 30.)
    }

    pub(crate) fn middle(&self, label: &str) -> LogicalPosition {
        let element = self.find(label);
        let (at, size) = (element.absolute_position(), element.size());
        LogicalPosition::new(at.x + size.width / 2., at.y + size.height / 2.)
    }

    /// The middle of the topmost element of several that are called so.
    pub(crate) fn top(&self, label: &str) -> LogicalPosition {
        let element = ElementHandle::find_by_accessible_label(&self.app, label).last();
        let element = element.unwrap_or_else(|| panic!("nothing on the screen is labelled {label:?}"));
        let (at, size) = (element.absolute_position(), element.size());
        LogicalPosition::new(at.x + size.width / 2., at.y + size.height / 2.)
    }

    pub(crate) fn dispatch(&self, event: WindowEvent) {
        self.app.window().dispatch_event(event);
    }

    pub(crate) fn press(&self, position: LogicalPosition, button: PointerEventButton) {
        self.dispatch(WindowEvent::PointerMoved { position });
        self.dispatch(WindowEvent::PointerPressed { position, button });
    }

    pub(crate) fn release(&self, position: LogicalPosition, button: PointerEventButton) {
        self.dispatch(WindowEvent::PointerReleased { position, button });
        self.settle();
    }

    pub(crate) fn tap(&self, position: LogicalPosition) {
        self.press(position, PointerEventButton::Left);
        mock_elapsed_time(Duration::from_millis(40));
        self.release(position, PointerEventButton::Left);
    }

    pub(crate) fn double_tap(&self, position: LogicalPosition) {
        self.tap(position);
        self.tap(position);
        self.wait(600);
    }

    /// Two taps of a finger, which are not what two clicks of a mouse are to the toolkit.
    pub(crate) fn finger_taps_twice(&self, position: LogicalPosition) {
        for _ in 0..2 {
            self.finger(TouchPhase::Started, position);
            // A list first looks whether the finger flicks it.
            mock_elapsed_time(Duration::from_millis(120));
            self.finger(TouchPhase::Ended, position);
            self.settle();
        }
        self.wait(600);
    }

    pub(crate) fn right_click(&self, position: LogicalPosition) {
        self.press(position, PointerEventButton::Right);
        self.release(position, PointerEventButton::Right);
    }

    pub(crate) fn finger(&self, phase: TouchPhase, position: LogicalPosition) {
        let position = i_slint_core::lengths::logical_point_from_api(position);
        self.dispatch(WindowEvent::internal(InternalEvent::Touch { id: 0, position, phase }));
    }

    pub(crate) fn mouse_drag(&self, from: LogicalPosition, to: LogicalPosition) {
        self.press(from, PointerEventButton::Left);
        for position in steps(from, to) {
            mock_elapsed_time(Duration::from_millis(16));
            self.dispatch(WindowEvent::PointerMoved { position });
        }
    }

    pub(crate) fn finger_drag(&self, hold_ms: u64, from: LogicalPosition, to: LogicalPosition) {
        self.finger(TouchPhase::Started, from);
        for _ in 0..hold_ms / 50 {
            mock_elapsed_time(Duration::from_millis(50));
        }
        for position in steps(from, to) {
            mock_elapsed_time(Duration::from_millis(16));
            self.finger(TouchPhase::Moved, position);
        }
        self.finger(TouchPhase::Ended, to);
        self.settle();
    }

    pub(crate) fn key(&self, text: impl Into<SharedString>) {
        let text = text.into();
        self.dispatch(WindowEvent::KeyPressed { text: text.clone() });
        self.dispatch(WindowEvent::KeyReleased { text });
        self.settle();
    }

    /// A key that is held down goes on, so often.
    pub(crate) fn held(&self, text: impl Into<SharedString>, times: usize) {
        let text = text.into();
        for _ in 0..times {
            self.dispatch(WindowEvent::KeyPressRepeated { text: text.clone() });
            self.settle();
        }
    }

    /// Keys so fast that the desk has not answered before the last one.
    pub(crate) fn fast(&self, keys: &[SharedString]) {
        for text in keys {
            self.dispatch(WindowEvent::KeyPressed { text: text.clone() });
            self.dispatch(WindowEvent::KeyReleased { text: text.clone() });
        }
    }

    /// A key together with Control.
    pub(crate) fn control(&self, text: &str) {
        let control = SharedString::from(slint::platform::Key::Control);
        self.dispatch(WindowEvent::KeyPressed { text: control.clone() });
        self.key(text);
        self.dispatch(WindowEvent::KeyReleased { text: control });
        self.settle();
    }

    pub(crate) fn write(&self, text: &str) {
        for letter in text.chars() {
            self.key(slint::format!("{letter}"));
        }
    }
}

fn steps(from: LogicalPosition, to: LogicalPosition) -> impl Iterator<Item = LogicalPosition> {
    (1..=40_u8).map(move |step| {
        let part = f32::from(step) / 40.;
        LogicalPosition::new(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part)
    })
}
