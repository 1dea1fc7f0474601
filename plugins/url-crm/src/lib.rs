//! A link with the caller's number (CRM-1): the address in the settings, `$` replaced by the number,
//! percent-encoded. It knows nobody and asks nobody: a connector without any network.

use frontdesk_connector::crm::encode;
use frontdesk_connector::{
    Card, CardKind, CrmResolve, Error, Lifecycle, Party, connector, misconfigured, settings_as,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    url: String,
}

struct UrlCrm;

connector!(UrlCrm: lifecycle, crm_resolve);

impl Lifecycle for UrlCrm {
    fn check() -> Result<String, Error> {
        let settings: Settings = settings_as()?;
        link(&settings.url, "+41445550001")
    }
}

impl CrmResolve for UrlCrm {
    fn resolve(caller: Party, limit: u32) -> Result<Vec<Card>, Error> {
        let settings: Settings = settings_as()?;
        let card = card(&settings.url, caller)?;
        Ok(card.into_iter().take(limit as usize).collect())
    }
}

/// The card of whoever shows a number.
fn card(template: &str, caller: Party) -> Result<Option<Card>, Error> {
    let mut numbers = caller.numbers.into_iter().map(|number| number.trim().to_owned());
    let Some(number) = numbers.find(|number| !number.is_empty() && number.len() <= 128) else {
        return Ok(None);
    };
    let name = caller.display_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok(Some(Card {
        kind: CardKind::Other,
        name: name.unwrap_or_else(|| number.clone()),
        organization: None,
        lines: Vec::new(),
        url: Some(link(template, &number)?),
        id: number,
    }))
}

/// The number goes into the path or the query: where it leads, the administrator alone decides.
fn link(template: &str, number: &str) -> Result<String, Error> {
    let wrong = |words: &str| misconfigured(Some("url"), words);
    let (scheme, rest) = template.trim().split_once("://").ok_or_else(|| wrong("this is not an address"))?;
    if !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) {
        return Err(wrong("the address must begin with https:// or http://"));
    }
    if !rest.contains('$') {
        return Err(wrong("the address has no $ where the number goes"));
    }
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    if rest[..end].contains('$') {
        return Err(wrong("$ must not be in the name of the server"));
    }
    Ok(format!("{}://{}", scheme.to_ascii_lowercase(), rest.replace('$', &encode(number))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn party(numbers: &[&str], name: Option<&str>) -> Party {
        let numbers = numbers.iter().map(|number| (*number).to_owned()).collect();
        Party { numbers, display_name: name.map(str::to_owned) }
    }

    #[test]
    fn crm_1_the_number_takes_the_place_of_the_dollar_sign() {
        let template = "https://crm.example/find?q=$&again=$";
        let found = card(template, party(&["+41 44 555", "044555"], Some(" "))).unwrap().unwrap();
        assert_eq!(
            found.url.as_deref(),
            Some("https://crm.example/find?q=%2B41%2044%20555&again=%2B41%2044%20555")
        );
        assert_eq!((found.name.as_str(), found.id.as_str()), ("+41 44 555", "+41 44 555"));
        assert_eq!(link("HTTPS://crm.example/$", "1").unwrap(), "https://crm.example/1");
        assert_eq!(card(template, party(&["1"], Some("Ann"))).unwrap().unwrap().name, "Ann");
        assert!(card(template, party(&[], Some("Ann"))).unwrap().is_none());
        assert!(card(template, party(&[" "], None)).unwrap().is_none());
    }

    #[test]
    fn an_address_that_cannot_be_one_is_said_at_its_setting() {
        for bad in [
            "",
            "crm.example/$",
            "javascript://x/$",
            "https://crm.example/",
            "https://$.example/",
            "https://a$b",
        ] {
            let error = link(bad, "1").unwrap_err();
            assert!(
                matches!(error, Error::Misconfigured(wrong) if wrong.field.as_deref() == Some("url")),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_number_leads_elsewhere(number in "\\PC{1,30}") {
            let address = link("https://crm.example/c/$?x=1", &number).unwrap();
            let middle = address.strip_prefix("https://crm.example/c/").and_then(|rest| rest.strip_suffix("?x=1"));
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
            prop_assert!(middle.is_some_and(|middle| middle.bytes().all(is_plain)));
        }
    }
}
