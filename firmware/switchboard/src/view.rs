//! The desk as the screen shows it.

use ipc::{CallView, Counters, Direction, OperatorView, RemindersView, SignInView, View};

use crate::call::{Call, Ms, State};
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) fn make_view(&self, now_ms: Ms) -> View {
        View {
            generation: self.generation,
            now_ms,
            operator: OperatorView {
                name: self.operator_name().to_owned(),
                availability: self.desk.availability,
                registration: self.desk.worst_registration(),
                audio: self.desk.audio.clone(),
                muted: self.desk.muted,
            },
            lines: self.desk.lines.clone(),
            incoming: self.list(Direction::Incoming),
            outgoing: self.list(Direction::Outgoing),
            talk: self.talk,
            transfers: self.ledger.views(),
            lamps: self.desk.lamps.values().cloned().collect(),
            directories: self.desk.directories.clone(),
            front_directory: self.desk.front,
            counters: self.counters(),
            notices: self.notices.list.iter().cloned().collect(),
            preferences: self.desk.preferences.clone(),
            service: self.service(),
            conference: self.conference.view(),
            park: self.slots(),
            volumes: self.desk.volumes,
            mailbox: self.desk.mailbox.clone(),
            people: self.desk.people.values().cloned().collect(),
            page_when: self.settings.page_when,
            alerts: self.alerts.shown.iter().cloned().collect(),
            import: self.desk.import.clone(),
            // The engine knows of it, and no call does.
            sign_in: SignInView::default(),
            screen: false,
            time_zone: String::new(),
            setup: None,
            watch: None,
            reminders: RemindersView::default(),
            crm: self.desk.crm,
            take_over: self.settings.take_over,
        }
    }

    /// One of the two lists: recalls first, then oldest first.
    fn list(&self, direction: Direction) -> Vec<CallView> {
        let mut calls: Vec<&Call> = self.calls.values().filter(|c| c.direction == direction).collect();
        calls.sort_by_key(|c| c.order());
        let card = |c: &Call| {
            let mut card = c.view(c.open_transfer().or(c.target_of()).and_then(|id| self.ledger.view(id)));
            card.crm = self.crm_page(c);
            card.actions.retain(|action| self.offers(c, *action));
            card
        };
        calls.into_iter().map(card).collect()
    }

    fn counters(&self) -> Counters {
        let count = |wanted: fn(&Call) -> bool| {
            let n = self.calls.values().filter(|c| wanted(c)).count();
            u32::try_from(n).unwrap_or(u32::MAX)
        };
        Counters {
            voicemail: self.desk.voicemail,
            missed: self.desk.missed,
            ringing: count(Call::rings),
            held: count(|c| c.state() == State::Held),
            incoming: count(|c| c.direction == Direction::Incoming),
            outgoing: count(|c| c.direction == Direction::Outgoing),
            parked: self.parked_count(),
        }
    }
}
