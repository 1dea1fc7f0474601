//! The sound cards of the box, as the kernel lists them.

/// What the kernel knows of sound cards, and of their devices.
const CARDS: &str = "/proc/asound/cards";
const DEVICES: &str = "/proc/asound/pcm";

/// One device of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// What ALSA calls it, whatever other cards there are: `plughw:CARD=Headset,DEV=0`.
    pub(crate) name: String,
    /// What people call it.
    pub(crate) words: String,
    pub(crate) plays: bool,
    pub(crate) records: bool,
}

/// The names of the cards, and their devices.
pub(crate) async fn look() -> (Vec<String>, Vec<Device>) {
    let cards = tokio::fs::read_to_string(CARDS).await.unwrap_or_default();
    let devices = tokio::fs::read_to_string(DEVICES).await.unwrap_or_default();
    (names(&cards).map(|(.., name)| name.to_owned()).collect(), devices_of(&cards, &devices))
}

/// Number, id and name of each card: ` 0 [PCH ]: HDA-Intel - HDA Intel PCH`, each with a second line about where it is.
fn names(cards: &str) -> impl Iterator<Item = (u32, &str, &str)> {
    cards.lines().filter_map(|line| {
        let (head, name) = line.split_once("]: ")?;
        let (number, id) = head.split_once('[')?;
        Some((number.trim().parse().ok()?, id.trim(), name.trim()))
    })
}

/// `01-00: USB Audio : USB Audio : playback 1 : capture 1`, by number of card and device.
fn devices_of(cards: &str, devices: &str) -> Vec<Device> {
    let device = |line: &str| {
        let mut parts = line.split(':').map(str::trim);
        let (card, device) = parts.next()?.split_once('-')?;
        let (card, device): (u32, u32) = (card.parse().ok()?, device.parse().ok()?);
        let (_, id, name) = names(cards).find(|(number, ..)| *number == card)?;
        let parts: Vec<&str> = parts.collect();
        let can = |what: &str| parts.iter().any(|part| part.starts_with(what));
        let own = parts.first().copied().unwrap_or_default();
        let name = name.split_once(" - ").map_or(name, |(_, name)| name);
        Some(Device {
            name: format!("plughw:CARD={id},DEV={device}"),
            words: if own.is_empty() { name.to_owned() } else { format!("{name}, {own}") },
            plays: can("playback"),
            records: can("capture"),
        })
    };
    devices.lines().filter_map(device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA at 0xf7 irq 33\n \
                        1 [Headset        ]: USB-Audio - Jabra\n                      at usb-0000\n";

    #[test]
    fn app_2_sound_cards_are_read_as_the_kernel_lists_them() {
        let read = |text: &'static str| names(text).map(|(.., name)| name).collect::<Vec<_>>();
        assert_eq!(read(LIST), ["HDA-Intel - HDA Intel PCH", "USB-Audio - Jabra"]);
        assert_eq!(read("--- no soundcards ---\n"), Vec::<&str>::new());
    }

    #[test]
    fn hw_3_devices_are_named_by_the_id_of_their_card() {
        let devices = "00-03: HDMI 0 : HDMI 0 : playback 1\n01-00: USB Audio : USB Audio : playback 1 : capture 1\n\
                       07-00: gone : gone : playback 1\nrubbish\n";
        let found = devices_of(LIST, devices);
        let headset = Device {
            name: "plughw:CARD=Headset,DEV=0".into(),
            words: "Jabra, USB Audio".into(),
            plays: true,
            records: true,
        };
        assert_eq!(found[1], headset);
        assert_eq!((found.len(), found[0].name.as_str()), (2, "plughw:CARD=PCH,DEV=3"));
        assert!(found[0].plays && !found[0].records);
    }
}
