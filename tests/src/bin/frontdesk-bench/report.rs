//! The table that `make bench` prints, and the same as `target/reports/bench.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use frontdesk_tests::repository;
use serde::Serialize;

/// One figure: what was measured, its bar, whether it holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    figure: String,
    unit: &'static str,
    /// By name: `median`, `p99`, `max`, or what the figure is.
    measured: BTreeMap<&'static str, f64>,
    /// Which of the measured values the bar is about, and the most that it may be.
    bar: Option<Bar>,
    /// Why there is no measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How the figure was taken, where its name does not say it all.
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    holds: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Bar {
    of: &'static str,
    at_most: f64,
}

impl Row {
    /// Durations in `unit` (`ms` or `µs`): fastest, median, p99 and max; the bar is about `of`.
    ///
    /// # Panics
    /// Without a sample.
    pub(crate) fn times(
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

    /// Named values in `unit`; the bar is about `of`.
    ///
    /// # Panics
    /// When no value is called `of`.
    pub(crate) fn of(
        figure: impl Into<String>,
        unit: &'static str,
        values: &[(&'static str, f64)],
        of: &'static str,
        at_most: f64,
    ) -> Self {
        let measured: BTreeMap<&str, f64> = values.iter().copied().collect();
        let holds = measured[of] <= at_most;
        let bar = Some(Bar { of, at_most });
        Self { figure: figure.into(), unit, measured, bar, error: None, note: String::new(), holds }
    }

    /// A figure that could not be taken; it does not hold.
    pub(crate) fn failed(figure: &str, error: String) -> Self {
        let measured = BTreeMap::new();
        let (figure, error) = (figure.to_owned(), Some(error));
        Self { figure, unit: "", measured, bar: None, error, note: String::new(), holds: false }
    }

    /// Says how the figure was taken.
    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.note = text.into();
        self
    }

    /// Whether it is within its bar.
    pub(crate) fn holds(&self) -> bool {
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
            self.measured.iter().map(|(name, value)| (*name, *value)).collect();
        values.sort_by_key(|(name, _)| order(name).unwrap_or(usize::MAX));
        let value = |(name, value): &(&str, f64)| format!("{name} {}", rounded(*value));
        format!("{} {}", values.iter().map(value).collect::<Vec<_>>().join("  "), self.unit)
    }

    fn bar(&self) -> String {
        self.bar
            .map_or_else(String::new, |bar| format!("{} ≤ {} {}", bar.of, rounded(bar.at_most), self.unit))
    }
}

/// What durations are told in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
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
pub(crate) fn print(rows: &[Row]) {
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

/// Writes `target/reports/bench.json`.
pub(crate) fn write(rows: &[Row]) -> io::Result<()> {
    fs::create_dir_all(repository::reports())?;
    let text = serde_json::to_string_pretty(rows)?;
    fs::write(repository::reports().join("bench.json"), text + "\n")
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
    }

    #[test]
    fn the_report_has_the_words_of_the_table() {
        let row = Row::of("memory", "MiB", &[("resident", 12.34)], "resident", 64.0);
        assert_eq!((row.measured(), row.bar()), ("resident 12.3 MiB".into(), "resident ≤ 64 MiB".into()));
        let json = serde_json::to_value(&row).map(|json| json["bar"]["at_most"].as_f64());
        assert_eq!(json.ok().flatten(), Some(64.0));
    }
}
