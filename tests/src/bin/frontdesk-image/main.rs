//! `make image-test`: the image of the box in QEMU, with a real exchange and telephones of other makers on its wire. Prints
//! what was shown, a line each, and the sum.
//!
//! Runs in a network of its own (see `apart`). `FRONTDESK_IMAGE` names another image than the one that `make image-test`
//! builds; `FRONTDESK_PARTS` which parts are run (`desk,updates,power`; `kms` needs an image of its own, `make image-kms-test`); `FRONTDESK_CUTS` and `FRONTDESK_PLUGS` how many power cuts
//! are played from the log of what the disk was told, and how often QEMU itself is killed.
#![allow(clippy::print_stderr, reason = "a report is printed")]

mod desk;
mod disk_log;
mod guest;
mod handset;
mod house;
mod kms;
mod lab;
mod monitor;
mod power;
mod shown;
mod updates;
mod wire;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use frontdesk_tests::{apart, repository};

use crate::lab::Lab;
use crate::shown::Shown;

fn main() -> ExitCode {
    match apart::is_inside() {
        Ok(true) => inside(),
        Ok(false) => match apart::run_inside(&[]) {
            Ok(status) if status.success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(error) => failed(&error),
        },
        Err(error) => failed(&error),
    }
}

/// The run itself, in a network of our own.
fn inside() -> ExitCode {
    if let Err(error) = apart::loopback_up() {
        return failed(&error);
    }
    let image = env::var_os("FRONTDESK_IMAGE")
        .map_or_else(|| repository::root().join("target/image/development/frontdesk.img"), PathBuf::from);
    if !image.is_file() {
        return failed(&format!("{} is not built: make image-test builds it", image.display()));
    }
    let parts = env::var("FRONTDESK_PARTS").unwrap_or_else(|_| "desk,updates,power".into());
    let lab = Lab::set_up(&image);
    let mut shown = Shown::default();
    shown.note(&format!("{} by QEMU with {}", image.display(), lab.accelerator));
    for part in parts.split(',') {
        match part {
            "desk" => desk::show(&lab, &mut shown),
            "kms" => kms::show(&lab, &mut shown),
            "power" => power::show(&lab, &mut shown),
            "updates" => updates::show(&lab, &mut shown),
            other => return failed(&format!("there is no part {other:?}")),
        }
    }
    shown.conclude()
}

fn failed(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
