//! Numbers nobody has: ranges that national regulators keep free for film and fiction.

/// A country with such ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Country {
    France,
    Britain,
    Germany,
    America,
    Ireland,
    Sweden,
    Australia,
}

/// Every country, in the order the demo draws from.
pub(super) const COUNTRIES: [Country; 7] = [
    Country::France,
    Country::Britain,
    Country::Germany,
    Country::America,
    Country::Ireland,
    Country::Sweden,
    Country::Australia,
];

/// A land line number in international writing, different for each `index` below 400.
pub(super) fn office(country: Country, index: usize) -> String {
    let (hundreds, rest) = (index / 100, index % 100);
    match country {
        // ARCEP, numbering plan 2.5.12
        Country::France => {
            let area = ["1 99 00", "2 61 91", "3 53 01", "4 65 71"][hundreds % 4];
            format!("+33 {area} {:02} {rest:02}", (rest * 7 + 12) % 100)
        }
        // Ofcom, numbers for drama use
        Country::Britain => {
            let area = ["20 7946 0", "113 496 0", "161 496 0", "131 496 0"][hundreds % 4];
            format!("+44 {area}{:03}", rest * 9 + 101)
        }
        // Bundesnetzagentur, Mitteilung 148/2021
        Country::Germany => {
            let area = ["30 23125 ", "69 90009 ", "40 66969 ", "89 99998 "][hundreds % 4];
            format!("+49 {area}{:03}", rest * 9 + 100)
        }
        // NANPA: 555-0100 to 555-0199
        Country::America => {
            let area = ["202", "312", "415", "617"][hundreds % 4];
            format!("+1 {area} 555 01{rest:02}")
        }
        // ComReg: 020 91x xxxx
        Country::Ireland => format!("+353 20 91{hundreds} {:04}", rest * 97 + 13),
        // PTS
        Country::Sweden => {
            let area = ["8 465 004 ", "31 390 06 ", "40 628 04 ", "980 319 2"][hundreds % 4];
            format!("+46 {area}{rest:02}")
        }
        // ACMA
        Country::Australia => {
            let area = ["2 5550 ", "3 5550 ", "7 5550 ", "8 5550 "][hundreds % 4];
            format!("+61 {area}{:04}", rest * 97 + 17)
        }
    }
}

/// A mobile number in international writing, where the range is large enough to give each `index` below 1000 its own.
pub(super) fn mobile(country: Country, index: usize) -> Option<String> {
    match country {
        Country::France => Some(format!("+33 6 39 98 {:02} {:02}", index / 100, index % 100)),
        Country::Britain => Some(format!("+44 7700 900{index:03}")),
        _ => None,
    }
}

/// The number as directories in France write it: national numbers with trunk prefix, others behind 00.
pub(super) fn as_dialled_in_france(number: &str) -> String {
    match number.strip_prefix("+33 ") {
        Some(national) => format!("0{national}"),
        None => number.replacen('+', "00 ", 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_number_is_given_twice() {
        let mut seen = BTreeSet::new();
        for country in COUNTRIES {
            for index in 0..400 {
                assert!(seen.insert(office(country, index)), "{country:?} {index}");
            }
        }
        let mobiles: BTreeSet<_> = (0..1000).filter_map(|index| mobile(Country::Britain, index)).collect();
        assert_eq!(mobiles.len(), 1000);
    }

    #[test]
    fn numbers_as_dialled_in_france() {
        assert_eq!(as_dialled_in_france("+33 1 99 00 12 34"), "01 99 00 12 34");
        assert_eq!(as_dialled_in_france("+49 30 23125 100"), "00 49 30 23125 100");
    }
}
