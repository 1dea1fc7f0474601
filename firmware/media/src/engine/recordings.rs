//! Music and messages for streams on hold: asked for, read by [`crate::loader`], and played if they are still wanted.

use std::path::PathBuf;

use super::Engine;
use crate::api::{Event, Hold, SoundError, StreamId};
use crate::hold::{HoldSound, Pips};
use crate::loader::{Loaded, Purpose};
use crate::place::Part;

impl Engine {
    pub(super) fn set_hold(&mut self, hold: Hold) {
        self.wanted_hold = hold.clone();
        match hold {
            Hold::Nothing => self.hold = HoldSound::Nothing,
            Hold::Beep => self.hold = HoldSound::Beep(Pips::default()),
            // A file of the same name may be another one by now.
            Hold::Music { path } => self.load(Purpose::Hold, path),
        }
    }

    pub(super) fn announce(&mut self, id: StreamId, path: PathBuf) {
        let Some(entry) = self.streams.get_mut(&id) else {
            return (self.events)(Event::Announced { stream: id, complete: false });
        };
        if entry.message.replace(path.clone()).is_some() {
            (self.events)(Event::Announced { stream: id, complete: false });
        }
        self.load(Purpose::Announce(id), path);
    }

    fn load(&mut self, purpose: Purpose, path: PathBuf) {
        if let Err(error) = self.loader.load(purpose, path.clone()) {
            self.take_recording(Loaded { purpose, path, result: Err(error) });
        }
    }

    /// Plays what has been read, if it is still wanted.
    pub(super) fn take_recording(&mut self, loaded: Loaded) {
        let Loaded { purpose, path, result } = loaded;
        match &result {
            Ok(recording) => {
                let (path, length_ms) = (path.clone(), recording.length_ms());
                (self.events)(Event::SoundReady { path, length_ms });
            }
            Err(error) => self.refuse(path.clone(), error.clone()),
        }
        match purpose {
            Purpose::Hold => {
                if self.wanted_hold == (Hold::Music { path }) {
                    self.hold = result.map_or_else(|_| HoldSound::Beep(Pips::default()), HoldSound::Music);
                }
            }
            Purpose::HoldOf(stream) => self.take_own_hold(stream, Loaded { purpose, path, result }),
            Purpose::Announce(id) => {
                let Some(entry) = self.streams.get_mut(&id) else { return };
                if entry.message.as_ref() != Some(&path) {
                    return;
                }
                entry.message = None;
                let over = match result {
                    Ok(message) if entry.place.part() == Part::Held => entry.stream.announce(message),
                    _ => true,
                };
                if over {
                    (self.events)(Event::Announced { stream: id, complete: false });
                }
            }
        }
    }

    fn refuse(&mut self, path: PathBuf, error: SoundError) {
        tracing::warn!(path = %path.display(), %error, "recording refused");
        (self.events)(Event::SoundRefused { path, error });
    }
}
