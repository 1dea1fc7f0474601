//! The telephones of the house, each a baresip: colleagues who answer, refuse or let it ring, a mailbox, and
//! people who call the desk themselves and can be transferred for real. A thread of its own works them, and
//! kills some in mid-ring and in mid-call; a killed telephone is started again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use frontdesk_tests::baresip::{Baresip, Codec, Place};
use frontdesk_tests::dice::Dice;
use frontdesk_tests::ports::Ports;

use crate::wire::{self, Calls};

/// The number of the mailbox.
pub(crate) const MAILBOX: &str = "2190";
/// The numbers of the colleagues.
pub(crate) const COLLEAGUES: [&str; 3] = ["2101", "2102", "2103"];
/// Every so many calls one ends with the death of its telephone.
const KILLED: u32 = 4;
/// How long a killed telephone is gone.
const GONE: Duration = Duration::from_secs(3);
/// The longest that a caller waits to be answered, and that anybody stays in a call.
const PATIENCE: Duration = Duration::from_secs(12);
const LONGEST: Duration = Duration::from_secs(20);
/// How long one telephone is listened to in a round.
const LISTEN: Duration = Duration::from_millis(2);
const ROUND: Duration = Duration::from_millis(20);

/// What somebody does with a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// Takes calls after a while, and ends them.
    Answers,
    /// Refuses them (486).
    Refuses,
    /// Never takes them.
    RingsOn,
    /// Calls the desk again and again.
    Calls,
}

const EVERYBODY: [(&str, Habit); 6] = [
    (COLLEAGUES[0], Habit::Answers),
    (COLLEAGUES[1], Habit::Refuses),
    (COLLEAGUES[2], Habit::RingsOn),
    (MAILBOX, Habit::Answers),
    ("2112", Habit::Calls),
    ("2113", Habit::Calls),
];

/// How many telephones were killed in which state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Toll {
    pub(crate) in_ring: usize,
    pub(crate) in_call: usize,
    /// Those that ended by themselves.
    pub(crate) fell: usize,
}

/// What is left when everybody has gone home.
pub(crate) struct Evening {
    pub(crate) calls: Calls,
    pub(crate) toll: Toll,
}

/// The thread.
pub(crate) struct Phones {
    closing: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Evening>,
}

impl Phones {
    /// Starts everybody, registered or not yet.
    pub(crate) fn start(scratch: &Path, exchange: u16, seed: u64) -> Self {
        let (closing, stopped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let flags = (Arc::clone(&closing), Arc::clone(&stopped));
        let scratch = scratch.to_owned();
        let thread = thread::spawn(move || House::open(scratch, exchange, seed).run(&flags.0, &flags.1));
        Self { closing, stopped, thread }
    }

    /// From now on nobody calls, and nobody is killed.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Ends every telephone.
    ///
    /// # Panics
    /// When the thread has panicked.
    pub(crate) fn finish(self) -> Evening {
        self.stopped.store(true, Ordering::Release);
        self.thread.join().expect("the telephones' thread says on standard error why it panics")
    }
}

struct House {
    scratch: PathBuf,
    exchange: u16,
    phones: Vec<Phone>,
    dead: Vec<String>,
    toll: Toll,
    dice: Dice,
}

struct Phone {
    number: &'static str,
    habit: Habit,
    place: Place,
    _ports: Ports,
    running: Option<Baresip>,
    /// Calls that are not over.
    live: u32,
    calls: u32,
    /// What it does next, and when.
    next: Option<(Instant, Step)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Start,
    Dial,
    Accept,
    HangUp,
    KillInRing,
    KillInCall,
}

impl House {
    fn open(scratch: PathBuf, exchange: u16, seed: u64) -> Self {
        let now = Instant::now();
        let phone = |(number, habit): (&'static str, Habit)| {
            let mut ports = Ports::take();
            let place = Place { sip: ports.one(), control: ports.one(), rtp: ports.rtp() };
            let next = Some((now, Step::Start));
            Phone { number, habit, place, _ports: ports, running: None, live: 0, calls: 0, next }
        };
        let phones = EVERYBODY.into_iter().map(phone).collect();
        Self { scratch, exchange, phones, dead: Vec::new(), toll: Toll::default(), dice: Dice::new(seed) }
    }

    fn run(mut self, closing: &AtomicBool, stopped: &AtomicBool) -> Evening {
        while !stopped.load(Ordering::Acquire) {
            let closing = closing.load(Ordering::Acquire);
            for at in 0..self.phones.len() {
                self.listen(at);
                self.act(at, closing);
            }
            thread::sleep(ROUND);
        }
        let mut calls = Calls::new();
        for phone in &mut self.phones {
            // Its farewells belong to the trace.
            phone.running = None;
            let trace = std::fs::read(self.scratch.join(format!("baresip-{}.log", phone.number)));
            let trace = trace.unwrap_or_default();
            wire::baresip(&String::from_utf8_lossy(&trace), phone.place.sip, self.exchange, &mut calls);
        }
        for call in &self.dead {
            if let Some(seen) = calls.get_mut(call) {
                seen.died = true;
            }
        }
        Evening { calls, toll: self.toll }
    }

    fn listen(&mut self, at: usize) {
        let phone = &mut self.phones[at];
        let Some(running) = &mut phone.running else { return };
        if running.program.exit_status().is_some() {
            // Not our doing, and no business of the desk's: it is one more peer that died.
            self.toll.fell += 1;
            return self.kill(at);
        }
        let Some(event) = running.next_event(LISTEN) else { return };
        let now = Instant::now();
        let spread = Duration::from_millis(self.dice.below(2000));
        match (event["type"].as_str().unwrap_or_default(), phone.habit) {
            ("CALL_INCOMING", habit) => {
                phone.live += 1;
                phone.calls += 1;
                let step = match habit {
                    Habit::Answers => Some((Duration::from_millis(600), Step::Accept)),
                    Habit::Refuses => Some((Duration::from_millis(400), Step::HangUp)),
                    Habit::RingsOn if phone.calls.is_multiple_of(2) => {
                        Some((Duration::from_secs(1), Step::KillInRing))
                    }
                    // A caller is not called here, and lets it ring.
                    Habit::RingsOn | Habit::Calls => None,
                };
                phone.next = step.map(|(pause, step)| (now + pause + spread / 4, step));
            }
            ("CALL_RINGING", Habit::Calls) if phone.calls % KILLED == 2 => {
                phone.next = Some((now + Duration::from_millis(500), Step::KillInRing));
            }
            ("CALL_ESTABLISHED", _) => {
                let killed = phone.calls.is_multiple_of(KILLED) && phone.number != MAILBOX;
                let (pause, step) = if killed { (2, Step::KillInCall) } else { (5, Step::HangUp) };
                phone.next = Some((now + Duration::from_secs(pause) + spread, step));
            }
            ("CALL_CLOSED", habit) => {
                phone.live = phone.live.saturating_sub(1);
                if phone.live == 0 {
                    let again = now + Duration::from_secs(2) + spread;
                    phone.next = (habit == Habit::Calls).then_some((again, Step::Dial));
                }
            }
            _ => {}
        }
    }

    fn act(&mut self, at: usize, closing: bool) {
        let now = Instant::now();
        let Some((_, step)) = self.phones[at].next.filter(|(due, _)| *due <= now) else { return };
        self.phones[at].next = None;
        match step {
            Step::Start => self.launch(at),
            Step::KillInRing | Step::KillInCall if closing => self.hang_up(at),
            Step::KillInRing => {
                self.toll.in_ring += 1;
                self.kill(at);
            }
            Step::KillInCall => {
                self.toll.in_call += 1;
                self.kill(at);
            }
            Step::Dial if closing => {}
            Step::Dial => {
                let phone = &mut self.phones[at];
                (phone.calls, phone.live) = (phone.calls + 1, 1);
                phone.next = Some((now + PATIENCE, Step::HangUp));
                if let Some(running) = &mut phone.running {
                    running.dial("5550100");
                }
            }
            Step::Accept => {
                let phone = &mut self.phones[at];
                phone.next = Some((now + LONGEST, Step::HangUp));
                if let Some(running) = &mut phone.running {
                    running.accept();
                }
            }
            Step::HangUp => self.hang_up(at),
        }
    }

    /// Ends the call at hand; should that not be the last one, or be lost, it is done again.
    fn hang_up(&mut self, at: usize) {
        let phone = &mut self.phones[at];
        if let Some(running) = &mut phone.running {
            running.hang_up();
        }
        let (pause, step) = match phone.habit {
            // Should the end be lost on the way to us, the next call comes all the same.
            Habit::Calls if phone.live <= 1 => (Duration::from_secs(6), Step::Dial),
            _ => (Duration::from_secs(2), Step::HangUp),
        };
        phone.live = phone.live.saturating_sub(1);
        phone.next = (phone.live > 0 || step == Step::Dial).then(|| (Instant::now() + pause, step));
    }

    fn launch(&mut self, at: usize) {
        let (scratch, exchange) = (&self.scratch, format!("127.0.0.1:{}", self.exchange));
        let phone = &mut self.phones[at];
        let tone = 300.0 + 100.0 * at as f64;
        let running = Baresip::launch(scratch, phone.place, &exchange, phone.number, tone, Codec::Pcma);
        phone.running = Some(running);
        let first = Instant::now() + Duration::from_secs(3) + Duration::from_millis(self.dice.below(2000));
        phone.next = (phone.habit == Habit::Calls).then_some((first, Step::Dial));
    }

    fn kill(&mut self, at: usize) {
        let phone = &mut self.phones[at];
        let Some(mut running) = phone.running.take() else { return };
        running.program.kill();
        let mut calls = Calls::new();
        wire::baresip(&running.program.log(), phone.place.sip, self.exchange, &mut calls);
        self.dead.extend(calls.into_iter().filter(|(_, seen)| !seen.is_over()).map(|(call, _)| call));
        phone.live = 0;
        phone.next = Some((Instant::now() + GONE, Step::Start));
    }
}
