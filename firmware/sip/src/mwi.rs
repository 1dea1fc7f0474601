//! Waiting voice messages: the simple-message-summary body (RFC 3842 section 5).

/// What a body says about voice messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageSummary {
    pub(crate) waiting: bool,
    pub(crate) new: Option<u32>,
    pub(crate) old: Option<u32>,
}

impl MessageSummary {
    /// Reads what is there; without a readable line nothing waits.
    pub(crate) fn parse(body: &[u8]) -> MessageSummary {
        let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
        let mut summary = MessageSummary { waiting: false, new: None, old: None };
        for line in text.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("Messages-Waiting") {
                summary.waiting = value.eq_ignore_ascii_case("yes");
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
        assert_eq!(MessageSummary::parse(full), MessageSummary { waiting: true, new: Some(2), old: Some(8) });
        let bare = MessageSummary::parse(b"messages-waiting:no");
        assert_eq!(bare, MessageSummary { waiting: false, new: None, old: None });
        let odd = MessageSummary::parse(b"\xff\xfe Voice-Message: x/y\r\nVoice-Message: 9999999999999/1");
        assert_eq!(odd, MessageSummary { waiting: false, new: None, old: Some(1) });
    }
}
