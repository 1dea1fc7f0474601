//! Compiles the screen and the gallery of its components, and bundles the translations; for tests and pictures also the
//! pseudo-locale.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[allow(dead_code, unreachable_pub, reason = "the library's, which has more to do with it")]
#[path = "src/pseudo.rs"]
mod pseudo;

/// Where the catalogue of a language is, below its folder.
const CATALOGUE: &str = "LC_MESSAGES/frontdesk-ui.po";

fn main() {
    if let Err(error) = compile() {
        // A build script reports by failing; the compiler's messages are its text.
        panic!("{error}");
    }
}

fn compile() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let languages = here.join("lang");
    // A release is what an operator gets: English and French, and a table of texts without a third column.
    let bundled = if debug { with_pseudo(&languages, &out.join("lang"))? } else { languages.clone() };
    let mut read = vec![languages, here.join("build.rs"), here.join("src/pseudo.rs")];
    // The gallery is a program of its own: nothing of it is in the screen's.
    for (source, written) in [("app", "app.rs"), ("gallery/gallery", "gallery.rs")] {
        let configuration = slint_build::CompilerConfiguration::new()
            .with_style("fluent".into())
            .with_bundled_translations(&bundled)
            .with_default_translation_context(slint_build::DefaultTranslationContext::None)
            // Element names for the interaction tests; costs nothing but size.
            .with_debug_info(debug);
        let source = here.join("slint").join(source).with_extension("slint");
        let used = slint_build::compile_with_output_path(source, out.join(written), configuration)?;
        // What this script has written itself is no reason to run it again.
        read.extend(used.into_iter().filter(|path| !path.starts_with(&out)));
    }
    for path in read {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    println!("cargo:rustc-env=SLINT_INCLUDE_GENERATED={}", out.join("app.rs").display());
    Ok(())
}

/// The languages of `from` in `to`, and the pseudo-locale beside them.
fn with_pseudo(from: &Path, to: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let mut of_french = None;
    for language in fs::read_dir(from)? {
        let language = language?;
        let catalogue = fs::read_to_string(language.path().join(CATALOGUE))?;
        write(&to.join(language.file_name()), &catalogue)?;
        if language.file_name() == "fr" {
            of_french = Some(catalogue);
        }
    }
    let french = of_french.ok_or("there is no French, whose list of texts the pseudo-locale has")?;
    write(&to.join(pseudo::LOCALE), &pseudo::catalogue(&french)?)?;
    Ok(to.to_owned())
}

fn write(language: &Path, catalogue: &str) -> Result<(), Box<dyn Error>> {
    let path = language.join(CATALOGUE);
    fs::create_dir_all(path.parent().ok_or("a catalogue is in a folder")?)?;
    Ok(fs::write(path, catalogue)?)
}
