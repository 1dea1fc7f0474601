//! Eyes: a picture of the screen, areas of one colour in it, and the words on it (tesseract).

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Enlargement before reading words: tesseract wants letters about 30 pixels high.
const ENLARGE: usize = 3;

/// How far a channel of a mixture of two colours may be off.
const MIXTURE: f64 = 12.0;

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

impl Area {
    /// The middle.
    #[must_use]
    pub fn centre(self) -> (usize, usize) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    /// With this much more on every side.
    #[must_use]
    pub fn grown(self, by: usize) -> Self {
        Self {
            x: self.x.saturating_sub(by),
            y: self.y.saturating_sub(by),
            width: self.width + 2 * by,
            height: self.height + 2 * by,
        }
    }

    /// Whether `other` lies wholly inside.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }
}

/// A word on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As read.
    pub text: String,
    /// Where.
    pub area: Area,
}

/// A picture of the screen.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    pixels: Vec<Colour>,
}

impl Picture {
    /// Reads a PNG file of 8 bits a channel.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
        let size = reader.output_buffer_size().ok_or("the picture is too large")?;
        let mut buffer = vec![0; size];
        let info = reader.next_frame(&mut buffer).map_err(|error| error.to_string())?;
        let samples = info.color_type.samples();
        if samples < 3 {
            return Err(format!("a screen has colours, this has {samples} channels"));
        }
        let pixels = buffer[..info.buffer_size()].chunks_exact(samples).map(|p| [p[0], p[1], p[2]]).collect();
        Ok(Self { width: info.width as usize, height: info.height as usize, pixels })
    }

    /// The whole picture.
    #[must_use]
    pub fn area(&self) -> Area {
        Area { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// The colour at a point inside.
    #[must_use]
    pub fn at(&self, x: usize, y: usize) -> Colour {
        self.pixels[y * self.width + x]
    }

    /// The connected areas of `colour` inside `region` that are at least `least` wide and high, as
    /// their bounding boxes, the upper ones first. Each channel may differ by 3.
    #[must_use]
    pub fn areas(&self, region: Area, colour: Colour, least: (usize, usize)) -> Vec<Area> {
        let mut seen = vec![false; self.pixels.len()];
        let mut found = Vec::new();
        for y in region.y..(region.y + region.height).min(self.height) {
            for x in region.x..(region.x + region.width).min(self.width) {
                if !seen[y * self.width + x] && is_near(self.at(x, y), colour) {
                    let area = self.flood(region, colour, (x, y), &mut seen);
                    if area.width >= least.0 && area.height >= least.1 {
                        found.push(area);
                    }
                }
            }
        }
        found
    }

    /// How much of `ink` stands on `ground` inside `region`, in pixels; what is no mixture of the two does not
    /// count. Letters of the same text that are bolder have more of it.
    #[must_use]
    pub fn ink(&self, region: Area, ground: Colour, ink: Colour) -> f64 {
        let apart = |colour: Colour| -> [f64; 3] {
            std::array::from_fn(|channel| f64::from(colour[channel]) - f64::from(ground[channel]))
        };
        let whole = apart(ink);
        let length: f64 = whole.iter().map(|part| part * part).sum();
        let covered = |(x, y): (usize, usize)| {
            let here = apart(self.at(x, y));
            let along: f64 = here.iter().zip(whole).map(|(a, b)| a * b).sum();
            let part = (along / length).clamp(0.0, 1.0);
            let mixed = here.iter().zip(whole).all(|(a, b)| (a - part * b).abs() <= MIXTURE);
            if mixed { part } else { 0.0 }
        };
        let rows = region.y..(region.y + region.height).min(self.height);
        let columns = region.x..(region.x + region.width).min(self.width);
        rows.flat_map(|y| columns.clone().map(move |x| (x, y))).map(covered).sum()
    }

    /// The words inside `region`, in reading order.
    ///
    /// # Panics
    /// When tesseract is not installed or fails.
    #[must_use]
    #[track_caller]
    pub fn words(&self, region: Area) -> Vec<Word> {
        let mut command = Command::new("tesseract");
        command.args(["-", "-", "--psm", "11", "-l", "eng", "tsv"]).env("OMP_THREAD_LIMIT", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("tesseract is installed (package tesseract-ocr)");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        stdin.write_all(&self.for_reading(region)).expect("tesseract reads its input");
        drop(stdin);
        let output = child.wait_with_output().expect("tesseract ends");
        assert!(output.status.success(), "tesseract failed: {:?}", output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().filter_map(|line| parse_word(line, region)).collect()
    }

    /// The words inside `region` as one line of text.
    #[must_use]
    #[track_caller]
    pub fn text(&self, region: Area) -> String {
        let mut text = String::new();
        for word in self.words(region) {
            let _ = write!(text, "{} ", word.text);
        }
        text
    }

    fn flood(&self, region: Area, colour: Colour, start: (usize, usize), seen: &mut [bool]) -> Area {
        let (mut left, mut top, mut right, mut bottom) = (start.0, start.1, start.0, start.1);
        let mut open = vec![start];
        seen[start.1 * self.width + start.0] = true;
        let (end_x, end_y) =
            ((region.x + region.width).min(self.width), (region.y + region.height).min(self.height));
        while let Some((x, y)) = open.pop() {
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
            let around = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
            for (x, y) in around {
                let inside = (region.x..end_x).contains(&x) && (region.y..end_y).contains(&y);
                if inside && !seen[y * self.width + x] && is_near(self.at(x, y), colour) {
                    seen[y * self.width + x] = true;
                    open.push((x, y));
                }
            }
        }
        Area { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }
    }

    /// A grey PGM picture, enlarged, dark letters on a light ground.
    fn for_reading(&self, region: Area) -> Vec<u8> {
        let grey = |x: usize, y: usize| {
            let [r, g, b] = self.at(x.min(self.width - 1), y.min(self.height - 1)).map(u32::from);
            ((r * 3 + g * 6 + b) / 10) as u8
        };
        let (x0, y0) = (region.x, region.y);
        let mut sum = 0_u64;
        for y in y0..y0 + region.height {
            sum += (x0..x0 + region.width).map(|x| u64::from(grey(x, y))).sum::<u64>();
        }
        let dark = sum / ((region.width * region.height) as u64).max(1) < 128;
        let (width, height) = (region.width * ENLARGE, region.height * ENLARGE);
        let mut file = format!("P5\n{width} {height}\n255\n").into_bytes();
        for y in 0..height {
            file.extend((0..width).map(|x| {
                let value = smooth(x, y, |x, y| grey(x0 + x, y0 + y));
                if dark { 255 - value } else { value }
            }));
        }
        file
    }
}

/// The value between four pixels: enlarging by repetition makes steps that are read as letters.
fn smooth(x: usize, y: usize, grey: impl Fn(usize, usize) -> u8) -> u8 {
    let (left, top) = (x / ENLARGE, y / ENLARGE);
    let (right, below) = (x % ENLARGE, y % ENLARGE);
    let mix =
        |a: u8, b: u8, part: usize| (usize::from(a) * (ENLARGE - part) + usize::from(b) * part) / ENLARGE;
    let upper = mix(grey(left, top), grey(left + 1, top), right) as u8;
    let lower = mix(grey(left, top + 1), grey(left + 1, top + 1), right) as u8;
    mix(upper, lower, below) as u8
}

fn is_near(a: Colour, b: Colour) -> bool {
    a.iter().zip(b).all(|(&a, b)| a.abs_diff(b) <= 3)
}

/// One line of tesseract's table: level page block par line word left top width height conf text.
fn parse_word(line: &str, region: Area) -> Option<Word> {
    let fields: Vec<&str> = line.split('\t').collect();
    let text = fields.get(11)?.trim();
    if fields[0] != "5" || text.is_empty() {
        return None;
    }
    let number = |index: usize| fields[index].parse::<usize>().ok().map(|value| value / ENLARGE);
    let area =
        Area { x: region.x + number(6)?, y: region.y + number(7)?, width: number(8)?, height: number(9)? };
    Some(Word { text: text.to_owned(), area })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const RED: Colour = [200, 0, 0];

    fn with_box(area: Area) -> Picture {
        let mut picture = Picture { width: 40, height: 30, pixels: vec![[0; 3]; 1200] };
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                picture.pixels[y * 40 + x] = RED;
            }
        }
        picture
    }

    #[test]
    fn an_area_of_one_colour_is_found_with_its_edges() {
        let area = Area { x: 5, y: 6, width: 20, height: 10 };
        let picture = with_box(area);
        assert_eq!(picture.areas(picture.area(), RED, (10, 10)), [area]);
        assert_eq!(picture.areas(picture.area(), RED, (21, 1)), []);
        let left = Area { x: 0, y: 0, width: 10, height: 30 };
        assert_eq!(picture.areas(left, RED, (1, 1)), [Area { width: 5, ..area }]);
    }

    #[test]
    fn ink_is_counted_by_how_much_of_it_covers_the_ground() {
        let mut picture = with_box(Area { x: 5, y: 6, width: 2, height: 1 });
        picture.pixels[7 * 40 + 5] = [100, 0, 0];
        picture.pixels[7 * 40 + 6] = [0, 200, 0];
        assert!((picture.ink(picture.area(), [0; 3], RED) - 2.5).abs() < 1e-9);
        assert!(picture.ink(Area { x: 0, y: 0, width: 5, height: 6 }, [0; 3], RED).abs() < 1e-9);
    }

    #[test]
    fn a_png_is_read_back() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[1, 2, 3, 255, 4, 5, 6, 255]).unwrap();
        writer.finish().unwrap();
        let picture = Picture::decode(&bytes).unwrap();
        assert_eq!((picture.at(0, 0), picture.at(1, 0)), ([1, 2, 3], [4, 5, 6]));
        assert!(Picture::decode(b"no picture").is_err());
    }
}
