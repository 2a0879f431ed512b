//! Strict reader of one Erlang term.
//!
//! It accepts a part of what `file:consult/1` accepts, and reads that part the same way. Refused beyond what Erlang
//! refuses is what it would read differently from what the writer of a template meant, or what only some versions of
//! Erlang read: characters outside ASCII, carriage returns and line breaks inside quotes, escapes that make control
//! characters or that drop the backslash (`"C:\new\Program"`), improper lists, several terms, underscores in numbers.

use super::scan::{Lexeme, Token, scan};
use super::{Term, TermKind};
use crate::FormatError;

/// Deepest nesting of lists, tuples and maps that is read.
pub const MAX_DEPTH: usize = 64;

/// Reads a text that holds exactly one term, ended by a dot.
///
/// Reports every bad token; when the tokens are good, the first error of structure, because what follows it is
/// guesswork.
pub fn read(text: &str) -> Result<Term, Vec<FormatError>> {
    let (tokens, errors) = scan(text);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        end: text.len(),
    };
    parser.file().map_err(|error| vec![error])
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    end: usize,
}

impl Parser {
    fn file(&mut self) -> Result<Term, FormatError> {
        if self.tokens.peek().is_none() {
            return Err(FormatError::new(0..self.end, "the file holds no term"));
        }
        let term = self.term(0)?;
        match self.tokens.next() {
            Some(Token {
                lexeme: Lexeme::Dot, ..
            }) => {}
            None => {
                return Err(FormatError::new(
                    self.end..self.end,
                    "the term has to be ended by a dot",
                ));
            }
            Some(token) => return Err(unexpected(&token, "the dot that ends the term")),
        }
        match self.tokens.next() {
            None => Ok(term),
            Some(token) => Err(unexpected(&token, "the end of the file, it has to hold one term")),
        }
    }

    fn next(&mut self, expected: &str) -> Result<Token, FormatError> {
        self.tokens.next().ok_or_else(|| {
            let message = format!("expected {expected}, but the file ends");
            FormatError::new(self.end..self.end, message)
        })
    }

    fn take(&mut self, sign: &str) -> Option<Token> {
        self.tokens
            .next_if(|token| matches!(token.lexeme, Lexeme::Sign(found) if found == sign))
    }

    fn term(&mut self, depth: usize) -> Result<Term, FormatError> {
        let token = self.next("a term")?;
        let Token { start, mut end, .. } = token;
        if depth > MAX_DEPTH {
            let message = format!("terms are nested deeper than {MAX_DEPTH} levels");
            return Err(FormatError::new(start..end, message));
        }
        let kind = match token.lexeme {
            Lexeme::Atom(name) => TermKind::Atom(name),
            Lexeme::Integer(number) => TermKind::Integer(number),
            Lexeme::Float(number) => TermKind::Float(number),
            Lexeme::String(text) => {
                let (text, last) = self.adjacent_strings(text, end);
                end = last;
                TermKind::String(text)
            }
            Lexeme::Sign("-" | "+") => {
                let negative = token.lexeme == Lexeme::Sign("-");
                let number = self.next("a number")?;
                end = number.end;
                match number.lexeme {
                    Lexeme::Integer(value) => TermKind::Integer(if negative { -value } else { value }),
                    Lexeme::Float(value) => TermKind::Float(if negative { -value } else { value }),
                    Lexeme::Atom(_) | Lexeme::String(_) | Lexeme::Sign(_) | Lexeme::Dot => {
                        return Err(unexpected(&number, "a number"));
                    }
                }
            }
            Lexeme::Sign("[") => {
                let (elements, last) = self.elements("]", depth)?;
                end = last;
                TermKind::List(elements)
            }
            Lexeme::Sign("{") => {
                let (elements, last) = self.elements("}", depth)?;
                end = last;
                TermKind::Tuple(elements)
            }
            Lexeme::Sign("<<") => {
                let (bytes, last) = self.binary()?;
                end = last;
                TermKind::Binary(bytes)
            }
            Lexeme::Sign("#") => {
                let (pairs, last) = self.map(depth)?;
                end = last;
                TermKind::Map(pairs)
            }
            Lexeme::Sign(_) | Lexeme::Dot => return Err(unexpected(&token, "a term")),
        };
        Ok(Term {
            kind,
            range: start..end,
        })
    }

    /// Erlang joins strings that stand side by side.
    fn adjacent_strings(&mut self, mut text: String, mut end: usize) -> (String, usize) {
        let is_string = |token: &Token| matches!(token.lexeme, Lexeme::String(_));
        while let Some(token) = self.tokens.next_if(is_string) {
            if let Lexeme::String(more) = token.lexeme {
                text.push_str(&more);
                end = token.end;
            }
        }
        (text, end)
    }

    fn elements(&mut self, close: &'static str, depth: usize) -> Result<(Vec<Term>, usize), FormatError> {
        let mut elements = Vec::new();
        if let Some(token) = self.take(close) {
            return Ok((elements, token.end));
        }
        loop {
            elements.push(self.term(depth + 1)?);
            if let Some(end) = self.separator(close)? {
                return Ok((elements, end));
            }
        }
    }

    /// Takes a comma, or the closing sign, whose end is returned.
    fn separator(&mut self, close: &str) -> Result<Option<usize>, FormatError> {
        let expected = format!("`,` or `{close}`");
        let token = self.next(&expected)?;
        if token.lexeme == Lexeme::Sign(",") {
            return Ok(None);
        }
        if matches!(token.lexeme, Lexeme::Sign(sign) if sign == close) {
            return Ok(Some(token.end));
        }
        Err(unexpected(&token, &expected))
    }

    fn binary(&mut self) -> Result<(Vec<u8>, usize), FormatError> {
        let mut bytes = Vec::new();
        if let Some(token) = self.take(">>") {
            return Ok((bytes, token.end));
        }
        loop {
            let token = self.next("a string or a byte")?;
            match token.lexeme {
                Lexeme::String(text) => {
                    let (text, _) = self.adjacent_strings(text, token.end);
                    bytes.extend(text.into_bytes());
                }
                Lexeme::Integer(number) => bytes.push(u8::try_from(number).map_err(|_| {
                    let message = format!("a byte is at most 255, Erlang would cut {number} off");
                    FormatError::new(token.start..token.end, message)
                })?),
                Lexeme::Atom(_) | Lexeme::Float(_) | Lexeme::Sign(_) | Lexeme::Dot => {
                    return Err(unexpected(&token, "a string or a byte"));
                }
            }
            if let Some(end) = self.separator(">>")? {
                return Ok((bytes, end));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<(Vec<(Term, Term)>, usize), FormatError> {
        let open = self.next("`{`")?;
        if open.lexeme != Lexeme::Sign("{") {
            return Err(unexpected(&open, "`{`"));
        }
        let mut pairs = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        if let Some(token) = self.take("}") {
            return Ok((pairs, token.end));
        }
        loop {
            let key = self.term(depth + 1)?;
            let arrow = self.next("`=>`")?;
            if arrow.lexeme != Lexeme::Sign("=>") {
                return Err(unexpected(&arrow, "`=>`"));
            }
            if !keys.insert(key.to_string()) {
                return Err(FormatError::new(
                    key.range,
                    "the key is given twice in one map, and the first one is ignored",
                ));
            }
            let value = self.term(depth + 1)?;
            pairs.push((key, value));
            if let Some(end) = self.separator("}")? {
                return Ok((pairs, end));
            }
        }
    }
}

fn unexpected(token: &Token, expected: &str) -> FormatError {
    let found = match &token.lexeme {
        Lexeme::Atom(_) => "an atom".to_owned(),
        Lexeme::Integer(_) | Lexeme::Float(_) => "a number".to_owned(),
        Lexeme::String(_) => "a string".to_owned(),
        Lexeme::Sign(sign) => format!("`{sign}`"),
        Lexeme::Dot => "the dot".to_owned(),
    };
    FormatError::new(
        token.start..token.end,
        format!("expected {expected}, found {found}"),
    )
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
