//! T-SQL scripts for sqlcmd: quoting, and a reader that checks what a change of a live database needs.
//!
//! [`items`] reads a script the way sqlcmd and SQL Server do one after the other: sqlcmd lines and `GO` first, then
//! tokens, statements and the rules of a safe change. sqlparser is asked about each statement as well. No table or value
//! of Callback is known here.

mod quote;
mod rules;
mod script;
mod tokens;

pub use quote::{escape, sql_comment, sql_like, sql_name, sql_string, sql_table};

use super::{FactPath, Form, FormatError, Item, Step};
use rules::Rules;
use script::{Shape, Statement};
use tokens::{Piece, Token, TokenKind};

/// Reads a script.
///
/// It must start with `:on error exit`; `:setvar` is the only other sqlcmd line. `GO` stands alone on its line. Every
/// statement ends with `;`. A change (`INSERT`, `UPDATE`, `DELETE`, `CREATE TABLE`, except on table variables) must be
/// in the one transaction of the script, directly in `BEGIN TRY`, with `SET QUOTED_IDENTIFIER ON` and `SET XACT_ABORT
/// ON` before it; its `CATCH` is `IF XACT_STATE() <> 0 ROLLBACK TRANSACTION; THROW;`. `UPDATE` and `DELETE` have
/// `WHERE`; `UPDATE` is followed by `SET @… = @@ROWCOUNT`. Sqlcmd variables appear in literals only and are declared by
/// leading lines `-- sqlcmd variable NAME: meaning`. A written password is refused.
///
/// Items are the statements in order, for example `batch 2 > 03 TRY > 05 IF > 01 UPDATE [dbo].[WSConfiguration]`, with
/// their tokens joined by one blank; comments and `BEGIN … END` around one statement do not matter.
///
/// Sources: `sqlcmd` utility, `SET XACT_ABORT` and `THROW` pages of the SQL Server documentation; SQL-1 to SQL-4.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let mut scanned = tokens::scan(text);
    let mut errors = std::mem::take(&mut scanned.errors);
    let mut items = Vec::new();
    for (name, (meaning, range)) in &scanned.declared {
        items.push(Item {
            path: Step::named("sqlcmd variable").keyed(*name).into(),
            value: (*meaning).to_owned(),
            range: range.clone(),
        });
    }

    let mut batches: Vec<Vec<Token<'_>>> = vec![Vec::new()];
    let mut settings = Vec::new();
    for (index, piece) in scanned.pieces.iter().enumerate() {
        match piece {
            Piece::Token(token) => {
                if let Some(batch) = batches.last_mut() {
                    batch.push(token.clone());
                }
            }
            Piece::Go => batches.push(Vec::new()),
            Piece::Command(command, range) => match read_command(command, index == 0) {
                Ok(path) => settings.push(Item {
                    path,
                    value: (*command).to_owned(),
                    range: range.clone(),
                }),
                Err(message) => errors.push(FormatError::new(range.clone(), message)),
            },
        }
    }
    if settings.first().is_none_or(|first| first.value != ON_ERROR) {
        errors.push(FormatError::new(
            0..0,
            "the script must start with `:on error exit`, else sqlcmd goes on after an error",
        ));
    }
    items.append(&mut settings);
    if !text.ends_with('\n') {
        errors.push(FormatError::new(
            text.len()..text.len(),
            "the last line has no line end",
        ));
    }
    if scanned
        .pieces
        .iter()
        .all(|piece| !matches!(piece, Piece::Token(_)))
    {
        errors.push(FormatError::new(0..text.len(), "the script has no statement"));
    }

    let mut trees = Vec::new();
    for batch in &batches {
        trees.push(script::statements(batch, &mut errors));
    }
    let all: Vec<&Token<'_>> = batches.iter().flatten().collect();
    errors.extend(rules::secrets(&scanned, &all));
    // Rules about statements would only repeat what is wrong with their tokens.
    if errors.is_empty() {
        let mut rules = Rules::new(&mut errors);
        for tree in &trees {
            rules.batch(tree);
        }
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.range.start);
        return Err(errors);
    }
    for (number, tree) in (1..).zip(trees.iter().filter(|tree| !tree.is_empty())) {
        collect(
            &Step::new(Form::Block, "batch").numbered(number).into(),
            tree,
            &mut items,
        );
    }
    Ok(items)
}

/// The line without which sqlcmd goes on after an error.
const ON_ERROR: &str = ":on error exit";

/// The path of a sqlcmd line, or why it is refused.
fn read_command(command: &str, first: bool) -> Result<FactPath, String> {
    if command == ON_ERROR {
        return if first {
            Ok(FactPath::of(["sqlcmd", "on error"]))
        } else {
            Err("`:on error exit` must come once, before everything else".to_owned())
        };
    }
    if let Some((name, value)) = command
        .strip_prefix(":setvar ")
        .and_then(|rest| rest.split_once(' '))
    {
        if !tokens::is_variable_name(name) {
            return Err("a sqlcmd variable is named in capitals here".to_owned());
        }
        let quoted = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .is_some_and(|inner| !inner.contains(['"', '\'', '$']));
        return if quoted {
            Ok(FactPath::from("sqlcmd").child(Step::named("setvar").keyed(name)))
        } else {
            Err("the value of `:setvar` must be in `\"`, without `\"`, `'` or `$` inside".to_owned())
        };
    }
    Err("only `:on error exit` and `:setvar NAME \"value\"` are allowed of sqlcmd's own commands".to_owned())
}

fn collect(around: &FactPath, statements: &[Statement<'_, '_>], items: &mut Vec<Item>) {
    for (number, statement) in (1..).zip(statements) {
        let here = around.child(step(statement, number));
        let second = if matches!(statement.shape, Shape::Try | Shape::Block) {
            "CATCH"
        } else {
            items.push(Item {
                path: here.clone(),
                value: rules::join(statement.tokens),
                range: statement.range(),
            });
            "ELSE"
        };
        collect(&here, &statement.first, items);
        collect(
            &around.child(Step::new(Form::Statement, second).numbered(number)),
            &statement.second,
            items,
        );
    }
}

/// The first word of a statement and what it is about.
fn step(statement: &Statement<'_, '_>, number: usize) -> Step {
    let named = |name: &str| Step::new(Form::Statement, name).numbered(number);
    match statement.shape {
        Shape::If => named("IF"),
        Shape::While => named("WHILE"),
        Shape::Block => named("BEGIN"),
        Shape::Try => named("TRY"),
        Shape::Plain => {
            let written = |token: Option<&Token<'_>>| token.map_or("", |token| token.text).to_owned();
            let verb = written(statement.tokens.first()).to_ascii_uppercase();
            let second = statement.tokens.get(1);
            let about = match verb.as_str() {
                "CREATE" | "DELETE" | "INSERT" | "UPDATE" | "USE" => rules::target(statement.tokens),
                "DECLARE" | "SET" | "BEGIN" => written(second),
                _ => written(second.filter(|token| token.kind == TokenKind::Variable)),
            };
            let step = named(&verb);
            if about.is_empty() { step } else { step.keyed(about) }
        }
    }
}

#[cfg(test)]
mod tests;
