//! The whole engine but its threads and sound cards: whoever holds it says what time it is, and plays the devices. For
//! reports and tests that let hours pass in minutes. Sockets, requests and events are those of [`Media`].
//!
//! The audio side ([`AudioByHand`]) may be in another thread than the media side ([`ByHand`]), as it is in [`Media`].

mod device;
mod outside;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use mio::Events;

use crate::api::{Config, Error, Event, Role};
use crate::audio::{Audio, Capture, Install, Installs, Playback};
use crate::devices::Use;
use crate::engine::{self, Engine, Made};
use crate::handle::Media;

pub(crate) use device::{MemoryIn, MemoryOut};
pub use device::{MemoryMicrophone, MemorySpeaker};
pub use outside::{SealByHand, StreamByHand, StunByHand, sound_file};

/// The media side.
pub struct ByHand {
    engine: Engine,
    ready: Events,
    /// Nobody opens devices here: what is asked is let go.
    wishes: Receiver<Use>,
    datagrams: u64,
}

/// The audio side.
pub struct AudioByHand {
    audio: Audio,
    /// Kept so that devices can come and go.
    _installs: Installs,
}

/// All of a desk's sound, driven by hand.
pub struct Parts {
    /// The handle that the program has, too.
    pub media: Media,
    /// What the media thread does.
    pub by_hand: ByHand,
    /// What the audio thread does.
    pub audio: AudioByHand,
    /// What is heard of the desk.
    pub speaker: MemorySpeaker,
    /// What is said at the desk.
    pub microphone: MemoryMicrophone,
}

impl Parts {
    /// Makes everything; the devices of `config` are not opened, a speaker and a microphone by hand are there in their
    /// place. The time is zero.
    ///
    /// # Errors
    /// [`Error::Start`] when the poller or the thread for recordings cannot be made.
    pub fn new(config: Config, events: impl Fn(Event) + Send + Sync + 'static) -> Result<Parts, Error> {
        let (requests, inbox) = sync_channel(crate::handle::QUEUE);
        let (device_requests, wishes) = sync_channel(64);
        let Made { mut engine, audio, mut installs, waker, shared } =
            engine::by_hand(&config, inbox, Arc::new(events), device_requests)?;
        let (out, speaker) = device::speaker();
        let (heard, microphone) = device::microphone();
        for device in [
            Install::Playback { role: Role::Speaker, device: Some((1, Playback::Memory(out))) },
            Install::Capture { device: Some((2, Capture::Memory(heard))) },
        ] {
            // The ring is new and has room for both.
            let _ = installs.install.push(device);
        }
        engine.begin(config.hold.clone());
        let media = Media::without_threads(config, requests, waker, shared);
        let by_hand = ByHand { engine, ready: Events::with_capacity(512), wishes, datagrams: 0 };
        Ok(Parts { media, by_hand, audio: AudioByHand { audio, _installs: installs }, speaker, microphone })
    }
}

impl ByHand {
    /// Makes it `now` (since the beginning), and does what the media thread does when it wakes: requests, what has come
    /// over the network, and as many ticks as the audio side has counted.
    ///
    /// # Panics
    /// When time runs backwards.
    pub fn turn(&mut self, now: Duration) {
        self.engine.make_it(now);
        self.engine.turn(&mut self.ready, Some(Duration::ZERO));
        while self.wishes.try_recv().is_ok() {}
    }

    /// As [`ByHand::turn`], once `datagrams` more than at the last call have been read: the system may take a moment to
    /// bring them from one socket to another, which is none of simulated time. False when they do not come.
    pub fn turn_with(&mut self, now: Duration, datagrams: u64) -> bool {
        self.datagrams += datagrams;
        for _ in 0..2_000 {
            self.turn(now);
            if self.engine.datagrams() >= self.datagrams {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.datagrams = self.engine.datagrams();
        false
    }
}

impl AudioByHand {
    /// Does what the audio thread does when it wakes, `late` after its time, and returns the time to the next.
    pub fn tick(&mut self, late: Duration) -> Duration {
        self.audio.tick(late)
    }
}
