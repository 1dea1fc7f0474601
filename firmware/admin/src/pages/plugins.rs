//! `/plugins`: what is installed, and the upload of another one.

use axum::{
    extract::{FromRequest, Multipart, Request, State, multipart::Field},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::{Language, MAX_PACKAGE, PluginView};
use maud::{Markup, html};
use std::sync::Arc;

use crate::{
    app::App,
    audit::Act,
    fault::Fault,
    guard::{self, FORM_FIELD, Signed},
    layout::{self, Place},
    pages::{Page, words},
    plugins::HostNow,
    random,
    text::{self, Text},
    uploads::{UploadProblem, Waiting},
};

/// What a multipart form may be larger than its file, in bytes.
const FORM_MARGIN: u64 = 64 * 1024;

/// The page of a plugin.
pub(crate) fn path(id: &str) -> String {
    format!("/plugins/{}", segment(id))
}

/// A text as one segment of a path: also `.`, `..`, `/` and `%`.
pub(crate) fn segment(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && text.len() > 2);
    text.bytes().fold(String::new(), |done, byte| {
        if plain(byte) {
            done + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            done + &format!("%{byte:02X}")
        }
    })
}

/// What stands where plugins would be while their host is away.
pub(crate) fn away(language: Language) -> Markup {
    html! { p.alert.bad #host-away { (text::HOST_AWAY.is(language)) } }
}

/// `GET /plugins`
pub(crate) async fn show(signed: Signed) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let host = signed.app.host.now();
    let body = html! {
        @match &*host {
            HostNow::Away(_) => (away(language)),
            HostNow::Here { version, plugins } => {
                @if plugins.is_empty() {
                    p.empty #no-plugins { (t(text::NO_PLUGINS)) }
                } @else {
                    (installed(plugins, language))
                }
                p.note { (text::HOST_VERSION.with(language, &[("version", version)])) }
            },
        }
        @if signed.may_write() && matches!(&*host, HostNow::Here { .. }) { (upload_form(&signed)) }
    };
    layout::page(&signed, Place::Plugins, t(text::PLUGINS), body)
}

fn installed(plugins: &[PluginView], language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let row = |plugin: &PluginView| {
        let (class, state) = words::state(&plugin.state, language);
        vec![
            html! { a href=(path(&plugin.id)) { (plugin.name) } br; span.note { (plugin.description) } },
            html! { (plugin.version) },
            html! { span.badge.(class) { (state) } },
            html! { @if let Some(directory) = &plugin.directory { (directory.contacts) } @else { "–" } },
        ]
    };
    let rows: Vec<Vec<Markup>> = plugins.iter().map(row).collect();
    let heads = [t(text::PLUGIN), t(text::VERSION), t(text::STATE), t(text::CONTACTS)];
    layout::table("plugins", t(text::PLUGINS_CAPTION), &heads, &rows)
}

fn upload_form(signed: &Signed) -> Markup {
    let t = |text: Text| text.is(signed.language);
    html! {
        section aria-labelledby="upload-title" {
            h2 #upload-title { (t(text::UPLOAD_TITLE)) }
            p { (t(text::UPLOAD_INTRO)) }
            form #upload-form method="post" action="/plugins/upload" enctype="multipart/form-data" data-progress {
                (layout::token(signed))
                div.field {
                    label for="file" { (t(text::UPLOAD_FILE)) }
                    input #file name="file" type="file" accept=".wasm,application/wasm" required;
                }
                button #upload type="submit" { (t(text::UPLOAD_GO)) }
            }
        }
    }
}

/// `POST /plugins/upload`
pub(crate) async fn upload(State(app): State<Arc<App>>, signed: Signed, request: Request) -> Page {
    let language = signed.language;
    let fault = |status, words| Fault::new(status, language, words).into_response();
    guard::ours(request.headers()).map_err(|words| fault(StatusCode::FORBIDDEN, words))?;
    if !signed.may_write() {
        return Err(fault(StatusCode::FORBIDDEN, text::READS_ONLY));
    }
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_PACKAGE + FORM_MARGIN) {
        // A browser that is still sending may never read this answer: the next page says it too.
        let _ = signed.failed("/plugins", text::UPLOAD_TOO_LARGE.is(language));
        return Err(fault(StatusCode::PAYLOAD_TOO_LARGE, text::UPLOAD_TOO_LARGE));
    }
    let unreadable = || fault(StatusCode::BAD_REQUEST, text::FORM_UNREADABLE);
    let mut form = Multipart::from_request(request, &app).await.map_err(|_| unreadable())?;
    // The token comes first: not a byte of the file is looked at before it is right.
    let first = form.next_field().await.map_err(|_| unreadable())?;
    let token = match first {
        Some(field) if field.name() == Some(FORM_FIELD) => short(field).await.ok_or_else(unreadable)?,
        _ => String::new(),
    };
    if !random::same(&token, &signed.session.form_token) {
        return Err(fault(StatusCode::FORBIDDEN, text::FORM_OLD));
    }
    let field = match form.next_field().await {
        Ok(Some(field)) if field.name() == Some("file") => field,
        Ok(_) => return Ok(signed.failed("/plugins", text::UPLOAD_EMPTY.is(language))),
        Err(_) => return Err(unreadable()),
    };
    match receive(&app, field).await {
        Ok(waiting) => {
            let inspection = &waiting.inspection;
            let detail = format!("{} {}", inspection.id, inspection.version);
            app.audit(&signed.actor(), Act::PluginUploaded, detail).await;
            let to = format!("/plugins/uploads/{}", waiting.key);
            Ok(axum::response::Redirect::to(&to).into_response())
        }
        Err(problem) => Ok(signed.failed("/plugins", refusal(&problem, language).1)),
    }
}

async fn receive(app: &App, mut field: Field<'_>) -> Result<Waiting, UploadProblem> {
    let mut incoming = app.uploads.begin()?;
    loop {
        match field.chunk().await {
            Ok(Some(bytes)) => incoming.push(&bytes).await?,
            Ok(None) => break,
            Err(_) => return Err(UploadProblem::BrokenOff),
        }
    }
    app.uploads.inspect(incoming).await
}

/// A short text field.
pub(crate) async fn short(mut field: Field<'_>) -> Option<String> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.ok()? {
        text.extend_from_slice(&bytes);
        if text.len() > 1024 {
            return None;
        }
    }
    String::from_utf8(text).ok()
}

/// What went wrong with an upload, with the status that says whose fault it was.
pub(crate) fn refusal(problem: &UploadProblem, language: Language) -> (StatusCode, String) {
    let say = |status, words: Text| (status, words.is(language).to_owned());
    match problem {
        UploadProblem::TooLarge => say(StatusCode::PAYLOAD_TOO_LARGE, text::UPLOAD_TOO_LARGE),
        UploadProblem::Empty => say(StatusCode::UNPROCESSABLE_ENTITY, text::UPLOAD_EMPTY),
        UploadProblem::Busy => say(StatusCode::TOO_MANY_REQUESTS, text::UPLOAD_BUSY),
        UploadProblem::BrokenOff => say(StatusCode::BAD_REQUEST, text::UPLOAD_BROKEN_OFF),
        UploadProblem::Disk(reason) => {
            let reason = text::PROBLEM_DISK.with(language, &[("reason", reason)]);
            (StatusCode::INSUFFICIENT_STORAGE, text::PROBLEM.with(language, &[("reason", &reason)]))
        }
        UploadProblem::Host(problem) => words::refusal(problem, language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_s_name_is_one_segment_of_a_path() {
        assert_eq!(path("org.example.ldap"), "/plugins/org.example.ldap");
        assert_eq!(path("../a b?é"), "/plugins/..%2Fa%20b%3F%C3%A9");
        assert_eq!(path(".."), "/plugins/%2E%2E");
    }
}
