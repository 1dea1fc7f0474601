//! The direct dependencies and the reason of each: the comment beside it, or else the lines above it, in the workspace's manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::graph::{Graph, Package, Part, read};

/// Crates that look as if one of them were enough, and why both are there.
const ALIKE: &[(&[&str], &str)] = &[
    (&["anyhow", "thiserror"], "libraries name their errors, programs only tell them (law 7)"),
    (
        &["axum", "hyper"],
        "axum stands on hyper and has the routes of the page; requests of plugins need no routes",
    ),
    (&["csv", "csv-core"], "csv is built on csv-core; only the core reads a row with a bound on its length"),
    (
        &["getrandom", "ring"],
        "getrandom asks the system for a few bytes wherever they are wanted; ring seals, and draws its own nonces",
    ),
    (
        &["gif", "image", "png"],
        "image reads pictures of contacts and is built once for us and for slint; png writes, gif is what slint leaves out",
    ),
    (
        &["httparse", "hyper"],
        "the screen's own page is one picture in one thread: the heads of its requests need no runtime",
    ),
    (
        &["httparse", "tungstenite"],
        "the handshake and what follows it are tungstenite's; the rest of the screen's own page is plain HTTP",
    ),
    (
        &["libc", "rustix"],
        "rustix wherever it has the call, so that none of our code is unsafe; libc for the scheduling class and for signals",
    ),
    (&["log", "tracing"], "tracing is what we write; log only caps what libraries write"),
    (
        &["md-5", "ring", "sha2"],
        "ring is below TLS and seals secrets; sip is pure, hashes with md-5 and sha2, and has nothing of ring's C",
    ),
    (&["minisign", "minisign-verify"], "only tests sign"),
    (&["mio", "tokio"], "the media thread has no runtime beside it: its next packet is due in milliseconds"),
    (
        &["roxmltree", "xso"],
        "documents of telephones are read as a whole; of an XMPP stream no tree is ever built",
    ),
    (
        &["rustix", "socket2"],
        "socket2 sets options of sockets that tokio and std have opened; rustix has the disk, inotify and the clock",
    ),
];

/// Who names a crate, by their names.
type Users<'a> = BTreeSet<&'a str>;

/// The reasons that a manifest gives, by name; empty where it gives none. Crates of the same workspace have no place in it.
#[must_use]
pub fn reasons(manifest: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut above: Vec<&str> = Vec::new();
    let section = manifest.split("\n[workspace.dependencies]\n").nth(1).unwrap_or_default();
    for line in section.lines().take_while(|line| !line.starts_with('[')) {
        if let Some(comment) = line.strip_prefix("# ") {
            above.push(comment);
            continue;
        }
        let (entry, beside) = split(line);
        if let Some((name, _)) = entry.split_once(" = ").filter(|(_, value)| !value.contains("path = \"")) {
            let reason = beside.map_or_else(|| above.join(" "), str::to_owned);
            found.insert(name.trim().to_owned(), reason);
        }
        above.clear();
    }
    found
}

/// A line of a manifest without its comment, and the comment.
fn split(line: &str) -> (&str, Option<&str>) {
    let mut is_inside = false;
    for (at, sign) in line.char_indices() {
        match sign {
            '"' => is_inside = !is_inside,
            '#' if !is_inside => return (&line[..at], Some(line[at + 1..].trim())),
            _ => {}
        }
    }
    (line, None)
}

/// The page of the book, `engineering/dependencies.md`.
///
/// # Errors
/// When the manifest cannot be read, or gives no reason for a direct dependency.
pub fn page(graph: &Graph) -> Result<String, String> {
    let reasons = reasons(&read("Cargo.toml")?);
    let count =
        |part| graph.packages.iter().filter(|package| package.part == part && !package.is_ours()).count();
    let mut page = format!(
        "# Dependencies\n\n\
         Written by `make dependencies`: not to be edited. The reasons are the comments in the workspace's `Cargo.toml`.\n\n\
         {} crates of others are linked into the programs of the box, {} more run while these are built (build scripts, macros), and\n\
         {} more are in tests and reports only. `make sbom` writes the first two kinds as CycloneDX, `make deb` puts the licence texts of\n\
         the first kind into the package, and \"about\" on the administrator's page lists them.\n\n\
         | crate | version | licence | named by | why |\n|---|---|---|---|---|\n",
        count(Part::Linked),
        count(Part::Build),
        count(Part::Tests),
    );
    let direct = direct(graph);
    for ((name, version), (package, users)) in &direct {
        let reason = reasons.get(*name).filter(|reason| !reason.is_empty());
        let reason = reason.ok_or_else(|| format!("Cargo.toml does not say why {name} is there"))?;
        let users: Vec<&str> = users.iter().copied().collect();
        let licence = &package.licence;
        let _ = writeln!(
            page,
            "| {name} | {version} | {licence} | {} | {} |",
            users.join(", "),
            reason.replace('|', "\\|")
        );
    }
    page.push_str("\n## What looks alike\n\n| crates | why not one |\n|---|---|\n");
    for (names, reason) in ALIKE {
        for name in *names {
            if !direct.keys().any(|(other, _)| other == name) {
                return Err(format!(
                    "{name} is no direct dependency any more, and is said to look like another"
                ));
            }
        }
        let _ = writeln!(page, "| {} | {reason} |", names.join(", "));
    }
    Ok(page)
}

/// The crates of others that ours name, and which of ours do.
#[must_use]
pub fn direct(graph: &Graph) -> BTreeMap<(&str, &str), (&Package, Users<'_>)> {
    let mut found: BTreeMap<(&str, &str), (&Package, Users<'_>)> = BTreeMap::new();
    for ours in graph.packages.iter().filter(|package| package.is_ours()) {
        for other in ours.named.keys().map(|at| &graph.packages[*at]).filter(|other| !other.is_ours()) {
            let entry = found.entry((&other.name, &other.version)).or_insert((other, BTreeSet::new()));
            entry.1.insert(&ours.name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_stands_beside_or_above() {
        let manifest = "[workspace]\n\n[workspace.dependencies]\nours = { path = \"a\" }\n\n\
                        a = \"1\"   # for \"a#b\"\n# Above,\n# in two lines.\nb = { version = \"2#\" }\nc = \"3\"\n\
                        # Of nobody.\n\nd = \"4\"\n\n[profile.dev]\ne = 1 # no\n";
        let found = reasons(manifest);
        let told: Vec<(&str, &str)> = found.iter().map(|(name, reason)| (&**name, &**reason)).collect();
        assert_eq!(told, [("a", "for \"a#b\""), ("b", "Above, in two lines."), ("c", ""), ("d", "")]);
    }
}
