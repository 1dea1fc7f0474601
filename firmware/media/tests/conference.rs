//! A conference of five over loopback: everybody hums another tone, and hears every tone but its own.

mod desk;

use std::collections::BTreeSet;

use desk::{Desk, level_at, remote, rms};
use media::{Codec, Direction, Ear, Error, Event, Seat, StreamId};

/// What the operator hums, and the five parties.
const OPERATOR: f64 = 300.0;
const HUMS: [f64; 5] = [420.0, 560.0, 740.0, 960.0, 1240.0];
/// How loud each hums: five at once fit without being turned down.
const HUM: f64 = 4000.0;
/// Levels at a frequency that count as heard, and as not heard. G.711 leaves a little of each tone in another.
const HEARD: std::ops::Range<f64> = 0.7 * HUM..1.2 * HUM;
const UNHEARD: f64 = 0.03 * HUM;

/// The appliance and those on the line, each with a codec of its own.
struct Table {
    desk: Desk,
    parties: Vec<Desk>,
    seats: Vec<Seat>,
}

impl Table {
    fn new(parties: usize) -> Table {
        let humming = |hz: f64| {
            Desk::with(None, move |config, dir| {
                let hum = dir.join("quiet.wav");
                desk::write_hum(&hum, hz, HUM);
                config.microphone = format!("wav-loop:{}", hum.display()).into();
            })
        };
        let desk = humming(OPERATOR);
        let codecs = [Codec::Opus, Codec::Pcmu, Codec::Pcma, Codec::Opus, Codec::Pcmu];
        let mut table = Table { desk, parties: Vec::new(), seats: Vec::new() };
        for (n, (hz, codec)) in HUMS.into_iter().zip(codecs).take(parties).enumerate() {
            let (party, stream) = (humming(hz), StreamId(n as u64));
            desk::connect(&table.desk, &party, stream, codec);
            party.media.listen(Ear::Stream(stream)).expect("taken");
            table.parties.push(party);
            table.seats.push(Seat { stream, muted: false });
        }
        table
    }

    fn sit(&self) {
        self.desk.media.conference(&self.seats).expect("taken");
    }

    fn listen(&self, ear: Ear) {
        self.desk.media.listen(ear).expect("taken");
    }

    /// Waits until party `n` hears the operator, if `operator`, and of the parties just `others`.
    fn until_party_hears(&self, n: usize, operator: bool, others: &[usize]) {
        until(&self.parties[n], &format!("{others:?} at party {n}, operator {operator}"), operator, others);
    }

    /// Waits until the operator hears just `others`.
    fn until_operator_hears(&self, others: &[usize]) {
        until(&self.desk, &format!("{others:?} at the operator"), false, others);
    }
}

fn until(desk: &Desk, what: &str, operator: bool, others: &[usize]) {
    desk.until_heard(what, 0.5, |heard| {
        let right = |hz, wanted| {
            let level = level_at(heard, hz);
            if wanted { HEARD.contains(&level) } else { level < UNHEARD }
        };
        right(OPERATOR, operator) && HUMS.iter().enumerate().all(|(n, hz)| right(*hz, others.contains(&n)))
    });
}

fn others(of: usize) -> Vec<usize> {
    (0..HUMS.len()).filter(|n| *n != of).collect()
}

#[test]
fn each_of_five_hears_the_four_others_and_the_operator_and_not_itself() {
    let table = Table::new(5);
    table.sit();
    table.listen(Ear::Conference);
    table.until_operator_hears(&[0, 1, 2, 3, 4]);
    for n in 0..5 {
        table.until_party_hears(n, true, &others(n));
    }
    // The operator takes another call: they go on without. Saying the same again changes nothing.
    table.listen(Ear::Nobody);
    table.sit();
    table.until_operator_hears(&[]);
    for n in 0..5 {
        table.until_party_hears(n, false, &others(n));
    }
    table.listen(Ear::Conference);
    table.until_party_hears(2, true, &others(2));
    table.until_operator_hears(&[0, 1, 2, 3, 4]);
}

#[test]
fn members_are_muted_leave_and_return() {
    let mut table = Table::new(3);
    table.sit();
    table.listen(Ear::Conference);
    table.until_operator_hears(&[0, 1, 2]);
    table.seats[1].muted = true;
    table.sit();
    table.until_operator_hears(&[0, 2]);
    table.until_party_hears(0, true, &[2]);
    table.until_party_hears(1, true, &[0, 2]);
    table.seats[1].muted = false;
    let gone = table.seats.remove(0);
    table.sit();
    table.until_operator_hears(&[1, 2]);
    table.until_party_hears(1, true, &[2]);
    table.until_party_hears(0, false, &[]);
    table.seats.push(gone);
    table.sit();
    table.until_party_hears(1, true, &[0, 2]);
    table.until_party_hears(0, true, &[1, 2]);
    // One who hangs up is gone from the mix, and the others stay.
    table.desk.media.close(StreamId(2)).expect("taken");
    table.until_operator_hears(&[0, 1]);
    table.until_party_hears(1, true, &[0]);
}

#[test]
fn a_member_spoken_to_alone_is_out_of_the_conference_meanwhile() {
    let table = Table::new(3);
    table.sit();
    table.listen(Ear::Stream(StreamId(0)));
    table.until_operator_hears(&[0]);
    table.until_party_hears(0, true, &[]);
    table.until_party_hears(1, false, &[2]);
    table.listen(Ear::Conference);
    table.until_party_hears(0, true, &[1, 2]);
    table.until_party_hears(1, true, &[0, 2]);
}

#[test]
fn a_member_whose_far_end_holds_is_not_heard_and_not_sent_to() {
    let table = Table::new(3);
    table.sit();
    table.listen(Ear::Conference);
    table.until_operator_hears(&[0, 1, 2]);
    let port = table.parties[0].media.open(StreamId(50)).expect("ports");
    let mut away = remote(port, Codec::Opus);
    away.direction = Direction::Inactive;
    table.desk.media.connect(StreamId(0), away).expect("taken");
    table.until_operator_hears(&[1, 2]);
    table.until_party_hears(1, true, &[2]);
    assert!(rms(&table.parties[0].hear(0.5)) < 1.0);
}

#[test]
fn who_speaks_is_marked_and_who_is_muted_is_not() {
    let mut table = Table::new(2);
    table.sit();
    table.listen(Ear::Conference);
    let mut marked = BTreeSet::new();
    table.desk.wait("both are marked", |event| {
        if let Event::Speaking { stream, on: true } = event {
            marked.insert(stream);
        }
        (marked == BTreeSet::from([StreamId(0), StreamId(1)])).then_some(())
    });
    let change = |stream| {
        table.desk.wait("a mark changes", |event| match event {
            Event::Speaking { stream: of, on } => Some((of == stream, on)),
            _ => None,
        })
    };
    table.parties[0].media.mute_microphone(true).expect("taken");
    assert_eq!(change(StreamId(0)), (true, false));
    table.seats[1].muted = true;
    table.sit();
    assert_eq!(change(StreamId(1)), (true, false));
    table.parties[0].media.mute_microphone(false).expect("taken");
    assert_eq!(change(StreamId(0)), (true, true));
    table.desk.media.close(StreamId(0)).expect("taken");
    assert_eq!(change(StreamId(0)), (true, false));
}

#[test]
fn more_than_five_and_the_same_twice_are_refused() {
    let desk = Desk::new(None);
    let seat = |id| Seat { stream: StreamId(id), muted: false };
    let six: Vec<Seat> = (0..6).map(seat).collect();
    assert!(matches!(desk.media.conference(&six), Err(Error::Range { .. })));
    assert!(matches!(desk.media.conference(&[seat(1), seat(2), seat(1)]), Err(Error::Range { .. })));
    desk.media.conference(&six[..5]).expect("taken");
    desk.media.conference(&[]).expect("taken");
}
