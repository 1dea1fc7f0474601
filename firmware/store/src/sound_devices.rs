//! Which sound device does what (HW-3, BAR-2).

use serde::{Deserialize, Serialize};

use crate::refusal::Why;
use crate::settings::{At, Invalid};

/// Devices of a list at most.
const MOST: usize = 8;
/// What may stand before the card: hardware, and it with its samples converted.
const PLUGINS: [&str; 3] = ["plughw", "hw", "sysdefault"];
/// The kernel cuts ids of cards to so many characters.
const MAX_ID: usize = 16;

/// For each use the devices, best first; an empty list leaves it to the box's own configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoundDevices {
    /// Earpiece.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub speaker: Vec<String>,
    /// Microphone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub microphone: Vec<String>,
    /// Where it rings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ringer: Vec<String>,
    /// Where messages, reminders and alerts chime.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notifier: Vec<String>,
}

impl SoundDevices {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn validate(&self) -> Result<(), Invalid> {
        let at = At { table: "sound", index: None };
        for (field, names) in [
            ("speaker", &self.speaker),
            ("microphone", &self.microphone),
            ("ringer", &self.ringer),
            ("notifier", &self.notifier),
        ] {
            if names.len() > MOST {
                return Err(at.invalid(
                    field,
                    Why::TooMany { most: MOST },
                    format!("at most {MOST} are allowed"),
                ));
            }
            if let Some(name) = names.iter().find(|name| !allowed(name)) {
                let reason =
                    format!("{name:?} is no device by the id of its card, as plughw:CARD=Headset,DEV=0");
                return Err(at.invalid(field, Why::Device, reason));
            }
        }
        Ok(())
    }
}

/// Cards by their id, and the system's own choice. Nothing else: other names of ALSA write files and run programs, which
/// whoever administers the desk from outside must not.
fn allowed(name: &str) -> bool {
    if ["default", "none"].contains(&name) {
        return true;
    }
    let Some((plugin, place)) = name.split_once(":CARD=") else { return false };
    let (card, device) = place.split_once(",DEV=").unwrap_or((place, "0"));
    let word = |text: &str, most: usize, fits: fn(&u8) -> bool| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| fits(&byte))
    };
    PLUGINS.contains(&plugin)
        && word(card, MAX_ID, |byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        && word(device, 2, u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hw_3_cards_are_named_by_their_id_and_nothing_that_writes_or_runs_is_a_device() {
        for name in
            ["default", "none", "plughw:CARD=Headset,DEV=0", "hw:CARD=U0x46d0xa8f", "sysdefault:CARD=PCH"]
        {
            assert!(allowed(name), "{name}");
        }
        for name in [
            "",
            "hw:0,0",
            "wav:/etc/passwd",
            "file:'|rm -rf /',raw",
            "tee:hw,/tmp/x,raw",
            "plughw:CARD=",
            "plughw:CARD=A b",
            "plughw:CARD=A,DEV=",
            "plughw:CARD=A,DEV=0,SUBDEV=1",
            "plughw:CARD=A{x}",
            "plughw:CARD=TooLongForAnyCardId",
            "plug:CARD=A",
            "plughw:CARD=A,DEV=100",
            " default",
        ] {
            assert!(!allowed(name), "{name}");
        }
        let many = SoundDevices { ringer: vec!["default".into(); MOST + 1], ..SoundDevices::default() };
        assert!(many.validate().is_err());
        let other = SoundDevices { speaker: vec!["wav:/x".into()], ..SoundDevices::default() };
        assert_eq!(other.validate().map_err(|invalid| invalid.refusal.why), Err(Why::Device));
    }
}
