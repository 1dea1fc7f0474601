//! Accounts, lines, operators and rules: from the store to the parts of the desk, and the two
//! commands that exchange them as one file.

use std::{
    collections::HashMap,
    mem,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use chrono::DateTime;
use media::{DeviceList, Role};
use sip::{Account, AccountId, HostPort, Nat, Transport, sdp::Srtp};
use store::{Settings, Store};
use switchboard::{Administered, Line};

use crate::{
    config::{MediaConfig, Names},
    editing, effects,
    mailboxes::Mailbox,
    tether::Phone,
    xmpp,
};

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
        for ended in ended_certificates(&settings, editing::unix_ms()) {
            println!("{ended}");
        }
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

/// What the switchboard is told when it starts; the preferences are those of `operator`.
pub(crate) fn board(store: &Store, settings: &Settings, operator: i64) -> Result<switchboard::Settings> {
    let mut preferences = store.load_preferences(operator)?;
    let Administered {
        lines,
        operator_name,
        hold_alarm_ms,
        transfer_timeout,
        notice_time,
        crm,
        page_when,
        max_calls,
        timers,
        rules,
        park,
        extension_digits,
        take_over,
    } = administered(settings);
    preferences.hold_alarm_ms = hold_alarm_ms;
    Ok(switchboard::Settings {
        lines,
        operator_name,
        preferences,
        transfer_timeout,
        notice_time,
        max_calls,
        crm,
        page_when,
        missed: store.missed_count()?,
        timers,
        rules,
        park,
        parked: effects::parked::kept(store.load_parked()?, editing::unix_ms()),
        extension_digits,
        take_over,
        volumes: store.load_volumes()?,
        service: store.load_service()?,
        ..switchboard::Settings::default()
    })
}

/// The music of the lines that have their own, by number.
pub(crate) fn music(settings: &Settings) -> HashMap<String, PathBuf> {
    let own = |line: &store::Line| Some((line.number.clone(), PathBuf::from(line.music.as_ref()?)));
    settings.lines.iter().filter_map(own).collect()
}

/// What callers on hold hear whose line has nothing of its own: what an administrator uploaded, else what the configuration
/// file says.
pub(crate) fn hold(config: &MediaConfig, settings: &Settings) -> media::Hold {
    let chosen = settings.waiting.music.as_ref().map(PathBuf::from);
    match chosen.or_else(|| config.hold_music.clone()) {
        Some(path) => media::Hold::Music { path },
        None => media::Hold::default(),
    }
}

/// The message for callers who were answered by a rule, likewise.
pub(crate) fn announcement(config: &MediaConfig, settings: &Settings) -> Option<PathBuf> {
    let chosen = settings.waiting.announcement.as_ref().map(PathBuf::from);
    chosen.or_else(|| config.announcement.clone())
}

/// What is done to the microphone's sound.
pub(crate) fn voice(settings: &Settings) -> media::Voice {
    let store::Voice { hands_free, echo, noise, gain } = settings.voice;
    media::Voice { hands_free, echo, noise, gain }
}

/// The sound devices of each role, best first: those that an administrator chose, else those of the configuration file.
/// Chimes without any are heard where it rings.
pub(crate) fn sound(config: &MediaConfig, settings: &Settings) -> [(Role, Option<DeviceList>); 4] {
    let chosen = |names: &[String], of_file: &Names| {
        if names.is_empty() {
            DeviceList::from(of_file.list())
        } else {
            DeviceList::new(names.iter().cloned())
        }
    };
    let store::SoundDevices { speaker, microphone, ringer, notifier } = &settings.sound;
    let notifier = match (notifier.is_empty(), &config.notifier) {
        (true, None) => None,
        (true, Some(names)) => Some(names.list().into()),
        (false, _) => Some(DeviceList::new(notifier.iter().cloned())),
    };
    [
        (Role::Speaker, Some(chosen(speaker, &config.speaker))),
        (Role::Microphone, Some(chosen(microphone, &config.microphone))),
        (Role::Ringer, Some(chosen(ringer, &config.ringer))),
        (Role::Notifier, notifier),
    ]
}

/// What of it may change while the desk runs.
pub(crate) fn administered(settings: &Settings) -> Administered {
    let seconds = |s: u32| Duration::from_secs(u64::from(s));
    Administered {
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
        hold_alarm_ms: u64::from(settings.rules.hold_alarm_s) * 1000,
        transfer_timeout: seconds(settings.rules.transfer_timeout_s),
        notice_time: seconds(settings.rules.ended_transfer_s),
        max_calls: settings.rules.max_calls as usize,
        crm: settings.crm.url.clone(),
        page_when: settings.crm.open,
        timers: settings.timers,
        rules: settings.handling.clone(),
        park: settings.park.clone(),
        extension_digits: settings.numbers.extension_min.into()..=settings.numbers.extension_max.into(),
        take_over: settings.rules.take_over,
    }
}

/// Which account is which for the user agent: one that stays as it is keeps its number, any other gets a new one.
#[derive(Default)]
pub(crate) struct Numbering {
    known: Vec<Account>,
    next: u32,
}

impl Numbering {
    /// The accounts as the user agent knows them, in the order of the settings.
    pub(crate) fn accounts(&mut self, settings: &Settings) -> Result<Vec<Account>> {
        let mut wanted = settings.accounts.iter().map(account).collect::<Result<Vec<Account>>>()?;
        let mut known = mem::take(&mut self.known);
        for account in &mut wanted {
            let same = |old: &Account| Account { id: account.id, ..old.clone() } == *account;
            match known.iter().position(same) {
                Some(at) => account.id = known.remove(at).id,
                None => {
                    account.id = AccountId(self.next);
                    self.next += 1;
                }
            }
        }
        self.known.clone_from(&wanted);
        Ok(wanted)
    }
}

/// An account without a number of its own.
fn account(account: &store::Account) -> Result<Account> {
    let address = |text: &str| text.parse::<HostPort>().with_context(|| format!("account {}", account.id()));
    let timer = u64::from(account.session_timer_s);
    Ok(Account {
        transport: match account.transport {
            store::Transport::Auto => None,
            store::Transport::Udp => Some(Transport::Udp),
            store::Transport::Tcp => Some(Transport::Tcp),
            store::Transport::Tls => Some(Transport::Tls),
        },
        srtp: match account.srtp {
            store::Srtp::Off => Srtp::Off,
            store::Srtp::Optional => Srtp::Optional,
            store::Srtp::Mandatory => Srtp::Mandatory,
        },
        trusts_identity: account.trust_identity,
        nat: match &account.nat {
            store::Nat::None => Nat::None,
            store::Nat::Registrar => Nat::Registrar,
            store::Nat::Stun(server) => Nat::Stun(address(server)?),
        },
        session_expires: Some(Duration::from_secs(timer)).filter(|timer| !timer.is_zero()),
        display_name: account.display_name.clone(),
        auth_user: account.auth_user.clone(),
        password: account.password.reveal().to_owned(),
        outbound_proxy: account.outbound_proxy.as_deref().map(address).transpose()?,
        expires: Duration::from_secs(u64::from(account.expires_s)),
        ..Account::new(AccountId(u32::MAX), &account.user, &account.domain, address(account.registrar())?)
    })
}

/// Each line's number with the account it belongs to: the one it names, else the first. `accounts` are those of the
/// settings.
pub(crate) fn lines(settings: &Settings, accounts: &[Account]) -> Vec<(String, AccountId)> {
    let of = |line: &store::Line| {
        let named = line.account.as_deref();
        let index = settings.accounts.iter().position(|account| Some(account.id()) == named);
        // A line without any account calls through none that there is.
        let account = accounts.get(index.unwrap_or(0)).map_or(AccountId(u32::MAX), |account| account.id);
        (line.number.clone(), account)
    };
    settings.lines.iter().map(of).collect()
}

/// The mailbox of each account (BAR-1).
pub(crate) fn mailboxes(settings: &Settings, accounts: &[Account]) -> Vec<Mailbox> {
    let mailbox = |(account, known): (&store::Account, &Account)| {
        Mailbox::new(known.id, account.user.clone(), account.mailbox.clone())
    };
    settings.accounts.iter().zip(accounts).map(mailbox).collect()
}

/// The telephone over which the operator speaks (ACC-3), with the account it names, else the first.
pub(crate) fn phone(settings: &Settings, accounts: &[Account]) -> Option<Phone> {
    let operator = &settings.operator;
    let named = operator.phone_account.as_deref();
    let index = settings.accounts.iter().position(|account| Some(account.id()) == named);
    let account = accounts.get(index.unwrap_or(0)).map_or(AccountId(u32::MAX), |account| account.id);
    operator.phone.clone().map(|number| Phone { number, account })
}

/// The phones watched whatever the directories say: the park slots.
pub(crate) fn watched(settings: &Settings) -> Vec<String> {
    settings.park.iter().map(|slot| slot.number.clone()).collect()
}

/// A line for each certificate for connections to exchanges that does not count any more, at `now` in Unix
/// milliseconds.
pub(crate) fn ended_certificates(settings: &Settings, now: i64) -> Vec<String> {
    let day =
        |ms| DateTime::from_timestamp_millis(ms).map_or_else(String::new, |at| at.date_naive().to_string());
    let (authorities, own) = settings.tls.certificates();
    let authorities = authorities.into_iter().map(|certificate| ("authority", certificate));
    let own = own.into_iter().map(|certificate| ("the desk's own", certificate));
    let ended = authorities.chain(own).filter(|(_, certificate)| certificate.until_ms <= now);
    let told = |(what, certificate): (&str, store::Certificate)| {
        let store::Certificate { subject, until_ms, .. } = certificate;
        format!("a certificate has expired on {}: {subject} ({what}); replace it", day(until_ms))
    };
    ended.map(told).collect()
}

fn check_addresses(settings: &Settings) -> Result<()> {
    Numbering::default().accounts(settings).map(drop)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn settings(accounts: &[(&str, &str)]) -> Settings {
        let account = |&(user, password): &(&str, &str)| store::Account {
            user: user.into(),
            domain: "pbx.example".into(),
            password: store::Secret::new(password),
            expires_s: 600,
            ..store::Account::default()
        };
        let line = store::Line { number: "1".into(), account: Some("b".into()), ..store::Line::default() };
        Settings {
            accounts: accounts.iter().map(account).collect(),
            lines: vec![line],
            ..Settings::default()
        }
    }

    #[test]
    fn app_2_ovf_1_what_an_administrator_uploaded_is_heard_in_place_of_what_the_configuration_file_says() {
        let (mut config, mut settings) = (MediaConfig::default(), settings(&[]));
        assert_eq!(hold(&config, &settings), media::Hold::default());
        assert_eq!(announcement(&config, &settings), None);
        config.hold_music = Some("/a/music.wav".into());
        config.announcement = Some("/a/message.wav".into());
        assert_eq!(hold(&config, &settings), media::Hold::Music { path: "/a/music.wav".into() });
        assert_eq!(announcement(&config, &settings), Some("/a/message.wav".into()));
        settings.waiting.music = Some("/b/music.wav".into());
        settings.waiting.announcement = Some("/b/message.wav".into());
        assert_eq!(hold(&config, &settings), media::Hold::Music { path: "/b/music.wav".into() });
        assert_eq!(announcement(&config, &settings), Some("/b/message.wav".into()));
    }

    #[test]
    fn acc_5_what_is_set_of_an_account_reaches_the_user_agent() {
        let first = |settings: &Settings| Numbering::default().accounts(settings).unwrap().remove(0);
        let mut settings = settings(&[("a", "x")]);
        let plain = first(&settings);
        assert_eq!((plain.transport, plain.srtp, plain.nat), (None, Srtp::Off, Nat::None));
        assert_eq!((plain.trusts_identity, plain.session_expires), (true, Some(Duration::from_secs(1800))));
        settings.accounts[0] = store::Account {
            transport: store::Transport::Tls,
            srtp: store::Srtp::Mandatory,
            trust_identity: false,
            nat: store::Nat::Stun("stun.example:3479".into()),
            session_timer_s: 0,
            ..settings.accounts[0].clone()
        };
        let other = first(&settings);
        assert_eq!((other.transport, other.srtp), (Some(Transport::Tls), Srtp::Mandatory));
        assert_eq!((other.trusts_identity, other.session_expires), (false, None));
        let stun = HostPort { host: "stun.example".into(), port: Some(3479) };
        assert_eq!(other.nat, Nat::Stun(stun));
    }

    #[test]
    fn app_2_an_account_keeps_its_number_as_long_as_it_is_the_same_and_none_is_given_twice() {
        let mut numbering = Numbering::default();
        let mut numbers = |accounts: &[(&str, &str)]| {
            let settings = settings(accounts);
            let numbered = numbering.accounts(&settings).unwrap();
            let ids: Vec<u32> = numbered.iter().map(|account| account.id.0).collect();
            (ids, lines(&settings, &numbered)[0].1.0)
        };
        assert_eq!(numbers(&[("a", "x"), ("b", "x")]), (vec![0, 1], 1));
        assert_eq!(numbers(&[("b", "x"), ("c", "x"), ("a", "x")]), (vec![1, 2, 0], 1));
        assert_eq!(numbers(&[("b", "another"), ("a", "x")]), (vec![3, 0], 3));
        assert_eq!(numbers(&[("a", "x"), ("a", "x")]), (vec![0, 4], 0));
        assert_eq!(numbers(&[]), (vec![], u32::MAX));
        assert_eq!(numbers(&[("c", "x")]), (vec![5], 5));
    }
}
