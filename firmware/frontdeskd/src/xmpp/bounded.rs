//! A byte stream of XML that may only be so long between two grants, and only so deep.
//!
//! The reader above has neither limit, and what it builds is dropped by recursion: without this a server, or
//! whoever it passes on, could take all memory or all of a stack. What is XML and what is not stays for the
//! reader to say; here only the marks that open and close elements are counted.

use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Elements within each other; XMPP itself uses five or six.
const MAX_DEPTH: usize = 48;

/// See the module. Writing is not limited.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    inner: S,
    /// Bytes that may still come.
    left: AtomicUsize,
    depth: Depth,
}

impl<S> Bounded<S> {
    /// `bytes` may come until the next grant.
    pub(super) fn new(inner: S, bytes: usize) -> Self {
        Self { inner, left: AtomicUsize::new(bytes), depth: Depth::default() }
    }

    /// From now on `bytes` may come, whatever came before.
    pub(super) fn grant(&self, bytes: usize) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        let refused = |what: String| Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, what)));
        let left = self.left.load(Ordering::Relaxed);
        if came.len() > left {
            return refused("the server sends an element that is too long".into());
        }
        self.left.store(left - came.len(), Ordering::Relaxed);
        if !self.depth.take(came) {
            return refused(format!("the server sends more than {MAX_DEPTH} elements within each other"));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// How deep the elements of a stream of bytes are.
#[derive(Debug, Default)]
struct Depth {
    open: usize,
    place: Place,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Text,
    /// Behind `<`.
    Began,
    /// In a tag that opens; the last byte was a `/`.
    Opening { slash: bool },
    /// In a quoted value of such a tag.
    Quoted(u8),
    /// In a tag that closes, or in `<?…?>`.
    Closing,
    /// In `<!…`, which XMPP has for CDATA only; so many `]` came last, two at most.
    Section(u8),
}

impl Depth {
    /// Counts on; `false` where it is too deep.
    fn take(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Text, b'<') => Place::Began,
                (Place::Text, _) => Place::Text,
                (Place::Began, b'/') => {
                    self.open = self.open.saturating_sub(1);
                    Place::Closing
                }
                (Place::Began, b'?') => Place::Closing,
                (Place::Began, b'!') => Place::Section(0),
                (Place::Began, _) => {
                    self.open += 1;
                    if self.open > MAX_DEPTH {
                        return false;
                    }
                    Place::Opening { slash: false }
                }
                (Place::Opening { slash }, b'>') => {
                    self.open -= usize::from(slash);
                    Place::Text
                }
                (Place::Opening { .. }, quote @ (b'"' | b'\'')) => Place::Quoted(quote),
                (Place::Opening { .. }, byte) => Place::Opening { slash: byte == b'/' },
                (Place::Quoted(quote), byte) if byte == quote => Place::Opening { slash: false },
                (Place::Closing, b'>') => Place::Text,
                (Place::Section(2), b'>') => Place::Text,
                (Place::Section(brackets), b']') => Place::Section((brackets + 1).min(2)),
                (Place::Section(_), _) => Place::Section(0),
                (place @ (Place::Quoted(_) | Place::Closing), _) => place,
            };
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn depth(text: &str) -> usize {
        // In any pieces.
        let mut whole = Depth::default();
        assert!(whole.take(text.as_bytes()));
        let mut bytewise = Depth::default();
        assert!(text.bytes().all(|byte| bytewise.take(&[byte])));
        assert_eq!((whole.open, whole.place), (bytewise.open, bytewise.place), "{text}");
        whole.open
    }

    #[test]
    fn open_elements_are_counted_whatever_stands_in_them() {
        for (text, open) in [
            ("", 0),
            ("<?xml version='1.0'?><stream:stream to=\"a\">", 1),
            ("<a><b/><c x='/' y=\"a/>b\"/></a>", 0),
            ("<a x='<'><b x=\"'\">", 2),
            ("<a/ ><b>text > more</b>", 1),
            ("<a><![CDATA[</a></a></a>]] ]>]]><b>", 2),
            ("</a></a><b>", 1),
        ] {
            assert_eq!(depth(text), open, "{text}");
        }
    }

    #[test]
    fn too_deep_is_noticed_and_wide_is_not_deep() {
        assert!(Depth::default().take("<a></a><b/>".repeat(10_000).as_bytes()));
        assert!(Depth::default().take("<a>".repeat(MAX_DEPTH).as_bytes()));
        assert!(!Depth::default().take("<a>".repeat(MAX_DEPTH + 1).as_bytes()));
        // What closes in a CDATA section does not make room.
        assert!(!Depth::default().take("<a><![CDATA[</a>]]>".repeat(MAX_DEPTH + 1).as_bytes()));
    }

    #[tokio::test]
    async fn more_bytes_than_granted_are_an_error() {
        let bytes = vec![b'x'; 100];
        let mut stream = Bounded::new(bytes.as_slice(), 10);
        let mut some = [0; 10];
        stream.read_exact(&mut some).await.unwrap();
        assert!(stream.read_exact(&mut some).await.unwrap_err().to_string().contains("too long"));
        let mut stream = Bounded::new(bytes.as_slice(), 10);
        stream.read_exact(&mut some).await.unwrap();
        stream.grant(10);
        stream.read_exact(&mut some).await.unwrap();
    }
}
