//! The catalogue: what a hostile plugin, file or server does, and the words of the limit it runs into.

use std::time::{Duration, Instant};

use ipc::{PluginCall, PluginItem, PluginOutcome, PluginParty};
use minisign::KeyPair;
use plugin_host::connector::{Cancel, Connector, Start};
use plugin_host::failure::Failure;
use plugin_host::host::{Approved, Authority, LoadError};
use plugin_host::limits::Limits;
use plugin_host::manifest::Granted;
use plugin_host::package::{self, pack, seal};
use plugin_host::sync::{self, Directory, SyncLimits};
use serde_json::Map;

use super::ldap_server::{LdapServer, done, message, tlv};
use super::server::{self, Server};
use super::{Yard, component, granted, manifest, object, packed};

/// One of the catalogue.
pub struct Case {
    pub name: &'static str,
    /// What the limit says; a part of it.
    pub expect: &'static str,
    run: fn(&Yard) -> String,
}

/// What came of it.
pub struct Outcome {
    pub words: String,
    pub took: Duration,
    pub contained: bool,
}

impl Case {
    /// Tries it, then whether the same host still runs a plugin that behaves.
    pub fn try_it(&self, yard: &Yard) -> Outcome {
        let started = Instant::now();
        let words = (self.run)(yard);
        let took = started.elapsed();
        let alive = yard.hostile("well-behaved", "").check(&Cancel::default()) == Ok("still here".to_owned());
        let contained = alive && words.contains(self.expect);
        Outcome { words, took, contained }
    }
}

/// The yard that the catalogue needs: names that lead where they must not.
pub fn yard() -> Yard {
    Yard::with_names(&[
        ("inside.example", &[&["127.0.0.1"]]),
        ("metadata.example", &[&["169.254.169.254"]]),
        ("rebinding.example", &[&["127.0.0.1"], &["169.254.169.254"]]),
        ("mapped.example", &[&["::ffff:127.0.0.1"]]),
        ("private.example", &[&["10.0.0.1"]]),
    ])
}

const fn case(name: &'static str, expect: &'static str, run: fn(&Yard) -> String) -> Case {
    Case { name, expect, run }
}

pub const CASES: &[Case] = &[
    // Files.
    case("a file cut off in the middle", "cut off", |yard| {
        let file = packed("hostile", "hostile");
        refused(yard, file[..file.len() / 2].to_vec())
    }),
    case("a file of 33 MiB", "larger than 32 MiB", |yard| refused(yard, vec![0; 33 << 20])),
    case("a zip instead of WebAssembly", "not a WebAssembly file", |yard| {
        refused(yard, b"PK\x03\x04".to_vec())
    }),
    case("a core module", "a core module", |yard| refused(yard, b"\0asm\x01\0\0\0".to_vec())),
    case("rubbish inside a component", "not a valid component", |yard| {
        let broken = [COMPONENT, &[1, 12], &[0xff; 12]].concat();
        refused(yard, pack(&broken, &manifest("hostile")).unwrap())
    }),
    case("a component of another world", "another world", |yard| {
        refused(yard, pack(&other_world(), &manifest("hostile")).unwrap())
    }),
    case("a component that exports nothing", "another world", |yard| {
        refused(yard, pack(COMPONENT, &manifest("hostile")).unwrap())
    }),
    case("a manifest that promises what the code lacks", "its code does not", |yard| {
        let lie = "id = \"org.frontdesk.hostile\"\nprovides = [\"directory-sync\", \"directory-lookup\"]";
        let lying = manifest("hostile").replace("id = \"org.frontdesk.hostile\"", lie);
        refused(yard, pack(&component("hostile"), &lying).unwrap())
    }),
    case("a manifest for another version of the host", "plugin.abi", |yard| {
        let lying = manifest("hostile").replace("abi = \"0.1\"", "abi = \"7.0\"");
        refused(yard, pack(&component("hostile"), &lying).unwrap())
    }),
    case("an unsigned file without the developer's switch", "Unsigned", |_| {
        judged(packed("hostile", "hostile"), &Authority::default())
    }),
    case("a signed file with one byte changed", "does not fit", |_| {
        let (mut file, key) = signed();
        file[2000] ^= 1;
        judged(file, &Authority { known_key: Some(key), new_key_confirmed: true, developer: true })
    }),
    case("another author's key for a known plugin", "Changed", |_| {
        let (file, _) = signed();
        let known_key = Some("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".to_owned());
        judged(file, &Authority { known_key, new_key_confirmed: true, developer: true })
    }),
    // Calls.
    case("an endless loop", "time on the processor", |yard| {
        // On a busy machine half a second on the processor takes longer than a call may on the clock.
        let limits = Limits { wall_call: Duration::from_secs(50), ..Limits::default() };
        checked(&yard.hostile_with("endless-loop", "", false, limits))
    }),
    case("an endless loop of calls to the host", "time on the", |yard| {
        checked(&yard.hostile("endless-asking", ""))
    }),
    case("an endless loop, cancelled", "cancelled", |yard| {
        let limits = Limits {
            cpu_call: Duration::from_secs(60),
            wall_call: Duration::from_secs(60),
            ..Limits::default()
        };
        let plugin = yard.hostile_with("endless-loop", "", false, limits);
        let cancel = Cancel::default();
        std::thread::scope(|scope| {
            let call = scope.spawn(|| plugin.check(&cancel));
            std::thread::sleep(Duration::from_millis(100));
            cancel.cancel();
            told(call.join().unwrap())
        })
    }),
    case("a memory bomb", "memory", |yard| checked(&yard.hostile("memory-bomb", ""))),
    case("deep recursion", "stack", |yard| checked(&yard.hostile("deep-recursion", ""))),
    case("a trap in the first call", "trap", |yard| checked(&yard.hostile("trap-in-call-1", ""))),
    case("a trap in the thousandth call", "trap", |yard| synced(&yard.hostile("trap-in-call-1000", ""))),
    case("exit", "trap", |yard| checked(&yard.hostile("exit", ""))),
    case("sleep", "nothing of the system", |yard| checked(&yard.hostile("sleep", ""))),
    case("a look at the files", "files: Err", |yard| checked(&yard.hostile("files", ""))),
    case("a look at the environment", "environment: 0", |yard| checked(&yard.hostile("environment", ""))),
    case("a socket of its own", "nothing of the system", |yard| checked(&yard.hostile("socket", ""))),
    case("a look at a secret that is not exposed", "secret: None", |yard| {
        checked(&yard.hostile("secret", ""))
    }),
    case("a name of 10 MB", "1 left out, 1 people", |yard| synced(&yard.hostile("huge-name", ""))),
    case("100,000 people in a page", "", |yard| {
        let words = synced(&yard.hostile("huge-page", ""));
        assert!(words.contains("more changes than asked for") || words.contains("bytes handed"), "{words}");
        words
    }),
    case("a cursor of 1 MiB", "cursor or token", |yard| synced(&yard.hostile("huge-cursor", ""))),
    case("endless pages", "too many pages", |yard| synced(&yard.hostile("endless-pages", ""))),
    case("endless empty pages", "too many empty pages", |yard| {
        synced(&yard.hostile("endless-empty-pages", ""))
    }),
    case("a cursor that stands still", "a cursor came twice", |yard| {
        synced(&yard.hostile("standing-cursor", ""))
    }),
    case("an error message of 1 MiB", "EEEE", |yard| {
        let words = checked(&yard.hostile("huge-error", ""));
        assert!(words.len() < 600, "{}", words.len());
        words
    }),
    case("a log flood", "100 lines kept", |yard| {
        let plugin = yard.hostile("log-flood", "");
        assert_eq!(
            plugin.check(&Cancel::default()),
            Ok("still here".to_owned()),
            "it is the log that is lost"
        );
        let (lines, lost) = plugin.log();
        assert!(lines.iter().all(|line| line.len() < 4200));
        format!("{} lines kept, {lost} lost", lines.len())
    }),
    case("a string of 40 MiB for the host", "bytes handed", |yard| checked(&yard.hostile("huge-string", ""))),
    case("a state flood", "refused after", |yard| checked(&yard.hostile("state-flood", ""))),
    case("390 MiB of keys to delete", "not remembered", |yard| {
        let plugin = yard.hostile_with("delete-flood", "", false, patient());
        forget_most_memory();
        let before = most_memory();
        assert_eq!(plugin.check(&Cancel::default()), Ok("still here".to_owned()));
        let more = most_memory().saturating_sub(before);
        if more < 200 << 10 { "not remembered".to_owned() } else { format!("{more} KiB more in the host") }
    }),
    case("keys that are set and deleted without end", "refused after 8192", |yard| {
        checked(&yard.hostile_with("set-and-delete", "", false, patient()))
    }),
    // Customers: calls that come while a phone rings.
    case("asked which customer it is, an endless loop", "time on the", |yard| resolved(yard, "endless-loop")),
    case("a memory bomb instead of a customer", "memory", |yard| resolved(yard, "memory-bomb")),
    case("a trap instead of a customer", "trap", |yard| resolved(yard, "trap-in-call-1")),
    case("a thousand customers for a number", "more cards than asked for", |yard| {
        resolved(yard, "many-cards")
    }),
    case("a customer with a name of 1 MB", "1 cards: Next to it", |yard| resolved(yard, "huge-card")),
    case("more lines than the screen has, each too long", "Tall (12 lines, 100 and 500 long)", |yard| {
        resolved(yard, "huge-lines")
    }),
    case("a card whose link is a script", "Link [2J (no link)", |yard| resolved(yard, "script-link")),
    case("a note whose page is a file of the machine", "no page", |yard| {
        let item = PluginItem {
            id: "note-1".to_owned(),
            task: false,
            remote: PluginParty::default(),
            subject: None,
            text: "Call back".to_owned(),
            operator: "Desk".to_owned(),
        };
        match yard.hostile("script-link", "").create_item(&item, &Cancel::default()) {
            Ok(Some(None)) => "no page".to_owned(),
            other => format!("NOT STOPPED: {other:?}"),
        }
    }),
    case("a finished call that is never taken", "time on the", |yard| {
        let call = finished_call("call-1");
        told(yard.hostile("endless-loop", "").log_call(&call, &Cancel::default()).map(|_| "taken".to_owned()))
    }),
    // Network.
    case("a request that was not granted", "was not granted", |yard| {
        let settings = object(serde_json::json!({"behaviour": "fetch", "url": "http://inside.example/"}));
        let file = packed("hostile", "hostile");
        checked(&yard.load(file, &settings, &Granted::default(), Limits::default()).unwrap())
    }),
    case("127.0.0.1 by its address", "not allowed", |yard| fetched(yard, "http://127.0.0.1:PORT/")),
    case("127.0.0.1 as a number", "not allowed", |yard| fetched(yard, "http://2130706433:PORT/")),
    case("a name that leads to 127.0.0.1", "not allowed", |yard| {
        fetched(yard, "http://inside.example:PORT/")
    }),
    case("a name that leads to ::ffff:127.0.0.1", "not allowed", |yard| {
        fetched(yard, "http://mapped.example:PORT/")
    }),
    case("a name that leads into the private network", "not allowed", |yard| {
        fetched(yard, "http://private.example:PORT/")
    }),
    case("the metadata address", "not allowed", |yard| {
        checked(&yard.hostile_with(
            "fetch",
            "http://169.254.169.254/latest/meta-data/",
            true,
            Limits::default(),
        ))
    }),
    case("a name that leads to the metadata address", "not allowed", |yard| {
        checked(&yard.hostile_with("fetch", "http://metadata.example/", true, Limits::default()))
    }),
    case("DNS rebinding: a granted address when asked first, metadata after", "not allowed", |yard| {
        let server = Server::start(|_| server::ok(b"hello"));
        let url = format!("http://rebinding.example:{}/", server.port);
        let plugin = yard.hostile_with("fetch", &url, true, Limits::default());
        // Each request asks once, compares and goes to what it compared.
        assert_eq!(checked(&plugin), "NOT STOPPED: still here");
        let second = checked(&plugin);
        assert_eq!(server.connections(), 1, "{second}");
        second
    }),
    case("a redirect to 127.0.0.1", "was not granted", |yard| redirected(yard, "http://127.0.0.1:22/")),
    case("a redirect to the metadata address", "was not granted", |yard| {
        redirected(yard, "http://169.254.169.254/latest/meta-data/")
    }),
    case("a redirect to a file", "neither http nor https", |yard| redirected(yard, "file:///etc/passwd")),
    case("redirects without end", "more than 5 redirects", |yard| redirected(yard, "/again")),
    case("a request flood", "retry-later", |yard| {
        let server = Server::start(|_| server::ok(b""));
        let plugin = yard.hostile_with("fetch-flood", &here(&server), true, patient());
        let words = checked(&plugin);
        assert!(server.connections() <= 240, "{} connections", server.connections());
        words
    }),
    case("an answer of 8 MB", "larger than 4194304 bytes", |yard| {
        let server = Server::start(|_| server::ok(&vec![b'x'; 8 << 20]));
        checked(&yard.hostile_with("fetch", &here(&server), true, Limits::default()))
    }),
    case("an answer with a head without end", "unavailable", |yard| {
        let server = Server::start(|_| {
            let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
            for number in 0..100_000 {
                head.extend_from_slice(format!("x-{number}: {number}\r\n").as_bytes());
            }
            head
        });
        checked(&yard.hostile_with("fetch", &here(&server), true, Limits::default()))
    }),
    // Directories: the same rights, and searches that must not reach one.
    case("a directory that was not granted", "was not granted", |yard| {
        let settings = object(serde_json::json!({"behaviour": "ldap", "url": "ldap://inside.example"}));
        let file = packed("hostile", "hostile");
        checked(&yard.load(file, &settings, &Granted::default(), Limits::default()).unwrap())
    }),
    case("a directory at 127.0.0.1 as a number", "not allowed", |yard| {
        asked(yard, "ldap", "ldap://2130706433:PORT")
    }),
    case("a directory whose name leads to ::ffff:127.0.0.1", "not allowed", |yard| {
        asked(yard, "ldap", "ldaps://mapped.example:PORT")
    }),
    case("a directory at the metadata address", "not allowed", |yard| {
        checked(&yard.hostile_with("ldap", "ldap://169.254.169.254", true, Limits::default()))
    }),
    case("a directory without encryption where that was not asked for", "without encryption", |yard| {
        let text = manifest("hostile").replace("plain = true", "plain = false");
        let file = pack(&component("hostile"), &text).unwrap();
        let server = LdapServer::start(|_, _, _| {});
        let settings = object(serde_json::json!({"behaviour": "ldap", "url": server.url()}));
        let plugin = yard.load(file, &settings, &granted("any", true), Limits::default()).unwrap();
        let words = checked(&plugin);
        assert_eq!(server.connections(), 0);
        words
    }),
    case("a credential that the manifest does not have", "no [[auth]] somebody", |yard| {
        asked_here(yard, "ldap-login").0
    }),
    case("searches that cannot be sent", "all were refused", |yard| {
        let (words, connections) = asked_here(yard, "ldap-rubbish");
        assert_eq!(connections, 0);
        words
    }),
    case("cookies of other searches", "(true, true, true, true)", |yard| asked_here(yard, "ldap-cookies").0),
    case("a flood of searches", "retry-later", |yard| {
        let (words, connections) = asked_here(yard, "ldap-flood");
        assert!(connections <= 240, "{connections} connections");
        words
    }),
    case("a server that never answers", "no answer in time", |yard| {
        let server = Server::start(|_| {
            loop {
                std::thread::park();
            }
        });
        checked(&yard.hostile_with("fetch", &here(&server), true, Limits::default()))
    }),
];

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// `(component (import "other:house/door" (instance)))`.
fn other_world() -> Vec<u8> {
    let name = b"other:house/door";
    let mut import = vec![1, 0, name.len() as u8];
    import.extend_from_slice(name);
    import.extend_from_slice(&[5, 0]);
    [COMPONENT, &[7, 3, 1, 0x42, 0], &[10, import.len() as u8], &import].concat()
}

/// The hostile plugin, signed, and the key.
pub fn signed() -> (Vec<u8>, String) {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = pair.pk.to_base64();
    let id = "id = \"org.frontdesk.hostile\"";
    let text = manifest("hostile").replace(id, &format!("{id}\nkey = \"{key}\""));
    let packed = pack(&component("hostile"), &text).unwrap();
    let signature = minisign::sign(None, &pair.sk, packed.as_slice(), Some("test"), None).unwrap();
    let file = seal(&packed, &signature.into_string()).unwrap();
    assert!(package::Package::read(&file).unwrap().signature.is_some());
    (file, key)
}

fn judged(file: Vec<u8>, authority: &Authority) -> String {
    Approved::new(file, authority).map_or_else(|error| error.to_string(), |_| "NOT REFUSED".to_owned())
}

fn refused(yard: &Yard, file: Vec<u8>) -> String {
    let mut settings = Map::new();
    settings.insert("behaviour".to_owned(), "well-behaved".into());
    let loaded: Result<Connector, LoadError> =
        yard.load(file, &settings, &granted("any", false), Limits::default());
    loaded.map_or_else(|error| error.to_string(), |_| "NOT REFUSED".to_owned())
}

fn told(result: Result<String, Failure>) -> String {
    match result {
        Ok(words) => format!("NOT STOPPED: {words}"),
        Err(Failure::Said { case, words, .. }) => format!("{case}: {words}"),
        Err(Failure::Stopped { limit, .. }) => limit.to_string(),
        Err(Failure::Contract(words)) => words.to_owned(),
    }
}

/// What a card comes to, or how the plugin was stopped.
fn resolved(yard: &Yard, behaviour: &str) -> String {
    let caller = PluginParty { numbers: vec!["+41445550001".to_owned()], name: None };
    let cards = match yard.hostile(behaviour, "").resolve(&caller, 5, &Cancel::default()) {
        Ok(cards) => cards.unwrap(),
        Err(failure) => return told(Err(failure)),
    };
    let words = cards.iter().map(|card| {
        let length = |text: &str| text.chars().count();
        let lines = card.lines.first().map_or(String::new(), |(label, value)| {
            format!(" ({} lines, {} and {} long)", card.lines.len(), length(label), length(value))
        });
        let link = if card.url.is_none() { " (no link)" } else { " (a link)" };
        format!("{}{lines}{link}", card.name)
    });
    format!("{} cards: {}", cards.len(), words.collect::<Vec<_>>().join(", "))
}

/// A call for a customer database.
pub fn finished_call(id: &str) -> PluginCall {
    PluginCall {
        id: id.to_owned(),
        incoming: true,
        outcome: PluginOutcome::Answered,
        remote: PluginParty { numbers: vec!["+41445550001".to_owned()], name: None },
        line: Some("Bakery".to_owned()),
        operator: "Front desk".to_owned(),
        started_ms: 1_700_000_000_000,
        ring_ms: 4000,
        talk_ms: 60_000,
        transferred_to: None,
        subject: None,
    }
}

fn checked(plugin: &Connector) -> String {
    told(plugin.check(&Cancel::default()))
}

fn synced(plugin: &Connector) -> String {
    let (before, limits) = (Directory::default(), SyncLimits::default());
    // The first page alone, where the run would only say that it failed.
    if let Err(failure) = plugin.fetch(&Start::Full, sync::PAGE, &Cancel::default()) {
        return told(Err(failure));
    }
    match sync::run(plugin, &before, &limits, &Cancel::default(), &mut |_, _| {}) {
        Ok(synced) => format!("{} left out, {} people", synced.left_out, synced.directory.contacts.len()),
        Err(sync::SyncError::Call(failure)) => told(Err(failure)),
        Err(error) => error.to_string(),
    }
}

/// The plugin may go to the URL, but not to this machine: a server here must hear nothing.
fn fetched(yard: &Yard, url: &str) -> String {
    asked(yard, "fetch", url)
}

fn asked(yard: &Yard, behaviour: &str, url: &str) -> String {
    let server = Server::start(|_| server::ok(b"secret"));
    let words = checked(&yard.hostile(behaviour, &url.replace("PORT", &server.port.to_string())));
    assert_eq!(server.connections(), 0, "{words}");
    words
}

/// A directory here, which has one more page for whoever asks; what came of it, and how often it was called.
fn asked_here(yard: &Yard, behaviour: &str) -> (String, usize) {
    let server = LdapServer::start(|to, id, _| {
        let value = tlv(0x30, &[&[2, 1, 0][..], &tlv(4, b"more")].concat());
        let control = tlv(0x30, &[tlv(4, b"1.2.840.113556.1.4.319"), tlv(4, &value)].concat());
        let answer = message(id, &[done(0x65, 0, ""), tlv(0xa0, &control)].concat());
        // The host may have hung up.
        let _ = std::io::Write::write_all(to, &answer);
    });
    let words = checked(&yard.hostile_with(behaviour, &server.url(), true, patient()));
    (words, server.connections())
}

/// The plugin may go to a server here, which sends it elsewhere.
fn redirected(yard: &Yard, to: &str) -> String {
    let to = to.to_owned();
    let server = Server::start(move |_| server::redirect(&to));
    checked(&yard.hostile_with("fetch", &here(&server), true, Limits::default()))
}

/// For what has much to do before it meets a limit of another kind, also on a busy machine.
fn patient() -> Limits {
    Limits { cpu_call: Duration::from_secs(20), wall_call: Duration::from_secs(50), ..Limits::default() }
}

/// Counts from what it has now: whatever ran before in this process had more (proc_pid_clear_refs(5)).
fn forget_most_memory() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// The most memory that this process has had since, in KiB (proc_pid_status(5)).
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn here(server: &Server) -> String {
    format!("http://127.0.0.1:{}/", server.port)
}
