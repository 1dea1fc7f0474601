//! The faces of contacts (DIR-2): asked for once, unpacked, kept within a bound, round.
//!
//! A face is asked for when something on the screen shows its contact, a few at a time; that there is none is
//! remembered as well. When a directory changes, each is asked for again when it is shown next, and what is
//! shown stays until the answer is here. Unpacking and halving happen on the thread of the socket
//! ([`Face::read`]); here a face is only brought to the exact size of its place, because the renderer does not
//! smooth.
//!
//! Not here: who is shown where.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io::Cursor;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::imageops::thumbnail;
use image::{DynamicImage, ImageReader, Limits};
use ipc::{ContactId, Query};
use slint::{ComponentHandle, Image, Rgba8Pixel, SharedPixelBuffer};

use crate::link::Outbox;
use crate::screen::{App, Size};

/// Largest picture that is unpacked, in pixels a side: what the desk keeps.
const MAX_SIDE: u32 = 256;
/// Most memory for unpacking one, in bytes.
const MAX_ALLOC: u64 = 4 * 1024 * 1024;
/// Side of a face that is kept, in pixels: the largest place at twice its size.
const SIDE: u32 = 128;
/// Faces kept, about 50 KB each.
const KEPT: usize = 256;
/// Contacts of which it is remembered that they have no face.
const FACELESS: usize = 16_384;
/// Questions on their way at once: commands share the socket.
const ASKED: usize = 8;
/// Questions that wait for those; of more, the oldest is not shown any more.
const WAITING: usize = 128;

/// A picture, unpacked: a square of red, green and blue.
#[derive(Clone, PartialEq, Eq)]
pub struct Face {
    side: u32,
    rgb: Vec<u8>,
}

impl Face {
    /// Unpacks the middle of a picture; `None` when it is none or larger than a desk sends.
    #[must_use]
    pub fn read(picture: &ipc::Picture) -> Option<Self> {
        let bytes = STANDARD.decode(&picture.base64).ok()?;
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
        let mut limits = Limits::no_limits();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_ALLOC);
        reader.limits(limits);
        Self::middle(&reader.decode().ok()?)
    }

    fn middle(whole: &DynamicImage) -> Option<Self> {
        let (width, height) = (whole.width(), whole.height());
        let square = width.min(height);
        let square = whole.crop_imm((width - square) / 2, (height - square) / 2, square, square).to_rgba8();
        let square = if square.width() > SIDE { thumbnail(&square, SIDE, SIDE) } else { square };
        // What is transparent lies on white paper.
        let over = |value: u8, alpha: u8| {
            let mixed = (u16::from(value) * u16::from(alpha) + 255 * u16::from(255 - alpha) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        let rgb = square.pixels().flat_map(|p| [0, 1, 2].map(|channel| over(p[channel], p[3]))).collect();
        Some(Self { side: square.width(), rgb }).filter(|face| face.side > 0)
    }

    /// A disc of `size` pixels across.
    fn disc(&self, size: u32) -> Image {
        let mut pixels = SharedPixelBuffer::<Rgba8Pixel>::new(size, size);
        let places = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
        for (pixel, (x, y)) in pixels.make_mut_slice().iter_mut().zip(places) {
            let cover = cover(x, y, size);
            let [r, g, b] = self.mean(x, y, size).map(|value| (f32::from(value) * cover).round() as u8);
            *pixel = Rgba8Pixel { r, g, b, a: (255.0 * cover).round() as u8 };
        }
        Image::from_rgba8_premultiplied(pixels)
    }

    /// The mean of what falls on a pixel of a picture of `size`.
    fn mean(&self, x: u32, y: u32, size: u32) -> [u8; 3] {
        let span = |at: u32| {
            let start = at * self.side / size;
            start..((at + 1) * self.side / size).clamp(start + 1, self.side.max(start + 1))
        };
        let (mut sum, mut count) = ([0_u32; 3], 0);
        for row in span(y) {
            for column in span(x) {
                let at = ((row * self.side + column) * 3) as usize;
                let Some(pixel) = self.rgb.get(at..at + 3) else { continue };
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += u32::from(*value);
                }
                count += 1;
            }
        }
        sum.map(|sum| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX))
    }
}

/// How much of a pixel lies inside the disc, 0 to 1.
fn cover(x: u32, y: u32, size: u32) -> f32 {
    let radius = size as f32 / 2.0;
    let (dx, dy) = (x as f32 + 0.5 - radius, y as f32 + 0.5 - radius);
    (radius - dx.hypot(dy) + 0.5).clamp(0.0, 1.0)
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Face({0}×{0})", self.side)
    }
}

/// Where a face is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Whom the operator talks to.
    Header,
    /// One of a conference.
    Party,
    /// A call's card.
    Card,
    /// A contact's tile.
    Tile,
}

/// The faces known, and the way to ask for others.
pub(crate) struct Faces {
    outbox: Outbox,
    /// Sizes of the places on this screen, in pixels.
    sizes: Cell<[u32; 4]>,
    known: RefCell<HashMap<ContactId, Known>>,
    /// Counts up when a directory changes or the desk is back: what was asked before is asked again.
    turn: Cell<u64>,
    uses: Cell<u64>,
    asked: RefCell<HashMap<u64, ContactId>>,
    waiting: RefCell<VecDeque<ContactId>>,
    nobody: Image,
}

/// What is known of one contact.
struct Known {
    /// The turn it was asked for in.
    turn: u64,
    used: u64,
    face: Option<Face>,
    /// As shown, by size.
    discs: Vec<(u32, Image)>,
}

impl Faces {
    /// Knows nobody yet; asks through `outbox`.
    pub(crate) fn new(outbox: Outbox) -> Rc<Self> {
        Rc::new(Self {
            outbox,
            sizes: Cell::new([1; 4]),
            known: RefCell::default(),
            turn: Cell::new(0),
            uses: Cell::new(0),
            asked: RefCell::default(),
            waiting: RefCell::default(),
            // One pixel, not none: an image that is none does not equal itself, and every row with one would
            // be drawn again with every view.
            nobody: Image::from_rgba8_premultiplied(SharedPixelBuffer::new(1, 1)),
        })
    }

    /// Looks how large the places are on this screen.
    pub(crate) fn measure(&self, app: &App) {
        let size = app.global::<Size>();
        let scale = app.window().scale_factor();
        let places =
            [size.get_avatar_l(), size.get_party_avatar(), size.get_card_face(), size.get_tile_avatar()];
        self.sizes.set(places.map(|length| (length * scale).round().clamp(1.0, 1024.0) as u32));
    }

    /// The face of a contact as it is shown at a place: of one pixel when there is none or none yet.
    pub(crate) fn of(&self, contact: Option<ContactId>, place: Place) -> Image {
        let Some(contact) = contact else { return self.nobody.clone() };
        self.uses.set(self.uses.get() + 1);
        let mut known = self.known.borrow_mut();
        let entry = known.entry(contact).or_insert_with(|| Known::new(u64::MAX));
        if entry.turn != self.turn.get() {
            entry.turn = self.turn.get();
            self.waiting.borrow_mut().push_front(contact);
        }
        entry.used = self.uses.get();
        let shown = entry.shown(self.sizes.get()[place as usize]);
        drop(known);
        self.ask();
        shown.unwrap_or_else(|| self.nobody.clone())
    }

    /// Takes the answer to a question; whose face it is when it was one of ours.
    pub(crate) fn arrived(&self, seq: u64, face: Option<Face>) -> Option<ContactId> {
        let contact = self.asked.borrow_mut().remove(&seq)?;
        if let Some(known) = self.known.borrow_mut().get_mut(&contact)
            && known.face != face
        {
            known.face = face;
            known.discs.clear();
        }
        self.forget_some();
        self.ask();
        Some(contact)
    }

    /// Whether a question that could not be answered was one of ours: then there is no face, and no word.
    pub(crate) fn failed(&self, seq: u64) -> bool {
        let ours = self.asked.borrow_mut().remove(&seq).is_some();
        self.ask();
        ours
    }

    /// A directory has changed, or the desk is back: what was known may be otherwise.
    pub(crate) fn again(&self) {
        self.turn.set(self.turn.get() + 1);
        self.asked.borrow_mut().clear();
        self.waiting.borrow_mut().clear();
    }

    /// Asks for those that wait, the newest first.
    fn ask(&self) {
        let mut waiting = self.waiting.borrow_mut();
        while waiting.len() > WAITING {
            // It is asked for when it is shown again.
            if let Some(contact) = waiting.pop_back() {
                self.known.borrow_mut().remove(&contact);
            }
        }
        let mut asked = self.asked.borrow_mut();
        while asked.len() < ASKED
            && let Some(contact) = waiting.pop_front()
        {
            // The desk is away, and `again` asks when it is back; or its queue is full for the moment.
            let Ok(seq) = self.outbox.query(Query::Picture(contact)) else {
                return waiting.push_front(contact);
            };
            asked.insert(seq, contact);
        }
    }

    fn forget_some(&self) {
        let mut known = self.known.borrow_mut();
        let faces = known.iter().filter(|(_, known)| known.face.is_some());
        if faces.clone().count() > KEPT {
            let oldest = faces.min_by_key(|(_, known)| known.used).map(|(contact, _)| *contact);
            oldest.map(|contact| known.remove(&contact));
        }
        if known.len() > FACELESS + KEPT {
            known.retain(|_, known| known.face.is_some());
        }
    }
}

impl Known {
    fn new(turn: u64) -> Self {
        Self { turn, used: 0, face: None, discs: Vec::new() }
    }

    fn shown(&mut self, size: u32) -> Option<Image> {
        let face = self.face.as_ref()?;
        if let Some((_, disc)) = self.discs.iter().find(|(of, _)| *of == size) {
            return Some(disc.clone());
        }
        let disc = face.disc(size);
        self.discs.push((size, disc.clone()));
        Some(disc)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use ipc::ToDesk;
    use std::sync::mpsc::Receiver;

    fn face(value: u8) -> Option<Face> {
        Some(Face { side: 2, rgb: vec![value; 12] })
    }

    fn asked(requests: &Receiver<ToDesk>) -> Vec<(u64, u64)> {
        let all = requests.try_iter().map(|request| match request {
            ToDesk::Query { seq, query: Query::Picture(contact) } => (seq, contact.0),
            other => panic!("{other:?}"),
        });
        all.collect()
    }

    #[test]
    fn dir_2_a_face_is_asked_for_once_and_that_there_is_none_is_remembered() {
        let (outbox, requests) = Outbox::recorded();
        let faces = Faces::new(outbox);
        let look = |contact| faces.of(Some(ContactId(contact)), Place::Tile).size().width;
        faces.sizes.set([46; 4]);
        assert_eq!((look(1), look(1), look(2)), (1, 1, 1));
        let questions = asked(&requests);
        assert_eq!(questions.iter().map(|(_, contact)| *contact).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(faces.arrived(questions[0].0, face(9)), Some(ContactId(1)));
        assert_eq!(faces.arrived(questions[1].0, None), Some(ContactId(2)));
        assert_eq!(faces.arrived(77, face(9)), None);
        assert_eq!((look(1), look(2)), (46, 1));
        assert!(faces.of(Some(ContactId(1)), Place::Tile) == faces.of(Some(ContactId(1)), Place::Card));
        assert!(faces.of(None, Place::Tile) == faces.of(Some(ContactId(2)), Place::Tile));
        assert_eq!(asked(&requests), []);
        // A directory has changed: asked again, and shown as it was until the answer is here.
        faces.again();
        assert_eq!((look(1), look(1)), (46, 46));
        assert_eq!(asked(&requests).len(), 1);
    }

    #[test]
    fn a_few_are_asked_for_at_a_time_and_of_thousands_scrolled_past_only_the_last() {
        let (outbox, requests) = Outbox::recorded();
        let faces = Faces::new(outbox);
        for contact in 0..12_000 {
            faces.of(Some(ContactId(contact)), Place::Tile);
        }
        let (mut answered, mut last) = (0, 0);
        loop {
            let questions = asked(&requests);
            assert!(questions.len() <= ASKED);
            if questions.is_empty() {
                break;
            }
            for (seq, contact) in questions {
                faces.arrived(seq, face(1));
                last = last.max(contact);
                answered += 1;
            }
        }
        assert_eq!((answered, last), (ASKED + WAITING, 11_999));
        assert!(faces.known.borrow().len() <= ASKED + WAITING);
    }

    #[test]
    fn faces_are_kept_within_a_bound() {
        let (outbox, requests) = Outbox::recorded();
        let faces = Faces::new(outbox);
        for contact in 0..1_000 {
            faces.of(Some(ContactId(contact)), Place::Tile);
            for (seq, _) in asked(&requests) {
                faces.arrived(seq, face(1));
            }
        }
        assert_eq!(faces.known.borrow().len(), KEPT);
        assert!(faces.known.borrow().contains_key(&ContactId(999)));
    }

    #[test]
    fn dir_2_the_middle_of_a_picture_is_a_disc_of_its_colour() {
        let whole = image::RgbImage::from_fn(200, 100, |x, _| {
            if (50..150).contains(&x) { image::Rgb([0, 150, 136]) } else { image::Rgb([255; 3]) }
        });
        let face = Face::middle(&whole.into()).unwrap();
        let disc = face.disc(40).to_rgba8_premultiplied().unwrap();
        let at = |x: usize, y: usize| disc.as_slice()[y * 40 + x];
        assert_eq!(at(20, 20), Rgba8Pixel { r: 0, g: 150, b: 136, a: 255 });
        assert_eq!(at(3, 20), at(20, 20), "of the sides nothing is left");
        assert_eq!(at(0, 0).a, 0);
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_no_face() {
        let read = |bytes: &[u8]| {
            let base64 = STANDARD.encode(bytes);
            Face::read(&ipc::Picture { kind: ipc::PictureKind::Png, base64 })
        };
        let png = |side| {
            let mut bytes = Vec::new();
            let whole = image::GrayImage::new(side, side);
            whole.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
            bytes
        };
        assert_eq!(read(&png(256)).unwrap().side, SIDE);
        assert_eq!((read(&png(257)), read(&png(40)[..50]), read(b"GIF89a")), (None, None, None));
    }
}
