//! The settings file, which also comes from a provisioning server: what was read is written and read alike, what is wrong
//! is named with a line of the file, and passwords are only where they are wished.

use store::Settings;

pub(crate) fn settings(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let settings = match Settings::from_toml(text, "settings.toml") {
        Ok(settings) => settings,
        Err(error) => {
            let lines = text.matches('\n').count() + 1;
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error:?}");
            assert!(error.to_string().starts_with("settings.toml"), "{error}");
            return false;
        }
    };
    let read = |text: &str| Settings::from_toml(text, "").unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read(&settings.to_toml(true)), settings);
    let open = settings.clone().without_passwords();
    let mut secrets = open.accounts.iter().map(|account| &account.password);
    assert!(secrets.all(store::Secret::is_empty) && open.tls.key.is_empty());
    assert!(open.xmpp.as_ref().is_none_or(|xmpp| xmpp.password.is_empty()));
    assert_eq!(open.to_toml(true), settings.to_toml(false));
    // Numbers of the plan that these settings make are written in as many ways as of any other.
    assert!(settings.numbers.plan().spellings("+49 30 1234567").len() <= directory::MAX_SPELLINGS);
    true
}
