//! Plain words for YAML syntax errors.
//!
//! The parser's own words are for people who write parsers; these say what to look for. Nothing here knows positions
//! or trees.

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
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            codes::YAML_SYNTAX,
            "this line is no `key: value`".to_owned(),
            "write a colon and a blank behind the key",
        ),
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

fn lower_first(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}
