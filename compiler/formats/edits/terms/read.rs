//! A vendor's file of Erlang terms as a tree with places, as `file:consult` reads it.

use std::ops::Range;

use super::scan::{ARROW, BITS, BITS_END, Lexeme, Scanner, Token, written};
use crate::FormatError;

/// Deepest nesting that is read.
pub(super) const MAX_DEPTH: usize = 128;

/// Most terms that are read.
pub(super) const MAX_TERMS: usize = 1_000_000;

/// A term of the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// What a term is, as far as edits look at it.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Atom(String),
    Integer(i128),
    Float(f64),
    String(String),
    Binary(Vec<u8>),
    List(Vec<Node>),
    Tuple(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// Something Erlang reads and edits never make: an improper list, bits, a function, a number of many digits.
    Other(Vec<Node>),
}

/// Why a file is not read.
#[derive(Debug)]
pub(super) enum Unread {
    Mistake(FormatError),
    TooMuch(FormatError),
}

impl From<FormatError> for Unread {
    fn from(error: FormatError) -> Self {
        Self::Mistake(error)
    }
}

/// Every term of the file.
pub(super) fn read(text: &str) -> Result<Vec<Node>, Unread> {
    let mut scanner = Scanner::new(text);
    let next = scanner.next()?;
    let mut parser = Parser {
        scanner,
        next,
        terms: 0,
    };
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
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, FormatError> {
        let next = self.scanner.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    fn take(&mut self, sign: char) -> Result<Option<Token>, FormatError> {
        if matches!(self.next.lexeme, Lexeme::Sign(found) if found == sign) {
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
        let message = if self.next.lexeme == Lexeme::End {
            format!("expected {expected}, but the file ends")
        } else {
            format!("expected {expected}")
        };
        FormatError::new(self.next.range.clone(), message)
    }

    fn term(&mut self, depth: usize) -> Result<Node, Unread> {
        self.terms += 1;
        let start = self.next.range.start;
        if depth > MAX_DEPTH || self.terms > MAX_TERMS {
            let message = if depth > MAX_DEPTH {
                format!("terms are nested deeper than {MAX_DEPTH} levels")
            } else {
                format!("the file has more than {MAX_TERMS} terms")
            };
            return Err(Unread::TooMuch(FormatError::new(
                self.next.range.clone(),
                message,
            )));
        }
        let is_term = matches!(
            self.next.lexeme,
            Lexeme::Atom(_)
                | Lexeme::Reserved
                | Lexeme::Integer(_)
                | Lexeme::Float(_)
                | Lexeme::String(_)
                | Lexeme::Sign('[' | '{' | '(' | BITS | '#' | '-' | '+')
        );
        if !is_term {
            return Err(self.unexpected("a term").into());
        }
        let token = self.advance()?;
        let mut end = token.range.end;
        let kind = match token.lexeme {
            Lexeme::Atom(name) => Kind::Atom(name),
            Lexeme::Integer(Some(number)) => Kind::Integer(number),
            Lexeme::Float(number) => Kind::Float(number),
            Lexeme::String(mut text) => {
                while let Lexeme::String(more) = &self.next.lexeme {
                    text.push_str(more);
                    end = self.advance()?.range.end;
                }
                Kind::String(text)
            }
            Lexeme::Sign('(') => {
                let inside = self.term(depth + 1)?;
                end = self.expect(')')?.range.end;
                inside.kind
            }
            Lexeme::Sign(sign @ ('-' | '+')) => {
                let inside = self.term(depth + 1)?;
                end = inside.range.end;
                match inside.kind {
                    Kind::Integer(number) if sign == '-' => Kind::Integer(-number),
                    Kind::Float(number) if sign == '-' => Kind::Float(-number),
                    kind @ (Kind::Integer(_) | Kind::Float(_)) => kind,
                    Kind::Other(parts) if parts.is_empty() => Kind::Other(parts),
                    Kind::Atom(_)
                    | Kind::String(_)
                    | Kind::Binary(_)
                    | Kind::List(_)
                    | Kind::Tuple(_)
                    | Kind::Map(_)
                    | Kind::Other(_) => {
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
                        if self.take(',')?.is_none() {
                            end = self.expect('}')?.range.end;
                            break;
                        }
                    }
                }
                Kind::Tuple(elements)
            }
            Lexeme::Sign(BITS) => self.binary(depth, &mut end)?,
            Lexeme::Sign('#') => self.map(depth, &mut end)?,
            Lexeme::Reserved => {
                self.atom_of_function()?;
                self.expect(':')?;
                self.atom_of_function()?;
                self.expect('/')?;
                end = self.number("how many arguments the function has")?.range.end;
                Kind::Other(Vec::new())
            }
            Lexeme::Integer(None) | Lexeme::Sign(_) | Lexeme::Dot | Lexeme::End => Kind::Other(Vec::new()),
        };
        Ok(Node {
            kind,
            range: start..end,
        })
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

    fn list(&mut self, depth: usize, end: &mut usize) -> Result<Kind, Unread> {
        let mut elements = Vec::new();
        if let Some(close) = self.take(']')? {
            *end = close.range.end;
            return Ok(Kind::List(elements));
        }
        loop {
            elements.push(self.term(depth + 1)?);
            if self.take(',')?.is_some() {
                continue;
            }
            if self.take('|')?.is_none() {
                *end = self.expect(']')?.range.end;
                return Ok(Kind::List(elements));
            }
            let tail = self.term(depth + 1)?;
            *end = self.expect(']')?.range.end;
            if let Kind::List(more) = tail.kind {
                elements.extend(more);
                return Ok(Kind::List(elements));
            }
            elements.push(tail);
            return Ok(Kind::Other(elements));
        }
    }

    fn binary(&mut self, depth: usize, end: &mut usize) -> Result<Kind, Unread> {
        let mut bytes = Some(Vec::new());
        if let Some(close) = self.take(BITS_END)? {
            *end = close.range.end;
            return Ok(Kind::Binary(Vec::new()));
        }
        loop {
            let part = self.term(depth + 1)?;
            let mut plain = true;
            if self.take(':')?.is_some() {
                plain = false;
                self.term(depth + 1)?;
            }
            if self.take('/')?.is_some() {
                plain = false;
                self.types()?;
            }
            bytes = match (part.kind, bytes) {
                (Kind::String(text), Some(mut bytes)) if plain => {
                    let mut units = text.chars().map(|c| u8::try_from(u32::from(c)).ok());
                    units
                        .all(|unit| unit.map(|unit| bytes.push(unit)).is_some())
                        .then_some(bytes)
                }
                (Kind::Integer(number), Some(mut bytes)) if plain => u8::try_from(number).ok().map(|byte| {
                    bytes.push(byte);
                    bytes
                }),
                (
                    Kind::String(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Other(_) | Kind::Binary(_),
                    _,
                ) => None,
                (Kind::Atom(_) | Kind::List(_) | Kind::Tuple(_) | Kind::Map(_), _) => {
                    let message = "a binary holds strings and numbers";
                    return Err(FormatError::new(part.range, message).into());
                }
            };
            if self.take(',')?.is_none() {
                *end = self.expect(BITS_END)?.range.end;
                return Ok(bytes.map_or(Kind::Other(Vec::new()), Kind::Binary));
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

    fn map(&mut self, depth: usize, end: &mut usize) -> Result<Kind, Unread> {
        self.expect('{')?;
        let mut pairs = Vec::new();
        if let Some(close) = self.take('}')? {
            *end = close.range.end;
            return Ok(Kind::Map(pairs));
        }
        loop {
            let key = self.term(depth + 1)?;
            self.expect(ARROW)?;
            pairs.push((key, self.term(depth + 1)?));
            if self.take(',')?.is_none() {
                *end = self.expect('}')?.range.end;
                return Ok(Kind::Map(pairs));
            }
        }
    }
}
