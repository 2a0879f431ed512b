//! Writes values into T-SQL scripts.

use crate::{FormatError, text};

/// Longest name SQL Server accepts, in UTF-16 units (`sysname`).
const LONGEST_NAME: usize = 128;

/// What every quoted value must not hold: sqlcmd replaces `$(NAME)` everywhere, in literals and comments too.
fn refuse_common(value: &str) -> Result<(), FormatError> {
    text::refuse_invisible(value)?;
    text::refuse_word(
        value,
        "$(",
        "starts a sqlcmd variable, which is replaced even inside quotes",
    )
}

/// A Unicode literal: `N'…'` with `'` doubled.
///
/// Refuses `$(` (sqlcmd replaces it even inside literals) and characters that cannot be shown.
pub fn sql_string(value: &str) -> Result<String, FormatError> {
    refuse_common(value)?;
    Ok(format!("N'{}'", value.replace('\'', "''")))
}

/// The inside of a `LIKE N'…'` pattern that matches `value` and nothing else: `%`, `_` and `[` are put in brackets, `'`
/// is doubled. The quotes are the template's, so that it can add wildcards of its own.
pub fn sql_like(value: &str) -> Result<String, FormatError> {
    refuse_common(value)?;
    let mut pattern = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '%' | '_' | '[' => {
                pattern.push('[');
                pattern.push(c);
                pattern.push(']');
            }
            '\'' => pattern.push_str("''"),
            _ => pattern.push(c),
        }
    }
    Ok(pattern)
}

/// A name in brackets, `]` doubled. Refuses empty names, names above 128 characters, and what [`sql_string`] refuses.
pub fn sql_name(value: &str) -> Result<String, FormatError> {
    refuse_common(value)?;
    if value.trim().is_empty() {
        return Err(FormatError::new(0..value.len(), "a name is empty"));
    }
    if value.encode_utf16().count() > LONGEST_NAME {
        return Err(FormatError::new(
            0..value.len(),
            format!("a name has more than {LONGEST_NAME} characters"),
        ));
    }
    Ok(format!("[{}]", value.replace(']', "]]")))
}

/// A table written `schema.table`, as `[schema].[table]`.
pub fn sql_table(value: &str) -> Result<String, FormatError> {
    let Some((schema, table)) = value.split_once('.') else {
        return Err(FormatError::new(
            0..value.len(),
            "a table needs its schema, as in `dbo.WSConfiguration`",
        ));
    };
    let start = schema.len() + 1;
    if let Some(offset) = table.find('.') {
        return Err(FormatError::new(
            start + offset..start + offset + 1,
            "a table has one `.`, between schema and table",
        ));
    }
    let table = sql_name(table).map_err(|error| {
        FormatError::new(error.range.start + start..error.range.end + start, error.message)
    })?;
    Ok(format!("{}.{table}", sql_name(schema)?))
}

/// A value after `-- ` in a comment. Refuses `$(`, `/*` and `*/`, which have a meaning in comments too.
pub fn sql_comment(value: &str) -> Result<String, FormatError> {
    refuse_common(value)?;
    for word in ["/*", "*/"] {
        text::refuse_word(value, word, "would start or end another comment")?;
    }
    Ok(value.to_owned())
}

/// A value outside quotes: one bare word; anything else needs a quoting function.
pub fn escape(value: &str) -> Result<String, FormatError> {
    let word = text::bare(
        value,
        "`sql_string`, `sql_name`, `sql_table`, `sql_like` or `sql_comment`",
    )?;
    text::refuse_word(value, "--", "starts a comment")?;
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::{Piece, TokenKind, scan};
    use super::*;
    use proptest::prelude::*;

    fn check(quote: fn(&str) -> Result<String, FormatError>, value: &str, expected: &str) {
        let got = quote(value).unwrap_or_else(|error| format!("{:?} {error}", error.range));
        assert_eq!(got, expected, "{value:?}");
    }

    #[test]
    fn values_are_quoted_for_their_place() {
        check(sql_string, "it's", "N'it''s'");
        check(sql_string, "", "N''");
        check(sql_name, "a]b", "[a]]b]");
        check(sql_table, "dbo.WSConfiguration", "[dbo].[WSConfiguration]");
        check(sql_like, "50%_[x]'", "50[%][_][[]x]''");
        check(sql_comment, "a -- b", "a -- b");
        check(escape, "2016", "2016");
    }

    #[test]
    fn what_sqlcmd_or_the_server_would_misread_is_refused() {
        let variable = "1..3 `$(` starts a sqlcmd variable, which is replaced even inside quotes";
        check(sql_string, "a$(b)", variable);
        check(sql_like, "a$(b)", variable);
        check(sql_name, "a$(b)", variable);
        check(sql_comment, "a$(b)", variable);
        check(sql_string, "a\nb", "1..2 a line break cannot be shown");
        check(sql_comment, "a\nb", "1..2 a line break cannot be shown");
        check(sql_name, " ", "0..1 a name is empty");
        check(
            sql_name,
            &"a".repeat(129),
            "0..129 a name has more than 128 characters",
        );
        check(
            sql_table,
            "WSConfiguration",
            "0..15 a table needs its schema, as in `dbo.WSConfiguration`",
        );
        check(
            sql_table,
            "a.b.c",
            "3..4 a table has one `.`, between schema and table",
        );
        check(sql_table, "dbo.", "4..4 a name is empty");
        check(
            sql_comment,
            "a */ b",
            "2..4 `*/` would start or end another comment",
        );
        check(escape, "a--b", "1..3 `--` starts a comment");
        assert!(escape("a b").is_err() && escape("a'b").is_err() && escape("").is_err());
    }

    /// The only token of a text.
    fn only_token(text: &str) -> (TokenKind, String) {
        let scanned = scan(text);
        assert!(scanned.errors.is_empty(), "{text:?} {:?}", scanned.errors);
        match scanned.pieces.as_slice() {
            [Piece::Token(token)] => (token.kind, token.text.to_owned()),
            pieces => panic!("{text:?} is not one token: {pieces:?}"),
        }
    }

    proptest! {
        #[test]
        fn printable_values_come_back_or_are_refused(value in "(\\PC|['\\]%_\\[$(\\-/*]){0,20}") {
            if let Ok(quoted) = sql_string(&value) {
                let (kind, read) = only_token(&quoted);
                prop_assert_eq!(kind, TokenKind::String);
                let inner = read.strip_prefix("N'").unwrap().strip_suffix('\'').unwrap();
                prop_assert_eq!(inner.replace("''", "'"), value.as_str());
            }
            if let Ok(quoted) = sql_name(&value) {
                let (kind, read) = only_token(&quoted);
                prop_assert_eq!(kind, TokenKind::Name);
                let inner = read.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
                prop_assert_eq!(inner.replace("]]", "]"), value.as_str());
            }
            if let Ok(comment) = sql_comment(&value) {
                let text = format!("-- {comment}\n");
                let scanned = scan(&text);
                prop_assert!(scanned.errors.is_empty() && scanned.pieces.is_empty(), "{:?}", scanned.errors);
            }
            if let Ok(pattern) = sql_like(&value) {
                let quoted = format!("N'{pattern}'");
                let (_, read) = only_token(&quoted);
                let inner = read.strip_prefix("N'").unwrap().strip_suffix('\'').unwrap().replace("''", "'");
                let plain = inner.replace("[%]", "%").replace("[_]", "_").replace("[[]", "[");
                // The three replacements can meet literal brackets of the value; then only the length is comparable.
                prop_assert!(plain == value || value.contains('['));
            }
        }
    }
}
