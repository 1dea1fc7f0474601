//! Contacts of Odoo (`res.partner`) by its JSON-2 interface, which Odoo has since version 19 and which takes an
//! API key in a header, so that the key stays with the host: found by number, shown with company and open
//! opportunities; calls and notes written into a contact's messages, tasks as activities. The older XML-RPC and
//! JSON-RPC want the key in the body and are not spoken. Not here: what is asked for and what an answer means
//! (`find`), what is written (`entry`).

mod entry;
mod find;

use frontdesk_connector::crm::{accepted, entered, exchange, is_french, was_entered};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{
    Call, Card, CrmItems, CrmJournal, CrmResolve, Error, Item, ItemKind, Lifecycle, Line, Party, connector,
    context, json as read, log, misconfigured, settings_as,
};
use serde::Deserialize;

/// Time that is kept to answer, in milliseconds: nothing more is asked for the card.
const KEPT: u64 = 700;

#[derive(Deserialize)]
struct Settings {
    url: String,
    #[serde(default)]
    database: String,
    #[serde(default)]
    strangers: Option<u64>,
    #[serde(default)]
    user: Option<u64>,
}

struct Odoo;

connector!(Odoo: lifecycle, crm_resolve, crm_journal, crm_items);

impl Lifecycle for Odoo {
    fn check() -> Result<String, Error> {
        let settings: Settings = settings_as()?;
        let fields = fields(&settings)?;
        let found = ask(
            &settings,
            "res.partner/search_read",
            &json!({ "domain": [], "fields": ["name"], "limit": 1 }),
        )?;
        let found =
            found.as_array().ok_or_else(|| Error::Protocol("contacts that are no list".to_owned()))?;
        if let Some(strangers) = settings.strangers {
            let domain = json!([["id", "=", strangers]]);
            let there = ask(&settings, "res.partner/search", &json!({ "domain": domain, "limit": 1 }))?;
            if there.as_array().is_none_or(Vec::is_empty) {
                return Err(misconfigured(Some("strangers"), "there is no contact of this number"));
            }
        }
        let contacts = if found.is_empty() { "no contacts yet" } else { "contacts can be read" };
        Ok(format!("{contacts}; numbers are in: {}", fields.join(", ")))
    }
}

impl CrmResolve for Odoo {
    fn resolve(caller: Party, limit: u32) -> Result<Vec<Card>, Error> {
        let settings: Settings = settings_as()?;
        let french = is_french();
        let mut found = contacts(&settings, &caller.numbers)?;
        found.truncate(limit as usize);
        let base = base(&settings);
        let mut cards: Vec<Card> =
            found.iter().filter_map(|contact| find::card(contact, base, french)).collect();
        if let Some(card) = cards.first_mut()
            && context::remaining_ms() >= KEPT
        {
            more(&settings, card, french);
        }
        Ok(cards)
    }
}

impl CrmJournal for Odoo {
    fn log_call(call: Call) -> Result<(), Error> {
        let settings: Settings = settings_as()?;
        if was_entered(&call.id) {
            return Ok(());
        }
        let Some(contact) = subject(&settings, call.subject.as_deref(), &call.remote)? else {
            return Err(nowhere());
        };
        let message = entry::call(&call, is_french());
        post(&settings, contact, &call.id, &message)
    }
}

impl CrmItems for Odoo {
    fn create(item: Item) -> Result<Option<String>, Error> {
        let settings: Settings = settings_as()?;
        let Some(contact) = subject(&settings, item.subject.as_deref(), &item.remote)? else {
            return Err(Error::Gone(
                "no contact in Odoo has this number, and none is set up for strangers".to_owned(),
            ));
        };
        if !was_entered(&item.id) {
            let text = entry::item(&item, is_french());
            match item.kind {
                ItemKind::Note => post(&settings, contact, &item.id, &text)?,
                ItemKind::Task => schedule(&settings, contact, &item, &text)?,
            }
        }
        Ok(Some(find::page(base(&settings), contact)))
    }
}

/// True of this call or note only; the next is another.
fn nowhere() -> Error {
    Error::Unsupported("no contact has this number, and none is set up for strangers".to_owned())
}

/// The contact it belongs to: that of the card, else the only one with the number, else the one for strangers.
fn subject(settings: &Settings, shown: Option<&str>, remote: &Party) -> Result<Option<u64>, Error> {
    if let Some(shown) = shown.and_then(|id| id.parse().ok()) {
        return Ok(Some(shown));
    }
    let found = contacts(settings, &remote.numbers)?;
    let only = if let [contact] = &found[..] { contact["id"].as_u64() } else { None };
    Ok(only.or(settings.strangers))
}

/// Those who have the number.
fn contacts(settings: &Settings, numbers: &[String]) -> Result<Vec<Value>, Error> {
    if find::pattern(numbers).is_none() {
        return Ok(Vec::new());
    }
    let fields = fields(settings)?;
    let Some(question) = find::question(&fields, numbers) else { return Ok(Vec::new()) };
    find::with_number(ask(settings, "res.partner/search_read", &question)?, &fields, numbers)
}

/// Under which names this Odoo keeps numbers: `mobile` is gone in some.
fn fields(settings: &Settings) -> Result<Vec<&'static str>, Error> {
    let question = json!({ "allfields": find::NUMBERS, "attributes": ["type"] });
    let there = find::fields(&ask(settings, "res.partner/fields_get", &question)?)?;
    if there.is_empty() {
        return Err(Error::Unsupported("contacts have no numbers in this Odoo".to_owned()));
    }
    Ok(there)
}

/// Writes into a contact's messages once: the id of the message is the desk's.
fn post(settings: &Settings, contact: u64, id: &str, body: &str) -> Result<(), Error> {
    let name = entry::message_id(id);
    let known = json!({ "domain": [["message_id", "=", name]], "limit": 1 });
    if !is_there(&ask(settings, "mail.message/search", &known)?)? {
        ask(settings, "res.partner/message_post", &entry::message(contact, &name, body))?;
    }
    entered(id);
    Ok(())
}

/// An activity, once: its note carries the desk's id.
fn schedule(settings: &Settings, contact: u64, item: &Item, note: &str) -> Result<(), Error> {
    let domain = json!([
        ["res_model", "=", "res.partner"],
        ["res_id", "=", contact],
        ["note", "ilike", entry::mark(&item.id)]
    ]);
    if !is_there(&ask(settings, "mail.activity/search", &json!({ "domain": domain, "limit": 1 }))?)? {
        let activity = entry::activity(contact, item, note, settings.user, is_french());
        ask(settings, "res.partner/activity_schedule", &activity)?;
    }
    entered(&item.id);
    Ok(())
}

fn is_there(answer: &Value) -> Result<bool, Error> {
    let list = answer.as_array().ok_or_else(|| Error::Protocol("a search that gives no list".to_owned()))?;
    Ok(!list.is_empty())
}

/// Open opportunities, where the module for them is there and may be read.
fn more(settings: &Settings, card: &mut Card, french: bool) {
    let Ok(contact) = card.id.parse() else { return };
    match ask(settings, "crm.lead/search_read", &find::opportunities(contact)) {
        Ok(answer) => {
            let label = if french { "Opportunité en cours" } else { "Open opportunity" };
            let list = answer.as_array().map(Vec::as_slice).unwrap_or_default();
            let lines = list.iter().filter_map(find::opportunity);
            card.lines.extend(lines.map(|value| Line { label: label.to_owned(), value }));
        }
        Err(error) => log::write(log::Level::Info, &format!("the card has no opportunities: {error:?}")),
    }
}

fn base(settings: &Settings) -> &str {
    settings.url.trim().trim_end_matches('/')
}

/// Calls a method of a model.
fn ask(settings: &Settings, method: &str, question: &Value) -> Result<Value, Error> {
    let base = base(settings);
    if base.contains(['?', '#']) {
        return Err(misconfigured(
            Some("url"),
            "the address of Odoo alone, such as https://example.odoo.com",
        ));
    }
    let database = settings.database.trim();
    let headers = [("x-odoo-database", database)];
    let headers = if database.is_empty() { &[] } else { &headers[..] };
    let response =
        exchange("POST", &format!("{base}/json/2/{method}"), headers, Some(question), Some("key"))?;
    read(&accepted(response, |answer| answer["message"].as_str().map(str::to_owned))?)
}
