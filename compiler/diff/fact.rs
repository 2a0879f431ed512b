//! One thing that two texts say differently. This file must not know how it was found, nor how it is shown.

use crate::formats::FactPath;

/// How a fact differs. The order is that of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// It says something else.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It stands in another place, which may matter.
    Moved,
    /// The block around it has another name; what it holds is the same.
    Renamed,
}

/// What a fact says something of, as far as that alone decides how bad it can get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// What stands in the artifact, or what else is said of it.
    #[default]
    Content,
    /// Where the artifact goes.
    Target,
    /// How it is undone.
    Undo,
    /// Its encoding or line ends.
    Bytes,
}

/// One fact that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Fact {
    /// Where it is said. Only a report makes a text of it.
    pub path: FactPath,
    /// What it says something of.
    #[serde(skip)]
    pub subject: Subject,
    /// How it differs.
    pub kind: FactKind,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What is said now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
}

impl Fact {
    /// A fact of the content of an artifact; what it says on each side decides its kind.
    pub fn new(path: impl Into<FactPath>, old: Option<String>, new: Option<String>) -> Self {
        let kind = match (&old, &new) {
            (None, _) => FactKind::Added,
            (_, None) => FactKind::Removed,
            (Some(_), Some(_)) => FactKind::Changed,
        };
        Self {
            path: path.into(),
            subject: Subject::Content,
            kind,
            old,
            new,
        }
    }

    /// The same with all its texts written as `write` says.
    #[must_use]
    pub fn map(&self, mut write: impl FnMut(&str) -> String) -> Self {
        Self {
            path: self.path.map(&mut write),
            old: self.old.as_deref().map(&mut write),
            new: self.new.as_deref().map(&mut write),
            ..*self
        }
    }
}
