//! The state of the desk, and one turn of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use ipc::{CallRef, Command, CommandError, LampView, NoticeKind, View};

use crate::alerts::Alerts;
use crate::call::{Call, Ms};
use crate::conference::Conference;
use crate::desk::{Desk, Notices};
use crate::ledger::Ledger;
use crate::park::Park;
use crate::rules::Handling;
use crate::sound::Sound;
use crate::{Effect, Input, Settings};

/// Call references handed out but not used yet; the oldest give way.
const MAX_ISSUED: usize = 1024;

/// The desk. One turn: [`Switchboard::handle`] or [`Switchboard::command`], then
/// [`Switchboard::poll_effect`] until it is empty, then [`Switchboard::view`] if
/// [`Switchboard::changed`], then sleep until [`Switchboard::deadline`].
#[derive(Debug)]
pub struct Switchboard {
    pub(crate) settings: Settings,
    started: Instant,
    /// Latest time handed in; time never runs backwards here.
    latest: Ms,
    pub(crate) calls: BTreeMap<CallRef, Call>,
    /// The one call that has the operator's ear.
    pub(crate) talk: Option<CallRef>,
    /// The call that had it last.
    pub(crate) heard_last: Option<CallRef>,
    pub(crate) ledger: Ledger,
    pub(crate) sound: Sound,
    pub(crate) conference: Conference,
    pub(crate) park: Park,
    pub(crate) handling: Handling,
    pub(crate) desk: Desk,
    pub(crate) notices: Notices,
    pub(crate) alerts: Alerts,
    /// When something last stopped ringing here that the operator had not taken.
    pub(crate) stopped_ringing: Option<Ms>,
    effects: VecDeque<Effect>,
    next_call: u64,
    issued: BTreeSet<CallRef>,
    pub(crate) generation: u64,
    changed: bool,
}

impl Switchboard {
    /// An empty desk. `started` is the zero of every `*_ms` in the view.
    #[must_use]
    pub fn new(mut settings: Settings, started: Instant) -> Self {
        let park = Park::new(&mut settings);
        let desk = Desk::new(&settings);
        Self {
            settings,
            started,
            latest: 0,
            calls: BTreeMap::new(),
            talk: None,
            heard_last: None,
            ledger: Ledger::default(),
            sound: Sound::default(),
            conference: Conference::default(),
            park,
            handling: Handling::default(),
            desk,
            notices: Notices::default(),
            alerts: Alerts::default(),
            stopped_ringing: None,
            effects: VecDeque::new(),
            next_call: 1,
            issued: BTreeSet::new(),
            generation: 1,
            changed: true,
        }
    }

    /// A reference for a call that is about to come in by [`Input::Incoming`]. Calls placed here
    /// draw from the same counter.
    pub fn next_call(&mut self) -> CallRef {
        let call = self.draw_call();
        self.issued.insert(call);
        if self.issued.len() > MAX_ISSUED {
            self.issued.pop_first();
        }
        call
    }

    /// Takes one piece of news. Total: any input in any state, never a panic.
    pub fn handle(&mut self, now: Instant, input: Input) {
        let now = self.advance(now);
        match input {
            Input::Incoming { call, caller, called_number, diverted_by, replaces } => {
                match replaces.filter(|old| self.is_replaceable(*old)) {
                    Some(old) => self.take_over(now, call, old, caller, diverted_by),
                    None => self.incoming(now, call, caller, called_number, diverted_by),
                }
            }
            Input::Progress { call, code, early_media } => self.progress(now, call, code, early_media),
            Input::Answered { call, by } => self.answered(now, call, by),
            Input::Confirmed { call } => self.confirmed(now, call),
            Input::Held { call } => self.hold_agreed(call, true),
            Input::Retrieved { call } => self.hold_agreed(call, false),
            Input::HoldFailed { call, hold, code, reason } => {
                self.hold_failed(now, call, hold, code, &reason);
            }
            Input::SoundLost { call, code } => self.sound_lost(now, call, code),
            Input::DigitsFailed { call, code } => self.digits_failed(now, call, code),
            Input::RemoteHold { call, held } => tracing::debug!(call = call.0, held, "remote hold"),
            Input::TransferProgress { call, code } => self.transfer_progress(now, call, code),
            Input::TransferEnded { call, result } => self.transfer_ended(now, call, result),
            Input::RedirectFailed { call, code } => self.redirect_failed(now, call, code),
            Input::Ended { call, cause } => self.ended(now, call, &cause),
            Input::PartyChanged { call, party } => self.party_changed(call, party),
            Input::Identified { call, party } => self.identified(call, party),
            Input::TargetIdentified { transfer, party } => self.target_identified(transfer, party),
            Input::Speaking { call, on } => self.speaking(call, on),
            Input::Timetable { mode } => self.timetable(now, mode),
            Input::SignedIn { there, name } => self.signed_in(there, name),
            Input::Deadline => self.expire(now),
            Input::Closing => self.close_books(),
            Input::Registration { line, state } => self.registration(&line, state),
            Input::Lamp { number, state, calls, peer, talks } => {
                self.lamp(now, LampView { number, state, calls, peer, since_ms: now, rings: None, talks });
            }
            Input::Person { address, state, text } => self.person(now, address, state, text),
            Input::PersonGone { address } => self.person_gone(&address),
            Input::Alerts(wishes) => self.alert_wishes(wishes),
            Input::History { call, history } => self.caller_history(call, history),
            Input::Connectors(crm) => self.connectors(crm),
            Input::Customer { call, number, customer } => self.customer_known(call, &number, customer),
            Input::CallerNamed { call, number, name, company, by } => {
                self.caller_named(call, &number, name, company, by);
            }
            Input::Import(import) => self.import(import),
            Input::Imported { directory, loaded, left_out } => {
                self.notify(now, NoticeKind::Imported { directory, loaded, left_out });
            }
            Input::Removed { removal, what } => self.notify(now, NoticeKind::Removed { removal, what }),
            Input::Restored { removal } => self.restored(removal),
            Input::Rings { number, caller } => self.rings(&number, caller),
            Input::LampGone { number } => self.lamp_gone(&number),
            Input::Audio(state) => self.audio(now, state),
            Input::RingerLost { device, reason } => {
                self.notify(now, NoticeKind::AudioLost { device, reason });
            }
            Input::RingerWorks => self.ringer_works(),
            Input::Voicemail { unread, mailbox } => self.voicemail(unread, mailbox),
            Input::Directories(directories) => self.directories(directories),
            Input::Preferences(preferences) => self.preferences(preferences),
            Input::Settings(administered) => self.administer(now, *administered),
            Input::Missed { count } => self.missed(count),
            Input::StorageFailed { reason } => self.notify(now, NoticeKind::StorageFailed { reason }),
            Input::StorageWorks => self.storage_works(),
            Input::Update(notice) => self.update_news(now, notice),
        }
        self.settle_queues(now);
        self.settle_customers(now);
        self.settle();
    }

    /// Begins what the operator wants.
    ///
    /// [`Command::ImportContacts`] and whatever else changes directories is the wiring's business and is
    /// refused here as [`CommandError::NotPossible`]; [`Command::Register`] and [`Command::Audio`] become
    /// effects.
    ///
    /// # Errors
    /// As each [`CommandError`] says; then nothing has changed.
    pub fn command(&mut self, now: Instant, command: &Command) -> Result<(), CommandError> {
        let now = self.advance(now);
        let done = self.obey(now, command);
        self.settle_queues(now);
        self.settle_customers(now);
        self.settle();
        done
    }

    /// The next thing to do, oldest first.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether anything visible has changed since this was last asked. The clock does not count.
    pub fn changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// When [`Input::Deadline`] is due, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let endings = self.calls.values().filter_map(Call::ending_until).min();
        let own = [
            endings,
            self.ledger.deadline(),
            self.queue_deadline(),
            self.hold_deadline(),
            self.sound.deadline(),
            self.park_deadline(),
            self.rules_deadline(),
            self.alerts.deadline(),
            self.customer_deadline(),
            self.notices.deadline(),
        ];
        let due = own.into_iter().flatten().min()?;
        self.started.checked_add(Duration::from_millis(due))
    }

    /// The desk as the screen shows it, complete. [`View::generation`] counts changes: two views
    /// with the same one differ in [`View::now_ms`] alone.
    #[must_use]
    pub fn view(&self, now: Instant) -> View {
        self.make_view(self.ms(now))
    }

    /// No call is on the desk, nor a transfer whose end is not known.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.ledger.entries.values().all(|entry| entry.ended.is_some())
    }

    /// Log rows of calls that are gone, kept back for the last word on their transfer.
    #[must_use]
    pub fn kept_rows(&self) -> usize {
        self.ledger.kept_rows()
    }

    /// Checks what must hold between any two turns.
    ///
    /// # Panics
    /// With the name of the invariant that is broken. For tests and recordings, not for production.
    pub fn verify_invariants(&self) {
        self.check();
    }

    pub(crate) fn draw_call(&mut self) -> CallRef {
        let call = CallRef(self.next_call);
        self.next_call = self.next_call.saturating_add(1);
        call
    }

    /// Whether `call` may come in now: drawn and not used, or of a counter that runs ahead of ours.
    pub(crate) fn admit(&mut self, call: CallRef) -> bool {
        if self.issued.remove(&call) {
            return true;
        }
        let fresh = call.0 >= self.next_call && call.0 < u64::MAX;
        if fresh {
            self.next_call = call.0 + 1;
        }
        fresh
    }

    pub(crate) fn emit(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// Something visible changed.
    pub(crate) fn touch(&mut self) {
        self.generation += 1;
        self.changed = true;
    }

    pub(crate) fn latest(&self) -> Ms {
        self.latest
    }

    fn advance(&mut self, now: Instant) -> Ms {
        self.latest = self.ms(now);
        self.latest
    }

    fn ms(&self, now: Instant) -> Ms {
        let since = now.saturating_duration_since(self.started).as_millis();
        Ms::try_from(since).unwrap_or(Ms::MAX / 2).max(self.latest)
    }

    pub(crate) fn expire(&mut self, now: Ms) {
        self.expire_transfers(now);
        self.expire_queues(now);
        self.expire_holds(now);
        self.expire_endings(now);
        self.expire_parked(now);
        self.apply_due_rules(now);
        self.expire_alerts(now);
        self.expire_customers(now);
        self.expire_notices(now);
        self.sound.expire(now);
    }
}

/// A span of the settings in whole milliseconds; absurd ones are cut to a year.
pub(crate) fn span(duration: Duration) -> Ms {
    const YEAR: Ms = 365 * 24 * 3600 * 1000;
    Ms::try_from(duration.as_millis()).unwrap_or(YEAR).min(YEAR)
}
