//! The book (`docs/book`) says what is there: its links and pictures, the words of the screen and of the administrator's
//! page, every key, every setting. What it gets wrong names itself, and so does what was built and is not in it.
//!
//! Not here: drawing the pictures and making the pages (`make docs`).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use frontdesk_tests::book::{self, Page};
use frontdesk_tests::repository;
use frontdesk_ui::keys::{ConsoleKey, KeyMap};
use frontdesk_ui::shortcuts::EDITABLE;
use store::{Scope, Settings, Store};
use toml::Table;

/// Keys of fields, which are nobody's to change.
const OF_FIELDS: [&str; 3] = ["Ctrl+S", "Ctrl+Enter", "Ctrl+Entrée"];
/// What keys that are not in the settings are called on a French keyboard.
const FRENCH: [(&str, &str); 10] = [
    ("Up", "Haut"),
    ("Down", "Bas"),
    ("Left", "Gauche"),
    ("Right", "Droite"),
    ("PageUp", "Page préc."),
    ("PageDown", "Page suiv."),
    ("Home", "Début"),
    ("End", "Fin"),
    ("Enter", "Entrée"),
    ("Escape", "Échap"),
];

#[test]
fn every_link_of_the_book_leads_to_a_page_and_a_heading_that_are_there() {
    let books = book::LANGUAGES.map(|language| (language, book::pages(language)));
    for (_, pages) in &books {
        for page in pages {
            // The other book is a folder beside this one once both are made.
            let outside = "../".repeat(page.name.split('/').count());
            for target in page.links().into_iter().filter(|target| !target.starts_with("http")) {
                let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
                let other = file.strip_prefix(&outside).and_then(|made| made.split_once('/'));
                let found = if let Some((language, made)) = other {
                    let (_, pages) = books.iter().find(|(name, _)| *name == language).expect(&target);
                    let name = made.strip_suffix(".html").map(|name| format!("{name}.md"));
                    pages.iter().find(|page| Some(&page.name) == name.as_ref())
                } else {
                    let path = if file.is_empty() { page.path.clone() } else { page.beside(file) };
                    pages.iter().find(|page| page.path == path)
                };
                let found = found.unwrap_or_else(|| panic!("{} leads to {target}, no page", page.name));
                assert!(
                    heading.is_empty() || found.headings().iter().any(|other| other == heading),
                    "{} leads to {target}: no such heading",
                    page.name
                );
            }
        }
    }
}

#[test]
fn every_page_stands_in_the_summary_once() {
    for language in book::LANGUAGES {
        let pages = book::pages(language);
        let summary = pages.iter().find(|page| page.name == "SUMMARY.md").unwrap();
        let told = summary.links();
        let told_once: BTreeSet<PathBuf> = told.iter().map(|file| summary.beside(file)).collect();
        assert_eq!(told.len(), told_once.len(), "a page stands in {language}/SUMMARY.md twice");
        let there = pages.iter().filter(|page| page.name != "SUMMARY.md").map(|page| page.path.clone());
        assert_eq!(there.collect::<BTreeSet<_>>(), told_once, "{language}");
    }
}

#[test]
fn both_languages_have_the_same_pages_for_operators_with_the_same_pictures() {
    let of = |language: &str| -> BTreeMap<String, Vec<String>> {
        let pages = book::pages(language).into_iter().filter(|page| page.name.starts_with("operator/"));
        let look = |picture: &String| picture.replace(&format!("-{language}-"), "-");
        pages.map(|page| (page.name.clone(), page.pictures().iter().map(look).collect())).collect()
    };
    assert_eq!(of("en"), of("fr"));
}

#[test]
fn every_picture_is_a_scene_that_the_screens_program_draws() {
    let table = fs::read_to_string(repository::root().join("ui/src/bin/screens/table.rs")).unwrap();
    let scenes: BTreeSet<&str> =
        table.split("name: \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(scenes.contains("desk"), "the table of scenes is written another way");
    for language in book::LANGUAGES {
        for page in book::pages(language) {
            for picture in page.pictures() {
                let name = picture.strip_prefix("../pictures/").and_then(|name| name.strip_suffix(".png"));
                let scene = name.and_then(|name| name.strip_suffix(&format!("-dark-{language}-800")));
                let scene = scene.unwrap_or_else(|| panic!("{}: {picture} has no look", page.name));
                assert!(scenes.contains(scene), "{}: no scene is called {scene}", page.name);
            }
        }
    }
}

#[test]
fn set_1_what_is_bold_is_what_the_screen_or_the_administrators_page_says() {
    let screen = book::catalogue();
    for language in book::LANGUAGES {
        let admin = admin_texts(language);
        let on_screen = screen.iter().map(|(en, fr)| if language == "en" { en } else { fr });
        let words: Vec<&String> = on_screen.collect();
        let of_admin: Vec<&String> = words.iter().copied().chain(admin.values()).collect();
        for page in book::pages(language) {
            let known = match page.name.split('/').next() {
                Some("operator") => &words,
                Some("admin") => &of_admin,
                _ => continue,
            };
            for bold in page.bold() {
                let is_said = known.iter().any(|text| book::says(text, &bold));
                assert!(is_said, "{language}/{}: nothing says {bold:?}", page.name);
            }
        }
    }
}

#[test]
fn call_12_the_table_of_keys_is_that_of_the_console() {
    let catalogue = book::catalogue();
    let french: BTreeMap<&str, &str> = catalogue.iter().map(|(en, fr)| (en.as_str(), fr.as_str())).collect();
    let words = key_words();
    for language in book::LANGUAGES {
        let in_language = |text: &str| match language {
            "en" => text.to_owned(),
            _ => french.get(text).map_or_else(|| text.to_owned(), |words| (*words).to_owned()),
        };
        let usual = KeyMap::default();
        let wanted: Vec<String> = EDITABLE
            .iter()
            .map(|action| {
                let name = match action {
                    ConsoleKey::Privacy => "hide".to_owned(),
                    // The last one there.
                    ConsoleKey::HearBack => String::new(),
                    other => kebab(&format!("{other:?}")),
                };
                let action_words = words.get(&name).unwrap_or_else(|| panic!("no words for {action:?}"));
                let keys = usual.keys(*action).iter();
                let keys: Vec<String> =
                    keys.map(|key| format!("<kbd>{}</kbd>", in_language(&shown(key)))).collect();
                format!("| {} | {} |", in_language(action_words), keys.join(" "))
            })
            .collect();
        let page = book::pages(language).into_iter().find(|page| page.name == "operator/keys.md").unwrap();
        let table = page.text.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
        let written: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(written, wanted, "{language}");
    }
}

#[test]
fn call_12_every_key_that_the_book_names_is_one() {
    let usual: BTreeMap<ConsoleKey, Vec<String>> = KeyMap::default().into();
    let catalogue = book::catalogue();
    let mut names: BTreeSet<String> = OF_FIELDS.iter().map(|key| (*key).to_owned()).collect();
    for key in usual.values().flatten() {
        let key = shown(key);
        let french = FRENCH.iter().find(|(name, _)| *name == key).map(|(_, french)| (*french).to_owned());
        let of_catalogue = catalogue.iter().find(|(en, _)| *en == key).map(|(_, fr)| fr.clone());
        names.extend(french.or(of_catalogue));
        names.insert(key);
    }
    for language in book::LANGUAGES {
        for page in book::pages(language) {
            for key in page.between("<kbd>", "</kbd>") {
                assert!(names.contains(&key), "{language}/{}: no key is called {key:?}", page.name);
            }
        }
    }
}

#[test]
fn app_2_every_field_of_the_administrators_page_is_in_the_book() {
    let texts = admin_texts("en");
    let page = english("admin/page.md");
    let bold = page.bold();
    for label in admin_labels() {
        let words = &texts[&label];
        assert!(bold.contains(words), "admin/page.md does not tell of the field {words:?} ({label})");
    }
}

#[test]
fn app_5_every_setting_is_in_the_book_and_nothing_else() {
    let fields = |table: &str| {
        let text = format!("{table}\nzzz = 1\n");
        allowed(&Settings::from_toml(&text, "settings.toml").unwrap_err().to_string())
    };
    let tables = fields("");
    let mut wanted = BTreeSet::new();
    for table in &tables {
        let lists = ["accounts", "lines", "handling", "park", "directories"].contains(&table.as_str());
        let keys = fields(&if lists { format!("[[{table}]]") } else { format!("[{table}]") });
        wanted.extend(
            keys.iter().filter(|key| *key != "open" || table == "crm").map(|key| format!("{table}.{key}")),
        );
    }
    wanted.extend(fields("[[timetable.open]]").iter().map(|key| format!("timetable.open.{key}")));

    let told = |page: &Page| -> BTreeSet<String> {
        let is_setting = |code: &String| {
            code.split_once('.').is_some_and(|(table, _)| tables.iter().any(|known| known == table))
                && code.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c))
        };
        page.code().into_iter().filter(is_setting).collect()
    };
    assert_eq!(
        told(&english("admin/page.md")),
        wanted,
        "settings that admin/page.md names, and that there are"
    );

    let file = english("admin/settings-toml.md");
    let mut named = told(&file);
    for snippet in file.snippets("settings.toml") {
        flatten("", &snippet.parse::<Table>().unwrap(), &mut named);
    }
    let missing: Vec<&String> = wanted.difference(&named).collect();
    assert!(missing.is_empty(), "admin/settings-toml.md does not show {missing:?}");
}

#[test]
fn every_snippet_of_a_settings_file_is_one() {
    let pages = book::pages("en").into_iter().flat_map(|page| page.snippets("settings.toml"));
    let readme = of_readme("[[accounts]]");
    let mut seen = 0;
    for snippet in pages.chain(readme) {
        if let Err(error) = Settings::from_toml(&snippet, "the snippet") {
            panic!("{error}\n{snippet}");
        }
        seen += 1;
    }
    assert!(seen >= 3, "{seen} snippets were found");
}

#[test]
fn every_key_of_frontdesk_toml_is_in_the_book_and_every_snippet_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let tables = allowed(&frontdeskd(folder.path(), "zzz = 1\n").unwrap_err());
    let mut wanted = BTreeSet::new();
    for name in &tables {
        match frontdeskd(folder.path(), &format!("[{name}]\nzzz = 1\n")).unwrap_err() {
            error if error.contains("zzz") => {
                wanted.extend(allowed(&error).iter().map(|key| format!("{name}.{key}")));
            }
            // No table: a key of the file's own.
            _ => {
                wanted.insert(name.clone());
            }
        }
    }
    let page = english("admin/frontdesk-toml.md");
    let mut shown = BTreeSet::new();
    for snippet in page.snippets("frontdesk.toml") {
        flatten("", &snippet.parse::<Table>().unwrap(), &mut shown);
    }
    assert_eq!(shown, wanted, "keys that the snippet shows, and that there are");
    let rows = page.text.lines().filter(|line| line.starts_with("| `")).map(|line| &line[2..]);
    let told: BTreeSet<String> = rows
        .flat_map(|row| book::spans(row.split(" |").next().unwrap_or_default(), '`'))
        .filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c)))
        .collect();
    let of_table = told.iter().filter(|key| !key.starts_with("frontdesk-"));
    assert_eq!(
        of_table.cloned().collect::<BTreeSet<_>>(),
        wanted,
        "keys that the table tells, and that there are"
    );

    let others = book::pages("en").into_iter().flat_map(|page| page.snippets("frontdesk.toml"));
    for snippet in others.chain(of_readme("[sip]")) {
        if let Err(error) = frontdeskd(folder.path(), &snippet) {
            panic!("{error}\n{snippet}");
        }
    }
}

#[test]
fn every_snippet_for_the_other_programs_has_keys_that_they_know() {
    let plugind = "firmware/plugin-host/src/bin/frontdesk-plugind.rs";
    let controls = "firmware/controls/src/table.rs";
    let fields = |file: &str, of: &str| -> BTreeSet<String> {
        let source = fs::read_to_string(repository::root().join(file)).unwrap();
        let body = source.split(&format!("struct {of} {{")).nth(1).unwrap().split("\n}").next().unwrap();
        let names = body.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        names.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect()
    };
    let mut seen = 0;
    for page in book::pages("en") {
        for snippet in page.snippets("plugind.toml") {
            let keys: BTreeSet<String> = snippet.parse::<Table>().unwrap().keys().cloned().collect();
            assert_eq!(keys, fields(plugind, "Config"), "{}", page.name);
            seen += 1;
        }
        for snippet in page.snippets("devices.toml") {
            let known = fields(controls, "Written");
            let file: Table = snippet.parse().unwrap();
            assert_eq!(file.keys().collect::<Vec<_>>(), ["device"], "{}", page.name);
            for device in file["device"].as_array().unwrap() {
                let unknown = device.as_table().unwrap().keys().find(|key| !known.contains(*key));
                assert_eq!(unknown, None, "{}", page.name);
            }
            let missing: Vec<&String> = known.iter().filter(|key| !page.code().contains(*key)).collect();
            assert!(missing.is_empty(), "{} does not tell of {missing:?}", page.name);
            seen += 1;
        }
    }
    assert_eq!(seen, 2, "snippets for other programs");
}

#[test]
fn every_file_of_the_repository_that_the_book_names_is_there() {
    const FOLDERS: [&str; 7] = ["firmware", "plugins", "ui", "tests", "docs", "yocto", ".ci"];
    let root = repository::root();
    for page in book::pages("en") {
        for code in page.code() {
            let mut parts = code.split('/');
            let (Some(first), Some(second)) = (parts.next(), parts.next()) else { continue };
            let is_path = FOLDERS.contains(&first) && !second.is_empty() && !code.contains(' ');
            // A part of the tree that has not come yet is not looked into.
            let is_here = root.join(first).is_dir()
                && (second != "appliance" || root.join("firmware/appliance").is_dir());
            assert!(!is_path || !is_here || root.join(&code).exists(), "{}: there is no {code}", page.name);
        }
    }
}

#[test]
fn every_target_of_make_that_the_book_and_the_readme_name_is_one() {
    let makefile = fs::read_to_string(repository::root().join("Makefile")).unwrap();
    let is_target = |word: &str| makefile.lines().any(|line| line.starts_with(&format!("{word}:")));
    let mut seen = 0;
    for (name, text) in prose_of_builders() {
        // Code within the text, and lines of blocks, between fences or moved in.
        let (prose, blocks): (Vec<_>, Vec<_>) =
            text.split("```").enumerate().partition(|(number, _)| number % 2 == 0);
        let spans = prose.iter().flat_map(|(_, part)| book::spans(part, '`'));
        let fenced = blocks.iter().flat_map(|(_, block)| block.lines());
        let moved_in = prose.iter().flat_map(|(_, part)| part.lines()).filter_map(|l| l.strip_prefix("    "));
        let lines = fenced.chain(moved_in).map(|line| line.trim().to_owned());
        let commands: Vec<String> = spans.chain(lines).collect();
        let told = commands.iter().filter_map(|c| c.trim_start_matches("sudo ").strip_prefix("make "));
        for target in told.filter_map(|rest| rest.split_whitespace().next()) {
            let is_word = target.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            assert!(!is_word || is_target(target), "{name}: make {target}?");
            seen += usize::from(is_word);
        }
    }
    assert!(seen > 40, "{seen} targets were found");
}

#[test]
fn app_2_whoever_is_root_gets_past_a_forgotten_password_as_the_book_says() {
    let page = english("admin/page.md");
    let sql = page.text.lines().find_map(|line| line.split_once("/desk.db \"")?.1.strip_suffix('"')).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.db");
    let mut store = Store::open(&path).unwrap();
    store.add_first_administrator("Ada", "a hash", 0).unwrap();
    store.add_token("phone book", Scope::Write, &[7; 32], "Ada", 0).unwrap();
    assert!(store.has_administrator().unwrap());
    drop(store);
    rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let store = Store::open(&path).unwrap();
    assert!(!store.has_administrator().unwrap() && store.tokens().unwrap().is_empty());
}

/// Texts that name targets of make, with their names.
fn prose_of_builders() -> Vec<(String, String)> {
    const FILES: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "plugins/README.md"];
    let read = |name: &str| (name.to_owned(), fs::read_to_string(repository::root().join(name)).unwrap());
    let book = book::pages("en").into_iter().map(|page| (page.name, page.text));
    FILES.into_iter().map(read).chain(book).collect()
}

fn english(name: &str) -> Page {
    book::pages("en").into_iter().find(|page| page.name == name).unwrap()
}

/// The snippet of the README that has this in it.
fn of_readme(mark: &str) -> Option<String> {
    let text = fs::read_to_string(repository::root().join("README.md")).unwrap();
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut found = blocks.filter(|block| block.contains(mark)).map(str::to_owned);
    found.next()
}

/// What this says of a file, read by the program itself.
fn frontdeskd(folder: &Path, text: &str) -> Result<(), String> {
    let path = folder.join("frontdesk.toml");
    let store = format!("store = {:?}", folder.join("desk.db"));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match lines.iter_mut().find(|line| line.starts_with("store = ")) {
        Some(line) => *line = store,
        None => lines.insert(0, store),
    }
    fs::write(&path, lines.join("\n")).unwrap();
    let mut command = Command::new(repository::program("frontdeskd"));
    let output = command.arg("--config").arg(&path).args(["settings", "export"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// The names that an error of serde says are expected in place of `zzz`.
fn allowed(error: &str) -> BTreeSet<String> {
    let (_, expected) = error.split_once("`zzz`").unwrap_or_else(|| panic!("no unknown field: {error}"));
    book::spans(expected, '`').into_iter().collect()
}

/// Keys of a table and of those in it, with dots.
fn flatten(before: &str, table: &Table, into: &mut BTreeSet<String>) {
    // What is a value there, however it is written.
    const VALUES: [&str; 2] = ["handling.when", "handling.then"];
    for (key, value) in table {
        let name = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
        let inner: Vec<&Table> = match value {
            toml::Value::Table(table) => vec![table],
            toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_table).collect(),
            _ => Vec::new(),
        };
        if inner.is_empty() || VALUES.contains(&name.as_str()) {
            into.insert(name);
        } else {
            inner.iter().for_each(|table| flatten(&name, table, into));
        }
    }
}

/// Every text of the administrator's page in a language, by its name in the source.
fn admin_texts(language: &str) -> BTreeMap<String, String> {
    let folder = repository::root().join("firmware/admin/src/text");
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let mut texts = BTreeMap::new();
    for file in files {
        for line in file.lines().filter_map(|line| line.strip_prefix("    ")) {
            let Some((name, rest)) = line.split_once(" = \"") else { continue };
            let Some((english, french)) = rest.split_once("\", \"") else { continue };
            let Some((french, _)) = french.rsplit_once('"') else { continue };
            let text = if language == "en" { english } else { french };
            texts.insert(name.to_owned(), text.replace("\\\"", "\""));
        }
    }
    texts
}

/// The names of the labels of everything that can be set on the administrator's page.
fn admin_labels() -> BTreeSet<String> {
    const MAKERS: [&str; 8] =
        ["text(", "offered(", "secret(", "secret_area(", "number(", "area(", "choice(", "tick("];
    // Rows that are made from a list, and a list of ticks with one legend.
    const LISTED: [&str; 2] = ["TIMER_", "SOUND_ROLE_"];
    let mut labels =
        BTreeSet::from(["RULE_MODES".to_owned(), "OPERATOR_PIN".to_owned(), "HOLIDAYS".to_owned()]);
    labels.extend(
        admin_texts("en").into_keys().filter(|name| LISTED.iter().any(|start| name.starts_with(start))),
    );
    let folder = repository::root().join("firmware/admin/src/pages");
    for entry in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for rest in
            source.split("form.").skip(1).filter(|rest| MAKERS.iter().any(|maker| rest.starts_with(maker)))
        {
            // The label is the second argument, where it is no list's.
            let arguments = rest.split_once(',').map_or("", |(_, rest)| rest);
            let label = arguments.split(',').next().and_then(|label| label.split("text::").nth(1));
            let name = label
                .map(|label| label.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect());
            labels.extend(name.filter(|name: &String| !name.is_empty()));
        }
    }
    assert!(
        labels.contains("SIP_USER") && labels.len() > 60,
        "the forms are written another way: {labels:?}"
    );
    labels
}

/// What the settings call the actions of keys, by the name in `ui/slint/globals/settings.slint`; the last has none.
fn key_words() -> BTreeMap<String, String> {
    let source = fs::read_to_string(repository::root().join("ui/slint/globals/settings.slint")).unwrap();
    let body = source.split("function action(").nth(1).unwrap().split("function fault(").next().unwrap();
    let mut words = BTreeMap::new();
    for line in body.lines().filter(|line| line.contains("@tr(\"")) {
        let name = line
            .split("KeyAction.")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap_or_default();
        let text = line.split("@tr(\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        words.insert(name.trim().to_owned(), text.to_owned());
    }
    words
}

/// `HangUp` as `hang-up`.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// A key's name as the settings show it, in English.
fn shown(key: &str) -> String {
    match key {
        "ContextMenu" => "Menu key".to_owned(),
        "Clear" => "5 of the keypad".to_owned(),
        _ => match (key.strip_prefix("Control+"), key.strip_prefix("Arrow")) {
            (Some(letter), _) => format!("Ctrl+{}", letter.to_uppercase()),
            (None, Some(way)) => way.to_owned(),
            (None, None) => key.to_owned(),
        },
    }
}
