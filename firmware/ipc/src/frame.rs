//! Frames on the socket: four bytes of length, big-endian, then that many bytes of JSON.
//!
//! The first frame of a client is [`ToDesk::Hello`]; the desk answers [`FromDesk::Welcome`] or says
//! why not and closes. JSON because a support engineer can read it; the length bound because a
//! client can send anything at all (law 8).

use serde::{Deserialize, Serialize};

use crate::{
    CallFigures, CallMark, CallRef, Command, CommandError, ContactCard, ContactFile, ContactId, ContactPage,
    ContactPicture, ContactPlace, ContactQuery, DirectoryId, FoundPerson, ImportReport, LogPage, LogQuery,
    Note, Reminder, SortKey, SoundView, Statistics, StatisticsQuery, StickPart, TracePage, View,
};

/// Version of these words. A client of another version is refused.
pub const PROTOCOL: u32 = 8;

/// Largest frame a client may send, in bytes: a picture in base64, and the words around it.
pub const MAX_FRAME_TO_DESK: usize = 1280 * 1024;

/// Largest picture of the screen, in bytes of PNG.
pub const MAX_SCREEN_PICTURE: usize = 900 * 1024;

/// What the touchscreen's program calls itself in [`ToDesk::Hello`].
pub const SCREEN: &str = "frontdesk-ui";

/// Largest frame the desk sends, in bytes.
pub const MAX_FRAME_FROM_DESK: usize = 8 * 1024 * 1024;

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToDesk {
    /// The first frame.
    Hello {
        /// [`PROTOCOL`] of the client.
        protocol: u32,
        /// The client's name, for the log.
        program: String,
        /// `true`: send each new [`View`] from now on; views are skipped for a slow reader.
        follow: bool,
    },
    /// A wish of the operator; answered by [`FromDesk::Done`].
    Command {
        /// Chosen by the client, returned in the answer.
        seq: u64,
        /// The wish.
        command: Command,
    },
    /// A question; answered by [`FromDesk::Reply`].
    Query {
        /// Chosen by the client, returned in the answer.
        seq: u64,
        /// The question.
        query: Query,
    },
    /// What the screen shows, for who watches it (APP-2); there is no answer. Taken only from the client that
    /// sent [`Command::AllowWatching`], and only as long as that holds.
    Picture {
        /// PNG of at most [`MAX_SCREEN_PICTURE`] bytes, in base64 (RFC 4648 section 4).
        png: String,
    },
    /// An update from a stick (APP-3), answered by [`FromDesk::Done`]. What came of it so far is given up when the
    /// connection ends.
    Stick {
        /// Chosen by the client, returned in the answer.
        seq: u64,
        /// The next part.
        part: StickPart,
    },
}

/// A question whose answer is too large for every view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Query {
    /// The view now, for a client that does not follow.
    View,
    /// Contacts.
    Contacts(ContactQuery),
    /// The picture of a contact. Its answer may come after those of later requests: the disk is asked, and
    /// nobody waits for it.
    Picture(ContactId),
    /// A contact with everything that is kept of it. Its answer may come after those of later requests.
    Contact(ContactId),
    /// Where a contact stands in its directory sorted by this key.
    Place {
        /// Which.
        contact: ContactId,
        /// The order.
        sort: SortKey,
    },
    /// The files of contacts in the administrator's folders.
    ContactFiles,
    /// The call log.
    Log(LogQuery),
    /// The call log, counted (STA-1).
    Statistics(StatisticsQuery),
    /// Which days have calls.
    CallDays {
        /// Where the days begin and the last one ends, Unix milliseconds: 2 to [`crate::MAX_CALL_DAYS`] + 1, each later
        /// than the one before.
        edges_unix_ms: Vec<i64>,
    },
    /// What is kept of a call in the log that something was wrong with.
    Marks {
        /// Row id in the store.
        id: i64,
    },
    /// Whom these words mean, asked of connectors whose directories are not copied: at most 20 people, those of the
    /// first connector first. Its answer takes up to 3 s and may come after those of later requests.
    People {
        /// What was typed, 2 to 100 characters.
        text: String,
    },
    /// The operator's note. Its answer may come after those of later requests.
    Note,
    /// The operator's reminders (REM-1). Its answer may come after those of later requests.
    Reminders,
    /// How the desk itself does, for support and benches.
    Diagnostics,
    /// The SIP messages that are kept, without secrets, as a pcapng file, a page at a time.
    Trace {
        /// Of which call; `None` for all there are.
        call: Option<CallRef>,
        /// 0 for the first page, else [`TracePage::next`] of the page before.
        after: u64,
    },
    /// What was counted of the newest calls, registrations and subscriptions.
    CallFigures,
}

/// What the desk says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromDesk {
    /// The handshake succeeded.
    Welcome {
        /// Version of `frontdeskd`.
        version: String,
    },
    /// The handshake or a frame was refused; the desk closes the socket.
    Refused {
        /// Why, for the client's log.
        reason: String,
    },
    /// The desk now.
    View(Box<View>),
    /// The sound, for a client that asked with [`Command::Meter`]; older ones are skipped for a slow reader.
    Sound(SoundView),
    /// Whether a command could be begun.
    Done {
        /// Of the command.
        seq: u64,
        /// `Err` says why not.
        result: Result<(), CommandError>,
    },
    /// The answer to a query.
    Reply {
        /// Of the query.
        seq: u64,
        /// The answer.
        reply: Reply,
    },
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The view now.
    View(Box<View>),
    /// Contacts.
    Contacts(ContactPage),
    /// A contact's picture.
    Picture(ContactPicture),
    /// A contact; `None` when there is none such.
    Contact(Option<Box<ContactCard>>),
    /// A contact's place; `None` when there is none such.
    Place(Option<ContactPlace>),
    /// Files of contacts, newest first.
    ContactFiles(Vec<ContactFile>),
    /// What was added or changed by [`Command::Edit`], sent before its `Done`.
    Edited {
        /// The contact.
        contact: Option<ContactId>,
        /// The directory.
        directory: Option<DirectoryId>,
    },
    /// A note or task is in the customer database, sent before the `Done` of [`Command::AddItem`].
    ItemAdded {
        /// Its page.
        url: Option<String>,
    },
    /// A directory was written, sent before the `Done` of [`Command::ExportContacts`].
    Exported {
        /// Where.
        path: std::path::PathBuf,
        /// How many.
        contacts: u32,
    },
    /// The call log.
    Log(LogPage),
    /// The call log, counted.
    Statistics(Box<Statistics>),
    /// Whether each of the days has calls.
    CallDays(Vec<bool>),
    /// The marked minutes of a call, oldest first; none of one that was not marked, or does not exist.
    Marks(Vec<CallMark>),
    /// What an import did; the reply to [`Command::ImportContacts`], sent before its `Done`.
    Import(ImportReport),
    /// The note; also the reply to [`Command::DraftNote`] and [`Command::SaveNote`], sent before their `Done`.
    Note(Box<Note>),
    /// All reminders, by the time at which they are due.
    Reminders(Vec<Reminder>),
    /// A reminder as it is kept now, sent before the `Done` of [`Command::Reminder`].
    Reminder(Box<Reminder>),
    /// Who was found; a connector that failed has found nobody.
    People(Vec<FoundPerson>),
    /// How the desk itself does.
    Diagnostics(Diagnostics),
    /// SIP messages.
    Trace(TracePage),
    /// Figures of calls, the newest first, at most 200.
    CallFigures(Vec<CallFigures>),
    /// The question could not be answered.
    Failed {
        /// Why, untranslated.
        reason: String,
    },
}

/// How the desk itself does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// Version of `frontdeskd`.
    pub version: String,
    /// Time since the desk started, in milliseconds.
    pub up_ms: u64,
    /// Resident memory of `frontdeskd`, in KiB; 0 when the system does not tell.
    pub resident_kib: u64,
    /// How long the engine's turns take.
    pub turns: TurnFigures,
    /// Views published.
    pub views: u64,
    /// The address SIP is received on.
    pub sip_address: String,
    /// What the engine holds now; `None` when it did not say so within a second.
    pub census: Option<Census>,
}

/// What the engine holds at one moment. On a desk at rest, 64 × T1 = 32 s after its last call
/// (RFC 3261 section 17), each of these is 0,
/// but for the transaction of a registration or subscription that is just being refreshed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Calls of the switchboard.
    pub calls: u32,
    /// Transfers whose end is not known.
    pub open_transfers: u32,
    /// Ended transfers still shown.
    pub ended_transfers: u32,
    /// Log rows of calls that are gone, kept back for the last word on their transfer.
    pub kept_rows: u32,
    /// Calls of the switchboard that have a session on the wire.
    pub legs: u32,
    /// Sessions of the user agent, ringing ones included.
    pub sessions: u32,
    /// Transactions of the user agent, of both sides.
    pub transactions: u32,
    /// RTP streams opened and not closed yet.
    pub streams: u32,
}

/// How long the engine's turns take, in microseconds. The quantiles are rounded up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnFigures {
    /// Turns so far.
    pub turns: u64,
    /// Half of them took at most this long.
    pub median_us: u64,
    /// 99 of 100 took at most this long.
    pub p99_us: u64,
    /// The longest.
    pub longest_us: u64,
    /// Turns that took longer than 2 ms.
    pub over_2_ms: u64,
    /// The most processor time that one turn used: what it took, less what other programs took from it.
    pub longest_cpu_us: u64,
    /// Turns that used more than 2 ms of processor time.
    pub over_2_ms_cpu: u64,
}

/// Why bytes from the socket are not a frame. The stream cannot be read on after any of these.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length exceeds the limit.
    #[error("frame of {length} bytes, at most {limit} are allowed")]
    TooLong {
        /// Announced length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// The bytes are not the JSON of a known message.
    #[error("frame cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// One message as a frame.
///
/// # Errors
/// [`FrameError::TooLong`] when the message exceeds `limit`.
pub fn encode<T: Serialize>(message: &T, limit: usize) -> Result<Vec<u8>, FrameError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    let prefix = u32::try_from(length).ok().filter(|_| length <= limit);
    let prefix = prefix.ok_or(FrameError::TooLong { length, limit })?;
    bytes[..4].copy_from_slice(&prefix.to_be_bytes());
    Ok(bytes)
}

/// Cuts a byte stream into messages. Holds at most one frame.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    limit: usize,
}

impl Decoder {
    /// A decoder that accepts frames of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), limit }
    }

    /// Takes bytes as they come from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if one has arrived.
    ///
    /// # Errors
    /// See [`FrameError`]; the connection is of no further use then.
    pub fn next_message<T: for<'a> Deserialize<'a>>(&mut self) -> Result<Option<T>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > self.limit {
            return Err(FrameError::TooLong { length, limit: self.limit });
        }
        let Some(frame) = self.buffer.get(4..4 + length) else { return Ok(None) };
        let message = serde_json::from_slice(frame)?;
        self.buffer.drain(..4 + length);
        Ok(Some(message))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hello() -> ToDesk {
        ToDesk::Hello { protocol: PROTOCOL, program: "test".into(), follow: true }
    }

    #[test]
    fn a_message_survives_any_cut_of_the_stream() {
        let bytes = encode(&hello(), MAX_FRAME_TO_DESK).unwrap();
        for cut in 0..bytes.len() {
            let mut decoder = Decoder::new(MAX_FRAME_TO_DESK);
            decoder.push(&bytes[..cut]);
            assert_eq!(decoder.next_message::<ToDesk>().unwrap(), None);
            decoder.push(&bytes[cut..]);
            assert_eq!(decoder.next_message::<ToDesk>().unwrap(), Some(hello()));
            assert_eq!(decoder.next_message::<ToDesk>().unwrap(), None);
        }
    }

    #[test]
    fn two_messages_in_one_read_come_out_in_order() {
        let mut bytes = encode(&hello(), MAX_FRAME_TO_DESK).unwrap();
        let query = ToDesk::Query { seq: 7, query: Query::View };
        bytes.extend(encode(&query, MAX_FRAME_TO_DESK).unwrap());
        let mut decoder = Decoder::new(MAX_FRAME_TO_DESK);
        decoder.push(&bytes);
        assert_eq!(decoder.next_message::<ToDesk>().unwrap(), Some(hello()));
        assert_eq!(decoder.next_message::<ToDesk>().unwrap(), Some(query));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_bytes_arrive() {
        let mut decoder = Decoder::new(10);
        decoder.push(&11_u32.to_be_bytes());
        assert!(matches!(
            decoder.next_message::<ToDesk>(),
            Err(FrameError::TooLong { length: 11, limit: 10 })
        ));
    }

    #[test]
    fn app_2_the_largest_picture_of_the_screen_fits_into_a_frame() {
        let picture = ToDesk::Picture { png: "A".repeat(MAX_SCREEN_PICTURE.div_ceil(3) * 4) };
        assert!(encode(&picture, MAX_FRAME_TO_DESK).is_ok());
    }

    #[test]
    fn app_3_the_largest_part_of_an_update_fits_into_a_frame() {
        let part = StickPart::Bytes { base64: "A".repeat(crate::MAX_STICK_PART.div_ceil(3) * 4) };
        assert!(encode(&ToDesk::Stick { seq: u64::MAX, part }, MAX_FRAME_TO_DESK).is_ok());
    }

    #[test]
    fn rubbish_is_an_error() {
        let mut decoder = Decoder::new(10);
        decoder.push(&[0, 0, 0, 2, b'h', b'i']);
        assert!(matches!(decoder.next_message::<ToDesk>(), Err(FrameError::Unreadable(_))));
    }

    #[test]
    fn a_message_too_long_to_send_is_an_error() {
        assert!(matches!(encode(&hello(), 5), Err(FrameError::TooLong { .. })));
    }
}
