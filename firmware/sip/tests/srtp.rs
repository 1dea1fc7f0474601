//! Offer and answer of encryption (RFC 4568), of RTCP on one port (RFC 5761), and what hostile keys do.
#![allow(clippy::unwrap_used, reason = "tests")]

use sip::sdp::{KeySeed, Srtp, SrtpKeys, SrtpSuite};
use sip::{Codec, Direction, LocalMedia, Media, OfferAnswer, SdpError};

use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
use Srtp::{Mandatory, Off, Optional};

/// RFC 4568 section 4.1.
const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

fn local(host: u8, srtp: Srtp) -> LocalMedia {
    let rtp = format!("192.0.2.{host}:4000").parse().unwrap();
    LocalMedia { srtp, keys: Some(KeySeed::new([host; 32])), ..LocalMedia::plain(rtp, vec![Codec::Pcma]) }
}

fn end(host: u8, srtp: Srtp) -> OfferAnswer {
    OfferAnswer::new(local(host, srtp), u64::from(host) << 8)
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

/// A peer's description with one audio line and whatever follows it.
fn peer(transport: &str, rest: &str) -> Vec<u8> {
    format!(
        "v=0\r\no=- 5 6 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 5000 {transport} 8\r\n{rest}"
    )
    .into_bytes()
}

fn crypto(tag: u32, suite: &str) -> String {
    format!("a=crypto:{tag} {suite} inline:{KEY}\r\n")
}

/// One exchange, seen from both ends.
fn exchange(offerer: &mut OfferAnswer, answerer: &mut OfferAnswer) -> Result<(Media, Media), SdpError> {
    let offer = offerer.create_offer(SendRecv).unwrap();
    answerer.receive_offer(&offer)?;
    let answer = answerer.create_answer(SendRecv)?;
    let ours = offerer.receive_answer(&answer)?;
    Ok((ours, answerer.media().unwrap().clone()))
}

fn both(offerer: &mut OfferAnswer, answerer: &mut OfferAnswer) -> (SrtpKeys, SrtpKeys) {
    let (ours, theirs) = exchange(offerer, answerer).unwrap();
    let (ours, theirs) = (ours.srtp.unwrap(), theirs.srtp.unwrap());
    assert_eq!((ours.suite, &ours.local, &ours.remote), (theirs.suite, &theirs.remote, &theirs.local));
    assert_ne!(ours.local, ours.remote);
    (ours, theirs)
}

#[test]
fn what_each_pair_of_policies_comes_to() {
    for (offers, answers, comes_to) in [
        (Off, Off, Ok(false)),
        (Off, Optional, Ok(false)),
        (Off, Mandatory, Err(SdpError::NotEncrypted)),
        (Optional, Off, Ok(false)),
        (Optional, Optional, Ok(true)),
        (Optional, Mandatory, Ok(true)),
        (Mandatory, Off, Err(SdpError::Transport)),
        (Mandatory, Optional, Ok(true)),
        (Mandatory, Mandatory, Ok(true)),
    ] {
        let came = exchange(&mut end(1, offers), &mut end(2, answers));
        let came = came.map(|(ours, theirs)| {
            assert_eq!(ours.srtp.is_some(), theirs.srtp.is_some());
            ours.srtp.is_some()
        });
        assert_eq!(came, comes_to, "{offers:?} {answers:?}");
        if let Err(error) = came {
            assert_eq!((error.code(), error.warning()), (488, 302));
        }
    }
    assert_eq!(SdpError::NotEncrypted.to_string(), "only encrypted calls (SRTP) are taken here");
}

#[test]
fn the_three_offers_on_the_wire() {
    let plain = text(&end(1, Off).create_offer(SendRecv).unwrap());
    assert!(plain.contains(" RTP/AVP ") && !plain.contains("crypto"));
    let optional = text(&end(1, Optional).create_offer(SendRecv).unwrap());
    assert!(optional.contains(" RTP/AVP "));
    let mandatory = text(&end(1, Mandatory).create_offer(SendRecv).unwrap());
    assert!(mandatory.contains(" RTP/SAVP "));
    for offer in [optional, mandatory] {
        let lines: Vec<&str> = offer.lines().filter(|line| line.starts_with("a=crypto:")).collect();
        let named =
            ["1 AES_CM_128_HMAC_SHA1_80 ", "2 AES_256_CM_HMAC_SHA1_80 ", "3 AES_CM_128_HMAC_SHA1_32 "];
        assert_eq!(lines.len(), named.len());
        for (line, name) in lines.iter().zip(named) {
            assert!(line["a=crypto:".len()..].starts_with(name), "{line}");
        }
    }
    let mut without = LocalMedia { keys: None, ..local(1, Optional) };
    let offer = OfferAnswer::new(without.clone(), 1).create_offer(SendRecv).unwrap();
    assert!(!text(&offer).contains("crypto"));
    without.srtp = Mandatory;
    assert_eq!(OfferAnswer::new(without, 1).create_offer(SendRecv), Err(SdpError::NoCommonSuite));
}

#[test]
fn the_answer_has_the_tag_and_profile_of_the_offer_and_a_key_of_its_own() {
    let lines = format!(
        "{}{}{}",
        crypto(4, "AEAD_AES_128_GCM"),
        crypto(17, "AES_CM_128_HMAC_SHA1_32"),
        crypto(18, "AES_CM_128_HMAC_SHA1_80")
    );
    for transport in ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP", "RTP/AVPF"] {
        let mut desk = end(1, Optional);
        assert_eq!(
            desk.receive_offer(&peer(transport, &lines)).unwrap().srtp,
            None,
            "our key comes with the answer"
        );
        let answer = text(&desk.create_answer(SendRecv).unwrap());
        assert!(answer.contains(&format!("m=audio 4000 {transport} 8\r\n")), "{answer}");
        assert_eq!(answer.matches("a=crypto:").count(), 1);
        assert!(answer.contains("a=crypto:17 AES_CM_128_HMAC_SHA1_32 inline:") && !answer.contains(KEY));
        assert_eq!(desk.media().unwrap().srtp.as_ref().unwrap().suite, SrtpSuite::AesCm128Sha1_32);
    }
}

#[test]
fn of_a_plain_and_an_encrypted_line_the_encrypted_one_is_taken_where_that_is_wanted() {
    let offer = format!(
        "{}m=audio 5002 RTP/SAVP 8\r\n{}",
        text(&peer("RTP/AVP", "")),
        crypto(1, "AES_CM_128_HMAC_SHA1_80")
    );
    for (srtp, port) in [(Off, 5000), (Optional, 5002), (Mandatory, 5002)] {
        let mut desk = end(1, srtp);
        assert_eq!(desk.receive_offer(offer.as_bytes()).unwrap().remote_rtp.port(), port);
        let answer = text(&desk.create_answer(SendRecv).unwrap());
        assert_eq!((answer.matches("m=audio 0 ").count(), answer.matches("m=audio 4000 ").count()), (1, 1));
        assert_eq!(desk.media().unwrap().srtp.is_some(), srtp != Off);
    }
}

#[test]
fn hold_and_retrieve_keep_both_keys() {
    for (a, b) in [(Optional, Optional), (Mandatory, Optional), (Optional, Mandatory)] {
        let (mut desk, mut phone) = (end(1, a), end(2, b));
        let first = both(&mut desk, &mut phone);
        assert_eq!(both(&mut desk, &mut phone), first, "our offer");
        let (theirs, ours) = both(&mut phone, &mut desk);
        assert_eq!((ours, theirs), first, "the peer's offer");
        let hold = desk.create_offer(SendOnly).unwrap();
        assert_eq!(desk.create_offer(SendOnly), Err(SdpError::OfferPending));
        phone.receive_offer(&hold).unwrap();
        let answer = phone.create_answer(SendRecv).unwrap();
        assert_eq!(desk.receive_answer(&answer).unwrap().srtp, Some(first.0.clone()));
        assert_eq!(desk.create_offer(SendOnly).unwrap(), hold, "nothing changed, so the version must not");
    }
}

#[test]
fn an_offer_again_is_the_same_whatever_was_taken_of_it() {
    for suite in ["AES_CM_128_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"] {
        let mut desk = end(1, Mandatory);
        let first = desk.create_offer(SendRecv).unwrap();
        let key = if suite.contains("256") { "A".repeat(61) + "g" } else { KEY.to_owned() };
        let answer = peer("RTP/SAVP", &format!("a=crypto:9 {suite} inline:{key}\r\n"));
        assert!(desk.receive_answer(&answer).unwrap().srtp.is_some(), "{suite}");
        assert_eq!(desk.create_offer(SendRecv).unwrap(), first, "{suite}");
    }
}

#[test]
fn another_key_of_the_peer_is_taken_and_ours_changes_with_it() {
    let (mut desk, mut phone) = (end(1, Optional), end(2, Mandatory));
    let (before, _) = both(&mut desk, &mut phone);
    let other = peer("RTP/AVP", &crypto(1, "AES_CM_128_HMAC_SHA1_80"));
    desk.receive_offer(&other).unwrap();
    desk.create_answer(SendRecv).unwrap();
    let after = desk.media().unwrap().srtp.clone().unwrap();
    assert!(after.remote != before.remote && after.local != before.local);
    // The same again changes nothing.
    desk.receive_offer(&other).unwrap();
    desk.create_answer(SendRecv).unwrap();
    assert_eq!(desk.media().unwrap().srtp, Some(after.clone()));
    // An answer may bring another key as well; ours was said in the offer.
    let offer = text(&desk.create_offer(SendRecv).unwrap());
    assert!(offer.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"));
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";
    let answer = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n");
    let changed = desk.receive_answer(&peer("RTP/AVP", &answer)).unwrap().srtp.unwrap();
    assert!(changed.local == after.local && changed.remote != after.remote);
}

#[test]
fn answers_that_do_not_fit_the_offer_are_refused() {
    let suite = "AES_CM_128_HMAC_SHA1_80";
    for (srtp, transport, lines, error) in [
        (Off, "RTP/SAVP", crypto(1, suite), SdpError::AnswerMismatch),
        (Optional, "RTP/SAVP", String::new(), SdpError::NoCommonSuite),
        (Optional, "RTP/SAVP", crypto(4, "AES_256_CM_HMAC_SHA1_32"), SdpError::NoCommonSuite),
        (Mandatory, "RTP/SAVP", String::new(), SdpError::NoCommonSuite),
        (Mandatory, "RTP/AVP", String::new(), SdpError::NotEncrypted),
        (Mandatory, "RTP/AVP", crypto(1, "NULL_HMAC_SHA1_80"), SdpError::NotEncrypted),
        (Mandatory, "UDP/TLS/RTP/SAVP", crypto(1, suite), SdpError::AnswerMismatch),
    ] {
        let mut desk = end(1, srtp);
        desk.create_offer(SendRecv).unwrap();
        assert_eq!(desk.receive_answer(&peer(transport, &lines)), Err(error), "{srtp:?} {transport} {lines}");
    }
    // Our own key, sent back: two streams under one key stream would give both away.
    let mut desk = end(1, Mandatory);
    let offer = text(&desk.create_offer(SendRecv).unwrap());
    let own = offer.lines().find(|line| line.starts_with("a=crypto:1 ")).unwrap();
    assert_eq!(desk.receive_answer(&peer("RTP/SAVP", &format!("{own}\r\n"))), Err(SdpError::NoCommonSuite));
    // Whoever answers in the other profile with keys encrypts.
    let mut desk = end(1, Optional);
    desk.create_offer(SendRecv).unwrap();
    assert!(desk.receive_answer(&peer("RTP/SAVP", &crypto(1, suite))).unwrap().srtp.is_some());
    assert!(text(&desk.create_offer(SendRecv).unwrap()).contains(" RTP/SAVP "), "its profile from then on");
}

#[test]
fn a_refused_optional_offer_insists_once_and_is_then_made_without_keys() {
    let mut desk = end(1, Optional);
    let first = text(&desk.create_offer(SendRecv).unwrap());
    assert!(first.contains(" RTP/AVP ") && first.contains("a=crypto:1 "));
    assert!(desk.offer_otherwise());
    let insists = text(&desk.create_offer(SendRecv).unwrap());
    assert!(insists.contains(" RTP/SAVP ") && insists.contains("a=crypto:1 "));
    assert!(desk.offer_otherwise());
    let plain = text(&desk.create_offer(SendRecv).unwrap());
    assert!(plain.contains(" RTP/AVP ") && !plain.contains("crypto"));
    assert!(!desk.offer_otherwise());
    assert_eq!(desk.receive_answer(&peer("RTP/AVP", "")).unwrap().srtp, None);
    for srtp in [Off, Mandatory] {
        let mut desk = end(1, srtp);
        desk.create_offer(SendRecv).unwrap();
        assert!(!desk.offer_otherwise(), "{srtp:?}");
    }
    // Nor with nothing to make keys of.
    let mut desk = OfferAnswer::new(LocalMedia { keys: None, ..local(1, Optional) }, 1);
    desk.create_offer(SendRecv).unwrap();
    assert!(!desk.offer_otherwise());
    // A refused hold is another matter.
    let (mut desk, mut phone) = (end(1, Optional), end(2, Optional));
    both(&mut desk, &mut phone);
    desk.create_offer(SendOnly).unwrap();
    assert!(!desk.offer_otherwise());
}

#[test]
fn a_peer_that_answers_the_offer_that_insists_is_kept_to_it() {
    let suite = "AES_CM_128_HMAC_SHA1_80";
    let insisting = || {
        let mut desk = end(1, Optional);
        desk.create_offer(SendRecv).unwrap();
        assert!(desk.offer_otherwise());
        desk.create_offer(SendRecv).unwrap();
        desk
    };
    let mut desk = insisting();
    assert!(desk.receive_answer(&peer("RTP/SAVP", &crypto(1, suite))).unwrap().srtp.is_some());
    let hold = text(&desk.create_offer(SendOnly).unwrap());
    assert!(hold.contains(" RTP/SAVP ") && hold.contains("a=crypto:1 "), "{hold}");
    // Its profile without a key is no answer; a plain one is, for encryption is not asked of everybody here.
    assert_eq!(insisting().receive_answer(&peer("RTP/SAVP", "")), Err(SdpError::NoCommonSuite));
    let mut desk = insisting();
    assert_eq!(desk.receive_answer(&peer("RTP/AVP", "")).unwrap().srtp, None);
    assert!(text(&desk.create_offer(SendOnly).unwrap()).contains(" RTP/AVP "));
}

#[test]
fn an_offer_without_a_usable_key_is_refused_or_plain() {
    let bad = format!(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31|1:4\r\na=crypto\r\na=crypto:\r\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:????\r\na=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}AAAA\r\n"
    );
    for (srtp, transport, comes_to) in [
        (Off, "RTP/AVP", Ok(())),
        (Optional, "RTP/AVP", Ok(())),
        (Mandatory, "RTP/AVP", Err(SdpError::NotEncrypted)),
        (Off, "RTP/SAVP", Err(SdpError::Transport)),
        (Optional, "RTP/SAVP", Err(SdpError::NoCommonSuite)),
        (Mandatory, "RTP/SAVP", Err(SdpError::NoCommonSuite)),
        (Mandatory, "UDP/TLS/RTP/SAVPF", Err(SdpError::Transport)),
    ] {
        let mut desk = end(1, srtp);
        let read = desk.receive_offer(&peer(transport, &bad));
        assert_eq!(read.map(|media| assert_eq!(media.srtp, None)), comes_to, "{srtp:?} {transport}");
    }
}

#[test]
fn a_thousand_crypto_lines_cost_no_more_than_sixteen() {
    // Not all of them would fit into what is read at all.
    let many: String = (0..200).map(|tag| format!("a=crypto:{tag} X inline:{KEY}\r\n")).collect();
    let last = crypto(999, "AES_CM_128_HMAC_SHA1_80");
    let mut desk = end(1, Mandatory);
    let read = desk.receive_offer(&peer("RTP/SAVP", &format!("{many}{last}")));
    assert_eq!(read, Err(SdpError::NoCommonSuite));
    let thousand: String = (0..1000).map(|tag| crypto(tag, "AES_CM_128_HMAC_SHA1_80")).collect();
    assert_eq!(
        desk.receive_offer(&peer("RTP/SAVP", &thousand)),
        Err(SdpError::Malformed("larger than 16 KiB"))
    );
    let short: String = (0..1000).map(|_| "a=crypto:1\r\n").collect();
    assert_eq!(desk.receive_offer(&peer("RTP/SAVP", &short)), Err(SdpError::NoCommonSuite));
    assert!(desk.receive_offer(&peer("RTP/SAVP", &format!("{last}{short}"))).is_ok());
}

#[test]
fn no_key_shows_in_what_is_printed() {
    let (mut desk, mut phone) = (end(1, Optional), end(2, Optional));
    let (ours, _) = both(&mut desk, &mut phone);
    let offer = text(&desk.create_offer(SendRecv).unwrap());
    let secret = offer.split("inline:").nth(1).unwrap().split("\r\n").next().unwrap();
    phone.receive_offer(offer.as_bytes()).unwrap();
    let bytes = format!("{:?}", &ours.local.as_bytes()[..4]);
    let bytes = bytes.trim_matches(['[', ']']);
    let mut message = sip::Message::request(sip::Method::Invite, "sip:1@b");
    message.set_body(sip::sdp::CONTENT_TYPE, offer.clone().into_bytes());
    for printed in [format!("{desk:?}"), format!("{phone:?}"), format!("{ours:?}"), format!("{message:?}")] {
        assert!(!printed.contains(secret) && !printed.contains(bytes), "{printed}");
    }
}

#[test]
fn rtcp_shares_the_port_when_both_say_so() {
    let (ours, theirs) = exchange(&mut end(1, Off), &mut end(2, Off)).unwrap();
    assert!(ours.rtcp_mux && theirs.rtcp_mux);
    assert_eq!(ours.remote_rtcp, Some(ours.remote_rtp));
    let mut desk = end(1, Off);
    desk.create_offer(SendRecv).unwrap();
    let agreed = desk.receive_answer(&peer("RTP/AVP", "a=rtcp:5005 IN IP4 198.51.100.8\r\n")).unwrap();
    assert!(!agreed.rtcp_mux);
    assert_eq!(agreed.remote_rtcp, Some("198.51.100.8:5005".parse().unwrap()));
    assert!(text(&desk.create_offer(SendOnly).unwrap()).contains("rtcp-mux"), "we say what we said before");
    let mut desk = end(1, Off);
    desk.receive_offer(&peer("RTP/AVP", "")).unwrap();
    assert!(!text(&desk.create_answer(SendRecv).unwrap()).contains("rtcp-mux"));
    assert!(!text(&desk.create_offer(SendOnly).unwrap()).contains("rtcp-mux"), "nor what it has not");
    desk.abandon_offer();
    desk.receive_offer(&peer("RTP/AVP", "a=rtcp-mux\r\n")).unwrap();
    assert!(text(&desk.create_answer(SendRecv).unwrap()).contains("a=rtcp-mux\r\n"));
}

#[test]
fn hold_in_every_style_is_read() {
    for (rest, hears, held) in [
        ("a=sendonly\r\n", RecvOnly, true),
        ("a=inactive\r\n", Inactive, true),
        ("c=IN IP4 0.0.0.0\r\n", RecvOnly, true),
        ("c=IN IP4 0.0.0.0\r\na=inactive\r\n", Inactive, true),
        ("a=recvonly\r\n", SendOnly, false),
        ("a=sendrecv\r\n", SendRecv, false),
    ] {
        let mut desk = end(1, Off);
        desk.receive_offer(&peer("RTP/AVP", rest)).unwrap();
        desk.create_answer(SendRecv).unwrap();
        assert_eq!((desk.media().unwrap().direction, desk.held_by_peer()), (hears, held), "{rest}");
    }
}

#[test]
fn ipv6_media_and_an_old_hold_in_it() {
    let v6 = |host: &str| OfferAnswer::new(LocalMedia::plain(host.parse().unwrap(), vec![Codec::Pcma]), 3);
    let (mut desk, mut phone) = (v6("[2001:db8::1]:4000"), v6("[2001:db8::2]:5000"));
    let offer = text(&desk.create_offer(SendRecv).unwrap());
    assert!(
        offer.contains("o=- 1 1 IN IP6 2001:db8::1\r\n") && offer.contains("c=IN IP6 2001:db8::1\r\n"),
        "{offer}"
    );
    phone.receive_offer(offer.as_bytes()).unwrap();
    let answer = phone.create_answer(SendRecv).unwrap();
    let agreed = desk.receive_answer(&answer).unwrap();
    assert_eq!(agreed.remote_rtp, "[2001:db8::2]:5000".parse().unwrap());
    for connection in ["c=IN IP4 0.0.0.0\r\n", "c=IN IP6 ::\r\n"] {
        assert!(!desk.receive_offer(&peer("RTP/AVP", connection)).unwrap().direction.sends(), "{connection}");
        desk.create_answer(SendRecv).unwrap();
    }
    assert_eq!(desk.receive_offer(&peer("RTP/AVP", "")), Err(SdpError::Family));
}
