//! Wrong passwords slow down: for the address they come from, and for the account they try (ACC-1).
//!
//! After [`FREE`] wrong ones each further one doubles the wait. An account is never shut for long, so that nobody
//! can lock the administrator out from afar; an address may be.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

/// Wrong passwords that cost nothing.
const FREE: u32 = 3;
/// Longest wait of an address.
const ADDRESS_MOST: Duration = Duration::from_secs(900);
/// Longest wait of an account.
const ACCOUNT_MOST: Duration = Duration::from_secs(30);
/// Wrong passwords are forgotten after so long.
const KEPT: Duration = Duration::from_secs(3600);
/// Addresses and accounts remembered; the oldest go.
const MAX_KEPT: usize = 4096;

/// Who is slowed down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    Account(String),
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    wrong: Mutex<HashMap<Who, Wrong>>,
}

impl Throttle {
    /// Whether somebody may try now, else how long they wait. A try that is let through counts as wrong until
    /// [`Throttle::right`] is said: many at the same time gain nothing.
    pub(crate) fn attempt(&self, address: IpAddr, account: &str, now: Instant) -> Result<(), Duration> {
        let both = keys(address, account);
        let mut wrong = self.wrong();
        let wait = both.iter().filter_map(|who| Some(wait(who, wrong.get(who)?, now))).max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        for who in both {
            make_room(&mut wrong, now);
            let entry = wrong.entry(who).or_insert(Wrong { count: 0, last: now });
            if now.saturating_duration_since(entry.last) > KEPT {
                entry.count = 0;
            }
            *entry = Wrong { count: entry.count.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// The password was right: account and address start anew.
    pub(crate) fn right(&self, address: IpAddr, account: &str) {
        let mut wrong = self.wrong();
        for who in keys(address, account) {
            wrong.remove(&who);
        }
    }

    fn wrong(&self) -> std::sync::MutexGuard<'_, HashMap<Who, Wrong>> {
        // What a thread that failed left is a count, right or one too few.
        self.wrong.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn keys(address: IpAddr, account: &str) -> [Who; 2] {
    // A network of IPv6 is one customer, and has 2⁶⁴ addresses to come from.
    let address = match address.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        ip => ip,
    };
    let account: String = account.trim().to_lowercase().chars().take(64).collect();
    [Who::Address(address), Who::Account(account)]
}

/// How long until the next try.
fn wait(who: &Who, wrong: &Wrong, now: Instant) -> Duration {
    let most = match who {
        Who::Address(_) => ADDRESS_MOST,
        Who::Account(_) => ACCOUNT_MOST,
    };
    let Some(over) = wrong.count.checked_sub(FREE) else { return Duration::ZERO };
    let delay = Duration::from_secs(1 << over.min(20)).min(most);
    delay.saturating_sub(now.saturating_duration_since(wrong.last))
}

fn make_room(wrong: &mut HashMap<Who, Wrong>, now: Instant) {
    if wrong.len() < MAX_KEPT {
        return;
    }
    wrong.retain(|_, entry| now.saturating_duration_since(entry.last) <= KEPT);
    while wrong.len() >= MAX_KEPT {
        let Some(oldest) = wrong.iter().min_by_key(|(_, entry)| entry.last).map(|(who, _)| who.clone())
        else {
            return;
        };
        wrong.remove(&oldest);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn acc_1_the_wait_doubles_and_ends_with_the_right_password() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE {
            throttle.attempt(HERE, "ada", now).unwrap();
        }
        for seconds in [1, 2, 4, 8, 16, 32, 64] {
            let wait = throttle.attempt(HERE, "", now).unwrap_err();
            assert_eq!(wait, Duration::from_secs(seconds));
            now += wait;
            throttle.attempt(HERE, "", now).unwrap();
        }
        throttle.right(HERE, "");
        throttle.attempt(HERE, "", now).unwrap();
    }

    #[test]
    fn acc_1_an_account_is_slowed_down_from_everywhere_but_never_shut() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let mut longest = Duration::ZERO;
        for n in 0..200_u32 {
            let from = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
            if let Err(wait) = throttle.attempt(from, "Ada", now) {
                longest = longest.max(wait);
                now += wait;
                throttle.attempt(from, "ada ", now).unwrap();
            }
        }
        assert_eq!(longest, ACCOUNT_MOST);
        throttle.attempt("10.9.9.9".parse().unwrap(), "bob", now).unwrap();
    }

    #[test]
    fn one_network_of_ipv6_is_one_address_and_memory_is_bounded() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..FREE {
            let from = format!("2001:db8::{n:x}").parse().unwrap();
            throttle.attempt(from, &format!("a{n}"), now).unwrap();
        }
        throttle.attempt("2001:db8::ffff".parse().unwrap(), "b", now).unwrap_err();
        for n in 0..6000_u32 {
            let from = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
            throttle.attempt(from, &format!("x{n}"), now).unwrap();
        }
        assert!(throttle.wrong().len() <= MAX_KEPT);
    }
}
