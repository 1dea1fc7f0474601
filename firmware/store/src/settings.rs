//! What an administrator sets: accounts, lines, operator, directories, rules.
//!
//! Where files and devices are is not here: that is `frontdesk.toml`, read by the daemon.

use std::collections::BTreeSet;
use std::fmt;

use directory::NumberPlan;
use ipc::{PageWhen, ParkSlot, RingTone, Rule, Timers};
use serde::{Deserialize, Serialize};

use crate::{
    Clock, Nat, Refusal, SoundDevices, Srtp, Tls, Transport, Voice, Waiting, Why, handling::Timetable,
    xmpp::Xmpp,
};

/// Why a note is refused.
const NOTE: Why = Why::Length { min: 0, max: crate::contacts::MAX_NOTE };

/// Most calls at once that can be set, see [`Rules::max_calls`].
pub const MAX_CALLS: u32 = 500;

/// All settings, as in the settings file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Who sits at the desk.
    pub operator: Operator,
    /// By which clock the desk lives.
    pub clock: Clock,
    /// What applies to every call.
    pub rules: Rules,
    /// How numbers are written here.
    pub numbers: Numbers,
    /// The SIP accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// The companies or services answered for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Whom encrypted connections to exchanges trust.
    pub tls: Tls,
    /// What is done to the microphone's sound.
    pub voice: Voice,
    /// What callers hear who wait.
    #[serde(skip_serializing_if = "Waiting::is_empty")]
    pub waiting: Waiting,
    /// The customer database.
    pub crm: Crm,
    /// Which sound device does what.
    #[serde(skip_serializing_if = "SoundDevices::is_empty")]
    pub sound: SoundDevices,
    /// Where it is seen who is online (PRE-5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xmpp: Option<Xmpp>,
    /// After how long the desk acts by itself.
    pub timers: Timers,
    /// When the house is open.
    pub timetable: Timetable,
    /// Automatic handling; the first rule that matches a call applies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub handling: Vec<Rule>,
    /// The park extensions of the exchange.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub park: Vec<ParkSlot>,
    /// The directories, without their contacts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directories: Vec<DirectorySettings>,
}

/// Who sits at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Operator {
    /// Shown at the top right.
    pub name: String,
    /// The number or `sip:` address of the telephone over which the operator speaks (ACC-3); without one the desk's
    /// own sound devices are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The account by which that telephone is called; the first one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_account: Option<String>,
}

impl Default for Operator {
    fn default() -> Self {
        Self { name: "Front desk".into(), phone: None, phone_account: None }
    }
}

/// A SIP account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Name by which lines refer to it; the user when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// User part of the address of record.
    pub user: String,
    /// Host part of the address of record.
    pub domain: String,
    /// Name shown to those called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// User for the digest, where it differs from `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_user: Option<String>,
    /// Password for the digest.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub password: Secret,
    /// Host or host:port of the registrar, where it is not the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<String>,
    /// Host or host:port that every request goes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_proxy: Option<String>,
    /// The number under which its voice messages are heard, where the exchange does not say it (BAR-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// Registration wanted for so many seconds, 60 to 86,400.
    #[serde(default = "default_expires")]
    pub expires_s: u32,
    /// By what it speaks with the exchange.
    #[serde(default)]
    pub transport: Transport,
    /// Whether speech is encrypted.
    #[serde(default)]
    pub srtp: Srtp,
    /// Believe the exchange when it says who calls (RFC 3325).
    #[serde(default = "default_trust")]
    pub trust_identity: bool,
    /// How its address is found where the exchange sees another one.
    #[serde(default)]
    pub nat: Nat,
    /// Calls are refreshed within so many seconds, 90 to 86,400, so that one whose other side is gone ends (RFC 4028);
    /// 0 where the desk shall not ask for it.
    #[serde(default = "default_session_timer")]
    pub session_timer_s: u32,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id: String::new(),
            user: String::new(),
            domain: String::new(),
            display_name: String::new(),
            auth_user: None,
            password: Secret::default(),
            registrar: None,
            outbound_proxy: None,
            mailbox: None,
            expires_s: default_expires(),
            transport: Transport::default(),
            srtp: Srtp::default(),
            trust_identity: default_trust(),
            nat: Nat::default(),
            session_timer_s: default_session_timer(),
        }
    }
}

impl Account {
    /// The name by which lines refer to it.
    #[must_use]
    pub fn id(&self) -> &str {
        if self.id.is_empty() { &self.user } else { &self.id }
    }

    /// Host or host:port to register at.
    #[must_use]
    pub fn registrar(&self) -> &str {
        self.registrar.as_deref().unwrap_or(&self.domain)
    }
}

fn default_expires() -> u32 {
    600
}

fn default_trust() -> bool {
    true
}

fn default_session_timer() -> u32 {
    1800
}

/// A company or service answered for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The number called.
    pub number: String,
    /// Its name.
    pub name: String,
    /// The account it belongs to; the first one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How to greet its callers, shown on answer (TEN-2).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Its colour on the screen, 0 to 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<u8>,
    /// How it rings.
    #[serde(default)]
    pub ring: RingTone,
    /// What its callers on hold hear, where that is something of its own: a WAV or Opus file of the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<String>,
    /// The address of its CRM, where it has its own; as [`Crm::url`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm: Option<String>,
}

/// A directory, without its contacts (DIR-1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectorySettings {
    /// Name of the tab.
    pub name: String,
    /// Company staff (local) or external.
    pub local: bool,
    /// The line it is linked to, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// How to greet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What applies to every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// A transfer of which nothing is heard comes back after so many seconds, 5 to 600.
    pub transfer_timeout_s: u32,
    /// Hold time that turns red and bold, in seconds, 5 to 3600 (CALL-4).
    pub hold_alarm_s: u32,
    /// An ended transfer stays in view so many seconds, 1 to 300.
    pub ended_transfer_s: u32,
    /// Most calls at once, 1 to 500; more are refused as busy.
    pub max_calls: u32,
    /// Calls leave the log after so many days, 1 to 36,500; 0: never.
    pub log_days: u32,
    /// Watch the phones of local contacts with presence (PRE-1).
    pub monitor: bool,
    /// Let the operator take over a call that a colleague is in (PRE-3), who is cut off by it. Only where the exchange
    /// tells what the INVITE with Replaces needs.
    pub take_over: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            transfer_timeout_s: 30,
            hold_alarm_s: 120,
            ended_transfer_s: 8,
            max_calls: 200,
            log_days: 0,
            monitor: true,
            take_over: false,
        }
    }
}

/// The customer database (CRM-1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Crm {
    /// The address of the page about a caller, `http` or `https`; each `$` stands for the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the page opens by itself: `menu` (never), `answer` or `ring`.
    pub open: PageWhen,
}

/// How numbers are written here (CALL-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Numbers {
    /// Country code without prefix, 1 to 3 digits.
    pub country: String,
    /// What precedes a national number; may be empty.
    pub trunk_prefix: String,
    /// The area's code without trunk prefix, 1 to 5 digits, where people leave it out within the area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// What precedes an international number in place of `+`; may be empty.
    pub international_prefix: String,
    /// What the exchange wants dialled before outside numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_prefix: Option<String>,
    /// Shortest extension, in digits, 1 to 10.
    pub extension_min: u8,
    /// Longest extension, in digits, 1 to 10.
    pub extension_max: u8,
    /// The exchange's feature code that picks up what rings on a phone (PRE-3): keys of a telephone, with a
    /// `$` for the phone's number, as in `**$`. None where the exchange has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intercept: Option<String>,
}

impl Default for Numbers {
    fn default() -> Self {
        let NumberPlan {
            country,
            trunk_prefix,
            area,
            international_prefix,
            outside_prefix,
            extension_lengths,
        } = NumberPlan::default();
        let (extension_min, extension_max) = extension_lengths.into_inner();
        Self {
            country,
            trunk_prefix,
            area,
            international_prefix,
            outside_prefix,
            extension_min,
            extension_max,
            intercept: None,
        }
    }
}

impl Numbers {
    /// The plan by which the directories match numbers.
    #[must_use]
    pub fn plan(&self) -> NumberPlan {
        NumberPlan {
            country: self.country.clone(),
            trunk_prefix: self.trunk_prefix.clone(),
            area: self.area.clone(),
            international_prefix: self.international_prefix.clone(),
            outside_prefix: self.outside_prefix.clone(),
            extension_lengths: self.extension_min..=self.extension_max,
        }
    }
}

/// A password. It is written to files on request, never to a log.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "none" } else { "***" })
    }
}

/// A value that is not allowed, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) refusal: Refusal,
    /// In the words of the settings file.
    pub(crate) reason: String,
}

impl Settings {
    /// Whether every value is allowed.
    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        self.validate_operator()?;
        self.clock.validate()?;
        self.validate_rules()?;
        self.validate_numbers()?;
        At { table: "crm", index: None }.web("url", self.crm.url.as_deref())?;
        self.xmpp.as_ref().map_or(Ok(()), Xmpp::validate)?;
        self.tls.validate()?;
        self.sound.validate()?;
        self.waiting.validate()?;
        self.validate_accounts()?;
        self.validate_lines()?;
        self.validate_directories()?;
        self.validate_handling()
    }

    /// Gives accounts without password, also those that have another name now, and a certificate without key, the one they
    /// have in `known`. A password does not go to a machine for which nobody typed it.
    pub(crate) fn keep_passwords(&mut self, known: &Self) {
        self.tls.keep_key(&known.tls);
        if let Some(xmpp) = &mut self.xmpp {
            xmpp.keep_password(known.xmpp.as_ref());
        }
        let names = self.account_names();
        for account in self.accounts.iter_mut().filter(|account| account.password.is_empty()) {
            let old = account.predecessor(&known.accounts, &names);
            let same = old.filter(|old| old.user == account.user && old.goes_where(account));
            if let Some(old) = same {
                account.password = old.password.clone();
            }
        }
    }

    fn validate_operator(&self) -> Result<(), Invalid> {
        let at = At { table: "operator", index: None };
        at.text("name", &self.operator.name, 1, 128)?;
        let phone = self.operator.phone.as_deref().unwrap_or("-");
        let address = ["sip:", "sips:"].iter().find_map(|scheme| phone.strip_prefix(scheme));
        let user = address.and_then(|address| address.split_once('@'));
        at.text("phone", phone, 1, 128)?;
        match (address, user) {
            (None, _) => at.word("phone", phone, 1)?,
            (Some(_), Some((user, host))) => {
                at.word("phone", user, 1)?;
                at.host("phone", host)?;
            }
            (Some(host), None) => at.host("phone", host)?,
        }
        match self.operator.phone_account.as_ref() {
            Some(id) if !self.accounts.iter().any(|account| account.id() == id) => {
                let ids: Vec<&str> = self.accounts.iter().map(Account::id).collect();
                let reason = format!("{id:?} is no account; there are: {}", ids.join(", "));
                Err(at.invalid("phone_account", Why::NoAccount, reason))
            }
            _ => Ok(()),
        }
    }

    fn validate_rules(&self) -> Result<(), Invalid> {
        let at = At { table: "rules", index: None };
        let rules = &self.rules;
        at.range("transfer_timeout_s", rules.transfer_timeout_s, 5, 600)?;
        at.range("hold_alarm_s", rules.hold_alarm_s, 5, 3600)?;
        at.range("ended_transfer_s", rules.ended_transfer_s, 1, 300)?;
        at.range("max_calls", rules.max_calls, 1, MAX_CALLS)?;
        at.zero_or_range("log_days", rules.log_days, 1, 36_500)
    }

    fn validate_numbers(&self) -> Result<(), Invalid> {
        let at = At { table: "numbers", index: None };
        let numbers = &self.numbers;
        at.digits("country", &numbers.country, 1, 3)?;
        at.digits("trunk_prefix", &numbers.trunk_prefix, 0, 4)?;
        if let Some(area) = &numbers.area {
            at.digits("area", area, 1, 5)?;
        }
        at.digits("international_prefix", &numbers.international_prefix, 0, 5)?;
        at.digits("outside_prefix", numbers.outside_prefix.as_deref().unwrap_or_default(), 0, 4)?;
        at.range("extension_min", numbers.extension_min.into(), 1, 10)?;
        at.range("extension_max", numbers.extension_max.into(), numbers.extension_min.into(), 10)?;
        at.feature_code("intercept", numbers.intercept.as_deref())
    }

    fn validate_accounts(&self) -> Result<(), Invalid> {
        let mut ids = BTreeSet::new();
        for (index, account) in self.accounts.iter().enumerate() {
            let at = At { table: "accounts", index: Some(index) };
            at.count(32)?;
            at.word("user", &account.user, 1)?;
            at.word("id", &account.id, 0)?;
            at.host("domain", &account.domain)?;
            at.text("display_name", &account.display_name, 0, 128)?;
            at.word("auth_user", account.auth_user.as_deref().unwrap_or("-"), 1)?;
            at.word("mailbox", account.mailbox.as_deref().unwrap_or("-"), 1)?;
            at.text("password", account.password.reveal(), 0, 256)?;
            at.host("registrar", account.registrar())?;
            at.host("outbound_proxy", account.outbound_proxy.as_deref().unwrap_or(&account.domain))?;
            at.range("expires_s", account.expires_s, 60, 86_400)?;
            at.zero_or_range("session_timer_s", account.session_timer_s, 90, 86_400)?;
            if let Nat::Stun(server) = &account.nat {
                at.host("nat", server)?;
            }
            if !ids.insert(account.id()) {
                let field = if account.id.is_empty() { "user" } else { "id" };
                return Err(at.invalid(
                    field,
                    Why::Taken,
                    format!("{:?} names another account already; give each its own id", account.id()),
                ));
            }
        }
        Ok(())
    }

    fn validate_lines(&self) -> Result<(), Invalid> {
        let mut numbers = BTreeSet::new();
        for (index, line) in self.lines.iter().enumerate() {
            let at = At { table: "lines", index: Some(index) };
            at.count(500)?;
            at.word("number", &line.number, 1)?;
            at.text("name", &line.name, 1, 128)?;
            at.range("colour", line.colour.unwrap_or(0).into(), 0, 7)?;
            at.web("crm", line.crm.as_deref())?;
            at.path("music", line.music.as_deref())?;
            if line.note.len() > crate::contacts::MAX_NOTE {
                return Err(at.invalid("note", NOTE, "at most 16384 bytes are allowed".into()));
            }
            if !numbers.insert(&line.number) {
                return Err(at.invalid(
                    "number",
                    Why::Taken,
                    format!("{:?} is another line's already", line.number),
                ));
            }
            let known = |id: &String| self.accounts.iter().any(|account| account.id() == id);
            if let Some(id) = line.account.as_ref().filter(|id| !known(id)) {
                let ids: Vec<&str> = self.accounts.iter().map(Account::id).collect();
                return Err(at.invalid(
                    "account",
                    Why::NoAccount,
                    format!("{id:?} is no account; there are: {}", ids.join(", ")),
                ));
            }
        }
        Ok(())
    }

    fn validate_directories(&self) -> Result<(), Invalid> {
        let mut names = BTreeSet::new();
        for (index, directory) in self.directories.iter().enumerate() {
            let at = At { table: "directories", index: Some(index) };
            at.count(100)?;
            at.text("name", directory.name.trim(), 1, 128)?;
            if !names.insert(directory.name.trim().to_ascii_lowercase()) {
                return Err(at.invalid(
                    "name",
                    Why::Taken,
                    format!("{:?} is another directory's already", directory.name),
                ));
            }
            let known = |number: &String| self.lines.iter().any(|line| line.number == *number);
            if let Some(number) = directory.line.as_ref().filter(|number| !known(number)) {
                let numbers: Vec<&str> = self.lines.iter().map(|line| line.number.as_str()).collect();
                return Err(at.invalid(
                    "line",
                    Why::NoLine,
                    format!("{number:?} is no line; there are: {}", numbers.join(", ")),
                ));
            }
            if directory.note.len() > crate::contacts::MAX_NOTE {
                return Err(at.invalid("note", NOTE, "at most 16384 bytes are allowed".into()));
            }
        }
        Ok(())
    }
}

/// A place in the settings, to check values at.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) table: &'static str,
    pub(crate) index: Option<usize>,
}

impl At {
    pub(crate) fn invalid(self, field: &'static str, why: Why, reason: String) -> Invalid {
        let Self { table, index } = self;
        Invalid { refusal: Refusal { table, index, field, why }, reason }
    }

    pub(crate) fn count(self, max: usize) -> Result<(), Invalid> {
        match self.index {
            Some(index) if index >= max => {
                Err(self.invalid("", Why::TooMany { most: max }, format!("at most {max} are allowed")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn range(self, field: &'static str, value: u32, min: u32, max: u32) -> Result<(), Invalid> {
        if (min..=max).contains(&value) {
            return Ok(());
        }
        let why = Why::Range { min: min.into(), max: max.into() };
        Err(self.invalid(field, why, format!("{value} is not allowed; {min} to {max} are")))
    }

    pub(crate) fn zero_or_range(
        self,
        field: &'static str,
        value: u32,
        min: u32,
        max: u32,
    ) -> Result<(), Invalid> {
        if value == 0 || (min..=max).contains(&value) {
            return Ok(());
        }
        let why = Why::ZeroOrRange { min: min.into(), max: max.into() };
        Err(self.invalid(field, why, format!("{value} is not allowed; 0 and {min} to {max} are")))
    }

    pub(crate) fn text(self, field: &'static str, text: &str, min: usize, max: usize) -> Result<(), Invalid> {
        if (min..=max).contains(&text.len()) && !text.chars().any(char::is_control) {
            return Ok(());
        }
        let why = Why::Length { min, max };
        Err(self.invalid(field, why, format!("must have {min} to {max} bytes and no control characters")))
    }

    /// A user, number or name that goes into a SIP address or names something.
    pub(crate) fn word(self, field: &'static str, text: &str, min: usize) -> Result<(), Invalid> {
        self.text(field, text, min, 128)?;
        if text.chars().any(|c| c.is_whitespace() || "@<>\";,".contains(c)) {
            return Err(self.invalid(
                field,
                Why::Characters,
                format!("{text:?} has white space or one of @ < > \" ; ,"),
            ));
        }
        Ok(())
    }

    /// A host, perhaps with a port.
    pub(crate) fn host(self, field: &'static str, text: &str) -> Result<(), Invalid> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let good_host = match bare {
            Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.len() <= 253
                    && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
            }
        };
        if good_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0)) {
            return Ok(());
        }
        Err(self.invalid(
            field,
            Why::Host,
            format!("{text:?} is no host or host:port; an IPv6 address stands in brackets"),
        ))
    }

    /// The address of a page.
    pub(crate) fn web(self, field: &'static str, address: Option<&str>) -> Result<(), Invalid> {
        let Some(address) = address else { return Ok(()) };
        let host = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme));
        let good_host = host.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', '$']));
        if good_host && address.len() <= 2048 && address.chars().all(|c| c.is_ascii_graphic()) {
            return Ok(());
        }
        let form = "give http:// or https://, at most 2048 characters without spaces, with $ for the number";
        Err(self.invalid(field, Why::Web, format!("{address:?} is no address; {form}")))
    }

    /// A file of the box.
    pub(crate) fn path(self, field: &'static str, path: Option<&str>) -> Result<(), Invalid> {
        let Some(path) = path else { return Ok(()) };
        self.text(field, path, 1, 4096)?;
        if path.starts_with('/') {
            return Ok(());
        }
        Err(self.invalid(field, Why::Path, format!("{path:?} is no whole path; it begins with /")))
    }

    /// A number to dial with a place for another one in it.
    pub(crate) fn feature_code(self, field: &'static str, code: Option<&str>) -> Result<(), Invalid> {
        let Some(code) = code else { return Ok(()) };
        let keys = code.len() <= 16 && code.chars().all(|c| c.is_ascii_digit() || "*#$".contains(c));
        // The bare number would call the phone that rings.
        if keys && code.len() > 1 && code.matches('$').count() == 1 {
            return Ok(());
        }
        let form = "give digits, * and #, at most 16, with one $ for the number";
        Err(self.invalid(field, Why::FeatureCode, format!("{code:?} is no feature code; {form}")))
    }

    pub(crate) fn digits(
        self,
        field: &'static str,
        text: &str,
        min: usize,
        max: usize,
    ) -> Result<(), Invalid> {
        if (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(());
        }
        let why = Why::Digits { min, max };
        Err(self.invalid(field, why, format!("{text:?} is not allowed; {min} to {max} digits are")))
    }
}
