//! The scenes: what the desk shows, and what a hand does to it.

use frontdesk_ui::link::{Event, News};
use frontdesk_ui::{scenes, screen};
use ipc::View;
use slint::ComponentHandle;

use crate::stage::{Named, Stage};

/// A scene: a view and what a hand does to it.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) view: fn() -> View,
    pub(crate) act: fn(&Stage) -> anyhow::Result<()>,
}

pub(crate) const SCENES: &[Scene] = &[
    Scene { name: "phone-failed", view: scenes::phone_failed, act: |_| Ok(()) },
    Scene { name: "phone-connecting", view: scenes::phone_connecting, act: |_| Ok(()) },
    Scene { name: "update-ready", view: scenes::update_ready, act: |_| Ok(()) },
    Scene { name: "update-over", view: scenes::update_over, act: |_| Ok(()) },
    Scene { name: "refusals", view: scenes::refusals, act: |_| Ok(()) },
    Scene { name: "troubles", view: scenes::troubles, act: |_| Ok(()) },
    Scene {
        name: "away",
        view: scenes::picture,
        act: |stage| {
            stage.console.take(News { events: vec![Event::Disconnected], view: None });
            Ok(())
        },
    },
    Scene { name: "keypad", view: scenes::picture, act: Stage::open_keypad },
    Scene { name: "desk", view: scenes::picture, act: |stage| stage.keys(&["Home"]) },
    Scene {
        name: "drag",
        view: scenes::picture,
        act: |stage| stage.first_then_drag("Tomás Rivera", Named::Beside("Ingrid Solberg")),
    },
    Scene {
        name: "drag-refused",
        view: scenes::picture,
        act: |stage| stage.first_then_drag("Marie Laurent", Named::Beside("Marie Laurent")),
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
        act: |stage| stage.first_then_drag("Tomás Rivera", Named::Call("Marie Laurent")),
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
    Scene {
        name: "call-menu",
        view: scenes::picture,
        act: |stage| stage.menu_of(Named::Call("Tomás Rivera")),
    },
    Scene {
        name: "call-marked",
        view: scenes::picture,
        act: |stage| {
            stage.menu_of(Named::Call("Tomás Rivera"))?;
            stage.keys(&["Up", "Up", "Enter"])
        },
    },
    Scene {
        name: "crm",
        view: scenes::picture,
        act: |stage| {
            stage.menu_of(Named::Call("Helena Brandt"))?;
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
        act: |stage| {
            stage.write_note("Wants a quote for 40 contactors.\nCall back before noon.")?;
            stage.board_up();
            Ok(())
        },
    },
    Scene {
        name: "customer-note-failed",
        view: scenes::customer_answered,
        act: |stage| {
            stage.send_note(Err("auth-failed"))?;
            stage.board_up();
            Ok(())
        },
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
    Scene {
        name: "contact-menu",
        view: scenes::picture,
        act: |stage| stage.menu_of(Named::Beside("Hugo Almeida")),
    },
    Scene { name: "search", view: scenes::picture, act: |stage| stage.keys(&["F3", "m", "a", "r"]) },
    Scene { name: "search-none", view: scenes::picture, act: |stage| stage.keys(&["F3", "x", "q"]) },
    Scene {
        name: "transfer-bar",
        view: scenes::picture,
        act: |stage| stage.ready_to_transfer("Hugo Almeida"),
    },
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
        act: |stage| stage.first_then_drag("Tomás Rivera", Named::Beside("Chiara Romano")),
    },
    Scene { name: "directory-menu", view: scenes::rows, act: |stage| stage.directory_menu(&[]) },
    Scene {
        name: "connector-menu",
        view: scenes::connector,
        act: |stage| stage.menu_of(Named::Beside("Hugo Almeida")).and_then(|()| stage.keys(&["Up", "Enter"])),
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
    Scene {
        name: "clear",
        view: scenes::rows,
        act: |stage| stage.this_directory(&["Up", "Up", "Up", "Enter"]),
    },
    Scene { name: "remove", view: scenes::rows, act: |stage| stage.this_directory(&["Up", "Up", "Enter"]) },
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
    Scene { name: "log", view: scenes::picture, act: |stage| stage.rail(screen::Screen::Log) },
    Scene { name: "notes", view: scenes::picture, act: |stage| stage.rail(screen::Screen::Note) },
    Scene { name: "notes-bold", view: scenes::picture, act: Stage::note_bold },
    Scene { name: "notes-failed", view: scenes::empty, act: Stage::note_failed },
    Scene {
        name: "log-menu",
        view: scenes::picture,
        act: |stage| {
            stage.rail(screen::Screen::Log)?;
            stage.menu_of(Named::Beside("Helena Brandt"))
        },
    },
    Scene { name: "board", view: scenes::picture, act: |stage| stage.board(screen::FocusPlace::Search) },
    Scene { name: "board-dial", view: scenes::picture, act: |stage| stage.board(screen::FocusPlace::Number) },
    Scene {
        name: "board-note",
        view: scenes::empty,
        act: |stage| {
            stage.rail(screen::Screen::Note)?;
            stage.board(screen::FocusPlace::Note)
        },
    },
    Scene {
        name: "settings-keys",
        view: scenes::own_keys,
        act: |stage| stage.keys_of_settings(|settings| settings.invoke_record(5)),
    },
    Scene {
        name: "settings-taken",
        view: scenes::own_keys,
        act: |stage| {
            stage.keys_of_settings(|settings| settings.invoke_record(1))?;
            stage.keys(&["F9"])
        },
    },
    Scene {
        name: "settings-unsaved",
        view: scenes::picture,
        act: |stage| {
            stage.rail(screen::Screen::Settings)?;
            let app = stage.console.app();
            let settings = app.global::<screen::Settings>();
            settings.invoke_choose(screen::SettingsStop::Calm);
            stage.rail(screen::Screen::Directory)
        },
    },
    Scene {
        name: "settings-by-key",
        view: scenes::empty,
        act: |stage| {
            stage.rail(screen::Screen::Settings)?;
            stage.keys(&["F5", "Down", "Down", "Down"])
        },
    },
    Scene {
        name: "log-calendar",
        view: scenes::picture,
        act: |stage| stage.log(&["F1", "Up", "Up", "Up", "Up", "Enter"]),
    },
    Scene {
        name: "log-calendar-month",
        view: scenes::picture,
        act: |stage| stage.log(&["F1", "Up", "Up", "Up", "Up", "Enter", "PageUp", "Left", "Up"]),
    },
    Scene {
        name: "log-sort",
        view: scenes::picture,
        act: |stage| stage.log(&["F1", "Enter", "Down", "Down", "Down", "Enter", "F1", "Enter"]),
    },
    Scene {
        name: "log-filter",
        view: scenes::picture,
        act: |stage| stage.log(&["F1", "Down", "Down", "Down", "Down", "Down", "Enter", "Down"]),
    },
    Scene { name: "log-search", view: scenes::picture, act: |stage| stage.log(&["F3", "r", "i", "v"]) },
    Scene { name: "log-search-none", view: scenes::picture, act: |stage| stage.log(&["F3", "x", "q"]) },
    Scene { name: "log-empty", view: scenes::picture, act: |stage| stage.log(&["Left", "Left"]) },
    Scene {
        name: "log-details",
        view: scenes::picture,
        act: |stage| stage.log(&["Down", "Down", "Down", "Enter"]),
    },
    Scene {
        name: "log-details-bad",
        view: scenes::picture,
        act: |stage| stage.log(&["Down", "Down", "Down", "Down", "Down", "Down", "Enter"]),
    },
    Scene {
        name: "log-narrow",
        view: scenes::picture,
        act: |stage| {
            stage.console.app().global::<screen::Panes>().invoke_move_calls(2000.);
            stage.log(&["Down", "Down"])
        },
    },
    Scene { name: "statistics", view: scenes::picture, act: |stage| stage.statistics(&[]) },
    Scene { name: "statistics-below", view: scenes::picture, act: |stage| stage.statistics(&["End"]) },
    Scene {
        name: "statistics-week",
        view: scenes::picture,
        act: |stage| stage.statistics(&["F1", "Down", "Enter", "Left"]),
    },
    Scene {
        name: "statistics-week-below",
        view: scenes::picture,
        act: |stage| stage.statistics(&["F1", "Down", "Enter", "Left", "PageDown"]),
    },
    Scene {
        name: "statistics-table",
        view: scenes::picture,
        act: |stage| stage.statistics(&["F1", "Down", "Down", "Down", "Enter", "PageDown"]),
    },
    Scene {
        name: "statistics-calendar",
        view: scenes::picture,
        act: |stage| stage.statistics(&["F1", "Down", "Enter", "F1", "Up", "Up", "Up", "Up", "Enter", "Up"]),
    },
    Scene {
        name: "statistics-empty",
        view: scenes::picture,
        act: |stage| stage.statistics(&["Left", "Left"]),
    },
    Scene {
        name: "statistics-narrow",
        view: scenes::empty,
        act: |stage| {
            stage.console.app().global::<screen::Panes>().invoke_move_calls(2000.);
            stage.statistics(&["F1", "Down", "Enter", "Left"])
        },
    },
    Scene { name: "settings", view: scenes::picture, act: |stage| stage.rail(screen::Screen::Settings) },
    Scene { name: "hidden", view: scenes::picture, act: |stage| stage.chord("h") },
    Scene { name: "hidden-empty", view: scenes::empty, act: |stage| stage.chord("h") },
    Scene { name: "settings-reading", view: scenes::picture, act: Stage::reading },
    Scene { name: "settings-about", view: scenes::picture, act: Stage::about },
    Scene {
        name: "reminders",
        view: scenes::to_be_reminded,
        act: |stage| stage.rail(screen::Screen::Reminders),
    },
    Scene {
        name: "reminders-due",
        view: || scenes::reminded(3),
        act: |stage| stage.rail(screen::Screen::Reminders),
    },
    Scene { name: "reminders-none", view: scenes::empty, act: Stage::no_reminders },
    Scene {
        name: "reminders-menu",
        view: scenes::to_be_reminded,
        act: |stage| stage.reminders(&["Down", "/"]),
    },
    Scene {
        name: "reminders-past",
        view: scenes::to_be_reminded,
        act: |stage| stage.reminders(&["End", "Up"]),
    },
    Scene {
        name: "reminders-removed",
        view: scenes::to_be_reminded,
        act: |stage| stage.reminders(&["Down", "Delete"]),
    },
    Scene {
        name: "reminders-narrow",
        view: scenes::to_be_reminded,
        act: |stage| {
            stage.console.app().global::<screen::Panes>().invoke_move_calls(2000.);
            stage.reminders(&["Down"])
        },
    },
    Scene {
        name: "reminder-new",
        view: scenes::to_be_reminded,
        act: |stage| stage.reminders(&["n", "P", "o", "s", "t"]),
    },
    Scene {
        name: "reminder-edit",
        view: scenes::to_be_reminded,
        act: |stage| stage.reminders(&["End", "Up", "Up", "Enter", "!", "Escape"]),
    },
    Scene {
        name: "reminder-fault",
        view: scenes::to_be_reminded,
        act: |stage| stage.reminders(&["n", "Tab", "Tab", "Tab", "9", "9"]),
    },
    Scene { name: "reminded", view: || scenes::reminded(3), act: |_| Ok(()) },
    Scene {
        name: "reminded-alerts",
        view: || View { alerts: scenes::alerts(2).alerts, ..scenes::reminded(2) },
        act: |stage| {
            std::thread::sleep(std::time::Duration::from_millis(600));
            stage.settle();
            Ok(())
        },
    },
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
        view: scenes::picture,
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
    Scene {
        name: "editor-new",
        view: scenes::picture,
        act: |stage| {
            stage.edit_new(2)?;
            stage.board_up();
            Ok(())
        },
    },
    Scene {
        name: "editor-errors",
        view: scenes::picture,
        act: |stage| {
            stage.edit_new(1)?;
            stage.keys(&["Down", "Down", "Down", "Down", "Down", "Down", "n", "o", "n", "e", "Tab"])?;
            stage.keys(&["+", "4", "9", "x", "Tab", "Tab", "Tab", "Tab", "m", "a", "r"])
        },
    },
    Scene { name: "editor", view: scenes::picture, act: |stage| stage.edit("Alice Fournier") },
    Scene {
        name: "editor-history",
        view: scenes::picture,
        act: |stage| {
            stage.edit("Alice Fournier")?;
            stage.wheel_beside(-3000.)
        },
    },
    Scene {
        name: "editor-leave",
        view: scenes::picture,
        act: |stage| {
            stage.edit("Alice Fournier")?;
            stage.keys(&["x", "Escape"])
        },
    },
    Scene {
        name: "editor-aside",
        view: || scenes::alerts(1),
        act: |stage| {
            stage.edit("Alice Fournier")?;
            stage.keys(&["x", "F3", "m", "a"])
        },
    },
    Scene {
        name: "editor-alert",
        view: || scenes::alerts(3),
        act: |stage| {
            stage.edit("Alice Fournier")?;
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
    Scene { name: "callers", view: scenes::known_callers, act: |stage| stage.keys(&["Home"]) },
    Scene {
        name: "callers-menu",
        view: scenes::known_callers,
        act: |stage| stage.menu_of(Named::Call("Helena Brandt")),
    },
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
            let x = stage.width() - 190.;
            stage.tap(x + 40., 40.)
        },
    },
    Scene {
        name: "signed-in-settings",
        view: scenes::signed_in,
        act: |stage| stage.rail(screen::Screen::Settings),
    },
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
];
