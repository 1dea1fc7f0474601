//! `/lines/line`: one line, added, changed, moved or removed.

use axum::response::{IntoResponse, Response};
use ipc::RingTone;
use maud::{Markup, html};
use store::{Line, Settings, StoreError};

use crate::{
    fault::Fault,
    fields::Fields,
    form::{Form, Refused, Wrong, optional},
    guard::{Posted, Signed},
    layout::{self, Place},
    pages::{Page, lines},
    settings::{is_needed_by, move_one, said, wrong},
    text::{self, Text},
};

/// Where it is.
pub(crate) const PATH: &str = "/lines/line";

/// Ring tones with the word under which each is sent.
const RINGS: [(&str, RingTone); 4] = [
    ("bell", RingTone::Bell),
    ("chime", RingTone::Chime),
    ("warble", RingTone::Warble),
    ("gong", RingTone::Gong),
];

/// `GET /lines/line`, with `?number=` of one that is there.
pub(crate) async fn show(signed: Signed) -> Page {
    let settings = lines::settings(&signed).await?;
    let asked = signed.asked();
    match asked.find("number") {
        None => Ok(page(&signed, &settings, None, None)),
        Some(number) => match settings.lines.iter().find(|line| line.number == number) {
            Some(line) => Ok(page(&signed, &settings, Some(line), None)),
            None => Err(Fault::not_found(signed.language).into_response()),
        },
    }
}

/// `POST /lines/line`
pub(crate) async fn save(Posted { signed, fields }: Posted) -> Page {
    let was = optional(&fields, "was");
    let typed = typed(&fields);
    let number = typed.number.clone();
    let taken = was.clone();
    let changed = signed.app.change_settings(move |settings| match taken {
        None => {
            settings.lines.push(typed);
            Ok(())
        }
        Some(was) => replace(settings, &was, typed),
    });
    let refused: Wrong = match changed.await {
        Ok(()) => {
            return Ok(signed.saved("/lines", format!("line {number}")).await);
        }
        Err(problem) => wrong(&problem, "lines", signed.language),
    };
    let settings = lines::settings(&signed).await?;
    let known = settings.lines.iter().find(|line| Some(&line.number) == was.as_ref());
    Ok(page(&signed, &settings, known, Some(Refused { typed: &fields, wrong: &refused })))
}

fn typed(fields: &Fields) -> Line {
    let ring = RINGS.iter().find(|(word, _)| *word == fields.get("ring"));
    Line {
        number: fields.get("number").trim().into(),
        name: fields.get("name").trim().into(),
        account: optional(fields, "account"),
        note: fields.get("note").trim().replace("\r\n", "\n"),
        colour: fields.get("colour").parse().ok(),
        ring: ring.map(|(_, ring)| *ring).unwrap_or_default(),
        music: optional(fields, "music"),
        crm: optional(fields, "crm"),
    }
}

/// Puts a line in another's place; rules and directories follow its number.
fn replace(settings: &mut Settings, was: &str, typed: Line) -> Result<(), StoreError> {
    let line = settings.lines.iter_mut().find(|line| line.number == was);
    let number = typed.number.clone();
    *line.ok_or(StoreError::NoSuchAccount)? = typed;
    for rule in settings.handling.iter_mut().filter(|rule| rule.line.as_deref() == Some(was)) {
        rule.line = Some(number.clone());
    }
    for directory in
        settings.directories.iter_mut().filter(|directory| directory.line.as_deref() == Some(was))
    {
        directory.line = Some(number.clone());
    }
    Ok(())
}

/// `POST /lines/line/remove`
pub(crate) async fn remove(Posted { signed, fields }: Posted) -> Response {
    let was = fields.get("was").to_owned();
    let number = was.clone();
    let changed = signed.app.change_settings(move |settings| {
        let at = settings.lines.iter().position(|line| line.number == was);
        settings.lines.remove(at.ok_or(StoreError::NoSuchAccount)?);
        let linked =
            settings.directories.iter_mut().filter(|directory| directory.line.as_deref() == Some(&was));
        linked.for_each(|directory| directory.line = None);
        Ok(())
    });
    match changed.await {
        Err(problem) if is_needed_by(&problem, "handling") => {
            signed.failed("/lines", text::LINE_HAS_RULES.is(signed.language))
        }
        done => finish(&signed, done, format!("line {number} removed")).await,
    }
}

/// `POST /lines/line/move`
pub(crate) async fn move_it(Posted { signed, fields }: Posted) -> Response {
    let (number, up) = (fields.get("number").to_owned(), fields.get("way") == "up");
    let detail = format!("line {number} moved");
    let changed = signed.app.change_settings(move |settings| {
        let at = settings.lines.iter().position(|line| line.number == number);
        move_one(&mut settings.lines, at.ok_or(StoreError::NoSuchAccount)?, up);
        Ok(())
    });
    finish(&signed, changed.await, detail).await
}

async fn finish(signed: &Signed, done: Result<(), crate::keeper::KeeperError>, detail: String) -> Response {
    match done {
        Ok(()) => signed.saved("/lines", detail).await,
        Err(problem) => signed.failed("/lines", said(&problem, signed.language)),
    }
}

fn page(
    signed: &Signed,
    settings: &Settings,
    known: Option<&Line>,
    refused: Option<Refused<'_>>,
) -> Response {
    let language = signed.language;
    let t = |text: Text| text.is(language);
    let form = Form::new(signed, refused);
    let title = match known {
        Some(line) => text::LINE_EDIT.with(language, &[("name", &line.name)]),
        None => t(text::LINE_NEW).to_owned(),
    };
    let body = html! {
        (form.problem())
        section { (form.around("line", PATH, fields(&form, settings, known))) }
        @if let (Some(line), true) = (known, signed.may_write()) {
            section {
                p { (t(text::LINE_REMOVE_HINT)) }
                form method="post" action=(format!("{PATH}/remove")) {
                    (layout::token(signed))
                    (form.hidden("was", &line.number))
                    button.danger #remove-line type="submit" {
                        (text::REMOVE_NAMED.with(language, &[("name", &line.name)]))
                    }
                }
            }
        }
        p { a href="/lines" { (t(text::BACK)) } }
    };
    layout::page(signed, Place::Lines, &title, body)
}

fn fields(form: &Form<'_>, settings: &Settings, known: Option<&Line>) -> Markup {
    let language = form.signed.language;
    let t = |text: Text| text.is(language).to_owned();
    let fresh = Line::default();
    let now = known.unwrap_or(&fresh);
    let mut accounts = vec![(String::new(), t(text::LINE_ACCOUNT_FIRST))];
    accounts
        .extend(settings.accounts.iter().map(|account| (account.id().to_owned(), account.id().to_owned())));
    let mut colours = vec![(String::new(), t(text::LINE_NO_COLOUR))];
    colours.extend((0..8).map(|n| (n.to_string(), text::LINE_COLOUR_N.with(language, &[("n", &n)]))));
    let rings = RINGS.map(|(word, ring)| (word.to_owned(), t(lines::ring(ring))));
    let ring = RINGS.iter().find(|(_, ring)| *ring == now.ring).map_or("bell", |(word, _)| word);
    let colour = now.colour.map(|colour| colour.to_string()).unwrap_or_default();
    html! {
        @if let Some(line) = known { (form.hidden("was", &line.number)) }
        div.columns {
            (form.text("number", text::LINE_NUMBER, &now.number, Some(text::LINE_NUMBER_HINT), true))
            (form.text("name", text::LINE_NAME, &now.name, None, true))
            (form.choice("account", text::SIP_ACCOUNT, now.account.as_deref().unwrap_or_default(), &accounts, None))
            (form.choice("ring", text::LINE_RING, ring, &rings, None))
            (form.choice("colour", text::LINE_COLOUR, &colour, &colours, None))
            (form.text("crm", text::LINE_CRM, now.crm.as_deref().unwrap_or_default(), Some(text::LINE_CRM_HINT), false))
            (form.text("music", text::LINE_MUSIC, now.music.as_deref().unwrap_or_default(), Some(text::LINE_MUSIC_HINT), false))
        }
        (form.area("note", text::LINE_NOTE, &now.note, Some(text::LINE_NOTE_HINT), 3))
    }
}
