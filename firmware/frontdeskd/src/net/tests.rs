//! The table of connections against real sockets on the loopback.
#![allow(clippy::unwrap_used, reason = "tests")]

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

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
    let large = || Transmit { bytes: vec![b'x'; 64 * 1024], ..to(there) };
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
