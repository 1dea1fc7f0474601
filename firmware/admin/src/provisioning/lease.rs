//! What DHCP says of where a telephone finds its settings: options 66 (TFTP server name) and 43 (vendor-specific
//! information) of leases, as RFC 2132 has them.
//!
//! Leases are files of lines `NAME=value`: those of systemd-networkd, which keeps option 43 as `VENDOR_SPECIFIC` and no
//! option 66, and those of `frontdeskd dhcp-options`, which asks for both. Not done here: what the words mean.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Largest file that is looked at, in bytes; a lease has some hundred.
const LARGEST: u64 = 64 * 1024;
/// Most files of a folder that are looked at: one an interface.
const MOST: usize = 64;

/// Words of a DHCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// 66 or 43.
    pub(crate) option: u8,
    /// An address, or the name of a machine.
    pub(crate) text: String,
}

/// What the leases in these folders offer: addresses by https first, then option 66 before option 43, else in the order of
/// folders and names. A bare name in option 66 is often that of a server for other telephones, or for starting computers.
pub(crate) fn offers<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Vec<Offer> {
    let mut found: Vec<Offer> = folders.into_iter().flat_map(files).flat_map(|text| of_text(&text)).collect();
    found.sort_by_key(|offer| (!is_secure(&offer.text), offer.option != 66));
    found
}

/// The files of a folder, by name; none where there is no folder.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.take(MOST).filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let mut text = Vec::new();
        fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    };
    paths.iter().filter_map(read).collect()
}

/// What one lease offers.
pub(super) fn of_text(lease: &str) -> Vec<Offer> {
    let mut offers = Vec::new();
    for line in lease.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let offer = match name.trim() {
            "OPTION_66" => bytes(value).and_then(|bytes| words(&bytes)).map(|text| (66, text)),
            "OPTION_43" | "VENDOR_SPECIFIC" => {
                bytes(value).and_then(|bytes| vendor(&bytes)).map(|text| (43, text))
            }
            _ => None,
        };
        offers.extend(offer.map(|(option, text)| Offer { option, text }));
    }
    offers
}

/// The address in vendor-specific information: all of it, or that of the first sub-option that has one. Each maker of
/// telephones has another number for it, so the number does not matter.
fn vendor(information: &[u8]) -> Option<String> {
    if let Some(whole) = words(information).filter(|text| is_address(text)) {
        return Some(whole);
    }
    let mut rest = information;
    while let [code, more @ ..] = rest {
        match (*code, more) {
            // Padding has no length; the end is the end.
            (0, _) => rest = more,
            (255, _) | (_, []) => return None,
            (_, [length, more @ ..]) => {
                let value = more.get(..usize::from(*length))?;
                if let Some(address) = words(value).filter(|text| is_address(text)) {
                    return Some(address);
                }
                rest = &more[value.len()..];
            }
        }
    }
    None
}

fn is_secure(text: &str) -> bool {
    text.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("https://"))
}

fn is_address(text: &str) -> bool {
    let head = text.get(..8).unwrap_or_default().to_ascii_lowercase();
    head.starts_with("https://") || head.starts_with("http://")
}

/// Text of a server; some end it with zeros. `None` where it is none.
fn words(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let text = std::str::from_utf8(&bytes[..end]).ok()?.trim();
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

/// Hexadecimal digits as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.trim().chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// As systemd 252 writes it for `RequestOptions=43`, with what dnsmasq gives by
    /// `dhcp-option=vendor:frontdesk,1,"https://pbx.example/desks/"`.
    const NETWORKD: &str = "# This is private data. Do not parse.\nADDRESS=192.0.2.23\nNETMASK=255.255.255.0\n\
        ROUTER=192.0.2.1\nSERVER_ADDRESS=192.0.2.1\nNEXT_SERVER=192.0.2.1\nBROADCAST=192.0.2.255\nT1=1800\nT2=3150\n\
        LIFETIME=3600\nDNS=192.0.2.1\nNTP=192.0.2.1\nDOMAINNAME=office.example\nCLIENTID=01525400123456\n\
        VENDOR_SPECIFIC=011a68747470733a2f2f7062782e6578616d706c652f6465736b732f\nOPTION_247=48616c6c6f\n";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn texts(lease: &str) -> Vec<(u8, String)> {
        of_text(lease).into_iter().map(|offer| (offer.option, offer.text)).collect()
    }

    #[test]
    fn app_5_option_43_of_a_lease_of_networkd_is_read() {
        assert_eq!(texts(NETWORKD), [(43, "https://pbx.example/desks/".to_owned())]);
    }

    #[test]
    fn app_5_an_address_goes_before_a_bare_name_and_option_66_before_43() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("2"), NETWORKD).unwrap();
        for (name, said) in [("3", &b"boot.example\0"[..]), ("4", b"HTTPS://other.example/")] {
            fs::write(folder.path().join(name), format!("OPTION_66={}\n", hex(said))).unwrap();
        }
        let nowhere = folder.path().join("nowhere");
        let offers = offers([nowhere.as_path(), folder.path()]);
        let said: Vec<(u8, &str)> = offers.iter().map(|offer| (offer.option, offer.text.as_str())).collect();
        let wanted =
            [(66, "HTTPS://other.example/"), (43, "https://pbx.example/desks/"), (66, "boot.example")];
        assert_eq!(said, wanted);
    }

    #[test]
    fn app_5_vendors_put_the_address_where_they_like() {
        let of = |bytes: &[u8]| texts(&format!("VENDOR_SPECIFIC={}", hex(bytes)));
        let plain = b"http://10.0.0.5:8080/p";
        assert_eq!(of(plain), [(43, "http://10.0.0.5:8080/p".to_owned())], "without sub-options");
        // A number of minutes, padding, then the address, then the end.
        let nested = [&[4, 2, 0, 30, 0, 0, 160, 10][..], b"HTTPS://a/", &[255, 1, 2]].concat();
        assert_eq!(of(&nested), [(43, "HTTPS://a/".to_owned())]);
        for nothing in [&[][..], &[1], &[1, 9, b'h'], &[255], &[0, 0], &[3, 4, 10, 0, 0, 1], b"tftp.example"]
        {
            assert_eq!(of(nothing), [], "{nothing:?}");
        }
    }

    #[test]
    fn app_5_what_is_no_hexadecimal_or_no_text_offers_nothing() {
        for lease in [
            "",
            "OPTION_66",
            "OPTION_66=",
            "OPTION_66=6",
            "OPTION_66=zz",
            "OPTION_66=c3",
            "OPTION_66=0000",
            "OPTION_66=612062",
        ] {
            assert_eq!(texts(lease), [], "{lease}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_in_a_lease_is_no_panic(value in proptest::collection::vec(proptest::num::u8::ANY, 0..80), text in "\\PC{0,60}") {
            let _ = of_text(&format!("VENDOR_SPECIFIC={}\nOPTION_66={}\n{text}", hex(&value), hex(&value)));
            let _ = of_text(&text);
        }
    }
}
