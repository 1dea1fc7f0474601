//! The audit log: who did what, and from where. Never a secret, a password or a setting's value.

use std::net::IpAddr;

use store::AuditEntry;
use tracing::{info, warn};

use crate::app::App;

/// A thing worth telling, by the word under which it is kept and exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    SetUp,
    SignedIn,
    SignInRefused,
    SignedOut,
    SignedOutEverywhere,
    SessionEnded,
    PasswordChanged,
    AccountAdded,
    AccountChanged,
    AccountRemoved,
    TokenAdded,
    TokenRevoked,
    CertificateReplaced,
    SettingsChanged,
    SettingsExported,
    SettingsImported,
    ContactsImported,
    Provisioned,
    ProvisioningCodeForgotten,
    OperatorAdded,
    OperatorChanged,
    OperatorRemoved,
    PluginUploaded,
    PluginInstalled,
    PluginGranted,
    PluginConfigured,
    PluginTested,
    PluginEnabled,
    PluginDisabled,
    PluginSynced,
    PluginMayShrink,
    PluginRolledBack,
    PluginRemoved,
    PluginSignIn,
    PluginSignOut,
    BackupMade,
    RestoreUploaded,
    RestoreDiscarded,
    Restored,
    Restarted,
    DiagnosticsTaken,
    LogLevelChanged,
    ScreenAsked,
    ScreenLeft,
    SoundTested,
    UpdateUploaded,
    UpdateOrdered,
    UpdateCancelled,
}

impl Act {
    /// All, for the words of both languages and the API's description.
    pub(crate) const ALL: [Self; 48] = [
        Self::SetUp,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::SignedOutEverywhere,
        Self::SessionEnded,
        Self::PasswordChanged,
        Self::AccountAdded,
        Self::AccountChanged,
        Self::AccountRemoved,
        Self::TokenAdded,
        Self::TokenRevoked,
        Self::CertificateReplaced,
        Self::SettingsChanged,
        Self::SettingsExported,
        Self::SettingsImported,
        Self::ContactsImported,
        Self::Provisioned,
        Self::ProvisioningCodeForgotten,
        Self::OperatorAdded,
        Self::OperatorChanged,
        Self::OperatorRemoved,
        Self::PluginUploaded,
        Self::PluginInstalled,
        Self::PluginGranted,
        Self::PluginConfigured,
        Self::PluginTested,
        Self::PluginEnabled,
        Self::PluginDisabled,
        Self::PluginSynced,
        Self::PluginMayShrink,
        Self::PluginRolledBack,
        Self::PluginRemoved,
        Self::PluginSignIn,
        Self::PluginSignOut,
        Self::BackupMade,
        Self::RestoreUploaded,
        Self::RestoreDiscarded,
        Self::Restored,
        Self::Restarted,
        Self::DiagnosticsTaken,
        Self::LogLevelChanged,
        Self::ScreenAsked,
        Self::ScreenLeft,
        Self::SoundTested,
        Self::UpdateUploaded,
        Self::UpdateOrdered,
        Self::UpdateCancelled,
    ];

    /// As it is kept.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::SetUp => "set-up",
            Self::SignedIn => "signed-in",
            Self::SignInRefused => "sign-in-refused",
            Self::SignedOut => "signed-out",
            Self::SignedOutEverywhere => "signed-out-everywhere",
            Self::SessionEnded => "session-ended",
            Self::PasswordChanged => "password-changed",
            Self::AccountAdded => "account-added",
            Self::AccountChanged => "account-changed",
            Self::AccountRemoved => "account-removed",
            Self::TokenAdded => "token-added",
            Self::TokenRevoked => "token-revoked",
            Self::CertificateReplaced => "certificate-replaced",
            Self::SettingsChanged => "settings-changed",
            Self::SettingsExported => "settings-exported",
            Self::SettingsImported => "settings-imported",
            Self::ContactsImported => "contacts-imported",
            Self::Provisioned => "provisioned",
            Self::ProvisioningCodeForgotten => "provisioning-code-forgotten",
            Self::OperatorAdded => "operator-added",
            Self::OperatorChanged => "operator-changed",
            Self::OperatorRemoved => "operator-removed",
            Self::PluginUploaded => "plugin-uploaded",
            Self::PluginInstalled => "plugin-installed",
            Self::PluginGranted => "plugin-granted",
            Self::PluginConfigured => "plugin-configured",
            Self::PluginTested => "plugin-tested",
            Self::PluginEnabled => "plugin-enabled",
            Self::PluginDisabled => "plugin-disabled",
            Self::PluginSynced => "plugin-synced",
            Self::PluginMayShrink => "plugin-may-shrink",
            Self::PluginRolledBack => "plugin-rolled-back",
            Self::PluginRemoved => "plugin-removed",
            Self::PluginSignIn => "plugin-sign-in",
            Self::PluginSignOut => "plugin-sign-out",
            Self::BackupMade => "backup-made",
            Self::RestoreUploaded => "restore-uploaded",
            Self::RestoreDiscarded => "restore-discarded",
            Self::Restored => "restored",
            Self::Restarted => "restarted",
            Self::DiagnosticsTaken => "diagnostics-taken",
            Self::LogLevelChanged => "log-level-changed",
            Self::ScreenAsked => "screen-asked",
            Self::ScreenLeft => "screen-left",
            Self::SoundTested => "sound-tested",
            Self::UpdateUploaded => "update-uploaded",
            Self::UpdateOrdered => "update-ordered",
            Self::UpdateCancelled => "update-cancelled",
        }
    }
}

/// Who is at it.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) who: String,
    pub(crate) from: IpAddr,
}

impl App {
    /// Tells the audit log. What was done stays done when the disk does not take the entry; the program's log
    /// has it then.
    pub(crate) async fn audit(&self, actor: &Actor, act: Act, detail: impl Into<String>) {
        let detail: String = detail.into().chars().filter(|c| !c.is_control()).collect();
        info!(who = actor.who, from = %actor.from, act = act.word(), detail, "admin");
        let entry = AuditEntry {
            id: 0,
            at_ms: crate::app::now_ms(),
            who: actor.who.chars().filter(|c| !c.is_control()).collect(),
            origin: actor.from.to_string(),
            action: act.word().into(),
            detail,
        };
        if let Err(problem) = self.keeper.ask(move |store| store.add_audit(&entry)).await {
            warn!(%problem, "the audit log could not be written");
        }
    }
}
