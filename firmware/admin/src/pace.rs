//! How long somebody may take: a while, and as long as what they send and are sent takes over the slowest line that is
//! borne with. A bundle of 2 GiB comes whole over a line of 10 Mbit/s, and who trickles holds no place for ever.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep},
};

/// The slowest line that is borne with, in bytes a second.
const SLOWEST: u64 = 64 * 1024;

/// How many bytes a connection has moved, in both directions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moved(Arc<AtomicU64>);

impl Moved {
    /// Returns when more time is over than this and what is moved from now on takes.
    pub(crate) async fn too_long(&self, patience: Duration) {
        let (began, before) = (Instant::now(), self.bytes());
        loop {
            let moved = self.bytes().saturating_sub(before);
            let left = (patience + Duration::from_secs(moved / SLOWEST)).saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection whose bytes are counted.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    moved: Moved,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S, moved: Moved) -> Self {
        Self { stream, moved }
    }

    fn written(&self, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = done {
            self.moved.add(bytes);
        }
        done
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved.add(buffer.filled().len().saturating_sub(before));
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.written(done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::timeout,
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn app_2_who_moves_nothing_has_a_while_and_who_moves_much_has_longer() {
        let moved = Moved::default();
        // What was moved before gives no time.
        moved.add(100 << 20);
        timeout(Duration::from_secs(30), moved.too_long(PATIENCE)).await.unwrap();
        let upload = async {
            sleep(PATIENCE / 2).await;
            moved.add(usize::try_from(2 * SLOWEST).unwrap());
            // Long after the patience, and before the two seconds.
            sleep(PATIENCE * 4).await;
        };
        tokio::select! {
            () = upload => {}
            () = moved.too_long(PATIENCE) => panic!("it was cut though it comes"),
        }
    }

    #[tokio::test]
    async fn app_2_what_comes_and_what_goes_is_counted() {
        let (near, mut far) = duplex(64);
        let moved = Moved::default();
        let mut counted = Counted::new(near, moved.clone());
        far.write_all(b"twelve bytes").await.unwrap();
        let mut bytes = [0; 12];
        counted.read_exact(&mut bytes).await.unwrap();
        counted.write_all(b"and eight").await.unwrap();
        counted.flush().await.unwrap();
        assert_eq!(moved.bytes(), 12 + 9);
    }
}
