//! The gallery can be drawn, every component of it, in every theme and language.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use image::{Rgb, RgbImage};

/// Its own tests run here: the gallery's generated code takes minutes to compile, and is not compiled once more for them.
#[allow(dead_code, unreachable_pub, reason = "the program's, which has a use for it")]
#[path = "../src/bin/gallery/sheet.rs"]
mod sheet;

/// Draws the gallery in some looks; all that was drawn, by the names of the files.
fn draw(folder: &Path, looks: &[&str], names: &[&str]) -> Vec<(String, RgbImage)> {
    let mut drawing = Command::new(env!("CARGO_BIN_EXE_gallery"));
    drawing.arg("--out").arg(folder).args(looks.iter().flat_map(|look| ["--look", look])).args(names);
    let drawn = drawing.output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = paths.map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, image::open(&path).unwrap().to_rgb8())
    });
    read.collect()
}

fn colours(picture: &RgbImage) -> BTreeSet<[u8; 3]> {
    picture.pixels().map(|Rgb(pixel)| *pixel).collect()
}

#[test]
fn acc_4_the_gallery_shows_every_component() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = draw(folder.path(), &["light-en"], &[]);
    let components = Path::new(env!("CARGO_MANIFEST_DIR")).join("slint/components");
    let mut looked = 0;
    for file in std::fs::read_dir(components).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for component in text.lines().filter_map(|line| line.strip_prefix("export component ")) {
            let component = component.split([' ', '{']).next().unwrap();
            // What cannot be seen: `tests/tidy.rs` has the list.
            if ["DragHandle", "Heard", "NoDrop", "PressArea", "TapArea"].contains(&component) {
                continue;
            }
            let picture = pictures.iter().find(|(name, _)| *name == format!("{component}-light-en"));
            let (_, picture) = picture.unwrap_or_else(|| panic!("{component} was not drawn"));
            // The name of the component and the captions of its states are there; below them more than the ground.
            assert!(
                picture.width() > 60 && picture.height() > 100,
                "{component}: {:?}",
                picture.dimensions()
            );
            assert!(colours(picture).len() > 12, "{component}: {} colours", colours(picture).len());
            looked += 1;
        }
    }
    assert!(looked > 60, "{looked} components");
}

#[test]
fn acc_4_themes_and_languages_of_the_gallery_differ() {
    let folder = tempfile::tempdir().unwrap();
    let looks = ["dark-en", "dark-fr", "dark-pseudo", "light-en", "contrast-en"];
    let pictures = draw(folder.path(), &looks, &["DeskButton"]);
    let of = |look: &str| {
        let found = pictures.iter().find(|(name, _)| *name == format!("DeskButton-{look}"));
        &found.unwrap_or_else(|| panic!("{look} was not drawn")).1
    };
    for (at, look) in looks.iter().enumerate() {
        for other in &looks[at + 1..] {
            assert!(of(look) != of(other), "{look} and {other} are the same picture");
        }
    }
    let ground = |look: &str| of(look).get_pixel(0, 0).0;
    assert!(ground("light-en").iter().all(|part| *part > 0xe0) && ground("contrast-en") == [0; 3]);
}
