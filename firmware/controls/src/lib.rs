//! What stands on and under the desk besides the screen: handset, headset, keypad, keyboard (HW-1, HW-2, CALL-12).
//!
//! Reports and key events go in, wishes come out. Everything but [`shell`] is pure, with the time handed in:
//! [`descriptor`] reads what a USB device says of its reports, [`telephone`] is such a device, [`keys`] one that the kernel
//! made keys of, [`switch`] takes the chatter out of switches, [`table`] has what no device says of itself, [`desk`]
//! says what a wish means for the calls of this moment, [`num_lock`] keeps what the screen takes a keypad's keys for, and
//! [`reset`] hears the one key that is about the box itself.
//!
//! USB telephony is read by hidraw, because Linux makes no event of a hook. A keypad is taken from everybody else, so that
//! no key is seen twice, and while there is a screen its keys go on to it under names that it knows: without NumLock a
//! keypad's 0 is a key that not every screen has heard of. So the screen has one way for all keys, with what is selected,
//! covered or being typed; and once it is gone, the same keys do what needs no screen.
//!
//! Not here: sound (`media`), and what a key does on the screen (`ui/src/keys.rs`).

pub mod codes;
pub mod descriptor;
pub mod desk;
pub mod keys;
pub mod num_lock;
pub mod reset;
pub mod samples;
pub mod shell;
pub mod switch;
pub mod table;
pub mod telephone;
