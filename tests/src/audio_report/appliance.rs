//! Through the whole appliance and back, files in place of its devices: what comes from the network is played to the file of
//! the loudspeaker, which the microphone hears, and goes to the network again. So both directions are measured in one
//! run by one clock, in a call of G.711 with packets of 20 ms that the operator has answered.

use std::path::Path;
use std::time::{Duration, Instant};

use audio_codec_algorithms::decode_alaw;
use ipc::{CallState, CallView, Command};

use super::call::Caller;
use super::ear::{Heard, Moments};
use super::mouth::Mouth;
use super::network::{Network, PTIME_MS};
use super::ours::Speaker;
use super::score::{Judge, Score, Take};
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
/// What the way from the loudspeaker to the microphone is set to: a frame is read in the tick after the one in which it was
/// written, and so is heard when it has been played, as by any microphone.
const WAY_MS: u32 = 20;
const SOON: Duration = Duration::from_secs(10);

/// Delays in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Through {
    /// From the network to the loudspeaker, from the microphone to the network, and the 20 ms of a packet that are gathered.
    pub(super) both_ms: f64,
    /// From the network to the loudspeaker.
    pub(super) in_ms: f64,
}

/// Measures it.
///
/// # Panics
/// When the scene does not come up, or nothing is heard.
#[track_caller]
pub(super) fn measure(scratch: &Path, speech: &[i16], judge: &mut Judge) -> Through {
    let mut house = House::build(Digest::Md5);
    house.hear_itself(WAY_MS, 0);
    let speaker = Speaker::watch(house.desk.played());
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

    let wrote = |name: &str, samples: Vec<i16>| {
        let path = scratch.join(name);
        Recording { rate: RATE, samples }.write(&path);
        path
    };
    let mut delay = |name: &str, heard: Heard| {
        let Score { delay_ms, .. } = judge.judge(&Take {
            reference: wrote(&format!("{name}-spoken.wav"), speech.to_vec()),
            offset: heard.from.saturating_duration_since(begin).as_secs_f64(),
            heard: heard.write(scratch.join(format!("{name}-heard.wav"))),
            wide: false,
        });
        delay_ms.expect("speech is found")
    };
    let in_ms = delay("in", speaker.heard(begin, end));
    let both_ms = delay("back", sent(&mouth, peer, begin, end));
    Through { both_ms, in_ms }
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
    /// In words; a packet of the reference arrives when its last sample has been spoken.
    pub(super) fn words(self) -> String {
        format!(
            "network to loudspeaker {:.0} ms, microphone to network {:.0} ms (with the {PTIME_MS:.0} ms of a packet), \
             both {:.0} ms, bar {BAR_MS:.0} ms",
            self.in_ms,
            self.both_ms - self.in_ms,
            self.both_ms
        )
    }
}
