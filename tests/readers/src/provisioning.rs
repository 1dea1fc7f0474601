//! What DHCP says of where settings are, from the packet to the address that is asked (APP-5).

use url::Url;

#[path = "../../../firmware/admin/src/provisioning/address.rs"]
#[allow(dead_code, reason = "the administrator's page uses the rest")]
mod address;
#[path = "../../../firmware/admin/src/provisioning/lease.rs"]
#[allow(dead_code, reason = "the administrator's page uses the rest")]
mod lease;
#[path = "../../../firmware/frontdeskd/src/dhcp/packet.rs"]
mod packet;

/// Why an address is none; the administrator's page knows more troubles.
mod trouble {
    #[derive(Debug)]
    pub(crate) enum Trouble {
        NotHttps(String),
        NoAddress(String),
    }
}

use trouble::Trouble;

/// The number of our question and the port it left from.
const NUMBER: [u8; 4] = [1, 2, 3, 4];
const PORT: u16 = 40_000;
/// The longest address that is followed, in bytes.
const LONGEST: usize = 1024;
/// The name of a device.
const DEVICE: &str = "525400123456";

/// The first byte says what the rest is: a packet, options of an answer to us, a lease, or an address.
pub(crate) fn dhcp(bytes: &[u8]) -> bool {
    let Some((&kind, rest)) = bytes.split_first() else { return false };
    match kind % 4 {
        0 => packet::answer(rest, NUMBER, PORT).is_some_and(|options| answered(rest, &options)),
        1 => {
            let packet = answer_with(rest);
            packet::answer(&packet, NUMBER, PORT).is_some_and(|options| answered(rest, &options))
        }
        2 => offered(&String::from_utf8_lossy(rest)) > 0,
        _ => is_asked(&String::from_utf8_lossy(rest)),
    }
}

/// An answer to us that has these options, in an IPv4 packet.
pub(crate) fn answer_with(options: &[u8]) -> Vec<u8> {
    let mut message = packet::message([192, 0, 2, 23].into(), [2; 6], NUMBER);
    message[0] = 2;
    message.truncate(240);
    // A datagram has its length in 16 bits.
    message.extend(options.iter().take(60_000));
    let mut packet =
        vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 23, 0, 67, 0, 68];
    let length = u16::try_from(message.len() + 8).unwrap_or(u16::MAX);
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(message);
    packet
}

fn answered(bytes: &[u8], options: &[(u8, Vec<u8>)]) -> bool {
    let all: usize = options.iter().map(|(_, value)| value.len()).sum();
    assert!(all <= bytes.len(), "there is more than was said");
    for (at, (code, _)) in options.iter().enumerate() {
        assert!(options[..at].iter().all(|(other, _)| other != code), "parts of {code} are apart");
    }
    let lines = packet::lines(options);
    let offers = offered(&lines);
    assert!(offers <= 2 && lines.lines().count() <= 2, "66 and 43 only: {lines}");
    true
}

/// How many offers a lease makes.
fn offered(lease: &str) -> usize {
    let offers = lease::of_text(lease);
    for offer in &offers {
        assert!([43, 66].contains(&offer.option));
        assert!(!offer.text.is_empty() && offer.text.chars().all(|c| c.is_ascii_graphic()), "{offer:?}");
        is_asked(&offer.text);
    }
    offers.len()
}

/// Whether this address is asked for the device's file.
fn is_asked(said: &str) -> bool {
    let url = match address::file_of(said, DEVICE, false) {
        Ok(url) => url,
        Err(Trouble::NotHttps(words) | Trouble::NoAddress(words)) => {
            is_hidden(said, &words);
            return false;
        }
    };
    assert!(url.scheme() == "https" && url.fragment().is_none() && url.username().is_empty(), "{url}");
    assert!(address::host_of(&url).is_some_and(|host| !host.is_empty()), "{url}");
    let again = address::file_of(url.as_str(), DEVICE, false).ok();
    let is_named = url.path().ends_with(".toml") && url.as_str().len() <= LONGEST;
    assert!(!is_named || again.as_ref() == Some(&url), "{url} is another file: {again:?}");
    let open = url.as_str().replacen("https", "http", 1);
    assert!(address::file_of(&open, DEVICE, false).is_err(), "{open} can be read by anybody");
    true
}

/// A password does not stand in what is shown.
fn is_hidden(said: &str, shown: &str) {
    let said = said.trim();
    let Ok(url) = Url::parse(said) else { return };
    let Some(password) = url.password().filter(|password| password.len() >= 8) else { return };
    assert!(
        said.matches(password).count() != 1 || !shown.contains(password),
        "{said:?} was shown as {shown:?}"
    );
}
