//! The report for programs.

use super::model::Report;
use crate::report::escape_hidden;

/// The report as one JSON document, complete.
pub fn render(report: &Report) -> String {
    // Strings, numbers, lists and maps with text keys always have a JSON form.
    let mut text = escape_hidden(&serde_json::to_string_pretty(report).unwrap_or_default());
    text.push('\n');
    text
}
