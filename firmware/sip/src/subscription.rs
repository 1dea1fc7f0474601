//! Subscriptions of ours (RFC 6665): lamps (RFC 4235) and waiting messages (RFC 3842), refreshed
//! before they expire and asked for anew, for ever, after every failure.
//!
//! A SUBSCRIBE goes out when its turn has come ([`crate::turns`]); whether the exchange behind it is still there is
//! watched in [`crate::vigil`].
//!
//! Not done here: several notifiers behind one SUBSCRIBE (the first one wins).

use std::time::{Duration, Instant};

use crate::agent::{AccountId, Event, Package, SubscriptionId, SubscriptionState};
use crate::core::{Alarm, Core, Hop, LONGEST_EXPIRES, Owner, lengthen};
use crate::dialog::{Dialog, Order};
use crate::dialog_info::DialogInfo;
use crate::header::NameAddr;
use crate::lamp::{Lamp, Merge};
use crate::message::Message;
use crate::method::Method;
use crate::mwi::MessageSummary;
use crate::pidf::Presence;
use crate::session::target_uri;
use crate::transaction::TxId;

/// Lifetime asked for: short enough that lamps come back soon after an exchange lost its memory.
const EXPIRES: Duration = Duration::from_secs(600);

/// One thing we watch.
#[derive(Debug)]
pub(crate) struct Subscription {
    id: SubscriptionId,
    account: AccountId,
    target: String,
    package: Package,
    call_id: String,
    local_tag: String,
    dialog: Option<Dialog>,
    /// Lifetime asked for.
    expires: Duration,
    /// Until when it was granted, as last said.
    until: Option<Instant>,
    tx: Option<TxId>,
    phase: Phase,
    failures: u32,
    told: Option<SubscriptionState>,
    lamp: Lamp,
    /// What it wants to send when its turn comes.
    wish: Option<Wish>,
    /// What it has to take back at its next alarm.
    doubt: Option<Doubt>,
}

/// What a subscription waits for its turn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// A subscription from scratch.
    Anew,
    /// A refresh.
    Renew,
    /// The end.
    End,
}

/// Why what a subscription knows is not true any more, though nothing was said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The exchange is silent: nothing is asked until it is back.
    Silent,
    /// The exchange has forgotten its subscriptions, or is back after a silence: everything is asked anew.
    Forgotten,
}

impl Doubt {
    fn reason(self) -> &'static str {
        match self {
            Doubt::Silent => "the exchange is silent",
            Doubt::Forgotten => "the exchange has forgotten it",
        }
    }
}

/// Whether a subscription was lost for a reason that many have at the same time, and that was logged for all of them.
pub fn is_of_all(reason: &str) -> bool {
    [Doubt::Silent, Doubt::Forgotten].iter().any(|doubt| doubt.reason() == reason)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Asked for; nothing notified yet.
    Asking,
    Notified,
    /// Failed; the alarm starts the next try.
    Resting,
    /// No longer wanted; late messages are still answered.
    Closing,
}

impl Subscription {
    /// Subscribes, when its turn comes.
    pub(crate) fn new(
        core: &mut Core,
        id: SubscriptionId,
        account: AccountId,
        target: String,
        package: Package,
    ) -> Subscription {
        let mut subscription = Subscription {
            id,
            account,
            target,
            package,
            call_id: String::new(),
            local_tag: String::new(),
            dialog: None,
            expires: EXPIRES,
            until: None,
            tx: None,
            phase: Phase::Asking,
            failures: 0,
            told: None,
            lamp: Lamp::default(),
            wish: None,
            doubt: None,
        };
        subscription.wait(core, Wish::Anew);
        subscription
    }

    /// Ends the subscription; the program hears of it at once.
    pub(crate) fn close(&mut self, core: &mut Core, now: Instant) {
        if self.phase == Phase::Closing {
            return;
        }
        self.drop_request(core);
        self.drop_wish(core);
        self.doubt = None;
        let known = self.dialog.is_some() && self.phase != Phase::Resting;
        self.phase = Phase::Closing;
        if known {
            self.wait(core, Wish::End);
        }
        core.timers.set(Alarm::Subscription(self.id), now + core.config.t1 * 64);
        self.report(core, SubscriptionState::Terminated);
    }

    pub(crate) fn on_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let code = response.code().unwrap_or(0);
        if self.tx != Some(id) || code < 200 {
            return;
        }
        self.tx = None;
        if matches!(code, 401 | 407) && self.answer(core, now, id, response) {
            return;
        }
        core.turns.end(self.account, self.id);
        if self.phase == Phase::Closing {
            return;
        }
        match code {
            200..=299 => self.accepted(core, now, id, response),
            423 if lengthen(&mut self.expires, response) => self.renew(core, now),
            // The notifier lost its memory: begin again without a pause, once.
            481 if self.phase == Phase::Notified => {
                self.darken(core, Doubt::Forgotten);
                self.ask_anew(core, now);
            }
            _ => self.lose(core, now, &format!("{code} {}", response.reason()), Duration::ZERO),
        }
    }

    /// Nobody answered the SUBSCRIBE.
    pub(crate) fn on_silence(&mut self, core: &mut Core, now: Instant, id: TxId, reached: bool) {
        if self.tx != Some(id) {
            return;
        }
        self.tx = None;
        core.turns.end(self.account, self.id);
        if self.phase == Phase::Closing {
            return;
        }
        // Where targets are watched, a dead one has been left long before: the exchange is silent about this number alone.
        if let (true, Some(place), Some(dead)) =
            (reached && !core.config.probe, core.first_hop(self.account), core.layer.sent_to(id))
        {
            core.resolver.fail_over(now, &place, dead);
        }
        self.lose(core, now, "no answer", Duration::ZERO);
    }

    /// A SUBSCRIBE is due: refresh, new try, or a NOTIFY that never came; or what is known is in doubt.
    pub(crate) fn on_alarm(&mut self, core: &mut Core, now: Instant) {
        if let Some(doubt) = self.doubt.take() {
            self.darken(core, doubt);
            if doubt == Doubt::Forgotten {
                self.wait(core, Wish::Anew);
            }
            return;
        }
        match self.phase {
            Phase::Asking => self.lose(core, now, "accepted, but never notified", Duration::ZERO),
            Phase::Notified if self.tx.is_none() => self.wait(core, Wish::Renew),
            Phase::Resting => self.wait(core, Wish::Anew),
            Phase::Notified | Phase::Closing => {}
        }
    }

    /// Its turn has come.
    pub(crate) fn go(&mut self, core: &mut Core, now: Instant) {
        match self.wish.take() {
            Some(Wish::Anew) => {
                self.drop_request(core);
                self.ask_anew(core, now);
            }
            Some(Wish::Renew) if self.tx.is_none() => self.renew(core, now),
            Some(Wish::End) => self.send(core, now, Duration::ZERO),
            Some(Wish::Renew) | None => {}
        }
    }

    /// Has what it knows taken back at its alarm, which is due at once: with thousands of them, some in each turn.
    pub(crate) fn doubt(&mut self, core: &mut Core, now: Instant, doubt: Doubt) {
        if self.phase != Phase::Closing {
            self.doubt = Some(doubt);
            core.timers.set(Alarm::Subscription(self.id), now);
        }
    }

    /// Refreshes before it is due, ahead of all others, to see whether the exchange is there and remembers.
    pub(crate) fn probe(&mut self, core: &mut Core) {
        if self.wish.is_none() {
            self.wish = Some(Wish::Renew);
        }
        core.turns.enter_first(self.account, self.id);
    }

    /// Refreshes before it is due, in its turn.
    pub(crate) fn refresh(&mut self, core: &mut Core) {
        if self.phase == Phase::Notified && self.tx.is_none() && self.wish.is_none() {
            self.wait(core, Wish::Renew);
        }
    }

    /// Asks a silent exchange anew, in place of the request that it has not answered.
    pub(crate) fn knock(&mut self, core: &mut Core, now: Instant) {
        self.drop_wish(core);
        self.drop_request(core);
        self.ask_anew(core, now);
    }

    /// Whether it has been notified and vouches for what was said.
    pub(crate) fn is_notified(&self) -> bool {
        self.phase == Phase::Notified
    }

    /// Whether it was asked for, or waits to be, and is not notified yet.
    pub(crate) fn is_new(&self) -> bool {
        self.phase == Phase::Asking
    }

    /// Whether a SUBSCRIBE of it has no answer yet.
    pub(crate) fn is_asking(&self) -> bool {
        self.tx.is_some()
    }

    /// What is watched.
    pub(crate) fn package(&self) -> Package {
        self.package
    }

    /// Where the SUBSCRIBE without an answer went.
    pub(crate) fn asked_at(&self, core: &Core) -> Option<crate::flow::Target> {
        self.tx.and_then(|tx| core.layer.sent_to(tx))
    }

    /// A NOTIFY with our Call-ID and tag; whether it came from whom we asked.
    pub(crate) fn on_notify(&mut self, core: &mut Core, now: Instant, id: TxId, notify: &Message) -> bool {
        let tag = notify.from().and_then(|from| from.tag().map(str::to_owned)).unwrap_or_default();
        if self.dialog.is_none() && self.phase == Phase::Asking {
            let subscribe = self.tx.and_then(|tx| core.layer.sent_request(tx));
            self.dialog = subscribe.and_then(|subscribe| Dialog::of_subscriber(subscribe, notify));
        }
        let Some(dialog) = self.dialog.as_mut().filter(|dialog| dialog.is_with(&tag)) else {
            core.reply(now, id, 481);
            return false;
        };
        if dialog.receive(notify) == Order::Stale {
            core.reply(now, id, 500);
            return false;
        }
        dialog.refresh_target(notify);
        if !is_for(notify, self.package) {
            core.reply_with(now, id, 489, "Allow-Events", self.package.name());
            return true;
        }
        if !notify.body().is_empty()
            && notify.content_type().as_deref().is_some_and(|kind| kind != self.package.content_type())
        {
            core.reply_with(now, id, 415, "Accept", self.package.content_type());
            return true;
        }
        core.reply(now, id, 200);
        if matches!(self.phase, Phase::Asking | Phase::Notified) {
            self.take_state(core, now, notify);
        }
        true
    }

    /// Whether nobody needs this subscription any more once its last request is answered.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closing
    }

    /// The account it goes through.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// Call-ID and our tag.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.call_id, &self.local_tag)
    }

    /// Sends when its turn comes.
    fn wait(&mut self, core: &mut Core, wish: Wish) {
        self.wish = Some(wish);
        core.turns.enter(self.account, self.id);
    }

    /// Knows nothing any more, says so, and has no deadline.
    fn darken(&mut self, core: &mut Core, doubt: Doubt) {
        self.drop_request(core);
        self.drop_wish(core);
        self.phase = Phase::Resting;
        self.lamp = Lamp::default();
        self.failures = 0;
        core.timers.clear(Alarm::Subscription(self.id));
        self.report(core, SubscriptionState::Lost { reason: doubt.reason().to_owned() });
    }

    fn ask_anew(&mut self, core: &mut Core, now: Instant) {
        core.leave_dialog(&self.call_id, &self.local_tag);
        self.call_id = core.new_call_id();
        self.local_tag = core.random.word();
        core.enter_dialog(&self.call_id, &self.local_tag, Owner::Subscription(self.id));
        self.dialog = None;
        self.until = None;
        self.doubt = None;
        self.phase = Phase::Asking;
        core.timers.clear(Alarm::Subscription(self.id));
        self.send(core, now, self.expires);
    }

    /// Refreshes in the dialog, or asks again where there is none yet.
    fn renew(&mut self, core: &mut Core, now: Instant) {
        if self.dialog.is_some() { self.send(core, now, self.expires) } else { self.ask_anew(core, now) }
    }

    fn send(&mut self, core: &mut Core, now: Instant, expires: Duration) {
        let Some((mut request, hop)) = self.next_request(core) else {
            return self.lose(core, now, "the target cannot be subscribed to", Duration::ZERO);
        };
        request.push("Contact", core.contact(Some(self.account)));
        request.push("Event", self.package.name());
        request.push("Accept", self.package.content_type());
        request.push("Expires", expires.as_secs().to_string());
        if let Some(line) = core.lines.get_mut(&self.account) {
            line.authorise(&mut request);
        }
        self.tx = Some(core.send(now, request, &hop, Owner::Subscription(self.id), 0));
        core.turns.begin(self.account, self.id, now);
    }

    fn next_request(&mut self, core: &Core) -> Option<(Message, Hop)> {
        if let Some(dialog) = &mut self.dialog {
            let hop = core.dialog_hop(Some(self.account), dialog.hop());
            return Some((dialog.request(Method::Subscribe), hop));
        }
        let target = target_uri(core, Some(self.account), &self.target).ok()?;
        let line = core.lines.get(&self.account)?;
        let mut request = Message::request(Method::Subscribe, &target.to_string());
        for route in line.route() {
            request.push("Route", route);
        }
        request.push("From", line.identity().with_tag(&self.local_tag).to_string());
        request.push("To", NameAddr::new(target).to_string());
        request.push("Call-ID", self.call_id.as_str());
        request.push("CSeq", "1 SUBSCRIBE");
        Some((request, Hop::Place(line.first_hop())))
    }

    fn answer(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) -> bool {
        let attempt = core.layer.attempt(id);
        let to = core.layer.sent_to(id);
        let (Some(refused), Some(to)) = (core.layer.sent_request(id).cloned(), to) else { return false };
        let Some(line) = core.lines.get_mut(&self.account) else { return false };
        let Some(mut again) = line.answer(&mut core.random, &refused, response, attempt) else {
            return false;
        };
        let number = match &mut self.dialog {
            Some(dialog) => dialog.next_cseq(),
            None => refused.cseq().map_or(1, |cseq| cseq.number).saturating_add(1),
        };
        again.set("CSeq", format!("{number} SUBSCRIBE"));
        let owner = Owner::Subscription(self.id);
        self.tx = Some(core.send(now, again, &Hop::Address(to), owner, attempt + 1));
        true
    }

    fn accepted(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let tag = response.to().and_then(|to| to.tag().map(str::to_owned)).unwrap_or_default();
        match &mut self.dialog {
            Some(dialog) if dialog.is_with(&tag) => dialog.refresh_target(response),
            // Of several that the request was forked to, another one notified first.
            Some(_) => {}
            None => {
                let request = core.layer.sent_request(id);
                self.dialog = request.and_then(|request| Dialog::of_caller(request, response));
            }
        }
        let granted = response.expires().map_or(self.expires, |s| Duration::from_secs(u64::from(s)));
        self.grant(now, granted);
        if self.phase == Phase::Asking {
            core.timers.set(Alarm::Subscription(self.id), now + core.config.t1 * 64);
        } else {
            self.refresh_before(core, now, granted);
        }
    }

    fn grant(&mut self, now: Instant, lifetime: Duration) {
        self.until = Some(now + lifetime.min(LONGEST_EXPIRES));
    }

    fn take_state(&mut self, core: &mut Core, now: Instant, notify: &Message) {
        let header = notify.header("Subscription-State").unwrap_or("active").to_ascii_lowercase();
        let mut parts = header.split(';').map(str::trim);
        let state = parts.next().unwrap_or_default();
        let param = |name: &str| {
            let mut found = header.split(';').skip(1).filter_map(|part| part.trim().split_once('='));
            found.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
        };
        if state == "terminated" {
            let pause = param("retry-after").and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
            let reason = param("reason").unwrap_or_else(|| "no reason given".to_owned());
            return self.lose(
                core,
                now,
                &format!("ended by the notifier: {reason}"),
                Duration::from_secs(pause),
            );
        }
        self.phase = Phase::Notified;
        let failures = std::mem::take(&mut self.failures);
        // Many notifiers leave it out: then what the answer to the SUBSCRIBE granted goes on (RFC 6665 section 4.1.3).
        if let Some(stated) = param("expires").and_then(|seconds| seconds.parse::<u64>().ok()) {
            self.grant(now, Duration::from_secs(stated));
        }
        let left = self.until.map_or(self.expires, |until| until.saturating_duration_since(now));
        self.refresh_before(core, now, left);
        if state == "pending" {
            return self.report(core, SubscriptionState::Pending);
        }
        self.report(core, SubscriptionState::Active);
        if let Err(reason) = self.take_document(core, notify.body()) {
            // What was true before is not vouched for any more, and what is true now cannot be read.
            self.failures = failures;
            self.lose(core, now, &reason, Duration::ZERO);
        }
    }

    fn take_document(&mut self, core: &mut Core, body: &[u8]) -> Result<(), String> {
        if body.is_empty() {
            // Nothing is known of the person, as before anything was published.
            if self.package == Package::Presence {
                core.emit(Event::Presence { subscription: self.id, presence: Presence::default() });
            }
            return Ok(());
        }
        match self.package {
            Package::Dialog => {
                let document = DialogInfo::parse(body).map_err(|error| error.to_string())?;
                self.take_dialogs(core, document);
            }
            Package::Presence => {
                let presence = Presence::parse(body).map_err(|error| error.to_string())?;
                core.emit(Event::Presence { subscription: self.id, presence });
            }
            Package::MessageSummary => {
                let MessageSummary { waiting, new, old, mailbox } = MessageSummary::parse(body);
                core.emit(Event::MessageSummary { account: Some(self.account), waiting, new, old, mailbox });
            }
        }
        Ok(())
    }

    fn take_dialogs(&mut self, core: &mut Core, document: DialogInfo) {
        let merge = self.lamp.merge(document);
        // Something was missed: only a refresh brings the full state again.
        if matches!(merge, Merge::Gap | Merge::Unfounded) && self.tx.is_none() {
            self.wait(core, Wish::Renew);
        }
        if matches!(merge, Merge::Stale | Merge::Unfounded) {
            return;
        }
        let dialogs = self.lamp.calls();
        core.emit(Event::Dialogs { subscription: self.id, dialogs });
    }

    /// Refreshes in the second half of the lifetime, each lamp at another moment of it: thousands that were asked
    /// for in the same seconds do not come back together for ever.
    fn refresh_before(&self, core: &mut Core, now: Instant, granted: Duration) {
        let granted = granted.clamp(Duration::from_secs(2), LONGEST_EXPIRES);
        let margin = (granted / 10).clamp(Duration::from_secs(5), Duration::from_secs(30)).min(granted / 2);
        let pause = core.random.between(granted / 2, granted - margin);
        core.timers.set(Alarm::Subscription(self.id), now + pause);
    }

    /// Says that nothing is known any more, and tries again after a while.
    fn lose(&mut self, core: &mut Core, now: Instant, reason: &str, at_least: Duration) {
        self.drop_request(core);
        self.drop_wish(core);
        self.phase = Phase::Resting;
        self.lamp = Lamp::default();
        self.failures = self.failures.saturating_add(1);
        let pause = core.back_off(self.failures).max(at_least.min(core.config.retry_longest));
        core.timers.set(Alarm::Subscription(self.id), now + pause);
        self.report(core, SubscriptionState::Lost { reason: reason.to_owned() });
    }

    fn drop_request(&mut self, core: &mut Core) {
        if let Some(tx) = self.tx.take() {
            core.layer.forget(tx);
            core.turns.end(self.account, self.id);
        }
    }

    fn drop_wish(&mut self, core: &mut Core) {
        if self.wish.take().is_some() {
            core.turns.leave(self.account, self.id);
        }
    }

    fn report(&mut self, core: &mut Core, state: SubscriptionState) {
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            core.emit(Event::Subscription { subscription: self.id, state });
        }
    }
}

/// Whether the Event header names `package`.
pub(crate) fn is_for(message: &Message, package: Package) -> bool {
    let event = message.header("Event").unwrap_or_default();
    event.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(package.name()))
}
