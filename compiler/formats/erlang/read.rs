//! Reader of Erlang terms: all of a vendor's file as `file:consult/1` reads it, or one term of a text under review.
//!
//! A text under review may hold a part of what Erlang accepts, and that part is read the same way. Refused beyond what
//! Erlang refuses is what it would read differently from what the writer of a template meant, or what only some versions
//! of Erlang read: characters outside ASCII, carriage returns and line breaks inside quotes, escapes that make control
//! characters or that drop the backslash (`"C:\new\Program"`), improper lists, several terms, underscores in numbers.
//! This file must not know what terms mean.

use std::collections::BTreeSet;

use super::scan::{ARROW, BITS, BITS_END, Lexeme, Scanner, Token, mistakes, written};
use super::{Term, TermKind};
use crate::FormatError;

/// Deepest nesting of lists, tuples and maps that is read in a text under review.
pub const MAX_DEPTH: usize = 64;

/// Deepest nesting that is read in a vendor's file.
const MAX_VENDOR_DEPTH: usize = 128;

/// Most terms that are read.
const MAX_TERMS: usize = 1_000_000;

/// Reads a text that holds exactly one term, ended by a dot.
///
/// # Errors
/// Every bad token; when the tokens are good, the first error of structure, because what follows it is guesswork.
pub fn read(text: &str) -> Result<Term, Vec<FormatError>> {
    let errors = mistakes(text);
    if !errors.is_empty() {
        return Err(errors);
    }
    let term = Parser::new(text, true).and_then(|mut parser| parser.only_term(text));
    term.map_err(|unread| match unread {
        Unread::Mistake(error) | Unread::TooMuch(error) => vec![error],
    })
}

/// Why a file is not read.
#[derive(Debug)]
pub(crate) enum Unread {
    Mistake(FormatError),
    TooMuch(FormatError),
}

impl From<FormatError> for Unread {
    fn from(error: FormatError) -> Self {
        Self::Mistake(error)
    }
}

/// Every term of a vendor's file.
pub(crate) fn consult(text: &str) -> Result<Vec<Term>, Unread> {
    let mut parser = Parser::new(text, false)?;
    let mut terms = Vec::new();
    while parser.next.lexeme != Lexeme::End {
        terms.push(parser.term(0)?);
        if parser.next.lexeme != Lexeme::Dot {
            return Err(parser.unexpected("the dot that ends the term").into());
        }
        parser.advance()?;
    }
    Ok(terms)
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    next: Token,
    terms: usize,
    /// Whether the text is one under review.
    strict: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, strict: bool) -> Result<Self, Unread> {
        let mut scanner = Scanner::new(text, strict);
        let next = scanner.next()?;
        Ok(Self {
            scanner,
            next,
            terms: 0,
            strict,
        })
    }

    fn only_term(&mut self, text: &str) -> Result<Term, Unread> {
        if self.next.lexeme == Lexeme::End {
            return Err(FormatError::new(0..text.len(), "the file holds no term").into());
        }
        let term = self.term(0)?;
        match self.next.lexeme {
            Lexeme::Dot => self.advance()?,
            Lexeme::End => {
                let message = "the term has to be ended by a dot";
                return Err(FormatError::new(self.next.range.clone(), message).into());
            }
            Lexeme::Atom(_)
            | Lexeme::Reserved
            | Lexeme::Integer(_)
            | Lexeme::Float(_)
            | Lexeme::String(_)
            | Lexeme::Sign(_) => return Err(self.unexpected("the dot that ends the term").into()),
        };
        if self.next.lexeme == Lexeme::End {
            Ok(term)
        } else {
            Err(self
                .unexpected("the end of the file, it has to hold one term")
                .into())
        }
    }

    fn advance(&mut self) -> Result<Token, FormatError> {
        let next = self.scanner.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn take(&mut self, sign: char) -> Result<Option<Token>, FormatError> {
        if self.next.lexeme == Lexeme::Sign(sign) {
            return self.advance().map(Some);
        }
        Ok(None)
    }

    fn expect(&mut self, sign: char) -> Result<Token, FormatError> {
        match self.take(sign)? {
            Some(token) => Ok(token),
            None => Err(self.unexpected(&format!("`{}`", written(sign)))),
        }
    }

    fn unexpected(&self, expected: &str) -> FormatError {
        let found = match &self.next.lexeme {
            Lexeme::Atom(_) | Lexeme::Reserved => "an atom".to_owned(),
            Lexeme::Integer(_) | Lexeme::Float(_) => "a number".to_owned(),
            Lexeme::String(_) => "a string".to_owned(),
            Lexeme::Sign(sign) => format!("`{}`", written(*sign)),
            Lexeme::Dot => "the dot".to_owned(),
            Lexeme::End => String::new(),
        };
        let message = if self.next.lexeme == Lexeme::End {
            format!("expected {expected}, but the file ends")
        } else if self.strict {
            format!("expected {expected}, found {found}")
        } else {
            format!("expected {expected}")
        };
        FormatError::new(self.next.range.clone(), message)
    }

    fn term(&mut self, depth: usize) -> Result<Term, Unread> {
        self.terms += 1;
        let start = self.next.range.start;
        let deepest = if self.strict { MAX_DEPTH } else { MAX_VENDOR_DEPTH };
        if self.next.lexeme != Lexeme::End && (depth > deepest || self.terms > MAX_TERMS) {
            let message = if depth > deepest {
                format!("terms are nested deeper than {deepest} levels")
            } else {
                format!("the file has more than {MAX_TERMS} terms")
            };
            let error = FormatError::new(self.next.range.clone(), message);
            return Err(Unread::TooMuch(error));
        }
        let is_term = match self.next.lexeme {
            Lexeme::Atom(_)
            | Lexeme::Reserved
            | Lexeme::Integer(_)
            | Lexeme::Float(_)
            | Lexeme::String(_)
            | Lexeme::Sign('[' | '{' | BITS | '#' | '-' | '+') => true,
            Lexeme::Sign('(') => !self.strict,
            Lexeme::Sign(_) | Lexeme::Dot | Lexeme::End => false,
        };
        if !is_term {
            return Err(self.unexpected("a term").into());
        }
        let token = self.advance()?;
        let mut end = token.range.end;
        let kind = match token.lexeme {
            Lexeme::Atom(name) => TermKind::Atom(name),
            Lexeme::Integer(Some(number)) => TermKind::Integer(number),
            Lexeme::Float(number) => TermKind::Float(number),
            Lexeme::String(mut text) => {
                // Erlang joins strings that stand side by side.
                while let Lexeme::String(more) = &self.next.lexeme {
                    text.push_str(more);
                    end = self.advance()?.range.end;
                }
                TermKind::String(text)
            }
            Lexeme::Sign('(') => {
                let inside = self.term(depth + 1)?;
                end = self.expect(')')?.range.end;
                inside.kind
            }
            Lexeme::Sign(sign @ ('-' | '+')) => {
                let is_number = matches!(self.next.lexeme, Lexeme::Integer(_) | Lexeme::Float(_));
                let is_signed = matches!(self.next.lexeme, Lexeme::Sign('-' | '+'));
                if is_signed || self.strict && !is_number {
                    return Err(self.unexpected("a number").into());
                }
                let inside = self.term(self.inside(depth))?;
                end = inside.range.end;
                match inside.kind {
                    TermKind::Integer(number) if sign == '-' => TermKind::Integer(-number),
                    TermKind::Float(number) if sign == '-' => TermKind::Float(-number),
                    kind @ (TermKind::Integer(_) | TermKind::Float(_)) => kind,
                    TermKind::Other(parts) if parts.is_empty() => TermKind::Other(parts),
                    TermKind::Atom(_)
                    | TermKind::String(_)
                    | TermKind::Binary(_)
                    | TermKind::List(_)
                    | TermKind::Tuple(_)
                    | TermKind::Map(_)
                    | TermKind::Other(_) => {
                        let message = format!("expected a number behind `{sign}`");
                        return Err(FormatError::new(inside.range, message).into());
                    }
                }
            }
            Lexeme::Sign('[') => self.list(depth, &mut end)?,
            Lexeme::Sign('{') => {
                let mut elements = Vec::new();
                if let Some(close) = self.take('}')? {
                    end = close.range.end;
                } else {
                    loop {
                        elements.push(self.term(depth + 1)?);
                        if self.is_last('}', &mut end)? {
                            break;
                        }
                    }
                }
                TermKind::Tuple(elements)
            }
            Lexeme::Sign(BITS) => self.binary(depth, &mut end)?,
            Lexeme::Sign('#') => self.map(depth, &mut end)?,
            Lexeme::Reserved => {
                self.atom_of_function()?;
                self.expect(':')?;
                self.atom_of_function()?;
                self.expect('/')?;
                end = self.number("how many arguments the function has")?.range.end;
                TermKind::Other(Vec::new())
            }
            Lexeme::Integer(None) | Lexeme::Sign(_) | Lexeme::Dot | Lexeme::End => {
                TermKind::Other(Vec::new())
            }
        };
        Ok(Term {
            kind,
            range: start..end,
        })
    }

    /// The depth of a number behind a sign, or in a binary: in a text under review nothing else can stand there.
    fn inside(&self, depth: usize) -> usize {
        if self.strict { depth } else { depth + 1 }
    }

    /// Takes a comma, or the closing sign, whose end goes to `end`.
    fn is_last(&mut self, close: char, end: &mut usize) -> Result<bool, FormatError> {
        if self.take(',')?.is_some() {
            return Ok(false);
        }
        let Some(token) = self.take(close)? else {
            let close = written(close);
            return Err(self.unexpected(&if self.strict {
                format!("`,` or `{close}`")
            } else {
                format!("`{close}`")
            }));
        };
        *end = token.range.end;
        Ok(true)
    }

    fn atom_of_function(&mut self) -> Result<(), FormatError> {
        self.atom("`module:function/arity` behind `fun`")
    }

    fn atom(&mut self, expected: &str) -> Result<(), FormatError> {
        if matches!(self.next.lexeme, Lexeme::Atom(_)) {
            self.advance().map(drop)
        } else {
            Err(self.unexpected(expected))
        }
    }

    fn number(&mut self, expected: &str) -> Result<Token, FormatError> {
        if matches!(self.next.lexeme, Lexeme::Integer(_)) {
            self.advance()
        } else {
            Err(self.unexpected(expected))
        }
    }

    fn list(&mut self, depth: usize, end: &mut usize) -> Result<TermKind, Unread> {
        let mut elements = Vec::new();
        if let Some(close) = self.take(']')? {
            *end = close.range.end;
            return Ok(TermKind::List(elements));
        }
        loop {
            elements.push(self.term(depth + 1)?);
            if self.strict || self.take('|')?.is_none() {
                if self.is_last(']', end)? {
                    return Ok(TermKind::List(elements));
                }
                continue;
            }
            let tail = self.term(depth + 1)?;
            *end = self.expect(']')?.range.end;
            if let TermKind::List(more) = tail.kind {
                elements.extend(more);
                return Ok(TermKind::List(elements));
            }
            elements.push(tail);
            return Ok(TermKind::Other(elements));
        }
    }

    fn binary(&mut self, depth: usize, end: &mut usize) -> Result<TermKind, Unread> {
        let mut bytes = Some(Vec::new());
        if let Some(close) = self.take(BITS_END)? {
            *end = close.range.end;
            return Ok(TermKind::Binary(Vec::new()));
        }
        loop {
            if self.strict && !matches!(self.next.lexeme, Lexeme::String(_) | Lexeme::Integer(_)) {
                return Err(self.unexpected("a string or a byte").into());
            }
            let part = self.term(self.inside(depth))?;
            let mut plain = true;
            if !self.strict && self.take(':')?.is_some() {
                plain = false;
                self.term(depth + 1)?;
            }
            if !self.strict && self.take('/')?.is_some() {
                plain = false;
                self.types()?;
            }
            bytes = match (part.kind, bytes) {
                (TermKind::String(text), Some(mut bytes)) if plain => {
                    let mut units = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
                    units
                        .all(|unit| unit.map(|unit| bytes.push(unit)).is_some())
                        .then_some(bytes)
                }
                (TermKind::Integer(number), Some(mut bytes)) if plain => match u8::try_from(number) {
                    Ok(byte) => {
                        bytes.push(byte);
                        Some(bytes)
                    }
                    Err(_) if self.strict => {
                        let message = format!("a byte is at most 255, Erlang would cut {number} off");
                        return Err(FormatError::new(part.range, message).into());
                    }
                    Err(_) => None,
                },
                (TermKind::Atom(_) | TermKind::List(_) | TermKind::Tuple(_) | TermKind::Map(_), _) => {
                    let message = "a binary holds strings and numbers";
                    return Err(FormatError::new(part.range, message).into());
                }
                _ => None,
            };
            if self.is_last(BITS_END, end)? {
                return Ok(bytes.map_or(TermKind::Other(Vec::new()), TermKind::Binary));
            }
        }
    }

    /// `utf8`, `integer-size:…-unit:8`.
    fn types(&mut self) -> Result<(), FormatError> {
        loop {
            self.atom("the type of a part of the binary")?;
            if self.take(':')?.is_some() {
                self.number("a number")?;
            }
            if self.take('-')?.is_none() {
                return Ok(());
            }
        }
    }

    fn map(&mut self, depth: usize, end: &mut usize) -> Result<TermKind, Unread> {
        self.expect('{')?;
        let mut pairs = Vec::new();
        let mut keys = BTreeSet::new();
        if let Some(close) = self.take('}')? {
            *end = close.range.end;
            return Ok(TermKind::Map(pairs));
        }
        loop {
            let key = self.term(depth + 1)?;
            self.expect(ARROW)?;
            if self.strict && !keys.insert(key.to_string()) {
                let message = "the key is given twice in one map, and the first one is ignored";
                return Err(FormatError::new(key.range, message).into());
            }
            pairs.push((key, self.term(depth + 1)?));
            if self.is_last('}', end)? {
                return Ok(TermKind::Map(pairs));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `text` and compares all errors as `range message`.
    fn check(text: &str, expected: &[&str]) {
        let errors = read(text).err().unwrap_or_default();
        let found: Vec<String> = errors
            .into_iter()
            .map(|error| format!("{:?} {error}", error.range))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_bad_token_is_reported() {
        check(
            "[EXTERNAL, \"C:\\new\\Program\", end, 1_0, \u{e9}, \"a\"\"b\"\r].",
            &[
                "1..9 `EXTERNAL` is a variable, write `'EXTERNAL'` for an atom",
                "14..16 `\\n` stands for character 10, which is not printable ASCII; a backslash is written `\\\\`",
                "29..32 `end` is a reserved word, write `'end'`",
                "34..37 `1_0` is not a number that every Erlang reads",
                "39..41 `\u{e9}` (U+00E9) cannot stand in an Erlang file: the file has to stay ASCII",
                "46..49 two strings need a blank between them, newer versions of Erlang refuse them without",
                "49..50 the carriage return (U+000D) cannot stand in an Erlang file: lines of a text under review end in a line feed alone",
            ],
        );
    }

    #[test]
    fn the_frame_of_the_file_is_checked() {
        check("", &["0..0 the file holds no term"]);
        check("[a]\n", &["4..4 the term has to be ended by a dot"]);
        check("[a,].\n", &["3..4 expected a term, found `]`"]);
        check("[a b].\n", &["3..4 expected `,` or `]`, found an atom"]);
        check("[a|b].\n", &["2..3 expected `,` or `]`, found `|`"]);
        check(
            "[a]. [b].\n",
            &["5..6 expected the end of the file, it has to hold one term, found `[`"],
        );
        check(
            "\u{feff}[a].\n",
            &[
                "0..3 the byte order mark (U+FEFF) cannot stand in an Erlang file: a reader of the file would not see it",
            ],
        );
        check("[\"a].\n", &["1..2 a string that begins here is never closed"]);
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| format!("{}{}.", "[".repeat(depth), "]".repeat(depth));
        check(&nested(MAX_DEPTH + 1), &[]);
        check(
            &nested(MAX_DEPTH + 2),
            &["65..66 terms are nested deeper than 64 levels"],
        );
        check(
            &"[".repeat(200_000),
            &["65..66 terms are nested deeper than 64 levels"],
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[\\[\\]{}(),.|#<>=a-eA\"'\\\\%$0-9x_\n\u{e9}-]{0,60}") {
            for error in read(&text).err().into_iter().flatten() {
                prop_assert!(text.get(error.range.clone()).is_some());
            }
        }
    }
}
