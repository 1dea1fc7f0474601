//! Writes the first inputs of each target below the folder given: our own valid messages and documents, and those that were
//! kept. `seeds keep FOLDER TARGET…` keeps what is in there.

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs, io};

use sip_fuzz::corpus;
use sip_fuzz::kept::{pack, unpack};
use sip_fuzz::scene::{BETWEEN, Scene};

fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let mut next = || words.next().ok_or_else(|| io::Error::other("seeds [keep] FOLDER [TARGET…]"));
    match next()?.as_str() {
        "keep" => {
            let folder = PathBuf::from(next()?);
            words.try_for_each(|target| keep(&folder.join(&target), &target))
        }
        folder => write(Path::new(folder)),
    }
}

fn write(folder: &Path) -> io::Result<()> {
    let scene = Scene::build(Instant::now(), 1);
    let all = |seeds: &[&str]| seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect::<Vec<_>>();
    let agent = scene.valid.chunks(3).map(|messages| messages.join(BETWEEN)).collect();
    for (target, mut inputs) in [
        ("message", scene.valid.clone()),
        ("description", all(&corpus::DESCRIPTIONS)),
        ("dialog_info", all(&corpus::DIALOGS)),
        ("presence", all(&corpus::PRESENCES)),
        ("fragment", all(&corpus::FRAGMENTS)),
        ("framing", corpus::streams()),
        ("agent", agent),
    ] {
        if let Ok(file) = fs::read(kept(target)) {
            inputs.extend(unpack(&file).ok_or_else(|| io::Error::other("a file of inputs is damaged"))?);
        }
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (number, input) in inputs.iter().enumerate() {
            fs::write(folder.join(format!("seed{number}")), input)?;
        }
    }
    Ok(())
}

/// Where inputs of a target are kept.
fn kept(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kept").join(target)
}

fn keep(folder: &Path, target: &str) -> io::Result<()> {
    let inputs = fs::read_dir(folder)?.map(|entry| fs::read(entry?.path()));
    fs::write(kept(target), pack(inputs.collect::<io::Result<_>>()?))
}
