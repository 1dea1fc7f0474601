//! A USB handset that the box's kernel makes up (`linux/uhid.h`): its hook, and the lamps that it is told to light. The
//! files of its life are written here and carried over, so that the box needs no program for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::guest::Guest;

/// A handset with a key pad as Polycom and Yealink make them, without report numbers: hook, mute, flash and hold by
/// bits, then a key; LEDs off hook, ring, mute, hold and message by bits (`controls/src/samples.rs` has the words).
const DESCRIPTOR: &[u8] = &[
    0x05, 0x0b, 0x09, 0x04, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x04, 0x09, 0x20, 0x09,
    0x2f, 0x09, 0x21, 0x09, 0x23, 0x81, 0x02, 0x81, 0x03, 0x19, 0xb0, 0x29, 0xbb, 0x15, 0x01, 0x25, 0x0c,
    0x75, 0x08, 0x95, 0x01, 0x81, 0x00, 0x05, 0x08, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x05, 0x09,
    0x17, 0x09, 0x18, 0x09, 0x09, 0x09, 0x20, 0x09, 0x19, 0x91, 0x02, 0x95, 0x03, 0x91, 0x03, 0xc0,
];
/// Bytes of `struct uhid_event`, which is packed, and of the data in it.
const EVENT: usize = 4 + 4372;
const MOST: usize = 4096;
const OUTPUT: u32 = 6;
const CREATE2: u32 = 11;
const INPUT2: u32 = 12;
const BUS_USB: u16 = 3;

/// The LED that says that it rings.
pub(crate) const RING: u8 = 0b10;
/// The LED that says that it is off the hook.
pub(crate) const OFF_HOOK: u8 = 0b1;

/// Plugs it in; it stays while the box runs.
#[track_caller]
pub(crate) fn plug(guest: &mut Guest) {
    let mut event = CREATE2.to_le_bytes().to_vec();
    event.extend(b"Frontdesk test handset");
    event.resize(4 + 128 + 64 + 64, 0);
    event.extend(u16::try_from(DESCRIPTOR.len()).expect("it is short").to_le_bytes());
    event.extend(BUS_USB.to_le_bytes());
    for number in [0x1209_u32, 1, 0, 0] {
        event.extend(number.to_le_bytes());
    }
    event.extend(DESCRIPTOR);
    event.resize(EVENT, 0);
    guest.put("/run/handset-create", &event);
    guest.succeed("modprobe uhid; exec 9<>/dev/uhid; cat /run/handset-create >&9");
}

/// Its hook is lifted, or put down.
#[track_caller]
pub(crate) fn lift(guest: &mut Guest, is_lifted: bool) {
    let mut event = INPUT2.to_le_bytes().to_vec();
    event.extend(2_u16.to_le_bytes());
    event.extend([u8::from(is_lifted), 0]);
    event.resize(EVENT, 0);
    guest.put("/run/handset-hook", &event);
    guest.succeed("cat /run/handset-hook >&9");
}

/// The lamps that it was told to light since it was asked last, one byte each time.
#[track_caller]
pub(crate) fn lamps(guest: &mut Guest) -> Vec<u8> {
    let said = guest.succeed(&format!("dd bs={EVENT} count=64 iflag=nonblock <&9 2>/dev/null | base64 -w0"));
    let bytes = STANDARD.decode(said.trim()).unwrap_or_default();
    let event = |event: &[u8]| {
        let is_output = event[..4] == OUTPUT.to_le_bytes();
        let size = usize::from(u16::from_le_bytes([event[4 + MOST], event[4 + MOST + 1]]));
        // Linux puts the report's number before it, 0 where there is none.
        is_output.then(|| event[4..4 + size].last().copied()).flatten()
    };
    bytes.chunks_exact(EVENT).filter_map(event).collect()
}
