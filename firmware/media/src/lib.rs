//! Speech for the appliance: RTP in and out, codecs, the jitter buffer, digits, tones and sound devices.
//!
//! [`Media`] is a cheap handle. Behind it run four threads:
//!
//! * `fd-audio` moves 10 ms frames between the sound devices and lock-free rings, and is the clock of
//!   everything else. It takes no lock, allocates nothing and logs nothing once it runs.
//! * `fd-media` owns the RTP and RTCP sockets, jitter buffers, codecs, tones and digits.
//! * `fd-devices` says which sound device is used for what, and has them opened, watched and opened again; each
//!   device of ALSA has a thread of its own besides (`fd-sound-out`, `fd-sound-in`), because drivers may block.
//! * `fd-recordings` reads and encodes music and messages for callers on hold.
//!
//! One stream at a time has the operator's ear, or the one conference of up to [`MAX_SEATS`] streams has
//! ([`Media::listen`], [`Media::conference`]); every stream that is in neither is on hold.
//!
//! Not done here: SDP, offer/answer and the keys of SRTP (crate `sip`), and any decision about which call
//! talks (crate `switchboard`).

mod alsa_pcm;
mod api;
mod audio;
mod by_hand;
mod choosing;
mod codec;
mod comfort;
mod device_list;
mod devices;
#[cfg(test)]
mod drift;
mod dtmf;
mod echo_file;
mod engine;
mod examined;
mod frame;
mod g722;
mod hand;
mod handle;
mod hold;
mod hotplug;
mod jitter;
mod last_minute;
mod link;
mod loader;
mod loudness;
mod marking;
mod mixer;
mod mos;
mod ogg;
mod opus_decoder;
mod payloads;
mod place;
mod plc;
mod predictor;
mod recording;
mod resample;
mod rtcp;
mod rtp;
mod said;
mod sound;
mod sound_test;
mod speaking;
mod srtp;
mod stream;
mod stretch;
mod stun;
mod surplus;
mod timing;
mod tones;
mod voice;
mod wav;

pub use api::{
    Alternative, Codec, Config, DeviceState, Direction, Ear, Error, Event, Hold, Mapping, Remote, Ring, Role,
    Seat, SoundError, SrtpKeys, SrtpSuite, Stats, StreamId, StunError, Tone, Voice,
};
pub use by_hand::{
    AudioByHand, ByHand, MemoryMicrophone, MemorySpeaker, Parts, SealByHand, StreamByHand, StunByHand,
    sound_file,
};
pub use device_list::DeviceList;
pub use examined::{Examined, examine};
pub use handle::{MAX_SEATS, Media};
pub use last_minute::Second;
pub use payloads::payloads;
pub use said::Said;
pub use sound_test::{SoundTest, TestEnd, TestState};
pub use timing::Timing;
pub use voice::VoicePath;
