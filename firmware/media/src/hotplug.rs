//! Says when sound cards come and go: the kernel makes and removes their files in `/dev/snd`, and inotify tells.
//!
//! A file that has just come may not be open to us yet: udev changes its owner a moment later, which is told too.
//! Not done here: which device is meant. Whoever waits for one tries again.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// The folder of sound devices inside `/dev`, which is there only while there is a card.
const SOUND: &str = "snd";
/// Room for the events of one look.
const ROOM: usize = 4096;

/// Watches for sound devices.
pub(crate) struct Hotplug {
    inotify: OwnedFd,
    dev: PathBuf,
}

impl Hotplug {
    /// Watches `dev`, which is `/dev`.
    pub(crate) fn new(dev: &Path) -> io::Result<Hotplug> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&inotify, dev, WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ONLYDIR)?;
        let hotplug = Hotplug { inotify, dev: dev.to_owned() };
        hotplug.watch_sound();
        Ok(hotplug)
    }

    /// For the poller: readable when something has happened.
    pub(crate) fn raw_fd(&self) -> RawFd {
        self.inotify.as_raw_fd()
    }

    /// Takes what has happened; true when a sound device may have come, gone, or become ours.
    pub(crate) fn changed(&self) -> bool {
        let mut room = [MaybeUninit::<u8>::uninit(); ROOM];
        let mut reader = Reader::new(&self.inotify, &mut room);
        let mut changed = false;
        // Ends by "would block".
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_bytes());
            let folder = name == Some(SOUND.as_bytes());
            // Of `/dev` itself only that one folder matters; in it everything does, and that it is watched no more.
            let lost = event.events().intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED);
            let inside = name.is_some_and(is_sound);
            changed |= folder || lost || inside;
        }
        if changed {
            self.watch_sound();
        }
        changed
    }

    /// Watches the folder if it is there; again does no harm.
    fn watch_sound(&self) {
        let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
        // Without it there is no card; it is told of when it comes.
        let _ = inotify::add_watch(&self.inotify, self.dev.join(SOUND), flags);
    }
}

/// `controlC1`, `pcmC1D0p`, `pcmC1D0c`: what the kernel calls the files of a card.
fn is_sound(name: &[u8]) -> bool {
    name.starts_with(b"pcmC") || name.starts_with(b"controlC")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hw_3_cards_that_come_and_go_are_told_and_nothing_else() {
        let dev = tempfile::tempdir().unwrap();
        let path = |name: &str| dev.path().join(name);
        let hotplug = Hotplug::new(dev.path()).unwrap();
        assert!(!hotplug.changed());
        std::fs::write(path("ttyS9"), "").unwrap();
        assert!(!hotplug.changed(), "a file that is no sound device");
        std::fs::create_dir(path("snd")).unwrap();
        assert!(hotplug.changed(), "the first card of all");
        std::fs::write(path("snd/timer"), "").unwrap();
        assert!(!hotplug.changed());
        std::fs::write(path("snd/pcmC1D0p"), "").unwrap();
        assert!(hotplug.changed(), "a card comes");
        assert!(!hotplug.changed());
        let allowed = std::os::unix::fs::PermissionsExt::from_mode(0o660);
        std::fs::set_permissions(path("snd/pcmC1D0p"), allowed).unwrap();
        assert!(hotplug.changed(), "it becomes ours");
        std::fs::remove_file(path("snd/pcmC1D0p")).unwrap();
        assert!(hotplug.changed(), "it goes");
        std::fs::remove_file(path("snd/timer")).unwrap();
        std::fs::remove_dir(path("snd")).unwrap();
        assert!(hotplug.changed(), "the last one");
        std::fs::create_dir(path("snd")).unwrap();
        assert!(hotplug.changed());
        std::fs::write(path("snd/controlC0"), "").unwrap();
        assert!(hotplug.changed(), "the folder that came again is watched again");
    }
}
