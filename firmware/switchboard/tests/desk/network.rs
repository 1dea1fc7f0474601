//! A model network: answers the desk's effects as exchanges do, or late, out of order, or not at
//! all.

use std::collections::{BTreeMap, BTreeSet};

use ipc::{CallRef, LampState, Party, Registration};
use switchboard::{Effect, EndCause, Input, TransferResult};

use crate::customer::{ALL, card};

/// xorshift64*: the same seed gives the same run on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }

    pub(crate) fn percent(&mut self, p: u64) -> bool {
        self.below(100) < p
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[usize::try_from(self.below(from.len() as u64)).unwrap()])
    }
}

/// What the network will say, by the time it says it.
#[derive(Default)]
pub(crate) struct Network {
    due: BTreeMap<(u64, u64), Input>,
    sent: u64,
    /// Calls whose end is under way: a BYE has been sent or received.
    over: BTreeSet<CallRef>,
    /// When the last answer to a hold or retrieve comes, by call.
    holds: BTreeMap<CallRef, u64>,
}

impl Network {
    /// Reacts to an effect. One in ten answers is lost, but to a hold or a retrieve.
    pub(crate) fn hear(&mut self, now: u64, effect: &Effect, random: &mut Random) {
        match effect {
            Effect::Ring180 { call } if random.percent(30) => self.give_up(now, *call, random),
            Effect::Answer { call } if random.percent(10) => self.end(now, *call, true, 487, random),
            Effect::Answer { call } => self.say(now, 50, Input::Confirmed { call: *call }, random),
            Effect::Hold { call } => self.hold(now, *call, true, random),
            Effect::Retrieve { call } => self.hold(now, *call, false, random),
            Effect::Dial { call, .. } | Effect::Intercept { call, .. } | Effect::TakeOver { call, .. } => {
                self.dial(now, *call, random);
            }
            Effect::Refer { call, .. } => self.refer(now, *call, random),
            Effect::ReferToCall { call, to, .. } => {
                self.refer(now, *call, random);
                // The target's leg is replaced: its BYE comes before the NOTIFY, or after, or never.
                if random.percent(60) {
                    self.end(now, *to, true, 200, random);
                }
            }
            // The exchange has the caller, or not.
            Effect::GiveUpTransfer { call } if random.percent(30) => self.end(now, *call, true, 200, random),
            Effect::GiveUpTransfer { call } => {
                self.say(
                    now,
                    300,
                    Input::TransferEnded { call: *call, result: TransferResult::Silent },
                    random,
                );
            }
            // Now and then it came from where it would go.
            Effect::Redirect { call, .. } if random.percent(20) => {
                self.say(now, 1, Input::RedirectFailed { call: *call, code: 482 }, random);
            }
            Effect::HangUp { call } | Effect::Reject { call, .. } | Effect::Redirect { call, .. } => {
                self.end(now, *call, false, 487, random);
            }
            _ => {}
        }
    }

    /// The next thing the network says, and when, if that is before `until`.
    pub(crate) fn next(&mut self, until: u64) -> Option<(u64, Input)> {
        let entry = self.due.first_entry().filter(|e| e.key().0 <= until)?;
        let at = entry.key().0;
        Some((at, entry.remove()))
    }

    /// From now on nothing is heard of any call.
    pub(crate) fn fall_silent(&mut self) {
        self.due.clear();
    }

    fn give_up(&mut self, now: u64, call: CallRef, random: &mut Random) {
        let elsewhere = random.percent(30);
        let cause = EndCause { by_remote: true, code: 487, reason: String::new(), elsewhere };
        self.say(now + 2_000, 30_000, Input::Ended { call, cause }, random);
    }

    fn hold(&mut self, now: u64, call: CallRef, on: bool, random: &mut Random) {
        let answer = if random.percent(15) {
            Input::HoldFailed { call, hold: on, code: 488, reason: "Not Acceptable Here".into() }
        } else if on {
            Input::Held { call }
        } else {
            Input::Retrieved { call }
        };
        // The user agent answers each, in their order (RFC 3261 14.1 lets one re-INVITE be on its way at a time).
        let last = self.holds.entry(call).or_default();
        *last = (now + random.below(300)).max(*last);
        self.sent += 1;
        self.due.insert((*last, self.sent), answer);
    }

    fn dial(&mut self, now: u64, call: CallRef, random: &mut Random) {
        if random.percent(70) {
            let early_media = random.percent(30);
            self.say(now, 500, Input::Progress { call, code: 180, early_media }, random);
        }
        if random.percent(60) {
            self.say(now + 200, 9_000, Input::Answered { call, by: None }, random);
            self.end(now + 5_000, call, true, 200, random);
        } else {
            let code = random.pick(&[404, 408, 480, 486, 503, 603]).unwrap();
            self.end(now, call, true, code, random);
        }
    }

    fn refer(&mut self, now: u64, call: CallRef, random: &mut Random) {
        for (code, span) in [(100, 200), (180, 2_000)] {
            if random.percent(80) {
                self.say(now, span, Input::TransferProgress { call, code }, random);
            }
        }
        let result = match random.below(10) {
            0..5 => TransferResult::Answered,
            5..8 => TransferResult::Refused { code: 486 },
            _ => TransferResult::Silent,
        };
        self.say(now + 100, 40_000, Input::TransferEnded { call, result }, random);
        if random.percent(40) {
            self.end(now, call, true, 200, random);
        }
    }

    /// The network ends a leg that another one has replaced.
    pub(crate) fn replaced(&mut self, now: u64, call: CallRef, random: &mut Random) {
        self.end(now, call, true, 200, random);
    }

    fn end(&mut self, now: u64, call: CallRef, by_remote: bool, code: u16, random: &mut Random) {
        let cause = EndCause { by_remote, code, reason: String::new(), elsewhere: false };
        self.say(now, 20_000, Input::Ended { call, cause }, random);
    }

    fn say(&mut self, now: u64, within: u64, input: Input, random: &mut Random) {
        if random.percent(10) {
            return;
        }
        self.sent += 1;
        self.due.insert((now + random.below(within), self.sent), input);
    }

    /// Whether the user agent would still speak of this call: nothing but a late end of a transfer
    /// follows its `Ended`.
    pub(crate) fn allows(&mut self, input: &Input) -> bool {
        match input {
            Input::Ended { call, .. } => self.over.insert(*call),
            _ => true,
        }
    }
}

/// Any input at all, about calls that exist, existed, or never did.
pub(crate) fn nonsense(random: &mut Random, calls: u64) -> Input {
    let call = CallRef(random.below(calls + 3));
    let code = u16::try_from(random.below(800)).unwrap();
    let party = Party { number: Some(call.0.to_string()), ..Party::default() };
    match random.below(20) {
        0 => Input::Progress { call, code, early_media: random.percent(50) },
        1 => Input::Answered { call, by: None },
        2 => Input::Confirmed { call },
        3 => Input::Held { call },
        4 => Input::Retrieved { call },
        5 => Input::HoldFailed { call, hold: code.is_multiple_of(2), code, reason: "no".into() },
        6 => Input::RemoteHold { call, held: random.percent(50) },
        7 => Input::TransferProgress { call, code },
        8 => Input::TransferEnded { call, result: TransferResult::Answered },
        9 => Input::TransferEnded { call, result: TransferResult::Refused { code } },
        10 => Input::TransferEnded { call, result: TransferResult::Silent },
        11 => Input::TargetIdentified { transfer: ipc::TransferId(random.below(9)), party },
        12 if random.percent(50) => Input::Rings { number: "2101".into(), caller: Some(party) },
        12 => Input::Lamp {
            number: "2101".into(),
            state: LampState::Available,
            calls: code,
            peer: None,
            talks: Vec::new(),
        },
        // A reference that was used before, and a place to take that may exist.
        13 if (1..=calls).contains(&call.0) => Input::Incoming {
            call,
            caller: party,
            called_number: "5550200".into(),
            diverted_by: None,
            replaces: Some(CallRef(random.below(calls + 3))),
        },
        15 => Input::Customer {
            call,
            number: call.0.to_string(),
            customer: random.percent(50).then(|| card("nobody's")),
        },
        16 => Input::Connectors(ALL),
        17 => Input::PartyChanged { call, party },
        18 => Input::RedirectFailed { call, code },
        14 => Input::Registration { line: "5550100".into(), state: Registration::Registered },
        _ => Input::Deadline,
    }
}
