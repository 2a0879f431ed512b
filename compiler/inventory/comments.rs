//! Comments that cut a value: `name: Ticket #4711` is `Ticket` to YAML.
//!
//! This file must not know what a key means.

use super::plain::{Plain, classify};
use crate::codes;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// What is said about a plain value that ends at `end` of the text, when a comment behind it looks like a part of it: a letter or
/// digit directly behind `#`. A comment for people begins with a blank.
pub(super) fn cut(file: FileId, text: &str, value: &str, end: usize) -> Option<Diagnostic> {
    // Most values have no comment, and their line may be all of a large file: nothing is looked at twice.
    let rest = text.get(end..)?;
    let behind = rest.trim_start_matches([' ', '\t']);
    let word = behind.strip_prefix('#')?;
    let is_meant = word.starts_with(|letter: char| letter.is_alphanumeric());
    // A number or a truth value has no end in words.
    let is_text = matches!(classify(value), Plain::Word | Plain::Empty);
    if behind.len() == rest.len() || !is_meant || !is_text {
        return None;
    }
    let at = end + (rest.len() - behind.len());
    let comment = behind.lines().next().unwrap_or(behind);
    Some(
        Diagnostic::new(
            codes::CUT_BY_COMMENT,
            "`#` behind a blank begins a comment, which the value does not hold",
        )
        .at(Span::new(file, at..at + comment.trim_end().len()))
        // The value is not repeated: it may be a password.
        .note(if value.is_empty() {
            "the key has no value"
        } else {
            "the value ends in front of it"
        })
        .help("quote the whole value, `'… #…'`, or begin the comment with a blank: `# …`"),
    )
}
