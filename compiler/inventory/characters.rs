//! Characters that must not be in an inventory, and how to name them.
//!
//! Invisible and private characters survive review, then mean different things to nginx, cmd, SQL Server and a human
//! reader. Private-use characters are refused also because the renderer uses some of them as internal marks.

/// Why a character may not appear anywhere in the text of an inventory, comments included.
pub(super) fn forbidden_in_text(character: char) -> Option<&'static str> {
    match character {
        '\n' | '\t' => None,
        _ => forbidden_in_value(character),
    }
}

/// Why a character may not appear in a value.
pub(super) fn forbidden_in_value(character: char) -> Option<&'static str> {
    match character {
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("a line break"),
        c if c.is_control() => Some("a control character"),
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}' => {
            Some("a private-use character, which has no meaning outside one font or program")
        }
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{61C}' => {
            Some("a direction mark, which makes a reader see another text than a program")
        }
        '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{AD}' => {
            Some("an invisible character")
        }
        '\u{FDD0}'..='\u{FDEF}' => Some("not a character"),
        c if u32::from(c) & 0xFFFE == 0xFFFE => Some("not a character"),
        _ => None,
    }
}

/// A printable name of any character.
pub(super) fn name(character: char) -> String {
    match character {
        '\t' => "a tab".to_owned(),
        '\n' => "a line feed".to_owned(),
        '\r' => "a carriage return".to_owned(),
        c if c.is_ascii_graphic() => format!("`{c}`"),
        ' ' => "a blank".to_owned(),
        c if forbidden_in_value(c).is_some() || c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
        c => format!("`{c}` (U+{:04X})", u32::from(c)),
    }
}
