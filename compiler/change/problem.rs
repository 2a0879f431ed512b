//! What stands in the way of a change, as it is told and stored. This file must not know who finds it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{self, Code};

/// What is in the way, or has to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Diagnostic code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Line of the target, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// A problem with its remedy.
    pub fn new(code: Code, message: impl Into<String>, help: &str) -> Self {
        Self {
            code: code.id().to_owned(),
            message: message.into(),
            line: None,
            help: Some(help.to_owned()),
        }
    }

    /// Whether nothing can be done before it is out of the way; a warning is only told.
    pub fn blocks(&self) -> bool {
        codes::find(&self.code).is_none_or(|code| code.severity() == codes::Severity::Error)
    }

    /// How it is introduced in a report.
    pub(super) fn words(&self) -> &'static str {
        if self.blocks() { "cannot" } else { "look at this" }
    }
}
