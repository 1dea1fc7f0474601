//! How a page of the administrator looks: pictures of it, whether it is too wide, and what axe-core says.

use crate::chromium::{Chromium, PHONE, TABLET, WIDE};
use crate::repository;

/// Looks at the page as it is, wide and as on a telephone, light and dark; what is wrong with it. `checker` is the text
/// of axe-core; pictures go to the reports, as `NAME-wide.png` and so on.
///
/// # Panics
/// When the browser is gone, or the checker finds nothing to check.
#[allow(clippy::print_stdout, reason = "lesser findings, for whoever asks with --no-capture")]
#[must_use]
#[track_caller]
pub fn look_at(browser: &mut Chromium, name: &str, checker: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    // What is folded is looked at too.
    browser.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true");
    for (window, dark, kind) in [(WIDE, false, "wide"), (TABLET, true, "tablet"), (PHONE, true, "phone")] {
        browser.resize(window);
        browser.dark(dark);
        browser.picture(&repository::reports().join(format!("admin/{name}-{kind}.png")));
        let width = browser.evaluate("document.scrollingElement.scrollWidth").as_u64().unwrap_or(u64::MAX);
        if width > u64::from(window.width) {
            wrong.push(format!("{name}-{kind} is {width} wide: {}", browser.evaluate(WIDEST)));
        }
        browser.evaluate(checker);
        let found = browser.evaluate(CHECK);
        assert!(found["kept"].as_u64() > Some(10), "axe-core has not looked at {name}: {found}");
        for found in found["broken"].as_array().into_iter().flatten() {
            let is_serious = ["serious", "critical"].map(Some).contains(&found["impact"].as_str());
            let words = format!("{name}-{kind}: {found}");
            if is_serious {
                wrong.push(words);
            } else {
                println!("{words}");
            }
        }
    }
    browser.resize(WIDE);
    browser.dark(false);
    wrong
}

/// What reaches beyond the window.
const WIDEST: &str = "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > \
                      innerWidth).map((e) => e.outerHTML.slice(0, 120)).slice(0, 5)";

/// How many of its rules axe-core finds kept, and which are broken, each with where.
const CHECK: &str = "axe.run(document, { resultTypes: ['violations'] }).then((all) => ({ kept: all.passes.length, \
                     broken: all.violations.map((found) => ({ id: found.id, impact: found.impact, where: \
                     found.nodes.slice(0, 5).map((node) => [node.html.slice(0, 200), \
                     node.any.concat(node.all).map((why) => why.message)]) })) }))";
