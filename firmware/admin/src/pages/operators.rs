//! `/operators`: who sits at the desk, and their PINs (ACC-1). A PIN is typed here and never shown.

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use ipc::Language;
use maud::{Markup, html};
use store::{DeskOperator, OperatorChange, StoreError, WeakPin, pin_allowed};

use crate::{
    app::{App, now_ms},
    audit::Act,
    fault::{Fault, of_store},
    form::{Form, Refused, Wrong, optional},
    guard::{Posted, Signed},
    keeper::KeeperError,
    language::{code, of_code},
    layout::{self, Place},
    pages::{Page, lines},
    settings::wrong,
    text::{self, Text},
};

/// `GET /operators`
pub(crate) async fn show(signed: Signed) -> Page {
    page(&signed, None).await
}

/// `POST /operators/desk`
pub(crate) async fn rename_desk(Posted { signed, fields }: Posted) -> Page {
    let name = fields.get("desk-name").trim().to_owned();
    let phone = optional(&fields, "desk-phone");
    let changed = signed.app.change_settings(move |settings| {
        settings.operator.name = name;
        settings.operator.phone = phone;
        Ok(())
    });
    match changed.await {
        Ok(()) => Ok(signed.saved("/operators", "name of the desk").await),
        Err(problem) => {
            let wrong = wrong(&problem, "operator", signed.language);
            let field = match wrong.field.as_str() {
                "name" => "desk-name".into(),
                "phone" => "desk-phone".into(),
                _ => wrong.field.clone(),
            };
            let wrong = Wrong { field, ..wrong };
            page(&signed, Some(Refused { typed: &fields, wrong: &wrong })).await
        }
    }
}

/// `POST /operators`
pub(crate) async fn add(Posted { signed, fields }: Posted) -> Page {
    let name = fields.get("name").to_owned();
    let language = of_code(fields.get("language")).unwrap_or_default();
    let added = match hashed(&signed.app, fields.get("pin"), signed.language).await {
        Err(wrong) => Err(wrong),
        Ok(pin) => {
            let work = move |store: &mut store::Store| store.add_operator(&name, language, &pin, now_ms());
            signed.app.change_operators(work).await.map_err(|problem| at_field(&problem, signed.language))
        }
    };
    match added {
        Ok(operator) => {
            signed.app.audit(&signed.actor(), Act::OperatorAdded, operator.name.clone()).await;
            let words = text::OPERATOR_ADDED.with(signed.language, &[("name", &operator.name)]);
            Ok(signed.done("/operators", words))
        }
        Err(wrong) => page(&signed, Some(Refused { typed: &fields, wrong: &wrong })).await,
    }
}

/// The hash of a PIN to keep.
///
/// # Errors
/// Why there is none, at the field.
pub(crate) async fn hashed(app: &App, pin: &str, language: Language) -> Result<String, Wrong> {
    pin_allowed(pin).map_err(|weak| {
        let words = match weak {
            WeakPin::Digits => text::PIN_DIGITS,
            WeakPin::Trivial => text::PIN_TRIVIAL,
        };
        Wrong::at("pin", words.is(language))
    })?;
    let hash = app.passwords.hash(pin.to_owned()).await;
    hash.map_err(|_| Wrong::above(text::SYSTEM_FAILED.is(language)))
}

/// `GET /operators/{id}`
pub(crate) async fn edit(signed: Signed, Path(id): Path<i64>) -> Page {
    let operator = find(&signed, id).await?;
    Ok(edit_page(&signed, &operator, None))
}

/// `POST /operators/{id}`
pub(crate) async fn change(Path(id): Path<i64>, Posted { signed, fields }: Posted) -> Page {
    let operator = find(&signed, id).await?;
    let (name, pin) = (fields.get("name").to_owned(), optional(&fields, "pin"));
    let language = of_code(fields.get("language")).unwrap_or_default();
    let (new_name, new_pin) = (name.trim().to_owned(), pin.is_some());
    let pin = match &pin {
        Some(pin) => hashed(&signed.app, pin, signed.language).await.map(Some),
        None => Ok(None),
    };
    let changed = match pin {
        Err(wrong) => Err(wrong),
        Ok(pin) => {
            let change = OperatorChange { name: Some(name), language: Some(language), pin, locked: None };
            let work = move |store: &mut store::Store| store.change_operator(id, &change);
            signed.app.change_operators(work).await.map_err(|problem| at_field(&problem, signed.language))
        }
    };
    match changed {
        Ok(()) => {
            let detail = format!("{new_name}{}", if new_pin { ", PIN" } else { "" });
            signed.app.audit(&signed.actor(), Act::OperatorChanged, detail).await;
            let words = text::OPERATOR_CHANGED.with(signed.language, &[("name", &new_name)]);
            Ok(signed.done("/operators", words))
        }
        Err(wrong) => Ok(edit_page(&signed, &operator, Some(Refused { typed: &fields, wrong: &wrong }))),
    }
}

/// `POST /operators/{id}/{action}`: `lock`, `unlock`, `remove`.
pub(crate) async fn act(Path((id, action)): Path<(i64, String)>, Posted { signed, .. }: Posted) -> Page {
    let operator = find(&signed, id).await?;
    let (done, act, words) = match action.as_str() {
        "lock" | "unlock" => {
            let lock = action == "lock";
            let done = signed.app.change_operators(move |store| store.lock_operator(id, lock)).await;
            (done, Act::OperatorChanged, text::OPERATOR_CHANGED)
        }
        "remove" => {
            let done = signed.app.change_operators(move |store| store.remove_operator(id)).await;
            (done, Act::OperatorRemoved, text::OPERATOR_REMOVED)
        }
        _ => return Err(Fault::not_found(signed.language).into_response()),
    };
    if let Err(problem) = done {
        return Ok(signed.failed("/operators", of_store(&problem, signed.language).1));
    }
    let detail =
        if action == "remove" { operator.name.clone() } else { format!("{}, {action}", operator.name) };
    signed.app.audit(&signed.actor(), act, detail).await;
    Ok(signed.done("/operators", words.with(signed.language, &[("name", &operator.name)])))
}

fn at_field(problem: &KeeperError, language: Language) -> Wrong {
    let words = of_store(problem, language).1;
    match problem {
        KeeperError::Store(StoreError::AccountName { .. } | StoreError::AccountTaken { .. }) => {
            Wrong::at("name", words)
        }
        _ => Wrong::above(words),
    }
}

async fn read(signed: &Signed) -> Result<Vec<DeskOperator>, Response> {
    signed.app.keeper.ask(|store| store.operators()).await.map_err(|problem| {
        let (status, words) = of_store(&problem, signed.language);
        Fault::saying(status, signed.language, words).into_response()
    })
}

async fn find(signed: &Signed, id: i64) -> Result<DeskOperator, Response> {
    let found = read(signed).await?.into_iter().find(|operator| operator.id == id);
    found.ok_or_else(|| Fault::not_found(signed.language).into_response())
}

async fn page(signed: &Signed, refused: Option<Refused<'_>>) -> Page {
    let t = |text: Text| text.is(signed.language);
    let (settings, operators) = (lines::settings(signed).await?, read(signed).await?);
    let is_desk = |refused: &Refused<'_>| refused.typed.has("desk-name");
    let desk = Form::new(signed, refused.filter(is_desk));
    let fresh = Form::new(signed, refused.filter(|refused| !is_desk(refused)));
    let fields = html! {
        (fresh.text("name", text::NAME, "", None, true))
        (language_field(&fresh, signed.language))
        (fresh.secret("pin", text::OPERATOR_PIN, text::OPERATOR_PIN_HINT, true))
    };
    let phone = settings.operator.phone.as_deref().unwrap_or_default();
    let body = html! {
        (Form::new(signed, refused).problem())
        section aria-labelledby="desk-title" {
            h2 #desk-title { (t(text::DESK_NAME_TITLE)) }
            (desk.around("desk", "/operators/desk", html! {
                (desk.text("desk-name", text::DESK_NAME, &settings.operator.name, None, true))
                (desk.text("desk-phone", text::DESK_PHONE, phone, Some(text::DESK_PHONE_HINT), false))
            }))
        }
        section aria-labelledby="operators-title" {
            h2 #operators-title { (t(text::OPERATORS)) }
            (table(signed, &operators))
            @if signed.may_write() {
                details open[fresh.refused.is_some()] {
                    summary #add-operator-open { (t(text::OPERATOR_ADD)) }
                    (fresh.around("operator", "/operators", fields))
                }
            }
        }
    };
    Ok(layout::page(signed, Place::Operators, t(text::OPERATORS_TITLE), body))
}

fn table(signed: &Signed, operators: &[DeskOperator]) -> Markup {
    let t = |text: Text| text.is(signed.language);
    if operators.is_empty() {
        return html! { p.empty { (t(text::NO_OPERATORS)) } };
    }
    let row = |operator: &DeskOperator| {
        vec![
            html! { a href=(format!("/operators/{}", operator.id)) { (operator.name) } },
            html! { (name_of(operator.language)) },
            standing(operator, signed.language),
            layout::moment(operator.created_ms),
        ]
    };
    let rows: Vec<Vec<Markup>> = operators.iter().map(row).collect();
    let heads = [t(text::NAME), t(text::OPERATOR_LANGUAGE), t(text::STATE), t(text::CREATED)];
    layout::table("operators", t(text::OPERATORS), &heads, &rows)
}

fn standing(operator: &DeskOperator, language: Language) -> Markup {
    html! {
        @if operator.locked { span.badge.bad { (text::OPERATOR_LOCKED.is(language)) } }
        @else if operator.failures > 0 {
            span.badge.busy { (text::OPERATOR_WRONG.with(language, &[("n", &operator.failures)])) }
        } @else { span.badge.good { (text::OPERATOR_FINE.is(language)) } }
    }
}

fn edit_page(signed: &Signed, operator: &DeskOperator, refused: Option<Refused<'_>>) -> Response {
    let language = signed.language;
    let form = Form::new(signed, refused);
    let here = format!("/operators/{}", operator.id);
    let fields = html! {
        (form.text("name", text::NAME, &operator.name, None, true))
        (language_field(&form, operator.language))
        (form.secret("pin", text::OPERATOR_PIN_NEW, text::OPERATOR_PIN_KEEP, false))
    };
    let (lock, words) = match operator.locked {
        true => ("unlock", text::OPERATOR_UNLOCK),
        false => ("lock", text::OPERATOR_LOCK),
    };
    let body = html! {
        (form.problem())
        p { (standing(operator, language)) }
        section { (form.around("operator", &here, fields)) }
        div.actions {
            (layout::action(signed, lock, &format!("{here}/{lock}"), words.is(language), "quiet"))
            (layout::action(signed, "remove-operator", &format!("{here}/remove"),
                &text::REMOVE_NAMED.with(language, &[("name", &operator.name)]), "danger"))
        }
        p { a href="/operators" { (text::BACK.is(language)) } }
    };
    let title = text::OPERATOR_EDIT.with(language, &[("name", &operator.name)]);
    layout::page(signed, Place::Operators, &title, body)
}

fn language_field(form: &Form<'_>, now: Language) -> Markup {
    let options = [Language::English, Language::French]
        .map(|language| (code(language).to_owned(), name_of(language).to_owned()));
    form.choice("language", text::OPERATOR_LANGUAGE, code(now), &options, None)
}

fn name_of(language: Language) -> &'static str {
    match language {
        Language::English => "English",
        Language::French => "Français",
    }
}
