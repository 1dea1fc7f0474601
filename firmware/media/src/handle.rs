//! The handle: turns calls into requests on a bounded queue, and binds RTP ports. Never waits.
//!
//! Not done here: everything a request means; that is the media thread's.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};

use mio::Waker;

use crate::api::{Config, Ear, Error, Event, Hold, Remote, Ring, Role, Seat, StreamId, Tone, Voice};
use crate::audio::Shared;
use crate::device_list::DeviceList;
use crate::engine::{self, Request};
use crate::marking;
use crate::said::Said;
use crate::sound_test::{SoundTest, Test};
use crate::timing::Timing;

/// Requests that may wait for the media thread before [`Error::Busy`].
pub(crate) const QUEUE: usize = 1024;
/// Digits accepted in one call of [`Media::digits`].
const MAX_DIGITS: usize = 64;
/// Streams in the conference at most, the operator not counted.
pub const MAX_SEATS: usize = 5;

/// The handle to all speech of the appliance. Dropping it ends its threads and closes every stream.
///
/// All methods return at once; they fail with [`Error::Busy`] when the media thread cannot keep up and with
/// [`Error::Stopped`] when it is gone.
pub struct Media {
    requests: Option<SyncSender<Request>>,
    waker: Arc<Waker>,
    shared: Arc<Shared>,
    config: Config,
    next_pair: AtomicU32,
    threads: Option<engine::Threads>,
}

impl Media {
    /// Starts the threads and opens the devices. `events` is called from those threads and must not block.
    ///
    /// A device that cannot be opened is no error here: it is reported as [`Event::Device`] and retried.
    pub fn start(config: Config, events: impl Fn(Event) + Send + Sync + 'static) -> Result<Media, Error> {
        let (requests, inbox) = sync_channel(QUEUE);
        let threads = engine::start(&config, inbox, Arc::new(events))?;
        Ok(Media {
            requests: Some(requests),
            waker: threads.waker(),
            shared: threads.shared(),
            config,
            next_pair: AtomicU32::new(0),
            threads: Some(threads),
        })
    }

    /// The handle of [`crate::ByHand`].
    pub(crate) fn without_threads(
        config: Config,
        requests: SyncSender<Request>,
        waker: Arc<Waker>,
        shared: Arc<Shared>,
    ) -> Media {
        let next_pair = AtomicU32::new(0);
        Media { requests: Some(requests), waker, shared, config, next_pair, threads: None }
    }

    /// How punctual the audio thread has been since the start.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.shared.timing.read()
    }

    /// Binds an RTP (even) and RTCP (odd) port pair and returns the RTP address.
    ///
    /// The address is what was bound, so `0.0.0.0` when [`Config::rtp_ip`] is unspecified.
    pub fn open(&self, stream: StreamId) -> Result<SocketAddr, Error> {
        self.open_at(stream, self.config.rtp_ip)
    }

    /// Likewise at another local address, perhaps of the other family.
    pub fn open_at(&self, stream: StreamId, ip: IpAddr) -> Result<SocketAddr, Error> {
        let (rtp, rtcp, address) = self.bind_pair(ip)?;
        self.request(Request::Open { stream, rtp, rtcp })?;
        Ok(address)
    }

    /// Has a STUN server (RFC 8489) asked how it sees the ports of an open stream, again every 15 s until the stream is
    /// closed. [`Event::Mapped`] tells within 2 s, and whenever that changes.
    pub fn probe(&self, stream: StreamId, server: SocketAddr) -> Result<(), Error> {
        self.request(Request::Probe { stream, server })
    }

    /// Gives the ports of a stream that was never connected to another one, `to`, which is open from now on; what a
    /// server is asked about them goes on.
    pub fn rename(&self, stream: StreamId, to: StreamId) -> Result<(), Error> {
        self.request(Request::Rename { stream, to })
    }

    /// Sets the far end of an open stream, again on every re-INVITE. SSRC, sequence numbers and the jitter
    /// buffer go on where they were, unless the codec changes or nothing was received before: then the receiving side
    /// starts afresh.
    pub fn connect(&self, stream: StreamId, remote: Remote) -> Result<(), Error> {
        let also = remote.also.iter().map(|other| ("payload type", Some(other.payload_type)));
        for (what, value) in [
            ("payload type", Some(remote.payload_type)),
            ("remote payload type", Some(remote.remote_payload_type)),
            ("telephone-event payload type", remote.dtmf_payload_type),
        ]
        .into_iter()
        .chain(also)
        {
            if let Some(value) = value.filter(|value| *value > 127) {
                return Err(Error::Range { what, value: value.to_string() });
            }
        }
        self.request(Request::Connect { stream, remote: Box::new(remote) })
    }

    /// Gives the operator's ear and mouth to one stream, to the conference, or to nobody. Members of the
    /// conference go on hearing each other without the operator; every other stream is on hold.
    pub fn listen(&self, ear: Ear) -> Result<(), Error> {
        self.request(Request::Listen(ear))
    }

    /// Says who is in the conference: all its members, at most [`MAX_SEATS`], each once; none ends it. Saying the
    /// same again changes nothing. Who is left out is on hold, unless it has the operator's ear.
    ///
    /// A member may be named before it is opened or connected. Closing a stream takes it out.
    pub fn conference(&self, seats: &[Seat]) -> Result<(), Error> {
        let twice = |at: usize| seats[..at].iter().any(|seat| seat.stream == seats[at].stream);
        if seats.len() > MAX_SEATS {
            return Err(Error::Range { what: "members of the conference", value: seats.len().to_string() });
        }
        if let Some(at) = (0..seats.len()).find(|at| twice(*at)) {
            let value = format!("stream {} twice", seats[at].stream.0);
            return Err(Error::Range { what: "members of the conference", value });
        }
        self.request(Request::Conference(seats.to_vec()))
    }

    /// Says what streams on hold hear, from now on. Music is read in the background, and told of by
    /// [`Event::SoundReady`] or [`Event::SoundRefused`].
    pub fn hold(&self, hold: Hold) -> Result<(), Error> {
        self.request(Request::Hold(hold))
    }

    /// Has an open stream hear music of its own on hold, a file as in [`Hold::Music`], or again what all the others
    /// hear. Until the file has been read, and where it cannot be ([`Event::SoundRefused`]), it hears that as well.
    pub fn hold_of(&self, stream: StreamId, music: Option<PathBuf>) -> Result<(), Error> {
        self.request(Request::HoldOf { stream, music })
    }

    /// Plays a message to a stream on hold, once; after it comes what streams on hold hear. `path` is a file as in
    /// [`Hold::Music`], read in the background. [`Event::Announced`] tells its end in any case.
    ///
    /// It begins some 300 ms after the stream is on hold and connected and may send, so that a caller answered by
    /// the same turn of events hears its first word. A stream that is taken from hold hears no more of it.
    pub fn announce(&self, stream: StreamId, path: PathBuf) -> Result<(), Error> {
        self.request(Request::Announce { stream, path })
    }

    /// Says goodbye (RTCP BYE), frees the ports and reports [`Event::Closed`]. Unknown streams are ignored.
    pub fn close(&self, stream: StreamId) -> Result<(), Error> {
        self.request(Request::Close(stream))
    }

    /// Asks for the last minute of a stream, which something was wrong with: [`Event::Marked`].
    pub fn mark(&self, stream: StreamId) -> Result<(), Error> {
        self.request(Request::Mark(stream))
    }

    /// Queues digits to send as RFC 4733 events, 100 ms each and 60 ms apart; `0`-`9`, `*`, `#`, `A`-`D`.
    pub fn digits(&self, stream: StreamId, digits: &str) -> Result<(), Error> {
        let valid = |c: char| matches!(c.to_ascii_uppercase(), '0'..='9' | '*' | '#' | 'A'..='D');
        if digits.len() > MAX_DIGITS || !digits.chars().all(valid) {
            let value = digits.chars().take(MAX_DIGITS).collect();
            return Err(Error::Range { what: "digits", value });
        }
        self.request(Request::Digits { stream, digits: digits.to_ascii_uppercase() })
    }

    /// Plays a call-progress tone in the operator's ear, over whatever else is heard, until told otherwise.
    pub fn tone(&self, tone: Option<Tone>) -> Result<(), Error> {
        self.request(Request::Tone(tone))
    }

    /// Rings on the ringer device until told otherwise; `None` stops. The same again goes on as it was.
    pub fn ring(&self, ring: Option<Ring>) -> Result<(), Error> {
        self.request(Request::Ring(ring))
    }

    /// Sounds once on the notifier device, beside whatever rings there.
    pub fn chime(&self) -> Result<(), Error> {
        self.request(Request::Chime)
    }

    /// Says something once where notifications sound, in place of what is being said there; `None` ends that. Ringing on
    /// the same device goes on under it, quieter. Its loudness is its own: silent ringing does not silence it.
    pub fn say(&self, said: Option<Said>) -> Result<(), Error> {
        self.request(Request::Say(said.map(Box::new)))
    }

    /// Sends silence instead of the operator's voice, on every stream.
    pub fn mute_microphone(&self, on: bool) -> Result<(), Error> {
        self.request(Request::MuteMicrophone(on))
    }

    /// Silences what the operator hears, tones included; ringing goes on.
    pub fn mute_speaker(&self, on: bool) -> Result<(), Error> {
        self.request(Request::MuteSpeaker(on))
    }

    /// Begins or ends telling how loud it is: [`Event::Levels`], ten times a second.
    pub fn meter(&self, on: bool) -> Result<(), Error> {
        self.request(Request::Meter(on))
    }

    /// Tries the sound devices, in place of a test that still runs; [`Event::Test`] tells under this number how it goes.
    /// A call that talks, rings or is dialled ends it at once, and so does a mute.
    pub fn test_sound(&self, number: u64, test: SoundTest) -> Result<(), Error> {
        self.request(Request::Test(Some(Box::new(Test::new(number, test)))))
    }

    /// Ends the test that runs, if there is one.
    pub fn stop_sound_test(&self) -> Result<(), Error> {
        self.request(Request::Test(None))
    }

    /// Sets both levels: 0.0 silent, 1.0 as it is, 2.0 at most (+6 dB). The ringer has its own level.
    pub fn volume(&self, output: f32, input: f32) -> Result<(), Error> {
        self.request(Request::Volume { output: level("output", output)?, input: level("input", input)? })
    }

    /// Sets how loud the ringer is: 0.0 silent, 1.0 as designed, 2.0 at most.
    pub fn ring_volume(&self, ringer: f32) -> Result<(), Error> {
        self.request(Request::RingVolume(level("ringer", ringer)?))
    }

    /// Says what is done to the microphone's sound, from now on: in mid-call it fades over, and nothing clicks. A
    /// telephone in place of the devices ([`Media::telephone`]) is not touched by it.
    pub fn voice(&self, voice: Voice) -> Result<(), Error> {
        self.request(Request::Voice(voice))
    }

    /// Takes (`true`) or gives back (`false`) the speaker and the microphone. Streams go on, silently.
    pub fn connect_audio(&self, on: bool) -> Result<(), Error> {
        self.request(Request::ConnectAudio(on))
    }

    /// Has the operator speak over a stream in place of the speaker and the microphone, or over these again: what
    /// they would play is sent there, tones included, and what comes from there is what the microphone would hear.
    /// Levels and mutes go on as they are. The ringer stays where it is. Closing the stream ends it.
    pub fn telephone(&self, stream: Option<StreamId>) -> Result<(), Error> {
        self.request(Request::Telephone(stream))
    }

    /// Gives a role other devices, best first, in mid-call if need be. Names as in [`Config`].
    pub fn device(&self, role: Role, devices: impl Into<DeviceList>) -> Result<(), Error> {
        self.request(Request::Device { role, devices: Some(devices.into()) })
    }

    /// Has chimes sound where it rings.
    pub fn chime_where_it_rings(&self) -> Result<(), Error> {
        self.request(Request::Device { role: Role::Notifier, devices: None })
    }

    fn request(&self, request: Request) -> Result<(), Error> {
        let requests = self.requests.as_ref().ok_or(Error::Stopped)?;
        requests.try_send(request).map_err(|e| match e {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::Stopped,
        })?;
        // A failed wake-up delays the request to the next tick, 10 ms at most: nothing to report.
        let _ = self.waker.wake();
        Ok(())
    }

    /// Tries every pair of the range once, beginning after the last one given out, so that a port just
    /// closed rests for a while and late packets of the old call find nobody.
    fn bind_pair(&self, ip: IpAddr) -> Result<(UdpSocket, UdpSocket, SocketAddr), Error> {
        let (first, last) = (*self.config.rtp_ports.start(), *self.config.rtp_ports.end());
        let even = u32::from(first).next_multiple_of(2);
        let pairs = (u32::from(last) + 1).saturating_sub(even) / 2;
        for _ in 0..pairs {
            let pair = self.next_pair.fetch_add(1, Ordering::Relaxed) % pairs;
            // Cannot exceed `last`, a u16.
            let port = (even + 2 * pair) as u16;
            if let Some(bound) = Self::try_pair(ip, port)? {
                return Ok(bound);
            }
        }
        Err(Error::NoPort { ip, first, last })
    }

    fn try_pair(ip: IpAddr, port: u16) -> Result<Option<(UdpSocket, UdpSocket, SocketAddr)>, Error> {
        let bind = |port: u16| {
            let address = SocketAddr::new(ip, port);
            match UdpSocket::bind(address) {
                Ok(socket) => Ok(Some(socket)),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => Ok(None),
                Err(source) => Err(Error::Bind { address, source }),
            }
        };
        let Some(rtp) = bind(port)? else { return Ok(None) };
        let Some(rtcp) = bind(port + 1)? else { return Ok(None) };
        for socket in [&rtp, &rtcp] {
            let address = SocketAddr::new(ip, port);
            socket.set_nonblocking(true).map_err(|source| Error::Bind { address, source })?;
            marking::mark(socket);
        }
        Ok(Some((rtp, rtcp, SocketAddr::new(ip, port))))
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        // The media thread ends when its queue has no sender left.
        self.requests = None;
        if let Some(threads) = self.threads.take() {
            threads.stop();
        }
    }
}

fn level(what: &'static str, value: f32) -> Result<f32, Error> {
    if (0.0..=2.0).contains(&value) {
        Ok(value)
    } else {
        Err(Error::Range { what, value: value.to_string() })
    }
}
