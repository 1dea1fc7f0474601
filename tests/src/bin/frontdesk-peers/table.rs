//! The table: a line for each peer and transport, a column for each way of using a telephone.
#![allow(clippy::print_stdout, reason = "a report is printed")]

use std::fs;
use std::io;
use std::process::ExitCode;

use frontdesk_tests::peers::{Cell, Maker};
use frontdesk_tests::repository;
use frontdesk_tests::telephone::Transport;
use serde_json::{Map, Value, json};

use crate::matrix::{Line, Outcome};

/// Prints it, and below it why a cell is not `ok`.
pub(crate) fn print(lines: &[Line]) {
    let head = ["peer", "transport"].into_iter().chain(Cell::ALL.map(Cell::name)).map(str::to_owned);
    let mut rows = vec![head.collect::<Vec<_>>()];
    for line in lines {
        let names = [line.maker.name().to_owned(), transport(line.transport).to_owned()];
        rows.push(names.into_iter().chain(line.cells.iter().map(|(_, outcome)| word(outcome))).collect());
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    println!();
    for maker in Maker::ALL.into_iter().filter(|maker| maker.is_deaf_after_hold()) {
        println!(
            "{} records nothing any more once it was on hold: in the cells about hold the",
            maker.name()
        );
        println!("operator hears it again by frequency, and that it is reached again is told by digits.");
    }
    for line in lines {
        for (cell, outcome) in &line.cells {
            let (sign, reason) = match outcome {
                Outcome::Cannot(reason) => ("–", *reason),
                // The whole view follows in some; the report file has it.
                Outcome::Failed(reason) => {
                    ("FAIL", reason.lines().next().unwrap_or_default().trim_end_matches(": Some("))
                }
                Outcome::Ok(_) | Outcome::Left => continue,
            };
            println!("{sign} {} {} {}: {reason}", line.maker.name(), transport(line.transport), cell.name());
        }
    }
}

/// Writes `target/reports/peers.json`.
pub(crate) fn write(lines: &[Line]) -> io::Result<()> {
    let lines: Vec<Value> = lines.iter().map(value).collect();
    fs::create_dir_all(repository::reports())?;
    fs::write(repository::reports().join("peers.json"), serde_json::to_string_pretty(&lines)? + "\n")
}

/// The last line; success only when there are cells and none failed.
pub(crate) fn conclude(lines: &[Line]) -> ExitCode {
    let outcomes = || lines.iter().flat_map(|line| line.cells.iter().map(|(_, outcome)| outcome));
    let passed = outcomes().filter(|outcome| matches!(outcome, Outcome::Ok(_))).count();
    let failed = outcomes().filter(|outcome| matches!(outcome, Outcome::Failed(_))).count();
    let cannot = outcomes().filter(|outcome| matches!(outcome, Outcome::Cannot(_))).count();
    println!("{passed} passed, {failed} failed, {cannot} that the peer cannot do");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ok(took) => format!("ok {:.0} s", took.as_secs_f64()),
        Outcome::Cannot(_) => "–".to_owned(),
        Outcome::Failed(_) => "FAIL".to_owned(),
        Outcome::Left => String::new(),
    }
}

fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::TlsSrtp => "TLS+SRTP",
    }
}

fn value(line: &Line) -> Value {
    let cells = line.cells.iter().map(|(cell, outcome)| {
        let outcome = match outcome {
            Outcome::Ok(took) => json!({ "ok": true, "seconds": took.as_secs_f64() }),
            Outcome::Cannot(reason) => json!({ "cannot": reason }),
            Outcome::Failed(reason) => json!({ "ok": false, "error": reason }),
            Outcome::Left => Value::Null,
        };
        (cell.name().to_owned(), outcome)
    });
    let cells: Map<String, Value> = cells.collect();
    json!({ "peer": line.maker.name(), "transport": transport(line.transport), "cells": cells })
}
