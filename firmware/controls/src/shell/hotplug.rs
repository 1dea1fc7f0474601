//! Says when input devices come and go: the kernel makes and removes their files, and inotify tells.
//!
//! A file that has just come may not be open to us yet: udev changes its owner a moment later, which is told too.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// The folder of evdev inside `/dev`, which is there only while there is a device.
const INPUT: &str = "input";
/// Room for the events of one look.
const ROOM: usize = 4096;

/// Watches for input devices.
pub(crate) struct Hotplug {
    inotify: OwnedFd,
    dev: PathBuf,
}

impl Hotplug {
    /// Watches `dev`, which is `/dev`.
    pub(crate) fn new(dev: &Path) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
        inotify::add_watch(&inotify, dev, flags)?;
        let hotplug = Self { inotify, dev: dev.to_owned() };
        hotplug.watch_input();
        Ok(hotplug)
    }

    /// For the poller: readable when something has happened.
    pub(crate) fn raw_fd(&self) -> RawFd {
        self.inotify.as_raw_fd()
    }

    /// Takes what has happened; true when a device may have come, gone, or become ours.
    pub(crate) fn changed(&self) -> bool {
        let mut room = [MaybeUninit::<u8>::uninit(); ROOM];
        let mut reader = Reader::new(&self.inotify, &mut room);
        let mut changed = false;
        // Ends by "would block".
        while let Ok(event) = reader.next() {
            let name = event.file_name().map(|name| name.to_bytes());
            let folder = name == Some(INPUT.as_bytes());
            let lost = event.events().intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED);
            changed |= folder || lost || name.is_some_and(is_device);
        }
        if changed {
            self.watch_input();
        }
        changed
    }

    /// Watches the folder if it is there; again does no harm.
    fn watch_input(&self) {
        let flags = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
        // Without it there is no device; it is told of when it comes.
        let _ = inotify::add_watch(&self.inotify, self.dev.join(INPUT), flags);
    }
}

/// `hidraw3` in `/dev`, `event7` in `/dev/input`; `uinput`, through which the screen gets keys.
fn is_device(name: &[u8]) -> bool {
    name.starts_with(b"hidraw") || name.starts_with(b"event") || name == b"uinput"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hw_2_devices_that_come_and_go_are_told_and_nothing_else() {
        let dev = tempfile::tempdir().unwrap();
        let path = |name: &str| dev.path().join(name);
        let hotplug = Hotplug::new(dev.path()).unwrap();
        assert!(!hotplug.changed());
        std::fs::write(path("ttyS9"), "").unwrap();
        assert!(!hotplug.changed());
        std::fs::write(path("hidraw0"), "").unwrap();
        assert!(hotplug.changed(), "a telephone");
        std::fs::create_dir(path("input")).unwrap();
        assert!(hotplug.changed(), "the first key of all");
        std::fs::write(path("input/mice"), "").unwrap();
        assert!(!hotplug.changed());
        std::fs::write(path("input/event0"), "").unwrap();
        assert!(hotplug.changed() && !hotplug.changed(), "a keypad, once");
        let allowed = std::os::unix::fs::PermissionsExt::from_mode(0o660);
        std::fs::set_permissions(path("input/event0"), allowed).unwrap();
        assert!(hotplug.changed(), "it becomes ours");
        std::fs::remove_file(path("input/event0")).unwrap();
        assert!(hotplug.changed(), "it goes");
    }
}
