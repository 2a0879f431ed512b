//! Loops and includes of all templates together that have no bound. This file must not know what a template is for.

use super::places::Places;
use super::{Texts, findings, meter};
use crate::diag::{Diagnostic, Diagnostics, Reported};
use crate::source::Sources;

/// Loops without a bound, which are told when the engine takes their texts.
///
/// # Errors
/// When includes never end, or more is included than is read: nothing may follow them then.
pub(super) fn unbounded_loops(
    diagnostics: &mut Diagnostics,
    sources: &Sources,
    places: &Places,
    texts: &Texts,
) -> Result<Vec<Diagnostic>, Reported> {
    let unbounded: Vec<Diagnostic> = texts
        .all()
        .flat_map(|text| meter::unbounded(&text.name, &text.body))
        .map(|found| findings::unbounded(sources, places, found))
        .collect();
    let by_name = texts
        .all()
        .map(|text| (text.name.as_str(), text.body.as_str()))
        .collect();
    let too_many = meter::too_much_to_read(&by_name);
    if !too_many.is_empty() {
        for finding in &unbounded {
            diagnostics.push(finding.clone());
        }
        for found in too_many {
            diagnostics.push(findings::unbounded(sources, places, found));
        }
        diagnostics.checkpoint()?;
    }
    Ok(unbounded)
}
