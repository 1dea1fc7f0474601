//! What the desk is told when it starts, and what of it an administrator may change while it runs.

use std::ops::RangeInclusive;
use std::time::Duration;

use ipc::{
    DirectoryView, PageWhen, ParkSlot, Party, Preferences, RingTone, Rule, ServiceMode, Timers, Volumes,
};
use serde::{Deserialize, Serialize};

/// One number the desk answers for and calls from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The number called, as it arrives in the To header, for example `5550100`.
    pub number: String,
    /// The company or service behind it, for example `Sales`.
    pub name: String,
    /// How to greet (TEN-2).
    pub note: String,
    /// Its colour on the screen, 0 to 7.
    pub colour: Option<u8>,
    /// How it rings.
    pub ring: RingTone,
    /// The address of its CRM, as [`Settings::crm`].
    pub crm: Option<String>,
}

/// A caller who waits in a park slot, as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedCall {
    /// The slot's number, as the settings have it.
    pub slot: String,
    /// Who waits.
    pub who: Party,
    /// Who parked them.
    pub by: String,
    /// The number of the line that the call came in on or was placed with.
    pub line: String,
    /// Since when, in milliseconds on the desk's clock; negative: before the desk was started.
    pub since_ms: i64,
    /// The exchange has shown the slot as taken since.
    pub lit: bool,
}

/// Settings of the desk. [`Settings::default`] has no line and the times written at each field.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The lines, in the order of the screen. Without one nothing can be dialled.
    pub lines: Vec<Line>,
    /// The name at the top right of the screen.
    pub operator_name: String,
    /// The directories at the start; [`crate::Input::Directories`] brings later ones.
    pub directories: Vec<DirectoryView>,
    /// Language, colours, hold alarm.
    pub preferences: Preferences,
    /// How long one stage of a transfer (asked, trying, ringing) may last before the call comes
    /// back as a recall. 30 s.
    pub transfer_timeout: Duration,
    /// How long an ended transfer stays in the view. 8 s.
    pub notice_time: Duration,
    /// How long after the end of a transferred call its final NOTIFY may still arrive and say what
    /// became of it. The log row waits that long. 2 s.
    pub transfer_grace: Duration,
    /// How long the busy or congestion tone lasts after a call that did not come about. 3 s.
    pub failure_tone: Duration,
    /// After this a call that was hung up leaves the desk even though the network never confirmed
    /// it. Longer than 64 × T1 = 32 s, after which the user agent gives up. 40 s.
    pub ending_timeout: Duration,
    /// The address of the CRM for lines without their own; `$` stands for the number (CRM-1).
    pub crm: Option<String>,
    /// When that page is opened.
    pub page_when: PageWhen,
    /// Most calls on the desk at once; further ones are refused as busy. 200.
    pub max_calls: usize,
    /// Missed calls counted before the desk was restarted.
    pub missed: u32,
    /// When a forgotten call comes back, and how long a transfer can be undone.
    pub timers: Timers,
    /// Automatic handling; the first rule that matches applies.
    pub rules: Vec<Rule>,
    /// The park slots.
    pub park: Vec<ParkSlot>,
    /// Who was parked when the desk was stopped ([`crate::Effect::SaveParked`]): the exchange has kept them.
    #[serde(default)]
    pub parked: Vec<ParkedCall>,
    /// How many digits an extension of the house has: callers with other numbers are external.
    /// 2 to 5.
    pub extension_digits: RangeInclusive<usize>,
    /// Calls that colleagues are in may be taken over (PRE-3). Not by default: it cuts them off.
    #[serde(default)]
    pub take_over: bool,
    /// Loudness as kept.
    pub volumes: Volumes,
    /// The service mode chosen by hand before the desk was restarted.
    pub service: Option<ServiceMode>,
}

/// What an administrator changes while the desk runs, whole; each field as in [`Settings`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they are those of the settings")]
pub struct Administered {
    pub lines: Vec<Line>,
    pub operator_name: String,
    /// A hold that is longer turns red, in milliseconds ([`Preferences::hold_alarm_ms`]).
    pub hold_alarm_ms: u64,
    pub transfer_timeout: Duration,
    pub notice_time: Duration,
    pub crm: Option<String>,
    pub page_when: PageWhen,
    pub max_calls: usize,
    pub timers: Timers,
    pub rules: Vec<Rule>,
    pub park: Vec<ParkSlot>,
    pub extension_digits: RangeInclusive<usize>,
    #[serde(default)]
    pub take_over: bool,
}

impl Settings {
    /// That part of these settings.
    #[must_use]
    pub fn administered(&self) -> Administered {
        Administered {
            lines: self.lines.clone(),
            operator_name: self.operator_name.clone(),
            hold_alarm_ms: self.preferences.hold_alarm_ms,
            transfer_timeout: self.transfer_timeout,
            notice_time: self.notice_time,
            crm: self.crm.clone(),
            page_when: self.page_when,
            max_calls: self.max_calls,
            timers: self.timers,
            rules: self.rules.clone(),
            park: self.park.clone(),
            extension_digits: self.extension_digits.clone(),
            take_over: self.take_over,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            operator_name: String::new(),
            directories: Vec::new(),
            preferences: Preferences::default(),
            transfer_timeout: Duration::from_secs(30),
            notice_time: Duration::from_secs(8),
            transfer_grace: Duration::from_secs(2),
            failure_tone: Duration::from_secs(3),
            ending_timeout: Duration::from_secs(40),
            crm: None,
            page_when: PageWhen::default(),
            max_calls: 200,
            missed: 0,
            timers: Timers::default(),
            rules: Vec::new(),
            park: Vec::new(),
            parked: Vec::new(),
            extension_digits: 2..=5,
            take_over: false,
            volumes: Volumes::default(),
            service: None,
        }
    }
}
