//! One connection: a thread that reads and one that writes. A frame that cannot be read ends this connection and
//! nothing else; its uploads go with it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipc::{
    Decoder, FromPlugins, MAX_FRAME_FROM_PLUGINS, MAX_FRAME_TO_PLUGINS, PLUGIN_PROTOCOL, PluginAnswer,
    PluginProblem, ToPlugins, encode,
};

use super::Service;
use super::listen::Place;
use super::outbox::{Next, Outbox};
use super::requests::Reply;
use super::uploads::Uploads;
use crate::contact::clean;

/// How long a client may take to say hello.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// How long a client may take to read one frame.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// Requests of a client that are done aside at the same time.
const MOST_ASIDE: usize = 4;
/// Questions of a client at the same time, to all plugins together.
const MOST_QUESTIONS: usize = 64;

/// Serves one client until it goes.
pub(super) fn serve(service: &Arc<Service>, stream: &UnixStream) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_TIME))?;
    let outbox = Arc::new(Outbox::default());
    let (writer, written, lists) = (stream.try_clone()?, Arc::clone(&outbox), Arc::clone(service));
    let writing = thread::Builder::new().name("client-out".to_owned()).spawn(move || {
        write(&lists, &writer, &written);
        written.close();
        // Ends the reader too.
        let _ = writer.shutdown(Shutdown::Both);
    })?;
    let mut client = Client {
        service: Arc::clone(service),
        outbox: Arc::clone(&outbox),
        uploads: Arc::new(Mutex::new(Uploads::new(&service.registry.uploads()))),
        aside: Arc::new(AtomicUsize::new(0)),
        questions: Arc::new(AtomicUsize::new(0)),
        decoder: Decoder::new(MAX_FRAME_TO_PLUGINS),
        bytes: vec![0; 64 << 10],
    };
    if let Err(reason) = client.run(stream) {
        tracing::warn!(%reason, "a client is refused");
        client.send(&FromPlugins::Refused { reason });
    }
    outbox.end();
    // It has nothing to do but to write what is there, within its time.
    let _ = writing.join();
    Ok(())
}

fn write(service: &Service, mut stream: &UnixStream, outbox: &Outbox) {
    loop {
        let frame = match outbox.next() {
            Next::Frame(frame) => frame,
            Next::List => match encode(&FromPlugins::Plugins(service.views()), MAX_FRAME_FROM_PLUGINS) {
                Ok(frame) => frame,
                Err(error) => {
                    tracing::error!(%error, "the list of plugins cannot be sent");
                    continue;
                }
            },
            Next::End => return,
        };
        if let Err(error) = stream.write_all(&frame) {
            tracing::debug!(%error, "a client does not read");
            return;
        }
    }
}

struct Client {
    service: Arc<Service>,
    outbox: Arc<Outbox>,
    uploads: Arc<Mutex<Uploads>>,
    aside: Arc<AtomicUsize>,
    questions: Arc<AtomicUsize>,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl Client {
    /// Until the client goes, or says something that cannot be understood.
    fn run(&mut self, stream: &UnixStream) -> Result<(), String> {
        let deadline = Instant::now() + HELLO_TIME;
        let Some(hello) = self.receive(stream, Some(deadline))? else { return Ok(()) };
        let ToPlugins::Hello { protocol, program, follow } = hello else {
            return Err("the first frame must be Hello".to_owned());
        };
        if protocol != PLUGIN_PROTOCOL {
            return Err(format!("protocol {protocol} is not spoken here, {PLUGIN_PROTOCOL} is"));
        }
        let program: String = clean(&program).chars().take(60).collect();
        tracing::info!(program, follow, "a client");
        self.send(&FromPlugins::Welcome { version: env!("CARGO_PKG_VERSION").to_owned() });
        if follow {
            self.service.follow(&self.outbox);
        }
        while let Some(message) = self.receive(stream, None)? {
            let ToPlugins::Request { seq, request } = message else {
                return Err("Hello is said once".to_owned());
            };
            match self.service.answer(request, &self.uploads) {
                Reply::Now(answer) => self.send(&FromPlugins::Answer { seq, answer }),
                Reply::Aside(work) => self.aside(seq, (&self.aside, MOST_ASIDE), work),
                Reply::Question(work) => self.aside(seq, (&self.questions, MOST_QUESTIONS), work),
            }
        }
        Ok(())
    }

    fn aside(
        &self,
        seq: u64,
        (places, most): (&Arc<AtomicUsize>, usize),
        work: Box<dyn FnOnce() -> Result<PluginAnswer, PluginProblem> + Send>,
    ) {
        let busy = |words: &str| {
            let answer = Err(PluginProblem::NotNow(words.to_owned()));
            self.send(&FromPlugins::Answer { seq, answer });
        };
        let place = Place::of(places);
        if places.load(Ordering::Relaxed) > most {
            return busy("too much at once");
        }
        let outbox = Arc::clone(&self.outbox);
        let run = move || {
            let answer = work();
            drop(place);
            send(&outbox, &FromPlugins::Answer { seq, answer });
        };
        if thread::Builder::new().name("aside".to_owned()).spawn(run).is_err() {
            busy("the machine has no thread for it");
        }
    }

    /// The next message; none, when the client has gone.
    fn receive(
        &mut self,
        mut stream: &UnixStream,
        deadline: Option<Instant>,
    ) -> Result<Option<ToPlugins>, String> {
        loop {
            if let Some(message) = self.decoder.next_message().map_err(|error| error.to_string())? {
                return Ok(Some(message));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err("no Hello in time".to_owned());
            }
            if stream.set_read_timeout(left).is_err() {
                return Ok(None);
            }
            match stream.read(&mut self.bytes) {
                Ok(0) => return Ok(None),
                Ok(count) => self.decoder.push(self.bytes.get(..count).unwrap_or_default()),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return Ok(None),
            }
        }
    }

    fn send(&self, message: &FromPlugins) {
        send(&self.outbox, message);
    }
}

fn send(outbox: &Outbox, message: &FromPlugins) {
    match encode(message, MAX_FRAME_FROM_PLUGINS) {
        Ok(frame) => outbox.push(frame),
        // Every answer is bounded far below a frame.
        Err(error) => tracing::error!(%error, "an answer cannot be sent"),
    }
}
