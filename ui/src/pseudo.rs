//! The pseudo-locale: every text of the screen with other letters and at least 40 % longer, as `[Ćåłł łøğ ~~]`.
//!
//! Whoever looks at a screen that speaks it sees at once what was never translated, since no ASCII letter is left in what
//! was, and what has no room for a longer language. It is made from the texts, never written: `build.rs` makes the
//! catalogue beside the French one, in builds for tests and pictures only. The product has no such language, and no
//! setting leads to it.

/// Its name, as `slint::select_bundled_translation` knows it. Its first part is of ISO 639-2's range for private use: a
/// system in English must not be taken for it, and `en-XA` would be.
pub const LOCALE: &str = "qps-ploc";

/// The ASCII letters, and what stands for each: all of them in the fonts of the screen.
const LETTERS: [&str; 2] = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "åƀćđéƒğĥîĵķłḿñøṕɋřšťüṽŵẋýžÅƁĆĐÉƑĞĤÎĴĶŁḾÑØṔɊŘŠŤÜṼŴẊÝŽ",
];

/// How much longer a text becomes, in hundredths.
const LENGTH: usize = 140;

/// The text in the pseudo-locale. Placeholders (`{}`, `{n}`) and what a backslash escapes in a catalogue stay as they are.
#[must_use]
pub fn text(english: &str) -> String {
    let mut written = String::from("[");
    let mut seen = 0;
    let mut letters = english.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '{' => {
                written.push(letter);
                for inside in letters.by_ref() {
                    written.push(inside);
                    if inside == '}' {
                        break;
                    }
                }
            }
            '\\' => {
                written.push(letter);
                written.extend(letters.next());
                seen += 1;
            }
            _ => {
                written.push(stand_in(letter));
                seen += 1;
            }
        }
    }
    // The brackets count. Words of four, so that a text that wraps does.
    let more = (seen * LENGTH).div_ceil(100).saturating_sub(seen + 2);
    written.extend((0..more).map(|at| if at % 5 == 0 && at + 1 < more { ' ' } else { '~' }));
    written.push(']');
    written
}

/// Whether the letter is one of those that stand for others.
#[must_use]
pub fn stands_in(letter: char) -> bool {
    LETTERS[1].contains(letter)
}

fn stand_in(letter: char) -> char {
    let place = LETTERS[0].chars().position(|known| known == letter);
    place.and_then(|place| LETTERS[1].chars().nth(place)).unwrap_or(letter)
}

/// The catalogue of the pseudo-locale: a translation of every text that `catalogue`, of any language, has one of.
///
/// # Errors
///
/// The line that is nothing of a catalogue as this house writes them: comments, `msgctxt`, `msgid`, `msgid_plural`, `msgstr`, each
/// on a line of its own, and the lines that carry one of them on.
pub fn catalogue(catalogue: &str) -> Result<String, String> {
    let mut written = format!(
        "msgid \"\"\nmsgstr \"\"\n\"Language: {LOCALE}\\n\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n\
         \"Plural-Forms: nplurals=2; plural=(n != 1);\\n\"\n"
    );
    // A text and its plural, as they are being read.
    let mut texts: Vec<String> = Vec::new();
    // Which of several meanings of the text it is.
    let mut context = None;
    // What a line with nothing but a string carries on.
    let mut carries_on = false;
    for line in catalogue.lines() {
        let inside = |rest: &str| rest.trim().strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
        let bad = || format!("not of a catalogue: {line}");
        if let Some(rest) = line.strip_prefix("msgctxt ") {
            finish(&mut written, &mut texts, &mut context);
            context = Some(inside(rest).ok_or_else(bad)?);
            carries_on = false;
        } else if let Some(rest) = line.strip_prefix("msgid ") {
            finish(&mut written, &mut texts, &mut context);
            texts.push(inside(rest).ok_or_else(bad)?);
            carries_on = true;
        } else if let Some(rest) = line.strip_prefix("msgid_plural ") {
            texts.push(inside(rest).ok_or_else(bad)?);
        } else if line.starts_with("msgstr") {
            carries_on = false;
        } else if line.starts_with('"') {
            let more = inside(line).ok_or_else(bad)?;
            if let Some(text) = texts.last_mut().filter(|_| carries_on) {
                text.push_str(&more);
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            return Err(bad());
        }
    }
    finish(&mut written, &mut texts, &mut context);
    Ok(written)
}

/// Writes what was read, if anything was; a context alone waits for its text.
fn finish(written: &mut String, texts: &mut Vec<String>, context: &mut Option<String>) {
    if texts.is_empty() {
        return;
    }
    let meant = context.take().map(|context| format!("msgctxt \"{context}\"\n")).unwrap_or_default();
    let entry = match texts.as_slice() {
        // The head of a catalogue is a text of nothing.
        [] => String::new(),
        [one] if one.is_empty() => String::new(),
        [one] => format!("\n{meant}msgid \"{one}\"\nmsgstr \"{}\"\n", text(one)),
        [one, many, ..] => format!(
            "\n{meant}msgid \"{one}\"\nmsgid_plural \"{many}\"\nmsgstr[0] \"{}\"\nmsgstr[1] \"{}\"\n",
            text(one),
            text(many)
        ),
    };
    written.push_str(&entry);
    texts.clear();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// The texts of the screen, and their pseudo-translations.
    fn all() -> Vec<(String, String)> {
        let french = include_str!("../lang/fr/LC_MESSAGES/frontdesk-ui.po");
        let pseudo = catalogue(french).unwrap();
        let field = |entry: &str, names: &[&str]| {
            let line = entry.lines().find_map(|line| names.iter().find_map(|name| line.strip_prefix(name)));
            line.map(|line| line.trim().trim_matches('"').to_owned())
        };
        let entries = pseudo.split("\n\n").skip(1);
        let pairs = entries.flat_map(|entry| {
            let one = field(entry, &["msgid "]).zip(field(entry, &["msgstr ", "msgstr[0] "]));
            let many = field(entry, &["msgid_plural "]).zip(field(entry, &["msgstr[1] "]));
            [one, many].into_iter().flatten()
        });
        pairs.collect()
    }

    fn placeholders(text: &str) -> Vec<&str> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    /// What is seen of a text beside what stands in for its placeholders and escapes.
    fn seen(text: &str) -> String {
        let mut parts = text.split('{');
        let mut seen = parts.next().unwrap().to_owned();
        seen.extend(parts.map(|part| part.split_once('}').unwrap().1));
        seen.replace("\\n", "⏎").replace("\\\"", "”")
    }

    #[test]
    fn acc_4_a_text_becomes_longer_and_keeps_what_is_put_into_it() {
        assert_eq!(text("Call log"), "[Ćåłł łøğ ~]");
        assert_eq!(text("OK"), "[ØĶ]");
        assert_eq!(text("{n} calls of {0}"), "[{n} ćåłłš øƒ {0} ~]");
        assert_eq!(text(r#"Locked.\nAsk for “{}”"#), r#"[Łøćķéđ.\nÅšķ ƒøř “{}” ~~~~~]"#);
    }

    #[test]
    fn acc_4_every_text_of_the_screen_has_a_pseudo_translation_40_percent_longer() {
        let all = all();
        let french = include_str!("../lang/fr/LC_MESSAGES/frontdesk-ui.po");
        let ids = |start: &str| french.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(all.len(), ids("msgid ") + ids("msgid_plural ") - 1, "all but the head");
        for (english, pseudo) in all {
            assert!(pseudo.starts_with('[') && pseudo.ends_with(']'), "{pseudo}");
            assert_eq!(placeholders(&english), placeholders(&pseudo));
            let (before, after) = (seen(&english), seen(&pseudo));
            assert!(!after.chars().any(|letter| letter.is_ascii_alphabetic()), "{english}: {pseudo}");
            let (before, after) = (before.chars().count(), after.chars().count());
            assert!(after * 100 >= before * LENGTH, "{english}: {before} letters, {pseudo}: {after}");
        }
    }

    #[test]
    fn acc_4_what_is_no_catalogue_makes_none() {
        assert!(catalogue("msgid \"One\"\nmsgstr \"Un\"\nTwo\n").is_err());
        assert!(catalogue("msgid One\n").is_err());
        let carried = catalogue("msgid \"\"\n\"One \"\n\"two\"\nmsgstr \"\"\n\"Un \"\n\"deux\"\n").unwrap();
        assert!(carried.contains("msgid \"One two\"\nmsgstr \"[Øñé ťŵø~]\"\n"), "{carried}");
        let meant =
            catalogue("msgid \"OK\"\nmsgstr \"Oui\"\n\nmsgctxt \"many\"\nmsgid \"OK\"\nmsgstr \"Oui\"\n")
                .unwrap();
        let end = "\nmsgid \"OK\"\nmsgstr \"[ØĶ]\"\n\nmsgctxt \"many\"\nmsgid \"OK\"\nmsgstr \"[ØĶ]\"\n";
        assert!(meant.ends_with(end), "{meant}");
    }

    #[test]
    fn every_letter_has_one_that_stands_in_for_it() {
        let (letters, others) = (LETTERS[0], LETTERS[1]);
        assert_eq!(letters.chars().count(), 52);
        let mut seen: Vec<char> = others.chars().filter(|letter| !letter.is_ascii()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 52, "each another one");
        assert!(letters.chars().map(stand_in).eq(others.chars()));
    }
}
