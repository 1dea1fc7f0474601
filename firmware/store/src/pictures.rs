//! Pictures of contacts, brought to the size that is kept (DIR-2).
//!
//! A picture is unpacked once, when its contact is written: what a screen is handed is small and known to be
//! whole. Files come from anybody, so the size that a file announces is looked at before any of it is
//! unpacked, and what breaks off is refused rather than kept half grey.
//!
//! What is kept stays as it is when it comes again: an export read back is the same directory.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use directory::{ContactError, Picture, PictureType};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage};

/// Longest side of a picture that is kept, in pixels.
pub const PICTURE_SIDE: u32 = 256;

/// A picture of the right size is kept as it came up to this many bytes; a PNG of noise has fewer.
const MAX_KEPT_BYTES: usize = 300 * 1024;

/// Most pixels that are unpacked: a telephone's camera has twelve million.
const MAX_PIXELS: u64 = 16_000_000;

/// Most memory that unpacking may take, in bytes.
const MAX_ALLOC: u64 = 96 * 1024 * 1024;

/// Quality of a JPEG that is written anew, in percent.
const QUALITY: u8 = 88;

/// The picture as it is kept: upright, whole, no side longer than [`PICTURE_SIDE`]; JPEG stays JPEG, all else
/// becomes PNG.
///
/// # Errors
/// [`ContactError::PictureDimensions`], [`ContactError::PictureBroken`].
pub(crate) fn scaled(picture: Picture) -> Result<Picture, ContactError> {
    contained(|| scale(picture))
}

/// The decoders are not ours and the file is anybody's: should one panic, the picture is broken, and the
/// thread that keeps calls and contacts goes on.
fn contained(decode: impl FnOnce() -> Result<Picture, ContactError>) -> Result<Picture, ContactError> {
    // Nothing outlives a decoder that fell over but its error.
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(broken("it cannot be unpacked")))
}

fn scale(picture: Picture) -> Result<Picture, ContactError> {
    let (whole, turned) = match picture.kind() {
        PictureType::Jpg if breaks_off(picture.bytes()) => return Err(broken("it breaks off")),
        PictureType::Jpg => unpack(picture.bytes(), ImageFormat::Jpeg)?,
        PictureType::Png => unpack(picture.bytes(), ImageFormat::Png)?,
        PictureType::Gif => (first_frame(picture.bytes())?, false),
    };
    let fits = whole.width() <= PICTURE_SIDE && whole.height() <= PICTURE_SIDE;
    let small = picture.bytes().len() <= MAX_KEPT_BYTES;
    if fits && small && !turned && picture.kind() != PictureType::Gif {
        return Ok(picture);
    }
    let whole = if fits { whole } else { whole.thumbnail(PICTURE_SIDE, PICTURE_SIDE) };
    pack(&whole, picture.kind())
}

/// The picture, upright, and whether it had to be turned for that.
fn unpack(bytes: &[u8], format: ImageFormat) -> Result<(DynamicImage, bool), ContactError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, decoder.total_bytes())?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut whole = DynamicImage::from_decoder(decoder).map_err(broken)?;
    whole.apply_orientation(orientation);
    Ok((whole, orientation != Orientation::NoTransforms))
}

/// The first frame of a GIF in its place on the canvas.
fn first_frame(bytes: &[u8]) -> Result<DynamicImage, ContactError> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    options.check_frame_consistency(true);
    if let Some(limit) = std::num::NonZeroU64::new(MAX_ALLOC) {
        options.set_memory_limit(gif::MemoryLimit::Bytes(limit));
    }
    let mut decoder = options.read_info(bytes).map_err(broken)?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    check_size(width, height, u64::from(width) * u64::from(height) * 4)?;
    let frame = decoder.read_next_frame().map_err(broken)?.ok_or_else(|| broken("it has no frame"))?;
    let size = (u32::from(frame.width), u32::from(frame.height));
    let part = RgbaImage::from_raw(size.0, size.1, frame.buffer.to_vec());
    let part = part.ok_or_else(|| broken("its first frame breaks off"))?;
    let mut canvas = RgbaImage::new(width, height);
    image::imageops::replace(&mut canvas, &part, frame.left.into(), frame.top.into());
    Ok(canvas.into())
}

fn check_size(width: u32, height: u32, bytes: u64) -> Result<(), ContactError> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(broken("it has no pixels"));
    }
    if pixels > MAX_PIXELS || bytes > MAX_ALLOC {
        return Err(ContactError::PictureDimensions { width, height });
    }
    Ok(())
}

fn pack(whole: &DynamicImage, kind: PictureType) -> Result<Picture, ContactError> {
    let mut bytes = Vec::new();
    match kind {
        PictureType::Jpg => {
            let colours = DynamicImage::from(whole.to_rgb8());
            colours.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY)).map_err(broken)?;
        }
        PictureType::Png | PictureType::Gif if whole.color().has_alpha() => {
            let colours = DynamicImage::from(whole.to_rgba8());
            colours.write_with_encoder(PngEncoder::new(&mut bytes)).map_err(broken)?;
        }
        PictureType::Png | PictureType::Gif => {
            let colours = DynamicImage::from(whole.to_rgb8());
            colours.write_with_encoder(PngEncoder::new(&mut bytes)).map_err(broken)?;
        }
    }
    Picture::new(&bytes)
}

/// Whether a JPEG ends before its picture does: readers fill up with grey what is missing. The mark of
/// the end (FF D9) must come after the last beginning of a scan (FF DA).
fn breaks_off(bytes: &[u8]) -> bool {
    let last = |mark: u8| bytes.windows(2).rposition(|two| two == [0xff, mark]);
    last(0xd9) < last(0xda) || last(0xd9).is_none()
}

fn broken(reason: impl ToString) -> ContactError {
    // It may quote the file.
    let reason = reason.to_string().chars().filter(|c| !c.is_control()).take(200).collect();
    ContactError::PictureBroken { reason }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba};

    const TEAL: Rgb<u8> = Rgb([0, 150, 136]);

    fn png(whole: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Vec::new();
        whole.into().write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
        bytes
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let colours = DynamicImage::from(RgbImage::from_pixel(width, height, TEAL));
        colours.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 90)).unwrap();
        bytes
    }

    /// A GIF with one frame of 2×2 on a canvas of `width`×`height`.
    fn gif(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, width, height, &TEAL.0).unwrap();
        let frame = gif::Frame { left: 1, top: 1, ..gif::Frame::from_indexed_pixels(2, 2, [0; 4], None) };
        encoder.write_frame(&frame).unwrap();
        drop(encoder);
        bytes
    }

    fn keep(bytes: &[u8]) -> Result<Picture, ContactError> {
        scaled(Picture::new(bytes)?)
    }

    fn look(picture: &Picture) -> RgbaImage {
        image::load_from_memory(picture.bytes()).unwrap().to_rgba8()
    }

    #[test]
    fn a_decoder_that_panics_is_a_broken_picture_and_no_more() {
        let refused = contained(|| panic!("a decoder's own")).unwrap_err();
        assert!(matches!(refused, ContactError::PictureBroken { .. }), "{refused}");
    }

    #[test]
    fn dir_2_what_is_large_becomes_small_and_keeps_its_shape_colour_and_type() {
        let kept = keep(&png(RgbImage::from_pixel(1000, 500, TEAL))).unwrap();
        assert_eq!((kept.kind(), look(&kept).dimensions()), (PictureType::Png, (256, 128)));
        assert_eq!(look(&kept).get_pixel(100, 100), &Rgba([0, 150, 136, 255]));
        let kept = keep(&jpeg(300, 1200)).unwrap();
        assert_eq!((kept.kind(), look(&kept).dimensions()), (PictureType::Jpg, (64, 256)));
        let near = look(&kept).get_pixel(30, 30).0.iter().zip([0, 150, 136]).all(|(a, b)| a.abs_diff(b) < 4);
        assert!(near, "{:?}", look(&kept).get_pixel(30, 30));
    }

    #[test]
    fn dir_2_a_gif_becomes_the_png_of_its_first_frame() {
        let kept = keep(&gif(4, 6)).unwrap();
        assert_eq!((kept.kind(), look(&kept).dimensions()), (PictureType::Png, (4, 6)));
        assert_eq!(look(&kept).get_pixel(1, 1), &Rgba([0, 150, 136, 255]));
        assert_eq!(look(&kept).get_pixel(0, 0).0[3], 0, "nothing is drawn there");
    }

    #[test]
    fn dir_2_what_is_kept_stays_as_it_is_when_it_comes_again() {
        for bytes in [jpeg(900, 900), png(RgbImage::from_pixel(700, 20, TEAL)), gif(300, 300), jpeg(20, 20)] {
            let once = keep(&bytes).unwrap();
            assert_eq!(keep(once.bytes()).unwrap(), once);
        }
    }

    #[test]
    fn dir_2_a_bomb_is_refused_before_it_is_unpacked() {
        // The size stands in the header; nothing behind it has to be true.
        let mut bytes = png(RgbImage::new(1, 1));
        bytes[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let sum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(keep(&bytes), Err(ContactError::PictureDimensions { width: 65535, height: 65535 }));
        assert!(matches!(keep(&gif(65535, 65535)), Err(ContactError::PictureDimensions { .. })));
        let mut bytes = jpeg(8, 8);
        let frame = bytes.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
        bytes[frame + 5..frame + 9].copy_from_slice(&[0x3f, 0xff, 0x3f, 0xff]);
        assert_eq!(keep(&bytes), Err(ContactError::PictureDimensions { width: 16383, height: 16383 }));
    }

    #[test]
    fn dir_2_what_breaks_off_is_refused() {
        for bytes in [jpeg(200, 200), png(RgbImage::from_fn(80, 80, noise)), gif(40, 40)] {
            for cut in [bytes.len() / 8, bytes.len() / 2, bytes.len() * 3 / 4] {
                let kept = keep(&bytes[..cut.max(8)]);
                assert!(matches!(kept, Err(ContactError::PictureBroken { .. })), "{cut}: {kept:?}");
            }
        }
    }

    #[test]
    fn any_damage_is_an_error_or_a_small_picture_but_no_panic() {
        let (mut state, mut refused) = (1_u32, 0);
        for whole in [jpeg(64, 64), png(RgbImage::from_fn(30, 30, noise)), gif(20, 20)] {
            for _ in 0..300 {
                let mut bytes = whole.clone();
                for _ in 0..3 {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let place = (state >> 8) as usize % bytes.len();
                    bytes[place] = (state >> 3) as u8;
                }
                match keep(&bytes) {
                    Ok(kept) => {
                        let (width, height) = look(&kept).dimensions();
                        assert!(width <= PICTURE_SIDE && height <= PICTURE_SIDE);
                    }
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > 300, "{refused}");
    }

    fn noise(x: u32, y: u32) -> Rgb<u8> {
        Rgb([(x * 71 + y * 13) as u8, ((x * 7) ^ (y * 101)) as u8, (x * y * 31) as u8])
    }

    /// The check sum of a PNG chunk.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |sum: u32, byte: &u8| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 * (sum & 1)))
        };
        !bytes.iter().fold(!0, step)
    }
}
