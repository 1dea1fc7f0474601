//! A person at a browser: Debian's Chromium without a window, driven over the DevTools protocol on a pipe.
//! <https://chromedevtools.github.io/devtools-protocol/tot/>
//!
//! It does what hands and eyes do: it types into fields that it finds by their labels, presses what it finds by its
//! words, with a mouse that hits whatever lies on top, and reads the text that is seen. Certificates that nobody
//! vouches for are taken: the box has one of its own.
//!
//! Every wait is bounded. What fails shows the page's text and leaves its picture in the folder of reports.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::devtools::DevTools;
use crate::repository;
use crate::wait;

/// How long a page may take: one that inspects a plugin waits for its compilation, in a debug build.
const PAGE: Duration = Duration::from_secs(180);

/// Finds things as a reader does. Text is compared without regard to white space.
const EYES: &str = r#"
const plain = (text) => (text ?? "").replace(/\s+/g, " ").trim();
const seen = (element) => element.checkVisibility({ visibilityProperty: true });
const best = (elements, words, text) => {
  const there = elements.filter(seen);
  return there.find((e) => text(e) === words) ?? there.find((e) => text(e).startsWith(words));
};
const labelled = (words) =>
  best([...document.querySelectorAll("label")], words, (e) => plain(e.textContent))?.control;
const pressable = (words) =>
  best([...document.querySelectorAll("button, a")], words, (e) => plain(e.textContent)) ??
  best([...document.querySelectorAll("summary")], words, (e) => plain(e.textContent));
"#;

/// An expression that may use [`EYES`], as a script.
fn look(expression: &str) -> String {
    format!("(() => {{ {EYES} return {expression}; }})()")
}

/// A size of the window in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// A desktop's window.
pub const WIDE: Window = Window { width: 1280, height: 900 };
/// The narrowest window in which the administrator's page has tables, and no cards in their place.
pub const TABLET: Window = Window { width: 1040, height: 740 };
/// A small telephone.
pub const PHONE: Window = Window { width: 360, height: 740 };

/// A running browser with one page.
#[derive(Debug)]
pub struct Chromium {
    pipe: DevTools,
}

impl Chromium {
    /// Starts it, with its profile below the scratch folder.
    ///
    /// # Panics
    /// When it is not installed or does not come up.
    #[must_use]
    #[track_caller]
    pub fn start(scratch: &Path) -> Self {
        let mut browser = Self { pipe: DevTools::start(scratch) };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.pipe.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Page.enable", json!({}));
        browser.call("Security.setIgnoreCertificateErrors", json!({ "ignore": true }));
        // As on a telephone, where they take no room: a picture of the whole page has none either.
        browser.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
        browser.resize(WIDE);
        browser
    }

    /// Gives the window another size.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn resize(&mut self, window: Window) {
        let Window { width, height } = window;
        // Not `mobile`: such a browser makes a page that is too wide smaller, where it should be seen to be wrong.
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Wishes for dark pages, or light ones.
    ///
    /// # Panics
    /// When the browser refuses.
    #[track_caller]
    pub fn dark(&mut self, dark: bool) {
        let wish = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": wish }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Opens an address, and waits until the page is whole.
    ///
    /// # Panics
    /// When it cannot be opened.
    #[track_caller]
    pub fn open(&mut self, address: &str) {
        self.mark();
        let went = self.call("Page.navigate", json!({ "url": address }));
        assert!(went["errorText"].is_null(), "{address}: {}", went["errorText"]);
        self.wait_page(address);
    }

    /// Types into the field with this label, in place of what stands there. The beginning of a label is enough.
    ///
    /// # Panics
    /// When no such field is seen.
    #[track_caller]
    pub fn fill(&mut self, label: &str, text: &str) {
        let find = format!("labelled({})", json!(label));
        self.point_at(&format!("the field {label:?}"), &find);
        self.evaluate(&look(&format!("{find}.select()")));
        if text.is_empty() {
            self.key("Delete", 46);
        } else {
            self.call("Input.insertText", json!({ "text": text }));
        }
        let typed = self.evaluate(&look(&format!("{find}.value")));
        assert_eq!(typed, text, "the field {label:?} does not take what is typed");
    }

    /// Ticks the box with this label, if it is not ticked.
    ///
    /// # Panics
    /// When no such box is seen.
    #[track_caller]
    pub fn tick(&mut self, label: &str) {
        let find = format!("labelled({})", json!(label));
        if self.evaluate(&look(&format!("{find}?.checked ?? false"))) == false {
            self.point_at(&format!("the box {label:?}"), &find);
        }
        let is_ticked = self.evaluate(&look(&format!("{find}?.checked ?? false")));
        assert_eq!(is_ticked, true, "the box {label:?} is not ticked");
    }

    /// Chooses among what the list with this label offers.
    ///
    /// # Panics
    /// When no such list is seen, or it does not offer that.
    #[track_caller]
    pub fn choose(&mut self, label: &str, words: &str) {
        // A list opens in a window of its own, which a browser without windows has not: a script chooses.
        let find = format!("labelled({})", json!(label));
        self.evaluate(&look(&format!(
            "(() => {{
              const list = {find};
              const wanted = [...list?.options ?? []].find((option) => plain(option.text) === {});
              if (wanted) list.value = wanted.value;
            }})()",
            json!(words)
        )));
        let chosen = self.evaluate(&look(&format!("plain({find}?.selectedOptions[0]?.text)")));
        assert_eq!(chosen, words, "the list {label:?}");
    }

    /// Chooses a file in the field with this label.
    ///
    /// # Panics
    /// When there is no such field.
    #[track_caller]
    pub fn choose_file(&mut self, label: &str, file: &Path) {
        let find = look(&format!("labelled({})", json!(label)));
        let found = self.call("Runtime.evaluate", json!({ "expression": find }));
        let id = found["result"]["objectId"].clone();
        if id.is_null() {
            self.fail(&format!("there is no field {label:?}"));
        }
        self.call("DOM.setFileInputFiles", json!({ "files": [file], "objectId": id }));
    }

    /// Presses the button or follows the link with these words, and waits for the page that comes of it.
    ///
    /// # Panics
    /// When it is not seen, or no page comes.
    #[track_caller]
    pub fn press(&mut self, words: &str) {
        self.mark();
        self.click(words);
        self.wait_page(words);
    }

    /// Presses what stays on its page, such as a summary that unfolds.
    ///
    /// # Panics
    /// When it is not seen.
    #[track_caller]
    pub fn click(&mut self, words: &str) {
        self.point_at(&format!("{words:?} to press"), &format!("pressable({})", json!(words)));
    }

    /// The text that is seen.
    ///
    /// # Panics
    /// When the browser is gone.
    #[must_use]
    #[track_caller]
    pub fn text(&mut self) -> String {
        self.evaluate("document.body?.innerText ?? ''").as_str().unwrap_or_default().to_owned()
    }

    /// Where it is.
    ///
    /// # Panics
    /// When the browser is gone.
    #[must_use]
    #[track_caller]
    pub fn address(&mut self) -> String {
        self.evaluate("location.href").as_str().unwrap_or_default().to_owned()
    }

    /// Looks at the page until its text is as wanted, and gives it back.
    ///
    /// # Panics
    /// When it is not within `limit`.
    #[track_caller]
    pub fn wait_text(&mut self, what: &str, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let found = wait::within(limit, || Some(self.text()).filter(|text| wanted(text)));
        found.unwrap_or_else(|| self.fail(&format!("waited {limit:?} in vain for {what}")))
    }

    /// Expects words on the page as it is now.
    ///
    /// # Panics
    /// When they are not there.
    #[track_caller]
    pub fn sees(&mut self, words: &str) {
        if !self.text().contains(words) {
            self.fail(&format!("the page does not say {words:?}"));
        }
    }

    /// Takes a picture of the whole page, also of what is below the window.
    ///
    /// # Panics
    /// When it cannot be taken or written.
    #[track_caller]
    pub fn picture(&mut self, path: &Path) {
        let taken = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap_or_default());
        let bytes = bytes.expect("a picture comes in base64");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("the folder can be made");
        }
        fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Lets a script run in the page, waits for what it promises, and gives back what comes of it, as JSON.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn evaluate(&mut self, script: &str) -> Value {
        match self.try_evaluate(script) {
            Ok(value) => value,
            Err(problem) => panic!("a script fails: {problem}"),
        }
    }

    /// Says what went wrong, with the page's text and where its picture is.
    #[track_caller]
    fn fail(&mut self, words: &str) -> ! {
        let (address, text) = (self.address(), self.text());
        let name = thread::current().name().unwrap_or("test").replace("::", "-");
        let path = repository::reports().join(format!("failed/{name}.png"));
        self.picture(&path);
        panic!("{words}\n--- {address}, its picture in {}:\n{text}\n---", path.display());
    }

    fn try_evaluate(&mut self, script: &str) -> Result<Value, String> {
        let of = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let answer = self.pipe.ask("Runtime.evaluate", of)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].clone()),
            problem => Err(problem.to_string()),
        }
    }

    /// Marks the page, so that the next one is known by not being marked.
    #[track_caller]
    fn mark(&mut self) {
        self.evaluate("window.isThePageBefore = true");
    }

    #[track_caller]
    fn wait_page(&mut self, what: &str) {
        let is_new = "!window.isThePageBefore && document.readyState === 'complete'";
        // While a page goes and the next comes there is nothing to run a script in.
        let arrived = wait::within(PAGE, || (self.try_evaluate(is_new) == Ok(true.into())).then_some(()));
        if arrived.is_none() {
            self.fail(&format!("no page comes after {what:?}"));
        }
    }

    /// Brings what `find` finds into view and presses the mouse there.
    #[track_caller]
    fn point_at(&mut self, what: &str, find: &str) {
        let press = look(&format!(
            "(() => {{
              const it = {find};
              if (!it || !seen(it)) return 'not seen';
              if (it.matches(':disabled')) return 'disabled';
              it.scrollIntoView({{ block: 'center', behavior: 'instant' }});
              const place = it.getClientRects()[0];
              const [x, y] = [place.x + place.width / 2, place.y + place.height / 2];
              const top = document.elementFromPoint(x, y);
              return it.contains(top) ? [x, y] : 'covered by ' + top?.outerHTML;
            }})()"
        ));
        let place = self.evaluate(&press);
        let (Some(x), Some(y)) = (place[0].as_f64(), place[1].as_f64()) else {
            self.fail(&format!("{what}: {place}"));
        };
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    #[track_caller]
    fn key(&mut self, name: &str, code: u32) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    #[track_caller]
    fn call(&mut self, method: &str, of: Value) -> Value {
        match self.pipe.ask(method, of) {
            Ok(result) => result,
            Err(problem) => panic!("{method}: {problem}"),
        }
    }
}

/// Where `make axe` puts the checker of accessibility.
///
/// # Panics
/// When it is not there.
#[must_use]
#[track_caller]
pub fn axe() -> PathBuf {
    let home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
    let path = home.join(".cache/frontdesk/tools/axe-core/package/axe.min.js");
    assert!(path.is_file(), "{} is not there; `make axe` fetches it", path.display());
    path
}
