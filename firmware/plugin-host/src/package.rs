//! One file: a component with its manifest and its signature in custom sections at the end. A plain tool
//! still sees a component. The signature covers every byte before its own section. Only the top level of
//! the file is read here: 8 bytes of head, then sections of one byte, a length and a body (WebAssembly
//! component model, binary format). What is inside them is for the compiler.

use thiserror::Error;

/// Custom section with the manifest, TOML.
pub const MANIFEST: &str = "frontdesk:manifest";
/// Custom section with the signature, the text of a `.minisig` file.
pub const SIGNATURE: &str = "frontdesk:signature";
/// The largest file that is looked at, in bytes.
pub const LARGEST: usize = 32 << 20;
/// The largest manifest, in bytes.
pub const LARGEST_MANIFEST: usize = 64 << 10;
/// The largest signature, in bytes.
const LARGEST_SIGNATURE: usize = 4 << 10;
/// More sections than any toolchain writes.
const MOST_SECTIONS: usize = 10_000;

const MAGIC: [u8; 4] = *b"\0asm";
/// Version 0x0d of layer 1, a component; a core module has version 1 of layer 0.
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];
const CORE_MODULE: [u8; 4] = [1, 0, 0, 0];

/// Why a file is no package.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PackageError {
    /// Larger than [`LARGEST`].
    #[error("larger than {} MiB", LARGEST >> 20)]
    TooLarge,
    /// Not WebAssembly at all.
    #[error("not a WebAssembly file")]
    WrongMagic,
    /// A module without the component layer around it.
    #[error("a core module, not a component: build it for wasm32-wasip2")]
    CoreModule,
    /// A version of the binary format that is not known.
    #[error("a version of WebAssembly components that is not known here")]
    UnknownVersion,
    /// The file ends in the middle of a section.
    #[error("the file is cut off or damaged at byte {0}")]
    Truncated(usize),
    /// More than [`MOST_SECTIONS`].
    #[error("more than {MOST_SECTIONS} sections")]
    TooManySections,
    /// There is no manifest section.
    #[error("there is no manifest in it: pack it with frontdesk-plugin")]
    NoManifest,
    /// Two sections of a name that may be there once.
    #[error("there are two sections {0}")]
    Twice(&'static str),
    /// Something follows the signature, which it does not cover.
    #[error("there is something behind the signature")]
    BehindSignature,
    /// A manifest or signature above its size, or not UTF-8.
    #[error("the section {0} is too large or not UTF-8")]
    BadText(&'static str),
}

/// A file taken apart. Borrows from it.
#[derive(Debug, PartialEq, Eq)]
pub struct Package<'file> {
    /// The whole file: what is compiled.
    pub file: &'file [u8],
    /// The manifest, TOML.
    pub manifest: &'file str,
    /// What the signature covers, and the signature; none on an unsigned file.
    pub signature: Option<(&'file [u8], &'file str)>,
}

impl<'file> Package<'file> {
    /// Takes a file apart.
    ///
    /// # Errors
    /// See [`PackageError`]; never panics, whatever the bytes.
    pub fn read(file: &'file [u8]) -> Result<Self, PackageError> {
        let mut manifest = None;
        let mut signature = None;
        for section in sections(file)? {
            if signature.is_some() {
                return Err(PackageError::BehindSignature);
            }
            let Some((name, payload)) = custom(section.id, section.body) else { continue };
            if name == MANIFEST.as_bytes() {
                let text = readable(payload, LARGEST_MANIFEST, MANIFEST)?;
                if manifest.replace(text).is_some() {
                    return Err(PackageError::Twice(MANIFEST));
                }
            } else if name == SIGNATURE.as_bytes() {
                let text = readable(payload, LARGEST_SIGNATURE, SIGNATURE)?;
                let covered = file.get(..section.start).ok_or(PackageError::Truncated(section.start))?;
                signature = Some((covered, text));
            }
        }
        Ok(Self { file, manifest: manifest.ok_or(PackageError::NoManifest)?, signature })
    }
}

/// A component with its manifest: what is signed.
///
/// # Errors
/// If the file is no component, or has a manifest or signature already.
pub fn pack(component: &[u8], manifest: &str) -> Result<Vec<u8>, PackageError> {
    for section in sections(component)? {
        match custom(section.id, section.body) {
            Some((name, _)) if name == MANIFEST.as_bytes() => return Err(PackageError::Twice(MANIFEST)),
            Some((name, _)) if name == SIGNATURE.as_bytes() => return Err(PackageError::BehindSignature),
            _ => {}
        }
    }
    Ok(with_section(component, MANIFEST, manifest.as_bytes()))
}

/// A packed file with its signature: what is uploaded.
///
/// # Errors
/// If the file is no package, or is signed already.
pub fn seal(packed: &[u8], signature: &str) -> Result<Vec<u8>, PackageError> {
    if Package::read(packed)?.signature.is_some() {
        return Err(PackageError::Twice(SIGNATURE));
    }
    Ok(with_section(packed, SIGNATURE, signature.as_bytes()))
}

struct Section<'file> {
    start: usize,
    id: u8,
    body: &'file [u8],
}

fn sections(file: &[u8]) -> Result<Vec<Section<'_>>, PackageError> {
    if file.len() > LARGEST {
        return Err(PackageError::TooLarge);
    }
    let (magic, rest) = file.split_first_chunk::<4>().ok_or(PackageError::WrongMagic)?;
    if *magic != MAGIC {
        return Err(PackageError::WrongMagic);
    }
    match rest.first_chunk::<4>() {
        Some(version) if *version == COMPONENT => {}
        Some(version) if *version == CORE_MODULE => return Err(PackageError::CoreModule),
        Some(_) => return Err(PackageError::UnknownVersion),
        None => return Err(PackageError::Truncated(file.len())),
    }
    let mut found = Vec::new();
    let mut at = 8;
    while let Some(id) = file.get(at) {
        if found.len() == MOST_SECTIONS {
            return Err(PackageError::TooManySections);
        }
        let start = at;
        let rest = file.get(at + 1..).unwrap_or_default();
        let (length, width) = leb128(rest).ok_or(PackageError::Truncated(start))?;
        let body_start = at + 1 + width;
        at = body_start.checked_add(length).ok_or(PackageError::Truncated(start))?;
        let body = file.get(body_start..at).ok_or(PackageError::Truncated(start))?;
        found.push(Section { start, id: *id, body });
    }
    Ok(found)
}

/// Name and payload of a custom section (id 0).
fn custom(id: u8, body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, width) = leb128(body)?;
    (id == 0).then_some(())?;
    let rest = body.get(width..)?;
    Some((rest.get(..length)?, rest.get(length..)?))
}

fn readable<'file>(
    payload: &'file [u8],
    largest: usize,
    name: &'static str,
) -> Result<&'file str, PackageError> {
    if payload.len() > largest {
        return Err(PackageError::BadText(name));
    }
    str::from_utf8(payload).map_err(|_| PackageError::BadText(name))
}

/// An unsigned 32-bit number and how many bytes it took, at most five.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value: u64 = 0;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, place + 1));
        }
    }
    None
}

fn with_section(file: &[u8], name: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(payload.len() + name.len() + 5);
    write_leb128(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(payload);
    let mut whole = file.to_vec();
    whole.push(0);
    write_leb128(&mut whole, body.len());
    whole.extend_from_slice(&body);
    whole
}

fn write_leb128(into: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        into.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_file_is_packed_sealed_and_read_back() {
        let packed = pack(EMPTY, "manifest = 1").unwrap();
        assert_eq!(Package::read(&packed).unwrap().signature, None);
        let sealed = seal(&packed, "signed").unwrap();
        let package = Package::read(&sealed).unwrap();
        assert_eq!(package.manifest, "manifest = 1");
        assert_eq!(package.signature, Some((packed.as_slice(), "signed")));
    }

    #[test]
    fn what_is_no_package_says_why() {
        let mut behind = seal(&pack(EMPTY, "x").unwrap(), "y").unwrap();
        behind.extend_from_slice(&[0, 2, 1, b'z']);
        let twice = with_section(&pack(EMPTY, "x").unwrap(), MANIFEST, b"other");
        let large = with_section(EMPTY, MANIFEST, &vec![b'#'; LARGEST_MANIFEST + 1]);
        for (file, error) in [
            (b"PK\x03\x04zip".to_vec(), PackageError::WrongMagic),
            (Vec::new(), PackageError::WrongMagic),
            (b"\0asm\x01\0\0\0".to_vec(), PackageError::CoreModule),
            (b"\0asm\x0e\0\x01\0".to_vec(), PackageError::UnknownVersion),
            (b"\0asm\x0d".to_vec(), PackageError::Truncated(5)),
            (EMPTY.to_vec(), PackageError::NoManifest),
            ([EMPTY, &[0, 9, 1]].concat(), PackageError::Truncated(8)),
            ([EMPTY, &[0, 0xff, 0xff, 0xff, 0xff, 0xff]].concat(), PackageError::Truncated(8)),
            (behind, PackageError::BehindSignature),
            (twice, PackageError::Twice(MANIFEST)),
            (large, PackageError::BadText(MANIFEST)),
            (vec![0; LARGEST + 1], PackageError::TooLarge),
        ] {
            assert_eq!(Package::read(&file), Err(error));
        }
        assert_eq!(
            seal(&seal(&pack(EMPTY, "x").unwrap(), "y").unwrap(), "z").unwrap_err(),
            PackageError::Twice(SIGNATURE)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_at_all_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Package::read(&bytes);
            let _ = Package::read(&[EMPTY, &bytes].concat());
        }

        #[test]
        fn no_byte_before_the_signature_can_change_unseen(at in 0usize..1000, flip in 1u8..) {
            let packed = pack(EMPTY, &"# a manifest\n".repeat(20)).unwrap();
            let mut sealed = seal(&packed, "signed").unwrap();
            let at = at % packed.len();
            sealed[at] ^= flip;
            if let Ok(package) = Package::read(&sealed) {
                prop_assert!(package.signature.is_none_or(|(covered, _)| covered != packed.as_slice()));
            }
        }

        #[test]
        fn every_cut_is_noticed(cut in 1usize..1000) {
            let sealed = seal(&pack(EMPTY, "manifest = 1").unwrap(), "signed").unwrap();
            let kept = sealed.len() - 1 - cut % (sealed.len() - 1);
            let read = Package::read(&sealed[..kept]);
            prop_assert!(read.is_err() || read.unwrap().signature.is_none());
        }
    }
}
