//! Runs the cells, one after the other, each by itself: what goes wrong in one is no concern of the next.
#![allow(clippy::print_stderr, reason = "who waits for minutes wants to see that it moves")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use frontdesk_tests::peers::{Cell, Maker, Scene};
use frontdesk_tests::telephone::Transport;

/// What came of a cell.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It went as it should, in this time.
    Ok(Duration),
    /// The peer cannot do it.
    Cannot(&'static str),
    /// It did not; what was waited for.
    Failed(String),
    /// It was not asked for.
    Left,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) maker: Maker,
    pub(crate) transport: Transport,
    pub(crate) cells: Vec<(Cell, Outcome)>,
}

/// Runs what all the words of `wished` are about: a peer's name, a transport's, a cell's.
pub(crate) fn run(wished: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for transport in Transport::ALL {
        for maker in Maker::ALL {
            let is = |word: &str, cell: Cell| [maker.name(), transport.word(), cell.name()].contains(&word);
            let asked = |cell: &Cell| wished.split_whitespace().all(|word| is(word, *cell));
            if Cell::ALL.iter().any(asked) {
                lines.push(line(maker, transport, asked));
            }
        }
    }
    lines
}

/// A scene of its own for each line: a desk that a peer has confused is nothing to the next peer.
fn line(maker: Maker, transport: Transport, asked: impl Fn(&Cell) -> bool) -> Line {
    let mut scene = None;
    let cells = Cell::ALL.into_iter().map(|cell| {
        let outcome = match maker.cannot(cell) {
            _ if !asked(&cell) => Outcome::Left,
            Some(reason) => Outcome::Cannot(reason),
            None => guarded(|| {
                let scene = scene.get_or_insert_with(|| Scene::build(transport));
                scene.clear();
                cell.run(scene, maker);
            }),
        };
        if !matches!(outcome, Outcome::Left) {
            eprintln!("{} {} {}: {outcome:?}", maker.name(), transport.word(), cell.name());
        }
        if matches!(outcome, Outcome::Failed(_)) {
            scene = None;
        }
        (cell, outcome)
    });
    Line { maker, transport, cells: cells.collect() }
}

fn guarded(cell: impl FnOnce()) -> Outcome {
    let began = Instant::now();
    match catch_unwind(AssertUnwindSafe(cell)) {
        Ok(()) => Outcome::Ok(began.elapsed()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            Outcome::Failed(text.to_owned())
        }
    }
}
