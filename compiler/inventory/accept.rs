//! Warnings that somebody looked at (`accept:` of an inventory).
//!
//! This file must not know what the warnings say, nor what day it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{Code, Severity};

/// One warning that somebody looked at and takes responsibility for. It is no finding any more; the runbook prints it
/// with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Code of the warning, from `CB0401` to `CB0489`, or one of `check --lint`: `CB0493` to `CB0495`.
    #[schemars(regex(pattern = r"^CB04([0-8][0-9]|9[3-5])$"))]
    #[schemars(example = &"CB0440")]
    pub code: String,
    /// Why it is right as it is, in words for the engineer; printed in the runbook.
    #[schemars(length(min = 1, max = 300))]
    #[schemars(example = &"reg query on CORE01 shows REG_SZ")]
    pub reason: String,
    /// Names of the servers it is accepted for; absent means wherever it is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), extend("uniqueItems" = true), example = serde_json::json!(["CORE01"]))]
    pub servers: Vec<String>,
    /// Last day on which the acceptance holds; after it, it is a warning itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cbgen-date"), example = &"2027-01-31")]
    pub until: Option<String>,
}

impl Acceptance {
    /// Whether it lists a server by name.
    pub fn lists(&self, name: &str) -> bool {
        self.servers
            .iter()
            .any(|server| server.eq_ignore_ascii_case(name))
    }
}

/// Whether a code is one of the warnings that an acceptance takes, as the pattern of [`Acceptance::code`] says.
pub fn takes(code: Code) -> bool {
    let ranges = ["CB0401"..="CB0489", "CB0493"..="CB0495"];
    code.severity() == Severity::Warning && ranges.iter().any(|range| range.contains(&code.id()))
}
