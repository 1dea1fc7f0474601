//! Recordings of a desk: everything that was said to it, as lines of JSON, and their replay.
//!
//! The first line is the settings ([`head`]), each further one a [`Recorded`]. The switchboard is
//! pure, so that the same lines give the same states and the same effects on any machine.
//!
//! Reading and writing files is not done here (`frontdeskd`).

use std::time::{Duration, Instant};

use ipc::{CallRef, Command, View};
use serde::{Deserialize, Serialize};

use crate::mask::Mask;
use crate::{Effect, Input, Settings, Switchboard};

/// The form of the lines; another number is refused.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    settings: Settings,
}

/// One thing said to the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// When, in whole milliseconds since the desk started. Never runs backwards.
    pub at_ms: u64,
    /// What.
    pub event: Event,
}

/// What can be said to the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// [`Switchboard::next_call`] gave this reference.
    NextCall(CallRef),
    /// [`Switchboard::handle`].
    Input(Box<Input>),
    /// [`Switchboard::command`], whether it was obeyed or refused.
    Command(Command),
}

/// Where a recording led to.
#[derive(Debug)]
pub struct Replayed {
    /// The desk after the last line, at its time.
    pub view: View,
    /// Everything it asked for, oldest first.
    pub effects: Vec<Effect>,
}

/// Why a recording cannot be replayed. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is not even a first line.
    #[error("line 1: the recording is empty")]
    Empty,
    /// It was written by another version.
    #[error("line 1: recordings of format {found} are not read, only {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// The file ends in the middle of a line.
    #[error("line {line}: the recording is cut off here")]
    Cut {
        /// Which line.
        line: usize,
    },
    /// A line that is none of ours.
    #[error("line {line}: {error}")]
    Broken {
        /// Which line.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// A line that is older than the one before.
    #[error("line {line}: time runs backwards")]
    Backwards {
        /// Which line.
        line: usize,
    },
    /// The desk numbered a call in another way than when it was recorded.
    #[error("line {line}: call {} was recorded, and is {} here", recorded.0, here.0)]
    Diverged {
        /// Which line.
        line: usize,
        /// The reference recorded.
        recorded: CallRef,
        /// The reference now.
        here: CallRef,
    },
}

impl Recorded {
    /// The line to write, with its end.
    ///
    /// # Errors
    /// What cannot be JSON; nothing in a recording is of that kind.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// The first line of a recording, with its end. `settings` are those that the desk was made with.
///
/// # Errors
/// What cannot be JSON; nothing in the settings is of that kind.
pub fn head(settings: &Settings) -> Result<String, serde_json::Error> {
    let head = Head { format: FORMAT, settings: settings.clone() };
    Ok(serde_json::to_string(&head)? + "\n")
}

/// Replays a whole recording into a fresh desk. `started` is any moment: only distances count.
///
/// # Errors
/// The first line that cannot be replayed.
pub fn replay(recording: &str, started: Instant) -> Result<Replayed, ReplayError> {
    let (settings, lines) = open(recording)?;
    let mut desk = Switchboard::new(settings, started);
    let mut effects = Vec::new();
    let mut latest = 0;
    let moment = |ms: u64| started.checked_add(Duration::from_millis(ms));
    for (text, line) in lines {
        let Recorded { at_ms, event } = parse(text, line)?;
        let now = moment(at_ms).filter(|_| at_ms >= latest).ok_or(ReplayError::Backwards { line })?;
        latest = at_ms;
        match event {
            Event::NextCall(recorded) => {
                let here = desk.next_call();
                if here != recorded {
                    return Err(ReplayError::Diverged { line, recorded, here });
                }
            }
            Event::Input(input) => desk.handle(now, *input),
            Event::Command(command) => {
                if let Err(refused) = desk.command(now, &command) {
                    tracing::debug!(line, %refused, "refused, as it was");
                }
            }
        }
        effects.extend(std::iter::from_fn(|| desk.poll_effect()));
    }
    let view = desk.view(moment(latest).unwrap_or(started));
    Ok(Replayed { view, effects })
}

/// The same recording with other names and numbers: it can be given away, and replays to the same states.
///
/// # Errors
/// The first line that cannot be read.
pub fn masked(recording: &str) -> Result<String, ReplayError> {
    let mut mask = Mask::default();
    let broken = |line| move |error| ReplayError::Broken { line, error };
    let (settings, lines) = open(recording)?;
    let mut masked = mask.apply(&settings).and_then(|settings| head(&settings)).map_err(broken(1))?;
    for (text, line) in lines {
        let recorded: Recorded = parse(text, line)?;
        masked += &mask.apply(&recorded).and_then(|recorded| recorded.line()).map_err(broken(line))?;
    }
    Ok(masked)
}

/// The settings in the first line, and the further lines with their numbers.
fn open(recording: &str) -> Result<(Settings, impl Iterator<Item = (&str, usize)>), ReplayError> {
    let mut lines = recording.split_inclusive('\n').zip(1..);
    let (first, _) = lines.next().ok_or(ReplayError::Empty)?;
    // The format comes first: the settings of another one need not be readable.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } = parse(first, 1)?;
    if format != FORMAT {
        return Err(ReplayError::Format { found: format });
    }
    let Head { settings, .. } = parse(first, 1)?;
    Ok((settings, lines))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, line: usize) -> Result<T, ReplayError> {
    if !text.ends_with('\n') {
        return Err(ReplayError::Cut { line });
    }
    serde_json::from_str(text).map_err(|error| ReplayError::Broken { line, error })
}
