//! Updates by a stick: which file on it is meant, how it goes to the desk, and whether the desk takes it.
//!
//! Whoever has the box in their hands may update it, with a bundle whose maker the box trusts and whose version is newer:
//! a stick never takes a box back to an older version, nor to one that this box has already taken back. So nobody is asked
//! for a password, and what an administrator may do on their page beyond that a stick does not do: an order of theirs that
//! waits for its time stays as it is, and the stick is refused until it is done.
//!
//! **Not done here**: mounting, which is the box's (`firmware/appliance/libexec/read-stick`).

use std::{
    cmp::Ordering,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipc::{MAX_STICK_PART, StickPart, UpdateRefusal, UpdateTrouble};

use crate::{Attempt, BundleProblem, NotNow, Outcome, Trouble, version::compare};

/// Who it was, in the history of updates.
pub const STICK: &str = "USB stick";

/// Entries of a stick's root folder that are looked at.
const MOST: usize = 10_000;

/// Whether sticks update the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sticks {
    /// They do.
    #[default]
    On,
    /// An administrator has turned them off.
    Off,
    /// The configuration of the box does not allow them.
    Never,
}

/// The bundle in the root folder of a stick; of several the one that was written last, by the time that its file has.
/// Folders, links and hidden files, which other systems leave beside each file, are none.
///
/// # Errors
/// When the folder cannot be read.
pub fn choose(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)?.take(MOST) {
        let entry = entry?;
        if !is_bundle(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // Of the entry itself: a link is not followed.
        let Ok(found) = entry.metadata() else { continue };
        if found.is_file() {
            newest = newest.max(Some((found.modified().ok(), entry.path())));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

fn is_bundle(name: &str) -> bool {
    !name.starts_with('.') && name.to_ascii_lowercase().ends_with(".raucb")
}

/// Hands over what [`choose`] has found, part by part; how many bytes there were. `bring` returns when the desk has
/// answered.
///
/// # Errors
/// Those of `bring`; and the stick's, for example when it was pulled out.
pub fn hand_over<E: From<io::Error>>(
    path: &Path,
    mut bring: impl FnMut(StickPart) -> Result<(), E>,
) -> Result<u64, E> {
    let (mut file, bytes) = open(path)?;
    bring(StickPart::Begin { bytes })?;
    let mut brought = 0;
    loop {
        let piece = piece(&mut file, MAX_STICK_PART)?;
        if piece.is_empty() {
            break;
        }
        brought += piece.len() as u64;
        bring(StickPart::Bytes { base64: STANDARD.encode(&piece) })?;
    }
    bring(StickPart::End)?;
    Ok(brought)
}

/// Opens it, and says how large it is; what is no file any more is an error.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    Ok((file, found.len()))
}

/// Reads up to `most` bytes; fewer at the end of the file only.
fn piece(file: &mut File, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most);
    file.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What is known as a stick comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The version that runs.
    pub(crate) running: &'a str,
    /// That of a bundle that waits.
    pub(crate) waiting: Option<&'a str>,
    /// Oldest first.
    pub(crate) attempts: &'a [Attempt],
}

/// Whether this version is taken from a stick.
pub(crate) fn admit(version: &str, known: Known<'_>) -> Result<(), UpdateRefusal> {
    let Known { running, waiting, attempts } = known;
    match compare(version, running).ok_or(UpdateRefusal::NoVersion)? {
        Ordering::Less => return Err(UpdateRefusal::Older { than: running.to_owned() }),
        Ordering::Equal => return Err(UpdateRefusal::Same),
        Ordering::Greater => {}
    }
    let newer = waiting.filter(|waiting| compare(version, waiting) == Some(Ordering::Less));
    if let Some(newer) = newer {
        return Err(UpdateRefusal::Older { than: newer.to_owned() });
    }
    // A stick that stays plugged in is read again after each start: a version that is not well must not come back with it.
    let is_back = |attempt: &Attempt| {
        matches!(attempt.outcome, Outcome::RolledBack { .. })
            && compare(&attempt.version, version) == Some(Ordering::Equal)
    };
    if attempts.iter().any(is_back) {
        return Err(UpdateRefusal::TakenBackBefore);
    }
    Ok(())
}

/// What the operator is told of a bundle that cannot be taken.
pub(crate) fn refusal(problem: &BundleProblem) -> UpdateRefusal {
    match problem {
        BundleProblem::TooLarge => UpdateRefusal::TooLarge,
        BundleProblem::Empty | BundleProblem::BrokenOff | BundleProblem::Damaged(_) => UpdateRefusal::Damaged,
        BundleProblem::Busy => UpdateRefusal::Busy,
        BundleProblem::NoRoom { .. } => UpdateRefusal::NoRoom,
        BundleProblem::NotABundle => UpdateRefusal::NotAnUpdate,
        BundleProblem::Signature(_) => UpdateRefusal::Signature,
        BundleProblem::OtherBox { .. } => UpdateRefusal::OtherBox,
        BundleProblem::Disk(error) => UpdateRefusal::Failed { reason: error.to_string() },
        BundleProblem::Rauc(reason) => UpdateRefusal::Failed { reason: reason.clone() },
    }
}

/// The same where it could not be ordered.
pub(crate) fn not_now(problem: NotNow) -> UpdateRefusal {
    match problem {
        NotNow::NoBundle | NotNow::UnderWay => UpdateRefusal::Busy,
        NotNow::Away | NotNow::Disk => UpdateRefusal::Failed { reason: problem.to_string() },
    }
}

/// The first thing that was wrong; a version of which nothing is known did not start.
pub(crate) fn trouble(troubles: &[Trouble]) -> UpdateTrouble {
    match troubles.first() {
        None => UpdateTrouble::Start,
        Some(Trouble::Desk { .. }) => UpdateTrouble::Desk,
        Some(Trouble::Screen) => UpdateTrouble::Screen,
        Some(Trouble::Line { number, .. }) => UpdateTrouble::Line { number: number.clone() },
        Some(Trouble::Unknown) => UpdateTrouble::Unknown,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{
        os::unix::fs::symlink,
        time::{Duration, SystemTime},
    };

    use super::*;

    #[test]
    fn app_3_the_newest_bundle_in_the_root_of_a_stick_is_meant_and_nothing_else_on_it() {
        let stick = tempfile::tempdir().unwrap();
        let place = |name: &str, days: u64| {
            let file = File::create(stick.path().join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400)).unwrap();
        };
        assert_eq!(choose(stick.path()).unwrap(), None);
        place("holiday.jpg", 900);
        place("._frontdesk.raucb", 900);
        place("frontdesk.raucb.part", 900);
        fs::create_dir(stick.path().join("old.raucb")).unwrap();
        fs::write(stick.path().join("old.raucb/inner.raucb"), "x").unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        symlink(outside.path(), stick.path().join("link.raucb")).unwrap();
        assert_eq!(choose(stick.path()).unwrap(), None);
        place("frontdesk-0.2.raucb", 100);
        assert_eq!(choose(stick.path()).unwrap(), Some(stick.path().join("frontdesk-0.2.raucb")));
        place("FRONTD~1.RAUCB", 200);
        place("frontdesk-0.9.raucb", 150);
        assert_eq!(choose(stick.path()).unwrap(), Some(stick.path().join("FRONTD~1.RAUCB")));
        assert!(choose(&stick.path().join("gone")).is_err());
    }

    #[test]
    fn app_3_what_became_a_link_or_a_folder_meanwhile_is_not_opened_and_a_file_is_handed_over_in_parts() {
        let stick = tempfile::tempdir().unwrap();
        let (file, link) = (stick.path().join("a.raucb"), stick.path().join("b.raucb"));
        fs::write(&file, "twelve bytes").unwrap();
        symlink(&file, &link).unwrap();
        assert!(open(&link).is_err() && open(stick.path()).is_err());
        let mut parts = Vec::new();
        let bring = |part| {
            parts.push(part);
            Ok::<(), io::Error>(())
        };
        assert_eq!(hand_over(&file, bring).unwrap(), 12);
        let base64 = STANDARD.encode("twelve bytes");
        assert_eq!(parts, [StickPart::Begin { bytes: 12 }, StickPart::Bytes { base64 }, StickPart::End]);
        // A whole part and a bit more.
        fs::write(&file, vec![7; MAX_STICK_PART + 1]).unwrap();
        let mut sizes = Vec::new();
        let refused = hand_over(&file, |part| match part {
            StickPart::Bytes { base64 } => {
                sizes.push(STANDARD.decode(base64).unwrap().len());
                Ok(())
            }
            StickPart::Begin { .. } => Ok(()),
            StickPart::End => Err(io::Error::other("the desk refuses")),
        });
        assert_eq!(
            (sizes, refused.unwrap_err().to_string()),
            (vec![MAX_STICK_PART, 1], "the desk refuses".into())
        );
    }

    #[test]
    fn app_3_a_stick_never_takes_a_box_back_and_never_brings_back_what_the_box_took_back() {
        let attempt =
            |version: &str, outcome| Attempt { version: version.into(), outcome, ..Attempt::default() };
        let attempts = [
            attempt("0.3.0", Outcome::RolledBack { troubles: Vec::new() }),
            attempt("0.4", Outcome::Interrupted),
            attempt("0.5", Outcome::Failed { reason: "no room".into() }),
        ];
        let said = |version: &str, waiting: Option<&str>| {
            admit(version, Known { running: "0.2.0+abc", waiting, attempts: &attempts })
        };
        let older = |than: &str| Err(UpdateRefusal::Older { than: than.into() });
        assert_eq!(said("0.2.1", None), Ok(()));
        assert_eq!(said("0.1.9", None), older("0.2.0+abc"));
        assert_eq!(said("0.2.0-rc.1", None), older("0.2.0+abc"));
        assert_eq!(said("0.2+another", None), Err(UpdateRefusal::Same));
        assert_eq!(said("0.3", None), Err(UpdateRefusal::TakenBackBefore));
        assert_eq!((said("0.4", None), said("0.5", None)), (Ok(()), Ok(())), "what was not its fault");
        assert_eq!(said("newest", None), Err(UpdateRefusal::NoVersion));
        assert_eq!(said("", None), Err(UpdateRefusal::NoVersion));
        // Another bundle waits.
        assert_eq!(said("0.6", Some("0.6")), Ok(()));
        assert_eq!(said("0.6", Some("0.7")), older("0.7"));
        assert_eq!(said("0.6", Some("newest")), Ok(()));
    }
}
