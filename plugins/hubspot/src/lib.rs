//! Contacts and companies of HubSpot by the API of its CRM, version 3, with the token of a private app: found by
//! number, shown with company, stage, owner and open deals; calls, notes and tasks written at them. Not here:
//! what is asked for and what an answer means (`find`), what is written (`entry`), who may be asked (the host).

mod api;
mod entry;
mod find;

use frontdesk_connector::crm::{entered, is_french, text, was_entered};
use frontdesk_connector::serde_json::{Value, json};
use frontdesk_connector::{
    Call, Card, CrmItems, CrmJournal, CrmResolve, Error, Item, ItemKind, Lifecycle, Party, connector,
    context, log, misconfigured, settings_as,
};
use serde::Deserialize;

use api::{get, post};
use find::{Account, Kind, Record, Subject};

/// Time that is kept to answer, in milliseconds: nothing more is asked for the card.
const KEPT: u64 = 700;
/// Records that are compared with the number.
const CANDIDATES: usize = 50;

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    companies: bool,
    #[serde(default)]
    owner: String,
}

struct HubSpot;

connector!(HubSpot: lifecycle, crm_resolve, crm_journal, crm_items);

impl Lifecycle for HubSpot {
    fn check() -> Result<String, Error> {
        owner(&settings_as()?)?;
        let account = account()?;
        let found = post("/crm/v3/objects/contacts/search", &json!({ "limit": 1 }))?;
        let total =
            found["total"].as_u64().ok_or_else(|| Error::Protocol("a search without a total".to_owned()))?;
        Ok(format!("account {}, {total} contacts", account.portal))
    }
}

impl CrmResolve for HubSpot {
    fn resolve(caller: Party, limit: u32) -> Result<Vec<Card>, Error> {
        let settings: Settings = settings_as()?;
        let Some(search) = find::contacts(&caller.numbers, CANDIDATES) else { return Ok(Vec::new()) };
        let account = account()?;
        let found = post("/crm/v3/objects/contacts/search", &search)?;
        let mut records = find::with_number(Kind::Contact, &found, &caller.numbers)?;
        if records.is_empty()
            && settings.companies
            && let Some(search) = find::companies(&caller.numbers, CANDIDATES)
        {
            match post("/crm/v3/objects/companies/search", &search) {
                Ok(found) => records = find::with_number(Kind::Company, &found, &caller.numbers)?,
                // A private app without the scope for companies still knows the contacts.
                Err(Error::Forbidden(words)) => {
                    log::write(log::Level::Warn, &format!("no companies: {words}"))
                }
                Err(error) => return Err(error),
            }
        }
        records.truncate(limit as usize);
        let french = is_french();
        Ok(records
            .into_iter()
            .enumerate()
            .map(|(at, record)| card(&account, record, at == 0, french))
            .collect())
    }
}

impl CrmJournal for HubSpot {
    fn log_call(call: Call) -> Result<(), Error> {
        if was_entered(&call.id) || is_there("calls", &entry::known_call(&call.id), |_| true)? {
            entered(&call.id);
            return Ok(());
        }
        let subject = subject(call.subject.as_deref(), &call.remote)?;
        post("/crm/v3/objects/calls", &entry::call(&call, subject, is_french()))?;
        entered(&call.id);
        Ok(())
    }
}

impl CrmItems for HubSpot {
    fn create(item: Item) -> Result<Option<String>, Error> {
        let settings: Settings = settings_as()?;
        let owner = owner(&settings)?;
        if was_entered(&item.id) {
            return Ok(None);
        }
        let subject = subject(item.subject.as_deref(), &item.remote)?;
        let kind = if item.kind == ItemKind::Note { "notes" } else { "tasks" };
        let body = if item.kind == ItemKind::Note { "hs_note_body" } else { "hs_task_body" };
        let mark = entry::mark(&item.id);
        let is_ours =
            |record: &Value| record["properties"][body].as_str().is_some_and(|text| text.contains(&mark));
        if !is_there(kind, &entry::known_item(body, &item.id), is_ours)? {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let now = u64::try_from(now.as_millis()).unwrap_or_default();
            post(&format!("/crm/v3/objects/{kind}"), &entry::item(&item, subject, owner, now, is_french()))?;
        }
        entered(&item.id);
        // Where the account cannot be asked, the note is there all the same.
        Ok(subject.and_then(|subject| Some(find::page(&account().ok()?, subject))))
    }
}

/// The record it belongs to: that of the card, else the only contact with the number.
fn subject(shown: Option<&str>, remote: &Party) -> Result<Option<Subject>, Error> {
    if let Some(shown) = shown.and_then(|id| id.parse().ok()) {
        return Ok(Some(shown));
    }
    let Some(search) = find::contacts(&remote.numbers, CANDIDATES) else { return Ok(None) };
    let found = post("/crm/v3/objects/contacts/search", &search)?;
    let found = find::with_number(Kind::Contact, &found, &remote.numbers)?;
    let only = if let [contact] = &found[..] { Some(contact.subject()) } else { None };
    Ok(only)
}

fn owner(settings: &Settings) -> Result<Option<&str>, Error> {
    match settings.owner.trim() {
        "" => Ok(None),
        owner if owner.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(owner)),
        _ => Err(misconfigured(Some("owner"), "the number of a HubSpot user, such as 77406593")),
    }
}

/// Whether the search knows an entry. It lags a few seconds behind what was written, which is what the
/// connector's own memory is for.
fn is_there(kind: &str, search: &Value, is_ours: impl Fn(&Value) -> bool) -> Result<bool, Error> {
    let found = post(&format!("/crm/v3/objects/{kind}/search"), search)?;
    let results =
        found["results"].as_array().ok_or_else(|| Error::Protocol("a search without results".to_owned()))?;
    Ok(results.iter().any(is_ours))
}

/// Which account the token is of, for the addresses of its pages. Asked once, then remembered.
fn account() -> Result<Account, Error> {
    use frontdesk_connector::state;
    let known = state::get("account").and_then(|bytes| Account::read(&String::from_utf8(bytes).ok()?));
    if let Some(account) = known {
        return Ok(account);
    }
    let account = Account::of(&get("/account-info/v3/details")?)?;
    // A full state costs the question once more.
    let _ = state::set("account", account.text().as_bytes());
    Ok(account)
}

/// The card; the first one with what has to be asked for, as far as there is time and right to.
fn card(account: &Account, record: Record, more: bool, french: bool) -> Card {
    let mut extra = find::Extra::default();
    let mut ask = |what: &str, question: &mut dyn FnMut(&mut find::Extra) -> Result<(), Error>| {
        if !more || context::remaining_ms() < KEPT {
            return;
        }
        if let Err(error) = question(&mut extra) {
            log::write(log::Level::Info, &format!("the card is without {what}: {error:?}"));
        }
    };
    if let Some(id) = &record.company_id {
        ask("company", &mut |extra| {
            let company = get(&format!("/crm/v3/objects/companies/{id}?properties=name"))?;
            extra.company = text(&company["properties"]["name"]);
            Ok(())
        });
    }
    ask("deals", &mut |extra| {
        let kind = record.kind.plural();
        let linked = get(&format!("/crm/v4/objects/{kind}/{}/associations/deals?limit=20", record.id))?;
        let Some(search) = find::deals(&linked) else { return Ok(()) };
        extra.deals = find::open_deals(&post("/crm/v3/objects/deals/batch/read", &search)?);
        Ok(())
    });
    if let Some(id) = &record.owner_id {
        ask("owner", &mut |extra| {
            extra.owner = find::owner(&get(&format!("/crm/v3/owners/{id}"))?);
            Ok(())
        });
    }
    record.card(account, extra, french)
}
