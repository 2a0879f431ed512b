//! The one alphabet of characters that stand for something while a text is worked on.
//!
//! Inventories and templates may hold none of them, so a mark never meets itself in a text. Two rooms that work on one
//! text must not use one mark for two things; with all marks in one file a test can tell. A mark is gone before anybody
//! reads the text. This file must not know what the texts are.

use std::ops::Range;

use crate::formats::Cut as _;

/// A run of marks that are told apart by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered {
    first: char,
    count: u32,
}

impl Numbered {
    /// The mark with this number, counted from 0; `None` when there are not so many.
    pub fn mark(self, number: u32) -> Option<char> {
        let offset = Some(number).filter(|number| *number < self.count)?;
        char::from_u32(u32::from(self.first) + offset)
    }

    /// The number of a mark; `None` for any other character.
    pub fn number(self, letter: char) -> Option<u32> {
        u32::from(letter)
            .checked_sub(u32::from(self.first))
            .filter(|number| *number < self.count)
    }
}

macro_rules! marks {
    ($($(#[doc = $what:literal])* $name:ident = $mark:literal;)*) => {
        $($(#[doc = $what])* pub const $name: char = $mark;)*

        /// Every mark with a name.
        #[cfg(test)]
        const NAMED: &[char] = &[$($name),*];
    };
}

marks! {
    // Where texts of several servers are compared.
    /// Stands for the FQDN of a server.
    FQDN = '\u{E000}';
    /// Stands for the FQDN in lower case.
    LOWER_FQDN = '\u{E001}';
    /// Stands for the name of a server.
    SERVER = '\u{E002}';
    /// Stands for the name in lower case.
    LOWER_SERVER = '\u{E003}';
    /// Stands for the name in upper case.
    UPPER_SERVER = '\u{E004}';
    /// Stands for the version of the bundle behind its name.
    VERSION = '\u{E005}';
    /// Stands for the name of the bundle where installations are compared with each other.
    BUNDLE = '\u{E006}';
    /// Stands for the domain of an installation with the dot before it.
    DOMAIN = '\u{E007}';
    /// The same with dots as a regular expression writes them.
    PATTERN_DOMAIN = '\u{E008}';

    // Where sections of the printed runbook are compared.
    /// Stands for the name of the server whose section it is.
    SECTION_SERVER = '\u{F8F0}';
    /// Stands for its FQDN.
    SECTION_FQDN = '\u{F8F1}';

    // Where a template is rendered.
    /// Opens a value that the escape function refused.
    REFUSED_START = '\u{F8FE}';
    /// Closes it.
    REFUSED_END = '\u{F8FF}';
    /// Separates the fields of a template's rendered front matter. A control character, which no field may hold.
    FIELD = '\u{1F}';
    /// Separates the items of a list in it.
    ITEM = '\u{1E}';

    // Where a finding is printed.
    /// Marks the path of a window while it is rendered. A noncharacter: a text that is shown may hold private-use
    /// characters, but none of these.
    WINDOW_PATH = '\u{FDD0}';
}

/// Stand for other servers, in the order in which they are met.
pub const OTHER_SERVERS: Numbered = Numbered {
    first: '\u{E010}',
    count: 200,
};

/// Stand for the lines of templates: a whole plane, because there are thousands.
pub const TEMPLATE_LINES: Numbered = Numbered {
    first: '\u{F0000}',
    count: 0xFFFD,
};

/// The text with a mark in place of each of these parts of it, which are in order.
pub fn put(mark: char, text: &str, parts: impl IntoIterator<Item = Range<usize>>) -> String {
    let mut marked = String::with_capacity(text.len());
    let mut done = 0;
    for part in parts {
        marked.push_str(text.cut(done..part.start));
        marked.push(mark);
        done = part.end;
    }
    marked.push_str(text.cut(done..));
    marked
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::formats::unseen::unseen;

    fn all() -> Vec<char> {
        let numbered = [OTHER_SERVERS, TEMPLATE_LINES];
        let numbered = numbered
            .into_iter()
            .flat_map(|marks| (0..marks.count).map(move |number| marks.mark(number).unwrap()));
        NAMED.iter().copied().chain(numbered).collect()
    }

    #[test]
    fn all_marks_are_different() {
        let mut seen = BTreeSet::new();
        for mark in all() {
            assert!(seen.insert(mark), "U+{:04X} is two marks", u32::from(mark));
        }
    }

    #[test]
    fn no_inventory_may_hold_a_mark() {
        for mark in all() {
            assert!(unseen(mark).is_some(), "U+{:04X}", u32::from(mark));
        }
    }

    #[test]
    fn numbers_lead_to_marks_and_back() {
        assert_eq!(OTHER_SERVERS.mark(0), Some('\u{E010}'));
        assert_eq!(OTHER_SERVERS.number('\u{E010}'), Some(0));
        assert_eq!(
            OTHER_SERVERS
                .mark(199)
                .and_then(|mark| OTHER_SERVERS.number(mark)),
            Some(199)
        );
        assert_eq!(OTHER_SERVERS.mark(200), None);
        assert_eq!(OTHER_SERVERS.number('\u{E00F}'), None);
        assert_eq!(OTHER_SERVERS.number('\u{E0D8}'), None);
    }
}
