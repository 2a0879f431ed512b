//! The one table of characters that people cannot see, or see as something else than a program does.
//!
//! Inventories, quoting functions, readers, findings and `diff` all ask it, so that a character is refused or shown
//! everywhere or nowhere. Source: the Unicode Character Database, general categories Cc, Co, Zl and Zp, the property
//! `Default_Ignorable_Code_Point`, noncharacters, and the direction controls behind "Trojan Source" (CVE-2021-42574).
//! This file must not know who asks, or what follows from the answer.

/// Why nobody sees a character as what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unseen {
    /// It ends a line: some readers begin a new one, others do not.
    LineBreak,
    /// A control character; terminals act on some of them.
    Control,
    /// It changes the direction of the text around it.
    Direction,
    /// It takes no room on the screen.
    Invisible,
    /// It has no meaning outside one font or program.
    Private,
    /// Unicode promises that it never becomes a character.
    NotACharacter,
}

impl Unseen {
    /// What it is, in the words of a finding.
    pub fn what(self) -> &'static str {
        match self {
            Self::LineBreak => "a line break",
            Self::Control => "a control character",
            Self::Direction => "a direction mark, which makes a reader see another text than a program",
            Self::Invisible => "an invisible character",
            Self::Private => "a private-use character, which has no meaning outside one font or program",
            Self::NotACharacter => "not a character",
        }
    }
}

/// Why nobody sees `character` as what it is; `None` for one that is seen. Blanks are seen. The tab is a control
/// character.
pub fn unseen(character: char) -> Option<Unseen> {
    if matches!(character, ' '..='~') {
        return None;
    }
    match character {
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(Unseen::LineBreak),
        _ if character.is_control() => Some(Unseen::Control),
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some(Unseen::Direction)
        }
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}' => {
            Some(Unseen::Private)
        }
        '\u{FDD0}'..='\u{FDEF}' => Some(Unseen::NotACharacter),
        _ if u32::from(character) & 0xFFFE == 0xFFFE => Some(Unseen::NotACharacter),
        '\u{AD}'
        | '\u{34F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200D}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => Some(Unseen::Invisible),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_told() {
        let check = |character, why| assert_eq!(unseen(character), why, "{character:?}");
        for seen in ['a', ' ', '~', 'ü', '漢', '\u{A0}', '\u{1F600}', '\u{FFFD}'] {
            check(seen, None);
        }
        check('\n', Some(Unseen::LineBreak));
        check('\t', Some(Unseen::Control));
        check('\u{7F}', Some(Unseen::Control));
        check('\u{202E}', Some(Unseen::Direction));
        check('\u{FEFF}', Some(Unseen::Invisible));
        check('\u{180E}', Some(Unseen::Invisible));
        // A tag letter: five tables disagreed about it.
        check('\u{E0041}', Some(Unseen::Invisible));
        check('\u{E000}', Some(Unseen::Private));
        check('\u{1FFFE}', Some(Unseen::NotACharacter));
        check('\u{10FFFF}', Some(Unseen::NotACharacter));
    }
}
