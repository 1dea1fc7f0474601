//! Accounts, lines, operators and rules: from the store to the parts of the desk, and the two
//! commands that exchange them as one file.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use sip::{Account, AccountId, HostPort};
use store::{Settings, Store};
use switchboard::Line;

use crate::{mailboxes::Mailbox, xmpp};

/// Checks a file and puts it into the store.
///
/// # Errors
/// File, line and what is allowed there; or what the disk said.
pub(crate) fn import(store: &Path, file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let settings = Settings::from_toml(&text, &file.display().to_string())?;
    check_addresses(&settings)?;
    settings.xmpp.as_ref().map_or(Ok(()), xmpp::check).with_context(|| file.display().to_string())?;
    if let Some(folder) = store.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Store::open(store)?.save_settings(&settings)?;
    #[allow(clippy::print_stdout, reason = "the answer of a command line")]
    {
        let (accounts, lines) = (settings.accounts.len(), settings.lines.len());
        println!(
            "{accounts} accounts, {lines} lines imported; a running desk takes them over when it restarts"
        );
    }
    Ok(())
}

/// Prints the settings of the store.
///
/// # Errors
/// What the disk said.
pub(crate) fn export(store: &Path, passwords: bool) -> Result<()> {
    let settings = Store::open(store)?.load_settings()?;
    #[allow(clippy::print_stdout, reason = "the answer of a command line")]
    {
        print!("{}", settings.to_toml(passwords));
    }
    Ok(())
}

/// What the switchboard is told when it starts.
pub(crate) fn board(store: &Store, settings: &Settings) -> Result<switchboard::Settings> {
    let seconds = |s: u32| Duration::from_secs(u64::from(s));
    let mut preferences = store.load_preferences()?;
    preferences.hold_alarm_ms = u64::from(settings.rules.hold_alarm_s) * 1000;
    Ok(switchboard::Settings {
        lines: settings
            .lines
            .iter()
            .map(|l| Line {
                number: l.number.clone(),
                name: l.name.clone(),
                note: l.note.clone(),
                colour: l.colour,
                ring: l.ring,
                crm: l.crm.clone(),
            })
            .collect(),
        operator_name: settings.operator.name.clone(),
        preferences,
        transfer_timeout: seconds(settings.rules.transfer_timeout_s),
        notice_time: seconds(settings.rules.ended_transfer_s),
        max_calls: settings.rules.max_calls as usize,
        crm: settings.crm.url.clone(),
        page_when: settings.crm.open,
        missed: store.missed_count()?,
        timers: settings.timers,
        rules: settings.handling.clone(),
        park: settings.park.clone(),
        extension_digits: settings.numbers.extension_min.into()..=settings.numbers.extension_max.into(),
        volumes: store.load_volumes()?,
        service: store.load_service()?,
        ..switchboard::Settings::default()
    })
}

/// The accounts as the user agent knows them, numbered in the order of the settings.
pub(crate) fn accounts(settings: &Settings) -> Result<Vec<Account>> {
    let account = |(index, account): (usize, &store::Account)| {
        let address =
            |text: &str| text.parse::<HostPort>().with_context(|| format!("account {}", account.id()));
        Ok(Account {
            id: account_id(index),
            user: account.user.clone(),
            domain: account.domain.clone(),
            display_name: account.display_name.clone(),
            auth_user: account.auth_user.clone(),
            password: account.password.reveal().to_owned(),
            registrar: address(account.registrar())?,
            outbound_proxy: account.outbound_proxy.as_deref().map(address).transpose()?,
            expires: Duration::from_secs(u64::from(account.expires_s)),
            register: true,
        })
    };
    settings.accounts.iter().enumerate().map(account).collect()
}

/// Each line's number with the account it belongs to: the one it names, else the first.
pub(crate) fn lines(settings: &Settings) -> Vec<(String, AccountId)> {
    let of = |line: &store::Line| {
        let named = line.account.as_deref();
        let index = settings.accounts.iter().position(|account| Some(account.id()) == named);
        (line.number.clone(), account_id(index.unwrap_or(0)))
    };
    settings.lines.iter().map(of).collect()
}

/// The mailbox of each account (BAR-1).
pub(crate) fn mailboxes(settings: &Settings) -> Vec<Mailbox> {
    let mailbox = |(index, account): (usize, &store::Account)| {
        Mailbox::new(account_id(index), account.user.clone(), account.mailbox.clone())
    };
    settings.accounts.iter().enumerate().map(mailbox).collect()
}

fn check_addresses(settings: &Settings) -> Result<()> {
    accounts(settings).map(drop)
}

fn account_id(index: usize) -> AccountId {
    AccountId(u32::try_from(index).unwrap_or(u32::MAX))
}
