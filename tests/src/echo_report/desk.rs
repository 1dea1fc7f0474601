//! With the whole appliance: baresip calls a desk whose microphone hears the file of its loudspeaker, and records what comes
//! back, before and after an administrator ticks hands-free in the middle of the call.

use std::time::Duration;

use super::level::dbfs;
use super::scene::Scene;
use crate::chromium::Chromium;
use crate::house::House;
use crate::kamailio::Digest;
use crate::report::Row;
use crate::sound::Recording;
use crate::telephone::Codec;
use crate::wait;

/// What the desk's microphone hears of its loudspeaker.
const WAY_MS: u32 = 100;
const LOSS_DB: u32 = 6;
/// How much must be gone of it.
const BAR_DB: f64 = 35.0;
const SOON: Duration = Duration::from_secs(10);
/// How long is listened each time.
const LISTENED: Duration = Duration::from_secs(4);
/// The echo canceller has learnt the room so long after the tick; a machine with too much to do loses sound meanwhile, and
/// then it must learn anew, so often at most.
const LEARNS: Duration = Duration::from_secs(3);
const TRIES: u32 = 8;

/// What the caller hears of themself, in dBFS.
#[derive(Clone, Copy, Debug)]
pub struct Returned {
    /// As with a handset, whose microphone does not hear a loudspeaker: here it does.
    pub as_it_is: f64,
    /// Hands-free.
    pub cancelled: f64,
    /// In which stretch of 4 s, from 1 on, that was.
    pub tries: u32,
}

/// Measures it.
///
/// # Panics
/// When the scene does not come up.
#[must_use]
#[track_caller]
pub fn returned(scene: &Scene) -> Returned {
    let mut house = House::build(Digest::Md5);
    house.hear_itself(WAY_MS, LOSS_DB);
    let (mut browser, address) = house.administered("Ada Lovelace", "correct horse 17");
    let mut phone = house.phone("2101", 730.0, Codec::Opus);
    let speech: Vec<i16> = scene.far.iter().map(|sample| *sample as i16).collect();
    // In place of its tone, before it opens the file.
    let spoken = Recording { rate: Codec::Opus.rate(), samples: speech.repeat(6) };
    spoken.write(&house.folder().join("baresip-2101/tone.wav"));
    house.called_by(&mut phone);
    let heard = || phone.newest_recording().and_then(|path| Recording::read(&path));
    let seconds = || heard().map_or(0.0, |recording| recording.seconds());
    // The jitter buffers have settled.
    let listen = |from: f64| {
        let until = from + LISTENED.as_secs_f64();
        let recording = wait::until("what comes back", LISTENED * 4, || {
            heard().filter(|recording| recording.seconds() > until)
        });
        let part = recording.part(Duration::from_secs_f64(from), LISTENED);
        dbfs(&part.samples.iter().map(|sample| f64::from(*sample)).collect::<Vec<_>>())
    };
    let as_it_is = listen(1.0);
    tick(&mut browser, &address);
    let mut from = seconds() + LEARNS.as_secs_f64();
    let (mut cancelled, mut tries) = (listen(from), 1);
    while as_it_is - cancelled < BAR_DB && tries < TRIES {
        from += LISTENED.as_secs_f64();
        (cancelled, tries) = (listen(from), tries + 1);
    }
    Returned { as_it_is, cancelled, tries }
}

/// In the middle of the call.
#[track_caller]
fn tick(browser: &mut Chromium, address: &str) {
    browser.open(&format!("{address}/sound"));
    browser.tick("The operator speaks hands-free, by a loudspeaker and a microphone on the desk");
    browser.evaluate("document.querySelector('#save-voice').click()");
    browser.wait_text("the tick saved", SOON, |text| text.contains("Saved."));
}

/// Its row.
#[must_use]
pub fn row(scene: &Scene) -> Row {
    let Returned { as_it_is, cancelled, tries } = returned(scene);
    let values = [
        ("as it is", as_it_is),
        ("hands-free", cancelled),
        ("taken away", as_it_is - cancelled),
        ("tries", f64::from(tries)),
    ];
    Row::at_least("a call by baresip in Opus: what comes back", "dB", &values, "taken away", BAR_DB)
        .note("levels in dBFS, 4 s each; hands-free is ticked on the administrator's page in mid-call, and learns for 3 s")
}
