//! The guard between a server and ldap3. The host owns the connection, TCP or TLS; ldap3 is at the other end of
//! a socket pair and gets only whole messages that `ber` has checked, as many as the running search may have.
//! When the server breaks a rule, both ends are closed and the rule is kept for the one who asked.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::ber::{self, Fault, Kind, Operation};

/// The largest message of a server, in bytes.
pub(crate) const LARGEST: usize = 8 << 20;
/// The largest message to a server: what ldap3 makes of a request that was checked.
const LARGEST_QUESTION: usize = 1 << 20;
/// A connection on which nothing is said for so long is closed: nobody comes back for the next page.
const IDLE: Duration = Duration::from_secs(60);
/// References of one page.
const REFERENCES: usize = 10_000;
/// Elements of one page: what a byte of a message costs in memory depends on how it is cut up.
const ELEMENTS: usize = 250_000;

/// What the running operation may have, and what broke its rules.
#[derive(Debug, Default)]
pub(crate) struct Books {
    expected: Option<(u32, Operation)>,
    bytes: usize,
    elements: usize,
    entries: usize,
    references: usize,
    fault: Option<Fault>,
}

/// The books, known to both ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard(Arc<Mutex<Books>>);

impl Guard {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows so many bytes and entries from now on.
    pub(crate) fn allow(&self, bytes: usize, entries: usize) {
        let mut books = self.books();
        (books.bytes, books.entries) = (bytes, entries);
        (books.elements, books.references) = (ELEMENTS, REFERENCES);
    }

    /// The rule that was broken.
    pub(crate) fn fault(&self) -> Option<Fault> {
        self.books().fault.clone()
    }

    /// Carries messages between a server and ldap3, until one of them hangs up or the server breaks a rule.
    pub(crate) async fn relay<S: AsyncRead + AsyncWrite>(self, server: S, local: UnixStream) {
        let (from_server, to_server) = tokio::io::split(server);
        let (from_local, to_local) = local.into_split();
        // Neither end is of use without the other.
        tokio::select! {
            () = self.down(BufReader::new(from_server), to_local) => {}
            () = self.up(BufReader::new(from_local), to_server) => {}
        }
    }

    async fn down(&self, mut server: impl AsyncRead + Unpin, mut local: impl AsyncWrite + Unpin) {
        loop {
            let message = match timeout(IDLE, read_message(&mut server, self.room())).await {
                Ok(Ok(Ok(message))) => message,
                Ok(Ok(Err(fault))) => return self.break_off(fault),
                Ok(Err(_)) | Err(_) => return,
            };
            if let Err(fault) = self.admit(&message) {
                return self.break_off(fault);
            }
            if local.write_all(&message).await.is_err() {
                return;
            }
        }
    }

    async fn up(&self, mut local: impl AsyncRead + Unpin, mut server: impl AsyncWrite + Unpin) {
        while let Ok(Ok(message)) = read_message(&mut local, LARGEST_QUESTION).await {
            if let Some(expected) = ber::question(&message) {
                self.books().expected = Some(expected);
            }
            let sent = async {
                server.write_all(&message).await?;
                server.flush().await
            };
            if sent.await.is_err() {
                return;
            }
        }
    }

    fn room(&self) -> usize {
        self.books().bytes.min(LARGEST)
    }

    fn admit(&self, message: &[u8]) -> Result<(), Fault> {
        let mut books = self.books();
        let (id, operation) = books.expected.ok_or(Fault::NotLdap("an answer before any question"))?;
        books.bytes = books.bytes.checked_sub(message.len()).ok_or(Fault::TooMuch("bytes"))?;
        let kind = ber::check(message, operation, id, &mut books.elements)?;
        let one_less = |left: usize, what| left.checked_sub(1).ok_or(Fault::TooMuch(what));
        match kind {
            Kind::Entry => books.entries = one_less(books.entries, "entries")?,
            Kind::Reference => books.references = one_less(books.references, "references")?,
            Kind::Result(_) => books.expected = None,
        }
        Ok(())
    }

    fn break_off(&self, fault: Fault) {
        tracing::warn!(%fault, "an LDAP server broke a rule");
        self.books().fault.get_or_insert(fault);
    }
}

/// Reads one message, not a byte more: head, length, body. The length is looked at before there is room for it.
pub(crate) async fn read_message(
    from: &mut (impl AsyncRead + Unpin),
    largest: usize,
) -> io::Result<Result<Vec<u8>, Fault>> {
    let mut head = [0; 2];
    from.read_exact(&mut head).await?;
    let [tag, first] = head;
    if tag != 0x30 {
        return Ok(Err(Fault::NotLdap("it does not begin as one")));
    }
    let mut message = head.to_vec();
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let mut digits = [0; 4];
            let width = usize::from(first & 0x7f);
            let digits = digits.get_mut(..width).unwrap_or_default();
            from.read_exact(digits).await?;
            message.extend_from_slice(digits);
            let length = digits.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
            usize::try_from(length).unwrap_or(usize::MAX)
        }
        _ => return Ok(Err(Fault::NotLdap("a length without end or of more than four bytes"))),
    };
    if length > largest {
        return Ok(Err(Fault::TooMuch("bytes")));
    }
    let wanted = length as u64;
    // Memory grows with what comes, not with what was announced.
    if from.take(wanted).read_to_end(&mut message).await? as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Ok(message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], largest: usize) -> io::Result<Result<Vec<u8>, Fault>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read_message(&mut &bytes[..], largest))
    }

    #[test]
    fn a_length_is_believed_only_up_to_the_limit() {
        assert_eq!(read(b"\x30\x02\x05\x00rest", 10).unwrap(), Ok(b"\x30\x02\x05\x00".to_vec()));
        assert_eq!(read(b"\x30\x84\xff\xff\xff\xff", LARGEST).unwrap(), Err(Fault::TooMuch("bytes")));
        assert!(matches!(read(b"\x30\x80\x00\x00", 10).unwrap(), Err(Fault::NotLdap(_))));
        assert!(matches!(read(b"\x30\x85\0\0\0\0\0", 10).unwrap(), Err(Fault::NotLdap(_))));
        assert!(matches!(read(b"HTTP/1.1 400", 10).unwrap(), Err(Fault::NotLdap(_))));
        assert!(read(b"\x30\x05\x00", 10).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_a_fault_or_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(Ok(message)) = read(&bytes, 64) {
                prop_assert!(bytes.starts_with(&message) && message.len() <= 64 + 6);
            }
        }
    }
}
