//! `/backup`: everything in one file, and back from it (APP-2).

use std::{io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::multipart::Field,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use ipc::Language;
use maud::{Markup, html};
use tokio::{sync::mpsc, task::spawn_blocking};
use tracing::warn;

use crate::{
    app::App,
    audit::Act,
    backup::{self, BackupProblem, Origin, Prepared, RestoreProblem, Waiting},
    fault::Fault,
    fields::Fields,
    guard::{Posted, PostedParts, Signed},
    layout::{self, Place},
    pages::{Page, own, words},
    parts::{piece, short},
    pipe::{Pipe, Spout},
    text::{self, Text},
};

/// `GET /backup`
pub(crate) async fn show(signed: Signed) -> Page {
    let t = |text: Text| text.is(signed.language);
    let db = signed.app.db.clone();
    let waiting = spawn_blocking(move || backup::waiting(&db)).await.unwrap_or(None);
    let body = html! {
        @if let Some(waiting) = &waiting { (waits(&signed, waiting)) }
        section aria-labelledby="make-title" {
            h2 #make-title { (t(text::BACKUP_MAKE)) }
            p { (t(text::BACKUP_HAS)) }
            p.note { (t(text::BACKUP_HAS_NOT)) }
            @if signed.may_write() {
                form #make-form method="post" action="/backup" {
                    (layout::token(&signed))
                    (layout::field("passphrase", "password", t(text::BACKUP_PASSPHRASE), "", "off", Some(t(text::BACKUP_PASSPHRASE_HINT))))
                    (layout::field("passphrase-again", "password", t(text::BACKUP_PASSPHRASE_AGAIN), "", "off", None))
                    (layout::field("password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                    button #make-backup type="submit" { (t(text::BACKUP_DOWNLOAD)) }
                }
            }
        }
        @if signed.may_write() {
            section aria-labelledby="restore-title" {
                h2 #restore-title { (t(text::RESTORE)) }
                p { (t(text::RESTORE_HOW)) }
                form #restore-form method="post" action="/backup/upload" enctype="multipart/form-data" data-progress {
                    (layout::token(&signed))
                    (layout::field("restore-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                    (layout::field("restore-passphrase", "password", t(text::RESTORE_PASSPHRASE), "", "off", None))
                    div.field {
                        label for="file" { (t(text::RESTORE_FILE)) }
                        input #file name="file" type="file" accept=".fdbackup" required;
                    }
                    button #upload-backup type="submit" { (t(text::RESTORE_UPLOAD)) }
                }
            }
        }
    };
    Ok(layout::page(&signed, Place::Backup, t(text::BACKUP), body))
}

/// A backup that waits for the next start.
fn waits(signed: &Signed, waiting: &Waiting) -> Markup {
    let t = |text: Text| text.is(signed.language);
    let Waiting { contents, origin, contacts, calls } = waiting;
    let has_certificate = contents.has_certificate();
    html! {
        section aria-labelledby="waits-title" {
            h2 #waits-title { (t(text::RESTORE_WAITS)) }
            p { (t(text::RESTORE_WAITS_HINT)) }
            (layout::facts("waits", &[
                (t(text::RESTORE_MADE), layout::moment(contents.made_ms)),
                (t(text::RESTORE_ON), html! { (contents.host) " (" (contents.version) ")" }),
                (t(text::RESTORE_BY), html! { (origin.who) }),
                (t(text::CONTACTS), html! { (contacts) }),
                (t(text::RESTORE_CALLS), html! { (calls) }),
                (t(text::RESTORE_SOUNDS), html! { (contents.sounds()) }),
                (t(text::CERTIFICATE), html! { (t(if has_certificate { text::RESTORE_WITH } else { text::RESTORE_WITHOUT })) }),
            ]))
            @if signed.may_write() {
                form #restart-form method="post" action="/backup/restart" {
                    (layout::token(signed))
                    (layout::field("restart-password", "password", t(text::INSTALL_PASSWORD), "", "current-password", None))
                    button.danger #restart type="submit" { (t(text::RESTORE_NOW)) }
                }
                (layout::action(signed, "discard", "/backup/discard", t(text::RESTORE_DISCARD), "quiet"))
            }
        }
    }
}

/// `POST /backup`
pub(crate) async fn make(Posted { signed, fields }: Posted) -> Response {
    let language = signed.language;
    let passphrase = fields.get("passphrase").to_owned();
    if let Err(words) = chosen(&fields, language) {
        return signed.failed("/backup", words);
    }
    if let Err(words) = own::confirm(&signed, fields.get("password")).await {
        return signed.failed("/backup", words);
    }
    match stream(&signed.app, passphrase).await {
        Ok(response) => {
            signed.app.audit(&signed.actor(), Act::BackupMade, "").await;
            response
        }
        Err(problem) => signed.failed("/backup", no_backup(&problem, language).1),
    }
}

/// `POST /backup/upload`
pub(crate) async fn upload(PostedParts { signed, mut parts, .. }: PostedParts) -> Page {
    let unreadable = || signed.fault(StatusCode::BAD_REQUEST, text::FORM_UNREADABLE);
    let (mut password, mut passphrase) = (String::new(), String::new());
    while let Some(field) = parts.next().await? {
        match field.name() {
            Some("restore-password") => password = short(field).await.ok_or_else(unreadable)?,
            Some("restore-passphrase") => passphrase = short(field).await.ok_or_else(unreadable)?,
            Some("file") => {
                if let Err(words) = own::confirm(&signed, &password).await {
                    return Err(Fault::saying(StatusCode::FORBIDDEN, signed.language, words).into_response());
                }
                return taken(&signed, receive(&signed, passphrase, field).await).await;
            }
            _ => return Err(unreadable()),
        }
    }
    Err(signed.fault(StatusCode::UNPROCESSABLE_ENTITY, text::RESTORE_NO_FILE))
}

async fn taken(signed: &Signed, done: Result<Waiting, Refusal>) -> Page {
    match done {
        Ok(waiting) => {
            let made = backup::made_words(&waiting.contents);
            signed.app.audit(&signed.actor(), Act::RestoreUploaded, made).await;
            Ok(signed.done("/backup", text::RESTORE_TAKEN.is(signed.language)))
        }
        Err(refusal) => {
            let (status, words) = refused(&refusal, signed.language);
            Err(Fault::saying(status, signed.language, words).into_response())
        }
    }
}

/// `POST /backup/discard`
pub(crate) async fn discard(Posted { signed, .. }: Posted) -> Response {
    let db = signed.app.db.clone();
    let done = spawn_blocking(move || backup::discard(&db)).await;
    match done.map_err(io::Error::other).and_then(|done| done) {
        Ok(()) => {
            signed.app.audit(&signed.actor(), Act::RestoreDiscarded, "").await;
            signed.done("/backup", text::RESTORE_DISCARDED.is(signed.language))
        }
        Err(problem) => {
            warn!(%problem, "a backup that waits could not be discarded");
            signed.failed("/backup", text::STORAGE_FAILED.is(signed.language))
        }
    }
}

/// `POST /backup/restart`
pub(crate) async fn restart(Posted { signed, fields }: Posted) -> Response {
    let language = signed.language;
    if let Err(words) = own::confirm(&signed, fields.get("restart-password")).await {
        return signed.failed("/backup", words);
    }
    // Before the desk is asked: afterwards nobody writes it down.
    signed.app.audit(&signed.actor(), Act::Restarted, "").await;
    if !signed.app.desk.restart().await {
        return signed.failed("/backup", text::RESTART_CALLS.is(language));
    }
    let body = html! {
        p role="status" class="alert good" { (text::RESTARTING.is(language)) }
        p { a.button href="/" { (text::BACK_TO_START.is(language)) } }
    };
    layout::bare(language, text::RESTARTING_TITLE.is(language), body)
}

/// Whether a passphrase was chosen well.
fn chosen(fields: &Fields, language: Language) -> Result<(), &'static str> {
    let passphrase = fields.get("passphrase");
    let problem = match passphrase.chars().count() {
        _ if passphrase != fields.get("passphrase-again") => text::BACKUP_PASSPHRASE_DIFFERENT,
        count if count < backup::SHORTEST => text::BACKUP_PASSPHRASE_SHORT,
        _ if passphrase.len() > backup::LONGEST => text::BACKUP_PASSPHRASE_LONG,
        _ => return Ok(()),
    };
    Err(problem.is(language))
}

/// Why no backup can be made now.
pub(crate) enum NoBackup {
    /// Another one is being made or read.
    Busy,
    Problem(BackupProblem),
}

/// Makes a backup and sends it as it comes into being.
pub(crate) async fn stream(app: &Arc<App>, passphrase: String) -> Result<Response, NoBackup> {
    let place = Arc::clone(&app.backing_up).try_acquire_owned().map_err(|_| NoBackup::Busy)?;
    let (db, config) = (app.db.clone(), app.config.clone());
    let prepared =
        spawn_blocking(move || Prepared::new(&db, &config.state, &config.version, &config.host_name));
    let prepared = prepared.await.map_err(io::Error::other).map_err(BackupProblem::Disk);
    let prepared = prepared.and_then(|prepared| prepared).map_err(NoBackup::Problem)?;
    let length = prepared.length();
    let (sender, mut receiver) = mpsc::channel(4);
    spawn_blocking(move || {
        let sent = prepared.write(&passphrase, Spout::new(sender.clone()));
        if let Err(problem) = sent {
            warn!(%problem, "a backup broke off");
            // The browser shall see that it is not whole.
            let _ = sender.blocking_send(Err(problem));
        }
        drop(place);
    });
    let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    let name = format!("frontdesk-{}.fdbackup", chrono::Local::now().format("%Y-%m-%d-%H%M"));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// What is said where no backup can be made.
pub(crate) fn no_backup(problem: &NoBackup, language: Language) -> (StatusCode, String) {
    let (status, words) = match problem {
        NoBackup::Busy => (StatusCode::TOO_MANY_REQUESTS, text::BACKUP_BUSY),
        NoBackup::Problem(BackupProblem::NoRoom) => (StatusCode::INSUFFICIENT_STORAGE, text::BACKUP_NO_ROOM),
        NoBackup::Problem(problem) => {
            warn!(%problem, "a backup could not be made");
            (StatusCode::SERVICE_UNAVAILABLE, text::STORAGE_FAILED)
        }
    };
    (status, words.is(language).to_owned())
}

/// Why a backup was not taken.
enum Refusal {
    Busy,
    TooLarge,
    BrokenOff,
    Problem(RestoreProblem),
}

/// Reads a backup as it comes; what breaks off is not whole, and is refused as such.
async fn receive(signed: &Signed, passphrase: String, mut field: Field<'_>) -> Result<Waiting, Refusal> {
    let place = Arc::clone(&signed.app.backing_up).try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let (sender, receiver) = mpsc::channel::<Bytes>(4);
    let (db, actor) = (signed.app.db.clone(), signed.actor());
    let origin = Origin { who: actor.who, from: actor.from.to_string() };
    let work = spawn_blocking(move || {
        let staged = backup::stage(&db, Pipe::new(receiver), &passphrase, origin);
        drop(place);
        staged
    });
    let mut bytes = 0_u64;
    let stopped = loop {
        match piece(&mut field).await {
            Ok(None) => break None,
            Ok(Some(chunk)) => {
                bytes += chunk.len() as u64;
                if bytes > backup::MAX_FILE {
                    break Some(Refusal::TooLarge);
                }
                // Whoever reads it knows why it stopped; what still comes is read, so that the browser hears of it.
                let _ = sender.send(chunk).await;
            }
            Err(_) => break Some(Refusal::BrokenOff),
        }
    };
    drop(sender);
    let staged = work.await.map_err(|error| Refusal::Problem(io::Error::other(error).into()))?;
    match stopped {
        // What was cut cannot have been whole; were it, it would wait, and the page would say so.
        Some(refusal) if staged.is_err() => Err(refusal),
        _ => staged.map_err(Refusal::Problem),
    }
}

fn refused(refusal: &Refusal, language: Language) -> (StatusCode, String) {
    let said = |status, words: Text| (status, words.is(language).to_owned());
    match refusal {
        Refusal::Busy => said(StatusCode::TOO_MANY_REQUESTS, text::BACKUP_BUSY),
        Refusal::TooLarge => said(StatusCode::PAYLOAD_TOO_LARGE, text::RESTORE_TOO_LARGE),
        Refusal::BrokenOff => said(StatusCode::BAD_REQUEST, text::RESTORE_BROKEN_OFF),
        Refusal::Problem(problem) => {
            warn!(%problem, "a backup was refused");
            let reason = words::restore(problem, language);
            let status = match problem {
                RestoreProblem::NoRoom | RestoreProblem::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            (status, text::RESTORE_REFUSED.with(language, &[("reason", &reason)]))
        }
    }
}
