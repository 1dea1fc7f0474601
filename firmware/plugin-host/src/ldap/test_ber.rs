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
        (
            message(2, &tlv(0x65, &[&[0x0a, 1, 0, 4, 0, 4, 0][..], &tlv(0x8a, b"\xff")].concat())),
            "a name that ends ldap3",
        ),
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

/// What ldap3 makes of a message that answers its question: false, if it panics.
fn ldap3_survives(operation: Operation, bytes: &[u8]) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let settings = ldap3::LdapConnSettings::new().set_std_stream(ldap3::StdStream::Unix(theirs));
        let (connection, mut ldap) =
            ldap3::LdapConnAsync::with_settings(settings, "ldapi:///").await.unwrap();
        let driver = tokio::spawn(connection.drive());
        // Answers are taken once the question is known.
        let ask = tokio::spawn(async move {
            if operation == Operation::Bind {
                let _ = ldap.simple_bind("cn=x", "y").await;
            } else {
                let attributes = vec!["cn"];
                let mut stream =
                    ldap.streaming_search("", ldap3::Scope::Base, "(cn=*)", attributes).await.unwrap();
                while let Ok(Some(_)) = stream.next().await {}
                let _ = stream.finish().await;
            }
        });
        let mut question = [0; 512];
        let mut ours = {
            ours.set_nonblocking(true).unwrap();
            tokio::net::UnixStream::from_std(ours).unwrap()
        };
        assert!(tokio::io::AsyncReadExt::read(&mut ours, &mut question).await.unwrap() > 0);
        // Twice: what comes behind the last answer is ldap3's to leave alone.
        for _ in 0..2 {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut ours, bytes).await;
        }
        drop(ours);
        ask.await.is_ok() && driver.await.is_ok()
    })
}

fn control(name: &str, more: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(4, name.as_bytes())[..], more].concat())
}

/// Good messages of all kinds, with id 1.
fn samples() -> Vec<(Operation, Vec<u8>)> {
    let values = tlv(0x31, &[tlv(4, b"Ann"), tlv(4, b"Bo")].concat());
    let attributes = tlv(0x30, &tlv(0x30, &[tlv(4, b"cn"), values].concat()));
    let entry = tlv(0x64, &[tlv(4, b"cn=x"), attributes].concat());
    let referral = tlv(0xa3, &[tlv(4, b"ldap://a"), tlv(4, b"ldap://b")].concat());
    let sent_on = |tag| tlv(tag, &[&[0x0a, 1, 10, 4, 0, 4, 0][..], &referral].concat());
    let cookie = tlv(4, &tlv(0x30, &[2, 1, 7, 4, 1, 9]));
    let controls = [
        control("1.2.840.113556.1.4.319", &cookie),
        control("1.3.6.1.1.13.1", &[1, 1, 0xff, 4, 0]),
        control("1.2.3", &[]),
    ];
    let with_controls = [done(0x65), tlv(0xa0, &controls.concat())].concat();
    let credentials = tlv(0x61, &[&[0x0a, 1, 0, 4, 0, 4, 0][..], &tlv(0x87, b"\xff")].concat());
    vec![
        (Operation::Search, message(1, &entry)),
        (Operation::Search, message(1, &with_controls)),
        (Operation::Search, message(1, &sent_on(0x65))),
        (Operation::Search, message(1, &tlv(0x73, &tlv(4, b"ldap://elsewhere")))),
        (Operation::Bind, message(1, &sent_on(0x61))),
        (Operation::Bind, message(1, &credentials)),
    ]
}

#[test]
fn good_messages_pass_and_ldap3_takes_them_and_breaks_on_what_does_not() {
    for (operation, bytes) in samples() {
        assert!(check(&bytes, operation, 1, &mut 100).is_ok(), "{bytes:?}");
        assert!(ldap3_survives(operation, &bytes), "{bytes:?}");
    }
    // Why all this is done.
    for bytes in [vec![0x30, 0], vec![0x30, 3, 2, 1, 1], message(1, &done(0x61))] {
        assert!(check(&bytes, Operation::Search, 1, &mut 100).is_err());
        assert!(!ldap3_survives(Operation::Search, &bytes), "{bytes:?}: ldap3 has become better");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn whatever_passes_ldap3_survives(
        sample in 0usize..6,
        changes in proptest::collection::vec((any::<usize>(), 0usize..4, any::<u8>()), 1..4)
    ) {
        const LIKELY: [u8; 16] =
            [0, 1, 2, 4, 5, 0x0a, 0x30, 0x31, 0x80, 0x81, 0x87, 0x8a, 0xa0, 0xa3, 0xff, 0x24];
        let (operation, mut bytes) = samples().swap_remove(sample);
        for (at, way, byte) in changes {
            let at = at % bytes.len();
            match way {
                0 => bytes[at] = byte,
                1 => bytes[at] = LIKELY[usize::from(byte) % LIKELY.len()],
                2 => bytes[at] = bytes[at].wrapping_add(1),
                _ => {
                    let other = usize::from(byte) % bytes.len().min(40);
                    bytes.swap(at, other);
                }
            }
        }
        if check(&bytes, operation, 1, &mut 100).is_ok() {
            prop_assert!(ldap3_survives(operation, &bytes), "{bytes:?}");
        }
    }
}
