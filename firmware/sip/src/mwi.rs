//! Waiting voice messages: the simple-message-summary body (RFC 3842 section 5).

use crate::uri::Uri;

/// What a body says about voice messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MessageSummary {
    pub(crate) waiting: bool,
    pub(crate) new: Option<u32>,
    pub(crate) old: Option<u32>,
    /// The number of the mailbox, from Message-Account.
    pub(crate) mailbox: Option<String>,
}

impl MessageSummary {
    /// Reads what is there; without a readable line nothing waits.
    pub(crate) fn parse(body: &[u8]) -> MessageSummary {
        let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
        let mut summary = MessageSummary::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                summary.waiting = value.eq_ignore_ascii_case("yes");
            } else if name.eq_ignore_ascii_case("Message-Account") {
                let uri = value.trim_start_matches('<').trim_end_matches('>');
                let number = Uri::parse(uri).ok().and_then(|uri| uri.number());
                summary.mailbox =
                    number.filter(|number| number.contains(|c: char| c.is_ascii_digit() || c == '*'));
            } else if name.eq_ignore_ascii_case("Voice-Message") {
                let counts = value.split([' ', '(']).next().unwrap_or_default();
                let (new, old) = counts.split_once('/').unwrap_or((counts, ""));
                summary.new = new.trim().parse().ok();
                summary.old = old.trim().parse().ok();
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_counts_and_bare_notices() {
        let full = b"Messages-Waiting: yes\r\nMessage-Account: sip:100@pbx\r\nVoice-Message: 2/8 (0/2)\r\n";
        let mailbox = Some("100".to_owned());
        let summary = MessageSummary { waiting: true, new: Some(2), old: Some(8), mailbox };
        assert_eq!(MessageSummary::parse(full), summary);
        let bare = MessageSummary::parse(b"messages-waiting:no");
        assert_eq!(bare, MessageSummary::default());
        let odd = MessageSummary::parse(b"\xff\xfe Voice-Message: x/y\r\nVoice-Message: 9999999999999/1");
        assert_eq!(odd, MessageSummary { old: Some(1), ..MessageSummary::default() });
    }

    #[test]
    fn a_mailbox_is_a_number_however_it_is_written() {
        let mailbox =
            |account: &str| MessageSummary::parse(format!("Message-Account: {account}").as_bytes()).mailbox;
        for account in
            ["sip:*97@pbx.example", "<sip:*97@pbx.example:5062;user=phone>", "sip:%2A97@pbx.example"]
        {
            assert_eq!(mailbox(account).as_deref(), Some("*97"), "{account}");
        }
        for account in ["", "sip:pbx.example", "*97", "\u{0}", "<>", "sip:@", "sip:asterisk@pbx"] {
            assert_eq!(mailbox(account), None, "{account:?}");
        }
    }
}
