//! The time zone of the house, as an administrator has set it: the program runs in it from its first line of the log on, so
//! that opening hours, reminders, updates and the administrator's page go by the clock on the wall.
//!
//! A zone that is set while the desk runs is taken by starting anew, as after a restored backup, once no call is up.

use std::{os::unix::process::CommandExt, path::Path, sync::Arc, time::Duration};

use store::Settings;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::sleep,
};
use tracing::{info, warn};

use crate::engine::Event;

/// How long after a change the desk starts anew at the earliest, and how often it looks whether it may: whoever has made
/// the change reads what the page says to it, and may take it back.
const PAUSE: Duration = Duration::from_secs(5);

/// What became of the zone that is set.
#[derive(Debug, Default)]
pub(crate) struct TimeZone {
    /// The one that was set when the program started; `None` where the database could not say it.
    looked_for: Option<String>,
    /// The one that the program runs in; empty: that of the machine.
    pub(crate) name: String,
    /// Why it is not the one that is set.
    trouble: Option<String>,
}

impl TimeZone {
    /// Has the program run in the zone that is set in the database at `path`: by executing itself again, where it does not yet.
    /// To be called while it has one thread only and holds nothing.
    pub(crate) fn take(path: &Path) -> Self {
        // What is wrong with a database is said by whoever opens it to work with it.
        let Ok(zone) = store::time_zone(path) else { return Self::default() };
        let trouble = match ipc::in_time_zone(&zone) {
            Ok(None) => return Self { looked_for: Some(zone.clone()), name: zone, trouble: None },
            // Comes back only where that fails.
            Ok(Some(mut again)) => again.exec(),
            Err(error) => error,
        };
        let trouble = Some(trouble.to_string());
        Self { looked_for: Some(zone), name: String::new(), trouble }
    }

    /// Says in the log by which clock the desk lives.
    pub(crate) fn tell(&self) {
        match &self.trouble {
            Some(trouble) => warn!("the desk goes on in the time zone of its machine: {trouble}"),
            None if self.name.is_empty() => {
                info!("no time zone is set: the desk lives in that of its machine")
            }
            None => info!(zone = self.name, "the time zone of the desk"),
        }
    }

    /// Asks the engine to start anew once another zone is set than the one that was looked for. Ends when that is granted, or
    /// when nobody can change the settings any more.
    pub(crate) async fn follow(
        self,
        mut settings: watch::Receiver<Arc<Settings>>,
        inbox: mpsc::Sender<Event>,
    ) {
        let now = self.looked_for.unwrap_or_else(|| settings.borrow().clock.time_zone.clone());
        let mut is_told = false;
        while settings.wait_for(|settings| settings.clock.time_zone != now).await.is_ok() {
            if !is_told {
                info!("another time zone is set: the desk starts anew in it as soon as no call is up");
                is_told = true;
            }
            sleep(PAUSE).await;
            if settings.borrow().clock.time_zone == now {
                is_told = false;
                continue;
            }
            let (reply, answer) = oneshot::channel();
            if inbox.send(Event::Restart { reply }).await.is_err() || answer.await.unwrap_or(false) {
                return;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use store::Clock;
    use tokio::sync::mpsc::error::TryRecvError;

    use super::*;

    fn set(zone: &str) -> Arc<Settings> {
        Arc::new(Settings { clock: Clock { time_zone: zone.into() }, ..Settings::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn app_2_another_zone_has_the_desk_start_anew_once_no_call_is_up_and_one_taken_back_does_not() {
        let (settings, followed) = watch::channel(set("Europe/Paris"));
        let (inbox, mut asked) = mpsc::channel(8);
        let zone = TimeZone { looked_for: Some("Europe/Paris".into()), ..TimeZone::default() };
        let task = tokio::spawn(zone.follow(followed, inbox));
        let mut wished = async || match asked.recv().await {
            Some(Event::Restart { reply }) => reply,
            _ => panic!("nothing, or something else, was asked for"),
        };
        // Other settings are nobody's concern here, and one that is taken back in time was never there.
        settings.send_replace(set("Europe/Paris"));
        sleep(PAUSE * 3).await;
        settings.send_replace(set("Asia/Tokyo"));
        sleep(PAUSE / 2).await;
        settings.send_replace(set("Europe/Paris"));
        sleep(PAUSE * 3).await;
        let changed = tokio::time::Instant::now();
        settings.send_replace(set(""));
        let first = wished().await;
        assert!(changed.elapsed() >= PAUSE, "not asked before");
        first.send(false).unwrap();
        wished().await.send(false).unwrap();
        wished().await.send(true).unwrap();
        task.await.unwrap();
        assert!(matches!(asked.try_recv(), Err(TryRecvError::Disconnected)));
    }

    #[tokio::test(start_paused = true)]
    async fn app_4_a_zone_that_could_not_be_taken_does_not_start_the_desk_anew_for_ever() {
        let (settings, followed) = watch::channel(set("Europe/Atlantis"));
        let (inbox, mut asked) = mpsc::channel(8);
        for looked_for in [Some("Europe/Atlantis".to_owned()), None] {
            let zone = TimeZone { looked_for, trouble: Some("unknown".into()), ..TimeZone::default() };
            let task = tokio::spawn(zone.follow(followed.clone(), inbox.clone()));
            sleep(PAUSE * 10).await;
            assert!(!task.is_finished() && matches!(asked.try_recv(), Err(TryRecvError::Empty)));
            task.abort();
        }
        drop(settings);
    }

    #[test]
    fn app_4_without_a_database_there_is_no_zone_and_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let zone = TimeZone::take(&folder.path().join("nothing.db"));
        assert_eq!((zone.looked_for.as_deref(), zone.name.as_str(), zone.trouble), (Some(""), "", None));
        let broken = folder.path().join("broken.db");
        std::fs::write(&broken, "no database").unwrap();
        assert_eq!(TimeZone::take(&broken).looked_for, None);
    }
}
