//! QEMU's monitor, by QMP: fingers, keys, pictures of the screen, and what happens to the machine.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use frontdesk_tests::wait;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(20);
/// The largest coordinate of QEMU's touch panel.
const EDGE: usize = 0x7fff;

/// See the module.
#[derive(Debug)]
pub(crate) struct Monitor {
    stream: BufReader<UnixStream>,
    /// How often the machine was reset since it was switched on.
    pub(crate) resets: usize,
    /// How often its watchdog did that.
    pub(crate) watchdogs: usize,
}

impl Monitor {
    #[track_caller]
    pub(crate) fn connect(path: &Path) -> Self {
        let stream = wait::until("QEMU's monitor", SOON, || UnixStream::connect(path).ok());
        stream.set_read_timeout(Some(SOON)).expect("a timeout above zero can be set");
        let mut monitor = Self { stream: BufReader::new(stream), resets: 0, watchdogs: 0 };
        let mut greeting = String::new();
        monitor.stream.read_line(&mut greeting).expect("QEMU greets");
        monitor.run("qmp_capabilities", &json!({}));
        monitor
    }

    /// Runs a command and gives back what it says.
    #[track_caller]
    pub(crate) fn run(&mut self, command: &str, arguments: &Value) -> Value {
        let words = json!({ "execute": command, "arguments": arguments });
        self.stream.get_mut().write_all(format!("{words}\n").as_bytes()).expect("QEMU listens");
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).unwrap_or(0);
            assert!(read > 0, "QEMU does not answer {words}");
            let said: Value = serde_json::from_str(&line).expect("QEMU speaks JSON");
            match said["event"].as_str() {
                Some("RESET") => self.resets += 1,
                Some("WATCHDOG") => self.watchdogs += 1,
                Some(_) => {}
                None => {
                    assert!(said.get("return").is_some(), "QEMU refuses {words}: {said}");
                    return said["return"].clone();
                }
            }
        }
    }

    /// A finger comes down at the place (parts of the screen's width and height), or goes up.
    pub(crate) fn finger(&mut self, (x, y): (f64, f64), is_down: bool) {
        let axis = |part: f64| (part.clamp(0.0, 1.0) * EDGE as f64) as usize;
        let touch = |kind: &str, id: i32, name: &str, value: usize| json!({ "type": "mtt", "data": { "type": kind, "slot": 0, "tracking-id": id, "axis": name, "value": value } });
        let button = json!({ "type": "btn", "data": { "button": "touch", "down": is_down } });
        let events = if is_down {
            vec![
                touch("begin", 1, "x", 0),
                button,
                touch("data", 1, "x", axis(x)),
                touch("data", 1, "y", axis(y)),
            ]
        } else {
            vec![touch("end", -1, "x", 0), button]
        };
        self.run("input-send-event", &json!({ "events": events }));
    }

    /// A key of the keyboard goes down and up, by QEMU's name of it (`kp_0`, `f9`, `ret`).
    pub(crate) fn key(&mut self, name: &str) {
        for is_down in [true, false] {
            self.press(name, is_down);
        }
    }

    /// A key of the keyboard goes down, or up.
    pub(crate) fn press(&mut self, name: &str, is_down: bool) {
        let key =
            json!({ "type": "key", "data": { "down": is_down, "key": { "type": "qcode", "data": name } } });
        self.run("input-send-event", &json!({ "events": [key] }));
    }
}
