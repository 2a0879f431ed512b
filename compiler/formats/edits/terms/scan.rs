//! Tokens of a vendor's Erlang terms, as Erlang itself scans them.
//!
//! Wider than the scanner for generated texts: carriage returns, any escape, letters of Latin-1 in atoms, numbers of any
//! size. What Erlang refuses is refused.

use std::ops::Range;

use crate::FormatError;
use crate::erlang::is_reserved;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme {
    Atom(String),
    /// A word that begins an expression and is no atom: only `fun` stands in terms.
    Reserved,
    /// `None`: more digits than are compared.
    Integer(Option<i128>),
    Float(f64),
    String(String),
    /// Any other sign: the character itself, or [`BITS`], [`BITS_END`] or [`ARROW`].
    Sign(char),
    Dot,
    End,
}

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) lexeme: Lexeme,
    pub(super) range: Range<usize>,
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// Most characters of an atom.
const MAX_ATOM: usize = 255;

/// Stands for `<<`.
pub(super) const BITS: char = '«';
/// Stands for `>>`.
pub(super) const BITS_END: char = '»';
/// Stands for `=>`.
pub(super) const ARROW: char = '⇒';

/// A sign as it is written.
pub(super) fn written(sign: char) -> String {
    match sign {
        BITS => "<<".to_owned(),
        BITS_END => ">>".to_owned(),
        ARROW => "=>".to_owned(),
        other => other.to_string(),
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn error<T>(&self, start: usize, message: impl Into<String>) -> Result<T, FormatError> {
        Err(FormatError::new(start..self.at.max(start), message))
    }

    /// The next token; [`Lexeme::End`] at the end of the text.
    pub(super) fn next(&mut self) -> Result<Token, FormatError> {
        self.skip_layout();
        let start = self.at;
        let lexeme = match self.peek() {
            None => Lexeme::End,
            Some(first) => self.lexeme(first)?,
        };
        Ok(Token {
            lexeme,
            range: start..self.at,
        })
    }

    fn skip_layout(&mut self) {
        loop {
            self.take_while(is_blank);
            if self.peek() != Some('%') {
                return;
            }
            let rest = self.rest();
            self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        }
    }

    fn lexeme(&mut self, first: char) -> Result<Lexeme, FormatError> {
        let start = self.at;
        match first {
            'a'..='z' | 'ß'..='ö' | 'ø'..='ÿ' => {
                let name = self.take_while(is_name);
                if is_reserved(name) && !matches!(name, "else" | "maybe") {
                    return if name == "fun" {
                        Ok(Lexeme::Reserved)
                    } else {
                        self.error(
                            start,
                            format!("`{name}` is a reserved word of Erlang, not a term"),
                        )
                    };
                }
                self.atom(start, name.to_owned())
            }
            'A'..='Z' | '_' | 'À'..='Ö' | 'Ø'..='Þ' => {
                self.take_while(is_name);
                self.error(
                    start,
                    "a variable is no term; an atom that begins like this needs quotes",
                )
            }
            '\'' => {
                let name = self.quoted('\'', "the atom")?;
                self.atom(start, name)
            }
            '"' => self.quoted('"', "the string").map(Lexeme::String),
            '0'..='9' => self.number(),
            '$' => {
                self.advance();
                match self.advance() {
                    None => self.error(start, "`$` is followed by nothing"),
                    Some('\\') => {
                        let code = self.escape(start)?;
                        Ok(Lexeme::Integer(Some(i128::from(code))))
                    }
                    Some(character) => Ok(Lexeme::Integer(Some(i128::from(u32::from(character))))),
                }
            }
            '.' => {
                self.advance();
                match self.peek() {
                    None | Some('%') => Ok(Lexeme::Dot),
                    Some(next) if is_blank(next) => Ok(Lexeme::Dot),
                    Some(_) => self.error(
                        start,
                        "the dot that ends a term has to be followed by a blank or a line end",
                    ),
                }
            }
            _ => {
                self.advance();
                let second = self.peek();
                let sign = match (first, second) {
                    ('<', Some('<')) => BITS,
                    ('>', Some('>')) => BITS_END,
                    ('=', Some('>')) => ARROW,
                    _ => first,
                };
                if sign != first {
                    self.advance();
                    return Ok(Lexeme::Sign(sign));
                }
                if "[]{}(),#-+|:/".contains(first) {
                    return Ok(Lexeme::Sign(first));
                }
                let name = crate::characters::name(first);
                self.error(start, format!("{name} is not part of any term"))
            }
        }
    }

    fn atom(&self, start: usize, name: String) -> Result<Lexeme, FormatError> {
        if name.chars().count() > MAX_ATOM {
            return self.error(start, format!("an atom has at most {MAX_ATOM} characters"));
        }
        Ok(Lexeme::Atom(name))
    }

    fn quoted(&mut self, quote: char, what: &str) -> Result<String, FormatError> {
        let start = self.at;
        self.advance();
        let mut value = String::new();
        loop {
            let at = self.at;
            match self.advance() {
                None => {
                    let message = format!("{what} that begins here is never closed");
                    return Err(FormatError::new(start..start + 1, message));
                }
                Some(character) if character == quote => return Ok(value),
                Some('\\') => {
                    let code = self.escape(at)?;
                    match char::from_u32(code) {
                        Some(character) => value.push(character),
                        None => return self.error(at, "the escape stands for no character"),
                    }
                }
                Some(character) => value.push(character),
            }
        }
    }

    /// The code of what follows a backslash that was taken.
    fn escape(&mut self, start: usize) -> Result<u32, FormatError> {
        let Some(character) = self.advance() else {
            return self.error(start, "the backslash is followed by nothing");
        };
        Ok(match character {
            'n' => 10,
            't' => 9,
            'r' => 13,
            's' => 32,
            'e' => 27,
            'f' => 12,
            'v' => 11,
            'b' => 8,
            'd' => 127,
            '^' => match self.advance() {
                Some(control @ ('@'..='_' | 'a'..='z')) => u32::from(control) & 31,
                Some('?') => 127,
                _ => return self.error(start, "`\\^` is not followed by a control character"),
            },
            '0'..='7' => {
                self.at -= 1;
                let digits = self.digits(8, 3);
                u32::from_str_radix(digits, 8).unwrap_or_default()
            }
            'x' => {
                let braced = self.peek() == Some('{');
                if braced {
                    self.advance();
                }
                let digits = self.digits(16, if braced { 8 } else { 2 });
                let closed = !braced || self.advance() == Some('}');
                if !closed || digits.is_empty() || !braced && digits.len() < 2 {
                    return self.error(start, "`\\x` takes two hexadecimal digits, or `{...}`");
                }
                u32::from_str_radix(digits, 16).unwrap_or(u32::MAX)
            }
            other => u32::from(other),
        })
    }

    fn digits(&mut self, radix: u32, most: usize) -> &'a str {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take(most)
            .take_while(|byte| char::from(*byte).is_digit(radix))
            .count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Digits with single underscores between them.
    fn long_digits(&mut self, radix: u32) -> String {
        let mut digits = self.take_while(|c| c.is_digit(radix)).to_owned();
        loop {
            let mut ahead = self.rest().chars();
            if ahead.next() != Some('_') || !ahead.next().is_some_and(|c| c.is_digit(radix)) {
                return digits;
            }
            self.advance();
            digits.push_str(self.take_while(|c| c.is_digit(radix)));
        }
    }

    fn number(&mut self) -> Result<Lexeme, FormatError> {
        let start = self.at;
        let whole = self.long_digits(10);
        let mut ahead = self.rest().chars();
        let lexeme = match (ahead.next(), ahead.next()) {
            (Some('#'), _) => {
                self.advance();
                let base = whole.parse().ok().filter(|base| (2..=36).contains(base));
                let Some(base) = base else {
                    return self.error(start, "the base of a number is between 2 and 36");
                };
                let digits = self.long_digits(base);
                if digits.is_empty() {
                    return self.error(start, format!("no digit of base {base} follows the `#`"));
                }
                Lexeme::Integer(i128::from_str_radix(&digits, base).ok())
            }
            (Some('.'), Some('0'..='9')) => {
                self.advance();
                let mut number = format!("{whole}.{}", self.long_digits(10));
                let exponent = self.rest().strip_prefix(['e', 'E']);
                let digits = exponent.map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
                if let Some(rest) = digits.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                    let from = self.at;
                    self.at = self.text.len() - rest.len();
                    self.take_while(|c| c.is_ascii_digit());
                    number.push_str(self.text.get(from..self.at).unwrap_or_default());
                }
                match number.parse() {
                    Ok(number) if f64::is_finite(number) => Lexeme::Float(number),
                    _ => return self.error(start, "the number is too large for Erlang"),
                }
            }
            _ => Lexeme::Integer(whole.parse().ok()),
        };
        if self.peek().is_some_and(|c| is_name(c) || c == '#') {
            self.take_while(|c| is_name(c) || c == '#');
            return self.error(start, "a number must not be followed by a letter");
        }
        Ok(lexeme)
    }
}

/// What Erlang takes for white space.
fn is_blank(character: char) -> bool {
    matches!(character, '\0'..=' ' | '\u{80}'..='\u{a0}')
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '@' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ')
}
