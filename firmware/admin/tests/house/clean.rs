//! Whether a page keeps to what its policy says, and has a label for every field.

/// No script and no style of a page is in the page itself, and no plugin's words are markup.
pub(crate) fn is_clean(path: &str, body: &str) {
    assert!(body.starts_with("<!DOCTYPE html><html lang=\""), "{path}");
    assert!(!body.contains("alert('x')</script>") && !body.contains("<script>"), "{path}: {body}");
    for (n, _) in body.match_indices("<script") {
        assert!(body[n..].starts_with("<script src=\"/static/progress.js\" defer></script>"), "{path}");
    }
    for word in ["<style", " style=", "javascript:", "<b>Staff", "<i>more"] {
        assert!(!body.contains(word), "{path} has {word}");
    }
    for handler in [" onclick=", " onload=", " onerror=", " onsubmit="] {
        assert!(!body.contains(handler), "{path} has {handler}");
    }
    // Every field that is seen has a label.
    for rest in body.split("<input ").skip(1).chain(body.split("<select ").skip(1)) {
        let tag = rest.split('>').next().unwrap();
        if !tag.contains("type=\"hidden\"") {
            let id = tag
                .split("id=\"")
                .nth(1)
                .unwrap_or_else(|| panic!("{path}: {tag}"))
                .split('"')
                .next()
                .unwrap();
            assert!(body.contains(&format!("<label for=\"{id}\"")), "{path}: {id} has no label");
        }
    }
    let mut ids: Vec<&str> =
        body.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "{path}: an id is there twice");
}
