//! Contacts, leads and accounts of Salesforce by its REST API: found by number with SOSL, shown with company,
//! open opportunities and cases; calls, notes and tasks written as tasks, which is where Salesforce keeps all
//! three. Not here: what is asked for and what an answer means (`find`), what is written (`entry`).

mod api;
mod entry;
mod find;

use frontdesk_connector::crm::{entered, is_french, was_entered};
use frontdesk_connector::serde_json::Value;
use frontdesk_connector::{
    Call, Card, CrmItems, CrmJournal, CrmResolve, Error, Item, Lifecycle, Line, Party, connector, context,
    log, misconfigured, settings_as,
};
use serde::Deserialize;

use api::Server;

/// Time that is kept to answer, in milliseconds: nothing more is asked for the card.
const KEPT: u64 = 700;

#[derive(Deserialize)]
struct Settings {
    url: String,
    #[serde(default)]
    leads: bool,
    #[serde(default)]
    done: String,
}

impl Settings {
    fn server(&self) -> Result<Server<'_>, Error> {
        let base = self.url.trim().trim_end_matches('/');
        let rest = base.strip_prefix("https://").unwrap_or_default();
        if rest.is_empty() || rest.contains(['/', '?', '#']) {
            return Err(misconfigured(
                Some("url"),
                "the domain alone, such as https://example.my.salesforce.com",
            ));
        }
        Ok(Server { base })
    }
}

struct Salesforce;

connector!(Salesforce: lifecycle, crm_resolve, crm_journal, crm_items);

impl Lifecycle for Salesforce {
    fn check() -> Result<String, Error> {
        let settings: Settings = settings_as()?;
        let answer = settings.server()?.query("SELECT COUNT() FROM Contact")?;
        let total = answer["totalSize"]
            .as_u64()
            .ok_or_else(|| Error::Protocol("a query without totalSize".to_owned()))?;
        Ok(format!("{total} contacts"))
    }
}

impl CrmResolve for Salesforce {
    fn resolve(caller: Party, limit: u32) -> Result<Vec<Card>, Error> {
        let settings: Settings = settings_as()?;
        let server = settings.server()?;
        let french = is_french();
        let mut cards = find_cards(&server, &settings, &caller.numbers, french)?;
        cards.truncate(limit as usize);
        if let Some((card, account)) = cards.first_mut() {
            more(&server, account.as_deref(), card, french);
        }
        Ok(cards.into_iter().map(|(card, _)| card).collect())
    }
}

impl CrmJournal for Salesforce {
    fn log_call(call: Call) -> Result<(), Error> {
        let settings: Settings = settings_as()?;
        let server = settings.server()?;
        let subject = subject(&server, &settings, call.subject.as_deref(), &call.remote)?;
        write(&server, &call.id, &entry::call(&call, subject.as_deref(), &settings.done, is_french()))
            .map(|_| ())
    }
}

impl CrmItems for Salesforce {
    fn create(item: Item) -> Result<Option<String>, Error> {
        let settings: Settings = settings_as()?;
        let server = settings.server()?;
        let subject = subject(&server, &settings, item.subject.as_deref(), &item.remote)?;
        let id =
            write(&server, &item.id, &entry::item(&item, subject.as_deref(), &settings.done, is_french()))?;
        Ok(id.map(|id| server.page(&id)))
    }
}

fn find_cards(
    server: &Server<'_>,
    settings: &Settings,
    numbers: &[String],
    french: bool,
) -> Result<Vec<(Card, Option<String>)>, Error> {
    let Some(search) = find::search(numbers, settings.leads) else { return Ok(Vec::new()) };
    find::cards(&server.search(&search)?, numbers, server, french)
}

/// The record it belongs to: that of the card, else the only one with the number.
fn subject(
    server: &Server<'_>,
    settings: &Settings,
    shown: Option<&str>,
    remote: &Party,
) -> Result<Option<String>, Error> {
    if let Some(shown) = shown.filter(|id| find::is_id(id)) {
        return Ok(Some(shown.to_owned()));
    }
    let mut found = find_cards(server, settings, &remote.numbers, false)?;
    Ok(if found.len() == 1 { found.pop().map(|(card, _)| card.id) } else { None })
}

/// Writes a task once: one with the same `CallObject` is the one that was written before.
fn write(server: &Server<'_>, id: &str, task: &Value) -> Result<Option<String>, Error> {
    if was_entered(id) {
        return Ok(None);
    }
    let known =
        server.query(&format!("SELECT Id FROM Task WHERE CallObject = '{}' LIMIT 1", find::quoted(id)))?;
    let records =
        known["records"].as_array().ok_or_else(|| Error::Protocol("a query without records".to_owned()))?;
    let made = match records.first() {
        Some(record) => record["Id"].as_str().map(str::to_owned),
        None => server.create("Task", task)?["id"].as_str().map(str::to_owned),
    };
    entered(id);
    Ok(made.filter(|id| find::is_id(id)))
}

/// What is open with this customer, as far as there is time and right to ask.
fn more(server: &Server<'_>, account: Option<&str>, card: &mut Card, french: bool) {
    let Some(account) = account else { return };
    for (query, english, other, told) in [
        (
            find::opportunities(account),
            "Open opportunity",
            "Opportunité en cours",
            find::opportunity as fn(&Value) -> Option<String>,
        ),
        (find::cases(account), "Open case", "Requête en cours", find::case),
    ] {
        if context::remaining_ms() < KEPT {
            return;
        }
        match server.query(&query) {
            Ok(answer) => {
                let label = if french { other } else { english };
                let records = answer["records"].as_array().map(Vec::as_slice).unwrap_or_default();
                let lines = records.iter().filter_map(told);
                card.lines.extend(lines.map(|value| Line { label: label.to_owned(), value }));
            }
            Err(error) => log::write(log::Level::Info, &format!("the card has no line {english}: {error:?}")),
        }
    }
}
