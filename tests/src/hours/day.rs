//! What happens at the desk in one simulated hour: calls of every kind one after another, and nothing left at its end.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use media::{Codec, Direction, Ear, Ring, Seat, StreamId, Tone, payloads};

use super::caller::{Network, Words};
use super::desk::Desk;
use crate::dice::Dice;

/// As they are met: G.711 mostly.
const CODECS: [Codec; 6] = [Codec::Pcma, Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus, Codec::G722];
/// How much too fast or slow the clocks of callers run, in millionths.
const CLOCKS: [i32; 5] = [-200, 200, 0, 60, -60];

/// Who calls, with what.
pub(super) struct Day {
    words: BTreeMap<&'static str, Words>,
    dice: Dice,
    calls: usize,
}

impl Day {
    /// Everybody says `speech` (48 kHz).
    ///
    /// # Errors
    /// A codec fails.
    pub(super) fn new(speech: &[i16], seed: u64) -> io::Result<Self> {
        let mut words = BTreeMap::new();
        for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus] {
            let made = payloads(codec, speech).map_err(io::Error::other)?;
            words.insert(name(codec), Rc::new(made));
        }
        Ok(Self { words, dice: Dice::new(seed), calls: 0 })
    }

    /// One hour, or whatever is taken for one; the last call may take it a little beyond.
    pub(super) fn hour(&mut self, desk: &mut Desk, length: Duration, announcement: &Path) {
        let mut left = length.as_secs();
        for scene in 0.. {
            let spent = match scene % 5 {
                0 => self.plain(desk),
                1 => self.consultation(desk),
                2 => self.waiting(desk, announcement),
                3 => self.renegotiated(desk),
                _ => self.conference(desk),
            };
            left = left.saturating_sub(spent);
            if left == 0 {
                break;
            }
        }
    }

    /// It rings, is answered, digits are keyed in, the microphone is muted, they hang up.
    fn plain(&mut self, desk: &mut Desk) -> u64 {
        desk.media.ring(Some(self.dice.pick(&[Ring::Bell, Ring::Warble, Ring::Gong]))).expect("taken");
        desk.pass(3, &[]);
        desk.media.ring(None).expect("taken");
        let call = self.answer(desk);
        talk(desk, call, 60);
        desk.media.digits(call, "12#").expect("taken");
        desk.media.chime().expect("taken");
        desk.pass(2, &[]);
        desk.media.mute_microphone(true).expect("taken");
        desk.pass(3, &[call]);
        desk.media.mute_microphone(false).expect("taken");
        talk(desk, call, 90);
        self.leave(desk, &[call]);
        desk.pass(4, &[]);
        162
    }

    /// One is on hold with music while another is asked; back and forth; then both are connected elsewhere.
    fn consultation(&mut self, desk: &mut Desk) -> u64 {
        let first = self.answer(desk);
        talk(desk, first, 30);
        desk.expect_voice(false);
        desk.media.listen(Ear::Nobody).expect("taken");
        desk.media.tone(Some(Tone::Ringback)).expect("taken");
        desk.pass(4, &[]);
        desk.media.tone(None).expect("taken");
        let second = self.answer(desk);
        talk(desk, second, 30);
        talk(desk, first, 20);
        talk(desk, second, 10);
        self.leave(desk, &[first, second]);
        desk.pass(4, &[]);
        98
    }

    /// A caller is answered by a message, waits with music while others are talked to, and is taken.
    fn waiting(&mut self, desk: &mut Desk, announcement: &Path) -> u64 {
        let waits = self.answer(desk);
        desk.media.listen(Ear::Nobody).expect("taken");
        desk.media.announce(waits, announcement.to_owned()).expect("taken");
        desk.pass(20, &[]);
        let other = self.answer(desk);
        talk(desk, other, 60);
        desk.media.tone(Some(Tone::CallWaiting)).expect("taken");
        desk.pass(10, &[other]);
        desk.media.tone(None).expect("taken");
        self.leave(desk, &[other]);
        talk(desk, waits, 90);
        self.leave(desk, &[waits]);
        180
    }

    /// The far end holds, takes back, and goes on in another codec.
    fn renegotiated(&mut self, desk: &mut Desk) -> u64 {
        let call = self.answer(desk);
        talk(desk, call, 20);
        desk.expect_voice(false);
        desk.agree(call, Direction::Inactive, None);
        desk.pass(10, &[]);
        let codec = self.dice.pick(&CODECS);
        desk.agree(call, Direction::SendRecv, Some((codec, self.words(codec))));
        talk(desk, call, 60);
        desk.expect_voice(false);
        desk.agree(call, Direction::RecvOnly, None);
        desk.pass(5, &[]);
        desk.agree(call, Direction::SendRecv, None);
        talk(desk, call, 60);
        self.leave(desk, &[call]);
        155
    }

    /// Five in a conference: one is muted, one leaves, the operator goes and comes back.
    fn conference(&mut self, desk: &mut Desk) -> u64 {
        let everybody: Vec<StreamId> = (0..5).map(|_| self.answer(desk)).collect();
        let seats = |muted: usize, count: usize| -> Vec<Seat> {
            let seat = |(n, &stream)| Seat { stream, muted: n == muted };
            everybody.iter().take(count).enumerate().map(seat).collect()
        };
        desk.media.conference(&seats(9, 5)).expect("taken");
        desk.media.listen(Ear::Conference).expect("taken");
        desk.expect_voice(true);
        desk.pass(60, &everybody);
        desk.media.conference(&seats(1, 5)).expect("taken");
        desk.pass(20, &everybody);
        desk.media.conference(&seats(9, 4)).expect("taken");
        self.leave(desk, &everybody[4..]);
        desk.media.listen(Ear::Nobody).expect("taken");
        desk.pass(20, &everybody[..4]);
        desk.media.listen(Ear::Conference).expect("taken");
        desk.expect_voice(true);
        desk.pass(20, &everybody[..4]);
        desk.media.conference(&[]).expect("taken");
        self.leave(desk, &everybody[..4]);
        desk.pass(2, &[]);
        122
    }

    /// The next caller: every codec meets every network and every clock in turn.
    fn answer(&mut self, desk: &mut Desk) -> StreamId {
        let n = self.calls;
        self.calls += 1;
        let codec = CODECS[n % CODECS.len()];
        let network = Network::ALL[n / CODECS.len() % Network::ALL.len()];
        desk.call(codec, network, CLOCKS[n % CLOCKS.len()], self.words(codec))
    }

    fn leave(&self, desk: &mut Desk, calls: &[StreamId]) {
        desk.expect_voice(false);
        calls.iter().for_each(|call| desk.hang_up(*call));
    }

    fn words(&self, codec: Codec) -> Words {
        Rc::clone(&self.words[name(codec)])
    }
}

fn talk(desk: &mut Desk, call: StreamId, seconds: u64) {
    desk.expect_voice(false);
    desk.media.listen(Ear::Stream(call)).expect("taken");
    // A stream that comes from hold finishes the packet it had begun there.
    desk.pass(1, &[]);
    desk.expect_voice(true);
    desk.pass(seconds - 1, &[call]);
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU",
        Codec::Pcma => "PCMA",
        Codec::G722 => "G722",
        Codec::Opus => "Opus",
    }
}
