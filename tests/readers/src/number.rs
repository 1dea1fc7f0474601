//! Telephone numbers and searches: whoever has a number is found by it, however it is written.

use directory::{Catalogue, Contact, Directory, Entry, MAX_SPELLINGS, NumberPlan, fold};
use ipc::{ContactId, ContactQuery, DirectoryId, DirectoryLook, SortKey};

/// Longest text in a row of a page, in bytes.
const MOST_ROW_TEXT: usize = 512;

/// The first byte says how numbers are written; then lines: a number, a name, and what is looked for.
pub(crate) fn number(bytes: &[u8]) -> bool {
    let Some((&plan, text)) = bytes.split_first() else { return false };
    let text = String::from_utf8_lossy(text);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (phone, name, wanted) = (line(), line(), line());
    for text in [phone, name, wanted] {
        let folded = fold(text);
        assert_eq!(fold(&folded), folded, "folding {text:?} twice changes it again");
    }
    let plan = plan_of(plan);
    let mut catalogue = Catalogue::new(plan.clone());
    let (id, directory) = (ContactId(7), DirectoryId(1));
    catalogue.set_directory(Directory {
        id: directory,
        name: "House".into(),
        local: true,
        line: None,
        note: String::new(),
        look: DirectoryLook::default(),
        source: None,
    });
    let contact = Contact { phone: phone.into(), last_name: name.into(), ..Contact::default() };
    let is_kept = catalogue.upsert(Entry { id, directory, contact }).is_ok();
    assert!(is_kept, "the directory is there");
    let spellings = plan.spellings(phone);
    assert!(spellings.len() <= MAX_SPELLINGS);
    for (at, spelling) in spellings.iter().enumerate() {
        assert!(!spelling.is_empty() && !spellings[..at].contains(spelling), "{spellings:?}");
    }
    let is_number = !spellings.is_empty();
    if is_number {
        let found = catalogue.match_number(phone);
        assert!(found.iter().any(|hit| hit.contact == id), "{phone:?} does not find itself");
        assert_eq!(catalogue.party(phone, None).contact, Some(id));
    }
    assert!(catalogue.match_number(wanted).len() <= 1, "one contact, once");
    for text in [wanted, name, phone, ""] {
        let query =
            ContactQuery { directory: None, text: text.into(), sort: SortKey::LastName, offset: 0, limit: 9 };
        let page = catalogue.page(&query);
        assert!(page.total <= 1 && page.rows.len() == page.total as usize, "{text:?}: {page:?}");
        assert!(!text.is_empty() || page.total == 1, "without words all are shown");
        assert!(page.rows.iter().all(|row| row.last_name.len() <= MOST_ROW_TEXT), "{page:?}");
        assert_eq!(catalogue.page(&query), page, "the same question has the same answer");
    }
    assert!(catalogue.remove(id) && catalogue.match_number(phone).is_empty());
    is_number
}

/// As numbers are written in one house or another.
fn plan_of(byte: u8) -> NumberPlan {
    let text = |bit: u8, text: &str| if byte & bit == 0 { None } else { Some(text.to_owned()) };
    let country = if byte & 8 == 0 { "49" } else { "1" };
    NumberPlan {
        country: country.into(),
        trunk_prefix: text(4, "0").unwrap_or_default(),
        area: text(1, "30"),
        international_prefix: text(16, "011").unwrap_or_else(|| "00".into()),
        outside_prefix: text(2, "0"),
        extension_lengths: if byte & 32 == 0 { 2..=4 } else { 3..=3 },
    }
}
