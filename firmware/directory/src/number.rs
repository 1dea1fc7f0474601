//! Telephone numbers as people and exchanges write them, reconciled (CALL-5).
//!
//! A number is *read* in each way it can be meant; two numbers are the same when a reading of one equals
//! a reading of the other. There is no comparing of endings: extension 2110 is never taken for
//! +33 1 45 67 21 10. Not done here: knowledge of each country's number lengths.

use std::fmt;
use std::ops::RangeInclusive;

use crate::fold::fold;

/// How numbers are written where the desk stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberPlan {
    /// Country code without prefix, `33` in France.
    pub country: String,
    /// What precedes a national number, `0` in France; empty where there is none.
    pub trunk_prefix: String,
    /// The area's code without trunk prefix, `30` in Berlin; none where people always dial the whole number.
    pub area: Option<String>,
    /// What precedes an international number in place of `+`, `00` in most of Europe.
    pub international_prefix: String,
    /// What the exchange wants dialled, and may show, before outside numbers; often `0`.
    pub outside_prefix: Option<String>,
    /// Lengths of the exchange's own extensions, in digits.
    pub extension_lengths: RangeInclusive<u8>,
}

impl Default for NumberPlan {
    fn default() -> Self {
        Self {
            country: "33".into(),
            trunk_prefix: "0".into(),
            area: None,
            international_prefix: "00".into(),
            outside_prefix: None,
            extension_lengths: 2..=6,
        }
    }
}

/// Why two numbers are the same, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchRule {
    /// The same extension.
    Extension,
    /// The same digits.
    Identical,
    /// Both international, one with `+` and one with the prefix.
    International,
    /// One national, one international, of the plan's country.
    National,
    /// One lacks the trunk prefix.
    TrunkPrefix,
    /// One has the country code without `+` or prefix.
    CountryCode,
    /// One lacks the area's code.
    Area,
    /// One has the prefix for outside calls.
    OutsidePrefix,
}

impl From<MatchRule> for ipc::NumberMatch {
    fn from(rule: MatchRule) -> Self {
        match rule {
            MatchRule::Extension => Self::Extension,
            MatchRule::Identical => Self::Identical,
            MatchRule::International => Self::International,
            MatchRule::National => Self::National,
            MatchRule::TrunkPrefix => Self::TrunkPrefix,
            MatchRule::CountryCode => Self::CountryCode,
            MatchRule::Area => Self::Area,
            MatchRule::OutsidePrefix => Self::OutsidePrefix,
        }
    }
}

impl fmt::Display for MatchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Extension => "same extension",
            Self::Identical => "same digits",
            Self::International => "same international number",
            Self::National => "national form of the international number",
            Self::TrunkPrefix => "same number but for the trunk prefix",
            Self::CountryCode => "same number with the country code",
            Self::Area => "same number within the area",
            Self::OutsidePrefix => "same number behind the prefix for outside calls",
        })
    }
}

/// Longest number that is compared: E.164 has 15 digits, a prefix may come before.
const MAX_DIGITS: usize = 17;

/// Most spellings of one number.
pub const MAX_SPELLINGS: usize = 8;

/// Longest number within an area, in digits.
const MAX_LOCAL: usize = 8;

/// Shortest number behind another one in a field, in digits; a shorter one is an extension or what is dialled after a pause.
const MIN_SECOND: usize = 7;

/// Most numbers of a field.
const MAX_IN_FIELD: usize = 16;

/// A number as it can be looked up: up to [`MAX_DIGITS`] of `0-9*#` to base 13, the top bit set for a
/// full international number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NumberKey(u64);

impl NumberKey {
    fn new(digits: &str, global: bool) -> Option<Self> {
        if digits.is_empty() || digits.len() > MAX_DIGITS {
            return None;
        }
        // 13^17 is below 2^63, so the sum cannot overflow and leaves the top bit free.
        let value = digits.bytes().fold(0_u64, |value, digit| {
            value * 13
                + match digit {
                    b'*' => 11,
                    b'#' => 12,
                    digit => u64::from(digit - b'0') + 1,
                }
        });
        Some(Self(value | u64::from(global) << 63))
    }
}

/// How a reading came about, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Form {
    Extension,
    Written,
    International,
    National,
    WithoutTrunk,
    BareCountry,
    WithoutArea,
    Outside,
}

impl Form {
    /// The rule by which two equal readings match: that of the less sure one.
    pub(crate) fn rule(self, other: Self) -> MatchRule {
        match self.max(other) {
            Self::Extension => MatchRule::Extension,
            Self::Written => MatchRule::Identical,
            Self::International => MatchRule::International,
            Self::National => MatchRule::National,
            Self::WithoutTrunk => MatchRule::TrunkPrefix,
            Self::BareCountry => MatchRule::CountryCode,
            Self::WithoutArea => MatchRule::Area,
            Self::Outside => MatchRule::OutsidePrefix,
        }
    }
}

/// One way a number can be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) key: NumberKey,
    pub(crate) form: Form,
}

/// A number stripped of everything but what is dialled.
struct Dialled {
    plus: bool,
    digits: String,
}

impl NumberPlan {
    /// Every way `number` can be meant, the surest first, each key once. Empty when it is no number.
    pub(crate) fn readings(&self, number: &str) -> Vec<Reading> {
        let mut readings = Vec::with_capacity(4);
        if let Some(dialled) = self.dialled(number) {
            self.read(&dialled, &mut readings);
        }
        readings
    }

    /// The digits under which the search finds a number: the national form where it is one of this
    /// country, else the international number without prefix, else as written.
    pub(crate) fn search_digits(&self, number: &str) -> Option<String> {
        let dialled = self.dialled(number)?;
        Some(match self.international(&dialled) {
            Some(global) => self.national(global).unwrap_or_else(|| global.to_owned()),
            None => dialled.digits,
        })
    }

    /// What to look for when `typed` digits are searched: `(text, only at the beginning of a number)`.
    pub(crate) fn search_forms(&self, typed: &str) -> Vec<(String, bool)> {
        let Some(dialled) = self.dialled(typed) else { return Vec::new() };
        let mut forms = Vec::with_capacity(3);
        if !dialled.plus {
            forms.push((dialled.digits.clone(), false));
        }
        if let Some(global) = self.international(&dialled) {
            forms.push((global.to_owned(), true));
            if let Some(national) = self.national(global) {
                forms.push((national, true));
            } else if self.country.starts_with(global) {
                forms.push((self.trunk_prefix.clone(), true));
            }
        } else if dialled.digits.len() >= self.country.len() + 3
            && let Some(national) = self.national(&dialled.digits)
        {
            forms.push((national, true));
        }
        forms.retain(|(text, _)| !text.is_empty());
        forms
    }

    /// How `number` may be written in a database of others, the best first, each once, at most [`MAX_SPELLINGS`]:
    /// international with `+`, national, with the international prefix, digits alone, and as it was dialled. Empty
    /// when it is no number.
    #[must_use]
    pub fn spellings(&self, number: &str) -> Vec<String> {
        let Some(dialled) = self.dialled(number).filter(|dialled| dialled.digits.len() <= MAX_DIGITS) else {
            return Vec::new();
        };
        let mut globals = Vec::new();
        self.globals(&dialled, &mut globals);
        let mut spellings: Vec<String> = Vec::new();
        let mut add = |text: String| {
            if !text.is_empty() && spellings.len() < MAX_SPELLINGS && !spellings.contains(&text) {
                spellings.push(text);
            }
        };
        for (place, global) in globals.iter().enumerate() {
            add(format!("+{global}"));
            self.national(global).into_iter().for_each(&mut add);
            // In North America the prefix of national numbers is the country's code, and mostly left out.
            if self.trunk_prefix == self.country {
                add(global.strip_prefix(self.country.as_str()).unwrap_or_default().to_owned());
            }
            add(format!("{}{global}", self.international_prefix));
            // Only of the surest reading: of the others there are enough.
            if place == 0 {
                add(global.clone());
                add(dialled.digits.clone());
            }
        }
        add(dialled.digits);
        spellings
    }

    /// The international numbers that may be meant, the surest first.
    fn globals(&self, dialled: &Dialled, found: &mut Vec<String>) {
        let digits = dialled.digits.as_str();
        let mut add = |global: String| {
            if !global.is_empty() && global.len() <= MAX_DIGITS && !found.contains(&global) {
                found.push(global);
            }
        };
        let global = self.international(dialled).map(str::to_owned);
        if dialled.plus || !digits.bytes().all(|b| b.is_ascii_digit()) {
            global.into_iter().filter(|g| g.bytes().all(|b| b.is_ascii_digit())).for_each(add);
            return;
        }
        if self.is_extension(digits) {
            return;
        }
        let is_foreign = global.is_some();
        global.into_iter().for_each(&mut add);
        let country = Some(self.country.as_str()).filter(|country| !country.is_empty() && !is_foreign);
        if let Some(country) = country {
            match digits.strip_prefix(&self.trunk_prefix) {
                Some(rest) if !self.trunk_prefix.is_empty() => add(format!("{country}{rest}")),
                _ => {
                    if let Some(area) = self.area.as_deref().filter(|_| self.is_local(digits)) {
                        add(format!("{country}{area}{digits}"));
                    }
                    if digits.starts_with(country) {
                        add(digits.to_owned());
                    }
                    add(format!("{country}{digits}"));
                }
            }
        }
        let outside = self.outside_prefix.as_deref().filter(|prefix| !prefix.is_empty());
        if let Some(rest) = outside.and_then(|prefix| digits.strip_prefix(prefix))
            && !rest.is_empty()
            && !self.is_extension(rest)
        {
            let inner = Self { outside_prefix: None, ..self.clone() };
            inner.globals(&Dialled { plus: false, digits: rest.to_owned() }, found);
        }
    }

    fn read(&self, dialled: &Dialled, readings: &mut Vec<Reading>) {
        let digits = dialled.digits.as_str();
        if let Some(global) = self.international(dialled) {
            add(readings, Form::International, global, true);
        }
        if !dialled.plus {
            if self.is_extension(digits) {
                add(readings, Form::Extension, digits, false);
                return;
            }
            add(readings, Form::Written, digits, false);
            if digits.bytes().all(|b| b.is_ascii_digit()) {
                self.read_national(digits, readings);
            }
        }
        readings.sort_by_key(|reading| reading.form);
    }

    fn read_national(&self, digits: &str, readings: &mut Vec<Reading>) {
        match digits.strip_prefix(&self.trunk_prefix) {
            Some(rest) => add(readings, Form::National, &format!("{}{rest}", self.country), true),
            None => add(readings, Form::WithoutTrunk, &format!("{}{digits}", self.country), true),
        }
        if !self.country.is_empty() && digits.starts_with(&self.country) {
            add(readings, Form::BareCountry, digits, true);
        }
        if let Some(area) = self.area.as_deref().filter(|_| self.is_local(digits)) {
            add(readings, Form::WithoutArea, &format!("{}{area}{digits}", self.country), true);
        }
        let outside = self.outside_prefix.as_deref().filter(|prefix| !prefix.is_empty());
        if let Some(rest) = outside.and_then(|prefix| digits.strip_prefix(prefix))
            && !rest.is_empty()
            && !self.is_extension(rest)
        {
            let inner = Self { outside_prefix: None, ..self.clone() };
            let mut behind = Vec::new();
            inner.read(&Dialled { plus: false, digits: rest.to_owned() }, &mut behind);
            for reading in behind {
                push(readings, Reading { form: Form::Outside, ..reading });
            }
        }
    }

    /// The number behind `+` or the international prefix.
    fn international<'a>(&self, dialled: &'a Dialled) -> Option<&'a str> {
        if dialled.plus {
            return Some(&dialled.digits);
        }
        let prefix = Some(self.international_prefix.as_str()).filter(|prefix| !prefix.is_empty())?;
        dialled.digits.strip_prefix(prefix).filter(|rest| !rest.is_empty())
    }

    /// The national form of an international number of this country.
    fn national(&self, global: &str) -> Option<String> {
        let rest =
            Some(&self.country).filter(|c| !c.is_empty()).and_then(|c| global.strip_prefix(c.as_str()))?;
        Some(format!("{}{rest}", self.trunk_prefix))
    }

    /// Short enough to be a number within the area, and without a prefix that says otherwise.
    fn is_local(&self, digits: &str) -> bool {
        digits.len() <= MAX_LOCAL && (self.trunk_prefix.is_empty() || !digits.starts_with(&self.trunk_prefix))
    }

    fn is_extension(&self, digits: &str) -> bool {
        u8::try_from(digits.len()).is_ok_and(|length| self.extension_lengths.contains(&length))
    }

    /// Strips a number of scheme, host, parameters, separators and of a trunk prefix in parentheses as
    /// in `+33 (0)1`. `None` when no digit is left.
    fn dialled(&self, number: &str) -> Option<Dialled> {
        let folded;
        let text = if number.is_ascii() {
            number
        } else {
            folded = fold(number);
            &folded
        };
        let text = without_scheme(text.trim());
        let text = text.split(['@', ';', '?', ',']).next().unwrap_or_default();
        let plus = text.trim_start_matches([' ', '(']).starts_with('+');
        let mut dialled = Dialled { plus, digits: String::with_capacity(MAX_DIGITS) };
        let optional_trunk = format!("({})", self.trunk_prefix);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let international = plus
                || (!dialled.digits.is_empty() && dialled.digits.starts_with(&self.international_prefix));
            if international && optional_trunk.len() > 2 && rest.starts_with(&optional_trunk) {
                rest = &rest[optional_trunk.len()..];
                continue;
            }
            if c.is_alphabetic() {
                break;
            }
            if (c.is_ascii_digit() || c == '*' || c == '#') && dialled.digits.len() <= MAX_DIGITS {
                dialled.digits.push(c);
            }
            rest = &rest[c.len_utf8()..];
        }
        Some(dialled).filter(|dialled| !dialled.digits.is_empty())
    }
}

/// The numbers in a field, where people write several into one. On both sides of a `/` there are two only where each is too
/// long for the part of one that it may be as well. Behind `,,` stands what is dialled after a pause, however long: a
/// conference's code is nobody's number.
pub(crate) fn numbers_in(text: &str) -> impl Iterator<Item = &str> {
    fn digits(piece: &str) -> usize {
        piece.bytes().filter(u8::is_ascii_digit).count()
    }
    let pieces = text.split([';', '|', '\n']);
    let pieces = pieces.flat_map(|piece| piece.split(" or ")).flat_map(|piece| piece.split(" ou "));
    let pieces = pieces.map(|piece| piece.split_once(",,").map_or(piece, |(number, _)| number));
    let pieces = pieces.flat_map(|piece| piece.split(',')).enumerate();
    let numbers = pieces.filter(|(at, piece)| *at == 0 || digits(piece) >= MIN_SECOND);
    let numbers = numbers.flat_map(|(_, piece)| {
        let is_several = piece.contains('/') && piece.split('/').all(|side| digits(side) > MAX_LOCAL);
        let end = if is_several { '/' } else { '\n' };
        piece.split(end)
    });
    numbers.take(MAX_IN_FIELD)
}

fn without_scheme(text: &str) -> &str {
    ["sip:", "sips:", "tel:"]
        .iter()
        .find_map(|scheme| {
            text.get(..scheme.len())
                .filter(|head| head.eq_ignore_ascii_case(scheme))
                .map(|_| &text[scheme.len()..])
        })
        .unwrap_or(text)
}

fn add(readings: &mut Vec<Reading>, form: Form, digits: &str, global: bool) {
    if let Some(key) = NumberKey::new(digits, global) {
        push(readings, Reading { key, form });
    }
}

fn push(readings: &mut Vec<Reading>, reading: Reading) {
    if readings.iter().all(|known| known.key != reading.key) {
        readings.push(reading);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(plan: &NumberPlan, one: &str, other: &str) -> Option<MatchRule> {
        let others = plan.readings(other);
        plan.readings(one)
            .iter()
            .flat_map(|a| others.iter().filter(|b| b.key == a.key).map(|b| a.form.rule(b.form)))
            .min()
    }

    #[test]
    fn french_forms_of_one_number_are_one_number() {
        let plan = NumberPlan { outside_prefix: Some("0".into()), ..NumberPlan::default() };
        for (one, other, expected) in [
            ("0145678910", "01 45 67 89 10", Some(MatchRule::Identical)),
            ("+33145678910", "0033 1 45 67 89 10", Some(MatchRule::International)),
            ("+33145678910", "+33 (0)1.45.67.89.10", Some(MatchRule::International)),
            ("0033145678910", "0033 (0)1 45 67 89 10", Some(MatchRule::Identical)),
            ("+33145678910", "01-45-67-89-10", Some(MatchRule::National)),
            ("145678910", "01 45 67 89 10", Some(MatchRule::TrunkPrefix)),
            ("33145678910", "01 45 67 89 10", Some(MatchRule::CountryCode)),
            ("00145678910", "01 45 67 89 10", Some(MatchRule::OutsidePrefix)),
            ("000442079460000", "+44 20 7946 0000", Some(MatchRule::OutsidePrefix)),
            (
                "sip:+33145678910@pbx.example;user=phone",
                "tel:+33-1-45-67-89-10",
                Some(MatchRule::International),
            ),
            ("2110", "2110", Some(MatchRule::Extension)),
            ("+33 1 45 67 89 10 poste 12", "0145678910", Some(MatchRule::National)),
            ("２１１０", "2110", Some(MatchRule::Extension)),
            ("2110", "+33145672110", None),
            ("2110", "0145672110", None),
            ("02110", "2110", None),
            ("+2110", "2110", None),
            ("0145678910", "0145678911", None),
            ("+44145678910", "0145678910", None),
            ("*2110", "2110", None),
            ("poste", "2110", None),
            ("", "", None),
        ] {
            assert_eq!(rule(&plan, one, other), expected, "{one} and {other}");
            assert_eq!(rule(&plan, other, one), expected, "{other} and {one}");
        }
    }

    #[test]
    fn north_american_forms_are_one_number() {
        let plan = NumberPlan {
            country: "1".into(),
            trunk_prefix: "1".into(),
            area: None,
            international_prefix: "011".into(),
            outside_prefix: Some("9".into()),
            extension_lengths: 3..=5,
        };
        for (one, other, expected) in [
            ("4035551212", "1 (403) 555-1212", Some(MatchRule::TrunkPrefix)),
            ("+14035551212", "14035551212", Some(MatchRule::National)),
            ("914035551212", "(403) 555 1212", Some(MatchRule::OutsidePrefix)),
            ("011442079460000", "+44 20 7946 0000", Some(MatchRule::International)),
            ("5551212", "4035551212", None),
        ] {
            assert_eq!(rule(&plan, one, other), expected, "{one} and {other}");
        }
        let spelled = ["+14035551212", "14035551212", "4035551212", "01114035551212"];
        for number in ["+14035551212", "14035551212", "(403) 555-1212"] {
            assert_eq!(plan.spellings(number), spelled, "as a customer database has it, {number}");
        }
    }

    #[test]
    fn a_number_within_the_area_is_one_number() {
        let berlin = NumberPlan { country: "49".into(), area: Some("30".into()), ..NumberPlan::default() };
        for (one, other, expected) in [
            ("5550100", "+49 30 5550100", Some(MatchRule::Area)),
            ("5550100", "030 / 555 01 00", Some(MatchRule::Area)),
            ("5550100", "+49 89 5550100", None),
            ("0305550100", "+49 30 5550100", Some(MatchRule::National)),
            ("2110", "+49 30 2110", None),
        ] {
            assert_eq!(rule(&berlin, one, other), expected, "{one} and {other}");
        }
        let anywhere = NumberPlan { area: None, ..berlin };
        assert_eq!(rule(&anywhere, "5550100", "+49 30 5550100"), None);
    }

    #[test]
    fn a_country_without_trunk_prefix_reads_its_numbers() {
        let plan = NumberPlan { country: "34".into(), trunk_prefix: String::new(), ..NumberPlan::default() };
        assert_eq!(rule(&plan, "+34912345678", "912 345 678"), Some(MatchRule::National));
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let plan = NumberPlan::default();
        let long = "9".repeat(100_000);
        for text in ["+", "+(", "(0)", "00", "+33(0)", "é2", "\u{0}", "sip:", "@", "99999999999999999", &long]
        {
            let _ = (plan.readings(text), plan.search_digits(text), plan.search_forms(text));
        }
        assert!(plan.readings(&long).is_empty());
    }

    #[test]
    fn call_5_several_numbers_in_a_field_are_each_a_number_and_one_in_parts_is_one() {
        for (text, numbers) in [
            ("01 45 67 21 10", &["01 45 67 21 10"][..]),
            ("01 45 67 21 10; 06 12 34 56 78", &["01 45 67 21 10", " 06 12 34 56 78"]),
            ("2110, 0145672110", &["2110", " 0145672110"]),
            ("0145672110 / 0612345678", &["0145672110 ", " 0612345678"]),
            ("0145672110/0612345678", &["0145672110", "0612345678"]),
            ("0145672110 ou 0612345678", &["0145672110", "0612345678"]),
            // One number.
            ("030 / 555 01 00", &["030 / 555 01 00"]),
            ("+49 (0)6221 / 1234567", &["+49 (0)6221 / 1234567"]),
            ("0049 (0)33701 / 12345", &["0049 (0)33701 / 12345"]),
            ("tel:+33-1-45-67-21-10;ext=12", &["tel:+33-1-45-67-21-10"]),
            ("0145672110,,1234#", &["0145672110"]),
            ("+33 1 45 67 21 10,,4567890", &["+33 1 45 67 21 10"]),
            ("0145672110,,,4567890,,1234567#; 0612345678", &["0145672110", " 0612345678"]),
            ("0145672110, 0612345678,,4567890", &["0145672110", " 0612345678"]),
            ("sip:+33145672110@pbx.example;user=phone", &["sip:+33145672110@pbx.example"]),
        ] {
            assert_eq!(numbers_in(text).collect::<Vec<_>>(), numbers, "{text}");
        }
        assert_eq!(numbers_in(&"0145672110;".repeat(1000)).count(), MAX_IN_FIELD);
    }

    #[test]
    fn crm_3_a_number_is_spelled_as_a_customer_database_may_have_it() {
        let french = NumberPlan { outside_prefix: Some("0".into()), ..NumberPlan::default() };
        let spelled = ["+33145678910", "0145678910", "0033145678910", "33145678910"];
        for number in ["+33 1 45 67 89 10", "sip:+33145678910@pbx.example"] {
            assert_eq!(french.spellings(number), spelled, "{number}");
        }
        assert_eq!(
            french.spellings("01 45 67 89 10"),
            ["+33145678910", "0145678910", "0033145678910", "33145678910"]
        );
        // With the prefix for outside calls, or from abroad: both are tried.
        let outside = french.spellings("00145678910");
        assert_eq!(outside[..2], ["+145678910", "00145678910"]);
        assert!(
            outside.contains(&"+33145678910".into()) && outside.contains(&"0145678910".into()),
            "{outside:?}"
        );
        assert_eq!(french.spellings("+442079460000"), ["+442079460000", "00442079460000", "442079460000"]);
        assert_eq!(french.spellings("2110"), ["2110"]);
        assert_eq!(french.spellings("*21#"), ["*21#"]);
        for nothing in ["", "Alice", &"9".repeat(50)] {
            assert!(french.spellings(nothing).is_empty(), "{nothing}");
        }
        let berlin = NumberPlan { country: "49".into(), area: Some("30".into()), ..NumberPlan::default() };
        let local = berlin.spellings("5550100");
        assert_eq!(local[..2], ["+49305550100", "0305550100"]);
    }

    proptest! {
        #[test]
        fn crm_3_spellings_are_few_and_each_international_one_is_the_same_number(
            digits in "\\+?[0-9]{1,17}",
            country in "[1-9][0-9]{0,2}",
            trunk in "(0|1|8)?",
            area in proptest::option::of("[1-9][0-9]{0,4}"),
            outside in proptest::option::of("[09]"),
        ) {
            let plan = NumberPlan {
                country,
                trunk_prefix: trunk,
                area,
                outside_prefix: outside,
                ..NumberPlan::default()
            };
            let spellings = plan.spellings(&digits);
            prop_assert!((1..=MAX_SPELLINGS).contains(&spellings.len()));
            for (place, spelling) in spellings.iter().enumerate() {
                prop_assert!(!spellings[..place].contains(spelling), "{spelling} twice");
                let written = spelling.bytes().enumerate().all(|(at, b)| b.is_ascii_digit() || at == 0 && b == b'+');
                prop_assert!(written, "{spelling}");
                if spelling.starts_with('+') && plan.readings(spelling).iter().any(|reading| reading.form == Form::International) {
                    prop_assert!(rule(&plan, &digits, spelling).is_some(), "{digits} is not {spelling}");
                }
            }
        }

        #[test]
        fn crm_3_any_text_is_spelled_without_a_panic(text in "\\PC{0,40}") {
            prop_assert!(NumberPlan::default().spellings(&text).len() <= MAX_SPELLINGS);
        }
    }
}
