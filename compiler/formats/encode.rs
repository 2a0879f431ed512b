//! From the review form of a text (UTF-8, LF, no mark) to the bytes that are deployed, and back.
//!
//! Knows which bytes the consumer of each format reads correctly, and nothing about what the texts mean.

use super::{Cut as _, Format, FormatError, text};

/// How characters become bytes. The names are those of the manifest.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub enum Encoding {
    /// US-ASCII.
    #[serde(rename = "ascii")]
    Ascii,
    /// UTF-8 without a byte order mark.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-8 with a byte order mark.
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    /// UTF-16, little-endian, with a byte order mark.
    #[serde(rename = "utf-16le-bom")]
    Utf16LeBom,
}

/// How lines end. The names are those of the manifest.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    /// Line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

impl Encoding {
    /// The name in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-bom",
            Self::Utf16LeBom => "utf-16le-bom",
        }
    }
}

impl LineEnd {
    /// The name in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lf => "lf",
            Self::CrLf => "crlf",
        }
    }
}

/// The form in which texts of `format` are deployed.
///
/// - Registry files: UTF-16LE with mark; regedit ignored UTF-8 with a mark and UTF-16 without one, and still returned 0
///   (KB 310516).
/// - Batch scripts: ASCII; a mark breaks the first line, and other characters depend on the console's code page.
/// - SQL: UTF-8 without mark, for `sqlcmd -f 65001`.
/// - PowerShell: with mark, because Windows PowerShell 5.1 reads a file without one in the ANSI code page.
/// - nginx, Erlang, JSON, XML, YAML: UTF-8 without mark; nginx, Erlang and strict JSON parsers refuse a mark.
/// - Everything an engineer may open in Notepad has CRLF; nginx and Erlang read both. The HTML page is for browsers.
pub fn deployed_form(format: Format) -> (Encoding, LineEnd) {
    match format {
        Format::Nginx
        | Format::Xdt
        | Format::Erlang
        | Format::Json
        | Format::Yaml
        | Format::JsReferences
        | Format::Sql
        | Format::Markdown => (Encoding::Utf8, LineEnd::CrLf),
        Format::Ini | Format::Cmd | Format::Text => (Encoding::Ascii, LineEnd::CrLf),
        Format::Reg => (Encoding::Utf16LeBom, LineEnd::CrLf),
        Format::PowerShell => (Encoding::Utf8Bom, LineEnd::CrLf),
        Format::Html => (Encoding::Utf8, LineEnd::Lf),
    }
}

const MARK: char = '\u{FEFF}';
const MARK_TEXT: &str = "\u{FEFF}";
const MARK_UTF8: &[u8] = &[0xEF, 0xBB, 0xBF];
const MARK_UTF16LE: &[u8] = &[0xFF, 0xFE];
const MARK_UTF16BE: &[u8] = &[0xFE, 0xFF];

/// The deployed bytes of a review text.
///
/// Refuses a carriage return (the review form has LF only, so one would be doubled or mean something by itself), NUL, a
/// byte order mark, and what the encoding cannot hold. The range of the error is in `text`.
pub fn encode(text: &str, encoding: Encoding, line_end: LineEnd) -> Result<Vec<u8>, FormatError> {
    if holds_refused(text, encoding) {
        refuse(text, encoding)?;
    }
    let mark = match encoding {
        Encoding::Ascii | Encoding::Utf8 => "",
        Encoding::Utf8Bom | Encoding::Utf16LeBom => MARK_TEXT,
    };
    let lines = with_line_ends(mark, text, line_end);
    Ok(match encoding {
        Encoding::Ascii | Encoding::Utf8 | Encoding::Utf8Bom => lines.into_bytes(),
        Encoding::Utf16LeBom => {
            let mut bytes = Vec::with_capacity(lines.len() * 2);
            for unit in lines.encode_utf16() {
                bytes.extend_from_slice(&unit.to_le_bytes());
            }
            bytes
        }
    })
}

/// Whether `text` holds a character that [`refuse`] refuses. Nearly no text does, and looking for bytes is many times
/// faster than looking at characters.
fn holds_refused(text: &str, encoding: Encoding) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr2(b'\r', b'\0', bytes).is_some()
        || !text.is_ascii()
            && (encoding == Encoding::Ascii || memchr::memmem::find(bytes, MARK_UTF8).is_some())
}

/// Refuses the first character that cannot stand in a text of this encoding.
fn refuse(text: &str, encoding: Encoding) -> Result<(), FormatError> {
    for (offset, c) in text.char_indices() {
        let refused = match c {
            '\r' => Some("is not allowed; lines of a review text end with a line feed alone"),
            '\0' => Some("is not text"),
            MARK => Some("is a byte order mark; the encoding decides whether a file has one"),
            _ if encoding == Encoding::Ascii && !c.is_ascii() => Some("is not ASCII"),
            _ => None,
        };
        if let Some(why) = refused {
            return Err(FormatError::new(
                text::at(offset, c),
                format!("{} {why}", text::name(c)),
            ));
        }
    }
    Ok(())
}

/// `text` with its line ends, behind `mark`.
fn with_line_ends(mark: &str, text: &str, line_end: LineEnd) -> String {
    if line_end == LineEnd::Lf {
        return [mark, text].concat();
    }
    let line_feeds = memchr::memchr_iter(b'\n', text.as_bytes());
    let mut lines = String::with_capacity(mark.len() + text.len() + line_feeds.clone().count());
    lines.push_str(mark);
    let mut from = 0;
    for end in line_feeds {
        lines.push_str(text.cut(from..end));
        lines.push_str("\r\n");
        from = end + 1;
    }
    lines.push_str(text.cut(from..));
    lines
}

/// A text read back from deployed bytes. Encoding it again gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The review form.
    pub text: String,
    /// How it was encoded; [`Encoding::Ascii`] where UTF-8 without mark would give the same bytes.
    pub encoding: Encoding,
    /// How its lines ended; [`LineEnd::Lf`] when there was no line end.
    pub line_end: LineEnd,
}

/// Reads deployed bytes back.
///
/// Refuses what [`encode`] never writes: big-endian or unmarked UTF-16, invalid sequences, a second mark, NUL, a bare
/// carriage return, and lines that end in different ways. The range of the error is in `bytes`, except for line ends,
/// where it is in the text before line ends were changed.
pub fn decode(bytes: &[u8]) -> Result<Decoded, FormatError> {
    if bytes.starts_with(MARK_UTF16BE) {
        return Err(FormatError::new(0..2, "the text is big-endian UTF-16"));
    }
    let (raw, encoding) = if let Some(rest) = bytes.strip_prefix(MARK_UTF16LE) {
        (utf16(rest)?, Encoding::Utf16LeBom)
    } else if let Some(rest) = bytes.strip_prefix(MARK_UTF8) {
        (utf8(rest, MARK_UTF8.len())?, Encoding::Utf8Bom)
    } else {
        let raw = utf8(bytes, 0)?;
        let encoding = if raw.is_ascii() {
            Encoding::Ascii
        } else {
            Encoding::Utf8
        };
        (raw, encoding)
    };
    if let Some((offset, c)) = raw.char_indices().find(|&(_, c)| matches!(c, '\0' | MARK)) {
        let why = if c == '\0' {
            "is not text; is this UTF-16 without a byte order mark"
        } else {
            "is a second byte order mark"
        };
        return Err(FormatError::new(
            text::at(offset, c),
            format!("{} {why}", text::name(c)),
        ));
    }
    let line_end = if raw.contains("\r\n") {
        LineEnd::CrLf
    } else {
        LineEnd::Lf
    };
    let mut previous = '\0';
    let mut characters = raw.char_indices().peekable();
    while let Some((offset, c)) = characters.next() {
        if c == '\r' && characters.peek().map(|&(_, next)| next) != Some('\n') {
            return Err(FormatError::new(
                offset..offset + 1,
                "a carriage return is not followed by a line feed",
            ));
        }
        if c == '\n' && line_end == LineEnd::CrLf && previous != '\r' {
            return Err(FormatError::new(
                offset..offset + 1,
                "a line ends without the carriage return other lines have",
            ));
        }
        previous = c;
    }
    Ok(Decoded {
        text: raw.replace("\r\n", "\n"),
        encoding,
        line_end,
    })
}

fn utf8(bytes: &[u8], skipped: usize) -> Result<String, FormatError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let start = skipped + error.valid_up_to();
            Err(FormatError::new(start..start + 1, "the bytes are not UTF-8"))
        }
    }
}

fn utf16(bytes: &[u8]) -> Result<String, FormatError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        let end = MARK_UTF16LE.len() + bytes.len();
        return Err(FormatError::new(
            end - 1..end,
            "half a UTF-16 unit is left at the end",
        ));
    }
    let mut text = String::with_capacity(pairs.len());
    let mut offset = MARK_UTF16LE.len();
    for unit in char::decode_utf16(pairs.iter().map(|&pair| u16::from_le_bytes(pair))) {
        let Ok(c) = unit else {
            return Err(FormatError::new(
                offset..offset + 2,
                "half of a UTF-16 surrogate pair is missing",
            ));
        };
        text.push(c);
        offset += c.len_utf16() * 2;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ENCODINGS: [Encoding; 4] = [
        Encoding::Ascii,
        Encoding::Utf8,
        Encoding::Utf8Bom,
        Encoding::Utf16LeBom,
    ];
    const LINE_ENDS: [LineEnd; 2] = [LineEnd::Lf, LineEnd::CrLf];

    fn check(text: &str, encoding: Encoding, line_end: LineEnd, expected: &[u8]) {
        let bytes = encode(text, encoding, line_end).unwrap();
        assert_eq!(bytes, expected, "{text:?}");
        assert_eq!(decode(&bytes).unwrap().text, text);
    }

    #[test]
    fn bytes_are_those_the_consumer_reads() {
        check("W\n", Encoding::Ascii, LineEnd::CrLf, b"W\r\n");
        check("ü\n", Encoding::Utf8, LineEnd::Lf, b"\xC3\xBC\n");
        check("W\n", Encoding::Utf8Bom, LineEnd::Lf, b"\xEF\xBB\xBFW\n");
        check("W\n", Encoding::Utf16LeBom, LineEnd::CrLf, b"\xFF\xFEW\0\r\0\n\0");
        check(
            "\u{1F600}",
            Encoding::Utf16LeBom,
            LineEnd::CrLf,
            b"\xFF\xFE\x3D\xD8\x00\xDE",
        );
    }

    #[test]
    fn what_is_no_review_text_is_refused() {
        for (text, at) in [("a\rb", 1), ("a\r\n", 1), ("a\0", 1), ("\u{FEFF}a", 0), ("aü", 1)] {
            assert_eq!(
                encode(text, Encoding::Ascii, LineEnd::Lf)
                    .unwrap_err()
                    .range
                    .start,
                at,
                "{text:?}"
            );
        }
    }

    #[test]
    fn bytes_never_written_are_refused() {
        let bad: [&[u8]; 10] = [
            b"\xFE\xFF\0W",
            b"W\0\n\0",
            b"\xFF\xFEW",
            b"\xFF\xFE\x3D\xD8",
            b"\xFF\xFE\x00\xDE",
            b"\xFF",
            b"\xEF\xBB\xBF\xEF\xBB\xBFW",
            b"a\rb\n",
            b"a\r\nb\n",
            b"a\nb\r\n",
        ];
        for bytes in bad {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn names_are_those_of_the_manifest() {
        for encoding in ENCODINGS {
            assert_eq!(serde_json::to_value(encoding).unwrap(), encoding.name());
        }
        for line_end in LINE_ENDS {
            assert_eq!(serde_json::to_value(line_end).unwrap(), line_end.name());
        }
    }

    #[test]
    fn only_html_keeps_line_feeds() {
        let lf: Vec<&str> = Format::ALL
            .iter()
            .filter(|&&format| deployed_form(format).1 == LineEnd::Lf)
            .map(|format| format.name())
            .collect();
        assert_eq!(lf, ["html"]);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "(\\PC|\n){0,30}", which in 0..4_usize, crlf in any::<bool>()) {
            let (encoding, line_end) = (ENCODINGS[which], LINE_ENDS[usize::from(crlf)]);
            if let Ok(bytes) = encode(&text, encoding, line_end) {
                let decoded = decode(&bytes).unwrap();
                prop_assert_eq!(&decoded.text, &text);
                prop_assert_eq!(encode(&decoded.text, decoded.encoding, decoded.line_end).unwrap(), bytes);
            } else {
                prop_assert!(!text.is_ascii() && encoding == Encoding::Ascii || text.contains(MARK));
            }
        }

        /// Looking for bytes refuses what looking at characters refuses, and lines end as they would one by one.
        #[test]
        fn bytes_say_what_characters_say(
            text in "([a-z\n]|[\r\u{0}\u{FEFF}]|[\u{FEFE}\u{FFF}é]){0,6}",
            which in 0..4_usize,
            crlf in any::<bool>(),
        ) {
            let (encoding, line_end) = (ENCODINGS[which], LINE_ENDS[usize::from(crlf)]);
            prop_assert_eq!(holds_refused(&text, encoding), refuse(&text, encoding).is_err());
            let replaced = if crlf { text.replace('\n', "\r\n") } else { text.clone() };
            prop_assert_eq!(with_line_ends(MARK_TEXT, &text, line_end), format!("{MARK}{replaced}"));
        }

        #[test]
        fn decoded_bytes_can_be_written_again(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'a'), Just(0xFF), Just(0xFE)], 0..12)) {
            if let Ok(decoded) = decode(&bytes) {
                prop_assert_eq!(encode(&decoded.text, decoded.encoding, decoded.line_end).unwrap(), bytes);
            }
        }
    }
}
