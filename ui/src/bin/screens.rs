//! Writes pictures of the desk to `target/screens`: the scenes, in both themes, languages and sizes.
//!
//! `screens [--out DIRECTORY] [NAME…]`: only the scenes named, when there are names.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::Receiver;

use anyhow::Context;
use clap::Parser;
use frontdesk_ui::link::{Event, News, Outbox};
use frontdesk_ui::web::{Input, Offscreen, Pointer, PointerKind};
use frontdesk_ui::{Console, scenes, screen, web};
use ipc::{Command, ContactPicture, Language, Query, Reply, Theme, ToDesk, View};
use slint::{ComponentHandle, PhysicalSize};

/// Writes pictures of the desk.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to.
    #[arg(long, default_value = "target/screens")]
    out: PathBuf,
    /// Scenes to draw; all of them when none is named.
    names: Vec<String>,
}

/// A scene: a view and what a hand does to it.
struct Scene {
    name: &'static str,
    view: fn() -> View,
    act: fn(&Stage) -> anyhow::Result<()>,
}

const SCENES: [Scene; 131] = [
    Scene { name: "phone-failed", view: scenes::phone_failed, act: |_| Ok(()) },
    Scene { name: "phone-connecting", view: scenes::phone_connecting, act: |_| Ok(()) },
    Scene { name: "desk", view: scenes::picture, act: |stage| stage.keys(&["Home"]) },
    Scene {
        name: "drag",
        view: scenes::picture,
        act: |stage| stage.first_then_drag((240., 366.), (1000., 530.)),
    },
    Scene {
        name: "drag-refused",
        view: scenes::picture,
        act: |stage| stage.first_then_drag((240., 556.), (560., 440.)),
    },
    Scene { name: "empty", view: scenes::empty, act: |_| Ok(()) },
    Scene { name: "first-time", view: scenes::first_time, act: |_| Ok(()) },
    Scene {
        name: "thirty",
        view: scenes::thirty_calls,
        act: |stage| stage.keys(&["Home", "PageDown", "PageDown"]),
    },
    Scene { name: "recall", view: scenes::recall, act: |stage| stage.keys(&["Home", "Down"]) },
    Scene { name: "waiting", view: scenes::waiting, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "undo", view: scenes::undo, act: |stage| stage.keys(&["Home"]) },
    Scene {
        name: "transfer-menu",
        view: scenes::attended,
        act: |stage| stage.keys(&["F5", "Home", "Right", "Right", "Right", "F8"]),
    },
    Scene { name: "conference5", view: scenes::conference, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "greeting", view: scenes::greeting, act: |_| Ok(()) },
    Scene { name: "encrypted", view: scenes::encrypted, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "encrypted-out", view: scenes::encrypted_out, act: |_| Ok(()) },
    Scene { name: "encrypted-table", view: scenes::encrypted, act: |stage| stage.in_table(&["Home"]) },
    Scene {
        name: "encrypted-conference",
        view: scenes::encrypted_conference,
        act: |stage| stage.in_table(&["Home"]),
    },
    Scene { name: "night", view: scenes::night, act: |stage| stage.open_service() },
    Scene { name: "park", view: scenes::park, act: |stage| stage.keys(&["Home", "Down", "Down"]) },
    Scene {
        name: "attended",
        view: scenes::attended,
        act: |stage| stage.first_then_drag((240., 366.), (200., 580.)),
    },
    Scene {
        name: "volumes",
        view: scenes::picture,
        act: |stage| {
            stage.console.app().global::<screen::Desk>().invoke_open_volumes(true);
            Ok(())
        },
    },
    Scene { name: "faces", view: scenes::picture, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "faces-conference", view: scenes::colleagues, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "fates", view: scenes::fates, act: |_| Ok(()) },
    Scene { name: "call-menu", view: scenes::picture, act: |stage| stage.right_click(240., 310.) },
    Scene {
        name: "call-marked",
        view: scenes::picture,
        act: |stage| {
            stage.right_click(240., 310.)?;
            stage.keys(&["Up", "Up", "Enter"])
        },
    },
    Scene {
        name: "crm",
        view: scenes::picture,
        act: |stage| {
            stage.right_click(240., 160.)?;
            stage.keys(&["Up", "Up", "Enter"])
        },
    },
    Scene { name: "customer", view: scenes::customer, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "customer-table", view: scenes::customer, act: |stage| stage.in_table(&["Home"]) },
    Scene { name: "customer-answered", view: scenes::customer_answered, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "customer-asked", view: scenes::customer_asked, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "customer-unknown", view: scenes::customer_unknown, act: |stage| stage.keys(&["Home"]) },
    Scene {
        name: "customer-card",
        view: scenes::customer_answered,
        act: |stage| {
            stage.show_customer();
            Ok(())
        },
    },
    Scene { name: "customer-menu", view: scenes::customer_answered, act: |stage| stage.keys(&["Home", "/"]) },
    Scene {
        name: "customer-note",
        view: scenes::customer_answered,
        act: |stage| stage.write_note("Wants a quote for 40 contactors.\nCall back before noon."),
    },
    Scene {
        name: "customer-note-failed",
        view: scenes::customer_answered,
        act: |stage| stage.send_note(Err("auth-failed")),
    },
    Scene {
        name: "customer-note-done",
        view: scenes::customer_answered,
        act: |stage| stage.send_note(Ok(())),
    },
    Scene { name: "customer-hostile", view: scenes::customer_hostile, act: |stage| stage.keys(&["Home"]) },
    Scene {
        name: "customer-hostile-card",
        view: scenes::customer_hostile,
        act: |stage| {
            stage.show_customer();
            Ok(())
        },
    },
    Scene { name: "contact-menu", view: scenes::picture, act: |stage| stage.right_click(620., 520.) },
    Scene { name: "search", view: scenes::picture, act: |stage| stage.keys(&["F3", "m", "a", "r"]) },
    Scene { name: "search-none", view: scenes::picture, act: |stage| stage.keys(&["F3", "x", "q"]) },
    Scene { name: "transfer-bar", view: scenes::picture, act: |stage| stage.tap(640., 520.) },
    Scene { name: "prompt", view: scenes::picture, act: |stage| stage.ask_transfer() },
    Scene { name: "table", view: scenes::picture, act: |stage| stage.in_table(&["Home"]) },
    Scene {
        name: "table-thirty",
        view: scenes::thirty_calls,
        act: |stage| stage.in_table(&["Home", "PageDown"]),
    },
    Scene {
        name: "dividers",
        view: scenes::picture,
        act: |stage| stage.keys(&["F1", "Down", "Enter", "Right", "Right", "Right", "Right", "Down", "Down"]),
    },
    Scene { name: "people", view: scenes::people, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "list", view: scenes::rows, act: |stage| stage.keys(&["F5", "Down"]) },
    Scene { name: "list-columns", view: scenes::rows, act: |stage| stage.keys(&["F5", "Right", "Right"]) },
    Scene { name: "list-external", view: scenes::rows, act: |stage| stage.tab(1) },
    Scene { name: "list-search", view: scenes::rows, act: |stage| stage.keys(&["F3", "m", "a", "r"]) },
    Scene {
        name: "list-drag",
        view: scenes::rows,
        act: |stage| stage.first_then_drag((240., 366.), (640., 480.)),
    },
    Scene { name: "directory-menu", view: scenes::rows, act: |stage| stage.directory_menu(&[]) },
    Scene {
        name: "connector-menu",
        view: scenes::connector,
        act: |stage| stage.right_click(620., 520.).and_then(|()| stage.keys(&["Up", "Enter"])),
    },
    Scene { name: "page", view: scenes::picture, act: |stage| stage.page(screen::PageStanding::Open, "") },
    Scene {
        name: "page-asks",
        view: scenes::picture,
        act: |stage| stage.page(screen::PageStanding::Open, "Leave without saving the order?"),
    },
    Scene {
        name: "page-ended",
        view: scenes::picture,
        act: |stage| stage.page(screen::PageStanding::Died, ""),
    },
    Scene { name: "columns-menu", view: scenes::rows, act: |stage| stage.directory_menu(&["Down", "Enter"]) },
    Scene {
        name: "sort-menu",
        view: scenes::rows,
        act: |stage| stage.directory_menu(&["Down", "Down", "Down", "Enter"]),
    },
    Scene { name: "this-directory", view: scenes::rows, act: |stage| stage.this_directory(&[]) },
    Scene {
        name: "lines-menu",
        view: scenes::rows,
        act: |stage| stage.this_directory(&["Down", "Down", "Enter"]),
    },
    Scene { name: "rename", view: scenes::rows, act: |stage| stage.this_directory(&["Enter"]) },
    Scene {
        name: "note",
        view: scenes::rows,
        act: |stage| stage.this_directory(&["Down", "Down", "Down", "Enter", "H", "i"]),
    },
    Scene { name: "clear", view: scenes::rows, act: |stage| stage.this_directory(&["Up", "Up", "Enter"]) },
    Scene {
        name: "remove",
        view: scenes::rows,
        act: |stage| stage.this_directory(&["Up", "Enter", "Right"]),
    },
    Scene {
        name: "add-directory",
        view: scenes::rows,
        act: |stage| stage.directory_menu(&["Up", "Enter", "P", "a", "r", "t"]),
    },
    Scene { name: "finder", view: scenes::people, act: |stage| stage.find(&["a", "n"]) },
    Scene { name: "finder-none", view: scenes::people, act: |stage| stage.find(&["x", "q", "z"]) },
    Scene { name: "finder-idle", view: scenes::people, act: |stage| stage.find(&[]) },
    Scene { name: "finder-go", view: scenes::rows, act: |stage| stage.find(&["n", "o", "w", "a", "Enter"]) },
    Scene { name: "finder-elsewhere", view: scenes::elsewhere, act: |stage| stage.find_elsewhere("mar", 3) },
    Scene {
        name: "finder-elsewhere-only",
        view: scenes::elsewhere,
        act: |stage| stage.find_elsewhere("lindqv", 0),
    },
    Scene { name: "nobody-yet", view: scenes::barren, act: |_| Ok(()) },
    Scene { name: "vast", view: scenes::vast, act: |stage| stage.keys(&["F5", "End"]) },
    Scene {
        name: "phone-card",
        view: scenes::people,
        act: |stage| stage.keys(&["F5", "Right", "/", "Down", "Down", "Down", "Enter"]),
    },
    Scene {
        name: "take-over-menu",
        view: scenes::take_over,
        act: |stage| stage.keys(&["F5", "Right", "/", "Down", "Down", "Down"]),
    },
    Scene {
        name: "take-over",
        view: scenes::take_over,
        act: |stage| stage.ask_take_over(&["Right", "Right", "Right", "/", "Down", "Down", "Enter", "Right"]),
    },
    Scene {
        name: "take-over-several",
        view: scenes::take_over,
        act: |stage| stage.ask_take_over(&["Right", "/", "Down", "Down", "Down", "Enter", "Down"]),
    },
    Scene { name: "taken-over", view: scenes::taken_over, act: |_| Ok(()) },
    Scene {
        name: "mail",
        view: scenes::people,
        act: |stage| stage.keys(&["F5", "Right", "/", "Down", "Down", "Down", "Down", "Enter"]),
    },
    Scene { name: "address-refused", view: scenes::people, act: |stage| stage.refuse_address() },
    Scene { name: "log", view: scenes::picture, act: |stage| stage.rail(2) },
    Scene { name: "notes", view: scenes::picture, act: |stage| stage.rail(3) },
    Scene { name: "notes-bold", view: scenes::picture, act: Stage::note_bold },
    Scene { name: "notes-failed", view: scenes::empty, act: Stage::note_failed },
    Scene {
        name: "log-menu",
        view: scenes::picture,
        act: |stage| {
            stage.rail(2)?;
            stage.right_click(700., 235.)
        },
    },
    Scene { name: "settings", view: scenes::picture, act: |stage| stage.rail(4) },
    Scene { name: "sound", view: scenes::empty, act: |stage| stage.sound(scenes::sound((-21, -96), None)) },
    Scene {
        name: "sound-recording",
        view: scenes::empty,
        act: |stage| stage.sound(scenes::sound((-12, -96), Some(scenes::SOUND_RECORDING))),
    },
    Scene {
        name: "sound-back",
        view: scenes::empty,
        act: |stage| stage.sound(scenes::sound((-52, -14), Some(scenes::SOUND_BACK))),
    },
    Scene {
        name: "sound-nothing",
        view: scenes::empty,
        act: |stage| stage.sound(scenes::sound((-72, -96), Some(scenes::SOUND_NOTHING))),
    },
    Scene {
        name: "sound-loud",
        view: scenes::empty,
        act: |stage| stage.sound(scenes::sound((-1, -2), Some(scenes::SOUND_LOUD))),
    },
    Scene {
        name: "sound-muted",
        view: scenes::muted,
        act: |stage| stage.sound(scenes::sound((-96, -96), Some(scenes::SOUND_MUTED))),
    },
    Scene {
        name: "sound-narrow",
        view: scenes::empty,
        act: |stage| {
            stage.console.app().global::<screen::Panes>().invoke_move_calls(2000.);
            stage.sound(scenes::sound((-12, -96), Some(scenes::SOUND_CALL)))
        },
    },
    Scene {
        name: "sound-call",
        view: scenes::picture,
        act: |stage| stage.sound(scenes::sound((-18, -23), Some(scenes::SOUND_CALL))),
    },
    Scene { name: "editor-new", view: scenes::picture, act: |stage| stage.edit_new(2) },
    Scene {
        name: "editor-errors",
        view: scenes::picture,
        act: |stage| {
            stage.edit_new(1)?;
            stage.keys(&["Down", "Down", "Down", "Down", "Down", "Down", "n", "o", "n", "e", "Tab"])?;
            stage.keys(&["+", "4", "9", "x", "Tab", "Tab", "Tab", "Tab", "m", "a", "r"])
        },
    },
    Scene { name: "editor", view: scenes::picture, act: |stage| stage.edit(560., 180.) },
    Scene {
        name: "editor-history",
        view: scenes::picture,
        act: |stage| {
            stage.edit(560., 180.)?;
            stage.wheel(800., 500., -3000.)
        },
    },
    Scene {
        name: "editor-leave",
        view: scenes::picture,
        act: |stage| {
            stage.edit(560., 180.)?;
            stage.keys(&["x", "Escape"])
        },
    },
    Scene {
        name: "editor-aside",
        view: || scenes::alerts(1),
        act: |stage| {
            stage.edit(560., 180.)?;
            stage.keys(&["x", "F3", "m", "a"])
        },
    },
    Scene {
        name: "editor-alert",
        view: || scenes::alerts(3),
        act: |stage| {
            stage.edit(560., 180.)?;
            stage.keys(&["Up", "Up", "Up"])
        },
    },
    Scene {
        name: "editor-narrow",
        view: || scenes::alerts(2),
        act: |stage| {
            stage.console.app().global::<screen::Panes>().invoke_move_calls(2000.);
            stage.settle();
            stage.edit_new(1)?;
            stage.keys(&["x", "Escape"])
        },
    },
    Scene { name: "alert-menu", view: scenes::picture, act: |stage| stage.alert_wishes() },
    Scene { name: "alert", view: || scenes::alerts(1), act: |_| Ok(()) },
    Scene { name: "alerts", view: || scenes::alerts(4), act: |_| Ok(()) },
    Scene { name: "alerts-many", view: || scenes::alerts(8), act: |_| Ok(()) },
    Scene { name: "removed", view: scenes::removed, act: |_| Ok(()) },
    Scene { name: "import-files", view: scenes::picture, act: |stage| stage.import() },
    Scene {
        name: "import-into",
        view: scenes::picture,
        act: |stage| {
            stage.import()?;
            stage.choose_file(1);
            stage.settle();
            Ok(())
        },
    },
    Scene { name: "import-progress", view: scenes::importing, act: |stage| stage.import() },
    Scene { name: "import-report", view: scenes::picture, act: |stage| stage.import_to_the_end() },
    Scene { name: "watch-asked", view: || scenes::watched(None), act: |_| Ok(()) },
    Scene { name: "watch-seen", view: || scenes::watched(Some(true)), act: |_| Ok(()) },
    Scene { name: "sign-in", view: || scenes::signed_out(5), act: |_| Ok(()) },
    Scene {
        name: "sign-in-pin",
        view: || scenes::signed_out(5),
        act: |stage| stage.keys(&["Down", "Down", "Down", "4", "7", "1", "1", "0", "8"]),
    },
    Scene {
        name: "sign-in-many",
        view: || scenes::signed_out(12),
        act: |stage| stage.keys(&["End", "Up", "Up", "Up", "Up"]),
    },
    Scene { name: "sign-in-filter", view: || scenes::signed_out(12), act: |stage| stage.keys(&["d", "u"]) },
    Scene {
        name: "sign-in-wrong",
        view: || scenes::pin_refused(ipc::PinProblem::Wrong { left: 8, wait_ms: 0 }),
        act: |stage| stage.keys(&["Down", "Down", "Down"]),
    },
    Scene {
        name: "sign-in-wait",
        view: || scenes::pin_refused(ipc::PinProblem::Wrong { left: 3, wait_ms: 16_000 }),
        act: |stage| stage.keys(&["Down", "Down", "Down"]),
    },
    Scene {
        name: "sign-in-blocked",
        view: || scenes::signed_out(5),
        act: |stage| stage.keys(&["Down", "Down", "Down", "Down"]),
    },
    Scene {
        name: "sign-in-away",
        view: || scenes::signed_out(5),
        act: |stage| {
            stage.console.take(News { events: vec![Event::Disconnected], view: None });
            stage.settle();
            Ok(())
        },
    },
    Scene {
        name: "signed-in-menu",
        view: scenes::signed_in,
        act: |stage| {
            let x = f32::from(u16::try_from(stage.size.width)?) - 190.;
            stage.tap(x + 40., 40.)
        },
    },
    Scene { name: "signed-in-settings", view: scenes::signed_in, act: |stage| stage.rail(4) },
    Scene { name: "locked", view: scenes::locked_at_rest, act: |_| Ok(()) },
    Scene { name: "locked-calls", view: scenes::locked, act: |stage| stage.keys(&["4", "7"]) },
    Scene {
        name: "locked-other",
        view: scenes::locked,
        act: |stage| {
            stage.console.app().global::<screen::SignIn>().invoke_somebody_else();
            stage.settle();
            Ok(())
        },
    },
    Scene { name: "callers", view: scenes::known_callers, act: |stage| stage.keys(&["Home"]) },
    Scene { name: "callers-menu", view: scenes::known_callers, act: |stage| stage.right_click(240., 160.) },
];

/// Scenes that are not a view's: the desk is away, the keypad is open.
const EXTRA: [&str; 2] = ["away", "keypad"];

struct Stage {
    screen: Rc<Offscreen>,
    console: Console,
    requests: Receiver<ToDesk>,
    size: PhysicalSize,
    /// The directory has pictures.
    faces: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("{}", arguments.out.display()))?;
    let size = PhysicalSize::new(1280, 800);
    let screen = web::install(size, 1.0)?;
    let known: Vec<&str> = SCENES.iter().map(|scene| scene.name).chain(EXTRA).collect();
    if let Some(unknown) = arguments.names.iter().find(|name| !known.contains(&name.as_str())) {
        anyhow::bail!("no scene is called {unknown}; there are {}", known.join(", "));
    }
    let wanted = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|n| n == name);
    for (width, height) in [(1280, 800), (1920, 1080)] {
        for theme in [Theme::Dark, Theme::Light] {
            for language in [Language::English, Language::French] {
                let look = Look { size: PhysicalSize::new(width, height), theme, language };
                for name in known.iter().filter(|name| wanted(name)) {
                    draw(&screen, name, look, &arguments.out)?;
                }
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Look {
    size: PhysicalSize,
    theme: Theme,
    language: Language,
}

fn draw(screen: &Rc<Offscreen>, name: &str, look: Look, out: &Path) -> anyhow::Result<()> {
    let (outbox, requests) = Outbox::recorded();
    let console = Console::new(outbox)?;
    screen.set_size(look.size);
    console.app().show()?;
    let stage = Stage {
        screen: screen.clone(),
        console,
        requests,
        size: look.size,
        faces: name.starts_with("faces"),
    };
    let scene = SCENES.iter().find(|scene| scene.name == name);
    let mut view = scene.map_or_else(scenes::picture, |scene| (scene.view)());
    view.preferences.theme = look.theme;
    view.preferences.language = look.language;
    stage.console.take(News { events: vec![Event::Connected], view: Some(Box::new(view)) });
    stage.settle();
    match scene {
        Some(scene) => (scene.act)(&stage)?,
        None if name == "away" => {
            stage.console.take(News { events: vec![Event::Disconnected], view: None });
        }
        None => stage.open_keypad()?,
    }
    stage.settle();
    let theme = if look.theme == Theme::Dark { "dark" } else { "light" };
    let language = if look.language == Language::French { "fr" } else { "en" };
    let path = out.join(format!("{name}-{theme}-{language}-{}.png", look.size.height));
    let png = screen.picture().png().context("nothing was drawn")?;
    std::fs::write(&path, png).with_context(|| format!("{}", path.display()))?;
    stage.console.app().hide()?;
    #[allow(clippy::print_stdout, reason = "the list of pictures is this program's answer")]
    {
        println!("{}", path.display());
    }
    Ok(())
}

impl Stage {
    /// Draws and answers questions until there is nothing left to do.
    fn settle(&self) {
        for _ in 0..6 {
            self.screen.draw();
            let events: Vec<Event> =
                self.requests.try_iter().filter_map(|request| answer(request, self.faces)).collect();
            self.console.take(News { events, view: None });
        }
        self.screen.draw();
    }

    /// The question before a call is taken over, once it can be answered.
    fn ask_take_over(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.keys(&["F5"])?;
        self.keys(keys)?;
        std::thread::sleep(std::time::Duration::from_millis(750));
        self.settle();
        Ok(())
    }

    fn input(&self, input: &Input) -> anyhow::Result<()> {
        for event in input.events()? {
            self.screen.dispatch(event)?;
        }
        self.settle();
        Ok(())
    }

    fn pointer(&self, x: f32, y: f32, kind: PointerKind) -> anyhow::Result<()> {
        self.input(&Input::Pointer(Pointer { x, y, kind, button: Default::default(), touch: false }))
    }

    fn tap(&self, x: f32, y: f32) -> anyhow::Result<()> {
        self.pointer(x, y, PointerKind::Down)?;
        self.pointer(x, y, PointerKind::Up)
    }

    fn right_click(&self, x: f32, y: f32) -> anyhow::Result<()> {
        for kind in [PointerKind::Down, PointerKind::Up] {
            let button = web::Button::Right;
            self.input(&Input::Pointer(Pointer { x, y, kind, button, touch: false }))?;
        }
        Ok(())
    }

    /// As in the design's picture: the first card is open, another is in mid-air.
    fn first_then_drag(&self, from: (f32, f32), to: (f32, f32)) -> anyhow::Result<()> {
        self.keys(&["Home"])?;
        self.drag(from, to)
    }

    /// A card in mid-air.
    fn drag(&self, from: (f32, f32), to: (f32, f32)) -> anyhow::Result<()> {
        self.pointer(from.0, from.1, PointerKind::Down)?;
        for step in 1..=12_u8 {
            let part = f32::from(step) / 12.;
            let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.pointer(x, y, PointerKind::Move)?;
        }
        Ok(())
    }

    fn keys(&self, keys: &[&str]) -> anyhow::Result<()> {
        for key in keys {
            self.input(&Input::Key { key: (*key).into(), down: None })?;
        }
        Ok(())
    }

    /// The calls in a table (CALL-6), then these keys.
    fn in_table(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.console.app().global::<screen::Panes>().invoke_set_table(true);
        self.settle();
        self.keys(keys)
    }

    fn rail(&self, entry: u8) -> anyhow::Result<()> {
        let x = f32::from(u16::try_from(self.size.width)?) - 38.;
        self.tap(x, 125. + f32::from(entry) * 68.)
    }

    /// The settings, and what the desk says of the sound.
    fn sound(&self, sound: ipc::SoundView) -> anyhow::Result<()> {
        self.rail(4)?;
        self.console.take(News { events: vec![Event::Sound(sound)], view: None });
        self.settle();
        Ok(())
    }

    fn tab(&self, index: i32) -> anyhow::Result<()> {
        self.console.app().global::<screen::Directory>().invoke_open_tab(index);
        self.settle();
        Ok(())
    }

    /// The browser tab, with paper for a page.
    fn page(&self, standing: screen::PageStanding, question: &str) -> anyhow::Result<()> {
        let app = self.console.app();
        let page = app.global::<screen::Page>();
        let mut paper = slint::SharedPixelBuffer::<slint::Rgb8Pixel>::new(690, 540);
        paper.make_mut_bytes().fill(0xf4);
        page.set_picture(slint::Image::from_rgb8(paper));
        page.set_has_picture(true);
        page.set_standing(standing);
        page.set_who("Marie Laurent".into());
        page.set_host("crm.northwind.example".into());
        page.set_secure(true);
        page.set_loading(question.is_empty());
        page.set_question(question.into());
        page.set_asks(!question.is_empty());
        page.set_choice(true);
        app.global::<screen::Desk>().invoke_show(screen::Screen::Page);
        self.settle();
        Ok(())
    }

    fn show_customer(&self) {
        self.console.app().global::<screen::Customer>().invoke_show("1".into());
        self.settle();
    }

    fn write_note(&self, text: &str) -> anyhow::Result<()> {
        self.console.app().global::<screen::Customer>().invoke_write("1".into(), false);
        self.settle();
        self.console.app().global::<screen::Item>().set_text(text.into());
        self.settle();
        Ok(())
    }

    /// A note, and what the customer database says to it.
    fn send_note(&self, result: Result<(), &str>) -> anyhow::Result<()> {
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

    fn edit_new(&self, directory: i32) -> anyhow::Result<()> {
        self.console.app().global::<screen::Editor>().invoke_open_new(directory);
        self.settle();
        Ok(())
    }

    /// The menu of the directory, then these keys.
    fn directory_menu(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.keys(&["F5", "F1"])?;
        self.keys(keys)
    }

    /// What is done with the directory itself: the last but one of its menu.
    fn this_directory(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.directory_menu(&["Up", "Up", "Enter"])?;
        self.keys(keys)
    }

    /// The search over all directories, then these keys.
    fn find(&self, keys: &[&str]) -> anyhow::Result<()> {
        self.input(&Input::Key { key: "Control".into(), down: Some(true) })?;
        self.keys(&["f"])?;
        self.input(&Input::Key { key: "Control".into(), down: Some(false) })?;
        self.keys(keys)
    }

    /// The same with sources that are asked while somebody types, then so many steps down.
    fn find_elsewhere(&self, words: &str, steps: usize) -> anyhow::Result<()> {
        self.find(&[])?;
        for letter in words.chars() {
            self.keys(&[&letter.to_string()])?;
        }
        self.console.app().global::<screen::Finder>().invoke_ask_elsewhere();
        self.settle();
        self.keys(&vec!["Down"; steps])
    }

    /// An address in the directory that is none.
    fn refuse_address(&self) -> anyhow::Result<()> {
        self.tab(1)?;
        let app = self.console.app();
        let directory = app.global::<screen::Directory>();
        directory.invoke_open_link(0, screen::ContactLink::Page);
        Ok(())
    }

    /// The contact at a place, by its menu.
    fn edit(&self, x: f32, y: f32) -> anyhow::Result<()> {
        self.right_click(x, y)?;
        self.keys(&["Up", "Enter", "Enter"])?;
        self.settle();
        Ok(())
    }

    fn alert_wishes(&self) -> anyhow::Result<()> {
        self.right_click(560., 180.)?;
        self.keys(&["Up", "Up", "Enter", "Down", "Down", "Insert"])
    }

    fn import(&self) -> anyhow::Result<()> {
        self.console.app().global::<screen::Files>().invoke_import_into(-1);
        self.settle();
        Ok(())
    }

    fn choose_file(&self, index: i32) {
        self.console.app().global::<screen::Files>().invoke_choose(index);
        self.settle();
    }

    fn import_to_the_end(&self) -> anyhow::Result<()> {
        self.import()?;
        self.choose_file(0);
        self.console.app().global::<screen::Files>().invoke_begin();
        self.settle();
        Ok(())
    }

    fn wheel(&self, x: f32, y: f32, by: f32) -> anyhow::Result<()> {
        let position = slint::LogicalPosition::new(x, y);
        self.screen.dispatch(slint::platform::WindowEvent::PointerScrolled {
            position,
            delta_x: 0.,
            delta_y: by,
        })?;
        self.settle();
        Ok(())
    }

    fn ask_transfer(&self) -> anyhow::Result<()> {
        self.keys(&["F8", "Enter", "m", "a", "r"])
    }

    fn note_bold(&self) -> anyhow::Result<()> {
        self.rail(3)?;
        let app = self.console.app();
        let note = app.global::<screen::Note>();
        note.invoke_style(screen::NoteStyle::Bold, 0, 11);
        self.settle();
        Ok(())
    }

    fn note_failed(&self) -> anyhow::Result<()> {
        self.rail(3)?;
        let app = self.console.app();
        let note = app.global::<screen::Note>();
        note.set_text("Key of the *archive* is with __security__.".into());
        note.invoke_edited(note.get_text());
        note.set_standing(screen::NoteStanding::Failed);
        note.set_reason("the disk is full".into());
        self.settle();
        Ok(())
    }

    fn open_service(&self) -> anyhow::Result<()> {
        let x = f32::from(u16::try_from(self.size.width)?) - 600.;
        self.console.app().global::<screen::Desk>().invoke_open_service(x, 70.);
        Ok(())
    }

    fn open_keypad(&self) -> anyhow::Result<()> {
        self.console.app().global::<screen::Desk>().invoke_open_keypad();
        self.settle();
        self.keys(&["1", "2", "#"])
    }
}

/// What a desk would answer.
fn answer(request: ToDesk, faces: bool) -> Option<Event> {
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
        ToDesk::Query { seq, query: Query::Log(query) } => {
            let noon = query.from_unix_ms + 12 * 3_600_000;
            Some(Event::Reply { seq, reply: Reply::Log(scenes::log(noon, query.missed_only)) })
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
        ToDesk::Command { seq, command: Command::MarkCall { .. } } => {
            Some(Event::Done { seq, result: Ok(()) })
        }
        ToDesk::Command { seq, command: Command::ImportContacts { .. } } => {
            Some(Event::Reply { seq, reply: Reply::Import(scenes::report()) })
        }
        _ => None,
    }
}
