//! What the network may do to a running instance: strangers, floods, rubbish, and no port left.

mod desk;

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use desk::{Desk, connect, remote, share};
use media::{Codec, Ear, Error, Event, StreamId};

const CALL: StreamId = StreamId(1);

fn closed(desk: &Desk, id: StreamId) -> media::Stats {
    desk.media.close(id).expect("taken");
    desk.wait("closed", |event| match event {
        Event::Closed { stream, stats, .. } if stream == id => Some(stats),
        _ => None,
    })
}

/// A packet that would be taken, were it from the right address.
fn forged(number: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9];
    packet[2..4].copy_from_slice(&number.to_be_bytes());
    packet[4..8].copy_from_slice(&(u32::from(number) * 160).to_be_bytes());
    packet.extend([0x10; 160]);
    packet
}

#[test]
fn a_flood_of_strangers_and_rubbish_disturbs_no_call() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    let a_rtp = a.media.open(CALL).expect("ports");
    let b_rtp = b.media.open(CALL).expect("ports");
    a.media.connect(CALL, remote(b_rtp, Codec::Pcmu)).expect("taken");
    b.media.connect(CALL, remote(a_rtp, Codec::Pcmu)).expect("taken");
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    a.until_heard("the call", 0.5, |heard| share(heard, 660.0) > 0.9);
    let stop = Arc::new(AtomicBool::new(false));
    let flood = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            // Another address of the loopback network: a stranger. And the right address, but another port.
            let stranger = UdpSocket::bind("127.0.0.2:0").expect("a socket");
            let neighbour = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let mut number = 0_u16;
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..20 {
                    number = number.wrapping_add(1);
                    let _ = stranger.send_to(&forged(number), a_rtp);
                    let _ = stranger.send_to(&[0xFF; 1800], a_rtp);
                    let _ = neighbour.send_to(&[0x80; 5], a_rtp);
                    let _ = neighbour.send_to(&forged(1), (a_rtp.ip(), a_rtp.port() + 1));
                }
                // Some 8000 packets a second.
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    });
    a.until_heard("the call through the flood", 1.0, |heard| share(heard, 660.0) > 0.9);
    b.until_heard("the other side through the flood", 1.0, |heard| share(heard, 440.0) > 0.9);
    stop.store(true, Ordering::Relaxed);
    flood.join().expect("no panic");
    let stats = closed(&a, CALL);
    assert!(stats.strangers > 500 && stats.ignored > 200, "{stats:?}");
    assert!(stats.packets_received > 50, "{stats:?}");
}

#[test]
fn ports_are_pairs_run_out_and_come_back() {
    let desk = Desk::with(None, |config, _| {
        // Ports no other desk of these tests is given.
        let first = 19_000 + (std::process::id() % 100) as u16 * 6;
        config.rtp_ports = first..=first + 5;
    });
    let mut seen = Vec::new();
    for id in 0..3 {
        let address = desk.media.open(StreamId(id)).expect("three pairs");
        assert_eq!(address.port() % 2, 0);
        assert!(UdpSocket::bind((address.ip(), address.port() + 1)).is_err(), "RTCP is bound too");
        seen.push(address);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
    assert!(matches!(desk.media.open(StreamId(9)), Err(Error::NoPort { .. })));
    closed(&desk, StreamId(1));
    assert_eq!(desk.media.open(StreamId(9)).expect("the one just freed"), seen[1]);
}

#[test]
fn requests_for_streams_that_are_not_there_do_no_harm() {
    let (a, b) = (Desk::new(None), Desk::new(Some(660.0)));
    let nobody = StreamId(77);
    a.media.connect(nobody, remote("127.0.0.1:9".parse().expect("a literal"), Codec::Opus)).expect("taken");
    a.media.listen(Ear::Stream(nobody)).expect("taken");
    a.media.digits(nobody, "1").expect("taken");
    a.media.close(nobody).expect("taken");
    a.media.mark(nobody).expect("taken");
    let told = a.wait("the last minute of nobody", |event| match event {
        Event::Marked { stream, seconds } => Some((stream, seconds)),
        _ => None,
    });
    assert_eq!(told, (nobody, Box::default()));
    let mut wrong = remote("127.0.0.1:9".parse().expect("a literal"), Codec::Pcmu);
    wrong.remote_payload_type = 128;
    assert!(matches!(a.media.connect(CALL, wrong), Err(Error::Range { .. })));
    connect(&a, &b, CALL, Codec::Pcma);
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    a.until_heard("the call", 0.5, |heard| share(heard, 660.0) > 0.9);
}

#[test]
fn fifty_calls_on_hold_leave_the_talking_one_alone() {
    let (a, b) = (Desk::new(Some(440.0)), Desk::new(Some(660.0)));
    connect(&a, &b, CALL, Codec::Pcmu);
    for id in 100..150 {
        connect(&a, &b, StreamId(id), Codec::Opus);
    }
    a.media.listen(Ear::Stream(CALL)).expect("taken");
    b.media.listen(Ear::Stream(CALL)).expect("taken");
    a.until_heard("the one call", 1.0, |heard| share(heard, 660.0) > 0.9);
    let held = closed(&a, StreamId(120));
    assert!(held.packets_sent < 60, "pips only: {held:?}");
}
