//! What RAUC prints, and the versions of bundles.

use std::cmp::Ordering;

#[path = "../../../firmware/update/src/version.rs"]
mod version_of;

use version_of::compare;

/// The three things that are read of RAUC, of which at most one is meant.
pub(crate) fn rauc(bytes: &[u8]) -> bool {
    let Ok(printed) = str::from_utf8(bytes) else { return false };
    let system = update::system(printed);
    if let Ok(system) = &system {
        assert!(system.slots.is_sorted_by(|one, next| one.name <= next.name), "{system:?}");
        assert!(!system.compatible.is_empty() && system.slots.iter().all(|slot| !slot.bootname.is_empty()));
        assert!(system.booted().is_none_or(|slot| slot.booted));
        if let (Some(booted), Some(other)) = (system.booted(), system.other()) {
            assert!(!std::ptr::eq(booted, other), "an update is not written where it runs: {system:?}");
        }
    }
    let manifest = update::manifest(printed);
    let progress = update::progress(printed);
    assert!(progress.is_none_or(|(percent, words)| percent <= 100 && words.trim() == words));
    system.is_ok() || manifest.is_ok() || progress.is_some()
}

/// Three versions, a line each: however they stand to each other, they do so in an order.
pub(crate) fn version(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let mut lines = text.splitn(3, '\n');
    let [one, two, three] = [(); 3].map(|()| lines.next().unwrap_or_default());
    for version in [one, two, three] {
        assert!(matches!(compare(version, version), None | Some(Ordering::Equal)), "{version:?}");
    }
    let (first, second, both) = (compare(one, two), compare(two, three), compare(one, three));
    assert_eq!(compare(two, one), first.map(Ordering::reverse));
    if let (Some(first), Some(second)) = (first, second)
        && (first == second || second == Ordering::Equal || first == Ordering::Equal)
    {
        let expected = if first == Ordering::Equal { second } else { first };
        assert_eq!(both, Some(expected), "{one:?} {two:?} {three:?}");
    }
    first.is_some()
}
