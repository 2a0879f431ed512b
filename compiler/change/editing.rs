//! What a step makes of a file: the whole new file of a replacement, or the edits of an artifact done to what is there.
//!
//! The seam to the edit engine. Texts in, texts out; this file must not know the disk.

use crate::contract::runbook::{Step, StepKind};
use crate::formats::Format;
use crate::formats::edits::{Change, EditKind, Edits};
use crate::formats::encode::decode;

/// Why an edit cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In the grammar of findings.
    pub message: String,
    /// Line of the file, where there is one.
    pub line: Option<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// A file after a step, and what was done to it.
pub type Made = (Vec<u8>, Vec<Change>);

/// The file after a step. `artifact` are its deployed bytes, `present` is what is there.
pub fn make(step: &Step, artifact: &[u8], present: Option<&[u8]>) -> Result<Made, Vec<Refused>> {
    if step.kind == StepKind::Replace {
        return Ok((artifact.to_vec(), Vec::new()));
    }
    let refuse = |message: String| {
        vec![Refused {
            message,
            line: None,
            help: Some("build the bundle again with this version of cbgen".to_owned()),
        }]
    };
    let kind = step.format.and_then(edit_kind);
    let Some(kind) = kind else {
        let name = step.format.map_or("none", Format::name);
        return Err(refuse(format!(
            "this cbgen knows no edits in the format `{name}`"
        )));
    };
    let text = decode(artifact).map_err(|error| refuse(format!("the edits cannot be read: {error}")))?;
    let edits = Edits::read(kind, &text.text).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        refuse(format!("the edits cannot be read: {first}"))
    })?;
    let Some(present) = present else {
        return Err(refuse("there is no file to edit".to_owned()));
    };
    match edits.apply(present) {
        Ok(edited) => Ok((edited.bytes, edited.changes)),
        Err(refusals) => Err(refusals
            .into_iter()
            .map(|refusal| Refused {
                line: refusal.file_range.map(|range| line_at(present, range.start)),
                help: refusal.help.or_else(|| {
                    refusal
                        .nearest
                        .map(|nearest| format!("the nearest key there is `{nearest}`"))
                }),
                message: refusal.message,
            })
            .collect()),
    }
}

fn edit_kind(format: Format) -> Option<EditKind> {
    EditKind::of(format)
}

fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at.min(bytes.len())).unwrap_or(bytes);
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
