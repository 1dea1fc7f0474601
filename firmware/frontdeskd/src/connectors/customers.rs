//! What the words of a customer database become on the desk, and back. Plain functions.
//!
//! The host has measured and bounded what comes from a connector; what could break a screen is taken out here.

use directory::NumberPlan;
use ipc::{
    CustomerItem, CustomerKind, CustomerLine, CustomerView, ItemProblem, MAX_CARD_LINES, MAX_ITEM_TEXT,
    PluginAnswer, PluginCard, PluginContact, PluginItem, PluginParty, PluginProblem,
};

/// Longest label, value and name, in characters.
const MAX_LABEL: usize = 100;
const MAX_VALUE: usize = 500;
const MAX_NAME: usize = 200;
/// Longest address and identity, in bytes.
const MAX_ADDRESS: usize = 2_000;
const MAX_ID: usize = 512;

/// One question to several connectors: of those that have a card the first in the order of the host counts.
pub(super) struct Inquiry {
    pub(super) number: String,
    /// Identity and name.
    plugins: Vec<(String, String)>,
    open: usize,
    /// The place of the card that was told.
    best: Option<usize>,
}

impl Inquiry {
    pub(super) fn new(number: String, plugins: Vec<(String, String)>) -> Self {
        let open = plugins.len();
        Self { number, plugins, open, best: None }
    }

    /// A connector has answered, with nothing where it failed. The news, if it is any: a better card, or that
    /// nobody has one.
    pub(super) fn answered(&mut self, place: usize, cards: Vec<PluginCard>) -> Option<Option<CustomerView>> {
        self.open = self.open.saturating_sub(1);
        let more = u32::try_from(cards.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let (plugin, name) = self.plugins.get(place)?;
        let card = cards.into_iter().next().and_then(|card| customer(card, plugin, name, more));
        match card {
            Some(card) if self.best.is_none_or(|best| place < best) => {
                self.best = Some(place);
                Some(Some(card))
            }
            _ => (self.is_over() && self.best.is_none()).then_some(None),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.open == 0
    }
}

fn customer(card: PluginCard, plugin: &str, plugin_name: &str, more: u32) -> Option<CustomerView> {
    let name = Some(plain(&card.name, MAX_NAME)).filter(|name| !name.is_empty())?;
    if card.id.is_empty() || card.id.len() > MAX_ID {
        return None;
    }
    let line = |(label, value): (String, String)| CustomerLine {
        label: plain(&label, MAX_LABEL),
        value: plain(&value, MAX_VALUE),
    };
    let has_words = |line: &CustomerLine| !line.value.is_empty();
    Some(CustomerView {
        plugin: plugin.to_owned(),
        plugin_name: plain(plugin_name, MAX_NAME),
        kind: match card.kind.as_str() {
            "person" => CustomerKind::Person,
            "company" => CustomerKind::Company,
            "lead" => CustomerKind::Lead,
            "deal" => CustomerKind::Deal,
            "ticket" => CustomerKind::Ticket,
            _ => CustomerKind::Other,
        },
        id: card.id,
        name,
        organization: card.organization.map(|text| plain(&text, MAX_NAME)).filter(|text| !text.is_empty()),
        lines: card.lines.into_iter().map(line).filter(has_words).take(MAX_CARD_LINES).collect(),
        url: card.url.filter(|url| is_page(url)),
        more,
    })
}

/// Whom a number means that these people have: the one who has it, else the firm of all who share it, else nobody. A
/// wrong name on the screen is worse than none.
pub(super) fn whose(people: &[PluginContact]) -> Option<(String, Option<String>)> {
    let all: Vec<(String, Option<String>)> = people.iter().filter_map(named).collect();
    let (name, firm) = all.first()?.clone();
    let shared = firm.filter(|firm| all.iter().all(|(_, other)| other.as_ref() == Some(firm)));
    if all.iter().all(|(other, _)| *other == name) {
        return Some((name, shared));
    }
    shared.map(|firm| (firm, None))
}

/// The name and the firm of somebody.
fn named(contact: &PluginContact) -> Option<(String, Option<String>)> {
    let name = Some(plain(&contact.name, MAX_NAME)).filter(|name| !name.is_empty())?;
    let firm = contact.organization.as_ref().map(|text| plain(text, MAX_NAME));
    Some((name, firm.filter(|text| !text.is_empty())))
}

/// A note or task for this connector; `None` when it is none.
pub(super) fn item(
    item: CustomerItem,
    plugin: &str,
    plan: &NumberPlan,
    operator: &str,
) -> Option<PluginItem> {
    let is_id = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let text = item.text.trim();
    let good = (1..=64).contains(&item.id.len())
        && item.id.bytes().all(is_id)
        && !text.is_empty()
        && text.chars().count() <= MAX_ITEM_TEXT;
    good.then(|| PluginItem {
        id: item.id,
        task: item.task,
        remote: PluginParty {
            numbers: item.number.map(|number| plan.spellings(&number)).unwrap_or_default(),
            name: item.name.filter(|name| !name.is_empty()),
        },
        subject: item.subject.filter(|subject| subject.plugin == plugin).map(|subject| subject.id),
        text: text.chars().filter(|c| *c == '\n' || !c.is_control()).collect(),
        operator: operator.to_owned(),
    })
}

/// What became of a note; `None`: no answer came.
pub(super) fn item_answer(
    answer: Option<Result<PluginAnswer, PluginProblem>>,
) -> Result<Option<String>, ItemProblem> {
    match answer {
        None => Err(ItemProblem::TimedOut),
        Some(Ok(PluginAnswer::Created { url })) => Ok(url.filter(|url| is_page(url))),
        Some(Ok(_)) => Err(ItemProblem::Refused { case: "protocol".into(), words: String::new() }),
        Some(Err(PluginProblem::Failed { case, words })) => {
            Err(ItemProblem::Refused { case: plain(&case, MAX_LABEL), words: plain(&words, MAX_VALUE) })
        }
        Some(Err(other)) => {
            Err(ItemProblem::Refused { case: "refused".into(), words: plain(&other.to_string(), MAX_VALUE) })
        }
    }
}

fn is_page(url: &str) -> bool {
    let starts = |scheme: &str| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme));
    (starts("https://") || starts("http://"))
        && url.len() <= MAX_ADDRESS
        && !url.chars().any(char::is_control)
}

/// One line of text: what turns its direction round or cannot be seen is no part of it.
pub(super) fn plain(text: &str, longest: usize) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let spaced = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c });
    let seen: String = spaced.filter(|c| !is_hidden(*c)).collect();
    let seen = seen.trim();
    match seen.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", seen[..end].trim_end()),
        None => seen.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ipc::CustomerRef;
    use proptest::prelude::*;

    use super::*;

    fn card(name: &str) -> PluginCard {
        PluginCard {
            kind: "person".into(),
            id: format!("id-{name}"),
            name: name.into(),
            organization: Some("Acme".into()),
            lines: vec![("Contract".into(), "Gold".into())],
            url: Some("https://crm.example/1".into()),
        }
    }

    fn asked(count: usize) -> Inquiry {
        let plugins = (0..count).map(|n| (format!("p{n}"), format!("CRM {n}"))).collect();
        Inquiry::new("0145678910".into(), plugins)
    }

    fn name(news: Option<Option<CustomerView>>) -> Option<String> {
        news.unwrap().map(|card| card.name)
    }

    #[test]
    fn crm_3_the_first_connector_with_a_card_counts_whoever_is_faster() {
        let mut inquiry = asked(3);
        assert_eq!(inquiry.answered(2, Vec::new()), None);
        assert_eq!(name(inquiry.answered(1, vec![card("second")])), Some("second".into()));
        assert_eq!(name(inquiry.answered(0, vec![card("first")])), Some("first".into()));
        assert!(inquiry.is_over());
        let mut inquiry = asked(2);
        assert_eq!(name(inquiry.answered(0, vec![card("first")])), Some("first".into()));
        assert_eq!(inquiry.answered(1, vec![card("second")]), None);
    }

    #[test]
    fn crm_3_nobody_is_news_when_the_last_has_answered() {
        let mut inquiry = asked(2);
        assert_eq!(inquiry.answered(0, Vec::new()), None);
        assert_eq!(inquiry.answered(1, Vec::new()), Some(None));
        assert_eq!(
            asked(1).answered(0, vec![PluginCard { name: "\u{202e} ".into(), ..card("x") }]),
            Some(None)
        );
    }

    #[test]
    fn crm_3_a_card_says_how_many_more_there_are_and_which_page_is_its_own() {
        let several = vec![card("a"), card("b"), card("c")];
        let found = asked(1).answered(0, several).unwrap().unwrap();
        assert_eq!((found.more, found.plugin.as_str(), found.plugin_name.as_str()), (2, "p0", "CRM 0"));
        assert_eq!(found.url.as_deref(), Some("https://crm.example/1"));
        let bad = PluginCard { url: Some("javascript:alert(1)".into()), ..card("a") };
        assert_eq!(asked(1).answered(0, vec![bad]).unwrap().unwrap().url, None);
    }

    #[test]
    fn call_5_a_number_that_several_have_is_their_firms_or_nobodys() {
        let person = |name: &str, firm: Option<&str>| PluginContact {
            id: name.into(),
            name: name.into(),
            organization: firm.map(str::to_owned),
            department: None,
            title: None,
            phones: Vec::new(),
            emails: Vec::new(),
            note: None,
            url: None,
            extra: Vec::new(),
        };
        let acme = Some("Acme".to_owned());
        let aaron = person("Aaron Abel", Some("Acme"));
        assert_eq!(whose(std::slice::from_ref(&aaron)), Some(("Aaron Abel".into(), acme.clone())));
        assert_eq!(whose(&[aaron.clone(), aaron.clone()]), Some(("Aaron Abel".into(), acme)), "twice in it");
        assert_eq!(whose(&[aaron.clone(), person("Bo", Some("Acme"))]), Some(("Acme".into(), None)));
        for other in [person("Bo", Some("Nadir")), person("Bo", None)] {
            assert_eq!(whose(&[aaron.clone(), other]), None);
        }
        let elsewhere = person("Aaron Abel", Some("Nadir"));
        assert_eq!(whose(&[aaron, elsewhere]), Some(("Aaron Abel".into(), None)));
        assert_eq!(whose(&[person("\u{202e}", None)]), None);
    }

    proptest! {
        #[test]
        fn crm_3_whatever_a_card_says_it_is_bounded_and_one_line_each(
            name in "\\PC{1,300}|[\u{0}-\u{10}\u{202a}-\u{202e}x]{1,300}",
            lines in proptest::collection::vec(("[^x]{0,150}", "[^x]{0,700}"), 0..30),
        ) {
            let card = PluginCard { name, lines, ..card("x") };
            if let Some(Some(found)) = asked(1).answered(0, vec![card]) {
                prop_assert!(!found.name.is_empty() && found.lines.len() <= MAX_CARD_LINES);
                for text in found.lines.iter().flat_map(|line| [&line.label, &line.value]).chain([&found.name]) {
                    prop_assert!(text.chars().count() <= MAX_VALUE + 1);
                    let turned = text.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
                    prop_assert!(!turned, "{:?}", text);
                }
            }
        }
    }

    #[test]
    fn crm_3_a_note_goes_to_the_card_of_its_own_connector_only() {
        let plan = NumberPlan::default();
        let written = CustomerItem {
            id: "n-1".into(),
            task: true,
            text: " call back\nat nine ".into(),
            number: Some("0145678910".into()),
            name: Some("Ada".into()),
            subject: Some(CustomerRef { plugin: "p0".into(), id: "C-1".into() }),
        };
        let own = item(written.clone(), "p0", &plan, "Front desk").unwrap();
        assert_eq!((own.subject.as_deref(), own.text.as_str()), (Some("C-1"), "call back\nat nine"));
        assert_eq!(own.remote.numbers[0], "+33145678910");
        assert_eq!(item(written.clone(), "p1", &plan, "").unwrap().subject, None);
        for (id, text) in [("", "x"), ("N 1", "x"), ("n", " "), ("n", &"x".repeat(4_001))] {
            let bad = CustomerItem { id: id.into(), text: text.to_owned(), ..written.clone() };
            assert_eq!(item(bad, "p0", &plan, ""), None, "{id} {}", text.len());
        }
    }
}
