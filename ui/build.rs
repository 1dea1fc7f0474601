//! Compiles the screen and bundles its translations.

fn main() {
    let configuration = slint_build::CompilerConfiguration::new()
        .with_style("fluent".into())
        .with_bundled_translations("lang")
        .with_default_translation_context(slint_build::DefaultTranslationContext::None)
        // Element names for the interaction tests; costs nothing but size.
        .with_debug_info(std::env::var("PROFILE").is_ok_and(|profile| profile == "debug"));
    if let Err(error) = slint_build::compile_with_config("slint/app.slint", configuration) {
        // A build script reports by failing; the compiler's messages are its text.
        panic!("{error}");
    }
}
