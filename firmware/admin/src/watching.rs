//! Who sees the touchscreen from this page: what the desk says of it, and an end to it when nobody looks any more.
//!
//! Not here: the operator's consent and the pictures. The desk keeps both and lets go of them when it ends.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ipc::WatchView;
use tokio::sync::watch;

use crate::wishes::Desk;

/// So long nobody fetched a picture, and the watch ends.
const LEFT: Duration = Duration::from_secs(10);

/// What the desk says of its screen, all at one moment.
#[derive(Clone, Default)]
pub struct Live {
    /// Screens that are connected.
    pub screens: usize,
    /// Who asked to see it, and what the operator said.
    pub watch: Option<WatchView>,
    /// The newest picture, PNG; only while the operator allows it.
    pub picture: Option<Arc<Vec<u8>>>,
}

/// A picture has no place in a log.
impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("screens", &self.screens)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Watching {
    live: watch::Receiver<Live>,
    looked: Mutex<Option<Instant>>,
}

impl Watching {
    pub(crate) fn new(live: watch::Receiver<Live>) -> Self {
        Self { live, looked: Mutex::default() }
    }

    /// What the desk says now.
    pub(crate) fn now(&self) -> Live {
        self.live.borrow().clone()
    }

    /// Who watches has looked.
    pub(crate) fn looked(&self, now: Instant) {
        *self.last() = Some(now);
    }

    /// Ends a watch whose watcher has left.
    pub(crate) async fn end_if_left(&self, desk: &Desk, now: Instant) {
        let is_watched = self.live.borrow().watch.is_some();
        let has_left = {
            let mut last = self.last();
            if !is_watched {
                *last = None;
            }
            is_watched && now.saturating_duration_since(*last.get_or_insert(now)) >= LEFT
        };
        if has_left {
            desk.watch(None).await;
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // One value, whole whatever happened to who wrote it.
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::wishes::Wish;

    #[tokio::test]
    async fn app_2_a_watch_ends_when_nobody_has_looked_for_ten_seconds() {
        let (wishes, mut heard) = mpsc::channel(4);
        let (desk, start) = (Desk::new(wishes), Instant::now());
        let (told, live) = watch::channel(Live::default());
        let watching = Watching::new(live);
        watching.end_if_left(&desk, start).await;
        watching.end_if_left(&desk, start + 2 * LEFT).await;
        assert!(heard.try_recv().is_err(), "nobody watches");
        let ada = WatchView { who: "Ada".into(), allowed: Some(true) };
        told.send_replace(Live { screens: 1, watch: Some(ada), picture: None });
        watching.looked(start + LEFT / 2);
        watching.end_if_left(&desk, start + LEFT).await;
        assert!(heard.try_recv().is_err(), "she looked five seconds ago");
        let ended = tokio::join!(watching.end_if_left(&desk, start + 2 * LEFT), async {
            match heard.recv().await {
                Some(Wish::Watch { who: None, done }) => done.send(true).is_ok(),
                _ => false,
            }
        });
        assert!(ended.1, "she has left");
    }

    #[test]
    fn app_2_a_picture_is_not_told_to_a_log() {
        let live = Live { picture: Some(Arc::new(vec![7; 3])), ..Live::default() };
        assert!(!format!("{live:?}").contains('7'));
    }
}
