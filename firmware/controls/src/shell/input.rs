//! An evdev device, and the keyboard by which the screen gets the keys of keypads.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, BusType, Device, EventType, InputEvent, InputId, KeyCode, LedCode};
use tracing::{debug, warn};

use super::nodes::Node;
use crate::codes;
use crate::desk::{Glance, Lamps};
use crate::keys::{Keys, Out, classify, forwarded};
use crate::num_lock::NumLock;
use crate::table::{DeviceTable, Identity, Kind};

/// What the keyboard is called that is none; it is not listened to.
const SCREEN_KEYBOARD: &str = "Frontdesk keypad keys";

/// Keys that a telephone may say by hidraw and the kernel as well: the hook, mute, and all digits by their first.
pub(crate) const SHARED: [u16; 3] = [codes::KEY_PHONE, codes::KEY_MICMUTE, codes::KEY_NUMERIC_0];

/// See the module.
pub(crate) struct Input {
    pub(crate) keys: Keys,
    pub(crate) name: String,
    device: Device,
    /// Which of [`SHARED`] its telephone says.
    pub(crate) covered: [bool; 3],
    /// Keys that were down when it was opened. To ask again would lose what has been pressed since.
    pub(crate) down: Vec<u16>,
}

impl Input {
    /// `None` when it is of no use here. A button of the board's that is the `reset_key` and nothing else is heard as a
    /// keyboard is.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub(crate) fn open(
        node: &Node,
        table: &DeviceTable,
        screen: &mut Screen,
        reset_key: Option<u16>,
    ) -> Result<Option<Self>, String> {
        let mut device = Device::open(&node.path).map_err(|error| error.to_string())?;
        let id = device.input_id();
        let name = device.name().unwrap_or_default().to_owned();
        if name == SCREEN_KEYBOARD {
            return Ok(None);
        }
        let identity = Identity { name: name.clone(), vendor: id.vendor(), product: id.product() };
        let profile = table.profile(&identity);
        let has = |code: u16| device.supported_keys().is_some_and(|keys| keys.contains(KeyCode(code)));
        // What a table names the keys of is of use.
        let named = profile.keys.keys().any(|code| has(*code)).then_some(Kind::Phone);
        let resets = reset_key.filter(|code| has(*code)).map(|_| Kind::Keyboard);
        let kind = profile.kind.or_else(|| classify(has)).or(named).or(resets);
        let Some(mut kind) = kind.filter(|kind| *kind != Kind::Ignore) else { return Ok(None) };
        if kind == Kind::Keypad
            && let Err(error) = screen.open()
        {
            warn!(device = %node.path.display(), "the screen reads a keypad itself: no keys can be sent to it by uinput: {error}");
            kind = Kind::Keyboard;
        }
        device.set_nonblocking(true).map_err(|error| error.to_string())?;
        let down = device.get_key_state().unwrap_or_default();
        let num_lock = if kind == Kind::Keypad {
            screen.num_lock.is_on()
        } else {
            device.get_led_state().is_ok_and(|leds| leds.contains(LedCode(codes::LED_NUML)))
        };
        let keys = Keys::new(kind, &profile, |code| down.contains(KeyCode(code)), num_lock);
        if keys.is_ours_alone() {
            device.grab().map_err(|error| format!("another program has it for itself: {error}"))?;
        }
        let down = down.iter().map(|key| key.0).collect();
        let mut input = Self { keys, name, device, covered: [false; 3], down };
        input.follow_num_lock(num_lock);
        Ok(Some(input))
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.device.as_raw_fd()
    }

    /// Takes all events there are. An error is its end.
    /// Each key goes to `heard` as well, by its code and value.
    pub(crate) fn read(
        &mut self,
        now: Duration,
        desk: &Glance,
        mut heard: impl FnMut(u16, i32),
    ) -> (io::Result<()>, Vec<Out>) {
        let mut out = Vec::new();
        loop {
            let events: Vec<InputEvent> = match self.device.fetch_events() {
                Ok(events) => events.collect(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (Ok(()), out),
                Err(error) => return (Err(error), out),
            };
            for event in events {
                let (code, value) = (event.code(), event.value());
                if event.event_type() == EventType::KEY {
                    heard(code, value);
                }
                match event.event_type() {
                    EventType::KEY if self.is_covered(code) => {}
                    EventType::KEY => out.extend(self.keys.key(now, code, value, desk)),
                    EventType::LED if code == codes::LED_NUML => self.keys.num_lock(value != 0),
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn show(&mut self, lamps: Lamps) {
        let device = &self.device;
        let has = |led: u16| device.supported_leds().is_some_and(|leds| leds.contains(LedCode(led)));
        for (led, lit) in self.keys.show(lamps, has) {
            self.light(led, lit);
        }
    }

    /// NumLock of the screen was switched.
    pub(crate) fn follow_num_lock(&mut self, on: bool) {
        if self.keys.follow_num_lock(on) {
            self.light(codes::LED_NUML, on);
        }
    }

    fn light(&mut self, led: u16, lit: bool) {
        let event = InputEvent::new(EventType::LED.0, led, i32::from(lit));
        if let Err(error) = self.device.send_events(&[event]) {
            debug!(name = self.name, led, "a lamp cannot be set: {error}");
        }
    }

    fn is_covered(&self, code: u16) -> bool {
        let place = match code {
            codes::KEY_NUMERIC_0..=codes::KEY_NUMERIC_POUND => Some(2),
            code => SHARED.iter().position(|shared| *shared == code),
        };
        place.is_some_and(|place| self.covered[place])
    }
}

/// The screen's side: a keyboard that is made when the first keypad comes.
#[derive(Default)]
pub(crate) struct Screen {
    keyboard: Option<VirtualDevice>,
    pub(crate) num_lock: NumLock,
}

impl Screen {
    /// Makes it, once.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        if self.keyboard.is_none() {
            let mut keys = AttributeSet::<KeyCode>::new();
            forwarded().for_each(|code| keys.insert(KeyCode(code)));
            // No real vendor; a table of somebody's cannot mean it.
            let id = InputId::new(BusType::BUS_VIRTUAL, 0, 0, 1);
            let builder = VirtualDevice::builder()?.name(SCREEN_KEYBOARD).input_id(id);
            self.keyboard = Some(builder.with_keys(&keys)?.build()?);
        }
        Ok(())
    }

    pub(crate) fn key(&mut self, code: u16, down: bool) {
        // One that failed is made anew.
        if let Err(error) = self.open() {
            return warn!("there is no keyboard to pass a key on by: {error}");
        }
        let Some(keyboard) = &mut self.keyboard else { return };
        let event = InputEvent::new(EventType::KEY.0, code, i32::from(down));
        if let Err(error) = keyboard.emit(&[event]) {
            warn!("a key did not reach the screen: {error}");
            self.keyboard = None;
        }
    }
}
