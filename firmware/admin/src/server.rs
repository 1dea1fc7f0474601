//! Connections: TLS, a bound on their number, and little patience with whoever sends slowly.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, error, warn};

use crate::{
    app::App,
    pace::{Counted, Moved},
    routes, tls,
    tls::Certificates,
};

/// Connections at once.
const MAX_CONNECTIONS: usize = 64;
/// Of these, from one address.
const MAX_OF_ONE: usize = 24;
/// How long TLS may take to be agreed on.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long the head of a request may take, the wait for it included.
const HEAD: Duration = Duration::from_secs(20);
/// No connection lives longer, but for what it moves: see [`Moved`].
const CONNECTION: Duration = Duration::from_secs(900);
/// Most that is kept of a request's head, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// Most lines in a request's head.
const MAX_HEADERS: usize = 64;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Takes connections until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, app: Arc<App>, certificates: Arc<Certificates>) {
    let config = match tls::server_config(certificates) {
        Ok(config) => config,
        Err(problem) => {
            error!(%problem, "the admin page stays closed");
            return;
        }
    };
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let router = routes::router(app);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let crowd = Crowd::default();
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(problem) => {
                // Out of file descriptors, most likely: give the others time to end.
                warn!(%problem, "cannot accept a browser");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let from = from.ip().to_canonical();
        let (Ok(place), Some(one)) = (Arc::clone(&places).try_acquire_owned(), crowd.enter(from)) else {
            debug!(%from, "a connection was refused: there are too many");
            continue;
        };
        let (acceptor, router, seat) = (acceptor.clone(), router.clone(), Arc::new((place, one)));
        tokio::spawn(async move {
            let moved = Moved::default();
            tokio::select! {
                () = connection(stream, acceptor, router, Peer(from), seat, moved.clone()) => {}
                () = moved.too_long(CONNECTION) => debug!(%from, "a connection was cut: it was open for too long"),
            }
        });
    }
}

/// The place of a connection among all, and among those of its address.
type Seat = Arc<(OwnedSemaphorePermit, One)>;

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    router: Router,
    peer: Peer,
    seat: Seat,
    moved: Moved,
) {
    let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let stream = Counted::new(stream, moved.clone());
    let inner = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(moved.clone());
        let (answer, seat) = (inner.call(request), Arc::clone(&seat));
        // On a task of its own: what was begun is brought to its end though the browser has left, the entry in the audit
        // log with it. The connection counts until then, so that who leaves at once does not have more under way.
        let answered = tokio::spawn(async move {
            let answer = answer.await;
            drop(seat);
            answer
        });
        async move { answered.await.map_err(io::Error::other).map(|Ok(response)| response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    if let Err(problem) = http.serve_connection(TokioIo::new(stream), service).await {
        // Browsers break off as they like.
        debug!(%problem, from = %peer.0, "a connection ended");
    }
}

/// How many connections each address has.
#[derive(Clone, Debug, Default)]
struct Crowd {
    addresses: Arc<std::sync::Mutex<std::collections::HashMap<IpAddr, usize>>>,
}

/// One connection of an address; it counts until this is dropped.
struct One {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    fn enter(&self, address: IpAddr) -> Option<One> {
        let mut addresses = self.lock();
        let count = addresses.entry(address).or_default();
        if *count >= MAX_OF_ONE {
            return None;
        }
        *count += 1;
        Some(One { crowd: self.clone(), address })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<IpAddr, usize>> {
        // Counts are whole whatever happened to who counted.
        self.addresses.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let mut addresses = self.crowd.lock();
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}
