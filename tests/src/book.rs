//! The book of `docs/book` as text: pages with their links, headings, pictures, words and snippets, for the tests that
//! compare it with what is built.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::repository;

/// Its languages, each a folder.
pub const LANGUAGES: [&str; 2] = ["en", "fr"];

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file.
    pub path: PathBuf,
    /// The same below the sources of its language, `operator/keys.md`.
    pub name: String,
    /// Markdown.
    pub text: String,
}

/// All pages of a language, the summary among them.
///
/// # Panics
/// When the sources cannot be read.
#[must_use]
pub fn pages(language: &str) -> Vec<Page> {
    let root = repository::root().join("docs/book").join(language).join("src");
    let (mut folders, mut pages) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the sources of the book are there") {
            let path = entry.expect("a folder of the book can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name =
                path.strip_prefix(&root).expect("a file below the root").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a page of the book can be read");
            pages.push(Page { path, name, text });
        }
    }
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    pages
}

impl Page {
    /// The text without blocks of code.
    fn prose(&self) -> String {
        self.text.split("```").step_by(2).collect()
    }

    /// The text without any code.
    fn words(&self) -> String {
        self.prose().split('`').step_by(2).collect()
    }

    /// Where its links lead, as written.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        self.targets(false)
    }

    /// Its pictures, as written.
    #[must_use]
    pub fn pictures(&self) -> Vec<String> {
        self.targets(true)
    }

    fn targets(&self, of_pictures: bool) -> Vec<String> {
        let text = self.words();
        let mut found = Vec::new();
        for (at, _) in text.match_indices("](") {
            let opened = text[..at].rfind('[').unwrap_or(0);
            let is_picture = text[..opened].ends_with('!');
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            if is_picture == of_pictures {
                found.push(target.to_owned());
            }
        }
        found
    }

    /// A file beside this page.
    #[must_use]
    pub fn beside(&self, file: &str) -> PathBuf {
        let mut path = self.path.parent().map(Path::to_path_buf).unwrap_or_default();
        for part in Path::new(file).components() {
            match part {
                Component::ParentDir => {
                    path.pop();
                }
                other => path.push(other),
            }
        }
        path
    }

    /// Its headings as anchors, as mdBook makes them.
    #[must_use]
    pub fn headings(&self) -> Vec<String> {
        let prose = self.prose();
        let heads = prose.lines().filter(|line| line.starts_with('#'));
        let anchor = |head: &str| {
            let head = head.trim_start_matches('#').trim();
            let kept = head.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        };
        heads.map(anchor).collect()
    }

    /// What stands in bold letters, with single spaces.
    #[must_use]
    pub fn bold(&self) -> Vec<String> {
        self.between("**", "**")
    }

    /// What stands between two signs outside of code.
    #[must_use]
    pub fn between(&self, open: &str, close: &str) -> Vec<String> {
        let text = self.words();
        let (mut rest, mut found) = (text.as_str(), Vec::new());
        while let Some((_, after)) = rest.split_once(open) {
            let Some((inside, after)) = after.split_once(close) else { break };
            found.push(inside.split_whitespace().collect::<Vec<_>>().join(" "));
            rest = after;
        }
        found
    }

    /// What stands as code within the text.
    #[must_use]
    pub fn code(&self) -> Vec<String> {
        spans(&self.prose(), '`')
    }

    /// Blocks of TOML for this file.
    #[must_use]
    pub fn snippets(&self, file: &str) -> Vec<String> {
        let opening = format!("```toml,{file}\n");
        let blocks = self.text.split(&opening).skip(1);
        blocks.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
    }
}

/// What stands between pairs of a sign.
#[must_use]
pub fn spans(text: &str, sign: char) -> Vec<String> {
    let parts: Vec<&str> = text.split(sign).collect();
    // The last one is not closed.
    let closed = parts.len().saturating_sub(1);
    parts[..closed].iter().skip(1).step_by(2).map(|part| (*part).to_owned()).collect()
}

/// Every text of the screen in English and in French, with its plurals.
///
/// # Panics
/// When the catalogue cannot be read.
#[must_use]
pub fn catalogue() -> Vec<(String, String)> {
    let path = repository::root().join("ui/lang/fr/LC_MESSAGES/frontdesk-ui.po");
    let text = fs::read_to_string(path).expect("the catalogue is there");
    let mut found = Vec::new();
    for entry in text.split("\n\n") {
        // A text may go on in further lines.
        let joined = entry.replace("\"\n\"", "");
        let of = |word: &str| {
            let lines = joined.lines().filter_map(|line| line.strip_prefix(word));
            let quoted = lines.filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
            quoted.map(|text| text.replace("\\\"", "\"").replace("\\n", " ")).next()
        };
        for (english, french) in
            [("msgid ", "msgstr "), ("msgid ", "msgstr[0] "), ("msgid_plural ", "msgstr[1] ")]
        {
            found.extend(of(english).zip(of(french)).filter(|(english, _)| !english.is_empty()));
        }
    }
    assert!(found.len() > 500, "the catalogue is written another way");
    found
}

/// Whether a text of the screen says this; what is filled in (`{}`, `{name}`) may be anything.
#[must_use]
pub fn says(text: &str, written: &str) -> bool {
    let plain = |text: &str| text.replace(['\u{a0}', '\u{202f}'], " ");
    let (text, written) = (plain(text), plain(written));
    let mut fixed = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, (_, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        fixed.push(before);
        rest = after;
    }
    if fixed.is_empty() {
        return text == written;
    }
    // Of a text that is little but places to fill in, everything would be one.
    let letters: usize =
        fixed.iter().chain([&rest]).map(|part| part.chars().filter(|c| c.is_alphabetic()).count()).sum();
    if letters < 3 {
        return false;
    }
    let Some(mut left) = written.strip_prefix(fixed[0]) else { return false };
    for part in fixed[1..].iter().filter(|part| !part.is_empty()) {
        match left.split_once(part) {
            Some((filled, after)) if !filled.is_empty() => left = after,
            _ => return false,
        }
    }
    left.len() > rest.len() && left.ends_with(rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        Page { path: "/book/src/operator/x.md".into(), name: "operator/x.md".into(), text: text.into() }
    }

    #[test]
    fn links_pictures_words_and_code_are_told_apart() {
        let page = page(
            "# Él y *ella*, 2\n[a](../b.md#c) ![p](../pictures/p.png) **As\nsaved** `x.y`\n\
             ```toml,f.toml\n[z](q) **no**\n```\n<kbd>F6</kbd>",
        );
        assert_eq!(page.links(), ["../b.md#c"]);
        assert_eq!(page.pictures(), ["../pictures/p.png"]);
        assert_eq!(page.bold(), ["As saved"]);
        assert_eq!(page.code(), ["x.y"]);
        assert_eq!(page.snippets("f.toml"), ["[z](q) **no**\n"]);
        assert_eq!(page.between("<kbd>", "</kbd>"), ["F6"]);
        assert_eq!(page.headings(), ["él-y-ella-2"]);
        assert_eq!(page.beside("../b.md"), Path::new("/book/src/b.md"));
    }

    #[test]
    fn a_text_says_what_is_written_with_its_places_filled_in() {
        assert!(says("As saved", "As saved"));
        assert!(!says("As saved", "As save"));
        assert!(says("Back from {}: {}", "Back from Ann: no answer"));
        assert!(!says("Back from {}: {}", "Back from : no answer"));
        assert!(!says("Back from {}: {}", "Back from Ann: "));
        assert!(says("Lost\u{a0}: {}", "Lost : Headset"));
        assert!(!says("{} {}", "any thing"));
    }
}
