//! The little of WASI 0.2 that languages need to start: no arguments, no environment, no folders, clocks,
//! random numbers, standard error into the plugin's log. Everything else a component imports of `wasi:` –
//! files, sockets, waiting – ends the call that asks for it. There is nothing here that reaches the system.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rustls::crypto::SecureRandom;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentType, Linker, Lower, Resource, ResourceType};
use wasmtime::{Engine, Result, StoreContextMut, bail, format_err};

use crate::guest::Call;
use crate::limits::Limit;

/// Resources that exist only by name: none is ever handed out, except the streams.
struct Descriptor;
struct TerminalInput;
struct TerminalOutput;
struct InputStream;
struct OutputStream;
struct StreamFault;
/// Handed out for streams only, which are always ready: there is nothing to wait for.
struct Pollable;

const STDERR: u32 = 2;
const STDOUT: u32 = 1;
/// Random bytes in one call.
const RANDOM: u64 = 64 << 10;

#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "the type has it, and nothing here fails this way")]
    Failed(Resource<StreamFault>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Defines what the component imports of WASI, at the versions it names.
pub(crate) fn offer(linker: &mut Linker<Call>, engine: &Engine, component: &Component) -> Result<()> {
    let types = component.component_type();
    for (name, item) in types.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        if !name.starts_with("wasi:") {
            continue;
        }
        for (export, item) in instance.exports(engine) {
            if matches!(item.ty, ComponentItem::Resource(_)) {
                resource(linker, name, export)?;
            }
        }
        match name.split_once('@').map_or(name, |(interface, _)| interface) {
            "wasi:cli/environment" => environment(linker, name)?,
            "wasi:cli/exit" => exit(linker, name)?,
            "wasi:cli/stdin" | "wasi:cli/stdout" | "wasi:cli/stderr" => standard_streams(linker, name)?,
            "wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr" => {
                terminals(linker, name)?;
            }
            "wasi:io/poll" => {
                let ready = |_: StoreContextMut<'_, Call>, (_,): (Resource<Pollable>,)| Ok(());
                linker.instance(name)?.func_wrap("[method]pollable.block", ready)?;
            }
            "wasi:io/streams" => streams(linker, name)?,
            "wasi:filesystem/preopens" => {
                let none =
                    |_: StoreContextMut<'_, Call>, ()| Ok((Vec::<(Resource<Descriptor>, String)>::new(),));
                linker.instance(name)?.func_wrap("get-directories", none)?;
            }
            "wasi:clocks/monotonic-clock" => monotonic(linker, name)?,
            "wasi:clocks/wall-clock" => wall(linker, name)?,
            "wasi:random/random" => random(linker, name, "get-random-bytes", "get-random-u64")?,
            "wasi:random/insecure" => {
                random(linker, name, "get-insecure-random-bytes", "get-insecure-random-u64")?;
            }
            "wasi:random/insecure-seed" => {
                let seed = |_: StoreContextMut<'_, Call>, ()| Ok(((number()?, number()?),));
                linker.instance(name)?.func_wrap("insecure-seed", seed)?;
            }
            _ => {}
        }
    }
    linker.define_unknown_imports_as_traps(component)
}

fn environment(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    let mut instance = linker.instance(name)?;
    instance.func_wrap("get-environment", |_, ()| Ok((Vec::<(String, String)>::new(),)))?;
    instance.func_wrap("get-arguments", |_, ()| Ok((Vec::<String>::new(),)))?;
    instance.func_wrap("initial-cwd", |_, ()| Ok((None::<String>,)))
}

fn exit(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    let end = |mut store: StoreContextMut<'_, Call>, (_,): (std::result::Result<(), ()>,)| -> Result<()> {
        store.data_mut().stopped = Some(Limit::Trap);
        bail!("the plugin ended itself")
    };
    linker.instance(name)?.func_wrap("exit", end)
}

fn standard_streams(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    let mut instance = linker.instance(name)?;
    instance.func_wrap("get-stdin", |_, ()| Ok((Resource::<InputStream>::new_own(0),)))?;
    instance.func_wrap("get-stdout", |_, ()| Ok((Resource::<OutputStream>::new_own(STDOUT),)))?;
    instance.func_wrap("get-stderr", |_, ()| Ok((Resource::<OutputStream>::new_own(STDERR),)))
}

fn terminals(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    let mut instance = linker.instance(name)?;
    instance.func_wrap("get-terminal-stdin", |_, ()| Ok((None::<Resource<TerminalInput>>,)))?;
    instance.func_wrap("get-terminal-stdout", |_, ()| Ok((None::<Resource<TerminalOutput>>,)))?;
    instance.func_wrap("get-terminal-stderr", |_, ()| Ok((None::<Resource<TerminalOutput>>,)))
}

fn streams(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    type Done<T> = Result<(std::result::Result<T, StreamError>,)>;
    let read = |_: StoreContextMut<'_, Call>, (_, _): (Resource<InputStream>, u64)| -> Done<Vec<u8>> {
        Ok((Err(StreamError::Closed),))
    };
    let write = |mut store: StoreContextMut<'_, Call>,
                 (stream, bytes): (Resource<OutputStream>, Vec<u8>)|
     -> Done<()> {
        if stream.rep() == STDERR {
            store.data_mut().print(&bytes);
        }
        store.data_mut().tick()?;
        Ok((Ok(()),))
    };
    let flush = |_: StoreContextMut<'_, Call>, (_,): (Resource<OutputStream>,)| -> Done<()> { Ok((Ok(()),)) };
    let room =
        |_: StoreContextMut<'_, Call>, (_,): (Resource<OutputStream>,)| -> Done<u64> { Ok((Ok(4096),)) };
    let mut instance = linker.instance(name)?;
    instance.func_wrap("[method]input-stream.read", read)?;
    instance.func_wrap("[method]input-stream.blocking-read", read)?;
    let subscribe = |_: StoreContextMut<'_, Call>, (_,): (Resource<OutputStream>,)| {
        Ok((Resource::<Pollable>::new_own(0),))
    };
    instance.func_wrap("[method]output-stream.subscribe", subscribe)?;
    instance.func_wrap("[method]output-stream.check-write", room)?;
    instance.func_wrap("[method]output-stream.write", write)?;
    instance.func_wrap("[method]output-stream.blocking-write-and-flush", write)?;
    instance.func_wrap("[method]output-stream.flush", flush)?;
    instance.func_wrap("[method]output-stream.blocking-flush", flush)
}

fn monotonic(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    let now = |_: StoreContextMut<'_, Call>, ()| {
        Ok((u64::try_from(EPOCH.elapsed().as_nanos()).unwrap_or(u64::MAX),))
    };
    let mut instance = linker.instance(name)?;
    instance.func_wrap("now", now)?;
    instance.func_wrap("resolution", |_, ()| Ok((1_u64,)))
}

fn wall(linker: &mut Linker<Call>, name: &str) -> Result<()> {
    let now = |_: StoreContextMut<'_, Call>, ()| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok((Datetime { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() },))
    };
    let mut instance = linker.instance(name)?;
    instance.func_wrap("now", now)?;
    instance.func_wrap("resolution", |_, ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
}

fn random(linker: &mut Linker<Call>, name: &str, bytes: &str, one: &str) -> Result<()> {
    let mut instance = linker.instance(name)?;
    instance.func_wrap(bytes, |_, (length,): (u64,)| {
        let mut buffer = vec![0; usize::try_from(length.min(RANDOM))?];
        fill(&mut buffer)?;
        if length > RANDOM {
            bail!("too many random bytes at once")
        }
        Ok((buffer,))
    })?;
    instance.func_wrap(one, |_, ()| Ok((number()?,)))
}

fn number() -> Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    static SOURCE: LazyLock<&dyn SecureRandom> =
        LazyLock::new(|| rustls::crypto::ring::default_provider().secure_random);
    SOURCE.fill(bytes).map_err(|_| format_err!("no random numbers"))
}

/// A resource has one type in all interfaces that name it; WASI gives no name twice. Those that no function
/// of ours hands out are all of one type.
fn resource(linker: &mut Linker<Call>, interface: &str, name: &str) -> Result<()> {
    let kind = match name {
        "descriptor" => ResourceType::host::<Descriptor>(),
        "terminal-input" => ResourceType::host::<TerminalInput>(),
        "terminal-output" => ResourceType::host::<TerminalOutput>(),
        "input-stream" => ResourceType::host::<InputStream>(),
        "output-stream" => ResourceType::host::<OutputStream>(),
        "error" => ResourceType::host::<StreamFault>(),
        "pollable" => ResourceType::host::<Pollable>(),
        _ => ResourceType::host::<()>(),
    };
    linker.instance(interface)?.resource(name, kind, |_, _| Ok(()))
}
