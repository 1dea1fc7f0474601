//! Who calls, asked of the customer databases (CRM-3), and what is written into them.
//!
//! Each connector is asked apart and all at once; the engine has asked and gone on, and each answer is an event of its
//! own. What is under way is bounded, and so is the time that it may take: a connector that is dead, slow or flooded
//! leaves a call without a card, and nothing else. Questions, answers and time meet here; what an answer means is in
//! `customers`, finished calls are sent by `journal`.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Result, bail};
use directory::NumberPlan;
use ipc::{
    CallRef, CrmView, CustomerItem, FoundPerson, FromPlugins, ItemProblem, PluginAnswer, PluginCall,
    PluginParty, PluginProblem, PluginRequest, PluginView,
};
use store::Settings;
use switchboard::Input;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    customers::{self, Inquiry},
    journal::{self, Refusal},
    line::Line,
};
use crate::{engine::Event, records::Records};
use people::Searches;

mod people;

/// Questions about callers that are under way at once; the oldest give way.
const MAX_CALLERS: usize = 64;
/// How long an answer about a caller is waited for. The host itself gives up after 2.5 s.
const CALLER_TIME: Duration = Duration::from_secs(5);
/// How long a note or a finished call may take.
const WRITE_TIME: Duration = Duration::from_secs(60);
/// The pause before the plugin host is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Questions that may wait for this task, which waits for nobody.
const QUEUE: usize = 256;

/// The way to this task. Nothing waits for it that has not asked for an answer.
#[derive(Clone)]
pub(crate) struct Connectors {
    questions: mpsc::Sender<Question>,
}

enum Question {
    Customer { call: CallRef, number: String, name: Option<String> },
    Caller { call: CallRef, number: String },
    Item { item: Box<CustomerItem>, author: String, answer: ItemAnswer },
    Log { plugin: String, call: Box<PluginCall>, answer: oneshot::Sender<Result<(), Refusal>> },
    People { text: String, answer: oneshot::Sender<Vec<FoundPerson>> },
}

/// Where the page of a note goes, or why there is none.
type ItemAnswer = oneshot::Sender<Result<Option<String>, ItemProblem>>;

impl Connectors {
    /// The way, and its end for [`Asking::follow`].
    pub(crate) fn new() -> (Self, Inbox) {
        let (questions, inbox) = mpsc::channel(QUEUE);
        (Self { questions }, Inbox(inbox))
    }

    /// Asks who a customer is; the answer is [`Input::Customer`]. Does not wait.
    pub(crate) fn ask_customer(&self, call: CallRef, number: String, name: Option<String>) {
        self.ask(Question::Customer { call, number, name });
    }

    /// Asks for a name; the answer is [`Input::CallerNamed`]. Does not wait.
    pub(crate) fn look_up(&self, call: CallRef, number: String) {
        self.ask(Question::Caller { call, number });
    }

    /// Writes a note or a task by `author`; its page.
    pub(crate) async fn add_item(
        &self,
        item: CustomerItem,
        author: String,
    ) -> Result<Option<String>, ItemProblem> {
        let (answer, done) = oneshot::channel();
        let question = Question::Item { item: Box::new(item), author, answer };
        self.questions.send(question).await.map_err(|_| ItemProblem::NotThere)?;
        done.await.unwrap_or(Err(ItemProblem::NotThere))
    }

    /// Gives a finished call to a connector.
    pub(super) async fn log_call(&self, plugin: String, call: PluginCall) -> Result<(), Refusal> {
        let (answer, done) = oneshot::channel();
        let question = Question::Log { plugin, call: Box::new(call), answer };
        self.questions.send(question).await.map_err(|_| Refusal::NotThere)?;
        done.await.unwrap_or(Err(Refusal::NotThere))
    }

    fn ask(&self, question: Question) {
        if self.questions.try_send(question).is_err() {
            warn!("a caller is not looked up: too many questions are open");
        }
    }
}

/// Where questions arrive.
pub(crate) struct Inbox(mpsc::Receiver<Question>);

/// What the task needs of the desk.
pub(crate) struct Asking {
    pub(crate) records: Records,
    pub(crate) inbox: mpsc::Sender<Event>,
    /// How numbers are written here, as an administrator last said.
    pub(crate) settings: watch::Receiver<Arc<Settings>>,
    /// The way to itself, for the finished calls.
    pub(crate) connectors: Connectors,
}

impl Asking {
    /// Answers questions for ever, by the plugin host at `socket` while it is there.
    pub(crate) async fn follow(self, socket: &Path, mut questions: Inbox) {
        let mut offers = Offers::default();
        offers.couriers(&self, self.records.journals().await.unwrap_or_default());
        loop {
            let opened = tokio::select! {
                opened = Line::open(socket) => opened,
                () = self.turn_away(&mut questions) => return,
            };
            match opened {
                Ok(line) => {
                    let mut talk = Talk::new(&self, line, &mut offers);
                    if let Err(error) = talk.run(&mut questions).await {
                        warn!("customer databases cannot be asked: {error:#}");
                    }
                    talk.give_up().await;
                }
                Err(error) => debug!("customer databases cannot be asked: {error:#}"),
            }
            tokio::select! {
                () = sleep(LOOK_AGAIN) => {}
                () = self.turn_away(&mut questions) => return,
            }
        }
    }

    /// Answers that nobody is there; ends when nobody asks any more.
    async fn turn_away(&self, questions: &mut Inbox) {
        while let Some(question) = questions.0.recv().await {
            match question {
                Question::Customer { call, number, .. } => {
                    self.tell(Input::Customer { call, number, customer: None }).await;
                }
                Question::Caller { .. } => {}
                // Whoever asked may have gone.
                Question::Item { answer, .. } => drop(answer.send(Err(ItemProblem::NotThere))),
                Question::Log { answer, .. } => drop(answer.send(Err(Refusal::NotThere))),
                Question::People { answer, .. } => drop(answer.send(Vec::new())),
            }
        }
    }

    fn plan(&self) -> NumberPlan {
        self.settings.borrow().numbers.plan()
    }

    async fn tell(&self, input: Input) {
        // Without an engine nobody wants to know.
        let _ = self.inbox.send(Event::Connectors(Box::new(input))).await;
    }
}

/// What the connectors offer, as it was said last. A host that is gone for a moment changes nothing of it.
#[derive(Default)]
struct Offers {
    plugins: Vec<PluginView>,
    crm: CrmView,
    journals: Vec<String>,
    installed: Vec<String>,
    /// One for each connector that keeps a journal; they end with this.
    couriers: JoinSet<()>,
    handles: HashMap<String, AbortHandle>,
}

impl Offers {
    /// Plugins that run and offer this, in the order of the host.
    fn of(&self, interface: &str) -> impl Iterator<Item = &PluginView> {
        let offers = move |plugin: &&PluginView| {
            plugin.enabled && plugin.provides.iter().any(|provided| provided == interface)
        };
        self.plugins.iter().filter(offers)
    }

    fn couriers(&mut self, asking: &Asking, journals: Vec<String>) {
        self.handles.retain(|plugin, courier| {
            let stays = journals.contains(plugin);
            if !stays {
                courier.abort();
            }
            stays
        });
        for plugin in &journals {
            if !self.handles.contains_key(plugin) {
                let (records, connectors) = (asking.records.clone(), asking.connectors.clone());
                let courier = self.couriers.spawn(journal::deliver(plugin.clone(), records, connectors));
                self.handles.insert(plugin.clone(), courier);
            }
        }
        self.journals = journals;
    }
}

/// One connection.
struct Talk<'a> {
    asking: &'a Asking,
    line: Line,
    offers: &'a mut Offers,
    /// By the number of the answer, so that the oldest is first.
    open: BTreeMap<u64, Open>,
    inquiries: HashMap<CallRef, Inquiry>,
    searches: Searches,
    /// The plugins that this host has had: one that it has no more, somebody has removed.
    seen: HashSet<String>,
}

/// A question that is under way.
struct Open {
    until: Instant,
    what: What,
}

enum What {
    /// The place of the connector in the order of the host.
    Customer {
        call: CallRef,
        place: usize,
    },
    Caller {
        call: CallRef,
        number: String,
        by: String,
    },
    Item(ItemAnswer),
    Log(oneshot::Sender<Result<(), Refusal>>),
    /// The place of the connector in the order of the host.
    People {
        search: u64,
        place: usize,
    },
}

impl What {
    fn is_of_caller(&self) -> bool {
        matches!(self, Self::Customer { .. } | Self::Caller { .. })
    }
}

impl<'a> Talk<'a> {
    fn new(asking: &'a Asking, line: Line, offers: &'a mut Offers) -> Self {
        let (open, inquiries, searches, seen) = Default::default();
        Self { asking, line, offers, open, inquiries, searches, seen }
    }

    async fn run(&mut self, questions: &mut Inbox) -> Result<()> {
        loop {
            let due = self.open.values().map(|open| open.until).min();
            let wake = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                message = self.line.next() => self.take(message?).await?,
                question = questions.0.recv() => match question {
                    Some(question) => self.put(question).await?,
                    None => return Ok(()),
                },
                () = sleep_until(wake) => self.expire().await,
            }
        }
    }

    async fn take(&mut self, message: FromPlugins) -> Result<()> {
        match message {
            FromPlugins::Plugins(plugins) => self.listed(plugins).await,
            FromPlugins::Answer { seq, answer } => {
                // One that comes too late has no question any more.
                if let Some(open) = self.open.remove(&seq) {
                    self.settle(open.what, Some(answer)).await;
                }
            }
            FromPlugins::Refused { reason } => bail!("refused: {reason}"),
            FromPlugins::Welcome { .. } => bail!("welcome came twice"),
        }
        Ok(())
    }

    /// The list of plugins changed, or may have.
    async fn listed(&mut self, plugins: Vec<PluginView>) {
        self.offers.plugins = plugins;
        let any = |interface| self.offers.of(interface).next().is_some();
        let crm = CrmView {
            customers: any("crm-resolve"),
            names: any("directory-lookup"),
            items: any("crm-items"),
            people: any("directory-search"),
        };
        let journals: Vec<String> = self.offers.of("crm-journal").map(|plugin| plugin.id.clone()).collect();
        let installed: Vec<String> = self.offers.plugins.iter().map(|plugin| plugin.id.clone()).collect();
        self.seen.extend(installed.iter().cloned());
        if crm != self.offers.crm {
            info!(?crm, "what the connectors to customer databases offer");
            self.offers.crm = crm;
            self.asking.tell(Input::Connectors(crm)).await;
        }
        if journals != self.offers.journals || installed != self.offers.installed {
            // The disk is asked aside: a caller is looked up meanwhile.
            let records = self.asking.records.clone();
            let kept = journals.clone();
            let removed = self.seen.iter().filter(|plugin| !installed.contains(plugin)).cloned().collect();
            tokio::spawn(async move {
                if let Err(reason) = records.set_journals(kept, removed).await {
                    warn!(reason, "the connectors that keep a journal were not noted");
                }
            });
            self.offers.installed = installed;
        }
        if journals != self.offers.journals {
            self.offers.couriers(self.asking, journals);
        }
    }

    async fn put(&mut self, question: Question) -> Result<()> {
        match question {
            Question::Customer { call, number, name } => self.ask_customer(call, number, name).await?,
            Question::Caller { call, number } => self.ask_name(call, &number).await?,
            Question::Item { item, author, answer } => self.add_item(*item, &author, answer)?,
            Question::Log { plugin, call, answer } => {
                let seq = self.line.ask(PluginRequest::LogCall { plugin, call })?;
                self.wait_for(seq, WRITE_TIME, What::Log(answer));
            }
            Question::People { text, answer } => self.search(&text, answer)?,
        }
        Ok(())
    }

    async fn ask_customer(&mut self, call: CallRef, number: String, name: Option<String>) -> Result<()> {
        let caller = PluginParty { numbers: self.asking.plan().spellings(&number), name };
        let plugins: Vec<(String, String)> =
            self.offers.of("crm-resolve").map(|plugin| (plugin.id.clone(), plugin.name.clone())).collect();
        if plugins.is_empty() || caller.numbers.is_empty() {
            self.asking.tell(Input::Customer { call, number, customer: None }).await;
            return Ok(());
        }
        self.inquiries.insert(call, Inquiry::new(number, plugins.clone()));
        for (place, (plugin, _)) in plugins.into_iter().enumerate() {
            self.make_room().await;
            let seq = self.line.ask(PluginRequest::Resolve { plugin, caller: caller.clone() })?;
            self.wait_for(seq, CALLER_TIME, What::Customer { call, place });
        }
        Ok(())
    }

    async fn ask_name(&mut self, call: CallRef, number: &str) -> Result<()> {
        let numbers = self.asking.plan().spellings(number);
        let plugins: Vec<(String, String)> = self
            .offers
            .of("directory-lookup")
            .map(|plugin| (plugin.id.clone(), plugin.name.clone()))
            .filter(|_| !numbers.is_empty())
            .collect();
        for (plugin, by) in plugins {
            self.make_room().await;
            let seq = self.line.ask(PluginRequest::LookUp { plugin, numbers: numbers.clone() })?;
            self.wait_for(seq, CALLER_TIME, What::Caller { call, number: number.to_owned(), by });
        }
        Ok(())
    }

    fn add_item(&mut self, item: CustomerItem, author: &str, answer: ItemAnswer) -> Result<()> {
        let wished = item.subject.as_ref().map(|subject| subject.plugin.clone());
        let own = |plugin: &&PluginView| Some(&plugin.id) == wished.as_ref();
        let plugin = self.offers.of("crm-items").find(own).or(self.offers.of("crm-items").next());
        let Some(plugin) = plugin.map(|plugin| plugin.id.clone()) else {
            let _ = answer.send(Err(ItemProblem::NoConnector));
            return Ok(());
        };
        match customers::item(item, &plugin, &self.asking.plan(), author) {
            Some(item) => {
                let seq = self.line.ask(PluginRequest::CreateItem { plugin, item: Box::new(item) })?;
                self.wait_for(seq, WRITE_TIME, What::Item(answer));
            }
            None => drop(answer.send(Err(ItemProblem::NotAnItem))),
        }
        Ok(())
    }

    fn wait_for(&mut self, seq: u64, time: Duration, what: What) {
        self.open.insert(seq, Open { until: Instant::now() + time, what });
    }

    /// The oldest question about a caller gives way to a new one.
    async fn make_room(&mut self) {
        let of_callers = || self.open.iter().filter(|(_, open)| open.what.is_of_caller());
        if of_callers().count() < MAX_CALLERS {
            return;
        }
        if let Some(open) = of_callers().next().map(|(seq, _)| *seq).and_then(|seq| self.open.remove(&seq)) {
            warn!(MAX_CALLERS, "a caller is not looked up any more: too many questions are open");
            self.settle(open.what, None).await;
        }
    }

    async fn expire(&mut self) {
        let now = Instant::now();
        let over: Vec<u64> =
            self.open.iter().filter(|(_, open)| open.until <= now).map(|(seq, _)| *seq).collect();
        for open in over.into_iter().filter_map(|seq| self.open.remove(&seq)).collect::<Vec<_>>() {
            self.settle(open.what, None).await;
        }
    }

    /// The end of a question; `None`: no answer came.
    async fn settle(&mut self, what: What, answer: Option<Result<PluginAnswer, PluginProblem>>) {
        match what {
            What::Customer { call, place } => {
                let cards = match answer {
                    Some(Ok(PluginAnswer::Cards(cards))) => cards,
                    other => {
                        debug!(call = call.0, ?other, "a customer database did not say who calls");
                        Vec::new()
                    }
                };
                let Some(inquiry) = self.inquiries.get_mut(&call) else { return };
                let news = inquiry.answered(place, cards);
                let number = inquiry.number.clone();
                if inquiry.is_over() {
                    self.inquiries.remove(&call);
                }
                if let Some(customer) = news {
                    self.asking
                        .tell(Input::Customer { call, number, customer: customer.map(Box::new) })
                        .await;
                }
            }
            What::Caller { call, number, by } => {
                if let Some(Ok(PluginAnswer::People(people))) = answer
                    && let Some((name, company)) = customers::whose(&people)
                {
                    self.asking.tell(Input::CallerNamed { call, number, name, company, by }).await;
                }
            }
            // Whoever asked may have gone.
            What::Item(to) => drop(to.send(customers::item_answer(answer))),
            What::Log(to) => drop(to.send(journal::answer(answer))),
            What::People { search, place } => self.found(search, place, answer),
        }
    }

    /// The connection is over: everybody gets an answer.
    async fn give_up(&mut self) {
        for (_, open) in std::mem::take(&mut self.open) {
            match open.what {
                What::Item(to) => drop(to.send(Err(ItemProblem::NotThere))),
                What::Log(to) => drop(to.send(Err(Refusal::NotThere))),
                what => self.settle(what, None).await,
            }
        }
    }
}

#[cfg(test)]
mod tests;
