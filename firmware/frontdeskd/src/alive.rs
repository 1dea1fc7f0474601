//! What the service manager hears of the desk (`sd_notify(3)`): that it is ready, and that it still turns.
//!
//! Both are said after a turn of the engine has answered, never by a clock beside it: a desk that turns no more says
//! nothing, and is ended and started anew (`WatchdogSec=` of its unit). Where nobody listens there is nothing of this.

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tracing::warn;

use crate::engine::Event;

/// Said so many times as often as it has to be: one that is late is not the end yet.
const SPARE: u32 = 3;

/// The way to the service manager.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: UnixDatagram,
    /// The desk is ended when it says nothing for so long; never, without it.
    watchdog: Option<Duration>,
}

impl Manager {
    /// Of the service manager that started this program, if one did and wants to hear of it.
    pub(crate) fn of_this_program() -> Option<Self> {
        let place = env::var_os("NOTIFY_SOCKET").filter(|place| !place.is_empty())?;
        let number = |name| env::var(name).ok()?.parse::<u64>().ok();
        // What is meant for a program that started us is not ours.
        let is_ours = number("WATCHDOG_PID").is_none_or(|id| id == u64::from(process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|_| is_ours).map(Duration::from_micros);
        match Self::at(&place, watchdog) {
            Ok(manager) => Some(manager),
            Err(error) => {
                warn!(%error, place = %place.display(), "the service manager cannot be told");
                None
            }
        }
    }

    fn at(place: &OsStr, watchdog: Option<Duration>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        // A full queue is a manager that hangs: the desk does not wait for it.
        socket.set_nonblocking(true)?;
        let address = match place.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
        };
        socket.connect_addr(&address)?;
        Ok(Self { socket, watchdog })
    }

    fn say(&self, words: &str) {
        if let Err(error) = self.socket.send(words.as_bytes()) {
            warn!(%error, words, "the service manager was not told");
        }
    }
}

/// Tells it until the engine is gone.
pub(crate) async fn tell(manager: Option<Manager>, inbox: mpsc::Sender<Event>) {
    let Some(manager) = manager else { return };
    // Each time: the first one may have been lost, and it may be said again.
    let words = if manager.watchdog.is_some() { "READY=1\nWATCHDOG=1" } else { "READY=1" };
    loop {
        let (reply, answer) = oneshot::channel();
        if inbox.send(Event::Census { reply }).await.is_err() || answer.await.is_err() {
            return;
        }
        manager.say(words);
        let Some(watchdog) = manager.watchdog else { return };
        sleep(watchdog / SPARE).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::ErrorKind;

    use ipc::Census;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn app_4_the_manager_is_told_after_the_engine_has_turned_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("notify");
        let ear = UnixDatagram::bind(&place).unwrap();
        let manager = Manager::at(place.as_os_str(), Some(Duration::from_millis(30))).unwrap();
        let (inbox, mut events) = mpsc::channel(1);
        let telling = tokio::spawn(tell(Some(manager), inbox));
        for words in ["READY=1\nWATCHDOG=1"; 3] {
            let Some(Event::Census { reply }) = events.recv().await else { panic!("nothing is asked") };
            ear.set_nonblocking(true).unwrap();
            assert_eq!(ear.recv(&mut [0; 99]).unwrap_err().kind(), ErrorKind::WouldBlock);
            reply.send(Census::default()).unwrap();
            ear.set_nonblocking(false).unwrap();
            ear.set_read_timeout(Some(SOON)).unwrap();
            let mut heard = [0; 99];
            let length = ear.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], words.as_bytes());
        }
        drop(events);
        telling.await.unwrap();
    }

    #[test]
    fn app_4_a_manager_at_an_abstract_address_hears_too() {
        let name = format!("frontdesk-test-{}", process::id());
        let ear = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Manager::at(OsStr::new(&format!("@{name}")), None).unwrap().say("READY=1");
        ear.set_read_timeout(Some(SOON)).unwrap();
        let mut heard = [0; 99];
        let length = ear.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"READY=1");
    }
}
