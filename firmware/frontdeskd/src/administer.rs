//! Settings that an administrator changes while the desk runs (APP-2).
//!
//! A task follows what the page has saved, numbers the accounts, tells the threads that have their own part of it,
//! and hands the engine the rest in one event. An account that differs in anything is another account: the old one
//! is unregistered with its old password and stays until its calls are over, the new one registers at once.
//! Not done here: what the change means for calls on the desk (`switchboard`).

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use ipc::Registration;
use media::{DeviceList, Role};
use sip::{Account, AccountId, Package};
use store::Settings;
use switchboard::{Administered, Input};
use tokio::sync::{mpsc, watch};
use tokio_rustls::rustls::ClientConfig;
use tracing::{info, warn};

use crate::{
    config::MediaConfig,
    contacts::Contacts,
    engine::{Engine, Event},
    mailboxes::{self, Mailbox},
    net::{self, Broken},
    records::Records,
    settings::{self, Numbering},
    tether::Phone,
    xmpp::{self, Xmpp},
};

/// What the engine takes over.
pub(crate) struct Change {
    pub(crate) accounts: Vec<Account>,
    /// Each line's number with its account.
    pub(crate) lines: Vec<(String, AccountId)>,
    /// What callers on hold hear, by line.
    pub(crate) music: HashMap<String, PathBuf>,
    /// What callers on hold hear on all other lines, where that is something else than so far.
    pub(crate) hold: Option<media::Hold>,
    /// What callers hear first whom a rule answered.
    pub(crate) announcement: Option<PathBuf>,
    pub(crate) mailboxes: Vec<Mailbox>,
    /// The park slots.
    pub(crate) watched: Vec<String>,
    pub(crate) intercept: Option<String>,
    /// The telephone over which the operator speaks.
    pub(crate) phone: Option<Phone>,
    pub(crate) desk: Administered,
    /// The new connection to the XMPP server, where another one is wanted; `Some(None)`: none any more.
    pub(crate) xmpp: Option<Option<Xmpp>>,
    /// What is done to the microphone's sound, where that is to be done otherwise than so far.
    pub(crate) voice: Option<media::Voice>,
    /// The sound devices, where others were chosen.
    pub(crate) sound: Option<[(Role, Option<DeviceList>); 4]>,
    /// How connections to exchanges are encrypted, where that is to be done otherwise than so far.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// Where changes go.
pub(crate) struct Follower {
    pub(crate) settings: watch::Receiver<Arc<Settings>>,
    /// The devices of the configuration file.
    pub(crate) media: MediaConfig,
    pub(crate) numbering: Numbering,
    pub(crate) contacts: Contacts,
    pub(crate) records: Records,
    pub(crate) timetable: watch::Sender<store::Timetable>,
    pub(crate) inbox: mpsc::Sender<Event>,
}

impl Follower {
    /// Until nobody can change the settings any more, or the engine is gone.
    pub(crate) async fn follow(mut self) {
        let mut known = Arc::clone(&self.settings.borrow_and_update());
        while self.settings.changed().await.is_ok() {
            let wanted = Arc::clone(&self.settings.borrow_and_update());
            match self.take(&known, &wanted).await {
                Ok(true) => known = wanted,
                Ok(false) => return,
                Err(error) => warn!("settings were saved and cannot be taken over: {error:#}"),
            }
        }
    }

    /// `false` when the engine is gone.
    async fn take(&mut self, known: &Settings, wanted: &Settings) -> anyhow::Result<bool> {
        let accounts = self.numbering.accounts(wanted)?;
        let xmpp = if known.xmpp == wanted.xmpp {
            None
        } else {
            Some(xmpp::start(wanted.xmpp.as_ref(), self.inbox.clone()))
        };
        let tls = if known.tls == wanted.tls {
            None
        } else {
            Some(tokio::task::block_in_place(|| net::tls::client(&wanted.tls))?)
        };
        let change = Change {
            lines: settings::lines(wanted, &accounts),
            music: settings::music(wanted),
            hold: (known.waiting != wanted.waiting).then(|| settings::hold(&self.media, wanted)),
            announcement: settings::announcement(&self.media, wanted),
            mailboxes: settings::mailboxes(wanted, &accounts),
            phone: settings::phone(wanted, &accounts),
            accounts,
            watched: settings::watched(wanted),
            intercept: wanted.numbers.intercept.clone(),
            desk: settings::administered(wanted),
            sound: (known.sound != wanted.sound).then(|| settings::sound(&self.media, wanted)),
            xmpp,
            voice: (known.voice != wanted.voice).then(|| settings::voice(wanted)),
            tls,
        };
        if self.inbox.send(Event::Settings(Box::new(change))).await.is_err() {
            return Ok(false);
        }
        let (plan, operator) = (wanted.numbers.plan(), wanted.operator.name.clone());
        self.contacts.administer(plan.clone(), wanted.rules.monitor).await;
        let relinked = known.directories != wanted.directories;
        self.records.administer(operator, plan, relinked, wanted.rules.log_days).await;
        self.timetable.send_if_modified(|timetable| {
            let differs = *timetable != wanted.timetable;
            timetable.clone_from(&wanted.timetable);
            differs
        });
        Ok(true)
    }
}

impl Engine {
    /// Takes changed settings over. Calls go on, whatever becomes of their lines and accounts.
    pub(crate) fn administer(&mut self, now: Instant, change: Change) {
        let Change {
            accounts,
            lines,
            music,
            hold,
            announcement,
            mailboxes,
            watched,
            intercept,
            phone,
            desk,
            sound,
            voice,
            xmpp,
            tls,
        } = change;
        info!(
            accounts = accounts.len(),
            lines = lines.len(),
            rules = desk.rules.len(),
            "settings taken over"
        );
        if let Some(tls) = tls {
            for Broken { target, reason } in self.parts.net.set_tls(tls) {
                self.parts.agent.disconnected(now, target, reason);
            }
            self.try_again(now);
        }
        if let Some(voice) = voice {
            self.sound(self.parts.media.voice(voice));
        }
        for (role, devices) in sound.into_iter().flatten() {
            self.use_devices(role, devices);
        }
        self.parts.lines = lines;
        self.replace_music(music);
        if let Some(hold) = hold {
            self.sound(self.parts.media.hold(hold));
        }
        self.parts.announcement = announcement;
        self.parts.watched = watched;
        self.parts.intercept = intercept;
        self.replace_accounts(now, accounts);
        self.follow_stun();
        self.replace_mailboxes(now, mailboxes);
        self.tether_to(now, phone);
        self.parts.board.handle(now, Input::Settings(Box::new(desk)));
        for (line, account) in self.parts.lines.clone() {
            let state = self.registrations.get(&account).cloned().unwrap_or(Registration::Off);
            self.parts.board.handle(now, Input::Registration { line, state });
        }
        self.parts.board.handle(now, mailboxes::told(&self.parts.mailboxes));
        if let Some(xmpp) = xmpp {
            self.replace_xmpp(now, xmpp);
        }
        // Another exchange may be reached from another address.
        self.look_for_address(now);
        // Through the account of the first line, which may be another one now.
        self.monitor_wanted(now);
        self.watch_wanted(now);
    }

    fn use_devices(&self, role: Role, devices: Option<DeviceList>) {
        let media = &self.parts.media;
        let taken = match devices {
            Some(devices) => media.device(role, devices),
            None => media.chime_where_it_rings(),
        };
        if let Err(error) = taken {
            warn!(?role, "other sound devices were chosen and cannot be used: {error}");
        }
    }

    /// Registers at once where that has failed: the reason may be gone.
    fn try_again(&mut self, now: Instant) {
        let failed = |state: &Registration| matches!(state, Registration::Failed { .. });
        let accounts = self.registrations.iter().filter(|(_, state)| failed(state));
        let deserted = self.parts.sign_in.is_deserted();
        let accounts = accounts.filter(|_| !deserted);
        let accounts: Vec<AccountId> = accounts.map(|(&account, _)| account).collect();
        for account in accounts {
            self.parts.agent.register(now, account, true);
        }
    }

    fn replace_accounts(&mut self, now: Instant, accounts: Vec<Account>) {
        let before: HashSet<AccountId> = self.parts.accounts.iter().map(|account| account.id).collect();
        let after: HashSet<AccountId> = accounts.iter().map(|account| account.id).collect();
        for &gone in before.difference(&after) {
            info!(account = gone.0, "account removed");
            self.registrations.remove(&gone);
            self.parts.agent.remove_account(now, gone);
        }
        self.parts.accounts.clone_from(&accounts);
        for mut account in accounts.into_iter().filter(|account| !before.contains(&account.id)) {
            info!(account = account.id.0, user = account.user, domain = account.domain, "account added");
            account.register &= !self.parts.sign_in.is_deserted();
            self.parts.agent.add_account(now, account);
        }
    }

    /// What is known of a mailbox that stays is kept; the subscription of one whose account is gone has ended with it.
    fn replace_mailboxes(&mut self, now: Instant, mut mailboxes: Vec<Mailbox>) {
        for mailbox in &mut mailboxes {
            match self.parts.mailboxes.iter().find(|known| known.account == mailbox.account) {
                Some(known) => mailbox.keep(known),
                None => {
                    let (account, user) = (mailbox.account, &mailbox.user);
                    self.parts.agent.subscribe(now, account, user, Package::MessageSummary);
                }
            }
        }
        self.parts.mailboxes = mailboxes;
    }

    fn replace_xmpp(&mut self, now: Instant, xmpp: Option<Xmpp>) {
        let mut addresses = self.people.wanted.clone();
        addresses.retain(|address| xmpp::is_ours(address));
        for address in &addresses {
            self.parts.board.handle(now, Input::PersonGone { address: address.clone() });
        }
        if let Some(xmpp) = &xmpp {
            xmpp.watch(addresses);
        }
        self.parts.xmpp = xmpp;
        self.tell_troubles();
    }
}
