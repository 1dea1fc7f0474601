//! Where things are: the repository's root and the programs that the build put beside us.

use std::env;
use std::path::PathBuf;

/// The root of the repository.
///
/// # Panics
/// Never: this package lies one folder below the root.
#[must_use]
pub fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).expect("the package has a parent folder")
}

/// A program of the workspace, built in the same profile as the running test.
///
/// # Panics
/// When it has not been built.
#[must_use]
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    let here = env::current_exe().expect("a running program has a path");
    let folders = here.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built beside {}; `make test` builds it", here.display()))
}

/// Where reports go, wherever the build puts its own files.
#[must_use]
pub fn reports() -> PathBuf {
    root().join("target/reports")
}
