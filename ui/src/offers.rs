//! What the transfer menu offers, the most logical transfer first (CALL-12).
//!
//! A pure function of where the operator is and which calls there are. It offers nothing that the
//! view does not allow, and decides nothing: the desk does what is chosen, or refuses.
//!
//! *The call meant* is the selected call; when the keyboard is in the directory, the call that talks,
//! else the selected one, else the one that is first on the screen. "Connect" is an attended transfer
//! (semi-attended while the other end still rings): of two calls the one that came in is transferred
//! to the one placed here, of two alike the older one to the newer.
//!
//! | # | pressed on | calls present | offers, in this order |
//! |---|---|---|---|
//! | 1 | any call | in its grace | undo; transfer now |
//! | 2 | any call | waiting for a busy phone | transfer now |
//! | 3 | ringing call | no contact meant | forward to a number… |
//! | 4 | ringing call | a contact meant | forward to the contact; to their mobile; to a number… |
//! | 5 | talking or held call | no other, no contact | to a number…; to voicemail…; park |
//! | 6 | talking or held call | others that can take it | connect with each (the talking one first, then those placed here, newest first); conference; then as row 5 |
//! | 7 | talking or held call | a contact meant | after row 6: to the contact; to their mobile; to their voicemail; then as row 5 |
//! | 8 | recall, or taken back from a queue | any | wait again; then as rows 5 to 7 |
//! | 9 | contact | one to be transferred | to the contact, or connect when they are being called; to their mobile; to their voicemail; to a number…; park |
//! | 10 | contact | more to be transferred | as row 9 for the call meant, then the same of each other call to the contact's number |
//! | 11 | contact | only ringing ones | forward to the contact, each ringing call in the order of the screen; the call meant to a number… |
//! | 12 | nothing | any | as if pressed on the call that talks, else the first that can be transferred, else the first that rings |
//! | 13 | anything | none that may be transferred | nothing: no menu opens |
//!
//! A contact is never offered to themselves, nor without a number.

use ipc::{Action, CallRef, CallState, CallView, Direction};

/// Offers are cut off here: a menu that does not fit on the screen is no help.
const MOST: usize = 9;

/// Where the transfer key was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a call.
    Call(CallRef),
    /// In the directory; the selected call may be meant.
    Contact(Option<CallRef>),
    /// Neither a call nor a contact is selected.
    Nothing,
}

/// The numbers of the contact that is meant; empty when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// The extension or main number.
    pub phone: &'a str,
    /// The mobile.
    pub mobile: &'a str,
    /// The mailbox.
    pub voicemail: &'a str,
}

/// One row of the transfer menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Call off what has not begun.
    Undo(CallRef),
    /// End the grace or the waiting.
    TransferNow(CallRef),
    /// Back into the queue of the phone it waited for.
    WaitAgain(CallRef),
    /// Attended, or semi-attended while the target still rings.
    Connect {
        /// The transferee's call.
        call: CallRef,
        /// The consultation call.
        to: CallRef,
        /// The target rings still.
        ringing: bool,
    },
    /// Blind transfer to a number of the contact.
    Blind {
        /// The transferee's call.
        call: CallRef,
        /// The number.
        to: String,
    },
    /// Send a ringing call on to a number of the contact.
    Forward {
        /// Which call.
        call: CallRef,
        /// The number.
        to: String,
    },
    /// To the contact's mailbox.
    Voicemail {
        /// The transferee's call.
        call: CallRef,
        /// The mailbox.
        to: String,
    },
    /// Ask for the number to transfer to.
    AskTransfer(CallRef),
    /// Ask for the number to forward to.
    AskForward(CallRef),
    /// Ask whose mailbox.
    AskVoicemail(CallRef),
    /// Choose a park slot.
    Park(CallRef),
    /// Into the conference.
    Conference(CallRef),
}

/// The offers, see the table of this module. `calls` in the order of the screen.
#[must_use]
pub fn offers(
    place: Place,
    calls: &[&CallView],
    talk: Option<CallRef>,
    contact: Option<Target<'_>>,
) -> Vec<Offer> {
    let desk = Desk { calls, talk };
    let mut offers = match place {
        Place::Call(call) => desk.get(call).map(|call| desk.of_call(call, contact)).unwrap_or_default(),
        Place::Contact(selected) => match contact {
            Some(target) => desk.to_contact(selected, target),
            None => desk.meant(selected).map(|call| desk.of_call(call, None)).unwrap_or_default(),
        },
        Place::Nothing => desk.meant(None).map(|call| desk.of_call(call, contact)).unwrap_or_default(),
    };
    offers.truncate(MOST);
    offers
}

/// What two spellings of a number have in common.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

struct Desk<'a> {
    calls: &'a [&'a CallView],
    talk: Option<CallRef>,
}

impl<'a> Desk<'a> {
    fn get(&self, call: CallRef) -> Option<&'a CallView> {
        self.calls.iter().copied().find(|view| view.call == call)
    }

    /// Rows 9 to 12: the call that talks, else the selected, else the first that can go.
    fn meant(&self, selected: Option<CallRef>) -> Option<&'a CallView> {
        let named = [self.talk, selected].into_iter().flatten().filter_map(|call| self.get(call));
        let can = |call: &&CallView| call.actions.contains(&Action::Transfer);
        let rings = |call: &&CallView| call.actions.contains(&Action::Forward);
        let by = |can: &dyn Fn(&&CallView) -> bool| {
            named.clone().find(|call| can(call)).or_else(|| self.calls.iter().copied().find(|call| can(call)))
        };
        by(&can).or_else(|| by(&rings))
    }

    /// Rows 1 to 8.
    fn of_call(&self, call: &CallView, contact: Option<Target<'_>>) -> Vec<Offer> {
        let id = call.call;
        let has = |action| call.actions.contains(&action);
        let mut offers = Vec::new();
        let mut offer = |on: bool, offer: Offer| {
            if on {
                offers.push(offer);
            }
        };
        offer(has(Action::Undo), Offer::Undo(id));
        offer(has(Action::TransferNow), Offer::TransferNow(id));
        offer(has(Action::WaitAgain), Offer::WaitAgain(id));
        let connections = self.connections(call);
        let together = !connections.is_empty();
        offers.extend(connections);
        let conference = has(Action::Conference).then_some(Offer::Conference(id));
        if together {
            offers.extend(conference.clone());
        }
        let voicemail = contact.is_some_and(|target| !target.voicemail.is_empty());
        if let Some(target) = contact {
            offers.extend(Self::numbers(call, target));
        }
        let mut offer = |on: bool, offer: Offer| {
            if on {
                offers.push(offer);
            }
        };
        offer(has(Action::Forward), Offer::AskForward(id));
        offer(has(Action::Transfer), Offer::AskTransfer(id));
        offer(has(Action::Transfer) && !voicemail, Offer::AskVoicemail(id));
        offer(has(Action::Park), Offer::Park(id));
        if !together {
            offers.extend(conference);
        }
        offers
    }

    /// Rows 9 to 11.
    fn to_contact(&self, selected: Option<CallRef>, target: Target<'_>) -> Vec<Offer> {
        let Some(first) = self.meant(selected) else { return Vec::new() };
        let mut offers = self.called(first, target);
        if offers.is_empty() {
            offers = Self::numbers(first, target);
        } else {
            // They are on the line: another number of theirs would be a second call to them.
            offers.extend(
                Self::numbers(first, target).into_iter().filter(|o| matches!(o, Offer::Voicemail { .. })),
            );
        }
        let forwards = first.actions.contains(&Action::Forward);
        for other in self.calls.iter().filter(|other| other.call != first.call) {
            let alike = other.actions.contains(&Action::Forward) == forwards;
            let one = self.called(other, target).into_iter().chain(Self::numbers(other, target)).next();
            offers.extend(one.filter(|_| alike));
        }
        let rest: &[(Action, fn(CallRef) -> Offer)] = &[
            (Action::Forward, Offer::AskForward),
            (Action::Transfer, Offer::AskTransfer),
            (Action::Park, Offer::Park),
        ];
        for (action, offer) in rest {
            if first.actions.contains(action) {
                offers.push(offer(first.call));
            }
        }
        offers
    }

    /// Attended to our own call to this contact, when there is one.
    fn called(&self, call: &CallView, target: Target<'_>) -> Vec<Offer> {
        let theirs = [digits(target.phone), digits(target.mobile)];
        let is_theirs = |other: &&&CallView| {
            let number = digits(other.party.number.as_deref().unwrap_or_default());
            other.direction == Direction::Outgoing && !number.is_empty() && theirs.contains(&number)
        };
        self.calls.iter().filter(is_theirs).filter_map(|other| connect(call, other)).take(1).collect()
    }

    /// Row 6: with whom this call can be connected.
    fn connections(&self, call: &CallView) -> Vec<Offer> {
        let mut others: Vec<&CallView> =
            self.calls.iter().copied().filter(|other| other.call != call.call).collect();
        others.sort_by_key(|other| {
            let placed = other.direction == Direction::Outgoing;
            (Some(other.call) != self.talk, !placed, std::cmp::Reverse(other.began_ms))
        });
        others.into_iter().filter_map(|other| connect_either(call, other)).collect()
    }

    /// Rows 4, 7 and 9: the contact's numbers, as far as the call may go there.
    fn numbers(call: &CallView, target: Target<'_>) -> Vec<Offer> {
        let id = call.call;
        let itself = digits(call.party.number.as_deref().unwrap_or_default());
        let reach = [target.phone, target.mobile];
        let reach = reach.into_iter().filter(|to| !digits(to).is_empty() && digits(to) != itself);
        if call.actions.contains(&Action::Forward) {
            return reach.map(|to| Offer::Forward { call: id, to: to.to_owned() }).collect();
        }
        if !call.actions.contains(&Action::Transfer) {
            return Vec::new();
        }
        let mailbox = Some(target.voicemail).filter(|to| !to.is_empty());
        let mailbox = mailbox.map(|to| Offer::Voicemail { call: id, to: to.to_owned() });
        reach.map(|to| Offer::Blind { call: id, to: to.to_owned() }).chain(mailbox).collect()
    }
}

/// Transfers `call` to the other end of `to`, when the view allows it.
#[must_use]
pub fn connect(call: &CallView, to: &CallView) -> Option<Offer> {
    let can = call.call != to.call
        && call.actions.contains(&Action::TransferToCall)
        && to.actions.contains(&Action::TakeTransfer);
    let ringing = matches!(to.state, CallState::Dialing | CallState::Alerting);
    can.then_some(Offer::Connect { call: call.call, to: to.call, ringing })
}

/// Connects two calls the way round that telephony expects, else the way that is allowed.
fn connect_either(one: &CallView, other: &CallView) -> Option<Offer> {
    let rank = |call: &CallView| (call.direction == Direction::Outgoing, call.began_ms, call.call);
    let (call, to) = if rank(one) <= rank(other) { (one, other) } else { (other, one) };
    connect(call, to).or_else(|| connect(to, call))
}

#[cfg(test)]
#[path = "offers_table.rs"]
mod table;
