//! ALSA with a configuration of a test's own, and a device that a test can pull out (`pulled/pulled.c`).

use std::path::{Path, PathBuf};
use std::process::Command;

const CHILD: &str = "MEDIA_ALSA_TEST_DIR";

/// ALSA reads its configuration from the environment, which must be set before the process has threads: so the
/// test runs itself again with it.
pub(crate) fn with_alsa(test: &str, configuration: &str, body: impl FnOnce(&Path)) {
    if let Some(dir) = std::env::var_os(CHILD) {
        return body(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a directory");
    let conf = dir.path().join("asound.conf");
    let text = configuration.replace("DIR", dir.path().to_str().expect("a plain path"));
    std::fs::write(&conf, text).expect("writes");
    let output = Command::new(std::env::current_exe().expect("a path"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, dir.path())
        .env("ALSA_CONFIG_PATH", &conf)
        .output()
        .expect("runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

/// The definition of a device that can be pulled out, for [`with_alsa`]: its folder is named after it, and its
/// microphone hears `hz`.
pub(crate) fn pulled(name: &str, hz: u32) -> String {
    format!("pcm.{name} {{ type pulled folder \"DIR/{name}\" hz {hz} }}\n")
}

/// What the definitions of [`pulled`] need.
pub(crate) const PULLED: &str = "pcm_type.pulled { lib \"DIR/libasound_module_pcm_pulled.so\" }\n";

/// A device of [`pulled`].
pub(crate) struct Card {
    folder: PathBuf,
}

impl Card {
    /// Puts the device in. The first one builds the plugin.
    pub(crate) fn new(dir: &Path, name: &str) -> Card {
        let library = dir.join("libasound_module_pcm_pulled.so");
        if !library.exists() {
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pulled/pulled.c");
            let mut compiler = Command::new("cc");
            compiler.args(["-shared", "-fPIC", "-DPIC", "-O1", "-o"]).arg(&library);
            let built = compiler.args([source, "-lasound", "-lm"]).status().expect("a C compiler");
            assert!(built.success());
        }
        let card = Card { folder: dir.join(name) };
        std::fs::create_dir(&card.folder).expect("a folder");
        card.set("there", true);
        card
    }

    /// `there`: it is plugged in; `blocks`: who writes or reads does not return; `silent`: its clock stands still.
    pub(crate) fn set(&self, what: &str, on: bool) {
        let file = self.folder.join(what);
        let done = if on { std::fs::write(file, "") } else { std::fs::remove_file(file) };
        done.expect("a file");
    }

    /// All that has been played on it.
    pub(crate) fn played(&self) -> Vec<i16> {
        let bytes = std::fs::read(self.folder.join("played")).unwrap_or_default();
        let (mut rest, mut samples) = (bytes.as_slice(), Vec::new());
        while let [_, _, _, _, _, _, _, _, a, b, c, d, after @ ..] = rest {
            let length = 2 * u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            let Some((record, after)) = after.split_at_checked(length) else { break };
            samples.extend(record.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])));
            rest = after;
        }
        samples
    }
}
