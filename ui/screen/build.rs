//! Compiles the screen.

#[path = "../compile.rs"]
mod compile;

fn main() {
    let written = compile::slint("../slint/app.slint", "app.rs");
    println!("cargo:rustc-env=SLINT_INCLUDE_GENERATED={}", written.display());
}
