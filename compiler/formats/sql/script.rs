//! Groups the tokens of a batch into statements.
//!
//! Stricter than SQL Server: every statement ends with `;`, so that a missing one is never read as part of the next.

use std::ops::Range;

use super::tokens::{Token, TokenKind};
use crate::{Cut as _, FormatError};

/// Deepest nesting of blocks and parentheses.
pub(super) const DEEPEST: usize = 32;

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Anything that ends with `;`.
    Plain,
    /// `IF`, with the statements of both branches.
    If,
    /// `WHILE`.
    While,
    /// `BEGIN … END` on its own.
    Block,
    /// `BEGIN TRY … END TRY BEGIN CATCH … END CATCH`.
    Try,
}

/// A statement with the statements inside it.
#[derive(Debug)]
pub(super) struct Statement<'t, 'a> {
    /// What it is.
    pub(super) shape: Shape,
    /// Its own tokens without `;`: the condition of `IF` and `WHILE` with that word, `BEGIN` or `BEGIN TRY`.
    pub(super) tokens: &'t [Token<'a>],
    /// Statements of the block, of `TRY`, or for a true condition.
    pub(super) first: Vec<Self>,
    /// Statements of `CATCH` or `ELSE`.
    pub(super) second: Vec<Self>,
}

impl Statement<'_, '_> {
    /// Bytes of its own tokens.
    pub(super) fn range(&self) -> Range<usize> {
        span(self.tokens)
    }

    /// Whether it starts with these words.
    pub(super) fn starts_with(&self, words: &[&str]) -> bool {
        self.tokens.len() >= words.len() && self.tokens.iter().zip(words).all(|(token, word)| token.is(word))
    }

    /// Whether its tokens are these words.
    pub(super) fn is(&self, words: &[&str]) -> bool {
        self.tokens.len() == words.len() && self.starts_with(words)
    }
}

/// Bytes of `tokens`.
pub(super) fn span(tokens: &[Token<'_>]) -> Range<usize> {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.range.start..last.range.end,
        _ => 0..0,
    }
}

/// Groups the tokens of one batch; goes on after errors.
pub(super) fn statements<'t, 'a>(
    tokens: &'t [Token<'a>],
    errors: &mut Vec<FormatError>,
) -> Vec<Statement<'t, 'a>> {
    let mut parser = Parser {
        tokens,
        position: 0,
        depth: 0,
        errors,
    };
    let mut all = Vec::new();
    while parser.peek().is_some() {
        all.extend(parser.list());
        if let Some(stray) = parser.peek() {
            let range = stray.range.clone();
            parser.refuse(range, format!("`{}` ends nothing that was begun", stray.text));
            parser.position += 1;
        }
    }
    all
}

/// Words that begin a statement. Inside another statement one of them shows that a `;` is missing.
const BEGINNERS: &[&str] = &[
    "ALTER",
    "BEGIN",
    "COMMIT",
    "CREATE",
    "DECLARE",
    "DELETE",
    "DROP",
    "EXEC",
    "EXECUTE",
    "IF",
    "INSERT",
    "MERGE",
    "PRINT",
    "RAISERROR",
    "RETURN",
    "ROLLBACK",
    "SELECT",
    "SET",
    "THROW",
    "TRUNCATE",
    "UPDATE",
    "USE",
    "WHILE",
];

struct Parser<'p, 't, 'a> {
    tokens: &'t [Token<'a>],
    position: usize,
    depth: usize,
    errors: &'p mut Vec<FormatError>,
}

impl<'t, 'a> Parser<'_, 't, 'a> {
    fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.position)
    }

    fn peek_is(&self, ahead: usize, word: &str) -> bool {
        self.tokens
            .get(self.position + ahead)
            .is_some_and(|token| token.is(word))
    }

    fn since(&self, start: usize) -> &'t [Token<'a>] {
        self.tokens.cut(start..self.position)
    }

    /// Place of the last token taken, for what is missing behind it.
    fn previous(&self) -> Range<usize> {
        self.tokens
            .get(self.position.saturating_sub(1))
            .map_or(0..0, |token| token.range.clone())
    }

    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    /// Takes the words, or says that they are missing.
    fn expect(&mut self, words: &[&str]) {
        for word in words {
            if !self.peek_is(0, word) {
                let range = self.previous();
                return self.refuse(range, format!("`{}` is missing after this", words.join(" ")));
            }
            self.position += 1;
        }
    }

    /// Statements up to an `END` or the end of the batch.
    fn list(&mut self) -> Vec<Statement<'t, 'a>> {
        let mut list = Vec::new();
        while self.peek().is_some() && !self.peek_is(0, "END") && !self.peek_is(0, "ELSE") {
            list.extend(self.statement());
        }
        list
    }

    fn statement(&mut self) -> Option<Statement<'t, 'a>> {
        let start = self.position;
        if self.depth >= DEEPEST {
            let range = span(self.tokens.cut(start..));
            self.refuse(range, format!("statements are nested more than {DEEPEST} deep"));
            self.position = self.tokens.len();
            return None;
        }
        self.depth += 1;
        let statement = self.nested(start);
        self.depth -= 1;
        statement
    }

    fn nested(&mut self, start: usize) -> Option<Statement<'t, 'a>> {
        let condition = [("IF", Shape::If), ("WHILE", Shape::While)]
            .into_iter()
            .find(|(word, _)| self.peek_is(0, word));
        if let Some((_, shape)) = condition {
            self.position += 1;
            self.condition();
            let tokens = self.since(start);
            let first = self.body();
            let mut second = Vec::new();
            if shape == Shape::If && self.peek_is(0, "ELSE") {
                self.position += 1;
                second = self.body();
            }
            return Some(Statement {
                shape,
                tokens,
                first,
                second,
            });
        }
        if self.peek_is(0, "BEGIN") && self.peek_is(1, "TRY") {
            self.position += 2;
            let tokens = self.since(start);
            let first = self.list();
            self.expect(&["END", "TRY"]);
            self.expect(&["BEGIN", "CATCH"]);
            let second = self.list();
            self.expect(&["END", "CATCH"]);
            self.optional_end();
            return Some(Statement {
                shape: Shape::Try,
                tokens,
                first,
                second,
            });
        }
        if self.peek_is(0, "BEGIN") && !self.peek_is(1, "TRAN") && !self.peek_is(1, "TRANSACTION") {
            self.position += 1;
            let tokens = self.since(start);
            let first = self.list();
            self.expect(&["END"]);
            self.optional_end();
            return Some(Statement {
                shape: Shape::Block,
                tokens,
                first,
                second: Vec::new(),
            });
        }
        self.plain(start)
    }

    fn optional_end(&mut self) {
        if self.peek_is(0, ";") {
            self.position += 1;
        }
    }

    /// The statement behind a condition; `BEGIN … END` around it does not matter.
    fn body(&mut self) -> Vec<Statement<'t, 'a>> {
        if self.peek().is_none() || self.peek_is(0, "END") || self.peek_is(0, "ELSE") {
            let range = self.previous();
            self.refuse(range, "a statement is missing after this");
            return Vec::new();
        }
        match self.statement() {
            Some(block) if block.shape == Shape::Block => block.first,
            other => other.into_iter().collect(),
        }
    }

    /// Takes the tokens of a condition: all up to a word that begins a statement.
    fn condition(&mut self) {
        let mut depth = 0_usize;
        let start = self.position;
        while let Some(token) = self.peek() {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            } else if token.is(";") || depth == 0 && begins(token) {
                break;
            }
            self.position += 1;
        }
        if self.position == start {
            let range = self.previous();
            self.refuse(range, "a condition is missing after this");
        }
        self.balance(start);
    }

    fn plain(&mut self, start: usize) -> Option<Statement<'t, 'a>> {
        let mut depth = 0_usize;
        let mut cases = 0_usize;
        let mut ended = false;
        let verb = self.peek()?;
        while let Some(token) = self.peek() {
            if token.is(";") {
                ended = true;
                break;
            }
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
            } else if token.is("CASE") {
                cases += 1;
            } else if token.is("END") && cases > 0 {
                cases -= 1;
            } else if token.is("END")
                || token.is("ELSE") && cases == 0
                || self.position > start && depth == 0 && begins(token) && !self.continues(verb, token, start)
            {
                break;
            }
            self.position += 1;
        }
        let tokens = self.since(start);
        if !ended {
            let range = self.previous();
            self.refuse(range, "a statement must end with `;` here");
        }
        self.balance(start);
        if ended {
            self.position += 1;
        }
        if tokens.is_empty() {
            let range = self.previous();
            self.refuse(range, "a statement is empty");
            return None;
        }
        Some(Statement {
            shape: Shape::Plain,
            tokens,
            first: Vec::new(),
            second: Vec::new(),
        })
    }

    /// Whether a word that could begin a statement belongs to the current one: `SET` once in `UPDATE`, `SELECT` once in
    /// `INSERT`, and `SELECT` after `UNION`, `ALL`, `EXCEPT` or `INTERSECT`.
    fn continues(&self, verb: &Token<'a>, token: &Token<'a>, start: usize) -> bool {
        let before = self.since(start);
        let once = |word: &str| !before.iter().any(|earlier| earlier.is(word));
        let joined = before.last().is_some_and(|last| {
            ["UNION", "ALL", "EXCEPT", "INTERSECT"]
                .iter()
                .any(|word| last.is(word))
        });
        token.is("SET") && verb.is("UPDATE") && once("SET")
            || token.is("SELECT") && (verb.is("INSERT") && once("SELECT") || joined)
    }

    /// Checks the parentheses since `start`.
    fn balance(&mut self, start: usize) {
        let mut open: Vec<&Token<'_>> = Vec::new();
        let mut deepest = 0;
        let mut wrong = None;
        for token in self.since(start) {
            if token.is("(") {
                open.push(token);
                deepest = deepest.max(open.len());
            } else if token.is(")") && open.pop().is_none() {
                wrong = wrong.or(Some((token.range.clone(), "`)` closes nothing".to_owned())));
            }
        }
        if let Some(left) = open.first() {
            wrong = wrong.or(Some((left.range.clone(), "`(` is not closed".to_owned())));
        }
        if deepest > DEEPEST {
            let range = span(self.since(start));
            wrong = wrong.or(Some((
                range,
                format!("parentheses are nested more than {DEEPEST} deep"),
            )));
        }
        if let Some((range, message)) = wrong {
            self.refuse(range, message);
        }
    }
}

fn begins(token: &Token<'_>) -> bool {
    token.kind == TokenKind::Word && BEGINNERS.iter().any(|word| token.is(word))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{Piece, scan};
    use super::*;

    fn show(list: &[Statement<'_, '_>]) -> String {
        let shown: Vec<String> = list
            .iter()
            .map(|statement| {
                let words: Vec<&str> = statement.tokens.iter().map(|token| token.text).collect();
                let mut shown = words.join(" ");
                for inner in [&statement.first, &statement.second] {
                    if !inner.is_empty() {
                        shown = format!("{shown} {{{}}}", show(inner));
                    }
                }
                shown
            })
            .collect();
        shown.join(" | ")
    }

    fn tokens_of(text: &str) -> Vec<Token<'_>> {
        let scanned = scan(text);
        assert!(scanned.errors.is_empty(), "{:?}", scanned.errors);
        let token = |piece| match piece {
            Piece::Token(token) => Some(token),
            Piece::Go | Piece::Command(..) => None,
        };
        scanned.pieces.into_iter().filter_map(token).collect()
    }

    fn check(text: &str, expected: &str) {
        let tokens = tokens_of(text);
        let mut errors = Vec::new();
        let list = statements(&tokens, &mut errors);
        let got = if errors.is_empty() {
            show(&list)
        } else {
            let messages: Vec<String> = errors.iter().map(|e| format!("{:?} {e}", e.range)).collect();
            messages.join("; ")
        };
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn statements_nest() {
        check("SET @a = 1; PRINT N'x';", "SET @a = 1 | PRINT N'x'");
        check(
            "IF @a = 1 BEGIN SET @b = 1; PRINT N'x'; END ELSE THROW;",
            "IF @a = 1 {SET @b = 1 | PRINT N'x'} {THROW}",
        );
        check("IF @a = 1 THROW;", "IF @a = 1 {THROW}");
        check(
            "BEGIN TRY BEGIN TRAN; COMMIT; END TRY BEGIN CATCH THROW; END CATCH;",
            "BEGIN TRY {BEGIN TRAN | COMMIT} {THROW}",
        );
        check(
            "UPDATE t SET a = CASE WHEN b = 1 THEN 2 ELSE 3 END WHERE c = 4;",
            "UPDATE t SET a = CASE WHEN b = 1 THEN 2 ELSE 3 END WHERE c = 4",
        );
        check("INSERT INTO t SELECT a FROM b;", "INSERT INTO t SELECT a FROM b");
        check(
            "WHILE EXISTS (SELECT 1 FROM t) BEGIN SET @a = 1; END",
            "WHILE EXISTS ( SELECT 1 FROM t ) {SET @a = 1}",
        );
    }

    #[test]
    fn missing_and_stray_parts_are_found() {
        let end = "a statement must end with `;` here";
        check("SET @a = 1 THROW;", &format!("9..10 {end}"));
        check("SET @a = 1", &format!("9..10 {end}"));
        check("UPDATE t SET a = 1 SET b = 2;", &format!("17..18 {end}"));
        check(
            "BEGIN TRY SET @a = 1; END BEGIN CATCH THROW; END CATCH",
            "22..25 `END TRY` is missing after this",
        );
        check("BEGIN SET @a = 1;", "16..17 `END` is missing after this");
        check("SET @a = 1; END", "12..15 `END` ends nothing that was begun");
        check("SET @a = (1;", "9..10 `(` is not closed");
        check("SET @a = 1);", "10..11 `)` closes nothing");
        check("IF @a = 1", "8..9 a statement is missing after this");
        check("IF THROW;", "0..2 a condition is missing after this");
        check(";", "0..1 a statement is empty");
    }

    #[test]
    fn deep_nesting_ends_with_an_error() {
        let deep = "BEGIN ".repeat(100_000);
        let tokens = tokens_of(&deep);
        let mut errors = Vec::new();
        statements(&tokens, &mut errors);
        assert!(errors.iter().any(|error| error.message.contains("32 deep")));
    }
}
