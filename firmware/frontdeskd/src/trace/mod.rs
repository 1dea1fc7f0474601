//! The trace: the newest SIP messages of each call in memory, without secrets, for support (`frontdesk-ctl trace`).
//!
//! The engine writes each message down when it comes and when it goes; whoever asks gets copies of what is kept, a
//! page at a time, and makes a file of them outside of its turns.

mod book;
mod pcapng;

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipc::{CallRef, SoundFigures, TracePage};
use media::Stats;
use sip::Target;
use tokio::sync::{mpsc, oneshot};
use tracing::info;

pub(crate) use book::Entry;
use book::{Book, Sighting};

use crate::engine::Event;

/// Bytes of messages in one page: far less than a frame of the socket can hold.
const PAGE: usize = 1 << 20;

/// Which messages are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    /// Of which call; `None` for all there are.
    pub(crate) call: Option<CallRef>,
    /// Behind which number.
    pub(crate) after: u64,
}

/// What the engine keeps of it.
#[derive(Debug)]
pub(crate) struct Trace {
    book: Book,
    /// The desk's own address, where the end of a way is not known.
    local: SocketAddr,
}

impl Trace {
    /// An empty one of a desk that is reached at `local`; it holds `size` bytes at most.
    pub(crate) fn new(local: SocketAddr, size: usize) -> Self {
        Self { book: Book::new(size), local }
    }

    /// A message has come; `local` is the desk's end of the way where it is known.
    pub(crate) fn came(&mut self, local: Option<SocketAddr>, from: Target, bytes: &[u8]) {
        self.note(false, local, from, bytes);
    }

    /// A message goes.
    pub(crate) fn goes(&mut self, local: Option<SocketAddr>, to: Target, bytes: &[u8]) {
        self.note(true, local, to, bytes);
    }

    /// A call has this Call-ID.
    pub(crate) fn name(&mut self, call: CallRef, call_id: Option<&str>) {
        if let Some(call_id) = call_id {
            self.book.name(call, call_id, now_us());
        }
    }

    /// A call has ended.
    pub(crate) fn ended(&mut self, call: CallRef) {
        self.book.ended(call);
    }

    /// A call has ended, and its sound as well: one line says what was counted of both.
    pub(crate) fn over(&mut self, call: CallRef, stats: &Stats) {
        let figures = self.book.over(call, sound(stats));
        info!(
            call = call.0,
            call_id = figures.call_id,
            messages_in = figures.messages_in,
            messages_out = figures.messages_out,
            repeated_in = figures.repeated_in,
            repeated_out = figures.repeated_out,
            mos = ?stats.mos(),
            late_buffers = stats.timing.late_buffers,
            wake_up_p99_us = stats.timing.within_us(0.99),
            wake_up_worst_us = stats.timing.worst_us,
            ?stats,
            "sound of a call ended"
        );
    }

    /// What was counted of the newest calls.
    pub(crate) fn figures(&self) -> Vec<ipc::CallFigures> {
        self.book.figures()
    }

    /// A page of messages, and whether more follow.
    pub(crate) fn page(&self, wanted: Wanted) -> (Vec<Entry>, bool) {
        self.book.page(wanted.call, wanted.after, PAGE)
    }

    fn note(&mut self, is_out: bool, local: Option<SocketAddr>, peer: Target, bytes: &[u8]) {
        // Line ends that keep a way open are no messages.
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let (at_us, local) = (now_us(), local.unwrap_or(self.local));
        self.book.note(&Sighting { at_us, is_out, local, peer, bytes });
    }
}

/// Asks the engine for a page and makes a piece of a file of it; the pieces, one behind the other, are the file.
/// `None` when the engine is gone.
pub(crate) async fn ask(inbox: &mpsc::Sender<Event>, wanted: Wanted) -> Option<(Vec<u8>, Option<u64>)> {
    let (reply, answer) = oneshot::channel();
    inbox.send(Event::Trace { wanted, reply }).await.ok()?;
    let (entries, more) = answer.await.ok()?;
    let next = entries.last().map(|entry| entry.number).filter(|_| more);
    Some((piece(&entries, wanted.after == 0), next))
}

/// The same for a client of the socket.
pub(crate) async fn page(inbox: &mpsc::Sender<Event>, wanted: Wanted) -> Option<TracePage> {
    let (piece, next) = ask(inbox, wanted).await?;
    Some(TracePage { pcapng: STANDARD.encode(piece), next })
}

/// All of it as one file; empty when the engine is gone.
pub(crate) async fn file(inbox: &mpsc::Sender<Event>) -> Vec<u8> {
    let (mut file, mut wanted) = (Vec::new(), Wanted::default());
    while let Some((piece, next)) = ask(inbox, wanted).await {
        file.extend(piece);
        match next {
            Some(next) => wanted.after = next,
            None => break,
        }
    }
    file
}

/// Messages as a piece of a pcapng file; the first has its beginning.
fn piece(entries: &[Entry], is_first: bool) -> Vec<u8> {
    let mut out = Vec::new();
    if is_first {
        pcapng::begin(&mut out);
    }
    for entry in entries {
        let peer = entry.peer.address;
        let (from, to) = if entry.is_out { (entry.local, peer) } else { (peer, entry.local) };
        let way = if entry.is_out { "out" } else { "in" };
        let call = entry.call.map_or_else(String::new, |call| format!("call {}, ", call.0));
        let comment =
            format!("{call}{way} over {}, Call-ID {}", entry.peer.transport.via_name(), entry.call_id);
        let packet = pcapng::Packet {
            at_us: entry.at_us,
            from,
            to,
            transport: entry.peer.transport,
            is_out: entry.is_out,
            position: entry.position,
            message: &entry.message,
            comment: &comment,
        };
        pcapng::append(&mut out, &packet);
    }
    out
}

fn sound(stats: &Stats) -> SoundFigures {
    SoundFigures {
        sent: stats.packets_sent,
        received: stats.packets_received,
        lost: stats.lost,
        late: stats.late,
        duplicates: stats.duplicates,
        jitter_us: (stats.jitter_ms.max(0.0) * 1000.0) as u32,
        mos_hundredths: stats.mos().map(|mos| (mos * 100.0).round() as u16),
        late_buffers: stats.timing.late_buffers,
        wake_up_p99_us: stats.timing.within_us(0.99),
        wake_up_worst_us: stats.timing.worst_us,
    }
}

/// Microseconds since 1970 by the clock of the log's lines.
fn now_us() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(passed.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
