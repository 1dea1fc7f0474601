//! The voice mailboxes of the accounts (BAR-1): how many messages wait in all, and where they are heard.
//!
//! Pure bookkeeping. Subscribing to the exchange's news of them is the engine's business.

use sip::AccountId;
use switchboard::Input;

/// A mailbox that is watched.
pub(crate) struct Mailbox {
    pub(crate) account: AccountId,
    /// Whose it is.
    pub(crate) user: String,
    /// The number under which it is heard: as the settings say it, else as the exchange does.
    pub(crate) number: Option<String>,
    /// Unread messages.
    unread: u32,
    /// The settings say the number.
    fixed: bool,
}

impl Mailbox {
    /// Empty, as far as is known. `number` is that of the settings.
    pub(crate) fn new(account: AccountId, user: String, number: Option<String>) -> Self {
        let fixed = number.is_some();
        Self { account, user, number, unread: 0, fixed }
    }
}

impl Mailbox {
    /// What was known of it before its settings changed.
    pub(crate) fn keep(&mut self, known: &Self) {
        self.unread = known.unread;
        if !self.fixed && !known.fixed {
            self.number.clone_from(&known.number);
        }
    }
}

/// What the exchange says of a mailbox, without `account` of the first one. What the desk is to be told then.
pub(crate) fn news(
    boxes: &mut [Mailbox],
    account: Option<AccountId>,
    unread: u32,
    number: Option<String>,
) -> Input {
    let at = boxes.iter().position(|known| Some(known.account) == account).unwrap_or(0);
    if let Some(known) = boxes.get_mut(at) {
        known.unread = unread;
        if !known.fixed {
            known.number = number;
        }
    }
    told(boxes)
}

/// What the desk is to be told of all of them.
pub(crate) fn told(boxes: &[Mailbox]) -> Input {
    let unread = boxes.iter().fold(0, |sum: u32, known| sum.saturating_add(known.unread));
    // Where something waits, else where anything could.
    let audible = || boxes.iter().filter(|known| known.number.is_some());
    let first = audible().find(|known| known.unread > 0).or_else(|| audible().next());
    Input::Voicemail { unread, mailbox: first.and_then(|known| known.number.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(second: Option<&str>) -> [Mailbox; 2] {
        let second = Mailbox::new(AccountId(1), "support".into(), second.map(Into::into));
        [Mailbox::new(AccountId(0), "desk".into(), None), second]
    }

    fn said(unread: u32, mailbox: Option<&str>) -> Input {
        Input::Voicemail { unread, mailbox: mailbox.map(Into::into) }
    }

    #[test]
    fn messages_are_added_up_and_heard_where_they_wait() {
        let mut boxes = two(None);
        assert_eq!(told(&boxes), said(0, None));
        assert_eq!(news(&mut boxes, Some(AccountId(0)), 0, Some("*97".into())), said(0, Some("*97")));
        assert_eq!(news(&mut boxes, Some(AccountId(1)), 2, Some("*98".into())), said(2, Some("*98")));
        assert_eq!(news(&mut boxes, None, u32::MAX, Some("*97".into())), said(u32::MAX, Some("*97")));
        assert_eq!(news(&mut boxes, Some(AccountId(0)), 0, None), said(2, Some("*98")));
    }

    #[test]
    fn what_the_settings_say_needs_no_exchange_and_is_not_overruled() {
        let mut boxes = two(Some("2199"));
        assert_eq!(told(&boxes), said(0, Some("2199")));
        assert_eq!(news(&mut boxes, Some(AccountId(1)), 1, Some("*97".into())), said(1, Some("2199")));
        assert_eq!(news(&mut [], None, 1, None), said(0, None));
    }
}
