//! Connections that mean no good: too many, too slow, no TLS behind the handshake (APP-2).
#![allow(clippy::unwrap_used, reason = "tests")]

mod house;

use house::{House, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One address takes no more than its share, and gives it back.
#[tokio::test]
async fn app_2_one_address_does_not_take_every_connection() {
    let house = House::new().await;
    let browser = house.browser();
    let mut held = Vec::new();
    while let Ok(stream) = browser.try_connect().await {
        held.push(stream);
        assert!(held.len() <= 64, "there is no end");
    }
    assert!(held.len() >= 8, "{}: a browser with its tabs needs some", held.len());
    drop(held);
    until("there is room again", async || browser.try_connect().await.is_ok()).await;
    assert_eq!(house.browser().get("/setup").await.status, 200);
}

/// Heads without end, and rubbish, end with the connection and harm nobody else.
#[tokio::test]
async fn app_2_endless_heads_and_rubbish_are_cut() {
    let house = House::new().await;
    let browser = house.browser();
    let mut stream = browser.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: desk\r\n").await.unwrap();
    let line = format!("X-A: {}\r\n", "a".repeat(4000));
    let mut sent = 0;
    while sent < 1_000_000 && stream.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{:?}",
        String::from_utf8_lossy(&answer)
    );
    for rubbish in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET http://[ HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ] {
        let mut stream = browser.connect().await;
        stream.write_all(rubbish).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{:?}",
            String::from_utf8_lossy(&answer)
        );
    }
    let mut plain = TcpStream::connect(house.admin.address).await.unwrap();
    plain.write_all(&[0x16, 3, 1, 0xff, 0xff, 1, 2, 3]).await.unwrap();
    drop(plain);
    assert_eq!(house.browser().get("/setup").await.status, 200);
}

/// Two at the same time with the right code: one becomes the administrator.
#[tokio::test]
async fn app_2_two_set_ups_at_once_make_one_administrator() {
    let house = House::new().await;
    let code = house.code();
    let (mut one, mut two) = (house.browser(), house.browser());
    let (first, second) =
        tokio::join!(one.set_up(&code, "One", house::PASSWORD), two.set_up(&code, "Two", house::PASSWORD));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert!(statuses[0] == 303 && [403, 409].contains(&statuses[1]), "{statuses:?}");
}
