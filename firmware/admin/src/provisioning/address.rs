//! Where the file of this desk is: from what an administrator or a DHCP server says, and the desk's own name.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::trouble::Trouble;

/// Stands in an address for the name of the device.
const DEVICE: &str = "{id}";

/// The file that an address means: the address itself where it ends in `.toml` or has the place for the device's name
/// (`{id}`); else the device's file in that folder. A bare name is that of a machine that is asked by HTTPS.
pub(crate) fn file_of(said: &str, device: &str, allow_http: bool) -> Result<Url, Trouble> {
    let said = said.trim();
    let no_address = || Trouble::NoAddress(shown(said));
    let whole = if said.contains("://") { said.to_owned() } else { format!("https://{said}") };
    let is_named = whole.contains(DEVICE);
    let mut url = Url::parse(&whole.replace(DEVICE, device)).map_err(|_| no_address())?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        _ => return Err(Trouble::NotHttps(shown(said))),
    }
    let is_plain = url.username().is_empty() && url.password().is_none() && said.len() <= 1024;
    if !is_plain || host_of(&url).is_none() {
        return Err(no_address());
    }
    url.set_fragment(None);
    if !is_named && !url.path().ends_with(".toml") {
        let mut path = url.path_segments_mut().map_err(|()| no_address())?;
        path.pop_if_empty().push(&format!("{device}.toml"));
    }
    Ok(url)
}

/// An address as it may stand in a log, on a page or with a supervisor: without user and password, and without what may be
/// a token in its query.
pub(crate) fn shown(said: &str) -> String {
    let is_word = |scheme: &str| scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (scheme, rest) = said.split_once("://").filter(|(scheme, _)| is_word(scheme)).unwrap_or(("", said));
    // Where it is no address, the end of a password is anybody's guess.
    let machine = if Url::parse(said).is_ok() { rest.find(['/', '?', '#']) } else { None };
    let hidden = rest[..machine.unwrap_or(rest.len())].rfind('@').map_or(0, |at| at + 1);
    let (head, query) =
        rest[hidden..].split_once('?').map_or((&rest[hidden..], ""), |(head, _)| (head, "?…"));
    let (colon, dots) = (if scheme.is_empty() { "" } else { "://" }, if hidden > 0 { "…@" } else { "" });
    format!("{scheme}{colon}{dots}{head}{query}")
}

/// The machine, without brackets.
pub(crate) fn host_of(url: &Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// The name of this device: the hardware address of its first wired interface, as twelve hexadecimal digits, as the
/// files of telephones are called; on a machine without one a name made of its machine id, which itself is told nobody.
pub(crate) fn device(interfaces: &Path, machine_id: &str) -> String {
    let found = fs::read_dir(interfaces).into_iter().flatten().flatten();
    let mut wired: Vec<(bool, String, String)> = found
        .filter_map(|entry| {
            let read = |name: &str| fs::read_to_string(entry.path().join(name)).ok();
            let is_ethernet = read("type")?.trim() == "1";
            let digits: String = read("address")?.trim().chars().filter(|c| *c != ':').collect();
            let is_address = digits.len() == 12 && digits.chars().all(|c| c.is_ascii_hexdigit());
            let is_wireless = entry.path().join("wireless").exists();
            let is_one = is_ethernet && is_address && !is_wireless && digits != "000000000000";
            // Bridges and tunnels have no device behind them, and addresses made up at each start.
            let is_virtual = !entry.path().join("device").exists();
            is_one.then(|| {
                (is_virtual, entry.file_name().to_string_lossy().into_owned(), digits.to_lowercase())
            })
        })
        .collect();
    wired.sort();
    match wired.into_iter().next() {
        Some((.., digits)) => digits,
        None => {
            let hash = Sha256::digest(format!("frontdesk device {}", machine_id.trim()));
            hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn file(said: &str) -> String {
        file_of(said, "525400123456", false).map_or_else(|trouble| format!("{trouble:?}"), String::from)
    }

    #[test]
    fn app_5_an_address_names_a_file_or_the_folder_of_it() {
        for (said, wanted) in [
            ("https://pbx.example", "https://pbx.example/525400123456.toml"),
            ("https://pbx.example/desks/", "https://pbx.example/desks/525400123456.toml"),
            ("https://pbx.example/desks", "https://pbx.example/desks/525400123456.toml"),
            (" https://pbx.example/front.toml ", "https://pbx.example/front.toml"),
            ("https://pbx.example/p?mac={id}", "https://pbx.example/p?mac=525400123456"),
            ("https://pbx.example/{id}/desk", "https://pbx.example/525400123456/desk"),
            ("https://pbx.example:8443/#x", "https://pbx.example:8443/525400123456.toml"),
            // Option 66 is the name of a machine, by its definition.
            ("boot.example", "https://boot.example/525400123456.toml"),
            ("192.0.2.7", "https://192.0.2.7/525400123456.toml"),
            ("boot.example/desks", "https://boot.example/desks/525400123456.toml"),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/525400123456.toml"),
        ] {
            assert_eq!(file(said), wanted, "{said}");
        }
    }

    #[test]
    fn app_5_what_is_not_https_is_refused_unless_http_is_allowed() {
        for said in ["http://pbx.example/", "tftp://pbx.example/", "file:///etc/passwd"] {
            assert_eq!(file(said), format!("NotHttps({said:?})"));
        }
        let http = file_of("http://pbx.example/", "a", true).map(String::from);
        assert_eq!(http.unwrap(), "http://pbx.example/a.toml");
        assert!(matches!(file_of("tftp://x/", "a", true), Err(Trouble::NotHttps(_))));
        for said in ["", "https://", "a b", "https://x:99999/"] {
            assert_eq!(file(said), format!("NoAddress({said:?})"));
        }
        assert_eq!(file("https://user:secret@pbx.example/"), "NoAddress(\"https://…@pbx.example/\")");
        assert_eq!(file("ftp://user:secret@pbx.example/?a=b"), "NotHttps(\"ftp://…@pbx.example/?…\")");
    }

    #[test]
    fn app_5_what_is_secret_in_an_address_is_not_shown() {
        for (said, wanted) in [
            ("https://pbx.example/a.toml", "https://pbx.example/a.toml"),
            ("https://pbx.example/a@b/", "https://pbx.example/a@b/"),
            ("https://pbx.example/p?token=secret", "https://pbx.example/p?…"),
            ("https://user:secret@pbx.example/?a=secret@b", "https://…@pbx.example/?…"),
            ("https://user:se/cret@pbx.example:x/", "https://…@pbx.example:x/"),
            ("https://user:se?cret@pbx.example/", "https://…@pbx.example/"),
            ("user:secret@pbx.example", "…@pbx.example"),
            ("pbx.example/p?next=https://secret", "pbx.example/p?…"),
            ("boot.example", "boot.example"),
            ("", ""),
        ] {
            assert_eq!(shown(said), wanted, "{said}");
        }
    }

    #[test]
    fn app_5_a_device_is_called_by_its_first_wired_interface() {
        let folder = tempfile::tempdir().unwrap();
        let interface = |name: &str, kind: &str, address: &str, is_real: bool| {
            let folder = folder.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("type"), kind).unwrap();
            fs::write(folder.join("address"), address).unwrap();
            if is_real {
                fs::create_dir(folder.join("device")).unwrap();
            }
        };
        interface("lo", "772\n", "00:00:00:00:00:00\n", false);
        let unwired = device(folder.path(), "0123456789abcdef\n");
        assert!(unwired.len() == 16 && !unwired.contains("0123456789abcdef"), "{unwired}");
        assert_eq!(device(folder.path(), "0123456789abcdef"), unwired);
        assert_ne!(device(folder.path(), "1123456789abcdef"), unwired);
        interface("br0", "1\n", "02:00:00:00:00:01\n", false);
        assert_eq!(device(folder.path(), ""), "020000000001");
        interface("enp2s0", "1\n", "52:54:00:AB:CD:02\n", true);
        interface("enp1s0", "1\n", "52:54:00:AB:CD:01\n", true);
        interface("wlan0", "1\n", "52:54:00:AB:CD:00\n", true);
        fs::create_dir(folder.path().join("wlan0/wireless")).unwrap();
        assert_eq!(device(folder.path(), ""), "525400abcd01");
    }
}
