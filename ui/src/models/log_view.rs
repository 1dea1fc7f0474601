//! What of the log is shown and in which order (LOG-2). Pure.

use ipc::{Direction, EndStatus, LogOrder, LogSort, OutcomeCount};

use crate::screen::{LogChip, LogWord};

/// Ends that are shown or hidden together, in the order of the chips.
const GROUPS: [(LogWord, &[EndStatus]); 5] = [
    (LogWord::Answered, &[EndStatus::Completed]),
    (LogWord::Missed, &[EndStatus::Missed]),
    (
        LogWord::PassedOn,
        &[EndStatus::Transferred, EndStatus::Forwarded, EndStatus::Voicemail, EndStatus::Elsewhere],
    ),
    (LogWord::NotTaken, &[EndStatus::Rejected, EndStatus::Refused, EndStatus::NotAnswered]),
    (LogWord::Failed, &[EndStatus::Failed]),
];

const DIRECTIONS: [(LogWord, Direction); 2] =
    [(LogWord::Incoming, Direction::Incoming), (LogWord::Outgoing, Direction::Outgoing)];

/// Which calls are shown: those of a direction that is on and of an end that is on; where none of a kind is on, all of
/// it are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    directions: [bool; DIRECTIONS.len()],
    groups: [bool; GROUPS.len()],
}

impl Filter {
    /// Missed calls.
    pub(crate) fn missed() -> Self {
        let mut filter = Self::default();
        filter.toggle(LogWord::Missed);
        filter
    }

    /// Switches one kind on or off; [`LogWord::All`] switches all of them off, so that everything is shown.
    pub(crate) fn toggle(&mut self, word: LogWord) {
        if word == LogWord::All {
            *self = Self::default();
        }
        for (on, (of, _)) in self.directions.iter_mut().zip(DIRECTIONS) {
            *on ^= of == word;
        }
        for (on, (of, _)) in self.groups.iter_mut().zip(GROUPS) {
            *on ^= of == word;
        }
    }

    /// Everything is shown.
    pub(crate) fn is_off(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn directions(&self) -> Vec<Direction> {
        on(&self.directions).map(|at| DIRECTIONS[at].1).collect()
    }

    pub(crate) fn ends(&self) -> Vec<EndStatus> {
        on(&self.groups).flat_map(|at| GROUPS[at].1).copied().collect()
    }

    /// The chips: each says how many calls there would be if it alone of its kind were on.
    pub(crate) fn chips(&self, counts: &[OutcomeCount]) -> Vec<LogChip> {
        let (directions, ends) = (self.directions(), self.ends());
        let sum = |wanted: &dyn Fn(&OutcomeCount) -> bool| {
            let calls: u64 = counts.iter().filter(|count| wanted(count)).map(|count| count.calls).sum();
            i32::try_from(calls).unwrap_or(i32::MAX)
        };
        let goes = |count: &OutcomeCount| directions.is_empty() || directions.contains(&count.direction);
        let ended = |count: &OutcomeCount| ends.is_empty() || ends.contains(&count.end);
        let mut chips = vec![LogChip { word: LogWord::All, count: sum(&|_| true), on: self.is_off() }];
        for ((word, direction), on) in DIRECTIONS.into_iter().zip(self.directions) {
            let count = sum(&|count| count.direction == direction && ended(count));
            chips.push(LogChip { word, count, on });
        }
        for ((word, of), on) in GROUPS.into_iter().zip(self.groups) {
            let count = sum(&|count| of.contains(&count.end) && goes(count));
            chips.push(LogChip { word, count, on });
        }
        chips
    }
}

/// The places of what is on.
fn on(which: &[bool]) -> impl Iterator<Item = usize> + '_ {
    which.iter().enumerate().filter(|(_, on)| **on).map(|(at, _)| at)
}

/// In which order calls are shown: by the first criterion, where that finds two the same by the second, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorting {
    criteria: Vec<LogSort>,
}

impl Default for Sorting {
    fn default() -> Self {
        Self { criteria: vec![usual(LogOrder::When)] }
    }
}

impl Sorting {
    /// Makes it the first criterion; what was first becomes the second. Of what is the first already, turns the way
    /// round.
    pub(crate) fn choose(&mut self, by: LogOrder) {
        if let Some(first) = self.criteria.first_mut().filter(|first| first.by == by) {
            first.descending = !first.descending;
            return;
        }
        self.criteria.retain(|other| other.by != by);
        self.criteria.insert(0, usual(by));
    }

    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn criteria(&self) -> &[LogSort] {
        &self.criteria
    }

    /// The place of a criterion, from 1, and its way; `None` when it does not count.
    pub(crate) fn place(&self, by: LogOrder) -> Option<(i32, LogWord)> {
        let at = self.criteria.iter().position(|sort| sort.by == by)?;
        let way = match (by, self.criteria[at].descending) {
            (LogOrder::When, true) => LogWord::LatestFirst,
            (LogOrder::When, false) => LogWord::EarliestFirst,
            (LogOrder::Whom | LogOrder::Line, false) => LogWord::AToZ,
            (LogOrder::Whom | LogOrder::Line, true) => LogWord::ZToA,
            (LogOrder::Talk | LogOrder::Hold, true) => LogWord::LongestFirst,
            (LogOrder::Talk | LogOrder::Hold, false) => LogWord::ShortestFirst,
        };
        Some((i32::try_from(at + 1).unwrap_or(i32::MAX), way))
    }
}

/// The way that is meant first: the latest, from A, the longest.
fn usual(by: LogOrder) -> LogSort {
    LogSort { by, descending: !matches!(by, LogOrder::Whom | LogOrder::Line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Vec<OutcomeCount> {
        let count = |direction, end, calls| OutcomeCount { direction, end, calls };
        vec![
            count(Direction::Incoming, EndStatus::Completed, 30),
            count(Direction::Incoming, EndStatus::Missed, 5),
            count(Direction::Incoming, EndStatus::Transferred, 3),
            count(Direction::Incoming, EndStatus::Voicemail, 1),
            count(Direction::Outgoing, EndStatus::Completed, 7),
            count(Direction::Outgoing, EndStatus::NotAnswered, 2),
        ]
    }

    fn told(filter: &Filter) -> Vec<i32> {
        filter.chips(&counts()).iter().map(|chip| chip.count).collect()
    }

    #[test]
    fn log_2_chips_count_what_they_would_show() {
        let mut filter = Filter::default();
        assert_eq!(told(&filter), [48, 39, 9, 37, 5, 4, 2, 0]);
        filter.toggle(LogWord::Outgoing);
        assert_eq!(told(&filter), [48, 39, 9, 7, 0, 0, 2, 0]);
        filter.toggle(LogWord::Missed);
        assert_eq!(told(&filter), [48, 5, 0, 7, 0, 0, 2, 0]);
        let on: Vec<LogWord> =
            filter.chips(&counts()).iter().filter(|chip| chip.on).map(|chip| chip.word).collect();
        assert_eq!(on, [LogWord::Outgoing, LogWord::Missed]);
    }

    #[test]
    fn log_2_several_ends_and_directions_can_be_on() {
        let mut filter = Filter::missed();
        filter.toggle(LogWord::NotTaken);
        filter.toggle(LogWord::Incoming);
        assert_eq!(filter.directions(), [Direction::Incoming]);
        let ends = [EndStatus::Missed, EndStatus::Rejected, EndStatus::Refused, EndStatus::NotAnswered];
        assert_eq!(filter.ends(), ends);
        filter.toggle(LogWord::Missed);
        filter.toggle(LogWord::NotTaken);
        filter.toggle(LogWord::Incoming);
        assert!(filter.is_off() && filter.ends().is_empty() && filter.directions().is_empty());
        let mut filter = Filter::missed();
        filter.toggle(LogWord::All);
        assert!(filter.is_off());
    }

    #[test]
    fn every_end_belongs_to_one_chip() {
        let mut all: Vec<EndStatus> = GROUPS.iter().flat_map(|(_, ends)| *ends).copied().collect();
        let count = all.len();
        all.dedup();
        assert_eq!((all.len(), count), (10, 10));
    }

    #[test]
    fn log_2_a_criterion_comes_first_and_the_one_before_it_second() {
        let mut sorting = Sorting::default();
        sorting.choose(LogOrder::Line);
        sorting.choose(LogOrder::Talk);
        let order: Vec<LogOrder> = sorting.criteria().iter().map(|sort| sort.by).collect();
        assert_eq!(order, [LogOrder::Talk, LogOrder::Line, LogOrder::When]);
        assert_eq!(sorting.place(LogOrder::Talk), Some((1, LogWord::LongestFirst)));
        assert_eq!(sorting.place(LogOrder::Line), Some((2, LogWord::AToZ)));
        assert_eq!(sorting.place(LogOrder::Hold), None);
        sorting.choose(LogOrder::Talk);
        assert_eq!(sorting.place(LogOrder::Talk), Some((1, LogWord::ShortestFirst)));
        sorting.choose(LogOrder::Line);
        assert_eq!(sorting.place(LogOrder::Line), Some((1, LogWord::AToZ)));
        assert_eq!(sorting.place(LogOrder::Talk), Some((2, LogWord::ShortestFirst)));
        assert!(!sorting.is_usual() && sorting.criteria().len() <= ipc::MAX_LOG_SORTS);
    }
}
