//! A component into machine code, in a child process with limits of its own: compiling is where a small file
//! can cost much memory and time, and the compiler is the largest body of code that reads what a stranger
//! wrote. What it made is kept by the hash of the file and of the engine. The child is this program's own
//! binary, `frontdesk-plugind compile IN OUT`, without environment.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use thiserror::Error;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, Strategy};

/// Memory of the child, in bytes of addresses.
const MEMORY: u64 = 2 << 30;
/// Time of the child on the processor, in seconds. An optimised host needs eight for the largest runtime
/// that was measured.
const CPU: u64 = 90;
/// Time of the child on the clock.
const WALL: Duration = Duration::from_secs(300);
/// The largest machine code.
const OUTPUT: u64 = 128 << 20;
/// The stack of a guest, in bytes.
const STACK: usize = 512 << 10;

/// Why there is no machine code.
#[derive(Debug, Error)]
pub enum CompileError {
    /// A file of the cache could not be read or written, or the child not started.
    #[error("compiling: {0}")]
    Io(#[from] io::Error),
    /// Not a valid component, in the words of the compiler.
    #[error("not a valid component: {0}")]
    Invalid(String),
    /// The child ran into its limits.
    #[error("compiling it took too much memory or time")]
    TooExpensive,
    /// What the child wrote cannot be loaded.
    #[error("the compiled plugin cannot be loaded: {0}")]
    Load(String),
}

/// The engine of the host and of the child: both must be the same.
///
/// # Errors
/// If this machine cannot run it.
pub fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .epoch_interruption(true)
        .wasm_component_model(true)
        .max_wasm_stack(STACK)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_threads(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .gc_support(false)
        .concurrency_support(false)
        .generate_address_map(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(16));
    Engine::new(&config)
}

/// Compiles in a child process, or takes what was kept.
///
/// # Errors
/// See [`CompileError`].
pub fn component(
    engine: &Engine,
    compiler: &Path,
    cache: &Path,
    file: &[u8],
) -> Result<Component, CompileError> {
    let kept = cache.join(key(engine, file));
    if !kept.exists() {
        // After an update of the engine all plugins come at once, and each child may use its whole memory.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have wanted the same.
        if !kept.exists() {
            fs::create_dir_all(cache)?;
            compile(compiler, cache, &kept, file)?;
        }
    }
    // SAFETY: the file was written by our own child into our own folder, under the hash of what it was made
    // from; nobody else may write there.
    unsafe { Component::deserialize_file(engine, &kept) }
        .map_err(|error| CompileError::Load(format!("{error:#}")))
}

/// Bytes of the machine code that is kept of a file; 0 where there is none.
pub(crate) fn kept_size(engine: &Engine, cache: &Path, file: &[u8]) -> u64 {
    fs::metadata(cache.join(key(engine, file))).map_or(0, |data| data.len())
}

/// The child: limits itself, compiles `input`, writes `output`.
///
/// # Errors
/// [`CompileError::Invalid`] for what is no component.
pub fn child(input: &Path, output: &Path) -> Result<(), CompileError> {
    for (resource, limit) in [
        (libc::RLIMIT_AS, MEMORY),
        (libc::RLIMIT_CPU, CPU),
        (libc::RLIMIT_FSIZE, OUTPUT),
        (libc::RLIMIT_CORE, 0),
        (libc::RLIMIT_NOFILE, 32),
    ] {
        let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
        // SAFETY: `limit` is a valid rlimit that lives through the call.
        if unsafe { libc::setrlimit(resource, &raw const limit) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
    }
    // Nobody waits for it once its parent is gone.
    // SAFETY: a call with plain numbers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
        return Err(io::Error::last_os_error().into());
    }
    let file = fs::read(input)?;
    let invalid = |error: wasmtime::Error| CompileError::Invalid(format!("{error:#}"));
    let code = engine().map_err(invalid)?.precompile_component(&file).map_err(invalid)?;
    fs::write(output, code)?;
    Ok(())
}

/// What the child says when the file is no component.
pub const INVALID: i32 = 3;
/// What it says when it could not read or write.
pub const FAILED: i32 = 4;

fn compile(compiler: &Path, cache: &Path, kept: &Path, file: &[u8]) -> Result<(), CompileError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = |ending: &str| cache.join(format!("{}-{number}.{ending}", std::process::id()));
    let (input, output, words) = (name("wasm"), name("part"), name("words"));
    let scratch = Scratch([input.clone(), output.clone(), words.clone()]);
    fs::write(&input, file)?;
    let mut child = Command::new(compiler)
        .arg("compile")
        .args([&input, &output])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&words)?)
        .spawn()?;
    let deadline = Instant::now() + WALL;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill()?;
                child.wait()?;
                return Err(CompileError::TooExpensive);
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let said = || {
        let words = fs::read(&words).unwrap_or_default();
        String::from_utf8_lossy(words.get(..500).unwrap_or(&words)).trim().to_owned()
    };
    match status.code() {
        Some(0) => {}
        Some(INVALID) => return Err(CompileError::Invalid(said())),
        // It could not read or write: a disk that is full, say.
        Some(FAILED) => return Err(io::Error::other(said()).into()),
        // Ended by a signal: its memory, its time or its output.
        _ => return Err(CompileError::TooExpensive),
    }
    // On the disk before it has its name: half a file of machine code must never be taken for a whole one.
    fs::File::open(&output)?.sync_all()?;
    fs::rename(&output, kept)?;
    drop(scratch);
    Ok(())
}

fn key(engine: &Engine, file: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let digest: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// Files that are gone when this is.
struct Scratch([PathBuf; 3]);

impl Drop for Scratch {
    fn drop(&mut self) {
        for path in &self.0 {
            // Gone already where it was renamed.
            let _ = fs::remove_file(path);
        }
    }
}
