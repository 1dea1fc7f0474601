//! The browser tab (CRM-2): which page is in it, when it comes to the front, and what is shown of its state.
//!
//! Where no browser is set up pages are shown as a code, see `links`. Not here: the browser itself.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use ipc::{CallRef, CallState, Direction, PageWhen, View};
use slint::{ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer, SharedString, Timer, TimerMode};

use super::Desk;
use crate::browser::{Browser, Reason, Standing, State};
use crate::keys::ConsoleKey;
use crate::screen::{Page, PageStanding, PageTouch, Screen};

/// So long after the last letter somebody still writes, and a page that comes by itself waits.
const WRITES: Duration = Duration::from_secs(5);

/// The browser, where there is one.
#[derive(Default)]
pub(crate) struct Tab {
    browser: Option<Browser>,
    /// Calls whose page has come by itself.
    opened: HashSet<CallRef>,
    /// Calls that were answered and whose page is due.
    due: HashSet<CallRef>,
    /// The call whose page comes next, as soon as it disturbs nobody.
    waiting: Option<CallRef>,
    /// Runs while somebody writes into a field.
    writing: Timer,
}

impl Desk {
    /// Shows pages in this browser from now on.
    pub(crate) fn browse_with(&mut self, program: PathBuf, profile: PathBuf) -> std::io::Result<()> {
        let app = self.app.as_weak();
        let bell = move || drop(app.upgrade_in_event_loop(|app| app.global::<Page>().invoke_wake()));
        self.tab.browser = Some(Browser::start(program, profile, bell)?);
        self.app.global::<Page>().set_can_open(true);
        Ok(())
    }

    /// Opens a page in the tab and brings it to the front. `false`: there is no browser.
    pub(crate) fn open_page(&mut self, who: SharedString, address: &str) -> bool {
        let Some(browser) = &self.tab.browser else { return false };
        browser.open(address.to_owned());
        let page = self.app.global::<Page>();
        page.set_who(who);
        page.set_has_picture(false);
        self.show_screen(Screen::Page);
        true
    }

    /// A view came: a call that rings or is answered brings its page, where that is wanted (CRM-1).
    pub(crate) fn pages_of_calls(&mut self, before: &View) {
        let now: HashSet<CallRef> = self.view.incoming.iter().map(|call| call.call).collect();
        self.tab.opened.retain(|call| now.contains(call));
        self.tab.due.retain(|call| now.contains(call));
        self.tab.waiting = None;
        // A screen that has just started does not know what has been open on the one before.
        if self.tab.browser.is_none() || before.generation == 0 {
            return;
        }
        let was = |call: CallRef| before.incoming.iter().find(|was| was.call == call).map(|was| was.state);
        // Answered within a frame it was never seen ringing.
        let rang = |was| matches!(was, CallState::Ringing | CallState::Answering);
        let answered = |call: &&ipc::CallView| {
            call.state == CallState::Talking
                && call.direction == Direction::Incoming
                && was(call.call).is_none_or(rang)
        };
        let answered: Vec<CallRef> =
            self.view.incoming.iter().filter(answered).map(|call| call.call).collect();
        self.tab.due.extend(answered);
        let comes = |call: &&ipc::CallView| {
            let is_wanted = match self.view.page_when {
                PageWhen::Menu => false,
                // Nobody is taken away from the caller they talk to.
                PageWhen::Ring => call.state == CallState::Ringing && self.view.talk.is_none(),
                PageWhen::Answer => call.state == CallState::Talking && self.tab.due.contains(&call.call),
            };
            // The customer's own page may come in a moment; the desk says when that is over.
            is_wanted && call.direction == Direction::Incoming && call.crm.is_some() && !call.crm_waits
        };
        let mut calls = self.view.incoming.iter().filter(comes).map(|call| call.call);
        self.tab.waiting = calls.rfind(|call| !self.tab.opened.contains(call));
        self.bring_page();
    }

    /// Brings the page that is due. It takes the keyboard and closes what lies over the desk: not in the middle of a word, nor
    /// where words would be lost or somebody would be asked whether to save because a call rings.
    pub(crate) fn bring_page(&mut self) {
        let writes = self.is_in_field() && self.tab.writing.running();
        let is_busy = writes
            || self.settings_are_open_ended()
            || self.finder_is_open()
            || self.reminder_editor_is_open();
        if let Some(call) = self.tab.waiting.take_if(|_| !is_busy) {
            self.tab.opened.insert(call);
            self.tab.due.remove(&call);
            self.open_crm(call);
        }
    }

    /// A letter goes into a field.
    pub(crate) fn saw_writing(&self) {
        self.tab.writing.start(TimerMode::SingleShot, WRITES, || {});
    }

    /// Another screen came to the front, or something lies over it.
    pub(crate) fn page_is_seen(&self) {
        if let Some(browser) = &self.tab.browser {
            browser.show(self.screen() == Screen::Page && !self.finder_is_open());
        }
    }

    /// The browser has something new.
    pub(crate) fn page_changed(&mut self) {
        let Some(browser) = &self.tab.browser else { return };
        let page = self.app.global::<Page>();
        if let Some(frame) = browser.frame() {
            let pixels =
                SharedPixelBuffer::<Rgb8Pixel>::clone_from_slice(&frame.rgb, frame.width, frame.height);
            page.set_picture(Image::from_rgb8(pixels));
            page.set_has_picture(true);
        }
        let State { standing, address, loading, question } = browser.state();
        page.set_loading(loading && standing == Standing::Open);
        page.set_secure(address.starts_with("https://"));
        page.set_host(host(&address).into());
        if question.is_some() && !page.get_asks() {
            page.set_sure(false);
        }
        page.set_asks(question.is_some());
        if let Some(question) = question {
            page.set_question(question.words.into());
            page.set_choice(question.choice);
        }
        if standing == Standing::Closed || matches!(standing, Standing::Ended(_)) {
            page.set_has_picture(false);
        }
        page.set_standing(match standing {
            Standing::Closed => PageStanding::Closed,
            Standing::Starting => PageStanding::Starting,
            Standing::Open => PageStanding::Open,
            Standing::Ended(Reason::NotStarted) => PageStanding::NotStarted,
            Standing::Ended(Reason::Died) => PageStanding::Died,
            Standing::Ended(Reason::TooLarge) => PageStanding::TooLarge,
        });
    }

    /// Closed by hand: the browser ends, and the directory is back.
    pub(crate) fn close_page(&mut self) {
        if let Some(browser) = &self.tab.browser {
            browser.close();
        }
        if self.screen() == Screen::Page {
            self.show_screen(Screen::Directory);
        }
    }

    /// What the page asked is answered.
    pub(crate) fn answer_page(&mut self, yes: bool) {
        let page = self.app.global::<Page>();
        page.set_asks(false);
        page.set_sure(false);
        self.with_browser(|browser| browser.answer(yes));
    }

    /// A key while the page in front asks something. `None`: it means what it means without the question.
    pub(crate) fn page_question_key(&mut self, key: ConsoleKey) -> Option<bool> {
        let page = self.app.global::<Page>();
        let in_front = self.screen() == Screen::Page && page.get_asks();
        if !in_front || self.something_is_open() || self.editor_covers() {
            return None;
        }
        let (choice, sure) = (page.get_choice(), page.get_sure());
        match key {
            ConsoleKey::Left | ConsoleKey::Right => page.set_sure(choice && !sure),
            ConsoleKey::Enter => self.answer_page(sure || !choice),
            // Who has no choice can only have read it.
            ConsoleKey::Escape => self.answer_page(!choice),
            _ => return None,
        }
        Some(true)
    }

    /// Touch, keys and buttons, for whoever is in the tab.
    pub(crate) fn with_browser(&self, wish: impl FnOnce(&Browser)) {
        if let Some(browser) = &self.tab.browser {
            wish(browser);
        }
    }

    /// The size of the page in the design's pixels.
    pub(crate) fn page_resized(&self, width: f32, height: f32) {
        let scale = self.app.window().scale_factor();
        let whole = |length: f32| length.clamp(1.0, 4096.0) as u32;
        self.with_browser(|browser| browser.resize(whole(width), whole(height), scale));
    }
}

impl From<PageTouch> for crate::browser::Touch {
    fn from(touch: PageTouch) -> Self {
        match touch {
            PageTouch::Down => Self::Down,
            PageTouch::Move => Self::Move,
            PageTouch::Up => Self::Up,
            PageTouch::Cancel => Self::Cancel,
        }
    }
}

/// The machine in an address: what tells a page of the house from one that looks like it.
fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_machine_and_not_what_stands_before_it() {
        for (address, wanted) in [
            ("https://crm.example/x?q=https://other.example", "crm.example"),
            ("https://bank.example@evil.example:8443/", "evil.example:8443"),
            ("about:blank", ""),
            ("", ""),
        ] {
            assert_eq!(host(address), wanted);
        }
    }
}
