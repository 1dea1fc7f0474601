//! The two commands for recordings: play one again, and make one fit for a bug report.
//!
//! What they say goes to standard output; what is wrong with a file names the file and the line.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::Instant,
};

use anyhow::{Context, Result};

/// Plays a recording and prints where it leads.
///
/// # Errors
/// The line that cannot be replayed, or what the disk said.
pub(crate) fn replay(file: &Path, effects: bool) -> Result<()> {
    let replayed = switchboard::replay(&read(file)?, Instant::now());
    let replayed = replayed.with_context(|| file.display().to_string())?;
    let mut out = io::stdout().lock();
    for effect in replayed.effects.iter().filter(|_| effects) {
        writeln!(out, "{effect:?}")?;
    }
    serde_json::to_writer_pretty(&mut out, &replayed.view)?;
    writeln!(out)?;
    Ok(())
}

/// Prints a recording without the names and numbers in it.
///
/// # Errors
/// The line that cannot be read, or what the disk said.
pub(crate) fn mask(file: &Path) -> Result<()> {
    let masked = switchboard::masked(&read(file)?).with_context(|| file.display().to_string())?;
    io::stdout().lock().write_all(masked.as_bytes())?;
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
