//! An hour of a script in seconds: the exchange and a desk on a wire and a clock made up here, the desk doing what comes
//! into its mind.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{
    Account, AccountId, Codec, Config, Event, Invite, LocalMedia, Package, SessionId, SubscriptionId,
    UserAgent,
};

use crate::demo::{self, EXTENSIONS, FIRST_EXTENSION};
use crate::exchange::{Exchange, Settings};
use crate::plan::PARK_SLOTS;
use crate::random::Dice;
use crate::report::{CallReport, Command, FinishedReport, NewBehaviour, Reply, Report};
use crate::script::{self, Script};

const LINE: AccountId = AccountId(1);

#[derive(Clone, Copy, Debug)]
enum Mind {
    Answer(SessionId),
    Reject(SessionId),
    Hold(SessionId),
    Retrieve(SessionId),
    Transfer(SessionId),
    Park(SessionId),
    Forward(SessionId),
    Consult(SessionId),
    HangUp(SessionId),
    Dial,
}

struct Day {
    now: Instant,
    exchange: Exchange,
    desk: UserAgent,
    at: (SocketAddr, SocketAddr),
    dice: Dice,
    /// What the desk will do, in order of time; the number keeps equal times apart.
    plans: BTreeMap<(Instant, u64), Mind>,
    planned: u64,
    /// The call each consultation is about.
    consultations: BTreeMap<SessionId, SessionId>,
    lamps: BTreeMap<SubscriptionId, (u16, usize)>,
    done: Vec<FinishedReport>,
    next_look: Instant,
}

impl Day {
    fn begin(script: Script, seed: u64) -> Day {
        let now = Instant::now();
        let at: (SocketAddr, SocketAddr) =
            ("127.0.0.1:5070".parse().unwrap(), "127.0.0.1:5060".parse().unwrap());
        let exchange = Exchange::new(
            now,
            Settings {
                address: at.0,
                user: demo::DEMO_USER.into(),
                password: demo::DEMO_PASSWORD.into(),
                script,
                seed,
                transfer_patience: Duration::from_secs(20),
                secret: 99,
            },
        );
        let mut desk = UserAgent::new(Config::new(at.1), 7);
        desk.add_account(
            now,
            Account {
                password: demo::DEMO_PASSWORD.into(),
                ..Account::new(LINE, demo::DEMO_USER, "127.0.0.1", at.0.into())
            },
        );
        let watched = (FIRST_EXTENSION..FIRST_EXTENSION + EXTENSIONS).chain(PARK_SLOTS).map(|extension| {
            (desk.subscribe(now, LINE, &extension.to_string(), Package::Dialog), (extension, 0))
        });
        let lamps = watched.collect();
        let dice = Dice::new(seed, "mind");
        let mut day = Day {
            now,
            exchange,
            desk,
            at,
            dice,
            plans: BTreeMap::new(),
            planned: 0,
            consultations: BTreeMap::new(),
            lamps,
            done: Vec::new(),
            next_look: now,
        };
        day.plan(Mind::Dial, 20, 40);
        day
    }

    /// Lets so much time pass.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.carry();
            let plan = self.plans.first_key_value().map(|((at, _), _)| *at);
            let next = [self.exchange.deadline(), self.desk.poll_timeout(), plan].into_iter().flatten().min();
            self.now = next.unwrap_or(end).clamp(self.now, end);
            if self.now == end {
                return;
            }
            while let Some(plan) = self.plans.first_entry().filter(|plan| plan.key().0 <= self.now) {
                let mind = plan.remove();
                self.act(mind);
            }
            self.exchange.handle_timeout(self.now);
            self.desk.handle_timeout(self.now);
            if self.now >= self.next_look {
                self.next_look = self.now + Duration::from_secs(2);
                self.look();
            }
        }
    }

    /// Carries datagrams to and fro until there are none.
    fn carry(&mut self) {
        loop {
            if let Some(transmit) = self.exchange.poll_transmit() {
                assert_eq!(transmit.to.address, self.at.1);
                self.desk.handle_datagram(self.now, self.at.0, &transmit.bytes);
            } else if let Some(transmit) = self.desk.poll_transmit() {
                assert_eq!(transmit.to.address, self.at.0);
                self.exchange.handle_datagram(self.now, self.at.1, &transmit.bytes);
            } else {
                break;
            }
            while let Some(event) = self.desk.poll_event() {
                self.react(event);
            }
        }
    }

    fn react(&mut self, event: Event) {
        match event {
            Event::Incoming { session, .. } => {
                self.desk.ring(self.now, session);
                match self.dice.below(10) {
                    0 => self.plan(Mind::Reject(session), 1, 5),
                    1 => {} // not answered at all
                    2 => self.plan(Mind::Forward(session), 1, 5),
                    _ => self.plan(Mind::Answer(session), 1, 30),
                }
            }
            Event::Answered { session, .. } if self.consultations.contains_key(&session) => {
                // The caller may have hung up meanwhile; then there is nobody to transfer.
                let _ = self.desk.refer_attended(self.now, self.consultations[&session], session);
                self.plan(Mind::HangUp(session), 30, 60);
            }
            Event::Confirmed { session, .. } | Event::Answered { session, .. } => match self.dice.below(8) {
                0 | 1 => self.plan(Mind::HangUp(session), 5, 60),
                2 | 3 => self.plan(Mind::Hold(session), 1, 20),
                4 => self.plan(Mind::Park(session), 1, 20),
                5 => self.plan(Mind::Consult(session), 1, 20),
                _ => self.plan(Mind::Transfer(session), 1, 20),
            },
            Event::Held { session } => self.plan(Mind::Retrieve(session), 1, 120),
            Event::Retrieved { session } | Event::TransferEnded { session, .. } => {
                self.plan(Mind::HangUp(session), 1, 120);
            }
            Event::Dialogs { subscription, dialogs } => {
                self.lamps.get_mut(&subscription).unwrap().1 = dialogs.len();
            }
            _ => {}
        }
    }

    fn plan(&mut self, mind: Mind, from_s: u64, to_s: u64) {
        let pause = self.dice.between((Duration::from_secs(from_s), Duration::from_secs(to_s)));
        self.planned += 1;
        self.plans.insert((self.now + pause, self.planned), mind);
    }

    fn act(&mut self, mind: Mind) {
        let target = (FIRST_EXTENSION + self.dice.below(usize::from(EXTENSIONS)) as u16).to_string();
        let media = LocalMedia::plain("127.0.0.1:4000".parse().unwrap(), vec![Codec::Pcma]);
        let slot = (PARK_SLOTS.start() + self.dice.below(PARK_SLOTS.count()) as u16).to_string();
        match mind {
            Mind::Answer(session) => self.desk.accept(self.now, session, media),
            Mind::Reject(session) => self.desk.reject(self.now, session, 486),
            Mind::Hold(session) => self.desk.hold(self.now, session),
            Mind::Retrieve(session) => self.desk.retrieve(self.now, session),
            Mind::HangUp(session) => self.desk.hang_up(self.now, session),
            Mind::Transfer(session) => {
                self.desk.hold(self.now, session);
                self.desk.refer(self.now, session, &target);
            }
            Mind::Park(session) => self.desk.refer(self.now, session, &slot),
            // The caller may have given up.
            Mind::Forward(session) => {
                let _ = self.desk.redirect(self.now, session, &target, None);
            }
            Mind::Consult(session) => {
                self.desk.hold(self.now, session);
                let consultation = self.desk.invite(self.now, Invite::new(LINE, target, media)).unwrap();
                self.consultations.insert(consultation, session);
            }
            Mind::Dial => {
                let number = if self.dice.percent(40) { slot } else { target };
                self.desk.invite(self.now, Invite::new(LINE, number, media)).unwrap();
                self.plan(Mind::Dial, 20, 40);
            }
        }
    }

    /// What must hold at any time.
    fn look(&mut self) {
        let report = self.report();
        let callers = report.calls.iter().filter(|call| call.line.is_some() && call.sound.is_some()).count();
        assert!(callers <= 24, "{callers} callers at once");
        assert!(report.calls.len() <= 64);
        let mut parked: Vec<&str> = report.calls.iter().filter_map(parked_at).collect();
        parked.sort_unstable();
        assert!(parked.windows(2).all(|pair| pair[0] != pair[1]), "two in one slot: {parked:?}");
        let known = self.done.last().map_or(0, |over| over.id);
        let new = report.finished.iter().rev().take_while(|over| over.id != known).count();
        let new = &report.finished[report.finished.len() - new..];
        self.done.extend(new.iter().cloned());
    }

    fn report(&mut self) -> Report {
        match self.exchange.command(self.now, Command::Report(true)) {
            Reply::Report { report } => *report,
            other => panic!("{other:?}"),
        }
    }
}

fn parked_at(call: &CallReport) -> Option<&str> {
    call.stage.strip_prefix("parked at ")
}

#[test]
fn a_busy_half_hour_loses_no_call_and_every_lamp_tells_the_truth() {
    let mut day = Day::begin(script::BUSY, 3);
    day.pass(Duration::from_secs(1800));
    let outcome = |start: &str| day.done.iter().filter(|over| over.outcome.starts_with(start)).count();
    for (kind, least) in [
        ("gave up", 5),
        ("gave up on hold", 3),
        ("gave up parked at ", 3),
        ("refused with 486", 5),
        ("hung up by the desk", 5),
        ("transferred to ", 5),
        ("forwarded to ", 5),
        ("forward failed with ", 1),
        ("joined with call ", 3),
        ("talked", 5),
        ("failed with", 5),
    ] {
        assert!(outcome(kind) >= least, "{kind}: {}", outcome(kind));
    }
    day.plans.clear();
    // No more than a moment, in which nothing new happens but what is under way arrives.
    day.carry();
    let report = day.report();
    for (extension, dialogs) in day.lamps.values() {
        if PARK_SLOTS.contains(extension) {
            let slot = extension.to_string();
            let waiting = report.calls.iter().filter(|call| parked_at(call) == Some(slot.as_str())).count();
            assert_eq!(*dialogs, waiting, "{slot}");
            continue;
        }
        let told = report.extensions.iter().find(|row| row.extension == extension.to_string()).unwrap();
        let standing = usize::from(matches!(told.behaviour.as_str(), "busy" | "dnd"));
        assert_eq!(*dialogs, told.calls + standing, "{extension}");
    }
    assert_eq!(report.registered.len(), 1, "still registered after many refreshes");

    day.exchange.shut_down(day.now);
    day.desk.shut_down(day.now);
    day.carry();
    day.pass(Duration::from_secs(60));
    assert!(day.report().calls.is_empty());
    assert_eq!(day.desk.live_sessions(), 0);
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let day = |seed| {
        let mut day = Day::begin(script::MONDAY, seed);
        day.pass(Duration::from_secs(1200));
        day.done
            .iter()
            .map(|over| format!("{} {} {} {}", over.id, over.from, over.to, over.outcome))
            .collect()
    };
    let (first, again, other): (Vec<String>, Vec<String>, Vec<String>) = (day(1), day(1), day(2));
    assert!(first.len() > 50);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn busy_phones_become_free_and_stop_doing_so_when_told() {
    let mut day = Day::begin(script::MONDAY, 5);
    let lamp = *day.lamps.iter().find(|(_, (extension, _))| *extension == 2104).unwrap().0;
    let freed = |day: &mut Day| {
        let (mut freed, mut before) = (0, day.lamps[&lamp].1);
        for _ in 0..120 {
            day.pass(Duration::from_secs(5));
            let now = day.lamps[&lamp].1;
            freed += usize::from(before > 0 && now == 0);
            before = now;
        }
        freed
    };
    assert!(freed(&mut day) >= 4);
    let set = NewBehaviour { ext: "2104".into(), behaviour: "busy".into() };
    assert_eq!(day.exchange.command(day.now, Command::Set(set)), Reply::Done { ok: true });
    assert_eq!(freed(&mut day), 0);
}
