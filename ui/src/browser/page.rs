//! One page in the browser: what is said to it in the DevTools protocol, and what it says back, as plain
//! functions of messages. <https://chromedevtools.github.io/devtools-protocol/tot/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, ImageReader, Limits};
use serde_json::{Value, json};

use super::{Dialog, Frame, Size, Touch};

/// Largest side of a picture that is unpacked.
const MAX_SIDE: u32 = 4096;
/// Longest text of a question that is shown.
const MAX_QUESTION: usize = 300;

/// The state of the conversation.
#[derive(Debug, Default)]
pub(super) struct Page {
    id: u64,
    /// Requests whose answers mean something.
    waits: Vec<(u64, Wait)>,
    target: Option<String>,
    session: Option<String>,
    /// To be opened once there is a session.
    wanted: Option<String>,
    shown: bool,
    size: Size,
    /// Pictures that were not answered yet: the browser sends no more while there are a few of them.
    owed: Vec<u64>,
    pub(super) address: String,
    pub(super) loading: bool,
    pub(super) question: Option<Dialog>,
}

#[derive(Debug, PartialEq, Eq)]
enum Wait {
    Target,
    Session,
    Navigated,
    Back,
}

/// What came of a message.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// To be said.
    pub(super) say: Vec<Value>,
    /// A new picture.
    pub(super) frame: Option<Frame>,
    /// Address, loading or question changed.
    pub(super) changed: bool,
    /// The page's own process has died.
    pub(super) crashed: bool,
}

impl Page {
    /// Begins a conversation: makes a page and opens `address` in it when it is there.
    pub(super) fn begin(size: Size, shown: bool, address: String) -> (Self, Vec<Value>) {
        let mut page = Self { size, shown, loading: true, wanted: Some(address), ..Self::default() };
        let say = vec![
            page.request("Browser.setDownloadBehavior", json!({ "behavior": "deny" })),
            page.request("Target.setDiscoverTargets", json!({ "discover": true })),
            page.ask(Wait::Target, "Target.createTarget", json!({ "url": "about:blank" })),
        ];
        (page, say)
    }

    /// Opens an address.
    pub(super) fn open(&mut self, address: String) -> Vec<Value> {
        if self.session.is_none() {
            self.wanted = Some(address);
            return Vec::new();
        }
        self.loading = true;
        let navigate = self.ask_page(Wait::Navigated, "Page.navigate", json!({ "url": address }));
        vec![navigate]
    }

    /// The page is seen or not: nobody draws what nobody sees.
    pub(super) fn show(&mut self, shown: bool) -> Vec<Value> {
        self.shown = shown;
        match (self.session.is_some(), shown) {
            (true, true) => self.cast(),
            (true, false) => vec![self.request_page("Page.stopScreencast", json!({}))],
            (false, _) => Vec::new(),
        }
    }

    /// It has another size from now on.
    pub(super) fn resize(&mut self, size: Size) -> Vec<Value> {
        self.size = size;
        if self.session.is_none() {
            return Vec::new();
        }
        let mut say = vec![self.metrics()];
        if self.shown {
            say.extend(self.cast());
        }
        say
    }

    /// The last picture was taken: the next may come.
    pub(super) fn taken(&mut self) -> Vec<Value> {
        let owed = std::mem::take(&mut self.owed);
        let ack = |number| self.request_page("Page.screencastFrameAck", json!({ "sessionId": number }));
        owed.into_iter().map(ack).collect()
    }

    pub(super) fn reload(&mut self) -> Vec<Value> {
        self.loading = true;
        vec![self.request_page("Page.reload", json!({}))]
    }

    pub(super) fn back(&mut self) -> Vec<Value> {
        vec![self.ask_page(Wait::Back, "Page.getNavigationHistory", json!({}))]
    }

    /// The answer to a question of the page.
    pub(super) fn answer(&mut self, yes: bool) -> Vec<Value> {
        match self.question.take() {
            Some(_) => vec![self.request_page("Page.handleJavaScriptDialog", json!({ "accept": yes }))],
            None => Vec::new(),
        }
    }

    /// A finger.
    pub(super) fn touch(&mut self, touch: Touch, x: f32, y: f32) -> Vec<Value> {
        let (kind, points) = match touch {
            Touch::Down => ("touchStart", json!([{ "x": x, "y": y }])),
            Touch::Move => ("touchMove", json!([{ "x": x, "y": y }])),
            Touch::Up => ("touchEnd", json!([])),
            Touch::Cancel => ("touchCancel", json!([])),
        };
        let event = json!({ "type": kind, "touchPoints": points });
        vec![self.request_page("Input.dispatchTouchEvent", event)]
    }

    /// A wheel.
    pub(super) fn wheel(&mut self, (x, y): (f32, f32), (dx, dy): (f32, f32)) -> Vec<Value> {
        let event = json!({ "type": "mouseWheel", "x": x, "y": y, "deltaX": -dx, "deltaY": -dy });
        vec![self.request_page("Input.dispatchMouseEvent", event)]
    }

    /// A key, as Slint names it.
    pub(super) fn key(&mut self, text: &str, control: bool) -> Vec<Value> {
        let Some(key) = super::keys::Key::of(text) else { return Vec::new() };
        let modifiers = if control { 2 } else { 0 };
        let event = |kind: &str, typed: Option<&str>| {
            let mut event = json!({
                "type": kind, "key": key.name, "code": key.code, "windowsVirtualKeyCode": key.number,
                "modifiers": modifiers,
            });
            if let Some(typed) = typed {
                event["text"] = typed.into();
            }
            event
        };
        let typed = key.text.as_deref().filter(|_| !control);
        let down = event(if typed.is_some() { "keyDown" } else { "rawKeyDown" }, typed);
        let up = event("keyUp", None);
        vec![
            self.request_page("Input.dispatchKeyEvent", down),
            self.request_page("Input.dispatchKeyEvent", up),
        ]
    }

    /// What it said. Anything that is not understood is passed over.
    pub(super) fn take(&mut self, message: &Value) -> Outcome {
        if let Some(id) = message["id"].as_u64() {
            return self.answered(id, message);
        }
        let (method, of) = (message["method"].as_str().unwrap_or_default(), &message["params"]);
        let mut out = Outcome::default();
        match method {
            "Target.targetInfoChanged" | "Target.targetCreated" => {
                out.say = self.other_page(&of["targetInfo"])
            }
            "Inspector.targetCrashed" | "Target.targetCrashed" => out.crashed = true,
            "Target.targetDestroyed" => out.crashed = of["targetId"].as_str() == self.target.as_deref(),
            _ if message["sessionId"].as_str() != self.session.as_deref() => {}
            "Page.screencastFrame" => {
                // Whether it can be shown or not: without an answer no other comes.
                self.owed.extend(of["sessionId"].as_u64());
                out.frame = of["data"].as_str().and_then(frame);
                if out.frame.is_none() {
                    out.say = self.taken();
                }
            }
            "Page.frameNavigated" if of["frame"]["parentId"].is_null() => {
                self.address = of["frame"]["url"].as_str().unwrap_or_default().to_owned();
                out.changed = true;
            }
            "Page.navigatedWithinDocument" => {
                self.address = of["url"].as_str().unwrap_or_default().to_owned();
                out.changed = true;
            }
            "Page.frameStartedLoading" => out.changed = !std::mem::replace(&mut self.loading, true),
            "Page.loadEventFired" | "Page.frameStoppedLoading" => {
                out.changed = std::mem::replace(&mut self.loading, false);
            }
            "Page.javascriptDialogOpening" => {
                let (kind, words) = (of["type"].as_str().unwrap_or_default(), &of["message"]);
                let words = words.as_str().unwrap_or_default().chars().filter(|c| !c.is_control());
                let words: String = words.take(MAX_QUESTION).collect();
                self.question = Some(Dialog { words, choice: kind != "alert" });
                if kind == "beforeunload" {
                    out.say = self.answer(true);
                }
                out.changed = true;
            }
            "Page.javascriptDialogClosed" => {
                self.question = None;
                out.changed = true;
            }
            _ => {}
        }
        out
    }

    fn answered(&mut self, id: u64, message: &Value) -> Outcome {
        let mut out = Outcome::default();
        let Some(at) = self.waits.iter().position(|(of, _)| *of == id) else { return out };
        let result = &message["result"];
        match self.waits.swap_remove(at).1 {
            Wait::Target => {
                self.target = result["targetId"].as_str().map(str::to_owned);
                let attach = json!({ "targetId": self.target, "flatten": true });
                out.say = vec![self.ask(Wait::Session, "Target.attachToTarget", attach)];
            }
            Wait::Session => {
                self.session = result["sessionId"].as_str().map(str::to_owned);
                out.crashed = self.session.is_none();
                out.say = self.arrange();
            }
            Wait::Navigated => {
                // The browser shows its own page about what is wrong.
                out.changed = self.loading && result["errorText"].is_string();
                self.loading &= !out.changed;
            }
            Wait::Back => {
                let at = result["currentIndex"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
                // The first may be the blank page that it began with.
                let before = at.checked_sub(1).map(|at| &result["entries"][at]);
                if let Some(before) = before.filter(|entry| entry["url"] != "about:blank") {
                    let entry = json!({ "entryId": before["id"] });
                    out.say = vec![self.request_page("Page.navigateToHistoryEntry", entry)];
                }
            }
        }
        out
    }

    /// What a new page needs once.
    fn arrange(&mut self) -> Vec<Value> {
        let touch = json!({ "enabled": true, "maxTouchPoints": 1 });
        let mut say = vec![
            self.request_page("Page.enable", json!({})),
            self.request_page("Inspector.enable", json!({})),
            self.metrics(),
            self.request_page("Emulation.setTouchEmulationEnabled", touch),
        ];
        if self.shown {
            say.extend(self.cast());
        }
        if let Some(address) = self.wanted.take() {
            say.extend(self.open(address));
        }
        say
    }

    /// A page that ours has opened: there is one tab, so it opens there.
    fn other_page(&mut self, of: &Value) -> Vec<Value> {
        let (Some(id), Some(address)) = (of["targetId"].as_str(), of["url"].as_str()) else {
            return Vec::new();
        };
        let is_ours = of["openerId"].as_str().is_some_and(|opener| Some(opener) == self.target.as_deref());
        if !is_ours || of["type"] != "page" || address.is_empty() || address == "about:blank" {
            return Vec::new();
        }
        let mut say = vec![self.request("Target.closeTarget", json!({ "targetId": id }))];
        if address.starts_with("https://") || address.starts_with("http://") {
            say.extend(self.open(address.to_owned()));
        }
        say
    }

    fn cast(&mut self) -> Vec<Value> {
        self.owed.clear();
        let whole = |length: u32| (length as f32 * self.size.scale).ceil() as u32;
        let (width, height) = (whole(self.size.width), whole(self.size.height));
        let cast = json!({ "format": "jpeg", "quality": 85, "maxWidth": width, "maxHeight": height });
        vec![self.request_page("Page.startScreencast", cast)]
    }

    fn metrics(&mut self) -> Value {
        let Size { width, height, scale } = self.size;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.request_page("Emulation.setDeviceMetricsOverride", size)
    }

    fn request(&mut self, method: &str, of: Value) -> Value {
        self.id += 1;
        json!({ "id": self.id, "method": method, "params": of })
    }

    fn request_page(&mut self, method: &str, of: Value) -> Value {
        let mut message = self.request(method, of);
        message["sessionId"] = self.session.clone().into();
        message
    }

    fn ask(&mut self, wait: Wait, method: &str, of: Value) -> Value {
        let message = self.request(method, of);
        self.waits.push((self.id, wait));
        message
    }

    fn ask_page(&mut self, wait: Wait, method: &str, of: Value) -> Value {
        let message = self.request_page(method, of);
        self.waits.push((self.id, wait));
        message
    }
}

/// Unpacks a picture; `None` when it is none or too large.
fn frame(base64: &str) -> Option<Frame> {
    let bytes = STANDARD.decode(base64).ok()?;
    let mut reader = ImageReader::with_format(std::io::Cursor::new(bytes), ImageFormat::Jpeg);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let picture = reader.decode().ok()?.into_rgb8();
    Some(Frame { width: picture.width(), height: picture.height(), rgb: picture.into_raw() })
}
