//! A text without the characters that do not belong into it, and where its bytes stand in the file.
//!
//! This file must not know which characters these are.

use cbgen_formats::Cut as _;

/// A character that was taken out of a text, in the places of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Removed {
    /// Where it stands in the file.
    pub(super) at: usize,
    /// Its bytes.
    pub(super) bytes: usize,
    /// What stands in its place: a blank, or the `-` of a list item.
    pub(super) instead: Option<u8>,
}

/// The text as it was meant.
pub(super) fn without(text: &str, removed: &[Removed]) -> String {
    let mut meant = String::with_capacity(text.len());
    let mut from = 0;
    for one in removed {
        meant.push_str(text.cut(from..one.at));
        meant.extend(one.instead.map(char::from));
        from = one.at + one.bytes;
    }
    meant.push_str(text.cut(from..));
    meant
}

/// Where a byte of the meant text stands in the file.
pub(super) fn place(removed: &[Removed], at: usize) -> usize {
    let mut shift = 0;
    for one in removed {
        // A place at the character itself is the place before it.
        if one.at >= at + shift + usize::from(one.instead.is_none()) {
            break;
        }
        shift += one.bytes - usize::from(one.instead.is_some());
    }
    at + shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_file() {
        let text = "a\u{A0}b\u{200B}c\u{A0}\u{200B}d";
        let removed: Vec<Removed> = text
            .char_indices()
            .filter(|(_, letter)| !letter.is_ascii())
            .map(|(at, letter)| Removed {
                at,
                bytes: letter.len_utf8(),
                instead: (letter == '\u{A0}').then_some(b' '),
            })
            .collect();
        let meant = without(text, &removed);
        assert_eq!(meant, "a bc d");
        for letter in ['a', 'b', 'c', 'd'] {
            assert_eq!(
                place(&removed, meant.find(letter).unwrap()),
                text.find(letter).unwrap(),
                "{letter}"
            );
        }
        assert_eq!(place(&removed, 1), 1);
        assert_eq!(place(&[], 7), 7);
    }
}
