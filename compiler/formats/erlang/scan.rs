//! Tokens of Erlang terms, as Erlang scans them or as a text under review may write them.
//!
//! A vendor's file holds what Erlang takes: carriage returns, any escape, letters of Latin-1 in atoms, numbers of any
//! size. What is refused in a text under review beyond that is listed in `read`. This file must not know how tokens
//! become terms.

use std::ops::Range;

use crate::{Cut as _, FormatError, characters};

/// Longest atom the Erlang runtime accepts, in characters.
pub(super) const MAX_ATOM: usize = 255;

/// Words the Erlang scanner reserves; `else` and `maybe` from OTP 25 on, where a feature is enabled.
const RESERVED: &[&str] = &[
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "cond",
    "div", "else", "end", "fun", "if", "let", "maybe", "not", "of", "or", "orelse", "receive", "rem", "try",
    "when", "xor",
];

/// Whether a name is reserved, so that it is an atom only in quotes.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme {
    Atom(String),
    /// A word that begins an expression and is no atom: only `fun` stands in terms, and in none under review.
    Reserved,
    /// `None`: more digits than are compared, in no text under review.
    Integer(Option<i128>),
    Float(f64),
    String(String),
    /// Any other sign: the character itself, or one of the constants below.
    Sign(char),
    Dot,
    End,
}

/// Stands for `<<`.
pub(super) const BITS: char = '«';
/// Stands for `>>`.
pub(super) const BITS_END: char = '»';
/// Stands for `=>`.
pub(super) const ARROW: char = '⇒';
/// Stands for `:=`.
const ASSIGN: char = '≔';

/// A sign as it is written.
pub(super) fn written(sign: char) -> String {
    match sign {
        BITS => "<<".to_owned(),
        BITS_END => ">>".to_owned(),
        ARROW => "=>".to_owned(),
        ASSIGN => ":=".to_owned(),
        other => other.to_string(),
    }
}

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) lexeme: Lexeme,
    pub(super) range: Range<usize>,
}

/// Every token that may not stand in a text under review.
pub(super) fn mistakes(text: &str) -> Vec<FormatError> {
    let mut scanner = Scanner::new(text, true);
    let mut errors = Vec::new();
    let mut string_end = None;
    loop {
        scanner.skip_layout(&mut errors);
        let start = scanner.at;
        match scanner.token() {
            Ok(Token {
                lexeme: Lexeme::End, ..
            }) => return errors,
            Ok(Token { lexeme, range }) => {
                let is_string = matches!(lexeme, Lexeme::String(_));
                if is_string && string_end == Some(start) {
                    errors.push(FormatError::new(
                        range.clone(),
                        "two strings need a blank between them, newer versions of Erlang refuse them without",
                    ));
                }
                string_end = is_string.then_some(range.end);
            }
            Err(error) => {
                if scanner.at == start {
                    scanner.advance();
                }
                errors.push(error);
            }
        }
    }
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Whether the text is one under review.
    strict: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, strict: bool) -> Self {
        Self { text, at: 0, strict }
    }

    fn rest(&self) -> &'a str {
        self.text.cut(self.at..)
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
        rest.cut(..end)
    }

    /// An error from `start` up to here, or over the next character if nothing was taken.
    fn error<T>(&self, start: usize, message: impl Into<String>) -> Result<T, FormatError> {
        let range = if self.at > start {
            start..self.at
        } else {
            characters::range_at(self.text, start)
        };
        Err(FormatError::new(range, message))
    }

    /// What is said of a text under review, or what of a vendor's file.
    fn either<T>(&self, reviewed: T, vendor: T) -> T {
        if self.strict { reviewed } else { vendor }
    }

    /// The next token; [`Lexeme::End`] at the end of the text.
    pub(super) fn next(&mut self) -> Result<Token, FormatError> {
        // Mistakes in comments are told once, by `mistakes`.
        self.skip_layout(&mut Vec::new());
        self.token()
    }

    fn token(&mut self) -> Result<Token, FormatError> {
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

    fn skip_layout(&mut self, errors: &mut Vec<FormatError>) {
        loop {
            let strict = self.strict;
            self.take_while(|c| is_blank(c, strict));
            if self.peek() != Some('%') {
                return;
            }
            let (start, rest) = (self.at, self.rest());
            self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
            if self.strict {
                let line = self.text.cut(start..self.at);
                let why =
                    |c| characters::not_layout(c).or(characters::not_plain_ascii(c).filter(|_| c != '\t'));
                errors.extend(characters::first_refused(
                    line,
                    start,
                    "a comment of an Erlang file",
                    why,
                ));
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let strict = self.strict;
        self.take_while(|c| is_name(c, strict))
    }

    fn lexeme(&mut self, first: char) -> Result<Lexeme, FormatError> {
        let start = self.at;
        match first {
            '\'' => {
                let what = self.either("a quoted atom", "the atom");
                let name = self.quoted('\'', what)?;
                self.atom(start, name)
            }
            '"' => {
                let what = self.either("a string", "the string");
                self.quoted('"', what).map(Lexeme::String)
            }
            '0'..='9' => self.number(),
            '$' => {
                self.advance();
                self.character(start)
            }
            '.' => {
                self.advance();
                let strict = self.strict;
                if self
                    .peek()
                    .is_none_or(|next| next == '%' || is_blank(next, strict))
                {
                    return Ok(Lexeme::Dot);
                }
                let by = self.either("white space", "a blank or a line end");
                self.error(
                    start,
                    format!("the dot that ends a term has to be followed by {by}"),
                )
            }
            'a'..='z' | 'A'..='Z' | '_' => self.word(start, first),
            _ if !self.strict && is_latin_1(first) => self.word(start, first),
            _ => self.sign(start, first),
        }
    }

    /// Reads a word without quotes: an atom, unless it is reserved or a variable.
    fn word(&mut self, start: usize, first: char) -> Result<Lexeme, FormatError> {
        let name = self.name();
        if first == '_' || first.is_uppercase() {
            let message = self.either(
                format!("`{name}` is a variable, write `'{name}'` for an atom"),
                "a variable is no term; an atom that begins like this needs quotes".to_owned(),
            );
            return self.error(start, message);
        }
        let is_new = matches!(name, "else" | "maybe");
        match is_reserved(name) && (self.strict || !is_new) {
            false => self.atom(start, name.to_owned()),
            true if name == "fun" && !self.strict => Ok(Lexeme::Reserved),
            true => {
                let message = self.either(
                    format!("`{name}` is a reserved word, write `'{name}'`"),
                    format!("`{name}` is a reserved word of Erlang, not a term"),
                );
                self.error(start, message)
            }
        }
    }

    fn sign(&mut self, start: usize, first: char) -> Result<Lexeme, FormatError> {
        let signs = [("<<", BITS), (">>", BITS_END), ("=>", ARROW), (":=", ASSIGN)];
        // In a vendor's file nothing is read behind the colon, which is wrong already.
        let known = signs.iter().filter(|(_, sign)| self.strict || *sign != ASSIGN);
        for (text, sign) in known {
            if self.rest().starts_with(text) {
                self.at += text.len();
                return Ok(Lexeme::Sign(*sign));
            }
        }
        if "[]{}(),#-+|:/".contains(first) {
            self.advance();
            return Ok(Lexeme::Sign(first));
        }
        if self.strict {
            let why = |c| {
                let layout = characters::not_layout(c).or(characters::not_plain_ascii(c));
                layout.or(Some("it is not part of any term"))
            };
            let here = first.encode_utf8(&mut [0; 4]).to_owned();
            return characters::first_refused(&here, start, "an Erlang file", why)
                .map_or_else(|| self.error(start, "unexpected character"), Err);
        }
        self.advance();
        self.error(
            start,
            format!("{} is not part of any term", characters::name(first)),
        )
    }

    fn atom(&self, start: usize, name: String) -> Result<Lexeme, FormatError> {
        if name.chars().count() > MAX_ATOM {
            return self.error(start, format!("an atom has at most {MAX_ATOM} characters"));
        }
        Ok(Lexeme::Atom(name))
    }

    /// Reads a quoted text including both quotes. On an error it continues behind the closing quote, so that the rest
    /// of a text under review is read as it was meant.
    fn quoted(&mut self, quote: char, what: &str) -> Result<String, FormatError> {
        let start = self.at;
        self.advance();
        let mut value = String::new();
        let mut error = None;
        loop {
            let at = self.at;
            match self.advance() {
                None => {
                    let message = format!("{what} that begins here is never closed");
                    return Err(FormatError::new(start..start + 1, message));
                }
                Some(character) if character == quote => break,
                Some('\\') => match self.escaped(at) {
                    Ok(character) => value.push(character),
                    Err(found) if !self.strict => return Err(found),
                    Err(found) => error = error.or(Some(found)),
                },
                Some(character) => {
                    if self.strict && error.is_none() {
                        let here = character.encode_utf8(&mut [0; 4]).to_owned();
                        error = characters::first_refused(&here, at, what, characters::not_plain_ascii);
                    }
                    value.push(character);
                }
            }
        }
        error.map_or(Ok(value), Err)
    }

    /// The character that an escape in quotes stands for. In a text under review it has to be printable ASCII.
    fn escaped(&mut self, start: usize) -> Result<char, FormatError> {
        let code = self.escape(start)?;
        let character = char::from_u32(code).filter(|c| !self.strict || matches!(c, ' '..='~'));
        character.map_or_else(
            || {
                let written = self.text.cut(start..self.at);
                let message = self.either(
                    format!(
                        "`{written}` stands for character {code}, which is not printable ASCII; a backslash is written `\\\\`"
                    ),
                    "the escape stands for no character".to_owned(),
                );
                self.error(start, message)
            },
            Ok,
        )
    }

    /// The code of what follows the backslash at `start`, which was taken.
    fn escape(&mut self, start: usize) -> Result<u32, FormatError> {
        let character = self.advance();
        Ok(match character {
            Some('n') => 10,
            Some('t') => 9,
            Some('r') => 13,
            Some('s') => 32,
            Some('e') => 27,
            Some('f') => 12,
            Some('v') => 11,
            Some('b') => 8,
            Some('d') => 127,
            Some('0'..='7') => {
                self.at = start + 1;
                let digits = self.digits(8, 3);
                u32::from_str_radix(digits, 8).unwrap_or_default()
            }
            Some('x') => {
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
            Some(sign @ ('\\' | '"' | '\'')) => u32::from(sign),
            Some(other) if self.strict && other.is_ascii_graphic() && other != '^' => {
                let message = format!(
                    "`\\{other}` is read as `{other}` without the backslash; a backslash is written `\\\\`"
                );
                return self.error(start, message);
            }
            _ if self.strict => {
                return self.error(
                    start,
                    "this escape stands for no printable character; a backslash is written `\\\\`",
                );
            }
            Some('^') => match self.advance() {
                Some(control @ ('@'..='_' | 'a'..='z')) => u32::from(control) & 31,
                Some('?') => 127,
                _ => return self.error(start, "`\\^` is not followed by a control character"),
            },
            Some(other) => u32::from(other),
            None => return self.error(start, "the backslash is followed by nothing"),
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
        rest.cut(..length)
    }

    /// Reads the character behind `$`.
    fn character(&mut self, start: usize) -> Result<Lexeme, FormatError> {
        let code = match self.advance() {
            Some('\\') => self.escape(start + 1)?,
            Some(character) if !self.strict || matches!(character, ' '..='~') => u32::from(character),
            _ => {
                let message = self.either(
                    "`$` takes a printable ASCII character or an escape",
                    "`$` is followed by nothing",
                );
                return self.error(start, message);
            }
        };
        Ok(Lexeme::Integer(Some(i128::from(code))))
    }

    /// Digits; in a vendor's file with single underscores between them.
    fn long_digits(&mut self, radix: u32) -> String {
        let mut digits = self.take_while(|c| c.is_digit(radix)).to_owned();
        loop {
            let mut ahead = self.rest().chars();
            if self.strict || ahead.next() != Some('_') || !ahead.next().is_some_and(|c| c.is_digit(radix)) {
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
                    number.push_str(self.text.cut(from..self.at));
                }
                Lexeme::Float(number.parse().unwrap_or(f64::INFINITY))
            }
            _ => Lexeme::Integer(whole.parse().ok()),
        };
        let strict = self.strict;
        if self.peek().is_some_and(|c| is_name(c, strict) || c == '#') {
            self.take_while(|c| is_name(c, strict) || c == '#');
            let written = characters::label(self.text.cut(start..self.at));
            let message = self.either(
                format!("`{written}` is not a number that every Erlang reads"),
                "a number must not be followed by a letter".to_owned(),
            );
            return self.error(start, message);
        }
        let is_too_large = matches!(lexeme, Lexeme::Float(number) if !number.is_finite())
            || self.strict && lexeme == Lexeme::Integer(None);
        if is_too_large {
            let message = self.either("the number is too large", "the number is too large for Erlang");
            return self.error(start, message);
        }
        Ok(lexeme)
    }
}

/// What Erlang takes for white space, or what of it may stand in a text under review.
fn is_blank(character: char, strict: bool) -> bool {
    if strict {
        matches!(character, ' ' | '\n' | '\t')
    } else {
        matches!(character, '\0'..=' ' | '\u{80}'..='\u{a0}')
    }
}

fn is_name(character: char, strict: bool) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '@') || !strict && is_latin_1(character)
}

/// Letters of Latin-1 outside ASCII.
fn is_latin_1(character: char) -> bool {
    matches!(character, 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_words_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }
}
