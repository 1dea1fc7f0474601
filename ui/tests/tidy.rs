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

/// The first arguments of all `@tr`, plurals included.
fn translated() -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for (_, file) in slint_files() {
        for part in file.split("@tr(\"").skip(1) {
            texts.insert(part.split('"').next().unwrap().to_owned());
        }
    }
    texts
}

fn french() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lang/fr/LC_MESSAGES/frontdesk-ui.po");
    let text = std::fs::read_to_string(path).unwrap();
    let entries = text.split("\n\n").skip(1).filter_map(|entry| {
        let field = |name: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().trim_matches('"').to_owned())
        };
        Some((field("msgid ")?, field("msgstr ").or_else(|| field("msgstr[0] "))?))
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

/// A cursor that is drawn and not said is a place where somebody who does not see is lost.
#[test]
fn acc_7_whatever_the_keyboard_can_come_to_is_said_aloud() {
    // The rows of the directory say both: the pane does it for them.
    const SAID_BY_OTHERS: [&str; 2] = ["TileView", "ContactRowView"];
    let mut dumb = Vec::new();
    let mut count = 0;
    for (path, file) in slint_files() {
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
