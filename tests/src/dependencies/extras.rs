//! What is in the programs and is no crate: C libraries that crates bring along, the standard library, the letters of the screen.
//! Their versions are read where they are, so that none is told that was there once.

use std::fs;

use super::graph::{Graph, Part, read};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// What it is called.
    pub name: &'static str,
    /// Its version.
    pub version: String,
    /// An SPDX expression.
    pub licence: &'static str,
    /// Where it comes from.
    pub home: &'static str,
    /// What brings it along.
    pub through: String,
    /// Its licence, where the crate's own files do not have it already.
    pub text: Option<String>,
}

/// Licences of these that are not among those of `deny.toml`, which is about crates.
pub const LICENCES: [&str; 2] = ["OFL-1.1", "blessing"];

/// SQLite's own words at the head of each of its files, in place of a licence.
const BLESSING: &str =
    "The author disclaims copyright to this source code. In place of a legal notice, here is a blessing:

    May you do good and not evil.
    May you find forgiveness for yourself and forgive others.
    May you share freely, never taking more than you give.
";

/// All of them.
///
/// # Errors
/// When one is not where it is expected.
pub fn all(graph: &Graph) -> Result<Vec<Extra>, String> {
    let toolchain = read("rust-toolchain.toml")?;
    let rust = between(&toolchain, "channel = \"", "\"").ok_or("rust-toolchain.toml names no channel")?;
    let letters = read("ui/fonts/README.md")?;
    let inter = between(&letters, "italics of Inter ", " ").ok_or("ui/fonts/README.md names no version")?;
    Ok(vec![
        Extra {
            name: "Inter",
            version: inter,
            licence: "OFL-1.1",
            home: "https://rsms.me/inter/",
            through: "ui/fonts".to_owned(),
            text: Some(read("ui/fonts/LICENSE-Inter.txt")?),
        },
        Extra {
            name: "Opus",
            version: brought(graph, "opusic-sys", "opus/package_version", "PACKAGE_VERSION=\"")?,
            licence: "BSD-3-Clause",
            home: "https://opus-codec.org/",
            through: "opusic-sys".to_owned(),
            text: None,
        },
        Extra {
            name: "Rust standard library",
            version: rust,
            licence: "MIT OR Apache-2.0",
            home: "https://www.rust-lang.org/",
            through: "rustc".to_owned(),
            text: None,
        },
        Extra {
            name: "SQLite",
            version: brought(
                graph,
                "libsqlite3-sys",
                "sqlite3/sqlite3.h",
                "#define SQLITE_VERSION        \"",
            )?,
            licence: "blessing",
            home: "https://sqlite.org/",
            through: "libsqlite3-sys".to_owned(),
            text: Some(BLESSING.to_owned()),
        },
    ])
}

/// A version that stands in a file of a crate, after these words.
fn brought(graph: &Graph, crate_name: &str, file: &str, after: &str) -> Result<String, String> {
    let package = graph.named(crate_name).filter(|package| package.part == Part::Linked);
    let package = package.ok_or_else(|| format!("{crate_name} is not linked any more"))?;
    let path = package.folder.join(file);
    let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let version = between(&String::from_utf8_lossy(&text), after, "\"");
    version.ok_or_else(|| format!("{} names no version", path.display()))
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let rest = text.split_once(start)?.1;
    Some(rest.split(end).next()?.trim().to_owned()).filter(|found| !found.is_empty())
}
