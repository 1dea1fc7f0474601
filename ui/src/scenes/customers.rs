//! Scenes with customers (CRM-3): known, asked for, unknown, and such that no screen was made for.

use std::sync::Arc;

use ipc::{Action, CallRef, CallState, CallView, CrmView, CustomerKind, CustomerLine, CustomerView, View};

use super::{NOW, count, empty, outside, ringing};

const SALES: (&str, &str) = ("5550100", "Sales");
const MAIN: (&str, &str) = ("5550000", "Main line");

fn customer_view(lines: &[(&str, &str)]) -> CustomerView {
    CustomerView {
        plugin: "org.example.crm".into(),
        plugin_name: "Northwind CRM".into(),
        kind: CustomerKind::Person,
        id: "C-4711".into(),
        name: "Helena Brandt".into(),
        organization: Some("Brandt Elektrotechnik GmbH".into()),
        lines: lines
            .iter()
            .map(|(label, value)| CustomerLine { label: (*label).into(), value: (*value).into() })
            .collect(),
        url: Some("https://crm.northwind.example/people/4711".into()),
        more: 2,
    }
}

fn helena() -> CustomerView {
    customer_view(&[
        ("Contract", "Gold, until 31.12."),
        ("Open ticket", "#8812 Delivery came incomplete, promised a call back by noon"),
        ("Account manager", "Ingrid Solberg, 2110"),
        ("Balance", "€ 1,240.00 overdue since 14 days"),
        ("Language", "German"),
        ("Last order", "40 × contactor K3-10, 12.11."),
    ])
}

fn known(call: CallView, customer: CustomerView) -> CallView {
    let mut party = call.party.clone();
    party.name = Some(customer.name.clone());
    party.company = customer.organization.clone();
    CallView {
        named_by: Some(customer.plugin_name.clone()),
        crm: customer.url.clone(),
        party,
        customer: Some(Arc::new(customer)),
        ..call
    }
}

fn answered(call: CallView) -> CallView {
    CallView {
        state: CallState::Talking,
        began_ms: NOW - 28_000,
        answered_ms: Some(NOW - 21_000),
        actions: vec![Action::Hold, Action::Transfer, Action::Park, Action::Digits, Action::HangUp],
        ..call
    }
}

/// A known customer rings, one is asked for, one is unknown.
#[must_use]
pub fn customer() -> View {
    let mut view = empty();
    view.crm = CrmView { customers: true, names: true, items: true, people: false };
    let asked = ringing(2, outside("", "+44 20 7946 0991"), MAIN, 2);
    view.incoming = vec![
        known(ringing(1, outside("", "+49 30 5557 0142"), SALES, 7), helena()),
        CallView { customer_asked: true, history: None, ..asked },
        ringing(3, outside("Atelier Lumière", "+33 4 72 00 11 22"), SALES, 4),
    ];
    count(&mut view);
    view
}

/// The known customer was answered; another call rings.
#[must_use]
pub fn customer_answered() -> View {
    let mut view = customer();
    view.incoming[0] = answered(view.incoming[0].clone());
    view.incoming.truncate(2);
    view.talk = Some(CallRef(1));
    count(&mut view);
    view
}

/// Answered before the customer database has.
#[must_use]
pub fn customer_asked() -> View {
    let mut view = customer();
    view.incoming.swap(0, 1);
    view.incoming[0] = answered(view.incoming[0].clone());
    view.incoming.truncate(2);
    view.talk = Some(CallRef(2));
    count(&mut view);
    view
}

/// Answered, and nobody knows who that is.
#[must_use]
pub fn customer_unknown() -> View {
    let mut view = customer_asked();
    view.incoming[0].customer_asked = false;
    view
}

/// What no screen was made for: endless words, words without spaces, from right to left, and none.
#[must_use]
pub fn customer_hostile() -> View {
    let mut view = customer_answered();
    let endless = "overlong and without any end ".repeat(17);
    let solid = "x".repeat(500);
    let right_to_left = "שלום עולם זה טקסט ארוך מאוד מימין לשמאל ".repeat(12);
    let mut lines = vec![
        ("L".repeat(100), solid.clone()),
        ("תווית".into(), right_to_left.clone()),
        (String::new(), endless.clone()),
    ];
    lines.extend((4..=12).map(|n| (format!("Label number {n} of a connector"), endless.clone())));
    let lines: Vec<(&str, &str)> = lines.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let hostile = CustomerView {
        name: solid.chars().take(200).collect(),
        organization: Some(right_to_left.chars().take(200).collect()),
        plugin_name: "A connector with a name that is far too long for its place".into(),
        kind: CustomerKind::Ticket,
        more: u32::MAX,
        ..customer_view(&lines)
    };
    for call in &mut view.incoming {
        *call = known(call.clone(), hostile.clone());
        call.customer_asked = false;
    }
    view
}
