//! The device thread: has sound devices opened, hands them to the audio thread, and closes what comes back.
//!
//! Which device serves which role is [`crate::choosing`]'s to say. What blocks is done by the devices' own threads
//! ([`crate::hand`]), so that this one answers at once when a device is pulled, whatever another one does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TryRecvError, channel};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::api::{DeviceState, Event, Role};
use crate::audio::{Capture, Install, Installs, Playback, Serial, Shared};
use crate::choosing::{Act, Chooser};
use crate::device_list::DeviceList;
use crate::echo_file;
use crate::engine::Sink;
use crate::hand::{self, Word};
use crate::hotplug::Hotplug;
use crate::wav::{WavIn, WavOut};

/// Looks around after so long in any case.
const LOOK: Duration = Duration::from_secs(2);
const WAKE: Token = Token(0);
const HOTPLUG: Token = Token(1);
/// Where the kernel shows devices.
const DEV: &str = "/dev";

/// Uses one of `devices` for `role`, or nothing.
pub(crate) struct Use {
    pub role: Role,
    pub devices: DeviceList,
}

/// The way to the device thread, which ends when this is dropped.
pub(crate) struct Requests {
    sender: Option<SyncSender<Use>>,
    shared: Arc<Shared>,
}

impl Requests {
    pub(crate) fn new(sender: SyncSender<Use>, shared: Arc<Shared>) -> Requests {
        Requests { sender: Some(sender), shared }
    }

    /// False when the thread has not taken the last ones.
    pub(crate) fn send(&self, request: Use) -> bool {
        let sent = self.sender.as_ref().is_some_and(|sender| sender.try_send(request).is_ok());
        self.shared.wake_devices();
        sent
    }

    /// What the threads tell each other.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.sender = None;
        self.shared.wake_devices();
    }
}

/// What the device thread waits with, and who wakes it.
pub(crate) fn poller() -> io::Result<(Poll, Waker)> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKE)?;
    Ok((poll, waker))
}

/// An open device that the audio thread has not been given yet.
enum Opened {
    Playback(Playback),
    Capture(Capture),
}

/// The thread's state.
pub(crate) struct Devices {
    poll: Poll,
    requests: Receiver<Use>,
    installs: Installs,
    shared: Arc<Shared>,
    events: Sink,
    hotplug: Option<Hotplug>,
    chooser: Chooser,
    /// What the threads of devices say.
    words: Receiver<(Serial, Word)>,
    /// For a new one.
    say: Sender<(Serial, Word)>,
    /// What the thread of a device does first.
    prepare: Option<fn()>,
    opened: BTreeMap<Serial, Opened>,
    /// Found no room in the ring yet.
    waiting: VecDeque<Install>,
    /// Files that are open: they have no thread that would say when they are closed.
    files: BTreeSet<Serial>,
    /// Files written before are gone on with, so that no recording is lost by a re-opening.
    written: BTreeSet<String>,
}

impl Devices {
    pub(crate) fn new(
        poll: Poll,
        requests: Receiver<Use>,
        installs: Installs,
        shared: Arc<Shared>,
        events: Sink,
        prepare: Option<fn()>,
    ) -> Devices {
        let hotplug = Hotplug::new(Path::new(DEV)).and_then(|hotplug| {
            let mut source = SourceFd(&hotplug.raw_fd());
            poll.registry().register(&mut source, HOTPLUG, Interest::READABLE)?;
            Ok(hotplug)
        });
        let hotplug = hotplug
            .inspect_err(|reason| tracing::warn!(%reason, "sound cards that come are noticed late"))
            .ok();
        let (say, words) = channel();
        Devices {
            poll,
            requests,
            installs,
            shared,
            events,
            hotplug,
            chooser: Chooser::new(),
            words,
            say,
            prepare,
            opened: BTreeMap::new(),
            waiting: VecDeque::new(),
            files: BTreeSet::new(),
            written: BTreeSet::new(),
        }
    }

    /// Runs until nobody is left to ask for anything.
    pub(crate) fn run(mut self) {
        let mut ready = Events::with_capacity(4);
        while self.take_requests() {
            self.take_news();
            self.chooser.look(Instant::now());
            self.act();
            let due = self.chooser.due().map_or(LOOK, |due| due.saturating_duration_since(Instant::now()));
            // What could not be installed is tried again soon.
            let due = if self.waiting.is_empty() { due } else { due.min(Duration::from_millis(10)) };
            if let Err(reason) = self.poll.poll(&mut ready, Some(due.min(LOOK)))
                && reason.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%reason, "device poller failed, sound devices stay as they are");
                return;
            }
        }
    }

    fn take_requests(&mut self) -> bool {
        loop {
            match self.requests.try_recv() {
                Ok(Use { role, devices }) => self.chooser.want(role, &devices, Instant::now()),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// What the audio thread, the devices' threads and the kernel say.
    fn take_news(&mut self) {
        if self.hotplug.as_ref().is_some_and(Hotplug::changed) {
            tracing::info!("sound cards have come or gone");
            self.chooser.cards_changed(Instant::now());
        }
        for role in Role::ALL {
            if let Some((serial, errno)) = self.shared.take_lost(role) {
                let reason = io::Error::from_raw_os_error(errno).to_string();
                tracing::warn!(?role, reason, "sound device lost");
                let gone = matches!(errno, libc::ENODEV | libc::EBADFD);
                self.chooser.lost(role, serial, gone, reason, Instant::now());
            }
        }
        while let Ok(old) = self.installs.retired.pop() {
            // Files are closed here; others close themselves.
            let file = old.serial().filter(|serial| self.files.remove(serial));
            drop(old);
            if let Some(serial) = file {
                self.chooser.ended(serial, Instant::now());
            }
        }
        while let Ok((serial, word)) = self.words.try_recv() {
            let now = Instant::now();
            match word {
                Word::Out(hand) => self.take_opened(serial, Opened::Playback(Playback::Alsa(hand))),
                Word::In(hand) => self.take_opened(serial, Opened::Capture(Capture::Alsa(hand))),
                Word::Refused(reason) => self.chooser.refused(serial, reason, now),
                Word::Ended => self.chooser.ended(serial, now),
            }
        }
    }

    fn take_opened(&mut self, serial: Serial, opened: Opened) {
        self.opened.insert(serial, opened);
        self.chooser.opened(serial, Instant::now());
    }

    /// Does what is to be done, and what comes of that.
    fn act(&mut self) {
        loop {
            let acts = self.chooser.acts();
            if acts.is_empty() {
                break;
            }
            for act in acts {
                self.carry_out(act);
            }
        }
        while self.installs.install.slots() > 0
            && let Some(install) = self.waiting.pop_front()
        {
            // There is a free slot, and only this thread fills it.
            let _ = self.installs.install.push(install);
        }
    }

    fn carry_out(&mut self, act: Act) {
        match act {
            Act::Open { serial, role, name } => self.open(serial, role, name),
            Act::Install { serial, role } => match self.opened.remove(&serial) {
                Some(Opened::Playback(device)) => {
                    self.waiting.push_back(Install::Playback { role, device: Some((serial, device)) });
                }
                Some(Opened::Capture(device)) => {
                    self.waiting.push_back(Install::Capture { device: Some((serial, device)) });
                }
                None => {}
            },
            Act::Drop { serial } => {
                self.opened.remove(&serial);
                if self.files.remove(&serial) {
                    self.chooser.ended(serial, Instant::now());
                }
            }
            Act::Remove { role: Role::Microphone } => {
                self.waiting.push_back(Install::Capture { device: None });
            }
            Act::Remove { role } => self.waiting.push_back(Install::Playback { role, device: None }),
            Act::Join { role, with } => self.shared.join(role, with),
            Act::Tell { role, name, state } => {
                match &state {
                    DeviceState::Open => tracing::info!(?role, name, "sound device in use"),
                    DeviceState::Lost { reason } => tracing::warn!(?role, name, reason, "no sound device"),
                    DeviceState::Closed => tracing::info!(?role, name, "sound device given back"),
                }
                (self.events)(Event::Device { role, name, state });
            }
        }
    }

    fn open(&mut self, serial: Serial, role: Role, name: String) {
        if role == Role::Microphone {
            if let Some(words) = name.strip_prefix("echo:") {
                let wav = echo_file::open(words);
                return self.file(serial, wav.map(|wav| Opened::Capture(Capture::Wav(wav))));
            }
            let (path, repeats) = match (name.strip_prefix("wav:"), name.strip_prefix("wav-loop:")) {
                (Some(path), _) => (path, false),
                (_, Some(path)) => (path, true),
                _ => return self.start(serial, role, name),
            };
            let wav = WavIn::open(path, repeats).map_err(|e| e.to_string());
            return self.file(serial, wav.map(|wav| Opened::Capture(Capture::Wav(wav))));
        }
        let Some(path) = name.strip_prefix("wav:") else { return self.start(serial, role, name) };
        let wav = WavOut::open(path, self.written.contains(path)).map_err(|e| e.to_string());
        if wav.is_ok() {
            self.written.insert(path.to_owned());
        }
        self.file(serial, wav.map(|wav| Opened::Playback(Playback::Wav(wav))));
    }

    fn file(&mut self, serial: Serial, opened: Result<Opened, String>) {
        match opened {
            Ok(opened) => {
                self.files.insert(serial);
                self.take_opened(serial, opened);
            }
            Err(reason) => self.chooser.refused(serial, reason, Instant::now()),
        }
    }

    /// Has a device of ALSA opened by a thread of its own.
    fn start(&mut self, serial: Serial, role: Role, name: String) {
        let (say, shared, prepare) = (self.say.clone(), Arc::clone(&self.shared), self.prepare);
        let prepare = move || {
            if let Some(prepare) = prepare {
                prepare();
            }
        };
        let tell = move |word| {
            // Nobody is left to hear it once speech has ended.
            let _ = say.send((serial, word));
            shared.wake_devices();
        };
        let started = match role {
            Role::Microphone => hand::start_in(name, Arc::clone(&self.shared), prepare, tell),
            _ => hand::start_out(name, prepare, tell),
        };
        if let Err(reason) = started {
            self.chooser.refused(serial, reason.to_string(), Instant::now());
        }
    }
}
