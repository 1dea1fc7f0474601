//! The note's few signs: `**bold**`, `*italic*` and `__underlined__`.
//!
//! [`markdown`] makes of a note what the screen's styled text reads, in which everything else means itself; [`toggle`] is
//! what the buttons for bold, italic and underlined do to a selection. Pure.

use std::ops::Range;

/// How a part of a note looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bold,
    Italic,
    Underlined,
}

impl Style {
    fn sign(self) -> &'static str {
        match self {
            Style::Bold => "**",
            Style::Italic => "*",
            Style::Underlined => "__",
        }
    }

    /// How the screen's Markdown writes it.
    fn tags(self) -> (&'static str, &'static str) {
        match self {
            Style::Bold => ("**", "**"),
            Style::Italic => ("*", "*"),
            Style::Underlined => ("<u>", "</u>"),
        }
    }
}

/// The longer sign first, where one begins like another.
const STYLES: [Style; 3] = [Style::Bold, Style::Italic, Style::Underlined];
/// An empty line, and the room after a list's dot.
const BLANK: &str = "&nbsp;";
/// Nothing that is seen. Between a sign and what it encloses: next to punctuation Markdown would take it for no sign.
const JOINER: char = '\u{2060}';
/// Bytes that a sign encloses at most; a note of nothing but signs is read quickly too.
const MOST: usize = 2_000;

/// A note as the screen's styled text reads it.
pub(crate) fn markdown(note: &str) -> String {
    let mut out = String::with_capacity(note.len() * 2);
    for line in note.lines() {
        if line.trim().is_empty() {
            out += BLANK;
        } else if let Some(item) = line.strip_prefix("- ") {
            out += "•";
            out += BLANK;
            styled(item, &mut out);
        } else {
            styled(line, &mut out);
        }
        out += "\n\n";
    }
    out
}

fn styled(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        if let Some((style, inside)) =
            STYLES.into_iter().find_map(|style| Some((style, inside(rest, style)?)))
        {
            let (open, close) = style.tags();
            *out += open;
            out.push(JOINER);
            styled(inside, out);
            out.push(JOINER);
            *out += close;
            rest = &rest[inside.len() + 2 * style.sign().len()..];
        } else {
            escape(next, out);
            rest = &rest[next.len_utf8()..];
        }
    }
}

/// What stands between a sign at the beginning of `text` and the next one: something, that neither begins nor ends with a space.
fn inside(text: &str, style: Style) -> Option<&str> {
    let sign = style.sign();
    let after = text.strip_prefix(sign)?;
    let mut end = (0..=after.len().min(MOST)).rev().find(|&at| after.is_char_boundary(at))?;
    let near = &after[..end];
    if near.starts_with(char::is_whitespace) {
        return None;
    }
    let mut from = 0;
    loop {
        let found = from + near[from..].find(sign)?;
        let is_sign = |byte: u8| byte == sign.as_bytes()[0];
        let run = near[found..].bytes().take_while(|&byte| is_sign(byte)).count();
        // Of three stars both what is bold and what is italic may end there; the inner one closes first.
        end = match (style, run) {
            (Style::Italic, 3) => found + 2,
            (Style::Bold, 3) => found + 1,
            _ => found,
        };
        let inside = &near[..end];
        let says_something = !inside.bytes().all(is_sign) && !inside.ends_with(char::is_whitespace);
        // Two stars close nothing that is italic.
        if (style, run) != (Style::Italic, 2) && says_something {
            return Some(inside);
        }
        from = found + run;
    }
}

/// A character that means itself.
fn escape(character: char, out: &mut String) {
    if character.is_ascii_punctuation() {
        *out += &format!("&#{};", u32::from(character));
    } else if character == ' ' && (out.ends_with(['\n', ' ']) || out.is_empty()) {
        // Markdown would drop it.
        *out += BLANK;
    } else if !character.is_control() {
        out.push(character);
    }
}

/// Gives what is selected a look, or takes it away where all of it has it. Returns the text and the selection that shows the same
/// words. Without a selection the signs are put around the cursor, so that what is typed next has the look.
pub(crate) fn toggle(text: &str, selection: Range<usize>, style: Style) -> (String, Range<usize>) {
    let selection = within(text, selection);
    if selection.is_empty() {
        return around_cursor(text, selection.start, style);
    }
    let lines = words_by_line(text, selection.clone());
    let all = !lines.is_empty() && lines.iter().all(|words| has(text, words.clone(), style).is_some());
    let sign = style.sign();
    let mut out = text.to_owned();
    let (mut start, mut end) = (selection.start, selection.end);
    // From behind, so that what is in front stays where it is.
    for words in lines.iter().rev() {
        if all {
            if let Some((outer, inner)) = has(text, words.clone(), style) {
                let kept = text[inner.clone()].to_owned();
                out.replace_range(outer.clone(), &kept);
                end = end.max(outer.end) - 2 * sign.len();
                start = start.min(outer.start);
            }
        } else if has(text, words.clone(), style).is_none() {
            out.insert_str(words.end, sign);
            out.insert_str(words.start, sign);
            end += 2 * sign.len();
        }
    }
    (out, start..end)
}

fn around_cursor(text: &str, cursor: usize, style: Style) -> (String, Range<usize>) {
    let sign = style.sign();
    let mut out = text.to_owned();
    // Pressed twice: nothing was meant.
    if text[..cursor].ends_with(sign) && text[cursor..].starts_with(sign) {
        out.replace_range(cursor - sign.len()..cursor + sign.len(), "");
        let cursor = cursor - sign.len();
        return (out, cursor..cursor);
    }
    out.insert_str(cursor, sign);
    out.insert_str(cursor, sign);
    let cursor = cursor + sign.len();
    (out, cursor..cursor)
}

/// What of a selection is words, line by line, without the spaces around them.
fn words_by_line(text: &str, selection: Range<usize>) -> Vec<Range<usize>> {
    let (mut at, mut found) = (selection.start, Vec::new());
    for line in text[selection].split_inclusive('\n') {
        let before = line.len() - line.trim_start().len();
        let words = line.trim();
        if !words.is_empty() {
            found.push(at + before..at + before + words.len());
        }
        at += line.len();
    }
    found
}

/// Where the words with their signs are, and where without, if they have this look: the signs are within the selection or just
/// around it.
fn has(text: &str, words: Range<usize>, style: Style) -> Option<(Range<usize>, Range<usize>)> {
    let sign = style.sign();
    let length = sign.len();
    let runs = |range: &Range<usize>| {
        let mark = sign.as_bytes()[0];
        let bytes = text[range.clone()].bytes();
        let first = bytes.clone().take_while(|&byte| byte == mark).count();
        let last = bytes.rev().take_while(|&byte| byte == mark).count();
        (first.min(last), first + last < range.len())
    };
    let fits = |run: usize| match style {
        Style::Bold => run == 2 || run == 3,
        Style::Italic => run == 1 || run == 3,
        Style::Underlined => run == 2,
    };
    let (run, is_more) = runs(&words);
    if is_more && fits(run) {
        return Some((words.clone(), words.start + length..words.end - length));
    }
    let outside = |byte: &u8| *byte == sign.as_bytes()[0];
    let before = text.as_bytes()[..words.start].iter().rev().take_while(|byte| outside(byte)).count();
    let after = text.as_bytes()[words.end..].iter().take_while(|byte| outside(byte)).count();
    (run == 0 && fits(before.min(after))).then(|| (words.start - length..words.end + length, words))
}

/// Keeps a selection within the text and between characters.
fn within(text: &str, selection: Range<usize>) -> Range<usize> {
    let place = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let (start, end) = (place(selection.start), place(selection.end));
    start.min(end)..start.max(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_become_what_the_screen_reads_and_all_else_means_itself() {
        for (note, read) in [
            ("**a** *b* __c__", "**¦a¦** *¦b¦* <u>¦c¦</u>"),
            ("***both***", "**¦*¦both¦*¦**"),
            ("**a *b* c**", "**¦a *¦b¦* c¦**"),
            ("*a **b** c*", "*¦a **¦b¦** c¦*"),
            ("*a **b***", "*¦a **¦b¦**¦*"),
            ("__**a**__", "<u>¦**¦a¦**¦</u>"),
            ("**a.**b", "**¦a&#46;¦**b"),
            ("2 * 3 * 4", "2 &#42; 3 &#42; 4"),
            ("a_b_c <b> # & ~x~", "a&#95;b&#95;c &#60;b&#62; &#35; &#38; &#126;x&#126;"),
            ("**open", "&#42;&#42;open"),
            ("** a**", "&#42;&#42; a&#42;&#42;"),
            ("****", "&#42;&#42;&#42;&#42;"),
            ("- milk\n\n- tea", "•&nbsp;milk\n\n&nbsp;\n\n•&nbsp;tea"),
            ("1. not a list", "1&#46; not a list"),
        ] {
            assert_eq!(markdown(note).trim_end().replace(JOINER, "¦"), read, "{note}");
        }
    }

    #[test]
    fn a_note_of_nothing_but_signs_is_read_like_any_other() {
        for piece in ["*", "* ", " *a", "**__", "***a*"] {
            let note = piece.repeat(ipc::MAX_NOTE / piece.len());
            assert!(slint::StyledText::from_markdown(&markdown(&note)).is_ok(), "{piece}");
        }
    }

    #[test]
    fn a_selection_gets_a_look_and_loses_it_again() {
        for style in STYLES {
            let text = "call  Émile back";
            let (bold, selection) = toggle(text, 4..12, style);
            assert_eq!(bold, format!("call  {0}Émile{0} back", style.sign()));
            assert_eq!(toggle(&bold, selection, style).0, text, "{style:?}: with its signs selected");
            let sign = style.sign().len();
            assert_eq!(
                toggle(&bold, 6 + sign..12 + sign, style).0,
                text,
                "{style:?}: the word alone selected"
            );
        }
    }

    #[test]
    fn bold_and_italic_are_taken_away_one_by_one() {
        let (both, selection) = toggle("**a**", 0..5, Style::Italic);
        assert_eq!((both.as_str(), selection.clone()), ("***a***", 0..7));
        assert_eq!(toggle(&both, selection.clone(), Style::Bold).0, "*a*");
        assert_eq!(toggle(&both, selection, Style::Italic).0, "**a**");
        assert_eq!(toggle("***a***", 3..4, Style::Bold).0, "*a*");
    }

    #[test]
    fn several_lines_get_it_each_and_lose_it_only_when_all_have_it() {
        let (text, selection) = toggle("a\n\n **b** \nc", 0..12, Style::Bold);
        assert_eq!(text, "**a**\n\n **b** \n**c**");
        assert_eq!(toggle(&text, selection, Style::Bold).0, "a\n\n b \nc");
    }

    #[test]
    fn without_a_selection_the_next_words_get_it() {
        let (text, cursor) = toggle("a  b", 2..2, Style::Underlined);
        assert_eq!((text.as_str(), cursor.clone()), ("a ____ b", 4..4));
        assert_eq!(toggle(&text, cursor, Style::Underlined), ("a  b".to_owned(), 2..2));
    }

    #[test]
    fn whatever_is_written_and_selected_is_read_by_the_screen_and_never_panics() {
        let pieces = [
            "*", "**", "__", "_", " ", "\n", "é", "<u>", "</u>", "&", "漢", "- ", "`", "[a](b)", "\\", "\t",
            "#",
        ];
        let mut number = 7_u32;
        let mut roll = |below: usize| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 8) as usize % below
        };
        for _ in 0..5_000 {
            let text: String = (0..roll(12)).map(|_| pieces[roll(pieces.len())]).collect();
            let read = slint::StyledText::from_markdown(&markdown(&text));
            assert!(read.is_ok(), "{text:?} {:?} {read:?}", markdown(&text));
            let selection = roll(20)..roll(20);
            let (changed, selection) = toggle(&text, selection, STYLES[roll(3)]);
            assert!(changed.get(selection.clone()).is_some(), "{text:?} {changed:?} {selection:?}");
        }
    }
}
