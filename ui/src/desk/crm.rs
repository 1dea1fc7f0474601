//! The page about a call's other end in the CRM (CRM-1), as a code for a telephone or tablet beside the desk.
//!
//! The address comes whole from the desk. Not done here: showing the page itself.

use ipc::CallRef;
use qrcode::{Color, EcLevel, QrCode};
use slint::{ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer};

use super::Desk;
use crate::models::words::party_name;
use crate::screen::Crm;

/// Light around the code, in modules, so that it is found (ISO/IEC 18004 asks for 4; the plate has more light).
const MARGIN: usize = 2;

impl Desk {
    /// Shows the page of a call, if it has one.
    pub(crate) fn open_crm(&mut self, call: CallRef) {
        let Some((who, address)) =
            self.call(call).and_then(|view| Some((party_name(&view.party), view.crm.clone()?)))
        else {
            return;
        };
        let Some(code) = code(&address) else {
            tracing::warn!(
                length = address.len(),
                "the address of the customer's page is too long for a code"
            );
            return;
        };
        let crm = self.app.global::<Crm>();
        crm.set_who(who);
        crm.set_address(address.into());
        crm.set_code(code);
        crm.set_open(true);
    }

    pub(crate) fn crm_is_open(&self) -> bool {
        self.app.global::<Crm>().get_open()
    }

    pub(crate) fn close_crm(&self) {
        self.app.global::<Crm>().set_open(false);
    }
}

/// One pixel a module. `None` for more than a code can hold, some 2,900 bytes.
pub(super) fn code(address: &str) -> Option<Image> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    let (modules, colors) = (code.width(), code.to_colors());
    let width = modules + 2 * MARGIN;
    let side = u32::try_from(width).ok()?;
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side, side);
    for (at, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = ((at % width).checked_sub(MARGIN), (at / width).checked_sub(MARGIN));
        let dark = match (x, y) {
            (Some(x), Some(y)) if x < modules && y < modules => colors[y * modules + x] == Color::Dark,
            _ => false,
        };
        *pixel = if dark { Rgb8Pixel::new(0, 0, 0) } else { Rgb8Pixel::new(255, 255, 255) };
    }
    Some(Image::from_rgb8(pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_square_with_light_around_it_and_an_endless_one_none() {
        let image = code("https://crm.example/?q=%2B33155570142");
        let side = image.map(|image| (image.size().width, image.size().height));
        // Version 2 has 25 modules: enough at level L, since the digits are packed.
        assert_eq!(side, Some((29, 29)));
        assert!(code(&"x".repeat(3000)).is_none());
    }
}
