//! Which of the two languages a browser gets: what was chosen, else what it asks for, else English.

use axum::http::{HeaderMap, header};
use ipc::Language;

/// Remembers the choice.
pub(crate) const COOKIE: &str = "__Host-language";

/// The language's code.
pub(crate) fn code(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::French => "fr",
    }
}

/// The language of a code.
pub(crate) fn of_code(code: &str) -> Option<Language> {
    [Language::English, Language::French].into_iter().find(|language| self::code(*language) == code)
}

/// The language for a request.
pub(crate) fn of(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, COOKIE).and_then(of_code);
    chosen.or_else(|| asked(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?)).unwrap_or_default()
}

/// A cookie's value.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(there, _)| *there == name).map(|(_, value)| value)
}

/// The best of an `Accept-Language` (RFC 9110 section 12.5.4) that we have.
fn asked(list: &str) -> Option<Language> {
    let wishes = list.split(',').take(32).filter_map(|wish| {
        let mut parts = wish.split(';').map(str::trim);
        let tag = parts.next()?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |q| q.parse().ok())?;
        let language = of_code(&tag.split('-').next()?.to_ascii_lowercase())?;
        (quality > 0.0_f32).then_some((quality, language))
    });
    let mut best: Option<(f32, Language)> = None;
    for (quality, language) in wishes {
        // Of equal wishes the first counts.
        if best.is_none_or(|(than, _)| quality > than) {
            best = Some((quality, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn acc_4_the_browser_says_and_the_choice_wins() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), Language::English);
        let mut ask = |wish: &str| {
            headers.insert(header::ACCEPT_LANGUAGE, wish.parse().unwrap());
            of(&headers)
        };
        assert_eq!(ask("fr-CH, fr;q=0.9, en;q=0.8"), Language::French);
        assert_eq!(ask("de, en;q=0.3, fr;q=0.2"), Language::English);
        assert_eq!(ask("fr;q=0, de"), Language::English);
        assert_eq!(ask(";;q=,,fr;q=x,-"), Language::English);
        headers.insert(header::COOKIE, "a=b; __Host-language=fr".parse().unwrap());
        assert_eq!(of(&headers), Language::French);
    }
}
