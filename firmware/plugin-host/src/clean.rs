//! Texts of plugins and of servers, before anybody sees them. Pure.

/// Without control characters, which have no business on a screen or in a log.
pub(crate) fn clean(text: &str) -> String {
    // What is nothing but those is nothing.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether it is an address on the web, and nothing that a browser would run or open on this machine.
pub(crate) fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}
