//! How large everything on the screen is drawn (ACC-4).
//!
//! Larger letters in rows of the old height would be cut off, and larger rows beside smaller buttons would be missed by a
//! finger. So the whole screen is drawn larger, in its proportions, as on a smaller screen: what no longer fits scrolls as
//! it does there. A screen of 1280×800 pixels has 1024×640 for the design at [`TextSize::Largest`].

use ipc::TextSize;
use slint::platform::WindowEvent;
use slint::{LogicalSize, PhysicalSize, Window};

/// How much larger than the design everything is drawn.
#[must_use]
pub fn factor(size: TextSize) -> f32 {
    match size {
        TextSize::Usual => 1.0,
        TextSize::Large => 1.125,
        TextSize::Largest => 1.25,
    }
}

/// Draws everything on this window as large as `wished`, which is drawn as large as `worn` now. What the scale of the
/// screen itself is stays in it.
pub(crate) fn draw(window: &Window, worn: TextSize, wished: TextSize) {
    let scale_factor = window.scale_factor() / factor(worn) * factor(wished);
    tell(window, WindowEvent::ScaleFactorChanged { scale_factor });
    lay_out(window);
}

/// Tells the window its own size: it has another number of logical pixels, or what has the focus shall come into sight
/// again because there is less room for it.
pub(crate) fn lay_out(window: &Window) {
    let size = logical(window.size(), window.scale_factor());
    tell(window, WindowEvent::Resized { size });
}

fn tell(window: &Window, event: WindowEvent) {
    if let Err(error) = window.dispatch_event_with_result(event) {
        tracing::error!("the screen cannot be drawn in another size: {error}");
    }
}

/// The size in logical pixels, never a hair less than what is there: the renderer would leave out the last column.
fn logical(physical: PhysicalSize, scale: f32) -> LogicalSize {
    let wanted = physical.to_logical(1.0);
    let edge = |wanted: f32| {
        let exact = wanted / scale;
        if exact * scale < wanted { exact.next_up() } else { exact }
    };
    LogicalSize::new(edge(wanted.width), edge(wanted.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acc_4_no_pixel_is_left_out_in_any_size() {
        for (width, height) in [(1280_u16, 800_u16), (1920, 1080), (1366, 768), (800, 480)] {
            for size in [TextSize::Usual, TextSize::Large, TextSize::Largest] {
                for screen in [1.0_f32, 1.5, 2.0] {
                    let scale = screen * factor(size);
                    let told = logical(PhysicalSize::new(width.into(), height.into()), scale);
                    for (told, there) in [(told.width, width), (told.height, height)] {
                        let drawn = told * scale;
                        assert!(
                            drawn >= f32::from(there) && drawn < f32::from(there) + 0.01,
                            "{drawn} {there}"
                        );
                    }
                }
            }
        }
    }
}
