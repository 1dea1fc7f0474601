//! Law 8: what devices say can be anything at all. Whatever a descriptor promises and reports bring, there is no panic, and
//! memory and time stay bounded.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use controls::descriptor::{Descriptor, MAX_DESCRIPTOR};
use controls::desk::{Glance, Lamps};
use controls::keys::{Keys, Out};
use controls::samples;
use controls::table::{Hook, Kind, Mute, Profile};
use controls::telephone::Telephone;
use proptest::prelude::*;

/// Pieces of which descriptors are made, so that many random ones are telephones.
fn item() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..6),
        Just(vec![0x05, 0x0b]),
        Just(vec![0x05, 0x08]),
        (0x1f_u8..0x32).prop_map(|usage| vec![0x09, usage]),
        Just(vec![0x19, 0xb0, 0x29, 0xbb]),
        (0_u8..40).prop_map(|size| vec![0x75, size]),
        (0_u8..20).prop_map(|count| vec![0x95, count]),
        (0_u8..4).prop_map(|report| vec![0x85, report]),
        (any::<u8>(), any::<u8>()).prop_map(|(least, most)| vec![0x15, least, 0x25, most]),
        (any::<u8>()).prop_map(|flags| vec![0x81, flags]),
        (any::<u8>()).prop_map(|flags| vec![0x91, flags]),
        Just(vec![0xa1, 0x01]),
        Just(vec![0xc0]),
        Just(vec![0xa4]),
        Just(vec![0xb4]),
    ]
}

/// A real descriptor with bytes changed, or one made of pieces.
fn descriptor() -> impl Strategy<Value = Vec<u8>> {
    let real = prop_oneof![
        Just(samples::HEADSET.to_vec()),
        Just(samples::HANDSET.to_vec()),
        Just(samples::BOOT_KEYBOARD.to_vec())
    ];
    let changed = (real, prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4));
    prop_oneof![
        changed.prop_map(|(mut bytes, changes)| {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        }),
        prop::collection::vec(item(), 0..60).prop_map(|items| items.concat()),
    ]
}

fn profile() -> impl Strategy<Value = Profile> {
    let hook = prop_oneof![
        Just(None),
        Just(Some(Hook::Button)),
        Just(Some(Hook::Headset)),
        Just(Some(Hook::Handset))
    ];
    let mute = prop_oneof![Just(None), Just(Some(Mute::State)), Just(Some(Mute::Toggle))];
    (hook, mute, any::<Option<bool>>()).prop_map(|(hook, mute, echo)| Profile {
        hook,
        mute,
        echo,
        ..Profile::default()
    })
}

fn lamps(bits: u8) -> Lamps {
    let bit = |n: u8| bits >> n & 1 == 1;
    Lamps { off_hook: bit(0), ring: bit(1), mute: bit(2), hold: bit(3), message: bit(4) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn law_8_hw_1_no_descriptor_and_no_report_is_too_much(
        bytes in descriptor(),
        profile in profile(),
        reports in prop::collection::vec((0_u64..3000, prop::collection::vec(any::<u8>(), 0..40), any::<u8>()), 0..20),
    ) {
        let Ok(read) = Descriptor::parse(&bytes) else { return Ok(()) };
        let Some(mut telephone) = Telephone::new(read, &profile) else { return Ok(()) };
        let mut now = Duration::ZERO;
        for (later, report, shown) in reports {
            now += Duration::from_millis(later);
            let (acts, _) = telephone.report(now, &report);
            prop_assert!(acts.len() <= 8 * report.len() + 4);
            for output in telephone.show(now, lamps(shown)) {
                prop_assert!(!output.is_empty() && output.len() <= 16_385);
            }
            prop_assert!(telephone.show(now, lamps(shown)).is_empty(), "told once");
            telephone.tick(now);
        }
        // It comes to rest.
        let mut looks = 0;
        while let Some(due) = telephone.due() {
            now = now.max(due);
            telephone.tick(now);
            telephone.show(now, Lamps::default());
            looks += 1;
            prop_assert!(looks < 20);
        }
    }

    #[test]
    fn law_8_hw_1_bytes_are_a_descriptor_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..2 * MAX_DESCRIPTOR)) {
        if let Ok(read) = Descriptor::parse(&bytes) {
            prop_assert!(read.fields.len() <= MAX_DESCRIPTOR);
        }
    }

    #[test]
    fn law_8_hw_2_every_key_that_the_screen_was_sent_is_released(
        is_keypad in any::<bool>(),
        events in prop::collection::vec((0_u64..4000, 0_u16..800, -1_i32..4, any::<bool>()), 0..200),
    ) {
        let kind = if is_keypad { Kind::Keypad } else { Kind::Phone };
        let mut keys = Keys::new(kind, &Profile::default(), |_| false, false);
        let (mut now, mut down) = (Duration::ZERO, Vec::new());
        let mut hear = |out: Vec<Out>| {
            for out in out {
                match out {
                    Out::Key { code, down: true } => down.push(code),
                    Out::Key { code, down: false } => {
                        let at = down.iter().position(|known| *known == code);
                        down.remove(at.expect("what is released was pressed"));
                    }
                    _ => {}
                }
            }
            down.len()
        };
        for (later, code, value, has_screen) in events {
            now += Duration::from_millis(later);
            let desk = Glance { has_screen, ..Glance::default() };
            hear(keys.key(now, code, value, &desk));
        }
        prop_assert_eq!(hear(keys.gone()), 0);
    }
}
