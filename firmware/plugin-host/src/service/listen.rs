//! The socket: at most eight clients, each with threads of its own. Who may connect is a matter of the group that
//! the socket belongs to (mode 0660).

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ipc::{FromPlugins, MAX_FRAME_FROM_PLUGINS, encode};
use thiserror::Error;

use super::{Service, client};

/// Clients at once: `frontdeskd`, the admin page, and some for support.
const MOST_CLIENTS: usize = 8;

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program answers there.
    #[error("another program listens on {0} already")]
    InUse(PathBuf),
    /// Something else stands there, and is left alone.
    #[error("{0} is no socket")]
    NoSocket(PathBuf),
    /// The file system.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

/// The socket's place in the file system: free again when this is dropped, unless another has taken it.
#[derive(Debug)]
pub struct Listening {
    path: PathBuf,
    mark: Mark,
}

/// What tells one socket from the next at the same path: inodes are used again, so the time as well.
type Mark = (u64, u64, i64, i64);

impl Drop for Listening {
    fn drop(&mut self) {
        if mark(&self.path).is_ok_and(|there| there == self.mark) {
            // What stays behind is replaced by the next one.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds the socket and serves clients on threads of their own from now on. A socket left behind by a program that
/// died is replaced.
///
/// # Errors
/// See [`ListenError`].
pub fn listen(service: &Arc<Service>, path: &Path) -> Result<Listening, ListenError> {
    let failed = |error| ListenError::Io(path.to_owned(), error);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(ListenError::NoSocket(path.to_owned()));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(ListenError::InUse(path.to_owned()));
        }
        fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(failed)?;
    let listening = Listening { path: path.to_owned(), mark: mark(path).map_err(failed)? };
    let service = Arc::clone(service);
    thread::Builder::new()
        .name("socket".to_owned())
        .spawn(move || accept(&service, &listener))
        .map_err(failed)?;
    Ok(listening)
}

fn accept(service: &Arc<Service>, listener: &UnixListener) {
    let clients = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                // Out of descriptors, say: another time.
                tracing::warn!(%error, "a client could not be taken");
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        let place = Place::of(&clients);
        if clients.load(Ordering::Relaxed) > MOST_CLIENTS {
            refuse(&stream);
            continue;
        }
        let service = Arc::clone(service);
        let run = move || {
            let _place = place;
            if let Err(error) = client::serve(&service, &stream) {
                tracing::warn!(%error, "a client could not be served");
            }
        };
        if let Err(error) = thread::Builder::new().name("client".to_owned()).spawn(run) {
            tracing::warn!(%error, "a client could not be served");
        }
    }
}

/// A place that is counted, free again when it is dropped, however that comes.
pub(super) struct Place(Arc<AtomicUsize>);

impl Place {
    /// Counts one more.
    pub(super) fn of(taken: &Arc<AtomicUsize>) -> Self {
        taken.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(taken))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refuse(mut stream: &UnixStream) {
    let reason = format!("there are {MOST_CLIENTS} clients already");
    tracing::warn!(reason, "a client is refused");
    if let Ok(frame) = encode(&FromPlugins::Refused { reason }, MAX_FRAME_FROM_PLUGINS) {
        // It fits the socket's buffer; whether it is read is the client's business.
        let _ = stream.write_all(&frame);
    }
}

fn mark(path: &Path) -> io::Result<Mark> {
    let there = fs::symlink_metadata(path)?;
    Ok((there.dev(), there.ino(), there.ctime(), there.ctime_nsec()))
}
