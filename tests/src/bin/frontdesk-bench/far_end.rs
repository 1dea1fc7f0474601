//! The telephone that is called: registered at kamailio, answers at once, and notes when the caller's ACK is there.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use frontdesk_tests::kamailio::{DOMAIN, Kamailio};
use sip::digest::{self, Challenge, Credentials};
use sip::{Message, Method};

use crate::tap::{self, Marks};

/// Its number.
pub(crate) const NUMBER: &str = "3000";
const PATIENCE: Duration = Duration::from_secs(10);

/// The running telephone.
#[derive(Debug)]
pub(crate) struct FarEnd {
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl FarEnd {
    /// Registers it, on `port` of 127.0.0.1.
    ///
    /// # Panics
    /// When the exchange does not let it.
    pub(crate) fn start(port: u16, exchange: SocketAddr, marks: &Marks) -> Self {
        let socket = tap::socket(port);
        register(&socket, exchange);
        let rtp = UdpSocket::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
        let stop = Arc::new(AtomicBool::new(false));
        let work = {
            let (stop, marks) = (Arc::clone(&stop), marks.clone());
            move || {
                tap::read(&socket, &stop, |bytes, from| {
                    let at = Instant::now();
                    serve(&socket, &rtp, bytes, from, |call_id, method| {
                        marks.note(call_id, |mark| match method {
                            Method::Ack => mark.acknowledged = mark.acknowledged.or(Some(at)),
                            Method::Bye => mark.ended = true,
                            _ => {}
                        });
                    });
                });
            }
        };
        Self { stop, reader: Some(thread::spawn(work)) }
    }
}

impl Drop for FarEnd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has said so on standard error.
            let _ = reader.join();
        }
    }
}

/// Answers first, and says afterwards what it was.
fn serve(
    socket: &UdpSocket,
    rtp: &UdpSocket,
    bytes: &[u8],
    from: SocketAddr,
    note: impl FnOnce(&str, &Method),
) {
    let Ok(request) = Message::parse(bytes) else { return };
    let Some(method) = request.method() else { return };
    if *method != Method::Ack {
        let mut answer = Message::response(&request, 200);
        let to = request.header("To").unwrap_or_default();
        if !to.contains(";tag=") {
            answer.set("To", format!("{to};tag=far"));
        }
        if *method == Method::Invite {
            answer.push("Contact", contact(socket));
            let port = rtp.local_addr().map_or(9, |address| address.port());
            let body = format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                 m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\n"
            );
            answer.set_body("application/sdp", body.into_bytes());
        }
        let _ = socket.send_to(&answer.write(), from);
    }
    note(request.call_id().unwrap_or_default(), method);
}

fn contact(socket: &UdpSocket) -> String {
    let here = socket.local_addr().expect("a bound socket has an address");
    format!("<sip:{NUMBER}@{here}>")
}

fn register(socket: &UdpSocket, exchange: SocketAddr) {
    let first = ask(socket, exchange, &request(socket, 1));
    assert_eq!(first.code(), Some(401), "kamailio asks for a password");
    let challenge = first.header("WWW-Authenticate").map(Challenge::parse);
    let challenge = challenge.and_then(Result::ok).expect("kamailio's challenge can be read");
    let mut again = request(socket, 2);
    let uri = format!("sip:{DOMAIN}");
    let what = digest::Request { method: "REGISTER", uri: &uri, body: b"" };
    let credentials = Credentials { user: NUMBER, password: &Kamailio::password(NUMBER) };
    again.push("Authorization", digest::answer(&challenge, credentials, what, "far", 1));
    assert_eq!(ask(socket, exchange, &again).code(), Some(200), "kamailio lets the far end register");
}

fn request(socket: &UdpSocket, number: u32) -> Message {
    let here = socket.local_addr().expect("a bound socket has an address");
    let mut request = Message::request(Method::Register, &format!("sip:{DOMAIN}"));
    request.push("Via", format!("SIP/2.0/UDP {here};branch=z9hG4bKfar{number};rport"));
    request.push("Max-Forwards", "70");
    request.push("From", format!("<sip:{NUMBER}@{DOMAIN}>;tag=f"));
    request.push("To", format!("<sip:{NUMBER}@{DOMAIN}>"));
    request.push("Call-ID", format!("far@{here}"));
    request.push("CSeq", format!("{number} REGISTER"));
    request.push("Contact", contact(socket));
    request.push("Expires", "3600");
    request
}

#[track_caller]
fn ask(socket: &UdpSocket, exchange: SocketAddr, request: &Message) -> Message {
    socket.send_to(&request.write(), exchange).expect("loopback takes datagrams");
    let end = Instant::now() + PATIENCE;
    let mut bytes = [0; 4096];
    while Instant::now() < end {
        let Ok((length, _)) = socket.recv_from(&mut bytes) else { continue };
        match Message::parse(&bytes[..length]) {
            Ok(answer) if answer.code().is_some_and(|code| code >= 200) => return answer,
            _ => {}
        }
    }
    panic!("kamailio does not answer a REGISTER within {PATIENCE:?}");
}
