//! Who is parked, over a restart: the switchboard counts from when the desk was started, the store by the wall's clock.

use std::time::Duration;

use store::Parked;
use switchboard::ParkedCall;

use super::wall_time;

/// For the store, by the clock as it is now; the desk was started `up` ago.
pub(crate) fn to_keep(parked: Vec<ParkedCall>, up: Duration, now_unix_ms: i64) -> Vec<Parked> {
    let row = |ParkedCall { slot, who, by, line, since_ms, lit }| {
        let since_unix_ms = wall_time(since_ms, up, now_unix_ms);
        Parked { slot, who, by, line, since_unix_ms, lit }
    };
    parked.into_iter().map(row).collect()
}

/// For a switchboard that is started now. Where the clock says that they are still to be parked, it was set back, and
/// they wait from now on.
pub(crate) fn kept(parked: Vec<Parked>, now_unix_ms: i64) -> Vec<ParkedCall> {
    let row = |Parked { slot, who, by, line, since_unix_ms, lit }| {
        let since_ms = since_unix_ms.saturating_sub(now_unix_ms).min(0);
        ParkedCall { slot, who, by, line, since_ms, lit }
    };
    parked.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn parked(since_ms: i64) -> ParkedCall {
        let who = ipc::Party { number: Some("2110".into()), ..ipc::Party::default() };
        ParkedCall { slot: "701".into(), who, by: "Ada".into(), line: "5550100".into(), since_ms, lit: true }
    }

    #[test]
    fn call_14_who_is_parked_has_waited_as_long_after_a_restart_and_one_more() {
        let up = Duration::from_secs(60);
        // Parked 20 s after the start and written down at 60 s; 5 s later the desk is there again.
        let once = kept(to_keep(vec![parked(20_000)], up, NOW), NOW + 5_000);
        assert_eq!(once, [parked(-45_000)]);
        let twice = kept(to_keep(once, Duration::from_secs(10), NOW + 15_000), NOW + 16_000);
        assert_eq!(twice, [parked(-56_000)]);
    }

    #[test]
    fn call_14_a_clock_that_was_set_back_lets_nobody_wait_for_ever() {
        let kept = kept(to_keep(vec![parked(0)], Duration::ZERO, NOW), NOW - 1_000_000);
        assert_eq!(kept, [parked(0)]);
    }
}
