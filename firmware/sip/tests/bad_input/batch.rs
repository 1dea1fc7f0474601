//! So many wrong messages from one seed, to the readers and to a user agent with live dialogs.

use std::time::Instant;

use crate::corpus;
use crate::mutate::{Dice, mutated};
use crate::readers;
use crate::scene::{Body, Scene};

/// Messages after which a scene is built anew, so that there is always something to disturb.
const SCENE: usize = 500;

/// What was counted of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages and documents made.
    pub made: u64,
    /// Of them, those that a reader took.
    pub read: u64,
    /// Scenes built.
    pub scenes: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Counts) -> Counts {
        Counts {
            made: self.made + other.made,
            read: self.read + other.read,
            scenes: self.scenes + other.scenes,
        }
    }
}

/// A reader's promise; whether it took the document.
type Reader = fn(&[u8]) -> bool;

/// Feeds `messages` that come of `seed`. `start` is the agent's clock.
///
/// # Panics
/// When a reader or the agent breaks its word.
pub fn feed(start: Instant, seed: u64, messages: u64) -> Counts {
    let mut dice = Dice::new(seed);
    let mut counts = Counts::default();
    let mut scene = Scene::build(start, seed);
    let mut age = 0;
    for _ in 0..messages {
        if age >= SCENE || scene.is_worn() {
            scene = Scene::build(start, dice.bits());
            (age, counts.scenes) = (0, counts.scenes + 1);
        }
        age += 1;
        counts.made += 1;
        counts.read += u64::from(one(&mut dice, &mut scene));
    }
    counts
}

/// Makes one and feeds it; whether a reader took it.
fn one(dice: &mut Dice, scene: &mut Scene) -> bool {
    let bytes = match dice.below(10) {
        0..=3 => document(dice, scene),
        4 => return noise(dice, scene),
        5 | 6 => match scene.respond(dice) {
            Some(response) => message(dice, scene, &response),
            None => return noise(dice, scene),
        },
        _ => {
            let valid = dice.of(&scene.valid).clone();
            message(dice, scene, &valid)
        }
    };
    let (bytes, is_read) = bytes;
    scene.feed(dice, &bytes);
    is_read
}

fn message(dice: &mut Dice, scene: &Scene, valid: &[u8]) -> (Vec<u8>, bool) {
    let other = dice.of(&scene.valid);
    let bytes = mutated(dice, valid, other);
    let is_read = readers::message(&bytes);
    (bytes, is_read)
}

/// A wrong document in a right request.
fn document(dice: &mut Dice, scene: &mut Scene) -> (Vec<u8>, bool) {
    let (body, all, read): (Body, &[&str], Reader) = match dice.below(4) {
        0 => (Body::Description, &corpus::DESCRIPTIONS, readers::description),
        1 => (Body::Dialogs, &corpus::DIALOGS, readers::dialog_info),
        2 => (Body::Presence, &corpus::PRESENCES, readers::presence),
        _ => (Body::Fragment, &corpus::FRAGMENTS, readers::fragment),
    };
    let (seed, other) = (*dice.of(all), *dice.of(all));
    let document = mutated(dice, seed.as_bytes(), other.as_bytes());
    let is_read = read(&document);
    (scene.carry(dice, body, &document), is_read)
}

/// Bytes of no kind.
fn noise(dice: &mut Dice, scene: &mut Scene) -> bool {
    let bytes: Vec<u8> = (0..dice.below(300)).map(|_| dice.bits() as u8).collect();
    scene.feed(dice, &bytes);
    readers::description(&bytes);
    readers::dialog_info(&bytes);
    readers::presence(&bytes);
    readers::fragment(&bytes);
    readers::framing(&bytes);
    readers::message(&bytes)
}
