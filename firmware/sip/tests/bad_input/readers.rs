//! What must hold of every reader, whatever it is given; shared by the tests, the long run and the fuzz targets.

use sip::dialog_info::{DialogInfo, MAX_DIALOGS};
use sip::digest::Challenge;
use sip::pidf::Presence;
use sip::sdp::{KeySeed, Srtp};
use sip::sipfrag::SipFrag;
use sip::stream::{Frame, Framer, MAX_MESSAGE, StreamError};
use sip::trace::{Glance, mask};
use sip::{Codec, Direction, LocalMedia, Message, Method, NameAddr, OfferAnswer, Replaces, Uri, Via};

/// The longest text kept from a document, in characters.
const MAX_TEXT: usize = 512;

/// Reads a message: what is read is written and read alike, an answer to what is not can be written. The trace of
/// either is as long as it was. Whether it was read.
pub fn message(bytes: &[u8]) -> bool {
    let masked = mask(bytes);
    assert_eq!(masked.len(), bytes.len());
    assert_eq!(mask(&masked).len(), bytes.len());
    match Message::parse(bytes) {
        Ok(message) => {
            touch(&message);
            // The trace files it under the Call-ID of its call.
            let call_id: Option<String> =
                message.call_id().map(|id| id.chars().take(sip::trace::MAX_CALL_ID).collect());
            let is_invite = message.cseq().is_some_and(|cseq| cseq.method == Method::Invite);
            let seen = Glance::at(bytes);
            assert_eq!(seen.call_id, call_id.filter(|id| !id.is_empty()), "{}", shown(bytes));
            assert_eq!(seen.is_invite, is_invite, "{}", shown(bytes));
            let again = Message::parse(&message.write());
            assert_eq!(again.as_ref(), Ok(&message), "{}", shown(bytes));
            true
        }
        Err(error) => {
            let _ = error.to_string();
            if let Some(reply) = error.reply_400() {
                assert!(matches!(reply.code(), Some(400 | 505)));
                touch(&reply);
            }
            false
        }
    }
}

/// The longest URI that is read, in bytes.
const LONGEST_URI: usize = 2048;

/// Everything a message offers, so that what is read lazily is read as well.
fn touch(message: &Message) {
    let _ = (message.via(), message.from(), message.to(), message.contact(), message.cseq());
    let _ = (message.max_forwards(), message.expires(), message.content_type());
    for (name, value) in message.all_headers() {
        assert!(!value.contains(['\r', '\n', '\0']), "{name}: {value:?}");
        let _ =
            (Via::parse(value).map(|via| via.to_string()), Challenge::parse(value), Replaces::parse(value));
        if let Ok(address) = NameAddr::parse(value) {
            let written = address.to_string();
            // Escapes make it longer, at last longer than anybody reads.
            let is_read = written.len() > LONGEST_URI || NameAddr::parse(&written).is_ok();
            assert!(is_read, "{value:?} was written as {written:?}");
        }
        let _ = message.headers(name).count();
    }
    if let Some(uri) = message.request_uri().and_then(|uri| Uri::parse(uri).ok()) {
        let _ = (uri.number(), uri.user_unescaped(), uri.equivalent(&uri), uri.to_string());
    }
    let _ = Message::response(message, 200).write();
}

/// What we hear and where, in a test.
pub fn local() -> LocalMedia {
    let codecs = vec![Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu];
    let plain = LocalMedia::plain(([192, 0, 2, 7], 6000).into(), codecs);
    LocalMedia { srtp: Srtp::Optional, keys: Some(KeySeed::new([7; 32])), ..plain }
}

/// Reads a description as an offer and as an answer: what we answer can be answered. Whether it was a good offer.
pub fn description(bytes: &[u8]) -> bool {
    let mut caller = OfferAnswer::new(local(), 8);
    assert!(caller.create_offer(Direction::SendRecv).is_ok());
    let _ = caller.preview_answer(bytes);
    let _ = caller.receive_answer(bytes);
    assert!(caller.create_offer(Direction::SendOnly).is_ok());
    let mut desk = OfferAnswer::new(local(), 7);
    let Ok(media) = desk.receive_offer(bytes) else { return false };
    assert!((10..=60).contains(&media.ptime_ms) && media.remote_payload_type < 128);
    if let Ok(answer) = desk.create_answer(Direction::SendRecv) {
        assert!(answer.len() <= sip::sdp::MAX_SIZE, "an answer of {} bytes", answer.len());
        assert!(answer.windows(7).filter(|window| window == b"m=audio").count() >= 1);
        assert!(desk.create_offer(Direction::SendRecv).is_ok());
    }
    true
}

/// Reads a document of lamps: bounded, and written and read alike. Whether it was read.
pub fn dialog_info(bytes: &[u8]) -> bool {
    let Ok(info) = DialogInfo::parse(bytes) else { return false };
    assert!(info.dialogs.len() <= MAX_DIALOGS);
    let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.chars().count() <= MAX_TEXT);
    for dialog in &info.dialogs {
        assert!(short(&dialog.call_id) && short(&dialog.local_tag) && short(&dialog.remote_tag));
        for end in [&dialog.local, &dialog.remote].into_iter().flatten() {
            assert!(short(&end.display) && short(&end.target) && short(&Some(end.identity.clone())));
        }
    }
    assert_eq!(DialogInfo::parse(&info.write()).as_ref(), Ok(&info), "{}", shown(bytes));
    true
}

/// Reads a document of presence: its text is one short line. Whether it was read.
pub fn presence(bytes: &[u8]) -> bool {
    let Ok(presence) = Presence::parse(bytes) else { return false };
    assert!(presence.text.chars().count() <= MAX_TEXT && presence.entity.chars().count() <= MAX_TEXT);
    assert!(!presence.text.chars().any(char::is_control), "{:?}", presence.text);
    true
}

/// Reads a status line: written and read alike. Whether it was read.
pub fn fragment(bytes: &[u8]) -> bool {
    let Ok(fragment) = SipFrag::parse(bytes) else { return false };
    assert!((100..700).contains(&fragment.code));
    assert_eq!(
        SipFrag::parse(&fragment.write()).as_ref(),
        Ok(&fragment),
        "{}",
        String::from_utf8_lossy(bytes)
    );
    true
}

/// Reads a stream that comes in pieces of two sizes by turns, of which its first two bytes tell: its messages and its end
/// are those of the stream in one piece, and each message is one by itself, too. Whether there was a message.
pub fn framing(bytes: &[u8]) -> bool {
    let Some((&[one, other], stream)) = bytes.split_first_chunk::<2>() else { return false };
    let whole = framed(std::iter::once(stream));
    let mut rest = stream;
    let sizes = [usize::from(one) + 1, usize::from(other) + 1].into_iter().cycle();
    let pieces = sizes.map_while(|size| {
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(framed(pieces), whole, "in other pieces it is another stream: {}", shown(stream));
    for message in &whole.0 {
        assert_eq!(framed(std::iter::once(message.as_slice())), (vec![message.clone()], None));
    }
    !whole.0.is_empty()
}

/// The messages of a stream and why it ended before its end. What waits for its end is never more than a message.
fn framed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<StreamError>) {
    let (mut framer, mut messages) = (Framer::new(), Vec::new());
    // Bytes of all pieces since a message has begun, and the largest of them: before it there may be others in its piece.
    let (mut waiting, mut largest) = (0_usize, 0_usize);
    for piece in pieces {
        framer.push(piece);
        waiting += piece.len();
        largest = largest.max(piece.len());
        loop {
            match framer.next() {
                Ok(Some(Frame::Message(message))) => {
                    assert!(message.len() <= MAX_MESSAGE, "a message of {} bytes", message.len());
                    messages.push(message);
                    waiting = piece.len();
                }
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(framer.next(), Err(error), "an error stays");
                    return (messages, Some(error));
                }
            }
        }
        if framer.is_between() {
            waiting = 0;
        }
        assert!(waiting <= MAX_MESSAGE + largest, "{waiting} bytes wait");
    }
    (messages, None)
}

/// As much of it as a person reads.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(3_000)]).into_owned()
}
