//! Edits of vendor files for people: what was done as a unified difference and as data, and refusals as findings.
//!
//! Both desks show edits the same way: `cbgen edit`, and whatever applies a bundle. The engine is in `formats::edits`;
//! this module must not know how an edit is done, and reads and writes no file. Nothing it gives holds what looks like a
//! secret.

mod kind;
mod report;
mod unified;

use std::collections::BTreeSet;

use crate::codes::{self, Code};
use crate::diag::{Diagnostic, Diagnostics};
use crate::formats::edits::source::Source;
use crate::formats::edits::{Edited, Refusal, RefusalKind};
use crate::formats::{FactPath, FormatError};
use crate::secrets;
use crate::source::{FileId, Sources, Span};

pub use kind::kind_by_name;
pub use report::Report;
pub use unified::unified;

/// The code a kind of refusal has.
pub fn code(kind: RefusalKind) -> Code {
    match kind {
        RefusalKind::BadEdit => codes::BAD_EDIT,
        RefusalKind::BadFile => codes::BAD_VENDOR_FILE,
        RefusalKind::Encoding => codes::VENDOR_FILE_ENCODING,
        RefusalKind::Missing => codes::EDIT_MISSES,
        RefusalKind::Ambiguous => codes::EDIT_AMBIGUOUS,
        RefusalKind::Unsuitable => codes::EDIT_UNSUITABLE,
        RefusalKind::Unwritable => codes::EDIT_UNWRITABLE,
        RefusalKind::Limit => codes::EDIT_LIMIT,
    }
}

/// The vendor's file and the text of the edits in a table of sources.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The vendor's file; `None` where it has no text.
    pub file: Option<FileId>,
    /// The text of the edits.
    pub edits: FileId,
}

impl Places {
    /// Adds both texts. `source` is the decoded file.
    pub fn add(sources: &mut Sources, file: (&str, Option<&Source<'_>>), edits: (&str, &str)) -> Self {
        let edits = sources.add(edits.0, edits.1);
        let file_name = file.0;
        Self {
            file: file.1.map(|source| sources.add(file_name, source.text())),
            edits,
        }
    }
}

/// Mistakes of a text of edits as findings.
pub fn mistakes(diagnostics: &mut Diagnostics, places: &Places, errors: Vec<FormatError>) {
    for error in errors {
        let span = Span::new(places.edits, error.range);
        diagnostics.push(Diagnostic::new(codes::BAD_EDIT, error.message).at(span));
    }
}

/// Refusals as findings: at the place in the file where there is one, else at the edit.
pub fn refusals(
    diagnostics: &mut Diagnostics,
    places: &Places,
    (name, source): (&str, Option<&Source<'_>>),
    refusals: Vec<Refusal>,
) {
    for refusal in refusals {
        let in_file = refusal.file_range.as_ref().and_then(|range| {
            let range = source?.text_range(range);
            Some(Span::new(places.file?, range))
        });
        let in_edits = refusal
            .edit_range
            .clone()
            .map(|range| Span::new(places.edits, range));
        let mut finding = Diagnostic::new(code(refusal.kind), refusal.message);
        finding = match (in_file, in_edits) {
            (Some(file), Some(edits)) => finding.at(file).related(edits, "the edit"),
            (Some(span), None) => finding.at(span),
            (None, Some(span)) => finding.at(span).note(format!("the file is {name}")),
            (None, None) => finding.in_file(name),
        };
        if let Some(nearest) = refusal.nearest {
            finding = finding.note(format!("the nearest name that is there is `{nearest}`"));
        }
        if let Some(help) = refusal.help {
            finding = finding.help(help);
        }
        diagnostics.push(finding);
    }
}

/// What a person has to look at, as warnings.
pub fn notes(
    diagnostics: &mut Diagnostics,
    places: &Places,
    name: &str,
    source: &Source<'_>,
    edited: &Edited,
) {
    for note in &edited.notes {
        let span = note.span.as_ref().and_then(|range| {
            let range = source.text_range(range);
            Some(Span::new(places.file?, range))
        });
        let mut finding = Diagnostic::new(codes::EDIT_LEFT_ALONE, note.message.clone());
        finding = match span {
            Some(span) => finding.at(span),
            None => finding.in_file(name),
        };
        diagnostics.push(finding);
    }
}

/// Whether the value of a key, or the value itself, looks like a secret.
fn is_secret(key: &FactPath, value: &str) -> bool {
    secrets::names_a_secret(key)
        || secrets::secret_fact(key, value, &[]).is_some()
        || !secrets::scan(value, &[]).is_empty()
}

/// Zero-based lines of the file at which something is set whose key, or a key above it, is called like a secret.
pub fn secret_lines(source: &Source<'_>, edited: &Edited) -> BTreeSet<usize> {
    let of_secrets = edited.changes.iter().filter(|change| {
        let values = [&change.old, &change.new].into_iter().flatten();
        values.into_iter().any(|value| is_secret(&change.key, value))
    });
    of_secrets
        .flat_map(|change| {
            let range = source.text_range(&change.span);
            source.line(range.start).saturating_sub(1)..source.line(range.end)
        })
        .collect()
}

/// What is shown in place of a value that may be secret.
const HIDDEN: &str = "(not shown: it may hold a secret)";
