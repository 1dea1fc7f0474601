//! `frontdesk-dependencies`: what the programs are made of.
//!
//! `sbom FILE` writes the bill of materials (CycloneDX), `texts FILE` the licence texts, `write` the two files of the repository
//! that are made of it, and `check` says whether those are current. The time in the bill is that of `SOURCE_DATE_EPOCH`, or of the
//! newest commit.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use frontdesk_tests::dependencies::graph::{Graph, Part};
use frontdesk_tests::dependencies::{WRITTEN, notices, sbom};
use frontdesk_tests::repository;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("frontdesk-dependencies: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<String, String> {
    match arguments {
        ["sbom", file] => {
            let graph = Graph::load()?;
            let bill = sbom::bill(&graph, time()?)?;
            let text = serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())?;
            put(Path::new(file), &format!("{text}\n"))?;
            let count = |part| graph.packages.iter().filter(|package| package.part == part).count();
            Ok(format!(
                "{file}: {} crates in the programs, {} that build them",
                count(Part::Linked),
                count(Part::Build)
            ))
        }
        ["texts", file] => {
            let texts = notices::texts(&Graph::load()?)?;
            put(Path::new(file), &texts)?;
            Ok(format!("{file}: {} KiB", texts.len() / 1024))
        }
        ["write"] => {
            let graph = Graph::load()?;
            for (path, make) in WRITTEN {
                put(&repository::root().join(path), &make(&graph)?)?;
            }
            Ok(WRITTEN.map(|(path, _)| path).join("\n"))
        }
        ["check"] => {
            let graph = Graph::load()?;
            for (path, make) in WRITTEN {
                let there = fs::read_to_string(repository::root().join(path)).unwrap_or_default();
                if there != make(&graph)? {
                    return Err(format!("{path} is not current: make dependencies"));
                }
            }
            Ok("current".to_owned())
        }
        _ => Err("sbom FILE, texts FILE, write or check".to_owned()),
    }
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn time() -> Result<i64, String> {
    let said = env::var("SOURCE_DATE_EPOCH").ok();
    let said = said.or_else(|| {
        let git =
            Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(repository::root()).output();
        git.ok()
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .filter(|text| !text.is_empty())
    });
    let said = said.ok_or("SOURCE_DATE_EPOCH is not set, and git does not say the commit's time")?;
    said.trim().parse().map_err(|_| format!("{said:?} is no time"))
}
