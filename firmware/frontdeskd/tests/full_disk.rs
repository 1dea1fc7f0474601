//! The whole program on a disk that takes nothing for a while: a limit on the size of its files stands
//! for the full disk.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use ipc::{FromDesk, NoticeKind, Theme, ToDesk, View};

/// The longest anything here may take.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn app_4_a_preference_refused_by_a_full_disk_is_told_and_kept_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::start(folder.path());
    let mut client = desk.client();
    client.wait("the desk", |view| view.preferences.theme != Theme::Light);
    desk.limit_files("4096");
    client.send(&ToDesk::Command { seq: 1, command: ipc::Command::SetTheme { theme: Theme::Light } });
    client.wait("the failure", failed);
    desk.limit_files("unlimited");
    client.wait("the end of the failure, without any other change", |view| !failed(view));
    drop(desk);

    let desk = Desk::start(folder.path());
    desk.client().wait("the preference of before kill -9", |view| view.preferences.theme == Theme::Light);
}

fn failed(view: &View) -> bool {
    view.notices.iter().any(|notice| matches!(notice.kind, NoticeKind::StorageFailed { .. }))
}

/// A running desk; killed when dropped.
struct Desk {
    program: Child,
    socket: PathBuf,
}

impl Desk {
    fn start(folder: &Path) -> Self {
        let (socket, config) = (folder.join("desk.sock"), folder.join("frontdesk.toml"));
        let text = format!(
            "socket = {socket:?}\nstore = {:?}\n[sip]\nlisten = \"127.0.0.1:0\"\n[media]\n\
             speaker = \"none\"\nmicrophone = \"none\"\nringer = \"none\"\nrealtime = false\n",
            folder.join("desk.db")
        );
        fs::write(&config, text).unwrap();
        // Ignored, the signal of the limit becomes an error of the write.
        let program = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_frontdeskd"), "--config"])
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { program, socket }
    }

    /// Lets no file of the desk grow beyond `bytes`.
    fn limit_files(&self, bytes: &str) {
        let pid = self.program.id().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }

    fn client(&self) -> Client {
        let end = Instant::now() + LIMIT;
        let stream = loop {
            match UnixStream::connect(&self.socket) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < end, "no desk: {error}"),
            }
            thread::yield_now();
        };
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let mut client = Client { stream, decoder: ipc::Decoder::new(ipc::MAX_FRAME_FROM_DESK) };
        client.send(&ToDesk::Hello { protocol: ipc::PROTOCOL, program: "test".into(), follow: true });
        client
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}

struct Client {
    stream: UnixStream,
    decoder: ipc::Decoder,
}

impl Client {
    fn send(&mut self, message: &ToDesk) {
        self.stream.write_all(&ipc::encode(message, ipc::MAX_FRAME_TO_DESK).unwrap()).unwrap();
    }

    /// Reads until a view is as wished.
    #[track_caller]
    fn wait(&mut self, what: &str, wished: impl Fn(&View) -> bool) {
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            while let Some(message) = self.decoder.next_message::<FromDesk>().unwrap() {
                if matches!(message, FromDesk::View(view) if wished(&view)) {
                    return;
                }
            }
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).expect(what);
            assert!(count > 0, "the desk ended while waiting for {what}");
            self.decoder.push(&bytes[..count]);
        }
        panic!("no view showed {what}");
    }
}
