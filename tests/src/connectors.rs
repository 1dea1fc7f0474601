//! `frontdesk-plugind` beside a desk, and a client of its socket: what the administrator's page does by pages is
//! done here by words.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, MAX_UPLOAD_PART, PLUGIN_PROTOCOL,
    PluginAnswer, PluginGrants, PluginProblem, PluginRequest, PluginView, ToPlugins, encode,
};
use serde_json::{Map, Value};

use crate::program::Program;
use crate::repository;
use crate::wait;

/// How long an answer may take: an inspection compiles the plugin, in a debug build.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running plugin host, whose socket is where the desk of the same folder looks for it.
#[derive(Debug)]
pub struct PluginHost {
    /// The process.
    pub program: Program,
    /// Its socket.
    pub socket: PathBuf,
    scratch: PathBuf,
}

impl PluginHost {
    /// Starts it with these authorities for TLS, and runs unsigned plugins.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path, authorities: &[PathBuf]) -> Self {
        let folder = scratch.join("desk");
        let socket = folder.join("plugins.sock");
        let state = scratch.join("plugins");
        fs::create_dir_all(&state).expect("the scratch folder is writable");
        let authorities: Vec<String> = authorities.iter().map(|path| format!("{path:?}")).collect();
        let config = format!(
            "state = {state:?}\nsocket = {socket:?}\ndeveloper = true\ncertificates = [{}]\n",
            authorities.join(", ")
        );
        fs::write(scratch.join("plugind.toml"), config).expect("the scratch folder is writable");
        let program = run(scratch, &socket);
        Self { program, socket, scratch: scratch.to_owned() }
    }

    /// Starts it again after its end.
    ///
    /// # Panics
    /// When it does not come up.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.program = run(&self.scratch, &self.socket);
    }

    /// A new connection.
    #[must_use]
    #[track_caller]
    pub fn client(&self) -> PluginClient {
        PluginClient::connect(&self.socket)
    }

    /// Packs one of the plugins of this repository, unsigned: its folder below `plugins/`, built by `make guests`.
    ///
    /// # Panics
    /// When it is not built, or cannot be packed.
    #[must_use]
    #[track_caller]
    pub fn packed(&self, folder: &str) -> PathBuf {
        self.packed_as(folder, &repository::root().join("plugins").join(folder).join("connector.toml"))
    }

    /// Packs a component with another manifest than its own.
    ///
    /// # Panics
    /// As [`PluginHost::packed`].
    #[must_use]
    #[track_caller]
    pub fn packed_as(&self, folder: &str, manifest: &Path) -> PathBuf {
        let here = std::env::current_exe().expect("a running program has a path");
        let target = here.ancestors().find(|folder| folder.join("guests").is_dir());
        let target = target.unwrap_or_else(|| panic!("no plugins beside {}: make guests", here.display()));
        let package = fs::read_to_string(repository::root().join("plugins").join(folder).join("Cargo.toml"));
        let package = package.expect("a plugin is a package");
        let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or(folder);
        let library = name.trim_matches('"').replace('-', "_");
        let component = target.join(format!("guests/wasm32-wasip2/release/{library}.wasm"));
        let packed = self.scratch.join(format!("{folder}.wasm"));
        let mut command = Command::new(repository::program("frontdesk-plugin"));
        command.arg("pack").args([&component, manifest]).arg(&packed);
        let output = command.output().expect("frontdesk-plugin can be started");
        assert!(output.status.success(), "pack: {}", String::from_utf8_lossy(&output.stderr));
        packed
    }
}

#[track_caller]
fn run(scratch: &Path, socket: &Path) -> Program {
    let mut command = Command::new(repository::program("frontdesk-plugind"));
    command.arg("serve").arg(scratch.join("plugind.toml"));
    let mut program = Program::start("frontdesk-plugind", command, scratch);
    wait::until("frontdesk-plugind to open its socket", Duration::from_secs(20), || {
        assert!(program.exit_status().is_none(), "frontdesk-plugind ended:\n{}", program.log());
        UnixStream::connect(socket).ok()
    });
    program
}

/// A connection that follows the plugin host.
#[derive(Debug)]
pub struct PluginClient {
    stream: UnixStream,
    decoder: Decoder,
    plugins: Vec<PluginView>,
    seq: u64,
}

impl PluginClient {
    #[track_caller]
    fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket);
        let stream = stream.unwrap_or_else(|error| panic!("{}: {error}", socket.display()));
        let decoder = Decoder::new(MAX_FRAME_FROM_PLUGINS);
        let mut client = Self { stream, decoder, plugins: Vec::new(), seq: 0 };
        let program = "frontdesk-tests".into();
        client.send(&ToPlugins::Hello { protocol: PLUGIN_PROTOCOL, program, follow: true });
        let welcome = client.receive(Instant::now() + PATIENCE);
        assert!(matches!(welcome, Some(FromPlugins::Welcome { .. })), "no welcome but {welcome:?}");
        client
    }

    /// Asks something.
    ///
    /// # Errors
    /// Why it was not done.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn ask(&mut self, request: PluginRequest) -> Result<PluginAnswer, PluginProblem> {
        self.seq += 1;
        let words = format!("{request:?}").chars().take(80).collect::<String>();
        self.send(&ToPlugins::Request { seq: self.seq, request });
        let end = Instant::now() + PATIENCE;
        loop {
            match self.receive(end) {
                Some(FromPlugins::Answer { seq, answer }) if seq == self.seq => return answer,
                Some(FromPlugins::Plugins(plugins)) => self.plugins = plugins,
                other => panic!("no answer to {words} but {other:?}"),
            }
        }
    }

    /// Uploads, inspects and installs a file.
    ///
    /// # Errors
    /// Why it was not installed.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn install(&mut self, file: &Path, granted: PluginGrants) -> Result<PluginView, PluginProblem> {
        let bytes = fs::read(file).expect("the plugin is there");
        let PluginAnswer::Upload(upload) = self.ask(PluginRequest::Upload { bytes: bytes.len() as u64 })?
        else {
            panic!("no upload has begun");
        };
        for (n, part) in bytes.chunks(MAX_UPLOAD_PART).enumerate() {
            let offset = (n * MAX_UPLOAD_PART) as u64;
            self.ask(PluginRequest::UploadPart { upload, offset, base64: STANDARD.encode(part) })?;
        }
        self.ask(PluginRequest::Inspect { upload })?;
        match self.ask(PluginRequest::Install { upload, granted, key_confirmed: true })? {
            PluginAnswer::Plugin(plugin) => Ok(*plugin),
            other => panic!("installed, but {other:?}"),
        }
    }

    /// Sets a plugin up and lets it run.
    ///
    /// # Errors
    /// Why not.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn configure(&mut self, plugin: &str, values: Value) -> Result<(), PluginProblem> {
        let values: Map<String, Value> = values.as_object().cloned().expect("settings are an object");
        let plugin = plugin.to_owned();
        self.ask(PluginRequest::Configure { plugin: plugin.clone(), values, interval_s: 3600 })?;
        self.ask(PluginRequest::Enable { plugin, on: true })?;
        Ok(())
    }

    /// Follows the plugin until it is as wanted.
    ///
    /// # Panics
    /// When it is not within `limit`.
    #[track_caller]
    pub fn wait(
        &mut self,
        what: &str,
        plugin: &str,
        limit: Duration,
        wanted: impl Fn(&PluginView) -> bool,
    ) -> PluginView {
        let end = Instant::now() + limit;
        loop {
            let known = self.plugins.iter().find(|known| known.id == plugin);
            if let Some(known) = known.filter(|known| wanted(known)) {
                return known.clone();
            }
            match self.receive(end) {
                Some(FromPlugins::Plugins(plugins)) => self.plugins = plugins,
                Some(_) => {}
                None => panic!("{what}: not within {limit:?}, but {:?}", self.plugins),
            }
        }
    }

    #[track_caller]
    fn send(&mut self, message: &ToPlugins) {
        let frame = encode(message, MAX_FRAME_TO_PLUGINS).expect("the message fits");
        self.stream.write_all(&frame).expect("the plugin host reads");
    }

    fn receive(&mut self, end: Instant) -> Option<FromPlugins> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.next_message().expect("frames can be read") {
                return Some(message);
            }
            let rest = end.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero())?;
            self.stream.set_read_timeout(Some(rest)).expect("a timeout above zero can be set");
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("the plugin host has hung up"),
                Ok(count) => self.decoder.push(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return None;
                }
                Err(error) => panic!("the plugin host cannot be read: {error}"),
            }
        }
    }
}
