//! What a change script must look like before it may touch a live database, beyond being T-SQL.

use std::collections::BTreeSet;
use std::ops::Range;

use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;

use super::script::{Shape, Statement};
use super::tokens::{Scanned, Token, TokenKind};
use crate::{Cut as _, FormatError};

/// Statements a script may use. `EXEC`, `DROP`, `TRUNCATE`, `MERGE`, `GRANT` and their like are not needed and not
/// checked, hence refused.
const KNOWN: &[&str] = &[
    "BEGIN", "COMMIT", "CREATE", "DECLARE", "DELETE", "INSERT", "PRINT", "ROLLBACK", "SELECT", "SET",
    "THROW", "UPDATE", "USE",
];

/// Tokens separated by one blank.
pub(super) fn join(tokens: &[Token<'_>]) -> String {
    let words: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    words.join(" ")
}

/// The table a changing statement names, as written; empty when there is none.
pub(super) fn target(tokens: &[Token<'_>]) -> String {
    tokens
        .iter()
        .skip(1)
        .skip_while(|token| ["FROM", "INTO", "TABLE"].iter().any(|word| token.is(word)))
        .take_while(|token| {
            matches!(token.kind, TokenKind::Name | TokenKind::Variable)
                || token.is(".")
                || token.kind == TokenKind::Word && !token.is("SET") && !token.is("WHERE")
        })
        .map(|token| token.text)
        .collect()
}

/// Checks a script over all its batches.
pub(super) struct Rules<'e> {
    errors: &'e mut Vec<FormatError>,
    quoted_identifier: bool,
    xact_abort: bool,
    transactions: usize,
}

/// Where the statements being checked stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Outside any `TRY`.
    Outside,
    /// In a `TRY`, before `BEGIN TRANSACTION` or after `COMMIT`.
    Try,
    /// Between `BEGIN TRANSACTION` and `COMMIT`.
    Transaction,
}

impl<'e> Rules<'e> {
    /// Starts a script.
    pub(super) fn new(errors: &'e mut Vec<FormatError>) -> Self {
        Self {
            errors,
            quoted_identifier: false,
            xact_abort: false,
            transactions: 0,
        }
    }

    fn refuse(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.errors.push(FormatError::new(range, message));
    }

    /// Checks the statements of one batch.
    pub(super) fn batch(&mut self, statements: &[Statement<'_, '_>]) {
        self.list(statements, Zone::Outside, true);
    }

    fn list(&mut self, statements: &[Statement<'_, '_>], mut place: Zone, top: bool) {
        let opened_here = place != Zone::Transaction;
        let mut begun: Option<Range<usize>> = None;
        for (index, statement) in statements.iter().enumerate() {
            match statement.shape {
                Shape::If | Shape::While => {
                    let condition = statement.tokens.cut(1..);
                    self.second_opinion(&format!("IF {} PRINT N''", join(condition)), statement);
                    self.list(&statement.first, place, false);
                    self.list(&statement.second, place, false);
                }
                Shape::Block => self.list(&statement.first, place, false),
                Shape::Try => {
                    if !top {
                        self.refuse(statement.range(), "`BEGIN TRY` must stand at the top of a batch");
                    }
                    self.list(&statement.first, Zone::Try, false);
                    self.catch(statement);
                }
                Shape::Plain => {
                    if statement.starts_with(&["BEGIN"]) {
                        self.begin(statement, place);
                        if place == Zone::Try {
                            place = Zone::Transaction;
                            begun = Some(statement.range());
                        }
                    } else if statement.starts_with(&["COMMIT"]) {
                        if !is_transaction(statement, "COMMIT") {
                            self.refuse(statement.range(), "`COMMIT` takes no name");
                        }
                        if place == Zone::Transaction && opened_here {
                            place = Zone::Try;
                            begun = None;
                        } else {
                            self.refuse(
                                statement.range(),
                                "`COMMIT` must stand in the same list of statements as `BEGIN TRANSACTION`",
                            );
                        }
                    } else {
                        self.plain(statement, place, statements.get(index + 1));
                    }
                }
            }
        }
        if let Some(range) = begun {
            self.refuse(range, "the transaction is not committed before `END TRY`");
        }
    }

    fn begin(&mut self, statement: &Statement<'_, '_>, place: Zone) {
        self.transactions += 1;
        if statement.tokens.len() != 2 {
            self.refuse(statement.range(), "`BEGIN TRANSACTION` takes no name");
        }
        if self.transactions > 1 {
            self.refuse(statement.range(), "the script has more than one transaction");
        }
        if place != Zone::Try {
            self.refuse(
                statement.range(),
                "`BEGIN TRANSACTION` must stand directly in `BEGIN TRY`, so that every error reaches `CATCH`",
            );
        }
        if !self.xact_abort {
            self.refuse(
                statement.range(),
                "`SET XACT_ABORT ON;` must come before the transaction",
            );
        }
    }

    /// `CATCH` undoes and tells, nothing else.
    fn catch(&mut self, statement: &Statement<'_, '_>) {
        let right = match statement.second.as_slice() {
            [undo, throw] => {
                undo.shape == Shape::If
                    && join(undo.tokens).eq_ignore_ascii_case("IF XACT_STATE ( ) <> 0")
                    && undo.second.is_empty()
                    && undo
                        .first
                        .first()
                        .is_some_and(|first| is_transaction(first, "ROLLBACK"))
                    && undo.first.len() == 1
                    && throw.is(&["THROW"])
            }
            _ => false,
        };
        if !right {
            self.refuse(
                statement.range(),
                "the `CATCH` of this `TRY` must be `IF XACT_STATE() <> 0 ROLLBACK TRANSACTION; THROW;`",
            );
        }
    }

    fn plain(&mut self, statement: &Statement<'_, '_>, place: Zone, next: Option<&Statement<'_, '_>>) {
        let range = statement.range();
        let tokens = statement.tokens;
        if !KNOWN.iter().any(|word| statement.starts_with(&[word])) {
            let first = tokens.first().map_or("", |token| token.text);
            return self.refuse(
                range,
                format!("`{first}` does not start a statement that is allowed here"),
            );
        }
        if statement.starts_with(&["ROLLBACK"]) {
            return self.refuse(range, "`ROLLBACK` belongs to `CATCH`; use `THROW` to stop");
        }
        if statement.is(&["SET", "QUOTED_IDENTIFIER", "ON"]) {
            self.quoted_identifier = true;
        } else if statement.is(&["SET", "XACT_ABORT", "ON"]) {
            self.xact_abort = true;
        } else if statement.starts_with(&["SET"])
            && !statement.is(&["SET", "NOCOUNT", "ON"])
            && tokens
                .get(1)
                .is_none_or(|token| token.kind != TokenKind::Variable)
        {
            self.refuse(
                range.clone(),
                "the only options set here are `QUOTED_IDENTIFIER ON`, `XACT_ABORT ON` and `NOCOUNT ON`",
            );
        }
        if statement.starts_with(&["SELECT"]) && has_word(tokens, "INTO") {
            self.refuse(
                range.clone(),
                "`SELECT … INTO` creates a table; use `CREATE TABLE` and `INSERT`",
            );
        }
        if statement.starts_with(&["CREATE"]) && !statement.starts_with(&["CREATE", "TABLE"]) {
            self.refuse(range.clone(), "only tables are created here");
        }
        let changes = ["CREATE", "DELETE", "INSERT", "UPDATE"]
            .iter()
            .any(|word| statement.starts_with(&[word]))
            && !target(tokens).starts_with('@');
        if changes {
            self.change(statement, place, next);
        }
        self.second_opinion(&join(tokens), statement);
    }

    fn change(&mut self, statement: &Statement<'_, '_>, place: Zone, next: Option<&Statement<'_, '_>>) {
        let range = statement.range();
        if place != Zone::Transaction {
            self.refuse(range.clone(), "a change must stand in the transaction");
        }
        if !self.quoted_identifier {
            self.refuse(
                range.clone(),
                "`SET QUOTED_IDENTIFIER ON;` must come before the first change; sqlcmd switches it off",
            );
        }
        let update = statement.starts_with(&["UPDATE"]);
        if (update || statement.starts_with(&["DELETE"])) && !has_word(statement.tokens, "WHERE") {
            self.refuse(range.clone(), "without `WHERE` every row would be changed");
        }
        if update && !next.is_some_and(keeps_row_count) {
            self.refuse(
                range,
                "an `UPDATE` must be followed by `SET @… = @@ROWCOUNT;`, because any other statement resets it",
            );
        }
    }

    /// What sqlparser says about a statement; it knows the grammar inside statements, which this reader does not.
    fn second_opinion(&mut self, text: &str, statement: &Statement<'_, '_>) {
        if let Err(error) = Parser::parse_sql(&MsSqlDialect {}, text) {
            let message = error.to_string();
            let message = message.strip_prefix("sql parser error: ").unwrap_or(&message);
            let message = message.split(" at Line:").next().unwrap_or(message);
            self.refuse(statement.range(), format!("not T-SQL: {}", lower_first(message)));
        }
    }
}

fn lower_first(message: &str) -> String {
    let mut characters = message.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

fn is_transaction(statement: &Statement<'_, '_>, verb: &str) -> bool {
    statement.is(&[verb]) || statement.is(&[verb, "TRAN"]) || statement.is(&[verb, "TRANSACTION"])
}

fn keeps_row_count(statement: &Statement<'_, '_>) -> bool {
    statement.shape == Shape::Plain
        && match statement.tokens {
            [verb, variable, equals, count] => {
                (verb.is("SET") || verb.is("SELECT"))
                    && variable.kind == TokenKind::Variable
                    && equals.is("=")
                    && count.is("@@ROWCOUNT")
            }
            _ => false,
        }
}

/// Whether a word stands outside parentheses.
fn has_word(tokens: &[Token<'_>], word: &str) -> bool {
    let mut depth = 0_usize;
    tokens.iter().any(|token| {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is(word)
    })
}

/// Refuses passwords that are written down, and sqlcmd variables that are not declared or not used.
pub(super) fn secrets(scanned: &Scanned<'_>, tokens: &[&Token<'_>]) -> Vec<FormatError> {
    let mut errors = Vec::new();
    let mut refuse = |range: &Range<usize>| {
        errors.push(FormatError::new(
            range.clone(),
            "a password is written down here; only a sqlcmd variable may hold one",
        ));
    };
    for (comment, range) in &scanned.comments {
        if after_password(comment)
            .any(|rest| !rest.starts_with([' ', '\n', '`', '.', ',']) && !rest.is_empty())
        {
            refuse(range);
        }
    }
    for (index, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::String {
            continue;
        }
        let inner = literal(token.text);
        let joined_literal = || {
            tokens.get(index + 1).is_some_and(|next| next.is("+"))
                && tokens.get(index + 2).is_some_and(|next| {
                    next.kind == TokenKind::String
                        && !literal(next.text).starts_with("$(")
                        && !literal(next.text).starts_with(';')
                })
        };
        let written = after_password(inner).any(|rest| match rest {
            "" => joined_literal(),
            "%" => false,
            _ => !rest.starts_with("$("),
        });
        if written || !inner.is_empty() && !inner.starts_with("$(") && is_kept_as_password(tokens, index) {
            refuse(&token.range);
        }
    }
    for (name, range) in &scanned.used {
        if !scanned.declared.contains_key(name) {
            errors.push(FormatError::new(
                range.clone(),
                format!("the sqlcmd variable `{name}` is not declared by a line `-- sqlcmd variable {name}: meaning`"),
            ));
        }
    }
    let used: BTreeSet<&str> = scanned.used.iter().map(|&(name, _)| name).collect();
    for (name, (_, range)) in &scanned.declared {
        if !used.contains(name) {
            errors.push(FormatError::new(
                range.clone(),
                format!("the sqlcmd variable `{name}` is declared and never used"),
            ));
        }
    }
    errors
}

/// Whether the token at `index` is assigned to a variable whose name says password: `@password [type] = …`.
fn is_kept_as_password(tokens: &[&Token<'_>], index: usize) -> bool {
    let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at));
    before(1).is_some_and(|token| token.is("="))
        && (2..8)
            .map_while(before)
            .take_while(|token| !token.is(";") && !token.is(","))
            .any(|token| {
                token.kind == TokenKind::Variable && {
                    let name = token.text.to_ascii_lowercase();
                    name.contains("password") || name.contains("secret")
                }
            })
}

fn literal(text: &str) -> &str {
    let text = text.strip_prefix(['N', 'n']).unwrap_or(text);
    let text = text.strip_prefix('\'').unwrap_or(text);
    text.strip_suffix('\'').unwrap_or(text)
}

/// What follows each `Password=` or `PWD=`, whatever its case and the blanks before `=`.
fn after_password(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('=').filter_map(move |(index, _)| {
        let before = text.get(..index)?.trim_end();
        let word = before
            .rsplit(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        (word.eq_ignore_ascii_case("password") || word.eq_ignore_ascii_case("pwd"))
            .then(|| text.cut(index + 1..))
    })
}
