//! Contact sheets: many pictures on one, small.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// Between two pictures, and around them, in pixels of the sheet.
const GAP: u32 = 8;
/// What is behind them.
const GROUND: Rgb<u8> = Rgb([0x60, 0x68, 0x72]);
/// Of JPEG, of 100.
const QUALITY: u8 = 66;

/// A sheet: its name, the look of the pictures on it, how many of their pixels become one each way, and how many stand side
/// by side.
struct Sheet {
    name: &'static str,
    look: &'static str,
    shrink: u32,
    columns: usize,
}

/// All components.
const COMPONENTS: [Sheet; 4] = [
    Sheet { name: "components-dark", look: "dark-en", shrink: 3, columns: 4 },
    Sheet { name: "components-light", look: "light-fr", shrink: 4, columns: 5 },
    Sheet { name: "components-contrast", look: "contrast-en", shrink: 4, columns: 5 },
    Sheet { name: "components-pseudo", look: "dark-pseudo", shrink: 4, columns: 5 },
];

/// Some scenes of `screens`: all of them would be some megabytes.
const SCREENS: [Sheet; 3] = [
    Sheet { name: "screens-dark", look: "dark-en-800", shrink: 4, columns: 4 },
    Sheet { name: "screens-light", look: "light-fr-800", shrink: 5, columns: 5 },
    Sheet { name: "screens-pseudo", look: "dark-pseudo-800", shrink: 5, columns: 5 },
];
const SCENES: [&str; 15] = [
    "clear",
    "desk",
    "editor-alert",
    "finder-none",
    "import-into",
    "locked-calls",
    "log",
    "log-details",
    "reminder-new",
    "settings",
    "settings-keys",
    "sign-in",
    "signed-in-settings",
    "statistics-week",
    "watch-asked",
];

/// Puts the pictures of both programs on sheets below `to`.
pub(crate) fn write_all(components: &Path, screens: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("{}", to.display()))?;
    for sheet in COMPONENTS {
        write(&sheet, &pictures_of(components, sheet.look)?, to)?;
    }
    for sheet in SCREENS {
        let paths = SCENES.map(|scene| screens.join(format!("{scene}-{}.png", sheet.look)));
        write(&sheet, &paths, to)?;
    }
    Ok(())
}

fn write(sheet: &Sheet, paths: &[PathBuf], to: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!paths.is_empty(), "there is no picture of {}", sheet.look);
    let mut pictures = Vec::new();
    for path in paths {
        let picture = image::open(path).with_context(|| format!("{}", path.display()))?;
        pictures.push(shrunk(&picture.to_rgb8(), sheet.shrink));
    }
    let path = to.join(sheet.name).with_extension("jpg");
    let file = File::create(&path).with_context(|| format!("{}", path.display()))?;
    let mut encoder = JpegEncoder::new_with_quality(BufWriter::new(file), QUALITY);
    encoder.encode_image(&laid_out(&pictures, sheet.columns))?;
    #[allow(clippy::print_stdout, reason = "the list of pictures is this program's answer")]
    {
        println!("{}", path.display());
    }
    Ok(())
}

/// In the order of their names.
fn pictures_of(folder: &Path, look: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let ending = format!("-{look}.png");
    paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(&ending)));
    paths.sort();
    Ok(paths)
}

/// Each square of pixels becomes their mean.
fn shrunk(picture: &RgbImage, by: u32) -> RgbImage {
    let (width, height) = (picture.width().div_ceil(by), picture.height().div_ceil(by));
    RgbImage::from_fn(width, height, |x, y| {
        let mut sum = [0_u32; 3];
        let mut count = 0;
        for py in y * by..((y + 1) * by).min(picture.height()) {
            for px in x * by..((x + 1) * by).min(picture.width()) {
                let Rgb(pixel) = picture.get_pixel(px, py);
                sum.iter_mut().zip(pixel).for_each(|(sum, part)| *sum += u32::from(*part));
                count += 1;
            }
        }
        Rgb(sum.map(|sum| u8::try_from(sum / count).unwrap_or(u8::MAX)))
    })
}

/// In columns, each picture below what is shortest so far.
fn laid_out(pictures: &[RgbImage], columns: usize) -> RgbImage {
    let width = pictures.iter().map(RgbImage::width).max().unwrap_or(1);
    let mut feet = vec![GAP; columns.max(1)];
    let mut places = Vec::new();
    for picture in pictures {
        let column = (0..feet.len()).min_by_key(|column| feet[*column]).unwrap_or(0);
        let left = GAP + u32::try_from(column).unwrap_or(0) * (width + GAP);
        places.push((left, feet[column]));
        feet[column] += picture.height() + GAP;
    }
    let columns = u32::try_from(feet.len()).unwrap_or(1);
    let height = feet.iter().max().copied().unwrap_or(GAP);
    let mut sheet = RgbImage::from_pixel(GAP + columns * (width + GAP), height, GROUND);
    for (picture, (left, top)) in pictures.iter().zip(places) {
        for (x, y, pixel) in picture.enumerate_pixels() {
            sheet.put_pixel(left + x, top + y, *pixel);
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_4_pictures_on_a_sheet_neither_overlap_nor_are_lost() {
        let colours = [[200, 0, 0], [0, 200, 0], [0, 0, 200], [200, 200, 0]];
        let sizes = [(40, 90), (60, 10), (20, 30), (60, 5)];
        let pictures = colours.iter().zip(sizes).map(|(c, (w, h))| RgbImage::from_pixel(w, h, Rgb(*c)));
        let pictures: Vec<RgbImage> = pictures.collect();
        let sheet = laid_out(&pictures, 2);
        assert_eq!(sheet.width(), 3 * GAP + 2 * 60);
        for (colour, (width, height)) in colours.iter().zip(sizes) {
            let seen = sheet.pixels().filter(|pixel| pixel.0 == *colour).count();
            assert_eq!(seen, (width * height) as usize);
        }
        // The first column has the highest picture alone.
        assert_eq!(sheet.height(), 90 + 2 * GAP);
    }

    #[test]
    fn acc_4_a_small_picture_has_the_mean_of_the_large_one() {
        let chess = RgbImage::from_fn(9, 4, |x, y| Rgb([if (x + y) % 2 == 0 { 200 } else { 100 }; 3]));
        let small = shrunk(&chess, 2);
        assert_eq!(small.dimensions(), (5, 2));
        assert_eq!(small.get_pixel(0, 0), &Rgb([150; 3]));
        assert_eq!(small.get_pixel(4, 1), &Rgb([150; 3]), "half a square at the edge");
    }
}
