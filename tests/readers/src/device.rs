//! What a USB telephone says of itself and sends, and the table of devices that an integrator writes.

use std::time::Duration;

use controls::descriptor::{Descriptor, MAX_DESCRIPTOR, MAX_REPORT_BITS, Way};
use controls::desk::Lamps;
use controls::table::{DeviceTable, Identity, OWN, Profile};
use controls::telephone::Telephone;

/// Places of a field that are looked at one by one.
const PLACES: usize = 4;
/// Reports of one input.
const REPORTS: usize = 64;

/// Two bytes of length and a report descriptor; then reports, each with a byte of length.
pub(crate) fn hid(bytes: &[u8]) -> bool {
    let Some((&[high, low], rest)) = bytes.split_first_chunk() else { return false };
    let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (descriptor, mut reports) = rest.split_at(length);
    let Ok(descriptor) = Descriptor::parse(descriptor) else { return false };
    assert!(length <= MAX_DESCRIPTOR);
    for field in &descriptor.fields {
        assert!((1..=32).contains(&field.size) && field.count > 0, "{field:?}");
        assert!(field.offset + field.size * field.count <= MAX_REPORT_BITS, "{field:?}");
        for place in (0..field.count.min(PLACES)).chain([field.count - 1]) {
            let usage = field.usage(place);
            assert!(usage.is_none_or(|usage| field.has(usage) && field.is_of(usage.page())), "{field:?}");
            if let Some(first) = usage.map(|usage| field.place(usage)) {
                assert!(
                    first.is_some_and(|first| first <= place && field.usage(first) == usage),
                    "{field:?}"
                );
            }
            let mut report = vec![0; (field.offset + field.size * field.count).div_ceil(8)];
            field.put(&mut report, place, u32::MAX >> (32 - field.size));
            assert_eq!(field.value(&report, place), Some(u32::MAX >> (32 - field.size)), "{field:?}");
            let ones: u32 = report.iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(ones as usize, field.size, "what is put goes to its own place");
        }
        if field.way == Way::Output {
            let empty = descriptor.empty_output(field.report);
            assert!(empty.len() > 1 && empty.len() <= 1 + MAX_REPORT_BITS.div_ceil(8));
        }
    }
    let Some(mut telephone) = Telephone::new(descriptor, &Profile::default()) else { return true };
    let mut now = Duration::ZERO;
    for _ in 0..REPORTS {
        let Some((&length, rest)) = reports.split_first() else { break };
        let (report, rest) = rest.split_at(usize::from(length).min(rest.len()));
        reports = rest;
        now += Duration::from_millis(u64::from(length));
        let (_, bad) = telephone.report(now, report);
        assert!(bad.is_none_or(|bad| !bad.to_string().is_empty()));
        let lamps = Lamps {
            off_hook: length & 1 != 0,
            ring: length & 2 != 0,
            mute: length & 4 != 0,
            hold: length & 8 != 0,
            message: length & 16 != 0,
        };
        let told = telephone.show(now, lamps);
        assert!(told.iter().all(|report| report.len() <= 1 + MAX_REPORT_BITS.div_ceil(8)));
        assert_eq!(telephone.show(now, lamps), [] as [Vec<u8>; 0], "it shows that already");
        telephone.tick(now);
    }
    true
}

/// A table, which may stand before the one of the program.
pub(crate) fn device_table(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let table = match DeviceTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    let own = DeviceTable::parse(OWN).unwrap_or_else(|error| panic!("{error}"));
    let alone = table.reset_key();
    let both = table.then(own);
    assert!(alone.is_none() || both.reset_key() == alone, "the first table counts");
    for (vendor, product) in [(0x0b0e, 0x0300), (0, 0), (0xffff, 0xffff)] {
        let _ = both.profile(&Identity { name: "USB Keypad".into(), vendor, product });
    }
    true
}
