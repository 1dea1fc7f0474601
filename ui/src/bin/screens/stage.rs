//! The stage: a console that is drawn into memory, a desk that answers it, and hands.
//!
//! Hands find what they touch by its accessible label, as the tests of the desk do: where it stands depends on the size of
//! the screen and of its texts. The testing backend has a search for that, but programs do not have the testing backend:
//! so `i_slint_core` is named here, beside `web::input`.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::Context;
use frontdesk_ui::link::{Event, News, Outbox};
use frontdesk_ui::web::{Input, Offscreen, Pointer, PointerKind};
use frontdesk_ui::{Console, pseudo, scenes, screen, web};
use i_slint_core::accessibility::AccessibleStringProperty;
use i_slint_core::item_tree::ParentItemTraversalMode;
use i_slint_core::items::{AccessibleRole, Flickable, ItemRc};
use i_slint_core::lengths::{LogicalPoint, LogicalRect, LogicalSize};
use i_slint_core::window::WindowInner;
use ipc::{Command, ContactPicture, Language, Query, Reply, TextSize, Theme, ToDesk};
use slint::platform::WindowEvent;
use slint::{ComponentHandle, PhysicalSize};

use crate::table::Scene;

/// Where a row is touched, from its upper left corner in logical pixels: beside its picture, and where no button is.
const SPOT: (f32, f32) = (152., 46.);
/// A list that can be scrolled holds a press back for 100 ms, in case it is a flick (Slint 1.18.1, `FORWARD_DELAY`).
const HELD_BACK: Duration = Duration::from_millis(150);
/// How often a list is scrolled in search of a row.
const TURNS: usize = 60;
/// A row is in sight when there is so much of the list around it, in logical pixels: the ring around it.
const RING: f32 = 2.;
/// What the section of the sound takes below and above the top of its first meter, in logical pixels.
const SOUND_BELOW: f32 = 225.;
const SOUND_ABOVE: f32 = 72.;
/// Of the browser tab, what is not page: the rail and the frame beside it; the header, the bars and the frame above and below.
/// In logical pixels.
const BESIDE_PAPER: f32 = 104.;
const AROUND_PAPER: f32 = 220.;
/// Less of a row than this is not touched, in logical pixels.
const LEAST: f32 = 16.;

/// A row, by its accessible label: one that no language changes, as the name of a person.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named {
    /// Among the calls.
    Call(&'static str),
    /// Beside the calls: a contact, or a call in the log.
    Beside(&'static str),
}

impl Named {
    fn label(self) -> &'static str {
        match self {
            Self::Call(label) | Self::Beside(label) => label,
        }
    }

    fn is_call(self) -> bool {
        matches!(self, Self::Call(_))
    }
}

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
        stage.have_keys();
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
        (scene.act)(&stage).with_context(|| format!("scene {}", scene.name))?;
        stage.settle();
        Ok(stage)
    }

    /// Somebody has a keyboard of their own: none comes on the screen until [`Stage::board_up`]. Otherwise it would come
    /// or not by how long this machine took from a key to the field that the key has chosen.
    fn have_keys(&self) {
        let app = self.console.app();
        let board = app.global::<screen::Board>();
        board.invoke_toggle();
        board.invoke_toggle();
    }

    /// The keyboard on the screen is up, as after a finger has chosen the field.
    pub(crate) fn board_up(&self) {
        let app = self.console.app();
        let board = app.global::<screen::Board>();
        if !board.get_open() {
            board.invoke_toggle();
        }
        self.settle();
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
        std::thread::sleep(Duration::from_millis(750));
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
        // No more than one picture in between: a press that lasts until many are drawn is a long one, and opens a menu.
        let down = Pointer { x, y, kind: PointerKind::Down, button: Default::default(), touch: false };
        for event in Input::Pointer(down).events()? {
            self.screen.dispatch(event)?;
        }
        self.screen.draw();
        self.pointer(x, y, PointerKind::Up)
    }

    pub(crate) fn right_click(&self, x: f32, y: f32) -> anyhow::Result<()> {
        for kind in [PointerKind::Down, PointerKind::Up] {
            let button = web::Button::Right;
            self.input(&Input::Pointer(Pointer { x, y, kind, button, touch: false }))?;
        }
        Ok(())
    }

    /// All elements of this role, in sight or where a list can be scrolled to.
    fn elements(&self, role: AccessibleRole) -> Vec<ItemRc> {
        let app = self.console.app();
        let root = ItemRc::new_root(WindowInner::from_pub(app.window()).component());
        let mut found = Vec::new();
        root.visit_descendants(|item: &ItemRc| -> ControlFlow<()> {
            if item.accessible_role() == role && is_there(item) {
                found.push(item.clone());
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// The rows of the calls, or those beside them.
    fn rows(&self, of_calls: bool) -> Vec<ItemRc> {
        let edge = self.console.app().get_calls_width();
        let mut rows = self.elements(AccessibleRole::ListItem);
        rows.retain(|row| (outline(row).center().x < edge) == of_calls);
        rows
    }

    fn row(&self, what: Named) -> Option<ItemRc> {
        let called = |row: &ItemRc| {
            let label = row.accessible_string_property(AccessibleStringProperty::Label);
            label.is_some_and(|label| label.as_str() == what.label())
        };
        self.rows(what.is_call()).into_iter().find(called)
    }

    /// A place on a row to touch it at, after the list has been scrolled to it.
    fn spot(&self, what: Named) -> anyhow::Result<(f32, f32)> {
        let whole = self.whole();
        let mut missed = f32::INFINITY;
        for _ in 0..TURNS {
            let Some(item) = self.row(what) else {
                // A list makes its rows when they come into sight.
                let Some(other) = self.rows(what.is_call()).into_iter().next() else { break };
                let at = opening(&other, whole).center();
                self.wheel(at.x, at.y, -self.height() / 4.)?;
                continue;
            };
            let (row, opening) = (outline(&item), opening(&item, whole));
            let below = row.max_y() + RING - opening.max_y();
            let above = opening.min_y() + RING - row.min_y();
            let by = if above > 0. || row.height() > opening.height() { above } else { -below.max(0.) };
            // In sight, or the list does not go any further.
            if by.abs() < 1. || (missed - by).abs() < 1. {
                let seen = row.intersection(&opening).unwrap_or_default();
                if seen.width() < LEAST || seen.height() < LEAST {
                    break;
                }
                let x = (row.min_x() + SPOT.0).clamp(seen.min_x() + 1., seen.max_x() - 1.);
                let y = (row.min_y() + SPOT.1).clamp(seen.min_y() + 1., seen.max_y() - 1.);
                return Ok((x, y));
            }
            missed = by;
            // Contacts are given air: below them a bar may come. Calls are not: the ones above them are looked at as well.
            let air = if what.is_call() { 0. } else { row.height() };
            let at = opening.center();
            self.wheel(at.x, at.y, by + air.copysign(by))?;
        }
        let side = if what.is_call() { "among" } else { "beside" };
        anyhow::bail!(
            "no row {side} the calls is labelled {:?}, or none that can be scrolled to",
            what.label()
        )
    }

    fn tap_on(&self, what: Named) -> anyhow::Result<()> {
        let (x, y) = self.spot(what)?;
        self.tap(x, y)
    }

    /// The menu of a row.
    pub(crate) fn menu_of(&self, what: Named) -> anyhow::Result<()> {
        let (x, y) = self.spot(what)?;
        self.right_click(x, y)?;
        let open = self.console.app().global::<screen::Menu>().get_open();
        anyhow::ensure!(open, "a right click on {:?} opened no menu", what.label());
        Ok(())
    }

    /// A contact is about to get the call that is selected.
    pub(crate) fn ready_to_transfer(&self, contact: &'static str) -> anyhow::Result<()> {
        self.tap_on(Named::Beside(contact))?;
        let ready = self.console.app().global::<screen::Directory>().get_transfer_ready();
        anyhow::ensure!(ready, "a tap on {contact:?} brought no bar for the transfer");
        Ok(())
    }

    /// As in the design's picture: the first card is open, another is in mid-air.
    pub(crate) fn first_then_drag(&self, call: &'static str, onto: Named) -> anyhow::Result<()> {
        self.keys(&["Home"])?;
        self.drag(call, onto)
    }

    /// A card in mid-air, over a contact or another card.
    fn drag(&self, call: &'static str, onto: Named) -> anyhow::Result<()> {
        // Whatever has to be scrolled is scrolled before anything is held.
        self.spot(onto)?;
        let from = self.spot(Named::Call(call))?;
        let to = self.spot(onto)?;
        self.pointer(from.0, from.1, PointerKind::Down)?;
        std::thread::sleep(HELD_BACK);
        // Hands the press on. No more: a press that lasts until many pictures are drawn is a long one and opens a menu.
        self.screen.draw();
        // First sideways: what goes up or down on a list scrolls it.
        let aside = (from.0 + 24., from.1);
        for (from, to, steps) in [(from, aside, 2_u8), (aside, to, 12)] {
            for step in 1..=steps {
                let part = f32::from(step) / f32::from(steps);
                let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
                self.pointer(x, y, PointerKind::Move)?;
            }
        }
        let app = self.console.app();
        let drag = app.global::<screen::Drag>();
        let target = drag.get_target();
        anyhow::ensure!(
            drag.get_active() && target.as_str() == onto.label(),
            "the card of {call:?} is over {target:?} instead of {:?}",
            onto.label()
        );
        Ok(())
    }

    pub(crate) fn keys(&self, keys: &[&str]) -> anyhow::Result<()> {
        for key in keys {
            self.input(&Input::Key { key: (*key).into(), down: None, again: false })?;
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

    /// All of the screen, likewise.
    fn whole(&self) -> LogicalRect {
        LogicalRect::new(LogicalPoint::new(0., 0.), LogicalSize::new(self.width(), self.height()))
    }

    /// As the entry of the rail does, wherever it stands.
    pub(crate) fn rail(&self, entry: screen::Screen) -> anyhow::Result<()> {
        self.console.app().global::<screen::Desk>().invoke_show(entry);
        self.settle();
        Ok(())
    }

    /// The keyboard on the screen, as under a finger in this field.
    pub(crate) fn board(&self, field: screen::FocusPlace) -> anyhow::Result<()> {
        let app = self.console.app();
        let desk = app.global::<screen::Desk>();
        desk.set_focus_place(field);
        desk.set_focus_turn(desk.get_focus_turn() + 1);
        self.settle();
        self.board_up();
        Ok(())
    }

    /// The keys in the settings, and what is done to them.
    pub(crate) fn keys_of_settings(&self, act: impl FnOnce(&screen::Settings<'_>)) -> anyhow::Result<()> {
        self.rail(screen::Screen::Settings)?;
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
        self.rail(screen::Screen::Settings)?;
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
        self.rail(screen::Screen::Settings)?;
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
        self.rail(screen::Screen::Settings)?;
        self.console.take(News { events: vec![Event::Sound(sound)], view: None });
        self.settle();
        // Below its first meter come the other one, what the test says and its buttons; above it, its head.
        let meters = self.elements(AccessibleRole::ProgressIndicator);
        let meter = meters.first().context("the settings have no meter of the sound")?;
        let (first, opening) = (outline(meter), opening(meter, self.whole()));
        if opening.max_y() - first.min_y() < SOUND_BELOW {
            self.wheel_beside(opening.min_y() + SOUND_ABOVE - first.min_y())?;
        }
        Ok(())
    }

    pub(crate) fn no_reminders(&self) -> anyhow::Result<()> {
        self.rail(screen::Screen::Reminders)?;
        let app = self.console.app();
        let reminders = app.global::<screen::Reminders>();
        reminders.set_rows(slint::ModelRc::default());
        reminders.set_past_count(0);
        reminders.set_due_count(0);
        self.settle();
        Ok(())
    }

    /// The reminders by their key, then these keys.
    pub(crate) fn reminders(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.input(&Input::Key { key: "Control".into(), down: Some(true), again: false })?;
        self.keys(&["d"])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false), again: false })?;
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
            paper(self.width(), app.get_calls_width() + BESIDE_PAPER),
            paper(self.height(), AROUND_PAPER),
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
        self.input(&Input::Key { key: "Control".into(), down: Some(true), again: false })?;
        self.keys(&["f"])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false), again: false })?;
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

    /// A contact, by its menu.
    pub(crate) fn edit(&self, contact: &'static str) -> anyhow::Result<()> {
        self.menu_of(Named::Beside(contact))?;
        self.keys(&["Up", "Enter", "Enter"])?;
        self.settle();
        Ok(())
    }

    pub(crate) fn alert_wishes(&self) -> anyhow::Result<()> {
        self.menu_of(Named::Beside("Alice Fournier"))?;
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

    /// Scrolls what is beside the calls.
    pub(crate) fn wheel_beside(&self, by: f32) -> anyhow::Result<()> {
        let edge = self.console.app().get_calls_width();
        self.wheel((edge + self.width()) / 2., self.height() / 2., by)
    }

    fn wheel(&self, x: f32, y: f32, by: f32) -> anyhow::Result<()> {
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
        self.input(&Input::Key { key: "Control".into(), down: Some(true), again: false })?;
        self.keys(&[key])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false), again: false })
    }

    pub(crate) fn note_bold(&self) -> anyhow::Result<()> {
        self.rail(screen::Screen::Note)?;
        let app = self.console.app();
        let note = app.global::<screen::Note>();
        note.invoke_style(screen::NoteStyle::Bold, 0, 11);
        let desk = app.global::<screen::Desk>();
        desk.set_focus_place(screen::FocusPlace::Note);
        desk.set_focus_turn(desk.get_focus_turn().wrapping_add(1));
        self.settle();
        self.board_up();
        Ok(())
    }

    pub(crate) fn note_failed(&self) -> anyhow::Result<()> {
        self.rail(screen::Screen::Note)?;
        let app = self.console.app();
        let note = app.global::<screen::Note>();
        note.set_text("Key of the *archive* is with __security__.".into());
        note.invoke_edited(note.get_text());
        // The desk itself says so: what is only set here is gone as soon as the note is kept, which takes as long as it takes.
        note.invoke_keep();
        let mut events = Vec::new();
        for request in self.requests.try_iter() {
            if let ToDesk::Command { seq, command: Command::DraftNote { .. } } = request {
                let reason = "No space left on device".to_owned();
                events.push(Event::Done { seq, result: Err(ipc::CommandError::Failed { reason }) });
            }
        }
        self.console.take(News { events, view: None });
        self.settle();
        anyhow::ensure!(note.get_standing() == screen::NoteStanding::Failed, "the note was not refused");
        Ok(())
    }

    /// The menu of the service. Its button is the first of the header; what it is called depends on the language.
    pub(crate) fn open_service(&self) -> anyhow::Result<()> {
        let app = self.console.app();
        let foot = app.global::<screen::Size>().get_header();
        let buttons = self.elements(AccessibleRole::Button);
        let in_header = buttons.iter().map(outline).filter(|button| button.max_y() <= foot);
        let first = in_header.min_by(|one, other| one.min_x().total_cmp(&other.min_x()));
        let at = first.context("there is no button in the header")?.center();
        self.tap(at.x, at.y)?;
        anyhow::ensure!(
            app.global::<screen::Menu>().get_open(),
            "the first button of the header has no menu"
        );
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

/// Where an element stands on the window, in sight or not. In logical pixels.
fn outline(item: &ItemRc) -> LogicalRect {
    let own = item.geometry();
    LogicalRect::new(item.map_to_window(own.origin), own.size)
}

/// Whether it is in sight, or its list is: not on a screen that is hidden behind another.
fn is_there(item: &ItemRc) -> bool {
    let mut above = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(around) = above {
        if around.downcast::<Flickable>().is_some() {
            return around.is_visible();
        }
        above = around.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    item.is_visible()
}

/// The part of the window in which the lists around an element show it; all of it around no list.
fn opening(item: &ItemRc, window: LogicalRect) -> LogicalRect {
    let mut opening = window;
    let mut above = item.parent_item(ParentItemTraversalMode::StopAtPopups);
    while let Some(around) = above {
        if around.downcast::<Flickable>().is_some() {
            opening = opening.intersection(&outline(&around)).unwrap_or_default();
        }
        above = around.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    opening
}

/// What is left of a side of the screen for a page in the browser tab, in pixels.
fn paper(side: f32, around: f32) -> u32 {
    (side - around).clamp(1., 4096.) as u32
}
