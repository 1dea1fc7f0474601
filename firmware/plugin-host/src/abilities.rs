//! The interfaces that a component exports, found by looking, before anything of it runs. `lifecycle` it must
//! have, and one other at least; what its manifest promises must be there.

use wasmtime::component::InstancePre;

use crate::contact::clean;
use crate::guest::{
    Call, crm_items, crm_journal, crm_resolve, directory_lookup, directory_search, directory_sync, lifecycle,
};
use crate::host::LoadError;
use crate::manifest::Manifest;

/// Where the exports of a component are.
pub(crate) struct Abilities {
    pub(crate) lifecycle: lifecycle::GuestIndices,
    pub(crate) sync: Option<directory_sync::GuestIndices>,
    pub(crate) lookup: Option<directory_lookup::GuestIndices>,
    pub(crate) search: Option<directory_search::GuestIndices>,
    pub(crate) resolve: Option<crm_resolve::GuestIndices>,
    pub(crate) journal: Option<crm_journal::GuestIndices>,
    pub(crate) items: Option<crm_items::GuestIndices>,
}

impl Abilities {
    /// Looks, and compares with what the manifest promises.
    pub(crate) fn of(instance: &InstancePre<Call>, manifest: &Manifest) -> Result<Self, LoadError> {
        let lifecycle = lifecycle::GuestIndices::new(instance)
            .map_err(|error| LoadError::World(format!("a component of another world: {error:#}")))?;
        let abilities = Self {
            lifecycle,
            sync: directory_sync::GuestIndices::new(instance).ok(),
            lookup: directory_lookup::GuestIndices::new(instance).ok(),
            search: directory_search::GuestIndices::new(instance).ok(),
            resolve: crm_resolve::GuestIndices::new(instance).ok(),
            journal: crm_journal::GuestIndices::new(instance).ok(),
            items: crm_items::GuestIndices::new(instance).ok(),
        };
        let names = abilities.names();
        if names.is_empty() {
            let words = "a component of another world: it exports none of the interfaces that this host asks";
            return Err(LoadError::World(words.to_owned()));
        }
        match manifest.plugin.provides.iter().find(|name| !names.contains(&name.as_str())) {
            Some(name) => {
                Err(LoadError::World(format!("its manifest says {}, its code does not", clean(name))))
            }
            None => Ok(abilities),
        }
    }

    /// All but `lifecycle`, as the manifest calls them.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let there = [
            ("directory-sync", self.sync.is_some()),
            ("directory-lookup", self.lookup.is_some()),
            ("directory-search", self.search.is_some()),
            ("crm-resolve", self.resolve.is_some()),
            ("crm-journal", self.journal.is_some()),
            ("crm-items", self.items.is_some()),
        ];
        there.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}
