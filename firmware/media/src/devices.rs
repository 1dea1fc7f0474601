//! The device thread: opens sound devices by name, hands them to the audio thread, closes what comes back, and
//! tries again what was lost. Opening may block, so it is done neither in the audio nor in the media thread.
//!
//! Not done here: fall-back order between devices, and hot-plug notification (a lost device is polled).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::alsa_pcm::{AlsaIn, AlsaOut, explained};
use crate::api::{DeviceState, Event, Role};
use crate::audio::{Capture, Install, Installs, Playback, Shared};
use crate::echo_file;
use crate::engine::Sink;
use crate::wav::{WavIn, WavOut};

/// Time between two looks at the audio thread's reports.
const LOOK: Duration = Duration::from_millis(100);
/// Time between two attempts to open a device.
const RETRY: Duration = Duration::from_secs(2);
/// The name of no device.
pub(crate) const NONE: &str = "none";

/// Uses `name` for `role`, or nothing.
pub(crate) struct Use {
    pub role: Role,
    pub name: Option<String>,
}

/// The thread's state.
pub(crate) struct Devices {
    requests: Receiver<Use>,
    installs: Installs,
    shared: Arc<Shared>,
    events: Sink,
    slots: [Slot; 3],
    /// Files written before are gone on with, so that no recording is lost by a re-opening.
    written: BTreeSet<String>,
}

/// What is wanted for one role.
struct Slot {
    role: Role,
    wanted: Option<String>,
    open: bool,
    retry_at: Option<Instant>,
    /// The last failure told, so that each is told once.
    told: Option<String>,
}

impl Devices {
    pub(crate) fn new(
        requests: Receiver<Use>,
        installs: Installs,
        shared: Arc<Shared>,
        events: Sink,
    ) -> Devices {
        let slot = |role| Slot { role, wanted: None, open: false, retry_at: None, told: None };
        let slots = [slot(Role::Speaker), slot(Role::Microphone), slot(Role::Ringer)];
        Devices { requests, installs, shared, events, slots, written: BTreeSet::new() }
    }

    /// Runs until nobody is left to ask for anything.
    pub(crate) fn run(mut self) {
        loop {
            match self.requests.recv_timeout(LOOK) {
                Ok(request) => self.request(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // Closing happens here.
            while self.installs.retired.pop().is_ok() {}
            for index in 0..self.slots.len() {
                self.look_after(index);
            }
        }
    }

    fn request(&mut self, request: Use) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.role == request.role) else { return };
        let name = request.name.filter(|name| name != NONE);
        if slot.wanted == name {
            return;
        }
        if let Some(old) = slot.wanted.take() {
            slot.open = false;
            let _ = self.installs.install.push(empty(slot.role));
            (self.events)(Event::Device { role: slot.role, name: old, state: DeviceState::Closed });
        }
        slot.told = None;
        slot.retry_at = name.is_some().then(Instant::now);
        slot.wanted = name;
    }

    fn look_after(&mut self, index: usize) {
        let role = self.slots[index].role;
        if let Some(errno) = self.shared.take_lost(role)
            && self.slots[index].open
        {
            self.slots[index].open = false;
            self.slots[index].retry_at = Some(Instant::now() + RETRY);
            self.lost(index, std::io::Error::from_raw_os_error(errno).to_string());
        }
        if self.slots[index].retry_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        let Some(name) = self.slots[index].wanted.clone() else { return };
        self.slots[index].retry_at = Some(Instant::now() + RETRY);
        if self.installs.install.slots() == 0 {
            return;
        }
        match self.open(role, &name) {
            Ok(device) => {
                // There is a free slot, and only this thread fills it.
                let _ = self.installs.install.push(device);
                let slot = &mut self.slots[index];
                (slot.open, slot.retry_at, slot.told) = (true, None, None);
                tracing::info!(?role, name, "sound device open");
                (self.events)(Event::Device { role, name, state: DeviceState::Open });
            }
            Err(reason) => self.lost(index, reason),
        }
    }

    fn lost(&mut self, index: usize, reason: String) {
        let slot = &mut self.slots[index];
        if slot.told.as_ref() == Some(&reason) {
            return;
        }
        slot.told = Some(reason.clone());
        let name = slot.wanted.clone().unwrap_or_default();
        tracing::warn!(role = ?slot.role, name, reason, "sound device lost");
        (self.events)(Event::Device { role: slot.role, name, state: DeviceState::Lost { reason } });
    }

    fn open(&mut self, role: Role, name: &str) -> Result<Install, String> {
        match role {
            Role::Speaker => Ok(Install::Speaker(Some(self.open_playback(name)?))),
            Role::Ringer => Ok(Install::Ringer(Some(self.open_playback(name)?))),
            Role::Microphone => Ok(Install::Microphone(Some(open_capture(name)?))),
        }
    }

    fn open_playback(&mut self, name: &str) -> Result<Playback, String> {
        let Some(path) = name.strip_prefix("wav:") else {
            return explained(|| AlsaOut::open(name)).map(Playback::Alsa);
        };
        let wav = WavOut::open(path, self.written.contains(path)).map_err(|e| e.to_string())?;
        self.written.insert(path.to_owned());
        Ok(Playback::Wav(wav))
    }
}

fn open_capture(name: &str) -> Result<Capture, String> {
    if let Some(words) = name.strip_prefix("echo:") {
        return echo_file::open(words).map(Capture::Wav);
    }
    let (path, repeats) = match (name.strip_prefix("wav:"), name.strip_prefix("wav-loop:")) {
        (Some(path), _) => (path, false),
        (_, Some(path)) => (path, true),
        _ => return explained(|| AlsaIn::open(name)).map(Capture::Alsa),
    };
    WavIn::open(path, repeats).map(Capture::Wav).map_err(|e| e.to_string())
}

fn empty(role: Role) -> Install {
    match role {
        Role::Speaker => Install::Speaker(None),
        Role::Ringer => Install::Ringer(None),
        Role::Microphone => Install::Microphone(None),
    }
}
