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

/// A text in which everything that looks like another character is that one.
pub fn plain(text: &str) -> String {
    let letters = text.chars();
    letters
        .map(|letter| look_alike(letter).map_or(letter, |like| like.like))
        .collect()
}

/// A character that people take for another one, which programs do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// What it is, in the words of a finding: `a Cyrillic letter`.
    pub what: &'static str,
    /// What it is taken for.
    pub like: char,
}

/// Cyrillic and Greek letters that print like a Latin one in most fonts (Unicode Technical Standard 39).
const CYRILLIC: &str = "АAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXаaеeоoрpсcуyхxіiјjѕsԁdһhԛqԝw";
const GREEK: &str = "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνv";

/// What `character` looks like without being it; `None` for one that looks like itself.
///
/// Word processors and web pages put the blanks, quotes and dashes in, keyboards of another language the letters.
pub fn look_alike(character: char) -> Option<LookAlike> {
    if character.is_ascii() {
        return None;
    }
    let found = |what, like| Some(LookAlike { what, like });
    match character {
        '\u{A0}' | '\u{202F}' => return found("a no-break space", ' '),
        '\u{2000}'..='\u{200A}' | '\u{205F}' | '\u{3000}' | '\u{1680}' => {
            return found("a blank of another width", ' ');
        }
        '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{B4}' | '\u{2039}' | '\u{203A}' => {
            return found("a typographic quote", '\'');
        }
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{AB}' | '\u{BB}' => {
            return found("a typographic quote", '"');
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => return found("a dash", '-'),
        '\u{2215}' | '\u{2044}' => return found("a slash of another kind", '/'),
        '\u{FF01}'..='\u{FF5E}' => {
            let like = char::from_u32(u32::from(character) - 0xFEE0)?;
            return found("a letter of double width", like);
        }
        _ => {}
    }
    if let Some(digit) = digit(character) {
        return found("a digit of another script", digit);
    }
    let pair = |table: &str| {
        let mut letters = table.chars();
        letters.find(|letter| *letter == character)?;
        letters.next()
    };
    if let Some(like) = pair(CYRILLIC) {
        return found("a Cyrillic letter", like);
    }
    found("a Greek letter", pair(GREEK)?)
}

/// The zeros of scripts whose ten digits follow each other: Arabic, Persian, N'Ko, the scripts of India, Thai, Lao, Tibetan,
/// Myanmar, Khmer, Mongolian (general category Nd).
const ZEROS: &str = "٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐";

/// The digit that a digit of another script means.
fn digit(character: char) -> Option<char> {
    let value = ZEROS.chars().find_map(|zero| {
        let value = u32::from(character).checked_sub(u32::from(zero))?;
        (value < 10).then_some(value)
    });
    char::from_digit(value?, 10)
}

impl LookAlike {
    /// `character`, which looks so, as a finding names it.
    pub fn name(self, character: char) -> String {
        let code = u32::from(character);
        match self.like {
            ' ' => format!("{} (U+{code:04X})", self.what),
            like => {
                let verb = if like.is_ascii_digit() {
                    "means"
                } else {
                    "looks like"
                };
                format!("`{character}` (U+{code:04X}, {} that {verb} `{like}`)", self.what)
            }
        }
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
    #[test]
    fn what_looks_like_something_else_is_named() {
        let check = |character: char, name: Option<&str>| {
            let found = look_alike(character).map(|like| like.name(character));
            assert_eq!(found.as_deref(), name, "{character:?}");
        };
        for itself in ['a', ' ', '\'', '-', 'ü', 'ж', '漢', 'Ω'] {
            check(itself, None);
        }
        check('\u{A0}', Some("a no-break space (U+00A0)"));
        check('’', Some("`’` (U+2019, a typographic quote that looks like `'`)"));
        check('–', Some("`–` (U+2013, a dash that looks like `-`)"));
        check('О', Some("`О` (U+041E, a Cyrillic letter that looks like `O`)"));
        check(
            '٤',
            Some("`٤` (U+0664, a digit of another script that means `4`)"),
        );
        check('ο', Some("`ο` (U+03BF, a Greek letter that looks like `o`)"));
        check(
            'Ａ',
            Some("`Ａ` (U+FF21, a letter of double width that looks like `A`)"),
        );
        for table in [CYRILLIC, GREEK] {
            for pair in table.chars().collect::<Vec<_>>().chunks(2) {
                assert!(!pair[0].is_ascii() && pair[1].is_ascii(), "{pair:?}");
            }
        }
    }
}
