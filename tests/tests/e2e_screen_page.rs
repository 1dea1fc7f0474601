//! The browser tab on the desk (CRM-1, CRM-2): Debian's Chromium, pages from lighttpd, callers from baresip.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command as Run;
use std::time::Duration;

use frontdesk_tests::baresip::Codec;
use frontdesk_tests::desk::NO_TIMERS;
use frontdesk_tests::house::House;
use frontdesk_tests::kamailio::Digest;
use frontdesk_tests::picture::{Area, Colour};
use frontdesk_tests::ports::Ports;
use frontdesk_tests::program::Program;
use frontdesk_tests::screen::{CALLS, Screen};
use frontdesk_tests::sound::DESK_TONE;
use frontdesk_tests::wait;
use ipc::{CallState, Command};

const A_TONE: f64 = 700.0;
/// A browser that starts on a busy machine.
const SLOW: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(15);
/// The page, without its bar.
const SHEET: Area = Area { x: 500, y: 160, width: 690, height: 560 };
const GREEN: Colour = [0x00, 0x88, 0x00];
const BLUE: Colour = [0x00, 0x00, 0xcc];

/// lighttpd with a page about 2101 and one behind its link.
fn company_pages(folder: &Path, port: u16) -> Program {
    let root = folder.join("pages");
    fs::create_dir_all(&root).unwrap();
    let page = |colour: &str, body: &str| {
        format!("<!doctype html><body style='margin:0;background:{colour}'>{body}")
    };
    fs::write(
        root.join("2101.html"),
        page("#080", "<a href='orders.html' style='position:fixed;inset:0'></a>"),
    )
    .unwrap();
    fs::write(root.join("orders.html"), page("#00c", "")).unwrap();
    let config = folder.join("lighttpd.conf");
    let text = format!(
        "server.document-root = \"{}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
         mimetype.assign = ( \".html\" => \"text/html\" )\n",
        root.display()
    );
    fs::write(&config, text).unwrap();
    let mut command = Run::new("/usr/sbin/lighttpd");
    command.arg("-D").arg("-f").arg(config);
    let program = Program::start("lighttpd", command, folder);
    wait::until("lighttpd", SOON, || TcpStream::connect(("127.0.0.1", port)).ok());
    program
}

/// The house's CRM is these pages, opened as `open` says.
fn house(open: &str) -> (House, Program, Ports) {
    let mut ports = Ports::take();
    let port = ports.one();
    let settings = format!("{NO_TIMERS}[crm]\nurl = \"http://127.0.0.1:{port}/$.html\"\nopen = \"{open}\"\n");
    let house = House::build_with(Digest::Md5, &settings);
    let pages = company_pages(house.folder(), port);
    (house, pages, ports)
}

fn sees(screen: &mut Screen, what: &str, colour: Colour) {
    screen.wait(what, SLOW, |picture| picture.areas(SHEET, colour, (300, 300)).into_iter().next());
}

#[test]
fn crm_1_crm_2_the_page_of_an_answered_caller_is_on_the_desk_and_its_death_touches_no_call() {
    let (mut house, _pages, _ports) = house("answer");
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.browsing_screen();
    a.dial("5550100");
    let call = house.answer_next(&mut a);
    sees(&mut screen, "the customer's page", GREEN);
    screen.says(CALLS, &["Tomas"]);
    screen.keep("page");
    // A link, by a finger.
    screen.tap((800, 400));
    sees(&mut screen, "the page behind the link", BLUE);

    // The browser dies in mid-call: both hear each other on, and the page is back where it was.
    let profile = house.folder().join("screen-state");
    let pattern = format!("user-data-dir={}", profile.display());
    let found = Run::new("pgrep").arg("-f").arg(&pattern).output().unwrap();
    let first: u32 = String::from_utf8(found.stdout).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(Run::new("kill").args(["-9", &first.to_string()]).status().unwrap().success());
    house.desk.hears(A_TONE);
    a.hears(DESK_TONE);
    sees(&mut screen, "the page after the browser's death", BLUE);
    house.wait_state(call, CallState::Talking);

    // Closed, the directory is back and the browser is gone.
    screen.tap((1166, 116));
    screen.says(frontdesk_tests::screen::DIRECTORY, &["Ingrid"]);
    wait::until("the browser gone", SLOW, || {
        let found = Run::new("pgrep").arg("-f").arg(&pattern).output().unwrap();
        found.stdout.is_empty().then_some(())
    });
    house.client.command(Command::HangUp { call }).unwrap();
}

#[test]
fn crm_1_a_page_comes_when_it_rings_where_that_is_wanted() {
    let (mut house, _pages, _ports) = house("ring");
    let mut a = house.phone("2101", A_TONE, Codec::Pcma);
    let mut screen = house.browsing_screen();
    a.dial("5550100");
    sees(&mut screen, "the customer's page", GREEN);
    let rings = |call: &ipc::CallView| call.state == CallState::Ringing;
    let call = house.client.wait_call("it rings on", SOON, rings).call;
    house.client.command(Command::Reject { call }).unwrap();
}
