//! The lamps: dialog-info (RFC 4235) for those who watch an extension, full at first, then only what changed.
//!
//! Knows no call: it is told the dialogs an extension has now and works out the difference. Not done here: subscription
//! lifetimes, which the user agent keeps.

use std::collections::BTreeMap;

use sip::NotifierId;
use sip::dialog_info::{Dialog, DialogInfo, DialogState};

/// Subscriptions held at once by all watchers together.
const MOST_WATCHERS: usize = 512;

/// A document to send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) to: NotifierId,
    pub(crate) info: DialogInfo,
}

/// Who watches whom, and what they know.
#[derive(Debug, Default)]
pub(crate) struct Lamps {
    watchers: BTreeMap<u64, Watcher>,
    shown: BTreeMap<u16, Vec<Dialog>>,
}

#[derive(Debug)]
struct Watcher {
    notifier: NotifierId,
    extension: u16,
    entity: String,
    version: u32,
}

impl Lamps {
    /// Whether one more watcher may come.
    pub(crate) fn has_room(&self) -> bool {
        self.watchers.len() < MOST_WATCHERS
    }

    /// Somebody watches `extension` from now on; the full document is his first.
    pub(crate) fn watch(&mut self, notifier: NotifierId, extension: u16, entity: String) -> Option<Document> {
        self.watchers.insert(notifier.0, Watcher { notifier, extension, entity, version: 0 });
        self.full(notifier)
    }

    /// Everything `notifier`'s extension does; for the first document and after a refresh.
    pub(crate) fn full(&mut self, notifier: NotifierId) -> Option<Document> {
        let watcher = self.watchers.get_mut(&notifier.0)?;
        let dialogs = self.shown.get(&watcher.extension).cloned().unwrap_or_default();
        Some(watcher.document(true, dialogs))
    }

    /// No longer.
    pub(crate) fn unwatch(&mut self, notifier: NotifierId) {
        self.watchers.remove(&notifier.0);
    }

    /// Everybody who watches `extension`, for the end of its subscriptions.
    pub(crate) fn watchers_of(&self, extension: u16) -> Vec<NotifierId> {
        self.watchers.values().filter(|w| w.extension == extension).map(|w| w.notifier).collect()
    }

    /// How many watch.
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.len()
    }

    /// What `extension` shows.
    pub(crate) fn shown(&self, extension: u16) -> &[Dialog] {
        self.shown.get(&extension).map_or(&[], Vec::as_slice)
    }

    /// The dialogs `extension` has now; the documents tell its watchers what changed.
    pub(crate) fn show(&mut self, extension: u16, dialogs: Vec<Dialog>) -> Vec<Document> {
        let before = self.shown.insert(extension, dialogs.clone()).unwrap_or_default();
        let mut changes: Vec<Dialog> =
            dialogs.iter().filter(|dialog| !before.contains(dialog)).cloned().collect();
        for gone in before.into_iter().filter(|old| dialogs.iter().all(|new| new.id != old.id)) {
            changes.push(Dialog { state: DialogState::Terminated, ..gone });
        }
        if changes.is_empty() {
            return Vec::new();
        }
        let watchers = self.watchers.values_mut().filter(|watcher| watcher.extension == extension);
        watchers.map(|watcher| watcher.document(false, changes.clone())).collect()
    }
}

impl Watcher {
    fn document(&mut self, full: bool, dialogs: Vec<Dialog>) -> Document {
        let version = self.version;
        self.version = self.version.wrapping_add(1);
        Document {
            to: self.notifier,
            info: DialogInfo { entity: self.entity.clone(), version, full, dialogs },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn dialog(id: &str, state: DialogState) -> Dialog {
        Dialog {
            id: id.into(),
            call_id: None,
            local_tag: None,
            remote_tag: None,
            direction: None,
            state,
            local: None,
            remote: None,
        }
    }

    #[test]
    fn first_everything_then_what_changed() {
        let mut lamps = Lamps::default();
        assert!(lamps.show(2101, vec![dialog("a", DialogState::Early)]).is_empty());
        let first = lamps.watch(NotifierId(7), 2101, "sip:2101@x".into()).unwrap();
        assert!(first.info.full);
        assert_eq!((first.info.version, first.info.dialogs.len()), (0, 1));

        let both = vec![dialog("a", DialogState::Confirmed), dialog("b", DialogState::Early)];
        let news = lamps.show(2101, both.clone());
        assert_eq!(news.len(), 1);
        assert_eq!((news[0].info.full, news[0].info.version), (false, 1));
        assert_eq!(news[0].info.dialogs, both);
        assert!(lamps.show(2101, both).is_empty());

        let last = lamps.show(2101, vec![dialog("b", DialogState::Early)]);
        assert_eq!(last[0].info.dialogs, [dialog("a", DialogState::Terminated)]);
        assert_eq!(lamps.full(NotifierId(7)).unwrap().info.version, 3);
    }

    #[test]
    fn only_those_who_watch_are_told() {
        let mut lamps = Lamps::default();
        lamps.watch(NotifierId(1), 2101, String::new());
        lamps.watch(NotifierId(2), 2102, String::new());
        assert_eq!(lamps.show(2102, vec![dialog("a", DialogState::Early)])[0].to, NotifierId(2));
        lamps.unwatch(NotifierId(2));
        assert!(lamps.show(2102, Vec::new()).is_empty());
        assert!(lamps.full(NotifierId(2)).is_none());
        for more in 0..MOST_WATCHERS as u64 {
            lamps.watch(NotifierId(10 + more), 2103, String::new());
        }
        assert!(!lamps.has_room());
    }
}
