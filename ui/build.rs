//! Compiles the gallery of the screen's components; the screen itself is compiled by `frontdesk-screen`.

mod compile;

fn main() {
    // Nothing of it is in the screen's program: `gallery` includes it.
    compile::slint("slint/gallery/gallery.slint", "gallery.rs");
}
