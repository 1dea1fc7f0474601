//! The call: a telephone of another maker with a tone, a desk with a headset and a handset whose microphones hear tones,
//! and what both hear while the headset comes and goes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::pulled::{self, Card, Span, longest_pause, longest_silence};
use frontdesk_tests::report::{Row, Unit};
use frontdesk_tests::socket::calls;
use frontdesk_tests::sound::{A_TONE, Recording};
use frontdesk_tests::wait;
use ipc::{CallRef, CallState, Registration};

/// The desk's devices, best first, and what their microphones hear, in Hz.
pub(crate) const DEVICES: [(&str, f64); 2] = [("headset", 440.0), ("handset", 550.0)];

const SOON: Duration = Duration::from_secs(10);
/// A device that failed rests, for longer the oftener it does.
const PATIENCE: Duration = Duration::from_secs(40);
/// What is looked at around a change: so long after it.
const AFTER: Duration = Duration::from_secs(3);
/// The telephone's tone is two minutes long, and the call with it; a change takes less than the rest.
const LONGEST: Duration = Duration::from_secs(85);
/// A device that failed has to run for so long before its next failure is taken as a first one.
const RUNS: Duration = Duration::from_secs(10);
/// The bar of the issue: the next device within so many milliseconds.
const BAR_MS: f64 = 300.0;

/// A call under way.
struct Scene<'a> {
    house: House,
    phone: Baresip,
    call: CallRef,
    cards: &'a [Card],
    watch: Watch,
}

/// For how long nothing was heard around changes of one kind.
#[derive(Default)]
struct Gaps {
    heard: Vec<Duration>,
    sent: Vec<Duration>,
    /// Changes that say nothing, because the machine itself stood still meanwhile.
    disturbed: usize,
}

/// A machine that keeps a thread from running for so long says nothing of the desk.
const STANDSTILL: Duration = Duration::from_millis(40);

/// Plays it all and adds what was heard.
pub(crate) fn measure(alsa: &Path, cards: &[Card], rows: &mut Vec<Row>) {
    let (mut wrong, mut lost) = (0, 0);
    for (file, on, name, times) in [
        ("there", false, "pulled out", 6),
        ("blocks", true, "blocks (neither write nor read returns)", 3),
        ("silent", true, "stands still (its clock stops)", 3),
    ] {
        let (mut gone, mut back) = (Gaps::default(), Gaps::default());
        let mut scene = Scene::open(alsa, cards);
        let begun = Instant::now();
        // Twice as often at most, on a machine with much else to do.
        for time in 0..2 * times {
            if gone.heard.len() >= times || begun.elapsed() > LONGEST {
                break;
            }
            eprintln!("{name}, {}", time + 1);
            scene.change(file, on, &mut gone);
            wrong += scene.wrong(1);
            scene.change(file, !on, &mut back);
            scene.is_back();
            wrong += scene.wrong(0);
            if file != "there" {
                thread::sleep(RUNS);
            }
        }
        lost += usize::from(!scene.still_talks());
        gone.tell(&format!("headset {name}"), rows);
        back.tell(&format!("headset back after it {name}"), rows);
    }
    rows.push(Row::none("times that a side did not hear exactly the other's tone", wrong));
    rows.push(Row::none("calls lost", lost));
}

impl<'a> Scene<'a> {
    fn open(alsa: &Path, cards: &'a [Card]) -> Self {
        let mut house = House::build(Digest::Md5);
        house.desk.use_devices(&DEVICES.map(|(name, _)| name), alsa);
        house.client = house.desk.client();
        let registered = |view: &ipc::View| view.operator.registration == Registration::Registered;
        house.client.wait("Registered", SOON, registered);
        let mut phone = house.phone("2101", A_TONE, Codec::Pcma);
        phone.dial("5550100");
        let call = house.answer_next(&mut phone);
        let scene = Self { house, phone, call, cards, watch: Watch::start() };
        scene.is_back();
        thread::sleep(AFTER);
        scene
    }

    /// Changes the headset, and measures the longest silence on both sides from then on.
    fn change(&self, file: &str, on: bool, gaps: &mut Gaps) {
        let changed = pulled::now();
        self.cards[0].set(file, on);
        // Recordings go on meanwhile; there is nothing to wait for but time.
        thread::sleep(AFTER);
        if self.watch.longest(Instant::now() - AFTER - Duration::from_millis(100)) > STANDSTILL {
            gaps.disturbed += 1;
            return;
        }
        let from = changed - 0.2;
        let until = changed + AFTER.as_secs_f64() - 0.3;
        // What the headset was given before and has not sounded by then is never heard.
        let lost = file == "there" && !on || file != "there" && on;
        let headset = self.cards[0].heard(from).into_iter().filter(|span| !lost || span.until <= changed);
        let spans: Vec<Span> = headset.chain(self.cards[1].heard(from)).collect();
        gaps.heard.push(Duration::from_secs_f64(longest_silence(spans, from, until)));
        let recording = self.recorded().tail(AFTER);
        gaps.sent.push(Duration::from_secs_f64(longest_pause(&recording)));
    }

    /// Waits until the headset plays again.
    fn is_back(&self) {
        let from = pulled::now();
        wait::until("the headset to be in use", PATIENCE, || {
            self.cards[0].heard(from).last().filter(|span| span.until > pulled::now() - 0.5).map(|_| ())
        });
        thread::sleep(Duration::from_secs(2));
    }

    /// How many sides never hear exactly the other one for half a second, with this device in use.
    fn wrong(&self, device: usize) -> usize {
        let end = Instant::now() + SOON;
        loop {
            let wrong = self.wrong_now(device);
            if wrong == 0 || Instant::now() > end {
                return wrong;
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    fn wrong_now(&self, device: usize) -> usize {
        let from = pulled::now() - 1.0;
        let played = self.cards[device].recording(from).tail(Duration::from_millis(500));
        let recorded = self.recorded().tail(Duration::from_millis(500));
        let wrong = [(played, A_TONE), (recorded, DEVICES[device].1)];
        wrong.iter().filter(|(heard, hz)| !heard.is_tone(*hz)).count()
    }

    fn still_talks(&mut self) -> bool {
        let view = self.house.client.wait("a view", SOON, |_| true);
        calls(&view).any(|call| call.call == self.call && call.state == CallState::Talking)
    }

    fn recorded(&self) -> Recording {
        let file = self.phone.newest_recording().expect("it records");
        Recording::read(&file).expect("a sound file")
    }
}

impl Gaps {
    fn tell(&self, what: &str, rows: &mut Vec<Row>) {
        for (who, gaps) in [("operator", &self.heard), ("caller", &self.sent)] {
            let figure = format!("{what}: the {who} hears nothing for");
            rows.push(if gaps.is_empty() {
                Row::failed(&figure, "the machine stood still each time".into())
            } else {
                let note =
                    format!("{} times; {} more while the machine stood still", gaps.len(), self.disturbed);
                Row::times(figure, Unit::Milliseconds, gaps, "max", BAR_MS).note(note)
            });
        }
    }
}

/// Knows when the machine kept a thread from running.
#[derive(Default)]
struct Watch {
    /// When that ended, and how long it was.
    stood_still: Arc<Mutex<Vec<(Instant, Duration)>>>,
}

impl Watch {
    fn start() -> Self {
        let watch = Self::default();
        let stood_still = Arc::clone(&watch.stood_still);
        thread::spawn(move || {
            let step = Duration::from_millis(5);
            // Until nobody looks any more.
            while Arc::strong_count(&stood_still) > 1 {
                let before = Instant::now();
                thread::sleep(step);
                let late = before.elapsed().saturating_sub(step);
                if late > step {
                    stood_still.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), late));
                }
            }
        });
        watch
    }

    /// The longest time since `from`.
    fn longest(&self, from: Instant) -> Duration {
        let stood_still = self.stood_still.lock().unwrap_or_else(PoisonError::into_inner);
        let since = stood_still.iter().filter(|(at, _)| *at > from);
        since.map(|(_, late)| *late).max().unwrap_or_default()
    }
}
