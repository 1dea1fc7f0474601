//! `rest-crm` against json-server, a service with a JSON API that we did not write (`.ci/json-server`): its filters
//! compare whole texts, its search finds parts of them.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ipc::PluginCall;
use plugin_host::connector::Cancel;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::yard::{self, Yard, hostile::finished_call};
use crate::{Plugin, caller, found, item, stranger};

/// Ended when dropped.
struct JsonServer {
    child: Child,
    port: u16,
    _scratch: TempDir,
}

impl JsonServer {
    fn start(database: &Value) -> Self {
        let program = PathBuf::from(env::var("HOME").unwrap())
            .join(".cache/frontdesk/tools/json-server/node_modules/json-server/lib/cli/bin.js");
        assert!(program.is_file(), "json-server is fetched by `make json-server`");
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("db.json"), database.to_string()).unwrap();
        // A free port may be taken by another between asking and using it: then another one.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = Command::new("node")
                .arg(&program)
                .args(["--quiet", "--host", "127.0.0.1", "--port", &port.to_string(), "db.json"])
                .current_dir(scratch.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("node comes with npm, which `.ci/json-server` installs");
            for _ in 0..3000 {
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { child, port, _scratch: scratch };
                }
                thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("json-server does not start");
    }

    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    fn load(&self, more: Value) -> Plugin {
        let mut settings = json!({ "url": format!("http://127.0.0.1:{}", self.port), "sign-in": "none" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Plugin::load(Yard::with_names(&[]), "rest-crm", &settings, &yard::granted("server", true))
    }
}

impl Drop for JsonServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn customers() -> Value {
    json!({
        "customers": [
            { "id": 1, "name": "Bo Chen", "phone": "04455500012" },
            { "id": 2, "name": "Zoë Keller", "phone": "0445550001", "company": "Example AG", "city": "Zürich" },
        ],
        "calls": [],
        "notes": [],
        "tasks": [],
    })
}

#[test]
fn crm_3_a_customer_of_a_service_that_we_did_not_write() {
    let server = JsonServer::start(&customers());
    // The defaults, and the search that finds parts of texts.
    for find in ["/customers?phone={number}", "/customers?q={digits}"] {
        let plugin = server.load(json!({ "find": find, "lines": "City = city" }));
        assert_eq!(plugin.check(&Cancel::default()).unwrap(), "the service answers; set up: customers");
        let cards = found(&plugin, &caller());
        assert_eq!(cards.iter().map(|card| card.name.as_str()).collect::<Vec<_>>(), ["Zoë Keller"], "{find}");
        assert_eq!(cards[0].lines, [("City".to_owned(), "Zürich".to_owned())]);
        assert!(found(&plugin, &stranger()).is_empty());
    }
    // It does find both.
    assert_eq!(server.get("/customers?q=0445550001").as_array().unwrap().len(), 2);
    let gone = server.load(json!({ "find": "/nothing?phone={number}" }));
    assert_eq!(gone.check(&Cancel::default()).unwrap_err().case(), "gone");
}

#[test]
fn a_call_a_note_and_a_task_are_one_entry_each_however_often_they_are_given() {
    let server = JsonServer::start(&customers());
    let settings = json!({
        "call-path": "/calls", "call-known": "/calls?reference={call.id}",
        "note-path": "/customers/{item.customer}/notes", "note-known": "/notes?reference={item.id}",
        "task-path": "/tasks", "task-known": "/tasks?reference={item.id}",
    });
    let call = PluginCall { subject: Some("2".to_owned()), ..finished_call("call-1") };
    let cancel = Cancel::default();
    for _ in 0..2 {
        // Each time one that remembers nothing.
        let plugin = server.load(settings.clone());
        assert_eq!(plugin.log_call(&call, &cancel), Ok(Some(())));
        assert_eq!(plugin.create_item(&item("note-1", false, Some("2")), &cancel), Ok(Some(None)));
        assert_eq!(plugin.create_item(&item("task-1", true, Some("2")), &cancel), Ok(Some(None)));
    }
    let calls = server.get("/calls");
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!((&calls[0]["reference"], &calls[0]["customer"]), (&json!("call-1"), &json!("2")));
    assert_eq!((&calls[0]["seconds"], &calls[0]["outcome"]), (&json!(60), &json!("answered")));
    let notes = server.get("/notes?customerId=2");
    assert_eq!(notes.as_array().unwrap().len(), 1);
    assert_eq!(notes[0]["text"], "Call back \"<b>\"\nat nine");
    let tasks = server.get("/tasks");
    assert_eq!(tasks.as_array().unwrap().len(), 1);
    assert_eq!(tasks[0]["title"], "Call back \"<b>\"");
}
