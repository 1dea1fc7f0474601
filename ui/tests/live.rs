//! The real program against a desk of this test's own, over its socket and its web page.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use frontdesk_ui::scenes;
use ipc::{Decoder, FromDesk, Query, Reply, ToDesk, View};

const PATIENCE: Duration = Duration::from_secs(60);

/// The program, ended with the test.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start(socket: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_frontdesk-ui"))
            .args(["--web", "127.0.0.1:0", "--socket"])
            .arg(socket)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("http://").unwrap().1.trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Status and body.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), answer[end + 4..].to_vec())
    }

    fn here(&self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        self.ask(method, path, &format!("Host: {}\r\n", self.address), body)
    }

    fn tap(&self, x: u32, y: u32) {
        for kind in ["down", "up"] {
            let body = format!(r#"{{"x":{x},"y":{y},"kind":"{kind}"}}"#);
            assert_eq!(self.here("POST", "/touch", &body).0, 200);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection of the program to the test's desk.
struct Visit {
    stream: UnixStream,
    decoder: Decoder,
}

impl Visit {
    fn accept(listener: &UnixListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut visit = Self { stream, decoder: Decoder::new(ipc::MAX_FRAME_TO_DESK) };
        assert!(matches!(visit.next(), ToDesk::Hello { protocol: ipc::PROTOCOL, follow: true, .. }));
        visit.say(&FromDesk::Welcome { version: "test".into() });
        visit
    }

    fn say(&mut self, message: &FromDesk) {
        self.stream.write_all(&ipc::encode(message, ipc::MAX_FRAME_FROM_DESK).unwrap()).unwrap();
    }

    fn show(&mut self, view: View) {
        self.say(&FromDesk::View(Box::new(view)));
    }

    fn next(&mut self) -> ToDesk {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next_message().unwrap() {
                return message;
            }
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the program hung up");
            self.decoder.push(&buffer[..count]);
        }
    }

    /// The next question about contacts, answered; the program asks when it has shown a view.
    fn answer_contacts(&mut self) {
        loop {
            if let ToDesk::Query { seq, query: Query::Contacts(query) } = self.next() {
                let reply = Reply::Contacts(scenes::contacts(&query));
                return self.say(&FromDesk::Reply { seq, reply });
            }
        }
    }

    fn next_command(&mut self) -> ipc::Command {
        loop {
            match self.next() {
                ToDesk::Command { command, .. } => return command,
                ToDesk::Query { seq, query: Query::Contacts(query) } => {
                    let reply = Reply::Contacts(scenes::contacts(&query));
                    self.say(&FromDesk::Reply { seq, reply });
                }
                _ => {}
            }
        }
    }
}

fn one_ringing() -> View {
    let mut view = scenes::empty();
    let caller = scenes::outside("Helena Brandt", "+493055570142");
    view.incoming = vec![scenes::ringing(7, caller, ("5550100", "Sales"), 3)];
    view
}

#[test]
fn a_touch_on_the_page_answers_and_a_new_desk_is_shown_again() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("desk.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let program = Program::start(&socket);
    let mut visit = Visit::accept(&listener);
    visit.show(one_ringing());
    visit.answer_contacts();
    // The first card is at x 12 to 471 and y 124 to 254; Answer is its left button.
    program.tap(90, 217);
    assert_eq!(visit.next_command(), ipc::Command::Answer { call: ipc::CallRef(7) });
    let before = program.here("GET", "/screen.png", "").1;
    assert_eq!(&before[1..4], b"PNG");
    // The desk dies; the program comes back by itself and shows the same call.
    drop(visit);
    let mut visit = Visit::accept(&listener);
    visit.show(one_ringing());
    visit.answer_contacts();
    assert_eq!(program.here("POST", "/key", r#"{"key":"F6"}"#).0, 200);
    assert_eq!(visit.next_command(), ipc::Command::Answer { call: ipc::CallRef(7) });
}

#[test]
fn strangers_and_nonsense_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory.path().join("nobody.sock"));
    let host = format!("Host: {}\r\n", program.address);
    let touch = r#"{"x":1,"y":1,"kind":"down"}"#;
    assert_eq!(program.ask("GET", "/", &host, "").0, 200);
    assert_eq!(program.ask("GET", "/", "Host: evil.example\r\n", "").0, 403);
    assert_eq!(program.ask("GET", "/screen.png", "", "").0, 403);
    let foreign = format!("{host}Origin: http://evil.example\r\n");
    assert_eq!(program.ask("POST", "/touch", &foreign, touch).0, 403);
    assert_eq!(program.ask("GET", "/live", &foreign, "").0, 403);
    assert_eq!(program.ask("GET", "/live", &host, "").0, 426);
    assert_eq!(program.here("POST", "/touch", "{}").0, 400);
    assert_eq!(program.here("POST", "/touch", r#"{"x":1e9,"y":1,"kind":"down"}"#).0, 400);
    assert_eq!(program.here("POST", "/key", r#"{"key":"Hyper"}"#).0, 400);
    assert_eq!(program.here("GET", "/touch", "").0, 405);
    assert_eq!(program.here("GET", "/etc/passwd", "").0, 404);
    assert_eq!(program.here("POST", "/key", &"x".repeat(5_000)).0, 413);
    assert_eq!(program.here("POST", "/touch", touch).0, 200);
}

#[test]
fn the_page_gets_the_picture_over_its_websocket() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory.path().join("nobody.sock"));
    let stream = TcpStream::connect(&program.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("ws://{}/live", program.address);
    let (mut socket, _) = tungstenite::client(url, stream).unwrap();
    let mut part = || loop {
        if let tungstenite::Message::Binary(bytes) = socket.read().unwrap() {
            socket.send(r#""shown""#.into()).unwrap();
            return bytes;
        }
    };
    let first = part();
    let numbers: Vec<u16> = first[..12].chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
    assert_eq!(numbers, [0, 0, 1280, 800, 1280, 800]);
    assert_eq!(&first[13..16], b"PNG");
    assert_eq!(program.here("POST", "/key", r#"{"key":"F4"}"#).0, 200);
    let second = part();
    assert!(second.len() < first.len(), "a part, not the whole again");
}
