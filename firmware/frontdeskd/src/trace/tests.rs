//! What the desk writes is read by tshark, which we did not write.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, process::Command};

use sip::Transport;

use super::*;

const PASSWORD: &str = "zqhunter2";

fn message(start: &str, method: &str, number: u32, call_id: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK{number}\r\nFrom: <sip:23:{PASSWORD}@pbx>;tag=a\r\n\
         To: <sip:100@pbx>;tag=b\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n{more}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A call over UDP and a registration over TCP and TLS, as a file.
fn told(local: &str, peer: &str) -> Vec<u8> {
    let (local, peer): (SocketAddr, SocketAddr) = (local.parse().unwrap(), peer.parse().unwrap());
    let mut trace = Trace::new(local, 8 << 20);
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\n\
               a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:zqWVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n";
    let described = "Content-Type: application/sdp\r\n";
    trace.came(
        None,
        peer.into(),
        &message("INVITE sip:100@desk SIP/2.0", "INVITE", 1, "call-1", described, sdp),
    );
    trace.name(CallRef(7), Some("call-1"));
    trace.goes(None, peer.into(), &message("SIP/2.0 180 Ringing", "INVITE", 1, "call-1", "", ""));
    trace.goes(None, peer.into(), &message("SIP/2.0 200 OK", "INVITE", 1, "call-1", described, sdp));
    trace.came(None, peer.into(), &message("ACK sip:100@desk SIP/2.0", "ACK", 1, "call-1", "", ""));
    trace.came(None, peer.into(), b"\r\n\r\n");
    let digest = format!(
        "Authorization: Digest username=\"23\", realm=\"pbx\", nonce=\"zq\", response=\"{PASSWORD}\"\r\n"
    );
    for transport in [Transport::Tcp, Transport::Tls] {
        let peer = Target { transport, address: peer };
        let request = message("REGISTER sip:pbx SIP/2.0", "REGISTER", 2, "register-1", &digest, "");
        trace.goes(None, peer, &request);
        trace.came(None, peer, &message("SIP/2.0 200 OK", "REGISTER", 2, "register-1", "", ""));
    }
    trace.came(None, peer.into(), &message("BYE sip:100@desk SIP/2.0", "BYE", 3, "call-1", "", ""));
    let (entries, more) = trace.page(Wanted::default());
    assert!(!more);
    piece(&entries, true)
}

/// What tshark prints of a file, one line a packet.
fn tshark(file: &[u8], arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sip.pcapng");
    fs::write(&path, file).unwrap();
    let checked =
        ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"];
    let output = Command::new("tshark").arg("-r").arg(&path).args(checked).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("tshark (Debian package `tshark`): {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn tshark_reads_every_message_of_either_family_and_every_transport() {
    for (local, peer) in [
        ("127.0.0.1:5060", "127.0.0.9:40001"),
        ("[::1]:5060", "[::2]:40001"),
        // Not 40000: what comes from there is SAP's to Wireshark 4.4.
        ("127.0.0.1:40002", "127.0.0.9:5061"),
    ] {
        let file = told(local, peer);
        let fields = ["-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "sip.Call-ID"];
        let sip = tshark(&file, &[&["-Y", "sip"], &fields[..]].concat());
        let expected = [
            "INVITE\t\tcall-1",
            "\t180\tcall-1",
            "\t200\tcall-1",
            "ACK\t\tcall-1",
            "REGISTER\t\tregister-1",
            "\t200\tregister-1",
            "REGISTER\t\tregister-1",
            "\t200\tregister-1",
            "BYE\t\tcall-1",
        ];
        assert_eq!(sip, expected, "{local} and {peer}");
        let wrong = "ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0 || \
                     _ws.malformed || sip.msg_body && !sdp";
        assert_eq!(tshark(&file, &["-Y", wrong]), [""; 0], "{local}");
        let comments =
            tshark(&file, &["-T", "fields", "-e", "frame.comment", "-e", "frame.packet_flags_direction"]);
        assert!(comments[0].contains("call 7, in over UDP, Call-ID call-1"), "{comments:?}");
        assert!(comments[6].contains("out over TLS, Call-ID register-1"), "{comments:?}");
        let keys = tshark(&file, &["-Y", "sdp", "-T", "fields", "-e", "sdp.media_attr"]);
        assert!(
            keys.len() == 2 && keys.iter().all(|key| key.contains("AES_CM_128_HMAC_SHA1_80")),
            "{keys:?}"
        );
    }
}

#[test]
fn the_file_has_no_secret() {
    let file = told("127.0.0.1:5060", "127.0.0.9:40001");
    let text = String::from_utf8_lossy(&file);
    assert!(!text.contains("zq"), "{text}");
    assert!(text.contains("response=\"000000000\"") && text.contains("<sip:23:000000000@pbx>"));
}
