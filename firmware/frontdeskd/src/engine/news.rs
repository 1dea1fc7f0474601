//! What the sound, the records and the contacts say.

use std::time::Instant;

use ipc::{CallRef, Party};
use switchboard::Input;
use tracing::{info, warn};

use super::Engine;
use crate::{
    contacts::{News, Who},
    records, sounds,
    stun::Stun,
    xmpp,
};

impl Engine {
    pub(super) fn take_media(&mut self, now: Instant, event: media::Event) {
        match event {
            media::Event::Device { role, name, state } => {
                self.test_loses(role, &state);
                let input = if self.tether.is_on() {
                    self.audio.news_beside_phone(role, name, state)
                } else {
                    Some(Input::Audio(self.audio.news(role, name, state)))
                };
                // What could not be heard before may be now.
                self.stale |= self.reminded.wants_to_chime();
                if let Some(input) = input {
                    self.parts.board.handle(now, input);
                }
            }
            media::Event::Mapped { stream, mapping } => self.stun_answered(now, stream, mapping),
            media::Event::Closed { stream, .. } if Stun::is_spare(stream) => {}
            media::Event::Marked { stream, seconds } => {
                self.parts.records.mark(CallRef(stream.0), seconds);
            }
            media::Event::Closed { stream, stats, seconds } => {
                self.stun.forget(stream);
                self.streams = self.streams.saturating_sub(1);
                self.parts.trace.over(CallRef(stream.0), &stats);
                self.parts.records.sound_ended(CallRef(stream.0), seconds);
                if let Some(sound) = sounds::counted(&stats) {
                    self.parts.records.sound(CallRef(stream.0), sound);
                }
            }
            media::Event::Media { stream, flowing } => info!(call = stream.0, flowing, "sound of a call"),
            media::Event::Digit { stream, digit, duration_ms } => {
                info!(call = stream.0, duration_ms, "digit received");
                let _ = digit;
            }
            media::Event::Speaking { stream, on } => {
                self.parts.board.handle(now, Input::Speaking { call: CallRef(stream.0), on });
            }
            media::Event::SoundReady { path, length_ms } => {
                info!(path = %path.display(), length_ms, "recording")
            }
            media::Event::SoundRefused { path, error } => {
                warn!(path = %path.display(), %error, "a recording cannot be played");
            }
            media::Event::Announced { stream, complete } => {
                info!(call = stream.0, complete, "message played")
            }
            media::Event::Levels { input_dbfs, output_dbfs } => self.show_levels(input_dbfs, output_dbfs),
            media::Event::Test { number, state } => self.show_test(number, state),
        }
    }

    pub(super) fn take_records(&mut self, now: Instant, event: records::Event) {
        let input = match event {
            records::Event::Failed { reason } => Input::StorageFailed { reason },
            records::Event::Works => Input::StorageWorks,
            records::Event::Tell(input) => *input,
        };
        self.parts.board.handle(now, input);
    }

    pub(super) fn take_contacts(&mut self, now: Instant, news: News) {
        let input = match news {
            News::Identified { who: Who::Call(call), party } => {
                self.look_back(call, &party);
                Input::Identified { call, party }
            }
            News::Alerts(wishes) => Input::Alerts(wishes),
            News::Identified { who: Who::Target(transfer), party } => {
                Input::TargetIdentified { transfer, party }
            }
            News::Directories(directories) => Input::Directories(directories),
            News::Monitor(numbers) => return self.monitor(now, numbers),
            News::People(addresses) => return self.watch_everybody(now, addresses),
        };
        self.parts.board.handle(now, input);
    }

    /// Asks the records about a caller, once it is known who that is.
    fn look_back(&self, call: CallRef, party: &Party) {
        let came_in = self.legs.by_call.get(&call).is_some_and(|leg| leg.came_in);
        if let Some(number) = party.number.clone().filter(|_| came_in) {
            self.parts.records.look_back(call, number, party.contact);
        }
    }

    /// Watches exactly these people: those with SIP addresses by SIP, all others by XMPP.
    fn watch_everybody(&mut self, now: Instant, mut addresses: Vec<String>) {
        self.watch_people(now, addresses.clone());
        addresses.retain(|address| xmpp::is_ours(address));
        if let Some(xmpp) = &self.parts.xmpp {
            xmpp.watch(addresses);
        }
    }
}
