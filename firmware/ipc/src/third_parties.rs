//! What of others is in the programs: the list behind "about" on the administrator's page and on the screen.
//!
//! `third_parties.tsv` is written by `make dependencies` from `Cargo.lock` (`tests/src/dependencies`); the texts of the licences are
//! a file of the package.

/// Where a package or image has the texts of all licences, packed by gzip.
pub const LICENCE_TEXTS: &str = "/usr/share/frontdesk/third-party.txt.gz";

/// Something that is linked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThirdParty {
    /// What it is called.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// An SPDX expression.
    pub licence: &'static str,
}

/// All of it, by name.
pub fn third_parties() -> impl Iterator<Item = ThirdParty> {
    include_str!("third_parties.tsv").lines().filter_map(|line| {
        let mut columns = line.split('\t');
        Some(ThirdParty { name: columns.next()?, version: columns.next()?, licence: columns.next()? })
    })
}
