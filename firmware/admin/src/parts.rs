//! What comes in piece by piece: files in forms and bodies of the API, each with its bound, and none for ever.

use std::{pin::pin, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;

/// Longest silence of somebody who sends.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest text field among files, in bytes.
const SHORT: usize = 1024;
/// What a form may be larger than its file, in bytes.
pub(crate) const FORM_MARGIN: usize = 64 * 1024;

/// Why something did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is larger than it may be.
    TooLarge,
    /// It broke off, or nothing came any more.
    BrokenOff,
}

/// How many bytes a request says that it has.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The next piece; `None` at the end.
pub(crate) async fn piece<E>(
    source: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
) -> Result<Option<Bytes>, Cut> {
    let come = timeout(SILENCE, source.next()).await;
    come.map_err(|_| Cut::BrokenOff)?.transpose().map_err(|_| Cut::BrokenOff)
}

/// All of it, at most so many bytes.
pub(crate) async fn whole<E>(
    source: impl Stream<Item = Result<Bytes, E>>,
    most: usize,
) -> Result<Vec<u8>, Cut> {
    let (mut source, mut bytes) = (pin!(source), Vec::new());
    while let Some(more) = piece(&mut source).await? {
        bytes.extend_from_slice(&more);
        if bytes.len() > most {
            return Err(Cut::TooLarge);
        }
    }
    Ok(bytes)
}

/// A short text field.
pub(crate) async fn short<E>(source: impl Stream<Item = Result<Bytes, E>>) -> Option<String> {
    String::from_utf8(whole(source, SHORT).await.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn pieces<const N: usize>(
        pieces: [Result<&'static str, ()>; N],
    ) -> impl Stream<Item = Result<Bytes, ()>> {
        stream::iter(pieces.map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes()))))
    }

    #[tokio::test]
    async fn app_2_what_is_sent_is_bounded_and_what_breaks_off_is_not_whole() {
        assert_eq!(whole(pieces([Ok("ab"), Ok("c")]), 3).await, Ok(b"abc".to_vec()));
        assert_eq!(whole(pieces([Ok("ab"), Ok("cd")]), 3).await, Err(Cut::TooLarge));
        assert_eq!(whole(pieces([Ok("ab"), Err(())]), 3).await, Err(Cut::BrokenOff));
        assert_eq!(short(pieces([Ok("ab")])).await.as_deref(), Some("ab"));
    }
}
