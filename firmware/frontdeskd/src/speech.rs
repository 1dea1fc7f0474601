//! The sound of one call, between what `sip` agreed and what `media` does: its ports, what we offer, its keys.
//!
//! Not done here: who hears whom (`effects.rs`), the devices (`audio.rs`), and which word of one crate is which of the other
//! (`bridge.rs`).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipc::{CallRef, View};
use media::StreamId;
use sip::AccountId;
use sip::sdp::{KeySeed, LocalMedia, Srtp};

use tracing::{error, info};

use crate::bridge;
use crate::engine::Engine;

/// Where a call's sound comes in, as its peer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) rtp: SocketAddr,
    /// Where that is not one port above RTP.
    pub(crate) rtcp: Option<SocketAddr>,
}

impl Engine {
    /// Ports for a stream of this account's that is to come to `ip`, an address of ours, or to where that is seen from
    /// outside, if the account has a server that knows.
    pub(crate) fn open_stream(
        &mut self,
        stream: StreamId,
        ip: IpAddr,
        account: Option<AccountId>,
    ) -> Result<Ports, media::Error> {
        if let Some(ports) = self.take_ready(stream, account, ip)? {
            self.streams += 1;
            return Ok(ports);
        }
        // On every address where SIP is: then calls survive when the machine gets another.
        let bound = self.parts.net.bound(ip).unwrap_or(ip);
        let mut rtp = self.parts.media.open_at(stream, bound)?;
        if rtp.ip().is_unspecified() {
            rtp.set_ip(ip);
        }
        self.streams += 1;
        Ok(Ports { rtp, rtcp: None })
    }

    /// What we can do in a call of this account whose sound comes in at these ports; a stranger's call, which is no account's,
    /// is not encrypted.
    pub(crate) fn local_media(&self, account: Option<AccountId>, ports: Ports) -> LocalMedia {
        let account = account.and_then(|id| self.parts.accounts.iter().find(|known| known.id == id));
        let srtp = account.map_or(Srtp::Off, |account| account.srtp);
        let keys = if srtp == Srtp::Off { None } else { key_seed() };
        LocalMedia { srtp, keys, rtcp: ports.rtcp, ..LocalMedia::plain(ports.rtp, bridge::codecs()) }
    }

    /// Connects the sound of a call as agreed. It may be told more than once, and is connected each time: who joined the
    /// call to a telephone meanwhile has made its stream silent.
    pub(crate) fn connect(&mut self, call: CallRef, media: &sip::sdp::Media) {
        let leg = self.legs.by_call.get_mut(&call);
        let before = leg.and_then(|leg| leg.agreed.replace(media.clone()));
        if before.as_ref() != Some(media) {
            self.stale = true;
            info!(
                call = call.0,
                to = %media.remote_rtp,
                codec = media.codec.name(),
                direction = media.direction.as_str(),
                encryption = media.srtp.as_ref().map_or("none", |keys| keys.suite.name()),
                "sound of a call agreed"
            );
        }
        self.sound(self.parts.media.connect(StreamId(call.0), bridge::remote(media)));
        if before.is_none() {
            self.hold_by_line(call);
        }
    }

    /// Has a caller on hold hear the music of the line, where it has its own.
    fn hold_by_line(&self, call: CallRef) {
        let music = self.legs.by_call.get(&call).and_then(|leg| self.parts.music.get(&leg.line));
        if let Some(music) = music {
            self.sound(self.parts.media.hold_of(StreamId(call.0), Some(music.clone())));
        }
    }

    /// Takes other music for the lines; who is on hold hears it too.
    pub(crate) fn replace_music(&mut self, music: HashMap<String, PathBuf>) {
        let before = std::mem::replace(&mut self.parts.music, music);
        for (call, leg) in &self.legs.by_call {
            let music = self.parts.music.get(&leg.line);
            if music != before.get(&leg.line) {
                self.sound(self.parts.media.hold_of(StreamId(call.0), music.cloned()));
            }
        }
    }

    /// Connects the sound of a call that was just answered here: it flows from then on, before its ACK.
    pub(crate) fn connect_answered(&mut self, call: CallRef) {
        let session = self.legs.by_call.get(&call).map(|leg| leg.session);
        if let Some(media) = session.and_then(|session| self.parts.agent.media(session)).cloned() {
            self.connect(call, &media);
        }
    }

    /// Says of each call whether its speech is encrypted both ways (ACC-6). Where the operator speaks over a telephone,
    /// what is between the two counts as well.
    pub(crate) fn show_encryption(&self, view: &mut View) {
        let phone = self.tether.session().and_then(|session| self.parts.agent.media(session));
        let heard_in_the_clear = phone.is_some_and(|media| media.srtp.is_none());
        for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
            let agreed = self.legs.by_call.get(&call.call).and_then(|leg| leg.agreed.as_ref());
            call.encrypted = !heard_in_the_clear && agreed.is_some_and(|media| media.srtp.is_some());
        }
    }

    pub(crate) fn sound(&self, result: Result<(), media::Error>) {
        if let Err(error) = result {
            error!(%error, "sound");
        }
    }
}

/// Random bits from the system; without them no keys are made, and calls that must be encrypted fail.
fn key_seed() -> Option<KeySeed> {
    let mut bits = [0; 32];
    match getrandom::fill(&mut bits) {
        Ok(()) => Some(KeySeed::new(bits)),
        Err(error) => {
            error!(%error, "no random bits for the keys of a call");
            None
        }
    }
}
