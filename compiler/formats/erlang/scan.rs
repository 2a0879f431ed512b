//! Tokens of Erlang terms. What is refused here beyond what Erlang refuses is listed in `read`.

use crate::{FormatError, characters};

/// Longest atom the Erlang runtime accepts, in characters.
pub(super) const MAX_ATOM: usize = 255;

/// Words the Erlang scanner reserves; `else` and `maybe` from OTP 25 on, where a feature is enabled.
const RESERVED: &[&str] = &[
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "cond",
    "div", "else", "end", "fun", "if", "let", "maybe", "not", "of", "or", "orelse", "receive", "rem", "try",
    "when", "xor",
];

/// Whether a name is reserved, so that it is an atom only in quotes.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Lexeme {
    Atom(String),
    Integer(i128),
    Float(f64),
    String(String),
    /// Any other sign, as it is written.
    Sign(&'static str),
    Dot,
}

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) lexeme: Lexeme,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Splits a text into tokens; reports every token that is refused.
pub(super) fn scan(text: &str) -> (Vec<Token>, Vec<FormatError>) {
    let mut scanner = Scanner { text, at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    let mut errors = Vec::new();
    while let Some(character) = scanner.peek() {
        let start = scanner.at;
        match character {
            ' ' | '\n' | '\t' => {
                scanner.advance();
            }
            '%' => {
                let line = scanner.take_while(|c| c != '\n');
                let place = "a comment of an Erlang file";
                errors.extend(characters::first_refused(line, start, place, |c| {
                    characters::not_layout(c).or(characters::not_plain_ascii(c).filter(|_| c != '\t'))
                }));
            }
            _ => match scanner.token(character) {
                Ok(lexeme) => {
                    let touches = tokens.last().is_some_and(|last| {
                        last.end == start
                            && matches!(last.lexeme, Lexeme::String(_))
                            && matches!(lexeme, Lexeme::String(_))
                    });
                    if touches {
                        errors.push(FormatError::new(
                            start..scanner.at,
                            "two strings need a blank between them, newer versions of Erlang refuse them without",
                        ));
                    }
                    tokens.push(Token {
                        lexeme,
                        start,
                        end: scanner.at,
                    });
                }
                Err(error) => {
                    if scanner.at == start {
                        scanner.advance();
                    }
                    errors.push(error);
                }
            },
        }
    }
    (tokens, errors)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
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

    /// An error from `start` up to here, or over the next character if nothing was taken.
    fn error(&self, start: usize, message: impl Into<String>) -> FormatError {
        let range = if self.at > start {
            start..self.at
        } else {
            characters::range_at(self.text, start)
        };
        FormatError::new(range, message)
    }

    fn token(&mut self, first: char) -> Result<Lexeme, FormatError> {
        let start = self.at;
        match first {
            'a'..='z' => {
                let name = self.take_while(is_name);
                if is_reserved(name) {
                    let message = format!("`{name}` is a reserved word, write `'{name}'`");
                    return Err(self.error(start, message));
                }
                self.atom(start, name.to_owned())
            }
            'A'..='Z' | '_' => {
                let name = self.take_while(is_name);
                let message = format!("`{name}` is a variable, write `'{name}'` for an atom");
                Err(self.error(start, message))
            }
            '\'' => {
                let name = self.quoted('\'', "a quoted atom")?;
                self.atom(start, name)
            }
            '"' => self.quoted('"', "a string").map(Lexeme::String),
            '0'..='9' => self.number(),
            '$' => {
                self.advance();
                self.character(start).map(Lexeme::Integer)
            }
            '.' => {
                self.advance();
                match self.peek() {
                    None | Some(' ' | '\n' | '\t' | '%') => Ok(Lexeme::Dot),
                    Some(_) => Err(self.error(
                        start,
                        "the dot that ends a term has to be followed by white space",
                    )),
                }
            }
            _ => {
                for sign in [
                    "<<", ">>", "=>", ":=", "[", "]", "{", "}", ",", "#", "-", "+", "|", ":", "/", "(", ")",
                ] {
                    if self.rest().starts_with(sign) {
                        self.at += sign.len();
                        return Ok(Lexeme::Sign(sign));
                    }
                }
                let why = |c| {
                    let layout = characters::not_layout(c).or(characters::not_plain_ascii(c));
                    layout.or(Some("it is not part of any term"))
                };
                let mut bytes = [0; 4];
                let error =
                    characters::first_refused(first.encode_utf8(&mut bytes), start, "an Erlang file", why);
                Err(error.unwrap_or_else(|| self.error(start, "unexpected character")))
            }
        }
    }

    fn atom(&self, start: usize, name: String) -> Result<Lexeme, FormatError> {
        if name.chars().count() > MAX_ATOM {
            return Err(self.error(start, format!("an atom has at most {MAX_ATOM} characters")));
        }
        Ok(Lexeme::Atom(name))
    }

    /// Reads a quoted text including both quotes. On an error it continues behind the closing quote, so that the rest
    /// of the file is read as it was meant.
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
                Some('\\') => match self.escape(at) {
                    Ok(character) => value.push(character),
                    Err(found) => error = error.or(Some(found)),
                },
                Some(character) => {
                    let here = character.encode_utf8(&mut [0; 4]).to_owned();
                    let why = characters::not_plain_ascii;
                    error = error.or_else(|| characters::first_refused(&here, at, what, why));
                    value.push(character);
                }
            }
        }
        error.map_or(Ok(value), Err)
    }

    /// Reads what follows the backslash at `start` and returns the character it stands for, which has to be printable
    /// ASCII.
    fn escape(&mut self, start: usize) -> Result<char, FormatError> {
        let code = self.escape_code(start)?;
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        let printable = character.filter(|c| matches!(c, ' '..='~'));
        printable.ok_or_else(|| {
            let written = self.text.get(start..self.at).unwrap_or_default();
            let message = format!(
                "`{written}` stands for character {code}, which is not printable ASCII; a backslash is written `\\\\`"
            );
            self.error(start, message)
        })
    }

    fn escape_code(&mut self, start: usize) -> Result<i128, FormatError> {
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
            Some(sign @ ('\\' | '"' | '\'')) => i128::from(u32::from(sign)),
            Some('0'..='7') => {
                self.at = start + 1;
                let digits = self.digits(8, 3);
                i128::from_str_radix(digits, 8).unwrap_or_default()
            }
            Some('x') => {
                let braced = self.peek() == Some('{');
                if braced {
                    self.advance();
                }
                let digits = self.digits(16, if braced { 8 } else { 2 });
                let closed = !braced || self.advance() == Some('}');
                if !closed || digits.is_empty() || !braced && digits.len() < 2 {
                    return Err(self.error(start, "`\\x` takes two hexadecimal digits, or `{...}`"));
                }
                i128::from_str_radix(digits, 16).unwrap_or(i128::MAX)
            }
            Some(other) if other.is_ascii_graphic() && other != '^' => {
                let message = format!(
                    "`\\{other}` is read as `{other}` without the backslash; a backslash is written `\\\\`"
                );
                return Err(self.error(start, message));
            }
            _ => {
                return Err(self.error(
                    start,
                    "this escape stands for no printable character; a backslash is written `\\\\`",
                ));
            }
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

    /// Reads the character behind `$`.
    fn character(&mut self, start: usize) -> Result<i128, FormatError> {
        match self.advance() {
            Some('\\') => self.escape_code(start + 1),
            Some(character @ ' '..='~') => Ok(i128::from(u32::from(character))),
            _ => Err(self.error(start, "`$` takes a printable ASCII character or an escape")),
        }
    }

    fn number(&mut self) -> Result<Lexeme, FormatError> {
        let start = self.at;
        let whole = self.take_while(|c| c.is_ascii_digit());
        let mut lookahead = self.rest().chars();
        let lexeme = match (lookahead.next(), lookahead.next()) {
            (Some('#'), _) => {
                self.advance();
                let base = whole.parse().ok().filter(|base| (2..=36).contains(base));
                let Some(base) = base else {
                    return Err(self.error(start, "the base of a number is between 2 and 36"));
                };
                let digits = self.take_while(|c| c.is_digit(base));
                if digits.is_empty() {
                    return Err(self.error(start, format!("no digit of base {base} follows the `#`")));
                }
                i128::from_str_radix(digits, base).map(Lexeme::Integer).ok()
            }
            (Some('.'), Some('0'..='9')) => {
                self.advance();
                self.take_while(|c| c.is_ascii_digit());
                let mut exponent = self.rest().strip_prefix(['e', 'E']);
                exponent = exponent.map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
                if let Some(rest) = exponent.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
                    self.at = self.text.len() - rest.len();
                    self.take_while(|c| c.is_ascii_digit());
                }
                let number = self.text.get(start..self.at).and_then(|text| text.parse().ok());
                number
                    .filter(|number: &f64| number.is_finite())
                    .map(Lexeme::Float)
            }
            _ => whole.parse().map(Lexeme::Integer).ok(),
        };
        if self.peek().is_some_and(|c| is_name(c) || c == '#') {
            self.take_while(|c| is_name(c) || c == '#');
            let written = characters::label(self.text.get(start..self.at).unwrap_or_default());
            return Err(self.error(
                start,
                format!("`{written}` is not a number that every Erlang reads"),
            ));
        }
        lexeme.ok_or_else(|| self.error(start, "the number is too large"))
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '@'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_words_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }
}
