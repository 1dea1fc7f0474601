//! Digits in INFO requests, for peers that agreed to no telephone event (RFC 4733), and those of peers that send them so.
//!
//! The body is `application/dtmf-relay`: a line with the key, a line with the milliseconds it is pressed. No RFC has it;
//! gateways made it the custom, and RFC 6086 section 2 counts it among the uses that are older than its Info packages and
//! need none. Each digit waits for the answer to the one before, so that none overtakes another, and for the time it takes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{Session, State};
use crate::agent::Event;
use crate::core::{Alarm, Core};
use crate::message::Message;
use crate::method::Method;
use crate::transaction::TxId;

/// How long we say that a key is pressed, in milliseconds.
const PRESSED_MS: u32 = 160;
/// From one digit to the next: the key, and a pause as long as RFC 4733 senders leave.
const PERIOD: Duration = Duration::from_millis(PRESSED_MS as u64 + 60);
/// Digits waiting at most.
const MAX_WAITING: usize = 128;
/// The keys by the numbers of their events (RFC 4733 table 3), which some write instead.
const KEYS: &[u8; 16] = b"0123456789*#ABCD";
/// What is read, and sent.
const RELAY: &str = "application/dtmf-relay";
/// What is read besides: the key alone.
const BARE: &str = "application/dtmf";

/// Digits of ours on their way.
#[derive(Debug, Default)]
pub(super) struct Digits {
    waiting: VecDeque<char>,
    sent: Option<TxId>,
    is_sounding: bool,
}

impl Session {
    /// Sends digits, one after another, behind those that are on their way.
    pub(crate) fn send_digits(&mut self, core: &mut Core, now: Instant, digits: &str) {
        if self.state == State::Over || self.dialog.is_none() {
            return;
        }
        let keys = digits.chars().map(|key| key.to_ascii_uppercase());
        let room = MAX_WAITING.saturating_sub(self.digits.waiting.len());
        self.digits.waiting.extend(keys.filter(|key| is_key(*key)).take(room));
        self.next_digit(core, now);
    }

    /// The digit that was sent last has sounded.
    pub(super) fn on_digit_over(&mut self, core: &mut Core, now: Instant) {
        self.digits.is_sounding = false;
        self.next_digit(core, now);
    }

    pub(super) fn on_info_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let code = response.code().unwrap_or(0);
        if code < 200 || self.digits.sent != Some(id) {
            return;
        }
        self.digits.sent = self.answer_challenge(core, now, id, response);
        match code {
            200..=299 => self.next_digit(core, now),
            _ if self.digits.sent.is_some() => {}
            // The peer knows nothing of the call (RFC 3261 12.2.1.2, RFC 5057).
            481 if self.state == State::Up => self.lose(core, now, code, response.reason()),
            _ => self.give_digits_up(core, code, response.reason()),
        }
    }

    pub(super) fn on_info_silence(&mut self, core: &mut Core, id: TxId) {
        if self.digits.sent.take_if(|sent| *sent == id).is_some() {
            self.give_digits_up(core, 408, "no answer");
        }
    }

    /// An INFO of the peer: a key that it pressed, or nothing, by which some ask whether the call lives.
    pub(super) fn on_info(&mut self, core: &mut Core, now: Instant, id: TxId, request: &Message) {
        // RFC 6086 section 4.2.2: we have offered no package.
        if request.header("Info-Package").is_some() {
            return core.reply_with(now, id, 469, "Recv-Info", "");
        }
        let kind = request.content_type();
        let read = match kind.as_deref() {
            None if request.body().is_empty() => None,
            Some(kind @ (RELAY | BARE)) => key_in(kind, request.body()),
            _ => return core.reply_with(now, id, 415, "Accept", &format!("{RELAY}, {BARE}")),
        };
        core.reply(now, id, 200);
        if let Some((digit, duration_ms)) = read {
            core.emit(Event::Digit { session: self.id, digit, duration_ms });
        }
    }

    fn next_digit(&mut self, core: &mut Core, now: Instant) {
        if self.state == State::Over || self.digits.sent.is_some() || self.digits.is_sounding {
            return;
        }
        let Some(key) = self.digits.waiting.pop_front() else { return };
        self.digits.sent = self.send_within(core, now, Method::Info, |info| {
            info.set_body(RELAY, format!("Signal={key}\r\nDuration={PRESSED_MS}\r\n").into_bytes());
        });
        self.digits.is_sounding = true;
        core.timers.set(Alarm::Digit(self.id), now + PERIOD);
    }

    /// What waits would come too late, or be half of a number.
    fn give_digits_up(&mut self, core: &mut Core, code: u16, reason: &str) {
        self.digits.waiting.clear();
        if self.state != State::Over {
            core.emit(Event::DigitsFailed { session: self.id, code, reason: reason.to_owned() });
        }
    }
}

fn is_key(key: char) -> bool {
    KEYS.iter().any(|known| char::from(*known) == key)
}

/// The key, and for how many milliseconds it was pressed, 0 where that is not said. `None` for flash and what is not
/// understood.
fn key_in(kind: &str, body: &[u8]) -> Option<(char, u32)> {
    let text = std::str::from_utf8(body).ok()?;
    if kind == BARE {
        return key(text.trim()).map(|key| (key, 0));
    }
    let value = |name: &str| {
        let of = |line: &str| {
            let (word, value) = line.split_once(['=', ':'])?;
            word.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        text.lines().find_map(of)
    };
    let duration = value("Duration").and_then(|ms| ms.parse().ok()).unwrap_or(0);
    Some((key(&value("Signal")?)?, duration))
}

/// A key by itself, or by the number of its event.
fn key(text: &str) -> Option<char> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(key), None) => Some(key.to_ascii_uppercase()).filter(|key| is_key(*key)),
        _ => KEYS.get(text.parse::<usize>().ok()?).copied().map(char::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_every_dress() {
        for (kind, body, read) in [
            (RELAY, "Signal=5\r\nDuration=160\r\n", Some(('5', 160))),
            (RELAY, "signal: d\nduration: 90", Some(('D', 90))),
            (RELAY, "Signal = 10\r\n", Some(('*', 0))),
            (RELAY, "Signal=11\r\nDuration=-1", Some(('#', 0))),
            (RELAY, "Signal=16\r\n", None),
            (RELAY, "Signal=hf\r\n", None),
            (RELAY, "Duration=100\r\n", None),
            (RELAY, "", None),
            (BARE, "7\r\n", Some(('7', 0))),
            (BARE, "77", None),
        ] {
            assert_eq!(key_in(kind, body.as_bytes()), read, "{kind} {body:?}");
        }
        assert_eq!(key_in(RELAY, b"Signal=\xff"), None);
    }
}
