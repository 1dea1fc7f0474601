//! Encryption of one stream (SRTP and SRTCP, RFC 3711), with keys that were negotiated elsewhere.
//!
//! What leaves is sealed or does not leave; what arrives is opened, or refused with the reason. Replays are refused by
//! the window of the library, which is kept for each source. Not done here: keys themselves (crate `sip`), and whose
//! address is believed ([`crate::rtp`]).

use std::collections::VecDeque;

use libsrtp::{MasterKey, ProtectionProfile, RecvSession, SendSession, SrtpError, StreamConfig};

use crate::api::{SrtpKeys, SrtpSuite};

/// Sources (SSRC) of a peer that are remembered, the newest; each needs a window of its own.
const MAX_SOURCES: usize = 8;

/// RTP or RTCP, whatever port it goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rtp,
    Rtcp,
}

/// Why a packet was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sealed {
    /// Its tag is wrong: it was made without the key, or changed on its way.
    Forged,
    /// It was here before, or is too old to know.
    Replayed,
    /// It is no packet at all.
    Malformed,
    /// It was not looked at: too many came from where the peer is not.
    Strange,
}

/// Both directions of an encrypted stream.
pub(crate) struct Guard {
    keys: SrtpKeys,
    send: SendSession,
    receive: RecvSession,
    sources: VecDeque<u32>,
    /// Room for the next packet.
    room: Vec<u8>,
}

impl Guard {
    /// # Errors
    /// A key of the wrong length.
    pub(crate) fn new(keys: SrtpKeys) -> Result<Guard, SrtpError> {
        let (mut send, mut receive) = (SendSession::new(), RecvSession::new());
        send.add_stream(None, &config(keys.suite, &keys.local))?;
        receive.add_stream(None, &config(keys.suite, &keys.remote))?;
        Ok(Guard { keys, send, receive, sources: VecDeque::new(), room: Vec::new() })
    }

    /// Takes the keys of a new agreement. A direction whose key stays goes on with its counters; one with another key
    /// begins anew (RFC 3711 section 3.3.1).
    pub(crate) fn rekey(&mut self, keys: SrtpKeys) -> Result<(), SrtpError> {
        if self.keys == keys {
            return Ok(());
        }
        let same_suite = self.keys.suite == keys.suite;
        let fresh = Guard::new(keys)?;
        if !same_suite || self.keys.local != fresh.keys.local {
            self.send = fresh.send;
        }
        if !same_suite || self.keys.remote != fresh.keys.remote {
            self.receive = fresh.receive;
            self.sources.clear();
        }
        self.keys = fresh.keys;
        Ok(())
    }

    /// Encrypts a packet in its place. On an error there is none any more, and nothing may be sent.
    pub(crate) fn seal(&mut self, kind: Kind, packet: &mut Vec<u8>) -> Result<(), SrtpError> {
        let plain = std::mem::take(packet);
        *packet = match kind {
            Kind::Rtp => self.send.rtp_protect(plain),
            Kind::Rtcp => self.send.rtcp_protect(plain),
        }?;
        Ok(())
    }

    /// Decrypts a datagram; the result is to be given back with [`Guard::give_back`], to save the allocation.
    pub(crate) fn open(&mut self, kind: Kind, datagram: &[u8]) -> Result<Vec<u8>, Sealed> {
        let mut cipher = std::mem::take(&mut self.room);
        cipher.clear();
        cipher.extend_from_slice(datagram);
        let opened = match kind {
            Kind::Rtp => self.receive.rtp_unprotect(cipher),
            Kind::Rtcp => self.receive.rtcp_unprotect(cipher),
        };
        let plain = opened.map_err(|error| match error {
            SrtpError::Authentication => Sealed::Forged,
            SrtpError::InvalidPacketIndex => Sealed::Replayed,
            _ => Sealed::Malformed,
        })?;
        let at = if kind == Kind::Rtp { 8 } else { 4 };
        if let Some(&[a, b, c, d]) = plain.get(at..at + 4) {
            self.note(u32::from_be_bytes([a, b, c, d]));
        }
        Ok(plain)
    }

    /// Takes the room of a packet back.
    pub(crate) fn give_back(&mut self, room: Vec<u8>) {
        self.room = room;
    }

    /// Forgets the source that was first heard longest ago when there are too many.
    fn note(&mut self, source: u32) {
        if self.sources.contains(&source) {
            return;
        }
        if self.sources.len() == MAX_SOURCES
            && let Some(oldest) = self.sources.pop_front()
        {
            // It is there: it was noted when its first packet was opened.
            let _ = self.receive.remove_stream(oldest);
        }
        self.sources.push_back(source);
    }
}

/// RTCP always has the long tag (RFC 3711 section 5.2, RFC 4568 section 6.2.2).
fn config(suite: SrtpSuite, key_and_salt: &[u8]) -> StreamConfig {
    let (rtp, rtcp) = match suite {
        SrtpSuite::Aes128Sha1_80 => {
            (ProtectionProfile::Aes128CmHmacSha180, ProtectionProfile::Aes128CmHmacSha180)
        }
        SrtpSuite::Aes128Sha1_32 => {
            (ProtectionProfile::Aes128CmHmacSha132, ProtectionProfile::Aes128CmHmacSha180)
        }
        SrtpSuite::Aes256Sha1_80 => {
            (ProtectionProfile::Aes256CmHmacSha180, ProtectionProfile::Aes256CmHmacSha180)
        }
        SrtpSuite::Aes256Sha1_32 => {
            (ProtectionProfile::Aes256CmHmacSha132, ProtectionProfile::Aes256CmHmacSha180)
        }
    };
    // An empty salt would pass as one of zeros: the whole length must be there.
    let (key, salt) = match key_and_salt.len().checked_sub(rtp.salt_len()) {
        Some(length) if length > 0 => key_and_salt.split_at(length),
        _ => (&[][..], &[][..]),
    };
    StreamConfig::new(vec![MasterKey::new(key, salt, &None)], &rtp, &rtcp)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rtp::Sender;

    const SUITES: [SrtpSuite; 4] = [
        SrtpSuite::Aes128Sha1_80,
        SrtpSuite::Aes128Sha1_32,
        SrtpSuite::Aes256Sha1_80,
        SrtpSuite::Aes256Sha1_32,
    ];

    fn keys(suite: SrtpSuite, local: u8, remote: u8) -> SrtpKeys {
        let length = match suite {
            SrtpSuite::Aes128Sha1_80 | SrtpSuite::Aes128Sha1_32 => 30,
            SrtpSuite::Aes256Sha1_80 | SrtpSuite::Aes256Sha1_32 => 46,
        };
        SrtpKeys { suite, local: vec![local; length], remote: vec![remote; length] }
    }

    fn pair(suite: SrtpSuite) -> (Guard, Guard) {
        let make = |local, remote| Guard::new(keys(suite, local, remote)).expect("sound keys");
        (make(1, 2), make(2, 1))
    }

    fn rtp(sender: &mut Sender) -> Vec<u8> {
        let mut packet = Vec::new();
        sender.advance(160);
        let timestamp = sender.timestamp();
        sender.write(8, false, timestamp, b"what is said to nobody else", &mut packet);
        packet
    }

    #[test]
    fn what_one_end_seals_only_the_other_opens_and_only_once() {
        for suite in SUITES {
            let (mut a, mut b) = pair(suite);
            let mut sender = Sender::new(7);
            for _ in 0..300 {
                let plain = rtp(&mut sender);
                let mut packet = plain.clone();
                a.seal(Kind::Rtp, &mut packet).expect("sealed");
                assert!(packet.len() > plain.len() && packet[..12] == plain[..12]);
                assert!(!packet.windows(9).any(|part| part == b"nobody el"), "{suite:?}");
                let mut changed = packet.clone();
                changed[20] ^= 1;
                assert_eq!(b.open(Kind::Rtp, &changed), Err(Sealed::Forged));
                assert_eq!(b.open(Kind::Rtp, &plain), Err(Sealed::Forged), "plain is not taken");
                assert_eq!(b.open(Kind::Rtp, &packet).as_ref(), Ok(&plain));
                assert_eq!(b.open(Kind::Rtp, &packet), Err(Sealed::Replayed));
                assert_eq!(
                    a.open(Kind::Rtp, &packet),
                    Err(Sealed::Forged),
                    "sent back to where it came from"
                );
            }
        }
    }

    #[test]
    fn reports_are_sealed_with_the_long_tag() {
        for suite in SUITES {
            let (mut a, mut b) = pair(suite);
            let plain = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
            let mut packet = plain.clone();
            a.seal(Kind::Rtcp, &mut packet).expect("sealed");
            assert_eq!(packet.len(), plain.len() + 4 + 10, "{suite:?}");
            assert_eq!(b.open(Kind::Rtcp, &packet), Ok(plain));
            assert_eq!(b.open(Kind::Rtcp, &packet), Err(Sealed::Replayed));
        }
    }

    #[test]
    fn the_counter_of_packets_passes_its_end() {
        let (mut a, mut b) = pair(SrtpSuite::Aes128Sha1_80);
        let mut sender = Sender::new(7);
        for n in 0..140_000_u32 {
            let plain = rtp(&mut sender);
            // Some are lost, also around the end of the sequence numbers.
            let mut packet = plain.clone();
            a.seal(Kind::Rtp, &mut packet).expect("sealed");
            if n % 5 != 0 {
                let opened = b.open(Kind::Rtp, &packet);
                assert_eq!(opened.as_ref(), Ok(&plain), "{n}");
                b.give_back(opened.expect("checked"));
            }
        }
    }

    #[test]
    fn the_vector_of_the_c_library() {
        // libsrtp2, test/srtp_driver.c, srtp_validate(): key and salt, plain and encrypted packet.
        let key: Vec<u8> = vec![
            0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0, 0xD6, 0x4F, 0xA3, 0x2C, 0x06, 0xDE, 0x41, 0x39,
            0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6,
        ];
        let mut packet = vec![0x80, 0x0F, 0x12, 0x34, 0xDE, 0xCA, 0xFB, 0xAD, 0xCA, 0xFE, 0xBA, 0xBE];
        packet.extend([0xAB; 16]);
        let sealed = [
            0x80, 0x0F, 0x12, 0x34, 0xDE, 0xCA, 0xFB, 0xAD, 0xCA, 0xFE, 0xBA, 0xBE, 0x4E, 0x55, 0xDC, 0x4C,
            0xE7, 0x99, 0x78, 0xD8, 0x8C, 0xA4, 0xD2, 0x15, 0x94, 0x9D, 0x24, 0x02, 0xB7, 0x8D, 0x6A, 0xCC,
            0x99, 0xEA, 0x17, 0x9B, 0x8D, 0xBB,
        ];
        let keys = SrtpKeys { suite: SrtpSuite::Aes128Sha1_80, remote: vec![1; 30], local: key };
        Guard::new(keys).expect("sound keys").seal(Kind::Rtp, &mut packet).expect("sealed");
        assert_eq!(packet, sealed);
    }

    #[test]
    fn keys_of_a_wrong_length_are_no_keys() {
        for length in [0, 1, 13, 14, 15, 16, 29, 31, 32, 45, 46, 47] {
            for suite in SUITES {
                let good = keys(suite, 1, 2);
                if good.local.len() == length {
                    continue;
                }
                let local = SrtpKeys { local: vec![1; length], ..good.clone() };
                let remote = SrtpKeys { remote: vec![1; length], ..good };
                assert!(Guard::new(local).is_err() && Guard::new(remote).is_err(), "{suite:?} {length}");
            }
        }
    }

    #[test]
    fn another_key_counts_and_the_old_one_no_more() {
        let suite = SrtpSuite::Aes128Sha1_80;
        let (mut a, mut b) = pair(suite);
        let mut sender = Sender::new(7);
        let mut seal = |a: &mut Guard| {
            let mut packet = rtp(&mut sender);
            a.seal(Kind::Rtp, &mut packet).expect("sealed");
            packet
        };
        let old = seal(&mut a);
        assert!(b.open(Kind::Rtp, &old).is_ok());
        // Our own key alone changes nothing for what arrives, replays included.
        b.rekey(keys(suite, 9, 1)).expect("sound keys");
        assert_eq!(b.open(Kind::Rtp, &old), Err(Sealed::Replayed));
        let late = seal(&mut a);
        b.rekey(keys(suite, 9, 3)).expect("sound keys");
        assert_eq!(b.open(Kind::Rtp, &late), Err(Sealed::Forged));
        a.rekey(keys(suite, 3, 9)).expect("sound keys");
        let new = seal(&mut a);
        assert!(b.open(Kind::Rtp, &new).is_ok());
        assert!(b.rekey(SrtpKeys { remote: vec![1; 3], ..keys(suite, 9, 3) }).is_err());
    }

    #[test]
    fn a_peer_with_ever_new_sources_costs_no_memory() {
        let (mut a, mut b) = pair(SrtpSuite::Aes128Sha1_80);
        for source in 0..1000_u64 {
            let mut packet = rtp(&mut Sender::new(source));
            a.seal(Kind::Rtp, &mut packet).expect("sealed");
            assert!(b.open(Kind::Rtp, &packet).is_ok());
        }
        assert_eq!(b.sources.len(), MAX_SOURCES);
    }

    proptest! {
        #[test]
        fn rubbish_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..4) {
            let (mut a, mut b) = pair(SUITES[at]);
            prop_assert!(b.open(Kind::Rtp, &bytes).is_err());
            prop_assert!(b.open(Kind::Rtcp, &bytes).is_err());
            // What begins as a packet gets further.
            let mut headed = vec![0x90, 8];
            headed.extend(&bytes);
            prop_assert!(b.open(Kind::Rtp, &headed).is_err() && b.open(Kind::Rtcp, &headed).is_err());
            let _ = a.seal(Kind::Rtp, &mut bytes.clone());
            let _ = a.seal(Kind::Rtcp, &mut bytes.clone());
        }
    }
}
