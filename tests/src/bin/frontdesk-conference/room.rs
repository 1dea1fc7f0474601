//! The conference itself: who is in it, what is done, and what is heard then.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use frontdesk_tests::baresip::{Baresip, Codec};
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::load::Load;
use frontdesk_tests::report::Row;
use frontdesk_tests::sound::{A_TONE, B_TONE, C_TONE, DESK_TONE, Recording};
use ipc::{CallRef, CallState, Command, View};

/// Number, tone in Hz and codec of each member. The tones are as far from each other as those of other tests.
const MEMBERS: [(&str, f64, Codec); 5] = [
    ("2101", A_TONE, Codec::Pcma),
    ("2102", B_TONE, Codec::Pcmu),
    ("2103", C_TONE, Codec::Opus),
    ("2104", 2390.0, Codec::G722),
    ("2105", 2990.0, Codec::Pcma),
];
/// Whose call the conference is made with before the first member; it is held meanwhile, after which a baresip 1.0 hears
/// but no longer records. It leaves at once.
const STARTER: &str = "2107";
/// Who calls besides, and takes the operator out of the conference.
const OTHER: (&str, f64) = ("2106", 2690.0);

const SOON: Duration = Duration::from_secs(10);
/// After a change, what was said before it has been heard.
const SETTLE: Duration = Duration::from_secs(2);
/// How much of what is heard is looked at, …
const LISTENED: Duration = Duration::from_secs(4);
/// … in parts of so much: a packet that a telephone sent late shifts its tone, and is in one part only.
const PART: Duration = Duration::from_millis(500);
/// Five tones of half level are turned down together: each has a fifth of the energy. Below a tenth of that somebody is
/// not heard as the others are.
const PRESENT: f64 = 0.02;
/// The bars of what else is heard, as shares of the energy.
#[derive(Clone, Copy)]
struct Bars {
    /// Of any tone that is not to be heard.
    other: f64,
    /// Of what is in no tone at all: what clipping and codecs make of it.
    rest: f64,
}

impl Bars {
    /// A voice that is 30 dB below a fifth is not heard.
    const PLAIN: Self = Self { other: 0.000_2, rest: 0.05 };

    /// G.722 codes what is above 3 kHz with two bits, and Opus at 24 kbit/s is made for speech, which five sines at once
    /// are not: both add noise, some of which is where a tone could be.
    fn of(codec: Codec) -> Self {
        match codec {
            Codec::Pcma | Codec::Pcmu => Self::PLAIN,
            Codec::G722 => Self { other: 0.001, rest: 0.12 },
            Codec::Opus => Self { other: 0.003, rest: 0.6 },
        }
    }
}

/// How long the processor is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// Everybody in one conference.
struct Room {
    house: House,
    phones: Vec<Baresip>,
    calls: Vec<CallRef>,
}

/// Plays it all and adds what was heard.
pub(crate) fn measure(rows: &mut Vec<Row>) {
    let mut room = Room::open();
    let all: BTreeSet<usize> = (0..MEMBERS.len()).collect();
    rows.extend(room.heard("all six", &all, true));
    rows.push(room.cost());

    room.house.client.command(Command::MuteMember { call: room.calls[1], on: true }).expect("a member");
    let without_second: BTreeSet<usize> = all.iter().copied().filter(|n| *n != 1).collect();
    rows.extend(room.heard("2102 muted", &without_second, true));
    room.house.client.command(Command::MuteMember { call: room.calls[1], on: false }).expect("a member");
    rows.extend(room.heard("2102 speaks again", &all, true));

    let mut other = room.house.phone(OTHER.0, OTHER.1, Codec::Pcma);
    other.dial("5550101");
    let talk = room.house.answer_next(&mut other);
    room.wait_joined(false);
    rows.extend(room.heard("the operator away", &all, false));
    rows.push(hears("the operator away: the operator", &played(&room.house), &[OTHER.1], Bars::PLAIN));
    rows.push(hears("the operator away: the other caller", &recorded(&other), &[DESK_TONE], Bars::PLAIN));
    room.house.client.command(Command::HangUp { call: talk }).expect("a call");
    room.house.client.wait_gone(talk, SOON);
    room.house.client.command(Command::Conference { call: room.calls[0] }).expect("a member");
    room.wait_joined(true);
    rows.extend(room.heard("the operator back", &all, true));

    room.phones[4].hang_up();
    room.house.client.wait_gone(room.calls[4], SOON);
    let without_last: BTreeSet<usize> = all.iter().copied().filter(|n| *n != 4).collect();
    room.phones.truncate(4);
    rows.extend(room.heard("2105 has left", &without_last, true));
}

impl Room {
    /// Each calls, is answered, and joins.
    fn open() -> Self {
        let mut house = House::build(Digest::Md5);
        let mut starter = house.phone(STARTER, OTHER.1, Codec::Pcma);
        starter.dial("5550100");
        let started_with = house.answer_next(&mut starter);
        let mut phones = Vec::new();
        let mut calls = Vec::new();
        for (number, tone, codec) in MEMBERS {
            let mut phone = house.phone(number, tone, codec);
            phone.dial("5550100");
            let call = house.answer_next(&mut phone);
            let with = if calls.is_empty() { started_with } else { call };
            house.client.command(Command::Conference { call: with }).expect("two calls");
            house.wait_state(call, CallState::Conference);
            if calls.len() == 1 {
                starter.hang_up();
                house.client.wait_gone(started_with, SOON);
            }
            phones.push(phone);
            calls.push(call);
            eprintln!("{number} is in it");
        }
        Self { house, phones, calls }
    }

    fn wait_joined(&mut self, wanted: bool) {
        let is_so =
            |view: &View| view.conference.as_ref().is_some_and(|conference| conference.joined == wanted);
        self.house.client.wait("the operator's part in the conference", SOON, is_so);
    }

    /// What each member hears, and the operator: the tones of `speaking` but the own one.
    fn heard(&mut self, when: &str, speaking: &BTreeSet<usize>, operator: bool) -> Vec<Row> {
        // The recordings go on meanwhile; there is nothing to wait for but time.
        thread::sleep(SETTLE + LISTENED);
        eprintln!("{when}");
        let desk = operator.then_some(DESK_TONE);
        let mut rows = Vec::new();
        for (n, phone) in self.phones.iter().enumerate() {
            let others = speaking.iter().filter(|other| **other != n).map(|other| MEMBERS[*other].1);
            let present: Vec<f64> = others.chain(desk).collect();
            rows.push(hears(
                &format!("{when}: {}", phone.number),
                &recorded(phone),
                &present,
                Bars::of(MEMBERS[n].2),
            ));
        }
        if operator {
            let present: Vec<f64> = speaking.iter().map(|n| MEMBERS[*n].1).collect();
            rows.push(hears(&format!("{when}: the operator"), &played(&self.house), &present, Bars::PLAIN));
        }
        rows
    }

    /// What the desk uses of one core meanwhile.
    fn cost(&self) -> Row {
        let program = &self.house.desk.program;
        let before = Load::of(program, "fd-media");
        thread::sleep(WATCHED);
        let used = Load::of(program, "fd-media").since(before);
        let share = |time: Duration| 100.0 * time.as_secs_f64() / WATCHED.as_secs_f64();
        let values = [("the desk", share(used.whole)), ("mixing and codecs", share(used.thread))];
        let note = if cfg!(debug_assertions) {
            "debug build, of which only codecs and media are optimised"
        } else {
            "release build"
        };
        Row::told("processor during the conference", "% of a core", &values).note(note)
    }
}

/// Exactly the tones `present`, of all that anybody speaks: the weakest of them, the strongest of the others, and the
/// energy that is in none. Of the first and the last the median of the parts, of the others the most.
fn hears(who: &str, heard: &Recording, present: &[f64], bars: Bars) -> Row {
    let (mut weakest, mut others, mut rest) = (Vec::new(), 0.0_f64, Vec::new());
    let parts = (LISTENED.as_millis() / PART.as_millis()) as u32;
    for part in (0..parts).map(|n| heard.part(PART * n, PART)) {
        let shares = |wanted: bool| {
            let tones = MEMBERS.map(|(_, tone, _)| tone).into_iter().chain([DESK_TONE, OTHER.1]);
            tones.filter(move |tone| present.contains(tone) == wanted).map(|tone| part.share(tone))
        };
        weakest.push(shares(true).fold(1.0, f64::min));
        others = shares(false).fold(others, f64::max);
        rest.push((1.0 - shares(true).sum::<f64>()).max(0.0));
    }
    let (weakest, rest) = (median(weakest), median(rest));
    let values = [
        ("voices", present.len() as f64),
        ("weakest %", 100.0 * weakest),
        ("others %", 100.0 * others),
        ("rest %", 100.0 * rest),
    ];
    let holds = weakest >= PRESENT && others <= bars.other && rest <= bars.rest;
    let row = Row::told(who, "", &values);
    if holds { row } else { Row::failed(who, format!("{values:.2?}")) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn recorded(phone: &Baresip) -> Recording {
    let file = phone.newest_recording().expect("it records");
    Recording::read(&file).expect("a sound file").tail(LISTENED)
}

fn played(house: &House) -> Recording {
    Recording::read(&house.desk.played()).expect("a sound file").tail(LISTENED)
}
