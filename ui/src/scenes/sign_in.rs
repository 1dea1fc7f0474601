//! Who sits at the desk (ACC-1): nobody yet, somebody, and a locked screen while it rings.

use ipc::{
    AudioState, OperatorId, OperatorName, OperatorView, Party, PinProblem, PinTry, Registration, SignInView,
    View,
};

use super::{NOW, empty, picture};

/// Operators of a house with several shifts.
const NAMES: [&str; 12] = [
    "Agnieszka Wiśniewska",
    "Bastien Caron",
    "Clara Duval",
    "Elif Yıldırım",
    "Émile Fontaine",
    "Ingrid Solberg",
    "João Figueiredo",
    "Marie-Thérèse de la Rochefoucauld-Montbel",
    "Nadia Okafor",
    "Oskar Lindqvist",
    "Priya Raghunathan",
    "Tomás Rivera",
];

fn operators(count: usize) -> Vec<OperatorName> {
    let name = |(at, name): (usize, &&str)| OperatorName {
        id: OperatorId(i64::try_from(at).unwrap_or(i64::MAX) + 1),
        name: (*name).to_owned(),
        blocked: at == 3,
    };
    NAMES.iter().enumerate().map(name).take(count).collect()
}

/// Nobody is signed in; so many may be.
#[must_use]
pub fn signed_out(count: usize) -> View {
    let sign_in = SignInView { required: true, operators: operators(count), ..SignInView::default() };
    let operator = OperatorView {
        name: "Front desk".into(),
        registration: Registration::Off,
        audio: AudioState::Connected { device: "Handset".into() },
        ..OperatorView::default()
    };
    View { generation: 2, sign_in, operator, ..empty() }
}

/// The same after a wrong PIN of the third: what is told of it.
#[must_use]
pub fn pin_refused(problem: PinProblem) -> View {
    let mut view = signed_out(5);
    view.sign_in.last_try = Some(PinTry { operator: OperatorId(3), problem, at_ms: NOW });
    view
}

/// The third operator sits at the desk of the design's picture.
#[must_use]
pub fn signed_in() -> View {
    let mut view = picture();
    view.sign_in = SignInView {
        required: true,
        operator: operators(3).pop(),
        operators: operators(5),
        ..SignInView::default()
    };
    view.operator.name = "Clara Duval".into();
    view
}

/// They have locked the screen, and calls go on: nobody is named.
#[must_use]
pub fn locked() -> View {
    let mut view = signed_in();
    view.sign_in.locked = true;
    for call in view.incoming.iter_mut().chain(&mut view.outgoing) {
        (call.party, call.transfer, call.crm) = (Party::default(), None, None);
    }
    view.transfers.clear();
    view
}

/// The same at rest.
#[must_use]
pub fn locked_at_rest() -> View {
    let View { sign_in, mut operator, .. } = locked();
    operator.name = "Clara Duval".into();
    View { generation: 2, sign_in, operator, ..empty() }
}
