//! Texts of plugins and of servers, before anybody sees them. Pure.

/// Without control characters, which have no business on a screen or in a log.
pub(crate) fn clean(text: &str) -> String {
    // What is nothing but those is nothing.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether it is an address on the web, and nothing that a browser would run or open on this machine.
pub(crate) fn is_web(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let is_known = ["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_known && !rest.is_empty() && !rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crm_1_an_address_on_the_web_is_one_in_any_case_of_its_scheme() {
        for good in ["https://crm.example/1", "http://crm.example", "HTTPS://crm.example/1"] {
            assert!(is_web(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https:///x",
            "https://",
            "ftp://x",
            "x",
            " https://x",
        ] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
