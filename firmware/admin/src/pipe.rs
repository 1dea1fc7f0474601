//! Between a thread that reads or writes and a task that has a connection: a few pieces wait, and who is faster waits.

use std::io::{self, Read, Write};

use axum::body::Bytes;
use tokio::sync::mpsc;

/// Largest piece that is sent at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Reads what a task sends; at its end when the task lets go.
pub(crate) struct Pipe {
    from: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl Pipe {
    pub(crate) fn new(from: mpsc::Receiver<Bytes>) -> Self {
        Self { from, rest: Bytes::new() }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.from.blocking_recv() {
                Some(bytes) => self.rest = bytes,
                None => return Ok(0),
            }
        }
        let taken = self.rest.split_to(buffer.len().min(self.rest.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

/// Writes to a task; an error when the task has let go.
pub(crate) struct Spout {
    to: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Spout {
    pub(crate) fn new(to: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self { to, piece: Vec::with_capacity(PIECE) }
    }
}

impl Write for Spout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.to.blocking_send(Ok(piece.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_an_end_is_told() {
        let (sender, receiver) = mpsc::channel(100);
        let mut spout = Spout::new(sender);
        let plain: Vec<u8> = (0..200_000).map(|n| (n % 251) as u8).collect();
        spout.write_all(&plain).unwrap();
        spout.flush().unwrap();
        drop(spout);
        let (forward, onward) = mpsc::channel(100);
        let mut receiver = receiver;
        while let Some(piece) = receiver.blocking_recv() {
            forward.blocking_send(piece.unwrap()).unwrap();
        }
        drop(forward);
        let mut all = Vec::new();
        Pipe::new(onward).read_to_end(&mut all).unwrap();
        assert_eq!(all, plain);
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let mut spout = Spout::new(sender);
        spout.write_all(b"x").unwrap();
        assert_eq!(spout.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
