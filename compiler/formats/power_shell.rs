//! PowerShell scripts for Windows PowerShell 5.1: lines that take no value.
//!
//! A bundle has one such script, the check of its digests, and it is the same in every bundle. A script that says something of
//! an installation is a batch file, whose reader knows its commands. This file must not know what a script checks.

use super::{FormatError, Item, text};

/// Refuses every value: nothing here knows the quotes of PowerShell.
///
/// # Errors
/// Always.
pub fn escape(value: &str) -> Result<String, FormatError> {
    Err(FormatError::new(
        0..value.len(),
        "a script of PowerShell takes no values",
    ))
}

/// The lines of a script that are not empty. Printable ASCII only, because 5.1 reads a script that lost its byte order mark
/// in the ANSI code page.
///
/// # Errors
/// Other characters, and a last line without an end.
pub fn items(text: &str) -> Result<Vec<Item>, Vec<FormatError>> {
    text::items(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_passes_and_no_other_character() {
        for value in ["", "a", "it's", "\u{2018}; calc; \u{2018}"] {
            assert!(escape(value).is_err(), "{value}");
        }
        assert!(items("exit 0\n").is_ok());
        for text in ["exit 0", "Write-Output '\u{2018}'\n", "a\tb\n"] {
            assert!(items(text).is_err(), "{text}");
        }
    }
}
