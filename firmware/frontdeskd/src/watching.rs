//! Who sees the touchscreen from the administrator's page (APP-2): the wish, the operator's consent, and the newest
//! picture. It lives in memory only and dies with the desk: no picture reaches the disk, a log or a recording.
//!
//! The client that allowed it is the only one whose pictures are taken, and all ends with its connection.

use std::sync::{Arc, Mutex, PoisonError};

use admin::Live;
use anyhow::{Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use ipc::{CommandError, MAX_SCREEN_PICTURE, WatchView};
use tokio::sync::{mpsc, watch};
use tracing::info;

use crate::engine::Event;

/// Letters of an administrator's name on the screen.
const MAX_NAME: usize = 64;
/// What every PNG begins with (RFC 2083 section 3.1).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// See the module. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Watching {
    live: watch::Sender<Live>,
    clients: Arc<Mutex<Clients>>,
}

/// Which client is which.
#[derive(Default)]
struct Clients {
    count: u64,
    /// Whose pictures are taken.
    shown: Option<u64>,
}

/// A connected client; what it allowed ends when this is dropped.
pub(crate) struct Viewed {
    watching: Watching,
    id: u64,
    is_screen: bool,
}

impl Watching {
    /// For the administrator's page.
    pub(crate) fn live(&self) -> watch::Receiver<Live> {
        self.live.subscribe()
    }

    /// Somebody wants to see the screen, or no longer; `false` when there is no screen or somebody else watches.
    pub(crate) fn ask(&self, who: Option<String>) -> bool {
        let mut clients = self.clients();
        let live = self.live.borrow().clone();
        let Some(who) = who else {
            if live.watch.is_some() {
                info!("the screen is not watched any more");
            }
            self.put(&mut clients, None);
            return true;
        };
        let who: String = who.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        let is_taken = live.watch.is_some_and(|watch| watch.who != who && watch.allowed != Some(false));
        if live.screens == 0 || is_taken {
            return false;
        }
        info!("an administrator asks to see the screen");
        self.put(&mut clients, Some(WatchView { who, allowed: None }));
        true
    }

    /// A client has come.
    pub(crate) fn client(&self, program: &str) -> Viewed {
        let is_screen = program == ipc::SCREEN;
        let mut clients = self.clients();
        clients.count += 1;
        if is_screen {
            self.live.send_modify(|live| live.screens += 1);
        }
        Viewed { watching: self.clone(), id: clients.count, is_screen }
    }

    /// Hands each change of who watches, and of whether there is a screen, to the engine, which shows it; pictures pass
    /// it by.
    pub(crate) async fn tell(self, inbox: mpsc::Sender<Event>) {
        let mut live = self.live();
        drop(self);
        let mut told = (None, false);
        while live.changed().await.is_ok() {
            let now = {
                let live = live.borrow_and_update();
                (live.watch.clone(), live.screens > 0)
            };
            if now != told {
                told.clone_from(&now);
                if inbox.send(Event::Watch(now.0, now.1)).await.is_err() {
                    return;
                }
            }
        }
    }

    /// From now on it is so, and no picture of before is left.
    fn put(&self, clients: &mut Clients, watch: Option<WatchView>) {
        clients.shown = None;
        self.live.send_modify(|live| (live.watch, live.picture) = (watch, None));
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, Clients> {
        // Two numbers, whole whatever happened to who wrote them.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Viewed {
    /// The operator's answer, or their end to it.
    ///
    /// # Errors
    /// [`CommandError::NotPossible`]: nobody asks and nobody watches, or the operator has said so before.
    pub(crate) fn allow(&self, allow: bool) -> Result<(), CommandError> {
        let mut clients = self.watching.clients();
        let watch = self.watching.live.borrow().watch.clone();
        let watch = watch.filter(|watch| watch.allowed.is_none() || (watch.allowed == Some(true) && !allow));
        let watch = watch.ok_or(CommandError::NotPossible)?;
        info!(allow, "the operator said whether the screen may be seen");
        self.watching.put(&mut clients, Some(WatchView { allowed: Some(allow), ..watch }));
        clients.shown = allow.then_some(self.id);
        Ok(())
    }

    /// A picture of the screen. One that nobody may see is dropped: it was on its way when that ended.
    ///
    /// # Errors
    /// It is too large, or none at all.
    pub(crate) fn picture(&self, base64: &str) -> Result<()> {
        if base64.len() > MAX_SCREEN_PICTURE.div_ceil(3) * 4 {
            bail!("a picture of the screen is larger than {MAX_SCREEN_PICTURE} bytes");
        }
        let png = STANDARD.decode(base64).ok().filter(|png| png.starts_with(PNG));
        let Some(png) = png.filter(|png| png.len() <= MAX_SCREEN_PICTURE) else {
            bail!("a picture of the screen is no PNG in base64");
        };
        if self.watching.clients().shown == Some(self.id) {
            self.watching.live.send_modify(|live| live.picture = Some(Arc::new(png)));
        }
        Ok(())
    }
}

impl Drop for Viewed {
    fn drop(&mut self) {
        let mut clients = self.watching.clients();
        if self.is_screen {
            self.watching.live.send_modify(|live| live.screens = live.screens.saturating_sub(1));
        }
        if clients.shown == Some(self.id) {
            info!("the screen is not watched any more: it is gone");
            self.watching.put(&mut clients, None);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn png(last: u8) -> String {
        STANDARD.encode([PNG, &[last]].concat())
    }

    fn seen(watching: &Watching) -> Option<u8> {
        watching.live.borrow().picture.as_ref().map(|png| *png.last().unwrap())
    }

    fn allowed(watching: &Watching) -> Option<Option<bool>> {
        watching.live.borrow().watch.as_ref().map(|watch| watch.allowed)
    }

    #[test]
    fn app_2_no_picture_is_kept_without_consent_and_none_from_another_client() {
        let watching = Watching::default();
        let (screen, other) = (watching.client(ipc::SCREEN), watching.client("frontdesk-ctl"));
        assert_eq!(screen.allow(true), Err(CommandError::NotPossible), "nobody asks");
        screen.picture(&png(1)).unwrap();
        assert!(watching.ask(Some("Ada".into())));
        screen.picture(&png(2)).unwrap();
        assert_eq!((seen(&watching), allowed(&watching)), (None, Some(None)));
        screen.allow(true).unwrap();
        other.picture(&png(3)).unwrap();
        assert_eq!((seen(&watching), allowed(&watching)), (None, Some(Some(true))));
        screen.picture(&png(4)).unwrap();
        assert_eq!(seen(&watching), Some(4));
        assert!(!watching.ask(Some("Bob".into())), "Ada watches");
        assert_eq!(screen.allow(true), Err(CommandError::NotPossible), "said already");
        screen.allow(false).unwrap();
        screen.picture(&png(5)).unwrap();
        assert_eq!((seen(&watching), allowed(&watching)), (None, Some(Some(false))));
        assert_eq!(screen.allow(true), Err(CommandError::NotPossible), "a refusal is not taken back unasked");
        assert!(watching.ask(Some("Bob".into())), "nobody watches any more");
        assert_eq!(allowed(&watching), Some(None));
    }

    #[test]
    fn app_2_watching_ends_with_the_wish_and_with_the_screen() {
        let watching = Watching::default();
        assert!(!watching.ask(Some("Ada".into())), "there is no screen");
        let screen = watching.client(ipc::SCREEN);
        for end in [true, false] {
            assert!(watching.ask(Some("Ada\n".into())));
            assert_eq!(watching.live.borrow().watch.as_ref().unwrap().who, "Ada");
            screen.allow(true).unwrap();
            screen.picture(&png(1)).unwrap();
            assert_eq!(seen(&watching), Some(1));
            if end {
                assert!(watching.ask(None));
                screen.picture(&png(2)).unwrap();
                assert_eq!((seen(&watching), allowed(&watching)), (None, None));
            }
        }
        drop(screen);
        assert_eq!((seen(&watching), allowed(&watching)), (None, None));
        assert_eq!(watching.live.borrow().screens, 0);
    }

    #[test]
    fn app_2_what_is_no_picture_or_too_large_is_refused() {
        let watching = Watching::default();
        let screen = watching.client(ipc::SCREEN);
        for wrong in ["", "not base64", &STANDARD.encode("GIF89a"), &STANDARD.encode(PNG)[1..]] {
            assert!(screen.picture(wrong).is_err(), "{wrong:?}");
        }
        let of = |length: usize| STANDARD.encode([PNG, &vec![0; length - PNG.len()]].concat());
        assert!(screen.picture(&of(MAX_SCREEN_PICTURE)).is_ok());
        assert!(screen.picture(&of(MAX_SCREEN_PICTURE + 1)).is_err());
    }

    #[tokio::test]
    async fn app_2_the_engine_hears_who_watches_and_not_of_pictures() {
        let (inbox, mut heard) = mpsc::channel(16);
        let watching = Watching::default();
        let screen = watching.client(ipc::SCREEN);
        tokio::spawn(watching.clone().tell(inbox));
        tokio::task::yield_now().await;
        let mut next = async || match heard.recv().await {
            Some(Event::Watch(watch, _)) => watch.map(|watch| watch.allowed),
            _ => panic!("something else was told"),
        };
        assert!(watching.ask(Some("Ada".into())));
        assert_eq!(next().await, Some(None));
        screen.allow(true).unwrap();
        assert_eq!(next().await, Some(Some(true)));
        screen.picture(&png(1)).unwrap();
        tokio::task::yield_now().await;
        drop(screen);
        assert_eq!(next().await, None);
    }
}
