//! Characters that must not be in an inventory, and how to name them.
//!
//! Invisible and private characters survive review, then mean different things to nginx, cmd, SQL Server and a human
//! reader. Private-use characters are refused also because the renderer uses some of them as internal marks.

use crate::formats::unseen::{Unseen, look_alike, unseen};

/// Why a character may not appear anywhere in the text of an inventory, comments included.
pub(super) fn forbidden_in_text(character: char) -> Option<&'static str> {
    match character {
        '\n' | '\t' => None,
        _ => forbidden_in_value(character),
    }
}

/// Why a character may not appear in a value.
pub(super) fn forbidden_in_value(character: char) -> Option<&'static str> {
    unseen(character).map(Unseen::what)
}

/// A printable name of any character.
pub(super) fn name(character: char) -> String {
    match character {
        '\t' => "a tab".to_owned(),
        '\n' => "a line feed".to_owned(),
        '\r' => "a carriage return".to_owned(),
        c if c.is_ascii_graphic() => format!("`{c}`"),
        ' ' => "a blank".to_owned(),
        c => match look_alike(c) {
            Some(like) => like.name(c),
            None if forbidden_in_value(c).is_some() || c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
            None => format!("`{c}` (U+{:04X})", u32::from(c)),
        },
    }
}
