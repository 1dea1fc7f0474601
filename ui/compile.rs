//! What both build scripts do: compile Slint, and bundle the translations; for tests and pictures also the pseudo-locale.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[allow(dead_code, unreachable_pub, reason = "the library's, which has more to do with it")]
#[path = "src/pseudo.rs"]
mod pseudo;

/// Where the catalogue of a language is, below its folder.
const CATALOGUE: &str = "LC_MESSAGES/frontdesk-ui.po";

/// Compiles `source`, a path from the manifest's folder, into `written` in the folder of what is generated; where it is.
///
/// # Panics
/// When it cannot: a build script reports by failing, and the compiler's messages are its text.
pub(crate) fn slint(source: &str, written: &str) -> PathBuf {
    compile(source, written).unwrap_or_else(|error| panic!("{error}"))
}

fn compile(source: &str, written: &str) -> Result<PathBuf, Box<dyn Error>> {
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join(source).canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let of_ui =
        source.ancestors().find(|folder| folder.ends_with("ui")).ok_or("the sources are below ui/")?;
    let languages = of_ui.join("lang");
    let bundled = out.join("lang");
    bundle(&languages, &bundled, debug)?;
    let configuration = slint_build::CompilerConfiguration::new()
        .with_style("fluent".into())
        .with_bundled_translations(&bundled)
        .with_default_translation_context(slint_build::DefaultTranslationContext::None)
        // Element names for the interaction tests; costs nothing but size.
        .with_debug_info(debug);
    let written = out.join(written);
    let used = slint_build::compile_with_output_path(&source, &written, configuration)?;
    // What is written here itself is no reason to run again.
    let used = used.into_iter().filter(|path| !path.starts_with(&out));
    for path in used.chain([languages, of_ui.join("compile.rs"), of_ui.join("src/pseudo.rs")]) {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    Ok(written)
}

/// The languages of `from` in `to`, each by the name of the package, by which Slint looks for it. A release is what an operator
/// gets: English and French, and a table of texts without a third column; else there is the pseudo-locale, too.
fn bundle(from: &Path, to: &Path, with_pseudo: bool) -> Result<(), Box<dyn Error>> {
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
    if with_pseudo {
        write(&to.join(pseudo::LOCALE), &pseudo::catalogue(&french)?)?;
    }
    Ok(())
}

fn write(language: &Path, catalogue: &str) -> Result<(), Box<dyn Error>> {
    let folder = language.join("LC_MESSAGES");
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(env::var("CARGO_PKG_NAME")?).with_extension("po"), catalogue)?)
}
