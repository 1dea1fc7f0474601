//! The files of input devices: which there are, who they are by `/sys`, and which are of no use.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::table::Identity;

/// The file of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// In `/dev`.
    pub(crate) path: PathBuf,
    /// `hidraw*`; otherwise evdev.
    pub(crate) is_hidraw: bool,
    /// The device itself in `/sys`, where it can be told.
    pub(crate) sys: Option<PathBuf>,
    /// Tells it from the next device with the same name.
    mark: (u64, u64),
}

/// All files.
pub(crate) struct Nodes {
    dev: PathBuf,
    class: PathBuf,
    /// Of no use here.
    passed_over: BTreeMap<PathBuf, (u64, u64)>,
    /// Why some cannot be used, as was told.
    told: BTreeMap<PathBuf, String>,
}

impl Nodes {
    pub(crate) fn new(dev: &Path, sys: &Path) -> Self {
        Self {
            dev: dev.to_owned(),
            class: sys.join("class"),
            passed_over: BTreeMap::new(),
            told: BTreeMap::new(),
        }
    }

    /// Those that are there: telephones first, so that a key knows whether one of them hears it too.
    pub(crate) fn list(&mut self) -> Vec<Node> {
        let input = self.dev.join("input");
        let mut nodes: Vec<Node> = self.folder(&self.dev, "hidraw", true);
        nodes.extend(self.folder(&input, "event", false));
        let is_there = |path: &PathBuf| nodes.iter().any(|node| node.path == *path);
        self.passed_over.retain(|path, _| is_there(path));
        self.told.retain(|path, _| is_there(path));
        nodes
    }

    pub(crate) fn is_passed_over(&self, node: &Node) -> bool {
        self.passed_over.get(&node.path) == Some(&node.mark)
    }

    pub(crate) fn pass_over(&mut self, node: &Node) {
        self.passed_over.insert(node.path.clone(), node.mark);
    }

    /// Whether this has not been said of it yet.
    pub(crate) fn is_news(&mut self, node: &Node, reason: &str) -> bool {
        self.told.insert(node.path.clone(), reason.to_owned()).as_deref() != Some(reason)
    }

    /// The report descriptor of a hidraw device, and who it is.
    pub(crate) fn hid(&self, node: &Node) -> io::Result<(Vec<u8>, Identity)> {
        let sys = node.sys.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let descriptor = fs::read(sys.join("report_descriptor"))?;
        Ok((descriptor, read_uevent(&fs::read_to_string(sys.join("uevent"))?)))
    }

    fn folder(&self, folder: &Path, start: &str, is_hidraw: bool) -> Vec<Node> {
        // There is none without a device.
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut nodes: Vec<Node> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_prefix(start)?.parse::<u32>().ok()?;
                let there = entry.metadata().ok()?;
                let class = if is_hidraw { "hidraw" } else { "input" };
                let sys = fs::canonicalize(self.class.join(class).join(&name).join("device")).ok();
                Some(Node { path: entry.path(), is_hidraw, sys, mark: (there.dev(), there.ino()) })
            })
            .collect();
        nodes.sort_by(|one, other| one.path.cmp(&other.path));
        nodes
    }
}

/// `HID_ID=0003:00000B0E:00000300` (bus, vendor, product) and `HID_NAME=…`.
fn read_uevent(text: &str) -> Identity {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let mut numbers = value("HID_ID").unwrap_or_default().split(':').skip(1);
    let mut number = || {
        let number = numbers.next().and_then(|hex| u32::from_str_radix(hex, 16).ok());
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or_default()
    };
    let (vendor, product) = (number(), number());
    Identity { name: value("HID_NAME").unwrap_or_default().to_owned(), vendor, product }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hw_1_who_a_hid_device_is_stands_in_its_uevent() {
        let text = "DRIVER=hid-generic\nHID_ID=0003:00000B0E:00000300\nHID_NAME=GN Netcom A/S Jabra\nHID_PHYS=usb-1\n";
        let jabra = Identity { name: "GN Netcom A/S Jabra".into(), vendor: 0x0b0e, product: 0x300 };
        assert_eq!(read_uevent(text), jabra);
        assert_eq!(read_uevent("HID_ID=x\n"), Identity::default());
    }

    #[test]
    fn hw_1_files_are_listed_and_the_next_device_of_a_name_is_another() {
        let dev = tempfile::tempdir().unwrap();
        fs::create_dir(dev.path().join("input")).unwrap();
        for file in ["hidraw1", "hidrawX", "tty0", "input/event0", "input/mice"] {
            fs::write(dev.path().join(file), "").unwrap();
        }
        let mut nodes = Nodes::new(dev.path(), dev.path());
        let listed = nodes.list();
        let paths: Vec<_> = listed.iter().map(|node| node.path.strip_prefix(dev.path()).unwrap()).collect();
        assert_eq!(paths, [Path::new("hidraw1"), Path::new("input/event0")]);
        nodes.pass_over(&listed[0]);
        assert!(nodes.is_passed_over(&listed[0]) && !nodes.is_passed_over(&listed[1]));
        assert!(nodes.is_news(&listed[1], "no") && !nodes.is_news(&listed[1], "no"));
        // Both are there for a moment, so the second is never the first one's inode.
        fs::write(dev.path().join("hidraw2"), "").unwrap();
        fs::rename(dev.path().join("hidraw2"), dev.path().join("hidraw1")).unwrap();
        let listed = nodes.list();
        assert!(!nodes.is_passed_over(&listed[0]));
    }
}
