//! Ten simulated minutes of what `make audio-hours` does for eight hours.

use std::time::Duration;

use frontdesk_tests::hours::{self, Counting, Plan};
use frontdesk_tests::report::{self, Row};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn minutes_of_calls_leave_nothing_behind_and_no_buffer_is_late() {
    let mut rows = Vec::new();
    hours::simulate(Plan { hours: 2, hour: Duration::from_secs(300), seed: 11 }, &mut rows);
    report::print(&rows);
    assert!(rows.len() > 8 && rows.iter().all(Row::holds));
}
