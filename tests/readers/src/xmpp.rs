//! What an XMPP server sends: nothing deeper or longer than the bounds reaches the reader of stanzas, however it comes, and
//! what is kept of a stanza is bounded.

use tokio::io::AsyncReadExt;
use xso::exports::rxml::{self, Event, Parse};

#[path = "../../../firmware/frontdeskd/src/xmpp/bounded.rs"]
#[allow(dead_code, reason = "frontdeskd uses the rest")]
mod bounded;
#[path = "../../../firmware/frontdeskd/src/xmpp/stanza.rs"]
mod stanza;

use bounded::Bounded;
use stanza::Incoming;

/// As in the sources above.
const MAX_DEPTH: usize = 48;
const MAX_TEXT: usize = 4096;
const MAX_MEMBERS: usize = 4096;

/// The first byte says how many bytes come at once, and how many may come; then comes a stanza.
pub(crate) fn xmpp(bytes: &[u8]) -> bool {
    let Some((&way, sent)) = bytes.split_first() else { return false };
    let (piece, most) =
        (usize::from(way & 15) + 1, if way & 0x80 == 0 { usize::MAX } else { usize::from(way) * 8 });
    let passed = through(sent, piece, most);
    assert_eq!(
        through(sent, usize::MAX, most).is_some(),
        passed.is_some(),
        "pieces of {piece} are another stream"
    );
    let Some(passed) = passed else {
        return false;
    };
    assert!(passed == sent && passed.len() <= most);
    assert!(depth(&passed) <= MAX_DEPTH, "deeper than the bound");
    let Ok(incoming) = xso::from_bytes::<Incoming>(&passed) else { return false };
    match &incoming {
        Incoming::Presence(presence) => {
            assert!(presence.status.len() <= MAX_TEXT && presence.show.len() <= MAX_TEXT, "{presence:?}");
        }
        Incoming::Iq(iq) => assert!(iq.members.len() <= MAX_MEMBERS),
        Incoming::StreamError(_) | Incoming::Other => {}
    }
    true
}

/// What the reader behind gets; `None` where the stream is broken off.
fn through(sent: &[u8], piece: usize, most: usize) -> Option<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    runtime.block_on(async {
        let (mut stream, mut passed) = (Bounded::new(sent, most), Vec::new());
        let mut buffer = vec![0; piece.min(sent.len().max(1))];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return Some(passed),
                Ok(read) => passed.extend_from_slice(&buffer[..read]),
                Err(_) => return None,
            }
        }
    })
}

/// How deep the elements are that the reader sees.
fn depth(mut sent: &[u8]) -> usize {
    let (mut parser, mut open, mut deepest) = (rxml::Parser::default(), 0_usize, 0);
    while let Ok(Some(event)) = parser.parse(&mut sent, true) {
        match event {
            Event::StartElement(..) => open += 1,
            Event::EndElement(..) => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}
