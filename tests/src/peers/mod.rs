//! The desk among telephones of three other makers: what each cell of `make peers` does, and what a maker's
//! telephone cannot do by itself.
//!
//! Not here: which cells are run and how they are printed (`tests/src/bin/frontdesk-peers`).

mod cells;
mod scene;

pub use scene::Scene;

use crate::baresip::Baresip;
use crate::linphone::Linphone;
use crate::pjsua::Pjsua;
use crate::ports::Ports;
use crate::telephone::{Codec, Telephone, Wish};

/// Who made the telephone at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// baresip of Debian.
    Baresip,
    /// linphonec of Debian.
    Linphone,
    /// PJSUA2 of PyPI.
    Pjsua2,
}

impl Maker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Baresip, Self::Linphone, Self::Pjsua2];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baresip => "baresip",
            Self::Linphone => "linphone-cli",
            Self::Pjsua2 => "pjsua2",
        }
    }

    #[track_caller]
    fn start(self, ports: &mut Ports, wish: &Wish<'_>) -> Box<dyn Telephone> {
        match self {
            Self::Baresip => Box::new(Baresip::start_as(ports, wish)),
            Self::Linphone => Box::new(Linphone::start(ports, wish)),
            Self::Pjsua2 => Box::new(Pjsua::start(ports, wish)),
        }
    }

    /// Whether its file goes on when it holds, as music for who is held.
    fn plays_on_hold(self) -> bool {
        self == Self::Linphone
    }

    /// Whether it no longer records what it hears once it was on hold. Then digits show that what the operator sends
    /// comes to it again, in place of speech.
    #[must_use]
    pub fn is_deaf_after_hold(self) -> bool {
        self == Self::Baresip
    }

    /// Why this maker's telephone cannot do its part of a cell; `None` when it can.
    #[must_use]
    pub fn cannot(self, cell: Cell) -> Option<&'static str> {
        match (self, cell) {
            (Self::Baresip, Cell::Attended) => {
                Some("baresip 1.0 does not know Replaces: it dials what Refer-To says as one address")
            }
            (Self::Pjsua2, Cell::Codec(Codec::Opus)) => Some("the package of PyPI is built without Opus"),
            _ => None,
        }
    }
}

/// What is done with a telephone at the other end. Whatever it is, speech is found by frequency in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It calls the desk, is answered and hangs up.
    In,
    /// The desk calls it, and hangs up.
    Out,
    /// The desk puts it on hold with music and takes it back.
    HeldByDesk,
    /// It puts the desk on hold and takes it back.
    HeldByPeer,
    /// The desk transfers it to another telephone of its kind.
    Blind,
    /// The desk asks another of its kind first, and joins the two (Replaces, RFC 3891).
    Attended,
    /// The desk sends it digits.
    Digits,
    /// It calls with this codec and no other.
    Codec(Codec),
}

impl Cell {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 11] = [
        Self::In,
        Self::Out,
        Self::HeldByDesk,
        Self::HeldByPeer,
        Self::Blind,
        Self::Attended,
        Self::Digits,
        Self::Codec(Codec::Pcma),
        Self::Codec(Codec::Pcmu),
        Self::Codec(Codec::G722),
        Self::Codec(Codec::Opus),
    ];

    /// The head of its column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::HeldByDesk => "desk-holds",
            Self::HeldByPeer => "peer-holds",
            Self::Blind => "blind",
            Self::Attended => "attended",
            Self::Digits => "DTMF",
            Self::Codec(codec) => codec.name(),
        }
    }

    /// Does it.
    ///
    /// # Panics
    /// When it does not go as it should; the message says what was waited for.
    #[track_caller]
    pub fn run(self, scene: &mut Scene, maker: Maker) {
        match self {
            Self::In => cells::incoming(scene, maker, Codec::Pcma),
            Self::Out => cells::outgoing(scene, maker),
            Self::HeldByDesk => cells::held_by_desk(scene, maker),
            Self::HeldByPeer => cells::held_by_peer(scene, maker),
            Self::Blind => cells::blind(scene, maker),
            Self::Attended => cells::attended(scene, maker),
            Self::Digits => cells::digits(scene, maker),
            Self::Codec(codec) => cells::incoming(scene, maker, codec),
        }
    }
}
