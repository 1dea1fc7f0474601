//! Templates: text with places for values, `{call.id}` or `{{call.id}}`. In an address each value is
//! percent-encoded; in JSON a value goes into a string that was parsed before, so that nothing in it can leave
//! its place. No network here.

use std::fmt::Write as _;

use frontdesk_connector::crm::encode;
use frontdesk_connector::serde_json::{Map, Value};

/// What a template may name, by its name.
pub(crate) type Values = Map<String, Value>;

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'text> {
    Text(&'text str),
    Name(&'text str),
}

/// An address below the base, each value percent-encoded.
///
/// # Errors
/// The name that is not known.
pub(crate) fn address(template: &str, value: impl Fn(&str) -> Option<Value>) -> Result<String, &str> {
    let mut address = String::new();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => address.push_str(text),
            Piece::Name(name) => address.push_str(&encode(&plain(&value(name).ok_or(name)?))),
        }
    }
    Ok(address)
}

/// JSON with its strings filled in. A string that is nothing but one place becomes the value itself, a number
/// or null as well.
///
/// # Errors
/// The name that is not known.
pub(crate) fn json(template: &Value, values: &Values) -> Result<Value, String> {
    Ok(match template {
        Value::String(text) => {
            let pieces = pieces(text);
            if let [Piece::Name(name)] = pieces[..] {
                return values.get(name).cloned().ok_or_else(|| name.to_owned());
            }
            let mut filled = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => filled.push_str(text),
                    Piece::Name(name) => {
                        filled.push_str(&plain(values.get(name).ok_or_else(|| name.to_owned())?));
                    }
                }
            }
            Value::String(filled)
        }
        Value::Array(list) => {
            Value::Array(list.iter().map(|item| json(item, values)).collect::<Result<_, _>>()?)
        }
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(key, item)| Ok((key.clone(), json(item, values)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

/// Whether a template has this place.
pub(crate) fn names(template: &str, name: &str) -> bool {
    pieces(template).contains(&Piece::Name(name))
}

/// A value as text; nothing for what has none.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut text, mut rest) = (0, 0);
    while let Some(open) = template[rest..].find('{').map(|at| rest + at) {
        let Some((name, end)) = place(&template[open..]) else {
            rest = open + 1;
            continue;
        };
        if open > text {
            pieces.push(Piece::Text(&template[text..open]));
        }
        pieces.push(Piece::Name(name));
        (text, rest) = (open + end, open + end);
    }
    if text < template.len() {
        pieces.push(Piece::Text(&template[text..]));
    }
    pieces
}

/// The name of the place a text begins with, and where it ends. Braces around anything else are text.
fn place(text: &str) -> Option<(&str, usize)> {
    let (opening, closing) = if text.starts_with("{{") { ("{{", "}}") } else { ("{", "}") };
    let inner = text.strip_prefix(opening)?;
    let end = inner.find('}')?;
    let name = inner[..end].trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let good = inner[end..].starts_with(closing) && !name.is_empty() && name.bytes().all(is_name);
    good.then_some((name, opening.len() + end + closing.len()))
}

/// The names of a list, for the words of an error.
pub(crate) fn listed<'name>(names: impl Iterator<Item = &'name str>) -> String {
    let mut text = String::new();
    for name in names {
        let _ = write!(text, "{}{{{name}}}", if text.is_empty() { "" } else { ", " });
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use frontdesk_connector::serde_json::{self, json as value};
    use proptest::prelude::*;

    fn values(list: &[(&str, Value)]) -> Values {
        list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn an_address_has_its_values_encoded() {
        let value = |name: &str| (name == "number").then(|| value!("+41 44&x=1"));
        assert_eq!(
            address("/c?phone={number}&n={{ number }}", value).unwrap(),
            "/c?phone=%2B41%2044%26x%3D1&n=%2B41%2044%26x%3D1"
        );
        assert_eq!(address("/c/{nobody}", value), Err("nobody"));
        assert_eq!(address("/c/{not a name}/{", value).unwrap(), "/c/{not a name}/{");
    }

    #[test]
    fn json_keeps_the_kind_of_a_lone_value() {
        let values = values(&[
            ("call.id", value!("a-1")),
            ("call.talk-seconds", value!(200)),
            ("call.line", Value::Null),
        ]);
        let template = value!({"id": "{{call.id}}", "s": "{call.talk-seconds}", "line": "{call.line}", "t": ["call {call.id} {x y}"]});
        assert_eq!(
            json(&template, &values).unwrap(),
            value!({"id": "a-1", "s": 200, "line": null, "t": ["call a-1 {x y}"]})
        );
        assert_eq!(json(&value!("{call.what}"), &values), Err("call.what".to_owned()));
    }

    proptest! {
        #[test]
        fn a_value_never_leaves_its_place(text in "\\PC{0,40}", noise in "[{}\"\\\\a-z .]{0,20}") {
            let values = values(&[("item.text", value!(text.clone()))]);
            let filled = json(&value!({"a": "<{item.text}>", "b": noise.replace("item", "")}), &values);
            if let Ok(filled) = filled {
                let again: Value = serde_json::from_str(&filled.to_string()).unwrap();
                prop_assert_eq!(again["a"].as_str().unwrap(), format!("<{text}>"));
                prop_assert_eq!(again.as_object().unwrap().len(), 2);
            }
            let address = address("/x?t={t}", |_| Some(value!(text.clone()))).unwrap();
            let tail = address.strip_prefix("/x?t=").unwrap();
            prop_assert!(tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        }
    }
}
