//! The words of the audit log.

use super::{Text, texts};
use crate::audit::Act;

texts! {
    ACT_SET_UP = "made the first administrator", "a créé le premier administrateur";
    ACT_SIGNED_IN = "signed in", "s’est connecté";
    ACT_SIGN_IN_REFUSED = "tried to sign in with a wrong password", "a tenté de se connecter avec un mauvais mot de passe";
    ACT_SIGNED_OUT = "signed out", "s’est déconnecté";
    ACT_SIGNED_OUT_EVERYWHERE = "signed out everywhere", "s’est déconnecté partout";
    ACT_SESSION_ENDED = "ended a session", "a terminé une session";
    ACT_PASSWORD_CHANGED = "changed the own password", "a changé son mot de passe";
    ACT_ACCOUNT_ADDED = "added an account", "a ajouté un compte";
    ACT_ACCOUNT_CHANGED = "changed an account", "a modifié un compte";
    ACT_ACCOUNT_REMOVED = "removed an account", "a supprimé un compte";
    ACT_TOKEN_ADDED = "made a token", "a créé un jeton";
    ACT_TOKEN_REVOKED = "revoked a token", "a révoqué un jeton";
    ACT_CERTIFICATE_REPLACED = "changed the certificate", "a changé le certificat";
    ACT_SETTINGS_CHANGED = "changed the settings of the desk", "a modifié les réglages du poste";
    ACT_SETTINGS_EXPORTED = "downloaded the settings file", "a téléchargé le fichier de réglages";
    ACT_SETTINGS_IMPORTED = "had the desk take a settings file", "a fait prendre un fichier de réglages au poste";
    ACT_CONTACTS_IMPORTED = "added contacts from a file", "a ajouté des contacts depuis un fichier";
    ACT_PROVISIONED = "took a file of the provisioning server", "a pris un fichier du serveur de configuration";
    ACT_PROVISIONING_CODE_FORGOTTEN = "had the one-time code forgotten", "a fait oublier le code à usage unique";
    ACT_OPERATOR_ADDED = "added an operator", "a ajouté un opérateur";
    ACT_OPERATOR_CHANGED = "changed an operator", "a modifié un opérateur";
    ACT_OPERATOR_REMOVED = "removed an operator", "a supprimé un opérateur";
    ACT_PLUGIN_UPLOADED = "uploaded a plugin", "a déposé un connecteur";
    ACT_PLUGIN_INSTALLED = "installed a plugin", "a installé un connecteur";
    ACT_PLUGIN_GRANTED = "changed what a plugin may reach", "a modifié ce qu’un connecteur peut joindre";
    ACT_PLUGIN_CONFIGURED = "changed a plugin’s settings", "a modifié les réglages d’un connecteur";
    ACT_PLUGIN_TESTED = "tested a plugin", "a testé un connecteur";
    ACT_PLUGIN_ENABLED = "enabled a plugin", "a activé un connecteur";
    ACT_PLUGIN_DISABLED = "disabled a plugin", "a désactivé un connecteur";
    ACT_PLUGIN_SYNCED = "let a plugin run", "a lancé un connecteur";
    ACT_PLUGIN_MAY_SHRINK = "let a plugin remove many people", "a autorisé un connecteur à supprimer beaucoup de personnes";
    ACT_PLUGIN_ROLLED_BACK = "went back to a plugin’s version before", "est revenu à la version précédente d’un connecteur";
    ACT_PLUGIN_REMOVED = "removed a plugin", "a supprimé un connecteur";
    ACT_PLUGIN_SIGN_IN = "asked for a code to sign in for a plugin", "a demandé un code de connexion pour un connecteur";
    ACT_PLUGIN_SIGN_OUT = "signed a plugin out", "a déconnecté un connecteur";
    ACT_BACKUP_MADE = "made a backup", "a fait une sauvegarde";
    ACT_RESTORE_UPLOADED = "uploaded a backup to restore", "a déposé une sauvegarde à restaurer";
    ACT_RESTORE_DISCARDED = "discarded a backup that waited", "a écarté une sauvegarde en attente";
    ACT_RESTORED = "restored a backup", "a restauré une sauvegarde";
    ACT_RESTARTED = "asked the desk to start anew", "a demandé le redémarrage du poste";
    ACT_DIAGNOSTICS_TAKEN = "took diagnostics for support", "a pris un diagnostic pour l’assistance";
    ACT_SCREEN_ASKED = "asked to watch the screen", "a demandé à regarder l’écran";
    ACT_SCREEN_LEFT = "stopped watching the screen", "a cessé de regarder l’écran";
    ACT_SOUND_TESTED = "tested the sound at the desk", "a essayé le son au poste";
    ACT_UPDATE_UPLOADED = "uploaded an update", "a déposé une mise à jour";
    ACT_UPDATE_ORDERED = "had an update installed", "a fait installer une mise à jour";
    ACT_UPDATE_CANCELLED = "did not want an update any more", "a renoncé à une mise à jour";
    ACT_LOG_LEVEL_CHANGED = "changed how much is logged", "a modifié le niveau du journal technique";
}

/// What an act is called.
pub(crate) fn act(act: Act) -> Text {
    match act {
        Act::SetUp => ACT_SET_UP,
        Act::SignedIn => ACT_SIGNED_IN,
        Act::SignInRefused => ACT_SIGN_IN_REFUSED,
        Act::SignedOut => ACT_SIGNED_OUT,
        Act::SignedOutEverywhere => ACT_SIGNED_OUT_EVERYWHERE,
        Act::SessionEnded => ACT_SESSION_ENDED,
        Act::PasswordChanged => ACT_PASSWORD_CHANGED,
        Act::AccountAdded => ACT_ACCOUNT_ADDED,
        Act::AccountChanged => ACT_ACCOUNT_CHANGED,
        Act::AccountRemoved => ACT_ACCOUNT_REMOVED,
        Act::TokenAdded => ACT_TOKEN_ADDED,
        Act::TokenRevoked => ACT_TOKEN_REVOKED,
        Act::CertificateReplaced => ACT_CERTIFICATE_REPLACED,
        Act::SettingsChanged => ACT_SETTINGS_CHANGED,
        Act::SettingsExported => ACT_SETTINGS_EXPORTED,
        Act::SettingsImported => ACT_SETTINGS_IMPORTED,
        Act::ContactsImported => ACT_CONTACTS_IMPORTED,
        Act::Provisioned => ACT_PROVISIONED,
        Act::ProvisioningCodeForgotten => ACT_PROVISIONING_CODE_FORGOTTEN,
        Act::OperatorAdded => ACT_OPERATOR_ADDED,
        Act::OperatorChanged => ACT_OPERATOR_CHANGED,
        Act::OperatorRemoved => ACT_OPERATOR_REMOVED,
        Act::PluginUploaded => ACT_PLUGIN_UPLOADED,
        Act::PluginInstalled => ACT_PLUGIN_INSTALLED,
        Act::PluginGranted => ACT_PLUGIN_GRANTED,
        Act::PluginConfigured => ACT_PLUGIN_CONFIGURED,
        Act::PluginTested => ACT_PLUGIN_TESTED,
        Act::PluginEnabled => ACT_PLUGIN_ENABLED,
        Act::PluginDisabled => ACT_PLUGIN_DISABLED,
        Act::PluginSynced => ACT_PLUGIN_SYNCED,
        Act::PluginMayShrink => ACT_PLUGIN_MAY_SHRINK,
        Act::PluginRolledBack => ACT_PLUGIN_ROLLED_BACK,
        Act::PluginRemoved => ACT_PLUGIN_REMOVED,
        Act::PluginSignIn => ACT_PLUGIN_SIGN_IN,
        Act::PluginSignOut => ACT_PLUGIN_SIGN_OUT,
        Act::BackupMade => ACT_BACKUP_MADE,
        Act::RestoreUploaded => ACT_RESTORE_UPLOADED,
        Act::RestoreDiscarded => ACT_RESTORE_DISCARDED,
        Act::Restored => ACT_RESTORED,
        Act::Restarted => ACT_RESTARTED,
        Act::DiagnosticsTaken => ACT_DIAGNOSTICS_TAKEN,
        Act::ScreenAsked => ACT_SCREEN_ASKED,
        Act::ScreenLeft => ACT_SCREEN_LEFT,
        Act::SoundTested => ACT_SOUND_TESTED,
        Act::UpdateUploaded => ACT_UPDATE_UPLOADED,
        Act::UpdateOrdered => ACT_UPDATE_ORDERED,
        Act::UpdateCancelled => ACT_UPDATE_CANCELLED,
        Act::LogLevelChanged => ACT_LOG_LEVEL_CHANGED,
    }
}
