//! Updates of the appliance (APP-2, APP-3): a signed RAUC bundle is taken, looked at, written into the slot that does not
//! run, and started when no call is up; what came of each attempt is kept.
//!
//! It is a crate of its own because three programs need the same words: the administrator's page (what is shown and asked
//! for), `frontdeskd` (which owns the task), and `frontdesk-ctl health` (which judges a version after it has booted, and
//! must do so where `frontdeskd` does not even start).
//!
//! **What a healthy version is.** A version that is started for the first time is on trial. Within [`check::LIMIT`] it
//! must, for ten seconds without a break: answer on the desk's socket; have its screen connected, if one was connected
//! before the update; have registered every line that was registered before the update. Then its slot is marked good.
//! Else the slot is marked bad and the box restarts, which starts the version before. That version is not on trial: its
//! slot is marked good as soon as the desk answers, whatever the network and the screen do, because a broken cable must
//! not change versions. So an exchange that is away just then costs an update, and never a desk. A health check restarts
//! the box once for an attempt, and only when the other slot is good: where both fail, the last one stays up and the
//! administrator's page says why.
//!
//! **Not done here**: writing into slots, and looking at signatures, which RAUC does (called as a program, [`rauc`]);
//! what is said to people, which is the page's.
//!
//! A bundle comes from the page or from a stick ([`stick`]), which may do less: only a newer version is taken, and it is
//! ordered at once for when no call is up.
//!
//! A map: `report` reads what RAUC prints, `version` says which of two is newer, `problem` says what is wrong with a bundle,
//! `attempt` is the history, `machine` decides (pure, its time handed in), `health` judges (pure), `idle` says whether the
//! desk is busy; `disk`, `rauc`, `task` and `check` do it.

pub mod check;
pub mod stick;

mod attempt;
mod disk;
mod health;
mod idle;
mod machine;
mod problem;
mod rauc;
mod report;
mod task;
mod version;

pub use attempt::{Attempt, Before, Facts, History, Outcome};
pub use disk::Files;
pub use health::{Deed, Seen, Trouble, Verdict, Verdicts, decide, troubles};
pub use idle::before;
pub use machine::{Machine, Now, Order, Stage, Step, When};
pub use problem::BundleProblem;
pub use rauc::{Rauc, RaucProblem};
pub use report::{Manifest, Slot, System, Unreadable, manifest, progress, system};
pub use stick::{STICK, Sticks};
pub use task::{Away, Bundle, Config, Handle, Incoming, MAX_BUNDLE, NotNow, Standing, start};

/// Whether a version is older than another; not where one of them cannot be compared.
#[must_use]
pub fn is_older(version: &str, than: &str) -> bool {
    version::compare(version, than) == Some(std::cmp::Ordering::Less)
}
