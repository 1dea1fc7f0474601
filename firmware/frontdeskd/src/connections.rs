//! The engine's dealings with connections: what the agent wishes goes to the table (`net`), what happens to them goes to
//! the agent.

use std::time::Instant;

use tracing::debug;

use crate::{
    engine::Engine,
    net::{Broken, News, Wished},
};

impl Engine {
    /// Sends what the agent has to send; `false` if there is nothing.
    pub(crate) fn transmit(&mut self, now: Instant) -> bool {
        let Some(transmit) = self.parts.agent.poll_transmit() else { return false };
        let local = self.parts.net.local_of(transmit.to);
        self.parts.trace.goes(local, transmit.to, &transmit.bytes);
        if let Some(Broken { target, reason }) = self.parts.net.send(transmit) {
            self.parts.agent.disconnected(now, target, reason);
        }
        true
    }

    /// The agent needs a connection.
    pub(crate) fn open_connection(&mut self, now: Instant, target: sip::Target, server_name: Option<String>) {
        match self.parts.net.connect(target, server_name) {
            Wished::Open(local) => self.parts.agent.connected(now, target, local),
            Wished::Later => {}
            Wished::Never(reason) => self.parts.agent.disconnected(now, target, reason),
        }
    }

    /// Something happened to a connection.
    pub(crate) fn take_stream(&mut self, now: Instant, news: News) {
        match news {
            News::Message { from, bytes, room } => {
                drop(room);
                if self.parts.agent.turns_away(now, from, &bytes) {
                    return; // as with datagrams
                }
                self.parts.trace.came(self.parts.net.local_of(from), from, &bytes);
                self.parts.agent.handle_datagram(now, from, &bytes);
            }
            News::Opened { id, target, local, theirs } => {
                if self.parts.net.opened(id, target, local, theirs) {
                    self.parts.agent.connected(now, target, local);
                }
            }
            News::Closed { id, target, reason } => {
                if self.parts.net.closed(id, target) {
                    self.parts.agent.disconnected(now, target, &reason);
                } else {
                    debug!(%target, reason, "a connection that was given up has ended");
                }
            }
        }
    }
}
