//! The devices a role may use, best first, and which of their names mean the same piece of hardware.
//!
//! Not done here: opening them ([`crate::devices`]).

/// Names of devices in the order in which they are wanted: the first that works is used, and a better one as soon as it
/// works again. Cards are best named by their id, which stays when others come and go: `plughw:CARD=Headset,DEV=0`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceList(Vec<String>);

/// The name of no device.
const NONE: &str = "none";

impl DeviceList {
    /// The names, best first; `none` and empty ones are left out, and a name that comes again.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> DeviceList {
        let mut list = Vec::new();
        for name in names {
            let name: String = name.into();
            if !name.is_empty() && name != NONE && !list.contains(&name) {
                list.push(name);
            }
        }
        DeviceList(list)
    }

    /// The names, best first.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl From<&str> for DeviceList {
    fn from(name: &str) -> DeviceList {
        DeviceList::new([name])
    }
}

impl From<String> for DeviceList {
    fn from(name: String) -> DeviceList {
        DeviceList::new([name])
    }
}

impl From<&String> for DeviceList {
    fn from(name: &String) -> DeviceList {
        DeviceList::new([name])
    }
}

impl From<Vec<String>> for DeviceList {
    fn from(names: Vec<String>) -> DeviceList {
        DeviceList::new(names)
    }
}

/// True when two names mean the same device of the same card, whatever plugins are before it, or are the same.
pub(crate) fn same_device(one: &str, other: &str) -> bool {
    one == other || place(one).is_some_and(|place_of_one| Some(place_of_one) == place(other))
}

/// Card and device of names such as `plughw:CARD=Headset,DEV=0`, `hw:Headset` and `sysdefault:Headset,1`.
fn place(name: &str) -> Option<(&str, &str)> {
    let (plugin, arguments) = name.split_once(':')?;
    if plugin.starts_with("wav") {
        return None;
    }
    let (mut card, mut device) = (None, None);
    for (position, argument) in arguments.split(',').enumerate() {
        match (argument.split_once('='), position) {
            (Some(("CARD", value)), _) => card = Some(value),
            (Some(("DEV", value)), _) => device = Some(value),
            (None, 0) => card = Some(argument),
            (None, 1) => device = Some(argument),
            _ => {}
        }
    }
    Some((card.filter(|card| !card.is_empty())?, device.unwrap_or("0")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hw_3_names_of_one_device_are_known_as_one() {
        let headset = "plughw:CARD=Headset,DEV=0";
        for name in [headset, "hw:Headset", "hw:Headset,0", "plughw:CARD=Headset", "sysdefault:CARD=Headset"]
        {
            assert!(same_device(headset, name) && same_device(name, headset), "{name}");
        }
        for name in ["hw:Headset,1", "plughw:CARD=Headset,DEV=1", "hw:Desk", "default", "wav:Headset", ""] {
            assert!(!same_device(headset, name) && !same_device(name, headset), "{name}");
        }
        assert!(same_device("default", "default") && !same_device("wav:/a", "wav:/b"));
        assert!(same_device("wav:/a", "wav:/a") && !same_device("hw:", "plughw:"));
    }

    #[test]
    fn hw_3_a_list_has_each_name_once_and_none_is_nothing() {
        let list = DeviceList::new(["hw:A", "none", "hw:B", "", "hw:A"]);
        assert_eq!(list.names(), ["hw:A", "hw:B"]);
        assert_eq!(DeviceList::from("none"), DeviceList::default());
    }
}
