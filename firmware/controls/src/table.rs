//! What no device says of itself: a table of devices that an integrator can extend.
//!
//! The one that comes with the program is `devices.toml` beside this crate, which says what can be written. The first
//! entry that fits a device counts; those of the integrator's file come before ours.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The table that comes with the program.
pub const OWN: &str = include_str!("../devices.toml");

/// Who a device is, by the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// As its maker calls it.
    pub name: String,
    /// USB vendor.
    pub vendor: u16,
    /// USB product.
    pub product: u16,
}

/// What a device is to the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Ours alone; its keys go on to the screen.
    Keypad,
    /// The screen's; heard here as well, for when there is no screen.
    Keyboard,
    /// Ours alone: keys or a hook that mean calls.
    Phone,
    /// Left alone.
    Ignore,
}

/// How a hook is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Of a handset: lifted takes a call, put down ends it.
    Handset,
    /// Of a headset whose state changes with each press of its button.
    Headset,
    /// A button that is pressed and released: short, or held for two seconds.
    Button,
    /// Not at all.
    None,
}

/// How a mute key is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mute {
    /// Each press changes it.
    Toggle,
    /// It says whether the device is muted.
    State,
    /// Not at all.
    None,
}

/// What a key does, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A handset that is lifted while the key is down.
    Hook,
    /// A button: short, or held.
    Button,
    /// Mute or unmute.
    Mute,
    /// Hold, or take the next.
    Hold,
    /// Answer, else retrieve, else hold.
    Next,
    /// Answer the most urgent call.
    Answer,
    /// Hang up.
    HangUp,
    /// Night service.
    Night,
    /// Nothing.
    None,
}

/// A lamp that a device may show by one of its LEDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lamp {
    /// A call rings.
    Ring,
    /// Somebody has the operator's ear.
    Busy,
    /// Muted.
    Mute,
    /// A call is on hold.
    Hold,
    /// A voice message waits.
    Message,
}

/// What a table says of a device; nothing of most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// What it is.
    pub kind: Option<Kind>,
    /// Its hook.
    pub hook: Option<Hook>,
    /// Its mute key.
    pub mute: Option<Mute>,
    /// It says so when its hook changes because we told it to; usual, of headsets.
    pub echo: Option<bool>,
    /// Key codes of Linux with what they do.
    pub keys: BTreeMap<u16, Role>,
    /// LEDs of Linux by what they show.
    pub leds: BTreeMap<Lamp, u16>,
}

/// Why a table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTable {
    /// No TOML, or an unknown word.
    #[error("line {line}: {message}")]
    Toml {
        /// From 1.
        line: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// An entry that fits every device.
    #[error("entry {0}: give `name` or `usb`")]
    Everything(usize),
    /// No address of a USB device.
    #[error(
        "entry {entry}: usb = {usb:?}: give vendor and product in hexadecimal, such as \"0b0e:0300\" or \"0b0e:*\""
    )]
    Usb {
        /// From 1.
        entry: usize,
        /// What was given.
        usb: String,
    },
    /// The key of the factory reset has no name of `linux/input-event-codes.h`.
    #[error("reset_key: no key is called {0:?}; give a name such as \"KEY_F8\", or \"\" for none")]
    ResetKey(String),
    /// No name of `linux/input-event-codes.h`.
    #[error(
        "entry {entry}: no key or LED is called {name:?}; give a name such as \"KEY_F13\" or \"LED_SCROLLL\""
    )]
    Name {
        /// From 1.
        entry: usize,
        /// What was given.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    reset_key: Option<String>,
    #[serde(default)]
    device: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    usb: Option<String>,
    kind: Option<Kind>,
    hook: Option<Hook>,
    mute: Option<Mute>,
    echo: Option<bool>,
    #[serde(default)]
    keys: BTreeMap<String, Role>,
    #[serde(default)]
    leds: BTreeMap<Lamp, String>,
}

#[derive(Debug)]
struct Entry {
    /// In small letters.
    name: Option<String>,
    usb: Option<(u16, Option<u16>)>,
    profile: Profile,
}

/// Entries, the first that fits first.
#[derive(Debug, Default)]
pub struct DeviceTable {
    /// `Some(None)`: none at all.
    reset_key: Option<Option<u16>>,
    entries: Vec<Entry>,
}

impl DeviceTable {
    /// The table of this text.
    ///
    /// # Errors
    /// [`BadTable`] says where and what is allowed.
    pub fn parse(text: &str) -> Result<Self, BadTable> {
        let file: File = toml::from_str(text).map_err(|error| BadTable::Toml {
            line: error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1),
            message: error.message().to_owned(),
        })?;
        let reset_key = file.reset_key.map(|name| match name.parse::<evdev::KeyCode>() {
            _ if name.is_empty() => Ok(None),
            Ok(code) => Ok(Some(code.0)),
            Err(_) => Err(BadTable::ResetKey(name)),
        });
        let entries = file.device.into_iter().enumerate().map(|(n, written)| written.entry(n + 1));
        Ok(Self { reset_key: reset_key.transpose()?, entries: entries.collect::<Result<_, _>>()? })
    }

    /// This table, and behind it another.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.reset_key = self.reset_key.or(other.reset_key);
        self.entries.extend(other.entries);
        self
    }

    /// The key that is held for a factory reset, by its code of Linux ([`crate::reset`]).
    #[must_use]
    pub fn reset_key(&self) -> Option<u16> {
        self.reset_key.flatten()
    }

    /// What is said of a device.
    #[must_use]
    pub fn profile(&self, device: &Identity) -> Profile {
        let fits = self.entries.iter().find(|entry| entry.fits(device));
        fits.map(|entry| entry.profile.clone()).unwrap_or_default()
    }
}

impl Entry {
    fn fits(&self, device: &Identity) -> bool {
        let name = self.name.as_ref();
        let usb = self.usb;
        name.is_none_or(|part| device.name.to_lowercase().contains(part))
            && usb.is_none_or(|(vendor, product)| {
                vendor == device.vendor && product.is_none_or(|product| product == device.product)
            })
    }
}

impl Written {
    fn entry(self, entry: usize) -> Result<Entry, BadTable> {
        if self.name.as_ref().is_none_or(String::is_empty) && self.usb.is_none() {
            return Err(BadTable::Everything(entry));
        }
        let usb = self.usb.map(|usb| read_usb(&usb).ok_or(BadTable::Usb { entry, usb })).transpose()?;
        let unknown = |name: String| BadTable::Name { entry, name };
        let mut profile = Profile {
            kind: self.kind,
            hook: self.hook,
            mute: self.mute,
            echo: self.echo,
            ..Profile::default()
        };
        for (name, role) in self.keys {
            let Ok(code) = name.parse::<evdev::KeyCode>() else { return Err(unknown(name)) };
            profile.keys.insert(code.0, role);
        }
        for (lamp, name) in self.leds {
            let Ok(code) = name.parse::<evdev::LedCode>() else { return Err(unknown(name)) };
            profile.leds.insert(lamp, code.0);
        }
        Ok(Entry { name: self.name.map(|name| name.to_lowercase()), usb, profile })
    }
}

fn read_usb(text: &str) -> Option<(u16, Option<u16>)> {
    let (vendor, product) = text.split_once(':')?;
    let number = |digits: &str| u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4);
    let product = if product == "*" { None } else { Some(number(product)?) };
    Some((number(vendor)?, product))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn device(name: &str, vendor: u16, product: u16) -> Identity {
        Identity { name: name.into(), vendor, product }
    }

    #[test]
    fn hw_2_our_own_table_is_one_and_an_integrators_goes_before_it() {
        let own = DeviceTable::parse(OWN).unwrap();
        let known = device("Fremont Micro Numeric Keypad", 0x1234, 1);
        assert_eq!(own.profile(&known).kind, Some(Kind::Keypad));
        let text = "[[device]]\nname = \"numeric keypad\"\nkind = \"ignore\"\n";
        let both = DeviceTable::parse(text).unwrap().then(own);
        assert_eq!(both.profile(&known).kind, Some(Kind::Ignore));
        assert_eq!(both.profile(&device("A mouse", 1, 2)), Profile::default());
    }

    #[test]
    fn hw_1_an_entry_may_fit_a_maker_or_a_product_and_say_everything() {
        let text = r#"
            [[device]]
            usb = "0b0e:0300"
            hook = "button"
            mute = "state"
            echo = false
            [[device]]
            usb = "0b0e:*"
            hook = "headset"
            [[device]]
            name = "Cradle"
            kind = "phone"
            keys = { KEY_F13 = "hook", KEY_PROG1 = "hang-up" }
            leds = { ring = "LED_SCROLLL", busy = "LED_CAPSL" }
        "#;
        let table = DeviceTable::parse(text).unwrap();
        let product = table.profile(&device("", 0x0b0e, 0x0300));
        assert_eq!(
            (product.hook, product.mute, product.echo),
            (Some(Hook::Button), Some(Mute::State), Some(false))
        );
        assert_eq!(table.profile(&device("", 0x0b0e, 0x0301)).hook, Some(Hook::Headset));
        let cradle = table.profile(&device("The CRADLE of Ada", 0, 0));
        assert_eq!(cradle.keys, BTreeMap::from([(183, Role::Hook), (148, Role::HangUp)]));
        assert_eq!(cradle.leds, BTreeMap::from([(Lamp::Ring, 2), (Lamp::Busy, 1)]));
    }

    #[test]
    fn hw_2_a_table_that_makes_no_sense_says_where_and_what_is_allowed() {
        let complaint = |text: &str| DeviceTable::parse(text).unwrap_err().to_string();
        let text = complaint("[[device]]\nname = \"x\"\nkind = \"toaster\"\n");
        assert!(text.contains("line 3") && text.contains("`keypad`"), "{text}");
        assert!(complaint("[[device]]\nkind = \"keypad\"\n").contains("entry 1: give `name` or `usb`"));
        let text = complaint("[[device]]\nusb = \"1:2\"\n");
        assert!(text.contains("0b0e:*"), "{text}");
        let text = complaint("[[device]]\nname = \"x\"\nkeys = { KEY_ANY_OLD = \"hook\" }\n");
        assert!(text.contains("KEY_ANY_OLD"), "{text}");
        assert!(complaint("[[gadget]]\n").contains("`device`"));
        assert!(complaint("reset_key = \"F8\"\n").contains("\"F8\"; give a name such as \"KEY_F8\""));
    }

    #[test]
    fn app_5_the_key_of_the_factory_reset_is_f8_unless_a_board_has_another_or_none() {
        let with = |text: &str| DeviceTable::parse(text).unwrap().then(DeviceTable::parse(OWN).unwrap());
        assert_eq!(with("").reset_key(), Some(evdev::KeyCode::KEY_F8.0));
        assert_eq!(with("reset_key = \"KEY_RESTART\"").reset_key(), Some(evdev::KeyCode::KEY_RESTART.0));
        assert_eq!(with("reset_key = \"\"").reset_key(), None);
        assert_eq!(DeviceTable::default().reset_key(), None);
    }
}
