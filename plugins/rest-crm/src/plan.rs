//! The settings, read and checked as a whole, so that the button "Test" finds a mistake at its own setting before
//! a call does. What they mean for an answer is `reader`.

use frontdesk_connector::serde_json::{self, Value};
use frontdesk_connector::{Error, misconfigured, settings_as};
use serde::Deserialize;

use crate::facts;
use crate::reader::Shape;
use crate::template;

/// The settings as they are typed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) sign_in: String,
    pub(crate) find: String,
    pub(crate) find_unknown: bool,
    pub(crate) trust_search: bool,
    pub(crate) list: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) numbers: String,
    pub(crate) lines: String,
    pub(crate) page: String,
    pub(crate) call_method: String,
    pub(crate) call_path: String,
    pub(crate) call_known: String,
    pub(crate) call_body: String,
    pub(crate) note_path: String,
    pub(crate) note_known: String,
    pub(crate) note_body: String,
    pub(crate) task_path: String,
    pub(crate) task_known: String,
    pub(crate) task_body: String,
}

/// Something that can be written.
#[derive(Debug)]
pub(crate) struct Writing {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Asked before; empty: not.
    pub(crate) known: String,
    pub(crate) body: Value,
}

/// All that is set up.
#[derive(Debug)]
pub(crate) struct Plan {
    base: String,
    pub(crate) auth: Option<&'static str>,
    pub(crate) find: String,
    pub(crate) find_unknown: bool,
    pub(crate) shape: Shape,
    pub(crate) call: Option<Writing>,
    pub(crate) note: Option<Writing>,
    pub(crate) task: Option<Writing>,
}

impl Plan {
    pub(crate) fn read() -> Result<Self, Error> {
        Self::of(&settings_as()?)
    }

    pub(crate) fn of(settings: &Settings) -> Result<Self, Error> {
        let wrong = |field: &str, words: &str| Err(misconfigured(Some(field), words));
        let base = settings.url.trim().trim_end_matches('/').to_owned();
        if base.contains(['?', '#']) {
            return wrong("url", "the address must not have ? or # in it: those belong into the paths");
        }
        let auth = match settings.sign_in.as_str() {
            "" | "none" => None,
            "bearer" => Some("bearer"),
            "basic" => Some("basic"),
            "x-api-key" => Some("x-api-key"),
            "authorization" => Some("authorization"),
            _ => return wrong("sign-in", "none, bearer, basic, x-api-key or authorization"),
        };
        let find = settings.find.trim();
        check_path("find", find, &facts::NUMBERS)?;
        if !find.is_empty() && !facts::NUMBERS.iter().any(|name| template::names(find, name)) {
            return wrong("find", "the path needs a place for the number: {number}, {e164} or {digits}");
        }
        Ok(Self {
            base,
            auth,
            find: find.to_owned(),
            find_unknown: settings.find_unknown,
            shape: Shape::read(settings)?,
            call: writing(
                "call",
                &settings.call_method,
                [&settings.call_path, &settings.call_known, &settings.call_body],
                &facts::CALL,
            )?,
            note: writing(
                "note",
                "POST",
                [&settings.note_path, &settings.note_known, &settings.note_body],
                &facts::ITEM,
            )?,
            task: writing(
                "task",
                "POST",
                [&settings.task_path, &settings.task_known, &settings.task_body],
                &facts::ITEM,
            )?,
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// What is written, if a path for it is set.
fn writing(
    kind: &str,
    method: &str,
    [path, known, body]: [&String; 3],
    names: &[&str],
) -> Result<Option<Writing>, Error> {
    let field = |what: &str| format!("{kind}-{what}");
    let (path, known) = (path.trim(), known.trim());
    if path.is_empty() {
        return match known.is_empty() {
            true => Ok(None),
            false => {
                Err(misconfigured(Some(&field("path")), "is needed, because a path to ask before is set"))
            }
        };
    }
    check_path(&field("path"), path, names)?;
    check_path(&field("known"), known, names)?;
    let body: Value = serde_json::from_str(body)
        .map_err(|error| misconfigured(Some(&field("body")), &format!("this is not JSON: {error}")))?;
    let samples = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    template::json(&body, &samples).map_err(|name| unknown(&field("body"), &name, names))?;
    let method = if method.is_empty() { "POST" } else { method }.to_owned();
    Ok(Some(Writing { method, path: path.to_owned(), known: known.to_owned(), body }))
}

fn check_path(field: &str, path: &str, names: &[&str]) -> Result<(), Error> {
    if path.is_empty() {
        return Ok(());
    }
    if !path.starts_with(['/', '?']) || path.contains(char::is_whitespace) || path.contains('#') {
        return Err(misconfigured(
            Some(field),
            "a path below the address, such as /customers, without blanks and #",
        ));
    }
    let known = |name: &str| names.contains(&name).then_some(Value::Null);
    template::address(path, known).map_err(|name| unknown(field, name, names))?;
    Ok(())
}

fn unknown(field: &str, name: &str, names: &[&str]) -> Error {
    let known = template::listed(names.iter().copied());
    misconfigured(Some(field), &format!("there is no {{{name}}}; there are {known}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn settings() -> Settings {
        Settings {
            url: "https://crm.example/api/".to_owned(),
            find: "/customers?phone={number}".to_owned(),
            id: "id".to_owned(),
            name: "name".to_owned(),
            call_path: "/calls".to_owned(),
            call_body: r#"{"ref": "{{call.id}}"}"#.to_owned(),
            ..Settings::default()
        }
    }

    #[test]
    fn a_good_form_is_a_plan() {
        let plan = Plan::of(&settings()).unwrap();
        assert_eq!(plan.url("/x"), "https://crm.example/api/x");
        assert!(plan.call.is_some() && plan.note.is_none() && plan.auth.is_none());
    }

    type Change = fn(&mut Settings);

    #[test]
    fn each_mistake_is_at_its_own_setting() {
        let cases: [(&str, Change); 11] = [
            ("url", |form| form.url = "https://crm.example/?x=1".to_owned()),
            ("sign-in", |form| form.sign_in = "magic".to_owned()),
            ("find", |form| form.find = "customers?phone={number}".to_owned()),
            ("find", |form| form.find = "/customers?phone={phone}".to_owned()),
            ("find", |form| form.find = "/customers".to_owned()),
            ("name", |form| form.name = " ".to_owned()),
            ("lines", |form| form.lines = "Contract".to_owned()),
            ("page", |form| form.page = "javascript:{id}".to_owned()),
            ("call-body", |form| form.call_body = "{\"ref\": {{call.id}}}".to_owned()),
            ("call-body", |form| form.call_body = "\"{call.text}\"".to_owned()),
            ("note-path", |form| form.note_known = "/notes/{item.id}".to_owned()),
        ];
        for (at, change) in cases {
            let mut form = settings();
            change(&mut form);
            let error = Plan::of(&form).unwrap_err();
            assert!(
                matches!(&error, Error::Misconfigured(wrong) if wrong.field.as_deref() == Some(at)),
                "{at}: {error:?}"
            );
        }
    }
}
