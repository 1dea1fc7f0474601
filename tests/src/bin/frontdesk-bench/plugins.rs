//! What connectors cost the desk: to load, to call, in memory; fifty of them at once; and a look-up over the socket of
//! the plugin host, from its memory and from a customer database on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use frontdesk_tests::connectors::{PluginClient, PluginHost};
use frontdesk_tests::program::Program;
use frontdesk_tests::report::{Row, Unit};
use frontdesk_tests::repository;
use ipc::{PluginAnswer, PluginGrants, PluginParty, PluginRequest, PluginState};
use serde_json::{Value, json};

/// Small, middling and large, and one in another language.
const CONNECTORS: [&str; 4] = ["url-crm", "rest-crm", "ldap", "carddav"];
const RUNS: usize = 300;
const FLEET: usize = 50;
/// Below the 120 requests a minute that a connector may send.
const NUMBERS: usize = 100;
const REPEATS: usize = 2000;
const SOON: Duration = Duration::from_secs(60);
/// What the memory is called that is measured.
const OWN: &str = "not from files";
const CRM: &str = "org.frontdesk.rest-crm";

/// All of them.
pub(crate) fn measure(rows: &mut Vec<Row>) {
    let scratch = tempfile::tempdir().expect("the system has room for a scratch folder");
    let host = PluginHost::start(scratch.path(), &[]);
    rows.push(Row::of(
        "memory of frontdesk-plugind, idle",
        "MiB",
        &[(OWN, own_memory(&host.program))],
        OWN,
        48.0,
    ));
    for name in CONNECTORS {
        rows.extend(costs(&host, name));
    }
    rows.push(fleet(&host));
    rows.extend(look_ups(&host));
}

/// As `frontdesk-plugin cost` says them.
fn costs(host: &PluginHost, name: &str) -> Vec<Row> {
    let mut command = Command::new(repository::program("frontdesk-plugin"));
    let output = command.arg("cost").arg(host.packed(name)).args(["--runs", &RUNS.to_string()]).output();
    let output = output.expect("frontdesk-plugin can be started");
    assert!(output.status.success(), "cost: {}", String::from_utf8_lossy(&output.stderr));
    let line: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    let costs = &line["costs"];
    let times = |key: &str| -> Vec<Duration> {
        let samples = costs[key].as_array().expect("samples");
        samples.iter().map(|sample| Duration::from_micros(sample.as_u64().expect("microseconds"))).collect()
    };
    let number = |key: &str| costs[key].as_u64().unwrap_or_default();
    let size = format!(
        "a file of {} KiB, {} KiB of machine code, compiled in {} ms",
        number("file") >> 10,
        number("compiled") >> 10,
        number("compile_us") / 1000
    );
    vec![
        Row::times(
            format!("{name}: load, compiled before"),
            Unit::Milliseconds,
            &times("load_us"),
            "p99",
            10.0,
        )
        .note(size),
        Row::times(
            format!("{name}: fresh instance and a call"),
            Unit::Milliseconds,
            &times("call_us"),
            "p99",
            2.0,
        )
        .note("its test, which is refused the network"),
        Row::of(
            format!("{name}: memory of an instance"),
            "KiB",
            &[("most", number("memory") as f64 / 1024.0)],
            "most",
            4096.0,
        ),
    ]
}

/// Fifty connectors, each enabled, each with its own name.
fn fleet(host: &PluginHost) -> Row {
    let before = own_memory(&host.program);
    let mut client = host.client();
    let manifest = repository::root().join("plugins/rest-crm/connector.toml");
    let text = fs::read_to_string(manifest).expect("rest-crm has a manifest");
    for number in 0..FLEET {
        let id = format!("{CRM}-{number}");
        let own = host.packed("rest-crm").with_extension("toml");
        fs::write(&own, text.replace(&format!("\"{CRM}\""), &format!("\"{id}\"")))
            .expect("room for a manifest");
        let file = host.packed_as("rest-crm", &own);
        client.install(&file, PluginGrants::default()).expect("it is installed");
        client
            .configure(&id, json!({ "url": "https://crm.example.com/", "sign-in": "none" }))
            .expect("it is set up");
        client.wait("ready", &id, SOON, |plugin| plugin.state == PluginState::Ready);
    }
    let more = own_memory(&host.program) - before;
    for number in 0..FLEET {
        let plugin = format!("{CRM}-{number}");
        client.ask(PluginRequest::Remove { plugin }).expect("it is removed");
    }
    Row::of(format!("memory of {FLEET} connectors more"), "MiB", &[(OWN, more)], OWN, 64.0)
        .note(format!("{:.0} KiB each", more * 1024.0 / FLEET as f64))
}

/// Which customer a number is: asked for the first time, and again.
fn look_ups(host: &PluginHost) -> Vec<Row> {
    let port = customers();
    let mut client = host.client();
    let rights = |id: &str| vec![id.to_owned()];
    let granted =
        PluginGrants { net: rights("server"), loopback: rights("server"), ..PluginGrants::default() };
    client.install(&host.packed("rest-crm"), granted).expect("it is installed");
    let settings = json!({ "url": format!("http://127.0.0.1:{port}"), "sign-in": "none" });
    client.configure(CRM, settings).expect("it is set up");
    client.wait("ready", CRM, SOON, |plugin| plugin.state == PluginState::Ready);
    let fresh: Vec<Duration> = (0..NUMBERS).map(|number| ask(&mut client, number)).collect();
    let again: Vec<Duration> = (0..REPEATS).map(|number| ask(&mut client, number % NUMBERS)).collect();
    vec![
        Row::times("which customer: asked for the first time", Unit::Milliseconds, &fresh, "p99", 50.0)
            .note(format!("{NUMBERS} numbers, over the socket, HTTP to this machine and back")),
        Row::times("which customer: remembered", Unit::Milliseconds, &again, "p99", 5.0)
            .note(format!("{REPEATS} times the same numbers")),
    ]
}

fn ask(client: &mut PluginClient, number: usize) -> Duration {
    let caller = PluginParty { numbers: vec![format!("+4144555{number:04}")], name: None };
    let started = Instant::now();
    let answer = client.ask(PluginRequest::Resolve { plugin: CRM.to_owned(), caller });
    let took = started.elapsed();
    match answer {
        Ok(PluginAnswer::Cards(cards)) if cards.len() == 1 => took,
        other => panic!("no customer for number {number}: {other:?}"),
    }
}

/// A customer database of one page: whoever is asked for is there.
fn customers() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let port = listener.local_addr().expect("it listens").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Who hangs up has no answer.
            let _ = answer(&mut stream);
        }
    });
    port
}

fn answer(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Ok(()),
            count => head.extend_from_slice(&part[..count]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let query: BTreeMap<&str, &str> = head
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|target| target.split_once('?'))
        .map(|(_, query)| query.split('&').filter_map(|pair| pair.split_once('=')).collect())
        .unwrap_or_default();
    let phone = query.get("phone").copied().unwrap_or_default().replace("%2B", "+");
    let body =
        json!([{ "id": phone, "name": "Zoë Customer", "company": "Bakery", "phone": phone }]).to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// MiB. Machine code is mapped from files and not in it.
fn own_memory(program: &Program) -> f64 {
    program.resident_kib() as f64 / 1024.0
}
