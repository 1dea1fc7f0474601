//! Offer and answer between two ends, and against descriptions as peers really send them.
#![allow(clippy::unwrap_used, reason = "tests")]

use sip::{Codec, Direction, LocalMedia, Media, OfferAnswer, SdpError};

use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

fn end(host: u8, codecs: &[Codec]) -> OfferAnswer {
    let rtp = format!("192.0.2.{host}:{}", 4000 + u16::from(host) * 10).parse().unwrap();
    OfferAnswer::new(LocalMedia::plain(rtp, codecs.to_vec()), 0xdead_beef)
}

fn desk() -> OfferAnswer {
    end(1, &[Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu])
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

fn version(body: &[u8]) -> u64 {
    text(body).lines().find(|l| l.starts_with("o=")).unwrap().split(' ').nth(2).unwrap().parse().unwrap()
}

/// One exchange; what each end may do afterwards.
fn exchange(
    offerer: &mut OfferAnswer,
    wants: Direction,
    answerer: &mut OfferAnswer,
    wish: Direction,
) -> (Media, Media) {
    let offer = offerer.create_offer(wants).unwrap();
    answerer.receive_offer(&offer).unwrap();
    let answer = answerer.create_answer(wish).unwrap();
    let ours = offerer.receive_answer(&answer).unwrap();
    (ours, answerer.media().unwrap().clone())
}

/// A peer's description with one audio line and whatever follows it.
fn peer(audio: &str, rest: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 5 6 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n{audio}\r\n{rest}"
    )
    .into_bytes()
}

#[test]
fn two_ends_agree() {
    let (mut desk, mut phone) = (desk(), end(2, &[Codec::Pcmu, Codec::G722]));
    let (ours, theirs) = exchange(&mut desk, SendRecv, &mut phone, SendRecv);
    assert_eq!((ours.codec, ours.direction, ours.ptime_ms), (Codec::G722, SendRecv, 20));
    assert_eq!(ours.remote_rtp, "192.0.2.2:4020".parse().unwrap());
    assert_eq!(ours.remote_rtcp, Some("192.0.2.2:4020".parse().unwrap()), "both multiplex RTCP");
    assert_eq!((ours.payload_type, ours.remote_payload_type), (9, 9));
    assert_eq!((ours.dtmf_payload_type, ours.dtmf_clock_hz), (Some(101), 8000));
    assert_eq!((theirs.codec, theirs.remote_rtp), (Codec::G722, "192.0.2.1:4010".parse().unwrap()));
}

#[test]
fn the_first_offer_on_the_wire() {
    let offer = end(1, &[Codec::Opus, Codec::Pcma]).create_offer(SendRecv).unwrap();
    assert_eq!(
        text(&offer),
        "v=0\r\no=- 1867964279 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4010 RTP/AVP 111 8 110 101\r\n\
         a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:110 telephone-event/48000\r\n\
         a=fmtp:110 0-16\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n"
    );
}

#[test]
fn hold_twice_is_still_hold_and_the_version_tells() {
    let (mut desk, mut phone) = (desk(), end(2, &[Codec::Pcma]));
    exchange(&mut desk, SendRecv, &mut phone, SendRecv);
    let first = desk.create_offer(SendOnly).unwrap();
    phone.receive_offer(&first).unwrap();
    let answer = phone.create_answer(SendRecv).unwrap();
    assert!(text(&answer).contains("a=recvonly"));
    assert!(phone.held_by_peer() && !desk.held_by_peer());
    assert_eq!(desk.receive_answer(&answer).unwrap().direction, SendOnly);

    let second = desk.create_offer(SendOnly).unwrap();
    assert_eq!(second, first, "nothing changed, so the version must not (RFC 3264 section 8)");
    phone.receive_offer(&second).unwrap();
    let answer = phone.create_answer(SendRecv).unwrap();
    assert_eq!(phone.media().unwrap().direction, RecvOnly);
    assert_eq!(desk.receive_answer(&answer).unwrap().direction, SendOnly);

    let retrieve = desk.create_offer(SendRecv).unwrap();
    assert_eq!(version(&retrieve), version(&first) + 1);
    phone.receive_offer(&retrieve).unwrap();
    let answer = phone.create_answer(SendRecv).unwrap();
    assert_eq!(desk.receive_answer(&answer).unwrap().direction, SendRecv);
    assert!(!phone.held_by_peer());
}

#[test]
fn both_hold_and_both_retrieve() {
    let (mut desk, mut phone) = (desk(), end(2, &[Codec::Pcma]));
    exchange(&mut desk, SendRecv, &mut phone, SendRecv);
    exchange(&mut desk, SendOnly, &mut phone, SendRecv);
    let (theirs, ours) = exchange(&mut phone, SendOnly, &mut desk, SendOnly);
    assert_eq!((ours.direction, theirs.direction), (Inactive, Inactive));
    let (ours, theirs) = exchange(&mut desk, SendRecv, &mut phone, SendOnly);
    assert_eq!((ours.direction, theirs.direction), (RecvOnly, SendOnly));
    let (theirs, ours) = exchange(&mut phone, SendRecv, &mut desk, SendRecv);
    assert_eq!((ours.direction, theirs.direction), (SendRecv, SendRecv));
}

#[test]
fn every_pair_of_directions_agrees_at_both_ends() {
    for wants in [SendRecv, SendOnly, RecvOnly, Inactive] {
        for wish in [SendRecv, SendOnly, RecvOnly, Inactive] {
            let (ours, theirs) = exchange(&mut desk(), wants, &mut end(2, &[Codec::Pcma]), wish);
            assert_eq!(ours.direction, theirs.direction.mirrored(), "{wants:?} {wish:?}");
            assert!(
                (!ours.direction.sends() || wants.sends()) && (!theirs.direction.sends() || wish.sends())
            );
        }
    }
}

#[test]
fn the_old_hold_with_a_zero_address() {
    let mut desk = desk();
    desk.receive_offer(&peer("m=audio 9000 RTP/AVP 8", "")).unwrap();
    desk.create_answer(SendRecv).unwrap();
    let hold = text(&peer("m=audio 9000 RTP/AVP 8", "")).replace("c=IN IP4 198.51.100.7", "c=IN IP4 0.0.0.0");
    desk.receive_offer(hold.as_bytes()).unwrap();
    let answer = desk.create_answer(SendRecv).unwrap();
    assert!(text(&answer).contains("a=recvonly"));
    let media = desk.media().unwrap();
    assert!(desk.held_by_peer() && !media.direction.sends() && media.remote_rtp.ip().is_unspecified());
    desk.receive_offer(&peer("m=audio 9000 RTP/AVP 8", "")).unwrap();
    desk.create_answer(SendRecv).unwrap();
    assert!(!desk.held_by_peer());
}

#[test]
fn video_and_second_audio_are_refused_in_their_place_for_ever() {
    let mut desk = desk();
    let offer = b"v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nt=0 0\r\nm=video 5000 RTP/AVP 96 97\r\nc=IN IP4 198.51.100.8\r\na=rtpmap:96 VP8/90000\r\n\
        m=audio 5002 RTP/SAVP 8\r\nc=IN IP4 198.51.100.9\r\nm=audio 5004 RTP/AVP 8\r\nc=IN IP4 198.51.100.10\r\nm=audio 5006 RTP/AVP 0\r\nc=IN IP4 198.51.100.10\r\n";
    let media = desk.receive_offer(offer).unwrap();
    assert_eq!(media.remote_rtp, "198.51.100.10:5004".parse().unwrap());
    let lines = |body: &[u8]| {
        text(body).lines().filter(|l| l.starts_with("m=")).map(str::to_owned).collect::<Vec<_>>()
    };
    let expected =
        ["m=video 0 RTP/AVP 96 97", "m=audio 0 RTP/SAVP 8", "m=audio 4010 RTP/AVP 8", "m=audio 0 RTP/AVP 0"];
    assert_eq!(lines(&desk.create_answer(SendRecv).unwrap()), expected);
    let hold = lines(&desk.create_offer(SendOnly).unwrap());
    assert_eq!(hold.len(), 4);
    assert_eq!(
        (&hold[0], &hold[1], &hold[3]),
        (&expected[0].to_owned(), &expected[1].to_owned(), &expected[3].to_owned())
    );
    assert!(hold[2].starts_with("m=audio 4010 RTP/AVP 8 "));
}

#[test]
fn dynamic_numbers_are_the_offerers_and_never_change_meaning() {
    let mut desk = desk();
    let offer = peer(
        "m=audio 9000 RTP/AVP 101 111",
        "a=rtpmap:101 opus/48000/2\r\na=fmtp:101 maxaveragebitrate=20000;useinbandfec=1; cbr=1\r\na=rtpmap:111 telephone-event/48000\r\n",
    );
    let media = desk.receive_offer(&offer).unwrap();
    assert_eq!((media.codec, media.payload_type, media.remote_payload_type), (Codec::Opus, 101, 101));
    assert_eq!((media.dtmf_payload_type, media.dtmf_clock_hz), (Some(111), 48_000));
    let opus = media.opus.unwrap();
    assert!(opus.inband_fec && opus.constant_bitrate && !opus.dtx);
    assert_eq!((opus.max_average_bitrate, opus.max_playback_rate_hz), (Some(20_000), 48_000));
    assert!(text(&desk.create_answer(SendRecv).unwrap()).contains("m=audio 4010 RTP/AVP 101 111\r\n"));
    let hold = text(&desk.create_offer(SendOnly).unwrap());
    assert!(hold.contains("m=audio 4010 RTP/AVP 101 9 8 0 111 96\r\n"), "{hold}");
    assert!(hold.contains("a=rtpmap:96 telephone-event/8000"));
}

#[test]
fn what_we_send_carries_the_number_of_the_answer() {
    let mut desk = desk();
    desk.create_offer(SendRecv).unwrap();
    let media = desk
        .receive_answer(&peer(
            "m=audio 9000 RTP/AVP 96 97",
            "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 telephone-event/8000\r\n",
        ))
        .unwrap();
    assert_eq!((media.payload_type, media.remote_payload_type), (111, 96));
    assert_eq!((media.dtmf_payload_type, media.dtmf_clock_hz), (Some(97), 8_000));
}

#[test]
fn packet_time_is_the_peers_within_reason() {
    for (lines, expected) in [
        ("", 20),
        ("a=ptime:30\r\n", 30),
        ("a=ptime:35\r\n", 30),
        ("a=ptime:0\r\n", 10),
        ("a=ptime:200\r\n", 60),
        ("a=ptime:40\r\na=maxptime:20\r\n", 20),
        ("a=ptime:x\r\n", 20),
        ("a=ptime:20.0\r\n", 20),
    ] {
        assert_eq!(
            desk().receive_offer(&peer("m=audio 9000 RTP/AVP 8", lines)).unwrap().ptime_ms,
            expected,
            "{lines}"
        );
    }
}

#[test]
fn rtcp_elsewhere_and_at_the_last_port() {
    let media = |audio: &str, rest: &str| desk().receive_offer(&peer(audio, rest)).unwrap();
    assert_eq!(
        media("m=audio 9000 RTP/AVP 8", "a=rtcp:9100\r\n").remote_rtcp,
        Some("198.51.100.7:9100".parse().unwrap())
    );
    assert_eq!(
        media("m=audio 9000 RTP/AVP 8", "a=rtcp:9100 IN IP4 198.51.100.9\r\n").remote_rtcp,
        Some("198.51.100.9:9100".parse().unwrap())
    );
    assert_eq!(media("m=audio 65535 RTP/AVP 8", "").remote_rtcp, None);
}

#[test]
fn careless_descriptions_are_read() {
    let offers: [&[u8]; 7] = [
        b"v=0\nc=IN IP4 198.51.100.7\nm=audio 9000 RTP/AVP 8\n",
        b"v=0\r\no=M\xfcller 99999999999999999999999 x IN\r\ns=\r\nc=IN IP4 198.51.100.7 \r\nb=rubbish\r\nt=\r\nm=audio 9000 RTP/AVP 8 \r\na=\r\nx\r\n",
        b"v=0\r\nc=IN IP4 198.51.100.7\r\nc=IN IP4 198.51.100.8\r\nk=clear\r\nz=1\r\nr=x\r\nm=audio  9000  RTP/AVP  8\r\n",
        b"\r\nv=0\r\nm=audio 9000/2 rtp/avp 8 8 300 x\r\nc=in ip4 198.51.100.7/127\r\n",
        b"v=0\r\na=SENDRECV\r\nc=IN IP4 198.51.100.7\r\nm=AUDIO 9000 RTP/AVPF 96\r\na=RTPMAP:96 pcma/8000\r\n",
        b"v=0\rc=IN IP4 198.51.100.7\rm=audio 9000 RTP/AVP 8\r",
        b"v=0\r\nc=IN IP4 198.51.100.7\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio 9000 RTP/AVP 8 0\r\na=ice-ufrag:x\r\n",
    ];
    for offer in offers {
        let media =
            desk().receive_offer(offer).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(offer)));
        assert_eq!(
            (media.codec, media.remote_rtp, media.direction),
            (Codec::Pcma, "198.51.100.7:9000".parse().unwrap(), SendRecv)
        );
    }
}

#[test]
fn refusals_say_why() {
    let with_address = |line: &str| {
        text(&peer("m=audio 9000 RTP/AVP 8", "")).replace("c=IN IP4 198.51.100.7", line).into_bytes()
    };
    let cases: [(Vec<u8>, SdpError, u16); 13] = [
        (b"".to_vec(), SdpError::Malformed("no v= line"), 400),
        (b"hello".to_vec(), SdpError::Malformed("no v= line"), 400),
        (b"v=0\0\r\n".to_vec(), SdpError::Malformed("NUL inside"), 400),
        (peer("m=audio 99999 RTP/AVP 8", ""), SdpError::Malformed("not readable"), 400),
        (with_address(""), SdpError::Malformed("no connection address"), 400),
        (peer("", ""), SdpError::NoAudio, 488),
        (peer("m=video 9000 RTP/AVP 96", ""), SdpError::NoAudio, 488),
        (peer("m=audio 0 RTP/AVP 8", ""), SdpError::NoAudio, 488),
        (peer("m=audio 9000 RTP/SAVP 8", ""), SdpError::Transport, 488),
        (peer("m=audio 9000 RTP/AVP 18 101", "a=rtpmap:8 PCMA/8000\r\n"), SdpError::NoCommonCodec, 488),
        (peer("m=audio 9000 RTP/AVP 96", "a=rtpmap:96 PCMA/16000\r\n"), SdpError::NoCommonCodec, 488),
        (with_address("c=IN IP4 pbx.example"), SdpError::Address, 488),
        (with_address("c=IN IP6 2001:db8::1"), SdpError::Family, 488),
    ];
    for (offer, error, code) in cases {
        let mut session = desk();
        assert_eq!(session.receive_offer(&offer), Err(error), "{}", text(&offer));
        assert_eq!(error.code(), code);
        assert!(session.create_offer(SendRecv).is_ok(), "a refused offer is over");
    }
    assert_eq!(desk().receive_offer(&with_address("c=IN IP4 224.0.0.1")), Err(SdpError::Address));
}

#[test]
fn answers_that_do_not_fit() {
    let cases = [
        (peer("m=audio 9000 RTP/AVP 18", ""), SdpError::AnswerMismatch),
        (peer("m=audio 9000 RTP/SAVP 8", ""), SdpError::AnswerMismatch),
        (peer("m=video 9000 RTP/AVP 8", ""), SdpError::AnswerMismatch),
        (peer("m=audio 9000 RTP/AVP 8\r\nm=audio 9002 RTP/AVP 8", ""), SdpError::AnswerMismatch),
        (peer("", ""), SdpError::AnswerMismatch),
        (peer("m=audio 0 RTP/AVP 8", ""), SdpError::NoAudio),
        (b"x".to_vec(), SdpError::Malformed("no v= line")),
    ];
    for (answer, error) in cases {
        let mut session = desk();
        session.create_offer(SendRecv).unwrap();
        assert_eq!(session.receive_answer(&answer), Err(error), "{}", text(&answer));
        assert!(session.create_offer(SendRecv).is_ok(), "the offer is over");
    }
}

#[test]
fn glare_and_what_was_agreed_survives_a_refusal() {
    let (mut desk, mut phone) = (desk(), end(2, &[Codec::Pcma]));
    exchange(&mut desk, SendRecv, &mut phone, SendRecv);
    let agreed = desk.media().cloned();
    desk.create_offer(SendOnly).unwrap();
    assert!(desk.local_offer_pending());
    let theirs = phone.create_offer(SendOnly).unwrap();
    assert_eq!(desk.receive_offer(&theirs), Err(SdpError::OfferPending));
    assert_eq!(SdpError::OfferPending.code(), 491);
    assert_eq!(desk.create_offer(SendOnly), Err(SdpError::OfferPending));
    desk.abandon_offer();
    assert_eq!(desk.media().cloned(), agreed);
    assert_eq!(desk.receive_offer(&peer("m=audio 9000 RTP/AVP 18", "")), Err(SdpError::NoCommonCodec));
    assert_eq!(desk.media().cloned(), agreed);
    desk.receive_offer(&theirs).unwrap();
    assert!(desk.remote_offer_pending());
    assert_eq!(desk.create_offer(SendRecv), Err(SdpError::OfferPending));
    desk.create_answer(SendRecv).unwrap();
    assert_eq!(desk.media().unwrap().direction, RecvOnly);
    assert_eq!(desk.create_answer(SendRecv), Err(SdpError::NoOffer));
    assert_eq!(desk.receive_answer(&theirs), Err(SdpError::NoOffer));
}

#[test]
fn early_media_is_previewed_and_forks_answer_apart() {
    let mut desk = desk();
    desk.create_offer(SendRecv).unwrap();
    let mut fork = desk.clone();
    let early = peer("m=audio 9000 RTP/AVP 8", "a=sendonly\r\n");
    assert_eq!(desk.preview_answer(&early).unwrap().direction, RecvOnly);
    assert!(desk.local_offer_pending() && desk.media().is_none());
    assert_eq!(desk.receive_answer(&peer("m=audio 9000 RTP/AVP 8", "")).unwrap().codec, Codec::Pcma);
    assert_eq!(fork.receive_answer(&peer("m=audio 9100 RTP/AVP 0", "")).unwrap().codec, Codec::Pcmu);
    assert_eq!(desk.media().unwrap().remote_rtp.port(), 9000);
}

#[test]
fn a_later_offer_may_move_the_stream_but_not_lose_lines() {
    let mut desk = desk();
    desk.receive_offer(&peer("m=audio 9000 RTP/AVP 8\r\nm=video 9002 RTP/AVP 96", "")).unwrap();
    desk.create_answer(SendRecv).unwrap();
    let moved = text(&peer("m=audio 9100 RTP/AVP 0\r\nm=video 0 RTP/AVP 96", ""))
        .replace("198.51.100.7", "198.51.100.9");
    desk.receive_offer(moved.as_bytes()).unwrap();
    desk.create_answer(SendRecv).unwrap();
    let media = desk.media().unwrap();
    assert_eq!((media.codec, media.remote_rtp), (Codec::Pcmu, "198.51.100.9:9100".parse().unwrap()));
    assert_eq!(
        desk.receive_offer(&peer("m=audio 9100 RTP/AVP 0", "")),
        Err(SdpError::Malformed("fewer streams than before"))
    );
}

#[test]
fn ipv6_both_ways() {
    let local = |host: &str| LocalMedia::plain(host.parse().unwrap(), vec![Codec::Pcmu]);
    let mut a = OfferAnswer::new(local("[2001:db8::1]:4000"), 1);
    let mut b = OfferAnswer::new(local("[2001:db8::2]:5000"), 2);
    let (ours, _) = exchange(&mut a, SendRecv, &mut b, SendRecv);
    assert_eq!(ours.remote_rtp, "[2001:db8::2]:5000".parse().unwrap());
}

#[test]
fn nothing_to_offer_is_an_error() {
    assert_eq!(end(1, &[]).create_offer(SendRecv), Err(SdpError::NoCommonCodec));
}

#[test]
fn what_an_answer_names_besides_may_come_under_our_own_numbers() {
    let mut caller = desk();
    caller.create_offer(SendRecv).unwrap();
    let lines = "a=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";
    let media = caller.receive_answer(&peer("m=audio 9000 RTP/AVP 9 8 96 18 101", lines)).unwrap();
    let also = |media: &Media| media.also.iter().map(|it| (it.codec, it.payload_type)).collect::<Vec<_>>();
    assert_eq!((media.codec, also(&media)), (Codec::G722, vec![(Codec::Opus, 111), (Codec::Pcma, 8)]));
    // One alone is agreed to where we answer.
    let mut callee = desk();
    callee.receive_offer(&peer("m=audio 9000 RTP/AVP 9 8 0", "")).unwrap();
    callee.create_answer(SendRecv).unwrap();
    assert!(also(callee.media().unwrap()).is_empty());
}

#[test]
fn g711_under_a_number_of_the_peers_is_answered_under_that_number() {
    let lines = "a=rtpmap:96 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
    for (offered, answered) in [("96 101", "96 101"), ("96 0 101", "96 101"), ("18 96 8 101", "96 101")] {
        let mut desk = desk();
        let media = desk.receive_offer(&peer(&format!("m=audio 9000 RTP/AVP {offered}"), lines)).unwrap();
        assert_eq!((media.codec, media.payload_type, media.remote_payload_type), (Codec::Pcma, 96, 96));
        let answer = text(&desk.create_answer(SendRecv).unwrap());
        assert!(
            answer.contains(&format!("m=audio 4010 RTP/AVP {answered}\r\na=rtpmap:96 PCMA/8000")),
            "{answer}"
        );
        let hold = text(&desk.create_offer(SendOnly).unwrap());
        assert!(hold.contains("m=audio 4010 RTP/AVP 96 111 9 0 110 101\r\n"), "{hold}");
    }
}
