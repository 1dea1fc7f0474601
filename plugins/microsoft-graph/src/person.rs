//! A user or a contact of Microsoft 365 as a contact of the desk. No network here.

use frontdesk_connector::{Contact, Field, Phone, PhoneKind};

use crate::answer::Item;
use crate::source::Source;

/// The contact; none without a name or a number, and of users none whose account is switched off.
pub(crate) fn contact(item: &Item, source: &Source) -> Option<Contact> {
    if item.account_enabled == Some(false) {
        return None;
    }
    let text = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (first, last) = (text(&item.given_name), text(&item.surname));
    let organization = text(&item.company_name);
    let composed = [first.as_deref(), last.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let display_name = text(&item.display_name.clone().flatten())
        .or(Some(composed).filter(|name| !name.is_empty()))
        .or_else(|| organization.clone())?;
    let phones = phones(item);
    if phones.is_empty() {
        return None;
    }
    let mut emails: Vec<String> = text(&item.mail).into_iter().collect();
    let addresses = item.email_addresses.iter().flatten();
    emails.extend(addresses.filter_map(|address| text(&address.address)));
    let extra = [("first-name", first), ("last-name", last), ("office", text(&item.office_location))];
    let extra =
        extra.into_iter().filter_map(|(key, value)| Some(Field { key: key.to_owned(), value: value? }));
    Some(Contact {
        id: item.id.clone(),
        display_name,
        organization,
        department: text(&item.department),
        title: text(&item.job_title),
        phones,
        emails,
        // Of contacts only: what a user has written about somebody stays in the mailbox that was named.
        note: text(&item.personal_notes).filter(|_| source.has_contacts()),
        url: None,
        extra: extra.collect(),
    })
}

/// Each number once.
fn phones(item: &Item) -> Vec<Phone> {
    let list = |kind, list: &Option<Vec<Option<String>>>| {
        let numbers = list.iter().flatten().flatten().cloned();
        numbers.map(move |number| (kind, number)).collect::<Vec<_>>()
    };
    let one = |kind, number: &Option<String>| number.iter().map(|number| (kind, number.clone())).collect();
    let all: [Vec<(PhoneKind, String)>; 4] = [
        list(PhoneKind::Work, &item.business_phones),
        one(PhoneKind::Mobile, &item.mobile_phone),
        list(PhoneKind::Home, &item.home_phones),
        one(PhoneKind::Fax, &item.fax_number),
    ];
    let mut phones: Vec<Phone> = Vec::new();
    for (kind, number) in all.into_iter().flatten() {
        let number = number.trim();
        let is_number = number.bytes().any(|byte| byte.is_ascii_digit());
        if is_number && !phones.iter().any(|phone| phone.number == number) {
            phones.push(Phone { kind, number: number.to_owned() });
        }
    }
    // A fax alone is nobody to talk to.
    if phones.iter().all(|phone| phone.kind == PhoneKind::Fax) {
        phones.clear();
    }
    phones
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use frontdesk_connector::serde_json::{self, json};

    fn item(value: serde_json::Value) -> Item {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_user_and_a_contact_as_they_are_documented() {
        let user = item(json!({
            "id": "87d349ed", "displayName": "Adele Vance", "givenName": "Adele", "surname": "Vance",
            "businessPhones": ["+1 425 555 0109"], "mobilePhone": null, "faxNumber": "+1 425 555 0100",
            "jobTitle": "Retail Manager", "mail": "AdeleV@contoso.com", "officeLocation": "18/2111",
            "department": "Retail", "companyName": "Contoso", "accountEnabled": true,
            "userPrincipalName": "AdeleV@contoso.com"
        }));
        let contact_of = |item: &Item, source: &Source| contact(item, source).unwrap();
        let adele = contact_of(&user, &Source::Users);
        assert_eq!((adele.id.as_str(), adele.display_name.as_str()), ("87d349ed", "Adele Vance"));
        assert_eq!((adele.phones.len(), adele.emails.len(), adele.extra.len()), (2, 1, 3));
        let mut off = user.clone();
        off.account_enabled = Some(false);
        assert!(contact(&off, &Source::Users).is_none());
        let friend = item(json!({
            "id": "AAk=", "@odata.etag": "W/\"EQ\"", "displayName": "", "givenName": "Zoë", "surname": "Keller",
            "homePhones": ["044 555 01 02", ""], "mobilePhone": "044 555 01 02", "businessPhones": [null, "x"],
            "emailAddresses": [{"name": "Zoë", "address": "zoe@example.com"}, {"name": "none"}],
            "personalNotes": "likes tea"
        }));
        let zoe = contact_of(&friend, &Source::Me);
        assert_eq!((zoe.display_name.as_str(), zoe.phones.len(), zoe.emails.len()), ("Zoë Keller", 1, 1));
        assert_eq!((zoe.phones[0].kind, zoe.note.as_deref()), (PhoneKind::Mobile, Some("likes tea")));
    }

    #[test]
    fn without_a_name_or_a_number_it_is_left_out() {
        for value in [
            json!({"id": "1", "displayName": "Ann", "businessPhones": []}),
            json!({"id": "1", "displayName": "Ann", "faxNumber": "1"}),
            json!({"id": "1", "displayName": null, "mobilePhone": "1"}),
            json!({"id": "1"}),
        ] {
            assert!(contact(&item(value.clone()), &Source::Users).is_none(), "{value}");
        }
        let firm = item(json!({"id": "1", "companyName": "Contoso", "businessPhones": ["1"]}));
        assert_eq!(contact(&firm, &Source::Me).unwrap().display_name, "Contoso");
    }
}
