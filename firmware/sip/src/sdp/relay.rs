//! Descriptions of one session's peer, carried to the peer of another (third-party call control, RFC 3725).
//!
//! What is carried is the stream of speech alone, word for word as far as the two ends need it to understand each
//! other. It goes into the frame of the session it is carried to: that session's `o=` line, its version counted on,
//! and its streams in their places, as RFC 3264 section 8 demands of every later offer and answer. What was agreed
//! with ourselves stays as it was, for the time when we speak again.
//! Not done here: streams that are encrypted, whose keys the other leg may not carry.

use sdp_types::Media;

use super::description;
use super::offer_answer::{Line, State};
use super::{Direction, OfferAnswer, SdpError, Srtp};

/// What the two ends tell each other about the stream. The rest (ICE, keys, identities) belongs to one leg alone.
const CARRIED: &[&str] = &[
    "rtpmap", "fmtp", "ptime", "maxptime", "rtcp", "rtcp-mux", "sendrecv", "sendonly", "recvonly", "inactive",
];

impl OfferAnswer {
    /// An offer to our peer with what somebody else described, to be answered by [`OfferAnswer::relayed_answer`].
    ///
    /// # Errors
    /// [`SdpError::OfferPending`] if an offer is under way either way, else why the description cannot be carried.
    pub(crate) fn relay_offer(&mut self, described: &[u8]) -> Result<Vec<u8>, SdpError> {
        if !matches!(self.state, State::Stable) {
            return Err(SdpError::OfferPending);
        }
        let stream = self.carried(described)?;
        // Who does not speak any of it is not asked: some say yes, and fall silent.
        let offered = description::codecs(described)?;
        if !self.peer_codecs.is_empty() && !offered.iter().any(|codec| self.peer_codecs.contains(codec)) {
            return Err(SdpError::NoCommonCodec);
        }
        for line in &mut self.lines {
            if let Line::Ours { transport } = line {
                transport.clone_from(&stream.proto);
            }
        }
        let body = self.write_with(|_, _| stream.clone());
        self.state = State::LocalOffer(Direction::SendRecv);
        Ok(body)
    }

    /// Whether our peer's answer to a relayed offer can be carried back. The offer is over.
    ///
    /// # Errors
    /// [`SdpError::NoOffer`] if none is under way, else what is wrong with the answer.
    pub(crate) fn relayed_answer(&mut self, body: &[u8]) -> Result<(), SdpError> {
        if !self.local_offer_pending() {
            return Err(SdpError::NoOffer);
        }
        self.abandon_offer();
        if description::read(body)?.len() != self.lines.len() {
            return Err(SdpError::AnswerMismatch);
        }
        self.carried(body).map(|_| ())
    }

    /// The answer to the offer received, with what somebody else described in reply to it.
    ///
    /// # Errors
    /// [`SdpError::NoOffer`] if none is under way; the offer still is on every other error.
    pub(crate) fn relay_answer(&mut self, described: &[u8]) -> Result<Vec<u8>, SdpError> {
        if !self.remote_offer_pending() {
            return Err(SdpError::NoOffer);
        }
        let stream = self.carried(described)?;
        self.adopt_offer()?;
        Ok(self.write_with(|_, transport| Media { proto: transport.to_owned(), ..stream.clone() }))
    }

    /// The stream described, with what is carried of it.
    fn carried(&self, described: &[u8]) -> Result<Media, SdpError> {
        // Speech that is encrypted with us is not to be in the clear with another.
        if self.local.srtp == Srtp::Mandatory || self.media().is_some_and(|media| media.srtp.is_some()) {
            return Err(SdpError::NotEncrypted);
        }
        let mut stream = description::speech(described)?;
        let connection = stream.connections.first().ok_or(SdpError::Malformed("no connection address"))?;
        let ip = connection.try_address().map_err(|_| SdpError::Address)?.ip;
        // Nobody is reached at an address of the other family, nor of nowhere, which is hold as of old.
        if ip.is_ipv4() != self.local.rtp.is_ipv4() || ip.is_unspecified() {
            return Err(SdpError::Address);
        }
        stream.attributes.retain(|a| CARRIED.iter().any(|name| a.attribute.eq_ignore_ascii_case(name)));
        stream.media_title = None;
        stream.key = None;
        stream.bandwidths.clear();
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::{Codec, LocalMedia};
    use super::*;

    const PHONE: &[u8] =
        b"v=0\r\no=- 77 5 IN IP4 192.0.2.7\r\ns=phone\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\na=sendrecv\r\n\
        m=audio 4000 RTP/AVP 18 8 101\r\na=rtpmap:18 G729/8000\r\na=rtpmap:8 PCMA/8000\r\n\
        a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ice-ufrag:secret\r\na=ptime:20\r\n";

    fn desk() -> OfferAnswer {
        let rtp = "192.0.2.1:6000".parse().unwrap();
        OfferAnswer::new(LocalMedia::plain(rtp, vec![Codec::Pcma, Codec::Pcmu]), 84)
    }

    fn text(body: &[u8]) -> String {
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn a_carried_offer_is_the_phones_stream_in_the_frame_of_the_other_session() {
        let mut call = desk();
        call.receive_offer(
            b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=video 9000 RTP/AVP 96\r\n\
              m=audio 9002 RTP/AVP 8\r\n",
        )
        .unwrap();
        let own = text(&call.create_answer(Direction::SendRecv).unwrap());
        let agreed = call.media().cloned();
        let offer = text(&call.relay_offer(PHONE).unwrap());
        let line =
            |text: &str, start: &str| text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
        assert!(line(&own, "o=").unwrap().contains(" 42 1 IN IP4 192.0.2.1"), "{own}");
        assert!(line(&offer, "o=").unwrap().contains(" 42 2 IN IP4 192.0.2.1"), "counted on: {offer}");
        let streams: Vec<&str> = offer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(streams, ["m=video 0 RTP/AVP 96", "m=audio 4000 RTP/AVP 18 8 101"]);
        assert!(
            offer.contains("c=IN IP4 192.0.2.7\r\n") && offer.contains("a=rtpmap:18 G729/8000"),
            "{offer}"
        );
        assert!(offer.contains("a=sendrecv") && !offer.contains("ice-ufrag"), "{offer}");
        assert_eq!(call.media().cloned(), agreed, "what we agreed on ourselves stands");
        assert!(call.create_offer(Direction::SendRecv).is_err(), "one at a time");
        let answer = b"v=0\r\no=- 1 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
            m=audio 9002 RTP/AVP 18\r\n";
        call.relayed_answer(answer).unwrap();
        let back = text(&call.create_offer(Direction::SendOnly).unwrap());
        assert!(
            back.contains("m=audio 6000 RTP/AVP 8 0") && back.contains("a=sendonly"),
            "ours again: {back}"
        );
    }

    #[test]
    fn a_carried_answer_names_the_other_end_and_refuses_what_else_was_offered() {
        let mut phone = desk();
        let offer = [PHONE, b"m=video 4002 RTP/AVP 96\r\n"].concat();
        phone.receive_offer(&offer).unwrap();
        let answer = b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 9002 RTP/AVP 18 101\r\na=recvonly\r\n";
        let body = text(&phone.relay_answer(answer).unwrap());
        let streams: Vec<&str> = body.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(streams, ["m=audio 9002 RTP/AVP 18 101", "m=video 0 RTP/AVP 96"]);
        assert!(body.contains("c=IN IP4 192.0.2.9\r\n") && body.contains("a=recvonly"), "{body}");
        assert_eq!(phone.relay_answer(answer), Err(SdpError::NoOffer), "answered once");
    }

    #[test]
    fn an_offer_without_any_codec_of_the_other_end_is_not_carried_to_it() {
        let mut call = desk();
        let offer =
            |codec: &str| format!("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 9 RTP/AVP {codec}\r\n").into_bytes();
        call.receive_offer(&offer("0")).unwrap();
        call.create_answer(Direction::SendRecv).unwrap();
        assert_eq!(call.relay_offer(PHONE), Err(SdpError::NoCommonCodec), "PCMU alone");
        call.relay_offer(&offer("18 0")).unwrap();
        // It agrees to digits alone, and so to no speech.
        let answer =
            b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 9 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        assert_eq!(call.relayed_answer(answer), Err(SdpError::NoCommonCodec));
        call.create_offer(Direction::SendRecv).unwrap();
    }

    #[test]
    fn what_cannot_be_carried_leaves_the_offer_to_be_answered_by_ourselves() {
        let mut phone = desk();
        phone.receive_offer(PHONE).unwrap();
        for (answer, why) in [
            (b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 0 RTP/AVP 8\r\n".as_slice(), SdpError::NoAudio),
            (b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 9 RTP/SAVP 8\r\n", SdpError::NoAudio),
            (b"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 8\r\n", SdpError::Address),
            (b"v=0\r\nc=IN IP6 2001:db8::9\r\nm=audio 9 RTP/AVP 8\r\n", SdpError::Address),
        ] {
            assert_eq!(phone.relay_answer(answer), Err(why), "{}", text(answer));
        }
        let own = text(&phone.create_answer(Direction::SendRecv).unwrap());
        assert!(own.contains("m=audio 6000 RTP/AVP 8 101"), "{own}");
    }
}
