//! What happens by itself: who calls when, and which colleagues talk to each other. The same seed tells the same story.
//!
//! Scripts are data; [`Story`] turns one into an endless row of [`Arrival`]s and [`Chat`]s. Each draws from its own
//! stream, and always the same number of times, so that nothing the desk does changes who comes next. Not done here:
//! placing the calls, and how many may be at once ([`crate::exchange`]).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::demo::{self, Directory, EXTENSIONS, FIRST_EXTENSION, LINES, Line, Person};
use crate::plan::Behaviour;
use crate::random::Dice;

/// Pause before each of the first callers: whoever starts a demo wants to see something.
const OPENING: Duration = Duration::from_secs(3);

type Range = (Duration, Duration);

/// One way a day can go.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// Its name on the command line.
    pub name: &'static str,
    /// Pause between outside callers; `None` for no callers.
    arrivals: Option<Range>,
    /// Outside callers at the desk at once.
    pub(crate) most_callers: usize,
    /// How long a caller lets it ring.
    patience: Range,
    /// How long a caller talks.
    talk: Range,
    /// How long a caller waits on hold or in a park slot.
    waits: Range,
    /// Pause between calls from extension to extension; `None` for none.
    chats: Option<Range>,
    /// Calls between extensions at once.
    pub(crate) most_chats: usize,
    /// Extensions that do not simply answer.
    behaviours: &'static [(u16, Behaviour)],
    /// Extensions that are busy, then free, then busy again, beginning with busy.
    comers_and_goers: &'static [u16],
    /// How long such a phone is busy, and how long free.
    busy: Range,
    free: Range,
    /// How long the others take to answer.
    answer: Range,
}

/// Nothing happens unless somebody asks for it; everybody answers after a second and a half.
pub const QUIET: Script = Script {
    name: "quiet",
    arrivals: None,
    most_callers: 0,
    patience: seconds(30, 30),
    talk: seconds(120, 120),
    waits: seconds(120, 120),
    chats: None,
    most_chats: 0,
    behaviours: &[],
    comers_and_goers: &[],
    busy: seconds(30, 30),
    free: seconds(30, 30),
    answer: (Duration::from_millis(1500), Duration::from_millis(1500)),
};

/// An ordinary Monday morning.
pub const MONDAY: Script = Script {
    name: "monday",
    arrivals: Some(seconds(4, 14)),
    most_callers: 6,
    patience: seconds(25, 60),
    talk: seconds(60, 180),
    waits: seconds(30, 240),
    chats: Some(seconds(3, 12)),
    most_chats: 8,
    behaviours: MONDAY_BEHAVIOURS,
    comers_and_goers: &[2104, 2109, 2122],
    busy: seconds(20, 60),
    free: seconds(15, 45),
    answer: seconds(2, 7),
};

/// The same on the day after the holidays.
pub const BUSY: Script = Script {
    name: "busy",
    arrivals: Some(seconds(1, 4)),
    most_callers: 24,
    chats: Some(seconds(1, 3)),
    most_chats: 14,
    comers_and_goers: &[2104, 2109, 2113, 2122, 2131, 2136],
    waits: seconds(20, 90),
    ..MONDAY
};

const MONDAY_BEHAVIOURS: &[(u16, Behaviour)] = &[
    (2105, Behaviour::DoNotDisturb),
    (2111, Behaviour::Offline),
    (2116, Behaviour::Ring),
    (2118, Behaviour::Voicemail),
    (2127, Behaviour::Refuse),
    (2129, Behaviour::HangUp(Duration::from_secs(8))),
    (2134, Behaviour::DoNotDisturb),
    (2139, Behaviour::Offline),
];

const fn seconds(from: u64, to: u64) -> Range {
    (Duration::from_secs(from), Duration::from_secs(to))
}

/// An outside party, as the public network announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `+` and digits; `None` when withheld.
    pub number: Option<String>,
    /// The name sent along, if any.
    pub name: Option<String>,
}

/// A caller who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// After the one before.
    pub(crate) pause: Duration,
    pub(crate) caller: Caller,
    pub(crate) line: &'static Line,
    pub(crate) patience: Duration,
    pub(crate) talk: Duration,
    /// Then he hangs up, on hold or parked.
    pub(crate) waits: Duration,
}

/// A call between two extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chat {
    /// After the one before.
    pub(crate) pause: Duration,
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) talk: Duration,
}

/// A phone that becomes busy, or free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// After the one before of the same phone.
    pub(crate) pause: Duration,
    pub(crate) behaviour: Behaviour,
}

/// One telling of a script.
#[derive(Debug)]
pub(crate) struct Story {
    script: Script,
    callers: Dice,
    waits: Dice,
    chats: Dice,
    turns: BTreeMap<u16, (Dice, Behaviour)>,
    told: usize,
    customers: Vec<Person>,
    suppliers: Vec<Person>,
}

impl Story {
    pub(crate) fn new(script: Script, seed: u64) -> Story {
        let turns = script.comers_and_goers.iter().map(|&extension| {
            (extension, (Dice::new(seed ^ u64::from(extension), "turns"), Behaviour::Busy))
        });
        Story {
            script,
            turns: turns.collect(),
            callers: Dice::new(seed, "callers"),
            waits: Dice::new(seed, "waits"),
            chats: Dice::new(seed, "chats"),
            told: 0,
            customers: demo::people(Directory::Customers),
            suppliers: demo::people(Directory::Suppliers),
        }
    }

    /// The next caller; `None` in a script without.
    pub(crate) fn arrival(&mut self) -> Option<Arrival> {
        let drawn = self.callers.between(self.script.arrivals?);
        let opening = self.opening(self.told);
        let pause = if opening.is_some() { OPENING } else { drawn };
        self.told += 1;
        let (stranger, line) = (self.draw_caller(), &LINES[self.callers.below(LINES.len())]);
        let patience = self.callers.between(self.script.patience);
        let talk = self.callers.between(self.script.talk);
        let (caller, line) = opening.unwrap_or((stranger, line));
        let waits = self.waits.between(self.script.waits);
        Some(Arrival { pause, caller, line, patience, talk, waits })
    }

    /// The next call between colleagues; `None` in a script without.
    pub(crate) fn chat(&mut self) -> Option<Chat> {
        let pause = self.chats.between(self.script.chats?);
        let from = self.chats.below(usize::from(EXTENSIONS));
        // Anybody but oneself.
        let to = (from + 1 + self.chats.below(usize::from(EXTENSIONS) - 1)) % usize::from(EXTENSIONS);
        let talk = self.chats.between(seconds(10, 90));
        Some(Chat { pause, from: FIRST_EXTENSION + from as u16, to: FIRST_EXTENSION + to as u16, talk })
    }

    /// What becomes next of a phone that comes and goes; `None` for all others.
    pub(crate) fn turn(&mut self, extension: u16) -> Option<Turn> {
        let free = self.answering(extension);
        let (dice, now) = self.turns.get_mut(&extension)?;
        let (lasts, next) = match now {
            Behaviour::Busy => (self.script.busy, free),
            _ => (self.script.free, Behaviour::Busy),
        };
        *now = next;
        Some(Turn { pause: dice.between(lasts), behaviour: next })
    }

    /// The phones that come and go.
    pub(crate) fn comers_and_goers(&self) -> &'static [u16] {
        self.script.comers_and_goers
    }

    fn answering(&self, extension: u16) -> Behaviour {
        Behaviour::Answer(Dice::new(u64::from(extension), "answer").between(self.script.answer))
    }

    /// How each extension behaves at the beginning.
    pub(crate) fn behaviour(&self, extension: u16) -> Behaviour {
        if self.script.comers_and_goers.contains(&extension) {
            return Behaviour::Busy;
        }
        let special = self.script.behaviours.iter().find(|(number, _)| *number == extension);
        special.map_or_else(|| self.answering(extension), |&(_, behaviour)| behaviour)
    }

    /// The first three are those of the design pictures.
    fn opening(&self, told: usize) -> Option<(Caller, &'static Line)> {
        match told {
            0 => Some((known(&self.customers[0], false), &LINES[1])),
            1 => Some((Caller { number: None, name: None }, &LINES[0])),
            2 => Some((known(&self.customers[1], false), &LINES[2])),
            _ => None,
        }
    }

    fn draw_caller(&mut self) -> Caller {
        let kind = self.callers.below(100);
        let which = self.callers.next() as usize;
        let named = self.callers.percent(40);
        match kind {
            0..60 => known(&self.customers[which % self.customers.len()], named),
            60..70 => known(&self.suppliers[which % self.suppliers.len()], named),
            70..82 => Caller { number: None, name: None },
            _ => stranger(which, named),
        }
    }
}

fn known(person: &Person, named: bool) -> Caller {
    Caller { number: Some(person.number()), name: named.then(|| person.name()) }
}

/// Somebody in none of the directories, from ranges kept free for fiction that the demo's people do not reach.
fn stranger(which: usize, named: bool) -> Caller {
    let last = which / 6 % 1000;
    let (number, name) = match which % 6 {
        0 => (format!("+441632960{last:03}"), "Taxi rank"),
        1 => (format!("+3353649{last:04}"), "M. Perrault"),
        2 => (format!("+1213555{:04}", 100 + last % 100), "Los Angeles CA"),
        3 => (format!("+4922147108{:02}", last % 100), "Paketdienst"),
        4 => (format!("+35320919{last:04}"), "Courier"),
        _ => (format!("+6149157{last:04}"), "Reisebüro Süd"),
    };
    Caller { number: Some(number), name: named.then(|| name.to_owned()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::collections::BTreeSet;

    fn arrivals(seed: u64, count: usize) -> Vec<Arrival> {
        let mut story = Story::new(MONDAY, seed);
        (0..count).map(|_| story.arrival().unwrap()).collect()
    }

    #[test]
    fn the_seed_tells_the_story() {
        assert_eq!(arrivals(1, 200), arrivals(1, 200));
        assert_ne!(arrivals(1, 200), arrivals(2, 200));
    }

    #[test]
    fn colleagues_do_not_change_who_calls() {
        let mut story = Story::new(MONDAY, 1);
        let told: Vec<Arrival> = (0..50)
            .map(|_| {
                story.chat();
                story.arrival().unwrap()
            })
            .collect();
        assert_eq!(told, arrivals(1, 50));
    }

    #[test]
    fn monday_has_every_kind_of_caller() {
        let all = arrivals(1, 400);
        assert_eq!(all[0].caller.number.as_deref(), Some("+493055570142"));
        assert_eq!(all[0].line.name, "Sales");
        let count = |is: fn(&Arrival) -> bool| all.iter().filter(|a| is(a)).count();
        assert!((20..90).contains(&count(|a| a.caller.number.is_none())));
        assert!(count(|a| a.caller.name.is_some()) > 80);
        assert!(count(|a| a.caller.number.is_some() && a.caller.name.is_none()) > 80);
        let countries: BTreeSet<String> =
            all.iter().filter_map(|a| Some(a.caller.number.as_ref()?[..3].to_owned())).collect();
        assert!(countries.len() >= 6, "{countries:?}");
        let lines: BTreeSet<&str> = all.iter().map(|a| a.line.number).collect();
        assert_eq!(lines.len(), 3);
        for arrival in &all[3..] {
            assert!((4..=14).contains(&arrival.pause.as_secs()));
            assert!((25..=60).contains(&arrival.patience.as_secs()));
        }
    }

    #[test]
    fn busy_phones_become_free_and_busy_again() {
        let mut story = Story::new(MONDAY, 1);
        assert_eq!(story.behaviour(2104), Behaviour::Busy);
        let turns: Vec<Turn> = (0..40).map(|_| story.turn(2104).unwrap()).collect();
        for pair in turns.chunks(2) {
            assert!(
                matches!(pair[0].behaviour, Behaviour::Answer(_)) && pair[1].behaviour == Behaviour::Busy
            );
            assert!((20..=60).contains(&pair[0].pause.as_secs()), "busy for {:?}", pair[0].pause);
            assert!((15..=45).contains(&pair[1].pause.as_secs()), "free for {:?}", pair[1].pause);
        }
        let mut other = Story::new(MONDAY, 2);
        assert_ne!(turns, (0..40).map(|_| other.turn(2104).unwrap()).collect::<Vec<_>>());
        assert_eq!((story.turn(2101), Story::new(QUIET, 1).turn(2104)), (None, None));
    }

    #[test]
    fn strangers_are_in_no_directory() {
        let known: BTreeSet<String> = [Directory::Customers, Directory::Suppliers]
            .into_iter()
            .flat_map(demo::people)
            .map(|person| person.number())
            .collect();
        for which in 0..6000 {
            assert!(!known.contains(&stranger(which, true).number.unwrap()));
        }
    }

    #[test]
    fn nobody_calls_himself_and_all_are_extensions() {
        let mut story = Story::new(BUSY, 9);
        for _ in 0..2000 {
            let chat = story.chat().unwrap();
            assert_ne!(chat.from, chat.to);
            for extension in [chat.from, chat.to] {
                assert!((2101..=2140).contains(&extension));
            }
        }
        assert!(Story::new(QUIET, 1).arrival().is_none());
        assert!(Story::new(QUIET, 1).chat().is_none());
    }
}
