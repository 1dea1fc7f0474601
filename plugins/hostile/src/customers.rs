//! What a bad author could try while a phone rings.

use frontdesk_connector::{
    Call, Card, CardKind, CrmItems, CrmJournal, CrmResolve, Error, Item, Line, Party, context, settings_as,
    state,
};

use crate::{Hostile, Settings, misbehave};

impl CrmResolve for Hostile {
    fn resolve(caller: Party, _limit: u32) -> Result<Vec<Card>, Error> {
        let settings: Settings = settings_as()?;
        match settings.behaviour.as_str() {
            "well-behaved" => {
                Ok(caller.numbers.first().map(|number| card(number, "Zoë Customer")).into_iter().collect())
            }
            "trap-in-notes" => Ok(Vec::new()),
            "endless-resolve" => {
                while !context::cancelled() {}
                Ok(Vec::new())
            }
            "many-cards" => Ok((0..1000).map(|n| card(&n.to_string(), "One of many")).collect()),
            "huge-card" => Ok(vec![card("1", &"N".repeat(1 << 20)), card("2", "Next to it")]),
            "huge-lines" => {
                let line = Line { label: "L".repeat(200), value: "V".repeat(600) };
                Ok(vec![Card { lines: vec![line; 15], ..card("1", "Tall") }])
            }
            "script-link" => {
                Ok(vec![Card { url: Some("javascript:alert(1)".to_owned()), ..card("1", "Link\u{1b}[2J") }])
            }
            "busy-server" => Err(Error::RetryLater(Some(7))),
            _ => misbehave(&settings).map(|()| Vec::new()),
        }
    }
}

impl CrmJournal for Hostile {
    fn log_call(call: Call) -> Result<(), Error> {
        let settings: Settings = settings_as()?;
        match settings.behaviour.as_str() {
            // Kept, so that a test sees what came through.
            "well-behaved" => {
                let _ = state::set(&call.id, call.operator.as_bytes());
                Ok(())
            }
            _ => misbehave(&settings),
        }
    }
}

impl CrmItems for Hostile {
    fn create(item: Item) -> Result<Option<String>, Error> {
        let settings: Settings = settings_as()?;
        match settings.behaviour.as_str() {
            "well-behaved" => Ok(Some(format!("https://crm.example/{}", item.id))),
            "trap-in-notes" => panic!("a note"),
            "script-link" => Ok(Some("file:///etc/passwd".to_owned())),
            _ => misbehave(&settings).map(|()| None),
        }
    }
}

fn card(id: &str, name: &str) -> Card {
    Card {
        kind: CardKind::Person,
        id: id.to_owned(),
        name: name.to_owned(),
        organization: None,
        lines: Vec::new(),
        url: None,
    }
}
