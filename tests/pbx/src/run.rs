//! The exchange with its socket and clock: one thread, one loop.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::control::{self, Request};
use crate::exchange::{Exchange, Settings};
use crate::leg;
use crate::report::{Command, Reply};
use crate::script::Script;

/// How long calls may take to end when the exchange stops.
const DRAIN: Duration = Duration::from_secs(2);
/// Commands that may wait.
const INBOX: usize = 64;
/// The largest UDP datagram.
const MAX_DATAGRAM: usize = 65_535;

/// How to run an exchange.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where SIP is served over UDP; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where the control line is served over TCP, if at all; port 0 takes any free one.
    pub control: Option<SocketAddr>,
    /// Serve other machines too. The passwords are no secret, so this is for closed networks.
    pub allow_remote: bool,
    /// User of the desk's account.
    pub user: String,
    /// Password of the desk's account.
    pub password: String,
    /// What happens by itself.
    pub script: Script,
    /// Decides who calls when.
    pub seed: u64,
    /// How long a transfer target that does not answer is rung.
    pub transfer_patience: Duration,
}

/// An exchange could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Only loopback is served unless remote machines are allowed.
    #[error("{0} is not a loopback address; other machines are served with --allow-remote only")]
    Remote(SocketAddr),
    /// The unspecified address cannot be put into messages.
    #[error("{0} is no address others can send to; name one of this machine's")]
    Unspecified(SocketAddr),
    /// A socket.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, io::Error),
    /// The machinery around.
    #[error("cannot start: {0}")]
    Runtime(#[from] io::Error),
}

/// The exchange has stopped.
#[derive(Debug, thiserror::Error)]
#[error("the exchange has stopped")]
pub struct Gone;

/// A running exchange; dropping it stops it.
pub struct Pbx {
    address: SocketAddr,
    control: Option<SocketAddr>,
    requests: mpsc::Sender<Request>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pbx {
    /// Binds the sockets and starts the exchange's thread.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(options: Options) -> Result<Pbx, StartError> {
        for address in std::iter::once(options.listen).chain(options.control) {
            allowed(address, options.allow_remote)?;
        }
        let (sip, address) = bind_sip(options.listen)?;
        let control = options.control.map(bind_control).transpose()?;
        let (control, control_address) = control.unzip();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let settings = Settings {
            address,
            user: options.user,
            password: options.password,
            script: options.script,
            seed: options.seed,
            transfer_patience: options.transfer_patience,
            secret: secret(),
        };
        let (requests, inbox) = mpsc::channel(INBOX);
        let (stop, stopped) = oneshot::channel();
        let for_control = requests.clone();
        let thread = std::thread::Builder::new().name("exchange".into()).spawn(move || {
            let served = runtime.block_on(async move {
                if let Some(listener) = control {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    tokio::spawn(control::serve(listener, for_control));
                }
                serve(tokio::net::UdpSocket::from_std(sip)?, settings, inbox, stopped).await;
                Ok::<(), io::Error>(())
            });
            if let Err(error) = served {
                tracing::error!(%error, "exchange");
            }
        })?;
        Ok(Pbx { address, control: control_address, requests, stop: Some(stop), thread: Some(thread) })
    }

    /// Hangs up every call and waits for the thread to end, at most about two seconds.
    pub fn stop(mut self) {
        self.halt();
    }

    /// Where SIP is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the control line is served.
    pub fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Carries out one command, as the control line would. Not to be called from asynchronous code.
    ///
    /// # Errors
    /// [`Gone`] if the exchange has stopped.
    pub fn command(&self, command: Command) -> Result<Reply, Gone> {
        let (back, reply) = oneshot::channel();
        self.requests.blocking_send((command, back)).map_err(|_| Gone)?;
        reply.blocking_recv().map_err(|_| Gone)
    }

    fn halt(&mut self) {
        // A thread that has ended already needs no word, and one that panicked has said so.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Pbx {
    fn drop(&mut self) {
        self.halt();
    }
}

async fn serve(
    sip: tokio::net::UdpSocket,
    settings: Settings,
    mut inbox: mpsc::Receiver<Request>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut exchange = Exchange::new(Instant::now(), settings);
    let mut ticker = tokio::time::interval(leg::TICK);
    let mut buffer = vec![0; MAX_DATAGRAM];
    let mut end: Option<Instant> = None;
    loop {
        let deadline = [exchange.deadline(), end].into_iter().flatten().min();
        tokio::select! {
            received = sip.recv_from(&mut buffer) => match received {
                Ok((length, from)) => exchange.handle_datagram(Instant::now(), from, &buffer[..length]),
                // An ICMP echo of something sent to a closed port; the transaction's timer notices too.
                Err(error) => tracing::debug!(%error, "SIP socket"),
            },
            () = sleep_until(deadline) => exchange.handle_timeout(Instant::now()),
            _ = ticker.tick() => exchange.tick(),
            Some((command, back)) = inbox.recv() => {
                // Somebody who no longer waits for the answer does not get one.
                let _ = back.send(exchange.command(Instant::now(), command));
            }
            _ = &mut stopped, if end.is_none() => {
                end = Some(Instant::now() + DRAIN);
                exchange.shut_down(Instant::now());
            }
        }
        while let Some(transmit) = exchange.poll_transmit() {
            if let Err(error) = sip.send_to(&transmit.bytes, transmit.to.address).await {
                tracing::debug!(%error, to = %transmit.to, "SIP socket");
            }
        }
        if end.is_some_and(|end| exchange.drained() || Instant::now() >= end) {
            return;
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn allowed(address: SocketAddr, remote: bool) -> Result<(), StartError> {
    match address.ip() {
        ip if ip.is_unspecified() => Err(StartError::Unspecified(address)),
        ip if !ip.is_loopback() && !remote => Err(StartError::Remote(address)),
        _ => Ok(()),
    }
}

fn bind_sip(listen: SocketAddr) -> Result<(UdpSocket, SocketAddr), StartError> {
    let bound = UdpSocket::bind(listen).and_then(|socket| {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    });
    bound.map_err(|error| StartError::Bind(listen, error))
}

fn bind_control(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = TcpListener::bind(listen).and_then(|socket| {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    });
    bound.map_err(|error| StartError::Bind(listen, error))
}

/// 64 bits from the operating system, by way of the seed every hash map gets.
fn secret() -> u64 {
    RandomState::new().build_hasher().finish()
}
