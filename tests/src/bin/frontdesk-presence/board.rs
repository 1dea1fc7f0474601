//! What every phone is to show, and a client of the desk's socket that notes when it does.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use frontdesk_tests::publisher::Publisher;
use frontdesk_tests::socket::Client;
use ipc::{LampState, LampView, View};

use crate::plan::{Change, Seen, Shown, number};

/// How long the client waits for a view before it looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// Shared by whoever changes phones and whoever looks at the lamps.
#[derive(Debug)]
pub(crate) struct Board {
    publisher: Publisher,
    phones: Mutex<Phones>,
    stop: AtomicBool,
}

#[derive(Debug)]
struct Phones {
    by_number: HashMap<String, usize>,
    /// What each shows when all is told.
    wanted: Vec<Shown>,
    /// Changes nobody has seen yet.
    unseen: HashMap<usize, Change>,
    seen: Vec<Seen>,
    /// Changes that another one of the same phone has overtaken.
    overtaken: usize,
    /// Of the view that came last.
    last: Tally,
    view: Option<View>,
}

/// The lamps of one view.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) at: Option<Instant>,
    pub(crate) unknown: usize,
    pub(crate) right: usize,
    /// Known, and not what the phone does.
    pub(crate) wrong: usize,
}

impl Board {
    pub(crate) fn new(publisher: Publisher, phones: usize) -> Arc<Self> {
        let phones = Phones {
            by_number: (0..phones).map(|phone| (number(phone), phone)).collect(),
            wanted: vec![Shown::nth(0); phones],
            unseen: HashMap::new(),
            seen: Vec::new(),
            overtaken: 0,
            last: Tally::default(),
            view: None,
        };
        Arc::new(Self { publisher, phones: Mutex::new(phones), stop: AtomicBool::new(false) })
    }

    pub(crate) fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Has a phone do something else; `false` where the server has not answered for its last change.
    pub(crate) fn change(&self, phone: usize, shown: Shown) -> bool {
        // Locked first: the lamp may be seen before `publish` is back.
        let mut phones = self.lock();
        let Some(sent) = self.publisher.publish(phone, shown.document(phone)) else { return false };
        phones.wanted[phone] = shown.clone();
        let overtaken = phones.unseen.insert(phone, Change { shown, sent }).is_some();
        phones.overtaken += usize::from(overtaken);
        true
    }

    /// A phone does something else, and nobody is told.
    pub(crate) fn imagine(&self, phone: usize, shown: Shown) {
        self.lock().wanted[phone] = shown;
    }

    /// Everything the phones do now, for a server that has forgotten it.
    pub(crate) fn documents(&self) -> Vec<(usize, Vec<u8>)> {
        let phones = self.lock();
        phones.wanted.iter().enumerate().map(|(phone, shown)| (phone, shown.document(phone))).collect()
    }

    /// The changes seen since the last time, and how many were overtaken or are not seen yet.
    pub(crate) fn take_seen(&self) -> (Vec<Seen>, usize) {
        let mut phones = self.lock();
        let missing = phones.overtaken + phones.unseen.len();
        phones.overtaken = 0;
        phones.unseen.clear();
        (std::mem::take(&mut phones.seen), missing)
    }

    /// Changes that are still to be seen.
    pub(crate) fn unseen(&self) -> usize {
        self.lock().unseen.len()
    }

    pub(crate) fn last(&self) -> Tally {
        self.lock().last
    }

    /// The whole of the view that came last.
    pub(crate) fn view(&self) -> Option<View> {
        self.lock().view.clone()
    }

    /// Follows the desk until [`Board::stop`].
    pub(crate) fn follow(self: &Arc<Self>, socket: &Path) -> JoinHandle<()> {
        let (board, mut client) = (Arc::clone(self), Client::connect(socket));
        thread::spawn(move || {
            while !board.stop.load(Ordering::Acquire) {
                if let Some(view) = client.next_view(LOOK) {
                    board.look(Instant::now(), view);
                }
            }
        })
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    fn look(&self, at: Instant, view: View) {
        let mut phones = self.lock();
        let Phones { by_number, wanted, unseen, seen, last, .. } = &mut *phones;
        let mut tally = Tally { at: Some(at), ..Tally::default() };
        for lamp in &view.lamps {
            let Some(&phone) = by_number.get(&lamp.number) else { continue };
            match lamp.state {
                LampState::Unknown => tally.unknown += 1,
                _ if shows(lamp, &wanted[phone]) => tally.right += 1,
                _ => tally.wrong += 1,
            }
            if let Some(change) = unseen.get(&phone).filter(|change| shows(lamp, &change.shown)) {
                // A lamp may be lit before the server has said so to the phone.
                let answered = self.publisher.answered(phone).map_or(at, |answered| answered.min(at));
                seen.push(Seen { since_sent: at - change.sent, since_answered: at - answered });
                unseen.remove(&phone);
            }
        }
        *last = tally;
        phones.view = Some(view);
    }

    fn lock(&self) -> MutexGuard<'_, Phones> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shows(lamp: &LampView, shown: &Shown) -> bool {
    lamp.state == shown.state && lamp.peer == shown.peer
}
