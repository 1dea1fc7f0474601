//! Where callers outside reach our RTP ports, as a STUN server sees them (RFC 8489): for accounts whose settings name one.
//!
//! A call never waits for it. For each server a few pairs of ports are kept open and asked about all the while, which
//! keeps what the router remembers of them alive; a call takes one of them and with it what is known. Where nothing is
//! known it is heard at the desk's own address; the log says so once, and the page of the lines as long as it is so.
//! Not done here: the questions (`media`), our address for signalling, which the registrar tells (`sip`), TURN, ICE.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use ipc::CallRef;
use media::{Mapping, StreamId, StunError};
use sip::{AccountId, HostPort, Nat, Transport};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::{info, warn};

use crate::{
    engine::{Engine, Event},
    names::Names,
    speech::Ports,
    xmpp::Xmpp,
};

/// Pairs of ports ready for calls: as many may begin within the time of one question and its answer.
const READY: usize = 4;
/// The port of a server that is named without one (RFC 8489 section 18.6).
const PORT: u16 = 3478;
/// Names of spare streams begin here, far above those of calls.
const FIRST: u64 = 1 << 62;
/// A name is looked up again after so long at least, and after so long where that has failed.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const TRY_AGAIN: Duration = Duration::from_secs(15);

/// What is wrong with servers, by their names in the settings; nothing of one that answers. The XMPP server is here by the
/// desk's address at it, which no server's name is.
pub(crate) type Troubles = BTreeMap<String, String>;

/// The servers that accounts name, and the ports that are ready.
#[derive(Default)]
pub(crate) struct Stun {
    servers: BTreeMap<HostPort, Server>,
    /// Calls whose ports are asked about.
    calls: HashMap<StreamId, HostPort>,
    next: u64,
}

struct Server {
    at: Option<SocketAddr>,
    spares: Vec<Spare>,
    trouble: Option<String>,
    /// Looks its name up, again and again.
    names: JoinHandle<()>,
}

struct Spare {
    stream: StreamId,
    local: SocketAddr,
    mapping: Option<Mapping>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.names.abort();
    }
}

impl Stun {
    /// Whether a stream is nobody's yet.
    pub(crate) fn is_spare(stream: StreamId) -> bool {
        stream.0 >= FIRST
    }

    /// A stream is closed.
    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.calls.remove(&stream);
    }

    fn troubles(&self) -> Troubles {
        let told = |(name, server): (&HostPort, &Server)| Some((name.to_string(), server.trouble.clone()?));
        self.servers.iter().filter_map(told).collect()
    }
}

impl Engine {
    /// At the start, and when the settings change: keeps ports ready for exactly the servers that accounts name.
    pub(crate) fn follow_stun(&mut self) {
        let named = |account: &sip::Account| match &account.nat {
            Nat::Stun(server) => Some(server.clone()),
            _ => None,
        };
        let wanted: Vec<HostPort> = self.parts.accounts.iter().filter_map(named).collect();
        let gone: Vec<HostPort> =
            self.stun.servers.keys().filter(|server| !wanted.contains(server)).cloned().collect();
        for server in gone {
            let gone = self.stun.servers.remove(&server);
            self.close_spares(gone.into_iter().flat_map(|mut server| std::mem::take(&mut server.spares)));
        }
        for name in wanted {
            let (names, inbox) = (self.parts.names.clone(), self.parts.inbox.clone());
            self.stun.servers.entry(name).or_insert_with_key(|name| Server {
                at: None,
                spares: Vec::new(),
                trouble: None,
                names: tokio::spawn(look_up(name.clone(), names, inbox)),
            });
        }
        self.tell_troubles();
    }

    /// A server's name was looked up.
    pub(crate) fn stun_found(&mut self, name: &HostPort, found: Result<SocketAddr, String>) {
        let Some(server) = self.stun.servers.get_mut(name) else { return };
        match found {
            // There may have been no port for one more.
            Ok(at) if server.at == Some(at) => self.make_ready(name),
            Ok(at) => {
                info!(server = %name, %at, "STUN server");
                server.at = Some(at);
                let old = std::mem::take(&mut server.spares);
                self.close_spares(old.into_iter());
                self.make_ready(name);
            }
            // Where it was last it may be still.
            Err(_) if server.at.is_some() => {}
            Err(reason) => self.stun_troubled(name, Some(reason)),
        }
    }

    /// Takes ports for `stream` that the account's server knows, if the account has one and it knows any of the family
    /// of `ip`. Where they are reached from outside; the stream is open then.
    pub(crate) fn take_ready(
        &mut self,
        stream: StreamId,
        account: Option<AccountId>,
        ip: IpAddr,
    ) -> Result<Option<Ports>, media::Error> {
        let account = self.parts.accounts.iter().find(|known| Some(known.id) == account);
        let Some(Nat::Stun(name)) = account.map(|account| &account.nat) else { return Ok(None) };
        let name = name.clone();
        let Some(server) = self.stun.servers.get_mut(&name) else { return Ok(None) };
        let knows = |spare: &Spare| spare.mapping.is_some_and(|seen| seen.rtp.is_ipv4() == ip.is_ipv4());
        let Some(at) = server.spares.iter().position(knows) else { return Ok(None) };
        self.parts.media.rename(server.spares[at].stream, stream)?;
        let Spare { local, mapping, .. } = server.spares.swap_remove(at);
        let Some(mapping) = mapping else { return Ok(None) };
        self.stun.calls.insert(stream, name.clone());
        info!(call = stream.0, %local, outside = %mapping.rtp, "ports that the STUN server knows");
        self.make_ready(&name);
        Ok(Some(outside(mapping)))
    }

    /// How a server sees the ports of a stream, or that it does not.
    pub(crate) fn stun_answered(
        &mut self,
        now: Instant,
        stream: StreamId,
        mapping: Result<Mapping, StunError>,
    ) {
        if !Stun::is_spare(stream) {
            if let Ok(mapping) = mapping {
                self.heard_elsewhere(now, stream, mapping);
            }
            return;
        }
        let has = |server: &Server| server.spares.iter().any(|spare| spare.stream == stream);
        let Some((name, server)) = self.stun.servers.iter_mut().find(|(_, server)| has(server)) else {
            return;
        };
        let name = name.clone();
        if let Some(spare) = server.spares.iter_mut().find(|spare| spare.stream == stream) {
            spare.mapping = mapping.ok();
        }
        // A question that was lost says nothing where others were answered.
        let helps = server.spares.iter().any(|spare| spare.mapping.is_some());
        let trouble = mapping.err().filter(|_| !helps);
        self.stun_troubled(&name, trouble.map(|error| error.to_string()));
    }

    /// The machine has moved: what servers said of it counts no more.
    pub(crate) fn ask_stun_again(&mut self) {
        for server in self.stun.servers.values_mut() {
            let Some(at) = server.at else { continue };
            for spare in &mut server.spares {
                spare.mapping = None;
                self.parts.media.probe(spare.stream, at).unwrap_or_else(|error| warn!(%error, "STUN"));
            }
        }
        for (&stream, name) in &self.stun.calls {
            if let Some(at) = self.stun.servers.get(name).and_then(|server| server.at) {
                self.parts.media.probe(stream, at).unwrap_or_else(|error| warn!(%error, "STUN"));
            }
        }
    }

    /// A call that is up is reached elsewhere than it was: its peer is told.
    fn heard_elsewhere(&mut self, now: Instant, stream: StreamId, mapping: Mapping) {
        let Some(leg) = self.legs.by_call.get_mut(&CallRef(stream.0)) else { return };
        let Ports { rtp, rtcp } = outside(mapping);
        if (leg.local.rtp, leg.local.rtcp) != (rtp, rtcp) {
            info!(call = stream.0, from = %leg.local.rtp, to = %rtp, "the router has given a call other ports");
            (leg.local.rtp, leg.local.rtcp) = (rtp, rtcp);
            self.tether.call_renewed(CallRef(stream.0));
            self.parts.agent.heard_at(now, leg.session, rtp, rtcp);
        }
    }

    /// Opens ports until enough are ready or asked about.
    fn make_ready(&mut self, name: &HostPort) {
        let Some(server) = self.stun.servers.get_mut(name) else { return };
        let Some(at) = server.at else { return };
        while server.spares.len() < READY {
            let stream = StreamId(FIRST + self.stun.next);
            let Some(bound) = self.parts.net.bound(at.ip()) else {
                let reason = "the desk has no address of its kind, IPv4 or IPv6".to_owned();
                return self.stun_troubled(name, Some(reason));
            };
            let media = &self.parts.media;
            match media.open_at(stream, bound).and_then(|local| media.probe(stream, at).map(|()| local)) {
                Ok(local) => server.spares.push(Spare { stream, local, mapping: None }),
                Err(error) => {
                    let reason = error.to_string();
                    return self.stun_troubled(name, Some(reason));
                }
            }
            self.stun.next += 1;
        }
    }

    fn close_spares(&self, spares: impl Iterator<Item = Spare>) {
        for spare in spares {
            self.sound(self.parts.media.close(spare.stream));
        }
    }

    fn stun_troubled(&mut self, name: &HostPort, trouble: Option<String>) {
        let Some(server) = self.stun.servers.get_mut(name) else { return };
        if server.trouble == trouble {
            return;
        }
        match &trouble {
            Some(reason) => {
                warn!(server = %name, reason, "no help from the STUN server: calls are heard at the desk's own address");
            }
            None => info!(server = %name, "the STUN server answers again"),
        }
        server.trouble = trouble;
        self.tell_troubles();
    }

    /// Hands on what is wrong, with STUN servers and with the XMPP server.
    pub(crate) fn tell_troubles(&self) {
        let mut troubles = self.stun.troubles();
        troubles.extend(self.parts.xmpp.as_ref().and_then(Xmpp::trouble));
        self.parts.stun_troubles.send_if_modified(|told| {
            let differs = *told != troubles;
            *told = troubles;
            differs
        });
    }
}

/// Where a call's peer is told to send.
fn outside(mapping: Mapping) -> Ports {
    let beside = mapping.rtp.port().checked_add(1).map(|port| SocketAddr::new(mapping.rtp.ip(), port));
    Ports { rtp: mapping.rtp, rtcp: mapping.rtcp.filter(|rtcp| Some(*rtcp) != beside) }
}

/// Looks a server's name up for as long as there is an engine.
async fn look_up(name: HostPort, names: Names, inbox: mpsc::Sender<Event>) {
    loop {
        let port = name.port.unwrap_or(PORT);
        let found = names.look_up(&name.host, Some(port), Some(Transport::Udp)).await;
        let (found, pause) = match found {
            Ok(found) => match found.targets.first() {
                Some(target) => (Ok(target.address), found.lifetime.max(LOOK_AGAIN)),
                None => (Err(format!("{} has no address", name.host)), TRY_AGAIN),
            },
            Err(reason) => (Err(reason), TRY_AGAIN),
        };
        if inbox.send(Event::StunServer { name: name.clone(), found }).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_5_rtcp_is_named_only_where_it_is_not_beside_rtp() {
        let at = |port| SocketAddr::from(([203, 0, 113, 1], port));
        let ports = |rtcp| outside(Mapping { rtp: at(20_000), rtcp }).rtcp;
        assert_eq!((ports(Some(at(20_001))), ports(None)), (None, None));
        assert_eq!(ports(Some(at(1024))), Some(at(1024)));
        assert_eq!(outside(Mapping { rtp: at(65_535), rtcp: Some(at(1)) }).rtcp, Some(at(1)));
    }
}
