//! The administrator's page and its API by curl: for tests of what a program does there, where no browser is needed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The administrator.
pub const NAME: &str = "Marguerite";
/// Their password.
pub const PASSWORD: &str = "four swans over the weir";

/// Status and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code; 0 when there was none.
    pub status: u16,
    /// Body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }
}

/// A page on which somebody has signed in.
#[derive(Debug)]
pub struct Page {
    address: String,
    cookies: PathBuf,
    token: String,
}

impl Page {
    /// Makes the first administrator of a box with the code on its screen, and a token for the API that may write.
    /// `address` has no slash at its end.
    ///
    /// # Panics
    /// When that does not come about.
    #[must_use]
    #[track_caller]
    pub fn set_up(address: &str, code: &str, folder: &Path) -> Self {
        let cookies = folder.join("cookies");
        let mut page = Self { address: address.to_owned(), cookies, token: String::new() };
        let fields = [("code", code), ("name", NAME), ("password", PASSWORD), ("password-again", PASSWORD)];
        let made = page.submit("/setup", "/setup", &fields);
        assert!(made.status == 303, "no administrator was made: {} {}", made.status, made.body);
        let fields = [("token-name", "tests"), ("scope", "write"), ("token-your-password", PASSWORD)];
        let shown = page.submit("/accounts", "/tokens", &fields);
        page.token =
            between(&shown.body, "<code id=\"token\">", "</code>").expect("the page shows the token");
        page
    }

    /// Signs in again: who is signed in does not outlive the desk's program. The token does.
    ///
    /// # Panics
    /// When that does not come about.
    #[track_caller]
    pub fn sign_in(&self) {
        let done =
            self.submit("/sign-in", "/sign-in", &[("name", NAME), ("password", PASSWORD), ("to", "/")]);
        assert!(done.status == 303, "nobody is signed in: {} {}", done.status, done.body);
    }

    /// Looks at a page.
    ///
    /// # Panics
    /// When curl cannot be run.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.curl(&[""; 0], path)
    }

    /// Fills in the form of a page.
    ///
    /// # Panics
    /// When the page has no form.
    #[track_caller]
    pub fn submit(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(from);
        let token = between(&page.body, "name=\"form\" value=\"", "\"");
        let token = token.unwrap_or_else(|| panic!("{from} has no form: {} {}", page.status, page.body));
        let mut arguments = vec!["-H".to_owned(), "Sec-Fetch-Site: same-origin".to_owned()];
        for (name, value) in [("form", token.as_str())].iter().chain(fields) {
            arguments.extend(["--data-urlencode".to_owned(), format!("{name}={value}")]);
        }
        self.curl(&arguments, path)
    }

    /// Asks the API.
    ///
    /// # Panics
    /// When curl cannot be run.
    #[track_caller]
    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut arguments = self.api_arguments(method, "en");
        if let Some(body) = body {
            arguments.extend([
                "-H".into(),
                "Content-Type: application/json".into(),
                "-d".into(),
                body.to_string(),
            ]);
        }
        self.curl(&arguments, path)
    }

    /// Uploads a file to the API, in this language.
    ///
    /// # Panics
    /// When curl cannot be run.
    #[track_caller]
    pub fn upload(&self, path: &str, file: &Path, language: &str) -> Answer {
        let mut arguments = self.api_arguments("POST", language);
        arguments.extend(["-H".into(), "Content-Type: application/octet-stream".into()]);
        arguments.extend(["--data-binary".into(), format!("@{}", file.display())]);
        self.curl(&arguments, path)
    }

    fn api_arguments(&self, method: &str, language: &str) -> Vec<String> {
        let header = |text: String| ["-H".to_owned(), text];
        let mut arguments = vec!["-X".to_owned(), method.to_owned()];
        arguments.extend(header(format!("Authorization: Bearer {}", self.token)));
        arguments.extend(header(format!("Accept-Language: {language}")));
        arguments
    }

    #[track_caller]
    fn curl(&self, arguments: &[impl AsRef<OsStr>], path: &str) -> Answer {
        let mut command = Command::new("curl");
        // The box's certificate is its own.
        command.args(["-q", "-k", "-s", "-S", "--noproxy", "*", "--max-time", "300", "-w", "\n%{http_code}"]);
        command.arg("-b").arg(&self.cookies).arg("-c").arg(&self.cookies);
        command.args(arguments).arg(format!("{}{path}", self.address));
        let output = command.output().expect("curl is installed (package curl)");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
        let body =
            if body.is_empty() { String::from_utf8_lossy(&output.stderr).into_owned() } else { body.into() };
        Answer { status: status.trim().parse().unwrap_or(0), body }
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    Some(text.split_once(before)?.1.split_once(after)?.0.to_owned())
}
