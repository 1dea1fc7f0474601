//! The table of figures that `make bench`, `make soak` and `make chaos` print, and the same as a JSON file
//! in `target/reports`: what was measured, its bar, whether it holds.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::repository;

/// One figure: what was measured, its bar, whether it holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    figure: String,
    unit: String,
    /// By name: `median`, `p99`, `max`, or what the figure is.
    measured: BTreeMap<String, f64>,
    /// Which of the measured values the bar is about, and its limit.
    bar: Option<Bar>,
    /// Why there is no measurement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How the figure was taken, where its name does not say it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    holds: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bar {
    of: String,
    #[serde(flatten)]
    limit: Limit,
}

/// Serialised as `"at_most": 5.0` or `"at_least": 5.0`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    /// Durations in `unit` (`ms` or `µs`): fastest, median, p99 and max; the bar is about `of`.
    ///
    /// # Panics
    /// Without a sample.
    pub fn times(
        figure: impl Into<String>,
        unit: Unit,
        samples: &[Duration],
        of: &'static str,
        bar: f64,
    ) -> Self {
        assert!(!samples.is_empty(), "nothing was measured");
        let mut sorted: Vec<f64> = samples.iter().map(|took| unit.of(*took)).collect();
        sorted.sort_by(f64::total_cmp);
        let measured = [("fastest", 0.0), ("median", 0.5), ("p99", 0.99), ("max", 1.0)];
        let measured = measured.map(|(name, share)| (name, quantile(&sorted, share)));
        Self::of(figure, unit.name(), &measured, of, bar)
    }

    /// Durations without a bar, to compare others with.
    ///
    /// # Panics
    /// Without a sample.
    pub fn beside(figure: impl Into<String>, unit: Unit, samples: &[Duration]) -> Self {
        Self { bar: None, holds: true, ..Self::times(figure, unit, samples, "max", f64::INFINITY) }
    }

    /// Named values in `unit` without a bar.
    #[must_use]
    pub fn told(figure: impl Into<String>, unit: &'static str, values: &[(&'static str, f64)]) -> Self {
        let (figure, note) = (figure.into(), String::new());
        Self {
            figure,
            unit: unit.to_owned(),
            measured: by_name(values),
            bar: None,
            error: None,
            note,
            holds: true,
        }
    }

    /// Named values in `unit`; the bar is about `of`.
    ///
    /// # Panics
    /// When no value is called `of`.
    pub fn of(
        figure: impl Into<String>,
        unit: &'static str,
        values: &[(&'static str, f64)],
        of: &'static str,
        at_most: f64,
    ) -> Self {
        Self::within(figure, unit, values, Bar { of: of.to_owned(), limit: Limit::AtMost(at_most) })
    }

    /// Likewise; the bar is the least that `of` may be.
    ///
    /// # Panics
    /// When no value is called `of`.
    #[must_use]
    pub fn at_least(
        figure: impl Into<String>,
        unit: &'static str,
        values: &[(&'static str, f64)],
        of: &'static str,
        at_least: f64,
    ) -> Self {
        Self::within(figure, unit, values, Bar { of: of.to_owned(), limit: Limit::AtLeast(at_least) })
    }

    /// How many there are of something that there must be none of.
    #[must_use]
    pub fn none(figure: impl Into<String>, count: usize) -> Self {
        Self::of(figure, "", &[("count", count as f64)], "count", 0.0)
    }

    fn within(
        figure: impl Into<String>,
        unit: &'static str,
        values: &[(&'static str, f64)],
        bar: Bar,
    ) -> Self {
        let measured = by_name(values);
        let holds = match bar.limit {
            Limit::AtMost(limit) => measured[&bar.of] <= limit,
            Limit::AtLeast(limit) => measured[&bar.of] >= limit,
        };
        let (figure, bar) = (figure.into(), Some(bar));
        Self { figure, unit: unit.to_owned(), measured, bar, error: None, note: String::new(), holds }
    }

    /// A figure that could not be taken; it does not hold.
    pub fn failed(figure: &str, error: String) -> Self {
        let measured = BTreeMap::new();
        let (figure, error) = (figure.to_owned(), Some(error));
        Self { figure, unit: String::new(), measured, bar: None, error, note: String::new(), holds: false }
    }

    /// Says how the figure was taken.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    /// Whether it is within its bar.
    pub fn holds(&self) -> bool {
        self.holds
    }

    fn measured(&self) -> String {
        if let Some(error) = &self.error {
            return format!("not measured: {}", error.lines().next().unwrap_or_default());
        }
        // In reading order, not by the alphabet.
        let known = ["resident", "fastest", "median", "p99", "max"];
        let order = |name: &str| known.iter().position(|known| *known == name);
        let mut values: Vec<(&str, f64)> =
            self.measured.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        values.sort_by_key(|(name, _)| order(name).unwrap_or(usize::MAX));
        let value = |(name, value): &(&str, f64)| format!("{name} {}", rounded(*value));
        format!("{} {}", values.iter().map(value).collect::<Vec<_>>().join("  "), self.unit)
    }

    fn bar(&self) -> String {
        let Some(Bar { of, limit }) = &self.bar else { return String::new() };
        let (sign, limit) = match *limit {
            Limit::AtMost(limit) => ("≤", limit),
            Limit::AtLeast(limit) => ("≥", limit),
        };
        format!("{of} {sign} {} {}", rounded(limit), self.unit)
    }
}

/// What durations are told in.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
}

impl Unit {
    fn of(self, took: Duration) -> f64 {
        match self {
            Self::Milliseconds => took.as_secs_f64() * 1e3,
            Self::Microseconds => took.as_secs_f64() * 1e6,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
        }
    }
}

/// Prints the table: figure, measured, bar, holds.
pub fn print(rows: &[Row]) {
    let cells: Vec<[String; 4]> = rows
        .iter()
        .map(|row| {
            [row.figure.clone(), row.measured(), row.bar(), if row.holds { "yes" } else { "NO" }.into()]
        })
        .collect();
    let head = ["figure", "measured", "bar", "holds"].map(str::to_owned);
    let width = |column: usize| cells.iter().chain([&head]).map(|row| row[column].chars().count()).max();
    let widths = [0, 1, 2].map(|column| width(column).unwrap_or_default());
    for [figure, measured, bar, holds] in [&head].into_iter().chain(&cells) {
        let [a, b, c] = widths;
        println!("{figure:<a$}  {measured:<b$}  {bar:<c$}  {holds}");
    }
}

/// Writes `target/reports/<name>.json`.
///
/// # Errors
/// The file cannot be written.
pub fn write(name: &str, rows: &[Row]) -> io::Result<()> {
    fs::create_dir_all(repository::reports())?;
    let text = serde_json::to_string_pretty(rows)?;
    fs::write(repository::reports().join(name).with_extension("json"), text + "\n")
}

/// Writes a report that is a table of its own kind: `target/reports/<name>.txt`.
///
/// # Errors
/// The file cannot be written.
pub fn write_text(name: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(repository::reports())?;
    fs::write(repository::reports().join(name).with_extension("txt"), text)
}

/// The figures of a file that [`write`] made, as a table in Markdown, and how many of them hold.
///
/// # Errors
/// It is no such file.
pub fn markdown(json: &str) -> serde_json::Result<(String, usize, usize)> {
    let rows: Vec<Row> = serde_json::from_str(json)?;
    let mut text = "| figure | measured | bar | holds |\n|---|---|---|---|\n".to_owned();
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for row in &rows {
        let note =
            if row.note.is_empty() { String::new() } else { format!("<br><small>{}</small>", row.note) };
        let holds = match (row.holds, &row.bar) {
            (false, _) => "**no**",
            (true, Some(_)) => "yes",
            (true, None) => "–",
        };
        let figure = cell(&format!("{}{note}", row.figure));
        text += &format!("| {figure} | {} | {} | {holds} |\n", cell(&row.measured()), cell(&row.bar()));
    }
    let held = rows.iter().filter(|row| row.holds).count();
    Ok((text, held, rows.len()))
}

/// Runs one group of measurements; should it panic, a row that does not hold says so.
pub fn guarded(name: &str, rows: &mut Vec<Row>, measure: impl FnOnce(&mut Vec<Row>)) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| measure(rows))) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
        rows.push(Row::failed(&format!("the rest of `{name}`"), text.to_owned()));
    }
}

/// The end of a report: its table, the machine, the file [`write`] makes, and the last line.
#[must_use]
pub fn publish(name: &str, rows: &[Row]) -> ExitCode {
    print(rows);
    println!("\n{}", machine());
    if let Err(error) = write(name, rows) {
        eprintln!("the report cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    conclude(rows)
}

/// The last line, `N passed, N failed`: success only when there are figures and every bar holds.
#[must_use]
pub fn conclude(rows: &[Row]) -> ExitCode {
    let failed = rows.iter().filter(|row| !row.holds()).count();
    println!("{} passed, {failed} failed", rows.len() - failed);
    if failed == 0 && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the figures were taken on: a busy machine measures slow.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    format!("{cores} cores, load of the last minute {load}")
}

fn by_name(values: &[(&'static str, f64)]) -> BTreeMap<String, f64> {
    values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// The value at `share` of the sorted samples; rounding the rank up keeps it on the safe side.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Three digits that matter.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_sample_and_never_below_its_share() {
        let sorted: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|share| quantile(&sorted, share)), [100.0, 198.0, 200.0]);
        assert_eq!(quantile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn a_figure_holds_up_to_its_bar_and_not_beyond() {
        let samples = [Duration::from_millis(1), Duration::from_millis(5)];
        assert!(Row::times("x", Unit::Milliseconds, &samples, "max", 5.0).holds());
        assert!(!Row::times("x", Unit::Milliseconds, &samples, "max", 4.9).holds());
        assert!(Row::times("x", Unit::Microseconds, &samples, "median", 1000.0).holds());
        assert!(!Row::failed("x", "broken".into()).holds());
        assert!(Row::at_least("x", "", &[("n", 3.0)], "n", 3.0).holds());
        assert!(!Row::at_least("x", "", &[("n", 2.0)], "n", 3.0).holds());
        assert!(Row::none("x", 0).holds() && !Row::none("x", 1).holds());
    }

    #[test]
    fn a_panic_is_a_row_that_does_not_hold() {
        let mut rows = Vec::new();
        guarded("x", &mut rows, |rows| {
            rows.push(Row::none("first", 0));
            panic!("no desk");
        });
        assert!(rows[0].holds() && !rows[1].holds());
        assert_eq!(rows[1].measured(), "not measured: no desk");
    }

    #[test]
    fn the_report_has_the_words_of_the_table() {
        let row = Row::of("memory", "MiB", &[("resident", 12.34)], "resident", 64.0);
        assert_eq!((row.measured(), row.bar()), ("resident 12.3 MiB".into(), "resident ≤ 64 MiB".into()));
        let json = serde_json::to_value(&row).map(|json| json["bar"]["at_most"].as_f64());
        assert_eq!(json.ok().flatten(), Some(64.0));
    }

    #[test]
    fn a_written_report_becomes_a_table_again() {
        let rows = [
            Row::of("memory | all", "MiB", &[("resident", 80.0)], "resident", 64.0).note("idle"),
            Row::told("calls", "", &[("count", 3.0)]),
            Row::failed("x", "broken".into()),
        ];
        let (text, held, all) = markdown(&serde_json::to_string(&rows).unwrap()).unwrap();
        assert_eq!((held, all), (1, 3));
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                r"| memory \| all<br><small>idle</small> | resident 80 MiB | resident ≤ 64 MiB | **no** |",
                "| calls | count 3  |  | – |",
                "| x | not measured: broken |  | **no** |",
            ]
        );
        assert!(markdown("{}").is_err());
    }
}
