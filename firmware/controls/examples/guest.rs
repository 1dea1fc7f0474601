//! `frontdesk-controls` with the input devices of a real kernel: a made-up headset and handset (uhid) and keypad
//! (uinput), and a desk that writes down what it is told. Runs as the only program of a machine in QEMU (`.ci/hotplug`
//! boots one; `tests/tests/e2e_controls.rs` starts it), or by hand where `/dev/uhid` and `/dev/uinput` are open to it.
//!
//! Prints `PASS` and a name for each thing that was shown, and `DONE` at the end.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for a test machine"
)]

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use controls::codes::*;
use controls::samples;
use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, Device, EventType, InputEvent, KeyCode};
use ipc::{
    Action, CallRef, CallState, CallView, Command, Decoder, Direction, FromDesk, HookAction,
    MAX_FRAME_FROM_DESK, MAX_FRAME_TO_DESK, Party, ToDesk, View,
};

const PATIENCE: Duration = Duration::from_secs(60);
/// What the program calls the keyboard through which the screen gets keys.
const SCREEN_KEYBOARD: &str = "Frontdesk keypad keys";
const CALL: CallRef = CallRef(7);

fn main() {
    let socket = std::env::temp_dir().join(format!("desk-{}.sock", std::process::id()));
    let desk = Desk::start(&socket);
    let mut program =
        Program::new(program()).arg("--socket").arg(&socket).spawn().expect("the program starts");
    desk.wait("the program", |desk| desk.stream.is_some());

    let mut headset = Uhid::plug("Test headset", samples::HEADSET);
    a_headset_rings_and_its_button_answers(&desk, &mut headset);
    what_a_headset_is_told_is_no_press(&desk, &mut headset);
    a_short_report(&desk, &mut headset);
    let mut handset = Uhid::plug("Test handset", samples::HANDSET);
    a_handset_beside_it(&desk, &mut handset);
    let headset = pulled_in_mid_call(&desk, headset);
    a_keypad(&desk, &mut handset);
    the_desk_comes_back(&desk, &mut handset);
    drop((headset, handset));
    a_handset_that_comes_lifted(&desk);

    program.kill().expect("it ran to the end");
    program.wait().expect("it ends");
    // A name of nobody's.
    let _ = std::fs::remove_file(socket);
    println!("DONE");
}

/// The program under test: beside this one in the machine, above it where it was built.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let name = "frontdesk-controls";
    let beside = own.with_file_name(name);
    if beside.exists() { beside } else { own.parent().unwrap().with_file_name(name) }
}

fn pass(name: &str) {
    println!("PASS {name}");
}

fn hook(action: HookAction) -> Command {
    Command::Hook { action }
}

fn rings(view: &mut View) {
    (view.incoming, view.talk) = (vec![call(CallState::Ringing, vec![Action::Answer])], None);
}

fn talks(view: &mut View) {
    let actions = vec![Action::Hold, Action::Digits, Action::HangUp];
    (view.incoming, view.talk) = (vec![call(CallState::Talking, actions)], Some(CALL));
}

fn nobody(view: &mut View) {
    (view.incoming, view.talk) = (Vec::new(), None);
}

/// A call with nothing special about it.
fn call(state: CallState, actions: Vec<Action>) -> CallView {
    CallView {
        call: CALL,
        direction: Direction::Incoming,
        state,
        party: Party::default(),
        line_number: "100".into(),
        line_name: "Front desk".into(),
        diverted_by: None,
        intercepted: None,
        taken_over: false,
        began_ms: 0,
        answered_ms: None,
        held_since_ms: None,
        held_before_ms: 0,
        transfer: None,
        recall: None,
        rule: None,
        waited_for: None,
        crm: None,
        crm_waits: false,
        customer: None,
        customer_asked: false,
        named_by: None,
        history: None,
        encrypted: false,
        marked: false,
        actions,
    }
}

fn a_headset_rings_and_its_button_answers(desk: &Desk, headset: &mut Uhid) {
    headset.expect(&[2, 0, 0]);
    pass("hw_1 a headset is found");
    desk.show(rings);
    headset.expect(&[2, 0b10_0010, 0]);
    pass("hw_1 the headset rings");
    headset.say(&[1, 1, 0]);
    desk.expect(hook(HookAction::Button));
    desk.show(talks);
    headset.expect(&[2, 0b1, 0]);
    pass("hw_1 its button answers");
    headset.say(&[1, 0b1001, 0]);
    headset.say(&[1, 0b1, 0]);
    desk.expect(Command::Mute { on: true });
    desk.show(|view| view.operator.muted = true);
    // Told again how things are, half a second after its button was pressed; with mute from now on.
    headset.expect(&[2, 0b101, 0]);
    pass("hw_1 mute and its lamp");
    headset.say(&[1, 0b1, 6]);
    headset.say(&[1, 0b1, 0]);
    desk.expect(Command::Digits { call: CALL, digits: "5".into() });
    headset.say(&[1, 0b1_0001, 0]);
    headset.say(&[1, 0b1, 0]);
    desk.expect(hook(HookAction::ButtonHeld));
    pass("hw_1 digits and the held button");
    for state in [0, 1, 0, 1, 0] {
        headset.say(&[1, state, 0]);
    }
    desk.expect(hook(HookAction::Button));
    desk.show(|view| {
        nobody(view);
        view.operator.muted = false;
    });
    headset.expect(&[2, 0, 0]);
    pass("hw_1 a hook that chatters hangs up once");
}

fn what_a_headset_is_told_is_no_press(desk: &Desk, headset: &mut Uhid) {
    desk.show(talks);
    headset.expect(&[2, 1, 0]);
    headset.say(&[1, 1, 0]);
    // What comes next is mute: the hook said nothing.
    thread::sleep(2 * controls::switch::SETTLE);
    headset.say(&[1, 0b1001, 0]);
    headset.say(&[1, 0b1, 0]);
    desk.expect(Command::Mute { on: true });
    desk.show(|view| view.operator.muted = true);
    headset.expect(&[2, 0b101, 0]);
    pass("hw_1 its echo is no press");
}

fn a_short_report(desk: &Desk, headset: &mut Uhid) {
    // Some kernels keep it from us, others do not.
    headset.say(&[1]);
    // Sooner it would be the chatter of the press before.
    thread::sleep(2 * controls::switch::SETTLE);
    headset.say(&[1, 0b1001, 0]);
    desk.expect(Command::Mute { on: false });
    desk.show(|view| view.operator.muted = false);
    headset.expect(&[2, 0b1, 0]);
    headset.say(&[1, 0b1, 0]);
    pass("hw_1 a short report does no harm");
}

fn a_handset_beside_it(desk: &Desk, handset: &mut Uhid) {
    // Its reports have no number; Linux wants a 0 there, which USB does not carry.
    handset.expect(&[0, 0b1]);
    handset.say(&[1, 0]);
    desk.expect(hook(HookAction::OffHook));
    handset.say(&[1, 10]);
    desk.expect(Command::Digits { call: CALL, digits: "9".into() });
    handset.say(&[9, 0]);
    desk.expect(Command::Hold { call: CALL });
    handset.say(&[0, 0]);
    desk.expect(hook(HookAction::OnHook));
    pass("hw_1 a handset with keys beside the headset");
}

fn pulled_in_mid_call(desk: &Desk, headset: Uhid) -> Uhid {
    drop(headset);
    let mut headset = Uhid::plug("Test headset", samples::HEADSET);
    headset.expect(&[2, 0b1, 0]);
    // The echo of what it was told.
    headset.say(&[1, 1, 0]);
    thread::sleep(2 * controls::switch::SETTLE);
    headset.say(&[1, 0, 0]);
    desk.expect(hook(HookAction::Button));
    pass("hw_3 a headset pulled in mid-call is told of the call when it is back, and hangs it up");
    headset
}

fn a_keypad(desk: &Desk, handset: &mut Uhid) {
    let mut keypad = keypad();
    let node = wait("the keypad", || node_of("Test numeric keypad"));
    let mut other = Device::open(&node).expect("it may be opened by others");
    other.set_nonblocking(true).unwrap();
    let mut screen =
        Device::open(wait("the screen's keyboard", || node_of(SCREEN_KEYBOARD))).expect("a keyboard");
    screen.set_nonblocking(true).unwrap();

    // Seen once the lamp of messages says so.
    see(desk, handset, 0b1_0000, |view| view.screen = true);
    for code in [KEY_KP0, KEY_KPDOT, KEY_KP5, KEY_KPPLUS, KEY_KP8, KEY_NUMLOCK, KEY_KP5] {
        press(&mut keypad, code);
    }
    let keys = [KEY_INSERT, KEY_DELETE, KEY_F5, KEY_KPPLUS, KEY_UP, KEY_NUMLOCK, KEY_KP5];
    expect_keys(&mut screen, &keys.map(|code| [(code, 1), (code, 0)]).concat());
    pass("call_12 a keypad's keys reach the screen under names that it knows");
    let seen = other.fetch_events().map(|events| events.count());
    assert!(seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "somebody else saw its keys");
    pass("hw_2 nobody else sees them");
    press(&mut keypad, KEY_NUMLOCK);

    see(desk, handset, 0b0, |view| view.screen = false);
    for (code, action) in [
        (KEY_KP0, HookAction::Next),
        (KEY_KPDOT, HookAction::HangUpActive),
        (KEY_KPASTERISK, HookAction::AnswerLongest),
    ] {
        press(&mut keypad, code);
        desk.expect(hook(action));
    }
    pass("hw_2 call_12 without a screen the same keys do what needs none");
    see(desk, handset, 0b1_0000, |view| {
        view.preferences.shortcuts.insert("night".into(), vec!["Insert".into()]);
    });
    press(&mut keypad, KEY_KP0);
    desk.expect(hook(HookAction::Night));
    pass("call_12 remapped keys are remapped without a screen too");

    see(desk, handset, 0b0, |view| view.screen = true);
    drain(&mut screen);
    keypad.emit(&[key(KEY_KP3, 1)]).unwrap();
    expect_keys(&mut screen, &[(KEY_PAGEDOWN, 1)]);
    drop(keypad);
    expect_keys(&mut screen, &[(KEY_PAGEDOWN, 0)]);
    let mut keypad = self::keypad();
    wait("the keypad", || node_of("Test numeric keypad"));
    // It is ours some time after it is there.
    wait("a key of the keypad that is back", || {
        press(&mut keypad, KEY_KP1);
        let events: Vec<InputEvent> = screen.fetch_events().ok()?.collect();
        events.iter().any(|event| event.code() == KEY_END).then_some(())
    });
    pass("hw_2 a keypad pulled with a key down, and back");

    drain(&mut screen);
    press(&mut keypad, KEY_NUMLOCK);
    expect_keys(&mut screen, &[(KEY_NUMLOCK, 1), (KEY_NUMLOCK, 0)]);
    drop(keypad);
    let mut keypad = self::keypad();
    wait("a digit of the keypad that is back", || {
        press(&mut keypad, KEY_KP1);
        let events: Vec<InputEvent> = screen.fetch_events().ok()?.collect();
        events.iter().any(|event| event.code() == KEY_KP1).then_some(())
    });
    see(desk, handset, 0b1_0000, |view| view.screen = false);
    see(desk, handset, 0b0, |view| view.screen = true);
    drain(&mut screen);
    press(&mut keypad, KEY_KP1);
    expect_keys(&mut screen, &[(KEY_END, 1), (KEY_END, 0)]);
    pass("hw_2 call_12 a keypad that is back has the NumLock of the screen, a screen that is back has none");
}

/// Another desk at the same place.
fn the_desk_comes_back(desk: &Desk, handset: &mut Uhid) {
    desk.show(talks);
    handset.expect(&[0, 0b1]);
    desk.restart();
    handset.expect(&[0, 0]);
    pass("hw_1 without a desk no lamp is lit");
    desk.wait("the program", |desk| desk.stream.is_some());
    desk.show(talks);
    handset.expect(&[0, 0b1]);
    handset.say(&[1, 0]);
    desk.expect(hook(HookAction::OffHook));
    pass("hw_1 a desk that was away is served again");
}

/// The program is started again, or a plug was loose, while somebody talks.
fn a_handset_that_comes_lifted(desk: &Desk) {
    desk.show(talks);
    let mut handset = Uhid::plug_in_state("Test handset", samples::HANDSET, &[1, 0]);
    handset.expect(&[0, 0b1]);
    // Time for the question and its answer.
    thread::sleep(Duration::from_secs(1));
    handset.say(&[0, 0]);
    desk.expect(hook(HookAction::OnHook));
    pass("hw_1 a handset that was off the hook when it came hangs up when it is put down");
}

/// Changes the view and waits until the program has seen it, which a lamp says. Nobody talks or rings.
fn see(desk: &Desk, handset: &mut Uhid, lamp: u8, change: impl FnOnce(&mut View)) {
    desk.show(|view| {
        nobody(view);
        view.counters.voicemail = u32::from(lamp != 0);
        change(view);
    });
    handset.expect(&[0, lamp]);
}

fn keypad() -> VirtualDevice {
    let mut keys = AttributeSet::<KeyCode>::new();
    for code in (KEY_NUMLOCK..=KEY_KPDOT).chain([KEY_KPENTER, KEY_KPSLASH, KEY_KPASTERISK]) {
        keys.insert(KeyCode(code));
    }
    let builder = VirtualDevice::builder().expect("/dev/uinput").name("Test numeric keypad");
    builder.with_keys(&keys).expect("keys").build().expect("a keypad")
}

fn key(code: u16, value: i32) -> InputEvent {
    InputEvent::new(EventType::KEY.0, code, value)
}

fn press(keypad: &mut VirtualDevice, code: u16) {
    keypad.emit(&[key(code, 1)]).unwrap();
    keypad.emit(&[key(code, 0)]).unwrap();
    // The next press of the same key is no chatter of this one.
    thread::sleep(2 * controls::switch::SETTLE);
}

fn node_of(name: &str) -> Option<PathBuf> {
    evdev::enumerate().find(|(_, device)| device.name() == Some(name)).map(|(path, _)| path)
}

fn drain(device: &mut Device) {
    while device.fetch_events().is_ok_and(|events| events.count() > 0) {}
}

fn expect_keys(device: &mut Device, keys: &[(u16, i32)]) {
    let mut heard = Vec::new();
    wait(&format!("the keys {keys:?}"), || {
        if let Ok(events) = device.fetch_events() {
            let keys = events.filter(|event| event.event_type() == EventType::KEY);
            heard.extend(keys.map(|event| (event.code(), event.value())));
        }
        (heard.len() >= keys.len()).then_some(())
    });
    assert_eq!(heard, keys);
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} never came");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A HID device of our making (`linux/uhid.h`); unplugged when it is dropped.
struct Uhid {
    file: File,
    /// Output reports.
    heard: Receiver<Vec<u8>>,
    name: &'static str,
}

/// Bytes of `struct uhid_event`, which is packed.
const UHID_EVENT: usize = 4 + 4372;
const UHID_DESTROY: u32 = 1;
const UHID_OUTPUT: u32 = 6;
const UHID_GET_REPORT: u32 = 9;
const UHID_GET_REPORT_REPLY: u32 = 10;
const UHID_CREATE2: u32 = 11;
const UHID_INPUT2: u32 = 12;
const MOST: usize = 4096;
const EIO: u16 = 5;
const BUS_USB: u16 = 3;

impl Uhid {
    fn plug(name: &'static str, descriptor: &[u8]) -> Self {
        Self::plug_in_state(name, descriptor, &[])
    }

    /// One that answers with this report when it is asked how it is; by an error where it is empty.
    fn plug_in_state(name: &'static str, descriptor: &[u8], state: &[u8]) -> Self {
        let mut file = OpenOptions::new().read(true).write(true).open("/dev/uhid").expect("/dev/uhid");
        let mut event = UHID_CREATE2.to_ne_bytes().to_vec();
        event.extend(name.as_bytes());
        event.resize(4 + 128 + 64 + 64, 0);
        event.extend(u16::try_from(descriptor.len()).unwrap().to_ne_bytes());
        event.extend(BUS_USB.to_ne_bytes());
        for number in [0x1209_u32, 1, 0, 0] {
            event.extend(number.to_ne_bytes());
        }
        event.extend(descriptor);
        event.resize(UHID_EVENT, 0);
        file.write_all(&event).expect("the kernel takes it");
        let (sender, heard) = channel();
        let mut reader = file.try_clone().unwrap();
        let state = state.to_vec();
        thread::spawn(move || {
            let mut event = [0; UHID_EVENT];
            while reader.read(&mut event).is_ok_and(|read| read > 4 + MOST + 2) {
                if event[..4] == UHID_GET_REPORT.to_ne_bytes() {
                    let mut reply = UHID_GET_REPORT_REPLY.to_ne_bytes().to_vec();
                    reply.extend(&event[4..8]);
                    let error = if state.is_empty() { EIO } else { 0 };
                    reply.extend(error.to_ne_bytes());
                    reply.extend(u16::try_from(state.len()).unwrap().to_ne_bytes());
                    reply.extend(&state);
                    // Whoever asked may have gone.
                    let _ = reader.write_all(&reply);
                }
                if event[..4] == UHID_OUTPUT.to_ne_bytes() {
                    let size = usize::from(u16::from_ne_bytes([event[4 + MOST], event[4 + MOST + 1]]));
                    if sender.send(event[4..4 + size].to_vec()).is_err() {
                        return;
                    }
                }
            }
        });
        Self { file, heard, name }
    }

    fn say(&mut self, report: &[u8]) {
        let mut event = UHID_INPUT2.to_ne_bytes().to_vec();
        event.extend(u16::try_from(report.len()).unwrap().to_ne_bytes());
        event.extend(report);
        self.file.write_all(&event).expect("the kernel takes it");
    }

    /// Waits for an output report; others may come before it.
    fn expect(&mut self, report: &[u8]) {
        let end = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        while let Ok(heard) = self.heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if heard == report {
                return;
            }
            before.push(heard);
        }
        panic!("{} was never told {report:?}, but {before:?}", self.name);
    }
}

impl Drop for Uhid {
    fn drop(&mut self) {
        // What cannot be unplugged goes with the program.
        let _ = self.file.write_all(&UHID_DESTROY.to_ne_bytes());
    }
}

/// In the place of `frontdeskd`.
#[derive(Clone)]
struct Desk(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    view: View,
    stream: Option<UnixStream>,
    told: VecDeque<Command>,
}

impl Desk {
    fn start(path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let desk = Self(Arc::default());
        let serve = desk.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let desk = serve.clone();
                thread::spawn(move || desk.serve(stream.expect("a client")));
            }
        });
        desk
    }

    fn serve(&self, mut stream: UnixStream) {
        let mut decoder = Decoder::new(MAX_FRAME_TO_DESK);
        let mut room = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut room) {
            decoder.push(&room[..read]);
            while let Some(message) = decoder.next_message::<ToDesk>().expect("frames") {
                let mut state = self.0.0.lock().unwrap();
                match message {
                    ToDesk::Hello { .. } => {
                        send(&mut stream, &FromDesk::Welcome { version: "test".into() });
                        send(&mut stream, &FromDesk::View(Box::new(state.view.clone())));
                        state.stream = Some(stream.try_clone().unwrap());
                    }
                    ToDesk::Command { seq, command } => {
                        send(&mut stream, &FromDesk::Done { seq, result: Ok(()) });
                        state.told.push_back(command);
                    }
                    other => panic!("{other:?}"),
                }
                self.0.1.notify_all();
            }
        }
    }

    fn show(&self, change: impl FnOnce(&mut View)) {
        let mut state = self.0.0.lock().unwrap();
        change(&mut state.view);
        let view = FromDesk::View(Box::new(state.view.clone()));
        send(state.stream.as_mut().expect("a client"), &view);
    }

    /// Ends the connection, with everything the desk knew.
    fn restart(&self) {
        let mut state = self.0.0.lock().unwrap();
        let stream = state.stream.take().expect("a client");
        state.view = View::default();
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    }

    fn wait(&self, what: &str, so: impl Fn(&State) -> bool) {
        let state = self.0.0.lock().unwrap();
        let (_state, late) = self.0.1.wait_timeout_while(state, PATIENCE, |state| !so(state)).unwrap();
        assert!(!late.timed_out(), "{what} never came");
    }

    /// The next command.
    #[track_caller]
    fn expect(&self, command: Command) {
        self.wait(&format!("{command:?}"), |state| !state.told.is_empty());
        assert_eq!(self.0.0.lock().unwrap().told.pop_front(), Some(command));
    }
}

fn send(stream: &mut UnixStream, message: &FromDesk) {
    let frame = ipc::encode(message, MAX_FRAME_FROM_DESK).expect("it fits");
    // A client that has just gone is seen by its end.
    let _ = stream.write_all(&frame);
}
