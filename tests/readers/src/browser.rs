//! What the browser says of a page of a customer database (CRM-2), in the DevTools protocol: the page is a stranger's.

use std::collections::BTreeSet;

use serde_json::Value;

#[path = "../../../ui/src/browser/page.rs"]
#[allow(dead_code, reason = "the screen uses the rest")]
mod page;

use page::Page;

/// Largest side of a picture, longest question, in characters.
const MAX_SIDE: u32 = 4096;
const MAX_QUESTION: usize = 300;
/// Messages of one input.
const MESSAGES: usize = 200;

/// What a finger does.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "fingers are the operator's: nobody touches here")]
pub(crate) enum Touch {
    Down,
    Move,
    Up,
    Cancel,
}

/// A picture of the page.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Vec<u8>,
}

/// A question of the page.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) words: String,
    pub(crate) choice: bool,
}

/// How large the page is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) scale: f32,
}

/// Keys come from the operator: nobody types here.
mod keys {
    pub(crate) struct Key {
        pub(crate) name: String,
        pub(crate) code: &'static str,
        pub(crate) number: u32,
        pub(crate) text: Option<String>,
    }

    impl Key {
        pub(crate) fn of(_: &str) -> Option<Self> {
            None
        }
    }
}

/// A message a line.
pub(crate) fn browser(bytes: &[u8]) -> bool {
    let size = Size { width: 800, height: 600, scale: 1.0 };
    let (mut page, said) = Page::begin(size, true, "https://crm.example/1".into());
    let (mut ids, mut is_understood) = (BTreeSet::new(), false);
    is_in_order(&said, &mut ids);
    for line in bytes.split(|byte| *byte == b'\n').take(MESSAGES) {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        let out = page.take(&message);
        is_in_order(&out.say, &mut ids);
        is_understood |= out.changed || out.crashed || !out.say.is_empty();
        if let Some(Frame { width, height, rgb }) = out.frame {
            assert!(width <= MAX_SIDE && height <= MAX_SIDE, "{width} × {height}");
            assert_eq!(rgb.len(), width as usize * height as usize * 3);
            is_in_order(&page.taken(), &mut ids);
        }
        if let Some(Dialog { words, choice }) = &page.question {
            assert!(
                words.chars().count() <= MAX_QUESTION && !words.chars().any(char::is_control),
                "{words:?}"
            );
            let yes = !choice;
            is_in_order(&page.answer(yes), &mut ids);
            assert!(page.question.is_none());
        }
    }
    is_understood
}

/// Each request has a number of its own, and nothing but pages of the web is opened.
fn is_in_order(said: &[Value], ids: &mut BTreeSet<u64>) {
    for request in said {
        let id = request["id"].as_u64().unwrap_or_else(|| panic!("{request} has no number"));
        assert!(ids.insert(id), "{request} has the number of another");
        if request["method"] == "Page.navigate" {
            let address = request["params"]["url"].as_str().unwrap_or_default();
            assert!(
                address.starts_with("https://") || address.starts_with("http://"),
                "{address:?} was opened"
            );
        }
    }
}
