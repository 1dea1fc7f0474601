//! The crates of the workspace as cargo resolves them for a PC, and which of them end up in the programs of the box.
//!
//! Features are those of the whole workspace, tests included, because that is how the programs are built
//! (`cargo build --workspace`): the list may name a crate too many, never one too few.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use toml::Table;

use super::spdx;
use crate::repository;

/// What the packages are built for.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// How a crate takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its code is in a program of the box.
    Linked,
    /// It runs while the programs are built: build scripts, macros, and what those lean on.
    Build,
    /// Only tests, reports and benches have it.
    Tests,
}

/// A crate.
#[derive(Clone, Debug)]
pub struct Package {
    /// As its manifest has it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// An SPDX expression.
    pub licence: String,
    /// SHA-256 of the registry's file; none of our own crates has one.
    pub checksum: Option<String>,
    /// Where its sources are unpacked.
    pub folder: PathBuf,
    /// Its repository's address.
    pub repository: Option<String>,
    /// Who wrote it, where it says so.
    pub authors: Vec<String>,
    /// How it takes part.
    pub part: Part,
    /// What it leans on for its product and its build: places in [`Graph::packages`].
    pub needs: BTreeSet<usize>,
    /// Of our own crates: what the manifest names for any purpose, and as what its code knows that.
    pub named: BTreeMap<usize, String>,
}

impl Package {
    /// Whether it is a crate of this workspace.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.checksum.is_none()
    }
}

/// All crates, ordered by name and version.
#[derive(Debug)]
pub struct Graph {
    /// Every crate that cargo would build for [`TARGET`], tests included.
    pub packages: Vec<Package>,
    /// The packages that the programs of the box are in.
    pub roots: BTreeSet<usize>,
}

impl Graph {
    /// What cargo says now.
    ///
    /// # Errors
    /// When cargo cannot answer from what is on the disk, a crate names no licence, or a program of the box is no crate's.
    pub fn load() -> Result<Self, String> {
        let metadata = metadata()?;
        let checksums = checksums()?;
        let clarified = clarified()?;
        let mut found: Vec<&Metadatum> = metadata.packages.iter().collect();
        let used: BTreeSet<&str> = metadata.resolve.nodes.iter().map(|node| node.id.as_str()).collect();
        found.retain(|package| used.contains(package.id.as_str()));
        found.sort_by(|a, b| (&a.name, numbers(&a.version)).cmp(&(&b.name, numbers(&b.version))));
        let place: BTreeMap<&str, usize> =
            found.iter().enumerate().map(|(at, package)| (package.id.as_str(), at)).collect();
        let mut packages = Vec::with_capacity(found.len());
        for package in &found {
            let licence = package.license.as_deref().or_else(|| clarified.get(&package.name).map(|of| &**of));
            let licence = licence.ok_or_else(|| {
                format!("{} names no licence, and deny.toml has no word on it", package.name)
            })?;
            let key = (package.name.clone(), package.version.clone());
            let checksum = package.source.is_some().then(|| checksums.get(&key).cloned()).flatten();
            if package.source.is_some() && checksum.is_none() {
                return Err(format!("Cargo.lock has no checksum of {} {}", key.0, key.1));
            }
            let folder = Path::new(&package.manifest_path).parent().map(Path::to_owned).unwrap_or_default();
            packages.push(Package {
                name: key.0,
                version: key.1,
                licence: spdx::modern(licence),
                checksum,
                folder,
                repository: package.repository.clone(),
                authors: package.authors.clone(),
                part: Part::Tests,
                needs: BTreeSet::new(),
                named: BTreeMap::new(),
            });
        }
        let is_macro = |at: usize| found[at].targets.iter().any(|target| target.is("proc-macro"));
        let mut normal: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let at = place[node.id.as_str()];
            for edge in &node.deps {
                let to =
                    *place.get(edge.pkg.as_str()).ok_or_else(|| format!("{} leads nowhere", edge.pkg))?;
                if edge.is_of(None) && !is_macro(to) {
                    normal.entry(at).or_default().push(to);
                }
                if edge.is_of(None) || edge.is_of(Some("build")) {
                    packages[at].needs.insert(to);
                }
                if packages[at].is_ours() {
                    packages[at].named.insert(to, edge.name.clone());
                }
            }
        }
        let mut roots = BTreeSet::new();
        for program in programs()? {
            let root = found.iter().position(|package| {
                package.source.is_none()
                    && package.targets.iter().any(|of| of.is("bin") && of.name == program)
            });
            roots.insert(root.ok_or_else(|| format!("no crate has the program {program}"))?);
        }
        let linked = reached(&roots, |at| normal.get(&at).cloned().unwrap_or_default());
        let any = reached(&roots, |at| packages[at].needs.iter().copied().collect());
        for (at, package) in packages.iter_mut().enumerate() {
            package.part = match (linked.contains(&at), any.contains(&at)) {
                (true, _) => Part::Linked,
                (false, true) => Part::Build,
                (false, false) => Part::Tests,
            };
        }
        Ok(Self { packages, roots })
    }

    /// The crates of others whose code is in the programs.
    pub fn linked(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.part == Part::Linked && !package.is_ours())
    }

    /// A crate of others by its name; of several versions the newest.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Package> {
        self.packages.iter().rev().find(|package| package.name == name)
    }
}

/// The programs of the box (`firmware/appliance/programs`).
///
/// # Errors
/// When the list cannot be read.
pub fn programs() -> Result<Vec<String>, String> {
    let text = read("firmware/appliance/programs")?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// A file of the repository.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(repository::root().join(path)).map_err(|error| format!("{path}: {error}"))
}

fn reached(from: &BTreeSet<usize>, next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut seen = from.clone();
    let mut open: Vec<usize> = from.iter().copied().collect();
    while let Some(at) = open.pop() {
        open.extend(next(at).into_iter().filter(|to| seen.insert(*to)));
    }
    seen
}

/// A version as something that can be put in order; what is no number counts as 0.
fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split(['.', '-', '+']);
    parts.map(|part| part.parse().unwrap_or(0)).collect()
}

fn metadata() -> Result<Metadata, String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", TARGET]);
    let output =
        command.current_dir(repository::root()).output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The checksums of Cargo.lock, by name and version.
fn checksums() -> Result<BTreeMap<(String, String), String>, String> {
    let lock: Table = read("Cargo.lock")?.parse().map_err(|error| format!("Cargo.lock: {error}"))?;
    let packages = lock.get("package").and_then(toml::Value::as_array).ok_or("Cargo.lock has no packages")?;
    let text = |package: &toml::Value, key: &str| package.get(key)?.as_str().map(str::to_owned);
    let of =
        |package| Some(((text(package, "name")?, text(package, "version")?), text(package, "checksum")?));
    Ok(packages.iter().filter_map(of).collect())
}

/// What `deny.toml` says of crates that name no licence.
fn clarified() -> Result<BTreeMap<String, String>, String> {
    let deny: Table = read("deny.toml")?.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let all = deny.get("licenses").and_then(|of| of.get("clarify")).and_then(toml::Value::as_array);
    let of = |entry: &toml::Value| {
        Some((entry.get("crate")?.as_str()?.to_owned(), entry.get("expression")?.as_str()?.to_owned()))
    };
    Ok(all.into_iter().flatten().filter_map(of).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Metadatum>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Metadatum {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    repository: Option<String>,
    authors: Vec<String>,
    manifest_path: String,
    targets: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    kind: Vec<String>,
}

impl Product {
    fn is(&self, kind: &str) -> bool {
        self.kind.iter().any(|one| one == kind)
    }
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    name: String,
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Edge {
    /// Whether it is for the product (`None`), for building it (`build`) or for tests (`dev`).
    fn is_of(&self, kind: Option<&str>) -> bool {
        self.dep_kinds.iter().any(|one| one.kind.as_deref() == kind)
    }
}
