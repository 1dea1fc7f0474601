//! Who sees this screen from the administrator's page (APP-2): the bar that asks and tells, and a picture each second
//! while the operator allows it.
//!
//! Nothing is drawn, encoded or sent while nobody watches. A picture is taken on the screen's thread, made a PNG on
//! one of its own, and the next one waits until it has gone.

use std::time::Duration;

use ipc::{Command, MAX_SCREEN_PICTURE, WatchView};
use slint::{ComponentHandle, Rgba8Pixel, SharedPixelBuffer, Timer, TimerMode};

use super::Desk;
use crate::keys::ConsoleKey;
use crate::link::Outbox;
use crate::screen::App;
use crate::web::encode_png;

/// Between two pictures.
const EACH: Duration = Duration::from_secs(1);

/// Runs while the screen is watched.
#[derive(Default)]
pub(crate) struct Watch {
    timer: Timer,
}

impl Desk {
    /// The bar, and the pictures.
    pub(crate) fn show_watch(&self) {
        let watch = self.watch().cloned().unwrap_or_default();
        let is_seen = watch.allowed == Some(true);
        let global = self.app.global::<crate::screen::Watch>();
        global.set_seen(is_seen);
        global.set_who(watch.who.into());
        if !is_seen {
            self.watch.timer.stop();
        } else if !self.watch.timer.running() {
            let (app, outbox) = (self.app.as_weak(), self.outbox.clone());
            self.watch.timer.start(TimerMode::Repeated, EACH, move || {
                if let Some(app) = app.upgrade() {
                    take(&app, &outbox);
                }
            });
        }
    }

    /// The operator's answer, or their end to it.
    pub(crate) fn allow_watching(&mut self, allow: bool) {
        self.send(Command::AllowWatching { allow });
    }

    /// The keys of the bar, from anywhere, as long as it is there. `true`: the key meant one of its buttons.
    pub(crate) fn watch_key(&mut self, text: &str, control: bool, alt: bool, typing: bool) -> bool {
        let Some(is_asked) = self.watch().map(|watch| watch.allowed.is_none()) else { return false };
        let allow = match self.keys.read(text, control, alt, typing) {
            Some(ConsoleKey::Allow) if is_asked => true,
            Some(ConsoleKey::Refuse) => false,
            _ => return false,
        };
        self.allow_watching(allow);
        true
    }

    /// Who asks or watches; a refusal is for the page alone.
    fn watch(&self) -> Option<&WatchView> {
        self.view.watch.as_ref().filter(|watch| self.connected && watch.allowed != Some(false))
    }
}

/// Takes a picture and sends it off, unless the last one is still on its way.
fn take(app: &App, outbox: &Outbox) {
    if !outbox.claim_picture() {
        return;
    }
    let sender = outbox.clone();
    let picture = app.window().take_snapshot().map_err(|error| error.to_string());
    let sent = picture.and_then(|picture| {
        let encode = move || match packed(&picture) {
            Ok(png) => sender.send_picture(&png),
            Err(error) => {
                tracing::warn!("a picture of the screen cannot be packed: {error}");
                sender.picture_gone();
            }
        };
        let thread = std::thread::Builder::new().name("screen-picture".into());
        thread.spawn(encode).map(|_| ()).map_err(|error| error.to_string())
    });
    if let Err(error) = sent {
        tracing::warn!("no picture of the screen can be taken: {error}");
        outbox.picture_gone();
    }
}

/// As PNG; of a large screen with much on it every second pixel, or every fourth.
fn packed(picture: &SharedPixelBuffer<Rgba8Pixel>) -> Result<Vec<u8>, png::EncodingError> {
    let (width, height) = (picture.width(), picture.height());
    let mut step = 1;
    loop {
        let rows = picture.as_slice().chunks_exact(width.max(1) as usize).step_by(step);
        let pixels =
            rows.flat_map(|row| row.iter().step_by(step)).flat_map(|pixel| [pixel.r, pixel.g, pixel.b]);
        let pixels: Vec<u8> = pixels.collect();
        let across = |length: u32| u32::try_from((length as usize).div_ceil(step)).unwrap_or(length);
        let png = encode_png(across(width), across(height), &pixels)?;
        if png.len() <= MAX_SCREEN_PICTURE {
            return Ok(png);
        }
        step *= 2;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn size(png: &[u8]) -> (u32, u32) {
        let info = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        (info.info().width, info.info().height)
    }

    #[test]
    fn app_2_a_picture_too_large_for_the_desk_is_made_smaller() {
        let calm = SharedPixelBuffer::<Rgba8Pixel>::new(1280, 800);
        assert_eq!(size(&packed(&calm).unwrap()), (1280, 800));
        // Noise, which nothing packs.
        let mut wild = SharedPixelBuffer::<Rgba8Pixel>::new(1281, 801);
        let mut seed = 7_u32;
        for pixel in wild.make_mut_slice() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [r, g, b, a] = seed.to_be_bytes();
            *pixel = Rgba8Pixel { r, g, b, a };
        }
        let png = packed(&wild).unwrap();
        assert_eq!(size(&png), (641, 401));
        assert!(png.len() <= MAX_SCREEN_PICTURE);
    }
}
