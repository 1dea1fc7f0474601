//! `make audio-report`: how calls sound at the desk, beside baresip on the same packets at the same moments.
//!
//! `--codec NAME`, `--network WORD` (both as often as wished), `--repeats N` and `--no-appliance` ask for less than everything,
//! `--visqol` for a second opinion, which takes hours.
#![allow(clippy::print_stderr, reason = "what is wrong with the arguments is said")]

use std::env;
use std::process::ExitCode;

use frontdesk_tests::audio_report::{self, Wish};

fn main() -> ExitCode {
    match wish(env::args().skip(1)) {
        Ok(wish) => audio_report::run(&wish),
        Err(what) => {
            eprintln!("audio-report: {what}");
            ExitCode::FAILURE
        }
    }
}

fn wish(mut arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let (mut wish, mut codecs) = (Wish::default(), Vec::new());
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} of what?"));
        match argument.as_str() {
            "--codec" => {
                let name = value()?;
                let known = wish.codecs.iter().find(|codec| codec.name().eq_ignore_ascii_case(&name));
                codecs.push(*known.ok_or_else(|| format!("no codec {name}"))?);
            }
            "--network" => wish.networks.push(value()?),
            "--repeats" => wish.repeats = value()?.parse().map_err(|error| format!("--repeats: {error}"))?,
            "--visqol" => wish.visqol = true,
            "--no-appliance" => wish.appliance = false,
            other => return Err(format!("{other} is not known")),
        }
    }
    if !codecs.is_empty() {
        wish.codecs = codecs;
    }
    Ok(wish)
}
