//! What an edit did, as data for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::{HIDDEN, is_secret};
use crate::formats::edits::{EditKind, Edited, Outcome};

/// What the edits of one file do: the output of `cbgen edit --format json`. Values that look like secrets are not in it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Edit")]
pub struct Report {
    /// The vendor's file, as it was named.
    pub file: String,
    /// The text of the edits, as it was named.
    pub edits: String,
    /// The format of the edits.
    pub format: &'static str,
    /// Whether a byte of the file becomes another one.
    pub changed: bool,
    /// What each edit does, in the order of the edits.
    pub changes: Vec<ChangeRecord>,
    /// What a person has to look at.
    pub notes: Vec<NoteRecord>,
}

/// What one edit does at one place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Change")]
pub struct ChangeRecord {
    /// What the edit is about.
    pub key: String,
    /// One-based line of the file before.
    pub line: usize,
    /// What happens.
    pub outcome: OutcomeWord,
    /// The value before; null where there was none.
    pub old: Option<String>,
    /// The value behind; null where there is none.
    pub new: Option<String>,
}

/// Something that is left alone.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Note")]
pub struct NoteRecord {
    /// What is there.
    pub message: String,
    /// One-based line of the file; null where the note is about the whole file.
    pub line: Option<usize>,
}

/// What happens at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Outcome")]
pub enum OutcomeWord {
    /// The value was another one.
    Set,
    /// Nothing has to be done.
    AlreadySo,
    /// Something is there that was not.
    Inserted,
    /// Something that was there is gone.
    Removed,
}

impl OutcomeWord {
    /// As people read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::AlreadySo => "already so",
            Self::Inserted => "inserted",
            Self::Removed => "removed",
        }
    }
}

impl From<Outcome> for OutcomeWord {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Set => Self::Set,
            Outcome::AlreadySo => Self::AlreadySo,
            Outcome::Inserted => Self::Inserted,
            Outcome::Removed => Self::Removed,
        }
    }
}

impl Report {
    /// The report about edits of a file.
    pub fn new(file: &str, edits: &str, kind: EditKind, edited: &Edited) -> Self {
        let changes = edited.changes.iter().map(|change| {
            let shown = |value: &Option<String>| {
                value.as_ref().map(|value| {
                    if is_secret(&change.key, value) {
                        HIDDEN.to_owned()
                    } else {
                        value.clone()
                    }
                })
            };
            ChangeRecord {
                key: change.key.to_string(),
                line: change.line,
                outcome: change.outcome.into(),
                old: shown(&change.old),
                new: shown(&change.new),
            }
        });
        let notes = edited.notes.iter().map(|note| NoteRecord {
            message: note.message.clone(),
            line: note.line,
        });
        Self {
            file: file.to_owned(),
            edits: edits.to_owned(),
            format: kind.name(),
            changed: edited.changes_anything(),
            changes: changes.collect(),
            notes: notes.collect(),
        }
    }

    /// How many places there are of each outcome: `2 set, 1 already so`.
    pub fn sentence(&self) -> String {
        let all = [
            OutcomeWord::Set,
            OutcomeWord::Inserted,
            OutcomeWord::Removed,
            OutcomeWord::AlreadySo,
        ];
        let counted = all.map(|outcome| {
            let count = self
                .changes
                .iter()
                .filter(|change| change.outcome == outcome)
                .count();
            (count > 0).then(|| format!("{count} {}", outcome.word()))
        });
        let parts: Vec<String> = counted.into_iter().flatten().collect();
        if parts.is_empty() {
            "nothing to do".into()
        } else {
            parts.join(", ")
        }
    }
}
