//! The licence texts of everything that is in the programs, as one file: who is in it, then each text once with whom it is of.
//!
//! A crate's own files come first. Where it was published without any, the files of another crate of its repository stand for it,
//! else the standard text of the licence. Whatever has no text at all is an error, so that nothing is left out unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::extras::{self, Extra};
use super::graph::{Graph, Package};
use super::spdx;

/// Beginnings of names of files that have licences and notices in them.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];
/// Larger files are no licences, in bytes.
const LARGEST: u64 = 200 * 1024;
/// Deepest folder below a crate's own that is looked into.
const DEEPEST: usize = 4;
/// What is chosen where an author leaves the choice and gives no text.
const CHOSEN: [&str; 5] = ["Apache-2.0", "MIT", "BSD-3-Clause", "Zlib", "ISC"];

const MIT: &str = "MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software
is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
";

/// The list that "about" shows: a line each of name, version and licence with tabs between, by name.
///
/// # Errors
/// When something that comes along is not where it is expected.
pub fn list(graph: &Graph) -> Result<String, String> {
    let crates = graph.linked().map(|of| (of.name.clone(), of.version.clone(), of.licence.clone()));
    let extras = extras::all(graph)?.into_iter();
    let extras = extras.map(|of| (of.name.to_owned(), of.version, of.licence.to_owned()));
    let mut rows: Vec<(String, String, String)> = crates.chain(extras).collect();
    rows.sort_by_cached_key(|(name, ..)| name.to_lowercase());
    Ok(rows.iter().map(|(name, version, licence)| format!("{name}\t{version}\t{licence}\n")).collect())
}

/// The file with all texts.
///
/// # Errors
/// When a crate's folder cannot be read, or there is no text for something.
pub fn texts(graph: &Graph) -> Result<String, String> {
    let extras = extras::all(graph)?;
    let shelf = Shelf::of(graph)?;
    // A text, without regard to how its lines are broken: the text as it stands, and whose it is.
    let mut texts: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let mut add = |text: &str, whose: String| {
        let entry = texts.entry(words(text)).or_insert_with(|| (text.trim().to_owned(), BTreeSet::new()));
        entry.1.insert(whose);
    };
    for package in graph.linked() {
        for text in shelf.for_package(package)? {
            add(&text, format!("{} {}", package.name, package.version));
        }
    }
    for extra in &extras {
        for text in shelf.for_extra(extra)? {
            add(&text, format!("{} {}", extra.name, extra.version));
        }
    }
    let mut sorted: Vec<&(String, BTreeSet<String>)> = texts.values().collect();
    sorted.sort_by(|a, b| (a.1.first(), &a.0).cmp(&(b.1.first(), &b.0)));
    let mut file = heading(&list(graph)?, &extras);
    for (text, whose) in sorted {
        let whose: Vec<&str> = whose.iter().map(String::as_str).collect();
        let _ = write!(file, "\n{}\n{}\n\n{text}\n", "=".repeat(100), folded(&whose.join(", ")));
    }
    Ok(file)
}

fn heading(list: &str, extras: &[Extra]) -> String {
    let mut file = String::from(
        "What Frontdesk is made of, and under which licences\n\
         ===================================================\n\n\
         Frontdesk is free software under the GNU General Public License, version 3 or any later version. The following is\n\
         linked into its programs. Libraries that the system brings (the C library, ALSA, fontconfig, Wayland) are packages of\n\
         their own; their licences are in /usr/share/doc.\n\n",
    );
    for (name, version, licence) in list.lines().filter_map(row) {
        let _ = writeln!(file, "{:<44} {licence}", format!("{name} {version}"));
    }
    file.push('\n');
    for extra in extras {
        let _ = writeln!(file, "{} comes from {} (by {}).", extra.name, extra.home, extra.through);
    }
    file
}

/// A line of the list, taken apart.
#[must_use]
pub fn row(line: &str) -> Option<(&str, &str, &str)> {
    let mut columns = line.split('\t');
    Some((columns.next()?, columns.next()?, columns.next()?))
}

/// Every text that crates of the graph brought along, and where standard ones come from.
struct Shelf<'a> {
    of_crates: BTreeMap<usize, Vec<(String, String)>>,
    packages: &'a [Package],
}

impl<'a> Shelf<'a> {
    fn of(graph: &'a Graph) -> Result<Self, String> {
        let mut of_crates = BTreeMap::new();
        for (at, package) in graph.packages.iter().enumerate().filter(|(_, package)| !package.is_ours()) {
            let mut found = Vec::new();
            collect(&package.folder, 0, &mut found)
                .map_err(|error| format!("{}: {error}", package.folder.display()))?;
            found.sort();
            of_crates.insert(at, found);
        }
        Ok(Self { of_crates, packages: &graph.packages })
    }

    fn for_package(&self, package: &Package) -> Result<Vec<String>, String> {
        let own = self.files(|other| other.name == package.name && other.version == package.version);
        if !own.is_empty() {
            return Ok(own);
        }
        let by = match package.authors.as_slice() {
            [] => format!("the authors of {}", package.name),
            authors => authors.join(", "),
        };
        let said = format!("Copyright (c) {by}");
        let beside = package.repository.as_deref().and_then(|home| {
            let is_beside = |other: &Package| {
                other.licence == package.licence && other.repository.as_deref().is_some_and(|of| of == home)
            };
            let mut found = self.packages.iter().enumerate().filter(|(_, other)| is_beside(other));
            found.find_map(|(at, _)| self.of_crates.get(&at).filter(|files| !files.is_empty()))
        });
        if let Some(files) = beside {
            return Ok(files.iter().map(|(_, text)| text.clone()).collect());
        }
        let text = self.standard(&package.licence).ok_or_else(|| {
            format!(
                "{} {} has no licence text, nor is there one of {}",
                package.name, package.version, package.licence
            )
        })?;
        Ok(vec![format!("{said}\n\n{text}")])
    }

    fn for_extra(&self, extra: &Extra) -> Result<Vec<String>, String> {
        if let Some(text) = &extra.text {
            return Ok(vec![text.clone()]);
        }
        let through = self.files(|other| other.name == extra.through);
        if !through.is_empty() {
            return Ok(through);
        }
        let standard = self.standard(extra.licence);
        standard.map(|text| vec![text]).ok_or_else(|| format!("there is no licence text of {}", extra.name))
    }

    fn files(&self, whose: impl Fn(&Package) -> bool) -> Vec<String> {
        let found = self.of_crates.iter().filter(|(at, _)| whose(&self.packages[**at]));
        found.flat_map(|(_, files)| files).map(|(_, text)| text.clone()).collect()
    }

    /// The text of a licence that is chosen of this expression: the one that most crates have.
    fn standard(&self, expression: &str) -> Option<String> {
        let is_enough = |id: &str| spdx::holds(expression, &|other| other == id).unwrap_or(false);
        let id = CHOSEN.into_iter().find(|id| is_enough(id)).unwrap_or(expression);
        if id == "MIT" {
            return Some(MIT.to_owned());
        }
        let mut counted: BTreeMap<String, (usize, &str)> = BTreeMap::new();
        for (at, files) in &self.of_crates {
            let is_only = self.packages[*at].licence == id && files.len() == 1;
            for (name, text) in files {
                if is_only || (id == "Apache-2.0" && name.to_lowercase().contains("apache")) {
                    counted.entry(words(text)).or_insert((0, text)).0 += 1;
                }
            }
        }
        counted.into_values().max_by_key(|(count, _)| *count).map(|(_, text)| text.to_owned())
    }
}

/// The licence files of a folder and of those in it: name and text.
fn collect(folder: &Path, depth: usize, into: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEEPEST {
            collect(&path, depth + 1, into)?;
        } else if kind.is_file() && is_licence(&path) && entry.metadata()?.len() <= LARGEST {
            let text = String::from_utf8_lossy(&fs::read(&path)?).replace("\r\n", "\n");
            if words(&text).len() > 40 {
                into.push((name, text));
            }
        }
    }
    Ok(())
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    let beside = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
    let in_folder = beside.is_some_and(|folder| folder.eq_ignore_ascii_case("licenses"));
    // Licences that nobody here chooses, and sources that begin with the same word.
    let other = name.starts_with("licenseref-")
        || ["rs", "c", "h", "py", "toml", "html", "json", "yml"].contains(&&*ending);
    !other && (in_folder || NAMES.iter().any(|start| name.starts_with(start)))
}

/// The words of a text: how its lines are broken makes no other text of it.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A long line as several of at most 100 characters.
fn folded(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length + word.len() >= 100 {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_files_are_known_by_their_names() {
        for good in [
            "LICENSE",
            "a/LICENSE-MIT",
            "COPYING.txt",
            "UNLICENSE",
            "b/LICENSES/GPL-3.0-only.txt",
            "NOTICE.md",
        ] {
            assert!(is_licence(Path::new(good)), "{good}");
        }
        for bad in [
            "src/license.rs",
            "README.md",
            "LICENSES/LicenseRef-Slint-Software-3.0.md",
            "notice.h",
            "src/lib.rs",
        ] {
            assert!(!is_licence(Path::new(bad)), "{bad}");
        }
        assert_eq!(words("MIT\n  License\n"), words("MIT License"));
        assert_eq!(folded(&"abcd ".repeat(30)).lines().next().map(str::len), Some(99));
    }
}
