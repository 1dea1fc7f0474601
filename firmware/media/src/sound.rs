//! Between the operator and the streams: levels, tones, ringing, and which devices are in use.

mod testing;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::api::{Config, Event, Ring, Role, Tone, Voice};
use crate::audio::{Frames, Shared};
use crate::device_list::DeviceList;
use crate::devices::{Requests, Use};
use crate::engine::Request;
use crate::frame::{FRAME_MS, Frame, SILENCE};
use crate::mixer::{Gain, Mixer, dbfs, peak};
use crate::said::Said;
use crate::sound_test::Test;
use crate::surplus::{self, Surplus};
use crate::tones::{CHIME_MS, Generator};
use crate::voice::VoicePath;

/// Microphone frames kept waiting; more are delay nobody wants.
const MICROPHONE_WAITING: usize = 3;
/// How loud it rings where something is said: -14 dB.
const UNDER_SPEECH: f32 = 0.2;
/// Ticks between two readings of the meter: 100 ms.
const METER_EVERY: u32 = 10;

/// The operator's side of the media thread.
pub(crate) struct Sound {
    frames: Frames,
    devices: Requests,
    /// Says which roles share a device.
    shared: Arc<Shared>,
    speaker: DeviceList,
    microphone: DeviceList,
    ringer: DeviceList,
    notifier: Option<DeviceList>,
    /// The headset icon: whether speaker and microphone are taken.
    connected: bool,
    tone: Option<(Tone, Generator)>,
    ring: Option<(Ring, Generator)>,
    /// What sounds once, and for how many frames yet.
    chime: Option<(Generator, u32)>,
    output: Gain,
    output_level: f32,
    output_muted: bool,
    input: Gain,
    input_level: f32,
    input_muted: bool,
    ring_level: Gain,
    chime_level: Gain,
    said: Option<Box<Said>>,
    /// The ringing while something is said.
    under_speech: Gain,
    voice: VoicePath,
    last_heard: Frame,
    surplus: Surplus,
    /// Left out of the speaker's ring, to be one with the next.
    left_out: Option<Frame>,
    meter: Option<Meter>,
    test: Option<Box<Test>>,
}

/// The loudest samples lately.
#[derive(Default)]
struct Meter {
    input: u16,
    output: u16,
    ticks: u32,
}

impl Sound {
    /// Takes the names from `config`; nothing is opened before [`Sound::use_devices`].
    pub(crate) fn new(config: &Config, frames: Frames, devices: Requests) -> Sound {
        Sound {
            frames,
            shared: devices.shared(),
            devices,
            speaker: config.speaker.clone(),
            microphone: config.microphone.clone(),
            ringer: config.ringer.clone(),
            notifier: config.notifier.clone(),
            connected: true,
            tone: None,
            ring: None,
            chime: None,
            output: Gain::new(1.0),
            output_level: 1.0,
            output_muted: false,
            input: Gain::new(1.0),
            input_level: 1.0,
            input_muted: false,
            ring_level: Gain::new(1.0),
            chime_level: Gain::new(1.0),
            said: None,
            under_speech: Gain::new(1.0),
            voice: VoicePath::new(config.voice),
            last_heard: SILENCE,
            surplus: Surplus::new(),
            left_out: None,
            meter: None,
            test: None,
        }
    }

    /// Does what concerns no stream.
    pub(crate) fn take(&mut self, request: Request) {
        match request {
            Request::Tone(tone) => self.set_tone(tone),
            Request::Ring(ring) => {
                if ring != self.ring.as_ref().map(|(ring, _)| *ring) {
                    self.ring = ring.map(|ring| (ring, Generator::ring(ring)));
                }
            }
            Request::Chime => self.chime = Some((Generator::chime(), CHIME_MS / 10)),
            Request::Say(said) => {
                self.under_speech.set(if said.is_some() { UNDER_SPEECH } else { 1.0 });
                self.said = said;
            }
            Request::MuteMicrophone(on) => {
                self.input_muted = on;
                self.set_input();
            }
            Request::Volume { output, input } => {
                self.output_level = output;
                self.set_output();
                self.input_level = input;
                self.set_input();
            }
            Request::MuteSpeaker(on) => {
                self.output_muted = on;
                self.set_output();
            }
            Request::Meter(on) => {
                if on != self.meter.is_some() {
                    self.meter = on.then(Meter::default);
                }
            }
            Request::RingVolume(level) => {
                self.ring_level.set(level);
                self.chime_level.set(level);
            }
            Request::Voice(voice) => self.set_voice(voice),
            Request::ConnectAudio(on) => {
                self.connected = on;
                self.use_devices();
            }
            Request::Device { role, devices } => {
                match role {
                    Role::Speaker => self.speaker = devices.unwrap_or_default(),
                    Role::Microphone => self.microphone = devices.unwrap_or_default(),
                    Role::Ringer => self.ringer = devices.unwrap_or_default(),
                    Role::Notifier => self.notifier = devices,
                }
                self.use_devices();
            }
            Request::Open { .. }
            | Request::Connect { .. }
            | Request::Probe { .. }
            | Request::Rename { .. }
            | Request::Listen(_)
            | Request::Telephone(_)
            | Request::Test(_)
            | Request::Conference(_)
            | Request::Hold(_)
            | Request::HoldOf { .. }
            | Request::Announce { .. }
            | Request::Close(_)
            | Request::Mark(_)
            | Request::Digits { .. } => {}
        }
    }

    /// Asks the device thread for the devices that are to be in use now.
    pub(crate) fn use_devices(&mut self) {
        let speech = |list: &DeviceList| if self.connected { list.clone() } else { DeviceList::default() };
        let wanted = [
            (Role::Speaker, speech(&self.speaker)),
            (Role::Microphone, speech(&self.microphone)),
            (Role::Ringer, self.ringer.clone()),
            (Role::Notifier, self.notifier.as_ref().unwrap_or(&self.ringer).clone()),
        ];
        for (role, devices) in wanted {
            if !self.devices.send(Use { role, devices }) {
                tracing::warn!(?role, "the device thread is stuck; device change not made");
            }
        }
    }

    /// The next 10 ms of the microphone.
    pub(crate) fn listen(&mut self) -> Frame {
        while self.frames.microphone.slots() > MICROPHONE_WAITING {
            // Just seen to be there.
            let _ = self.frames.microphone.pop();
        }
        let frame = self.frames.microphone.pop().unwrap_or_else(|_| {
            // The device is a moment late, or gone: fade instead of stopping short.
            self.last_heard.map(|sample| sample / 2)
        });
        self.last_heard = frame;
        let said = self.voice.process(&frame, self.way_round_ms());
        self.listen_at(said)
    }

    /// The next 10 ms of a telephone in place of the microphone, which may have none.
    pub(crate) fn listen_to(&mut self, telephone: Option<Frame>) -> Frame {
        // What the device hears meanwhile is not heard later.
        while self.frames.microphone.pop().is_ok() {}
        self.last_heard = telephone.unwrap_or_else(|| self.last_heard.map(|sample| sample / 2));
        self.listen_at(self.last_heard)
    }

    fn listen_at(&mut self, mut frame: Frame) -> Frame {
        self.input.apply(&mut frame);
        if let Some(meter) = &mut self.meter {
            meter.input = meter.input.max(peak(&frame));
        }
        if let Some(test) = &mut self.test {
            test.hear(&frame);
        }
        frame
    }

    /// Adds tones to what is heard, at the level wanted. Speech keeps its own under a tone.
    pub(crate) fn hear(&mut self, heard: &Frame) -> Frame {
        let mut frame = *heard;
        if let Some((_, tone)) = &mut self.tone {
            let mut both = Mixer::new();
            both.add(heard);
            both.add(&tone.next());
            frame = both.finish();
        }
        self.add_test(Role::Speaker, &mut frame);
        self.output.apply(&mut frame);
        if let Some(meter) = &mut self.meter {
            meter.output = meter.output.max(peak(&frame));
            meter.ticks += 1;
        }
        frame
    }

    /// Sends what is heard to the devices, rings and chimes. A full ring of a device is one that hangs, and will be
    /// reported lost.
    pub(crate) fn speak(&mut self, heard: &Frame) {
        let mut frame = *heard;
        let mut ringing = testing::both(self.next_ring(), self.next_test(Role::Ringer));
        let notes = testing::both(self.next_chime(), self.next_test(Role::Notifier));
        let said = self.next_said();
        let there = self.shared.joined(Role::Notifier);
        if let Some(ringing) = &mut ringing
            && there
                .is_some_and(|role| role == Role::Ringer || self.shared.joined(Role::Ringer) == Some(role))
        {
            self.under_speech.apply(ringing);
        }
        if let Some(chime) = testing::both(notes, said) {
            match there {
                None => _ = self.frames.notifier.push(chime),
                Some(Role::Ringer) => mix(ringing.get_or_insert(SILENCE), &chime),
                Some(_) => mix(&mut frame, &chime),
            }
        }
        if let Some(ringing) = ringing {
            match self.shared.joined(Role::Ringer) {
                None => _ = self.frames.ringer.push(ringing),
                Some(_) => mix(&mut frame, &ringing),
            }
        }
        if let Some(before) = self.left_out.take() {
            frame = surplus::merged(&before, &frame);
        }
        let waiting = self.frames.speaker.buffer().capacity() - self.frames.speaker.slots();
        if self.surplus.leaves_out(waiting, &frame) {
            self.left_out = Some(frame);
            return;
        }
        // A full ring is a speaker that hangs; its device will be reported lost.
        let pushed = self.frames.speaker.push(frame).is_ok();
        if pushed {
            self.voice.played(&frame);
        }
    }

    fn set_voice(&mut self, voice: Voice) {
        tracing::info!(?voice, "processing of the microphone");
        self.voice.set(voice);
    }

    /// How long it takes until what is given to the speaker now comes back from the microphone, so far as is known:
    /// what waits before and in the speaker's device, and what waits of the microphone. Rooms and cables add to it.
    fn way_round_ms(&self) -> u32 {
        let speaker = self.frames.speaker.buffer().capacity() - self.frames.speaker.slots();
        let frames = speaker + self.frames.microphone.slots();
        frames as u32 * FRAME_MS + self.shared.speaker_waiting_ms.load(Ordering::Relaxed)
    }

    fn next_ring(&mut self) -> Option<Frame> {
        let mut ring = self.ring.as_mut().map(|(_, ring)| ring.next())?;
        self.ring_level.apply(&mut ring);
        Some(ring)
    }

    fn next_chime(&mut self) -> Option<Frame> {
        let (chime, left) = self.chime.as_mut()?;
        *left = left.saturating_sub(1);
        let (mut frame, over) = (chime.next(), *left == 0);
        if over {
            self.chime = None;
        }
        self.chime_level.apply(&mut frame);
        Some(frame)
    }

    fn next_said(&mut self) -> Option<Frame> {
        let frame = self.said.as_mut()?.next();
        if frame.is_none() {
            self.said = None;
            self.under_speech.set(1.0);
        }
        frame
    }

    /// The meter, when it is time to read it.
    pub(crate) fn levels(&mut self) -> Option<Event> {
        let meter = self.meter.as_mut().filter(|meter| meter.ticks >= METER_EVERY)?;
        let Meter { input, output, .. } = std::mem::take(meter);
        Some(Event::Levels { input_dbfs: dbfs(input), output_dbfs: dbfs(output) })
    }

    fn set_tone(&mut self, tone: Option<Tone>) {
        if tone != self.tone.as_ref().map(|(tone, _)| *tone) {
            self.tone = tone.map(|tone| (tone, Generator::tone(tone)));
        }
    }

    fn set_input(&mut self) {
        self.input.set(if self.input_muted { 0.0 } else { self.input_level });
    }

    fn set_output(&mut self) {
        self.output.set(if self.output_muted { 0.0 } else { self.output_level });
    }
}

fn mix(into: &mut Frame, other: &Frame) {
    let mut both = Mixer::new();
    both.add(into);
    both.add(other);
    *into = both.finish();
}
