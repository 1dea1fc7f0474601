//! What a plugin has found lately, so that a caller who rings again, or is passed on, costs no request. Bounded in
//! entries and in bytes; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ipc::{PluginAnswer, PluginCard, PluginContact, PluginParty};

use super::Question;

/// Somebody who was found is believed for so long.
const FOUND: Duration = Duration::from_secs(600);
/// A number nobody had: somebody may be adding it just now.
const NOBODY: Duration = Duration::from_secs(60);
/// Answers that are kept.
const MOST: usize = 1000;
/// Bytes of text in them.
const MOST_BYTES: usize = 4 << 20;

/// What an answer is found by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Remembered {
    LookUp(Vec<String>),
    Search(String),
    Resolve(PluginParty),
}

struct Entry {
    answer: PluginAnswer,
    until: Duration,
    bytes: usize,
    /// Its place in the queue: one that was asked again has left an older place behind.
    number: u64,
}

/// The memory of one plugin.
#[derive(Default)]
pub(super) struct Memory {
    entries: HashMap<Remembered, Entry>,
    order: VecDeque<(u64, Remembered)>,
    bytes: usize,
    next: u64,
}

impl Memory {
    pub(super) fn recall(&self, question: &Question, now: Duration) -> Option<PluginAnswer> {
        let entry = self.entries.get(&question.remembered()?)?;
        (now < entry.until).then(|| entry.answer.clone())
    }

    pub(super) fn remember(&mut self, question: &Question, answer: &PluginAnswer, now: Duration) {
        let Some(key) = question.remembered() else { return };
        let (nobody, size) = match answer {
            PluginAnswer::People(people) => (people.is_empty(), people.iter().map(person).sum()),
            PluginAnswer::Cards(cards) => (cards.is_empty(), cards.iter().map(card).sum::<usize>()),
            _ => return,
        };
        let bytes = size + key.size();
        let number = self.next;
        self.next += 1;
        let until = now.saturating_add(if nobody { NOBODY } else { FOUND });
        self.order.push_back((number, key.clone()));
        let before = self.entries.insert(key, Entry { answer: answer.clone(), until, bytes, number });
        self.bytes = self.bytes + bytes - before.map_or(0, |before| before.bytes);
        while self.entries.len() > MOST || self.bytes > MOST_BYTES || self.order.len() > 2 * MOST {
            let Some((number, key)) = self.order.pop_front() else { return };
            if self.entries.get(&key).is_some_and(|entry| entry.number == number)
                && let Some(gone) = self.entries.remove(&key)
            {
                self.bytes -= gone.bytes;
            }
        }
    }
}

impl Remembered {
    fn size(&self) -> usize {
        match self {
            Self::Search(text) => text.len(),
            Self::LookUp(numbers) => numbers.iter().map(String::len).sum(),
            Self::Resolve(PluginParty { numbers, name }) => {
                numbers.iter().map(String::len).sum::<usize>() + name.as_ref().map_or(0, String::len)
            }
        }
    }
}

fn card(card: &PluginCard) -> usize {
    let lines: usize = card.lines.iter().map(|(label, value)| label.len() + value.len()).sum();
    let optional: usize = [&card.organization, &card.url].into_iter().flatten().map(String::len).sum();
    card.id.len() + card.name.len() + optional + lines
}

/// A contact is at most 16 KiB, which is what the host has measured.
fn person(contact: &PluginContact) -> usize {
    let extra: usize = contact.extra.iter().map(|(key, value)| key.len() + value.len()).sum();
    let phones: usize = contact.phones.iter().map(|(kind, number)| kind.len() + number.len()).sum();
    let note = contact.note.as_ref().map_or(0, String::len);
    contact.id.len() + contact.name.len() + extra + phones + note + 512
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: usize) -> Question {
        Question::Resolve(PluginParty { numbers: vec![number.to_string()], name: None })
    }

    fn cards(value: &str) -> PluginAnswer {
        PluginAnswer::Cards(vec![PluginCard {
            kind: "person".to_owned(),
            id: "1".to_owned(),
            name: "Anna".to_owned(),
            organization: None,
            lines: vec![("Label".to_owned(), value.to_owned())],
            url: None,
        }])
    }

    #[test]
    fn who_was_found_is_believed_longer_than_nobody() {
        let mut memory = Memory::default();
        memory.remember(&question(1), &cards("a"), Duration::ZERO);
        memory.remember(&question(2), &PluginAnswer::Cards(Vec::new()), Duration::ZERO);
        let at = |seconds| Duration::from_secs(seconds);
        assert!(memory.recall(&question(1), at(599)).is_some());
        assert!(memory.recall(&question(1), at(600)).is_none());
        assert!(memory.recall(&question(2), at(59)).is_some());
        assert!(memory.recall(&question(2), at(60)).is_none());
        assert!(memory.recall(&question(3), at(0)).is_none());
    }

    #[test]
    fn the_name_that_the_exchange_gives_is_part_of_the_question() {
        let mut memory = Memory::default();
        memory.remember(&question(1), &cards("a"), Duration::ZERO);
        let named =
            Question::Resolve(PluginParty { numbers: vec!["1".to_owned()], name: Some("B".to_owned()) });
        assert!(memory.recall(&named, Duration::ZERO).is_none());
    }

    #[test]
    fn it_is_bounded_in_entries_and_bytes_and_the_oldest_go_first() {
        let mut memory = Memory::default();
        for number in 0..2 * MOST {
            memory.remember(&question(number), &cards("a"), Duration::ZERO);
        }
        assert_eq!(memory.entries.len(), MOST);
        assert!(memory.recall(&question(MOST - 1), Duration::ZERO).is_none());
        assert!(memory.recall(&question(2 * MOST - 1), Duration::ZERO).is_some());
        let large = cards(&"x".repeat(15 << 10));
        for round in 0..10 * MOST {
            memory.remember(&question(round % 700), &large, Duration::ZERO);
        }
        assert!(memory.bytes <= MOST_BYTES && memory.order.len() <= 2 * MOST);
        assert_eq!(memory.bytes, memory.entries.values().map(|entry| entry.bytes).sum::<usize>());
    }
}
