//! Tests of the grammar: what slapd says passes, what breaks it does not, and nothing makes a reader panic.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use ldap3::asn1::StructureTag;
use proptest::prelude::*;

fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag];
    match body.len() {
        0..=0x7f => whole.push(body.len() as u8),
        length => {
            whole.push(0x84);
            whole.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
    whole.extend_from_slice(body);
    whole
}

fn message(id: u8, rest: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&[2, 1, id], rest].concat())
}

fn done(tag: u8) -> Vec<u8> {
    tlv(tag, &[&[0x0a, 1, 0][..], &tlv(4, b""), &tlv(4, b"fine")].concat())
}

fn judged(bytes: &[u8], operation: Operation) -> Result<Kind, Fault> {
    check(bytes, operation, 2, &mut 100)
}

#[test]
fn what_the_grammar_has_passes() {
    let values = tlv(0x31, &[tlv(4, b"Ann"), tlv(4, b"\xff\xfe")].concat());
    let attribute = tlv(0x30, &[tlv(4, b"cn"), values].concat());
    let entry = tlv(0x64, &[tlv(4, "cn=Zoë".as_bytes()), tlv(0x30, &attribute)].concat());
    assert_eq!(judged(&message(2, &entry), Operation::Search), Ok(Kind::Entry));
    let cookie = tlv(0x30, &[&[2, 1, 7][..], &tlv(4, b"more")].concat());
    let control = tlv(0x30, &[tlv(4, b"1.2.840.113556.1.4.319"), tlv(4, &cookie)].concat());
    let with_control = [done(0x65), tlv(0xa0, &control)].concat();
    assert_eq!(judged(&message(2, &with_control), Operation::Search), Ok(Kind::Result(0)));
    assert_eq!(paged(&cookie), Some((7, b"more".to_vec())));
    assert_eq!(judged(&message(2, &done(0x61)), Operation::Bind), Ok(Kind::Result(0)));
    let reference = tlv(0x73, &tlv(4, b"ldap://elsewhere"));
    assert_eq!(judged(&message(2, &reference), Operation::Search), Ok(Kind::Reference));
}

#[test]
fn what_it_has_not_does_not() {
    let nested = (0..2000).fold(Vec::new(), |inner, _| tlv(0x30, &inner));
    let many = tlv(
        0x64,
        &[tlv(4, b"cn=x"), tlv(0x30, &tlv(0x30, &[tlv(4, b"m"), tlv(0x31, &[4, 0].repeat(200))].concat()))]
            .concat(),
    );
    for (bytes, what) in [
        (vec![0x30, 0], "nothing in it"),
        (vec![0x30, 3, 2, 1, 2], "an id and no more"),
        (vec![0x30, 3, 2, 1, 0], "a notice without words"),
        (message(3, &done(0x65)), "another id"),
        (message(2, &done(0x61)), "an answer to a bind"),
        (message(2, &tlv(0x79, b"")), "an intermediate answer"),
        (message(2, &[done(0x65), tlv(0xa1, b"")].concat()), "something behind"),
        (message(2, &tlv(0x64, &tlv(4, b"\xff\xff"))), "a name that is not UTF-8"),
        (message(2, &tlv(0x64, &nested)), "nested"),
        (message(2, &many), "more elements than allowed"),
        (message(2, &[0x64, 0x84, 0xff, 0xff, 0xff, 0xff]), "a length beyond the end"),
        (message(2, &tlv(0x73, b"")), "a reference to nothing"),
        ([message(2, &done(0x65)), vec![0]].concat(), "a byte behind"),
    ] {
        assert!(judged(&bytes, Operation::Search).is_err(), "{what}");
    }
    let notice = tlv(0x78, &[&[0x0a, 1, 52][..], &tlv(4, b""), &tlv(4, b"going down")].concat());
    assert_eq!(judged(&message(0, &notice), Operation::Search), Err(Fault::Notice("going down".to_owned())));
}

/// Whatever passes, ldap3's own reader takes as one element with at least two parts.
fn readable(bytes: &[u8]) -> bool {
    fn depth(tag: &StructureTag) -> usize {
        match &tag.payload {
            ldap3::asn1::PL::P(_) => 1,
            ldap3::asn1::PL::C(parts) => 1 + parts.iter().map(depth).max().unwrap_or(0),
        }
    }
    ldap3::asn1::parse_tag(bytes).is_ok_and(|(rest, tag)| rest.is_empty() && depth(&tag) <= 8)
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        for operation in [Operation::Bind, Operation::Search, Operation::Extended] {
            if judged(&bytes, operation).is_ok() {
                prop_assert!(readable(&bytes));
            }
        }
        let _ = (question(&bytes), paged(&bytes));
    }

    #[test]
    fn a_good_entry_with_some_bytes_changed_is_good_or_refused(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4)
    ) {
        let values = tlv(0x31, &[tlv(4, b"Ann"), tlv(4, b"Bo")].concat());
        let attributes = tlv(0x30, &tlv(0x30, &[tlv(4, b"cn"), values].concat()));
        let mut bytes = message(2, &tlv(0x64, &[tlv(4, b"cn=x"), attributes].concat()));
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if judged(&bytes, Operation::Search).is_ok() {
            prop_assert!(readable(&bytes));
        }
    }
}
