//! Session timers (RFC 4028), both roles: asking for one, agreeing to one, refreshing the session by UPDATE or re-INVITE
//! at half its time, and ending it where the other side, whose part that was, has not done so.
//!
//! Where the choice is ours, we refresh: a call is better kept by who knows that it lives. A peer that answers a refresh
//! with a refusal is alive, and so the call goes on and is refreshed again; only silence, 408 and 481 end it.

use std::time::{Duration, Instant};

use super::{Session, State, Task, is_undelivered};
use crate::agent::{AccountId, EndedBy};
use crate::core::{Alarm, Core, Hop, Owner};
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;
use crate::params::Params;
use crate::transaction::TxId;

/// The option tag.
const TAG: &str = "timer";

/// The shortest interval we agree to, in seconds (RFC 4028 section 5 allows no less).
const SHORTEST: u32 = 90;

/// What a peer sets against this rule is believed down to here, in seconds; below it refreshes would be a storm.
const FLOOR: u32 = 20;

/// Intervals raised for one request (422) before giving up: each proxy on the way may have its own least.
const MAX_RAISES: u8 = 4;

/// How long before its end a session that was not refreshed is given up (RFC 4028 section 10).
const SLACK: Duration = Duration::from_secs(32);

/// Shortest pause between a refused refresh and the next.
const PAUSE: Duration = Duration::from_secs(5);

/// Who refreshes, seen from one request: its sender or its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresher {
    Uac,
    Uas,
}

/// The header of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SessionExpires {
    seconds: u32,
    refresher: Option<Refresher>,
}

/// The session timer of one session.
#[derive(Debug, Default)]
pub(super) struct Refresh {
    timer: Option<Timer>,
    /// The least interval a 422 named, in seconds.
    least: u32,
    raises: u8,
    /// The peer's Allow names UPDATE.
    peer_updates: bool,
    /// Our UPDATE without final response.
    updating: Option<TxId>,
}

/// What was agreed last.
#[derive(Clone, Copy, Debug)]
struct Timer {
    seconds: u32,
    /// We refresh.
    ours: bool,
    /// When the session's time is over, unless it is refreshed before.
    until: Instant,
}

impl SessionExpires {
    fn of(message: &Message) -> Option<SessionExpires> {
        let value = message.header("Session-Expires")?;
        let (seconds, params) = value.split_once(';').unwrap_or((value, ""));
        let params = Params::parse(params);
        let refresher = match params.value("refresher") {
            Some(uac) if uac.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(uas) if uas.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(SessionExpires { seconds: seconds_of(seconds)?, refresher })
    }
}

/// Asks for a timer in the INVITE of a new call of `account`.
pub(super) fn ask(core: &Core, account: Option<AccountId>, invite: &mut Message) {
    if let Some(seconds) = wish(core, account) {
        invite.push("Session-Expires", seconds.to_string());
    }
}

/// Whether a request asks for an interval too short for us. Only who knows session timers can be told so.
pub(super) fn is_too_short(request: &Message) -> bool {
    knows_timers(request) && SessionExpires::of(request).is_some_and(|asked| asked.seconds < SHORTEST)
}

/// Refuses such a request.
pub(super) fn refuse_interval(core: &mut Core, now: Instant, tx: TxId) {
    core.reply_with(now, tx, 422, "Min-SE", &SHORTEST.to_string());
}

impl Session {
    /// What a request of ours in the dialog says of the timer in force.
    pub(super) fn state_timer(&self, request: &mut Message) {
        if let Some(timer) = &self.refresh.timer {
            let refresher = if timer.ours { "uac" } else { "uas" };
            request.push("Session-Expires", format!("{};refresher={refresher}", timer.seconds));
            if self.refresh.least > 0 {
                request.push("Min-SE", self.refresh.least.to_string());
            }
        }
    }

    /// Takes the timer from a 2xx to our INVITE or UPDATE.
    pub(super) fn take_timer(&mut self, core: &mut Core, now: Instant, response: &Message) {
        self.note_allow(response);
        self.refresh.raises = 0;
        match SessionExpires::of(response) {
            Some(agreed) => {
                let ours = agreed.refresher != Some(Refresher::Uas);
                self.start_timer(core, now, agreed.seconds, ours);
            }
            None => self.stop_timer(core),
        }
    }

    /// Settles the timer in our 2xx to a request of the peer (RFC 4028 section 9).
    pub(super) fn settle_timer(
        &mut self,
        core: &mut Core,
        now: Instant,
        request: &Message,
        response: &mut Message,
    ) {
        self.note_allow(request);
        let knows = knows_timers(request);
        let (seconds, ours) = match (SessionExpires::of(request), self.refresh.timer) {
            (Some(asked), _) => (asked.seconds, !knows || asked.refresher != Some(Refresher::Uac)),
            // It must not be lost by a request that only forgets to speak of it.
            (None, Some(timer)) => (timer.seconds, true),
            (None, None) => match wish(core, self.account).filter(|_| knows) {
                Some(seconds) => (seconds.max(least_of(request)), true),
                None => return,
            },
        };
        let refresher = if ours { "uas" } else { "uac" };
        response.push("Session-Expires", format!("{seconds};refresher={refresher}"));
        if !ours {
            response.push("Require", TAG);
        }
        self.start_timer(core, now, seconds, ours);
    }

    /// The interval of a refused request raised to what its 422 asks for; false if that cannot be.
    pub(super) fn raise_interval(&mut self, request: &mut Message, response: &Message) -> bool {
        let least = least_of(response);
        let asked = SessionExpires::of(request);
        self.refresh.raises += 1;
        let Some(asked) = asked.filter(|asked| least > asked.seconds && self.refresh.raises <= MAX_RAISES)
        else {
            return false;
        };
        self.refresh.least = least;
        if let Some(timer) = &mut self.refresh.timer {
            timer.seconds = least;
        }
        let refresher = match asked.refresher {
            Some(Refresher::Uac) => ";refresher=uac",
            Some(Refresher::Uas) => ";refresher=uas",
            None => "",
        };
        request.set("Session-Expires", format!("{least}{refresher}"));
        request.set("Min-SE", least.to_string());
        true
    }

    /// Half the interval is over: refresh, by UPDATE where the peer knows it, else by re-INVITE.
    pub(super) fn on_refresh_due(&mut self, core: &mut Core, now: Instant) {
        match self.state {
            State::Up if self.refresh.updating.is_some() => {}
            State::Up if self.refresh.peer_updates => self.send_update(core, now),
            State::Up if self.tasks.contains(&Task::Refresh) || self.doing == Some(Task::Refresh) => {}
            State::Up => self.enqueue(core, now, Task::Refresh),
            _ => self.refresh_later(core, now),
        }
    }

    /// We are reached otherwise than the peer knows: it is told as soon as the call is up.
    pub(crate) fn tell_contact(&mut self, core: &mut Core, now: Instant) {
        match self.state {
            State::Up => self.on_refresh_due(core, now),
            _ if self.tasks.contains(&Task::Refresh) => {}
            _ => self.enqueue(core, now, Task::Refresh),
        }
    }

    /// The peer should have refreshed and has not.
    pub(super) fn on_expired(&mut self, core: &mut Core, now: Instant) {
        if matches!(self.state, State::Up | State::Answering) {
            tracing::info!(session = self.id.0, "call ended: its session timer has run out");
            self.send_bye_because(core, now, "SIP;cause=408;text=\"Session timer expired\"");
            self.unacked = None;
            self.end(core, now, EndedBy::Timeout, 408, "the session timer has run out");
        }
    }

    pub(super) fn on_update_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let code = response.code().unwrap_or(0);
        if code < 200 || self.refresh.updating != Some(id) {
            return;
        }
        self.refresh.updating = None;
        if self.state != State::Up {
            return;
        }
        match code {
            200..=299 => {
                self.refresh_target(response);
                self.take_timer(core, now, response);
            }
            401 | 407 => self.refresh.updating = self.answer_challenge(core, now, id, response),
            408 | 481 => return self.lose(core, now, code, response.reason()),
            422 => {
                let refused = core.layer.sent_request(id).cloned();
                if refused.is_some_and(|mut refused| self.raise_interval(&mut refused, response)) {
                    return self.send_update(core, now);
                }
            }
            405 | 501 => {
                self.refresh.peer_updates = false;
                return self.on_refresh_due(core, now);
            }
            _ => {}
        }
        if code >= 300 && self.refresh.updating.is_none() {
            self.refresh_later(core, now);
        }
    }

    /// The target that our UPDATE went to is dead: the session is refreshed by another.
    pub(super) fn refresh_elsewhere(&mut self, core: &mut Core, now: Instant, dead: Target) {
        let lost = |tx: &mut TxId| core.layer.sent_to(*tx) == Some(dead) && core.layer.is_unheard(*tx);
        if let Some(tx) = self.refresh.updating.take_if(lost) {
            core.layer.forget(tx);
            self.on_refresh_due(core, now);
        }
    }

    /// The dialog is dead if nobody answers in it. Where there was no connection to ask by, nobody was asked.
    pub(super) fn on_update_silence(&mut self, core: &mut Core, now: Instant, id: TxId) {
        if self.refresh.updating.take_if(|updating| *updating == id).is_none() || self.state != State::Up {
            return;
        }
        if is_undelivered(core, id) && !self.is_past_its_time(now) {
            return core.timers.set(Alarm::Refresh(self.id), now + PAUSE);
        }
        self.lose(core, now, 408, "no answer");
    }

    /// There is no connection for the re-INVITE that refreshes or says where we are: it is sent again in a while, behind
    /// what else is waiting.
    pub(super) fn on_refresh_undelivered(&mut self, core: &mut Core, now: Instant) {
        if self.is_past_its_time(now) {
            return self.lose(core, now, 408, "no answer");
        }
        self.media.abandon_offer();
        if self.tasks.iter().all(|task| *task == Task::Refresh) {
            return core.timers.set(Alarm::AskAgain(self.id), now + PAUSE);
        }
        self.doing = None;
        if !self.tasks.contains(&Task::Refresh) {
            self.tasks.push_back(Task::Refresh);
        }
        self.advance(core, now);
    }

    /// Whether we should have refreshed the session and could not (RFC 4028 section 10).
    fn is_past_its_time(&self, now: Instant) -> bool {
        self.refresh.timer.is_some_and(|timer| timer.ours && now >= timer.until)
    }

    /// A refresh was refused or could not be asked for: once more before the time is over.
    pub(super) fn refresh_later(&mut self, core: &mut Core, now: Instant) {
        if let Some(timer) = self.refresh.timer.filter(|timer| timer.ours) {
            let pause = Duration::from_secs(u64::from(timer.seconds)) / 8;
            core.timers.set(Alarm::Refresh(self.id), now + pause.max(PAUSE));
        }
    }

    fn send_update(&mut self, core: &mut Core, now: Instant) {
        let contact = core.contact(self.account);
        let (allow, supported) = (core.allow(), core.supported());
        let Some(dialog) = self.dialog.as_mut() else { return };
        let request = dialog.request(Method::Update);
        let hop = core.dialog_hop(self.account, dialog.hop());
        self.refresh.updating = Some(self.send_on(core, now, request, &hop, |update| {
            update.push("Contact", contact);
            update.push("Allow", allow);
            update.push("Supported", supported);
            self.state_timer(update);
        }));
    }

    fn start_timer(&mut self, core: &mut Core, now: Instant, seconds: u32, ours: bool) {
        let seconds = seconds.max(FLOOR);
        let interval = Duration::from_secs(seconds.into());
        self.refresh.timer = Some(Timer { seconds, ours, until: now + interval });
        let (due, end) = match ours {
            true => (Some(now + interval / 2), None),
            false => (None, Some(now + interval - SLACK.min(interval / 3))),
        };
        core.timers.arm(Alarm::Refresh(self.id), due);
        core.timers.arm(Alarm::Expiry(self.id), end);
    }

    pub(super) fn stop_timer(&mut self, core: &mut Core) {
        self.refresh.timer = None;
        core.timers.clear(Alarm::Refresh(self.id));
        core.timers.clear(Alarm::Expiry(self.id));
    }

    fn note_allow(&mut self, message: &Message) {
        let mut methods = message.headers("Allow").peekable();
        if methods.peek().is_some() {
            self.refresh.peer_updates = methods.any(|method| method == Method::Update.as_str());
        }
    }

    /// Sends the refused INVITE of a new call once more, with the interval its 422 asks for.
    pub(super) fn ask_for_longer(
        &mut self,
        core: &mut Core,
        now: Instant,
        id: TxId,
        response: &Message,
    ) -> Option<TxId> {
        let mut request = self.again(core, id, |_| {})?;
        let hop = Hop::Address(core.layer.sent_to(id)?);
        let raised = self.raise_interval(&mut request, response);
        raised.then(|| core.send(now, request, &hop, Owner::Session(self.id), 0))
    }
}

/// The interval we ask for, in seconds.
fn wish(core: &Core, account: Option<AccountId>) -> Option<u32> {
    let wanted = core.session_expires(account?)?;
    Some(u32::try_from(wanted.as_secs()).unwrap_or(u32::MAX).max(SHORTEST))
}

fn knows_timers(request: &Message) -> bool {
    let mut tags = request.headers("Supported").chain(request.headers("Require"));
    tags.any(|tag| tag.eq_ignore_ascii_case(TAG))
}

/// Min-SE in seconds; 0 where there is none.
fn least_of(message: &Message) -> u32 {
    let value = message.header("Min-SE").and_then(|value| value.split(';').next());
    value.and_then(seconds_of).unwrap_or(0)
}

/// Too large a number is the largest one.
fn seconds_of(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_expires_is_read_in_every_dress() {
        for (text, read) in [
            ("1800", Some((1800, None))),
            (" 90 ; Refresher = UAC ", Some((90, Some(Refresher::Uac)))),
            ("90;x=1;refresher=uas", Some((90, Some(Refresher::Uas)))),
            ("99999999999;refresher=nobody", Some((u32::MAX, None))),
            ("", None),
            ("-1", None),
            ("1.5", None),
        ] {
            let mut message = Message::request(Method::Update, "sip:a@b");
            message.push("x", text);
            let read = read.map(|(seconds, refresher)| SessionExpires { seconds, refresher });
            assert_eq!(SessionExpires::of(&message), read, "{text:?}");
        }
    }
}
