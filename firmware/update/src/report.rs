//! What RAUC prints as JSON, read: `rauc status` and `rauc info` of Debian 12 (1.8) and 13 (1.13). Pure.
//!
//! Of each answer only what is needed is read, by name, so that fields which a version adds or leaves out change nothing.

use serde::Deserialize;
use serde_json::Value;

/// The slots of the box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// What a bundle must be made for.
    pub compatible: String,
    /// Those that can be started, in the order of their names.
    pub slots: Vec<Slot>,
}

/// A slot that can be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// RAUC's name, such as `rootfs.0`.
    pub name: String,
    /// The boot loader's name, such as `A`.
    pub bootname: String,
    /// It runs.
    pub booted: bool,
    /// It is started next.
    pub primary: bool,
    /// Whether the boot loader may start it; `None` when RAUC does not know.
    pub good: Option<bool>,
    /// Version of the bundle that was written there; `None` when it came with the disk.
    pub version: Option<String>,
    /// When that was, as RAUC says it (ISO 8601).
    pub installed: Option<String>,
}

impl System {
    /// The slot that runs.
    #[must_use]
    pub fn booted(&self) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.booted)
    }

    /// The slot that an update is written into.
    #[must_use]
    pub fn other(&self) -> Option<&Slot> {
        let booted = self.booted()?;
        self.slots.iter().find(|slot| slot.name != booted.name)
    }
}

/// What a bundle says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// The boxes it is made for.
    pub compatible: String,
    /// Its version; empty when it names none.
    #[serde(default, deserialize_with = "or_empty")]
    pub version: String,
    /// What its maker says about it; empty when that is nothing.
    #[serde(default, deserialize_with = "or_empty")]
    pub description: String,
}

fn or_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

/// RAUC printed something else than is known of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what rauc printed is not understood: {0}")]
pub struct Unreadable(String);

/// Reads `rauc status --detailed --output-format=json`.
///
/// # Errors
/// When it is no JSON, or no slots are in it.
pub fn system(printed: &str) -> Result<System, Unreadable> {
    let value: Value = serde_json::from_str(printed.trim()).map_err(|error| Unreadable(error.to_string()))?;
    let text = |value: &Value| value.as_str().map(str::to_owned).filter(|text| !text.is_empty());
    let compatible = text(&value["compatible"]).ok_or_else(|| Unreadable("no compatible".into()))?;
    let entries = value["slots"].as_array().ok_or_else(|| Unreadable("no slots".into()))?;
    let primary = text(&value["boot_primary"]);
    let mut slots: Vec<Slot> = entries
        .iter()
        .filter_map(Value::as_object)
        .flatten()
        .filter_map(|(name, slot)| {
            let detail = &slot["slot_status"];
            Some(Slot {
                name: name.clone(),
                bootname: text(&slot["bootname"])?,
                booted: slot["state"] == "booted",
                primary: primary.as_ref() == Some(name),
                good: text(&slot["boot_status"]).map(|status| status == "good"),
                version: text(&detail["bundle"]["version"]),
                installed: text(&detail["installed"]["timestamp"]),
            })
        })
        .collect();
    slots.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(System { compatible, slots })
}

/// Reads `rauc info --output-format=json`.
///
/// # Errors
/// When it is no JSON, or says not what the bundle is made for.
pub fn manifest(printed: &str) -> Result<Manifest, Unreadable> {
    serde_json::from_str(printed.trim()).map_err(|error| Unreadable(error.to_string()))
}

/// A line of `rauc install`, such as ` 40% Checking slot rootfs.1`: how far it is, in percent, and at what.
#[must_use]
pub fn progress(line: &str) -> Option<(u8, &str)> {
    let (number, words) = line.trim().split_once('%')?;
    let number: u8 = number.trim().parse().ok()?;
    (number <= 100).then(|| (number, words.trim()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_3_what_rauc_says_of_slots_and_bundles_is_read_and_what_is_not_known_left_out() {
        let printed = r#"{"compatible":"frontdesk-amd64","variant":"","booted":"A","boot_primary":"rootfs.1","slots":[
            {"rootfs.1":{"class":"rootfs","device":"/dev/b","type":"raw","bootname":"B","state":"inactive","parent":null,
              "mountpoint":null,"boot_status":"good","slot_status":{"bundle":{"compatible":"frontdesk-amd64","version":"2"},
              "checksum":{"sha256":"00","size":"5"},"installed":{"timestamp":"2026-11-27T20:00:00Z","count":"1"},"status":"ok"}}},
            {"data.0":{"class":"data","device":"/dev/d","type":"ext4","bootname":null,"state":"inactive","boot_status":null}},
            {"rootfs.0":{"class":"rootfs","device":"/dev/a","type":"raw","bootname":"A","state":"booted","mountpoint":"/",
              "boot_status":"bad","slot_status":{"bundle":{"compatible":null}},"artifacts":[]}}]}"#;
        let system = system(printed).unwrap();
        assert_eq!(system.slots.len(), 2, "what cannot be started is no slot here");
        let (a, b) = (system.booted().unwrap(), system.other().unwrap());
        assert_eq!(
            (a.bootname.as_str(), a.good, a.primary, a.version.as_deref()),
            ("A", Some(false), false, None)
        );
        assert_eq!(
            (b.bootname.as_str(), b.good, b.primary, b.version.as_deref()),
            ("B", Some(true), true, Some("2"))
        );
        let told = r#"{"compatible":"frontdesk-amd64","version":"2","description":null,"build":"","hooks":[],"images":[]}"#;
        let told = manifest(told).unwrap();
        assert_eq!((told.version.as_str(), told.description.as_str()), ("2", ""));
    }

    #[test]
    fn app_3_anything_else_that_is_printed_is_an_error() {
        for printed in [
            "",
            "null",
            "[]",
            "{}",
            "{\"compatible\":\"x\"}",
            "{\"compatible\":\"\",\"slots\":[]}",
            "rauc: no",
        ] {
            assert!(system(printed).is_err(), "{printed}");
        }
        assert!(
            system("{\"compatible\":\"x\",\"slots\":[1,{\"a\":2},{\"b\":{\"bootname\":3}}]}")
                .unwrap()
                .slots
                .is_empty()
        );
        assert!(manifest("{\"version\":\"1\"}").is_err());
    }

    #[test]
    fn app_3_progress_is_what_has_a_percentage() {
        assert_eq!(progress("  0% Installing"), Some((0, "Installing")));
        assert_eq!(progress("100% Installing done."), Some((100, "Installing done.")));
        for other in ["installing", "LastError: x", "140% x", "-1% x", "a 5% b", ""] {
            assert_eq!(progress(other), None, "{other}");
        }
    }
}
