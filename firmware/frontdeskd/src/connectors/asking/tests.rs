//! A plugin host that does what a test says: in time, late, never, or dead.
#![allow(clippy::unwrap_used, reason = "tests")]

use directory::Catalogue;
use ipc::{
    CallRef, CustomerRef, Decoder, Direction, EndStatus, LogRow, MAX_FRAME_FROM_PLUGINS,
    MAX_FRAME_TO_PLUGINS, OperatorId, Party, PluginCard, PluginCounters, PluginGrants, PluginState,
    ToPlugins, encode,
};
use store::Store;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
    time::timeout,
};

use super::*;
use crate::{contacts::Contacts, editing::AtDesk, records::Keeper};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Desk {
    connectors: Connectors,
    events: mpsc::Receiver<Event>,
    records: Records,
    listener: UnixListener,
    folder: tempfile::TempDir,
    task: JoinHandle<()>,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("plugins")).unwrap();
        Self::start(folder, listener)
    }

    fn start(folder: tempfile::TempDir, listener: UnixListener) -> Self {
        let (inbox, events) = mpsc::channel(4096);
        let plan = NumberPlan::default();
        let store = Store::open(folder.path().join("desk.db")).unwrap();
        let (contacts, _) = Contacts::start(Catalogue::new(plan.clone()), false, inbox.clone()).unwrap();
        let at_desk = AtDesk {
            operator: "Front desk".into(),
            signed_in: None,
            operator_id: 0,
            folders: Vec::new(),
            plan,
            log_days: 0,
            clock: "clock".into(),
        };
        let (records, _) = Records::start(store, contacts, inbox.clone(), at_desk).unwrap();
        let (connectors, asked) = Connectors::new();
        let asking = Asking {
            records: records.clone(),
            inbox,
            settings: watch::channel(Arc::new(Settings::default())).1,
            connectors: connectors.clone(),
        };
        let socket = folder.path().join("plugins");
        let task = tokio::spawn(async move { asking.follow(&socket, asked).await });
        Self { connectors, events, records, listener, folder, task }
    }

    async fn host(&self) -> Host {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        let mut host = Host { stream, decoder: Decoder::new(MAX_FRAME_TO_PLUGINS) };
        assert!(matches!(host.next().await, ToPlugins::Hello { follow: true, .. }));
        host.say(&FromPlugins::Welcome { version: "test".into() }).await;
        host
    }

    /// The next that the switchboard is told by connectors.
    async fn told(&mut self) -> Input {
        loop {
            let event = timeout(PATIENCE, self.events.recv()).await.unwrap().unwrap();
            if let Event::Connectors(input) = event {
                return *input;
            }
        }
    }
}

struct Host {
    stream: UnixStream,
    decoder: Decoder,
}

impl Host {
    async fn next(&mut self) -> ToPlugins {
        loop {
            if let Some(message) = self.decoder.next_message().unwrap() {
                return message;
            }
            let mut bytes = [0; 4096];
            let count = timeout(PATIENCE, self.stream.read(&mut bytes)).await.unwrap().unwrap();
            assert_ne!(count, 0, "the desk hung up");
            self.decoder.push(&bytes[..count]);
        }
    }

    async fn asked(&mut self) -> (u64, PluginRequest) {
        match self.next().await {
            ToPlugins::Request { seq, request } => (seq, request),
            other => panic!("{other:?}"),
        }
    }

    async fn say(&mut self, message: &FromPlugins) {
        self.stream.write_all(&encode(message, MAX_FRAME_FROM_PLUGINS).unwrap()).await.unwrap();
    }

    async fn answer(&mut self, seq: u64, answer: Result<PluginAnswer, PluginProblem>) {
        self.say(&FromPlugins::Answer { seq, answer }).await;
    }

    async fn list(&mut self, plugins: &[(&str, &[&str])]) {
        let plugins = plugins.iter().map(|(id, provides)| plugin(id, provides)).collect();
        self.say(&FromPlugins::Plugins(plugins)).await;
    }
}

fn plugin(id: &str, provides: &[&str]) -> PluginView {
    PluginView {
        id: id.into(),
        name: format!("Name of {id}"),
        version: "1.0.0".into(),
        description: String::new(),
        previous: None,
        provides: provides.iter().map(|of| (*of).to_owned()).collect(),
        enabled: true,
        state: PluginState::Ready,
        directory: None,
        interval_s: 3600,
        granted: PluginGrants::default(),
        counters: PluginCounters::default(),
    }
}

fn card(name: &str) -> PluginCard {
    PluginCard {
        kind: "company".into(),
        id: "C-1".into(),
        name: name.into(),
        organization: None,
        lines: Vec::new(),
        url: None,
    }
}

fn failed(case: &str) -> Result<PluginAnswer, PluginProblem> {
    Err(PluginProblem::Failed { case: case.into(), words: "no".into() })
}

fn ended(began: i64) -> LogRow {
    LogRow {
        id: 0,
        direction: Direction::Incoming,
        party: Party { number: Some("0145678910".into()), ..Party::default() },
        line_number: "5550100".into(),
        line_name: "Sales".into(),
        began_unix_ms: began,
        answered_after_ms: Some(1_000),
        talk_ms: 2_000,
        hold_ms: 0,
        end: EndStatus::Completed,
        transfers: Vec::new(),
        rules: Vec::new(),
        customer: Some(CustomerRef { plugin: "a".into(), id: "C-1".into() }),
        call: None,
        sound: None,
        mark: ipc::LogMark::None,
    }
}

const NUMBER: &str = "0145678910";

#[tokio::test]
async fn crm_3_every_connector_is_asked_apart_and_the_first_in_order_counts() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-resolve"]), ("b", &["crm-resolve", "crm-items"]), ("c", &["ldap"])]).await;
    let crm = CrmView { customers: true, items: true, ..CrmView::default() };
    assert_eq!(desk.told().await, Input::Connectors(crm));
    desk.connectors.ask_customer(CallRef(1), NUMBER.into(), Some("ACME".into()));
    let ((first, to_a), (second, to_b)) = (host.asked().await, host.asked().await);
    let PluginRequest::Resolve { plugin, caller } = to_a else { panic!("{to_a:?}") };
    assert_eq!((plugin.as_str(), caller.numbers[0].as_str()), ("a", "+33145678910"));
    assert!(matches!(&to_b, PluginRequest::Resolve { plugin, .. } if plugin == "b"), "{to_b:?}");
    host.answer(second, Ok(PluginAnswer::Cards(vec![card("of b"), card("another")]))).await;
    let Input::Customer { customer: Some(told), .. } = desk.told().await else { panic!("no card") };
    assert_eq!((told.name.as_str(), told.more, told.plugin_name.as_str()), ("of b", 1, "Name of b"));
    host.answer(first, Ok(PluginAnswer::Cards(vec![card("of a")]))).await;
    let Input::Customer { call, number, customer: Some(told) } = desk.told().await else { panic!("no card") };
    assert_eq!((call, number.as_str(), told.name.as_str()), (CallRef(1), NUMBER, "of a"));
}

#[tokio::test]
async fn crm_3_a_host_that_says_nothing_leaves_a_call_without_a_card() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-resolve", "directory-lookup"])]).await;
    desk.told().await;
    desk.connectors.ask_customer(CallRef(1), NUMBER.into(), None);
    let nobody = Input::Customer { call: CallRef(1), number: NUMBER.into(), customer: None };
    assert_eq!(desk.told().await, nobody);
    // Its answer comes after all, to nobody; the next question is answered.
    let (late, _) = host.asked().await;
    host.answer(late, Ok(PluginAnswer::Cards(vec![card("late")]))).await;
    desk.connectors.look_up(CallRef(2), NUMBER.into());
    let (seq, request) = host.asked().await;
    assert!(matches!(request, PluginRequest::LookUp { .. }), "{request:?}");
    host.answer(seq, failed("cpu")).await;
    desk.connectors.ask_customer(CallRef(3), NUMBER.into(), None);
    let (seq, _) = host.asked().await;
    host.answer(seq, Ok(PluginAnswer::Cards(Vec::new()))).await;
    assert!(matches!(desk.told().await, Input::Customer { call: CallRef(3), customer: None, .. }));
}

#[tokio::test]
async fn crm_3_of_a_flood_of_callers_the_oldest_questions_give_way() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-resolve"])]).await;
    desk.told().await;
    for call in 0..MAX_CALLERS as u64 + 2 {
        desk.connectors.ask_customer(CallRef(call), NUMBER.into(), None);
    }
    for call in [0, 1] {
        let told = desk.told().await;
        assert!(
            matches!(told, Input::Customer { call: CallRef(c), customer: None, .. } if c == call),
            "{told:?}"
        );
    }
    let (first, _) = host.asked().await;
    let mut last = first;
    for _ in 0..=MAX_CALLERS {
        last = host.asked().await.0;
    }
    host.answer(last, Ok(PluginAnswer::Cards(vec![card("x")]))).await;
    let told = desk.told().await;
    assert!(matches!(told, Input::Customer { call: CallRef(65), customer: Some(_), .. }), "{told:?}");
}

#[tokio::test]
async fn crm_3_without_a_host_questions_and_notes_are_answered_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("elsewhere")).unwrap();
    let mut desk = Desk::start(folder, listener);
    desk.connectors.ask_customer(CallRef(1), NUMBER.into(), None);
    assert!(matches!(desk.told().await, Input::Customer { customer: None, .. }));
    assert_eq!(desk.connectors.add_item(note(), "Ada".into()).await, Err(ItemProblem::NotThere));
}

fn note() -> CustomerItem {
    CustomerItem {
        id: "n-1".into(),
        task: false,
        text: "Wants a quote".into(),
        number: Some(NUMBER.into()),
        name: None,
        subject: Some(CustomerRef { plugin: "b".into(), id: "C-1".into() }),
    }
}

#[tokio::test]
async fn crm_3_a_note_goes_to_the_connector_of_the_card_and_its_answer_comes_back() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-items"]), ("b", &["crm-items"])]).await;
    desk.told().await;
    let send = |desk: &Desk| {
        let connectors = desk.connectors.clone();
        tokio::spawn(async move { connectors.add_item(note(), "Ada".into()).await })
    };
    let sent = send(&desk);
    let (seq, request) = host.asked().await;
    let PluginRequest::CreateItem { plugin, item } = request else { panic!("{request:?}") };
    assert_eq!((plugin.as_str(), item.subject.as_deref()), ("b", Some("C-1")));
    assert_eq!((item.text.as_str(), item.operator.as_str()), ("Wants a quote", "Ada"));
    let url = Some("https://crm.example/notes/1".to_owned());
    host.answer(seq, Ok(PluginAnswer::Created { url: url.clone() })).await;
    assert_eq!(sent.await.unwrap(), Ok(url));
    let sent = send(&desk);
    let (seq, _) = host.asked().await;
    host.answer(seq, failed("auth-failed")).await;
    let refused = ItemProblem::Refused { case: "auth-failed".into(), words: "no".into() };
    assert_eq!(sent.await.unwrap(), Err(refused));
    // The host dies with the question.
    let sent = send(&desk);
    host.asked().await;
    drop(host);
    assert_eq!(sent.await.unwrap(), Err(ItemProblem::NotThere));
}

#[tokio::test]
async fn crm_3_a_note_is_signed_by_whoever_wrote_it_though_they_have_left_and_else_by_the_desk() {
    let desk = Desk::new();
    let add = |keeper: &mut Keeper| keeper.store.add_operator("Ada", ipc::Language::French, "x", 1).unwrap();
    let ada = desk.records.with(add).await.unwrap().id;
    let name = |operator: i64| desk.records.with(move |keeper| keeper.name_of(OperatorId(operator)));
    assert_eq!(name(0).await.unwrap(), "Front desk", "nobody signs in");
    desk.records.sit(ada, Some("Ada".into()));
    assert_eq!(name(ada).await.unwrap(), "Ada");
    desk.records.sit(0, None);
    assert_eq!(name(ada).await.unwrap(), "Ada");
    assert_eq!(name(0).await.unwrap(), "Front desk");
}

#[tokio::test]
async fn crm_3_finished_calls_have_their_numbers_by_the_plan_that_was_set_last() {
    let desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-journal"])]).await;
    while desk.records.journals().await.unwrap() != ["a"] {
        tokio::task::yield_now().await;
    }
    let plan = NumberPlan { country: "49".into(), ..NumberPlan::default() };
    desk.records.administer("Front desk".into(), plan, false, 0).await;
    desk.records.log(ended(1_700_000_000_000));
    let (_, request) = host.asked().await;
    let PluginRequest::LogCall { call, .. } = request else { panic!("{request:?}") };
    assert_eq!(call.remote.numbers[0], "+49145678910");
}

#[tokio::test]
async fn crm_3_app_4_a_finished_call_is_sent_until_it_is_there_and_over_a_restart() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-journal"]), ("b", &["crm-resolve"])]).await;
    desk.told().await;
    // The list is noted by the records thread before the call ends.
    while desk.records.journals().await.unwrap() != ["a"] {
        tokio::task::yield_now().await;
    }
    desk.records.log(ended(1_700_000_000_000));
    let (_, request) = host.asked().await;
    let PluginRequest::LogCall { plugin, call } = request else { panic!("{request:?}") };
    assert_eq!((plugin.as_str(), call.subject.as_deref(), call.talk_ms), ("a", Some("C-1"), 2_000));
    // The desk dies before the answer, and the one that follows knows nothing but its disk.
    desk.task.abort();
    drop(host);
    let Desk { listener, folder, connectors, records, events, task } = desk;
    let _ = task.await;
    drop((connectors, records, events));
    let desk = Desk::start(folder, listener);
    let mut host = desk.host().await;
    let (seq, request) = host.asked().await;
    let PluginRequest::LogCall { call: again, .. } = request else { panic!("{request:?}") };
    assert_eq!(again, call, "the same call under the same identity");
    host.answer(seq, Ok(PluginAnswer::Done)).await;
    // Only what is done is forgotten.
    desk.records.log(ended(1_700_000_000_001));
    let (seq, request) = host.asked().await;
    let PluginRequest::LogCall { call: other, .. } = request else { panic!("{request:?}") };
    assert_ne!(other.id, call.id);
    host.answer(seq, failed("unsupported")).await;
    while desk.records.journal_next("a".into()).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn crm_3_a_404_of_the_customer_database_costs_no_finished_call() {
    let desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-journal"])]).await;
    while desk.records.journals().await.unwrap() != ["a"] {
        tokio::task::yield_now().await;
    }
    desk.records.log(ended(1_700_000_000_000));
    let (seq, _) = host.asked().await;
    let first_due = desk.records.journal_next("a".into()).await.unwrap();
    host.answer(seq, failed("gone")).await;
    // It is put off, not given up.
    let due = loop {
        let due = desk.records.journal_next("a".into()).await.unwrap();
        if due != first_due {
            break due;
        }
        tokio::task::yield_now().await;
    };
    assert!(due > first_due, "{due:?}");
}

#[tokio::test]
async fn crm_3_a_connector_that_is_removed_is_told_nothing_more() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-journal", "crm-items"])]).await;
    desk.told().await;
    while desk.records.journals().await.unwrap() != ["a"] {
        tokio::task::yield_now().await;
    }
    desk.records.log(ended(1_700_000_000_000));
    let (seq, _) = host.asked().await;
    host.answer(seq, failed("unavailable")).await;
    host.list(&[]).await;
    assert_eq!(desk.told().await, Input::Connectors(CrmView::default()));
    while desk.records.journal_next("a".into()).await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    assert!(desk.records.journals().await.unwrap().is_empty());
}

#[tokio::test]
async fn crm_3_a_call_waits_for_a_connector_that_another_host_does_not_have_yet() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["crm-journal", "crm-items"])]).await;
    desk.told().await;
    while desk.records.journals().await.unwrap() != ["a"] {
        tokio::task::yield_now().await;
    }
    desk.records.log(ended(1_700_000_000_000));
    let (seq, _) = host.asked().await;
    host.answer(seq, failed("unavailable")).await;
    // As after a restore: a host without plugins, and an administrator who will bring them.
    drop(host);
    let mut host = desk.host().await;
    host.list(&[]).await;
    while !desk.records.journals().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(desk.records.journal_next("a".into()).await.unwrap().is_some());
}

fn person(name: &str, phones: &[(&str, &str)]) -> ipc::PluginContact {
    let phones = phones.iter().map(|(kind, number)| ((*kind).to_owned(), (*number).to_owned())).collect();
    let text = |text: &str| Some(text.to_owned());
    ipc::PluginContact {
        id: name.into(),
        name: name.into(),
        organization: text("Acme\n"),
        department: text("\u{202e}"),
        title: text("Buyer"),
        phones,
        emails: Vec::new(),
        note: None,
        url: None,
        extra: Vec::new(),
    }
}

fn look_for(desk: &Desk, text: &str) -> JoinHandle<Vec<FoundPerson>> {
    let (connectors, text) = (desk.connectors.clone(), text.to_owned());
    tokio::spawn(async move { connectors.people(text).await })
}

fn names(found: &[FoundPerson]) -> Vec<&str> {
    found.iter().map(|person| person.name.as_str()).collect()
}

#[tokio::test]
async fn call_5_a_number_that_several_people_have_names_the_firm_and_nobody_of_it() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["directory-lookup"])]).await;
    desk.told().await;
    desk.connectors.look_up(CallRef(1), NUMBER.into());
    let (seq, _) = host.asked().await;
    host.answer(seq, Ok(PluginAnswer::People(vec![person("Aaron", &[]), person("Bo", &[])]))).await;
    let told = desk.told().await;
    assert!(matches!(&told, Input::CallerNamed { name, company: None, .. } if name == "Acme"), "{told:?}");
}

#[tokio::test]
async fn dir_7_every_source_is_searched_apart_and_the_order_is_that_of_the_host() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["directory-search"]), ("b", &["ldap"]), ("c", &["directory-search"])]).await;
    assert_eq!(desk.told().await, Input::Connectors(CrmView { people: true, ..CrmView::default() }));
    let found = look_for(&desk, " lau\u{7}ra ");
    let ((first, to_a), (second, to_c)) = (host.asked().await, host.asked().await);
    let search = |plugin: &str| PluginRequest::Search { plugin: plugin.into(), text: "laura".into() };
    assert_eq!((to_a, to_c), (search("a"), search("c")));
    host.answer(second, Ok(PluginAnswer::People(vec![person("of c", &[])]))).await;
    let phones = [("fax", "1"), ("work", "Reception"), ("mobile", "+33 6 12"), ("work", " 2110 ")];
    let of_a = vec![person("of\u{202e} a", &phones), person("\u{7}", &[])];
    host.answer(first, Ok(PluginAnswer::People(of_a))).await;
    let found = found.await.unwrap();
    assert_eq!(names(&found), ["of a", "of c"]);
    assert_eq!((found[0].source.as_str(), found[0].detail.as_str()), ("Name of a", "Acme · Buyer"));
    let numbers = [("mobile".to_owned(), "+33 6 12".to_owned()), ("work".to_owned(), "2110".to_owned())];
    assert_eq!(found[0].numbers, numbers, "no fax, and nothing that is no number");
}

#[tokio::test]
async fn dir_7_a_source_that_fails_or_is_silent_costs_only_its_own_people() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    let search: &[&str] = &["directory-search"];
    host.list(&[("a", search), ("b", search), ("c", search)]).await;
    desk.told().await;
    let found = look_for(&desk, "laura");
    let (_, failing, good) = (host.asked().await, host.asked().await, host.asked().await);
    host.answer(failing.0, failed("unavailable")).await;
    let many = (0..30).map(|n| person(&format!("P{n}"), &[])).collect();
    host.answer(good.0, Ok(PluginAnswer::People(many))).await;
    let found = found.await.unwrap();
    assert_eq!((found.len(), found[19].name.as_str()), (20, "P19"));
}

#[tokio::test]
async fn dir_7_nobody_is_found_at_once_where_nobody_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("elsewhere")).unwrap();
    let desk = Desk::start(folder, listener);
    assert_eq!(look_for(&desk, "laura").await.unwrap(), []);
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["directory-search"])]).await;
    desk.told().await;
    assert_eq!(look_for(&desk, " l ").await.unwrap(), [], "one letter means everybody");
    let asked = look_for(&desk, "laura");
    host.asked().await;
    drop(host);
    assert_eq!(asked.await.unwrap(), [], "the host died with the question");
}

#[tokio::test]
async fn dir_7_of_many_searches_the_oldest_give_way() {
    let mut desk = Desk::new();
    let mut host = desk.host().await;
    host.list(&[("a", &["directory-search"])]).await;
    desk.told().await;
    let first = look_for(&desk, "first");
    host.asked().await;
    let mut rest = Vec::new();
    let mut last = 0;
    for _ in 0..people::MAX_SEARCHES {
        rest.push(look_for(&desk, "another"));
        last = host.asked().await.0;
    }
    assert_eq!(first.await.unwrap(), []);
    host.answer(last, Ok(PluginAnswer::People(vec![person("x", &[])]))).await;
    assert_eq!(names(&rest.pop().unwrap().await.unwrap()), ["x"]);
}
