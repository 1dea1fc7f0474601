//! Numbers that others gave: key codes of Linux (`linux/input-event-codes.h`) and usages of HID (HID Usage Tables 1.5,
//! pages 0x08 and 0x0B).

use crate::descriptor::Usage;

/// Enter of the main block.
pub const KEY_ENTER: u16 = 28;
/// Left Control.
pub const KEY_LEFTCTRL: u16 = 29;
/// Right Control.
pub const KEY_RIGHTCTRL: u16 = 97;
/// A letter, which keypads do not have.
pub const KEY_A: u16 = 30;
/// Likewise.
pub const KEY_Z: u16 = 44;
/// Keypad `*`.
pub const KEY_KPASTERISK: u16 = 55;
/// F1; F2 to F10 follow.
pub const KEY_F1: u16 = 59;
/// F5.
pub const KEY_F5: u16 = 63;
/// F10.
pub const KEY_F10: u16 = 68;
/// NumLock.
pub const KEY_NUMLOCK: u16 = 69;
/// Keypad 7.
pub const KEY_KP7: u16 = 71;
/// Keypad 8.
pub const KEY_KP8: u16 = 72;
/// Keypad 9.
pub const KEY_KP9: u16 = 73;
/// Keypad `-`.
pub const KEY_KPMINUS: u16 = 74;
/// Keypad 4.
pub const KEY_KP4: u16 = 75;
/// Keypad 5.
pub const KEY_KP5: u16 = 76;
/// Keypad 6.
pub const KEY_KP6: u16 = 77;
/// Keypad `+`.
pub const KEY_KPPLUS: u16 = 78;
/// Keypad 1.
pub const KEY_KP1: u16 = 79;
/// Keypad 2.
pub const KEY_KP2: u16 = 80;
/// Keypad 3.
pub const KEY_KP3: u16 = 81;
/// Keypad 0.
pub const KEY_KP0: u16 = 82;
/// Keypad decimal point.
pub const KEY_KPDOT: u16 = 83;
/// F11; F12 follows.
pub const KEY_F11: u16 = 87;
/// F12.
pub const KEY_F12: u16 = 88;
/// Keypad Enter.
pub const KEY_KPENTER: u16 = 96;
/// Keypad `/`.
pub const KEY_KPSLASH: u16 = 98;
/// Home.
pub const KEY_HOME: u16 = 102;
/// Up.
pub const KEY_UP: u16 = 103;
/// Page up.
pub const KEY_PAGEUP: u16 = 104;
/// Left.
pub const KEY_LEFT: u16 = 105;
/// Right.
pub const KEY_RIGHT: u16 = 106;
/// End.
pub const KEY_END: u16 = 107;
/// Down.
pub const KEY_DOWN: u16 = 108;
/// Page down.
pub const KEY_PAGEDOWN: u16 = 109;
/// Insert.
pub const KEY_INSERT: u16 = 110;
/// Delete.
pub const KEY_DELETE: u16 = 111;
/// The menu key.
pub const KEY_COMPOSE: u16 = 127;
/// Starts a calculator.
pub const KEY_CALC: u16 = 140;
/// A telephone's key; of headsets, their only one.
pub const KEY_PHONE: u16 = 169;
/// The button of a headset on a jack.
pub const KEY_MEDIA: u16 = 226;
/// Mutes the microphone.
pub const KEY_MICMUTE: u16 = 248;
/// Takes a call.
pub const KEY_PICKUP_PHONE: u16 = 0x1bd;
/// Ends it.
pub const KEY_HANGUP_PHONE: u16 = 0x1be;
/// 0 of a telephone; 1 to 9 follow, then `*` and `#`.
pub const KEY_NUMERIC_0: u16 = 0x200;
/// `#` of a telephone.
pub const KEY_NUMERIC_POUND: u16 = 0x20b;

/// LED of NumLock.
pub const LED_NUML: u16 = 0;
/// LED of a muted microphone.
pub const LED_MUTE: u16 = 7;
/// LED of a message that waits.
pub const LED_MAIL: u16 = 9;

/// HID page of telephony.
pub const TELEPHONY: u16 = 0x0b;
/// HID page of LEDs.
pub const LEDS: u16 = 0x08;

/// A collection that is a handset.
pub const HANDSET: Usage = Usage::new(TELEPHONY, 0x04);
/// A collection that is a headset.
pub const HEADSET: Usage = Usage::new(TELEPHONY, 0x05);
/// Lifted, or put down.
pub const HOOK_SWITCH: Usage = Usage::new(TELEPHONY, 0x20);
/// A short interruption of the line; headsets send it when their button is held.
pub const FLASH: Usage = Usage::new(TELEPHONY, 0x21);
/// The hold key.
pub const HOLD: Usage = Usage::new(TELEPHONY, 0x23);
/// Gives a call up.
pub const DROP: Usage = Usage::new(TELEPHONY, 0x26);
/// Mutes the microphone.
pub const PHONE_MUTE: Usage = Usage::new(TELEPHONY, 0x2f);
/// Takes a call, on devices with two keys.
pub const SEND: Usage = Usage::new(TELEPHONY, 0x31);
/// Rings by itself while this is set; an output.
pub const RINGER: Usage = Usage::new(TELEPHONY, 0x9e);
/// `0` of a telephone; `1` to `9`, `*`, `#`, and `A` to `D` follow.
pub const PHONE_KEY_0: u16 = 0xb0;

/// LED of a muted microphone.
pub const LED_PHONE_MUTE: Usage = Usage::new(LEDS, 0x09);
/// LED of a line that is off hook; headsets open their radio with it.
pub const LED_OFF_HOOK: Usage = Usage::new(LEDS, 0x17);
/// LED of a call that rings.
pub const LED_RING: Usage = Usage::new(LEDS, 0x18);
/// LED of a message that waits.
pub const LED_MESSAGE: Usage = Usage::new(LEDS, 0x19);
/// LED of a call on hold.
pub const LED_HOLD: Usage = Usage::new(LEDS, 0x20);
/// LED of somebody who talks.
pub const LED_BUSY: Usage = Usage::new(LEDS, 0x2c);

/// What a telephone's key types.
#[must_use]
pub(crate) fn phone_key(usage: Usage) -> Option<char> {
    const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
    let place = usage.id().checked_sub(PHONE_KEY_0).filter(|_| usage.page() == TELEPHONY)?;
    KEYS.get(usize::from(place)).copied()
}
