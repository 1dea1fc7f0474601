//! A USB handset or headset (HID Usage Tables 1.5, page 0x0B): its reports become wishes, the desk's state becomes its
//! lamps.
//!
//! Headsets are told by an LED that there is a call, and most change their hook with it. Such an echo is no press: the
//! first change to what they were just told, soon after it, means nothing. A press may leave a headset on the hook though
//! somebody talks (it took the call that rang), so after each press it is told again how things are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipc::HookAction;

use crate::codes;
use crate::descriptor::{Descriptor, Field, Usage, Way};
use crate::desk::{Act, Lamps};
use crate::switch::{Button, Key, Press, Switch};
use crate::table::{Hook, Kind, Mute, Profile};

/// A headset follows what it is told within this time.
const ECHO: Duration = Duration::from_secs(1);
/// So long after a press it is told again.
const AGAIN: Duration = Duration::from_millis(500);

/// What means something here, besides the hook and the keys of a key pad.
const KEYS: [Usage; 5] = [codes::PHONE_MUTE, codes::FLASH, codes::HOLD, codes::DROP, codes::SEND];

/// A report that is not what the descriptor promises; what there is of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// It has no bytes.
    #[error("an empty report")]
    Empty,
    /// It ends before its last control.
    #[error("report {report} of {bytes} bytes is too short")]
    Short {
        /// Its number.
        report: u8,
        /// Its length, its number included.
        bytes: usize,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Telephone {
    descriptor: Descriptor,
    hook: Hook,
    mute: Mute,
    echoes: bool,
    switch: Switch,
    button: Button,
    /// Of a device that says whether it is muted.
    muted: Switch,
    keys: BTreeMap<Usage, Key>,
    /// What is active in each array.
    active: BTreeMap<usize, BTreeSet<Usage>>,
    lamps: Lamps,
    /// Reports it has been sent, by number.
    sent: BTreeMap<u8, Vec<u8>>,
    /// What its hook is going to do by itself, and until when that counts as such.
    echo: Option<(bool, Duration)>,
    again: Option<Duration>,
}

impl Telephone {
    /// One with that descriptor; `None` when it is no telephone, or is to be left alone.
    #[must_use]
    pub fn new(descriptor: Descriptor, profile: &Profile) -> Option<Self> {
        let inputs = || descriptor.fields.iter().filter(|field| field.way == Way::Input);
        let outputs = || descriptor.fields.iter().filter(|field| field.way == Way::Output);
        let has_keys = inputs().any(|field| has_phone_keys(field) || KEYS.iter().any(|key| field.has(*key)));
        let hook = inputs().find(|field| field.has(codes::HOOK_SWITCH));
        let has_lamps =
            outputs().any(|field| lamps_of(Lamps::default()).iter().any(|(lamp, _)| field.has(*lamp)));
        // A keyboard with a lamp for mute is no telephone yet.
        let is_telephone = has_keys || hook.is_some() || has_lamps && descriptor.is_telephony();
        if !is_telephone || profile.kind == Some(Kind::Ignore) {
            return None;
        }
        let usual = match hook {
            None => Hook::None,
            Some(field) if field.relative => Hook::Button,
            Some(field) if field.application == codes::HANDSET => Hook::Handset,
            Some(_) => Hook::Headset,
        };
        let hook = profile.hook.unwrap_or(usual);
        let can_echo = hook == Hook::Headset && outputs().any(|field| field.has(codes::LED_OFF_HOOK));
        Some(Self {
            hook,
            mute: profile.mute.unwrap_or(Mute::Toggle),
            echoes: profile.echo.unwrap_or(true) && can_echo,
            descriptor,
            switch: Switch::new(false),
            button: Button::new(false),
            muted: Switch::new(false),
            keys: BTreeMap::new(),
            active: BTreeMap::new(),
            lamps: Lamps::default(),
            sent: BTreeMap::new(),
            echo: None,
            again: None,
        })
    }

    /// The reports that say how its hook and its mute are, each by its number and its length with that, in bytes: what it is
    /// to be asked for once, at the start.
    #[must_use]
    pub fn questions(&self) -> Vec<(u8, usize)> {
        let says = |field: &&Field| {
            let hook = self.hook != Hook::None && field.has(codes::HOOK_SWITCH);
            let mute = self.mute == Mute::State && field.has(codes::PHONE_MUTE);
            field.variable && !field.relative && (hook || mute)
        };
        let reports: BTreeSet<u8> = self.inputs().filter(says).map(|field| field.report).collect();
        reports.into_iter().map(|report| (report, self.descriptor.input_length(report))).collect()
    }

    /// The answer to such a question, before any report has come: how things are, of which nothing comes.
    pub fn begins(&mut self, report: &[u8]) {
        let Some((number, bytes)) = self.descriptor.split(report) else { return };
        for field in &self.descriptor.fields {
            if field.way != Way::Input || field.report != number || !field.variable || field.relative {
                continue;
            }
            let values = (0..field.count).map_while(|place| Some((place, field.value(bytes, place)?)));
            for (place, value) in values {
                let is_on = value != 0;
                match field.usage(place) {
                    Some(codes::HOOK_SWITCH) => {
                        self.switch = Switch::new(is_on);
                        self.button = Button::new(is_on);
                    }
                    Some(codes::PHONE_MUTE) => self.muted = Switch::new(is_on),
                    _ => {}
                }
            }
        }
    }

    /// A report of lamps did not reach it: it is told again how things are.
    pub fn not_sent(&mut self, now: Duration) {
        self.again = self.again.or(Some(now + AGAIN));
    }

    /// A report has come.
    pub fn report(&mut self, now: Duration, report: &[u8]) -> (Vec<Act>, Option<BadReport>) {
        let mut acts = self.tick(now);
        let Some((number, bytes)) = self.descriptor.split(report) else {
            return (acts, Some(BadReport::Empty));
        };
        let (mut heard, mut is_short) = (Vec::new(), false);
        for (index, field) in self.descriptor.fields.iter().enumerate() {
            if field.way != Way::Input || field.report != number || !field.is_of(codes::TELEPHONY) {
                continue;
            }
            let values = (0..field.count).map_while(|place| Some((place, field.value(bytes, place)?)));
            let values: Vec<(usize, u32)> = values.collect();
            is_short |= values.len() < field.count;
            if field.variable {
                let states =
                    values.iter().filter_map(|(place, value)| Some((field.usage(*place)?, *value != 0)));
                heard.extend(states.map(|(usage, on)| (usage, on, field.relative)));
            } else if values.len() == field.count {
                let now_active: BTreeSet<Usage> =
                    values.iter().filter_map(|(_, value)| selected(field, *value)).collect();
                let before = self.active.insert(index, now_active.clone()).unwrap_or_default();
                heard.extend(before.difference(&now_active).map(|usage| (*usage, false, false)));
                heard.extend(now_active.iter().map(|usage| (*usage, true, false)));
            }
        }
        for (usage, on, is_change) in heard {
            acts.extend(self.hear(now, usage, on, is_change));
        }
        let bad = is_short.then_some(BadReport::Short { report: number, bytes: report.len() });
        (acts, bad)
    }

    /// What has come of it by now without a further report.
    pub fn tick(&mut self, now: Duration) -> Vec<Act> {
        let mut acts = Vec::new();
        if let Some(lifted) = self.switch.settle(now) {
            acts.extend(self.hook_moved(now, lifted));
        }
        acts.extend(self.button.tick(now).map(of_press));
        acts.extend(self.muted.settle(now).map(Act::Mute));
        acts
    }

    /// When [`Telephone::tick`] and [`Telephone::show`] are to be called again.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        [self.switch.due(), self.button.due(), self.muted.due(), self.again].into_iter().flatten().min()
    }

    /// The reports that make it show this; none when it does.
    pub fn show(&mut self, now: Duration, lamps: Lamps) -> Vec<Vec<u8>> {
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.sent.clear();
        }
        let mut reports: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for field in self.descriptor.fields.iter().filter(|field| field.way == Way::Output && field.variable)
        {
            for (usage, on) in lamps_of(lamps) {
                let Some(place) = field.place(usage) else { continue };
                let report =
                    reports.entry(field.report).or_insert_with(|| self.descriptor.empty_output(field.report));
                field.put(&mut report[1..], place, u32::from(on));
            }
        }
        reports.retain(|number, report| self.sent.get(number) != Some(report));
        if self.echoes && !reports.is_empty() && self.switch.is_closed() != lamps.off_hook {
            self.echo = Some((lamps.off_hook, now + ECHO));
        }
        self.lamps = lamps;
        self.sent.extend(reports.clone());
        reports.into_values().collect()
    }

    /// Whether a key that the kernel made of its reports is heard here already.
    #[must_use]
    pub fn covers(&self, code: u16) -> bool {
        let has = |usage: Usage| self.inputs().any(|field| field.has(usage));
        match code {
            codes::KEY_PHONE => has(codes::HOOK_SWITCH),
            codes::KEY_MICMUTE => has(codes::PHONE_MUTE),
            codes::KEY_NUMERIC_0..=codes::KEY_NUMERIC_POUND => self.inputs().any(has_phone_keys),
            _ => false,
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self.hook {
            Hook::Handset => "a handset",
            Hook::Headset => "a headset",
            Hook::Button => "a headset with a button",
            Hook::None => "telephone keys",
        }
    }

    fn inputs(&self) -> impl Iterator<Item = &Field> {
        self.descriptor.fields.iter().filter(|field| field.way == Way::Input)
    }

    fn hear(&mut self, now: Duration, usage: Usage, on: bool, is_change: bool) -> Option<Act> {
        if usage == codes::HOOK_SWITCH {
            return match self.hook {
                Hook::Button => self.button.hear(now, on).map(of_press),
                Hook::Handset | Hook::Headset => {
                    let moved = self.switch.hear(now, on)?;
                    self.hook_moved(now, moved)
                }
                Hook::None => None,
            };
        }
        if usage == codes::PHONE_MUTE && self.mute == Mute::State {
            return self.muted.hear(now, on).map(Act::Mute);
        }
        let digit = codes::phone_key(usage);
        if digit.is_none() && !KEYS.contains(&usage) {
            return None;
        }
        let key = self.keys.entry(usage).or_default();
        let is_pressed = if is_change { on && key.pulse(now) } else { key.hear(now, on) };
        if !is_pressed {
            return None;
        }
        match usage {
            codes::PHONE_MUTE => (self.mute == Mute::Toggle).then_some(Act::ToggleMute),
            codes::FLASH => Some(Act::Hook(HookAction::ButtonHeld)),
            codes::HOLD => Some(Act::Hold),
            codes::DROP => Some(Act::Hook(HookAction::HangUpActive)),
            codes::SEND => Some(Act::Hook(HookAction::OffHook)),
            _ => digit.map(Act::Digit),
        }
    }

    fn hook_moved(&mut self, now: Duration, lifted: bool) -> Option<Act> {
        let moved = self.switch.since();
        if self.echo.is_some_and(|(told, until)| told == lifted && moved <= until) {
            self.echo = None;
            return None;
        }
        if self.hook == Hook::Headset {
            self.again = Some(now + AGAIN);
            return Some(Act::Hook(HookAction::Button));
        }
        Some(Act::Hook(if lifted { HookAction::OffHook } else { HookAction::OnHook }))
    }
}

/// What a headset's button means.
#[must_use]
pub fn of_press(press: Press) -> Act {
    Act::Hook(match press {
        Press::Short => HookAction::Button,
        Press::Held => HookAction::ButtonHeld,
    })
}

fn has_phone_keys(field: &Field) -> bool {
    (codes::PHONE_KEY_0..codes::PHONE_KEY_0 + 16).any(|id| field.has(Usage::new(codes::TELEPHONY, id)))
}

/// The usage that a value of an array selects (HID 1.11, section 6.2.2.5).
fn selected(field: &Field, value: u32) -> Option<Usage> {
    let value = i64::from(value);
    let place = (field.minimum..=field.maximum).contains(&value).then_some(value - field.minimum)?;
    field.usage(usize::try_from(place).ok()?)
}

fn lamps_of(lamps: Lamps) -> [(Usage, bool); 7] {
    [
        (codes::LED_OFF_HOOK, lamps.off_hook),
        (codes::LED_BUSY, lamps.off_hook),
        (codes::LED_RING, lamps.ring),
        (codes::RINGER, lamps.ring),
        (codes::LED_PHONE_MUTE, lamps.mute),
        (codes::LED_HOLD, lamps.hold),
        (codes::LED_MESSAGE, lamps.message),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::samples;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn telephone(descriptor: &[u8], profile: &Profile) -> Telephone {
        Telephone::new(Descriptor::parse(descriptor).unwrap(), profile).unwrap()
    }

    fn headset() -> Telephone {
        telephone(samples::HEADSET, &Profile::default())
    }

    /// Plays reports at their times, and gives what came of them with the time after it.
    fn play(telephone: &mut Telephone, reports: &[(u64, &[u8])], until: u64) -> Vec<Act> {
        let mut acts = Vec::new();
        for (at, report) in reports {
            while let Some(due) = telephone.due().filter(|due| *due < ms(*at)) {
                acts.extend(telephone.tick(due));
                let lamps = telephone.lamps;
                telephone.show(due, lamps);
            }
            let (heard, bad) = telephone.report(ms(*at), report);
            assert_eq!(bad, None);
            acts.extend(heard);
        }
        while let Some(due) = telephone.due().filter(|due| *due <= ms(until)) {
            acts.extend(telephone.tick(due));
            let lamps = telephone.lamps;
            telephone.show(due, lamps);
        }
        acts
    }

    const BUTTON: Act = Act::Hook(HookAction::Button);
    const TALKS: Lamps = Lamps { off_hook: true, ring: false, mute: false, hold: false, message: false };
    const RINGS: Lamps = Lamps { off_hook: false, ring: true, mute: false, hold: false, message: false };

    #[test]
    fn hw_1_a_headset_rings_and_each_press_of_its_button_is_one() {
        let mut headset = headset();
        assert_eq!(headset.show(ms(0), Lamps::default()), [[2, 0, 0]]);
        // Ring, and Ringer.
        assert_eq!(headset.show(ms(10), RINGS), [[2, 0b10_0010, 0]]);
        assert_eq!(headset.show(ms(20), RINGS), Vec::<Vec<u8>>::new());
        assert_eq!(play(&mut headset, &[(1000, &[1, 1, 0])], 1060), [BUTTON]);
        // The desk has answered: it is off the hook already, so what it is told has no echo.
        assert_eq!(headset.show(ms(1070), TALKS), [[2, 1, 0]]);
        assert_eq!(headset.echo, None);
        assert_eq!(play(&mut headset, &[(1400, &[1, 0, 0])], 1460), [BUTTON]);
    }

    #[test]
    fn hw_1_the_echo_of_what_a_headset_was_told_is_no_press_and_the_next_change_is() {
        let mut headset = headset();
        headset.show(ms(0), RINGS);
        // Answered on the screen.
        headset.show(ms(500), TALKS);
        assert_eq!(play(&mut headset, &[(620, &[1, 1, 0])], 700), []);
        // The caller hangs up.
        headset.show(ms(5000), Lamps::default());
        assert_eq!(play(&mut headset, &[(5100, &[1, 0, 0])], 5200), []);
        headset.show(ms(9000), TALKS);
        assert_eq!(play(&mut headset, &[(9100, &[1, 1, 0]), (9300, &[1, 0, 0])], 9400), [BUTTON]);
        // One that says nothing for so long has no echo: this is a press.
        headset.show(ms(20_000), Lamps::default());
        headset.show(ms(21_000), TALKS);
        assert_eq!(play(&mut headset, &[(23_000, &[1, 1, 0])], 23_100), [BUTTON]);
    }

    #[test]
    fn hw_1_after_a_press_a_headset_is_told_again_how_things_are() {
        let mut headset = headset();
        headset.show(ms(0), TALKS);
        play(&mut headset, &[(100, &[1, 1, 0])], 200);
        // Its button takes the second call that rings; on the hook it would be of no use.
        assert_eq!(headset.report(ms(4000), &[1, 0, 0]).0, []);
        assert_eq!(headset.tick(ms(4050)), [BUTTON]);
        assert_eq!(headset.show(ms(4100), TALKS), Vec::<Vec<u8>>::new());
        assert_eq!(headset.due(), Some(ms(4550)));
        assert_eq!(headset.show(ms(4550), TALKS), [[2, 1, 0]]);
        assert_eq!(play(&mut headset, &[(4600, &[1, 1, 0])], 4700), [], "its echo");
    }

    #[test]
    fn hw_1_mute_flash_and_digits_of_a_headset() {
        let mut headset = headset();
        let mute = [1, 0b1000, 0];
        let still = [1, 0, 0];
        // Relative: each report with it is a press; the second comes too soon to be one.
        let acts = play(&mut headset, &[(0, &mute), (10, &mute), (300, &still), (400, &mute)], 500);
        assert_eq!(acts, [Act::ToggleMute, Act::ToggleMute]);
        // Held for two seconds: most say it by a flash.
        let acts = play(&mut headset, &[(1000, &[1, 0b1_0000, 0]), (1100, &still)], 1200);
        assert_eq!(acts, [Act::Hook(HookAction::ButtonHeld)]);
        // 1 is the first value, which is the key 0.
        let keys: [(u64, &[u8]); 5] = [
            (2000, &[1, 0, 6]),
            (2100, &[1, 0, 6]),
            (2200, &[1, 0, 11]),
            (2300, &[1, 0, 0]),
            (2400, &[1, 0, 12]),
        ];
        assert_eq!(play(&mut headset, &keys, 2500), ['5', '*', '#'].map(Act::Digit));
        assert!(headset.covers(codes::KEY_MICMUTE) && headset.covers(codes::KEY_NUMERIC_0 + 5));
        assert!(!headset.covers(codes::KEY_PICKUP_PHONE));
    }

    #[test]
    fn hw_1_a_handset_lifted_and_put_down_with_its_keys_and_lamps() {
        let mut handset = telephone(samples::HANDSET, &Profile::default());
        let chatter: [(u64, &[u8]); 4] = [(0, &[1, 0]), (4, &[0, 0]), (11, &[1, 0]), (3000, &[0, 0])];
        let acts = play(&mut handset, &chatter, 4000);
        assert_eq!(acts, [HookAction::OffHook, HookAction::OnHook].map(Act::Hook));
        let talks = Lamps { mute: true, message: true, ..TALKS };
        assert_eq!(handset.show(ms(5000), talks), [[0, 0b1_0101]]);
        let acts =
            play(&mut handset, &[(6000, &[1, 0]), (6500, &[1, 10]), (6600, &[1, 0]), (7000, &[9, 0])], 7100);
        assert_eq!(acts, [Act::Hook(HookAction::OffHook), Act::Digit('9'), Act::Hold]);
    }

    #[test]
    fn hw_1_a_handset_that_is_off_the_hook_when_it_comes_ends_the_call_when_it_is_put_down() {
        let mut handset = telephone(samples::HANDSET, &Profile::default());
        assert_eq!(handset.questions(), [(0, 3)]);
        handset.begins(&[1, 0]);
        assert_eq!((handset.due(), handset.tick(ms(500))), (None, Vec::new()), "of itself it means nothing");
        assert_eq!(play(&mut handset, &[(1000, &[0, 0])], 1100), [Act::Hook(HookAction::OnHook)]);
        // One that refuses to say it, or says half, counts as on the hook.
        handset.begins(&[]);
        assert_eq!(play(&mut handset, &[(2000, &[1, 0])], 2100), [Act::Hook(HookAction::OffHook)]);
    }

    #[test]
    fn hw_1_a_headset_that_is_in_a_call_when_it_comes_hangs_up_with_the_first_press() {
        let mut headset = headset();
        assert_eq!(headset.questions(), [(1, 3)]);
        headset.begins(&[1, 1, 0]);
        assert_eq!(headset.show(ms(0), TALKS), [[2, 1, 0]]);
        assert_eq!(headset.echo, None, "it is as it was told to be");
        assert_eq!(play(&mut headset, &[(300, &[1, 0, 0])], 400), [BUTTON]);
        let state = Profile { mute: Some(Mute::State), ..Profile::default() };
        let mut handset = telephone(samples::HANDSET, &state);
        handset.begins(&[0b10, 0]);
        assert_eq!(play(&mut handset, &[(1000, &[0, 0])], 1100), [Act::Mute(false)]);
        let none = Profile { hook: Some(Hook::None), ..Profile::default() };
        assert!(telephone(samples::HEADSET, &none).questions().is_empty());
    }

    #[test]
    fn hw_1_lamps_that_did_not_reach_a_headset_are_sent_again() {
        let mut headset = headset();
        assert_eq!(headset.show(ms(0), TALKS), [[2, 1, 0]]);
        headset.not_sent(ms(10));
        assert_eq!(headset.show(ms(20), TALKS), Vec::<Vec<u8>>::new(), "not at once: it is busy");
        assert_eq!(headset.due(), Some(ms(510)));
        assert_eq!(headset.show(ms(510), TALKS), [[2, 1, 0]]);
        assert_eq!(headset.due(), None);
    }

    #[test]
    fn hw_1_a_table_may_say_that_a_hook_is_a_button_and_mute_a_state() {
        let profile = Profile { hook: Some(Hook::Button), mute: Some(Mute::State), ..Profile::default() };
        let mut headset = telephone(samples::HEADSET, &profile);
        let button: [(u64, &[u8]); 4] =
            [(0, &[1, 1, 0]), (200, &[1, 0, 0]), (1000, &[1, 1, 0]), (4000, &[1, 0, 0])];
        assert_eq!(play(&mut headset, &button, 5000), [BUTTON, Act::Hook(HookAction::ButtonHeld)]);
        let mute: [(u64, &[u8]); 2] = [(6000, &[1, 8, 0]), (9000, &[1, 0, 0])];
        assert_eq!(play(&mut headset, &mute, 9100), [Act::Mute(true), Act::Mute(false)]);
        let nothing = Profile { hook: Some(Hook::None), mute: Some(Mute::None), ..Profile::default() };
        let mut headset = telephone(samples::HEADSET, &nothing);
        assert_eq!(play(&mut headset, &[(0, &[1, 9, 0]), (500, &[1, 0, 0])], 900), []);
        assert!(
            Telephone::new(
                Descriptor::parse(samples::HEADSET).unwrap(),
                &Profile { kind: Some(Kind::Ignore), ..Profile::default() }
            )
            .is_none()
        );
    }

    #[test]
    fn hw_1_a_short_report_counts_as_far_as_it_goes_and_is_told() {
        let mut headset = headset();
        let (acts, bad) = headset.report(ms(0), &[1, 8]);
        assert_eq!(
            (acts.as_slice(), bad),
            ([Act::ToggleMute].as_slice(), Some(BadReport::Short { report: 1, bytes: 2 }))
        );
        assert_eq!(headset.report(ms(1), &[]), (Vec::new(), Some(BadReport::Empty)));
        assert_eq!(
            headset.report(ms(2), &[77, 1, 2, 3]),
            (Vec::new(), None),
            "not one that means something here"
        );
    }

    #[test]
    fn hw_2_a_keyboard_is_no_telephone() {
        let keyboard = Descriptor::parse(samples::BOOT_KEYBOARD).unwrap();
        assert!(Telephone::new(keyboard, &Profile::default()).is_none());
    }
}
