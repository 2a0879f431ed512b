//! What the strict readers of the contract share: the text, the number of its format, and the error.
//!
//! This file must not know what a text says.

use std::fmt;

use serde::Deserialize;

/// Why a text is not what the contract says, in the grammar of diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractError(pub(super) String);

impl fmt::Display for ContractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ContractError {}

impl From<serde_json::Error> for ContractError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// The text of a file.
pub(super) fn text(bytes: &[u8]) -> Result<&str, ContractError> {
    std::str::from_utf8(bytes)
        .map_err(|error| ContractError(format!("not UTF-8 at byte {}", error.valid_up_to())))
}

/// Refuses another format than `known`, ahead of everything else: what a newer cbgen made is named as such.
pub(super) fn format(text: &str, what: &str, known: u32) -> Result<(), ContractError> {
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    let Head { format } = serde_json::from_str(text)?;
    if format == u64::from(known) {
        return Ok(());
    }
    Err(ContractError(if format > u64::from(known) {
        format!("it has {what} format {format}, made by a newer cbgen; this one reads format {known}")
    } else {
        format!("{what} format {format} does not exist; this cbgen reads format {known}")
    }))
}
