//! Ports and the world outside: a server is asked how it sees them, and spare ones are taken for calls.

use std::net::SocketAddr;

use super::{Engine, Entry, random, transmit};
use crate::api::{Event, StreamId};
use crate::stream::Stream;
use crate::stun::Probe;

impl Engine {
    /// Has a server asked how it sees the ports of a stream, from now on until it is closed.
    pub(super) fn probe(&mut self, id: StreamId, server: SocketAddr) {
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.probe = Some(Probe::new(self.clock.now(), server, &mut random));
        }
    }

    /// Gives the ports of a stream that has not been connected to another one, as it were opened with them.
    pub(super) fn rename(&mut self, id: StreamId, to: StreamId) {
        self.close(to);
        let Some(mut entry) = self.streams.remove(&id) else { return };
        entry.stream = Stream::new(to, self.clock.now(), self.clock.epoch, random());
        for token in entry.tokens {
            if let Some((owner, _)) = self.tokens.get_mut(&token) {
                *owner = to;
            }
        }
        self.streams.insert(to, entry);
        self.arrange();
    }

    /// Lets 10 ms pass for everything that is asked about.
    pub(super) fn ask_servers(&mut self) {
        let now = self.clock.now();
        for (&id, entry) in &mut self.streams {
            let Entry { probe: Some(probe), rtp, rtcp, .. } = entry else { continue };
            let mut ask = |wire, to, bytes: &[u8]| transmit(rtp, rtcp, wire, to, bytes);
            if let Some(mapping) = probe.tick(now, &mut random, &mut ask) {
                (self.events)(Event::Mapped { stream: id, mapping });
            }
        }
    }
}
