//! The browser tab (CRM-2) with a real Chromium: a page is seen, touched, typed into, opens others, and dies.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_ui::browser::{Browser, Frame, Reason, Standing, State, Touch};
use tempfile::TempDir;

/// A browser that starts on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const SIZE: (u32, u32) = (640, 480);

/// Pages on 127.0.0.1, each answered in full; what was asked for is told.
struct Site {
    port: u16,
    asked: Receiver<String>,
}

impl Site {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, asked) = channel();
        thread::spawn(move || serve(&listener, &tell));
        Self { port, asked }
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn wait_asked(&self, path: &str) {
        let end = Instant::now() + PATIENCE;
        while let Ok(asked) = self.asked.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if asked == path {
                return;
            }
        }
        panic!("{path} was never asked for");
    }
}

fn serve(listener: &TcpListener, tell: &Sender<String>) {
    for stream in listener.incoming() {
        let (mut stream, tell) = (stream.unwrap(), tell.clone());
        thread::spawn(move || {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { return };
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = page(&path);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = tell.send(path);
        });
    }
}

fn page(path: &str) -> String {
    let (colour, body) = match path {
        "/red" => (
            "#c00",
            "<a href='/green' style='position:fixed;inset:0 50% 0 0'>on</a>\
            <a href='/blue' target='_blank' style='position:fixed;inset:0 0 0 50%'>other</a>",
        ),
        "/green" => ("#0a0", ""),
        "/blue" => ("#00c", ""),
        "/form" => ("#fff", "<form action='/found'><input name='q' autofocus></form>"),
        "/question" => ("#c0c", "<script>onload=()=>location=confirm('Go on?')?'/green':'/blue'</script>"),
        "/greedy" => (
            "#ff0",
            "<script>onload=()=>{window.a=[];setInterval(()=>{for(let i=0;i<8;i++)a.push(new Uint8Array(1<<24).fill(7))},50)}</script>",
        ),
        _ => ("#888", ""),
    };
    format!("<!doctype html><title>{path}</title><body style='margin:0;background:{colour}'>{body}")
}

/// Debian's Chromium; as root it insists on having no sandbox, which on the appliance it has.
fn program(folder: &Path) -> PathBuf {
    let path = folder.join("chromium");
    fs::write(&path, "#!/bin/sh\nexec /usr/bin/chromium --no-sandbox \"$@\"\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

struct Tab {
    browser: Browser,
    bell: Receiver<()>,
    folder: TempDir,
}

impl Tab {
    fn open(address: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ring, bell) = channel();
        let profile = folder.path().join("profile");
        let browser =
            Browser::start(program(folder.path()), profile, move || ring.send(()).unwrap_or_default())
                .unwrap();
        browser.resize(SIZE.0, SIZE.1, 1.0);
        browser.show(true);
        browser.open(address.to_owned());
        Self { browser, bell, folder }
    }

    fn until<T>(&self, what: &str, mut find: impl FnMut(&Browser) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = find(&self.browser) {
                return found;
            }
            let rest = end.saturating_duration_since(Instant::now());
            assert!(self.bell.recv_timeout(rest).is_ok(), "{what} never came: {:?}", self.browser.state());
        }
    }

    /// A picture whose middle has about this colour.
    fn sees(&self, wanted: [u8; 3]) -> Frame {
        self.until(&format!("{wanted:?}"), |browser| {
            browser.frame().filter(|frame| {
                let at = ((frame.height / 2 * frame.width + frame.width / 4) * 3) as usize;
                frame.rgb[at..at + 3].iter().zip(wanted).all(|(is, want)| is.abs_diff(want) < 40)
            })
        })
    }

    fn is(&self, what: &str, wanted: impl Fn(&State) -> bool) {
        self.until(what, |browser| wanted(&browser.state()).then_some(()));
    }

    fn tap(&self, x: f32, y: f32) {
        self.browser.touch(Touch::Down, x, y);
        self.browser.touch(Touch::Up, x, y);
    }

    /// The processes of this tab's profile.
    fn processes(&self) -> Vec<u32> {
        let profile = self.folder.path().display().to_string();
        let output =
            Command::new("pgrep").arg("-f").arg(format!("user-data-dir={profile}")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

#[test]
fn crm_2_a_page_is_seen_touched_and_typed_into_and_goes_back() {
    let site = Site::open();
    let tab = Tab::open(&site.address("/red"));
    let frame = tab.sees([0xcc, 0, 0]);
    assert_eq!((frame.width, frame.height), SIZE);
    tab.is("its address", |state| state.address.ends_with("/red") && state.standing == Standing::Open);
    tab.tap(100.0, 240.0);
    tab.sees([0, 0xaa, 0]);
    tab.browser.back();
    tab.sees([0xcc, 0, 0]);
    // What would be another window opens here.
    tab.tap(500.0, 240.0);
    tab.sees([0, 0, 0xcc]);
    tab.browser.open(site.address("/form"));
    tab.sees([0xff, 0xff, 0xff]);
    tab.is("loaded", |state| state.address.ends_with("/form") && !state.loading);
    for letter in ["J", "ö", "1"] {
        tab.browser.key(letter.into(), false);
    }
    tab.browser.key("\n".into(), false);
    site.wait_asked("/found?q=J%C3%B61");
}

#[test]
fn crm_2_a_question_of_a_page_is_answered_on_the_desk() {
    let site = Site::open();
    let tab = Tab::open(&site.address("/question"));
    let question = tab.until("the question", |browser| browser.state().question);
    assert_eq!((question.words.as_str(), question.choice), ("Go on?", true));
    tab.browser.answer(true);
    tab.sees([0, 0xaa, 0]);
    assert_eq!(tab.browser.state().question, None);
}

#[test]
fn crm_2_a_browser_that_is_killed_is_back_where_it_was_and_one_that_is_closed_is_gone() {
    let site = Site::open();
    let tab = Tab::open(&site.address("/red"));
    tab.sees([0xcc, 0, 0]);
    tab.tap(100.0, 240.0);
    tab.sees([0, 0xaa, 0]);
    let first = *tab.processes().iter().min().unwrap();
    assert!(Command::new("kill").args(["-9", &first.to_string()]).status().unwrap().success());
    tab.is("the start", |state| state.standing == Standing::Starting);
    tab.sees([0, 0xaa, 0]);
    tab.browser.close();
    tab.is("closed", |state| state.standing == Standing::Closed);
    let end = Instant::now() + PATIENCE;
    while !tab.processes().is_empty() {
        assert!(Instant::now() < end, "still there: {:?}", tab.processes());
        thread::yield_now();
    }
}

#[test]
fn crm_2_a_page_that_eats_memory_ends_the_browser_and_nothing_else() {
    let site = Site::open();
    let tab = Tab::open(&site.address("/greedy"));
    let ended = |state: &State| matches!(state.standing, Standing::Ended(Reason::TooLarge | Reason::Died));
    tab.is("the end", ended);
}

#[test]
fn crm_2_a_browser_that_does_not_start_is_said() {
    let (ring, bell) = channel();
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start("/nonexistent/browser".into(), folder.path().join("p"), move || {
        ring.send(()).unwrap_or_default()
    })
    .unwrap();
    browser.open("http://127.0.0.1:1/".into());
    let end = Instant::now() + PATIENCE;
    while !matches!(browser.state().standing, Standing::Ended(_)) {
        bell.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap();
    }
}
