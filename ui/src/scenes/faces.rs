//! Pictures of people who do not exist: a head and shoulders, drawn by rule.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};
use ipc::{ContactId, ContactPicture, Picture, PictureKind};

/// Side of the pictures, in pixels.
const SIDE: u32 = 200;
/// Wall, clothes, hair and skin of the people, in turn.
const PALETTE: [[[u8; 3]; 4]; 4] = [
    [[201, 214, 223], [52, 73, 94], [59, 38, 28], [229, 184, 150]],
    [[233, 222, 199], [122, 62, 72], [24, 22, 22], [141, 92, 64]],
    [[190, 211, 193], [62, 92, 118], [196, 160, 92], [243, 208, 180]],
    [[214, 202, 226], [45, 90, 75], [120, 120, 124], [206, 152, 116]],
];

/// The answer to a question for a picture: three of four people have one.
#[must_use]
pub fn face(contact: ContactId) -> ContactPicture {
    let turn = usize::try_from(contact.0 % 4).unwrap_or(0);
    let picture = (turn != 0).then(|| drawn(PALETTE[usize::try_from(contact.0 / 2).unwrap_or(0) % 4]));
    ContactPicture { contact, picture: picture.flatten() }
}

fn drawn([wall, clothes, hair, skin]: [[u8; 3]; 4]) -> Option<Picture> {
    let whole = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let inside = |cx: i64, cy: i64, rx: i64, ry: i64| {
            let (dx, dy) = (i64::from(x) - cx, i64::from(y) - cy);
            dx * dx * ry * ry + dy * dy * rx * rx <= rx * rx * ry * ry
        };
        let colour = if inside(100, 96, 38, 48) && y > 66 {
            skin
        } else if inside(100, 84, 48, 52) && y < 120 {
            hair
        } else if inside(100, 150, 18, 30) {
            skin
        } else if inside(100, 216, 84, 66) {
            clothes
        } else {
            wall
        };
        Rgb(colour)
    });
    let mut bytes = Vec::new();
    whole.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
    Some(Picture { kind: PictureKind::Png, base64: STANDARD.encode(bytes) })
}
