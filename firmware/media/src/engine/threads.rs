//! The threads: started, given their scheduling, and ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use mio::{Poll, Waker};

use super::clock::Clock;
use super::{Engine, Request, Sink, WAKE};
use crate::api::{Config, Error};
use crate::audio::{self, Audio, Installs, Shared};
use crate::devices::{self, Devices, Use};
use crate::loader::Loader;
use crate::sound::Sound;

/// Requests to the device thread that may wait.
const DEVICE_QUEUE: usize = 32;
/// `SCHED_FIFO` priorities: the device first, then the network.
const AUDIO_PRIORITY: i32 = 50;
const MEDIA_PRIORITY: i32 = 40;

/// The running threads.
pub(crate) struct Threads {
    waker: Arc<Waker>,
    shared: Arc<Shared>,
    media: JoinHandle<()>,
    audio: JoinHandle<()>,
}

impl Threads {
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Waits for the threads. The media thread ends when the handle's queue is gone. The device thread is not
    /// waited for: it may be inside a driver.
    pub(crate) fn stop(self) {
        let _ = self.waker.wake();
        let _ = self.media.join();
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.audio.join();
    }
}

/// Starts everything.
pub(crate) fn start(config: &Config, inbox: Receiver<Request>, events: Sink) -> Result<Threads, Error> {
    let (device_poll, device_waker) = devices::poller().map_err(failed("the poller of devices"))?;
    let (requests, device_inbox) = sync_channel(DEVICE_QUEUE);
    let shared = Arc::new(Shared::new(device_waker));
    let requests = devices::Requests::new(requests, shared);
    let Made { engine, audio, installs, waker, shared } =
        make(config, inbox, Arc::clone(&events), requests, Clock::running)?;
    let prepare = config.realtime.then_some(prepare_device as fn());
    let devices = Devices::new(device_poll, device_inbox, installs, Arc::clone(&shared), events, prepare);
    Builder::new()
        .name("fd-devices".into())
        .spawn(move || devices.run())
        .map_err(failed("the device thread"))?;
    let (realtime, hold) = (config.realtime, config.hold.clone());
    let audio = spawn_audio(audio, realtime).map_err(failed("the audio thread"))?;
    let media = Builder::new().name("fd-media".into()).spawn(move || {
        if realtime {
            ask_for_realtime("fd-media", MEDIA_PRIORITY);
        }
        engine.run(hold);
    });
    match media {
        Ok(media) => Ok(Threads { waker, shared, media, audio }),
        Err(source) => {
            shared.stop.store(true, Ordering::Release);
            Err(Error::Start { what: "the media thread", source })
        }
    }
}

/// Everything but the threads.
pub(crate) struct Made {
    pub(crate) engine: Engine,
    pub(crate) audio: Audio,
    pub(crate) installs: Installs,
    pub(crate) waker: Arc<Waker>,
    pub(crate) shared: Arc<Shared>,
}

/// Makes what is driven by hand ([`crate::ByHand`]): its time is zero.
pub(crate) fn by_hand(
    config: &Config,
    inbox: Receiver<Request>,
    events: Sink,
    devices: SyncSender<Use>,
) -> Result<Made, Error> {
    let requests = devices::Requests::new(devices, Arc::default());
    make(config, inbox, events, requests, Clock::handed)
}

fn make(
    config: &Config,
    inbox: Receiver<Request>,
    events: Sink,
    devices: devices::Requests,
    clock: impl FnOnce(Arc<Shared>) -> Clock,
) -> Result<Made, Error> {
    let poll = Poll::new().map_err(failed("the poller"))?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE).map_err(failed("the waker"))?);
    let shared = devices.shared();
    let (audio, frames, installs) = audio::new(Arc::clone(&shared), Arc::clone(&waker));
    let loader = Loader::start(Arc::clone(&waker)).map_err(failed("the thread for recordings"))?;
    let sound = Sound::new(config, frames, devices);
    let engine = Engine::new(poll, inbox, events, clock(Arc::clone(&shared)), sound, loader);
    Ok(Made { engine, audio, installs, waker, shared })
}

fn failed(what: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::Start { what, source }
}

fn spawn_audio(audio: Audio, realtime: bool) -> io::Result<JoinHandle<()>> {
    Builder::new().name("fd-audio".into()).spawn(move || {
        if realtime {
            // The only thing this thread may log, and before its loop.
            ask_for_realtime("fd-audio", AUDIO_PRIORITY);
        }
        audio.run();
    })
}

/// For the thread of a sound device.
fn prepare_device() {
    ask_for_realtime("a sound device", AUDIO_PRIORITY);
}

/// Without the right to it (`CAP_SYS_NICE` or an rtprio limit) speech works too, with less margin under load.
fn ask_for_realtime(thread: &str, priority: i32) {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: `parameters` lives during the call; 0 names the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    if result != 0 {
        let reason = io::Error::last_os_error();
        tracing::info!(thread, %reason, "no real-time scheduling");
    }
}
