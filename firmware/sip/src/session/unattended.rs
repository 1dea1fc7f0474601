//! Calls that are to be answered without a hand (intercom, paging, a telephone used as the headset of a desk): the
//! `answer-after` and `alert-autoanswer` of exchanges, and Answer-Mode (RFC 5373).
//!
//! Not done here: answering, and deciding who may ask for it.

use std::time::Duration;

use crate::message::Message;
use crate::params::{Params, split_outside_quotes};

/// The longest wait believed; who asks for more means no automatic answer at all.
const MAX_AFTER: u64 = 3600;

/// After how long the caller wants to be answered without a hand: Call-Info or Alert-Info with `answer-after=N`,
/// Alert-Info with `info=alert-autoanswer` (and `delay=N`), Answer-Mode or Priv-Answer-Mode `Auto`. The first that
/// says so counts.
pub(super) fn answer_after(invite: &Message) -> Option<Duration> {
    let infos = ["Call-Info", "Alert-Info"].into_iter().flat_map(|name| values(invite, name));
    let mode = ["Answer-Mode", "Priv-Answer-Mode"].into_iter().flat_map(|name| values(invite, name));
    infos
        .filter_map(of_info)
        .next()
        .or_else(|| mode.filter(|mode| is_auto(mode)).map(|_| Duration::ZERO).next())
}

/// Asks for it in all three ways: telephones know one or the other.
pub(super) fn ask(invite: &mut Message, after: Duration, host: &str) {
    let seconds = after.as_secs();
    invite.push("Call-Info", format!("<sip:{host}>;answer-after={seconds}"));
    invite.push("Alert-Info", format!("<http://{host}>;info=alert-autoanswer;delay={seconds}"));
    // Answer-Mode knows no pause.
    if seconds == 0 {
        invite.push("Answer-Mode", "Auto");
    }
}

fn of_info(value: &str) -> Option<Duration> {
    // Some write the parameters without any URI before them.
    let start = value.find('>').map_or(0, |at| at + 1);
    let params = Params::parse(value.get(start..)?);
    if let Some(after) = params.value("answer-after") {
        return seconds(after);
    }
    let auto =
        params.value("info").is_some_and(|info| info.to_ascii_lowercase().contains("alert-autoanswer"));
    auto.then(|| params.value("delay").map_or(Some(Duration::ZERO), seconds)).flatten()
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().filter(|&seconds| seconds <= MAX_AFTER).map(Duration::from_secs)
}

fn is_auto(mode: &str) -> bool {
    mode.split(';').next().is_some_and(|mode| mode.trim().eq_ignore_ascii_case("auto"))
}

fn values<'a>(message: &'a Message, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = message.all_headers().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
    all.flat_map(|(_, value)| split_outside_quotes(value, b','))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::method::Method;

    fn read(lines: &[(&str, &str)]) -> Option<u64> {
        let mut invite = Message::request(Method::Invite, "sip:100@192.0.2.1");
        lines.iter().for_each(|(name, value)| invite.push(name, *value));
        answer_after(&invite).map(|after| after.as_secs())
    }

    #[test]
    fn every_way_to_ask_for_an_answer_without_a_hand() {
        for (name, value, after) in [
            ("Call-Info", "<sip:192.0.2.9>;answer-after=0", Some(0)),
            ("Call-Info", "<http://pbx/a,b.png>;purpose=icon, <sip:192.0.2.9>; Answer-After = 3", Some(3)),
            ("Call-Info", "answer-after=1", Some(1)),
            ("Call-Info", "<sip:192.0.2.9>;answer-after=-1", None),
            ("Call-Info", "<sip:192.0.2.9>;answer-after=99999999999999999999", None),
            ("Call-Info", "<sip:192.0.2.9>;answer-after=3601", None),
            ("Call-Info", "<sip:192.0.2.9?x=;answer-after=0>", None),
            ("Alert-Info", "<http://www.notused.com>;info=alert-autoanswer;delay=0", Some(0)),
            ("Alert-Info", "<http://pbx>;info=\"Alert-Autoanswer\";delay=2", Some(2)),
            ("Alert-Info", "info=alert-autoanswer", Some(0)),
            ("Alert-Info", "<http://pbx>;info=alert-autoanswer;delay=x", None),
            ("Alert-Info", "<http://pbx>;info=alert-external", None),
            ("Alert-Info", "<sip:pbx>;answer-after=0", Some(0)),
            ("Answer-Mode", "Auto", Some(0)),
            ("Answer-Mode", "auto;require", Some(0)),
            ("Priv-Answer-Mode", "Auto", Some(0)),
            ("Answer-Mode", "Manual", None),
            ("Subject", "answer-after=0", None),
        ] {
            assert_eq!(read(&[(name, value)]), after, "{name}: {value}");
        }
        assert_eq!(read(&[("Answer-Mode", "Auto"), ("Call-Info", "<sip:a>;answer-after=2")]), Some(2));
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn what_is_asked_for_is_read_again() {
        for after in [0, 4] {
            let mut invite = Message::request(Method::Invite, "sip:100@192.0.2.1");
            ask(&mut invite, Duration::from_secs(after), "192.0.2.1:5060");
            assert_eq!(answer_after(&invite), Some(Duration::from_secs(after)));
            assert_eq!(invite.header("Answer-Mode").is_some(), after == 0);
        }
    }
}
