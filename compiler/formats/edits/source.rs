//! A vendor's file as text, with the way back to its bytes.
//!
//! Everything a decoder would normally throw away is kept: the mark, the encoding, the line ends. New text goes in as
//! [`Splice`]s, so bytes that nobody replaces are the bytes that were there. This module must not know formats; which
//! encodings a format's real reader takes is said by a [`Readable`].

use std::ops::Range;

use super::{Refusal, RefusalKind};
use crate::{Cut as _, characters};

/// Largest file that is edited. The files of a vendor's installation are a few hundred kilobytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// How the characters of a file are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, as .NET and browsers map it: the five unused bytes are control characters.
    Windows1252,
    /// ISO-8859-1: a byte is its own character.
    Latin1,
}

impl Charset {
    /// The name people know.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
            Self::Latin1 => "ISO-8859-1",
        }
    }

    /// The bytes of a character; `None` where there are none.
    fn encode(self, character: char, bytes: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Utf8 => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Self::Utf16Le => {
                for unit in character.encode_utf16(&mut [0; 2]).iter() {
                    bytes.extend(unit.to_le_bytes());
                }
            }
            Self::Utf16Be => {
                for unit in character.encode_utf16(&mut [0; 2]).iter() {
                    bytes.extend(unit.to_be_bytes());
                }
            }
            Self::Windows1252 => bytes.push(windows_1252(character)?),
            Self::Latin1 => bytes.push(u8::try_from(u32::from(character)).ok()?),
        }
        Some(())
    }

    /// Whether there are bytes for a character.
    pub(super) fn holds(self, character: char) -> bool {
        match self {
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => true,
            Self::Windows1252 => windows_1252(character).is_some(),
            Self::Latin1 => u32::from(character) <= 0xff,
        }
    }

    /// How many bytes of the file a character of its text is.
    fn width(self, character: char) -> usize {
        match self {
            Self::Utf8 => character.len_utf8(),
            Self::Utf16Le | Self::Utf16Be => character.len_utf16() * 2,
            Self::Windows1252 | Self::Latin1 => 1,
        }
    }
}

/// The characters of the bytes 0x80 to 0x9F in Windows-1252.
const UPPER: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}',
    '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

fn windows_1252(character: char) -> Option<u8> {
    if let code @ (0..=0x7f | 0xa0..=0xff) = u32::from(character) {
        u8::try_from(code).ok()
    } else {
        let at = UPPER.iter().position(|upper| *upper == character)?;
        u8::try_from(0x80 + at).ok()
    }
}

/// Which encodings the reader of a format takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readable {
    /// What reads such files, for messages: `file:consult`.
    pub reader: &'static str,
    /// Whether a UTF-8 file may begin with a mark.
    pub utf8_mark: bool,
    /// Whether UTF-16 with a mark is read.
    pub utf16: bool,
    /// What a file without a mark is.
    pub unmarked: Unmarked,
}

/// What a file without a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmarked {
    /// Always this.
    Only(Charset),
    /// UTF-8 where its bytes are, Windows-1252 otherwise.
    Utf8OrWindows1252,
}

/// A text that takes the place of a range of the source's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// What is replaced; empty to insert.
    pub range: Range<usize>,
    /// What comes in its place.
    pub text: String,
}

/// A decoded file.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    bytes: &'a [u8],
    charset: Charset,
    /// Bytes of the mark, which are not part of the text.
    mark: usize,
    text: String,
    line_starts: Vec<usize>,
    /// For each multiple of [`STRIDE`] of the text: that or the next character boundary, and its place in the file.
    /// Empty where a byte of the text is a byte of the file.
    stops: Vec<(usize, usize)>,
}

/// Bytes of text between two stops.
const STRIDE: usize = 1024;

impl<'a> Source<'a> {
    /// Decodes a file, or says why its reader would not.
    pub fn read(bytes: &'a [u8], readable: Readable) -> Result<Self, Box<Refusal>> {
        if bytes.len() > MAX_FILE_BYTES {
            let message =
                format!("the file has more than {MAX_FILE_BYTES} bytes, which are the most that are edited");
            return Err(Box::new(Refusal::new(RefusalKind::Limit, message)));
        }
        let refuse = |range: Range<usize>, message: String, help: String| {
            Err(Box::new(
                Refusal::new(RefusalKind::Encoding, message)
                    .in_file(range)
                    .help(help),
            ))
        };
        let reader = readable.reader;
        let (charset, mark) = match bytes {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
                let message = format!("the file is UTF-32, which {reader} does not read");
                return refuse(0..4, message, "save the file as UTF-8".into());
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] if !readable.utf16 => {
                let message = format!("the file is UTF-16, which {reader} does not read");
                return refuse(0..2, message, "save the file as UTF-8 without a mark".into());
            }
            [0xef, 0xbb, 0xbf, ..] if !readable.utf8_mark => {
                let message = format!("the file begins with a byte order mark, which {reader} refuses");
                return refuse(0..3, message, "save the file as UTF-8 without a mark".into());
            }
            [0xff, 0xfe, ..] => (Charset::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Charset::Utf16Be, 2),
            [0xef, 0xbb, 0xbf, ..] => (Charset::Utf8, 3),
            _ => match readable.unmarked {
                Unmarked::Only(charset) => (charset, 0),
                Unmarked::Utf8OrWindows1252 if std::str::from_utf8(bytes).is_ok() => (Charset::Utf8, 0),
                Unmarked::Utf8OrWindows1252 => (Charset::Windows1252, 0),
            },
        };
        let body = bytes.cut(mark..);
        let text = match decode(body, charset) {
            Ok(text) => text,
            Err(at) => {
                let start = mark + at;
                let message = format!(
                    "byte 0x{:02X} at {start} is not {}",
                    bytes.get(start).copied().unwrap_or_default(),
                    charset.name()
                );
                let help = format!("find out what the file is encoded in; {reader} would not read it");
                return refuse(start..(start + 1).min(bytes.len()), message, help);
            }
        };
        if charset == Charset::Utf8 && is_utf16_without_mark(bytes) {
            let message = "the file looks like UTF-16 without a mark".to_owned();
            return refuse(0..2, message, "save the file with a mark, or as UTF-8".into());
        }
        let line_starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect();
        let stops = stops(&text, charset, mark);
        Ok(Self {
            bytes,
            charset,
            mark,
            text,
            line_starts,
            stops,
        })
    }

    /// The text, without the mark, with the line ends of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The encoding that was found.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// The place in the file of an offset of the text.
    pub fn file_offset(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        if self.stops.is_empty() {
            return self.mark + offset;
        }
        let offset = self.text.floor_char_boundary(offset);
        let (from, at) = self.last_stop(|(text, _)| *text <= offset);
        let between = self.text.cut(from..offset);
        at + between.chars().map(|c| self.charset.width(c)).sum::<usize>()
    }

    /// The last stop that is not behind a place.
    fn last_stop(&self, is_before: impl Fn(&(usize, usize)) -> bool) -> (usize, usize) {
        let (before, _) = self.stops.split_at(self.stops.partition_point(is_before));
        before.last().copied().unwrap_or((0, self.mark))
    }

    /// The place in the file of a range of the text.
    pub fn file_range(&self, range: &Range<usize>) -> Range<usize> {
        self.file_offset(range.start)..self.file_offset(range.end)
    }

    /// The offset of the text for a place in the file; inside a character, that character.
    pub fn text_offset(&self, place: usize) -> usize {
        let place = place.clamp(self.mark, self.bytes.len().max(self.mark));
        if self.stops.is_empty() {
            return self.text.floor_char_boundary(place - self.mark);
        }
        let (mut offset, mut at) = self.last_stop(|(_, file)| *file <= place);
        for character in self.text.cut(offset..).chars() {
            at += self.charset.width(character);
            if at > place {
                break;
            }
            offset += character.len_utf8();
        }
        offset
    }

    /// The range of the text for a range of the file.
    pub fn text_range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.text_offset(range.start);
        start..self.text_offset(range.end).max(start)
    }

    /// One-based line of an offset of the text.
    pub fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    /// The lines of offsets of the text, for a message: `2, 3`.
    pub fn lines(&self, offsets: impl Iterator<Item = usize>) -> String {
        let lines: Vec<String> = offsets.map(|offset| self.line(offset).to_string()).collect();
        lines.join(", ")
    }

    /// The file with other texts in some places. Splices may come in any order; two that overlap are refused, and so is
    /// a character that the encoding of the file does not have.
    pub fn splice(&self, mut splices: Vec<Splice>) -> Result<Vec<u8>, Box<Refusal>> {
        splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
        let mut out = Vec::with_capacity(self.bytes.len() + 64);
        let mut done = 0;
        let mut end_of_last = 0;
        for splice in &splices {
            let range = self.file_range(&splice.range);
            if splice.range.start < end_of_last || range.start < done {
                let message = "two edits change the same place".to_owned();
                return Err(Box::new(
                    Refusal::new(RefusalKind::Ambiguous, message).in_file(range),
                ));
            }
            out.extend_from_slice(self.bytes.cut(done..range.start));
            for character in splice.text.chars() {
                if self.charset.encode(character, &mut out).is_none() {
                    let message = format!(
                        "{} cannot be written in {}, the encoding of the file",
                        characters::name(character),
                        self.charset.name()
                    );
                    return Err(Box::new(
                        Refusal::new(RefusalKind::Unwritable, message).in_file(range),
                    ));
                }
            }
            done = range.end;
            end_of_last = splice.range.end;
        }
        out.extend_from_slice(self.bytes.cut(done..));
        Ok(out)
    }
}

/// A text of ASCII in UTF-16 without a mark is valid UTF-8 with a NUL at every other byte.
fn is_utf16_without_mark(bytes: &[u8]) -> bool {
    matches!(bytes, [0, 1..=0x7f, ..] | [1..=0x7f, 0, ..])
}

/// Decodes, or says where that fails.
fn decode(bytes: &[u8], charset: Charset) -> Result<String, usize> {
    match charset {
        Charset::Utf8 => std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|error| error.valid_up_to()),
        Charset::Utf16Le => utf16(bytes, u16::from_le_bytes),
        Charset::Utf16Be => utf16(bytes, u16::from_be_bytes),
        Charset::Latin1 => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Charset::Windows1252 => Ok(bytes
            .iter()
            .map(|byte| match byte {
                0x80..=0x9f => UPPER
                    .get(usize::from(byte - 0x80))
                    .copied()
                    .unwrap_or(char::REPLACEMENT_CHARACTER),
                _ => char::from(*byte),
            })
            .collect()),
    }
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<String, usize> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut at = 0;
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = character.map_err(|_| at)?;
        at += character.len_utf16() * 2;
        text.push(character);
    }
    if rest.is_empty() { Ok(text) } else { Err(at) }
}

fn stops(text: &str, charset: Charset, mark: usize) -> Vec<(usize, usize)> {
    let one_to_one = match charset {
        Charset::Utf8 => true,
        Charset::Windows1252 | Charset::Latin1 => text.is_ascii(),
        Charset::Utf16Le | Charset::Utf16Be => false,
    };
    let mut stops = Vec::new();
    if one_to_one {
        return stops;
    }
    let mut file = mark;
    let mut next = 0;
    for (at, character) in text.char_indices() {
        if at >= next {
            stops.push((at, file));
            next = at + STRIDE;
        }
        file += charset.width(character);
    }
    stops
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANY: Readable = Readable {
        reader: "the test",
        utf8_mark: true,
        utf16: true,
        unmarked: Unmarked::Utf8OrWindows1252,
    };

    fn encoded(text: &str, charset: Charset, mark: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = mark.to_vec();
        for character in text.chars() {
            charset.encode(character, &mut bytes)?;
        }
        Some(bytes)
    }

    const FORMS: &[(Charset, &[u8])] = &[
        (Charset::Utf8, b"\xef\xbb\xbf"),
        (Charset::Utf8, b""),
        (Charset::Utf16Le, b"\xff\xfe"),
        (Charset::Utf16Be, b"\xfe\xff"),
    ];

    proptest! {
        #[test]
        fn only_the_spliced_bytes_change(text in "[a-cé€\u{1d11e} \r\n]{0,3000}", new in "[x-zß]{0,5}", cut in any::<(u16, u16)>()) {
            for (charset, mark) in FORMS {
                let bytes = encoded(&text, *charset, mark).unwrap();
                let source = Source::read(&bytes, ANY).unwrap();
                prop_assert_eq!(source.text(), &text);
                let boundary = |at: u16| {
                    let at = usize::from(at) % (text.len() + 1);
                    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap()
                };
                let (one, other) = (boundary(cut.0), boundary(cut.1));
                let range = one.min(other)..one.max(other);
                prop_assert_eq!(source.text_range(&source.file_range(&range)), range.clone());
                let made = source.splice(vec![Splice { range: range.clone(), text: new.clone() }]).unwrap();
                let mut wanted = text.clone();
                wanted.replace_range(range, &new);
                prop_assert_eq!(made, encoded(&wanted, *charset, mark).unwrap());
            }
        }

        #[test]
        fn every_byte_string_survives(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(source) = Source::read(&bytes, ANY) {
                prop_assert_eq!(&source.splice(Vec::new()).unwrap(), &bytes);
                let everything = Splice { range: 0..source.text().len(), text: source.text().to_owned() };
                prop_assert_eq!(&source.splice(vec![everything]).unwrap(), &bytes);
                for place in 0..bytes.len() + 2 {
                    prop_assert!(source.text().is_char_boundary(source.text_offset(place)));
                }
            }
        }
    }

    #[test]
    fn what_the_encoding_does_not_have_is_refused() {
        let bytes = b"caf\xe9=1\r\n";
        let source = Source::read(bytes, ANY).unwrap();
        assert_eq!(
            (source.charset(), source.text()),
            (Charset::Windows1252, "café=1\r\n")
        );
        let splice = |text: &str| Splice {
            range: 6..7,
            text: text.into(),
        };
        assert_eq!(source.splice(vec![splice("€")]).unwrap(), b"caf\xe9=\x80\r\n");
        let refusal = source.splice(vec![splice("日")]).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Unwritable);
        assert_eq!(
            refusal.message,
            "`日` (U+65E5) cannot be written in Windows-1252, the encoding of the file"
        );
    }

    #[test]
    fn what_the_reader_does_not_take_is_refused() {
        let strict = Readable {
            reader: "file:consult",
            utf8_mark: false,
            utf16: false,
            unmarked: Unmarked::Only(Charset::Utf8),
        };
        let check = |bytes: &[u8], readable: Readable, expected: &str| {
            let refusal = Source::read(bytes, readable).unwrap_err();
            assert_eq!(format!("{:?} {}", refusal.kind, refusal.message), expected);
        };
        check(
            b"\xef\xbb\xbfa",
            strict,
            "Encoding the file begins with a byte order mark, which file:consult refuses",
        );
        check(
            b"\xff\xfea\0",
            strict,
            "Encoding the file is UTF-16, which file:consult does not read",
        );
        check(b"a\xe9", strict, "Encoding byte 0xE9 at 1 is not UTF-8");
        check(b"\xff\xfea", ANY, "Encoding byte 0x61 at 2 is not UTF-16LE");
        check(
            b"\xff\xfe\0\xd8a\0",
            ANY,
            "Encoding byte 0x00 at 2 is not UTF-16LE",
        );
        check(
            b"\xff\xfe\0\0",
            ANY,
            "Encoding the file is UTF-32, which the test does not read",
        );
        check(
            b"a\0b\0",
            ANY,
            "Encoding the file looks like UTF-16 without a mark",
        );
        let large = vec![b'a'; MAX_FILE_BYTES + 1];
        check(
            &large,
            ANY,
            "Limit the file has more than 16777216 bytes, which are the most that are edited",
        );
    }

    #[test]
    fn lines_are_counted_by_their_line_feeds() {
        let source = Source::read(b"a\r\nb\nc\r\nd", ANY).unwrap();
        assert_eq!([0, 3, 5, 8].map(|at| source.line(at)), [1, 2, 3, 4]);
    }
}
