//! A connector that misbehaves in the way its setting `behaviour` says, so that the tests of the host and
//! `make plugin-report` see each limit hold. It is what a careless or a bad author could write with the
//! same SDK; it is never shipped.

mod customers;
mod directories;

use std::hint::black_box;

use frontdesk_connector::{
    Change, Contact, DirectorySync, Error, Lifecycle, Next, Page, Phone, PhoneKind, Start, connector,
    context, get, log, secrets, settings_as, state,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    behaviour: String,
    #[serde(default)]
    url: String,
}

struct Hostile;

connector!(Hostile: lifecycle, directory_sync, crm_resolve, crm_journal, crm_items);

impl Lifecycle for Hostile {
    fn check() -> Result<String, Error> {
        misbehave(&settings_as()?).map(|()| "still here".to_owned())
    }
}

impl DirectorySync for Hostile {
    fn fetch(start: Start, _limit: u32) -> Result<Page, Error> {
        let settings: Settings = settings_as()?;
        let call: u64 = match &start {
            Start::Resume(cursor) => cursor.parse().unwrap_or(0),
            _ => 1,
        };
        let more = Next::More((call + 1).to_string());
        let page = |changes, next| Ok(Page { changes, next, total: None });
        match settings.behaviour.as_str() {
            "trap-in-call-1000" if call >= 1000 => panic!("the thousandth call"),
            "trap-in-call-1000" | "endless-pages" => page(vec![upsert(&call.to_string(), "One")], more),
            "endless-empty-pages" => page(Vec::new(), more),
            "standing-cursor" => page(vec![upsert("1", "One")], Next::More("1".to_owned())),
            "huge-name" => {
                page(vec![upsert("1", &"N".repeat(10 << 20)), upsert("2", "Two")], Next::Done(None))
            }
            "huge-page" => {
                page((0..100_000).map(|n| upsert(&n.to_string(), "Many")).collect(), Next::Done(None))
            }
            "huge-cursor" => page(Vec::new(), Next::More("c".repeat(1 << 20))),
            "well-behaved" => page(vec![upsert("1", "One"), upsert("2", "Two")], Next::Done(None)),
            "nobody" => page(Vec::new(), Next::Done(None)),
            "no-number" => {
                let mut contact = contact("3", "Three");
                contact.phones.clear();
                page(vec![Change::Upsert(contact), upsert("1", "One")], Next::Done(None))
            }
            _ => {
                misbehave(&settings)?;
                page(Vec::new(), Next::Done(None))
            }
        }
    }
}

fn misbehave(settings: &Settings) -> Result<(), Error> {
    match settings.behaviour.as_str() {
        "well-behaved" | "trap-in-notes" | "endless-resolve" => {}
        "endless-loop" => loop {
            black_box(context::cancelled as fn() -> bool);
        },
        "endless-asking" => while !context::cancelled() {},
        "memory-bomb" => {
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(black_box(vec![1; 1 << 20]));
            }
        }
        "deep-recursion" => {
            black_box(recurse(black_box(1)));
        }
        "trap-in-call-1" => panic!("the first call"),
        "exit" => std::process::exit(1),
        "sleep" => std::thread::sleep(std::time::Duration::from_secs(3600)),
        "fetch" => {
            get(&settings.url, &[], None)?;
        }
        "fetch-flood" => loop {
            get(&settings.url, &[], None)?;
        },
        "ldap" => directories::ask(&settings.url)?,
        "ldap-flood" => loop {
            directories::ask(&settings.url)?;
        },
        "ldap-login" => directories::sign_in(&settings.url)?,
        "ldap-rubbish" => directories::rubbish(&settings.url)?,
        "ldap-cookies" => directories::cookies(&settings.url)?,
        "log-flood" => {
            let line = "L".repeat(100_000);
            for _ in 0..2_000 {
                log::write(log::Level::Info, &line);
            }
        }
        "huge-string" => log::write(log::Level::Info, &"S".repeat(40 << 20)),
        "state-flood" => {
            for key in 0..100_000_u32 {
                if state::set(&key.to_string(), &[0; 1024]).is_err() {
                    return Err(Error::Unsupported(format!("refused after {key} keys")));
                }
            }
        }
        "delete-flood" => delete_flood(),
        "set-and-delete" => {
            for key in 0..100_000_u32 {
                if state::set(&key.to_string(), &[]).is_err() {
                    return Err(Error::Unsupported(format!("refused after {key} keys")));
                }
                state::delete(&key.to_string());
            }
        }
        "files" => {
            let found = std::fs::read_dir("/").map(Iterator::count);
            return Err(Error::Unsupported(format!("files: {found:?}")));
        }
        "environment" => {
            let count = std::env::vars().count() + std::env::args().count();
            return Err(Error::Unsupported(format!("environment: {count}")));
        }
        "socket" => {
            let connected = std::net::TcpStream::connect("127.0.0.1:22").is_ok();
            return Err(Error::Unsupported(format!("connected: {connected}")));
        }
        "secret" => return Err(Error::Unsupported(format!("secret: {:?}", secrets::get("hidden")))),
        "huge-error" => return Err(Error::Protocol("E".repeat(1 << 20))),
        "crash-word" => return Err(Error::Internal("my own fault".to_owned())),
        other => return Err(Error::Unsupported(format!("no behaviour named {other}"))),
    }
    Ok(())
}

/// 390 MiB of keys, if the host remembered each that is deleted.
fn delete_flood() {
    let mut key = vec![b'k'; 15 << 20];
    for first in b'A'..=b'Z' {
        key[0] = first;
        state::delete(str::from_utf8(&key).unwrap_or_default());
    }
}

#[allow(unconditional_recursion, reason = "that is what it is for")]
fn recurse(depth: u64) -> u64 {
    // Little of the guest's own stack, so that the host's limit is the first to be met.
    depth + black_box(recurse(depth + 1))
}

fn upsert(id: &str, name: &str) -> Change {
    Change::Upsert(contact(id, name))
}

fn contact(id: &str, name: &str) -> Contact {
    Contact {
        id: id.to_owned(),
        display_name: name.to_owned(),
        organization: None,
        department: None,
        title: None,
        phones: vec![Phone { kind: PhoneKind::Work, number: "555 0100".to_owned() }],
        emails: Vec::new(),
        note: None,
        url: None,
        extra: Vec::new(),
    }
}
