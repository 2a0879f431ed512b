//! Words and lines of a batch script by how they look: which characters a line has, what a word is when case and quotes
//! are left out. This file must not know which of them a script may hold.

use std::borrow::Cow;

use super::super::phases::{Question, condition, first_word};

/// Kinds of characters that a rule is about. Most lines have few of them, and one look tells which.
#[derive(Clone, Copy, Default)]
pub(super) struct Signs(pub(super) u16);

/// No printable ASCII.
pub(super) const ODD: u16 = 1;
pub(super) const CARET: u16 = 1 << 1;
pub(super) const PERCENT: u16 = 1 << 2;
/// What separates commands or redirects.
pub(super) const SEPARATOR: u16 = 1 << 3;
pub(super) const BANG: u16 = 1 << 4;
pub(super) const BRACKET: u16 = 1 << 5;
pub(super) const QUESTION: u16 = 1 << 6;
pub(super) const BACKSLASH: u16 = 1 << 7;
pub(super) const TILDE: u16 = 1 << 8;

/// The kind of every byte.
static KINDS: [u16; 256] = kinds();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would say so"
)]
const fn kinds() -> [u16; 256] {
    let mut kinds = [ODD; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        kinds[byte as usize] = match byte {
            b'^' => CARET,
            b'%' => PERCENT,
            b'&' | b'|' | b'<' | b'>' => SEPARATOR,
            b'!' => BANG,
            b'(' | b')' => BRACKET,
            b'?' => QUESTION,
            b'\\' => BACKSLASH,
            b'~' => TILDE,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}

impl Signs {
    pub(super) fn of(line: &str) -> Self {
        let kind = |byte: u8| KINDS.get(usize::from(byte)).copied().unwrap_or(ODD);
        Self(line.bytes().fold(0, |found, byte| found | kind(byte)))
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
    let inside = word.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
    let word = inside.unwrap_or(word);
    if word.contains('"') {
        Cow::Owned(word.replace('"', ""))
    } else {
        Cow::Borrowed(word)
    }
}

/// The command of a line behind its conditions, by name.
#[derive(Clone, Copy)]
pub(super) struct BareCommand {
    pub(super) name: Name,
    /// Bytes of the conditions before it.
    conditions: usize,
}

/// Commands that take a text as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Echo,
    /// `echo.`
    EmptyEcho,
    Exit,
    Call,
    Other,
}

impl BareCommand {
    pub(super) fn of(line: &str) -> Self {
        let mut command = line;
        while let Some(condition) = condition(command) {
            command = condition.command;
        }
        let word = first_word(command).0;
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let name = match word.len() {
            4 if is("echo") => Name::Echo,
            4 if is("exit") => Name::Exit,
            4 if is("call") => Name::Call,
            5 if is("echo.") => Name::EmptyEcho,
            _ => Name::Other,
        };
        Self {
            name,
            conditions: line.len() - command.len(),
        }
    }

    /// Whether what stands at a place of the line may hold blanks without quotes: `exit /b %X%` and the text of `echo`,
    /// where nothing can be split.
    pub(super) fn takes_text_at(self, place: usize) -> bool {
        place >= self.conditions && matches!(self.name, Name::Echo | Name::EmptyEcho | Name::Exit)
    }
}

/// Whether the line looks at the result of the command before it.
pub(super) fn handles_errorlevel(line: &str) -> bool {
    let begins = |text: &str, with: &str| {
        text.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    if begins(line, "if ") {
        let quotes = memchr::memchr_iter(b'"', line.as_bytes());
        return quotes
            .filter_map(|at| line.get(at..))
            .any(|from| begins(from, "\"%errorlevel%\"=="));
    }
    let end = "=%errorlevel%\"";
    let at_end = line.len().checked_sub(end.len()).and_then(|at| line.get(at..));
    begins(line, "set \"") && at_end.is_some_and(|found| found.eq_ignore_ascii_case(end))
}

/// Whether the line looks at what exists.
pub(super) fn handles_existence(line: &str) -> bool {
    condition(line).is_some_and(|condition| condition.question == Question::Exist)
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
