//! This machine gets another address: DHCP, another network, a cable pulled and put elsewhere.
//!
//! Every few seconds the desk looks from which address the system would send to its exchange, which costs a few
//! microseconds and no packet. Only where it listens on every address: one that was set stays. Not done here: what the
//! peers are told (`sip`).

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::{sync::mpsc, time::MissedTickBehavior};
use tracing::{info, warn};

use crate::{
    config,
    engine::{Engine, Event},
};

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(3);

/// Documentation addresses (RFC 5737, RFC 3849) that stand for "outside": nothing is sent there.
const OUTSIDE: ([u8; 4], [u16; 8]) = ([192, 0, 2, 1], [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]);

/// Has the engine look from time to time, for as long as there is one.
pub(crate) async fn look(bound: [Option<SocketAddr>; 2], inbox: mpsc::Sender<Event>) {
    if !bound.into_iter().flatten().any(|bound| bound.ip().is_unspecified()) {
        return;
    }
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if inbox.send(Event::Look).await.is_err() {
            return;
        }
    }
}

impl Engine {
    /// Tells everybody where the desk is now, if that is elsewhere. Without any network it stays where it was.
    pub(crate) fn look_for_address(&mut self, now: Instant) {
        let (local, other) = self.parts.agent.addresses();
        let (local_now, other_now) = (self.present(local), self.other_family(local, other));
        if (local_now, other_now) == (local, other) {
            return;
        }
        let calls = self.legs.by_call.len();
        info!(from = %local, to = %local_now, other = ?other_now, calls, "this machine has another address");
        let ways = [Some((local, local_now)), other.zip(other_now)];
        for leg in self.legs.by_call.values_mut() {
            let mut ways = ways.into_iter().flatten();
            if let Some((_, to)) = ways.find(|(from, _)| from.ip() == leg.local.rtp.ip()) {
                leg.local.rtp.set_ip(to.ip());
            }
        }
        let names = self.parts.names.clone();
        tokio::task::spawn_blocking(move || names.reload());
        self.tether.calls_renewed();
        self.parts.agent.moved(now, local_now, other_now);
        self.ask_stun_again();
    }

    /// What an address of ours is at present: one that was set stays.
    fn present(&self, before: SocketAddr) -> SocketAddr {
        if self.parts.net.bound(before.ip()).is_none_or(|bound| !bound.is_unspecified()) {
            return before;
        }
        let exchange = self.parts.agent.exchange().map(|target| target.address);
        let ip = address(before.ip(), exchange).unwrap_or(before.ip());
        SocketAddr::new(ip, before.port())
    }

    /// The same in the other family than `local`'s. There may have been none when the desk started.
    fn other_family(&self, local: SocketAddr, before: Option<SocketAddr>) -> Option<SocketAddr> {
        let any: IpAddr = if local.is_ipv4() { [0_u16; 8].into() } else { [0_u8; 4].into() };
        let bound = self.parts.net.bound_port(any)?;
        let at = self.present(before.unwrap_or(bound));
        Some(at).filter(|at| !at.ip().is_unspecified())
    }
}

/// The address, of the family of `before`, from which the system would send to the exchange. An address that leads
/// nowhere else is none: without a network the loopback interface is all that is left.
fn address(before: IpAddr, exchange: Option<SocketAddr>) -> Option<IpAddr> {
    let outside = match before {
        IpAddr::V4(_) => SocketAddr::from((OUTSIDE.0, 9)),
        IpAddr::V6(_) => SocketAddr::from((OUTSIDE.1, 9)),
    };
    let towards = exchange.filter(|exchange| exchange.is_ipv4() == before.is_ipv4()).unwrap_or(outside);
    let found = config::address_towards(towards)
        .inspect_err(|error| tracing::debug!(%error, "no address at present"))
        .ok()?;
    if found.is_loopback() && !towards.ip().is_loopback() {
        warn!(%towards, "the way to the exchange leads nowhere");
        return None;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_one_that_leads_to_the_exchange() {
        let before = IpAddr::from([10, 0, 0, 1]);
        let exchange = SocketAddr::from(([127, 0, 0, 1], 5060));
        assert_eq!(address(before, Some(exchange)), Some(IpAddr::from([127, 0, 0, 1])));
    }
}
