//! What a step makes of a file: the whole new file of a replacement, or the edits of an artifact done to what is there.
//!
//! The seam to the edit engine. Texts in, texts out; this file must not know the disk.

use crate::codes;
use crate::contract::runbook::{Step, StepKind};
use crate::formats::Format;
use crate::formats::edits::{EditKind, Edited, Edits, Note};
use crate::formats::encode::decode;

use super::problem::Problem;

/// The file after a step. `artifact` are its deployed bytes, `present` is what is there. `Err` is why it cannot be made.
pub fn make(step: &Step, artifact: &[u8], present: Option<&[u8]>) -> Result<Edited, Vec<Problem>> {
    if step.kind == StepKind::Replace {
        return Ok(Edited {
            bytes: artifact.to_vec(),
            changes: Vec::new(),
            notes: Vec::new(),
        });
    }
    let refuse = |message: String| {
        let help = "build the bundle again with this version of cbgen";
        vec![Problem::new(codes::EDIT_IMPOSSIBLE, message, help)]
    };
    let Some(kind) = step.format.and_then(EditKind::of) else {
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
        let refused = refusals.into_iter().map(|refusal| Problem {
            code: codes::EDIT_IMPOSSIBLE.id().to_owned(),
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

fn line_at(bytes: &[u8], at: usize) -> usize {
    let before = bytes.get(..at.min(bytes.len())).unwrap_or(bytes);
    memchr::memchr_iter(b'\n', before).count() + 1
}
