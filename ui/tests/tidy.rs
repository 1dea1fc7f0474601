//! What the eye of a reviewer would otherwise have to check: sizes and colours live in one file,
//! and no text lacks its French.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn slint_files() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, files: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("slint"), &mut files);
    assert!(files.len() > 15, "the files are not where this test looks");
    files
}

/// What parts the context of a text from it, as in a compiled catalogue.
const CONTEXT: char = '\u{4}';

/// The texts of all `@tr`, plurals included; a context stands before its text.
fn translated() -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for (_, file) in slint_files() {
        for part in file.split("@tr(\"").skip(1) {
            let mut quoted = part.split('"');
            let first = quoted.next().unwrap();
            texts.insert(match quoted.next() {
                Some(" => ") => format!("{first}{CONTEXT}{}", quoted.next().unwrap()),
                _ => first.to_owned(),
            });
        }
    }
    texts
}

fn french_catalogue() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lang/fr/LC_MESSAGES/frontdesk-ui.po");
    std::fs::read_to_string(path).unwrap()
}

fn french() -> Vec<(String, String)> {
    let text = french_catalogue();
    let entries = text.split("\n\n").skip(1).filter_map(|entry| {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().trim_matches('"').to_owned())
        };
        let context = field("msgctxt ").map(|context| format!("{context}{CONTEXT}")).unwrap_or_default();
        Some((context + &field("msgid ")?, field("msgstr ").or_else(|| field("msgstr[0] "))?))
    });
    entries.collect()
}

#[test]
fn acc_4_every_text_has_its_french_and_no_other() {
    let (wanted, french) = (translated(), french());
    let there: BTreeSet<String> = french.iter().map(|(english, _)| english.clone()).collect();
    let missing: Vec<_> = wanted.difference(&there).collect();
    let left_over: Vec<_> = there.difference(&wanted).collect();
    assert!(missing.is_empty() && left_over.is_empty(), "missing {missing:?}, left over {left_over:?}");
    assert!(there.len() > 100);
    for (english, french) in french {
        assert!(!french.is_empty(), "{english}");
        let holes = |text: &str| text.matches('{').count();
        assert_eq!(holes(&english), holes(&french), "{english} / {french}");
    }
}

/// French writes a space before these signs, and a line must not begin with one of them.
#[test]
fn acc_4_no_french_sign_stands_at_the_start_of_a_line() {
    let catalogue = french_catalogue();
    let mut kept = 0;
    for line in catalogue.lines().filter(|line| line.starts_with("msgstr")) {
        for sign in [" :", " ;", " ?", " !", " %", " »", "« "] {
            assert!(!line.contains(sign), "{sign:?} needs a no-break space: {line}");
        }
        kept += line.matches('\u{a0}').count();
    }
    assert!(kept > 100, "{kept} no-break spaces are not where this test looks");
}

#[test]
fn colours_and_sizes_are_in_tokens_slint_only() {
    for (path, text) in slint_files() {
        if path.ends_with("tokens.slint") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let place = format!("{}:{}: {}", path.display(), number + 1, line.trim());
            let colour = code
                .split('#')
                .skip(1)
                .any(|rest| rest.len() >= 3 && rest.chars().take(3).all(|letter| letter.is_ascii_hexdigit()));
            assert!(!colour, "a colour: {place}");
            let size = code.match_indices("px").any(|(at, _)| {
                let digits: String = code[..at].chars().rev().take_while(char::is_ascii_digit).collect();
                !digits.is_empty() && digits != "0"
            });
            assert!(!size, "a size: {place}");
        }
    }
}

#[test]
fn no_word_is_written_without_translation() {
    for (path, text) in slint_files() {
        for (number, line) in text.lines().enumerate() {
            let code = line.trim();
            let is_text = ["text: \"", "label: \"", "title: \"", "hint: \"", "explanation: \""]
                .iter()
                .any(|start| code.starts_with(start));
            let word = code.split('"').nth(1).unwrap_or_default();
            // Names of languages and of the product are the same everywhere.
            let proper = ["English", "Français", "Frontdesk", "  "].contains(&word);
            assert!(!is_text || proper, "{}:{}: {code}", path.display(), number + 1);
        }
    }
}

/// The files of a folder below `slint`.
fn slint_files_of(folder: &str) -> Vec<(String, String)> {
    let files =
        slint_files().into_iter().filter(|(path, _)| path.parent().is_some_and(|p| p.ends_with(folder)));
    files.map(|(path, text)| (path.file_name().unwrap().to_string_lossy().into_owned(), text)).collect()
}

/// The names of the components that the text begins a line to declare, and their bodies.
fn components<'a>(text: &'a str, start: &str) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(start) {
        let is_line = at == 0 || rest.as_bytes()[at - 1] == b'\n';
        rest = &rest[at + start.len()..];
        if is_line {
            let name = rest.split([' ', '{']).next().unwrap();
            found.push((name, rest.split("\n}").next().unwrap()));
        }
    }
    found
}

/// Components that cannot be seen: what a finger does to others, or what lies over them.
const UNSEEN: [&str; 5] = ["DragHandle", "Heard", "NoDrop", "PressArea", "TapArea"];

/// Whether an element of this component is in the text.
fn uses(text: &str, component: &str) -> bool {
    text.match_indices(component).any(|(at, _)| {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        let after = text[at + component.len()..].trim_start();
        !before.is_alphanumeric() && before != '-' && before != '.' && after.starts_with('{')
    })
}

#[test]
fn acc_4_every_component_is_in_the_gallery() {
    let gallery = slint_files_of("gallery");
    let frame = &gallery.iter().find(|(name, _)| name == "gallery.slint").unwrap().1;
    // Helpers of pages, too: a component may be shown by one of them.
    let helpers: Vec<(&str, &str)> =
        gallery.iter().flat_map(|(_, text)| components(text, "component ")).collect();
    let mut shown = 0;
    for (file, text) in slint_files_of("components") {
        for (component, body) in components(&text, "export component ") {
            if UNSEEN.contains(&component) {
                let visible = ["background:", "Label {", "Icon {", "border-color:"];
                assert!(!visible.iter().any(|part| body.contains(part)), "{component} can be seen");
                continue;
            }
            let page = format!("{component}Page");
            let pages = gallery.iter().flat_map(|(_, text)| components(text, "export component "));
            let Some((_, body)) = pages.into_iter().find(|(name, _)| *name == page) else {
                panic!("{component} ({file}) has no page in the gallery: component {page} in slint/gallery")
            };
            let by_helper = helpers.iter().any(|(name, inside)| uses(body, name) && uses(inside, component));
            assert!(uses(body, component) || by_helper, "{page} does not show {component}");
            for line in
                [format!("\"{component}\",\n"), format!("if root.page == \"{component}\": {page} {{ }}")]
            {
                assert!(frame.contains(&line), "slint/gallery/gallery.slint lacks {line}");
            }
            shown += 1;
        }
    }
    assert!(shown > 60, "{shown} components were looked for");
    assert!(uses("x := Label { }", "Label") && !uses("TestLabel { }", "Label") && !uses("Label.x", "Label"));
}

/// What looks or is read out like a button in a screen's own file, and why it stays there: a part of its line.
const NO_BUTTONS: [(&str, &str, &str); 7] = [
    ("calls_pane.slint", "accessible-role: slider", "a divider, which a DragHandle moves"),
    ("app.slint", "accessible-role: slider", "a divider, which a DragHandle moves"),
    (
        "elsewhere.slint",
        "press.pressed ? Ink.pressed",
        "a row of people found elsewhere, which no other screen has",
    ),
    ("finder.slint", "press.pressed ? Ink.pressed", "a row of contacts found, which no other screen has"),
    ("app.slint", "accessible-role: button", "the dark screen, all of which a touch wakes"),
    (
        "privacy.slint",
        "accessible-role: button",
        "the head of a covered screen, all of which is the way back",
    ),
    ("privacy.slint", "show.pressed ? Ink.pressed", "the same under a finger"),
];

#[test]
fn acc_4_no_screen_builds_its_own_button() {
    let controls = ["button", "radio-button", "checkbox", "switch", "tab", "slider", "combobox", "spinbox"];
    let mut stays = BTreeSet::new();
    for (file, text) in slint_files_of("screens").into_iter().chain(slint_files_of("slint")) {
        if file == "tokens.slint" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let role = code.trim().strip_prefix("accessible-role:").map(|role| {
                role.trim().trim_end_matches(';').trim_start_matches("AccessibleRole.").to_owned()
            });
            let is_control = role.is_some_and(|role| controls.contains(&role.as_str()));
            // What changes under a finger is what one presses.
            let is_pressed = code.trim_start().starts_with("background:") && code.contains(".pressed ?");
            if !is_control && !is_pressed {
                continue;
            }
            let known = NO_BUTTONS.iter().find(|(of, part, _)| *of == file && code.contains(part));
            assert!(
                known.is_some(),
                "{file}:{}: {}: a button of a screen's own; make it a component in slint/components",
                number + 1,
                code.trim()
            );
            stays.extend(known.map(|(of, part, _)| (*of, *part)));
        }
    }
    assert_eq!(stays.len(), NO_BUTTONS.len(), "an exception that nothing needs: {stays:?}");
}

#[test]
fn acc_4_every_duration_is_in_the_tokens_where_reduced_motion_can_reach_it() {
    let mut named = 0;
    for (path, text) in slint_files() {
        if path.ends_with("tokens.slint") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let place = format!("{}:{}: {}", path.display(), number + 1, line.trim());
            let moves = code.trim_start().starts_with("animate ") || code.contains("duration:");
            assert!(!moves || code.contains("Motion."), "a movement that does not ask Motion: {place}");
            let words =
                code.split(|letter: char| !letter.is_alphanumeric() && letter != '.' && letter != '_');
            let literal = words.filter(|word| !word.contains('_')).any(|word| {
                let digits = word.strip_suffix("ms").or_else(|| word.strip_suffix('s'));
                digits.is_some_and(|digits| digits.parse::<f64>().is_ok())
            });
            assert!(!literal, "a duration: {place}");
            named += usize::from(code.contains("interval: ") && code.contains("Motion."));
        }
    }
    assert!(named > 5, "the timers are not where this test looks: {named}");
}

/// A cursor that is drawn and not said is a place where somebody who does not see is lost.
#[test]
fn acc_7_whatever_the_keyboard_can_come_to_is_said_aloud() {
    // The rows of the directory say both: the pane does it for them. The others only draw the ring: of what stands on a surface,
    // of the note that is written in a plate, of a page that a browser of its own shows, and
    // around a week, whose days say themselves.
    const SAID_BY_OTHERS: [&str; 7] =
        ["TileView", "ContactRowView", "BarSurface", "ChoiceSurface", "Plate", "PagePane", "CalendarOverlay"];
    let mut dumb = Vec::new();
    let mut count = 0;
    // A page of the gallery draws a cursor that nobody moves.
    let on_a_desk = |path: &Path| !path.parent().is_some_and(|folder| folder.ends_with("gallery"));
    for (path, file) in slint_files().into_iter().filter(|(path, _)| on_a_desk(path)) {
        for part in file.split("\ncomponent ").skip(1).chain(file.split("\nexport component ").skip(1)) {
            let component =
                part.split("\ncomponent ").next().unwrap().split("\nexport component ").next().unwrap();
            let name = component.split_whitespace().next().unwrap();
            let has_cursor = ["property <bool> meant", ":= TextInput {", "Ink.focus"];
            if !has_cursor.iter().any(|sign| component.contains(sign)) || SAID_BY_OTHERS.contains(&name) {
                continue;
            }
            count += 1;
            if !component.contains("Heard {") {
                dumb.push(format!("{} in {}", name, path.display()));
            }
        }
    }
    assert!(dumb.is_empty(), "{dumb:#?}");
    assert!(count > 15, "{count} components are not where this test looks");
}
