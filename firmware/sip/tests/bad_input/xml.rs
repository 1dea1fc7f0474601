//! Documents made to cost memory, time or the stack: refused, whatever their root says.

use sip::dialog_info::{DialogInfo, DialogInfoError};
use sip::pidf::{PidfError, Presence};

/// A document of either kind; `text` has `ROOT` where the name of its root stands.
fn both(text: &str) -> (Result<DialogInfo, DialogInfoError>, Result<Presence, PidfError>) {
    let lamps = DialogInfo::parse(text.replace("ROOT", "dialog-info").as_bytes());
    (lamps, Presence::parse(text.replace("ROOT", "presence").as_bytes()))
}

#[track_caller]
fn is_no_xml(what: &str, text: &str) {
    assert_eq!(both(text), (Err(DialogInfoError::Xml), Err(PidfError::Xml)), "{what}");
}

#[test]
fn a_billion_laughs_are_not_heard() {
    let mut laughs = "<!ENTITY l0 \"lol\">".to_owned();
    for n in 1..10 {
        laughs.push_str(&format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)));
    }
    is_no_xml(
        "in an attribute",
        &format!("<?xml version=\"1.0\"?><!DOCTYPE ROOT [{laughs}]><ROOT entity=\"&l9;\"/>"),
    );
    is_no_xml("in a text", &format!("<!DOCTYPE ROOT [{laughs}]><ROOT><note>&l9;</note></ROOT>"));
    is_no_xml("never used", &format!("<!DOCTYPE ROOT [{laughs}]><ROOT/>"));
}

#[test]
fn entities_are_neither_fetched_nor_expanded() {
    for file in ["SYSTEM \"file:///etc/passwd\"", "PUBLIC \"-//X\" \"http://127.0.0.1:9/x.dtd\""] {
        is_no_xml("external entity", &format!("<!DOCTYPE ROOT [<!ENTITY x {file}>]><ROOT entity=\"&x;\"/>"));
        is_no_xml("external subset", &format!("<!DOCTYPE ROOT {file}><ROOT/>"));
        is_no_xml("parameter entity", &format!("<!DOCTYPE ROOT [<!ENTITY % x {file}> %x;]><ROOT/>"));
    }
    is_no_xml("declared nowhere", "<ROOT entity=\"&x;\"/>");
    is_no_xml("lower case", "<!doctype ROOT [<!ENTITY x 'y'>]><ROOT/>");
    is_no_xml(
        "processing of style sheets is none of ours, a second prologue neither",
        "<ROOT/><?xml version=\"1.0\"?><ROOT/>",
    );
    let (lamps, presence) =
        both("<?xml-stylesheet href=\"http://127.0.0.1:9/\"?><ROOT entity=\"&#x41;&amp;\"/>");
    assert_eq!(
        (lamps.unwrap().entity, presence.unwrap().entity),
        ("A&".into(), "A&".into()),
        "what needs no DTD is read"
    );
}

#[test]
fn depth_costs_no_stack() {
    // As deep as 64 KiB let it be, on a thread with as small a stack as a thread may sensibly have.
    let run = || {
        for (open, close) in
            [("<a>", "</a>"), ("<a>", ""), ("<a b='c'>", ""), ("<x:a xmlns:x='u'>", "</x:a>")]
        {
            for depth in [100, 1_000, 5_000, 9_000, 20_000, 100_000] {
                let text = format!("<ROOT>{}{}</ROOT>", open.repeat(depth), close.repeat(depth));
                let (lamps, presence) = both(&text);
                // What is well-formed and small enough may be read: there is nothing in it that we look for.
                if close.is_empty() || text.len() > 65_536 {
                    assert!(lamps.is_err() && presence.is_err(), "{open} {depth}");
                }
                drop((lamps, presence));
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(run)
        .unwrap()
        .join()
        .expect("the stack has room");
}

#[test]
fn huge_attributes_texts_and_names_are_refused_or_cut() {
    let long = "x".repeat(60_000);
    let (lamps, presence) = both(&format!("<ROOT entity=\"{long}\"/>"));
    assert_eq!((lamps.unwrap().entity.len(), presence.unwrap().entity.len()), (512, 512));
    let (_, presence) = both(&format!("<ROOT><note>{long}</note></ROOT>"));
    assert_eq!(presence.unwrap().text.len(), 512);
    is_no_xml(
        "attributes",
        &format!("<ROOT{}/>", (0..5_000).map(|n| format!(" a{n}=''")).collect::<String>()),
    );
    is_no_xml(
        "namespaces",
        &format!("<ROOT{}/>", (0..3_000).map(|n| format!(" xmlns:a{n}='u'")).collect::<String>()),
    );
    is_no_xml("the same twice", "<ROOT entity='a' entity='b'/>");
    is_no_xml("nodes", &format!("<ROOT>{}</ROOT>", "<a/>".repeat(9_000)));
    let large = format!("<ROOT>{}</ROOT>", " ".repeat(65_536));
    assert_eq!(both(&large), (Err(DialogInfoError::TooLarge), Err(PidfError::TooLarge)));
    let (lamps, presence) = both(&format!("<{long}/>"));
    assert_eq!((lamps, presence), (Err(DialogInfoError::OtherDocument), Err(PidfError::OtherDocument)));
}
