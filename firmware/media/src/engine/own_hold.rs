//! Music of their own for some streams on hold: each line of the house may have another.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Engine;
use crate::api::StreamId;
use crate::hold::HoldSound;
use crate::loader::{Loaded, Purpose};

/// What streams hear in place of what everybody hears.
#[derive(Default)]
pub(crate) struct OwnHolds(BTreeMap<StreamId, OwnHold>);

struct OwnHold {
    path: PathBuf,
    /// Not before its file has been read; never, when it cannot be.
    sound: Option<HoldSound>,
}

impl OwnHolds {
    /// What this stream hears; `everybody` hears the other.
    pub(crate) fn of<'a>(&'a mut self, stream: StreamId, everybody: &'a mut HoldSound) -> &'a mut HoldSound {
        self.0.get_mut(&stream).and_then(|own| own.sound.as_mut()).unwrap_or(everybody)
    }

    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.0.remove(&stream);
    }
}

impl Engine {
    /// Gives a stream music of its own, or what everybody hears.
    pub(super) fn set_own_hold(&mut self, stream: StreamId, music: Option<PathBuf>) {
        let Some(path) = music.filter(|_| self.streams.contains_key(&stream)) else {
            return self.own_holds.forget(stream);
        };
        // Until the new one has been read, the old one plays on.
        let sound = self.own_holds.0.remove(&stream).and_then(|own| own.sound);
        self.own_holds.0.insert(stream, OwnHold { path: path.clone(), sound });
        let purpose = Purpose::HoldOf(stream);
        if let Err(error) = self.loader.load(purpose, path.clone()) {
            self.take_recording(Loaded { purpose, path, result: Err(error) });
        }
    }

    /// Plays what has been read, if it is still wanted.
    pub(super) fn take_own_hold(&mut self, stream: StreamId, loaded: Loaded) {
        if let Some(own) = self.own_holds.0.get_mut(&stream).filter(|own| own.path == loaded.path) {
            own.sound = loaded.result.ok().map(HoldSound::Music);
        }
    }
}
