//! Parts without which the desk does not do its work, and for which nobody waits before its end: threads and tasks.
//!
//! Where one of them panics, the desk would go on as a torso: without a log, without sound, deaf to the network, and
//! nobody the wiser. It starts anew instead as soon as no call is up; calls that nobody hears any more are not waited
//! for long. What fails for one client, one page or one look-up is none of these parts: it is lost to whoever asked.

use std::{
    panic,
    thread::{self, Builder},
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tracing::error;

use crate::engine::Event;

/// The pause before the desk is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long calls may go on without sound.
const MUTE_TIME: Duration = Duration::from_secs(20);
/// The threads of the sound, and how long calls may go on without them; `None`: for as long as they like.
const SOUND: [(&str, Option<Duration>); 6] = [
    ("fd-audio", Some(MUTE_TIME)),
    ("fd-media", Some(MUTE_TIME)),
    ("fd-sound-out", None),
    ("fd-sound-in", None),
    ("fd-devices", None),
    ("fd-recordings", None),
];

/// Held by a part for as long as it works.
pub(crate) struct Vital {
    part: &'static str,
    inbox: mpsc::Sender<Event>,
}

impl Vital {
    /// For a part that the log calls so.
    pub(crate) fn new(part: &'static str, inbox: &mpsc::Sender<Event>) -> Self {
        Self { part, inbox: inbox.clone() }
    }
}

impl Drop for Vital {
    fn drop(&mut self) {
        if thread::panicking() {
            start_anew(self.part, None, self.inbox.clone());
        }
    }
}

/// Runs a part on a task of its own.
pub(crate) fn spawn(
    part: &'static str,
    inbox: &mpsc::Sender<Event>,
    work: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let vital = Vital::new(part, inbox);
    tokio::spawn(async move {
        let _vital = vital;
        work.await;
    })
}

/// Looks after the threads of the sound, which know nothing of the desk. They catch no panic: the first is the end.
pub(crate) fn watch_sound(inbox: mpsc::Sender<Event>) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |what| {
        before(what);
        let thread = thread::current();
        if let Some(&(part, patience)) = SOUND.iter().find(|(part, _)| thread.name() == Some(*part)) {
            start_anew(part, patience, inbox.clone());
        }
    }));
}

/// Has the desk start anew when no call is up, or when `patience` is at its end.
fn start_anew(part: &'static str, patience: Option<Duration>, inbox: mpsc::Sender<Event>) {
    error!(part, "a part of the desk has failed: the desk starts anew as soon as no call is up");
    let began = Instant::now();
    let asking = move || {
        loop {
            let (reply, granted) = oneshot::channel();
            // Without an engine the desk is ending already.
            if inbox.blocking_send(Event::Restart { reply }).is_err()
                || granted.blocking_recv().unwrap_or(true)
            {
                return;
            }
            if patience.is_some_and(|patience| began.elapsed() >= patience) {
                error!(part, "calls are ended: nobody can hear them");
                let _ = inbox.blocking_send(Event::Stop);
                return;
            }
            thread::sleep(ASK_AGAIN);
        }
    };
    // Not here: whoever panics holds up nothing, and a task must not block.
    if let Err(error) = Builder::new().name("vital".into()).spawn(asking) {
        error!(part, %error, "the desk does not start anew");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(30);

    async fn next(events: &mut mpsc::Receiver<Event>) -> Event {
        timeout(SOON, events.recv()).await.unwrap().unwrap()
    }

    /// The desk is asked whether it starts anew, and does not or does.
    async fn asked(events: &mut mpsc::Receiver<Event>, is_quiet: bool) {
        let Event::Restart { reply } = next(events).await else { panic!("something else is asked for") };
        reply.send(is_quiet).unwrap();
    }

    async fn fails_later() {
        tokio::task::yield_now().await;
        panic!("on purpose");
    }

    fn fails() {
        panic!("on purpose");
    }

    #[tokio::test]
    async fn app_4_a_part_that_fails_has_the_desk_start_anew_when_no_call_is_up() {
        let (inbox, mut events) = mpsc::channel(4);
        spawn("works", &inbox, async {}).await.unwrap();
        assert!(spawn("fails", &inbox, fails_later()).await.is_err());
        asked(&mut events, false).await;
        asked(&mut events, true).await;
        let vital = Vital::new("fails too", &inbox);
        let thread = thread::spawn(move || {
            let _vital = vital;
            fails();
        });
        assert!(thread.join().is_err());
        asked(&mut events, true).await;
        // Nothing more is asked for once it was granted, nor of whoever works.
        drop(inbox);
        assert!(timeout(SOON, events.recv()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn app_4_a_desk_without_sound_waits_for_no_call_for_ever() {
        let (inbox, mut events) = mpsc::channel(4);
        start_anew("fd-media", Some(Duration::ZERO), inbox);
        asked(&mut events, false).await;
        assert!(matches!(next(&mut events).await, Event::Stop));
        assert!(timeout(SOON, events.recv()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn app_4_the_threads_of_the_sound_are_looked_after_and_others_are_not() {
        let (inbox, mut events) = mpsc::channel(4);
        watch_sound(inbox);
        for name in ["fd-elsewhere", "fd-recordings"] {
            assert!(Builder::new().name(name.into()).spawn(fails).unwrap().join().is_err());
        }
        asked(&mut events, true).await;
        assert!(events.try_recv().is_err());
    }
}
