//! `/plugins`: what is installed, and the upload of another one.

use axum::{
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::Stream;
use ipc::{Language, MAX_PACKAGE, PluginView};
use maud::{Markup, html};

use crate::{
    app::App,
    audit::Act,
    guard::{PostedParts, Signed},
    layout::{self, Place},
    pages::{Page, said::Said, words},
    parts::{FORM_MARGIN, piece},
    plugins::HostNow,
    text::{self, Text},
    uploads::{UploadProblem, Waiting},
};

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
            html! { span.badge.(class) { (state.words) } (state.quote(language)) },
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
pub(crate) async fn upload(PostedParts { signed, announced, mut parts }: PostedParts) -> Page {
    let (app, language) = (&signed.app, signed.language);
    if announced.is_some_and(|bytes| bytes > MAX_PACKAGE + FORM_MARGIN as u64) {
        // A browser that is still sending may never read this answer: the next page says it too.
        let _ = signed.failed("/plugins", text::UPLOAD_TOO_LARGE.is(language));
        return Err(signed.fault(StatusCode::PAYLOAD_TOO_LARGE, text::UPLOAD_TOO_LARGE));
    }
    let field = match parts.next().await? {
        Some(field) if field.name() == Some("file") => field,
        _ => return Ok(signed.failed("/plugins", text::UPLOAD_EMPTY.is(language))),
    };
    match receive(app, field).await {
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

/// Takes a package as it comes, and has the host look at it.
pub(crate) async fn receive<E>(
    app: &App,
    mut source: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Waiting, UploadProblem> {
    let mut incoming = app.uploads.begin()?;
    while let Some(bytes) = piece(&mut source).await.map_err(|_| UploadProblem::BrokenOff)? {
        incoming.push(&bytes).await?;
    }
    app.uploads.inspect(incoming).await
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
            let said = Said::with_detail(text::PROBLEM_DISK.is(language), reason);
            (StatusCode::INSUFFICIENT_STORAGE, said.within(text::PROBLEM, language).line(language))
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
