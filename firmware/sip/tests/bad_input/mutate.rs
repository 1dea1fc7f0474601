//! What a bad network, a bad peer or an attacker does to a message.

/// A small generator, the same in every run (xorshift64*).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// 0 up to `below`, which is above 0.
    pub fn below(&mut self, below: usize) -> usize {
        ((self.bits() >> 32) as usize) % below.max(1)
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Pieces of syntax that mean something somewhere.
const PIECES: [&str; 44] = [
    "\r\n",
    "\n",
    "\r",
    "\n ",
    "\r\n\r\n",
    "\"",
    "<",
    ">",
    ",",
    ";",
    "=",
    "\\",
    "%",
    "%0",
    "%00",
    "@",
    ":",
    "[",
    "]",
    "?",
    "\0",
    "*",
    "-1",
    "0",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "SIP/2.0 ",
    "sip:",
    "tel:",
    "m=",
    "a=",
    "c=",
    "k=",
    "&lt;",
    "&a;",
    "</",
    "<!--",
    "<![CDATA[",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "\u{fc}",
    "\u{feff}",
    "Content-Length: 5\r\n",
    "Via: ",
];

/// The most bytes that are made of anything: what a datagram can carry.
const LARGEST: usize = 65_535;

/// `bytes` with one to six changes; `other` is what pieces are taken from.
pub fn mutated(dice: &mut Dice, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..1 + dice.below(6) {
        if out.is_empty() {
            out.push(dice.bits() as u8);
        }
        change(dice, &mut out, other);
        // What is larger never reaches a reader: the network cuts it. Pieces that are repeated of what was repeated before
        // would fill the machine.
        out.truncate(LARGEST);
    }
    out
}

fn change(dice: &mut Dice, out: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(out.len());
    match dice.below(12) {
        0 => out[at] = dice.bits() as u8,
        1 => out[at] ^= 1 << dice.below(8),
        2 | 3 => _ = out.splice(at..at, dice.of(&PIECES).bytes()),
        4 => _ = out.drain(at..(at + 1 + dice.below(40)).min(out.len())),
        5 => {
            let end = (at + 1 + dice.below(60)).min(out.len());
            let piece = out[at..end].repeat(1 + dice.below(40));
            out.splice(at..at, piece);
        }
        6 if dice.below(4) == 0 => out.truncate(at),
        7 => number(dice, out, at),
        8 | 9 => lines(dice, out),
        10 if !other.is_empty() => {
            let from = dice.below(other.len());
            let until = (from + 1 + dice.below(200)).min(other.len());
            out.splice(at..at, other[from..until].iter().copied());
        }
        _ => {
            let run = (at + 1 + dice.below(8)).min(out.len());
            out[at..run].fill(*dice.of(b" \t\r\n\"<>;,:=@%\\\0A9\xff"));
        }
    }
}

/// Another number in the place of the next one.
fn number(dice: &mut Dice, out: &mut Vec<u8>, at: usize) {
    let Some(begin) = out[at..].iter().position(u8::is_ascii_digit).map(|digit| at + digit) else { return };
    let end =
        out[begin..].iter().position(|byte| !byte.is_ascii_digit()).map_or(out.len(), |end| begin + end);
    let all = [
        "0",
        "1",
        "-1",
        "00000000001",
        "255",
        "256",
        "65535",
        "65536",
        "2147483648",
        "4294967296",
        "99999999999999999999",
    ];
    out.splice(begin..end, dice.of(&all).bytes());
}

/// A line doubled, left out, or in the place of another.
fn lines(dice: &mut Dice, out: &mut Vec<u8>) {
    let mut all: Vec<Vec<u8>> = out.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, two) = (dice.below(all.len()), dice.below(all.len()));
    match dice.below(4) {
        0 => all.swap(one, two),
        1 => _ = all.remove(one),
        2 => all.insert(two, all[one].clone()),
        _ => {
            let times = if dice.below(8) == 0 { dice.below(300) } else { dice.below(4) };
            let line = all[one].clone();
            all.splice(one..one, std::iter::repeat_n(line, times));
        }
    }
    *out = all.concat();
}
