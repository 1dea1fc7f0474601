//! Items of a delta query: what there is, what has changed since when, in pages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, error};

/// Users, or contacts of a mailbox.
#[derive(Default)]
pub struct Store {
    items: BTreeMap<String, Value>,
    /// One a change: which, and why it is not there any more or what of it is told.
    changes: Vec<(String, What)>,
    /// Only properties that have changed are told.
    pub tells_parts: bool,
}

#[derive(Clone)]
enum What {
    Whole,
    Part(Value),
    Gone(&'static str),
}

impl Store {
    /// One that is new.
    pub fn add(&mut self, id: &str, mut item: Value) {
        item["id"] = json!(id);
        self.items.insert(id.to_owned(), item);
        self.changes.push((id.to_owned(), What::Whole));
    }

    /// Some of its properties have changed.
    pub fn change(&mut self, id: &str, properties: Value) {
        let item = self.items.get_mut(id).unwrap();
        for (key, value) in properties.as_object().unwrap() {
            item[key] = value.clone();
        }
        let what = if self.tells_parts { What::Part(properties) } else { What::Whole };
        self.changes.push((id.to_owned(), what));
    }

    /// Deleted, with the reason that is told: `changed` for those that wait for their end, or `deleted`.
    pub fn remove(&mut self, id: &str, reason: &'static str) {
        self.items.remove(id).unwrap();
        self.changes.push((id.to_owned(), What::Gone(reason)));
    }

    /// All changes are forgotten; what there is is as it was.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// `base/delta` with or without a token, or `base/{id}`.
    pub(super) fn answer(
        &self,
        server: &str,
        base: &str,
        path: &str,
        query: &str,
        page: usize,
        forgotten: bool,
    ) -> Answer {
        let rest = path.strip_prefix(base).unwrap().trim_start_matches('/');
        let get = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        if rest != "delta" {
            // The equals sign of Outlook's ids.
            return match self.items.get(&rest.replace("%3D", "=")) {
                Some(item) => (200, Vec::new(), item.clone()),
                None => error(404, "Request_ResourceNotFound", "Resource does not exist."),
            };
        }
        let (delta, skip) = (get("$deltatoken"), get("$skiptoken"));
        if forgotten && (delta.is_some() || skip.is_some()) {
            return error(
                410,
                "SyncStateNotFound",
                "The sync state generation is not found; run a full synchronization.",
            );
        }
        if delta.is_none() && skip.is_none() && get("$select").is_none() {
            return error(400, "BadRequest", "$select is expected here.");
        }
        // since.until.offset; a full round has no since.
        let place = skip.or(delta).unwrap_or("-");
        let mut parts = place.split('.');
        let since: Option<usize> = parts.next().and_then(|text| text.parse().ok());
        let until: usize = parts.next().and_then(|text| text.parse().ok()).unwrap_or(self.changes.len());
        let offset: usize = parts.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let all = self.round(since, until);
        let value: Vec<Value> = all.iter().skip(offset).take(page).cloned().collect();
        let end = offset + value.len();
        let (name, token) = if end < all.len() {
            let since = since.map_or("-".to_owned(), |since| since.to_string());
            ("@odata.nextLink", format!("$skiptoken={since}.{until}.{end}"))
        } else {
            ("@odata.deltaLink", format!("$deltatoken={until}"))
        };
        let mut body =
            json!({"@odata.context": format!("{server}/v1.0/$metadata#collection"), "value": value});
        body[name] = json!(format!("{server}{base}/delta?{token}"));
        (200, Vec::new(), body)
    }

    /// What is told in a round: everything, or what has changed, each item once.
    fn round(&self, since: Option<usize>, until: usize) -> Vec<Value> {
        let Some(since) = since else { return self.items.values().cloned().collect() };
        let mut last: BTreeMap<&String, What> = BTreeMap::new();
        for (id, what) in &self.changes[since.min(until)..until] {
            last.insert(id, what.clone());
        }
        let tell = |(id, what): (&String, What)| match (what, self.items.get(id)) {
            (What::Gone(reason), _) => json!({"id": id, "@removed": {"reason": reason}}),
            (_, None) => json!({"id": id, "@removed": {"reason": "deleted"}}),
            (What::Whole, Some(item)) => item.clone(),
            (What::Part(mut part), Some(_)) => {
                part["id"] = json!(id);
                part
            }
        };
        last.into_iter().map(tell).collect()
    }
}
