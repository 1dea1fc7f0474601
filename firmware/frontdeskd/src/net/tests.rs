//! The table of connections against real sockets on the loopback.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::TcpListener,
    time::{Instant, sleep},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer, server::WebPkiClientVerifier},
};

use super::{stream::Side, *};

const MESSAGE: &[u8] = b"OPTIONS sip:desk@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n";

fn net() -> (Net, Way, mpsc::Receiver<Event>) {
    let (inbox, events) = mpsc::channel(1024);
    let way = Way::new(inbox);
    let settings = store::Tls { verify: false, ..store::Tls::default() };
    let net = Net::new(Vec::new(), way.clone(), tls::client(&settings).unwrap());
    (net, way, events)
}

fn to(address: SocketAddr) -> Transmit {
    Transmit { to: Target::new(Transport::Tcp, address), server_name: None, bytes: MESSAGE.to_vec() }
}

async fn news(events: &mut mpsc::Receiver<Event>) -> News {
    match events.recv().await.unwrap() {
        Event::Stream(news) => news,
        _ => panic!("no news of a connection"),
    }
}

#[test]
fn of_a_message_the_log_has_its_first_line_only() {
    let message = b"REGISTER sip:pbx.example SIP/2.0\r\nAuthorization: Digest response=\"secret\"\r\n\r\n";
    assert_eq!(first_line(message), "REGISTER sip:pbx.example SIP/2.0");
    assert_eq!(first_line(b""), "");
    assert_eq!(first_line(b"a\x1b[31m\xff"), "a\u{fffd}[31m\u{fffd}");
    assert_eq!(first_line(&[b'x'; 5000]).len(), LONGEST_LINE);
}

#[tokio::test]
async fn datagrams_and_streams_are_marked_as_signalling() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let datagrams = udp::bind(address.parse().unwrap()).unwrap();
        let listener = TcpListener::bind(address).await.unwrap();
        let open = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        stream::tune(&open);
        for socket in [SockRef::from(&datagrams), SockRef::from(&open)] {
            assert_eq!(socket.tos_v4().unwrap(), 160);
            if address.starts_with('[') {
                assert_eq!(socket.tclass_v6().unwrap(), 160);
            }
        }
    }
}

#[tokio::test]
async fn acc_5_a_message_opens_a_connection_and_its_end_is_told_once() {
    let (mut net, _way, mut events) = net();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    assert_eq!(net.send(to(there)), None);
    assert_eq!(net.connect(to(there).to, None), Wished::Later);
    let (mut peer, from) = listener.accept().await.unwrap();
    let News::Opened { id, target, local, theirs: None } = news(&mut events).await else { panic!() };
    assert_eq!(local, from);
    assert!(net.opened(id, target, local, None));
    assert_eq!(net.connect(target, None), Wished::Open(local));
    let mut read = vec![0; MESSAGE.len()];
    peer.read_exact(&mut read).await.unwrap();
    assert_eq!(read, MESSAGE);
    peer.write_all(&[b"\r\n\r\n", MESSAGE].concat()).await.unwrap();
    let News::Message { from, bytes, .. } = news(&mut events).await else { panic!() };
    assert_eq!((from, bytes.as_slice()), (target, MESSAGE));
    let mut pong = [0; 2];
    peer.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    drop(peer);
    let News::Closed { id, target, .. } = news(&mut events).await else { panic!() };
    assert!(net.closed(id, target));
    assert!(!net.closed(id, target));
}

#[tokio::test]
async fn acc_5_a_datagram_of_the_other_family_is_no_riddle() {
    let (mut net, _way, _events) = net();
    let six = Target::from(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 5060)));
    let broken = net.send(Transmit { to: six, ..to(six.address) });
    assert_eq!(broken, Some(Broken { target: six, reason: NO_SOCKET }));
    assert_eq!(net.connect(six, None), Wished::Never(NO_SOCKET));
}

#[tokio::test]
async fn acc_5_where_nobody_listens_that_is_the_reason() {
    let (mut net, _way, mut events) = net();
    let there = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(net.connect(to(there).to, None), Wished::Later);
    let News::Closed { reason, .. } = news(&mut events).await else { panic!() };
    assert_eq!(reason, "nobody takes connections there");
}

#[tokio::test]
async fn acc_5_a_peer_that_does_not_speak_tls_is_named_so() {
    let (mut net, _way, mut events) = net();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = Target::new(Transport::Tls, listener.local_addr().unwrap());
    assert_eq!(net.connect(there, Some("pbx.example".into())), Wished::Later);
    let (mut peer, _) = listener.accept().await.unwrap();
    peer.write_all(b"SIP/2.0 400 Bad Request\r\n\r\n").await.unwrap();
    let News::Closed { reason, .. } = news(&mut events).await else { panic!() };
    assert_eq!(reason, "the peer does not speak TLS there");
}

#[tokio::test]
async fn acc_5_a_peer_that_takes_nothing_in_is_given_up_and_its_late_news_means_nothing() {
    let (mut net, _way, mut events) = net();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    assert_eq!(net.connect(to(there).to, None), Wished::Later);
    let News::Opened { id, target, local, .. } = news(&mut events).await else { panic!() };
    assert!(net.opened(id, target, local, None));
    let large = || Transmit { bytes: vec![b'x'; 1024], ..to(there) };
    let broken =
        std::iter::repeat_with(|| net.send(large())).take(2 * QUEUE + 1000).find_map(|broken| broken);
    assert_eq!(broken.unwrap().target, target);
    assert!(!net.closed(id, target));
}

#[tokio::test]
async fn acc_5_an_answer_goes_back_by_the_connection_of_its_request() {
    let (mut net, way, mut events) = net();
    let listener = listen::bind("[::1]:0".parse().unwrap()).unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(listen::listen(listener, None, way));
    let mut peer = tokio::net::TcpStream::connect(here).await.unwrap();
    let News::Opened { id, target, local, theirs } = news(&mut events).await else { panic!() };
    assert!(theirs.is_some());
    assert_eq!((target.address, local), (peer.local_addr().unwrap(), here));
    assert!(net.opened(id, target, local, theirs));
    peer.write_all(MESSAGE).await.unwrap();
    let News::Message { from, .. } = news(&mut events).await else { panic!() };
    assert_eq!(net.send(to(from.address)), None);
    let mut read = vec![0; MESSAGE.len()];
    peer.read_exact(&mut read).await.unwrap();
    assert_eq!(read, MESSAGE);
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let News::Closed { reason, .. } = news(&mut events).await else { panic!() };
    assert_eq!(reason, "what comes is not SIP");
}

#[tokio::test]
async fn acc_5_messages_that_nobody_takes_make_the_peer_wait() {
    let (_net, way, mut events) = net();
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(listen::listen(listener, None, way.clone()));
    let mut peer = tokio::net::TcpStream::connect(here).await.unwrap();
    let total = 3 * WAITING;
    let writing = tokio::spawn(async move {
        for _ in 0..total {
            peer.write_all(MESSAGE).await.unwrap();
        }
        peer
    });
    // Where to write to it is in there.
    let _opened = news(&mut events).await;
    let mut held = Vec::new();
    for _ in 0..WAITING {
        held.push(news(&mut events).await);
    }
    assert_eq!(way.room.available_permits(), 0);
    assert!(events.try_recv().is_err());
    drop(held);
    for _ in WAITING..total {
        assert!(matches!(news(&mut events).await, News::Message { .. }));
    }
    drop(writing.await.unwrap());
}

/// A connection without a network, and why it ended after how many seconds.
fn carried(side: Side) -> (DuplexStream, mpsc::Sender<Vec<u8>>, tokio::task::JoinHandle<(String, u64)>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (queue, messages) = mpsc::channel(QUEUE);
    let task = tokio::spawn(async move {
        let (_net, way, _events) = net();
        let peer = Target::new(Transport::Tcp, "192.0.2.1:5060".parse().unwrap());
        let start = Instant::now();
        let reason = stream::carry(ours, peer, side, messages, &way).await;
        (reason, start.elapsed().as_secs())
    });
    (theirs, queue, task)
}

#[tokio::test(start_paused = true)]
async fn acc_5_a_peer_that_used_to_answer_keep_alives_and_does_not_is_gone() {
    let (mut peer, _queue, task) = carried(Side::Ours);
    let mut ping = [0; 4];
    peer.read_exact(&mut ping).await.unwrap();
    assert_eq!(&ping, b"\r\n\r\n");
    peer.write_all(b"\r\n").await.unwrap();
    peer.read_exact(&mut ping).await.unwrap();
    let (reason, after) = task.await.unwrap();
    assert_eq!((reason.as_str(), after), ("the peer does not answer keep-alives any more", 60));
}

#[tokio::test(start_paused = true)]
async fn acc_5_a_peer_that_never_answered_keep_alives_is_left_alone() {
    let (_peer, queue, task) = carried(Side::Ours);
    sleep(Duration::from_secs(600)).await;
    assert!(!task.is_finished());
    drop(queue);
    assert_eq!(task.await.unwrap().0, "closed by the desk");
}

#[tokio::test(start_paused = true)]
async fn acc_5_a_stranger_that_says_nothing_and_a_message_without_end_are_closed() {
    let (_peer, _queue, task) = carried(Side::Theirs);
    assert_eq!(task.await.unwrap(), ("nothing was said for too long".to_owned(), 30));

    // A byte now and then does not keep it open.
    let (mut peer, _queue, task) = carried(Side::Theirs);
    for byte in b"OPTIONS sip:desk" {
        let _ = peer.write_all(&[*byte]).await;
        sleep(Duration::from_secs(9)).await;
    }
    assert_eq!(task.await.unwrap(), ("a message did not come to its end".to_owned(), 30));

    let (mut peer, _queue, task) = carried(Side::Theirs);
    peer.write_all(MESSAGE).await.unwrap();
    assert_eq!(task.await.unwrap(), ("nothing was said for too long".to_owned(), 600));
}

struct Pair {
    pem: String,
    key: String,
}

/// A certificate that vouches for itself.
fn certificate(name: &str) -> Pair {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    Pair { pem: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

/// A net that trusts `pair`.
fn trusting(pair: &Pair, more: store::Tls) -> (Net, Way, mpsc::Receiver<Event>) {
    let (mut net, way, events) = net();
    let settings = store::Tls { ca: vec![pair.pem.clone()], ..more };
    assert_eq!(net.set_tls(tls::client(&settings).unwrap()), []);
    (net, way, events)
}

async fn listening(acceptor: TlsAcceptor, way: Way) -> Target {
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(listen::listen(listener, Some(acceptor.into()), way));
    Target::new(Transport::Tls, here)
}

fn by_files(pair: &Pair) -> TlsAcceptor {
    let folder = tempfile::tempdir().unwrap();
    let (pem, key) = (folder.path().join("a.pem"), folder.path().join("a.key"));
    std::fs::write(&pem, &pair.pem).unwrap();
    std::fs::write(&key, &pair.key).unwrap();
    tls::server(&pem, &key).unwrap()
}

/// The first two news of a connection to ourselves: what both sides say of it, ours first.
async fn both(events: &mut mpsc::Receiver<Event>, target: Target) -> (News, News) {
    let (one, other) = (news(events).await, news(events).await);
    let is_ours = |news: &News| match news {
        News::Opened { theirs, .. } => theirs.is_none(),
        News::Closed { target: at, .. } => *at == target,
        News::Message { .. } => false,
    };
    if is_ours(&one) { (one, other) } else { (other, one) }
}

#[tokio::test]
async fn acc_5_two_desks_speak_tls_by_name() {
    let pair = certificate("pbx.example");
    let (mut net, way, mut events) = trusting(&pair, store::Tls::default());
    let there = listening(by_files(&pair), way).await;
    let transmit = Transmit { to: there, server_name: Some("pbx.example".into()), bytes: MESSAGE.to_vec() };
    assert_eq!(net.send(transmit), None);
    let (ours, _theirs) = both(&mut events, there).await;
    assert!(matches!(ours, News::Opened { .. }));
    let News::Message { from, bytes, .. } = news(&mut events).await else { panic!() };
    assert_eq!((from.transport, bytes.as_slice()), (Transport::Tls, MESSAGE));
}

#[tokio::test]
async fn acc_5_other_settings_of_tls_give_up_the_connections_that_the_desk_has_opened() {
    let pair = certificate("pbx.example");
    let (mut net, way, mut events) = trusting(&pair, store::Tls::default());
    let there = listening(by_files(&pair), way).await;
    assert_eq!(net.connect(there, Some("pbx.example".into())), Wished::Later);
    let (ours, theirs) = both(&mut events, there).await;
    for opened in [ours, theirs] {
        let News::Opened { id, target, local, theirs } = opened else { panic!() };
        assert!(net.opened(id, target, local, theirs));
    }
    let given_up = net.set_tls(tls::client(&store::Tls::default()).unwrap());
    let reason = "the settings of TLS have changed";
    assert_eq!(given_up, [Broken { target: there, reason }]);
    // The next one is opened by the new rules, which do not trust that certificate.
    assert_eq!(net.connect(there, Some("pbx.example".into())), Wished::Later);
    loop {
        if let News::Closed { target, reason, .. } = news(&mut events).await
            && target == there
            && reason.contains("tls.ca")
        {
            break;
        }
    }
}

#[test]
fn acc_5_a_renewed_certificate_is_read_again_and_a_broken_one_leaves_the_old_one_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a.pem", "a.key"].map(|name| folder.path().join(name));
    let write = |pair: &Pair, seconds: u64| {
        for (file, text) in files.iter().zip([&pair.pem, &pair.key]) {
            std::fs::write(file, text).unwrap();
            let at = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            std::fs::File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
        }
    };
    let same = |a: &TlsAcceptor, b: &TlsAcceptor| Arc::ptr_eq(a.config(), b.config());
    write(&certificate("desk.example"), 1);
    let mut own = tls::Own::read(&files[0], &files[1]).unwrap();
    let first = own.acceptor();
    assert!(same(&first, &own.acceptor()));
    write(&Pair { pem: "hello".into(), key: String::new() }, 2);
    assert!(same(&first, &own.acceptor()));
    write(&certificate("desk.example"), 3);
    let second = own.acceptor();
    assert!(!same(&first, &second) && same(&second, &own.acceptor()));
}

#[tokio::test]
async fn acc_5_a_certificate_that_is_not_right_says_what_is_wrong() {
    let pair = certificate("sbc.example");
    let reason = async |trusted: &Pair, name: &str| {
        let (mut net, way, mut events) = trusting(trusted, store::Tls::default());
        let there = listening(by_files(&pair), way).await;
        assert_eq!(net.connect(there, Some(name.to_owned())), Wished::Later);
        let News::Closed { reason, .. } = news(&mut events).await else { panic!() };
        reason
    };
    let said = reason(&pair, "pbx.example").await;
    assert_eq!(said, "certificate is for sbc.example, not for pbx.example");
    let said = reason(&certificate("other.example"), "sbc.example").await;
    assert_eq!(said, "certificate comes from an authority that is not trusted here (tls.ca)");
}

#[tokio::test]
async fn acc_5_the_desk_shows_its_certificate_where_it_is_asked_for() {
    let (pair, own) = (certificate("pbx.example"), certificate("desk.example"));
    let provider = Arc::new(ring::default_provider());
    let mut roots = tokio_rustls::rustls::RootCertStore::empty();
    roots.add(crate::trust::certificates(own.pem.as_bytes()).unwrap().remove(0)).unwrap();
    let asks = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = tokio_rustls::rustls::pki_types::pem::PemObject::from_pem_slice(pair.key.as_bytes());
    let key: PrivateKeyDer<'static> = key.unwrap();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(asks.build().unwrap())
        .with_single_cert(crate::trust::certificates(pair.pem.as_bytes()).unwrap(), key)
        .unwrap();
    let server = TlsAcceptor::from(Arc::new(server));

    let shows = store::Tls {
        certificate: Some(own.pem.clone()),
        key: store::Secret::new(&own.key),
        ..store::Tls::default()
    };
    let (mut net, way, mut events) = trusting(&pair, shows);
    let there = listening(server.clone(), way).await;
    assert_eq!(net.connect(there, Some("pbx.example".into())), Wished::Later);
    let (ours, theirs) = both(&mut events, there).await;
    assert!(matches!((ours, theirs), (News::Opened { .. }, News::Opened { .. })));

    // Without it, the peer closes as soon as it has seen that.
    let (mut net, way, mut events) = trusting(&pair, store::Tls::default());
    let there = listening(server, way).await;
    assert_eq!(net.connect(there, Some("pbx.example".into())), Wished::Later);
    let mut said = news(&mut events).await;
    if matches!(said, News::Opened { .. }) {
        said = news(&mut events).await;
    }
    let News::Closed { reason, .. } = said else { panic!() };
    assert_eq!(reason, "TLS: the peer wants a certificate of the desk (tls.certificate)");
}
