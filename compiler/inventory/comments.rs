//! Comments that cut a value: `name: Ticket #4711` is `Ticket` to YAML.
//!
//! This file must not know what a key means.

use super::plain::{Plain, classify};
use crate::codes;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// What is said about a plain value that ends at `end` of the text, when a comment behind it looks like a part of it: a letter or
/// digit directly behind `#`. A comment for people begins with a blank. An error when nothing of the value is left.
pub(super) fn cut(file: FileId, text: &str, value: &str, end: usize) -> Option<Diagnostic> {
    // Most values have no comment, and their line may be all of a large file: nothing is looked at twice.
    let rest = text.get(end..)?;
    // A value that is not there stands at the colon of its key.
    let rest = rest
        .strip_prefix(':')
        .filter(|_| value.is_empty())
        .unwrap_or(rest);
    let behind = rest.trim_start_matches([' ', '\t']);
    let word = behind.strip_prefix('#')?;
    let is_meant = word.starts_with(|letter: char| letter.is_alphanumeric());
    // A number or a truth value has no end in words.
    let is_text = matches!(classify(value), Plain::Word | Plain::Empty);
    if behind.len() == rest.len() || !is_meant || !is_text {
        return None;
    }
    let at = text.len() - behind.len();
    let comment = behind.lines().next().unwrap_or(behind).trim_end();
    let place = Span::new(file, at..at + comment.len());
    if value.is_empty() {
        let message = "`#` begins a comment here, and the key has no value";
        return Some(
            Diagnostic::new(codes::AMBIGUOUS_SCALAR, message)
                .at(place)
                .help("quote the value, `'#…'`, or write one in front of the comment"),
        );
    }
    let message = "`#` behind a blank begins a comment, which the value does not hold";
    Some(
        Diagnostic::new(codes::CUT_BY_COMMENT, message)
            .at(place)
            // The value is not repeated: it may be a password.
            .note("the value ends in front of it")
            .help("quote the whole value, `'… #…'`, or begin the comment with a blank: `# …`"),
    )
}
