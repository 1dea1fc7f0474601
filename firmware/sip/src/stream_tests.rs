//! Streams cut anywhere, keep-alives between messages, and what is no SIP.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn message(body: &str) -> Vec<u8> {
    format!(
        "INVITE sip:100@pbx.example SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n\
         l: {}\r\nSubject: a\r\n b\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// All frames of these pieces, and the error at their end.
fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<StreamError>) {
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn error(bytes: &[u8]) -> Option<StreamError> {
    frames([bytes]).1
}

#[test]
fn messages_follow_each_other_with_and_without_bodies() {
    let all = [message("v=0\r\n"), message(""), message("\r\n\r\n")].concat();
    let expected: Vec<Frame> = ["v=0\r\n", "", "\r\n\r\n"].map(|body| Frame::Message(message(body))).to_vec();
    assert_eq!(frames([&all[..]]), (expected, None));
}

#[test]
fn two_empty_lines_are_a_ping_and_one_is_a_pong() {
    assert_eq!(frames([PING]).0, [Frame::Ping]);
    assert_eq!(frames([PONG]).0, [Frame::Pong]);
    assert_eq!(frames([&b"\r"[..], b"\n"]).0, [Frame::Pong]);
    assert_eq!(frames([PING, PING]).0, [Frame::Ping, Frame::Ping]);
    // What looked like a pong was the first half of a ping.
    assert_eq!(frames([PONG, PONG]).0, [Frame::Pong, Frame::Ping]);
    let all = [PONG, &message("")[..], PING, &message("")[..]].concat();
    let whole = Frame::Message(message(""));
    assert_eq!(frames([&all[..]]).0, [Frame::Pong, whole.clone(), Frame::Ping, whole]);
}

#[test]
fn a_stream_without_lengths_ends() {
    assert_eq!(error(b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n"), Some(StreamError::NoLength));
    for length in ["-1", "x", "", "99999999999999999999999", "3\r\nl: 4"] {
        let text = format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {length}\r\n\r\n");
        assert_eq!(error(text.as_bytes()), Some(StreamError::BadLength), "{length}");
    }
    // In a folded line as well, or a reader of the message would see another length.
    let folded = b"OPTIONS sip:a SIP/2.0\r\nl:\r\n 2\r\n\r\nab";
    assert_eq!(frames([&folded[..]]).0, [Frame::Message(folded.to_vec())]);
}

#[test]
fn what_is_no_sip_ends_at_its_first_line() {
    assert_eq!(error(b"GET / HTTP/1.1\r\n"), Some(StreamError::NotSip));
    assert_eq!(error(b"\x16\x03\x01"), Some(StreamError::Tls));
    assert_eq!(error(b"\0"), Some(StreamError::NotSip));
    assert_eq!(error(&[b'A'; MAX_START_LINE + 1]), Some(StreamError::NotSip));
    assert_eq!(error(b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"), None);
}

#[test]
fn an_error_stays() {
    let mut framer = Framer::new();
    framer.push(b"GET / HTTP/1.1\r\n");
    assert_eq!(framer.next(), Err(StreamError::NotSip));
    framer.push(&message(""));
    assert_eq!(framer.next(), Err(StreamError::NotSip));
}

#[test]
fn heads_and_bodies_have_their_limits() {
    let mut head = b"OPTIONS sip:a SIP/2.0\r\n".to_vec();
    head.extend(b"Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000));
    assert_eq!(error(&head), Some(StreamError::TooLong));
    let longest = |body: usize| format!("OPTIONS sip:a SIP/2.0\r\nl: {body}\r\n\r\n").into_bytes();
    assert_eq!(error(&longest(MAX_MESSAGE)), Some(StreamError::TooLong));
    let body = MAX_MESSAGE - longest(60_000).len();
    let mut whole = longest(body);
    whole.extend(vec![b'x'; body]);
    assert_eq!(frames([&whole[..]]), (vec![Frame::Message(whole.clone())], None));
}

#[test]
fn a_message_that_has_begun_is_known_to() {
    let mut framer = Framer::new();
    assert!(framer.is_between());
    framer.push(&message("abc")[..40]);
    assert_eq!(framer.next(), Ok(None));
    assert!(!framer.is_between());
    framer.push(&message("abc")[40..]);
    assert!(matches!(framer.next(), Ok(Some(Frame::Message(_)))));
    assert!(framer.is_between());
}

fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| bytes[ends[0]..ends[1]].to_vec()).collect()
}

fn messages(frames: Vec<Frame>) -> Vec<Frame> {
    frames.into_iter().filter(|frame| matches!(frame, Frame::Message(_))).collect()
}

proptest! {
    #[test]
    fn any_cut_of_the_stream_gives_the_same_messages(
        bodies in prop::collection::vec("[a-z\r\n]{0,40}", 0..6),
        between in prop::collection::vec(prop::sample::select(vec!["", "\r\n", "\r\n\r\n", "\n"]), 6),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
    ) {
        let mut all = Vec::new();
        for (body, between) in bodies.iter().zip(&between) {
            all.extend(between.as_bytes());
            all.extend(message(body));
        }
        let expected: Vec<Frame> = bodies.iter().map(|body| Frame::Message(message(body))).collect();
        let pieces = cut(&all, &cuts);
        let (found, error) = frames(pieces.iter().map(Vec::as_slice));
        prop_assert_eq!(error, None);
        prop_assert_eq!(messages(found), expected);
        let (found, error) = frames(all.chunks(1));
        prop_assert_eq!((messages(found).len(), error), (bodies.len(), None));
    }

    #[test]
    fn hostile_bytes_end_the_same_however_they_are_cut_and_take_bounded_room(
        words in prop::collection::vec(prop::sample::select(vec![
            "SIP/2.0 200 OK", "\r\n", "\n", "\r", "l: 3", "Content-Length: 70000", ":", " ", "abc", "INVITE x SIP/2.0",
        ]), 0..60),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let all = words.concat().into_bytes();
        let whole = frames([&all[..]]);
        let pieces = cut(&all, &cuts);
        let parts = frames(pieces.iter().map(Vec::as_slice));
        prop_assert_eq!(whole.1, parts.1);
        prop_assert_eq!(messages(whole.0), messages(parts.0));
        let mut framer = Framer::new();
        for piece in std::iter::repeat_n(&all, 200) {
            framer.push(piece);
            while let Ok(Some(_)) = framer.next() {}
            prop_assert!(framer.buffer.len() <= MAX_MESSAGE + all.len());
        }
    }
}
