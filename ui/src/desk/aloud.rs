//! The talking desk: what calls do and what the keyboard is on, for who does not see the screen.
//!
//! Elements say what they are when the keyboard comes to them (`components/heard.slint`); what calls and the desk do
//! is found here by comparing two views. Both go to the desk as text, which speaks it where notifications sound
//! ([`Command::Say`]). Nothing is said that a sighted operator would not see at that moment,
//! but for names hidden from visitors' eyes, which are still said: who works by ear has no other way to them.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use ipc::{Availability, CallRef, Command, CommandError, Preferences, PreferencesWish, SpokenRank, View};
use slint::{ComponentHandle, Model};

use super::Desk;
use crate::models::cards;
use crate::screen::{self, AloudWords, CallCard, CallClock, CardState};

/// State of the talking desk that is the screen's own.
#[derive(Default)]
pub(crate) struct Aloud {
    on: bool,
    /// The last that was told of each call.
    told: HashMap<CallRef, Told>,
    /// Calls of which was said that they have been on hold for long.
    alarmed: HashSet<CallRef>,
    /// The news said last: what comes under the keyboard by it is not said twice.
    news: Option<(String, Instant)>,
    /// On its way to the desk.
    sent: HashSet<u64>,
    /// That nothing can be heard was shown, once.
    complained: bool,
}

/// What is worth telling again when it has changed.
#[derive(Clone, PartialEq)]
struct Told {
    state: CardState,
    words: String,
    card: CallCard,
}

/// The most characters that are said at once; a note is longer.
const LONGEST: usize = 400;
/// For so long what the keyboard is on is not said when it is what was just told.
const JUST_TOLD: Duration = Duration::from_millis(1_500);

impl Desk {
    /// A new view: who talks to whom has changed, or something else that one would see.
    pub(crate) fn say_changes(&mut self, before: &View) {
        // Who is not signed in yet has no preferences; the screen goes on as it was.
        let known = !self.is_closed() && self.view.generation > 0;
        if known && self.view.preferences.speech != self.aloud.on {
            self.set_talks(self.view.preferences.speech);
        }
        if !self.aloud.on {
            return;
        }
        if self.is_closed() {
            return self.say_ringing(before);
        }
        self.say_calls();
        if before.generation > 0 {
            self.say_desk(before);
        }
    }

    /// On a locked screen nobody is told who calls, by eye or by ear: only that somebody does.
    fn say_ringing(&mut self, before: &View) {
        self.aloud.told = self.calls_now();
        if self.view.counters.ringing > before.counters.ringing {
            let words = self.desk_in_short();
            self.say(SpokenRank::News, &words);
        }
    }

    fn desk_in_short(&self) -> String {
        let desk = self.app.global::<screen::Desk>();
        let words = self.app.global::<AloudWords>();
        words.invoke_desk(desk.get_clock(), desk.get_ringing(), desk.get_held()).into()
    }

    /// Begins or ends talking; what is under the keyboard then says so itself.
    fn set_talks(&mut self, on: bool) {
        self.aloud.told = self.calls_now();
        let words = self.app.global::<AloudWords>().invoke_talks(on);
        self.aloud.on = true;
        self.say(SpokenRank::News, &words);
        self.aloud.on = on;
        self.aloud.complained = false;
        self.app.global::<screen::Aloud>().set_on(on);
    }

    /// The key for it: kept with the operator's other preferences, or for as long as nobody is signed in.
    pub(crate) fn toggle_talks(&mut self) {
        let on = !self.aloud.on;
        if self.is_closed() {
            self.set_talks(on);
        } else {
            let Preferences { language, theme, shortcuts, text_size, calm, pace, .. } =
                self.view.preferences.clone();
            let lock_after_min = None;
            let wish = PreferencesWish {
                language,
                theme,
                shortcuts,
                lock_after_min,
                text_size,
                calm,
                speech: on,
                pace,
            };
            self.send(Command::SavePreferences(wish));
        }
    }

    /// Elements have come under the keyboard, or told that something has happened.
    pub(crate) fn heard(&mut self, place: &str, news: &str) {
        if !news.is_empty() {
            self.say(SpokenRank::News, news);
        }
        let now = Instant::now();
        let just_told = self
            .aloud
            .news
            .as_ref()
            .is_some_and(|(words, at)| now.duration_since(*at) < JUST_TOLD && words.contains(place));
        if !place.is_empty() && !just_told {
            // Elements are joined by full stops; a question has its own end.
            self.say(SpokenRank::Place, &place.replace("?. ", "? "));
        }
    }

    /// A field has another text: what was typed or taken away is said.
    pub(crate) fn heard_typing(&mut self, before: &str, text: &str) {
        let words = change(before, text);
        if !words.is_empty() {
            self.say(SpokenRank::Place, &words);
        }
    }

    /// The key that reads the whole desk: the time, who rings, who waits, who talks.
    pub(crate) fn read_desk(&mut self) {
        if !self.aloud.on {
            return;
        }
        let mut said = vec![self.desk_in_short()];
        if !self.is_closed() {
            let words = self.app.global::<AloudWords>();
            said.extend(self.cards().map(|(card, clock)| words.invoke_card(card, clock).to_string()));
            if self.view.operator.muted {
                said.push(words.invoke_muted(true).to_string());
            }
        }
        self.say(SpokenRank::Answer, &said.join(". "));
    }

    /// Who has been on hold for too long now, with the clock.
    pub(crate) fn say_alarms(&mut self) {
        if !self.aloud.on || self.is_closed() {
            return;
        }
        let alarmed: Vec<(CallRef, CallCard, CallClock)> = self
            .cards()
            .filter(|(_, clock)| clock.alarm)
            .filter_map(|(card, clock)| Some((cards::call(&card.id)?, card, clock)))
            .collect();
        self.aloud.alarmed.retain(|call| alarmed.iter().any(|(other, ..)| other == call));
        for (call, card, clock) in alarmed {
            if self.aloud.alarmed.insert(call) {
                let words = self.app.global::<AloudWords>().invoke_on_hold_long(card, clock);
                self.say(SpokenRank::News, &words);
            }
        }
    }

    /// The connection to the desk has come or gone. What is said without one is not heard.
    pub(crate) fn say_connected(&mut self) {
        if self.aloud.on && self.connected {
            let words = self.app.global::<AloudWords>().invoke_connected();
            self.say(SpokenRank::News, &words);
        }
    }

    fn say_calls(&mut self) {
        let now = self.calls_now();
        let before = std::mem::replace(&mut self.aloud.told, now.clone());
        let mut news = Vec::new();
        for call in self.call_order() {
            let Some(told) = now.get(&call) else { continue };
            // On its way to something else: that is told.
            let passing = matches!(told.state, CardState::Answering | CardState::Ending);
            if !passing && before.get(&call).is_none_or(|before| before.words != told.words) {
                news.push((call, told.words.clone()));
            }
        }
        let mut gone: Vec<_> = before.iter().filter(|(call, _)| !now.contains_key(call)).collect();
        gone.sort_by_key(|(call, _)| **call);
        for (call, told) in gone {
            let words = self.app.global::<AloudWords>().invoke_ended(told.card.clone());
            news.push((*call, words.to_string()));
        }
        for (call, words) in news {
            self.say_of(Some(call), SpokenRank::News, &words);
        }
    }

    /// What of the desk itself has changed.
    fn say_desk(&mut self, before: &View) {
        let words = self.app.global::<AloudWords>();
        let desk = self.app.global::<screen::Desk>();
        let mut news = Vec::new();
        let (was, is) = (&before.operator, &self.view.operator);
        if was.muted != is.muted {
            news.push(words.invoke_muted(is.muted));
        }
        if was.availability != is.availability {
            news.push(words.invoke_available(is.availability == Availability::Available));
        }
        if before.service.mode != self.view.service.mode {
            news.push(words.invoke_service(desk.get_service()));
        }
        if was.registration != is.registration {
            news.push(words.invoke_registration(desk.get_registration()));
        }
        if self.view.counters.missed > before.counters.missed {
            news.push(words.invoke_missed(desk.get_missed()));
        }
        if self.view.counters.voicemail > before.counters.voicemail {
            news.push(words.invoke_voicemail(desk.get_voicemail()));
        }
        for words in news.into_iter().filter(|words| !words.is_empty()) {
            self.say(SpokenRank::News, &words);
        }
    }

    fn calls_now(&self) -> HashMap<CallRef, Told> {
        let words = self.app.global::<AloudWords>();
        self.cards()
            .filter_map(|(card, clock)| {
                // Who speaks in the conference is heard.
                let clock = CallClock { speaking: false, ..clock };
                let told =
                    Told { state: card.state, words: words.invoke_card(card.clone(), clock).into(), card };
                Some((cards::call(&told.card.id)?, told))
            })
            .collect()
    }

    /// The cards in the order of the screen, with what runs.
    fn cards(&self) -> impl Iterator<Item = (CallCard, CallClock)> + '_ {
        let global = self.app.global::<screen::Calls>();
        let pairs = |cards: slint::ModelRc<CallCard>, clocks: slint::ModelRc<CallClock>| {
            let clock = move |at| clocks.row_data(at).unwrap_or_default();
            cards.iter().enumerate().map(move |(at, card)| (card, clock(at))).collect::<Vec<_>>()
        };
        let incoming = pairs(global.get_incoming(), global.get_incoming_clocks());
        incoming.into_iter().chain(pairs(global.get_outgoing(), global.get_outgoing_clocks()))
    }

    fn say(&mut self, rank: SpokenRank, text: &str) {
        self.say_of(None, rank, text);
    }

    /// News of a call take the place of older ones that are not said to their end: its number is not read out when its
    /// name is known.
    fn say_of(&mut self, about: Option<CallRef>, rank: SpokenRank, text: &str) {
        if !self.aloud.on || text.is_empty() {
            return;
        }
        if rank == SpokenRank::News {
            self.aloud.news = Some((text.to_owned(), Instant::now()));
        }
        let text = text.chars().take(LONGEST).collect();
        let (language, pace) = (self.worn_language(), self.worn_pace());
        let say = Command::Say { text, language, rank, pace, about };
        // Nobody hears what is said while there is no desk.
        self.aloud.sent.extend(self.outbox.command(say));
    }

    /// True when this was the answer to something said. That nothing is heard is shown once, for whoever helps.
    pub(crate) fn say_done(&mut self, seq: u64, result: &Result<(), CommandError>) -> bool {
        let was_said = self.aloud.sent.remove(&seq);
        if let (true, Err(error), false) = (was_said, result, self.aloud.complained) {
            self.aloud.complained = true;
            self.notice(Some(error));
        }
        was_said
    }
}

/// What a key has done to the text of a field, as it is said: what came, else what went.
fn change(before: &str, after: &str) -> String {
    let common = |mut a: std::str::Chars<'_>, mut b: std::str::Chars<'_>| {
        let mut count = 0;
        while let (Some(one), Some(other)) = (a.next(), b.next()) {
            if one != other {
                break;
            }
            count += 1;
        }
        count
    };
    let head = common(before.chars(), after.chars());
    let (old, new): (Vec<char>, Vec<char>) =
        (before.chars().skip(head).collect(), after.chars().skip(head).collect());
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let came: String = new[..new.len() - tail].iter().collect();
    let went: String = old[..old.len() - tail].iter().collect();
    if came.is_empty() { went } else { came }
}

/// A number as it is read out: digit by digit, so that nobody hears thirty-four million.
pub(crate) fn digit_by_digit(number: &str) -> String {
    let mut said = String::with_capacity(2 * number.len());
    for c in number.chars() {
        if !said.is_empty() && (c.is_ascii_digit() || c == '+') {
            said.push(' ');
        }
        said.push(c);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_7_what_a_key_has_typed_or_taken_away_is_said() {
        for (before, after, said) in [
            ("", "a", "a"),
            ("ann", "anna", "a"),
            ("anna", "ann", "a"),
            ("anna", "", "anna"),
            ("", "anna", "anna"),
            ("ana", "anna", "n"),
            ("Müller", "Mü", "ller"),
            ("one two", "one six two", "six "),
            ("same", "same", ""),
            ("cat", "cut", "u"),
        ] {
            assert_eq!(change(before, after), said, "{before:?} {after:?}");
        }
    }

    #[test]
    fn acc_7_numbers_are_read_digit_by_digit() {
        assert_eq!(digit_by_digit("+49 30 123"), "+ 4 9  3 0  1 2 3");
        assert_eq!(digit_by_digit("sip:anna@example.com"), "sip:anna@example.com");
        assert_eq!(digit_by_digit(""), "");
    }
}
