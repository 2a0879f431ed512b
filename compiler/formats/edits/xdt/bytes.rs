//! The bytes of a file as text and back, so that every byte no edit touches comes out as it went in.
//!
//! .NET reads a configuration file in the encoding its mark or its declaration names. Read here are UTF-8, UTF-16 with
//! a mark, Windows-1252, ISO-8859-1 and ASCII; what contradicts itself is refused, because readers disagree about it.

use std::ops::Range;

/// How the characters of a file became bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16, the low byte first, with a mark.
    Utf16Le,
    /// UTF-16, the high byte first, with a mark.
    Utf16Be,
    /// Windows-1252, as .NET maps it: the five unused bytes are control characters.
    Windows1252,
    /// ISO-8859-1: a byte is its own character.
    Latin1,
    /// ASCII.
    Ascii,
}

/// The characters of the bytes 0x80 to 0x9F in Windows-1252.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}',
    '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// Why bytes are not read: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
}

fn unreadable<T>(range: Range<usize>, message: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable {
        range,
        message: message.into(),
    })
}

/// The text of a file. A mark stays in it, so that places in UTF-8 are those of the file.
pub(crate) fn decode(bytes: &[u8]) -> Result<(String, Encoding), Unreadable> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let big = bytes.starts_with(&[0xfe, 0xff]);
        let text = utf16(bytes, big)?;
        let encoding = if big { Encoding::Utf16Be } else { Encoding::Utf16Le };
        return match declared(text.trim_start_matches('\u{feff}')) {
            Some((name, _)) if !["utf-16", "unicode", "utf-16le", "utf-16be"].contains(&name.as_str()) => {
                unreadable(
                    0..2,
                    format!("the file is UTF-16 by its mark and declares `{name}`; save it in one encoding"),
                )
            }
            _ => Ok((text, encoding)),
        };
    }
    if matches!(bytes, [b'<', 0, ..] | [0, b'<', ..]) {
        return unreadable(
            0..2,
            "the file looks like UTF-16 without a byte order mark; save it with one",
        );
    }
    let marked = bytes.starts_with(&[0xef, 0xbb, 0xbf]);
    let head = bytes.get(if marked { 3 } else { 0 }..).unwrap_or_default();
    let head = head.get(..head.len().min(400)).unwrap_or_default();
    let ascii: String = head
        .iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' })
        .collect();
    let (encoding, place) = match declared(&ascii) {
        None => (Encoding::Utf8, 0..0),
        Some((name, place)) => match name.as_str() {
            "utf-8" | "utf8" => (Encoding::Utf8, place),
            "us-ascii" | "ascii" => (Encoding::Ascii, place),
            "windows-1252" | "cp1252" => (Encoding::Windows1252, place),
            "iso-8859-1" | "latin1" => (Encoding::Latin1, place),
            name if name.starts_with("utf-16") || name == "unicode" => {
                let message = format!(
                    "the file declares `{name}` and has no byte order mark of it; .NET refuses it too"
                );
                return unreadable(place, message);
            }
            name => {
                let message = format!(
                    "the encoding `{name}` is not read; known are utf-8, utf-16 with a mark, windows-1252, iso-8859-1 and us-ascii"
                );
                return unreadable(place, message);
            }
        },
    };
    if marked && encoding != Encoding::Utf8 && !bytes.get(3..).unwrap_or_default().is_ascii() {
        return unreadable(
            place,
            "the file is UTF-8 by its mark and declares another encoding; save it in one",
        );
    }
    let text = match encoding {
        _ if marked => utf8(bytes)?,
        Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => utf8(bytes)?,
        Encoding::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
            Some(at) => return unreadable(at..at + 1, "the file declares ASCII, and this byte is none"),
            None => utf8(bytes)?,
        },
        Encoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Encoding::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    };
    Ok((text, if marked { Encoding::Utf8 } else { encoding }))
}

/// The bytes of a text.
///
/// # Errors
/// The first character that the encoding does not have.
pub(crate) fn encode(text: &str, encoding: Encoding) -> Result<Vec<u8>, char> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Utf16Le => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        Encoding::Utf16Be => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        Encoding::Windows1252 | Encoding::Latin1 | Encoding::Ascii => {
            text.chars().map(|c| single(c, encoding).ok_or(c)).collect()
        }
    }
}

/// Whether an encoding has a character.
pub(crate) fn holds(encoding: Encoding, character: char) -> bool {
    match encoding {
        Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => true,
        Encoding::Windows1252 | Encoding::Latin1 | Encoding::Ascii => single(character, encoding).is_some(),
    }
}

/// Turns places in a text into places in its bytes. The places come in any order and go out in it.
pub(crate) fn byte_offsets(text: &str, encoding: Encoding, places: &[usize]) -> Vec<usize> {
    if matches!(encoding, Encoding::Utf8 | Encoding::Ascii) {
        return places.to_vec();
    }
    let width = |c: char| match encoding {
        Encoding::Utf16Le | Encoding::Utf16Be => c.len_utf16() * 2,
        Encoding::Utf8 | Encoding::Windows1252 | Encoding::Latin1 | Encoding::Ascii => 1,
    };
    let mut order: Vec<(usize, usize)> = places
        .iter()
        .copied()
        .enumerate()
        .map(|(n, place)| (place, n))
        .collect();
    order.sort_unstable();
    let mut found = vec![0; places.len()];
    let (mut at, mut bytes) = (0, 0);
    for (place, number) in order {
        let between = text.get(at..place).unwrap_or_default();
        bytes += between.chars().map(width).sum::<usize>();
        at = at.max(place);
        if let Some(slot) = found.get_mut(number) {
            *slot = bytes;
        }
    }
    found
}

fn utf8(bytes: &[u8]) -> Result<String, Unreadable> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            unreadable(
                at..at + error.error_len().unwrap_or(1),
                "the file is not UTF-8 here; if it is Windows-1252, its declaration has to say so",
            )
        }
    }
}

fn utf16(bytes: &[u8], big: bool) -> Result<String, Unreadable> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return unreadable(
            bytes.len() - 1..bytes.len(),
            "the file is UTF-16 and ends in half a character",
        );
    }
    let units = pairs.iter().map(|pair| {
        if big {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut at = 0;
    for unit in char::decode_utf16(units) {
        match unit {
            Ok(character) => {
                at += character.len_utf16() * 2;
                text.push(character);
            }
            Err(_) => {
                return unreadable(
                    at..at + 2,
                    "the file is UTF-16 and holds half of a pair of surrogates",
                );
            }
        }
    }
    Ok(text)
}

fn windows_1252(byte: u8) -> char {
    let high = byte
        .checked_sub(0x80)
        .and_then(|index| WINDOWS_1252.get(usize::from(index)));
    high.copied().unwrap_or(char::from(byte))
}

fn single(character: char, encoding: Encoding) -> Option<u8> {
    let code = u32::from(character);
    match encoding {
        Encoding::Ascii => u8::try_from(code).ok().filter(u8::is_ascii),
        Encoding::Windows1252 => match code {
            0..=0x7f | 0xa0..=0xff => u8::try_from(code).ok(),
            _ => {
                let place = WINDOWS_1252.iter().position(|known| *known == character)?;
                u8::try_from(place + 0x80).ok()
            }
        },
        Encoding::Latin1 | Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => u8::try_from(code).ok(),
    }
}

/// The encoding that the declaration at the beginning of `text` names, in lower case, and where.
fn declared(text: &str) -> Option<(String, Range<usize>)> {
    let inside = text.strip_prefix("<?xml")?.split_once("?>")?.0;
    let (before, after) = inside.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = value.get(1..)?.split(quote).next()?;
    let start = "<?xml".len() + before.len();
    Some((
        name.to_ascii_lowercase(),
        start..start + "encoding".len() + after.len(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_single_byte_encoding_comes_back() {
        for name in ["windows-1252", "iso-8859-1"] {
            let mut bytes = format!("<?xml version='1.0' encoding='{name}'?>").into_bytes();
            bytes.extend(0x80..=0xff_u8);
            let (text, encoding) = decode(&bytes).unwrap();
            assert_eq!(encode(&text, encoding).unwrap(), bytes, "{name}");
        }
        let (text, _) = decode(b"<?xml version='1.0' encoding='Windows-1252'?>\x80").unwrap();
        assert!(text.ends_with('\u{20ac}'));
    }

    #[test]
    fn both_kinds_of_utf_16_come_back() {
        for big in [false, true] {
            let text = "\u{feff}<a>é\u{1f600}</a>";
            let bytes: Vec<u8> = text
                .encode_utf16()
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect();
            let (read, encoding) = decode(&bytes).unwrap();
            assert_eq!(read, text);
            assert_eq!(encode(&read, encoding).unwrap(), bytes);
            let places = [text.len(), 0, text.find('\u{1f600}').unwrap()];
            assert_eq!(byte_offsets(text, encoding, &places), [bytes.len(), 0, 10]);
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let check = |bytes: &[u8], expected: &str| {
            let found = decode(bytes).unwrap_err().message;
            assert!(found.contains(expected), "{found}");
        };
        check(b"\xff\xfe<\0a", "half a character");
        check(b"\xff\xfe\x00\xd8<\0", "surrogates");
        check(b"<\0a\0>\0", "without a byte order mark");
        check(b"<a>\xe4</a>", "not UTF-8");
        check(
            b"<?xml version='1.0' encoding='utf-16'?><a/>",
            "no byte order mark",
        );
        check(
            b"<?xml version='1.0' encoding='koi8-r'?><a/>",
            "`koi8-r` is not read",
        );
        check(
            b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?><a>\xc3\xa4</a>",
            "by its mark",
        );
        check(
            b"<?xml version='1.0' encoding='us-ascii'?><a>\xe4</a>",
            "declares ASCII",
        );
    }
}
