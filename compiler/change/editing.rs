//! What a step makes of a file: the whole new file of a replacement, or the edits of an artifact done to what is there.
//!
//! The seam to the edit engine. Texts in, texts out; this file must not know the disk.

use crate::contract::runbook::{Step, StepKind};
use crate::formats::Format;
use crate::formats::edits::{EditKind, Edited, Edits, Note};
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

/// The file after a step. `artifact` are its deployed bytes, `present` is what is there.
pub fn make(step: &Step, artifact: &[u8], present: Option<&[u8]>) -> Result<Edited, Vec<Refused>> {
    if step.kind == StepKind::Replace {
        return Ok(Edited {
            bytes: artifact.to_vec(),
            changes: Vec::new(),
            notes: Vec::new(),
        });
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
    edits.apply(present).map_err(|refusals| {
        let refused = refusals.into_iter().map(|refusal| Refused {
            line: refusal.file_range.map(|range| line_at(present, range.start)),
            help: refusal.help.or_else(|| {
                refusal
                    .nearest
                    .map(|nearest| format!("the nearest key there is `{nearest}`"))
            }),
            message: refusal.message,
        });
        refused.collect()
    })
}

/// What a person has to look at in the file, in one line.
pub fn told(note: &Note) -> String {
    match note.line {
        Some(line) => format!("line {line}: {}", note.message),
        None => note.message.clone(),
    }
}

fn edit_kind(format: Format) -> Option<EditKind> {
    EditKind::of(format)
}

fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at.min(bytes.len())).unwrap_or(bytes);
    memchr::memchr_iter(b'\n', before).count() + 1
}
