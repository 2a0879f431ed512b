//! Characters that a format refuses, named the same way in every message.
//!
//! Shared by the quoting functions and readers of this folder. It knows no format: which characters are refused, and
//! why, is the caller's business.

use super::unseen::{look_alike, unseen};
use super::{Cut as _, FormatError};

/// Longest part of a value that is repeated in an item path; keeps paths of hostile texts short.
const MAX_LABEL: usize = 120;

/// A character as a message shows it: itself when it is visible, and its code point.
pub(super) fn name(character: char) -> String {
    match character {
        '\n' => "the line feed (U+000A)".into(),
        '\r' => "the carriage return (U+000D)".into(),
        '\t' => "the tab (U+0009)".into(),
        '\u{feff}' => "the byte order mark (U+FEFF)".into(),
        _ if unseen(character).is_some() => {
            format!("the invisible character U+{:04X}", u32::from(character))
        }
        _ if character.is_ascii() => format!("`{character}`"),
        _ => match look_alike(character) {
            Some(like) => like.name(character),
            None => format!("`{character}` (U+{:04X})", u32::from(character)),
        },
    }
}

/// Refuses the first character of `value` for which `why` gives a reason.
pub(super) fn refuse(
    value: &str,
    place: &str,
    why: impl Fn(char) -> Option<&'static str>,
) -> Result<(), FormatError> {
    refuse_at(value, 0, place, why)
}

/// As [`refuse`], for a `value` that begins at byte `offset` of a text.
pub(super) fn refuse_at(
    value: &str,
    offset: usize,
    place: &str,
    why: impl Fn(char) -> Option<&'static str>,
) -> Result<(), FormatError> {
    first_refused(value, offset, place, why).map_or(Ok(()), Err)
}

/// The first character of `value`, which begins at byte `offset` of a text, for which `why` gives a reason.
pub(super) fn first_refused(
    value: &str,
    offset: usize,
    place: &str,
    why: impl Fn(char) -> Option<&'static str>,
) -> Option<FormatError> {
    value.char_indices().find_map(|(at, character)| {
        let start = offset + at;
        why(character).map(|reason| {
            FormatError::new(
                start..start + character.len_utf8(),
                format!("{} cannot stand in {place}: {reason}", name(character)),
            )
        })
    })
}

/// Why a character is unfit for any value in a configuration file: control characters, and characters that change how
/// a line looks without being seen (byte order mark, zero width, direction overrides, line separators).
pub(super) fn unprintable(character: char) -> Option<&'static str> {
    unseen(character).map(|_| {
        if character.is_control() {
            "control characters are never part of a value"
        } else {
            "a reader of the file would not see it"
        }
    })
}

/// As [`unprintable`], and refuses everything outside ASCII.
pub(super) fn not_plain_ascii(character: char) -> Option<&'static str> {
    unprintable(character).or((!character.is_ascii()).then_some("the file has to stay ASCII"))
}

/// Control characters that may not even stand between the tokens of a text in review form, which has LF and blanks.
pub(super) fn not_layout(character: char) -> Option<&'static str> {
    match character {
        '\n' | '\t' => None,
        '\r' => Some("lines of a text under review end in a line feed alone"),
        _ => unprintable(character),
    }
}

/// The lines of a text with the byte offset at which each begins, without their line feeds.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').scan(0, |next, line| {
        let start = *next;
        *next += line.len() + 1;
        Some((start, line))
    })
}

/// Shortens a part of an item path, so that the paths of a text cannot grow with the square of its length.
pub fn label(part: &str) -> String {
    match part.char_indices().nth(MAX_LABEL) {
        Some((end, _)) => format!("{}…", part.cut(..end)),
        None => part.to_owned(),
    }
}

/// The range of the character at `start`, or an empty range at the end of the text.
pub(super) fn range_at(text: &str, start: usize) -> std::ops::Range<usize> {
    let length = text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    start..start + length
}

/// Refuses an empty `value` and its first character that `allowed` does not accept, with the reason `why` gives.
pub(super) fn only(
    value: &str,
    allowed: impl Fn(char) -> bool,
    why: impl Fn(char) -> String,
) -> Result<(), FormatError> {
    if value.is_empty() {
        return Err(FormatError::new(0..0, "an empty value"));
    }
    match value.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((at, c)) => Err(FormatError::new(at..at + c.len_utf8(), why(c))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_character_and_its_place() {
        let error = refuse("aé\n", "a test", not_plain_ascii).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`é` (U+00E9) cannot stand in a test: the file has to stay ASCII"
        );
        assert_eq!(error.range, 1..3);
        let error = refuse("a\u{200b}", "a test", unprintable).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the invisible character U+200B cannot stand in a test: a reader of the file would not see it"
        );
    }

    #[test]
    fn positions_are_bytes() {
        let text = "ä\nxö!\n";
        assert_eq!(range_at(text, 4), 4..6);
        assert_eq!(range_at(text, text.len()), text.len()..text.len());
        assert_eq!(lines(text).collect::<Vec<_>>(), [(0, "ä"), (3, "xö!"), (8, "")]);
    }

    #[test]
    fn labels_are_bounded() {
        assert_eq!(label("short"), "short");
        assert_eq!(label(&"é".repeat(500)).chars().count(), MAX_LABEL + 1);
    }
}
