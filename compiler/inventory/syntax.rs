//! Plain words for YAML syntax errors.
//!
//! The parser's own words are for people who write parsers; these say what to look for. Nothing here knows trees.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use crate::codes;
use crate::diag::Diagnostic;

/// A finding without a place.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
pub(super) fn explain(error: &ScanError) -> Diagnostic {
    // `ErrorKind` is open for extension: what has no better words here keeps the parser's.
    let (code, message, help) = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => (
            codes::YAML_TAB,
            "a tab cannot indent or separate here".to_owned(),
            "replace the tab by blanks, and let the editor do so for .yaml files",
        ),
        ErrorKind::UnexpectedCharacter { character } => (
            codes::YAML_SYNTAX,
            format!(
                "a value without quotes cannot begin with `{}`",
                character.escape_default()
            ),
            "put the value between single quotes",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            codes::YAML_SYNTAX,
            "the text that begins here has no closing quote".to_owned(),
            "close the quote; between single quotes write a quote twice: 'it''s'",
        ),
        ErrorKind::UnclosedFlowCollection { open } => (
            codes::YAML_SYNTAX,
            format!("the `{open}` that opens here is never closed"),
            "close the bracket, or quote a text that begins with it",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            codes::YAML_SYNTAX,
            format!("`{open}` is closed by `{close}`"),
            "close every bracket with its own kind",
        ),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogateHexEscape => (
            codes::YAML_SYNTAX,
            "between double quotes `\\` begins an escape, and this is none YAML knows".to_owned(),
            "write Windows paths between single quotes: 'C:\\certs'",
        ),
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidColonPlacement => (
            codes::YAML_SYNTAX,
            "a `key: value` cannot stand here".to_owned(),
            "check the indentation against the line above, and quote a value that holds `: `",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => return missing_colon(),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => (
            codes::YAML_SYNTAX,
            "the indentation of this line fits nothing above it".to_owned(),
            "indent it like its neighbours; behind a closing quote or bracket only a comment may follow",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            codes::YAML_SYNTAX,
            "something follows a closing quote".to_owned(),
            "put the whole value between the quotes; between single quotes write a quote twice",
        ),
        ErrorKind::DirectiveDisallowed => (
            codes::YAML_SYNTAX,
            "YAML directives are not supported".to_owned(),
            "remove the line; quote a value that begins with `%`",
        ),
        _ => (
            codes::YAML_SYNTAX,
            format!(
                "YAML cannot be read here: {}",
                lower_first(&error.kind().to_string())
            ),
            "check indentation, colons, quotes and brackets here and in the line above",
        ),
    };
    Diagnostic::new(code, message).help(help)
}

/// A line that lacks its colon.
pub(super) fn missing_colon() -> Diagnostic {
    Diagnostic::new(codes::YAML_SYNTAX, "this line is no `key: value`")
        .note("YAML joins a line without a colon and a blank with the lines below it")
        .help("write a colon and a blank behind the key: `name: acme`; a section is its key and a colon: `bundle:`")
}

/// The words of the line above `at`, comments and empty lines passed over, when nothing in it could be a key: a colon
/// that YAML refuses in one line is usually missing in the line before.
pub(super) fn line_without_colon(text: &str, at: usize) -> Option<Range<usize>> {
    let mut end = text.get(..at)?.rfind('\n')?;
    loop {
        let start = text.get(..end)?.rfind('\n').map_or(0, |line_end| line_end + 1);
        let line = text.get(start..end)?;
        let words = line.split(" #").next()?.trim_end();
        let key = words.trim_start();
        if !key.is_empty() && !key.starts_with('#') {
            let plain = key.starts_with(|first: char| first.is_alphabetic());
            let has_key = key.ends_with(':') || key.contains(": ");
            let first = start + (words.len() - key.len());
            return (plain && !has_key).then_some(first..first + key.len());
        }
        end = start.checked_sub(1)?;
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_lacks_its_colon_is_the_one_above() {
        let check = |text: &str, expected: Option<&str>| {
            let at = text.rfind(':').expect("a colon");
            let found = line_without_colon(text, at).and_then(|range| text.get(range));
            assert_eq!(found, expected, "{text}");
        };
        check("a: 1\nbundle\n  name: acme\n", Some("bundle"));
        check(
            "bundle:\n  name acme # x\n\n  # y: z\n  version: 1\n",
            Some("name acme"),
        );
        check("bundle\n  name: acme\n", Some("bundle"));
        check("a: x y\n  b: 1\n", None);
        check("a:\n  b: 1\n", None);
        check("- a\n  b: 1\n", None);
        check("a: 1\n", None);
    }
}
