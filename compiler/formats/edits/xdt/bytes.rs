//! The encoding of an XML file, which its mark or its declaration names.
//!
//! .NET reads what both name, if they agree; what contradicts itself is refused, because readers disagree about it.

use std::ops::Range;

use crate::edits::source::{Charset, Readable, Source, Unmarked};
use crate::edits::{Refusal, RefusalKind};

/// How new text becomes bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    charset: Charset,
    /// The file declares ASCII.
    ascii: bool,
}

impl Encoding {
    /// Whether the encoding has a character. What it has not becomes a character reference.
    pub(super) fn holds(self, character: char) -> bool {
        character.is_ascii() || !self.ascii && self.charset.holds(character)
    }
}

/// What .NET takes, for a file with these bytes.
pub(crate) fn readable(file: &[u8]) -> Readable {
    let charset = match declaration(file).and_then(|(name, _)| charset(&name)) {
        Some((charset @ (Charset::Windows1252 | Charset::Latin1), _)) => charset,
        _ => Charset::Utf8,
    };
    Readable {
        reader: ".NET",
        utf8_mark: true,
        utf16: true,
        unmarked: Unmarked::Only(charset),
    }
}

/// How a decoded file is written to.
///
/// # Errors
/// The declaration names an encoding that is not read, or another one than the mark.
pub(super) fn encoding(file: &[u8], source: &Source<'_>) -> Result<Encoding, Box<Refusal>> {
    let found = source.charset();
    let plain = Encoding {
        charset: found,
        ascii: false,
    };
    // In UTF-16 the declaration is read from the text.
    let wide = matches!(found, Charset::Utf16Le | Charset::Utf16Be);
    let declared = if wide {
        declared(source.text()).map(|(name, _)| (name, 0..2))
    } else {
        declaration(file)
    };
    let Some((name, range)) = declared else {
        return Ok(plain);
    };
    let refuse = |message: String| {
        Err(Box::new(
            Refusal::new(RefusalKind::Encoding, message).in_file(range.clone()),
        ))
    };
    let Some((meant, ascii)) = charset(&name) else {
        return refuse(format!(
            "the encoding `{name}` is not read; known are utf-8, utf-16 with a mark, windows-1252, iso-8859-1 and us-ascii"
        ));
    };
    let both_wide = wide && matches!(meant, Charset::Utf16Le | Charset::Utf16Be);
    if meant != found && !both_wide {
        return refuse(format!(
            "the file is {} by its mark and declares `{name}`; save it in one encoding",
            found.name()
        ));
    }
    if ascii && !source.text().is_ascii() {
        return refuse("the file declares ASCII and holds other characters".to_owned());
    }
    Ok(Encoding {
        charset: found,
        ascii,
    })
}

/// The encoding that a name stands for, and whether it is ASCII alone.
fn charset(name: &str) -> Option<(Charset, bool)> {
    match name {
        "utf-8" | "utf8" => Some((Charset::Utf8, false)),
        "us-ascii" | "ascii" => Some((Charset::Utf8, true)),
        "windows-1252" | "cp1252" => Some((Charset::Windows1252, false)),
        "iso-8859-1" | "latin1" => Some((Charset::Latin1, false)),
        "utf-16" | "utf-16le" | "unicode" => Some((Charset::Utf16Le, false)),
        "utf-16be" => Some((Charset::Utf16Be, false)),
        _ => None,
    }
}

/// What the declaration of a file in an encoding with ASCII says, and where in the file.
fn declaration(file: &[u8]) -> Option<(String, Range<usize>)> {
    let mark = if file.starts_with(&[0xef, 0xbb, 0xbf]) {
        3
    } else {
        0
    };
    let head = file.get(mark..)?;
    let head = head.get(..head.len().min(400))?;
    let ascii: String = head
        .iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' })
        .collect();
    declared(&ascii).map(|(name, range)| (name, range.start + mark..range.end + mark))
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
    fn what_contradicts_itself_is_refused() {
        let check = |bytes: &[u8], expected: &str| {
            let found = Source::read(bytes, readable(bytes)).and_then(|source| encoding(bytes, &source));
            let found = found.map_err(|refused| refused.message);
            assert!(
                found.clone().is_err_and(|found| found.contains(expected)),
                "{found:?}"
            );
        };
        check(b"\xff\xfe<\0a", "not UTF-16LE");
        check(b"a\0>\0", "without a mark");
        check(b"<a>\xe4</a>", "not UTF-8");
        check(
            b"<?xml version='1.0' encoding='utf-16'?><a/>",
            "declares `utf-16`",
        );
        check(
            b"<?xml version='1.0' encoding='koi8-r'?><a/>",
            "`koi8-r` is not read",
        );
        check(
            b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?><a/>",
            "by its mark",
        );
        check(
            b"<?xml version='1.0' encoding='us-ascii'?><a>\xc3\xa4</a>",
            "declares ASCII",
        );
        let utf16 = "\u{feff}<?xml version='1.0' encoding='utf-8'?><a/>".encode_utf16();
        let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
        check(&utf16, "declares `utf-8`");
    }
}
