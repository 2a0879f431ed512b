//! What may be generated, as a layer above what can be read.
//!
//! The reader of a format takes what its consumer takes, so that files of others are read with it too. A rule here looks at
//! what was read and refuses what this product must not say, with its reason. A rule must not read a text a second way,
//! and must not know plans or templates.

mod iis;
mod rabbitmq;
mod transforms;
mod wcf;

#[cfg(test)]
mod tests;

use crate::formats::{self, Format, FormatError, Item, Reading, erlang, xdt};

/// Reads a text that may enter a bundle: with the reader of its format, and by the rules for what may be generated.
///
/// # Errors
/// Every mistake of the text, and everything in it that must not be generated, in the order of the text.
pub fn read_back(reading: impl Into<Reading>, text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    let reading = reading.into();
    let (items, mut errors) = if reading == Reading::Whole(Format::Erlang) {
        let term = erlang::read(text)?;
        let (items, mut errors) = erlang::survey(&term);
        errors.extend(rabbitmq::problems(&term));
        (items, errors)
    } else if reading == Reading::Whole(Format::Xdt) {
        let (edits, mut errors) = xdt::survey(text)?;
        errors.extend(iis::problems(&edits));
        errors.extend(transforms::problems(&edits, errors.is_empty()));
        errors.extend(wcf::problems(&edits));
        (xdt::said(&edits), errors)
    } else {
        return formats::items(reading, text);
    };
    if errors.is_empty() {
        return Ok(items);
    }
    errors.sort_by_key(|error| (error.range.start, error.range.end));
    // What cannot be read and what must not be said can be one and the same.
    errors.dedup();
    Err(errors)
}
