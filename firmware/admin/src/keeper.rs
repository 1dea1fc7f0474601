//! The thread that has the store: SQLite waits for the disk, and nobody else shall.

use std::{io, thread};

use store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// The way to the thread; it ends when the last of these is gone.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    jobs: mpsc::Sender<Job>,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is ending.
    #[error("the desk is shutting down")]
    Stopped,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(mut store: Store) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut store);
            }
        };
        thread::Builder::new().name("admin-store".into()).spawn(work)?;
        Ok(Self { jobs })
    }

    /// Does something with the store and waits for it. It is done even when nobody waits any more.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, KeeperError> {
        let (answer, done) = oneshot::channel();
        // Whoever asked may have gone.
        let job: Job = Box::new(move |store| drop(answer.send(work(store))));
        self.jobs.send(job).await.map_err(|_| KeeperError::Stopped)?;
        done.await.map_err(|_| KeeperError::Stopped)?.map_err(KeeperError::Store)
    }
}
