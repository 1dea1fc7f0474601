//! Writes the first inputs of each target below the folder given: those that the readers are known to take, and those that
//! were kept. `inputs keep FOLDER TARGET…` keeps what is in there.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use frontdesk_readers::TARGETS;
use frontdesk_readers::kept::{pack, unpack};

fn main() -> io::Result<()> {
    let mut words = env::args().skip(1);
    let mut next = || words.next().ok_or_else(|| io::Error::other("inputs [keep] FOLDER [TARGET…]"));
    match next()?.as_str() {
        "keep" => {
            let folder = PathBuf::from(next()?);
            words.try_for_each(|target| keep(&folder.join(&target), &target))
        }
        folder => TARGETS.iter().try_for_each(|target| {
            let mut inputs = (target.seeds)();
            if let Ok(file) = fs::read(kept(target.name)) {
                inputs.extend(unpack(&file).ok_or_else(|| io::Error::other("a file of inputs is damaged"))?);
            }
            write(&Path::new(folder).join(target.name), &inputs)
        }),
    }
}

/// Where inputs of a target are kept.
fn kept(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kept").join(target)
}

fn keep(folder: &Path, target: &str) -> io::Result<()> {
    let inputs = fs::read_dir(folder)?.map(|entry| fs::read(entry?.path()));
    fs::write(kept(target), pack(inputs.collect::<io::Result<_>>()?))
}

fn write(folder: &Path, inputs: &[Vec<u8>]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut numbered = inputs.iter().enumerate();
    numbered.try_for_each(|(number, input)| fs::write(folder.join(format!("seed{number}")), input))
}
