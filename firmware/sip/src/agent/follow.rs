//! One target for everything of an account: where it changes, for whatever reason, registrations, subscriptions and
//! calls that wait for a first answer follow.
//!
//! Calls that are up stay as they are. What is sent in them goes by the route that they were set up with, unless
//! that leads to a dead target: then by the one that took its place (`Core::reroute`).

use std::collections::BTreeMap;
use std::time::Instant;

use super::UserAgent;
use super::probe::Use;
use crate::core::Owner;
use crate::flow::Target;
use crate::message::Message;
use crate::method::Method;
use crate::resolver::Place;

/// The target of each place at the last look.
pub(super) type Followed = BTreeMap<Place, Target>;

impl UserAgent {
    /// Looks whether places have another target than before, and has everything follow.
    pub(super) fn follow(&mut self, now: Instant) {
        if self.core.resolver.moves() == self.moves {
            return;
        }
        self.moves = self.core.resolver.moves();
        let uses = self.uses();
        self.followed.retain(|place, _| uses.iter().any(|of| of.place == *place));
        for of in uses {
            if let Some(before) = self.followed.insert(of.place.clone(), of.current)
                && before != of.current
            {
                self.move_on(now, &of, before);
            }
        }
    }

    fn move_on(&mut self, now: Instant, of: &Use, before: Target) {
        let is_dead = self.core.silent.contains(&before);
        // Two machines that refuse connections at once would be asked in turns without end.
        let is_hopeless = self.core.silent.contains(&of.current);
        tracing::info!(from = %before, to = %of.current, is_dead, "the exchange is used by another target");
        for &account in &of.accounts {
            if let Some(registration) = self.registrations.get_mut(&account) {
                registration.follow(&mut self.core, now, of.current, is_dead);
            }
            if !is_hopeless {
                self.ask_lamps_anew(now, account);
            }
        }
        if !is_dead {
            return;
        }
        let (core, accounts) = (&mut self.core, &of.accounts);
        for session in self.sessions.values_mut() {
            if session.account().is_some_and(|account| accounts.contains(&account)) {
                session.on_dead_target(core, now, before);
            }
        }
        self.say_bye_again(now, of, before);
    }

    /// A BYE that the dead target has swallowed goes by the other one: a call that nobody ends stays for ever.
    fn say_bye_again(&mut self, now: Instant, of: &Use, dead: Target) {
        for tx in self.core.layer.unheard_at(dead) {
            let Some(Owner::Session(session)) = self.core.layer.owner(tx) else { continue };
            let account = self.sessions.get(&session).and_then(|session| session.account());
            let Some(account) = account.filter(|account| of.accounts.contains(account)) else { continue };
            let request = self.core.layer.sent_request(tx).cloned();
            let Some(mut bye) = request.filter(|request| request.method() == Some(&Method::Bye)) else {
                continue;
            };
            undress(&mut bye);
            self.core.reroute(Some(account), &mut bye);
            self.core.layer.forget(tx);
            let hop = crate::core::Hop::Address(of.current);
            self.core.send(now, bye, &hop, Owner::Session(session), 0);
        }
    }
}

/// Takes away what depends on the way a request goes.
pub(crate) fn undress(request: &mut Message) {
    for name in ["Via", "Max-Forwards", "User-Agent"] {
        request.remove(name);
    }
}
