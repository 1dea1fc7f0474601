//! Settings changed by an administrator while the desk runs (APP-2).
//!
//! No call is touched by it: one on a line that is gone keeps its number and name and rings on; a rule that was tried
//! on a recall is not tried on it again; who waits in a park slot that is gone stays in sight.

use ipc::{LineView, Registration, Rule};

use crate::Administered;
use crate::call::Ms;
use crate::ledger::Stage;
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Takes the settings over.
    pub(crate) fn administer(&mut self, now: Ms, administered: Administered) {
        let Administered {
            lines,
            operator_name,
            hold_alarm_ms,
            transfer_timeout,
            notice_time,
            crm,
            page_when,
            max_calls,
            timers,
            rules,
            park,
            extension_digits,
            take_over,
        } = administered;
        self.settings.lines = lines;
        self.show_lines();
        self.settings.operator_name = operator_name;
        self.settings.preferences.hold_alarm_ms = hold_alarm_ms;
        self.desk.preferences.hold_alarm_ms = hold_alarm_ms;
        self.settings.transfer_timeout = transfer_timeout;
        self.settings.notice_time = notice_time;
        self.settings.crm = crm;
        self.settings.page_when = page_when;
        self.settings.max_calls = max_calls;
        self.settings.timers = timers;
        self.settings.extension_digits = extension_digits;
        self.settings.take_over = take_over;
        self.set_rules(rules);
        self.set_slots(park);
        self.limit_waits(now);
        self.touch();
        // By the new times some of it is due already.
        self.expire(now);
    }

    /// The lines of the view, each with what is known of its registration.
    fn show_lines(&mut self) {
        let known = std::mem::take(&mut self.desk.lines);
        let state = |number: &str| known.iter().find(|l| l.number == number).map(|l| l.registration.clone());
        let line = |l: &crate::Line| LineView {
            number: l.number.clone(),
            name: l.name.clone(),
            registration: state(&l.number).unwrap_or(Registration::Off),
            note: l.note.clone(),
            colour: l.colour,
        };
        self.desk.lines = self.settings.lines.iter().map(line).collect();
    }

    /// Rules are known by their place; what was said and done about those that stay is carried to the new one.
    fn set_rules(&mut self, rules: Vec<Rule>) {
        let before = std::mem::replace(&mut self.settings.rules, rules);
        let after = &self.settings.rules;
        let moved = |at: &usize| after.iter().position(|rule| Some(rule) == before.get(*at));
        for call in self.calls.values_mut() {
            call.escalated = call.escalated.iter().filter_map(moved).collect();
            if let Some(sent_on) = &mut call.sent_on {
                sent_on.rule = sent_on.rule.as_ref().and_then(moved);
            }
        }
        self.handling.told = self.handling.told.iter().filter_map(moved).collect();
    }

    /// Calls that wait for a phone without an end get one, where there is one now.
    fn limit_waits(&mut self, now: Ms) {
        let patience = self.settings.timers.queue_ms;
        let endless = |entry: &&mut crate::ledger::Entry| {
            entry.ended.is_none() && entry.stage == Stage::Waiting && entry.due.is_none()
        };
        if patience > 0 {
            for entry in self.ledger.entries.values_mut().filter(endless) {
                entry.due = Some(now.saturating_add(patience));
            }
        }
    }
}
