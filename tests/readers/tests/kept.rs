//! What fuzzing found stays found: every input that was kept of `make fuzz`, the inputs it begins with, and some thousand
//! changes of these, are given to each reader by an ordinary test.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use frontdesk_readers::kept::{LARGEST, pack, unpack};
use frontdesk_readers::{TARGETS, Target};

#[path = "../../../firmware/sip/tests/bad_input/mutate.rs"]
#[allow(unreachable_pub, dead_code, missing_docs, reason = "shared with SIP's readers")]
mod mutate;

/// Changed inputs of each reader.
const CHANGED: usize = 200;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// What was kept of a reader; nothing, where it never was let loose.
fn kept(target: &Target) -> Vec<Vec<u8>> {
    let file = fs::read(fuzz().join("kept").join(target.name));
    file.map(|file| unpack(&file).unwrap()).unwrap_or_default()
}

#[test]
fn law_8_what_was_kept_of_fuzzing_breaks_no_reader() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    for entry in fs::read_dir(fuzz().join("kept")).unwrap() {
        let (name, length) = {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())
        };
        assert!(names.contains(&name), "inputs were kept of {name}, which is no reader");
        assert!(length <= LARGEST as u64, "{name} has {length} bytes");
    }
    for target in TARGETS {
        kept(&target).iter().for_each(|input| _ = (target.promise)(input));
    }
}

#[test]
fn the_inputs_to_begin_with_are_taken_by_their_readers() {
    for target in TARGETS {
        let seeds = (target.seeds)();
        let taken = seeds.iter().filter(|seed| (target.promise)(seed)).count();
        // Some are there for what is wrong with them.
        assert!(
            taken > 0 && taken * 3 >= seeds.len() * 2,
            "{} takes {taken} of {}",
            target.name,
            seeds.len()
        );
    }
}

#[test]
fn law_8_some_thousand_changes_of_them_break_no_reader() {
    for (number, target) in TARGETS.into_iter().enumerate() {
        let inputs = [(target.seeds)(), kept(&target)].concat();
        let mut dice = mutate::Dice::new(number as u64);
        for _ in 0..CHANGED {
            let (one, other) = (dice.of(&inputs).clone(), dice.of(&inputs).clone());
            (target.promise)(&mutate::mutated(&mut dice, &one, &other));
        }
    }
}

#[test]
fn every_reader_has_its_fuzz_target() {
    let manifest: toml::Table = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap().parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap());
    let programs: BTreeSet<&str> = programs.filter(|name| *name != "inputs").collect();
    assert_eq!(programs, TARGETS.iter().map(|target| target.name).collect());
    for name in programs {
        let source = fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("run(\"{name}\"")), "fuzz_targets/{name}.rs runs another reader");
    }
}

#[test]
fn what_is_kept_comes_back_each_once_and_the_shortest_first() {
    let inputs = vec![vec![3; 70_000], vec![1, 2], vec![], vec![1, 2], vec![0, 9], vec![7]];
    assert_eq!(unpack(&pack(inputs)).unwrap(), [vec![], vec![7], vec![0, 9], vec![1, 2]]);
    assert_eq!((unpack(&[0, 0, 0]), unpack(&[0, 0, 0, 2, 1])), (None, None));
}
