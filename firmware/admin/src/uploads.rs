//! Packages on their way from a browser to the plugin host.
//!
//! A package is written to a file first: it is whole before the host hears of it, and an upload that breaks off leaves
//! nothing. Each has a connection to the host of its own, with which the host forgets it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ipc::{
    MAX_PACKAGE, MAX_UPLOAD_PART, PluginAnswer, PluginGrants, PluginInspection, PluginProblem, PluginRequest,
    PluginView,
};
use rustix::io::Errno;
use tokio::{fs::File, io::AsyncReadExt, sync::Mutex as AsyncMutex};

use crate::{
    plugins::{HostProblem, Link},
    random,
    spool::{Bounds, SPARE, Spool, SpoolError, SpoolFile},
};

/// Uploads that wait for a decision; the oldest goes.
const MAX_WAITING: usize = 4;
/// Each of those under way at once takes up to 32 MiB of the disk.
const BOUNDS: Bounds = Bounds { file: MAX_PACKAGE, together: None, times: 1, spare: SPARE, at_once: 2 };
/// How the name of a package on its way begins.
const PREFIX: &str = "package-";
/// How long one waits for a decision.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// Why an upload came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadProblem {
    /// More than [`MAX_PACKAGE`] bytes.
    #[error("the file is too large")]
    TooLarge,
    /// Nothing was sent.
    #[error("no file was sent")]
    Empty,
    /// Others are being uploaded.
    #[error("other uploads are under way")]
    Busy,
    /// It broke off.
    #[error("the upload broke off")]
    BrokenOff,
    /// The disk does not take it.
    #[error("it could not be written: {0}")]
    Disk(#[from] io::Error),
    /// The host.
    #[error(transparent)]
    Host(#[from] HostProblem),
}

impl From<SpoolError> for UploadProblem {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Busy => Self::Busy,
            SpoolError::Empty => Self::Empty,
            SpoolError::TooLarge => Self::TooLarge,
            SpoolError::BrokenOff => Self::BrokenOff,
            // In the words of the system, as when the disk itself says so.
            SpoolError::NoRoom => Self::Disk(Errno::NOSPC.into()),
            SpoolError::Disk(error) => Self::Disk(error),
        }
    }
}

/// A package that the host has looked at.
#[derive(Clone)]
pub(crate) struct Waiting {
    /// Its name on our side: random, so that it tells nothing.
    pub(crate) key: String,
    pub(crate) inspection: Arc<PluginInspection>,
    since: Instant,
    link: Arc<AsyncMutex<Link>>,
}

/// See the module.
pub(crate) struct Uploads {
    socket: PathBuf,
    spool: Spool,
    waiting: Mutex<Vec<Waiting>>,
}

impl Uploads {
    /// With packages on their way in this folder; what a power cut has left of them is removed.
    pub(crate) fn new(socket: PathBuf, folder: PathBuf) -> Self {
        let spool = Spool::new(folder, PREFIX, BOUNDS);
        spool.tidy();
        Self { socket, spool, waiting: Mutex::default() }
    }

    /// Begins an upload.
    pub(crate) fn begin(&self) -> Result<SpoolFile, SpoolError> {
        self.spool.begin(self.spool.slot()?, None)
    }

    /// The file is whole: hands it to the host, which looks at it.
    pub(crate) async fn inspect(&self, mut incoming: SpoolFile) -> Result<Waiting, UploadProblem> {
        let mut package = File::open(incoming.end().await?).await?;
        let bytes = incoming.bytes();
        let mut link = Link::open(&self.socket, false).await.map_err(|_| HostProblem::Away)?;
        let upload = match link.ask(PluginRequest::Upload { bytes }).await? {
            PluginAnswer::Upload(upload) => upload,
            _ => return Err(HostProblem::Away.into()),
        };
        let mut offset = 0;
        let mut part = vec![0; MAX_UPLOAD_PART];
        while offset < bytes {
            let read = fill(&mut package, &mut part).await?;
            if read == 0 {
                return Err(UploadProblem::BrokenOff);
            }
            let base64 = STANDARD.encode(&part[..read]);
            link.ask(PluginRequest::UploadPart { upload, offset, base64 }).await?;
            offset += read as u64;
        }
        let inspection = match link.ask(PluginRequest::Inspect { upload }).await? {
            PluginAnswer::Inspection(inspection) => Arc::new(*inspection),
            _ => return Err(HostProblem::Away.into()),
        };
        let key = random::token()?;
        let waiting =
            Waiting { key, inspection, since: Instant::now(), link: Arc::new(AsyncMutex::new(link)) };
        let mut list = self.list();
        if list.len() >= MAX_WAITING {
            list.remove(0);
        }
        list.push(waiting.clone());
        Ok(waiting)
    }

    /// One that waits for a decision.
    pub(crate) fn find(&self, key: &str) -> Option<Waiting> {
        self.list().iter().find(|waiting| random::same(&waiting.key, key)).cloned()
    }

    /// Installs one.
    pub(crate) async fn install(
        &self,
        waiting: &Waiting,
        granted: PluginGrants,
        key_confirmed: bool,
    ) -> Result<PluginView, HostProblem> {
        let upload = waiting.inspection.upload;
        let request = PluginRequest::Install { upload, granted, key_confirmed };
        let answer = waiting.link.lock().await.ask(request).await?;
        self.forget(&waiting.key);
        match answer {
            PluginAnswer::Plugin(plugin) => Ok(*plugin),
            _ => {
                Err(HostProblem::Refused(PluginProblem::NotNow("the host's answer is not understood".into())))
            }
        }
    }

    /// Forgets one; the host does with its connection.
    pub(crate) fn forget(&self, key: &str) {
        self.list().retain(|waiting| waiting.key != key);
    }

    /// Forgets those that nobody has decided about.
    pub(crate) fn forget_old(&self, now: Instant) {
        self.list().retain(|waiting| now.saturating_duration_since(waiting.since) < KEPT);
    }

    fn list(&self) -> MutexGuard<'_, Vec<Waiting>> {
        // Each change is one step: what a thread that failed left is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until the buffer is full or the file at its end.
async fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..]).await? {
            0 => break,
            n => read += n,
        }
    }
    Ok(read)
}
