//! What is wished of the report, and how it goes: all codecs at once, network after network, as often as wished; what was
//! recorded is judged when nobody listens any more.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use super::appliance;
use super::network::Network;
use super::score::{Judge, Score};
use super::speech::{BEGINNINGS, speech};
use super::stage::{Played, Stage};
use super::table::{self, Noise, Row};
use crate::house;
use crate::report;
use crate::telephone::Codec;

/// Where the dice begin; in each round elsewhere.
const SEED: u64 = 20_260_101;
/// A network is played again, at most so often in all, when a packet left so long after its time.
const TRIES: u32 = 3;
const LATE: Duration = Duration::from_millis(8);

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Over which codecs.
    pub codecs: Vec<Codec>,
    /// Only networks whose name has one of these words; all where there is none.
    pub networks: Vec<String>,
    /// How often each; the speech begins with another of its four sentences each time, so that what happens on the way
    /// happens to other words, and to pauses.
    pub repeats: usize,
    /// ViSQOL's opinion too, which takes longer than all the rest: minutes for each recording.
    pub visqol: bool,
    /// The whole appliance too.
    pub appliance: bool,
}

impl Default for Wish {
    fn default() -> Self {
        let codecs = vec![Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];
        Self { codecs, networks: Vec::new(), repeats: BEGINNINGS, visqol: false, appliance: true }
    }
}

impl Wish {
    fn networks(&self, packets: usize, round: usize) -> Vec<Network> {
        let all = Network::of_loss(packets, SEED + 1000 * round as u64)
            .into_iter()
            .chain(Network::recorded(packets));
        let wished = |network: &Network| {
            self.networks.is_empty() || self.networks.iter().any(|word| network.name.contains(word.as_str()))
        };
        all.filter(wished).collect()
    }
}

/// Measures and prints; success only when no row fails.
///
/// # Panics
/// When something that it needs is not there, or does not come up.
#[allow(clippy::print_stdout, reason = "a report is printed")]
pub fn run(wish: &Wish) -> ExitCode {
    let scratch = house::scratch();
    let first = speech(scratch.path(), 0);
    let realtime = may_be_realtime();
    // One for each codec, who judge side by side.
    let start = |_: &Codec| Judge::start(scratch.path(), &first, wish.visqol);
    let mut judges: Vec<Judge> = wish.codecs.iter().map(start).collect();
    println!(
        "{:.1} s of speech by espeak-ng, 4 voices, English and French, at -26 dBov",
        first.len() as f64 / 48e3
    );
    let tools = judges.first().map_or("nobody", |judge| &judge.tools);
    println!("judged by {tools}; delay by cross-correlation");
    println!(
        "baresip {}, player aubridge, scheduled {}",
        version(),
        if realtime { "like ours (SCHED_FIFO)" } else { "by nobody" }
    );
    println!(
        "  `default`: jitter_buffer_delay 5-10, audio_buffer 20-160; `plc`: likewise with its module plc.so"
    );
    if Network::recorded(1).is_empty() {
        println!(
            "NOT MEASURED: no arrival traces beside the repository; FRONTDESK_JITTER names another place"
        );
    }
    // A loudspeaker does not wait for a disk; what stands for one shall not either, ours or theirs.
    let ears = house::scratch_in_memory();
    let mut stages: Vec<Stage> =
        wish.codecs.iter().map(|codec| Stage::build(ears.path(), *codec, &first, realtime)).collect();
    let mut rows = Vec::new();
    let mut late = Duration::ZERO;
    for round in 0..wish.repeats {
        println!("round {} of {}; {}", round + 1, wish.repeats, report::machine());
        let folder = scratch.path().join(format!("round-{round}"));
        let speech = speech(scratch.path(), round);
        stages.iter_mut().for_each(|stage| stage.learn(&speech));
        let played: Vec<Vec<(Network, Played)>> = thread::scope(|scope| {
            let each = stages.iter_mut().zip(&wish.codecs);
            let threads: Vec<_> = each
                .map(|(stage, codec)| scope.spawn(|| perform(stage, *codec, wish, round, &folder)))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a stage that played to its end")).collect()
        });
        let judged: Vec<Vec<Vec<Score>>> = thread::scope(|scope| {
            let each = judges.iter_mut().zip(&played);
            let judge = |(judge, all): (&mut Judge, &Vec<(Network, Played)>)| -> Vec<Vec<Score>> {
                all.iter()
                    .map(|(_, played)| played.takes.iter().map(|take| judge.judge(take)).collect())
                    .collect()
            };
            let threads: Vec<_> = each.map(|pair| scope.spawn(move || judge(pair))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a judge that heard all")).collect()
        });
        for ((codec, all), scores) in wish.codecs.iter().zip(played).zip(judged) {
            for ((network, played), scores) in all.into_iter().zip(scores) {
                late = late.max(played.late);
                let known = rows
                    .iter_mut()
                    .find(|row: &&mut Row| row.codec == *codec && row.network.name == network.name);
                match known {
                    Some(row) => row.scores.push(scores),
                    None => rows.push(Row {
                        codec: *codec,
                        network,
                        scores: vec![scores],
                        counted: played.counted,
                    }),
                }
            }
        }
        if std::env::var_os("FRONTDESK_KEEP").is_none() {
            // A round has a gigabyte, and has been judged. What cannot be removed goes with the scratch folder.
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
    drop(stages);
    let noise = |row: &Row| noise(&rows, row);
    let mut text = table::text(&rows, noise);
    println!("\n{text}");
    println!("the latest packet of all left {late:.1?} after its time; {}", report::machine());
    let mut held: Vec<bool> = rows.iter().map(|row| row.holds(&noise(row))).collect();
    if let Some(judge) = judges.first_mut().filter(|_| wish.appliance) {
        let through = appliance::measure(scratch.path(), &first, judge);
        println!("through the whole appliance: {}", through.words());
        text += &format!("\nthrough the whole appliance: {}\n", through.words());
        held.push(through.both_ms <= appliance::BAR_MS);
    }
    let failed = held.iter().filter(|holds| !**holds).count();
    let sum = format!("{} passed, {failed} failed", held.len() - failed);
    println!("{sum}");
    // A choice of rows is for whoever works on them.
    if wish.networks.is_empty()
        && wish.codecs == Wish::default().codecs
        && let Err(error) = report::write_text("audio-report", &format!("{text}\n{sum}\n"))
    {
        println!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    if failed == 0 && !held.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What varies in rows of the same kind: where nothing is lost on the way, where something is, and in the traces.
fn noise(rows: &[Row], row: &Row) -> Noise {
    let kind = |row: &Row| (row.network.lossy, row.network.name.starts_with("trace"));
    let alike: Vec<&Row> = rows.iter().filter(|other| kind(other) == kind(row)).collect();
    Noise::of(&alike)
}

/// Whether a program may be started with real-time scheduling here.
pub(super) fn may_be_realtime() -> bool {
    Command::new("chrt").args(["-f", "45", "true"]).status().is_ok_and(|status| status.success())
}

fn version() -> String {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "baresip-core"]).output();
    output.map_or_else(
        |_| "of an unknown version".into(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

fn perform(
    stage: &mut Stage,
    codec: Codec,
    wish: &Wish,
    round: usize,
    folder: &Path,
) -> Vec<(Network, Played)> {
    let networks = wish.networks(stage.packets(), round);
    let each = networks.into_iter().enumerate();
    each.map(|(n, network)| {
        let folder = folder.join(format!("{}-{n}", codec.name()));
        let mut played = stage.play(&network, &folder);
        // It was another network when the machine stood still meanwhile.
        for _ in 1..TRIES {
            if played.late <= LATE {
                break;
            }
            played = stage.play(&network, &folder);
        }
        (network, played)
    })
    .collect()
}
