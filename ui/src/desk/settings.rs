//! The settings (SET-1): what is chosen is shown at once and kept by Save; nothing chosen is lost by leaving in a hurry.
//!
//! Language, colours and sizes are tried on while the settings are in front; keys do what is saved, because a key that
//! means something else while one looks for it helps nobody. What else there is to set is the administrator's, on their
//! page.

use std::rc::Rc;

use ipc::{Command, CommandError, Language, Preferences, PreferencesWish, SpeechPace, TextSize, Theme, View};
use slint::{ComponentHandle, ModelRc, VecModel};

use super::leaving::{self, DISCARD, KEEP_ON, SAVE};
use super::{Area, Desk};
use crate::keys::{ConsoleKey, KeyMap};
use crate::screen::{
    self, App, Colours, FocusPlace, Ink, KeyAction, KeyFault, KeyName, KeyRow, Keys, LetterSize, LinkedPart,
    Motion, Pace, Screen, SettingsStanding, SettingsStop, SoundTest,
};
use crate::shortcuts::{self, EDITABLE, Recorded, Table};
use crate::text_size;

/// The heads of the sections, from above, and which of them are open at first.
const SECTIONS: [(SettingsStop, bool); 6] = [
    (SettingsStop::Seat, true),
    (SettingsStop::Look, true),
    (SettingsStop::Reading, false),
    (SettingsStop::Sound, true),
    (SettingsStop::Keys, false),
    (SettingsStop::About, false),
];
/// What can be chosen for a screen that locks itself, in minutes; 0 never does.
pub(super) const LOCK_AFTER: [u16; 4] = [0, 1, 5, 15];
/// Where the arrows stop among them.
const LOCK_STOPS: [SettingsStop; 4] =
    [SettingsStop::LockNever, SettingsStop::LockOne, SettingsStop::LockFive, SettingsStop::LockFifteen];

/// State of the settings that is the screen's own.
pub(crate) struct Settings {
    /// As chosen; `None`: as saved.
    draft: Option<Wishes>,
    /// What the screen looks like now.
    worn: Option<(Language, Theme)>,
    /// How large everything is drawn now.
    worn_size: TextSize,
    /// Which of [`SECTIONS`] are open.
    open: [bool; SECTIONS.len()],
    stop: SettingsStop,
    /// With [`SettingsStop::Key`] and [`SettingsStop::Part`]: which of them.
    key_at: usize,
    /// The action that waits for a key.
    recording: Option<usize>,
    /// The key that was pressed is another's.
    taken: Option<(String, ConsoleKey)>,
    /// Where to, once it is decided whether to save.
    leaving: Option<Screen>,
    /// Save on its way to the desk, and where to afterwards.
    sent: Option<(u64, Option<Screen>)>,
    fault: Option<String>,
    /// What the desk has taken, until its view says so.
    accepted: Option<Wishes>,
    rows: Rc<VecModel<KeyRow>>,
    /// The keys in `rows`.
    listed: Table,
}

/// What there is to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wishes {
    language: Language,
    theme: Theme,
    keys: Table,
    /// In minutes; 0 never. Of whoever is signed in.
    lock_after: u16,
    text_size: TextSize,
    calm: bool,
    speech: bool,
    pace: SpeechPace,
}

impl Settings {
    pub(crate) fn new(app: &App) -> Self {
        let rows = Rc::new(VecModel::default());
        let global = app.global::<screen::Settings>();
        global.set_rows(ModelRc::from(rows.clone()));
        let parts = ipc::third_parties().map(|part| LinkedPart {
            name: part.name.into(),
            version: part.version.into(),
            licence: part.licence.into(),
        });
        global.set_parts(ModelRc::new(parts.collect::<VecModel<_>>()));
        global.set_version(env!("CARGO_PKG_VERSION").into());
        Self {
            draft: None,
            worn: None,
            worn_size: TextSize::Usual,
            open: SECTIONS.map(|(_, open)| open),
            stop: SettingsStop::Nowhere,
            key_at: 0,
            recording: None,
            taken: None,
            leaving: None,
            sent: None,
            fault: None,
            accepted: None,
            rows,
            listed: Table::new(),
        }
    }
}

// What is chosen and what is kept.
impl Desk {
    /// A new view may have other preferences.
    pub(crate) fn preferences_changed(&mut self, before: &View) {
        let sat = before.sign_in.operator != self.view.sign_in.operator;
        if before.generation == 0 || sat || before.preferences != self.view.preferences {
            self.keys = shortcuts::map(&self.usual_keys, &self.view.preferences.shortcuts);
            self.show_key_hints();
            // What somebody else has chosen is not saved as theirs.
            if sat || self.settings.draft.as_ref() == Some(&self.kept()) {
                self.settings.draft = None;
            }
            self.settings.accepted = None;
            self.settings.leaving = self.settings.leaving.filter(|_| self.settings.draft.is_some());
            self.show_settings();
        }
    }

    /// Other usual keys.
    pub(crate) fn set_usual_keys(&mut self, keys: KeyMap) {
        self.usual_keys = keys;
        self.keys = shortcuts::map(&self.usual_keys, &self.view.preferences.shortcuts);
        self.show_key_hints();
    }

    fn kept(&self) -> Wishes {
        let Preferences { language, theme, lock_after_min, text_size, calm, speech, pace, .. } =
            self.view.preferences;
        let keys = shortcuts::table(&self.usual_keys, &self.view.preferences.shortcuts);
        Wishes { language, theme, keys, lock_after: lock_after_min, text_size, calm, speech, pace }
    }

    fn wished(&self) -> Wishes {
        self.settings.draft.clone().unwrap_or_else(|| self.kept())
    }

    /// As it comes out of the box. The language stays: who cannot read the screen cannot save it either. So does the
    /// time of the lock: nobody leaves a desk open by tidying up its colours.
    fn usual(&self) -> Wishes {
        let Wishes { language, lock_after, .. } = self.wished();
        let keys = shortcuts::table(&self.usual_keys, &ipc::Shortcuts::new());
        let (theme, text_size, pace) = (Theme::default(), TextSize::default(), SpeechPace::default());
        Wishes { language, theme, keys, lock_after, text_size, calm: false, speech: false, pace }
    }

    fn wish_for(&mut self, wishes: Wishes) {
        self.settings.fault = None;
        self.settings.draft = (wishes != self.kept()).then_some(wishes);
        self.show_settings();
    }

    /// Something was chosen, or a button pressed by key.
    pub(crate) fn choose_setting(&mut self, stop: SettingsStop) {
        let wished = self.wished();
        match stop {
            SettingsStop::English => self.wish_for(Wishes { language: Language::English, ..wished }),
            SettingsStop::French => self.wish_for(Wishes { language: Language::French, ..wished }),
            SettingsStop::Dark => self.wish_for(Wishes { theme: Theme::Dark, ..wished }),
            SettingsStop::Light => self.wish_for(Wishes { theme: Theme::Light, ..wished }),
            SettingsStop::Contrast => self.wish_for(Wishes { theme: Theme::Contrast, ..wished }),
            SettingsStop::TextUsual => self.wish_for(Wishes { text_size: TextSize::Usual, ..wished }),
            SettingsStop::TextLarge => self.wish_for(Wishes { text_size: TextSize::Large, ..wished }),
            SettingsStop::TextLargest => self.wish_for(Wishes { text_size: TextSize::Largest, ..wished }),
            SettingsStop::Calm => self.wish_for(Wishes { calm: !wished.calm, ..wished }),
            SettingsStop::Speech => self.wish_for(Wishes { speech: !wished.speech, ..wished }),
            SettingsStop::PaceSlow => self.wish_for(Wishes { pace: SpeechPace::Slow, ..wished }),
            SettingsStop::PaceUsual => self.wish_for(Wishes { pace: SpeechPace::Usual, ..wished }),
            SettingsStop::PaceFast => self.wish_for(Wishes { pace: SpeechPace::Fast, ..wished }),
            SettingsStop::PaceFastest => self.wish_for(Wishes { pace: SpeechPace::Fastest, ..wished }),
            SettingsStop::LockNever
            | SettingsStop::LockOne
            | SettingsStop::LockFive
            | SettingsStop::LockFifteen => {
                let chosen = LOCK_STOPS.iter().zip(LOCK_AFTER).find(|(of, _)| **of == stop);
                let lock_after = chosen.map_or(wished.lock_after, |(_, minutes)| minutes);
                self.wish_for(Wishes { lock_after, ..wished });
            }
            SettingsStop::Lock => self.lock(),
            SettingsStop::SignOut => self.sign_out(),
            SettingsStop::Seat
            | SettingsStop::Look
            | SettingsStop::Reading
            | SettingsStop::Sound
            | SettingsStop::Keys
            | SettingsStop::About => self.fold_settings(stop),
            SettingsStop::Key => self.record_key(self.settings.key_at),
            SettingsStop::Play => self.begin_test(SoundTest::Speaker),
            SettingsStop::Ring => self.begin_test(SoundTest::Ringer),
            SettingsStop::Chime => self.begin_test(SoundTest::Notifier),
            SettingsStop::HearBack => self.begin_test(SoundTest::HearBack),
            SettingsStop::Stop => self.stop_test(),
            SettingsStop::Reset => self.reset_settings(),
            SettingsStop::GiveUp => self.give_up_settings(),
            SettingsStop::Save => self.save_settings(),
            SettingsStop::Part | SettingsStop::Nowhere => {}
        }
    }

    /// Opens or folds a section.
    pub(crate) fn fold_settings(&mut self, stop: SettingsStop) {
        let Some(at) = section(stop) else { return };
        let open = &mut self.settings.open[at];
        *open = !*open;
        if stop == SettingsStop::Keys && !*open {
            self.stop_recording();
        }
        self.listen_to_sound();
        self.show_settings();
    }

    pub(crate) fn sound_is_open(&self) -> bool {
        self.is_open(SettingsStop::Sound)
    }

    /// The section with this head is open.
    fn is_open(&self, head: SettingsStop) -> bool {
        section(head).is_some_and(|at| self.settings.open[at])
    }

    pub(crate) fn reset_settings(&mut self) {
        self.stop_recording();
        self.wish_for(self.usual());
    }

    pub(crate) fn give_up_settings(&mut self) {
        self.stop_recording();
        self.settings.draft = None;
        self.settings.fault = None;
        self.show_settings();
    }

    pub(crate) fn save_settings(&mut self) {
        self.save_and(None);
    }

    fn save_and(&mut self, then: Option<Screen>) {
        let Some(draft) = self.settings.draft.clone() else { return };
        if self.settings.sent.is_some() {
            return;
        }
        self.stop_recording();
        let Wishes { language, theme, keys, lock_after, text_size, calm, speech, pace } = draft;
        let shortcuts = shortcuts::changes(&self.usual_keys, &keys);
        // Where it was not chosen here, another hand may have changed it meanwhile.
        let lock_after_min = Some(lock_after).filter(|after| *after != self.view.preferences.lock_after_min);
        let wish =
            PreferencesWish { language, theme, shortcuts, lock_after_min, text_size, calm, speech, pace };
        let command = Command::SavePreferences(wish);
        self.settings.sent = self.outbox.command(command).ok().map(|seq| (seq, then));
        self.show_settings();
    }

    /// True when this was the answer to Save.
    pub(crate) fn settings_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        let Some((_, then)) = self.settings.sent.take_if(|(sent, _)| *sent == seq) else { return false };
        match result {
            Ok(()) => {
                // The view with it comes with the answer or a moment later; until then it is shown as chosen.
                self.settings.accepted.clone_from(&self.settings.draft);
                if let Some(screen) = then {
                    self.settings.leaving = None;
                    self.show_screen(screen);
                }
            }
            Err(CommandError::Failed { reason }) => self.settings.fault = Some(reason.clone()),
            Err(error) => self.settings.fault = Some(error.to_string()),
        }
        self.show_settings();
        true
    }

    pub(crate) fn settings_disconnected(&mut self) {
        self.settings.sent = None;
        self.show_settings();
    }
}

// Leaving.
impl Desk {
    /// Something chosen is not saved, nor on its way.
    pub(crate) fn settings_are_open_ended(&self) -> bool {
        let settings = &self.settings;
        settings.draft.is_some() && settings.draft != settings.accepted && settings.sent.is_none()
    }

    /// True when something chosen is not saved, and it was asked what to do: the screen stays.
    pub(crate) fn settings_hold(&mut self, to: Screen) -> bool {
        if self.screen() != Screen::Settings || to == Screen::Settings {
            return false;
        }
        self.stop_recording();
        if !self.settings_are_open_ended() {
            return false;
        }
        self.settings.leaving = Some(to);
        self.app.global::<screen::Settings>().set_answer(KEEP_ON);
        self.focus(FocusPlace::Nowhere);
        self.show_settings();
        true
    }

    /// The answer to "Leave without saving?".
    pub(crate) fn leave_settings(&mut self, answer: i32) {
        let Some(to) = self.settings.leaving else { return };
        match answer {
            SAVE if self.connected => return self.save_and(Some(to)),
            SAVE => return,
            DISCARD => {
                self.give_up_settings();
                self.settings.leaving = None;
                self.show_screen(to);
            }
            _ => self.settings.leaving = None,
        }
        self.show_settings();
    }
}

// Keys of actions.
impl Desk {
    /// The next key that is pressed becomes one of the row's action.
    pub(crate) fn record_key(&mut self, row: usize) {
        if self.settings.recording == Some(row) {
            return self.stop_recording();
        }
        self.settings.recording = (row < EDITABLE.len()).then_some(row);
        self.settings.taken = None;
        let full = EDITABLE.get(row).is_some_and(|action| self.keys_of(*action).len() >= shortcuts::MOST);
        self.app.global::<screen::Settings>().set_fault(if full { KeyFault::Full } else { KeyFault::None });
        self.focus(FocusPlace::Nowhere);
        self.show_settings();
    }

    /// The next key becomes an action's, whatever it does now.
    pub(crate) fn is_recording_key(&self) -> bool {
        self.settings.recording.is_some()
    }

    fn keys_of(&self, action: ConsoleKey) -> Vec<String> {
        self.wished().keys.remove(&action).unwrap_or_default()
    }

    pub(crate) fn stop_recording(&mut self) {
        self.settings.recording = None;
        self.settings.taken = None;
        self.show_settings();
    }

    /// The key that another action had.
    pub(crate) fn take_key(&mut self) {
        if let (Some(row), Some((key, _))) = (self.settings.recording, self.settings.taken.take()) {
            self.give_key(row, key);
        }
    }

    /// A key of a row's action goes.
    pub(crate) fn drop_key(&mut self, row: usize, key: usize) {
        let mut wished = self.wished();
        let keys = EDITABLE.get(row).and_then(|action| wished.keys.get_mut(action));
        if let Some(keys) = keys.filter(|keys| key < keys.len()) {
            keys.remove(key);
            self.wish_for(wished);
        }
    }

    fn give_key(&mut self, row: usize, key: String) {
        let mut wished = self.wished();
        for keys in wished.keys.values_mut() {
            keys.retain(|other| *other != key);
        }
        if let Some(keys) = EDITABLE.get(row).and_then(|action| wished.keys.get_mut(action)) {
            keys.push(key);
        }
        self.settings.recording = None;
        self.settings.taken = None;
        self.wish_for(wished);
    }

    /// A key while an action waits for one.
    fn recorded(&mut self, row: usize, text: &str, control: bool, alt: bool) {
        let global = self.app.global::<screen::Settings>();
        if self.settings.taken.is_some() {
            match self.usual_keys.read(text, control, alt, false) {
                Some(ConsoleKey::Enter) => return self.take_key(),
                Some(ConsoleKey::Escape) => return self.stop_recording(),
                // Another key, then.
                _ => self.settings.taken = None,
            }
        }
        let full = EDITABLE.get(row).is_some_and(|action| self.keys_of(*action).len() >= shortcuts::MOST);
        let fault = match Recorded::of(text, control, alt) {
            Recorded::OnTheWay => return,
            Recorded::Stop => return self.stop_recording(),
            Recorded::Key(_) if full => KeyFault::Full,
            Recorded::Key(key) => match shortcuts::owner(&self.wished().keys, &key) {
                Some(holder) if EDITABLE.get(row) != Some(&holder) => {
                    self.settings.taken = Some((key, holder));
                    KeyFault::None
                }
                Some(_) => return self.stop_recording(),
                None => return self.give_key(row, key),
            },
            Recorded::Typed => KeyFault::Typed,
            Recorded::OfFields => KeyFault::OfFields,
            Recorded::Fixed => KeyFault::Fixed,
        };
        global.set_fault(fault);
        self.show_settings();
    }
}

// The keyboard.
impl Desk {
    /// The settings' key: there, with the arrows among them.
    pub(crate) fn open_settings_by_key(&mut self) {
        self.show_screen(Screen::Settings);
        if self.screen() == Screen::Settings {
            self.set_area(Area::Directory);
            self.settings.stop = SettingsStop::Look;
            self.show_settings_stop();
        }
    }

    /// A key while the settings are in front. `None`: it is none of theirs.
    pub(crate) fn settings_key(
        &mut self,
        text: &str,
        control: bool,
        alt: bool,
        typing: bool,
    ) -> Option<bool> {
        if self.screen() != Screen::Settings || self.finder_is_open() || typing {
            return None;
        }
        if let Some(row) = self.settings.recording {
            self.recorded(row, text, control, alt);
            return Some(true);
        }
        let key = self.keys.read(text, control, alt, false);
        if self.settings.leaving.is_some() {
            let global = self.app.global::<screen::Settings>();
            let answer = global.get_answer();
            match (leaving::moved(answer, text, key), key) {
                (Some(other), _) => global.set_answer(other),
                (_, Some(ConsoleKey::Enter)) => self.leave_settings(answer),
                (_, Some(ConsoleKey::Escape)) => self.leave_settings(KEEP_ON),
                _ => return None,
            }
            return Some(true);
        }
        if control && text == "s" {
            self.save_settings();
            return Some(true);
        }
        if self.area != Area::Directory {
            return None;
        }
        let backspace = text.chars().eq([char::from(slint::platform::Key::Backspace)]);
        if backspace && self.settings.stop == SettingsStop::Key {
            let row = self.settings.key_at;
            if let Some(last) =
                EDITABLE.get(row).and_then(|action| self.keys_of(*action).len().checked_sub(1))
            {
                self.drop_key(row, last);
            }
            return Some(true);
        }
        match key? {
            ConsoleKey::Enter | ConsoleKey::Primary => self.choose_setting(self.settings.stop),
            ConsoleKey::Up => self.step_in_settings(|at, _| at.saturating_sub(1)),
            ConsoleKey::Down => self.step_in_settings(|at, last| (at + 1).min(last)),
            ConsoleKey::Home => self.step_in_settings(|_, _| 0),
            ConsoleKey::End => self.step_in_settings(|_, last| last),
            ConsoleKey::PageUp => self.step_in_settings(|at, _| at.saturating_sub(6)),
            ConsoleKey::PageDown => self.step_in_settings(|at, last| (at + 6).min(last)),
            key @ (ConsoleKey::Left | ConsoleKey::Right) => self.turn_in_settings(key == ConsoleKey::Right),
            // Of calls and contacts: nothing is meant there now.
            ConsoleKey::Transfer | ConsoleKey::Menu => {}
            _ => return None,
        }
        Some(true)
    }

    /// Where the arrows stop now, from above; what is folded or cannot be pressed is passed over.
    fn settings_stops(&self) -> Vec<(SettingsStop, usize)> {
        use SettingsStop as S;
        let alone = |stop: &S| (*stop, 0);
        let mut stops = Vec::new();
        if self.view.sign_in.operator.is_some() {
            stops.push((S::Seat, 0));
            if self.is_open(S::Seat) {
                stops.extend([S::Lock, S::SignOut].iter().chain(&LOCK_STOPS).map(alone));
            }
        }
        stops.push((S::Look, 0));
        if self.is_open(S::Look) {
            stops.extend([S::English, S::French, S::Dark, S::Light, S::Contrast].iter().map(alone));
        }
        stops.push((S::Reading, 0));
        if self.is_open(S::Reading) {
            let reading = [S::TextUsual, S::TextLarge, S::TextLargest, S::Calm, S::Speech];
            stops.extend(reading.iter().map(alone));
            if self.wished().speech {
                stops.extend([S::PaceSlow, S::PaceUsual, S::PaceFast, S::PaceFastest].iter().map(alone));
            }
        }
        stops.push((S::Sound, 0));
        if self.is_open(S::Sound) {
            let runs = self.app.global::<screen::SoundCheck>().get_running();
            let tests = [S::Play, S::Ring, S::Chime, S::HearBack];
            stops.extend(if runs {
                [S::Stop].iter().map(alone).collect()
            } else {
                tests.map(|s| (s, 0)).to_vec()
            });
        }
        stops.push((S::Keys, 0));
        if self.is_open(S::Keys) {
            stops.extend((0..EDITABLE.len()).map(|row| (S::Key, row)));
        }
        stops.push((S::About, 0));
        if self.is_open(S::About) {
            stops.extend((0..ipc::third_parties().count()).map(|part| (S::Part, part)));
        }
        let changed = self.settings.draft.is_some();
        if self.wished() != self.usual() {
            stops.push((S::Reset, 0));
        }
        if changed {
            stops.extend([(S::GiveUp, 0), (S::Save, 0)]);
        }
        stops
    }

    fn step_in_settings(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let stops = self.settings_stops();
        let in_list = matches!(self.settings.stop, SettingsStop::Key | SettingsStop::Part);
        let here = (self.settings.stop, if in_list { self.settings.key_at } else { 0 });
        let last = stops.len().saturating_sub(1);
        let next = stops.iter().position(|stop| *stop == here).map_or(0, |at| to(at, last));
        if let Some((stop, row)) = stops.get(next) {
            (self.settings.stop, self.settings.key_at) = (*stop, *row);
            self.show_settings_stop();
        }
    }

    /// Left and Right: fold and open at a head, else as Up and Down.
    fn turn_in_settings(&mut self, right: bool) {
        match section(self.settings.stop) {
            Some(section) if self.settings.open[section] != right => self.fold_settings(self.settings.stop),
            Some(_) => {}
            None if right => self.step_in_settings(|at, last| (at + 1).min(last)),
            None => self.step_in_settings(|at, _| at.saturating_sub(1)),
        }
    }

    fn show_settings_stop(&self) {
        let global = self.app.global::<screen::Settings>();
        global.set_stop(self.settings.stop);
        global.set_key_at(index(self.settings.key_at));
        global.set_part_at(index(self.settings.key_at));
        global.set_stop_turn(global.get_stop_turn().wrapping_add(1));
    }
}

// What the screen shows of it.
impl Desk {
    pub(crate) fn show_settings(&mut self) {
        let (wished, kept) = (self.wished(), self.kept());
        self.wear(wished.language, wished.theme);
        self.wear_size(wished.text_size);
        self.app.global::<Motion>().set_calm(wished.calm);
        let settings = &self.settings;
        let global = self.app.global::<screen::Settings>();
        global.set_seat_open(self.is_open(SettingsStop::Seat));
        global.set_look_open(self.is_open(SettingsStop::Look));
        global.set_reading_open(self.is_open(SettingsStop::Reading));
        global.set_sound_open(self.is_open(SettingsStop::Sound));
        global.set_keys_open(self.is_open(SettingsStop::Keys));
        global.set_about_open(self.is_open(SettingsStop::About));
        global.set_letters(match wished.text_size {
            TextSize::Usual => LetterSize::Usual,
            TextSize::Large => LetterSize::Large,
            TextSize::Largest => LetterSize::Largest,
        });
        global.set_calm(wished.calm);
        global.set_speech(wished.speech);
        global.set_pace(match wished.pace {
            SpeechPace::Slow => Pace::Slow,
            SpeechPace::Usual => Pace::Usual,
            SpeechPace::Fast => Pace::Fast,
            SpeechPace::Fastest => Pace::Fastest,
        });
        global.set_lock_after(i32::from(wished.lock_after));
        global.set_french(wished.language == Language::French);
        global.set_colours(match wished.theme {
            Theme::Dark => Colours::Dark,
            Theme::Light => Colours::Light,
            Theme::Contrast => Colours::Contrast,
        });
        let usual = self.usual();
        let row = |action: &ConsoleKey| {
            let keys = wished.keys.get(action).map_or(&[][..], Vec::as_slice);
            let names: Vec<KeyName> = keys.iter().map(|key| key_name(key)).collect();
            KeyRow {
                action: key_action(*action),
                keys: ModelRc::new(VecModel::from(names)),
                changed: usual.keys.get(action) != wished.keys.get(action),
            }
        };
        if settings.listed != wished.keys {
            settings.rows.set_vec(EDITABLE.iter().map(row).collect::<Vec<_>>());
        }
        let differs = |action: &&ConsoleKey| usual.keys.get(action) != wished.keys.get(action);
        global.set_changed_keys(index(EDITABLE.iter().filter(differs).count()));
        global.set_recording(settings.recording.map_or(-1, index));
        global.set_taken(settings.taken.is_some());
        if let Some((key, holder)) = &settings.taken {
            global.set_wanted(key_name(key));
            global.set_holder(key_action(*holder));
        }
        global.set_changed(wished != kept);
        global.set_usual(wished == usual);
        global.set_asking(settings.leaving.is_some());
        global.set_reason(self.storage_words(settings.fault.as_deref()));
        global.set_standing(match () {
            () if wished == kept || Some(&wished) == settings.accepted.as_ref() => SettingsStanding::Saved,
            () if settings.fault.is_some() => SettingsStanding::Failed,
            () if settings.sent.is_some() => SettingsStanding::Saving,
            () if !self.connected => SettingsStanding::Unreachable,
            () => SettingsStanding::Changed,
        });
        self.settings.listed = wished.keys;
    }

    /// Language and colours of the whole screen, where they differ from what it wears.
    fn wear(&mut self, language: Language, theme: Theme) {
        let worn = self.settings.worn.replace((language, theme));
        if worn.map(|(_, theme)| theme) != Some(theme) {
            let ink = self.app.global::<Ink>();
            ink.set_dark(theme != Theme::Light);
            ink.set_contrast(theme == Theme::Contrast);
        }
        if worn.map(|(language, _)| language) != Some(language) {
            let language = if language == Language::French { "fr" } else { "en" };
            if let Err(error) = slint::select_bundled_translation(language) {
                tracing::error!("no translation: {error}");
            }
            self.show_board();
            // Numbers are written differently.
            self.show_statistics();
        }
    }

    /// How large everything is drawn, where it is not so already.
    fn wear_size(&mut self, wished: TextSize) {
        let worn = std::mem::replace(&mut self.settings.worn_size, wished);
        if worn != wished {
            text_size::draw(self.app.window(), worn, wished);
            self.faces.measure(&self.app);
        }
    }

    /// How fast the desk reads, as chosen: it is tried on by hearing it.
    pub(crate) fn worn_pace(&self) -> SpeechPace {
        self.settings.draft.as_ref().map_or(self.view.preferences.pace, |draft| draft.pace)
    }

    /// The language that the screen speaks now.
    pub(crate) fn worn_language(&self) -> Language {
        self.settings.worn.map(|(language, _)| language).unwrap_or_default()
    }

    /// The keys that stand on buttons.
    pub(crate) fn show_key_hints(&self) {
        let first = |action| self.keys.keys(action).first().map(|key| key_name(key)).unwrap_or_default();
        let global = self.app.global::<Keys>();
        global.set_primary(first(ConsoleKey::Primary));
        global.set_hang_up(first(ConsoleKey::HangUp));
        global.set_transfer(first(ConsoleKey::Transfer));
        global.set_undo(first(ConsoleKey::Undo));
        global.set_search(first(ConsoleKey::Search));
        global.set_number(first(ConsoleKey::Number));
        global.set_lock(first(ConsoleKey::Lock));
        global.set_hide(first(ConsoleKey::Privacy));
        global.set_allow(first(ConsoleKey::Allow));
        global.set_refuse(first(ConsoleKey::Refuse));
        global.set_test_sound(first(ConsoleKey::TestSound));
        global.set_hear_back(first(ConsoleKey::HearBack));
    }
}

/// Which of [`SECTIONS`] has this head.
fn section(head: SettingsStop) -> Option<usize> {
    SECTIONS.iter().position(|(section, _)| *section == head)
}

fn index(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX)
}

fn key_name(key: &str) -> KeyName {
    match key.strip_prefix("Control+") {
        Some(name) => KeyName { name: name.into(), control: true },
        None => KeyName { name: key.into(), control: false },
    }
}

/// [`EDITABLE`] has no other.
fn key_action(key: ConsoleKey) -> KeyAction {
    match key {
        ConsoleKey::Primary => KeyAction::Primary,
        ConsoleKey::HangUp => KeyAction::HangUp,
        ConsoleKey::Next => KeyAction::Next,
        ConsoleKey::AnswerLongest => KeyAction::AnswerLongest,
        ConsoleKey::HangUpActive => KeyAction::HangUpActive,
        ConsoleKey::Transfer => KeyAction::Transfer,
        ConsoleKey::Undo => KeyAction::Undo,
        ConsoleKey::Switch => KeyAction::Switch,
        ConsoleKey::Number => KeyAction::Number,
        ConsoleKey::Search => KeyAction::Search,
        ConsoleKey::Find => KeyAction::Find,
        ConsoleKey::Log => KeyAction::Log,
        ConsoleKey::Statistics => KeyAction::Statistics,
        ConsoleKey::Note => KeyAction::Note,
        ConsoleKey::Reminders => KeyAction::Reminders,
        ConsoleKey::Settings => KeyAction::Settings,
        ConsoleKey::View => KeyAction::View,
        ConsoleKey::Night => KeyAction::Night,
        ConsoleKey::Lock => KeyAction::Lock,
        ConsoleKey::Privacy => KeyAction::Hide,
        ConsoleKey::Operator => KeyAction::Operator,
        ConsoleKey::Allow => KeyAction::Allow,
        ConsoleKey::Refuse => KeyAction::Refuse,
        ConsoleKey::TestSound => KeyAction::TestSound,
        ConsoleKey::HearBack => KeyAction::HearBack,
        ConsoleKey::Speak => KeyAction::Speak,
        ConsoleKey::ReadDesk => KeyAction::ReadDesk,
        _ => KeyAction::Menu,
    }
}
