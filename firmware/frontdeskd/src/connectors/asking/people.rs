//! People of directories that are not copied, looked for while somebody types (DIR-7).
//!
//! Every connector that can be searched is asked apart; one that fails or is late has found nobody. What they found is
//! put together in the order of the host once all have answered or the time is over.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use ipc::{FoundPerson, PluginAnswer, PluginContact, PluginProblem, PluginRequest};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::{Connectors, Question, Talk, What};
use crate::connectors::customers::plain;

/// How long people are looked for. The host itself gives up after 2.5 s.
const SEARCH_TIME: Duration = Duration::from_secs(3);
/// Searches that are under way at once; the oldest give way.
pub(super) const MAX_SEARCHES: usize = 16;
/// People of one search.
const MAX_PEOPLE: usize = 20;
/// Numbers of one of them.
const MAX_NUMBERS: usize = 8;
/// Longest number and kind of it, in characters.
const MAX_NUMBER: usize = 64;
/// Longest name and detail, in characters.
const MAX_NAME: usize = 200;
/// Characters that are looked for.
const LEAST_TEXT: usize = 2;
const MAX_TEXT: usize = 100;

impl Connectors {
    /// Looks for people; nobody, where nobody can be asked.
    pub(crate) async fn people(&self, text: String) -> Vec<FoundPerson> {
        let (answer, found) = oneshot::channel();
        if self.questions.try_send(Question::People { text, answer }).is_err() {
            warn!("people are not looked for: too many questions are open");
            return Vec::new();
        }
        // A search that gave way, or whose connection ended, has no answer.
        found.await.unwrap_or_default()
    }
}

impl Talk<'_> {
    /// Asks every connector that can be searched.
    pub(super) fn search(&mut self, text: &str, answer: oneshot::Sender<Vec<FoundPerson>>) -> Result<()> {
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
        let plugins: Vec<(String, String)> = self
            .offers
            .of("directory-search")
            .map(|plugin| (plugin.id.clone(), plugin.name.clone()))
            .filter(|_| text.chars().count() >= LEAST_TEXT)
            .collect();
        let sources = plugins.iter().map(|(_, name)| plain(name, MAX_NAME)).collect();
        let search = self.searches.begin(sources, answer);
        for (place, (plugin, _)) in plugins.into_iter().enumerate() {
            let seq = self.line.ask(PluginRequest::Search { plugin, text: text.clone() })?;
            self.wait_for(seq, SEARCH_TIME, What::People { search, place });
        }
        Ok(())
    }

    /// A connector has answered, or its time is over.
    pub(super) fn found(
        &mut self,
        search: u64,
        place: usize,
        answer: Option<Result<PluginAnswer, PluginProblem>>,
    ) {
        let people = match answer {
            Some(Ok(PluginAnswer::People(people))) => people,
            Some(Err(problem)) => {
                warn!(?problem, "a directory could not be searched");
                Vec::new()
            }
            other => {
                debug!(?other, "a directory did not say whom it found");
                Vec::new()
            }
        };
        self.searches.answered(search, place, people);
    }
}

/// Searches that are under way, the oldest first.
#[derive(Default)]
pub(super) struct Searches {
    count: u64,
    open: BTreeMap<u64, Search>,
}

struct Search {
    /// Connectors that have not answered.
    left: usize,
    /// Names of the connectors, in the order of the host, and whom they found.
    found: Vec<(String, Vec<FoundPerson>)>,
    answer: oneshot::Sender<Vec<FoundPerson>>,
}

impl Searches {
    fn begin(&mut self, sources: Vec<String>, answer: oneshot::Sender<Vec<FoundPerson>>) -> u64 {
        self.count += 1;
        let found: Vec<_> = sources.into_iter().map(|source| (source, Vec::new())).collect();
        self.open.insert(self.count, Search { left: found.len(), found, answer });
        self.end_if_over(self.count);
        if self.open.len() > MAX_SEARCHES
            && let Some((_, oldest)) = self.open.pop_first()
        {
            debug!(MAX_SEARCHES, "a search for people gave way to newer ones");
            oldest.end();
        }
        self.count
    }

    fn answered(&mut self, search: u64, place: usize, people: Vec<PluginContact>) {
        // One that gave way is over already.
        let Some(open) = self.open.get_mut(&search) else { return };
        open.left = open.left.saturating_sub(1);
        if let Some((source, found)) = open.found.get_mut(place) {
            *found = people.iter().filter_map(|contact| person(contact, source)).take(MAX_PEOPLE).collect();
        }
        self.end_if_over(search);
    }

    fn end_if_over(&mut self, search: u64) {
        if self.open.get(&search).is_some_and(|open| open.left == 0)
            && let Some(over) = self.open.remove(&search)
        {
            over.end();
        }
    }
}

impl Search {
    fn end(self) {
        let found = self.found.into_iter().flat_map(|(_, people)| people).take(MAX_PEOPLE).collect();
        // Whoever asked may have gone.
        let _ = self.answer.send(found);
    }
}

/// Somebody as the desk shows them; `None` without a name.
fn person(contact: &PluginContact, source: &str) -> Option<FoundPerson> {
    let name = Some(plain(&contact.name, MAX_NAME)).filter(|name| !name.is_empty())?;
    let texts = [&contact.organization, &contact.department, &contact.title];
    let texts: Vec<String> = texts
        .into_iter()
        .flatten()
        .map(|text| plain(text, MAX_NAME))
        .filter(|text| !text.is_empty())
        .collect();
    let numbers = contact
        .phones
        .iter()
        .filter(|(kind, number)| kind != "fax" && is_number(number))
        .map(|(kind, number)| (plain(kind, MAX_NUMBER), number.trim().to_owned()))
        .take(MAX_NUMBERS)
        .collect();
    Some(FoundPerson {
        source: source.to_owned(),
        name,
        detail: plain(&texts.join(" · "), MAX_NAME),
        numbers,
    })
}

/// Digits as people write them: a name in its place would be looked up in the desk's own directories and called.
fn is_number(number: &str) -> bool {
    let number = number.trim();
    number.chars().any(|c| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || " \u{a0}\u{202f}+*#()-./".contains(c))
        && number.chars().count() <= MAX_NUMBER
}
