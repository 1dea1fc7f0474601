//! `frontdesk-plugind` as a program in a scratch folder, and a client of its socket that says what it wants and
//! waits for what it is told.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "tests; each uses a part of it")]

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PLUGIN_PROTOCOL, PluginAnswer,
    PluginContact, PluginGrants, PluginInspection, PluginProblem, PluginRequest, PluginView, ToPlugins,
    UploadId, encode,
};
use minisign::KeyPair;
use plugin_host::package::{pack, seal};
use serde_json::Value;

use super::yard::{component, manifest, object};

pub const PLUGIND: &str = env!("CARGO_BIN_EXE_frontdesk-plugind");
pub const WEB: &str = "org.frontdesk.web-directory";
pub const HOSTILE: &str = "org.frontdesk.hostile";
/// Nothing here takes so long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(100);

/// A running `frontdesk-plugind`; killed when dropped.
pub struct Daemon {
    child: Child,
    folder: PathBuf,
}

impl Daemon {
    /// Starts it in this folder, with a socket and a state that outlast it.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, "developer = true")
    }

    pub fn start_with(folder: &Path, more: &str) -> Self {
        let child = Self::command(folder, more).spawn().unwrap();
        let mut daemon = Self { child, folder: folder.to_owned() };
        let started = Instant::now();
        while UnixStream::connect(daemon.socket()).is_err() {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none() && started.elapsed() < PATIENCE, "{ended:?}: {}", daemon.log());
            thread::sleep(Duration::from_millis(10));
        }
        daemon
    }

    /// The command that starts it; what it says goes behind what is in `log`.
    pub fn command(folder: &Path, more: &str) -> Command {
        let config =
            format!("state = \"{0}/state\"\nsocket = \"{0}/run/plugind.sock\"\n{more}\n", folder.display());
        fs::write(folder.join("plugind.toml"), config).unwrap();
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = Command::new(PLUGIND);
        command
            .arg("serve")
            .arg(folder.join("plugind.toml"))
            .env("RUST_LOG", "plugin_host=trace,hyper=trace,info");
        command.stderr(log);
        command
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("run/plugind.sock")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.socket(), false)
    }

    pub fn follower(&self) -> Client {
        Client::connect(&self.socket(), true)
    }

    /// As a loss of power would end it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As systemd would end it.
    pub fn end(mut self) -> ExitStatus {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection.
pub struct Client {
    stream: UnixStream,
    decoder: Decoder,
    seq: u64,
    answers: BTreeMap<u64, Result<PluginAnswer, PluginProblem>>,
    lists: VecDeque<Vec<PluginView>>,
}

impl Client {
    pub fn connect(socket: &Path, follow: bool) -> Self {
        let mut client = Self::bare(socket);
        client.say(&ToPlugins::Hello { protocol: PLUGIN_PROTOCOL, program: "test".to_owned(), follow });
        match client.hear() {
            Some(FromPlugins::Welcome { .. }) => client,
            other => panic!("{other:?}"),
        }
    }

    /// One that has not said hello.
    pub fn bare(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let decoder = Decoder::new(MAX_FRAME_FROM_PLUGINS);
        Self { stream, decoder, seq: 0, answers: BTreeMap::new(), lists: VecDeque::new() }
    }

    pub fn say(&mut self, message: &ToPlugins) {
        self.say_bytes(&encode(message, MAX_FRAME_TO_PLUGINS).unwrap());
    }

    pub fn say_bytes(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            // It was refused before it had said anything: what is heard says why.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            said => said.unwrap(),
        }
    }

    /// The next message; none when the other side has closed.
    pub fn hear(&mut self) -> Option<FromPlugins> {
        let mut bytes = vec![0; 64 << 10];
        loop {
            if let Some(message) = self.decoder.next_message().unwrap() {
                return Some(message);
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.decoder.push(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing was said: {error}"),
            }
        }
    }

    /// Takes the next frame without looking into it; its length.
    pub fn skip(&mut self) -> usize {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).unwrap();
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut frame).unwrap();
        frame.len()
    }

    /// Asks without waiting.
    pub fn send(&mut self, request: PluginRequest) -> u64 {
        self.seq += 1;
        self.say(&ToPlugins::Request { seq: self.seq, request });
        self.seq
    }

    /// The answer to what was sent.
    pub fn answer(&mut self, seq: u64) -> Result<PluginAnswer, PluginProblem> {
        loop {
            if let Some(answer) = self.answers.remove(&seq) {
                return answer;
            }
            self.take();
        }
    }

    pub fn ask(&mut self, request: PluginRequest) -> Result<PluginAnswer, PluginProblem> {
        let seq = self.send(request);
        self.answer(seq)
    }

    pub fn done(&mut self, request: PluginRequest) {
        assert_eq!(self.ask(request), Ok(PluginAnswer::Done));
    }

    /// The next list that a follower is told.
    pub fn list(&mut self) -> Vec<PluginView> {
        loop {
            if let Some(list) = self.lists.pop_front() {
                return list;
            }
            self.take();
        }
    }

    /// Follows until a plugin is so.
    pub fn until(&mut self, id: &str, so: impl Fn(&PluginView) -> bool) -> PluginView {
        let started = Instant::now();
        loop {
            let view = self.list().into_iter().find(|view| view.id == id);
            assert!(started.elapsed() < PATIENCE, "it never came to that: {view:?}");
            if let Some(view) = view.filter(|view| so(view)) {
                return view;
            }
        }
    }

    /// Asks until a plugin is so: what was told before does not count, as it may in [`Client::until`].
    pub fn becomes(&mut self, id: &str, so: impl Fn(&PluginView) -> bool) -> PluginView {
        let started = Instant::now();
        loop {
            let view = self.view(id);
            if so(&view) {
                return view;
            }
            assert!(started.elapsed() < PATIENCE, "it never came to that: {view:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn view(&mut self, id: &str) -> PluginView {
        match self.ask(PluginRequest::List) {
            Ok(PluginAnswer::Plugins(views)) => views.into_iter().find(|view| view.id == id).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub fn begin(&mut self, bytes: u64) -> Result<UploadId, PluginProblem> {
        match self.ask(PluginRequest::Upload { bytes })? {
            PluginAnswer::Upload(upload) => Ok(upload),
            other => panic!("{other:?}"),
        }
    }

    pub fn part(
        &mut self,
        upload: UploadId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<PluginAnswer, PluginProblem> {
        self.ask(PluginRequest::UploadPart { upload, offset, base64: STANDARD.encode(bytes) })
    }

    /// Sends a whole file in parts.
    pub fn upload(&mut self, file: &[u8]) -> UploadId {
        let upload = self.begin(file.len() as u64).unwrap();
        for (number, part) in file.chunks(100_000).enumerate() {
            assert_eq!(self.part(upload, number as u64 * 100_000, part), Ok(PluginAnswer::Done));
        }
        upload
    }

    pub fn inspect(&mut self, file: &[u8]) -> Result<PluginInspection, PluginProblem> {
        let upload = self.upload(file);
        match self.ask(PluginRequest::Inspect { upload })? {
            PluginAnswer::Inspection(inspection) => Ok(*inspection),
            other => panic!("{other:?}"),
        }
    }

    pub fn install(
        &mut self,
        upload: UploadId,
        granted: PluginGrants,
        key_confirmed: bool,
    ) -> Result<PluginView, PluginProblem> {
        match self.ask(PluginRequest::Install { upload, granted, key_confirmed })? {
            PluginAnswer::Plugin(view) => Ok(*view),
            other => panic!("{other:?}"),
        }
    }

    /// Upload, inspect, install.
    pub fn bring(&mut self, file: &[u8], granted: PluginGrants) -> PluginView {
        let inspection = self.inspect(file).unwrap();
        assert_eq!(inspection.refused, None);
        self.install(inspection.upload, granted, true).unwrap()
    }

    pub fn try_configure(&mut self, id: &str, values: Value) -> Result<PluginAnswer, PluginProblem> {
        let values = object(values);
        self.ask(PluginRequest::Configure { plugin: id.to_owned(), values, interval_s: 3600 })
    }

    pub fn configure(&mut self, id: &str, values: Value) {
        assert_eq!(self.try_configure(id, values), Ok(PluginAnswer::Done));
    }

    pub fn enable(&mut self, id: &str, on: bool) {
        self.done(PluginRequest::Enable { plugin: id.to_owned(), on });
    }

    pub fn test(&mut self, id: &str) -> Result<String, PluginProblem> {
        match self.ask(PluginRequest::Test { plugin: id.to_owned() })? {
            PluginAnswer::Tested { words } => Ok(words),
            other => panic!("{other:?}"),
        }
    }

    /// Lines of the log: who, and what.
    pub fn lines(&mut self, id: &str) -> Vec<(bool, String)> {
        match self.ask(PluginRequest::Log { plugin: id.to_owned() }) {
            Ok(PluginAnswer::Log(lines)) => lines.into_iter().map(|line| (line.host, line.words)).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The whole directory, in pages of this size.
    pub fn contacts(&mut self, id: &str, page: u32) -> Vec<PluginContact> {
        let generation = self.view(id).directory.unwrap().generation;
        let mut all = Vec::new();
        loop {
            let request = PluginRequest::Contacts {
                plugin: id.to_owned(),
                generation,
                offset: all.len() as u32,
                limit: page,
            };
            let Ok(PluginAnswer::Contacts(answer)) = self.ask(request) else { panic!("no contacts") };
            let end = answer.contacts.is_empty();
            all.extend(answer.contacts);
            if end || all.len() == answer.total as usize {
                assert_eq!(all.len(), answer.total as usize);
                return all;
            }
        }
    }

    fn take(&mut self) {
        match self.hear() {
            Some(FromPlugins::Answer { seq, answer }) => drop(self.answers.insert(seq, answer)),
            Some(FromPlugins::Plugins(list)) => self.lists.push_back(list),
            other => panic!("{other:?}"),
        }
    }
}

/// Grants of the right that our two guests have, on this machine.
pub fn loopback(id: &str) -> PluginGrants {
    PluginGrants { net: vec![id.to_owned()], private: Vec::new(), loopback: vec![id.to_owned()] }
}

/// The web directory in this version, signed.
pub fn web(version: &str, pair: &KeyPair, change: impl Fn(String) -> String) -> Vec<u8> {
    let id = format!("id = \"{WEB}\"");
    let text = manifest("web-directory")
        .replace(&id, &format!("{id}\nkey = \"{}\"", pair.pk.to_base64()))
        .replace("version = \"0.1.0\"", &format!("version = \"{version}\""));
    let packed = pack(&component("web_directory"), &change(text)).unwrap();
    let signature = minisign::sign(None, &pair.sk, packed.as_slice(), Some("test"), None).unwrap();
    seal(&packed, &signature.into_string()).unwrap()
}

pub fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

/// Files below a folder that hold these bytes.
pub fn found_in(folder: &Path, bytes: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_in(&path, bytes));
        } else if holds(&path, bytes) {
            found.push(path);
        }
    }
    found
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    let mut content = Vec::new();
    // It may be gone meanwhile.
    let _ = File::open(path).and_then(|mut file| file.read_to_end(&mut content));
    content.windows(bytes.len()).any(|window| window == bytes)
}
