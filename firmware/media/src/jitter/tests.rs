//! The buffer with a listener who takes 10 ms every 10 ms, and networks of all kinds.

use super::*;

/// One packet as the network delivered it; times in ms.
#[derive(Clone, Copy)]
struct Arrival {
    at: f64,
    number: u32,
}

/// A listener who takes 10 ms every 10 ms, as a stream does.
struct Listener {
    jitter: JitterBuffer,
    heard_ms: f64,
    played: Vec<u32>,
    quiet_ms: u32,
    depths: Vec<f64>,
    /// What it hears is no pause.
    loud: bool,
}

impl Stretch {
    fn in_a_pause(self) -> Stretch {
        match self {
            Stretch::ShortenPause => Stretch::Shorten,
            Stretch::LengthenPause => Stretch::Lengthen,
            other => other,
        }
    }
}

fn ms(value: f64) -> Duration {
    Duration::from_secs_f64(value / 1000.0)
}

impl Listener {
    fn new() -> Listener {
        let jitter = JitterBuffer::new(8000, false, |_| 0);
        Listener { jitter, heard_ms: 0.0, played: Vec::new(), quiet_ms: 0, depths: Vec::new(), loud: false }
    }

    /// 20 ms of G.711 whose payload is its own number.
    fn put(&mut self, at: f64, number: u32) {
        let timestamp = number.wrapping_mul(160).wrapping_add(u32::MAX - 1000);
        self.jitter.insert(ms(at), u64::from(number), timestamp, 160, &number.to_be_bytes());
    }

    fn tick(&mut self, now: f64) {
        while self.heard_ms < 10.0 {
            self.heard_ms += match self.jitter.pull(ms(now + self.heard_ms)) {
                Pull::Play { payload, stretch, .. } => {
                    self.played.push(u32::from_be_bytes(payload.try_into().expect("a number")));
                    let stretch = if self.loud { stretch } else { stretch.in_a_pause() };
                    if !matches!(stretch, Stretch::Keep | Stretch::ShortenPause | Stretch::LengthenPause) {
                        self.jitter.stretched();
                    }
                    match stretch {
                        Stretch::Keep | Stretch::ShortenPause | Stretch::LengthenPause => 20.0,
                        Stretch::Shorten => 12.0,
                        Stretch::Lengthen => 28.0,
                    }
                }
                Pull::Conceal { ms, .. } => f64::from(ms),
                Pull::Quiet { ms } => {
                    self.quiet_ms += ms;
                    f64::from(ms)
                }
            };
        }
        self.heard_ms -= 10.0;
        self.depths.push(self.jitter.depth_ms());
    }

    /// Plays until `end`, giving each packet when its time has come.
    fn run(&mut self, arrivals: &[Arrival], from: f64, end: f64) {
        let mut sorted = arrivals.to_vec();
        sorted.sort_by(|a, b| a.at.total_cmp(&b.at));
        let mut next = sorted.into_iter().peekable();
        let mut now = from;
        while now < end {
            while let Some(arrival) = next.next_if(|arrival| arrival.at <= now) {
                self.put(arrival.at, arrival.number);
            }
            self.tick(now);
            now += 10.0;
        }
    }

    fn depth_at(&self, now: f64) -> f64 {
        self.depths[(now / 10.0) as usize]
    }
}

/// `count` packets, one every 20 ms, each delayed as `delay` says (`None`: lost).
fn arrivals(count: u32, mut delay: impl FnMut(u32) -> Option<f64>) -> Vec<Arrival> {
    (0..count)
        .filter_map(|number| {
            delay(number).map(|d| Arrival { at: f64::from(number) * 20.0 + d + 3.0, number })
        })
        .collect()
}

struct Dice(u64);

impl Dice {
    /// 0.0..1.0
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn an_even_stream_starts_at_thirty_milliseconds_and_settles_at_twenty_within_a_second() {
    let mut listener = Listener::new();
    listener.run(&arrivals(500, |_| Some(0.0)), 0.0, 10_000.0);
    assert!((30..=60).contains(&listener.quiet_ms), "{}", listener.quiet_ms);
    assert!(listener.depth_at(1200.0) <= 33.0, "{}", listener.depth_at(1200.0));
    assert_eq!(listener.jitter.figures().late, 0);
    assert!(listener.jitter.figures().concealed_ms <= 40, "{:?}", listener.jitter.figures());
    assert_eq!(listener.played, (0..500).take(listener.played.len()).collect::<Vec<_>>());
    assert!(listener.played.len() >= 498);
}

#[test]
fn a_little_too_much_delay_is_given_back_in_the_next_pause() {
    let network = arrivals(500, |_| Some(0.0));
    let mut listener = Listener { loud: true, ..Listener::new() };
    listener.run(&network[..350], 0.0, 7000.0);
    let begun = listener.depth_at(6900.0);
    assert!((34.0..=45.0).contains(&begun), "nothing is given back in speech: {begun}");
    listener.loud = false;
    listener.run(&network[350..], 7000.0, 9000.0);
    assert!(listener.depth_at(7500.0) <= 33.0, "{}", listener.depth_at(7500.0));
    assert_eq!(listener.jitter.figures().late, 0);
}

#[test]
fn room_for_repair_is_kept_once_two_packets_were_lost() {
    let mut listener = Listener { jitter: JitterBuffer::new(8000, true, |_| 0), ..Listener::new() };
    listener.run(&arrivals(2500, |n| (n % 50 != 49 || n > 1000).then_some(0.0)), 0.0, 49_900.0);
    assert!(listener.depth_at(1900.0) <= 33.0, "{}", listener.depth_at(1900.0));
    let kept = &listener.depths[700..1900];
    assert!(kept.iter().all(|depth| *depth >= 36.0), "{:?}", kept.iter().copied().fold(99.0, f64::min));
    assert!(listener.depth_at(49_800.0) <= 33.0, "{}", listener.depth_at(49_800.0));
}

#[test]
fn jitter_of_sixty_milliseconds_is_learnt() {
    let mut dice = Dice(1);
    let mut listener = Listener::new();
    listener.run(&arrivals(1500, |_| Some(dice.roll() * 60.0)), 0.0, 30_000.0);
    let figures = listener.jitter.figures();
    assert!(figures.concealed_ms < 900 && figures.late < 30, "{figures:?}");
    let depth = listener.depth_at(20_000.0);
    assert!((50.0..=90.0).contains(&depth), "{depth}");
    // Nothing is heard twice or out of order.
    assert!(listener.played.windows(2).all(|w| w[0] < w[1]));
}

#[test]
fn lost_packets_are_made_up_for_exactly_their_time() {
    let mut listener = Listener::new();
    listener.run(&arrivals(1000, |n| (n % 20 != 7).then_some(0.0)), 0.0, 19_900.0);
    let concealed = listener.jitter.figures().concealed_ms;
    assert!((1000..=1080).contains(&concealed), "{concealed}");
    assert!(listener.played.len() >= 940);
    assert_eq!(listener.jitter.figures().late, 0);
}

#[test]
fn the_packet_after_a_hole_is_offered_for_error_correction() {
    let mut jitter = JitterBuffer::new(48_000, true, |_| 0);
    for number in [0_u32, 1, 3] {
        jitter.insert(Duration::ZERO, u64::from(number), number * 960, 960, &[number as u8]);
    }
    let mut seen = Vec::new();
    for tick in 4..8 {
        match jitter.pull(ms(f64::from(tick) * 20.0)) {
            Pull::Play { payload, .. } => seen.push((payload[0], 0)),
            Pull::Conceal { ms, next } => seen.push((next.map_or(99, |next| next[0] + 10), ms)),
            Pull::Quiet { .. } => seen.push((77, 0)),
        }
    }
    assert_eq!(seen, [(0, 0), (1, 0), (13, 20), (3, 0)]);
}

#[test]
fn reordered_and_doubled_packets_are_played_once_and_in_order() {
    let mut network = arrivals(500, |n| Some(if n % 10 == 4 { 25.0 } else { 0.0 }));
    network.extend(arrivals(500, |n| (n % 7 == 0).then_some(1.0)));
    let mut listener = Listener::new();
    listener.run(&network, 0.0, 10_000.0);
    assert!(listener.played.windows(2).all(|w| w[0] < w[1]));
    assert!(listener.played.len() >= 494, "{}", listener.played.len());
    assert!(listener.jitter.figures().duplicates > 30, "{:?}", listener.jitter.figures());
}

#[test]
fn a_spike_is_waited_for_and_its_delay_given_back() {
    // At 4 s the network holds everything for 200 ms and lets it go at once.
    let held = |n: u32| if (200..210).contains(&n) { 20.0 * f64::from(210 - n) } else { 0.0 };
    let mut listener = Listener::new();
    listener.run(&arrivals(800, |n| Some(held(n))), 0.0, 15_900.0);
    assert!(listener.played.len() >= 790, "{}", listener.played.len());
    assert!(listener.jitter.figures().concealed_ms <= 260, "{:?}", listener.jitter.figures());
    assert!(listener.depth_at(15_000.0) <= 50.0, "{}", listener.depth_at(15_000.0));
}

#[test]
fn a_longer_way_is_no_jitter() {
    let mut listener = Listener::new();
    listener.run(&arrivals(450, |n| Some(if n < 200 { 0.0 } else { 100.0 })), 0.0, 8900.0);
    // The first of them are late, the quickest of the last seconds is not known to be gone; then it is.
    let last = &listener.depths[860..880];
    let depth = last.iter().copied().fold(0.0, f64::max);
    assert!((20.0..=33.0).contains(&depth), "{last:?}");
}

#[test]
fn old_packets_that_were_overtaken_do_not_begin_anything_anew() {
    let mut network = arrivals(300, |n| (!(100..104).contains(&n)).then_some(0.0));
    network.extend((100..104).map(|number| Arrival { at: 2300.0, number }));
    let mut listener = Listener::new();
    listener.run(&network, 0.0, 5900.0);
    let figures = listener.jitter.figures();
    assert_eq!(figures.late, 4);
    assert!(listener.quiet_ms <= 60 && figures.concealed_ms <= 120, "{} {figures:?}", listener.quiet_ms);
    assert!(listener.played.len() >= 288, "{}", listener.played.len());
}

#[test]
fn a_second_at_once_is_skipped_until_pauses_can_make_up_for_the_rest() {
    let held = |n: u32| if n < 50 { 20.0 * f64::from(50 - n) } else { 0.0 };
    let mut listener = Listener { loud: true, ..Listener::new() };
    let network = arrivals(500, |n| Some(held(n)));
    listener.run(&network[..100], 0.0, 2000.0);
    let (skipped, depth) = (listener.played[0], listener.depth_at(1900.0));
    assert!((34..=40).contains(&skipped), "{skipped}");
    assert!((240.0..=310.0).contains(&depth), "{depth}");
    listener.loud = false;
    listener.run(&network[100..], 2000.0, 4000.0);
    assert!(listener.depth_at(2900.0) <= 40.0, "{}", listener.depth_at(2900.0));
    assert!(listener.played.windows(2).skip(1).all(|w| w[1] == w[0] + 1), "only once");
}

#[test]
fn what_is_left_out_ends_where_least_is_said() {
    // The packets themselves say how loud they are; number 33 and the one before it are the least of those near enough.
    let loudness = |payload: &[u8]| match u32::from_be_bytes(payload.try_into().unwrap_or_default()) {
        number @ (20 | 21 | 32 | 33 | 45 | 46) => number / 10,
        number => 1000 - number,
    };
    let held = |n: u32| if n < 50 { 20.0 * f64::from(50 - n) } else { 0.0 };
    let jitter = JitterBuffer::new(8000, false, loudness);
    let mut listener = Listener { loud: true, jitter, ..Listener::new() };
    listener.run(&arrivals(100, |n| Some(held(n))), 0.0, 2000.0);
    assert_eq!(listener.played, (33..33 + listener.played.len() as u32).collect::<Vec<_>>());
}

#[test]
fn speech_without_a_pause_is_shortened_in_the_end() {
    let held = |n: u32| if n < 50 { 20.0 * f64::from(50 - n) } else { 0.0 };
    let mut listener = Listener { loud: true, ..Listener::new() };
    listener.run(&arrivals(700, |n| Some(held(n))), 0.0, 13_900.0);
    assert!((240.0..=310.0).contains(&listener.depth_at(5500.0)), "{}", listener.depth_at(5500.0));
    assert!(listener.depth_at(13_000.0) <= 66.0, "{}", listener.depth_at(13_000.0));
}

#[test]
fn a_lasting_change_of_route_is_followed() {
    let mut listener = Listener::new();
    listener.run(&arrivals(1500, |n| Some(if n < 500 { 0.0 } else { 120.0 })), 0.0, 30_000.0);
    let missing = 1500 - listener.played.len();
    assert!(missing <= 12, "{missing} not played");
    assert!(listener.depth_at(29_000.0) <= 40.0, "{}", listener.depth_at(29_000.0));
}

#[test]
fn clocks_that_differ_by_500_ppm_never_lead_to_a_hole() {
    for ppm in [-500.0, 500.0] {
        let mut listener = Listener::new();
        let late = |n: u32| f64::from(n) * 20.0 * ppm / 1e6;
        listener.run(&arrivals(6000, |n| Some(late(n) + 100.0)), 0.0, 119_900.0);
        let figures = listener.jitter.figures();
        assert!(figures.late == 0 && figures.concealed_ms <= 120, "{ppm}: {figures:?}");
        assert!(listener.depth_at(119_000.0) <= 45.0, "{ppm}: {}", listener.depth_at(119_000.0));
    }
}

#[test]
fn a_pause_is_silence_and_speech_after_it_is_whole() {
    let speaks = |n: &u32| (0..100).contains(n) || (200..300).contains(n) || (330..400).contains(n);
    // The sender's sequence goes on without a hole while its timestamps count the pause.
    let network: Vec<u32> = (0..400).filter(speaks).collect();
    let mut listener = Listener::new();
    let mut now = 0.0;
    let mut sent = 0;
    while now < 8300.0 {
        if let Some(&number) = network.get(sent)
            && f64::from(number) * 20.0 <= now
        {
            let stamp = number * 160;
            listener.jitter.insert(ms(now), sent as u64, stamp, 160, &number.to_be_bytes());
            sent += 1;
        }
        listener.tick(now);
        now += 10.0;
    }
    assert_eq!(listener.played.len(), network.len());
    assert!(listener.jitter.figures().concealed_ms <= 1600, "{:?}", listener.jitter.figures());
}

#[test]
fn a_new_time_base_is_taken_at_once() {
    for jump in [50_000_000_u32, 50_000_000_u32.wrapping_neg()] {
        let mut jitter = JitterBuffer::new(8000, false, |_| 0);
        let mut played = 0;
        for number in 0..200_u32 {
            let base = if number < 100 { 7 } else { jump };
            let now = ms(f64::from(number) * 20.0);
            jitter.insert(now, u64::from(number), base.wrapping_add(number * 160), 160, &[1]);
            if let Pull::Play { .. } = jitter.pull(now) {
                played += 1;
            }
        }
        assert!(played >= 190, "{jump}: {played}");
    }
}

#[test]
fn anything_at_all_stays_within_bounds() {
    let mut dice = Dice(9);
    let mut jitter = JitterBuffer::new(48_000, true, |_| 0);
    let mut now = 0.0;
    for n in 0..100_000_u64 {
        now += dice.roll() * 5.0;
        let wild = dice.roll() < 0.1;
        let timestamp = if wild { (dice.roll() * 4e9) as u32 } else { (now * 48.0) as u32 };
        let units = 1 + (dice.roll() * 5760.0) as u32;
        jitter.insert(ms(now), (dice.roll() * 1e5) as u64, timestamp, units, &[n as u8; 10]);
        if dice.roll() < 0.3 {
            let _ = jitter.pull(ms(now + dice.roll() * 20.0));
        }
        assert!(jitter.packets.len() <= MAX_PACKETS);
    }
}

/// Third-party arrival traces (pjsip's Jbtest.dat), tested in place where they are. `P` puts a packet, `G`
/// gets 20 ms, `L` loses one, `D` doubles one, `O` repeats an old one, `R` and `J` jump the numbering.
#[test]
#[allow(clippy::print_stderr, reason = "says that the traces are absent")]
fn recorded_arrival_patterns_keep_their_limits() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/jitter/Jbtest.dat");
    let path = std::env::var("FRONTDESK_JITTER").unwrap_or_else(|_| beside.to_owned());
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("NOT TESTED: no arrival traces at {path}; FRONTDESK_JITTER names another place");
        return;
    };
    let mut sessions = 0;
    for session in text.split("\n= ").skip(1) {
        let (name, rest) = session.split_once('\n').unwrap_or((session, ""));
        // Fixed mode keeps a given delay, which this buffer does not offer.
        if !rest.contains("%adaptive") {
            continue;
        }
        sessions += 1;
        trace(name, rest);
    }
    assert!(sessions >= 10, "{sessions} sessions");
}

fn trace(name: &str, text: &str) {
    let mut limits: BTreeMap<&str, f64> = BTreeMap::new();
    let (mut listener, mut number, mut sent, mut now) = (Listener::new(), 0_u32, 0_u32, 0.0);
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default()) {
        if line.starts_with('.') {
            break;
        }
        if let Some(limit) = line.strip_prefix('!') {
            let mut words = limit.split_whitespace();
            let limit = (words.next(), words.next().and_then(|n| n.parse().ok()));
            if let (Some(what), Some(frames)) = limit {
                limits.insert(what, frames);
            }
            continue;
        }
        if line.starts_with('%') {
            continue;
        }
        for event in line.chars() {
            match event {
                'P' => {
                    listener.put(now, number);
                    number += 1;
                    sent += 1;
                }
                'L' => number += 1,
                'D' => listener.put(now, number.saturating_sub(1)),
                'O' => listener.put(now, number.saturating_sub(5)),
                'R' => number += 30_000,
                'J' => number += 20,
                'G' => {
                    listener.tick(now);
                    listener.tick(now + 10.0);
                    now += 20.0;
                }
                _ => {}
            }
        }
    }
    let limit = |what: &str| limits.get(what).copied().unwrap_or(0.0);
    let unplayed = f64::from(sent) - listener.played.len() as f64;
    // Up to three packets still wait at the end, and far too much delay is skipped a little sooner here.
    assert!(unplayed <= 1.15 * limit("discard").max(limit("lost")) + 3.0, "{name}: {unplayed} not played");
    // The last trace swings by 200 ms for ever; 97 % of its packets shall be in time, not all.
    let empty = if name.starts_with("Large PUT burst") { 130.0 } else { limit("empty") + limit("lost") };
    let concealed = listener.jitter.figures().concealed_ms as f64 / 20.0;
    assert!(concealed <= empty, "{name}: {concealed} frames made up");
    // The limits count packets waiting; the depth here begins at the quickest arrival, so is always more.
    let depth = listener.depths.iter().sum::<f64>() / listener.depths.len() as f64 / 20.0;
    assert!(depth <= limit("delay").max(limit("delay_min")) + 7.0, "{name}: {depth} frames deep");
}
