//! Files of contacts as people have them (DIR-3).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Read};

use directory::csv::{ImportError, Verdict, export, import};
use directory::{Alerts, Contact, Field, MAX_TEXT_BYTES, Picture, PictureType};
use ipc::{ImportReport, RowFault};
use proptest::prelude::*;

fn read(file: impl AsRef<[u8]>) -> (Vec<Contact>, ImportReport) {
    try_read(file.as_ref()).unwrap()
}

fn try_read(file: impl Read) -> Result<(Vec<Contact>, ImportReport), ImportError> {
    let mut contacts = Vec::new();
    let report = import(file, false, |contact| {
        contacts.push(contact);
        Verdict::Taken
    })?;
    Ok((contacts, report))
}

fn error(file: impl AsRef<[u8]>) -> String {
    try_read(file.as_ref()).unwrap_err().to_string()
}

fn problems(report: &ImportReport) -> Vec<(u64, String)> {
    report.problems.iter().map(|problem| (problem.line, problem.fault.to_string())).collect()
}

#[test]
fn dir_3_columns_in_any_order_and_case_and_unknown_ones_named() {
    let (contacts, report) =
        read("Phone, LASTNAME ,Shoe size,firstname,,presence,alert\n2110,Fournier,38,Alice,,YES,sb\n");
    assert_eq!(report.loaded, 1);
    assert_eq!(report.unknown_columns, ["Shoe size"]);
    assert_eq!(problems(&report), []);
    let [alice] = &contacts[..] else { panic!("{contacts:?}") };
    assert_eq!(
        (alice.first_name.as_str(), alice.last_name.as_str(), alice.phone.as_str()),
        ("Alice", "Fournier", "2110")
    );
    assert!(alice.presence);
    assert_eq!(alice.alert, Alerts::SOUND.with(Alerts::BUSY));
}

#[test]
fn dir_3_bad_rows_are_listed_with_line_and_reason_while_good_ones_load() {
    let file = "lastname,note,phone,presence,alert,picturetype,picture\n\
        Good,\"two\nlines\",1,,,,\n\
        \n\
        Short,x\n\
        Presence,,2,maybe,,,\n\
        Alert,,3,,z,,\n\
        Type,,4,,,bmp,\n\
        Code,,5,,,png,!!!!\n\
        Fake,,6,,,png,aGVsbG8gd29ybGQ=\n\
        Other,,7,,,png,R0lGODlhAQ==\n\
        ,,,,,,\n\
        Long,,8,,,,,extra\n\
        Spare,,8,,,,,\n\
        Nul,\0,9,,,,\n\
        Last,,9,0,arbdnfs,,R0lGODlhAQ\n";
    let (contacts, report) = read(file);
    let names: Vec<&str> = contacts.iter().map(|contact| contact.last_name.as_str()).collect();
    assert_eq!(names, ["Good", "Spare", "Last"]);
    assert_eq!(contacts[0].note, "two\nlines");
    assert_eq!(contacts[2].picture.as_ref().unwrap().kind(), PictureType::Gif);
    assert_eq!(report.loaded, 3);
    assert_eq!(
        problems(&report),
        [
            (5, "the row has 2 cells, the first line has 7"),
            (6, "presence \"maybe\" is none of true false yes no 1 0"),
            (7, "alert 'z' is none of a r b d n f s"),
            (8, "picturetype \"bmp\" is none of jpg, png, gif"),
            (9, "picture is not base64"),
            (10, "picture is no jpg, png or gif"),
            (11, "picture is gif, picturetype says png"),
            (12, "the row is empty"),
            (13, "the row has 8 cells, the first line has 7"),
            (15, "note has the control character U+0000"),
        ]
        .map(|(line, said)| (line, said.to_owned()))
    );
}

#[test]
fn dir_3_a_header_is_required() {
    assert!(
        error("").starts_with("the file is empty; its first line must name the columns: lastname firstname")
    );
    assert!(
        error("Alice,Fournier,2110\n")
            .starts_with("line 1 names no known column (it begins \"Alice,Fournier,2110\")")
    );
    assert!(error("lastname;firstname;phone\nFournier;Alice;2110\n").contains("separated by semicolons"));
    assert!(error("\"lastname\";\"phone\"\n").contains("separated by semicolons"));
    assert!(error("lastname\tphone\n").contains("separated by tabs"));
    assert!(error("phone,lastname,Phone\n").contains("the column phone twice"));
    assert!(error(b"\xff\xfel\0a\0s\0t\0n\0a\0m\0e\0").contains("UTF-16"));
}

#[test]
fn dir_3_utf_8_with_and_without_mark_and_windows_1252_give_the_same() {
    let text = "lastname,firstname\nDupré,Éloïse\n";
    let marked = format!("\u{feff}{text}");
    let windows: &[u8] = b"lastname,firstname\r\nDupr\xe9,\xc9lo\xefse\r\n";
    let expected = read(text).0;
    assert_eq!(expected[0].display_name(), "Éloïse Dupré");
    assert_eq!(read(marked).0, expected);
    assert_eq!(read(windows).0, expected);
}

#[test]
fn lines_are_counted_alike_with_each_line_end() {
    let file = "lastname,note\nA,\n\n\nB\nC,\"x\n\n\"\nD\n";
    for file in [file.to_owned(), file.replace('\n', "\r\n")] {
        let (contacts, report) = read(file);
        assert_eq!(contacts.len(), 2);
        assert_eq!(report.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [5, 9]);
    }
}

#[test]
fn presence_is_as_asked_where_the_file_does_not_say() {
    let mut contacts = Vec::new();
    let file = "lastname,presence\nA,\nB,no\n";
    import(file.as_bytes(), true, |contact| {
        contacts.push(contact.presence);
        Verdict::Taken
    })
    .unwrap();
    assert_eq!(contacts, [true, false]);
}

#[test]
fn a_field_beyond_its_limit_costs_its_row_only() {
    let long = "x".repeat(MAX_TEXT_BYTES + 1);
    let picture = "A".repeat(3 * 1024 * 1024);
    let file = format!("lastname,note,picture\nA,{long},\nB,,{picture}\nC,,\n");
    let (contacts, report) = read(file);
    assert_eq!(contacts.len(), 1);
    assert_eq!(
        problems(&report),
        [(2, "note has 65537 bytes, at most 65536 are allowed"), (3, "picture has more than 2097152 bytes")]
            .map(|(line, said)| (line, said.to_owned()))
    );
}

/// An endless file with one quote that is never closed.
struct Endless {
    given: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = b"lastname\nGood\n\"";
        let at = usize::try_from(self.given).unwrap();
        for (nth, byte) in buffer.iter_mut().enumerate() {
            *byte = *start.get(at + nth).unwrap_or(&b'x');
        }
        self.given += buffer.len() as u64;
        assert!(self.given < 100_000_000, "the import reads on without end");
        Ok(buffer.len())
    }
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
    let (contacts, report) = try_read(Endless { given: 0 }).unwrap();
    assert_eq!(contacts.len(), 1);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].line, 3);
    assert_eq!(report.problems[0].fault, RowFault::Endless);
}

#[test]
fn a_thousand_problems_are_enough() {
    let file = format!("lastname,presence\n{}", "A,maybe\n".repeat(5000));
    assert_eq!(read(file).1.problems.len(), 1000);
}

#[test]
fn the_sink_may_stop_the_import() {
    let mut taken = 0;
    let report = import(&b"lastname\nA\nB\nC\n"[..], false, |_| {
        taken += 1;
        if taken == 2 { Verdict::Stop } else { Verdict::Taken }
    })
    .unwrap();
    assert_eq!((taken, report.loaded), (2, 1));
}

#[test]
fn a_row_that_the_sink_refuses_is_a_bad_one() {
    let report = import(&b"lastname\nA\nB\nC\n"[..], false, |contact| match contact.last_name.as_str() {
        "B" => Verdict::Refused(RowFault::NoPicture),
        _ => Verdict::Taken,
    })
    .unwrap();
    assert_eq!((report.loaded, problems(&report)), (2, vec![(3, RowFault::NoPicture.to_string())]));
}

#[test]
fn a_reader_that_fails_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("bad sector"))
        }
    }
    assert!(try_read(Broken).unwrap_err().to_string().contains("bad sector"));
}

/// Texts as they can stand in a kept contact: trimmed, without control characters.
fn text() -> impl Strategy<Value = String> {
    let wild = "[ -~éÉßœ€\"',;\n\r\tЖ漢\u{1f600}]{0,12}";
    prop_oneof![3 => Just(String::new()), 2 => "[0-9+() ]{0,12}", 5 => wild]
        .prop_map(|text| text.trim().to_owned())
}

fn picture() -> impl Strategy<Value = Option<Picture>> {
    let head = prop_oneof![Just(&b"GIF89a"[..]), Just(&b"\x89PNG\r\n\x1a\n"[..]), Just(&b"\xff\xd8\xff"[..])];
    let picture = (head, prop::collection::vec(any::<u8>(), 0..200));
    prop::option::of(picture.prop_map(|(head, tail)| Picture::new(&[head, &tail].concat()).unwrap()))
}

fn contact() -> impl Strategy<Value = Contact> {
    let letters = "[arbdnfs]{0,7}".prop_map(|letters| letters.parse::<Alerts>().unwrap());
    let parts = (prop::collection::vec(text(), Field::ALL.len()), any::<bool>(), letters, picture());
    parts.prop_map(|(texts, presence, alert, picture)| {
        let mut contact = Contact { presence, alert, picture, ..Contact::default() };
        for (field, text) in Field::ALL.into_iter().zip(texts) {
            *contact.text_mut(field) = text;
        }
        if contact.check().is_err() {
            contact.last_name = "Somebody".into();
        }
        contact
    })
}

proptest! {
    #[test]
    fn dir_3_export_then_import_gives_the_same_directory(contacts in prop::collection::vec(contact(), 0..20)) {
        let mut file = Vec::new();
        export(&mut file, &contacts).unwrap();
        let (read, report) = read(&file);
        prop_assert_eq!(problems(&report), []);
        prop_assert_eq!(read, contacts);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(head in "(lastname,phone,picture\n)?", bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = try_read(&[head.as_bytes(), &bytes].concat()[..]);
    }
}
