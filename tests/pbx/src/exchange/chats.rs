//! Calls between extensions: nothing on the wire but the lamps.

use std::time::{Duration, Instant};

use super::Exchange;
use super::call::{Call, Party, Stage};
use crate::plan::{Behaviour, FateEnd};
use crate::report::Failure;
use crate::script::Chat;

/// How long an extension lets another ring that does not answer.
const PATIENCE: Duration = Duration::from_secs(25);

impl Exchange {
    /// A chat of the story; it does not take place when there are enough already or one of the two is busy.
    pub(super) fn chat_begins(&mut self, now: Instant, chat: &Chat) {
        let under_way =
            self.calls.values().filter(|c| matches!(c.stage, Stage::ChatRinging | Stage::ChatTalking));
        if under_way.count() >= self.settings.script.most_chats {
            return;
        }
        let restful = [Behaviour::Offline, Behaviour::DoNotDisturb];
        if self.behaviours.get(&chat.from).is_some_and(|behaviour| restful.contains(behaviour)) {
            return;
        }
        // Busy phones are part of the story too: nothing happens then.
        let _ = self.start_chat(now, &chat.from.to_string(), &chat.to.to_string(), chat.talk);
    }

    /// `from` rings `to`.
    pub(super) fn start_chat(
        &mut self,
        now: Instant,
        from: &str,
        to: &str,
        talk: Duration,
    ) -> Result<u64, Failure> {
        let extension = |number: &str| {
            crate::plan::extension(number).ok_or_else(|| Failure::NoExtension(number.to_owned()))
        };
        let (from, to) = (extension(from)?, extension(to)?);
        if from == to || !self.is_free(from) || !self.is_free(to) {
            return Err(Failure::Busy);
        }
        let fate = self.behaviours.get(&to).map_or(Behaviour::Offline, |behaviour| *behaviour).fate(PATIENCE);
        if !fate.rings {
            return Err(Failure::Busy);
        }
        let id = self.new_id()?;
        let talk = match fate.end {
            FateEnd::Answered { talk: short, .. } => short.unwrap_or(talk),
            FateEnd::Failed(_) => Duration::ZERO,
        };
        let (from, to) = (Party::Extension(from), Party::Extension(to));
        Ok(self.add(Call::new(id, from, to, Stage::ChatRinging, now + fate.after, talk)))
    }

    pub(super) fn chat_due(&mut self, now: Instant, id: u64) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.stage == Stage::ChatRinging && !call.talk.is_zero() {
            call.stage = Stage::ChatTalking;
            call.due = Some(now + call.talk);
        } else {
            let outcome = if call.stage == Stage::ChatTalking { "talked" } else { "no answer" };
            self.finish(now, id, outcome);
        }
    }
}
