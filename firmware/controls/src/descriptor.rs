//! Report descriptors (HID 1.11, sections 5 and 6.2.2): what a device says of the bytes it sends and takes.
//!
//! Only what is needed to find a usage's bits: physical units, strings and features are passed over. A descriptor can be
//! anything at all (law 8); what it may ask for is bounded here.

use std::collections::BTreeMap;

/// The longest descriptor that Linux takes, in bytes (`HID_MAX_DESCRIPTOR_SIZE`).
pub const MAX_DESCRIPTOR: usize = 4096;
/// The longest report, in bits; Linux has buffers of 16 KiB.
pub const MAX_REPORT_BITS: usize = 16_384 * 8;
/// Deepest nesting of collections, and of pushed states.
const MAX_DEPTH: usize = 32;
/// Most fields that are kept.
const MAX_FIELDS: usize = 1024;
/// Most ranges of usages of one field.
const MAX_USAGES: usize = 1024;

/// What a control is: a page of the usage tables and a number on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usage(u32);

impl Usage {
    /// Of a page and its number there.
    #[must_use]
    pub const fn new(page: u16, id: u16) -> Self {
        Self((page as u32) << 16 | id as u32)
    }

    /// The page.
    #[must_use]
    pub const fn page(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The number on its page.
    #[must_use]
    pub const fn id(self) -> u16 {
        (self.0 & 0xffff) as u16
    }
}

/// Which way a report goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the device.
    Input,
    /// To the device.
    Output,
}

/// Controls that stand side by side in a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Which way.
    pub way: Way,
    /// The report's number; 0 where reports have none.
    pub report: u8,
    /// The first bit, behind the report's number.
    pub offset: usize,
    /// Bits of each control, 1 to 32.
    pub size: usize,
    /// How many.
    pub count: usize,
    /// Each control has a place of its own; otherwise the places say which controls are active (an array).
    pub variable: bool,
    /// Its values are changes, not states.
    pub(crate) relative: bool,
    /// The smallest value that means something.
    pub minimum: i64,
    /// The largest one.
    pub maximum: i64,
    /// What collection of the top level it belongs to.
    pub application: Usage,
    /// First and last usage of each range.
    usages: Vec<(Usage, Usage)>,
}

impl Field {
    /// The usage of the control at a place; the last usage stands for all that follow (section 6.2.2.8).
    #[must_use]
    pub fn usage(&self, place: usize) -> Option<Usage> {
        let mut left = u32::try_from(place).ok()?;
        for (first, last) in &self.usages {
            let length = last.0 - first.0 + 1;
            if left < length {
                return Some(Usage(first.0 + left));
            }
            left -= length;
        }
        self.usages.last().map(|(_, last)| *last).filter(|_| self.variable)
    }

    /// The first place of the control with this usage.
    #[must_use]
    pub fn place(&self, usage: Usage) -> Option<usize> {
        let mut before = 0_usize;
        for (first, last) in &self.usages {
            if (*first..=*last).contains(&usage) {
                return Some(before + (usage.0 - first.0) as usize).filter(|place| *place < self.count);
            }
            before += (last.0 - first.0) as usize + 1;
        }
        None
    }

    /// Whether it has this usage.
    #[must_use]
    pub fn has(&self, usage: Usage) -> bool {
        self.usages.iter().any(|(first, last)| (*first..=*last).contains(&usage))
    }

    /// Whether any of its usages is on this page.
    #[must_use]
    pub fn is_of(&self, page: u16) -> bool {
        self.usages.iter().any(|(first, last)| first.page() <= page && page <= last.page())
    }

    /// The bits of the control at a place, in the bytes behind the report's number; `None` when they end before it.
    #[must_use]
    pub fn value(&self, bytes: &[u8], place: usize) -> Option<u32> {
        let first = self.offset + place * self.size;
        let mut value = 0_u32;
        for bit in 0..self.size {
            let at = first + bit;
            let byte = bytes.get(at / 8)?;
            value |= u32::from(byte >> (at % 8) & 1) << bit;
        }
        Some(value)
    }

    /// Puts a value there.
    pub fn put(&self, bytes: &mut [u8], place: usize, value: u32) {
        for bit in 0..self.size {
            let at = self.offset + place * self.size + bit;
            if let Some(byte) = bytes.get_mut(at / 8) {
                let mask = 1 << (at % 8);
                *byte = if value >> bit & 1 == 1 { *byte | mask } else { *byte & !mask };
            }
        }
    }
}

/// What a device says of its reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// Its fields, in order; padding is left out.
    pub fields: Vec<Field>,
    /// Its reports begin with a byte that is their number.
    pub numbered: bool,
    /// Collections of the top level.
    pub(crate) applications: Vec<Usage>,
    bits: BTreeMap<(Way, u8), usize>,
}

/// Why bytes are no descriptor. Places are in bytes from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDescriptor {
    /// Longer than any that Linux takes.
    #[error("its report descriptor has {0} bytes, at most {MAX_DESCRIPTOR} are possible")]
    TooLong(usize),
    /// An item goes beyond the end.
    #[error("its report descriptor ends within the item at byte {0}")]
    Cut(usize),
    /// A collection or a state that was never opened is closed, or one is never closed.
    #[error("collections of its report descriptor do not match at byte {0}")]
    Unbalanced(usize),
    /// More nesting, fields, usages or bits than any real device has.
    #[error("its report descriptor asks for too much at byte {0}")]
    TooMuch(usize),
    /// A report without a number, or a range that ends before it begins.
    #[error("its report descriptor makes no sense at byte {0}")]
    Nonsense(usize),
}

/// What holds until it is changed (section 6.2.2.7).
#[derive(Clone, Copy, Default)]
struct Global {
    page: u16,
    minimum: i64,
    /// As it was written: whether it has a sign depends on the minimum.
    maximum: (u32, i64),
    size: usize,
    count: usize,
    report: u8,
}

/// What holds for the next main item (section 6.2.2.8); a usage may bring its page along.
#[derive(Default)]
struct Local {
    /// First and last of each range, a single one being both: in the order in which controls get them.
    usages: Vec<((u32, bool), (u32, bool))>,
    minimum: Option<(u32, bool)>,
}

struct Reader {
    found: Descriptor,
    global: Global,
    pushed: Vec<Global>,
    local: Local,
    /// Collections that are open.
    open: Vec<Usage>,
}

impl Descriptor {
    /// Reads one.
    ///
    /// # Errors
    /// [`BadDescriptor`] says where it goes wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadDescriptor> {
        if bytes.len() > MAX_DESCRIPTOR {
            return Err(BadDescriptor::TooLong(bytes.len()));
        }
        let mut reader = Reader {
            found: Self::default(),
            global: Global::default(),
            pushed: Vec::new(),
            local: Local::default(),
            open: Vec::new(),
        };
        let mut at = 0;
        while let Some(prefix) = bytes.get(at) {
            let is_long = *prefix == 0xfe;
            let length = match (is_long, prefix & 3) {
                // A long item: nobody has defined one.
                (true, _) => 2 + usize::from(*bytes.get(at + 1).ok_or(BadDescriptor::Cut(at))?),
                (false, 3) => 4,
                (false, length) => usize::from(length),
            };
            let data = bytes.get(at + 1..at + 1 + length).ok_or(BadDescriptor::Cut(at))?;
            if !is_long {
                reader.item(at, prefix >> 2 & 3, prefix >> 4, data)?;
            }
            at += 1 + length;
        }
        if !reader.open.is_empty() {
            return Err(BadDescriptor::Unbalanced(at));
        }
        Ok(reader.found)
    }

    /// An empty report to the device, with its number before it where it has one. Linux takes a number in any case, so
    /// that a report without one begins with 0.
    #[must_use]
    pub fn empty_output(&self, report: u8) -> Vec<u8> {
        let bits = self.bits.get(&(Way::Output, report)).copied().unwrap_or_default();
        let mut bytes = vec![0; 1 + bits.div_ceil(8)];
        bytes[0] = report;
        bytes
    }

    /// The length of a report of the device with its number before it, or 0 where it has none, in bytes.
    #[must_use]
    pub(crate) fn input_length(&self, report: u8) -> usize {
        1 + self.bits.get(&(Way::Input, report)).copied().unwrap_or_default().div_ceil(8)
    }

    /// Whether any collection of it is a telephone's.
    #[must_use]
    pub(crate) fn is_telephony(&self) -> bool {
        self.applications.iter().any(|usage| usage.page() == crate::codes::TELEPHONY)
    }

    /// Cuts a report of the device into its number and what follows.
    #[must_use]
    pub fn split<'a>(&self, report: &'a [u8]) -> Option<(u8, &'a [u8])> {
        if !self.numbered {
            return (!report.is_empty()).then_some((0, report));
        }
        report.split_first().map(|(number, rest)| (*number, rest))
    }
}

impl Reader {
    fn item(&mut self, at: usize, kind: u8, tag: u8, data: &[u8]) -> Result<(), BadDescriptor> {
        let number = data.iter().rev().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        match kind {
            0 => self.main(at, tag, number),
            1 => self.global(at, tag, number, data.len()),
            2 => self.local(at, tag, (number, data.len() == 4)),
            _ => Ok(()),
        }
    }

    fn main(&mut self, at: usize, tag: u8, flags: u32) -> Result<(), BadDescriptor> {
        let local = std::mem::take(&mut self.local);
        match tag {
            0x8 => self.field(at, Way::Input, flags, &local),
            0x9 => self.field(at, Way::Output, flags, &local),
            // A collection is what its first usage says.
            0xa => {
                if self.open.len() >= MAX_DEPTH {
                    return Err(BadDescriptor::TooMuch(at));
                }
                let usage = self.ranges(at, &local)?.first().map_or(Usage(0), |(first, _)| *first);
                if self.open.is_empty() {
                    self.found.applications.push(usage);
                }
                self.open.push(usage);
                Ok(())
            }
            0xc => self.open.pop().map(|_| ()).ok_or(BadDescriptor::Unbalanced(at)),
            _ => Ok(()),
        }
    }

    fn global(&mut self, at: usize, tag: u8, number: u32, length: usize) -> Result<(), BadDescriptor> {
        let signed = match length {
            0 => 0,
            1 => i64::from(number as u8 as i8),
            2 => i64::from(number as u16 as i16),
            _ => i64::from(number as i32),
        };
        let size = usize::try_from(number).map_err(|_| BadDescriptor::TooMuch(at))?;
        match tag {
            0x0 => self.global.page = (number & 0xffff) as u16,
            0x1 => self.global.minimum = signed,
            0x2 => self.global.maximum = (number, signed),
            0x7 => self.global.size = size,
            0x8 => {
                self.global.report = u8::try_from(number).map_err(|_| BadDescriptor::Nonsense(at))?;
                if self.global.report == 0 {
                    return Err(BadDescriptor::Nonsense(at));
                }
                self.found.numbered = true;
            }
            0x9 => self.global.count = size,
            0xa if self.pushed.len() >= MAX_DEPTH => return Err(BadDescriptor::TooMuch(at)),
            0xa => self.pushed.push(self.global),
            0xb => self.global = self.pushed.pop().ok_or(BadDescriptor::Unbalanced(at))?,
            _ => {}
        }
        Ok(())
    }

    fn local(&mut self, at: usize, tag: u8, usage: (u32, bool)) -> Result<(), BadDescriptor> {
        match tag {
            0x0 => self.local.usages.push((usage, usage)),
            0x1 => self.local.minimum = Some(usage),
            0x2 => {
                let first = self.local.minimum.take().ok_or(BadDescriptor::Nonsense(at))?;
                self.local.usages.push((first, usage));
            }
            _ => {}
        }
        if self.local.usages.len() > MAX_USAGES {
            return Err(BadDescriptor::TooMuch(at));
        }
        Ok(())
    }

    /// Usages with their pages: that of the main item, where they have none of their own.
    fn ranges(&self, at: usize, local: &Local) -> Result<Vec<(Usage, Usage)>, BadDescriptor> {
        let whole = |(number, extended): (u32, bool)| {
            Usage(if extended { number } else { u32::from(self.global.page) << 16 | number & 0xffff })
        };
        let all: Vec<(Usage, Usage)> =
            local.usages.iter().map(|(first, last)| (whole(*first), whole(*last))).collect();
        // A range stays on its page, so that its length fits into 16 bits.
        let is_range = |(first, last): &(Usage, Usage)| first <= last && first.page() == last.page();
        if all.iter().all(is_range) { Ok(all) } else { Err(BadDescriptor::Nonsense(at)) }
    }

    fn field(&mut self, at: usize, way: Way, flags: u32, local: &Local) -> Result<(), BadDescriptor> {
        let Global { minimum, maximum, size, count, report, .. } = self.global;
        let bits = self.found.bits.entry((way, report)).or_default();
        let offset = *bits;
        let taken = size.checked_mul(count).and_then(|taken| taken.checked_add(offset));
        *bits = taken.filter(|bits| *bits <= MAX_REPORT_BITS).ok_or(BadDescriptor::TooMuch(at))?;
        let usages = self.ranges(at, local)?;
        let is_constant = flags & 1 == 1;
        if is_constant || usages.is_empty() || !(1..=32).contains(&size) || count == 0 {
            return Ok(());
        }
        if self.found.fields.len() >= MAX_FIELDS {
            return Err(BadDescriptor::TooMuch(at));
        }
        self.found.fields.push(Field {
            way,
            report,
            offset,
            size,
            count,
            variable: flags & 2 != 0,
            relative: flags & 4 != 0,
            minimum,
            maximum: if minimum < 0 { maximum.1 } else { i64::from(maximum.0) },
            application: self.open.first().copied().unwrap_or(Usage(0)),
            usages,
        });
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::codes;

    #[test]
    fn hw_2_the_boot_keyboard_of_the_specification_is_read_to_the_bit() {
        let keyboard = Descriptor::parse(crate::samples::BOOT_KEYBOARD).unwrap();
        assert!(!keyboard.numbered);
        assert_eq!(keyboard.applications, [Usage::new(1, 6)]);
        let [modifiers, leds, keys] = keyboard.fields.as_slice() else { panic!("{:?}", keyboard.fields) };
        assert_eq!((modifiers.offset, modifiers.size, modifiers.count, modifiers.variable), (0, 1, 8, true));
        assert_eq!((leds.way, leds.offset, leds.count), (Way::Output, 0, 5));
        // A byte is reserved before the six keys.
        assert_eq!((keys.offset, keys.size, keys.count, keys.variable), (16, 8, 6, false));
        assert_eq!(modifiers.usage(3), Some(Usage::new(7, 0xe3)));
        assert_eq!(keys.usage(0x59), Some(Usage::new(7, 0x59)));
        assert_eq!(keys.usage(0x66), None, "behind the last key there is none");
        assert_eq!(keyboard.empty_output(0), [0, 0]);
    }

    #[test]
    fn hw_1_each_report_counts_its_own_bits() {
        let headset = Descriptor::parse(crate::samples::HEADSET).unwrap();
        assert!(headset.numbered);
        let field = |usage: Usage| headset.fields.iter().find(|field| field.has(usage)).unwrap();
        assert_eq!((field(codes::HOOK_SWITCH).report, field(codes::HOOK_SWITCH).offset), (1, 0));
        assert!(field(codes::PHONE_MUTE).relative && !field(codes::HOOK_SWITCH).relative);
        assert_eq!((field(codes::LED_OFF_HOOK).report, field(codes::LED_OFF_HOOK).offset), (2, 0));
        assert_eq!(field(codes::LED_RING).usage(1), Some(codes::LED_RING));
        assert_eq!(field(codes::HOOK_SWITCH).application, codes::HEADSET);
    }

    #[test]
    fn hw_2_a_control_is_found_at_its_first_place_and_behind_the_last_there_is_none() {
        let headset = Descriptor::parse(crate::samples::HEADSET).unwrap();
        for field in &headset.fields {
            for place in 0..field.count {
                let Some(usage) = field.usage(place) else { continue };
                let first = (0..field.count).find(|place| field.usage(*place) == Some(usage));
                assert_eq!(field.place(usage), first, "{field:?}");
            }
            assert_eq!(field.place(Usage::new(0xff, 1)), None);
        }
        // As many controls as a report has bits, of as many usages as a field may have: a lamp is found without asking each.
        let mut wide = vec![0x05, 0x0b, 0x75, 0x01, 0x97, 0, 0, 1, 0];
        (0..1000).for_each(|_| wide.extend([0x19, 1, 0x2a, 0xff, 0x0f]));
        wide.truncate(MAX_DESCRIPTOR - 2);
        wide.truncate(9 + (wide.len() - 9) / 5 * 5);
        wide.extend([0x91, 2]);
        let wide = Descriptor::parse(&wide).unwrap();
        assert_eq!(wide.fields[0].place(Usage::new(0x0b, 0x0fff)), Some(0x0ffe));
        assert_eq!(wide.fields[0].place(Usage::new(0x08, 0x17)), None);
    }

    #[test]
    fn hw_1_controls_get_their_usages_in_the_order_in_which_they_were_said() {
        // Line, then Phone Key 0 to 9, then * and #: an array of a key pad.
        let pad = [
            0x05, 0x0b, 0x15, 0x01, 0x25, 0x0d, 0x75, 8, 0x95, 1, // 1 to 13
            0x09, 0x2a, 0x19, 0xb0, 0x29, 0xb9, 0x09, 0xba, 0x09, 0xbb, 0x81, 0x00,
        ];
        let pad = Descriptor::parse(&pad).unwrap();
        let usages: Vec<u16> =
            (0..13).filter_map(|place| pad.fields[0].usage(place)).map(Usage::id).collect();
        assert_eq!(usages, [0x2a, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb]);
    }

    #[test]
    fn law_8_what_is_no_descriptor_says_where() {
        assert_eq!(Descriptor::parse(&[0; 4097]), Err(BadDescriptor::TooLong(4097)));
        assert_eq!(Descriptor::parse(&[0x05]), Err(BadDescriptor::Cut(0)));
        assert_eq!(Descriptor::parse(&[0xfe]), Err(BadDescriptor::Cut(0)));
        assert_eq!(Descriptor::parse(&[0xfe, 1, 0, 0]), Ok(Descriptor::default()));
        assert_eq!(Descriptor::parse(&[0xc0]), Err(BadDescriptor::Unbalanced(0)));
        assert_eq!(Descriptor::parse(&[0xa1, 1]), Err(BadDescriptor::Unbalanced(2)));
        assert_eq!(Descriptor::parse(&[0xb4]), Err(BadDescriptor::Unbalanced(0)));
        assert_eq!(Descriptor::parse(&[0x85, 0]), Err(BadDescriptor::Nonsense(0)));
        assert_eq!(Descriptor::parse(&[0x29, 5]), Err(BadDescriptor::Nonsense(0)));
        // Usages from 5 to 3.
        assert_eq!(Descriptor::parse(&[0x19, 5, 0x29, 3, 0x81, 2]), Err(BadDescriptor::Nonsense(4)));
        // Four thousand million controls of 32 bits.
        let much = [0x75, 32, 0x97, 0xff, 0xff, 0xff, 0xff, 0x09, 1, 0x81, 2];
        assert_eq!(Descriptor::parse(&much), Err(BadDescriptor::TooMuch(9)));
        assert_eq!(Descriptor::parse(&[0xa1; 4096]), Err(BadDescriptor::TooMuch(64)));
        assert_eq!(Descriptor::parse(&[0xa4; 40]), Err(BadDescriptor::TooMuch(32)));
    }

    #[test]
    fn hw_1_signs_pages_and_pushed_states_are_those_of_the_specification() {
        let bytes = [
            0x05, 0x0b, 0x15, 0x00, 0x25, 0xff, 0x75, 8, 0x95, 1, // 0 to 255, not to -1
            0xa4, 0x05, 0x08, 0x15, 0x81, 0x25, 0x7f, 0x0b, 0x20, 0x00, 0x0b, 0x00, 0x81,
            0x02, // extended usage
            0xb4, 0x09, 0x2f, 0x81, 0x02,
        ];
        let read = Descriptor::parse(&bytes).unwrap();
        assert_eq!((read.fields[0].minimum, read.fields[0].maximum), (-127, 127));
        assert_eq!(read.fields[0].usage(0), Some(codes::HOOK_SWITCH));
        assert_eq!((read.fields[1].minimum, read.fields[1].maximum), (0, 255));
        assert_eq!(read.fields[1].usage(0), Some(codes::PHONE_MUTE));
        assert_eq!(read.fields[1].offset, 8);
    }
}
