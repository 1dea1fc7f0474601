//! The stage: one port of this machine that plays every server a plugin asks, web server or directory by what
//! it is asked, well or badly by its mood.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::play::Play;
use super::{stage_ldap, stage_web};

/// How the stand-in answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// As a server does when all is well.
    Good,
    /// With this HTTP status, or what stands for it in LDAP.
    Status(u16),
    /// Not: it hangs up.
    HangUp,
    /// Not: it keeps the connection.
    Silent,
    /// A byte now and then.
    Drip,
    /// The first half, then it hangs up.
    Cut,
    /// Something that is broken.
    Malformed,
    /// A page for people, as a server shows that wants somebody to sign in.
    ForPeople,
    /// Well, with nothing in it.
    Empty,
    /// Nine megabytes.
    Huge,
}

/// What plugins were heard to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    /// HTTP.
    Web,
    /// LDAP.
    Ldap,
}

/// A running stand-in; ends when dropped.
pub(super) struct Stage {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    answer: Option<Vec<u8>>,
    play: Play,
    web: AtomicUsize,
    ldap: AtomicUsize,
    ended: AtomicBool,
}

impl Stage {
    /// Starts it; `answer` is what a web server says when all is well.
    pub(super) fn start(answer: Option<Vec<u8>>, play: Play) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Good),
            answer,
            play,
            web: AtomicUsize::new(0),
            ldap: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let stage = Self { port, shared: Arc::clone(&shared) };
        thread::Builder::new().name("stage".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.ended.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // Without a thread nobody answers, which is one of the moods.
                let _ = thread::Builder::new().spawn(move || shared.serve(stream));
            }
        })?;
        Ok(stage)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Answers like this from now on.
    pub(super) fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }

    /// What the plugin was heard to speak, if it was heard at all.
    pub(super) fn spoken(&self) -> Option<Spoken> {
        if self.shared.ldap.load(Ordering::SeqCst) > 0 {
            Some(Spoken::Ldap)
        } else if self.shared.web.load(Ordering::SeqCst) > 0 {
            Some(Spoken::Web)
        } else {
            None
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn web_answer(&self, question: &stage_web::Question, mood: Mood) -> Vec<u8> {
        let played =
            self.play.answer(&question.head).filter(|_| matches!(mood, Mood::Good | Mood::Drip | Mood::Cut));
        match played {
            Some((status, body)) => stage_web::response(status, "application/json", body.as_bytes()),
            None => stage_web::answer(question, mood, self.answer.as_deref()),
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        // A plugin that stalls keeps no thread for ever.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(120)));
        let mut first = [0];
        if stream.peek(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let is_ldap = first == [0x30];
        if is_ldap { &self.ldap } else { &self.web }.fetch_add(1, Ordering::SeqCst);
        loop {
            let mut mood = self.mood();
            let answer = if is_ldap {
                stage_ldap::question(&mut stream).map(|question| stage_ldap::answer(&question, mood))
            } else {
                stage_web::question(&mut stream).map(|question| {
                    if question.is_token() {
                        mood = Mood::Good;
                    }
                    self.web_answer(&question, mood)
                })
            };
            let Some(answer) = answer else { return };
            // The host may hang up in the middle of it.
            if say(&mut stream, &answer, mood).is_err() || !is_ldap {
                return;
            }
        }
    }
}

fn say(stream: &mut TcpStream, answer: &[u8], mood: Mood) -> io::Result<()> {
    match mood {
        Mood::HangUp => Err(io::ErrorKind::ConnectionAborted.into()),
        Mood::Silent => {
            // Until the other end has had enough.
            let mut rest = [0; 512];
            while stream.read(&mut rest)? > 0 {}
            Err(io::ErrorKind::UnexpectedEof.into())
        }
        Mood::Drip => {
            for byte in answer {
                stream.write_all(std::slice::from_ref(byte))?;
                thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
        Mood::Cut => {
            stream.write_all(answer.get(..answer.len() / 2).unwrap_or_default())?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        _ => stream.write_all(answer),
    }
}
