//! The newest picture of the desk, shared between the event loop that draws it and the browsers.
//!
//! Every watcher has a rectangle of what has changed since it looked last. A slow browser's
//! rectangle grows; it skips frames and never holds anybody up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes in a pixel: red, green, blue.
pub(crate) const PIXEL: usize = 3;

/// The picture and its watchers.
#[derive(Debug, Default)]
pub struct Picture {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    watchers: Vec<(u64, Option<Area>)>,
    count: u64,
    closed: bool,
}

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A part of the picture, cut out.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(crate) area: Area,
    /// The whole picture's size, so that the page can follow a change of it.
    pub(crate) whole: (u32, u32),
    pub(crate) pixels: Vec<u8>,
}

impl Picture {
    /// Takes what was drawn: the whole buffer, of which `areas` differ from the last time.
    pub(crate) fn publish(&self, width: u32, height: u32, pixels: &[u8], areas: &[Area]) {
        let mut state = self.lock();
        let whole = Area { x: 0, y: 0, width, height };
        let resized = (state.width, state.height) != (width, height);
        if resized {
            state.width = width;
            state.height = height;
            state.pixels = pixels.to_vec();
        }
        let areas = if resized { std::slice::from_ref(&whole) } else { areas };
        for area in areas {
            if !resized {
                copy(&mut state.pixels, pixels, width, *area);
            }
            for (_, dirty) in &mut state.watchers {
                *dirty = Some(dirty.map_or(*area, |dirty| dirty.union(*area)));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Nobody draws any more; every watcher is told.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// A new watcher, for whom all is new.
    pub(crate) fn watch(&self) -> u64 {
        let mut state = self.lock();
        state.count += 1;
        let (id, width, height) = (state.count, state.width, state.height);
        state.watchers.push((id, (width > 0).then_some(Area { x: 0, y: 0, width, height })));
        id
    }

    /// A watcher is gone.
    pub(crate) fn leave(&self, watcher: u64) {
        self.lock().watchers.retain(|(id, _)| *id != watcher);
        self.changed.notify_all();
    }

    /// Waits until something is new for the watcher and cuts it out. `None` after `patience`
    /// without news; `Err` when the watcher has left or nobody draws any more.
    pub(crate) fn next(&self, watcher: u64, patience: Duration) -> Result<Option<Patch>, Gone> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(Gone);
            }
            let entry = state.watchers.iter_mut().find(|(id, _)| *id == watcher).ok_or(Gone)?;
            if let Some(area) = entry.1.take() {
                return Ok(Some(state.cut(area)));
            }
            let (next, timeout) =
                self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if timeout.timed_out() {
                return Ok(None);
            }
        }
    }

    /// The whole picture now, as PNG; `None` before the first frame.
    #[must_use]
    pub fn png(&self) -> Option<Vec<u8>> {
        let state = self.lock();
        let (width, height) = (state.width, state.height);
        let pixels = state.pixels.clone();
        drop(state);
        if pixels.is_empty() { None } else { encode_png(width, height, &pixels).ok() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is nothing to wait for any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl State {
    fn cut(&self, area: Area) -> Patch {
        let mut pixels = Vec::with_capacity(area.width as usize * area.height as usize * PIXEL);
        for y in area.y..area.y + area.height {
            let start = offset(self.width, area.x, y);
            pixels.extend_from_slice(&self.pixels[start..start + area.width as usize * PIXEL]);
        }
        Patch { area, whole: (self.width, self.height), pixels }
    }
}

impl Area {
    fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// RGB pixels as PNG, compressed for speed.
///
/// # Errors
/// When the number of pixels does not fit the size.
pub fn encode_png(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

fn offset(width: u32, x: u32, y: u32) -> usize {
    (y as usize * width as usize + x as usize) * PIXEL
}

fn copy(to: &mut [u8], from: &[u8], width: u32, area: Area) {
    for y in area.y..area.y + area.height {
        let start = offset(width, area.x, y);
        let row = start..start + area.width as usize * PIXEL;
        to[row.clone()].copy_from_slice(&from[row]);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    fn area(x: u32, y: u32, width: u32, height: u32) -> Area {
        Area { x, y, width, height }
    }

    #[test]
    fn a_slow_watcher_gets_all_it_missed_in_one_piece() {
        let picture = Picture::default();
        let mut pixels = vec![0; 4 * 4 * PIXEL];
        picture.publish(4, 4, &pixels, &[]);
        let watcher = picture.watch();
        assert_eq!(picture.next(watcher, SOON).unwrap().unwrap().area, area(0, 0, 4, 4));
        assert!(picture.next(watcher, SOON).unwrap().is_none());
        pixels.fill(7);
        picture.publish(4, 4, &pixels, &[area(0, 0, 1, 1)]);
        picture.publish(4, 4, &pixels, &[area(2, 1, 1, 2)]);
        let patch = picture.next(watcher, SOON).unwrap().unwrap();
        assert_eq!(patch.area, area(0, 0, 3, 3));
        assert_eq!(patch.pixels.iter().filter(|byte| **byte == 7).count(), 3 * PIXEL);
    }

    #[test]
    fn a_watcher_that_left_waits_for_nothing() {
        let picture = Picture::default();
        let watcher = picture.watch();
        picture.leave(watcher);
        assert_eq!(picture.next(watcher, SOON).unwrap_err(), Gone);
        let other = picture.watch();
        picture.close();
        assert_eq!(picture.next(other, SOON).unwrap_err(), Gone);
    }

    #[test]
    fn the_picture_is_a_png() {
        let picture = Picture::default();
        assert!(picture.png().is_none());
        picture.publish(2, 1, &[255, 0, 0, 0, 0, 255], &[]);
        let bytes = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut out = vec![0; 6];
        reader.next_frame(&mut out).unwrap();
        assert_eq!(out, [255, 0, 0, 0, 0, 255]);
    }
}
