//! Customers of any service that has a JSON API: paths and bodies are templates in the settings. It is asked for
//! each spelling of a number until somebody has it; calls, notes and tasks are written once, with an
//! `Idempotency-Key` and, where the service offers a way to ask, after asking. Not here: templates (`template`),
//! what they can say (`facts`), what an answer means (`reader`), whether the settings make sense (`plan`).

mod facts;
mod plan;
mod reader;
mod template;

use frontdesk_connector::crm::{accepted, entered, exchange, is_french, was_entered};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{
    Call, Card, CrmItems, CrmJournal, CrmResolve, Error, Item, ItemKind, Lifecycle, Party, connector,
    context, json as read, misconfigured,
};

use plan::{Plan, Writing};
use template::Values;

/// Time that is kept to answer, in milliseconds: another request is not begun.
const KEPT: u64 = 500;
/// Numbers that are asked for, of the spellings of one.
const SPELLINGS: usize = 8;
/// A number of nobody, for the button "Test" (reserved by E.164.3 for trials).
const NOBODY: &str = "+999000000000";

struct RestCrm;

connector!(RestCrm: lifecycle, crm_resolve, crm_journal, crm_items);

impl Lifecycle for RestCrm {
    fn check() -> Result<String, Error> {
        let plan = Plan::read()?;
        let abilities = [
            ("customers", !plan.find.is_empty()),
            ("calls", plan.call.is_some()),
            ("notes", plan.note.is_some()),
            ("tasks", plan.task.is_some()),
        ];
        let can: Vec<&str> =
            abilities.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
        if can.is_empty() {
            return Err(misconfigured(Some("find"), "no path is set: there is nothing to do"));
        }
        if !plan.find.is_empty() {
            find(&plan, &[NOBODY.to_owned()], 1)?;
        }
        Ok(format!("the service answers; set up: {}", can.join(", ")))
    }
}

impl CrmResolve for RestCrm {
    fn resolve(caller: Party, limit: u32) -> Result<Vec<Card>, Error> {
        let plan = Plan::read()?;
        if plan.find.is_empty() {
            return Ok(Vec::new());
        }
        find(&plan, &caller.numbers, limit as usize)
    }
}

impl CrmJournal for RestCrm {
    fn log_call(call: Call) -> Result<(), Error> {
        let plan = Plan::read()?;
        let values = facts::of_call(&call, is_french());
        match &plan.call {
            Some(writing) => write(&plan, writing, "call", &call.id, &values).map(|_| ()),
            None => Err(Error::Unsupported("no path for calls is set".to_owned())),
        }
    }
}

impl CrmItems for RestCrm {
    fn create(item: Item) -> Result<Option<String>, Error> {
        let plan = Plan::read()?;
        let values = facts::of_item(&item, is_french());
        let (writing, kind) = match item.kind {
            ItemKind::Note => (&plan.note, "note"),
            ItemKind::Task => (&plan.task, "task"),
        };
        match writing {
            Some(writing) => write(&plan, writing, kind, &item.id, &values),
            None => Err(Error::Unsupported(format!("no path for a {kind} is set"))),
        }
    }
}

/// Asks for one spelling after the other until somebody has the number.
fn find(plan: &Plan, numbers: &[String], limit: usize) -> Result<Vec<Card>, Error> {
    for (asked, path) in paths(&plan.find, numbers)?.iter().enumerate() {
        if asked > 0 && context::remaining_ms() < KEPT {
            break;
        }
        let response = exchange("GET", &plan.url(path), &[], None, plan.auth)?;
        if response.status == 404 {
            if plan.find_unknown {
                continue;
            }
            let words =
                "HTTP status 404: no such path, or nobody has the number, for which there is a setting";
            return Err(Error::Gone(words.to_owned()));
        }
        let answer: Value = read(&accepted(response, said)?)?;
        let records = plan.shape.records(&answer)?;
        let cards: Vec<Card> =
            records.into_iter().filter_map(|record| plan.shape.card(record, numbers)).take(limit).collect();
        if !cards.is_empty() {
            return Ok(cards);
        }
    }
    Ok(Vec::new())
}

/// The paths to ask, the best spelling first, none twice.
fn paths(template: &str, numbers: &[String]) -> Result<Vec<String>, Error> {
    let world = numbers.iter().find(|number| number.starts_with('+'));
    let mut paths: Vec<String> = Vec::new();
    for number in
        numbers.iter().filter(|number| number.bytes().any(|byte| byte.is_ascii_digit())).take(SPELLINGS)
    {
        // Without the country's code there is no {e164}.
        if world.is_none() && template::names(template, "e164") {
            break;
        }
        let path = template::address(template, |name| match name {
            "number" => Some(json!(number)),
            "e164" => Some(json!(world)),
            "digits" => Some(json!(number.chars().filter(char::is_ascii_digit).collect::<String>())),
            _ => None,
        });
        let path = path.map_err(|name| misconfigured(Some("find"), &format!("there is no {{{name}}}")))?;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Writes one thing once; gives back its page, where the answer names one.
fn write(
    plan: &Plan,
    writing: &Writing,
    kind: &str,
    id: &str,
    values: &Values,
) -> Result<Option<String>, Error> {
    if was_entered(id) {
        return Ok(None);
    }
    let fill = |path: &str, what: &str| {
        template::address(path, |name| values.get(name).cloned()).map_err(|name| {
            misconfigured(Some(&format!("{kind}-{what}")), &format!("there is no {{{name}}}"))
        })
    };
    if !writing.known.is_empty() && is_known(plan, &fill(&writing.known, "known")?)? {
        entered(id);
        return Ok(None);
    }
    let body = template::json(&writing.body, values)
        .map_err(|name| misconfigured(Some(&format!("{kind}-body")), &format!("there is no {{{name}}}")))?;
    let url = plan.url(&fill(&writing.path, "path")?);
    let response = exchange(&writing.method, &url, &[("idempotency-key", id)], Some(&body), plan.auth)?;
    if response.status == 409 {
        // The same key is being worked on (draft-ietf-httpapi-idempotency-key-header, section 2.7).
        return Err(Error::RetryLater(None));
    }
    let response = accepted(response, said)?;
    // Nothing is an answer to something that was written; a page where people sign in is none.
    let answer: Value = if response.body.trim_ascii().is_empty() { Value::Null } else { read(&response)? };
    entered(id);
    Ok(page(&answer))
}

/// Whether the service knows it already: it says so, and not with an empty list.
fn is_known(plan: &Plan, path: &str) -> Result<bool, Error> {
    let response = exchange("GET", &plan.url(path), &[], None, plan.auth)?;
    if response.status == 404 {
        return Ok(false);
    }
    let answer: Value = read(&accepted(response, said)?)?;
    Ok(match &answer {
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => {
            object.values().find_map(Value::as_array).map_or(!object.is_empty(), |list| !list.is_empty())
        }
        _ => return Err(Error::Protocol("neither a list nor an object".to_owned())),
    })
}

fn page(answer: &Value) -> Option<String> {
    let page = ["url", "html_url", "link"].iter().find_map(|key| answer.get(key)?.as_str())?;
    (page.starts_with("https://") || page.starts_with("http://")).then(|| page.to_owned())
}

/// What services tend to call the reason.
fn said(answer: &Value) -> Option<String> {
    let reason = |value: &Value| value.as_str().map(str::to_owned);
    ["message", "error", "detail", "title"].iter().find_map(|key| {
        let value = answer.get(key)?;
        reason(value).or_else(|| reason(value.get("message")?))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn each_spelling_is_asked_once() {
        let numbers = ["+41445550001", "0445550001", "+41 44 555 00 01", "anonymous"].map(str::to_owned);
        assert_eq!(
            paths("/c?p={number}", &numbers).unwrap(),
            ["/c?p=%2B41445550001", "/c?p=0445550001", "/c?p=%2B41%2044%20555%2000%2001"]
        );
        assert_eq!(paths("/c/{e164}", &numbers).unwrap(), ["/c/%2B41445550001"]);
        assert_eq!(paths("/c/{digits}", &numbers).unwrap(), ["/c/41445550001", "/c/0445550001"]);
        assert!(paths("/c/{e164}", &numbers[1..2]).unwrap().is_empty());
        assert!(paths("/c/{number}", &[]).unwrap().is_empty());
    }

    #[test]
    fn the_reason_is_found_where_services_put_it() {
        assert_eq!(said(&json!({"error": {"message": "no"}})).as_deref(), Some("no"));
        assert_eq!(said(&json!({"detail": "no"})).as_deref(), Some("no"));
        assert_eq!(said(&json!([1])), None);
    }
}
