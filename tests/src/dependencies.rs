//! What Frontdesk is made of: the crates that cargo links into the programs, and what comes along with them (C libraries, the
//! standard library, the screen's letters). From one graph come the bill of materials (`sbom`), the licence texts (`notices`),
//! the list that "about" shows (`ipc::third_parties`) and the page of direct dependencies with the reason of each (`reasons`).
//!
//! Nothing is fetched: cargo answers from `Cargo.lock` and from the sources that it has unpacked already.
//!
//! Not here: which licences go together with ours is `deny.toml`, and `make deny` looks at the texts themselves.

pub mod extras;
pub mod graph;
pub mod notices;
pub mod reasons;
pub mod sbom;
pub mod spdx;

use graph::Graph;

/// A file of the repository that is made of the graph, and how.
pub type Written = (&'static str, fn(&Graph) -> Result<String, String>);

/// All of them.
pub const WRITTEN: [Written; 2] = [
    ("firmware/ipc/src/third_parties.tsv", notices::list),
    ("docs/book/en/src/engineering/dependencies.md", reasons::page),
];
