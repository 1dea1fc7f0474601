//! Charts as SVG in the page, without scripts and without styles of their own: places across are shares of the width,
//! so that a chart fits a telephone and a wall; colours are classes of the style sheet.
//!
//! A chart says for those who hear the page what it is about; its figures are in a table beside it.

use maud::{Markup, html};

/// Height of the bars' ground, in pixels.
const PLOT: f64 = 170.0;
/// Room above it, for the highest line's label.
const ABOVE: f64 = 18.0;
/// Room below it, for the labels.
const BELOW: f64 = 26.0;

/// Room on the left for the scale, in shares of the width.
const GUTTER: f64 = 4.0;

/// A column: calls that came in, of which some were answered, and calls that went out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    /// Below the column; may be empty.
    pub(crate) label: String,
    /// Shown where somebody points at it.
    pub(crate) title: String,
    pub(crate) answered: u64,
    pub(crate) unanswered: u64,
    pub(crate) outgoing: u64,
}

/// Columns side by side, with a scale.
pub(crate) fn columns(id: &str, title: &str, columns: &[Column]) -> Markup {
    let most = columns.iter().map(|c| (c.answered + c.unanswered).max(c.outgoing)).max().unwrap_or(0);
    let top = round_up(most);
    let base = ABOVE + PLOT;
    let high = |count: u64| count as f64 / top as f64 * PLOT;
    let one = (100.0 - GUTTER) / columns.len().max(1) as f64;
    let title_id = format!("{id}-title");
    html! {
        svg.chart id=(id) role="img" aria-labelledby=(title_id) width="100%" height=(base + BELOW) {
            title id=(title_id) { (title) }
            @for part in [top, top / 2] {
                @let y = base - high(part);
                line.grid x1="0" x2="100%" y1=(pixels(y)) y2=(pixels(y)) {}
            }
            @for (n, column) in columns.iter().enumerate() {
                @let left = GUTTER + n as f64 * one;
                @let (answered, unanswered) = (high(column.answered), high(column.unanswered));
                g {
                    title { (column.title) }
                    (bar("answered", left + one * 0.12, one * 0.38, base - answered, answered))
                    (bar("unanswered", left + one * 0.12, one * 0.38, base - answered - unanswered, unanswered))
                    (bar("outgoing", left + one * 0.54, one * 0.34, base - high(column.outgoing), high(column.outgoing)))
                }
                @if !column.label.is_empty() {
                    text.label x=(share(left + one * 0.5)) y=(pixels(base + 18.0)) text-anchor="middle" { (column.label) }
                }
            }
            // Last, so that no bar hides it.
            @for part in [top, top / 2] {
                text.scale x="0" y=(pixels(base - high(part) - 4.0)) { (part) }
            }
            line.base x1="0" x2="100%" y1=(pixels(base)) y2=(pixels(base)) {}
        }
    }
}

/// One bar across, a share of the longest; beside a figure that says the same, so nobody needs to hear it.
pub(crate) fn across(part: u64, most: u64) -> Markup {
    let wide = part as f64 * 100.0 / most.max(1) as f64;
    html! {
        svg.across aria-hidden="true" width="100%" height="8" {
            rect.ground x="0" y="0" width="100%" height="8" {}
            rect.outgoing x="0" y="0" width=(share(wide)) height="8" {}
        }
    }
}

fn bar(class: &str, left: f64, wide: f64, y: f64, high: f64) -> Markup {
    html! {
        @if high > 0.0 { rect.(class) x=(share(left)) width=(share(wide)) y=(pixels(y)) height=(pixels(high)) {} }
    }
}

fn share(percent: f64) -> String {
    format!("{percent:.2}%")
}

fn pixels(length: f64) -> String {
    format!("{length:.1}")
}

/// The end of the scale: even, round, and at least as much.
fn round_up(most: u64) -> u64 {
    if most <= 10 {
        return most.next_multiple_of(2).max(2);
    }
    let mut unit = 1_u64;
    loop {
        for step in [12, 16, 20, 30, 40, 50, 60, 80, 100] {
            if unit.saturating_mul(step) >= most {
                return unit.saturating_mul(step);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sta_1_a_scale_ends_at_a_round_number_that_is_not_exceeded() {
        for (most, top) in [
            (0, 2),
            (1, 2),
            (3, 4),
            (7, 8),
            (10, 10),
            (11, 12),
            (13, 16),
            (21, 30),
            (61, 80),
            (110, 120),
            (999, 1000),
        ] {
            assert_eq!(round_up(most), top, "{most}");
        }
        assert!(round_up(u64::MAX) == u64::MAX);
    }

    #[test]
    fn sta_1_a_chart_of_nothing_has_a_ground_and_what_is_written_is_no_markup() {
        let chart = columns("c", "<b>", &[]).into_string();
        assert!(chart.contains("&lt;b&gt;") && !chart.contains("<rect"), "{chart}");
        let column =
            Column { answered: 1, unanswered: 1, outgoing: 2, title: "</svg>".into(), ..Column::default() };
        let chart = columns("c", "t", &[column]).into_string();
        assert_eq!(chart.matches("<rect").count(), 3, "{chart}");
        assert!(
            !chart.contains("NaN") && !chart.contains("inf") && chart.matches("</svg>").count() == 1,
            "{chart}"
        );
        assert!(!chart.contains(" style="));
    }
}
