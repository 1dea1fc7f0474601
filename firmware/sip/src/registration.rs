//! Registration of one account: REGISTER, refresh, removal, and tries without end after a failure.
//!
//! Not done here: whether its target is alive, and the way back to a better one (`agent::probe`).

use std::time::{Duration, Instant};

use crate::agent::{AccountId, Event, RegistrationState};
use crate::core::{Alarm, Core, Hop, LONGEST_EXPIRES, Owner, lengthen};
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;
use crate::transaction::TxId;

/// Why a registration failed that nobody answered.
const SILENT: &str = "no answer";

/// REGISTERs in a row whose Contact only follows the address at which the exchange sees us.
const MAX_CORRECTIONS: u8 = 2;

/// How one account stands with its registrar.
#[derive(Debug)]
pub(crate) struct Registration {
    account: AccountId,
    wanted: bool,
    bound: bool,
    /// Where it is bound, or was last.
    bound_at: Option<Target>,
    call_id: String,
    tag: String,
    number: u32,
    expires: Duration,
    tx: Option<TxId>,
    failures: u32,
    /// The Contact the registrar knows: where our end of the connection has changed, it must go.
    known_as: Option<String>,
    /// The registrar's proxy cannot do RFC 5626 (439).
    plain: bool,
    /// How often in a row the exchange saw us at another address than the time before.
    corrections: u8,
}

impl Registration {
    /// Nothing asked for yet.
    pub(crate) fn new(core: &mut Core, account: AccountId) -> Registration {
        let expires = core.lines.get(&account).map_or(Duration::ZERO, |line| line.account().expires);
        Registration {
            account,
            wanted: false,
            bound: false,
            bound_at: None,
            call_id: core.new_call_id(),
            tag: core.random.word(),
            number: 0,
            expires: expires.clamp(Duration::from_secs(10), LONGEST_EXPIRES),
            tx: None,
            failures: 0,
            known_as: None,
            plain: false,
            corrections: 0,
        }
    }

    /// Registers, or registers anew at once.
    pub(crate) fn start(&mut self, core: &mut Core, now: Instant) {
        self.wanted = true;
        self.failures = 0;
        self.drop_request(core);
        self.report(core, RegistrationState::Registering);
        self.send(core, now);
    }

    /// Registers anew at once, if it is wanted at all: the registrar is silent, or may have forgotten us.
    pub(crate) fn start_again(&mut self, core: &mut Core, now: Instant) {
        if self.wanted {
            self.bound = false;
            self.start(core, now);
        }
    }

    /// The connection that the binding came by is gone, and with it the way to us.
    pub(crate) fn on_broken_flow(&mut self, core: &mut Core, now: Instant) {
        if self.bound && self.tx.is_none() {
            self.send(core, now);
        }
    }

    /// Registers before it is due, to hear whether the registrar is there; false if that is not the time for it.
    pub(crate) fn refresh(&mut self, core: &mut Core, now: Instant) -> bool {
        let ready = self.wanted && self.bound && self.tx.is_none();
        if ready {
            self.send(core, now);
        }
        ready
    }

    /// The account's exchange is used by another target, `current`: the binding follows, unless it was refused.
    /// Where the one before is not dead, the old binding serves until the new one is there.
    pub(crate) fn follow(&mut self, core: &mut Core, now: Instant, current: Target, is_dead: bool) {
        let asks_there = self.tx.is_some_and(|tx| core.layer.sent_to(tx).is_none_or(|at| at == current));
        let is_there = self.bound && self.bound_at == Some(current);
        if !self.wanted || asks_there || is_there || !(self.bound || self.tx.is_some()) {
            return;
        }
        if is_dead {
            return self.start_again(core, now);
        }
        self.drop_request(core);
        self.send(core, now);
    }

    /// The last target, `dead`, does not answer any more: the line says so, and asks until there is an answer.
    pub(crate) fn on_dead_target(&mut self, core: &mut Core, now: Instant, dead: Target) {
        if !self.wanted || !(self.bound || self.tx.is_some()) {
            return;
        }
        self.bound = false;
        self.failures = 0;
        self.drop_request(core);
        core.timers.clear(Alarm::Registration(self.account));
        let reason = core.flows.trouble(dead).unwrap_or(SILENT).to_owned();
        self.report(core, RegistrationState::Failed { code: None, reason });
        self.send(core, now);
    }

    /// The only target answers again.
    pub(crate) fn on_life(&mut self, core: &mut Core, now: Instant) {
        if !self.bound {
            self.start_again(core, now);
        }
    }

    /// Takes the binding away and stops trying.
    pub(crate) fn stop(&mut self, core: &mut Core, now: Instant) {
        let known = self.bound || self.tx.is_some();
        self.wanted = false;
        self.drop_request(core);
        core.timers.clear(Alarm::Registration(self.account));
        if known {
            self.send(core, now);
        } else {
            self.report(core, RegistrationState::Unregistered);
        }
    }

    pub(crate) fn on_response(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let code = response.code().unwrap_or(0);
        if self.tx != Some(id) || code < 200 {
            return;
        }
        self.tx = None;
        match code {
            200..=299 if self.wanted => self.bind(core, now, id, response),
            200..=299 => self.unbind(core),
            401 | 407 => {
                if !self.answer(core, now, id, response) {
                    self.fail(core, now, Some(code), response);
                }
            }
            423 if lengthen(&mut self.expires, response) => self.send(core, now),
            439 if !self.plain => {
                self.plain = true;
                self.send(core, now);
            }
            408 | 500..=599 => {
                if !self.fail_over(core, now, id) {
                    self.fail(core, now, Some(code), response);
                }
            }
            _ => {
                // Some registrars say 400 to a CSeq they have seen: begin a new count.
                self.call_id = core.new_call_id();
                self.fail(core, now, Some(code), response);
            }
        }
    }

    /// No registrar answered; `reached` is false if its name could not be resolved.
    pub(crate) fn on_silence(&mut self, core: &mut Core, now: Instant, id: TxId, reached: bool) {
        if self.tx != Some(id) {
            return;
        }
        self.tx = None;
        if reached && self.fail_over(core, now, id) {
            return;
        }
        let trouble = || core.flows.trouble(core.layer.sent_to(id)?).map(str::to_owned);
        let reason = match reached {
            true => trouble().unwrap_or_else(|| SILENT.to_owned()),
            false => "the registrar's name could not be resolved".to_owned(),
        };
        self.rest(core, now, None, reason, Duration::ZERO);
    }

    /// Time to refresh or to try again.
    pub(crate) fn on_alarm(&mut self, core: &mut Core, now: Instant) {
        if !self.wanted || self.tx.is_some() {
            return;
        }
        if !self.bound {
            self.report(core, RegistrationState::Registering);
        }
        self.send(core, now);
    }

    /// Whether the binding is wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether the binding is wanted or its removal is still on the way.
    pub(crate) fn is_busy(&self) -> bool {
        self.wanted || self.tx.is_some()
    }

    fn send(&mut self, core: &mut Core, now: Instant) {
        let contact = core.contact(Some(self.account));
        let Some(line) = core.lines.get_mut(&self.account) else { return };
        let identity = line.identity();
        let mut place = line.address("");
        place.user = None;
        self.number += 1;
        let mut request = Message::request(Method::Register, &place.to_string());
        if line.account().outbound_proxy.is_some()
            && let Some(proxy) = line.route().first()
        {
            request.push("Route", proxy.as_str());
        }
        request.push("From", identity.clone().with_tag(&self.tag).to_string());
        request.push("To", identity.to_string());
        request.push("Call-ID", self.call_id.as_str());
        request.push("CSeq", format!("{} REGISTER", self.number));
        let outbound = if self.plain { None } else { core.config.instance.as_deref() };
        match outbound {
            // One flow at a time is enough for us, and its number tells the registrar which binding this one replaces
            // (RFC 5626 section 4.2).
            Some(instance) => {
                request.push("Contact", format!("{contact};reg-id=1;+sip.instance=\"<{instance}>\""));
                request.push("Supported", "path, outbound");
            }
            None => {
                request.push("Contact", contact.as_str());
                request.push("Supported", "path");
            }
        }
        if let Some(old) = self.known_as.as_ref().filter(|old| !contact.contains(old.as_str())) {
            request.push("Contact", format!("<{old}>;expires=0"));
        }
        let expires = if self.wanted { self.expires.as_secs() } else { 0 };
        request.push("Expires", expires.to_string());
        line.authorise(&mut request);
        let hop = Hop::Place(line.first_hop());
        self.tx = Some(core.send(now, request, &hop, Owner::Registration(self.account), 0));
    }

    fn answer(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) -> bool {
        let attempt = core.layer.attempt(id);
        let to = core.layer.sent_to(id);
        let (Some(refused), Some(to)) = (core.layer.sent_request(id).cloned(), to) else { return false };
        let Some(line) = core.lines.get_mut(&self.account) else { return false };
        let Some(mut again) = line.answer(&mut core.random, &refused, response, attempt) else {
            return false;
        };
        self.number += 1;
        again.set("CSeq", format!("{} REGISTER", self.number));
        let owner = Owner::Registration(self.account);
        self.tx = Some(core.send(now, again, &Hop::Address(to), owner, attempt + 1));
        true
    }

    fn bind(&mut self, core: &mut Core, now: Instant, id: TxId, response: &Message) {
        let granted = self.granted(core, response);
        let sent_to = core.layer.sent_to(id);
        let contact = core.layer.sent_request(id).and_then(Message::contact);
        self.known_as = contact.map(|contact| contact.uri.to_string());
        if let (Some(line), Some(sent_to)) = (core.lines.get_mut(&self.account), sent_to) {
            line.take_service_route(response);
            let has_moved = line.note_seen_at(response, sent_to);
            self.corrections = if has_moved { self.corrections + 1 } else { 0 };
            if has_moved && self.corrections <= MAX_CORRECTIONS {
                tracing::info!(account = self.account.0, "the exchange sees us at another address");
                return self.send(core, now);
            }
            // Behind a NAT with several addresses that take turns no Contact is ever right.
            self.corrections = 0;
        }
        if granted.is_zero() {
            let text = "the registrar removed our contact".to_owned();
            return self.rest(core, now, response.code(), text, Duration::ZERO);
        }
        self.bound = true;
        self.bound_at = sent_to;
        self.failures = 0;
        let margin = (granted / 10).clamp(Duration::from_secs(5), Duration::from_secs(30)).min(granted / 2);
        core.timers.set(Alarm::Registration(self.account), now + granted - margin);
        self.report(core, RegistrationState::Registered { expires: granted });
    }

    fn unbind(&mut self, core: &mut Core) {
        self.bound = false;
        self.known_as = None;
        self.report(core, RegistrationState::Unregistered);
    }

    /// The lifetime of our own contact among all that the registrar lists.
    fn granted(&self, core: &Core, response: &Message) -> Duration {
        let token = core.lines.get(&self.account).map(|line| line.token());
        let listed = response.headers("Contact").filter_map(|contact| crate::NameAddr::parse(contact).ok());
        let ours = listed.filter(|contact| contact.uri.params.value("line") == token).last();
        let seconds =
            ours.and_then(|contact| contact.params.value("expires").and_then(|text| text.parse().ok()));
        let seconds = seconds.or(response.expires().map(u64::from));
        seconds.map_or(self.expires, Duration::from_secs).min(LONGEST_EXPIRES)
    }

    fn fail_over(&mut self, core: &mut Core, now: Instant, id: TxId) -> bool {
        let (Some(place), Some(dead)) = (core.first_hop(self.account), core.layer.sent_to(id)) else {
            return false;
        };
        let moved = core.resolver.fail_over(now, &place, dead);
        if moved {
            self.send(core, now);
        }
        moved
    }

    fn fail(&mut self, core: &mut Core, now: Instant, code: Option<u16>, response: &Message) {
        let told =
            response.header("Retry-After").and_then(|text| text.split([' ', ';', '(']).next()?.parse().ok());
        let told = told.map_or(Duration::ZERO, Duration::from_secs);
        self.rest(core, now, code, response.reason().to_owned(), told);
    }

    /// Says so, and tries again after a while.
    fn rest(&mut self, core: &mut Core, now: Instant, code: Option<u16>, reason: String, at_least: Duration) {
        self.bound = false;
        if !self.wanted {
            return self.unbind(core);
        }
        self.failures += 1;
        let pause = core.back_off(self.failures).max(at_least.min(core.config.retry_longest));
        tracing::warn!(account = self.account.0, ?code, reason, ?pause, "registration failed");
        core.timers.set(Alarm::Registration(self.account), now + pause);
        self.report(core, RegistrationState::Failed { code, reason });
    }

    fn drop_request(&mut self, core: &mut Core) {
        if let Some(tx) = self.tx.take() {
            core.layer.forget(tx);
        }
    }

    fn report(&self, core: &mut Core, state: RegistrationState) {
        core.emit(Event::Registration { account: self.account, state });
    }
}
