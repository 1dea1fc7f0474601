//! A connection to `frontdesk-plugind` on which many questions are under way at once.
//!
//! Writing is a task of its own with a bounded queue: a host that does not read loses the connection, and nobody
//! waits for it. Which answer belongs to which question is not known here (`asking`).

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PLUGIN_PROTOCOL, PluginRequest,
    ToPlugins, encode,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixStream, unix::OwnedReadHalf},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

/// How long the host may take to say welcome.
const WELCOME: Duration = Duration::from_secs(10);
/// Frames that may wait for the host.
const QUEUE: usize = 256;

pub(super) struct Line {
    read: OwnedReadHalf,
    decoder: Decoder,
    frames: mpsc::Sender<Vec<u8>>,
    writer: JoinHandle<()>,
    seq: u64,
}

impl Line {
    /// Connects, says hello and follows the list of plugins.
    pub(super) async fn open(socket: &Path) -> Result<Self> {
        let (read, mut write) = UnixStream::connect(socket).await?.into_split();
        let (frames, mut queue) = mpsc::channel::<Vec<u8>>(QUEUE);
        let writer = tokio::spawn(async move {
            while let Some(frame) = queue.recv().await {
                // The reading half notices that it is over.
                if write.write_all(&frame).await.is_err() {
                    return;
                }
            }
        });
        let decoder = Decoder::new(MAX_FRAME_FROM_PLUGINS);
        let mut line = Self { read, decoder, frames, writer, seq: 0 };
        let program = "frontdeskd (customers)".to_owned();
        line.send(&ToPlugins::Hello { protocol: PLUGIN_PROTOCOL, program, follow: true })?;
        match timeout(WELCOME, line.next()).await.context("it does not answer")?? {
            FromPlugins::Welcome { .. } => Ok(line),
            FromPlugins::Refused { reason } => bail!("refused: {reason}"),
            _ => bail!("an answer before the welcome"),
        }
    }

    /// Asks something without waiting; the number of its answer.
    ///
    /// # Errors
    /// The host does not read.
    pub(super) fn ask(&mut self, request: PluginRequest) -> Result<u64> {
        self.seq += 1;
        self.send(&ToPlugins::Request { seq: self.seq, request })?;
        Ok(self.seq)
    }

    /// The next frame. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Result<FromPlugins> {
        let mut buffer = [0; 8192];
        loop {
            if let Some(message) = self.decoder.next_message()? {
                return Ok(message);
            }
            match self.read.read(&mut buffer).await? {
                0 => bail!("it has hung up"),
                count => self.decoder.push(&buffer[..count]),
            }
        }
    }

    fn send(&self, message: &ToPlugins) -> Result<()> {
        let frame = encode(message, MAX_FRAME_TO_PLUGINS)?;
        self.frames.try_send(frame).context("it does not read")
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.writer.abort();
    }
}
