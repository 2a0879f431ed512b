//! Words and lines of a batch script by how they look: which characters a line has, what a word is when case and quotes
//! are left out. This file must not know which of them a script may hold.

use std::borrow::Cow;

use super::super::phases::condition;

/// Kinds of characters that a rule is about. Most lines have few of them, and one look tells which.
#[derive(Clone, Copy)]
pub(super) struct Signs(pub(super) u16);

/// No printable ASCII.
pub(super) const ODD: u16 = 1;
pub(super) const CARET: u16 = 1 << 1;
pub(super) const PERCENT: u16 = 1 << 2;
pub(super) const QUOTE: u16 = 1 << 3;
pub(super) const BANG: u16 = 1 << 4;
pub(super) const BRACKET: u16 = 1 << 5;
pub(super) const QUESTION: u16 = 1 << 6;
pub(super) const BACKSLASH: u16 = 1 << 7;
pub(super) const TILDE: u16 = 1 << 8;

impl Signs {
    pub(super) fn of(line: &str) -> Self {
        Self(line.bytes().fold(0, |found, byte| {
            found
                | match byte {
                    b'^' => CARET,
                    b'%' => PERCENT,
                    b'"' => QUOTE,
                    b'!' => BANG,
                    b'(' | b')' => BRACKET,
                    b'?' => QUESTION,
                    b'\\' => BACKSLASH,
                    b'~' => TILDE,
                    b' '..=b'~' => 0,
                    _ => ODD,
                }
        }))
    }

    pub(super) fn has(self, any: u16) -> bool {
        self.0 & any != 0
    }
}

/// The text in lower case; nearly every command is written so.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The text in upper case; nearly every variable is written so.
pub(super) fn upper(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// A word without its quotes.
pub(super) fn without_quotes(word: &str) -> Cow<'_, str> {
    if word.contains('"') {
        Cow::Owned(word.replace('"', ""))
    } else {
        Cow::Borrowed(word)
    }
}

/// Whether the line looks at the result of the command before it.
pub(super) fn handles_errorlevel(line: &str) -> bool {
    let lower = lower(line);
    lower.starts_with("if ") && lower.contains("\"%errorlevel%\"==")
        || lower.starts_with("set \"") && lower.ends_with("=%errorlevel%\"")
}

/// Whether the line looks at what exists.
pub(super) fn handles_existence(line: &str) -> bool {
    condition(line).is_some_and(|(words, _)| words.iter().any(|word| word.eq_ignore_ascii_case("exist")))
}

/// Whether a parenthesis stands outside quotes.
pub(super) fn has_bracket(text: &str) -> bool {
    let mut quoted = false;
    text.bytes().any(|byte| {
        quoted ^= byte == b'"';
        !quoted && matches!(byte, b'(' | b')')
    })
}

/// Whether the text is one quoted word.
pub(super) fn is_quoted(text: &str) -> bool {
    text.strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .is_some_and(|inner| !inner.contains('"'))
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// File name of a program without folder and `.exe`.
pub(super) fn stem(program: &str) -> &str {
    let name = program.rsplit(['\\', '/']).next().unwrap_or(program);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The text with runs of blanks outside quotes made single.
pub(super) fn single_blanks(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    let mut quoted = false;
    for c in text.trim().chars() {
        quoted ^= c == '"';
        if quoted || c != ' ' || !single.ends_with(' ') {
            single.push(c);
        }
    }
    single
}
