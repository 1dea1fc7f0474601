//! What the handle asks of the media thread, as it goes through the queue between them.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;

use crate::api::{Ear, Hold, Remote, Ring, Role, Seat, StreamId, Tone, Voice};
use crate::device_list::DeviceList;
use crate::said::Said;
use crate::sound_test::Test;

/// What the handle asks of the media thread.
pub(crate) enum Request {
    Open {
        stream: StreamId,
        rtp: UdpSocket,
        rtcp: UdpSocket,
    },
    Connect {
        stream: StreamId,
        remote: Box<Remote>,
    },
    Probe {
        stream: StreamId,
        server: SocketAddr,
    },
    Rename {
        stream: StreamId,
        to: StreamId,
    },
    Listen(Ear),
    Conference(Vec<Seat>),
    Hold(Hold),
    HoldOf {
        stream: StreamId,
        music: Option<PathBuf>,
    },
    Announce {
        stream: StreamId,
        path: PathBuf,
    },
    Close(StreamId),
    Mark(StreamId),
    Digits {
        stream: StreamId,
        digits: String,
    },
    Tone(Option<Tone>),
    Ring(Option<Ring>),
    Chime,
    /// `None` ends what is being said.
    Say(Option<Box<Said>>),
    MuteMicrophone(bool),
    MuteSpeaker(bool),
    Meter(bool),
    /// `None` ends what runs.
    Test(Option<Box<Test>>),
    Volume {
        output: f32,
        input: f32,
    },
    RingVolume(f32),
    Voice(Voice),
    ConnectAudio(bool),
    Telephone(Option<StreamId>),
    /// Without devices: where it rings.
    Device {
        role: Role,
        devices: Option<DeviceList>,
    },
}
