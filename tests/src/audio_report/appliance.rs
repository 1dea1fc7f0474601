//! Through the whole appliance, files in place of its devices: from the microphone to the network and from the network to
//! the loudspeaker, in a call of G.711 with packets of 20 ms that its operator has answered.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use audio_codec_algorithms::decode_alaw;
use ipc::{CallState, CallView, Command};

use super::call::Caller;
use super::ear::{Heard, Moments};
use super::mouth::Mouth;
use super::network::{Network, PTIME_MS};
use super::ours::Speaker;
use super::score::{Judge, Take};
use super::speech::RATE;
use crate::house::House;
use crate::kamailio::Digest;
use crate::ports::Ports;
use crate::sound::Recording;

/// Terminal delay, both directions' buffers counted, in milliseconds.
pub(super) const BAR_MS: f64 = 80.0;
/// G.711 A-law: its payload type, and its samples a second.
const PCMA: u8 = 8;
const LAW_RATE: u32 = 8_000;
/// The speech is in the microphone's file as often as fits into what a file may have.
const TIMES: usize = 12;
const SOON: Duration = Duration::from_secs(10);

/// Delays in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Through {
    /// From the microphone until the packet is on the network, the 20 ms that are gathered for it included.
    pub(super) out_ms: f64,
    /// From the network to the loudspeaker.
    pub(super) in_ms: f64,
}

impl Through {
    /// From one desk's microphone to another's loudspeaker, over a network that takes no time.
    pub(super) fn both_ms(self) -> f64 {
        self.out_ms + self.in_ms
    }
}

/// Measures it.
///
/// # Panics
/// When the scene does not come up, or nothing is heard.
#[track_caller]
pub(super) fn measure(scratch: &Path, speech: &[i16], judge: &mut Judge) -> Through {
    let mut house = House::build(Digest::Md5);
    let speaker = start_with(&mut house, speech);
    let mut ports = Ports::take();
    let mouth = Mouth::open(&mut ports, media::Codec::Pcma, PCMA, speech);
    let mut caller = Caller::start(&mut ports);
    let desk = format!("sip:5550100@127.0.0.1:{}", house.desk.sip);
    caller.ring(&desk, sip::Codec::Pcma, mouth.address);
    let rings = |call: &CallView| call.state == CallState::Ringing;
    let call = house.client.wait_call("a ringing call", SOON, rings).call;
    house.client.command(Command::Answer { call }).expect("a ringing call can be answered");
    let (peer, _) = caller.agreed(&desk);
    house.wait_state(call, CallState::Talking);
    let network = Network::clean(mouth.packets());
    let (begin, _) = mouth.speak(&network, &[peer]);
    let end = Instant::now();
    let opened = speaker.origin().expect("the loudspeaker's file grows");

    let wrote = |name: &str, samples: Vec<i16>| {
        let path = scratch.join(name);
        Recording { rate: RATE, samples }.write(&path);
        path
    };
    let take = |name: &str, reference: Vec<i16>, spoken: Instant, heard: Heard| Take {
        reference: wrote(&format!("{name}-spoken.wav"), reference),
        offset: heard.from.saturating_duration_since(spoken).as_secs_f64(),
        heard: heard.write(scratch.join(format!("{name}-heard.wav"))),
        wide: false,
    };
    let inwards = take("in", speech.to_vec(), begin, speaker.heard(begin, end));
    // The microphone's file is opened after the loudspeaker's, so that it was at most so long ago.
    let before = (begin.saturating_duration_since(opened).as_secs_f64() * f64::from(RATE)) as usize;
    let spoken = speech.iter().copied().cycle().skip(before).take(speech.len()).collect();
    let outwards = take("out", spoken, begin, sent(&mouth, peer, begin, end));
    let delay = |score: super::score::Score| score.delay_ms.expect("speech is found");
    Through { out_ms: delay(judge.judge(&outwards)), in_ms: delay(judge.judge(&inwards)) }
}

/// Starts the desk anew with the speech for a microphone, and watches its loudspeaker from the first sample on.
#[track_caller]
fn start_with(house: &mut House, speech: &[i16]) -> Speaker {
    assert!(house.desk.program.terminate(SOON).success(), "frontdeskd did not end well");
    let played = house.desk.played();
    let microphone = played.with_file_name("tone.wav");
    Recording { rate: RATE, samples: speech.repeat(TIMES) }.write(&microphone);
    // Not there where nobody has opened it.
    let _ = fs::remove_file(&played);
    let speaker = Speaker::watch(played);
    house.desk.start_again();
    house.client = house.desk.client();
    speaker
}

/// What came from the desk: each packet is heard from when it was there.
#[track_caller]
fn sent(mouth: &Mouth, peer: std::net::SocketAddr, begin: Instant, end: Instant) -> Heard {
    let answers = mouth.answers(peer);
    let first = answers.first().expect("the desk speaks").timestamp;
    let (mut moments, mut samples) = (Moments::default(), Vec::new());
    for answer in &answers {
        let at = answer.timestamp.wrapping_sub(first) as usize;
        moments.note(answer.at, at);
        samples.resize(at, 0);
        samples.extend(answer.payload.iter().map(|&byte| decode_alaw(byte)));
    }
    let from = moments.origin(LAW_RATE, begin, end).expect("the desk speaks all the time");
    Heard { from, recording: Recording { rate: LAW_RATE, samples } }.part(begin, end)
}

impl Through {
    /// In words; the packets of the reference leave when their last sample has been spoken.
    pub(super) fn words(self) -> String {
        format!(
            "microphone to network {:.0} ms (with the {PTIME_MS:.0} ms of a packet), network to loudspeaker {:.0} ms, \
             both {:.0} ms, bar {BAR_MS:.0} ms",
            self.out_ms,
            self.in_ms,
            self.both_ms()
        )
    }
}
