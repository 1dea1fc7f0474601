//! `/directories/import`: what came of a file of contacts (DIR-3), its upload, and the form for it on the page of the
//! directories.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ipc::{CommandError, DirectoryView, EditProblem, ImportReport, ImportView, Language, RowFault, View};
use maud::{Markup, html};
use tracing::warn;

use crate::{
    fault::Fault,
    form::Form,
    guard::{FormParts, PostedParts, Signed},
    imports::{ContactsProblem, MAX_BYTES, Outcome, Target, take},
    layout::{self, Place},
    pages::{Page, said::Said},
    parts::{FORM_MARGIN, short},
    sounds::plain_name,
    spool::SpoolError,
    text::{self, Text},
};

/// Where the result is told.
const PAGE: &str = "/directories/import";
/// Rows left out that the page lists; the API tells all that the desk lists.
const SHOWN: usize = 100;
/// Longest name of a directory, in bytes.
const MAX_NAME: usize = 128;
/// The kinds of a new directory, as the form says them.
const LOCAL: &str = "local";
const EXTERNAL: &str = "external";

/// `POST /directories/upload`
pub(crate) async fn upload(PostedParts { signed, announced, mut parts }: PostedParts) -> Page {
    if announced.is_some_and(|bytes| bytes > MAX_BYTES + FORM_MARGIN as u64) {
        return Err(not_taken(&signed, &SpoolError::TooLarge));
    }
    let chosen = typed(&mut parts, "directory").await?;
    let name = typed(&mut parts, "directory-name").await?;
    let kind = typed(&mut parts, "directory-kind").await?;
    let found = target(&signed.app.view(), &chosen, &name, kind == LOCAL);
    let target = found.map_err(|words| signed.fault(StatusCode::UNPROCESSABLE_ENTITY, words))?;
    let field = match parts.next().await? {
        Some(field) if field.name() == Some("file") => field,
        _ => return Err(not_taken(&signed, &SpoolError::Empty)),
    };
    let file = plain_name(field.file_name());
    // What comes of it is told by the page, to whoever looks; the desk does not wait for the browser.
    match take(&signed.app, signed.actor(), target, file, announced, field).await {
        Ok(_) => Ok(layout::go(PAGE)),
        Err(refused) => Err(not_taken(&signed, &refused)),
    }
}

/// A text field of the form; empty when something else comes.
async fn typed(parts: &mut FormParts, name: &str) -> Result<String, Response> {
    match parts.next().await? {
        Some(field) if field.name() == Some(name) => {
            Ok(short(field).await.unwrap_or_default().trim().to_owned())
        }
        _ => Ok(String::new()),
    }
}

/// The directory that was chosen by its number, or the new one.
fn target(view: &View, chosen: &str, name: &str, local: bool) -> Result<Target, Text> {
    if chosen.is_empty() {
        return named(name, local);
    }
    let is_it = |directory: &&DirectoryView| directory.id.0.to_string() == chosen;
    let directory = view.directories.iter().find(is_it).ok_or(text::LOAD_GONE)?;
    if directory.source.is_some() {
        return Err(text::LOAD_KEPT);
    }
    Ok(Target { directory: directory.name.clone(), local: directory.local })
}

/// A directory by its name.
pub(crate) fn named(name: &str, local: bool) -> Result<Target, Text> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(text::LOAD_NO_NAME);
    }
    Ok(Target { directory: name.to_owned(), local })
}

fn not_taken(signed: &Signed, refused: &SpoolError) -> Response {
    let (status, words) = why(refused, signed.language);
    if matches!(refused, SpoolError::TooLarge | SpoolError::NoRoom | SpoolError::Busy) {
        // A browser that is still sending may never read this answer: the next page says it too.
        let _ = signed.failed("/directories", words.clone());
    }
    Fault::saying(status, signed.language, words).into_response()
}

/// What is said of a file that was not taken.
pub(crate) fn why(refused: &SpoolError, language: Language) -> (StatusCode, String) {
    let plain = |status, words: Text| (status, words.is(language).to_owned());
    match refused {
        SpoolError::Busy => plain(StatusCode::TOO_MANY_REQUESTS, text::LOAD_BUSY),
        SpoolError::Empty => plain(StatusCode::UNPROCESSABLE_ENTITY, text::LOAD_EMPTY),
        SpoolError::TooLarge => plain(StatusCode::PAYLOAD_TOO_LARGE, text::LOAD_TOO_LARGE),
        SpoolError::BrokenOff => plain(StatusCode::BAD_REQUEST, text::LOAD_BROKEN_OFF),
        SpoolError::NoRoom => plain(StatusCode::INSUFFICIENT_STORAGE, text::LOAD_NO_ROOM),
        SpoolError::Disk(error) => {
            warn!(%error, "a file of contacts could not be kept");
            plain(StatusCode::SERVICE_UNAVAILABLE, text::STORAGE_FAILED)
        }
    }
}

/// Why the desk took nothing of a file.
pub(crate) fn problem(problem: &ContactsProblem, language: Language) -> (StatusCode, Said) {
    let wrong = |words: Text| (StatusCode::UNPROCESSABLE_ENTITY, Said::plain(words.is(language)));
    let not_now = |words: Text| (StatusCode::CONFLICT, Said::plain(words.is(language)));
    match problem {
        ContactsProblem::NoHeader => wrong(text::LOAD_NO_HEADER),
        ContactsProblem::Semicolons => wrong(text::LOAD_SEMICOLONS),
        ContactsProblem::Tabs => wrong(text::LOAD_TABS),
        ContactsProblem::Utf16 => wrong(text::LOAD_UTF_16),
        ContactsProblem::ColumnTwice { column } => {
            let words = text::LOAD_TWICE.with(language, &[("column", column)]);
            (StatusCode::UNPROCESSABLE_ENTITY, Said::plain(words))
        }
        ContactsProblem::Unreadable => {
            (StatusCode::SERVICE_UNAVAILABLE, Said::plain(text::STORAGE_FAILED.is(language)))
        }
        ContactsProblem::NoAnswer => {
            (StatusCode::SERVICE_UNAVAILABLE, Said::plain(text::LOAD_NO_ANSWER.is(language)))
        }
        ContactsProblem::Desk(CommandError::ImportRuns) => not_now(text::LOAD_BUSY),
        ContactsProblem::Desk(CommandError::Edit(EditProblem::KeptByConnector)) => not_now(text::LOAD_KEPT),
        ContactsProblem::Desk(CommandError::Edit(EditProblem::DirectoryFull)) => not_now(text::LOAD_FULL),
        ContactsProblem::Desk(CommandError::Edit(EditProblem::NoSuchDirectory)) => not_now(text::LOAD_GONE),
        ContactsProblem::Desk(CommandError::Edit(EditProblem::EmptyName | EditProblem::BadName)) => {
            wrong(text::LOAD_NO_NAME)
        }
        ContactsProblem::Desk(other) => {
            (StatusCode::CONFLICT, Said::with_detail(text::LOAD_CANCELLED.is(language), other))
        }
    }
}

/// What is wrong with a row: the column, where it is one, and why.
pub(crate) fn row(fault: &RowFault, language: Language) -> (Option<&str>, String) {
    let plain = |text: Text| text.is(language).to_owned();
    match fault {
        RowFault::Endless => (None, plain(text::ROW_ENDLESS)),
        RowFault::Cells { cells, columns } => {
            (None, text::ROW_CELLS.with(language, &[("cells", cells), ("columns", columns)]))
        }
        RowFault::Empty => (None, plain(text::ROW_EMPTY)),
        RowFault::TooLong { column, bytes, most } => {
            (Some(column.as_str()), text::ROW_TOO_LONG.with(language, &[("bytes", bytes), ("most", most)]))
        }
        RowFault::ControlCharacter { column, .. } => (Some(column.as_str()), plain(text::ROW_CONTROL)),
        RowFault::Alert { letter } => (Some("alert"), text::ROW_ALERT.with(language, &[("found", letter)])),
        RowFault::Presence { found } => {
            (Some("presence"), text::ROW_PRESENCE.with(language, &[("found", found)]))
        }
        RowFault::PictureType { found } => {
            (Some("picturetype"), text::ROW_PICTURE_TYPE.with(language, &[("found", found)]))
        }
        RowFault::NoPicture => (Some("picture"), plain(text::ROW_NO_PICTURE)),
        RowFault::OtherPicture { found, said } => {
            (Some("picture"), text::ROW_OTHER_PICTURE.with(language, &[("found", found), ("said", said)]))
        }
        RowFault::PictureTooLarge { most } => {
            (Some("picture"), text::ROW_PICTURE_LARGE.with(language, &[("most", most)]))
        }
        RowFault::PictureEncoding => (Some("picture"), plain(text::ROW_PICTURE_ENCODING)),
        RowFault::PictureDimensions { width, height } => {
            let values: [(&str, &dyn std::fmt::Display); 2] = [("width", width), ("height", height)];
            (Some("picture"), text::ROW_PICTURE_PIXELS.with(language, &values))
        }
        // What the reader of its type said is English, and for the log.
        RowFault::PictureBroken { .. } => (Some("picture"), plain(text::ROW_PICTURE_BROKEN)),
    }
}

/// What a file is called; one without a name has words for that.
fn file_words(outcome: &Outcome, language: Language) -> &str {
    if outcome.file.is_empty() { text::LOAD_UNNAMED.is(language) } else { &outcome.file }
}

/// `GET /directories/import`
pub(crate) async fn show(signed: Signed) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    // Asked for in this order: who is at rest has told what came of it.
    let is_busy = signed.app.imports.is_busy();
    let (view, last) = (signed.app.view(), signed.app.imports.last());
    let body = html! {
        section #standing aria-labelledby="import-title" {
            h2 #import-title { (t(text::LOAD_LAST)) }
            @if is_busy {
                (running(view.import.as_ref(), language))
            } @else if let Some(outcome) = &last {
                (told(outcome, language))
            } @else {
                p.empty { (t(text::LOAD_NOTHING)) }
            }
        }
        p { a href="/directories" { (t(text::LOAD_BACK)) } }
    };
    layout::page(&signed, Place::Directories, t(text::LOAD_TITLE), body)
}

fn running(import: Option<&ImportView>, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    html! {
        p role="status" { (t(text::LOAD_RUNS)) }
        @match import {
            Some(import) if import.of_bytes > 0 => {
                progress aria-label=(t(text::PROGRESS)) max=(import.of_bytes) value=(import.bytes) {}
                (layout::facts("so-far", &[(t(text::LOAD_ADDED), html! { (import.contacts) })]))
            },
            _ => progress aria-label=(t(text::PROGRESS)) {},
        }
        p { a href=(PAGE) { (t(text::LOAD_LOOK)) } }
    }
}

fn told(outcome: &Outcome, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let file = file_words(outcome, language);
    html! {
        @match &outcome.result {
            Ok(report) => {
                (layout::facts("imported", &[
                    (t(text::LOAD_OF), html! { (file) }),
                    (t(text::LOAD_DIRECTORY), html! { (outcome.directory) }),
                    (t(text::LOAD_ADDED), html! { (report.loaded) }),
                    (t(text::LOAD_REFUSED), html! { (report.left_out) }),
                ]))
                @if !report.unknown_columns.is_empty() {
                    (layout::facts("unknown-columns", &[
                        (t(text::LOAD_UNKNOWN), html! { (report.unknown_columns.join(", ")) }),
                    ]))
                }
                (refused_rows(report, language))
            },
            Err(reason) => {
                (layout::facts("imported", &[
                    (t(text::LOAD_OF), html! { (file) }),
                    (t(text::LOAD_DIRECTORY), html! { (outcome.directory) }),
                ]))
                p.alert.bad #not-imported role="alert" { (problem(reason, language).1.markup(language)) }
            },
        }
    }
}

fn refused_rows(report: &ImportReport, language: Language) -> Markup {
    let t = |text: Text| text.is(language);
    let listed = report.problems.iter().take(SHOWN).map(|problem| {
        let (column, words) = row(&problem.fault, language);
        vec![
            html! { (problem.line) },
            html! { @if let Some(column) = column { code { (column) } } @else { "–" } },
            html! { (words) },
        ]
    });
    let rows: Vec<Vec<Markup>> = listed.collect();
    let heads = [t(text::LOAD_ROW), t(text::LOAD_COLUMN), t(text::LOAD_WHY)];
    html! {
        @if !rows.is_empty() {
            (layout::table("refused-rows", t(text::LOAD_ROWS), &heads, &rows))
            @if report.left_out as usize > rows.len() {
                p.note { (text::LOAD_FIRST.with(language, &[("count", &rows.len())])) }
            }
        }
    }
}

/// The section of the page of the directories.
pub(crate) fn section(signed: &Signed, view: &View) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    html! {
        section aria-labelledby="load-title" {
            h2 #load-title { (t(text::LOAD_TITLE)) }
            p.lead { (t(text::LOAD_INTRO)) }
            @if signed.may_write() { (upload_form(signed, view)) }
            p { a href=(PAGE) { (t(text::LOAD_LAST)) } }
        }
    }
}

fn upload_form(signed: &Signed, view: &View) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let by_hand = view.directories.iter().filter(|directory| directory.source.is_none());
    let mut places: Vec<(String, String)> =
        by_hand.map(|directory| (directory.id.0.to_string(), directory.name.clone())).collect();
    places.push((String::new(), t(text::LOAD_NEW).to_owned()));
    let first = places.first().map_or("", |(id, _)| id.as_str());
    let kinds =
        [(LOCAL.to_owned(), t(text::LOCAL).to_owned()), (EXTERNAL.to_owned(), t(text::EXTERNAL).to_owned())];
    let form = Form::new(signed, None);
    html! {
        form #load-form method="post" action="/directories/upload" enctype="multipart/form-data" data-progress {
            (layout::token(signed))
            (form.choice("directory", text::LOAD_INTO, first, &places, None))
            div.field {
                label for="directory-name" { (t(text::LOAD_NAME)) }
                input #directory-name name="directory-name" type="text" maxlength="128" autocomplete="off";
            }
            (form.choice("directory-kind", text::LOAD_KIND, EXTERNAL, &kinds, None))
            div.field {
                label for="contacts-file" { (t(text::LOAD_FILE)) }
                input #contacts-file name="file" type="file" accept=".csv,text/csv" required
                    aria-describedby="contacts-file-hint";
                p.hint #contacts-file-hint { (t(text::LOAD_FILE_HINT)) }
            }
            button #load type="submit" { (t(text::LOAD_GO)) }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn dir_3_a_new_directory_has_a_name_and_one_that_is_gone_takes_nothing() {
        let view = View::default();
        let staff = Target { directory: "Staff".into(), local: true };
        assert_eq!(target(&view, "", " Staff ", true), Ok(staff));
        for name in ["", " ", "a\u{7}b", "é".repeat(65).as_str()] {
            assert_eq!(target(&view, "", name, false), Err(text::LOAD_NO_NAME), "{name:?}");
        }
        assert_eq!(target(&view, "7", "Staff", false), Err(text::LOAD_GONE));
    }

    #[test]
    fn dir_3_acc_4_rows_and_files_are_refused_in_both_languages() {
        let cells = RowFault::Cells { cells: 3, columns: 2 };
        assert_eq!(row(&cells, Language::English), (None, "it has 3 cells, the first line has 2".into()));
        let alert = RowFault::Alert { letter: 'x' };
        let (column, french) = row(&alert, Language::French);
        assert_eq!((column, french.starts_with("« x »")), (Some("alert"), true));
        let long = RowFault::TooLong { column: "note".into(), bytes: 70_000, most: 65_536 };
        assert_eq!(row(&long, Language::English).0, Some("note"));
        for reason in [
            ContactsProblem::NoHeader,
            ContactsProblem::Semicolons,
            ContactsProblem::Tabs,
            ContactsProblem::Utf16,
            ContactsProblem::ColumnTwice { column: "phone".into() },
            ContactsProblem::NoAnswer,
            ContactsProblem::Desk(CommandError::ImportRuns),
            ContactsProblem::Desk(CommandError::Edit(EditProblem::KeptByConnector)),
            ContactsProblem::Desk(CommandError::Failed { reason: "no".into() }),
        ] {
            let (en, fr) = (problem(&reason, Language::English), problem(&reason, Language::French));
            assert!(!en.0.is_success() && en.1.words != fr.1.words, "{reason:?}");
        }
        let (status, said) = problem(&ContactsProblem::Semicolons, Language::English);
        assert_eq!((status, said.words.contains("semicolons")), (StatusCode::UNPROCESSABLE_ENTITY, true));
    }
}
