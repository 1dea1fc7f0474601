//! The control line: newline-delimited JSON over TCP, for tests and for a demonstrator's shell.
//!
//! Loopback only. A client that sends rubbish gets an error line; one that sends an endless line is cut off.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::report::{Command, Reply};

/// The longest line read, in bytes.
const MAX_LINE: u64 = 16 * 1024;
/// Clients at once.
const MOST_CLIENTS: usize = 8;
/// A client that does not read its answer for this long is cut off.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command on its way to the exchange, and the way back.
pub(crate) type Request = (Command, oneshot::Sender<Reply>);

/// Accepts clients until the exchange is gone.
pub(crate) async fn serve(listener: TcpListener, requests: mpsc::Sender<Request>) {
    let places = Arc::new(Semaphore::new(MOST_CLIENTS));
    loop {
        // The semaphore is never closed, so a place is always had in the end.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let requests = requests.clone();
                tokio::spawn(async move {
                    if let Err(error) = client(stream, requests).await {
                        tracing::debug!(%error, "control client");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "control line");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}

async fn client(stream: TcpStream, requests: mpsc::Sender<Request>) -> std::io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    loop {
        let mut line = Vec::new();
        (&mut input).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        if line.last() != Some(&b'\n') {
            return Ok(());
        }
        let reply = match serde_json::from_slice(&line) {
            Ok(command) => ask(&requests, command).await,
            Err(error) => Some(Reply::Failed { error: error.to_string() }),
        };
        let Some(reply) = reply else { return Ok(()) };
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        tokio::time::timeout(PATIENCE, output.write_all(&text)).await??;
    }
}

async fn ask(requests: &mpsc::Sender<Request>, command: Command) -> Option<Reply> {
    let (back, reply) = oneshot::channel();
    requests.send((command, back)).await.ok()?;
    reply.await.ok()
}
