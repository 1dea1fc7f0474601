//! Packets of a call, answers of a STUN server, files with music.

use std::net::SocketAddr;
use std::time::Duration;

use media::{
    Codec, Direction, Event, Remote, SealByHand, SrtpKeys, SrtpSuite, StreamByHand, StunByHand, StunError,
    sound_file,
};

/// What a call of one input has at most: packets, and ticks of 10 ms.
const PACKETS: usize = 400;
const TICKS: u32 = 600;
/// Payload types of speech, of digits and of comfort noise.
const SPEECH: u8 = 96;
const DIGITS: u8 = 101;
const NOISE: u8 = 13;
/// Samples in ten minutes, and in the last packet of a file.
const LONGEST_FILE: usize = 600 * 48_000 + 5_760;

/// The first byte says what was agreed; then comes what happens: a byte that says what, one of length, and as many bytes.
pub(crate) fn stream(bytes: &[u8]) -> bool {
    let Some((&agreed, mut rest)) = bytes.split_first() else { return false };
    let peer = SocketAddr::from(([192, 0, 2, 9], 4000));
    let stranger = SocketAddr::from(([203, 0, 113, 9], 4000));
    let keys = (agreed & 4 != 0).then(|| keys(agreed & 8 != 0));
    let mut sealer = keys.clone().and_then(|keys| SealByHand::new(mirrored(keys)));
    let remote = Remote {
        rtp: peer,
        rtcp: None,
        rtcp_mux: agreed & 16 != 0,
        srtp: keys,
        codec: [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus][usize::from(agreed & 3)],
        payload_type: SPEECH,
        remote_payload_type: SPEECH,
        also: Vec::new(),
        dtmf_payload_type: (agreed & 32 == 0).then_some(DIGITS),
        dtmf_clock_hz: if agreed & 64 == 0 { 8_000 } else { 48_000 },
        ptime_ms: 20,
        direction: Direction::SendRecv,
    };
    let step: u32 = if remote.codec == Codec::Opus { 960 } else { 160 };
    let mut stream = StreamByHand::new(remote, 1).unwrap_or_else(|| panic!("good keys"));
    let (mut now, mut ticks) = (Duration::ZERO, 0);
    let (mut sequence, mut timestamp) = (u16::from(agreed) << 8, u32::from(agreed) << 24);
    let mut digits = 0;
    for _ in 0..PACKETS {
        let Some((&[what, length], more)) = rest.split_first_chunk() else { break };
        let (datagram, more) = more.split_at(usize::from(length).min(more.len()));
        rest = more;
        let from = if what & 0x80 == 0 { peer } else { stranger };
        let mut events = |event: Event| digits += u32::from(matches!(event, Event::Digit { .. }));
        match what & 7 {
            // Anything at all, to either port.
            0 => stream.rtp(now, from, datagram, &mut events),
            1 => stream.rtcp(now, from, datagram),
            // A packet of the peer, with any payload.
            kind @ 2..=4 => {
                sequence = sequence.wrapping_add(1 + u16::from(what >> 3 & 7));
                timestamp = timestamp.wrapping_add(step * (1 + u32::from(what >> 3 & 7)));
                let packet =
                    rtp([SPEECH, DIGITS, NOISE][usize::from(kind) - 2], sequence, timestamp, datagram);
                let packet = sealer.as_mut().map_or(Some(packet.clone()), |sealer| sealer.rtp(&packet));
                packet.into_iter().for_each(|packet| stream.rtp(now, from, &packet, &mut events));
            }
            // Reports of the peer, sealed.
            5 => {
                let packet = sealer.as_mut().map_or(Some(datagram.to_vec()), |sealer| sealer.rtcp(datagram));
                packet.into_iter().for_each(|packet| stream.rtcp(now, from, &packet));
            }
            _ => {
                for _ in 0..u32::from(length % 16).min(TICKS - ticks) {
                    now += Duration::from_millis(10);
                    ticks += 1;
                    let mut longest = 0;
                    let heard =
                        stream.tick(now, &mut events, &mut |packet| longest = packet.len().max(longest));
                    assert!(heard.is_some(), "an operator hears something or silence, and never nothing");
                    assert!(longest <= 1500, "a packet of {longest} bytes");
                }
            }
        }
    }
    assert!(digits <= PACKETS as u32 + ticks, "{digits} digits of so many packets");
    let stats = stream.stats();
    assert!(stats.buffer_ms <= 10_000, "{stats:?}");
    assert!(stats.remote_loss.is_none_or(|loss| (0.0..=1.0).contains(&loss)), "{stats:?}");
    assert!(
        stats.jitter_ms.is_finite()
            && stats.round_trip_ms.is_none_or(|trip| (0.0..=10_000.0).contains(&trip))
    );
    stats.packets_received > 0
}

fn rtp(kind: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, kind];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend([0, 0, 0, 9]);
    packet.extend(payload);
    packet
}

fn keys(is_long: bool) -> SrtpKeys {
    let (suite, length) =
        if is_long { (SrtpSuite::Aes256Sha1_80, 46) } else { (SrtpSuite::Aes128Sha1_32, 30) };
    SrtpKeys { suite, local: vec![1; length], remote: vec![2; length] }
}

/// The same keys as the far end has them.
fn mirrored(keys: SrtpKeys) -> SrtpKeys {
    SrtpKeys { suite: keys.suite, local: keys.remote, remote: keys.local }
}

/// Answers, each with two bytes: how it comes, and its length. Most have the head that makes them answers to our question.
pub(crate) fn stun(mut bytes: &[u8]) -> bool {
    let server = SocketAddr::from(([192, 0, 2, 5], 3478));
    let stranger = SocketAddr::from(([192, 0, 2, 6], 3478));
    let mut stun = StunByHand::new(server, 1);
    let mut asked: [Vec<u8>; 2] = Default::default();
    let mut now = Duration::ZERO;
    let mut has_answer = false;
    for _ in 0..PACKETS {
        let end = stun.tick(now, &mut |at_rtcp, bytes| asked[usize::from(at_rtcp)] = bytes.to_vec());
        match end {
            Some(Ok(mapping)) => {
                for address in [Some(mapping.rtp), mapping.rtcp].into_iter().flatten() {
                    assert!(
                        address.port() != 0 && !address.ip().is_unspecified() && !address.ip().is_multicast()
                    );
                }
                has_answer = true;
            }
            Some(Err(StunError::Refused { code })) => {
                assert!(code == 0 || (300..700).contains(&code), "{code}");
                has_answer = true;
            }
            Some(Err(_)) | None => {}
        }
        let Some((&[way, length], more)) = bytes.split_first_chunk() else { break };
        let (body, more) = more.split_at(usize::from(length).min(more.len()));
        bytes = more;
        now += Duration::from_millis(u64::from(way >> 4) * 100);
        let at_rtcp = way & 1 != 0;
        let from = if way & 6 == 6 { stranger } else { server };
        let datagram = if way & 8 == 0 {
            answer(&asked[usize::from(at_rtcp)], way & 2 != 0, body)
        } else {
            body.to_vec()
        };
        let is_taken = stun.receive(at_rtcp, from, &datagram);
        assert!(!is_taken || from == server, "somebody else was believed");
        assert_eq!(stun.receive(at_rtcp, from, &datagram), is_taken);
        assert!(!stun.receive(at_rtcp, from, datagram.get(..19).unwrap_or_default()), "it has no head");
    }
    has_answer
}

/// What a server answers to this request.
fn answer(request: &[u8], is_refusal: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = request.to_vec();
    let length = body.len().next_multiple_of(4);
    if let Some(head) = bytes.first_chunk_mut::<4>() {
        *head = [1, if is_refusal { 0x11 } else { 1 }, (length >> 8) as u8, (length & 0xff) as u8];
    }
    bytes.extend(body);
    bytes.resize(request.len() + length, 0);
    bytes
}

/// The first byte says whether the sums of Ogg pages are made right; then comes a file.
pub(crate) fn music(bytes: &[u8]) -> bool {
    let Some((&way, file)) = bytes.split_first() else { return false };
    let file = if way & 1 == 0 { file.to_vec() } else { summed(file) };
    match sound_file(&file) {
        Ok(samples) => {
            assert!(!samples.is_empty() && samples.len() % 960 == 0 && samples.len() <= LONGEST_FILE);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// The same pages with the sums that they should have (RFC 3533 section 6): no fuzzer finds those by itself.
pub(crate) fn summed(file: &[u8]) -> Vec<u8> {
    let (mut file, mut at) = (file.to_vec(), 0);
    while let Some(segments) = file.get(at + 26).copied() {
        let head = at + 27 + usize::from(segments);
        let Some(table) = file.get(at + 27..head) else { break };
        let end = head + table.iter().map(|length| usize::from(*length)).sum::<usize>();
        let Some(page) = file.get_mut(at..end) else { break };
        page[22..26].fill(0);
        let sum = page.iter().fold(0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
                sum << 1 ^ if sum >> 31 == 0 { 0 } else { 0x04C1_1DB7 }
            })
        });
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
    file
}
