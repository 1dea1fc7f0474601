//! Screens as they were approved: a button that has moved, a text that is cut off or a colour that has changed is seen
//! here before a receptionist sees it.
//!
//! What is kept in `tests/golden` is a quarter of the size each way, so that the edges of letters, which another version
//! of the renderer smooths otherwise, make no difference; what has moved by the width of a divider does. When a change is
//! meant: look at `target/golden`, then `make golden`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};

/// Scenes that have all of the screen's parts between them, without a cursor that blinks.
const SCENES: [&str; 15] = [
    "alerts",
    "callers",
    "conference5",
    "customer",
    "desk",
    "drag",
    "empty",
    "fates",
    "list",
    "log",
    "night",
    "settings",
    "settings-keys",
    "table",
    "transfer-menu",
];
/// Each look once, and each with the other language or size somewhere.
const LOOKS: [&str; 4] = ["dark-en-800", "light-fr-800", "contrast-en-800", "dark-fr-1080"];
/// How many pixels of the screen become one, each way.
const SHRINK: u32 = 4;
/// How far apart two colours of a kept pixel may be, of 255, in any of red, green and blue.
const TOLERANCE: u8 = 20;
/// How many kept pixels may be further apart.
const STRAY: usize = 4;

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn shrunk(picture: &RgbImage) -> RgbImage {
    let (width, height) = (picture.width() / SHRINK, picture.height() / SHRINK);
    RgbImage::from_fn(width, height, |x, y| {
        let mut sum = [0_u32; 3];
        for (dx, dy) in (0..SHRINK).flat_map(|dy| (0..SHRINK).map(move |dx| (dx, dy))) {
            let Rgb(pixel) = picture.get_pixel(x * SHRINK + dx, y * SHRINK + dy);
            sum.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += u32::from(*part));
        }
        Rgb(sum.map(|sum| u8::try_from(sum / (SHRINK * SHRINK)).unwrap()))
    })
}

/// Where two pictures differ; `None`: they are not of one size.
fn differences(one: &RgbImage, other: &RgbImage) -> Option<Vec<(u32, u32)>> {
    if one.dimensions() != other.dimensions() {
        return None;
    }
    let far = |(a, b): (&u8, &u8)| a.abs_diff(*b) > TOLERANCE;
    let pixels = one.enumerate_pixels().zip(other.pixels());
    Some(pixels.filter(|((_, _, a), b)| a.0.iter().zip(&b.0).any(far)).map(|((x, y, _), _)| (x, y)).collect())
}

#[test]
fn acc_4_every_screen_looks_as_it_was_approved() {
    let folder = tempfile::tempdir().unwrap();
    let looks = LOOKS.iter().flat_map(|look| ["--look", look]);
    let mut drawing = Command::new(env!("CARGO_BIN_EXE_screens"));
    drawing.arg("--out").arg(folder.path()).args(looks).args(SCENES);
    let drawn = drawing.output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let approve = std::env::var_os("FRONTDESK_GOLDEN").is_some_and(|wish| wish == "approve");
    if approve {
        std::fs::create_dir_all(kept()).unwrap();
    }
    let mut wrong = Vec::new();
    for name in SCENES.iter().flat_map(|scene| LOOKS.map(|look| format!("{scene}-{look}.png"))) {
        let now = shrunk(&image::open(folder.path().join(&name)).unwrap().to_rgb8());
        let path = kept().join(&name);
        if approve {
            now.save(&path).unwrap();
            continue;
        }
        let Ok(before) = image::open(&path) else {
            wrong.push(format!("{name}: nobody has approved it yet"));
            continue;
        };
        match differences(&before.to_rgb8(), &now) {
            Some(places) if places.len() <= STRAY => {}
            Some(places) => {
                let (x, y) = places[0];
                let at = (x * SHRINK, y * SHRINK);
                wrong.push(format!("{name}: {} places differ, the first at {at:?}", places.len()));
            }
            None => wrong.push(format!("{name}: it has another size")),
        }
    }
    if !wrong.is_empty() {
        let shown = folder.keep();
        panic!("{}\nas drawn now: {}\nmeant so? make golden", wrong.join("\n"), shown.display());
    }
}

#[test]
fn acc_4_what_has_moved_by_four_pixels_is_seen_and_a_smoother_edge_is_not() {
    let button = |x: u32, y: u32| {
        RgbImage::from_fn(320, 200, |px, py| {
            let inside = (x..x + 120).contains(&px) && (y..y + 48).contains(&py);
            if inside { Rgb([106, 160, 255]) } else { Rgb([13, 17, 23]) }
        })
    };
    let before = button(60, 80);
    let places = |now: &RgbImage| differences(&shrunk(&before), &shrunk(now)).unwrap().len();
    assert_eq!(places(&before), 0);
    assert!(places(&button(64, 80)) > STRAY && places(&button(60, 76)) > STRAY);
    assert!(places(&button(62, 80)) > STRAY, "half of a kept pixel");
    // Its outermost pixels are a quarter paler.
    let mut smooth = before.clone();
    for y in 80..128 {
        for x in [60, 179] {
            smooth.put_pixel(x, y, Rgb([83, 124, 197]));
        }
    }
    assert!(places(&smooth) <= STRAY, "{}", places(&smooth));
    assert_eq!(differences(&before, &shrunk(&before)), None);
}
