//! The unit in which sound moves between threads: 10 ms, mono, 48 kHz, signed 16 bit.

/// Samples a second inside this crate.
pub(crate) const RATE: u32 = 48_000;
/// Samples in a [`Frame`].
pub(crate) const FRAME: usize = 480;
/// Milliseconds in a [`Frame`], and so between ticks.
pub(crate) const FRAME_MS: u32 = 10;
/// 10 ms of sound.
pub(crate) type Frame = [i16; FRAME];
/// 10 ms of nothing.
pub(crate) const SILENCE: Frame = [0; FRAME];
