//! The first set-up: whoever reads the code on the touchscreen stands before the box, and may make the first
//! administrator.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ipc::SetupView;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::random;

/// Wrong codes before there is another one.
const TRIES: u32 = 5;

/// See the module.
#[derive(Debug)]
pub(crate) struct Setup {
    inner: Mutex<Inner>,
    shown: watch::Sender<Option<SetupView>>,
}

#[derive(Debug)]
struct Inner {
    wrong: u32,
}

impl Setup {
    /// With an administrator there is nothing to show, now and for ever.
    pub(crate) fn new(done: bool) -> io::Result<(Self, watch::Receiver<Option<SetupView>>)> {
        let shown =
            if done { None } else { Some(SetupView { address: String::new(), code: random::digits()? }) };
        let (shown, seen) = watch::channel(shown);
        Ok((Self { inner: Mutex::new(Inner { wrong: 0 }), shown }, seen))
    }

    /// There is no administrator yet.
    pub(crate) fn is_open(&self) -> bool {
        self.shown.borrow().is_some()
    }

    /// Whether this is the code. The fifth wrong one changes it.
    pub(crate) fn try_code(&self, code: &str) -> io::Result<bool> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let mut inner = self.inner();
        let right = match &*self.shown.borrow() {
            Some(shown) => random::same(&shown.code, &digits),
            None => return Ok(false),
        };
        if right {
            return Ok(true);
        }
        inner.wrong += 1;
        warn!(wrong = inner.wrong, "a wrong set-up code");
        if inner.wrong >= TRIES {
            inner.wrong = 0;
            let code = random::digits()?;
            self.shown.send_modify(|shown| {
                if let Some(shown) = shown {
                    shown.code = code;
                }
            });
        }
        Ok(false)
    }

    /// The first administrator is there: the code is gone from the screen.
    pub(crate) fn close(&self) {
        info!("the box has its first administrator");
        self.shown.send_replace(None);
    }

    /// Where a browser finds the page; empty while that is not known.
    pub(crate) fn set_address(&self, address: String) {
        self.shown.send_if_modified(|shown| match shown {
            Some(shown) if shown.address != address => {
                shown.address = address;
                true
            }
            _ => false,
        });
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A count is whole whatever happened to who counted.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_2_five_wrong_codes_change_it() {
        let (setup, shown) = Setup::new(false).unwrap();
        let code = shown.borrow().clone().unwrap().code;
        let wrong = if code == "00000000" { "11111111" } else { "00000000" };
        for _ in 0..TRIES - 1 {
            assert!(!setup.try_code(wrong).unwrap());
        }
        let spaced = format!(" {} {} ", &code[..4], &code[4..]);
        assert!(setup.try_code(&spaced).unwrap(), "spaces do not count");
        assert!(!setup.try_code(wrong).unwrap());
        let newer = shown.borrow().clone().unwrap().code;
        assert_ne!(newer, code);
        assert!(!setup.try_code(&code).unwrap());
        assert!(setup.try_code(&newer).unwrap());
        setup.close();
        assert!(!setup.is_open() && !setup.try_code(&newer).unwrap() && !setup.try_code("").unwrap());
        assert!(shown.borrow().is_none());
    }

    #[test]
    fn a_box_that_is_set_up_shows_nothing() {
        let (setup, shown) = Setup::new(true).unwrap();
        setup.set_address("https://192.0.2.1".into());
        assert!(shown.borrow().is_none() && !setup.is_open());
    }
}
