//! Writes the first inputs of each target below the folder given: our own valid messages and documents.

use std::path::Path;
use std::time::Instant;
use std::{env, fs, io};

use sip_fuzz::{BETWEEN, corpus, scene::Scene};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("a folder is missing"))?;
    let scene = Scene::build(Instant::now(), 1);
    let all = |seeds: &[&str]| seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect::<Vec<_>>();
    let agent = scene.valid.chunks(3).map(|messages| messages.join(BETWEEN)).collect();
    for (target, seeds) in [
        ("message", scene.valid.clone()),
        ("description", all(&corpus::DESCRIPTIONS)),
        ("dialog_info", all(&corpus::DIALOGS)),
        ("presence", all(&corpus::PRESENCES)),
        ("fragment", all(&corpus::FRAGMENTS)),
        ("agent", agent),
    ] {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed{number}")), seed)?;
        }
    }
    Ok(())
}
