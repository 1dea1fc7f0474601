//! A plugin's file on its way: looked at, granted, installed, or refused in words (APP-1).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{Host, House, PASSWORD, clean::is_clean, seen, until, with_host};
use hyper::Method;
use ipc::{PluginProblem, PluginRequest, PluginSignature};

const PLUGIN: &str = "/plugins/org.example.ldap";

#[tokio::test]
async fn app_1_a_plugin_is_uploaded_looked_at_granted_and_installed() {
    let (house, mut ada) = House::with_ada().await;
    let host = Host::start(&house.socket(), false);
    seen(&ada, "9.9.9").await;
    let file = [b"\0asm".as_slice(), &vec![7; 1_300_000]].concat();
    let sent = ada.upload("/plugins", "/plugins/upload", &[("file", &file)]).await;
    let here = sent.to.unwrap();
    assert!(here.starts_with("/plugins/uploads/"), "{here}: {}", ada.get("/plugins").await.body);
    assert_eq!(host.inner.lock().unwrap().uploaded, file, "in three parts, whole");
    let page = ada.get(&here).await;
    is_clean(&here, &page.body);
    for words in [
        "Compare it with the one its author publishes",
        "RWQkey",
        "Connect to https://api.example.com",
        "Connect to the address in its setting “Server”",
        "also in your own network",
        "Also without encryption",
        "The author’s reason: To read people",
    ] {
        assert!(page.has(words), "{words}");
    }
    let password = ("password", PASSWORD);
    ada.submit(&here, &here, &[password]).await;
    assert!(ada.get(&here).await.has("Compare the key with the one its author publishes, and tick"));
    ada.submit(&here, &here, &[("key-confirmed", "on"), ("password", "wrong password")]).await;
    assert!(ada.get(&here).await.has("Your password was wrong"));
    assert!(!host.asked().iter().any(|asked| matches!(asked, PluginRequest::Install { .. })));
    let ticks = [
        ("key-confirmed", "on"),
        password,
        ("net.server", "on"),
        ("private.server", "on"),
        ("private.api", "on"),
        ("net.made-up", "on"),
    ];
    let done = ada.submit(&here, &here, &ticks).await;
    assert_eq!(done.to.as_deref(), Some(PLUGIN));
    let install = host.asked().into_iter().find_map(|asked| match asked {
        PluginRequest::Install { granted, key_confirmed, .. } => Some((granted, key_confirmed)),
        _ => None,
    });
    let (granted, confirmed) = install.unwrap();
    assert_eq!(
        (granted.net, granted.private, granted.loopback),
        (vec!["server".into()], vec!["server".into()], vec![])
    );
    assert!(confirmed);
    host.set(|_| {});
    until("the plugin", async || ada.look(PLUGIN).await.status == 200).await;
    assert!(ada.get(PLUGIN).await.has("was installed. It does not run yet"));
    let log = ada.get("/audit").await;
    assert!(log.has("org.example.ldap 2.0.0, net: server, private: server, loopback: -"));
    assert_eq!(ada.get(&here).await.status, 404, "the upload is over");
}

#[tokio::test]
async fn app_1_an_update_marks_what_is_new_and_a_refused_file_says_why() {
    let (_house, mut ada, host) = with_host().await;
    host.set(|inner| inner.signature = Some(PluginSignature::Known));
    let file: &[u8] = b"\0asm....";
    let here = ada.upload("/plugins", "/plugins/upload", &[("file", file)]).await.to.unwrap();
    let page = ada.get(&here).await;
    assert!(page.has("asks for more than the one that is installed") && page.has(">new</strong>"));
    assert!(page.has("id=\"net.server\" name=\"net.server\" checked"), "what was granted stays ticked");
    assert!(page.has("id=\"net.api\" name=\"net.api\">"), "what is new is not");
    assert!(page.has("Install in place of 1.0.0"));
    assert_eq!(ada.submit(&here, &format!("{here}/cancel"), &[]).await.to.as_deref(), Some("/plugins"));
    assert_eq!(ada.get(&here).await.status, 404);
    host.set(|inner| {
        inner.signature = Some(PluginSignature::OtherKey);
        inner.refused = Some(PluginProblem::NotTrusted);
    });
    let here = ada.upload("/plugins", "/plugins/upload", &[("file", file)]).await.to.unwrap();
    let page = ada.get(&here).await;
    assert!(
        page.has("Somebody else may have made this file") && page.has("cannot be installed: its signature")
    );
    assert!(!page.has("id=\"install\""));
}

#[tokio::test]
async fn app_1_what_is_no_plugin_is_refused_in_words() {
    let (_house, mut ada, host) = with_host().await;
    ada.upload("/plugins", "/plugins/upload", &[("file", b"MZ")]).await;
    assert!(
        ada.get("/plugins")
            .await
            .has("it is not a plugin that this box can run. Detail: “wrong magic &lt;b&gt;”")
    );
    ada.upload("/plugins", "/plugins/upload", &[("file", b"")]).await;
    assert!(ada.get("/plugins").await.has("No file was chosen"));
    let before = host.asked().len();
    let answer = ada.upload_as("guessed", "/plugins/upload", &[("file", b"\0asm")]).await;
    assert_eq!(answer.status, 403);
    let answer = ada.send(Method::POST, "/plugins/upload", Some("text/plain"), b"x".to_vec()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(host.asked().len(), before);
}

#[tokio::test]
async fn app_1_a_huge_file_and_a_broken_upload_leave_nothing() {
    use tokio::io::AsyncWriteExt;
    let (house, mut ada, host) = with_host().await;
    let before = host.asked().len();
    let huge = vec![0; 33 * 1024 * 1024];
    let token = ada.token("/plugins").await;
    let announced = ada.announce("/plugins/upload", 500_000_000).await;
    assert_eq!(announced, "HTTP/1.1 413", "500 MB are refused before they come");
    let (_, body) = house::browser::multipart(&token, &[("file", &huge)]);
    let mut stream = ada.connect().await;
    let chunked = ada.upload_head("/plugins/upload", "Transfer-Encoding: chunked");
    stream.write_all(chunked.as_bytes()).await.unwrap();
    for part in body.chunks(1024 * 1024) {
        let framed = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
        // The box may hang up as soon as it is too much.
        if stream.write_all(&framed).await.is_err() {
            break;
        }
    }
    until("too large is said", async || ada.thief().get("/plugins").await.has("a plugin has at most 32 MiB"))
        .await;
    drop(stream);
    // More than may be under way at once: each that breaks off makes room.
    for _ in 0..4 {
        let mut stream = ada.connect().await;
        let head = ada.upload_head("/plugins/upload", &format!("Content-Length: {}", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..100_000]).await.unwrap();
        drop(stream);
    }
    assert_eq!(host.asked().len(), before, "the plugin host heard of none of it");
    let folder = house.folder.path().join("admin");
    let count = || std::fs::read_dir(&folder).unwrap().count();
    until("only the certificate is there", async || count() == 1).await;
    until("there is room again", async || {
        let sent = ada.thief().upload("/plugins", "/plugins/upload", &[("file", b"\0asm....")]).await;
        sent.to.unwrap().starts_with("/plugins/uploads/")
    })
    .await;
}
