//! The stage: a console that is drawn into memory, a desk that answers it, and hands.

use std::rc::Rc;
use std::sync::mpsc::Receiver;

use frontdesk_ui::link::{Event, News, Outbox};
use frontdesk_ui::web::{Input, Offscreen, Pointer, PointerKind};
use frontdesk_ui::{Console, pseudo, scenes, screen, web};
use ipc::{Command, ContactPicture, Language, Query, Reply, TextSize, Theme, ToDesk};
use slint::platform::WindowEvent;
use slint::{ComponentHandle, PhysicalSize};

use crate::table::{NOTES, REMINDERS, SETTINGS, Scene};

/// What a screen speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tongue {
    English,
    French,
    /// Longer than any, with no ASCII letter in what was translated.
    Pseudo,
}

/// Size, colours and language that a screen is looked at in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) size: PhysicalSize,
    pub(crate) theme: Theme,
    pub(crate) tongue: Tongue,
    pub(crate) text: TextSize,
}

/// What a desk answers to a request, if it does; whether its directory has pictures.
pub(crate) type Answer = Box<dyn Fn(ToDesk, bool) -> Option<Event>>;

pub(crate) struct Stage {
    pub(crate) screen: Rc<Offscreen>,
    pub(crate) console: Console,
    requests: Receiver<ToDesk>,
    answer: Answer,
    /// The directory has pictures.
    faces: bool,
}

impl Stage {
    /// A console that shows a scene, and what a hand does to it; drawn, and with nothing left to do.
    pub(crate) fn put_up(
        screen: &Rc<Offscreen>,
        scene: &Scene,
        look: Look,
        answer: Answer,
    ) -> anyhow::Result<Self> {
        let (outbox, requests) = Outbox::recorded();
        let console = Console::new(outbox)?;
        // Whatever size of texts the last picture had.
        screen.dispatch(WindowEvent::ScaleFactorChanged { scale_factor: 1.0 })?;
        screen.set_size(look.size);
        console.app().show()?;
        let faces = scene.name.starts_with("faces");
        let stage = Self { screen: screen.clone(), console, requests, answer, faces };
        let mut view = (scene.view)();
        view.preferences.theme = look.theme;
        view.preferences.text_size = look.text;
        view.preferences.language =
            if look.tongue == Tongue::French { Language::French } else { Language::English };
        stage.console.take(News { events: vec![Event::Connected], view: Some(Box::new(view)) });
        if look.tongue == Tongue::Pseudo {
            // No setting leads there: the console believes that it speaks English.
            slint::select_bundled_translation(pseudo::LOCALE)
                .map_err(|error| anyhow::anyhow!("{error}: a release build has no pseudo-locale"))?;
        }
        stage.settle();
        (scene.act)(&stage)?;
        stage.settle();
        Ok(stage)
    }

    /// Draws and answers questions until there is nothing left to do.
    pub(crate) fn settle(&self) {
        for _ in 0..6 {
            self.screen.draw();
            let events: Vec<Event> =
                self.requests.try_iter().filter_map(|request| (self.answer)(request, self.faces)).collect();
            self.console.take(News { events, view: None });
        }
        self.screen.draw();
    }

    /// The question before a call is taken over, once it can be answered.
    pub(crate) fn ask_take_over(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.keys(&["F5"])?;
        self.keys(keys)?;
        std::thread::sleep(std::time::Duration::from_millis(750));
        self.settle();
        Ok(())
    }

    pub(crate) fn input(&self, input: &Input) -> anyhow::Result<()> {
        for event in input.events()? {
            self.screen.dispatch(event)?;
        }
        self.settle();
        Ok(())
    }

    pub(crate) fn pointer(&self, x: f32, y: f32, kind: PointerKind) -> anyhow::Result<()> {
        self.input(&Input::Pointer(Pointer { x, y, kind, button: Default::default(), touch: false }))
    }

    pub(crate) fn tap(&self, x: f32, y: f32) -> anyhow::Result<()> {
        self.pointer(x, y, PointerKind::Down)?;
        self.pointer(x, y, PointerKind::Up)
    }

    pub(crate) fn right_click(&self, x: f32, y: f32) -> anyhow::Result<()> {
        for kind in [PointerKind::Down, PointerKind::Up] {
            let button = web::Button::Right;
            self.input(&Input::Pointer(Pointer { x, y, kind, button, touch: false }))?;
        }
        Ok(())
    }

    /// As in the design's picture: the first card is open, another is in mid-air.
    pub(crate) fn first_then_drag(&self, from: (f32, f32), to: (f32, f32)) -> anyhow::Result<()> {
        self.keys(&["Home"])?;
        self.drag(from, to)
    }

    /// A card in mid-air.
    pub(crate) fn drag(&self, from: (f32, f32), to: (f32, f32)) -> anyhow::Result<()> {
        self.pointer(from.0, from.1, PointerKind::Down)?;
        for step in 1..=12_u8 {
            let part = f32::from(step) / 12.;
            let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.pointer(x, y, PointerKind::Move)?;
        }
        Ok(())
    }

    pub(crate) fn keys(&self, keys: &[&str]) -> anyhow::Result<()> {
        for key in keys {
            self.input(&Input::Key { key: (*key).into(), down: None })?;
        }
        Ok(())
    }

    /// The calls in a table (CALL-6), then these keys.
    pub(crate) fn in_table(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.console.app().global::<screen::Panes>().invoke_set_table(true);
        self.settle();
        self.keys(keys)
    }

    /// Of the screen, as it is laid out.
    pub(crate) fn width(&self) -> f32 {
        let app = self.console.app();
        let window = app.window();
        window.size().to_logical(window.scale_factor()).width
    }

    /// Likewise.
    fn height(&self) -> f32 {
        let app = self.console.app();
        let window = app.window();
        window.size().to_logical(window.scale_factor()).height
    }

    pub(crate) fn rail(&self, entry: u8) -> anyhow::Result<()> {
        self.tap(self.width() - 38., 125. + f32::from(entry) * 68.)
    }

    /// The keyboard on the screen, as under a finger in this field.
    pub(crate) fn board(&self, field: screen::FocusPlace) -> anyhow::Result<()> {
        let app = self.console.app();
        let desk = app.global::<screen::Desk>();
        desk.set_focus_place(field);
        desk.set_focus_turn(desk.get_focus_turn() + 1);
        self.settle();
        Ok(())
    }

    /// The keys in the settings, and what is done to them.
    pub(crate) fn keys_of_settings(&self, act: impl FnOnce(&screen::Settings<'_>)) -> anyhow::Result<()> {
        self.rail(SETTINGS)?;
        let app = self.console.app();
        let settings = app.global::<screen::Settings>();
        settings.invoke_fold(screen::SettingsStop::Look);
        settings.invoke_fold(screen::SettingsStop::Sound);
        settings.invoke_fold(screen::SettingsStop::Keys);
        self.settle();
        act(&settings);
        self.settle();
        Ok(())
    }

    /// What the settings say of text size and motion.
    pub(crate) fn reading(&self) -> anyhow::Result<()> {
        self.rail(SETTINGS)?;
        let app = self.console.app();
        let settings = app.global::<screen::Settings>();
        settings.invoke_fold(screen::SettingsStop::Look);
        settings.invoke_fold(screen::SettingsStop::Reading);
        settings.invoke_choose(screen::SettingsStop::Calm);
        settings.invoke_choose(screen::SettingsStop::Speech);
        settings.invoke_choose(screen::SettingsStop::PaceFast);
        self.settle();
        Ok(())
    }

    /// What the settings say of the programs and of what is in them.
    pub(crate) fn about(&self) -> anyhow::Result<()> {
        self.rail(SETTINGS)?;
        let app = self.console.app();
        let settings = app.global::<screen::Settings>();
        settings.invoke_fold(screen::SettingsStop::Look);
        settings.invoke_fold(screen::SettingsStop::Sound);
        settings.invoke_fold(screen::SettingsStop::About);
        self.settle();
        Ok(())
    }

    /// The settings, and what the desk says of the sound.
    pub(crate) fn sound(&self, sound: ipc::SoundView) -> anyhow::Result<()> {
        self.rail(SETTINGS)?;
        self.console.take(News { events: vec![Event::Sound(sound)], view: None });
        self.settle();
        Ok(())
    }

    pub(crate) fn no_reminders(&self) -> anyhow::Result<()> {
        self.rail(REMINDERS)?;
        let app = self.console.app();
        let reminders = app.global::<screen::Reminders>();
        reminders.set_rows(slint::ModelRc::default());
        reminders.set_past_count(0);
        self.settle();
        Ok(())
    }

    /// The reminders by their key, then these keys.
    pub(crate) fn reminders(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.input(&Input::Key { key: "Control".into(), down: Some(true) })?;
        self.keys(&["d"])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false) })?;
        self.keys(keys)
    }

    pub(crate) fn tab(&self, index: i32) -> anyhow::Result<()> {
        self.console.app().global::<screen::Directory>().invoke_open_tab(index);
        self.settle();
        Ok(())
    }

    /// The browser tab, with paper for a page.
    pub(crate) fn page(&self, standing: screen::PageStanding, question: &str) -> anyhow::Result<()> {
        let app = self.console.app();
        let page = app.global::<screen::Page>();
        let mut paper = slint::SharedPixelBuffer::<slint::Rgb8Pixel>::new(
            paper(self.width(), 588.),
            paper(self.height(), 220.),
        );
        paper.make_mut_bytes().fill(0xf4);
        page.set_picture(slint::Image::from_rgb8(paper));
        page.set_has_picture(true);
        page.set_standing(standing);
        page.set_who("Marie Laurent".into());
        page.set_host("crm.northwind.example".into());
        page.set_secure(true);
        page.set_loading(standing == screen::PageStanding::Open && question.is_empty());
        page.set_question(question.into());
        page.set_asks(!question.is_empty());
        page.set_choice(true);
        app.global::<screen::Desk>().invoke_show(screen::Screen::Page);
        self.settle();
        Ok(())
    }

    pub(crate) fn show_customer(&self) {
        self.console.app().global::<screen::Customer>().invoke_show("1".into());
        self.settle();
    }

    pub(crate) fn write_note(&self, text: &str) -> anyhow::Result<()> {
        self.console.app().global::<screen::Customer>().invoke_write("1".into(), false);
        self.settle();
        self.console.app().global::<screen::Item>().set_text(text.into());
        self.settle();
        Ok(())
    }

    /// A note, and what the customer database says to it.
    pub(crate) fn send_note(&self, result: Result<(), &str>) -> anyhow::Result<()> {
        self.write_note("Wants a quote for 40 contactors.")?;
        self.console.app().global::<screen::Item>().invoke_accept();
        let mut events = Vec::new();
        for request in self.requests.try_iter() {
            if let ToDesk::Command { seq, command: Command::AddItem(_) } = request {
                let url = Some("https://crm.northwind.example/notes/1".to_owned());
                events.push(Event::Reply { seq, reply: Reply::ItemAdded { url } });
                let words = "401 invalid_grant: the refresh token has expired".to_owned();
                let refused = |case: &str| ipc::ItemProblem::Refused { case: case.into(), words };
                let result = result.map_err(|case| ipc::CommandError::Item(refused(case)));
                events.push(Event::Done { seq, result });
            }
        }
        self.console.take(News { events, view: None });
        self.settle();
        Ok(())
    }

    pub(crate) fn edit_new(&self, directory: i32) -> anyhow::Result<()> {
        self.console.app().global::<screen::Editor>().invoke_open_new(directory);
        self.settle();
        Ok(())
    }

    /// The menu of the directory, then these keys.
    pub(crate) fn directory_menu(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.keys(&["F5", "F1"])?;
        self.keys(keys)
    }

    /// What is done with the directory itself: the last but one of its menu.
    pub(crate) fn this_directory(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.directory_menu(&["Up", "Up", "Enter"])?;
        self.keys(keys)
    }

    /// The search over all directories, then these keys.
    pub(crate) fn find(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.input(&Input::Key { key: "Control".into(), down: Some(true) })?;
        self.keys(&["f"])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false) })?;
        self.keys(keys)
    }

    /// The same with sources that are asked while somebody types, then so many steps down.
    pub(crate) fn find_elsewhere(&self, words: &str, steps: usize) -> anyhow::Result<()> {
        self.find(&[])?;
        for letter in words.chars() {
            self.keys(&[&letter.to_string()])?;
        }
        self.console.app().global::<screen::Finder>().invoke_ask_elsewhere();
        self.settle();
        self.keys(&vec!["Down"; steps])
    }

    /// An address in the directory that is none.
    pub(crate) fn refuse_address(&self) -> anyhow::Result<()> {
        self.tab(1)?;
        let app = self.console.app();
        let directory = app.global::<screen::Directory>();
        directory.invoke_open_link(0, screen::ContactLink::Page);
        Ok(())
    }

    /// The contact at a place, by its menu.
    pub(crate) fn edit(&self, x: f32, y: f32) -> anyhow::Result<()> {
        self.right_click(x, y)?;
        self.keys(&["Up", "Enter", "Enter"])?;
        self.settle();
        Ok(())
    }

    pub(crate) fn alert_wishes(&self) -> anyhow::Result<()> {
        self.right_click(560., 180.)?;
        self.keys(&["Up", "Up", "Enter", "Down", "Down", "Insert"])
    }

    pub(crate) fn import(&self) -> anyhow::Result<()> {
        self.console.app().global::<screen::Files>().invoke_import_into(-1);
        self.settle();
        Ok(())
    }

    pub(crate) fn choose_file(&self, index: i32) {
        self.console.app().global::<screen::Files>().invoke_choose(index);
        self.settle();
    }

    pub(crate) fn import_to_the_end(&self) -> anyhow::Result<()> {
        self.import()?;
        self.choose_file(0);
        self.console.app().global::<screen::Files>().invoke_begin();
        self.settle();
        Ok(())
    }

    pub(crate) fn wheel(&self, x: f32, y: f32, by: f32) -> anyhow::Result<()> {
        let position = slint::LogicalPosition::new(x, y);
        self.screen.dispatch(WindowEvent::PointerScrolled { position, delta_x: 0., delta_y: by })?;
        self.settle();
        Ok(())
    }

    pub(crate) fn ask_transfer(&self) -> anyhow::Result<()> {
        self.keys(&["F8", "Enter", "m", "a", "r"])
    }

    /// The log by its key, then these keys.
    pub(crate) fn log(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.chord("l")?;
        self.keys(keys)
    }

    /// The statistics by their key, then these keys.
    pub(crate) fn statistics(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.chord("g")?;
        self.keys(keys)
    }

    pub(crate) fn chord(&self, key: &str) -> anyhow::Result<()> {
        self.input(&Input::Key { key: "Control".into(), down: Some(true) })?;
        self.keys(&[key])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false) })
    }

    pub(crate) fn note_bold(&self) -> anyhow::Result<()> {
        self.rail(NOTES)?;
        let app = self.console.app();
        let note = app.global::<screen::Note>();
        note.invoke_style(screen::NoteStyle::Bold, 0, 11);
        let desk = app.global::<screen::Desk>();
        desk.set_focus_place(screen::FocusPlace::Note);
        desk.set_focus_turn(desk.get_focus_turn().wrapping_add(1));
        self.settle();
        Ok(())
    }

    pub(crate) fn note_failed(&self) -> anyhow::Result<()> {
        self.rail(NOTES)?;
        let app = self.console.app();
        let note = app.global::<screen::Note>();
        note.set_text("Key of the *archive* is with __security__.".into());
        note.invoke_edited(note.get_text());
        note.set_standing(screen::NoteStanding::Failed);
        note.set_reason(app.global::<screen::Words>().invoke_storage(true));
        self.settle();
        Ok(())
    }

    pub(crate) fn open_service(&self) -> anyhow::Result<()> {
        let x = self.width() - 715.;
        self.console.app().global::<screen::Desk>().invoke_open_service(x, 70.);
        Ok(())
    }

    pub(crate) fn open_keypad(&self) -> anyhow::Result<()> {
        self.console.app().global::<screen::Desk>().invoke_open_keypad();
        self.settle();
        self.keys(&["1", "2", "#"])
    }
}

/// What a desk would answer.
pub(crate) fn answer(request: ToDesk, faces: bool) -> Option<Event> {
    match request {
        ToDesk::Query { seq, query: Query::Picture(contact) } => {
            let none = ContactPicture { contact, picture: None };
            Some(Event::replied(seq, Reply::Picture(if faces { scenes::face(contact) } else { none })))
        }
        ToDesk::Query { seq, query: Query::Contacts(query) } => {
            Some(Event::Reply { seq, reply: Reply::Contacts(scenes::contacts(&query)) })
        }
        ToDesk::Query { seq, query: Query::Place { contact, sort } } => {
            Some(Event::Reply { seq, reply: Reply::Place(scenes::place(contact, sort)) })
        }
        ToDesk::Query { seq, query: Query::Note } => {
            Some(Event::Reply { seq, reply: Reply::Note(Box::new(scenes::note())) })
        }
        ToDesk::Query { seq, query: Query::Reminders } => {
            Some(Event::Reply { seq, reply: Reply::Reminders(scenes::reminders()) })
        }
        ToDesk::Query { seq, query: Query::Log(query) } => {
            Some(Event::Reply { seq, reply: Reply::Log(scenes::log_page(&query)) })
        }
        ToDesk::Query { seq, query: Query::Statistics(query) } => {
            Some(Event::Reply { seq, reply: Reply::Statistics(Box::new(scenes::statistics(&query))) })
        }
        ToDesk::Query { seq, query: Query::CallDays { edges_unix_ms } } => {
            Some(Event::Reply { seq, reply: Reply::CallDays(scenes::call_days(&edges_unix_ms)) })
        }
        ToDesk::Query { seq, query: Query::Contact(contact) } => {
            Some(Event::Reply { seq, reply: Reply::Contact(scenes::card(contact).map(Box::new)) })
        }
        ToDesk::Query { seq, query: Query::People { text } } => {
            Some(Event::Reply { seq, reply: Reply::People(scenes::found(&text)) })
        }
        ToDesk::Query { seq, query: Query::ContactFiles } => {
            Some(Event::Reply { seq, reply: Reply::ContactFiles(scenes::files()) })
        }
        ToDesk::Command { seq, command: Command::MarkCall { .. } | Command::Reminder(_) } => {
            Some(Event::Done { seq, result: Ok(()) })
        }
        ToDesk::Command { seq, command: Command::ImportContacts { .. } } => {
            Some(Event::Reply { seq, reply: Reply::Import(scenes::report()) })
        }
        _ => None,
    }
}

/// What is left of a side of the screen for a page in the browser tab, in pixels.
fn paper(side: f32, around: f32) -> u32 {
    (side - around).clamp(1., 4096.) as u32
}
