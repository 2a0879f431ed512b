//! Plain text, and what all formats share about characters: which ones a person can see, and how to name the others.
//!
//! A plain text is printable ASCII in lines. This file must not know any other format.

use std::ops::Range;

use super::unseen::unseen;
use super::{Form, FormatError, Item, Step, characters};

/// Whether a reader sees `character` as what it is.
pub(super) fn is_visible(character: char) -> bool {
    unseen(character).is_none()
}

/// How messages name a character: itself when it can be seen, else its code point.
pub(super) fn name(character: char) -> String {
    match character {
        '\n' => "a line break".to_owned(),
        '\r' => "a carriage return".to_owned(),
        '\t' => "a tab".to_owned(),
        '`' => "a backtick".to_owned(),
        _ if is_visible(character) => format!("`{character}`"),
        _ => format!("U+{:04X}", u32::from(character)),
    }
}

/// Byte range of the character at `offset`.
pub(super) fn at(offset: usize, character: char) -> Range<usize> {
    offset..offset + character.len_utf8()
}

/// Whether a text is printable ASCII, which most are; looking at bytes, several at a time, is many times faster than
/// looking at characters.
pub(super) fn is_plain(text: &str) -> bool {
    let all_plain = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
    };
    let (chunks, rest) = text.as_bytes().as_chunks::<16>();
    chunks.iter().all(|chunk| all_plain(chunk)) && all_plain(rest)
}

/// What `write` appends for a value, as a text of its own.
pub(super) fn written(
    value: &str,
    write: impl Fn(&str, &mut String) -> Result<(), FormatError>,
) -> Result<String, FormatError> {
    let mut written = String::with_capacity(value.len());
    write(value, &mut written)?;
    Ok(written)
}

/// Refuses the first character that is not visible.
pub(super) fn refuse_invisible(value: &str) -> Result<(), FormatError> {
    if is_plain(value) {
        return Ok(());
    }
    refuse_unless(value, is_visible, "cannot be shown")
}

/// Refuses the first character that is not `accepted`; `why` completes "`X` …".
pub(super) fn refuse_unless(
    value: &str,
    accepted: impl Fn(char) -> bool,
    why: &str,
) -> Result<(), FormatError> {
    match value.char_indices().find(|&(_, c)| !accepted(c)) {
        None => Ok(()),
        Some((offset, c)) => Err(FormatError::new(at(offset, c), format!("{} {why}", name(c)))),
    }
}

/// Refuses `word` anywhere in `value`; `why` completes "`WORD` …".
pub(super) fn refuse_word(value: &str, word: &str, why: &str) -> Result<(), FormatError> {
    match value.find(word) {
        None => Ok(()),
        Some(start) => Err(FormatError::new(
            start..start + word.len(),
            format!("`{word}` {why}"),
        )),
    }
}

/// Bare words that mean the same in every format: ASCII letters, digits, `.`, `_` and `-`.
pub(super) fn bare(value: &str, quoters: &str) -> Result<String, FormatError> {
    if value.is_empty() {
        return Err(FormatError::new(
            0..0,
            format!("an empty value needs quotes; use {quoters}"),
        ));
    }
    refuse_unless(
        value,
        |c| c.is_ascii_alphanumeric() || "._-".contains(c),
        &format!("is not safe outside quotes; use {quoters}"),
    )?;
    Ok(value.to_owned())
}

/// The lines of a review text with their byte offsets, without line ends.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Behind the last line feed stands no line.
    characters::lines(text).take_while(|(start, _)| *start < text.len())
}

/// Words separated by one blank each.
pub(super) fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

/// The value for any place of a plain text, or a refusal of what is not printable ASCII.
pub fn escape(value: &str) -> Result<String, FormatError> {
    refuse_unless(
        value,
        |c| c == ' ' || c.is_ascii_graphic(),
        "is not printable ASCII, and a plain text is read in whatever code page the server has",
    )?;
    Ok(value.to_owned())
}

/// The lines of a plain text that are not empty; blanks between words do not matter.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut errors = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    for (start, line) in lines(text) {
        for (offset, c) in line.char_indices() {
            if c != ' ' && !c.is_ascii_graphic() {
                errors.push(FormatError::new(
                    at(start + offset, c),
                    format!("{} is not printable ASCII", name(c)),
                ));
            }
        }
        if !line.trim().is_empty() {
            items.push(Item {
                path: Step::new(Form::Block, "line").numbered(items.len() + 1).into(),
                value: squeeze(line),
                range: start..start + line.len(),
            });
        }
    }
    if !text.ends_with('\n') {
        errors.push(FormatError::new(
            text.len()..text.len(),
            "the last line has no line end",
        ));
    }
    if errors.is_empty() { Ok(items) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::told;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(told(items(text)), expected, "{text:?}");
    }

    #[test]
    fn lines_are_items_and_layout_is_not() {
        check("a  b\n\n c\n", &["line 1 = a b", "line 2 = c"]);
        check("a b\nc\n", &["line 1 = a b", "line 2 = c"]);
    }

    #[test]
    fn every_unprintable_character_is_reported() {
        check(
            "a\tb\nü",
            &[
                "1..2 a tab is not printable ASCII",
                "4..6 `ü` is not printable ASCII",
                "6..6 the last line has no line end",
            ],
        );
    }

    #[test]
    fn what_cannot_be_seen_is_named_by_code_point() {
        for hidden in [
            '\u{202E}',
            '\u{200B}',
            '\u{FEFF}',
            '\u{7F}',
            '\u{FFFE}',
            '\u{2028}',
            '\u{10FFFF}',
        ] {
            assert!(!is_visible(hidden), "{hidden:?}");
            assert_eq!(name(hidden), format!("U+{:04X}", u32::from(hidden)));
        }
        for seen in ['a', ' ', 'ü', '漢', '\u{1F600}', '\u{FFFD}'] {
            assert!(is_visible(seen), "{seen:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_begin_where_they_are(text in "[a\\né]{0,12}") {
            let parts: Vec<&str> = text.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line)).collect();
            prop_assert_eq!(lines(&text).map(|(_, line)| line).collect::<Vec<_>>(), parts);
            prop_assert!(lines(&text).all(|(start, line)| text.get(start..).unwrap().starts_with(line)));
        }

        #[test]
        fn plain_texts_hold_printable_ascii(value in "[ -~]{0,40}([\u{0}-\u{1F}\u{7F}é]|)[ -~]{0,40}") {
            prop_assert_eq!(is_plain(&value), value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        }

        #[test]
        fn printable_values_come_back_or_are_refused(value in "[ -~]{0,20}|\\PC{0,5}") {
            if let Ok(escaped) = escape(&value) {
                let read = items(&format!("x {escaped} x\n")).unwrap();
                prop_assert_eq!(&read[0].value, &squeeze(&format!("x {value} x")));
            } else {
                prop_assert!(!value.is_ascii());
            }
        }
    }
}
