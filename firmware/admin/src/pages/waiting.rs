//! `/sound/waiting/…`: what callers hear who wait, uploaded, listened to and removed; a part of the page of the sound.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::Stream;
use ipc::Language;
use maud::{Markup, html};
use store::{Settings, StoreError};
use tokio::{sync::mpsc, task::spawn_blocking};
use tracing::warn;

use crate::{
    app::App,
    audit::Act,
    fault::Fault,
    form::{Form, about},
    guard::{Posted, PostedParts, Signed},
    layout,
    pages::{Page, lines},
    parts::{FORM_MARGIN, short},
    range::Part,
    settings::said,
    sounds::{Found, MAX_BYTES, Note, Refused, SoundProblem, plain_name},
    spool::SpoolError,
    text::{self, Text},
};

/// The page that this is a part of.
const PAGE: &str = "/sound";
const REMOVE: &str = "/sound/waiting/remove";
const FILE: &str = "/sound/waiting/file";
/// How the audit log goes on.
pub(crate) const UPLOADED: &str = ", a sound file was uploaded";
pub(crate) const REMOVED: &str = ", the sound file was removed";
/// A line's own music, before its number.
const LINE: &str = "line ";
/// How loud it may be on the whole, in dBFS, beside speech of -20 to -26: what is quieter is hardly heard in a telephone, what
/// is louder hurts. Peaks say little: music has them near 0 however loud it is.
const QUIET_DBFS: i8 = -40;
const LOUD_DBFS: i8 = -12;
/// Peaks below are those of nothing.
const SILENT_DBFS: i8 = -60;

/// To what callers listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The music of all lines that have none of their own.
    Music,
    Announcement,
    /// The music of a line that has its own, by its number.
    LineMusic(String),
}

impl Heard {
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "music" => Some(Self::Music),
            "announcement" => Some(Self::Announcement),
            _ => word.strip_prefix(LINE).map(|number| Self::LineMusic(number.to_owned())),
        }
    }

    /// As it stands in forms and in the audit log.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Music => "music".into(),
            Self::Announcement => "announcement".into(),
            Self::LineMusic(number) => format!("{LINE}{number}"),
        }
    }

    /// What is set; `None` of a line that is not there.
    pub(crate) fn now<'a>(&self, settings: &'a Settings) -> Option<&'a Option<String>> {
        match self {
            Self::Music => Some(&settings.waiting.music),
            Self::Announcement => Some(&settings.waiting.announcement),
            Self::LineMusic(number) => {
                settings.lines.iter().find(|line| line.number == *number).map(|line| &line.music)
            }
        }
    }

    /// Sets it.
    fn set(&self, settings: &mut Settings, path: Option<String>) -> Result<(), StoreError> {
        let place = match self {
            Self::Music => &mut settings.waiting.music,
            Self::Announcement => &mut settings.waiting.announcement,
            Self::LineMusic(number) => {
                let line = settings.lines.iter_mut().find(|line| line.number == *number);
                &mut line.ok_or(StoreError::NoSuchAccount)?.music
            }
        };
        *place = path;
        Ok(())
    }

    /// All of them that there are, those of lines without music of their own too.
    pub(crate) fn all(settings: &Settings) -> Vec<Self> {
        let lines = settings.lines.iter().map(|line| Self::LineMusic(line.number.clone()));
        [Self::Music, Self::Announcement].into_iter().chain(lines).collect()
    }

    pub(crate) fn words(&self, settings: &Settings, language: Language) -> String {
        match self {
            Self::Music => text::WAITING_MUSIC.is(language).into(),
            Self::Announcement => text::WAITING_ANNOUNCEMENT.is(language).into(),
            Self::LineMusic(number) => {
                let line = settings.lines.iter().find(|line| line.number == *number);
                let name = line.map_or("", |line| line.name.as_str());
                text::WAITING_LINE.with(language, &[("name", &name), ("number", number)])
            }
        }
    }
}

/// `POST /sound/waiting/upload`
pub(crate) async fn upload(PostedParts { signed, announced, mut parts }: PostedParts) -> Page {
    let language = signed.language;
    if announced.is_some_and(|bytes| bytes > MAX_BYTES + FORM_MARGIN as u64) {
        return Err(not_taken(&signed, &Refused::Upload(SpoolError::TooLarge)));
    }
    let heard = match parts.next().await? {
        Some(field) if field.name() == Some("heard") => short(field).await.and_then(|word| Heard::of(&word)),
        _ => None,
    };
    let settings = lines::settings(&signed).await?;
    let Some(heard) = heard.filter(|heard| heard.now(&settings).is_some()) else {
        return Err(signed.fault(StatusCode::UNPROCESSABLE_ENTITY, text::GONE));
    };
    let field = match parts.next().await? {
        Some(field) if field.name() == Some("file") => field,
        _ => return Err(signed.fault(StatusCode::UNPROCESSABLE_ENTITY, text::WAITING_EMPTY)),
    };
    let name = plain_name(field.file_name());
    match take(&signed.app, &heard, announced, name, field).await {
        Ok(note) => {
            let detail = format!("{}{UPLOADED}", heard.word());
            signed.app.audit(&signed.actor(), Act::SettingsChanged, detail).await;
            let length = layout::duration(seconds(&note), language);
            let (name, heard) = (name_of(&note, language), heard.words(&settings, language));
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("name", &name), ("length", &length), ("heard", &heard)];
            Ok(signed.done(PAGE, text::WAITING_TAKEN.with(language, &values)))
        }
        Err(refused) => Err(not_taken(&signed, &refused)),
    }
}

fn not_taken(signed: &Signed, refused: &Refused) -> Response {
    let (status, words) = why(refused, signed.language);
    if matches!(refused, Refused::Upload(SpoolError::TooLarge | SpoolError::NoRoom | SpoolError::Busy)) {
        // A browser that is still sending may never read this answer: the next page says it too.
        let _ = signed.failed(PAGE, words.clone());
    }
    Fault::saying(status, signed.language, words).into_response()
}

/// Takes a file as it comes, has the desk look at it, keeps it, and says so in the settings. Where any of it fails,
/// everything is as it was.
pub(crate) async fn take<E>(
    app: &App,
    heard: &Heard,
    announced: Option<u64>,
    name: String,
    source: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Note, Refused> {
    let sounds = app.sounds.clone();
    let mut incoming = sounds.begin(sounds.turn()?, announced)?;
    let path = incoming.receive(source).await?;
    let facts = app.desk.examine_sound(path).await.ok_or(Refused::NoAnswer)?.map_err(Refused::Sound)?;
    let (note, keeper) = (Note { name, facts }, sounds.clone());
    let kept = spawn_blocking(move || keeper.keep(incoming, &note).map(|(path, turn)| (path, turn, note)));
    let (path, turn, note) = kept.await.map_err(io::Error::other)??;
    // A folder whose name is no text cannot be named in the settings.
    let path =
        path.into_os_string().into_string().map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let place = heard.clone();
    let changed = app.change_settings(move |settings| place.set(settings, Some(path))).await;
    let now = app.settings().await;
    if let Ok(now) = now {
        // The turn ends when what was heard before, or came in vain, is gone.
        drop(spawn_blocking(move || sounds.tidy(&turn, &now)).await);
    }
    changed.map_err(Refused::Settings)?;
    Ok(note)
}

/// `POST /sound/waiting/remove`
pub(crate) async fn remove(Posted { signed, fields }: Posted) -> Page {
    let language = signed.language;
    let settings = lines::settings(&signed).await?;
    let Some(heard) = Heard::of(fields.get("heard")).filter(|heard| heard.now(&settings).is_some()) else {
        return Ok(signed.failed(PAGE, text::GONE.is(language)));
    };
    if let Err(refused) = take_away(&signed.app, &heard).await {
        return Ok(signed.failed(PAGE, why(&refused, language).1));
    }
    let detail = format!("{}{REMOVED}", heard.word());
    signed.app.audit(&signed.actor(), Act::SettingsChanged, detail).await;
    let heard = heard.words(&settings, language);
    Ok(signed.done(PAGE, text::WAITING_REMOVED.with(language, &[("heard", &heard)])))
}

/// What was uploaded is heard no more, and its file is gone.
pub(crate) async fn take_away(app: &App, heard: &Heard) -> Result<(), Refused> {
    let sounds = app.sounds.clone();
    let turn = sounds.turn()?;
    let place = heard.clone();
    let changed = app.change_settings(move |settings| place.set(settings, None)).await;
    changed.map_err(Refused::Settings)?;
    if let Ok(now) = app.settings().await {
        drop(spawn_blocking(move || sounds.tidy(&turn, &now)).await);
    }
    Ok(())
}

/// `GET /sound/waiting/file`, with `?heard=`: the file itself, if it was uploaded here, or the part of it that is asked for.
/// The player of the browser opens it (`media-src` of our policy lets it); some play nothing that does not come in parts.
pub(crate) async fn file(signed: Signed, headers: HeaderMap) -> Page {
    let settings = lines::settings(&signed).await?;
    let not_found = || Fault::not_found(signed.language).into_response();
    let asked = signed.asked();
    let named = Heard::of(asked.get("heard")).and_then(|heard| heard.now(&settings).cloned().flatten());
    let named = named.ok_or_else(not_found)?;
    let path = signed.app.sounds.own(&named).ok_or_else(not_found)?.to_owned();
    let kind =
        if path.extension().is_some_and(|ending| ending == "opus") { "audio/ogg" } else { "audio/wav" };
    let ending = if kind == "audio/ogg" { "opus" } else { "wav" };
    let opened = spawn_blocking(move || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let part = Part::asked(&headers, length);
        if let Part::Bytes { first, .. } = part {
            file.seek(SeekFrom::Start(first))?;
        }
        io::Result::Ok((file, length, part))
    });
    let opened = opened.await.map_err(io::Error::other).and_then(|opened| opened);
    let (file, length, part) = opened.map_err(|_| not_found())?;
    let (status, bytes) = match part {
        Part::Whole => (StatusCode::OK, length),
        Part::Bytes { first, last } => (StatusCode::PARTIAL_CONTENT, last - first + 1),
        Part::Beyond => (StatusCode::RANGE_NOT_SATISFIABLE, 0),
    };
    let (sender, mut receiver) = mpsc::channel(4);
    spawn_blocking(move || {
        let mut spout = crate::pipe::Spout::new(sender);
        // Who listens may go at any time.
        let _ = io::copy(&mut file.take(bytes), &mut spout).and_then(|_| spout.flush());
    });
    let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"sound.{ending}\"")),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let range = part.content_range(length).map(|range| [(header::CONTENT_RANGE, range)]);
    Ok((status, headers, range, Body::from_stream(stream)).into_response())
}

/// The section of the page.
pub(crate) fn section(signed: &Signed, settings: &Settings) -> Markup {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let own = settings.lines.iter().filter(|line| line.music.is_some());
    let own = own.map(|line| Heard::LineMusic(line.number.clone()));
    let shown: Vec<Heard> = [Heard::Music, Heard::Announcement].into_iter().chain(own).collect();
    let rows: Vec<Vec<Markup>> =
        shown.iter().enumerate().map(|(index, heard)| row(signed, settings, heard, index)).collect();
    let heads = [
        t(text::WAITING_HEARD),
        t(text::WAITING_SOUND),
        t(text::WAITING_LENGTH),
        t(text::WAITING_LEVEL),
        t(text::ACTIONS),
    ];
    html! {
        section aria-labelledby="waiting-title" {
            h2 #waiting-title { (t(text::WAITING_TITLE)) }
            p.lead { (t(text::WAITING_INTRO)) }
            (layout::table("waiting", t(text::WAITING_TITLE), &heads, &rows))
            @if signed.may_write() { (upload_form(signed, settings)) }
        }
    }
}

fn upload_form(signed: &Signed, settings: &Settings) -> Markup {
    let language = signed.language;
    let places = Heard::all(settings).into_iter();
    let places: Vec<(String, String)> =
        places.map(|heard| (heard.word(), heard.words(settings, language))).collect();
    let form = Form::new(signed, None);
    html! {
        form #waiting-form method="post" action="/sound/waiting/upload" enctype="multipart/form-data" data-progress {
            (layout::token(signed))
            (form.choice("heard", text::WAITING_HEARD, "music", &places, None))
            div.field {
                label for="waiting-file" { (text::WAITING_FILE.is(language)) }
                input #waiting-file name="file" type="file" accept=".wav,.opus,.ogg,audio/wav,audio/ogg" required
                    aria-describedby="waiting-file-hint";
                p.hint #waiting-file-hint { (text::WAITING_FILE_HINT.is(language)) }
            }
            button #waiting-upload type="submit" { (text::WAITING_UPLOAD.is(language)) }
        }
    }
}

fn row(signed: &Signed, settings: &Settings, heard: &Heard, index: usize) -> Vec<Markup> {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let words = heard.words(settings, language);
    let named = heard.now(settings).and_then(Option::as_deref);
    let Some(named) = named else {
        let of_file = match heard {
            Heard::Announcement => signed.app.config.sound.announcement,
            _ => signed.app.config.sound.music,
        };
        let built_in = match heard {
            _ if of_file => text::WAITING_OF_FILE,
            Heard::Announcement => text::WAITING_NONE,
            _ => text::WAITING_PIPS,
        };
        let dash = || html! { "–" };
        return vec![html! { (words) }, html! { (t(built_in)) }, dash(), dash(), dash()];
    };
    let found = signed.app.sounds.look(named);
    let name = match &found {
        Found::Kept(note) => name_of(note, language),
        Found::Lost | Found::Elsewhere => named.rsplit('/').next().unwrap_or(named).to_owned(),
    };
    let source = about(FILE, "heard", &heard.word());
    let (length, level) = match &found {
        Found::Kept(note) => (layout::duration(seconds(note), language), level(note, language)),
        Found::Lost | Found::Elsewhere => ("–".to_owned(), html! { "–" }),
    };
    vec![
        html! { (words) },
        html! {
            @match &found {
                Found::Kept(_) => (name),
                Found::Elsewhere => code { (named) },
                Found::Lost => { (name) " " span.badge.bad { (t(text::WAITING_LOST)) } },
            }
        },
        html! { (length) },
        level,
        html! {
            @if matches!(found, Found::Kept(_)) {
                // No player in the page: the browser opens the file in its own, which has keys and a finger's size already,
                // and a table with many files starts no media, not even in a browser that cannot play anything.
                p {
                    a href=(source) aria-label=(format!("{} {name}", t(text::WAITING_LISTEN))) {
                        (t(text::WAITING_LISTEN))
                    }
                }
                p { a href=(source) download { (text::WAITING_DOWNLOAD.with(language, &[("name", &name)])) } }
            }
            @if signed.may_write() {
                form.inline method="post" action=(REMOVE) {
                    (layout::token(signed))
                    input type="hidden" name="heard" value=(heard.word());
                    button.quiet id=(format!("remove-waiting-{index}")) type="submit" {
                        (text::WAITING_REMOVE.with(language, &[("name", &name), ("heard", &words)]))
                    }
                }
            }
        },
    ]
}

fn seconds(note: &Note) -> u64 {
    // What is shorter than a second has one.
    u64::from(note.facts.length_ms.div_ceil(1000))
}

fn name_of(note: &Note, language: Language) -> String {
    if note.name.is_empty() { text::WAITING_UNNAMED.is(language).into() } else { note.name.clone() }
}

/// How loud it is, with a word about it.
fn level(note: &Note, language: Language) -> Markup {
    let facts = note.facts;
    let (class, word) = match facts.mean_dbfs {
        _ if facts.peak_dbfs < SILENT_DBFS => ("bad", text::SOUND_LEVEL_SILENT),
        ..QUIET_DBFS => ("busy", text::WAITING_LEVEL_LOW),
        QUIET_DBFS..=LOUD_DBFS => ("good", text::SOUND_LEVEL_GOOD),
        _ => ("busy", text::SOUND_LEVEL_LOUD),
    };
    let values: [(&str, &dyn std::fmt::Display); 2] =
        [("mean", &facts.mean_dbfs), ("peak", &facts.peak_dbfs)];
    html! {
        (text::WAITING_LEVEL_IS.with(language, &values)) " "
        span.badge.(class) { (word.is(language)) }
    }
}

/// What is said of a file that was not taken.
pub(crate) fn why(refused: &Refused, language: Language) -> (StatusCode, String) {
    let plain = |status, words: Text| (status, words.is(language).to_owned());
    match refused {
        Refused::Upload(SpoolError::Busy) => plain(StatusCode::TOO_MANY_REQUESTS, text::WAITING_BUSY),
        Refused::Upload(SpoolError::Empty) => plain(StatusCode::UNPROCESSABLE_ENTITY, text::WAITING_EMPTY),
        Refused::Upload(SpoolError::TooLarge) => {
            plain(StatusCode::PAYLOAD_TOO_LARGE, text::WAITING_TOO_LARGE)
        }
        Refused::Upload(SpoolError::BrokenOff) => plain(StatusCode::BAD_REQUEST, text::WAITING_BROKEN_OFF),
        Refused::Upload(SpoolError::NoRoom) => plain(StatusCode::INSUFFICIENT_STORAGE, text::WAITING_NO_ROOM),
        Refused::NoAnswer => plain(StatusCode::SERVICE_UNAVAILABLE, text::WAITING_NO_ANSWER),
        Refused::Settings(problem) => (StatusCode::CONFLICT, said(problem, language)),
        Refused::Upload(SpoolError::Disk(error)) => {
            warn!(%error, "a sound file could not be kept");
            plain(StatusCode::SERVICE_UNAVAILABLE, text::STORAGE_FAILED)
        }
        Refused::Sound(problem) => (StatusCode::UNPROCESSABLE_ENTITY, not_played(*problem, language)),
    }
}

fn not_played(problem: SoundProblem, language: Language) -> String {
    match problem {
        SoundProblem::Broken => text::WAITING_BROKEN.is(language).to_owned(),
        SoundProblem::Silent => text::WAITING_SILENT.is(language).to_owned(),
        SoundProblem::Unreadable => text::STORAGE_FAILED.is(language).to_owned(),
        SoundProblem::TooLong { limit_s } => {
            text::WAITING_TOO_LONG.with(language, &[("minutes", &(limit_s / 60))])
        }
        SoundProblem::Format { bits, channels, rate } => {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("bits", &bits), ("channels", &channels), ("rate", &rate)];
            text::WAITING_FORMAT.with(language, &values)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn app_2_ten_1_each_place_is_found_by_its_word_and_set_alone() {
        let mut settings = Settings {
            lines: vec![store::Line {
                number: "line 7".into(),
                name: "Odd".into(),
                ..store::Line::default()
            }],
            ..Settings::default()
        };
        for heard in [Heard::Music, Heard::Announcement, Heard::LineMusic("line 7".into())] {
            assert_eq!(Heard::of(&heard.word()).as_ref(), Some(&heard));
            let path = Some(format!("/{}", heard.word()));
            heard.set(&mut settings, path.clone()).unwrap();
            assert_eq!(heard.now(&settings), Some(&path));
        }
        assert_eq!(settings.waiting.music.as_deref(), Some("/music"));
        assert_eq!(settings.waiting.announcement.as_deref(), Some("/announcement"));
        let gone = Heard::LineMusic("8".into());
        assert!(gone.set(&mut settings, None).is_err() && gone.now(&settings).is_none());
        assert_eq!(Heard::of("everything"), None);
    }

    #[test]
    fn app_2_every_refusal_says_what_is_wrong_in_both_languages() {
        let of = |problem| why(&Refused::Sound(problem), Language::English).1;
        let format = of(SoundProblem::Format { bits: 24, channels: 6, rate: 96_000 });
        assert!(format.contains("24 bit, 6 channels and 96000 Hz"), "{format}");
        assert!(of(SoundProblem::TooLong { limit_s: 600 }).contains("10 minutes"));
        let all = [
            SpoolError::Busy,
            SpoolError::Empty,
            SpoolError::TooLarge,
            SpoolError::BrokenOff,
            SpoolError::NoRoom,
        ];
        for refused in all.map(Refused::Upload) {
            let (en, fr) = (why(&refused, Language::English), why(&refused, Language::French));
            assert!(en.0.is_client_error() || en.0 == StatusCode::INSUFFICIENT_STORAGE, "{refused:?}");
            assert_ne!(en.1, fr.1, "{refused:?}");
        }
    }
}
