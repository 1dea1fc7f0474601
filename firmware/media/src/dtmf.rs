//! Digits as named telephone events (RFC 4733 section 2.3 and 2.5).
//!
//! Not done here: tones in the audio, flash and other events above 15 (ignored).

use std::collections::VecDeque;
use std::time::Duration;

/// The digits in the order of their event codes (RFC 4733 table 3).
const DIGITS: &[u8; 16] = b"0123456789*#ABCD";
/// How long each digit sounds, and the pause after it.
const TONE_MS: u32 = 100;
const GAP_MS: u32 = 60;
/// Time between two packets of one event.
const PACKET_MS: u32 = 20;
/// The last packet is sent this often (RFC 4733 section 2.5.1.4).
const END_PACKETS: u32 = 3;
/// Level: -10 dBm0.
const VOLUME: u8 = 10;
/// Digits waiting at most.
const MAX_QUEUE: usize = 128;
/// Digits that could not begin for so long are not sent any more: whoever asked for them has gone on.
const STALE_MS: u32 = 10_000;
/// An event without packets for so long has ended, even if nobody said so.
const SILENT_END: Duration = Duration::from_millis(200);

/// Sends digits one after another.
#[derive(Default)]
pub(crate) struct DigitSender {
    queue: VecDeque<u8>,
    current: Option<Sending>,
    gap_ms: u32,
    /// For how long nothing could be sent, at least since the last digit was queued.
    waited_ms: u32,
}

struct Sending {
    event: u8,
    timestamp: u32,
    elapsed_ms: u32,
}

/// One packet of an event, to be sent `copies` times with the same timestamp.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct EventPacket {
    pub payload: [u8; 4],
    pub timestamp: u32,
    pub marker: bool,
    pub copies: u32,
}

impl DigitSender {
    /// Queues digits; what is no digit, or too much, is left out.
    pub(crate) fn queue(&mut self, digits: &str) {
        let codes = digits.bytes().filter_map(|b| DIGITS.iter().position(|d| *d == b.to_ascii_uppercase()));
        let room = MAX_QUEUE.saturating_sub(self.queue.len());
        self.queue.extend(codes.take(room).map(|code| code as u8));
        self.waited_ms = 0;
    }

    /// True while an event sounds: no speech is sent then.
    pub(crate) fn is_sending(&self) -> bool {
        self.current.is_some()
    }

    /// Lets 10 ms pass in which nothing can be sent.
    pub(crate) fn wait(&mut self) {
        self.waited_ms = self.waited_ms.saturating_add(10);
        if self.waited_ms >= STALE_MS {
            self.queue.clear();
            self.current = None;
        }
    }

    /// Lets 10 ms pass. `timestamp` is the RTP time now, `per_ms` how many units of the event's clock, which may be
    /// another, there are in a millisecond.
    pub(crate) fn tick(&mut self, timestamp: u32, per_ms: u32) -> Option<EventPacket> {
        self.waited_ms = 0;
        if self.current.is_none() {
            self.gap_ms = self.gap_ms.saturating_sub(10);
            if self.gap_ms > 0 {
                return None;
            }
            let event = self.queue.pop_front()?;
            self.current = Some(Sending { event, timestamp, elapsed_ms: 0 });
        }
        let sending = self.current.as_mut()?;
        sending.elapsed_ms += 10;
        let (ended, due) = (sending.elapsed_ms >= TONE_MS, sending.elapsed_ms % PACKET_MS == 0);
        if !due {
            return None;
        }
        // 100 ms at 48 kHz is 4800: fits.
        let duration = ((sending.elapsed_ms * per_ms) as u16).to_be_bytes();
        let flags = if ended { 0x80 | VOLUME } else { VOLUME };
        let packet = EventPacket {
            payload: [sending.event, flags, duration[0], duration[1]],
            timestamp: sending.timestamp,
            marker: sending.elapsed_ms == PACKET_MS,
            copies: if ended { END_PACKETS } else { 1 },
        };
        if ended {
            self.current = None;
            // The gap is counted from the tick after this one.
            self.gap_ms = GAP_MS + 10;
        }
        Some(packet)
    }
}

/// Hears digits.
#[derive(Default)]
pub(crate) struct DigitReceiver {
    current: Option<Hearing>,
    /// The timestamp of the last event told, so that its repeated end is not told again.
    told: Option<u32>,
}

struct Hearing {
    event: u8,
    timestamp: u32,
    duration: u32,
    last: Duration,
}

/// A digit that has ended.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Heard {
    pub digit: char,
    /// In units of the event's clock.
    pub duration: u32,
}

impl DigitReceiver {
    /// Takes the payload of an event packet. Tells the digit at its end, or the previous one at the beginning
    /// of the next when its end was lost.
    pub(crate) fn receive(&mut self, now: Duration, timestamp: u32, payload: &[u8]) -> Option<Heard> {
        let &[event, flags, high, low, ..] = payload else { return None };
        if usize::from(event) >= DIGITS.len() || self.told == Some(timestamp) {
            return None;
        }
        let duration = u32::from(u16::from_be_bytes([high, low]));
        let previous = match &mut self.current {
            Some(hearing) if hearing.timestamp == timestamp => {
                hearing.duration = hearing.duration.max(duration);
                hearing.last = now;
                None
            }
            _ => {
                let previous = self.end();
                self.current = Some(Hearing { event, timestamp, duration, last: now });
                previous
            }
        };
        let ended = flags & 0x80 != 0;
        if ended && previous.is_none() {
            return self.end();
        }
        previous
    }

    /// Tells a digit whose end never came.
    pub(crate) fn tick(&mut self, now: Duration) -> Option<Heard> {
        let hearing = self.current.as_ref()?;
        if now.saturating_sub(hearing.last) < SILENT_END { None } else { self.end() }
    }

    fn end(&mut self) -> Option<Heard> {
        let hearing = self.current.take()?;
        self.told = Some(hearing.timestamp);
        // `receive` keeps events below DIGITS.len().
        let digit = char::from(*DIGITS.get(usize::from(hearing.event))?);
        Some(Heard { digit, duration: hearing.duration })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the sender for `ms` and hands each packet to the receiver unless `lose` says otherwise.
    fn carry(digits: &str, ms: u32, lose: impl Fn(usize) -> bool) -> Vec<Heard> {
        let (mut tx, mut rx) = (DigitSender::default(), DigitReceiver::default());
        tx.queue(digits);
        let (mut heard, mut number) = (Vec::new(), 0);
        for tick in 0..ms / 10 {
            let now = Duration::from_millis(u64::from(tick) * 10);
            if let Some(packet) = tx.tick(tick * 80, 8) {
                for _ in 0..packet.copies {
                    if !lose(number) {
                        heard.extend(rx.receive(now, packet.timestamp, &packet.payload));
                    }
                    number += 1;
                }
            }
            heard.extend(rx.tick(now));
        }
        heard
    }

    fn text(heard: &[Heard]) -> String {
        heard.iter().map(|h| h.digit).collect()
    }

    #[test]
    fn all_digits_arrive_once_with_their_length() {
        let heard = carry("0123456789*#abcd", 3000, |_| false);
        assert_eq!(text(&heard), "0123456789*#ABCD");
        assert!(heard.iter().all(|h| h.duration == 800));
    }

    #[test]
    fn digits_survive_the_loss_of_every_end_packet() {
        // Each digit is 4 packets and 3 ends.
        assert_eq!(text(&carry("4711", 2000, |n| n % 7 >= 4)), "4711");
    }

    #[test]
    fn digits_survive_the_loss_of_all_but_one_packet() {
        for kept in 0..7 {
            assert_eq!(text(&carry("90", 2000, |n| n % 7 != kept)), "90", "kept {kept}");
        }
    }

    #[test]
    fn the_first_packet_is_marked_and_digits_are_sixty_milliseconds_apart() {
        let mut tx = DigitSender::default();
        tx.queue("11");
        let packets: Vec<_> = (0..60).filter_map(|t| tx.tick(t * 80, 8).map(|p| (t, p))).collect();
        let marked: Vec<_> = packets.iter().filter(|(_, p)| p.marker).map(|(t, _)| *t).collect();
        let ends: Vec<_> = packets.iter().filter(|(_, p)| p.copies == 3).map(|(t, _)| *t).collect();
        assert_eq!((marked.len(), ends.len()), (2, 2));
        // The second begins 20 ms before its first packet.
        assert_eq!((marked[1] - 1) - ends[0], 7);
    }

    #[test]
    fn rubbish_is_no_digit() {
        let mut rx = DigitReceiver::default();
        for payload in [&[][..], &[1], &[1, 0x80, 0], &[16, 0x80, 0, 9], &[255, 255, 255, 255]] {
            assert_eq!(rx.receive(Duration::ZERO, 1, payload), None);
        }
        assert_eq!(rx.tick(Duration::from_secs(9)), None);
    }
}
