//! Questions to a plugin that is loaded: who has this number, which customer is this, take this call. They run on the
//! threads of those who ask, a few at a time, and not behind a copy of the directory. What was found is remembered for
//! a while; a plugin or server that does not work is left alone until it is likely to work again, so that who asks
//! hears at once that there is no answer. Time is handed in.

mod memory;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipc::{MAX_ITEM_TEXT, PluginAnswer, PluginCall, PluginItem, PluginParty, PluginProblem};

use super::plugin::How;
use super::words;
use crate::backoff::{Breaker, Reaction, Standing};
use crate::connector::{Cancel, Connector};
use crate::failure::Failure;
use crate::gate::Gate;
use memory::{Memory, Remembered};

/// Questions to one plugin at the same time: one plugin alone does not take all places of the host.
const AT_ONCE: usize = 2;
/// A question that has waited for its turn so long is not asked any more: the caller has been spoken with.
const LONGEST_WAIT: Duration = Duration::from_millis(2500);
/// The best matches; the desk shows one, and says how many more there are.
const MOST_FOUND: u32 = 5;
/// People that words may mean.
const MOST_MEANT: u32 = 20;
/// Characters that are searched for.
const SEARCHED: std::ops::RangeInclusive<usize> = 2..=100;
/// Spellings of a number.
const MOST_NUMBERS: usize = 8;

/// A question.
pub(crate) enum Question {
    LookUp(Vec<String>),
    Search(String),
    Resolve(PluginParty),
    LogCall(Box<PluginCall>),
    CreateItem(Box<PluginItem>),
}

/// How a plugin does with one kind of question: after a failure it is left alone, and this is what is said meanwhile.
struct Circuit {
    breaker: Breaker,
    last: (String, String),
}

/// One plugin that can be asked.
pub(crate) struct Asking {
    connector: Arc<Connector>,
    /// Of the actor: when it ends, nobody wants the answers.
    cancel: Cancel,
    gate: Gate,
    circuits: [Mutex<Circuit>; 5],
    memory: Mutex<Memory>,
}

impl Asking {
    pub(crate) fn new(connector: Arc<Connector>, cancel: Cancel, now: Duration) -> Self {
        let circuit = || {
            let breaker = Breaker::new(now, Duration::ZERO);
            Mutex::new(Circuit { breaker, last: Default::default() })
        };
        Self {
            connector,
            cancel,
            gate: Gate::new(AT_ONCE),
            circuits: [circuit(), circuit(), circuit(), circuit(), circuit()],
            memory: Mutex::default(),
        }
    }

    /// Asks, or remembers. `clock` is read again where time has passed.
    ///
    /// # Errors
    /// What the plugin said, or why it was not asked.
    pub(crate) fn ask(
        &self,
        question: &Question,
        clock: &dyn Fn() -> Duration,
    ) -> Result<PluginAnswer, PluginProblem> {
        question.check()?;
        let asked = clock();
        if let Some(answer) = self.memory().recall(question, asked) {
            return Ok(answer);
        }
        self.may_be_asked(question, asked)?;
        let late = || failed("busy", "it answers too slowly for all that it is asked");
        let _turn = self.gate.pass_within(&self.cancel, LONGEST_WAIT).ok_or_else(late)?;
        // While it waited, another may have asked the same, or found that it does not work.
        if let Some(answer) = self.memory().recall(question, clock()) {
            return Ok(answer);
        }
        self.may_be_asked(question, clock())?;
        let answer = self.put(question);
        self.learn(question, &answer, clock());
        answer
            .map_err(|failure| failed(failure.case(), failure.words()))?
            .ok_or_else(|| failed("unsupported", "it does not offer this"))
    }

    /// How it does: ready, or what is wrong with the kind of question that is worst off.
    pub(crate) fn how(&self) -> How {
        match self.trouble() {
            None | Some((Standing::Planned(_), ..)) => How::Ready,
            Some((Standing::Waiting(next), case, words)) => How::Failing { case, words, next: Some(next) },
            Some((Standing::Blocked, case, words)) => How::Failing { case, words, next: None },
            Some((Standing::Suspended(next), case, words)) => How::Suspended { case, words, next },
        }
    }

    fn trouble(&self) -> Option<(Standing, String, String)> {
        let troubles = self.circuits.iter().filter_map(|circuit| {
            let circuit = lock(circuit);
            let (case, words) = circuit.last.clone();
            match circuit.breaker.standing() {
                Standing::Planned(_) => None,
                standing => Some((standing, case, words)),
            }
        });
        troubles.max_by_key(|(standing, _, _)| match standing {
            Standing::Planned(_) => 0,
            Standing::Waiting(_) => 1,
            Standing::Blocked => 2,
            Standing::Suspended(_) => 3,
        })
    }

    /// The plugin that is asked.
    pub(crate) fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    fn may_be_asked(&self, question: &Question, now: Duration) -> Result<(), PluginProblem> {
        let circuit = lock(self.circuit(question));
        let closed = match circuit.breaker.standing() {
            Standing::Planned(_) => true,
            Standing::Waiting(_) | Standing::Blocked if question.is_of_a_person() => true,
            Standing::Waiting(at) | Standing::Suspended(at) => at <= now,
            Standing::Blocked => false,
        };
        if closed { Ok(()) } else { Err(failed(&circuit.last.0, &circuit.last.1)) }
    }

    fn put(&self, question: &Question) -> Result<Option<PluginAnswer>, Failure> {
        let (connector, cancel) = (&self.connector, &self.cancel);
        Ok(match question {
            Question::LookUp(numbers) => {
                let people = connector.lookup(numbers, MOST_FOUND, cancel)?;
                people.map(|people| PluginAnswer::People(people.iter().map(words::contact).collect()))
            }
            Question::Search(text) => {
                let people = connector.search(text, MOST_MEANT, cancel)?;
                people.map(|people| PluginAnswer::People(people.iter().map(words::contact).collect()))
            }
            Question::Resolve(caller) => {
                connector.resolve(caller, MOST_FOUND, cancel)?.map(PluginAnswer::Cards)
            }
            Question::LogCall(call) => connector.log_call(call, cancel)?.map(|()| PluginAnswer::Done),
            Question::CreateItem(item) => {
                connector.create_item(item, cancel)?.map(|url| PluginAnswer::Created { url })
            }
        })
    }

    fn learn(&self, question: &Question, answer: &Result<Option<PluginAnswer>, Failure>, now: Duration) {
        let mut circuit = lock(self.circuit(question));
        match answer {
            Ok(answer) => {
                circuit.breaker.succeeded(now);
                if let Some(answer) = answer {
                    self.memory().remember(question, answer, now);
                }
            }
            Err(failure) => {
                circuit.last = (failure.case().to_owned(), failure.words().to_owned());
                // Of one call or note it may be true that there is nothing for it; the next is another.
                let reaction = match failure.reaction() {
                    Reaction::Resync => Reaction::BackOff,
                    Reaction::Blocked if failure.case() == "unsupported" => Reaction::NextRun,
                    other => other,
                };
                circuit.breaker.failed(now, reaction);
            }
        }
    }

    fn circuit(&self, question: &Question) -> &Mutex<Circuit> {
        let [look_up, search, resolve, log_call, create] = &self.circuits;
        match question {
            Question::LookUp(_) => look_up,
            Question::Search(_) => search,
            Question::Resolve(_) => resolve,
            Question::LogCall(_) => log_call,
            Question::CreateItem(_) => create,
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }
}

impl Question {
    /// Somebody has typed it and waits: it is tried, whatever failed before.
    fn is_of_a_person(&self) -> bool {
        matches!(self, Self::CreateItem(_))
    }

    /// For the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::LookUp(_) => "who has this number",
            Self::Search(_) => "whom these words mean",
            Self::Resolve(_) => "which customer this is",
            Self::LogCall(_) => "a finished call",
            Self::CreateItem(_) => "a note or task",
        }
    }

    fn remembered(&self) -> Option<Remembered> {
        match self {
            Self::LookUp(numbers) => Some(Remembered::LookUp(numbers.clone())),
            Self::Search(text) => Some(Remembered::Search(text.clone())),
            Self::Resolve(caller) => Some(Remembered::Resolve(caller.clone())),
            Self::LogCall(_) | Self::CreateItem(_) => None,
        }
    }

    fn check(&self) -> Result<(), PluginProblem> {
        let id_fits = |id: &str| {
            let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=64).contains(&id.len()) && id.bytes().all(good)
        };
        let fits = match self {
            Self::LookUp(numbers) => (1..=MOST_NUMBERS).contains(&numbers.len()),
            Self::Search(text) => SEARCHED.contains(&text.chars().count()),
            Self::Resolve(caller) => caller.numbers.len() <= MOST_NUMBERS,
            Self::LogCall(call) => id_fits(&call.id),
            Self::CreateItem(item) => {
                let length = item.text.chars().count();
                id_fits(&item.id) && (1..=MAX_ITEM_TEXT).contains(&length)
            }
        };
        if fits { Ok(()) } else { Err(PluginProblem::NotNow("the question is not well formed".to_owned())) }
    }
}

fn failed(case: &str, words: &str) -> PluginProblem {
    PluginProblem::Failed { case: case.to_owned(), words: words.to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
