//! RTCP (RFC 3550 section 6): sender and receiver reports, CNAME and BYE, and the round trip they tell.
//!
//! Pure: time is handed in. Not done here: XR, feedback (RFC 4585), reduced size (RFC 5506), multiplexing
//! with RTP (RFC 5761).

use std::time::Duration;

use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock, ReportBlockBuilder, RtcpPacketWriterExt, Sdes,
    SdesChunk, SdesItem, SenderReport,
};

use crate::rtp::{Reception, Sender};

/// Seconds between reports, before the randomness of RFC 3550 section 6.2 (half to one and a half of it).
const INTERVAL: Duration = Duration::from_secs(5);
/// SDES item type of the CNAME (RFC 3550 section 6.5.1).
const CNAME: u8 = 1;
/// A compound packet of ours is far smaller.
const MAX_PACKET: usize = 256;
/// A longer round trip is a peer's broken clock.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);

/// When to report, and what the peer reported.
pub(crate) struct Reports {
    /// NTP time when our clock showed zero.
    epoch: Duration,
    random: u64,
    next: Duration,
    /// The peer's last sender report: the middle 32 bits of its time, and when it came.
    last_sender_report: Option<(u32, Duration)>,
    round_trip: Option<Duration>,
    remote_loss: Option<f32>,
}

impl Reports {
    /// `epoch` is the time since 1900 when the clock handed in showed zero.
    pub(crate) fn new(now: Duration, epoch: Duration, random: u64) -> Reports {
        let mut reports = Reports {
            epoch,
            random: random | 1,
            next: now,
            last_sender_report: None,
            round_trip: None,
            remote_loss: None,
        };
        reports.schedule(now);
        reports
    }

    /// Reads a datagram. What cannot be read is ignored.
    pub(crate) fn receive(&mut self, now: Duration, datagram: &[u8], our_ssrc: u32) {
        let Ok(compound) = Compound::parse(datagram) else { return };
        for packet in compound.flatten() {
            match packet {
                Packet::Sr(report) => {
                    self.last_sender_report = Some(((report.ntp_timestamp() >> 16) as u32, now));
                    self.read_blocks(now, report.report_blocks(), our_ssrc);
                }
                Packet::Rr(report) => self.read_blocks(now, report.report_blocks(), our_ssrc),
                _ => {}
            }
        }
    }

    /// True when a report is due; the next is then scheduled.
    pub(crate) fn due(&mut self, now: Duration) -> bool {
        let due = now >= self.next;
        if due {
            self.schedule(now);
        }
        due
    }

    /// Writes a compound packet into `out`, replacing what it held.
    pub(crate) fn write(
        &self,
        now: Duration,
        sender: &Sender,
        reception: Option<Reception>,
        bye: bool,
        out: &mut Vec<u8>,
    ) {
        let ssrc = sender.ssrc();
        // No host name and no user: the CNAME need only be unique (RFC 7022 section 4.2).
        let cname = format!("{ssrc:08x}@frontdesk");
        let chunk = SdesChunk::builder(ssrc).add_item(SdesItem::builder(CNAME, &cname));
        let block = reception.map(|r| self.block(now, r));
        let mut compound = Compound::builder();
        if sender.packets() > 0 {
            let mut report = SenderReport::builder(ssrc)
                .ntp_timestamp(self.ntp(now))
                .rtp_timestamp(sender.timestamp())
                // Both counts wrap (RFC 3550 section 6.4.1).
                .packet_count(sender.packets() as u32)
                .octet_count(sender.octets() as u32);
            if let Some(block) = block {
                report = report.add_report_block(block);
            }
            compound = compound.add_packet(report);
        } else {
            let mut report = ReceiverReport::builder(ssrc);
            if let Some(block) = block {
                report = report.add_report_block(block);
            }
            compound = compound.add_packet(report);
        }
        compound = compound.add_packet(Sdes::builder().add_chunk(chunk));
        if bye {
            compound = compound.add_packet(Bye::builder().add_source(ssrc));
        }
        out.resize(MAX_PACKET, 0);
        let length = compound.write_into(out).unwrap_or(0);
        out.truncate(length);
    }

    /// The last round trip the peer's reports allowed to compute.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Share of our packets lost, as the peer last said.
    pub(crate) fn remote_loss(&self) -> Option<f32> {
        self.remote_loss
    }

    fn read_blocks<'a>(
        &mut self,
        now: Duration,
        blocks: impl Iterator<Item = ReportBlock<'a>>,
        our_ssrc: u32,
    ) {
        for block in blocks.filter(|block| block.ssrc() == our_ssrc) {
            self.remote_loss = Some(f32::from(block.fraction_lost()) / 256.0);
            let (last, delay) =
                (block.last_sender_report_timestamp(), block.delay_since_last_sender_report_timestamp());
            if last == 0 {
                continue;
            }
            // RFC 3550 section 6.4.1: 1/65536 s, wrapping.
            let units = ((self.ntp(now) >> 16) as u32).wrapping_sub(last).wrapping_sub(delay);
            let trip = Duration::from_secs_f64(f64::from(units) / 65_536.0);
            if trip < MAX_ROUND_TRIP {
                self.round_trip = Some(trip);
            }
        }
    }

    fn block(&self, now: Duration, reception: Reception) -> ReportBlockBuilder {
        let (last, delay) = match self.last_sender_report {
            Some((last, came)) => (last, (now.saturating_sub(came).as_secs_f64() * 65_536.0) as u32),
            None => (0, 0),
        };
        ReportBlock::builder(reception.ssrc)
            .fraction_lost(reception.fraction_lost)
            // A signed 24 bit field.
            .cumulative_lost(reception.lost.min(0x7F_FFFF) as u32)
            .extended_sequence_number(reception.highest)
            .interarrival_jitter(reception.jitter)
            .last_sender_report_timestamp(last)
            .delay_since_last_sender_report_timestamp(delay)
    }

    fn schedule(&mut self, now: Duration) {
        // xorshift64: spreads reports, needs no secrecy.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.next = now + INTERVAL / 2 + INTERVAL.mul_f64((self.random >> 11) as f64 / (1_u64 << 53) as f64);
    }

    /// 32.32 fixed point seconds since 1900.
    fn ntp(&self, now: Duration) -> u64 {
        let time = self.epoch + now;
        (time.as_secs() << 32) | ((u64::from(time.subsec_nanos()) << 32) / 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Duration = Duration::from_secs(3_900_000_000);

    fn reception(ssrc: u32) -> Reception {
        Reception { ssrc, fraction_lost: 64, lost: 5, highest: 70_000, jitter: 12 }
    }

    #[test]
    fn two_sides_learn_the_round_trip_and_the_loss() {
        let (a, b) = (Sender::new(1 << 40 | 5), Sender::new(1 << 41 | 9));
        let mut a_sent = a;
        a_sent.write(0, false, 0, &[0], &mut Vec::new());
        let mut a_reports = Reports::new(Duration::ZERO, EPOCH, 1);
        // The other machine's clock is elsewhere.
        let mut b_reports = Reports::new(Duration::ZERO, EPOCH * 2 / 3, 2);
        let mut wire = Vec::new();
        let ms = Duration::from_millis;
        a_reports.write(ms(1000), &a_sent, None, false, &mut wire);
        b_reports.receive(ms(1030), &wire, b.ssrc());
        b_reports.write(ms(2030), &b, Some(reception(a_sent.ssrc())), false, &mut wire);
        a_reports.receive(ms(2070), &wire, a_sent.ssrc());
        let trip = a_reports.round_trip().expect("a round trip").as_secs_f64();
        assert!((trip - 0.070).abs() < 0.001, "{trip}");
        assert_eq!(a_reports.remote_loss(), Some(0.25));
    }

    #[test]
    fn a_goodbye_follows_a_report_and_a_name() {
        let sender = Sender::new(77);
        let mut wire = Vec::new();
        Reports::new(Duration::ZERO, EPOCH, 1).write(Duration::ZERO, &sender, None, true, &mut wire);
        let packets: Vec<_> = Compound::parse(&wire).expect("parses").flatten().collect();
        assert!(matches!(&packets[..], [Packet::Rr(_), Packet::Sdes(_), Packet::Bye(_)]));
    }

    #[test]
    fn reports_come_about_every_five_seconds() {
        let mut reports = Reports::new(Duration::ZERO, EPOCH, 99);
        let due: Vec<u64> =
            (0..60_000).step_by(10).filter(|ms| reports.due(Duration::from_millis(*ms))).collect();
        assert!((8..=20).contains(&due.len()), "{due:?}");
        assert!(due.windows(2).all(|w| (2500..=7510).contains(&(w[1] - w[0]))), "{due:?}");
    }

    #[test]
    fn rubbish_is_ignored() {
        let mut reports = Reports::new(Duration::ZERO, EPOCH, 1);
        let mut state = 3_u64;
        for length in 0..3000_usize {
            let mut bytes: Vec<u8> = (0..length % 130)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect();
            if let [first, kind, ..] = &mut bytes[..] {
                *first = *first & 0x3F | 0x80;
                *kind = 200 + *kind % 5;
            }
            reports.receive(Duration::from_secs(1), &bytes, 7);
        }
        assert_eq!(reports.round_trip(), None);
    }
}
