//! Numbers as they stand in customer databases, compared with the spellings of a caller's number. The search of
//! a service finds endings and parts of words; what it finds is a customer only if the whole number is the same.
//! There is no comparing of endings: a wrong name on the screen is worse than none. How numbers are written in a
//! country is known to the host, which prepared the spellings.

/// The longest number, in digits: E.164 has 15, a prefix may come before.
const LONGEST: usize = 17;
/// What stands between two numbers in one field.
const BETWEEN: [&str; 6] = [";", ",", "\n", "|", " / ", " or "];
/// The longest ending that is worth searching for, in digits.
const ENDING: usize = 8;

/// Whether a field holds one of these spellings: digit by digit, whatever stands between the digits, `00` as
/// `+`, an extension behind it left out. A field may hold several numbers.
#[must_use]
pub fn same_number(field: &str, spellings: &[String]) -> bool {
    let spelled: Vec<Plain> = spellings.iter().filter_map(|spelling| Plain::read(spelling)).collect();
    numbers(field).iter().filter_map(|number| Plain::read(number)).any(|number| spelled.contains(&number))
}

/// The digits with which all spellings end, at most eight: what a service is searched for where it cannot be
/// asked for a number as such. None where there is no number.
#[must_use]
pub fn ending(spellings: &[String]) -> Option<String> {
    let mut all = spellings.iter().filter_map(|spelling| Plain::read(spelling)).map(|plain| plain.digits);
    let first = all.next()?;
    let common = all.fold(first.clone(), |common, digits| {
        let same =
            common.bytes().rev().zip(digits.bytes().rev()).take_while(|(one, other)| one == other).count();
        common[common.len() - same..].to_owned()
    });
    // Spellings that have too little in common are of several numbers: the best one counts.
    let chosen = if common.len() >= first.len().min(5) { common } else { first };
    Some(chosen[chosen.len().saturating_sub(ENDING)..].to_owned())
}

fn numbers(field: &str) -> Vec<&str> {
    BETWEEN.iter().fold(vec![field], |pieces, between| {
        pieces.into_iter().flat_map(|piece| piece.split(between)).collect()
    })
}

/// A number without its dress.
#[derive(Debug, PartialEq, Eq)]
struct Plain {
    /// With the country's code.
    world: bool,
    digits: String,
}

impl Plain {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => text[4..].trim_start(),
            _ => text,
        };
        let plus = text.starts_with('+');
        let text = text.strip_prefix('+').unwrap_or(text);
        if !text.starts_with(|first: char| first.is_ascii_digit() || first == '(' || first == ' ' && plus) {
            return None;
        }
        // "+41 (0)44", "0041 (0)44": the prefix that is left out from abroad.
        let is_abroad = plus || text.starts_with("00");
        let text = if is_abroad { text.replacen("(0)", "", 1) } else { text.to_owned() };
        let mut digits = String::new();
        for character in text.chars() {
            match character {
                '0'..='9' => digits.push(character),
                ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2013}' => {}
                // What follows is an extension or a remark.
                _ => break,
            }
        }
        let abroad = (!plus).then(|| digits.strip_prefix("00")).flatten().filter(|rest| rest.len() >= 7);
        let (world, digits) = match abroad {
            Some(rest) => (true, rest.to_owned()),
            None => (plus, digits),
        };
        (2..=LONGEST).contains(&digits.len()).then_some(Self { world, digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spellings(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_number_is_the_same_in_every_dress_and_no_other_is() {
        let caller = spellings(&["+41445550001", "0445550001"]);
        for same in [
            "+41 44 555 00 01",
            "0041445550001",
            "+41 (0)44 555-00-01",
            "0041 (0)44 555-00-01",
            "044/555 00 01",
            "(044) 555.00.01",
            "tel:+41-44-555-00-01;ext=12",
            "044 555 00 01 ext. 12",
            "044\u{a0}555\u{202f}00 01",
            "079 555 01 02 / 044 555 00 01",
            "079 555 01 02; 0445550001",
        ] {
            assert!(same_number(same, &caller), "{same}");
        }
        for other in [
            "",
            "+",
            "0001",
            "555 00 01",
            "+33 44 555 00 01",
            "+41 44 555 00 012",
            "0445550001 0445550001",
            "41445550001",
            "call 0445550001",
            "044555000",
            "é044",
        ] {
            assert!(!same_number(other, &caller), "{other}");
        }
        let american = spellings(&["+14035551212", "14035551212", "4035551212", "01114035551212"]);
        assert!(same_number("(403) 555-1212", &american) && same_number("1-403-555-1212", &american));
        assert!(!same_number("044 555 00 01", &[]));
        assert!(!same_number("", &spellings(&["", "anonymous"])));
    }

    #[test]
    fn the_ending_is_what_all_spellings_share() {
        assert_eq!(ending(&spellings(&["+33145672110", "0145672110"])).as_deref(), Some("45672110"));
        assert_eq!(ending(&spellings(&["+496912345", "06912345", "12345"])).as_deref(), Some("12345"));
        assert_eq!(ending(&spellings(&["21"])).as_deref(), Some("21"));
        assert_eq!(ending(&spellings(&["+41445550001", "0795550102"])).as_deref(), Some("45550001"));
        assert_eq!(ending(&spellings(&["anonymous", ""])), None);
    }

    proptest! {
        #[test]
        fn dressed_digits_stay_the_same_and_others_differ(
            one in "[1-9][0-9]{5,14}",
            other in "[1-9][0-9]{5,14}",
            dress in prop::collection::vec("[ ./-]{0,2}", 15),
            plus in any::<bool>(),
        ) {
            let sign = if plus { "+" } else { "" };
            let dressed: String = one.chars().zip(&dress).map(|(digit, between)| format!("{digit}{between}")).collect();
            let dressed = format!("{sign}{dressed}");
            // Two numbers in one field are divided by " / ", which no dress may be.
            prop_assume!(!dressed.contains(" / "));
            let (same, perhaps) = (format!("{sign}{one}"), format!("{sign}{other}"));
            prop_assert!(same_number(&dressed, &[same]));
            prop_assert_eq!(same_number(&dressed, &[perhaps]), one == other);
            let without = if plus { one.clone() } else { format!("+{one}") };
            prop_assert!(!same_number(&dressed, &[without]));
        }

        #[test]
        fn anything_can_be_read(field in "\\PC{0,40}", spelling in "\\PC{0,40}") {
            let spelled = [spelling.clone(), "+41445550001".to_owned()];
            if same_number(&field, &spelled) {
                // Then it has at least two digits of its own.
                let digits = field.chars().filter(char::is_ascii_digit).count();
                prop_assert!(digits >= 2);
            }
            let _ = ending(&spelled);
        }

        #[test]
        fn what_is_searched_for_is_in_each_of_them(national in "[1-9][0-9]{6,9}") {
            let all = [format!("+41{national}"), format!("0{national}"), format!("0041{national}")];
            let ending = ending(&all).unwrap_or_default();
            let in_each = all.iter().all(|spelling| spelling.ends_with(&ending));
            prop_assert!(ending.len() >= 7 && in_each);
        }
    }
}
