//! Every socket of SIP, as `frontdesk.toml` asks for them: datagrams and connections at the same ports.

use std::{io, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::mpsc,
    task::JoinHandle,
};
use tracing::{info, warn};

use super::{Way, listen, tls::Own, udp};
use crate::{
    config::SipConfig,
    engine::{Event, Gauges},
    vital,
};

/// What is open.
pub(crate) struct Sockets {
    /// For datagrams; the first is the one of `sip.listen`.
    pub(crate) datagrams: Vec<Arc<UdpSocket>>,
    listeners: Vec<(TcpListener, Option<Own>)>,
    /// Where `sip.listen` is.
    pub(crate) local: SocketAddr,
    /// Where `sip.listen_other` is.
    pub(crate) other: Option<SocketAddr>,
}

impl Sockets {
    /// Opens them.
    ///
    /// # Errors
    /// The address and what the system says. A port where only connections cannot be taken is no reason not to start.
    pub(crate) fn open(config: &SipConfig) -> Result<Self> {
        let mut sockets = Vec::new();
        let mut listeners = Vec::new();
        let mut bound = Vec::new();
        for address in [Some(config.listen), config.listen_other].into_iter().flatten() {
            let socket = udp::bind(address).with_context(|| format!("cannot receive SIP on {address}"))?;
            let local = socket.local_addr()?;
            match listen::bind(local) {
                Ok(listener) => listeners.push((listener, None)),
                Err(error) => warn!(%local, %error, "no connections are taken here (TCP)"),
            }
            sockets.push(Arc::new(socket));
            bound.push(local);
        }
        if let (Some(address), Some(certificate), Some(key)) =
            (config.listen_tls, &config.certificate, &config.key)
        {
            let own = Own::read(certificate, key)?;
            let listener =
                listen::bind(address).with_context(|| format!("cannot take TLS connections on {address}"))?;
            info!(address = %listener.local_addr()?, "TLS connections are taken");
            listeners.push((listener, Some(own)));
        }
        let local = *bound.first().ok_or_else(|| io::Error::other("no socket"))?;
        Ok(Self { datagrams: sockets, listeners, local, other: bound.get(1).copied() })
    }

    /// Reads all of them from now on.
    pub(crate) fn receive(
        self,
        inbox: &mpsc::Sender<Event>,
        gauges: &Arc<Gauges>,
        way: &Way,
    ) -> Vec<JoinHandle<()>> {
        let datagrams = self.datagrams.into_iter().map(|socket| {
            vital::spawn("datagrams", inbox, udp::receive(socket, inbox.clone(), Arc::clone(gauges)))
        });
        let connections = self.listeners.into_iter().map(|(listener, tls)| {
            vital::spawn("connections", inbox, listen::listen(listener, tls, way.clone()))
        });
        datagrams.chain(connections).collect()
    }
}
