//! What a reader says of a text, as lines that tests compare. It must not know a format.

use crate::{FormatError, Item};

/// Facts as `PATH = VALUE`, or mistakes as `RANGE MESSAGE`.
pub(crate) fn told(read: Result<Vec<Item>, Vec<FormatError>>) -> Vec<String> {
    told_as(read, |item| format!("{} = {}", item.path, item.value))
}

/// As [`told`], with facts as `tell` says.
pub(crate) fn told_as<T>(read: Result<Vec<T>, Vec<FormatError>>, tell: impl Fn(T) -> String) -> Vec<String> {
    let mistake = |error: FormatError| format!("{:?} {error}", error.range);
    read.map_or_else(
        |errors| errors.into_iter().map(mistake).collect(),
        |facts| facts.into_iter().map(tell).collect(),
    )
}

/// Fails unless every mistake is at a place of the text.
#[track_caller]
pub(crate) fn mistakes_are_in<T>(text: &str, read: Result<T, Vec<FormatError>>) {
    for error in read.err().into_iter().flatten() {
        assert!(text.get(error.range.clone()).is_some(), "{text:?} {error:?}");
    }
}
