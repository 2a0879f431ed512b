//! Plain words for YAML syntax errors.
//!
//! The parser's own words are for people who write parsers; these say what to look for. Nothing here knows trees.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

use super::scalars::shorten;
use super::{Subject, slips};
use crate::codes;
use crate::diag::Diagnostic;
use crate::source::Span;

/// A finding about syntax, without its place.
fn wrong(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(codes::YAML_SYNTAX, message)
}

/// A finding without a place.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
pub(super) fn explain(error: &ScanError) -> Diagnostic {
    // `ErrorKind` is open for extension: what has no better words here keeps the parser's.
    let (message, help) = match error.kind() {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar => return tab(),
        ErrorKind::UnexpectedCharacter { character } => (
            format!(
                "a value without quotes cannot begin with `{}`",
                character.escape_default()
            ),
            "put the value between single quotes",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "the text that begins here has no closing quote".to_owned(),
            "close the quote; between single quotes write a quote twice: 'it''s'",
        ),
        ErrorKind::UnclosedFlowCollection { open } => return never_closed(*open),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            format!("`{open}` is closed by `{close}`"),
            "close every bracket with its own kind",
        ),
        ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => (
            "a text in quotes or brackets that began above is not closed before this line".to_owned(),
            "close it; a text that goes on in the next line is indented there",
        ),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogateHexEscape => (
            "between double quotes `\\` begins an escape, and this is none YAML knows".to_owned(),
            "write Windows paths between single quotes: 'C:\\certs'",
        ),
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidColonPlacement => (
            "a `key: value` cannot stand here".to_owned(),
            "check the indentation against the line above, and quote a value that holds `: `",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => return missing_colon(),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => (
            "the indentation of this line fits nothing above it".to_owned(),
            "indent it like its neighbours; behind a closing quote or bracket only a comment may follow",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "something follows a closing quote".to_owned(),
            "put the whole value between the quotes; between single quotes write a quote twice",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => (
            "a list item cannot begin here".to_owned(),
            "write each `- ` on a line of its own below the key, or the whole list between brackets: `[a, b]`; quote a text that begins with `- `",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "this line stands among the items of a list and has no `- `".to_owned(),
            "write `- ` before the first key of each item, and indent the other keys like it",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => (
            "between brackets, `,` or the closing bracket must stand here".to_owned(),
            "write a comma between two items, close the bracket, or quote the text that stands here",
        ),
        ErrorKind::DirectiveDisallowed => (
            "YAML directives are not supported".to_owned(),
            "remove the line; quote a value that begins with `%`",
        ),
        _ => (
            format!(
                "YAML cannot be read here: {}",
                lower_first(&error.kind().to_string())
            ),
            "check indentation, colons, quotes and brackets here and in the line above",
        ),
    };
    wrong(message).help(help)
}

/// What was written wrong where the text alone shows it, and where; `start` is where the parser noticed it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open for extension")]
pub(super) fn slip(kind: &ErrorKind, text: &str, start: usize) -> Option<(Diagnostic, Range<usize>)> {
    let too_deep = || slips::deeper_than_above(text, start).map(|words| (deeper_than_above(), words));
    match kind {
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => {
            slips::quote_open_in_line(text, start).map(|quote| (quote_never_closed(), quote))
        }
        ErrorKind::MappingValueNotAllowed => too_deep(),
        // A value without quotes goes on in deeper lines, and a comment ends it: the key or the line below is wrong.
        ErrorKind::CommentInterceptedScalar => {
            let below = slips::line_below(text, start);
            if let Some(tab) = below
                .as_ref()
                .and_then(|words| slips::tab_of_line(text, words.start))
            {
                return Some((self::tab(), tab));
            }
            slips::colon_missing(text, start)
                .map(|(words, colon)| match colon {
                    Some(colon) => (colon_without_blank(), colon),
                    None => (missing_colon(), words),
                })
                .or_else(|| below.map(|words| (deeper_than_above(), words)))
        }
        ErrorKind::ExpectedBlockMappingKey => {
            let above = slips::line_without_colon(text, start)?;
            (slips::indent_of(text, above.start) == slips::indent_of(text, start))
                .then(|| (missing_colon(), above))
        }
        ErrorKind::ExpectedDocumentStart => {
            slips::first_line_indented(text).map(|blanks| (first_line_indented(), blanks))
        }
        ErrorKind::MissingAnchorOrAliasName => {
            slips::star_of_item(text, start).map(|star| (star_is_no_dash(), star))
        }
        _ => None,
    }
}

/// `!!str`.
pub(super) fn tag(subject: Subject) -> Diagnostic {
    Diagnostic::new(codes::YAML_TAG, "YAML tags are not supported").help(if subject.is_inventory {
        "remove the tag; quote the value if it must be text; name a secret as `{ secret: NAME }`"
    } else {
        "remove the tag; quote the value if it must be text"
    })
}

/// `<<: *base`.
pub(super) fn merge_key(subject: Subject) -> Diagnostic {
    Diagnostic::new(codes::YAML_MERGE_KEY, "YAML merge keys are not supported")
        .note("`<<` was dropped from YAML 1.2, and readers disagree about what it does")
        .help(if subject.is_inventory {
            "put the common part into a file of its own and name it in `extends`"
        } else {
            "write the keys out"
        })
}

/// A key that is no name.
pub(super) fn key_not_text(subject: Subject) -> Diagnostic {
    Diagnostic::new(codes::KEY_NOT_TEXT, "a key must be a plain name")
        .note(format!(
            "`[…]`, `{{…}}`, `&name`, `*name`, `?` and an empty text cannot be keys of {}",
            subject.a
        ))
        .help("write `key: value`; quote a value that begins with one of these characters")
}

/// More values than a file may have.
pub(super) fn too_many(most: u64, subject: Subject) -> Diagnostic {
    Diagnostic::new(
        codes::YAML_ALIAS_BOMB,
        format!("this file holds more than {most} values, aliases expanded"),
    )
    .note("aliases of aliases multiply, and a long text counts for as many values as it needs memory")
    .help(if subject.is_inventory {
        "write the values out; a real installation of this size needs several inventories"
    } else {
        "write the values out"
    })
}

/// An alias of nothing.
pub(super) fn no_anchor(name: &str) -> Diagnostic {
    Diagnostic::new(
        codes::YAML_ALIAS,
        format!("there is no anchor `&{}` above this alias", shorten(name)),
    )
    .help("write `&name` before the value to repeat, above the first `*name`; quote a text that begins with `*`")
}

/// Longest key or value. Everything that is longer is refused before anybody looks into it.
pub(super) const LONGEST_VALUE: usize = 64 << 10;

/// A scalar of many pages; its first character is its place.
pub(super) fn too_long(length: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        codes::VALUE_TOO_LONG,
        format!("this value has {length} bytes; a value has at most {LONGEST_VALUE}"),
    )
    .at(Span {
        end: span.start,
        ..span
    })
    .help("remove it; the contents of a file are handed over as a file")
}

/// Sections in sections without end.
pub(super) fn too_deep(most: usize, subject: Subject) -> Diagnostic {
    Diagnostic::new(
        codes::YAML_TOO_DEEP,
        format!("more than {most} levels of nesting"),
    )
    .help(format!(
        "{} needs at most eight levels; look for an unclosed bracket or a runaway indentation",
        subject.a
    ))
}

/// A line that lacks its colon.
pub(super) fn missing_colon() -> Diagnostic {
    wrong("this line is no `key: value`")
        .note("YAML joins a line without a colon and a blank with the lines below it")
        .help("write a colon and a blank behind the key: `name: acme`; a section is its key and a colon: `bundle:`")
}

/// `fqdn:lab.acme.example`.
fn colon_without_blank() -> Diagnostic {
    wrong("a blank is missing behind this colon")
        .note("without the blank YAML reads the colon as part of a text, and no key begins")
        .help("write `key: value`")
}

/// A key below a value, and deeper than its key.
fn deeper_than_above() -> Diagnostic {
    wrong("this line is indented deeper than the line above, which has its value already")
        .help("indent it like the line above; a section is its key and a colon alone: `bundle:`")
}

/// A file that begins with blanks.
fn first_line_indented() -> Diagnostic {
    wrong("the first key is indented, and keys below it are not")
        .help("write the outermost keys without blanks before them")
}

/// `* name: acme`.
fn star_is_no_dash() -> Diagnostic {
    wrong("a list item does not begin with `*` in YAML")
        .help("write `- ` before the first key of each item; quote a text that begins with `*`")
}

/// A bracket that is never closed.
pub(super) fn never_closed(open: char) -> Diagnostic {
    wrong(format!("the `{open}` that opens here is never closed"))
        .help("close the bracket, or quote a text that begins with it")
}

/// A quote that is never closed.
pub(super) fn quote_never_closed() -> Diagnostic {
    wrong("the text that begins here has no closing quote in its line")
        .note("YAML reads on over the lines below it")
        .help("close the quote; write Windows paths between single quotes: 'C:\\certs'")
}

/// A bracket that closes nothing.
pub(super) fn closes_nothing(close: char) -> Diagnostic {
    wrong(format!("this `{close}` closes nothing"))
        .note("every bracket that opens above is closed before it")
        .help("remove it, or quote a text that holds it")
}

/// `-name: acme`.
pub(super) fn dash_without_blank() -> Diagnostic {
    wrong("a blank is missing behind this `-`")
        .note("without the blank YAML reads the `-` as part of the name, and no list item begins")
        .help("write `- name: acme`")
}

/// `- core` further left than `roles:`.
pub(super) fn dash_left_of_its_key() -> Diagnostic {
    wrong("this list item is indented less than the key of its list")
        .help("indent the `-` like the key or deeper, or write the list behind the key: `roles: [core]`")
}

/// A list whose first item has no `-`.
pub(super) fn first_dash_missing() -> Diagnostic {
    wrong("the first item of this list has no `-`")
        .help("write `- ` before the first key of each item, and indent the other keys like it")
}

/// A tab.
pub(super) fn tab() -> Diagnostic {
    Diagnostic::new(codes::YAML_TAB, "a tab cannot indent or separate here")
        .help("replace the tab by blanks, and let the editor write blanks for the tab key in such files")
}

fn lower_first(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first = letters.next();
    first
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(letters)
        .collect()
}
