//! The way to `frontdesk-plugind`: one connection that follows what the plugins do, made again whenever it breaks.
//!
//! A host that is away is no fault of the page: it is said where plugins would be.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PLUGIN_PROTOCOL, PluginAnswer,
    PluginProblem, PluginRequest, PluginView, ToPlugins,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::app::App;

/// What stands around a request in its frame, in bytes.
const FRAME_MARGIN: usize = 128;
/// Requests that may wait for the connection.
const QUEUE: usize = 32;
/// How long the handshake and a frame that is written may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer may take: a test is given 60 s by the host.
const ANSWER: Duration = Duration::from_secs(90);
/// Pauses before the connection is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The host now.
#[derive(Clone, Debug)]
pub(crate) enum HostNow {
    /// Not there; why, for people.
    Away(String),
    /// There.
    Here {
        /// Version of `frontdesk-plugind`.
        version: String,
        /// In the order of their names.
        plugins: Vec<PluginView>,
    },
}

/// Why a request was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum HostProblem {
    /// Nobody answers.
    #[error("the plugin host is away")]
    Away,
    /// More than one frame takes.
    #[error("the request is too large")]
    TooLarge,
    /// It said no.
    #[error(transparent)]
    Refused(#[from] PluginProblem),
}

struct Asked {
    request: PluginRequest,
    answer: oneshot::Sender<Result<PluginAnswer, HostProblem>>,
}

/// See the module.
pub(crate) struct Host {
    path: PathBuf,
    now: watch::Sender<Arc<HostNow>>,
    requests: mpsc::Sender<Asked>,
    /// Taken by [`follow`].
    queue: Mutex<Option<mpsc::Receiver<Asked>>>,
}

impl Host {
    pub(crate) fn new(path: PathBuf) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE);
        let (now, _) = watch::channel(Arc::new(HostNow::Away("not asked yet".into())));
        Self { path, now, requests, queue: Mutex::new(Some(queue)) }
    }

    /// What is known of the host.
    pub(crate) fn now(&self) -> Arc<HostNow> {
        Arc::clone(&self.now.borrow())
    }

    /// A plugin has just been installed: it is known before the host's next list says so.
    pub(crate) fn learn(&self, plugin: &PluginView) {
        self.now.send_if_modified(|now| {
            let HostNow::Here { plugins, .. } = Arc::make_mut(now) else { return false };
            match plugins.iter_mut().find(|known| known.id == plugin.id) {
                Some(known) => known.clone_from(plugin),
                None => plugins.push(plugin.clone()),
            }
            true
        });
    }

    /// A plugin, as it was last told.
    pub(crate) fn plugin(&self, id: &str) -> Result<PluginView, HostProblem> {
        match &*self.now() {
            HostNow::Away(_) => Err(HostProblem::Away),
            HostNow::Here { plugins, .. } => {
                let found = plugins.iter().find(|plugin| plugin.id == id);
                found.cloned().ok_or(HostProblem::Refused(PluginProblem::NoSuchPlugin))
            }
        }
    }

    /// Asks the host. It may carry out what was asked although nobody waits for the answer any more.
    pub(crate) async fn ask(&self, request: PluginRequest) -> Result<PluginAnswer, HostProblem> {
        // Found out here: on the connection it would be an error for everybody.
        if ipc::encode(&request, MAX_FRAME_TO_PLUGINS - FRAME_MARGIN).is_err() {
            return Err(HostProblem::TooLarge);
        }
        let (answer, told) = oneshot::channel();
        self.requests.try_send(Asked { request, answer }).map_err(|_| HostProblem::Away)?;
        match timeout(ANSWER, told).await {
            Ok(Ok(answer)) => answer,
            _ => Err(HostProblem::Away),
        }
    }
}

/// Follows the host until the task is dropped.
pub(crate) async fn follow(app: Arc<App>) {
    let host = &app.host;
    let queue = host.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut queue) = queue else { return };
    let mut pause = FIRST_PAUSE;
    loop {
        let problem = match Link::open(&host.path, true).await {
            Ok(mut link) => {
                info!(version = link.version, "plugin host connected");
                pause = FIRST_PAUSE;
                talk(&mut link, &mut queue, &host.now).await
            }
            Err(problem) => problem,
        };
        if matches!(**host.now.borrow(), HostNow::Here { .. }) {
            warn!(%problem, "the plugin host is gone");
        }
        host.now.send_replace(Arc::new(HostNow::Away(problem.to_string())));
        let rest = sleep(pause);
        tokio::pin!(rest);
        loop {
            tokio::select! {
                () = &mut rest => break,
                // Whoever asked may have gone.
                Some(asked) = queue.recv() => drop(asked.answer.send(Err(HostProblem::Away))),
            }
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Carries requests and answers until the connection breaks.
async fn talk(
    link: &mut Link,
    queue: &mut mpsc::Receiver<Asked>,
    now: &watch::Sender<Arc<HostNow>>,
) -> io::Error {
    let version = link.version.clone();
    let mut open: HashMap<u64, oneshot::Sender<Result<PluginAnswer, HostProblem>>> = HashMap::new();
    loop {
        let step = tokio::select! {
            Some(asked) = queue.recv() => {
                open.retain(|_, answer| !answer.is_closed());
                link.send(asked.request).await.map(|seq| drop(open.insert(seq, asked.answer)))
            }
            message = link.next() => message.map(|message| match message {
                FromPlugins::Plugins(plugins) => {
                    now.send_replace(Arc::new(HostNow::Here { version: version.clone(), plugins }));
                }
                FromPlugins::Answer { seq, answer } => {
                    if let Some(waiting) = open.remove(&seq) {
                        // Whoever asked may have gone.
                        let _ = waiting.send(answer.map_err(HostProblem::Refused));
                    }
                }
                FromPlugins::Welcome { .. } | FromPlugins::Refused { .. } => {}
            }),
        };
        if let Err(problem) = step {
            // Those who wait hear that the host is away: their senders are dropped.
            return problem;
        }
    }
}

/// One connection to the host.
pub(crate) struct Link {
    stream: UnixStream,
    decoder: Decoder,
    seq: u64,
    version: String,
}

impl Link {
    /// Connects and shakes hands.
    pub(crate) async fn open(path: &Path, follow: bool) -> io::Result<Self> {
        let shake = async {
            let stream = UnixStream::connect(path).await?;
            let decoder = Decoder::new(MAX_FRAME_FROM_PLUGINS);
            let mut link = Self { stream, decoder, seq: 0, version: String::new() };
            let program = "admin".into();
            link.write(&ToPlugins::Hello { protocol: PLUGIN_PROTOCOL, program, follow }).await?;
            match link.next().await? {
                FromPlugins::Welcome { version } => link.version = version,
                FromPlugins::Refused { reason } => return Err(io::Error::other(reason)),
                _ => return Err(io::Error::other("the plugin host does not speak our language")),
            }
            Ok(link)
        };
        timeout(PATIENCE, shake).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Asks and waits, on a connection that asks one thing at a time.
    pub(crate) async fn ask(&mut self, request: PluginRequest) -> Result<PluginAnswer, HostProblem> {
        let wait = async {
            let asked = self.send(request).await?;
            loop {
                match self.next().await? {
                    FromPlugins::Answer { seq, answer } if seq == asked => return Ok::<_, io::Error>(answer),
                    _ => {}
                }
            }
        };
        match timeout(ANSWER, wait).await {
            Ok(Ok(answer)) => answer.map_err(HostProblem::Refused),
            Ok(Err(problem)) => {
                warn!(%problem, "an upload's connection to the plugin host broke");
                Err(HostProblem::Away)
            }
            Err(_) => Err(HostProblem::Away),
        }
    }

    async fn send(&mut self, request: PluginRequest) -> io::Result<u64> {
        self.seq += 1;
        let seq = self.seq;
        self.write(&ToPlugins::Request { seq, request }).await?;
        Ok(seq)
    }

    async fn write(&mut self, message: &ToPlugins) -> io::Result<()> {
        let frame = ipc::encode(message, MAX_FRAME_TO_PLUGINS).map_err(io::Error::other)?;
        let written = timeout(PATIENCE, self.stream.write_all(&frame)).await;
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// The next message. Nothing is lost when this is dropped while it waits.
    async fn next(&mut self) -> io::Result<FromPlugins> {
        loop {
            if let Some(message) = self.decoder.next_message().map_err(io::Error::other)? {
                return Ok(message);
            }
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.decoder.push(&bytes[..n]),
            }
        }
    }
}
