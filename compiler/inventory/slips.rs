//! Where a mistake in YAML was made, when the parser notices it later or elsewhere.
//!
//! A bracket that is never closed is noticed a page below, a tab at the end of the line above. What is found here is a
//! place in a text and nothing else: this file must not know trees, findings or words.

use std::ops::Range;

use cbgen_formats::Cut as _;

/// The nearest begin of a character at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The line around a byte, without its line feed.
pub(super) fn line_around(text: &str, at: usize) -> Range<usize> {
    let at = floor(text, at);
    let start = text
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |end| end + 1);
    let length = text
        .get(start..)
        .map_or(0, |rest| rest.find('\n').unwrap_or(rest.len()));
    start..start + length
}

/// The blanks and tabs that a line begins with.
fn indentation(line: &str) -> &str {
    let words = line.trim_start_matches([' ', '\t']);
    line.cut(..line.len() - words.len())
}

/// The tab that indents the line at `at`.
pub(super) fn tab_of_line(text: &str, at: usize) -> Option<Range<usize>> {
    let line = line_around(text, at);
    let start = line.start;
    let tab = indentation(text.get(line)?).find('\t')?;
    Some(start + tab..start + tab + 1)
}

/// The tab the parser complains about: the one that indents the line, or the next one that indents a line, or the next.
pub(super) fn tab(text: &str, at: usize) -> Option<Range<usize>> {
    if text.get(at..)?.starts_with('\t') {
        return Some(at..at + 1);
    }
    let mut start = line_around(text, at).start;
    while start < text.len() {
        if let Some(found) = tab_of_line(text, start) {
            return Some(found);
        }
        start = line_around(text, start).end + 1;
    }
    let tab = at + text.get(at..)?.find('\t')?;
    Some(tab..tab + 1)
}

/// The last bracket before `at`, in a line above, that nothing in the text closes.
///
/// Brackets count where YAML reads them as such: at the begin of a value, and within brackets.
pub(super) fn open_bracket(text: &str, at: usize) -> Option<(Range<usize>, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut quote: Option<char> = None;
    // Whether a value may begin here.
    let mut fresh = true;
    let mut before = '\n';
    let mut letters = text.char_indices().peekable();
    while let Some((place, letter)) = letters.next() {
        let previous = std::mem::replace(&mut before, letter);
        if let Some(end) = quote {
            if letter == '\\' && end == '"' {
                letters.next();
            } else if letter == end {
                quote = None;
                fresh = false;
            }
            continue;
        }
        match letter {
            '#' if previous.is_whitespace() => while letters.next_if(|(_, next)| *next != '\n').is_some() {},
            '\n' if open.is_empty() => fresh = true,
            '"' | '\'' if fresh => quote = Some(letter),
            '[' | '{' if fresh || !open.is_empty() => {
                open.push((place, letter));
                fresh = true;
            }
            ']' | '}' if !open.is_empty() => {
                let (_, opened) = open.pop()?;
                if (opened == '[') != (letter == ']') {
                    return None;
                }
                fresh = false;
            }
            ',' if !open.is_empty() => fresh = true,
            ':' | '-' | '?' if letters.peek().is_none_or(|(_, next)| next.is_whitespace()) => fresh = true,
            _ if letter.is_whitespace() => {}
            _ => fresh = false,
        }
    }
    let line = line_around(text, at).start;
    let (place, letter) = open.into_iter().rfind(|(place, _)| *place < line)?;
    Some((place..place + 1, letter))
}

/// The quote at `at`, when nothing closes it in its line.
pub(super) fn quote_open_in_line(text: &str, at: usize) -> Option<Range<usize>> {
    let line = line_around(text, at);
    let rest = text.get(at..line.end)?;
    let mut letters = rest.chars();
    let quote = letters.next().filter(|first| matches!(first, '"' | '\''))?;
    while let Some(letter) = letters.next() {
        if letter == quote {
            return None;
        }
        if letter == '\\' && quote == '"' {
            letters.next();
        }
    }
    Some(at..at + 1)
}

/// The `-` of a line like `-name: acme`, of the line at `at`.
pub(super) fn dash_without_blank(text: &str, at: usize) -> Option<Range<usize>> {
    let line = line_around(text, at);
    let words = text.get(line.clone())?;
    let indent = indentation(words).len();
    is_dash_without_blank(words.get(indent..)?).then_some(line.start + indent..line.start + indent + 1)
}

/// Whether a key or line begins with a `-` that makes no list item: `-name`.
pub(super) fn is_dash_without_blank(words: &str) -> bool {
    words
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_alphabetic() || first == '{'))
}

/// The words of the line above `at`, comments and empty lines passed over, when nothing in it could be a key: a colon
/// that YAML refuses in one line is usually missing in the line before.
pub(super) fn line_without_colon(text: &str, at: usize) -> Option<Range<usize>> {
    let mut end = text.get(..at)?.rfind('\n')?;
    loop {
        let start = text.get(..end)?.rfind('\n').map_or(0, |line_end| line_end + 1);
        let line = text.get(start..end)?;
        let words = line.split(" #").next()?.trim_end();
        let key = words.trim_start();
        if !key.is_empty() && !key.starts_with('#') {
            let plain = key.starts_with(|first: char| first.is_alphabetic());
            let has_key = key.ends_with(':') || key.contains(": ");
            let first = start + (words.len() - key.len());
            return (plain && !has_key).then_some(first..first + key.len());
        }
        end = start.checked_sub(1)?;
    }
}

/// The last quote of the nearest line above with an odd number of quotes: a forgotten closing quote is noticed only at
/// the next quote, which may be a page below.
pub(super) fn odd_quote_above(text: &str, at: usize, quote: char) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let line_start = before.rfind('\n')?;
    let above = before.get(..line_start)?;
    let mut end = above.len();
    for line in above.rsplit('\n') {
        let start = end - line.len();
        if line.matches(quote).count() % 2 == 1 {
            let column = line.rfind(quote)?;
            return Some(start + column..start + column + 1);
        }
        end = start.saturating_sub(1);
    }
    None
}

/// The blanks before the words of the line at `at`.
pub(super) fn indent_of(text: &str, at: usize) -> usize {
    text.get(line_around(text, at))
        .map_or(0, |line| indentation(line).len())
}

/// The words of a line, without its indentation and a comment at its end.
fn words_of(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let whole = text.get(line.clone())?;
    let words = whole.split(" #").next()?.trim_end();
    let indent = indentation(words).len();
    let is_empty = words.len() == indent || words.get(indent..)?.starts_with('#');
    (!is_empty).then_some(line.start + indent..line.start + words.len())
}

/// The words of the next line below `at` that has any.
pub(super) fn line_below(text: &str, at: usize) -> Option<Range<usize>> {
    let mut start = line_around(text, at).end + 1;
    while start < text.len() {
        let line = line_around(text, start);
        if let Some(words) = words_of(text, line.clone()) {
            return Some(words);
        }
        start = line.end + 1;
    }
    None
}

/// The words of the nearest line above `at` that has any.
fn line_above(text: &str, at: usize) -> Option<Range<usize>> {
    let mut end = line_around(text, at).start.checked_sub(1)?;
    loop {
        let line = line_around(text, end);
        if let Some(words) = words_of(text, line.clone()) {
            return Some(words);
        }
        end = line.start.checked_sub(1)?;
    }
}

/// Whether words are a key with something behind it.
fn has_value(words: &str) -> bool {
    words.split_once(": ").is_some_and(|(_, value)| {
        let value = value.trim_start();
        !value.is_empty() && !value.starts_with(['|', '>', '&', '!'])
    })
}

/// The words of the line at `at`, when they are deeper than those of the line above and that line has its value already.
pub(super) fn deeper_than_above(text: &str, at: usize) -> Option<Range<usize>> {
    let words = words_of(text, line_around(text, at))?;
    let above = line_above(text, at)?;
    let is_deeper = indent_of(text, words.start) > indent_of(text, above.start);
    let above = text.get(above)?;
    (is_deeper && has_value(above) && !above.starts_with('-')).then_some(words)
}

/// The `-` of the list item above the line at `at`, and the key of its list above it, when the item is indented less than the key.
pub(super) fn dash_left_of_its_key(text: &str, at: usize) -> Option<(Range<usize>, Range<usize>)> {
    let item = line_above(text, at)?;
    let key = line_above(text, item.start)?;
    let is_plain_item = text
        .get(item.clone())?
        .strip_prefix("- ")
        .is_some_and(|rest| !rest.contains(": "));
    let is_key = text.get(key.clone())?.ends_with(':');
    let is_left = indent_of(text, item.start) < indent_of(text, key.start);
    (is_plain_item && is_key && is_left).then(|| (item.start..item.start + 1, key))
}

/// The words of the line at `at` when they hold no key, and the colon that would make one if a blank followed it.
pub(super) fn colon_missing(text: &str, at: usize) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let range = words_of(text, line_around(text, at))?;
    let words = text.get(range.clone())?;
    let is_plain = words.starts_with(|first: char| first.is_alphabetic());
    if !is_plain || words.ends_with(':') || words.contains(": ") {
        return None;
    }
    let is_name = |name: &str| {
        name.chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let colon = words
        .split_once(':')
        .filter(|(name, _)| is_name(name))
        .map(|(name, _)| range.start + name.len()..range.start + name.len() + 1);
    Some((range, colon))
}

/// The blanks before the first words of a text, when there are any.
pub(super) fn first_line_indented(text: &str) -> Option<Range<usize>> {
    let first = words_of(text, line_around(text, 0)).or_else(|| line_below(text, 0))?;
    let line = line_around(text, first.start);
    (line.start < first.start).then_some(line.start..first.start)
}

/// The `*` at `at`, when a line begins with it and a blank follows.
pub(super) fn star_of_item(text: &str, at: usize) -> Option<Range<usize>> {
    let line = line_around(text, at);
    let indent = indent_of(text, at);
    let words = text.get(line.start + indent..line.end)?;
    words
        .starts_with("* ")
        .then_some(line.start + indent..line.start + indent + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_lacks_its_colon_is_the_one_above() {
        let check = |text: &str, expected: Option<&str>| {
            let at = text.rfind(':').expect("a colon");
            let found = line_without_colon(text, at).and_then(|range| text.get(range));
            assert_eq!(found, expected, "{text}");
        };
        check("a: 1\nbundle\n  name: acme\n", Some("bundle"));
        check(
            "bundle:\n  name acme # x\n\n  # y: z\n  version: 1\n",
            Some("name acme"),
        );
        check("bundle\n  name: acme\n", Some("bundle"));
        check("a: x y\n  b: 1\n", None);
        check("a:\n  b: 1\n", None);
        check("- a\n  b: 1\n", None);
        check("a: 1\n", None);
    }

    #[test]
    fn an_open_bracket_is_the_last_one_that_nothing_closes() {
        let check = |text: &str, expected: Option<(usize, char)>| {
            let found = open_bracket(text, text.len()).map(|(range, open)| (range.start, open));
            assert_eq!(found, expected, "{text}");
        };
        check("a: [b\nc: d\n", Some((3, '[')));
        check("a: [{ b: c\nc: [d]\n", Some((4, '{')));
        check("a: [{ b: c }\nc: [d]\n", Some((3, '[')));
        check("- { a: ']', b: \"\\\"}\"\nc: d\n", Some((2, '{')));
        // Closed, in quotes, in a comment, in the middle of a value, or closed by the other kind.
        check("a: [\n  b,\n  c ]\nd\n", None);
        check("a: '[b'\nc\n", None);
        check("a: b # [c\nd\n", None);
        check("a: it's b[c\nd: don't\n", None);
        check("a: [b }\nc\n", None);
        // Of the line itself nothing can be said.
        check("a: [b", None);
    }

    #[test]
    fn tabs_are_found_where_they_stand() {
        let check = |text: &str, at: usize, expected: Option<usize>| {
            assert_eq!(tab(text, at).map(|range| range.start), expected, "{text:?}");
        };
        check("a: b\n\tc: d\n", 4, Some(5));
        check("a:\n  \tc: d\n", 6, Some(5));
        check("a: b\tc\n", 0, Some(4));
        check("a: b\n", 0, None);
    }

    #[test]
    fn quotes_and_dashes_are_judged_by_their_line() {
        let open = |text: &str, at: usize| quote_open_in_line(text, at).is_some();
        assert!(open("a: \"b\nc: \"d\"\n", 3));
        assert!(open("a: \"b\\\"\n", 3));
        assert!(!open("a: \"b\" # x\n", 3));
        assert!(!open("a: b\n", 3));
        let dash = |text: &str| dash_without_blank(text, 0).map(|range| range.start);
        assert_eq!(dash("  -name: x"), Some(2));
        for right in ["  - name: x", "-", "--- x", "- -a", "-1", "a: -b"] {
            assert_eq!(dash(right), None, "{right}");
        }
    }

    #[test]
    fn lines_are_compared_with_their_neighbours() {
        let words = |found: Option<Range<usize>>, text: &str| {
            found.and_then(|range| text.get(range)).map(str::to_owned)
        };
        let deeper = |text: &str| words(deeper_than_above(text, text.len() - 1), text);
        assert_eq!(deeper("a: 1 # x\n\n  # y\n  b: 2\n").as_deref(), Some("b: 2"));
        for right in [
            "a:\n  b: 2\n",
            "a: 1\nb: 2: 3\n",
            "- a: 1\n  b: 2\n",
            "a: |\n  b: 2\n",
            "b: 2\n",
        ] {
            assert_eq!(deeper(right), None, "{right}");
        }
        let missing = |text: &'static str| {
            colon_missing(text, 0).map(|(range, colon)| (text.get(range).unwrap_or_default(), colon))
        };
        assert_eq!(missing("  a b # c: d\n"), Some(("a b", None)));
        assert_eq!(missing("a:b # c\n"), Some(("a:b", Some(1..2))));
        assert_eq!(missing("a: b # c\n"), None);
        assert_eq!(first_line_indented("# x\n\n  a: 1\nb: 2\n"), Some(5..7));
        assert_eq!(first_line_indented("a: 1\n  b: 2\n"), None);
        assert_eq!(star_of_item("a:\n  * b: 1\n", 5), Some(5..6));
        let text = "- a: 1\n  r:\n- c\n  w: 2\n";
        assert_eq!(dash_left_of_its_key(text, text.len() - 1), Some((12..13, 9..11)));
        let right = "- a: 1\n  r:\n  - c\n  w: 2\n";
        assert_eq!(dash_left_of_its_key(right, right.len() - 1), None);
        assert_eq!(star_of_item("a:\n  b: * c\n", 8), None);
    }
}
