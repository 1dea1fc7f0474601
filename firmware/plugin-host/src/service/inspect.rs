//! What an uploaded file is, and whether it may be installed: its author, its version against the one that is
//! installed, its code against what it says of itself. The same judgement is made twice, when it is inspected and
//! when it is installed: something may have happened in between.

use std::sync::{Arc, PoisonError};

use ipc::{PluginInspection, PluginProblem, UploadId};

use super::plugin::Plugin;
use super::{Service, words};
use crate::connector::Connector;
use crate::contact::clean;
use crate::host::{Approved, Authority};
use crate::manifest::{Manifest, version};
use crate::package::Package;
use crate::trust::Trust;

/// What is found out without running or compiling anything.
pub(super) struct Judged {
    pub(super) manifest: Manifest,
    pub(super) trust: Trust,
    pub(super) known_key: Option<String>,
    pub(super) refused: Option<PluginProblem>,
    installed: Option<String>,
    before: Option<Arc<Manifest>>,
}

impl Service {
    /// Inspects a file; compiles it, in a process of its own.
    pub(super) fn inspect(&self, upload: UploadId, file: Vec<u8>) -> Result<PluginInspection, PluginProblem> {
        let _one = self.inspection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.registry.trim_compiled() {
            tracing::warn!(%error, "compiled files that nobody uses stay");
        }
        let judged = self.judge(&file)?;
        let mut refused = judged.refused.clone();
        let mut provides: Vec<String> =
            judged.manifest.plugin.provides.iter().map(|name| clean(name)).collect();
        if refused.is_none() {
            match self.probe(file, &judged) {
                Ok(found) => provides = found,
                Err(problem) => refused = Some(problem),
            }
        }
        let manifest = &judged.manifest;
        tracing::info!(
            plugin = %manifest.plugin.id, version = %manifest.plugin.version, trust = ?judged.trust, ?refused, "inspected"
        );
        Ok(PluginInspection {
            upload,
            id: manifest.plugin.id.clone(),
            name: manifest.plugin.name.clone(),
            version: manifest.plugin.version.clone(),
            description: manifest.plugin.description.clone(),
            license: manifest.plugin.license.as_deref().map(clean),
            provides,
            signature: words::signature(&judged.trust),
            installed: judged.installed.clone(),
            rights: words::rights(manifest, judged.before.as_deref()),
            settings: words::settings(manifest),
            refused,
        })
    }

    /// Compares a file with what is installed.
    pub(super) fn judge(&self, file: &[u8]) -> Result<Judged, PluginProblem> {
        let none = |error: &dyn std::fmt::Display| PluginProblem::NotAPlugin(clean(&error.to_string()));
        let package = Package::read(file).map_err(|error| none(&error))?;
        let manifest = Manifest::parse(package.manifest).map_err(|error| none(&error))?;
        let plugin = self.plugin(&manifest.plugin.id).ok();
        Ok(Judged::new(&package, manifest, plugin.as_deref(), self.developer))
    }

    /// Whether its code is what it says.
    pub(super) fn probe(&self, file: Vec<u8>, judged: &Judged) -> Result<Vec<String>, PluginProblem> {
        let authority = Authority {
            known_key: judged.known_key.clone(),
            new_key_confirmed: true,
            developer: self.developer,
        };
        let approved = Approved::new(file, &authority).map_err(|error| words::problem(&error))?;
        Connector::probe(&self.host, &approved).map_err(|error| words::problem(&error))
    }
}

impl Judged {
    fn new(package: &Package<'_>, manifest: Manifest, plugin: Option<&Plugin>, developer: bool) -> Self {
        let (mut known_key, mut installed, mut before, mut refused) = (None, None, None, None);
        if let Some(plugin) = plugin {
            match plugin.lane() {
                Err(problem) => refused = Some(problem),
                Ok(lane) => {
                    before.clone_from(&lane.manifest);
                    let record = lane.record.as_ref();
                    known_key = record.and_then(|record| record.key.clone());
                    installed = record.map(|record| record.current.version.clone());
                }
            }
        }
        let trust = Trust::of(package, manifest.plugin.key.as_deref(), known_key.as_deref());
        if !trust.allows(true, developer) {
            refused = Some(PluginProblem::NotTrusted);
        }
        if let Some(installed) = &installed
            && version(&manifest.plugin.version) < version(installed)
        {
            let new = manifest.plugin.version.clone();
            refused = refused.or(Some(PluginProblem::Downgrade { installed: installed.clone(), new }));
        }
        Self { manifest, trust, known_key, refused, installed, before }
    }
}
