//! A link for each caller, without any network.

use ipc::PluginParty;
use plugin_host::connector::Cancel;
use plugin_host::manifest::Granted;
use serde_json::json;

use crate::yard::Yard;
use crate::{Plugin, caller, found};

fn load(url: &str) -> Plugin {
    Plugin::load(Yard::with_names(&[]), "url-crm", &json!({ "url": url }), &Granted::default())
}

#[test]
fn crm_1_a_link_with_the_callers_number_and_no_network_at_all() {
    let plugin = load("https://crm.example/search?q=$");
    assert_eq!(plugin.exports(), ["crm-resolve"]);
    assert_eq!(plugin.check(&Cancel::default()).unwrap(), "https://crm.example/search?q=%2B41445550001");
    let cards = found(&plugin, &caller());
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0].url.as_deref(), Some("https://crm.example/search?q=%2B41445550001"));
    assert_eq!((cards[0].name.as_str(), cards[0].kind.as_str()), ("+41445550001", "other"));
    let named = PluginParty { name: Some("Zoë".to_owned()), ..caller() };
    assert_eq!(found(&plugin, &named)[0].name, "Zoë");
    assert!(found(&plugin, &PluginParty { numbers: Vec::new(), name: None }).is_empty());
}

#[test]
fn an_address_without_a_place_for_the_number_is_said() {
    for url in ["https://crm.example/", "https://$.example/"] {
        let failure = load(url).check(&Cancel::default()).unwrap_err();
        assert_eq!(failure.case(), "misconfigured", "{url}: {failure:?}");
    }
}
