//! The least of a registrar: answers one REGISTER with 200 and goes away, so that SIPp can take its
//! port over and play the exchange from there.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// A registrar for one REGISTER.
#[derive(Debug)]
pub struct Registrar {
    socket: UdpSocket,
}

impl Registrar {
    /// Listens on 127.0.0.1.
    ///
    /// # Panics
    /// When the port is taken.
    #[must_use]
    #[track_caller]
    pub fn listen(port: u16) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("a port of our own block is free");
        socket.set_read_timeout(Some(Duration::from_secs(15))).expect("a timeout can be set");
        Self { socket }
    }

    /// Waits for the REGISTER, grants it for an hour and closes the socket.
    ///
    /// # Panics
    /// When none comes within 15 s.
    #[track_caller]
    pub fn grant_once(self) {
        loop {
            let (request, from) = self.receive();
            if request.starts_with("REGISTER ") {
                let answer = grant(&request);
                self.socket.send_to(answer.as_bytes(), from).expect("the desk's port is open");
                return;
            }
        }
    }

    #[track_caller]
    fn receive(&self) -> (String, SocketAddr) {
        let mut bytes = [0; 8192];
        let (length, from) = self.socket.recv_from(&mut bytes).expect("the desk registers within 15 s");
        (String::from_utf8_lossy(&bytes[..length]).into_owned(), from)
    }
}

/// The 200 for a REGISTER.
fn grant(request: &str) -> String {
    let mut answer = String::from("SIP/2.0 200 OK\r\n");
    for line in request.lines() {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "via" | "v" | "from" | "f" | "call-id" | "i" | "cseq" => answer += &format!("{line}\r\n"),
            "to" | "t" => answer += &format!("{line};tag=granted\r\n"),
            "contact" | "m" if line.contains("expires=") => answer += &format!("{line}\r\n"),
            "contact" | "m" => answer += &format!("{line};expires=3600\r\n"),
            _ => {}
        }
    }
    answer + "Content-Length: 0\r\n\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_repeats_what_the_request_is_known_by() {
        let request = "REGISTER sip:x SIP/2.0\r\nVia: v\r\nFrom: f\r\nTo: <sip:a>\r\nCall-ID: c\r\n\
                       CSeq: 1 REGISTER\r\nContact: <sip:d>\r\nExpires: 60\r\n\r\n";
        let answer = grant(request);
        for part in
            ["200 OK", "Via: v", "To: <sip:a>;tag=granted", "<sip:d>;expires=3600", "CSeq: 1 REGISTER"]
        {
            assert!(answer.contains(part), "{part} is missing in {answer}");
        }
        assert!(!answer.contains("Expires: 60"));
    }
}
