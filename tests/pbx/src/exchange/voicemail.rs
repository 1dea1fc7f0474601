//! Mailboxes: who leaves a message, and what the desk's message-summary (RFC 3842) tells of its own.
//!
//! Nothing is recorded: a caller who stays long enough after the greeting has left a message. Not done here: answering
//! ([`super::desk_calls`], [`super::departures`]).

use std::time::{Duration, Instant};

use sip::NotifierId;

use super::Exchange;
use super::call::Party;
use crate::plan;

/// Who hangs up sooner has only heard the greeting.
const MESSAGE: Duration = Duration::from_secs(2);
/// Subscriptions to the desk's mailbox at once.
const MOST_WATCHERS: usize = 8;

/// The messages of one mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) new: u32,
    pub(super) old: u32,
}

impl Mailbox {
    /// The desk's as the day begins, so that there is something to listen to.
    pub(super) const OF_THE_DESK: Mailbox = Mailbox { new: 3, old: 1 };

    /// The body of a NOTIFY (RFC 3842 section 5.2), the mailbox being `account`'s.
    fn summary(self, account: &str) -> String {
        let waiting = if self.new > 0 { "yes" } else { "no" };
        let Mailbox { new, old } = self;
        format!(
            "Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\nVoice-Message: {new}/{old} (0/0)\r\n"
        )
    }
}

impl Exchange {
    /// A caller who was with `party` since then has gone; was it a mailbox, there may be a message.
    pub(super) fn message_left(&mut self, now: Instant, party: &Party, since: Instant) {
        let Party::Voicemail(number) = *party else { return };
        if now.duration_since(since) < MESSAGE {
            return;
        }
        self.mailboxes.entry(number).or_default().new += 1;
        tracing::info!(mailbox = party.label(), "message left");
        if number == plan::MAILBOX {
            self.tell_mailbox(now);
        }
    }

    /// The desk listens to its messages: they are old from now on.
    pub(super) fn messages_heard(&mut self, now: Instant) {
        let mailbox = self.mailboxes.entry(plan::MAILBOX).or_default();
        if mailbox.new > 0 {
            *mailbox = Mailbox { new: 0, old: mailbox.old + mailbox.new };
            self.tell_mailbox(now);
        }
    }

    /// Whether one more may watch the desk's mailbox.
    pub(super) fn mailbox_has_room(&self) -> bool {
        self.mailbox_watchers.len() < MOST_WATCHERS
    }

    pub(super) fn send_mailbox(&mut self, now: Instant, notifier: NotifierId) {
        let mailbox = self.mailboxes.get(&plan::MAILBOX).copied().unwrap_or_default();
        let body = mailbox.summary(&format!("sip:{}@{}", self.registrar.user(), self.domain));
        let content_type = sip::Package::MessageSummary.content_type();
        self.agent.notify(now, notifier, content_type, body.into_bytes(), false);
    }

    fn tell_mailbox(&mut self, now: Instant) {
        for notifier in self.mailbox_watchers.clone() {
            self.send_mailbox(now, notifier);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_whether_messages_wait() {
        let told = |new, old| Mailbox { new, old }.summary("sip:desk@x");
        assert_eq!(
            told(3, 1),
            "Messages-Waiting: yes\r\nMessage-Account: sip:desk@x\r\nVoice-Message: 3/1 (0/0)\r\n"
        );
        assert!(told(0, 4).starts_with("Messages-Waiting: no\r\n") && told(0, 4).contains(": 0/4 "));
    }
}
