//! Scripts, and random pulling and returning against what must hold at any time.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::api::DeviceState::{Closed, Lost, Open};

/// A machine with cards: opens what is there, and knows what the audio thread has.
struct Bench {
    chooser: Chooser,
    now: Instant,
    /// What can be opened.
    there: BTreeSet<String>,
    /// What is open: by whom, and whether the audio thread has it or its thread is about to close it.
    open: BTreeMap<Serial, (Role, String, bool)>,
    /// What was told last of each role.
    told: BTreeMap<usize, (String, DeviceState)>,
    joined: BTreeMap<usize, Role>,
    in_use: BTreeMap<usize, Serial>,
    /// Devices that never open and those that never close.
    hang: BTreeSet<String>,
    never_close: BTreeSet<String>,
}

impl Bench {
    fn new(there: &[&str]) -> Bench {
        Bench {
            chooser: Chooser::new(),
            now: Instant::now(),
            there: there.iter().map(|name| (*name).to_owned()).collect(),
            open: BTreeMap::new(),
            told: BTreeMap::new(),
            joined: BTreeMap::new(),
            in_use: BTreeMap::new(),
            hang: BTreeSet::new(),
            never_close: BTreeSet::new(),
        }
    }

    fn want(&mut self, role: Role, names: &[&str]) {
        self.chooser.want(role, &DeviceList::new(names.iter().copied()), self.now);
        self.settle();
    }

    /// Carries out what is to be done until nothing is, without time going on.
    fn settle(&mut self) {
        loop {
            let acts = self.chooser.acts();
            if acts.is_empty() {
                return;
            }
            for act in acts {
                self.act(act);
            }
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Open { serial, role, name } => {
                let busy = self.open.values().any(|(of, held, _)| {
                    (*of == Role::Microphone) == (role == Role::Microphone) && same_device(held, &name)
                });
                assert!(!busy, "{name} is opened twice");
                if self.hang.contains(&name) {
                    return;
                }
                if self.there.contains(&name) {
                    self.open.insert(serial, (role, name, false));
                    self.chooser.opened(serial, self.now);
                } else {
                    self.chooser.refused(serial, "no such device".into(), self.now);
                }
            }
            Act::Install { serial, role } => {
                self.open.get_mut(&serial).unwrap().2 = true;
                if let Some(old) = self.in_use.insert(role as usize, serial) {
                    self.close(old);
                }
            }
            Act::Drop { serial } => self.close(serial),
            Act::Remove { role } => {
                if let Some(old) = self.in_use.remove(&(role as usize)) {
                    self.close(old);
                }
            }
            Act::Join { role, with: Some(with) } => _ = self.joined.insert(role as usize, with),
            Act::Join { role, with: None } => _ = self.joined.remove(&(role as usize)),
            Act::Tell { role, name, state } => _ = self.told.insert(role as usize, (name, state)),
        }
    }

    fn close(&mut self, serial: Serial) {
        if self.open.get(&serial).is_some_and(|(_, name, _)| !self.never_close.contains(name)) {
            self.open.remove(&serial);
            self.chooser.ended(serial, self.now);
        }
    }

    /// A card is pulled: the audio thread notices, and the kernel tells.
    fn pull(&mut self, name: &str) {
        self.there.remove(name);
        self.lose(name, true);
        self.chooser.cards_changed(self.now);
        self.settle();
    }

    fn fail(&mut self, name: &str) {
        self.lose(name, false);
    }

    fn lose(&mut self, name: &str, gone: bool) {
        let users: Vec<_> = self.in_use.iter().map(|(role, serial)| (*role, *serial)).collect();
        for (role, serial) in users {
            // The one before may have taken this one's device.
            let still = self.in_use.get(&role) == Some(&serial);
            if still && self.open[&serial].1 == name {
                self.in_use.remove(&role);
                self.close(serial);
                self.chooser.lost(Role::ALL[role], serial, gone, "lost".into(), self.now);
                self.settle();
            }
        }
    }

    fn give_back(&mut self, name: &str) {
        self.there.insert(name.to_owned());
        self.chooser.cards_changed(self.now);
        self.settle();
    }

    /// Lets time go by, looking whenever that is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        let mut looks = 0;
        while let Some(due) = self.chooser.due().filter(|due| *due <= end) {
            assert!(due > self.now, "it looks again at once");
            self.now = due;
            self.chooser.look(due);
            self.settle();
            looks += 1;
            assert!(looks < 10_000, "it looks too often");
        }
        self.now = end;
    }

    /// The device a role sounds in.
    fn serves(&self, role: Role) -> Option<&str> {
        let of = self.joined.get(&(role as usize)).copied().unwrap_or(role);
        self.in_use.get(&(of as usize)).map(|serial| self.open[serial].1.as_str())
    }

    fn told(&self, role: Role) -> (&str, &DeviceState) {
        let (name, state) = &self.told[&(role as usize)];
        (name, state)
    }
}

const HEADSET: &str = "plughw:CARD=Headset,DEV=0";
const HANDSET: &str = "plughw:CARD=Handset,DEV=0";
const BELL: &str = "plughw:CARD=Bell,DEV=0";

#[test]
fn hw_3_a_pulled_device_is_followed_by_the_next_at_once_and_returned_to() {
    let mut bench = Bench::new(&[HEADSET, HANDSET]);
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    bench.want(Role::Microphone, &[HEADSET, HANDSET]);
    assert_eq!(bench.serves(Role::Speaker), Some(HEADSET));
    assert_eq!(bench.told(Role::Microphone), (HEADSET, &Open));
    for _ in 0..5 {
        let before = bench.now;
        bench.pull(HEADSET);
        assert_eq!(
            (bench.serves(Role::Speaker), bench.serves(Role::Microphone)),
            (Some(HANDSET), Some(HANDSET))
        );
        assert_eq!(bench.now, before, "no time has passed");
        assert_eq!(bench.told(Role::Speaker), (HANDSET, &Open));
        bench.pass(Duration::from_secs(30));
        bench.give_back(HEADSET);
        assert_eq!(
            (bench.serves(Role::Speaker), bench.serves(Role::Microphone)),
            (Some(HEADSET), Some(HEADSET))
        );
    }
}

#[test]
fn hw_3_half_a_headset_serves_with_its_other_half() {
    let mut bench = Bench::new(&[HEADSET, HANDSET]);
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    bench.want(Role::Microphone, &[HEADSET, HANDSET]);
    let microphone = bench.in_use[&(Role::Microphone as usize)];
    bench.in_use.remove(&(Role::Microphone as usize));
    bench.close(microphone);
    bench.chooser.lost(Role::Microphone, microphone, false, "broken".into(), bench.now);
    bench.settle();
    assert_eq!((bench.serves(Role::Speaker), bench.serves(Role::Microphone)), (Some(HEADSET), Some(HANDSET)));
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.serves(Role::Microphone), Some(HEADSET), "it has rested and works again");
}

#[test]
fn hw_3_a_device_found_again_without_being_told_of_is_used_too() {
    let mut bench = Bench::new(&[HANDSET]);
    bench.want(Role::Speaker, &["pulse", HANDSET]);
    assert_eq!(bench.serves(Role::Speaker), Some(HANDSET));
    bench.there.insert("pulse".to_owned());
    bench.pass(RETRY);
    assert_eq!(bench.serves(Role::Speaker), Some("pulse"));
}

#[test]
fn hw_3_nothing_at_all_is_told_once_with_the_first_device_and_its_reason() {
    let mut bench = Bench::new(&[]);
    bench.want(Role::Ringer, &[BELL, HANDSET]);
    let lost = Lost { reason: "no such device".into() };
    assert_eq!(bench.told(Role::Ringer), (BELL, &lost));
    bench.told.clear();
    bench.pass(Duration::from_secs(60));
    assert!(bench.told.is_empty(), "told again");
    bench.give_back(HANDSET);
    assert_eq!(bench.told(Role::Ringer), (HANDSET, &Open));
    bench.want(Role::Ringer, &[]);
    assert_eq!(bench.told(Role::Ringer), (HANDSET, &Closed));
    assert!(bench.open.is_empty());
}

#[test]
fn bar_2_ringing_shares_the_speakers_device_and_goes_on_without_it() {
    let mut bench = Bench::new(&[HEADSET, BELL]);
    bench.want(Role::Ringer, &[HEADSET]);
    bench.want(Role::Notifier, &[HEADSET]);
    assert_eq!(bench.joined.get(&(Role::Notifier as usize)), Some(&Role::Ringer));
    // The headset icon: speech takes the device, under another of its names.
    bench.want(Role::Speaker, &["hw:Headset"]);
    bench.there.insert("hw:Headset".to_owned());
    bench.pass(RETRY);
    assert_eq!(bench.joined.get(&(Role::Ringer as usize)), Some(&Role::Speaker));
    assert_eq!(bench.joined.get(&(Role::Notifier as usize)), Some(&Role::Speaker));
    bench.want(Role::Speaker, &[]);
    assert_eq!(bench.serves(Role::Ringer), Some(HEADSET));
    assert_eq!(bench.joined.get(&(Role::Ringer as usize)), None);
    assert_eq!(bench.joined.get(&(Role::Notifier as usize)), Some(&Role::Ringer));
}

#[test]
fn bar_2_a_ringer_that_is_pulled_rings_in_the_headset_and_a_headset_that_is_pulled_not_in_the_bell() {
    let mut bench = Bench::new(&[HEADSET, HANDSET, BELL]);
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    bench.want(Role::Ringer, &[BELL, HEADSET]);
    bench.pull(BELL);
    assert_eq!(bench.joined.get(&(Role::Ringer as usize)), Some(&Role::Speaker));
    bench.give_back(BELL);
    assert_eq!(bench.serves(Role::Ringer), Some(BELL));
    bench.pull(HEADSET);
    assert_eq!((bench.serves(Role::Speaker), bench.serves(Role::Ringer)), (Some(HANDSET), Some(BELL)));
}

#[test]
fn hw_3_a_device_that_hangs_while_it_opens_holds_nobody_up_and_is_taken_when_it_comes() {
    let mut bench = Bench::new(&[HEADSET, HANDSET]);
    bench.hang.insert(HEADSET.to_owned());
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    assert_eq!(bench.serves(Role::Speaker), None);
    bench.pass(OPENS);
    assert_eq!(bench.serves(Role::Speaker), Some(HANDSET));
    bench.pass(Duration::from_secs(60));
    let serial = bench.chooser.slots[0].list[0].opening.unwrap().0;
    assert_eq!(serial, 1, "it is not opened a second time");
    bench.open.insert(serial, (Role::Speaker, HEADSET.to_owned(), false));
    bench.chooser.opened(serial, bench.now);
    bench.settle();
    assert_eq!(bench.serves(Role::Speaker), Some(HEADSET));
}

#[test]
fn hw_3_a_bell_that_failed_once_rings_again_though_the_headset_rang_meanwhile() {
    let mut bench = Bench::new(&[HEADSET, BELL]);
    bench.want(Role::Ringer, &[BELL, HEADSET]);
    bench.want(Role::Speaker, &[HEADSET]);
    bench.fail(BELL);
    assert_eq!(bench.serves(Role::Ringer), Some(HEADSET));
    bench.pass(2 * REST_LONGEST);
    assert_eq!(bench.serves(Role::Ringer), Some(BELL));
}

#[test]
fn hw_3_a_device_that_never_closes_is_not_opened_again() {
    let mut bench = Bench::new(&[HEADSET, HANDSET]);
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    bench.never_close.insert(HEADSET.to_owned());
    bench.fail(HEADSET);
    assert_eq!(bench.serves(Role::Speaker), Some(HANDSET));
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.serves(Role::Speaker), Some(HANDSET));
    bench.never_close.clear();
    bench.close(1);
    bench.settle();
    bench.pass(RETRY);
    assert_eq!(bench.serves(Role::Speaker), Some(HEADSET));
}

#[test]
fn hw_3_a_device_that_fails_again_and_again_is_tried_less_and_less_often() {
    let mut bench = Bench::new(&[HEADSET, HANDSET]);
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    let mut tries = 0;
    let end = bench.now + Duration::from_secs(600);
    while bench.now < end {
        if bench.serves(Role::Speaker) == Some(HEADSET) {
            tries += 1;
            bench.fail(HEADSET);
        }
        bench.pass(Duration::from_millis(50));
    }
    assert!((10..22).contains(&tries), "{tries} tries in ten minutes");
}

#[test]
fn hw_3_a_list_put_in_another_order_moves_without_a_gap() {
    let mut bench = Bench::new(&[HEADSET, HANDSET]);
    bench.want(Role::Speaker, &[HEADSET, HANDSET]);
    bench.told.clear();
    bench.want(Role::Speaker, &[HANDSET, HEADSET]);
    assert_eq!(bench.told(Role::Speaker), (HANDSET, &Open));
    assert_eq!((bench.serves(Role::Speaker), bench.open.len()), (Some(HANDSET), 1));
}

/// What happens to the desk.
#[derive(Debug, Clone)]
enum Chance {
    Pull(usize),
    GiveBack(usize),
    Fail(usize),
    Want(usize, Vec<usize>),
    Pass(u64),
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        (0..3_usize).prop_map(Chance::Pull),
        (0..3_usize).prop_map(Chance::GiveBack),
        (0..3_usize).prop_map(Chance::Fail),
        (0..4_usize, prop::collection::vec(0..3_usize, 0..4))
            .prop_map(|(role, list)| Chance::Want(role, list)),
        (0..4_000_u64).prop_map(Chance::Pass),
    ]
}

proptest! {
    #[test]
    fn hw_3_whatever_is_pulled_and_returned_each_role_has_the_best_there_is(
        chances in prop::collection::vec(chance(), 1..60)
    ) {
        let cards = [HEADSET, HANDSET, BELL];
        let mut bench = Bench::new(&cards);
        let mut wanted: [Vec<&str>; 4] = Default::default();
        for chance in chances {
            match chance {
                Chance::Pull(card) => bench.pull(cards[card]),
                Chance::GiveBack(card) => bench.give_back(cards[card]),
                Chance::Fail(card) => bench.fail(cards[card]),
                Chance::Want(role, list) => {
                    let names: Vec<&str> = list.iter().map(|card| cards[*card]).collect();
                    bench.want(Role::ALL[role], &names);
                    wanted[role] = names;
                }
                Chance::Pass(ms) => bench.pass(Duration::from_millis(ms)),
            }
        }
        // Longer than any device rests.
        bench.pass(2 * REST_LONGEST);
        for role in Role::ALL {
            let best = wanted[role as usize].iter().find(|name| bench.there.contains(**name)).copied();
            prop_assert_eq!(bench.serves(role), best, "{:?}", role);
            if best.is_some() {
                prop_assert_eq!(bench.told(role), (best.unwrap(), &Open));
            }
        }
        let owned = bench.in_use.len();
        prop_assert_eq!(bench.open.len(), owned, "a device is open that nobody uses");
    }
}
