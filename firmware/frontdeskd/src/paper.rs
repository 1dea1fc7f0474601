//! What a client asks of the disk and of customer databases: the log, contacts in full, pictures, files, and every change of directories, of the note and of reminders.
//!
//! None of it goes through the engine, and no client's calls wait for it; see `Reader::aside` in `socket`.

use base64::{Engine, engine::general_purpose::STANDARD};
use directory::PictureType;
use ipc::{
    CallRef, Command, CommandError, ContactId, ContactPicture, FromDesk, OperatorId, PictureKind, Query,
    Reply,
};

use crate::{
    imports,
    marks::Which,
    records::Records,
    socket::{self, Desk},
};

/// The command changes directories, the note or reminders, writes into a customer database or marks a call; the engine has no part in it,
/// or not all.
pub(crate) fn is_its_business(command: &Command) -> bool {
    use Command::{AddItem, CancelImport, Edit, ExportContacts, ImportContacts, MarkCall, MarkLoggedCall};
    let is_mark = matches!(command, MarkCall { .. } | MarkLoggedCall { .. });
    let is_note = matches!(command, Command::DraftNote { .. } | Command::SaveNote { .. });
    let is_reminder = matches!(command, Command::Reminder(_));
    is_mark
        || is_note
        || is_reminder
        || matches!(
            command,
            ImportContacts { .. } | CancelImport | ExportContacts { .. } | Edit(_) | AddItem(_)
        )
}

/// The question is one for the disk or for connectors.
pub(crate) fn is_asked(query: &Query) -> bool {
    matches!(
        query,
        Query::Picture(_)
            | Query::Contact(_)
            | Query::ContactFiles
            | Query::Log(_)
            | Query::Statistics(_)
            | Query::CallDays { .. }
            | Query::Marks { .. }
            | Query::Note
            | Query::Reminders
            | Query::People { .. }
    )
}

/// Changes directories, or the note or reminders of `operator`; answers with what it did, and whether it could.
pub(crate) async fn change(desk: Desk, seq: u64, command: Command, operator: OperatorId) -> Vec<FromDesk> {
    let (reply, result) = match try_change(&desk, command, operator).await {
        Ok(reply) => (reply, Ok(())),
        Err(error) => (None, Err(error)),
    };
    let reply = reply.map(|reply| FromDesk::Reply { seq, reply });
    reply.into_iter().chain([FromDesk::Done { seq, result }]).collect()
}

async fn try_change(
    desk: &Desk,
    command: Command,
    operator: OperatorId,
) -> Result<Option<Reply>, CommandError> {
    Ok(match command {
        Command::ImportContacts { directory, local, path } => {
            Some(Reply::Import(desk.records.import(directory, local, path).await?))
        }
        Command::CancelImport => {
            desk.records.cancel_import().await;
            None
        }
        Command::ExportContacts { directory, path } => {
            let (path, contacts) = desk.records.export(directory, path).await?;
            Some(Reply::Exported { path, contacts })
        }
        Command::Edit(edit) => {
            let (contact, directory) = desk.records.edit(edit).await?;
            Some(Reply::Edited { contact, directory })
        }
        Command::AddItem(item) => {
            let author = desk.records.with(move |keeper| keeper.name_of(operator)).await?;
            let url = desk.customers.add_item(*item, author).await.map_err(CommandError::Item)?;
            Some(Reply::ItemAdded { url })
        }
        Command::MarkCall { call } => {
            mark(desk, call).await?;
            None
        }
        Command::MarkLoggedCall { id } => {
            desk.records.mark_late(Which::Row(id)).await?;
            None
        }
        Command::DraftNote { text } => {
            Some(Reply::Note(Box::new(desk.records.draft_note(operator, text).await?)))
        }
        Command::SaveNote { text } => {
            Some(Reply::Note(Box::new(desk.records.save_note(operator, text).await?)))
        }
        Command::Reminder(wish) => {
            desk.records.remind(operator, wish).await?.map(|kept| Reply::Reminder(Box::new(kept)))
        }
        _ => return Err(CommandError::NotPossible),
    })
}

/// Something was wrong with a call: one that is up, or one that ended before the operator's finger came down.
async fn mark(desk: &Desk, call: CallRef) -> Result<(), CommandError> {
    let refused = match socket::run(desk, Command::MarkCall { call }).await {
        Err(error @ (CommandError::NoSuchCall | CommandError::NotPossible)) => error,
        done => return done,
    };
    desk.records.mark_late(Which::Call(call)).await.map_err(|error| match error {
        CommandError::NoFigures => refused,
        error => error,
    })
}

/// Answers a question for the disk or for connectors; the note and the reminders are those of `operator`.
pub(crate) async fn look_up(desk: Desk, seq: u64, query: Query, operator: OperatorId) -> Vec<FromDesk> {
    let reply = match query {
        Query::Picture(contact) => picture(&desk.records, contact).await,
        Query::Contact(contact) => {
            desk.records.card(contact).await.map(|card| Reply::Contact(card.map(Box::new)))
        }
        Query::Marks { id } => desk.records.marks_of(id).await.map(Reply::Marks),
        Query::Log(query) => desk.records.log_page(query).await.map(Reply::Log),
        Query::Statistics(query) => {
            desk.records.statistics(query).await.map(|told| Reply::Statistics(Box::new(told)))
        }
        Query::CallDays { edges_unix_ms } => desk.records.call_days(edges_unix_ms).await.map(Reply::CallDays),
        Query::Reminders => desk.records.all_reminders(operator).await.map(Reply::Reminders),
        Query::Note => desk.records.note_text(operator).await.map(|note| Reply::Note(Box::new(note))),
        Query::People { text } => Ok(Reply::People(desk.customers.people(text).await)),
        Query::ContactFiles => {
            let folders = desk.folders;
            // A stick may be slow.
            let files = tokio::task::spawn_blocking(move || imports::files(&folders)).await;
            files.map(Reply::ContactFiles).map_err(|error| error.to_string())
        }
        _ => Err("not a question for the disk".to_owned()),
    };
    vec![FromDesk::Reply { seq, reply: reply.unwrap_or_else(|reason| Reply::Failed { reason }) }]
}

async fn picture(records: &Records, contact: ContactId) -> Result<Reply, String> {
    let picture = records.picture(contact).await?.map(on_the_wire);
    Ok(Reply::Picture(ContactPicture { contact, picture }))
}

fn on_the_wire(picture: directory::Picture) -> ipc::Picture {
    let kind = match picture.kind() {
        PictureType::Jpg => PictureKind::Jpg,
        PictureType::Png => PictureKind::Png,
        PictureType::Gif => PictureKind::Gif,
    };
    ipc::Picture { kind, base64: STANDARD.encode(picture.bytes()) }
}
