//! One run from the first registration to the last timer: phase after phase, with the operator at work all
//! the time. What it brings home is judged in `verdict`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use frontdesk_tests::census;
use frontdesk_tests::desk::{Account, Desk, Machine};
use frontdesk_tests::house::scratch;
use frontdesk_tests::kamailio::{Digest, Kamailio};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::socket::{Client, calls};
use ipc::{CallState, CallView, Census, Edit, LogRow, Registration};

use crate::books::{self, Arrival, Balance};
use crate::crowd::{Count, Crowd};
use crate::loss::{self, Tally};
use crate::operator::{Deeds, Operator};
use crate::phases::{Blow, EXCHANGE_GONE, GRANTED, PHASES, Phase};
use crate::phones::{Phones, Toll};
use crate::wire::Calls;

/// Ports for sound, two a call.
const RTP: (u16, u16) = (32_000, 32_767);
const SOON: Duration = Duration::from_secs(20);
/// How long the last calls may take to end: a BYE that nobody answers any more is repeated for 32 s.
const LAST_CALLS: Duration = Duration::from_secs(75);
/// Three times 64 × T1, and some: a re-INVITE without an answer is cancelled after the first, forgotten after
/// the second, and then a BYE may have to be repeated to a peer that is dead. Ends as soon as nothing is left.
const FORGOTTEN: Duration = Duration::from_secs(110);
/// Nothing is undone by the operator; what is forgotten on hold, or waits for a busy colleague, comes back.
const TIMERS: &str =
    "[timers]\nundo_ms = 0\nhold_ms = 15000\nqueue_ms = 10000\npark_ms = 0\nqueue_delay_ms = 500\n";
/// The colleagues, whose lamps are watched.
const STAFF: &str = "lastname,firstname,title,department,phone,presence\n\
    Rivera,Tomas,Head of sales,Sales,2101,true\nSolberg,Ingrid,CEO,Management,2102,true\n\
    Becker,Jonas,Facilities,House,2103,true\n";
/// Calls that must be up through the exchange before it dies.
const UP: usize = 2;
/// How long the desk is waited for in a round.
const ROUND: Duration = Duration::from_millis(50);

/// What a run brings home.
pub(crate) struct Day {
    pub(crate) seen: Calls,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) log: Vec<LogRow>,
    pub(crate) balance: Balance,
    pub(crate) count: Count,
    pub(crate) toll: Toll,
    pub(crate) deeds: Deeds,
    /// What was lost in each phase.
    pub(crate) losses: Vec<(Phase, Tally)>,
    /// The desk at rest, and the most it held before.
    pub(crate) rest: Census,
    pub(crate) peak: Census,
    pub(crate) exchange: Death,
    pub(crate) up: bool,
    pub(crate) panics: usize,
    pub(crate) took: Duration,
}

/// The death of the exchange.
#[derive(Debug, Default)]
pub(crate) struct Death {
    /// When it answered again, Unix milliseconds.
    pub(crate) back_unix_ms: i64,
    /// The desk's calls that were answered when it died.
    pub(crate) were_up: Vec<u64>,
}

struct Run {
    exchange: Kamailio,
    client: Client,
    operator: Operator,
    crowd: Crowd,
    peak: Census,
    asked: Instant,
    death: Death,
}

/// Runs it.
///
/// # Panics
/// When something does not come up, or the desk does not speak any more.
pub(crate) fn run(calls: u32, seed: u64) -> Day {
    let began = Instant::now();
    let scratch = scratch();
    let folder = scratch.path();
    let mut ports = Ports::take();
    let exchange = Kamailio::start_granting(folder, ports.one(), Digest::Md5, GRANTED);
    let machine = Machine { sip: ports.one(), rtp: RTP, log: "info" };
    let mut desk = Desk::start_on(folder, &Account::at(&exchange), TIMERS, &machine);
    let mut client = desk.client();
    client.wait("Registered", SOON, |view| view.operator.registration == Registration::Registered);
    desk.import(STAFF);
    let phones = Phones::start(folder, exchange.port, seed);
    let crowd = Crowd::new(folder, exchange.port, desk.sip);
    let operator = Operator::new(seed ^ 1);
    let (peak, asked, death) = (Census::default(), Instant::now(), Death::default());
    let mut run = Run { exchange, client, operator, crowd, peak, asked, death };
    let mut losses = Vec::new();
    for phase in PHASES {
        losses.push((phase, run.phase(&phase, calls)));
    }
    phones.close();
    run.operator.close();
    let end = Instant::now() + LAST_CALLS;
    eprintln!("the last calls end");
    while Instant::now() < end && run.round() > 0 || run.crowd.is_busy() && Instant::now() < end {}
    let mut seen = Calls::new();
    let count = run.crowd.finish(end, &mut seen);
    let evening = phones.finish();
    seen.extend(evening.calls);
    eprintln!("the desk forgets");
    // A lamp that nobody changes is asked for anew every few seconds, for as long as it is lit: those transactions never
    // come to an end, and are none of a call's.
    let view = run.client.wait("the directory", SOON, |view| !view.directories.is_empty());
    run.client
        .edit(Edit::ClearDirectory { directory: view.directories[0].id })
        .expect("the directory is cleared");
    let rest = rest(&mut run.client);
    let log = run.client.whole_log();
    let text = desk.program.log();
    let arrivals = books::arrivals(&text);
    Day {
        balance: Balance::strike(&seen, &arrivals, &log, &run.operator.cut),
        seen,
        arrivals,
        log,
        count,
        toll: evening.toll,
        deeds: run.operator.done,
        losses,
        rest,
        peak: run.peak,
        exchange: run.death,
        up: desk.program.exit_status().is_none(),
        panics: text.matches("panicked").count(),
        took: began.elapsed(),
    }
}

impl Run {
    /// Goes through one phase; what was lost in it.
    fn phase(&mut self, phase: &Phase, calls: u32) -> Tally {
        eprintln!("{}", phase.name);
        let before = loss::tally().unwrap_or_else(|error| panic!("{error}"));
        loss::set(phase.loss).unwrap_or_else(|error| panic!("{error}"));
        let time = Duration::from_secs(phase.seconds);
        let (began, mut blow) = (Instant::now(), phase.blow);
        self.crowd.send(calls * phase.share / 100, time);
        if blow == Some(Blow::ExchangeRestarts) {
            self.restart_exchange();
            blow = None;
        }
        while began.elapsed() < time {
            if blow == Some(Blow::CallersDie) && began.elapsed() > time / 3 {
                self.crowd.kill_one();
                blow = None;
            }
            self.round();
        }
        let after = loss::tally().unwrap_or_else(|error| panic!("{error}"));
        after.since(before)
    }

    /// Looks at the desk once; how many calls it has.
    fn round(&mut self) -> usize {
        let Some(view) = self.client.next_view(ROUND) else {
            // Nothing has changed, but the operator's thoughts may have become due.
            let ipc::Reply::View(view) = self.client.query(ipc::Query::View) else { return 0 };
            return self.look(&view);
        };
        self.look(&view)
    }

    fn look(&mut self, view: &ipc::View) -> usize {
        self.operator.work(&mut self.client, view);
        if self.asked.elapsed() > Duration::from_secs(1) {
            self.asked = Instant::now();
            self.peak = census::most(self.peak, held(&mut self.client));
        }
        calls(view).count()
    }

    fn restart_exchange(&mut self) {
        // Its death is to meet calls that are up.
        let end = Instant::now() + SOON;
        while self.death.were_up.len() < UP && Instant::now() < end {
            self.round();
            let ipc::Reply::View(view) = self.client.query(ipc::Query::View) else { continue };
            let up = |state| matches!(state, CallState::Talking | CallState::Held);
            let through = |call: &&CallView| {
                call.party.number.as_deref().is_some_and(|number| self.crowd.is_by_exchange(number))
            };
            let calls = view.incoming.iter().filter(|call| up(call.state)).filter(through);
            self.death.were_up = calls.map(|call| call.call.0).collect();
        }
        // It says good-bye to nobody, and takes its own children along.
        self.exchange.program.terminate(SOON);
        let gone = Instant::now();
        while gone.elapsed() < EXCHANGE_GONE {
            self.round();
        }
        self.exchange.start_again();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.death.back_unix_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    }
}

/// Waits until the desk holds nothing any more, at most until it must have forgotten; what it holds then.
fn rest(client: &mut Client) -> Census {
    let end = Instant::now() + FORGOTTEN;
    loop {
        let census = held(client);
        if census == Census::default() || Instant::now() >= end {
            return census;
        }
        // The views of these moments are of no interest, and are read all the same.
        let _ = client.next_view(Duration::from_millis(500));
    }
}

fn held(client: &mut Client) -> Census {
    client.diagnostics().census.expect("the engine answers within a second")
}
