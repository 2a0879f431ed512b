//! The report for programs.

use super::model::Report;
use crate::json;
use crate::report::escape_hidden;

/// The report as one JSON document, complete.
pub fn render(report: &Report) -> String {
    escape_hidden(&json::pretty(report))
}
