//! What an LDAP server sends, before `ldap3` sees it, and what an administrator types for it.

use ldap3::asn1::{PL, StructureTag, Tag, parse_tag};
use ldap3::result::LdapResult;
use ldap3::{ResultEntry, SearchEntry, parse_filter, parse_refs};

use crate::ldap::ber::{self, Kind, Operation};
use crate::ldap::names::{FILTER, check_dn, check_filter};

/// Elements that may be in a message.
const ELEMENTS: usize = 5_000;
/// Parentheses in each other from which on a filter is left alone: `ldap3` calls itself for each.
const DEPTH: usize = 32;

/// The first byte says what was asked; then comes the message, whose number is 7.
pub(crate) fn ldap(bytes: &[u8]) -> bool {
    let Some((&operation, message)) = bytes.split_first() else { return false };
    let operation = match operation % 3 {
        0 => Operation::Bind,
        1 => Operation::Search,
        _ => Operation::Extended,
    };
    let _ = (ber::question(message), ber::paged(message));
    let mut left = ELEMENTS;
    let Ok(kind) = ber::check(message, operation, 7, &mut left) else { return false };
    // A head has two bytes.
    assert!(left < ELEMENTS && (ELEMENTS - left) * 2 <= message.len());
    for length in [message.len() - 1, message.len() / 2, 1] {
        assert!(
            ber::check(&message[..length], operation, 7, &mut ELEMENTS.clone()).is_err(),
            "a part is no message"
        );
    }
    let doubled = [message, message].concat();
    assert!(ber::check(&doubled, operation, 7, &mut ELEMENTS.clone()).is_err(), "two are not one");
    given_to_ldap3(kind, message);
    true
}

/// What the guard lets through breaks nothing in the reader behind it, which panics where a server breaks the grammar.
fn given_to_ldap3(kind: Kind, message: &[u8]) {
    let Ok((rest, whole)) = parse_tag(message) else { panic!("ldap3 reads no element") };
    assert!(rest.is_empty(), "ldap3 reads less than the guard");
    let PL::C(parts) = whole.payload else { panic!("ldap3 sees no sequence") };
    let operation: StructureTag =
        parts.into_iter().nth(1).unwrap_or_else(|| panic!("ldap3 sees no operation"));
    match kind {
        Kind::Entry => {
            SearchEntry::construct(ResultEntry::new(operation));
        }
        Kind::Reference => {
            parse_refs(operation);
        }
        Kind::Result(code) => {
            assert_eq!(LdapResult::from(Tag::StructureTag(operation)).rc, code);
        }
    }
}

/// A filter or a distinguished name.
pub(crate) fn ldap_words(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let is_name = check_dn(text).is_ok();
    assert!(!is_name || !text.contains('\0'));
    let checked = check_filter(text);
    if checked.is_ok() {
        // It may be wrong all the same, but leads nobody too deep.
        let _ = parse_filter(text);
        let mut depth = 0_usize;
        for byte in text.bytes() {
            depth = if byte == b'(' { depth + 1 } else { depth.saturating_sub(usize::from(byte == b')')) };
            assert!(depth <= DEPTH, "{text:?}");
        }
        assert!(text.len() <= FILTER);
    }
    is_name || checked.is_ok()
}
